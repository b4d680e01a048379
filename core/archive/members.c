/* The list of the members of a package that is open for reading.  The list is
 * sorted by name and searched by halves.  Members that only a manifest names
 * follow the others until tf_members_check_names() sorts the list again, which
 * is why a search gets the number of members to look at. */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "archive_i.h"
#include "members.h"

enum tf_code
tf_members_add(struct tf_archive *a, const char *name,
    const struct tf_member *m, struct tf_error *err)
{
	char *copy;

	if (!tf_array_room(&a->m, a->n, &a->cap, sizeof(*a->m)) ||
	    (copy = strdup(name)) == NULL)
		return tf_nomem(err);
	a->names += strlen(copy);
	a->m[a->n] = *m;
	a->m[a->n++].m.name = copy;
	return TF_OK;
}

void
tf_members_forget(struct tf_archive *a)
{
	for (size_t i = 0; i < a->n; i++)
		free((char *)a->m[i].m.name);
	free(a->top);
	a->top = NULL;
	a->n = a->names = 0;
}

size_t
tf_archive_count(const struct tf_archive *a)
{
	return a->n;
}

void
tf_archive_member(const struct tf_archive *a, size_t i,
    struct tf_archive_member *out)
{
	*out = a->m[i].m;
}

const char *
tf_archive_top(const struct tf_archive *a)
{
	return a->top;
}

enum tf_archive_form
tf_archive_form(const struct tf_archive *a, const char **why)
{
	*why = a->why.text;
	return a->form;
}

static int
by_name(const void *a, const void *b)
{
	const struct tf_member *x = a, *y = b;

	return strcmp(x->m.name, y->m.name);
}

void
tf_members_sort(struct tf_archive *a)
{
	qsort(a->m, a->n, sizeof(*a->m), by_name);
}

bool
tf_members_find(const struct tf_archive *a, const char *name, size_t n,
    size_t *i)
{
	struct tf_member key = { .m = { .name = name } };
	const struct tf_member *m = n == 0 ?
	    NULL :
	    bsearch(&key, a->m, n, sizeof(*a->m), by_name);

	if (m != NULL)
		*i = (size_t)(m - a->m);
	return m != NULL;
}

bool
tf_archive_find(const struct tf_archive *a, const char *name, size_t *i)
{
	return tf_members_find(a, name, a->n, i) && a->m[*i].m.plain &&
	    !a->m[*i].m.missing;
}

/* Two members with one name would let two programs unpack two different
 * packages from the same file. */
enum tf_code
tf_members_check_names(struct tf_archive *a, struct tf_error *err)
{
	tf_members_sort(a);
	for (size_t i = 1; i < a->n; i++)
		if (strcmp(a->m[i - 1].m.name, a->m[i].m.name) == 0)
			return tf_fail(err, TF_TAMPER,
			    "the archive is malformed: a name twice: %.80s",
			    a->m[i].m.name);
	return TF_OK;
}
