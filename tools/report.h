/*
 * How trailctl ends and complains.  The only place that knows exit status, and
 * the only one that reads errno for a message.
 */
#ifndef TRAILCTL_REPORT_H
#define TRAILCTL_REPORT_H

#include "core/error.h"

enum report_status {
	REPORT_OK = 0,
	REPORT_FINDING = 1,	/* the answer is no */
	REPORT_USAGE = 2,	/* the question was wrong */
	REPORT_UNREACHABLE = 3, /* could not be asked */
	REPORT_TAMPERED = 4,
	REPORT_DOUBT = 5,   /* incomplete, or nobody can know */
	REPORT_FOREIGN = 6, /* holds, but for another log than was asked */
};

/* Say what err says on stderr; the exit status that fits its code. */
int report(const struct tf_error *err);

/* Say a line on stderr, nothing else. */
void report_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Fill err from errno as a system call on a mount left it, with what was asked
 * and the system's word for the reason; the code.
 */
enum tf_code report_system(struct tf_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* status, unless stdout could not take the whole answer. */
int report_end(int status);

#endif
