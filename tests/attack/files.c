/* Files: made, read, compared with what they were. */
#include <limits.h>
#include <sys/xattr.h>

#include "attack.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"

/* Where acknowledged files are noted, one line each: path, size, seed. */
const char *acknowledged_list;

static int acknowledged_fd = -1;

bool
open_acknowledged(void)
{
	if (acknowledged_list == NULL)
		return true;
	acknowledged_fd = open(acknowledged_list,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	acknowledged_list = realpath(acknowledged_list, NULL);
	return acknowledged_fd >= 0 && acknowledged_list != NULL;
}

void
pattern(void *p, size_t n, unsigned seed)
{
	uint32_t x = seed * 2654435761u + 1;
	unsigned char *to = p;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		to[i] = (unsigned char)(x >> 24);
	}
}

int
put_with_mode(const char *path, const void *p, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	ssize_t did;
	int sys;

	if (fd < 0)
		return -1;
	did = write(fd, p, n);
	if (did != (ssize_t)n) {
		sys = did < 0 ? errno : ENOSPC;
		(void)close(fd);
		errno = sys;
		return -1;
	}
	return close(fd);
}

int
put_bytes(const char *path, const void *p, size_t n)
{
	return put_with_mode(path, p, n, 0644);
}

int
put_text(const char *path, const char *text)
{
	return put_bytes(path, text, strlen(text));
}

void
acknowledged(const char *path, size_t n, unsigned seed)
{
	char line[PATH_MAX + 64], dir[PATH_MAX];
	int len;

	if (acknowledged_fd < 0)
		return;
	if (path[0] == '/' || getcwd(dir, sizeof dir) == NULL)
		dir[0] = '\0';
	len = snprintf(line, sizeof line, "%s%s%s %zu %u\n", dir,
	    path[0] == '/' ? "" : "/", path, n, seed);
	if (write(acknowledged_fd, line, (size_t)len) != len)
		fault("%s: %s", acknowledged_list, strerror(errno));
}

int
put(const char *path, size_t n, unsigned seed)
{
	char *p = malloc(n + 1);
	int rc = -1;

	if (p == NULL)
		return -1;
	pattern(p, n, seed);
	rc = put_bytes(path, p, n);
	free(p);
	if (rc == 0)
		acknowledged(path, n, seed);
	return rc;
}

int
read_bytes(const char *path, void *p, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t got = 0;
	ssize_t did;

	if (fd < 0)
		return -1;
	while (got < n && (did = read(fd, (char *)p + got, n - got)) > 0)
		got += (size_t)did;
	close(fd);
	return (int)got;
}

void
check_acknowledged(void)
{
	FILE *f = acknowledged_list == NULL ? NULL :
					      fopen(acknowledged_list, "re");
	char path[PATH_MAX], *got = malloc(BIG_SIZE + 1),
			     *want = malloc(BIG_SIZE + 1);
	unsigned seed;
	size_t n;

	while (f != NULL && got != NULL && want != NULL &&
	    fscanf(f, "%4095s %zu %u", path, &n, &seed) == 3) {
		atomic_fetch_add(&shared->tries, 1);
		pattern(want, n, seed);
		if (read_bytes(path, got, BIG_SIZE + 1) != (int)n ||
		    memcmp(got, want, n) != 0)
			fault("%s was acknowledged and is not there", path);
	}
	if (f != NULL)
		fclose(f);
	free(got);
	free(want);
}

const char *
fact(const char *path, const char *name)
{
	static char value[512];
	char full[128];
	ssize_t n;

	snprintf(full, sizeof full, "user.trailfs.%s", name);
	n = getxattr(path, full, value, sizeof value - 1);
	value[n < 0 ? 0 : n] = '\0';
	return value;
}

int
try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0666), sys = errno;

	if (fd >= 0)
		close(fd);
	errno = sys;
	return fd;
}

int
sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

void
check_digest(const char *path)
{
	static char all[BIG_SIZE + 1];
	int n = read_bytes(path, all, sizeof all);
	struct tf_hash h;
	char hex[65];

	if (n < 0 || (size_t)n > BIG_SIZE) {
		fault("%s: cannot be read", path);
		return;
	}
	tf_sha256(all, (size_t)n, &h);
	tf_hex(h.b, sizeof h.b, hex);
	if (strcmp(fact(path, "state"), "sealed") == 0 &&
	    strncmp(fact(path, "sha256"), hex, 64) != 0)
		fault("%s: its bytes are not those of its entry", path);
}

const char *
fresh(char out[64], const char *word)
{
	/* Each pid namespace has a process 1. */
	snprintf(out, 64, "%s-%ld-%llx", word, (long)getpid(),
	    (unsigned long long)now_ns());
	return out;
}

/* --- the evidence -------------------------------------------------------------------- */

static struct kept {
	char path[PATH_LEN + 32];
	struct stat st;
	char *bytes;
	char names[1024]; /* of attributes */
	ssize_t n_names;
	char seal[512], actor[512];
} kept[7];
static size_t n_kept;

static bool
look(const char *path, struct kept *k)
{
	char *bytes = malloc(BIG_SIZE + 1);

	memset(k, 0, sizeof *k);
	snprintf(k->path, sizeof k->path, "%s", path);
	if (bytes == NULL || stat(path, &k->st) < 0 ||
	    read_bytes(path, bytes, BIG_SIZE + 1) != (int)k->st.st_size) {
		free(bytes);
		return false;
	}
	k->bytes = bytes;
	k->n_names = listxattr(path, k->names, sizeof k->names);
	snprintf(k->seal, sizeof k->seal, "%s", fact(path, "index"));
	snprintf(k->actor, sizeof k->actor, "%s", fact(path, "actor"));
	return strcmp(fact(path, "state"), "sealed") == 0;
}

static bool
same(const struct kept *a, const struct kept *b)
{
	return a->st.st_ino == b->st.st_ino && a->st.st_mode == b->st.st_mode &&
	    a->st.st_uid == b->st.st_uid && a->st.st_gid == b->st.st_gid &&
	    b->st.st_nlink == 1 && a->st.st_size == b->st.st_size &&
	    memcmp(&a->st.st_mtim, &b->st.st_mtim, sizeof a->st.st_mtim) == 0 &&
	    memcmp(&a->st.st_ctim, &b->st.st_ctim, sizeof a->st.st_ctim) == 0 &&
	    memcmp(a->bytes, b->bytes, (size_t)a->st.st_size) == 0 &&
	    a->n_names == b->n_names && strcmp(a->seal, b->seal) == 0 &&
	    strcmp(a->actor, b->actor) == 0;
}

static void
keep(const char *dir, const char *name)
{
	char path[PATH_LEN + 32];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (!look(path, &kept[n_kept++])) {
		fprintf(stderr, "attack: %s is not sealed\n", path);
		exit(2);
	}
}

void
check_evidence(void)
{
	static const char *const names[] = { SEALED, BIG, PROGRAM };
	struct kept now;

	if (n_kept == 0) {
		for (size_t i = 0; i < LEN(names); i++) {
			keep(world.open, names[i]);
			keep(world.team, names[i]);
		}
		keep(world.secret, SECRET_NAME);
		return;
	}
	for (size_t i = 0; i < n_kept; i++) {
		if (!look(kept[i].path, &now))
			gained("%s cannot be read as it was", kept[i].path);
		else if (!same(&kept[i], &now))
			gained("%s is another one", kept[i].path);
		free(now.bytes);
	}
}

void
find_moment(char out[64])
{
	char path[PATH_LEN], text[1024] = "";
	const char *size;

	snprintf(path, sizeof path, "%s/.trailfs/checkpoint", world.mnt);
	if (read_bytes(path, text, sizeof text - 1) <= 0 ||
	    (size = strchr(text, '\n')) == NULL) {
		fault("%s cannot be read", path);
		size = "\n1";
	}
	snprintf(out, 64, ".trailfs/at/%llu", strtoull(size + 1, NULL, 10));
}
