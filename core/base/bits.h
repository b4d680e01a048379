/*
 * A set of numbers, such as nodes and objects that were checked.  Memory grows
 * with the numbers that are in it and not with their size: a damaged database
 * may name any number.
 */
#ifndef TF_BASE_BITS_H
#define TF_BASE_BITS_H

#include "../types.h"

struct tf_bits_page;
/* Zero is the empty set.  The caller guards it. */
struct tf_bits {
	struct tf_bits_page *page; /* open addressing by page number */
	size_t slots, used;
};

bool tf_bits_has(const struct tf_bits *b, uint64_t i);
/* Add i.  Without memory the set stays as it was. */
void tf_bits_add(struct tf_bits *b, uint64_t i);
void tf_bits_remove(struct tf_bits *b, uint64_t i);
void tf_bits_free(struct tf_bits *b);

#endif
