/*
 * Making a package.  The selected entries determine names, proofs, statements
 * and manifests; a spool holds these texts.  The bytes of evidence come from
 * the objects during the write of the archive, which compares their digests
 * with the entries.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/names.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../archive/zip_write.h"
#include "../asker.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../ledger/proof.h"
#include "../ledger/sums.h"
#include "../node/quota.h"
#include "../node/spool.h"
#include "../node/vault_i.h"
#include "../package.h"
#include "../page.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../store/schema.h"
#include "../vault.h"
#include "../view/view.h"
#include "pages.h"

#define SNIFF 4096	/* bytes that decide whether a file is text */
#define DEFLATE_MIN 128 /* bytes; a shorter file does not shrink */
#define CHUNK 65536

/* Texts of the package, in a file without a name. */
struct spool {
	struct tf_vault *v; /* its disk holds the file; NULL: another disk */
	int fd;
	uint64_t end;
	struct tf_buf buf; /* the last bytes before end, not written yet */
};

struct member {
	struct tf_zip_member zip;
	struct tf_hash sha256;
	enum { FROM_TEXTS, FROM_EVENTS, FROM_OBJECT } from;
	uint64_t at; /* offset in the spool, or number of the object */
};

struct maker {
	struct tf_vault *v;
	struct tf_view *w;
	struct tf_db *db;	     /* of w */
	struct tf_package_dir *dirs; /* directories that get pages */
	size_t n_dirs, cap_dirs;
	struct tf_package_place p;
	struct tf_package_facts f;
	struct tf_buf note;
	struct tf_package_names *names;
	struct spool texts, events;
	struct tf_sha256 *events_sha;
	struct tf_buf renamed;	/* names.jsonl */
	struct tf_buf attester; /* the key in force: SPKI in base64 */
	struct tf_buf top;	/* the topmost directory and '/' */
	struct member *m;
	size_t n, cap;
	/* Set for a package that is read through a mount, else NULL. */
	const atomic_bool *stop;    /* true: give up */
	const struct tf_asker *who; /* must have read access to all of it */
	/* The member being written. */
	size_t open;
	int open_fd;
	struct tf_buf open_body;
	struct tf_sha256 *open_sha;
};

static enum tf_code
check_stop(const struct maker *k, struct tf_error *err)
{
	return k->stop != NULL && atomic_load(k->stop) ?
	    tf_fail(err, TF_BUSY, "trailfs is stopping") :
	    TF_OK;
}

/* A package may not use the space that is reserved for sealing. */
static enum tf_code
take_space(struct tf_vault *v, uint64_t n, struct tf_error *err)
{
	return v->read_only ? TF_OK : tf_space_spool(v, n, err);
}

/* --- spools --------------------------------------------------------------------- */

/* Open a spool in dir; NULL: on the disk of the store of v. */
static enum tf_code
spool_open(struct spool *s, struct tf_vault *v, const char *dir,
    struct tf_error *err)
{
	char name[PATH_MAX];

	if (dir == NULL) {
		s->v = v;
		return tf_spool_scratch(v, &s->fd, err);
	}
	s->fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd >= 0)
		return TF_OK;
	/* Some file systems do not support O_TMPFILE. */
	(void)snprintf(name, sizeof(name), "%s/.package.XXXXXX", dir);
	if ((s->fd = mkostemp(name, O_CLOEXEC)) < 0)
		return tf_fail(err, TF_IO, "%.100s: %s", dir, strerror(errno));
	(void)unlink(name);
	return TF_OK;
}

static enum tf_code
spool_flush(struct spool *s, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (s->buf.failed)
		return tf_nomem(err);
	if (s->v != NULL)
		rc = take_space(s->v, s->buf.n, err);
	if (rc == TF_OK)
		rc = tf_file_pwrite(s->fd, s->buf.p, s->buf.n,
		    s->end - s->buf.n, err);
	s->buf.n = 0;
	return rc;
}

static enum tf_code
spool_add(struct spool *s, const void *p, size_t n, struct tf_error *err)
{
	tf_buf_add(&s->buf, p, n);
	s->end += n;
	return s->buf.failed || s->buf.n >= CHUNK ? spool_flush(s, err) : TF_OK;
}

static void
spool_close(struct spool *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	tf_buf_free(&s->buf);
}

/* --- members ---------------------------------------------------------------------- */

/* Add a member below the topmost directory; its name is the parts joined. */
static enum tf_code
new_member(struct maker *k, const char *const *parts, struct member **out,
    struct tf_error *err)
{
	size_t cap = k->cap == 0 ? 256 : k->cap * 2;
	struct tf_buf b = { 0 };
	void *p;

	if (k->n == k->cap) {
		if ((p = realloc(k->m, cap * sizeof(*k->m))) == NULL)
			return tf_nomem(err);
		k->m = p;
		k->cap = cap;
	}
	tf_buf_add(&b, k->top.p, k->top.n);
	for (; *parts != NULL; parts++)
		tf_buf_str(&b, *parts);
	tf_buf_add(&b, "", 1);
	if (b.failed) {
		tf_buf_free(&b);
		return tf_nomem(err);
	}
	*out = &k->m[k->n++];
	memset(*out, 0, sizeof(**out));
	(*out)->zip.name = b.p;
	return TF_OK;
}

#define NAME(...) ((const char *const[]){ __VA_ARGS__, NULL })

static enum tf_code
add_text(struct maker *k, const char *const *parts, const void *p, size_t n,
    struct tf_error *err)
{
	struct member *m;
	enum tf_code rc = new_member(k, parts, &m, err);

	if (rc != TF_OK)
		return rc;
	m->from = FROM_TEXTS;
	m->at = k->texts.end;
	m->zip.size = n;
	m->zip.deflate = n >= DEFLATE_MIN;
	tf_sha256(n == 0 ? "" : p, n, &m->sha256);
	return spool_add(&k->texts, p, n, err);
}

static enum tf_code
add_buf(struct maker *k, const char *const *parts, struct tf_buf *b,
    struct tf_error *err)
{
	enum tf_code rc = b->failed ? tf_nomem(err) :
				      add_text(k, parts, b->p, b->n, err);

	tf_buf_free(b);
	return rc;
}

/* --- proofs ------------------------------------------------------------------------- */

static enum tf_code
add_proof(struct maker *k, uint64_t seq, struct tf_str body, const char *where,
    const char *name, struct tf_error *err)
{
	struct tf_proof path;
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_merkle_inclusion(seq, k->f.head.size,
	    tf_tiles_read, k->db, &path, err);

	if (rc != TF_OK)
		return rc;
	tf_tlog_proof_write(&b, seq, &path, body,
	    (struct tf_str){ k->note.p, k->note.n });
	return add_buf(k, NAME(where, name, TF_PACKAGE_PROOF), &b, err);
}

/* --- evidence ------------------------------------------------------------------------ */

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

static enum tf_code
open_object(struct maker *k, uint64_t object, const struct tf_hash *h,
    struct tf_buf *body, int *fd, struct tf_error *err)
{
	struct tf_object_row o;
	enum tf_code rc;

	*fd = -1;
	rc = tf_object_get(k->db, object, &o, body, err);
	if (rc == TF_OK && !o.is_inline)
		rc = tf_object_open(k->v->objectsfd, h, fd, err);
	return rc;
}

/* Find the object with the bytes of e.  The row of its node names the object:
 * after damage the database may have two objects with one digest. */
static enum tf_code
find_object(struct maker *k, const struct tf_entry *e, const struct tf_hash *h,
    uint64_t *object, struct tf_error *err)
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
look_inside(struct maker *k, struct member *m, struct tf_error *err)
{
	struct tf_buf body = { 0 };
	char part[SNIFF];
	size_t n = 0;
	enum tf_code rc;
	int fd;

	if (m->zip.size < DEFLATE_MIN)
		return TF_OK;
	rc = open_object(k, m->at, &m->sha256, &body, &fd, err);
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

static enum tf_code
add_object(struct maker *k, const struct tf_entry *e, const char *stored,
    struct tf_error *err)
{
	struct member *m;
	enum tf_code rc = new_member(k, NAME(TF_PACKAGE_DATA, stored), &m, err);

	if (rc != TF_OK)
		return rc;
	m->from = FROM_OBJECT;
	m->sha256 = e->content.sha256;
	m->zip.size = e->content.size;
	k->f.files++;
	k->f.bytes += e->content.size;
	rc = find_object(k, e, &m->sha256, &m->at, err);
	return rc == TF_OK ? look_inside(k, m, err) : rc;
}

static enum tf_code
add_evidence(struct maker *k, uint64_t seq, struct tf_str body,
    const struct tf_entry *e, struct tf_error *err)
{
	struct tf_str rel = tf_package_below(&k->p, e->path);
	struct tf_buf stored = { 0 };
	enum tf_code rc = tf_package_file(k->names, rel, &stored, err);

	if (rc == TF_OK &&
	    (stored.n != rel.n || memcmp(stored.p, rel.p, rel.n) != 0))
		rc = tf_package_name_line(rel,
		    (struct tf_str){ stored.p, stored.n }, &k->renamed, err);
	tf_buf_add(&stored, "", 1);
	if (rc == TF_OK && stored.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = add_object(k, e, stored.p, err);
	if (rc == TF_OK)
		rc = add_proof(k, seq, body, TF_PACKAGE_FILE_PROOFS, stored.p,
		    err);
	tf_buf_free(&stored);
	return rc;
}

/* --- pages -------------------------------------------------------------------------- */

struct text {
	struct maker *k;
	struct tf_sha256 *sha;
};

static enum tf_code
put_text(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct text *t = arg;

	tf_sha256_add(t->sha, p, n);
	return spool_add(&t->k->texts, p, n, err);
}

static enum tf_code
make_text(void *arg, const char *name, tf_package_writer write, void *self,
    struct tf_error *err)
{
	struct text t = { .k = arg, .sha = tf_sha256_new() };
	const struct tf_sink sink = { put_text, &t };
	struct member *m;
	enum tf_code rc = TF_NOMEM;

	if (t.sha == NULL)
		return tf_fail(err, rc, "no memory");
	if ((rc = new_member(t.k, NAME(name), &m, err)) == TF_OK) {
		m->from = FROM_TEXTS;
		m->at = t.k->texts.end;
		rc = write(self, &sink, err);
		m->zip.size = t.k->texts.end - m->at;
		m->zip.deflate = m->zip.size >= DEFLATE_MIN;
		tf_sha256_peek(t.sha, &m->sha256);
	}
	tf_sha256_free(t.sha);
	return rc;
}

/* Keep d for add_pages(), which runs when all names are assigned. */
static enum tf_code
add_dir(struct maker *k, const struct tf_package_dir *d, struct tf_error *err)
{
	size_t cap = k->cap_dirs == 0 ? 16 : k->cap_dirs * 2;
	char *path;
	void *p;

	if (k->n_dirs == k->cap_dirs) {
		if ((p = realloc(k->dirs, cap * sizeof(*k->dirs))) == NULL)
			return tf_nomem(err);
		k->dirs = p;
		k->cap_dirs = cap;
	}
	if ((path = strndup(d->path.p, d->path.n)) == NULL)
		return tf_nomem(err);
	k->dirs[k->n_dirs] = *d;
	k->dirs[k->n_dirs++].path.p = path;
	return TF_OK;
}

/* Set d->sealed from the database: the entry that began d does not say it. */
static enum tf_code
complete_dir(struct maker *k, struct tf_package_dir *d, struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(k->db, d->id, &row, err);

	if (rc != TF_OK)
		return rc;
	d->sealed = row.seal != TF_NO_SEQ;
	return TF_OK;
}

static enum tf_code
add_pages(struct maker *k, struct tf_error *err)
{
	struct tf_package_pages g = { .w = k->w,
		.p = &k->p,
		.names = k->names,
		.text = make_text,
		.arg = k };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < k->n_dirs; i++)
		if ((rc = complete_dir(k, &k->dirs[i], err)) == TF_OK)
			rc = tf_package_pages_add(&g, &k->dirs[i], err);
	return rc;
}

/* --- entries -------------------------------------------------------------------------- */

static enum tf_code
add_event(struct maker *k, struct tf_str body, struct tf_error *err)
{
	enum tf_code rc = spool_add(&k->events, body.p, body.n, err);

	if (rc == TF_OK)
		rc = spool_add(&k->events, "\n", 1, err);
	tf_sha256_add(k->events_sha, body.p, body.n);
	tf_sha256_add(k->events_sha, "\n", 1);
	k->f.entries++;
	return rc;
}

static enum tf_code
take_attester(struct maker *k, struct tf_str spki, struct tf_error *err)
{
	k->attester.n = 0;
	tf_buf_add(&k->attester, spki.p, spki.n);
	return tf_buf_end(&k->attester, err);
}

static enum tf_code
name_directory(struct maker *k, struct tf_str path, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_package_directory(k->names,
	    tf_package_below(&k->p, path), &b, err);

	tf_buf_free(&b);
	return rc;
}

static enum tf_code
one_entry(void *arg, uint64_t seq, struct tf_str body, const struct tf_entry *e,
    struct tf_error *err)
{
	struct maker *k = arg;
	struct tf_package_dir d;
	char name[24];
	enum tf_code rc = check_stop(k, err);

	if (rc == TF_OK)
		rc = add_event(k, body, err);
	k->f.last = e->at;
	if (rc != TF_OK)
		return rc;
	if (e->type == TF_LEDGER_OPENED &&
	    (rc = take_attester(k, e->key_attester, err)) != TF_OK)
		return rc;
	if (e->type == TF_EVIDENCE_SEALED)
		return add_evidence(k, seq, body, e, err);
	if (tf_package_dir_of(&k->p, e, &d))
		rc = add_dir(k, &d, err);
	/* Names are assigned in the order of the entries: see format.h. */
	if (rc == TF_OK && e->type == TF_ATTESTATION_SEALED)
		rc = name_directory(k, e->path, err);
	if (rc != TF_OK)
		return rc;
	(void)snprintf(name, sizeof(name), "%llu", (unsigned long long)seq);
	return add_proof(k, seq, body, TF_PACKAGE_EVENT_PROOFS, name, err);
}

/* --- the rest --------------------------------------------------------------------------- */

static enum tf_code
add_keys(struct maker *k, struct tf_error *err)
{
	struct tf_buf vkey = { 0 }, pem = { 0 }, attester = { 0 }, der = { 0 };
	struct tf_pubkey pub;
	enum tf_code rc;

	tf_vkey_text(&k->v->vkey, &vkey);
	tf_buf_str(&vkey, "\n");
	tf_pubkey_pem(&k->v->vkey.pub, &pem);
	if (!tf_unbase64(k->attester.p, k->attester.n, &der) ||
	    der.n != TF_SPKI_LEN) {
		rc = tf_fail(err, TF_TAMPER, "the attester's key is malformed");
	} else {
		memcpy(pub.b, der.p + TF_SPKI_LEN - TF_PUBKEY_LEN,
		    sizeof(pub.b));
		tf_pubkey_pem(&pub, &attester);
		rc = add_buf(k, NAME(TF_PACKAGE_VKEY), &vkey, err);
	}
	if (rc == TF_OK)
		rc = add_buf(k, NAME(TF_PACKAGE_PEM), &pem, err);
	if (rc == TF_OK)
		rc = add_buf(k, NAME(TF_PACKAGE_ATTESTER), &attester, err);
	tf_buf_free(&vkey);
	tf_buf_free(&pem);
	tf_buf_free(&attester);
	tf_buf_free(&der);
	return rc;
}

static enum tf_code
add_descriptions(struct maker *k, struct tf_error *err)
{
	struct tf_buf info = { 0 }, json = { 0 };
	struct member *m;
	enum tf_code rc;

	tf_package_bag_info(&k->f, &info);
	if ((rc = add_text(k, NAME(TF_PACKAGE_BAGIT), tf_package_bagit,
		 strlen(tf_package_bagit), err)) == TF_OK &&
	    (rc = add_text(k, NAME(TF_PACKAGE_README), tf_package_readme,
		 strlen(tf_package_readme), err)) == TF_OK &&
	    (rc = add_text(k, NAME(TF_PACKAGE_SCRIPT), tf_package_script,
		 strlen(tf_package_script), err)) == TF_OK) {
		k->m[k->n - 1].zip.executable = true;
		rc = tf_package_json(&k->f, &json, err);
	}
	if (rc == TF_OK)
		rc = add_buf(k, NAME(TF_PACKAGE_JSON), &json, err);
	if (rc == TF_OK)
		rc = add_buf(k, NAME(TF_PACKAGE_INFO), &info, err);
	if (rc == TF_OK)
		rc = add_text(k, NAME(TF_PACKAGE_CHECKPOINT), k->note.p,
		    k->note.n, err);
	if (rc == TF_OK && k->renamed.n > 0)
		rc = add_buf(k, NAME(TF_PACKAGE_NAMES), &k->renamed, err);
	if (rc == TF_OK)
		rc = new_member(k, NAME(TF_PACKAGE_EVENTS), &m, err);
	if (rc == TF_OK) {
		m->from = FROM_EVENTS;
		m->zip.size = k->events.end;
		m->zip.deflate = true;
		tf_sha256_peek(k->events_sha, &m->sha256);
	}
	tf_buf_free(&info);
	tf_buf_free(&json);
	return rc;
}

static int
by_member(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->zip.name, y->zip.name);
}

/* Add the manifest of the members below data/, or of all other members. */
static enum tf_code
add_manifest(struct maker *k, const char *name, bool payload,
    struct tf_error *err)
{
	const size_t data = strlen(TF_PACKAGE_DATA);
	struct tf_buf b = { 0 };
	const char *rel;

	qsort(k->m, k->n, sizeof(*k->m), by_member);
	for (size_t i = 0; i < k->n; i++) {
		rel = k->m[i].zip.name + k->top.n;
		if ((strncmp(rel, TF_PACKAGE_DATA, data) == 0) == payload)
			tf_sums_line(&b, &k->m[i].sha256, rel, strlen(rel));
	}
	return add_buf(k, NAME(name), &b, err);
}

/* --- writing it out ------------------------------------------------------------------------ */

static const struct tf_zip_member *
member(void *arg, size_t i)
{
	struct maker *k = arg;

	return &k->m[i].zip;
}

static enum tf_code
begin(struct maker *k, size_t i, struct tf_error *err)
{
	struct member *m = &k->m[i];

	if (k->open_fd >= 0)
		(void)close(k->open_fd);
	k->open_fd = -1;
	k->open_body.n = 0;
	k->open = i;
	tf_sha256_reset(k->open_sha);
	return m->from != FROM_OBJECT ?
	    TF_OK :
	    open_object(k, m->at, &m->sha256, &k->open_body, &k->open_fd, err);
}

static enum tf_code
read_bytes(struct maker *k, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	const struct member *m = &k->m[k->open];

	if (off >= m->zip.size)
		n = 0;
	else if (n > m->zip.size - off)
		n = (size_t)(m->zip.size - off);
	if (m->from == FROM_TEXTS)
		return tf_file_pread(k->texts.fd, p, n, m->at + off, got, err);
	if (m->from == FROM_EVENTS)
		return tf_file_pread(k->events.fd, p, n, off, got, err);
	if (k->open_fd >= 0)
		return tf_file_pread(k->open_fd, p, n, off, got, err);
	*got = off + n > k->open_body.n ? 0 : n;
	if (*got > 0)
		memcpy(p, k->open_body.p + off, n);
	return TF_OK;
}

static enum tf_code
read_member(void *arg, size_t i, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	struct maker *k = arg;
	const struct member *m = &k->m[i];
	struct tf_hash h;
	enum tf_code rc = check_stop(k, err);

	if (rc == TF_OK && off == 0)
		rc = begin(k, i, err);
	if (rc == TF_OK)
		rc = read_bytes(k, p, n, off, got, err);
	if (rc != TF_OK)
		return rc;
	tf_sha256_add(k->open_sha, p, *got);
	if (off + *got<m->zip.size && * got> 0)
		return TF_OK;
	/* A package with bytes that differ from its manifest must not be
	 * finished. */
	tf_sha256_peek(k->open_sha, &h);
	if (off + *got != m->zip.size || memcmp(&h, &m->sha256, sizeof(h)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the bytes of %.80s are not what its entry says: run "
		    "trailctl verify",
		    m->zip.name + k->top.n);
	return TF_OK;
}

#define NOTHING(vault)                                                       \
	{                                                                    \
		.v = (vault), .texts.fd = -1, .events.fd = -1, .open_fd = -1 \
	}

/* --- the whole ----------------------------------------------------------------------------- */

static enum tf_code
setup(struct maker *k, const struct tf_package_request *r, struct tf_error *err)
{
	enum tf_code rc = tf_package_place(r, &k->p, err);
	struct tf_checkpoint *c = &k->f.head;

	if (rc != TF_OK)
		return rc;
	k->f.p = &k->p;
	k->f.format = TF_PACKAGE_FORMAT;
	tf_package_safe(&k->top, k->p.name, true);
	tf_buf_str(&k->top, "/");
	k->names = tf_package_names_new(k->f.format);
	k->events_sha = tf_sha256_new();
	k->open_sha = tf_sha256_new();
	if (k->names == NULL || k->events_sha == NULL || k->open_sha == NULL ||
	    k->top.failed)
		return tf_nomem(err);
	if ((rc = spool_open(&k->texts, k->v, r->tmp, err)) != TF_OK ||
	    (rc = spool_open(&k->events, k->v, r->tmp, err)) != TF_OK ||
	    (rc = tf_view_open(k->v, k->who, &k->w, err)) != TF_OK)
		return rc;
	k->w->ledger_only = true;
	k->db = k->w->db;
	rc = tf_checkpoints_newest(k->db, &c->size, &c->root, &k->note, err);
	if (rc == TF_OK)
		rc = tf_checkpoint_check(k->note.p, k->note.n, &k->v->vkey, c,
		    err);
	return rc;
}

static enum tf_code
check_there(struct maker *k, struct tf_error *err)
{
	struct tf_node_row row;
	uint64_t id = TF_ROOT_ID;
	enum tf_code rc = TF_OK;

	for (int i = 0; rc == TF_OK && i < (int)k->p.kind; i++) {
		rc = tf_nodes_find(k->db, id, k->p.part[i].p, k->p.part[i].n,
		    &row, err);
		id = row.attr.id;
	}
	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc, "the ledger has no %.*s",
		    (int)k->p.path.n, k->p.path.p);
	if (rc == TF_OK)
		rc = tf_view_check_whole(k->w, id, err);
	/* who may read the whole directory: no more checks are needed. */
	k->w->all = true;
	return rc;
}

static enum tf_code
gather(struct maker *k, struct tf_error *err)
{
	enum tf_code rc = check_there(k, err);

	if (rc == TF_OK)
		rc = tf_package_select(k->db, k->f.head.size, &k->p, one_entry,
		    k, err);
	if (rc == TF_OK)
		rc = add_pages(k, err);
	if (rc == TF_OK)
		rc = add_keys(k, err);
	if (rc == TF_OK)
		rc = add_descriptions(k, err);
	if (rc == TF_OK)
		rc = add_manifest(k, TF_PACKAGE_MANIFEST, true, err);
	if (rc == TF_OK)
		rc = add_manifest(k, TF_PACKAGE_TAGMANIFEST, false, err);
	if (rc == TF_OK)
		rc = spool_flush(&k->texts, err);
	if (rc == TF_OK)
		rc = spool_flush(&k->events, err);
	if (rc == TF_OK)
		qsort(k->m, k->n, sizeof(*k->m), by_member);
	return rc;
}

static void
dispose(struct maker *k)
{
	tf_view_close(k->w);
	for (size_t i = 0; i < k->n_dirs; i++)
		free((char *)k->dirs[i].path.p);
	free(k->dirs);
	for (size_t i = 0; i < k->n; i++)
		free(k->m[i].zip.name);
	free(k->m);
	if (k->open_fd >= 0)
		(void)close(k->open_fd);
	spool_close(&k->texts);
	spool_close(&k->events);
	tf_package_names_free(k->names);
	tf_sha256_free(k->events_sha);
	tf_sha256_free(k->open_sha);
	tf_buf_free(&k->note);
	tf_buf_free(&k->renamed);
	tf_buf_free(&k->attester);
	tf_buf_free(&k->top);
	tf_buf_free(&k->open_body);
}

static enum tf_code
make(struct maker *k, const struct tf_package_request *r, int fd,
    struct tf_error *err)
{
	enum tf_code rc = setup(k, r, err);
	uint64_t bytes = 0;

	if (rc == TF_OK)
		rc = gather(k, err);
	/* End the snapshot: it keeps the database from shortening its log, and
	 * the objects never change. */
	if (k->db != NULL)
		tf_db_rollback(k->db);
	for (size_t i = 0; i < k->n; i++)
		bytes += k->m[i].zip.size;
	if (rc == TF_OK && r->tmp == NULL)
		rc = take_space(k->v, bytes, err);
	if (rc == TF_OK)
		rc = tf_zip_write(fd, member, k->n, read_member, k, err);
	return rc;
}

enum tf_code
tf_package_write(struct tf_vault *v, const struct tf_package_request *r, int fd,
    struct tf_package_made *made, struct tf_error *err)
{
	struct maker k = NOTHING(v);
	enum tf_code rc = make(&k, r, fd, err);

	memset(made, 0, sizeof(*made));
	if (rc == TF_OK)
		rc = tf_file_datasync(fd, err);
	if (rc == TF_OK)
		rc = tf_hash_fd(fd, &made->sha256, &made->size, err);
	made->tree_root = k.f.head.root;
	made->tree_size = k.f.head.size;
	made->files = k.f.files;
	made->bytes = k.f.bytes;
	dispose(&k);
	return rc;
}

/* Append the path of id and a NUL.  Errors: TF_NOTFOUND id is not in the ledger
 * yet. */
static enum tf_code
path_of(struct tf_vault *v, uint64_t id, struct tf_buf *path,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_getattr(v, id, &a, err);

	if (rc == TF_OK && a.state == TF_STATE_DRAFT)
		return tf_fail(err, TF_NOTFOUND, "it is not in the ledger yet");
	if (rc == TF_OK)
		rc = tf_vault_path(v, id, path, err);
	tf_buf_add(path, "", 1);
	return rc == TF_OK && path->failed ? tf_nomem(err) : rc;
}

enum tf_code
tf_package_spool(struct tf_vault *v, uint64_t id, const struct tf_asker *who,
    const atomic_bool *stop, struct tf_spool **out, struct tf_error *err)
{
	struct tf_package_request r = { .path = NULL };
	struct maker k = NOTHING(v);
	struct tf_spool *s = NULL;
	struct tf_buf path = { 0 };
	enum tf_code rc = path_of(v, id, &path, err);
	int fd = -1;

	k.who = who;
	k.stop = stop;
	r.path = path.p;
	if (rc == TF_OK)
		rc = tf_spool_file(v, &s, &fd, err);
	if (rc == TF_OK)
		rc = make(&k, &r, fd, err);
	if (rc == TF_OK)
		rc = tf_spool_filled(s, err);
	dispose(&k);
	tf_buf_free(&path);
	if (rc == TF_OK)
		*out = s;
	else
		tf_spool_free(s);
	return rc;
}
