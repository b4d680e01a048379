/*
 * A plan, written to a store: see import.h.
 *
 * The store is locked by this process.  Order: the trail, and in it each
 * workflow with its template before and its claims after it, then its
 * attestations, one transaction each, and at the end import.done for each file
 * and trail.  Before each step the store is asked whether it was done already,
 * so a killed import is finished by the same command, and the order of entries
 * is the same.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "claim_dir.h"
#include "core/progress.h"
#include "core/base/array.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "core/definition.h"
#include "core/import.h"
#include "import.h"
#include "interrupt.h"
#include "publish.h"
#include "recorder.h"
#include "report.h"

#define BLOCK 65536
#define DIR_MODE 0750

struct writing {
	struct import_plan *p;
	struct import_result *out;
	struct tf_vault *v;
	struct tf_actor self;
	uint64_t trail;	    /* of the workflow that is written */
	bool trail_is_ours; /* it was imported */
	uint64_t done, of;  /* attestations, for the progress */
};

static struct tf_imported
origin_of(const struct import_origin *o)
{
	return (struct tf_imported){ o->at[0] != '\0' ? o->at : NULL, o->by,
		o->id };
}

/* --- what was imported before -------------------------------------------------- */

/* What the ledger says of a node that was imported. */
struct before {
	bool is;
	bool same; /* its id is that of o */
	bool has_at;
	char at[TF_TIME_LEN + 1];
};

static enum tf_code
read_before(struct writing *x, uint64_t id, const struct import_origin *o,
    struct before *out, struct tf_error *err)
{
	struct tf_buf field = { 0 }, text = { 0 };
	struct tf_json_doc d = { 0 };
	enum tf_code rc = tf_vault_imported(x->v, id, &field, err);
	int t;

	*out = (struct before){ .is = rc == TF_OK };
	if (rc == TF_OK)
		rc = tf_json_parse(&d, field.p, field.n, err);
	if (rc == TF_OK && (t = tf_json_get(&d, 0, "id")) >= 0 &&
	    (rc = tf_json_string(&d, t, &text, err)) == TF_OK)
		out->same = tf_str_same(tf_buf_bytes(&text), tf_str_of(o->id));
	if (rc == TF_OK && (t = tf_json_get(&d, 0, "at")) >= 0 &&
	    (rc = tf_json_string(&d, t, &text, err)) == TF_OK) {
		out->has_at = true;
		(void)snprintf(out->at, sizeof(out->at), "%s", text.p);
	}
	tf_json_doc_free(&d);
	tf_buf_free(&text);
	tf_buf_free(&field);
	return rc == TF_NODATA ? TF_OK : rc;
}

/* --- evidence -------------------------------------------------------------------- */

static enum tf_code
add_evidence(struct evidence *e, const struct import_member *m,
    struct tf_error *err)
{
	if (!tf_array_room(&e->v, e->n, &e->cap, sizeof(*e->v)) ||
	    (e->v[e->n].name = strdup(m->name)) == NULL)
		return tf_nomem(err);
	e->v[e->n].size = m->size;
	e->v[e->n++].sha256 = m->sha256;
	return TF_OK;
}

/* The list of evidence that the attestation has, or will have. */
static enum tf_code
list_evidence(const struct import_attestation *a, struct evidence *e,
    struct tf_error *err)
{
	enum tf_code rc = a->record.n == 0 ?
	    TF_OK :
	    evidence_add(e, IMPORT_RECORD, a->record.p, a->record.n, err);

	for (size_t i = 0; rc == TF_OK && i < a->n; i++)
		rc = add_evidence(e, &a->member[i], err);
	return rc;
}

/* Copy size bytes of fd from m->off, and compare their digest. */
static enum tf_code
copy(struct recorder *r, int fd, const struct import_member *m,
    struct tf_error *err)
{
	struct tf_sha256 *sha = tf_sha256_new();
	char *block = malloc(BLOCK);
	struct tf_hash is = { .b = { 0 } };
	uint64_t done = 0;
	ssize_t n = 1;
	enum tf_code rc = sha == NULL || block == NULL ? tf_nomem(err) : TF_OK;

	while (rc == TF_OK && done < m->size && n > 0) {
		size_t some = m->size - done < BLOCK ? m->size - done : BLOCK;

		n = pread(fd, block, some, (off_t)(m->off + done));
		if (n < 0)
			rc = report_system(err, "%s", m->name);
		else if (n > 0)
			rc = recorder_write(r, block, (size_t)n, err);
		if (rc == TF_OK && n > 0) {
			tf_sha256_add(sha, block, (size_t)n);
			done += (uint64_t)n;
		}
	}
	if (rc == TF_OK)
		tf_sha256_peek(sha, &is);
	if (rc == TF_OK && memcmp(&is, &m->sha256, sizeof(is)) != 0)
		rc = tf_fail(err, TF_INVALID, "%.60s changed while it was read",
		    m->name);
	tf_sha256_free(sha);
	free(block);
	return rc;
}

static enum tf_code
put_member(const struct writing *x, struct recorder *r,
    const struct import_member *m, struct tf_error *err)
{
	const char *path = x->p->file[m->file].path;
	int fd = m->spooled ? x->p->spool : open(path, O_RDONLY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return report_system(err, "%s", path);
	rc = recorder_create(r, m->name, 0666, err);
	if (rc == TF_OK)
		rc = copy(r, fd, m, err);
	if (rc == TF_OK)
		rc = recorder_end(r, err);
	if (!m->spooled)
		(void)close(fd); /* read-only */
	return rc;
}

static enum tf_code
put_record(struct recorder *r, const struct tf_buf *record,
    struct tf_error *err)
{
	enum tf_code rc;

	if (record->n == 0)
		return TF_OK;
	rc = recorder_create(r, IMPORT_RECORD, 0666, err);
	if (rc == TF_OK)
		rc = recorder_write(r, record->p, record->n, err);
	return rc == TF_OK ? recorder_end(r, err) : rc;
}

/* --- an attestation ---------------------------------------------------------------- */

/* The same name for the same record: so what a killed import left is found. */
static void
draft_name(const struct import_attestation *a, char out[32])
{
	struct tf_hash h;
	char hex[65];

	tf_sha256(a->from.id, strlen(a->from.id), &h);
	tf_hex(h.b, 32, hex);
	(void)snprintf(out, 32, RECORDER_IMPORT "%.16s", hex);
}

/* Fill a draft and publish it under a name that is free. */
static enum tf_code
record(struct writing *x, struct recorder *r,
    const struct import_attestation *a, const char *name, struct tf_error *err)
{
	struct tf_imported from = origin_of(&a->from);
	char draft[32];
	enum tf_code rc;

	draft_name(a, draft);
	r->imported = &from;
	rc = recorder_begin_as(r, draft, err);
	if (rc == TF_OK)
		rc = put_record(r, &a->record, err);
	for (size_t i = 0; rc == TF_OK && i < a->n; i++) {
		rc = interrupt_check(err);
		if (rc == TF_OK)
			rc = put_member(x, r, &a->member[i], err);
	}
	if (rc == TF_OK)
		rc = publish_claims(r, &a->claims, err);
	if (rc == TF_OK)
		rc = recorder_publish(r, name, err);
	if (rc == TF_OK) {
		x->out->attestations++;
		x->out->files += a->n + (a->record.n > 0);
	}
	recorder_drop(r);
	r->imported = NULL;
	return rc;
}

/* The name is taken.  *found: by this record.  A newer record must not become
 * the older version: the highest version decides. */
static enum tf_code
compare(struct writing *x, struct recorder *r,
    const struct import_attestation *a, const char *name, bool *found,
    struct tf_error *err)
{
	struct evidence e = { 0 };
	struct before b;
	struct tf_attr attr;
	enum tf_code rc = tf_vault_lookup(x->v, r->wf_id, name, &attr, err);

	if (rc == TF_OK)
		rc = read_before(x, attr.id, &a->from, &b, err);
	if (rc != TF_OK)
		return rc;
	if (!b.is)
		return tf_fail(err, TF_EXISTS,
		    "%.60s is there already, and was not imported", name);
	if (!b.same)
		return b.has_at && a->from.at[0] != '\0' &&
			strcmp(b.at, a->from.at) > 0 ?
		    tf_fail(err, TF_EXISTS,
			"%.60s, which is newer, was imported before", name) :
		    TF_OK;
	if ((rc = list_evidence(a, &e, err)) == TF_OK)
		rc = publish_compare(r, name, &e, &a->claims, found, err);
	if (rc == TF_OK && !*found)
		rc = tf_fail(err, TF_EXISTS,
		    "%.60s was imported before, from another record or with "
		    "other evidence",
		    name);
	evidence_free(&e);
	return rc;
}

/* Find the record among the versions of its name, or make the next version. */
static enum tf_code
write_attestation(struct writing *x, struct recorder *r,
    const struct import_attestation *a, struct tf_error *err)
{
	char name[300], state[16];
	bool found = false;
	enum tf_code rc;

	for (unsigned n = 1;; n++) {
		if (n == 1)
			(void)snprintf(name, sizeof(name), "%s", a->name);
		else
			(void)snprintf(name, sizeof(name), "%s@%u", a->name, n);
		rc = recorder_state(r, name, state, err);
		if (rc != TF_OK || state[0] == '\0')
			break;
		rc = compare(x, r, a, name, &found, err);
		if (rc != TF_OK || found)
			break;
	}
	x->out->found += found;
	return rc != TF_OK || found ? rc : record(x, r, a, name, err);
}

static enum tf_code
write_attestations(struct writing *x, const struct import_workflow *w,
    uint64_t id, struct tf_error *err)
{
	struct recorder r = { .fd = -1,
		.ops = &recorder_store,
		.v = x->v,
		.self = &x->self,
		.wf_id = id };
	struct tf_error why;
	enum tf_code rc = TF_OK;

	if (asprintf(&r.wf, "%s/%s", w->flow, w->name) < 0)
		return tf_nomem(err);
	for (size_t i = 0; rc == TF_OK && i < w->n; i++) {
		rc = interrupt_check(err);
		if (rc != TF_OK)
			break;
		tf_progress(x->done++, x->of);
		why = (struct tf_error){ 0 };
		rc = write_attestation(x, &r, &w->att[i], &why);
		if (rc != TF_OK) {
			(void)tf_fail(err, rc, "%.60s: %s", r.wf, why.text);
			err->sys = why.sys;
		}
	}
	free(r.wf);
	return rc;
}

/* --- a workflow --------------------------------------------------------------------- */

/* A trail that was imported follows the templates of its workflows; that of
 * another one is its owner's. */
static enum tf_code
set_template(struct writing *x, const struct import_workflow *w,
    struct tf_error *err)
{
	struct tf_buf now = { 0 };
	struct tf_definition d;
	uint64_t version;
	enum tf_code rc;

	if (w->template.n == 0)
		return TF_OK;
	if (x->trail_is_ours)
		return tf_vault_define(x->v, x->trail, TF_DEFINITION_TEMPLATE,
		    "", w->template.p, w->template.n, &x->self, &version, err);
	rc = tf_vault_definition(x->v, x->trail, TF_DEFINITION_TEMPLATE, "", 0,
	    &now, &d, err);
	if (rc == TF_NOTFOUND)
		rc = TF_OK;
	if (rc == TF_OK &&
	    (now.n != w->template.n ||
		memcmp(now.p, w->template.p, now.n) != 0))
		report_note("%s/%s is judged by the template of %s here, which "
			    "is another than at Kosli",
		    w->flow, w->name, w->flow);
	tf_buf_free(&now);
	return rc;
}

static enum tf_code
make_workflow(struct writing *x, const struct import_workflow *w,
    struct tf_attr *a, struct tf_error *err)
{
	const struct tf_imported from = origin_of(&w->from);
	enum tf_code rc = set_template(x, w, err);

	if (rc == TF_OK)
		rc = tf_vault_import_mkdir(x->v, x->trail, w->name, DIR_MODE,
		    &from, &x->self, a, err);
	x->out->workflows += rc == TF_OK;
	return rc;
}

/* Is the workflow that is there the one of the plan? */
static enum tf_code
check_workflow(struct writing *x, const struct import_workflow *w, uint64_t id,
    struct tf_error *err)
{
	struct before b;
	enum tf_code rc = read_before(x, id, &w->from, &b, err);

	if (rc != TF_OK)
		return rc;
	if (!b.is)
		return tf_fail(err, TF_EXISTS,
		    "%.60s/%.60s is there already, and was not imported",
		    w->flow, w->name);
	if (!b.same ||
	    (b.has_at && w->from.at[0] != '\0' &&
		strcmp(b.at, w->from.at) != 0))
		return tf_fail(err, TF_EXISTS,
		    "%.60s/%.60s was imported before, from another trail of "
		    "that name",
		    w->flow, w->name);
	return TF_OK;
}

static enum tf_code
write_workflow(struct writing *x, const struct import_workflow *w,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	struct tf_attr a;
	bool changed;
	enum tf_code rc = tf_vault_lookup(x->v, x->trail, w->name, &a, err);

	if (rc == TF_NOTFOUND)
		rc = make_workflow(x, w, &a, err);
	else if (rc == TF_OK)
		rc = check_workflow(x, w, a.id, err);
	if (rc == TF_OK &&
	    (rc = claim_dir_stored(x->v, a.id, &w->claims, &changed, &why)) !=
		TF_OK)
		rc = tf_fail(err, rc, "%.60s/%.60s: %s", w->flow, w->name,
		    why.text);
	return rc == TF_OK ? write_attestations(x, w, a.id, err) : rc;
}

/* --- a trail ----------------------------------------------------------------------- */

static enum tf_code
open_trail(struct writing *x, const char *flow, struct tf_error *err)
{
	const struct import_origin o = { .id = (char *)flow };
	const struct tf_imported from = origin_of(&o);
	struct before b = { .is = false };
	struct tf_attr a;
	enum tf_code rc = tf_vault_lookup(x->v, TF_ROOT_ID, flow, &a, err);

	if (rc == TF_NOTFOUND)
		rc = tf_vault_import_mkdir(x->v, TF_ROOT_ID, flow, DIR_MODE,
		    &from, &x->self, &a, err);
	if (rc == TF_OK)
		rc = read_before(x, a.id, &o, &b, err);
	if (rc != TF_OK)
		return rc;
	x->trail = a.id;
	x->trail_is_ours = b.is;
	return TF_OK;
}

/* The entries with `imported` that file i gave to this workflow. */
static uint64_t
count_entries(const struct import_workflow *w, size_t i)
{
	uint64_t n = w->described && w->file == i;

	for (size_t k = 0; k < w->n; k++) {
		const struct import_attestation *a = &w->att[k];

		if (a->file == i)
			n += 2 + (a->record.n > 0);
		for (size_t m = 0; m < a->n; m++)
			n += a->member[m].file == i;
	}
	return n;
}

static enum tf_code
finish_trail(struct writing *x, const char *flow, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < x->p->n_files; i++) {
		const struct import_file *f = &x->p->file[i];
		const struct tf_import_source from = { "kosli", f->sha256,
			f->size };
		uint64_t count = 0;
		bool already;

		for (size_t k = 0; k < x->p->n; k++)
			if (strcmp(x->p->wf[k].flow, flow) == 0)
				count += count_entries(&x->p->wf[k], i);
		if (count == 0)
			continue;
		rc = tf_vault_import_done(x->v, x->trail, &from, count,
		    &x->self, &already, err);
		x->out->completed = x->out->completed || !already;
	}
	return rc;
}

/* Trail by trail: the workflows of one may stand anywhere in the plan. */
static enum tf_code
write_all(struct writing *x, struct tf_error *err)
{
	struct import_plan *p = x->p;
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < p->n; i++) {
		const char *flow = p->wf[i].flow;
		size_t first = 0;

		while (strcmp(p->wf[first].flow, flow) != 0)
			first++;
		if (first < i)
			continue;
		rc = open_trail(x, flow, err);
		for (size_t k = i; rc == TF_OK && k < p->n; k++)
			if (strcmp(p->wf[k].flow, flow) == 0)
				rc = write_workflow(x, &p->wf[k], err);
		if (rc == TF_OK)
			rc = finish_trail(x, flow, err);
	}
	return rc;
}

enum tf_code
import_write(struct import_plan *p, const char *store,
    struct import_result *out, struct tf_error *err)
{
	struct writing x = { .p = p, .out = out };
	struct where w = { 0 };
	enum tf_code rc = where_find(store, &w, err);

	*out = (struct import_result){ 0 };
	actor_self(&x.self);
	for (size_t i = 0; i < p->n; i++)
		x.of += p->wf[i].n;
	if (rc == TF_OK && w.mount != NULL)
		rc = tf_fail(err, TF_USAGE,
		    "an import writes to the store itself: unmount %.60s, and "
		    "name its store",
		    w.mount);
	if (rc == TF_OK && (rc = where_open(&w, true, &x.v, err)) == TF_OK) {
		rc = write_all(&x, err);
		rc = where_done(x.v, rc, err);
	}
	where_free(&w);
	return rc;
}
