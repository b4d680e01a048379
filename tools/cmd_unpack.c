/* trailctl unpack: unpack a package; no file leaves the directory. */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "core/base/file.h"
#include "core/package.h"
#include "decrypt.h"
#include "report.h"

static bool as_json, passphrase;
static struct args_list identities;

static const struct args_option options[] = {
	ARGS_IDENTITY(&identities),
	ARGS_JSON(&as_json),
	ARGS_PASSPHRASE(&passphrase),
	{ 0 },
};

/* A file without a name, in the directory above path. */
static enum tf_code
scratch_beside(const char *path, int *fd, struct tf_error *err)
{
	char *copy = strdup(path);
	enum tf_code rc;
	int dir;

	if (copy == NULL)
		return tf_nomem(err);
	dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = tf_file_scratch(dir, fd, err);
	if (dir >= 0)
		close(dir);
	free(copy);
	return rc;
}

static enum tf_code
decrypt_package(const char *path, int to, struct tf_error *err)
{
	struct tf_identities *ids = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return report_system(err, "%s", path);
	rc = decrypt_identities(&identities, passphrase, &ids, err);
	if (rc == TF_OK)
		rc = decrypt_to(ids, tf_age_get_fd, &fd, path, to,
		    "the decrypted package", err);
	tf_identities_free(ids);
	close(fd);
	return rc;
}

/* The decrypted package is opened by a name of its descriptor.  Nothing is
 * unpacked before the whole package is authentic. */
static enum tf_code
unpack_decrypted(char **arg, uint64_t *files, struct tf_error *err)
{
	char name[64];
	enum tf_code rc;
	int fd = -1;

	if ((rc = scratch_beside(arg[1], &fd, err)) != TF_OK)
		return rc;
	if ((rc = decrypt_package(arg[0], fd, err)) == TF_OK) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		rc = tf_package_unpack(name, arg[1], files, err);
	}
	close(fd);
	return rc;
}

/* Whether the file is encrypted: as a zip file it would be called altered. */
static bool
is_encrypted(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[32];
	ssize_t n;

	if (fd < 0)
		return false;
	n = pread(fd, head, sizeof(head), 0);
	close(fd);
	return n > 0 && tf_age_looks(head, (size_t)n);
}

static int
run(int n, char **arg)
{
	struct tf_error err = { 0 };
	enum tf_code rc;
	uint64_t files;

	(void)n;
	if (identities.n > 0 || passphrase)
		rc = unpack_decrypted(arg, &files, &err);
	else if (is_encrypted(arg[0]))
		rc = tf_fail(&err, TF_USAGE,
		    "%.90s is encrypted: --identity FILE or --passphrase is "
		    "missing",
		    arg[0]);
	else
		rc = tf_package_unpack(arg[0], arg[1], &files, &err);
	if (rc != TF_OK)
		return report(&err);
	printf(as_json ? "{\"files\":%llu}\n" : "%llu files\n",
	    (unsigned long long)files);
	return REPORT_OK;
}

const struct verb cmd_unpack = {
	.name = "unpack",
	.summary = "unpack a package; no file is written outside of DIRECTORY",
	.usage = "[OPTION...] PACKAGE DIRECTORY",
	.options = options,
	.min = 2,
	.max = 2,
	.run = run,
};
