/* trailctl org: make and govern an organisation (core/org.h). */
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "cmd.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "core/base/time_text.h"
#include "core/follow.h"
#include "core/org.h"
#include "org_fetch.h"
#include "org_witness.h"
#include "progress.h"
#include "report.h"
#include "target.h"
#include "text.h"

#define WAIT_S 60

static struct {
	bool full, json, names, quiet;
	const char *role, *keys, *origin, *policy, *via, *vkey;
	const char *size, *until, *wait;
} ask;

static const struct args_option options[] = {
	{ .name = "full",
	    .help = "read the whole ledger, not only what is new",
	    .flag = &ask.full },
	ARGS_JSON(&ask.json),
	ARGS_QUIET(&ask.quiet),
	{ .name = "keys",
	    .value = "DIRECTORY",
	    .help = "where the key of the organisation's log is",
	    .text = &ask.keys },
	{ .name = "names",
	    .help = "fetch everything but the bytes of evidence",
	    .flag = &ask.names },
	{ .name = "origin",
	    .value = "NAME",
	    .help = "name of the organisation's log",
	    .text = &ask.origin },
	{ .name = "policy",
	    .value = "FILE",
	    .help = "the witnesses and their quorum (C2SP tlog-policy)",
	    .text = &ask.policy },
	{ .name = "role",
	    .value = "ROLE",
	    .help = "who may append for it, as the engine names them",
	    .text = &ask.role },
	{ .name = "until",
	    .letter = 'U',
	    .value = "ORIGIN:N",
	    .help = "wait until the copy of ORIGIN has N entries",
	    .text = &ask.until },
	{ .name = "via",
	    .value = "COMMAND",
	    .help = "with --policy: COMMAND carries request and answer",
	    .text = &ask.via },
	{ .name = "wait",
	    .value = "SECONDS",
	    .help = "how long --until waits (60)",
	    .text = &ask.wait },
	{ .name = "vkey",
	    .letter = 'k',
	    .value = "KEY",
	    .help = "the public key of the organisation, or a file with it",
	    .text = &ask.vkey },
	{ .name = "size",
	    .value = "BYTES",
	    .help = "of the cache, at most (1 GiB)",
	    .text = &ask.size },
	{ 0 },
};

/* --- lists ------------------------------------------------------------------- */

/* A line for each row, in one form or the other. */
static enum tf_code
print_line(struct tf_json *j, struct tf_buf *b, struct tf_error *err)
{
	enum tf_code rc;

	tf_json_object_end(j);
	if ((rc = tf_json_end(j, err)) == TF_OK)
		printf("%s\n", text_of(b));
	return rc;
}

static enum tf_code
print_member(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	(void)arg;
	if (ask.json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		tf_put_uint(&j, "entries", m->next);
		tf_put_str(&j, "origin", m->origin);
		tf_put_bool(&j, "revoked", m->revoked);
		if (m->role.n > 0)
			tf_put_str(&j, "role", m->role);
		tf_put_str(&j, "vkey", m->vkey);
		rc = print_line(&j, &b, err);
	} else {
		text_add(&b, m->origin.p, m->origin.n);
		tf_buf_printf(&b, ": %llu entries",
		    (unsigned long long)m->next);
		if (m->role.n > 0) {
			tf_buf_str(&b, ", role ");
			text_add(&b, m->role.p, m->role.n);
		}
		if (m->revoked)
			tf_buf_str(&b, ", revoked");
		printf("%s\n", text_of(&b));
	}
	tf_buf_free(&b);
	return rc;
}

struct refusal_count {
	uint64_t n;
};

static enum tf_code
print_refusal(void *arg, const struct tf_refused *r, struct tf_error *err)
{
	struct refusal_count *count = arg;
	char at[TF_TIME_LEN + 1], given[65], there[65];
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	count->n++;
	tf_time_text(r->at, at);
	tf_hex(r->given.b, sizeof(r->given.b), given);
	tf_hex(r->there.b, sizeof(r->there.b), there);
	if (ask.json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		tf_put_str(&j, "at", tf_str_of(at));
		tf_put_uint(&j, "entry", r->number);
		tf_put_str(&j, "given", tf_str_of(given));
		tf_put_cstr(&j, "kind",
		    r->is_fork	      ? "fork" :
			r->is_revoked ? "revoked" :
					"gap");
		tf_put_str(&j, "origin", r->origin);
		if (r->is_fork)
			tf_put_str(&j, "there", tf_str_of(there));
		rc = print_line(&j, &b, err);
	} else {
		tf_buf_printf(&b, "%s ", at);
		text_add(&b, r->origin.p, r->origin.n);
		tf_buf_printf(&b,
		    " entry %llu: ", (unsigned long long)r->number);
		if (r->is_fork)
			tf_buf_printf(&b, "a fork: sha256 %s, but %s is there",
			    given, there);
		else
			tf_buf_printf(&b, "%s: sha256 %s",
			    r->is_revoked ? "it was revoked" : "a gap", given);
		printf("%s\n", text_of(&b));
	}
	tf_buf_free(&b);
	return rc;
}

/* --- actions ------------------------------------------------------------------ */

static int
init(const char *ledger, const char *blobs)
{
	struct tf_actor self;
	struct tf_org_new o = { .ledger = ledger,
		.blobs = blobs,
		.origin = ask.origin,
		.keys = ask.keys,
		.who = &self };
	struct tf_error err = { 0 };
	bool worm;

	if (ask.origin == NULL || ask.keys == NULL)
		return cmd_usage(&cmd_org, "--origin and --keys are required");
	actor_self(&self);
	if (tf_org_init(&o, &worm, &err) != TF_OK)
		return report(&err);
	report_note(worm ? "a locked object could not be deleted: the store of "
			   "the blobs holds locks" :
			   "nothing is locked: who may write the blobs may "
			   "delete them");
	report_note("Keep %s/log.pem secret, and give %s/log.vkey to those who "
		    "verify.",
	    ask.keys, ask.keys);
	return REPORT_OK;
}

/* Before a line is printed; the work goes on. */
static void
clear_progress(struct progress *p)
{
	progress_end(p);
	progress_listen(p);
}

static void
print_found(void *arg, const char *origin, uint64_t number, const char *what)
{
	clear_progress(arg);
	if (number == UINT64_MAX)
		report_note("%s %s", origin, what);
	else
		report_note("%s: entry %llu %s", origin,
		    (unsigned long long)number, what);
}

static void
print_warning(void *arg, const char *why)
{
	clear_progress(arg);
	report_note("the whole ledger is read, now or by the next run: %s",
	    why);
}

static int
print_published(const struct tf_published *r)
{
	printf("published %llu entries of %llu member%s: %llu new, %llu read\n",
	    (unsigned long long)r->entries, (unsigned long long)r->members,
	    r->members == 1 ? "" : "s", (unsigned long long)r->added,
	    (unsigned long long)r->read);
	if (r->recorded > 0)
		printf("refused by the ledger, and recorded now: %llu\n",
		    (unsigned long long)r->recorded);
	if (r->entered > 0)
		printf(
		    "enrolled or revoked by an earlier version, and recorded "
		    "now: %llu\n",
		    (unsigned long long)r->entered);
	if (r->uncovered > 0)
		printf("not signed by their members yet: %llu entries\n",
		    (unsigned long long)r->uncovered);
	return report_end(r->wrong > 0 ? REPORT_TAMPERED : REPORT_OK);
}

/* Publish, after a rotation of the key or without one. */
static int
publish(bool rotate, const char *ledger, const char *blobs)
{
	struct progress progress = { .what = rotate ? "rotate" : "publish",
		.unit = "entries" };
	struct tf_actor self;
	struct tf_publish o = { .ledger = ledger,
		.blobs = blobs,
		.keys = ask.keys,
		.who = &self,
		.full = ask.full,
		.found = print_found,
		.warn = print_warning,
		.arg = &progress };
	struct tf_published r;
	struct tf_buf vkey = { 0 };
	struct tf_error err = { 0 };
	int status, witnessed;
	enum tf_code rc;

	if (ask.keys == NULL)
		return cmd_usage(&cmd_org, "--keys is required");
	if ((ask.policy == NULL) != (ask.via == NULL))
		return cmd_usage(&cmd_org, "--policy and --via go together");
	actor_self(&self);
	progress_listen(&progress);
	rc = rotate ? tf_org_rotate(&o, &r, &vkey, &err) :
		      tf_org_publish(&o, &r, &err);
	progress_end(&progress);
	if (vkey.n > 0) {
		printf("%s\n", text_of(&vkey));
		report_note("Give %s/log.vkey to those who verify.", ask.keys);
	}
	tf_buf_free(&vkey);
	if (rc != TF_OK)
		return report(&err);
	status = print_published(&r);
	if (ask.policy == NULL)
		return status;
	witnessed = org_witness(ledger, blobs, ask.keys, ask.policy, ask.via);
	return witnessed == REPORT_OK || status == REPORT_TAMPERED ? status :
								     witnessed;
}

static int
enrol(char **arg)
{
	struct tf_actor self;
	struct tf_buf key = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = target_key(arg[2], &key, &err);

	actor_self(&self);
	if (rc == TF_OK)
		rc = tf_org_enrol(arg[1], key.p,
		    ask.role == NULL ? "" : ask.role, &self, &err);
	tf_buf_free(&key);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

/* What may be asked of an action, beside its operands. */
static const char *
misplaced(const char *action, bool list)
{
	bool signs = strcmp(action, "init") == 0 ||
	    strcmp(action, "publish") == 0 || strcmp(action, "rotate") == 0;
	bool follows = strcmp(action, "follow") == 0;
	bool fetches = follows || strcmp(action, "fetch") == 0;

	if (ask.full && strcmp(action, "publish") != 0)
		return "--full is for publish";
	if ((ask.policy != NULL || ask.via != NULL) &&
	    strcmp(action, "publish") != 0)
		return "--policy and --via are for publish";
	if (ask.role != NULL && strcmp(action, "enrol") != 0)
		return "--role is for enrol";
	if (ask.json && !list && !fetches)
		return "--json is for fetch, follow, list and refused";
	if (ask.names && (!fetches || follows))
		return "--names is for fetch";
	if (ask.size != NULL && !follows)
		return "--size is for follow";
	if (ask.until != NULL && (!fetches || follows))
		return "--until is for fetch";
	if (ask.wait != NULL && ask.until == NULL)
		return "--wait belongs to --until";
	if (ask.quiet && !fetches)
		return "--quiet is for fetch and follow";
	if (ask.vkey != NULL && !fetches)
		return "--vkey is for fetch and follow";
	if (ask.keys != NULL && !signs)
		return "--keys is for init, publish and rotate";
	if (ask.origin != NULL && strcmp(action, "init") != 0)
		return "--origin is for init";
	return NULL;
}

/* Actions with a ledger, and blobs that may be there too. */
static int
of_both(int n, char **arg)
{
	if (n == 2 && strncmp(arg[1], "dir:", 4) != 0)
		return cmd_no_blobs(&cmd_org, arg[1]);
	return strcmp(arg[0], "init") == 0 ?
	    init(arg[1], n == 3 ? arg[2] : arg[1]) :
	    publish(strcmp(arg[0], "rotate") == 0, arg[1],
		n == 3 ? arg[2] : arg[1]);
}

static int
fetch(int n, char **arg)
{
	bool follows = strcmp(arg[0], "follow") == 0;
	uint64_t size = TF_FOLLOW_CACHE, until = 0, wait = WAIT_S;
	char *of = NULL, *end;

	if (n < 3)
		return cmd_usage(&cmd_org, "give a ledger and a directory");
	if (n == 3 && strncmp(arg[1], "dir:", 4) != 0)
		return cmd_no_blobs(&cmd_org, arg[1]);
	if (ask.size != NULL &&
	    !tf_decimal(ask.size, strlen(ask.size), UINT64_MAX / 2, &size))
		return cmd_usage(&cmd_org, "--size: give a number of bytes");
	if (ask.wait != NULL &&
	    !tf_decimal(ask.wait, strlen(ask.wait), 86400, &wait))
		return cmd_usage(&cmd_org, "--wait: give seconds, 0 to 86400");
	if (ask.until != NULL) {
		of = (char *)(uintptr_t)ask.until; /* a word of argv */
		if ((end = strrchr(of, ':')) == NULL ||
		    !tf_decimal(end + 1, strlen(end + 1), UINT64_MAX, &until))
			return cmd_usage(&cmd_org, "--until: give ORIGIN:N");
		*end = '\0';
	}
	return org_fetch(&(struct org_fetch){ .ledger = arg[1],
	    .blobs = arg[n == 4 ? 2 : 1],
	    .dir = arg[n - 1],
	    .vkey = ask.vkey,
	    .names = ask.names || follows,
	    .follow = follows,
	    .until = until,
	    .of = of,
	    .wait_s = wait,
	    .size = size,
	    .json = ask.json,
	    .quiet = ask.quiet });
}

static int
run(int n, char **arg)
{
	bool list = strcmp(arg[0], "list") == 0 ||
	    strcmp(arg[0], "refused") == 0;
	struct refusal_count count = { 0 };
	const char *wrong = misplaced(arg[0], list);
	struct tf_actor self;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (wrong != NULL)
		return cmd_usage(&cmd_org, wrong);
	if (strcmp(arg[0], "fetch") == 0 || strcmp(arg[0], "follow") == 0)
		return fetch(n, arg);
	if (n > 3)
		return cmd_usage(&cmd_org, "there are too many arguments");
	if (strcmp(arg[0], "init") == 0 || strcmp(arg[0], "publish") == 0 ||
	    strcmp(arg[0], "rotate") == 0)
		return of_both(n, arg);
	if (n != (list ? 2 : 3))
		return cmd_usage(&cmd_org,
		    list ? "give a ledger" : "give a ledger and a member");
	if (strcmp(arg[0], "enrol") == 0)
		return enrol(arg);
	actor_self(&self);
	if (strcmp(arg[0], "revoke") == 0)
		rc = tf_org_revoke(arg[1], arg[2], &self, &err);
	else if (strcmp(arg[0], "list") == 0)
		rc = tf_org_members(arg[1], print_member, NULL, &err);
	else
		rc = tf_org_refusals(arg[1], print_refusal, &count, &err);
	if (rc != TF_OK)
		return report(&err);
	return report_end(count.n > 0 ? REPORT_FINDING : REPORT_OK);
}

const struct verb cmd_org = {
	.name = "org",
	.summary = "make, govern, sign and copy the ledger of an organisation",
	.usage = "init --origin NAME --keys DIRECTORY LEDGER [BLOBS]\n"
		 "publish [--full] [--policy FILE --via COMMAND] --keys "
		 "DIRECTORY LEDGER [BLOBS]\n"
		 "rotate --keys DIRECTORY LEDGER [BLOBS]\n"
		 "enrol [--role ROLE] LEDGER VKEY|FILE\n"
		 "revoke LEDGER ORIGIN\n"
		 "list|refused [--json] LEDGER\n"
		 "fetch [--json] [--names] [--quiet] [--until ORIGIN:N [--wait "
		 "SECONDS]] [--vkey KEY] LEDGER [BLOBS] DIRECTORY\n"
		 "follow [--json] [--quiet] [--size BYTES] [--vkey KEY] LEDGER "
		 "[BLOBS] DIRECTORY",
	.options = options,
	.actions = "init|enrol|revoke|list|refused|publish|rotate|fetch|follow",
	.min = 2,
	.max = 4,
	.run = run,
};
