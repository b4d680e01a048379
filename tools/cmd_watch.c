/*
 * trailctl watch: each new entry as a line, or a program per entry.
 *
 * An entry is delivered when its line was written, or when its program has
 * exited with 0 or was given up. The cursor moves behind it afterwards. So a
 * crash in between delivers it once more, and nothing is ever left out. Entries
 * are copied first, in batches, because an open control file or a program that
 * waits would keep the mount busy.
 *
 * One round: look at the ledger, copy up to BATCH entries, let go of the mount,
 * deliver them, save the cursor, wait. Entries that no filter wants move the
 * cursor too, at the end of the batch, so that they are not read again after a
 * restart. With a program the cursor is saved after each entry, without one
 * after each batch: lines that were flushed twice do less harm than programs
 * that ran twice.
 *
 * A remount is waited for: the place is an entry number and a digest
 * (ledger_lines.h), which are valid in the next mount of the same vault, and
 * TF_FOREIGN in another.
 *
 * A signal ends the loop between two entries, after the program that runs. Exit
 * status 0, or 1 if --keep-going skipped an entry, because a caller must be
 * able to see that something was not delivered; errors as everywhere.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "core/base/member.h"
#include "entry_match.h"
#include "event_program.h"
#include "interrupt.h"
#include "ledger_lines.h"
#include "program.h"
#include "report.h"
#include "text.h"
#include "watch_cursor.h"

#define BATCH 256 /* entries that are copied at a time */
#define BACKOFF_MAX_S 60
#define TIMEOUT_DEFAULT_S 60
#define NO_END UINT64_MAX /* tries */

static struct {
	bool json, all;
	const char *cursor, *exec, *user;
	struct args_list types;
	uint64_t timeout, tries;
} ask = { .timeout = TIMEOUT_DEFAULT_S, .tries = NO_END };

static const struct args_option options[] = {
	{ .name = "all",
	    .help = "without a cursor, begin with the first entry",
	    .flag = &ask.all },
	{ .name = "cursor",
	    .value = "FILE",
	    .help = "remember in FILE what was delivered",
	    .text = &ask.cursor },
	{ .name = "exec",
	    .value = "PROGRAM",
	    .help = "run PROGRAM for each entry, which it reads",
	    .text = &ask.exec },
	ARGS_JSON(&ask.json),
	{ .name = "keep-going",
	    .value = "NUMBER",
	    .help = "skip an entry after so many failed tries",
	    .number = &ask.tries },
	{ .name = "timeout",
	    .value = "SECONDS",
	    .help = "end a program after so long; default: 60",
	    .number = &ask.timeout },
	{ .name = "type",
	    .letter = 't',
	    .value = "TYPE",
	    .word = tf_vault_type,
	    .help = "only entries of this type; may be repeated",
	    .list = &ask.types },
	{ .name = "user",
	    .value = "NAME",
	    .help = "run the program as this user",
	    .text = &ask.user },
	{ 0 },
};

struct event {
	struct tf_buf line;
	uint64_t seq;
	struct lines_place after;
};

struct watch {
	struct lines l;
	struct cursor cursor;
	struct event_program program;
	const char *path; /* only this and what is below it; NULL for all */
	struct lines_place place; /* what was delivered */
	struct event batch[BATCH];
	size_t n;
	struct lines_place seen; /* behind the batch and what nobody wants */
	uint64_t skipped;	 /* entries that were given up */
	bool gone;
};

/* --- collecting ------------------------------------------------------------------ */

/* A filter decides what is delivered and never what is counted as seen. */
static bool
is_wanted(const struct watch *w, const struct tf_json_doc *d)
{
	return match_type(d, &ask.types) &&
	    (w->path == NULL || match_below(d, w->path));
}

/*
 * Take one line of the ledger. TF_NODATA when the batch is full: the line is
 * then not seen, and comes first in the next round. A malformed line is
 * reported and passed over, because it would stop the watch for ever.
 */
static enum tf_code
collect(void *arg, const char *p, size_t n, struct tf_error *err)
{
	struct watch *w = arg;
	struct event *e = &w->batch[w->n];
	struct tf_json_doc d = { 0 };
	struct tf_error why = { 0 };
	bool wanted, damaged;

	if (w->n == BATCH)
		return TF_NODATA;
	if (tf_json_parse(&d, p, n, &why) != TF_OK ||
	    tf_vault_check_entry(p, n, &why) == TF_INVALID ||
	    !lines_seq(p, n, &e->seq)) {
		damaged = tf_json_get(&d, 0, "damaged") >= 0;
		report_note("a record is malformed and no event: %.*s%s",
		    damaged && n < 64 ? (int)n : 0, p, why.text);
		tf_json_doc_free(&d);
		return TF_OK;
	}
	wanted = is_wanted(w, &d);
	tf_json_doc_free(&d);
	if (!wanted)
		return TF_OK;
	e->line.n = 0;
	tf_buf_add(&e->line, p, n);
	e->after = w->seen;
	lines_move(&e->after, p, n);
	w->n++;
	return tf_buf_end(&e->line, err);
}

/* --- delivering ------------------------------------------------------------------ */

/* Sleep, but not past a signal.  TF_INTERRUPTED. */
static enum tf_code
sleep_s(uint64_t seconds, struct tf_error *err)
{
	enum tf_code rc;

	for (; seconds > 0; seconds--) {
		if ((rc = interrupt_check(err)) != TF_OK)
			return rc;
		(void)sleep(1);
	}
	return interrupt_check(err);
}

/* One line per try: on stdout as JSON for programs, on stderr for people if it
 * failed. */
static void
report_try(const struct event *e, const struct event_result *r, uint64_t try,
    const char *then)
{
	struct tf_buf b = { 0 };
	struct tf_json j;

	if (ask.json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		if (r->exit >= 0)
			tf_put_uint(&j, "exit", (uint64_t)r->exit);
		tf_put_bool(&j, "ok", r->ok);
		tf_put_uint(&j, "seq", e->seq);
		if (r->signal != 0)
			tf_put_uint(&j, "signal", (uint64_t)r->signal);
		if (r->timed_out)
			tf_put_bool(&j, "timed_out", true);
		tf_put_uint(&j, "try", try);
		tf_json_object_end(&j);
		if (tf_json_end(&j, NULL) == TF_OK)
			printf("%s\n", text_of(&b));
		fflush(stdout);
		tf_buf_free(&b);
	}
	if (r->ok)
		return;
	if (r->timed_out)
		tf_buf_printf(&b, "took longer than %llu s",
		    (unsigned long long)ask.timeout);
	else if (r->signal != 0)
		tf_buf_printf(&b, "was ended by signal %d", r->signal);
	else
		tf_buf_printf(&b, "exited with %d", r->exit);
	report_note("entry %llu, try %llu: %s %s; %s",
	    (unsigned long long)e->seq, (unsigned long long)try, ask.exec,
	    text_of(&b), then);
	tf_buf_free(&b);
}

/* Run the program until it succeeds or is given up. */
static enum tf_code
run_program(struct watch *w, const struct event *e, struct tf_error *err)
{
	uint64_t wait = 1, try = 1;
	struct event_result r;
	char then[64];
	enum tf_code rc;

	for (;; try++) {
		rc = event_program_run(&w->program, e->line.p, e->line.n,
		    e->seq, try, &r, err);
		if (rc != TF_OK)
			return rc;
		if (r.ok || try >= ask.tries)
			break;
		(void)snprintf(then, sizeof(then), "again in %llu s",
		    (unsigned long long)wait);
		report_try(e, &r, try, then);
		if ((rc = sleep_s(wait, err)) != TF_OK)
			return rc;
		wait = wait * 2 > BACKOFF_MAX_S ? BACKOFF_MAX_S : wait * 2;
	}
	report_try(e, &r, try, "skipped");
	w->skipped += !r.ok;
	return TF_OK;
}

/* Deliver in the order of the ledger. On failure the cursor stands behind the
 * last delivered entry. */
static enum tf_code
deliver_batch(struct watch *w, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < w->n; i++) {
		const struct event *e = &w->batch[i];

		if (ask.exec == NULL) {
			fwrite(e->line.p, 1, e->line.n, stdout);
			putchar('\n');
			continue;
		}
		/* A signal that came before the program began ends here. */
		if ((rc = interrupt_check(err)) == TF_OK)
			rc = run_program(w, e, err);
		if (rc == TF_OK) {
			w->place = e->after;
			rc = cursor_save(&w->cursor, &w->place, err);
		}
	}
	if (rc == TF_OK && (fflush(stdout) != 0 || ferror(stdout)))
		rc = report_system(err, "stdout");
	if (rc != TF_OK)
		return rc;
	w->place = w->seen;
	return cursor_save(&w->cursor, &w->place, err);
}

/* --- the whole ------------------------------------------------------------------- */

/* Until a signal comes or an error that waiting does not heal. */
static enum tf_code
watch(struct watch *w, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && (rc = interrupt_check(err)) == TF_OK) {
		w->n = 0;
		w->seen = w->place;
		rc = lines_look_from(&w->l, &w->seen, err);
		if (rc == TF_OK)
			rc = lines_continue(&w->l, &w->seen, collect, w, err);
		lines_pause(&w->l);
		if (rc == TF_OK && (rc = deliver_batch(w, err)) != TF_OK)
			break;
		if (rc == TF_OK && w->n == BATCH)
			continue;
		rc = lines_wait(&w->l, rc, &w->gone, err);
	}
	return rc;
}

/* Where to begin: behind the cursor; else now, or with --all at the start. */
static enum tf_code
begin(struct watch *w, struct tf_error *err)
{
	bool found;
	enum tf_code rc = cursor_open(&w->cursor, ask.cursor, &w->place, &found,
	    err);

	if (rc != TF_OK || found)
		return rc;
	if (!ask.all)
		rc = lines_now(&w->l, &w->place, err);
	/* From now on nothing is left out. */
	return rc == TF_OK ? cursor_save(&w->cursor, &w->place, err) : rc;
}

/* Who runs the program: events have names and texts of other users, so root must
 * say it, and only root can say another one. */
static enum tf_code
choose_user(struct tf_error *err)
{
	const struct passwd *pw;

	if (ask.exec != NULL && ask.user == NULL && geteuid() == 0)
		return tf_fail(err, TF_USAGE,
		    "root must say which user runs the program: --user NAME");
	if (ask.user == NULL)
		return TF_OK;
	if ((pw = getpwnam(ask.user)) == NULL)
		return tf_fail(err, TF_USAGE, "there is no user %.60s",
		    ask.user);
	if (geteuid() == 0)
		return TF_OK;
	if (pw->pw_uid != geteuid())
		return tf_fail(err, TF_USAGE,
		    "only root can run a program as another user: --user %.60s",
		    ask.user);
	ask.user = NULL; /* it has these rights already */
	return TF_OK;
}

/* arg: the path, and then the arguments of the program. */
static enum tf_code
prepare(struct watch *w, int n, char **arg, struct tf_error *err)
{
	char **argv = arg;
	enum tf_code rc;

	if (ask.exec == NULL && (n > 1 || ask.user != NULL))
		return tf_fail(err, TF_USAGE,
		    "arguments and --user need --exec");
	if (ask.timeout == 0 || ask.tries == 0)
		return tf_fail(err, TF_USAGE,
		    "--timeout and --keep-going take 1 or more");
	if ((rc = choose_user(err)) != TF_OK)
		return rc;
	rc = lines_open(&w->l, n > 0 ? arg[0] : ".", err);
	if (rc != TF_OK)
		return rc;
	lines_gather(&w->l);
	if (strcmp(w->l.w.path, ".") != 0)
		w->path = w->l.w.path;
	if (ask.exec == NULL)
		return TF_OK;
	/* In place of the path stands the program's name. */
	if (n == 0 && (argv = calloc(2, sizeof(*argv))) == NULL)
		return tf_nomem(err);
	argv[0] = (char *)(uintptr_t)ask.exec;
	w->program = (struct event_program){ .argv = argv,
		.user = ask.user,
		.limit_s = ask.timeout,
		.stdout_is_ours = ask.json };
	return program_find(ask.exec, &w->program.path, err);
}

/* A signal is the ordinary end, so TF_INTERRUPTED is no error here. */
static int
run(int n, char **arg)
{
	struct watch *w = calloc(1, sizeof(*w));
	struct tf_error err = { 0 };
	enum tf_code rc;
	bool skipped;

	if (w == NULL) {
		(void)tf_nomem(&err);
		return report(&err);
	}
	w->l.fd = w->cursor.dir = w->cursor.lock = -1;
	interrupt_hold();
	if ((rc = prepare(w, n, arg, &err)) == TF_OK)
		rc = begin(w, &err);
	if (rc == TF_OK)
		rc = watch(w, &err);
	skipped = w->skipped > 0;
	lines_close(&w->l);
	cursor_close(&w->cursor);
	for (size_t i = 0; i < BATCH; i++)
		tf_buf_free(&w->batch[i].line);
	free(w->program.path);
	free(w);
	if (rc != TF_OK && rc != TF_INTERRUPTED)
		return report(&err);
	return skipped ? REPORT_FINDING : REPORT_OK;
}

const struct verb cmd_watch = {
	.name = "watch",
	.summary = "print each new entry, or run a program for it",
	.usage = "[OPTION...] [STORE|PATH]\n"
		 "--exec PROGRAM [OPTION...] STORE|PATH [-- ARGUMENT...]",
	.options = options,
	.min = 0,
	.max = VERB_ANY_NUMBER,
	.run = run,
};
