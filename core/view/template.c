/*
 * The template of a workflow, parsed once per view: see template.h.
 *
 * A workflow is judged by the version that was in force when it began, for
 * ever: a later version must not make an old workflow non-compliant.  Many
 * workflows of a trail have the same version, so the view keeps each one that
 * it has parsed.  A template was checked before its entry was committed; one
 * that does not parse was therefore altered.
 */
#include "template.h"

#include <stdio.h>
#include <stdlib.h>

#include "../definition.h"
#include "../ledger/entry.h"
#include "../ledger/template_parse.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "object.h"
#include "view.h"

/* Only such a template needs the times of all evidence: see read_evidence() in
 * compliance.c. */
static bool
is_timed(const struct tf_template *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->slots[i].deadline_s > 0 || t->slots[i].after.n > 0)
			return true;
	return false;
}

/* Read the content that the entry of the version names: the row could name
 * other bytes. */
static enum tf_code
read_content(struct tf_view *w, const struct tf_view_template *t, uint64_t seq,
    struct tf_content *out, struct tf_error *err)
{
	struct tf_loaded_entry e = { 0 };
	enum tf_code rc = tf_loaded_entry_read(w, seq, &e, err);

	*out = e.d.e.template_content;
	if (rc == TF_OK &&
	    (e.d.e.type != TF_TEMPLATE_SET ||
		e.d.e.template_version != t->version))
		rc = tf_fail(err, TF_TAMPER,
		    "entry %llu does not set version %llu of the template",
		    (unsigned long long)seq, (unsigned long long)t->version);
	tf_loaded_entry_free(&e);
	return rc;
}

/* Read the bytes of the version in *t. */
static enum tf_code
read_text(struct tf_view *w, struct tf_view_template *t, uint64_t *entry,
    struct tf_error *err)
{
	struct tf_definition_row row = { .node = t->trail,
		.kind = TF_DEFINITION_TEMPLATE,
		.name = { "", 0 },
		.version = t->version };
	struct tf_content c;
	char what[80];
	enum tf_code rc = tf_definitions_get(w->db, &row, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER,
		    "version %llu of the template is missing",
		    (unsigned long long)t->version);
	if (rc == TF_OK) {
		*entry = row.entry;
		rc = read_content(w, t, row.entry, &c, err);
	}
	if (rc != TF_OK)
		return rc;
	t->sha256 = c.sha256;
	(void)snprintf(what, sizeof(what),
	    "version %llu of the template, of entry %llu,",
	    (unsigned long long)t->version, (unsigned long long)row.entry);
	return tf_view_object_row(w, row.object, &c, what, &t->text, err);
}

/* Parse the text that the ledger names; a parse error is damage, see above. */
static enum tf_code
read_template(struct tf_view *w, struct tf_view_template *t, uint64_t *entry,
    struct tf_error *err)
{
	enum tf_code rc = read_text(w, t, entry, err);

	if (rc == TF_OK)
		rc = tf_template_parse(&t->t, t->text.p, t->text.n, err);
	t->timed = rc == TF_OK && is_timed(&t->t);
	return rc == TF_INVALID ?
	    tf_fail(err, TF_TAMPER, "version %llu of the template is malformed",
		(unsigned long long)t->version) :
	    rc;
}

enum tf_code
tf_view_template(struct tf_view *w, uint64_t trail, uint64_t version,
    const struct tf_view_template **out, uint64_t *entry, struct tf_error *err)
{
	struct tf_view_template *t = w->templates;
	uint64_t unused;
	enum tf_code rc;

	if (entry == NULL)
		entry = &unused;
	*entry = TF_NO_SEQ;
	while (t != NULL && (t->trail != trail || t->version != version))
		t = t->next;
	if (t != NULL) {
		*out = t;
		return TF_OK;
	}
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return tf_nomem(err);
	t->trail = trail;
	t->version = version;
	if ((rc = read_template(w, t, entry, err)) != TF_OK) {
		tf_view_templates_free(t);
		return rc;
	}
	t->next = w->templates;
	*out = w->templates = t;
	return TF_OK;
}

void
tf_view_templates_free(struct tf_view_template *list)
{
	struct tf_view_template *next;

	for (; list != NULL; list = next) {
		next = list->next;
		tf_template_free(&list->t);
		tf_buf_free(&list->text);
		free(list);
	}
}
