/*
 * Judges the head that a source offers: see mirror_judge.h.
 *
 * Each answer names what happened to the source, as far as the two heads show
 * it: another log, a rollback, a fork, a rewritten history.
 */
#include "mirror_judge.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "replica.h"

void
tf_mirror_offer_free(struct tf_mirror_offer *o)
{
	tf_buf_free(&o->key);
	tf_log_keys_free(&o->keys);
	tf_buf_free(&o->store);
	tf_buf_free(&o->note);
}

/* Is the key of the offer k, or one after it? */
static bool
follows(const struct tf_mirror_offer *offer, const struct tf_vkey *k)
{
	const struct tf_vkey *now = tf_log_keys_at(&offer->keys, k, UINT64_MAX);

	return strcmp(now->name, offer->log.name) == 0 &&
	    memcmp(&now->pub, &offer->log.pub, sizeof(now->pub)) == 0;
}

enum tf_code
tf_mirror_check_first(const struct tf_mirror_offer *offer, const char *expected,
    struct tf_error *err)
{
	struct tf_log_keys keys = { .n = 0 };
	struct tf_vkey k;
	bool is = expected == NULL;
	enum tf_code rc = is ?
	    TF_OK :
	    tf_log_keys_parse(&keys, tf_str_of(expected), &k, err);

	tf_log_keys_free(&keys);
	if (rc != TF_OK)
		return rc;
	if (is || follows(offer, &k))
		return TF_OK;
	return tf_fail(err, TF_TAMPER,
	    "refused: the log %.60s has not the key that is expected",
	    offer->log.name);
}

static enum tf_code
check_log(const struct tf_mirror_offer *offer, const struct tf_replica *r,
    struct tf_error *err)
{
	const struct tf_vkey *own = tf_replica_vkey(r);

	if (strcmp(own->name, offer->log.name) != 0)
		return tf_fail(err, TF_TAMPER,
		    "refused: this is a mirror of %.50s, not of %.50s",
		    own->name, offer->log.name);
	if (!follows(offer, own))
		return tf_fail(err, TF_TAMPER,
		    "refused: the log %.60s has another key now", own->name);
	if (!tf_str_same(tf_str_of(tf_replica_store(r)),
		tf_buf_bytes(&offer->store)))
		return tf_fail(err, TF_TAMPER,
		    "refused: another store with the key of %.60s", own->name);
	return TF_OK;
}

/* The root of the first size entries of the mirror. */
static enum tf_code
root_at(const char *dir, uint64_t size, struct tf_hash *out,
    struct tf_error *err)
{
	char path[PATH_MAX];
	struct tf_db *db = NULL;
	enum tf_code rc;

	(void)snprintf(path, sizeof(path), "%s/" TF_DB_NAME, dir);
	if ((rc = tf_db_open(path, TF_DB_READ, &db, err)) == TF_OK)
		rc = tf_merkle_root(size, tf_tiles_read, db, out, err);
	tf_db_close(db);
	return rc;
}

/* The source has fewer entries: are they the first of those here? */
static enum tf_code
check_shorter(const struct tf_checkpoint *its, uint64_t own, const char *dir,
    struct tf_error *err)
{
	struct tf_hash root;
	enum tf_code rc = root_at(dir, its->size, &root, err);

	if (rc != TF_OK)
		return rc;
	if (memcmp(&root, &its->root, sizeof(root)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "refused: forked: the source has %llu entries, which are "
		    "not the first of the %llu here",
		    (unsigned long long)its->size, (unsigned long long)own);
	return tf_fail(err, TF_TAMPER,
	    "refused: rolled back: the source has only the first %llu of the "
	    "%llu entries here",
	    (unsigned long long)its->size, (unsigned long long)own);
}

/* Does the offered head continue that of the mirror? */
static enum tf_code
check_history(const struct tf_mirror_offer *offer,
    const struct tf_checkpoint *own, const char *dir, struct tf_error *err)
{
	const struct tf_checkpoint *its = &offer->head;

	if (own->size == 0)
		return TF_OK;
	if (its->size < own->size)
		return check_shorter(its, own->size, dir, err);
	if (tf_merkle_check_consistency(own->size, its->size, &own->root,
		&its->root, offer->proof.h, offer->proof.n) == TF_OK)
		return TF_OK;
	if (its->size == own->size)
		return tf_fail(err, TF_TAMPER,
		    "refused: forked: both have %llu entries, but not the same",
		    (unsigned long long)own->size);
	return tf_fail(err, TF_TAMPER,
	    "refused: rewritten: the %llu entries of the source do not begin "
	    "with the %llu here",
	    (unsigned long long)its->size, (unsigned long long)own->size);
}

enum tf_code
tf_mirror_judge(struct tf_mirror_offer *offer, const struct tf_replica *r,
    const struct tf_mirror_receive *o, struct tf_error *err)
{
	enum tf_code rc = check_log(offer, r, err);

	if (rc == TF_OK)
		rc = tf_log_keys_check(&offer->keys, &offer->log, offer->note.p,
		    offer->note.n, &offer->head, NULL, err);
	if (rc == TF_INVALID || rc == TF_FOREIGN ||
	    (rc == TF_OK && offer->head.size == 0))
		rc = tf_fail(err, TF_TAMPER,
		    "refused: the head of the source is malformed");
	if (rc == TF_OK)
		rc = check_history(offer, tf_replica_head(r), o->dir, err);
	return rc;
}
