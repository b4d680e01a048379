/*
 * Importing: the field `imported` and the entry import.done.
 *
 * There is one way to make a name and one to publish a draft, with or without
 * `imported`: namespace.c, rename.c.  This file makes the text of the field,
 * once for all entries of a record, and says which names may have it.
 */
#include "../import.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_scan.h"
#include "../ledger/name.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/clear_text.h"
#include "../node/load_entry.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "namespace.h"

#define CLAIM_MAX 512 /* bytes of JSON between the quotes */

/* --- the field ------------------------------------------------------------ */

/* Write one claim; NULL: none. */
static enum tf_code
put_claim(struct tf_json *j, const char *key, const char *text,
    struct tf_error *err)
{
	size_t before = j->out->n, around = strlen(key) + strlen("\"\":\"\"");

	if (text == NULL)
		return TF_OK;
	if (*text == '\0')
		return tf_fail(err, TF_INVALID, "\"%s\" is empty", key);
	tf_put_cstr(j, key, text);
	if (j->out->n > before && j->out->p[before] == ',')
		around++;
	if (j->out->n - before > CLAIM_MAX + around)
		return tf_fail(err, TF_TOOBIG,
		    "\"%s\" of what is imported has more than %d bytes", key,
		    CLAIM_MAX);
	return TF_OK;
}

/* Append the field to out, with a NUL after it. */
static enum tf_code
make_field(const struct tf_imported *from, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_time at;
	struct tf_json j;
	enum tf_code rc;

	if (from->at != NULL && !tf_time_parse(from->at, strlen(from->at), &at))
		return tf_fail(err, TF_INVALID,
		    "the time of what is imported is no time");
	if (from->at == NULL && from->by == NULL && from->id == NULL)
		return tf_fail(err, TF_INVALID,
		    "nothing says where it comes from");
	tf_json_begin(&j, out);
	tf_json_object(&j);
	if ((rc = put_claim(&j, "at", from->at, err)) != TF_OK ||
	    (rc = put_claim(&j, "by", from->by, err)) != TF_OK ||
	    (rc = put_claim(&j, "id", from->id, err)) != TF_OK)
		return rc;
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	if (rc == TF_INVALID)
		rc = tf_fail(err, rc,
		    "author or id of what is imported has characters that an "
		    "entry cannot hold");
	tf_buf_add(out, "", 1);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

enum tf_code
tf_imported_check(const struct tf_imported *from, struct tf_error *err)
{
	struct tf_buf field = { 0 };
	enum tf_code rc = make_field(from, &field, err);

	tf_buf_free(&field);
	return rc;
}

/* --- names ------------------------------------------------------------------ */

enum tf_code
tf_vault_import_mkdir(struct tf_vault *v, uint64_t parent, const char *name,
    uint32_t mode, const struct tf_imported *from, const struct tf_actor *who,
    struct tf_attr *out, struct tf_error *err)
{
	struct tf_buf field = { 0 };
	struct tf_attr dir;
	enum tf_code rc = tf_vault_getattr(v, parent, &dir, err);

	if (rc == TF_OK && dir.kind > TF_KIND_TRAIL)
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "only trails and workflows are imported so");
	if (rc == TF_OK)
		rc = make_field(from, &field, err);
	if (rc == TF_OK)
		rc = tf_names_mkdir(v, parent, name, mode, field.p, who, out,
		    err);
	tf_buf_free(&field);
	return rc;
}

/* Put the texts of the field apart, once for all entries of the record. */
static enum tf_code
withhold_field(struct tf_imported_field *field, struct tf_error *err)
{
	const struct tf_str json = { field->json.p, strlen(field->json.p) };
	struct tf_buf apart = { 0 };
	enum tf_code rc = tf_withhold_value(&field->texts, "imported", json,
	    &apart, err);

	tf_buf_add(&apart, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&apart, err);
	if (rc == TF_OK) {
		tf_buf_free(&field->json);
		field->json = apart;
		apart = (struct tf_buf){ 0 };
	}
	tf_buf_free(&apart);
	return rc;
}

enum tf_code
tf_vault_import_publish(struct tf_vault *v, uint64_t workflow,
    const char *draft, const char *name, const struct tf_imported *from,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_imported_field field = { 0 };
	struct tf_attr dir;
	enum tf_code rc = tf_vault_getattr(v, workflow, &dir, err);

	/* Another rename would move the draft and forget the field. */
	if (rc == TF_OK &&
	    (dir.kind != TF_KIND_WORKFLOW ||
		!tf_name_draft_attestation(draft, strlen(draft)) ||
		tf_name_draft_attestation(name, strlen(name))))
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "only a draft attestation is published");
	if (rc == TF_OK)
		rc = make_field(from, &field.json, err);
	if (rc == TF_OK && tf_wished(v, dir.parent, TF_WISH_TEXTS))
		rc = withhold_field(&field, err);
	if (rc == TF_OK)
		rc = tf_names_rename(v, workflow, draft, workflow, name, true,
		    &field, who, err);
	tf_withhold_free(&field.texts);
	tf_buf_free(&field.json);
	return rc;
}

/* Read entry seq and append its field to out. */
static enum tf_code
read_field(struct tf_db *db, uint64_t seq, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_load_entry(db, seq, &body, &d, err);

	if (rc == TF_OK && d.e.imported.p == NULL)
		rc = tf_fail(err, TF_NODATA, "it was not imported");
	if (rc == TF_OK)
		rc = tf_clear_value(db, "imported", d.e.imported, TF_CLEAR_SHOW,
		    out, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

enum tf_code
tf_vault_imported(struct tf_vault *v, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_nodes_get(db, id, &row, err);
	if (rc == TF_NOTFOUND || (rc == TF_OK && row.entry == TF_NO_SEQ))
		rc = tf_fail(err, TF_NODATA, "it is not in the ledger");
	if (rc == TF_OK)
		rc = read_field(db, row.entry, out, err);
	tf_reader_done(v, db);
	return rc;
}

enum tf_code
tf_import_name(enum tf_kind kind, const char *name, struct tf_error *err)
{
	size_t n;
	enum tf_code rc;

	if (kind != TF_KIND_EVIDENCE)
		return tf_name_check(kind, name, strlen(name), err);
	if (strlen(name) > TF_PATH_BELOW_MAX)
		return tf_fail(err, TF_NAMETOOLONG,
		    "the path below the attestation is longer than %d bytes",
		    TF_PATH_BELOW_MAX);
	for (;; name += n + 1) {
		n = strcspn(name, "/");
		if (n == 0 || (n == 1 && name[0] == '.') ||
		    (n == 2 && memcmp(name, "..", 2) == 0))
			return tf_fail(err, TF_BADNAME,
			    "a part of the path is empty, . or ..");
		rc = tf_name_check(kind, name, n, err);
		if (rc != TF_OK || name[n] == '\0')
			return rc;
	}
}

/* --- import.done ---------------------------------------------------------- */

struct done {
	uint64_t trail;
	uint64_t count;
	const char *actor;
	struct tf_str source; /* raw */
	struct tf_str path;   /* while entries are searched */
	bool already;
};

/* Is this entry the one that the caller wants to make? */
static enum tf_code
compare(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct done *x = arg;
	struct tf_str type, path;
	enum tf_code rc;

	(void)idx;
	(void)off;
	tf_entry_scan(body, n, &type, &path);
	if (!tf_str_same(type, tf_str_of(tf_type_name(TF_IMPORT_DONE))) ||
	    !tf_str_same(path, x->path))
		return TF_OK;
	rc = tf_entry_decode(&d, body, n, err);
	if (rc == TF_INVALID)
		rc = tf_fail(err, TF_TAMPER, "an entry is damaged");
	if (rc == TF_OK && tf_str_same(d.e.source, x->source))
		x->already = true;
	tf_entry_decoded_free(&d);
	return rc == TF_OK && x->already ? TF_NODATA : rc; /* ends the walk */
}

/* An import is rare, and its trail tells where to begin: no index is needed. */
static enum tf_code
find_done(struct tf_vault *v, struct done *x, struct tf_error *err)
{
	struct tf_buf path = { 0 };
	struct tf_node_row row;
	struct tf_db *db;
	enum tf_code rc = tf_vault_path(v, x->trail, &path, err);

	if (rc == TF_OK && (rc = tf_reader_db(v, &db, err)) == TF_OK) {
		x->path = tf_buf_bytes(&path);
		rc = tf_nodes_get(db, x->trail, &row, err);
		if (rc == TF_OK)
			rc = tf_entries_each(db, row.entry, compare, x, err);
		if (rc == TF_NODATA && x->already)
			rc = TF_OK;
		tf_reader_done(v, db);
	}
	tf_buf_free(&path);
	return rc;
}

static enum tf_code
done_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct done *x = arg;
	struct tf_entry e = { .type = TF_IMPORT_DONE,
		.actor = tf_str_of(x->actor),
		.has_count = true,
		.count = x->count,
		.source = x->source };
	enum tf_code rc = tf_txn_path(t, x->trail, &e.path, err);

	return rc == TF_OK ? tf_txn_append(t, &e, NULL, err) : rc;
}

static enum tf_code
make_source(const struct tf_import_source *from, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_cstr(&j, "format", from->format);
	tf_put_hash(&j, "sha256", &from->sha256);
	tf_put_uint(&j, "size", from->size);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

enum tf_code
tf_vault_import_done(struct tf_vault *v, uint64_t trail,
    const struct tf_import_source *from, uint64_t count,
    const struct tf_actor *who, bool *already, struct tf_error *err)
{
	struct done x = { .trail = trail, .count = count };
	struct tf_buf source = { 0 };
	struct tf_attr a = { .uid = 0 };
	char *actor = NULL;
	enum tf_code rc;

	*already = false;
	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_vault_getattr(v, trail, &a, err)) != TF_OK)
		return rc;
	if (a.kind != TF_KIND_TRAIL)
		return tf_fail(err, TF_UNSUPPORTED,
		    "an import is recorded for a trail");
	if (who->uid != 0 && who->uid != a.uid)
		return tf_fail(err, TF_DENIED,
		    "only the owner of the trail and root may record that");
	tf_vault_learn(v, who->uid, who->gid);
	if ((rc = tf_space_take(v, who->uid, TF_FILE_COST, 0, err)) == TF_OK &&
	    (rc = tf_actor_text(who, &actor, err)) == TF_OK)
		rc = make_source(from, &source, err);
	x.actor = actor;
	x.source = tf_buf_bytes(&source);
	if (rc == TF_OK)
		rc = find_done(v, &x, err);
	if (rc == TF_OK && !x.already)
		rc = tf_commit_wait(v->commit, done_run, &x, err);
	*already = x.already;
	tf_buf_free(&source);
	free(actor);
	return rc;
}
