/*
 * The files of a store: their names, owners and modes.  A store belongs to one
 * user, and no other user may read it: directories have mode 0700, files 0600,
 * keys 0400.
 */
#ifndef TF_STORE_STORE_FILES_H
#define TF_STORE_STORE_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "../error.h"

enum tf_store_fault {
	TF_STORE_TYPE,	/* not a plain file, or not a directory */
	TF_STORE_OWNER, /* of a file in the store */
	TF_STORE_LINKS, /* a file with several names */
	TF_STORE_MODE,	/* open to group or others */
	TF_STORE_USER,	/* another user owns the store; not reported to root */
};
/* Receives one line about one wrong file, without a full stop.  name: its path in
 * the store; "." is the store's directory. */
typedef void (*tf_store_found)(void *arg, enum tf_store_fault fault,
    const char *name, const char *line);
/* Names of files in a store; key_dir.h has those of the secret keys. */
#define TF_LOG_VKEY "keys/log.vkey"
#define TF_LOG_PUB "keys/log.pub.pem"
#define TF_ATTESTER_PUB "keys/attester.pub.pem"
#define TF_SIGNER_MEMORY "keys/signer.state"
#define TF_STAGE_KEY "stage.key"
#define TF_STAGE_KEY_EARLIER "keys/stage.key" /* of earlier versions */
/* The file that marks a backup, and the directory of what is on its way. */
#define TF_BACKUP_MARK "backup"
/* Of a mirror: the file that marks it, and those of its receiver. */
#define TF_MIRROR_MARK "mirror"
#define TF_MIRROR_KEY "keys/mirror.key"
#define TF_MIRROR_VKEY "keys/mirror.vkey"

/*
 * Check owner, type and mode of each file that every store has; dirfd is the
 * store's directory.  found is called once per difference.  With tighten, the
 * mode bits of group and others are removed; the caller then holds the store's
 * lock.  Private keys are not checked here: tf_key_load refuses unsafe ones.  A
 * missing file is no difference.  keys/ may belong to root in a store of another user:
 * then others may read there what the modes say, and write nothing.
 */
void tf_store_check_access(int dirfd, bool tighten, tf_store_found found,
    void *arg);

/* Check that each of these files, but for keys/ and what is in it, belongs to
 * uid: who serves the store as that user must be able to use it.  TF_USAGE: err
 * names the file, and the command that mends that. */
TF_MUST_USE enum tf_code tf_store_check_owner(int dirfd, uid_t uid,
    struct tf_error *err);

/* Receives the path of a file in the store, safe to print.  aside: the file is
 * a damaged object that tf_object_put_aside renamed. */
typedef void (*tf_store_stray)(void *arg, const char *path, bool aside);

/*
 * Call found for each file and directory in the store that trailfs did not
 * create, such as evidence that was copied there by mistake.  With all, the
 * directories in objects/ are read too, in time proportional to the number of
 * objects, and damaged objects are reported.
 */
void tf_store_check_strays(int dirfd, bool all, tf_store_stray found,
    void *arg);

#endif
