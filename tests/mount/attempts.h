/*
 * Actions that a process in the sandbox tries: those that it must not be able to do,
 * and those that it needs.  Each runs in a child of its own.
 */
#ifndef TESTS_MOUNT_ATTEMPTS_H
#define TESTS_MOUNT_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

#define DONE 0

struct attempt {
	const char *name;
	int (*try)(void); /* DONE, or the errno */
	int want;
	bool not_root; /* root may do it by its user id */
};

struct attempts {
	const struct attempt *all;
	size_t n;
};

extern const struct attempts attempts_of_daemon, needs_of_daemon,
    attempts_of_signer, needs_of_signer, attempts_of_follower,
    needs_of_follower,
    attempts_on_keys; /* by the daemon, where keys/ belongs to root */

/* Whereto: the test fills it before the first attempt. */
extern struct targets {
	char store[4096], beside[4096], key[4200];
	int keysfd; /* of the signer */
} targets;

#endif
