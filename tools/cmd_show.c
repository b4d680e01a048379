/*
 * trailctl show: everything that the vault has about one file or directory.
 *
 * In a mount the values are extended attributes, in a store the vault gives the
 * same ones, so both answers are equal. An attribute that is not there is left
 * out and is no error: a file that is not sealed yet has no digest. Nothing is
 * verified here; trailctl verify does that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "cmd.h"
#include "core/base/member.h"
#include "core/control.h"
#include "core/past.h"
#include "node.h"
#include "report.h"
#include "text.h"
#include "where.h"

/* The keys of --json, sorted; `shown` has the order for people. */
enum field {
	ACTOR,
	CLOCK,
	INDEX,
	BEHALF,
	PROVEN,
	SEALED_AT,
	SHA256,
	STATE,
	FIELDS
};
static const struct {
	const char *key, *label, *xattr;
	bool number;
} fields[FIELDS] = {
	[ACTOR] = { "actor", "actor", TF_XATTR_ACTOR, false },
	[CLOCK] = { "clock", "clock", TF_XATTR_CLOCK, false },
	[INDEX] = { "index", "entry", TF_XATTR_INDEX, true },
	[BEHALF] = { "onBehalfOf", "for", "user.trailfs.on-behalf-of", false },
	[PROVEN] = { "proven", "proven", TF_XATTR_PROVEN, true },
	[SEALED_AT] = { "sealedAt", "sealed at", TF_XATTR_SEALED_AT, false },
	[SHA256] = { "sha256", "sha256", TF_XATTR_SHA256, false },
	[STATE] = { "state", "state", TF_XATTR_STATE, false },
};

static bool as_json;
static const char *moment; /* or NULL */

static const struct args_option options[] = {
	{ .name = "at",
	    .value = "TIME|SIZE",
	    .help = "as the vault was at TIME (UTC) or with SIZE entries",
	    .moment = &moment },
	ARGS_JSON(&as_json),
	{ 0 },
};

struct shown {
	enum tf_kind kind;
	uint64_t size;		     /* of evidence, bytes */
	struct tf_buf field[FIELDS]; /* empty: absent */
};

/* The file that has the attributes of the path in a mount; NULL: no memory. */
static char *
file_to_ask(const struct where *w)
{
	char *file;

	if (moment == NULL)
		return strdup(w->file);
	if (asprintf(&file, "%s/" TF_CONTROL_DIR "/" TF_CONTROL_AT "/%s/%s",
		w->mount, moment, w->path) < 0)
		return NULL;
	return file;
}

/* lgetxattr(2): the path itself is asked about, and not what it links to. */
static enum tf_code
get_file(const struct where *w, const char *file, struct shown *s,
    struct tf_error *err)
{
	char value[65536];
	struct stat st;
	ssize_t n;

	if (lstat(file, &st) < 0 && errno == ENOENT && moment != NULL)
		return tf_fail(err, TF_NOTFOUND,
		    "%.100s: no such name at %.40s, or no such moment", w->path,
		    moment);
	if (lstat(file, &st) < 0)
		return report_system(err, "%s", w->path);
	s->kind = S_ISDIR(st.st_mode) ? node_kind_of_directory(w->path) :
					TF_KIND_EVIDENCE;
	s->size = (uint64_t)st.st_size;
	for (int i = 0; i < FIELDS; i++) {
		n = lgetxattr(file, fields[i].xattr, value, sizeof(value));
		if (n >= 0)
			tf_buf_add(&s->field[i], value, (size_t)n);
		else if (errno == EACCES)
			return where_denied(file, err);
		else if (errno != ENODATA && errno != EOPNOTSUPP)
			return report_system(err, "%s of %s", fields[i].label,
			    w->path);
	}
	return TF_OK;
}

static enum tf_code
get_mount(const struct where *w, struct shown *s, struct tf_error *err)
{
	char *file = file_to_ask(w);
	enum tf_code rc = file == NULL ? tf_nomem(err) :
					 get_file(w, file, s, err);

	free(file);
	return rc;
}

/* The same attributes, by the same names. */
static enum tf_code
get_store(const struct where *w, struct shown *s, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_attr attr;
	uint64_t size = 0;
	enum tf_code rc;

	if ((rc = where_open(w, false, &v, err)) != TF_OK)
		return rc;
	if (moment != NULL)
		rc = tf_past_size(v, moment, &size, err);
	if (rc == TF_OK)
		rc = moment != NULL ?
		    tf_past_walk(v, size, w->path, &attr, err) :
		    tf_vault_walk(v, w->path, &attr, err);
	if (rc != TF_OK)
		goto out;
	s->kind = attr.kind;
	s->size = attr.size;
	for (int i = 0; i < FIELDS; i++) {
		rc = moment != NULL ? tf_past_xattr(v, size, attr.id,
					  fields[i].xattr, &s->field[i], err) :
				      tf_vault_xattr_get(v, attr.id,
					  fields[i].xattr, &s->field[i], err);
		if (rc == TF_NODATA || rc == TF_UNSUPPORTED)
			rc = TF_OK;
		if (rc != TF_OK)
			goto out;
	}
out:
	where_close(v);
	return rc;
}

/* Short enough for the numbers of canonical JSON. */
static bool
is_number(const struct tf_buf *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->p[i] < '0' || b->p[i] > '9')
			return false;
	}
	return b->n > 0 && b->n < 16;
}

/* Write a field as JSON: a number, an object or a string. */
static void
put_field(struct tf_json *j, const struct tf_buf *b, bool number)
{
	struct tf_str raw = { b->p, b->n };
	struct tf_json_doc d;
	struct tf_buf safe = { 0 };
	enum tf_code rc;

	if (number && is_number(b)) {
		/* It has digits only: is_number(). */
		tf_json_int(j, (int64_t)strtoll(b->p, NULL, 10));
		return;
	}
	rc = tf_json_parse(&d, raw.p, raw.n, NULL);
	tf_json_doc_free(&d);
	if (rc == TF_OK) {
		tf_json_raw(j, raw);
	} else {
		j->out->failed = j->out->failed || rc == TF_NOMEM;
		text_add(&safe, raw.p, raw.n);
		tf_json_buf(j, &safe);
		tf_buf_free(&safe);
	}
}

/* Members in the order of their names. */
static enum tf_code
print_json(const struct where *w, struct shown *s, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	for (int i = 0; i < FIELDS; i++) {
		/* These three keys sort between the others. */
		if (i == BEHALF)
			tf_put_cstr(&j, "kind", node_kind_name(s->kind));
		if (i == PROVEN)
			tf_put_cstr(&j, "path", w->path);
		if (i == STATE && s->kind == TF_KIND_EVIDENCE) {
			tf_put_uint(&j, "size", s->size);
		}
		if (s->field[i].n == 0)
			continue;
		tf_json_key(&j, fields[i].key);
		put_field(&j, &s->field[i], fields[i].number);
	}
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/* Values come from the vault: make them safe for a terminal. */
static void
print_field(const char *label, const char *p, size_t n)
{
	struct tf_buf b = { 0 };

	text_add(&b, p, n);
	printf("%-10s  %s\n", label, text_of(&b));
	tf_buf_free(&b);
}

/* The time by the clock; if the ledger is ordered by another time, both. */
static void
print_time(const struct tf_buf *clock, const struct tf_buf *at)
{
	struct tf_buf b = { 0 };

	if (clock->n == 0) {
		print_field(fields[SEALED_AT].label, at->p, at->n);
		return;
	}
	tf_buf_add(&b, clock->p, clock->n);
	tf_buf_str(&b, " by the clock; its place in the ledger is ");
	tf_buf_add(&b, at->p, at->n);
	if (!b.failed)
		print_field(fields[SEALED_AT].label, b.p, b.n);
	tf_buf_free(&b);
}

/* What writers say is shown as what they say, and never as who it was. */
static void
print_behalf(const struct tf_buf *b)
{
	struct tf_buf text = { 0 };

	text_add(&text, b->p, b->n);
	printf("%-10s  %s (claimed)\n", fields[BEHALF].label, text_of(&text));
	tf_buf_free(&text);
}

/* How far a file is entered while it grows, or where the doubt about it begins. */
static void
print_proven(struct shown *s)
{
	struct tf_buf *b = &s->field[PROVEN], *state = &s->field[STATE];
	const char *what = "";

	if (b->n == 0 || !is_number(b))
		return;
	if (strcmp(text_of(state), "open") == 0)
		what = ", while it grows";
	else if (strcmp(text_of(state), "sealed") == 0)
		what = "; the tail is in doubt";
	printf("%-10s  to byte %s%s\n", fields[PROVEN].label, text_of(b), what);
}

/* In the order of use; the actor is a name and not JSON. */
static void
print_table(const struct where *w, struct shown *s)
{
	static const enum field order[] = { STATE, SHA256, INDEX, SEALED_AT };
	const struct tf_buf *actor = &s->field[ACTOR];
	struct tf_json_doc d = { 0 };
	struct tf_buf who = { 0 };

	print_field("path", w->path, strlen(w->path));
	printf("%-10s  %s\n", "kind", node_kind_name(s->kind));
	if (s->kind == TF_KIND_EVIDENCE)
		printf("%-10s  %llu bytes\n", "size",
		    (unsigned long long)s->size);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const struct tf_buf *b = &s->field[order[i]];

		if (b->n > 0 && order[i] == SEALED_AT)
			print_time(&s->field[CLOCK], b);
		else if (b->n > 0)
			print_field(fields[order[i]].label, b->p, b->n);
	}
	print_proven(s);
	if (actor->n > 0 &&
	    tf_json_parse(&d, actor->p, actor->n, NULL) == TF_OK) {
		text_add_actor(&who, &d, 0);
		printf("%-10s  %s\n", fields[ACTOR].label, text_of(&who));
	} else if (actor->n > 0) {
		print_field(fields[ACTOR].label, actor->p, actor->n);
	}
	if (s->field[BEHALF].n > 0)
		print_behalf(&s->field[BEHALF]);
	tf_json_doc_free(&d);
	tf_buf_free(&who);
}

static int
run(int n, char **arg)
{
	struct shown s = { 0 };
	struct where w = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(arg[0], &w, &err);

	(void)n;
	if (rc == TF_OK && w.mount != NULL)
		rc = get_mount(&w, &s, &err);
	else if (rc == TF_OK)
		rc = get_store(&w, &s, &err);
	if (rc == TF_OK && as_json)
		rc = print_json(&w, &s, &err);
	else if (rc == TF_OK)
		print_table(&w, &s);
	for (int i = 0; i < FIELDS; i++)
		tf_buf_free(&s.field[i]);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_show = {
	.name = "show",
	.summary = "print what the vault knows about a file or directory",
	.usage = "[OPTION...] PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
