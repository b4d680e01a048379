/* The guard: a copy of the newest checkpoint in a file on another disk. */
#ifndef TF_STORE_GUARD_FILE_H
#define TF_STORE_GUARD_FILE_H

#include "../json.h"

/* Append the guard at path, of up to max bytes, to out.  TF_NOTFOUND: its directory is there and has
 * no such file; TF_IO: the directory cannot be opened; errors of
 * tf_file_read. */
TF_MUST_USE enum tf_code tf_guard_read(const char *path, size_t max,
    struct tf_buf *out, struct tf_error *err);

/* Set *inside if the guard at path would lie in the directory storefd or below,
 * and *same_disk if on its file system.  TF_IO: its directory cannot be opened. */
TF_MUST_USE enum tf_code tf_guard_place(const char *path, int storefd,
    bool *inside, bool *same_disk, struct tf_error *err);

/* Replace the guard, whole or not at all.  Durable on TF_OK.  Errors: TF_IO and
 * its sharper forms. */
TF_MUST_USE enum tf_code tf_guard_write(const char *path, struct tf_str note,
    struct tf_error *err);

#endif
