/*
 * The lock of a store: one writer, or mounts that read; of a mirror, one writer and
 * mounts that read.  The kernel gives up flock(2)
 * when the process ends, however it ends, so a crash leaves no lock behind.
 * The text in the file is only for messages: it is written after the lock was
 * taken, and the text of a crashed writer says nothing about who has the lock
 * now.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../base/file.h"
#include "../node/holder.h"
#include "../node/host.h"
#include "../node/vault_i.h"
#include "../store/connection.h"
#include "lock.h"

/*
 * Fill err with the holder of the lock.  advice: the beginning of the message.
 */
static enum tf_code
locked_by(int fd, const char *advice, struct tf_error *err)
{
	struct tf_holder who;

	/* Only readers have the lock: the text is of an earlier writer. */
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return tf_fail(err, TF_LOCKED,
		    "the store is mounted read-only");
	tf_holder_read(fd, &who);
	if (!tf_holder_is_seen(&who))
		return tf_fail(err, TF_LOCKED,
		    "the store is in use by trailfs pid %d, whose mount is not "
		    "in this mount namespace: lsns -t mnt lists others",
		    who.pid);
	/* A long text loses its middle, where the mount point is. */
	return tf_fail(err, TF_LOCKED, "the store is in use by %.120s%s",
	    who.text[0] == '\0' ? "another process" : who.text, advice);
}

static enum tf_code
write_holder(const struct tf_vault *v, const char *state, struct tf_error *err)
{
	char text[512], boot[64];

	tf_boot_id(boot);
	(void)snprintf(text, sizeof(text),
	    "%s%s pid %d\nmount %s\nhost %s\nboot %s\n", state, v->program,
	    (int)getpid(), v->mount == NULL ? "-" : v->mount, v->host, boot);
	return tf_file_pwrite(v->lockfd, text, strlen(text), 0, err);
}

enum tf_code
tf_vault_lock(struct tf_vault *v, struct tf_error *err)
{
	enum tf_code rc;

	rc = tf_file_open(v->dirfd, "lock", O_RDWR | O_CREAT, &v->lockfd, err);
	if (rc != TF_OK)
		return tf_fail(err, rc, "open %.100s/lock: %s", v->path,
		    rc == TF_INVALID || rc == TF_ISDIR ? "not a plain file" :
							 strerror(errno));
	if (!tf_holder_lock(v->lockfd, LOCK_EX))
		return errno == EWOULDBLOCK ?
		    locked_by(v->lockfd, "", err) :
		    tf_fail(err, TF_IO, "lock the store");
	if (ftruncate(v->lockfd, 0) < 0)
		return tf_fail(err, TF_IO, "write the lock");
	return write_holder(v, "", err);
}

void
tf_vault_lock_closing(struct tf_vault *v)
{
	(void)!write_holder(v, "closing ", NULL);
}

/* Lock the mark of a mirror.  TF_NOTFOUND: take the lock of the store. */
static enum tf_code
lock_mirror(struct tf_vault *v, struct tf_error *err)
{
	char name[PATH_MAX];
	enum tf_code rc;

	(void)snprintf(name, sizeof(name), "%s/" TF_DB_NAME, v->path);
	if (!tf_db_has_files(name))
		return TF_NOTFOUND;
	rc = tf_holder_lock_mark(v->dirfd, LOCK_SH, &v->lockfd, NULL);
	if (rc == TF_LOCKED)
		return tf_fail(err, rc,
		    "bytes of redacted evidence are being deleted from this "
		    "mirror: try again");
	return rc == TF_OK ? TF_OK : TF_NOTFOUND;
}

enum tf_code
tf_vault_lock_shared(struct tf_vault *v, bool *grows, struct tf_error *err)
{
	enum tf_code rc = lock_mirror(v, err);

	*grows = rc == TF_OK;
	if (rc != TF_NOTFOUND)
		return rc;
	if (tf_file_open(v->dirfd, "lock", O_RDONLY, &v->lockfd, NULL) !=
		TF_OK ||
	    tf_holder_lock(v->lockfd, LOCK_SH))
		return TF_OK;
	return errno == EWOULDBLOCK ?
	    locked_by(v->lockfd, "; see its mount with mount -o bind,ro", err) :
	    tf_fail(err, TF_IO, "lock the store");
}
