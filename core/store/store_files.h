/*
 * The files of a store: who may read and write them, and which they are.  A store belongs to one
 * user alone: directories have mode 0700, files 0600, keys 0400.
 */
#ifndef TF_STORE_STORE_FILES_H
#define TF_STORE_STORE_FILES_H

#include <stdbool.h>

#include "../error.h"

/* One line about something that is wrong, without a full stop. */
typedef void (*tf_store_found)(void *arg, const char *line);
/* Names of files in a store. */
#define TF_LOG_KEY "keys/log.pem"
#define TF_LOG_VKEY "keys/log.vkey"
#define TF_LOG_PUB "keys/log.pub.pem"
#define TF_ATTESTER_KEY "keys/attester.pem"
#define TF_ATTESTER_PUB "keys/attester.pub.pem"

/*
 * Look at owner, type and mode of each file that every store has; dirfd is the
 * store's directory.  Each difference is one call of found.  With tighten, what
 * group or others may read or write is taken away from them, so the caller
 * holds the store's lock.  Private keys are left to tf_key_load, which refuses
 * them.  A file that is not there is no difference.
 */
void tf_store_check_access(int dirfd, bool tighten, tf_store_found found,
    void *arg);

/*
 * May keys/ be trusted?  TF_FOREIGN when it is a symbolic link, when it belongs
 * to neither the process nor root, or when others may write in it: they could
 * have exchanged the keys.
 */
TF_MUST_USE enum tf_code tf_store_check_keys(int dirfd, struct tf_error *err);

/* A file in the store, its path safe to show; aside: an object that was damaged
 * and put aside. */
typedef void (*tf_store_stray)(void *arg, const char *path, bool aside);

/*
 * Name each file and directory in the store that trailfs did not make, such as
 * evidence that somebody copied there.  With all, the directories in objects/
 * are read too, which takes as long as there are objects, and what was put aside
 * there is named.
 */
void tf_store_check_strays(int dirfd, bool all, tf_store_stray found,
    void *arg);

#endif
