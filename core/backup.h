/*
 * Backups: a copy of a whole store in another directory, made while the store is
 * in use, and brought up to date by writing only what is new.
 *
 * A backup is a store of the same layout with the file `backup` in it, by which
 * every writer refuses it (trailfs-format(5)).
 *
 * Promises:
 *  B1  A backup is one state of its store: the ledger up to one checkpoint, all
 *      objects that it names, and what was flushed of files that are not sealed.
 *  B2  An update that ends at any moment leaves the state before or the new one.
 *  B3  A store that is not in order never replaces an earlier backup: entries,
 *      tree, names and signature are verified before, and the ledger must
 *      continue that of the backup.
 *  B4  What two people have redacted in the store goes from its backup too, at the
 *      next update.
 *  B5  Private keys are copied only on request, and the key of staged secret files
 *      never is.
 */
#ifndef TF_BACKUP_H
#define TF_BACKUP_H

#include "json.h"
#include "verify.h"

struct tf_backup {
	const char *store; /* the store, or for a restoration the backup */
	const char *dir;   /* the backup; made if it is absent or empty */
	bool keys;	   /* copy the private keys too */
	/* Called from time to time with the bytes of objects that are copied,
	 * and those that are to be copied.  NULL: not called. */
	void (*progress)(void *arg, uint64_t bytes, uint64_t of);
	/* Called for redacted evidence whose file was erased here. */
	void (*erased)(void *arg, const char *path, uint64_t size,
	    uint64_t entry);
	/* Called for each finding of the verification. */
	void (*found)(void *arg, const struct tf_finding *f);
	void *arg;
};

struct tf_backed_up {
	uint64_t entries, before; /* in the backup, now and when this began */
	uint64_t pages, changed;  /* of the database; those written */
	uint64_t ledger_bytes;	  /* written for them */
	uint64_t objects, bytes;  /* object files that were copied */
	uint64_t present;	  /* object files that were there already */
	uint64_t pending;	  /* files that are not sealed, copied */
	uint64_t secret;	  /* the same, encrypted, so not copied */
	uint64_t erased;	  /* object files of redacted evidence */
	bool had_keys, keys;	  /* private keys are there, before and now */
	struct tf_report report;  /* of the verification */
	/* Why STORE/backed-up could not be written; "": it was, or the source is
	 * itself a copy or cannot be written. */
	char unrecorded[160];
};

/*
 * Make or update the backup, and write its time to STORE/backed-up, which status,
 * metrics and doctor show, unless report has findings; nothing else of the store is
 * written.  On TF_OK the backup is durable; report has findings if the store has
 * some that do not keep a backup from being made (lost or altered objects), or if
 * this is the first backup.
 *
 * On failure the earlier state of the backup stays, and the next call goes on
 * with what was copied.  Errors: TF_EXISTS dir holds something else; TF_FOREIGN it
 * is the backup of another store; TF_LOCKED it is in use; TF_TAMPER the store is
 * not in order, or its ledger does not continue that of the backup; TF_NOSPACE and
 * the others of the machine.
 */
TF_MUST_USE enum tf_code tf_backup_make(const struct tf_backup *b,
    struct tf_backed_up *out, struct tf_error *err);

/* True if dir is a backup, finished or not. */
bool tf_backup_is(const char *dir);

#endif
