/* A JSON Schema of Kosli's attestation types as a type of trailfs-type(5). */
#ifndef TRAILCTL_KOSLI_SCHEMA_H
#define TRAILCTL_KOSLI_SCHEMA_H

#include "core/json.h"

#define KOSLI_DATA "attestation-data.json" /* the evidence of such types */

/*
 * Append the text of a type that judges KOSLI_DATA by the schema in the file.
 * Keywords that say nothing about values ($schema, title, description and the
 * like) are left out; all others stay, and tf_definition_check() refuses those
 * that are unknown, so no rule of the schema is ever dropped silently.
 * description NULL: none.
 *
 * TF_INVALID: the file is not JSON, or no object, or too long. out stays the
 * caller's to free.
 */
TF_MUST_USE enum tf_code kosli_schema(const char *path, const char *description,
    struct tf_buf *out, struct tf_error *err);

#endif
