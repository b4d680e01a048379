/*
 * Opening and closing a vault.  One process may write a store at a time: it
 * holds flock(2) on STORE/lock, whose text names the process.
 *
 * open_writer() keeps this order: the lock, before anything is read that a
 * writer may change; config and keys; the committer, which checks the right
 * edge of the tree; then the head of the database against its copies and the
 * guard (head_compare.h, guard_check.h), so that a database that was rolled back
 * is refused before an entry is appended to it (I3); and the home of the store,
 * so that two copies do not continue one log.  ledger.opened comes next, and
 * recovery after it, because recovery appends entries.  The sealer's thread
 * starts last, when there is nothing left that expects to be alone.
 *
 * tf_vault_close() ends the threads first, seals what is frozen, saves rows,
 * and appends ledger.closed as the last entry; then the copies of the head.  A
 * step that fails does not keep the others from being tried.  After a crash at
 * any step the next start does the same work by recovery.  vault_free() gives
 * up the lock last.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/bits.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/proc.h"
#include "../base/users.h"
#include "../commit/commit.h"
#include "../commit/hasher.h"
#include "../ledger/actor_json.h"
#include "../ledger/checkpoint.h"
#include "../ledger/name.h"
#include "../node/absent.h"
#include "../node/background.h"
#include "../node/base.h"
#include "../node/closed.h"
#include "../node/denied.h"
#include "../node/descriptors.h"
#include "../node/home.h"
#include "../node/open_objects.h"
#include "../node/org_wait.h"
#include "../node/pending_table.h"
#include "../node/roles.h"
#include "../node/secrets.h"
#include "../node/space.h"
#include "../node/text.h"
#include "../node/unindexed.h"
#include "../node/verdicts.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../seal/guard.h"
#include "../seal/guard_check.h"
#include "../seal/head_compare.h"
#include "../seal/head_copies.h"
#include "../seal/home.h"
#include "../seal/idle_start.h"
#include "../seal/old_key.h"
#include "../seal/recover.h"
#include "../seal/seal_closed.h"
#include "../seal/seal_reads.h"
#include "../seal/sealer.h"
#include "../seal/session.h"
#include "../seal/sync.h"
#include "../seal/unflushed.h"
#include "../sign/sign.h"
#include "../store/connection.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/refusals.h"
#include "../store/store_files.h"
#include "../vault.h"
#include "claim.h"
#include "config.h"
#include "keys.h"
#include "lock.h"
#include "redact.h"
#include "save_rows.h"
#include "signer.h"
#include "vault.h"

#define STRAYS_NAMED 20 /* foreign files that the log names */

/* --- small services -------------------------------------------------------- */

static void
host_name(struct tf_vault *v)
{
	struct utsname u;

	if (uname(&u) < 0 ||
	    tf_hint(v->host, 256, u.nodename, strlen(u.nodename)) == 0)
		(void)snprintf(v->host, sizeof(v->host), "unknown");
}

/* --- giving up what takes long --------------------------------------------- */

void
tf_vault_stop(struct tf_vault *v)
{
	atomic_store(&v->stopping, true);
	tf_vault_signer_ends(v);
	pthread_mutex_lock(&v->mu);
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
}

/* --- opening ------------------------------------------------------------------------- */

/* The code for errno: EMFILE does not mean that there is no store. */
static enum tf_code
cannot_open(const struct tf_vault *v, struct tf_error *err)
{
	enum tf_code rc = tf_code_of_open(errno);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc,
		    "%.100s: no store here; make one with trailctl init",
		    v->path);
	return tf_fail(err, rc, "%.100s: %s", v->path, strerror(errno));
}

/* A database without its directories is no store that trailfs made. */
static enum tf_code
lacks(const struct tf_vault *v, struct tf_error *err)
{
	enum tf_code rc = tf_code_of_open(errno);

	return tf_fail(err, rc == TF_NOTFOUND ? TF_FOREIGN : rc,
	    "%.100s lacks objects/ or stage/: %s", v->path, strerror(errno));
}

/*
 * All files of the store but the database are opened below these descriptors.
 */
static enum tf_code
open_dirs(struct tf_vault *v, struct tf_error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	v->dirfd = open(v->path, flags);
	if (v->dirfd < 0 || faccessat(v->dirfd, TF_DB_NAME, F_OK, 0) < 0)
		return cannot_open(v, err);
	v->objectsfd = openat(v->dirfd, "objects", flags);
	v->stagefd = openat(v->dirfd, "stage", flags);
	if (v->objectsfd < 0 || v->stagefd < 0)
		return lacks(v, err);
	tf_open_objects_start(&v->objects, v, v->descriptors.max / 8);
	return TF_OK;
}

static void
say_found(void *vault, enum tf_store_fault fault, const char *name,
    const char *line)
{
	(void)fault;
	(void)name;
	tf_vault_say(vault, TF_FOREIGN, "%s", line);
}

struct strays {
	struct tf_vault *v;
	unsigned n;
};

static void
say_stray(void *arg, const char *path, bool aside)
{
	struct strays *s = arg;

	if (aside)
		return; /* the log said so when it was put there */
	if (s->n++ < STRAYS_NAMED)
		tf_vault_say(s->v, TF_FOREIGN,
		    "%.300s does not belong in a store and is not recorded: "
		    "evidence goes into the mount",
		    path);
}

static enum tf_code
say_refusal(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	struct tf_vault *v = arg;

	(void)err;
	tf_vault_say(v, TF_FOREIGN, "%.*s %.*s %.*s", (int)r->kind.n, r->kind.p,
	    (int)r->name.n, r->name.p, (int)r->text.n, r->text.p);
	return TF_OK;
}

/* Report wrong modes, owners and foreign files of the store, and who refuses its
 * log; nothing of that keeps it from being opened. */
static void
say_about_files(struct tf_vault *v)
{
	struct strays s = { .v = v };

	tf_store_check_access(v->dirfd, !v->read_only, say_found, v);
	tf_store_check_strays(v->dirfd, false, say_stray, &s);
	if (s.n > STRAYS_NAMED)
		tf_vault_say(v, TF_FOREIGN,
		    "and %u more that do not belong in a store: trailctl "
		    "verify names them",
		    s.n - STRAYS_NAMED);
	(void)!tf_refusals_each(v->dirfd, say_refusal, v, NULL);
}

/*
 * A group of approvers that is not there lets nobody approve, which is safe.
 * Evidence is still recorded: a directory service that starts after the mount
 * must not cost any.
 */
static void
say_about_approvers(struct tf_vault *v)
{
	enum tf_membership m = v->approvers == NULL ?
	    TF_NO_MEMBER :
	    tf_user_in_group(0, v->approvers);

	if (m == TF_NO_SUCH_GROUP)
		tf_vault_say(v, TF_NOTFOUND,
		    "approvers = %.256s: there is no such group, so nobody can "
		    "approve a redaction",
		    v->approvers);
	else if (m == TF_NO_ANSWER)
		tf_vault_say(v, TF_BUSY,
		    "approvers = %.256s: the name service does not say whether "
		    "there is such a group",
		    v->approvers);
}

/* Then nothing shows that two uids are one person. */
static void
say_about_login_uids(struct tf_vault *v)
{
	if (!v->login_uids)
		tf_vault_say(v, TF_UNSUPPORTED,
		    "login uids are not known here: the proposer and the "
		    "approver of a redaction are told apart by uid only");
}

/* Origin and id of the store, from the database. */
static enum tf_code
read_facts(struct tf_vault *v, struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc;

	rc = tf_meta_get_text(db, "origin", v->origin, sizeof(v->origin), err);
	if (rc == TF_OK)
		rc = tf_meta_get_text(db, "store", v->store, sizeof(v->store),
		    err);
	if (rc == TF_OK && !tf_origin_ok(v->origin, strlen(v->origin)))
		rc = tf_fail(err, TF_TAMPER, "the origin is malformed");
	return rc;
}

/*
 * Set what needs no store.  After this, also on failure, vault_free() may be
 * called.
 */
static enum tf_code
prepare(struct tf_vault *v, const char *path, const struct tf_vault_options *o,
    struct tf_error *err)
{
	pthread_condattr_t attr;

	v->start = (struct tf_clock_start){ tf_clock_now(),
		tf_clock_boot_ns() };
	v->dirfd = v->stagefd = v->objectsfd = v->lockfd = -1;
	v->read_only = o->read_only;
	v->read_mode = o->read_only && o->mount != NULL ? TF_DB_STILL :
							  TF_DB_READ;
	v->verify_open = o->verify_open;
	v->settings.value[TF_SETTLE] = TF_SETTLE_DEFAULT_S;
	v->settings.value[TF_MAX_UNSEALED] = TF_MAX_UNSEALED_DEFAULT;
	v->settings.value[TF_MAX_OPEN] = TF_MAX_OPEN_DEFAULT;
	v->settings.value[TF_MAX_DRAFT] = TF_MAX_DRAFT_DEFAULT;
	v->settings.value[TF_PLACEHOLDER] = TF_PLACEHOLDER_DEFAULT_S;
	v->settings.value[TF_ORG_TIMEOUT] = TF_ORG_TIMEOUT_DEFAULT_S;
	v->durability = o->read_only ? TF_DURABLE_CLOSE : o->durability;
	tf_descriptors_start(&v->descriptors);
	v->slow = o->slow;
	v->may_stay = o->may_stay;
	v->stayed = o->stayed;
	v->waiting = o->waiting;
	v->collecting = o->collecting;
	v->interrupted = o->interrupted;
	v->say = o->say;
	v->say_key = o->say_key != NULL ? o->say_key : o->say;
	v->on_change = o->changed;
	v->on_altered = o->altered;
	v->arg = o->arg;
	v->sandbox = o->sandbox;
	(void)snprintf(v->program, sizeof(v->program), "%s", o->program);
	(void)pthread_mutex_init(&v->mu, NULL);
	(void)pthread_mutex_init(&v->denials.mu, NULL);
	(void)pthread_mutex_init(&v->rotating, NULL);
	tf_reads_init(&v->reads);
	tf_wishes_init(&v->wishes);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&v->changed, &attr);
	(void)pthread_cond_init(&v->alarm, &attr);
	(void)pthread_condattr_destroy(&attr);
	host_name(v);
	v->login_uids = tf_proc_has_login_uids();
	v->path = strdup(path);
	v->mount = o->mount == NULL ? NULL : strdup(o->mount);
	if (v->path == NULL || (o->mount != NULL && v->mount == NULL) ||
	    tf_secrets_start(v, err) != TF_OK ||
	    tf_pending_init(&v->pending) != TF_OK ||
	    (v->unindexed = tf_unindexed_new()) == NULL ||
	    (v->verdicts = tf_verdicts_new()) == NULL)
		return tf_nomem(err);
	return TF_OK;
}

/* Nothing but the entries of its source may come into a mirror or a backup. */
static enum tf_code
refuse_copy(const struct tf_vault *v, const char *mark, struct tf_error *err)
{
	if (faccessat(v->dirfd, mark, F_OK, 0) == 0)
		return tf_fail(err, TF_READONLY,
		    "%.100s is a %s; trailctl restore makes a vault of it",
		    v->path, mark);
	if (errno != ENOENT)
		return tf_fail(err, tf_code_of_open(errno), "%.100s/%s: %s",
		    v->path, mark, strerror(errno));
	return TF_OK;
}

/*
 * Append ledger.opened, if this store is the one that may continue its log: the
 * newest, and where it was.
 */
static enum tf_code
continue_log(struct tf_vault *v, const struct tf_vault_options *o,
    struct tf_recovery *recovery, bool other_keys, struct tf_error *err)
{
	struct tf_guard_start guard = { .lost = o->guard_lost,
		.renews = recovery != NULL };
	struct tf_error elsewhere = { .code = TF_OK };
	struct tf_home_now now;
	enum tf_code rc;

	tf_home_find(v, &now);
	rc = recovery == NULL ? tf_head_compare_beside(v, NULL, err) : TF_OK;
	if (rc == TF_OK &&
	    (rc = tf_home_check(v, &now, &guard.away, &elsewhere)) != TF_OK)
		rc = tf_fail_as(err, &elsewhere);
	if (rc == TF_OK)
		rc = tf_guard_check(v, &guard, err);
	if (rc == TF_OK && guard.away && recovery == NULL && !o->moved)
		rc = tf_fail_as(err, &elsewhere);
	if (rc != TF_OK)
		return rc;
	if (recovery != NULL && recovery->restored != NULL)
		rc = tf_head_restored(v, recovery, err);
	else if (recovery != NULL)
		rc = tf_head_renew(v, guard.away || other_keys, recovery, err);
	now.home.moved = guard.away && recovery == NULL;
	if (rc == TF_OK)
		rc = tf_guard_make(v, err);
	return rc == TF_OK ? tf_append_opened(v, o, &now.home, recovery, err) :
			     rc;
}

/* On failure the caller stops what has started and frees v. */
static enum tf_code
open_writer(struct tf_vault *v, const struct tf_vault_options *o,
    struct tf_recovery *recovery, struct tf_error *err)
{
	const struct tf_vkey *restored = recovery == NULL ? NULL :
							    recovery->restored;
	char path[PATH_MAX];
	struct tf_db *db;
	bool other_keys;
	enum tf_code rc;

	if (restored == NULL &&
	    ((rc = refuse_copy(v, TF_MIRROR_MARK, err)) != TF_OK ||
		(rc = refuse_copy(v, TF_BACKUP_MARK, err)) != TF_OK))
		return rc;
	if ((rc = tf_vault_lock(v, err)) != TF_OK ||
	    (rc = tf_config_read(v, err)) != TF_OK)
		return rc;
	for (int i = 0; i < TF_SETTINGS; i++)
		if (o->settings.given[i])
			v->settings.value[i] = o->settings.value[i];
	if ((rc = tf_roles_find(v, &o->settings, o->roles_are_given, err)) !=
	    TF_OK)
		return rc;
	if (o->mount == NULL)
		v->settings.value[TF_IDLE] = 0; /* only the daemon watches it */
	(void)snprintf(path, sizeof(path), "%s/%s", v->path, TF_DB_NAME);
	if ((rc = tf_db_open(path, TF_DB_WRITE, &db, err)) != TF_OK)
		return rc;
	v->signer_is_ours = o->signer_is_ours;
	if ((rc = read_facts(v, db, err)) != TF_OK ||
	    (rc = tf_recipients_start(v, db, err)) != TF_OK ||
	    (rc = tf_wishes_start(v, db, err)) != TF_OK ||
	    (rc = tf_vault_load_keys(v, o->signer, db, restored,
		 recovery != NULL, &other_keys, err)) != TF_OK) {
		tf_db_close(db);
		return rc;
	}
	if (v->mount != NULL) {
		say_about_files(v);
		say_about_approvers(v);
		say_about_login_uids(v);
	} else {
		tf_store_check_access(v->dirfd, true, say_found, v);
	}
	if ((rc = tf_commit_start(v, db, &v->commit, err)) != TF_OK ||
	    (rc = continue_log(v, o, recovery, other_keys, err)) != TF_OK ||
	    (rc = tf_guard_start(v, err)) != TF_OK ||
	    (rc = tf_vault_keep_vkey(v, false, err)) != TF_OK ||
	    (rc = tf_recover(v, err)) != TF_OK ||
	    (rc = tf_closed_recover(v, err)) != TF_OK ||
	    (rc = tf_idle_start(v, err)) != TF_OK ||
	    (rc = tf_claims_load(v, err)) != TF_OK ||
	    (rc = tf_space_start(v, err)) != TF_OK ||
	    (rc = tf_redactions_start(v, err)) != TF_OK)
		return rc;
	if ((rc = tf_reads_begin(v, err)) != TF_OK)
		return rc;
	tf_secrets_renew(v, true);
	tf_old_key_retire(v);
	if (pthread_create(&v->sealer, NULL, tf_sealer_run, v) != 0)
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	v->sealer_runs = true;
	if ((rc = tf_org_wait_start(v, err)) != TF_OK)
		return rc;
	tf_vault_signer_started(v);
	return TF_OK;
}

static enum tf_code
count_staged(void *arg, const struct tf_stage_row *r, struct tf_error *err)
{
	unsigned *n = arg;

	(void)err;
	*n += r->attr.kind == TF_KIND_EVIDENCE;
	return TF_OK;
}

/* Read what the config says for a mount with ro: who has a role, and whether
 * the mount has to say that it records no readers, as it was asked for. */
static enum tf_code
read_only_config(struct tf_vault *v, struct tf_db *db,
    const struct tf_vault_options *o, struct tf_error *err)
{
	struct tf_settings before = v->settings;
	bool log;
	enum tf_code rc;

	(void)!tf_config_read(v, NULL);
	if ((rc = tf_roles_find(v, &o->settings, o->roles_are_given, err)) !=
	    TF_OK)
		return rc;
	memcpy(before.role, v->settings.role, sizeof(before.role));
	log = o->settings.given[TF_READS] ? o->settings.value[TF_READS] != 0 :
					    v->settings.value[TF_READS] != 0;
	v->settings = before;
	v->settings.value[TF_READS] = log;
	if ((rc = tf_wishes_start(v, db, err)) == TF_OK &&
	    tf_wishes_any(v, TF_WISH_READS))
		tf_vault_say(v, TF_READONLY,
		    "read-only: who reads what is not recorded");
	return rc;
}

/*
 * A read-only mount takes the shared lock, because it reads the database as
 * one that no process may write (TF_DB_STILL).  Readers without a mount, and
 * mounts of mirrors, read beside a writer.
 */
static enum tf_code
open_reader(struct tf_vault *v, const struct tf_vault_options *o,
    struct tf_error *err)
{
	unsigned waiting = 0;
	struct tf_db *db;
	enum tf_code rc;

	if (v->mount != NULL &&
	    (rc = tf_vault_lock_shared(v, &v->grows, err)) != TF_OK)
		return rc;
	if (v->grows)
		v->read_mode = TF_DB_READ;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	if (v->mount != NULL)
		say_about_files(v);
	rc = read_facts(v, db, err);
	if (rc == TF_OK)
		rc = tf_absent_start(v, db, o->objects, err);
	if (rc == TF_OK && v->mount != NULL)
		rc = tf_stage_each(db, count_staged, &waiting, err);
	if (rc == TF_OK && v->mount != NULL)
		rc = read_only_config(v, db, o, err);
	tf_reader_done(v, db);
	if (waiting > 0)
		tf_vault_say(v, TF_OK,
		    "%u files are not sealed and not shown: they wait for the "
		    "next mount that writes",
		    waiting);
	if (rc == TF_OK)
		rc = tf_redactions_start(v, err);
	return rc == TF_OK ? tf_vault_load_vkey(v, err) : rc;
}

/*
 * No thread of the vault runs any more but hasher and committer, which end
 * here.
 */
static void
vault_free(struct tf_vault *v)
{
	tf_org_wait_end(v);
	tf_org_wait_free(v);
	tf_hasher_stop(v->hasher);
	tf_pending_destroy(&v->pending);
	tf_texts_free(&v->texts);
	/* The writer last: only it can merge the write-ahead log. */
	for (size_t i = 0; i < v->n_free_dbs; i++)
		tf_db_close(v->free_dbs[i]);
	v->n_free_dbs = 0;
	tf_commit_stop(v->commit);
	free(v->free_dbs);
	free(v->users);
	free(v->empties.items);
	free(v->idle);
	tf_closed_free(v);
	free(v->claiming);
	free(v->user_data);
	tf_templates_free(v);
	tf_recipients_end(v);
	tf_secrets_end(v);
	free(v->filling);
	free(v->unplaced);
	tf_unindexed_free(v->unindexed);
	tf_verdicts_free(v->verdicts);
	tf_bits_free(&v->checked);
	tf_bits_free(&v->altered);
	tf_bits_free(&v->opened);
	tf_bits_free(&v->is_long);
	tf_bits_free(&v->redacted);
	tf_buf_free(&v->head.note);
	tf_key_state_free(atomic_load(&v->key_state));
	tf_reads_free(&v->reads);
	tf_wishes_free(&v->wishes);
	tf_denied_free(&v->denials);
	tf_damaged_files_free(&v->damaged);
	tf_signer_close(v->signer);
	/* The lock last: whoever gets it must find nothing in use. */
	for (int i = 0; i < 4; i++) {
		int fd = i == 0 ? v->stagefd :
		    i == 1	? v->objectsfd :
		    i == 2	? v->dirfd :
				  v->lockfd;

		if (fd >= 0)
			(void)close(fd);
	}
	(void)pthread_cond_destroy(&v->alarm);
	(void)pthread_cond_destroy(&v->changed);
	(void)pthread_mutex_destroy(&v->mu);
	(void)pthread_mutex_destroy(&v->rotating);
	free(v->path);
	free(v->source);
	free(v->blobs);
	free(v->mount);
	free(v->guard);
	tf_buf_free(&v->guard_seen);
	free(v->approvers);
	free(v);
}

/* Waits until the sealer has ended its present work. */
static void
stop_sealer(struct tf_vault *v)
{
	if (!v->sealer_runs)
		return;
	pthread_mutex_lock(&v->mu);
	v->quit = true;
	pthread_cond_broadcast(&v->alarm);
	pthread_mutex_unlock(&v->mu);
	(void)pthread_join(v->sealer, NULL);
	v->sealer_runs = false;
}

/* End the background work: comparisons after a crash are left to the next
 * start; closed files are flushed, unless the process must end at once. */
static void
stop_background(struct tf_vault *v)
{
	atomic_store(&v->ending, true);
	tf_background_stop(v->background);
	v->background = NULL;
}

enum tf_code
tf_vault_open_for(const char *path, const struct tf_vault_options *o,
    struct tf_recovery *recovery, struct tf_vault **out, struct tf_error *err)
{
	struct tf_vault *v = calloc(1, sizeof(*v));
	enum tf_code rc;

	if (v == NULL)
		return tf_nomem(err);
	if ((rc = prepare(v, path, o, err)) == TF_OK &&
	    (rc = tf_hasher_start(&v->hasher, err)) == TF_OK &&
	    (rc = tf_background_new(&v->background, err)) == TF_OK &&
	    (rc = open_dirs(v, err)) == TF_OK)
		rc = o->read_only ? open_reader(v, o, err) :
				    open_writer(v, o, recovery, err);
	if (rc != TF_OK) {
		tf_vault_stop(v);
		tf_reads_end(v);
		stop_sealer(v);
		tf_guard_stop(v);
		stop_background(v);
		vault_free(v);
		return rc;
	}
	*out = v;
	return TF_OK;
}

enum tf_code
tf_vault_open(const char *path, const struct tf_vault_options *o,
    struct tf_vault **out, struct tf_error *err)
{
	return tf_vault_open_for(path, o, NULL, out, err);
}

enum tf_code
tf_vault_close(struct tf_vault *v, const char *reason, struct tf_error *err)
{
	enum tf_code rc = TF_OK, last = TF_OK;

	if (v == NULL)
		return TF_OK;
	if (!v->read_only)
		tf_vault_lock_closing(v);
	tf_org_wait_end(v);
	tf_vault_signer_ends(v);
	tf_reads_end(v);
	stop_sealer(v);
	stop_background(v);
	if (!v->read_only) {
		tf_unflushed_end(v);
		if ((rc = tf_seal_frozen(v, err)) != TF_OK)
			last = rc;
		if ((rc = tf_vault_save_rows(v, err)) != TF_OK)
			last = rc;
		tf_secrets_renew(v, true);
		if ((rc = tf_reads_record(v, err)) != TF_OK)
			last = rc;
		rc = tf_append_closed(v, reason, err);
		if (rc == TF_OK)
			rc = tf_vault_keep_head(v, err);
		if (rc != TF_OK)
			last = rc;
		tf_guard_stop(v);
		if (ftruncate(v->lockfd, 0) < 0 && last == TF_OK)
			last = tf_fail(err, TF_IO, "empty the lock");
	}
	vault_free(v);
	return last;
}

enum tf_code
tf_vault_recover(const char *path, const char *origin,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = actor };
	struct tf_recovery r = { .origin = origin };
	struct tf_vault *v;
	enum tf_code rc;

	rc = tf_vault_open_for(path, &o, &r, &v, err);
	tf_buf_free(&r.previous);
	if (rc != TF_OK)
		return rc;
	tf_vkey_text(tf_log_key(v), vkey);
	if (vkey->failed)
		rc = tf_nomem(err);
	if (rc != TF_OK) {
		(void)!tf_vault_close(v, "done", NULL);
		return rc;
	}
	return tf_vault_close(v, "done", err);
}
