/* trailctl log: the entries of the ledger, one per line. */
#include <getopt.h>
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
#define FOLLOW_S 1	     /* seconds between two reads of --follow */

struct log {
	/* Which entries to show. */
	bool json, follow;
	char since[TEXT_TIME_LEN + 1]; /* "" for all */
	const char *type, *trail;      /* NULL for all */
	const char *path;	       /* with what is below; NULL for all */
	int64_t uid;		       /* -1 for all */
	/* Where they are. */
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

static bool
is_wanted(const struct log *l, const struct tf_json_doc *d)
{
	char when[TEXT_TIME_LEN + 1];
	int t;

	if (l->since[0] != '\0') {
		(void)text_when(d, when);
		if (strcmp(when, l->since) < 0)
			return false;
	}
	if (l->type != NULL && !is(d, tf_json_get(d, 0, "type"), l->type))
		return false;
	if (l->trail != NULL &&
	    !is_below(d, tf_json_get(d, 0, "path"), l->trail))
		return false;
	if (l->path != NULL && !is_below(d, tf_json_get(d, 0, "path"), l->path))
		return false;
	if (l->uid >= 0) {
		t = tf_json_get(d, tf_json_get(d, 0, "actor"), "uid");
		if (t < 0 || d->tok[t].num != l->uid)
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
	char when[TEXT_TIME_LEN + 1];
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
		if (l->json) {
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

static bool
parse(struct log *l, int argc, char **argv, const char **arg)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "follow", no_argument, NULL, 'f' },
		{ "since", required_argument, NULL, 's' },
		{ "type", required_argument, NULL, 't' },
		{ "uid", required_argument, NULL, 'u' },
		{ "trail", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			l->json = true;
			break;
		case 'f':
			l->follow = true;
			break;
		case 's':
			if (!text_time(optarg, l->since)) {
				report_note("--since takes a time in UTC like "
					    "2026-11-23T07:50:00Z");
				return false;
			}
			break;
		case 't':
			l->type = optarg;
			break;
		case 'u':
			l->uid = strtoll(optarg, &end, 10);
			if (*optarg == '\0' || *end != '\0' || l->uid < 0) {
				report_note("--uid takes a number");
				return false;
			}
			break;
		case 'n':
			l->trail = optarg;
			break;
		default:
			cmd_usage();
			return false;
		}
	}
	if (argc - optind > 1) {
		cmd_usage();
		return false;
	}
	*arg = optind < argc ? argv[optind] : ".";
	return true;
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

	if (l->type != NULL && !tf_vault_knows_type(l->type))
		return tf_fail(err, TF_USAGE,
		    "no entry has the type %.60s: "
		    "trailfs-format(5) lists the types",
		    l->type);
	if (l->trail != NULL && strchr(l->trail, '/') != NULL)
		return tf_fail(err, TF_USAGE,
		    "--trail takes the name of a "
		    "trail; give a path as the last argument");
	if (l->trail != NULL &&
	    (rc = find_path(l, l->trail, err)) == TF_NOTFOUND)
		return tf_fail(err, rc, "no such trail: %.80s", l->trail);
	if (rc == TF_OK && strcmp(l->w.path, ".") != 0) {
		l->path = l->w.path;
		if ((rc = find_path(l, l->path, err)) == TF_NOTFOUND)
			return tf_fail(err, rc, "no such path: %.120s",
			    l->path);
	}
	return rc;
}

int
cmd_log(int argc, char **argv)
{
	struct log l = { .uid = -1 };
	struct tf_error err = { 0 };
	const char *arg;
	enum tf_code rc;

	if (!parse(&l, argc, argv, &arg))
		return REPORT_USAGE;
	rc = where_find(arg, &l.w, &err);
	if (rc == TF_OK && l.w.store != NULL)
		rc = where_open(&l.w, false, &l.v, &err);
	if (rc == TF_OK)
		rc = check_filters(&l, &err);
	while (rc == TF_OK) {
		rc = catch_up(&l, &err);
		if (!l.follow || rc != TF_OK || ferror(stdout))
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
