/*
 * A vault of its own for each test, in a directory of its own.
 *
 * The working directory of a test holds "store" and, once mounted, "mnt"; the
 * daemon writes into "log".  Whatever becomes of a test, its daemon dies with
 * it, and the runner's parent takes down by path what is left mounted below
 * the directory of this run.
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

/* Tests that begin with a mounted vault, in which nothing is sealed unless
 * somebody asks.  It is unmounted afterwards and must verify. */
TCase *mounted_case(Suite *s, const char *name);
/* What its tests wait for is made by threads that let all other programs go
 * first, which may take long: they mount after daemon_works(). */
void case_works(TCase *t);
void daemon_works(void);
/* With a store that is not mounted; what becomes of it is the test's. */
TCase *stored_case(Suite *s, const char *name);

/* The runner's side: run in a child, clean up in any case. */
int run_guarded(int (*suites)(void));
/* The directory of this run. */
const char *run_directory(void);

/* The rest of the test cannot be made here: count it, and return. */
#define skip_unless(can, why)                        \
	do {                                         \
		if (!(can)) {                        \
			note_skipped(__func__, why); \
			return;                      \
		}                                    \
	} while (0)
void note_skipped(const char *func, const char *why);
/* Is there such a program? */
bool have(const char *program);
/* Is TRAILFS_LONG set?  Then what takes minutes is tried as often as it takes,
 * and everything may take longer. */
bool long_run(void);

/* --- the daemon ------------------------------------------------------- */

/* Mount "store" at "mnt" with these options and wait until it serves. */
void mount_vault(const char *options);
/* Take the mount off; the daemon must end with 0. */
void unmount_vault(void);
/* Both, with the options it had. */
void remount_vault(void);
/* kill(2) with SIGKILL: the mount stays, dead. */
void crash_vault(void);
/* Start it only; who calls this waits for what it does. */
void start_vault(const char *options);
/* Start it and kill it that many milliseconds later, wherever it is then. */
void crash_start(const char *options, int ms);
/* Wait for its end: the status as exit(3) gave it, or -signal. */
int vault_ended(void);
pid_t vault_pid(void);
/* Daemons from now on may have so many descriptors; 0: as many as we. */
void daemon_descriptors(unsigned soft, unsigned hard);
/* The test broke the store, or takes care of it itself: do not verify it. */
void expect_no_verify(void);

/* --- programs --------------------------------------------------------- */

/* Run a shell command, which must end with that status.  What it said on
 * stdout and stderr; good until the test ends. */
const char *run(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Run one that may end as it likes: its status, "0" for success. */
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

/* From now on the caller is that user; 0: root again. */
#define ALICE 1001
#define BOB 1002
void as(uid_t uid);

int rename_flags(const char *from, const char *to, unsigned flags);
/* open(2) and close(2): an error of either. */
int try_open(const char *path, int flags);
/* Start a child that does this and exits with its result; and its end. */
pid_t in_child(int (*what)(void));
int child_ended(pid_t pid);

/* --- files ------------------------------------------------------------ */

/* The place of most tests: an attestation. */
#define W "mnt/t/w"
#define A W "/a"
void make_attestation(void); /* A, its workflow and its trail */

/* Create path with that text and close it; everything must succeed. */
void put(const char *path, const char *text);
void put_bytes(const char *path, const void *p, size_t n);
/* The same, and it is sealed. */
void put_sealed(const char *path, const char *text);
/* A new file, open for writing; and a write of all of the text. */
int begin(const char *path);
void add(int fd, const char *text);
/* All of a file, with a NUL behind; *n (may be NULL) is without it. */
char *content(const char *path, size_t *n);
#define holds(path, text) ck_assert_str_eq((text), content((path), NULL))
/* n bytes that look like chance, the same for the same seed. */
char *noise(size_t n, unsigned seed);

/* chmod(2) closes the directory, and fsync(2) of it seals it. */
void seal(const char *dir, mode_t mode);
/* fsync(2) of a directory: what root has frozen below it is sealed. */
void sync_dir(const char *dir);
/* user.trailfs.state, or what else; "(ENODATA)" and such when refused. */
const char *fact(const char *path, const char *name);
#define state_of(path) fact((path), "state")
#define has_state(path, want) ck_assert_str_eq((want), state_of(path))
/* Wait until it has that state, a quarter of a minute at most. */
void becomes(const char *path, const char *state);
bool exists(const char *path);
struct stat stat_of(const char *path);

/* --- the ledger ------------------------------------------------------- */

/* events.jsonl of the mount, or of the store when nothing is mounted. */
const char *events(void);
/* Entries of that type about that path (of the vault); NULL: of any. */
unsigned entries(const char *type, const char *path);
/* The last of these, a line. */
const char *entry(const char *type, const char *path);
/* Its number. */
unsigned long entry_seq(const char *line);

/* --- the store -------------------------------------------------------- */

/* Run SQL on store/ledger.db, past its triggers. */
void tamper(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Change one bit of the first place where these bytes stand in a file. */
void flip_bit(const char *file, const char *bytes);
/* trailctl verify must end so; what it said. */
const char *verify(int status);

#endif
