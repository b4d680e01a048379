/*
 * The ledger is read twice: first for the attestations that have the identifier
 * of a record, then for the digest of the evidence of those that have one file.
 * Of an attestation with several files the seal has a digest of all names and
 * digests, so memory grows with the number of records only.
 *
 * A record that is one file is compared by its bytes: the system that it comes
 * from may call it otherwise. A record that is a directory is compared by the
 * names below it too.
 */
#include "compare_records.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compare_findings.h"
#include "core/base/array.h"
#include "core/base/crypto.h"
#include "core/base/member.h"
#include "entry_match.h"
#include "evidence.h"
#include "ledger_lines.h"
#include "report.h"
#include "text.h"

/* An attestation that is the copy of a record. */
struct copy {
	char *id, *path;
	size_t order; /* in the ledger */
	uint64_t files;
	struct tf_hash sums;   /* of the list of its files */
	struct tf_content one; /* its file, if it is one */
	bool encrypted, found;
};

struct records {
	struct copy *v;
	size_t n, cap;
	uint64_t same, differ, lack, extra, hidden;
	bool json;
};

/* --- the trail --------------------------------------------------------------- */

static bool
take_hash(const struct tf_json_doc *d, int t, struct tf_hash *out)
{
	struct tf_str s;

	if (t < 0)
		return false;
	s = tf_json_text(d, t);
	return s.n == 66 && tf_unhex(s.p + 1, 64, out->b, sizeof(out->b));
}

static void
take_content(const struct tf_json_doc *d, int t, struct tf_content *out)
{
	int size = tf_json_get(d, t, "size");

	(void)take_hash(d, tf_json_get(d, t, "sha256"), &out->sha256);
	out->size = size < 0 ? UINT64_MAX : (uint64_t)d->tok[size].num;
}

static char *
copy_string(const struct tf_json_doc *d, int t)
{
	struct tf_buf b = { 0 };
	char *s = NULL;

	if (t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK)
		s = strndup(b.n > 0 ? b.p : "", b.n);
	tf_buf_free(&b);
	return s;
}

/* Add c, whose strings become those of the array. */
static enum tf_code
add_copy(struct records *r, struct copy c, struct tf_error *err)
{
	if (c.id == NULL || c.path == NULL ||
	    !tf_array_room(&r->v, r->n, &r->cap, sizeof(*r->v))) {
		free(c.id);
		free(c.path);
		return tf_nomem(err);
	}
	c.order = r->n;
	r->v[r->n++] = c;
	return TF_OK;
}

static enum tf_code
take_seal(void *arg, const char *line, size_t n, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct copy c = { 0 };
	enum tf_code rc;
	int t, e;

	if (memmem(line, n, "\"" RECORD_ID "\"", strlen(RECORD_ID) + 2) == NULL)
		return TF_OK;
	if ((rc = tf_json_parse(&d, line, n, err)) != TF_OK)
		return rc;
	t = tf_json_get(&d, 0, "claims");
	t = t < 0 ? t : tf_json_get(&d, t, "annotations");
	t = t < 0 ? t : tf_json_get(&d, t, RECORD_ID);
	e = tf_json_get(&d, 0, "evidence");
	if (t >= 0 && e >= 0 &&
	    match_string(&d, tf_json_get(&d, 0, "type"),
		"attestation.sealed") &&
	    take_hash(&d, tf_json_get(&d, e, "sums"), &c.sums)) {
		c.id = copy_string(&d, t);
		c.path = copy_string(&d, tf_json_get(&d, 0, "path"));
		if ((t = tf_json_get(&d, e, "count")) >= 0)
			c.files = (uint64_t)d.tok[t].num;
		rc = add_copy(arg, c, err);
	}
	tf_json_doc_free(&d);
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct copy *)a)->path,
	    ((const struct copy *)b)->path);
}

/* The attestation in which the evidence at path is, or NULL. */
static struct copy *
copy_of(struct records *r, char *path)
{
	struct copy key = { .path = path };
	char *s = path;

	for (int i = 0; i < 3 && s != NULL; i++)
		s = strchr(s + (i > 0), '/');
	if (s == NULL)
		return NULL;
	*s = '\0';
	return bsearch(&key, r->v, r->n, sizeof(*r->v), by_path);
}

static enum tf_code
take_evidence(void *arg, const char *line, size_t n, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct copy *c = NULL;
	char *path;
	enum tf_code rc;
	int t;

	if (memmem(line, n, "\"evidence.sealed\"", 17) == NULL)
		return TF_OK;
	if ((rc = tf_json_parse(&d, line, n, err)) != TF_OK)
		return rc;
	if ((path = copy_string(&d, tf_json_get(&d, 0, "path"))) == NULL)
		rc = tf_nomem(err);
	else
		c = copy_of(arg, path);
	if (c != NULL) {
		c->encrypted = c->encrypted ||
		    tf_json_get(&d, 0, "encryption") >= 0;
		t = tf_json_get(&d, 0, "content");
		if (t >= 0)
			take_content(&d, t, &c->one);
	}
	free(path);
	tf_json_doc_free(&d);
	return rc;
}

/* Of versions of one record the newest comes last. */
static int
by_id(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;
	int way = strcmp(x->id, y->id);

	return way != 0 ? way : x->order < y->order ? -1 : x->order > y->order;
}

static enum tf_code
read_trail(struct records *r, const char *trail, struct tf_error *err)
{
	struct lines l = { 0 };
	enum tf_code rc = lines_open(&l, trail, err);

	if (rc == TF_OK)
		rc = lines_narrow(&l, l.w.path, err);
	if (rc == TF_OK)
		rc = lines_look(&l, err);
	if (rc == TF_OK)
		rc = lines_forward(&l, 0, take_seal, r, err);
	if (rc == TF_OK && r->n > 0)
		qsort(r->v, r->n, sizeof(*r->v), by_path);
	if (rc == TF_OK)
		rc = lines_forward(&l, 0, take_evidence, r, err);
	lines_pause(&l);
	lines_close(&l);
	if (rc == TF_OK && r->n > 0)
		qsort(r->v, r->n, sizeof(*r->v), by_id);
	return rc;
}

/* The newest copy of the record, or NULL. */
static struct copy *
newest(struct records *r, const char *id)
{
	struct copy *c = NULL;
	size_t low = 0, high = r->n;

	while (low < high) { /* the first that is greater */
		size_t mid = low + (high - low) / 2;

		if (strcmp(r->v[mid].id, id) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low > 0 && strcmp(r->v[low - 1].id, id) == 0)
		c = &r->v[low - 1];
	return c;
}

/* --- the other system -------------------------------------------------------- */

/* %2F and %25 in a name stand for a slash and for %. */
static void
decode(char *name)
{
	char *o = name;

	for (const char *s = name; *s != '\0'; o++) {
		bool slash = strncmp(s, "%2F", 3) == 0;

		*o = slash ? '/' : *s;
		s += slash || strncmp(s, "%25", 3) == 0 ? 3 : 1;
	}
	*o = '\0';
}

/* Does the record at path have the bytes of c?  *file becomes what the record
 * is, if it is one file. */
static enum tf_code
compare_bytes(const char *path, const struct copy *c, bool *same,
    struct tf_content *file, struct tf_error *err)
{
	char *arg[] = { (char *)(uintptr_t)path, NULL };
	struct sources from = { 0 };
	struct evidence e = { 0 };
	struct tf_buf sums = { 0 };
	struct tf_hash h;
	struct stat st;
	enum tf_code rc = sources_find(1, arg, &from, err);

	for (size_t i = 0; rc == TF_OK && i < from.n; i++)
		rc = evidence_read(&from.v[i], NULL, &e, err);
	if (rc == TF_OK && stat(path, &st) < 0)
		rc = report_system(err, "%s", path);
	if (rc == TF_OK && S_ISREG(st.st_mode) && e.n == 1) {
		*file = (struct tf_content){ e.v[0].sha256, e.v[0].size };
		*same = c->files == 1 &&
		    memcmp(&file->sha256, &c->one.sha256, sizeof(h)) == 0;
	} else if (rc == TF_OK &&
	    (rc = evidence_sums(&e, &sums, err)) == TF_OK) {
		tf_sha256(sums.n > 0 ? sums.p : "", sums.n, &h);
		*same = memcmp(&h, &c->sums, sizeof(h)) == 0;
	}
	tf_buf_free(&sums);
	evidence_free(&e);
	sources_free(&from);
	return rc;
}

/* --- the answer -------------------------------------------------------------- */

/* The name of a file may have bytes that JSON cannot hold: then it is shown as
 * on a terminal. */
static void
put_name(struct tf_json *j, const char *key, const char *name)
{
	struct tf_buf b = { 0 }, shown = { 0 };
	struct tf_json try;

	tf_json_begin(&try, &b);
	tf_json_array(&try);
	tf_json_cstr(&try, name);
	tf_json_array_end(&try);
	tf_json_key(j, key);
	if (tf_json_end(&try, NULL) == TF_OK) {
		tf_json_cstr(j, name);
	} else {
		text_add(&shown, name, strlen(name));
		tf_json_buf(j, &shown);
	}
	tf_buf_free(&b);
	tf_buf_free(&shown);
}

/* The file that the copy is; NULL: it is not one, or not in plain. */
static const struct tf_content *
file_of(const struct copy *c)
{
	return c != NULL && c->files == 1 && !c->encrypted ? &c->one : NULL;
}

/* file: what the record is, or NULL; c: its copy, or NULL. */
static enum tf_code
say(const struct records *r, const char *what, const char *id,
    const struct tf_content *file, const struct copy *c, struct tf_error *err)
{
	const char *path = c == NULL ? NULL : c->path;
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	if (r->json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		compare_put_content(&j, "a", file);
		compare_put_content(&j, "b", file_of(c));
		put_name(&j, "id", id);
		if (path != NULL)
			tf_put_cstr(&j, "path", path);
		tf_put_cstr(&j, "record", what);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	} else {
		tf_buf_printf(&b, "%-12s ", what);
		text_add(&b, id, strlen(id));
		if (path != NULL) {
			tf_buf_str(&b, "  ");
			text_add(&b, path, strlen(path));
		}
	}
	if (rc == TF_OK)
		puts(text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
one_record(struct records *r, const char *dir, const char *name,
    struct tf_error *err)
{
	char *path = NULL, *id = strdup(name);
	struct copy *c;
	struct tf_content file = { .size = UINT64_MAX };
	bool same = false;
	enum tf_code rc = TF_OK;

	if (id == NULL || asprintf(&path, "%s/%s", dir, name) < 0) {
		free(id);
		return tf_nomem(err);
	}
	decode(id);
	if ((c = newest(r, id)) == NULL) {
		r->lack++;
		rc = say(r, "not recorded", id, NULL, NULL, err);
	} else if (c->found = true, c->encrypted) {
		r->hidden++;
		rc = say(r, "encrypted", id, NULL, c, err);
	} else if ((rc = compare_bytes(path, c, &same, &file, err)) == TF_OK) {
		r->same += same;
		r->differ += !same;
		if (!same)
			rc = say(r, "differs", id, &file, c, err);
	}
	free(path);
	free(id);
	return rc;
}

static enum tf_code
each_record(struct records *r, const char *dir, struct tf_error *err)
{
	struct dirent **e = NULL;
	int n = scandir(dir, &e, NULL, alphasort);
	enum tf_code rc = TF_OK;

	if (n < 0)
		return report_system(err, "%s", dir);
	for (int i = 0; i < n; i++) {
		if (rc == TF_OK && strcmp(e[i]->d_name, ".") != 0 &&
		    strcmp(e[i]->d_name, "..") != 0)
			rc = one_record(r, dir, e[i]->d_name, err);
		free(e[i]);
	}
	free(e);
	return rc;
}

/* Copies of records that the other system does not have. */
static enum tf_code
each_extra(struct records *r, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < r->n; i++) {
		if (r->v[i].found || newest(r, r->v[i].id) != &r->v[i])
			continue;
		r->extra++;
		rc = say(r, "extra", r->v[i].id, NULL, &r->v[i], err);
	}
	return rc;
}

int
compare_records(const char *dir, const char *trail, bool json, bool quiet)
{
	struct records r = { .json = json };
	struct tf_error err = { 0 };
	enum tf_code rc = read_trail(&r, trail, &err);

	if (rc == TF_OK && (rc = each_record(&r, dir, &err)) == TF_OK)
		rc = each_extra(&r, &err);
	if (rc == TF_OK && !json &&
	    !(quiet && r.differ + r.lack + r.extra + r.hidden == 0))
		printf("%llu the same, %llu differ, %llu not recorded, "
		       "%llu extra%s\n",
		    (unsigned long long)r.same, (unsigned long long)r.differ,
		    (unsigned long long)r.lack, (unsigned long long)r.extra,
		    r.hidden > 0 ? ", some encrypted" : "");
	for (size_t i = 0; i < r.n; i++) {
		free(r.v[i].id);
		free(r.v[i].path);
	}
	free(r.v);
	if (rc != TF_OK)
		return report(&err);
	if (r.differ + r.lack + r.extra > 0)
		return report_end(REPORT_FINDING);
	return report_end(r.hidden > 0 ? REPORT_DOUBT : REPORT_OK);
}
