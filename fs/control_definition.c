/*
 * Definitions of a trail: .trailfs/template.yml, .trailfs/recipients and the
 * directory .trailfs/types have the newest versions, which are settable;
 * template@N.yml, recipients@N and types/NAME@N.yml are the versions.
 *
 * template.yml and recipients are rows (control_rows.c).  Node ids of the rest,
 * below the kind: the trail, for types; the entry of the version, for a
 * version; the entry of version 1, for the newest one.  The newest one of a
 * type that was never saved has a number of its own while it is written.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "control_definition.h"
#include "core/control.h"

#define SUFFIX ".yml"
#define SUFFIX_LEN (sizeof SUFFIX - 1)
#define BATCH 64 /* versions asked of the vault at a time */
#define RECIPIENTS (UINT64_C(1) << 56) /* their places are behind templates */

/* --- template.yml -------------------------------------------------------- */

static enum tf_code
load(struct tf_vault *v, uint64_t trail, const char *name, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_definition found;

	return tf_vault_definition(v, trail,
	    name[0] == '\0' ? TF_DEFINITION_TEMPLATE : TF_DEFINITION_TYPE, name,
	    0, out, &found, err);
}

static enum tf_code
save(struct tf_vault *v, uint64_t trail, const char *name, const void *p,
    size_t n, const struct tf_actor *who, struct tf_buf *warnings,
    struct tf_error *err)
{
	enum tf_definition_kind kind = name[0] == '\0' ?
	    TF_DEFINITION_TEMPLATE :
	    TF_DEFINITION_TYPE;
	uint64_t version;
	enum tf_code rc = tf_vault_define(v, trail, kind, name, p, n, who,
	    &version, err);

	/* It is recorded: what happens now is no failure. */
	if (rc == TF_OK &&
	    tf_definition_check(kind, name, p, n, warnings, NULL) != TF_OK)
		tf_buf_free(warnings);
	return rc;
}

const struct fs_settable fs_definition_settable = { .max = TF_DEFINITION_MAX,
	.mode = 0660,
	.administers = true,
	.load = load,
	.save = save };

enum tf_code
fs_definition_template(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err)
{
	(void)asker;
	return load(v, dir, "", out, err);
}

enum tf_code
fs_definition_has_template(struct tf_vault *v, const struct tf_attr *dir,
    struct tf_error *err)
{
	return load(v, dir->id, "", NULL, err);
}

/* --- recipients ---------------------------------------------------------- */

static enum tf_code
load_recipients(struct tf_vault *v, uint64_t trail, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_definition found;

	return tf_vault_definition(v, trail, TF_DEFINITION_RECIPIENTS, name, 0,
	    out, &found, err);
}

static enum tf_code
save_recipients(struct tf_vault *v, uint64_t trail, const char *name,
    const void *p, size_t n, const struct tf_actor *who,
    struct tf_buf *warnings, struct tf_error *err)
{
	uint64_t version;

	(void)warnings;
	return tf_vault_define(v, trail, TF_DEFINITION_RECIPIENTS, name, p, n,
	    who, &version, err);
}

const struct fs_settable fs_recipients_settable = { .max = TF_DEFINITION_MAX,
	.mode = 0660,
	.administers = true,
	.load = load_recipients,
	.save = save_recipients,
	.empty_why = "a trail with recipients keeps them: an empty list is "
		     "refused, and nothing was changed" };

enum tf_code
fs_definition_recipients(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err)
{
	(void)asker;
	return load_recipients(v, dir, "", out, err);
}

enum tf_code
fs_definition_has_recipients(struct tf_vault *v, const struct tf_attr *dir,
    struct tf_error *err)
{
	return load_recipients(v, dir->id, "", NULL, err);
}

/* --- names --------------------------------------------------------------- */

static enum tf_code
no_file(struct tf_error *err)
{
	return tf_fail(err, TF_NOTFOUND, "no such definition");
}

/* Split NAME or NAME@N; the version is 0 without "@N".  False: it is neither. */
static bool
split_version(const char *file, size_t n, char name[TF_DEFINITION_NAME_MAX + 1],
    uint64_t *version)
{
	const char *at = strrchr(file, '@');
	char *end;

	*version = 0;
	if (at != NULL) {
		if (at[1] < '1' || at[1] > '9')
			return false;
		*version = strtoull(at + 1, &end, 10);
		if (end != file + n || *version > INT64_MAX)
			return false;
		n = (size_t)(at - file);
	}
	if (n == 0 || n > TF_DEFINITION_NAME_MAX)
		return false;
	memcpy(name, file, n);
	name[n] = '\0';
	return true;
}

/* The same of "NAME.yml" or "NAME@N.yml". */
static bool
split(const char *file, char name[TF_DEFINITION_NAME_MAX + 1],
    uint64_t *version)
{
	size_t n = strlen(file);

	return n > SUFFIX_LEN && strcmp(file + n - SUFFIX_LEN, SUFFIX) == 0 &&
	    split_version(file, n - SUFFIX_LEN, name, version);
}

enum tf_code
fs_definition_find(struct tf_vault *v, uint64_t trail, const char *file,
    uint64_t *ino, struct tf_error *err)
{
	char name[TF_DEFINITION_NAME_MAX + 1];
	struct tf_definition found;
	uint64_t version = 0;
	bool template = split(file, name, &version) &&
	    strcmp(name, "template") == 0;
	enum tf_code rc;

	if (!template &&
	    (!split_version(file, strlen(file), name, &version) ||
		strcmp(name, TF_CONTROL_RECIPIENTS) != 0))
		return no_file(err);
	if (version == 0)
		return no_file(err);
	rc = tf_vault_definition(v, trail,
	    template ? TF_DEFINITION_TEMPLATE : TF_DEFINITION_RECIPIENTS, "",
	    version, NULL, &found, err);
	if (rc == TF_OK)
		*ino = fs_control_id(template ? FS_KIND_TEMPLATE_VERSION :
						FS_KIND_RECIPIENTS_VERSION,
		    found.entry);
	return rc;
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *file, uint64_t *ino,
    struct tf_error *err)
{
	char name[TF_DEFINITION_NAME_MAX + 1];
	struct tf_definition found;
	uint64_t version;
	enum tf_code rc;

	if (!split(file, name, &version))
		return no_file(err);
	rc = tf_vault_definition(v, parent & FS_NODE_MASK, TF_DEFINITION_TYPE,
	    name, version != 0 ? version : 1, NULL, &found, err);
	if (rc == TF_OK)
		*ino = fs_control_id(version != 0 ? FS_KIND_TYPE_VERSION :
						    FS_KIND_TYPE,
		    found.entry);
	return rc;
}

/* --- nodes --------------------------------------------------------------- */

/* The trail and the version that node ino of a file is about. */
static enum tf_code
version_of(struct tf_vault *v, uint64_t ino, uint64_t *trail,
    struct tf_definition *found, struct tf_error *err)
{
	enum tf_definition_kind kind;

	if (fs_control_kind(ino) == FS_KIND_TYPE_NEW)
		return no_file(err);
	return tf_vault_definition_of(v, ino & FS_NODE_MASK, trail, &kind,
	    found, err);
}

static uint64_t
top(uint64_t dir)
{
	return fs_control_id(FS_KIND_TYPES, dir);
}

static bool
is_dir(uint64_t ino)
{
	return fs_control_kind(ino) == FS_KIND_TYPES;
}

static enum tf_code
parent_of(struct tf_vault *v, uint64_t ino, uint64_t *parent,
    struct tf_error *err)
{
	struct tf_definition found;
	uint64_t trail = ino & FS_NODE_MASK;
	enum tf_code rc = TF_OK;

	if (!is_dir(ino))
		rc = version_of(v, ino, &trail, &found, err);
	if (rc != TF_OK)
		return rc;
	*parent = is_dir(ino) ||
		fs_control_kind(ino) == FS_KIND_TEMPLATE_VERSION ||
		fs_control_kind(ino) == FS_KIND_RECIPIENTS_VERSION ?
	    fs_control_id(FS_KIND_DIR, trail) :
	    fs_control_id(FS_KIND_TYPES, trail);
	return TF_OK;
}

static enum tf_code
stat_definition(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tf_definition found;
	uint64_t trail = ino & FS_NODE_MASK;
	struct tf_attr a;
	enum tf_code rc = TF_OK;

	if (!is_dir(ino))
		rc = version_of(v, ino, &trail, &found, err);
	if (rc == TF_OK)
		rc = tf_vault_getattr(v, trail, &a, err);
	if (rc != TF_OK)
		return rc;
	fs_attr_stat(&a, st);
	st->st_ino = ino;
	if (is_dir(ino)) {
		st->st_mode = S_IFDIR | (0775 & a.mode);
		return TF_OK;
	}
	st->st_mode = S_IFREG |
	    ((fs_control_kind(ino) == FS_KIND_TYPE ?
		     fs_definition_settable.mode :
		     0440u) &
		a.mode);
	st->st_nlink = 1;
	st->st_size = -1;
	return TF_OK;
}

static enum tf_code
render(struct tf_vault *v, uint64_t ino, struct tf_buf *out,
    struct tf_error *err)
{
	unsigned kind = fs_control_kind(ino);
	struct tf_definition found;
	uint64_t trail;
	enum tf_code rc = version_of(v, ino, &trail, &found, err);

	if (rc != TF_OK)
		return rc;
	return tf_vault_definition(v, trail,
	    kind == FS_KIND_TEMPLATE_VERSION	   ? TF_DEFINITION_TEMPLATE :
		kind == FS_KIND_RECIPIENTS_VERSION ? TF_DEFINITION_RECIPIENTS :
						     TF_DEFINITION_TYPE,
	    found.name, kind == FS_KIND_TYPE ? 0 : found.version, out, &found,
	    err);
}

/* --- listings ------------------------------------------------------------ */

/* The place of a version is twice its entry, and that of the newest one is
 * behind its first version. */
static bool
add(const struct fs_names *names, uint64_t base, const char *name,
    const struct tf_definition *d, unsigned kind)
{
	char file[TF_DEFINITION_NAME_MAX + 32];
	uint64_t place = base + 2 * d->entry;

	(void)snprintf(file, sizeof file, "%s@%llu%s", name,
	    (unsigned long long)d->version,
	    kind == FS_KIND_RECIPIENTS_VERSION ? "" : SUFFIX);
	if (place >= names->at &&
	    !names->add(names->arg, place, file, fs_control_id(kind, d->entry),
		S_IFREG))
		return false;
	if (kind != FS_KIND_TYPE_VERSION || d->version != 1 ||
	    ++place < names->at)
		return true;
	(void)snprintf(file, sizeof file, "%s" SUFFIX, name);
	return names->add(names->arg, place, file,
	    fs_control_id(FS_KIND_TYPE, d->entry), S_IFREG);
}

/* *full becomes true if there is no more room. */
static enum tf_code
list_versions(struct tf_vault *v, uint64_t trail, enum tf_definition_kind kind,
    uint64_t base, const struct fs_names *names, bool *full,
    struct tf_error *err)
{
	static const struct {
		const char *name;
		unsigned kind;
	} shown[] = {
		[TF_DEFINITION_TEMPLATE] = { "template",
		    FS_KIND_TEMPLATE_VERSION },
		[TF_DEFINITION_TYPE] = { NULL, FS_KIND_TYPE_VERSION },
		[TF_DEFINITION_RECIPIENTS] = { TF_CONTROL_RECIPIENTS,
		    FS_KIND_RECIPIENTS_VERSION },
	};
	struct tf_definition *d = calloc(BATCH, sizeof *d);
	uint64_t from = names->at > base ? (names->at - base) / 2 : 0;
	enum tf_code rc = TF_OK;
	size_t n = BATCH;

	if (d == NULL)
		return tf_nomem(err);
	while (rc == TF_OK && n == BATCH && !*full) {
		rc = tf_vault_definition_versions(v, trail, kind, from, d,
		    BATCH, &n, err);
		for (size_t i = 0; rc == TF_OK && i < n && !*full; i++) {
			from = d[i].entry + 1;
			*full = !add(names, base,
			    shown[kind].name != NULL ? shown[kind].name :
						       d[i].name,
			    &d[i], shown[kind].kind);
		}
	}
	free(d);
	return rc;
}

enum tf_code
fs_definition_list(struct tf_vault *v, uint64_t trail, uint64_t base,
    const struct fs_names *names, struct tf_error *err)
{
	bool full = false;
	enum tf_code rc = TF_OK;

	if (names->at < base + RECIPIENTS)
		rc = list_versions(v, trail, TF_DEFINITION_TEMPLATE, base,
		    names, &full, err);
	if (rc == TF_OK && !full)
		rc = list_versions(v, trail, TF_DEFINITION_RECIPIENTS,
		    base + RECIPIENTS, names, &full, err);
	return rc;
}

static enum tf_code
list(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	bool full = false;

	return list_versions(v, ino & FS_NODE_MASK, TF_DEFINITION_TYPE, 0,
	    names, &full, err);
}

/* --- writing ------------------------------------------------------------- */

static void
set_target(struct fs_target *out, uint64_t trail, const char *name)
{
	*out = (struct fs_target){ .set = &fs_definition_settable,
		.dir = trail };
	(void)snprintf(out->name, sizeof out->name, "%s", name);
	(void)snprintf(out->label, sizeof out->label,
	    TF_CONTROL_TYPES "/%s" SUFFIX, name);
}

static enum tf_code
target(struct tf_vault *v, uint64_t ino, struct fs_target *out,
    struct tf_error *err)
{
	struct tf_definition found;
	uint64_t trail;
	enum tf_code rc;

	if (fs_control_kind(ino) != FS_KIND_TYPE)
		return tf_fail(err, TF_DENIED, "a version never changes");
	rc = version_of(v, ino, &trail, &found, err);
	if (rc == TF_OK)
		set_target(out, trail, found.name);
	return rc;
}

static enum tf_code
create(struct tf_vault *v, uint64_t parent, const char *file, uint64_t *ino,
    struct fs_target *out, struct tf_error *err)
{
	static _Atomic uint64_t numbers;
	char name[TF_DEFINITION_NAME_MAX + 1];
	uint64_t version;

	(void)v;
	if (!split(file, name, &version) || version != 0)
		return tf_fail(err, TF_DENIED,
		    "a type is written to NAME" SUFFIX
		    " itself, not to another file to rename");
	*ino = fs_control_id(FS_KIND_TYPE_NEW,
	    (atomic_fetch_add(&numbers, 1) + 1) & FS_NODE_MASK);
	set_target(out, parent & FS_NODE_MASK, name);
	return TF_OK;
}

const struct fs_tree fs_definition_tree = {
	.first = FS_KIND_TYPES,
	.last = FS_KIND_RECIPIENTS_VERSION,
	.final = false,
	.top = top,
	.is_dir = is_dir,
	.lookup = lookup,
	.parent = parent_of,
	.stat = stat_definition,
	.render = render,
	.list = list,
	.target = target,
	.create = create,
};
