/*
 * Which evidence in a package is encrypted, as the entries of the package say.
 *
 * The entry decides, not the bytes: a file that its writer encrypted is evidence
 * as it is.  Names are given to the files again in the order of the entries,
 * because they depend on it (names.h).
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../package.h"
#include "description.h"
#include "format.h"
#include "members.h"
#include "names.h"
#include "open.h"
#include "reader.h"
#include "said.h"
#include "select.h"

struct walk {
	const struct tf_archive *a;
	struct tf_package_place place;
	struct tf_package_names *names;
	tf_package_encrypted_fn fn;
	void *arg;
	struct tf_buf line; /* the beginning of one */
};

/* Give the file of e its name, and call fn if it is there and encrypted. */
static enum tf_code
one_file(struct walk *w, const struct tf_entry *e, struct tf_str rel,
    struct tf_error *err)
{
	struct tf_buf stored = { 0 }, member = { 0 };
	enum tf_code rc = tf_package_file(w->names, rel, &stored, err);
	size_t i;

	tf_buf_add(&stored, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&stored, err);
	if (rc == TF_OK && e->has_encryption) {
		tf_buf_printf(&member, TF_PACKAGE_DATA "%s", stored.p);
		tf_buf_add(&member, "", 1);
		rc = tf_buf_end(&member, err);
		if (rc == TF_OK && tf_archive_find(w->a, member.p, &i))
			rc = w->fn(w->arg, tf_archive_top(w->a), stored.p, err);
	}
	tf_buf_free(&member);
	tf_buf_free(&stored);
	return rc;
}

static enum tf_code
one_entry(struct walk *w, const char *p, size_t n, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_str rel;
	enum tf_code rc = tf_entry_decode(&d, p, n, err);

	if (rc == TF_INVALID)
		rc = tf_fail(err, TF_TAMPER,
		    "a line of " TF_PACKAGE_EVENTS " is malformed");
	rel = rc == TF_OK ? tf_package_below(&w->place, d.e.path) :
			    (struct tf_str){ NULL, 0 };
	if (rel.p != NULL && d.e.type == TF_EVIDENCE_SEALED)
		rc = one_file(w, &d.e, rel, err);
	else if (rc == TF_OK)
		rc = tf_package_name_dirs(&w->place, w->names, &d.e, err);
	tf_entry_decoded_free(&d);
	return rc;
}

/* A tf_archive_part: cut the bytes into lines. */
static enum tf_code
take(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct walk *w = arg;
	const char *at = p, *end = at + n, *lf;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK &&
	    (lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		tf_buf_add(&w->line, at, (size_t)(lf - at));
		rc = tf_buf_end(&w->line, err);
		if (rc == TF_OK)
			rc = one_entry(w, w->line.p, w->line.n, err);
		w->line.n = 0;
		at = lf + 1;
	}
	tf_buf_add(&w->line, at, (size_t)(end - at));
	return rc;
}

static enum tf_code
read_place(struct walk *w, struct tf_archive_reader *r,
    struct tf_package_request *q, struct tf_buf *text, struct tf_error *err)
{
	struct tf_buf json = { 0 };
	unsigned format = 0;
	enum tf_code rc = TF_OK;
	size_t i;

	if (!tf_archive_find(w->a, TF_PACKAGE_JSON, &i))
		return tf_fail(err, TF_TAMPER, "it has no " TF_PACKAGE_JSON);
	rc = tf_archive_load(r, i, TF_PACKAGE_JSON_MAX, &json, err);
	if (rc == TF_OK)
		rc = tf_package_json_read(&json, q, &format, text, err);
	if (rc == TF_OK)
		rc = tf_package_place(q, &w->place, err);
	if (rc == TF_OK && (w->names = tf_package_names_new(format)) == NULL)
		rc = tf_nomem(err);
	tf_buf_free(&json);
	return rc;
}

enum tf_code
tf_package_encrypted(const char *file, tf_package_encrypted_fn fn, void *arg,
    struct tf_error *err)
{
	struct walk w = { .fn = fn, .arg = arg };
	struct tf_archive *a = NULL;
	struct tf_archive_reader *r = NULL;
	struct tf_package_request q = { 0 };
	struct tf_buf text = { 0 };
	struct tf_hash h;
	size_t i;
	enum tf_code rc = tf_archive_open(file, &a, err);

	w.a = a;
	if (rc == TF_OK)
		rc = tf_archive_reader_new(a, &r, err);
	if (rc == TF_OK)
		rc = read_place(&w, r, &q, &text, err);
	if (rc == TF_OK && !tf_archive_find(a, TF_PACKAGE_EVENTS, &i))
		rc = tf_fail(err, TF_TAMPER, "it has no " TF_PACKAGE_EVENTS);
	if (rc == TF_OK)
		rc = tf_archive_read(r, i, take, &w, &h, err);
	tf_buf_free(&w.line);
	tf_buf_free(&text);
	tf_package_names_free(w.names);
	tf_archive_reader_free(r);
	tf_archive_close(a);
	return rc;
}
