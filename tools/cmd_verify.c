/*
 * trailctl verify: find out what to verify and with which key, verify it, and
 * print the verdict. The key never comes from the thing that is verified; only
 * a whole store, which belongs to the caller, is verified with its own key.
 *
 * Order: choose what the argument is (target.h); check that the options fit,
 * since an option that does nothing would make a caller believe in a check that
 * was not made; verify; print.
 *
 * A verification that could not be made has the exit status of its error, and
 * the JUnit file is replaced in that case too. The statuses of verdicts are in
 * verdict.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "cmd.h"
#include "copies.h"
#include "core/base/clock.h"
#include "core/base/timestamp.h"
#include "core/witness.h"
#include "files.h"
#include "keyring.h"
#include "report.h"
#include "target.h"
#include "text.h"
#include "textfile.h"
#include "verdict.h"
#include "verified.h"
#include "verify_copies.h"

#define NOTE_MAX ((size_t)1 << 16)

static struct {
	bool json, quiet, rebuild, record, incremental;
	const char *vkey, *checkpoint, *evidence, *junit; /* or NULL */
	const char *against, *policy, *tsa_ca;		  /* or NULL */
	const char *textfile;				  /* or NULL */
	/* For a comparison with a directory; "" for all. */
	char since[TF_TIME_LEN + 1], until[TF_TIME_LEN + 1];
	struct copies_wish copies;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	ARGS_QUIET(&ask.quiet),
	{ .name = "against",
	    .value = "DIRECTORY",
	    .help = "compare this backup or unpacked package",
	    .text = &ask.against },
	COPIES_OPTIONS(ask.copies),
	{ .name = "checkpoint",
	    .value = "FILE",
	    .help = "the log must continue this checkpoint",
	    .text = &ask.checkpoint },
	{ .name = "evidence",
	    .value = "DIRECTORY",
	    .help = "for a log: check the evidence in DIRECTORY too",
	    .text = &ask.evidence },
	{ .name = "incremental",
	    .help = "read new contents and a part of the old ones",
	    .flag = &ask.incremental },
	{ .name = "junit",
	    .value = "FILE",
	    .help = "write JUnit XML to FILE; - is standard output",
	    .text = &ask.junit },
	{ .name = "policy",
	    .value = "FILE",
	    .help = "the quorum of these witnesses must have cosigned",
	    .text = &ask.policy },
	{ .name = "rebuild",
	    .help = "verify the store, also behind a mount",
	    .flag = &ask.rebuild },
	{ .name = "record",
	    .help = "record the result in the store and its ledger",
	    .flag = &ask.record },
	{ .name = "since",
	    .letter = 'S',
	    .value = "TIME",
	    .help = "only workflows begun at TIME or later (UTC)",
	    .time = ask.since },
	{ .name = "textfile",
	    .value = "FILE",
	    .help = "write the result to FILE for a node exporter",
	    .text = &ask.textfile },
	{ .name = "tsa-ca",
	    .value = "FILE",
	    .help = "certificates of time stamp authorities that you trust",
	    .text = &ask.tsa_ca },
	{ .name = "until",
	    .letter = 'U',
	    .value = "TIME",
	    .help = "only workflows begun before TIME (UTC)",
	    .time = ask.until },
	{ .name = "vkey",
	    .letter = 'k',
	    .value = "KEY",
	    .help = "the public key of the log, or a file with it; of an "
		    "organisation: a file or a directory with many",
	    .text = &ask.vkey },
	{ 0 },
};

/* Do the options fit what is verified? */
static enum tf_code
fits(const char *file, const struct target *t, struct tf_error *err)
{
	static const char *const names[] = {
		[CHECK_STORE] = "a store",
		[CHECK_LOG] = "a log",
		[CHECK_PROOF] = "a proof",
		[CHECK_PACKAGE] = "a package",
		[CHECK_AGAINST] = "a comparison",
		[CHECK_PACKAGES] = "a package",
	};

	if (ask.against != NULL &&
	    (ask.vkey != NULL || ask.checkpoint != NULL || file != NULL ||
		ask.policy != NULL))
		return tf_fail(err, TF_USAGE,
		    "--against compares with the store; verify the store "
		    "itself with key, checkpoint and policy");
	if (ask.against == NULL &&
	    (ask.since[0] != '\0' || ask.until[0] != '\0'))
		return tf_fail(err, TF_USAGE,
		    "--since and --until go with --against");
	if (ask.vkey == NULL && t->form != CHECK_STORE &&
	    t->form != CHECK_AGAINST)
		return tf_fail(err, TF_USAGE,
		    "give the log's key with --vkey: %s cannot prove its own "
		    "key",
		    names[t->form]);
	if (ask.evidence != NULL && t->form != CHECK_LOG)
		return tf_fail(err, TF_USAGE, "--evidence does not go with %s",
		    names[t->form]);
	if (ask.tsa_ca != NULL && t->form != CHECK_STORE &&
	    t->form != CHECK_PACKAGE && t->form != CHECK_PACKAGES)
		return tf_fail(err, TF_USAGE, "--tsa-ca does not go with %s",
		    names[t->form]);
	if (ask.rebuild && t->form != CHECK_STORE)
		return tf_fail(err, TF_USAGE, "--rebuild needs a store");
	if (ask.textfile != NULL && t->form != CHECK_STORE &&
	    t->form != CHECK_LOG)
		return tf_fail(err, TF_USAGE, "--textfile does not go with %s",
		    names[t->form]);
	if (ask.incremental && t->form != CHECK_STORE)
		return tf_fail(err, TF_USAGE,
		    "--incremental is for a whole store, and for a mount with "
		    "--rebuild");
	if (ask.record && t->form != CHECK_STORE)
		return tf_fail(err, TF_USAGE,
		    "--record is for a whole store, and for a mount with "
		    "--rebuild");
	return TF_OK;
}

/* --- the check -------------------------------------------------------- */

/* Read the certificates of --tsa-ca; *pem points into b. */
static enum tf_code
take_authorities(struct tf_buf *b, struct tf_str *pem, struct tf_error *err)
{
	enum tf_code rc = files_read(ask.tsa_ca, TF_STAMP_CHAIN_MAX, b, err);

	*pem = tf_buf_bytes(b);
	return rc == TF_OK ? tf_stamp_check_trusted(*pem, err) : rc;
}

static enum tf_code
read_policy(struct tf_witness_policy **out, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = files_read(ask.policy, TF_WITNESS_POLICY_MAX, &text,
	    err);

	if (rc == TF_OK)
		rc = tf_witness_policy_parse(tf_buf_bytes(&text).p, text.n, out,
		    err);
	tf_buf_free(&text);
	return rc;
}

/* Run the verification of the chosen form, and collect its findings in c. */
static enum tf_code
check(const struct target *t, const struct tf_witness_policy *policy,
    struct check *c, struct tf_verify_scope *scope, struct tf_error *err)
{
	struct tf_buf vkey = { 0 }, earlier = { 0 }, ca = { 0 };
	struct tf_verify v = { .found = check_found,
		.about = check_about,
		.progress = check_progress,
		.arg = c };
	enum tf_code rc = TF_OK;

	if (ask.vkey != NULL)
		rc = target_key(ask.vkey, &vkey, err);
	if (rc == TF_OK && ask.checkpoint != NULL)
		rc = files_read(ask.checkpoint, NOTE_MAX, &earlier, err);
	if (rc == TF_OK && ask.tsa_ca != NULL)
		rc = take_authorities(&ca, &v.tsa_ca, err);
	if (rc != TF_OK)
		goto out;
	v.vkey = vkey.p;
	v.since = ask.since[0] != '\0' ? ask.since : NULL;
	v.until = ask.until[0] != '\0' ? ask.until : NULL;
	/* An empty file is a bad checkpoint, not a missing one. */
	if (ask.checkpoint != NULL)
		v.earlier = (struct tf_str){ earlier.n > 0 ? earlier.p : "",
			earlier.n };
	c->earlier = ask.checkpoint != NULL;
	c->timed = v.since != NULL || v.until != NULL;
	c->stamps = ask.tsa_ca != NULL;
	c->quorum = policy != NULL ? tf_witness_policy_quorum(policy) : NULL;
	v.policy = policy;
	if (ask.incremental &&
	    (rc = tf_verify_plan(t->dir, scope, err)) != TF_OK)
		goto out;
	v.scope = *scope;
	rc = target_verify(t, &v, c, err);
out:
	tf_buf_free(&vkey);
	tf_buf_free(&earlier);
	tf_buf_free(&ca);
	return rc;
}

/* --- the answer ------------------------------------------------------- */

/* Remove an old report: it must not remain after a verification that failed. */
static enum tf_code
write_junit(const struct check *c, const struct tf_error *failed,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	verdict_junit(c, failed, &b);
	if (b.failed)
		rc = tf_nomem(err);
	else if (strcmp(ask.junit, "-") == 0)
		fwrite(b.p, 1, b.n, stdout);
	else
		rc = files_write(ask.junit, &b, err);
	tf_buf_free(&b);
	return rc;
}

/* Also after damage was found: a monitor must see that. */
static enum tf_code
write_metrics(const struct check *c, uint64_t begun_ns, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	verdict_metrics(&c->report, verdict_status(c), begun_ns, &b);
	if ((rc = tf_buf_end(&b, err)) == TF_OK)
		rc = textfile_write(ask.textfile, &b, err);
	tf_buf_free(&b);
	return rc;
}

/* With --junit - the standard output belongs to the XML. */
static enum tf_code
answer(const struct check *c, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	if (ask.quiet && verdict_status(c) == REPORT_OK)
		return TF_OK;
	if (ask.json)
		rc = verdict_json(c, &b, err);
	else if (ask.junit == NULL || strcmp(ask.junit, "-") != 0)
		verdict_table(c, &b);
	if (rc == TF_OK && b.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && b.n > 0)
		fwrite(b.p, 1, b.n, stdout);
	tf_buf_free(&b);
	return rc;
}

/* Evidence that is damaged, missing or forged has failed; else something could not
 * be checked, or has an unusual form. */
static enum tf_code
record(const char *what, const struct check *c,
    const struct tf_verify_scope *scope, uint64_t begun_ns, int status,
    struct tf_error *err)
{
	struct tf_verified made = { .root = c->report.root,
		.size = c->report.size,
		.scope = *scope,
		.seconds = (tf_clock_boot_ns() - begun_ns) / TF_SECOND,
		.findings = c->report.findings };
	struct tf_error why = { 0 };

	if (status == REPORT_OK)
		return verified_record(what, &made, err);
	made.verdict = status == REPORT_TAMPERED ? "failed" :
	    status == REPORT_FINDING		 ? "unusual" :
						   "undecided";
	/* The verdict is graver than that it could not be recorded. */
	if (verified_record_failure(what, &made, &why) != TF_OK)
		report_note("this is not recorded: %s", why.text);
	return TF_OK;
}

/* The verification itself could not be made, for the reason `why`, which stays the
 * answer.  A mistake of the caller is no verdict. */
static void
record_error(const char *what, enum tf_code why,
    const struct tf_verify_scope *scope, uint64_t begun_ns)
{
	const struct tf_verified made = { .scope = *scope,
		.seconds = (tf_clock_boot_ns() - begun_ns) / TF_SECOND,
		.verdict = why == TF_TAMPER ? "failed" : "undecided" };
	struct tf_error err = { 0 };

	if (!tf_code_undecided(why) && why != TF_TAMPER && why != TF_INDOUBT &&
	    why != TF_FOREIGN)
		return;
	if (verified_record_failure(what, &made, &err) != TF_OK)
		report_note("this is not recorded: %s", err.text);
}

/* --- an organisation -------------------------------------------------- */

/* An option that would do nothing for many origins. */
static enum tf_code
fits_many(struct tf_error *err)
{
	const char *name = ask.checkpoint != NULL ? "--checkpoint" :
	    ask.evidence != NULL		  ? "--evidence" :
	    ask.policy != NULL			  ? "--policy" :
	    ask.junit != NULL			  ? "--junit" :
	    ask.tsa_ca != NULL			  ? "--tsa-ca" :
	    ask.rebuild				  ? "--rebuild" :
	    ask.record				  ? "--record" :
	    ask.incremental			  ? "--incremental" :
						    NULL;

	return name == NULL ?
	    TF_OK :
	    tf_fail(err, TF_USAGE,
		"%s does not go with an organisation: give --origin", name);
}

static int
verify_many(const char *what)
{
	const struct verify_copies many = { .wish = &ask.copies,
		.vkey = ask.vkey,
		.textfile = ask.textfile,
		.json = ask.json,
		.quiet = ask.quiet };
	struct tf_error err = { 0 };

	return fits_many(&err) == TF_OK ? verify_copies(what, &many) :
					  report(&err);
}

/* The copy of the one origin that the caller names, and the key that is its. */
static enum tf_code
choose_origin(const char **what, struct copies *copies, struct keyring *keys,
    struct tf_error *err)
{
	enum tf_code rc = copies_open(copies, *what, &ask.copies, err);

	if (rc == TF_OK && copies->v[0].path == NULL)
		rc = tf_fail(err, TF_NOTFOUND,
		    "there is no copy of %.80s: no checkpoint of it has come",
		    ask.copies.origin);
	if (rc != TF_OK)
		return rc;
	*what = copies->v[0].path;
	if (ask.vkey == NULL)
		return TF_OK;
	if ((rc = keyring_read(keys, ask.vkey, err)) != TF_OK)
		return rc;
	ask.vkey = keyring_find(keys, ask.copies.origin);
	return ask.vkey != NULL ?
	    TF_OK :
	    tf_fail(err, TF_USAGE, "--vkey has no key of %.80s",
		ask.copies.origin);
}

static int
run(int n, char **arg)
{
	struct check c = { .progress = { .what = "verify",
			       .unit = "entries",
			       .silent = ask.quiet } };
	const char *what = arg[0], *file = n > 1 ? arg[1] : NULL;
	struct target_wish wish = { .rebuild = ask.rebuild,
		.evidence = ask.evidence,
		.against = ask.against };
	struct tf_witness_policy *policy = NULL;
	struct tf_verify_scope scope = { .parts = 0 };
	struct target t = { 0 };
	struct copies copies = { 0 };
	struct keyring keys = { 0 };
	struct tf_error err = { 0 }, second = { 0 };
	const uint64_t begun_ns = tf_clock_boot_ns();
	int status = REPORT_OK, other;
	bool checking = false;
	enum tf_code rc;

	if (ask.json && ask.junit != NULL && strcmp(ask.junit, "-") == 0)
		return cmd_usage(&cmd_verify,
		    "--json and --junit - both want standard output");
	ask.copies.quiet = ask.quiet;
	if (file != NULL || ask.against != NULL || !copies_named(what))
		rc = copies_unwanted(&ask.copies, what, &err);
	else if (ask.copies.origin == NULL)
		return verify_many(what);
	else
		rc = choose_origin(&what, &copies, &keys, &err);
	wish.vkey = ask.vkey;
	if (rc == TF_OK &&
	    (rc = target_choose(what, file, &wish, &t, &err)) == TF_OK &&
	    (rc = fits(file, &t, &err)) == TF_OK &&
	    (ask.policy == NULL ||
		(rc = read_policy(&policy, &err)) == TF_OK) &&
	    (checking = true, rc = check(&t, policy, &c, &scope, &err)) ==
		TF_OK) {
		checking = false;
		status = verdict_graver(verdict_status(&c),
		    copies_status(&copies));
		rc = answer(&c, &err);
		if (rc == TF_OK && ask.record)
			rc = record(what, &c, &scope, begun_ns, status, &err);
	}
	if (rc != TF_OK)
		status = report(&err);
	if (rc != TF_OK && checking && ask.record)
		record_error(what, rc, &scope, begun_ns);
	if (ask.junit != NULL &&
	    write_junit(&c, rc == TF_OK ? NULL : &err, &second) != TF_OK) {
		/* A finding is graver than an unwritable report. */
		other = report(&second);
		status = status == REPORT_OK ? other : status;
	}
	if (rc == TF_OK && ask.textfile != NULL &&
	    write_metrics(&c, begun_ns, &second) != TF_OK) {
		other = report(&second);
		status = status == REPORT_OK ? other : status;
	}
	check_free(&c);
	target_free(&t);
	copies_free(&copies);
	keyring_free(&keys);
	tf_witness_policy_free(policy);
	return status;
}

const struct verb cmd_verify = {
	.name = "verify",
	.summary = "read everything again and print whether it is whole",
	.usage = "[OPTION...] STORE|PATH\n"
		 "[OPTION...] --vkey KEY LOG|PATH\n"
		 "[OPTION...] --vkey KEY PROOF [FILE]\n"
		 "[OPTION...] --vkey KEY PACKAGE\n"
		 "[OPTION...] --against DIRECTORY STORE|PATH\n"
		 "[OPTION...] [--origin NAME] COPIES|LEDGER",
	.options = options,
	.min = 1,
	.max = 2,
	.run = run,
};
