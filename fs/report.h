/*
 * Reports of the mount: an errno to the caller, a line in the daemon's log.
 * Only report.c knows the errno of each code.  Any thread may call these
 * functions, fs_report_open excepted.
 */
#ifndef FS_REPORT_H
#define FS_REPORT_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <syslog.h>

#include "core/vault.h"

/*
 * Choose where lines go: in the background to the journal of systemd (journal.h),
 * else to syslog(3); in the foreground to stderr, unless stderr is the journal.  In
 * the background, warnings and errors go to stderr too until fs_report_started.  Before it
 * is called they go to stderr.  Call it before there are threads.
 */
void fs_report_open(bool foreground);
/*
 * Move the descriptor fd to the number `to` and close all above it, also those to which
 * lines go: these are opened again.  Otherwise a line would be sent to whatever has their
 * numbers then.  For a process that was forked and has one thread.
 */
void fs_report_keep_only(int fd, int to);
/* The start is over, and stderr is no longer that of who started it. */
void fs_report_started(void);

/* Write one line, whatever the budget.  priority is that of syslog(3). */
void fs_report_line(int priority, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A message of the vault: struct tf_vault_options.say.  Subject to the budget
 * of lines (fs_report_error). */
void fs_report_message(void *arg, enum tf_code code, const char *line);
/* The same about a key: struct tf_vault_options.say_key.  Not subject to the
 * budget: nobody but root and the owner of the store causes such lines. */
void fs_report_key(void *arg, enum tf_code code, const char *line);

/* Messages of libfuse, for fuse_set_log_func. */
void fs_report_fuse(enum fuse_log_level level, const char *fmt, va_list ap);

/* The errno of a code, 0 for TF_OK. */
int fs_report_errno(enum tf_code code);

/*
 * Answer req with the errno of rc, which is not TF_OK.  Log what failed ("open
 * for writing"), unless rc is an everyday answer such as "no such file".  The
 * budget is 100 lines at once and 10 lines per second; lines beyond that are
 * only counted.  e may be NULL.  req is gone afterwards.
 */
void fs_report_error(fuse_req_t req, const char *what, enum tf_code rc,
    const struct tf_error *e);
/* The same with the errno sys, for calls that have their own (E2BIG). */
void fs_report_error_as(fuse_req_t req, const char *what, enum tf_code rc,
    const struct tf_error *e, int sys);
/* The same for a change.  If a rule refused the change, the vault records the
 * attempt a: the operation, and its nodes and names. */
void fs_report_attempt(fuse_req_t req, const struct tf_attempt *a,
    enum tf_code rc, const struct tf_error *e);
/* Refuse req by a rule of fs/: the errno of code, and text as the reason. */
void fs_report_refuse(fuse_req_t req, const struct tf_attempt *a,
    enum tf_code code, const char *text);

#endif
