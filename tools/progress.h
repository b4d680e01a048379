/* A line of progress on a terminal: how much is done, how fast, and how long the
 * rest takes. */
#ifndef TRAILCTL_PROGRESS_H
#define TRAILCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct tf_finding;

struct progress {
	const char *what;  /* the first word of the line */
	bool on;	   /* false: nothing is drawn */
	uint64_t findings; /* printed or only counted */
	/* of progress.c */
	uint64_t start_ns, drawn_ns;
	bool drawn;
};

/* Draw the line, at most ten times per second: so many bytes of those are done.
 * arg is a struct progress. */
void progress_draw(void *arg, uint64_t done, uint64_t of);
/* Clear the line, before anything else is printed. */
void progress_end(struct progress *p);

/* Print a finding of a verification to stderr, in a line of its own; from the
 * 1,001st on they are only counted. */
void progress_finding(void *arg, const struct tf_finding *f);

#endif
