/*
 * A replica: a store that is made only from the entries, checkpoints and
 * objects of another store, for a mirror.  Its entries, tree and rows are those
 * of the source for all that is in the ledger; it has no private key, and no
 * program but the owner of a replica writes it.
 *
 * Promises:
 *  R1  The ledger of a replica only grows.  A commit takes a checkpoint that the
 *      log's key signed and whose root follows from the entries that are there.
 *  R2  An entry that breaks a rule of trailfs-entries(5) is refused, and nothing
 *      of its batch stays.
 *  R3  Each object was hashed here, and is durable before an entry names it.
 *  R4  A batch is one transaction: after a crash it is there whole, or not at
 *      all, and `trailctl verify` finds the replica in order in both cases.
 *
 * The order of one batch:
 *
 *	tf_replica_begin
 *	  for each entry: its objects that tf_replica_has does not know
 *			  (tf_replica_object_*), then tf_replica_entry
 *	tf_replica_commit
 *
 * Objects that tf_replica_object_keep keeps are durable by themselves and may be
 * kept before tf_replica_begin too.
 *
 * After a failure of tf_replica_entry or tf_replica_commit the replica can only
 * be closed: nothing of the batch is there, and the replay has to begin anew.
 * One thread at a time may use a replica.  Errors beside those named: TF_NOMEM,
 * TF_NOSPACE, TF_IO and its sharper forms.
 */
#ifndef TF_ANCHOR_REPLICA_H
#define TF_ANCHOR_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"
#include "../ledger/checkpoint.h"

struct tf_replica;

/* Longer objects than this go through a file (object_open), shorter ones may be
 * given at once (object_put). */
#define TF_REPLICA_OBJECT_MAX 65536 /* bytes */

/*
 * Make the directory path, which is absent or empty, an empty replica of the log
 * with the verifier key vkey (its text) and the store id of 32 hex digits.
 * After TF_OK it survives power loss; after a failure nothing that the call made
 * is left.  Errors: TF_EXISTS, TF_INVALID (vkey or id), TF_FOREIGN.
 */
TF_MUST_USE enum tf_code tf_replica_create(const char *path, const char *vkey,
    const char *store, struct tf_error *err);
/* Can a replica be made at path?  It is absent or empty, or a process was killed
 * while it made one there, which tf_replica_open does not find. */
bool tf_replica_is_free(const char *path);

/*
 * Open a replica for writing and lock it.  Reads all entries, to have the state
 * of the replay: the time grows with the log, the memory does not.
 * Errors: TF_NOTFOUND; TF_FOREIGN no replica; TF_LOCKED; TF_TAMPER its entries,
 * tree and checkpoint do not agree.
 */
TF_MUST_USE enum tf_code tf_replica_open(const char *path,
    struct tf_replica **out, struct tf_error *err);
/* Undo a batch that was begun and not committed, and free r.  NULL: does
 * nothing. */
void tf_replica_close(struct tf_replica *r);

/* The head: origin, size and root of the newest commit.  Size 0: no commit yet;
 * the origin is then that of the key.  Valid until the next commit. */
const struct tf_checkpoint *tf_replica_head(const struct tf_replica *r);
/* The note of the head, with all its signature lines; n 0 before the first
 * commit. */
struct tf_str tf_replica_note(const struct tf_replica *r);
/* The key in force and the id of the store. */
const struct tf_vkey *tf_replica_vkey(const struct tf_replica *r);
/* Learn rotations of the log's key before their entries come: a replica that was
 * made with the newest key takes what an earlier one has signed, too. */
struct tf_log_keys;
TF_MUST_USE enum tf_code tf_replica_learn(struct tf_replica *r,
    const struct tf_log_keys *keys, struct tf_error *err);
const char *tf_replica_store(const struct tf_replica *r);
/* The directory of the replica, for files that belong to the mirror:
 * keys/mirror.key, keys/mirror.vkey, incoming/, refused/. */
int tf_replica_dirfd(const struct tf_replica *r);

/* --- objects ----------------------------------------------------------------- */

/* Set *yes if the replica has the object of digest h, kept or put. */
TF_MUST_USE enum tf_code tf_replica_has(struct tf_replica *r,
    const struct tf_hash *h, bool *yes, struct tf_error *err);

/*
 * In a batch: take an object of up to TF_REPLICA_OBJECT_MAX bytes.  Durable with
 * the commit.  TF_TAMPER: the bytes do not have the digest h; nothing changed,
 * and the batch may go on.
 */
TF_MUST_USE enum tf_code tf_replica_object_put(struct tf_replica *r,
    const struct tf_hash *h, const void *p, size_t n, struct tf_error *err);

/*
 * Open the file incoming/HEX of the object with digest h, for the caller to
 * write from *have on, which is how many bytes an earlier transfer has left
 * there.  The caller closes *fd.
 */
TF_MUST_USE enum tf_code tf_replica_object_open(struct tf_replica *r,
    const struct tf_hash *h, int *fd, uint64_t *have, struct tf_error *err);
/*
 * The file incoming/HEX is complete: hash it, and make it an object, durable on
 * TF_OK.  size is that of the entry or of the source's announcement.
 * TF_TAMPER: its size or digest is another; the file is deleted, so that the
 * next transfer begins anew.
 */
TF_MUST_USE enum tf_code tf_replica_object_keep(struct tf_replica *r,
    const struct tf_hash *h, uint64_t size, struct tf_error *err);

/* The size of a text that stands apart, which its entry does not say: at most
 * TF_WITHHELD_MAX. */
#define TF_REPLICA_TEXT UINT64_MAX
/*
 * Call fn for each content that an entry names and a replica needs as an object:
 * evidence, definitions, user data, reports, statements, lists of readers, texts.
 * Stops at the first code other than TF_OK and returns it.  TF_INVALID: the
 * bytes are no entry.
 */
typedef enum tf_code (*tf_replica_named_fn)(void *arg, const struct tf_hash *h,
    uint64_t size, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replica_named(const void *entry, size_t n,
    tf_replica_named_fn fn, void *arg, struct tf_error *err);

/* --- sparse replicas ---------------------------------------------------------- */

/*
 * A sparse replica needs no evidence: tf_replica_entry accepts evidence whose bytes
 * are absent, and owes nothing.  It says so to everybody who opens it.  blobs: where
 * the bytes are, for people.  Not in a batch.
 */
bool tf_replica_is_sparse(const struct tf_replica *r);
TF_MUST_USE enum tf_code tf_replica_make_sparse(struct tf_replica *r,
    const char *blobs, struct tf_error *err);
/*
 * Make a sparse replica whole: call fn for the object of each evidence whose bytes
 * are absent.  fn gives it (tf_replica_object_open, tf_replica_object_keep), or sets
 * *absent: nobody has it.  Not in a batch.  TF_TAMPER: an object is absent, and no
 * redaction is recorded; what came stays.
 */
typedef enum tf_code (*tf_replica_fill_fn)(void *arg, const struct tf_hash *h,
    uint64_t size, bool *absent, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replica_fill(struct tf_replica *r,
    tf_replica_fill_fn fn, void *arg, struct tf_error *err);

/* --- redacted evidence ---------------------------------------------------------- */

/*
 * A redaction at the source deletes nothing here: the operator of the replica
 * decides.  tf_replica_held calls fn for each file whose bytes are here although
 * a redaction is recorded, with the entry of that.  tf_replica_erase_held deletes
 * those bytes, from rows, files, old pages and the log of the database; after a
 * crash the next opening does the rest.  Not in a batch.  TF_LOCKED: a reader
 * needs old pages; the bytes are gone but for those.
 */
typedef enum tf_code (*tf_replica_held_fn)(void *arg, const char *path,
    uint64_t size, uint64_t entry, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replica_held(struct tf_replica *r,
    tf_replica_held_fn fn, void *arg, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replica_erase_held(struct tf_replica *r,
    struct tf_error *err);

/* --- entries ----------------------------------------------------------------- */

/* Begin a batch.  TF_USAGE: one was begun, or the replica failed before. */
TF_MUST_USE enum tf_code tf_replica_begin(struct tf_replica *r,
    struct tf_error *err);
/*
 * Append the bytes of the next entry, and what follows from it.  TF_TAMPER: it
 * breaks a rule, or an object that it names is absent; err says which.  Absent
 * evidence and texts are accepted here, and owed until their redaction.done comes.
 */
TF_MUST_USE enum tf_code tf_replica_entry(struct tf_replica *r,
    const void *bytes, size_t n, struct tf_error *err);
/* Set *size to the number of entries that are stamped, if the entry records a
 * time stamp, else to 0.  TF_INVALID: the bytes are no entry. */
TF_MUST_USE enum tf_code tf_replica_stamp(const void *entry, size_t n,
    uint64_t *size, struct tf_error *err);
/*
 * In a batch, before the tf_replica_entry that records a time stamp: the
 * checkpoint that was stamped, which the replica keeps.  That entry is refused if
 * the note is not of its tree, of the key in force, with one signature line;
 * every other entry is refused after this.  Without it the stamp proves nothing
 * at the replica.
 */
TF_MUST_USE enum tf_code tf_replica_stamped(struct tf_replica *r,
    const void *note, size_t n, struct tf_error *err);
/*
 * End the batch with the checkpoint `note` of exactly the entries up to here,
 * signed by the key in force.
 *
 * On TF_OK with *done true all of the batch is durable, and the note is the head
 * of the replica.  On TF_OK with *done false nothing is durable yet and the batch
 * goes on, because evidence is owed that only later entries can show to be
 * redacted: give more entries and commit again; after the last entry of the
 * source this means that the source did not give an object that it must have.
 *
 * Errors: TF_TAMPER: another root or size, or a wrong signature; TF_FOREIGN:
 * another origin, or the log goes on under a key that this replica does not
 * know; TF_INVALID: the note is malformed.
 */
TF_MUST_USE enum tf_code tf_replica_commit(struct tf_replica *r,
    const void *note, size_t n, bool *done, struct tf_error *err);
/* In a batch: is note a checkpoint of the entries up to here?  Nothing ends.  The
 * errors are those of a commit with it. */
TF_MUST_USE enum tf_code tf_replica_compare(struct tf_replica *r,
    const void *note, size_t n, struct tf_error *err);
/* The number of entries, with those of the batch. */
uint64_t tf_replica_size(const struct tf_replica *r);
/* The path of evidence that is owed, for messages; "" if none is.  Valid until
 * the next call. */
const char *tf_replica_owed(struct tf_replica *r);

#endif
