/*
 * The only table from code to errno, and the daemon's log.
 *
 * Lines go to the journal of systemd with fields, where there is one, else to
 * syslog(3); in the foreground to stderr, unless that is the journal.
 *
 * A refusal is logged, because somebody tried to change what cannot be changed.
 * A program that tries in an endless loop must not fill the disk, so there is a
 * budget of lines.  It grows with the ticks of a timer, because only core reads
 * the clock.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "actor.h"
#include "fs.h"
#include "journal.h"
#include "report.h"

#define BURST 100	  /* lines at once */
#define TICK_NS 100000000 /* one more line per 100 ms */

static struct {
	/* The journal or syslog; else stderr.  Set before threads start. */
	bool daemon;
	atomic_bool starting; /* somebody reads stderr until the mount is up */
	int timer;	      /* counts ticks; -1: no budget.  Likewise */
	pthread_mutex_t mu;
	uint64_t left;	  /* lines that may be written now; guarded by mu */
	uint64_t dropped; /* since the last line; guarded by mu */
} log_budget = { .timer = -1, .mu = PTHREAD_MUTEX_INITIALIZER, .left = BURST };

/* The errno of each code; everyday answers are not logged. */
static const struct {
	int sys;
	bool everyday;
} answers[TF_CODES] = {
	[TF_OK] = { 0, true },
	[TF_SEALED] = { EPERM, false },
	[TF_DENIED] = { EPERM, false },
	[TF_BUSY] = { EBUSY, false },
	[TF_INTERRUPTED] = { EINTR, true },
	[TF_EXISTS] = { EEXIST, true },
	[TF_NOTFOUND] = { ENOENT, true },
	[TF_NOTEMPTY] = { ENOTEMPTY, true },
	[TF_CROSSES] = { EXDEV, true },
	[TF_NOTDIR] = { ENOTDIR, true },
	[TF_ISDIR] = { EISDIR, true },
	[TF_ACCESS] = { EACCES, false },
	[TF_BADNAME] = { EINVAL, false },
	[TF_BADUTF8] = { EILSEQ, false },
	[TF_NAMETOOLONG] = { ENAMETOOLONG, false },
	[TF_NODATA] = { ENODATA, true },
	[TF_UNSUPPORTED] = { EOPNOTSUPP, true },
	[TF_READONLY] = { EROFS, false },
	[TF_NOSPACE] = { ENOSPC, false },
	[TF_QUOTA] = { EDQUOT, false },
	[TF_TOOBIG] = { EFBIG, false },
	[TF_NOMEM] = { ENOMEM, false },
	[TF_TOOMANY] = { EMFILE, false },
	[TF_IO] = { EIO, false },
	[TF_TIMEDOUT] = { ETIMEDOUT, false },
	[TF_INVALID] = { EINVAL, false },
	[TF_USAGE] = { EINVAL, false },
	[TF_LOCKED] = { EBUSY, false },
	[TF_FOREIGN] = { EIO, false },
	[TF_NEWER] = { EIO, false },
	[TF_OLDER] = { EIO, false },
	[TF_REDACTED] = { ENODATA, true },
	[TF_TAMPER] = { EIO, false },
	[TF_INDOUBT] = { EIO, false },
};

static void
start_timer(void)
{
	const struct itimerspec tick = {
		.it_interval = { .tv_nsec = TICK_NS },
		.it_value = { .tv_nsec = TICK_NS },
	};

	log_budget.timer = timerfd_create(CLOCK_MONOTONIC,
	    TFD_NONBLOCK | TFD_CLOEXEC);
	if (log_budget.timer >= 0)
		(void)timerfd_settime(log_budget.timer, 0, &tick, NULL);
}

void
fs_report_open(bool foreground)
{
	log_budget.daemon = !foreground;
	atomic_store(&log_budget.starting, log_budget.daemon);
	if (foreground && fs_journal_is(STDERR_FILENO))
		log_budget.daemon = fs_journal_open();
	else if (!foreground)
		(void)fs_journal_open();
	if (log_budget.daemon)
		openlog("trailfs", LOG_PID, LOG_DAEMON);
	if (log_budget.timer < 0)
		start_timer();
}

void
fs_report_keep_only(int fd, int to)
{
	const bool has_journal = fs_journal_close();

	closelog();
	if (fd != to)
		(void)dup2(fd, to);
	closefrom(to + 1);
	start_timer();
	if (has_journal)
		(void)fs_journal_open();
	if (log_budget.daemon)
		openlog("trailfs", LOG_PID, LOG_DAEMON);
}

void
fs_report_started(void)
{
	atomic_store(&log_budget.starting, false);
}

/* A line that the journal has no room for counts as left out. */
static void
put(const struct fs_about *about, int priority, const char *line)
{
	int sys = log_budget.daemon ? fs_journal_send(about, priority, line) :
				      0;

	if (sys == EAGAIN) {
		pthread_mutex_lock(&log_budget.mu);
		log_budget.dropped++;
		pthread_mutex_unlock(&log_budget.mu);
	} else if (sys != 0) {
		syslog(priority, "%s", line);
	}
	if (!log_budget.daemon ||
	    (priority <= LOG_WARNING && atomic_load(&log_budget.starting)))
		(void)dprintf(STDERR_FILENO, "trailfs: %s\n", line);
}

void
fs_report_line(int priority, const char *fmt, ...)
{
	static const struct fs_about about = { .kind = FS_KIND_DAEMON };
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	put(&about, priority, line);
}

/* Take one line from the budget.  *dropped: the lines left out before it.
 * False: the budget is used up. */
static bool
take_line(uint64_t *dropped)
{
	uint64_t ticks;
	bool yes;

	if (log_budget.timer < 0) {
		*dropped = 0;
		return true;
	}
	pthread_mutex_lock(&log_budget.mu);
	if (read(log_budget.timer, &ticks, sizeof ticks) == sizeof ticks)
		log_budget.left = ticks > BURST - log_budget.left ?
		    BURST :
		    log_budget.left + ticks;
	yes = log_budget.left > 0;
	*dropped = yes ? log_budget.dropped : 0;
	if (yes) {
		log_budget.left--;
		log_budget.dropped = 0;
	} else {
		log_budget.dropped++;
	}
	pthread_mutex_unlock(&log_budget.mu);
	return yes;
}

/* Write one line if the budget has one left. */
static void
put_within_budget(const struct fs_about *about, int priority, const char *line)
{
	static const struct fs_about left_out = { .kind = FS_KIND_DROPPED };
	uint64_t dropped;
	char text[80];

	if (!take_line(&dropped))
		return;
	if (dropped > 0) {
		snprintf(text, sizeof text,
		    "%llu lines before this one were left out",
		    (unsigned long long)dropped);
		put(&left_out, LOG_WARNING, text);
	}
	put(about, priority, line);
}

/* The kind of a message of the vault. */
static enum fs_kind
kind_of(enum tf_code code)
{
	switch (code) {
	case TF_OK:
		return FS_KIND_VAULT;
	case TF_TAMPER:
		return FS_KIND_DAMAGE;
	case TF_IO:
	case TF_TIMEDOUT:
	case TF_NOSPACE:
	case TF_QUOTA:
	case TF_NOMEM:
	case TF_TOOMANY:
	case TF_READONLY:
		return FS_KIND_MACHINE;
	default:
		return FS_KIND_STORE;
	}
}

void
fs_report_message(void *arg, enum tf_code code, const char *line)
{
	const struct fs_about about = { .kind = kind_of(code),
		.code = code == TF_OK ? NULL : tf_code_name(code) };

	(void)arg;
	put_within_budget(&about, code == TF_OK ? LOG_NOTICE : LOG_ERR, line);
}

void
fs_report_key(void *arg, enum tf_code code, const char *line)
{
	const struct fs_about about = { .kind = FS_KIND_KEY,
		.code = code == TF_OK ? NULL : tf_code_name(code) };

	(void)arg;
	put(&about, code == TF_OK ? LOG_NOTICE : LOG_ERR, line);
}

void
fs_report_fuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
	static const struct fs_about about = { .kind = FS_KIND_LIBRARY };
	char line[2048];
	size_t n;

	vsnprintf(line, sizeof line, fmt, ap);
	n = strlen(line);
	while (n > 0 && line[n - 1] == '\n')
		line[--n] = '\0';
	/* The numbers are those of syslog. */
	put(&about, (int)level, line);
}

int
fs_report_errno(enum tf_code code)
{
	if ((unsigned)code >= TF_CODES ||
	    (answers[code].sys == 0 && code != TF_OK))
		return EIO;
	return answers[code].sys;
}

/* Is it a fault of the machine or the store, and no refusal by a rule? */
static bool
is_fault(enum tf_code code)
{
	switch (code) {
	case TF_NOSPACE:
	case TF_QUOTA:
	case TF_NOMEM:
	case TF_TOOMANY:
	case TF_IO:
	case TF_TIMEDOUT:
	case TF_FOREIGN:
	case TF_NEWER:
	case TF_OLDER:
	case TF_TAMPER:
	case TF_INDOUBT:
		return true;
	default:
		return false;
	}
}

/* Answer and log; node: what the request is about, or 0. */
static void
answer(fuse_req_t req, const char *what, uint64_t node, enum tf_code rc,
    const struct tf_error *e, int sys)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	bool fault = is_fault(rc);
	const char *text = e != NULL && e->text[0] != '\0' ? e->text :
							     tf_code_name(rc);
	const char *why = e != NULL && e->sys != 0 && fault ?
	    strerrordesc_np(e->sys) :
	    NULL;
	const struct fs_about about = {
		.kind = rc == TF_TAMPER ? FS_KIND_DAMAGE :
		    fault		? FS_KIND_FAILED :
					  FS_KIND_REFUSED,
		.code = tf_code_name(rc),
		.answer = strerrorname_np(sys),
		.operation = what,
		.has_caller = true,
		.uid = (uint32_t)ctx->uid,
		.pid = (uint32_t)ctx->pid,
		.node = node,
	};
	char line[512];

	if ((unsigned)rc >= TF_CODES || !answers[rc].everyday) {
		snprintf(line, sizeof line, "%s: %s by uid %u pid %d: %s%s%s",
		    fault ? "failed" : "refused", what, (unsigned)ctx->uid,
		    (int)ctx->pid, text, why != NULL ? ": " : "",
		    why != NULL ? why : "");
		put_within_budget(&about, fault ? LOG_ERR : LOG_WARNING, line);
	}
	fuse_reply_err(req, sys);
}

/* A failure without its code must never be read as success. */
static int
errno_of(enum tf_code rc)
{
	int sys = fs_report_errno(rc);

	return sys != 0 ? sys : EIO;
}

void
fs_report_error_as(fuse_req_t req, const char *what, enum tf_code rc,
    const struct tf_error *e, int sys)
{
	answer(req, what, 0, rc, e, sys);
}

void
fs_report_error(fuse_req_t req, const char *what, enum tf_code rc,
    const struct tf_error *e)
{
	answer(req, what, 0, rc, e, errno_of(rc));
}

void
fs_report_attempt(fuse_req_t req, const struct tf_attempt *a, enum tf_code rc,
    const struct tf_error *e)
{
	struct tf_attempt record = *a;
	struct fs *fs = fs_of(req);
	struct tf_actor who;

	if (tf_code_is_rule(rc)) {
		fs_actor_of(fs->actors, req, true, &who);
		record.actor = &who;
		record.code = rc;
		record.sys = strerrorname_np(fs_report_errno(rc));
		record.reason = e != NULL && e->text[0] != '\0' ?
		    e->text :
		    tf_code_name(rc);
		tf_vault_denied(fs->vault, &record);
	}
	answer(req, a->operation, a->id, rc, e, errno_of(rc));
}

void
fs_report_refuse(fuse_req_t req, const struct tf_attempt *a, enum tf_code code,
    const char *text)
{
	struct tf_error e = { .code = code };

	snprintf(e.text, sizeof e.text, "%s", text);
	fs_report_attempt(req, a, code, &e);
}
