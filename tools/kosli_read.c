/*
 * Reading trails and attestations for the words of Kosli: see kosli_read.h.
 *
 * A mount has the texts as control files, and a view of a store renders the
 * same bytes. Versions have no gaps, so the first name that is not found ends
 * them; only a missing first version is an error.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/control.h"
#include "core/page.h"
#include "files.h"
#include "kosli_read.h"
#include "report.h"

#define TEXT_MAX ((size_t)256 << 20) /* bytes of a control file */

/* status.md of a workflow, or attestation.json of an attestation. */
static enum tf_code
read_control(const char *path, bool markdown, struct tf_buf *out,
    struct tf_error *err)
{
	struct where w = { 0 };
	char *file = NULL;
	enum tf_code rc = where_find(path, &w, err);

	if (rc == TF_OK && w.store != NULL) {
		rc = where_render(&w,
		    markdown ? tf_view_status_md : tf_view_attestation, out,
		    err);
	} else if (rc == TF_OK) {
		if (asprintf(&file, "%s/%s/%s", w.file, TF_CONTROL_DIR,
			markdown ? TF_CONTROL_STATUS_MD :
				   TF_CONTROL_ATTESTATION) < 0)
			rc = tf_nomem(err);
		else
			rc = files_read(file, TEXT_MAX, out, err);
		free(file);
	}
	where_free(&w);
	return rc;
}

enum tf_code
kosli_read_markdown(const char *path, struct tf_buf *out, struct tf_error *err)
{
	return read_control(path, true, out, err);
}

enum tf_code
kosli_read_attestation(const char *path, struct tf_buf *out,
    struct tf_error *err)
{
	return read_control(path, false, out, err);
}

/* --- versions ---------------------------------------------------------------------- */

/* The path of version n, as a string in out. */
static void
add_version(const char *path, unsigned n, struct tf_buf *out)
{
	out->n = 0;
	tf_buf_str(out, path);
	if (n > 1)
		tf_buf_printf(out, "@%u", n);
	tf_buf_add(out, "", 1); /* the end of the string */
}

enum tf_code
kosli_read_versions(const char *path,
    enum tf_code (*each)(void *arg, const char *path, const struct tf_buf *json,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	struct tf_buf name = { 0 }, json = { 0 };
	enum tf_code rc = TF_OK;

	for (unsigned n = 1; rc == TF_OK; n++) {
		struct tf_error why = { 0 };

		add_version(path, n, &name);
		json.n = 0;
		rc = name.failed ? tf_nomem(&why) :
				   read_control(name.p, false, &json, &why);
		if (rc == TF_NOTFOUND && n > 1) {
			rc = TF_OK;
			break;
		}
		if (rc == TF_OK)
			rc = each(arg, name.p, &json, err);
		else
			(void)tf_fail_as(err, &why);
	}
	tf_buf_free(&name);
	tf_buf_free(&json);
	return rc;
}

/* --- flows --------------------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum tf_code
add_name(struct kosli_names *l, const char *name, struct tf_error *err)
{
	char **v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (v == NULL)
		return tf_nomem(err);
	l->v = v;
	if ((v[l->n] = strdup(name)) == NULL)
		return tf_nomem(err);
	l->n++;
	return TF_OK;
}

/* Trails are all names at the root but those with a dot. */
static enum tf_code
list_mounted(const struct where *w, struct kosli_names *out,
    struct tf_error *err)
{
	const struct dirent *e;
	enum tf_code rc = TF_OK;
	DIR *d = opendir(w->mount);

	if (d == NULL)
		return report_system(err, "%s", w->mount);
	while (rc == TF_OK && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			rc = add_name(out, e->d_name, err);
	(void)closedir(d);
	return rc;
}

static enum tf_code
list_stored(const struct where *w, struct kosli_names *out,
    struct tf_error *err)
{
	struct tf_dirent some[64];
	struct tf_vault *v = NULL;
	uint64_t after = 0;
	size_t n = 1;
	enum tf_code rc = where_open(w, false, &v, err);

	if (rc != TF_OK)
		return rc;
	while (rc == TF_OK && n > 0) {
		rc = tf_vault_list(v, TF_ROOT_ID, after, some,
		    sizeof(some) / sizeof(some[0]), &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			after = some[i].attr.id;
			rc = add_name(out, some[i].name, err);
		}
	}
	where_close(v);
	return rc;
}

enum tf_code
kosli_read_flows(const char *vault, struct kosli_names *out,
    struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(vault, &w, err);

	*out = (struct kosli_names){ 0 };
	if (rc == TF_OK)
		rc = w.mount != NULL ? list_mounted(&w, out, err) :
				       list_stored(&w, out, err);
	where_free(&w);
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	return rc;
}

void
kosli_names_free(struct kosli_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct kosli_names){ 0 };
}
