/*
 * Bech32 (BIP 173) without its limit of 90 characters, as the age format uses
 * it for keys.  Pure, safe from many threads at once.
 */
#ifndef TF_CRYPT_BECH32_H
#define TF_CRYPT_BECH32_H

#include "../types.h"

/*
 * Decode a text of one case.  prefix becomes the part before the last "1", in
 * that case, and stays the caller's memory.  The bytes go to out, which has
 * room for max, and their number to *n.  False: wrong checksum or character,
 * both cases, bits left over, or more than max bytes; out is then wiped.
 */
bool tf_bech32_decode(struct tf_str text, struct tf_str *prefix, uint8_t *out,
    size_t max, size_t *n);

/* The characters of the text of n bytes, without a NUL. */
size_t tf_bech32_length(size_t prefix_n, size_t n);
/* Write the text in lower case and a NUL to out.  prefix is in lower case. */
void tf_bech32_encode(const char *prefix, const uint8_t *p, size_t n,
    char *out);

#endif
