/*
 * trailctl verify of an organisation.
 *
 * Each copy is verified as a store of its own, by the key that the caller gave for
 * its origin, or else by the one under which the organiser has enrolled it, which the
 * copy keeps.  The first line says which; then comes a line for each origin, and at
 * the end one for all that a person can quote.  The exit status is the gravest.
 *
 * What an organisation showed that does not fit (copies.h) is a part of the verdict
 * about that origin: its copy alone may be whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/member.h"
#include "keyring.h"
#include "report.h"
#include "target.h"
#include "text.h"
#include "textfile.h"
#include "verdict.h"
#include "verify_copies.h"

#define NAMED 3 /* origins that the last line names */

struct run {
	const struct verify_copies *ask;
	struct copies copies;
	struct keyring keys;
	int status;
	bool keyless; /* an origin has no key, though keys were given */
	uint64_t entries, files, bytes, redacted;
	/* How many have this exit status, and the first of them. */
	struct tally {
		size_t n;
		const char *first[NAMED];
	} tally[REPORT_FOREIGN + 1];
};

/* --- one origin ------------------------------------------------------------------ */

/*
 * The key by which a copy is judged: that which the caller gave for it; or if that of
 * the organisation was given, and it has signed the entry 0 of this origin, the one
 * that the copy follows from there.  NULL: nobody vouches for one.
 */
static const char *
key_of(const struct run *r, const struct copies_one *o)
{
	const struct copies_order *all = &r->copies.order;
	const char *key = keyring_find(&r->keys, o->origin);

	if (key != NULL)
		return key;
	return all->given && all->why.code == TF_OK && o->covered > 0 &&
		o->vkey[0] != '\0' ?
	    o->vkey :
	    NULL;
}

/* What came of one: its exit status, and its line. */
struct outcome {
	int status;
	struct tf_buf line;
	struct tf_buf json; /* of the verification; empty: there was none */
};

static void
judge_problem(const struct copies_one *o, struct outcome *out)
{
	int status = report_status(o->why.code);
	struct tf_buf was = out->line;

	if (status == REPORT_OK)
		return;
	out->line = (struct tf_buf){ 0 };
	tf_buf_str(&out->line,
	    status == REPORT_TAMPERED ? "FAILED: what the organisation has of "
					"it does not fit: " :
					"UNDECIDED: it could not be brought up "
					"to date: ");
	text_add(&out->line, o->why.text, strlen(o->why.text));
	if (was.n > 0) {
		tf_buf_str(&out->line, ". The copy before that: ");
		tf_buf_add(&out->line, was.p, was.n);
	}
	tf_buf_free(&was);
	out->status = verdict_graver(out->status, status);
}

/* Nobody has said whose key this is, though keys were given. */
static void
judge_unknown(const struct copies_one *o, struct outcome *out)
{
	struct tf_buf was = out->line;

	if (out->status == REPORT_TAMPERED)
		return;
	out->line = (struct tf_buf){ 0 };
	tf_buf_str(&out->line, "UNDECIDED: no key of ");
	text_add(&out->line, o->origin, strlen(o->origin));
	tf_buf_str(&out->line, " was given. By the key of its copy: ");
	tf_buf_add(&out->line, was.p, was.n);
	tf_buf_free(&was);
	out->status = verdict_graver(out->status, REPORT_DOUBT);
}

static enum tf_code
verify_copy(struct run *r, const struct copies_one *o, struct outcome *out,
    struct tf_error *err)
{
	struct check c = { .progress = { .what = "verify",
			       .unit = "entries",
			       .silent = r->ask->quiet } };
	struct tf_verify v = { .vkey = key_of(r, o),
		.found = check_found,
		.progress = check_progress,
		.arg = &c };
	const struct target t = { .form = CHECK_STORE, .dir = o->path };
	enum tf_code rc = target_verify(&t, &v, &c, err);

	if (rc == TF_OK) {
		out->status = verdict_status(&c);
		verdict_line(&c, &out->line);
		r->entries += c.report.entries;
		r->files += c.report.files;
		r->bytes += c.report.bytes;
		r->redacted += c.report.redacted - c.report.held;
		rc = verdict_json(&c, &out->json, err);
	}
	check_free(&c);
	return rc;
}

static enum tf_code
judge(struct run *r, const struct copies_one *o, struct outcome *out,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = TF_OK;

	if (o->path != NULL)
		rc = verify_copy(r, o, out, &why);
	if (rc == TF_NOMEM)
		return tf_fail_as(err, &why);
	if (rc != TF_OK) {
		out->status = copies_problem(o->origin, &why);
		out->line.n = 0;
		tf_buf_str(&out->line,
		    out->status == REPORT_TAMPERED ?
			"FAILED: " :
			"UNDECIDED: it could not be verified: ");
		text_add(&out->line, why.text, strlen(why.text));
	} else if (o->path != NULL && r->keys.n > 0 && key_of(r, o) == NULL) {
		judge_unknown(o, out);
		r->keyless = true;
	} else if (o->path == NULL && o->why.code == TF_OK) {
		out->status = REPORT_DOUBT;
		tf_buf_printf(&out->line,
		    "UNDECIDED: no checkpoint of it has come yet; entries that "
		    "wait for one: %llu",
		    (unsigned long long)o->waiting);
	}
	judge_problem(o, out);
	return tf_buf_end(&out->line, err);
}

static void
count(struct run *r, const struct copies_one *o, int status)
{
	struct tally *t =
	    &r->tally[status <= REPORT_FOREIGN ? status : REPORT_DOUBT];

	if (t->n < NAMED)
		t->first[t->n] = o->origin;
	t->n++;
	r->status = verdict_graver(r->status, status);
}

/* --- the answer -------------------------------------------------------------------- */

static void
put_origin(struct tf_json *j, const char *key, const char *origin)
{
	struct tf_buf b = { 0 };

	text_add(&b, origin, strlen(origin));
	tf_json_key(j, key);
	tf_json_buf(j, &b);
	tf_buf_free(&b);
}

static enum tf_code
print_json(const struct copies_one *o, const char *what,
    const struct outcome *out, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	if (o->path != NULL)
		put_origin(&j, "copy", o->path);
	put_origin(&j, what, o->origin);
	if (out->json.n > 0) {
		tf_json_key(&j, "report");
		tf_json_raw(&j,
		    (struct tf_str){ out->json.p, out->json.n - 1 });
	}
	tf_put_uint(&j, "status", (uint64_t)out->status);
	tf_json_key(&j, "verdict");
	tf_json_buf(&j, &out->line);
	if (o->waiting > 0)
		tf_put_uint(&j, "waiting", o->waiting);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/* what: an "origin", or the "organisation". */
static enum tf_code
print(const struct run *r, const struct copies_one *o, const char *what,
    const struct outcome *out, struct tf_error *err)
{
	if (r->ask->quiet && out->status == REPORT_OK)
		return TF_OK;
	if (r->ask->json)
		return print_json(o, what, out, err);
	text_put(stdout, o->origin, strlen(o->origin));
	printf("  ");
	fwrite(out->line.p, 1, out->line.n, stdout);
	printf("\n");
	return TF_OK;
}

/* By what is judged: without it a verdict says nothing. */
static const char *
basis(const struct run *r)
{
	bool given = false, covered = false;

	if (r->keys.n == 0)
		return "by the key under which the organiser enrolled it, which "
		       "--vkey did not pin";
	for (size_t i = 0; i < r->copies.n; i++) {
		const struct copies_one *o = &r->copies.v[i];

		if (keyring_find(&r->keys, o->origin) != NULL)
			given = true;
		else if (key_of(r, o) != NULL)
			covered = true;
	}
	if (!covered)
		return "by the key given for it";
	return given ?
	    "by the key given for it, or by the one in its first "
	    "entry, which the key given for the organisation covers" :
	    "by the key in its first entry, which the key given for "
	    "the organisation covers";
}

/* The order of all entries, of which each origin has a part. */
static int
judge_order(const struct run *r, struct tf_buf *b)
{
	const struct copies_order *o = &r->copies.order;
	const char *plus = strchr(o->vkey, '+');
	int status = report_status(o->why.code);

	if (status != REPORT_OK) {
		tf_buf_str(b, "FAILED: ");
		text_add(b, o->why.text, strlen(o->why.text));
		return status;
	}
	if (o->size == 0) {
		tf_buf_printf(b,
		    "%sthe organisation has signed none of its %llu entries "
		    "yet",
		    o->given ? "UNDECIDED: " : "",
		    (unsigned long long)o->entries);
		return o->given ? REPORT_DOUBT : REPORT_OK;
	}
	plus = plus != NULL ? strchr(plus + 1, '+') : NULL;
	tf_buf_str(b, o->given ? "GENUINE: signed by " : "WHOLE: signed by ");
	text_add(b, o->vkey,
	    plus != NULL ? (size_t)(plus - o->vkey) : strlen(o->vkey));
	tf_buf_printf(b,
	    "%s, the order of %llu entries of all origins, which these copies "
	    "have; not signed yet: %llu",
	    o->given ? "" : ", which --vkey did not pin",
	    (unsigned long long)o->size,
	    (unsigned long long)(o->entries - o->size));
	return REPORT_OK;
}

static enum tf_code
print_order(struct run *r, struct tf_error *err)
{
	const struct copies_order *o = &r->copies.order;
	struct outcome out = { 0 };
	const struct copies_one as = { .origin = o->origin };
	enum tf_code rc;

	if (o->origin == NULL)
		return TF_OK;
	out.status = judge_order(r, &out.line);
	if ((rc = tf_buf_end(&out.line, err)) == TF_OK) {
		r->status = verdict_graver(r->status, out.status);
		rc = print(r, &as, "organisation", &out, err);
	}
	tf_buf_free(&out.line);
	return rc;
}

static void
add_named(struct tf_buf *b, const struct tally *t)
{
	for (size_t i = 0; i < t->n && i < NAMED; i++) {
		tf_buf_str(b, i > 0 ? ", " : "");
		text_add(b, t->first[i], strlen(t->first[i]));
	}
	if (t->n > NAMED)
		tf_buf_printf(b, " and %zu more", t->n - NAMED);
}

/* For what it holds, and what nobody has looked at. */
static void
add_good(const struct run *r, struct tf_buf *b)
{
	size_t n = r->copies.n;

	tf_buf_printf(b, "%s: %zu %s, %s signed %s, complete for %llu entries ",
	    r->keys.n > 0 ? "GENUINE" : "WHOLE", n,
	    n == 1 ? "origin" : "origins", n == 1 ? "it is" : "each is",
	    basis(r), (unsigned long long)r->entries);
	if (r->redacted > 0)
		tf_buf_printf(b, "but for %llu redacted files ",
		    (unsigned long long)r->redacted);
	tf_buf_str(b,
	    r->copies.fetched ?
		"that the organisation has now and their vaults have signed, "
		"nothing recorded was altered" :
		"in these copies, nothing recorded was altered; whether the "
		"organisation has more was not asked");
	if (r->copies.order.size > 0)
		tf_buf_printf(b,
		    "; of %llu entries the organisation has signed %llu",
		    (unsigned long long)r->copies.order.entries,
		    (unsigned long long)r->copies.order.size);
}

/* The origins are in order, and what the organisation shows is not. */
static void
add_order(const struct run *r, const char *is, struct tf_buf *b)
{
	const struct copies_order *o = &r->copies.order;

	tf_buf_printf(b, "%s: the order of all entries, ", is);
	text_add(b, o->origin, strlen(o->origin));
	tf_buf_str(b,
	    r->status == REPORT_DOUBT ?
		". Verify again when it has signed" :
		". Keep the directory of the copies as it is, and ask another "
		"auditor what the organisation shows there");
}

static void
add_line(const struct run *r, struct tf_buf *b)
{
	static const struct {
		int status;
		const char *is, *advice;
	} bad[] = {
		{ REPORT_TAMPERED, "FAILED",
		    "Keep the copies as they are, and verify each of these "
		    "with --origin" },
		{ REPORT_FOREIGN, "FAILED",
		    "They are not signed by the keys given: do not rely on "
		    "them" },
		{ REPORT_UNREACHABLE, "UNDECIDED",
		    "They could not be read: verify again when they can be" },
		{ REPORT_DOUBT, "UNDECIDED", NULL },
		{ REPORT_FINDING, NULL,
		    "They have findings beside the evidence: verify each of "
		    "these with --origin" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct tally *t = &r->tally[bad[i].status];

		if (r->status != bad[i].status)
			continue;
		if (t->n == 0) { /* it is no origin */
			add_order(r, bad[i].is, b);
			return;
		}
		tf_buf_printf(b, "%s: %zu of %zu %s, ",
		    bad[i].is != NULL ? bad[i].is :
			r->keys.n > 0 ? "GENUINE" :
					"WHOLE",
		    t->n, r->copies.n, r->copies.n == 1 ? "origin" : "origins");
		add_named(b, t);
		tf_buf_printf(b, ". %s",
		    bad[i].advice != NULL ? bad[i].advice :
			r->keyless ? "Give the keys of all with --vkey, or "
				     "verify each of these with --origin" :
				     "The line of each says why, and what to "
				     "do");
		return;
	}
	add_good(r, b);
}

static enum tf_code
print_all(const struct run *r, struct tf_error *err)
{
	struct tf_buf line = { 0 }, b = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	if (r->ask->quiet && r->status == REPORT_OK)
		return TF_OK;
	add_line(r, &line);
	if (!r->ask->json) {
		printf("%s\n", text_of(&line));
		tf_buf_free(&line);
		return TF_OK;
	}
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_cstr(&j, "basis", basis(r));
	tf_put_uint(&j, "entries", r->entries);
	tf_put_bool(&j, "fetched", r->copies.fetched);
	tf_put_uint(&j, "files", r->files);
	tf_put_uint(&j, "origins", r->copies.n);
	tf_put_uint(&j, "status", (uint64_t)r->status);
	tf_json_key(&j, "verdict");
	tf_json_buf(&j, &line);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&line);
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
verify_all(struct run *r, struct tf_error *err)
{
	enum tf_code rc;

	if (!r->ask->json && !r->ask->quiet)
		printf("Each origin is judged %s.\n", basis(r));
	rc = print_order(r, err);
	for (size_t i = 0; rc == TF_OK && i < r->copies.n; i++) {
		struct copies_one *o = &r->copies.v[i];
		struct outcome out = { 0 };

		rc = judge(r, o, &out, err);
		if (rc == TF_OK) {
			count(r, o, out.status);
			rc = print(r, o, "origin", &out, err);
		}
		tf_buf_free(&out.line);
		tf_buf_free(&out.json);
	}
	return rc == TF_OK ? print_all(r, err) : rc;
}

/* Under the name of the organisation, or else of the directory. */
static enum tf_code
write_metrics(const struct run *r, uint64_t begun_ns, struct tf_error *err)
{
	const char *name = r->copies.order.origin != NULL ?
	    r->copies.order.origin :
	    r->copies.dir;
	struct tf_report all = { .entries = r->entries, .bytes = r->bytes };
	struct tf_buf b = { 0 };
	enum tf_code rc;

	(void)snprintf(all.origin, sizeof(all.origin), "%s", name);
	verdict_metrics(&all, r->status, begun_ns, &b);
	if ((rc = tf_buf_end(&b, err)) == TF_OK)
		rc = textfile_write(r->ask->textfile, &b, err);
	tf_buf_free(&b);
	return rc;
}

int
verify_copies(const char *what, const struct verify_copies *ask)
{
	struct run r = { .ask = ask };
	struct copies_wish wish = *ask->wish;
	const uint64_t begun_ns = tf_clock_boot_ns();
	struct tf_error err = { 0 };
	enum tf_code rc = TF_OK;

	wish.keys = &r.keys;
	if (ask->vkey != NULL)
		rc = keyring_read(&r.keys, ask->vkey, &err);
	if (rc == TF_OK)
		rc = copies_open(&r.copies, what, &wish, &err);
	if (rc == TF_OK)
		rc = verify_all(&r, &err);
	if (rc != TF_OK)
		r.status = report(&err);
	else if (ask->textfile != NULL &&
	    write_metrics(&r, begun_ns, &err) != TF_OK)
		r.status = verdict_graver(r.status, report(&err));
	copies_free(&r.copies);
	keyring_free(&r.keys);
	return report_end(r.status);
}
