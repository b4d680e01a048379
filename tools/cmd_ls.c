/*
 * trailctl ls: what is in a vault, trail, workflow or attestation, as a table.
 *
 * Three steps: read the names (ls_names.c), add what status.json says about
 * them (ls_verdicts.c), sort and print. The columns follow from the kind of the
 * directory: a vault has counts of workflows per trail, a trail has verdicts
 * and what is missing, a workflow has files and bytes. A count or a verdict
 * that the caller may not read is "-" and not 0, as 0 would be an answer.
 * A name with a record that cannot be read is a row like any other, with the
 * state DAMAGED; the exit status is then 4. --json prints one object per line
 * and leaves such members out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "core/base/member.h"
#include "core/json.h"
#include "ls.h"
#include "node.h"
#include "report.h"
#include "text.h"

static bool as_json;

static const struct args_option options[] = {
	ARGS_JSON(&as_json),
	{ 0 },
};

static const char *const root_counts[] = { "workflows", "compliant",
	"non_compliant", "incomplete" };

/* The time of the seal, else of the last change, by the clock.  True: the time in
 * the ledger is another one. */
static bool
when_of(const struct ls_item *i, char out[TF_TIME_LEN + 1])
{
	const bool moved = i->clock.n == TF_TIME_LEN;
	const struct tf_buf *when = moved ? &i->clock : &i->when;

	if (when->n == TF_TIME_LEN)
		(void)snprintf(out, TF_TIME_LEN + 1, "%.*s", TF_TIME_LEN,
		    when->p);
	else
		tf_time_text(i->mtime, out);
	return moved;
}

/* An attribute that is not set is left out. */
static void
put_text(struct tf_json *j, const char *key, const struct tf_buf *b)
{
	if (b->n > 0)
		tf_put_str(j, key, (struct tf_str){ b->p, b->n });
}

/* The counts of an item mean something else in each kind of directory; here
 * each gets its key. */
static void
put_count(struct tf_json *j, const struct ls *l, const struct ls_item *i,
    const char *key)
{
	if (!i->counted)
		return;
	for (int k = 0; l->kind == TF_KIND_ROOT && k < 4; k++)
		if (strcmp(key, root_counts[k]) == 0)
			tf_put_uint(j, key, i->count[k]);
	if (l->kind == TF_KIND_TRAIL && strcmp(key, "attestations") == 0)
		tf_put_uint(j, key, i->count[0]);
	if (l->kind == TF_KIND_TRAIL && strcmp(key, "missing") == 0)
		tf_put_uint(j, key, i->count[1]);
}

/* One line; members in the order of their names. */
static enum tf_code
print_json(const struct ls *l, const struct ls_item *i, struct tf_error *err)
{
	const struct tf_str actor = { i->actor.n > 0 ? i->actor.p : NULL,
		i->actor.n };
	const bool file = i->kind == TF_KIND_EVIDENCE;
	char when[TF_TIME_LEN + 1], changed[TF_TIME_LEN + 1];
	bool moved;
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	moved = when_of(i, when);
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_raw(&j, "actor", actor);
	put_count(&j, l, i, "attestations");
	if (moved && i->when.n == 0) {
		tf_time_text(i->mtime, changed);
		tf_put_cstr(&j, "changed_at", changed);
	}
	put_count(&j, l, i, "compliant");
	if (i->damaged)
		tf_put_bool(&j, "damaged", true);
	if (i->kind == TF_KIND_ATTESTATION)
		tf_put_uint(&j, "files", i->files);
	put_count(&j, l, i, "incomplete");
	tf_put_cstr(&j, "kind", node_kind_name(i->kind));
	put_count(&j, l, i, "missing");
	tf_put_cstr(&j, "name", i->name);
	put_count(&j, l, i, "non_compliant");
	if (moved)
		put_text(&j, "sealed_at", &i->when);
	put_text(&j, "sha256", &i->sha256);
	if (file || i->kind == TF_KIND_ATTESTATION)
		tf_put_uint(&j, "size", i->size);
	put_text(&j, "state", &i->state);
	if (i->verdict[0] != '\0')
		tf_put_cstr(&j, "status", i->verdict);
	tf_put_cstr(&j, "when", when);
	put_count(&j, l, i, "workflows");
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/* The widths are those of print_row() and print_middle(). */
static void
print_heading(const struct ls *l)
{
	static const char *const middle[] = {
		[TF_KIND_ROOT] = "WORKFLOWS  COMPLIANT  NON-COMPL.  INCOMPLETE",
		[TF_KIND_TRAIL] = "STATUS         ATTESTATIONS  MISSING",
		[TF_KIND_WORKFLOW] = "STATUS         FILES          SIZE",
	};

	printf("%-12s%-22s%-20s%s  NAME\n", "STATE", "WHEN", "WHO",
	    l->kind <= TF_KIND_WORKFLOW ? middle[l->kind] : "        SIZE");
}

/* A number, or "-" if it is not known. */
static void
print_count(const struct ls_item *i, int k, int width)
{
	if (i->counted)
		printf("%*llu", width, (unsigned long long)i->count[k]);
	else
		printf("%*s", width, "-");
}

/* The columns between actor and name. */
static void
print_middle(const struct ls *l, const struct ls_item *i)
{
	const char *verdict = i->verdict[0] != '\0' ? i->verdict : "-";

	if (l->kind == TF_KIND_ROOT) {
		print_count(i, 0, 9);
		print_count(i, 1, 11);
		print_count(i, 2, 12);
		print_count(i, 3, 12);
	} else if (l->kind == TF_KIND_TRAIL) {
		printf("%-15s", verdict);
		print_count(i, 0, 12);
		print_count(i, 1, 9);
	} else if (l->kind == TF_KIND_WORKFLOW) {
		printf("%-15s%5llu  %12llu", verdict,
		    (unsigned long long)i->files, (unsigned long long)i->size);
	} else {
		printf("%12llu", (unsigned long long)i->size);
	}
}

/* Names and states come from the vault: make them safe for a terminal. */
static void
print_row(const struct ls *l, const struct ls_item *i)
{
	struct tf_buf name = { 0 }, who = { 0 }, state = { 0 };
	struct tf_json_doc d = { 0 };
	char when[TF_TIME_LEN + 1];
	bool moved;

	moved = when_of(i, when);
	if (i->damaged)
		tf_buf_str(&state, "DAMAGED");
	else
		text_add(&state, i->state.p, i->state.n);
	text_add(&name, i->name, strlen(i->name));
	if (i->kind == TF_KIND_DIRECTORY)
		tf_buf_str(&name, "/");
	if (i->actor.n > 0 &&
	    tf_json_parse(&d, i->actor.p, i->actor.n, NULL) == TF_OK)
		text_add_actor(&who, &d, 0);
	else
		tf_buf_str(&who, "-");
	printf("%-12s%.19sZ%c %-20s", text_of(&state), when, moved ? '!' : ' ',
	    text_of(&who));
	print_middle(l, i);
	printf("  %s\n", text_of(&name));
	tf_json_doc_free(&d);
	tf_buf_free(&state);
	tf_buf_free(&name);
	tf_buf_free(&who);
}

/* As bytes: the same in a mount and in a store. */
static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct ls_item *)a)->name,
	    ((const struct ls_item *)b)->name);
}

/* Everything is read before the first line is printed. */
static int
run(int n, char **arg)
{
	struct ls l = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(n > 0 ? arg[0] : ".", &l.w, &err);

	if (rc == TF_OK) {
		l.kind = node_kind_of_directory(l.w.path);
		rc = ls_read_names(&l, &err);
	}
	if (rc == TF_OK)
		rc = ls_read_verdicts(&l, &err);
	if (l.n > 0)
		qsort(l.item, l.n, sizeof(*l.item), by_name);
	if (rc == TF_OK && !as_json && l.n > 0)
		print_heading(&l);
	for (size_t i = 0; rc == TF_OK && i < l.n; i++) {
		if (as_json)
			rc = print_json(&l, &l.item[i], &err);
		else
			print_row(&l, &l.item[i]);
	}
	ls_say_damage(&l);
	ls_free(&l);
	return rc == TF_OK ? damage_exit(&l.damage, REPORT_OK) : report(&err);
}

const struct verb cmd_ls = {
	.name = "ls",
	.summary = "print what is in a vault, trail, workflow or attestation",
	.usage = "[OPTION...] [STORE|PATH]",
	.options = options,
	.min = 0,
	.max = 1,
	.run = run,
};
