/*
 * Finds the checkpoint that a time stamp is about: see core/stamp.h; and whether
 * a store that wants time stamps has got one lately.  A stamp
 * holds a digest and nothing else of the checkpoint, and answers come soon after
 * their requests: hence a search from the newest checkpoint back.
 */
#include "stamped.h"

#include <string.h>

#include "../anchor.h"

#include "../base/crypto.h"
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
	bool any;
	uint64_t seq;
};

static enum tf_code
take_newest(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct newest *n = arg;

	(void)err;
	if (strcmp(r->kind, TF_ANCHOR_STAMP) != 0 ||
	    (n->any && r->seq < n->seq))
		return TF_OK;
	n->any = true;
	n->seq = r->seq;
	return TF_OK;
}

static enum tf_code
take_mode(void *arg, const char *key, const char *value, struct tf_error *err)
{
	(void)err;
	(void)tf_config_stamps(key, value, arg);
	return TF_OK;
}

enum tf_code
tf_stamps_word(const struct tf_vault *v, struct tf_db *db, uint64_t size,
    const char **word, struct tf_error *err)
{
	static const char *const words[][2] = {
		[TF_STAMPS_OFF] = { NULL, NULL },
		[TF_STAMPS_BEST_EFFORT] = { "best-effort, in time",
		    "best-effort, late" },
		[TF_STAMPS_REQUIRED] = { "required, in time",
		    "REQUIRED, AND LATE" },
	};
	struct times last = { .at = { 0 } }, received = { .at = { 0 } };
	struct newest n = { .any = false };
	enum tf_stamps mode = TF_STAMPS_OFF;
	enum tf_code rc;

	*word = NULL;
	/* What else is wrong with the config is not for status to say. */
	rc = tf_config_each(v->dirfd, take_mode, &mode, err);
	if ((rc != TF_OK && rc != TF_USAGE) || mode == TF_STAMPS_OFF ||
	    size == 0)
		return rc == TF_USAGE ? TF_OK : rc;
	rc = tf_anchors_newest(db, take_newest, &n, err);
	if (rc == TF_OK)
		rc = times_of(db, size - 1, &last, err);
	if (rc == TF_OK && n.any)
		rc = times_of(db, n.seq, &received, err);
	if (rc == TF_OK)
		*word = words[mode][tf_stamps_late(n.any ? &received.at : NULL,
		    last.at)];
	return rc;
}
