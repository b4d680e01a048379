/*
 * A store and its daemon.  The working directory holds "store", "mnt" and
 * "log".
 */
#ifndef TESTS_MODEL_VAULT_H
#define TESTS_MODEL_VAULT_H

#include <stdbool.h>
#include <sys/types.h>

struct vault {
	pid_t pid;
	bool settles;
	long fds, rss_kb; /* of the daemon at its start */
};

/* These return false on failure, with the reason in text[512]. */
bool vault_make(struct vault *, char *text);
bool vault_mount(struct vault *, char *text);
bool vault_crash(struct vault *, char *text);
bool vault_unmount(struct vault *, char *text);
/* trailctl verify, against the checkpoint in that file (or NULL). */
bool vault_verify(const char *checkpoint, char *text);
/* True if the daemon has few more descriptors and little more memory than at
 * its start. */
bool vault_is_lean(const struct vault *, char *text);
/* End the daemon, unmount, and remove the files. */
void vault_remove(struct vault *);

long long now_ms(void);
void breathe(void);

#endif
