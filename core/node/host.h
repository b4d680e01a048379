/* Boot, clock and attester, in the form of the ledger's entries. */
#ifndef TF_NODE_HOST_H
#define TF_NODE_HOST_H

#include <stddef.h>

#include "../error.h"

struct tf_buf;
struct tf_vault;

/* Write the first line of a small file to out, with a NUL, without allocating
 * memory; "" if it cannot be read. */
void tf_host_word(const char *path, char *out, size_t size);

/* The kernel's random id of this boot; "" if it cannot be read. */
void tf_boot_id(char out[64]);

/* Append the state of the host's clock to out: the field hostClock.  Nothing if
 * the kernel does not tell it. */
TF_MUST_USE enum tf_code tf_host_clock_text(struct tf_buf *out,
    struct tf_error *err);

/* Append the attester's public key to out: SubjectPublicKeyInfo in base64. */
void tf_attester_text(const struct tf_vault *v, struct tf_buf *out);

#endif
