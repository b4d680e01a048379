/*
 * Adds evidence to a package: finds its object, names it, proves its entry.
 *
 * Only the place of the bytes is noted here, and a first piece is read to
 * choose the compression.  The bytes are read when the archive is written, and
 * output.c compares them then: a package of a large trail would otherwise read
 * all evidence twice.
 */
#include <string.h>
#include <unistd.h>

#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/names.h"
#include "../archive/select.h"
#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/file.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/withheld.h"
#include "../node/absent.h"
#include "../node/damaged.h"
#include "../node/redacted.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "evidence.h"
#include "members.h"

#define SNIFF 4096 /* bytes that decide whether a file is text */

/* True for UTF-8 without control characters other than white space. */
static bool
is_text(const char *p, size_t n)
{
	unsigned len;
	uint32_t c;

	for (size_t i = 0; i < n; i += len) {
		if ((len = tf_utf8(p + i, n - i, &c)) == 0)
			return n - i < 4 && n == SNIFF; /* cut character */
		if (c == 0x7f || (c < 0x20 && (c < '\t' || c > '\r')))
			return false;
	}
	return true;
}

enum tf_code
tf_package_open_object(struct tf_package_maker *k, uint64_t object,
    const struct tf_hash *h, struct tf_buf *body, int *fd, struct tf_error *err)
{
	struct tf_object_row o;
	enum tf_code rc;

	*fd = -1;
	rc = tf_object_get(k->db, object, &o, body, err);
	if (rc == TF_OK && !o.is_inline)
		rc = tf_vault_object_open(k->v, h, fd, err);
	return rc;
}

/* Find the object with the bytes of e.  The row of its node names the object:
 * after damage the database may have two objects with one digest. */
static enum tf_code
find_object(struct tf_package_maker *k, const struct tf_entry *e,
    const struct tf_hash *h, uint64_t *object, struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_node_row row = { 0 };
	enum tf_code rc = TF_NOTFOUND;

	if (e->has_node &&
	    (rc = tf_nodes_get(k->db, e->node, &row, err)) == TF_OK)
		rc = tf_object_get(k->db, row.object, &o, NULL, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	*object = row.object;
	if (rc != TF_OK || memcmp(&o.sha256, h, sizeof(*h)) != 0)
		rc = tf_object_find(k->db, h, object, err);
	return rc == TF_NOTFOUND ? tf_fail(err, TF_TAMPER,
				       "an object is missing from the store: "
				       "run trailctl verify") :
				   rc;
}

/* Deflate only text: most other files are compressed already. */
static enum tf_code
look_inside(struct tf_package_maker *k, struct tf_package_member *m,
    struct tf_error *err)
{
	struct tf_buf body = { 0 };
	char part[SNIFF];
	size_t n = 0;
	enum tf_code rc;
	int fd;

	if (m->zip.size < TF_DEFLATE_MIN)
		return TF_OK;
	rc = tf_package_open_object(k, m->at, &m->sha256, &body, &fd, err);
	if (rc == TF_OK && fd >= 0) {
		rc = tf_file_pread(fd, part, sizeof(part), 0, &n, err);
		(void)close(fd);
	} else if (rc == TF_OK) {
		n = body.n < sizeof(part) ? body.n : sizeof(part);
		memcpy(part, body.p, n);
	}
	m->zip.deflate = rc == TF_OK && is_text(part, n);
	tf_buf_free(&body);
	return rc;
}

/* Add the member of a file.  Size and digest are those of the entry, never
 * those of the object: the package must state what was sealed. */
static enum tf_code
add_object(struct tf_package_maker *k, const struct tf_entry *e,
    const char *stored, struct tf_error *err)
{
	struct tf_package_member *m;
	enum tf_code rc = tf_package_new_member(k,
	    TF_PACKAGE_NAME(TF_PACKAGE_DATA, stored), &m, err);

	if (rc != TF_OK)
		return rc;
	m->from = TF_FROM_OBJECT;
	m->sha256 = e->content.sha256;
	m->zip.size = e->content.size;
	k->f.files++;
	m->node = e->has_node ? e->node : 0;
	k->f.bytes += e->content.size;
	rc = find_object(k, e, &m->sha256, &m->at, err);
	if (rc == TF_OK)
		rc = look_inside(k, m, err);
	if (rc == TF_TAMPER && e->has_node)
		tf_damaged_file_add(k->v, e->node);
	return rc;
}

enum tf_code
tf_package_begin_said(struct tf_package_maker *k, const struct tf_entry *e,
    struct tf_error *err)
{
	k->sealed = 0;
	if (e->type != TF_ATTESTATION_SEALED)
		return TF_OK;
	return tf_nodes_attestation(k->db, e->path, &k->sealed, err);
}

/* The package would lack what its entries say is there. */
static enum tf_code
redacted_since(uint64_t seq, struct tf_error *err)
{
	return tf_fail(err, TF_REDACTED,
	    "something in it was redacted since by entry %llu, so no package "
	    "of an earlier moment can be made",
	    (unsigned long long)seq);
}

/* Did the report or the user data of that name go with redacted evidence? */
static enum tf_code
is_gone(struct tf_package_maker *k, const char *name,
    const struct tf_hash *sha256, bool *gone, struct tf_error *err)
{
	const char *file = strrchr(name, '/');
	bool report = file != NULL && strcmp(file, TF_PACKAGE_REPORT) == 0;

	*gone = false;
	return k->sealed == 0 ?
	    TF_OK :
	    tf_redacted_in(k->db, k->sealed, report ? NULL : sha256,
		k->f.head.size, gone, err);
}

/* These objects are found by digest, since no row of a node names them. */
enum tf_code
tf_package_add_said(void *arg, const char *name,
    const struct tf_content *content, struct tf_error *err)
{
	struct tf_package_maker *k = arg;
	struct tf_package_member *m;
	bool gone;
	enum tf_code rc = is_gone(k, name, &content->sha256, &gone, err);

	if (rc != TF_OK || gone)
		return rc;
	rc = tf_package_new_member(k, TF_PACKAGE_NAME(name), &m, err);
	if (rc != TF_OK)
		return rc;
	m->from = TF_FROM_OBJECT;
	m->sha256 = content->sha256;
	m->zip.size = content->size;
	rc = tf_object_find(k->db, &m->sha256, &m->at, err);
	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER,
		    "%s is missing from the store: run trailctl verify", name);
	return rc == TF_OK ? look_inside(k, m, err) : rc;
}

static int
by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct tf_hash));
}

/* Remember the digest; *is: it was there already. */
static enum tf_code
note_apart(struct tf_package_maker *k, const struct tf_hash *h, bool *is,
    struct tf_error *err)
{
	const size_t at = tf_array_place(k->apart, k->n_apart, sizeof(*h), h,
	    by_digest);

	*is = at < k->n_apart && memcmp(&k->apart[at], h, sizeof(*h)) == 0;
	if (*is)
		return TF_OK;
	if (!tf_array_room(&k->apart, k->n_apart, &k->cap_apart,
		sizeof(*k->apart)))
		return tf_nomem(err);
	memmove(k->apart + at + 1, k->apart + at,
	    (k->n_apart++ - at) * sizeof(*h));
	k->apart[at] = *h;
	return TF_OK;
}

/* As is_redacted. */
static enum tf_code
is_text_redacted(struct tf_package_maker *k, const struct tf_hash *h, bool *yes,
    struct tf_error *err)
{
	struct tf_definition_row row = { .node = TF_ROOT_ID,
		.kind = TF_ROW_TEXT_REDACTED,
		.name = { (const char *)h->b, sizeof(h->b) } };
	enum tf_code rc = tf_definitions_get(k->db, &row, err);

	*yes = rc == TF_OK;
	if (*yes && row.entry >= k->f.head.size)
		return redacted_since(row.entry, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
add_apart(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	struct tf_package_maker *k = arg;
	struct tf_package_member *m;
	struct tf_object_row o;
	char hex[65];
	uint64_t id;
	bool is = false;
	enum tf_code rc = note_apart(k, &x->sha256, &is, err);

	if (rc == TF_OK && !is)
		rc = is_text_redacted(k, &x->sha256, &is, err);
	if (rc != TF_OK || is)
		return rc;
	tf_hex(x->sha256.b, sizeof(x->sha256.b), hex);
	rc = tf_object_find(k->db, &x->sha256, &id, err);
	if (rc == TF_OK)
		rc = tf_object_get(k->db, id, &o, NULL, err);
	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER,
		    "a text is missing from the store: run trailctl verify");
	if (rc == TF_OK)
		rc = tf_package_new_member(k,
		    TF_PACKAGE_NAME(TF_PACKAGE_APART, hex), &m, err);
	if (rc != TF_OK)
		return rc;
	m->from = TF_FROM_OBJECT;
	m->sha256 = x->sha256;
	m->zip.size = o.size;
	m->at = id;
	return TF_OK;
}

enum tf_code
tf_package_add_apart(struct tf_package_maker *k, const struct tf_entry *e,
    struct tf_error *err)
{
	return tf_withheld_named(e, add_apart, k, err);
}

/* Remember evidence that can be a recording: its page is made after all names
 * are assigned. */
static enum tf_code
note_recording(struct tf_package_maker *k, const struct tf_entry *e,
    const char *stored, struct tf_error *err)
{
	const char *slash = memrchr(e->path.p, '/', e->path.n);
	struct tf_str name = e->path;
	struct tf_package_recording *r;
	struct tf_buf data = { 0 };

	if (slash != NULL) {
		name.p = slash + 1;
		name.n -= (size_t)(name.p - e->path.p);
	}
	if (!e->has_node || !tf_replay_has_name(name))
		return TF_OK;
	tf_buf_printf(&data, TF_PACKAGE_DATA "%s", stored);
	if (data.failed ||
	    !tf_array_room(&k->recordings, k->n_recordings, &k->cap_recordings,
		sizeof(*k->recordings))) {
		tf_buf_free(&data);
		return tf_nomem(err);
	}
	r = &k->recordings[k->n_recordings++];
	*r = (struct tf_package_recording){ e->node, e->seq, data.p };
	return TF_OK;
}

/* Was it redacted, as far as the package has entries? */
static enum tf_code
is_redacted(struct tf_package_maker *k, const struct tf_entry *e, bool *yes,
    struct tf_error *err)
{
	struct tf_definition_row row = { .node = e->node,
		.kind = TF_ROW_REDACTED,
		.name = { "", 0 } };
	enum tf_code rc = tf_definitions_get(k->db, &row, err);

	if (rc == TF_OK && row.entry >= k->f.head.size)
		return redacted_since(row.entry, err);
	*yes = rc == TF_OK;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* The name is assigned first, because the proof has the same name; a changed
 * name gets a line in names.jsonl, or nobody could find the file again. */
enum tf_code
tf_package_add_evidence(struct tf_package_maker *k, uint64_t seq,
    struct tf_str body, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_str rel = tf_package_below(&k->p, e->path);
	struct tf_buf stored = { 0 };
	bool redacted = false;
	enum tf_code rc = tf_package_file(k->names, rel, &stored, err);

	if (rc == TF_OK &&
	    (stored.n != rel.n || memcmp(stored.p, rel.p, rel.n) != 0))
		rc = tf_package_name_line(rel,
		    (struct tf_str){ stored.p, stored.n }, &k->renamed, err);
	tf_buf_add(&stored, "", 1);
	if (rc == TF_OK && stored.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = is_redacted(k, e, &redacted, err);
	/* Its proof stays, and the bytes that other evidence may have do not
	 * count as its own. */
	if (rc == TF_OK && !redacted)
		rc = add_object(k, e, stored.p, err);
	if (rc == TF_OK && !redacted)
		rc = note_recording(k, e, stored.p, err);
	if (rc == TF_OK)
		rc = tf_package_add_proof(k, seq, body, TF_PACKAGE_FILE_PROOFS,
		    stored.p, err);
	tf_buf_free(&stored);
	return rc;
}
