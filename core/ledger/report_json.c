/* Members of JSON objects in reports: see report_json.h. */
#include "report_json.h"

#include <inttypes.h>

#include "../base/bytes.h"
#include "../base/json_any_write.h"

void
tf_report_key(struct tf_buf *b, const char *key)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		tf_buf_str(b, ",");
	tf_buf_printf(b, "\"%s\":", key);
}

void
tf_report_text(struct tf_buf *b, const char *key, struct tf_str s)
{
	if (s.p == NULL)
		return;
	tf_report_key(b, key);
	tf_any_put_string(b, s);
}

void
tf_report_word(struct tf_buf *b, const char *key, const char *word)
{
	tf_report_text(b, key, tf_str_of(word));
}

void
tf_report_flag(struct tf_buf *b, const char *key, bool v)
{
	tf_report_key(b, key);
	tf_buf_str(b, v ? "true" : "false");
}

void
tf_report_number(struct tf_buf *b, const char *key, uint64_t v)
{
	tf_report_key(b, key);
	tf_buf_printf(b, "%" PRIu64, v);
}
