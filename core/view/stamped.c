/*
 * Finds the checkpoint that a time stamp is about: see core/stamp.h; and whether
 * a store that wants time stamps has got one lately.  A stamp
 * holds a digest and nothing else of the checkpoint, and answers come soon after
 * their requests: hence a search from the newest checkpoint back.
 */
#include "stamped.h"

#include <string.h>

#include "../anchor.h"

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/timestamp.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/base.h"
#include "../node/load_entry.h"
#include "../node/vault_i.h"
#include "../stamp.h"
#include "../store/anchors.h"
#include "../store/config_file.h"
#include "../store/entries.h"
#include "../vault.h"
#include "object.h"
#include "view.h"

/* The time of an entry in the ledger, and what the clock said.  An entry that was
 * altered has none: they stay 0. */
struct times {
	struct tf_time at, clock;
};

static enum tf_code
times_of(struct tf_db *db, uint64_t seq, struct times *t, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_load_entry(db, seq, &text, &d, &e);

	if (rc == TF_OK) {
		t->at = d.e.at;
		t->clock = d.e.has_clock ? d.e.clock : d.e.at;
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc == TF_OK || rc == TF_TAMPER ? TF_OK : tf_fail_as(err, &e);
}

struct search {
	const struct tf_hash *sha256;
	uint64_t size;
	struct tf_buf *note;
	bool found;
};

/* TF_NODATA ends the walk. */
static enum tf_code
compare(void *arg, uint64_t size, struct tf_str note, struct tf_error *err)
{
	struct search *s = arg;
	struct tf_hash h;

	tf_sha256(note.p, note.n, &h);
	if (memcmp(&h, s->sha256, sizeof(h)) != 0)
		return TF_OK;
	s->found = true;
	s->size = size;
	tf_buf_add(s->note, note.p, note.n);
	return s->note->failed ? tf_nomem(err) : TF_NODATA;
}

enum tf_code
tf_vault_stamped(struct tf_vault *v, const struct tf_hash *sha256,
    uint64_t *size, struct tf_time *clock, struct tf_buf *note,
    struct tf_error *err)
{
	struct search s = { .sha256 = sha256, .note = note };
	struct times t = { .at = { 0 } };
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_checkpoints_back(db, compare, &s, err);
	if (rc == TF_NODATA)
		rc = TF_OK;
	if (rc == TF_OK && !s.found)
		rc = tf_fail(err, TF_NOTFOUND,
		    "no checkpoint of this log has these bytes");
	if (rc == TF_OK && s.size > 0)
		rc = times_of(db, s.size - 1, &t, err);
	tf_reader_done(v, db);
	*size = s.size;
	*clock = t.clock;
	return rc;
}

/* --- whether stamps are late ------------------------------------------------ */

struct newest {
	struct tf_view *w;
	struct tf_str ca; /* p NULL: stamps of any authority count */
	bool any;
	struct tf_time
	    at; /* tf_stamps_time(), the latest of those that count */
};

/* Append the bytes of a stamp: token, certificates, the stamped checkpoint. */
static enum tf_code
load_stamp(struct tf_view *w, const struct tf_anchor_row *r,
    const struct tf_entry *e, struct tf_buf b[3], struct tf_error *err)
{
	struct tf_hash root;
	enum tf_code rc = tf_view_object_row(w, r->object, &e->content,
	    "a time stamp", &b[0], err);

	if (rc == TF_OK && e->has_chain)
		rc = tf_view_object_row(w, r->chain, &e->chain,
		    "the certificates of a time stamp", &b[1], err);
	return rc == TF_OK ?
	    tf_checkpoints_get(w->db, r->size, &root, &b[2], err) :
	    rc;
}

/* Is the stamp of an authority that counts, and which time does it state?  One
 * that cannot be read or checked does not count. */
static enum tf_code
counts(const struct newest *n, const struct tf_anchor_row *r,
    const struct tf_entry *e, bool *yes, struct tf_time *stated,
    struct tf_error *err)
{
	struct tf_buf b[3] = { { 0 } };
	struct tf_error why = { .code = TF_OK };
	struct tf_stamp s = { .at = { 0 } };
	enum tf_code rc;

	rc = load_stamp(n->w, r, e, b, &why);
	if (rc == TF_OK)
		rc = tf_stamp_check(
		    &(struct tf_stamp_check){ .token = tf_buf_bytes(&b[0]),
			.chain = tf_buf_bytes(&b[1]),
			.note = tf_buf_bytes(&b[2]),
			.trusted = n->ca },
		    &s, NULL, &why);
	*yes = rc == TF_OK;
	if (*yes)
		*stated = s.at;
	for (size_t i = 0; i < 3; i++)
		tf_buf_free(&b[i]);
	return tf_code_undecided(rc) ? tf_fail_as(err, &why) : TF_OK;
}

static enum tf_code
take_newest(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct newest *n = arg;
	struct tf_entry_decoded d = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_buf text = { 0 };
	struct times next = { .at = { 0 } };
	struct tf_time at, stated = { 0 };
	enum tf_code rc;
	bool yes = false;

	if (strcmp(r->kind, TF_ANCHOR_STAMP) != 0)
		return TF_OK;
	rc = tf_load_entry(n->w->db, r->seq, &text, &d, &e);
	if (rc == TF_OK && d.e.type == TF_ANCHOR_ADDED)
		rc = counts(n, r, &d.e, &yes, &stated, &e);
	if (rc == TF_OK && yes)
		rc = times_of(n->w->db, r->size, &next, &e);
	if (rc == TF_OK && yes) {
		at = tf_stamps_time(d.e.at, stated, next.at);
		if (!n->any || tf_time_cmp(at, n->at) > 0)
			n->at = at;
		n->any = true;
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc == TF_OK || rc == TF_TAMPER ? TF_OK : tf_fail_as(err, &e);
}

enum tf_code
tf_stamps_word(struct tf_view *w, uint64_t size, const char **word,
    struct tf_error *err)
{
	static const char *const words[][2] = {
		[TF_STAMPS_OFF] = { NULL, NULL },
		[TF_STAMPS_BEST_EFFORT] = { "best-effort, in time",
		    "best-effort, late" },
		[TF_STAMPS_REQUIRED] = { "required, in time",
		    "REQUIRED, AND LATE" },
	};
	struct tf_stamps_config config;
	struct newest n = { .w = w };
	struct times last = { .at = { 0 } };
	enum tf_code rc = tf_stamps_config_read(w->v->dirfd, &config, err);

	*word = NULL;
	/* What else is wrong with the config is not for status to say. */
	if (config.trouble)
		*word = "NOT JUDGED: STORE/config has no stamp_ca that can be "
			"read";
	else if (rc == TF_OK && config.mode != TF_STAMPS_OFF && size > 0) {
		if (config.ca.n > 0)
			n.ca = tf_buf_bytes(&config.ca);
		rc = tf_anchors_newest(w->db, take_newest, &n, err);
		if (rc == TF_OK)
			rc = times_of(w->db, size - 1, &last, err);
		*word = words[config.mode]
			     [tf_stamps_late(n.any ? &n.at : NULL, last.at)];
	}
	tf_buf_free(&config.ca);
	return rc == TF_USAGE ? TF_OK : rc;
}
