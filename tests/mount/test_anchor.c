/* Anchors: receipts of mirrors and witnesses, through the control file. */
#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "core/control.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/cosign.h"
#include "harness.h"

#define AT "mnt/" TF_CONTROL_DIR "/"
#define REQUEST AT TF_CONTROL_ANCHOR

/* --- a cosigner -------------------------------------------------------- */

struct cosigner {
	struct tf_key *key;
	const char *name;
	char vkey[256];
};

static struct cosigner
new_cosigner(const char *name)
{
	struct cosigner c = { .name = name };
	struct tf_buf text = { 0 };
	struct tf_pubkey pub;
	struct tf_vkey k;

	ck_assert_int_eq(TF_OK, tf_key_generate(&c.key, NULL));
	tf_key_public(c.key, &pub);
	tf_cosign_vkey_make(&k, name, &pub);
	tf_vkey_text(&k, &text);
	ck_assert_uint_lt(text.n, sizeof(c.vkey));
	memcpy(c.vkey, text.p, text.n);
	tf_buf_free(&text);
	return c;
}

/* The text of b, which stays valid until the test ends. */
static const char *
keep(const struct tf_buf *b)
{
	static char *kept[1000]; /* or a sanitizer reports a leak */
	static size_t n;

	ck_assert_ptr_nonnull(b->p);
	ck_assert_uint_lt(n, LEN(kept));
	kept[n] = b->p;
	return kept[n++];
}

/* The note with a cosignature line of c behind it. */
static const char *
cosigned(const char *note, const struct cosigner *c)
{
	struct tf_buf out = { 0 };
	struct tf_note parts;

	tf_buf_str(&out, note);
	ck_assert(tf_note_split(note, strlen(note), &parts));
	ck_assert_int_eq(TF_OK,
	    tf_cosign_line(c->key, c->name, 1795420800, parts.body, &out,
		NULL));
	tf_buf_add(&out, "", 1);
	ck_assert(!out.failed);
	return keep(&out);
}

/* The request about a note, which becomes one line of JSON. */
static const char *
request(const char *kind, const char *name, const char *key, const char *note)
{
	struct tf_buf out = { 0 };

	tf_buf_printf(&out,
	    "{\"kind\":\"%s\",\"name\":\"%s\",\"key\":\"%s\",\"note\":\"", kind,
	    name, key);
	for (; *note != '\0'; note++)
		tf_buf_printf(&out, *note == '\n' ? "\\n" : "%c", *note);
	tf_buf_str(&out, "\"}\n");
	tf_buf_add(&out, "", 1);
	ck_assert(!out.failed);
	return keep(&out);
}

/* Write the request and close the file: the errno of the write or the close, 0
 * on success. */
static int
send_request(const char *text)
{
	int fd = open(REQUEST, O_WRONLY | O_TRUNC), sys = 0;

	if (fd < 0)
		return errno;
	for (size_t n = strlen(text), at = 0; sys == 0 && at < n;) {
		ssize_t got = write(fd, text + at, n - at);

		sys = got < 0 ? errno : 0;
		at += got < 0 ? 0 : (size_t)got;
	}
	if (close(fd) < 0 && sys == 0)
		sys = errno;
	return sys;
}

static int
send_note(const char *kind, const char *name, const char *key, const char *note)
{
	const char *text = request(kind, name, key, note);
	return send_request(text);
}

static const char *
checkpoint(void)
{
	return content(AT TF_CONTROL_CHECKPOINT, NULL);
}

/* Record a cosignature of c for the present checkpoint.  Returns its size. */
static unsigned long
record(const char *kind, const struct cosigner *c)
{
	const char *note = checkpoint();
	const char *with = cosigned(note, c);

	ck_assert_int_eq(0, send_note(kind, c->name, c->vkey, with));
	return strtoul(strchr(note, '\n') + 1, NULL, 10);
}

/* --- recorded ---------------------------------------------------------- */

START_TEST(a_new_vault_was_never_anchored)
{
	says(run(0, "trailctl status mnt"), "never anchored");
	says(run(0, "trailctl status --json mnt"), "\"anchored\":false");
	says(content(AT "index.html", NULL), "never anchored");
	holds(AT TF_CONTROL_ANCHORS, "{\"count\":0}\n");
	ck_assert(!exists(AT TF_CONTROL_COSIGNED));
	run(0, "test -z \"$(ls -A " AT TF_CONTROL_STAMPS ")\"");
	run(0, "test -z \"$(ls -A " AT TF_CONTROL_COSIGNED_DIR ")\"");
	says(run(0, "trailctl verify mnt"), "never anchored");
}
END_TEST

START_TEST(a_receipt_is_recorded_and_shown)
{
	struct cosigner m = new_cosigner("backup.example/m1");
	const char *note, *file;
	const char *with;
	unsigned before = entries("anchor.added", NULL);
	unsigned long size;

	make_attestation();
	note = checkpoint();
	size = strtoul(strchr(note, '\n') + 1, NULL, 10);
	with = cosigned(note, &m);
	ck_assert_int_eq(0, send_note("mirror", m.name, m.vkey, with));
	ck_assert_uint_eq(before + 1, entries("anchor.added", NULL));
	says(entry("anchor.added", NULL), m.vkey);
	says(entry("anchor.added", NULL), "\"kind\":\"mirror\"");

	holds(AT TF_CONTROL_COSIGNED, with);
	file = run(0, "ls " AT TF_CONTROL_COSIGNED_DIR);
	says(file, "-backup.example=m1.mirror");
	says(run(0,
		 "cat " AT TF_CONTROL_COSIGNED_DIR
		 "/%lu-backup.example=m1.mirror",
		 size),
	    with);
	says(content(AT TF_CONTROL_ANCHORS, NULL), "\"count\":1");
	says(content(AT TF_CONTROL_ANCHORS, NULL), m.vkey);
	says(run(0, "trailctl status mnt"), "mirrored up to ");
	says(run(0, "trailctl status mnt"), "entries (backup.example/m1), ");
	says(run(0, "trailctl status --json mnt"), "\"anchored\":true");
	says(content(AT "index.html", NULL), "mirrored up to ");

	/* The same again changes nothing. */
	ck_assert_int_eq(0, send_note("mirror", m.name, m.vkey, with));
	ck_assert_uint_eq(before + 1, entries("anchor.added", NULL));
	remount_vault();
	holds(AT TF_CONTROL_COSIGNED, with);
	unmount_vault();
	says(run(0, "trailctl status store"), "mirrored up to ");
	says(verify(0), "witness             ABSENT  1 receipt fits, up to ");
	mount_vault("ro");
	holds(AT TF_CONTROL_COSIGNED, with);
	tf_key_free(m.key);
}
END_TEST

/* One note has the lines of all who cosigned that size; lines of others that
 * came with a receipt are dropped. */
START_TEST(cosignatures_of_one_size_are_joined)
{
	struct cosigner m = new_cosigner("m.example"),
			w = new_cosigner("w.example"), x = new_cosigner("x");
	const char *note = checkpoint();
	const char *one = cosigned(note, &m), *two = cosigned(one, &x),
		   *other = cosigned(note, &w), *both;

	ck_assert_int_eq(0, send_note("mirror", m.name, m.vkey, two));
	holds(AT TF_CONTROL_COSIGNED, one);
	ck_assert_int_eq(0, send_note("witness", w.name, w.vkey, other));
	both = cosigned(one, &w);
	holds(AT TF_CONTROL_COSIGNED, both);
	/* A later one is newer. */
	both = cosigned(checkpoint(), &w);
	ck_assert_int_eq(0, send_note("witness", w.name, w.vkey, both));
	holds(AT TF_CONTROL_COSIGNED, both);
	says(run(0, "trailctl status mnt"), "witnessed up to ");
	ck_assert_uint_eq(3, entries("anchor.added", NULL));
	tf_key_free(m.key);
	tf_key_free(w.key);
	tf_key_free(x.key);
}
END_TEST

/* --- refused ----------------------------------------------------------- */

/* A note of size entries with that root, signed by key under that origin. */
static const char *
signed_note(const char *origin, uint64_t size, char root,
    const struct tf_key *key)
{
	struct tf_checkpoint c = { .size = size };
	struct tf_buf out = { 0 };

	(void)snprintf(c.origin, sizeof(c.origin), "%s", origin);
	memset(c.root.b, root, sizeof(c.root.b));
	ck_assert_int_eq(TF_OK, tf_checkpoint_sign(&c, key, &out, NULL));
	tf_buf_add(&out, "", 1);
	return keep(&out);
}

static struct tf_key *
key_of_the_log(void)
{
	struct tf_key *key;
	int fd = open("store/keys", O_RDONLY | O_DIRECTORY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(TF_OK, tf_key_load(fd, "log.pem", &key, NULL));
	close(fd);
	return key;
}

static void
is_refused(int sys, const char *why, const char *kind, const char *name,
    const char *key, const char *note)
{
	unsigned before = entries("anchor.added", NULL);
	int got = send_note(kind, name, key, note);

	ck_assert_msg(got == sys, "%s: %s, not %s", why, errno_name(got),
	    errno_name(sys));
	says(content(AT TF_CONTROL_LAST_ERROR, NULL),
	    why[0] != '\0' ? why : "anchor: ");
	ck_assert_uint_eq(before, entries("anchor.added", NULL));
}

START_TEST(what_is_no_receipt_is_refused)
{
	struct cosigner m = new_cosigner("m.example"), x = new_cosigner("x");
	const char *note = checkpoint();
	struct tf_key *log = key_of_the_log();
	const char *good = cosigned(note, &m), *bad, *with;
	char *text, *origin;

	origin = strndup(note, strcspn(note, "\n"));
	is_refused(EINVAL, "kind", "moon", m.name, m.vkey, good);
	is_refused(EINVAL, "name", "mirror", "m example", m.vkey, good);
	is_refused(EINVAL, "name", "mirror", "m#e", m.vkey, good);
	is_refused(EINVAL, "name", "mirror", "", m.vkey, good);
	is_refused(EINVAL, "key", "mirror", m.name, "m.example+12", good);
	is_refused(EINVAL, "", "mirror", m.name, x.vkey, good);
	is_refused(EINVAL, "", "mirror", m.name, m.vkey, note);
	is_refused(EINVAL, "", "mirror", m.name, m.vkey, "hello\n");

	/* A forged cosignature, and one of another note. */
	text = strdup(good);
	text[strlen(text) - 6] ^= 1;
	is_refused(EINVAL, "", "mirror", m.name, m.vkey, text);
	free(text);

	/* Another log. */
	bad = signed_note(origin, 1, 7, x.key);
	with = cosigned(bad, &m);
	is_refused(EINVAL, "", "mirror", m.name, m.vkey, with);
	bad = signed_note("example.org/other", 1, 7, log);
	with = cosigned(bad, &m);
	is_refused(EINVAL, "", "mirror", m.name, m.vkey, with);

	/* Signed by this log, and yet not of its tree. */
	bad = signed_note(origin, 1, 7, log);
	with = cosigned(bad, &m);
	is_refused(EIO, "another tree", "mirror", m.name, m.vkey, with);
	bad = signed_note(origin, 100000, 7, log);
	with = cosigned(bad, &m);
	is_refused(EIO, "lost entries", "mirror", m.name, m.vkey, with);

	ck_assert_int_eq(0, send_note("mirror", m.name, m.vkey, good));
	tf_key_free(m.key);
	tf_key_free(x.key);
	tf_key_free(log);
	free(origin);
}
END_TEST

START_TEST(what_is_no_request_is_refused)
{
	static const char *const bad[] = { "", "x", "[]", "{}", "null",
		"{\"kind\":\"mirror\"}",
		"{\"kind\":\"mirror\",\"name\":\"m\",\"key\":\"k\",\"note\":1}",
		"{\"kind\":\"mirror\",\"name\":\"m\",\"key\":\"k\","
		"\"note\":\"n\",\"more\":1}",
		"{\"kind\":\"mirror\",\"name\":\"m\",\"key\":\"k\","
		"\"token\":\"MAA=\",\"size\":1}",
		"{\"kind\":\"stamp\",\"name\":\"s\",\"note\":\"n\"}",
		"{\"kind\":\"stamp\",\"name\":\"s\",\"token\":\"MAA=\"}",
		"{\"kind\":\"stamp\",\"name\":\"s\",\"size\":1,"
		"\"token\":\"MAA\"}",
		"{\"kind\":\"stamp\",\"name\":\"s\",\"size\":1,"
		"\"token\":\"MAA=\"}",
		"{\"kind\":\"stamp\",\"name\":\"s\",\"size\":99999,"
		"\"token\":\"MAA=\"}",
		"{\"kind\":\"mirror\",\"name\":\"m\",\"key\":\"k\","
		"\"note\":\"a\\u0000b\"}" };
	unsigned before = entries("anchor.added", NULL);
	char *much = noise(300 * 1024, 1);

	for (size_t i = 1; i < LEN(bad); i++)
		ck_assert_msg(send_request(bad[i]) == EINVAL, "%s", bad[i]);
	/* Without a byte there is no request. */
	ck_assert_int_eq(0, send_request(bad[0]));
	for (size_t i = 0; i < 300 * 1024 - 1; i++)
		much[i] = 'a';
	much[300 * 1024 - 1] = '\0';
	ck_assert_int_eq(EFBIG, send_request(much));
	ck_assert_uint_eq(before, entries("anchor.added", NULL));
}
END_TEST

/* Whoever forges a receipt makes the vault look safer than it is. */
START_TEST(only_owner_and_root_record_one)
{
	struct cosigner m = new_cosigner("m.example");
	const char *with = cosigned(checkpoint(), &m);
	const char *text = request("mirror", m.name, m.vkey, with);

	as(ALICE);
	ck_assert_int_eq(EACCES, send_request(text));
	refused(EACCES, open(REQUEST, O_RDONLY));
	/* What was recorded is for everybody who may come here. */
	allowed(access(AT TF_CONTROL_ANCHORS, R_OK));
	as(0);
	ck_assert_uint_eq(0, entries("anchor.added", NULL));
	allowed(chown("mnt", ALICE, ALICE));
	as(ALICE);
	ck_assert_int_eq(0, send_request(text));
	allowed(access(AT TF_CONTROL_COSIGNED, R_OK));
	as(0);
	says(entry("anchor.added", NULL), "\"uid\":1001");
	tf_key_free(m.key);
}
END_TEST

/* --- crash ------------------------------------------------------------- */

static const char *crash_request;

static int
send_it(void)
{
	return send_request(crash_request) == 0 ? 0 : 1;
}

/* Object, row and entry are there, or none of them. */
START_TEST(a_kill_leaves_all_of_a_receipt_or_nothing)
{
	int rounds = long_run() ? 100 : 8;

	for (int i = 0; i < rounds; i++) {
		struct cosigner m = new_cosigner("m.example");
		const char *with = cosigned(checkpoint(), &m);
		pid_t pid;

		crash_request = request("mirror", m.name, m.vkey, with);
		pid = in_child(send_it);
		usleep((useconds_t)(i * 1500));
		crash_vault();
		(void)child_ended(pid);
		mount_vault("settle=0");
		ck_assert_uint_eq(entries("anchor.added", NULL),
		    strtoul(run(0,
				"sqlite3 store/ledger.db 'SELECT count(*) "
				"FROM anchor'"),
			NULL, 10));
		ck_assert_int_eq(0, send_request(crash_request));
		tf_key_free(m.key);
	}
	ck_assert_uint_eq(rounds, entries("anchor.added", NULL));
}
END_TEST

/* --- altered ----------------------------------------------------------- */

/* What verification must name, by what was altered in the database. */
START_TEST(an_altered_receipt_is_named)
{
	static const struct {
		const char *sql, *what;
	} cases[] = {
		{ "DELETE FROM anchor", "the anchor is missing" },
		{ "UPDATE anchor SET name='other.example'", "another anchor" },
		{ "UPDATE anchor SET size=size-1", "another anchor" },
		{ "UPDATE anchor SET kind='witness'", "another anchor" },
		{ "UPDATE anchor SET object=1", "missing" },
		{ "UPDATE anchor SET chain=object", "another anchor" },
		{ "UPDATE tile SET data=CAST(x'0101010101010101' ||"
		  "substr(data,9) AS BLOB) WHERE level=0 AND n=0",
		    "the receipt of mirror m.example for 3 entries does not fit"
		    ": this log has another tree" },
		{ "INSERT INTO anchor SELECT seq+1000,kind,name,size,object,"
		  "chain FROM anchor",
		    "1 anchors without an entry" },
		{ "UPDATE object SET body=CAST(replace(body,'m.e','x.e') AS BLOB)"
		  " WHERE id=(SELECT object FROM anchor)",
		    "altered" },
	};
	struct cosigner m = new_cosigner("m.example");

	expect_no_verify();
	record("mirror", &m);
	unmount_vault();
	verify(0);
	run(0, "cp -p store/ledger.db good");
	for (size_t i = 0; i < LEN(cases); i++) {
		tamper("%s", cases[i].sql);
		says(verify(4), cases[i].what);
		run(0, "cp -p good store/ledger.db");
	}
	verify(0);
	tf_key_free(m.key);
}
END_TEST

/* A mount shows the receipts, so that its log is verified with them.  A copy of
 * the log has none. */
START_TEST(receipts_are_verified_through_the_mount)
{
	struct cosigner m = new_cosigner("m.example");

	run(0, "cp " AT TF_CONTROL_VKEY " vkey");
	says(run(0, "trailctl verify --vkey vkey mnt"), "never anchored");
	record("mirror", &m);
	record("witness", &m);
	says(run(0, "trailctl verify --vkey vkey mnt"),
	    "2 receipts fit, up to ");
	run(0, "trailctl export-log mnt copy");
	says(run(0, "trailctl verify --vkey vkey copy"),
	    "0 receipts fit; the bytes of 2 are not here");
	tf_key_free(m.key);
}
END_TEST

Suite *suite_anchor(void);
Suite *
suite_anchor(void)
{
	Suite *s = suite_create("anchor");
	TCase *t = mounted_case(s, "anchors");

	tcase_add_test(t, a_new_vault_was_never_anchored);
	tcase_add_test(t, a_receipt_is_recorded_and_shown);
	tcase_add_test(t, cosignatures_of_one_size_are_joined);
	tcase_add_test(t, what_is_no_receipt_is_refused);
	tcase_add_test(t, what_is_no_request_is_refused);
	tcase_add_test(t, only_owner_and_root_record_one);
	tcase_add_test(t, a_kill_leaves_all_of_a_receipt_or_nothing);
	tcase_add_test(t, an_altered_receipt_is_named);
	tcase_add_test(t, receipts_are_verified_through_the_mount);
	return s;
}
