/* The lines of STORE/config: see config_file.h. */
#include <string.h>

#include "../base/file.h"
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

bool
tf_config_stamps(const char *key, const char *value, enum tf_stamps *out)
{
	static const char *const words[] = { "off", "best-effort", "required" };

	if (strcmp(key, "stamp") != 0)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(value, words[i]) == 0) {
			*out = (enum tf_stamps)i;
			return true;
		}
	return false;
}

bool
tf_stamps_late(const struct tf_time *received, struct tf_time newest)
{
	return received == NULL || received->s < newest.s - TF_STAMPS_LATE_S;
}
