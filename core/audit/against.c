/*
 * Compare a directory with a store.  Each file that the ledger names must be in
 * the directory, with its bytes, and no other file may be there.  The directory
 * is a backup of a mount or an unpacked package.  The ledger of the store is
 * the reference; the call does not verify it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/names.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../base/bytes.h"
#include "../base/file.h"
#include "../base/show.h"
#include "../base/walk.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/name.h"
#include "../package.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/schema.h"
#include "../verify.h"
#include "file.h"
#include "pool.h"

/* The path of evidence has fewer directories. */
#define DEPTH_MAX 600

struct against {
	struct tf_report *r;
	const struct tf_verify *v;
	struct tf_package_place place; /* the directory in the ledger */
	struct tf_str base;	       /* paths are relative to it */
	bool select; /* only what a package holds, not all below base */
	struct tf_package_names *names; /* NULL: not an unpacked package */
	struct tf_pool *pool;
	int fd, evidencefd;  /* the directory; that of its evidence, or -1 */
	struct tf_buf known; /* names of allowed files, a NUL after each */
	const char **sorted;
	size_t n;
	struct tf_package_dir *dirs; /* directories that have pages */
	size_t n_dirs, cap_dirs;
};

static void
tell(struct against *g, enum tf_check l, enum tf_grade grade, uint64_t seq,
    const char *path, const char *text)
{
	struct tf_buf shown = { 0 };
	struct tf_finding f = { .check = l,
		.grade = grade,
		.seq = seq,
		.text = text };

	tf_name_show(&shown, path, strlen(path));
	tf_buf_add(&shown, "", 1);
	f.path = shown.failed ? "" : shown.p;
	if (g->v->found != NULL)
		g->v->found(g->v->arg, &f);
	tf_buf_free(&shown);
}

static void
finding(struct against *g, enum tf_check l, enum tf_grade grade, uint64_t seq,
    const char *path, const char *text)
{
	g->r->check[l] = TF_VERDICT_FAILED;
	g->r->findings++;
	g->r->beside += grade == TF_GRADE_BESIDE;
	tell(g, l, grade, seq, path, text);
}

/* Report a file that is not evidence: the evidence itself may be intact. */
static void
beside(struct against *g, const char *path, const char *text)
{
	finding(g, TF_CHECK_NAMES, TF_GRADE_BESIDE, UINT64_MAX, path, text);
}

static void
content_wrong(void *arg, const struct tf_task *t, bool read, const char *text)
{
	struct against *g = arg;

	if (read) {
		finding(g, TF_CHECK_CONTENTS, TF_GRADE_WRONG, t->seq, t->path,
		    text);
		return;
	}
	if (g->r->check[TF_CHECK_CONTENTS] == TF_VERDICT_OK)
		g->r->check[TF_CHECK_CONTENTS] = TF_VERDICT_ABSENT;
	tell(g, TF_CHECK_CONTENTS, TF_GRADE_UNREAD, t->seq, t->path, text);
}

/* --- files that the ledger names --------------------------------------------------- */

static bool
within(struct tf_str path, struct tf_str dir)
{
	return dir.n == 0 ||
	    (path.n > dir.n && memcmp(path.p, dir.p, dir.n) == 0 &&
		path.p[dir.n] == '/');
}

static struct tf_str
str(const char *s)
{
	return (struct tf_str){ s, strlen(s) };
}

/* Allow the file whose name is a, b and c joined. */
static enum tf_code
add_known(struct against *g, const char *a, struct tf_str b, const char *c,
    struct tf_error *err)
{
	tf_buf_str(&g->known, a);
	tf_buf_add(&g->known, b.p, b.n);
	tf_buf_str(&g->known, c);
	tf_buf_add(&g->known, "", 1);
	g->n++;
	return tf_buf_end(&g->known, err);
}

/* Expect the evidence of e under this name, and queue its bytes. */
static enum tf_code
add_evidence(struct against *g, const struct tf_entry *e, struct tf_str name,
    struct tf_error *err)
{
	struct tf_task t = { .seq = e->seq, .want = e->content };
	bool package = g->names != NULL;
	enum tf_code rc = add_known(g, package ? TF_PACKAGE_DATA : "", name, "",
	    err);

	if (rc == TF_OK && package)
		rc = add_known(g, TF_PACKAGE_FILE_PROOFS, name,
		    TF_PACKAGE_PROOF, err);
	if (rc != TF_OK)
		return rc;
	if ((t.path = strndup(name.p, name.n)) == NULL)
		return tf_nomem(err);
	g->r->files++;
	return tf_pool_add(g->pool, &t, err);
}

static enum tf_code
take_evidence(struct against *g, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_str rel = e->path;
	struct tf_buf name = { 0 };
	enum tf_code rc = TF_OK;

	g->r->entries++;
	if (g->base.n > 0) {
		rel.p += g->base.n + 1;
		rel.n -= g->base.n + 1;
	}
	if (g->names == NULL)
		return add_evidence(g, e, rel, err);
	rc = tf_package_file(g->names, rel, &name, err);
	if (rc == TF_OK)
		rc = add_evidence(g, e, tf_buf_bytes(&name), err);
	tf_buf_free(&name);
	return rc;
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
		rc = take_evidence(g, &d.e, err);
	tf_entry_decoded_free(&d);
	return rc;
}

/* --- files of a package other than evidence ------------------------------------------ */

static enum tf_code
add_dir(struct against *g, const struct tf_package_dir *d, struct tf_error *err)
{
	size_t cap = g->cap_dirs == 0 ? 16 : g->cap_dirs * 2;
	char *path;
	void *p;

	if (g->n_dirs == g->cap_dirs) {
		if ((p = realloc(g->dirs, cap * sizeof(*g->dirs))) == NULL)
			return tf_nomem(err);
		g->dirs = p;
		g->cap_dirs = cap;
	}
	if ((path = strndup(d->path.p, d->path.n)) == NULL)
		return tf_nomem(err);
	g->dirs[g->n_dirs] = *d;
	g->dirs[g->n_dirs].path.p = path;
	g->dirs[g->n_dirs++].sealed = true; /* it then has the most pages */
	return TF_OK;
}

static enum tf_code
one_packaged(void *arg, uint64_t seq, struct tf_str body,
    const struct tf_entry *e, struct tf_error *err)
{
	struct against *g = arg;
	struct tf_buf b = { 0 };
	struct tf_package_dir d;
	char number[24];
	enum tf_code rc = TF_OK;

	(void)body;
	if (e->type == TF_EVIDENCE_SEALED)
		return take_evidence(g, e, err);
	if (g->names == NULL)
		return TF_OK;
	if (tf_package_dir_of(&g->place, e, &d))
		rc = add_dir(g, &d, err);
	if (rc == TF_OK && e->type == TF_ATTESTATION_SEALED)
		rc = tf_package_directory(g->names,
		    tf_package_below(&g->place, e->path), &b, err);
	tf_buf_free(&b);
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)seq);
	return rc == TF_OK ? add_known(g, TF_PACKAGE_EVENT_PROOFS, str(number),
				 TF_PACKAGE_PROOF, err) :
			     rc;
}

static enum tf_code
one_text(void *arg, enum tf_package_text text, const char *name,
    struct tf_error *err)
{
	(void)text;
	return add_known(arg, "", str(name), "", err);
}

static enum tf_code
add_package_files(struct against *g, struct tf_error *err)
{
	static const char *const fixed[] = { TF_PACKAGE_BAGIT, TF_PACKAGE_INFO,
		TF_PACKAGE_MANIFEST, TF_PACKAGE_TAGMANIFEST, TF_PACKAGE_README,
		TF_PACKAGE_SCRIPT, TF_PACKAGE_JSON, TF_PACKAGE_CHECKPOINT,
		TF_PACKAGE_EVENTS, TF_PACKAGE_NAMES, TF_PACKAGE_VKEY,
		TF_PACKAGE_PEM, TF_PACKAGE_ATTESTER };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < sizeof(fixed) / sizeof(*fixed);
	     i++)
		rc = add_known(g, "", str(fixed[i]), "", err);
	for (size_t i = 0; rc == TF_OK && i < g->n_dirs; i++)
		rc = tf_package_texts(&g->place, g->names, &g->dirs[i],
		    one_text, g, err);
	return rc;
}

static enum tf_code
read_ledger(struct against *g, struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc = g->select ?
	    tf_package_select(db, UINT64_MAX, &g->place, one_packaged, g, err) :
	    tf_entries_each(db, 0, one_row, g, err);

	return rc == TF_OK && g->names != NULL ? add_package_files(g, err) : rc;
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
	if (g->evidencefd < 0)
		return tf_fail(err, TF_NOTFOUND,
		    "there is no " TF_PACKAGE_DATA);
	rc = tf_file_open_beneath(g->evidencefd, t->path, &fd, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_audit_hash(fd, &t->want, h, size, err);
	(void)close(fd);
	return rc;
}

/* --- files that the ledger does not name --------------------------------- */

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
		return tf_nomem(err);
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

static enum tf_code
one_file(void *arg, const char *path, enum tf_walk_kind kind, uint64_t size,
    struct tf_error *err)
{
	struct against *g = arg;

	(void)size;
	(void)err;
	if (kind == TF_WALK_DEEP)
		beside(g, path, "is deeper than any evidence");
	else if (kind != TF_WALK_FILE || g->n == 0 ||
	    bsearch(&path, g->sorted, g->n, sizeof(char *), by_text) == NULL)
		beside(g, path, "the ledger does not know it");
	return TF_OK;
}

/* --- the whole ------------------------------------------------------------------------ */

/* Read the format of the unpacked package.  It decides only under which name a
 * file is expected, so a false format cannot hide a missing file. */
static enum tf_code
format_of(struct against *g, unsigned *format, struct tf_error *err)
{
	struct tf_package_request r;
	struct tf_buf json = { 0 }, text = { 0 };
	enum tf_code rc = tf_file_read(g->fd, TF_PACKAGE_JSON,
	    TF_PACKAGE_JSON_MAX, &json, err);

	if (rc == TF_OK)
		rc = tf_package_json_read(&json, &r, format, &text, err);
	tf_buf_free(&json);
	tf_buf_free(&text);
	if (rc == TF_OK || rc == TF_NOMEM)
		return rc;
	*format = TF_PACKAGE_FORMAT;
	return TF_OK;
}

/* Compare with an unpacked package: its evidence is below data/, under safe
 * names. */
static enum tf_code
take_package(struct against *g, struct tf_error *err)
{
	unsigned format;
	enum tf_code rc;

	g->select = true;
	g->r->unpacked = true;
	g->base = g->place.base;
	if ((rc = format_of(g, &format, err)) != TF_OK)
		return rc;
	if ((g->names = tf_package_names_new(format)) == NULL)
		return tf_nomem(err);
	/* With a slash at its end, the name would follow a symlink. */
	g->evidencefd = openat(g->fd, "data",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* A package without evidence has no data/. */
	if (g->evidencefd < 0 && errno != ENOENT && errno != ENOTDIR &&
	    errno != ELOOP)
		return cannot_read(TF_PACKAGE_DATA, err);
	return TF_OK;
}

/* Set *kind to the kind of path in the ledger; "." is the root.  Errors:
 * TF_NOTFOUND. */
static enum tf_code
find_path(struct tf_db *db, const char *path, enum tf_kind *kind,
    struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(db, TF_ROOT_ID, &row, err);

	for (size_t n; rc == TF_OK; path += n) {
		path += strspn(path, "/");
		if ((n = strcspn(path, "/")) == 0)
			break;
		if (n == 1 && *path == '.')
			continue;
		if (n > TF_NAME_MAX)
			return tf_fail(err, TF_NAMETOOLONG, "name too long");
		rc = tf_nodes_find(db, row.attr.id, path, n, &row, err);
	}
	if (rc == TF_OK)
		*kind = row.attr.kind;
	return rc == TF_NOTFOUND ? tf_fail(err, rc, "no such name") : rc;
}

/* Set *yes if the directory is an unpacked package of path: it has a bagit.txt,
 * and the ledger has no node of that name below path. */
static enum tf_code
is_package(struct against *g, struct tf_db *db, const char *path, bool *yes,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_kind kind;
	enum tf_code rc = TF_OK;

	*yes = g->place.kind != TF_KIND_ROOT &&
	    faccessat(g->fd, TF_PACKAGE_BAGIT, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*yes)
		return errno == ENOENT || g->place.kind == TF_KIND_ROOT ?
		    TF_OK :
		    cannot_read(TF_PACKAGE_BAGIT, err);
	tf_buf_printf(&b, "%s/" TF_PACKAGE_BAGIT, path);
	tf_buf_add(&b, "", 1);
	if (b.failed)
		rc = tf_nomem(err);
	else if ((rc = find_path(db, b.p, &kind, err)) == TF_OK)
		*yes = false;
	else if (rc == TF_NOTFOUND || rc == TF_BADNAME)
		rc = TF_OK;
	tf_buf_free(&b);
	return rc;
}

/* Choose what is compared, from the request and the ledger alone: no file in
 * the directory may narrow the comparison. */
static enum tf_code
choose(struct against *g, struct tf_db *db, const char *path,
    struct tf_error *err)
{
	const struct tf_package_request q = { .path = path,
		.since = g->v->since,
		.until = g->v->until };
	bool package = false;
	enum tf_kind kind;
	enum tf_code rc = find_path(db, path, &kind, err);

	if (rc == TF_OK && kind == TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_USAGE,
		    "%.100s is a file: name its directory", path);
	if (rc != TF_OK)
		return rc;
	g->select = q.since != NULL || q.until != NULL;
	if (strcmp(path, ".") != 0)
		g->base = (struct tf_str){ path, strlen(path) };
	rc = tf_package_place(&q, &g->place, err);
	/* A directory in an attestation, or the root, has no package. */
	if (rc == TF_UNSUPPORTED && !g->select)
		rc = TF_OK;
	if (rc == TF_OK)
		rc = is_package(g, db, path, &package, err);
	return rc == TF_OK && package ? take_package(g, err) : rc;
}

static enum tf_code
compare(struct against *g, struct tf_db *db, struct tf_error *err)
{
	struct tf_pool_work w = { .begin = begin,
		.end = end,
		.hash = hash,
		.arg = g };
	enum tf_code rc;

	if ((rc = tf_pool_new(&w, g->v->threads, &g->pool, err)) == TF_OK)
		rc = read_ledger(g, db, err);
	if (rc == TF_OK)
		rc = tf_pool_results(g->pool, true, content_wrong, g,
		    &g->r->bytes, err);
	if (rc == TF_OK)
		rc = sort_known(g, err);
	return rc == TF_OK ? tf_walk(g->fd, DEPTH_MAX, one_file, g, err) : rc;
}

static void
let_go(struct against *g)
{
	tf_pool_free(g->pool); /* first: its threads use the rest */
	if (g->evidencefd >= 0 && g->evidencefd != g->fd)
		(void)close(g->evidencefd);
	if (g->fd >= 0)
		(void)close(g->fd);
	tf_package_names_free(g->names);
	for (size_t i = 0; i < g->n_dirs; i++)
		free((char *)g->dirs[i].path.p);
	free(g->dirs);
	tf_buf_free(&g->known);
	free(g->sorted);
}

static enum tf_code
open_ledger(const char *store, struct tf_db **db, struct tf_report *r,
    struct tf_error *err)
{
	struct tf_buf path = { 0 };
	enum tf_code rc;

	tf_buf_printf(&path, "%s/" TF_DB_NAME, store);
	tf_buf_add(&path, "", 1);
	rc = path.failed ? tf_nomem(err) :
			   tf_db_open(path.p, TF_DB_READ, db, err);
	tf_buf_free(&path);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "%.100s: no store here", store);
	if (rc == TF_OK)
		rc = tf_meta_get_text(*db, "origin", r->origin,
		    sizeof(r->origin), err);
	if (rc == TF_OK && !tf_origin_ok(r->origin, strlen(r->origin)))
		rc = tf_fail(err, TF_TAMPER, "the origin is malformed");
	return rc;
}

enum tf_code
tf_verify_against(const char *store, const char *path, const char *dir,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err)
{
	struct against g = { .r = report, .v = v };
	struct tf_db *db = NULL;
	enum tf_code rc = TF_OK;

	memset(report, 0, sizeof(*report));
	for (int l = 0; l < TF_CHECKS; l++)
		report->check[l] = TF_VERDICT_ABSENT;
	report->check[TF_CHECK_CONTENTS] = TF_VERDICT_OK;
	report->check[TF_CHECK_NAMES] = TF_VERDICT_OK;
	g.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g.evidencefd = g.fd;
	if (g.fd < 0)
		rc = tf_fail(err, tf_code_of_open(errno), "%.100s: %s", dir,
		    strerror(errno));
	if (rc == TF_OK)
		rc = open_ledger(store, &db, report, err);
	if (rc == TF_OK)
		rc = choose(&g, db, path, err);
	if (rc == TF_OK)
		rc = compare(&g, db, err);
	let_go(&g);
	tf_db_close(db);
	return rc;
}
