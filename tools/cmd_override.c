/*
 * trailctl override: replace the verdict of a sealed attestation.
 *
 * Nothing of the attestation changes. An entry is appended with the new
 * verdict, the reason and the actor, and the status says that the verdict is
 * overridden. In a mount the control file is written whole, and the mount
 * judges and records it at close(2); in a store the vault does the same under
 * its lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "actor.h"
#include "cmd.h"
#include "core/base/member.h"
#include "core/control.h"
#include "core/definition.h"
#include "define.h"
#include "files.h"
#include "report.h"
#include "text.h"
#include "where.h"

static struct {
	bool json;
	const char *compliant, *reason;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "compliant",
	    .letter = 'C',
	    .value = "true|false",
	    .closed = true,
	    .help = "the new verdict; required",
	    .text = &ask.compliant },
	{ .name = "reason",
	    .letter = 'r',
	    .value = "TEXT",
	    .help = "why; required",
	    .text = &ask.reason },
	{ 0 },
};

static bool
is_true(void)
{
	return strcmp(ask.compliant, "true") == 0;
}

/* The JSON of the control file, which is also the answer: with the path. */
static enum tf_code
make(const char *path, struct tf_buf *out, struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_bool(&j, "compliant", is_true());
	if (path != NULL)
		tf_put_cstr(&j, "path", path);
	tf_put_cstr(&j, "reason", ask.reason);
	tf_json_object_end(&j);
	if (tf_json_end(&j, err) != TF_OK)
		return tf_fail(err, TF_INVALID,
		    "the reason has characters that an entry cannot hold");
	return TF_OK;
}

/* The state is read first, for a better message than EPERM. */
static enum tf_code
override_mounted(const struct where *w, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	char *path = NULL, state[16] = "";
	enum tf_code rc = make(NULL, &text, err);
	int fd = -1;

	(void)getxattr(w->file, TF_XATTR_STATE, state, sizeof(state) - 1);
	if (rc == TF_OK && strcmp(state, "sealed") != 0)
		rc = tf_fail(err, TF_BUSY, "%s is not sealed yet", w->path);
	if (rc == TF_OK &&
	    asprintf(&path, "%s/%s/%s", w->file, TF_CONTROL_DIR,
		TF_CONTROL_OVERRIDE) < 0)
		rc = tf_nomem(err);
	if (rc == TF_OK &&
	    (fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) <
		0)
		rc = report_system(err,
		    "%s: only the owner of the workflow and root may override",
		    w->path);
	if (rc == TF_OK)
		rc = files_put(fd, path, text.p, text.n, err);
	/* The mount judges and records at the close. */
	if (fd >= 0 && close(fd) < 0 && rc == TF_OK) {
		rc = report_system(err, "%s", w->path);
		rc = define_explain(w->file, err);
	}
	free(path);
	tf_buf_free(&text);
	return rc;
}

static enum tf_code
override_stored(const struct where *w, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_walk(v, w->path, &a, err);
	if (rc == TF_OK)
		rc = tf_vault_override(v, a.id, is_true(), ask.reason,
		    strlen(ask.reason), &self, err);
	if (rc == TF_TOOBIG)
		rc = err->code = TF_INVALID;
	return where_done(v, rc, err);
}

/* With --json the answer is the recorded text and the path. */
static enum tf_code
print(const char *path, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc;

	if (!ask.json) {
		text_put(stdout, path, strlen(path));
		printf("  overridden: %s\n",
		    is_true() ? "compliant" : "NOT compliant");
		return TF_OK;
	}
	if ((rc = make(path, &text, err)) == TF_OK)
		printf("%s\n", text_of(&text));
	tf_buf_free(&text);
	return rc;
}

/* By depth: TRAIL/WORKFLOW/NAME, and no control file. */
static bool
is_attestation(const struct where *w)
{
	unsigned slashes = 0;

	for (const char *p = w->path; *p != '\0'; p++)
		slashes += *p == '/';
	return slashes == 2 && strstr(w->path, TF_CONTROL_DIR) == NULL;
}

static int
run(int n, char **arg)
{
	struct where w = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	(void)n;
	if (ask.compliant == NULL || ask.reason == NULL)
		return cmd_usage(&cmd_override,
		    "--compliant and --reason are required");
	if (!is_true() && strcmp(ask.compliant, "false") != 0)
		return cmd_usage(&cmd_override, "--compliant is true or false");
	rc = where_find(arg[0], &w, &err);
	if (rc == TF_OK && !is_attestation(&w))
		rc = tf_fail(&err, TF_USAGE, "%s is not an attestation",
		    w.path);
	if (rc == TF_OK)
		rc = w.mount != NULL ? override_mounted(&w, &err) :
				       override_stored(&w, &err);
	if (rc == TF_OK)
		rc = print(w.path, &err);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_override = {
	.name = "override",
	.summary = "replace the verdict of a sealed attestation",
	.usage = "[OPTION...] --compliant=true|false --reason TEXT ATTESTATION",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
