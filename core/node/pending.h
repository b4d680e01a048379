/*
 * Pending nodes: everything that is not in the ledger yet (files being written,
 * frozen files, drafts, placeholders, directories without an entry).  They are
 * in memory, found by id, by name, and in the orders that the sealer, sync, a
 * seal, a rename and status need.  None of these walks visits nodes that it has
 * nothing to do with, for those may be a hundred thousand nodes of another
 * user.
 *
 * THE LIFE OF AN EVIDENCE FILE
 *
 * Promises, and the functions that keep them:
 *  F1  Frozen bytes never change.  last_release() freezes when no handle for
 *      writing is left; tf_policy() refuses every later one, and truncate(2).
 *  F2  When close or fsync has succeeded, bytes, name and writer survive a
 *      crash.  build_flush() syncs the staged file and stage/, flush_run()
 *      writes the row, and flush_done() answers only after COMMIT.
 *      (durability=batch: fsync only.)
 *  F3  A failed write or flush is final: no later close succeeds.  Only
 *      took_hold() clears `failed`, and then the file has another name.  (A
 *      flush that lacked a descriptor lost nothing: put_off, and it is tried
 *      again.)
 *  F4  The row of a file never promises more than what is on disk.  Before the
 *      first change after a flush, dirty_again() marks the row as no longer
 *      true, durably.  (The row of a placeholder promises no byte: its mark may
 *      come up to TF_MARK_NS later, by tf_unflushed_keep(), which also makes
 *      the row of a file that has none and is open for long.)
 *  F5  A file is sealed with exactly the bytes, path and metadata of its entry.
 *      check_prepared() compares them in the transaction; the claim keeps name
 *      and metadata in place from tf_seal_prepare() on.
 *  F6  A file is always found.  tf_pending_leave() takes it out of memory only
 *      after the COMMIT that gave it its row in the node table; readers look
 *      here first, then at that table.
 *  F7  An ordinary file whose row says that it was written is sealed in the
 *      end, or what survived of it becomes a draft, and an entry says so.
 *      What survived of a file that was entered while it grew is sealed, too:
 *      growth.h.
 *
 * States (attr.state), and the function that makes each step:
 *
 *            tf_names_create()                  tf_names_create()
 *                   |                                  |
 *                   v          take_place()            v
 *             placeholder <-----------------------> draft <------------+
 *              |    |                                |  |              |
 *              |    | changed(),     take_place(),   |  |              |
 *              |    | write_nothing()  has writers   |  |              |
 *              |    v                                |  |              |
 *              |   open <----------------------------+  |              |
 *              |    |                                   |              |
 *              |    | last_release()                    |              |
 *              |    v                                   |              |
 *              |  frozen                                | move_run(),  |
 *              |    |                                   | several_run(),
 *              |    | several_run(),                    | tf_closing_run()
 *              v    v tf_closing_run()                  |              |
 *             sealed <----------------------------------+              |
 *                                                                      |
 *     placeholder, open or frozen, failed and without writers:         |
 *     tf_pending_become_draft() ---------------------------------------+
 *
 *  placeholder  Created and not written.  The last close makes it durable and
 *              does not freeze it.  tf_placeholder_rest() sets the time when
 *              the sealer seals it as an empty file; tf_vault_sync() and the
 *              seal of its attestation do so earlier.  fsync(2) through a
 *              handle makes it an open file (write_nothing()).
 *  open        Written, and somebody has a handle for writing.  May not take
 *              the name of a draft.
 *  draft       Has a temporary name, or is below a draft directory.  May be
 *              written again after its last close.  When it gets an ordinary
 *              name it becomes open if it has writers, a placeholder if it was
 *              never written, and else it is sealed in the transaction of the
 *              rename.  Publishing or sealing its attestation seals it, too.
 *  frozen      No writer is left.  Name and metadata may change until
 *              deadline_ns, which tf_pending_freeze() sets again after each
 *              change.  Then gather_due() hands the file to the sealer;
 *              tf_vault_sync() and tf_seal_dir() seal it earlier.  When a seal
 *              fails, try_again_later() sets the next time.
 *  sealed      tf_seal_settle() took it out of memory.  Handles for reading
 *              may still refer to it.
 *
 * Unlinked (`unlinked`): a placeholder or draft lost its name by
 * tf_drop_pending().  It lives until its last handle is gone, and then goes by
 * tf_pending_forget().
 *
 * Interrupted: `failed` is set by tf_pending_set_failed() and the last handle
 * for writing is gone.  tf_pending_tend() starts this for all but drafts:
 *  1. tf_pending_step_aside() claims the file; tf_pending_become_draft() gives
 *     it the name NAME.TIME.interrupted.part and keeps the old one in `meant`;
 *     renamed_run() says so in its row, if it has one.  NAME is free.
 *  2. surviving() reads and hashes what is left, without a lock.
 *  3. record() commits interrupted_run(): the entry and the row of the draft in
 *     one transaction.  took_hold() clears `failed`.
 * When 2 or 3 fails, the draft stays failed and the next start goes on.
 * Before 1, tf_grow_survives() seals a file of which chunks are entered, if it
 * still has them.
 *
 * After a crash tf_recover_load() makes a node of each row, and
 * tf_recover_file() decides by bytes, digest and the mark of F4:
 *  - a draft whose bytes are those of its row: draft;
 *  - not written, and its bytes are those of its row: placeholder;
 *  - written, not marked, and its bytes are those of its row: frozen, and
 *    sealed by tf_seal_files() with the cause "recovery";
 *  - all else, and those with `meant`: interrupted, as above.
 * A long file waits for its comparison while the mount serves: finish_later()
 * sets `unchecked`, then tf_pending_check() compares, and seal_recovered() or
 * tf_pending_interrupt() ends it.  tf_orphans_remove() deletes staged files
 * without a row: they were not written for longer than TF_MARK_NS.
 *
 * LOCKS
 *
 * io guards the content, vault.mu all other fields; io is taken before mu, and
 * the committer's thread takes mu only.  The claim (`job`) is no mutex: it is
 * set under mu and says that one change of this node is on its way through the
 * committer.  Nobody else then changes its name, metadata or place, or flushes
 * it; they wait on vault.changed (tf_pending_wait(), tf_pending_claim()).
 *
 *  write   Holds io from beginning to end and mu for moments.  Commits the mark
 *          of F4 with io held, mu not.  Does not wait for a claim with io held.
 *  flush   tf_flush() claims with io and mu held; build_flush() syncs with io
 *          held; flush_done() ends the claim in the committer's thread, under
 *          mu.  tf_flush() lets go of io before it waits for another claim.
 *  seal    Claims files without writers; opening them needs the claim, so their
 *          bytes stay.  tf_seal_link() takes io for a moment.
 *  rename, unlink, chmod, setxattr
 *          Claim under mu and let go of mu before they wait for the committer.
 *          tf_pending_detach() takes io of a file that loses its name.
 *  grow    Syncs and hashes without a lock, then claims for its transaction.
 *  tend    Takes io for moments and no claim but that of tf_flush().  While
 *          on_duty is set, the sealer leaves the file alone.
 *
 * Nobody waits for a claim who holds another: see let_go() of rename.c,
 * seal_wanted() and claim_below().
 */
#ifndef TF_NODE_PENDING_H
#define TF_NODE_PENDING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/crypto.h"
#include "../json.h"
#include "background.h"
#include "hash_task.h"
#include "pending_index.h"

struct tf_chunked;
struct tf_encrypted;
struct tf_file;
struct tf_growth;
struct tf_interruption;
struct tf_kept_recipients;
struct tf_secret;
struct tf_sha256;
struct tf_text;
struct tf_vault;

#define TF_WRITERS_MAX 32 /* uids that may hold one file open */

/* A caller that waits for a flush. */
struct tf_waiter {
	struct tf_waiter *next;
	void (*done)(void *arg, enum tf_code code, const struct tf_error *err);
	void *arg;
};

/*
 * A pending node.  mu guards the fields up to io, and io those after it, unless
 * a comment says otherwise.
 *
 * A user may have a hundred thousand of them, and the daemon stays below 128 MB
 * (tests/mount/test_memory.c).  So what few nodes need is behind a pointer, and
 * flags and numbers of 32 bits stand together.
 */
struct tf_pending {
	struct tf_vault *v;
	struct tf_attr attr;
	char *name; /* to be read with mu or with a claim */
	size_t name_len;
	uint64_t att, wf; /* attestation (or draft) and workflow above */
	size_t names;	  /* pending below it; of a draft attestation only */

	bool in_draft;	  /* below a draft directory or attestation */
	bool unlinked;	  /* has no name any more */
	bool saved;	  /* has a row in stage */
	bool stale;	  /* ... with older metadata */
	bool marked;	  /* ... which says that it is no longer true */
	bool put_off;	  /* its flush lacked a descriptor, try again */
	bool hollow;	  /* its row is that of a placeholder */
	bool moving;	  /* its bytes are about to move to its staged file */
	bool job;	  /* claimed */
	bool wants_check; /* tend it: compare its bytes, see unchecked */
	bool unchecked;	  /* its bytes were not yet compared with the digest of
			   * the row that the last process left */
	bool on_duty, again; /* again: tend it once more afterwards */
	bool wrote;	     /* it was written through a handle */
	bool holds;	     /* has a descriptor, counted for holds_uid */
	bool recorded;	     /* the entry about its failure is committed */
	bool indexed;	     /* found by name and place */
	bool flush_enters;   /* the flush under way appends evidence.flushed */

	unsigned refs;
	unsigned writers; /* open handles for writing */
	uint32_t writer;  /* the uid that has them */
	unsigned readers; /* open handles for reading; of a directory: all */
	unsigned n_uids;
	uint32_t few[2];      /* room for uids, while it is enough */
	uint32_t charged_uid; /* who has `charged` */
	uint32_t counted_uid; /* ... and `counted` */
	uint32_t holds_uid;
	enum tf_code failed; /* F3; TF_OK: it has not failed */
	uint32_t priority;   /* in all treaps */

	uint32_t *uids;	      /* all that had it open for writing, sorted */
	struct tf_duty duty;  /* tends it, while on_duty */
	uint64_t mark_ns;     /* when tf_unflushed_keep(); boot clock, or 0 */
	uint64_t charged;     /* bytes, to the quota of charged_uid */
	uint64_t charged_for; /* bytes of content, of which that follows */
	uint64_t to_encrypt;  /* bytes of the age file that it needs still */
	uint64_t entered;     /* bytes of it that evidence.grown is about */
	uint64_t entered_seq; /* the last of these entries */
	struct tf_chunked *chunked; /* for its seal, see chunked.h; or NULL */
	uint64_t counted; /* names, to that of counted_uid; 0: not yet */
	struct tf_pending *holds_next,
	    *holds_prev;       /* with the same holds_uid */
	struct tf_text *actor; /* canonical JSON: last writer, or renamer */
	/* Whose writes the kernel may have collected; or NULL. */
	struct tf_file *expecting;
	struct tf_buf xattrs;		 /* canonical JSON object, or empty */
	uint64_t frozen_ns, deadline_ns; /* boot clock */
	uint64_t retry_ns;		 /* the sealer does not look earlier */
	struct tf_error *failure; /* why it failed; NULL without memory */
	/* The name that it gave up because it failed, or NULL.  Its row has
	 * this name until the entry is committed.  Meanwhile it cannot be
	 * renamed, replaced or removed. */
	char *meant;
	/* That entry, while it is being made; or NULL. */
	struct tf_interruption *interruption;
	struct tf_growth *growth; /* it is entered while it grows; or NULL */

	pthread_mutex_t io;
	char *mem; /* the content, while it is short */
	size_t mem_cap;
	int fd;	       /* of stage/<id>, or -1 */
	bool in_file;  /* the content is that file */
	bool named;    /* its name survives a power cut */
	bool linked;   /* it may be an object: copy it to write */
	bool in_db;    /* the content is the inline object id */
	bool secret;   /* its staged form is encrypted, see secret.h (and mu) */
	uint64_t size; /* of the content */
	struct tf_staged_hash *hash; /* of that file; NULL: not hashed */
	uint64_t gen;		     /* counts changes of the content */
	uint64_t saved_gen;	     /* the last gen that is durable (and mu) */
	uint64_t compared_gen;	   /* ... compared with an equal object (mu) */
	struct tf_hash digest;	   /* of saved_gen (and mu) */
	struct tf_waiter *waiters; /* for the flush under way (mu) */
	uint64_t flushing_gen;	   /* the gen that is flushed (mu) */
	/* Durability org: changes below what was flushed, so that the forwarder
	 * may have found other bytes (mu); and how far that reaches (io). */
	uint64_t rewrites, flush_mark;
	uint64_t flushed_gen; /* ... in its last evidence.flushed (mu) */
	/* Content of a trail with recipients: see secret.h and encrypted.h. */
	struct tf_secret *key;		/* of the staged form; NULL: not read */
	struct tf_kept_recipients *to;	/* of its first byte (and mu) */
	struct tf_encrypted *encrypted; /* the age file; or NULL (and mu) */

	struct tf_pending *id_next, *name_next; /* hash chains */
	struct tf_pending_place at;		/* while it is indexed */
	struct {
		struct tf_pending *left, *right;
	} link[TF_PENDING_ORDERS]; /* treaps */
};

/* mode without setuid and setgid, for a file whose bytes or owner changed. */
static inline uint32_t
tf_mode_without_ids(uint32_t mode)
{
	return mode & ~04000u & ((mode & 010) != 0 ? ~02000u : ~0u);
}

/* Callers of all functions below hold vault.mu, unless a comment says
 * otherwise. */
/* A new node with one reference, which tf_pending_insert() takes; NULL: no
 * memory. */
struct tf_pending *tf_pending_new(struct tf_vault *v,
    const struct tf_attr *attr, const char *name, size_t n);
/* Let l fail for good (F3), unless it has failed before. */
void tf_pending_set_failed(struct tf_pending *l, enum tf_code rc,
    const struct tf_error *e);
/* Returns the code of the failure and fills err. */
enum tf_code tf_pending_failure(const struct tf_pending *l,
    struct tf_error *err);
/* Note that uid writes l.  TF_DENIED: TF_WRITERS_MAX others have written it. */
TF_MUST_USE enum tf_code tf_pending_note_writer(struct tf_pending *l,
    uint32_t uid, struct tf_error *err);

void tf_pending_ref(struct tf_pending *l);
/* Frees l with the last reference.  NULL is nothing. */
void tf_pending_unref(struct tf_pending *l);

static inline bool
tf_pending_is_file(const struct tf_pending *l)
{
	return l->attr.kind == TF_KIND_EVIDENCE;
}

/*
 * Was l written? If not, no close freezes it and no rename seals it.
 * truncate(2) to size 0 does not count as a write, but a file with bytes was
 * written, however they came.
 */
static inline bool
tf_pending_written(const struct tf_pending *l)
{
	return l->wrote || l->attr.size > 0;
}

/* As how many names does l count in the quota?  Attributes take memory, too. */
static inline uint64_t
tf_pending_names(const struct tf_pending *l)
{
	return 1 + l->xattrs.n / 1024;
}

/* A placeholder that nobody has open for writing. */
static inline bool
tf_pending_rests(const struct tf_pending *l)
{
	return l->attr.state == TF_STATE_PLACEHOLDER && l->writers == 0;
}

/* Was each byte of the staged file written once, in order, so that the hasher
 * can follow the writer?  io is held, mu need not be. */
static inline bool
tf_pending_in_order(const struct tf_pending *l)
{
	return l->hash != NULL && l->hash->in_order && l->hash->n_ahead == 0;
}

/* It was not: the flush hashes the whole file. */
static inline void
tf_pending_disorder(struct tf_pending *l)
{
	if (l->hash != NULL)
		l->hash->in_order = false;
}

/* Is everything on stable storage, and the digest that of the row?  Of a new
 * file: is its existence? */
static inline bool
tf_pending_clean(const struct tf_pending *l)
{
	return l->gen == l->saved_gen;
}

/* Sort by age (by id), the order of their entries.  No lock is needed. */
void tf_pending_sort(struct tf_pending **l, size_t n);

#endif
