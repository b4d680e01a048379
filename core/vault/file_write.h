/* Handles for writing, and changing bytes through them. */
#ifndef TF_VAULT_FILE_WRITE_H
#define TF_VAULT_FILE_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_pending;
struct tf_text;
struct tf_vault;

/* A handle for writing.  vault.mu guards actor, counted and wrote; the other
 * fields do not change once the handle has its file. */
struct tf_file {
	struct tf_vault *v;
	struct tf_pending *l;  /* a reference */
	uint32_t uid;	       /* of the opener */
	struct tf_text *actor; /* of the opener; a reference */
	bool counted;	       /* among the open files of uid */
	bool wrote;	       /* since its last flush */
	bool by_path;	       /* truncate(2): no handle of a program */
};

/* TF_TOOBIG when no file may have that many bytes: more than an entry can state,
 * or than max_file allows.  Takes no lock. */
TF_MUST_USE enum tf_code tf_size_check(const struct tf_vault *v, uint64_t size,
    struct tf_error *err);

/*
 * Give the file of f that many bytes; new ones are 0.  Not durable until a
 * flush.  On failure its size is as before, and the file has not failed.
 *
 * Errors: TF_TOOBIG; TF_SEALED it was sealed meanwhile; TF_QUOTA, TF_NOSPACE;
 * the failure of a file that has failed; TF_IO, TF_NOMEM and those of a commit.
 * Takes pending.io, and waits for the claim of another thread: the caller has
 * neither a lock nor a claim.
 */
TF_MUST_USE enum tf_code tf_file_set_size(struct tf_file *f, uint64_t size,
    struct tf_error *err);

#endif
