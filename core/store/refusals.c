/* The file of refusals: see refusals.h. */
#include "refusals.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../base/member.h"
#include "../base/show.h"
#include "../base/time_text.h"

#define FILE_MAX ((size_t)8 << 20)
#define TEXT_MAX 400 /* bytes */

/* --- one line --------------------------------------------------------------- */

static enum tf_code
add_line(struct tf_buf *out, const struct tf_refusal_row *r,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_name_show(&text, r->text.p,
	    r->text.n < TEXT_MAX ? r->text.n : TEXT_MAX);
	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_time(&j, "at", r->at);
	if (r->head.n > 0)
		tf_put_str(&j, "head", r->head);
	tf_put_str(&j, "kind", r->kind);
	tf_put_str(&j, "name", r->name);
	tf_put_str(&j, "text", tf_buf_bytes(&text));
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_add(out, "\n", 1);
	tf_buf_free(&text);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

enum { AT, HEAD, KIND, NAME, TEXT, MEMBERS };

/* The strings of a line; false: it is none. */
static bool
read_line(struct tf_str line, struct tf_buf part[MEMBERS],
    struct tf_refusal_row *out)
{
	static const char *const keys[MEMBERS] = { "at", "head", "kind", "name",
		"text" };
	struct tf_json_doc d = { 0 };
	bool ok = tf_json_parse(&d, line.p, line.n, NULL) == TF_OK;

	for (int i = 0; ok && i < MEMBERS; i++) {
		int t = tf_json_get(&d, 0, keys[i]);

		part[i].n = 0;
		ok = t < 0 ? i == HEAD :
			     tf_json_string(&d, t, &part[i], NULL) == TF_OK;
	}
	tf_json_doc_free(&d);
	*out = (struct tf_refusal_row){ .kind = tf_buf_bytes(&part[KIND]),
		.name = tf_buf_bytes(&part[NAME]),
		.text = tf_buf_bytes(&part[TEXT]),
		.head = tf_buf_bytes(&part[HEAD]) };
	return ok && tf_time_parse(part[AT].p, part[AT].n, &out->at);
}

/* --- the file --------------------------------------------------------------- */

/* Take the next line off text. */
static bool
next_line(struct tf_str *text, struct tf_str *line)
{
	const char *end = text->n == 0 ? NULL : memchr(text->p, '\n', text->n);

	if (end == NULL)
		return false;
	*line = (struct tf_str){ text->p, (size_t)(end - text->p) };
	*text = (struct tf_str){ end + 1, text->n - line->n - 1 };
	return true;
}

static enum tf_code
read_file(int dirfd, struct tf_buf *out, struct tf_error *err)
{
	struct tf_error why;
	enum tf_code rc = tf_file_read(dirfd, TF_REFUSALS, FILE_MAX, out, &why);

	return rc == TF_OK || rc == TF_NOTFOUND ? TF_OK : tf_fail_as(err, &why);
}

enum tf_code
tf_refusals_each(int dirfd, tf_refusal_fn fn, void *arg, struct tf_error *err)
{
	struct tf_buf file = { 0 }, part[MEMBERS] = { { 0 } };
	struct tf_refusal_row r;
	struct tf_str rest, line;
	enum tf_code rc = read_file(dirfd, &file, err);

	rest = tf_buf_bytes(&file);
	while (rc == TF_OK && next_line(&rest, &line))
		if (read_line(line, part, &r))
			rc = fn(arg, &r, err);
	for (int i = 0; i < MEMBERS; i++)
		tf_buf_free(&part[i]);
	tf_buf_free(&file);
	return rc;
}

struct others {
	struct tf_str kind, name; /* which one is left out */
	struct tf_buf out;
	size_t skip; /* lines that are too many */
	size_t n;
	bool found;
};

static enum tf_code
count(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	struct others *o = arg;

	(void)err;
	if (tf_str_same(r->kind, o->kind) && tf_str_same(r->name, o->name))
		o->found = true;
	else
		o->n++;
	return TF_OK;
}

static enum tf_code
keep(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	struct others *o = arg;

	if (tf_str_same(r->kind, o->kind) && tf_str_same(r->name, o->name))
		return TF_OK;
	if (o->skip > 0) {
		o->skip--;
		return TF_OK;
	}
	return add_line(&o->out, r, err);
}

/* Leave out those of kind and name, and add r, unless it is NULL. */
static enum tf_code
change(int dirfd, struct others *o, const struct tf_refusal_row *r,
    struct tf_error *err)
{
	struct tf_str out;
	enum tf_code rc = tf_refusals_each(dirfd, count, o, err);

	if (rc != TF_OK || (r == NULL && !o->found))
		return rc;
	if (r != NULL && o->n >= TF_REFUSALS_MAX)
		o->skip = o->n - TF_REFUSALS_MAX + 1;
	rc = tf_refusals_each(dirfd, keep, o, err);
	if (rc == TF_OK && r != NULL)
		rc = add_line(&o->out, r, err);
	if (rc != TF_OK)
		return rc;
	out = tf_buf_bytes(&o->out);
	return tf_file_write(dirfd, TF_REFUSALS, out.p, out.n, 0600, false,
	    err);
}

/* The lock is on the directory, since the file is replaced. */
static enum tf_code
change_locked(int dirfd, struct tf_str kind, struct tf_str name,
    const struct tf_refusal_row *r, struct tf_error *err)
{
	struct others o = { .kind = kind, .name = name };
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		rc = tf_fail(err, TF_IO, "lock " TF_REFUSALS);
	else
		rc = change(dirfd, &o, r, err);
	if (fd >= 0)
		(void)close(fd); /* the lock goes with it */
	tf_buf_free(&o.out);
	return rc;
}

enum tf_code
tf_refusals_put(int dirfd, const struct tf_refusal_row *r, struct tf_error *err)
{
	return change_locked(dirfd, r->kind, r->name, r, err);
}

enum tf_code
tf_refusals_remove(int dirfd, struct tf_str kind, struct tf_str name,
    struct tf_error *err)
{
	return change_locked(dirfd, kind, name, NULL, err);
}
