/* What trailctl attest and trailctl run share: claims and publication. */
#ifndef TRAILCTL_PUBLISH_H
#define TRAILCTL_PUBLISH_H

#include "claims.h"
#include "evidence.h"
#include "recorder.h"

/* Rows of a table of options: make the workflow; record the next version. */
#define PUBLISH_OPTIONS(begin_, again_)                                     \
	{ .name = "begin",                                                  \
		.help = "make the workflow if it is missing",               \
		.flag = begin_ },                                           \
	{                                                                   \
		.name = "again", .help = "record the next version, NAME@N", \
		.flag = again_,                                             \
	}

/* The option --again or --repeat, which chooses the version. TF_USAGE: r was
 * opened for NAME@N. */
TF_MUST_USE enum tf_code publish_unversioned(const struct recorder *r,
    const char *option, struct tf_error *err);

/*
 * Copy the files to the draft, and add them with size and digest to e. The
 * digests are those of the bytes that were copied. On failure the draft is
 * incomplete, and the caller drops it. TF_INTERRUPTED: a signal waits
 * (interrupt.h). Errors: those of reading a source and of recorder_create().
 */
TF_MUST_USE enum tf_code publish_copy(struct recorder *r,
    const struct sources *s, struct evidence *e, struct tf_error *err);

/* Set the claims of the draft. Errors: those of recorder_claim(). */
TF_MUST_USE enum tf_code publish_claims(struct recorder *r,
    const struct claims *c, struct tf_error *err);

/*
 * Compare with a sealed attestation: *same becomes true if it has exactly these
 * files and claims, by names, digests and values. Modes, times and the actor do
 * not count. *same is false on failure. Sorts e.
 */
TF_MUST_USE enum tf_code publish_compare(struct recorder *r, const char *name,
    struct evidence *e, const struct claims *c, bool *same,
    struct tf_error *err);

/*
 * The name r->name is taken by an attestation in that state. *already becomes
 * true if it is sealed and has the same files and claims; then an earlier
 * attempt has recorded them, and TF_OK says that nothing is left to do.
 * Otherwise TF_EXISTS, and err says what the user can do. The draft, if there
 * is one, is not touched.
 */
TF_MUST_USE enum tf_code publish_taken(struct recorder *r, const char *state,
    struct evidence *e, const struct claims *c, bool *already,
    struct tf_error *err);

/*
 * Publish the draft as r->name or, with again, as its next version; *name is
 * the name then, for the caller to free in any case. On TF_OK the attestation
 * is in the ledger, and there is no draft any more.
 *
 * *already: the same was recorded before, and the draft was dropped. TF_EXISTS:
 * the name has other evidence or claims, or is open; the draft is still there,
 * and recorder_close() drops it.
 */
TF_MUST_USE enum tf_code publish_draft(struct recorder *r, bool again,
    struct evidence *e, const struct claims *c, char **name, bool *already,
    struct tf_error *err);

/* Append the template by which the workflow is judged to out; nothing if there
 * is none. TF_ACCESS: the caller may not read it. */
TF_MUST_USE enum tf_code publish_template(const struct recorder *r,
    struct tf_buf *out, struct tf_error *err);
/* *out: the trail of the workflow, for publish_trail_free() in any case, while r
 * is open. */
TF_MUST_USE enum tf_code publish_trail(const struct recorder *r,
    struct where *out, struct tf_error *err);
void publish_trail_free(struct where *trail);

/*
 * Would a draft be accepted under that name, by the caller? Asks the template
 * by which the workflow is judged, and whether the version before is sealed.
 * Writes nothing. TF_DENIED, TF_BADNAME: err has the reason. TF_ACCESS: the
 * caller may not read the template.
 */
TF_MUST_USE enum tf_code publish_check(struct recorder *r, const char *name,
    struct tf_error *err);

/* *name: the newest version of r->name, for the caller to free in any case, and
 * its state; NULL and "" if there is none. */
TF_MUST_USE enum tf_code publish_newest(struct recorder *r, char **name,
    char state[16], struct tf_error *err);

/*
 * *name: the first version of r->name that is not taken, for the caller to free
 * in any case. Another process may take it before it is used: then
 * recorder_publish() fails with TF_EXISTS, and the caller asks again.
 */
TF_MUST_USE enum tf_code publish_next(struct recorder *r, char **name,
    struct tf_error *err);

/* Publish the draft as the first version of r->name that is not taken; *name is
 * its name, for the caller to free in any case. */
TF_MUST_USE enum tf_code publish_as_next(struct recorder *r, char **name,
    struct tf_error *err);

#endif
