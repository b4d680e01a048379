/*
 * trailctl export-log: the log as files that any web server can serve.
 *
 * The store is opened for reading, also behind a mount, since both have the
 * same ledger. Core writes tiles first and the checkpoint last, so that a
 * reader of the directory never sees a checkpoint whose tiles are missing. The
 * size in the answer is read from the checkpoint that was written, and not from
 * the store, which may have grown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "cmd.h"
#include "core/base/member.h"
#include "core/control.h"
#include "core/vault.h"
#include "core/verify.h"
#include "files.h"
#include "progress.h"
#include "refusals.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define NOTE_MAX ((size_t)1 << 16)

static bool as_json;

static const struct args_option options[] = {
	ARGS_JSON(&as_json),
	{ 0 },
};

/* Find the store of the mount, if we may read it. */
static enum tf_code
store_of_mount(const struct where *w, const char *dir, char **store,
    struct tf_error *err)
{
	char *db = NULL;
	enum tf_code rc = where_store(w, store, err);

	if (rc == TF_OK && asprintf(&db, "%s/ledger.db", *store) < 0)
		return tf_nomem(err);
	if (rc == TF_UNSUPPORTED || (rc == TF_OK && access(db, R_OK) < 0)) {
		report_note("through the mount this does the same: "
			    "cp -r %s/%s/checkpoint %s/%s/tile %s",
		    w->mount, TF_CONTROL_DIR, w->mount, TF_CONTROL_DIR, dir);
		rc = tf_fail(err, TF_ACCESS,
		    "the store of this mount cannot be read");
	}
	free(db);
	return rc;
}

/* Refuse to export into a store: its own checkpoint would be replaced. */
static enum tf_code
may_take(const char *dir, struct tf_error *err)
{
	char *db = NULL;
	enum tf_code rc = TF_OK;

	if (asprintf(&db, "%s/ledger.db", dir) < 0)
		return tf_nomem(err);
	if (access(db, F_OK) == 0)
		rc = tf_fail(err, TF_USAGE, "%s is a store", dir);
	free(db);
	return rc;
}

/* The size in a checkpoint that core has just written: the second line. */
static enum tf_code
size_of(const char *dir, unsigned long long *size, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	char *path = NULL, *line;
	enum tf_code rc;

	if (asprintf(&path, "%s/checkpoint", dir) < 0)
		return tf_nomem(err);
	rc = files_read(path, NOTE_MAX, &note, err);
	line = strchr(text_of(&note), '\n');
	if (rc == TF_OK && (line == NULL || sscanf(line, "%llu", size) != 1))
		rc = tf_fail(err, TF_TAMPER, "%s is no checkpoint", path);
	tf_buf_free(&note);
	free(path);
	return rc;
}

/* How many tiles were written, and the size of the tree. */
static enum tf_code
print(uint64_t tiles, unsigned long long size, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	if (!as_json) {
		printf("%llu tiles written, size %llu\n",
		    (unsigned long long)tiles, size);
		return TF_OK;
	}
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_uint(&j, "size", size);
	tf_put_uint(&j, "tiles", tiles);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/* *store: for the caller to free, also on failure. */
static enum tf_code
find(const char *arg, const char *dir, char **store, struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(arg, &w, err);

	if (rc == TF_OK && w.mount != NULL) {
		rc = store_of_mount(&w, dir, store, err);
	} else if (rc == TF_OK) {
		*store = w.store;
		w.store = NULL;
	}
	where_free(&w);
	return rc;
}

static enum tf_code
write_log(const char *store, const char *dir, uint64_t *tiles,
    struct tf_error *err)
{
	const struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct progress progress = { .what = "export-log",
		.unit = "entries",
		.silent = as_json };
	struct tf_vault *v = NULL;
	enum tf_code rc = tf_vault_open(store, &o, &v, err);

	progress_listen(&progress);
	if (rc == TF_OK)
		rc = tf_export_log(v, dir, tiles, err);
	if (rc != TF_OK)
		rc = refusals_explain_below(dir, err);
	progress_end(&progress);
	(void)!tf_vault_close(v, "done", NULL); /* it was opened for reading */
	return rc;
}

static int
run(int n, char **arg)
{
	const char *dir = arg[1];
	struct tf_error err = { 0 };
	unsigned long long size = 0;
	uint64_t tiles = 0;
	char *store = NULL;
	enum tf_code rc = may_take(dir, &err);

	if (rc == TF_OK)
		rc = apart_ordinary(dir, "served log", &err);

	(void)n;
	if (rc == TF_OK)
		rc = find(arg[0], dir, &store, &err);
	if (rc == TF_OK)
		rc = write_log(store, dir, &tiles, &err);
	if (rc == TF_OK)
		rc = size_of(dir, &size, &err);
	if (rc == TF_OK)
		rc = print(tiles, size, &err);
	free(store);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_export_log = {
	.name = "export-log",
	.summary = "copy the log as files that any web server can serve",
	.usage = "[OPTION...] STORE|PATH DIRECTORY",
	.options = options,
	.min = 2,
	.max = 2,
	.run = run,
};
