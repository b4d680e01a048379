/*
 * Definitions of a trail, in a mount or a store: see define.h.
 *
 * A text is checked here before a vault is asked, by the same core code that
 * the vault uses, so that a mistake is reported with its line, and nothing is
 * sent to the mount. Setting an equal text again does nothing: a pipeline may
 * set its template in each run, and versions count changes and not runs.
 *
 * In a mount the control file is written whole and judged at close(2); the
 * reason of a refusal is then in last-error. The newest version number is not
 * in any file, so newest() searches for it: versions have no gaps.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "compliance.h"
#include "core/control.h"
#include "define.h"
#include "files.h"
#include "report.h"
#include "text.h"

#define TEMPLATE "template"
#define SUFFIX ".yml"

const char *
define_word(enum tf_definition_kind kind)
{
	switch (kind) {
	case TF_DEFINITION_TEMPLATE:
		return TEMPLATE;
	case TF_DEFINITION_RECIPIENTS:
		return TF_CONTROL_RECIPIENTS;
	default:
		return "type";
	}
}

/* --- the text ------------------------------------------------------------- */

enum tf_code
define_check(enum tf_definition_kind kind, const char *name, const char *shown,
    const struct tf_buf *text, struct tf_error *err)
{
	struct tf_buf warnings = { 0 };
	struct tf_error why = { 0 };
	char *line, *rest;
	enum tf_code rc;

	if (text->n == 0)
		return tf_fail(err, TF_INVALID, "%s is empty", shown);
	rc = tf_definition_check(kind, name, text->p, text->n, &warnings, &why);
	if (rc == TF_OK && warnings.n > 0) {
		(void)text_of(&warnings);
		rest = warnings.p;
		while ((line = strsep(&rest, "\n")) != NULL)
			if (*line != '\0')
				report_note("%s: warning: %s", shown, line);
	}
	tf_buf_free(&warnings);
	if (rc == TF_TOOBIG)
		return tf_fail(err, TF_INVALID, "%s: %s", shown, why.text);
	return rc == TF_OK ? TF_OK :
			     tf_fail(err, rc, "%s: %s", shown, why.text);
}

void
define_warn(const struct where *w, const struct tf_buf *text)
{
	char shown[300];

	(void)snprintf(shown, sizeof(shown), "%s: template", w->path);
	/* What is recorded was checked then: a later version of trailctl may
	 * say more, but it is no failure to show it. */
	(void)!define_check(TF_DEFINITION_TEMPLATE, "", shown, text, NULL);
}

enum tf_code
define_read(enum tf_definition_kind kind, const char *name, const char *path,
    struct tf_buf *out, struct tf_error *err)
{
	const bool stdin_is = strcmp(path, "-") == 0;
	const char *shown = stdin_is ? "standard input" : path;
	enum tf_code rc = stdin_is ?
	    files_read_fd(STDIN_FILENO, shown, TF_DEFINITION_MAX, out, err) :
	    files_read(path, TF_DEFINITION_MAX, out, err);

	if (rc == TF_TOOBIG)
		rc = tf_fail(err, TF_INVALID, "%s is longer than %d bytes",
		    shown, TF_DEFINITION_MAX);
	return rc == TF_OK ? define_check(kind, name, shown, out, err) : rc;
}

/* --- in a mount ------------------------------------------------------------- */

/* The control file of a version (0: the newest); NULL: no memory. */
static char *
path_of(const struct define *d, uint64_t version)
{
	const bool is_type = d->kind == TF_DEFINITION_TYPE;
	const bool is_yaml = d->kind != TF_DEFINITION_RECIPIENTS;
	char at[32] = "", *path = NULL;

	if (version != 0)
		(void)snprintf(at, sizeof(at), "@%llu",
		    (unsigned long long)version);
	return asprintf(&path, "%s/%s/%s%s%s%s", d->w->file, TF_CONTROL_DIR,
		   is_type ? TF_CONTROL_TYPES "/" : "",
		   is_type ? d->name : define_word(d->kind), at,
		   is_yaml ? SUFFIX : "") < 0 ?
	    NULL :
	    path;
}

/* Each version has a control file of its own. */
static bool
has_version(const struct define *d, uint64_t version)
{
	char *path = path_of(d, version);
	bool yes = path != NULL && access(path, F_OK) == 0;

	free(path);
	return yes;
}

/* The newest version; versions have no gaps.  0: the mount does not show it. */
static uint64_t
newest(const struct define *d)
{
	uint64_t low = 0, high = 1, middle;

	while (high < (UINT64_C(1) << 32) && has_version(d, high)) {
		low = high;
		high *= 2;
	}
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (has_version(d, middle))
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* There is no such version, or no definition at all. */
static enum tf_code
none(const struct define *d, uint64_t version, struct tf_error *err)
{
	char which[TF_DEFINITION_NAME_MAX + 16];

	(void)snprintf(which, sizeof(which), "%s%s%s", define_word(d->kind),
	    d->kind == TF_DEFINITION_TYPE ? " " : "",
	    d->kind == TF_DEFINITION_TYPE ? d->name : "");
	if (version != 0)
		return tf_fail(err, TF_NODATA,
		    "%s has no version %llu of its %s", d->w->path,
		    (unsigned long long)version, which);
	return tf_fail(err, TF_NODATA, "%s has no %s", d->w->path, which);
}

/* O_NOFOLLOW: a control file is never a link. */
static enum tf_code
get_mounted(const struct define *d, struct tf_buf *out, uint64_t *version,
    struct tf_error *err)
{
	char *path = path_of(d, *version);
	enum tf_code rc;
	int fd;

	if (path == NULL)
		return tf_nomem(err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		rc = none(d, *version, err);
	else if (fd < 0 && errno == EACCES)
		rc = where_denied(path, err);
	else if (fd < 0)
		rc = report_system(err, "%s", path);
	else
		rc = files_read_fd(fd, path, TF_DEFINITION_MAX, out, err);
	if (fd >= 0)
		(void)close(fd); /* read-only */
	if (rc == TF_OK && *version == 0)
		*version = newest(d);
	free(path);
	return rc;
}

enum tf_code
define_explain(const char *dir, struct tf_error *err)
{
	struct tf_buf line = { 0 };
	char *path = NULL;
	int fd = -1;

	/* These are about the text, and not about the mount. */
	if (err->sys == EINVAL || err->sys == E2BIG || err->sys == EFBIG)
		err->code = TF_INVALID;
	if (asprintf(&path, "%s/%s/%s", dir, TF_CONTROL_DIR,
		TF_CONTROL_LAST_ERROR) >= 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	else
		path = NULL;
	if (fd >= 0 && files_read_fd(fd, path, 65536, &line, NULL) == TF_OK &&
	    line.n > 0) {
		(void)text_of(&line);
		line.p[strcspn(line.p, "\n")] = '\0';
		if (line.p[0] != '\0')
			(void)tf_fail(err, err->code, "%s", line.p);
		err->sys = 0;
	}
	if (fd >= 0)
		(void)close(fd); /* read-only */
	tf_buf_free(&line);
	free(path);
	return err->code;
}

static enum tf_code
set_mounted(const struct define *d, const struct tf_buf *text,
    struct tf_error *err)
{
	char *path = path_of(d, 0);
	enum tf_code rc = TF_OK;
	int fd;

	if (path == NULL)
		return tf_nomem(err);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	/* EPERM alone does not say why. */
	if (fd < 0 && errno == EPERM && where_is_sealed(d->w->file))
		rc = tf_fail(err, TF_SEALED, "%s is sealed", d->w->path);
	else if (fd < 0 && errno == EACCES)
		rc = where_denied_write(d->w->file, d->w->path, err);
	else if (fd < 0)
		rc = report_system(err, "%s", path);
	else
		rc = files_put(fd, path, text->p, text->n, err);
	/* The mount judges and records at the close. */
	if (fd >= 0 && close(fd) < 0 && rc == TF_OK) {
		rc = report_system(err, "%s", path);
		rc = define_explain(d->w->file, err);
	}
	free(path);
	return rc;
}

/* --- in a store --------------------------------------------------------------- */

/* Opened for each call: nothing stays open between two. */
static enum tf_code
get_stored(const struct define *d, struct tf_buf *out, uint64_t *version,
    struct tf_error *err)
{
	struct tf_definition found;
	struct tf_vault *v = NULL;
	struct tf_attr a;
	enum tf_code rc = where_open(d->w, false, &v, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_vault_walk(v, d->w->path, &a, err);
	if (rc == TF_OK &&
	    (rc = tf_vault_definition(v, a.id, d->kind, d->name, *version, out,
		 &found, err)) == TF_NOTFOUND)
		rc = none(d, *version, err);
	if (rc == TF_OK)
		*version = found.version;
	where_close(v);
	return rc;
}

static enum tf_code
set_stored(const struct define *d, const struct tf_buf *text, uint64_t *version,
    struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = where_open(d->w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_walk(v, d->w->path, &a, err);
	if (rc == TF_OK)
		rc = tf_vault_define(v, a.id, d->kind, d->name, text->p,
		    text->n, &self, version, err);
	return where_done(v, rc, err);
}

/* --- both ------------------------------------------------------------------- */

enum tf_code
define_get(const struct define *d, struct tf_buf *out, uint64_t *version,
    struct tf_error *err)
{
	return d->w->mount != NULL ? get_mounted(d, out, version, err) :
				     get_stored(d, out, version, err);
}

enum tf_code
define_set(const struct define *d, const struct tf_buf *text, bool *changed,
    uint64_t *version, struct tf_error *err)
{
	struct tf_buf old = { 0 };
	enum tf_code rc;

	*version = 0;
	rc = define_get(d, &old, version, err);
	*changed = rc != TF_OK || old.n != text->n ||
	    memcmp(old.p, text->p, old.n) != 0;
	tf_buf_free(&old);
	if (rc != TF_OK && rc != TF_NODATA)
		return rc;
	if (!*changed)
		return TF_OK;
	if (d->w->mount == NULL)
		return set_stored(d, text, version, err);
	if ((rc = set_mounted(d, text, err)) == TF_OK)
		*version = newest(d);
	return rc;
}

/* --- the template of a workflow --------------------------------------------- */

enum tf_code
define_of_workflow(struct where *w, uint64_t *version, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf b = { 0 };
	char *slash;
	enum tf_code rc = compliance_read(w, &b, err);
	int t = -1;

	if (rc == TF_OK && b.n > 0)
		rc = tf_json_parse_status(&d, b.p, b.n - 1, err);
	if (rc == TF_OK && (t = tf_json_get(&d, 0, "template")) < 0)
		rc = tf_fail(err, TF_NODATA,
		    "%s began when its trail had no template", w->path);
	if (rc == TF_OK && d.tok[t].type == TF_JSON_OBJECT &&
	    (t = tf_json_get(&d, t, "version")) < 0)
		rc = tf_fail(err, TF_INDOUBT, "%s: no version of the template",
		    w->path);
	if (rc == TF_OK && *version == 0)
		*version = (uint64_t)d.tok[t].num;
	if (rc == TF_OK) {
		if ((slash = strrchr(w->path, '/')) != NULL)
			*slash = '\0';
		if (w->file != NULL && (slash = strrchr(w->file, '/')) != NULL)
			*slash = '\0';
	}
	tf_json_doc_free(&d);
	tf_buf_free(&b);
	return rc;
}

/* --- the list of types ---------------------------------------------------------- */

/* NAME.yml without an '@': the control file of the newest version. */
static int
is_newest(const struct dirent *e)
{
	size_t n = strlen(e->d_name), s = strlen(SUFFIX);

	return n > s && strcmp(e->d_name + n - s, SUFFIX) == 0 &&
	    strchr(e->d_name, '@') == NULL;
}

/* As bytes: the order of define_types(). */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum tf_code
list_mounted(const struct define *d,
    void (*each)(void *, const char *, uint64_t), void *arg,
    struct tf_error *err)
{
	struct dirent **list = NULL;
	struct define one = *d;
	char *dir = NULL;
	int n;

	if (asprintf(&dir, "%s/%s/%s", d->w->file, TF_CONTROL_DIR,
		TF_CONTROL_TYPES) < 0)
		return tf_nomem(err);
	n = scandir(dir, &list, is_newest, by_name);
	if (n < 0) {
		(void)report_system(err, "%s", dir);
		free(dir);
		return err->code;
	}
	for (int i = 0; i < n; i++) {
		list[i]->d_name[strlen(list[i]->d_name) - strlen(SUFFIX)] =
		    '\0';
		one.name = list[i]->d_name;
		each(arg, one.name, newest(&one));
		free(list[i]);
	}
	free(list);
	free(dir);
	return TF_OK;
}

/* In pages, so that the number of types has no limit here. */
static enum tf_code
list_stored(const struct define *d,
    void (*each)(void *, const char *, uint64_t), void *arg,
    struct tf_error *err)
{
	struct tf_definition some[64];
	char after[TF_DEFINITION_NAME_MAX + 1] = "";
	struct tf_vault *v = NULL;
	struct tf_attr a;
	size_t n = 1;
	enum tf_code rc = where_open(d->w, false, &v, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_vault_walk(v, d->w->path, &a, err);
	while (rc == TF_OK && n > 0) {
		rc = tf_vault_definitions(v, a.id, d->kind,
		    after[0] != '\0' ? after : NULL, some,
		    sizeof(some) / sizeof(some[0]), &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++)
			each(arg, some[i].name, some[i].version);
		if (rc == TF_OK && n > 0)
			strcpy(after, some[n - 1].name);
	}
	where_close(v);
	return rc;
}

enum tf_code
define_types(const struct define *d,
    void (*each)(void *, const char *, uint64_t), void *arg,
    struct tf_error *err)
{
	return d->w->mount != NULL ? list_mounted(d, each, arg, err) :
				     list_stored(d, each, arg, err);
}
