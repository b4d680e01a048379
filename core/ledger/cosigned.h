/*
 * The note of a mirror or a witness as the ledger keeps it: a checkpoint, the
 * signature line of the log and one cosignature line.
 */
#ifndef TF_LEDGER_COSIGNED_H
#define TF_LEDGER_COSIGNED_H

#include "checkpoint.h"
#include "cosign.h"

struct tf_cosigned {
	struct tf_checkpoint head;
	uint64_t time; /* of the cosignature, POSIX seconds */
};

/*
 * Check a note that the log has signed and that key, the vkey of a cosigner as
 * text, has cosigned.  Lines of other keys are ignored.  On TF_OK the note with
 * those two lines alone is appended to kept, which may be NULL.
 * Errors: TF_INVALID the note or the key is malformed, the note is one of
 * another log, or one of the two signatures is missing or wrong; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_cosigned_check(const struct tf_vkey *log,
    struct tf_str key, const char *note, size_t n, struct tf_cosigned *out,
    struct tf_buf *kept, struct tf_error *err);

/* The cosignature line, with its LF, of a note as it is kept. */
struct tf_str tf_cosigned_line(struct tf_str kept);

#endif
