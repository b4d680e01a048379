/*
 * trailctl kosli: the table of its words, and the command line: see kosli.h.
 *
 * How a line is done: an optional --mount, then a verb, perhaps as one of
 * Kosli's short forms, and an object choose a row of `words`. The options of
 * that row are parsed, then the KOSLI_ variables of the options that the line
 * did not give; so the line wins over the environment, as at Kosli. The word
 * then builds a command line of trailctl (kosli_call()) and runs that verb, so
 * that a vault has one way to record something, whoever asks.
 *
 * A word or an option that means nothing here is refused with the reason and
 * what to do instead, exit status 2. It is never ignored: a pipeline that was
 * moved to trailfs would otherwise believe that something was recorded. Only
 * the three variables that CI systems set for all jobs (API token, host,
 * organization) are passed over, with a note.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/guess.h"
#include "kosli.h"
#include "report.h"

#define VARIABLE "KOSLI_"
#define DRY_RUN "DRY_RUN" /* the API token of a dry run, as at Kosli */

struct kosli_ask kosli_ask = { .page = 1, .page_limit = 20 };

/* In the order of `trailctl kosli --help`. */
static const struct kosli_word *const words[] = {
	&kosli_create_flow,
	&kosli_create_type,
	&kosli_begin_trail,
	&kosli_attest_generic,
	&kosli_attest_junit,
	&kosli_attest_custom,
	&kosli_attest_decision,
	&kosli_attest_override,
	&kosli_get_trail,
	&kosli_get_attestation,
	&kosli_list_trails,
	&kosli_list_flows,
	&kosli_evaluate_trail,
	&kosli_evaluate_trails,
	&kosli_evaluate_input,
	&kosli_log_trail,
	&kosli_search,
	&kosli_fingerprint,
};
#define WORDS (sizeof(words) / sizeof(words[0]))

/* Words of Kosli that have no meaning here, and what to do instead. */
static const struct {
	const char *verb, *object; /* NULL: any */
	const char *instead;
} refused[] = {
	{ "assert", "artifact",
	    "use trailctl assert TRAIL/WORKFLOW, which exits 1 or 5 unless it "
	    "is compliant" },
	{ "assert", NULL, "use trailctl assert TRAIL/WORKFLOW" },
	{ "evaluate", NULL, "use evaluate trail, trails or input" },
	{ "attest", "artifact",
	    "an artifact is named by the attestations about it: attest with "
	    "--fingerprint" },
	{ "attest", NULL,
	    "record the file with attest generic or attest custom" },
	{ "get", NULL, NULL },
	{ "list", NULL, NULL },
	{ "create", NULL, NULL },
	{ "begin", NULL, NULL },
	{ "log", NULL, NULL },
	{ "tag", NULL, "use trailctl attest --annotate, or setfattr" },
	{ "status", NULL, "use trailctl status" },
	{ "diff", NULL, NULL },
	{ "snapshot", NULL, "running software is not recorded here" },
	{ "allow", NULL, "use trailctl override" },
	{ "archive", NULL, "nothing in a vault is archived or removed" },
	{ "unarchive", NULL, "nothing in a vault is archived or removed" },
	{ "rename", NULL, "names in a vault never change" },
	{ "update", NULL, NULL },
	{ "attach-policy", NULL, "running software is not recorded here" },
	{ "detach-policy", NULL, "running software is not recorded here" },
	{ "config", NULL, "give options or KOSLI_ variables" },
	{ "completion", NULL, NULL },
	{ "version", NULL, "use trailctl --version" },
};

/* Kosli's short forms of verbs. */
static const struct {
	const char *is, *verb;
} aliases[] = {
	{ "g", "get" },
	{ "lo", "log" },
	{ "s", "status" },
	{ "st", "status" },
	{ "re", "rename" },
	{ "u", "update" },
	{ "up", "update" },
};

const struct kosli_word *
kosli_word(size_t i)
{
	return i < WORDS ? words[i] : NULL;
}

/* --- help ------------------------------------------------------------------------- */

/* One line; the options are in the manual page. */
static void
print_usage(FILE *f, const struct kosli_word *w)
{
	fprintf(f, "usage: trailctl kosli %s%s%s [OPTION...]%s%s\n", w->verb,
	    w->object != NULL ? " " : "", w->object != NULL ? w->object : "",
	    *w->operand != '\0' ? " " : "", w->operand);
}

/* For --help, and after a word that does not exist. */
static void
print_words(FILE *f)
{
	fputs("usage: trailctl kosli WORD... [OPTION...]\n\n", f);
	for (size_t i = 0; i < WORDS; i++)
		fprintf(f, "  %-6s %-18s%s\n", words[i]->verb,
		    words[i]->object != NULL ? words[i]->object : "",
		    words[i]->is);
	fputs("\nThe manual page trailctl-kosli(1) has the options.\n", f);
}

int
kosli_usage(const struct kosli_word *w, const char *fmt, ...)
{
	char reason[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	report_note("kosli %s%s%s: %s", w->verb, w->object != NULL ? " " : "",
	    w->object != NULL ? w->object : "", reason);
	print_usage(stderr, w);
	return REPORT_USAGE;
}

/* --- the environment ---------------------------------------------------------------- */

/* The variable of an option, as KOSLI_ORIGIN_URL. */
static const char *
variable(const char *option, char out[64])
{
	size_t n = strlen(VARIABLE);

	(void)memcpy(out, VARIABLE, n);
	for (; *option != '\0' && n < 63; option++)
		out[n++] = *option == '-' ?
		    '_' :
		    (char)toupper((unsigned char)*option);
	out[n] = '\0';
	return out;
}

/* Did the command line give this option? */
static bool
is_given(const struct args_option *o)
{
	if (o->text != NULL)
		return *o->text != NULL;
	if (o->list != NULL)
		return o->list->n > 0;
	if (o->truth != NULL)
		return *o->truth != ARGS_NOT_GIVEN;
	return false; /* a number: checked by its caller */
}

/* What CI systems set for all jobs is no request to do anything. */
static bool
is_global(const char *option)
{
	return strcmp(option, "api-token") == 0 ||
	    strcmp(option, "host") == 0 || strcmp(option, "org") == 0;
}

/* Say which global variables had no effect, so that nobody believes that a
 * server was asked. */
static void
note_unused(void)
{
	static const char *const all[] = { "KOSLI_API_TOKEN", "KOSLI_HOST",
		"KOSLI_ORG" };
	char line[128] = "";

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const char *value = getenv(all[i]);

		if (value == NULL || *value == '\0' ||
		    strcmp(value, DRY_RUN) == 0)
			continue;
		if (line[0] != '\0')
			(void)strcat(line, ", ");
		(void)strcat(line, all[i]);
	}
	if (line[0] != '\0')
		report_note("not used here: %s", line);
}

/* Write the argument that the variable of option o stands for to *out, for the
 * caller to free; NULL: it stands for none. */
static enum tf_code
from_variable(const struct args_option *o, char **out, struct tf_error *err)
{
	char name[64];
	const char *value = getenv(variable(o->name, name));

	*out = NULL;
	if (value == NULL || is_given(o))
		return TF_OK;
	if (*value == '\0' && o->truth != NULL)
		return tf_fail(err, TF_USAGE, "%s is empty", name);
	if (*value == '\0' || (o->refused != NULL && is_global(o->name)))
		return TF_OK;
	if (o->refused != NULL)
		return tf_fail(err, TF_USAGE, "%s has no meaning here: %s",
		    name, o->refused);
	return asprintf(out, "--%s=%s", o->name, value) < 0 ? tf_nomem(err) :
							      TF_OK;
}

/* The arguments that variables stand for live as long as the program uses
 * them. */
static char *extra[66];

static void
free_variables(void)
{
	for (size_t i = 0; i < sizeof(extra) / sizeof(*extra); i++) {
		free(extra[i]);
		extra[i] = NULL;
	}
}

/* Does the number differ from what it was before the command line was read? */
static bool
is_changed(const uint64_t *number, const struct kosli_ask *before)
{
	const uint64_t *was = number == &kosli_ask.page ? &before->page :
							  &before->page_limit;

	return *number != *was;
}

/*
 * Read the variables as if they were options, through the same parser and with
 * the same messages. Numbers and others that are on the command line are not
 * read again.
 */
static enum tf_code
take_variables(const struct kosli_word *w, const struct kosli_ask *before,
    struct tf_error *err)
{
	char *argv[66], name[64];
	const char *token = getenv("KOSLI_API_TOKEN");
	bool help = false;
	int n = 1;
	enum tf_code rc = TF_OK;

	argv[0] = NULL;
	for (const struct args_option *o = w->options;
	     rc == TF_OK && o->name != NULL; o++) {
		if (o->number != NULL && is_changed(o->number, before))
			continue;
		rc = from_variable(o, &extra[n], err);
		argv[n] = extra[n];
		n += rc == TF_OK && extra[n] != NULL;
		if (rc == TF_OK && o->truth == &kosli_ask.dry_run &&
		    token != NULL && strcmp(token, DRY_RUN) == 0)
			kosli_ask.dry_run = ARGS_TRUE;
	}
	argv[n] = NULL;
	if (rc == TF_OK && n > 1)
		rc = args_parse(w->options, &n, argv, &help, err);
	/* The message begins with the option: name the variable instead. */
	if (rc == TF_USAGE && strncmp(err->text, "--", 2) == 0) {
		char option[sizeof(err->text)], text[sizeof(err->text)];
		const size_t end = 2 + strcspn(err->text + 2, " :");

		(void)snprintf(text, sizeof(text), "%s", err->text + end);
		(void)snprintf(option, sizeof(option), "%.*s", (int)end - 2,
		    err->text + 2);
		(void)tf_fail(err, rc, "%s%s", variable(option, name), text);
	}
	return rc;
}

/* --- the command line ------------------------------------------------------------------ */

bool
kosli_is_name(const char *s)
{
	if (!isalnum((unsigned char)s[0]) || strlen(s) > 255)
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80 ||
		    (!isalnum((unsigned char)*s) && strchr(".-_~", *s) == NULL))
			return false;
	return true;
}

bool
kosli_is_fingerprint(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

/* n arguments after the words, and arg[-1] is the last word. */
static int
do_word(const struct kosli_word *w, int n, char **arg)
{
	const struct kosli_ask before = kosli_ask;
	struct tf_error err = { 0 };
	bool help = false;
	enum tf_code rc;

	n++;
	arg--;
	rc = args_parse(w->options, &n, arg, &help, &err);
	if (rc == TF_OK && help) {
		print_usage(stdout, w);
		printf("\nIn words of trailctl: %s.\n\n", w->is);
		args_print(w->options, stdout);
		return REPORT_OK;
	}
	if (rc == TF_OK)
		rc = take_variables(w, &before, &err);
	if (rc != TF_OK)
		return rc == TF_USAGE ? kosli_usage(w, "%s", err.text) :
					report(&err);
	note_unused();
	if (n < w->min)
		return kosli_usage(w, "%s is missing", w->operand);
	if (n > w->max)
		return kosli_usage(w, "\"%s\" is too much", arg[w->max]);
	return w->run(n, arg);
}

/* The first row of `refused` that fits has the answer: rows with an object
 * stand before those for any object. */
static int
no_such_word(const char *verb, const char *object)
{
	const char *two = object != NULL && object[0] != '-' ? object : "";
	struct tf_guess g;
	char text[TF_GUESS_TEXT];

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		if (strcmp(refused[i].verb, verb) != 0 ||
		    (refused[i].object != NULL &&
			strcmp(refused[i].object, two) != 0))
			continue;
		report_note("kosli %s%s%s has no meaning here%s%s", verb,
		    *two != '\0' ? " " : "", two,
		    refused[i].instead != NULL ? ": " : "",
		    refused[i].instead != NULL ? refused[i].instead : "");
		return REPORT_USAGE;
	}
	g = (struct tf_guess){ .typed = verb };
	for (size_t i = 0; i < WORDS; i++)
		tf_guess_add(&g, words[i]->verb);
	if (g.best != NULL && strcmp(g.best, verb) == 0) {
		g = (struct tf_guess){ .typed = two };
		for (size_t i = 0; i < WORDS; i++)
			if (strcmp(words[i]->verb, verb) == 0 &&
			    words[i]->object != NULL)
				tf_guess_add(&g, words[i]->object);
	}
	report_note("kosli has no word %s%s%s%s", verb, *two != '\0' ? " " : "",
	    two, tf_guess_text(&g, "", text));
	report_note("trailctl kosli --help lists the words");
	return REPORT_USAGE;
}

/* `trailctl kosli --mount DIR` may be an alias of a shell. */
static enum tf_code
take_mount(int *n, char ***arg, struct tf_error *err)
{
	static const char mount[] = "--mount";
	const size_t len = strlen(mount);
	char **a = *arg;

	while (*n > 0 && a[0][0] == '-') {
		if (strcmp(a[0], mount) == 0 && *n > 1) {
			kosli_ask.mount = a[1];
			a += 2;
			*n -= 2;
		} else if (strncmp(a[0], mount, len) == 0 && a[0][len] == '=' &&
		    a[0][len + 1] != '\0') {
			kosli_ask.mount = a[0] + len + 1;
			a++;
			--*n;
		} else {
			return tf_fail(err, TF_USAGE,
			    "%s: only --mount DIR may stand before the words",
			    a[0]);
		}
	}
	*arg = a;
	return TF_OK;
}

static int
run_words(int n, char **arg)
{
	const char *verb = n > 0 ? arg[0] : "";

	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (strcmp(aliases[i].is, verb) == 0)
			verb = aliases[i].verb;
	for (size_t i = 0; i < WORDS; i++) {
		const struct kosli_word *w = words[i];

		if (strcmp(w->verb, verb) != 0)
			continue;
		if (w->object == NULL)
			return do_word(w, n - 1, arg + 1);
		if (n > 1 && strcmp(w->object, arg[1]) == 0)
			return do_word(w, n - 2, arg + 2);
	}
	return no_such_word(verb, n > 1 ? arg[1] : NULL);
}

static int
run(int n, char **arg)
{
	struct tf_error err = { 0 };
	int status;

	if (n == 0 || strcmp(arg[0], "--help") == 0 ||
	    strcmp(arg[0], "-h") == 0 || strcmp(arg[0], "help") == 0) {
		print_words(n == 0 ? stderr : stdout);
		return n == 0 ? REPORT_USAGE : REPORT_OK;
	}
	if (take_mount(&n, &arg, &err) != TF_OK)
		return report(&err);
	status = run_words(n, arg);
	for (size_t i = 0; i < WORDS; i++)
		args_free(words[i]->options);
	free_variables();
	return status;
}

const struct verb cmd_kosli = {
	.name = "kosli",
	.summary = "do what a command line of kosli(1) asks for",
	.usage = "WORD... [OPTION...]",
	.max = VERB_ANY_NUMBER,
	.raw = true,
	.run = run,
};
