/*
 * trailctl: the table of verbs, and the command line up to the verb.
 *
 * main() first remembers the environment for programs of the user, and then
 * cleans it: trailctl may run as root, and variables of another user must not
 * choose what it loads. Options are parsed before a verb runs, so a wrong one
 * never has an effect. Standard output is flushed at the very end, and a
 * failure of that replaces the exit status: an answer that could not be written
 * is no success.
 *
 * Under the names mkfs.trailfs and fsck.trailfs the program is what mkfs(8) and
 * fsck(8) call.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "core/org.h"
#include "complete.h"
#include "core/environment.h"
#include "core/guess.h"
#include "core/types.h"
#include "fsck.h"
#include "program.h"
#include "report.h"

/* In the order of `trailctl help`. */
static const struct verb *const verbs[] = {
	&cmd_init,
	&cmd_backup,
	&cmd_restore,
	&cmd_upgrade,
	&cmd_status,
	&cmd_ls,
	&cmd_log,
	&cmd_find,
	&cmd_watch,
	&cmd_show,
	&cmd_compare,
	&cmd_custody,
	&cmd_cat,
	&cmd_trail,
	&cmd_template,
	&cmd_type,
	&cmd_push,
	&cmd_recipients,
	&cmd_attest,
	&cmd_run,
	&cmd_stream,
	&cmd_assert,
	&cmd_override,
	&cmd_evaluate,
	&cmd_grant,
	&cmd_revoke,
	&cmd_access,
	&cmd_retain,
	&cmd_hold,
	&cmd_redact,
	&cmd_dispose,
	&cmd_seal,
	&cmd_sync,
	&cmd_prove,
	&cmd_stamp,
	&cmd_export_log,
	&cmd_package,
	&cmd_unpack,
	&cmd_verify,
	&cmd_doctor,
	&cmd_metrics,
	&cmd_mirror,
	&cmd_forward,
	&cmd_org,
	&cmd_why,
	&cmd_witness,
	&cmd_witness_serve,
	&cmd_key,
	&cmd_kosli,
	&cmd_import,
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* --- usage and help --------------------------------------------------- */

static bool
is_mkfs(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return strcmp(slash != NULL ? slash + 1 : argv0, "mkfs.trailfs") == 0;
}

static const char *called = "trailctl"; /* mkfs.trailfs: it has one verb */

static const char *action; /* the known one that was given, or NULL */

/* Does a line of a usage begin with the action, as "list" in "list|refused"? */
static bool
is_of_action(const char *line, const char *word)
{
	const size_t n = strlen(word), all = strcspn(line, " \n");

	for (const char *p = line; p + n <= line + all;
	     p += strcspn(p, "| \n") + 1)
		if (strncmp(p, word, n) == 0 &&
		    (p + n == line + all || p[n] == '|'))
			return true;
	return false;
}

static bool
has_line(const struct verb *v, const char *word)
{
	const char *line = v->usage;

	for (; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (is_of_action(line, word))
			return true;
	}
	return false;
}

/* One line per alternative of the verb, or of its action. */
static void
print_usage(FILE *f, const struct verb *v)
{
	const bool all = action == NULL || !has_line(v, action);
	const char *line = v->usage, *start = "usage:";
	size_t n;

	do {
		n = strcspn(line, "\n");
		if (!all && !is_of_action(line, action)) {
			line += n + (line[n] != '\0');
			continue;
		}
		fprintf(f, "%-6s %s%s%s %.*s\n", start, called,
		    is_mkfs(called) ? "" : " ", is_mkfs(called) ? "" : v->name,
		    (int)n, line);
		line += n + (line[n] != '\0');
		start = "";
	} while (*line != '\0');
}

/* What the manual page has too, made from the struct. */
static void
print_help(const struct verb *v)
{
	print_usage(stdout, v);
	printf("\n%c%s.\n\n", toupper((unsigned char)v->summary[0]),
	    v->summary + 1);
	args_print(v->options, stdout);
	printf("\nThe manual page trailctl-%s(1) explains more.\n", v->name);
}

static void
print_verbs(FILE *f)
{
	fprintf(f, "usage: trailctl VERB [ARGUMENT...]\n\n");
	for (size_t i = 0; i < VERBS; i++)
		fprintf(f, "  %-10s  %s\n", verbs[i]->name, verbs[i]->summary);
	fprintf(f,
	    "\nSTORE is the directory of a store.  PATH is a file or directory "
	    "in a mount;\nwithout a mount it is STORE/TRAIL/WORKFLOW/...\n"
	    "`trailctl help VERB` lists the options of a verb, and `man "
	    "trailctl-VERB`\nexplains them.\n");
}

const struct verb *
cmd_verb(size_t i)
{
	return i < VERBS ? verbs[i] : NULL;
}

int
cmd_usage(const struct verb *v, const char *reason)
{
	report_note("%s%s%s: %s", v->name, action != NULL ? " " : "",
	    action != NULL ? action : "", reason);
	print_usage(stderr, v);
	return REPORT_USAGE;
}

int
cmd_no_blobs(const struct verb *v, const char *ledger)
{
	char reason[256];

	if (tf_org_is_uri(ledger))
		return cmd_usage(v, "only dir: is a ledger and blobs");
	(void)snprintf(reason, sizeof(reason),
	    "%.80s is no URI of a ledger: did you mean dir:%.80s?", ledger,
	    ledger);
	return cmd_usage(v, reason);
}

/* --- the command line ------------------------------------------------- */

/*
 * Exact names only: a short form would change its meaning when a verb is added.
 */
static const struct verb *
find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(name, verbs[i]->name) == 0)
			return verbs[i];
	return NULL;
}

/* What trailctl does not do, but is asked to by those who do not know it. */
static const char *
other_program(const char *name)
{
	static const struct {
		const char *name, *how;
	} other[] = {
		{ "mount", "trailfs STORE MOUNTPOINT mounts a vault" },
		{ "umount", "umount MOUNTPOINT unmounts a vault" },
		{ "unmount", "umount MOUNTPOINT unmounts a vault" },
	};

	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		if (strcmp(name, other[i].name) == 0)
			return other[i].how;
	return NULL;
}

/* Two lines: a long list would hide the first one. */
static int
no_such_verb(const char *name)
{
	struct tf_guess g = { .typed = name };
	const char *how = other_program(name);
	char text[TF_GUESS_TEXT];

	if (how != NULL) {
		report_note("there is no verb %s: %s", name, how);
		return REPORT_USAGE;
	}
	for (size_t i = 0; i < VERBS; i++)
		tf_guess_add(&g, verbs[i]->name);
	tf_guess_add(&g, "help");
	report_note("there is no %s %s%s", *name == '-' ? "option" : "verb",
	    name, tf_guess_text(&g, "", text));
	report_note("trailctl --help lists the verbs");
	return REPORT_USAGE;
}

/* The same for the options of a verb; reason names the wrong one. */
static int
wrong_option(const struct verb *v, const char *reason)
{
	report_note("%s: %s", v->name, reason);
	report_note("%s%s%s --help lists the options", called,
	    is_mkfs(called) ? "" : " ", is_mkfs(called) ? "" : v->name);
	return REPORT_USAGE;
}

/* Is the first operand one of the actions of the verb?  If not, say so. */
static bool
is_action(const struct verb *v, const char *word)
{
	struct args_option actions = { .value = v->actions,
		.closed = v->actions != NULL };
	struct tf_guess g = { .typed = word };
	char known[ARGS_WORD], best[ARGS_WORD], text[TF_GUESS_TEXT];
	bool any = false;

	for (size_t i = 0; args_word(&actions, i, known); i++) {
		if (strcmp(known, word) == 0) {
			action = word;
			return true;
		}
		tf_guess_add(&g, known);
		if (g.best == known)
			g.best = strcpy(best, known);
		any = true;
	}
	if (any) {
		report_note("%s: there is no action %s%s", v->name, word,
		    tf_guess_text(&g, "", text));
		print_usage(stderr, v);
	}
	return !any;
}

/* Lists of options are freed here, since args_parse() may have begun them
 * before it failed. */
int
cmd_do(const struct verb *v, int n, char **arg)
{
	struct tf_error err = { 0 };
	bool help = false;
	enum tf_code rc;
	int status = REPORT_OK;

	if (v->raw)
		return v->run(n - 1, arg + 1);
	rc = args_parse(v->options, &n, arg, &help, &err);
	if (rc != TF_OK)
		status = rc == TF_USAGE ? wrong_option(v, err.text) :
					  report(&err);
	else if (help)
		print_help(v);
	else if (n > 0 && !is_action(v, arg[0]))
		status = REPORT_USAGE;
	else if (n < v->min)
		status = cmd_usage(v, "an argument is missing");
	else if (v->max != VERB_ANY_NUMBER && n > v->max)
		status = cmd_usage(v, "there are too many arguments");
	else
		status = v->run(n, arg);
	args_free(v->options);
	return status;
}

/* trailctl help [VERB] */
static int
help(int n, char **arg)
{
	const struct verb *v = NULL;
	char option[] = "--help", *own[] = { option, NULL };

	if (n > 2) {
		print_verbs(stderr);
		return REPORT_USAGE;
	}
	if (n == 2 && (v = find(arg[1])) == NULL)
		return no_such_verb(arg[1]);
	if (v != NULL && v->raw)
		return v->run(1, own);
	if (v != NULL)
		print_help(v);
	else
		print_verbs(stdout);
	return REPORT_OK;
}

static bool
is_version(const char *word)
{
	return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

static int
print_version(void)
{
	printf("%s %s\n", called, TF_VERSION);
	return REPORT_OK;
}

/* The command line of trailctl itself. */
static int
run_verb(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct verb *v;

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		print_verbs(stdout);
		return REPORT_OK;
	}
	if (strcmp(word, "help") == 0)
		return help(argc - 1, argv + 1);
	if (is_version(word))
		return print_version();
	if ((v = find(word)) != NULL)
		return cmd_do(v, argc - 1, argv + 1);
	if (*word != '\0')
		return no_such_verb(word);
	print_verbs(stderr);
	return REPORT_USAGE;
}

/* Under another name, the program has no verbs. */
static void
complete_as(const char *name, int n, char **word)
{
	static const struct verb fsck = { .usage = "STORE" };

	if (fsck_is(name) || is_mkfs(name))
		complete_verb(is_mkfs(name) ? &cmd_init : &fsck, n, word);
	else
		complete_line(n, word);
}

int
main(int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "";

	program_keep();
	tf_environment_clean();
	tf_environment_raise_limit();
	if (argc > 2 && strcmp(argv[1], "--complete") == 0) {
		complete_as(name, argc - 2, argv + 2);
		return report_end(REPORT_OK);
	}
	if (fsck_is(name))
		return fsck_status(report_end(fsck_run(argc, argv)));
	if (is_mkfs(name)) {
		called = "mkfs.trailfs";
		if (argc == 2 && is_version(argv[1]))
			return report_end(print_version());
		return report_end(cmd_do(&cmd_init, argc, argv));
	}
	return report_end(run_verb(argc, argv));
}
