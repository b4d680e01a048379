/*
 * Recordings of terminal sessions: which files are one, and what they hold.
 *
 * Three formats are known: asciicast 1, 2 and 3 (asciinema), script(1) of
 * util-linux with a timing file, in both forms, and ttyrec.  A reader asks for
 * the events one by one and needs little memory, whatever the file holds.  The
 * bytes are hostile: whoever was recorded chose them, so a recording that is
 * malformed is no error but ends early, and every number has a limit.
 *
 * These functions have no state and are safe from many threads at once.
 */
#ifndef TF_TERMINAL_RECORDING_H
#define TF_TERMINAL_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../buffer.h"
#include "../error.h"
#include "../types.h"

/* A recording is read up to one of these limits. */
#define TF_RECORDING_BYTES ((uint64_t)8 << 20) /* of output and input */
#define TF_RECORDING_EVENTS 200000
/* A recording whose file is longer than this is not read at all. */
#define TF_RECORDING_FILE ((uint64_t)1 << 30) /* bytes */
#define TF_RECORDING_HEAD 4096		      /* bytes, to recognise one */

#define TF_RECORDING_COLS_MAX 500
#define TF_RECORDING_ROWS_MAX 200

enum tf_recording_kind {
	TF_RECORDING_NONE,
	TF_RECORDING_ASCIICAST,
	TF_RECORDING_TTYREC,
	TF_RECORDING_SCRIPT
};

/* A file, read at any offset: up to n bytes at off, *got less than n only at
 * the end.  Errors: those of the owner of the file; they end a read. */
struct tf_recording_file {
	enum tf_code (*read)(void *arg, uint64_t off, void *p, size_t n,
	    size_t *got, struct tf_error *err);
	void *arg;
};

struct tf_recording {
	enum tf_recording_kind kind;
	struct tf_recording_file output; /* the recording itself */
	/* Of script(1) only.  input.read NULL: the log has the input too, or
	 * there is none. */
	struct tf_recording_file timing, input;
};

/*
 * What kind of recording the file `name` (the last part of its path) can be:
 * cheap, because most files have another name.  A name of SCRIPT needs a timing
 * file beside it, which tf_recording_timing_name() names.
 */
enum tf_recording_kind tf_recording_by_name(struct tf_str name);
/*
 * Append the try-th (0, 1 ...) name that the timing file of the typescript
 * `name` may have, in the order of preference.  False: there is no further one.
 */
bool tf_recording_timing_name(struct tf_str name, unsigned try,
    struct tf_buf *out);
/*
 * Do the first bytes of the file show that it is of this kind?  For SCRIPT, n
 * bytes at p are of the timing file.
 */
bool tf_recording_begins(enum tf_recording_kind kind, const char *p, size_t n);
/* Do these bytes begin a log of script(1)? */
bool tf_recording_is_log(const char *p, size_t n);
/* Append the name of the input log that the header of a timing file names, if
 * it is another one than the output log: the last part of its path.  False: it
 * names none. */
bool tf_recording_input_name(const char *p, size_t n, struct tf_buf *out);

enum tf_recording_event_kind {
	TF_RECORDED_OUTPUT, /* bytes that the terminal got */
	TF_RECORDED_INPUT,  /* bytes that the program got: keys */
	TF_RECORDED_MARKER, /* bytes: its label, maybe empty */
	TF_RECORDED_SIZE    /* cols and rows */
};

struct tf_recorded {
	enum tf_recording_event_kind kind;
	uint64_t at; /* microseconds since the beginning; never less than
			       * that of the event before */
	struct tf_str bytes; /* valid during the call */
	unsigned cols, rows;
};

/* How the reading of a recording ended. */
enum tf_recording_end {
	TF_RECORDING_WHOLE,
	TF_RECORDING_CUT,   /* at a limit: the file has more */
	TF_RECORDING_BROKEN /* the rest is malformed or missing */
};

/* What a recording states about itself.  The texts are hostile, and "" if it
 * states nothing.  The caller begins with zeros and frees. */
struct tf_recording_facts {
	const char *format;  /* "asciicast 2" and the like */
	unsigned cols, rows; /* 0: not stated */
	struct tf_buf title, command, begun;
	enum tf_recording_end end;
	uint64_t events, bytes; /* given to the caller */
	uint64_t length;	/* microseconds: time of the last event */
	bool has_input, has_markers;
};
void tf_recording_facts_free(struct tf_recording_facts *f);

/* A code other than TF_OK ends the reading and is returned. */
typedef enum tf_code (*tf_recorded_fn)(void *arg, const struct tf_recorded *e,
    struct tf_error *err);

/*
 * Read a recording: give each event to fn, in order, and fill *f.  The size
 * that the recording begins with is in *f before the first event; the rest is
 * complete at the end.  Errors: TF_NOMEM, those of the files, those of fn.
 */
TF_MUST_USE enum tf_code tf_recording_read(const struct tf_recording *r,
    struct tf_recording_facts *f, tf_recorded_fn fn, void *arg,
    struct tf_error *err);

#endif
