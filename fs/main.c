/*
 * trailfs: mount a store and serve it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "follower.h"
#include "journal.h"
#include "options.h"
#include "report.h"
#include "router.h"
#include "serve.h"
#include "signer.h"

#define EXIT_LOCKED 3 /* another process has the store open */

static int
exit_status(enum tf_code rc)
{
	return rc == TF_OK  ? EXIT_SUCCESS :
	    rc == TF_LOCKED ? EXIT_LOCKED :
			      EXIT_FAILURE;
}

/* Report the failure to the log and, while the parent waits, on stderr and by
 * the exit status. */
static void
complain(const struct tf_error *e, int parent)
{
	const char *colon = e->sys != 0 ? ": " : "";
	const char *why = e->sys != 0 ? strerror(e->sys) : "";
	unsigned char failed = (unsigned char)exit_status(e->code);

	fs_report_line(LOG_ERR, "%s%s%s", e->text, colon, why);
	fs_daemon_tell_systemd(false, "failed: %s%s%s", e->text, colon, why);
	fs_journal_flush();
	if (parent < 0)
		return;
	(void)!write(parent, &failed, 1);
}

int
main(int argc, char **argv)
{
	struct fs_options o;
	struct tf_error err = { 0 };
	int parent = -1, status;
	bool copies = false;
	enum tf_code rc;

	fs_daemon_harden(fs_options_connection(argc, argv));
	if ((status = fs_options_parse(&o, argc, argv)) >= 0)
		return status;
	rc = fs_follower_prepare(&o, &err);
	if (rc == TF_OK)
		rc = fs_options_resolve(&o, &err);
	if (rc == TF_OK && !o.foreground && o.connection < 0)
		rc = fs_daemon_fork(&parent, &err);
	if (rc == TF_OK) {
		fs_report_open(o.foreground);
		copies = fs_router_is_for(&o);
		if (!copies)
			rc = fs_signer_start(&o, &err);
	}
	if (rc == TF_OK)
		rc = copies ? fs_router_serve(&o, &parent, &err) :
			      fs_serve(&o, &parent, &err);
	if (rc != TF_OK)
		complain(&err, parent);
	fs_options_free(&o);
	return exit_status(rc);
}
