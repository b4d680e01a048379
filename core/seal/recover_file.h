/*
 * What becomes of one file that the last process did not seal; pending.h has
 * the rules.
 */
#ifndef TF_SEAL_RECOVER_FILE_H
#define TF_SEAL_RECOVER_FILE_H

#include <stdbool.h>

#include "../error.h"

struct tf_db;
struct tf_found;
struct tf_pending;

/*
 * Decide about file l, which has its place: seal it, keep it as a draft or a
 * placeholder, or record that it was interrupted.  dirty: its row is no longer
 * true.  A file that takes long to hash is left to the background, and f has
 * how many bytes may still be hashed at once.  No lock is held; the committer
 * runs.  On failure nothing is decided, and the next start tries again: TF_IO
 * and its sharper forms, TF_NOMEM, and the errors of a seal.
 */
TF_MUST_USE enum tf_code tf_recover_file(struct tf_found *f,
    struct tf_pending *l, bool dirty, struct tf_db *db, struct tf_error *err);

#endif
