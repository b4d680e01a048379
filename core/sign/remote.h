/* A signer that is another process. */
#ifndef TF_SIGN_REMOTE_H
#define TF_SIGN_REMOTE_H

#include "sign.h"

/* What a remote signer asks of its vault.  Its functions may be called from any
 * thread, with locks of the vault held. */
struct tf_signer_link {
	/* A new connection to a signer, or -1 if there is none after wait_ms. */
	int (*connect)(void *arg, int wait_ms);
	/* Whether the caller gives up waiting for a signer. */
	bool (*gives_up)(void *arg);
	/* The signer does not answer (why), or answers again (NULL). */
	void (*away)(void *arg, const char *why);
	/* A new signer says what it has given up: see core/signer.h. */
	void (*fenced)(void *arg, unsigned state);
	/* Ends connecting; called last. */
	void (*close)(void *arg);
	void *arg;
	bool is_foreign; /* its signatures are checked */
};

/*
 * Connect, and read the public keys.  On TF_OK close *out with
 * tf_signer_close(), which calls link->close; on failure that is called, too.
 *
 * A request waits as long as the signer is away, and is sent again to the next
 * connection.
 * Errors: TF_INTERRUPTED link gave up; TF_INVALID the answer is no answer;
 * those that the signer reports.
 */
TF_MUST_USE enum tf_code tf_signer_remote(const struct tf_signer_link *link,
    struct tf_signer **out, struct tf_error *err);

#endif
