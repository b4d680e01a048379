/*
 * trailctl template, type and recipients: definitions of a trail.
 *
 * These verbs have the same actions, so one run() counts their arguments and
 * does them; a type only has a name in addition. check reads a text without a
 * vault, for an editor or a pipeline before it merges. set changes nothing if
 * the newest version is that text already. show prints the bytes of the
 * version, as they were set; of a workflow it prints the version by which the
 * workflow is judged, which may be older.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "compliance.h"
#include "core/base/member.h"
#include "define.h"
#include "report.h"
#include "text.h"

static struct {
	bool json;
	uint64_t version;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "version",
	    .value = "N",
	    .help = "with show: this version, not the newest",
	    .number = &ask.version },
	{ 0 },
};

/* A failure is printed here: the definition itself was set or read. */
static void
print_json(struct tf_buf *b, struct tf_json *j)
{
	struct tf_error err = { 0 };

	if (tf_json_end(j, &err) == TF_OK)
		printf("%s\n", text_of(b));
	else
		report_note("%s", err.text);
	tf_buf_free(b);
}

/* text NULL: no member text; changed NULL: no member changed. */
static void
print_one(const struct define *d, uint64_t version, const struct tf_buf *text,
    const bool *changed)
{
	struct tf_buf b = { 0 };
	struct tf_json j;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	if (changed != NULL)
		tf_put_bool(&j, "changed", *changed);
	if (d->kind == TF_DEFINITION_TYPE)
		tf_put_cstr(&j, "name", d->name);
	tf_put_cstr(&j, "path", d->w->path);
	if (text != NULL)
		tf_put_str(&j, "text", (struct tf_str){ text->p, text->n });
	if (version != 0)
		tf_put_uint(&j, "version", version);
	tf_json_object_end(&j);
	print_json(&b, &j);
}

/* By the depth of the path: only trails have definitions. */
static enum tf_code
must_be_trail(const struct where *w, struct tf_error *err)
{
	return compliance_of_trail(w) ?
	    TF_OK :
	    tf_fail(err, TF_USAGE, "%s is not a trail", w->path);
}

/* --- set ------------------------------------------------------------------ */

/* Checked before the vault is asked; see define_read(). */
static enum tf_code
set(const struct define *d, const char *file, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	uint64_t version = 0;
	bool changed = false;
	enum tf_code rc = must_be_trail(d->w, err);

	if (rc == TF_OK)
		rc = define_read(d->kind, d->name, file, &text, err);
	if (rc == TF_OK)
		rc = define_set(d, &text, &changed, &version, err);
	if (rc == TF_OK && ask.json) {
		print_one(d, version, NULL, &changed);
	} else if (rc == TF_OK) {
		text_put(stdout, d->w->path, strlen(d->w->path));
		printf("  %s%s%s", define_word(d->kind),
		    d->kind == TF_DEFINITION_TYPE ? " " : "", d->name);
		if (version != 0)
			printf(" version %llu", (unsigned long long)version);
		puts(changed ? "" : ", unchanged");
	}
	tf_buf_free(&text);
	return rc;
}

/* --- show ----------------------------------------------------------------- */

static enum tf_code
show(struct define *d, struct where *w, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	uint64_t version = ask.version;
	enum tf_code rc = TF_OK;

	if (d->kind == TF_DEFINITION_TEMPLATE && compliance_of_workflow(w))
		rc = define_of_workflow(w, &version, err);
	if (rc == TF_OK)
		rc = must_be_trail(w, err);
	if (rc == TF_OK)
		rc = define_get(d, &text, &version, err);
	if (rc == TF_OK && ask.json)
		print_one(d, version, &text, NULL);
	else if (rc == TF_OK)
		(void)fwrite(text.p, 1, text.n, stdout);
	if (rc == TF_OK && d->kind == TF_DEFINITION_TEMPLATE)
		define_warn(w, &text);
	tf_buf_free(&text);
	return rc;
}

/* --- list ----------------------------------------------------------------- */

/* Version 0: the mount does not show it. */
static void
print_type(void *arg, const char *name, uint64_t version)
{
	struct define d = *(struct define *)arg;

	d.name = name;
	if (ask.json)
		print_one(&d, version, NULL, NULL);
	else if (version != 0)
		printf("%s  version %llu\n", name, (unsigned long long)version);
	else
		puts(name);
}

static enum tf_code
list(struct define *d, struct tf_error *err)
{
	enum tf_code rc = must_be_trail(d->w, err);

	return rc == TF_OK ? define_types(d, print_type, d, err) : rc;
}

/* --- the two verbs --------------------------------------------------------- */

/* The exit status is the answer; the reasons are on stderr. */
static int
check(const struct verb *v, const struct define *d, const char *file)
{
	struct tf_buf text = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (ask.version != 0)
		return cmd_usage(v, "--version is for show");
	rc = define_read(d->kind, d->name, file, &text, &err);
	tf_buf_free(&text);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

/* arg: what to do, the trail, the name of a type (of types), the file. */
static int
run(const struct verb *v, enum tf_definition_kind kind, int n, char **arg)
{
	const int names = kind == TF_DEFINITION_TYPE;
	struct where w = { 0 };
	/* To check the text of a type, any name will do. */
	struct define d = { &w, kind, names ? "x" : "" };
	struct tf_error err = { 0 };
	enum tf_code rc = TF_OK;
	const char *what = arg[0];
	int want = strcmp(what, "set") == 0    ? 3 + names :
	    strcmp(what, "show") == 0	       ? 2 + names :
	    names && strcmp(what, "list") == 0 ? 2 :
	    strcmp(what, "check") == 0	       ? 2 :
						 0;

	if (n != want)
		return cmd_usage(v,
		    n < want ? "an argument is missing" :
			       "there are too many arguments");
	if (ask.version != 0 && strcmp(what, "show") != 0)
		return cmd_usage(v, "--version is for show");
	if (strcmp(what, "check") == 0)
		return check(v, &d, arg[1]);
	if (names && n > 2)
		d.name = arg[2];
	rc = where_find(arg[1], &w, &err);
	if (rc == TF_OK && *what == 'l')
		rc = list(&d, &err);
	else if (rc == TF_OK && strcmp(what, "set") == 0)
		rc = set(&d, arg[n - 1], &err);
	else if (rc == TF_OK)
		rc = show(&d, &w, &err);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

static int
run_template(int n, char **arg)
{
	return run(&cmd_template, TF_DEFINITION_TEMPLATE, n, arg);
}

static int
run_recipients(int n, char **arg)
{
	return run(&cmd_recipients, TF_DEFINITION_RECIPIENTS, n, arg);
}

static int
run_type(int n, char **arg)
{
	return run(&cmd_type, TF_DEFINITION_TYPE, n, arg);
}

const struct verb cmd_template = {
	.name = "template",
	.summary = "set, show or check the template of a trail",
	.usage = "set [OPTION...] TRAIL FILE|-\n"
		 "show [OPTION...] TRAIL|WORKFLOW\n"
		 "check FILE|-",
	.options = options,
	.actions = "set|show|check",
	.min = 1,
	.max = 3,
	.run = run_template,
};

const struct verb cmd_recipients = {
	.name = "recipients",
	.summary = "set, show or check the recipients of a trail's evidence",
	.usage = "set [OPTION...] TRAIL FILE|-\n"
		 "show [OPTION...] TRAIL\n"
		 "check FILE|-",
	.options = options,
	.actions = "set|show|check",
	.min = 1,
	.max = 3,
	.run = run_recipients,
};

const struct verb cmd_type = {
	.name = "type",
	.summary = "set, show, list or check the attestation types of a trail",
	.usage = "set [OPTION...] TRAIL NAME FILE|-\n"
		 "show [OPTION...] TRAIL NAME\n"
		 "list [OPTION...] TRAIL\n"
		 "check FILE|-",
	.options = options,
	.actions = "set|show|list|check",
	.min = 1,
	.max = 4,
	.run = run_type,
};
