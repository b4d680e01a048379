/* Answers of HTTP as text: see http_answer.h. */
#include "http_answer.h"

#include <string.h>
#include <strings.h>

#include "core/base/bytes.h"

#define HTTP "HTTP/"
#define STATUS "Status:"

/* Take the next line without its end, which is LF or CR LF. */
static bool
take_line(struct tf_str *rest, struct tf_str *line)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;

	if (end == NULL)
		return false;
	*line = (struct tf_str){ rest->p, (size_t)(end - rest->p) };
	rest->n -= line->n + 1;
	rest->p = end + 1;
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

static bool
begins(struct tf_str s, const char *with)
{
	return s.n >= strlen(with) && strncasecmp(s.p, with, strlen(with)) == 0;
}

/* The three digits at the beginning of s, after blanks. */
static bool
read_status(struct tf_str s, int *out)
{
	uint64_t v;

	while (s.n > 0 && *s.p == ' ') {
		s.p++;
		s.n--;
	}
	if (s.n < 3 || (s.n > 3 && s.p[3] != ' ') ||
	    !tf_decimal(s.p, 3, 599, &v) || v < 100)
		return false;
	*out = (int)v;
	return true;
}

/* Is it a line of a header, NAME: VALUE? */
static bool
is_field(struct tf_str line)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789!#$%&'*+-.^_`|~";
	size_t n = 0;

	while (n < line.n && line.p[n] != '\0' &&
	    strchr(token, line.p[n]) != NULL)
		n++;
	return n > 0 && n < line.n && line.p[n] == ':';
}

/* Read the fields up to the empty line. */
static bool
read_fields(struct tf_str *rest, int *status)
{
	struct tf_str line;

	while (take_line(rest, &line)) {
		if (line.n == 0)
			return true;
		if (begins(line, STATUS) &&
		    !read_status((struct tf_str){ line.p + strlen(STATUS),
				     line.n - strlen(STATUS) },
			status))
			return false;
	}
	return false;
}

bool
http_answer_read(struct tf_str text, struct http_answer *out)
{
	struct tf_str first, rest = text;
	const char *blank;

	*out = (struct http_answer){ .body = text };
	if (!take_line(&rest, &first))
		return true;
	if (!begins(first, HTTP)) {
		if (!is_field(first))
			return true;
		out->status = 200; /* of CGI, without Status */
		out->body = text;
		return read_fields(&out->body, &out->status);
	}
	do {
		out->body = rest;
		blank = memchr(first.p, ' ', first.n);
		if (blank == NULL ||
		    !read_status((struct tf_str){ blank,
				     first.n - (size_t)(blank - first.p) },
			&out->status) ||
		    !read_fields(&out->body, &out->status))
			return false;
		rest = out->body;
	} while (begins(rest, HTTP) && take_line(&rest, &first));
	return out->status >= 200;
}
