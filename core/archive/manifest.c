/*
 * Compares the manifests of a package with its members.
 *
 * The manifests are those of BagIt (RFC 8493): one lists data/, the other lists
 * all other files and the first manifest.  A manifest protects against damage,
 * not against forgery, but it must be complete: a listed file that is missing,
 * or a file that is not listed, is how an archive loses or gains a file on its
 * way.  In the strict profile manifest and archive have the same order, so one
 * walk over both compares every byte of the text.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../buffer.h"
#include "archive_i.h"
#include "format.h"
#include "manifest.h"
#include "members.h"
#include "reader.h"

#define HEX 64	    /* characters of a digest */
#define SLACK 65536 /* bytes by which a manifest may be longer */

static bool
is_payload(const char *name)
{
	return strncmp(name, TF_PACKAGE_DATA, strlen(TF_PACKAGE_DATA)) == 0;
}

/* Compare a manifest with the archive; both have the same order. */
static enum tf_code
match(struct tf_archive *a, const struct tf_buf *text, const char *self,
    bool payload, struct tf_error *err)
{
	const char *p = text->p, *end = text->p + text->n;
	struct tf_archive_member *m;
	size_t n;

	for (size_t i = 0; i < a->n; i++) {
		m = &a->m[i].m;
		n = strlen(m->name);
		if (is_payload(m->name) != payload ||
		    strcmp(m->name, TF_PACKAGE_TAGMANIFEST) == 0)
			continue;
		if ((size_t)(end - p) < HEX + 2 + n + 1 ||
		    !tf_unhex(p, HEX, m->sha256.b, sizeof(m->sha256.b)) ||
		    memcmp(p + HEX, "  ", 2) != 0 ||
		    memcmp(p + HEX + 2, m->name, n) != 0 ||
		    p[HEX + 2 + n] != '\n')
			return tf_fail(err, TF_TAMPER,
			    "%s and the archive differ at %.80s", self,
			    m->name);
		m->listed = true;
		p += HEX + 2 + n + 1;
	}
	return p == end ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER, "%s lists a file that is not there", self);
}

/*
 * The same for the other forms.  A member without a line stays not listed.  A
 * line without a member adds a missing member after the first n.
 */
static enum tf_code
match_any(struct tf_archive *a, const struct tf_buf *text, const char *self,
    bool payload, size_t n, struct tf_error *err)
{
	const char *p = text->p, *stop = text->p + text->n, *end;
	struct tf_member lost = { .m = { .missing = true, .listed = true } };
	struct tf_hash h;
	char *name;
	size_t i;
	enum tf_code rc = TF_OK;

	for (; rc == TF_OK && p < stop; p = end + 1) {
		end = memchr(p, '\n', (size_t)(stop - p));
		if (end == NULL || end - p <= HEX + 2 ||
		    !tf_unhex(p, HEX, h.b, sizeof(h.b)) ||
		    memcmp(p + HEX, "  ", 2) != 0 ||
		    memchr(p, '\0', (size_t)(end - p)) != NULL)
			return tf_fail(err, TF_TAMPER, "%s is malformed", self);
		name = strndup(p + HEX + 2, (size_t)(end - p) - HEX - 2);
		if (name == NULL)
			return tf_nomem(err);
		if (is_payload(name) != payload ||
		    (tf_members_find(a, name, n, &i) && a->m[i].m.listed)) {
			rc = tf_fail(err, TF_TAMPER,
			    "%s lists what it should not: %.80s", self, name);
		} else if (tf_members_find(a, name, n, &i)) {
			a->m[i].m.listed = true;
			a->m[i].m.sha256 = h;
		} else {
			rc = tf_members_add(a, name, &lost, err);
		}
		free(name);
	}
	return rc;
}

/* Load one manifest and compare it.  Its length has a limit that follows from
 * the names in the archive. */
static enum tf_code
take_manifest(struct tf_archive *a, struct tf_archive_reader *r,
    const char *name, bool payload, size_t n, struct tf_error *err)
{
	size_t max = (a->names + a->n * (HEX + 3)) * 2 + SLACK, i;
	struct tf_buf b = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_hash h;
	enum tf_code rc;

	if (!tf_members_find(a, name, n, &i) || !a->m[i].m.plain)
		return tf_fail(err, TF_TAMPER, "it has no %s", name);
	tf_buf_str(&b, ""); /* b.p is not NULL even for an empty file */
	/* No manifest lists the tagmanifest, so it has no digest to check. */
	rc = payload ? tf_archive_load(r, i, max, &b, &e) :
		       tf_archive_load_any(r, i, max, &b, &h, &e);
	if (rc != TF_OK)
		rc = tf_fail(err, rc, "%s %.100s", name, e.text);
	else if (a->form == TF_ARCHIVE_OURS)
		rc = match(a, &b, name, payload, err);
	else
		rc = match_any(a, &b, name, payload, n, err);
	if (!payload)
		a->m[i].m.listed = true;
	tf_buf_free(&b);
	return rc;
}

enum tf_code
tf_manifests_take(struct tf_archive *a, struct tf_error *err)
{
	struct tf_archive_reader *r = NULL;
	const size_t n = a->n; /* present members; missing ones follow */
	enum tf_code rc = tf_archive_reader_new(a, &r, err);

	if (rc == TF_OK)
		rc = take_manifest(a, r, TF_PACKAGE_TAGMANIFEST, false, n, err);
	if (rc == TF_OK)
		rc = take_manifest(a, r, TF_PACKAGE_MANIFEST, true, n, err);
	tf_archive_reader_free(r);
	if (rc == TF_OK && a->form != TF_ARCHIVE_OURS)
		rc = tf_members_check_names(a, err);
	return rc;
}
