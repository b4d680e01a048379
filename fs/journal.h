/*
 * Lines for the journal of systemd, in its native protocol: with a MESSAGE_ID
 * per kind of message, by which programs find them, and with fields.
 */
#ifndef FS_JOURNAL_H
#define FS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

/* The kinds of messages; journal.c has their ids, and trailfs-monitor(8) describes
 * them.  An id never changes its meaning. */
enum fs_kind {
	FS_KIND_DAEMON,	 /* start, mount, signals, end */
	FS_KIND_REFUSED, /* a rule refused a request */
	FS_KIND_FAILED,	 /* a request failed */
	FS_KIND_DAMAGE,	 /* bytes are not those that were recorded */
	FS_KIND_MACHINE, /* disk, memory or descriptors are lacking */
	FS_KIND_STORE,	 /* files, place, settings or neighbours of the store */
	FS_KIND_VAULT,	 /* what the vault did by itself, such as recovery */
	FS_KIND_KEY,	 /* a key was replaced or wiped */
	FS_KIND_LIBRARY, /* a message of libfuse */
	FS_KIND_DROPPED, /* lines were left out */
	FS_KINDS
};

/* What the fields say of a line: NULL or 0 is absent. */
struct fs_about {
	enum fs_kind kind;
	const char *code;      /* "sealed": tf_code_name() */
	const char *answer;    /* "EPERM": the errno of the answer */
	const char *operation; /* "unlink" */
	bool has_caller;
	uint32_t uid, pid; /* of the caller */
	uint64_t node;	   /* inode number */
};

/* Connect to the journal of this machine.  False: there is none.  Before there
 * are threads. */
bool fs_journal_open(void);
/* Close the connection, if there is one; true then. */
bool fs_journal_close(void);
/* True if fd, such as stderr, is a stream to the journal, by JOURNAL_STREAM. */
bool fs_journal_is(int fd);

/*
 * Send a line of that priority of syslog(3).  Does not wait: a service that logs
 * to a journal on this mount must not stop it.  Safe from many threads at once.
 * Returns 0, EAGAIN if the journal is busy and the line is lost, or another errno:
 * then there is no journal any more.
 */
int fs_journal_send(const struct fs_about *about, int priority,
    const char *line);

/*
 * Wait, for a second at most, until the journal has read what was sent.  A message
 * of a process that has ended by then has no unit: neither `systemctl status` nor
 * `journalctl -u` shows it.
 */
void fs_journal_flush(void);

#endif
