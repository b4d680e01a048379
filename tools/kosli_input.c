/*
 * The input of kosli evaluate: see kosli_input.h.
 *
 * A trail is its status.json, in which attestations_statuses is an object with
 * the names as keys, as a policy of Kosli sees it, and each has what
 * attestation.json of the deciding version says beside.  A type of
 * trailfs-type(5) takes its subjects from an array, so the same attestations are
 * an array, too: `attestations`.  A value of the status is stronger than one of
 * the same name in attestation.json, since it is the verdict of the slot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compliance.h"
#include "core/base/bytes.h"
#include "core/base/json_any_write.h"
#include "files.h"
#include "kosli_input.h"
#include "kosli_read.h"
#include "report.h"

#define WHOLE (4 * TF_ANY_BYTES) /* no value is longer when it is written */

/* Append the comma before a member, and its key. */
static void
put_key(struct tf_buf *out, bool *any, struct tf_str key)
{
	tf_buf_str(out, *any ? "," : "");
	tf_any_put_string(out, key);
	tf_buf_str(out, ":");
	*any = true;
}

static void
put_member(struct tf_buf *out, bool *any, const struct tf_any_doc *d,
    uint32_t i)
{
	put_key(out, any, tf_any_key(d, i));
	(void)tf_any_put(out, d, i, WHOLE);
}

static enum tf_code
parse(struct tf_any_doc *d, const struct tf_buf *b, const char *what,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_any_parse(d, b->n > 0 ? b->p : "", b->n, &why);

	return rc == TF_OK ? rc : tf_fail(err, rc, "%s: %s", what, why.text);
}

/* --- attestations --------------------------------------------------------------- */

static bool
is_chosen(struct tf_str name)
{
	const struct args_list *l = &kosli_ask.attestations;

	for (size_t i = 0; i < l->n; i++)
		if (tf_str_same(name, tf_str_of(l->v[i])))
			return true;
	return l->n == 0;
}

/* Append the members of attestation.json that the row does not have. */
static enum tf_code
put_details(struct tf_buf *out, bool *any, const struct tf_any_doc *d,
    uint32_t row, const char *trail, struct tf_error *err)
{
	const struct tf_str name = tf_any_text(d,
	    tf_any_member(d, row, tf_str_of("attestation_name")));
	const uint32_t version = tf_any_member(d, row, tf_str_of("version"));
	struct tf_any_doc more = { 0 };
	struct tf_buf path = { 0 }, json = { 0 };
	enum tf_code rc;

	if (version == TF_ANY_NONE)
		return TF_OK; /* nothing was reported */
	tf_buf_printf(&path, "%s/%.*s", trail, (int)name.n, name.p);
	if (!tf_str_same(tf_any_text(d, version), tf_str_of("1")))
		tf_buf_printf(&path, "@%.*s", (int)tf_any_text(d, version).n,
		    tf_any_text(d, version).p);
	tf_buf_add(&path, "", 1);
	rc = path.failed ? tf_nomem(err) :
			   kosli_read_attestation(path.p, &json, err);
	if (rc == TF_OK)
		rc = parse(&more, &json, path.p, err);
	for (uint32_t i = 1; rc == TF_OK && i < more.n; i = more.v[i].next)
		if (tf_any_member(d, row, tf_any_key(&more, i)) == TF_ANY_NONE)
			put_member(out, any, &more, i);
	tf_any_free(&more);
	tf_buf_free(&path);
	tf_buf_free(&json);
	return rc;
}

/* Append one attestation to both forms of the list. */
static enum tf_code
put_row(struct tf_buf *map, struct tf_buf *list, const struct tf_any_doc *d,
    uint32_t row, const char *trail, struct tf_error *err)
{
	const struct tf_str name = tf_any_text(d,
	    tf_any_member(d, row, tf_str_of("attestation_name")));
	const size_t start = list->n + (list->n > 0);
	bool any = false, first = map->n == 0;
	enum tf_code rc;

	tf_buf_str(list, list->n > 0 ? ",{" : "{");
	for (uint32_t i = row + 1; i < d->v[row].next; i = d->v[i].next)
		put_member(list, &any, d, i);
	rc = put_details(list, &any, d, row, trail, err);
	tf_buf_str(list, "}");
	if (rc != TF_OK || list->failed)
		return rc;
	first = !first;
	put_key(map, &first, name);
	tf_buf_add(map, list->p + start, list->n - start);
	return TF_OK;
}

/* The rows of attestations_statuses that --attestations chooses. */
static enum tf_code
put_rows(struct tf_buf *map, struct tf_buf *list, const struct tf_any_doc *d,
    const char *trail, struct tf_error *err)
{
	const uint32_t of = tf_any_member(d, 0, tf_str_of("compliance_status"));
	const uint32_t rows = of == TF_ANY_NONE ?
	    TF_ANY_NONE :
	    tf_any_member(d, of, tf_str_of("attestations_statuses"));
	uint32_t name;
	enum tf_code rc = TF_OK;

	if (rows == TF_ANY_NONE)
		return TF_OK;
	for (uint32_t i = rows + 1; rc == TF_OK && i < d->v[rows].next;
	     i = d->v[i].next) {
		name = tf_any_member(d, i, tf_str_of("attestation_name"));
		if (name != TF_ANY_NONE && is_chosen(tf_any_text(d, name)))
			rc = put_row(map, list, d, i, trail, err);
	}
	return rc;
}

/* --- a trail -------------------------------------------------------------------- */

/* Append the status with both forms of its attestations. */
static void
put_status(struct tf_buf *out, const struct tf_any_doc *d,
    const struct tf_buf *map, const struct tf_buf *list)
{
	static const char statuses[] = "attestations_statuses";
	const uint32_t of = tf_any_member(d, 0, tf_str_of("compliance_status"));
	bool any = false, inner = false;

	tf_buf_str(out, "{");
	put_key(out, &any, tf_str_of("attestations"));
	tf_buf_str(out, "[");
	tf_buf_add(out, list->p, list->n);
	tf_buf_str(out, "]");
	for (uint32_t i = 1; i < d->n; i = d->v[i].next)
		if (i != of)
			put_member(out, &any, d, i);
	put_key(out, &any, tf_str_of("compliance_status"));
	tf_buf_str(out, "{");
	put_key(out, &inner, tf_str_of(statuses));
	tf_buf_str(out, "{");
	tf_buf_add(out, map->p, map->n);
	tf_buf_str(out, "}");
	for (uint32_t i = of + 1; of != TF_ANY_NONE && i < d->v[of].next;
	     i = d->v[i].next)
		if (!tf_str_same(tf_any_key(d, i), tf_str_of(statuses)))
			put_member(out, &inner, d, i);
	tf_buf_str(out, "}}");
}

static enum tf_code
put_trail(struct tf_buf *out, const char *name, struct tf_error *err)
{
	struct where w = { 0 };
	struct tf_buf text = { 0 }, map = { 0 }, list = { 0 };
	struct tf_any_doc d = { 0 };
	char *path = NULL;
	enum tf_code rc = kosli_path(&path, err, kosli_ask.flow, name, NULL);

	if (rc == TF_OK)
		rc = where_find(path, &w, err);
	if (rc == TF_OK)
		rc = compliance_read(&w, &text, err);
	if (rc == TF_OK)
		rc = parse(&d, &text, path, err);
	if (rc == TF_OK)
		rc = put_rows(&map, &list, &d, path, err);
	if (rc == TF_OK && (map.failed || list.failed))
		rc = tf_nomem(err);
	if (rc == TF_OK)
		put_status(out, &d, &map, &list);
	tf_any_free(&d);
	tf_buf_free(&text);
	tf_buf_free(&map);
	tf_buf_free(&list);
	where_free(&w);
	free(path);
	return rc;
}

static enum tf_code
put_trails(struct tf_buf *out, char **names, int n, bool many,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	tf_buf_str(out, many ? "{\"trails\":[" : "{\"trail\":");
	for (int i = 0; rc == TF_OK && i < n; i++) {
		tf_buf_str(out, i > 0 ? "," : "");
		rc = put_trail(out, names[i], err);
	}
	tf_buf_str(out, many ? "]}" : "}");
	return rc;
}

/* --- a file, and parameters ------------------------------------------------------- */

static enum tf_code
read_file(struct tf_buf *out, struct tf_error *err)
{
	static const char here[] = "standard input";
	enum tf_code rc;

	if (kosli_ask.input_file != NULL)
		return kosli_read_json("input-file", kosli_ask.input_file,
		    TF_ANY_BYTES, out, err);
	rc = files_read_fd(STDIN_FILENO, here, TF_ANY_BYTES, out, err);
	return rc == TF_OK ? kosli_check_json("input-file", here, out, err) :
			     rc;
}

/* "@FILE", or the text itself. */
static enum tf_code
read_params(struct tf_buf *out, struct tf_error *err)
{
	const char *given = kosli_ask.params;
	struct tf_buf text = { 0 };
	struct tf_any_doc d = { 0 };
	enum tf_code rc;

	if (given == NULL)
		return TF_OK;
	if (*given == '@') {
		rc = kosli_read_json("params", given + 1, TF_ANY_BYTES, &text,
		    err);
	} else {
		tf_buf_str(&text, given);
		rc = kosli_check_json("params", given, &text, err);
	}
	if (rc == TF_OK)
		rc = tf_any_parse(&d, text.p, text.n, err);
	if (rc == TF_OK && d.v[0].type != TF_ANY_OBJECT)
		rc = tf_fail(err, TF_USAGE, "--params is no JSON object");
	if (rc == TF_OK)
		(void)tf_any_put(out, &d, 0, WHOLE);
	tf_any_free(&d);
	tf_buf_free(&text);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* Put params into the object: a text that is one object ends in a brace. */
static enum tf_code
add_params(struct tf_buf *out, const struct tf_buf *params,
    struct tf_error *err)
{
	struct tf_any_doc d = { 0 };
	struct tf_buf text = { 0 };
	bool any;
	enum tf_code rc = parse(&d, out, "the input", err);

	if (rc == TF_OK && params->n > 0 &&
	    (d.v[0].type != TF_ANY_OBJECT ||
		tf_any_member(&d, 0, tf_str_of("params")) != TF_ANY_NONE))
		rc = tf_fail(err, TF_USAGE,
		    "--params: the input is no object without params");
	if (rc == TF_OK && params->n > 0) {
		(void)tf_any_put(&text, &d, 0, WHOLE);
		any = d.v[0].count > 0;
		text.n -= text.n > 0; /* the brace at its end */
		put_key(&text, &any, tf_str_of("params"));
		tf_buf_add(&text, params->p, params->n);
		tf_buf_str(&text, "}");
		out->n = 0;
		tf_buf_add(out, text.p, text.n);
		out->failed = out->failed || text.failed;
	}
	tf_any_free(&d);
	tf_buf_free(&text);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

enum tf_code
kosli_input(char **names, int n, bool many, struct tf_buf *out,
    struct tf_buf *params, struct tf_error *err)
{
	enum tf_code rc = kosli_lists(err);

	if (rc == TF_OK)
		rc = read_params(params, err);
	if (rc == TF_OK)
		rc = names == NULL ? read_file(out, err) :
				     put_trails(out, names, n, many, err);
	if (rc == TF_OK)
		rc = tf_buf_end(out, err);
	return rc == TF_OK ? add_params(out, params, err) : rc;
}
