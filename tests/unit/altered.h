/*
 * A store, its log, a package and a copy of its evidence, in a directory of its
 * own, which tests alter by hand; and the findings of the verifier.
 */
#ifndef TESTS_UNIT_ALTERED_H
#define TESTS_UNIT_ALTERED_H

#include "../../core/error.h"
#include "../../core/json.h"
#include "../../core/verify.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define DONE "t/w/a" /* what make_store sealed */
#define NOBODY 65534

extern char said[4096];	   /* the findings of the last call, one per line */
extern struct tf_buf vkey; /* of the store's log */
extern struct tf_report r; /* of the last call */
extern struct tf_error err;

/*
 * Fixture.  The working directory holds: the store "store", its log "log", a
 * package of DONE "a.zip", unpacked "a", a copy of the evidence "copy".
 */
void set_up(void);
void tear_down(void);

/* Run a command that must succeed. */
void sh(const char *command);
/* Run SQL on the database of the store, with the function sha256_of(blob). */
void sql(const char *text);

/* Append a finding to said. */
void found(void *arg, const struct tf_finding *f);
/* Options with the key of the log; said and err become empty. */
struct tf_verify with_key(void);
/* Verify the store; the copy against path of the store; the log. */
enum tf_code store(void);
enum tf_code against(const char *path, const char *copy);
enum tf_code a_log(void);

/* The findings have this text. */
void says(const char *line);
/* There is no finding and no check has failed. */
void is_whole(void);

/* Make everything readable but what command closes, and drop root. */
void be_a_stranger(const char *command);
void be_oneself(void);

/* Append a proof of the file short.txt. */
void prove(struct tf_buf *out);

#define EACH(t, test, list) \
	tcase_add_loop_test(t, test, 0, (int)(sizeof(list) / sizeof(*(list))))

#endif
