/*
 * Compare a directory with a store.  Each file that the ledger names must be in
 * the directory, with its bytes, and no other file may be there.  The directory
 * is a backup of a mount or an unpacked package.  The ledger of the store is
 * the reference; the call does not verify it.
 *
 * First the ledger is read: it gives the list of expected names and the
 * contents, which the pool begins to hash.  A missing file is found by the
 * pool, which cannot open it.  Then the directory is walked, and each name must
 * be in the list.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../archive/format.h"
#include "../archive/names.h"
#include "../archive/said.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/show.h"
#include "../base/walk.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/redaction.h"
#include "../ledger/withheld.h"
#include "../ledger/entry_read.h"
#include "../ledger/name.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../verify.h"
#include "file.h"
#include "pieces.h"
#include "pool.h"
#include "scope.h"

/* The path of evidence has fewer directories. */
#define DEPTH_MAX 600

struct against {
	struct tf_report *r;
	const struct tf_verify *v;
	struct tf_audit_scope scope;
	struct tf_pool *pool;
	struct tf_growing growing; /* evidence whose seal is yet to come */
	int fd;			   /* the directory */
	struct tf_buf known; /* names of allowed files, a NUL after each */
	const char **sorted;
	size_t n;
	struct tf_package_dirs dirs; /* that have pages */
	struct tf_bits redacted;     /* entries of evidence that was redacted */
};

/* Pass a finding to the caller, with a path that is safe to print. */
static void
tell(struct against *g, enum tf_check l, enum tf_grade grade, uint64_t seq,
    const char *path, const char *text, const struct tf_content *want,
    const struct tf_content *have)
{
	struct tf_buf shown = { 0 };
	struct tf_finding f = { .check = l,
		.grade = grade,
		.seq = seq,
		.text = text,
		.want = want,
		.have = have };

	tf_name_show(&shown, path, strlen(path));
	tf_buf_add(&shown, "", 1);
	f.path = shown.failed ? "" : shown.p;
	if (g->v->found != NULL)
		g->v->found(g->v->arg, &f);
	tf_buf_free(&shown);
}

static void
finding(struct against *g, enum tf_check l, enum tf_grade grade, uint64_t seq,
    const char *path, const char *text, const struct tf_content *want,
    const struct tf_content *have)
{
	g->r->check[l] = TF_VERDICT_FAILED;
	g->r->findings++;
	g->r->beside += grade == TF_GRADE_BESIDE;
	tell(g, l, grade, seq, path, text, want, have);
}

/* Report a file that is not evidence: the evidence itself may be intact. */
static void
beside(struct against *g, const char *path, const char *text)
{
	finding(g, TF_CHECK_NAMES, TF_GRADE_BESIDE, UINT64_MAX, path, text,
	    NULL, NULL);
}

static void
content_wrong(void *arg, const struct tf_task *t, const struct tf_content *have,
    bool read, const char *text)
{
	struct against *g = arg;

	/* A copy made before still has it, and a later one need not. */
	if (have == NULL && tf_bits_has(&g->redacted, t->seq)) {
		g->r->redacted++;
		g->r->files--;
		return;
	}
	if (read) {
		finding(g, TF_CHECK_CONTENTS, TF_GRADE_WRONG, t->seq, t->path,
		    text, &t->want, have);
		return;
	}
	if (g->r->check[TF_CHECK_CONTENTS] == TF_VERDICT_OK)
		g->r->check[TF_CHECK_CONTENTS] = TF_VERDICT_ABSENT;
	tell(g, TF_CHECK_CONTENTS, TF_GRADE_UNREAD, t->seq, t->path, text,
	    &t->want, NULL);
}

/* Report a file that is no evidence, nor anything to look after. */
static void
harmless(struct against *g, const char *path, const char *text)
{
	g->r->harmless++;
	tell(g, TF_CHECK_NAMES, TF_GRADE_HARMLESS, UINT64_MAX, path, text, NULL,
	    NULL);
}

/* --- files that the ledger names ------------------------------------------ */

/* True if path is below dir; the empty path is the root. */
static bool
within(struct tf_str path, struct tf_str dir)
{
	return dir.n == 0 ||
	    (path.n > dir.n && memcmp(path.p, dir.p, dir.n) == 0 &&
		path.p[dir.n] == '/');
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
	struct tf_pieces *pieces = tf_growing_take(&g->growing, e);
	bool package = g->scope.names != NULL;
	enum tf_code rc = add_known(g, package ? TF_PACKAGE_DATA : "", name, "",
	    err);

	if (rc == TF_OK && package)
		rc = add_known(g, TF_PACKAGE_FILE_PROOFS, name,
		    TF_PACKAGE_PROOF, err);
	if (rc == TF_OK && (t.path = strndup(name.p, name.n)) == NULL)
		rc = tf_nomem(err);
	if (rc != TF_OK) {
		tf_pieces_free(pieces);
		return rc;
	}
	t.pieces = pieces;
	g->r->files++;
	return tf_pool_add(g->pool, &t, err);
}

/* Expect the evidence of an entry, under its path or, in a package, under the
 * name that follows from the order of the entries. */
static enum tf_code
take_evidence(struct against *g, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_str rel = e->path;
	struct tf_buf name = { 0 };
	enum tf_code rc = TF_OK;

	g->r->entries++;
	if (g->scope.base.n > 0) {
		rel.p += g->scope.base.n + 1;
		rel.n -= g->scope.base.n + 1;
	}
	if (g->scope.names == NULL)
		return add_evidence(g, e, rel, err);
	rc = tf_package_file(g->scope.names, rel, &name, err);
	if (rc == TF_OK)
		rc = add_evidence(g, e, tf_buf_bytes(&name), err);
	tf_buf_free(&name);
	return rc;
}

/* A search of the bytes rejects entries that are about no bytes before they are
 * parsed. */
static enum tf_code
one_row(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct against *g = arg;
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc;

	(void)off;
	if (memmem(body, n, "\"evidence.sealed\"", 17) == NULL &&
	    memmem(body, n, "\"evidence.grown\"", 16) == NULL &&
	    memmem(body, n, "\"redaction.done\"", 16) == NULL)
		return TF_OK;
	rc = tf_entry_decode(&d, body, n, err);
	if (rc != TF_OK && rc != TF_NOMEM)
		rc = tf_fail(err, TF_TAMPER,
		    "entry %llu is damaged: verify the store first",
		    (unsigned long long)idx);
	else if (rc == TF_OK && d.e.type == TF_REDACTION_DONE &&
	    !tf_redaction_is_text(&d.e))
		tf_bits_add(&g->redacted, d.e.target);
	else if (rc == TF_OK && d.e.type == TF_EVIDENCE_GROWN &&
	    within(d.e.path, g->scope.base))
		rc = tf_growing_add(&g->growing, &d.e, err);
	else if (rc == TF_OK && d.e.type == TF_EVIDENCE_SEALED &&
	    within(d.e.path, g->scope.base))
		rc = take_evidence(g, &d.e, err);
	tf_entry_decoded_free(&d);
	return rc;
}

/* --- files of a package other than evidence ------------------------------- */

static enum tf_code
one_apart(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	char hex[65];

	tf_hex(x->sha256.b, sizeof(x->sha256.b), hex);
	return add_known(arg, TF_PACKAGE_APART, tf_str_of(hex), "", err);
}

static enum tf_code
one_said(void *arg, const char *name, const struct tf_content *content,
    struct tf_error *err)
{
	(void)content;
	return add_known(arg, "", tf_str_of(name), "", err);
}

/* An anchor also has a proof, and a time stamp what was stamped. */
static enum tf_code
add_anchor(struct against *g, const struct tf_entry *e, const char *number,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (e->type != TF_ANCHOR_ADDED)
		return TF_OK;
	rc = add_known(g, TF_PACKAGE_ANCHORS, tf_str_of(number),
	    TF_PACKAGE_ANCHOR_PATH, err);
	return rc == TF_OK ? add_known(g, TF_PACKAGE_ANCHORS, tf_str_of(number),
				 TF_PACKAGE_ANCHOR_NOTE, err) :
			     rc;
}

/* Expect the files that follow from one entry of the package.  The entries come
 * in the order in which the writer assigned names. */
static enum tf_code
one_packaged(void *arg, uint64_t seq, struct tf_str body,
    const struct tf_entry *e, struct tf_error *err)
{
	struct against *g = arg;
	struct tf_package_dir d;
	char number[24];
	enum tf_code rc = TF_OK;

	(void)body;
	if (e->type == TF_EVIDENCE_SEALED)
		return take_evidence(g, e, err);
	if (e->type == TF_EVIDENCE_GROWN &&
	    (rc = tf_growing_add(&g->growing, e, err)) != TF_OK)
		return rc;
	if (e->type == TF_REDACTION_DONE && !tf_redaction_is_text(e))
		tf_bits_add(&g->redacted, e->target);
	if (g->scope.names == NULL)
		return TF_OK;
	if (tf_package_dir_of(&g->scope.place, e, &d)) {
		d.sealed = true; /* it then has the most pages */
		rc = tf_package_dirs_add(&g->dirs, &d, err);
	}
	if (rc == TF_OK)
		rc = tf_package_name_dirs(&g->scope.place, g->scope.names, e,
		    err);
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)seq);
	if (rc == TF_OK)
		rc = tf_package_said(&g->scope.place, g->scope.names, e,
		    one_said, g, err);
	if (rc == TF_OK)
		rc = add_anchor(g, e, number, err);
	if (rc == TF_OK)
		rc = tf_withheld_named(e, one_apart, g, err);
	return rc == TF_OK ? add_known(g, TF_PACKAGE_EVENT_PROOFS,
				 tf_str_of(number), TF_PACKAGE_PROOF, err) :
			     rc;
}

static enum tf_code
one_text(void *arg, enum tf_package_text text, const char *name,
    struct tf_error *err)
{
	(void)text;
	return add_known(arg, "", tf_str_of(name), "", err);
}

/* Expect the files that a package has besides evidence.  They are only allowed
 * to be there; verifying the package checks what they say. */
static enum tf_code
add_package_files(struct against *g, struct tf_error *err)
{
	static const char *const fixed[] = { TF_PACKAGE_BAGIT, TF_PACKAGE_INFO,
		TF_PACKAGE_MANIFEST, TF_PACKAGE_TAGMANIFEST, TF_PACKAGE_README,
		TF_PACKAGE_SCRIPT, TF_PACKAGE_POWERSHELL, TF_PACKAGE_JSON,
		TF_PACKAGE_COMPLETENESS, TF_PACKAGE_HEALTH,
		TF_PACKAGE_CERTIFICATE, TF_PACKAGE_CHECKPOINT,
		TF_PACKAGE_EVENTS, TF_PACKAGE_NAMES, TF_PACKAGE_VKEY,
		TF_PACKAGE_PEM, TF_PACKAGE_ATTESTER };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < sizeof(fixed) / sizeof(*fixed);
	     i++)
		rc = add_known(g, "", tf_str_of(fixed[i]), "", err);
	for (size_t i = 0; rc == TF_OK && i < g->dirs.n; i++)
		rc = tf_package_texts(&g->scope.place, g->scope.names,
		    &g->dirs.d[i], one_text, g, err);
	return rc;
}

/* A directory of which a package would hold only a part is compared with that
 * selection, any other with all that is below its path. */
static enum tf_code
read_ledger(struct against *g, struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc = g->scope.select ?
	    tf_package_select(db, UINT64_MAX, &g->scope.place, one_packaged,
		NULL, g, err) :
	    tf_entries_each(db, 0, one_row, g, err);

	return rc == TF_OK && g->scope.names != NULL ?
	    add_package_files(g, err) :
	    rc;
}

/* --- bytes ---------------------------------------------------------------- */

/* Hash a file of the directory.  No symlink is followed: the evidence must be
 * in the directory itself. */
static enum tf_code
hash(void *arg, void *self, const struct tf_task *t, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	struct against *g = arg;
	int dirfd = g->scope.names != NULL ? g->scope.datafd : g->fd;

	(void)self;
	if (dirfd < 0)
		return tf_fail(err, TF_NOTFOUND,
		    "there is no " TF_PACKAGE_DATA);
	return tf_audit_hash_beneath(dirfd, t->path, &t->want, t->where, h,
	    size, err);
}

/* --- files that the ledger does not name ---------------------------------- */

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

/* How many of the first names of a path in the directory are those of a trail, a
 * workflow or an attestation. */
static unsigned
levels(const struct against *g)
{
	unsigned n = TF_KIND_ATTESTATION - TF_KIND_ROOT;

	if (g->scope.base.n == 0)
		return n;
	for (size_t i = 0; i < g->scope.base.n; i++)
		n -= n > 0 && g->scope.base.p[i] == '/';
	return n > 0 ? n - 1 : 0;
}

/* Report a file that nothing expects.  The list is sorted, as a directory may
 * hold millions of files.  A package has no drafts: a file beside its evidence
 * that has the name of one was put there later. */
static enum tf_code
one_file(void *arg, const char *path, enum tf_walk_kind kind, uint64_t size,
    struct tf_error *err)
{
	struct against *g = arg;

	(void)size;
	(void)err;
	if (kind == TF_WALK_DEEP)
		beside(g, path, "is deeper than any evidence");
	else if (kind == TF_WALK_FILE && g->n > 0 &&
	    bsearch(&path, g->sorted, g->n, sizeof(char *), by_text) != NULL)
		return TF_OK;
	else if (kind == TF_WALK_FILE && tf_name_of_desktop(path, strlen(path)))
		harmless(g, path,
		    "the ledger does not know it: desktops leave such files");
	else if (kind == TF_WALK_FILE && g->scope.names == NULL &&
	    tf_name_draft_path(path, strlen(path), levels(g)))
		harmless(g, path, "the ledger does not know it: a draft");
	else
		beside(g, path, "the ledger does not know it");
	return TF_OK;
}

/* --- the whole ------------------------------------------------------------ */

static enum tf_code
compare(struct against *g, struct tf_db *db, struct tf_error *err)
{
	struct tf_pool_work w = { .hash = hash, .arg = g };
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

/* Free everything; the pool first, because its threads use the rest. */
static void
let_go(struct against *g)
{
	tf_pool_free(g->pool); /* first: its threads use the rest */
	if (g->fd >= 0)
		(void)close(g->fd);
	tf_audit_scope_free(&g->scope);
	tf_package_dirs_free(&g->dirs);
	tf_buf_free(&g->known);
	tf_growing_free(&g->growing);
	tf_bits_free(&g->redacted);
	free(g->sorted);
}

/*
 * Open the database read-only, and find the origin for the report.  It is
 * checked because the database is not verified here and the origin is printed.
 */
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
	struct against g = { .r = report, .v = v, .scope.datafd = -1 };
	struct tf_db *db = NULL;
	enum tf_code rc = TF_OK;

	memset(report, 0, sizeof(*report));
	for (int l = 0; l < TF_CHECKS; l++)
		report->check[l] = TF_VERDICT_ABSENT;
	report->check[TF_CHECK_CONTENTS] = TF_VERDICT_OK;
	report->check[TF_CHECK_NAMES] = TF_VERDICT_OK;
	g.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g.fd < 0)
		rc = tf_fail(err, tf_code_of_open(errno), "%.100s: %s", dir,
		    strerror(errno));
	if (rc == TF_OK)
		rc = open_ledger(store, &db, report, err);
	if (rc == TF_OK)
		rc = tf_audit_scope_choose(&g.scope, v, db, path, g.fd, err);
	report->unpacked = g.scope.names != NULL;
	if (rc == TF_OK)
		rc = compare(&g, db, err);
	let_go(&g);
	tf_db_close(db);
	return rc;
}
