/*
 * A store and its daemon, in the working directory: "store", "mnt", "log".
 */
#ifndef TESTS_MODEL_VAULT_H
#define TESTS_MODEL_VAULT_H

#include <stdbool.h>
#include <sys/types.h>

struct vault {
	pid_t pid;
	bool settles;
	long fds, rss_kb; /* of the daemon, when it began */
};

/* All of these: false, and why in text[512]. */
bool vault_make(struct vault *, char *text);
bool vault_mount(struct vault *, char *text);
bool vault_crash(struct vault *, char *text);
bool vault_unmount(struct vault *, char *text);
/* trailctl verify, against the checkpoint in that file (or NULL). */
bool vault_verify(const char *checkpoint, char *text);
/* The daemon holds what it held in the beginning, or not much more. */
bool vault_is_lean(const struct vault *, char *text);
/* Whatever is there goes. */
void vault_remove(struct vault *);

long long now_ms(void);
void breathe(void);

#endif
