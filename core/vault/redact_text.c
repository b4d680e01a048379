/*
 * Finds the text that people want to redact.  Claims and where a name comes from
 * are in entries that rows lead to.  Others may be in any later entry about the
 * name, so these are looked at.
 */
#include <pthread.h>
#include <string.h>

#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_scan.h"
#include "../ledger/withheld.h"
#include "../node/base.h"
#include "../node/load_entry.h"
#include "../node/vault_i.h"
#include "../protection.h"
#include "../store/claims.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../vault.h"

struct search {
	struct tf_db *db;
	struct tf_str name, path;
	bool found;
	uint64_t seq; /* of the entry that is looked at */
	uint64_t target;
	struct tf_hash text;
};

/* A text that was redacted is taken if there is no other. */
static enum tf_code
take(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	struct search *s = arg;
	bool gone = false;
	enum tf_code rc;

	if (!tf_str_same(tf_str_of(x->name), s->name))
		return TF_OK;
	rc = tf_text_redacted(s->db, &x->sha256, &gone, err);
	if (rc == TF_OK && (!gone || !s->found)) {
		s->found = true;
		s->target = s->seq;
		s->text = x->sha256;
	}
	return rc;
}

static enum tf_code
look_at(struct search *s, uint64_t seq, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc = TF_OK;

	s->seq = seq;
	if (seq != TF_NO_SEQ)
		rc = tf_load_entry(s->db, seq, &body, &d, err);
	if (rc == TF_OK && seq != TF_NO_SEQ && tf_str_same(d.e.path, s->path))
		rc = tf_withheld_named(&d.e, take, s, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
one_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct search *s = arg;
	struct tf_str type, path;
	enum tf_code rc;

	(void)off;
	tf_entry_scan(body, n, &type, &path);
	if (!tf_str_same(path, s->path) || !tf_withheld_maybe(body, n))
		return TF_OK;
	s->seq = idx;
	/* What is malformed is a finding of trailctl verify. */
	rc = tf_entry_decode(&d, body, n, err);
	if (rc == TF_OK)
		rc = tf_withheld_named(&d.e, take, s, err);
	tf_entry_decoded_free(&d);
	return rc == TF_INVALID ? TF_OK : rc;
}

/* The entries that rows lead to, and then all from the first about the node. */
static enum tf_code
find_newest(struct search *s, uint64_t id, struct tf_error *err)
{
	struct tf_claim_row claims = { 0 };
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(s->db, id, &row, err);

	if (rc == TF_OK)
		rc = look_at(s, row.entry, err);
	if (rc == TF_OK)
		rc = look_at(s, row.seal, err);
	if (rc == TF_OK)
		rc = tf_claims_get(s->db, id, &claims, err);
	if (rc == TF_OK && claims.entry != 0)
		rc = look_at(s, claims.entry, err);
	tf_claim_row_free(&claims);
	if (rc == TF_OK && !s->found)
		rc = tf_entries_each(s->db, row.entry, one_entry, s, err);
	return rc;
}

enum tf_code
tf_vault_find_text(struct tf_vault *v, uint64_t id, struct tf_str name,
    uint64_t *target, struct tf_hash *text, struct tf_error *err)
{
	struct search s = { .name = name };
	struct tf_buf path = { 0 };
	uint64_t entries;
	enum tf_code rc = tf_vault_path(v, id, &path, err);

	pthread_mutex_lock(&v->mu);
	entries = v->head.size;
	pthread_mutex_unlock(&v->mu);
	if (rc == TF_OK && *target != TF_TEXT_NEWEST && *target >= entries)
		rc = tf_fail(err, TF_NODATA, "there is no entry %llu",
		    (unsigned long long)*target);
	if (rc == TF_OK)
		rc = tf_reader_db(v, &s.db, err);
	if (rc == TF_OK) {
		s.path = tf_buf_bytes(&path);
		rc = *target == TF_TEXT_NEWEST ? find_newest(&s, id, err) :
						 look_at(&s, *target, err);
		tf_reader_done(v, s.db);
	}
	if (rc == TF_OK && !s.found)
		rc = tf_fail(err, TF_NODATA,
		    "%.200s has no text %.*s that stands apart from its entry",
		    tf_buf_bytes(&path).p, (int)(name.n < 96 ? name.n : 96),
		    name.p);
	*target = s.target;
	*text = s.text;
	tf_buf_free(&path);
	return rc;
}
