/*
 * trailctl retain: how long a trail, workflow or attestation is kept.
 *
 * A retention is only ever extended, so the same command twice is success, and
 * a shorter one is refused.  Without options the present retention is printed.
 */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "core/base/member.h"
#include "core/definition.h"
#include "files.h"
#include "protect.h"
#include "report.h"
#include "text.h"

static struct {
	bool json;
	const char *period, *mode, *rule, *rule_text;
	char until[TF_TIME_LEN + 1];
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "for",
	    .value = "PERIOD",
	    .help = "7y, 18m, 2w or 90d, counted from the seal",
	    .text = &ask.period },
	{ .name = "mode",
	    .value = "governance|never",
	    .closed = true,
	    .help = "never: it is never disposed of",
	    .text = &ask.mode },
	{ .name = "rule",
	    .value = "ID",
	    .help = "the rule that demands it",
	    .text = &ask.rule },
	{ .name = "rule-text",
	    .value = "FILE",
	    .help = "the text of that rule; its digest is recorded",
	    .text = &ask.rule_text },
	{ .name = "until",
	    .letter = 'U',
	    .value = "TIME",
	    .help = "kept until TIME (UTC)",
	    .time = ask.until },
	{ 0 },
};

/* The digest of the text of the rule. */
static enum tf_code
hash_text(char hex[65], struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_hash h;
	enum tf_code rc = files_read(ask.rule_text, TF_USER_DATA_MAX, &text,
	    err);

	if (rc == TF_OK) {
		tf_sha256(text.n > 0 ? text.p : "", text.n, &h);
		tf_hex(h.b, sizeof(h.b), hex);
	}
	tf_buf_free(&text);
	return rc;
}

static enum tf_code
make_request(struct tf_buf *out, struct tf_error *err)
{
	char hex[65];
	struct tf_json j;
	enum tf_code rc = TF_OK;

	if (ask.rule_text != NULL && (rc = hash_text(hex, err)) != TF_OK)
		return rc;
	tf_json_begin(&j, out);
	tf_json_object(&j);
	if (ask.period != NULL)
		tf_put_cstr(&j, "for", ask.period);
	if (ask.mode != NULL)
		tf_put_cstr(&j, "mode", ask.mode);
	if (ask.rule != NULL) {
		tf_json_key(&j, "rule");
		tf_json_object(&j);
		tf_put_cstr(&j, "id", ask.rule);
		if (ask.rule_text != NULL)
			tf_put_cstr(&j, "sha256", hex);
		tf_json_object_end(&j);
	}
	if (ask.until[0] != '\0')
		tf_put_cstr(&j, "until", ask.until);
	tf_json_object_end(&j);
	if (tf_json_end(&j, err) != TF_OK)
		return tf_fail(err, TF_INVALID,
		    "an option has characters that an entry cannot hold");
	return TF_OK;
}

/* "t  kept until 2033-11-29 (7y, rule SOX, set on t)" */
static void
print_kept(const char *path, const struct tf_json_doc *d)
{
	static const char *const parts[] = { "for", "mode", "path", NULL };
	struct tf_buf line = { 0 };
	int r = tf_json_get(d, 0, "retention"), t;
	struct tf_str kept = { "", 0 };

	text_add(&line, path, strlen(path));
	if (r >= 0)
		kept = tf_json_text(d, tf_json_get(d, r, "kept"));
	if (r < 0)
		tf_buf_str(&line, "  no retention");
	else if (tf_str_same(kept, tf_str_of("\"forever\"")))
		tf_buf_str(&line, "  kept for ever");
	else if (tf_str_same(kept, tf_str_of("\"open\"")))
		tf_buf_str(&line, "  kept from its seal on");
	else {
		tf_buf_str(&line, "  kept until ");
		text_add_token(&line, d, tf_json_get(d, r, "ends"));
		if (tf_str_same(kept, tf_str_of("\"over\"")))
			tf_buf_str(&line, ", which is over");
	}
	for (unsigned i = 0; r >= 0 && parts[i] != NULL; i++) {
		if ((t = tf_json_get(d, r, parts[i])) < 0)
			continue;
		tf_buf_printf(&line, "  %s ", parts[i]);
		text_add_token(&line, d, t);
	}
	if (r >= 0 && (t = tf_json_get(d, r, "rule")) >= 0) {
		tf_buf_str(&line, "  rule ");
		text_add_token(&line, d, tf_json_get(d, t, "id"));
	}
	puts(text_of(&line));
	tf_buf_free(&line);
}

static enum tf_code
print(const struct where *w, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_json_doc d = { 0 };
	enum tf_code rc = protect_get(w, false, &text, err);

	if (rc == TF_OK && text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (rc == TF_OK && ask.json)
		printf("%s\n", text_of(&text));
	else if (rc == TF_OK &&
	    (rc = tf_json_parse(&d, text.p, text.n, err)) == TF_OK)
		print_kept(w->path, &d);
	tf_json_doc_free(&d);
	tf_buf_free(&text);
	return rc;
}

static int
run(int n, char **arg)
{
	bool sets = ask.period != NULL || ask.until[0] != '\0' ||
	    ask.mode != NULL;
	struct where w = { 0 };
	struct tf_buf request = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	(void)n;
	if (!sets && (ask.rule != NULL || ask.rule_text != NULL))
		return cmd_usage(&cmd_retain,
		    "a rule without --for, --until or --mode never");
	if (ask.rule == NULL && ask.rule_text != NULL)
		return cmd_usage(&cmd_retain, "--rule-text without --rule");
	rc = where_find(arg[0], &w, &err);
	if (rc == TF_OK && sets)
		rc = make_request(&request, &err);
	if (rc == TF_OK && sets)
		rc = protect_set(&w, PROTECT_RETENTION, &request, &err);
	/* Who may set it may read it. */
	if (rc == TF_OK)
		rc = print(&w, &err);
	tf_buf_free(&request);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_retain = {
	.name = "retain",
	.summary = "say how long a trail, workflow or attestation is kept",
	.usage = "[--json] --for PERIOD|--until TIME|--mode never [OPTION...] "
		 "PATH\n"
		 "[--json] PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
