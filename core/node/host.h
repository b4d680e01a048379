/* The boot and the attester, in the form of the ledger's entries. */
#ifndef TF_NODE_HOST_H
#define TF_NODE_HOST_H

struct tf_buf;
struct tf_vault;

struct tf_buf;

/* The kernel's random id of this boot; "" if it cannot be read. */
void tf_boot_id(char out[64]);

/* Append the attester's public key to out: SubjectPublicKeyInfo in base64. */
void tf_attester_text(const struct tf_vault *v, struct tf_buf *out);

#endif
