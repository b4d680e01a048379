/*
 * Failing: see error.h.  Text may come from names that users chose, so control
 * characters are replaced: one error is one line, also in a log.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../error.h"

#define LONGEST 5120 /* bytes of a text before it is cut: a path and more */
#define DOTS "..."

static const char *const names[TF_CODES] = {
	[TF_OK] = "ok",
	[TF_SEALED] = "sealed",
	[TF_DENIED] = "denied",
	[TF_BUSY] = "busy",
	[TF_INTERRUPTED] = "interrupted",
	[TF_EXISTS] = "exists",
	[TF_NOTFOUND] = "not found",
	[TF_NOTEMPTY] = "not empty",
	[TF_CROSSES] = "cannot be renamed",
	[TF_NOTDIR] = "not a directory",
	[TF_ISDIR] = "is a directory",
	[TF_ACCESS] = "access",
	[TF_BADNAME] = "bad name",
	[TF_BADUTF8] = "bad utf-8",
	[TF_NAMETOOLONG] = "name too long",
	[TF_NODATA] = "no data",
	[TF_UNSUPPORTED] = "unsupported",
	[TF_READONLY] = "read-only",
	[TF_NOSPACE] = "no space",
	[TF_QUOTA] = "quota",
	[TF_TOOBIG] = "too big",
	[TF_NOMEM] = "no memory",
	[TF_TOOMANY] = "too many open files",
	[TF_IO] = "i/o",
	[TF_TIMEDOUT] = "timed out",
	[TF_INVALID] = "invalid",
	[TF_USAGE] = "usage",
	[TF_LOCKED] = "locked",
	[TF_FOREIGN] = "foreign",
	[TF_NEWER] = "newer",
	[TF_OLDER] = "older",
	[TF_TAMPER] = "tamper",
	[TF_REDACTED] = "redacted",
	[TF_INDOUBT] = "in doubt",
};

/*
 * A caller says TF_IO and means that a system call failed; errno says which
 * remedy there is.
 */
static enum tf_code
sharpen(enum tf_code code, int sys)
{
	if (code != TF_IO)
		return code;
	switch (sys) {
	case ENOSPC:
		return TF_NOSPACE;
	case EDQUOT:
		return TF_QUOTA;
	case EFBIG:
		return TF_TOOBIG;
	case ENOMEM:
		return TF_NOMEM;
	case EMFILE:
	case ENFILE:
		return TF_TOOMANY;
	case EROFS:
		return TF_READONLY;
	default:
		return TF_IO;
	}
}

static bool
is_continued(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/*
 * A text has the thing at its beginning and the cause at its end, so a long one
 * loses its middle: of two fifths and three fifths of the room, minus the dots.
 * No character is cut.  Only what is longer than whole[] loses its end.
 */
static void
put_text(char *text, size_t room, const char *fmt, va_list ap)
{
	char whole[LONGEST];
	size_t n, head = room * 2 / 5, tail;

	(void)vsnprintf(whole, sizeof(whole), fmt, ap);
	if ((n = strlen(whole)) < room) {
		memcpy(text, whole, n + 1);
		return;
	}
	tail = n - (room - 1 - head - strlen(DOTS));
	while (head > 0 && is_continued(whole[head]))
		head--;
	while (tail < n && is_continued(whole[tail]))
		tail++;
	(void)snprintf(text, room, "%.*s" DOTS "%s", (int)head, whole,
	    whole + tail);
}

enum tf_code
tf_fail(struct tf_error *err, enum tf_code code, const char *fmt, ...)
{
	/* For any other code errno is left over from an earlier call. */
	int sys = code == TF_IO || code == TF_NOTFOUND || code == TF_NOTDIR ||
		code == TF_NOTEMPTY || code == TF_ACCESS ?
	    errno :
	    0;
	va_list ap;

	code = sharpen(code, sys);
	if (err == NULL)
		return code;
	err->code = code;
	err->sys = sys;
	va_start(ap, fmt);
	put_text(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	for (char *p = err->text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return code;
}

enum tf_code
tf_nomem(struct tf_error *err)
{
	return tf_fail(err, TF_NOMEM, "no memory");
}

enum tf_code
tf_fail_as(struct tf_error *err, const struct tf_error *why)
{
	if (err != NULL)
		*err = *why;
	return why->code;
}

bool
tf_error_names(const struct tf_error *err, const char *thing)
{
	static const char more[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.";
	const size_t n = strlen(thing);

	for (const char *p = err->text; (p = strstr(p, thing)) != NULL; p++)
		if ((p == err->text || strchr(more, p[-1]) == NULL) &&
		    (p[n] == '\0' || p[n] == '/' || strchr(more, p[n]) == NULL))
			return true;
	return false;
}

void
tf_error_at(struct tf_error *err, const char *path)
{
	const struct tf_error is = *err;

	if ((is.code != TF_NOSPACE && is.code != TF_QUOTA &&
		is.code != TF_TOOBIG && is.code != TF_READONLY &&
		is.sys != EPERM) ||
	    tf_error_names(err, path))
		return;
	(void)tf_fail(err, is.code, "%s: %s", path, is.text);
	err->sys = is.sys;
}

enum tf_code
tf_code_of_open(int sys)
{
	switch (sys) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return TF_NOTFOUND;
	case EACCES:
	case EPERM:
		return TF_ACCESS;
	default:
		return TF_IO;
	}
}

bool
tf_code_undecided(enum tf_code code)
{
	return code == TF_ACCESS || code == TF_READONLY || code == TF_NOSPACE ||
	    code == TF_QUOTA || code == TF_NOMEM || code == TF_TOOMANY ||
	    code == TF_IO || code == TF_INTERRUPTED;
}

bool
tf_code_is_rule(enum tf_code code)
{
	return code == TF_SEALED || code == TF_DENIED || code == TF_BUSY ||
	    code == TF_READONLY || code == TF_BADNAME || code == TF_BADUTF8 ||
	    code == TF_NAMETOOLONG || code == TF_QUOTA || code == TF_TOOBIG ||
	    code == TF_INVALID;
}

const char *
tf_code_name(enum tf_code code)
{
	if ((unsigned)code >= TF_CODES || names[code] == NULL)
		return "unknown";
	return names[code];
}
