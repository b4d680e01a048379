/*
 * trailctl verify: read everything again and say of each link OK, FAILED or
 * ABSENT; never OK for what nobody looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "core/json.h"
#include "core/verify.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define FINDINGS_MAX 10000 /* told by name; all are counted */

struct finding {
	enum tf_link link;
	uint64_t seq;	   /* UINT64_MAX: of no entry */
	char *path, *text; /* safe to show; path may be "" */
};

struct check {
	struct tf_report report;
	struct finding *findings;
	size_t n, cap;
	bool no_memory;
	bool progress; /* a terminal watches */
	int percent;   /* shown last; -1: nothing is shown */
};

/* What this version has no input for, and so never checks. */
static const char *const absent[] = { "earlier checkpoint", "timestamp",
	"witness" };
#define ABSENTS (sizeof(absent) / sizeof(absent[0]))

static const char *
verdict_name(enum tf_verdict v)
{
	switch (v) {
	case TF_VERDICT_OK:
		return "OK";
	case TF_VERDICT_FAILED:
		return "FAILED";
	case TF_VERDICT_ABSENT:
		break;
	}
	return "ABSENT";
}

/* --- while it runs ---------------------------------------------------- */

static void
hide_progress(struct check *c)
{
	if (c->percent >= 0)
		fputs("\r\033[K", stderr);
	c->percent = -1;
}

static void
progress(void *arg, uint64_t done, uint64_t total)
{
	static const char full[] = "##############################";
	const int width = (int)sizeof(full) - 1;
	struct check *c = arg;
	int percent = 100;

	if (done < total)
		percent = (int)((double)done / (double)total * 100);
	if (!c->progress || percent == c->percent)
		return;
	c->percent = percent;
	fprintf(stderr, "\rverify  [%-*.*s] %3d %%", width,
	    percent * width / 100, full, percent);
	fflush(stderr);
}

static char *
safe_copy(const char *s)
{
	struct tf_buf b = { 0 };

	text_add(&b, s, strlen(s));
	(void)text_of(&b);
	if (b.failed) {
		tf_buf_free(&b);
		return NULL;
	}
	return b.p;
}

static void
found(void *arg, const struct tf_finding *f)
{
	struct check *c = arg;
	struct finding *more, *mine;
	size_t cap;

	if (c->n >= FINDINGS_MAX)
		return;
	if (c->n == c->cap) {
		cap = c->cap == 0 ? 16 : c->cap * 2;
		more = realloc(c->findings, cap * sizeof(*more));
		if (more == NULL) {
			c->no_memory = true;
			return;
		}
		c->findings = more;
		c->cap = cap;
	}
	mine = &c->findings[c->n];
	*mine = (struct finding){ .link = f->link,
		.seq = f->seq,
		.path = safe_copy(f->path),
		.text = safe_copy(f->text) };
	c->n++;
	if (mine->path == NULL || mine->text == NULL)
		c->no_memory = true;
}

static void
forget(struct check *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->findings[i].path);
		free(c->findings[i].text);
	}
	free(c->findings);
}

/* --- afterwards ------------------------------------------------------- */

/* What a link that is whole was found to be. */
static void
print_good(const struct tf_report *r, enum tf_link link)
{
	if (link == TF_LINK_CONTENTS) {
		printf("      %llu files, %llu bytes",
		    (unsigned long long)r->files, (unsigned long long)r->bytes);
	} else if (link == TF_LINK_ENTRIES) {
		printf("      %llu entries", (unsigned long long)r->entries);
	} else if (link == TF_LINK_TREE) {
		printf("      root ");
		for (size_t i = 0; i < sizeof(r->root.b); i++)
			printf("%02x", r->root.b[i]);
	} else if (link == TF_LINK_SIGNATURE && r->origin[0] != '\0') {
		printf("      of %s", r->origin);
	}
}

static void
print_finding(const struct finding *f)
{
	fputs("    ", stdout);
	if (f->seq != UINT64_MAX)
		printf("entry %llu, ", (unsigned long long)f->seq);
	if (f->path[0] != '\0')
		printf("%s: ", f->path);
	printf("%s\n", f->text);
}

static void
print_table(const struct check *c)
{
	for (int l = 0; l < TF_LINKS; l++) {
		printf("%-18s  %s", tf_link_name((enum tf_link)l),
		    verdict_name(c->report.link[l]));
		if (c->report.link[l] == TF_VERDICT_OK)
			print_good(&c->report, (enum tf_link)l);
		putchar('\n');
		for (size_t i = 0; i < c->n; i++) {
			if ((int)c->findings[i].link == l)
				print_finding(&c->findings[i]);
		}
	}
	for (size_t i = 0; i < ABSENTS; i++)
		printf("%-18s  ABSENT\n", absent[i]);
	if (c->report.findings > c->n)
		printf("and %llu more findings\n",
		    (unsigned long long)(c->report.findings - c->n));
}

static void
put_findings(struct tf_json *j, const struct check *c)
{
	tf_json_key(j, "findings");
	tf_json_array(j);
	for (size_t i = 0; i < c->n; i++) {
		const struct finding *f = &c->findings[i];

		tf_json_object(j);
		tf_json_key(j, "link");
		tf_json_cstr(j, tf_link_name(f->link));
		if (f->path[0] != '\0') {
			tf_json_key(j, "path");
			tf_json_cstr(j, f->path);
		}
		if (f->seq != UINT64_MAX) {
			tf_json_key(j, "seq");
			tf_json_int(j, (int64_t)f->seq);
		}
		tf_json_key(j, "text");
		tf_json_cstr(j, f->text[0] != '\0' ? f->text : "?");
		tf_json_object_end(j);
	}
	tf_json_array_end(j);
}

struct link_line {
	const char *name;
	enum tf_verdict verdict;
};

static int
by_name(const void *a, const void *b)
{
	const struct link_line *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void
put_links(struct tf_json *j, const struct check *c)
{
	struct link_line lines[TF_LINKS + ABSENTS];
	const size_t n = TF_LINKS + ABSENTS;

	for (size_t i = 0; i < TF_LINKS; i++) {
		lines[i].name = tf_link_name((enum tf_link)i);
		lines[i].verdict = c->report.link[i];
	}
	for (size_t i = 0; i < ABSENTS; i++) {
		lines[TF_LINKS + i].name = absent[i];
		lines[TF_LINKS + i].verdict = TF_VERDICT_ABSENT;
	}
	qsort(lines, n, sizeof(lines[0]), by_name);
	tf_json_key(j, "links");
	tf_json_object(j);
	for (size_t i = 0; i < n; i++) {
		tf_json_key(j, lines[i].name);
		tf_json_cstr(j, verdict_name(lines[i].verdict));
	}
	tf_json_object_end(j);
}

static enum tf_code
print_json(const struct check *c, struct tf_error *err)
{
	char root[2 * sizeof(c->report.root.b) + 1];
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	for (size_t i = 0; i < sizeof(c->report.root.b); i++)
		snprintf(root + 2 * i, 3, "%02x", c->report.root.b[i]);
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_json_key(&j, "bytes");
	tf_json_int(&j, (int64_t)c->report.bytes);
	tf_json_key(&j, "entries");
	tf_json_int(&j, (int64_t)c->report.entries);
	tf_json_key(&j, "files");
	tf_json_int(&j, (int64_t)c->report.files);
	if (c->n > 0)
		put_findings(&j, c);
	tf_json_key(&j, "found");
	tf_json_int(&j, (int64_t)c->report.findings);
	put_links(&j, c);
	if (c->report.origin[0] != '\0') {
		tf_json_key(&j, "origin");
		tf_json_cstr(&j, c->report.origin);
	}
	tf_json_key(&j, "root");
	tf_json_cstr(&j, root);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static int
status_of(const struct tf_report *r)
{
	int status = r->findings > 0 ? REPORT_TAMPERED : REPORT_OK;

	for (int l = 0; l < TF_LINKS; l++) {
		if (r->link[l] == TF_VERDICT_FAILED)
			return REPORT_TAMPERED;
		if (r->link[l] == TF_VERDICT_ABSENT && status == REPORT_OK)
			status = REPORT_DOUBT;
	}
	return status;
}

/* The store that arg names.  A broken one may not look like a store: what is
 * in no mount is taken as it is. */
static enum tf_code
find(const char *arg, char **store, struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(arg, &w, err);

	if (rc == TF_OK && w.mount != NULL) {
		rc = where_store(&w, store, err);
	} else if (rc == TF_OK || rc == TF_NOTFOUND) {
		*store = strdup(w.store != NULL ? w.store : arg);
		rc = TF_OK;
		if (*store == NULL)
			rc = tf_fail(err, TF_NOMEM, "no memory");
	}
	where_free(&w);
	return rc;
}

int
cmd_verify(int argc, char **argv)
{
	struct check c = { .percent = -1, .progress = isatty(STDERR_FILENO) };
	struct tf_error err = { 0 };
	char *store = NULL;
	const char *arg;
	enum tf_code rc;
	bool json;

	if (!cmd_parse(argc, argv, &json, &arg))
		return REPORT_USAGE;
	if (arg == NULL)
		return cmd_usage();
	if ((rc = find(arg, &store, &err)) != TF_OK)
		goto out;
	rc = tf_verify_store(store, &c.report, found, progress, &c, &err);
	hide_progress(&c);
	if (rc == TF_OK && c.no_memory)
		rc = tf_fail(&err, TF_NOMEM, "no memory for all findings");
	if (rc == TF_OK && json)
		rc = print_json(&c, &err);
	else if (rc == TF_OK)
		print_table(&c);
out:
	forget(&c);
	free(store);
	return rc == TF_OK ? status_of(&c.report) : report(&err);
}
