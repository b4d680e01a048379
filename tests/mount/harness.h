/*
 * The fixtures and helpers of the mount tests.  Each test has its own vault in
 * its own directory.
 *
 * The working directory of a test holds "store" and, once mounted, "mnt"; the
 * daemon writes its messages to "log".  The daemon ends with its test, even if
 * the test crashes.  The parent of the runner then unmounts, by path, all
 * mounts below the directory of this run.
 *
 * A helper fails the test if it cannot do what its comment says.  Strings that
 * helpers return stay valid until the test ends.
 */
#ifndef TESTS_MOUNT_HARNESS_H
#define TESTS_MOUNT_HARNESS_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* --- fixtures --------------------------------------------------------- */

/* Tests that begin with a mounted vault, which seals nothing by itself.  After
 * the test the vault is unmounted and must verify. */
TCase *mounted_case(Suite *s, const char *name);
/* Tests that begin with a store that is not mounted; after the test the vault must
 * verify. */
TCase *verified_case(Suite *s, const char *name);
/* These tests wait for threads of the daemon that run at idle priority, which
 * may take long: time limits grow.  Call daemon_works() before the mount. */
void case_works(TCase *t);
void daemon_works(void);
/* Tests that begin with a store that is not mounted and is not verified
 * afterwards. */
TCase *stored_case(Suite *s, const char *name);

/* For the runner: run the suites in a child, and clean up in any case. */
int run_guarded(int (*suites)(void));
/* The directory of this run. */
const char *run_directory(void);

/* Unless can is true: count the test as skipped, print why, and return. */
#define skip_unless(can, why)                        \
	do {                                         \
		if (!(can)) {                        \
			note_skipped(__func__, why); \
			return;                      \
		}                                    \
	} while (0)
void note_skipped(const char *func, const char *why);
/* True if all mounts of the tests have the option streams=on: TRAILFS_TEST_OPTIONS
 * has options that each mount gets in addition to its own. */
bool tests_streams(void);
/* True if the program is installed. */
bool have(const char *program);
/* True if TRAILFS_LONG is set: tests run all their rounds, and time limits are
 * longer. */
bool long_run(void);

/* --- the daemon ------------------------------------------------------- */

/* Mount "store" at "mnt" with these options and wait until it serves.  The
 * variable TRAILFS_TEST_OPTIONS has options that each mount gets, too. */
void mount_vault(const char *options);
/* Unmount; the daemon must end with status 0. */
/* Unmount what is mounted at a directory, once nobody has a file of it open: a signer
 * ends a moment after a daemon that was killed. */
void unmount(const char *at);
void unmount_vault(void);
/* Unmount, and mount with the same options. */
void remount_vault(void);
/* Kill the daemon with SIGKILL; the dead mount stays. */
void crash_vault(void);
/* Start the daemon without waiting; the caller waits for its result. */
void start_vault(const char *options);
/* Start the daemon and kill it ms milliseconds later, at any point of its
 * start. */
void crash_start(const char *options, int ms);
/* Wait until the daemon ends.  Returns its exit status, or -signal. */
int vault_ended(void);
pid_t vault_pid(void);
/* A line of its /proc/PID/status, as "VmRSS": kibibytes. */
long daemon_kib(const char *field);
/* False: its memory is that of a sanitizer or of memcheck. */
bool memory_counts(void);
/* Set the limit of descriptors for later daemons; hard 0: the limit of the
 * test. */
void daemon_descriptors(unsigned soft, unsigned hard);
/* Let later daemons print every request to the log. */
void daemon_prints_requests(void);
/* Do not verify the store after the test. */
void expect_no_verify(void);

/* --- programs --------------------------------------------------------- */

/* Run a shell command, which must end with that status.  Returns its stdout and
 * stderr. */
const char *run(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Run a shell command that may fail.  Returns its status, "0" for success. */
const char *run_any(const char *command);
#define says(text, part)                                     \
	do {                                                 \
		const char *text_ = (text), *part_ = (part); \
		ck_assert_msg(strstr(text_, part_) != NULL,  \
		    "no '%s' in:\n%.2000s", part_, text_);   \
	} while (0)
#define says_not(text, part)                                 \
	do {                                                 \
		const char *text_ = (text), *part_ = (part); \
		ck_assert_msg(strstr(text_, part_) == NULL,  \
		    "'%s' in:\n%.2000s", part_, text_);      \
	} while (0)

/* --- calls ------------------------------------------------------------ */

const char *errno_name(int sys);
#define answers(want, call)                                            \
	do {                                                           \
		errno = 0;                                             \
		long got_ = (long)(call) == -1 ? errno : 0;            \
		ck_assert_msg(got_ == (want), "%s: %s, not %s", #call, \
		    errno_name((int)got_), errno_name(want));          \
	} while (0)
#define allowed(call) answers(0, call)
#define refused(want, call) answers(want, call)

/* Become that user; 0: root again. */
#define ALICE 1001
#define BOB 1002
void as(uid_t uid);

int rename_flags(const char *from, const char *to, unsigned flags);
/* open(2) and close(2); returns -1 if either fails. */
int try_open(const char *path, int flags);
/* Start a child that calls what and exits with its result.  child_ended
 * waits for it and returns that result. */
pid_t in_child(int (*what)(void));
int child_ended(pid_t pid);

/* --- files ------------------------------------------------------------ */

/* The attestation that most tests use. */
#define W "mnt/t/w"
#define A W "/a"
void make_attestation(void); /* A, its workflow and its trail */

/* Create path with that text and close it. */
void put(const char *path, const char *text);
void put_bytes(const char *path, const void *p, size_t n);
/* The same, and seal it. */
void put_sealed(const char *path, const char *text);
/* begin creates a file and returns it open for writing; add writes all of the
 * text. */
int begin(const char *path);
/* The same, surely for reading, too: begin() opens for writing only if
 * tests_streams(). */
int begin_both(const char *path);
void add(int fd, const char *text);
/* The whole content of a file and a NUL.  *n becomes its length without the
 * NUL; n may be NULL. */
char *content(const char *path, size_t *n);
#define holds(path, text) ck_assert_str_eq((text), content((path), NULL))
/* n pseudorandom bytes; equal seeds give equal bytes. */
char *noise(size_t n, unsigned seed);

/* Seal dir: chmod(2) closes the directory, fsync(2) seals it. */
void seal(const char *dir, mode_t mode);
/* fsync(2) of a directory: seals the frozen files of root below it. */
void sync_dir(const char *dir);
/* The attribute user.trailfs.NAME; "(ENODATA)" or another errno on failure. */
const char *fact(const char *path, const char *name);
#define state_of(path) fact((path), "state")
#define has_state(path, want) ck_assert_str_eq((want), state_of(path))
/* Wait until path has that state, at most 15 s times the factor for time
 * limits. */
void becomes(const char *path, const char *state);
/* The same for the attribute user.trailfs.NAME. */
void fact_becomes(const char *path, const char *name, const char *want);
bool exists(const char *path);
struct stat stat_of(const char *path);

/* --- the ledger ------------------------------------------------------- */

/* events.jsonl of the mount, or of the store if nothing is mounted. */
const char *events(void);
/* The number of entries of that type about that path in the vault; NULL: about
 * any path. */
unsigned entries(const char *type, const char *path);
/* The line of the last such entry. */
const char *entry(const char *type, const char *path);
/* The number of the entry in that line. */
unsigned long entry_seq(const char *line);

/* --- the store -------------------------------------------------------- */

/* Run SQL on store/ledger.db without its triggers. */
void tamper(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Flip one bit in the first place of the file that holds these bytes. */
void flip_bit(const char *file, const char *bytes);
/* Run trailctl verify, which must end with that status.  Returns its output. */
const char *verify(int status);

#endif
