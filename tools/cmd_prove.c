/* trailctl prove: the C2SP tlog-proof of one file or directory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "cmd.h"
#include "core/control.h"
#include "files.h"
#include "report.h"
#include "where.h"

/* Names below the control directory of an attestation. */
#define PROOF_OF_ALL "attestation.tlog-proof"
#define PROOF_MAX ((size_t)1 << 20) /* bytes; an entry has 64 KiB at most */

static const char *output; /* NULL: stdout */

static const struct args_option options[] = {
	{ .name = "output",
	    .letter = 'o',
	    .value = "FILE",
	    .help = "write the proof to FILE",
	    .text = &output },
	{ 0 },
};

/* The mount shows the number of an entry only if there is one. */
static bool
has_entry(const char *file)
{
	return lgetxattr(file, TF_XATTR_INDEX, NULL, 0) > 0;
}

/* The third slash of path, or its end; NULL: it has fewer than three parts. */
static const char *
end_of_attestation(const char *path)
{
	for (int part = 1;; part++, path++) {
		path += strcspn(path, "/");
		if (part == 3)
			return path;
		if (*path == '\0')
			return NULL;
	}
}

/*
 * The mount has no proof with that name: there is none, or a directory of
 * evidence or the proof of another file has the name.
 */
static bool
is_none(enum tf_code rc, const struct tf_error *err)
{
	return rc == TF_NOTFOUND || rc == TF_NAMETOOLONG ||
	    (rc != TF_OK && err->sys == EISDIR);
}

/* *out: the path of the control file with the proof; NULL if there is none. */
static enum tf_code
control_file(const struct where *w, char **out, struct tf_error *err)
{
	const char *end = end_of_attestation(w->path), *slash;
	char name[TF_CONTROL_NAME_MAX + 1];
	struct stat st;
	int n;

	*out = NULL;
	if (end == NULL)
		return TF_OK;
	if (*end == '\0')
		n = asprintf(out, "%s/%s/" PROOF_OF_ALL, w->file,
		    TF_CONTROL_DIR);
	else {
		/* The rest of the path without its last name. */
		slash = strrchr(end, '/');
		if (lstat(w->file, &st) < 0 && errno == EACCES)
			return where_denied(w->file, err);
		if (lstat(w->file, &st) < 0 ||
		    strlen(slash + 1) > TF_CONTROL_NAME_MAX)
			return report_system(err, "%s", w->file);
		tf_control_proof_name(slash + 1, st.st_ino, name);
		n = asprintf(out,
		    "%s/%.*s/" TF_CONTROL_DIR "/" TF_CONTROL_PROOF "%.*s%s",
		    w->mount, (int)(end - w->path), w->path,
		    (int)(slash + 1 - end), end, name);
	}
	if (n >= 0)
		return TF_OK;
	*out = NULL;
	return tf_nomem(err);
}

static enum tf_code
from_store(const struct where *w, struct tf_buf *out, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_attr attr;
	enum tf_code rc;

	if ((rc = where_open(w, false, &v, err)) != TF_OK)
		return rc;
	/* Only the daemon knows the names of files that are not sealed. */
	if ((rc = tf_vault_walk(v, w->path, &attr, err)) == TF_OK)
		rc = tf_vault_prove(v, attr.id, out, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_BUSY,
		    "the ledger has no %s: not sealed yet, or no such name",
		    w->path);
	where_close(v);
	return rc;
}

/* A mount has no proofs of trails and workflows: read the store. */
static enum tf_code
from_store_of_mount(const struct where *w, struct tf_buf *out,
    struct tf_error *err)
{
	struct where behind = { .path = w->path };
	enum tf_code rc = where_store(w, &behind.store, err);

	if (rc == TF_OK)
		rc = from_store(&behind, out, err);
	free(behind.store);
	return rc;
}

/* The control file first: it needs no right to read the store. */
static enum tf_code
from_mount(const struct where *w, struct tf_buf *out, struct tf_error *err)
{
	char *file;
	enum tf_code rc = control_file(w, &file, err);

	if (rc != TF_OK)
		return rc;
	if (file == NULL)
		return from_store_of_mount(w, out, err);
	rc = files_read(file, PROOF_MAX, out, err);
	if (rc == TF_ACCESS)
		rc = where_denied(w->file, err);
	else if (is_none(rc, err) && has_entry(w->file))
		rc = from_store_of_mount(w, out, err);
	else if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_BUSY,
		    "%s is not sealed yet: there is nothing to prove", w->path);
	free(file);
	return rc;
}

static int
run(int n, char **arg)
{
	struct where w = { 0 };
	struct tf_buf proof = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(arg[0], &w, &err);

	(void)n;
	if (rc == TF_OK && w.mount != NULL)
		rc = from_mount(&w, &proof, &err);
	else if (rc == TF_OK)
		rc = from_store(&w, &proof, &err);
	if (rc == TF_OK && output != NULL)
		rc = files_write(output, &proof, &err);
	else if (rc == TF_OK)
		fwrite(proof.p, 1, proof.n, stdout);
	tf_buf_free(&proof);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_prove = {
	.name = "prove",
	.summary = "print the proof that a path is in the ledger",
	.usage = "[OPTION...] PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
