/*
 * Failing: one code, one line of text, the errno behind it.
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
	TF_BUSY,	/* somebody is writing; later it may work */
	TF_INTERRUPTED, /* given up by who asked, or by the daemon's end */
	TF_EXISTS,
	TF_NOTFOUND,
	TF_NOTEMPTY,
	TF_NOTDIR,
	TF_ISDIR,
	TF_ACCESS,  /* not the owner, mode bits */
	TF_BADNAME, /* a character that names cannot hold */
	TF_BADUTF8,
	TF_NAMETOOLONG,
	TF_NODATA, /* no such extended attribute */
	TF_UNSUPPORTED,
	TF_READONLY, /* mounted or switched to read-only */
	/* What the machine could not do. */
	TF_NOSPACE,
	TF_QUOTA,
	TF_TOOBIG, /* a file or a value beyond its limit */
	TF_NOMEM,
	TF_TOOMANY, /* too many open files; later it may work */
	TF_IO,
	/* What the caller or the store got wrong. */
	TF_INVALID, /* malformed bytes or arguments */
	TF_USAGE,
	TF_LOCKED,  /* another process has the store */
	TF_FOREIGN, /* not a store of ours, or another store's part */
	TF_NEWER,   /* written by a later version */
	TF_TAMPER,  /* a check of hash, proof or signature failed */
	TF_INDOUBT, /* may or may not have happened */
	TF_CODES    /* how many there are */
};

struct tf_error {
	enum tf_code code;
	int sys;	/* errno behind it where a system call failed, else 0 */
	char text[160]; /* one line, no full stop; names in it are escaped */
};

/*
 * Fill err (unless NULL) with code and the text, and return code.  What a
 * system call may have said (TF_IO, TF_NOTFOUND, TF_ACCESS...) takes the present
 * errno along; for TF_IO an errno of ENOSPC, EDQUOT, EFBIG, ENOMEM or EROFS sharpens
 * the code to TF_NOSPACE, TF_QUOTA, TF_TOOBIG, TF_NOMEM or TF_READONLY, one of
 * EMFILE or ENFILE to TF_TOOMANY.
 * Control characters in the text come out as '?'.
 */
enum tf_code tf_fail(struct tf_error *err, enum tf_code code, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* TF_NOMEM, in the same words everywhere. */
enum tf_code tf_nomem(struct tf_error *err);

/* Fail as why says: fill err (unless NULL) with it, and return its code. */
enum tf_code tf_fail_as(struct tf_error *err, const struct tf_error *why);

/*
 * The code of a file that could not be opened or looked at, by errno: TF_NOTFOUND,
 * TF_ACCESS, else TF_IO, for too many open files are no missing one.
 */
enum tf_code tf_code_of_open(int sys);

/*
 * Did the machine fail, or keep the caller out?  Then nothing is known about
 * what was to be looked at, and nobody is to be accused of it.
 */
bool tf_code_undecided(enum tf_code code);

/* The word for a code ("sealed", "no space"), for logs and --json. */
const char *tf_code_name(enum tf_code code);

#endif
