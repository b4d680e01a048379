/*
 * kosli list flows and list trails.
 *
 * A row that cannot be read does not hide the others: it is reported on stderr,
 * and the exit status then says that the list is not whole. Trails of all flows
 * are collected and sorted by the time they were created, the newest first,
 * before a page is cut out; only the rows of that page are then read in full.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compliance.h"
#include "core/base/member.h"
#include "core/control.h"
#include "core/definition.h"
#include "core/base/bytes.h"
#include "kosli.h"
#include "kosli_find.h"
#include "kosli_read.h"
#include "report.h"
#include "text.h"

#include <sys/xattr.h>

/* The exit status of err; a wrong option also prints the usage. */
static int
failed(const struct kosli_word *w, const struct tf_error *err)
{
	return err->code == TF_USAGE ? kosli_usage(w, "%s", err->text) :
				       report(err);
}

static bool
is_json(void)
{
	return kosli_ask.output != NULL &&
	    strcmp(kosli_ask.output, "json") == 0;
}

static bool
is_wrong_form(void)
{
	return kosli_ask.output != NULL && !is_json() &&
	    strcmp(kosli_ask.output, "table") != 0;
}

/* Print text in a column of at least that many characters. */
static void
print_column(const struct tf_buf *text, int width)
{
	printf("%-*.*s  ", width, (int)text->n, text->n > 0 ? text->p : "");
}

/* *out is NULL on failure, so that it can be freed. */
static enum tf_code
join(char **out, const char *dir, const char *name, struct tf_error *err)
{
	if (asprintf(out, "%s/%s", dir, name) >= 0)
		return TF_OK;
	*out = NULL;
	return tf_nomem(err);
}

/* --- list flows --------------------------------------------------------------------- */

/* Append the description of the trail at path, if it has one. */
static enum tf_code
describe(const char *path, struct tf_buf *out, struct tf_error *err)
{
	struct where w = { 0 };
	struct tf_vault *v = NULL;
	struct tf_attr a;
	static char value[65536];
	ssize_t n;
	enum tf_code rc = where_find(path, &w, err);

	if (rc == TF_OK && w.mount != NULL) {
		n = getxattr(w.file, TF_XATTR_PREFIX "description", value,
		    sizeof(value));
		if (n > 0)
			tf_buf_add(out, value, (size_t)n);
	} else if (rc == TF_OK &&
	    (rc = where_open(&w, false, &v, err)) == TF_OK) {
		rc = tf_vault_walk(v, w.path, &a, err);
		if (rc == TF_OK)
			rc = tf_vault_claimed(v, a.id, "description", out, err);
		where_close(v);
	}
	where_free(&w);
	return rc == TF_NODATA ? TF_OK : rc;
}

/* A row of the table is printed at once; JSON is collected in j. */
static enum tf_code
put_flow(struct tf_json *j, const char *vault, const char *name,
    struct tf_error *err)
{
	struct tf_buf text = { 0 }, shown = { 0 };
	char *path = NULL;
	enum tf_code rc = join(&path, vault, name, err);

	if (rc == TF_OK)
		rc = describe(path, &text, err);
	if (rc == TF_OK && is_json()) {
		tf_json_object(j);
		if (text.n > 0)
			tf_put_str(j, "description",
			    (struct tf_str){ text.p, text.n });
		tf_put_cstr(j, "name", name);
		tf_json_object_end(j);
	} else if (rc == TF_OK) {
		text_add(&shown, name, strlen(name));
		print_column(&shown, 24);
		text_put(stdout, text.p != NULL ? text.p : "", text.n);
		putchar('\n');
	}
	tf_buf_free(&text);
	tf_buf_free(&shown);
	free(path);
	return rc;
}

static enum tf_code
list_flows(const char *vault, const struct kosli_names *flows,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	tf_json_begin(&j, &text);
	if (is_json())
		tf_json_array(&j);
	else
		printf("%-24s  DESCRIPTION\n", "NAME");
	for (size_t i = 0; i < flows->n; i++) {
		struct tf_error why = { 0 };

		/* One that cannot be read does not hide the others. */
		if (put_flow(&j, vault, flows->v[i], &why) == TF_OK)
			continue;
		rc = tf_fail_as(err, &why);
		report_note("%s", why.text);
	}
	if (is_json()) {
		tf_json_array_end(&j);
		if (tf_json_end(&j, err) != TF_OK)
			rc = err->code;
		else
			puts(text_of(&text));
	}
	tf_buf_free(&text);
	return rc;
}

static int
run_flows(int n, char **arg)
{
	struct kosli_names flows = { 0 };
	struct tf_error err = { 0 };
	char *vault = NULL;
	enum tf_code rc;

	(void)n;
	(void)arg;
	if (is_wrong_form())
		return kosli_usage(&kosli_list_flows,
		    "--output is table or json");
	rc = kosli_path(&vault, &err, NULL, NULL, NULL);
	if (rc == TF_OK)
		rc = kosli_read_flows(vault, &flows, &err);
	if (rc == TF_OK)
		rc = list_flows(vault, &flows, &err);
	kosli_names_free(&flows);
	free(vault);
	return rc == TF_OK ? REPORT_OK : failed(&kosli_list_flows, &err);
}

static const struct args_option flows_options[] = {
	KOSLI_OUTPUT("table|json"),
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_list_flows = {
	.verb = "list",
	.object = "flows",
	.operand = "",
	.is = "the trails of the vault",
	.options = flows_options,
	.run = run_flows,
};

/* --- list trails ------------------------------------------------------------------------ */

/* A workflow, of a line in status.json of its trail. */
struct row {
	char *flow, *name;
	int64_t created; /* microseconds */
	bool about;	 /* something in it is about the artifact asked for */
	size_t line; /* the order of the lines, which is that of the ledger */
};

struct rows {
	struct row *v;
	size_t n;
	struct damage damage; /* that the lines tell of */
};

/* For equal times the later line of the ledger is the newer one. */
static int
newest_first(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? 1 : -1;
	return (x->line < y->line) - (x->line > y->line);
}

static void
rows_free(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].flow);
		free(r->v[i].name);
	}
	free(r->v);
}

/* A number of seconds with at most six digits of fraction. */
static int64_t
microseconds(const struct tf_json_doc *d, int t)
{
	const struct tf_str text = tf_json_text(d, t);
	int64_t unit = 100000, us = d->tok[t].num * 1000000;
	size_t i = 0;

	while (i < text.n && text.p[i] != '.')
		i++;
	for (i++; i < text.n && unit > 0; i++, unit /= 10)
		us += (text.p[i] - '0') * unit;
	return us;
}

/* On failure r has the rows of before. */
static enum tf_code
add_row(struct rows *r, const char *flow, const char *p, size_t n,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf name = { 0 };
	struct row *v, new = { .line = r->n };
	int t;
	enum tf_code rc = tf_json_parse_status(&d, p, n, err);

	if (rc == TF_OK)
		rc = tf_json_string(&d, tf_json_get(&d, 0, "name"), &name, err);
	if (rc == TF_OK && (t = tf_json_get(&d, 0, "created_at")) >= 0)
		new.created = microseconds(&d, t);
	if (rc == TF_OK)
		damage_read(&r->damage, &d, 0);
	tf_json_doc_free(&d);
	if (rc == TF_OK) {
		new.flow = strdup(flow);
		new.name = strndup(name.p, name.n);
		v = realloc(r->v, (r->n + 1) * sizeof(*v));
		if (v != NULL)
			r->v = v;
		if (v == NULL || new.flow == NULL || new.name == NULL) {
			free(new.flow);
			free(new.name);
			rc = tf_nomem(err);
		} else {
			v[r->n++] = new;
		}
	}
	tf_buf_free(&name);
	return rc;
}

/* Read status.json of the trail or workflow; name NULL: of the trail. */
static enum tf_code
read_status(const char *vault, const char *flow, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	struct where w = { 0 };
	char *trail = NULL, *path = NULL;
	enum tf_code rc = join(&trail, vault, flow, err);

	if (rc == TF_OK && name != NULL)
		rc = join(&path, trail, name, err);
	if (rc == TF_OK)
		rc = where_find(name != NULL ? path : trail, &w, err);
	if (rc == TF_OK)
		rc = compliance_read(&w, out, err);
	where_free(&w);
	free(trail);
	free(path);
	return rc;
}

/* Add the workflows of a trail.  A line that is malformed is left out. */
static enum tf_code
add_flow(struct rows *r, const char *vault, const char *flow, bool *bad,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_error why = { 0 };
	const char *p, *end, *lf;
	enum tf_code rc = read_status(vault, flow, NULL, &text, err);

	p = text.p;
	end = p + text.n;
	for (; rc == TF_OK && p != NULL && p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL)
			lf = end;
		if (add_row(r, flow, p, (size_t)(lf - p), &why) == TF_OK)
			continue;
		report_note("flow %s: %s", flow, why.text);
		*bad = true;
	}
	tf_buf_free(&text);
	return rc;
}

static void
print_row(const struct row *r, const struct tf_buf *json)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf name = { 0 }, state = { 0 }, text = { 0 };
	int t;

	if (tf_json_parse_status(&d, json->p, json->n, NULL) == TF_OK) {
		text_add(&name, r->name, strlen(r->name));
		if ((t = tf_json_get(&d, 0, "compliance_state")) >= 0)
			text_add_token(&state, &d, t);
		if ((t = tf_json_get(&d, 0, "description")) >= 0)
			text_add_token(&text, &d, t);
		print_column(&name, 24);
		print_column(&state, 14);
		printf("%s\n", text_of(&text));
	}
	tf_json_doc_free(&d);
	tf_buf_free(&name);
	tf_buf_free(&state);
	tf_buf_free(&text);
}

/* Print rows from..to-1. */
static void
print_rows(const struct rows *r, const char *vault, size_t from, size_t to,
    bool *bad)
{
	const char *between = "";

	for (size_t i = from; i < to; i++) {
		struct tf_buf text = { 0 };
		struct tf_error why = { 0 };

		if (read_status(vault, r->v[i].flow, r->v[i].name, &text,
			&why) != TF_OK) {
			report_note("%s/%s: %s", r->v[i].flow, r->v[i].name,
			    why.text);
			*bad = true;
		} else {
			while (text.n > 0 && text.p[text.n - 1] == '\n')
				text.n--;
			if (is_json())
				printf("%s%.*s", between, (int)text.n, text.p);
			else
				print_row(&r->v[i], &text);
			between = ",";
		}
		tf_buf_free(&text);
	}
}

/* A page behind the last one is empty and no error. */
static void
print_page(struct rows *r, const char *vault, bool *bad)
{
	const uint64_t limit = kosli_ask.page_limit, page = kosli_ask.page;
	const uint64_t pages = r->n / limit + (r->n % limit != 0);
	size_t from = page > pages ? r->n : (size_t)((page - 1) * limit);
	size_t to = r->n - from < limit ? r->n : from + (size_t)limit;

	if (r->n > 0)
		qsort(r->v, r->n, sizeof(*r->v), newest_first);
	if (is_json())
		fputs("{\"data\":[", stdout);
	else
		printf("%-24s  %-14s  DESCRIPTION\n", "NAME", "COMPLIANCE");
	print_rows(r, vault, from, to, bad);
	if (is_json())
		printf("],\"pagination\":{\"page\":%llu,\"page_count\":%llu,"
		       "\"total\":%zu}}\n",
		    (unsigned long long)page, (unsigned long long)pages, r->n);
	else
		printf("page %llu of %llu, %zu trails\n",
		    (unsigned long long)page, (unsigned long long)pages, r->n);
}

/* Mark the trail of a name that is about the artifact. */
static enum tf_code
mark(void *arg, const char *path, struct tf_error *err)
{
	struct rows *r = arg;
	const char *name = strchr(path, '/');
	const size_t flow = name != NULL ? (size_t)(name - path) : 0;
	size_t n;

	(void)err;
	if (name == NULL)
		return TF_OK; /* a flow */
	n = strcspn(++name, "/");
	for (size_t i = 0; i < r->n; i++)
		r->v[i].about = r->v[i].about ||
		    (tf_str_same(tf_str_of(r->v[i].flow),
			 (struct tf_str){ path, flow }) &&
			tf_str_same(tf_str_of(r->v[i].name),
			    (struct tf_str){ name, n }));
	return TF_OK;
}

/* Drop the rows of trails in which nothing is about the artifact. */
static enum tf_code
keep_about(struct rows *r, const char *vault, struct tf_error *err)
{
	char value[100];
	size_t n = 0;
	enum tf_code rc;

	(void)snprintf(value, sizeof(value), "artifact_fingerprint=%s",
	    kosli_ask.fingerprint);
	rc = kosli_find(vault, "annotation", value, mark, r, err);
	for (size_t i = 0; rc == TF_OK && i < r->n; i++) {
		if (r->v[i].about) {
			r->v[n++] = r->v[i];
		} else {
			free(r->v[i].flow);
			free(r->v[i].name);
		}
	}
	r->n = rc == TF_OK ? n : r->n;
	return rc;
}

/*
 * *bad: a row is missing. With --flow, a flow that cannot be read is an error.
 */
static enum tf_code
list_trails(bool *bad, struct damage *damage, struct tf_error *err)
{
	struct kosli_names flows = { 0 };
	struct rows r = { 0 };
	char *vault = NULL;
	enum tf_code rc = kosli_path(&vault, err, NULL, NULL, NULL);

	if (rc == TF_OK && kosli_ask.flow != NULL &&
	    !kosli_is_name(kosli_ask.flow))
		rc = tf_fail(err, TF_USAGE,
		    "--flow: \"%.60s\" is no name of a flow", kosli_ask.flow);
	else if (rc == TF_OK && kosli_ask.flow != NULL)
		rc = add_flow(&r, vault, kosli_ask.flow, bad, err);
	else if (rc == TF_OK)
		rc = kosli_read_flows(vault, &flows, err);
	for (size_t i = 0; rc == TF_OK && i < flows.n; i++) {
		struct tf_error why = { 0 };

		if (add_flow(&r, vault, flows.v[i], bad, &why) == TF_OK)
			continue;
		report_note("%s", why.text);
		*bad = true;
	}
	if (rc == TF_OK && kosli_ask.fingerprint != NULL)
		rc = keep_about(&r, vault, err);
	if (rc == TF_OK)
		print_page(&r, vault, bad);
	*damage = r.damage;
	rows_free(&r);
	kosli_names_free(&flows);
	free(vault);
	return rc;
}

static int
run_trails(int n, char **arg)
{
	struct tf_error err = { 0 };
	struct damage damage = { 0 };
	bool bad = false;

	(void)n;
	(void)arg;
	if (is_wrong_form())
		return kosli_usage(&kosli_list_trails,
		    "--output is table or json");
	if (kosli_ask.fingerprint != NULL &&
	    !kosli_is_fingerprint(kosli_ask.fingerprint))
		return kosli_usage(&kosli_list_trails,
		    "--fingerprint is 64 lower-case hex digits");
	if (kosli_ask.page == 0 || kosli_ask.page_limit == 0)
		return kosli_usage(&kosli_list_trails,
		    "--page and --page-limit begin at 1");
	if (list_trails(&bad, &damage, &err) != TF_OK)
		return failed(&kosli_list_trails, &err);
	return damage_exit(&damage, bad ? REPORT_DOUBT : REPORT_OK);
}

static const struct args_option trails_options[] = {
	KOSLI_TEXT("flow", 'f', "FLOW", "only trails of this one",
	    &kosli_ask.flow),
	KOSLI_TEXT("fingerprint", 'F', "SHA256",
	    "only trails with an attestation about this artifact",
	    &kosli_ask.fingerprint),
	KOSLI_NO("flow-tag", 't', "there are no tags of flows"),
	{ .name = "page",
	    .value = "N",
	    .help = "this page (1)",
	    .number = &kosli_ask.page },
	{ .name = "page-limit",
	    .letter = 'n',
	    .value = "N",
	    .help = "so many trails per page (20)",
	    .number = &kosli_ask.page_limit },
	KOSLI_OUTPUT("table|json"),
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_list_trails = {
	.verb = "list",
	.object = "trails",
	.operand = "",
	.is = "status of each workflow, the newest first",
	.options = trails_options,
	.run = run_trails,
};
