/*
 * An audit: one pass over entries from some source (a store, a log as files),
 * the same checks for all.  audit.c is the pass; audit_*.c are the sources.
 */
#ifndef TF_AUDIT_AUDIT_H
#define TF_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../verify.h"

struct tf_content;
struct tf_entry;
struct tf_pool;
struct tf_replay;
struct tf_replay_effect;
struct tf_temp_table;

struct tf_audit {
	const struct tf_verify *v;
	struct tf_report *r;
	struct tf_vkey vkey;
	struct tf_checkpoint head; /* what is checked: its size counts */
	bool head_good;
	struct tf_held { /* checkpoints that must be of our past */
		struct tf_checkpoint c;
		bool wanted;
		const char *what;
	} held[2]; /* somebody's, and the one beside the store */
	struct tf_tree *tree;
	struct tf_replay *replay;
	struct tf_temp_table *table;	      /* what the replay remembers */
	struct tf_pool *pool;		      /* NULL: contents are ABSENT */
	struct tf_hash stored[TF_TILE_WIDTH]; /* level-0 tile at hand */
	unsigned stored_width;
	uint64_t next;		/* entries seen */
	bool unseen;		/* some entries could not be looked at */
	bool cut;		/* those at the end, so that no tree is known */
	struct tf_error unable; /* the machine failed: nothing is decided */
	struct tf_buf shown;
	const struct tf_source *source;
	void *self; /* the source's own */
};

/* Where entries, tiles and names come from. */
struct tf_source {
	/* Call tf_audit_entry for each entry below head.size, in order. */
	enum tf_code (*entries)(struct tf_audit *a, struct tf_error *err);
	/* A source that has only some entries: is this one under the head's
	 * root?  What is wrong is a finding.  NULL: all are there, and tile
	 * and tree are compared. */
	enum tf_code (*prove)(struct tf_audit *a, uint64_t idx,
	    struct tf_str path, const struct tf_hash *leaf,
	    struct tf_error *err);
	/* First width hashes; an error is told by tf_audit_trouble. */
	enum tf_code (*tile)(struct tf_audit *a, unsigned level, uint64_t n,
	    unsigned width, struct tf_hash *out, struct tf_error *err);
	/* A name was born: compare names, queue contents. */
	enum tf_code (*created)(struct tf_audit *a, const struct tf_entry *e,
	    const struct tf_replay_effect *x, struct tf_error *err);
	/* Who reads the evidence e->node is another from now on.  May be
	 * NULL. */
	void (*access)(struct tf_audit *a, const struct tf_entry *e);
	/* Payload of a statement, onto out; likewise.  NULL: statements cannot
	 * be seen. */
	enum tf_code (*payload)(struct tf_audit *a, const struct tf_entry *e,
	    struct tf_buf *out, struct tf_error *err);
	/* After the last entry.  May be NULL. */
	enum tf_code (*end)(struct tf_audit *a, struct tf_error *err);
};

void tf_audit_finding(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* The same of what does not touch the evidence, or proves nothing. */
void tf_audit_remark(struct tf_audit *a, enum tf_check l, enum tf_grade grade,
    struct tf_str path, const char *text);
/* The same of what could not be looked at: ABSENT, not FAILED. */
void tf_audit_unread(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *text);
/*
 * What kept something from being checked: a finding, "WHAT: why", unless the
 * machine failed.  Then the audit goes on, and ends with that.
 */
void tf_audit_trouble(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *what, const struct tf_error *why);
/* There was no memory to check something: the audit ends with that. */
void tf_audit_no_memory(struct tf_audit *a);
/* The error of the machine that kept anything from being checked. */
TF_MUST_USE enum tf_code tf_audit_able(const struct tf_audit *a,
    struct tf_error *err);
extern const struct tf_str tf_nowhere;

/* Take vkey and earlier checkpoint from v; own: the store's vkey, or NULL. */
TF_MUST_USE enum tf_code tf_audit_new(const struct tf_verify *v,
    const char *own, struct tf_report *r, struct tf_audit **out,
    struct tf_error *err);
void tf_audit_free(struct tf_audit *a);
/* The note of the newest checkpoint; no bytes are not NULL. */
void tf_audit_head(struct tf_audit *a, struct tf_str note);
/* Of what has no more than the head: the one held from earlier must be that
 * very tree, or nothing can be said. */
void tf_audit_held_alone(struct tf_audit *a);
/* A copy of the head that lies beside the log. */
void tf_audit_beside(struct tf_audit *a, struct tf_str note);
/* The whole pass. */
TF_MUST_USE enum tf_code tf_audit_run(struct tf_audit *a, struct tf_error *err);
/* One entry, from the source. */
TF_MUST_USE enum tf_code tf_audit_entry(struct tf_audit *a, uint64_t idx,
    const void *body, size_t n, struct tf_error *err);
/* The source has no more entries, and nobody can tell whether somebody took
 * them: what depends on them is ABSENT. */
void tf_audit_cut(struct tf_audit *a, const char *why);
/* Queue contents for the pool. */
TF_MUST_USE enum tf_code tf_audit_content(struct tf_audit *a, uint64_t seq,
    struct tf_str path, uint64_t object, const struct tf_content *want,
    struct tf_error *err);

#endif
