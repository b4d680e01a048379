/* A replica is the store that it was made from, for all that is in the ledger,
 * and refuses what does not fit. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/restore.h"
#include "../../core/vault.h"
#include "../../core/verify.h"
#include "../bitflip/bitflip.h"
#include "replicate.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static const struct tf_actor root = { .loginuid = -1, .session = -1 };

static char dir[256];
static struct tf_buf vkey;
static struct tf_error err;

static void
sh(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
set_up(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.200s/replica.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	vkey = (struct tf_buf){ 0 };
	make_rich("store", &vkey);
}

static void
tear_down(void)
{
	tf_buf_free(&vkey);
	sh("rm -rf ./*");
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

static char said[4096];

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s|%s|%s\n",
	    tf_check_name(f->check), f->path, f->text);
}

static void
is_whole(const char *path)
{
	struct tf_verify v = { .vkey = vkey.p, .threads = 1, .found = found };
	struct tf_report r;

	said[0] = '\0';
	OK(tf_verify_store(path, &v, &r, &err));
	ck_assert_str_eq("", said);
	for (int i = 0; i < TF_CHECKS; i++)
		ck_assert_int_ne(TF_VERDICT_FAILED, r.check[i]);
}

/* Ages of anchors depend on the time of the question, and so does the length of
 * the status, which show_store() prints. */
static void
drop_digits(struct tf_buf *b, const char *after)
{
	char *p;
	size_t n;

	tf_buf_add(b, "", 1);
	ck_assert(!b->failed);
	b->n--;
	p = strstr(b->p, after);
	ck_assert_ptr_nonnull(p);
	p += strlen(after);
	n = strspn(p, "0123456789");
	memmove(p, p + n, b->n - (size_t)(p + n - b->p));
	b->n -= n;
}

/* Both show the same: entries, proofs, names, attributes and bytes. */
static void
shows_the_same(const char *a, const char *b)
{
	struct tf_buf x = { 0 }, y = { 0 };
	size_t at = 0;

	ck_assert(show_store(a, &x));
	ck_assert(show_store(b, &y));
	drop_digits(&x, "\nstatus 0 ");
	drop_digits(&y, "\nstatus 0 ");
	drop_digits(&x, "\"age\":");
	drop_digits(&y, "\"age\":");
	while (at < x.n && at < y.n && x.p[at] == y.p[at])
		at++;
	ck_assert_msg(at == x.n && at == y.n, "%s shows %.200s, %s %.200s", a,
	    x.p + at, b, y.p + at);
	tf_buf_free(&x);
	tf_buf_free(&y);
}

static const uint64_t batches[] = { 0, 1, 7 };

START_TEST(a_replica_shows_what_its_source_shows)
{
	enum tf_code rc = replicate("store", "mirror", batches[_i], &err);

	ck_assert_msg(rc == TF_OK, "%s", err.text);
	is_whole("store");
	is_whole("mirror");
	shows_the_same("store", "mirror");
}
END_TEST

/* What is already there is not sent again, and new entries come on top. */
START_TEST(a_replica_follows_its_source)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;

	OK(replicate("store", "mirror", 0, &err));
	OK(replicate("store", "mirror", 0, &err));
	for (int i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "t%d", i);
		OK(tf_vault_open("store", &o, &v, &err));
		(void)make_dir(v, TF_ROOT_ID, name);
		OK(tf_vault_close(v, "done", &err));
		OK(replicate("store", "mirror", 2, &err));
	}
	is_whole("mirror");
	shows_the_same("store", "mirror");
}
END_TEST

static enum tf_code
count_held(void *arg, const char *path, uint64_t size, uint64_t entry,
    struct tf_error *e)
{
	unsigned *n = arg;

	(void)e;
	ck_assert(strncmp(path, "t/w/a/", 6) == 0);
	ck_assert_uint_gt(size, 0);
	ck_assert_uint_gt(entry, 0);
	++*n;
	return TF_OK;
}

/* Bytes that a mirror has stay there when they are redacted, and go from rows,
 * files and the write-ahead log when its operator wants that.  What was recorded
 * again since stays. */
START_TEST(redacted_bytes_go_from_a_mirror_on_demand)
{
	static const char words[] = "very secret words, said once";
	static char large[100000];
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;
	struct tf_replica *r;
	unsigned n = 0;
	/* The owner approves what root proposes. */
	struct tf_attr owner = { .uid = 1234, .gid = 1234 }, out;
	uint64_t t, w, a;

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = words[i % (sizeof(words) - 1)];
	OK(tf_vault_open("store", &o, &v, &err));
	t = make_dir(v, TF_ROOT_ID, "t");
	OK(tf_vault_setattr(v, t, NULL, TF_SET_UID | TF_SET_GID, &owner, &root,
	    &out, &err));
	w = make_dir(v, t, "w");
	a = make_dir(v, w, "a");
	tf_file_release(make_file(v, a, "row", words, sizeof(words) - 1));
	tf_file_release(make_file(v, a, "file", large, sizeof(large)));
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, &err));
	OK(tf_vault_seal(v, a, &root, &err));
	OK(tf_vault_close(v, "done", &err));
	OK(replicate("store", "mirror", 0, &err));
	sh("grep -qr 'very secret words' mirror/objects");
	sh("grep -q 'very secret words' mirror/ledger.db");
	OK(tf_vault_open("store", &o, &v, &err));
	redact_path(v, "t/w/a/row");
	redact_path(v, "t/w/a/file");
	OK(tf_vault_close(v, "done", &err));
	OK(replicate("store", "mirror", batches[_i], &err));
	is_whole("mirror");
	shows_the_same("store", "mirror");
	sh("grep -qr 'very secret words' mirror/objects");
	sh("grep -q 'very secret words' mirror/ledger.db");
	OK(tf_replica_open("mirror", &r, &err));
	OK(tf_replica_held(r, count_held, &n, &err));
	ck_assert_uint_eq(2, n);
	OK(tf_replica_erase_held(r, &err));
	n = 0;
	OK(tf_replica_held(r, count_held, &n, &err));
	ck_assert_uint_eq(0, n);
	tf_replica_close(r);
	is_whole("mirror");
	shows_the_same("store", "mirror");
	sh("! grep -rl 'very secret words' mirror");
}
END_TEST

/* The same bytes are recorded again after their redaction: those stay. */
START_TEST(what_is_recorded_again_is_not_held)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;
	struct tf_replica *r;
	struct tf_attr owner = { .uid = 1234, .gid = 1234 }, out;
	unsigned n = 0;
	uint64_t t, w, a;

	OK(tf_vault_open("store", &o, &v, &err));
	t = make_dir(v, TF_ROOT_ID, "t");
	OK(tf_vault_setattr(v, t, NULL, TF_SET_UID | TF_SET_GID, &owner, &root,
	    &out, &err));
	w = make_dir(v, t, "w");
	a = make_dir(v, w, "a");
	tf_file_release(make_file(v, a, "one", "very secret words", 17));
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, &err));
	OK(tf_vault_seal(v, a, &root, &err));
	OK(tf_vault_close(v, "done", &err));
	OK(replicate("store", "mirror", 0, &err));
	OK(tf_vault_open("store", &o, &v, &err));
	redact_path(v, "t/w/a/one");
	OK(tf_vault_close(v, "done", &err));
	OK(replicate("store", "mirror", 0, &err));
	OK(tf_vault_open("store", &o, &v, &err));
	tf_file_release(make_file(v, make_dir(v, w, "b"), "two",
	    "very secret words", 17));
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, &err));
	OK(tf_vault_close(v, "done", &err));
	OK(replicate("store", "mirror", 0, &err));
	OK(tf_replica_open("mirror", &r, &err));
	OK(tf_replica_held(r, count_held, &n, &err));
	ck_assert_uint_eq(0, n);
	OK(tf_replica_erase_held(r, &err));
	tf_replica_close(r);
	is_whole("mirror");
	shows_the_same("store", "mirror");
	sh("grep -q 'very secret words' mirror/ledger.db");
}
END_TEST

/* --- refusals ------------------------------------------------------------------- */

#define AT "\"at\":\"2099-01-01T00:00:00.000000000Z\""
#define BY \
	"\"access\":{\"gid\":0,\"mode\":\"0755\",\"uid\":0},\"actor\":{\"gid\":0,\"uid\":0},"
#define ORIGIN "\"origin\":\"example.org/rich\","
#define CONTENT                                                                \
	"\"content\":{\"sha256\":\"e3b98a4da31a127d4bde6e43033f66ba274cab0eb7" \
	"eb1c70ec41402bf6273dd8\",\"size\":9}"

/* Loop test: entries that do not fit after the last one, and why. */
static const struct {
	const char *entry; /* %llu: the number that is right */
	const char *why;
} hostile[] = {
	{ "{" BY AT ",\"node\":999999," ORIGIN
	  "\"path\":\"x\",\"seq\":3,\"type\":\"trail.created\",\"v\":1}",
	    "says that it is number 3" },
	{ "{" BY AT ",\"node\":999999," ORIGIN
	  "\"path\":\"none/w\",\"seq\":%llu,\"type\":\"workflow.begun\","
	  "\"v\":1}",
	    "directory that does not exist" },
	{ "{" BY AT ",\"node\":999999," ORIGIN
	  "\"path\":\"../w\",\"seq\":%llu,\"type\":\"workflow.begun\",\"v\":1}",
	    "malformed" },
	{ "{" BY AT ",\"node\":999999," ORIGIN
	  "\"path\":\"trail/w2/notes/x/y\",\"seq\":%llu,"
	  "\"type\":\"workflow.begun\",\"v\":1}",
	    "a path of another level" },
	{ "{" BY AT ",\"node\":999999," ORIGIN
	  "\"path\":\"secret/new\",\"seq\":%llu,\"type\":\"workflow.begun\","
	  "\"v\":1}",
	    "directory that was sealed" },
	{ "{" BY AT ",\"node\":999999," ORIGIN
	  "\"path\":\"trail/w2/notes/sub\",\"seq\":%llu,"
	  "\"type\":\"directory.created\",\"v\":1}",
	    "directory that was sealed" },
	{ "{" BY AT ",\"node\":2," ORIGIN
	  "\"path\":\"x\",\"seq\":%llu,\"type\":\"trail.created\",\"v\":1}",
	    "node number was used" },
	{ "{" BY
	  "\"at\":\"2020-01-01T00:00:00.000000000Z\",\"node\":999999," ORIGIN
	  "\"path\":\"x\",\"seq\":%llu,\"type\":\"trail.created\","
	  "\"v\":1}",
	    "not later than the one before" },
	{ "{" BY AT ",\"node\":999999,\"origin\":\"example.org/other\","
	  "\"path\":\"x\",\"seq\":%llu,\"type\":\"trail.created\",\"v\":1}",
	    "belongs to another ledger" },
	{ "{" AT
	  ",\"boot\":\"190ae52b-4841-4928-8e16-9f3d0380001e\",\"host\":\"h\",\"keys\":{\"attester\":"
	  "\"MCowBQYDK2VwAyEA6BNJitwmXlo6XnTVjtRpmy/TNsnKKX+kW1uiwDKlWJY=\","
	  "\"log\":\"example.org/back+780123a8+AUsEdjPdEr5sdPsWRpVj7WX06qt3LJrI"
	  "yUga7b/mmri1\"},\"origin\":\"example.org/back\",\"previous\":"
	  "{\"head\":\"example.org/rich\\n3\\naN1CIcfWkR2jatGXNn5rE5tLd3oPYRLHw7"
	  "whepabkJs=\\n\"},\"program\":\"trailctl\",\"seq\":%llu,"
	  "\"software\":{\"trailfs\":\"0.1.0\"},\"store\":\"afa167ac92c82ae9c78b383153ea7323\","
	  "\"type\":\"ledger.opened\",\"v\":1}",
	    "previous does not continue this ledger" },
	{ "{\"actor\":{\"gid\":0,\"uid\":0}," AT "," ORIGIN
	  "\"path\":\"trail\",\"seq\":%llu,\"template\":{\"sha256\":\"e3b98a4da"
	  "31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8\","
	  "\"size\":9,\"version\":3},\"type\":\"template.set\",\"v\":1}",
	    "object of its definition is absent" },
	{ "{\"actor\":{\"gid\":0,\"uid\":0}," AT "," CONTENT "," ORIGIN
	  "\"path\":\"trail/w2/notes/stays\",\"reason\":\"r\",\"seq\":%llu,"
	  "\"target\":3,\"type\":\"redaction.done\",\"v\":1,"
	  "\"what\":\"content\"}",
	    "redacts other content" },
	{ "{\"actor\":{\"gid\":0,\"uid\":0}," AT ",\"content\":{\"sha256\":"
	  "\"e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8"
	  "\",\"size\":9},\"kind\":\"stamp\",\"name\":\"t\"," ORIGIN
	  "\"seq\":%llu,\"tree\":{\"root\":\"e3b98a4da31a127d4bde6e43033f66ba2"
	  "74cab0eb7eb1c70ec41402bf6273dd8\",\"size\":7},"
	  "\"type\":\"anchor.added\",\"v\":1}",
	    "an anchor of another tree" },
	{ "{" BY AT ",\"more\":\"news\",\"node\":9999999," ORIGIN
	  "\"path\":\"x\",\"seq\":%llu,\"type\":\"planet.moved\",\"v\":1}",
	    "of a later version" },
	{ "{\"at\":0}", "malformed" },
	{ "", "malformed" },
};

/* The mirror is what it was: whole, and with the head of before. */
static void
is_unchanged(uint64_t size)
{
	struct tf_replica *r;

	OK(tf_replica_open("mirror", &r, &err));
	ck_assert_uint_eq(size, tf_replica_head(r)->size);
	ck_assert_uint_eq(size, tf_replica_size(r));
	tf_replica_close(r);
	is_whole("mirror");
	shows_the_same("store", "mirror");
}

START_TEST(an_entry_that_does_not_fit_is_refused)
{
	struct tf_replica *r;
	char text[2048];
	uint64_t size;

	OK(replicate("store", "mirror", 0, &err));
	OK(tf_replica_open("mirror", &r, &err));
	size = tf_replica_size(r);
	OK(tf_replica_begin(r, &err));
	snprintf(text, sizeof(text), hostile[_i].entry,
	    (unsigned long long)size);
	ck_assert_int_ne(TF_OK, tf_replica_entry(r, text, strlen(text), &err));
	ck_assert_msg(strstr(err.text, hostile[_i].why) != NULL, "%s",
	    err.text);
	/* It can only be closed. */
	ck_assert_int_eq(TF_USAGE, tf_replica_begin(r, &err));
	tf_replica_close(r);
	is_unchanged(size);
}
END_TEST

#define STAMPED 7 /* entries */

/* Append the entry seq: an authority has stamped the first STAMPED entries. */
static void
stamp_entry(uint64_t seq, const struct tf_hash *token, const struct tf_hash *of,
    struct tf_buf *out)
{
	char token_hex[2 * sizeof(token->b) + 1];
	char root_hex[2 * sizeof(of->b) + 1], text[1024];

	tf_hex(token->b, sizeof(token->b), token_hex);
	tf_hex(of->b, sizeof(of->b), root_hex);
	snprintf(text, sizeof(text),
	    "{\"actor\":{\"gid\":0,\"uid\":0}," AT
	    ",\"content\":{\"sha256\":\"%s\",\"size\":5},\"kind\":\"stamp\","
	    "\"name\":\"t\"," ORIGIN "\"seq\":%llu,\"tree\":{\"root\":\"%s\","
	    "\"size\":%d},\"type\":\"anchor.added\",\"v\":1}",
	    token_hex, (unsigned long long)seq, root_hex, STAMPED);
	tf_buf_add(out, text, strlen(text));
}

/* Loop test: the stamped checkpoint that comes with the entry of a time stamp. */
START_TEST(a_stamped_checkpoint_must_be_that_of_the_entry)
{
	static const char *const why[] = { NULL, NULL,
		"the stamped checkpoint is not that of the entry",
		"the stamped checkpoint:", "the stamped checkpoint:",
		"the stamped checkpoint is not that of the entry",
		"the stamped checkpoint:", "it is no time stamp" };
	struct tf_buf note = { 0 }, entry = { 0 };
	struct tf_checkpoint c;
	struct tf_hash token;
	struct tf_key *other;
	struct tf_replica *r;
	struct from f;
	char line[200], text[2048];
	enum tf_code rc;

	OK(replicate("store", "mirror", 0, &err));
	from_open(&f, "store");
	OK(tf_replica_open("mirror", &r, &err));
	from_note(&f, STAMPED, &note);
	OK(tf_checkpoint_check(note.p, note.n, tf_replica_vkey(r), &c, &err));
	tf_sha256("token", 5, &token);
	stamp_entry(f.size, &token, &c.root, &entry);
	OK(tf_replica_begin(r, &err));
	OK(tf_replica_object_put(r, &token, "token", 5, &err));
	OK(tf_key_generate(&other, &err));
	switch (_i) {
	case 2: /* of another size */
		from_note(&f, STAMPED + 1, &note);
		break;
	case 3: /* altered */
		note.p[note.n - 10] ^= 1;
		break;
	case 4: /* signed by somebody else */
		note.n = 0;
		OK(tf_checkpoint_sign(&c, other, &note, &err));
		break;
	case 5: /* with a line more than was stamped */
		snprintf(line, sizeof(line), "%s", strstr(note.p, "\n\n") + 2);
		tf_buf_add(&note, line, strcspn(line, "\n") + 1);
		break;
	case 6: /* cut */
		note.n -= 3;
		break;
	case 7: /* for an entry that is no stamp */
		entry.n = 0;
		snprintf(text, sizeof(text),
		    "{" BY AT ",\"node\":999999," ORIGIN
		    "\"path\":\"x\",\"seq\":%llu,\"type\":\"trail.created\","
		    "\"v\":1}",
		    (unsigned long long)f.size);
		tf_buf_add(&entry, text, strlen(text));
		break;
	default:
		break;
	}
	if (_i != 1) /* the source may lack it */
		OK(tf_replica_stamped(r, note.p, note.n, &err));
	rc = tf_replica_entry(r, entry.p, entry.n, &err);
	if (why[_i] == NULL) {
		ck_assert_msg(rc == TF_OK, "%s", err.text);
		ck_assert_uint_eq(f.size + 1, tf_replica_size(r));
	} else {
		ck_assert_int_eq(TF_TAMPER, rc);
		ck_assert_msg(strstr(err.text, why[_i]) != NULL, "%s",
		    err.text);
		ck_assert_int_eq(TF_USAGE,
		    tf_replica_stamped(r, note.p, note.n, &err));
	}
	tf_replica_close(r);
	is_unchanged(f.size);
	tf_key_free(other);
	tf_buf_free(&note);
	tf_buf_free(&entry);
	from_close(&f);
}
END_TEST

/* A batch with good entries and a wrong end leaves nothing of itself. */
START_TEST(a_note_that_does_not_fit_is_refused)
{
	static const enum tf_code want[] = { TF_TAMPER, TF_TAMPER, TF_TAMPER,
		TF_FOREIGN, TF_INVALID };
	struct tf_checkpoint c;
	struct tf_buf note = { 0 }, entry = { 0 };
	struct tf_key *other;
	struct tf_replica *r;
	struct from f;
	bool done = true;
	uint64_t half;

	from_open(&f, "store");
	half = f.size - 2;
	sh("mkdir whole && cp -a store/. whole/");
	OK(tf_replica_create("mirror", vkey.p, f.store, &err));
	OK(tf_replica_open("mirror", &r, &err));
	OK(tf_replica_begin(r, &err));
	for (uint64_t i = 0; i < half; i++) {
		from_entry(&f, i, &entry);
		OK(send_objects(&f, r, &entry, &err));
		OK(tf_replica_entry(r, entry.p, entry.n, &err));
	}
	from_note(&f, half, &note);
	OK(tf_checkpoint_check(note.p, note.n, tf_replica_vkey(r), &c, &err));
	OK(tf_key_generate(&other, &err));
	note.n = 0;
	if (_i == 0) /* another root */
		c.root.b[0] ^= 1;
	if (_i == 1) /* another size */
		c.size++;
	if (_i == 3)
		snprintf(c.origin, sizeof(c.origin), "example.org/other");
	OK(tf_checkpoint_sign(&c, _i == 2 ? other : f.key, &note, &err));
	ck_assert_int_eq(want[_i],
	    tf_replica_commit(r, note.p, _i == 4 ? note.n - 3 : note.n, &done,
		&err));
	ck_assert(!done);
	tf_replica_close(r);
	OK(tf_replica_open("mirror", &r, &err));
	ck_assert_uint_eq(0, tf_replica_size(r));
	tf_replica_close(r);
	tf_key_free(other);
	tf_buf_free(&note);
	tf_buf_free(&entry);
	from_close(&f);
	OK(replicate("store", "mirror", 0, &err));
	is_unchanged(half + 2);
}
END_TEST

/* Bytes that are absent and not redacted: the commit is never done, and after
 * the close nothing is there. */
START_TEST(evidence_without_bytes_must_be_redacted)
{
	struct tf_replica *r;

	sh("rm -r store/objects/*"); /* of the one file that is not redacted */
	ck_assert_int_eq(TF_TAMPER, replicate("store", "mirror", 0, &err));
	from_gives_nothing = true;
	ck_assert_int_eq(TF_NODATA, replicate("store", "mirror", 1, &err));
	ck_assert_str_eq("it lacks trail/w/scan/sub/large", err.text);
	from_gives_nothing = false;
	OK(tf_replica_open("mirror", &r, &err));
	ck_assert_uint_gt(30, tf_replica_size(r));
	tf_replica_close(r);
	is_whole("mirror");
}
END_TEST

/* The head of the old log that an opening states must be that of the entries. */
START_TEST(a_previous_head_of_another_tree_is_refused)
{
	struct tf_buf key = { 0 }, entry = { 0 };
	struct tf_replica *r;
	struct from f;
	uint64_t at;
	char *root_text;

	OK(replicate("store", "mirror", 0, &err));
	OK(tf_restore("mirror", "new", "example.org/new", &root, &key, &err));
	from_open(&f, "new");
	OK(tf_replica_open("mirror", &r, &err));
	at = tf_replica_size(r);
	OK(tf_replica_begin(r, &err));
	from_entry(&f, at, &entry);
	root_text = strstr(entry.p, "\\n\\n");
	ck_assert_ptr_nonnull(root_text);
	root_text -= 20; /* within the root in base64 */
	*root_text = *root_text == 'A' ? 'B' : 'A';
	ck_assert_int_eq(TF_TAMPER,
	    tf_replica_entry(r, entry.p, entry.n, &err));
	ck_assert_msg(strstr(err.text, "continues another tree") != NULL, "%s",
	    err.text);
	tf_replica_close(r);
	is_unchanged(at);
	/* The right one fits, but the mirror does not know its new key. */
	from_close(&f);
	ck_assert_int_eq(TF_FOREIGN, replicate("new", "mirror", 0, &err));
	is_unchanged(at);
	tf_buf_free(&key);
	tf_buf_free(&entry);
}
END_TEST

/* --- writers -------------------------------------------------------------------- */

START_TEST(a_mirror_refuses_writers)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_buf key = { 0 };
	struct tf_vault *v;

	OK(replicate("store", "mirror", 0, &err));
	ck_assert_int_eq(TF_READONLY, tf_vault_open("mirror", &o, &v, &err));
	ck_assert_str_eq("mirror is a mirror; trailctl restore makes a vault "
			 "of it",
	    err.text);
	ck_assert_int_eq(TF_READONLY,
	    tf_vault_recover("mirror", NULL, &root, &key, &err));
	ck_assert_int_eq(TF_EXISTS,
	    tf_vault_init("mirror", NULL, &root, &key, &err));
	tf_buf_free(&key);
	is_whole("mirror");
}
END_TEST

/* A checkpoint of the old log holds for the vault, for no other. */
static void
contains_earlier(const char *path, struct tf_str note, enum tf_verdict want)
{
	struct tf_verify v = { .vkey = vkey.p, .threads = 1, .earlier = note };
	struct tf_report r;

	OK(tf_verify_store(path, &v, &r, &err));
	ck_assert_int_eq(want, r.check[TF_CHECK_EARLIER]);
}

START_TEST(a_vault_is_restored_from_a_mirror)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_buf note = { 0 };
	struct from f;
	struct tf_buf key = { 0 };
	struct tf_vault *v;

	OK(replicate("store", "mirror", 0, &err));
	OK(tf_restore("mirror", "new", "example.org/new", &root, &key, &err));
	tf_buf_add(&key, "", 1);
	tf_buf_free(&vkey);
	vkey = key;
	is_whole("new");
	from_open(&f, "store");
	for (uint64_t size = 1; size <= f.size; size += f.size - 1) {
		from_note(&f, size, &note);
		contains_earlier("new", tf_buf_bytes(&note), TF_VERDICT_OK);
	}
	f.origin[0] = 'E';
	from_note(&f, f.size, &note);
	contains_earlier("new", tf_buf_bytes(&note), TF_VERDICT_FAILED);
	from_close(&f);
	tf_buf_free(&note);
	OK(tf_vault_open("new", &o, &v, &err));
	(void)make_dir(v, TF_ROOT_ID, "later");
	OK(tf_vault_close(v, "done", &err));
	is_whole("new");
	/* It may be mirrored and restored itself. */
	OK(replicate("new", "mirror2", 0, &err));
	is_whole("mirror2");
	shows_the_same("new", "mirror2");
	ck_assert_int_eq(TF_USAGE,
	    tf_restore("mirror2", "newer", "example.org/rich", &root, &key,
		&err));
	ck_assert_int_ne(0, access("newer", F_OK));
}
END_TEST

/* Write other bytes over an entry; the schema stays as it is. */
static void
forge(const char *path, uint64_t seq, const struct tf_buf *bytes)
{
	sqlite3 *db;
	sqlite3_stmt *st;

	ck_assert_int_eq(SQLITE_OK, sqlite3_open(path, &db));
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL));
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_prepare_v2(db, "UPDATE entry SET body = ?2 WHERE idx = ?1",
		-1, &st, NULL));
	sqlite3_bind_int64(st, 1, (int64_t)seq);
	sqlite3_bind_blob(st, 2, bytes->p, (int)bytes->n, SQLITE_STATIC);
	ck_assert_int_eq(SQLITE_DONE, sqlite3_step(st));
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
}

/* The verifier compares the head of the old log, too. */
START_TEST(a_forged_previous_head_is_found)
{
	struct tf_buf key = { 0 }, entry = { 0 };
	struct tf_verify v = { .threads = 1, .found = found };
	struct tf_report r;
	struct from f;
	uint64_t at;
	char *root_text;

	OK(replicate("store", "mirror", 0, &err));
	from_open(&f, "store");
	at = f.size;
	from_close(&f);
	OK(tf_restore("mirror", "new", "example.org/new", &root, &key, &err));
	from_open(&f, "new");
	from_entry(&f, at, &entry);
	from_close(&f);
	root_text = strstr(entry.p, "\\n\\n") - 20;
	*root_text = *root_text == 'A' ? 'B' : 'A';
	forge("new/ledger.db", at, &entry);
	said[0] = '\0';
	OK(tf_verify_store("new", &v, &r, &err));
	ck_assert_msg(strstr(said, "previous is the head of another tree") !=
		NULL,
	    "%s", said);
	tf_buf_free(&key);
	tf_buf_free(&entry);
}
END_TEST

START_TEST(a_damaged_mirror_makes_no_vault)
{
	struct tf_buf key = { 0 };

	OK(replicate("store", "mirror", 0, &err));
	sh("f=$(find mirror/objects -type f) && chmod u+w \"$f\" &&"
	   " printf x | dd of=\"$f\" bs=1 seek=99 conv=notrunc status=none");
	ck_assert_int_eq(TF_TAMPER,
	    tf_restore("mirror", "new", "example.org/new", &root, &key, &err));
	ck_assert_int_ne(0, access("new", F_OK));
	tf_buf_free(&key);
}
END_TEST

Suite *
suite_replica(void)
{
	Suite *s = suite_create("replica");
	TCase *t = tcase_create("replica");

	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, a_replica_shows_what_its_source_shows, 0, 3);
	tcase_add_loop_test(t, redacted_bytes_go_from_a_mirror_on_demand, 0, 3);
	tcase_add_test(t, what_is_recorded_again_is_not_held);
	tcase_add_test(t, a_replica_follows_its_source);
	tcase_add_loop_test(t, an_entry_that_does_not_fit_is_refused, 0,
	    (int)(sizeof(hostile) / sizeof(hostile[0])));
	tcase_add_loop_test(t, a_note_that_does_not_fit_is_refused, 0, 5);
	tcase_add_loop_test(t, a_stamped_checkpoint_must_be_that_of_the_entry,
	    0, 8);
	tcase_add_test(t, a_previous_head_of_another_tree_is_refused);
	tcase_add_test(t, evidence_without_bytes_must_be_redacted);
	tcase_add_test(t, a_mirror_refuses_writers);
	tcase_add_test(t, a_vault_is_restored_from_a_mirror);
	tcase_add_test(t, a_forged_previous_head_is_found);
	tcase_add_test(t, a_damaged_mirror_makes_no_vault);
	suite_add_tcase(s, t);
	return s;
}
