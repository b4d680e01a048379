/*
 * Counts the entries of a package, and writes completeness.json.
 *
 * A package holds a part of the log: the numbers between its entries are gaps.
 * Those entries are about other trails or workflows, which is no fault: the log
 * itself has no gap, since the checkpoint signs a tree of all entries, and the
 * writer of a package refuses a ledger in which a number is missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/member.h"
#include "../json.h"
#include "../ledger/entry.h"
#include "completeness.h"
#include "description.h"
#include "format.h"

static int
by_name(const void *key, const void *item)
{
	const struct tf_str *name = key;
	const struct tf_type_count *t = item;
	int way = strncmp(name->p, t->name, name->n);

	return way != 0 || t->name[name->n] == '\0' ? way : -1;
}

static enum tf_code
count_type(struct tf_completeness *c, struct tf_str name, struct tf_error *err)
{
	size_t at = tf_array_place(c->types, c->n, sizeof(*c->types), &name,
	    by_name);

	if (at == c->n || by_name(&name, &c->types[at]) != 0) {
		if (!tf_array_room(&c->types, c->n, &c->cap, sizeof(*c->types)))
			return tf_nomem(err);
		memmove(c->types + at + 1, c->types + at,
		    (c->n - at) * sizeof(*c->types));
		c->n++;
		c->types[at] = (struct tf_type_count){ .name = strndup(name.p,
							   name.n) };
		if (c->types[at].name == NULL)
			return tf_nomem(err);
	}
	c->types[at].n++;
	return TF_OK;
}

enum tf_code
tf_completeness_add(struct tf_completeness *c, const struct tf_package_place *p,
    const struct tf_entry *e, struct tf_error *err)
{
	const bool before = c->begun;

	if (c->entries == 0)
		c->first = e->seq;
	if (c->entries == 0 ? e->seq > 0 : e->seq > c->last + 1)
		c->gaps++;
	c->entries++;
	c->last = e->seq;
	c->newest = e->at;
	c->workflows += e->type == TF_WORKFLOW_BEGUN;
	(void)tf_package_in_period(p, &c->begun, e);
	if (c->begun && !before)
		c->from = e->at;
	return count_type(c, e->type_name, err);
}

/* The request, as package.json has it. */
static void
put_query(struct tf_json *j, const struct tf_package_place *p)
{
	tf_json_key(j, "query");
	tf_json_object(j);
	if (p->control.p != NULL)
		tf_put_str(j, "control", p->control);
	tf_put_str(j, "path", p->path);
	if (p->person.p != NULL)
		tf_put_str(j, "person", p->person);
	if (p->has_since)
		tf_put_time(j, "since", p->since);
	if (p->status.p != NULL)
		tf_put_str(j, "status", p->status);
	if (p->has_until)
		tf_put_time(j, "until", p->until);
	tf_json_object_end(j);
}

/* Of what a part was asked for. */
static const char *
of_what(const struct tf_package_place *p)
{
	return p->kind == TF_KIND_ROOT ? "vault" : "trail";
}

static void
put_gaps(struct tf_json *j, const struct tf_completeness *c, uint64_t size)
{
	tf_json_key(j, "gaps");
	tf_json_object(j);
	tf_put_uint(j, "count",
	    c->gaps + (c->entries == 0 || c->last + 1 < size));
	tf_put_uint(j, "entries", size > c->entries ? size - c->entries : 0);
	tf_json_object_end(j);
}

static void
put_period(struct tf_json *j, const struct tf_completeness *c,
    const struct tf_package_place *p)
{
	tf_json_key(j, "period");
	tf_json_object(j);
	if (p->has_since || c->begun)
		tf_put_time(j, "from", p->has_since ? p->since : c->from);
	tf_put_time(j, "until", p->has_until ? p->until : c->newest);
	tf_json_object_end(j);
}

enum tf_code
tf_completeness_json(const struct tf_completeness *c,
    const struct tf_package_facts *f, struct tf_buf *out, struct tf_error *err)
{
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_uint(&j, "bytes", f->bytes);
	tf_put_uint(&j, "entries", c->entries);
	tf_put_uint(&j, "files", f->files);
	tf_put_uint(&j, "first", c->first);
	put_gaps(&j, c, f->head.size);
	tf_put_uint(&j, "last", c->last);
	tf_put_cstr(&j, "origin", f->head.origin);
	put_period(&j, c, f->p);
	put_query(&j, f->p);
	tf_put_cstr(&j, "tool", c->said.tool);
	tf_json_key(&j, "tree");
	tf_json_object(&j);
	tf_put_hash(&j, "root", &f->head.root);
	tf_put_uint(&j, "size", f->head.size);
	tf_json_object_end(&j);
	tf_json_key(&j, "types");
	tf_json_object(&j);
	for (size_t i = 0; i < c->n; i++)
		tf_put_uint(&j, c->types[i].name, c->types[i].n);
	tf_json_object_end(&j);
	tf_json_key(&j, "workflows");
	tf_json_object(&j);
	tf_put_uint(&j, "here", c->workflows);
	if (c->said.has_of)
		tf_put_uint(&j, of_what(f->p), c->said.of);
	tf_json_object_end(&j);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_str(out, "\n");
	return rc;
}

/* A name and a version: nothing that a page or a terminal would obey. */
static bool
is_tool(struct tf_str s)
{
	if (s.n == 0 || s.n > 64)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (strchr(
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789 .+~-",
			s.p[i]) == NULL ||
		    s.p[i] == '\0')
			return false;
	return true;
}

enum tf_code
tf_completeness_read(const struct tf_buf *json,
    const struct tf_package_place *p, struct tf_completeness_said *said,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_buf tool = { 0 };
	bool ok = false;
	int t;

	memset(said, 0, sizeof(*said));
	if (json->n > 1 &&
	    tf_json_parse(&d, json->p, json->n - 1, &e) == TF_OK &&
	    (t = tf_json_get(&d, 0, "tool")) >= 0 &&
	    tf_json_string(&d, t, &tool, &e) == TF_OK &&
	    is_tool(tf_buf_bytes(&tool))) {
		(void)snprintf(said->tool, sizeof(said->tool), "%.*s",
		    (int)tool.n, tool.p);
		t = tf_json_get(&d, 0, "workflows");
		t = t < 0 ? t : tf_json_get(&d, t, of_what(p));
		said->has_of = t >= 0;
		ok = t < 0 ||
		    (d.tok[t].type == TF_JSON_INT && d.tok[t].num >= 0);
		if (ok && t >= 0)
			said->of = (uint64_t)d.tok[t].num;
	}
	tf_json_doc_free(&d);
	tf_buf_free(&tool);
	if (e.code == TF_NOMEM)
		return tf_nomem(err);
	return ok ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER, TF_PACKAGE_COMPLETENESS " is malformed");
}

void
tf_completeness_free(struct tf_completeness *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->types[i].name);
	free(c->types);
}
