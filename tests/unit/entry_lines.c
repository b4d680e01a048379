/* See entry_lines.h. */
#include "entry_lines.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/ledger/entry_read.h"
#include "vectors.h"

const char *const known_files[2] = { "entries-example.jsonl",
	"entries-types.jsonl" };

enum tf_code
judge(const char *bytes, size_t n)
{
	struct tf_entry_decoded d;
	/* Exactly n bytes: a sanitizer sees one read too many. */
	char *exact = calloc(1, n ? n : 1);
	enum tf_code rc;

	memcpy(exact, bytes, n);
	rc = tf_entry_decode(&d, exact, n, NULL);
	tf_entry_decoded_free(&d);
	free(exact);
	return rc;
}

const char *
find(struct tf_str line, const char *text)
{
	return memmem(line.p, line.n, text, strlen(text));
}

bool
is_type(struct tf_str line, const char *type)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "\"type\":\"%s\"", type);
	return find(line, text) != NULL;
}

struct tf_buf
line_of(const char *type, const char *text)
{
	struct tf_buf out = { 0 };

	for (int i = 0; i < 2 && out.n == 0; i++) {
		struct tf_buf file = read_vector(known_files[i]);
		struct tf_str rest = { file.p, file.n }, line;

		while (out.n == 0 && take_line(&rest, &line)) {
			if (is_type(line, type) && find(line, text))
				tf_buf_add(&out, line.p, line.n);
		}
		tf_buf_free(&file);
	}
	ck_assert_msg(out.n > 0, "no %s with %s", type, text);
	return out;
}

struct tf_buf
variant(const char *type, const char *from, const char *to)
{
	struct tf_buf line = line_of(type, from), out = { 0 };
	const char *at = find((struct tf_str){ line.p, line.n }, from);

	tf_buf_add(&out, line.p, (size_t)(at - line.p));
	tf_buf_str(&out, to);
	tf_buf_str(&out, at + strlen(from));
	tf_buf_free(&line);
	return out;
}
