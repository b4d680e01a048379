/*
 * An audit: one pass over the entries of a source, with the same checks for
 * every source.  audit.c is the pass; tree.c and statement.c check the tree and
 * the statements for it.  The sources are store.c (a store), log.c (a log as
 * files) and package.c (an evidence package).  An audit needs no private key
 * (I6).
 *
 * One thread drives an audit; the threads of its pool only hash.
 */
#ifndef TF_AUDIT_AUDIT_H
#define TF_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../ledger/rotation.h"
#include "../verify.h"
#include "pieces.h"

struct tf_audit_org;
struct tf_content;
struct tf_entry;
struct tf_pool;
struct tf_quorum_count;
struct tf_replay;
struct tf_replay_effect;
struct tf_temp_table;

#define TF_HELD 6

struct tf_audit {
	const struct tf_verify *v;
	struct tf_report *r;
	struct tf_vkey vkey;	   /* that the caller trusts */
	struct tf_log_keys keys;   /* those before and after it */
	struct tf_checkpoint head; /* newest; its size bounds the pass */
	bool head_good;		   /* head has a valid signature */
	struct tf_held {	   /* checkpoints that this log must contain */
		struct tf_checkpoint c;
		bool wanted;   /* c is valid and must be compared */
		bool unproven; /* but for a key that an entry must name */
		bool late;     /* it was unproven when the pass began */
		bool differs;  /* the entries have another root */
		/* For a source without all entries: the root at that size was
		 * proven, and it is another one. */
		bool proven, contradicted;
		const char *what; /* its name in findings */
	} held
	    [TF_HELD]; /* the caller's, the file beside the database, the guard,
			* the longest of a mirror or witness that refused,
			* the guard of the last start, the newest signed tree if
			* entries come after it */
	struct tf_tree *tree;
	struct tf_replay *replay;
	struct tf_temp_table *table;	      /* memory of the replay */
	struct tf_pool *pool;		      /* NULL: contents are ABSENT */
	struct tf_hash stored[TF_TILE_WIDTH]; /* current level-0 tile */
	unsigned stored_width;
	uint64_t next;		  /* index of the next entry */
	bool unseen;		  /* some entries could not be read */
	struct tf_audit_org *org; /* of the log of an organisation; else NULL */
	/* Entry 0 is of a later version: the entries are not those of one vault,
	 * and only their bytes are judged. */
	bool later;
	bool cut; /* the last entries are not there: no tree */
	struct tf_quorum_count *quorum; /* NULL: no policy */
	struct tf_error unable;		/* I/O or memory failed: no verdict */
	struct tf_growing growing;	/* evidence that is not sealed yet */
	struct tf_pieces *pieces;	/* of the evidence of this entry */
	struct tf_buf absent;	       /* evidence whose bytes were not there */
	struct tf_buf shown;	       /* path of a finding, safe to print */
	struct tf_audit_times {	       /* entries' own times */
		struct tf_time newest; /* of the newest entry */
		bool any;	       /* a time stamp without fault */
		bool counts;	       /* one of a trusted authority */
		struct tf_time at; /* tf_stamps_time(), the latest of these */
	} stamp;
	const struct tf_source *source;
	void *self; /* belongs to the source */
};

/*
 * Where entries, tiles and names come from.  A callback reports faults of the
 * evidence as findings and returns TF_OK.  Another code ends the audit, except
 * where a comment below says otherwise.
 */
struct tf_source {
	/* Call tf_audit_entry for each entry below head.size, in order. */
	enum tf_code (*entries)(struct tf_audit *a, struct tf_error *err);
	/* For a source that has only some entries: check that leaf is entry
	 * idx under the root of head.  NULL: the source has all entries, and
	 * the audit compares tiles and tree. */
	enum tf_code (*prove)(struct tf_audit *a, uint64_t idx,
	    struct tf_str path, const struct tf_hash *leaf,
	    struct tf_error *err);
	/* Set the first width hashes of a tile.  The audit passes an error to
	 * tf_audit_trouble. */
	enum tf_code (*tile)(struct tf_audit *a, unsigned level, uint64_t n,
	    unsigned width, struct tf_hash *out, struct tf_error *err);
	/* Entry e created a name: compare names, queue contents. */
	enum tf_code (*created)(struct tf_audit *a, const struct tf_entry *e,
	    const struct tf_replay_effect *x, struct tf_error *err);
	/* Entry e changed owner, group or mode of the evidence e->path.  May
	 * be NULL. */
	void (*access)(struct tf_audit *a, const struct tf_entry *e);
	/* Entry e follows the rules: compare what it says beyond names, and
	 * queue the bytes that it names.  May be NULL. */
	enum tf_code (*said)(struct tf_audit *a, const struct tf_entry *e,
	    const struct tf_replay_effect *x, struct tf_error *err);
	/* Check the texts of entry e that stand apart from it.  May be NULL. */
	enum tf_code (*texts)(struct tf_audit *a, const struct tf_entry *e,
	    struct tf_error *err);
	/* Append the payload of the statement of e to out.  The audit passes
	 * an error to tf_audit_trouble.  NULL: the source has no
	 * statements. */
	enum tf_code (*payload)(struct tf_audit *a, const struct tf_entry *e,
	    struct tf_buf *out, struct tf_error *err);
	/* Checks to make after the last entry.  May be NULL. */
	enum tf_code (*end)(struct tf_audit *a, struct tf_error *err);
};

/*
 * Begin an audit with the key of v; v and r must outlive the audit. own is the key
 * of the store, used if v has none, or NULL.  The caller sets source, self and
 * pool, and frees *out with tf_audit_free.  Errors: TF_USAGE no key; TF_INVALID the
 * key is malformed; TF_NOMEM; TF_IO.
 */
TF_MUST_USE enum tf_code tf_audit_new(const struct tf_verify *v,
    const char *own, struct tf_report *r, struct tf_audit **out,
    struct tf_error *err);
void tf_audit_free(struct tf_audit *a);
/* Learn rotations of the log's key from an entry, whose place nobody has checked
 * yet: the signatures in it decide.  A source shows all entries before it calls one
 * of the functions below, so that each checkpoint is checked with the key that was
 * good at its size. */
TF_MUST_USE enum tf_code tf_audit_learn(struct tf_audit *a, const void *entry,
    size_t n, struct tf_error *err);
/* The key that the log has at the end, as far as the entries say. */
static inline const struct tf_vkey *
tf_audit_key(const struct tf_audit *a)
{
	return tf_log_keys_at(&a->keys, &a->vkey, a->head.size);
}

/* Check a note with a key of this log: see tf_log_keys_check(). */
TF_MUST_USE enum tf_code tf_audit_check_note(const struct tf_audit *a,
    struct tf_str note, struct tf_checkpoint *out, struct tf_error *err);
/* Take the earlier checkpoint of the caller, after tf_audit_learn().  One of another
 * log is a finding.  TF_INVALID: it is malformed. */
TF_MUST_USE enum tf_code tf_audit_earlier(struct tf_audit *a,
    struct tf_error *err);
/* Set head from the note of the newest checkpoint; a note that is not valid is
 * a finding.  note.p is not NULL, even if note.n is 0. */
void tf_audit_head(struct tf_audit *a, struct tf_str note);
/* The source has `size` entries, more than head, because the signer has not
 * signed those after it: they are checked with the rest, under root. */
void tf_audit_unsigned(struct tf_audit *a, uint64_t size,
    const struct tf_hash *root);
/* A source without all entries has proven that the tree of head begins with this
 * tree: compare the earlier checkpoint if it is of that size. */
void tf_audit_held_proven(struct tf_audit *a, uint64_t size,
    const struct tf_hash *root);
/* For such a source, after the pass: compare the earlier checkpoint with head.  If
 * no tree of its size was proven, TF_CHECK_EARLIER becomes ABSENT. */
void tf_audit_held_alone(struct tf_audit *a);
/* Add the checkpoint file beside the database: this log must contain it.  A
 * note of another log is ignored. */
void tf_audit_beside(struct tf_audit *a, struct tf_str note);
/* Add the guard: this log must contain it.  A note of another log, or a malformed
 * one, is a finding, except one that the log's key signed under another origin:
 * an earlier one of this log.  last: it is not the guard of the config but another
 * file, which the last start had. */
void tf_audit_guard(struct tf_audit *a, struct tf_str note, bool last);
/* Add a head that a mirror or a witness showed when it refused this log, which
 * must contain it.  A note that the log's key has not signed is ignored. */
void tf_audit_refused(struct tf_audit *a, struct tf_str note);
/*
 * Run the whole pass.  On TF_OK the report holds the verdicts.  On failure no
 * verdict is valid.
 */
TF_MUST_USE enum tf_code tf_audit_run(struct tf_audit *a, struct tf_error *err);
/* Check one entry; the source calls it.  The bytes stay the caller's. */
TF_MUST_USE enum tf_code tf_audit_entry(struct tf_audit *a, uint64_t idx,
    const void *body, size_t n, struct tf_error *err);
/* The source has no more entries, and it is unknown whether they were removed:
 * the checks that need them become ABSENT. */
void tf_audit_cut(struct tf_audit *a, const char *why);
/*
 * What entry seq names at path is not there, or (read false) could not be read:
 * a finding, unless later entries say that it was redacted.  sha256: that of user
 * data of the attestation at path; NULL: evidence, or the report of one.  want: the
 * bytes that the entry names.
 */
void tf_audit_absent(struct tf_audit *a, uint64_t seq, struct tf_str path,
    const struct tf_hash *sha256, const struct tf_content *want, bool read,
    const char *text);
/* Queue the content of entry seq for the pool, with the pieces of that entry.
 * object is passed to the hash of the pool. */
TF_MUST_USE enum tf_code tf_audit_content(struct tf_audit *a, uint64_t seq,
    struct tf_str path, uint64_t object, const struct tf_content *want,
    struct tf_error *err);

#endif
