/*
 * Backups: see backup.h for the promises.
 *
 * The order of one run:
 *	1. tf_backup_open: the directory, what a crash has left
 *	2. take_ledger: the pages of one snapshot of the ledger, to incoming/.  The
 *	   snapshot ends here, so that the log of a busy store does not grow while
 *	   objects are copied.
 *	3. objects and staged files that this snapshot names
 *	4. judge: incoming/ is verified as a store, and compared with the backup
 *	5. accept: the database takes its new state, in one step (B2)
 *	6. finish: staged files, keys, config; redacted files go; the mark comes last
 *
 * Before step 5 the backup has its old state and some objects more.  Objects
 * never change, so any order of the steps 2 and 3 gives one state (B1).
 *
 * While a redaction runs, the snapshot may name an object that is gone when its
 * turn comes.  Then the run takes a new snapshot.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/file.h"
#include "../ledger/merkle.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/page_copy.h"
#include "../store/results.h"
#include "../store/store_files.h"
#include "../store/ticket.h"
#include "../store/transaction.h"
#include "backup_i.h"

#define NEW_DB TF_BACKUP_INCOMING "/" TF_DB_NAME
#define NEW_LOG NEW_DB "-wal"
#define NEW_INDEX NEW_DB "-shm"

/* --- the ledger --------------------------------------------------------------- */

/* The earlier database under a second name, so that SQLite finds the new log beside
 * it.  *old -1: there is none, or the file system has no hard links; the database
 * is then copied whole. */
static enum tf_code
link_old(struct tf_backup_run *b, int *old, struct tf_error *err)
{
	*old = -1;
	if (b->restores ||
	    linkat(b->dirfd, TF_DB_NAME, b->dirfd, NEW_DB, 0) < 0)
		return TF_OK;
	return tf_file_open(b->dirfd, NEW_DB, O_RDONLY, old, err);
}

/* Remove what an earlier snapshot of this run has left. */
static enum tf_code
clear_ledger(struct tf_backup_run *b, struct tf_error *err)
{
	static const char *const names[] = { NEW_DB, NEW_LOG, NEW_INDEX };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < 3; i++)
		rc = tf_file_wipe(b->dirfd, names[i], err);
	return rc;
}

static enum tf_code
take_ledger(struct tf_backup_run *b, struct tf_error *err)
{
	struct tf_page_copy done = { 0 };
	int old = -1, out = -1;
	enum tf_code rc = clear_ledger(b, err);

	if (rc != TF_OK || (rc = link_old(b, &old, err)) != TF_OK)
		return rc;
	b->whole = old < 0;
	rc = tf_file_open(b->dirfd, b->whole ? NEW_DB : NEW_LOG,
	    O_RDWR | O_CREAT, &out, err);
	if (rc == TF_OK && (rc = tf_ticket_snapshot(b->source, err)) == TF_OK) {
		rc = tf_pages_copy(b->source, old, out, &done, err);
		tf_db_rollback(b->source);
	}
	if (old >= 0)
		(void)close(old); /* it was read */
	if (out >= 0)
		(void)close(out); /* synced */
	b->out->pages = done.pages;
	b->out->changed = done.changed;
	b->out->ledger_bytes = done.bytes;
	return rc;
}

/* Open the new state of the ledger, which is not that of the backup yet. */
static enum tf_code
open_new(const struct tf_backup_run *b, struct tf_db **db, struct tf_error *err)
{
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s/" NEW_DB, b->ask->dir);
	return tf_db_open(name, TF_DB_READ, db, err);
}

/* Copy what the new state names; its size and the root of the first `b->size` of
 * its entries are taken on the way. */
static enum tf_code
take_content(struct tf_backup_run *b, bool *continues, struct tf_error *err)
{
	struct tf_hash root;
	struct tf_db *db;
	enum tf_code rc = open_new(b, &db, err);

	*continues = true;
	if (rc != TF_OK)
		return rc;
	rc = tf_checkpoints_newest(db, &b->out->entries, &root, NULL, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_NODATA, "%.100s has no entries yet",
		    b->ask->store);
	*continues = rc == TF_OK && b->out->entries >= b->size;
	if (rc == TF_OK && *continues && b->size > 0) {
		rc = tf_merkle_root(b->size, tf_tiles_read, db, &root, err);
		*continues = memcmp(&root, &b->root, sizeof(root)) == 0;
	}
	if (rc == TF_OK && *continues &&
	    (rc = tf_backup_objects(b, db, err)) == TF_OK)
		rc = tf_backup_take_staged(b, db, err);
	tf_db_close(db);
	return rc;
}

/* --- the verdict ------------------------------------------------------------- */

/*
 * Lost objects do not keep a state from being taken: an earlier backup has those
 * that it had.  Anything else would put what is wrong in the place of what is
 * good.
 */
static void
one_finding(void *arg, const struct tf_finding *f)
{
	struct tf_backup_run *b = arg;
	const bool lost = f->check == TF_CHECK_CONTENTS && f->have == NULL;

	b->wrong += f->grade == TF_GRADE_WRONG && !lost;
	if (b->ask->found != NULL)
		b->ask->found(b->ask->arg, f);
}

static enum tf_code
not_continued(const struct tf_backup_run *b, struct tf_error *err)
{
	return tf_fail(err, TF_TAMPER,
	    b->out->entries < b->size ?
		"the store has %llu entries, the backup %llu: was an older copy "
		"put back?  The backup stays as it was" :
		"the store has %llu entries and another history than the %llu of "
		"the backup, which stays as it was",
	    (unsigned long long)b->out->entries, (unsigned long long)b->size);
}

/* Let incoming/ have what the backup has under this name. */
static enum tf_code
link_to(struct tf_backup_run *b, const char *name, struct tf_error *err)
{
	char to[64];

	(void)snprintf(to, sizeof(to), "../%s", name);
	return symlinkat(to, b->incomingfd, name) == 0 || errno == EEXIST ?
	    TF_OK :
	    tf_fail(err, TF_IO, "make a link in incoming/");
}

/* Verify incoming/ as a store: its objects are those of the backup. */
static enum tf_code
judge(struct tf_backup_run *b, struct tf_error *err)
{
	const struct tf_verify v = { .found = one_finding,
		.arg = b,
		.sizes = true };
	char path[PATH_MAX];
	enum tf_code rc;

	if ((rc = link_to(b, "objects", err)) != TF_OK ||
	    (rc = link_to(b, TF_BACKUP_MARK, err)) != TF_OK)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/" TF_BACKUP_INCOMING,
	    b->ask->dir);
	b->wrong = 0;
	rc = tf_verify_store(path, &v, &b->out->report, err);
	if (rc == TF_OK && b->wrong > 0 && (b->size > 0 || b->restores))
		rc = tf_fail(err, TF_TAMPER,
		    b->restores ? "the backup is not in order" :
				  "the store is not in order: the backup of "
				  "%llu entries stays as it was",
		    (unsigned long long)b->size);
	return rc;
}

/* --- the new state ------------------------------------------------------------ */

static enum tf_code
accept_whole(struct tf_backup_run *b, struct tf_error *err)
{
	if ((unlinkat(b->dirfd, TF_DB_NAME "-wal", 0) < 0 && errno != ENOENT) ||
	    (unlinkat(b->dirfd, TF_DB_NAME "-shm", 0) < 0 && errno != ENOENT) ||
	    renameat(b->dirfd, NEW_DB, b->dirfd, TF_DB_NAME) < 0)
		return tf_fail(err, TF_IO, "put ledger.db in place");
	return tf_file_sync_dir(b->dirfd, ".", err);
}

/* The second name goes first: the file must not be wiped by a later run, and has
 * no other name when others look at it. */
static enum tf_code
accept(struct tf_backup_run *b, struct tf_error *err)
{
	if (b->whole)
		return accept_whole(b, err);
	if (unlinkat(b->dirfd, NEW_DB, 0) < 0)
		return tf_fail(err, TF_IO, "remove " NEW_DB);
	return tf_pages_apply(b->dirfd, TF_DB_NAME, NEW_LOG, err);
}

/* STORE/checkpoint: the head, for people and for a comparison. */
static enum tf_code
write_head(struct tf_backup_run *b, struct tf_db *db, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_hash root;
	uint64_t size;
	enum tf_code rc = tf_checkpoints_newest(db, &size, &root, &note, err);

	if (rc == TF_OK)
		rc = tf_file_write(b->dirfd, "checkpoint", note.p, note.n, 0600,
		    false, err);
	tf_buf_free(&note);
	return rc;
}

static enum tf_code
finish(struct tf_backup_run *b, struct tf_error *err)
{
	char name[PATH_MAX];
	struct tf_db *db;
	enum tf_code rc;

	(void)snprintf(name, sizeof(name), "%s/" TF_DB_NAME, b->ask->dir);
	if ((rc = tf_db_open(name, TF_DB_READ, &db, err)) != TF_OK)
		return rc;
	if ((rc = tf_backup_put_staged(b, db, err)) == TF_OK &&
	    (rc = tf_backup_put_files(b, err)) == TF_OK &&
	    (rc = tf_backup_erase(b, db, err)) == TF_OK &&
	    (rc = tf_backup_empty(b, true, err)) == TF_OK)
		rc = write_head(b, db, err);
	tf_db_close(db);
	return rc == TF_OK ? tf_backup_mark(b, true, err) : rc;
}

/* --- a run -------------------------------------------------------------------- */

/* Say where a disk was full; what is of no use to the next run goes. */
static enum tf_code
fail_run(struct tf_backup_run *b, const struct tf_error *why,
    struct tf_error *err)
{
	if (b->incomingfd >= 0)
		(void)!tf_backup_empty(b, false, NULL);
	if (err == NULL)
		return why->code;
	*err = *why;
	tf_error_at(err, b->ask->dir);
	return err->code;
}

static enum tf_code
run_steps(struct tf_backup_run *b, struct tf_error *err)
{
	uint64_t missed = 0;
	bool continues = true;
	enum tf_code rc;

	if ((rc = tf_backup_open(b, err)) != TF_OK)
		return rc;
	do {
		missed = b->missing;
		rc = take_ledger(b, err);
		if (rc == TF_OK)
			rc = take_content(b, &continues, err);
	} while (rc == TF_OK && b->missing > 0 && b->missing != missed);
	if (rc == TF_OK && !continues)
		rc = not_continued(b, err);
	if (rc == TF_OK)
		rc = tf_backup_take_files(b, err);
	if (rc == TF_OK)
		rc = judge(b, err);
	if (rc == TF_OK)
		rc = accept(b, err);
	return rc == TF_OK ? finish(b, err) : rc;
}

enum tf_code
tf_backup_run(struct tf_backup_run *b, struct tf_error *err)
{
	struct tf_error why = { .code = TF_OK };

	return run_steps(b, &why) == TF_OK ? TF_OK : fail_run(b, &why, err);
}

/* Leave a note in the store.  A backup that lacks something is none to rely on. */
static void
record(const struct tf_backup_run *b)
{
	const struct tf_result r = { .at = tf_clock_now(),
		.entries = b->out->entries,
		.verdict = "ok" };
	struct tf_error why = { .code = TF_OK };

	if (tf_result_put(b->storefd, TF_RESULT_BACKUP, &r, &why) != TF_OK &&
	    why.code != TF_READONLY)
		(void)snprintf(b->out->unrecorded, sizeof(b->out->unrecorded),
		    "%s", why.text);
}

enum tf_code
tf_backup_make(const struct tf_backup *ask, struct tf_backed_up *out,
    struct tf_error *err)
{
	struct tf_backup_run b = { .ask = ask, .out = out };
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	rc = tf_backup_run(&b, err);
	if (rc == TF_OK && out->report.findings == 0)
		record(&b);
	tf_backup_close(&b);
	return rc;
}
