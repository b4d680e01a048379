/*
 * trailctl attest: record files as an attestation, whole or not at all.
 *
 * Order: collect the claims and the list of files, which finds wrong arguments
 * before anything is written; open the vault and the workflow; if the name is
 * taken, compare and write nothing; else begin a draft, copy the files, run the
 * evaluator over the copies, set the claims, and publish with one rename
 * (recorder.h). Any failure drops the draft.
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT wait until the draft is published or gone
 * (interrupt.h), and for SIGKILL there is a guard process. So a caller who is
 * not sure whether an attempt has succeeded may run the same command again: it
 * records once, and then answers "already recorded" with exit status 0.
 *
 * Exit status: 0 recorded or already recorded, also when the evidence is not
 * compliant, because the report itself succeeded (trailctl assert gives the
 * verdict); 1 the name is taken by something else or the vault refuses; 2 wrong
 * arguments; 3 vault or file cannot be read; 5 the evaluator could not decide,
 * and nothing is recorded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "core/evaluation.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "foretell.h"
#include "interrupt.h"
#include "program.h"
#include "publish.h"
#include "report.h"
#include "text.h"

#define OUTPUT "evaluation.txt" /* evidence: what the evaluator printed */

static struct {
	bool json, begin, again, repeat, dry_run, seal;
	struct claims_options claims;
	const char *name, *evaluate;
	struct args_list evaluate_arg;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	CLAIMS_OPTIONS(&ask.claims),
	PUBLISH_OPTIONS(&ask.begin, &ask.again),
	{ .name = "repeat",
	    .help = "the same, if the newest version is another one",
	    .flag = &ask.repeat },
	{ .name = "seal",
	    .help = "record it even without a FILE",
	    .flag = &ask.seal },
	{ .name = "dry-run",
	    .letter = 'D',
	    .help = "print the entry, and record nothing",
	    .flag = &ask.dry_run },
	{ .name = "name",
	    .value = "FILE",
	    .help = "the name of standard input, which is -",
	    .text = &ask.name },
	{ .name = "evaluate",
	    .value = "COMMAND",
	    .help = "its exit status says whether the evidence is compliant",
	    .text = &ask.evaluate },
	{ .name = "evaluate-arg",
	    .value = "ARG",
	    .help = "one more argument of COMMAND; may be repeated",
	    .list = &ask.evaluate_arg },
	{ 0 },
};

/* One recording. */
struct attest {
	struct recorder r;
	struct claims claims;
	struct sources sources;
	struct evidence evidence;
	char *name; /* that it got */
	bool already;
	/* The verdict by claims, type and template; after a failure to read it
	 * there is none. */
	bool has_verdict;
	struct foretold verdict;
};

/* --- the evaluator ---------------------------------------------------------------- */

/* Fail if the files of the draft are no longer those that were copied. */
static enum tf_code
check_unchanged(struct attest *a, char *dir, struct tf_error *err)
{
	struct sources now = { 0 };
	struct evidence read = { 0 };
	struct tf_buf was = { 0 }, is = { 0 };
	enum tf_code rc = sources_find(1, &dir, &now, err);

	for (size_t i = 0; rc == TF_OK && i < now.n; i++)
		rc = evidence_read(&now.v[i], NULL, &read, err);
	if (rc == TF_OK)
		rc = evidence_sums(&read, &is, err);
	if (rc == TF_OK)
		rc = evidence_sums(&a->evidence, &was, err);
	if (rc == TF_OK && (was.n != is.n || memcmp(was.p, is.p, is.n) != 0))
		rc = tf_fail(err, TF_INVALID,
		    "%s changed the evidence that it judges", ask.evaluate);
	tf_buf_free(&was);
	tf_buf_free(&is);
	evidence_free(&read);
	sources_free(&now);
	return rc;
}

/* The claim, and annotations that name the judge: path, digest and status. */
static enum tf_code
claim_verdict(struct attest *a, const struct program_verdict *v,
    struct tf_error *err)
{
	char hex[65], number[16];
	enum tf_code rc = claims_add(&a->claims, "compliant",
	    v->exit == 0 ? "true" : "false", err);

	tf_hex(v->sha256.b, 32, hex);
	(void)snprintf(number, sizeof(number), "%d", v->exit);
	if (rc == TF_OK)
		rc = claims_add(&a->claims, "annotation.evaluator", v->path,
		    err);
	if (rc == TF_OK)
		rc = claims_add(&a->claims, "annotation.evaluator_sha256", hex,
		    err);
	return rc == TF_OK ?
	    claims_add(&a->claims, "annotation.evaluator_exit", number, err) :
	    rc;
}

/* What the evaluator printed becomes evidence too, unless it is empty. */
static enum tf_code
record_output(struct attest *a, const struct tf_buf *output,
    struct tf_error *err)
{
	enum tf_code rc;

	if (output->n == 0)
		return TF_OK;
	rc = recorder_create(&a->r, OUTPUT, 0666, err);
	if (rc == TF_OK)
		rc = recorder_write(&a->r, output->p, output->n, err);
	if (rc == TF_OK)
		rc = recorder_end(&a->r, err);
	return rc == TF_OK ?
	    evidence_add(&a->evidence, OUTPUT, output->p, output->n, err) :
	    rc;
}

/*
 * The program and its arguments: the words of the command, split at blanks
 * without a shell, then --evaluate-arg, and the directory of the evidence as the
 * last; as the working directory, so that no name of a draft gets into its
 * output.  *argv points into *command; the caller frees both.
 */
static enum tf_code
arguments(char ***argv, char **command, struct tf_error *err)
{
	static char here[] = ".";
	const size_t max = strlen(ask.evaluate) / 2 + ask.evaluate_arg.n + 3;
	char *rest, *word;
	size_t n = 0;

	*command = rest = strdup(ask.evaluate);
	*argv = calloc(max, sizeof(**argv));
	if (*command == NULL || *argv == NULL)
		return tf_nomem(err);
	while ((word = strsep(&rest, " \t\n")) != NULL)
		if (*word != '\0')
			(*argv)[n++] = word;
	if (n == 0)
		return tf_fail(err, TF_USAGE, "--evaluate names no program");
	for (size_t i = 0; i < ask.evaluate_arg.n; i++)
		(*argv)[n++] = (char *)ask.evaluate_arg.v[i];
	(*argv)[n] = here;
	return TF_OK;
}

/* The output of an evaluator that did not decide is recorded nowhere, so it
 * goes to stderr, line by line. */
static void
print_lines(struct tf_buf *text)
{
	char *rest = text->n > 0 && *text_of(text) != '\0' ? text->p : NULL;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			report_note("%s: %s", ask.evaluate, line);
}

/* Judge the copies in the draft and not the sources: what was judged is exactly
 * what is recorded. */
static enum tf_code
evaluate(struct attest *a, struct tf_error *err)
{
	struct program_verdict v = { 0 };
	char *dir = NULL, *command = NULL, **argv = NULL;
	enum tf_code rc = recorder_directory(&a->r, &dir, err);

	if (rc == TF_OK && dir == NULL)
		return tf_fail(err, TF_USAGE,
		    "--evaluate needs a mount: the program reads the evidence "
		    "there");
	if (rc == TF_OK)
		rc = arguments(&argv, &command, err);
	if (rc == TF_OK)
		rc = program_judge(argv, dir, &v, err);
	if (rc == TF_OK && v.exit > 1) {
		print_lines(&v.output);
		rc = tf_fail(err, TF_INDOUBT,
		    "%s exited with %d, so nothing is recorded: 0 is "
		    "compliant, 1 is not",
		    ask.evaluate, v.exit);
	}
	if (rc == TF_OK)
		rc = check_unchanged(a, dir, err);
	if (rc == TF_OK)
		rc = record_output(a, &v.output, err);
	if (rc == TF_OK)
		rc = claim_verdict(a, &v, err);
	program_verdict_free(&v);
	free(argv);
	free(command);
	free(dir);
	return rc;
}

/* --- the answer ------------------------------------------------------------------- */

/* What checks found, as in attestation.json. */
static void
put_evaluated(struct tf_json *j, const struct attest *a)
{
	if (a->verdict.evaluated.n > 0)
		tf_put_raw(j, "evaluated", tf_buf_bytes(&a->verdict.evaluated));
}

/* The parts of the entry that the arguments decide, and the verdict. */
static enum tf_code
print_entry(struct attest *a, struct tf_error *err)
{
	struct tf_buf b = { 0 }, claims = { 0 };
	struct tf_json j;
	char path[1200];
	enum tf_code rc = claims_json(&a->claims, &claims, err);

	(void)snprintf(path, sizeof(path), "%s/%s", a->r.wf, a->name);
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	if (claims.n > 0)
		tf_put_raw(&j, "claims", tf_buf_bytes(&claims));
	put_evaluated(&j, a);
	if (a->evidence.n > 0) {
		tf_json_key(&j, "evidence");
		tf_json_array(&j);
		for (size_t i = 0; i < a->evidence.n; i++) {
			const struct evidence_file *f = &a->evidence.v[i];

			tf_json_object(&j);
			tf_put_cstr(&j, "path", f->name);
			tf_put_hash(&j, "sha256", &f->sha256);
			tf_put_uint(&j, "size", f->size);
			tf_json_object_end(&j);
		}
		tf_json_array_end(&j);
	}
	tf_put_bool(&j, "is_compliant", a->verdict.compliant);
	tf_put_cstr(&j, "path", path);
	tf_put_cstr(&j, "type", "attestation.sealed");
	tf_json_object_end(&j);
	if (rc == TF_OK && (rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&claims);
	tf_buf_free(&b);
	return rc;
}

/* Read the verdict of what was recorded. If that fails, the verdict is left out
 * of the answer: the recording has succeeded. */
static void
read_verdict(struct attest *a)
{
	struct tf_buf sums = { 0 }, json = { 0 };
	struct tf_json_doc d = { 0 };
	struct tf_error ignored = { 0 };
	struct tf_str text;
	int t;

	if (recorder_recorded(&a->r, a->name, &sums, &json, &ignored) ==
		TF_OK &&
	    json.n > 0 &&
	    tf_json_parse_status(&d, json.p, json.n - 1, &ignored) == TF_OK) {
		t = tf_json_get(&d, 0, "is_compliant");
		a->has_verdict = t >= 0 && d.tok[t].type == TF_JSON_BOOL;
		a->verdict.compliant = a->has_verdict && d.tok[t].num != 0;
		if ((t = tf_json_get(&d, 0, "evaluated")) >= 0) {
			text = tf_json_text(&d, t);
			tf_buf_add(&a->verdict.evaluated, text.p, text.n);
		}
	}
	tf_json_doc_free(&d);
	tf_buf_free(&json);
	tf_buf_free(&sums);
}

/* After the store is closed: the answer promises what is durable. */
static enum tf_code
print(struct attest *a, const char *wf, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	char path[1200];
	int n = snprintf(path, sizeof(path), "%s/%s", wf, a->name);
	enum tf_code rc;

	if (!ask.json) {
		text_put(stdout, path, (size_t)n);
		if (a->already)
			printf("  already recorded");
		else
			printf("  recorded, %zu file%s", a->evidence.n,
			    a->evidence.n == 1 ? "" : "s");
		if (a->has_verdict && !a->verdict.compliant)
			printf(", NOT compliant%s",
			    foretold_has_no_type(&a->verdict) ?
				": " TF_TYPE_UNDEFINED :
				"");
		putchar('\n');
		return TF_OK;
	}
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	put_evaluated(&j, a);
	tf_put_uint(&j, "files", a->evidence.n);
	if (a->has_verdict)
		tf_put_bool(&j, "is_compliant", a->verdict.compliant);
	tf_put_cstr(&j, "path", path);
	tf_put_bool(&j, "recorded", !a->already);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/* --- the verb --------------------------------------------------------------------- */

/* The name is taken: by the same evidence?  Nothing is written for that. */
static enum tf_code
compare(struct attest *a, const char *state, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < a->sources.n; i++)
		rc = evidence_read(&a->sources.v[i], NULL, &a->evidence, err);
	if (rc == TF_OK && (a->name = strdup(a->r.name)) == NULL)
		rc = tf_nomem(err);
	return rc == TF_OK ? publish_taken(&a->r, state, &a->evidence,
				 &a->claims, &a->already, err) :
			     rc;
}

/* Fill a draft and publish it; with --dry-run do the same, print the entry and
 * leave the draft to recorder_close(), which drops it. */
static enum tf_code
record(struct attest *a, struct tf_error *err)
{
	enum tf_code rc = recorder_begin(&a->r, RECORDER_ATTEST, true, err);

	if (rc == TF_OK)
		rc = publish_copy(&a->r, &a->sources, &a->evidence, err);
	if (rc == TF_OK && ask.evaluate != NULL)
		rc = evaluate(a, err);
	if (rc == TF_OK)
		rc = publish_claims(&a->r, &a->claims, err);
	if (rc == TF_OK)
		rc = interrupt_check(err);
	if (rc == TF_OK && !ask.dry_run)
		return publish_draft(&a->r, ask.again, &a->evidence, &a->claims,
		    &a->name, &a->already, err);
	if (rc == TF_OK && ask.again)
		rc = publish_next(&a->r, &a->name, err);
	else if (rc == TF_OK && (a->name = strdup(a->r.name)) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = publish_check(&a->r, a->name, err);
	if (rc == TF_OK)
		rc = foretell(&a->r, a->name, &a->evidence, &a->claims,
		    &a->verdict, err);
	return rc == TF_OK ? print_entry(a, err) : rc;
}

/* Is the newest version the same?  Otherwise record the next one. */
static enum tf_code
repeat(struct attest *a, struct tf_error *err)
{
	char state[16];
	enum tf_code rc = publish_newest(&a->r, &a->name, state, err);

	if (rc != TF_OK)
		return rc;
	if (a->name == NULL)
		return record(a, err);
	if (strcmp(state, "sealed") != 0)
		return publish_taken(&a->r, state, &a->evidence, &a->claims,
		    &a->already, err);
	for (size_t i = 0; rc == TF_OK && i < a->sources.n; i++)
		rc = evidence_read(&a->sources.v[i], NULL, &a->evidence, err);
	if (rc == TF_OK)
		rc = publish_compare(&a->r, a->name, &a->evidence, &a->claims,
		    &a->already, err);
	if (rc != TF_OK || a->already)
		return rc;
	evidence_free(&a->evidence);
	free(a->name);
	a->name = NULL;
	ask.again = true;
	return record(a, err);
}

/* With --evaluate a taken name is compared only after judging, since the
 * verdict is a claim and so is a part of the comparison. */
static enum tf_code
attest(struct attest *a, const char *path, struct tf_error *err)
{
	char state[16];
	enum tf_code rc = recorder_open(path, &a->r, err);

	if (rc == TF_OK && (ask.again || ask.repeat))
		rc = publish_unversioned(&a->r,
		    ask.again ? "--again" : "--repeat", err);
	if (rc == TF_OK)
		rc = recorder_workflow(&a->r, ask.begin && !ask.dry_run, err);
	if (rc == TF_OK && ask.repeat)
		return repeat(a, err);
	if (rc == TF_OK)
		rc = recorder_state(&a->r, a->r.name, state, err);
	if (rc != TF_OK)
		return rc;
	if (state[0] != '\0' && !ask.again && ask.evaluate == NULL)
		return compare(a, state, err);
	return record(a, err);
}

/* Take "-" out of the arguments. Returns how often it was there. */
static int
take_input(int *n, char **arg)
{
	int kept = 1, all = *n;

	for (int i = 1; i < all; i++)
		if (strcmp(arg[i], "-") != 0)
			arg[kept++] = arg[i];
	*n = kept;
	return all - kept;
}

/* What a table of options cannot say. NULL: nothing is wrong. */
static const char *
wrong_options(int n, int inputs)
{
	if (inputs > 1)
		return "- is there twice: standard input is one file";
	if (inputs == 1 && ask.name == NULL)
		return "- is standard input: --name says which file it becomes";
	if (inputs == 0 && ask.name != NULL)
		return "--name is for standard input, which is -";
	if (inputs == 1 && ask.repeat)
		return "--repeat reads files twice, which standard input is not";
	if (ask.evaluate != NULL && ask.claims.compliant != NULL)
		return "--evaluate and --compliant exclude each other";
	if (ask.repeat && (ask.again || ask.evaluate != NULL))
		return "--repeat and --again or --evaluate exclude each other";
	if (ask.evaluate == NULL && ask.evaluate_arg.n > 0)
		return "--evaluate-arg is for --evaluate";
	if (n + inputs < 2 && !ask.seal)
		return "a FILE is missing; --seal records an attestation "
		       "without one";
	return NULL;
}

static int
run(int n, char **arg)
{
	const int inputs = take_input(&n, arg);
	const char *wrong = wrong_options(n, inputs);
	struct attest a = { .r.fd = -1 };
	struct tf_error err = { 0 };
	char *wf = NULL;
	enum tf_code rc;

	if (wrong != NULL)
		return cmd_usage(&cmd_attest, wrong);
	rc = claims_take(&ask.claims, &a.claims, &err);
	if (rc == TF_OK)
		rc = sources_find(n - 1, arg + 1, &a.sources, &err);
	if (rc == TF_OK && inputs > 0)
		rc = sources_add_input(&a.sources, ask.name, &err);
	interrupt_hold();
	if (rc == TF_OK)
		rc = attest(&a, arg[0], &err);
	if (rc == TF_OK && (!ask.dry_run || a.already))
		read_verdict(&a);
	if (rc == TF_OK && (wf = strdup(a.r.wf)) == NULL)
		rc = tf_nomem(&err);
	rc = recorder_close(&a.r, rc, &err);
	if (rc == TF_OK && (!ask.dry_run || a.already))
		rc = print(&a, wf, &err);
	interrupt_release();
	free(wf);
	free(a.name);
	claims_free(&a.claims);
	sources_free(&a.sources);
	evidence_free(&a.evidence);
	tf_buf_free(&a.verdict.evaluated);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_attest = {
	.name = "attest",
	.summary = "record files as a sealed attestation, whole or not at all",
	.usage = "[OPTION...] PATH FILE...|- --name FILE",
	.options = options,
	.min = 1,
	.max = VERB_ANY_NUMBER,
	.run = run,
};
