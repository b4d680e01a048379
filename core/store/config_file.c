/* The lines of STORE/config: see config_file.h. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../base/timestamp.h"
#include "config_file.h"

#define CONFIG_MAX 65536 /* bytes */

/* Remove white space at both ends. */
static char *
trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]) != NULL)
		*--end = '\0';
	return s;
}

/* Cuts line into key and value in place. */
static enum tf_code
take_line(char *line, tf_config_line one, void *arg, struct tf_error *err)
{
	char *eq;

	line = trim(line);
	if (*line == '#' || *line == '\0')
		return TF_OK;
	if ((eq = strchr(line, '=')) == NULL)
		return tf_fail(err, TF_USAGE,
		    "config: \"%.60s\" is not understood", line);
	*eq = '\0';
	return one(arg, trim(line), trim(eq + 1), err);
}

enum tf_code
tf_config_each(int dirfd, tf_config_line one, void *arg, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	char *line, *save = NULL;
	enum tf_code rc;

	rc = tf_file_read(dirfd, "config", CONFIG_MAX, &b, err);
	if (rc == TF_NOTFOUND)
		rc = TF_OK;
	tf_buf_add(&b, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&b, err);
	line = rc == TF_OK ? strtok_r(b.p, "\n", &save) : NULL;
	for (; rc == TF_OK && line != NULL; line = strtok_r(NULL, "\n", &save))
		rc = take_line(line, one, arg, err);
	tf_buf_free(&b);
	return rc;
}

bool
tf_config_is_guard(const char *key, const char *value)
{
	return strcmp(key, "guard") == 0 && value[0] == '/';
}

/* --- time stamps ---------------------------------------------------------- */

static bool
is_mode(const char *word, enum tf_stamps *mode)
{
	static const char *const words[] = { "off", "best-effort", "required" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0) {
			*mode = (enum tf_stamps)i;
			return true;
		}
	return false;
}

bool
tf_config_is_stamp(const char *key, const char *value)
{
	enum tf_stamps mode;

	return strcmp(key, "stamp") == 0 ?
	    is_mode(value, &mode) :
	    strcmp(key, "stamp_ca") == 0 && value[0] == '/';
}

struct stamp_lines {
	enum tf_stamps mode;
	char ca[PATH_MAX]; /* "" if there is no such line */
};

static enum tf_code
take_stamp(void *arg, const char *key, const char *value, struct tf_error *err)
{
	struct stamp_lines *l = arg;
	int n;

	if (strcmp(key, "stamp") == 0)
		(void)is_mode(value, &l->mode);
	if (strcmp(key, "stamp_ca") != 0)
		return TF_OK;
	n = snprintf(l->ca, sizeof(l->ca), "%s", value);
	return n < (int)sizeof(l->ca) ?
	    TF_OK :
	    tf_fail(err, TF_USAGE, "config: stamp_ca is too long");
}

static enum tf_code
read_ca(const char *path, struct tf_buf *out, struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = tf_file_read(AT_FDCWD, path, TF_STAMP_CHAIN_MAX, out,
	    &e);

	if (rc == TF_OK)
		rc = tf_stamp_check_trusted(tf_buf_bytes(out), &e);
	if (rc == TF_OK || rc == TF_NOMEM)
		return rc == TF_OK ? TF_OK : tf_nomem(err);
	tf_buf_free(out);
	return tf_fail(err, TF_USAGE, "config: stamp_ca = %.60s: %.80s", path,
	    e.text);
}

enum tf_code
tf_stamps_config_read(int dirfd, struct tf_stamps_config *out,
    struct tf_error *err)
{
	struct stamp_lines l = { .mode = TF_STAMPS_OFF };
	enum tf_code rc = tf_config_each(dirfd, take_stamp, &l, err);

	memset(out, 0, sizeof(*out));
	out->mode = l.mode;
	if (rc == TF_OK && l.ca[0] != '\0')
		rc = read_ca(l.ca, &out->ca, err);
	else if (rc == TF_OK && l.mode == TF_STAMPS_REQUIRED)
		rc = tf_fail(err, TF_USAGE,
		    "config: stamp = required needs stamp_ca = /FILE, the "
		    "certificates (PEM) of the authorities whose stamps count");
	out->trouble = rc == TF_USAGE && l.mode != TF_STAMPS_OFF;
	return rc;
}

struct tf_time
tf_stamps_time(struct tf_time recorded, struct tf_time stated,
    struct tf_time next)
{
	struct tf_time first = recorded;

	if (tf_time_cmp(stated, first) < 0)
		first = stated;
	return tf_time_cmp(next, first) < 0 ? next : first;
}

bool
tf_stamps_late(const struct tf_time *at, struct tf_time newest)
{
	return at == NULL || at->s < newest.s - TF_STAMPS_LATE_S;
}
