/* trailctl seal and sync: through the mount, or under the store's lock. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "actor.h"
#include "cmd.h"
#include "core/base/member.h"
#include "core/control.h"
#include "refusals.h"
#include "report.h"
#include "text.h"
#include "where.h"

static bool as_json;

static const struct args_option options[] = {
	ARGS_JSON(&as_json),
	{ 0 },
};

/* A mount has the lock of its store, so it is asked with an ioctl(2). A refusal
 * is explained with the reason from denied.jsonl. */
static enum tf_code
ask_mount(const struct where *w, bool seal, struct tf_error *err)
{
	const char *word = seal ? "seal" : "sync", *slash;
	enum tf_code rc = TF_OK;
	char *dir = NULL;
	int fd;

	if (where_is_control(w->path))
		return tf_fail(err, TF_USAGE,
		    "%s: control files are not in the ledger: there is nothing "
		    "to %s",
		    w->path, word);
	fd = open(w->file, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Syncing a file syncs its directory. */
	if (fd < 0 && !seal && (slash = strrchr(w->file, '/')) != NULL) {
		dir = strndup(w->file, (size_t)(slash - w->file));
		if (dir == NULL)
			return tf_nomem(err);
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		free(dir);
	}
	if (fd < 0 && errno == ENOTDIR) {
		errno = 0;
		return tf_fail(err, TF_NOTDIR,
		    "%s is a file: it is sealed with its attestation, or a "
		    "moment after its last close",
		    w->path);
	}
	if (fd < 0 && errno == EACCES)
		return where_denied(w->file, err);
	if (fd < 0)
		return report_system(err, "%s %s", word, w->path);
	if (ioctl(fd, seal ? TF_IOC_SEAL : TF_IOC_SYNC) < 0)
		rc = report_system(err, "%s %s", word, w->path);
	close(fd);
	return rc == TF_OK ? TF_OK : refusals_explain(w, word, err);
}

/* Without a mount: take the lock, append, and let go. */
static enum tf_code
do_store(const struct where *w, bool seal, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	struct tf_attr attr;
	enum tf_code rc;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_walk(v, w->path, &attr, err);
	if (rc == TF_OK)
		rc = seal ? tf_vault_seal(v, attr.id, &self, err) :
			    tf_vault_sync(v, attr.id, &self, err);
	if (rc != TF_OK)
		report_about(err, w->path);
	return where_done(v, rc, err);
}

static enum tf_code
print_json(const char *word, const char *path, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_cstr(&j, word, path);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static int
run(const char *arg, bool seal)
{
	struct where w = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(arg, &w, &err);

	if (rc == TF_OK && w.mount != NULL)
		rc = ask_mount(&w, seal, &err);
	else if (rc == TF_OK)
		rc = do_store(&w, seal, &err);
	if (rc == TF_OK && as_json)
		rc = print_json(seal ? "sealed" : "synced", w.path, &err);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

static int
run_seal(int n, char **arg)
{
	(void)n;
	return run(arg[0], true);
}

static int
run_sync(int n, char **arg)
{
	return run(n > 0 ? arg[0] : ".", false);
}

const struct verb cmd_seal = {
	.name = "seal",
	.summary = "seal an attestation, a workflow or a trail for ever",
	.usage = "[OPTION...] PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run_seal,
};

const struct verb cmd_sync = {
	.name = "sync",
	.summary = "wait until your finished files are in the ledger",
	.usage = "[OPTION...] [PATH]",
	.options = options,
	.min = 0,
	.max = 1,
	.run = run_sync,
};
