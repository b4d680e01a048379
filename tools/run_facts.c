/*
 * run.json: see run_facts.h.
 *
 * Arguments may have any bytes and may be empty, so this is JSON as RFC 8259
 * has it and not the canonical form of entries. Members are written in the
 * order of their names all the same, so that equal facts give equal bytes.
 *
 * Secrets: a recorded file can never be removed. So a value is masked when its
 * name contains one of a few words, in any case. A name that only looks secret
 * loses its value, which is the smaller damage.
 */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "program.h"
#include "run_facts.h"

#define MASK "***"

/* Is one of the words anywhere in the name? "MONKEY" is masked too: better too
 * much than too little. */
static bool
looks_secret(const char *name, size_t n)
{
	static const char *const words[] = { "TOKEN", "SECRET", "PASS", "KEY",
		"CREDENTIAL", "AUTHORIZATION", "PRIVATE", "COOKIE" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i]);

		for (size_t at = 0; at + len <= n; at++)
			if (strncasecmp(name + at, words[i], len) == 0)
				return true;
	}
	return false;
}

/* A string; bytes that are not UTF-8 become U+FFFD. */
static void
put_string(struct tf_buf *out, const char *s)
{
	size_t left = strlen(s);
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

/* NAME=VALUE and --name=VALUE, and the VALUE after --name. */
static void
put_command(struct tf_buf *out, char **argv)
{
	bool mask_next = false;

	tf_buf_str(out, "\"command\":[");
	for (size_t i = 0; argv[i] != NULL; i++) {
		size_t name = strcspn(argv[i], "=");
		bool secret = looks_secret(argv[i], name);

		tf_buf_str(out, i > 0 ? "," : "");
		if (mask_next) {
			put_string(out, MASK);
		} else if (secret && argv[i][name] == '=' && i > 0) {
			char *shown = NULL;

			if (asprintf(&shown, "%.*s=" MASK, (int)name, argv[i]) <
			    0)
				shown = NULL;
			put_string(out, shown != NULL ? shown : MASK);
			free(shown);
		} else {
			put_string(out, argv[i]);
		}
		mask_next = !mask_next && secret && i > 0 &&
		    argv[i][0] == '-' && argv[i][name] == '\0';
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

		if (i > 0 && strcmp(env->v[i], env->v[i - 1]) == 0)
			continue;
		tf_buf_str(out, i > 0 ? "," : "");
		put_string(out, env->v[i]);
		tf_buf_str(out, ":");
		if (value == NULL)
			tf_buf_str(out, "null");
		else if (looks_secret(env->v[i], strlen(env->v[i])))
			put_string(out, MASK);
		else
			put_string(out, value);
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
