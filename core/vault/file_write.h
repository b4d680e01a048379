/* A handle for writing, and changing bytes through it. */
#ifndef TF_VAULT_FILE_WRITE_H
#define TF_VAULT_FILE_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_pending;
struct tf_text;
struct tf_vault;

struct tf_file {
	struct tf_vault *v;
	struct tf_pending *l;
	uint32_t uid;
	struct tf_text *actor;
	bool counted; /* among the open files of uid */
	bool wrote;
	bool by_path; /* truncate(2) */
};

/* May a file become that long?  TF_TOOBIG. */
TF_MUST_USE enum tf_code tf_size_check(const struct tf_vault *v, uint64_t size,
    struct tf_error *err);

/* A size change through a handle. */
TF_MUST_USE enum tf_code tf_file_set_size(struct tf_file *f, uint64_t size,
    struct tf_error *err);

#endif
