/* Signatures of entries that rotate the log's key. */
#ifndef TESTS_UNIT_ROTATIONS_H
#define TESTS_UNIT_ROTATIONS_H

#include "../../core/ledger/entry.h"

#define ROTATION_SIG 89 /* base64 of 64 bytes, and a NUL */

struct rotation_sigs {
	char old_sig[ROTATION_SIG], new_sig[ROTATION_SIG];
};

/* The second key of RFC 8032 7.1; the first one is SEED_LOG. */
#define SEED_SECOND \
	"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"

/* Sign the rotation in e, which has its number and both keys; s holds the text. */
void sign_rotation(struct tf_entry *e, const char *old_seed,
    const char *new_seed, struct rotation_sigs *s);

#endif
