/*
 * Asking a vault a query: see find_query.h.
 *
 * In a mount the query is the name of a control file and the answer its
 * content, so that the mount filters by the rights of the caller. In a store
 * the index is asked directly. A query is checked before either, so that a
 * mistake has the same message in both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/control.h"
#include "core/find.h"
#include "files.h"
#include "find_query.h"

#define ANSWER_MAX (64u << 20) /* bytes; a mount that sends more is refused */

/* A mount keeps an index of its own; for a store one is started here. */
enum tf_code
find_open(struct find *f, const struct where *w, struct tf_error *err)
{
	enum tf_code rc;

	*f = (struct find){ .w = w };
	if (w->mount != NULL)
		return TF_OK;
	if ((rc = where_open(w, false, &f->v, err)) != TF_OK)
		return rc;
	return tf_find_start(f->v, err);
}

/* The thread of the index ends before the store is closed. */
void
find_close(struct find *f)
{
	if (f->v == NULL)
		return;
	tf_find_stop(f->v);
	where_close(f->v);
	f->v = NULL;
}

/* ANSWER_MAX bounds what a mount can make this process hold. */
enum tf_code
find_ask(struct find *f, const char *query, struct tf_buf *out,
    struct tf_error *err)
{
	char *name = NULL;
	enum tf_code rc;
	int fd;

	if ((rc = tf_find_check(query, err)) != TF_OK)
		return rc;
	if (f->v != NULL)
		return tf_find(f->v, query, NULL, out, err);
	if (asprintf(&name, TF_CONTROL_FIND "/%s", query) < 0)
		return tf_nomem(err);
	rc = where_control(f->w, name, &fd, err);
	free(name);
	if (rc != TF_OK)
		return rc;
	rc = files_read_fd(fd, "the answer", ANSWER_MAX, out, err);
	(void)close(fd); /* read-only */
	return rc;
}
