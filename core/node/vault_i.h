/*
 * Inside the vault.  Lock order: pending.io, then vault.mu, then what the
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
#include "../store/objects.h"
#include "../store/schema.h"
#include "../vault.h"
#include "denied.h"
#include "descriptors.h"
#include "open_objects.h"
#include "pending.h"
#include "space.h"
#include "text.h"

struct tf_background;
struct tf_closed;
struct tf_committer;
struct tf_db;
struct tf_hasher;
struct tf_key;
struct tf_object_check;
struct tf_idle;
struct tf_unindexed;
struct tf_user;

/* Names in a draft attestation: its publication is one transaction, for which
 * the commits of others wait. */
#define TF_MAX_DRAFT_DEFAULT 10000

/* The ledger as it was last committed. */
struct tf_head {
	uint64_t size, bytes, files, content_bytes;
	struct tf_hash root;
	struct tf_buf note;
};

/* A row of stage that is not shown: see unplaced.h. */
struct tf_unplaced {
	uint64_t id;
	const char *why;
};

struct tf_vault {
	struct tf_space_start space;  /* never changes once open */
	struct tf_unplaced *unplaced; /* by id; likewise */
	size_t n_unplaced;
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

	struct tf_unindexed
	    *unindexed; /* of events.c, with a lock of its own */

	pthread_mutex_t mu;
	pthread_cond_t changed; /* a job ended, a closing ended, quit */
	/* All below: guarded by mu. */
	struct tf_pending_table pending;
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
	struct tf_idle *idle; /* while idle is set; by att */
	size_t n_idle, cap_idle;
	struct tf_bits checked; /* objects by number: hashed, were right */
	struct tf_bits altered; /* these were not */
	struct tf_object_check *checks; /* under way */
	struct tf_bits opened; /* nodes by id: opened since they were sealed */
	struct tf_bits
	    is_long; /* of these: TF_LONG_OBJECT_BYTES bytes or more */
	struct tf_db **free_dbs; /* read connections nobody uses */
	size_t n_free_dbs, cap_free_dbs;

	pthread_t sealer;
	bool sealer_runs;
	pthread_cond_t alarm; /* for the sealer: something is due earlier */
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
tf_pending_lock(struct tf_pending *l)
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

#endif
