/*
 * What bears on a path besides its state: see why_facts.h.  A hold may be placed on
 * anything above the path, so each level is asked; a redaction is listed by the
 * attestation.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/member.h"
#include "decrypt.h"
#include "protect.h"
#include "text.h"
#include "why_facts.h"

#define LEVELS 3 /* trail, workflow, attestation */

/* The part of the path with so many names, or all of it; "." for none.  The caller
 * frees it; NULL: no memory. */
static char *
part_of(const char *path, unsigned names)
{
	size_t n = 0;

	if (names == 0)
		return strdup(".");
	for (; path[n] != '\0'; n++)
		if (path[n] == '/' && --names == 0)
			break;
	return strndup(path, n);
}

/* The same place as w, at that part of its path. */
static bool
cut(const struct where *w, unsigned names, struct where *out)
{
	*out = (struct where){ .mount = w->mount, .store = w->store };
	out->path = part_of(w->path, names);
	if (out->path != NULL && w->mount != NULL &&
	    asprintf(&out->file, "%s/%s", w->mount, out->path) < 0)
		out->file = NULL;
	return out->path != NULL && (w->mount == NULL || out->file != NULL);
}

/* mount and store are of another one. */
static void
cut_free(struct where *w)
{
	free(w->path);
	free(w->file);
}

static bool
says(const struct tf_json_doc *d, int object, const char *key, const char *want)
{
	struct tf_buf b = { 0 };
	const int t = tf_json_get(d, object, key);
	const bool same = t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK &&
	    strcmp(text_of(&b), want) == 0;

	tf_buf_free(&b);
	return same;
}

static void
add(struct tf_buf *out, const struct tf_json_doc *d, int object,
    const char *key)
{
	const int t = tf_json_get(d, object, key);

	if (t >= 0)
		text_add_token(out, d, t);
}

static void
take_hold(const struct where *w, const struct tf_json_doc *d, int h,
    struct why_facts *out)
{
	if (!says(d, h, "path", w->path))
		return; /* of another level, which is asked, too */
	tf_buf_str(&out->holds, out->holds.n > 0 ? "; " : "");
	add(&out->holds, d, h, "hold");
	tf_buf_str(&out->holds, " of ");
	add(&out->holds, d, h, "path");
	tf_buf_str(&out->holds, ": ");
	add(&out->holds, d, h, "reason");
}

/* The list is in the order of the ledger, so the last one counts. */
static void
take_redaction(const char *path, const struct tf_json_doc *d, int r,
    struct why_facts *out)
{
	if (!says(d, r, "path", path) || tf_json_get(d, r, "text") >= 0)
		return;
	out->redacted = says(d, r, "state", "redacted");
	out->redaction.n = 0;
	add(&out->redaction, d, r, "state");
	tf_buf_str(&out->redaction, ": ");
	add(&out->redaction, d, r, "reason");
}

/* Ask for the list of that name at w; path: of what the caller asked about. */
static void
ask(const struct where *w, enum protect_what what, const char *path,
    struct why_facts *out)
{
	const char *name = what == PROTECT_HOLDS ? "holds" : "redactions";
	struct tf_json_doc d = { 0 };
	struct tf_buf json = { 0 };
	struct tf_error ignored; /* what cannot be read is left out */
	int list;

	if (protect_get(w, what, &json, &ignored) == TF_OK && json.n > 0)
		json.n -= json.p[json.n - 1] == '\n';
	if (json.n > 0 &&
	    tf_json_parse(&d, json.p, json.n, &ignored) == TF_OK &&
	    (list = tf_json_get(&d, 0, name)) >= 0)
		for (uint32_t i = (uint32_t)list + 1; i < d.tok[list].next;
		     i = d.tok[i].next) {
			if (what == PROTECT_HOLDS)
				take_hold(w, &d, (int)i, out);
			else
				take_redaction(path, &d, (int)i, out);
		}
	tf_json_doc_free(&d);
	tf_buf_free(&json);
}

bool
why_facts_in_draft(const char *path)
{
	for (int slashes = 0; *path != '\0'; path++)
		if (*path == '/' && ++slashes == LEVELS - 1)
			return path[1] == '.';
	return false;
}

void
why_facts_read(const struct where *w, bool file, struct why_facts *out)
{
	unsigned names = strcmp(w->path, ".") != 0;
	struct where at;

	*out = (struct why_facts){ 0 };
	for (const char *p = w->path; *p != '\0'; p++)
		names += *p == '/';
	if (file && w->file != NULL)
		out->encrypted = decrypt_is_age(w->file);
	for (unsigned n = names < LEVELS ? names + 1 : LEVELS + 1; n-- > 0;) {
		if (cut(w, n, &at)) {
			ask(&at, PROTECT_HOLDS, w->path, out);
			if (n == LEVELS && file)
				ask(&at, PROTECT_REDACTIONS, w->path, out);
		}
		cut_free(&at);
	}
}

void
why_facts_free(struct why_facts *f)
{
	tf_buf_free(&f->redaction);
	tf_buf_free(&f->holds);
}
