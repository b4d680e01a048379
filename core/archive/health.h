/*
 * health.json: how the vault was during the period of a package, as far as the
 * entries in the package say.  Writer and verifier of packages give it the entries,
 * and write the same text.  trailfs-package(5) has the format.
 */
#ifndef TF_ARCHIVE_HEALTH_H
#define TF_ARCHIVE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;
struct tf_entry;
struct tf_package_place;

enum tf_health_kind {
	TF_HEALTH_DOWN, /* no daemon: from `when` until `other` */
	TF_HEALTH_JUMP, /* of the clock: to `when`, it should be `other` */
	TF_HEALTH_INTERRUPTED, /* evidence, by a crash */
	TF_HEALTH_VERIFIED,    /* the vault, well or not */
};

/* Something that happened in the period. */
struct tf_health_event {
	enum tf_health_kind kind;
	uint64_t seq; /* its entry; of DOWN: that of the next daemon */
	struct tf_time when, other;
	bool ended;	   /* DOWN: other is valid */
	bool clean;	   /* DOWN: the daemon before ended in order */
	bool whole;	   /* VERIFIED: all contents were read */
	uint64_t entries;  /* VERIFIED: of the tree */
	uint64_t findings; /* VERIFIED */
	char *text;	   /* INTERRUPTED: path; VERIFIED: the verdict */
	char *actor;	   /* VERIFIED: raw JSON, or NULL */
};

/* Begin with zeros; free with tf_health_free. */
struct tf_health {
	bool begun, ended;   /* the period */
	struct tf_time from; /* valid if it has begun */
	struct tf_time last; /* of the last entry of the period, or before */
	/* Sessions that were opened in the period, by a daemon or another
	 * program, and those that were ended without a ledger.closed. */
	uint64_t daemons, others, cut;
	uint64_t denied, closed; /* refused attempts, in that many sessions */
	uint64_t observed, unsynchronised; /* states of the clock */
	uint64_t moved; /* entries at whose making the clock was not at `at` */
	struct tf_health_event *e;
	size_t n, cap;
	/* The state. */
	bool up;	      /* a daemon has the vault open */
	bool down;	      /* none has */
	bool other;	      /* another program has it open */
	bool down_clean;      /* valid if down, as below */
	struct tf_time since; /* when it went down */
};

/* Take the next entry of the package.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_health_add(struct tf_health *h,
    const struct tf_package_place *p, const struct tf_entry *e,
    struct tf_error *err);

/* After the last entry: a window that is open is an event without an end.
 * Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_health_end(struct tf_health *h,
    struct tf_error *err);

/* Append health.json to out. */
TF_MUST_USE enum tf_code tf_health_json(const struct tf_health *h,
    const struct tf_package_place *p, struct tf_buf *out, struct tf_error *err);

void tf_health_free(struct tf_health *h);

#endif
