/* Findings as they come, and how far the check is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "text.h"

/* --- findings --------------------------------------------------------- */

/* By entry; what belongs to no entry comes last. */
static int
by_entry(const void *a, const void *b)
{
	const struct check_finding *x = a, *y = b;
	int way;

	/* What weighs most comes first, what only stands there last. */
	if ((x->grade == TF_GRADE_UNPROVEN) != (y->grade == TF_GRADE_UNPROVEN))
		return x->grade == TF_GRADE_UNPROVEN ? 1 : -1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	way = strcmp(x->path, y->path);
	return way != 0 ? way : strcmp(x->text, y->text);
}

static void
drop(struct check_finding *f)
{
	free(f->path);
	free(f->text);
}

/* In order, and no more than the first ones. */
static void
arrange(struct check_link *l)
{
	if (l->n > 1)
		qsort(l->kept, l->n, sizeof(*l->kept), by_entry);
	while (l->n > CHECK_KEPT)
		drop(&l->kept[--l->n]);
}

/* As a string that a terminal obeys nothing of; NULL without memory. */
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

void
check_found(void *arg, const struct tf_finding *f)
{
	struct check *c = arg;
	struct check_link *l = &c->link[f->link];
	struct check_finding mine = { .grade = f->grade, .seq = f->seq };

	l->told++;
	l->found += f->grade != TF_GRADE_UNPROVEN;
	l->beside += f->grade == TF_GRADE_BESIDE;
	/* They come in no order, so the first ones are known at the end. */
	if (l->kept == NULL)
		l->kept = calloc((size_t)2 * CHECK_KEPT, sizeof(*l->kept));
	if (l->n == (size_t)2 * CHECK_KEPT)
		arrange(l);
	mine.path = safe_copy(f->path);
	mine.text = safe_copy(f->text);
	if (l->kept == NULL || mine.path == NULL || mine.text == NULL) {
		c->no_memory = true;
		drop(&mine);
		return;
	}
	l->kept[l->n++] = mine;
}

/* --- progress --------------------------------------------------------- */

void
check_progress(void *arg, uint64_t done, uint64_t total)
{
	static const char full[] = "##############################";
	const int width = (int)sizeof(full) - 1;
	struct check *c = arg;
	int percent = 100;

	if (done < total)
		percent = (int)((double)done / (double)total * 100);
	if (!c->progress || percent == c->percent)
		return;
	c->percent = percent;
	fprintf(stderr, "\rverify  [%-*.*s] %3d %%", width,
	    percent * width / 100, full, percent);
	fflush(stderr);
}

/* --- the end ---------------------------------------------------------- */

void
check_end(struct check *c)
{
	for (int l = 0; l < TF_LINKS; l++)
		arrange(&c->link[l]);
	if (c->percent >= 0)
		fputs("\r\033[K", stderr);
	c->percent = -1;
}

void
check_free(struct check *c)
{
	for (int l = 0; l < TF_LINKS; l++) {
		for (size_t i = 0; i < c->link[l].n; i++)
			drop(&c->link[l].kept[i]);
		free(c->link[l].kept);
	}
}
