/*
 * Comparing copies of the head with the database: see head_compare.h.  A note
 * that our key signed under another origin is of an earlier origin of this
 * ledger; any other strange note is refused, since it can no longer show that
 * the database is the newest.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/show.h"
#include "../json.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/merkle.h"
#include "../node/base.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../sign/sign.h"
#include "../store/entries.h"
#include "../store/guard_file.h"
#include "head_compare.h"
#include "session.h"

/* The head of the database, which other threads may move. */
struct head {
	uint64_t size;
	struct tf_hash root;
};

static struct head
head_now(struct tf_vault *v)
{
	struct head h;

	pthread_mutex_lock(&v->mu);
	h = (struct head){ v->head.size, v->head.root };
	pthread_mutex_unlock(&v->mu);
	return h;
}

/*
 * Is the tree of c a prefix of our tree?  The root is computed anew from the
 * tiles, since a stored one could have been put back with the database.
 */
static enum tf_code
is_prefix(struct tf_vault *v, const struct head *h,
    const struct tf_checkpoint *c, bool *yes, struct tf_error *err)
{
	struct tf_hash root;
	struct tf_db *db;
	enum tf_code rc;

	*yes = c->size <= h->size;
	if (!*yes)
		return TF_OK;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_merkle_root(c->size, tf_tiles_read, db, &root, err);
	tf_reader_done(v, db);
	*yes = rc == TF_OK && memcmp(&root, &c->root, sizeof(root)) == 0;
	return rc;
}

/* Set *k to our log's key under the origin of note b. */
static bool
key_of_note(struct tf_vault *v, const struct tf_buf *b, struct tf_vkey *k)
{
	const char *end = b->n == 0 ? NULL : memchr(b->p, '\n', b->n);
	char origin[TF_ORIGIN_MAX + 1];

	if (end == NULL || (size_t)(end - b->p) > TF_ORIGIN_MAX)
		return false;
	(void)snprintf(origin, sizeof(origin), "%.*s", (int)(end - b->p), b->p);
	tf_vkey_make(k, origin, &tf_log_key(v)->pub);
	return true;
}

/* True if our log's key signed the note b, under whatever origin. */
static bool
is_of_our_key(struct tf_vault *v, const struct tf_buf *b)
{
	struct tf_checkpoint c;
	struct tf_vkey k;

	return key_of_note(v, b, &k) &&
	    tf_checkpoint_check(b->p, b->n, &k, &c, NULL) == TF_OK;
}

/* Name both heads to the operator, each in its own line: err has no room. */
static void
say_heads(struct tf_vault *v, const struct head *h, const char *where,
    const struct tf_buf *b)
{
	const char *end = b->n == 0 ? NULL : memmem(b->p, b->n, "\n\n", 2);
	struct tf_buf shown = { 0 };
	char here[65];

	tf_hex(h->root.b, sizeof(h->root.b), here);
	tf_vault_say(v, TF_TAMPER,
	    "the head of the database: %s, %llu entries, root %s", v->origin,
	    (unsigned long long)h->size, here);
	/* Origin, size and root in base64, before the signatures. */
	for (const char *p = b->p; end != NULL && p < end; p++)
		tf_name_show(&shown, *p == '\n' ? " " : p, 1);
	tf_buf_add(&shown, "", 1);
	tf_vault_say(v, TF_TAMPER, "the head of %s: %.400s", where,
	    end == NULL || shown.failed ? "no checkpoint" : shown.p);
	tf_buf_free(&shown);
}

/* Fill err for a note that is no checkpoint of our log. */
static enum tf_code
judge_strange(struct tf_vault *v, const char *where, bool outside,
    const struct tf_buf *b, enum tf_code why, struct tf_error *err)
{
	const struct head h = head_now(v);

	say_heads(v, &h, where, b);
	if (why == TF_FOREIGN)
		return tf_fail(err, TF_TAMPER,
		    "%s is of another log: two stores must not share a guard, "
		    "nor a copy go on with the guard of the original",
		    where);
	if (outside)
		return tf_fail(err, TF_TAMPER,
		    "%s is damaged, or of another key.  Remove it, and then: "
		    "trailctl init --guard-lost STORE",
		    where);
	return tf_fail(err, TF_TAMPER,
	    "%s is damaged, or of another key.  Is the database the newest one?  Remove that "
	    "file.  Put the newest back, or: trailctl init STORE --recover",
	    where);
}

/* The text of member name of previous, or empty. */
static enum tf_code
previous_note(const struct tf_json_doc *d, const char *name, struct tf_buf *out,
    struct tf_error *err)
{
	int t = tf_json_get(d, 0, name);

	out->n = 0;
	return t < 0 ? TF_OK : tf_json_string(d, t, out, err);
}

/*
 * Is b, of another origin under our key, what the guard had when our log got its
 * origin?  The start after that finds it, if the guard could not be written
 * meanwhile.  Then it is a note that was lost, or one of our tree.
 */
static enum tf_code
is_from_before(struct tf_vault *v, const struct head *h, const struct tf_buf *b,
    bool *yes, struct tf_error *err)
{
	struct tf_buf text = { 0 }, note = { 0 };
	struct tf_entry_decoded e = { 0 };
	struct tf_json_doc d = { 0 };
	struct tf_checkpoint c;
	struct tf_vkey k;
	enum tf_code rc = tf_session_last(v, &text, &e, err);

	*yes = false;
	if (rc != TF_OK || e.e.previous.n == 0 ||
	    (rc = tf_json_parse(&d, e.e.previous.p, e.e.previous.n, err)) !=
		TF_OK ||
	    (rc = previous_note(&d, "lost", &note, err)) != TF_OK)
		goto out;
	*yes = note.n > 0 && tf_str_same(tf_buf_bytes(&note), tf_buf_bytes(b));
	if (*yes || (rc = previous_note(&d, "head", &note, err)) != TF_OK ||
	    !key_of_note(v, &note, &k) ||
	    tf_checkpoint_check(b->p, b->n, &k, &c, NULL) != TF_OK)
		goto out;
	rc = is_prefix(v, h, &c, yes, err);
out:
	tf_json_doc_free(&d);
	tf_entry_decoded_free(&e);
	tf_buf_free(&text);
	tf_buf_free(&note);
	return rc;
}

/* Compare the text b of a copy; outside: it is not in the store. */
static enum tf_code
compare_note(struct tf_vault *v, const char *where, bool outside,
    const struct tf_buf *b, struct tf_buf *lost, struct tf_error *err)
{
	const struct head h = head_now(v);
	struct tf_checkpoint c;
	bool prefix, before;
	enum tf_code rc = tf_vault_check_note(v, tf_buf_bytes(b), &c, NULL);

	/* A copy from before the new origin began: nothing to compare. */
	if (rc == TF_FOREIGN && is_of_our_key(v, b)) {
		if (!outside)
			return TF_OK;
		rc = is_from_before(v, &h, b, &before, err);
		if (rc != TF_OK || before)
			return rc;
		rc = TF_FOREIGN;
	}
	if (rc == TF_NOMEM)
		return tf_fail(err, rc, "no memory to check %s", where);
	if (rc != TF_OK)
		return judge_strange(v, where, outside, b, rc, err);
	if ((rc = is_prefix(v, &h, &c, &prefix, err)) != TF_OK || prefix)
		return rc;
	if (lost != NULL)
		tf_buf_add(lost, b->p, b->n);
	say_heads(v, &h, where, b);
	if (c.size > h.size)
		return tf_fail(err, TF_TAMPER,
		    "the database has %llu entries, "
		    "%.40s %llu: an older copy was put back.  Put the newer "
		    "back, or: trailctl init STORE --recover",
		    (unsigned long long)h.size, where,
		    (unsigned long long)c.size);
	return tf_fail(err, TF_TAMPER,
	    "the database is not the ledger of "
	    "%.40s: history differs.  Put the right one back, or: trailctl "
	    "init STORE --recover",
	    where);
}

enum tf_code
tf_head_compare_outside(struct tf_vault *v, const char *where,
    const struct tf_buf *b, struct tf_buf *lost, struct tf_error *err)
{
	return compare_note(v, where, true, b, lost, err);
}

/* What the signer signed last is one more copy of the head. */
static enum tf_code
compare_signed(struct tf_vault *v, struct tf_buf *lost, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_signer_newest(v->signer, v->origin, &b, err);

	if (rc == TF_OK)
		rc = compare_note(v, "the signer", true, &b, lost, err);
	tf_buf_free(&b);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_head_compare_beside(struct tf_vault *v, struct tf_buf *lost,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	/* A copy that is not there yet is no finding; one that could not be
	 * read is an error. */
	enum tf_code rc = tf_file_read(v->dirfd, "checkpoint", TF_NOTE_MAX, &b,
	    err);

	if (rc == TF_OK || rc == TF_TOOBIG || rc == TF_INVALID)
		rc = compare_note(v, "STORE/checkpoint", false, &b, lost, err);
	tf_buf_free(&b);
	return rc == TF_NOTFOUND || rc == TF_OK ? compare_signed(v, lost, err) :
						  rc;
}

enum tf_code
tf_head_compare(struct tf_vault *v, struct tf_buf *lost, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_head_compare_beside(v, lost, err);

	if (rc != TF_OK || v->guard == NULL)
		return rc;
	rc = tf_guard_read(v->guard, TF_NOTE_MAX, &b, err);
	if (rc == TF_OK || rc == TF_TOOBIG || rc == TF_INVALID)
		rc = compare_note(v, "the guard", true, &b, lost, err);
	tf_buf_free(&b);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}
