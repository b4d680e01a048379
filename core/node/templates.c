/* Parsed templates: see templates.h.  One that is in use is not replaced; if all
 * places are in use, the template is parsed for this use only. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/template_parse.h"
#include "../store/definitions.h"
#include "../store/objects.h"
#include "templates.h"
#include "vault_i.h"

static enum tf_code
parse(struct tf_db *db, const struct tf_definition_row *row,
    struct tf_kept_template **out, struct tf_error *err)
{
	struct tf_kept_template *k = calloc(1, sizeof(*k));
	struct tf_object_row o;
	struct tf_buf text = { 0 };
	struct tf_hash h;
	enum tf_code rc;

	if (k == NULL)
		return tf_nomem(err);
	rc = tf_object_get(db, row->object, &o, &text, err);
	if (rc == TF_OK) {
		tf_sha256(tf_buf_bytes(&text).p, text.n, &h);
		if (memcmp(&h, &o.sha256, sizeof(h)) != 0)
			rc = TF_NOTFOUND;
	}
	if (rc == TF_OK)
		rc = tf_template_parse(&k->t, text.p, text.n, err);
	if (rc == TF_NOTFOUND || rc == TF_INVALID)
		rc = tf_fail(err, TF_TAMPER,
		    "template %llu of the trail was altered in the store",
		    (unsigned long long)row->version);
	tf_buf_free(&text);
	if (rc != TF_OK) {
		free(k);
		return rc;
	}
	k->trail = row->node;
	k->version = row->version;
	k->refs = 1;
	*out = k;
	return TF_OK;
}

static void
free_template(struct tf_kept_template *k)
{
	if (k == NULL)
		return;
	tf_template_free(&k->t);
	free(k);
}

/* mu is held. */
static struct tf_kept_template *
find(struct tf_vault *v, const struct tf_definition_row *row)
{
	struct tf_kept_template *k;

	for (size_t i = 0; i < TF_TEMPLATES_KEPT; i++) {
		k = v->templates[i];
		if (k == NULL || k->trail != row->node ||
		    k->version != row->version)
			continue;
		k->refs++;
		k->used = ++v->template_uses;
		return k;
	}
	return NULL;
}

/* Put k in the place that was used least recently.  Returns what was there and
 * is to be freed.  mu is held. */
static struct tf_kept_template *
keep(struct tf_vault *v, struct tf_kept_template *k)
{
	struct tf_kept_template **at = NULL, *old;

	for (size_t i = 0; i < TF_TEMPLATES_KEPT; i++) {
		old = v->templates[i];
		if (old == NULL || old->refs == 1)
			if (at == NULL ||
			    (*at != NULL &&
				(old == NULL || old->used < (*at)->used)))
				at = &v->templates[i];
	}
	if (at == NULL)
		return NULL;
	old = *at;
	*at = k;
	k->refs++; /* of the list */
	k->used = ++v->template_uses;
	return old; /* nobody but the list had it */
}

enum tf_code
tf_template_hold(struct tf_vault *v, struct tf_db *db,
    const struct tf_definition_row *row, struct tf_kept_template **out,
    struct tf_error *err)
{
	struct tf_kept_template *old = NULL;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	*out = find(v, row);
	pthread_mutex_unlock(&v->mu);
	if (*out != NULL)
		return TF_OK;
	if ((rc = parse(db, row, out, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	old = keep(v, *out);
	pthread_mutex_unlock(&v->mu);
	free_template(old);
	return TF_OK;
}

void
tf_template_let_go(struct tf_vault *v, struct tf_kept_template *k)
{
	unsigned left;

	if (k == NULL)
		return;
	pthread_mutex_lock(&v->mu);
	left = --k->refs;
	pthread_mutex_unlock(&v->mu);
	if (left == 0)
		free_template(k);
}

void
tf_templates_free(struct tf_vault *v)
{
	for (size_t i = 0; i < TF_TEMPLATES_KEPT; i++)
		free_template(v->templates[i]);
}
