/*
 * What an incremental verification reads: the contents of the entries since the
 * last recorded one, and of the older objects the next part.  After a week, after
 * one that did not find the store whole, or where nothing is recorded, everything
 * is read.
 *
 * The ledger says when the last full verification was, by the host's clock, so a
 * clock that was set back brings a full one forward, never off.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../json.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/verify_run.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/results.h"
#include "../verify.h"

#define PARTS 7 /* nights until each old object was read again */
/* A full verification is due after a week, less what a timer may vary. */
#define FULL_S ((int64_t)7 * 86400 - 6 * 3600)

/* Read the verify.done with number seq.  TF_NOTFOUND: it is another entry. */
static enum tf_code
load(struct tf_db *db, uint64_t seq, struct tf_verify_run *run, uint64_t *size,
    struct tf_time *at, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	bool moved;
	enum tf_code rc = tf_entries_get(db, seq, &body, NULL, err);

	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (rc == TF_OK && d.e.type != TF_VERIFY_DONE)
		rc = tf_fail(err, TF_NOTFOUND, "it is no verification");
	if (rc == TF_OK)
		rc = tf_verify_run_read(d.e.run, run, err);
	if (rc == TF_OK) {
		*size = d.e.tree_size;
		*at = tf_entry_when(&d.e, &moved);
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
plan(struct tf_db *db, struct tf_verify_scope *out, struct tf_error *err)
{
	const struct tf_time now = tf_clock_now();
	struct tf_verify_run last, full;
	struct tf_time at;
	uint64_t seq, size, full_size;
	enum tf_code rc = tf_meta_get_int(db, TF_META_VERIFIED, &seq, err);

	if (rc == TF_OK)
		rc = load(db, seq, &last, &size, &at, err);
	if (rc != TF_OK)
		return rc;
	if (last.scope.parts > 0) {
		seq = last.scope.full;
		rc = load(db, seq, &full, &full_size, &at, err);
		if (rc == TF_OK && full.scope.parts > 0)
			rc = tf_fail(err, TF_NOTFOUND, "it is not a full one");
		if (rc != TF_OK)
			return rc;
	}
	if (now.s < at.s || now.s - at.s >= FULL_S)
		return TF_OK;
	*out = (struct tf_verify_scope){ .from = size,
		.full = seq,
		.part = last.scope.parts == PARTS ?
		    (last.scope.part + 1) % PARTS :
		    0,
		.parts = PARTS };
	return TF_OK;
}

/* Has one failed, and none that read everything was good since? */
static enum tf_code
has_failed(const char *store, bool *failed, struct tf_error *err)
{
	struct tf_result result;
	int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return tf_fail(err, TF_IO, "open %.100s", store);
	rc = tf_result_get(fd, TF_RESULT_VERIFY, &result, err);
	(void)close(fd); /* only read */
	*failed = rc == TF_OK;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_verify_plan(const char *store, struct tf_verify_scope *out,
    struct tf_error *err)
{
	char name[PATH_MAX];
	struct tf_error e = { .code = TF_OK };
	struct tf_db *db;
	bool failed = false;
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	(void)snprintf(name, sizeof(name), "%s/%s", store, TF_DB_NAME);
	if ((rc = tf_db_open(name, TF_DB_READ, &db, err)) != TF_OK)
		return rc;
	/* An incremental one could miss what was found. */
	rc = has_failed(store, &failed, &e);
	if (rc == TF_OK && !failed)
		rc = plan(db, out, &e);
	tf_db_close(db);
	/* What does not fit is found by reading everything. */
	return tf_code_undecided(rc) ? tf_fail_as(err, &e) : TF_OK;
}
