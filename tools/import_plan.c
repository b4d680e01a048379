/* The memory of a plan: see import.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/array.h"
#include "core/import.h"
#include "import.h"

static void
free_origin(struct import_origin *o)
{
	free(o->by);
	free(o->id);
}

void
import_attestation_free(struct import_attestation *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->member[i].name);
	free(a->member);
	free(a->name);
	free(a->evidence_name);
	free_origin(&a->from);
	claims_free(&a->claims);
	tf_buf_free(&a->record);
}

void
import_free(struct import_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct import_workflow *w = &p->wf[i];

		for (size_t k = 0; k < w->n; k++)
			import_attestation_free(&w->att[k]);
		free(w->att);
		free(w->flow);
		free(w->name);
		free_origin(&w->from);
		claims_free(&w->claims);
		tf_buf_free(&w->template);
	}
	free(p->wf);
	free(p->file);
	if (p->spool >= 0)
		(void)close(p->spool);
	*p = (struct import_plan){ .spool = -1 };
}

/* The vault would refuse a wrong name too, but only in the middle. */
static enum tf_code
check_name(enum tf_kind kind, const char *what, const char *name,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_import_name(kind, name, &why);

	if (rc == TF_OK && strchr(name, '@') != NULL &&
	    kind != TF_KIND_EVIDENCE)
		rc = tf_fail(&why, TF_BADNAME, "@ is for versions");
	return rc == TF_OK ?
	    rc :
	    tf_fail(err, TF_INVALID, "\"%.60s\" cannot be the name of %s: %s",
		name, what, why.text);
}

enum tf_code
import_workflow(struct import_plan *p, const char *flow, const char *name,
    struct import_workflow **out, struct tf_error *err)
{
	struct import_workflow w = { 0 };
	enum tf_code rc;

	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->wf[i].name, name) == 0 &&
		    strcmp(p->wf[i].flow, flow) == 0) {
			*out = &p->wf[i];
			return TF_OK;
		}
	if ((rc = check_name(TF_KIND_TRAIL, "a trail", flow, err)) != TF_OK ||
	    (rc = check_name(TF_KIND_WORKFLOW, "a workflow", name, err)) !=
		TF_OK)
		return rc;
	if (p->n == IMPORT_WORKFLOWS)
		return tf_fail(err, TF_INVALID,
		    "more than %d trails in one import: import them in parts",
		    IMPORT_WORKFLOWS);
	if (!tf_array_room(&p->wf, p->n, &p->cap, sizeof(*p->wf)))
		return tf_nomem(err);
	w.flow = strdup(flow);
	w.name = strdup(name);
	if (w.flow == NULL || w.name == NULL) {
		free(w.flow);
		free(w.name);
		return tf_nomem(err);
	}
	*out = &p->wf[p->n++];
	**out = w;
	return TF_OK;
}

enum tf_code
import_attestation(struct import_plan *p, struct import_workflow *w,
    const char *name, struct import_attestation **out, struct tf_error *err)
{
	struct import_attestation a = { .order = w->n };
	enum tf_code rc = check_name(TF_KIND_ATTESTATION, "an attestation",
	    name, err);

	if (rc != TF_OK)
		return rc;
	if (w->n == IMPORT_ATTESTATIONS)
		return tf_fail(err, TF_INVALID,
		    "trail %.60s has more than %d attestations", w->name,
		    IMPORT_ATTESTATIONS);
	if (!tf_array_room(&w->att, w->n, &w->cap, sizeof(*w->att)) ||
	    (a.name = strdup(name)) == NULL)
		return tf_nomem(err);
	p->attestations++;
	*out = &w->att[w->n++];
	**out = a;
	return TF_OK;
}

enum tf_code
import_member(struct import_plan *p, struct import_attestation *a,
    const struct import_member *m, struct tf_error *err)
{
	struct import_member copy = *m;
	enum tf_code rc = check_name(TF_KIND_EVIDENCE, "evidence", m->name,
	    err);

	if (rc != TF_OK)
		return rc;
	if (p->members == IMPORT_MEMBERS)
		return tf_fail(err, TF_INVALID,
		    "more than %d files of evidence in one import",
		    IMPORT_MEMBERS);
	if (!tf_array_room(&a->member, a->n, &a->cap, sizeof(*a->member)) ||
	    (copy.name = strdup(m->name)) == NULL)
		return tf_nomem(err);
	a->member[a->n++] = copy;
	p->members++;
	return TF_OK;
}

size_t
import_named(struct import_workflow *w, const char *name,
    struct import_attestation **first)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->att[i].name, name) == 0 && n++ == 0)
			*first = &w->att[i];
	return n;
}
