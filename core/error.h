/*
 * Errors: one code, one line of text, and the errno that caused it.
 *
 * Every function of core that can fail returns an enum tf_code and, where the
 * caller gave a struct tf_error, fills it.  Core never prints and never exits.
 * fs/report.c alone turns codes into errno, tools/report.c into exit status.
 */
#ifndef TF_ERROR_H
#define TF_ERROR_H

#include <stdbool.h>

#define TF_MUST_USE __attribute__((warn_unused_result))

enum tf_code {
	TF_OK = 0,
	/* The append-only rule and the rules of names. */
	TF_SEALED,	/* frozen or sealed: never changes again */
	TF_DENIED,	/* never allowed here: wrong depth, kind, owner */
	TF_BUSY,	/* another writer is at work; a retry may succeed */
	TF_INTERRUPTED, /* the caller cancelled it, or the daemon is ending */
	TF_EXISTS,
	TF_NOTFOUND,
	TF_NOTEMPTY,
	TF_CROSSES, /* it cannot be renamed to there, but copied */
	TF_NOTDIR,
	TF_ISDIR,
	TF_ACCESS,  /* owner, group or mode forbid it */
	TF_BADNAME, /* the name holds a forbidden character */
	TF_BADUTF8,
	TF_NAMETOOLONG,
	TF_NODATA, /* no such extended attribute */
	TF_UNSUPPORTED,
	TF_READONLY, /* mounted or switched to read-only */
	/* Failures of the machine. */
	TF_NOSPACE,
	TF_QUOTA,
	TF_TOOBIG, /* a file or a value beyond its limit */
	TF_NOMEM,
	TF_TOOMANY, /* too many open files; a retry may succeed */
	TF_IO,
	TF_TIMEDOUT, /* it is done here, and the organisation has not answered */
	/* Mistakes of the caller, and faults of the store. */
	TF_INVALID, /* malformed bytes or arguments */
	TF_USAGE,
	TF_LOCKED,   /* another process holds the store's lock */
	TF_FOREIGN,  /* not a trailfs store, or a part of another store */
	TF_NEWER,    /* written by a later version of trailfs */
	TF_OLDER,    /* of an earlier format, and not upgraded yet */
	TF_REDACTED, /* two people have had these bytes deleted */
	TF_TAMPER,   /* a check of hash, proof or signature failed */
	TF_INDOUBT,  /* the operation may or may not have happened */
	TF_CODES     /* the number of codes */
};

struct tf_error {
	enum tf_code code;
	int sys;	/* errno if a system call failed, else 0 */
	char text[160]; /* one line, no full stop; names in it are escaped */
};

/*
 * Fill err (unless NULL) with code and the formatted text, and return code.
 * For codes that a system call can cause (TF_IO, TF_NOTFOUND, TF_ACCESS and
 * the like) err->sys becomes the current errno, so call this before anything
 * else changes errno.  If code is TF_IO, the errno selects a more precise
 * code: ENOSPC gives TF_NOSPACE, EDQUOT TF_QUOTA, EFBIG TF_TOOBIG, ENOMEM
 * TF_NOMEM, EROFS TF_READONLY, EMFILE and ENFILE TF_TOOMANY.
 * Control characters in the text become '?'.  A long text loses its middle, for
 * the thing is named at the beginning and the cause at the end.
 */
enum tf_code tf_fail(struct tf_error *err, enum tf_code code, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* Fail with TF_NOMEM and the one text that goes with it. */
enum tf_code tf_nomem(struct tf_error *err);

/* Copy why to err (unless NULL) and return its code. */
enum tf_code tf_fail_as(struct tf_error *err, const struct tf_error *why);

/* Is thing, or something below it, in the text of err as a whole name? */
bool tf_error_names(const struct tf_error *err, const char *thing);

/*
 * Put the directory path before the text, unless the text names it, if something
 * could not be written (TF_NOSPACE, TF_QUOTA, TF_TOOBIG, TF_READONLY, or EPERM):
 * for a copy, which reads one directory and writes another one.
 */
void tf_error_at(struct tf_error *err, const char *path);

/*
 * The code for a file that could not be opened or examined, by its errno:
 * TF_NOTFOUND, TF_ACCESS or TF_IO.  Only an errno that proves absence gives
 * TF_NOTFOUND: a lack of descriptors must not look like a missing file.
 */
enum tf_code tf_code_of_open(int sys);

/*
 * True if code means that the machine failed or refused access.  A check that
 * ends so has no result: it must not be reported as a finding.
 */
bool tf_code_undecided(enum tf_code code);

/* True if code means that a rule refused a change: not the machine, and not the
 * permissions. */
bool tf_code_is_rule(enum tf_code code);

/* The word for a code ("sealed", "no space"), used in logs and --json. */
const char *tf_code_name(enum tf_code code);

#endif
