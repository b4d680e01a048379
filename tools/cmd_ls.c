/* trailctl ls: what is in a vault, trail, workflow or attestation, as a table. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "cmd.h"
#include "compliance.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "core/control.h"
#include "core/json.h"
#include "node.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define BATCH 64 /* names asked of the vault at a time */
#define DEPTH_MAX 64

static bool as_json;

static const struct args_option options[] = {
	ARGS_JSON(&as_json),
	{ 0 },
};

/* A name in the directory. */
struct item {
	char name[256];
	uint64_t id; /* of a store's node */
	enum tf_kind kind;
	uint64_t size;	/* of a file; of an attestation: of all its files */
	uint64_t files; /* of an attestation */
	struct tf_time mtime;
	struct tf_buf state, when, actor, sha256; /* attributes; may be empty */
	char verdict[24];			  /* "": none, or not known */
	/* Of a trail: workflows with each word.  Of a workflow: attestations,
	 * and how many are missing. */
	bool counted;
	uint64_t count[4];
};

struct ls {
	struct where w;
	struct tf_vault *v; /* of a store; NULL in a mount */
	enum tf_kind kind;  /* of the directory */
	struct item *item;
	size_t n;
};

/* --- names ----------------------------------------------------------------------- */

static struct item *
add_item(struct ls *l, const char *name)
{
	struct item *more = reallocarray(l->item, l->n + 1, sizeof(*more));

	if (more == NULL)
		return NULL;
	l->item = more;
	more += l->n++;
	*more = (struct item){ 0 };
	(void)snprintf(more->name, sizeof(more->name), "%s", name);
	return more;
}

/* "DIR/NAME"; the caller frees it. */
static char *
join(const char *dir, const char *name)
{
	char *path = NULL;

	if (strcmp(dir, ".") == 0)
		return strdup(name);
	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static enum tf_code
get_attribute(const char *path, const char *name, struct tf_buf *out,
    struct tf_error *err)
{
	char value[65536];
	ssize_t n = lgetxattr(path, name, value, sizeof(value));

	if (n >= 0)
		tf_buf_add(out, value, (size_t)n);
	else if (errno != ENODATA && errno != EOPNOTSUPP && errno != EACCES &&
	    errno != ENOENT)
		return report_system(err, "%s", path);
	return TF_OK;
}

/* Count the files below a directory of the mount, and their bytes.  What cannot
 * be read is left out. */
static void
count_files(const char *path, struct item *to, unsigned depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(path) : NULL;
	const struct dirent *e;
	struct stat st;
	char *below;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		below = join(path, e->d_name);
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

static enum tf_code
fill_mount(struct ls *l, struct item *i, struct tf_error *err)
{
	char *path = join(l->w.file, i->name);
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
		rc = get_attribute(path, TF_XATTR_STATE, &i->state, err);
	if (rc == TF_OK)
		rc = get_attribute(path, TF_XATTR_SEALED_AT, &i->when, err);
	if (rc == TF_OK)
		rc = get_attribute(path, TF_XATTR_ACTOR, &i->actor, err);
	if (rc == TF_OK)
		rc = get_attribute(path, TF_XATTR_SHA256, &i->sha256, err);
	free(path);
	return rc;
}

static enum tf_code
list_mount(struct ls *l, struct tf_error *err)
{
	DIR *d = opendir(l->w.file);
	const struct dirent *e;
	enum tf_code rc = TF_OK;

	if (d == NULL)
		return report_system(err, "%s", l->w.path);
	while (rc == TF_OK && (e = readdir(d)) != NULL) {
		struct item *i;

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

static enum tf_code
count_stored(struct ls *l, const struct tf_dirent *e, void *arg,
    struct tf_error *err)
{
	struct item *to = arg;

	if (e->attr.kind != TF_KIND_EVIDENCE)
		return each_child(l, e->attr.id, count_stored, to, err);
	to->files++;
	to->size += e->attr.size;
	return TF_OK;
}

static enum tf_code
get_stored(struct ls *l, const struct item *i, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc = tf_vault_xattr_get(l->v, i->id, name, out, err);

	return rc == TF_NODATA || rc == TF_UNSUPPORTED ? TF_OK : rc;
}

static enum tf_code
add_stored(struct ls *l, const struct tf_dirent *e, void *arg,
    struct tf_error *err)
{
	struct item *i = add_item(l, e->name);
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
		rc = tf_fail(err, TF_USAGE, "%s is a file: trailctl show",
		    l->w.path);
	if (rc == TF_OK)
		rc = each_child(l, a.id, add_stored, NULL, err);
	where_close(l->v);
	l->v = NULL;
	return rc;
}

/* --- verdicts ---------------------------------------------------------------------- */

static uint64_t
number(const struct tf_json_doc *d, int of, const char *key)
{
	int t = tf_json_get(d, of, key);

	return t >= 0 && d->tok[t].type == TF_JSON_INT && d->tok[t].num >= 0 ?
	    (uint64_t)d->tok[t].num :
	    0;
}

static struct item *
find_item(struct ls *l, struct tf_str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (tf_str_same(name, tf_str_of(l->item[i].name)))
			return &l->item[i];
	return NULL;
}

static void
set_verdict(struct item *i, struct tf_str word)
{
	(void)snprintf(i->verdict, sizeof(i->verdict), "%.*s", (int)word.n,
	    word.p);
}

/* A line of the status.json of a trail: one workflow. */
static void
take_workflow(struct ls *l, const struct tf_json_doc *d, struct item *trail)
{
	static const char *const words[] = { "COMPLIANT", "NON-COMPLIANT",
		"INCOMPLETE" };
	struct tf_str word = compliance_word(d, 0, "status");
	struct item *i;

	if (trail != NULL) {
		trail->count[0]++;
		for (int k = 0; k < 3; k++)
			if (tf_str_same(word, tf_str_of(words[k])))
				trail->count[k + 1]++;
		return;
	}
	if ((i = find_item(l, compliance_word(d, 0, "name"))) == NULL)
		return;
	set_verdict(i, word);
	i->counted = true;
	i->count[0] = number(d, 0, "attestations");
	i->count[1] = number(d, 0, "missing");
}

/* The attestations of the status.json of a workflow. */
static void
take_attestations(struct ls *l, const struct tf_json_doc *d)
{
	const int of = tf_json_get(d, 0, "compliance_status");
	const int list = tf_json_get(d, of, "attestations_statuses");
	char name[300];
	struct item *i;
	int is;

	for (uint32_t t = (uint32_t)list + 1;
	     list >= 0 && t < d->tok[list].next; t = d->tok[t].next) {
		struct tf_str base = compliance_word(d, (int)t,
		    "attestation_name");
		uint64_t version = number(d, (int)t, "version");

		if (base.p == NULL)
			continue;
		if (version > 1)
			(void)snprintf(name, sizeof(name), "%.*s@%llu",
			    (int)base.n, base.p, (unsigned long long)version);
		else
			(void)snprintf(name, sizeof(name), "%.*s", (int)base.n,
			    base.p);
		i = find_item(l, tf_str_of(name));
		is = tf_json_get(d, (int)t, "is_compliant");
		if (i != NULL && is >= 0 && d->tok[is].type == TF_JSON_BOOL)
			set_verdict(i,
			    tf_str_of(d->tok[is].num != 0 ? "compliant" :
							    "non-compliant"));
	}
}

/* Read status.json of w; it is about the items, or about the trail. */
static enum tf_code
read_status(struct ls *l, const struct where *w, struct item *trail,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	const char *p, *end;
	enum tf_code rc = compliance_read(w, &b, err);

	for (p = b.p; rc == TF_OK && p != NULL && p < b.p + b.n; p = end + 1) {
		struct tf_json_doc d = { 0 };

		end = memchr(p, '\n', (size_t)(b.p + b.n - p));
		if (end == NULL)
			break;
		rc = tf_json_parse_status(&d, p, (size_t)(end - p), err);
		if (rc == TF_OK && compliance_of_workflow(w))
			take_attestations(l, &d);
		else if (rc == TF_OK)
			take_workflow(l, &d, trail);
		tf_json_doc_free(&d);
	}
	tf_buf_free(&b);
	/* The list of names is of use without the verdicts. */
	if (rc == TF_ACCESS || rc == TF_NOTFOUND)
		rc = TF_OK;
	else if (rc == TF_OK && trail != NULL)
		trail->counted = true;
	return rc;
}

static enum tf_code
read_trail(struct ls *l, struct item *i, struct tf_error *err)
{
	struct where w = l->w;
	enum tf_code rc;

	w.path = join(l->w.path, i->name);
	w.file = l->w.file == NULL ? NULL : join(l->w.file, i->name);
	rc = w.path == NULL || (l->w.file != NULL && w.file == NULL) ?
	    tf_nomem(err) :
	    read_status(l, &w, i, err);
	free(w.path);
	free(w.file);
	return rc;
}

static enum tf_code
read_verdicts(struct ls *l, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (l->kind == TF_KIND_TRAIL || l->kind == TF_KIND_WORKFLOW)
		return read_status(l, &l->w, NULL, err);
	for (size_t i = 0; l->kind == TF_KIND_ROOT && rc == TF_OK && i < l->n;
	     i++)
		rc = read_trail(l, &l->item[i], err);
	return rc;
}

/* --- printing ----------------------------------------------------------------------- */

static const char *const root_counts[] = { "workflows", "compliant",
	"non_compliant", "incomplete" };

/* The time of the seal, else of the last change. */
static void
when_of(const struct item *i, char out[TF_TIME_LEN + 1])
{
	if (i->when.n == TF_TIME_LEN)
		(void)snprintf(out, TF_TIME_LEN + 1, "%.*s", TF_TIME_LEN,
		    i->when.p);
	else
		tf_time_text(i->mtime, out);
}

static void
put_text(struct tf_json *j, const char *key, const struct tf_buf *b)
{
	if (b->n > 0)
		tf_put_str(j, key, (struct tf_str){ b->p, b->n });
}

static void
put_count(struct tf_json *j, const struct ls *l, const struct item *i,
    const char *key)
{
	if (!i->counted)
		return;
	for (int k = 0; l->kind == TF_KIND_ROOT && k < 4; k++)
		if (strcmp(key, root_counts[k]) == 0)
			tf_put_uint(j, key, i->count[k]);
	if (l->kind == TF_KIND_TRAIL && strcmp(key, "attestations") == 0)
		tf_put_uint(j, key, i->count[0]);
	if (l->kind == TF_KIND_TRAIL && strcmp(key, "missing") == 0)
		tf_put_uint(j, key, i->count[1]);
}

static enum tf_code
print_json(const struct ls *l, const struct item *i, struct tf_error *err)
{
	const struct tf_str actor = { i->actor.n > 0 ? i->actor.p : NULL,
		i->actor.n };
	const bool file = i->kind == TF_KIND_EVIDENCE;
	char when[TF_TIME_LEN + 1];
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	when_of(i, when);
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_raw(&j, "actor", actor);
	put_count(&j, l, i, "attestations");
	put_count(&j, l, i, "compliant");
	if (i->kind == TF_KIND_ATTESTATION)
		tf_put_uint(&j, "files", i->files);
	put_count(&j, l, i, "incomplete");
	tf_put_cstr(&j, "kind", node_kind_name(i->kind));
	put_count(&j, l, i, "missing");
	tf_put_cstr(&j, "name", i->name);
	put_count(&j, l, i, "non_compliant");
	put_text(&j, "sha256", &i->sha256);
	if (file || i->kind == TF_KIND_ATTESTATION)
		tf_put_uint(&j, "size", i->size);
	put_text(&j, "state", &i->state);
	if (i->verdict[0] != '\0')
		tf_put_cstr(&j, "status", i->verdict);
	tf_put_cstr(&j, "when", when);
	put_count(&j, l, i, "workflows");
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static void
print_heading(const struct ls *l)
{
	static const char *const middle[] = {
		[TF_KIND_ROOT] = "WORKFLOWS  COMPLIANT  NON-COMPL.  INCOMPLETE",
		[TF_KIND_TRAIL] = "STATUS         ATTESTATIONS  MISSING",
		[TF_KIND_WORKFLOW] = "STATUS         FILES          SIZE",
	};

	printf("%-12s%-22s%-20s%s  NAME\n", "STATE", "WHEN", "WHO",
	    l->kind <= TF_KIND_WORKFLOW ? middle[l->kind] : "        SIZE");
}

/* A number, or "-" if it is not known. */
static void
print_count(const struct item *i, int k, int width)
{
	if (i->counted)
		printf("%*llu", width, (unsigned long long)i->count[k]);
	else
		printf("%*s", width, "-");
}

static void
print_middle(const struct ls *l, const struct item *i)
{
	const char *verdict = i->verdict[0] != '\0' ? i->verdict : "-";

	if (l->kind == TF_KIND_ROOT) {
		print_count(i, 0, 9);
		print_count(i, 1, 11);
		print_count(i, 2, 12);
		print_count(i, 3, 12);
	} else if (l->kind == TF_KIND_TRAIL) {
		printf("%-15s", verdict);
		print_count(i, 0, 12);
		print_count(i, 1, 9);
	} else if (l->kind == TF_KIND_WORKFLOW) {
		printf("%-15s%5llu  %12llu", verdict,
		    (unsigned long long)i->files, (unsigned long long)i->size);
	} else {
		printf("%12llu", (unsigned long long)i->size);
	}
}

static void
print_row(const struct ls *l, const struct item *i)
{
	struct tf_buf name = { 0 }, who = { 0 }, state = { 0 };
	struct tf_json_doc d = { 0 };
	char when[TF_TIME_LEN + 1];

	when_of(i, when);
	text_add(&state, i->state.p, i->state.n);
	text_add(&name, i->name, strlen(i->name));
	if (i->kind == TF_KIND_DIRECTORY)
		tf_buf_str(&name, "/");
	if (i->actor.n > 0 &&
	    tf_json_parse(&d, i->actor.p, i->actor.n, NULL) == TF_OK)
		text_add_actor(&who, &d, 0);
	else
		tf_buf_str(&who, "-");
	printf("%-12s%.19sZ  %-20s", text_of(&state), when, text_of(&who));
	print_middle(l, i);
	printf("  %s\n", text_of(&name));
	tf_json_doc_free(&d);
	tf_buf_free(&state);
	tf_buf_free(&name);
	tf_buf_free(&who);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name,
	    ((const struct item *)b)->name);
}

static void
ls_free(struct ls *l)
{
	for (size_t i = 0; i < l->n; i++) {
		tf_buf_free(&l->item[i].state);
		tf_buf_free(&l->item[i].when);
		tf_buf_free(&l->item[i].actor);
		tf_buf_free(&l->item[i].sha256);
	}
	free(l->item);
	where_free(&l->w);
}

static int
run(int n, char **arg)
{
	struct ls l = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(n > 0 ? arg[0] : ".", &l.w, &err);

	if (rc == TF_OK) {
		l.kind = node_kind_of_directory(l.w.path);
		rc = l.w.mount != NULL ? list_mount(&l, &err) :
					 list_store(&l, &err);
	}
	if (rc == TF_OK)
		rc = read_verdicts(&l, &err);
	if (l.n > 0)
		qsort(l.item, l.n, sizeof(*l.item), by_name);
	if (rc == TF_OK && !as_json && l.n > 0)
		print_heading(&l);
	for (size_t i = 0; rc == TF_OK && i < l.n; i++) {
		if (as_json)
			rc = print_json(&l, &l.item[i], &err);
		else
			print_row(&l, &l.item[i]);
	}
	ls_free(&l);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_ls = {
	.name = "ls",
	.summary = "print what is in a vault, trail, workflow or attestation",
	.usage = "[OPTION...] [STORE|PATH]",
	.options = options,
	.min = 0,
	.max = 1,
	.run = run,
};
