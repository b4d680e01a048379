/*
 * trailctl unpack: unpack a package; no file leaves the directory.
 *
 * A package that is encrypted is decrypted first.  Evidence that is encrypted
 * stays as it is, because its digest is that of the encrypted file; beside the
 * topmost directory TOP, TOP.decrypted gets the texts.
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apart.h"
#include "cmd.h"
#include "core/base/file.h"
#include "core/package.h"
#include "decrypt.h"
#include "progress.h"
#include "refusals.h"
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

/* --- encrypted evidence ----------------------------------------------------- */

#define DECRYPTED ".decrypted"

struct decrypted {
	const struct tf_identities *ids;
	int dirfd;	    /* DIRECTORY */
	bool made;	    /* TOP.decrypted is there */
	uint64_t files;	    /* that were opened */
	uint64_t unopened;  /* that were not */
	enum tf_code worst; /* of those */
};

/* Make the directory of the file at path, and those above it, below DIRECTORY. */
static enum tf_code
make_parents(int dirfd, const char *path, struct tf_error *err)
{
	char *copy = strdup(path);
	enum tf_code rc = copy == NULL ? tf_nomem(err) : TF_OK;

	for (char *p = copy; rc == TF_OK && (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		rc = tf_file_mkdir_beneath(dirfd, copy, err);
		*p = '/';
	}
	free(copy);
	return rc;
}

/* Decrypt the open file `from` to the new file at path.  A file that does not
 * open leaves nothing. */
static enum tf_code
decrypt_file(const struct decrypted *d, int from, const char *name,
    const char *path, struct tf_error *err)
{
	int to = -1;
	enum tf_code rc = make_parents(d->dirfd, path, err);

	if (rc == TF_OK)
		rc = tf_file_create_beneath(d->dirfd, path, 0600, &to, err);
	if (rc != TF_OK)
		return rc;
	rc = decrypt_to(d->ids, tf_age_get_fd, &from, name, to, path, err);
	if (close(to) < 0 && rc == TF_OK)
		rc = report_system(err, "%s", path);
	if (rc != TF_OK)
		(void)unlinkat(d->dirfd, path, 0);
	return rc;
}

/* The new directory must be this command's own. */
static enum tf_code
make_decrypted(struct decrypted *d, const char *top, struct tf_error *err)
{
	char *path = NULL;
	enum tf_code rc = TF_OK;

	if (d->made)
		return TF_OK;
	if (asprintf(&path, "%s" DECRYPTED, top) < 0)
		return tf_nomem(err);
	if (mkdirat(d->dirfd, path, 0700) < 0)
		rc = report_system(err, "%s", path);
	d->made = rc == TF_OK;
	free(path);
	return rc;
}

/* What the file itself is to blame for ends nothing: the others are opened. */
static enum tf_code
note_unopened(struct decrypted *d, enum tf_code rc, struct tf_error *err)
{
	if (rc != TF_ACCESS && rc != TF_TAMPER && rc != TF_INVALID &&
	    rc != TF_UNSUPPORTED)
		return rc;
	(void)report(err);
	d->unopened++;
	if (d->worst != TF_TAMPER)
		d->worst = rc;
	return TF_OK;
}

static enum tf_code
decrypt_one(void *arg, const char *top, const char *name, struct tf_error *err)
{
	struct decrypted *d = arg;
	char *in = NULL, *out = NULL;
	int from = -1;
	enum tf_code rc = make_decrypted(d, top, err);

	if (rc == TF_OK && asprintf(&in, "%s/data/%s", top, name) < 0)
		rc = tf_nomem(err);
	if (rc == TF_OK && asprintf(&out, "%s" DECRYPTED "/%s", top, name) < 0)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = tf_file_open_beneath(d->dirfd, in, &from, err);
	if (rc == TF_OK) {
		rc = decrypt_file(d, from, name, out, err);
		close(from);
		d->files += rc == TF_OK;
		rc = note_unopened(d, rc, err);
	}
	free(in);
	free(out);
	return rc;
}

/* Decrypt the evidence of the package file that was unpacked to dir. */
static enum tf_code
decrypt_evidence(const char *file, const char *dir,
    const struct tf_identities *ids, struct decrypted *d, struct tf_error *err)
{
	enum tf_code rc;

	*d = (struct decrypted){ .ids = ids, .worst = TF_OK };
	d->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dirfd < 0)
		return report_system(err, "%s", dir);
	rc = tf_package_encrypted(file, decrypt_one, d, err);
	close(d->dirfd);
	return rc;
}

/* --- the package ------------------------------------------------------------ */

/* Decrypt the package to a file without a name beside dir, whose name becomes
 * name.  Nothing is unpacked before the whole package is authentic. */
static enum tf_code
decrypt_package(const char *path, const char *dir,
    const struct tf_identities *ids, int *fd, char name[64],
    struct tf_error *err)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	enum tf_code rc;

	if (from < 0)
		return report_system(err, "%s", path);
	if ((rc = scratch_beside(dir, fd, err)) == TF_OK)
		rc = decrypt_to(ids, tf_age_get_fd, &from, path, *fd,
		    "the decrypted package", err);
	close(from);
	snprintf(name, 64, "/proc/self/fd/%d", *fd);
	return rc;
}

/* What is wrong with the package is about its file. */
static enum tf_code
unpack_plain(const char *file, const char *dir, uint64_t *files,
    struct tf_error *err)
{
	struct progress progress = { .what = "unpack", .silent = as_json };
	struct tf_error is;
	enum tf_code rc;

	if ((rc = apart_takes_files(dir, err)) != TF_OK)
		return rc;
	progress_listen(&progress);
	rc = tf_package_unpack(file, dir, files, err);
	progress_end(&progress);
	if (rc != TF_OK)
		rc = refusals_explain_below(dir, err);

	if ((rc == TF_TAMPER || rc == TF_INVALID) &&
	    strstr(err->text, file) == NULL) {
		is = *err;
		(void)tf_fail(err, rc, "%s: %s", file, is.text);
	}
	return rc;
}

/* With identities, or a passphrase. */
static enum tf_code
unpack_decrypted(char **arg, uint64_t *files, struct decrypted *d,
    struct tf_error *err)
{
	struct tf_identities *ids = NULL;
	const char *file = arg[0];
	char name[64];
	int fd = -1;
	enum tf_code rc;

	if (passphrase && !decrypt_is_age(file))
		return tf_fail(err, TF_USAGE, "%.90s is not encrypted", file);
	rc = decrypt_identities(&identities, passphrase, &ids, err);
	if (rc == TF_OK && decrypt_is_age(file)) {
		rc = decrypt_package(file, arg[1], ids, &fd, name, err);
		file = name;
	}
	if (rc == TF_OK)
		rc = unpack_plain(file, arg[1], files, err);
	if (rc == TF_OK)
		rc = decrypt_evidence(file, arg[1], ids, d, err);
	if (fd >= 0)
		close(fd);
	tf_identities_free(ids);
	return rc;
}

static void
print_json(uint64_t files, const struct decrypted *d)
{
	fputs("{", stdout);
	if (d->files + d->unopened > 0)
		printf("\"decrypted\":%llu,", (unsigned long long)d->files);
	printf("\"files\":%llu", (unsigned long long)files);
	if (d->unopened > 0)
		printf(",\"unopened\":%llu", (unsigned long long)d->unopened);
	puts("}");
}

static void
print_text(uint64_t files, const struct decrypted *d)
{
	printf("%llu files", (unsigned long long)files);
	if (d->files + d->unopened > 0)
		printf(", %llu decrypted", (unsigned long long)d->files);
	if (d->unopened > 0)
		printf(", %llu not opened", (unsigned long long)d->unopened);
	putchar('\n');
}

static int
run(int n, char **arg)
{
	struct decrypted d = { .files = 0, .worst = TF_OK };
	struct tf_error err = { 0 };
	enum tf_code rc;
	uint64_t files;

	(void)n;
	if (identities.n > 0 || passphrase)
		rc = unpack_decrypted(arg, &files, &d, &err);
	else if (decrypt_is_age(arg[0]))
		rc = tf_fail(&err, TF_USAGE,
		    "%.90s is encrypted: --identity FILE or --passphrase is "
		    "missing",
		    arg[0]);
	else
		rc = unpack_plain(arg[0], arg[1], &files, &err);
	if (rc != TF_OK)
		return report(&err);
	if (as_json)
		print_json(files, &d);
	else
		print_text(files, &d);
	return d.worst == TF_TAMPER ? REPORT_TAMPERED :
	    d.unopened > 0	    ? REPORT_FINDING :
				      REPORT_OK;
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
