/*
 * A package as the source of an audit.  Each entry has an inclusion proof; the
 * replay knows the gaps between the entries.  The files of the package must be
 * those that the entries name, under the names that follow from the entries,
 * and no others.  The audit writes nothing to disk.
 *
 * A package comes from the party that is being audited, so no file in it is
 * believed for its own sake.  package.json says what the package is about; from
 * that and from the proven entries every other member is made again and
 * compared.  The manifests only protect against damage: somebody who alters a
 * file can alter its line.  Pages for people cannot be made again without the
 * store; they are compared with the manifest and reported as unproven.
 *
 * The package holds a part of the log, so there is no tree to build: tiles are
 * ABSENT, and an earlier checkpoint of another size cannot be compared.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/members.h"
#include "../archive/names.h"
#include "../archive/open.h"
#include "../archive/reader.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../base/bytes.h"
#include "../ledger/checkpoint.h"
#include "../package.h"
#include "../verify.h"
#include "audit.h"
#include "package_entries.h"
#include "package_files.h"
#include "package_members.h"
#include "pieces.h"
#include "pool.h"
#include "quorum.h"
#include "stamp.h"

/* --- the threads of the pool ---------------------------------------------- */

/* Each thread unpacks with buffers of its own. */
static enum tf_code
begin(void *arg, void **self, struct tf_error *err)
{
	struct tf_audit_package *k = arg;
	struct tf_archive_reader *r;
	enum tf_code rc = tf_archive_reader_new(k->z, &r, err);

	*self = r;
	return rc;
}

static void
end_thread(void *self)
{
	tf_archive_reader_free(self);
}

/* The bytes of a member, and the pieces to compare it with. */
struct feed {
	struct tf_differ *where;
	bool longer;
};

/* Of a member that is longer than its evidence, the rest is not unpacked. */
static enum tf_code
compare(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct feed *f = arg;

	(void)err;
	tf_differ_add(f->where, p, n);
	return f->longer && tf_differ_is_full(f->where) ? TF_NODATA : TF_OK;
}

/* A member that cannot be unpacked was altered: it is there, but not with the
 * bytes of the entry. */
static enum tf_code
hash(void *arg, void *self, const struct tf_task *t, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	struct tf_audit_package *k = arg;
	struct feed f = { .where = t->where };
	struct tf_archive_member m;
	enum tf_code rc;

	tf_archive_member(k->z, t->object, &m);
	*size = m.size;
	f.longer = m.size > t->want.size;
	rc = tf_archive_read(self, t->object, t->where == NULL ? NULL : compare,
	    &f, h, err);
	if (rc != TF_TAMPER && rc != TF_NODATA)
		return rc;
	memset(h, 0, sizeof(*h)); /* no file has this digest */
	return TF_OK;
}

/* --- the source ----------------------------------------------------------- */

static enum tf_code
end_of_entries(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	enum tf_code rc = tf_audit_package_missing(a, err);

	tf_audit_stamps_end(a, k->own);
	tf_quorum_count_needs(a, k->own);
	return rc == TF_OK ? tf_audit_package_end(a, err) : rc;
}

static const struct tf_source source = {
	.entries = tf_audit_package_entries,
	.prove = tf_audit_package_prove,
	.created = tf_audit_package_created,
	.said = tf_audit_package_said,
	.texts = tf_audit_package_texts,
	.payload = tf_audit_package_payload,
	.end = end_of_entries,
};

/* --- around it ------------------------------------------------------------ */

/* Read the members that the rest of the audit depends on. */
static enum tf_code
read_first(struct tf_audit_package *k, struct tf_error *err)
{
	static const struct {
		const char *name;
		size_t buf;
	} files[] = {
		{ TF_PACKAGE_CHECKPOINT,
		    offsetof(struct tf_audit_package, note) },
		{ TF_PACKAGE_VKEY, offsetof(struct tf_audit_package, vkey) },
		{ TF_PACKAGE_JSON, offsetof(struct tf_audit_package, line) },
	};
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = TF_OK;
	size_t i;

	for (size_t f = 0; f < sizeof(files) / sizeof(*files); f++) {
		if (!tf_archive_find(k->z, files[f].name, &i))
			return tf_fail(err, TF_TAMPER, "it has no %s",
			    files[f].name);
		k->seen[i] = true;
		rc = tf_archive_load(k->r, i, TF_AUDIT_TEXT_MAX,
		    (struct tf_buf *)((char *)k + files[f].buf), &e);
		if (rc != TF_OK)
			return tf_fail(err, rc, "%s %.100s", files[f].name,
			    e.text);
	}
	rc = tf_package_json_read(&k->line, &k->q, &k->f.format, &k->text, err);
	k->line.n = 0;
	if (rc == TF_OK &&
	    (tf_package_place(&k->q, &k->p, err) != TF_OK ||
		(k->p.kind == TF_KIND_ROOT &&
		    k->f.format < TF_PACKAGE_FORMAT_VAULT)))
		rc = tf_fail(err, TF_TAMPER,
		    TF_PACKAGE_JSON " names no trail, workflow or attestation");
	return rc;
}

/* Open the package and read what decides about everything else: checkpoint, key
 * and package.json. */
static enum tf_code
open_package(struct tf_audit_package *k, const char *file, struct tf_error *err)
{
	enum tf_code rc = tf_archive_open_any(file, &k->z, err);

	if (rc == TF_OK)
		rc = tf_archive_reader_new(k->z, &k->r, err);
	if (rc != TF_OK)
		return rc;
	k->seen = calloc(tf_archive_count(k->z), sizeof(*k->seen));
	if (k->seen == NULL)
		return tf_nomem(err);
	if ((rc = read_first(k, err)) != TF_OK)
		return rc;
	k->names = tf_package_names_new(k->f.format);
	return k->names != NULL ? TF_OK : tf_nomem(err);
}

/* Set *yes if the package has another origin than the given key.  k->vkey then
 * holds the key of the package as a string.  A package with the same origin and
 * another key is a forgery: it is checked with the given key and fails. */
static enum tf_code
is_foreign(struct tf_audit_package *k, const char *given, bool *yes,
    struct tf_error *err)
{
	struct tf_vkey mine, its;
	enum tf_code rc = tf_vkey_parse(given, strcspn(given, "\n"), &mine,
	    err);

	if (rc != TF_OK)
		return rc;
	if (k->vkey.n == 0 || k->vkey.p[k->vkey.n - 1] != '\n' ||
	    tf_vkey_parse(k->vkey.p, k->vkey.n - 1, &its, NULL) != TF_OK)
		return tf_fail(err, TF_TAMPER, TF_PACKAGE_VKEY " is malformed");
	k->vkey.p[k->vkey.n - 1] = '\0';
	*yes = strcmp(mine.name, its.name) != 0;
	return TF_OK;
}

/* Report a package that cannot be opened as one finding. */
static void
refused(const struct tf_verify *v, struct tf_report *r,
    const struct tf_error *why)
{
	struct tf_finding f = { .check = TF_CHECK_PACKAGE,
		.seq = UINT64_MAX,
		.path = "",
		.text = why->text };

	memset(r, 0, sizeof(*r));
	for (int l = 0; l < TF_CHECKS; l++)
		r->check[l] = TF_VERDICT_ABSENT;
	r->check[TF_CHECK_PACKAGE] = TF_VERDICT_FAILED;
	r->pinned = true;
	r->findings = 1;
	if (v->found != NULL)
		v->found(v->arg, &f);
}

/* The pool and the source need the open package; the head is the note in the
 * package, which only the caller's key can make good. */
static enum tf_code
run(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_pool_work w = { .begin = begin,
		.end = end_thread,
		.hash = hash,
		.arg = k };
	enum tf_code rc = tf_pool_new(&w, a->v->threads, &a->pool, err);

	if (rc != TF_OK)
		return rc;
	a->source = &source;
	a->r->check[TF_CHECK_PACKAGE] = TF_VERDICT_OK;
	a->r->check[TF_CHECK_TILES] = TF_VERDICT_ABSENT;
	if ((rc = tf_audit_package_learn(a, err)) != TF_OK ||
	    (rc = tf_audit_earlier(a, err)) != TF_OK)
		return rc;
	tf_audit_head(a, tf_buf_bytes(&k->note));
	rc = tf_audit_run(a, err);
	/* Last: an entry may name the key of the caller's checkpoint. */
	if (rc == TF_OK && a->head_good)
		tf_audit_held_alone(a);
	/* It is signed, but not by the key that the caller trusts. */
	if (a->r->foreign)
		a->r->check[TF_CHECK_SIGNATURE] = TF_VERDICT_FAILED;
	return rc;
}

/* Tell the caller what the package is about before its findings: a range of
 * time is no fault, but a reader must know it. */
static void
tell_about(const struct tf_audit_package *k, const struct tf_verify *v)
{
	const struct tf_about s = { .seq = UINT64_MAX,
		.path = k->p.path,
		.since = tf_str_of(k->q.since),
		.until = tf_str_of(k->q.until),
		.control = tf_str_of(k->q.control),
		.status = tf_str_of(k->q.status),
		.person = tf_str_of(k->q.person) };

	if (v->about != NULL)
		v->about(v->arg, &s);
}

/* Choose the key and run the audit.  A package of another log is checked with
 * the key inside it: it can be consistent, but proves nothing about the log of
 * the caller, and the report says so. */
static enum tf_code
check(struct tf_audit_package *k, const struct tf_verify *v,
    struct tf_report *report, struct tf_error *err)
{
	struct tf_verify own = *v;
	struct tf_audit *a = NULL;
	bool foreign = false;
	enum tf_code rc = is_foreign(k, v->vkey, &foreign, err);

	if (rc != TF_OK)
		return rc;
	if (foreign) { /* the earlier checkpoint is of the other log */
		own.vkey = k->vkey.p;
		own.earlier.p = NULL;
	}
	rc = tf_audit_new(&own, NULL, report, &a, err);
	if (rc == TF_OK) {
		a->self = k;
		report->foreign = foreign;
		report->pinned = !foreign;
		tell_about(k, v);
		rc = run(a, err);
	}
	tf_audit_free(a); /* first: its threads use the package */
	return rc;
}

enum tf_code
tf_verify_package(const char *file, const struct tf_verify *v,
    struct tf_report *report, struct tf_error *err)
{
	struct tf_audit_package k = { .z = NULL };
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc;

	if (v->vkey == NULL)
		return tf_fail(err, TF_USAGE,
		    "the log's key is needed: it is "
		    "never learned from what is "
		    "being checked");
	if ((rc = open_package(&k, file, &e)) == TF_OK)
		rc = check(&k, v, report, &e);
	if (rc == TF_TAMPER) {
		refused(v, report, &e);
		rc = TF_OK;
	} else if (rc != TF_OK) {
		rc = tf_fail_as(err, &e);
	}
	tf_archive_reader_free(k.r);
	tf_archive_close(k.z);
	tf_package_names_free(k.names);
	tf_buf_free(&k.text);
	tf_buf_free(&k.note);
	tf_buf_free(&k.vkey);
	tf_buf_free(&k.line);
	tf_buf_free(&k.stored);
	tf_buf_free(&k.missing);
	tf_buf_free(&k.there);
	tf_buf_free(&k.apart);
	tf_buf_free(&k.lost);
	tf_buf_free(&k.renamed);
	tf_buf_free(&k.clocks);
	tf_package_dirs_free(&k.dirs);
	tf_completeness_free(&k.complete);
	tf_health_free(&k.health);
	free(k.seen);
	return rc;
}

bool
tf_package_is(const char *file)
{
	char magic[4] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool yes = fd >= 0 && pread(fd, magic, 4, 0) == 4 &&
	    memcmp(magic, "PK\3\4", 4) == 0;

	if (fd >= 0)
		(void)close(fd);
	return yes;
}
