/* trailctl log: the entries of the ledger, one per line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "core/control.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define LINE_MAX_BYTES 65536 /* no entry is longer */
#define ANY_UID UINT64_MAX
#define FOLLOW_S 1 /* seconds between two reads of --follow */

static struct {
	bool json, follow;
	char since[TF_TIME_LEN + 1]; /* "" for all */
	struct args_list types;	     /* none: all */
	const char *trail;	     /* NULL for all */
	uint64_t uid;		     /* ANY_UID for all */
} ask = { .uid = ANY_UID };

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "follow",
	    .help = "continue with new entries until interrupted",
	    .flag = &ask.follow },
	{ .name = "since",
	    .value = "TIME",
	    .help = "only entries from TIME on (UTC)",
	    .time = ask.since },
	{ .name = "trail",
	    .value = "NAME",
	    .help = "only entries about this trail and below it",
	    .text = &ask.trail },
	{ .name = "type",
	    .value = "TYPE",
	    .help = "only entries of this type; may be repeated",
	    .list = &ask.types },
	{ .name = "uid",
	    .value = "NUMBER",
	    .help = "only entries that this user made",
	    .number = &ask.uid },
	{ 0 },
};

struct log {
	const char *path; /* show this and what is below it; NULL for all */
	struct where w;
	struct tf_vault *v; /* of a store; NULL in a mount */
	uint64_t off;	    /* bytes of events.jsonl read so far */
	struct tf_buf rest; /* read, after the last line end */
	uint64_t bad;	    /* lines that are not entries */
};

/* --- which entries ---------------------------------------------------- */

static bool
is(const struct tf_json_doc *d, int t, const char *want)
{
	struct tf_buf b = { 0 };
	bool same = t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK &&
	    b.n == strlen(want) && memcmp(b.p, want, b.n) == 0;

	tf_buf_free(&b);
	return same;
}

/* Is the path at token t at or below top? */
static bool
is_below(const struct tf_json_doc *d, int t, const char *top)
{
	size_t n = strlen(top);
	struct tf_buf b = { 0 };
	bool in = t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK &&
	    b.n >= n && memcmp(b.p, top, n) == 0 && (b.n == n || b.p[n] == '/');

	tf_buf_free(&b);
	return in;
}

/* Has the entry one of the types that were asked for? */
static bool
has_type(const struct tf_json_doc *d)
{
	const int t = tf_json_get(d, 0, "type");

	for (size_t i = 0; i < ask.types.n; i++)
		if (is(d, t, ask.types.v[i]))
			return true;
	return ask.types.n == 0;
}

static bool
is_wanted(const struct log *l, const struct tf_json_doc *d)
{
	char when[TF_TIME_LEN + 1];
	int t;

	if (ask.since[0] != '\0') {
		(void)text_when(d, when);
		if (strcmp(when, ask.since) < 0)
			return false;
	}
	if (!has_type(d))
		return false;
	if (ask.trail != NULL &&
	    !is_below(d, tf_json_get(d, 0, "path"), ask.trail))
		return false;
	if (l->path != NULL && !is_below(d, tf_json_get(d, 0, "path"), l->path))
		return false;
	if (ask.uid != ANY_UID) {
		t = tf_json_get(d, tf_json_get(d, 0, "actor"), "uid");
		if (t < 0 || d->tok[t].num != (int64_t)ask.uid)
			return false;
	}
	return true;
}

/* --- one entry -------------------------------------------------------- */

static void
add_field(struct tf_buf *out, const struct tf_json_doc *d, const char *key)
{
	int t = tf_json_get(d, 0, key);

	if (t >= 0)
		text_add_token(out, d, t);
}

static void
print_entry(const struct tf_json_doc *d)
{
	struct tf_buf seq = { 0 }, type = { 0 }, who = { 0 }, what = { 0 };
	int actor = tf_json_get(d, 0, "actor");
	char when[TF_TIME_LEN + 1];
	bool moved = text_when(d, when);

	add_field(&seq, d, "seq");
	add_field(&type, d, "type");
	if (actor >= 0)
		text_add_actor(&who, d, actor);
	else
		tf_buf_str(&who, "-"); /* an entry of the daemon itself */
	if (tf_json_get(d, 0, "path") >= 0)
		add_field(&what, d, "path");
	else if (tf_json_get(d, 0, "host") >= 0)
		add_field(&what, d, "host");
	else
		add_field(&what, d, "reason");
	/* Whole seconds.  '!' marks a time that is not the one by which the
	 * ledger is ordered. */
	printf("%6s  %.19sZ%c %-20s  %-18s  %s\n", text_of(&seq), when,
	    moved ? '!' : ' ', text_of(&type), text_of(&who), text_of(&what));
	tf_buf_free(&seq);
	tf_buf_free(&type);
	tf_buf_free(&who);
	tf_buf_free(&what);
}

static void
take_line(struct log *l, const char *p, size_t n)
{
	struct tf_json_doc d = { 0 };
	struct tf_error err = { 0 };

	/* A line that is not an entry is never shown as one. */
	if (tf_json_parse(&d, p, n, &err) != TF_OK) {
		report_note("a line before byte %llu is no entry: %s",
		    (unsigned long long)l->off, err.text);
		l->bad++;
	} else if (is_wanted(l, &d)) {
		if (ask.json) {
			fwrite(p, 1, n, stdout);
			putchar('\n');
		} else {
			print_entry(&d);
		}
	}
	tf_json_doc_free(&d);
}

/* --- all of them ------------------------------------------------------ */

static enum tf_code
take(struct log *l, const char *p, size_t n, struct tf_error *err)
{
	size_t done = 0;
	const char *end;

	l->off += n;
	tf_buf_add(&l->rest, p, n);
	if (l->rest.failed)
		return tf_nomem(err);
	while ((end = memchr(l->rest.p + done, '\n', l->rest.n - done)) !=
	    NULL) {
		take_line(l, l->rest.p + done,
		    (size_t)(end - l->rest.p) - done);
		done = (size_t)(end - l->rest.p) + 1;
	}
	memmove(l->rest.p, l->rest.p + done, l->rest.n - done);
	l->rest.n -= done;
	if (l->rest.n > LINE_MAX_BYTES)
		return tf_fail(err, TF_TAMPER,
		    "a line of the ledger is longer "
		    "than any entry");
	return TF_OK;
}

/* Show the entries after l->off. */
static enum tf_code
catch_up_mount(struct log *l, struct tf_error *err)
{
	char part[65536];
	enum tf_code rc;
	ssize_t n;
	int fd;

	if ((rc = where_control(&l->w, TF_CONTROL_EVENTS, &fd, err)) != TF_OK)
		return rc;
	while (rc == TF_OK &&
	    (n = pread(fd, part, sizeof(part), (off_t)l->off)) != 0) {
		if (n < 0)
			rc = report_system(err, "read the ledger");
		else
			rc = take(l, part, (size_t)n, err);
	}
	close(fd);
	return rc;
}

static enum tf_code
catch_up_store(struct log *l, struct tf_error *err)
{
	uint64_t entries, bytes;
	char part[65536];
	enum tf_code rc;
	size_t got;

	rc = tf_vault_size(l->v, &entries, &bytes, err);
	while (rc == TF_OK && l->off < bytes) {
		rc = tf_vault_events(l->v, entries, l->off, part, sizeof(part),
		    &got, err);
		if (rc == TF_OK && got == 0)
			break;
		if (rc == TF_OK)
			rc = take(l, part, got, err);
	}
	return rc;
}

static enum tf_code
catch_up(struct log *l, struct tf_error *err)
{
	enum tf_code rc;

	if (l->v != NULL)
		rc = catch_up_store(l, err);
	else
		rc = catch_up_mount(l, err);
	fflush(stdout);
	return rc;
}

/* --- what was asked for must exist ------------------------------------- */

/* TF_NOTFOUND: the vault has no such trail or path. */
static enum tf_code
find_path(struct log *l, const char *path, struct tf_error *err)
{
	struct tf_attr attr;
	enum tf_code rc = TF_OK;
	char *file = NULL;

	if (l->v != NULL) {
		rc = tf_vault_walk(l->v, path, &attr, err);
	} else if (asprintf(&file, "%s/%s", l->w.mount, path) < 0) {
		rc = tf_nomem(err);
	} else if (access(file, F_OK) < 0) {
		rc = report_system(err, "%s", path);
	}
	free(file);
	return rc;
}

/* An empty answer must mean "no such entry", never "no such name". */
static enum tf_code
check_filters(struct log *l, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; i < ask.types.n; i++)
		if (!tf_vault_knows_type(ask.types.v[i]))
			return tf_fail(err, TF_USAGE,
			    "no entry has the type %.60s: "
			    "trailfs-format(5) lists the types",
			    ask.types.v[i]);
	if (ask.trail != NULL && strchr(ask.trail, '/') != NULL)
		return tf_fail(err, TF_USAGE,
		    "--trail takes the name of a "
		    "trail; give a path as the last argument");
	if (ask.trail != NULL &&
	    (rc = find_path(l, ask.trail, err)) == TF_NOTFOUND)
		return tf_fail(err, rc, "no such trail: %.80s", ask.trail);
	if (rc == TF_OK && strcmp(l->w.path, ".") != 0) {
		l->path = l->w.path;
		if ((rc = find_path(l, l->path, err)) == TF_NOTFOUND)
			return tf_fail(err, rc, "no such path: %.120s",
			    l->path);
	}
	return rc;
}

static int
run(int n, char **arg)
{
	struct log l = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(n > 0 ? arg[0] : ".", &l.w, &err);

	if (rc == TF_OK && l.w.store != NULL)
		rc = where_open(&l.w, false, &l.v, &err);
	if (rc == TF_OK)
		rc = check_filters(&l, &err);
	while (rc == TF_OK) {
		rc = catch_up(&l, &err);
		if (!ask.follow || rc != TF_OK || ferror(stdout))
			break;
		sleep(FOLLOW_S);
	}
	if (rc == TF_OK && l.rest.n > 0)
		rc = tf_fail(&err, TF_TAMPER,
		    "the last line of the ledger is "
		    "not whole");
	where_close(l.v);
	tf_buf_free(&l.rest);
	where_free(&l.w);
	if (rc != TF_OK)
		return report(&err);
	return l.bad > 0 ? REPORT_TAMPERED : REPORT_OK;
}

const struct verb cmd_log = {
	.name = "log",
	.summary = "print the entries of the ledger",
	.usage = "[OPTION...] [STORE|PATH]",
	.options = options,
	.min = 0,
	.max = 1,
	.run = run,
};
