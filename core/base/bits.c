/*
 * Sets of numbers: a hash table of pages, each a bitmap.  See bits.h.  Numbers
 * are ids, given in order, so one page holds thousands of neighbours and a set
 * of a million takes little more than a bit for each.  Slots are found by open
 * addressing, and at most half of them are used, so that each search meets a
 * free one and ends.
 */
#include <stdlib.h>

#include "bits.h"

#define PAGE_BYTES 512 /* one bitmap; the numbers are mostly consecutive */
#define PAGE_BITS (PAGE_BYTES * 8)

struct tf_bits_page {
	uint64_t number;
	uint8_t *bits; /* NULL: the slot is free */
};

/* The slot that holds page `number`, or the free slot for it. */
static struct tf_bits_page *
slot_of(const struct tf_bits *b, uint64_t number)
{
	size_t i = (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; i++) {
		struct tf_bits_page *p = &b->page[i & (b->slots - 1)];

		if (p->bits == NULL || p->number == number)
			return p;
	}
}

/* Make room for one more page. */
static bool
reserve(struct tf_bits *b)
{
	struct tf_bits more = { .slots = b->slots == 0 ? 16 : b->slots * 2,
		.used = b->used };

	if (b->used < b->slots / 2)
		return true;
	more.page = calloc(more.slots, sizeof(*more.page));
	if (more.page == NULL)
		return false;
	for (size_t i = 0; i < b->slots; i++)
		if (b->page[i].bits != NULL)
			*slot_of(&more, b->page[i].number) = b->page[i];
	free(b->page);
	*b = more;
	return true;
}

bool
tf_bits_has(const struct tf_bits *b, uint64_t i)
{
	const struct tf_bits_page *p;

	if (b->slots == 0)
		return false;
	p = slot_of(b, i / PAGE_BITS);
	return p->bits != NULL &&
	    (p->bits[i % PAGE_BITS / 8] >> (i % 8) & 1) != 0;
}

void
tf_bits_add(struct tf_bits *b, uint64_t i)
{
	struct tf_bits_page *p;

	if (!reserve(b))
		return;
	p = slot_of(b, i / PAGE_BITS);
	if (p->bits == NULL) {
		if ((p->bits = calloc(1, PAGE_BYTES)) == NULL)
			return;
		p->number = i / PAGE_BITS;
		b->used++;
	}
	p->bits[i % PAGE_BITS / 8] |= (uint8_t)(1u << (i % 8));
}

void
tf_bits_remove(struct tf_bits *b, uint64_t i)
{
	if (tf_bits_has(b, i))
		slot_of(b, i / PAGE_BITS)->bits[i % PAGE_BITS / 8] &=
		    (uint8_t) ~(1u << (i % 8));
}

void
tf_bits_free(struct tf_bits *b)
{
	for (size_t i = 0; i < b->slots; i++)
		free(b->page[i].bits);
	free(b->page);
	*b = (struct tf_bits){ 0 };
}
