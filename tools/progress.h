/* A line of progress on a terminal: how much is done, how fast, and how long the
 * rest takes. */
#ifndef TRAILCTL_PROGRESS_H
#define TRAILCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct tf_finding;

/*
 * Zero but for what.  A line is drawn only if stderr is a terminal that can clear
 * a line, and silent is false: then nobody wants to see it, as with --quiet, or
 * with --json on the same terminal.  It has no colours, so NO_COLOR changes
 * nothing.
 */
struct progress {
	const char *what;  /* the first word of the line */
	const char *unit;  /* "entries"; NULL: bytes, shown in MiB */
	bool silent;	   /* nothing is drawn */
	uint64_t findings; /* printed or only counted */
	/* of progress.c */
	uint64_t start_ns, drawn_ns;
	bool drawn;
};

/* Draw the line, at most ten times per second: so much of that is done.  arg is a
 * struct progress. */
void progress_draw(void *arg, uint64_t done, uint64_t of);
/* The same for work that is measured in two ways: the part that is done, and
 * bytes. */
void progress_draw_bytes(struct progress *p, uint64_t done, uint64_t of,
    uint64_t bytes);
/* Clear the line, before anything else is printed. */
void progress_end(struct progress *p);

/* Show the work of this thread that has no callback (core/progress.h), until
 * progress_end(). */
void progress_listen(struct progress *p);

/* Print a finding of a verification to stderr, in a line of its own; from the
 * 1,001st on they are only counted. */
void progress_finding(void *arg, const struct tf_finding *f);

#endif
