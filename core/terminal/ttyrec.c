/*
 * ttyrec: frames of a header of 12 bytes (seconds, microseconds, length, each
 * little-endian) and that many bytes of output.  The format has no mark of its
 * own, so a file needs a name of ttyrec and a first frame that can be one.
 */
#include <string.h>

#include "reading.h"

#define HEADER 12
#define FRAME ((uint32_t)1 << 20) /* bytes; ttyrec writes 1,024 at most */

static uint32_t
le32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	    (uint32_t)b[3] << 24;
}

struct frame {
	uint64_t at; /* microseconds since 1970 */
	uint32_t n;
};

static bool
frame_of(const char *p, struct frame *out)
{
	uint32_t us = le32(p + 4);

	out->at = le32(p) * (uint64_t)1000000 + us;
	out->n = le32(p + 8);
	return us < 1000000 && out->n <= FRAME;
}

bool
tf_ttyrec_begins(const char *p, size_t n)
{
	struct frame f;

	return n >= HEADER && frame_of(p, &f) && f.n > 0;
}

enum tf_code
tf_ttyrec_read(struct tf_reading *x, struct tf_error *err)
{
	struct tf_reading_file file = { .file = &x->r->output };
	struct tf_recorded e = { .kind = TF_RECORDED_OUTPUT };
	uint64_t first = 0;
	struct tf_str s;
	struct frame f;
	bool more = true, begun = false;
	enum tf_code rc;

	x->f->format = "ttyrec";
	while ((rc = tf_reading_take(&file, HEADER, &s, err)) == TF_OK &&
	    more && s.n > 0) {
		if (s.n < HEADER || !frame_of(s.p, &f)) {
			x->f->end = TF_RECORDING_BROKEN;
			break;
		}
		if (!begun)
			first = f.at;
		begun = true;
		tf_reading_reach(x, f.at > first ? f.at - first : 0);
		if ((rc = tf_reading_take(&file, f.n, &e.bytes, err)) != TF_OK)
			break;
		if (e.bytes.n < f.n) {
			x->f->end = TF_RECORDING_BROKEN;
			more = false;
		}
		if (e.bytes.n > 0) {
			bool room;

			if ((rc = tf_reading_give(x, &e, &room, err)) != TF_OK)
				break;
			more = more && room;
		}
	}
	tf_buf_free(&file.b);
	return rc;
}
