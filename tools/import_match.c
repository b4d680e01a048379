/*
 * From files to a plan that can be written: see import.h.
 *
 * Order: the digest of each file; the JSON, which says which digests are
 * evidence; the files that are evidence by their digest; the archives; then all
 * that can be wrong with the plan, so that writing fails only for reasons of the
 * store.  A file that is none of these is an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "core/base/json_any.h"
#include "claim_dir.h"
#include "core/definition.h"
#include "core/import.h"
#include "define.h"
#include "files.h"
#include "import.h"
#include "report.h"

#define MAGIC 512 /* bytes: a tar has its mark in the first block */

enum form { JSON, ARCHIVE, OTHER };

/* Put the name of the file before the reason. */
static enum tf_code
of_file(const struct import_file *f, enum tf_code rc, struct tf_error *err)
{
	struct tf_error why = *err;

	if (rc == TF_OK || rc == TF_NOMEM)
		return rc;
	rc = tf_fail(err, rc, "%.60s: %s", f->path, why.text);
	err->sys = 0;
	return rc;
}

/* --- each file ---------------------------------------------------------------- */

/* A pipe could not be read twice. */
static enum tf_code
digest(struct import_file *f, struct tf_error *err)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	enum tf_code rc;

	if (fd < 0)
		return report_system(err, "%s", f->path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		rc = tf_fail(err, TF_INVALID, "%s is no regular file", f->path);
	else
		rc = tf_hash_fd(fd, &f->sha256, &f->size, err);
	(void)close(fd); /* read-only */
	return rc;
}

/* By its first bytes. */
static enum tf_code
form_of(const struct import_file *f, enum form *out, struct tf_error *err)
{
	unsigned char b[MAGIC] = { 0 };
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, b, sizeof(b));
	size_t i = 0;

	if (n < 0) {
		enum tf_code rc = report_system(err, "%s", f->path);

		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	(void)close(fd); /* read-only */
	if (n >= 3 && memcmp(b, "\xef\xbb\xbf", 3) == 0)
		i = 3;
	while (i < (size_t)n && (b[i] == ' ' || (b[i] >= '\t' && b[i] <= '\r')))
		i++;
	*out = memcmp(b, "\x1f\x8b", 2) == 0 || memcmp(b, "PK", 2) == 0 ||
		memcmp(b + 257, "ustar", 5) == 0 ?
	    ARCHIVE :
	    b[i % MAGIC] == '{' || b[i % MAGIC] == '[' ? JSON :
							 OTHER;
	return TF_OK;
}

/*
 * A JSON file that is none of Kosli's may still be evidence: keep its error
 * until the digests are known.  A file that is partly Kosli's is wrong at once.
 */
static enum tf_code
read_json(struct import_plan *p, size_t i, struct tf_error *err)
{
	struct import_file *f = &p->file[i];
	size_t workflows = p->n, attestations = p->attestations;
	struct tf_buf text = { 0 };
	enum tf_code rc;

	if (f->size > TF_ANY_BYTES)
		rc = tf_fail(err, TF_INVALID,
		    "the JSON has more than %zu bytes", TF_ANY_BYTES);
	else
		rc = files_read(f->path, TF_ANY_BYTES, &text, err);
	if (rc == TF_OK)
		rc = import_kosli(p, i, text.p == NULL ? "" : text.p, text.n,
		    err);
	tf_buf_free(&text);
	if (rc == TF_OK) {
		f->used = true;
	} else if (rc == TF_INVALID && p->n == workflows &&
	    p->attestations == attestations) {
		(void)of_file(f, rc, err);
		f->why = *err;
		f->reported = true;
		return TF_OK;
	}
	return of_file(f, rc, err);
}

/* --- evidence by its digest ---------------------------------------------------- */

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* Add the file to each attestation that names its digest. */
static enum tf_code
match(struct import_plan *p, size_t i, struct tf_error *err)
{
	struct import_file *f = &p->file[i];
	enum tf_code rc = TF_OK;

	for (size_t w = 0; rc == TF_OK && w < p->n; w++)
		for (size_t k = 0; rc == TF_OK && k < p->wf[w].n; k++) {
			struct import_attestation *a = &p->wf[w].att[k];
			struct import_member m = { .file = i,
				.size = f->size,
				.sha256 = f->sha256 };

			if (!a->has_fingerprint ||
			    memcmp(&a->fingerprint, &f->sha256,
				sizeof(f->sha256)) != 0)
				continue;
			f->used = true;
			if (a->n > 0)
				continue; /* the same bytes, given twice */
			m.name = a->evidence_name != NULL ?
			    a->evidence_name :
			    (char *)base_name(f->path);
			rc = import_member(p, a, &m, err);
		}
	return of_file(f, rc, err);
}

/* --- the order and the identity of records ------------------------------------- */

static int
by_time(const void *x, const void *y)
{
	const struct import_attestation *a = x, *b = y;
	int c = strcmp(a->name, b->name);

	/* Times are of equal width.  A row without one is the newest: a trail
	 * lists only the attestation that decides. */
	if (c == 0 && (a->from.at[0] == '\0') != (b->from.at[0] == '\0'))
		c = a->from.at[0] == '\0' ? 1 : -1;
	if (c == 0)
		c = strcmp(a->from.at, b->from.at);
	return c != 0 ? c : (a->order > b->order) - (a->order < b->order);
}

static int
by_id(const void *x, const void *y)
{
	const struct import_attestation
	    *a = *(struct import_attestation *const *)x,
	    *b = *(struct import_attestation *const *)y;
	int c = strcmp(a->name, b->name);

	if (c == 0)
		c = strcmp(a->from.id, b->from.id);
	if (c == 0)
		c = a->row - b->row;
	/* Rows of a trail are read before its events. */
	return c != 0 ? c : (a->order > b->order) - (a->order < b->order);
}

/* What has no id at Kosli gets its place there: there is one of it. */
static enum tf_code
give_ids(struct import_workflow *w, struct tf_error *err)
{
	for (size_t i = 0; i < w->n; i++) {
		struct import_attestation *a = &w->att[i];

		if (a->from.id == NULL &&
		    asprintf(&a->from.id, "%s/%s/%s", w->flow, w->name,
			a->name) < 0) {
			a->from.id = NULL;
			return tf_nomem(err);
		}
	}
	return TF_OK;
}

/* Mark the record that is there twice by emptying its name: a row, or an equal
 * record. */
static enum tf_code
drop_double(struct import_attestation *a, struct import_attestation *b,
    struct tf_error *err)
{
	if (!b->row &&
	    (a->record.n != b->record.n ||
		memcmp(a->record.p, b->record.p, a->record.n) != 0))
		return tf_fail(err, TF_INVALID,
		    "the files have two records with the id %.60s, and they "
		    "differ",
		    a->from.id);
	b->name[0] = '\0';
	return TF_OK;
}

static enum tf_code
drop_doubles(struct import_workflow *w, struct tf_error *err)
{
	struct import_attestation **by;
	size_t kept = 0;
	enum tf_code rc = TF_OK;

	if (w->n == 0)
		return TF_OK;
	if ((by = calloc(w->n, sizeof(*by))) == NULL)
		return tf_nomem(err);
	for (size_t i = 0; i < w->n; i++)
		by[i] = &w->att[i];
	qsort(by, w->n, sizeof(*by), by_id);
	for (size_t i = 1, first = 0; rc == TF_OK && i < w->n; i++)
		if (strcmp(by[i]->name, by[first]->name) != 0 ||
		    strcmp(by[i]->from.id, by[first]->from.id) != 0)
			first = i;
		else
			rc = drop_double(by[first], by[i], err);
	free(by);
	for (size_t i = 0; rc == TF_OK && i < w->n; i++) {
		struct import_attestation *a = &w->att[i], x = *a;

		if (a->name[0] == '\0')
			continue;
		*a = w->att[kept]; /* the dropped ones move to the end */
		w->att[kept++] = x;
	}
	if (rc != TF_OK)
		return rc;
	for (size_t i = kept; i < w->n; i++)
		import_attestation_free(&w->att[i]);
	w->n = kept;
	return TF_OK;
}

/* --- what can be wrong ---------------------------------------------------------- */

static int
by_name(const void *x, const void *y)
{
	return strcmp(((const struct import_member *)x)->name,
	    ((const struct import_member *)y)->name);
}

/* Is a directory of this name a file?  The members are sorted. */
static bool
is_below_file(const struct import_attestation *a, const char *name)
{
	char above[1100]; /* names are shorter */
	struct import_member key = { .name = above };

	for (const char *p = name; (p = strchr(p, '/')) != NULL; p++) {
		(void)snprintf(above, sizeof(above), "%.*s", (int)(p - name),
		    name);
		if (bsearch(&key, a->member, a->n, sizeof(*a->member),
			by_name) != NULL)
			return true;
	}
	return false;
}

/* No name may stand twice, or be a file and a directory. */
static enum tf_code
check_members(struct import_attestation *a, struct tf_error *err)
{
	if (a->n > 0)
		qsort(a->member, a->n, sizeof(*a->member), by_name);
	for (size_t i = 0; i < a->n; i++) {
		const char *name = a->member[i].name;
		bool twice = (i > 0 &&
				 strcmp(name, a->member[i - 1].name) == 0) ||
		    is_below_file(a, name);

		if (strcmp(name, IMPORT_RECORD) == 0 && a->record.n > 0)
			return tf_fail(err, TF_DENIED,
			    "%.60s has a file %s, which is the name of its "
			    "record here",
			    a->name, IMPORT_RECORD);
		if (twice)
			return tf_fail(err, TF_INVALID,
			    "two files of %.60s have the name %.60s", a->name,
			    name);
	}
	return TF_OK;
}

/* Is the evidence there that the record names? */
static enum tf_code
check_evidence(const struct import_plan *p, struct import_attestation *a,
    struct tf_error *err)
{
	bool found = !a->has_fingerprint;
	char hex[65];

	for (size_t i = 0; !found && i < a->n; i++)
		found = memcmp(&a->member[i].sha256, &a->fingerprint,
			    sizeof(a->fingerprint)) == 0;
	if (found)
		return TF_OK;
	tf_hex(a->fingerprint.b, 32, hex);
	if (a->n > 0)
		return tf_fail(err, TF_DENIED,
		    "none of the files of %.40s has the digest that its record "
		    "names, %s",
		    a->name, hex);
	if (!p->without_evidence)
		return tf_fail(err, TF_DENIED,
		    "the evidence of %.40s is missing, a file with SHA-256 %s",
		    a->name, hex);
	return claims_add(&a->claims, "annotation.kosli_evidence", "missing",
	    err);
}

/* Would the vault accept this of a node that has no claims yet? */
static enum tf_code
check_claims(enum tf_kind kind, const char *name, const struct claims *c,
    const struct import_origin *o, struct tf_error *err)
{
	const struct tf_imported from = { o->at[0] != '\0' ? o->at : NULL,
		o->by, o->id };
	struct tf_error why = { 0 };
	enum tf_code rc = tf_imported_check(&from, &why);

	if (rc == TF_OK)
		rc = claim_dir_check(kind, c, &why);
	return rc == TF_OK || rc == TF_NOMEM ?
	    rc :
	    tf_fail(err, TF_INVALID, "%.60s: %s", name, why.text);
}

static enum tf_code
check_attestation(const struct import_plan *p, struct import_attestation *a,
    struct tf_error *err)
{
	enum tf_code rc = check_members(a, err);

	if (rc == TF_OK)
		rc = check_evidence(p, a, err);
	return rc == TF_OK ? check_claims(TF_KIND_ATTESTATION, a->name,
				 &a->claims, &a->from, err) :
			     rc;
}

static enum tf_code
check_workflow(const struct import_plan *p, struct import_workflow *w,
    struct tf_error *err)
{
	enum tf_code rc = give_ids(w, err);

	if (rc != TF_OK)
		return rc;
	if (w->from.id == NULL &&
	    asprintf(&w->from.id, "%s/%s", w->flow, w->name) < 0) {
		w->from.id = NULL;
		return tf_nomem(err);
	}
	rc = check_claims(TF_KIND_WORKFLOW, w->name, &w->claims, &w->from, err);
	if (rc == TF_OK && w->template.n > 0)
		rc = define_check(TF_DEFINITION_TEMPLATE, "", w->name,
		    &w->template, err);
	for (size_t i = 0; rc == TF_OK && i < w->n; i++)
		rc = check_attestation(p, &w->att[i], err);
	if (rc == TF_OK && w->n > 0)
		qsort(w->att, w->n, sizeof(*w->att), by_time);
	return rc;
}

/* --- all ------------------------------------------------------------------------- */

static enum tf_code
read_archives(struct import_plan *p, const enum form *form,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < p->n_files; i++) {
		struct import_file *f = &p->file[i];

		if (f->used)
			continue;
		if (form[i] == ARCHIVE) {
			rc = of_file(f, import_archive(p, i, err), err);
			f->used = true;
		} else {
			rc = f->reported ?
			    tf_fail_as(err, &f->why) :
			    tf_fail(err, TF_INVALID,
				"%.80s is neither Kosli's JSON nor an archive, "
				"and no record names its digest",
				f->path);
		}
	}
	return rc;
}

static enum tf_code
read_all(struct import_plan *p, enum form *form, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < p->n_files; i++) {
		if ((rc = digest(&p->file[i], err)) == TF_OK)
			rc = form_of(&p->file[i], &form[i], err);
		if (rc == TF_OK && form[i] == JSON)
			rc = read_json(p, i, err);
	}
	for (size_t i = 0; rc == TF_OK && i < p->n; i++)
		if ((rc = give_ids(&p->wf[i], err)) == TF_OK)
			rc = drop_doubles(&p->wf[i], err);
	for (size_t i = 0; rc == TF_OK && i < p->n_files; i++)
		if (!p->file[i].used)
			rc = match(p, i, err);
	if (rc == TF_OK)
		rc = read_archives(p, form, err);
	for (size_t i = 0; rc == TF_OK && i < p->n; i++)
		rc = check_workflow(p, &p->wf[i], err);
	return rc;
}

enum tf_code
import_read(struct import_plan *p, struct tf_error *err)
{
	enum form *form = calloc(p->n_files + 1, sizeof(*form));
	enum tf_code rc = form == NULL ? tf_nomem(err) : read_all(p, form, err);

	free(form);
	return rc;
}
