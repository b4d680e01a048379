/*
 * The table from code to exit status, and error messages: see report.h.
 *
 * Exit statuses say what a script should do next. 1: the answer is no, or the
 * vault refused; trying again gives the same. 2: the command line is wrong. 3:
 * nothing is known, because something could not be read or written; trying
 * again may help. 4: the evidence is not what was recorded; this one must never
 * be given for a mere failure to read. 5: known, but not enough to decide.
 * Damage is thus never confused with a full disk.
 *
 * All messages go through say(), which makes them safe for a terminal: names in
 * them may come from a vault that somebody else has filled.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "text.h"

/* A switch without default: a new code does not compile until somebody has
 * decided. */
int
report_status(enum tf_code code)
{
	switch (code) {
	case TF_OK:
		return REPORT_OK;
	/* The vault refused the request. */
	case TF_SEALED:
	case TF_DENIED:
	case TF_BUSY:
	case TF_EXISTS:
	case TF_NOTEMPTY:
	case TF_CROSSES:
	case TF_NODATA:
	case TF_REDACTED:
		return REPORT_FINDING;
	case TF_BADNAME:
	case TF_BADUTF8:
	case TF_NAMETOOLONG:
	case TF_NOTDIR:
	case TF_ISDIR:
	case TF_UNSUPPORTED:
	case TF_INVALID:
	case TF_USAGE:
		return REPORT_USAGE;
	case TF_NOTFOUND:
	case TF_ACCESS:
	case TF_READONLY:
	case TF_NOSPACE:
	case TF_QUOTA:
	case TF_TOOBIG:
	case TF_NOMEM:
	case TF_TOOMANY:
	case TF_IO:
	case TF_TIMEDOUT:
	case TF_INTERRUPTED:
	case TF_LOCKED:
	case TF_FOREIGN:
	case TF_OLDER:
		return REPORT_UNREACHABLE;
	case TF_TAMPER:
		return REPORT_TAMPERED;
	/* A later version may be able to decide. */
	case TF_NEWER:
	case TF_INDOUBT:
	case TF_CODES:
		break;
	}
	return REPORT_DOUBT;
}

/* One line on stderr, with the program's name before it. */
static void
say(const char *text)
{
	fputs("trailctl: ", stderr);
	text_put(stderr, text, strlen(text));
	fputc('\n', stderr);
}

int
report(const struct tf_error *err)
{
	const char *text = err->text[0] != '\0' ? err->text :
						  tf_code_name(err->code);
	const char *why = err->sys != 0 ? strerror(err->sys) : "";

	if (*why != '\0' && strstr(text, why) == NULL)
		report_note("%s: %s", text, why);
	else
		say(text);
	return report_status(err->code);
}

void
report_note(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(text);
}

/* What an errno of a mount or of the system means for the caller. */
static enum tf_code
code_of(int sys)
{
	switch (sys) {
	case EPERM:
		return TF_DENIED;
	case EACCES:
		return TF_ACCESS;
	case EBUSY:
		return TF_BUSY;
	case ENOENT:
		return TF_NOTFOUND;
	case ENOTDIR:
		return TF_NOTDIR;
	case ENOTTY:
	case EOPNOTSUPP:
		return TF_UNSUPPORTED;
	case ENODATA:
		return TF_NODATA;
	case ENAMETOOLONG:
		return TF_NAMETOOLONG;
	default:
		return TF_IO; /* tf_fail() finds sharper codes */
	}
}

enum tf_code
report_system(struct tf_error *err, const char *fmt, ...)
{
	int sys = errno;
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	errno = sys;
	return tf_fail(err, code_of(sys), "%s: %s", what, strerror(sys));
}

enum tf_code
report_name(struct tf_error *err, const char *what)
{
	if (errno == EINVAL || errno == EILSEQ)
		return tf_fail(err, TF_BADNAME, "%s: no such name can be here",
		    what);
	return report_system(err, "%s", what);
}

void
report_about(struct tf_error *err, const char *thing)
{
	const struct tf_error is = *err;

	if (tf_error_names(err, thing))
		return;
	(void)tf_fail(err, is.code, "%s: %s", thing, is.text);
	err->sys = is.sys;
}

/* A full disk behind a redirection is seen only here, and must not end in
 * success. */
int
report_end(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	report_note("write to standard output: %s", strerror(errno));
	return REPORT_UNREACHABLE;
}
