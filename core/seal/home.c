/*
 * Is the store where it was?  See home.h.
 *
 * The home stands in the last ledger.opened, whose number is in the table meta.
 * A store of an earlier version has no such number, or an entry without a home:
 * the next opening records the first one.
 */
#include <stdio.h>

#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/home.h"
#include "../node/base.h"
#include "../node/home.h"
#include "../node/load_entry.h"
#include "../node/vault_i.h"
#include "../store/meta.h"
#include "home.h"

static const char *const where[] = {
	[TF_HOME_OTHER_MACHINE] = "on another machine",
	[TF_HOME_OTHER_DIRECTORY] = "in another directory",
};

/* Compare with the home that the entry has. */
static enum tf_code
compare(struct tf_vault *v, const struct tf_entry *e,
    const struct tf_home_now *now, bool *away, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_home_answer answer;
	struct tf_home last;
	enum tf_code rc;

	if ((rc = tf_json_parse(&d, e->home.p, e->home.n, err)) != TF_OK)
		goto out;
	tf_home_read(&d, &last);
	answer = tf_home_compare(&last, &now->home);
	*away = answer != TF_HOME_SAME;
	if (!*away)
		goto out;
	tf_vault_say(v, TF_FOREIGN,
	    "the store was last written on host %.*s, as %.*s (inode %llu); "
	    "this is host %s, %s (inode %llu)",
	    (int)e->host.n, e->host.p, (int)last.path.n,
	    last.path.n > 0 ? last.path.p : "?", (unsigned long long)last.inode,
	    v->host, now->path, (unsigned long long)now->home.inode);
	(void)tf_fail(err, TF_FOREIGN,
	    "last written %s: if you moved the store, start it with -o moved "
	    "(trailctl init --moved); a copy needs trailctl restore: see "
	    "trailfs(8)",
	    where[answer]);
out:
	tf_json_doc_free(&d);
	return rc;
}

enum tf_code
tf_home_check(struct tf_vault *v, const struct tf_home_now *now, bool *away,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	struct tf_db *db;
	uint64_t seq = 0;
	enum tf_code rc;

	*away = false;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_meta_get_int(db, TF_META_OPENED, &seq, err);
	if (rc == TF_OK)
		rc = tf_load_entry(db, seq, &text, &d, err);
	else if (rc == TF_NOTFOUND)
		rc = TF_OK;
	tf_reader_done(v, db);
	if (rc == TF_OK && d.e.type == TF_LEDGER_OPENED && d.e.home.p != NULL)
		rc = compare(v, &d.e, now, away, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc;
}
