/*
 * The parts of a new store: see new_store.h.  A vault, a mirror and a vault that
 * is restored from a mirror are made of them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/checkpoint.h"
#include "../node/vault_i.h"
#include "../store/clean_pages.h"
#include "../store/connection.h"
#include "../store/key_dir.h"
#include "../store/meta.h"
#include "../store/store_files.h"
#include "../store/transaction.h"
#include "new_store.h"

static const char config_text[] =
    "# Settings of this store.  An option of the mount overrides its line "
    "here.\n"
    "# trailfs-format(5) describes all keys.\n"
    "# settle = 2\t\tseconds from the close of a file to its seal\n"
    "# quiet = 3600\t\tseconds without a change after which an attestation is "
    "sealed\n"
    "# max_file = 10G\tmaximum size of a file\n"
    "# max_staged = 50G\tmaximum size of one user's files that are not sealed "
    "yet\n"
    "# guard = /PATH\tthird copy of the checkpoint, on another disk\n"
    "# stamp = required\ttime stamps: off, best-effort or required\n"
    "# stamp_ca = /etc/trailfs/authorities.pem\tof whom they are required\n";

static enum tf_code
write_public(int dirfd, const char *name, const struct tf_pubkey *pub,
    struct tf_error *err)
{
	struct tf_buf pem = { 0 };
	enum tf_code rc;

	tf_pubkey_pem(pub, &pem);
	rc = pem.failed ?
	    tf_nomem(err) :
	    tf_file_write(dirfd, name, pem.p, pem.n, 0400, true, err);
	tf_buf_free(&pem);
	return rc;
}

/* Write the verifier's key, and append it to vkey. */
static enum tf_code
write_vkey(int dirfd, const struct tf_pubkey *log, const char *origin,
    struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_vkey k;
	enum tf_code rc;

	tf_vkey_make(&k, origin, log);
	tf_vkey_text(&k, &text);
	tf_buf_add(vkey, text.p, text.n);
	tf_buf_add(&text, "\n", 1);
	rc = text.failed || vkey->failed ?
	    tf_nomem(err) :
	    tf_file_write(dirfd, TF_LOG_VKEY, text.p, text.n, 0400, true, err);
	tf_buf_free(&text);
	return rc;
}

/*
 * Write the secret half of a new key below keysfd, and the public one below dirfd.
 * *out may be set on failure, too; the caller frees it.
 */
static enum tf_code
make_key(int dirfd, const char *pub_name, int keysfd, const char *name,
    struct tf_key **out, struct tf_error *err)
{
	struct tf_pubkey pub;
	enum tf_code rc;

	if ((rc = tf_key_generate(out, err)) != TF_OK ||
	    (rc = tf_key_save(*out, keysfd, name, err)) != TF_OK)
		return rc;
	tf_key_public(*out, &pub);
	return write_public(dirfd, pub_name, &pub, err);
}

/*
 * A store in a directory of another user would be no vault: that user could
 * rename or replace every file.
 */
enum tf_code
tf_new_store_dirs(const char *path, const struct tf_owner *owner, int *dirfd,
    bool *made, struct tf_error *err)
{
	static const char *const names[] = { "objects", "stage", "keys" };
	const uid_t uid = owner == NULL ? geteuid() : owner->uid;
	enum tf_code rc = TF_OK;
	struct stat st;

	*made = mkdir(path, 0700) == 0;
	if (!*made && errno != EEXIST)
		return tf_fail(err, TF_IO, "make %.100s: %s", path,
		    strerror(errno));
	*dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dirfd < 0)
		return tf_fail(err, errno == ENOTDIR ? TF_EXISTS : TF_IO,
		    "%.100s: %s", path, strerror(errno));
	if (fstat(*dirfd, &st) < 0)
		return tf_fail(err, TF_IO, "stat %.100s", path);
	errno = 0;
	if (st.st_uid != geteuid() && st.st_uid != uid)
		return tf_fail(err, TF_FOREIGN,
		    "%.100s belongs to uid %u, who could change all in it",
		    path, (unsigned)st.st_uid);
	/* An existing directory may be open to others, and the umask may have
	 * removed bits that the owner needs. */
	if (fchmod(*dirfd, 0700) < 0)
		return tf_fail(err, TF_IO, "chmod %.100s: %s", path,
		    strerror(errno));
	/* What is made in it then belongs to that user, too. */
	if (owner != NULL && fchown(*dirfd, owner->uid, owner->gid) < 0)
		return tf_fail(err, TF_IO, "give %.100s to uid %u", path,
		    (unsigned)owner->uid);
	for (size_t i = 0; i < 3 && rc == TF_OK; i++)
		rc = tf_file_mkdir(*dirfd, names[i], err);
	return rc;
}

enum tf_code
tf_new_store_keys(int dirfd, int keysfd, const char *origin,
    struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_key *log = NULL, *attester = NULL;
	struct tf_pubkey pub;
	enum tf_code rc;

	if ((rc = make_key(dirfd, TF_LOG_PUB, keysfd, TF_LOG_SECRET, &log,
		 err)) != TF_OK ||
	    (rc = make_key(dirfd, TF_ATTESTER_PUB, keysfd, TF_ATTESTER_SECRET,
		 &attester, err)) != TF_OK)
		goto out;
	tf_key_public(log, &pub);
	rc = write_vkey(dirfd, &pub, origin, vkey, err);
out:
	tf_key_free(log);
	tf_key_free(attester);
	return rc;
}

enum tf_code
tf_new_store_public(int dirfd, const struct tf_pubkey *log,
    const struct tf_pubkey *attester, const char *origin, struct tf_buf *vkey,
    struct tf_error *err)
{
	enum tf_code rc = write_public(dirfd, TF_LOG_PUB, log, err);

	if (rc == TF_OK)
		rc = write_public(dirfd, TF_ATTESTER_PUB, attester, err);
	return rc == TF_OK ? write_vkey(dirfd, log, origin, vkey, err) : rc;
}

enum tf_code
tf_new_store_config(int dirfd, const char *keys, const char *signer,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc;

	tf_buf_str(&text, config_text);
	if (keys != NULL)
		tf_buf_printf(&text, "keys = %s\n", keys);
	if (signer != NULL)
		tf_buf_printf(&text, "signer = %s\n", signer);
	rc = tf_buf_end(&text, err);
	if (rc == TF_OK)
		rc = tf_file_write(dirfd, "config", text.p, text.n, 0600, true,
		    err);
	tf_buf_free(&text);
	return rc;
}

/* One transaction: the database has all its numbers or none. */
enum tf_code
tf_new_store_database(const char *path, const char *origin, const char *id,
    struct tf_error *err)
{
	char name[PATH_MAX], store[33];
	uint8_t bytes[16];
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_random(bytes, sizeof(bytes), err)) != TF_OK)
		return rc;
	tf_hex(bytes, sizeof(bytes), store);
	if (id != NULL)
		(void)snprintf(store, sizeof(store), "%s", id);
	(void)snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME);
	if ((rc = tf_db_open(name, TF_DB_CREATE, &db, err)) != TF_OK)
		return rc;
	if ((rc = tf_db_begin(db, err)) == TF_OK &&
	    (rc = tf_meta_set_text(db, "store", store, err)) == TF_OK &&
	    (rc = tf_meta_set_text(db, "origin", origin, err)) == TF_OK &&
	    (rc = tf_meta_set_int(db, "next_id", TF_ROOT_ID + 1, err)) ==
		TF_OK &&
	    (rc = tf_meta_set_int(db, TF_META_CLEAN, 1, err)) == TF_OK &&
	    (rc = tf_meta_set_int(db, "files", 0, err)) == TF_OK &&
	    (rc = tf_meta_set_int(db, "content_bytes", 0, err)) == TF_OK)
		rc = tf_db_commit(db, err);
	tf_db_close(db);
	return rc;
}

void
tf_new_store_unmake(int dirfd, const char *path, bool made)
{
	static const char *const files[] = { "keys/" TF_LOG_SECRET, TF_LOG_VKEY,
		TF_LOG_PUB, "keys/" TF_ATTESTER_SECRET, TF_ATTESTER_PUB,
		TF_SIGNER_MEMORY, TF_DB_NAME, TF_DB_NAME "-wal",
		TF_DB_NAME "-shm", "checkpoint", "config", "lock" };
	static const char *const dirs[] = { "objects", "stage", "keys" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(dirfd, files[i], 0);
	for (size_t i = 0; i < 3; i++)
		(void)unlinkat(dirfd, dirs[i], AT_REMOVEDIR);
	if (made)
		(void)rmdir(path);
}

/*
 * A directory with anything in it is refused, so tf_new_store_unmake() never meets a file
 * that was there before.
 */
enum tf_code
tf_new_store_check(const char *path, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	char name[PATH_MAX];
	struct dirent *e;
	DIR *d;

	(void)snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME);
	if (access(name, F_OK) == 0)
		return tf_fail(err, TF_EXISTS,
		    "%.60s is a store already: trailctl key export --log "
		    "prints its key, trailfs mounts it",
		    path);
	if ((d = opendir(path)) == NULL)
		return errno == ENOENT ?
		    TF_OK :
		    tf_fail(err, errno == EACCES ? TF_ACCESS : TF_EXISTS,
			"%.100s: %s", path, strerror(errno));
	while (rc == TF_OK && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = tf_fail(err, TF_EXISTS, "%.100s is not empty",
			    path);
	(void)closedir(d);
	return rc;
}
