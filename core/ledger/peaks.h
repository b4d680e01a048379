/* The Merkle tree of merkle.h, kept as the roots of its full subtrees alone: enough
 * to go on and to know its root, and small. */
#ifndef TF_LEDGER_PEAKS_H
#define TF_LEDGER_PEAKS_H

#include "../buffer.h"
#include "../types.h"

/* All zero bytes are the empty tree.  peak[i] counts if bit i of size is set. */
struct tf_peaks {
	uint64_t size; /* leaves */
	struct tf_hash peak[64];
};

void tf_peaks_add(struct tf_peaks *p, const struct tf_hash *leaf);
/* Of the empty tree it is SHA-256 of no bytes. */
void tf_peaks_root(const struct tf_peaks *p, struct tf_hash *out);

/* Append the hashes that count, the largest subtree first; and take them back, of a
 * tree of size leaves.  False: n is not the number of bytes of such a tree. */
void tf_peaks_put(const struct tf_peaks *p, struct tf_buf *out);
bool tf_peaks_get(struct tf_peaks *p, uint64_t size, const void *bytes,
    size_t n);

#endif
