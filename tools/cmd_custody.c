/*
 * trailctl custody: the life of a file or directory.
 *
 * The lines are those of custody.jsonl of the directory that has the file, from
 * its mount or made from its store.  Of these only the lines about the path,
 * about what is below it and about the directories above it are printed.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "core/control.h"
#include "core/page.h"
#include "files.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define DIRECTORIES 3 /* trail, workflow and attestation have the file */

static bool as_json;

static const struct args_option options[] = {
	ARGS_JSON(&as_json),
	{ 0 },
};

/* The bytes of path that name the directory with custody.jsonl. */
static size_t
directory_of(const char *path)
{
	size_t n = 0;
	unsigned names = 1;

	for (; path[n] != '\0'; n++)
		if (path[n] == '/' && names++ == DIRECTORIES)
			break;
	return n;
}

static enum tf_code
put(void *arg, const void *p, size_t n, struct tf_error *err)
{
	tf_buf_add(arg, p, n);
	return tf_buf_end(arg, err);
}

static enum tf_code
get_stored(const struct where *w, const char *dir, struct tf_buf *out,
    struct tf_error *err)
{
	const struct tf_sink sink = { put, out };
	struct tf_view *view = NULL;
	struct tf_vault *v = NULL;
	struct tf_attr a;
	enum tf_code rc = where_open(w, false, &v, err);

	if (rc != TF_OK)
		return rc;
	if ((rc = tf_vault_walk(v, w->path, &a, err)) == TF_OK &&
	    (rc = tf_vault_walk(v, dir, &a, err)) == TF_OK &&
	    (rc = tf_view_open(v, NULL, &view, err)) == TF_OK)
		rc = tf_view_custody(view, a.id, &sink, err);
	tf_view_close(view);
	where_close(v);
	return rc;
}

static enum tf_code
get(const struct where *w, struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf dir = { 0 };
	int fd = -1;
	enum tf_code rc;

	if (strcmp(w->path, ".") == 0)
		return tf_fail(err, TF_USAGE,
		    "name a trail or something in a trail");
	tf_buf_add(&dir, w->path, directory_of(w->path));
	tf_buf_add(&dir, "", 1);
	if ((rc = tf_buf_end(&dir, err)) == TF_OK && w->mount == NULL)
		rc = get_stored(w, dir.p, out, err);
	else if (rc == TF_OK &&
	    (rc = where_control_of(w, dir.p, TF_CONTROL_CUSTODY, &fd, err)) ==
		TF_OK)
		rc = files_read_fd(fd, w->path, SIZE_MAX, out, err);
	if (fd >= 0)
		(void)close(fd); /* read-only */
	tf_buf_free(&dir);
	return rc;
}

/* Is one of the paths the other, or a directory above it? */
static bool
is_related(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), least = n < m ? n : m;

	return strcmp(a, ".") == 0 ||
	    (memcmp(a, b, least) == 0 &&
		(n == m || (n < m ? b : a)[least] == '/'));
}

static void
add_member(struct tf_buf *out, const char *before, const struct tf_json_doc *d,
    int object, const char *key)
{
	int t = object < 0 ? -1 : tf_json_get(d, object, key);

	if (t < 0)
		return;
	tf_buf_str(out, before);
	text_add_token(out, d, t);
}

/* What the line says beyond time, event, path and person. */
static void
add_details(struct tf_buf *out, const struct tf_json_doc *d)
{
	int access = tf_json_get(d, 0, "access");

	add_member(out, "  ", d, 0, "what");
	add_member(out, "  times ", d, 0, "count");
	if (tf_json_get(d, 0, "count") >= 0)
		add_member(out, "  last ", d, 0, "last");
	add_member(out, "  openings that are in no list ", d, 0, "lost");
	add_member(out, "  sha256 ", d, tf_json_get(d, 0, "content"), "sha256");
	add_member(out, "  sha256 ", d, tf_json_get(d, 0, "package"), "sha256");
	if (tf_json_get(d, 0, "content") < 0) {
		add_member(out, "  mode ", d, access, "mode");
		add_member(out, "  uid ", d, access, "uid");
		add_member(out, "  gid ", d, access, "gid");
	}
	add_member(out, "  ", d, 0, "hold");
	add_member(out, "  for ", d, tf_json_get(d, 0, "retention"), "for");
	add_member(out, "  until ", d, tf_json_get(d, 0, "retention"), "until");
	add_member(out, "  compliant ", d, 0, "compliant");
	add_member(out, "  ", d, 0, "reason");
	add_member(out, "  to ", d, 0, "to");
	if (tf_json_get(d, 0, "package") < 0)
		add_member(out, "  entries ", d, tf_json_get(d, 0, "tree"),
		    "size");
}

/* "2026-11-29T10:00:00Z  read  t/w/a/f  alice (cat)  times 2" */
static void
print_line(const struct tf_json_doc *d)
{
	struct tf_buf line = { 0 }, at = { 0 };
	int who = tf_json_get(d, 0, "actor");

	if (tf_json_get(d, 0, "damaged") >= 0) {
		tf_buf_str(&line, "damaged: entry ");
		text_add_token(&line, d, tf_json_get(d, 0, "damaged"));
	} else {
		if (tf_json_get(d, 0, "first") >= 0) {
			add_member(&at, "", d, 0, "first");
			tf_buf_printf(&line, "%.19sZ  ", text_of(&at));
		} else {
			text_add_when(&line, d, 0);
			tf_buf_str(&line, " ");
		}
		add_member(&line, "", d, 0, "event");
		add_member(&line, "  ", d, 0, "path");
		tf_buf_str(&line, "  ");
		if (who >= 0)
			text_add_actor(&line, d, who);
		else
			tf_buf_str(&line, "trailfs");
		add_details(&line, d);
	}
	puts(text_of(&line));
	tf_buf_free(&line);
	tf_buf_free(&at);
}

static enum tf_code
one_line(const struct where *w, const char *p, size_t n, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf path = { 0 };
	int t;
	enum tf_code rc = tf_json_parse(&d, p, n, err);

	if (rc == TF_OK && (t = tf_json_get(&d, 0, "path")) >= 0)
		rc = tf_json_string(&d, t, &path, err);
	if (rc == TF_OK &&
	    (path.n == 0 || is_related(text_of(&path), w->path))) {
		if (as_json)
			printf("%.*s\n", (int)n, p);
		else
			print_line(&d);
	}
	tf_buf_free(&path);
	tf_json_doc_free(&d);
	return rc;
}

static int
run(int n, char **arg)
{
	struct where w = { 0 };
	struct tf_buf text = { 0 };
	struct tf_error err = { 0 };
	const char *p, *end;
	enum tf_code rc = where_find(arg[0], &w, &err);

	(void)n;
	if (rc == TF_OK)
		rc = get(&w, &text, &err);
	for (p = text_of(&text); rc == TF_OK && (end = strchr(p, '\n')) != NULL;
	     p = end + 1)
		rc = one_line(&w, p, (size_t)(end - p), &err);
	tf_buf_free(&text);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_custody = {
	.name = "custody",
	.summary =
	    "print who recorded, sealed, read, verified and packaged something",
	.usage = "[OPTION...] PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
