/* Rules of templates at mkdir: see template_rule.h.  The template of a workflow
 * never changes, so the answer stays true in the transaction. */
#include <string.h>

#include "../base/bytes.h"
#include "../definition.h"
#include "../ledger/entry.h"
#include "../ledger/name.h"
#include "../ledger/template_parse.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/templates.h"
#include "../node/vault_i.h"
#include "../node/workflow_template.h"
#include "../store/definitions.h"
#include "template_rule.h"

/*
 * Decide by slot and strictness.  Pure but for the look-up of user and group
 * names, which is the same that the entry uses.
 */
static enum tf_code
judge(const struct tf_template *t, const char *name, const struct tf_actor *who,
    struct tf_error *err)
{
	const struct tf_slot *slot = tf_template_slot(t, name, strlen(name));
	struct tf_access_names names;
	struct tf_access a = { 0 };
	struct tf_reporter r = { .uid = who->uid, .gid = who->gid };

	if (slot == NULL)
		return t->strict ?
		    tf_fail(err, TF_DENIED,
			"the template of this workflow has no %.60s", name) :
		    TF_OK;
	/* The names as the entry will have them, by which it is judged. */
	tf_access_fill(&a, 0, who->uid, who->gid, &names);
	r.user = a.user;
	r.group = a.group;
	if (tf_slot_allows(slot, &r))
		return TF_OK;
	return tf_fail(err, TF_DENIED,
	    "the template of this workflow lets only others report %.60s",
	    name);
}

enum tf_code
tf_template_permits(struct tf_vault *v, uint64_t workflow, const char *name,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_kept_template *k = NULL;
	struct tf_definition_row row;
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_workflow_template(db, workflow, &row, err);
	if (rc == TF_OK && row.version > 0)
		rc = tf_template_hold(v, db, &row, &k, err);
	tf_reader_done(v, db);
	if (rc == TF_OK && k != NULL)
		rc = judge(&k->t, name, who, err);
	tf_template_let_go(v, k);
	return rc;
}

enum tf_code
tf_definition_permits(const void *bytes, size_t n, const char *name,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_template t;
	enum tf_code rc = tf_name_check(TF_KIND_ATTESTATION, name, strlen(name),
	    err);

	if (rc != TF_OK || n == 0)
		return rc;
	if ((rc = tf_template_parse(&t, bytes, n, err)) != TF_OK)
		return rc;
	rc = judge(&t, name, who, err);
	tf_template_free(&t);
	return rc;
}

enum tf_code
tf_definition_rule(const void *bytes, size_t n, const char *name,
    const char *claimed, enum tf_rule *rule, struct tf_buf *type,
    struct tf_error *err)
{
	const struct tf_slot *slot = NULL;
	struct tf_template t = { 0 };
	struct tf_str of = { 0 };
	enum tf_code rc = n > 0 ? tf_template_parse(&t, bytes, n, err) : TF_OK;

	*rule = TF_RULE_NONE;
	if (rc != TF_OK)
		return rc;
	slot = tf_template_slot(&t, name, strlen(name));
	if (claimed != NULL)
		*rule = tf_type_rule(tf_str_of(claimed), &of);
	else if (slot != NULL)
		*rule = tf_type_rule(slot->type, &of);
	tf_buf_add(type, of.p, of.n);
	tf_template_free(&t);
	return tf_buf_end(type, err);
}
