/*
 * STORE/refusals: which mirrors and witnesses do not accept this log, and why.
 *
 * A file and not an entry: a store that is refused may be an old copy or have
 * another history, and an entry would continue that.  The proof for an auditor is
 * what the other side keeps, such as MIRROR/refused/.
 *
 * One line of canonical JSON per mirror or witness, the newest last:
 *	{"at":TIME,"head":NOTE,"kind":"mirror","name":"...","text":"..."}
 * Processes and threads may call all functions at the same time.
 */
#ifndef TF_STORE_REFUSALS_H
#define TF_STORE_REFUSALS_H

#include "../json.h"

#define TF_REFUSALS "refusals"
#define TF_REFUSALS_MAX 64 /* lines; then the oldest one goes */

struct tf_refusal_row {
	struct tf_time at;
	struct tf_str kind, name;
	struct tf_str text; /* one line, safe to print */
	struct tf_str head; /* of the other side, as it gave it; n 0: none */
};

/* Replace what is there of the same kind and name, or add r.  text is made safe
 * to print.  On TF_OK it survives power loss.  Errors: TF_IO and its sharper
 * forms, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_refusals_put(int dirfd,
    const struct tf_refusal_row *r, struct tf_error *err);
/* Remove that of this kind and name, if there is one. */
TF_MUST_USE enum tf_code tf_refusals_remove(int dirfd, struct tf_str kind,
    struct tf_str name, struct tf_error *err);

/* Call fn for each line, in the order of the file, until it fails; r is valid
 * during the call.  A line that is none is skipped.  Errors: those of fn,
 * TF_TOOBIG, TF_IO and its sharper forms. */
typedef enum tf_code (*tf_refusal_fn)(void *arg, const struct tf_refusal_row *r,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_refusals_each(int dirfd, tf_refusal_fn fn,
    void *arg, struct tf_error *err);

#endif
