/*
 * struct tf_vault, for the rooms of core.
 *
 * Lock order: pending.io, then vault.mu, then the locks inside the committer,
 * the hasher and the other parts.  No thread waits for the committer while it
 * holds mu, because the committer takes mu.  The committer never takes an io.
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
#include "../store/connection.h"
#include "../store/objects.h"
#include "../vault.h"
#include "counters.h"
#include "damaged.h"
#include "denied.h"
#include "descriptors.h"
#include "empties.h"
#include "guard_state.h"
#include "open_objects.h"
#include "past.h"
#include "pending_table.h"
#include "reads.h"
#include "wishes.h"
#include "recipients.h"
#include "space.h"
#include "templates.h"
#include "text.h"

struct tf_background;
struct tf_claiming;
struct tf_closed;
struct tf_committer;
struct tf_db;
struct tf_find;
struct tf_guard;
struct tf_hasher;
struct tf_idle;
struct tf_key;
struct tf_object_check;
struct tf_org_wait;
struct tf_secrets;
struct tf_turn;
struct tf_unindexed;
struct tf_verdicts;
struct tf_user;
struct tf_user_data;

/* Names per draft attestation.  Its publication is one transaction, during
 * which all other commits wait. */
#define TF_MAX_DRAFT_DEFAULT 10000

/* The ledger after the last commit. */
struct tf_head {
	uint64_t size, bytes;	       /* entries; bytes of events.jsonl */
	uint64_t files, content_bytes; /* of sealed evidence */
	struct tf_hash root;
	struct tf_time at; /* of the last entry */
	struct tf_buf note;
};

/* A row of stage without a place in the tree: see unplaced.h. */
struct tf_unplaced {
	uint64_t id;
	const char *why;
};

struct tf_vault {
	/* All up to mu: set by tf_vault_open, or with a lock of its own. */
	struct tf_space_start space;
	struct tf_unplaced *unplaced; /* by id */
	size_t n_unplaced;
	char *path;
	int dirfd, stagefd, objectsfd, lockfd;
	struct tf_object_dirs object_dirs;
	bool read_only;
	enum tf_db_mode read_mode;
	bool sparse;	      /* see absent.h */
	char *source, *blobs; /* the same; or NULL */
	bool grows; /* a mirror is mounted: its writer may add entries */
	bool verify_open;
	struct tf_settings settings;
	enum tf_durability durability;
	void (*slow)(void); /* or NULL */
	bool (*may_stay)(void);
	void (*stayed)(void);
	bool (*interrupted)(void); /* or NULL */
	atomic_bool stopping;	   /* tf_vault_stop was called */
	atomic_bool ending;	   /* tf_vault_close was called */
	char program[25];
	char *mount;
	char *
	    guard; /* path of the head's third copy, on another disk, or NULL */
	struct tf_buf guard_seen;  /* its text at the start */
	struct tf_guard *guarding; /* writes that copy, or NULL */
	char *approvers;	   /* group that approves redactions, or NULL */
	bool login_uids;	   /* tf_proc_has_login_uids() */
	struct tf_clock_start {
		struct tf_time clock;
		uint64_t boot_ns;
	} start; /* when the vault was opened */
	void (*say)(void *arg, enum tf_code code, const char *line);
	void (*say_key)(void *arg, enum tf_code code, const char *line);
	void (*on_change)(void *arg, uint64_t id);  /* or NULL */
	void (*on_altered)(void *arg, uint64_t id); /* or NULL */
	void *arg;			  /* of say, on_change and on_altered */
	const struct tf_sandbox *sandbox; /* or NULL */
	char origin[TF_ORIGIN_MAX + 1];
	char store[33];
	char host[257];
	struct tf_vkey vkey; /* at the start: see key_state.h */
	_Atomic(struct tf_key_state *) key_state; /* or NULL */
	/* Until when a signer that is away is waited for (boot clock); 0: for
	 * ever. */
	_Atomic uint64_t signer_until_ns;
	_Atomic int64_t signer_away; /* since when it is (Unix); 0: it is not */
	_Atomic unsigned signer_fence; /* what it says: core/signer.h */
	struct tf_signer *signer;      /* see core/sign; NULL when read-only */
	bool signer_is_ours;	       /* never changes; see vault.h */
	/* Its key at the start: see key_state.h; unset when read-only. */
	struct tf_pubkey attester;
	pthread_mutex_t rotating; /* one rotation of a key at a time */
	struct tf_committer *commit;
	struct tf_denials denials;
	struct tf_counters counters;
	uint64_t (*waiting)(void); /* or NULL, as the next */
	uint64_t (*collecting)(void);
	struct tf_hasher *hasher;
	struct tf_background *background;
	struct tf_open_objects objects;

	struct tf_recipients_cache recipients;
	struct tf_reads reads;
	struct tf_wishes wishes;
	struct tf_secrets *secrets; /* see secrets.h */

	struct tf_unindexed *unindexed; /* see unindexed.h */
	struct tf_verdicts *verdicts;	/* see verdicts.h */
	struct tf_find *find;		/* or NULL: see core/find.h */
	struct tf_org_wait *org_wait;	/* or NULL: see org_wait.h */

	pthread_mutex_t mu;
	pthread_cond_t changed; /* a job or a closing has ended, or quit */
	/* All below: guarded by mu. */
	struct tf_pending_table pending;
	struct tf_texts texts;
	struct tf_turn *turns;	  /* of directories: see seal/turn.h */
	bool judging_long;	  /* long JSON evidence is being judged */
	struct tf_closed *closed; /* unsorted: see closed.h */
	size_t n_closed, cap_closed;
	struct tf_kept_template *templates[TF_TEMPLATES_KEPT]; /* or NULL */
	uint64_t template_uses;
	struct tf_claiming *claiming; /* see claiming.h */
	size_t n_claiming, cap_claiming;
	struct tf_user_data *user_data; /* by att: see user_data.h */
	size_t n_user_data, cap_user_data;
	uint64_t *filling; /* directory ids: see filling.h */
	size_t n_filling, cap_filling;
	uint64_t next_id, end_id; /* the reserved node ids */
	bool reserving;		  /* a thread reserves the next block */
	struct tf_head head;
	enum tf_code
	    broken; /* not TF_OK: the ledger's disk failed, read-only */
	struct tf_error broken_why;
	uint64_t said; /* bytes of user data and definitions: see commit.h */
	/* The last reading of the free space, minus reservations since. */
	uint64_t space_left;	 /* bytes */
	uint64_t files_left;	 /* inodes */
	uint64_t space_until_ns; /* the reading is valid until; boot clock */
	uint64_t unsaved;	 /* bytes of files in memory only */
	uint64_t staged;	 /* bytes charged to all users */
	uint64_t to_encrypt; /* bytes of age files that are still to be made */
	struct tf_user *users; /* by uid */
	struct tf_empties empties;
	size_t n_users, cap_users;
	struct tf_descriptors descriptors;
	struct tf_idle *idle; /* by att */
	size_t n_idle, cap_idle;
	struct tf_bits checked; /* object rows that were hashed and match */
	struct tf_bits altered; /* object rows that do not match */
	struct tf_object_check *checks; /* running */
	struct tf_bits opened;		/* node ids opened since their seal */
	struct tf_damaged_files damaged;
	struct tf_bits redacted; /* node ids of redacted evidence */
	struct tf_bits is_long;	 /* of these, TF_LONG_OBJECT_BYTES or more */
	struct tf_past_moment moments[TF_MOMENTS]; /* by size; see past.h */
	struct tf_db **free_dbs; /* unused reading connections */
	size_t n_free_dbs, cap_free_dbs;

	pthread_t sealer;
	bool sealer_runs;
	pthread_cond_t alarm; /* wakes the sealer before alarm_ns */
	uint64_t alarm_ns;    /* the sealer wakes at this time; boot clock */
	bool quit;	      /* the sealer must end */
	uint64_t kept_size;   /* tree size of the head in STORE/checkpoint */
	struct tf_guard_state guard_state;
	uint64_t observe_ns; /* the next clock.observed is due; boot clock */
	uint64_t retire_ns;  /* likewise tf_old_key_retire() */
};

/* Report that the present call is about to take long (options.slow). */
static inline void
tf_vault_slow(const struct tf_vault *v)
{
	if (v->slow != NULL)
		v->slow();
}

/* May this thread commit, instead of waiting for a thread that does?  If so,
 * tf_vault_stayed follows. */
static inline bool
tf_vault_may_stay(const struct tf_vault *v)
{
	return v->may_stay == NULL || v->may_stay();
}

static inline void
tf_vault_stayed(const struct tf_vault *v)
{
	if (v->stayed != NULL)
		v->stayed();
}

/* True if the present call must end early: the vault is stopping, or the caller
 * has cancelled the call. */
static inline bool
tf_vault_must_stop(struct tf_vault *v)
{
	return atomic_load(&v->stopping) ||
	    (v->interrupted != NULL && v->interrupted());
}

/* Wait on v->changed; mu is held and released meanwhile. */
static inline void
tf_vault_wait(struct tf_vault *v)
{
	tf_vault_slow(v);
	pthread_cond_wait(&v->changed, &v->mu);
}

/* Lock l->io, which another thread may hold during disk access. */
static inline void
tf_pending_lock(struct tf_pending *l)
{
	if (pthread_mutex_trylock(&l->io) == 0)
		return;
	tf_vault_slow(l->v);
	pthread_mutex_lock(&l->io);
}

/* Report that the attributes of directory id have changed (options.changed).
 * Any lock may be held. */
static inline void
tf_vault_changed(const struct tf_vault *v, uint64_t id)
{
	if (v->on_change != NULL)
		v->on_change(v->arg, id);
}

#endif
