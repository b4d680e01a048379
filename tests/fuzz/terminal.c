/*
 * A recording of a terminal session: the first byte chooses its format, and a
 * recording of script(1) is divided at the first NUL into timing, log and input.
 * A reading never fails and keeps the limits; the page has exactly its own two
 * scripts, whatever the recording holds.
 */
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/page.h"
#include "../../core/terminal/player.h"
#include "fuzz.h"

static enum tf_code
read_bytes(void *arg, uint64_t off, void *p, size_t n, size_t *got,
    struct tf_error *err)
{
	const struct tf_str *s = arg;

	(void)err;
	*got = off >= s->n	   ? 0 :
	    s->n - (size_t)off < n ? s->n - (size_t)off :
				     n;
	if (*got > 0)
		memcpy(p, s->p + off, *got);
	return TF_OK;
}

static enum tf_code
check(void *arg, const struct tf_recorded *e, struct tf_error *err)
{
	uint64_t *last = arg;

	(void)err;
	MUST(e->at >= *last);
	MUST(e->kind != TF_RECORDED_SIZE ||
	    (e->cols > 0 && e->cols <= TF_RECORDING_COLS_MAX && e->rows > 0 &&
		e->rows <= TF_RECORDING_ROWS_MAX));
	*last = e->at;
	return TF_OK;
}

static unsigned
times(const struct tf_buf *b, const char *what)
{
	const char *at = b->p, *end = b->p + b->n;
	unsigned n = 0;

	while ((at = memmem(at, (size_t)(end - at), what, strlen(what))) !=
	    NULL) {
		n++;
		at++;
	}
	return n;
}

static struct tf_str
cut(struct tf_str *s)
{
	const char *nul = s->n == 0 ? NULL : memchr(s->p, '\0', s->n);
	struct tf_str part = { s->p,
		nul == NULL ? s->n : (size_t)(nul - s->p) };

	s->p += part.n + (nul != NULL);
	s->n -= part.n + (nul != NULL);
	return part;
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_str all = { (const char *)data, n }, timing = { "", 0 },
		      input;
	struct tf_recording r = { .output = { read_bytes, &all } };
	struct tf_recording_facts f = { 0 };
	struct tf_player_about about = { 0 };
	struct tf_buf page = { 0 };
	struct tf_sink sink = tf_buf_sink(&page);
	uint64_t last = 0;

	if (n == 0)
		return 0;
	r.kind = TF_RECORDING_ASCIICAST + (unsigned)data[0] % 3;
	all.p++;
	all.n--;
	if (r.kind == TF_RECORDING_SCRIPT) {
		timing = cut(&all);
		input = cut(&all);
		r.timing = (struct tf_recording_file){ read_bytes, &timing };
		if (data[0] / 3 % 2 == 1)
			r.input = (struct tf_recording_file){ read_bytes,
				&input };
		(void)tf_recording_input_name(timing.p, timing.n, &page);
		tf_buf_free(&page);
	}
	(void)tf_recording_begins(r.kind, all.p, all.n);
	MUST(tf_recording_read(&r, &f, check, &last, NULL) == TF_OK);
	MUST(f.bytes <= TF_RECORDING_BYTES && f.events <= TF_RECORDING_EVENTS);
	MUST(f.length == last);
	tf_recording_facts_free(&f);
	about.name = about.href = all;
	MUST(tf_player_page(&r, &about, &sink, NULL) == TF_OK);
	MUST(page.n <= TF_REPLAY_PAGE_MAX);
	MUST(times(&page, "<script") == 2 && times(&page, "</script") == 2);
	MUST(times(&page, "<!--") == 0 && times(&page, "<a ") == 1);
	tf_buf_free(&page);
	return 0;
}
