/* HTML output: see html.h. */
#include "html.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "crypto.h"

static const char *
entity(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void
escape(struct tf_buf *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t c = 0;
		unsigned len = tf_utf8(p + i, n - i, &c);
		const char *e = entity(c);

		if (len == 0)
			tf_buf_str(out, "\xef\xbf\xbd");
		else if (e != NULL)
			tf_buf_str(out, e);
		else if (tf_hidden_char(c) && c != '\n' && c != '\t')
			tf_buf_printf(out, "[U+%04X]", (unsigned)c);
		else
			tf_buf_add(out, p + i, len);
		i += len == 0 ? 1 : len;
	}
}

/* Append v with thousands separators: 1,234,567. */
static void
grouped(struct tf_buf *out, unsigned long long v)
{
	char text[24];
	size_t n = (size_t)snprintf(text, sizeof(text), "%llu", v);

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			tf_buf_add(out, ",", 1);
		tf_buf_add(out, text + i, 1);
	}
}

/* If *fmt starts with the conversion, advance *fmt past it and return true. */
static bool
next(const char **fmt, const char *conversion)
{
	size_t n = strlen(conversion);

	if (strncmp(*fmt, conversion, n) != 0)
		return false;
	*fmt += n;
	return true;
}

void
tf_html(struct tf_buf *out, const char *fmt, ...)
{
	const char *s, *sign;
	va_list ap;
	int n;

	va_start(ap, fmt);
	while ((sign = strchr(fmt, '%')) != NULL) {
		tf_buf_add(out, fmt, (size_t)(sign - fmt));
		fmt = sign;
		if (next(&fmt, "%s")) {
			s = va_arg(ap, const char *);
			escape(out, s, strlen(s));
		} else if (next(&fmt, "%.*s")) {
			n = va_arg(ap, int);
			s = va_arg(ap, const char *);
			escape(out, s, (size_t)n);
		} else if (next(&fmt, "%u")) {
			tf_buf_printf(out, "%u", va_arg(ap, unsigned));
		} else if (next(&fmt, "%zu")) {
			tf_buf_printf(out, "%zu", va_arg(ap, size_t));
		} else if (next(&fmt, "%llu")) {
			grouped(out, va_arg(ap, unsigned long long));
		} else if (next(&fmt, "%%")) {
			tf_buf_add(out, "%", 1);
		} else {
			abort(); /* a bug in the caller: fmt is a literal */
		}
	}
	tf_buf_str(out, fmt);
	va_end(ap);
}

void
tf_html_path(struct tf_buf *out, const char *path, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = path[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') ||
		    (c != '\0' && strchr("-._~/", c) != NULL))
			tf_buf_add(out, &c, 1);
		else
			tf_buf_printf(out, "%%%02X", (unsigned)(uint8_t)c);
	}
}

void
tf_html_digest(struct tf_buf *out, const char *text)
{
	struct tf_hash h;
	char b64[45];

	tf_sha256(text, strlen(text), &h);
	tf_base64_text(h.b, sizeof(h.b), b64);
	tf_html(out, "&#39;sha256-%s&#39;", b64);
}
