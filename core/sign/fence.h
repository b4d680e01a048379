/*
 * What the process of a signer gives up before it reads a key, so that a fault of
 * the code that reads requests gives nothing but signatures.
 */
#ifndef TF_SIGN_FENCE_H
#define TF_SIGN_FENCE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../error.h"

/* Give up what root may, for this process and what it runs: become that user, if
 * this is root, keep no capability, and gain none by a program.  False: that cannot
 * be done. */
bool tf_signer_drop_rights(uid_t uid, gid_t gid);

/* For the process that starts signers: keep what root needs for that and for
 * tf_signer_drop_rights(), and nothing else.  False: that cannot be done. */
bool tf_signer_supervisor_keep(void);

/*
 * From now on this process cannot use any file outside of the open directory keysfd;
 * run a program or start a process; make or take over a socket or connect one; map
 * memory that can be executed; show its memory to others of its user, or leave a core
 * file.  The memory of its keys is locked if the limit allows that, and
 * all of its memory if the limit is high enough.  There is one thread.
 *
 * *state becomes what is in force (core/signer.h): what the kernel lacks is left
 * out, and all but the capabilities in builds with a sanitizer or for coverage
 * and under valgrind.  TF_IO: the kernel has these means, and they cannot be used.
 */
TF_MUST_USE enum tf_code tf_signer_fence(int keysfd, unsigned *state,
    struct tf_error *err);
/*
 * The part of it that is in force when keys are in tokens: the process gains no
 * capability, and its memory is locked and hidden.  Modules need their files, sockets,
 * devices and code, so that there is no Landlock and no filter.
 */
TF_MUST_USE enum tf_code tf_signer_fence_of_tokens(unsigned *state,
    struct tf_error *err);

#endif
