/*
 * What status.json says about the names in a directory: see ls.h.
 *
 * Verdicts are made by core and only copied here. A trail's status.json has a
 * line per workflow, and a workflow's has a list of attestations, so one read
 * serves all rows; only at the root is one read per trail needed. That of a
 * workflow has the version of a name that decides; the others are read from their
 * own attestation.json. Rows and lines are matched by name. A status that the
 * caller may not read, or that is not in the ledger yet, leaves its rows without
 * a verdict and is no error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compliance.h"
#include "core/base/bytes.h"
#include "core/control.h"
#include "core/json.h"
#include "core/page.h"
#include "files.h"
#include "ls.h"

#define ATTESTATION_MAX (256u << 20) /* bytes; a longer one is refused */

/* 0 if there is no such member. */
static uint64_t
number(const struct tf_json_doc *d, int of, const char *key)
{
	int t = tf_json_get(d, of, key);

	return t >= 0 && d->tok[t].type == TF_JSON_INT && d->tok[t].num >= 0 ?
	    (uint64_t)d->tok[t].num :
	    0;
}

/* NULL: the status has a name that the list does not have, such as a missing
 * attestation. */
static struct ls_item *
find_item(struct ls *l, struct tf_str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (tf_str_same(name, tf_str_of(l->item[i].name)))
			return &l->item[i];
	return NULL;
}

/* Longer words than the known ones are cut. */
static void
set_verdict(struct ls_item *i, struct tf_str word)
{
	(void)snprintf(i->verdict, sizeof(i->verdict), "%.*s", (int)word.n,
	    word.p);
}

/* A line of the status.json of a trail: one workflow. */
static void
take_workflow(struct ls *l, const struct tf_json_doc *d, struct ls_item *trail)
{
	static const char *const words[] = { "COMPLIANT", "NON-COMPLIANT",
		"INCOMPLETE" };
	struct tf_str word = compliance_word(d, 0, "status");
	struct ls_item *i;

	if (trail != NULL) {
		trail->count[0]++;
		trail->damaged = trail->damaged ||
		    tf_json_get(d, 0, "damaged") >= 0;
		for (int k = 0; k < 3; k++)
			if (tf_str_same(word, tf_str_of(words[k])))
				trail->count[k + 1]++;
		return;
	}
	if ((i = find_item(l, compliance_word(d, 0, "name"))) == NULL)
		return;
	i->damaged = i->damaged || tf_json_get(d, 0, "damaged") >= 0;
	set_verdict(i, word);
	i->counted = true;
	i->count[0] = number(d, 0, "attestations");
	i->count[1] = number(d, 0, "missing");
}

/* The member is_compliant of the object at token t, if it is known. */
static void
take_compliant(struct ls_item *i, const struct tf_json_doc *d, int t)
{
	const int is = tf_json_get(d, t, "is_compliant");

	if (is >= 0 && d->tok[is].type == TF_JSON_BOOL)
		set_verdict(i,
		    tf_str_of(d->tok[is].num != 0 ? "compliant" :
						    "non-compliant"));
}

/* Does status.json say that a record about this attestation cannot be read? */
static bool
is_damaged(const struct tf_json_doc *d, int t)
{
	struct tf_str state = compliance_word(d, t, "status");

	return state.p != NULL && tf_str_same(state, tf_str_of("DAMAGED"));
}

/* The attestations of the status.json of a workflow. */
static void
take_attestations(struct ls *l, const struct tf_json_doc *d)
{
	const int of = tf_json_get(d, 0, "compliance_status");
	const int list = tf_json_get(d, of, "attestations_statuses");
	char name[300];
	struct ls_item *i;

	for (uint32_t t = (uint32_t)list + 1;
	     list >= 0 && t < d->tok[list].next; t = d->tok[t].next) {
		struct tf_str base = compliance_word(d, (int)t,
		    "attestation_name");
		uint64_t version = number(d, (int)t, "version");

		if (base.p == NULL)
			continue;
		if (version > 1)
			(void)snprintf(name, sizeof(name), "%.*s@%llu",
			    (int)base.n, base.p, (unsigned long long)version);
		else
			(void)snprintf(name, sizeof(name), "%.*s", (int)base.n,
			    base.p);
		if ((i = find_item(l, tf_str_of(name))) == NULL)
			continue;
		take_compliant(i, d, (int)t);
		if (is_damaged(d, (int)t)) {
			i->damaged = true;
			set_verdict(i, tf_str_of("DAMAGED"));
		}
	}
}

/* --- versions that do not decide ------------------------------------------------ */

static enum tf_code
read_mounted(const struct ls *l, const struct ls_item *i, struct tf_buf *out,
    struct tf_error *err)
{
	char *path = NULL;
	enum tf_code rc;

	if (asprintf(&path, "%s/%s/%s/%s", l->w.file, i->name, TF_CONTROL_DIR,
		TF_CONTROL_ATTESTATION) < 0)
		return tf_nomem(err);
	rc = files_read(path, ATTESTATION_MAX, out, err);
	free(path);
	return rc;
}

/* An open attestation that does not count has no verdict yet, and neither has
 * one that may not be read. */
static enum tf_code
read_version(struct ls *l, struct tf_view *w, struct ls_item *i,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf b = { 0 };
	const struct tf_sink sink = tf_buf_sink(&b);
	enum tf_code rc = w == NULL ? read_mounted(l, i, &b, err) :
				      tf_view_attestation(w, i->id, &sink, err);

	if (rc == TF_OK && b.n > 0)
		rc = tf_json_parse_status(&d, b.p, b.n - 1, err);
	if (rc == TF_OK)
		take_compliant(i, &d, 0);
	if (rc == TF_OK && tf_json_get(&d, 0, "damaged") >= 0) {
		i->damaged = true;
		set_verdict(i, tf_str_of("DAMAGED"));
		damage_read(&l->damage, &d, 0);
	}
	tf_json_doc_free(&d);
	tf_buf_free(&b);
	return rc == TF_ACCESS || rc == TF_NOTFOUND ? TF_OK : rc;
}

static bool
has_state(const struct ls_item *i, const char *state)
{
	return tf_str_same((struct tf_str){ i->state.p, i->state.n },
	    tf_str_of(state));
}

/* One view serves all of a store, and judges the workflow once. */
static enum tf_code
read_versions(struct ls *l, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_view *w = NULL;
	enum tf_code rc = TF_OK;

	for (size_t k = 0; rc == TF_OK && k < l->n; k++) {
		struct ls_item *i = &l->item[k];

		if (i->kind != TF_KIND_ATTESTATION || i->verdict[0] != '\0')
			continue;
		if (has_state(i, "open"))
			set_verdict(i, tf_str_of("open"));
		if (!has_state(i, "sealed"))
			continue;
		if (l->w.mount == NULL && w == NULL) {
			rc = where_open(&l->w, false, &v, err);
			if (rc == TF_OK)
				rc = tf_view_open(v, NULL, &w, err);
		}
		if (rc == TF_OK)
			rc = read_version(l, w, i, err);
	}
	tf_view_close(w);
	where_close(v);
	return rc;
}

/* --- status.json ---------------------------------------------------------------- */

/* Read status.json of w; it is about the items, or about the trail. */
static enum tf_code
read_status(struct ls *l, const struct where *w, struct ls_item *trail,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	const char *p, *end;
	enum tf_code rc = compliance_read(w, &b, err);

	for (p = b.p; rc == TF_OK && p != NULL && p < b.p + b.n; p = end + 1) {
		struct tf_json_doc d = { 0 };

		end = memchr(p, '\n', (size_t)(b.p + b.n - p));
		if (end == NULL)
			break;
		rc = tf_json_parse_status(&d, p, (size_t)(end - p), err);
		if (rc == TF_OK && compliance_of_workflow(w))
			take_attestations(l, &d);
		else if (rc == TF_OK)
			take_workflow(l, &d, trail);
		if (rc == TF_OK)
			damage_read(&l->damage, &d, 0);
		tf_json_doc_free(&d);
	}
	tf_buf_free(&b);
	/* The list of names is of use without the verdicts. */
	if (rc == TF_ACCESS || rc == TF_NOTFOUND)
		rc = TF_OK;
	else if (rc == TF_OK && trail != NULL)
		trail->counted = true;
	return rc;
}

/* The trail's own path, below that of the root. */
static enum tf_code
read_trail(struct ls *l, struct ls_item *i, struct tf_error *err)
{
	struct where w = l->w;
	enum tf_code rc;

	w.path = ls_join(l->w.path, i->name);
	w.file = l->w.file == NULL ? NULL : ls_join(l->w.file, i->name);
	rc = w.path == NULL || (l->w.file != NULL && w.file == NULL) ?
	    tf_nomem(err) :
	    read_status(l, &w, i, err);
	free(w.path);
	free(w.file);
	return rc;
}

enum tf_code
ls_read_verdicts(struct ls *l, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (l->kind == TF_KIND_TRAIL || l->kind == TF_KIND_WORKFLOW)
		rc = read_status(l, &l->w, NULL, err);
	if (rc == TF_OK && l->kind == TF_KIND_WORKFLOW)
		rc = read_versions(l, err);
	for (size_t i = 0; l->kind == TF_KIND_ROOT && rc == TF_OK && i < l->n;
	     i++)
		rc = read_trail(l, &l->item[i], err);
	return rc;
}
