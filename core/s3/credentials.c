/* Credentials: see credentials.h. */
#include "credentials.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/file.h"

/* One line of visible ASCII; *text moves behind it. */
static bool
take_line(char **text, char *out, size_t room)
{
	const size_t n = strcspn(*text, "\r\n");

	if (n == 0 || n >= room)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((*text)[i] <= ' ' || (*text)[i] > '~')
			return false;
	memcpy(out, *text, n);
	out[n] = '\0';
	*text += n;
	*text += strspn(*text, "\r\n");
	return true;
}

/* The directory of the file, which says whose file it may be. */
static enum tf_code
open_dir(const char *name, const char **base, int *fd, struct tf_error *err)
{
	const char *slash = strrchr(name, '/');
	const char *systemd = secure_getenv("CREDENTIALS_DIRECTORY");
	char dir[PATH_MAX];

	if (slash == NULL && systemd == NULL)
		return tf_fail(err, TF_INVALID,
		    "s3: no credentials=FILE, and no CREDENTIALS_DIRECTORY");
	if (slash == NULL)
		(void)snprintf(dir, sizeof(dir), "%s", systemd);
	else
		(void)snprintf(dir, sizeof(dir), "%.*s",
		    slash == name ? 1 : (int)(slash - name), name);
	*base = slash == NULL ? name : slash + 1;
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return tf_fail(err, TF_ACCESS, "credentials: open %s", dir);
	return TF_OK;
}

/* Only the service reaches the directory that systemd made for it, and an access
 * list there looks like a right of the group: the mode says nothing. */
static enum tf_code
read_systemd(int dirfd, const char *base, char *text, size_t max, size_t *got,
    struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	rc = tf_file_open(dirfd, base, O_RDONLY, &fd, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_file_pread(fd, text, max, 0, got, err);
	(void)close(fd);
	return rc;
}

enum tf_code
tf_s3_credentials_read(const char *name, struct tf_s3_credentials *out,
    struct tf_error *err)
{
	char text[512], *p = text;
	const char *base = NULL;
	enum tf_code rc;
	size_t got = 0;
	int fd = -1;

	if ((rc = open_dir(name, &base, &fd, err)) != TF_OK)
		return rc;
	rc = strchr(name, '/') == NULL ?
	    read_systemd(fd, base, text, sizeof(text) - 1, &got, err) :
	    tf_secret_read(fd, base, text, sizeof(text) - 1, &got, err);
	(void)close(fd);
	/* For who opens a store, TF_NOTFOUND means that there is no store. */
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_ACCESS, "credentials %s: no such file",
		    name);
	text[got] = '\0';
	if (rc == TF_OK &&
	    (!take_line(&p, out->key, sizeof(out->key)) ||
		!take_line(&p, out->secret, sizeof(out->secret)) || *p != '\0'))
		rc = tf_fail(err, TF_INVALID,
		    "%s: expected two lines: access key, secret", name);
	explicit_bzero(text, sizeof(text));
	return rc;
}
