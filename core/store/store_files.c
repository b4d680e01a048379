/*
 * Owners, types, modes and names of the files of a store: see store_files.h.
 * A user who can write these files can change evidence without the daemon, so
 * wrong rights are reported at each start, and removed where that is safe.
 * Only the key directory is so important that a wrong mode refuses the start
 * (key_dir.h).  A file that is missing is no finding here; the
 * code that opens it reports that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/show.h"
#include "../json.h"
#include "connection.h"
#include "forward_link.h"
#include "forwarded.h"
#include "key_dir.h"
#include "refusals.h"
#include "results.h"
#include "scrub.h"
#include "search_rows.h"
#include "store_files.h"

#define OTHERS 077 /* the mode bits of group and others */
#define WRITE 022

struct look {
	int dirfd;
	uid_t owner; /* the owner of the store's directory */
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
	{ TF_SEARCH_NAME, false },
	{ TF_SEARCH_NAME "-wal", false },
	{ TF_SEARCH_NAME "-shm", false },
	{ TF_SEARCH_NEXT_NAME, false },
	{ "checkpoint", false },
	{ TF_REFUSALS, false },
	{ TF_RESULT_VERIFY, false },
	{ TF_RESULT_BACKUP, false },
	{ TF_FORWARDED, false },
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

static void __attribute__((format(printf, 4, 5))) tell(const struct look *k,
    enum tf_store_fault fault, const char *name, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	k->found(k->arg, fault, name, line);
}

/* Remove the mode bits of group and others.  The name may refer to another file
 * since it was checked, and the mode of that file must not change. */
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

/* keys/ and what is in it, which may belong to root. */
static bool
is_in_keys(const char *name)
{
	return strncmp(name, "keys", 4) == 0;
}

/* A reader only reports: it must not change the store. */
static void
check_mode(const struct look *k, const char *name, const struct stat *st)
{
	unsigned mode = st->st_mode & 07777;

	if ((mode & OTHERS) == 0 ||
	    (is_in_keys(name) && st->st_uid != k->owner && (mode & WRITE) == 0))
		return;
	if (k->tighten && tighten(k, name, st))
		tell(k, TF_STORE_MODE, name,
		    "%s was open to others, mode %04o: it has mode %04o now",
		    shown(name), mode, mode & ~(unsigned)OTHERS);
	else
		tell(k, TF_STORE_MODE, name, "%s is open to others: mode %04o",
		    shown(name), mode);
}

/*
 * Hard links are reported, since the other name may lie where others can
 * write.
 */
static void
check(const struct look *k, const struct place *p)
{
	struct stat st;

	if (fstatat(k->dirfd, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* the code that opens it reports that */
	if (p->is_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode)) {
		tell(k, TF_STORE_TYPE, p->name, "%s is %s", p->name,
		    S_ISLNK(st.st_mode) ? "a symbolic link" :
			p->is_dir	? "not a directory" :
					  "not a plain file");
		return;
	}
	if (st.st_uid != k->owner && st.st_uid != 0)
		tell(k, TF_STORE_OWNER, p->name,
		    "%s belongs to uid %u, the store to uid %u", p->name,
		    (unsigned)st.st_uid, (unsigned)k->owner);
	if (!p->is_dir && st.st_nlink > 1)
		tell(k, TF_STORE_LINKS, p->name, "%s has %u names (hard links)",
		    p->name, (unsigned)st.st_nlink);
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
	/* Root gives a store to the user as whom the daemon runs. */
	if (st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0)
		tell(&k, TF_STORE_USER, ".",
		    "the store belongs to uid %u, who can change all in it",
		    (unsigned)st.st_uid);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		check(&k, &places[i]);
}

enum tf_code
tf_store_check_owner(int dirfd, uid_t uid, struct tf_error *err)
{
	struct stat st;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *name = places[i].name;

		if (is_in_keys(name) ||
		    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_uid == uid)
			continue;
		errno = 0;
		return tf_fail(err, TF_USAGE,
		    "%s belongs to uid %u, the store to uid %u: chown -R %u "
		    "STORE",
		    name, (unsigned)st.st_uid, (unsigned)uid, (unsigned)uid);
	}
	return TF_OK;
}

/* --- what does not belong there ------------------------------------------------ */

static bool
is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* The length of name without ".PID.NUMBER.tmp", the suffix of a temporary file
 * of tf_file_write that a crash may have left. */
static size_t
without_tmp(const char *name)
{
	static const char end[] = ".tmp";
	size_t n = strlen(name);

	if (n < sizeof(end) || strcmp(name + n - 4, end) != 0)
		return n;
	n -= 4;
	for (int part = 0; part < 2; part++) {
		while (n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9')
			n--;
		if (n < 2 || name[n - 1] != '.')
			return strlen(name);
		n--;
	}
	return n;
}

/* lost+found is there when the store is a file system of its own. */
static bool
belongs_on_top(const char *name)
{
	static const char *const names[] = { TF_DB_NAME, TF_DB_NAME "-wal",
		TF_DB_NAME "-shm", TF_DB_NAME "-journal", TF_SEARCH_NAME,
		TF_SEARCH_NAME "-wal", TF_SEARCH_NAME "-shm",
		TF_SEARCH_NEXT_NAME, "objects", "stage", "keys", "checkpoint",
		"config", "lock", "lost+found", TF_STAGE_KEY,
		TF_STAGE_KEY ".old", TF_REFUSALS, TF_RESULT_VERIFY,
		TF_RESULT_BACKUP, TF_FORWARDED, TF_FORWARD_SOCKET,
		TF_MIRROR_MARK, TF_BACKUP_MARK, "incoming", "refused" };
	char base[256];

	(void)snprintf(base, sizeof(base), "%.*s", (int)without_tmp(name),
	    name);
	return is_one_of(base, names, sizeof(names) / sizeof(names[0]));
}

static bool
belongs_in_keys(const char *name)
{
	static const char *const names[] = { "keys/" TF_LOG_SECRET, TF_LOG_VKEY,
		TF_LOG_PUB, "keys/" TF_ATTESTER_SECRET, TF_ATTESTER_PUB,
		TF_STAGE_KEY_EARLIER, TF_STAGE_KEY_EARLIER ".old",
		TF_SIGNER_MEMORY, TF_MIRROR_KEY, TF_MIRROR_VKEY,
		"keys/log.next.pem", "keys/log.old.pem",
		"keys/attester.next.pem", "keys/wiped.pem" };
	char path[300];

	(void)snprintf(path, sizeof(path), "keys/%.*s", (int)without_tmp(name),
	    name);
	return is_one_of(path, names, sizeof(names) / sizeof(names[0]));
}

static bool
is_hex(const char *name, size_t n)
{
	return strlen(name) == n && strspn(name, "0123456789abcdef") == n;
}

/* ".DIGEST.age": the encrypted file of a content that is whole. */
static bool
is_whole_age(const char *end)
{
	char hex[65];

	if (end[0] != '.' || strlen(end) != 1 + 64 + strlen(".age") ||
	    strcmp(end + 1 + 64, ".age") != 0)
		return false;
	memcpy(hex, end + 1, 64);
	hex[64] = '\0';
	return is_hex(hex, 64);
}

/*
 * Staged files have the id of their node as name.  Beside them are ".new", a
 * copy on its way, and of secret files ".spare", ".age" and ".DIGEST.age".
 */
static bool
belongs_in_stage(const char *name)
{
	static const char *const ends[] = { ".age", ".new", ".spare" };
	size_t n = strcspn(name, ".");
	uint64_t id;

	if (name[n] != '\0' && !is_whole_age(name + n) &&
	    !is_one_of(name + n, ends, sizeof(ends) / sizeof(ends[0])))
		return false;
	return tf_decimal(name, n, INT64_MAX, &id);
}

static bool
belongs_in_objects(const char *name)
{
	return is_hex(name, 2);
}

/* True if name is an object's name and ".damaged" or ".damaged.N": a file that
 * tf_object_put_aside renamed. */
static bool
is_aside(const char *name)
{
	static const char aside[] = ".damaged";
	const char *end = name + strcspn(name, ".");
	char hex[64];
	uint64_t n;

	(void)snprintf(hex, sizeof(hex), "%.*s", (int)(end - name), name);
	if (!is_hex(hex, 62) || strncmp(end, aside, sizeof(aside) - 1) != 0)
		return false;
	end += sizeof(aside) - 1;
	return *end == '\0' ||
	    (*end == '.' &&
		tf_decimal(end + 1, strlen(end + 1), INT64_MAX, &n));
}

static bool
belongs_in_object_dir(const char *name)
{
	size_t n = strlen(name), end = strlen(TF_OBJECT_HIDDEN);

	/* A hidden file is deleted at the next start. */
	if (n == 62 + end && strcmp(name + 62, TF_OBJECT_HIDDEN) == 0)
		return strspn(name, "0123456789abcdef") == 62;
	return is_hex(name, 62);
}

struct strays {
	int dirfd;
	tf_store_stray found;
	void *arg;
};

/* Without memory for the name the file is not reported. */
static void
tell_stray(const struct strays *k, const char *dir, const char *name)
{
	struct tf_buf shown = { 0 };
	bool aside = strncmp(dir, "objects/", 8) == 0 && is_aside(name);
	char path[512];

	tf_name_show(&shown, name, strlen(name));
	if (!shown.failed) {
		(void)snprintf(path, sizeof(path), "%s%s%.*s", dir,
		    dir[0] == '\0' ? "" : "/", (int)shown.n, shown.p);
		k->found(k->arg, path, aside);
	}
	tf_buf_free(&shown);
}

/* Report the foreign files in dir ("": the store's directory). */
static void
look_into(const struct strays *k, const char *dir,
    bool (*belongs)(const char *))
{
	int fd = openat(k->dirfd, dir[0] == '\0' ? "." : dir,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return; /* the code that opens it reports that */
	}
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 && !belongs(e->d_name))
			tell_stray(k, dir, e->d_name);
	(void)closedir(d);
}

void
tf_store_check_strays(int dirfd, bool all, tf_store_stray found, void *arg)
{
	struct strays k = { .dirfd = dirfd, .found = found, .arg = arg };
	char dir[16];

	look_into(&k, "", belongs_on_top);
	look_into(&k, "keys", belongs_in_keys);
	look_into(&k, "stage", belongs_in_stage);
	look_into(&k, "objects", belongs_in_objects);
	for (unsigned i = 0; all && i < 256; i++) {
		(void)snprintf(dir, sizeof(dir), "objects/%02x", i);
		look_into(&k, dir, belongs_in_object_dir);
	}
}
