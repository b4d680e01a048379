/* trailctl restore: make a vault from a mirror. */
#include <stdio.h>

#include "actor.h"
#include "cmd.h"
#include "core/restore.h"
#include "report.h"
#include "text.h"

static struct {
	bool json;
	const char *origin;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "origin",
	    .value = "NAME",
	    .help = "the new first line of every checkpoint; required",
	    .text = &ask.origin },
	{ 0 },
};

/* The key as one line, or as JSON. */
static enum tf_code
print(const struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	if (ask.json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		tf_json_key(&j, "vkey");
		tf_json_str(&j, vkey->p, vkey->n);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	} else {
		text_add(&b, vkey->p, vkey->n);
	}
	if (rc == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/* The key alone is on stdout, as that of trailctl init. */
static int
run(int n, char **arg)
{
	struct tf_buf vkey = { 0 };
	struct tf_error err = { 0 };
	struct tf_actor self;
	enum tf_code rc;

	(void)n;
	if (ask.origin == NULL)
		return cmd_usage(&cmd_restore,
		    "--origin is required: a vault that is restored never "
		    "signs under the old one");
	actor_self(&self);
	rc = tf_restore(arg[0], arg[1], ask.origin, &self, &vkey, &err);
	if (rc == TF_OK) {
		report_note(
		    "The ledger goes on in %s as %s; the first new entry "
		    "says so.  From now on a verifier needs this new "
		    "key; the old key stays good for what was signed "
		    "before.",
		    arg[1], ask.origin);
		report_note("Keep this key somewhere else: it distinguishes "
			    "this store from a forged one.");
		rc = print(&vkey, &err);
	}
	tf_buf_free(&vkey);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_restore = {
	.name = "restore",
	.summary = "make a vault from a mirror",
	.usage = "[--json] --origin NAME MIRROR STORE",
	.options = options,
	.min = 2,
	.max = 2,
	.run = run,
};
