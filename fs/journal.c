/*
 * The native protocol of systemd-journald: one datagram per line, with fields as
 * KEY=VALUE and a line feed each (systemd.journal-fields(7)).  A value with a line
 * feed has another form: the key, a line feed, its length as 8 bytes, the value.
 */
#include "journal.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL "/run/systemd/journal/socket"

static const char *const ids[FS_KINDS] = {
	[FS_KIND_DAEMON] = "193e0281b5b843b6b53d58fefb39c61b",
	[FS_KIND_REFUSED] = "4f8e22158f7b4e32bcee7c6ed8fcd9cb",
	[FS_KIND_FAILED] = "2d3513c2346a4444801ff4ad785bbd38",
	[FS_KIND_DAMAGE] = "9e0c509d85954f40a8b41ba493f6353d",
	[FS_KIND_MACHINE] = "f54e4c245a1346549184f3e8848e560d",
	[FS_KIND_STORE] = "c503dbd24e624114855a9f338b36e0db",
	[FS_KIND_VAULT] = "e7813cf190f147eca7f4fc1c09f46e6d",
	[FS_KIND_KEY] = "94da9f96102f48e58581554da766cebe",
	[FS_KIND_LIBRARY] = "ca51f7cb6b624829af2d74c3e6f310fd",
	[FS_KIND_DROPPED] = "011f19aa1fbb4c6fbe24bce70fc69c43",
};

#define FLUSH_TRIES 50
#define FLUSH_MS 20

static int journal = -1; /* set before there are threads */

static int
connect_journal(int fd)
{
	static const struct sockaddr_un at = { .sun_family = AF_UNIX,
		.sun_path = JOURNAL };

	return connect(fd, (const struct sockaddr *)&at, sizeof at);
}

bool
fs_journal_open(void)
{
	if (journal >= 0)
		return true;
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (journal < 0)
		return false;
	if (connect_journal(journal) == 0)
		return true;
	close(journal);
	journal = -1;
	return false;
}

bool
fs_journal_close(void)
{
	const bool was_open = journal >= 0;

	if (was_open)
		close(journal);
	journal = -1;
	return was_open;
}

bool
fs_journal_is(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	    fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* The datagram, and where its end is. */
struct text {
	char b[4096];
	size_t n;
	bool full;
};

static void
add_bytes(struct text *t, const void *p, size_t n)
{
	t->full = t->full || n > sizeof t->b - t->n;
	if (t->full)
		return;
	memcpy(t->b + t->n, p, n);
	t->n += n;
}

static void
add(struct text *t, const char *key, const char *value)
{
	const uint64_t n = value == NULL ? 0 : strlen(value);
	const uint64_t little = htole64(n);

	if (n == 0)
		return;
	add_bytes(t, key, strlen(key));
	if (strchr(value, '\n') == NULL) {
		add_bytes(t, "=", 1);
	} else {
		add_bytes(t, "\n", 1);
		add_bytes(t, &little, sizeof little);
	}
	add_bytes(t, value, n);
	add_bytes(t, "\n", 1);
}

static void
add_number(struct text *t, const char *key, uint64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof digits, "%llu",
	    (unsigned long long)value);
	add(t, key, digits);
}

int
fs_journal_send(const struct fs_about *about, int priority, const char *line)
{
	const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
	struct text t = { .n = 0 };

	add(&t, "MESSAGE", line);
	add_number(&t, "PRIORITY", (uint64_t)priority);
	add(&t, "MESSAGE_ID", ids[about->kind]);
	add(&t, "SYSLOG_IDENTIFIER", "trailfs");
	add_number(&t, "SYSLOG_FACILITY", 3); /* daemon */
	add_number(&t, "SYSLOG_PID", (uint64_t)getpid());
	add(&t, "TRAILFS_CODE", about->code);
	add(&t, "TRAILFS_ERRNO", about->answer);
	add(&t, "TRAILFS_OPERATION", about->operation);
	if (about->has_caller) {
		add_number(&t, "TRAILFS_UID", about->uid);
		add_number(&t, "TRAILFS_PID", about->pid);
	}
	if (about->node != 0)
		add_number(&t, "TRAILFS_NODE", about->node);
	if (journal < 0 || t.full)
		return EINVAL;
	if (send(journal, t.b, t.n, flags) >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return EAGAIN;
	/* The journal was started again, with another socket. */
	if (connect_journal(journal) == 0 &&
	    send(journal, t.b, t.n, flags) >= 0)
		return 0;
	return errno == ENOBUFS ? EAGAIN : errno;
}

void
fs_journal_flush(void)
{
	int unread;

	if (journal < 0)
		return;
	for (int i = 0; i < FLUSH_TRIES; i++) {
		if (ioctl(journal, TIOCOUTQ, &unread) < 0)
			return;
		/* After the message was read, /proc is. */
		(void)poll(NULL, 0, FLUSH_MS);
		if (unread == 0)
			return;
	}
}
