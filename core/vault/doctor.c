/*
 * The examination of a store: its files, keys, settings and disk.  doctor_ledger.c
 * has what needs the database.
 *
 * Nothing is opened for writing and no lock is taken.  Where nobody has the store
 * open, the database is read as one that nobody writes, so that SQLite makes no
 * file beside it; a process that opens the store meanwhile makes what was read
 * doubtful, and that is said.
 */
#include "../doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/users.h"
#include "../node/holder.h"
#include "../node/quota.h"
#include "../node/roles.h"
#include "../node/vault_i.h"
#include "../store/config_file.h"
#include "../store/connection.h"
#include "../store/key_dir.h"
#include "../store/refusals.h"
#include "../store/store_files.h"
#include "config.h"
#include "doctor_ledger.h"
#include "signer.h"

#define STRAYS_SHOWN 20
#define NEARLY_FULL 20 /* a twentieth of a disk */

struct look {
	const struct tf_doctor *d;
	struct tf_vault *v; /* not open: see doctor_ledger.h */
	uid_t owner;	    /* of the store's directory */
	unsigned wrong;	    /* lines of the part that is being examined */
	unsigned strays;
	char word[TF_DOCTOR_WORD];
};

/* --- files ---------------------------------------------------------------- */

static void
one_access(void *arg, enum tf_store_fault fault, const char *name,
    const char *line)
{
	struct look *k = arg;
	const bool top = strcmp(name, ".") == 0;
	const char *slash = top ? "" : "/", *end = top ? "" : name;
	char cure[TF_DOCTOR_CURE];
	struct stat st;

	switch (fault) {
	case TF_STORE_USER:
		return; /* the examiner is not the daemon */
	case TF_STORE_MODE:
		(void)snprintf(cure, sizeof(cure), "chmod go= %s%s%s", k->word,
		    slash, end);
		break;
	case TF_STORE_OWNER:
		(void)snprintf(cure, sizeof(cure), "chown %u %s%s%s",
		    (unsigned)k->owner, k->word, slash, end);
		break;
	case TF_STORE_LINKS:
		if (fstatat(k->v->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			st.st_ino = 0;
		(void)snprintf(cure, sizeof(cure),
		    "remove its other names: find DISK -xdev -inum %llu",
		    (unsigned long long)st.st_ino);
		break;
	case TF_STORE_TYPE:
	default:
		(void)snprintf(cure, sizeof(cure),
		    "find out who put it there; put the true one back from a "
		    "mirror or a backup");
	}
	k->wrong++;
	tf_doctor_say(k->d, "store", TF_DOCTOR_WRONG, cure, "%s", line);
}

static void
look_at_access(struct look *k)
{
	char name[256];
	struct passwd p, *found = NULL;
	char room[1024];

	k->wrong = 0;
	tf_store_check_access(k->v->dirfd, false, one_access, k);
	if (k->wrong > 0)
		return;
	(void)getpwuid_r(k->owner, &p, room, sizeof(room), &found);
	(void)snprintf(name, sizeof(name), "uid %u%s%s%s", (unsigned)k->owner,
	    found != NULL ? " (" : "", found != NULL ? p.pw_name : "",
	    found != NULL ? ")" : "");
	tf_doctor_say(k->d, "store", TF_DOCTOR_OK, NULL,
	    "%s belongs to %s alone", k->word, name);
}

static void
one_stray(void *arg, const char *path, bool aside)
{
	struct look *k = arg;
	char cure[TF_DOCTOR_CURE];

	if (k->strays++ >= STRAYS_SHOWN)
		return;
	if (aside)
		(void)snprintf(cure, sizeof(cure), "trailctl verify %s",
		    k->word);
	else
		(void)snprintf(cure, sizeof(cure),
		    "move it out of the store; evidence goes into the mount");
	tf_doctor_say(k->d, "files", TF_DOCTOR_WRONG, cure, "%s %s", path,
	    aside ? "was damaged and put aside" :
		    "does not belong in a store and is not recorded");
}

static void
look_at_strays(struct look *k)
{
	tf_store_check_strays(k->v->dirfd, true, one_stray, k);
	if (k->strays > STRAYS_SHOWN)
		tf_doctor_say(k->d, "files", TF_DOCTOR_WRONG,
		    "trailctl verify names all of them", "and %u more",
		    k->strays - STRAYS_SHOWN);
	else if (k->strays == 0)
		tf_doctor_say(k->d, "files", TF_DOCTOR_OK, NULL,
		    "no foreign file is in the store");
}

/* --- keys ----------------------------------------------------------------- */

/* What reading the key refuses.  The key itself is not read.  dir: the path of the
 * key directory for a shell. */
static void
look_at_key(struct look *k, int fd, const char *dir, const char *name)
{
	char cure[TF_DOCTOR_CURE];
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		k->wrong++;
		if (errno == ENOENT)
			tf_doctor_say(k->d, "keys", TF_DOCTOR_WRONG,
			    "put it back from where you keep a copy: without "
			    "it this log cannot go on",
			    "%s/%s is missing", dir, name);
		else
			tf_doctor_say(k->d, "keys", TF_DOCTOR_UNSEEN, NULL,
			    "%s/%s: %s", dir, name, strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		(void)snprintf(cure, sizeof(cure),
		    "make it a plain file with one name: cp it, compare, mv "
		    "the copy over it");
	else if (st.st_uid != k->owner && st.st_uid != 0)
		(void)snprintf(cure, sizeof(cure), "chown %u %s/%s",
		    (unsigned)k->owner, dir, name);
	else if ((st.st_mode & 077) != 0)
		(void)snprintf(cure, sizeof(cure), "chmod 0400 %s/%s", dir,
		    name);
	else
		return;
	k->wrong++;
	tf_doctor_say(k->d, "keys", TF_DOCTOR_WRONG, cure,
	    "%s/%s is not safe: uid %u, mode %04o, %u names%s", dir, name,
	    (unsigned)st.st_uid, (unsigned)st.st_mode & 07777,
	    (unsigned)st.st_nlink,
	    S_ISREG(st.st_mode) ? "" : ", not a plain file");
}

static enum tf_code
note_signer(void *arg, const char *key, const char *value, struct tf_error *err)
{
	(void)err;
	*(bool *)arg = *(bool *)arg || tf_config_is_signer(key, value);
	return TF_OK;
}

static void
look_at_keys(struct look *k)
{
	bool elsewhere = false;
	char link[64], path[PATH_MAX], dir[TF_DOCTOR_WORD];
	struct tf_error e = { .code = TF_OK };
	ssize_t n;
	int fd;
	enum tf_code rc;

	/* A config that cannot be read is another finding. */
	(void)!tf_config_each(k->v->dirfd, note_signer, &elsewhere, NULL);
	if (elsewhere) {
		tf_doctor_say(k->d, "keys", TF_DOCTOR_OK, NULL,
		    "the signer that config names has the private keys");
		return;
	}
	rc = tf_key_dir_open(k->v->dirfd, &fd, &e);
	/* Its text says what to do. */
	if (rc != TF_OK) {
		tf_doctor_say(k->d, "keys",
		    rc == TF_ACCESS || rc == TF_IO ? TF_DOCTOR_UNSEEN :
						     TF_DOCTOR_WRONG,
		    NULL, "%s", e.text);
		return;
	}
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	(void)tf_doctor_word(path, dir);
	k->wrong = 0;
	look_at_key(k, fd, dir, TF_LOG_SECRET);
	look_at_key(k, fd, dir, TF_ATTESTER_SECRET);
	(void)close(fd);
	if (k->wrong == 0)
		tf_doctor_say(k->d, "keys", TF_DOCTOR_OK, NULL,
		    "the private keys in %s are their owner's alone", dir);
}

/* --- settings ------------------------------------------------------------- */

static enum tf_code
look_at_config(struct look *k, struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	char cure[TF_DOCTOR_CURE];
	enum tf_code rc = tf_config_read(k->v, &e);

	if (rc == TF_OK)
		rc = tf_roles_find(k->v, &k->v->settings, false, &e);
	if (rc == TF_NOMEM)
		return tf_fail_as(err, &e);
	(void)snprintf(cure, sizeof(cure),
	    "correct %s/config: trailfs(8) lists the settings", k->word);
	if (rc != TF_OK)
		tf_doctor_say(k->d, "config",
		    rc == TF_USAGE ? TF_DOCTOR_WRONG : TF_DOCTOR_UNSEEN,
		    rc == TF_USAGE ? cure : NULL, "%s", e.text);
	else
		tf_doctor_say(k->d, "config", TF_DOCTOR_OK, NULL,
		    "its settings are understood");
	if (k->v->approvers == NULL)
		return TF_OK;
	switch (tf_user_in_group(0, k->v->approvers)) {
	case TF_NO_SUCH_GROUP:
		(void)snprintf(cure, sizeof(cure), "groupadd %.64s",
		    k->v->approvers);
		tf_doctor_say(k->d, "config", TF_DOCTOR_WRONG, cure,
		    "approvers = %s: there is no such group, so nobody can "
		    "approve a redaction",
		    k->v->approvers);
		break;
	case TF_NO_ANSWER:
		tf_doctor_say(k->d, "config", TF_DOCTOR_UNSEEN, NULL,
		    "approvers = %s: the name service does not answer",
		    k->v->approvers);
		break;
	default:
		break;
	}
	return TF_OK;
}

/* --- space ---------------------------------------------------------------- */

/* Compare what is free with the reserve, below which nothing is accepted. */
static void
compare_space(struct look *k, const char *what, uint64_t left, uint64_t all,
    uint64_t floor)
{
	char cure[TF_DOCTOR_CURE];

	(void)snprintf(cure, sizeof(cure),
	    "make room: df %s; nothing in the store itself may be deleted",
	    k->word);
	if (left < floor)
		tf_doctor_say(k->d, "space", TF_DOCTOR_WRONG, cure,
		    "%llu %s are free, less than the reserve of %llu: new "
		    "evidence is refused",
		    (unsigned long long)left, what, (unsigned long long)floor);
	else if (left < floor * 4 || left < all / NEARLY_FULL)
		tf_doctor_say(k->d, "space", TF_DOCTOR_WRONG, cure,
		    "only %llu of %llu %s are free", (unsigned long long)left,
		    (unsigned long long)all, what);
	else
		return;
	k->wrong++;
}

static void
look_at_space(struct look *k)
{
	struct statvfs s;

	k->wrong = 0;
	if (fstatvfs(k->v->dirfd, &s) < 0) {
		tf_doctor_say(k->d, "space", TF_DOCTOR_UNSEEN, NULL, "%s",
		    strerror(errno));
		return;
	}
	if ((s.f_flag & ST_RDONLY) != 0)
		tf_doctor_say(k->d, "space", TF_DOCTOR_WRONG,
		    "mount it writable, or mount the store with -o ro",
		    "the disk of the store is mounted read-only");
	compare_space(k, "bytes", (uint64_t)s.f_bavail * s.f_frsize,
	    (uint64_t)s.f_blocks * s.f_frsize, TF_FLOOR_BYTES);
	/* A file system without a table of inodes says 0. */
	if (s.f_files > 0)
		compare_space(k, "inodes", s.f_favail, s.f_files,
		    TF_FLOOR_FILES);
	if (k->wrong == 0)
		tf_doctor_say(k->d, "space", TF_DOCTOR_OK, NULL,
		    "%llu MiB are free",
		    (unsigned long long)(((uint64_t)s.f_bavail * s.f_frsize) >>
			20));
}

/* --- the ledger ----------------------------------------------------------- */

static enum tf_code
one_refusal(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	struct look *k = arg;

	(void)err;
	tf_doctor_say(k->d, "anchors", TF_DOCTOR_WRONG,
	    "compare the two with trailctl compare before you record more",
	    "%.*s %.*s %.*s", (int)r->kind.n, r->kind.p, (int)r->name.n,
	    r->name.p, (int)r->text.n, r->text.p);
	return TF_OK;
}

static bool
has_log(const struct tf_vault *v)
{
	struct stat st;

	return fstatat(v->dirfd, TF_DB_NAME "-wal", &st, AT_SYMLINK_NOFOLLOW) ==
	    0 &&
	    st.st_size > 0;
}

static enum tf_code
look_at_ledger(struct look *k, struct tf_doctor_user *user,
    struct tf_error *err)
{
	struct tf_vault *v = k->v;
	struct tf_holder who = { .pid = 0 };
	struct tf_db *db = NULL;
	struct tf_error e = { .code = TF_OK };
	char path[PATH_MAX], cure[TF_DOCTOR_CURE];
	enum tf_code rc;

	user->now = tf_holder_find(v->dirfd, &who);
	user->pid = user->now ? who.pid : 0;
	(void)snprintf(user->mount, sizeof(user->mount), "%s", who.mount);
	if (!user->now && has_log(v)) {
		(void)snprintf(cure, sizeof(cure),
		    "trailfs %s MNT recovers what was cut off", k->word);
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_WRONG, cure,
		    "the last run was cut short, and nobody has the store open");
	}
	(void)snprintf(path, sizeof(path), "%s/%s", v->path, TF_DB_NAME);
	rc = tf_db_open(path, user->now ? TF_DB_READ : TF_DB_STILL, &db, &e);
	if (rc == TF_OK)
		rc = tf_doctor_ledger(v, db, k->word, k->d, &e);
	tf_db_close(db);
	if (rc == TF_NOMEM)
		return tf_fail_as(err, &e);
	(void)snprintf(cure, sizeof(cure), "trailctl verify %s", k->word);
	if (rc == TF_TAMPER || rc == TF_FOREIGN || rc == TF_NEWER)
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_WRONG,
		    rc == TF_NEWER ? "use the newer trailfs" : cure, "%s",
		    e.text);
	else if (rc != TF_OK)
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_UNSEEN, NULL, "%s",
		    e.text);
	if (!user->now && tf_holder_find(v->dirfd, &who))
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_UNSEEN, NULL,
		    "the store was opened meanwhile: run this again");
	return TF_OK;
}

/* --- the whole ------------------------------------------------------------ */

static enum tf_code
look_at_all(struct look *k, struct tf_doctor_user *user, struct tf_error *err)
{
	enum tf_code rc;

	look_at_access(k);
	look_at_keys(k);
	look_at_strays(k);
	if ((rc = look_at_config(k, err)) != TF_OK)
		return rc;
	look_at_space(k);
	(void)!tf_refusals_each(k->v->dirfd, one_refusal, k, NULL);
	return look_at_ledger(k, user, err);
}

enum tf_code
tf_doctor_store(const char *path, const struct tf_doctor *d,
    struct tf_doctor_user *user, struct tf_error *err)
{
	struct tf_vault *v = calloc(1, sizeof(*v));
	struct look k = { .d = d, .v = v };
	struct stat st;
	enum tf_code rc = TF_OK;

	*user = (struct tf_doctor_user){ .pid = 0 };
	if (v == NULL || (v->path = strdup(path)) == NULL) {
		free(v);
		return tf_nomem(err);
	}
	(void)tf_doctor_word(path, k.word);
	v->read_only = true;
	v->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v->dirfd < 0 || fstat(v->dirfd, &st) < 0) {
		int sys = errno;

		tf_doctor_say(d, "store", TF_DOCTOR_UNSEEN,
		    sys == EACCES ? "run this as root or as its owner" : NULL,
		    "%s: %s", k.word, strerror(sys));
	} else if (faccessat(v->dirfd, TF_MIRROR_MARK, F_OK, 0) == 0) {
		tf_doctor_say(d, "store", TF_DOCTOR_NOTE,
		    "trailctl verify examines a mirror",
		    "%s is a mirror, not a store", k.word);
	} else {
		k.owner = st.st_uid;
		rc = look_at_all(&k, user, err);
	}
	if (v->dirfd >= 0)
		(void)close(v->dirfd);
	free(v->guard);
	free(v->approvers);
	free(v->path);
	free(v);
	return rc;
}
