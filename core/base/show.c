/*
 * Names that are safe to print: see show.h.  The backslash is escaped as well,
 * so that two names never show as the same text.
 */
#include "../json.h"
#include "bytes.h"
#include "show.h"

void
tf_name_show(struct tf_buf *out, const char *name, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t c = 0;
		unsigned len = tf_utf8(name + i, n - i, &c);

		if (len > 0 && !tf_hidden_char(c) && c != '\\') {
			tf_buf_add(out, name + i, len);
			i += len;
			continue;
		}
		for (len = len ? len : 1; len > 0; len--)
			tf_buf_printf(out, "\\x%02X", (uint8_t)name[i++]);
	}
}
