/*
 * Adds the files in which a package describes itself.
 *
 * The texts come from archive/description.h, which the verifier uses too; this
 * file only decides which members a package has and under which names.
 * events.jsonl is not a text: it is in a scratch file of its own, as it may be
 * large, and its digest was taken while it was written.
 */
#include <string.h>

#include "../archive/certificate.h"
#include "../archive/description.h"
#include "../archive/format.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../buffer.h"
#include "../node/vault_i.h"
#include "descriptions.h"
#include "members.h"

/* The attester's key is that of the last opening among the selected entries,
 * which is the one that a verifier finds there. */
enum tf_code
tf_package_add_keys(struct tf_package_maker *k, struct tf_error *err)
{
	struct tf_package_keys keys = { 0 };
	enum tf_code rc = TF_OK;

	if (!tf_package_keys(&k->log_key, tf_buf_bytes(&k->attester), &keys))
		rc = tf_fail(err, TF_TAMPER, "the attester's key is malformed");
	if (rc == TF_OK)
		rc = tf_package_add_buf(k, TF_PACKAGE_NAME(TF_PACKAGE_VKEY),
		    &keys.vkey, err);
	if (rc == TF_OK)
		rc = tf_package_add_buf(k, TF_PACKAGE_NAME(TF_PACKAGE_PEM),
		    &keys.pem, err);
	if (rc == TF_OK)
		rc = tf_package_add_buf(k, TF_PACKAGE_NAME(TF_PACKAGE_ATTESTER),
		    &keys.attester, err);
	tf_package_keys_free(&keys);
	return rc;
}

enum tf_code
tf_package_add_descriptions(struct tf_package_maker *k, struct tf_error *err)
{
	struct tf_buf info = { 0 }, json = { 0 }, complete = { 0 };
	struct tf_buf health = { 0 };
	struct tf_package_member *m;
	enum tf_code rc;

	tf_package_bag_info(&k->f, &info);
	if ((rc = tf_package_add_text(k, TF_PACKAGE_NAME(TF_PACKAGE_BAGIT),
		 tf_package_bagit, strlen(tf_package_bagit), err)) == TF_OK &&
	    (rc = tf_package_add_text(k, TF_PACKAGE_NAME(TF_PACKAGE_README),
		 tf_package_readme, strlen(tf_package_readme), err)) == TF_OK &&
	    (rc = tf_package_add_text(k, TF_PACKAGE_NAME(TF_PACKAGE_SCRIPT),
		 tf_package_script, strlen(tf_package_script), err)) == TF_OK) {
		k->m[k->n - 1].zip.executable = true;
		rc = tf_package_add_text(k,
		    TF_PACKAGE_NAME(TF_PACKAGE_POWERSHELL),
		    tf_package_powershell, strlen(tf_package_powershell), err);
	}
	if (rc == TF_OK)
		rc = tf_package_json(&k->f, &json, err);
	if (rc == TF_OK)
		rc = tf_package_add_buf(k, TF_PACKAGE_NAME(TF_PACKAGE_JSON),
		    &json, err);
	if (rc == TF_OK)
		rc = tf_completeness_json(&k->complete, &k->f, &complete, err);
	if (rc == TF_OK)
		rc = tf_package_add_buf(k,
		    TF_PACKAGE_NAME(TF_PACKAGE_COMPLETENESS), &complete, err);
	if (rc == TF_OK)
		rc = tf_health_end(&k->health, err);
	if (rc == TF_OK)
		rc = tf_health_json(&k->health, &k->p, &health, err);
	if (rc == TF_OK)
		rc = tf_package_add_buf(k, TF_PACKAGE_NAME(TF_PACKAGE_HEALTH),
		    &health, err);
	if (rc == TF_OK)
		rc = tf_package_add_buf(k, TF_PACKAGE_NAME(TF_PACKAGE_INFO),
		    &info, err);
	if (rc == TF_OK)
		rc = tf_package_add_text(k,
		    TF_PACKAGE_NAME(TF_PACKAGE_CHECKPOINT), k->note.p,
		    k->note.n, err);
	if (rc == TF_OK && k->renamed.n > 0)
		rc = tf_package_add_buf(k, TF_PACKAGE_NAME(TF_PACKAGE_NAMES),
		    &k->renamed, err);
	if (rc == TF_OK)
		rc = tf_package_new_member(k,
		    TF_PACKAGE_NAME(TF_PACKAGE_EVENTS), &m, err);
	if (rc == TF_OK) {
		m->from = TF_FROM_EVENTS;
		m->zip.size = k->events.end;
		m->zip.deflate = true;
		tf_sha256_peek(k->events_sha, &m->sha256);
	}
	tf_buf_free(&info);
	tf_buf_free(&json);
	tf_buf_free(&complete);
	tf_buf_free(&health);
	return rc;
}

enum tf_code
tf_package_add_certificate(struct tf_package_maker *k, struct tf_error *err)
{
	struct tf_certificate c = { .facts = &k->f,
		.complete = &k->complete,
		.health = &k->health,
		.manifest = k->m[k->n - 1].sha256 };
	struct tf_package_keys keys = { 0 };
	struct tf_buf b = { 0 };
	enum tf_code rc;

	tf_sha256(k->note.p, k->note.n, &c.checkpoint);
	tf_sha256_peek(k->events_sha, &c.events);
	(void)tf_package_keys(&k->log_key, tf_buf_bytes(&k->attester), &keys);
	c.vkey = tf_buf_bytes(&keys.vkey);
	rc = tf_certificate_write(&c, &b, err);
	if (rc == TF_OK)
		rc = tf_package_add_buf(k,
		    TF_PACKAGE_NAME(TF_PACKAGE_CERTIFICATE), &b, err);
	tf_buf_free(&b);
	tf_package_keys_free(&keys);
	return rc;
}
