/* Credentials: see credentials.h. */
#include "credentials.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/file.h"

/* The bytes of the text, which must be visible ASCII. */
static bool
take_text(const char *text, size_t n, char *out, size_t room)
{
	if (n == 0 || n >= room)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	memcpy(out, text, n);
	out[n] = '\0';
	return true;
}

/* One line; *text moves behind it. */
static bool
take_line(char **text, char *out, size_t room)
{
	const size_t n = strcspn(*text, "\r\n");

	if (!take_text(*text, n, out, room))
		return false;
	*text += n;
	*text += strspn(*text, "\r\n");
	return true;
}

static bool
parse_lines(char *p, struct tf_s3_credentials *out)
{
	return take_line(&p, out->key, sizeof(out->key)) &&
	    take_line(&p, out->secret, sizeof(out->secret)) &&
	    (*p == '\0' || take_line(&p, out->token, sizeof(out->token))) &&
	    *p == '\0';
}

/* One line with a name of AWS.  False: it is of no such form, or comes twice. */
static bool
parse_named(char *line, struct tf_s3_credentials *out)
{
	const struct {
		const char *name;
		char *to;
		size_t room;
	} known[] = {
		{ "aws_access_key_id", out->key, sizeof(out->key) },
		{ "aws_secret_access_key", out->secret, sizeof(out->secret) },
		{ "aws_session_token", out->token, sizeof(out->token) },
	};
	char *value = strchr(line, '=');
	size_t n = strcspn(line, " \t="), size;

	if (value == NULL)
		return false;
	value += 1 + strspn(value + 1, " \t");
	size = strlen(value);
	while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
		size--;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == n &&
		    strncmp(line, known[i].name, n) == 0)
			return known[i].to[0] == '\0' &&
			    take_text(value, size, known[i].to, known[i].room);
	return true; /* region and the like are of the URI */
}

/* Of one profile: with several it is not known which one is meant. */
static bool
parse_profile(char *p, struct tf_s3_credentials *out)
{
	bool named = false;
	char *line;

	while ((line = strsep(&p, "\r\n")) != NULL) {
		line += strspn(line, " \t");
		if (*line == '\0' || *line == '#' || *line == ';')
			continue;
		if (*line == '[') {
			if (named || out->key[0] != '\0')
				return false;
			named = true;
		} else if (!parse_named(line, out)) {
			return false;
		}
	}
	return out->key[0] != '\0' && out->secret[0] != '\0';
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

/* A file that is written in place can be read half: who replaces it changes all of
 * these. */
static void
note_file(int dirfd, const char *base, struct tf_s3_credentials *out)
{
	struct stat st = { .st_dev = 0 };

	(void)fstatat(dirfd, base, &st, 0);
	out->device = (uint64_t)st.st_dev;
	out->inode = (uint64_t)st.st_ino;
	out->size = (uint64_t)st.st_size;
	out->changed_s = st.st_ctim.tv_sec;
	out->changed_ns = (uint32_t)st.st_ctim.tv_nsec;
}

enum tf_code
tf_s3_credentials_read(const char *name, struct tf_s3_credentials *out,
    struct tf_error *err)
{
	char text[TF_S3_TOKEN_MAX + 1024];
	const char *base = NULL;
	enum tf_code rc;
	size_t got = 0;
	int fd = -1;
	bool named;

	explicit_bzero(out, sizeof(*out));
	if ((rc = open_dir(name, &base, &fd, err)) != TF_OK)
		return rc;
	note_file(fd, base, out);
	rc = strchr(name, '/') == NULL ?
	    read_systemd(fd, base, text, sizeof(text) - 1, &got, err) :
	    tf_secret_read(fd, base, text, sizeof(text) - 1, &got, err);
	(void)close(fd);
	/* For who opens a store, TF_NOTFOUND means that there is no store. */
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_ACCESS, "credentials %s: no such file",
		    name);
	text[got] = '\0';
	named = text[0] == '[' || strstr(text, "aws_access_key_id") != NULL;
	if (rc == TF_OK &&
	    !(named ? parse_profile(text, out) : parse_lines(text, out)))
		rc = tf_fail(err, TF_INVALID,
		    "%s: expected two lines: access key, secret; with a token "
		    "three; or lines with the names of AWS",
		    name);
	explicit_bzero(text, sizeof(text));
	if (rc != TF_OK)
		explicit_bzero(out, sizeof(*out));
	return rc;
}

bool
tf_s3_credentials_changed(const char *name, const struct tf_s3_credentials *c)
{
	struct tf_s3_credentials *now = calloc(1, sizeof(*now));
	const char *base = NULL;
	bool changed;
	int fd = -1;

	if (now == NULL || open_dir(name, &base, &fd, NULL) != TF_OK) {
		free(now);
		return false;
	}
	note_file(fd, base, now);
	(void)close(fd); /* a directory */
	changed = now->device != c->device || now->inode != c->inode ||
	    now->size != c->size || now->changed_s != c->changed_s ||
	    now->changed_ns != c->changed_ns;
	free(now);
	return changed;
}
