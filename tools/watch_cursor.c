/*
 * The cursor of trailctl watch: see watch_cursor.h.
 *
 * The file is one line of JSON: "next", the number of the first entry that is
 * not delivered, and "last", the digest of the line before it, which shows
 * whether the ledger is still the same one. It is replaced with
 * tf_file_write(): a temporary file, fsync, rename, fsync of the directory. So
 * a crash leaves the old or the new place. The old one means that an entry is
 * delivered twice, and never that one is left out.
 *
 * The lock is a file beside the cursor and not the cursor itself, because each
 * save replaces the cursor's inode, and a lock on the old inode would exclude
 * nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/member.h"
#include "report.h"
#include "watch_cursor.h"

#define CURSOR_MAX 4096 /* bytes */

/* A cursor that cannot be read is an error and not a beginning: to begin again
 * would deliver all entries, or leave some out. */
static enum tf_code
parse(const struct tf_buf *b, struct lines_place *p, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	size_t n = b->n > 0 && b->p[b->n - 1] == '\n' ? b->n - 1 : b->n;
	enum tf_code rc = tf_json_parse(&d, b->p, n, err);
	struct tf_str last;
	int t;

	if (rc != TF_OK)
		return tf_fail(err, TF_INVALID, "the cursor is malformed");
	*p = (struct lines_place){ 0 };
	t = tf_json_get(&d, 0, "next");
	last = tf_json_text(&d, tf_json_get(&d, 0, "last"));
	if (t < 0 || d.tok[t].type != TF_JSON_INT || d.tok[t].num < 0)
		rc = TF_INVALID;
	else
		p->next = (uint64_t)d.tok[t].num;
	p->has_last = last.p != NULL;
	if (p->has_last &&
	    (last.n != 66 || !tf_unhex(last.p + 1, 64, p->last.b, 32)))
		rc = TF_INVALID;
	tf_json_doc_free(&d);
	return rc == TF_OK ? rc : tf_fail(err, rc, "the cursor is malformed");
}

/* flock(2) ends with the process, however it ends; the file may stay. */
static enum tf_code
take_lock(struct cursor *c, struct tf_error *err)
{
	char *name = NULL;
	enum tf_code rc = TF_OK;

	if (asprintf(&name, "%s.lock", c->name) < 0)
		return tf_nomem(err);
	c->lock = openat(c->dir, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (c->lock < 0)
		rc = report_system(err, "%s", name);
	else if (flock(c->lock, LOCK_EX | LOCK_NB) < 0)
		rc = errno == EWOULDBLOCK ?
		    tf_fail(err, TF_LOCKED,
			"another trailctl watch uses the cursor %s", c->name) :
		    report_system(err, "%s", name);
	free(name);
	return rc;
}

/* The directory stays open: the cursor is then the same file even if the
 * working directory or a link in the path changes. */
enum tf_code
cursor_open(struct cursor *c, const char *path, struct lines_place *p,
    bool *found, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	char *copy, *base;
	enum tf_code rc;

	*c = (struct cursor){ .dir = -1, .lock = -1 };
	*found = false;
	if (path == NULL)
		return TF_OK;
	copy = strdup(path);
	base = strdup(path);
	if (copy != NULL && base != NULL)
		c->name = strdup(basename(base));
	if (c->name != NULL)
		c->dir = open(dirname(copy),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = c->name == NULL ? tf_nomem(err) :
	    c->dir < 0	     ? report_system(err, "%s", path) :
			       take_lock(c, err);
	free(copy);
	free(base);
	if (rc != TF_OK)
		return rc;
	rc = tf_file_read(c->dir, c->name, CURSOR_MAX, &b, err);
	if (rc == TF_OK) {
		*found = true;
		rc = parse(&b, p, err);
		c->saved = *p;
	} else if (rc == TF_NOTFOUND) {
		rc = TF_OK;
		c->saved.next = UINT64_MAX;
	}
	tf_buf_free(&b);
	return rc;
}

/* One save per delivered entry costs an fsync; equal places cost nothing. */
enum tf_code
cursor_save(struct cursor *c, const struct lines_place *p, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	if (c->dir < 0 || c->saved.next == p->next)
		return TF_OK;
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	if (p->has_last)
		tf_put_hash(&j, "last", &p->last);
	tf_put_uint(&j, "next", p->next);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_add(&b, "\n", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&b, err);
	if (rc == TF_OK)
		rc = tf_file_write(c->dir, c->name, b.p, b.n, 0600, false, err);
	if (rc == TF_OK)
		c->saved = *p;
	tf_buf_free(&b);
	return rc;
}

void
cursor_close(struct cursor *c)
{
	if (c->dir >= 0)
		(void)close(c->dir);
	if (c->lock >= 0)
		(void)close(c->lock);
	free(c->name);
	*c = (struct cursor){ .dir = -1, .lock = -1 };
}
