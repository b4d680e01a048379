/* What the readers of the formats share: lines of a file, times, and limits. */
#ifndef TF_TERMINAL_READING_H
#define TF_TERMINAL_READING_H

#include "recording.h"

#define TF_RECORDING_LINE ((size_t)1 << 20) /* bytes of a line at most */

/* A recording that is being read. */
struct tf_reading {
	const struct tf_recording *r;
	struct tf_recording_facts *f;
	tf_recorded_fn fn;
	void *arg;
	uint64_t now; /* microseconds */
};

/* A place in a file that is read from its beginning to its end. */
struct tf_reading_file {
	const struct tf_recording_file *file;
	uint64_t off;	 /* of the bytes behind b */
	struct tf_buf b; /* bytes that were read; those up to at are used */
	size_t at;
	bool ended;
};

/*
 * Take the next n bytes at most, *out, which are valid until the next call; n is
 * at most TF_RECORDING_LINE.  Less than n only at the end of the file.
 */
TF_MUST_USE enum tf_code tf_reading_take(struct tf_reading_file *x, size_t n,
    struct tf_str *out, struct tf_error *err);
/* Take the next line without its LF.  *is: there is one; *longer: it is longer
 * than TF_RECORDING_LINE, and nothing was taken. */
TF_MUST_USE enum tf_code tf_reading_line(struct tf_reading_file *x,
    struct tf_str *out, bool *is, bool *longer, struct tf_error *err);

/* Give an event to the caller.  *more: go on; false at a limit, which is noted.
 * Bytes beyond the limit are cut off. */
TF_MUST_USE enum tf_code tf_reading_give(struct tf_reading *x,
    struct tf_recorded *e, bool *more, struct tf_error *err);

/* Parse a time in seconds, as "12", "12.5", "-3" or "1e-3", to microseconds.
 * A negative one is 0, and one beyond a thousand years is that.  False: it is
 * no number. */
bool tf_reading_time(struct tf_str s, uint64_t *us);
/* Let d microseconds pass, or go on to the time t, but never back. */
void tf_reading_pass(struct tf_reading *x, uint64_t d);
void tf_reading_reach(struct tf_reading *x, uint64_t t);
/* A size of the screen within the limits, or 0 x 0. */
void tf_reading_size(uint64_t cols, uint64_t rows, unsigned *c, unsigned *r);

/* The formats.  Each fills facts and gives all events. */
enum tf_code tf_asciicast_read(struct tf_reading *x, struct tf_error *err);
bool tf_asciicast_begins(const char *p, size_t n);
enum tf_code tf_ttyrec_read(struct tf_reading *x, struct tf_error *err);
bool tf_ttyrec_begins(const char *p, size_t n);
enum tf_code tf_script_read(struct tf_reading *x, struct tf_error *err);
bool tf_script_begins(const char *p, size_t n);

#endif
