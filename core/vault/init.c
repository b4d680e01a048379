/*
 * Making a store: ledger.db objects/ stage/ keys/ checkpoint config lock.
 * Opening it once appends the first entry.
 *
 * The keys and config come first and ledger.db after them: a directory with a
 * ledger.db is a store for tf_new_store_check(), and a database is never without
 * its keys.  Then the store and its parent directory are synced, before success is
 * answered (I4).  A failed init removes what it made.  A crash leaves a
 * directory that is not empty, which the next init refuses: the operator
 * removes it.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/name.h"
#include "../node/vault_i.h"
#include "../sign/state.h"
#include "../store/key_dir.h"
#include "../vault.h"
#include "new_store.h"
#include "signer.h"

/* The default origin "HOST/NAME", without characters that an origin may not
 * have. */
static void
default_origin(const char *path, char out[TF_ORIGIN_MAX + 1])
{
	char full[PATH_MAX];
	struct utsname u;
	const char *base;
	size_t n;

	if (realpath(path, full) == NULL)
		(void)snprintf(full, sizeof(full), "%s", path);
	base = strrchr(full, '/');
	base = base == NULL || base[1] == '\0' ? "/vault" : base;
	(void)snprintf(out, TF_ORIGIN_MAX + 1, "%.60s%.60s",
	    uname(&u) == 0 && u.nodename[0] != '\0' ? u.nodename : "localhost",
	    base);
	for (n = 0; out[n] != '\0'; n++)
		if (!isalnum((unsigned char)out[n]) &&
		    strchr("._~:/-", out[n]) == NULL)
			out[n] = '-';
}

/* The key directory of the new store dirfd: another one, or STORE/keys. */
static enum tf_code
open_keys(int dirfd, const char *keys, const struct tf_owner *owner, int *fd,
    bool *made, struct tf_error *err)
{
	enum tf_code rc;

	*made = false;
	if (keys == NULL)
		return tf_key_dir_open(dirfd, fd, err);
	rc = tf_key_dir_make(dirfd, keys, fd, made, err);
	if (rc == TF_OK && *made && owner != NULL &&
	    fchown(*fd, owner->uid, owner->gid) < 0)
		rc = tf_fail(err, TF_IO, "give %.100s to uid %u", keys,
		    (unsigned)owner->uid);
	return rc;
}

/*
 * Take keys/ back from the owner of the store: the signer, which root starts, reads the
 * keys there, and the daemon cannot.  What is not secret is for everybody who reaches it.
 */
static enum tf_code
keep_from_owner(int keysfd, struct tf_error *err)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = { { TF_LOG_SECRET, 0400 }, { TF_ATTESTER_SECRET, 0400 },
		{ TF_SIGNER_STATE, 0600 }, { "log.vkey", 0444 },
		{ "log.pub.pem", 0444 }, { "attester.pub.pem", 0444 } };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if ((fchownat(keysfd, files[i].name, 0, 0,
			 AT_SYMLINK_NOFOLLOW) < 0 ||
			fchmodat(keysfd, files[i].name, files[i].mode, 0) <
			    0) &&
		    errno != ENOENT)
			return tf_fail(err, TF_IO, "keep keys/%s for root",
			    files[i].name);
	if (fchown(keysfd, 0, 0) < 0 || fchmod(keysfd, 0711) < 0)
		return tf_fail(err, TF_IO, "keep keys/ for root");
	return tf_file_sync_dir(keysfd, ".", err);
}

/* Remove what is left of keys outside of a store that was not made. */
static void
unmake_keys(int keysfd, const char *keys, bool made)
{
	(void)unlinkat(keysfd, TF_LOG_SECRET, 0);
	(void)unlinkat(keysfd, TF_ATTESTER_SECRET, 0);
	(void)unlinkat(keysfd, TF_SIGNER_STATE, 0);
	if (made)
		(void)rmdir(keys);
}

/* The keys of a store whose signer is that command. */
static enum tf_code
take_public(int dirfd, const char *signer, const char *origin,
    struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_pubkey log, attester;
	enum tf_code rc = tf_signer_first_keys(dirfd, signer, &log, &attester,
	    err);

	return rc == TF_OK ?
	    tf_new_store_public(dirfd, &log, &attester, origin, vkey, err) :
	    rc;
}

enum tf_code
tf_vault_init_for(const char *path, const char *origin, const char *keys,
    const char *signer, const struct tf_owner *owner, bool of_root,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = actor };
	char fallback[TF_ORIGIN_MAX + 1];
	struct tf_vault *v = NULL;
	bool made = false, made_keys = false, wrote_keys = false;
	int dirfd = -1, keysfd = -1;
	enum tf_code rc;

	if ((rc = tf_new_store_check(path, err)) != TF_OK)
		return rc;
	if (origin == NULL) {
		default_origin(path, fallback);
		origin = fallback;
	}
	if (!tf_origin_ok(origin, strlen(origin)))
		return tf_fail(err, TF_USAGE,
		    "an origin is 1 to 128 of "
		    "A-Za-z0-9._~:/-");
	if ((rc = tf_new_store_dirs(path, owner, &dirfd, &made, err)) ==
		TF_OK &&
	    (signer != NULL ||
		(rc = open_keys(dirfd, keys, owner, &keysfd, &made_keys,
		     err)) == TF_OK) &&
	    ((wrote_keys = signer == NULL), true) &&
	    (rc = signer != NULL ?
		    take_public(dirfd, signer, origin, vkey, err) :
		    tf_new_store_keys(dirfd, keysfd, origin, vkey, err)) ==
		TF_OK &&
	    (rc = tf_new_store_config(dirfd, keys, signer, err)) == TF_OK &&
	    (rc = tf_new_store_database(path, origin, NULL, err)) == TF_OK &&
	    (rc = tf_vault_open(path, &o, &v, err)) == TF_OK)
		rc = tf_vault_close(v, "done", err);
	if (rc == TF_OK && of_root && keys == NULL && keysfd >= 0)
		rc = keep_from_owner(keysfd, err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(dirfd, ".", err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(dirfd, "..", err);
	if (rc != TF_OK && wrote_keys)
		unmake_keys(keysfd, keys, made_keys);
	else if (rc != TF_OK && made_keys)
		(void)rmdir(keys);
	if (rc != TF_OK && dirfd >= 0)
		tf_new_store_unmake(dirfd, path, made);
	if (keysfd >= 0)
		(void)close(keysfd);
	if (dirfd >= 0)
		(void)close(dirfd);
	if (rc != TF_OK && err != NULL)
		tf_error_at(err, path);
	return rc;
}

enum tf_code
tf_vault_init(const char *path, const char *origin,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err)
{
	return tf_vault_init_for(path, origin, NULL, NULL, NULL, false, actor,
	    vkey, err);
}
