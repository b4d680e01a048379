/* Lines of files: see line.h. */
#include "line.h"

#include <string.h>

struct tf_str
tf_line_next(struct tf_str *text)
{
	const char *end = memchr(text->p, '\n', text->n);
	struct tf_str line = { text->p,
		end != NULL ? (size_t)(end - text->p) : text->n };
	size_t used = line.n + (end != NULL);

	text->p += used;
	text->n -= used;
	if (end != NULL && line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

bool
tf_line_begins(struct tf_str line, const char *with)
{
	size_t len = strlen(with);

	return line.n >= len && memcmp(line.p, with, len) == 0;
}

enum tf_code
tf_line_fail(struct tf_error *err, size_t line, const struct tf_error *why)
{
	return tf_fail(err, why->code, "line %zu: %s", line, why->text);
}
