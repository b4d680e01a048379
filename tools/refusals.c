/*
 * Reading denied.jsonl, which shows each user only their own attempts.
 *
 * An errno is all that a refused system call gives. The mount also writes a
 * line with the reason. It may be read too late or be about another call, so a
 * reason is used only if path and operation are those of the call; otherwise
 * the plain errno is reported. A failure to read the file is no error of its
 * own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/control.h"
#include "files.h"
#include "modes.h"
#include "refusals.h"
#include "report.h"

#define LINES_MAX (4 << 20) /* bytes of denied.jsonl; more is refused */

/* Is the member key of d a path at or below that one? */
static bool
is_about(const struct tf_json_doc *d, const char *key, const char *path)
{
	size_t n = strlen(path);
	struct tf_buf b = { 0 };
	int t = tf_json_get(d, 0, key);
	bool yes = t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK &&
	    (strcmp(path, ".") == 0 ||
		(b.n >= n && memcmp(b.p, path, n) == 0 &&
		    (b.n == n || b.p[n] == '/')));

	tf_buf_free(&b);
	return yes;
}

/* Keep the last REFUSALS_MAX: the newest is the one of interest. */
static void
take_line(const struct where *w, struct refusals *r, struct tf_str line)
{
	struct tf_json_doc d = { 0 };

	if (tf_json_parse(&d, line.p, line.n, NULL) == TF_OK &&
	    (is_about(&d, "path", w->path) || is_about(&d, "to", w->path))) {
		if (r->n == REFUSALS_MAX) {
			memmove(&r->line[0], &r->line[1],
			    sizeof(r->line[0]) * (REFUSALS_MAX - 1));
			r->n--;
		}
		r->line[r->n++] = line;
	}
	tf_json_doc_free(&d);
}

enum tf_code
refusals_read(const struct where *w, struct refusals *out, struct tf_error *err)
{
	const char *p, *end;
	enum tf_code rc;
	int fd;

	*out = (struct refusals){ 0 };
	if ((rc = where_control(w, TF_CONTROL_DENIED, &fd, err)) != TF_OK)
		return rc;
	rc = files_read_fd(fd, TF_CONTROL_DENIED, LINES_MAX, &out->text, err);
	close(fd);
	p = out->text.p;
	while (rc == TF_OK && p != NULL &&
	    (end = memchr(p, '\n', out->text.n - (size_t)(p - out->text.p))) !=
		NULL) {
		take_line(w, out, (struct tf_str){ p, (size_t)(end - p) });
		p = end + 1;
	}
	return rc;
}

void
refusals_free(struct refusals *r)
{
	tf_buf_free(&r->text);
	r->n = 0;
}

/* Is the member key of d exactly that string? */
static bool
is_string(const struct tf_json_doc *d, const char *key, const char *want)
{
	struct tf_buf b = { 0 };
	int t = tf_json_get(d, 0, key);
	bool same = t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK &&
	    b.n == strlen(want) && memcmp(b.p, want, b.n) == 0;

	tf_buf_free(&b);
	return same;
}

enum tf_code
refusals_explain(const struct where *w, const char *operation,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf reason = { 0 };
	enum tf_code rc = err->code;
	struct refusals r = { 0 };

	if ((rc == TF_DENIED || rc == TF_BUSY || rc == TF_READONLY) &&
	    refusals_read(w, &r, NULL) == TF_OK) {
		if (r.n > 0 &&
		    tf_json_parse(&d, r.line[r.n - 1].p, r.line[r.n - 1].n,
			NULL) == TF_OK &&
		    is_string(&d, "path", w->path) &&
		    is_string(&d, "operation", operation) &&
		    tf_json_string(&d, tf_json_get(&d, 0, "reason"), &reason,
			NULL) == TF_OK)
			(void)tf_fail(err, rc, "%s %s: %.*s", operation,
			    w->path, (int)reason.n, reason.p);
		tf_json_doc_free(&d);
		tf_buf_free(&reason);
	}
	refusals_free(&r);
	return rc;
}

/* The reason of the newest refusal in r, if it has the errno of that name. */
static void
use_reason(const struct refusals *r, const char *path, const char *name,
    struct tf_error *err)
{
	struct tf_buf reason = { 0 };
	struct tf_json_doc d = { 0 };

	if (r->n > 0 &&
	    tf_json_parse(&d, r->line[r->n - 1].p, r->line[r->n - 1].n, NULL) ==
		TF_OK &&
	    is_string(&d, "errno", name) &&
	    tf_json_string(&d, tf_json_get(&d, 0, "reason"), &reason, NULL) ==
		TF_OK)
		(void)tf_fail(err, err->code, "%s: %.*s", path, (int)reason.n,
		    reason.p);
	tf_json_doc_free(&d);
	tf_buf_free(&reason);
}

/* The mode of the directory refuses: say whose it is. */
static void
use_owner(const char *path, const char *dir, struct tf_error *err)
{
	char user[MODES_NAME_SIZE], group[MODES_NAME_SIZE];
	struct stat st;

	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0 ||
	    stat(dir, &st) < 0)
		return;
	modes_user(st.st_uid, user);
	modes_group(st.st_gid, group);
	(void)tf_fail(err, TF_ACCESS,
	    "%s: only user %s%s%s may make something in its directory", path,
	    user, (modes_of(&st) & S_IWGRP) != 0 ? " and group " : "",
	    (modes_of(&st) & S_IWGRP) != 0 ? group : "");
}

/* The name of the errno with which a mount refuses for a reason of its own. */
static const char *
errno_of(enum tf_code code)
{
	switch (code) {
	case TF_DENIED:
		return "EPERM";
	case TF_BUSY:
		return "EBUSY";
	case TF_READONLY:
		return "EROFS";
	case TF_TOOBIG:
		return "EFBIG";
	case TF_NOSPACE:
		return "ENOSPC";
	case TF_QUOTA:
		return "EDQUOT";
	default:
		return NULL;
	}
}

/* path: something that was made; shown: what err names. */
static enum tf_code
explain(const char *path, const char *shown, struct tf_error *err)
{
	const enum tf_code code = err->code;
	const char *name = errno_of(code);
	struct tf_error ignored;
	struct where w = { 0 };
	struct refusals r = { 0 };
	char *dir = NULL, *slash;
	bool exists;

	if (code == TF_DENIED && where_not_mounted(shown, err))
		return err->code;
	if ((name == NULL && code != TF_ACCESS) ||
	    where_find_name(path, &w, &exists, &ignored) != TF_OK ||
	    w.mount == NULL)
		goto out;
	/* A temporary name beside the path has been refused. */
	if ((slash = strrchr(w.path, '/')) != NULL)
		*slash = '\0';
	else
		strcpy(w.path, ".");
	if ((dir = strdup(w.file)) == NULL)
		goto out;
	if ((slash = strrchr(dir, '/')) != NULL && slash > dir)
		*slash = '\0';
	errno = 0;
	if (code == TF_ACCESS)
		use_owner(shown, dir, err);
	else if (code == TF_READONLY && where_is_sealed(dir))
		(void)tf_fail(err, TF_SEALED,
		    "%s: %s is sealed: nothing can be added", shown, w.path);
	else if (refusals_read(&w, &r, NULL) == TF_OK)
		use_reason(&r, shown, name, err);
out:
	refusals_free(&r);
	free(dir);
	where_free(&w);
	return err->code;
}

enum tf_code
refusals_explain_path(const char *path, struct tf_error *err)
{
	return explain(path, path, err);
}

enum tf_code
refusals_explain_below(const char *dir, struct tf_error *err)
{
	const struct tf_error is = *err;
	char *path = NULL;

	if (is.sys == EPERM)
		err->code = TF_DENIED;
	if ((err->code != TF_DENIED && err->code != TF_READONLY) ||
	    (is.sys == EPERM && where_not_mounted(dir, err)))
		return err->code;
	if (asprintf(&path, "%s/.", dir) < 0)
		return tf_nomem(err);
	(void)explain(path, dir, err);
	free(path);
	if (strcmp(err->text, is.text) == 0)
		*err = is; /* it was no mount that refused */
	return err->code;
}
