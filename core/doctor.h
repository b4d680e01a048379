/*
 * An examination of a store that changes nothing: what is wrong with its files,
 * its keys, its disk and its place, and what to do about it.  It neither takes
 * the lock of the store nor creates a file, so it may run beside a mount.
 */
#ifndef TF_DOCTOR_H
#define TF_DOCTOR_H

#include <stdint.h>

#include "error.h"

enum tf_doctor_grade {
	TF_DOCTOR_OK,
	TF_DOCTOR_NOTE,	  /* works, but somebody should know it */
	TF_DOCTOR_WRONG,  /* a finding */
	TF_DOCTOR_UNSEEN, /* could not be examined */
	TF_DOCTOR_GRADES
};

/* One result.  The strings are valid until the callback returns, and may hold any
 * bytes that names of files have. */
struct tf_doctor_line {
	const char *about; /* "store", "keys", "clock": one word */
	enum tf_doctor_grade grade;
	const char *text;
	const char *cure; /* what to do, often a command; NULL: nothing */
};

struct tf_doctor {
	void (*say)(void *arg, const struct tf_doctor_line *line);
	void *arg;
};

/* Call d->say with the text made from fmt.  cure may be NULL. */
void tf_doctor_say(const struct tf_doctor *d, const char *about,
    enum tf_doctor_grade grade, const char *cure, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#define TF_DOCTOR_WORD 512
#define TF_DOCTOR_CURE 1400 /* room for a cure with two such words */
/* Write path as one word for a shell to out, and return out. */
const char *tf_doctor_word(const char *path, char out[TF_DOCTOR_WORD]);

/* The last process that opened the store for writing. */
struct tf_doctor_user {
	bool now;	 /* it has the store open */
	int32_t pid;	 /* 0: unknown */
	char mount[200]; /* its mount point, or "" */
};

/*
 * Examine the store in the directory path.  *user is set on TF_OK.  What cannot
 * be read becomes a line of grade TF_DOCTOR_UNSEEN.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_doctor_store(const char *path,
    const struct tf_doctor *d, struct tf_doctor_user *user,
    struct tf_error *err);

/*
 * Examine the organisation with this ledger and these blobs, both URIs (org.h): who
 * keeps the entries, refusals, what is signed, and by a trial whether locks hold,
 * which leaves a small object behind.  Errors: those of org.h.
 */
TF_MUST_USE enum tf_code tf_doctor_organisation(const char *ledger,
    const char *blobs, const struct tf_doctor *d, struct tf_error *err);

#endif
