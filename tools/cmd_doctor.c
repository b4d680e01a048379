/*
 * trailctl doctor: examine the host, and a store or a mount, or an organisation,
 * and say what is wrong and what to do about it.  It takes no lock, and changes
 * nothing; only the trial of an organisation's locks leaves an object behind.
 *
 * The exit status is 1 if there is a finding, and else 2 if a part could not be
 * examined: a monitor must not take "not seen" for "in order".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "doctor.h"
#include "report.h"
#include "text.h"
#include "where.h"

static struct {
	bool json, quiet;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	ARGS_QUIET(&ask.quiet),
	{ 0 },
};

/* The answer so far. */
struct answer {
	struct tf_buf out;
	struct tf_json j;
	uint64_t n[TF_DOCTOR_GRADES];
};

static const char *const words[TF_DOCTOR_GRADES] = {
	[TF_DOCTOR_OK] = "ok",
	[TF_DOCTOR_NOTE] = "note",
	[TF_DOCTOR_WRONG] = "wrong",
	[TF_DOCTOR_UNSEEN] = "unknown",
};

/* Write s as a member whose characters are safe on a terminal, too. */
static void
put_shown(struct answer *a, const char *key, const char *s)
{
	struct tf_buf shown = { 0 };

	text_add(&shown, s, strlen(s));
	tf_json_key(&a->j, key);
	tf_json_buf(&a->j, &shown);
	tf_buf_free(&shown);
}

static void
say(void *arg, const struct tf_doctor_line *l)
{
	struct answer *a = arg;

	a->n[l->grade]++;
	if (ask.json) {
		tf_json_object(&a->j);
		put_shown(a, "about", l->about);
		if (l->cure != NULL)
			put_shown(a, "do", l->cure);
		put_shown(a, "grade", words[l->grade]);
		put_shown(a, "text", l->text);
		tf_json_object_end(&a->j);
		return;
	}
	tf_buf_printf(&a->out, "%-8s %-8s ", l->about, words[l->grade]);
	text_add(&a->out, l->text, strlen(l->text));
	tf_buf_str(&a->out, "\n");
	if (l->cure == NULL)
		return;
	tf_buf_printf(&a->out, "%-8s %-8s do: ", "", "");
	text_add(&a->out, l->cure, strlen(l->cure));
	tf_buf_str(&a->out, "\n");
}

static enum tf_code
examine_store(const struct tf_doctor *d, const char *store, bool mounted,
    struct tf_error *err)
{
	struct tf_doctor_user user;
	enum tf_code rc = tf_doctor_store(store, d, &user, err);

	if (rc == TF_OK && !mounted)
		doctor_mount_point(d, store, &user);
	doctor_limits(d, user.now ? user.pid : 0);
	return rc;
}

/* Examine what arg names.  Without an argument, a working directory that is in
 * no vault is no fault. */
static enum tf_code
examine(const struct tf_doctor *d, const char *arg, struct tf_error *err)
{
	struct where w = { 0 };
	char *store = NULL;
	enum tf_code rc = doctor_many(d, arg != NULL ? arg : ".", err);

	if (rc != TF_NOTFOUND)
		return rc;
	rc = where_find(arg != NULL ? arg : ".", &w, err);
	if (rc == TF_NOMEM)
		goto out;
	if (rc != TF_OK) {
		rc = arg == NULL || doctor_bare(d, arg, err) ? TF_OK : rc;
		if (rc == TF_OK)
			doctor_limits(d, 0);
		goto out;
	}
	if (w.mount == NULL) {
		rc = examine_store(d, w.store, false, err);
		goto out;
	}
	doctor_mount(d, &w);
	if (where_store(&w, &store, err) == TF_OK)
		rc = examine_store(d, store, true, err);
	else
		tf_doctor_say(d, "store", TF_DOCTOR_UNSEEN,
		    "trailctl doctor STORE", "%s", err->text);
out:
	free(store);
	where_free(&w);
	return rc;
}

static bool
is_uri(const char *arg)
{
	return strncmp(arg, "dir:", 4) == 0 || strstr(arg, "://") != NULL;
}

static int
status_of(const struct answer *a)
{
	return a->n[TF_DOCTOR_WRONG] > 0 ? REPORT_FINDING :
	    a->n[TF_DOCTOR_UNSEEN] > 0	 ? REPORT_USAGE :
					   REPORT_OK;
}

static enum tf_code
finish(struct answer *a, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (ask.json) {
		tf_json_array_end(&a->j);
		tf_json_key(&a->j, "unknown");
		tf_json_int(&a->j, (int64_t)a->n[TF_DOCTOR_UNSEEN]);
		tf_json_key(&a->j, "wrong");
		tf_json_int(&a->j, (int64_t)a->n[TF_DOCTOR_WRONG]);
		tf_json_object_end(&a->j);
		rc = tf_json_end(&a->j, err);
		tf_buf_str(&a->out, "\n");
	}
	if (rc == TF_OK)
		rc = tf_buf_end(&a->out, err);
	if (rc == TF_OK && (!ask.quiet || status_of(a) != REPORT_OK))
		fwrite(a->out.p, 1, a->out.n, stdout);
	return rc;
}

static int
run(int n, char **arg)
{
	struct answer a = { .out = { 0 } };
	const struct tf_doctor d = { .say = say, .arg = &a };
	struct tf_error err = { 0 };
	int status;
	enum tf_code rc;

	if (n == 2 && !is_uri(arg[0]))
		return cmd_usage(&cmd_doctor, "give one store or path");
	if (n == 1 && is_uri(arg[0]) && strncmp(arg[0], "dir:", 4) != 0)
		return cmd_no_blobs(&cmd_doctor, arg[0]);
	if (ask.json) {
		tf_json_begin(&a.j, &a.out);
		tf_json_object(&a.j);
		tf_json_key(&a.j, "lines");
		tf_json_array(&a.j);
	}
	if (n > 0 && is_uri(arg[0])) {
		rc = tf_doctor_organisation(arg[0], arg[n - 1], &d, &err);
	} else {
		doctor_host(&d);
		rc = examine(&d, n > 0 ? arg[0] : NULL, &err);
	}
	if (rc == TF_OK)
		rc = finish(&a, &err);
	status = rc == TF_OK ? status_of(&a) : REPORT_USAGE;
	if (rc != TF_OK)
		(void)report(&err);
	tf_buf_free(&a.out);
	return status;
}

const struct verb cmd_doctor = {
	.name = "doctor",
	.summary =
	    "say what is wrong with host, store or mount, and what to do",
	.usage = "[OPTION...] [STORE|PATH]\n[OPTION...] LEDGER [BLOBS]",
	.options = options,
	.min = 0,
	.max = 2,
	.run = run,
};
