/* The holder of the store's lock: see holder.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/file.h"
#include "../store/store_files.h"
#include "holder.h"

void
tf_holder_read(int lockfd, struct tf_holder *out)
{
	size_t n = 0;
	char *line;

	memset(out, 0, sizeof(*out));
	if (tf_file_pread(lockfd, out->text, sizeof(out->text) - 1, 0, &n,
		NULL) != TF_OK)
		n = 0;
	out->text[n] = '\0';
	/* No text: it has just been emptied, or is about to be written. */
	out->closing = n == 0 || strncmp(out->text, "closing ", 8) == 0;
	if ((line = strstr(out->text, " pid ")) != NULL)
		(void)sscanf(line, " pid %d", &out->pid);
	line = strstr(out->text, "\nmount ");
	if (line != NULL && strncmp(line, "\nmount -\n", 9) != 0)
		(void)sscanf(line, "\nmount %199[^\n]", out->mount);
	if (n > 0 && out->text[n - 1] == '\n')
		out->text[n - 1] = '\0';
	for (char *p = out->text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
}

/* How long the lock may be about to be given, in ms; 0: its holder works. */
static int
patience(int lockfd)
{
	struct tf_holder who;

	/* Readers write no text, and close at once. */
	if (flock(lockfd, LOCK_SH | LOCK_NB) == 0)
		return 2000;
	tf_holder_read(lockfd, &who);
	if (who.closing)
		return 60000;
	/* Unmounted a moment ago, or in another mount namespace. */
	return tf_holder_is_seen(&who) ? 0 : 5000;
}

bool
tf_holder_lock(int lockfd, int how)
{
	const struct timespec pause = { .tv_nsec = 10000000 }; /* 10 ms */

	for (int waited = 0; flock(lockfd, how | LOCK_NB) < 0; waited += 10) {
		if (errno != EWOULDBLOCK)
			return false;
		if (waited >= patience(lockfd)) {
			errno = EWOULDBLOCK;
			return false;
		}
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

/* Parse a line of /proc/locks:
 * "1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF" */
static bool
is_listed(int32_t pid, uint64_t ino)
{
	char line[256], kind[16], mode[16];
	unsigned long long inode;
	bool found = false;
	FILE *f;
	int by;

	if ((f = fopen("/proc/locks", "re")) == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, "%*d: %15s %*s %15s %d %*x:%*x:%llu", kind,
			    mode, &by, &inode) == 4 &&
		    strcmp(kind, "FLOCK") == 0 && strcmp(mode, "WRITE") == 0 &&
		    by == pid && inode == ino;
	fclose(f);
	return found;
}

bool
tf_holder_find(int dirfd, struct tf_holder *out)
{
	struct stat st;
	bool held = false;
	int fd;

	if (tf_file_open(dirfd, "lock", O_RDONLY, &fd, NULL) != TF_OK)
		return false;
	tf_holder_read(fd, out);
	if (fstat(fd, &st) == 0)
		held = out->pid > 0 && is_listed(out->pid, st.st_ino);
	close(fd);
	return held;
}

enum tf_code
tf_holder_lock_mark(int dirfd, int how, int *fd, struct tf_error *err)
{
	enum tf_code rc = tf_file_open(dirfd, TF_MIRROR_MARK, O_RDONLY, fd,
	    err);

	if (rc != TF_OK || flock(*fd, how | LOCK_NB) == 0)
		return rc;
	rc = errno == EWOULDBLOCK ?
	    TF_LOCKED :
	    tf_fail(err, TF_IO, "lock " TF_MIRROR_MARK ": %s", strerror(errno));
	(void)close(*fd);
	*fd = -1;
	return rc;
}

bool
tf_holder_is_seen(const struct tf_holder *h)
{
	char *line = NULL, *at = NULL, *type = NULL, *dash;
	size_t cap = 0;
	bool seen = false;
	FILE *f;

	if (h->mount[0] == '\0' || strpbrk(h->mount, " \t\n\\") != NULL ||
	    (f = fopen("/proc/self/mountinfo", "re")) == NULL)
		return true;
	while (!seen && getline(&line, &cap, f) > 0) {
		at = type = NULL;
		dash = strstr(line, " - "); /* the file system type follows */
		if (dash != NULL &&
		    sscanf(line, "%*d %*d %*s %*s %ms", &at) == 1 &&
		    sscanf(dash, " - %ms", &type) == 1)
			seen = strcmp(at, h->mount) == 0 &&
			    strcmp(type, "fuse.trailfs") == 0;
		free(at);
		free(type);
	}
	free(line);
	fclose(f);
	return seen;
}
