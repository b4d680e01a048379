/* Upgrading a store: see upgrade.h.  The steps are in store/schema.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../base/file.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../node/holder.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/schema.h"
#include "../upgrade.h"

struct check {
	struct tf_tree *tree;
	uint64_t size; /* of the first call, and its root */
	struct tf_hash root;
	bool again;
};

static enum tf_code
one_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_tree *tree = arg;
	struct tf_hash leaf;

	(void)off;
	if (idx != tree->size)
		return tf_fail(err, TF_TAMPER, "entry %llu is out of place",
		    (unsigned long long)idx);
	tf_entry_leaf(body, n, &leaf);
	return tf_tree_append(tree, &leaf, NULL, NULL, err);
}

/* A store without entries has no checkpoint. */
static enum tf_code
unchanged(void *arg, struct tf_db *db, struct tf_error *err)
{
	struct check *c = arg;
	struct tf_hash root, signed_root;
	uint64_t size = 0;
	enum tf_code rc;

	memset(c->tree, 0, sizeof(*c->tree));
	rc = tf_entries_each(db, 0, one_entry, c->tree, err);
	tf_tree_root(c->tree, &root);
	signed_root = root;
	if (rc == TF_OK)
		rc = tf_checkpoints_newest(db, &size, &signed_root, NULL, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (size != c->tree->size ||
	    memcmp(&root, &signed_root, sizeof(root)) != 0 ||
	    (c->again &&
		(size != c->size ||
		    memcmp(&root, &c->root, sizeof(root)) != 0)))
		return tf_fail(err, TF_TAMPER,
		    "the entries do not give the root of the newest "
		    "checkpoint: run trailctl verify");
	c->size = size;
	c->root = root;
	c->again = true;
	return TF_OK;
}

/* *fd is open afterwards, also on failure, or -1. */
static enum tf_code
lock(int dirfd, int *fd, struct tf_error *err)
{
	struct tf_holder who;
	enum tf_code rc = tf_file_open(dirfd, "lock", O_RDWR | O_CREAT, fd,
	    err);

	if (rc != TF_OK || tf_holder_lock(*fd, LOCK_EX))
		return rc;
	if (errno != EWOULDBLOCK)
		return tf_fail(err, TF_IO, "lock the store");
	tf_holder_read(*fd, &who);
	return tf_fail(err, TF_LOCKED,
	    "the store is in use by %.100s: unmount it first",
	    who.text[0] == '\0' ? "another program" : who.text);
}

/* A mirror may be mounted although nobody has its lock. */
static enum tf_code
lock_mirror(int dirfd, int *fd, struct tf_error *err)
{
	enum tf_code rc = tf_holder_lock_mark(dirfd, LOCK_EX, fd, err);

	return rc == TF_LOCKED ?
	    tf_fail(err, rc, "the mirror is mounted: unmount it first") :
	    rc == TF_NOTFOUND ? TF_OK :
				rc;
}

static enum tf_code
look_at(const char *name, struct tf_upgraded *out, struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc = tf_db_open(name, TF_DB_READ, &db, err);

	if (rc != TF_OK)
		return rc;
	tf_db_format(db, out->from);
	tf_db_close(db);
	return TF_OK;
}

static enum tf_code
convert(const char *name, struct tf_upgraded *out, struct tf_error *err)
{
	struct check c = { .tree = malloc(sizeof(*c.tree)) };
	struct tf_db *db = NULL;
	enum tf_code rc = c.tree == NULL ?
	    tf_nomem(err) :
	    tf_db_open(name, TF_DB_UPGRADE, &db, err);

	if (rc == TF_OK)
		rc = tf_schema_upgrade(db, unchanged, &c, err);
	tf_db_close(db);
	free(c.tree);
	out->entries = c.size;
	out->root = c.root;
	return rc;
}

enum tf_code
tf_upgrade(const char *path, bool look, struct tf_upgraded *out,
    struct tf_error *err)
{
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1,
	    markfd = -1;
	char name[PATH_MAX];
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	if (dirfd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
		    strerror(errno));
	(void)snprintf(name, sizeof(name), "%s/" TF_DB_NAME, path);
	(void)snprintf(out->to, sizeof(out->to), "%d", TF_DB_VERSION);
	rc = look_at(name, out, err);
	if (rc == TF_OK && !look && strcmp(out->from, out->to) != 0 &&
	    (rc = lock(dirfd, &fd, err)) == TF_OK &&
	    (rc = lock_mirror(dirfd, &markfd, err)) == TF_OK)
		rc = convert(name, out, err);
	if (markfd >= 0)
		(void)close(markfd); /* gives up the lock, as below */
	if (fd >= 0)
		(void)close(fd);
	(void)close(dirfd);
	return rc;
}
