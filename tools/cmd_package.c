/*
 * trailctl package: make a package of a trail, a workflow or an attestation.
 * The entry that records the package is committed before the file gets its
 * name, so no package exists without its entry (unless --no-entry).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actor.h"
#include "cmd.h"
#include "core/base/bytes.h"
#include "core/control.h"
#include "core/package.h"
#include "files.h"
#include "report.h"
#include "text.h"
#include "where.h"

struct ask {
	bool json, no_entry;
	char since[TEXT_TIME_LEN + 1], until[TEXT_TIME_LEN + 1]; /* or "" */
	const char *file, *what;
};

static bool
take_time(const char *option, char out[TEXT_TIME_LEN + 1])
{
	if (text_time(optarg, out))
		return true;
	report_note("--%s takes a time in UTC like 2026-11-23T07:50:00Z",
	    option);
	return false;
}

static bool
parse(struct ask *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "no-entry", no_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			a->json = true;
			break;
		case 'n':
			a->no_entry = true;
			break;
		case 'o':
			a->file = optarg;
			break;
		case 's':
			if (!take_time("since", a->since))
				return false;
			break;
		case 'u':
			if (!take_time("until", a->until))
				return false;
			break;
		default:
			return false;
		}
	}
	a->what = argv[optind];
	return argc - optind == 1 && a->file != NULL;
}

/* --- its entry -------------------------------------------------------- */

static enum tf_code
tell_mount(const struct where *w, const struct tf_package_made *made,
    struct tf_error *err)
{
	struct tf_ioc_package p = { .size = made->size,
		.tree_size = made->tree_size };
	enum tf_code rc = TF_OK;
	int fd = open(w->file, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memcpy(p.sha256, made->sha256.b, sizeof(p.sha256));
	memcpy(p.root, made->tree_root.b, sizeof(p.root));
	if (fd < 0)
		return report_system(err, "%s", w->path);
	if (ioctl(fd, TF_IOC_PACKAGED, &p) < 0)
		rc = report_system(err, "record the package of %s", w->path);
	close(fd);
	return rc;
}

static enum tf_code
tell_store(const struct where *w, const struct tf_package_made *made,
    struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	struct tf_attr attr;
	enum tf_code rc, closed;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_walk(v, w->path, &attr, err);
	if (rc == TF_OK)
		rc = tf_vault_packaged(v, attr.id, made, &self, err);
	/* Closing appends, too.  Report the first failure. */
	closed = tf_vault_close(v, "done", rc == TF_OK ? err : NULL);
	return rc == TF_OK ? closed : rc;
}

static enum tf_code
record(const struct where *w, const struct tf_package_made *made,
    struct tf_error *err)
{
	enum tf_code rc = w->mount != NULL ? tell_mount(w, made, err) :
					     tell_store(w, made, err);

	if (rc != TF_OK)
		report_note("no package without its entry; --no-entry makes "
			    "one that the ledger does not know of");
	return rc;
}

/* --- the file --------------------------------------------------------- */

/* Read the store, also of a mount: both have the same ledger. */
static enum tf_code
write_package(const struct ask *a, const struct where *w, const char *dir,
    int fd, struct tf_package_made *made, struct tf_error *err)
{
	struct tf_package_request r = { .path = w->path,
		.since = a->since[0] != '\0' ? a->since : NULL,
		.until = a->until[0] != '\0' ? a->until : NULL,
		.tmp = dir };
	struct where at = { .store = w->store };
	struct tf_vault *v = NULL;
	char *store = NULL;
	enum tf_code rc = TF_OK;

	if (w->mount != NULL && (rc = where_store(w, &store, err)) == TF_OK)
		at.store = store;
	if (rc == TF_OK && (rc = where_open(&at, false, &v, err)) == TF_OK) {
		rc = tf_package_write(v, &r, fd, made, err);
		where_close(v);
	}
	free(store);
	return rc;
}

static enum tf_code
make(const struct ask *a, const struct where *w, struct tf_package_made *made,
    struct tf_error *err)
{
	struct files_new f;
	enum tf_code rc = files_begin(&f, a->file, err);

	if (rc != TF_OK)
		return rc;
	rc = write_package(a, w, f.dir, f.fd, made, err);
	if (rc == TF_OK && !a->no_entry)
		rc = record(w, made, err);
	return files_end(&f, rc, err);
}

/* --- the answer ------------------------------------------------------- */

static enum tf_code
answer(const struct ask *a, const struct tf_package_made *m,
    struct tf_error *err)
{
	char hex[2 * sizeof(m->sha256.b) + 1];
	struct tf_buf out = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	tf_hex(m->sha256.b, sizeof(m->sha256.b), hex);
	if (!a->json) {
		printf("%s  ", hex);
		text_put(stdout, a->file, strlen(a->file));
		printf("\n");
		return TF_OK;
	}
	tf_json_begin(&j, &out);
	tf_json_object(&j);
	tf_json_key(&j, "bytes");
	tf_json_int(&j, (int64_t)m->bytes);
	tf_json_key(&j, "files");
	tf_json_int(&j, (int64_t)m->files);
	tf_json_key(&j, "recorded");
	tf_json_bool(&j, !a->no_entry);
	tf_json_key(&j, "sha256");
	tf_json_cstr(&j, hex);
	tf_json_key(&j, "size");
	tf_json_int(&j, (int64_t)m->size);
	tf_json_key(&j, "tree");
	tf_json_int(&j, (int64_t)m->tree_size);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&out));
	tf_buf_free(&out);
	return rc;
}

int
cmd_package(int argc, char **argv)
{
	struct ask a = { .file = NULL };
	struct tf_package_made made;
	struct where w = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (!parse(&a, argc, argv))
		return cmd_usage();
	rc = where_find(a.what, &w, &err);
	if (rc == TF_OK)
		rc = make(&a, &w, &made, &err);
	if (rc == TF_OK)
		rc = answer(&a, &made, &err);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}
