/*
 * The result of trailctl verify for programs: one line of canonical JSON.
 *
 * Members stand in the order of their names, as canonical JSON has them. A
 * check is called "link" here: programs read that name, so it stays.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/member.h"
#include "core/base/time_text.h"
#include "verdict.h"

/* Leave out a number that canonical JSON cannot hold: no real count is that
 * big. */
static void
put_number(struct tf_json *j, const char *key, uint64_t v)
{
	if (v > (uint64_t)TF_JSON_MAX)
		return;
	tf_put_uint(j, key, v);
}

/* A finding without an entry has no "seq". */
static void
put_finding(struct tf_json *j, enum tf_check check,
    const struct check_finding *f)
{
	tf_json_object(j);
	tf_put_cstr(j, "link", tf_check_name(check));
	if (f->path[0] != '\0') {
		tf_put_cstr(j, "path", f->path);
	}
	put_number(j, "seq", f->seq);
	tf_put_cstr(j, "text", f->text[0] != '\0' ? f->text : "?");
	tf_json_object_end(j);
}

/* The member is left out when there is none. */
static void
put_findings(struct tf_json *j, const struct check *c)
{
	bool any = false;

	for (int l = 0; l < TF_CHECKS; l++) {
		for (size_t i = 0; i < c->check[l].n; i++) {
			if (check_is_note(&c->check[l].kept[i]))
				continue;
			if (!any) {
				tf_json_key(j, "findings");
				tf_json_array(j);
			}
			any = true;
			put_finding(j, (enum tf_check)l, &c->check[l].kept[i]);
		}
	}
	if (any)
		tf_json_array_end(j);
}

/* The paths of the findings of that grade, unless there are none. */
static void
put_notes(struct tf_json *j, const struct check *c, const char *key,
    enum tf_grade grade, uint64_t n)
{
	if (n == 0)
		return;
	tf_json_key(j, key);
	tf_json_array(j);
	for (int l = 0; l < TF_CHECKS; l++)
		for (size_t i = 0; i < c->check[l].n; i++)
			if (c->check[l].kept[i].grade == grade)
				tf_json_cstr(j, c->check[l].kept[i].path);
	tf_json_array_end(j);
}

/* The order of canonical JSON, not of the checks. */
static int
by_name(const void *a, const void *b)
{
	const enum tf_check *x = a, *y = b;

	return strcmp(tf_check_name(*x), tf_check_name(*y));
}

/* The word of each check that belongs to the answer. */
static void
put_links(struct tf_json *j, const struct check *c)
{
	enum tf_check order[TF_CHECKS];

	for (int l = 0; l < TF_CHECKS; l++)
		order[l] = (enum tf_check)l;
	qsort(order, TF_CHECKS, sizeof(order[0]), by_name);
	tf_json_key(j, "links");
	tf_json_object(j);
	for (int l = 0; l < TF_CHECKS; l++) {
		if (!verdict_shows(c, order[l]))
			continue;
		tf_put_cstr(j, tf_check_name(order[l]),
		    verdict_word(c->report.check[order[l]]));
	}
	tf_json_object_end(j);
}

/* What time stamps prove. */
static void
put_stamped(struct tf_json *j, const struct tf_report *r)
{
	char at[TF_TIME_LEN + 1];

	tf_time_text(r->stamped_at, at);
	tf_json_key(j, "stamped");
	tf_json_object(j);
	tf_put_cstr(j, "at", at);
	put_number(j, "size", r->stamped);
	tf_json_object_end(j);
}

/* What the caller asked for and may not read. */
static void
put_left(struct tf_json *j, const struct check *c)
{
	tf_json_key(j, "left_out");
	tf_json_object(j);
	put_number(j, "count", c->left_paths);
	tf_put_bool(j, "ledger", c->left_ledger);
	tf_json_key(j, "paths");
	tf_json_array(j);
	for (size_t i = 0; i < c->n_left; i++)
		tf_json_cstr(j, c->left[i]);
	tf_json_array_end(j);
	tf_json_object_end(j);
}

/* Of several packages a list. */
static void
put_subject(struct tf_json *j, const struct check *c)
{
	struct tf_buf list = { 0 };

	if (c->packages <= 1) {
		tf_json_key(j, "subject");
		tf_json_raw(j, (struct tf_str){ c->subject.p, c->subject.n });
		return;
	}
	tf_buf_str(&list, "[");
	tf_buf_add(&list, c->subject.p, c->subject.n);
	tf_buf_str(&list, "]");
	tf_json_key(j, "subjects");
	tf_json_raw(j, (struct tf_str){ list.p, list.n });
	tf_buf_free(&list);
}

enum tf_code
verdict_json(const struct check *c, struct tf_buf *out, struct tf_error *err)
{
	const struct tf_report *r = &c->report;
	struct tf_buf line = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	if (r->absent > 0)
		put_number(&j, "absent", r->absent);
	put_number(&j, "beside", r->beside);
	put_number(&j, "bytes", r->bytes);
	put_number(&j, "entries", r->entries);
	put_number(&j, "files", r->files);
	put_findings(&j, c);
	if (r->foreign) {
		tf_put_bool(&j, "foreign", true);
	}
	put_number(&j, "found", r->findings);
	put_notes(&j, c, "harmless", TF_GRADE_HARMLESS, r->harmless);
	if (r->held > 0)
		put_number(&j, "held", r->held);
	if (check_left_any(c))
		put_left(&j, c);
	put_links(&j, c);
	if (r->members > 0)
		put_number(&j, "members", r->members);
	put_number(&j, "newer", r->newer);
	if (r->origin[0] != '\0') {
		tf_put_cstr(&j, "origin", r->origin);
	}
	if (r->unsealed > 0 || r->may_be_repeated || r->cut) {
		tf_put_bool(&j, "partial", true);
	}
	tf_put_bool(&j, "pinned", r->pinned);
	if (r->redacted > 0)
		put_number(&j, "redacted", r->redacted);
	if (r->redacted_texts > 0)
		put_number(&j, "redacted_texts", r->redacted_texts);
	tf_put_hash(&j, "root", &r->root);
	put_number(&j, "size", r->size);
	if (r->stamped > 0)
		put_stamped(&j, r);
	if (c->subject.n > 0)
		put_subject(&j, c);
	put_notes(&j, c, "survived", TF_GRADE_SURVIVED, r->survived);
	if (r->texts > 0 || r->absent_texts > 0) {
		tf_json_key(&j, "texts");
		tf_json_object(&j);
		put_number(&j, "absent", r->absent_texts);
		put_number(&j, "checked", r->texts);
		tf_json_object_end(&j);
	}
	put_number(&j, "unknown", r->unknown);
	put_notes(&j, c, "unproven", TF_GRADE_UNPROVEN, r->unproven);
	if (r->unread > 0)
		put_number(&j, "unread", r->unread);
	if (check_is_package(c))
		put_number(&j, "unsealed", r->unsealed);
	verdict_line(c, &line);
	tf_json_key(&j, "verdict");
	tf_json_buf(&j, &line);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_free(&line);
	tf_buf_str(out, "\n");
	return rc;
}
