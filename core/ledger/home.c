/*
 * The field `home` of ledger.opened: see home.h.
 *
 * Which copies this finds, by what differs: cp -a, rsync and the restore of a
 * backup make a new directory, or a new ledger.db in the old one (inode, time of
 * creation); a copy of a whole disk, put into another machine, has another
 * machine id.  A clone of a virtual machine differs in nothing that a process can
 * see, and neither does a backup that was written into the same files; only a copy
 * of the head, beside the database or outside the machine, finds these.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "actor_json.h"
#include "home.h"

/* An inode number may exceed the integers of entries, so it is text. */
static void
put_inode(struct tf_json *j, const char *key, const struct tf_home_file *f)
{
	char inode[24];

	if (!f->has_inode)
		return;
	(void)snprintf(inode, sizeof(inode), "%llu",
	    (unsigned long long)f->inode);
	tf_put_cstr(j, key, inode);
}

static void
put_born(struct tf_json *j, const char *key, const struct tf_home_file *f)
{
	if (f->has_born)
		tf_put_time(j, key, f->born);
}

enum tf_code
tf_home_text(const struct tf_home *h, struct tf_buf *out, struct tf_error *err)
{
	struct tf_json j;

	if (!h->directory.has_inode)
		return TF_OK;
	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_born(&j, "born", &h->directory);
	put_born(&j, "databaseBorn", &h->database);
	put_inode(&j, "databaseInode", &h->database);
	if (h->device.n > 0)
		tf_put_str(&j, "device", h->device);
	put_inode(&j, "inode", &h->directory);
	if (h->has_machine)
		tf_put_hash(&j, "machine", &h->machine);
	if (h->moved)
		tf_put_bool(&j, "moved", true);
	if (h->path.n > 0)
		tf_put_str(&j, "path", h->path);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

/* The text between the quotes; members of home have no escapes. */
static struct tf_str
bare(const struct tf_json_doc *d, const char *key)
{
	struct tf_str s = tf_json_text(d, tf_json_get(d, 0, key));

	if (s.p == NULL || s.n < 2 || s.p[0] != '"')
		return (struct tf_str){ NULL, 0 };
	return (struct tf_str){ s.p + 1, s.n - 2 };
}

static struct tf_home_file
read_file(const struct tf_json_doc *d, const char *inode, const char *born)
{
	struct tf_home_file f = { 0 };
	struct tf_str s = bare(d, inode);

	f.has_inode = s.p != NULL && tf_decimal(s.p, s.n, UINT64_MAX, &f.inode);
	s = bare(d, born);
	f.has_born = s.p != NULL && tf_time_parse(s.p, s.n, &f.born);
	return f;
}

void
tf_home_read(const struct tf_json_doc *d, struct tf_home *out)
{
	struct tf_str s;
	int t = tf_json_get(d, 0, "moved");

	memset(out, 0, sizeof(*out));
	out->directory = read_file(d, "inode", "born");
	out->database = read_file(d, "databaseInode", "databaseBorn");
	s = bare(d, "machine");
	out->has_machine = s.p != NULL &&
	    tf_unhex(s.p, s.n, out->machine.b, sizeof(out->machine.b));
	out->device = bare(d, "device");
	out->path = bare(d, "path");
	out->moved = t >= 0 && d->tok[t].type == TF_JSON_BOOL &&
	    d->tok[t].num != 0;
}

static bool
is_other(const struct tf_home_file *a, const struct tf_home_file *b)
{
	if (a->has_inode && b->has_inode && a->inode != b->inode)
		return true;
	return a->has_born && b->has_born && tf_time_cmp(a->born, b->born) != 0;
}

enum tf_home_answer
tf_home_compare(const struct tf_home *a, const struct tf_home *b)
{
	if (a->has_machine && b->has_machine &&
	    memcmp(&a->machine, &b->machine, sizeof(a->machine)) != 0)
		return TF_HOME_OTHER_MACHINE;
	if (is_other(&a->directory, &b->directory))
		return TF_HOME_OTHER_DIRECTORY;
	return is_other(&a->database, &b->database) ? TF_HOME_OTHER_FILE :
						      TF_HOME_SAME;
}

enum tf_code
tf_home_guard(struct tf_str options, struct tf_buf *path, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc = TF_OK;
	int t;

	if (options.n == 0)
		return TF_OK;
	rc = tf_json_parse(&d, options.p, options.n, err);
	t = rc == TF_OK ? tf_json_get(&d, 0, "guard") : -1;
	if (t >= 0)
		rc = tf_json_string(&d, t, path, err);
	tf_json_doc_free(&d);
	return rc;
}

bool
tf_home_guard_same(const char *path, const struct tf_buf *recorded)
{
	char hint[TF_GUARD_PATH_MAX + 1];
	const size_t n = path == NULL ?
	    0 :
	    tf_hint(hint, TF_GUARD_PATH_MAX, path, strlen(path));

	return n == recorded->n &&
	    (n == 0 || memcmp(hint, recorded->p, n) == 0);
}
