/*
 * trailctl compare: whether two ledgers are one, one is the beginning of the
 * other, or where they forked.
 *
 * Each side is verified as trailctl verify does it, so nothing is compared that
 * was not checked; missing and altered evidence is found there. Then the leaves
 * and roots are compared (core/compare.h). A log or a package without --vkey is
 * checked with the key of the store on the other side.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "compare_findings.h"
#include "compare_records.h"
#include "copies.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "core/compare.h"
#include "core/copies.h"
#include "core/org.h"
#include "files.h"
#include "keyring.h"
#include "report.h"
#include "target.h"
#include "text.h"
#include "verdict.h"

#define NOTE_MAX ((size_t)1 << 16)

static struct {
	bool json, quiet;
	const char *vkey, *records; /* or NULL */
	struct copies_wish copies;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	ARGS_QUIET(&ask.quiet),
	COPIES_OPTIONS(ask.copies),
	{ .name = "records",
	    .value = "DIRECTORY",
	    .help = "compare these records of another system with a trail",
	    .text = &ask.records },
	{ .name = "vkey",
	    .letter = 'k',
	    .value = "KEY",
	    .help = "the public key of both logs, or a file with it",
	    .text = &ask.vkey },
	{ 0 },
};

struct side {
	const char *name; /* as the caller wrote it */
	bool note;	  /* a saved checkpoint */
	struct target t;
	struct check c;
	struct tf_leaf_list *leaves;
	uint64_t want; /* the entry to copy; UINT64_MAX: none */
	struct tf_buf entry;
	struct tf_buf keys; /* that it was checked with */
};

/* --- the sides --------------------------------------------------------------- */

static enum tf_code
take_entry(void *arg, uint64_t seq, const void *body, size_t n,
    struct tf_error *err)
{
	struct side *s = arg;

	return tf_leaf_list_add(s->leaves, seq, body, n, err);
}

/* The second time only one entry is of interest. */
static enum tf_code
copy_entry(void *arg, uint64_t seq, const void *body, size_t n,
    struct tf_error *err)
{
	struct side *s = arg;

	if (seq < s->want)
		return TF_OK;
	if (seq == s->want)
		tf_buf_add(&s->entry, body, n);
	return tf_fail(err, TF_INTERRUPTED, "it is found");
}

static void
found(void *arg, const struct tf_finding *f)
{
	check_found(&((struct side *)arg)->c, f);
}

static void
progress(void *arg, uint64_t done, uint64_t total)
{
	check_progress(&((struct side *)arg)->c, done, total);
}

static enum tf_code
verify(struct side *s, const char *vkey, struct tf_error *err)
{
	struct tf_verify v = { .vkey = vkey,
		.keys = &s->keys,
		.found = found,
		.progress = progress,
		.entry = take_entry,
		.arg = s };
	struct tf_buf note = { 0 };
	enum tf_code rc;

	if (!s->note) {
		rc = tf_leaf_list_new(&s->leaves, err);
		return rc == TF_OK ? target_verify(&s->t, &v, &s->c, err) : rc;
	}
	rc = files_read(s->name, NOTE_MAX, &note, err);
	if (rc == TF_OK)
		rc = tf_compare_note((struct tf_str){ note.n > 0 ? note.p : "",
					 note.n },
		    vkey, &s->c.report, err);
	if (rc != TF_OK)
		report_about(err, s->name);
	tf_buf_free(&note);
	return rc;
}

static enum tf_code
copy(struct side *s, uint64_t at, const char *vkey, struct tf_error *err)
{
	struct check again = { .progress = { .silent = true } };
	struct tf_verify v = { .vkey = vkey, .entry = copy_entry, .arg = s };
	enum tf_code rc;

	s->want = at;
	rc = target_verify(&s->t, &v, &again, err);
	check_free(&again);
	if (rc == TF_INTERRUPTED)
		rc = TF_OK;
	return rc == TF_OK ? tf_buf_end(&s->entry, err) : rc;
}

/* A file that is no archive is a checkpoint that somebody saved. */
static enum tf_code
choose(struct side *s, struct tf_error *err)
{
	struct target_wish wish = { 0 };
	struct stat st;

	s->c.progress.what = "compare";
	s->c.progress.unit = "entries";
	s->c.progress.silent = ask.quiet;
	if (stat(s->name, &st) == 0 && S_ISREG(st.st_mode) &&
	    !tf_package_is(s->name)) {
		s->note = true;
		return TF_OK;
	}
	return target_choose(s->name, NULL, &wish, &s->t, err);
}

static bool
has_own_key(const struct side *s)
{
	return !s->note && s->t.form == CHECK_STORE;
}

static enum tf_code
verify_both(struct side s[2], const char *vkey, struct tf_error *err)
{
	int first = has_own_key(&s[0]) ? 0 : 1;
	const char *key = vkey;
	enum tf_code rc;

	if (vkey == NULL && !has_own_key(&s[first]))
		return tf_fail(err, TF_USAGE,
		    "give the log's key with --vkey: neither side is a store");
	rc = verify(&s[first], vkey, err);
	if (rc == TF_OK && vkey == NULL && !has_own_key(&s[1 - first]))
		key = tf_buf_bytes(&s[first].keys).p;
	if (rc == TF_OK)
		rc = verify(&s[1 - first], key, err);
	if (rc == TF_OK && s[1 - first].c.report.vkey[0] == '\0' && key != NULL)
		(void)snprintf(s[1 - first].c.report.vkey,
		    sizeof(s[0].c.report.vkey), "%.*s", (int)strcspn(key, "\n"),
		    key);
	return rc;
}

/* --- the answer -------------------------------------------------------------- */

struct result {
	enum tf_relation relation;
	uint64_t at;
	bool other; /* two logs that have nothing in common */
};

static int
status_of(const struct side s[2], const struct result *r)
{
	int status = REPORT_OK;

	for (int i = 0; i < 2; i++)
		if (!s[i].note)
			status = verdict_graver(status,
			    verdict_status(&s[i].c));
	if (r->relation == TF_RELATION_FORKED)
		return verdict_graver(status,
		    r->other ? REPORT_FOREIGN : REPORT_TAMPERED);
	return r->relation == TF_RELATION_UNKNOWN ?
	    verdict_graver(status, REPORT_DOUBT) :
	    status;
}

static const char *
kind_of(const struct side *s)
{
	static const char *const names[] = {
		[CHECK_STORE] = "store",
		[CHECK_LOG] = "log",
		[CHECK_PROOF] = "proof",
		[CHECK_PACKAGE] = "package",
		[CHECK_AGAINST] = "directory",
	};

	return s->note ? "checkpoint" : names[s->t.form];
}

static void
put_relation(struct tf_buf *b, const struct side s[2], const struct result *r)
{
	uint64_t x = s[0].c.report.size, y = s[1].c.report.size;
	unsigned long long more = x > y ? x - y : y - x;

	switch (r->relation) {
	case TF_RELATION_EQUAL:
		tf_buf_str(b, "equal\n");
		return;
	case TF_RELATION_A_IN_B:
	case TF_RELATION_B_IN_A:
		tf_buf_printf(b,
		    "%s is the beginning of %s, which has %llu "
		    "more\n",
		    r->relation == TF_RELATION_A_IN_B ? "A" : "B",
		    r->relation == TF_RELATION_A_IN_B ? "B" : "A", more);
		return;
	case TF_RELATION_FORKED:
		if (r->other)
			tf_buf_str(b, "two different logs\n");
		else if (r->at == UINT64_MAX)
			tf_buf_str(b,
			    "forked: their roots do not agree, and "
			    "one of them lacks the entry\n");
		else
			tf_buf_printf(b, "forked at entry %llu\n",
			    (unsigned long long)r->at);
		return;
	case TF_RELATION_UNKNOWN:
		tf_buf_str(b,
		    "not known: too few entries are there to "
		    "compare the two\n");
		return;
	}
}

static void
put_text(struct tf_buf *b, const struct side s[2], const struct result *r)
{
	put_relation(b, s, r);
	for (int i = 0; i < 2; i++) {
		tf_buf_printf(b, "%c  %llu entries, %s ", "AB"[i],
		    (unsigned long long)s[i].c.report.size, kind_of(&s[i]));
		text_add(b, s[i].name, strlen(s[i].name));
		tf_buf_str(b, "\n");
		if (s[i].entry.n > 0) {
			tf_buf_str(b, "   ");
			text_add(b, s[i].entry.p, s[i].entry.n);
			tf_buf_str(b, "\n");
		}
		for (int l = 0; l < TF_CHECKS; l++)
			if (s[i].c.report.check[l] != TF_VERDICT_OK)
				verdict_findings(b, &s[i].c.check[l], "   ");
	}
}

static const char *
word_of(const struct result *r)
{
	static const char *const words[] = {
		[TF_RELATION_EQUAL] = "equal",
		[TF_RELATION_A_IN_B] = "a is the beginning of b",
		[TF_RELATION_B_IN_A] = "b is the beginning of a",
		[TF_RELATION_FORKED] = "forked",
		[TF_RELATION_UNKNOWN] = "unknown",
	};

	return r->other ? "different logs" : words[r->relation];
}

static void
put_side(struct tf_json *j, const struct side *s, const char *key,
    struct tf_str entry)
{
	tf_json_key(j, key);
	tf_json_object(j);
	tf_put_any(j, "entry", entry);
	tf_put_uint(j, "findings", s->c.report.findings);
	tf_put_cstr(j, "kind", kind_of(s));
	tf_put_cstr(j, "origin", s->c.report.origin);
	tf_put_hash(j, "root", &s->c.report.root);
	tf_put_uint(j, "size", s->c.report.size);
	tf_json_object_end(j);
}

/* The entry at the fork; absent if it is none, or no JSON. */
static struct tf_str
entry_of(const struct side *s)
{
	struct tf_str entry = { 0 };
	struct tf_json_doc d;

	if (s->entry.n > 0 &&
	    tf_json_parse(&d, s->entry.p, s->entry.n, NULL) == TF_OK) {
		entry = tf_buf_bytes(&s->entry);
		tf_json_doc_free(&d);
	}
	return entry;
}

/* Before which entry are those that both sides have equal? */
static uint64_t
common_of(const struct result *r)
{
	if (r->relation == TF_RELATION_UNKNOWN)
		return 0;
	if (r->relation == TF_RELATION_FORKED)
		return r->at == UINT64_MAX ? 0 : r->at;
	return UINT64_MAX;
}

static enum tf_code
put_json(struct tf_buf *b, const struct side s[2], const struct result *r,
    struct tf_error *err)
{
	struct compared_fork fork = {
		.is = r->relation == TF_RELATION_FORKED && !r->other,
		.at = r->at,
		.common = common_of(r),
	};
	struct compared c[2];
	struct tf_json j;
	uint64_t left_out;
	enum tf_code rc;

	for (int i = 0; i < 2; i++)
		c[i] = (struct compared){ &s[i].c, s[i].leaves,
			entry_of(&s[i]) };
	tf_json_begin(&j, b);
	tf_json_object(&j);
	put_side(&j, &s[0], "a", c[0].entry);
	put_side(&j, &s[1], "b", c[1].entry);
	if ((rc = compare_findings(&j, c, &fork, &left_out, err)) != TF_OK)
		return rc;
	if (r->relation == TF_RELATION_FORKED && r->at != UINT64_MAX)
		tf_put_uint(&j, "fork", r->at);
	if (left_out > 0)
		tf_put_uint(&j, "left_out", left_out);
	tf_put_cstr(&j, "relation", word_of(r));
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_str(b, "\n");
	return rc;
}

static enum tf_code
answer(const struct side s[2], const struct result *r, int status,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	if (ask.quiet && status == REPORT_OK)
		return TF_OK;
	if (ask.json)
		rc = put_json(&b, s, r, err);
	else
		put_text(&b, s, r);
	if (rc == TF_OK && (rc = tf_buf_end(&b, err)) == TF_OK)
		fwrite(b.p, 1, b.n, stdout);
	tf_buf_free(&b);
	return rc;
}

/* Both sides are verified. */
static enum tf_code
compare(struct side s[2], struct result *r, struct tf_error *err)
{
	const struct tf_side a = { &s[0].c.report, s[0].leaves };
	const struct tf_side b = { &s[1].c.report, s[1].leaves };
	enum tf_code rc = tf_compare(&a, &b, &r->relation, &r->at, err);

	r->other = rc == TF_OK && r->relation == TF_RELATION_FORKED &&
	    r->at == 0 && strcmp(a.report->origin, b.report->origin) != 0;
	for (int i = 0; i < 2 && rc == TF_OK && !r->other; i++)
		if (r->relation == TF_RELATION_FORKED && r->at != UINT64_MAX)
			rc = copy(&s[i], r->at, s[i].c.report.vkey, err);
	return rc;
}

/* Compare two ledgers; vkey: of both, or NULL. */
static int
compare_two(const char *x, const char *y, const char *vkey)
{
	struct side s[2] = { { .name = x }, { .name = y } };
	struct tf_error err = { 0 };
	struct result r = { 0 };
	int status = REPORT_OK;
	enum tf_code rc;

	if ((rc = choose(&s[0], &err)) == TF_OK &&
	    (rc = choose(&s[1], &err)) == TF_OK &&
	    (rc = verify_both(s, vkey, &err)) == TF_OK &&
	    (rc = compare(s, &r, &err)) == TF_OK) {
		status = status_of(s, &r);
		rc = answer(s, &r, status, &err);
	}
	if (rc != TF_OK)
		status = report(&err);
	for (int i = 0; i < 2; i++) {
		target_free(&s[i].t);
		check_free(&s[i].c);
		tf_leaf_list_free(s[i].leaves);
		tf_buf_free(&s[i].entry);
		tf_buf_free(&s[i].keys);
	}
	return status;
}

/* --- copies of an organisation -------------------------------------------- */

/* A vault beside many copies is compared with the one of its origin. */
static enum tf_code
open_side(const char *arg, struct copies *c, struct tf_error *err)
{
	struct copies_wish here = ask.copies;
	struct tf_copy one;
	struct tf_buf buf = { 0 };
	enum tf_code rc;

	if (!tf_org_is_uri(arg))
		here.blobs = here.cache = NULL;
	if (copies_named(arg))
		return copies_open(c, arg, &here, err);
	if (access(arg, F_OK) < 0)
		return report_system(err, "%s", arg);
	rc = tf_copy_of(arg, &one, &buf, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_USAGE,
		    "%.80s: copies of an organisation are compared with a "
		    "store, or with other copies",
		    arg);
	if (rc == TF_OK)
		rc = copies_single(c, &one, err);
	tf_buf_free(&buf);
	return rc;
}

/* An origin that only one side has. */
static int
only_here(const struct copies_one *o, const char *side)
{
	struct tf_buf b = { 0 };
	struct tf_json j;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_cstr(&j, "only", side);
	tf_put_cstr(&j, "origin", o->origin);
	tf_json_object_end(&j);
	if (!ask.json) {
		text_put(stdout, o->origin, strlen(o->origin));
		printf("  only in %c\n", side[0] == 'a' ? 'A' : 'B');
	} else if (tf_json_end(&j, NULL) == TF_OK) {
		printf("%s\n", text_of(&b));
	}
	tf_buf_free(&b);
	return REPORT_FINDING;
}

static int
compare_origin(const struct copies_one *x, const struct copies_one *y,
    const struct keyring *keys)
{
	const char *key = keyring_find(keys, x->origin);

	if (x->path == NULL || y->path == NULL)
		return only_here(x->path == NULL ? y : x,
		    x->path == NULL ? "b" : "a");
	if (!ask.json && !ask.quiet) {
		text_put(stdout, x->origin, strlen(x->origin));
		printf("  ");
	}
	if (keys->n == 0 || key != NULL)
		return compare_two(x->path, y->path, key);
	report_note("%s: no key of it was given", x->origin);
	return verdict_graver(REPORT_DOUBT,
	    compare_two(x->path, y->path, NULL));
}

/* Both are in the order of their origins.  one: the other side is a vault, so that
 * the other origins are no part of the question. */
static int
compare_all(const struct copies c[2], bool one, const struct keyring *keys)
{
	int status = verdict_graver(copies_status(&c[0]), copies_status(&c[1]));
	size_t i = 0, k = 0;

	while (i < c[0].n || k < c[1].n) {
		int way = i == c[0].n ? 1 :
		    k == c[1].n	      ? -1 :
				  strcmp(c[0].v[i].origin, c[1].v[k].origin);

		if (way == 0)
			status = verdict_graver(status,
			    compare_origin(&c[0].v[i], &c[1].v[k], keys));
		else if (!one || (way < 0 ? &c[0] : &c[1])->dir == NULL)
			status = verdict_graver(status,
			    way < 0 ? only_here(&c[0].v[i], "a") :
				      only_here(&c[1].v[k], "b"));
		i += way <= 0;
		k += way >= 0;
	}
	return status;
}

static int
compare_copies(char **arg)
{
	struct copies c[2] = { { 0 }, { 0 } };
	struct keyring keys = { 0 };
	struct tf_error err = { 0 };
	int status = REPORT_OK;
	enum tf_code rc = TF_OK;

	ask.copies.quiet = ask.quiet || ask.json;
	if (ask.vkey != NULL)
		rc = keyring_read(&keys, ask.vkey, &err);
	if (rc == TF_OK && ask.copies.cache != NULL && tf_org_is_uri(arg[0]) &&
	    tf_org_is_uri(arg[1]))
		rc = tf_fail(&err, TF_USAGE,
		    "--cache and --blobs are of one organisation: fetch the "
		    "other one, and name its copies");
	for (int i = 0; i < 2 && rc == TF_OK; i++)
		rc = open_side(arg[i], &c[i], &err);
	if (rc == TF_OK)
		status = compare_all(c, c[0].dir == NULL || c[1].dir == NULL,
		    &keys);
	else
		status = report(&err);
	copies_free(&c[0]);
	copies_free(&c[1]);
	keyring_free(&keys);
	return report_end(status);
}

static int
run(int n, char **arg)
{
	struct tf_buf vkey = { 0 };
	struct tf_error err = { 0 };
	int status;
	enum tf_code rc = TF_OK;

	if (ask.records != NULL)
		return n > 1 ?
		    cmd_usage(&cmd_compare,
			"--records compares with one trail") :
		    compare_records(ask.records, arg[0], ask.json, ask.quiet);
	if (n < 2)
		return cmd_usage(&cmd_compare, "two ledgers are needed");
	if (copies_named(arg[0]) || copies_named(arg[1]))
		return compare_copies(arg);
	rc = copies_unwanted(&ask.copies, arg[0], &err);
	if (rc == TF_OK && ask.vkey != NULL)
		rc = target_key(ask.vkey, &vkey, &err);
	status = rc == TF_OK ? compare_two(arg[0], arg[1], vkey.p) :
			       report(&err);
	tf_buf_free(&vkey);
	return report_end(status);
}

const struct verb cmd_compare = {
	.name = "compare",
	.summary = "print whether two ledgers are one, or where they forked",
	.usage = "[OPTION...] A B\n"
		 "[OPTION...] COPIES|LEDGER COPIES|LEDGER|STORE\n"
		 "[OPTION...] --records DIRECTORY TRAIL",
	.options = options,
	.min = 1,
	.max = 2,
	.run = run,
};
