/*
 * The fault harness.  Writers work in a real mount and log outside of it what
 * was acknowledged.  A rig injects a fault, mounts the vault again, and
 * compares all files in it with the logs.
 *
 * The working directory of a rig holds "store", "mnt", "acks" (the logs of the
 * writers), "seen" (the newest checkpoint that a writer saw), "vkey", and "log"
 * (of the daemon).
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

/* Random numbers, the same for the same seed. */
struct chance {
	uint64_t s;
};
uint64_t draw(struct chance *c);
unsigned below(struct chance *c, unsigned n); /* 0..n-1 */

int64_t now_us(void);
void wait_us(int64_t us);
/* Print and count a broken promise of the vault. */
void red(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern unsigned reds;
/* End the process: the rig itself failed. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Run a shell command and return its exit status; its output is in "said". */
int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Print the file "said". */
void show_daemon_log(void);
/* Wait for a child, at most ms; false if it is still running then. */
bool ended(pid_t pid, int ms, int *status);

/* --- world.c: the store, the daemon, the disks ------------------------- */

/* Make a new store, on the file system here or on two disks of its own. */
enum disks { DISKS_NONE, DISKS_EXT4, DISKS_XFS };
void world_begin(enum disks disks);
/* The trail of the next store has recipients; age.key opens its evidence. */
extern bool world_encrypts;
void world_end(void);
/* Cut the power: kill the daemon and mount the disks again from their journals.
 * Flags as for CUT_POWER.  Call this also after the shim has cut the power. */
void world_cut(unsigned ledger_flags, unsigned objects_flags);

/* Search all blocks of both disks for the content of files: it is there if it is
 * not encrypted, and nowhere if it is.  Unmounted, or after the daemon has
 * ended. */
void world_search(void);

extern struct fault *fault; /* for the next daemon */
/* Inject no fault. */
void fault_none(void);

/* Start a daemon. */
void vault_start(const char *options);
/* Wait: true when it serves, false when it has ended, with *status. */
bool vault_serves(int *status);
/* Start a daemon; the rig fails unless it serves. */
void vault_mount(const char *options);
/* Kill the daemon with SIGKILL, wait for the writers, and unmount. */
void vault_kill(void);
/* Unmount and return the exit status of the daemon, or -signal.  The daemon may
 * be dead already. */
int vault_unmount(void);
bool vault_runs(void);

/* --- writer.c --------------------------------------------------------- */

#define WRITERS 3 /* processes */
#define THREADS 2 /* in each */

/* Start the writers of round n, which log to acks/N.*.  They work until the
 * mount is gone or an error occurs. */
void writers_start(unsigned n, uint64_t seed);
/* Start one writer that does everything once and continues after errors. */
void writers_script(unsigned n, uint64_t seed);
/* Wait for the writers to end, after the daemon is dead. */
void writers_end(void);
/* Content has this text at each multiple of MARK_EACH, so that it can be found on
 * a disk. */
#define MARK "tdv-5CyFaultMark"
#define MARK_EACH 64
/* The n bytes from off of the file content that the seed generates. */
void content_of(uint64_t seed, uint64_t off, void *p, size_t n);
void digest_of(const void *p, size_t n, char hex[65]);

/* --- check.c ---------------------------------------------------------- */

/* Read the logs acks/N.*.  Writers may have failed only with these errnos (0 at
 * the end), or with any if errors is NULL. */
void check_read(unsigned n, const int *errors);
/* Compare the mounted vault with the logs read since the last check. */
void check_mounted(void);
/* Seal everything, compare with all logs of this store, and unmount. */
void check_sealed(void);
/* Forget all logs, for a new store. */
void check_forget(void);
/* The number of acknowledgements so far. */
extern unsigned long acks;
/* The number of files that writers saw entered while they grew, and how often a
 * sealed file was looked at of which only a part is proven. */
extern unsigned long grown, doubts;

#endif
