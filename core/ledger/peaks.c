/* A Merkle tree as its peaks: see peaks.h. */
#include "peaks.h"

#include <string.h>

#include "../base/crypto.h"
#include "merkle.h"

void
tf_peaks_add(struct tf_peaks *p, const struct tf_hash *leaf)
{
	struct tf_hash h = *leaf;
	unsigned i = 0;

	for (; p->size >> i & 1; i++)
		tf_merkle_node(&p->peak[i], &h, &h);
	p->peak[i] = h;
	p->size++;
}

void
tf_peaks_root(const struct tf_peaks *p, struct tf_hash *out)
{
	bool first = true;

	if (p->size == 0)
		tf_sha256("", 0, out);
	for (unsigned i = 0; i < 64; i++) {
		if ((p->size >> i & 1) == 0)
			continue;
		if (first)
			*out = p->peak[i];
		else
			tf_merkle_node(&p->peak[i], out, out);
		first = false;
	}
}

void
tf_peaks_put(const struct tf_peaks *p, struct tf_buf *out)
{
	for (unsigned i = 64; i-- > 0;)
		if (p->size >> i & 1)
			tf_buf_add(out, p->peak[i].b, sizeof(p->peak[i].b));
}

bool
tf_peaks_get(struct tf_peaks *p, uint64_t size, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	size_t peaks = 0;

	for (unsigned i = 0; i < 64; i++)
		peaks += size >> i & 1;
	if (n != peaks * sizeof(p->peak[0].b))
		return false;
	*p = (struct tf_peaks){ .size = size };
	for (unsigned i = 64; i-- > 0;) {
		if ((size >> i & 1) == 0)
			continue;
		memcpy(p->peak[i].b, from, sizeof(p->peak[i].b));
		from += sizeof(p->peak[i].b);
	}
	return true;
}
