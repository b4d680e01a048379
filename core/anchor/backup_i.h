/* The state of one run of a backup or of a restoration, for the backup*.c files
 * and restore_backup.c. */
#ifndef TF_ANCHOR_BACKUP_I_H
#define TF_ANCHOR_BACKUP_I_H

#include <stdbool.h>
#include <stdint.h>

#include "../backup.h"
#include "../base/bytes.h"

struct tf_content;
struct tf_db;
struct tf_stage_row;

/* The new state, a store like the backup itself, and its objects that are on their
 * way. */
#define TF_BACKUP_INCOMING "incoming"
#define TF_BACKUP_PARTIAL TF_BACKUP_INCOMING "/incoming"

struct tf_backup_run {
	const struct tf_backup *ask;
	struct tf_backed_up *out;
	bool restores; /* the mark says so; a crash leaves no vault */
	int storefd, dirfd, lockfd; /* -1: not open */
	int incomingfd;		    /* the new state */
	int partialfd;		    /* objects on their way */
	int from_objects, to_objects;
	struct tf_db *source;
	char store[33], origin[129]; /* of the source */
	/* The state of the backup before; size 0: none. */
	struct tf_hash root;
	uint64_t size;
	bool whole; /* the database came as a whole, not as changed pages */
	uint64_t missing;  /* objects that the source could not give */
	uint64_t done, of; /* bytes of objects */
	uint64_t wrong;	   /* findings that keep the state from being taken */
	char *piece;
};

/* All of a run.  The caller calls tf_backup_close in any case, and has set ask,
 * out and restores; all else is zero. */
TF_MUST_USE enum tf_code tf_backup_run(struct tf_backup_run *b,
    struct tf_error *err);

/* --- the directory (backup_dir.c) ------------------------------------------- */

/* Open the source, and make or open and lock the directory of the backup.  What an
 * earlier run has left unfinished is finished or removed. */
TF_MUST_USE enum tf_code tf_backup_open(struct tf_backup_run *b,
    struct tf_error *err);
void tf_backup_close(struct tf_backup_run *b);
/* Write the mark: as unfinished, or with the state that is there now. */
TF_MUST_USE enum tf_code tf_backup_mark(const struct tf_backup_run *b,
    bool finished, struct tf_error *err);
/* Copy keys and config to incoming/, so that they can be put in place later. */
TF_MUST_USE enum tf_code tf_backup_take_files(struct tf_backup_run *b,
    struct tf_error *err);
/* Put them in place. */
TF_MUST_USE enum tf_code tf_backup_put_files(struct tf_backup_run *b,
    struct tf_error *err);
/* Remove what is in incoming/, overwritten.  partial: also objects that were not
 * copied to their end. */
TF_MUST_USE enum tf_code tf_backup_empty(struct tf_backup_run *b, bool partial,
    struct tf_error *err);

/* Empty stage/. */
TF_MUST_USE enum tf_code tf_backup_empty_stage(struct tf_backup_run *b,
    struct tf_error *err);

/* --- objects and staged files (backup_objects.c) ---------------------------- */

/* Copy the object files that db names and the backup lacks, durable on TF_OK.
 * What the source does not have, or not with its digest, is counted as missing. */
TF_MUST_USE enum tf_code tf_backup_objects(struct tf_backup_run *b,
    struct tf_db *db, struct tf_error *err);
/* Copy the staged files that db names to incoming/, and later to stage/ in place of
 * those that are there. */
TF_MUST_USE enum tf_code tf_backup_take_staged(struct tf_backup_run *b,
    struct tf_db *db, struct tf_error *err);
TF_MUST_USE enum tf_code tf_backup_put_staged(struct tf_backup_run *b,
    struct tf_db *db, struct tf_error *err);
/* Erase the object files of redacted evidence. */
TF_MUST_USE enum tf_code tf_backup_erase(struct tf_backup_run *b,
    struct tf_db *db, struct tf_error *err);

#endif
