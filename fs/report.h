/*
 * What the mount says: an errno to the caller, a line to the daemon's log.
 * Nothing else in fs/ knows which code is which errno.
 */
#ifndef FS_REPORT_H
#define FS_REPORT_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <syslog.h>

#include "core/vault.h"

/*
 * Choose where lines go: stderr (the start, and -f) or syslog(3) as a daemon.
 * Call it before there are threads.
 */
void fs_report_open(bool foreground);

/* One line, never held back.  priority as in syslog(3). */
void fs_report_line(int priority, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* News of the vault: struct tf_vault_options.say.  Held back when a storm. */
void fs_report_news(void *arg, enum tf_code code, const char *line);

/* Messages of libfuse, for fuse_set_log_func. */
void fs_report_fuse(enum fuse_log_level level, const char *fmt, va_list ap);

/* The errno of a code, 0 for TF_OK. */
int fs_report_errno(enum tf_code code);

/*
 * Answer req with the errno of rc, which is not TF_OK, and write a line about
 * what was refused ("open for writing") unless it is an everyday answer (no
 * such file).  At most a hundred such lines at once and ten a second, then
 * they are counted.  e may be NULL.  req is gone afterwards.
 */
void fs_report_error(fuse_req_t req, const char *what, enum tf_code rc,
    const struct tf_error *e);
/* The same with another errno, where the call has its own (E2BIG). */
void fs_report_error_as(fuse_req_t req, const char *what, enum tf_code rc,
    const struct tf_error *e, int sys);
/* The same for a change; if a rule refused it, the vault keeps that.  a says
 * which operation and of what. */
void fs_report_attempt(fuse_req_t req, const struct tf_attempt *a,
    enum tf_code rc, const struct tf_error *e);
/* Refuse req with a rule that needs no engine: EPERM or what code says. */
void fs_report_refuse(fuse_req_t req, const struct tf_attempt *a,
    enum tf_code code, const char *text);

#endif
