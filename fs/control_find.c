/*
 * Searches: .trailfs/find/QUERY of the root is a file with the answer to a
 * query (core/find.h), and .trailfs/by-sha256/HEX one with the paths of the
 * evidence with a digest.  The directories list nothing: a lookup makes the
 * name.
 *
 * Node ids, below the kind: 0 for the directory, the number of the query (or
 * digest) for a file.  The newest 4096 queries are remembered.  An older file that is still
 * open keeps its content, but can no longer be opened by its inode.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "control_tree.h"
#include "core/find.h"
#include "fs.h"

#define QUERIES 4096

static struct {
	pthread_mutex_t mu;
	char *text[QUERIES]; /* guarded by mu; query i is at i % QUERIES */
	uint64_t last;	     /* guarded by mu; the first query is 1 */
} queries = { .mu = PTHREAD_MUTEX_INITIALIZER };

/* The number of the query, or 0.  mu is held. */
static uint64_t
find_query(const char *text)
{
	uint64_t n = queries.last;

	for (; n > 0 && n + QUERIES > queries.last; n--)
		if (strcmp(queries.text[n % QUERIES], text) == 0)
			return n;
	return 0;
}

/* *ino becomes the node of that kind for the query. */
static enum tf_code
remember(const char *name, unsigned kind, uint64_t *ino, struct tf_error *err)
{
	char *text = strdup(name);
	uint64_t n;

	if (text == NULL)
		return tf_nomem(err);
	pthread_mutex_lock(&queries.mu);
	if ((n = find_query(text)) == 0) {
		n = ++queries.last;
		free(queries.text[n % QUERIES]);
		queries.text[n % QUERIES] = text;
		text = NULL;
	}
	pthread_mutex_unlock(&queries.mu);
	free(text);
	*ino = fs_control_id(kind, n);
	return TF_OK;
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	enum tf_code rc = tf_find_check(name, err);

	(void)v;
	(void)parent;
	return rc == TF_OK ? remember(name, FS_KIND_FIND, ino, err) : rc;
}

static enum tf_code
lookup_digest(struct tf_vault *v, uint64_t parent, const char *name,
    uint64_t *ino, struct tf_error *err)
{
	(void)v;
	(void)parent;
	if (strlen(name) != 64 || strspn(name, "0123456789abcdef") != 64)
		return tf_fail(err, TF_NOTFOUND, "it is no digest");
	return remember(name, FS_KIND_BY_SHA256, ino, err);
}

/* Copy the query of file ino to out. */
static enum tf_code
query_of(uint64_t ino, char out[TF_FIND_QUERY_MAX + 1], struct tf_error *err)
{
	uint64_t n = ino & FS_NODE_MASK;
	bool known;

	pthread_mutex_lock(&queries.mu);
	known = n > 0 && n <= queries.last && n + QUERIES > queries.last;
	if (known)
		strcpy(out, queries.text[n % QUERIES]);
	pthread_mutex_unlock(&queries.mu);
	return known ? TF_OK : tf_fail(err, TF_NOTFOUND, "no such query");
}

static uint64_t
top(uint64_t dir)
{
	(void)dir; /* the root */
	return fs_control_id(FS_KIND_FIND_DIR, 0);
}

static uint64_t
top_digest(uint64_t dir)
{
	(void)dir; /* the root */
	return fs_control_id(FS_KIND_BY_SHA256_DIR, 0);
}

static bool
is_dir(uint64_t ino)
{
	return fs_control_kind(ino) == FS_KIND_FIND_DIR ||
	    fs_control_kind(ino) == FS_KIND_BY_SHA256_DIR;
}

static enum tf_code
parent(struct tf_vault *v, uint64_t ino, uint64_t *out, struct tf_error *err)
{
	(void)v;
	(void)err;
	*out = is_dir(ino) ? fs_control_id(FS_KIND_DIR, TF_ROOT_ID) :
	    fs_control_kind(ino) == FS_KIND_FIND ? top(TF_ROOT_ID) :
						   top_digest(TF_ROOT_ID);
	return TF_OK;
}

static enum tf_code
stat_find(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tf_attr root;
	char text[TF_FIND_QUERY_MAX + 1];
	enum tf_code rc = tf_vault_getattr(v, TF_ROOT_ID, &root, err);

	if (rc == TF_OK && !is_dir(ino))
		rc = query_of(ino, text, err);
	if (rc != TF_OK)
		return rc;
	fs_attr_stat(&root, st);
	st->st_ino = ino;
	st->st_nlink = 1;
	st->st_mode = is_dir(ino) ? S_IFDIR | (0555 & root.mode) :
				    /* Each user sees what he may read. */
				    S_IFREG | (0444 & root.mode);
	st->st_size = is_dir(ino) ? 0 : -1;
	return TF_OK;
}

static enum tf_code
render(struct tf_vault *v, uint64_t ino, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	char text[TF_FIND_QUERY_MAX + 1];
	enum tf_code rc = query_of(ino, text, err);

	return rc == TF_OK ? tf_find(v, text, asker, out, err) : rc;
}

static enum tf_code
render_digest(struct tf_vault *v, uint64_t ino, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	char text[TF_FIND_QUERY_MAX + 1];
	enum tf_code rc = query_of(ino, text, err);

	return rc == TF_OK ? tf_find_paths(v, text, asker, out, err) : rc;
}

static enum tf_code
list(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	(void)v;
	(void)ino;
	(void)names;
	(void)err;
	return TF_OK;
}

const struct fs_tree fs_find_tree = {
	.first = FS_KIND_FIND_DIR,
	.last = FS_KIND_FIND,
	.final = false,
	.top = top,
	.is_dir = is_dir,
	.lookup = lookup,
	.parent = parent,
	.stat = stat_find,
	.render_for = render,
	.list = list,
};

const struct fs_tree fs_by_sha256_tree = {
	.first = FS_KIND_BY_SHA256_DIR,
	.last = FS_KIND_BY_SHA256,
	.final = false,
	.hides = true,
	.top = top_digest,
	.is_dir = is_dir,
	.lookup = lookup_digest,
	.parent = parent,
	.stat = stat_find,
	.render_for = render_digest,
	.list = list,
};
