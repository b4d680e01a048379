/* The identities that open files: see core/age.h, which says how they are made.
 */
#ifndef TF_CRYPT_IDENTITY_H
#define TF_CRYPT_IDENTITY_H

#include "../age.h"
#include "format.h"

struct tf_identity {
	bool hybrid;			  /* post-quantum: MLKEM768-X25519 */
	uint8_t secret[TF_X25519_LEN];	  /* or the seed of a hybrid key */
	uint8_t recipient[TF_X25519_LEN]; /* of an X25519 key */
};

struct tf_passphrase {
	char *p;
	size_t n; /* bytes, at least one */
};

struct tf_identities {
	struct tf_identity *key;
	size_t keys;
	struct tf_passphrase *phrase;
	size_t phrases;
};

#endif
