/*
 * The messages of a mirror, from the other side: what is accepted is what this
 * code would have written, and a list can be walked over to its end.  Chance
 * never hits the sum, so it is put right before.
 */
#include <string.h>

#include "../../core/anchor/mirror_frames.h"
#include "../../core/base/crypto.h"
#include "fuzz.h"

static void
walk(const struct tf_mirror_msg *m)
{
	struct tf_str rest = m->list, e;
	struct tf_mirror_want w;
	size_t n = 0;

	if (m->type == TF_MIRROR_ENTRIES)
		while (tf_mirror_next_entry(&rest, &e))
			n += 2 + e.n;
	else if (m->type == TF_MIRROR_WANT)
		while (tf_mirror_next_want(&rest, &w))
			n += sizeof(w.sha256) + 8;
	else
		return;
	MUST(n == m->list.n);
}

static void
check(const struct tf_buf *frame)
{
	struct tf_mirror_msg m;
	struct tf_buf again = { 0 };

	if (tf_mirror_parse(frame->p, frame->n, &m, NULL) != TF_OK)
		return;
	if (m.version == 0 || m.version == TF_MIRROR_VERSION) {
		tf_mirror_put(&again, &m);
		MUST(again.n == frame->n &&
		    memcmp(again.p, frame->p, again.n) == 0);
		walk(&m);
	}
	tf_buf_free(&again);
}

/* The input is a type and a payload. */
int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_buf b = { 0 };
	struct tf_hash sum;
	uint8_t header[TF_MIRROR_HEADER];

	if (n == 0 || n > TF_MIRROR_PAYLOAD_MAX)
		return 0;
	tf_mirror_header(header, n - 1, data[0]);
	tf_buf_add(&b, header, sizeof(header));
	tf_buf_add(&b, data + 1, n - 1);
	tf_sha256(b.p, b.n, &sum);
	tf_buf_add(&b, sum.b, TF_MIRROR_SUM);
	MUST(!b.failed);
	check(&b);
	tf_buf_free(&b);
	return 0;
}
