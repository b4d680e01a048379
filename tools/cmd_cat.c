/*
 * trailctl cat: print encrypted evidence, decrypted.  The mount and the store
 * have the encrypted bytes only, and so does every other verb.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "decrypt.h"
#include "report.h"
#include "where.h"

static struct args_list identities;
static bool passphrase;

static const struct args_option options[] = {
	ARGS_IDENTITY(&identities),
	ARGS_PASSPHRASE(&passphrase),
	{ 0 },
};

/* The bytes of evidence in a store. */
struct stored {
	struct tf_reader *r;
	uint64_t off;
};

static enum tf_code
get_stored(void *arg, void *p, size_t n, size_t *got, struct tf_error *err)
{
	struct stored *s = arg;
	size_t some = 1;
	enum tf_code rc = TF_OK;

	for (*got = 0; *got < n && some > 0 && rc == TF_OK; *got += some) {
		rc = tf_reader_read(s->r, (char *)p + *got, n - *got, s->off,
		    &some, err);
		if (rc != TF_OK)
			break;
		s->off += some;
	}
	return rc;
}

static enum tf_code
cat_stored(const struct where *w, const struct tf_identities *ids,
    struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct stored s = { 0 };
	struct tf_attr attr;
	enum tf_code rc;
	bool fresh;

	if ((rc = where_open(w, false, &v, err)) != TF_OK)
		return rc;
	rc = tf_vault_walk(v, w->path, &attr, err);
	if (rc == TF_OK && attr.kind != TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_ISDIR, "%s is a directory", w->path);
	if (rc == TF_OK)
		rc = tf_vault_open_read(v, attr.id, geteuid(), &s.r, &fresh,
		    err);
	if (rc == TF_OK) {
		rc = decrypt_to(ids, get_stored, &s, w->path, STDOUT_FILENO,
		    "standard output", err);
		tf_reader_close(s.r);
	}
	where_close(v);
	return rc;
}

static enum tf_code
cat_file(const char *path, const struct tf_identities *ids,
    struct tf_error *err)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO :
					  open(path, O_RDONLY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return report_system(err, "%s", path);
	rc = decrypt_to(ids, tf_age_get_fd, &fd, path, STDOUT_FILENO,
	    "standard output", err);
	if (fd != STDIN_FILENO)
		close(fd);
	return rc;
}

static enum tf_code
print(const char *path, const struct tf_identities *ids, struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = TF_NOTFOUND;

	if (strcmp(path, "-") != 0)
		rc = where_find(path, &w, err);
	if (rc == TF_OK && w.store != NULL)
		rc = cat_stored(&w, ids, err);
	else if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = cat_file(path, ids, err);
	where_free(&w);
	return rc;
}

static int
run(int n, char **arg)
{
	struct tf_identities *ids = NULL;
	struct tf_error err = { 0 };
	enum tf_code rc;

	(void)n;
	if (identities.n == 0 && !passphrase)
		return cmd_usage(&cmd_cat,
		    "--identity FILE or --passphrase is missing");
	rc = decrypt_identities(&identities, passphrase, &ids, &err);
	if (rc == TF_OK)
		rc = print(arg[0], ids, &err);
	tf_identities_free(ids);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_cat = {
	.name = "cat",
	.summary = "print encrypted evidence, or another age file, decrypted",
	.usage = "--identity FILE PATH\n--passphrase PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
