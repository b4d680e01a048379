/*
 * Asking a vault queries: see find_query.h.
 *
 * In a mount the query is the name of a control file and the answer its
 * content, so that the mount filters by the rights of the caller. In a store
 * the index is asked directly. A query is checked before either, so that a
 * mistake has the same message in both.
 *
 * Answers come in pages, the newest first. Each page asks for names before the
 * last one, so that entries that are appended meanwhile move nothing.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/control.h"
#include "core/definition.h"
#include "core/find.h"
#include "files.h"
#include "find_query.h"
#include "progress.h"
#include "report.h"
#include "text.h"

#define ANSWER_MAX (64u << 20) /* bytes; a mount that sends more is refused */

/* A mount keeps an index of its own; for a store one is started here. */
enum tf_code
find_open(struct find *f, const struct where *w, struct tf_vault *v,
    struct tf_error *err)
{
	enum tf_code rc;

	*f = (struct find){ .w = w };
	if (w->mount != NULL)
		return TF_OK;
	if (v == NULL) {
		if ((rc = where_open(w, false, &f->v, err)) != TF_OK)
			return rc;
		f->opened = true;
	} else {
		f->v = v;
	}
	return tf_find_start(f->v, err);
}

/* The thread of the index ends before the store is closed. */
void
find_close(struct find *f)
{
	if (f->v == NULL)
		return;
	tf_find_stop(f->v);
	if (f->opened)
		where_close(f->v);
	f->v = NULL;
}

/* --- queries ------------------------------------------------------------------- */

void
find_add(struct tf_buf *query, const char *key, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	if (query->n > 0)
		tf_buf_str(query, "&");
	tf_buf_printf(query, "%s=", key);
	tf_find_quote(query, value);
}

/* The query has numbers in decimal. */
static void
add_number(struct tf_buf *query, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	find_add(query, key, text);
}

/* Append the lines of one page. ANSWER_MAX bounds what a mount can make this
 * process hold. */
static enum tf_code
ask(struct find *f, const char *query, struct tf_buf *out, struct tf_error *err)
{
	struct progress progress = { .what = "find", .unit = "entries" };
	char *name = NULL;
	enum tf_code rc;
	int fd;

	if ((rc = tf_find_check(query, err)) != TF_OK)
		return rc;
	/* The first search of a store reads its whole ledger. */
	if (f->v != NULL) {
		progress_listen(&progress);
		if (!f->kept) /* of a copy, if we may */
			(void)!tf_find_keep(f->v, NULL);
		f->kept = true;
		rc = tf_find(f->v, query, NULL, out, err);
		progress_end(&progress);
		return rc;
	}
	if (asprintf(&name, TF_CONTROL_FIND "/%s", query) < 0)
		return tf_nomem(err);
	rc = where_control(f->w, name, &fd, err);
	free(name);
	if (rc != TF_OK)
		return rc;
	rc = files_read_fd(fd, "the answer", ANSWER_MAX, out, err);
	(void)close(fd); /* read-only */
	return rc;
}

/* --- answers ------------------------------------------------------------------- */

/* Call fn for the lines of a page; *n becomes their number, *last the index of
 * the last. */
static enum tf_code
take_page(const struct tf_buf *b, find_fn fn, void *arg, uint64_t *n,
    uint64_t *last, struct tf_error *err)
{
	const char *p = b->p, *end;
	enum tf_code rc = TF_OK;

	for (*n = 0; rc == TF_OK && p < b->p + b->n; p = end + 1, ++*n) {
		struct tf_json_doc d = { 0 };
		int t = -1;

		end = memchr(p, '\n', (size_t)(b->p + b->n - p));
		if (end != NULL &&
		    tf_json_parse(&d, p, (size_t)(end - p), err) == TF_OK)
			t = tf_json_get(&d, 0, "index");
		if (t < 0) {
			tf_json_doc_free(&d);
			return tf_fail(err, TF_INDOUBT,
			    "the answer is malformed");
		}
		*last = (uint64_t)d.tok[t].num;
		rc = fn(arg, p, (size_t)(end - p), &d, err);
		tf_json_doc_free(&d);
	}
	return rc;
}

enum tf_code
find_each(struct find *f, const struct tf_buf *query, uint64_t limit,
    find_fn fn, void *arg, uint64_t *all, struct tf_error *err)
{
	uint64_t want = 1, n = 1, last = 0;
	struct tf_buf page = { 0 }, answer = { 0 };
	enum tf_code rc = TF_OK;

	*all = 0;
	while (rc == TF_OK && n == want && (limit == 0 || *all < limit) &&
	    !ferror(stdout)) {
		want = limit == 0 || limit - *all > TF_FIND_LIMIT_MAX ?
		    TF_FIND_LIMIT_MAX :
		    limit - *all;
		page.n = answer.n = n = 0;
		tf_buf_add(&page, query->p, query->n);
		add_number(&page, "limit", want);
		if (*all > 0)
			add_number(&page, "before", last);
		if ((rc = tf_buf_end(&page, err)) == TF_OK)
			rc = ask(f, page.p, &answer, err);
		if (rc == TF_OK)
			rc = take_page(&answer, fn, arg, &n, &last, err);
		*all += n;
	}
	tf_buf_free(&page);
	tf_buf_free(&answer);
	return rc;
}

/* --- values that are known ------------------------------------------------------ */

static enum tf_code
take_nothing(void *arg, const char *line, size_t n, const struct tf_json_doc *d,
    struct tf_error *err)
{
	(void)arg, (void)line, (void)n, (void)d, (void)err;
	return TF_OK;
}

/* Has any name this fact? */
static enum tf_code
has_any(struct find *f, const char *key, const char *value, bool *has,
    struct tf_error *err)
{
	struct tf_buf query = { 0 };
	uint64_t n = 0;
	enum tf_code rc;

	find_add(&query, key, value);
	rc = tf_buf_end(&query, err);
	if (rc == TF_OK)
		rc = find_each(f, &query, 1, take_nothing, NULL, &n, err);
	tf_buf_free(&query);
	*has = n > 0;
	return rc;
}

static enum tf_code
is_defined_in_mount(const struct where *w, const char *type, bool *is,
    struct tf_error *err)
{
	DIR *d = opendir(w->mount);
	const struct dirent *e;
	char *path;

	if (d == NULL)
		return report_system(err, "%s", w->mount);
	while (!*is && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (asprintf(&path, "%s/%s/%s/%s/%s.yml", w->mount, e->d_name,
			TF_CONTROL_DIR, TF_CONTROL_TYPES, type) < 0)
			break;
		*is = access(path, F_OK) == 0;
		free(path);
	}
	(void)closedir(d);
	return TF_OK;
}

static enum tf_code
is_defined_in_store(struct tf_vault *v, const char *type, bool *is,
    struct tf_error *err)
{
	struct tf_dirent some[64];
	struct tf_definition found;
	uint64_t after = 0;
	size_t n = 1;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && n > 0 && !*is) {
		rc = tf_vault_list(v, TF_ROOT_ID, after, some,
		    sizeof(some) / sizeof(some[0]), &n, err);
		for (size_t i = 0; rc == TF_OK && !*is && i < n; i++) {
			after = some[i].attr.id;
			rc = tf_vault_definition(v, after, TF_DEFINITION_TYPE,
			    type, 0, NULL, &found, err);
			*is = rc == TF_OK;
			if (rc == TF_NOTFOUND)
				rc = TF_OK;
		}
	}
	return rc;
}

/* Does a trail define it? */
static enum tf_code
is_defined(struct find *f, const char *type, bool *is, struct tf_error *err)
{
	static const char custom[] = "custom:";

	if (strncmp(type, custom, sizeof(custom) - 1) == 0)
		type += sizeof(custom) - 1;
	if (*type == '\0' || strlen(type) > TF_DEFINITION_NAME_MAX ||
	    strchr(type, '/') != NULL)
		return TF_OK;
	return f->v == NULL ? is_defined_in_mount(f->w, type, is, err) :
			      is_defined_in_store(f->v, type, is, err);
}

enum tf_code
find_check_known(struct find *f, const char *type, const char *control,
    struct tf_error *err)
{
	bool known = true;
	enum tf_code rc = TF_OK;

	if (type != NULL && !tf_find_is_built_in(type)) {
		rc = has_any(f, "type", type, &known, err);
		if (rc == TF_OK && !known)
			rc = is_defined(f, type, &known, err);
		if (rc == TF_OK && !known)
			return tf_fail(err, TF_USAGE,
			    "no attestation has the type %.80s, and no trail "
			    "defines it",
			    type);
	}
	if (rc == TF_OK && control != NULL) {
		rc = has_any(f, "control", control, &known, err);
		if (rc == TF_OK && !known)
			rc = tf_fail(err, TF_USAGE,
			    "no attestation is about the control %.80s",
			    control);
	}
	return rc;
}
