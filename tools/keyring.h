/* The keys that a caller trusts, each for the log of its name: one key, a file with
 * several, or a directory of them. */
#ifndef TRAILCTL_KEYRING_H
#define TRAILCTL_KEYRING_H

#include "core/json.h"

struct keyring {
	struct keyring_key {
		char *name, *text; /* with the entries of rotations behind it */
	} * v;
	size_t n, cap;
};

/*
 * Add the keys that arg names to k, which begins as {0}: a key; a file whose lines
 * are keys, each with the entries of its rotations behind it; or a directory, of
 * which the files NAME.vkey are read.  The caller frees k in any case.
 * TF_INVALID: something there is no key, there is none, or two differ that have one
 * name.  Errors of reading.
 */
TF_MUST_USE enum tf_code keyring_read(struct keyring *k, const char *arg,
    struct tf_error *err);
void keyring_free(struct keyring *k);

/* The key of that name, or NULL. */
const char *keyring_find(const struct keyring *k, const char *name);

#endif
