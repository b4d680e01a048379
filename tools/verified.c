/* Recording that a vault was verified: see verified.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "actor.h"
#include "apart.h"
#include "core/control.h"
#include "core/package.h"
#include "report.h"
#include "verified.h"
#include "where.h"

static int
tell_failure(int fd, const struct tf_verified *made)
{
	struct tf_ioc_verify_failed p = { .size = made->size,
		.from = made->scope.from,
		.full = made->scope.full,
		.part = made->scope.part,
		.parts = made->scope.parts,
		.seconds = made->seconds,
		.findings = made->findings };

	(void)snprintf(p.verdict, sizeof(p.verdict), "%s", made->verdict);
	return ioctl(fd, TF_IOC_VERIFY_FAILED, &p);
}

static int
tell_success(int fd, const struct tf_verified *made)
{
	struct tf_ioc_verified p = { .size = made->size,
		.from = made->scope.from,
		.full = made->scope.full,
		.part = made->scope.part,
		.parts = made->scope.parts,
		.seconds = made->seconds };

	memcpy(p.root, made->root.b, sizeof(p.root));
	return ioctl(fd, TF_IOC_VERIFIED, &p);
}

static enum tf_code
record_in_mount(const struct where *w, const struct tf_verified *made,
    struct tf_error *err)
{
	int fd = open(w->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc = TF_OK;

	if (fd < 0)
		return report_system(err, "%s", w->mount);
	if ((made->verdict != NULL ? tell_failure(fd, made) :
				     tell_success(fd, made)) < 0)
		rc = report_system(err, "record the verification of %s",
		    w->mount);
	(void)close(fd);
	return rc;
}

static enum tf_code
record_in_store(const struct where *w, const struct tf_verified *made,
    struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	enum tf_code rc;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = made->verdict != NULL ?
	    tf_vault_verify_failed(v, made, &self, err) :
	    tf_vault_verified(v, made, &self, err);
	return where_done(v, rc, err);
}

enum tf_code
verified_record(const char *arg, const struct tf_verified *made,
    struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(arg, &w, err);

	if (rc == TF_OK)
		rc = w.mount != NULL ? record_in_mount(&w, made, err) :
				       record_in_store(&w, made, err);
	where_free(&w);
	return rc;
}

enum tf_code
verified_record_failure(const char *arg, const struct tf_verified *made,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	char *store = NULL;
	enum tf_code rc, entry;

	/* The file first: a damaged store may take nothing else. */
	rc = apart_find(arg, NULL, "", &store, err);
	if (rc == TF_OK)
		rc = tf_store_verify_failed(store, made, err);
	free(store);
	if (rc == TF_READONLY)
		return rc;
	entry = verified_record(arg, made, &why);
	if (entry != TF_OK)
		report_note("the ledger could not take an entry about this: %s",
		    why.text);
	return rc;
}
