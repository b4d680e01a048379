/* The keys that a caller trusts: see keyring.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/array.h"
#include "core/base/bytes.h"
#include "files.h"
#include "keyring.h"
#include "report.h"
#include "target.h"

#define FILE_MAX ((size_t)16 << 20) /* bytes */

static enum tf_code
add(struct keyring *k, const char *text, size_t n, const char *from,
    struct tf_error *err)
{
	struct keyring_key *key;
	struct tf_buf one = { 0 };
	char *name;
	const char *have;
	enum tf_code rc = target_key_text(text, n, from, &one, err);

	if (rc != TF_OK)
		goto out;
	if ((name = strndup(one.p, strcspn(one.p, "+"))) == NULL) {
		rc = tf_nomem(err);
		goto out;
	}
	have = keyring_find(k, name);
	if (have != NULL) {
		if (strcmp(have, one.p) != 0)
			rc = tf_fail(err, TF_INVALID,
			    "%.60s: another key of %.60s was given before",
			    from, name);
		free(name);
		goto out;
	}
	if (!tf_array_room(&k->v, k->n, &k->cap, sizeof(*k->v))) {
		free(name);
		rc = tf_nomem(err);
		goto out;
	}
	key = &k->v[k->n++];
	*key = (struct keyring_key){ .name = name, .text = strdup(one.p) };
	if (key->text == NULL)
		rc = tf_nomem(err);
out:
	tf_buf_free(&one);
	return rc;
}

/* A line that begins an entry of a rotation belongs to the key before it. */
static enum tf_code
add_lines(struct keyring *k, const struct tf_buf *b, const char *from,
    struct tf_error *err)
{
	const char *p = b->p, *end = b->p + b->n;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && p < end) {
		const char *next = p, *stop;

		do {
			next = memchr(next, '\n', (size_t)(end - next));
			next = next == NULL ? end : next + 1;
		} while (next < end && *next == '{');
		for (stop = next; stop > p && strchr("\r\n", stop[-1]) != NULL;)
			stop--;
		if (stop > p)
			rc = add(k, p, (size_t)(stop - p), from, err);
		p = next;
	}
	return rc;
}

static enum tf_code
add_file(struct keyring *k, const char *path, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	size_t before = k->n;
	enum tf_code rc = files_read(path, FILE_MAX, &b, err);

	if (rc == TF_OK && b.n > 0)
		rc = add_lines(k, &b, path, err);
	if (rc == TF_OK && k->n == before && b.n == 0)
		rc = tf_fail(err, TF_INVALID, "%.100s does not hold a key",
		    path);
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
add_dir(struct keyring *k, const char *dir, struct tf_error *err)
{
	const struct dirent *e;
	DIR *d = opendir(dir);
	enum tf_code rc = TF_OK;

	if (d == NULL)
		return report_system(err, "%s", dir);
	while (rc == TF_OK && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);
		char *path;

		if (n < 5 || strcmp(e->d_name + n - 5, ".vkey") != 0)
			continue;
		if (asprintf(&path, "%s/%s", dir, e->d_name) < 0) {
			rc = tf_nomem(err);
			break;
		}
		rc = add_file(k, path, err);
		free(path);
	}
	(void)closedir(d);
	errno = 0;
	if (rc == TF_OK && k->n == 0)
		rc = tf_fail(err, TF_INVALID,
		    "%.100s has no key: no file NAME.vkey", dir);
	return rc;
}

enum tf_code
keyring_read(struct keyring *k, const char *arg, struct tf_error *err)
{
	struct stat st;

	if (target_is_key(arg))
		return add(k, arg, strlen(arg), arg, err);
	if (stat(arg, &st) == 0 && S_ISDIR(st.st_mode))
		return add_dir(k, arg, err);
	return add_file(k, arg, err);
}

const char *
keyring_find(const struct keyring *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->v[i].name, name) == 0)
			return k->v[i].text;
	return NULL;
}

void
keyring_free(struct keyring *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->v[i].name);
		free(k->v[i].text);
	}
	free(k->v);
	*k = (struct keyring){ 0 };
}
