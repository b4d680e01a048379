/*
 * Forwarding a store to an organisation: see forward.h.
 *
 *	begin:  open both sides, ask for the cursor, compare the histories
 *	cycle:  head of the store -> batches up to it -> wait for more
 *	batch:  which objects do its entries name -> which of them has the ledger
 *		(one question) -> send the others, small ones in bundles -> append
 *
 * Nothing that counts is remembered here between two runs: the ledger's answer to
 * member() is the cursor, and STORE/forwarded only says to people how far it is.  The first batch begins with the last entry that the ledger has, so
 * that the ledger itself compares the histories and records a fork (W3); the root
 * of the last checkpoint that it has is compared too.
 */
#include "../forward.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_scan.h"
#include "../node/stage_files.h"
#include "../org/append.h"
#include "../org/bundle.h"
#include "../org/uri.h"
#include "../store/entries.h"
#include "../store/forward_link.h"
#include "../store/forwarded.h"
#include "../store/objects.h"
#include "mirror_source.h"
#include "replica.h"

#define BATCH_BYTES (2u << 20) /* of entries in a batch, about */
#define FEW 64		       /* entries that are sent at once; */
#define LINGER_NS TF_SECOND    /* fewer wait so long for more */
#define LOOK_MS 100	       /* between two looks for more, or for stop */
#define REMEMBER_NS (10 * TF_SECOND) /* between two states while it sends */
#define WAITED_MS 5000 /* a pause is not longer while somebody waits */
#define KEEP_NS (10 * TF_SECOND) /* how long the source stays open */
#define PEERS 4			 /* mounts, of which there is one */
#define LOOKS 20		 /* for bytes that are on their way, */
#define LOOKS_MS 50		 /* and between two of them */
#define ONCE_TRIES 7 /* of one step, which are 6 seconds of pauses */
/* Objects that one entry names, at most: it has 64 digits of each. */
#define NAMED_MOST (TF_ORG_ENTRY_MAX / 64)

/* An object that an entry of the batch names. */
struct named {
	uint64_t entry;
	/* evidence.flushed: what this node held then, of so many bytes. */
	bool held;
	uint64_t node, size;
};

struct forwarder {
	const struct tf_forward *o;
	struct tf_forwarded *out;
	struct tf_mirror_source src;
	struct tf_ledger *ledger;
	struct tf_blobs *blobs;
	uint64_t next; /* the first entry that the next batch has to bring */
	bool compared; /* the histories: next is known */
	unsigned pause_ms, tries;
	struct tf_checkpoint head;
	struct tf_buf head_note;
	/* The batch. */
	struct tf_buf note, bytes;
	struct tf_str entries[TF_BATCH_MAX];
	size_t n;
	/* What they name: its digests, who names it, and where the ledger has it. */
	struct tf_hash *digests;
	struct named *named;
	struct tf_located *located;
	size_t n_named, cap_digests, cap_named, cap_located;
	struct tf_bundler bundler;
	struct tf_forward_state state; /* as it is in the store */
	uint64_t remembered_ns;
	bool forgot;	    /* the state of now is not in the store */
	uint64_t opened_ns; /* the source; 0: it is to be opened again */
	/* The mount that waits: see store/forward_link.h. */
	int dirfd, listening; /* or -1 */
	int peer[PEERS];      /* or -1 */
	uint64_t wanted;      /* entries */
};

static bool
may_pass(enum tf_code rc)
{
	return rc == TF_IO || rc == TF_BUSY || rc == TF_INDOUBT ||
	    rc == TF_NOSPACE || rc == TF_TOOMANY || rc == TF_LOCKED;
}

static bool
stopped(const struct forwarder *f)
{
	return f->o->stop != NULL && f->o->stop(f->o->arg);
}

static void
tell(const struct forwarder *f, const struct tf_error *why)
{
	if (f->o->report != NULL)
		f->o->report(f->o->arg, f->out, why);
}

/* --- who waits ------------------------------------------------------------------ */

static void
hang_up(int *peer)
{
	if (*peer >= 0)
		(void)close(*peer);
	*peer = -1;
}

static void
say_to(const struct forwarder *f, int *peer, const char *why)
{
	struct tf_forward_word w = { .entries = f->compared ? f->out->entries :
							      0 };

	(void)snprintf(w.origin, sizeof(w.origin), "%s", f->src.origin);
	(void)snprintf(w.why, sizeof(w.why), "%s", why);
	/* The origin is known when the store was opened. */
	if (*peer >= 0 && w.origin[0] != '\0' && !tf_forward_tell(*peer, &w))
		hang_up(peer);
}

/* What the organisation has by now, which the ledger has answered. */
static void
say_to_all(struct forwarder *f, const char *why)
{
	for (size_t i = 0; i < PEERS; i++)
		say_to(f, &f->peer[i], why);
}

static bool
somebody_waits(const struct forwarder *f)
{
	return f->wanted > f->out->entries || (f->wanted > 0 && !f->compared);
}

/* A forwarder that cannot listen forwards all the same. */
static void
listen_for_mounts(struct forwarder *f)
{
	struct tf_error why;

	if (f->o->once || f->listening >= 0)
		return;
	if (f->dirfd < 0)
		f->dirfd = open(f->o->store,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dirfd >= 0 &&
	    tf_forward_listen(f->dirfd, &f->listening, &why) != TF_OK) {
		f->listening = -1;
		(void)snprintf(f->out->unwritten, sizeof(f->out->unwritten),
		    "%s", why.text);
	}
}

static void
take_peer(struct forwarder *f)
{
	int fd = tf_forward_accept(f->dirfd, f->listening);
	size_t i = 0;

	if (fd < 0)
		return;
	while (i < PEERS - 1 && f->peer[i] >= 0)
		i++;
	hang_up(&f->peer[i]);
	f->peer[i] = fd;
	say_to(f, &f->peer[i], "");
}

/* Listen for ms, or until somebody waits for more than the organisation has. */
static void
hear(struct forwarder *f, unsigned ms)
{
	struct pollfd p[PEERS + 1] = { { .fd = f->listening,
	    .events = POLLIN } };
	uint64_t n;
	bool got;

	for (size_t i = 0; i < PEERS; i++)
		p[i + 1] = (struct pollfd){ .fd = f->peer[i],
			.events = POLLIN };
	if (poll(p, PEERS + 1, (int)ms) <= 0)
		return;
	for (size_t i = 0; i < PEERS; i++) {
		if (p[i + 1].revents == 0)
			continue;
		if (!tf_forward_wanted(f->peer[i], &n, &got))
			hang_up(&f->peer[i]);
		else if (got && n > f->wanted)
			f->wanted = n;
		if (got && f->compared && n <= f->out->entries)
			say_to(f, &f->peer[i], "");
	}
	if (p[0].revents != 0)
		take_peer(f);
	got = false;
	for (size_t i = 0; i < PEERS; i++)
		got = got || f->peer[i] >= 0;
	if (!got)
		f->wanted = 0;
}

static void
close_link(struct forwarder *f)
{
	for (size_t i = 0; i < PEERS; i++)
		hang_up(&f->peer[i]);
	if (f->listening >= 0) {
		(void)unlinkat(f->dirfd, TF_FORWARD_SOCKET, 0);
		(void)close(f->listening);
	}
	if (f->dirfd >= 0)
		(void)close(f->dirfd);
}

/* --- the state, for people ------------------------------------------------------ */

/* Write the state, which nothing here reads again: a store that this user cannot
 * write is forwarded all the same. */
static void
remember(struct forwarder *f, const struct tf_forward_state *state)
{
	struct tf_error why = { 0 };
	int fd = open(f->o->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc = fd < 0 ? tf_fail(&why, TF_IO, "open the store") :
				   tf_forwarded_put(fd, state, &why);

	if (fd >= 0)
		(void)close(fd); /* a directory */
	(void)snprintf(f->out->unwritten, sizeof(f->out->unwritten), "%s",
	    rc == TF_OK ? "" : why.text);
	f->state = *state;
	f->remembered_ns = tf_clock_boot_ns();
	f->forgot = false;
}

static void
remember_success(struct forwarder *f)
{
	const struct tf_forward_state s = { .at = tf_clock_now(),
		.entries = f->out->entries };

	remember(f, &s);
}

/* A failure that lasts is written once. */
static void
remember_failure(struct forwarder *f, const struct tf_error *why, bool final)
{
	struct tf_forward_state s = f->state;

	/* An argument that is wrong says nothing about the forwarder that runs as
	 * a service. */
	if (why->code == TF_INVALID && f->ledger == NULL)
		return;
	if (s.failed_at.s != 0 && s.final == final &&
	    strcmp(s.why, why->text) == 0)
		return;
	s.failed_at = tf_clock_now();
	s.final = final;
	(void)snprintf(s.why, sizeof(s.why), "%s", why->text);
	remember(f, &s);
}

static void
load_state(struct forwarder *f)
{
	int fd = open(f->o->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (tf_forwarded_get(fd, &f->state, NULL) != TF_OK)
		f->state = (struct tf_forward_state){ 0 };
	(void)close(fd); /* a directory */
}

/* Listen for the whole of ms. */
static void
wait_out(struct forwarder *f, unsigned ms)
{
	const uint64_t until = tf_clock_boot_ns() + (uint64_t)ms * 1000000;
	uint64_t now;

	while ((now = tf_clock_boot_ns()) < until)
		hear(f, (unsigned)((until - now) / 1000000) + 1);
}

/* False: there is to be no other attempt. */
static bool
pause_for(void *arg, unsigned ms, const struct tf_error *why)
{
	struct forwarder *f = arg;
	uint32_t chance = 0;
	unsigned step;

	if (stopped(f) || (f->o->once && ++f->tries >= ONCE_TRIES))
		return false;
	remember_failure(f, why, false);
	tell(f, why);
	say_to_all(f, why->text);
	/* Many hosts that lost the ledger at one moment must not come back at one
	 * moment: a busy machine may then answer none of them in time. */
	if (tf_random(&chance, sizeof(chance), NULL) == TF_OK)
		ms -= chance % (ms / 2 + 1);
	for (; ms > 0 && !stopped(f); ms -= step) {
		if (ms > WAITED_MS && somebody_waits(f))
			ms = WAITED_MS;
		step = ms < LOOK_MS ? ms : LOOK_MS;
		wait_out(f, step);
	}
	return !stopped(f);
}

/* --- the beginning ------------------------------------------------------------- */

/* Is the checkpoint that the organisation has one of this store? */
static enum tf_code
compare_roots(struct forwarder *f, const struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_hash root;
	struct tf_note parts;
	enum tf_code rc;

	if (note->n == 0)
		return TF_OK;
	rc = tf_checkpoint_parse(note->p, note->n, &parts, &c, err);
	if (rc == TF_NOMEM)
		return rc;
	if (rc != TF_OK || strcmp(c.origin, f->src.origin) != 0 ||
	    c.size > f->head.size)
		return tf_fail(err, TF_TAMPER,
		    "the organisation has a checkpoint of %s that is not of "
		    "this store",
		    f->src.origin);
	if (c.size == 0)
		return TF_OK;
	rc = tf_merkle_root(c.size, tf_tiles_read, f->src.db, &root, err);
	if (rc == TF_OK && memcmp(root.b, c.root.b, sizeof(root.b)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "the organisation has another history of %s: its "
		    "checkpoint of %llu entries is not of this store",
		    f->src.origin, (unsigned long long)c.size);
	return rc;
}

/* The origin was revoked: give the next entry all the same, which the ledger refuses
 * and records.  So the organisation knows that this vault has gone on. */
static void
offer(struct forwarder *f)
{
	struct tf_batch b = { .origin = f->src.origin,
		.number = f->next,
		.n = 1 };
	struct tf_buf bytes = { 0 };
	struct tf_appended a;
	struct tf_str entry;

	if (f->next < f->head.size &&
	    tf_entries_get(f->src.db, f->next, &bytes, NULL, NULL) == TF_OK &&
	    tf_buf_end(&bytes, NULL) == TF_OK) {
		entry = tf_buf_bytes(&bytes);
		b.entries = &entry;
		(void)f->ledger->ops->append(f->ledger, &b, &a, NULL);
	}
	tf_buf_free(&bytes);
}

static enum tf_code
compare(struct forwarder *f, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	enum tf_code rc = f->ledger->ops->member(f->ledger, f->src.origin,
	    &f->next, &note, err);

	if (rc == TF_DENIED)
		offer(f);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_DENIED,
		    "%s is not enrolled in this organisation: its organiser "
		    "runs trailctl org enrol",
		    f->src.origin);
	if (rc == TF_OK && f->next > f->head.size)
		rc = tf_fail(err, TF_TAMPER,
		    "the organisation has %llu entries of %s, this store only "
		    "%llu: entries were lost here (trailctl org fetch gets "
		    "them)",
		    (unsigned long long)f->next, f->src.origin,
		    (unsigned long long)f->head.size);
	if (rc == TF_OK)
		rc = compare_roots(f, &note, err);
	tf_buf_free(&note);
	if (rc != TF_OK)
		return rc;
	f->out->entries = f->next;
	f->next -= f->next > 0; /* the last one again: see above */
	f->compared = true;
	say_to_all(f, "");
	return TF_OK;
}

/* The source knows the keys of its log since it was opened: a later rotation needs
 * it to be opened again. */
static void
close_source(struct forwarder *f)
{
	tf_mirror_source_close(&f->src);
	f->src = (struct tf_mirror_source){ .dirfd = -1, .objectsfd = -1 };
}

static enum tf_code
open_both(struct forwarder *f, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (f->ledger == NULL)
		rc = tf_ledger_open(f->o->ledger, TF_ORG_MEMBER, &f->ledger,
		    err);
	if (rc == TF_OK && f->blobs == NULL)
		rc = tf_blobs_open(f->o->blobs, TF_ORG_MEMBER, &f->blobs, err);
	return rc;
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
judge_absent(struct forwarder *f, const struct tf_hash *h, uint64_t entry,
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
put_large(struct forwarder *f, const struct tf_hash *h,
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
put_small(struct forwarder *f, const struct tf_hash *h,
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
send_object(struct forwarder *f, const struct tf_hash *h, uint64_t entry,
    struct tf_error *err)
{
	struct tf_mirror_object o;
	enum tf_code rc = tf_mirror_object_open(&f->src, h, &o, err);

	if (rc == TF_OK && !o.present)
		rc = judge_absent(f, h, entry, err);
	else if (rc == TF_OK) {
		rc = o.size <= TF_BUNDLED_MAX ? put_small(f, h, &o, err) :
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
	const bool small = size <= TF_BUNDLED_MAX;
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
open_staged(struct forwarder *f, const char *file, struct tf_mirror_object *o,
    bool *there, struct tf_error *err)
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
open_unsealed(struct forwarder *f, const struct tf_hash *digest, uint64_t node,
    struct tf_mirror_object *o, bool *there, struct tf_error *err)
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
look_for_held(struct forwarder *f, const struct tf_hash *digest,
    const struct named *n, struct held *h, bool *there, struct tf_error *err)
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
send_held(struct forwarder *f, const struct tf_hash *digest,
    const struct named *n, struct tf_error *err)
{
	struct held h = { .fd = -1 };
	bool there = false;
	enum tf_code rc = TF_OK;

	for (int i = 0; i < LOOKS && rc == TF_OK && !there; i++) {
		if (i > 0)
			wait_out(f, LOOKS_MS);
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
add_named(struct forwarder *f, const struct tf_hash *h, const struct named *n,
    struct tf_error *err)
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
	struct forwarder *f;
	uint64_t entry;
};

static enum tf_code
name_object(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	const struct naming *n = arg;

	(void)size; /* that of the object counts, which has the digest */
	return add_named(n->f, h, &(struct named){ .entry = n->entry }, err);
}

static enum tf_code
name_flushed(struct forwarder *f, struct tf_str entry, uint64_t number,
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
		    &(struct named){ .entry = number,
			.held = true,
			.node = d.e.node,
			.size = d.e.flushed.size },
		    err);
	tf_entry_decoded_free(&d);
	return rc;
}

/* The batch becomes shorter if its entries name too many objects. */
static enum tf_code
name_objects(struct forwarder *f, struct tf_error *err)
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

/* Read entries from f->next on, fewer than up to `to` if they are many. */
static enum tf_code
collect(struct forwarder *f, uint64_t to, struct tf_error *err)
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
			    (unsigned long long)(f->next + f->n));
		if (rc == TF_OK)
			len[f->n++] = f->bytes.n - before;
	}
	if (rc == TF_OK)
		rc = tf_buf_end(&f->bytes, err);
	for (size_t i = 0; rc == TF_OK && i < f->n; at += len[i++])
		f->entries[i] = (struct tf_str){ f->bytes.p + at, len[i] };
	return rc;
}

/* Send what the entries of the batch name, but for what the ledger has (W2). */
static enum tf_code
send_objects(struct forwarder *f, struct tf_error *err)
{
	enum tf_code rc = name_objects(f, err);

	tf_bundler_free(&f->bundler);
	if (rc == TF_OK && f->n_named > 0)
		rc = f->ledger->ops->locate(f->ledger, f->src.origin,
		    f->digests, f->n_named, f->located, err);
	for (size_t i = 0; rc == TF_OK && i < f->n_named; i++) {
		const struct named *n = &f->named[i];

		if (f->located[i].len != TF_IN_NO_BUNDLE)
			continue;
		rc = n->held ? send_held(f, &f->digests[i], n, err) :
			       send_object(f, &f->digests[i], n->entry, err);
	}
	return rc == TF_OK ? tf_bundler_end(&f->bundler, f->blobs, err) : rc;
}

/* One batch, of entries below `to`, where note is a checkpoint. */
static enum tf_code
send_batch(struct forwarder *f, uint64_t to, struct tf_error *err)
{
	struct tf_patience patience = { pause_for, f };
	struct tf_appended a;
	struct tf_batch b;
	enum tf_code rc = collect(f, to, err);

	if (rc == TF_OK)
		rc = send_objects(f, err);
	if (rc != TF_OK)
		return rc;
	b = (struct tf_batch){ .origin = f->src.origin,
		.number = f->next,
		.entries = f->entries,
		.n = f->n,
		.located = f->bundler.located,
		.nlocated = f->bundler.n };
	if (f->next + f->n == to)
		b.note = tf_buf_bytes(&f->note);
	rc = tf_org_append(f->ledger, &b, &patience, &a, err);
	if (rc != TF_OK)
		return rc;
	f->next += f->n;
	f->out->sent += f->next - f->out->entries;
	f->out->entries = f->next;
	f->pause_ms = f->tries = 0;
	say_to_all(f, "");
	if (f->state.failed_at.s != 0 ||
	    tf_clock_boot_ns() - f->remembered_ns >= REMEMBER_NS)
		remember_success(f);
	tell(f, NULL);
	return TF_OK;
}

static enum tf_code
send_all(struct forwarder *f, struct tf_error *err)
{
	uint64_t to = f->next;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && f->next < f->head.size && !stopped(f)) {
		if (f->next == to)
			rc = tf_mirror_source_piece(&f->src, f->next,
			    f->head.size, &f->head_note, &to, &f->note, err);
		if (rc == TF_OK)
			rc = send_batch(f, to, err);
	}
	return rc;
}

/* The whole of what is there. */
static enum tf_code
cycle(struct forwarder *f, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	listen_for_mounts(f);
	if (f->opened_ns == 0 || tf_clock_boot_ns() - f->opened_ns >= KEEP_NS) {
		close_source(f);
		f->opened_ns = 0;
		if ((rc = tf_mirror_source_open(&f->src, f->o->store, err)) ==
		    TF_OK)
			rc = open_both(f, err);
		if (rc == TF_OK)
			rc = tf_mirror_source_head(&f->src, &f->head,
			    &f->head_note, err);
		f->opened_ns = rc == TF_OK ? tf_clock_boot_ns() : 0;
	}
	f->out->of = f->head.size;
	if (rc == TF_OK && !f->compared)
		rc = compare(f, err);
	return rc == TF_OK ? send_all(f, err) : rc;
}

/* Wait until some entries are there, or a few for some time. */
static enum tf_code
wait_for_more(struct forwarder *f, struct tf_error *err)
{
	uint64_t since = 0;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && !stopped(f)) {
		rc = tf_mirror_source_head(&f->src, &f->head, &f->head_note,
		    err);
		if (rc != TF_OK || f->head.size >= f->next + FEW)
			break;
		if (f->head.size > f->next && since == 0)
			since = tf_clock_boot_ns();
		if (since != 0 &&
		    (somebody_waits(f) ||
			tf_clock_boot_ns() - since >= LINGER_NS))
			break;
		if (f->forgot &&
		    tf_clock_boot_ns() - f->remembered_ns >= LINGER_NS)
			remember_success(f);
		hear(f, LOOK_MS);
	}
	/* Of a key that was rotated meanwhile: cycle opens the store again. */
	if (rc == TF_TAMPER)
		f->opened_ns = 0;
	return rc == TF_TAMPER ? TF_OK : rc;
}

static enum tf_code
run(struct forwarder *f, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc;

	do {
		/* A writer that waits for the next entry does not wait for this
		 * file, too. */
		if ((rc = cycle(f, &why)) == TF_OK) {
			f->forgot = true;
			if (f->o->once || f->state.failed_at.s != 0 ||
			    tf_clock_boot_ns() - f->remembered_ns >= LINGER_NS)
				remember_success(f);
		}
		if (rc == TF_OK && f->o->once && !stopped(f))
			return TF_OK;
		if (rc == TF_OK)
			rc = wait_for_more(f, &why);
		if (rc == TF_OK)
			continue;
		f->opened_ns = 0;
		if (!may_pass(rc))
			return tf_fail_as(err, &why);
		f->pause_ms = tf_pause_after(f->pause_ms);
		if (!pause_for(f, f->pause_ms, &why) && !stopped(f))
			return tf_fail_as(err, &why);
	} while (!stopped(f));
	return f->o->once ? tf_fail(err, TF_INTERRUPTED, "interrupted") : TF_OK;
}

enum tf_code
tf_forward(const struct tf_forward *o, struct tf_forwarded *out,
    struct tf_error *err)
{
	struct forwarder *f = calloc(1, sizeof(*f));
	struct tf_error why = { 0 };
	enum tf_code rc;

	*out = (struct tf_forwarded){ 0 };
	if (f == NULL)
		return tf_nomem(err);
	f->o = o;
	f->out = out;
	f->src = (struct tf_mirror_source){ .dirfd = -1, .objectsfd = -1 };
	f->dirfd = f->listening = -1;
	for (size_t i = 0; i < PEERS; i++)
		f->peer[i] = -1;
	load_state(f);
	rc = run(f, &why);
	if (rc != TF_OK && rc != TF_INTERRUPTED)
		remember_failure(f, &why, !may_pass(rc));
	else if (f->forgot)
		remember_success(f);
	if (rc != TF_OK)
		(void)tf_fail_as(err, &why);
	say_to_all(f, rc == TF_OK ? "" : why.text);
	close_link(f);
	tf_ledger_close(f->ledger);
	tf_blobs_close(f->blobs);
	close_source(f);
	tf_bundler_free(&f->bundler);
	tf_buf_free(&f->head_note);
	tf_buf_free(&f->note);
	tf_buf_free(&f->bytes);
	free(f->digests);
	free(f->named);
	free(f->located);
	free(f);
	return rc;
}
