/*
 * STORE/verify-failed and STORE/backed-up: what the last failed verification
 * found, and what the last backup holds.
 *
 * Files and not entries: a store that is not whole may not be able to take an
 * entry, and a backup only reads its store.  Who may write in the store may write
 * them, and nobody else.  A failed verification that the ledger could record is an
 * entry, too.
 *
 * One line of canonical JSON:
 *	{"at":TIME,"entries":N,"findings":N,"verdict":"failed"}
 */
#ifndef TF_STORE_RESULTS_H
#define TF_STORE_RESULTS_H

#include "../json.h"
#include "../types.h"

#define TF_RESULT_VERIFY "verify-failed"
#define TF_RESULT_BACKUP "backed-up"

struct tf_result {
	struct tf_time at;
	uint64_t entries; /* verified, or in the backup; 0: not known */
	uint64_t findings;
	char verdict[TF_VERIFY_WORD + 1];
};

/* May a file be written in that store?  Not in a mirror or a backup, which nothing
 * but their source changes: TF_READONLY. */
TF_MUST_USE enum tf_code tf_result_may_put(int dirfd, struct tf_error *err);
/* Replace the file.  On TF_OK it survives power loss.  Errors: TF_READONLY the
 * store is a mirror or a backup; TF_IO and its sharper forms, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_result_put(int dirfd, const char *file,
    const struct tf_result *r, struct tf_error *err);
/* Read it.  What is no such line counts as a result of unknown content, since it
 * was something once.  Errors: TF_NOTFOUND; TF_IO and its sharper forms. */
TF_MUST_USE enum tf_code tf_result_get(int dirfd, const char *file,
    struct tf_result *out, struct tf_error *err);
/* Remove it, if it is there.  On TF_OK that survives power loss. */
TF_MUST_USE enum tf_code tf_result_remove(int dirfd, const char *file,
    struct tf_error *err);

#endif
