/*
 * Chooses the part of a ledger that a directory is compared with, and whether
 * the directory is an unpacked package.
 *
 * The person who made the directory may want to hide a missing file.  So the
 * request and the ledger decide what must be there; the directory decides only
 * in which of two layouts the files are, and no layout makes the list shorter.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/names.h"
#include "../archive/select.h"
#include "../base/file.h"
#include "../buffer.h"
#include "../ledger/name.h"
#include "../package.h"
#include "../store/nodes.h"
#include "../verify.h"
#include "scope.h"

static enum tf_code
cannot_read(const char *path, struct tf_error *err)
{
	return tf_fail(err, errno == EACCES ? TF_ACCESS : TF_IO, "%.100s: %s",
	    path, strerror(errno));
}

/* Read the format of the unpacked package.  It decides only under which name a
 * file is expected, so a false format cannot hide a missing file. */
static enum tf_code
format_of(int dirfd, unsigned *format, struct tf_error *err)
{
	struct tf_package_request r;
	struct tf_buf json = { 0 }, text = { 0 };
	enum tf_code rc = tf_file_read(dirfd, TF_PACKAGE_JSON,
	    TF_PACKAGE_JSON_MAX, &json, err);

	if (rc == TF_OK)
		rc = tf_package_json_read(&json, &r, format, &text, err);
	tf_buf_free(&json);
	tf_buf_free(&text);
	if (rc == TF_OK || rc == TF_NOMEM)
		return rc;
	*format = TF_PACKAGE_FORMAT;
	return TF_OK;
}

/* Compare with an unpacked package: its evidence is below data/, under safe
 * names. */
static enum tf_code
take_package(struct tf_audit_scope *s, int dirfd, struct tf_error *err)
{
	unsigned format;
	enum tf_code rc;

	s->select = true;
	s->base = s->place.base;
	if ((rc = format_of(dirfd, &format, err)) != TF_OK)
		return rc;
	if ((s->names = tf_package_names_new(format)) == NULL)
		return tf_nomem(err);
	/* With a slash at its end, the name would follow a symlink. */
	s->datafd = openat(dirfd, "data",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* A package without evidence has no data/. */
	if (s->datafd < 0 && errno != ENOENT && errno != ENOTDIR &&
	    errno != ELOOP)
		return cannot_read(TF_PACKAGE_DATA, err);
	return TF_OK;
}

/* Set *kind to the kind of path in the ledger; "." is the root.  Errors:
 * TF_NOTFOUND. */
static enum tf_code
find_path(struct tf_db *db, const char *path, enum tf_kind *kind,
    struct tf_error *err)
{
	const char *whole = path;
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(db, TF_ROOT_ID, &row, err);

	for (size_t n; rc == TF_OK; path += n) {
		path += strspn(path, "/");
		if ((n = strcspn(path, "/")) == 0)
			break;
		if (n == 1 && *path == '.')
			continue;
		if (n > TF_NAME_MAX)
			return tf_fail(err, TF_NAMETOOLONG, "name too long");
		rc = tf_nodes_find(db, row.attr.id, path, n, &row, err);
	}
	if (rc == TF_OK)
		*kind = row.attr.kind;
	if (rc != TF_NOTFOUND)
		return rc;
	errno = 0;
	return tf_fail(err, rc, "%s: no such name", whole);
}

/* Set *yes if the directory is an unpacked package of path: it has a bagit.txt,
 * and the ledger has no node of that name below path. */
static enum tf_code
is_package(const struct tf_audit_scope *s, struct tf_db *db, const char *path,
    int dirfd, bool *yes, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_kind kind;
	enum tf_code rc = TF_OK;

	*yes = s->has_place &&
	    faccessat(dirfd, TF_PACKAGE_BAGIT, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*yes)
		return errno == ENOENT || !s->has_place ?
		    TF_OK :
		    cannot_read(TF_PACKAGE_BAGIT, err);
	tf_buf_printf(&b, "%s/" TF_PACKAGE_BAGIT, path);
	tf_buf_add(&b, "", 1);
	if (b.failed)
		rc = tf_nomem(err);
	else if ((rc = find_path(db, b.p, &kind, err)) == TF_OK)
		*yes = false;
	else if (rc == TF_NOTFOUND || rc == TF_BADNAME)
		rc = TF_OK;
	tf_buf_free(&b);
	return rc;
}

enum tf_code
tf_audit_scope_choose(struct tf_audit_scope *s, const struct tf_verify *v,
    struct tf_db *db, const char *path, int dirfd, struct tf_error *err)
{
	const struct tf_package_request q = { .path = path,
		.since = v->since,
		.until = v->until };
	bool package = false;
	enum tf_kind kind;
	enum tf_code rc = find_path(db, path, &kind, err);

	if (rc == TF_OK && kind == TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_USAGE,
		    "%.100s is a file: name its directory", path);
	if (rc != TF_OK)
		return rc;
	s->select = q.since != NULL || q.until != NULL;
	if (strcmp(path, ".") != 0)
		s->base = (struct tf_str){ path, strlen(path) };
	rc = tf_package_place(&q, &s->place, err);
	s->has_place = rc == TF_OK;
	/* A directory in an attestation has no package. */
	if (rc == TF_UNSUPPORTED && !s->select)
		rc = TF_OK;
	if (rc == TF_OK)
		rc = is_package(s, db, path, dirfd, &package, err);
	return rc == TF_OK && package ? take_package(s, dirfd, err) : rc;
}

void
tf_audit_scope_free(struct tf_audit_scope *s)
{
	if (s->datafd >= 0)
		(void)close(s->datafd);
	tf_package_names_free(s->names);
}
