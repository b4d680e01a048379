/* Recovery of the files that the last process did not seal. */
#ifndef TF_SEAL_RECOVER_H
#define TF_SEAL_RECOVER_H

#include "../error.h"

struct tf_vault;

/*
 * Make a pending node of each row of stage, and seal, keep or interrupt each
 * file by the rules in core/node/pending.h.  Long files are compared in the
 * background after this returns.  Staged files without a row are deleted.
 *
 * On TF_OK every file is pending or sealed; one that could not be finished is
 * reported to the operator and tried again at the next start.  Every step is a
 * transaction, so a crash in here is harmless.  The committer runs; there are
 * no other callers yet.  Errors: TF_NOMEM, TF_IO and its sharper forms.
 */
TF_MUST_USE enum tf_code tf_recover(struct tf_vault *v, struct tf_error *err);

#endif
