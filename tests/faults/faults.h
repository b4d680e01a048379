/*
 * The fault harness.  Writers work in a real mount and keep a log of what was
 * acknowledged, outside of it; something terrible happens; the vault is mounted
 * again, and everything in it is held against the logs.
 *
 * The working directory of a rig holds "store", "mnt", "acks" (the logs),
 * "seen" (the newest checkpoint anybody saw), "vkey" and "log" (the daemon's).
 */
#ifndef TESTS_FAULTS_FAULTS_H
#define TESTS_FAULTS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* --- util.c ----------------------------------------------------------- */

/* The same numbers for the same seed. */
struct chance {
	uint64_t s;
};
uint64_t draw(struct chance *c);
unsigned below(struct chance *c, unsigned n); /* 0..n-1 */

int64_t now_us(void);
void wait_us(int64_t us);
/* A promise was broken: say so, and count it. */
void red(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern unsigned reds;
/* The rig itself does not work: the end. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Run a shell command; its exit status.  What it says goes to "said". */
int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Print "said". */
void show_said(void);
/* Wait for a child at most ms; false, and it lives on, when that is over. */
bool ended(pid_t pid, int ms, int *status);

/* --- world.c: the store, the daemon, the disks ------------------------- */

/* A new store, on the file system here, or on two disks of their own. */
enum disks { DISKS_NONE, DISKS_EXT4, DISKS_XFS };
void world_begin(enum disks disks);
void world_end(void);
/* What a power cut leaves: daemon dead, disks back from their journals.  Flags
 * as the ioctl takes them; call it also when the shim has cut already. */
void world_cut(unsigned ledger_flags, unsigned objects_flags);

extern struct fault *fault; /* what the next daemon will suffer */
/* Nothing any more. */
void fault_none(void);

/* Start a daemon. */
void vault_start(const char *options);
/* True when it serves; false when it has ended instead, with *status. */
bool vault_serves(int *status);
/* Start it where it must serve. */
void vault_mount(const char *options);
/* kill -9 if it lives; writers are waited for, then the mount is gone. */
void vault_kill(void);
/* Unmount in order: its exit status, or -signal.  It may be dead already. */
int vault_unmount(void);
bool vault_lives(void);

/* --- writer.c --------------------------------------------------------- */

#define WRITERS 3 /* processes */
#define THREADS 2 /* in each */

/* Writers of round number n, logging to acks/N.*; they work until the mount is
 * gone or an error comes. */
void writers_start(unsigned n, uint64_t seed);
/* One that does everything once and goes on after errors. */
void writers_script(unsigned n, uint64_t seed);
/* Wait for their end; the daemon is dead. */
void writers_end(void);
/* The bytes of a file: the first n of those that the seed stands for. */
void content_of(uint64_t seed, uint64_t off, void *p, size_t n);
void digest_of(const void *p, size_t n, char hex[65]);

/* --- check.c ---------------------------------------------------------- */

/* Read the logs acks/N.* of writers whose errors may only be those that the
 * rig causes: errnos, 0 at the end; NULL: any. */
void check_read(unsigned n, const int *errors);
/* Hold what is mounted against the logs read since the last check... */
void check_mounted(void);
/* ... and all of this store, after sealing it; the store ends unmounted. */
void check_sealed(void);
/* Forget it all: a new store. */
void check_forget(void);
/* How many acknowledgements there were so far. */
extern unsigned long acks;

#endif
