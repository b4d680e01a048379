/*
 * run.json: see run_facts.h.
 *
 * Arguments may have any bytes and may be empty, so this is JSON as RFC 8259
 * has it and not the canonical form of entries. Members are written in the
 * order of their names all the same, so that equal facts give equal bytes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "program.h"
#include "run_facts.h"
#include "secrets.h"

/* A string of n bytes; bytes that are not UTF-8 become U+FFFD. */
static void
put_bytes(struct tf_buf *out, const char *s, size_t left)
{
	uint32_t cp;
	unsigned n;

	tf_buf_str(out, "\"");
	for (; left > 0; s += n, left -= n) {
		n = tf_utf8(s, left, &cp);
		if (n == 0) {
			n = 1;
			tf_buf_str(out, "\\ufffd");
		} else if (*s == '"' || *s == '\\') {
			tf_buf_printf(out, "\\%c", *s);
		} else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			tf_buf_printf(out, "\\u%04x", (unsigned)cp);
		} else {
			tf_buf_add(out, s, n);
		}
	}
	tf_buf_str(out, "\"");
}

static void
put_string(struct tf_buf *out, const char *s)
{
	put_bytes(out, s, strlen(s));
}

/* What secrets.h left of an argument or a value.  Frees shown. */
static void
put_shown(struct tf_buf *out, struct tf_buf *shown)
{
	out->failed = out->failed || shown->failed;
	put_bytes(out, shown->p, shown->n);
	tf_buf_free(shown);
}

static void
put_command(struct tf_buf *out, char **argv)
{
	tf_buf_str(out, "\"command\":[");
	for (size_t i = 0; argv[i] != NULL; i++) {
		struct tf_buf shown = { 0 };

		secrets_argument(&shown, argv, i);
		tf_buf_str(out, i > 0 ? "," : "");
		put_shown(out, &shown);
	}
	tf_buf_str(out, "]");
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A variable that is not set is null. */
static void
put_environment(struct tf_buf *out, const struct args_list *env)
{
	if (env->n == 0)
		return;
	qsort(env->v, env->n, sizeof(*env->v), by_name);
	tf_buf_str(out, ",\"environment\":{");
	for (size_t i = 0; i < env->n; i++) {
		const char *value = program_variable(env->v[i]);
		struct tf_buf shown = { 0 };

		if (i > 0 && strcmp(env->v[i], env->v[i - 1]) == 0)
			continue;
		tf_buf_str(out, i > 0 ? "," : "");
		put_string(out, env->v[i]);
		tf_buf_str(out, ":");
		if (value == NULL) {
			tf_buf_str(out, "null");
			continue;
		}
		if (secrets_name(env->v[i], strlen(env->v[i])))
			tf_buf_str(&shown, SECRETS_MASK);
		else
			secrets_text(&shown, value);
		put_shown(out, &shown);
	}
	tf_buf_str(out, "}");
}

/* The name as kill(1) spells it; a number for real-time signals. */
static void
put_signal(struct tf_buf *out, int sig)
{
	const char *name = sigabbrev_np(sig);

	if (name != NULL)
		tf_buf_printf(out, ",\"signal\":\"SIG%s\"", name);
	else
		tf_buf_printf(out, ",\"signal\":\"%d\"", sig);
}

enum tf_code
run_facts(char **argv, const struct args_list *env, struct tf_time began,
    const struct child_end *end, struct tf_buf *out, struct tf_error *err)
{
	char at[TF_TIME_LEN + 1], host[256] = "", *dir = getcwd(NULL, 0);

	tf_buf_str(out, "{");
	put_command(out, argv);
	if (dir != NULL) {
		tf_buf_str(out, ",\"cwd\":");
		put_string(out, dir);
	}
	if (end != NULL) {
		tf_time_text(end->ended, at);
		tf_buf_printf(out, ",\"ended_at\":\"%s\"", at);
	}
	put_environment(out, env);
	if (end != NULL && end->signal == 0)
		tf_buf_printf(out, ",\"exit_status\":%d", end->exit);
	if (gethostname(host, sizeof(host) - 1) == 0) {
		tf_buf_str(out, ",\"host\":");
		put_string(out, host);
	}
	if (end != NULL && end->signal != 0)
		put_signal(out, end->signal);
	tf_time_text(began, at);
	tf_buf_printf(out, ",\"started_at\":\"%s\"}\n", at);
	free(dir);
	return tf_buf_end(out, err);
}
