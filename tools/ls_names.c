/*
 * The names in a directory of a mount or a store: see ls.h.
 *
 * A mount is read with readdir(3) and extended attributes, a store with calls
 * of the vault; both fill the same struct. A name of a mount may go away
 * between the list and the look at it, and is then left out. An attestation
 * also gets the number and the bytes of all files below it, by a walk of its
 * own.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/control.h"
#include "ls.h"
#include "node.h"
#include "report.h"

#define BATCH 64 /* names asked of the vault at a time */
#define DEPTH_MAX 64

/*
 * NULL: no memory. The new item is the last one, so that it can be taken back.
 */
static struct ls_item *
add_item(struct ls *l, const char *name)
{
	struct ls_item *more = reallocarray(l->item, l->n + 1, sizeof(*more));

	if (more == NULL)
		return NULL;
	l->item = more;
	more += l->n++;
	*more = (struct ls_item){ 0 };
	(void)snprintf(more->name, sizeof(more->name), "%s", name);
	return more;
}

char *
ls_join(const char *dir, const char *name)
{
	char *path = NULL;

	if (strcmp(dir, ".") == 0)
		return strdup(name);
	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* EIO of an attribute that comes from an entry: the entry cannot be read. Its
 * number is an attribute too, which comes from elsewhere. */
static void
note_damage(struct ls_item *i, const char *path)
{
	char index[24] = "", *end = index;
	ssize_t n = lgetxattr(path, TF_XATTR_INDEX, index, sizeof(index) - 1);

	i->damaged = i->unsaid = true;
	i->entry = n > 0 ? strtoull(index, &end, 10) : 0;
	if (end == index)
		i->entry = DAMAGE_NO_ENTRY;
}

void
ls_say_damage(struct ls *l)
{
	char why[512];

	for (size_t k = 0; k < l->n; k++) {
		const struct ls_item *i = &l->item[k];

		if (!i->unsaid)
			continue;
		if (i->entry != DAMAGE_NO_ENTRY)
			(void)snprintf(why, sizeof(why),
			    "%s: entry %llu is missing or malformed", i->name,
			    (unsigned long long)i->entry);
		else
			(void)snprintf(why, sizeof(why),
			    "%s: a record is missing or malformed", i->name);
		damage_say(&l->damage, i->entry, why);
	}
}

/* An attribute that is absent or not readable stays empty: the row is of use
 * without it. */
static enum tf_code
get_attribute(struct ls_item *i, const char *path, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	char value[65536];
	ssize_t n = lgetxattr(path, name, value, sizeof(value));

	if (n >= 0)
		tf_buf_add(out, value, (size_t)n);
	else if (errno == EIO)
		note_damage(i, path);
	else if (errno != ENODATA && errno != EOPNOTSUPP && errno != EACCES &&
	    errno != ENOENT)
		return report_system(err, "%s", path);
	return TF_OK;
}

/* Count the files below a directory of the mount, and their bytes.  What cannot
 * be read is left out. */
static void
count_files(const char *path, struct ls_item *to, unsigned depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(path) : NULL;
	const struct dirent *e;
	struct stat st;
	char *below;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		below = ls_join(path, e->d_name);
		if (below != NULL && lstat(below, &st) == 0) {
			if (S_ISDIR(st.st_mode)) {
				count_files(below, to, depth + 1);
			} else {
				to->files++;
				to->size += (uint64_t)st.st_size;
			}
		}
		free(below);
	}
	if (d != NULL)
		closedir(d);
}

/* The depth gives the kind of a directory; a file is evidence. */
static enum tf_code
fill_mount(struct ls *l, struct ls_item *i, struct tf_error *err)
{
	char *path = ls_join(l->w.file, i->name);
	struct stat st;
	enum tf_code rc = TF_OK;

	if (path == NULL)
		return tf_nomem(err);
	if (lstat(path, &st) < 0) {
		rc = report_system(err, "%s", path);
	} else {
		i->kind = !S_ISDIR(st.st_mode)	   ? TF_KIND_EVIDENCE :
		    l->kind >= TF_KIND_ATTESTATION ? TF_KIND_DIRECTORY :
						     l->kind + 1;
		i->size = i->kind == TF_KIND_EVIDENCE ? (uint64_t)st.st_size :
							0;
		i->mtime = (struct tf_time){ st.st_mtim.tv_sec,
			(uint32_t)st.st_mtim.tv_nsec };
		if (i->kind == TF_KIND_ATTESTATION)
			count_files(path, i, 0);
	}
	if (rc == TF_OK)
		rc = get_attribute(i, path, TF_XATTR_STATE, &i->state, err);
	if (rc == TF_OK)
		rc = get_attribute(i, path, TF_XATTR_SEALED_AT, &i->when, err);
	if (rc == TF_OK && i->when.n > 0)
		rc = get_attribute(i, path, TF_XATTR_CLOCK, &i->clock, err);
	else if (rc == TF_OK && i->kind != TF_KIND_EVIDENCE)
		rc = get_attribute(i, path, TF_XATTR_CHANGED_CLOCK, &i->clock,
		    err);
	if (rc == TF_OK)
		rc = get_attribute(i, path, TF_XATTR_ACTOR, &i->actor, err);
	if (rc == TF_OK)
		rc = get_attribute(i, path, TF_XATTR_SHA256, &i->sha256, err);
	free(path);
	return rc;
}

/* A file has no names in it. */
static enum tf_code
is_file(const char *path, struct tf_error *err)
{
	return tf_fail(err, TF_USAGE, "%s is a file: trailctl show", path);
}

/* A name that was removed meanwhile is no error. */
static enum tf_code
list_mount(struct ls *l, struct tf_error *err)
{
	DIR *d = opendir(l->w.file);
	const struct dirent *e;
	enum tf_code rc = TF_OK;

	if (d == NULL && errno == ENOTDIR)
		return is_file(l->w.path, err);
	if (d == NULL && errno == EACCES)
		return where_denied(l->w.file, err);
	if (d == NULL)
		return report_system(err, "%s", l->w.path);
	while (rc == TF_OK && (e = readdir(d)) != NULL) {
		struct ls_item *i;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		i = add_item(l, e->d_name);
		rc = i == NULL ? tf_nomem(err) : fill_mount(l, i, err);
		if (rc == TF_NOTFOUND) { /* it was removed meanwhile */
			l->n--;
			rc = TF_OK;
		}
	}
	closedir(d);
	return rc;
}

/* --- names of a store ------------------------------------------------------------- */

/* Call fn for every child of node id. */
static enum tf_code
each_child(struct ls *l, uint64_t id,
    enum tf_code (*fn)(struct ls *l, const struct tf_dirent *e, void *arg,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	struct tf_dirent batch[BATCH];
	uint64_t after = 0;
	size_t n;
	enum tf_code rc;

	do {
		rc = tf_vault_list(l->v, id, after, batch, BATCH, &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			after = batch[i].attr.id;
			rc = fn(l, &batch[i], arg, err);
		}
	} while (rc == TF_OK && n > 0);
	return rc;
}

/* Directories are entered; only files count. */
static enum tf_code
count_stored(struct ls *l, const struct tf_dirent *e, void *arg,
    struct tf_error *err)
{
	struct ls_item *to = arg;

	if (e->attr.kind != TF_KIND_EVIDENCE)
		return each_child(l, e->attr.id, count_stored, to, err);
	to->files++;
	to->size += e->attr.size;
	return TF_OK;
}

/* The entry that an attribute of node id comes from. */
static uint64_t
entry_of(struct ls *l, uint64_t id)
{
	struct tf_buf index = { 0 };
	uint64_t entry = DAMAGE_NO_ENTRY;

	if (tf_vault_xattr_get(l->v, id, TF_XATTR_INDEX, &index, NULL) ==
		TF_OK &&
	    index.n > 0)
		entry = strtoull(index.p, NULL, 10);
	tf_buf_free(&index);
	return entry;
}

/* An attribute that is not set, or whose entry cannot be read, stays empty. */
static enum tf_code
get_stored(struct ls *l, struct ls_item *i, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_vault_xattr_get(l->v, i->id, name, out, &why);

	if (rc == TF_TAMPER || rc == TF_NEWER) {
		i->damaged = true;
		damage_say(&l->damage, entry_of(l, i->id), why.text);
		return TF_OK;
	}
	return rc == TF_NODATA || rc == TF_UNSUPPORTED || rc == TF_OK ?
	    TF_OK :
	    tf_fail_as(err, &why);
}

/* The same members as fill_mount(), from the node. */
static enum tf_code
add_stored(struct ls *l, const struct tf_dirent *e, void *arg,
    struct tf_error *err)
{
	struct ls_item *i = add_item(l, e->name);
	enum tf_code rc = TF_OK;

	(void)arg;
	if (i == NULL)
		return tf_nomem(err);
	i->id = e->attr.id;
	i->kind = e->attr.kind;
	i->size = e->attr.size;
	i->mtime = e->attr.mtime;
	if (i->kind == TF_KIND_ATTESTATION)
		rc = each_child(l, i->id, count_stored, i, err);
	if (rc == TF_OK)
		rc = get_stored(l, i, TF_XATTR_STATE, &i->state, err);
	if (rc == TF_OK)
		rc = get_stored(l, i, TF_XATTR_SEALED_AT, &i->when, err);
	if (rc == TF_OK && i->when.n > 0)
		rc = get_stored(l, i, TF_XATTR_CLOCK, &i->clock, err);
	else if (rc == TF_OK && i->kind != TF_KIND_EVIDENCE)
		rc = get_stored(l, i, TF_XATTR_CHANGED_CLOCK, &i->clock, err);
	if (rc == TF_OK)
		rc = get_stored(l, i, TF_XATTR_ACTOR, &i->actor, err);
	if (rc == TF_OK)
		rc = get_stored(l, i, TF_XATTR_SHA256, &i->sha256, err);
	return rc;
}

static enum tf_code
list_store(struct ls *l, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = where_open(&l->w, false, &l->v, err);

	if (rc == TF_OK)
		rc = tf_vault_walk(l->v, l->w.path, &a, err);
	if (rc == TF_OK && a.kind == TF_KIND_EVIDENCE)
		rc = is_file(l->w.path, err);
	if (rc == TF_OK)
		rc = each_child(l, a.id, add_stored, NULL, err);
	where_close(l->v);
	l->v = NULL;
	return rc;
}

enum tf_code
ls_read_names(struct ls *l, struct tf_error *err)
{
	return l->w.mount != NULL ? list_mount(l, err) : list_store(l, err);
}

void
ls_free(struct ls *l)
{
	for (size_t i = 0; i < l->n; i++) {
		tf_buf_free(&l->item[i].state);
		tf_buf_free(&l->item[i].when);
		tf_buf_free(&l->item[i].clock);
		tf_buf_free(&l->item[i].actor);
		tf_buf_free(&l->item[i].sha256);
	}
	free(l->item);
	where_free(&l->w);
}
