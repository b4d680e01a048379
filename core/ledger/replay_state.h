/*
 * The state of a replay, shared by the replay_*.c files and private to them,
 * and what all of them need: reports of broken rules, and parts of paths.
 * Paths are those of entries, so each has legal names; the results point into
 * the argument.  One thread at a time may use a replay.
 */
#ifndef TF_LEDGER_REPLAY_STATE_H
#define TF_LEDGER_REPLAY_STATE_H

#include "replay.h"

#define TF_REPLAY_OPEN UINT64_MAX
#define TF_REPLAY_WRITE_BITS 0222u
/* A rule is broken and was reported: no effect, and the replay goes on. */
#define TF_REPLAY_REPORTED TF_INVALID

struct tf_replay {
	void (*fail)(void *arg, const struct tf_entry *e, const char *text);
	void *arg;
	struct tf_replay_tree tree;
	uint64_t n_names; /* 0: the root is not created yet */
	uint64_t next_seq;
	bool any, gap;
	bool gaps; /* there was one */
	struct tf_time at;
	char origin[129], store[33];
	char *vkey, *attester, *host;
	bool in_batch;
	uint64_t batch_first, batch_last;
	/* evidence of the last statement, and the storage of its names */
	struct tf_subject_file listed[TF_STATEMENT_SUBJECTS];
	struct tf_buf listed_names;
	const struct tf_entry *e; /* the current entry */
	/* cache: a trail, and the version of its recipients */
	char secret_trail[TF_PATH_MAX];
	size_t secret_len; /* 0: none */
	uint64_t secret_version;
};

/* Report that the current entry breaks a rule.  Returns TF_REPLAY_REPORTED. */
enum tf_code tf_replay_broken(struct tf_replay *r, const char *text);

/* Compare with a text that ends with a NUL; false if text is NULL. */
bool tf_replay_same(struct tf_str s, const char *text);

/* Offset of the last name: of "c" in "a/b/c". */
size_t tf_replay_last_part(struct tf_str path);
/* "a/b" of "a/b/c"; "." of "a". */
struct tf_str tf_replay_parent_path(struct tf_str path);
/* The trail at or above path: its first name. */
struct tf_str tf_replay_trail_path(struct tf_str path);
/* The attestation at or above path: at most the first three names. */
struct tf_str tf_replay_attestation_path(struct tf_str path);
/*
 * Write the path of the version before "NAME@N" to text, and set *out to it:
 * "NAME@(N-1)", or "NAME" for N 2.  False if path is of a first version.
 */
bool tf_replay_version_before(struct tf_str path, char text[TF_PATH_MAX + 16],
    struct tf_str *out);

bool tf_replay_is_sealed(const struct tf_replay_tree_dir *d);
/*
 * Get the directory that the current entry is about.  If there is none, report
 * what as the broken rule.  Errors: TF_REPLAY_REPORTED and those of the table.
 */
TF_MUST_USE enum tf_code tf_replay_subject(struct tf_replay *r,
    struct tf_replay_tree_dir *d, const char *what, struct tf_error *err);
/* Report an entry about attestation d, or in it, of which only one is marked as
 * imported. */
void tf_replay_check_imported(struct tf_replay *r,
    const struct tf_replay_tree_dir *d);
/* Set mode and owners of d to those of the entry. */
void tf_replay_set_access(struct tf_replay_tree_dir *d,
    const struct tf_entry *e);

#endif
