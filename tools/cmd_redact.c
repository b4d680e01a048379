/*
 * trailctl redact and trailctl dispose: two people have the bytes of evidence
 * deleted.
 *
 * The first call proposes and prints the number of the proposal; another person
 * approves exactly this number, so that nobody approves what he has not read.
 * The only difference between the verbs is why: redact is for what should not
 * have been recorded, dispose for what need not be kept any longer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "core/protection.h"
#include "protect.h"
#include "report.h"
#include "text.h"

static struct {
	bool json, list;
	const char *reason, *approve, *text;
	uint64_t entry; /* TF_TEXT_NEWEST without one */
} ask = { .entry = TF_TEXT_NEWEST };

static const struct args_option options[] = {
	{ .name = "approve",
	    .value = "NUMBER",
	    .help = "approve that proposal of another person",
	    .text = &ask.approve },
	{ .name = "entry",
	    .value = "NUMBER",
	    .help = "with --text: the entry that has it (the newest)",
	    .number = &ask.entry },
	ARGS_JSON(&ask.json),
	{ .name = "list",
	    .help = "print what was proposed and redacted at or below PATH",
	    .flag = &ask.list },
	{ .name = "reason",
	    .letter = 'r',
	    .value = "TEXT",
	    .help = "why the bytes are deleted",
	    .text = &ask.reason },
	{ .name = "text",
	    .value = "NAME",
	    .help = "a text of an entry: reason, description, annotation.KEY",
	    .text = &ask.text },
	{ 0 },
};

/*
 * Cut w, a file of evidence, to its attestation; *rest becomes the path below
 * it, "" for an attestation.  w->file ends in the same names as w->path.
 */
static enum tf_code
cut_to_attestation(struct where *w, char **rest, struct tf_error *err)
{
	char *p = w->path;
	size_t n;

	for (int names = 0; names < 3 && p != NULL; names++)
		p = strchr(names == 0 ? p : p + 1, '/');
	*rest = strdup(p == NULL ? "" : p + 1);
	if (*rest == NULL)
		return tf_nomem(err);
	if (p == NULL)
		return TF_OK;
	n = strlen(p);
	*p = '\0';
	if (w->file != NULL && strlen(w->file) > n)
		w->file[strlen(w->file) - n] = '\0';
	return TF_OK;
}

static enum tf_code
make_request(const char *rest, bool expired, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	if (ask.approve != NULL)
		tf_put_cstr(&j, "approve", ask.approve);
	if (ask.entry != TF_TEXT_NEWEST)
		tf_put_uint(&j, "entry", ask.entry);
	if (ask.approve != NULL && rest[0] != '\0')
		tf_put_cstr(&j, "file", rest);
	if (ask.approve == NULL && ask.text == NULL)
		tf_put_cstr(&j, "propose", rest);
	if (ask.approve == NULL)
		tf_put_cstr(&j, "reason", ask.reason);
	if (ask.text != NULL)
		tf_put_cstr(&j, "text", ask.text);
	else
		tf_put_cstr(&j, "what", expired ? "expired" : "content");
	tf_json_object_end(&j);
	if (tf_json_end(&j, err) != TF_OK)
		return tf_fail(err, TF_INVALID,
		    "the reason is empty, or has characters that an entry "
		    "cannot hold");
	return TF_OK;
}

static bool
is_text(const struct tf_json_doc *d, int obj, const char *key, const char *want)
{
	int t = tf_json_get(d, obj, key);
	struct tf_buf text = { 0 };
	bool same;

	if (t < 0)
		return false;
	same = tf_json_string(d, t, &text, NULL) == TF_OK &&
	    tf_str_same(tf_buf_bytes(&text), tf_str_of(want));
	tf_buf_free(&text);
	return same;
}

/* Print the redactions of w, or only the one of the file rest, or of the
 * proposal that was approved. */
static enum tf_code
print_redactions(const struct where *w, const char *rest, struct tf_error *err)
{
	struct tf_buf text = { 0 }, path = { 0 };
	struct tf_json_doc d = { 0 };
	enum tf_code rc = protect_get(w, PROTECT_REDACTIONS, &text, err);
	int list;

	if (rc == TF_OK && text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (rc == TF_OK && ask.json) {
		printf("%s\n", text_of(&text));
		tf_buf_free(&text);
		return TF_OK;
	}
	tf_buf_printf(&path, "%s%s%s", w->path, rest[0] == '\0' ? "" : "/",
	    rest);
	if (rc == TF_OK)
		rc = tf_json_parse(&d, text.p, text.n, err);
	if (rc == TF_OK && (list = tf_json_get(&d, 0, "redactions")) >= 0)
		for (uint32_t i = (uint32_t)list + 1; i < d.tok[list].next;
		     i = d.tok[i].next)
			if (ask.text != NULL ?
				is_text(&d, (int)i, "text", ask.text) :
				rest[0] == '\0' ||
				    is_text(&d, (int)i, "path", text_of(&path)))
				protect_print_redaction(&d, (int)i);
	tf_json_doc_free(&d);
	tf_buf_free(&text);
	tf_buf_free(&path);
	return rc;
}

static int
redact(const char *arg, bool expired)
{
	struct where w = { 0 };
	struct tf_buf request = { 0 };
	struct tf_error err = { 0 };
	char *rest = NULL;
	enum tf_code rc = where_find(arg, &w, &err);

	if (rc == TF_OK)
		rc = cut_to_attestation(&w, &rest, &err);
	if (rc == TF_OK && ask.text != NULL && rest[0] != '\0')
		rc = tf_fail(&err, TF_USAGE,
		    "texts are about trails, workflows and attestations, not "
		    "about files");
	if (rc == TF_OK && !ask.list && ask.text == NULL && rest[0] == '\0')
		rc = tf_fail(&err, TF_USAGE,
		    "%s: name one file of evidence: a directory is not "
		    "redacted as a whole",
		    w.path);
	if (rc == TF_OK && !ask.list)
		rc = make_request(rest, expired, &request, &err);
	if (rc == TF_OK && !ask.list)
		rc = protect_set(&w, PROTECT_REDACTIONS, &request, &err);
	if (rc == TF_OK) {
		rc = print_redactions(&w, rest, &err);
		/* An approver need not be a reader. */
		if (rc == TF_ACCESS && !ask.list)
			rc = TF_OK;
	}
	tf_buf_free(&request);
	free(rest);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

static int
run_redact(int n, char **arg)
{
	(void)n;
	if ((ask.reason != NULL) + (ask.approve != NULL) + ask.list != 1)
		return cmd_usage(&cmd_redact,
		    "give one of --reason, --approve and --list");
	if (ask.entry != TF_TEXT_NEWEST &&
	    (ask.text == NULL || ask.reason == NULL))
		return cmd_usage(&cmd_redact,
		    "--entry goes with --text and --reason");
	return redact(arg[0], false);
}

static int
run_dispose(int n, char **arg)
{
	(void)n;
	if ((ask.reason != NULL) + (ask.approve != NULL) + ask.list > 1)
		return cmd_usage(&cmd_dispose,
		    "--reason, --approve and --list exclude each other");
	if (ask.text != NULL || ask.entry != TF_TEXT_NEWEST)
		return cmd_usage(&cmd_dispose, "texts have no retention");
	if (ask.reason == NULL)
		ask.reason = "its retention is over";
	return redact(arg[0], true);
}

const struct verb cmd_redact = {
	.name = "redact",
	.summary = "have two people delete what should not have been recorded",
	.usage = "--reason TEXT [--text NAME [--entry NUMBER]] [--json] PATH\n"
		 "--approve NUMBER [--text NAME] [--json] PATH\n"
		 "--list [--json] PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run_redact,
};

const struct verb cmd_dispose = {
	.name = "dispose",
	.summary = "have two people delete what need not be kept any longer",
	.usage = "[--reason TEXT] [--json] PATH\n"
		 "--approve NUMBER [--json] PATH\n"
		 "--list [--json] PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run_dispose,
};
