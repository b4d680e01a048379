/* A store of a test's own. */
#ifndef TESTS_UNIT_OWN_STORE_H
#define TESTS_UNIT_OWN_STORE_H

struct tf_actor;

/* Make "store", with the origin example.org/NAME, in a new directory of TMPDIR, which
 * becomes the working directory.  What a failed test leaves there, tests/run removes. */
void own_store_make(const char *name, const struct tf_actor *by);
/* Remove both.  The store is closed, and nothing else is in the directory. */
void own_store_remove(void);

#endif
