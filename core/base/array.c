/*
 * Arrays that grow: see array.h.  They double, so that adding n items costs n
 * copies in all, and reallocarray(3) checks the multiplication.
 */
#include "array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 16 /* items */

bool
tf_array_room(void *array, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? FIRST : *cap * 2;
	void *items, *grown;

	if (n < *cap)
		return true;
	if (*cap > SIZE_MAX / 2)
		return false;
	/* A pointer of any type: copied as bytes, not as a void pointer. */
	memcpy(&items, array, sizeof(items));
	if ((grown = reallocarray(items, more, size)) == NULL)
		return false; /* items is still the caller's */
	memcpy(array, &grown, sizeof(grown));
	*cap = more;
	return true;
}

/* Binary search for the first item that is not before key. */
size_t
tf_array_place(const void *items, size_t n, size_t size, const void *key,
    int (*cmp)(const void *key, const void *item))
{
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (cmp(key, (const char *)items + mid * size) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
