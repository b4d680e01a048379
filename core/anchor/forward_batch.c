/*
 * What a batch of a forwarder is: entries, and the objects that they name.  See
 * forward_i.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_scan.h"
#include "../node/stage_files.h"
#include "../store/entries.h"
#include "../store/objects.h"
#include "forward_i.h"
#include "replica.h"

#define BATCH_BYTES (2u << 20) /* of entries in a batch, about */
#define LOOKS 20	       /* for bytes that are on their way, */
#define LOOKS_MS 50	       /* and between two of them */
/* Objects that one entry names, at most: it has 64 digits of each. */
#define NAMED_MOST (TF_ORG_ENTRY_MAX / 64)

/* An object that an entry of the batch names. */
struct tf_forward_named {
	uint64_t entry;
	/* evidence.flushed: what this node held then, of so many bytes. */
	bool held;
	uint64_t node, size;
};

static bool
goes_into_bundle(uint64_t size)
{
	return TF_IS_MUTANT(TF_BUNDLE_LESS) ? size < TF_BUNDLED_MAX :
					      size <= TF_BUNDLED_MAX;
}

/* --- objects --------------------------------------------------------------------- */

struct redaction {
	uint64_t naming; /* the entry that names the object */
	char hex[65];
	bool found;
};

/* A redaction of that content, or of a text of the entry that named it. */
static enum tf_code
look_at(void *arg, uint64_t index, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct redaction *r = arg;
	struct tf_entry_decoded d = { 0 };
	struct tf_str type, path;
	enum tf_code rc = TF_OK;

	(void)index;
	(void)off;
	tf_entry_scan(body, n, &type, &path);
	if (!tf_str_same(type, tf_str_of(tf_type_name(TF_REDACTION_DONE))))
		return TF_OK;
	if (memmem(body, n, r->hex, 64) != NULL)
		r->found = true;
	else if ((rc = tf_entry_decode(&d, body, n, err)) == TF_OK)
		r->found = d.e.has_target && d.e.target == r->naming;
	tf_entry_decoded_free(&d);
	if (rc == TF_OK && r->found)
		return TF_EXISTS; /* the walk can end */
	return rc;
}

/* W2: an absent object must have been redacted, by a later entry. */
static enum tf_code
judge_absent(struct tf_forwarder *f, const struct tf_hash *h, uint64_t entry,
    struct tf_error *err)
{
	struct redaction r = { .naming = entry };
	enum tf_code rc;

	tf_hex(h->b, sizeof(h->b), r.hex);
	rc = tf_entries_with(f->src.db, entry, tf_type_name(TF_REDACTION_DONE),
	    look_at, &r, err);
	if (r.found) {
		f->out->absent++;
		return TF_OK;
	}
	if (rc == TF_OK)
		rc = tf_fail(err, TF_TAMPER,
		    "the store lacks object %.16s... of entry %llu: verify it",
		    r.hex, (unsigned long long)entry);
	return rc;
}

static enum tf_code
put_large(struct tf_forwarder *f, const struct tf_hash *h,
    const struct tf_mirror_object *o, struct tf_error *err)
{
	enum tf_code rc;
	int fd = -1;

	if (o->fd >= 0)
		return f->blobs->ops->put(f->blobs, h, o->size, o->fd, 0, err);
	rc = tf_file_scratch(-1, &fd, err);
	if (rc == TF_OK)
		rc = tf_file_pwrite(fd, tf_buf_bytes(&o->body).p, o->body.n, 0,
		    err);
	if (rc == TF_OK)
		rc = f->blobs->ops->put(f->blobs, h, o->size, fd, 0, err);
	if (fd >= 0)
		(void)close(fd); /* it has no name */
	return rc;
}

/* The digest is taken here: a bundle must not have a part with other bytes. */
static enum tf_code
put_small(struct tf_forwarder *f, const struct tf_hash *h,
    const struct tf_mirror_object *o, struct tf_error *err)
{
	static const char damaged[] = "an object of the store has other bytes "
				      "than its digest says: verify it";
	char *bytes = malloc((size_t)o->size + 1);
	struct tf_hash have;
	size_t got = 0;
	enum tf_code rc = bytes == NULL ?
	    tf_nomem(err) :
	    tf_mirror_object_read(o, 0, bytes, (size_t)o->size, &got, err);

	if (rc == TF_OK) {
		tf_sha256(bytes, got, &have);
		rc = got == o->size && memcmp(&have, h, sizeof(have)) == 0 ?
		    tf_bundler_add(&f->bundler, f->blobs, h, bytes, got, err) :
		    tf_fail(err, TF_TAMPER, "%s", damaged);
	}
	free(bytes);
	return rc;
}

static enum tf_code
send_object(struct tf_forwarder *f, const struct tf_hash *h, uint64_t entry,
    struct tf_error *err)
{
	struct tf_mirror_object o;
	enum tf_code rc = tf_mirror_object_open(&f->src, h, &o, err);

	if (rc == TF_OK && !o.present)
		rc = judge_absent(f, h, entry, err);
	else if (rc == TF_OK) {
		rc = goes_into_bundle(o.size) ? put_small(f, h, &o, err) :
						put_large(f, h, &o, err);
		f->out->objects += rc == TF_OK;
		f->out->bytes += rc == TF_OK ? o.size : 0;
	}
	tf_mirror_object_close(&o);
	return rc;
}

/* --- what a file held at a flush ------------------------------------------------ */

/* A copy of the first bytes of a file that may be written meanwhile. */
struct held {
	char *bytes; /* of a small one */
	int fd;	     /* of a large one, without a name; or -1 */
	bool is;     /* they are those that the entry says */
};

static void
held_free(struct held *h)
{
	free(h->bytes);
	h->bytes = NULL;
	if (h->fd >= 0)
		(void)close(h->fd); /* it has no name */
	h->fd = -1;
}

/* Copy `size` bytes of o, and compare their digest. */
static enum tf_code
copy_held(const struct tf_hash *digest, uint64_t size,
    const struct tf_mirror_object *o, struct held *h, struct tf_error *err)
{
	const bool small = goes_into_bundle(size);
	const size_t piece = small ? (size_t)size + 1 : BATCH_BYTES;
	struct tf_sha256 *sha = tf_sha256_new();
	struct tf_hash have;
	uint64_t at = 0;
	size_t got = 1;
	enum tf_code rc = TF_OK;

	h->bytes = malloc(piece);
	if (sha == NULL || h->bytes == NULL)
		rc = tf_nomem(err);
	else if (!small)
		rc = tf_file_scratch(-1, &h->fd, err);
	while (rc == TF_OK && got > 0 && at < size) {
		const uint64_t left = size - at;

		rc = tf_mirror_object_read(o, at, h->bytes,
		    left < piece ? (size_t)left : piece, &got, err);
		if (rc == TF_OK)
			tf_sha256_add(sha, h->bytes, got);
		if (rc == TF_OK && !small && got > 0)
			rc = tf_file_pwrite(h->fd, h->bytes, got, at, err);
		at += got;
	}
	if (rc == TF_OK) {
		tf_sha256_peek(sha, &have);
		h->is = at == size && memcmp(&have, digest, sizeof(have)) == 0;
	}
	tf_sha256_free(sha);
	return rc;
}

static enum tf_code
open_staged(struct tf_forwarder *f, const char *file,
    struct tf_mirror_object *o, bool *there, struct tf_error *err)
{
	char name[sizeof("stage/") + TF_STAGE_NAME];

	(void)snprintf(name, sizeof(name), "stage/%s", file);
	o->fd = openat(f->src.dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (o->fd < 0 && errno != ENOENT)
		return tf_fail(err, TF_IO, "open %s", name);
	*there = o->fd >= 0;
	return TF_OK;
}

/*
 * Where the bytes of a file that is not sealed are: in its age file if it is
 * encrypted, else in its row or in its staged file.  *there: there is one of them,
 * whose bytes may be others by now.
 */
static enum tf_code
open_unsealed(struct tf_forwarder *f, const struct tf_hash *digest,
    uint64_t node, struct tf_mirror_object *o, bool *there,
    struct tf_error *err)
{
	struct tf_object_row row;
	char name[TF_STAGE_NAME];
	enum tf_code rc;

	tf_stage_age_name(node, digest, name);
	rc = open_staged(f, name, o, there, err);
	if (rc != TF_OK || *there)
		return rc;
	rc = tf_object_get(f->src.db, node, &row, &o->body, err);
	*there = rc == TF_OK && row.is_inline;
	if (*there || (rc != TF_OK && rc != TF_NOTFOUND))
		return rc;
	tf_stage_name(node, name);
	return open_staged(f, name, o, there, err);
}

/* Look once for the bytes.  *there as above; the object of a sealed file too. */
static enum tf_code
look_for_held(struct tf_forwarder *f, const struct tf_hash *digest,
    const struct tf_forward_named *n, struct held *h, bool *there,
    struct tf_error *err)
{
	struct tf_mirror_object o;
	enum tf_code rc = tf_mirror_object_open(&f->src, digest, &o, err);

	*there = rc == TF_OK && o.present;
	if (rc == TF_OK && !*there)
		rc = open_unsealed(f, digest, n->node, &o, there, err);
	if (rc == TF_OK && *there)
		rc = copy_held(digest, n->size, &o, h, err);
	tf_mirror_object_close(&o);
	return rc;
}

/*
 * Send what a file held at a flush, if it still begins with that.  If not, it was
 * written again since, and the mount, which knows that, acknowledges nothing: it
 * flushes once more.  A file on its way from one form to the other is looked for
 * again.
 */
static enum tf_code
send_held(struct tf_forwarder *f, const struct tf_hash *digest,
    const struct tf_forward_named *n, struct tf_error *err)
{
	struct held h = { .fd = -1 };
	bool there = false;
	enum tf_code rc = TF_OK;

	for (int i = 0; i < LOOKS && rc == TF_OK && !there; i++) {
		if (i > 0)
			tf_forward_pause(f, LOOKS_MS);
		rc = look_for_held(f, digest, n, &h, &there, err);
	}
	if (rc == TF_OK && h.is && h.fd >= 0)
		rc = f->blobs->ops->put(f->blobs, digest, n->size, h.fd, 0,
		    err);
	else if (rc == TF_OK && h.is)
		rc = tf_bundler_add(&f->bundler, f->blobs, digest, h.bytes,
		    (size_t)n->size, err);
	if (rc == TF_OK && h.is) {
		f->out->objects++;
		f->out->bytes += n->size;
	}
	held_free(&h);
	return rc;
}

/* --- what the entries of a batch name --------------------------------------------- */

static enum tf_code
add_named(struct tf_forwarder *f, const struct tf_hash *h,
    const struct tf_forward_named *n, struct tf_error *err)
{
	if (!tf_array_room(&f->digests, f->n_named, &f->cap_digests,
		sizeof(*f->digests)) ||
	    !tf_array_room(&f->named, f->n_named, &f->cap_named,
		sizeof(*f->named)) ||
	    !tf_array_room(&f->located, f->n_named, &f->cap_located,
		sizeof(*f->located)))
		return tf_nomem(err);
	f->digests[f->n_named] = *h;
	f->named[f->n_named++] = *n;
	return TF_OK;
}

struct naming {
	struct tf_forwarder *f;
	uint64_t entry;
};

static enum tf_code
name_object(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	const struct naming *n = arg;

	(void)size; /* that of the object counts, which has the digest */
	return add_named(n->f, h,
	    &(struct tf_forward_named){ .entry = n->entry }, err);
}

static enum tf_code
name_flushed(struct tf_forwarder *f, struct tf_str entry, uint64_t number,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_str type, path;
	enum tf_code rc = TF_OK;

	tf_entry_scan(entry.p, entry.n, &type, &path);
	if (!tf_str_same(type, tf_str_of(tf_type_name(TF_EVIDENCE_FLUSHED))))
		return TF_OK;
	rc = tf_entry_decode(&d, entry.p, entry.n, err);
	if (rc == TF_OK && d.e.type == TF_EVIDENCE_FLUSHED)
		rc = add_named(f, &d.e.flushed.sha256,
		    &(struct tf_forward_named){ .entry = number,
			.held = true,
			.node = d.e.node,
			.size = d.e.flushed.size },
		    err);
	tf_entry_decoded_free(&d);
	return rc;
}

/* The batch becomes shorter if its entries name too many objects. */
static enum tf_code
name_objects(struct tf_forwarder *f, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	f->n_named = 0;
	for (size_t i = 0; rc == TF_OK && i < f->n; i++) {
		struct naming n = { f, f->next + i };

		if (f->n_named + NAMED_MOST > TF_LOCATED_MAX) {
			f->n = i;
			break;
		}
		rc = tf_replica_named(f->entries[i].p, f->entries[i].n,
		    name_object, &n, err);
		if (rc == TF_OK)
			rc = name_flushed(f, f->entries[i], n.entry, err);
	}
	return rc;
}

/* --- batches ----------------------------------------------------------------------- */

enum tf_code
tf_forward_collect(struct tf_forwarder *f, uint64_t to, struct tf_error *err)
{
	size_t len[TF_BATCH_MAX], at = 0;
	enum tf_code rc = TF_OK;

	f->bytes.n = f->n = 0;
	while (rc == TF_OK && f->n < TF_BATCH_MAX && f->next + f->n < to &&
	    f->bytes.n < BATCH_BYTES) {
		size_t before = f->bytes.n;

		rc = tf_entries_get(f->src.db, f->next + f->n, &f->bytes, NULL,
		    err);
		if (rc == TF_NOTFOUND)
			rc = tf_fail(err, TF_TAMPER,
			    "the store lacks entry %llu",
			    (unsigned long long)f->next + f->n);
		if (rc == TF_OK)
			len[f->n++] = f->bytes.n - before;
	}
	if (rc == TF_OK)
		rc = tf_buf_end(&f->bytes, err);
	for (size_t i = 0; rc == TF_OK && i < f->n; at += len[i++])
		f->entries[i] = (struct tf_str){ f->bytes.p + at, len[i] };
	return rc;
}

enum tf_code
tf_forward_send_objects(struct tf_forwarder *f, struct tf_error *err)
{
	enum tf_code rc = name_objects(f, err);

	tf_bundler_free(&f->bundler);
	if (rc == TF_OK && f->n_named > 0)
		rc = f->ledger->ops->locate(f->ledger, f->src.origin,
		    f->digests, f->n_named, f->located, err);
	for (size_t i = 0; rc == TF_OK && i < f->n_named; i++) {
		const struct tf_forward_named *n = &f->named[i];

		if (f->located[i].len != TF_IN_NO_BUNDLE)
			continue;
		rc = n->held ? send_held(f, &f->digests[i], n, err) :
			       send_object(f, &f->digests[i], n->entry, err);
	}
	return rc == TF_OK ? tf_bundler_end(&f->bundler, f->blobs, err) : rc;
}
