/*
 * attack: everything that a user of the machine may try against a mounted
 * vault.  See main.c for what it needs and what it leaves behind.
 *
 * A row is one line of the table of threats.  Its function runs in a process of
 * its own for each posture that it names, with the attestation under attack as
 * its working directory, and tries; the processes report to struct shared.
 */
#ifndef TESTS_ATTACK_ATTACK_H
#define TESTS_ATTACK_ATTACK_H

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define WHY_MAX 400
#define PATH_LEN 512

/* --- users ---------------------------------------------------------------- */

/* Nobody has an account with these numbers. */
#define TEAM_GID 54400u
#define VICTIM 54401u	/* who wrote the evidence */
#define STRANGER 54402u /* no group */
#define MEMBER 54403u	/* of the group that may write */
#define OTHER 54404u	/* works all the time; must not notice */
#define SECOND 54405u	/* another stranger */

/* Who tries: bits of row.by. */
enum posture {
	BY_STRANGER,   /* modes let everybody write there */
	BY_MEMBER,     /* the group may write there */
	BY_OWNER,      /* who wrote the evidence, later */
	BY_USERNS,     /* a stranger, as root of a user namespace */
	BY_NAMESPACES, /* the same, with mount and pid namespaces */
	BY_ROOT,       /* through the mount */
	POSTURES
};
#define STRANGERS (1u << BY_STRANGER)
#define USERNS (1u << BY_USERNS | 1u << BY_NAMESPACES)
#define USERS (STRANGERS | 1u << BY_MEMBER | 1u << BY_OWNER | USERNS)
#define ROOT (1u << BY_ROOT)
#define EVERYBODY (USERS | ROOT)

/* Become that user, without groups or with TEAM_GID; never back. */
void become(uid_t uid, bool team);
/* Of the machine, not of a user namespace? */
bool is_root(void);

/* --- what is attacked -------------------------------------------------------- */

/* The vault and what the program has made in it.  Set before the first row. */
extern struct world {
	char mnt[PATH_LEN / 2];	    /* absolute */
	char store[PATH_LEN / 2];   /* absolute, or "": unknown */
	char trailfs[PATH_LEN / 2]; /* the program, or "" */
	char all[PATH_LEN / 2];	    /* a mount of an organisation, or "" */
	char open[PATH_LEN];   /* an attestation in which everybody may write */
	char team[PATH_LEN];   /* one in which the group may */
	char secret[PATH_LEN]; /* one that only its owner may enter */
	char others[PATH_LEN]; /* that of OTHER */
	pid_t daemon;
	pid_t router;		/* of the mount of the organisation */
	unsigned long requests; /* of the storms */
	bool fill;		/* may fill the disk */
	long growth_kb;		/* of the daemon, in the last storm */
	unsigned long limit;	/* names that a quota must refuse before */
} world;

/* In world.open and world.team, by VICTIM; all sealed but the last two.  Modes
 * let everybody do everything. */
#define SEALED "report"
#define BIG "big"
#define PROGRAM "program"
#define DRAFT "draft.tmp"
#define HELD "held" /* a process of VICTIM has it open for writing */
#define LOG "log"   /* likewise, and its first bytes are entered */
#define LOG_ENTERED 131072
#define SEALED_TEXT "what happened\n"
#define BIG_SIZE 200000
/* The names and bytes of world.secret, which nobody else may learn. */
#define SECRET_NAME "kestrel-plan"
#define SECRET_TEXT "the secret of the kestrel\n"

/* The evidence is as it was when this was first called. */
void check_evidence(void);

/* --- reporting --------------------------------------------------------------- */

/* Shared by all processes. */
extern struct shared {
	char row[16];
	atomic_ulong tries, gains, faults, skips;
	char why[WHY_MAX]; /* of the first gain or fault of the row */
	atomic_uint told;
	atomic_ulong requests; /* hostile ones, of all rows */
	atomic_ulong kills, opens_refused;
	atomic_bool over;
	struct probe {
		atomic_ulong count, errors;
		atomic_uint_fast64_t worst_ns, row_worst_ns;
		atomic_ulong histogram[40]; /* by log2 of microseconds */
		char worst_row[16];
		char error[WHY_MAX];
	} probe[3];
} * shared;

/* An attempt has the result `got` (negative: refused).  Counts it; a success
 * is a gain of the attacker, and an errno that no refusal has is a fault.
 * Returns got, with errno as it was. */
long tried(const char *what, long got);
#define REFUSED(call) (errno = 0, tried(#call, (long)(call)))
/* The attacker has got something / the vault did something wrong. */
void gained(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define WORKS(call)                                              \
	do {                                                     \
		errno = 0;                                       \
		if ((long)(call) < 0)                            \
			fault("%s: %s", #call, strerror(errno)); \
	} while (0)
/* Print each gain and fault, not only the first of a row. */
extern bool report_all;
/* This machine cannot try it. */
void skipped(const char *why);

/* --- files ----------------------------------------------------------------------- */

/* Bytes that follow from a seed. */
void pattern(void *p, size_t n, unsigned seed);
/* Create path with n such bytes and close it: 0, or -1 with errno.  If it
 * succeeds the file must be there at the end. */
int put(const char *path, size_t n, unsigned seed);
/* The same with a text that the attacker chooses. */
int put_text(const char *path, const char *text);
int put_bytes(const char *path, const void *p, size_t n);
int put_with_mode(const char *path, const void *p, size_t n, mode_t mode);
/* Note that path was acknowledged with these bytes. */
void acknowledged(const char *path, size_t n, unsigned seed);
/* Where that is noted, or NULL.  Open it as root, before the first row. */
extern const char *acknowledged_list;
bool open_acknowledged(void);
/* All that was acknowledged is there and has its bytes. */
void check_acknowledged(void);
int read_bytes(const char *path, void *p, size_t n);
/* The attribute user.trailfs.NAME; "" on failure. */
const char *fact(const char *path, const char *name);
int try_open(const char *path, int flags);
/* The newest moment of the vault, as ".trailfs/at/SIZE". */
void find_moment(char out[64]);
/* fsync(2) of a directory: seals what the caller closed in it. */
int sync_dir(const char *path);
/* Is the content that which the attribute sha256 names? */
void check_digest(const char *path);
/* A name that no row has used; below the working directory. */
const char *fresh(char out[64], const char *word);

/* --- processes --------------------------------------------------------------------- */

/* Run fn in a child, which exits with its result. */
pid_t child(int (*fn)(void *), void *arg);
/* The result of the child, or -signal. */
int ended(pid_t pid);
uint64_t now_ns(void);
void nap_ms(unsigned ms);

/* The other user: works until shared->over. */
pid_t probe_start(void);
/* Print what the probe has measured; false if a request took longer than the
 * bar, or failed. */
bool probe_report(void);

/* Kilobytes of memory and descriptors of the daemon. */
long daemon_rss(void);
long daemon_descriptors(void);
long rss_of(pid_t pid);
long descriptors_of(pid_t pid);

/* What no user may do to world.daemon: rows E3 and E6. */
void read_memory(void);
void send_signals(void);

/* All files below dir are read; bytes of the secret are a gain. */
void make_needles(void);
void search_dir(const char *dir, int depth);

/* --- rows ---------------------------------------------------------------------------- */

struct row {
	const char *id, *title;
	void (*attack)(void);
	unsigned by;
	/* Run by the root of this program afterwards, or NULL. */
	void (*after)(void);
};
extern const struct row sealed_rows[], writing_rows[], name_rows[],
    people_rows[], reader_rows[], daemon_rows[], quota_rows[],
    organisation_rows[], storm_rows[];

#endif
