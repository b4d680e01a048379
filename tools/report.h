/*
 * Exit status and error messages of trailctl.  Only report.c knows the exit
 * status of a code, and only it reads errno for a message.
 */
#ifndef TRAILCTL_REPORT_H
#define TRAILCTL_REPORT_H

#include "core/error.h"

enum report_status {
	REPORT_OK = 0,
	REPORT_FINDING = 1,	/* the answer is no */
	REPORT_USAGE = 2,	/* wrong arguments */
	REPORT_UNREACHABLE = 3, /* store, mount or file cannot be read */
	REPORT_TAMPERED = 4,
	REPORT_DOUBT = 5,   /* incomplete, or not decidable */
	REPORT_FOREIGN = 6, /* agrees with itself, but of another log */
};

/*
 * Print err to stderr, as one line that begins with "trailctl: " and is safe on
 * a terminal: the text, and the message of errno unless the text has it. An
 * empty text becomes the name of the code. Returns the exit status for the
 * code.
 */
int report(const struct tf_error *err);
/* The same exit status, without a message. */
int report_status(enum tf_code code);

/* Print a line to stderr, in the form of report(). At most 511 bytes; the rest
 * is cut. */
void report_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Fill err from errno, after a system call on a mount or another file failed:
 * the given text and the message of the system. Call it before anything else
 * can change errno. Returns the code, never TF_OK.
 */
enum tf_code report_system(struct tf_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same after a system call that makes what: EINVAL and EILSEQ of a mount say
 * that no such name can be there. TF_BADNAME, and those of report_system(). */
enum tf_code report_name(struct tf_error *err, const char *what);

/* Put thing before the text of err, unless the text names it: what a vault says
 * about a node is without its path. */
void report_about(struct tf_error *err, const char *thing);

/* Flush stdout. Returns status, or REPORT_UNREACHABLE with a message on stderr
 * if the answer could not be written. */
int report_end(int status);

#endif
