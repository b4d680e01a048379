/*
 * ledger.opened and ledger.closed: the first and last entry of a process; and
 * clock.observed, once a day between them.  A
 * ledger.opened without a ledger.closed before it shows that the earlier
 * process did not end cleanly.  opened_run() also makes what a new store or a
 * new origin needs (the row of the root, the key in force, the origin) in the
 * transaction of the entry: after a crash either all of it is there or the
 * next start does it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/member.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../ledger/actor_json.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/home.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/denied.h"
#include "../node/host.h"
#include "../node/load_entry.h"
#include "../node/roles.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../store/connection.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "head_copies.h"
#include "session.h"

#define VERSION_MAX 64 /* bytes */
#define GROUP_MAX 256  /* bytes */

struct opening {
	struct tf_vault *v;
	const struct tf_vault_options *o;
	const struct tf_recovery *recovery;
	char *actor;
	struct tf_buf home, clock; /* fields, canonical JSON; or empty */
};

/* Write the version of a program or library. */
static void
put_version(struct tf_json *j, const char *key, const char *version)
{
	tf_put_hint(j, key, version, SIZE_MAX, VERSION_MAX);
}

/*
 * Versions of what the process runs on, for an auditor who asks about a
 * defect.
 */
static enum tf_code
software(const struct opening *x, struct tf_buf *out, struct tf_error *err)
{
	struct utsname u;
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_version(&j, "libfuse", x->o->libfuse);
	put_version(&j, "linux", uname(&u) == 0 ? u.release : NULL);
	put_version(&j, "openssl", tf_crypto_version());
	put_version(&j, "sqlite", tf_db_version());
	put_version(&j, "trailfs", TF_VERSION);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

/* Only the options that change what a close or an idle attestation means, what
 * the absence of evidence.read or of a login uid means, who approves redactions,
 * whether texts were kept apart, who may read and administer, and which guard the
 * next start must find. */
static enum tf_code
mount_options(const struct tf_vault *v, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_role(v, TF_ADMINS, &j);
	tf_put_hint(&j, "approvers", v->approvers, SIZE_MAX, GROUP_MAX);
	tf_put_role(v, TF_AUDITORS, &j);
	tf_json_key(&j, "durability");
	tf_json_cstr(&j,
	    v->durability == TF_DURABLE_BATCH	? "batch" :
		v->durability == TF_DURABLE_ORG ? "org" :
						  "close");
	tf_put_hint(&j, "guard", v->guard, SIZE_MAX, TF_GUARD_PATH_MAX);
	if (!v->login_uids)
		tf_put_cstr(&j, "loginuid", "unknown");
	tf_json_key(&j, "quiet");
	tf_json_int(&j, (int64_t)v->settings.value[TF_IDLE]);
	if (v->settings.value[TF_READS] != 0)
		tf_put_cstr(&j, "reads", "log");
	tf_json_key(&j, "settle");
	tf_json_int(&j, (int64_t)v->settings.value[TF_SETTLE]);
	if (v->settings.value[TF_TEXTS] != 0)
		tf_put_cstr(&j, "texts", "redactable");
	tf_put_role(v, TF_TRAIL_GROUP, &j);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

/* The root directory is made with the first entry. */
static enum tf_code
root_row(struct tf_txn *t, const struct tf_access *a, struct tf_error *err)
{
	struct tf_node_row r = { .attr = { .id = TF_ROOT_ID,
				     .parent = TF_ROOT_ID,
				     .kind = TF_KIND_ROOT,
				     .mode = a->mode,
				     .uid = a->uid,
				     .gid = a->gid,
				     .mtime = t->at,
				     .ctime = t->at,
				     .btime = t->at } };

	return tf_nodes_put(t->db, &r, err);
}

/* The texts stay the caller's: boot, vkey and spki must outlive e. */
static enum tf_code
fill_opened(struct opening *x, struct tf_entry *e, char boot[64],
    struct tf_buf *vkey, struct tf_buf *spki, struct tf_error *err)
{
	struct tf_vault *v = x->v;

	tf_boot_id(boot);
	tf_vkey_text(tf_log_key(v), vkey);
	tf_attester_text(v, spki);
	e->boot = (struct tf_str){ boot, strlen(boot) };
	e->host = (struct tf_str){ v->host, strlen(v->host) };
	e->program = (struct tf_str){ v->program, strlen(v->program) };
	e->store = (struct tf_str){ v->store, strlen(v->store) };
	e->key_log = (struct tf_str){ vkey->p, vkey->n };
	e->key_attester = (struct tf_str){ spki->p, spki->n };
	e->home = tf_buf_bytes(&x->home);
	e->host_clock = tf_buf_bytes(&x->clock);
	if (x->actor != NULL)
		e->actor = (struct tf_str){ x->actor, strlen(x->actor) };
	return vkey->failed ? tf_buf_end(vkey, err) : tf_buf_end(spki, err);
}

/* The first entry of all also makes the root directory. */
static enum tf_code
opened_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct opening *x = arg;
	struct tf_entry e = { .type = TF_LEDGER_OPENED };
	struct tf_buf vkey = { 0 }, spki = { 0 }, soft = { 0 }, opts = { 0 };
	struct tf_access_names names;
	bool first = t->size == 0;
	char boot[64];
	enum tf_code rc = software(x, &soft, err);

	/* Approvals are also given, and guards written, without a mount. */
	if (rc == TF_OK &&
	    (x->o->mount != NULL || x->v->approvers != NULL ||
		x->v->guard != NULL))
		rc = mount_options(x->v, &opts, err);
	if (rc != TF_OK)
		goto out;
	if ((rc = fill_opened(x, &e, boot, &vkey, &spki, err)) != TF_OK)
		goto out;
	e.software = (struct tf_str){ soft.p, soft.n };
	e.options = (struct tf_str){ opts.p, opts.n };
	if (x->recovery != NULL) {
		e.previous = (struct tf_str){ x->recovery->previous.p,
			x->recovery->previous.n };
		rc = tf_meta_set_text(tf_txn_write(t), "origin", x->v->origin,
		    err);
		if (rc != TF_OK)
			goto out;
	}
	if (first || x->recovery != NULL) {
		rc = tf_meta_set_text(tf_txn_write(t), "attester", spki.p, err);
		if (rc != TF_OK)
			goto out;
	}
	if (first) {
		e.has_access = true;
		tf_access_fill(&e.access, 0755, geteuid(), getegid(), &names);
	}
	if ((rc = tf_txn_append(t, &e, NULL, err)) == TF_OK)
		rc = tf_meta_set_int(tf_txn_write(t), TF_META_OPENED,
		    t->size - 1, err);
	if (rc == TF_OK && first)
		rc = root_row(t, &e.access, err);
out:
	tf_buf_free(&vkey);
	tf_buf_free(&spki);
	tf_buf_free(&soft);
	tf_buf_free(&opts);
	return rc;
}

enum tf_code
tf_append_opened(struct tf_vault *v, const struct tf_vault_options *o,
    const struct tf_home *home, const struct tf_recovery *recovery,
    struct tf_error *err)
{
	struct opening x = { .v = v, .o = o, .recovery = recovery };
	enum tf_code rc = tf_home_text(home, &x.home, err);

	if (rc == TF_OK)
		rc = tf_host_clock_text(&x.clock, err);

	tf_vault_learn(v, geteuid(), getegid()); /* of the root directory */
	if (o->actor != NULL)
		tf_vault_learn(v, o->actor->uid, o->actor->gid);
	if (rc == TF_OK && o->actor != NULL)
		rc = tf_actor_text(o->actor, &x.actor, err);
	if (rc == TF_OK)
		rc = tf_commit_wait(v->commit, opened_run, &x, err);
	tf_buf_free(&x.home);
	tf_buf_free(&x.clock);
	free(x.actor);
	return rc;
}

enum tf_code
tf_session_last(struct tf_vault *v, struct tf_buf *text,
    struct tf_entry_decoded *d, struct tf_error *err)
{
	struct tf_db *db;
	uint64_t seq = 0;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_meta_get_int(db, TF_META_OPENED, &seq, err);
	if (rc == TF_OK)
		rc = tf_load_entry(db, seq, text, d, err);
	else if (rc == TF_NOTFOUND)
		rc = TF_OK;
	tf_reader_done(v, db);
	return rc;
}

static enum tf_code
clock_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct tf_buf *state = arg;
	struct tf_entry e = { .type = TF_CLOCK_OBSERVED,
		.host_clock = tf_buf_bytes(state) };

	return tf_txn_append(t, &e, NULL, err);
}

enum tf_code
tf_append_clock(struct tf_vault *v, struct tf_error *err)
{
	struct tf_buf state = { 0 };
	enum tf_code rc = tf_host_clock_text(&state, err);

	if (rc == TF_OK && state.n > 0)
		rc = tf_commit_wait(v->commit, clock_run, &state, err);
	tf_buf_free(&state);
	return rc;
}

struct ending {
	const char *reason;
	uint64_t denied;
};

/* The count of refused attempts, if there were any. */
static enum tf_code
closed_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct ending *x = arg;
	struct tf_entry e = { .type = TF_LEDGER_CLOSED,
		.reason = { x->reason, strlen(x->reason) },
		.has_denied = x->denied > 0,
		.denied = x->denied };

	return tf_txn_append(t, &e, NULL, err);
}

enum tf_code
tf_append_closed(struct tf_vault *v, const char *reason, struct tf_error *err)
{
	struct ending x = { .reason = reason, .denied = tf_denied_count(v) };

	return tf_commit_wait(v->commit, closed_run, &x, err);
}
