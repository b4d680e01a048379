/*
 * The receiver side of a mirror: see mirror.h, and mirror_frames.h for the
 * conversation.
 *
 * Nothing that the source sends is believed.  The head of the source is accepted
 * only if it continues the receiver's own (mirror_judge.c), and entries only if
 * their tree has the root of a head that the log signed and that the offered
 * head continues (take_end).  Objects are hashed by the replica before an entry
 * that names them is taken.  The receipt is signed at the very end, for the head
 * that is durable.
 *
 * Memory: one message, its list of entries, and one small object.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../ledger/entry_scan.h"
#include "../ledger/withheld.h"
#include "../mirror.h"
#include "mirror_identity.h"
#include "mirror_judge.h"
#include "mirror_link.h"
#include "mirror_receipt.h"
#include "mirror_refused.h"
#include "replica.h"

struct receiver {
	const struct tf_mirror_receive *o;
	struct tf_mirror_link link;
	struct tf_replica *r; /* NULL: not opened yet */
	struct tf_key *key;   /* of the mirror */
	struct tf_vkey self;
	struct tf_mirror_offer offer; /* what the source said */
	struct tf_hash challenge;     /* to be signed in HEAD */
	bool batch;		      /* one was begun */
	/* Of the message with entries under way. */
	struct tf_buf entries, wants, small;
	uint64_t first;
	uint64_t *sizes; /* of the wanted objects */
	size_t n_wants, room;
};

/* Entries at the mirror that are durable. */
static uint64_t
durable(const struct receiver *v)
{
	return tf_replica_head(v->r)->size;
}

/* --- the beginning ------------------------------------------------------------ */

static enum tf_code
open_mirror(struct receiver *v, struct tf_error *err)
{
	char name[TF_ORIGIN_MAX + 1];
	enum tf_code rc = tf_replica_open(v->o->dir, &v->r, err);

	if (rc == TF_OK)
		rc = tf_replica_learn(v->r, &v->offer.keys, err);
	if (rc != TF_OK)
		return rc;
	tf_mirror_default_name(v->o->dir, name);
	return tf_mirror_key(tf_replica_dirfd(v->r),
	    v->o->name != NULL ? v->o->name : name, &v->key, &v->self, err);
}

static enum tf_code
take_hello(struct receiver *v, struct tf_error *err)
{
	struct tf_mirror_msg m;
	enum tf_code rc = tf_mirror_hear(&v->link, TF_MIRROR_HELLO, &m, err);

	if (rc == TF_OK)
		rc = tf_mirror_check_version(&v->link, &m, err);
	if (rc != TF_OK)
		return rc;
	v->challenge = m.hash;
	tf_buf_add(&v->offer.key, m.key.p, m.key.n);
	tf_buf_add(&v->offer.store, m.store.p, m.store.n);
	rc = tf_log_keys_parse(&v->offer.keys, m.key, &v->offer.log, err);
	if (rc == TF_OK && !tf_str_same(m.origin, tf_str_of(v->offer.log.name)))
		rc = tf_mirror_broken(err,
		    "the source's origin is not that of its key");
	if (rc == TF_OK)
		rc = tf_buf_end(&v->offer.store, err);
	return rc == TF_OK ? tf_buf_end(&v->offer.key, err) : rc;
}

/* Make the mirror, if there is none, with its key: the source may want to know
 * that before it offers anything. */
static enum tf_code
have_mirror(struct receiver *v, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (tf_replica_is_free(v->o->dir) &&
	    (rc = tf_mirror_check_first(&v->offer, v->o->vkey, err)) == TF_OK)
		rc = tf_replica_create(v->o->dir, tf_buf_bytes(&v->offer.key).p,
		    tf_buf_bytes(&v->offer.store).p, err);
	return rc == TF_OK ? open_mirror(v, err) : rc;
}

static enum tf_code
say_head(struct receiver *v, struct tf_error *err)
{
	struct tf_buf key = { 0 };
	struct tf_mirror_msg m = { .type = TF_MIRROR_HEAD,
		.version = TF_MIRROR_VERSION,
		.size = tf_replica_head(v->r)->size,
		.hash = tf_replica_head(v->r)->root,
		.note = tf_replica_note(v->r) };
	enum tf_code rc;

	tf_vkey_text(&v->self, &key);
	rc = tf_buf_end(&key, err);
	m.key = tf_buf_bytes(&key);
	if (rc == TF_OK)
		rc = tf_mirror_prove(v->key, &v->challenge,
		    tf_buf_bytes(&v->offer.key), &m, err);
	if (rc == TF_OK)
		rc = tf_mirror_tell(&v->link, &m, err);
	tf_buf_free(&key);
	return rc;
}

/* --- the offer ---------------------------------------------------------------- */

static enum tf_code
take_offer(struct receiver *v, const struct tf_mirror_msg *m,
    struct tf_error *err)
{
	struct tf_mirror_msg accept = { .type = TF_MIRROR_ACCEPT };
	enum tf_code rc;

	v->offer.note.n = 0;
	tf_buf_add(&v->offer.note, m->note.p, m->note.n);
	v->offer.proof = m->proof;
	if ((rc = tf_buf_end(&v->offer.note, err)) != TF_OK ||
	    (rc = tf_mirror_judge(&v->offer, v->r, v->o, err)) != TF_OK)
		return rc;
	return tf_mirror_tell(&v->link, &accept, err);
}

/* --- objects ------------------------------------------------------------------ */

/* How many bytes of it an earlier attempt has left. */
static enum tf_code
left_of(struct receiver *v, const struct tf_hash *h, uint64_t size,
    uint64_t *have, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	*have = 0;
	if (size <= TF_REPLICA_OBJECT_MAX || size == TF_REPLICA_TEXT)
		return TF_OK;
	rc = tf_replica_object_open(v->r, h, &fd, have, err);
	if (rc == TF_OK)
		(void)close(fd); /* nothing was written */
	if (*have > size)
		*have = 0;
	return rc;
}

static bool
is_wanted(const struct receiver *v, const struct tf_hash *h)
{
	struct tf_str rest = tf_buf_bytes(&v->wants);
	struct tf_mirror_want w;

	while (tf_mirror_next_want(&rest, &w))
		if (memcmp(&w.sha256, h, sizeof(*h)) == 0)
			return true;
	return false;
}

/* A content that an entry names: ask for it unless it is here. */
static enum tf_code
want_object(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	struct receiver *v = arg;
	struct tf_mirror_want w = { .sha256 = *h };
	uint64_t *more;
	bool has;
	enum tf_code rc = tf_replica_has(v->r, h, &has, err);

	if (rc != TF_OK || has || is_wanted(v, h))
		return rc;
	if (v->n_wants == v->room) {
		v->room = v->room == 0 ? 64 : 2 * v->room;
		more = reallocarray(v->sizes, v->room, sizeof(*more));
		if (more == NULL)
			return tf_nomem(err);
		v->sizes = more;
	}
	if ((rc = left_of(v, h, size, &w.have, err)) != TF_OK)
		return rc;
	v->sizes[v->n_wants++] = size;
	tf_mirror_add_want(&v->wants, &w);
	return tf_buf_end(&v->wants, err);
}

/* The next piece of an object, of which `left` bytes are to come. */
static enum tf_code
take_data(struct receiver *v, uint64_t left, struct tf_str *out,
    struct tf_error *err)
{
	struct tf_mirror_msg m;
	enum tf_code rc = tf_mirror_hear(&v->link, TF_MIRROR_DATA, &m, err);

	if (rc == TF_OK && (m.list.n == 0 || m.list.n > left))
		rc = tf_mirror_broken(err,
		    "the source sent another number of bytes than announced");
	*out = m.list;
	return rc;
}

static enum tf_code
take_small(struct receiver *v, const struct tf_mirror_msg *m,
    struct tf_error *err)
{
	struct tf_hash h = m->hash;
	uint64_t size = m->size;
	struct tf_str piece;
	enum tf_code rc = TF_OK;

	v->small.n = 0;
	while (rc == TF_OK && v->small.n < size) {
		rc = take_data(v, size - v->small.n, &piece, err);
		if (rc == TF_OK)
			tf_buf_add(&v->small, piece.p, piece.n);
		if (rc == TF_OK)
			rc = tf_buf_end(&v->small, err);
	}
	return rc == TF_OK ? tf_replica_object_put(v->r, &h,
				 tf_buf_bytes(&v->small).p, v->small.n, err) :
			     rc;
}

/* Name the file that could not be written, as seen from the mirror. */
static enum tf_code
name_incoming(const struct tf_hash *h, const struct tf_error *why,
    struct tf_error *err)
{
	char hex[2 * sizeof(h->b) + 1];

	tf_hex(h->b, sizeof(h->b), hex);
	if (why->code == TF_TAMPER || strstr(why->text, hex) != NULL)
		return tf_fail_as(err, why);
	errno = why->sys; /* of which tf_fail makes the same code again */
	return tf_fail(err, why->sys != 0 ? TF_IO : why->code,
	    "incoming/%s: %s", hex, why->text);
}

/* Write the bytes from `first` on; what is there after them is cut. */
static enum tf_code
take_file(struct receiver *v, const struct tf_hash *h, uint64_t first,
    uint64_t size, struct tf_error *err)
{
	struct tf_error why = { 0 };
	struct tf_str piece;
	uint64_t have;
	enum tf_code rc;
	int fd;

	rc = tf_replica_object_open(v->r, h, &fd, &have, err);
	if (rc != TF_OK)
		return rc;
	if (have < first || ftruncate(fd, (off_t)first) < 0)
		rc = tf_fail(err, TF_IO, "cut incoming: %s", strerror(errno));
	for (uint64_t off = first; rc == TF_OK && off < size; off += piece.n) {
		rc = take_data(v, size - off, &piece, err);
		if (rc == TF_OK &&
		    tf_file_pwrite(fd, piece.p, piece.n, off, &why) != TF_OK)
			rc = name_incoming(h, &why, err);
	}
	if (close(fd) < 0 && rc == TF_OK)
		rc = tf_fail(err, TF_IO, "close incoming: %s", strerror(errno));
	if (rc == TF_OK && tf_replica_object_keep(v->r, h, size, &why) != TF_OK)
		rc = name_incoming(h, &why, err);
	return rc;
}

#define OF_ENTRY (TF_ENTRY_ABOUT_MAX + 2)

struct whose {
	const struct tf_hash *h;
	bool found;
};

static enum tf_code
is_named(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	struct whose *w = arg;

	(void)size;
	(void)err;
	w->found = w->found || memcmp(h, w->h, sizeof(*h)) == 0;
	return TF_OK;
}

/* Write to out the entry that names the object, with ": ": nobody finds evidence by
 * its digest.  "": no entry of this batch names it. */
static void
name_entry(struct receiver *v, const struct tf_hash *h, char out[OF_ENTRY])
{
	struct tf_str rest = tf_buf_bytes(&v->entries), e;
	struct whose w = { .h = h };
	uint64_t seq = tf_replica_size(v->r);

	out[0] = '\0';
	for (; !w.found && tf_mirror_next_entry(&rest, &e); seq++)
		if (tf_replica_named(e.p, e.n, is_named, &w, NULL) != TF_OK)
			return;
	if (!w.found)
		return;
	tf_entry_about(seq - 1, &e, out);
	(void)strcat(out, ": ");
}

static enum tf_code
take_object(struct receiver *v, const struct tf_mirror_want *w, uint64_t size,
    struct tf_error *err)
{
	struct tf_mirror_msg m;
	char hex[2 * sizeof(w->sha256.b) + 1], of[OF_ENTRY];
	struct tf_hash h;
	enum tf_code rc = tf_mirror_hear(&v->link, TF_MIRROR_OBJECT, &m, err);

	if (rc != TF_OK)
		return rc;
	if (memcmp(&m.hash, &w->sha256, sizeof(m.hash)) != 0 ||
	    (m.first != 0 && m.first != w->have))
		return tf_mirror_broken(err,
		    "the source sent another object than was asked for");
	if (!m.present)
		return TF_OK; /* the replica judges that: redacted, or not */
	tf_hex(w->sha256.b, sizeof(w->sha256.b), hex);
	if (size == TF_REPLICA_TEXT && m.size <= TF_WITHHELD_MAX)
		size = m.size;
	if (m.size != size) {
		name_entry(v, &w->sha256, of);
		return tf_fail(err, TF_TAMPER,
		    "refused: %sthe object %.8s... of the source has another "
		    "size",
		    of, hex);
	}
	h = m.hash;
	rc = size <= TF_REPLICA_OBJECT_MAX ?
	    take_small(v, &m, err) :
	    take_file(v, &h, m.first, size, err);
	if (rc == TF_TAMPER) {
		name_entry(v, &h, of);
		rc = tf_fail(err, rc,
		    "refused: %sthe object %.8s... of the source is altered",
		    of, hex);
	}
	return rc;
}

/* --- entries ------------------------------------------------------------------ */

static enum tf_code
ask(struct receiver *v, struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_WANT };
	struct tf_str rest = tf_buf_bytes(&v->entries), e;
	struct tf_mirror_want w;
	enum tf_code rc = TF_OK;

	v->wants.n = v->n_wants = 0;
	while (rc == TF_OK && tf_mirror_next_entry(&rest, &e))
		rc = tf_replica_named(e.p, e.n, want_object, v, err);
	if (rc == TF_INVALID)
		return tf_fail(err, TF_TAMPER,
		    "refused: the source sent bytes that are no entry, after "
		    "%llu entries",
		    (unsigned long long)tf_replica_size(v->r));
	m.list = tf_buf_bytes(&v->wants);
	if (rc == TF_OK)
		rc = tf_mirror_tell(&v->link, &m, err);
	rest = tf_buf_bytes(&v->wants);
	for (size_t i = 0; rc == TF_OK && tf_mirror_next_want(&rest, &w); i++)
		rc = take_object(v, &w, v->sizes[i], err);
	return rc;
}

/* The checkpoint that was stamped, if the entry records a time stamp.  The
 * replica checks it with the entry. */
static enum tf_code
take_stamped(struct receiver *v, struct tf_str e, struct tf_error *err)
{
	struct tf_mirror_msg m;
	uint64_t size;
	enum tf_code rc = tf_replica_stamp(e.p, e.n, &size, err);

	if (rc != TF_OK || size == 0)
		return rc;
	rc = tf_mirror_hear(&v->link, TF_MIRROR_STAMPED, &m, err);
	return rc == TF_OK && m.note.n > 0 ?
	    tf_replica_stamped(v->r, m.note.p, m.note.n, err) :
	    rc;
}

static enum tf_code
append(struct receiver *v, struct tf_error *err)
{
	struct tf_str rest = tf_buf_bytes(&v->entries), e;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && tf_mirror_next_entry(&rest, &e)) {
		if (tf_replica_size(v->r) == v->offer.head.size)
			return tf_mirror_broken(err,
			    "the source sent more entries than it offered");
		rc = take_stamped(v, e, err);
		if (rc == TF_OK)
			rc = tf_replica_entry(v->r, e.p, e.n, err);
	}
	return rc;
}

/* Objects come first, then the entries that name them. */
static enum tf_code
take_entries(struct receiver *v, const struct tf_mirror_msg *m,
    struct tf_error *err)
{
	enum tf_code rc;

	if (m->first != tf_replica_size(v->r) || m->list.n == 0)
		return tf_mirror_broken(err,
		    "the source sent other entries than the next");
	v->entries.n = 0;
	tf_buf_add(&v->entries, m->list.p, m->list.n);
	if ((rc = tf_buf_end(&v->entries, err)) != TF_OK)
		return rc;
	if (!v->batch && (rc = tf_replica_begin(v->r, err)) != TF_OK)
		return rc;
	v->batch = true;
	rc = ask(v, err);
	return rc == TF_OK ? append(v, err) : rc;
}

/* The head of a piece must be on the way from the head of the mirror to the one
 * that was offered. */
static enum tf_code
check_piece(struct receiver *v, const struct tf_mirror_msg *m,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	enum tf_code rc = tf_log_keys_check(&v->offer.keys, &v->offer.log,
	    m->note.p, m->note.n, &c, NULL, err);

	if (rc == TF_INVALID || rc == TF_FOREIGN)
		return tf_fail(err, TF_TAMPER,
		    "refused: the head of a piece is malformed");
	if (rc == TF_OK && c.size != tf_replica_size(v->r))
		rc = tf_mirror_broken(err,
		    "the source ended a piece at another place than its head");
	if (rc == TF_OK &&
	    tf_merkle_check_consistency(c.size, v->offer.head.size, &c.root,
		&v->offer.head.root, m->proof.h, m->proof.n) != TF_OK)
		rc = tf_fail(err, TF_TAMPER,
		    "refused: forked: the heads of the source with %llu and "
		    "%llu entries are not of one history",
		    (unsigned long long)c.size,
		    (unsigned long long)v->offer.head.size);
	return rc;
}

static enum tf_code
take_end(struct receiver *v, const struct tf_mirror_msg *m,
    struct tf_error *err)
{
	struct tf_mirror_msg answer = { .type = TF_MIRROR_DONE };
	bool done = false;
	enum tf_code rc;

	if (!v->batch)
		return tf_mirror_broken(err, "the source sent no entries");
	if ((rc = check_piece(v, m, err)) != TF_OK)
		return rc;
	if (TF_IS_MUTANT(TF_RECEIPT_FIRST) &&
	    tf_replica_size(v->r) == v->offer.head.size) {
		answer.size = v->offer.head.size;
		return tf_mirror_tell(&v->link, &answer, err);
	}
	rc = tf_replica_commit(v->r, m->note.p, m->note.n, &done, err);
	if (rc == TF_FOREIGN || rc == TF_INVALID)
		return tf_fail(err, TF_TAMPER,
		    "refused: the head with %llu entries is not of this log",
		    (unsigned long long)tf_replica_size(v->r));
	if (rc != TF_OK)
		return rc;
	v->batch = !done;
	answer.size = durable(v);
	return tf_mirror_tell(&v->link, &answer, err);
}

/* --- the end ------------------------------------------------------------------ */

static enum tf_code
send_receipt(struct receiver *v, struct tf_str head, struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_RECEIPT };
	struct tf_buf note = { 0 }, key = { 0 };
	enum tf_code rc = tf_mirror_sign(v->key, &v->self, head, &note, err);

	tf_vkey_text(&v->self, &key);
	if (rc == TF_OK)
		rc = tf_buf_end(&key, err);
	m.note = tf_buf_bytes(&note);
	m.key = tf_buf_bytes(&key);
	if (rc == TF_OK)
		rc = tf_mirror_tell(&v->link, &m, err);
	tf_buf_free(&note);
	tf_buf_free(&key);
	return rc;
}

/* M1: the receipt is about the head that is durable here, and about no other. */
static enum tf_code
give_receipt(struct receiver *v, struct tf_error *err)
{
	bool done;
	enum tf_code rc;

	if (TF_IS_MUTANT(TF_RECEIPT_FIRST) && v->batch) {
		rc = send_receipt(v, tf_buf_bytes(&v->offer.note), err);
		return rc == TF_OK ? tf_replica_commit(v->r, v->offer.note.p,
					 v->offer.note.n, &done, err) :
				     rc;
	}
	if (v->batch)
		return tf_fail(err, TF_TAMPER,
		    "refused: the source lacks %.100s, and no redaction of it "
		    "is recorded",
		    tf_replica_owed(v->r));
	if (durable(v) != v->offer.head.size ||
	    memcmp(&tf_replica_head(v->r)->root, &v->offer.head.root,
		sizeof(v->offer.head.root)) != 0)
		return tf_mirror_broken(err,
		    "the source ended before all entries were sent");
	return send_receipt(v, tf_replica_note(v->r), err);
}

/* Messages until FINISH. */
static enum tf_code
converse(struct receiver *v, struct tf_error *err)
{
	struct tf_mirror_msg m;
	enum tf_code rc = tf_mirror_hear(&v->link, TF_MIRROR_OFFER, &m, err);

	if (rc == TF_OK)
		rc = take_offer(v, &m, err);
	while (rc == TF_OK &&
	    (rc = tf_mirror_hear_any(&v->link, &m, err)) == TF_OK)
		switch (m.type) {
		case TF_MIRROR_OFFER:
			rc = take_offer(v, &m, err);
			break;
		case TF_MIRROR_ENTRIES:
			rc = take_entries(v, &m, err);
			break;
		case TF_MIRROR_END:
			rc = take_end(v, &m, err);
			break;
		case TF_MIRROR_FINISH:
			return give_receipt(v, err);
		default:
			return tf_mirror_broken(err, "the source sent %s",
			    tf_mirror_name(m.type));
		}
	return rc;
}

/* M3: keep both heads.  That this failed must not hide why. */
static void
keep_refused(struct receiver *v, const struct tf_error *why)
{
	char name[TF_MIRROR_REFUSED_NAME];
	struct tf_buf key = { 0 };
	struct tf_mirror_refusal f = { .reason = why->text,
		.source_head = tf_buf_bytes(&v->offer.note),
		.source_key = tf_buf_bytes(&v->offer.key),
		.proof = v->offer.proof };

	if (v->r == NULL || why->code != TF_TAMPER || v->offer.note.n == 0)
		return;
	tf_vkey_text(tf_replica_vkey(v->r), &key);
	f.mirror_head = tf_replica_note(v->r);
	f.mirror_key = tf_buf_bytes(&key);
	(void)!tf_mirror_refuse(tf_replica_dirfd(v->r), &f, name, NULL);
	tf_buf_free(&key);
}

/* Say why to the source, unless the connection failed.  A number of errno is not
 * sent, and the reader is at another machine: both must be in the text.  The
 * database is the only file whose error has no number. */
static void
tell_refused(struct receiver *v, const struct tf_error *why, bool *answered)
{
	const bool db = why->code == TF_NOSPACE && why->sys == 0;
	const char *sys = why->sys != 0 ? strerror(why->sys) : "";
	struct tf_error text = *why;
	struct tf_mirror_msg m = { .type = TF_MIRROR_REFUSED,
		.code = why->code };

	if (strstr(why->text, sys) != NULL)
		sys = "";
	if (db || why->sys != 0)
		(void)tf_fail(&text, why->code, "at the mirror: %s%s%s%s",
		    db ? "ledger.db: " : "", why->text,
		    sys[0] != '\0' ? ": " : "", sys);
	m.text = tf_str_of(text.text);
	*answered = tf_mirror_tell(&v->link, &m, NULL) == TF_OK;
}

enum tf_code
tf_mirror_receive(const struct tf_mirror_receive *o, bool *answered,
    struct tf_error *err)
{
	struct receiver v = { .o = o,
		.link = { .in = o->in, .out = o->out, .peer = "the source" } };
	struct tf_error why = { 0 };
	enum tf_code rc = take_hello(&v, &why);

	*answered = false;
	if (rc == TF_OK)
		rc = have_mirror(&v, &why);
	if (rc == TF_OK)
		rc = say_head(&v, &why);
	if (rc == TF_OK)
		rc = converse(&v, &why);
	if (rc != TF_OK) {
		keep_refused(&v, &why);
		tell_refused(&v, &why, answered);
		(void)tf_fail_as(err, &why);
	}
	tf_replica_close(v.r);
	tf_key_free(v.key);
	tf_mirror_link_free(&v.link);
	tf_mirror_offer_free(&v.offer);
	tf_buf_free(&v.entries);
	tf_buf_free(&v.wants);
	tf_buf_free(&v.small);
	free(v.sizes);
	return rc;
}
