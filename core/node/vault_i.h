/*
 * Inside the vault.  Lock order: live.io, then vault.mu, then what the
 * committer and the reader pool lock for themselves.  Nobody waits for the
 * committer while holding mu; the committer never takes an io.
 */
#ifndef TF_NODE_VAULT_I_H
#define TF_NODE_VAULT_I_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/bits.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../store/objects.h"
#include "../store/schema.h"
#include "../vault.h"
#include "descriptors.h"
#include "open_objects.h"
#include "pending.h"
#include "text.h"

struct tf_background;
struct tf_committer;
struct tf_db;
struct tf_hasher;
struct tf_key;
struct tf_object_check;
struct tf_rare;
struct tf_txn;

#define TF_ID_BLOCK 1024 /* node ids reserved at a time */
#define TF_SETTLE_DEFAULT_S 2
#define TF_MAX_UNSEALED_DEFAULT 100000 /* names of one user */
#define TF_MAX_OPEN_DEFAULT 10000      /* handles of one user */
/* Names in a draft attestation: its publication is one transaction, for which
 * the commits of others wait. */
#define TF_MAX_DRAFT_DEFAULT 10000
#define TF_SETTLE_MAX_S 60
#define TF_QUIET_MAX_S 31536000	       /* a year */
#define TF_PLACEHOLDER_DEFAULT_S 600   /* until one is sealed empty */
#define TF_SECOND UINT64_C(1000000000) /* in nanoseconds */
#define TF_HEAD_NS TF_SECOND /* STORE/checkpoint is at most that old */
#define TF_MARK_NS TF_SECOND /* a written placeholder's row says so by then */
#define TF_FLOOR_BYTES ((uint64_t)16 << 20) /* kept free for sealing */
#define TF_FLOOR_FILES 300 /* likewise: objects/ has 256 directories */
#define TF_FILE_COST 8192  /* bytes of database a file may cost */
#define TF_ROW_COST 2048   /* of that, a row or an entry of a name */

/* The ledger as it was last committed. */
struct tf_head {
	uint64_t size, bytes, files, content_bytes;
	struct tf_hash root;
	struct tf_buf note;
};

/* Refused attempts, the oldest first; lock order: alone. */
#define TF_DENIED_KEPT 1000
struct tf_denial {
	uint32_t uid;
	struct tf_buf line;
};
struct tf_denials {
	pthread_mutex_t mu;
	uint64_t count; /* of all ever; guarded by mu, as all below */
	size_t n;
	struct tf_denial kept[TF_DENIED_KEPT];
};

/* An attestation that something happened in. */
struct tf_quiet {
	uint64_t att;
	uint64_t due_ns; /* until then it is not quiet; boot clock */
};

/* A directory that is closed: see close_dir.h. */
struct tf_closed {
	uint64_t id;
	uint64_t wf;		   /* of an attestation: its workflow; else 0 */
	char *actor;		   /* whoever closed it: canonical JSON */
	bool recovered;		   /* the last run left it */
	uint64_t first_ns, due_ns; /* closed, to be sealed; boot clock */
};

/* What a user has that is not sealed yet. */
struct tf_user {
	uint32_t uid;
	uint64_t bytes;
	uint64_t names;
	uint64_t open; /* handles for writing */
	unsigned held; /* descriptors of files being written, */
	struct tf_live *oldest, *newest; /* by when they were opened */
};

/* Free space, and what was recorded, when the vault was opened. */
struct tf_space_start {
	struct tf_space free;
	uint64_t content_bytes, files;
};

struct tf_vault {
	struct tf_space_start space; /* never changes once open */
	char *path;
	int dirfd, stagefd, objectsfd, lockfd;
	struct tf_object_dirs object_dirs;
	bool read_only;
	enum tf_db_mode read_mode;
	bool verify_open;
	struct tf_settings settings; /* never change once open */
	enum tf_durability durability;
	void (*slow)(void);	   /* or NULL */
	bool (*interrupted)(void); /* or NULL */
	atomic_bool stopping;	   /* tf_vault_stop was called */
	atomic_bool ending;	   /* tf_vault_close was called */
	char program[25];
	char *mount;
	char *guard; /* third copy of the head, on another disk; or NULL */
	void (*say)(void *arg, enum tf_code code, const char *line);
	void (*on_change)(void *arg, uint64_t id);  /* or NULL */
	void (*on_altered)(void *arg, uint64_t id); /* or NULL */
	void *arg;				    /* of both */
	char origin[TF_ORIGIN_MAX + 1];
	char store[33];
	char host[257];
	struct tf_vkey vkey;
	struct tf_key *log_key, *attester; /* NULL when read-only */
	struct tf_committer *commit;
	struct tf_denials denials;
	struct tf_hasher *hasher;
	struct tf_background *background;
	struct tf_open_objects objects;

	struct tf_rare *rare; /* of events.c, with a lock of its own */

	pthread_mutex_t mu;
	pthread_cond_t changed; /* a job ended, a closing ended, quit */
	/* All below: guarded by mu. */
	struct tf_live_table live;
	struct tf_texts texts;
	uint64_t closing; /* node whose seal is being decided, or that is
			   being closed or opened again: nothing is born below
			   it meanwhile; 0: none */
	struct tf_closed *closed; /* in no order; tf_closing_begin changes */
	size_t n_closed, cap_closed;
	uint64_t *filling; /* directories: see dir_mode.h */
	size_t n_filling, cap_filling;
	uint64_t next_id, end_id; /* reserved node ids */
	bool reserving;
	struct tf_head head;
	enum tf_code broken; /* the ledger's disk failed: no more writing */
	struct tf_error broken_why;
	uint64_t space_left; /* bytes that may be taken before looking */
	uint64_t files_left; /* and files */
	uint64_t space_until_ns;
	uint64_t unsaved;      /* bytes in memory only */
	uint64_t staged;       /* bytes that all users are charged for */
	struct tf_user *users; /* those who have something; by uid */
	size_t n_users, cap_users;
	struct tf_descriptors descriptors;
	struct tf_quiet *quiet; /* while quiet is set; by att */
	size_t n_quiet, cap_quiet;
	struct tf_bits checked; /* objects by number: hashed, were right */
	struct tf_bits altered; /* these were not */
	struct tf_object_check *checks; /* under way */
	struct tf_bits opened;	/* nodes by id: opened since they were sealed */
	struct tf_bits is_long; /* of these: TF_LONG bytes or more */
	struct tf_db **idle;	/* read connections nobody uses */
	size_t n_idle, cap_idle;

	pthread_t keeper;
	bool keeper_runs;
	pthread_cond_t alarm; /* for the keeper: something is due earlier */
	uint64_t alarm_ns;    /* guarded by mu: when it wakes; boot clock */
	bool quit;	      /* guarded by mu */
	uint64_t kept_size;   /* size of the head in STORE/checkpoint */
};

/* The caller's call is about to take long. */
static inline void
tf_vault_slow(const struct tf_vault *v)
{
	if (v->slow != NULL)
		v->slow();
}

/* Should the caller's call end, though it is not done? */
static inline bool
tf_vault_must_stop(struct tf_vault *v)
{
	return atomic_load(&v->stopping) ||
	    (v->interrupted != NULL && v->interrupted());
}

/* Wait until something of v changed; mu is held. */
static inline void
tf_vault_wait(struct tf_vault *v)
{
	tf_vault_slow(v);
	pthread_cond_wait(&v->changed, &v->mu);
}

/* Take l->io, which somebody may hold who works on the disk. */
static inline void
tf_live_lock(struct tf_live *l)
{
	if (pthread_mutex_trylock(&l->io) == 0)
		return;
	tf_vault_slow(l->v);
	pthread_mutex_lock(&l->io);
}

/* Directory id looks different; any lock may be held. */
static inline void
tf_vault_changed(const struct tf_vault *v, uint64_t id)
{
	if (v->on_change != NULL)
		v->on_change(v->arg, id);
}
/* A new node id, never given before and never again. */
TF_MUST_USE enum tf_code tf_vault_new_id(struct tf_vault *v, uint64_t *id,
    struct tf_error *err);
/* The same inside a job. */
TF_MUST_USE enum tf_code tf_txn_new_id(struct tf_txn *t, uint64_t *id,
    struct tf_error *err);
/* The first and the last entry of this process. */
struct tf_recovery;
TF_MUST_USE enum tf_code tf_append_opened(struct tf_vault *v,
    const struct tf_vault_options *o, const struct tf_recovery *recovery,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_append_closed(struct tf_vault *v,
    const char *reason, struct tf_error *err);

/* Defaults of the store, from STORE/config. */
TF_MUST_USE enum tf_code tf_config_read(struct tf_vault *v,
    struct tf_error *err);

/* --- space.c --- */
/* Remember the free space, before there are callers. */
TF_MUST_USE enum tf_code tf_space_start(struct tf_vault *v,
    struct tf_error *err);

/* --- denied.c --- */
/* How many attempts were refused so far. */
uint64_t tf_denied_count(struct tf_vault *v);
void tf_denied_free(struct tf_denials *d);

/* --- head_copies.c: copies of the newest checkpoint, and what they tell --- */
/* What is needed to go on under a new origin. */
struct tf_recovery {
	const char *origin;	/* the new one, or NULL */
	struct tf_buf previous; /* the field of ledger.opened */
};
/* Write STORE/checkpoint and the guard when the head moved. */
TF_MUST_USE enum tf_code tf_vault_keep_head(struct tf_vault *v,
    struct tf_error *err);
/*
 * TF_OK when the database holds all that its copies of the head say; TF_TAMPER
 * with what happened and what to do, and the note that is ahead in *lost (may
 * be NULL).
 */
TF_MUST_USE enum tf_code tf_head_compare(struct tf_vault *v,
    struct tf_buf *lost, struct tf_error *err);
/* Take a new origin; TF_USAGE when nothing is wrong. */
TF_MUST_USE enum tf_code tf_head_renew(struct tf_vault *v,
    struct tf_recovery *r, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_open_for(const char *path,
    const struct tf_vault_options *o, struct tf_recovery *recovery,
    struct tf_vault **out, struct tf_error *err);
/* An entry's access field, with names as they are known; the strings are in
 * *names. */
struct tf_access_names {
	char user[257], group[257];
};

/* Names of files in a store. */
#define TF_LOG_KEY "keys/log.pem"
#define TF_LOG_VKEY "keys/log.vkey"
#define TF_LOG_PUB "keys/log.pub.pem"
#define TF_ATTESTER_KEY "keys/attester.pem"
#define TF_ATTESTER_PUB "keys/attester.pub.pem"

/* user.c: where what uid has is counted; NULL: no memory, and it is not.  Good
 * until it is asked for another.  mu is held. */
struct tf_user *tf_user_of(struct tf_vault *v, uint32_t uid);

/* --- namespace.c --- */
/* What is above a node: its attestation (0: none) and workflow, whether in a
 * draft, length of the path below the attestation, and whether sealed. */
struct tf_place {
	struct tf_attr parent; /* the directory itself */
	struct tf_attr att;    /* kind ATTESTATION, or the parent */
	uint64_t wf;
	bool in_draft; /* all below it is draft */
	size_t below;  /* bytes of parent's path below the att */
};

/* --- handle.c --- */
/* Put the row of l (and of its unsaved directories) into stage. */
TF_MUST_USE enum tf_code tf_stage_save(struct tf_txn *t, struct tf_live *l,
    struct tf_error *err);
/* That is committed now; mu is held. */
void tf_stage_saved(struct tf_vault *v, struct tf_live *l);
/* space.c: what counts for max_store; mu is held. */
uint64_t tf_store_used(const struct tf_vault *v);
/* Are n more bytes within max_store?  TF_NOSPACE.  mu is held. */
TF_MUST_USE enum tf_code tf_store_check(const struct tf_vault *v, uint64_t n,
    struct tf_error *err);
/* May the draft attestation att have one more name in it (max_draft)?  TF_QUOTA.
 * TF_OK when att is no draft attestation.  mu is held. */
TF_MUST_USE enum tf_code tf_quota_draft(struct tf_vault *v, uint64_t att,
    struct tf_error *err);
/* Read the content of l, wherever it is. */
TF_MUST_USE enum tf_code tf_live_read(struct tf_live *l, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err);
/* The content no longer needs the database: its row is about to go, and
 * somebody may have it open.  mu is not held. */
TF_MUST_USE enum tf_code tf_live_detach(struct tf_live *l,
    struct tf_error *err);

/* --- seal.c, seal_dir.c --- */
/*
 * One live file (content clean) becomes evidence.  {l, cause} before; the rest
 * is made by tf_seal_prepare, outside of the transaction.
 */
struct tf_seal_file {
	struct tf_live *l; /* claimed */
	const char *cause; /* or NULL */
	struct tf_content content;
	struct tf_buf path;
	struct tf_prepared_entry entry;
	uint64_t same; /* an object with these bytes, hashed; or 0 */
};
/*
 * All that can be done before: long content becomes an object file (I2), the
 * entries get their text, and objects with the same bytes are hashed.  db:
 * reads what is committed.  Not in the committer, no lock is held.  Free them
 * in either case.
 */
TF_MUST_USE enum tf_code tf_seal_prepare(struct tf_vault *v, struct tf_db *db,
    struct tf_seal_file *f, size_t n, struct tf_error *err);
void tf_seal_prepared_free(struct tf_seal_file *f, size_t n);
/* TF_BUSY when it is not any more what was prepared. */
TF_MUST_USE enum tf_code tf_seal_one(struct tf_txn *t,
    const struct tf_seal_file *s, struct tf_error *err);
/* The live directory id gets its entry, and those above it. */
TF_MUST_USE enum tf_code tf_seal_directory(struct tf_txn *t, uint64_t id,
    struct tf_error *err);
/* After the commit: l and the directories it gave an entry are no longer live.
 * mu is held; a claim on l stays. */
void tf_seal_settle(struct tf_vault *v, struct tf_live *l);
/* After that: its staged file goes, if it is one.  Without mu, when there are
 * many. */
void tf_seal_unstage(const struct tf_live *l);
/* The mode of a file whose bytes or owner changed: programs that ran as its
 * owner or group do not any more. */
static inline uint32_t
tf_mode_without_ids(uint32_t mode)
{
	return mode & ~04000u & ((mode & 010) != 0 ? ~02000u : ~0u);
}
/* The live nodes below a directory that is sealed or closed. */
struct tf_below {
	struct tf_attr dir;
	struct tf_live **l;
	size_t n, cap;
	enum tf_code refused;
	bool wait;	     /* somebody is at work below */
	uint64_t in_the_way; /* the node that refused is about, or 0 */
};
/* Find them all.  Fails when one may not be sealed: TF_BUSY when it is open for
 * writing.  b->wait: wait on v->changed and look again.  mu is held. */
TF_MUST_USE enum tf_code tf_below_look(struct tf_vault *v, struct tf_below *b,
    struct tf_error *err);
/* Complete the message of that failure with the path of the node in the way.
 * mu is not held. */
void tf_below_name(struct tf_vault *v, const struct tf_below *b,
    struct tf_db *db, struct tf_error *err);
/* Set job on all of them, with references, and sort them; and the end of that.
 * mu is held. */
void tf_below_claim(struct tf_below *b);
void tf_below_unclaim(struct tf_vault *v, struct tf_below *b);
/* One directory is being closed, opened again or sealed at a time: wait for the
 * turn of id, and end it.  mu is held. */
void tf_closing_begin(struct tf_vault *v, uint64_t id);
void tf_closing_end(struct tf_vault *v);
/* Somebody is at work below id, and that may take long: let others have their
 * turn meanwhile.  What was true before need not be so any more.  Fails as
 * tf_vault_wait_long does; it is the turn of id in either case. */
TF_MUST_USE enum tf_code tf_closing_wait(struct tf_vault *v, uint64_t id,
    struct tf_error *err);
/* Seal an attestation, workflow or trail, or publish a draft attestation under
 * new_name (else NULL). */
struct tf_seal_request {
	uint64_t id;
	const struct tf_actor *who; /* NULL: nobody, it is quiet, or closed */
	bool closed; /* only if it still is; the actor closed it */
	bool hurry;  /* TF_BUSY rather than wait for what is below */
	const char *new_name;
	const char *cause;
};
TF_MUST_USE enum tf_code tf_seal_dir(struct tf_vault *v,
    const struct tf_seal_request *r, struct tf_error *err);
/* Seal these files (claimed by the caller) in one transaction; they are settled
 * on success.  The claims end in either case. */
TF_MUST_USE enum tf_code tf_seal_files(struct tf_vault *v, struct tf_live **l,
    size_t n, const char *cause, struct tf_error *err);

/* --- placeholder.c: mu is held for the first two --- */
/* Nobody has it open for writing any more: its time begins. */
void tf_placeholder_rest(struct tf_live *l);
/* l is about to be written and its row promises no byte: the sealer marks the
 * row within TF_MARK_NS, unless a flush comes first. */
void tf_mark_later(struct tf_live *l);
/* Mark it now. */
void tf_mark_now(struct tf_vault *v, struct tf_live *l);

/* --- idle.c: mu is held for the first three --- */
/* Something changes in attestation att: it is not quiet. */
void tf_quiet_touch(struct tf_vault *v, uint64_t att);
/* Has nothing happened in att for long enough? */
bool tf_quiet_over(const struct tf_vault *v, uint64_t att);
/* An attestation of which that is true, or 0; *next_ns becomes earlier if the
 * next is due before. */
uint64_t tf_quiet_next(const struct tf_vault *v, uint64_t now,
    uint64_t *next_ns);

/* --- recover.c --- */
/* Finish what the last process left: before threads start changing things. */
TF_MUST_USE enum tf_code tf_recover(struct tf_vault *v, struct tf_error *err);

#endif
