/*
 * Recognises recordings, and calls the reader of each format.
 *
 * A recording is recognised by its name and then by its first bytes: the pages
 * of a directory ask for each of thousands of files, so no other file is opened.
 */
#include <string.h>

#include "../base/bytes.h"
#include "reading.h"
#include "recording.h"

/* --- names ------------------------------------------------------------------ */

static bool
ends_in(struct tf_str s, const char *end)
{
	size_t n = strlen(end);

	return s.n > n && memcmp(s.p + s.n - n, end, n) == 0;
}

enum tf_recording_kind
tf_recording_by_name(struct tf_str name)
{
	static const char *const scripts[] = { ".log", ".typescript", ".script",
		".out", ".txt" };

	if (ends_in(name, ".cast"))
		return TF_RECORDING_ASCIICAST;
	if (ends_in(name, ".ttyrec") ||
	    tf_str_same(name, tf_str_of("ttyrecord")))
		return TF_RECORDING_TTYREC;
	if (tf_str_same(name, tf_str_of("typescript")))
		return TF_RECORDING_SCRIPT;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (ends_in(name, scripts[i]))
			return TF_RECORDING_SCRIPT;
	return TF_RECORDING_NONE;
}

/* Append name without its last n bytes, and end; true. */
static bool
add_name(struct tf_buf *out, struct tf_str name, size_t n, const char *end)
{
	tf_buf_add(out, name.p, name.n - n);
	tf_buf_str(out, end);
	return true;
}

bool
tf_recording_timing_name(struct tf_str name, unsigned try, struct tf_buf *out)
{
	static const char *const ends[] = { ".timing", ".tm" };
	static const char *const usual[] = { "timing", "timing.log" };
	const char *dot = name.n > 1 ? memrchr(name.p + 1, '.', name.n - 1) :
				       NULL;
	size_t suffix = dot == NULL ? 0 : name.n - (size_t)(dot - name.p);
	struct tf_str stem = { name.p, name.n - suffix };

	if (try < 2)
		return add_name(out, name, 0, ends[try]);
	try -= 2;
	if (dot != NULL && try < 2)
		return add_name(out, name, suffix, ends[try]);
	try -= dot != NULL ? 2 : 0;
	return try < 2 &&
	    (tf_str_same(stem, tf_str_of("typescript")) ||
		tf_str_same(stem, tf_str_of("tty"))) &&
	    add_name(out, name, name.n, usual[try]);
}

bool
tf_recording_begins(enum tf_recording_kind kind, const char *p, size_t n)
{
	switch (kind) {
	case TF_RECORDING_ASCIICAST:
		return tf_asciicast_begins(p, n);
	case TF_RECORDING_TTYREC:
		return tf_ttyrec_begins(p, n);
	case TF_RECORDING_SCRIPT:
		return tf_script_begins(p, n);
	default:
		return false;
	}
}

/* --- the whole --------------------------------------------------------------- */

void
tf_recording_facts_free(struct tf_recording_facts *f)
{
	tf_buf_free(&f->title);
	tf_buf_free(&f->command);
	tf_buf_free(&f->begun);
}

enum tf_code
tf_recording_read(const struct tf_recording *r, struct tf_recording_facts *f,
    tf_recorded_fn fn, void *arg, struct tf_error *err)
{
	struct tf_reading x = { .r = r, .f = f, .fn = fn, .arg = arg };

	f->format = "";
	switch (r->kind) {
	case TF_RECORDING_ASCIICAST:
		return tf_asciicast_read(&x, err);
	case TF_RECORDING_TTYREC:
		return tf_ttyrec_read(&x, err);
	case TF_RECORDING_SCRIPT:
		return tf_script_read(&x, err);
	default:
		return tf_fail(err, TF_INVALID, "it is no recording");
	}
}
