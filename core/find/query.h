/* Queries as core/find.h defines them, parsed. */
#ifndef TF_FIND_QUERY_H
#define TF_FIND_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "../buffer.h"
#include "../find.h"

/* The kinds of facts in the index.  The numbers are in the file: a change of
 * one needs another form of the index. */
enum tf_find_kind {
	TF_FIND_SHA256 = 1, /* 32 bytes */
	TF_FIND_UID,	    /* decimal */
	TF_FIND_USER,
	TF_FIND_TYPE,
	TF_FIND_CONTROL,
	TF_FIND_ANNOTATION, /* KEY=VALUE */
	TF_FIND_NAME,	    /* the last name of a path; no filter of its own */
	/* TF_FIND_MOVED_VALUE: the clock's reading is not the time of the entry
	 * (tf_time_moved); no filter of its own */
	TF_FIND_MOVED,
	TF_FIND_BEHALF, /* for whom, as the claims say */
	/* KEY of an annotation whose text stands apart from its entry: the index
	 * must not have what may be redacted, so each answer is looked at */
	TF_FIND_APART,
};

#define TF_FIND_MOVED_VALUE "1"
/* The annotation that says for whom; also for the claim, in TF_FIND_APART. */
#define TF_FIND_BEHALF_KEY "on_behalf_of"
#define TF_FIND_FACTS 16 /* filters that are facts, at most */
#define TF_FIND_PARTS 8	 /* literal parts of a glob that are used */

struct tf_find_query {
	struct tf_buf text; /* memory of all strings below */
	struct tf_find_fact {
		enum tf_find_kind kind;
		struct tf_str value;
	} fact[TF_FIND_FACTS];
	size_t n_facts;
	/* Hex digits with which the digest of the evidence, or the annotation
	 * git_commit or artifact_fingerprint begins; or absent. */
	struct tf_str prefix;
	const char *glob;    /* or NULL */
	struct tf_str below; /* or absent */
	const char *status;  /* or NULL */
	struct tf_str hold;  /* or absent */
	const char *at;	     /* a moment (past.h), or NULL: the present */
	bool expired;
	bool has_since, has_until;
	struct tf_time since, until;
	uint64_t limit, before; /* before: UINT64_MAX without it */
	struct tf_str exact; /* the glob, if it is a name without wildcards */
	/* Every path that the glob matches contains these, if '/' is put before
	 * and behind the path. */
	struct tf_buf part_text;
	struct tf_str part[TF_FIND_PARTS];
	size_t n_parts;
	/* The glob is about names that begin so, and nothing else narrows the
	 * search; or absent. */
	struct tf_str head;
	/* The glob is about names and has no such part: look at all names, or
	 * those that begin as head says. */
	bool scan;
};

/* Parse text.  Free *out with tf_find_query_free, also on failure.  TF_INVALID,
 * TF_NOMEM. */
TF_MUST_USE enum tf_code tf_find_query_parse(const char *text,
    struct tf_find_query *out, struct tf_error *err);
void tf_find_query_free(struct tf_find_query *q);

/* Facts that begin as the prefix of a query says: those of one kind whose values
 * are from low to high.  key is 0 to TF_FIND_PREFIXES - 1: the annotations, and
 * the digest of evidence. */
#define TF_FIND_PREFIXES 3
struct tf_find_span {
	enum tf_find_kind kind;
	char low[96], high[96];
	size_t n_low, n_high;
};
struct tf_find_span tf_find_span(const struct tf_find_query *q, int key);
/* Does a fact begin so? */
bool tf_find_begins(const struct tf_find_query *q, enum tf_find_kind kind,
    struct tf_str value);

/* The KEY of KEY=VALUE. */
struct tf_str tf_find_key(struct tf_str annotation);

/* Does the glob (none: always) match the path, a string? */
bool tf_find_glob_matches(const struct tf_find_query *q, const char *path);

#endif
