/*
 * Searches: .trailfs/find/QUERY of the root is a file with the answer to a
 * query (core/find.h), and .trailfs/by-sha256/HEX one with the paths of the
 * evidence with a digest.  The directories list nothing: a lookup makes the
 * name.
 *
 * Node ids, below the kind: 0 for the directory, the number of the query (or
 * digest) for a file.  4096 queries are remembered, those of control_past.c
 * included.  A new one then pushes out
 * the one that the user with the most queries has not asked for longest, so
 * nobody pushes out those of a user who asks less.  A file that is still open
 * keeps its content, but can no longer be opened by its inode.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "control_tree.h"
#include "core/find.h"
#include "fs.h"

#define QUERIES 4096

struct query {
	char *text;
	uint64_t number; /* of its file */
	uint64_t used;	 /* the higher, the later */
	uint32_t uid;	 /* who asked */
};

static struct {
	pthread_mutex_t mu;
	struct query q[QUERIES]; /* guarded by mu, as the rest */
	size_t n;
	uint64_t last, used; /* the first query is 1 */
} queries = { .mu = PTHREAD_MUTEX_INITIALIZER };

/* The query of that user, or NULL.  mu is held. */
static struct query *
find_query(uint32_t uid, const char *text)
{
	for (size_t i = 0; i < queries.n; i++)
		if (queries.q[i].uid == uid &&
		    strcmp(queries.q[i].text, text) == 0)
			return &queries.q[i];
	return NULL;
}

static int
by_user(const void *a, const void *b)
{
	const struct query *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->used < y->used ? -1 : x->used > y->used;
}

/* The place for a new query of uid when all are taken: that of the oldest query
 * of the user who has the most; of uid, if nobody has more.  mu is held. */
static struct query *
push_out(uint32_t uid)
{
	size_t first = 0, most = 0, oldest = 0, n;

	qsort(queries.q, queries.n, sizeof(queries.q[0]), by_user);
	for (size_t i = 1; i <= queries.n; i++) {
		if (i < queries.n && queries.q[i].uid == queries.q[first].uid)
			continue;
		n = i - first;
		if (n > most || (n == most && queries.q[first].uid == uid)) {
			most = n;
			oldest = first;
		}
		first = i;
	}
	free(queries.q[oldest].text);
	return &queries.q[oldest];
}

enum tf_code
fs_remember(const char *name, uint32_t uid, unsigned kind, uint64_t *ino,
    struct tf_error *err)
{
	char *text = strdup(name);
	struct query *q;

	if (text == NULL)
		return tf_nomem(err);
	pthread_mutex_lock(&queries.mu);
	if ((q = find_query(uid, text)) == NULL) {
		q = queries.n < QUERIES ? &queries.q[queries.n++] :
					  push_out(uid);
		*q = (struct query){ .text = text,
			.number = ++queries.last,
			.uid = uid };
		text = NULL;
	}
	q->used = ++queries.used;
	*ino = fs_control_id(kind, q->number);
	pthread_mutex_unlock(&queries.mu);
	free(text);
	return TF_OK;
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *name, uint32_t uid,
    uint64_t *ino, struct tf_error *err)
{
	enum tf_code rc = tf_find_check(name, err);

	(void)v;
	(void)parent;
	return rc == TF_OK ? fs_remember(name, uid, FS_KIND_FIND, ino, err) :
			     rc;
}

static enum tf_code
lookup_digest(struct tf_vault *v, uint64_t parent, const char *name,
    uint32_t uid, uint64_t *ino, struct tf_error *err)
{
	(void)v;
	(void)parent;
	if (strlen(name) != 64 || strspn(name, "0123456789abcdef") != 64)
		return tf_fail(err, TF_NOTFOUND, "it is no digest");
	return fs_remember(name, uid, FS_KIND_BY_SHA256, ino, err);
}

_Static_assert(FS_TEXT_MAX == TF_FIND_QUERY_MAX, "one length of texts");

enum tf_code
fs_recall(uint64_t ino, char out[FS_TEXT_MAX + 1], struct tf_error *err)
{
	uint64_t number = ino & FS_NODE_MASK;
	bool known = false;

	pthread_mutex_lock(&queries.mu);
	for (size_t i = 0; i < queries.n && !known; i++) {
		known = queries.q[i].number == number;
		if (known)
			strcpy(out, queries.q[i].text);
	}
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
		rc = fs_recall(ino, text, err);
	if (rc != TF_OK)
		return rc;
	/* Each user sees in a file what he may read. */
	fs_tree_stat(&root, ino, is_dir(ino), st);
	st->st_nlink = 1;
	return TF_OK;
}

static enum tf_code
render(struct tf_vault *v, uint64_t ino, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	char text[TF_FIND_QUERY_MAX + 1];
	enum tf_code rc = fs_recall(ino, text, err);

	return rc == TF_OK ? tf_find(v, text, asker, out, err) : rc;
}

static enum tf_code
render_digest(struct tf_vault *v, uint64_t ino, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	char text[TF_FIND_QUERY_MAX + 1];
	enum tf_code rc = fs_recall(ino, text, err);

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
	.lookup_for = lookup,
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
	.lookup_for = lookup_digest,
	.parent = parent,
	.stat = stat_find,
	.render_for = render_digest,
	.list = list,
};
