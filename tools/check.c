/*
 * Findings and progress of a verification: see check.h.
 *
 * A damaged store may have millions of findings, and they come in no particular
 * order. So each check keeps at most twice CHECK_KEPT; when that is full it is
 * sorted, and all but the first CHECK_KEPT are dropped. What is printed is thus
 * the same for the same damage, and memory is bounded. All findings are counted
 * before any is dropped, so the counts and the exit status are exact.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "core/control.h"
#include "text.h"

/* --- findings --------------------------------------------------------- */

bool
check_is_note(const struct check_finding *f)
{
	return f->grade == TF_GRADE_UNPROVEN || f->grade == TF_GRADE_HARMLESS ||
	    f->grade == TF_GRADE_SURVIVED;
}

/* Order by entry; findings without an entry come last. */
static int
by_entry(const void *a, const void *b)
{
	const struct check_finding *x = a, *y = b;
	int way;

	/* The gravest first, notes last. */
	if (check_is_note(x) != check_is_note(y))
		return check_is_note(x) ? 1 : -1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	way = strcmp(x->path, y->path);
	return way != 0 ? way : strcmp(x->text, y->text);
}

/* Free the texts of a finding. */
static void
drop(struct check_finding *f)
{
	free(f->path);
	free(f->text);
}

/* Sort, and drop all but the first CHECK_KEPT. */
static void
arrange(struct check_result *l)
{
	if (l->n > 1)
		qsort(l->kept, l->n, sizeof(*l->kept), by_entry);
	while (l->n > CHECK_KEPT)
		drop(&l->kept[--l->n]);
}

/* A copy that is safe to print on a terminal; NULL without memory. */
static char *
safe_copy(const char *s)
{
	struct tf_buf b = { 0 };

	text_add_shown(&b, s, strlen(s));
	(void)text_of(&b);
	if (b.failed) {
		tf_buf_free(&b);
		return NULL;
	}
	return b.p;
}

/* Several packages have files of the same name. */
static char *
path_in_package(const char *package, const char *path)
{
	char *both = NULL, *safe = NULL;

	if (asprintf(&both, "%s/%s/%s/%s", package, TF_CONTROL_DIR,
		TF_CONTROL_PACKAGE, path) >= 0)
		safe = safe_copy(both);
	free(both);
	return safe;
}

void
check_found(void *arg, const struct tf_finding *f)
{
	struct check *c = arg;
	struct check_result *l = &c->check[f->check];
	struct check_finding mine = { .grade = f->grade, .seq = f->seq };

	l->all++;
	l->found += f->grade == TF_GRADE_WRONG || f->grade == TF_GRADE_BESIDE;
	l->beside += f->grade == TF_GRADE_BESIDE;
	/* They come in any order: collect some more, sort, drop the rest. */
	if (l->kept == NULL)
		l->kept = calloc((size_t)2 * CHECK_KEPT, sizeof(*l->kept));
	if (l->n == (size_t)2 * CHECK_KEPT)
		arrange(l);
	mine.has_want = f->want != NULL;
	mine.has_have = f->have != NULL;
	if (mine.has_want)
		mine.want = *f->want;
	if (mine.has_have)
		mine.have = *f->have;
	mine.path = f->check == TF_CHECK_PACKAGE && c->package != NULL ?
	    path_in_package(c->package, f->path) :
	    safe_copy(f->path);
	mine.text = safe_copy(f->text);
	if (l->kept == NULL || mine.path == NULL || mine.text == NULL) {
		c->no_memory = true;
		drop(&mine);
		return;
	}
	l->kept[l->n++] = mine;
}

/* --- what it is about --------------------------------------------------- */

/* Append a member that is safe to show, unless it is not known. */
static void
put_text(struct tf_json *j, const char *key, struct tf_str s)
{
	struct tf_buf b = { 0 };

	if (s.p == NULL)
		return;
	text_add(&b, s.p, s.n);
	tf_json_key(j, key);
	tf_json_buf(j, &b);
	tf_buf_free(&b);
}

/* Leave out a number that canonical JSON cannot hold. */
static void
put_number(struct tf_json *j, const char *key, uint64_t n)
{
	if (n > (uint64_t)TF_JSON_MAX)
		return;
	tf_put_uint(j, key, n);
}

/* Members in the order of their names, as canonical JSON has them. */
static void
put_about(struct tf_buf *out, const struct tf_about *s, const char *hex)
{
	struct tf_error ignored;
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	if (s->actor.p != NULL) {
		tf_json_key(&j, "actor");
		tf_json_raw(&j, s->actor);
	}
	if (s->seq != UINT64_MAX) {
		tf_put_cstr(&j, "at", s->at);
		if (s->moved) {
			tf_put_cstr(&j, "clock", s->when);
		}
	}
	put_text(&j, "control", s->control);
	if (s->seq != UINT64_MAX) {
		put_text(&j, "origin", s->origin);
	}
	put_text(&j, "path", s->path);
	put_text(&j, "person", s->person);
	if (s->seq != UINT64_MAX)
		put_number(&j, "seq", s->seq);
	if (s->has_content) {
		tf_put_cstr(&j, "sha256", hex);
	}
	put_text(&j, "since", s->since);
	if (s->has_content)
		put_number(&j, "size", s->size);
	put_text(&j, "status", s->status);
	put_text(&j, "type", s->type);
	put_text(&j, "until", s->until);
	tf_json_object_end(&j);
	if (tf_json_end(&j, &ignored) != TF_OK)
		out->failed = true;
}

/* A line with a label, unless the value is not known. */
static void
line(struct tf_buf *out, const char *label, struct tf_str s)
{
	if (s.p == NULL)
		return;
	tf_buf_printf(out, "%-18s  ", label);
	text_add(out, s.p, s.n);
	tf_buf_str(out, "\n");
}

/* An entry without an actor was made by the vault itself. */
static void
add_person(struct tf_buf *out, struct tf_str actor)
{
	struct tf_json_doc d = { 0 };

	tf_buf_printf(out, "%-18s  ", "person");
	if (actor.p == NULL)
		tf_buf_str(out, "none: the vault itself");
	else if (tf_json_parse(&d, actor.p, actor.n, NULL) == TF_OK)
		text_add_actor(out, &d, 0);
	else
		text_add(out, actor.p, actor.n);
	tf_buf_str(out, "\n");
	tf_json_doc_free(&d);
}

/* The same as put_about(), for people. */
static void
add_lines(struct tf_buf *out, const struct tf_about *s, const char *hex)
{
	line(out, "path", s->path);
	line(out, "begun from", s->since);
	line(out, "begun before", s->until);
	line(out, "with control", s->control);
	line(out, "with status", s->status);
	line(out, "with person", s->person);
	if (s->seq == UINT64_MAX)
		return;
	add_person(out, s->actor);
	tf_buf_printf(out, "%-18s  %s", "time", s->when);
	if (s->moved)
		tf_buf_printf(out,
		    " by the clock; its place in the ledger is "
		    "%s",
		    s->at);
	tf_buf_str(out, "\n");
	if (s->has_content)
		tf_buf_printf(out, "%-18s  %llu bytes, SHA-256 %s\n", "size",
		    (unsigned long long)s->size, hex);
	tf_buf_printf(out, "%-18s  %llu, ", "entry",
	    (unsigned long long)s->seq);
	text_add(out, s->type.p, s->type.n);
	tf_buf_str(out, ", of ");
	text_add(out, s->origin.p, s->origin.n);
	tf_buf_str(out, "\n");
}

/* Kept twice: for programs and for people. */
void
check_about(void *arg, const struct tf_about *s)
{
	char hex[2 * sizeof(s->sha256.b) + 1];
	struct check *c = arg;

	tf_hex(s->sha256.b, sizeof(s->sha256.b), hex);
	if (c->subject.n > 0) /* of several packages: a list */
		tf_buf_str(&c->subject, ",");
	put_about(&c->subject, s, hex);
	add_lines(&c->subject_lines, s, hex);
	c->about.n = 0;
	text_add(&c->about, s->path.p, s->path.n);
	c->about_seq = s->seq;
	c->no_memory = c->no_memory || c->subject.failed ||
	    c->subject_lines.failed || c->about.failed;
}

/* --- progress --------------------------------------------------------- */

void
check_progress(void *arg, uint64_t done, uint64_t total)
{
	struct check *c = arg;

	progress_draw(&c->progress, done, total);
}

/* --- several packages --------------------------------------------------- */

bool
check_is_package(const struct check *c)
{
	return c->form == CHECK_PACKAGE || c->form == CHECK_PACKAGES;
}

bool
check_left_any(const struct check *c)
{
	return c->left_paths > 0 || c->left_ledger;
}

void
check_leave(struct check *c, const char *path)
{
	if (c->left_paths++ >= CHECK_KEPT)
		return;
	if (c->left == NULL)
		c->left = calloc(CHECK_KEPT, sizeof(*c->left));
	if (c->left == NULL || (c->left[c->n_left] = safe_copy(path)) == NULL)
		c->no_memory = true;
	else
		c->n_left++;
}

/* The graver word of two: what failed anywhere has failed, and what is absent
 * anywhere is absent. */
static enum tf_verdict
graver(enum tf_verdict a, enum tf_verdict b)
{
	if (a == TF_VERDICT_FAILED || b == TF_VERDICT_FAILED)
		return TF_VERDICT_FAILED;
	return a == TF_VERDICT_ABSENT ? a : b;
}

/* Evidence that nothing judges is in most packages, and absent in none. */
static enum tf_verdict
graver_evaluation(const struct tf_report *a, const struct tf_report *b)
{
	const enum tf_verdict va = a->check[TF_CHECK_EVALUATION],
			      vb = b->check[TF_CHECK_EVALUATION];

	if (a->judged == 0 && va == TF_VERDICT_ABSENT)
		return vb;
	if (b->judged == 0 && vb == TF_VERDICT_ABSENT)
		return va;
	return graver(va, vb);
}

static void
add_counts(struct tf_report *all, const struct tf_report *r)
{
	all->entries += r->entries;
	all->files += r->files;
	all->bytes += r->bytes;
	all->unknown += r->unknown;
	all->newer += r->newer;
	all->findings += r->findings;
	all->beside += r->beside;
	all->judged += r->judged;
	all->redacted += r->redacted;
	all->held += r->held;
	all->texts += r->texts;
	all->redacted_texts += r->redacted_texts;
	all->absent_texts += r->absent_texts;
	all->unproven += r->unproven;
	all->harmless += r->harmless;
	all->survived += r->survived;
	all->unsealed += r->unsealed;
	all->stamps += r->stamps;
	all->anchors += r->anchors;
	all->uncosigned += r->uncosigned;
}

/* Of what each package proves for itself, take the least: it holds for all. */
static void
add_anchors(struct tf_report *all, const struct tf_report *r)
{
	if (r->cosigned < all->cosigned)
		all->cosigned = r->cosigned;
	if (r->cosigned_size < all->cosigned_size)
		all->cosigned_size = r->cosigned_size;
	if (r->stamped < all->stamped) {
		all->stamped = r->stamped;
		all->stamped_at = r->stamped_at;
	}
	if (!r->quorum.met || r->quorum.size < all->quorum.size)
		all->quorum = r->quorum;
}

void
check_add(struct check *c, const struct tf_report *r)
{
	struct tf_report *all = &c->report;

	if (c->packages++ == 0) {
		*all = *r;
		return;
	}
	for (int l = 0; l < TF_CHECKS; l++)
		all->check[l] = l == TF_CHECK_EVALUATION ?
		    graver_evaluation(all, r) :
		    graver(all->check[l], r->check[l]);
	add_counts(all, r);
	add_anchors(all, r);
	all->pinned = all->pinned && r->pinned;
	all->foreign = all->foreign || r->foreign;
	all->may_be_repeated = all->may_be_repeated || r->may_be_repeated;
	all->cut = all->cut || r->cut;
	all->selected = all->selected || r->selected;
	if (r->size > all->size) {
		all->size = r->size;
		all->root = r->root;
	}
}

/* --- the end ---------------------------------------------------------- */

void
check_end(struct check *c)
{
	for (int l = 0; l < TF_CHECKS; l++)
		arrange(&c->check[l]);
	progress_end(&c->progress);
}

void
check_free(struct check *c)
{
	tf_buf_free(&c->subject);
	tf_buf_free(&c->subject_lines);
	tf_buf_free(&c->about);
	for (size_t i = 0; i < c->n_left; i++)
		free(c->left[i]);
	free(c->left);
	for (int l = 0; l < TF_CHECKS; l++) {
		for (size_t i = 0; i < c->check[l].n; i++)
			drop(&c->check[l].kept[i]);
		free(c->check[l].kept);
	}
}
