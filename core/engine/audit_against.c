/*
 * A directory against a store: is each file that the ledger tells of there,
 * with its bytes, and nothing besides?  The directory is a backup of what a
 * mount shows, or an unpacked package.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../store/entries.h"
#include "../vault.h"
#include "audit.h"
#include "impl.h"
#include "package.h"

struct against {
	struct tf_report *r;
	const struct tf_verify *v;
	struct tf_str base; /* paths are told from here; empty: the root */
	/* When it is an unpacked package: */
	struct tf_package_names *names;
	struct tf_package_place place;
	struct tf_buf text; /* of its strings */
	struct tf_pool *pool;
	int fd;		     /* the directory */
	struct tf_buf known; /* all files, a NUL after each, then sorted */
	const char **sorted;
	size_t n;
};

static void
tell(struct against *g, enum tf_link l, uint64_t seq, const char *path,
    const char *text)
{
	struct tf_buf shown = { 0 };
	struct tf_finding f = { .link = l, .seq = seq, .text = text };

	tf_name_show(&shown, path, strlen(path));
	tf_buf_add(&shown, "", 1);
	f.path = shown.failed ? "" : shown.p;
	if (g->v->found != NULL)
		g->v->found(g->v->arg, &f);
	tf_buf_free(&shown);
}

static void
finding(struct against *g, enum tf_link l, uint64_t seq, const char *path,
    const char *text)
{
	g->r->link[l] = TF_VERDICT_FAILED;
	g->r->findings++;
	tell(g, l, seq, path, text);
}

static void
content_wrong(void *arg, const struct tf_task *t, bool read, const char *text)
{
	struct against *g = arg;

	if (read) {
		finding(g, TF_LINK_CONTENTS, t->seq, t->path, text);
		return;
	}
	if (g->r->link[TF_LINK_CONTENTS] == TF_VERDICT_OK)
		g->r->link[TF_LINK_CONTENTS] = TF_VERDICT_ABSENT;
	tell(g, TF_LINK_CONTENTS, t->seq, t->path, text);
}

/* --- what the ledger tells of --------------------------------------------------- */

static bool
within(struct tf_str path, struct tf_str dir)
{
	return dir.n == 0 ||
	    (path.n > dir.n && memcmp(path.p, dir.p, dir.n) == 0 &&
		path.p[dir.n] == '/');
}

static enum tf_code
add_known(struct against *g, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_str rel = e->path;
	struct tf_buf name = { 0 };
	struct tf_task t = { .seq = e->seq, .want = e->content };
	enum tf_code rc = TF_OK;

	g->r->entries++;
	if (g->base.n > 0) {
		rel.p += g->base.n + 1;
		rel.n -= g->base.n + 1;
	}
	if (g->names != NULL)
		rc = tf_package_file(g->names, rel, &name, err);
	else
		tf_buf_add(&name, rel.p, rel.n);
	tf_buf_add(&name, "", 1);
	tf_buf_add(&g->known, name.p, name.failed ? 0 : name.n);
	if (rc == TF_OK &&
	    (name.failed || g->known.failed ||
		(t.path = strdup(name.p)) == NULL))
		rc = tf_fail(err, TF_NOMEM, "no memory");
	tf_buf_free(&name);
	if (rc != TF_OK)
		return rc;
	g->n++;
	g->r->files++;
	return tf_pool_add(g->pool, &t, err);
}

static enum tf_code
one_row(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct against *g = arg;
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc;

	(void)off;
	if (memmem(body, n, "\"evidence.sealed\"", 17) == NULL)
		return TF_OK;
	rc = tf_entry_decode(&d, body, n, err);
	if (rc != TF_OK && rc != TF_NOMEM)
		rc = tf_fail(err, TF_TAMPER,
		    "entry %llu is damaged: verify the store first",
		    (unsigned long long)idx);
	else if (rc == TF_OK && d.e.type == TF_EVIDENCE_SEALED &&
	    within(d.e.path, g->base))
		rc = add_known(g, &d.e, err);
	tf_entry_decoded_free(&d);
	return rc;
}

/* What a package of that has. */
static enum tf_code
one_packaged(void *arg, uint64_t seq, struct tf_str body,
    const struct tf_entry *e, struct tf_error *err)
{
	(void)seq;
	(void)body;
	return e->type == TF_EVIDENCE_SEALED ? add_known(arg, e, err) : TF_OK;
}

static enum tf_code
read_ledger(struct against *g, struct tf_db *db, struct tf_error *err)
{
	return g->names != NULL ?
	    tf_package_select(db, UINT64_MAX, &g->place, one_packaged, g, err) :
	    tf_entries_each(db, 0, one_row, g, err);
}

/* --- bytes ------------------------------------------------------------------------ */

static enum tf_code
begin(void *arg, void **self, struct tf_error *err)
{
	(void)arg;
	(void)err;
	*self = NULL;
	return TF_OK;
}

static void
end(void *self)
{
	(void)self;
}

static enum tf_code
hash(void *arg, void *self, const struct tf_task *t, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	struct against *g = arg;
	enum tf_code rc;
	int fd;

	(void)self;
	if (g->fd < 0)
		return tf_fail(err, TF_NOTFOUND,
		    "there is no " TF_PACKAGE_DATA);
	if ((rc = tf_file_open_beneath(g->fd, t->path, &fd, err)) != TF_OK)
		return rc;
	rc = tf_hash_fd(fd, h, size, err);
	(void)close(fd);
	return rc;
}

/* --- what is there besides ---------------------------------------------------------- */

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum tf_code
sort_known(struct against *g, struct tf_error *err)
{
	const char *p = g->known.p;

	if ((g->sorted = calloc(g->n + 1, sizeof(char *))) == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	for (size_t i = 0; i < g->n; i++, p += strlen(p) + 1)
		g->sorted[i] = p;
	qsort(g->sorted, g->n, sizeof(char *), by_text);
	return TF_OK;
}

static enum tf_code
cannot_read(const char *path, struct tf_error *err)
{
	return tf_fail(err, errno == EACCES ? TF_ACCESS : TF_IO, "%.100s: %s",
	    path, strerror(errno));
}

static enum tf_code look_around(struct against *g, int fd, struct tf_buf *path,
    struct tf_error *err);

/* Something called path, the last part of which is in directory fd. */
static enum tf_code
look_at(struct against *g, int fd, const char *name, struct tf_buf *path,
    struct tf_error *err)
{
	const char *p = path->p;
	struct stat st;
	int dir;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_read(path->p, err);
	if (!S_ISDIR(st.st_mode)) {
		if (!S_ISREG(st.st_mode) || g->n == 0 ||
		    bsearch(&p, g->sorted, g->n, sizeof(char *), by_text) ==
			NULL)
			finding(g, TF_LINK_NAMES, UINT64_MAX, path->p,
			    "the ledger does not know it");
		return TF_OK;
	}
	dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return cannot_read(path->p, err);
	path->n--; /* its NUL */
	return look_around(g, dir, path, err);
}

/* Takes fd over. */
static enum tf_code
look_around(struct against *g, int fd, struct tf_buf *path,
    struct tf_error *err)
{
	DIR *d = fdopendir(fd);
	size_t start = path->n;
	struct dirent *e;
	enum tf_code rc = TF_OK;

	if (d == NULL) {
		(void)close(fd);
		return tf_fail(err, TF_IO, "%s", strerror(errno));
	}
	while (rc == TF_OK && (errno = 0, e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		path->n = start;
		if (start > 0)
			tf_buf_str(path, "/");
		tf_buf_str(path, e->d_name);
		tf_buf_add(path, "", 1);
		rc = path->failed ? tf_fail(err, TF_NOMEM, "no memory") :
				    look_at(g, fd, e->d_name, path, err);
	}
	if (rc == TF_OK && errno != 0)
		rc = tf_fail(err, TF_IO, "%s", strerror(errno));
	(void)closedir(d);
	return rc;
}

/* --- the whole ------------------------------------------------------------------------ */

/* An unpacked package has its evidence below data/, under safe names, and says
 * itself what it has. */
static enum tf_code
take_package(struct against *g, int fd, const char *path, struct tf_error *err)
{
	struct tf_package_request r = { .path = NULL };
	struct tf_buf json = { 0 };
	enum tf_code rc = tf_file_read(fd, TF_PACKAGE_JSON, 65536, &json, err);

	if (rc == TF_OK)
		rc = tf_package_json_read(&json, &r, &g->text, err);
	if (rc == TF_OK)
		rc = tf_package_place(&r, &g->place, err);
	if (rc == TF_OK && strcmp(r.path, path) != 0)
		rc = tf_fail(err, TF_USAGE, "it is a package of %.100s",
		    r.path);
	tf_buf_free(&json);
	g->base = g->place.base;
	if (rc == TF_OK && (g->names = tf_package_names_new()) == NULL)
		rc = tf_fail(err, TF_NOMEM, "no memory");
	return rc;
}

static enum tf_code
choose_directory(struct against *g, const char *dir, const char *path,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return tf_fail(err, errno == EACCES ? TF_ACCESS : TF_NOTFOUND,
		    "%.100s: %s", dir, strerror(errno));
	g->fd = fd;
	if (strcmp(path, ".") != 0)
		g->base = (struct tf_str){ path, strlen(path) };
	if (faccessat(fd, TF_PACKAGE_BAGIT, F_OK, 0) < 0)
		return errno == ENOENT ? TF_OK :
					 cannot_read(TF_PACKAGE_BAGIT, err);
	if ((rc = take_package(g, fd, path, err)) != TF_OK)
		return rc;
	/* Without evidence there is none: then nothing is there. */
	g->fd = openat(fd, TF_PACKAGE_DATA, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->fd < 0 && errno != ENOENT)
		rc = cannot_read(TF_PACKAGE_DATA, err);
	(void)close(fd);
	return rc;
}

static enum tf_code
compare(struct against *g, struct tf_db *db, struct tf_error *err)
{
	struct tf_pool_work w = { .begin = begin,
		.end = end,
		.hash = hash,
		.arg = g };
	struct tf_buf path = { 0 };
	enum tf_code rc;
	int fd;

	if ((rc = tf_pool_new(&w, g->v->threads, &g->pool, err)) == TF_OK)
		rc = read_ledger(g, db, err);
	if (rc == TF_OK)
		rc = tf_pool_told(g->pool, true, content_wrong, g, &g->r->bytes,
		    err);
	if (rc == TF_OK)
		rc = sort_known(g, err);
	if (rc != TF_OK || g->fd < 0)
		return rc;
	if ((fd = openat(g->fd, ".", O_RDONLY | O_CLOEXEC)) < 0)
		return cannot_read(".", err);
	rc = look_around(g, fd, &path, err);
	tf_buf_free(&path);
	return rc;
}

enum tf_code
tf_verify_against(const char *store, const char *path, const char *dir,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct against g = { .r = report, .v = v, .fd = -1 };
	struct tf_vault *vault = NULL;
	struct tf_db *db = NULL;
	struct tf_attr attr;
	enum tf_code rc;

	memset(report, 0, sizeof(*report));
	for (int l = 0; l < TF_LINKS; l++)
		report->link[l] = TF_VERDICT_ABSENT;
	report->link[TF_LINK_CONTENTS] = TF_VERDICT_OK;
	report->link[TF_LINK_NAMES] = TF_VERDICT_OK;
	rc = choose_directory(&g, dir, path, err);
	if (rc == TF_OK)
		rc = tf_vault_open(store, &o, &vault, err);
	if (rc == TF_OK)
		rc = tf_vault_walk(vault, path, &attr, err);
	if (rc == TF_OK && attr.kind == TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_USAGE,
		    "%.100s is a file: name its directory", path);
	if (rc == TF_OK) {
		(void)snprintf(report->origin, sizeof(report->origin), "%s",
		    vault->origin);
		rc = tf_reader_db(vault, &db, err);
	}
	if (rc == TF_OK)
		rc = compare(&g, db, err);
	tf_pool_free(g.pool);
	if (db != NULL)
		tf_reader_done(vault, db);
	(void)!tf_vault_close(vault, "done", NULL); /* nothing was written */
	if (g.fd >= 0)
		(void)close(g.fd);
	tf_package_names_free(g.names);
	tf_buf_free(&g.known);
	tf_buf_free(&g.text);
	free(g.sorted);
	return rc;
}
