/*
 * trailctl log: the entries of the ledger, one per line.
 *
 * All filters are tested on each entry that is read (is_wanted()); there is no
 * index here, so that what is printed is what the ledger has. An empty answer
 * must mean that there is no such entry, so names in the filters are looked up
 * first: a trail, a path or a user that nobody knows is an error.
 *
 * Lines for people begin with the newest entry and go through a pager; JSON has
 * the order of the ledger, since programs read it as a stream. For the newest N
 * entries in the order of the ledger, one walk backward finds where they begin
 * and one forward prints them, so that memory does not grow with N.
 *
 * Exit status 1 if a line is no entry: it is shown as malformed, never hidden,
 * and the list goes on.
 */
#include <fnmatch.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "entry_match.h"
#include "ledger_lines.h"
#include "pager.h"
#include "report.h"
#include "text.h"

#define ANY_UID UINT64_MAX
#define NO_LIMIT UINT64_MAX

static struct {
	bool json, follow, reverse;
	char since[TF_TIME_LEN + 1], until[TF_TIME_LEN + 1]; /* "" for all */
	struct args_list types, annotations;		     /* none: all */
	const char *trail, *name, *user, *control;	     /* NULL for all */
	uint64_t uid;	/* ANY_UID for all */
	uint64_t limit; /* NO_LIMIT without one */
} ask = { .uid = ANY_UID, .limit = NO_LIMIT };

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "annotation",
	    .value = "KEY=VALUE",
	    .help = "only entries with this claim; may be repeated",
	    .list = &ask.annotations },
	{ .name = "control",
	    .value = "ID",
	    .help = "only entries that claim this control",
	    .text = &ask.control },
	{ .name = "follow",
	    .help = "print new entries until interrupted",
	    .flag = &ask.follow },
	{ .name = "limit",
	    .value = "NUMBER",
	    .help = "only so many entries, the newest",
	    .number = &ask.limit },
	{ .name = "name",
	    .value = "GLOB",
	    .help = "only entries about this name, or with /: path",
	    .text = &ask.name },
	{ .name = "reverse",
	    .help = "in the other order",
	    .flag = &ask.reverse },
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
	{ .name = "until",
	    .value = "TIME",
	    .help = "only entries until TIME (UTC)",
	    .time = ask.until },
	{ .name = "user",
	    .value = "NAME",
	    .help = "the same by name, or on behalf of NAME",
	    .text = &ask.user },
	{ 0 },
};

struct log {
	struct lines l;
	const char *path; /* show this and what is below it; NULL for all */
	uint64_t printed;
	uint64_t first; /* do not print earlier entries */
	uint64_t bad;	/* lines that are not entries */
};

/* --- which entries ---------------------------------------------------- */

/*
 * KEY=VALUE as the user gave it; check_options() has refused one without '='.
 */
static bool
has_annotation(const struct tf_json_doc *d, int claims, const char *want)
{
	const char *value = strchr(want, '=');
	char key[256];

	if (value == NULL)
		return false;
	(void)snprintf(key, sizeof(key), "%.*s", (int)(value - want), want);
	return match_string(d,
	    tf_json_get(d, tf_json_get(d, claims, "annotations"), key),
	    value + 1);
}

/* All of --control and --annotation, not one of them. */
static bool
has_claims(const struct tf_json_doc *d)
{
	const int claims = tf_json_get(d, 0, "claims");

	if (ask.control != NULL &&
	    !match_string(d, tf_json_get(d, claims, "control"), ask.control))
		return false;
	for (size_t i = 0; i < ask.annotations.n; i++)
		if (!has_annotation(d, claims, ask.annotations.v[i]))
			return false;
	return true;
}

/* Does the entry name the user as its actor, or as the one for whom it was
 * made? */
static bool
has_user(const struct tf_json_doc *d, const char *user)
{
	const int notes = tf_json_get(d, tf_json_get(d, 0, "claims"),
	    "annotations");

	return match_string(d,
		   tf_json_get(d, tf_json_get(d, 0, "actor"), "user"), user) ||
	    match_string(d, tf_json_get(d, notes, "on_behalf_of"), user);
}

/*
 * A pattern with a slash is for the whole path, one without for the last name.
 */
static bool
has_name(const struct tf_json_doc *d)
{
	const int t = tf_json_get(d, 0, "path");
	struct tf_buf b = { 0 };
	const char *path, *last;
	bool whole = strchr(ask.name, '/') != NULL, has = false;

	if (t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK) {
		path = text_of(&b);
		last = strrchr(path, '/');
		has = fnmatch(ask.name, whole || last == NULL ? path : last + 1,
			  whole ? FNM_PATHNAME : 0) == 0;
	}
	tf_buf_free(&b);
	return has;
}

/* By the time of the clock; times in this form sort as text. */
static bool
is_in_time(const struct tf_json_doc *d)
{
	char when[TF_TIME_LEN + 1];

	(void)text_when(d, when);
	return (ask.since[0] == '\0' || strcmp(when, ask.since) >= 0) &&
	    (ask.until[0] == '\0' || strcmp(when, ask.until) <= 0);
}

/* Every filter must agree. */
static bool
is_wanted(const struct log *l, const struct tf_json_doc *d)
{
	int t;

	if (!is_in_time(d) || !has_claims(d) ||
	    (ask.name != NULL && !has_name(d)) ||
	    (ask.user != NULL && !has_user(d, ask.user)))
		return false;
	if (!match_type(d, &ask.types))
		return false;
	if (ask.trail != NULL && !match_below(d, ask.trail))
		return false;
	if (l->path != NULL && !match_below(d, l->path))
		return false;
	if (ask.uid != ANY_UID) {
		t = tf_json_get(d, tf_json_get(d, 0, "actor"), "uid");
		if (t < 0 || d->tok[t].num != (int64_t)ask.uid)
			return false;
	}
	return true;
}

/* --- one entry -------------------------------------------------------- */

/* Append a member that is safe to show, or nothing. */
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

/* A line that is not an entry is never shown as one, and ends no list. */
static void
print_malformed(struct log *l, const struct tf_error *why)
{
	l->bad++;
	if (ask.json)
		report_note("a record is malformed: %s", why->text);
	else
		printf("%6s  malformed record: %s\n", "?", why->text);
}

/* Print a line that is wanted. A closed standard output ends the walk. */
static enum tf_code
take_line(void *arg, const char *p, size_t n, struct tf_error *err)
{
	struct log *l = arg;
	struct tf_json_doc d = { 0 };
	struct tf_error why = { 0 };
	uint64_t seq;

	(void)err;
	if (tf_json_parse(&d, p, n, &why) != TF_OK) {
		print_malformed(l, &why);
	} else if (is_wanted(l, &d) &&
	    (l->first == 0 || (lines_seq(p, n, &seq) && seq >= l->first))) {
		l->printed++;
		if (ask.json) {
			fwrite(p, 1, n, stdout);
			putchar('\n');
		} else {
			print_entry(&d);
		}
	}
	tf_json_doc_free(&d);
	return ferror(stdout) ? TF_NODATA : TF_OK;
}

/* For a walk backward: stop after the newest `limit` entries. */
static enum tf_code
take_newest(void *arg, const char *p, size_t n, struct tf_error *err)
{
	struct log *l = arg;

	if (l->printed == ask.limit)
		return TF_NODATA;
	return take_line(l, p, n, err);
}

/* Count down to the first entry of the newest ones. */
static enum tf_code
count_newest(void *arg, const char *p, size_t n, struct tf_error *err)
{
	struct log *l = arg;
	struct tf_json_doc d = { 0 };

	(void)err;
	if (tf_json_parse(&d, p, n, NULL) == TF_OK && is_wanted(l, &d) &&
	    lines_seq(p, n, &l->first))
		l->printed++;
	tf_json_doc_free(&d);
	return l->printed == ask.limit ? TF_NODATA : TF_OK;
}

/* --- all of them ------------------------------------------------------ */

/* With fewer entries than the limit, all of them are printed. */
static enum tf_code
print_forward(struct log *l, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (ask.limit == 0)
		return TF_OK;
	if (ask.limit != NO_LIMIT)
		rc = lines_backward(&l->l, count_newest, l, err);
	if (ask.limit != NO_LIMIT && l->printed < ask.limit)
		l->first = 0;
	l->printed = 0;
	return rc == TF_OK ? lines_forward(&l->l, 0, take_line, l, err) : rc;
}

/* Print what is there.  Lines for people begin with the newest; JSON has the
 * order of the ledger. */
static enum tf_code
print_now(struct log *l, struct tf_error *err)
{
	const bool forward = ask.json != ask.reverse;
	enum tf_code rc = TF_OK;

	if (!ask.json)
		pager_begin();
	if (forward)
		rc = print_forward(l, err);
	else
		rc = lines_backward(&l->l, take_newest, l, err);
	pager_end();
	return rc;
}

/* Begin with now, or at --since. The place survives a remount (ledger_lines.h).
 * Each round is flushed, as a reader at a pipe waits for it. */
static enum tf_code
follow(struct log *l, struct tf_error *err)
{
	struct lines_place p = { 0 };
	bool gone = false;
	enum tf_code rc = TF_OK;

	if (ask.since[0] == '\0')
		rc = lines_end(&l->l, &p, err);
	while (rc == TF_OK) {
		rc = lines_look(&l->l, err);
		if (rc == TF_OK)
			rc = lines_continue(&l->l, &p, take_line, l, err);
		fflush(stdout);
		if (ferror(stdout))
			break;
		rc = lines_wait(&l->l, rc, &gone, err);
	}
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

	if (l->l.v != NULL) {
		rc = tf_vault_walk(l->l.v, path, &attr, err);
	} else if (asprintf(&file, "%s/%s", l->l.w.mount, path) < 0) {
		rc = tf_nomem(err);
	} else if (access(file, F_OK) < 0) {
		rc = report_system(err, "%s", path);
	}
	free(file);
	return rc;
}

/* Stop at the first entry of the user. */
static enum tf_code
note_user(void *arg, const char *p, size_t n, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	bool *found = arg;

	(void)err;
	if (tf_json_parse(&d, p, n, NULL) == TF_OK)
		*found = has_user(&d, ask.user);
	tf_json_doc_free(&d);
	return *found ? TF_NODATA : TF_OK;
}

/* A user is known by the system or by the ledger. */
static enum tf_code
check_user(struct log *l, struct tf_error *err)
{
	bool found = false;
	enum tf_code rc;

	if (ask.user == NULL || getpwnam(ask.user) != NULL)
		return TF_OK;
	rc = lines_backward(&l->l, note_user, &found, err);
	if (rc == TF_OK && !found)
		rc = tf_fail(err, TF_USAGE,
		    "no entry and no account has the user %.60s", ask.user);
	return rc;
}

/* What a table of options cannot say. */
static enum tf_code
check_options(struct tf_error *err)
{
	enum tf_code rc = match_check_types(&ask.types, err);

	if (rc != TF_OK)
		return rc;
	for (size_t i = 0; i < ask.annotations.n; i++)
		if (strchr(ask.annotations.v[i], '=') == NULL)
			return tf_fail(err, TF_USAGE,
			    "--annotation takes KEY=VALUE");
	if (ask.follow &&
	    (ask.reverse || ask.limit != NO_LIMIT || ask.until[0] != '\0'))
		return tf_fail(err, TF_USAGE,
		    "--follow has no end: not with --limit, --reverse, "
		    "--until");
	if (ask.trail != NULL && strchr(ask.trail, '/') != NULL)
		return tf_fail(err, TF_USAGE,
		    "--trail takes the name of a "
		    "trail; give a path as the last argument");
	return TF_OK;
}

/* An empty answer must mean "no such entry", never "no such name". */
static enum tf_code
check_filters(struct log *l, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (ask.trail != NULL &&
	    (rc = find_path(l, ask.trail, err)) == TF_NOTFOUND)
		return tf_fail(err, TF_USAGE, "no such trail: %.80s",
		    ask.trail);
	if (rc == TF_OK && strcmp(l->l.w.path, ".") != 0) {
		l->path = l->l.w.path;
		if ((rc = find_path(l, l->path, err)) == TF_NOTFOUND)
			return tf_fail(err, rc, "no such path: %.120s",
			    l->path);
	}
	if (rc == TF_OK)
		rc = lines_look(&l->l, err);
	return rc == TF_OK ? check_user(l, err) : rc;
}

static int
run(int n, char **arg)
{
	struct log l = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = check_options(&err);

	if (rc != TF_OK)
		return report(&err);
	rc = lines_open(&l.l, n > 0 ? arg[0] : ".", &err);
	if (rc == TF_OK)
		rc = check_filters(&l, &err);
	if (rc == TF_OK)
		rc = ask.follow ? follow(&l, &err) : print_now(&l, &err);
	lines_close(&l.l);
	if (rc != TF_OK)
		return report(&err);
	return l.bad > 0 ? REPORT_FINDING : REPORT_OK;
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
