/*
 * Definitions of a trail, its template, recipients and types: read and set
 * through the control files of a mount, or in a store.
 */
#ifndef TRAILCTL_DEFINE_H
#define TRAILCTL_DEFINE_H

#include "core/definition.h"
#include "where.h"

/* One definition of the trail w. */
struct define {
	const struct where *w;
	enum tf_definition_kind kind;
	const char *name; /* of a type; "" for the others */
};

/* "template", "type" or "recipients". */
const char *define_word(enum tf_definition_kind kind);

/*
 * Read the text of a definition from a file, or from standard input for "-",
 * and check it. Reasons why it can never be satisfied are printed to stderr.
 * The caller frees out in any case. Errors: TF_INVALID and TF_BADNAME, err says
 * where in the text.
 */
TF_MUST_USE enum tf_code define_read(enum tf_definition_kind kind,
    const char *name, const char *path, struct tf_buf *out,
    struct tf_error *err);
/*
 * Check a text, as define_read() does; shown is its name for messages. Warnings
 * are printed to stderr and are no error. TF_INVALID: it is empty, malformed or
 * too long.
 */
TF_MUST_USE enum tf_code define_check(enum tf_definition_kind kind,
    const char *name, const char *shown, const struct tf_buf *text,
    struct tf_error *err);

/*
 * Make text the newest version. *changed is false if it was that before;
 * nothing is written then. *version is the version, or 0 if the mount does not
 * show it. Errors: TF_SEALED the trail is sealed; TF_INVALID with the mount's
 * or the vault's reason; those of where_open().
 */
TF_MUST_USE enum tf_code define_set(const struct define *d,
    const struct tf_buf *text, bool *changed, uint64_t *version,
    struct tf_error *err);

/* Append the text of version *version (0: the newest) to out, and set *version
 * as define_set does.  TF_NODATA: there is none. */
TF_MUST_USE enum tf_code define_get(const struct define *d, struct tf_buf *out,
    uint64_t *version, struct tf_error *err);

/* Print the warnings about a template that was recorded to stderr. */
void define_warn(const struct where *w, const struct tf_buf *text);

/* Make the workflow w its trail, and *version, unless it is set, the version of
 * the template that the workflow is judged by.  TF_NODATA: there is none. */
TF_MUST_USE enum tf_code define_of_workflow(struct where *w, uint64_t *version,
    struct tf_error *err);

/*
 * Call each once per type of the trail d->w, in the order of the names as
 * bytes; version is the newest one, or 0 if the mount does not show it. name is
 * valid during the call only. On failure some calls may have been made.
 */
TF_MUST_USE enum tf_code define_types(const struct define *d,
    void (*each)(void *arg, const char *name, uint64_t version), void *arg,
    struct tf_error *err);

/*
 * The mount refused to record a settable file of .trailfs of directory dir,
 * with the error in err.  Put the line of last-error into err, if the mount has
 * one.  Returns the code of err.
 */
enum tf_code define_explain(const char *dir, struct tf_error *err);

#endif
