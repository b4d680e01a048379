/* Find type and path of an entry without decoding it; name it in a message. */
#include <stdio.h>
#include <string.h>

#include "../base/show.h"
#include "../buffer.h"
#include "../types.h"
#include "entry_scan.h"

/* Find the closing quote of the string that begins after s[i]; n if none. */
static size_t
string_end(const char *s, size_t n, size_t i)
{
	const char *q;
	size_t back;

	for (i++; i < n; i++) {
		if ((q = memchr(s + i, '"', n - i)) == NULL)
			return n;
		i = (size_t)(q - s);
		for (back = 0; s[i - 1 - back] == '\\'; back++)
			;
		if (back % 2 == 0)
			return i;
	}
	return n;
}

static bool
is_key(struct tf_str key, const char *name)
{
	return key.n == strlen(name) && memcmp(key.p, name, key.n) == 0;
}

void
tf_entry_scan(const char *bytes, size_t n, struct tf_str *type,
    struct tf_str *path)
{
	struct tf_str key = { NULL, 0 }, text;
	int depth = 0;
	size_t end;

	*type = *path = (struct tf_str){ NULL, 0 };
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '{' || bytes[i] == '[') {
			depth++;
		} else if (bytes[i] == '}' || bytes[i] == ']') {
			depth--;
		} else if (bytes[i] == '"') {
			end = string_end(bytes, n, i);
			text = (struct tf_str){ bytes + i + 1, end - i - 1 };
			i = end;
			if (depth != 1)
				continue;
			if (end + 1 < n && bytes[end + 1] == ':')
				key = text;
			else if (key.p != NULL && is_key(key, "type"))
				*type = text;
			else if (key.p != NULL && is_key(key, "path"))
				*path = text;
		}
	}
}

#define PATH_SHOWN 60 /* bytes */

void
tf_entry_about(uint64_t number, const struct tf_str *entry,
    char out[TF_ENTRY_ABOUT_MAX])
{
	struct tf_str type, path;
	struct tf_buf shown = { 0 };
	size_t skip;

	(void)snprintf(out, TF_ENTRY_ABOUT_MAX, "entry %llu",
	    (unsigned long long)number);
	tf_entry_scan(entry->p, entry->n, &type, &path);
	if (path.p == NULL)
		path = type;
	tf_name_show(&shown, path.p, path.n);
	tf_buf_add(&shown, "", 1);
	if (!shown.failed) {
		skip = shown.n > PATH_SHOWN ? shown.n - PATH_SHOWN : 0;
		while (skip > 0 &&
		    ((unsigned char)shown.p[skip] & 0xc0) == 0x80)
			skip++; /* not inside a character */
		(void)snprintf(out, TF_ENTRY_ABOUT_MAX, "entry %llu, %s%s",
		    (unsigned long long)number, skip > 0 ? "..." : "",
		    shown.p + skip);
	}
	tf_buf_free(&shown);
}
