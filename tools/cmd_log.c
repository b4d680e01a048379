/*
 * trailctl log: the entries of the ledger, one per line.
 *
 * All filters are tested on each entry that is read (is_wanted()), so that what
 * is printed is what the ledger has. Some of them are about names and not about
 * entries: the type, the control and the status of an attestation, and the user
 * for whom it was made. A search is asked for these names first, and an entry
 * about one of them is wanted; so log and find agree. An empty answer must mean
 * that there is no such entry, so values of filters are looked up first: a trail,
 * a path, a user, a type or a control that nobody knows is an error.
 *
 * Lines for people begin with the newest entry and go through a pager; JSON has
 * the order of the ledger, since programs read it as a stream. For the newest N
 * entries in the order of the ledger, one walk backward finds where they begin
 * and one forward prints them, so that memory does not grow with N.
 *
 * Exit status 4 if a line is no entry: it is shown as malformed, never hidden,
 * and the list goes on.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "core/find.h"
#include "damage.h"
#include "entry_match.h"
#include "found_names.h"
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
	/* NULL for all */
	const char *trail, *name, *user, *control, *attestation_type, *status;
	uint64_t uid;	/* ANY_UID for all */
	uint64_t limit; /* NO_LIMIT without one */
} ask = { .uid = ANY_UID, .limit = NO_LIMIT };

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "annotation",
	    .value = "KEY=VALUE",
	    .help = "only entries with this claim; may be repeated",
	    .list = &ask.annotations },
	{ .name = "attestation-type",
	    .value = "TYPE",
	    .help = "only about attestations of this type",
	    .text = &ask.attestation_type },
	{ .name = "control",
	    .value = "ID",
	    .help = "only about attestations about this control",
	    .text = &ask.control },
	{ .name = "follow",
	    .letter = 'f',
	    .help = "print new entries until interrupted",
	    .flag = &ask.follow },
	{ .name = "limit",
	    .letter = 'n',
	    .value = "NUMBER",
	    .help = "only so many entries, the newest; 0: all",
	    .number = &ask.limit },
	{ .name = "name",
	    .value = "GLOB",
	    .help = "only entries about this name, or with /: path",
	    .text = &ask.name },
	{ .name = "reverse",
	    .help = "in the other order",
	    .flag = &ask.reverse },
	{ .name = "since",
	    .letter = 'S',
	    .value = "TIME",
	    .help = "only entries from TIME on (UTC)",
	    .time = ask.since },
	{ .name = "status",
	    .value = "WORD",
	    .word = tf_find_status,
	    .help = "only about names of this status, as in find",
	    .text = &ask.status },
	{ .name = "trail",
	    .value = "NAME",
	    .help = "only entries about this trail and below it",
	    .text = &ask.trail },
	{ .name = "type",
	    .letter = 't',
	    .value = "TYPE",
	    .word = tf_vault_type,
	    .help = "only entries of this type; may be repeated",
	    .list = &ask.types },
	{ .name = "uid",
	    .value = "NUMBER",
	    .help = "only entries that this user made",
	    .number = &ask.uid },
	{ .name = "until",
	    .letter = 'U',
	    .value = "TIME",
	    .help = "only entries until TIME (UTC)",
	    .time = ask.until },
	{ .name = "user",
	    .value = "NAME",
	    .help = "the same by name, or made on behalf of NAME",
	    .text = &ask.user },
	{ 0 },
};

struct log {
	struct lines l;
	const char *path; /* show this and what is below it; NULL for all */
	/* What has the attestation type, the control and the status; and what
	 * was made on behalf of the user. */
	struct found_names about, behalf;
	/* What has all annotations, for entries without their texts. */
	struct found_names annotated;
	uint64_t printed;
	uint64_t first; /* do not print earlier entries */
	uint64_t near;	/* the entry of the line before; or DAMAGE_NO_ENTRY */
	bool backward;	/* the walk */
	struct damage damage; /* lines that are not entries */
};

/* --- which entries ---------------------------------------------------- */

/* All of them, not one.  A search knows the texts that an entry does not have. */
static bool
has_annotations(const struct log *l, const struct tf_json_doc *d)
{
	bool apart = false;

	for (size_t i = 0; i < ask.annotations.n; i++) {
		const char *want = ask.annotations.v[i];
		const bool has = match_annotation(d, want);

		if (!has && !match_annotation_apart(d, want))
			return false;
		apart = apart || !has;
	}
	return !apart || found_names_have(&l->annotated, d);
}

/* By the time of the clock; times in this form sort as text. */
static bool
is_in_time(const struct tf_json_doc *d)
{
	char when[TF_TIME_LEN + 1];

	(void)text_when(d, 0, when);
	return (ask.since[0] == '\0' || strcmp(when, ask.since) >= 0) &&
	    (ask.until[0] == '\0' || strcmp(when, ask.until) <= 0);
}

/* Do filters ask about names, apart from the user? */
static bool
asks_about_names(void)
{
	return ask.attestation_type != NULL || ask.control != NULL ||
	    ask.status != NULL;
}

/* Every filter must agree. */
static bool
is_wanted(const struct log *l, const struct tf_json_doc *d)
{
	int t;

	if (!is_in_time(d) || !has_annotations(l, d) ||
	    (ask.name != NULL && !match_name(d, ask.name)) ||
	    (asks_about_names() && !found_names_have(&l->about, d)) ||
	    (ask.user != NULL && !match_user(d, ask.user) &&
		!found_names_have(&l->behalf, d)))
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

/* For whom it was recorded, as the writer claims. */
static void
add_behalf(struct tf_buf *out, const struct tf_json_doc *d)
{
	int t = tf_json_get(d, tf_json_get(d, 0, "claims"), "onBehalfOf");

	if (t < 0)
		return;
	tf_buf_str(out, "  for ");
	if (d->tok[t].type == TF_JSON_STRING)
		text_add_token(out, d, t);
	else
		tf_buf_str(out, "withheld");
	tf_buf_str(out, " (claimed)");
}

/* Which bytes of the file an entry evidence.grown is about. */
static void
add_part(struct tf_buf *out, const struct tf_json_doc *d)
{
	const int chunks = tf_json_get(d, 0, "chunks");
	const int from = tf_json_get(d, chunks, "from");
	const int to = tf_json_get(d, chunks, "to");

	if (from >= 0 && to >= 0 && d->tok[from].type == TF_JSON_INT &&
	    d->tok[to].type == TF_JSON_INT && d->tok[to].num > 0)
		tf_buf_printf(out, "  bytes %lld-%lld",
		    (long long)d->tok[from].num, (long long)d->tok[to].num - 1);
}

static void
print_entry(const struct tf_json_doc *d)
{
	struct tf_buf seq = { 0 }, type = { 0 }, who = { 0 }, what = { 0 };
	int actor = tf_json_get(d, 0, "actor");
	struct tf_buf when = { 0 };

	text_add_when(&when, d, 0);
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
	add_part(&what, d);
	add_behalf(&what, d);
	/* Whole seconds.  '!' marks a time that is not the one by which the
	 * ledger is ordered. */
	printf("%6s  %s %-20s  %-18s  %s%s\n", text_of(&seq), text_of(&when),
	    text_of(&type), text_of(&who), text_of(&what),
	    tf_json_get(d, 0, "imported") >= 0 ? "  imported" : "");
	tf_buf_free(&when);
	tf_buf_free(&seq);
	tf_buf_free(&type);
	tf_buf_free(&who);
	tf_buf_free(&what);
}

/* Say that entry seq cannot be read, in its place in the list and on stderr. It
 * is never shown as an entry, and ends no list. */
static void
print_malformed(struct log *l, uint64_t seq, const char *why)
{
	char text[256], number[24] = "?";

	if (seq != DAMAGE_NO_ENTRY) {
		(void)snprintf(number, sizeof(number), "%llu",
		    (unsigned long long)seq);
		(void)snprintf(text, sizeof(text), "entry %s is malformed: %s",
		    number, why);
	} else {
		(void)snprintf(text, sizeof(text), "a record is malformed: %s",
		    why);
	}
	damage_say(&l->damage, seq, text);
	if (!ask.json)
		printf("%6s  malformed record: %s\n", number, why);
}

/* The number of the entry in the next line, if that follows from the line
 * before; else DAMAGE_NO_ENTRY. */
static uint64_t
expected(const struct log *l)
{
	if (!lines_are_all(&l->l) || (l->backward && l->near == 0))
		return DAMAGE_NO_ENTRY;
	return l->near == DAMAGE_NO_ENTRY ? l->near :
	    l->backward			  ? l->near - 1 :
					    l->near + 1;
}

/* Find out whether the line is an entry, and the one that comes next; if not,
 * say so. */
static bool
is_whole(struct log *l, const struct tf_json_doc *d, const char *p, size_t n,
    struct tf_error *why)
{
	uint64_t next = expected(l), seq = next;
	bool whole = why->code == TF_OK;

	if (whole && lines_is_stand_in(d, &seq)) {
		print_malformed(l, seq, "it cannot be read");
		return false;
	}
	whole = whole && tf_vault_check_entry(p, n, why) != TF_INVALID;
	if (!whole) {
		print_malformed(l, next, why->text);
		l->near = next;
		return false;
	}
	(void)lines_seq(p, n, &seq);
	if (next != DAMAGE_NO_ENTRY &&
	    (l->backward ? seq > next : seq < next)) {
		print_malformed(l, next, "another entry is in its place");
		l->near = next;
		return false;
	}
	l->near = seq;
	return true;
}

/* Print a line that is wanted. A closed standard output ends the walk. */
static enum tf_code
take_line(void *arg, const char *p, size_t n, struct tf_error *err)
{
	struct log *l = arg;
	struct tf_json_doc d = { 0 };
	struct tf_error why = { 0 };

	(void)err;
	why.code = tf_json_parse(&d, p, n, &why);
	if (is_whole(l, &d, p, n, &why) && is_wanted(l, &d) &&
	    (l->first == 0 || l->near >= l->first)) {
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
	l->backward = !forward;
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
		rc = lines_now(&l->l, &p, err);
	while (rc == TF_OK) {
		rc = lines_look_from(&l->l, &p, err);
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
		*found = match_user(&d, ask.user);
	tf_json_doc_free(&d);
	return *found ? TF_NODATA : TF_OK;
}

/* Names that have the attestation type, the control and the status. */
static enum tf_code
find_about(struct log *l, struct find *f, struct tf_error *err)
{
	struct tf_buf query = { 0 };
	enum tf_code rc;

	find_add(&query, "type", ask.attestation_type);
	find_add(&query, "control", ask.control);
	find_add(&query, "status", ask.status);
	if ((rc = tf_buf_end(&query, err)) == TF_OK)
		rc = found_names_ask(&l->about, f, &query, err);
	if (rc == TF_OK && l->about.n == 0)
		rc = find_check_known(f, ask.attestation_type, ask.control,
		    err);
	tf_buf_free(&query);
	return rc;
}

/* Names that say for whom they were made. */
static enum tf_code
find_behalf(struct log *l, struct find *f, struct tf_error *err)
{
	struct tf_buf query = { 0 };
	enum tf_code rc;

	find_add(&query, "on_behalf_of", ask.user);
	if ((rc = tf_buf_end(&query, err)) == TF_OK)
		rc = found_names_ask(&l->behalf, f, &query, err);
	tf_buf_free(&query);
	return rc;
}

/* Names that have all annotations. */
static enum tf_code
find_annotated(struct log *l, struct find *f, struct tf_error *err)
{
	struct tf_buf query = { 0 };
	enum tf_code rc;

	for (size_t i = 0; i < ask.annotations.n; i++)
		find_add(&query, "annotation", ask.annotations.v[i]);
	if ((rc = tf_buf_end(&query, err)) == TF_OK)
		rc = found_names_ask(&l->annotated, f, &query, err);
	tf_buf_free(&query);
	return rc;
}

/* Ask for the names that the filters are about. When entries are followed, only
 * the entry counts that says for whom it is: a name cannot be asked about before
 * it is there. */
static enum tf_code
find_names(struct log *l, struct tf_error *err)
{
	const bool user = ask.user != NULL && !ask.follow;
	const bool noted = ask.annotations.n > 0 && !ask.follow;
	struct find f = { 0 };
	enum tf_code rc = TF_OK;

	if (asks_about_names() || user || noted)
		rc = find_open(&f, &l->l.w, l->l.v, err);
	if (rc == TF_OK && asks_about_names())
		rc = find_about(l, &f, err);
	if (rc == TF_OK && user)
		rc = find_behalf(l, &f, err);
	if (rc == TF_OK && noted)
		rc = find_annotated(l, &f, err);
	find_close(&f);
	return rc;
}

/* A user is known by the system or by the ledger. */
static enum tf_code
check_user(struct log *l, struct tf_error *err)
{
	bool found = false;
	enum tf_code rc;

	if (ask.user == NULL || l->behalf.n > 0 || getpwnam(ask.user) != NULL)
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
	for (size_t i = 0; i < ask.annotations.n; i++)
		if (strchr(ask.annotations.v[i], '=') == NULL)
			return tf_fail(err, TF_USAGE,
			    "--annotation takes KEY=VALUE");
	if (ask.limit == 0)
		ask.limit = NO_LIMIT;
	if (ask.follow && asks_about_names())
		return tf_fail(err, TF_USAGE,
		    "--attestation-type, --control and --status ask about the "
		    "present: not with --follow");
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
	/* A trail has a list of its own, also for those who may not read the
	 * whole ledger. */
	if (rc == TF_OK && ask.trail != NULL && l->path == NULL)
		rc = lines_narrow(&l->l, ask.trail, err);
	/* Who follows looks later, and asks here for a user only. */
	if (rc == TF_OK && (!ask.follow || ask.user != NULL))
		rc = lines_look(&l->l, err);
	/* After the look: the search knows all entries that it will show. */
	if (rc == TF_OK)
		rc = find_names(l, err);
	return rc == TF_OK ? check_user(l, err) : rc;
}

static int
run(int n, char **arg)
{
	struct log l = { .near = DAMAGE_NO_ENTRY };
	struct tf_error err = { 0 };
	enum tf_code rc = check_options(&err);

	if (rc != TF_OK)
		return report(&err);
	rc = lines_open(&l.l, n > 0 ? arg[0] : ".", &err);
	lines_gather(&l.l);
	if (rc == TF_OK)
		rc = check_filters(&l, &err);
	if (rc == TF_OK)
		rc = ask.follow ? follow(&l, &err) : print_now(&l, &err);
	lines_close(&l.l);
	found_names_free(&l.about);
	found_names_free(&l.behalf);
	found_names_free(&l.annotated);
	if (rc != TF_OK)
		return report(&err);
	return damage_exit(&l.damage, REPORT_OK);
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
