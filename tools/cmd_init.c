/* trailctl init: make a store; --recover: go on with a store that was restored
 * from a backup. */
#include <getopt.h>
#include <stdio.h>

#include "actor.h"
#include "cmd.h"
#include "core/vault.h"
#include "report.h"
#include "text.h"

static enum tf_code
print(struct tf_str vkey, bool json, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	if (json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		tf_json_key(&j, "vkey");
		tf_json_str(&j, vkey.p, vkey.n);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	} else {
		text_add(&b, vkey.p, vkey.n);
	}
	if (rc == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static void
say(bool recover)
{
	if (recover)
		report_note("The ledger goes on under a new origin; the first "
			    "entry under it says what was lost.  Whoever "
			    "verifies needs this new key from now on.");
	report_note("Keep this key somewhere else: it is how others tell this "
		    "store from a forged one.");
}

int
cmd_init(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "origin", required_argument, NULL, 'o' },
		{ "recover", no_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	struct tf_buf vkey = { 0 };
	struct tf_error err = { 0 };
	struct tf_actor self;
	struct tf_str line;
	const char *origin = NULL;
	bool json = false, recover = false;
	enum tf_code rc;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c == 'o')
			origin = optarg;
		else if (c == 'r')
			recover = true;
		else
			return cmd_usage();
	}
	if (argc - optind != 1)
		return cmd_usage();

	actor_self(&self);
	rc = recover ?
	    tf_vault_recover(argv[optind], origin, &self, &vkey, &err) :
	    tf_vault_init(argv[optind], origin, &self, &vkey, &err);
	if (rc == TF_OK) {
		line = (struct tf_str){ vkey.p, vkey.n };
		while (line.n > 0 && line.p[line.n - 1] == '\n')
			line.n--;
		say(recover);
		rc = print(line, json, &err);
	}
	tf_buf_free(&vkey);
	return rc == TF_OK ? REPORT_OK : report(&err);
}
