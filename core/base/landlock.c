/*
 * Landlock without a library: see landlock.h.
 *
 * A rule belongs to a directory as it is now.  So a file that programs replace,
 * as /etc/passwd, needs a rule for its directory; and when another disk is
 * mounted in the place of a directory, the process must be started again.
 */
#include "landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALL_1 ((UINT64_C(1) << 13) - 1)
#define IOCTL_DEV (UINT64_C(1) << 15) /* since version 5 */
#define BIND_TCP (UINT64_C(1) << 0)   /* since version 4 */
#define CONNECT_TCP (UINT64_C(1) << 1)
#define ABSTRACT_SOCKET (UINT64_C(1) << 0) /* since version 6 */
#define SIGNALS (UINT64_C(1) << 1)

#define OF_FILES \
	(TF_LL_WRITE_FILE | TF_LL_READ_FILE | TF_LL_TRUNCATE | IOCTL_DEV)

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

void
tf_landlock_begin(struct tf_landlock *r, bool connects, struct tf_error *err)
{
	const long v = syscall(SYS_CREATE_RULESET, NULL, 0, GET_VERSION);
	struct ruleset set = { .files = ALL_1 | TF_LL_REFER };

	*r = (struct tf_landlock){ .fd = -1, .rc = TF_OK, .err = err };
	if (v < 2)
		return;
	set.files |= (v >= 3 ? TF_LL_TRUNCATE : 0) | (v >= 5 ? IOCTL_DEV : 0);
	set.network = v < 4 ? 0 : connects ? BIND_TCP : BIND_TCP | CONNECT_TCP;
	set.scoped = v >= 6 ? ABSTRACT_SOCKET | SIGNALS : 0;
	r->version = (int)v;
	r->handled = set.files;
	r->fd = (int)syscall(SYS_CREATE_RULESET, &set,
	    v >= 6     ? sizeof set :
		v >= 4 ? 2 * sizeof set.files :
			 sizeof set.files,
	    0);
	if (r->fd < 0)
		r->rc = tf_fail(err, TF_IO, "landlock: make rules");
}

void
tf_landlock_allow_fd(struct tf_landlock *r, int fd, const char *name,
    uint64_t rights)
{
	struct beneath b = { .allowed = rights & r->handled, .fd = fd };
	struct stat st;

	if (r->fd < 0)
		return;
	/* A file has no rights of directories. */
	if (fstat(b.fd, &st) == 0 && !S_ISDIR(st.st_mode))
		b.allowed &= OF_FILES;
	if (syscall(SYS_ADD_RULE, r->fd, PATH_BENEATH, &b, 0) < 0 &&
	    r->rc == TF_OK)
		r->rc = tf_fail(r->err, TF_IO, "landlock: allow %.100s", name);
}

void
tf_landlock_allow(struct tf_landlock *r, const char *path, uint64_t rights)
{
	int fd;

	if (r->fd < 0 || (fd = open(path, O_PATH | O_CLOEXEC)) < 0)
		return;
	tf_landlock_allow_fd(r, fd, path, rights);
	(void)close(fd);
}

enum tf_code
tf_landlock_enforce(struct tf_landlock *r, int *version)
{
	*version = 0;
	if (r->rc == TF_OK && r->fd >= 0 &&
	    syscall(SYS_RESTRICT_SELF, r->fd, 0) < 0)
		r->rc = tf_fail(r->err, TF_IO, "landlock: apply the rules");
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
	if (r->rc == TF_OK)
		*version = r->version;
	return r->rc;
}
