/* The rows of a report of checks: see checks_rows.h. */
#include "checks_rows.h"

#include <inttypes.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/json_any_write.h"
#include "report_json.h"

#define VALUE_BYTES 256
#define ROWS 500 /* that passed, and that did not */
/* No row begins behind these bytes; a row is shorter than a definition. */
#define PASSED_BYTES ((size_t)128 << 10)
#define FAILED_BYTES ((size_t)256 << 10)

struct tf_str
tf_row_first_bytes(struct tf_str s)
{
	if (s.n <= VALUE_BYTES)
		return s;
	s.n = VALUE_BYTES;
	while (s.n > 0 && ((uint8_t)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

/* Put r->value as member key, with "cut" before it if it is too long. */
static void
put_cut_value(struct tf_check_report *r, struct tf_buf *b, const char *key,
    const char *name_key, struct tf_str name)
{
	bool cut = r->value.n > VALUE_BYTES;

	if (cut)
		tf_report_flag(b, "cut", true);
	if (name_key != NULL)
		tf_report_text(b, name_key, name);
	tf_report_key(b, key);
	if (cut)
		tf_any_put_string(b,
		    tf_row_first_bytes(tf_buf_bytes(&r->value)));
	else
		tf_buf_add(b, r->value.p, r->value.n);
	b->failed = b->failed || r->value.failed;
}

void
tf_row_load(struct tf_check_report *r, uint32_t i)
{
	if (i == TF_ANY_NONE)
		tf_buf_str(&r->value, "null");
	else
		(void)tf_any_put(&r->value, r->x.doc, i, VALUE_BYTES);
}

bool
tf_row_begin(struct tf_check_report *r, const struct tf_check_row *row,
    bool counts)
{
	bool passed = tf_outcome_passes(row->cause);

	if (counts)
		r->counted[passed]++;
	if (r->kept[passed] == ROWS ||
	    r->rows.n > (passed ? PASSED_BYTES : FAILED_BYTES)) {
		r->cut[passed]++;
		return false;
	}
	r->kept[passed]++;
	tf_buf_str(&r->rows, r->rows.n > 0 ? ",{" : "{");
	tf_report_word(&r->rows, "cause", tf_outcome_word(row->cause));
	tf_report_text(&r->rows, "check", row->check);
	tf_report_key(&r->rows, "inputs");
	tf_buf_str(&r->rows, "[");
	r->first_input = true;
	return true;
}

void
tf_row_end(struct tf_check_report *r, const struct tf_check_row *row)
{
	struct tf_buf *b = &r->rows;

	tf_buf_str(b, "]");
	tf_report_flag(b, "passed", tf_outcome_passes(row->cause));
	tf_report_text(b, "requirement", row->requirement);
	tf_report_key(b, "subject");
	tf_buf_str(b, "{");
	r->value.n = 0;
	if (row->subject_name.p != NULL)
		tf_any_put_string(&r->value,
		    tf_row_first_bytes(row->subject_name));
	else
		tf_row_load(r, row->subject_id);
	put_cut_value(r, b, "id", NULL, row->subject_name);
	tf_report_text(b, "type", row->subject_type);
	tf_buf_str(b, "}}");
}

void
tf_row_value(struct tf_check_report *r, struct tf_str name)
{
	tf_buf_str(&r->rows, r->first_input ? "{" : ",{");
	r->first_input = false;
	put_cut_value(r, &r->rows, "value", "name", name);
	tf_buf_str(&r->rows, "}");
	r->value.n = 0;
}

void
tf_row_count(struct tf_check_report *r, const char *name, uint64_t v)
{
	r->value.n = 0;
	tf_buf_printf(&r->value, "%" PRIu64, v);
	tf_row_value(r, tf_str_of(name));
}

void
tf_row_text(struct tf_check_report *r, const char *name, const char *text)
{
	r->value.n = 0;
	tf_any_put_string(&r->value, tf_str_of(text));
	tf_row_value(r, tf_str_of(name));
}

/* Put what path p finds in subject i; with over, in each element of that. */
static void
put_read(struct tf_check_report *r, const struct tf_path *over,
    const struct tf_path *p, uint32_t i)
{
	const struct tf_any *v = r->x.doc->v;
	struct tf_buf name = { 0 };
	enum tf_outcome cause;
	uint32_t at;

	r->value.n = 0;
	if (over == NULL) {
		tf_row_load(r, tf_path_find(&r->x, p, i, &cause));
		tf_row_value(r, p->text);
		return;
	}
	tf_buf_add(&name, over->text.p, over->text.n);
	tf_buf_str(&name, p->n > 0 ? "[]." : "[]");
	tf_buf_add(&name, p->text.p, p->text.n);
	at = tf_path_find(&r->x, over, i, &cause);
	if (at == TF_ANY_NONE || v[at].type != TF_ANY_ARRAY) {
		tf_row_load(r, at);
	} else {
		tf_buf_str(&r->value, "[");
		for (uint32_t k = at + 1;
		     k < v[at].next && r->value.n <= VALUE_BYTES;
		     k = v[k].next) {
			tf_buf_str(&r->value, k > at + 1 ? "," : "");
			tf_row_load(r, tf_path_find(&r->x, p, k, &cause));
		}
		tf_buf_str(&r->value, "]");
	}
	r->rows.failed = r->rows.failed || name.failed;
	tf_row_value(r, tf_buf_bytes(&name));
	tf_buf_free(&name);
}

void
tf_row_inputs(struct tf_check_report *r, const struct tf_type_check *c,
    uint32_t i)
{
	const struct tf_path *over = c->each != TF_EACH_NONE ? &c->over : NULL;

	put_read(r, over, &c->path, i);
	if (c->op == TF_OP_COMPARE || c->op == TF_OP_COMPARE_TIME)
		put_read(r, over, &c->other, i);
	if (c->substitute != NULL)
		tf_row_inputs(r, c->substitute, i);
}
