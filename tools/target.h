/* What an argument names that can be verified or compared: a store, a log, a
 * package, a proof. */
#ifndef TRAILCTL_TARGET_H
#define TRAILCTL_TARGET_H

#include "check.h"
#include "core/json.h"

/* dir: the store, the directory of the log, the proof or the package; of
 * CHECK_PACKAGES the mount.  path: of the part of the store or the mount. */
struct target {
	enum check_form form;
	char *dir, *evidence, *path;
};

/* Options that decide what is meant; each may be NULL. */
struct target_wish {
	bool rebuild; /* the store, also behind a mount */
	const char *vkey, *evidence, *against;
};

/*
 * Find what `what` names.  file: the evidence of a proof, or NULL.  The caller
 * calls target_free() in any case.  Errors: TF_NOTFOUND it is none of these;
 * those of where_find() and where_store().
 */
TF_MUST_USE enum tf_code target_choose(const char *what, const char *file,
    const struct target_wish *ask, struct target *t, struct tf_error *err);
void target_free(struct target *t);

/* Verify it, and collect in c what is found: see check.h and core/verify.h. */
TF_MUST_USE enum tf_code target_verify(const struct target *t,
    const struct tf_verify *v, struct check *c, struct tf_error *err);

/* Append the key to out as a string: from the argument, or from that file.
 * TF_INVALID: it is not one key; errors of files_read(). */
TF_MUST_USE enum tf_code target_key(const char *arg, struct tf_buf *out,
    struct tf_error *err);
/* The same from the n bytes of a text; from is for messages. */
TF_MUST_USE enum tf_code target_key_text(const char *text, size_t n,
    const char *from, struct tf_buf *out, struct tf_error *err);
/* Does s look like NAME+ID+KEY?  No file should have such a name. */
bool target_is_key(const char *s);

#endif
