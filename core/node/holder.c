/* The holder of the store's lock: see holder.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
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
