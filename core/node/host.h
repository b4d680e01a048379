/* The host, its boot, and the attester, as entries name them. */
#ifndef TF_NODE_HOST_H
#define TF_NODE_HOST_H

struct tf_buf;
struct tf_vault;

struct tf_buf;

/* The kernel's id of this boot. */
void tf_boot_id(char out[64]);

/* The attester's public key as entries name it: SPKI in base64. */
void tf_attester_text(const struct tf_vault *v, struct tf_buf *out);

#endif
