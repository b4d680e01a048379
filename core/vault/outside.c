/* Whom a store belongs to, and the files outside of it that an open vault uses:
 * see tf_vault_owner() and tf_vault_outside(). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/home.h"
#include "../node/load_entry.h"
#include "../store/config_file.h"
#include "../store/connection.h"
#include "../store/key_dir.h"
#include "../store/meta.h"
#include "../store/store_files.h"
#include "../vault.h"

bool
tf_vault_is_store(int dirfd)
{
	return faccessat(dirfd, TF_DB_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
tf_vault_is_copy(int dirfd, const char *name)
{
	char path[NAME_MAX + sizeof("/" TF_MIRROR_MARK)];
	struct stat st;

	if (strlen(name) > NAME_MAX ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode))
		return false;
	(void)snprintf(path, sizeof(path), "%s/" TF_MIRROR_MARK, name);
	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

enum tf_code
tf_vault_owner(const char *path, struct tf_owner *out, struct tf_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	enum tf_code rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = tf_fail(err, errno == ENOENT ? TF_NOTFOUND : TF_IO,
		    "store %s", path);
	else
		rc = tf_store_check_owner(fd, st.st_uid, err);
	if (rc == TF_OK)
		*out = (struct tf_owner){ st.st_uid, st.st_gid };
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

void
tf_outside_free(struct tf_outside *o)
{
	free(o->guard);
	free(o->last_guard);
	free(o->stamp_ca);
	free(o->index);
	*o = (struct tf_outside){ .guard = NULL };
}

static enum tf_code
replace(char **to, const char *value, struct tf_error *err)
{
	free(*to);
	*to = strdup(value);
	return *to == NULL ? tf_nomem(err) : TF_OK;
}

static enum tf_code
take(void *arg, const char *key, const char *value, struct tf_error *err)
{
	struct tf_outside *o = arg;

	if (tf_config_is_guard(key, value))
		return replace(&o->guard, value, err);
	if (strcmp(key, "stamp_ca") == 0 && tf_config_is_stamp(key, value))
		return replace(&o->stamp_ca, value, err);
	return TF_OK;
}

/* The guard of the last start, which the next start must find. */
static enum tf_code
read_last(const char *path, struct tf_outside *o, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 }, guard = { 0 };
	char name[PATH_MAX];
	uint64_t seq = 0;
	struct tf_db *db;
	enum tf_code rc;

	(void)snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME);
	if ((rc = tf_db_open(name, TF_DB_READ, &db, err)) != TF_OK)
		return rc;
	if ((rc = tf_meta_get_int(db, TF_META_OPENED, &seq, err)) == TF_OK &&
	    (rc = tf_load_entry(db, seq, &text, &d, err)) == TF_OK &&
	    (rc = tf_home_guard(d.e.options, &guard, err)) == TF_OK &&
	    guard.n > 0) {
		tf_buf_add(&guard, "", 1);
		rc = guard.failed ? tf_nomem(err) :
				    replace(&o->last_guard, guard.p, err);
	}
	tf_db_close(db);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	tf_buf_free(&guard);
	return rc;
}

/* A mount of a mirror reads beside its writer, and so has to lock what it reads in
 * the index of the log. */
static enum tf_code
name_index(const char *path, struct tf_outside *out, struct tf_error *err)
{
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s/" TF_DB_NAME "-shm", path);
	return replace(&out->index, name, err);
}

enum tf_code
tf_vault_outside(const char *path, bool read_only, struct tf_outside *out,
    struct tf_error *err)
{
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc;

	*out = (struct tf_outside){ .guard = NULL };
	if (dirfd < 0)
		return TF_OK;
	rc = tf_config_each(dirfd, take, out, err);
	/* A mount that only reads does not look at the guard. */
	if (rc != TF_NOMEM && !read_only)
		rc = read_last(path, out, err);
	if (rc != TF_NOMEM && read_only &&
	    faccessat(dirfd, TF_MIRROR_MARK, F_OK, 0) == 0)
		rc = name_index(path, out, err);
	(void)close(dirfd);
	if (rc == TF_NOMEM)
		tf_outside_free(out);
	return rc == TF_NOMEM ? rc : TF_OK;
}
