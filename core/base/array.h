/*
 * Arrays that grow one item at a time, and sorted arrays.
 *
 * An array is a pointer, which may be NULL, the number n of its items and the
 * number cap of items that fit into its memory.  All three begin as 0; the
 * caller frees the pointer with free.  The functions do not lock.
 */
#ifndef TF_BASE_ARRAY_H
#define TF_BASE_ARRAY_H

#include "../error.h"

#include <stddef.h>

/*
 * Make room for item n.  array is the address of the pointer to the items, of
 * size bytes each; the items may move.  False: no memory, or more items than
 * the address space holds; the array and *cap are then as before.
 */
TF_MUST_USE bool tf_array_room(void *array, size_t n, size_t *cap, size_t size);

/*
 * The index of the first of the n items, sorted by cmp, that is not less than
 * key: where key is, or where to insert it.  cmp gets key and an item.
 */
size_t tf_array_place(const void *items, size_t n, size_t size, const void *key,
    int (*cmp)(const void *key, const void *item));

#endif
