/* Owners, types and modes of the files of a store: see store_files.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/sql.h"
#include "impl.h"
#include "store_files.h"

#define OTHERS 077 /* the mode bits of group and others */

struct look {
	int dirfd;
	uid_t owner; /* of the store's directory */
	bool tighten;
	tf_store_found found;
	void *arg;
};

static const struct place {
	const char *name;
	bool is_dir;
} places[] = {
	{ ".", true },
	{ "keys", true },
	{ "objects", true },
	{ "stage", true },
	{ TF_DB_NAME, false },
	{ TF_DB_NAME "-wal", false },
	{ TF_DB_NAME "-shm", false },
	{ "checkpoint", false },
	{ "config", false },
	{ "lock", false },
	{ TF_LOG_VKEY, false },
	{ TF_LOG_PUB, false },
	{ TF_ATTESTER_PUB, false },
};

static const char *
shown(const char *name)
{
	return name[0] == '.' ? "the store's directory" : name;
}

static void __attribute__((format(printf, 2, 3)))
tell(const struct look *k, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	k->found(k->arg, line);
}

/* Take the rights of group and others away.  A name that was exchanged since
 * it was looked at must not have another file changed. */
static bool
tighten(const struct look *k, const char *name, const struct stat *seen)
{
	struct stat st;
	bool done;
	int fd = openat(k->dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return false;
	done = fstat(fd, &st) == 0 && st.st_dev == seen->st_dev &&
	    st.st_ino == seen->st_ino &&
	    fchmod(fd, st.st_mode & 07777 & ~(mode_t)OTHERS) == 0;
	(void)close(fd);
	return done;
}

static void
check_mode(const struct look *k, const char *name, const struct stat *st)
{
	unsigned mode = st->st_mode & 07777;

	if ((mode & OTHERS) == 0)
		return;
	if (k->tighten && tighten(k, name, st))
		tell(k,
		    "%s was open to others, mode %04o: it has mode %04o now",
		    shown(name), mode, mode & ~(unsigned)OTHERS);
	else
		tell(k, "%s is open to others: mode %04o", shown(name), mode);
}

static void
check(const struct look *k, const struct place *p)
{
	struct stat st;

	if (fstatat(k->dirfd, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* who needs it says what is wrong */
	if (p->is_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode)) {
		tell(k, "%s is %s", p->name,
		    S_ISLNK(st.st_mode) ? "a symbolic link" :
			p->is_dir	? "not a directory" :
					  "not a plain file");
		return;
	}
	if (st.st_uid != k->owner && st.st_uid != 0)
		tell(k, "%s belongs to uid %u, the store to uid %u", p->name,
		    (unsigned)st.st_uid, (unsigned)k->owner);
	if (!p->is_dir && st.st_nlink > 1)
		tell(k, "%s has %u names (hard links)", p->name,
		    (unsigned)st.st_nlink);
	check_mode(k, p->name, &st);
}

void
tf_store_check_access(int dirfd, bool may_tighten, tf_store_found found,
    void *arg)
{
	struct look k = { .dirfd = dirfd,
		.tighten = may_tighten,
		.found = found,
		.arg = arg };
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return;
	k.owner = st.st_uid;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		tell(&k,
		    "the store belongs to uid %u, who can change all in it",
		    (unsigned)st.st_uid);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		check(&k, &places[i]);
}

enum tf_code
tf_store_check_keys(int dirfd, struct tf_error *err)
{
	struct stat st;

	if (fstatat(dirfd, "keys", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tf_fail(err, errno == EACCES ? TF_ACCESS : TF_FOREIGN,
		    "keys/");
	errno = 0;
	if (!S_ISDIR(st.st_mode))
		return tf_fail(err, TF_FOREIGN, "keys is not a directory");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return tf_fail(err, TF_FOREIGN, "keys/ belongs to uid %u",
		    (unsigned)st.st_uid);
	if ((st.st_mode & 022) != 0)
		return tf_fail(err, TF_FOREIGN,
		    "others may exchange the keys: keys/ has mode %04o.  Are "
		    "they still yours?  Then chmod 0700 it",
		    (unsigned)st.st_mode & 07777);
	return TF_OK;
}
