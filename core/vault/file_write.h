/* Handles for writing, and changing bytes through them. */
#ifndef TF_VAULT_FILE_WRITE_H
#define TF_VAULT_FILE_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_pending;
struct tf_text;
struct tf_vault;

/* A handle for writing. */
struct tf_file {
	struct tf_vault *v;
	struct tf_pending *l;  /* a reference */
	uint32_t uid;	       /* of the opener */
	struct tf_text *actor; /* of the opener; a reference */
	bool counted;	       /* among the open files of uid */
	bool wrote;	       /* since its last flush */
	bool by_path;	       /* truncate(2): no handle of a program */
};

/* TF_TOOBIG when no file may have that many bytes. */
TF_MUST_USE enum tf_code tf_size_check(const struct tf_vault *v, uint64_t size,
    struct tf_error *err);

/* Give the file of f that many bytes; new ones are 0.  On failure its size
 * is as before.  No lock is held. */
TF_MUST_USE enum tf_code tf_file_set_size(struct tf_file *f, uint64_t size,
    struct tf_error *err);

#endif
