/* The process that starts signers, one after another. */
#ifndef TF_SIGN_SUPERVISE_H
#define TF_SIGN_SUPERVISE_H

#include <sys/types.h>

#include "../error.h"

struct tf_signer_start {
	const char *command; /* for /bin/sh -c; NULL: a fork, and keysfd */
	int keysfd;	     /* the directory of the keys */
	bool quiet;	     /* no stderr */
	/* Whom a signer started by root runs as. */
	uid_t uid;
	gid_t gid;
};

/*
 * Fork that process; *fd is how it is asked for signers.  It ends when *fd is
 * closed.  See tf_signer_start() of core/signer.h.
 */
TF_MUST_USE enum tf_code tf_signer_supervise(const struct tf_signer_start *how,
    int *fd, struct tf_error *err);

/* Ask for a signer, unless *asked says that this was done, and wait for it.
 * Returns a connection to it, or -1 if there is none after wait_ms. */
int tf_signer_ask(int fd, bool *asked, int wait_ms);

/* Close fd, whose connections are closed, and wait a few seconds for the end of the
 * signer, so that nothing of the store is open any more. */
void tf_signer_end(int fd);

#endif
