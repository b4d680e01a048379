/* Anchors as people see them: names of their files, and the words about one. */
#include <stdio.h>
#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/time_text.h"

void
tf_anchor_file(struct tf_str kind, uint64_t size, struct tf_str name,
    enum tf_anchor_part part, char out[TF_ANCHOR_FILE_MAX])
{
	static const char *const of_stamp[] = { [TF_ANCHOR_BYTES] = "tsr",
		[TF_ANCHOR_CHAIN] = "pem",
		[TF_ANCHOR_STAMPED] = "note" };

	if (tf_str_same(kind, tf_str_of(TF_ANCHOR_STAMP)))
		kind = tf_str_of(of_stamp[part]);
	(void)snprintf(out, TF_ANCHOR_FILE_MAX, "%llu-%.*s.%.*s",
	    (unsigned long long)size, (int)name.n, name.p, (int)kind.n, kind.p);
	for (char *p = out; *p != '\0'; p++)
		if (*p == '/')
			*p = '=';
}

static void
add_number(struct tf_buf *out, uint64_t n)
{
	if (n >= 1000)
		add_number(out, n / 1000);
	tf_buf_printf(out, n >= 1000 ? ",%03u" : "%u", (unsigned)(n % 1000));
}

void
tf_anchor_words(struct tf_str kind, struct tf_str name, uint64_t size,
    int64_t age, struct tf_buf *out)
{
	char span[TF_SPAN_LEN + 1];

	if (tf_str_same(kind, tf_str_of(TF_ANCHOR_MIRROR)))
		tf_buf_str(out, "mirrored");
	else if (tf_str_same(kind, tf_str_of(TF_ANCHOR_WITNESS)))
		tf_buf_str(out, "witnessed");
	else if (tf_str_same(kind, tf_str_of(TF_ANCHOR_STAMP)))
		tf_buf_str(out, "time-stamped");
	else if (tf_str_same(kind, tf_str_of(TF_ANCHOR_GUARD)))
		tf_buf_str(out, "guarded");
	else
		tf_buf_printf(out, "anchored (%.*s)", (int)kind.n, kind.p);
	tf_buf_str(out, " up to ");
	add_number(out, size);
	tf_buf_str(out, size == 1 ? " entry" : " entries");
	if (name.n > 0)
		tf_buf_printf(out, " (%.*s)", (int)name.n, name.p);
	if (age >= 0) {
		tf_span_text(age, span);
		tf_buf_printf(out, ", %s ago", span);
	}
}

void
tf_refusal_words(struct tf_str kind, struct tf_str name, struct tf_str text,
    struct tf_buf *out)
{
	tf_buf_printf(out, "%.*s %.*s %.*s", (int)kind.n, kind.p, (int)name.n,
	    name.p, (int)text.n, text.p);
}
