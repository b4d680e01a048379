/*
 * Landlock without a library: see landlock.h.
 *
 * A rule belongs to a directory as it is now.  So a file that programs replace,
 * as /etc/passwd, needs a rule for its directory; and when another disk is
 * mounted in the place of the guard, the daemon must be started again.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock.h"

/* As in <linux/landlock.h>, which may be older than the kernel. */
#define WRITE_FILE (UINT64_C(1) << 1)
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIR (UINT64_C(1) << 3)
#define REMOVE_DIR (UINT64_C(1) << 4)
#define REMOVE_FILE (UINT64_C(1) << 5)
#define MAKE_DIR (UINT64_C(1) << 7)
#define MAKE_REG (UINT64_C(1) << 8)
#define REFER (UINT64_C(1) << 13)    /* since version 2 */
#define TRUNCATE (UINT64_C(1) << 14) /* since version 3 */
#define ALL_1 ((UINT64_C(1) << 13) - 1)
#define IOCTL_DEV (UINT64_C(1) << 15) /* since version 5 */
#define BIND_TCP (UINT64_C(1) << 0)   /* since version 4 */
#define CONNECT_TCP (UINT64_C(1) << 1)
#define ABSTRACT_SOCKET (UINT64_C(1) << 0) /* since version 6 */
#define SIGNALS (UINT64_C(1) << 1)

#define OF_FILES (WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)
#define READ (READ_FILE | READ_DIR)
#define WRITE (READ | WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE)
/* A damaged object is renamed, whatever it is now, and Landlock takes that for
 * making one; seccomp leaves no call that makes one. */
#define RENAME_ANY (UINT64_C(0x1e40)) /* devices, sockets, FIFOs, links */
#define WRITE_ALL (WRITE | REMOVE_DIR | MAKE_DIR | REFER | RENAME_ANY)

#define SYS_CREATE_RULESET 444
#define SYS_ADD_RULE 445
#define SYS_RESTRICT_SELF 446
#define GET_VERSION 1u
#define PATH_BENEATH 1

struct ruleset {
	uint64_t files, network, scoped;
};
struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct rules {
	int fd;
	uint64_t handled; /* rights to files that the kernel knows */
	enum tf_code rc;
	struct tf_error *err;
};

/* Allow these rights to path and to all below it, if it is there. */
static void
allow(struct rules *r, const char *path, uint64_t rights)
{
	struct beneath b = { .allowed = rights & r->handled,
		.fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;

	if (b.fd < 0)
		return;
	/* A file has no rights of directories. */
	if (fstat(b.fd, &st) == 0 && !S_ISDIR(st.st_mode))
		b.allowed &= OF_FILES;
	if (syscall(SYS_ADD_RULE, r->fd, PATH_BENEATH, &b, 0) < 0 &&
	    r->rc == TF_OK)
		r->rc = tf_fail(r->err, TF_IO, "landlock: allow %.100s", path);
	(void)close(b.fd);
}

static void
allow_directory_of(struct rules *r, const char *path, uint64_t rights)
{
	char *copy = path == NULL ? NULL : strdup(path);

	if (copy != NULL)
		allow(r, dirname(copy), rights);
	free(copy);
}

/* What the C library reads to find users and groups, and the machine's id. */
static void
allow_names(struct rules *r)
{
	static const char *const paths[] = { "/etc", "/usr", "/lib", "/lib64",
		"/lib32", "/run/systemd", "/var/lib/sss", "/var/lib/extrausers",
		"/var/db", "/var/cache/nscd" };

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		allow(r, paths[i], READ);
}

/* Parts of a store may be symbolic links to other disks. */
static void
allow_store(struct rules *r, const char *store, uint64_t rights)
{
	static const char *const parts[] = { "", "/objects", "/stage",
		"/keys" };
	char path[4200];

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", store, parts[i]);
		allow(r, path, rights);
	}
}

enum tf_code
fs_landlock_daemon(const char *store, bool read_only,
    const struct tf_outside *outside, int *version, struct tf_error *err)
{
	const long v = syscall(SYS_CREATE_RULESET, NULL, 0, GET_VERSION);
	struct ruleset set = { .files = ALL_1 | REFER };
	struct rules r = { .rc = TF_OK, .err = err };

	*version = 0;
	if (v < 2)
		return TF_OK;
	set.files |= (v >= 3 ? TRUNCATE : 0) | (v >= 5 ? IOCTL_DEV : 0);
	set.network = v >= 4 ? BIND_TCP | CONNECT_TCP : 0;
	set.scoped = v >= 6 ? ABSTRACT_SOCKET | SIGNALS : 0;
	r.handled = set.files;
	r.fd = (int)syscall(SYS_CREATE_RULESET, &set,
	    v >= 6     ? sizeof set :
		v >= 4 ? 2 * sizeof set.files :
			 sizeof set.files,
	    0);
	if (r.fd < 0)
		return tf_fail(err, TF_IO, "landlock: make rules");
	allow_store(&r, store, read_only ? READ : WRITE_ALL);
	allow_directory_of(&r, outside->guard, WRITE);
	allow_directory_of(&r, outside->last_guard, READ);
	if (outside->stamp_ca != NULL)
		allow(&r, outside->stamp_ca, READ_FILE);
	if (read_only) /* which cannot have temporary files in the store */
		allow(&r, "/tmp", WRITE);
	allow(&r, "/proc", READ);
	allow(&r, "/dev/null", READ_FILE | WRITE_FILE);
	allow(&r, "/dev/urandom", READ_FILE);
	allow_names(&r);
	if (r.rc == TF_OK && syscall(SYS_RESTRICT_SELF, r.fd, 0) < 0)
		r.rc = tf_fail(err, TF_IO, "landlock: apply the rules");
	(void)close(r.fd);
	if (r.rc == TF_OK)
		*version = (int)v;
	return r.rc;
}
