/*
 * trailctl doctor: the mount, and its mount point.  A mount point where nothing
 * is mounted is dangerous: programs write below it, and nothing is recorded.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/control.h"
#include "doctor.h"
#include "many.h"

#define FUSE_MAGIC 0x65735546

/* --- a mount point -------------------------------------------------------- */

/* What is at a mount point where no vault is mounted. */
static void
look_at_bare(const struct tf_doctor *d, const char *path)
{
	char word[TF_DOCTOR_WORD], cure[TF_DOCTOR_CURE];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), flags = 0;
	const struct dirent *e;
	struct stat st;
	unsigned n = 0;
	bool has_flags;
	DIR *names;

	(void)tf_doctor_word(path, word);
	if (fd < 0 || fstat(fd, &st) < 0 || (names = fdopendir(fd)) == NULL) {
		tf_doctor_say(d, "mount", TF_DOCTOR_UNSEEN, NULL, "%s: %s",
		    word, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(names)) != NULL)
		n += strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0;
	has_flags = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
	(void)snprintf(cure, sizeof(cure), "chattr +i %s", word);
	if (n > 0)
		tf_doctor_say(d, "mount", TF_DOCTOR_WRONG,
		    "move it away; what was meant as evidence, record after "
		    "mounting",
		    "the bare mount point %s is not empty: nothing of that is "
		    "recorded",
		    word);
	if (has_flags && (flags & FS_IMMUTABLE_FL) != 0)
		tf_doctor_say(d, "mount", TF_DOCTOR_OK, NULL,
		    "the bare mount point %s is immutable", word);
	else if (has_flags && st.st_uid == 0)
		tf_doctor_say(d, "mount", TF_DOCTOR_WRONG, cure,
		    "the bare mount point %s is not immutable: what programs "
		    "write there while nothing is mounted is not recorded",
		    word);
	else
		tf_doctor_say(d, "mount", TF_DOCTOR_NOTE, NULL,
		    "the bare mount point %s cannot be protected: only root "
		    "can, on a file system that has attributes",
		    word);
	closedir(names);
}

static bool
is_dead(const char *path)
{
	struct statfs s;

	return statfs(path, &s) < 0 && errno == ENOTCONN;
}

static void
say_dead(const struct tf_doctor *d, const char *path)
{
	char word[TF_DOCTOR_WORD], cure[TF_DOCTOR_CURE];

	(void)tf_doctor_word(path, word);
	(void)snprintf(cure, sizeof(cure),
	    "mount the store at %s again, or: umount -l %s", word, word);
	tf_doctor_say(d, "mount", TF_DOCTOR_WRONG, cure,
	    "the mount at %s is dead: its trailfs has ended", word);
}

/* The mount point that fstab has for the store; the caller frees it. */
static char *
find_in_fstab(const char *store)
{
	char *real = realpath(store, NULL), *found = NULL;
	FILE *f = setmntent("/etc/fstab", "re");
	const struct mntent *m;

	while (real != NULL && f != NULL && found == NULL &&
	    (m = getmntent(f)) != NULL)
		if (strcmp(m->mnt_fsname, real) == 0 &&
		    strcmp(m->mnt_type, "fuse.trailfs") == 0)
			found = strdup(m->mnt_dir);
	if (f != NULL)
		endmntent(f);
	free(real);
	return found;
}

void
doctor_mount_point(const struct tf_doctor *d, const char *store,
    const struct tf_doctor_user *last)
{
	struct tf_doctor_user there = *last, *user = &there;
	char word[TF_DOCTOR_WORD], *planned = NULL;
	struct statfs s;

	/* After an orderly end the store does not know it any more. */
	if (!user->now && user->mount[0] == '\0' &&
	    (planned = find_in_fstab(store)) != NULL)
		(void)snprintf(there.mount, sizeof(there.mount), "%s", planned);
	free(planned);
	if (user->mount[0] == '\0') {
		if (user->now)
			tf_doctor_say(d, "mount", TF_DOCTOR_NOTE, NULL,
			    "process %d has the store open, without a mount",
			    (int)user->pid);
		return;
	}
	(void)tf_doctor_word(user->mount, word);
	if (is_dead(user->mount)) {
		say_dead(d, user->mount);
	} else if (statfs(user->mount, &s) < 0) {
		tf_doctor_say(d, "mount",
		    user->now || errno != ENOENT ? TF_DOCTOR_UNSEEN :
						   TF_DOCTOR_NOTE,
		    NULL, "the mount point %s: %s", word, strerror(errno));
	} else if (s.f_type == FUSE_MAGIC) {
		tf_doctor_say(d, "mount", TF_DOCTOR_OK, NULL,
		    "%s is mounted, by process %d", word, (int)user->pid);
	} else if (user->now) {
		tf_doctor_say(d, "mount", TF_DOCTOR_NOTE,
		    "lsns -t mnt lists the others",
		    "%s is mounted by process %d in another mount namespace",
		    word, (int)user->pid);
	} else {
		look_at_bare(d, user->mount);
	}
}

bool
doctor_bare(const struct tf_doctor *d, const char *path,
    const struct tf_error *why)
{
	char word[TF_DOCTOR_WORD];
	struct stat st;

	if (is_dead(path)) {
		say_dead(d, path);
		return true;
	}
	if ((why->code != TF_NOTFOUND && why->code != TF_ACCESS) ||
	    stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	if (access(path, R_OK | X_OK) < 0) {
		tf_doctor_say(d, "store", TF_DOCTOR_UNSEEN,
		    "run this as root or as its owner",
		    "%s belongs to uid %u, and you may not enter it",
		    tf_doctor_word(path, word), (unsigned)st.st_uid);
		return true;
	}
	tf_doctor_say(d, "mount", TF_DOCTOR_WRONG, "trailfs STORE MNT",
	    "nothing is mounted at %s, and it is no store",
	    tf_doctor_word(path, word));
	look_at_bare(d, path);
	return true;
}

/* --- a mount -------------------------------------------------------------- */

/* Without rights on the status the mount says nothing. */
static void
read_status(const struct tf_doctor *d, const struct where *w,
    struct tf_buf *text, struct tf_json_doc *j)
{
	struct tf_error err = { 0 };
	enum tf_code rc = where_text(w, TF_CONTROL_STATUS, tf_vault_status,
	    text, &err);

	while (text->n > 0 && text->p[text->n - 1] == '\n')
		text->n--;
	if (rc == TF_OK)
		rc = tf_json_parse(j, text->p, text->n, &err);
	if (rc != TF_OK)
		tf_doctor_say(d, "mount", TF_DOCTOR_UNSEEN,
		    rc == TF_ACCESS ? "run this as root" : NULL, "%s",
		    err.text);
}

static int64_t
number(const struct tf_json_doc *j, int in, const char *key)
{
	int t = in < 0 ? -1 : tf_json_get(j, in, key);

	return t >= 0 && j->tok[t].type == TF_JSON_INT ? j->tok[t].num : 0;
}

/* Say the text of member key of the object in, if it has one. */
static bool
say_text(const struct tf_doctor *d, const struct tf_json_doc *j, int in,
    const char *key, const char *about, const char *cure, const char *words)
{
	struct tf_buf text = { 0 };
	int t = in < 0 ? -1 : tf_json_get(j, in, key);
	bool is = t >= 0 && tf_json_string(j, t, &text, NULL) == TF_OK;

	if (is)
		tf_doctor_say(d, about, TF_DOCTOR_WRONG, cure, "%s: %s", words,
		    text.p);
	tf_buf_free(&text);
	return is;
}

void
doctor_mount(const struct tf_doctor *d, const struct where *w)
{
	char word[TF_DOCTOR_WORD], cure[TF_DOCTOR_CURE];
	struct tf_buf text = { 0 };
	struct tf_json_doc j = { 0 };
	bool wrong = false;

	(void)tf_doctor_word(w->mount, word);
	read_status(d, w, &text, &j);
	if (j.n == 0)
		goto out;
	(void)snprintf(cure, sizeof(cure),
	    "repair the disk, then umount %s and mount it again", word);
	wrong |= say_text(d, &j, 0, "trouble", "mount", cure,
	    "the disk of the ledger failed, and nothing can be written");
	wrong |= say_text(d, &j, tf_json_get(&j, 0, "guard"), "trouble",
	    "guard", "repair its disk; the mount tries again",
	    "the guard is not written");
	if (number(&j, 0, "failed") > 0) {
		wrong = true;
		(void)snprintf(cure, sizeof(cure), "trailctl status %s", word);
		tf_doctor_say(d, "mount", TF_DOCTOR_WRONG, cure,
		    "%lld files could not be written or flushed",
		    (long long)number(&j, 0, "failed"));
	}
	if (number(&j, tf_json_get(&j, 0, "damaged"), "files") > 0) {
		wrong = true;
		(void)snprintf(cure, sizeof(cure),
		    "trailctl verify --rebuild %s", word);
		tf_doctor_say(d, "mount", TF_DOCTOR_WRONG, cure,
		    "reads found %lld files damaged",
		    (long long)number(&j, tf_json_get(&j, 0, "damaged"),
			"files"));
	}
	if (tf_json_get(&j, 0, "login_uids") >= 0)
		tf_doctor_say(d, "mount", TF_DOCTOR_NOTE,
		    "use a kernel with CONFIG_AUDIT, and /proc of the host's "
		    "pid namespace",
		    "login uids are not known: nothing shows that two users "
		    "are one person");
	if (!wrong)
		tf_doctor_say(d, "mount", TF_DOCTOR_OK, NULL,
		    "%s answers and has met no trouble", word);
out:
	tf_json_doc_free(&j);
	tf_buf_free(&text);
}

/* --- a mount of many origins ---------------------------------------------- */

static void
look_at_follower(const struct tf_doctor *d, const struct tf_buf *text)
{
	double running, failing = 0, at = 0, refused = 0, disordered = 0;
	double now = 0;

	if (!many_value(text, "trailfs_follow_running", &running))
		return; /* it shows copies that somebody else fetches */
	(void)many_value(text, "trailfs_metrics_timestamp_seconds", &now);
	(void)many_value(text, "trailfs_follow_failing", &failing);
	(void)many_value(text, "trailfs_follow_timestamp_seconds", &at);
	(void)many_value(text, "trailfs_follow_refused_origins", &refused);
	(void)many_value(text, "trailfs_follow_disordered", &disordered);
	if (running == 0)
		tf_doctor_say(d, "follow", TF_DOCTOR_WRONG,
		    "see the journal of the mount; if it is not started again, "
		    "unmount and mount again",
		    "the process that follows the organisation has ended: "
		    "until it is started again, nothing new appears, and "
		    "evidence that is not in the cache cannot be read");
	else if (failing != 0)
		tf_doctor_say(d, "follow", TF_DOCTOR_WRONG,
		    "see the journal of the mount",
		    "the organisation cannot be read, last done %.0f seconds "
		    "ago; it is tried again",
		    now - at);
	if (refused > 0)
		tf_doctor_say(d, "follow", TF_DOCTOR_WRONG,
		    "see the journal of the mount; trailctl org fetch names "
		    "each",
		    "%.0f origins could not be brought up to date", refused);
	if (disordered != 0)
		tf_doctor_say(d, "follow", TF_DOCTOR_WRONG,
		    "trailctl org fetch",
		    "the ledger does not fit what the organisation has signed");
	if (running != 0 && failing == 0 && refused == 0 && disordered == 0)
		tf_doctor_say(d, "follow", TF_DOCTOR_OK, NULL,
		    "all origins were compared %.0f seconds ago", now - at);
}

static void
look_at_daemons(const struct tf_doctor *d, const struct tf_buf *text)
{
	double origins = 0, daemons = 0, failures = 0;

	(void)many_value(text, "trailfs_origins", &origins);
	(void)many_value(text, "trailfs_origin_daemons", &daemons);
	(void)many_value(text, "trailfs_origin_daemon_failures_total",
	    &failures);
	tf_doctor_say(d, "mount", TF_DOCTOR_OK, NULL,
	    "%.0f origins are mounted, and %.0f daemons of them run", origins,
	    daemons);
	if (failures > 0)
		tf_doctor_say(d, "mount", TF_DOCTOR_WRONG,
		    "see the journal of the mount; verify that copy",
		    "daemons of origins could not start, or ended by "
		    "themselves, %.0f times since the mount began",
		    failures);
}

enum tf_code
doctor_many(const struct tf_doctor *d, const char *path, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = many_metrics(path, &text, err);

	if (rc == TF_OK) {
		look_at_daemons(d, &text);
		look_at_follower(d, &text);
	}
	tf_buf_free(&text);
	return rc;
}
