/* Decrypting age files: see decrypt.h. */
#include "decrypt.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/cipher.h"
#include "core/environment.h"
#include "files.h"
#include "interrupt.h"
#include "passphrase.h"
#include "report.h"

/* The same failure, with a name before its text. */
static enum tf_code
fail_in(const char *name, const struct tf_error *why, struct tf_error *err)
{
	struct tf_error was = *why;

	tf_fail(err, was.code, "%.100s: %s", name, was.text);
	err->code = was.code;
	err->sys = was.sys;
	return was.code;
}

static enum tf_code
add_file(struct tf_identities *ids, const char *path, struct tf_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return report_system(err, "%s", path);
	if ((rc = tf_identities_add(ids, fd, err)) != TF_OK)
		rc = fail_in(path, err, err);
	close(fd);
	return rc;
}

static enum tf_code
add_passphrase(struct tf_identities *ids, struct tf_error *err)
{
	char phrase[PASSPHRASE_MAX];
	enum tf_code rc;
	size_t n = 0;

	rc = passphrase_ask("Passphrase: ", false, phrase, &n, err);
	if (rc == TF_OK)
		rc = tf_identities_add_passphrase(ids, phrase, n, err);
	tf_wipe(phrase, sizeof(phrase));
	interrupt_release();
	return rc;
}

enum tf_code
decrypt_identities(const struct args_list *files, bool passphrase,
    struct tf_identities **out, struct tf_error *err)
{
	struct tf_identities *ids;
	enum tf_code rc;

	if (files->n == 0 && !passphrase)
		return tf_fail(err, TF_USAGE,
		    "--identity FILE or --passphrase is missing");
	tf_environment_hide_memory();
	if ((rc = tf_identities_new(&ids, err)) != TF_OK)
		return rc;
	for (size_t i = 0; i < files->n && rc == TF_OK; i++)
		rc = add_file(ids, files->v[i], err);
	if (rc == TF_OK && passphrase)
		rc = add_passphrase(ids, err);
	if (rc == TF_OK)
		*out = ids;
	else
		tf_identities_free(ids);
	return rc;
}

enum tf_code
decrypt_to(const struct tf_identities *ids, tf_age_get *get, void *arg,
    const char *name, int to, const char *to_name, struct tf_error *err)
{
	struct tf_age_reader *r = NULL;
	const uint8_t *p;
	enum tf_code rc;
	size_t n = 1;

	if ((rc = tf_age_reader_new(ids, get, arg, &r, err)) != TF_OK)
		return fail_in(name, err, err);
	while (n > 0) {
		if ((rc = tf_age_reader_next(r, &p, &n, err)) != TF_OK) {
			rc = fail_in(name, err, err);
			break;
		}
		if ((rc = files_put(to, to_name, p, n, err)) != TF_OK)
			break;
	}
	tf_age_reader_free(r);
	return rc;
}

bool
decrypt_is_age(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[32];
	ssize_t n;

	if (fd < 0)
		return false;
	n = pread(fd, head, sizeof(head), 0);
	(void)close(fd); /* read-only */
	return n > 0 && tf_age_looks(head, (size_t)n);
}
