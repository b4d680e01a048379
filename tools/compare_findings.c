/*
 * The findings of trailctl compare for programs.
 *
 * A finding is about one side.  What the other side has in that place is shown
 * too, but only if its own verification has seen these bytes: both have the
 * entry, and the contents of the other side were checked without a finding
 * there.
 */
#include "compare_findings.h"

#include <string.h>

#include "core/base/member.h"

/* Is the finding about bytes, and did the verification of the other side see
 * those of the entry? */
static enum tf_code
other_has(const struct compared *other, const struct check_finding *f,
    uint64_t common, bool *yes, struct tf_error *err)
{
	const struct tf_report *r = &other->check->report;
	const struct check_result *l = &other->check->check[TF_CHECK_CONTENTS];

	*yes = false;
	if (!f->has_want || f->seq >= common || other->leaves == NULL ||
	    r->check[TF_CHECK_ENTRIES] != TF_VERDICT_OK ||
	    r->check[TF_CHECK_CONTENTS] == TF_VERDICT_ABSENT ||
	    r->redacted + r->redacted_texts + r->absent_texts > 0 ||
	    l->all > l->n)
		return TF_OK;
	for (size_t i = 0; i < l->n; i++)
		if (l->kept[i].seq == f->seq || l->kept[i].seq == UINT64_MAX)
			return TF_OK;
	return tf_leaf_list_has(other->leaves, f->seq, yes, err);
}

void
compare_put_content(struct tf_json *j, const char *key,
    const struct tf_content *c)
{
	static const struct tf_hash none;
	bool digest = c != NULL && memcmp(&c->sha256, &none, sizeof(none)) != 0;
	bool size = c != NULL && c->size <= (uint64_t)TF_JSON_MAX;

	if (!digest && !size)
		return;
	tf_json_key(j, key);
	tf_json_object(j);
	if (digest)
		tf_put_hash(j, "sha256", &c->sha256);
	if (size)
		tf_put_uint(j, "size", c->size);
	tf_json_object_end(j);
}

static const char *
kind_of(const struct check_finding *f)
{
	switch (f->grade) {
	case TF_GRADE_BESIDE:
		return "beside";
	case TF_GRADE_UNREAD:
		return "unread";
	case TF_GRADE_UNPROVEN:
		return "unproven";
	case TF_GRADE_HARMLESS:
		return "harmless";
	case TF_GRADE_SURVIVED:
		return "survived";
	case TF_GRADE_WRONG:
		break;
	}
	return f->has_have ? "altered" : f->has_want ? "missing" : "wrong";
}

/* The finding f of check l on side i. */
static enum tf_code
put_finding(struct tf_json *j, const struct compared s[2], int i,
    enum tf_check l, const struct check_finding *f, uint64_t common,
    struct tf_error *err)
{
	static const char *const side[] = { "a", "b" };
	const struct tf_content *have[2] = { NULL, NULL };
	bool yes;
	enum tf_code rc = other_has(&s[1 - i], f, common, &yes, err);

	have[i] = f->has_have ? &f->have : NULL;
	have[1 - i] = yes ? &f->want : NULL;
	tf_json_object(j);
	for (int k = 0; k < 2; k++)
		compare_put_content(j, side[k], have[k]);
	tf_put_cstr(j, "kind", kind_of(f));
	tf_put_cstr(j, "link", tf_check_name(l));
	if (f->path[0] != '\0')
		tf_put_cstr(j, "path", f->path);
	if (f->seq <= (uint64_t)TF_JSON_MAX)
		tf_put_uint(j, "seq", f->seq);
	tf_put_cstr(j, "side", side[i]);
	tf_put_cstr(j, "text", f->text[0] != '\0' ? f->text : "?");
	tf_json_object_end(j);
	return rc;
}

static void
put_fork(struct tf_json *j, const struct compared s[2], uint64_t at)
{
	tf_json_object(j);
	tf_put_any(j, "a", s[0].entry);
	tf_put_any(j, "b", s[1].entry);
	tf_put_cstr(j, "kind", "fork");
	if (at <= (uint64_t)TF_JSON_MAX)
		tf_put_uint(j, "seq", at);
	tf_json_object_end(j);
}

/* The findings of check l of side c that are shown, or NULL. */
static const struct check_result *
shown(const struct check *c, int l)
{
	return c->report.check[l] != TF_VERDICT_OK && c->check[l].all > 0 ?
	    &c->check[l] :
	    NULL;
}

static bool
is_any(const struct compared s[2])
{
	for (int i = 0; i < 2; i++)
		for (int l = 0; l < TF_CHECKS; l++)
			if (shown(s[i].check, l) != NULL)
				return true;
	return false;
}

enum tf_code
compare_findings(struct tf_json *j, const struct compared s[2],
    const struct compared_fork *fork, uint64_t *left_out, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	*left_out = 0;
	if (!fork->is && !is_any(s))
		return TF_OK;
	tf_json_key(j, "findings");
	tf_json_array(j);
	if (fork->is)
		put_fork(j, s, fork->at);
	for (int side = 0; side < 2; side++)
		for (int l = 0; l < TF_CHECKS; l++) {
			const struct check_result *r = shown(s[side].check, l);

			for (size_t i = 0; r != NULL && rc == TF_OK && i < r->n;
			     i++)
				rc = put_finding(j, s, side, (enum tf_check)l,
				    &r->kept[i], fork->common, err);
			*left_out += r != NULL ? r->all - r->n : 0;
		}
	tf_json_array_end(j);
	return rc;
}
