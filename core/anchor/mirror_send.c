/*
 * The source side of a mirror: see mirror.h, and mirror_frames.h for the
 * conversation.
 *
 * The source sends and the receiver decides.  The receiver must first show its
 * key (M5: greet); of what it says then nothing is believed but its receipt,
 * whose signature is checked.
 *
 * Evidence may be redacted while it is being sent: the bytes are gone then, and
 * the entry that says so is after the head that was offered.  The receiver keeps
 * back its acknowledgement, so the source offers its newer head.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../mirror.h"
#include "../store/entries.h"
#include "mirror_identity.h"
#include "mirror_link.h"
#include "mirror_receipt.h"
#include "mirror_source.h"
#include "replica.h"

struct sender {
	const struct tf_mirror_send *o;
	struct tf_mirrored *out;
	struct tf_mirror_source src;
	struct tf_mirror_link link;
	struct tf_checkpoint offer;
	struct tf_buf offer_note;
	uint64_t next;	  /* entry to send */
	uint64_t durable; /* entries at the mirror */
	struct tf_buf list, entry, note;
	struct tf_buf stamps; /* uint64_t: what the entries under way stamp */
	char *data;	      /* TF_MIRROR_DATA_BYTES */
};

static void
show_progress(struct sender *s)
{
	if (s->o->progress != NULL)
		s->o->progress(s->o->arg, s->durable, s->offer.size,
		    s->out->bytes);
}

/* --- the beginning -------------------------------------------------------- */

static enum tf_code
greet(struct sender *s, struct tf_error *err)
{
	struct tf_mirror_asked asked = { .log = tf_buf_bytes(&s->src.vkey_text),
		.expected = s->o->key };
	struct tf_mirror_msg hello = { .type = TF_MIRROR_HELLO,
		.version = TF_MIRROR_VERSION,
		.origin = tf_str_of(s->src.origin),
		.key = asked.log,
		.store = tf_str_of(s->src.store) };
	struct tf_mirror_msg m;
	enum tf_code rc = tf_random(asked.challenge.b,
	    sizeof(asked.challenge.b), err);

	hello.hash = asked.challenge;
	if (rc == TF_OK)
		rc = tf_mirror_tell(&s->link, &hello, err);
	if (rc == TF_OK)
		rc = tf_mirror_hear(&s->link, TF_MIRROR_HEAD, &m, err);
	if (rc == TF_OK)
		rc = tf_mirror_check_version(&s->link, &m, err);
	if (rc == TF_OK)
		rc = tf_mirror_identify(s->src.db, &asked, &m, s->out, err);
	if (rc == TF_OK)
		s->durable = s->next = m.size;
	return rc;
}

/* Offer the newest head: it is read after that of the mirror is known, so that
 * the mirror of a vault in order is never ahead of it. */
static enum tf_code
offer(struct sender *s, struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_OFFER }, answer;
	enum tf_code rc = tf_mirror_source_head(&s->src, &s->offer,
	    &s->offer_note, err);

	if (rc == TF_OK)
		rc = tf_mirror_source_proof(&s->src, s->durable, s->offer.size,
		    &m.proof, err);
	m.note = tf_buf_bytes(&s->offer_note);
	if (rc == TF_OK)
		rc = tf_mirror_tell(&s->link, &m, err);
	return rc == TF_OK ?
	    tf_mirror_hear(&s->link, TF_MIRROR_ACCEPT, &answer, err) :
	    rc;
}

/* --- objects -------------------------------------------------------------- */

/* The bytes from `first` on.  The receiver knows from OBJECT how many come. */
static enum tf_code
send_bytes(struct sender *s, const struct tf_mirror_object *o, uint64_t first,
    struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_DATA };
	enum tf_code rc = TF_OK;
	size_t got, n;

	for (uint64_t off = first; rc == TF_OK && off < o->size; off += got) {
		n = o->size - off < TF_MIRROR_DATA_BYTES ?
		    (size_t)(o->size - off) :
		    TF_MIRROR_DATA_BYTES;
		rc = tf_mirror_object_read(o, off, s->data, n, &got, err);
		if (rc == TF_OK && got == 0)
			return tf_fail(err, TF_TAMPER,
			    "an object became shorter while it was read");
		m.list = (struct tf_str){ s->data, got };
		if (rc == TF_OK)
			rc = tf_mirror_tell(&s->link, &m, err);
		if (rc == TF_OK) {
			s->out->bytes += got;
			show_progress(s);
		}
	}
	return rc;
}

static enum tf_code
send_object(struct sender *s, const struct tf_mirror_want *w,
    struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_OBJECT,
		.hash = w->sha256 };
	struct tf_mirror_object o;
	enum tf_code rc = tf_mirror_object_open(&s->src, &w->sha256, &o, err);

	if (rc == TF_OK) {
		m.present = o.present;
		m.size = o.size;
		m.first = w->have <= o.size ? w->have : 0;
		rc = tf_mirror_tell(&s->link, &m, err);
	}
	if (rc == TF_OK && o.present) {
		rc = send_bytes(s, &o, m.first, err);
		s->out->objects += rc == TF_OK;
	}
	tf_mirror_object_close(&o);
	return rc;
}

/* The list is copied: sending an object uses the buffers of the connection. */
static enum tf_code
send_wanted(struct sender *s, struct tf_error *err)
{
	struct tf_mirror_msg m;
	struct tf_mirror_want w;
	struct tf_str rest;
	enum tf_code rc = tf_mirror_hear(&s->link, TF_MIRROR_WANT, &m, err);

	if (rc != TF_OK)
		return rc;
	s->list.n = 0;
	tf_buf_add(&s->list, m.list.p, m.list.n);
	rc = tf_buf_end(&s->list, err);
	rest = tf_buf_bytes(&s->list);
	while (rc == TF_OK && tf_mirror_next_want(&rest, &w))
		rc = send_object(s, &w, err);
	return rc;
}

/* --- entries -------------------------------------------------------------- */

/* Remember what the entry stamps, if it records a time stamp. */
static enum tf_code
note_stamp(struct sender *s, struct tf_error *err)
{
	uint64_t size;
	enum tf_code rc = tf_replica_stamp(s->entry.p, s->entry.n, &size, err);

	if (rc == TF_OK && size > 0)
		tf_buf_add(&s->stamps, &size, sizeof(size));
	return rc == TF_OK ? tf_buf_end(&s->stamps, err) : rc;
}

/* Collect entries up to `to`, as many as fit in a message. */
static enum tf_code
collect(struct sender *s, uint64_t to, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	s->list.n = s->stamps.n = 0;
	while (rc == TF_OK && s->next < to &&
	    s->list.n < TF_MIRROR_ENTRIES_BYTES) {
		s->entry.n = 0;
		rc = tf_entries_get(s->src.db, s->next, &s->entry, NULL, err);
		if (rc == TF_NOTFOUND)
			rc = tf_fail(err, TF_TAMPER, "entry %llu is missing",
			    (unsigned long long)s->next);
		if (rc == TF_OK)
			rc = note_stamp(s, err);
		if (rc == TF_OK)
			tf_mirror_add_entry(&s->list, tf_buf_bytes(&s->entry));
		s->next++;
	}
	return rc == TF_OK ? tf_buf_end(&s->list, err) : rc;
}

static enum tf_code
send_stamped(struct sender *s, struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_STAMPED };
	struct tf_hash root;
	uint64_t size;
	enum tf_code rc = TF_OK;

	for (size_t at = 0; rc == TF_OK && at < s->stamps.n;
	     at += sizeof(size)) {
		memcpy(&size, s->stamps.p + at, sizeof(size));
		s->entry.n = 0;
		rc = tf_checkpoints_get(s->src.db, size, &root, &s->entry, err);
		if (rc != TF_OK && rc != TF_NOTFOUND)
			return rc;
		m.note = tf_buf_bytes(&s->entry);
		rc = tf_mirror_tell(&s->link, &m, err);
	}
	return rc;
}

static enum tf_code
send_entries(struct sender *s, uint64_t to, struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_ENTRIES };
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && s->next < to) {
		m.first = s->next;
		rc = collect(s, to, err);
		m.list = tf_buf_bytes(&s->list);
		if (rc == TF_OK)
			rc = tf_mirror_tell(&s->link, &m, err);
		if (rc == TF_OK)
			rc = send_wanted(s, err);
		if (rc == TF_OK)
			rc = send_stamped(s, err);
	}
	return rc;
}

/* One piece of the log, which ends with a signed head. */
static enum tf_code
send_piece(struct sender *s, struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_END }, answer;
	uint64_t to;
	enum tf_code rc = tf_mirror_source_piece(&s->src, s->next,
	    s->offer.size, &s->offer_note, &to, &s->note, err);

	if (rc == TF_OK)
		rc = send_entries(s, to, err);
	if (rc == TF_OK)
		rc = tf_mirror_source_proof(&s->src, to, s->offer.size,
		    &m.proof, err);
	m.note = tf_buf_bytes(&s->note);
	if (rc == TF_OK)
		rc = tf_mirror_tell(&s->link, &m, err);
	if (rc == TF_OK)
		rc = tf_mirror_hear(&s->link, TF_MIRROR_DONE, &answer, err);
	if (rc == TF_OK)
		s->durable = answer.size;
	show_progress(s);
	return rc;
}

static enum tf_code
send_log(struct sender *s, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	uint64_t before;

	do {
		before = s->offer.size;
		if (rc == TF_OK)
			rc = offer(s, err);
		while (rc == TF_OK && s->next < s->offer.size)
			rc = send_piece(s, err);
		/* Something was redacted meanwhile: see above. */
	} while (rc == TF_OK && s->durable < s->offer.size &&
	    s->offer.size > before);
	return rc;
}

/* --- the end -------------------------------------------------------------- */

static enum tf_code
finish(struct sender *s, struct tf_error *err)
{
	struct tf_mirror_msg m = { .type = TF_MIRROR_FINISH }, receipt;
	enum tf_code rc = tf_mirror_tell(&s->link, &m, err);

	if (rc == TF_OK)
		rc = tf_mirror_hear(&s->link, TF_MIRROR_RECEIPT, &receipt, err);
	if (rc == TF_OK)
		rc = tf_mirror_check_receipt(&receipt, &s->src.vkey, &s->offer,
		    s->out, err);
	if (rc == TF_OK)
		rc = tf_mirror_is_recorded(s->src.db, s->out, err);
	return rc;
}

enum tf_code
tf_mirror_send(const struct tf_mirror_send *o, struct tf_mirrored *out,
    struct tf_error *err)
{
	struct sender s = { .o = o,
		.out = out,
		.link = { .in = o->in, .out = o->out, .peer = "the mirror" },
		.data = malloc(TF_MIRROR_DATA_BYTES) };
	enum tf_code rc;

	*out = (struct tf_mirrored){ 0 };
	rc = tf_mirror_source_open(&s.src, o->store, err);
	if (rc == TF_OK && s.data == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK && (rc = greet(&s, err)) == TF_OK &&
	    (rc = send_log(&s, err)) == TF_OK)
		rc = finish(&s, err);
	tf_mirror_link_free(&s.link);
	tf_mirror_source_close(&s.src);
	tf_buf_free(&s.offer_note);
	tf_buf_free(&s.list);
	tf_buf_free(&s.entry);
	tf_buf_free(&s.note);
	tf_buf_free(&s.stamps);
	free(s.data);
	return rc;
}

void
tf_mirrored_free(struct tf_mirrored *m)
{
	tf_buf_free(&m->key);
	tf_buf_free(&m->head);
	tf_buf_free(&m->note);
}
