/*
 * .trailfs/missing of a workflow: an empty directory for each slot that is
 * missing.
 *
 * Node ids, below the kind: the workflow, for missing itself.  A directory in
 * it also has its place among the names of the status, in the bits of the
 * edition; the place can change when names are added.
 */
#include <pthread.h>
#include <string.h>

#include "attr.h"
#include "control_tree.h"
#include "core/control.h"
#include "core/page.h"

#define PLACES (FS_EDITION_MASK >> FS_NODE_BITS)

static uint64_t
top(uint64_t dir)
{
	return fs_control_id(FS_KIND_MISSING, dir);
}

static bool
is_dir(uint64_t ino)
{
	(void)ino;
	return true;
}

static uint64_t
slot_id(uint64_t parent, uint64_t place)
{
	return fs_control_id(FS_KIND_MISSING_SLOT,
	    (parent & FS_NODE_MASK) | place << FS_NODE_BITS);
}

static enum tf_code
parent_of(struct tf_vault *v, uint64_t ino, uint64_t *parent,
    struct tf_error *err)
{
	(void)v, (void)err;
	*parent = fs_control_id(fs_control_kind(ino) == FS_KIND_MISSING ?
		FS_KIND_DIR :
		FS_KIND_MISSING,
	    ino & FS_NODE_MASK);
	return TF_OK;
}

static enum tf_code
stat_missing(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_getattr(v, ino & FS_NODE_MASK, &a, err);

	if (rc != TF_OK)
		return rc;
	fs_attr_stat(&a, st);
	st->st_ino = ino;
	st->st_mode = S_IFDIR | (0555 & a.mode);
	return TF_OK;
}

/*
 * The missing names of the workflow that was asked for last.  A listing and its
 * lookups ask for all of them again and again, and they change with the ledger
 * only.
 */
static struct {
	pthread_mutex_t mu;
	uint64_t workflow,
	    head;	     /* guarded by mu; head: entries of the ledger */
	struct tf_buf names; /* guarded by mu; a place and a name, each */
} last = { .mu = PTHREAD_MUTEX_INITIALIZER };

struct missing {
	uint64_t place;
	size_t n; /* bytes of the name, which follow */
};

void
fs_missing_forget(void)
{
	pthread_mutex_lock(&last.mu);
	last.workflow = 0;
	tf_buf_free(&last.names);
	pthread_mutex_unlock(&last.mu);
}

static bool
keep(void *arg, uint64_t place, struct tf_str name)
{
	const struct missing m = { place, name.n };

	tf_buf_add(arg, &m, sizeof m);
	tf_buf_add(arg, name.p, name.n);
	return true;
}

static void
each_name(const struct tf_buf *names, tf_missing_fn fn, void *arg)
{
	struct missing m;
	size_t at = 0;

	while (at < names->n) {
		memcpy(&m, names->p + at, sizeof m);
		at += sizeof m + m.n;
		if (!fn(arg, m.place,
			(struct tf_str){ names->p + at - m.n, m.n }))
			break;
	}
}

/* Call fn for the names of the last workflow, if it is this one and the ledger
 * has not grown. */
static bool
each_of_last(uint64_t workflow, uint64_t head, tf_missing_fn fn, void *arg)
{
	bool known;

	pthread_mutex_lock(&last.mu);
	known = last.workflow == workflow && last.head == head;
	if (known)
		each_name(&last.names, fn, arg);
	pthread_mutex_unlock(&last.mu);
	return known;
}

/* Judge the workflow, and call fn for the missing names. */
static enum tf_code
judge(struct tf_vault *v, uint64_t workflow, tf_missing_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_buf names = { 0 }, old;
	struct tf_view *w = NULL;
	uint64_t head = 0;
	enum tf_code rc = tf_view_open(v, NULL, &w, err);

	if (rc == TF_OK) {
		head = tf_view_entries(w);
		rc = tf_view_missing(w, workflow, keep, &names, err);
	}
	tf_view_close(w);
	if (rc == TF_OK)
		rc = tf_buf_end(&names, err);
	if (rc != TF_OK) {
		tf_buf_free(&names);
		return rc;
	}
	each_name(&names, fn, arg);
	pthread_mutex_lock(&last.mu);
	old = last.names;
	last.names = names;
	last.workflow = workflow;
	last.head = head;
	pthread_mutex_unlock(&last.mu);
	tf_buf_free(&old);
	return TF_OK;
}

/* Call fn for the missing names.  They are the same for all who may list the
 * workflow. */
static enum tf_code
each_missing(struct tf_vault *v, uint64_t ino, tf_missing_fn fn, void *arg,
    struct tf_error *err)
{
	uint64_t workflow = ino & FS_NODE_MASK, head, bytes;
	enum tf_code rc = tf_vault_size(v, &head, &bytes, err);

	if (rc != TF_OK || each_of_last(workflow, head, fn, arg))
		return rc;
	return judge(v, workflow, fn, arg, err);
}

struct search {
	const char *name;
	uint64_t place;
	bool found;
};

static bool
is_it(void *arg, uint64_t place, struct tf_str name)
{
	struct search *s = arg;

	s->found = strlen(s->name) == name.n &&
	    memcmp(s->name, name.p, name.n) == 0;
	s->place = place;
	return !s->found;
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	struct search s = { .name = name };
	enum tf_code rc = TF_OK;

	if (fs_control_kind(parent) == FS_KIND_MISSING)
		rc = each_missing(v, parent, is_it, &s, err);
	if (rc == TF_OK && (!s.found || s.place > PLACES))
		rc = tf_fail(err, TF_NOTFOUND, "it is not missing");
	if (rc == TF_OK)
		*ino = slot_id(parent, s.place);
	return rc;
}

struct listing {
	uint64_t ino;
	const struct fs_names *names;
};

static bool
add(void *arg, uint64_t place, struct tf_str name)
{
	const struct listing *l = arg;
	char text[TF_CONTROL_NAME_MAX + 1];

	if (place < l->names->at || place > PLACES || name.n >= sizeof text)
		return true;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	return l->names->add(l->names->arg, place, text, slot_id(l->ino, place),
	    S_IFDIR);
}

static enum tf_code
list(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	struct listing l = { ino, names };

	if (fs_control_kind(ino) != FS_KIND_MISSING)
		return TF_OK; /* empty */
	return each_missing(v, ino, add, &l, err);
}

const struct fs_tree fs_missing_tree = {
	.first = FS_KIND_MISSING,
	.last = FS_KIND_MISSING_SLOT,
	.final = false,
	.top = top,
	.is_dir = is_dir,
	.lookup = lookup,
	.parent = parent_of,
	.stat = stat_missing,
	.list = list,
};
