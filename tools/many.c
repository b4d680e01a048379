/* The root of a mount of many origins: see many.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/control.h"
#include "files.h"
#include "many.h"

#define FUSE_MAGIC 0x65735546
#define TEXT_MAX ((size_t)1 << 20)

static bool
has(const char *path, const char *name, char **file)
{
	if (asprintf(file, "%s/" TF_CONTROL_DIR "/%s", path, name) < 0)
		*file = NULL;
	return *file != NULL && access(*file, F_OK) == 0;
}

enum tf_code
many_metrics(const char *path, struct tf_buf *out, struct tf_error *err)
{
	char *status = NULL, *metrics = NULL;
	enum tf_code rc = TF_NOTFOUND;
	struct statfs s;

	if (statfs(path, &s) == 0 && s.f_type == FUSE_MAGIC &&
	    !has(path, TF_CONTROL_STATUS, &status) && status != NULL &&
	    has(path, TF_CONTROL_METRICS, &metrics))
		rc = files_read(metrics, TEXT_MAX, out, err);
	free(status);
	free(metrics);
	return rc;
}

bool
many_value(const struct tf_buf *text, const char *name, double *value)
{
	const size_t n = strlen(name);
	const char *at = text->p, *end = text->p + text->n, *line, *digits;

	for (;
	     at < end && (line = memchr(at, '\n', (size_t)(end - at))) != NULL;
	     at = line + 1) {
		if ((size_t)(line - at) <= n || memcmp(at, name, n) != 0 ||
		    at[n] != '{')
			continue;
		if ((digits = memrchr(at, ' ', (size_t)(line - at))) == NULL)
			return false;
		*value = strtod(digits + 1, NULL);
		return true;
	}
	return false;
}
