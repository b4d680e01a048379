/*
 * A fresh organisation for each test, at each pair of engines: a directory, and
 * the lines "LEDGER BLOBS" of TRAILFS_ORG_PAIRS.  In both, {} becomes a name that
 * no other test has; the program TRAILFS_ORG_PREPARE gets it first as argument.
 */
#ifndef ORG_PAIR_H
#define ORG_PAIR_H

#include <check.h>
#include <stdlib.h>

#include "../../core/org/append.h"
#include "../../core/org/uri.h"

struct pair {
	char ledger_uri[1024], blobs_uri[1024];
	char dir[256]; /* of a directory pair, else "" */
	struct tf_ledger *l;
	struct tf_blobs *b;
};

int pair_count(void);
/* Make and open pair i, as an organiser. */
void pair_make(struct pair *p, int i);
void pair_end(struct pair *p);

/* A batch of n such entries. */
struct some_batch {
	struct tf_str entries[TF_BATCH_MAX];
	char *text;
	struct tf_batch b;
};
struct some_batch *batch_of(const char *origin, uint64_t number, size_t n,
    int salt);
void batch_free(struct some_batch *b);

/* Append, and ask again if the outcome is unknown. */
enum tf_code append(struct tf_ledger *l, const struct tf_batch *b,
    struct tf_appended *out);
/* The same with n entries; the test fails unless the answer is code. */
struct tf_appended added(struct tf_ledger *l, const char *origin,
    uint64_t number, size_t n, int salt, enum tf_code code);
void enrol(struct pair *p, const char *origin);
/* The next number of an origin. */
uint64_t next_of(struct tf_ledger *l, const char *origin);
/* Fail unless the ledger has exactly entries of salt 0, dense per origin and by
 * index; returns their number. */
uint64_t check_dense(struct tf_ledger *l);
uint64_t refusals(struct tf_ledger *l, struct tf_refused *last);

/* A file without a name with these bytes. */
int file_of(const void *p, size_t n);

#define ok(call)                                                 \
	do {                                                     \
		struct tf_error e_ = { 0 };                      \
		struct tf_error *err = &e_;                      \
		enum tf_code rc_ = (call);                       \
		ck_assert_msg(rc_ == TF_OK, "%s: %s: %s", #call, \
		    tf_code_name(rc_), e_.text);                 \
	} while (0)
#define fails(code, call)                                         \
	do {                                                      \
		struct tf_error e_ = { 0 };                       \
		struct tf_error *err = &e_;                       \
		enum tf_code rc_ = (call);                        \
		ck_assert_msg(rc_ == (code), "%s: %s: %s", #call, \
		    tf_code_name(rc_), e_.text);                  \
	} while (0)

#endif
