/* See replicate.h. */
#include "replicate.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../core/anchor.h"
#include "../../core/base/crypto.h"
#include "../../core/base/file.h"
#include "../../core/definition.h"
#include "../../core/ledger/cosign.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/merkle.h"
#include "../../core/ledger/note.h"
#include "../../core/protection.h"
#include "../../core/store/connection.h"
#include "../../core/store/entries.h"
#include "../../core/store/meta.h"
#include "../../core/store/objects.h"
#include "../../core/store/store_files.h"
#include "../../core/vault.h"
#include "../bitflip/bitflip.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static const struct tf_actor other = { .uid = 1234,
	.gid = 1234,
	.loginuid = -1,
	.session = -1 };

/* --- a rich store ------------------------------------------------------------- */

static const char template[] = "version: 1\ntrail:\n  attestations:\n"
			       "  - {name: scan, type: 'custom:scan'}\n";
static const char template_2[] = "version: 1\ntrail:\n  attestations:\n"
				 "  - {name: scan, type: 'custom:scan'}\n"
				 "  - {name: notes, type: generic}\n";
static const char type[] =
    "version: 1\nevidence: result.json\nrequirements:\n- id: x\n  checks:\n"
    "  - {id: c, operator: equals, path: state, value: \"good\"}\n";

static uint64_t
file(struct tf_vault *v, uint64_t dir, const char *name, const char *bytes,
    size_t n)
{
	struct tf_attr a;

	tf_file_release(make_file(v, dir, name, bytes, n));
	OK(tf_vault_lookup(v, dir, name, &a, NULL));
	return a.id;
}

static void
mode(struct tf_vault *v, uint64_t id, uint32_t bits)
{
	struct tf_attr want = { .mode = bits }, out;

	OK(tf_vault_setattr(v, id, NULL, TF_SET_MODE, &want, &root, &out,
	    NULL));
}

static void
claim(struct tf_vault *v, uint64_t id, const char *key, const char *value)
{
	OK(tf_vault_claim(v, id, key, value, strlen(value), 0, &root, NULL));
}

static void
redact(struct tf_vault *v, uint64_t id)
{
	uint64_t entry, others;

	OK(tf_vault_redact(v, id, false, "not ours", 8, &root, &entry, NULL));
	/* Two people: the second is root of another login. */
	OK(tf_vault_redact_approve(v, id, entry, &other, &others, NULL));
}

/* Names, modes, versions, a draft, templates, types, claims. */
static void
fill(struct tf_vault *v, char *large, size_t n_large)
{
	struct tf_error err = { .code = TF_OK };
	uint64_t t = make_dir(v, TF_ROOT_ID, "trail"), w, w2, a, a2, sub, id;
	uint64_t version;
	struct tf_retain keep = { .period = "7y" };
	struct tf_attr owner = { .uid = 1234, .gid = 1234 }, out;

	OK(tf_vault_setattr(v, t, NULL, TF_SET_UID | TF_SET_GID, &owner, &root,
	    &out, NULL));
	ck_assert_msg(tf_vault_define(v, t, TF_DEFINITION_TYPE, "scan", type,
			  strlen(type), &root, &version, &err) == TF_OK,
	    "%s", err.text);
	ck_assert_msg(tf_vault_define(v, t, TF_DEFINITION_TEMPLATE, NULL,
			  template, strlen(template), &root, &version,
			  &err) == TF_OK,
	    "%s", err.text);
	claim(v, t, "description", "what it is");
	OK(tf_vault_user_data(v, t, large, 70000, &root, NULL));
	w = make_dir(v, t, "w");
	claim(v, w, "description", "what it does");
	a = make_dir(v, w, "scan");
	(void)file(v, a, "result.json", "{\"state\":\"good\"}", 16);
	sub = make_dir(v, a, "sub");
	id = file(v, sub, "large", large, n_large);
	OK(tf_vault_xattr_set(v, id, "user.note", "kept", 4, 0, &root, NULL));
	mode(v, sub, 0550);
	claim(v, a, "description", "a scan");
	OK(tf_vault_user_data(v, a, "{\"run\":7}", 9, &root, NULL));
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, NULL));
	OK(tf_vault_seal(v, a, &root, NULL));
	OK(tf_vault_override(v, a, false, "it was the wrong image", 22, &root,
	    NULL));
	OK(tf_vault_define(v, t, TF_DEFINITION_TEMPLATE, NULL, template_2,
	    strlen(template_2), &root, &version, NULL));
	w2 = make_dir(v, t, "w2");
	a2 = make_dir(v, w2, "notes");
	(void)file(v, a2, "empty", "", 0);
	(void)file(v, a2, "gone", "to be redacted", 14);
	(void)file(v, a2, "gone large", large + 1, n_large - 1);
	(void)file(v, a2, "gone too", "twice there", 11);
	(void)file(v, a2, "stays", "twice there", 11);
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, NULL));
	OK(tf_vault_seal(v, a2, &root, NULL));
	OK(tf_vault_lookup(v, a2, "empty", &out, NULL));
	mode(v, out.id, 0600);
	a2 = make_dir(v, w2, "notes@2");
	(void)file(v, a2, "more", "more", 4);
	OK(tf_vault_retain(v, a2, &keep, &root, NULL));
	OK(tf_vault_hold(v, w2, true, "case-1", "court", 5, &root, NULL));
	OK(tf_vault_hold(v, w2, false, "case-1", "closed", 6, &root, NULL));
	OK(tf_vault_hold(v, w, true, "case-2", "court", 5, &root, NULL));
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, NULL));
	OK(tf_vault_seal(v, w, &root, NULL));
}

/* A mirror has cosigned the newest checkpoint. */
static void
anchor(struct tf_vault *v)
{
	struct tf_anchor a = { .kind = TF_ANCHOR_MIRROR,
		.name = "mirror.example" };
	struct tf_buf note = { 0 }, line = { 0 }, key_text = { 0 };
	struct tf_key *key;
	struct tf_pubkey pub;
	struct tf_vkey k;
	struct tf_note parts;

	OK(tf_key_generate(&key, NULL));
	tf_key_public(key, &pub);
	tf_cosign_vkey_make(&k, a.name, &pub);
	tf_vkey_text(&k, &key_text);
	tf_buf_add(&key_text, "", 1);
	OK(tf_vault_checkpoint(v, &note, NULL));
	ck_assert(tf_note_split(note.p, note.n, &parts));
	OK(tf_cosign_line(key, a.name, 1795420800, parts.body, &line, NULL));
	tf_buf_add(&note, line.p, line.n);
	tf_buf_free(&line);
	a.key = key_text.p;
	a.bytes = note.p;
	a.n = note.n;
	OK(tf_vault_anchor_add(v, &root, &a, NULL));
	tf_key_free(key);
	tf_buf_free(&note);
	tf_buf_free(&key_text);
}

void
redact_path(struct tf_vault *v, const char *path)
{
	struct tf_attr a;

	OK(tf_vault_walk(v, path, &a, NULL));
	redact(v, a.id);
}

static void
redact_some(struct tf_vault *v)
{
	static const char *const names[] = { "gone", "gone large", "gone too" };
	char path[64];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "trail/w2/notes/%s", names[i]);
		redact_path(v, path);
	}
}

/* A trail with recipients, a draft that is published, and seals from below. */
static void
fill_more(struct tf_vault *v)
{
	static const char to[] =
	    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n";
	uint64_t t = make_dir(v, TF_ROOT_ID, "secret"), w, a, version;

	OK(tf_vault_define(v, t, TF_DEFINITION_RECIPIENTS, NULL, to, strlen(to),
	    &root, &version, NULL));
	w = make_dir(v, t, "w");
	a = make_dir(v, w, ".draft");
	(void)make_dir(v, a, "below");
	(void)file(v, a, "f", "hidden", 6);
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, NULL));
	OK(tf_vault_rename(v, w, ".draft", w, "published", true, &root, NULL));
	a = make_dir(v, w, "second");
	(void)file(v, a, "again", "to be redacted", 14);
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, NULL));
	OK(tf_vault_seal(v, w, &root, NULL));
	OK(tf_vault_seal(v, t, &root, NULL));
}

void
make_rich(const char *path, struct tf_buf *vkey)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	static char large[200000];
	struct tf_vault *v;

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)('a' + i % 23);
	OK(tf_vault_init(path, "example.org/rich", &root, vkey, NULL));
	tf_buf_add(vkey, "", 1);
	ck_assert(tf_settings_take(&o.settings, "settle", "60"));
	OK(tf_vault_open(path, &o, &v, NULL));
	fill(v, large, sizeof(large));
	redact_some(v);
	anchor(v);
	OK(tf_vault_close(v, "done", NULL));
	OK(tf_vault_open(path, &o, &v, NULL));
	fill_more(v);
	OK(tf_vault_close(v, "done", NULL));
}

/* --- the transport -------------------------------------------------------------- */

void
from_open(struct from *f, const char *path)
{
	char name[160];
	uint64_t bytes;
	int dirfd;

	*f = (struct from){ .objectsfd = -1 };
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME);
	OK(tf_db_open(name, TF_DB_READ, &f->db, NULL));
	OK(tf_meta_get_text(f->db, "origin", f->origin, sizeof(f->origin),
	    NULL));
	OK(tf_meta_get_text(f->db, "store", f->store, sizeof(f->store), NULL));
	OK(tf_entries_size(f->db, &f->size, &bytes, NULL));
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->objectsfd = openat(dirfd, "objects",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(f->objectsfd, 0);
	OK(tf_key_load(dirfd, "keys/log.pem", &f->key, NULL));
	(void)close(dirfd);
}

void
from_close(struct from *f)
{
	tf_db_close(f->db);
	tf_key_free(f->key);
	(void)close(f->objectsfd);
}

void
from_entry(struct from *f, uint64_t seq, struct tf_buf *out)
{
	out->n = 0;
	OK(tf_entries_get(f->db, seq, out, NULL, NULL));
}

void
from_note(struct from *f, uint64_t size, struct tf_buf *out)
{
	struct tf_checkpoint c = { .size = size };

	out->n = 0;
	memcpy(c.origin, f->origin, sizeof(c.origin));
	OK(tf_merkle_root(size, tf_tiles_read, f->db, &c.root, NULL));
	OK(tf_checkpoint_sign(&c, f->key, out, NULL));
}

bool from_gives_nothing;

struct sending {
	struct from *f;
	struct tf_replica *r;
};

/* A long object goes through a file, in two pieces, as after a broken line. */
static enum tf_code
send_file(struct sending *g, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	uint64_t have = 0;
	size_t got;
	int in, fd;
	enum tf_code rc = tf_object_open(g->f->objectsfd, h, &in, err);

	if (rc != TF_OK)
		return rc;
	tf_buf_room(&b, size);
	ck_assert(!b.failed);
	OK(tf_file_pread(in, b.p, size, 0, &got, NULL));
	(void)close(in);
	for (int i = 0; i < 2; i++) {
		uint64_t until = i == 0 ? size / 2 : size;

		OK(tf_replica_object_open(g->r, h, &fd, &have, NULL));
		ck_assert_uint_le(have, size);
		ck_assert_uint_ge(have, i == 0 ? 0 : size / 2);
		if (have < until)
			OK(tf_file_pwrite(fd, b.p + have, until - have, have,
			    NULL));
		(void)close(fd);
	}
	tf_buf_free(&b);
	return tf_replica_object_keep(g->r, h, size, err);
}

static enum tf_code
send_object(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	struct sending *g = arg;
	struct tf_object_row o;
	struct tf_buf b = { 0 };
	uint64_t id, have;
	bool yes;
	int fd;
	enum tf_code rc = tf_replica_has(g->r, h, &yes, err);

	if (rc != TF_OK || yes)
		return rc;
	rc = tf_object_find(g->f->db, h, &id, err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc; /* redacted */
	OK(tf_object_get(g->f->db, id, &o, &b, NULL));
	if (!o.is_inline && from_gives_nothing) {
		rc = TF_OK;
	} else if (!o.is_inline) {
		rc = send_file(g, h, size, err);
	} else if (b.n <= TF_REPLICA_OBJECT_MAX) {
		rc = tf_replica_object_put(g->r, h, b.n > 0 ? b.p : "", b.n,
		    err);
	} else {
		OK(tf_replica_object_open(g->r, h, &fd, &have, NULL));
		OK(tf_file_pwrite(fd, b.p, b.n, 0, NULL));
		(void)close(fd);
		rc = tf_replica_object_keep(g->r, h, b.n, err);
	}
	tf_buf_free(&b);
	return rc;
}

enum tf_code
send_objects(struct from *f, struct tf_replica *r, const struct tf_buf *entry,
    struct tf_error *err)
{
	struct sending g = { f, r };

	return tf_replica_named(entry->p, entry->n, send_object, &g, err);
}

/* Do the entries before `seq` end a batch of entries? */
static bool
may_cut(struct from *f, uint64_t seq)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf b = { 0 };
	bool yes;

	if (seq == f->size)
		return true;
	from_entry(f, seq, &b);
	OK(tf_entry_decode(&d, b.p, b.n, NULL));
	yes = !d.e.has_batch || d.e.batch_first == seq;
	tf_entry_decoded_free(&d);
	tf_buf_free(&b);
	return yes;
}

static enum tf_code
all(struct from *f, struct tf_replica *r, uint64_t every, struct tf_error *err)
{
	uint64_t since = 0, i = tf_replica_head(r)->size;
	struct tf_buf b = { 0 };
	bool begun = false;
	enum tf_code rc = TF_OK;

	for (; rc == TF_OK && i < f->size; i++) {
		if (!begun)
			rc = tf_replica_begin(r, err);
		begun = true;
		from_entry(f, i, &b);
		if (rc == TF_OK)
			rc = send_objects(f, r, &b, err);
		if (rc == TF_OK)
			rc = tf_replica_entry(r, b.p, b.n, err);
		since++;
		if (rc != TF_OK ||
		    (i + 1 < f->size && (every == 0 || since < every)) ||
		    !may_cut(f, i + 1))
			continue;
		from_note(f, i + 1, &b);
		rc = tf_replica_commit(r, b.p, b.n, &begun, err);
		begun = !begun;
		since = begun ? since : 0;
	}
	if (rc == TF_OK && begun)
		rc = tf_fail(err, TF_NODATA, "it lacks %s", tf_replica_owed(r));
	tf_buf_free(&b);
	return rc;
}

enum tf_code
replicate(const char *from, const char *to, uint64_t every,
    struct tf_error *err)
{
	struct tf_replica *r = NULL;
	struct tf_pubkey pub;
	struct tf_buf vkey = { 0 };
	struct tf_vkey k;
	struct from f;
	enum tf_code rc;

	from_open(&f, from);
	tf_key_public(f.key, &pub);
	tf_vkey_make(&k, f.origin, &pub);
	tf_vkey_text(&k, &vkey);
	tf_buf_add(&vkey, "", 1);
	rc = access(to, F_OK) == 0 ?
	    TF_OK :
	    tf_replica_create(to, vkey.p, f.store, err);
	if (rc == TF_OK)
		rc = tf_replica_open(to, &r, err);
	if (rc == TF_OK)
		rc = all(&f, r, every, err);
	tf_replica_close(r);
	from_close(&f);
	tf_buf_free(&vkey);
	return rc;
}
