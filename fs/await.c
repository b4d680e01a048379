/* Answers that wait for the organisation: see await.h. */
#include <stdlib.h>

#include "asker.h"
#include "await.h"
#include "report.h"

struct await {
	fuse_req_t req;
	const char *what;
	bool ioctl;
};

static void
succeed(fuse_req_t req, bool ioctl)
{
	if (ioctl)
		fuse_reply_ioctl(req, 0, NULL, 0);
	else
		fuse_reply_err(req, 0);
}

static bool
is_given_up(void *arg)
{
	struct await *a = arg;

	return fuse_req_interrupted(a->req) && fs_asker_dies(a->req);
}

static void
done(void *arg, enum tf_code code, const struct tf_error *err)
{
	struct await *a = arg;

	if (code == TF_OK)
		succeed(a->req, a->ioctl);
	else
		fs_report_error(a->req, a->what, code, err);
	free(a);
}

void
fs_await_end(struct fs_request *r, enum tf_code rc, bool ioctl)
{
	struct await *a;

	if (fs_request_failed(r, rc))
		return;
	if (!tf_vault_awaits_organisation(r->fs->vault)) {
		succeed(r->req, ioctl);
		return;
	}
	if ((a = malloc(sizeof *a)) == NULL) {
		fs_report_error(r->req, r->op->name, TF_NOMEM, NULL);
		return;
	}
	*a = (struct await){ r->req, r->op->name, ioctl };
	tf_vault_await_organisation(r->fs->vault, is_given_up, done, a);
}
