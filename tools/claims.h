/* Claims about an attestation, as options of a verb and as JSON. */
#ifndef TRAILCTL_CLAIMS_H
#define TRAILCTL_CLAIMS_H

#include "args.h"
#include "core/json.h"

/* The values of the options. */
struct claims_options {
	const char *type, *compliant, *description, *on_behalf_of;
	const char *origin_url, *control;
	const char *user_data; /* a file */
	struct args_list annotate, url, fingerprint;
};

/* Rows of a table of options, for the struct at o. */
#define CLAIMS_OPTIONS(o)                                                  \
	{ .name = "type",                                                  \
		.letter = 't',                                             \
		.value = "TYPE",                                           \
		.help = "what kind of attestation it is",                  \
		.text = &(o)->type },                                      \
	    { .name = "compliant",                                         \
		    .letter = 'C',                                         \
		    .value = "true|false",                                 \
		    .closed = true,                                        \
		    .help = "whether it shows what it should",             \
		    .text = &(o)->compliant },                             \
	    { .name = "description",                                       \
		    .value = "TEXT",                                       \
		    .help = "what it is",                                  \
		    .text = &(o)->description },                           \
	    { .name = "annotate",                                          \
		    .value = "KEY=VALUE",                                  \
		    .help = "an annotation; may be repeated",              \
		    .list = &(o)->annotate },                              \
	    { .name = "on-behalf-of",                                      \
		    .value = "TEXT",                                       \
		    .help = "for whom it is recorded",                     \
		    .text = &(o)->on_behalf_of },                          \
	    { .name = "origin-url",                                        \
		    .value = "URL",                                        \
		    .help = "where it comes from",                         \
		    .text = &(o)->origin_url },                            \
	    { .name = "external-url",                                      \
		    .value = "LABEL=URL",                                  \
		    .help = "where more is; may be repeated",              \
		    .list = &(o)->url },                                   \
	    { .name = "external-fingerprint",                              \
		    .value = "LABEL=SHA256",                               \
		    .help = "of what is at that URL; may be repeated",     \
		    .list = &(o)->fingerprint },                           \
	    { .name = "control",                                           \
		    .value = "ID",                                         \
		    .help = "the control that it is about",                \
		    .text = &(o)->control },                               \
	{                                                                  \
		.name = "user-data", .letter = 'u', .value = "FILE",       \
		.help = "any bytes, up to 1 MiB", .text = &(o)->user_data, \
	}

struct claim {
	char *key; /* as in "user.trailfs.KEY" */
	char *value;
};

/* In the order of the keys, each once. */
struct claims {
	struct claim *v;
	size_t n;
	struct tf_buf user_data; /* empty: none */
};

/*
 * Check the options and collect the claims; the file of --user-data is read.
 * The strings are copied. The caller calls claims_free() in any case. TF_USAGE:
 * err says which option is wrong. TF_INVALID: the user data is too long. Errors
 * of reading that file.
 */
TF_MUST_USE enum tf_code claims_take(const struct claims_options *o,
    struct claims *out, struct tf_error *err);
/* Add a claim; key and value are copied. TF_USAGE: there is one of this key. On
 * failure c is unchanged. */
TF_MUST_USE enum tf_code claims_add(struct claims *c, const char *key,
    const char *value, struct tf_error *err);
void claims_free(struct claims *c);

/* The value of the claim key, or NULL. It is valid until c changes. */
const char *claims_get(const struct claims *c, const char *key);

/*
 * Append the claims to out as the object that entries have, in canonical JSON;
 * nothing if there are none. User data appear with digest and size. TF_INVALID:
 * an entry cannot hold a value.
 */
TF_MUST_USE enum tf_code claims_json(const struct claims *c, struct tf_buf *out,
    struct tf_error *err);

#endif
