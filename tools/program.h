/*
 * Programs that trailctl runs for its caller: with the caller's environment and
 * limits, which trailctl changes for itself, and without a shell.
 */
#ifndef TRAILCTL_PROGRAM_H
#define TRAILCTL_PROGRAM_H

#include "core/json.h"

/*
 * Remember environment and limits. Call this first in main, before
 * tf_environment_clean(). Without memory the remembered environment is empty.
 */
void program_keep(void);
/* The remembered environment. */
char **program_environment(void);
/* The value of a variable in the remembered environment, or NULL. It is not
 * freed. */
const char *program_variable(const char *name);

/* Set "NAME=value" in it; text must live as long as it is used.  False: no
 * memory. */
bool program_set_variable(char *text);

/*
 * *path: the real path of the file that execvp(3) would run for `name`; the
 * caller frees it, also on failure (NULL). TF_NOTFOUND: there is none.
 * TF_ACCESS: it is no program. TF_USAGE: the name is empty.
 */
TF_MUST_USE enum tf_code program_find(const char *name, char **path,
    struct tf_error *err);

/*
 * In a child after fork(2): become the program, with the remembered environment
 * and limit of open files. Signals are as they were before interrupt_hold().
 * Returns only if that failed, with errno; the child then calls _exit(2).
 */
void program_exec(const char *path, char **argv);

/* What a program said that judges evidence. */
struct program_verdict {
	char *path;
	struct tf_hash sha256; /* of the program */
	int exit;
	struct tf_buf output; /* its standard output and error, in order */
};
/*
 * Run argv (NULL at the end) in the directory dir, without standard input, and
 * wait for it.  The caller calls program_verdict_free() in any case.  Errors:
 * those of program_find; TF_TOOBIG too much output; TF_INTERRUPTED; TF_IO, also
 * if a signal ended it.
 */
TF_MUST_USE enum tf_code program_judge(char **argv, const char *dir,
    struct program_verdict *out, struct tf_error *err);
void program_verdict_free(struct program_verdict *v);

#endif
