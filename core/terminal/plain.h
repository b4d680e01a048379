/*
 * The plain text of a session: what its terminal got, as lines without control
 * sequences.
 *
 * It is no terminal.  It edits within one line, as shells do (return, backspace,
 * cursor left and right, erase), and takes every movement to another line as
 * the end of a line, so full-screen programs leave the words that they wrote,
 * in the order in which they wrote them.
 */
#ifndef TF_TERMINAL_PLAIN_H
#define TF_TERMINAL_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../types.h"

#define TF_PLAIN_CELLS 1000 /* characters of a line; a longer one is divided */

struct tf_plain_line {
	struct tf_str text; /* UTF-8 without control characters; maybe empty */
	uint64_t begun, last, ended; /* microseconds: the first and the last
				      * character, and the end of the line */
	bool feed; /* ended by a line feed, not by a movement */
};

/* Begins with zeros, line and arg set.  TF_OK, or a code that ends it. */
struct tf_plain {
	void (*line)(void *arg, const struct tf_plain_line *l);
	void *arg;
	uint64_t begun, last;
	uint32_t cell[TF_PLAIN_CELLS];
	unsigned n, x;
	enum {
		TF_PLAIN_TEXT,
		TF_PLAIN_ESCAPE,
		TF_PLAIN_CHARSET, /* one more character belongs to it */
		TF_PLAIN_CSI,
		TF_PLAIN_STRING,
		TF_PLAIN_STRING_ESCAPE
	} state;
	unsigned number; /* the first argument of a control sequence */
	bool later;	 /* it is over */
	char part[4];	 /* of a UTF-8 character */
	unsigned parts;
};

/* Take n bytes that the terminal got at a time, in microseconds. */
void tf_plain_add(struct tf_plain *p, uint64_t at, const char *s, size_t n);
/* Give the last line, if it has anything. */
void tf_plain_end(struct tf_plain *p, uint64_t at);

#endif
