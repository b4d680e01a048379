/*
 * A set of numbers, such as the ids of nodes that were checked.  Its memory
 * grows with the count of its numbers, not with their values: a damaged
 * database may name any number.
 */
#ifndef TF_BASE_BITS_H
#define TF_BASE_BITS_H

#include "../types.h"

struct tf_bits_page;
/* {0} is the empty set.  The caller serialises access. */
struct tf_bits {
	struct tf_bits_page *page; /* open addressing by page number */
	size_t slots, used;
};

/* True if i is in the set.  Never fails and never allocates. */
bool tf_bits_has(const struct tf_bits *b, uint64_t i);
/* Add i.  If memory runs out, the set stays unchanged: use it only where a
 * number that is missing costs time and not correctness. */
void tf_bits_add(struct tf_bits *b, uint64_t i);
/* Remove i; does nothing if it is not in the set. */
void tf_bits_remove(struct tf_bits *b, uint64_t i);
/* Free the memory of the set, which is empty afterwards. */
void tf_bits_free(struct tf_bits *b);

#endif
