/*
 * The keys of a vault that is open: those of its start, or of a rotation since.
 * A state never changes, so a reader needs no lock; states live as long as the
 * vault.
 */
#ifndef TF_NODE_KEY_STATE_H
#define TF_NODE_KEY_STATE_H

#include "../ledger/rotation.h"

struct tf_db;
struct tf_vault;

struct tf_key_state {
	struct tf_vkey log;
	struct tf_pubkey attester;
	struct tf_log_keys rotations;
	struct tf_key_state *before; /* the one that it replaced */
};

/* The key of the log now, and that of the attester. */
const struct tf_vkey *tf_log_key(const struct tf_vault *v);
const struct tf_pubkey *tf_attester_key(const struct tf_vault *v);

/* Check a note of this log: see tf_log_keys_check(). */
TF_MUST_USE enum tf_code tf_vault_check_note(struct tf_vault *v,
    struct tf_str note, struct tf_checkpoint *out, struct tf_error *err);
/* The same with the rotations that db knows, which may be newer; *by, unless NULL,
 * becomes the key in force at the note. */
TF_MUST_USE enum tf_code tf_vault_check_note_in(const struct tf_vault *v,
    struct tf_db *db, struct tf_str note, struct tf_checkpoint *out,
    struct tf_vkey *by, struct tf_error *err);

/* A new state with the rotations of db, in which v's present keys are in force. */
TF_MUST_USE enum tf_code tf_key_state_new(const struct tf_vault *v,
    struct tf_db *db, struct tf_key_state **out, struct tf_error *err);
void tf_key_state_free(struct tf_key_state *s);

/* v uses the keys of s from now on, and keeps s.  In the committer's thread, or at
 * the start. */
void tf_key_state_use(struct tf_vault *v, struct tf_key_state *s);

/* The same for the key of the log alone, before v has other threads. */
void tf_log_key_set(struct tf_vault *v, const struct tf_vkey *k);

#endif
