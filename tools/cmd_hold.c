/*
 * trailctl hold: place, release and list holds.
 *
 * A hold has a name, that of a case for example.  What is at or below its place
 * is neither redacted nor disposed of until the last hold is released.
 */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "core/base/member.h"
#include "protect.h"
#include "report.h"
#include "text.h"

static struct {
	bool json;
	const char *reason;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "reason",
	    .letter = 'r',
	    .value = "TEXT",
	    .help = "why it is placed or released; required",
	    .text = &ask.reason },
	{ 0 },
};

static enum tf_code
make_request(const char *action, const char *hold, struct tf_buf *out,
    struct tf_error *err)
{
	bool place = strcmp(action, "place") == 0;
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	if (place)
		tf_put_cstr(&j, "place", hold);
	tf_put_cstr(&j, "reason", ask.reason);
	if (!place)
		tf_put_cstr(&j, "release", hold);
	tf_json_object_end(&j);
	if (tf_json_end(&j, err) != TF_OK)
		return tf_fail(err, TF_INVALID,
		    "the name or the reason is empty, or has characters that "
		    "an entry cannot hold");
	return TF_OK;
}

static int
change(const char *action, const char *path, const char *hold)
{
	struct where w = { 0 };
	struct tf_buf request = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(path, &w, &err);

	if (rc == TF_OK)
		rc = make_request(action, hold, &request, &err);
	if (rc == TF_OK)
		rc = protect_set(&w, PROTECT_HOLDS, &request, &err);
	if (rc == TF_OK && ask.json) {
		printf("%s\n", text_of(&request));
	} else if (rc == TF_OK) {
		text_put(stdout, w.path, strlen(w.path));
		printf("  %s %s\n",
		    strcmp(action, "place") == 0 ? "held:" : "released:", hold);
	}
	tf_buf_free(&request);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

/* "2026-11-29T10:00:00Z  case-17  t/w  alice (1001)  the reason" */
static void
print_hold(const struct tf_json_doc *d, int h)
{
	struct tf_buf line = { 0 };
	int by = tf_json_get(d, h, "by"), reason = tf_json_get(d, h, "reason");

	text_add_when(&line, d, h);
	tf_buf_str(&line, " ");
	text_add_token(&line, d, tf_json_get(d, h, "hold"));
	tf_buf_str(&line, "  ");
	text_add_token(&line, d, tf_json_get(d, h, "path"));
	tf_buf_str(&line, "  ");
	if (by >= 0)
		text_add_actor(&line, d, by);
	if (reason >= 0) {
		tf_buf_str(&line, "  ");
		text_add_token(&line, d, reason);
	}
	puts(text_of(&line));
	tf_buf_free(&line);
}

static int
list(const char *path)
{
	struct where w = { 0 };
	struct tf_buf text = { 0 };
	struct tf_json_doc d = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(path, &w, &err);
	int t;

	if (rc == TF_OK)
		rc = protect_get(&w, PROTECT_HOLDS, &text, &err);
	if (rc == TF_OK && text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (rc == TF_OK && ask.json)
		printf("%s\n", text_of(&text));
	else if (rc == TF_OK)
		rc = tf_json_parse(&d, text.p, text.n, &err);
	if (rc == TF_OK && !ask.json && (t = tf_json_get(&d, 0, "holds")) >= 0)
		for (uint32_t i = (uint32_t)t + 1; i < d.tok[t].next;
		     i = d.tok[i].next)
			print_hold(&d, (int)i);
	tf_json_doc_free(&d);
	tf_buf_free(&text);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

static int
run(int n, char **arg)
{
	if (strcmp(arg[0], "list") == 0) {
		if (n != 2 || ask.reason != NULL)
			return cmd_usage(&cmd_hold, "list takes a path");
		return list(arg[1]);
	}
	if (n != 3)
		return cmd_usage(&cmd_hold, "give a path and a name");
	if (ask.reason == NULL)
		return cmd_usage(&cmd_hold, "--reason is required");
	return change(arg[0], arg[1], arg[2]);
}

const struct verb cmd_hold = {
	.name = "hold",
	.summary = "place, release and list holds",
	.usage = "place|release --reason TEXT [--json] PATH HOLD\n"
		 "list [--json] PATH",
	.options = options,
	.actions = "place|release|list",
	.min = 2,
	.max = 3,
	.run = run,
};
