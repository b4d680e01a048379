/* What the words of Kosli read: control files and names, of mount or store. */
#ifndef TRAILCTL_KOSLI_READ_H
#define TRAILCTL_KOSLI_READ_H

#include "core/json.h"
#include "where.h"

/* Append status.md of the workflow at path to out, which the caller frees in
 * any case. Errors: those of where_find() and of reading. */
TF_MUST_USE enum tf_code kosli_read_markdown(const char *path,
    struct tf_buf *out, struct tf_error *err);

/* Append attestation.json of the attestation at path to out, which the caller
 * frees in any case. Errors: as above. */
TF_MUST_USE enum tf_code kosli_read_attestation(const char *path,
    struct tf_buf *out, struct tf_error *err);

/*
 * Call each with attestation.json of NAME, NAME@2 and so on, the oldest first;
 * path is that of NAME. path and json of a call are valid during it only.
 * Another code than TF_OK from each ends the walk and is returned. TF_NOTFOUND:
 * there is no NAME.
 */
TF_MUST_USE enum tf_code kosli_read_versions(const char *path,
    enum tf_code (*each)(void *arg, const char *path, const struct tf_buf *json,
	struct tf_error *err),
    void *arg, struct tf_error *err);

struct kosli_names {
	char **v;
	size_t n;
};
/* The names of the trails of the vault, sorted as bytes. The caller calls
 * kosli_names_free() in any case. */
TF_MUST_USE enum tf_code kosli_read_flows(const char *vault,
    struct kosli_names *out, struct tf_error *err);
void kosli_names_free(struct kosli_names *l);

#endif
