/* Judgement at the seal: see evaluate.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/member.h"
#include "../crypt/format.h"
#include "../definition.h"
#include "../evaluation.h"
#include "../ledger/claims.h"
#include "../ledger/statement.h"
#include "../node/base.h"
#include "../node/children.h"
#include "../node/evidence.h"
#include "../node/pending.h"
#include "../node/templates.h"
#include "../node/vault_i.h"
#include "../node/workflow_template.h"
#include "../store/claims.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "evaluate.h"
#include "seal_prepare.h"

void
tf_evaluated_free(struct tf_evaluated *e)
{
	tf_buf_free(&e->field);
	tf_buf_free(&e->report);
	*e = (struct tf_evaluated){ 0 };
}

#define LONG_JSON ((uint64_t)1 << 20) /* bytes */
#define LINE_LEN (sizeof(TF_AGE_VERSION_LINE) - 1)

/* --- by what --------------------------------------------------------------- */

enum by { BY_NOTHING, BY_JUNIT, BY_TYPE, BY_NO_TYPE, BY_NO_TEMPLATE };

struct rule {
	enum by by;
	char name[TF_DEFINITION_NAME_MAX + 1]; /* of the type */
	struct tf_definition_row type;	       /* BY_TYPE */
};

static enum tf_code
find_type(struct tf_db *db, uint64_t trail, struct tf_str type, struct rule *r,
    struct tf_error *err)
{
	struct tf_str name;
	enum tf_rule rule = tf_type_rule(type, &name);
	enum tf_code rc;

	if (rule == TF_RULE_JUNIT)
		r->by = BY_JUNIT;
	if (rule != TF_RULE_TYPE)
		return TF_OK;
	r->by = BY_NO_TYPE; /* until it is found */
	if (name.n > TF_DEFINITION_NAME_MAX)
		return TF_OK;
	memcpy(r->name, name.p, name.n);
	r->name[name.n] = '\0';
	r->type = (struct tf_definition_row){ .node = trail,
		.kind = TF_DEFINITION_TYPE,
		.name = { r->name, name.n } };
	if ((rc = tf_definitions_get(db, &r->type, err)) == TF_OK)
		r->by = BY_TYPE;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* By the type of the slot that the attestation has in the template. */
static enum tf_code
rule_of_slot(struct tf_vault *v, struct tf_db *db,
    const struct tf_node_row *att, const struct tf_definition_row *template,
    struct rule *r, struct tf_error *err)
{
	struct tf_kept_template *k = NULL;
	const struct tf_slot *slot;
	struct tf_error e;
	enum tf_code rc;

	if (template->version == 0)
		return TF_OK;
	rc = tf_template_hold(v, db, template, &k, &e);
	if (rc == TF_TAMPER) {
		r->by = BY_NO_TEMPLATE;
		return TF_OK;
	}
	if (rc != TF_OK)
		return tf_fail_as(err, &e);
	slot = tf_template_slot(&k->t, att->name, att->name_len);
	if (slot != NULL)
		rc = find_type(db, template->node, slot->type, r, err);
	tf_template_let_go(v, k);
	return rc;
}

static enum tf_code
find_rule(struct tf_vault *v, struct tf_db *db, const struct tf_node_row *att,
    const struct tf_definition_row *template, const struct tf_claim_row *claims,
    struct rule *r, struct tf_error *err)
{
	struct tf_buf type = { 0 };
	enum tf_code rc;

	*r = (struct rule){ .by = BY_NOTHING };
	rc = tf_claims_value((struct tf_str){ claims->claims.p,
				 claims->claims.n },
	    "type", &type, err);
	if (rc == TF_OK)
		rc = find_type(db, template->node, tf_buf_bytes(&type), r, err);
	else if (rc == TF_NODATA)
		rc = rule_of_slot(v, db, att, template, r, err);
	tf_buf_free(&type);
	return rc;
}

enum tf_code
tf_seal_is_evaluated(struct tf_vault *v, struct tf_db *db,
    const struct tf_node_row *att, const struct tf_definition_row *template,
    const struct tf_claim_row *claims, bool *yes, struct tf_error *err)
{
	struct rule r;
	enum tf_code rc = find_rule(v, db, att, template, claims, &r, err);

	*yes = rc == TF_OK && r.by != BY_NOTHING;
	return rc;
}

struct question {
	struct tf_vault *v;
	struct tf_db *db;
	struct tf_definition_row template; /* of the workflow */
	bool yes;
};

static enum tf_code
ask(void *arg, const struct tf_node_row *att, struct tf_error *err)
{
	struct question *q = arg;
	struct tf_claim_row claims = { 0 };
	enum tf_code rc;

	if (att->seal != TF_NO_SEQ || q->yes)
		return TF_OK;
	rc = tf_claims_get(q->db, att->attr.id, &claims, err);
	if (rc == TF_OK)
		rc = tf_seal_is_evaluated(q->v, q->db, att, &q->template,
		    &claims, &q->yes, err);
	tf_claim_row_free(&claims);
	return rc;
}

enum tf_code
tf_seal_will_evaluate(struct tf_vault *v, struct tf_db *db,
    const struct tf_attr *dir, bool *yes, struct tf_error *err)
{
	struct question q = { .v = v, .db = db };
	struct tf_node_row row;
	enum tf_code rc = TF_OK;

	*yes = false;
	if (dir->kind == TF_KIND_TRAIL)
		return TF_OK; /* its workflows stay open */
	rc = tf_workflow_template(db,
	    dir->kind == TF_KIND_WORKFLOW ? dir->id : dir->parent, &q.template,
	    err);
	if (rc != TF_OK)
		return rc;
	if (dir->kind == TF_KIND_WORKFLOW) {
		rc = tf_each_child(db, dir->id, ask, &q, err);
	} else {
		rc = tf_nodes_get(db, dir->id, &row, err);
		if (rc == TF_OK)
			rc = ask(&q, &row, err);
	}
	*yes = q.yes;
	return rc;
}

/* --- the evidence ---------------------------------------------------------- */

/* The files of the attestation, in the order of their paths. */
struct reading {
	struct tf_vault *v;
	struct tf_db *db;
	const struct tf_evidence *ev;
	const struct tf_seal_file **files; /* as ev, or NULL: all are sealed */
	size_t at;			   /* of the next file */
	bool failed;			   /* the database did */
	bool encrypted;			   /* the last file that was read is */
};

static enum tf_code
next_file(void *arg, struct tf_judged_file *f, bool *found,
    struct tf_error *err)
{
	struct reading *r = arg;

	(void)err;
	*found = r->at < r->ev->n;
	if (*found) {
		f->path = r->ev->f[r->at].name;
		f->size = r->ev->f[r->at].size;
		f->sha256 = &r->ev->f[r->at].sha256;
		r->at++;
	}
	return TF_OK;
}

/* Pass the bytes of a file to sink, and take its digest. */
static enum tf_code
pass_file(struct tf_vault *v, int fd, const struct tf_sink *sink,
    struct tf_sha256 *h, struct tf_error *err)
{
	char piece[65536];
	enum tf_code rc = TF_OK;
	ssize_t n;

	while (rc == TF_OK && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0)
			return tf_fail(err, TF_IO, "read object");
		if (tf_vault_must_stop(v))
			return tf_fail(err, TF_INTERRUPTED, "interrupted");
		tf_sha256_add(h, piece, (size_t)n);
		rc = sink->put(sink->arg, piece, (size_t)n, err);
	}
	return rc;
}

/* Note if the database failed: that says nothing about the evidence, as a
 * missing or damaged object does, so the seal fails and is tried again. */
static void
note_failure(struct reading *r, enum tf_code rc)
{
	r->failed = r->failed ||
	    (rc != TF_OK && rc != TF_NOTFOUND && rc != TF_TAMPER);
}

static enum tf_code
get_object(struct reading *r, uint64_t id, struct tf_object_row *o,
    struct tf_buf *body, struct tf_error *err)
{
	enum tf_code rc = tf_object_get(r->db, id, o, body, err);

	note_failure(r, rc);
	return rc;
}

/* The row of the object: a pending file has its own until its seal. */
static enum tf_code
find_object(struct reading *r, size_t i, uint64_t *object, struct tf_error *err)
{
	enum tf_code rc;

	if (r->files == NULL) {
		rc = tf_object_find(r->db, &r->ev->f[i].sha256, object, err);
		note_failure(r, rc);
		return rc;
	}
	*object = r->files[i]->l->attr.id;
	return TF_OK;
}

static enum tf_code
pass_object(struct reading *r, size_t i, const struct tf_sink *sink,
    struct tf_sha256 *h, struct tf_error *err)
{
	struct tf_object_row o = { .is_inline = false };
	struct tf_buf body = { 0 };
	uint64_t object;
	enum tf_code rc = find_object(r, i, &object, err);
	int fd;

	if (r->files != NULL && r->files[i]->encrypted != NULL) {
		r->encrypted = true;
		return tf_fail(err, TF_INVALID, "the evidence is encrypted");
	}
	if (rc == TF_OK)
		rc = get_object(r, object, &o, &body, err);
	if (rc == TF_OK && o.is_inline) {
		tf_sha256_add(h, tf_buf_bytes(&body).p, body.n);
		rc = sink->put(sink->arg, tf_buf_bytes(&body).p, body.n, err);
	} else if (rc == TF_OK || rc == TF_NOTFOUND) {
		/* A long pending file is linked already, without a row. */
		rc = tf_object_open(r->v->objectsfd, &r->ev->f[i].sha256, &fd,
		    err);
		if (rc == TF_OK) {
			rc = pass_file(r->v, fd, sink, h, err);
			(void)close(fd);
		}
	}
	tf_buf_free(&body);
	return rc;
}

/*
 * Passes on what is not an age file.  Who cannot read the evidence cannot judge
 * it, whether its trail or its writer has encrypted it.
 */
struct reading_age {
	const struct tf_sink *to;
	char head[LINE_LEN];
	size_t n; /* bytes of head */
	bool *is;
};

static enum tf_code
put_text(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct reading_age *a = arg;

	for (size_t i = 0; i < n && a->n < LINE_LEN; i++)
		a->head[a->n++] = ((const char *)p)[i];
	if (a->n == LINE_LEN &&
	    memcmp(a->head, TF_AGE_VERSION_LINE, LINE_LEN) == 0) {
		*a->is = true;
		return tf_fail(err, TF_INVALID, "the evidence is encrypted");
	}
	return a->to->put(a->to->arg, p, n, err);
}

/* Read the last file that next_file() gave. */
static enum tf_code
read_file(void *arg, const struct tf_sink *sink, struct tf_error *err)
{
	struct reading *r = arg;
	struct reading_age age = { .to = sink, .is = &r->encrypted };
	const struct tf_sink text = { put_text, &age };
	size_t i = r->at - 1;
	struct tf_sha256 *h;
	struct tf_hash got;
	enum tf_code rc;

	if (r->ev->f[i].size == 0)
		return TF_OK; /* a placeholder has no object yet */
	if (tf_vault_must_stop(r->v))
		return tf_fail(err, TF_INTERRUPTED, "interrupted");
	if ((h = tf_sha256_new()) == NULL)
		return tf_nomem(err);
	rc = pass_object(r, i, &text, h, err);
	tf_sha256_peek(h, &got);
	tf_sha256_free(h);
	if (rc == TF_OK && memcmp(&got, &r->ev->f[i].sha256, sizeof(got)) != 0)
		rc = tf_fail(err, TF_TAMPER, "the evidence was altered");
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	const struct tf_seal_file *const *x = a, *const *y = b;

	return tf_str_cmp(tf_buf_bytes(&(*x)->path), tf_buf_bytes(&(*y)->path));
}

/* Sort the prepared files as the evidence is. */
static enum tf_code
sort_files(struct reading *r, const struct tf_seal_file *files, size_t n,
    struct tf_error *err)
{
	if (n == 0)
		return TF_OK;
	if ((r->files = calloc(n, sizeof(struct tf_seal_file *))) == NULL)
		return tf_nomem(err);
	for (size_t i = 0; i < n; i++)
		r->files[i] = &files[i];
	qsort(r->files, n, sizeof(struct tf_seal_file *), by_path);
	return TF_OK;
}

/* --- the judgement --------------------------------------------------------- */

/* True if the machine lacked something, so that another try may succeed. */
static bool
may_succeed_later(enum tf_code rc)
{
	return rc == TF_NOMEM || rc == TF_TOOMANY || rc == TF_INTERRUPTED;
}

static enum tf_code
load_type(struct reading *files, const struct rule *r, struct tf_type **out,
    struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_buf text = { 0 };
	struct tf_hash h;
	enum tf_code rc = get_object(files, r->type.object, &o, &text, err);

	if (rc == TF_OK) {
		tf_sha256(tf_buf_bytes(&text).p, text.n, &h);
		if (memcmp(&h, &o.sha256, sizeof(h)) != 0)
			rc = tf_fail(err, TF_TAMPER, "the type was altered");
	}
	if (rc == TF_OK)
		rc = tf_type_parse(text.p, text.n, out, err);
	tf_buf_free(&text);
	return rc;
}

/* The size of the file that type t judges, or 0. */
static uint64_t
judged_size(const struct tf_type *t, const struct tf_evidence *ev)
{
	for (size_t i = 0; i < ev->n; i++)
		if (tf_str_same(ev->f[i].name, tf_type_evidence(t)))
			return ev->f[i].size;
	return 0;
}

/*
 * Judge by a type.  The values of a long file of JSON take about 70 MiB, so
 * such files are judged one after the other.
 */
static enum tf_code
judge_by_type(struct tf_vault *v, const struct tf_type *t,
    const struct tf_judged_files *how, const struct tf_evidence *ev,
    struct tf_evaluation *out, struct tf_error *err)
{
	bool is_long = judged_size(t, ev) > LONG_JSON;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	while (rc == TF_OK && is_long && v->judging_long)
		rc = tf_vault_wait_long(v, err);
	if (rc == TF_OK && is_long)
		v->judging_long = true;
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK)
		return rc;
	rc = tf_evaluate(t, how, out, err);
	if (is_long) {
		pthread_mutex_lock(&v->mu);
		v->judging_long = false;
		pthread_cond_broadcast(&v->changed);
		pthread_mutex_unlock(&v->mu);
	}
	return rc;
}

static enum tf_code
judge(const struct rule *r, struct reading *files, struct tf_evaluation *out,
    struct tf_error *err)
{
	const struct tf_judged_files how = { next_file, read_file, files };
	struct tf_type *type = NULL;
	struct tf_error e;
	enum tf_code rc = TF_OK;

	if (r->by == BY_NO_TYPE)
		return tf_evaluate_refused(false, TF_TYPE_UNDEFINED, out, err);
	if (r->by == BY_NO_TEMPLATE)
		return tf_evaluate_refused(false,
		    "the template of the workflow cannot be read", out, err);
	if (r->by == BY_TYPE)
		rc = load_type(files, r, &type, &e);
	if (rc != TF_OK && !files->failed && !may_succeed_later(rc))
		return tf_evaluate_refused(false, "the type cannot be read",
		    out, err);
	if (rc == TF_OK && type != NULL)
		rc = judge_by_type(files->v, type, &how, files->ev, out, &e);
	else if (rc == TF_OK)
		rc = tf_evaluate(NULL, &how, out, &e);
	tf_type_free(type);
	if (rc == TF_OK)
		return TF_OK;
	tf_evaluation_free(out);
	if (files->failed || may_succeed_later(rc))
		return tf_fail_as(err, &e);
	return tf_evaluate_refused(r->by == BY_JUNIT,
	    files->encrypted ? "the evidence is encrypted" :
			       "the evidence cannot be read",
	    out, err);
}

enum tf_code
tf_seal_evaluate(struct tf_vault *v, struct tf_db *db,
    const struct tf_node_row *att, const struct tf_definition_row *template,
    const struct tf_claim_row *claims, const struct tf_evidence *ev,
    const struct tf_seal_file *files, size_t n, struct tf_evaluated *out,
    struct tf_error *err)
{
	struct reading reading = { .v = v, .db = db, .ev = ev };
	struct tf_evaluation e = { 0 };
	struct rule r;
	enum tf_code rc = find_rule(v, db, att, template, claims, &r, err);

	if (rc != TF_OK || r.by == BY_NOTHING)
		return rc;
	tf_vault_slow(v);
	if ((rc = sort_files(&reading, files, n, err)) == TF_OK)
		rc = judge(&r, &reading, &e, err);
	free(reading.files);
	if (rc == TF_OK)
		rc = tf_evaluation_field(&e, r.by == BY_TYPE ? r.name : NULL,
		    r.type.version, &out->field, &out->sha256, err);
	if (rc == TF_OK) {
		out->report = e.report;
		e.report = (struct tf_buf){ 0 };
	}
	tf_evaluation_free(&e);
	return rc;
}
