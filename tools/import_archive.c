/*
 * Evidence packages of Kosli as a part of a plan: see import.h.
 *
 * The archive is a zip, a tar or a gzipped tar with a directory per
 * attestation.  This is the only user of libarchive, and only these formats
 * are switched on.  Nothing is unpacked to a name: the bytes go one after the
 * other to the spool, a file without a name, so an archive can touch no other
 * file, and nothing is left if the program is killed.
 *
 * An archive is refused as a whole if it has anything but files and directories
 * with ordinary names, if one name stands twice, or if it unpacks to much more
 * than its own size: the limits are below.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/crypto.h"
#include "core/control.h"
#include "files.h"
#include "import.h"
#include "kosli.h"
#include "report.h"

#define BLOCK 65536
/* An archive may unpack to this many bytes, or to this many times its size,
 * whichever is more.  Logs shrink to a twentieth, a bomb to a thousandth. */
#define FREE_BYTES ((uint64_t)64 << 20)
#define RATIO 200

struct unpacking {
	struct import_plan *p;
	size_t file;
	struct import_workflow *w;
	struct archive *a;
	size_t entries;
	bool any; /* a directory of an attestation was found */
	uint64_t bytes;
	size_t skipped; /* files that are in no directory */
	char first_skipped[80];
};

static const char *
path_of(const struct unpacking *u)
{
	return u->p->file[u->file].path;
}

/* A file of TMPDIR that has no name. */
static enum tf_code
open_spool(struct import_plan *p, struct tf_error *err)
{
	char *name;
	enum tf_code rc = TF_OK;

	if (p->spool >= 0)
		return TF_OK;
	if ((name = kosli_temporary()) == NULL)
		return tf_nomem(err);
	p->spool = mkostemp(name, O_CLOEXEC);
	if (p->spool < 0)
		rc = report_system(err, "%s", name);
	else
		(void)unlink(name);
	free(name);
	return rc;
}

/* What libarchive says, without a part of the archive that could be long. */
static enum tf_code
refuse(const struct unpacking *u, struct tf_error *err)
{
	int sys = archive_errno(u->a);
	const char *text = archive_error_string(u->a);

	if (sys == ENOMEM)
		return tf_nomem(err);
	if (sys == EIO)
		return tf_fail(err, TF_IO, "%s", path_of(u));
	return tf_fail(err, TF_INVALID, "the archive is malformed: %.80s",
	    text == NULL ? "no reason is known" : text);
}

/* --- names --------------------------------------------------------------------- */

/* The name without "./" before it and "/" behind it, or a refusal. */
static enum tf_code
entry_name(struct archive_entry *e, bool dir, char **out, struct tf_error *err)
{
	const char *name = archive_entry_pathname_utf8(e);
	size_t n;

	if (name == NULL)
		name = archive_entry_pathname(e);
	if (name == NULL || *name == '\0')
		return tf_fail(err, TF_INVALID,
		    "a name in the archive is empty or not UTF-8");
	if (*name == '/')
		return tf_fail(err, TF_INVALID,
		    "the archive has the absolute name %.60s", name);
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	n = strlen(name);
	if (dir && n > 0 && name[n - 1] == '/')
		n--;
	if (n == 1 && name[0] == '.')
		n = 0;
	return (*out = strndup(name, n)) == NULL ? tf_nomem(err) : TF_OK;
}

/* Part by part, so that the message names the rule and not the vault's. */
static enum tf_code
check_path(const char *name, struct tf_error *err)
{
	size_t n;

	for (const char *p = name;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 2 && memcmp(p, "..", 2) == 0)
			return tf_fail(err, TF_INVALID,
			    "the archive has a name with ..: %.60s", name);
		if (n == 0 || (n == 1 && *p == '.') ||
		    memchr(p, '\\', n) != NULL)
			return tf_fail(err, TF_INVALID,
			    "the archive has the name %.60s, in which a part "
			    "is empty, . or has a backslash",
			    name);
		if (n == strlen(TF_CONTROL_DIR) &&
		    memcmp(p, TF_CONTROL_DIR, n) == 0)
			return tf_fail(err, TF_INVALID,
			    "the archive has the reserved name %.60s", name);
		if (p[n] == '\0')
			return TF_OK;
	}
}

static enum tf_code
check_kind(struct archive_entry *e, const char *name, struct tf_error *err)
{
	if (archive_entry_hardlink(e) != NULL ||
	    archive_entry_symlink(e) != NULL)
		return tf_fail(err, TF_INVALID, "the archive has a link: %.60s",
		    name);
	if (archive_entry_filetype(e) != AE_IFREG &&
	    archive_entry_filetype(e) != AE_IFDIR)
		return tf_fail(err, TF_INVALID,
		    "the archive has what is neither file nor directory: %.60s",
		    name);
	if (archive_entry_is_encrypted(e))
		return tf_fail(err, TF_INVALID,
		    "the archive is encrypted: %.60s", name);
	return TF_OK;
}

/* --- contents ------------------------------------------------------------------- */

/* Read the next bytes of the entry; *n is 0 at its end.  All that is read counts
 * for the limit, also what is not imported. */
static enum tf_code
next_block(struct unpacking *u, char block[BLOCK], size_t *n,
    struct tf_error *err)
{
	const struct import_file *f = &u->p->file[u->file];
	uint64_t most = f->size > FREE_BYTES / RATIO ? f->size * RATIO :
						       FREE_BYTES;
	ssize_t got = archive_read_data(u->a, block, BLOCK);

	*n = got < 0 ? 0 : (size_t)got;
	if (got < 0)
		return refuse(u, err);
	u->bytes += *n;
	if (u->bytes > most)
		return tf_fail(err, TF_INVALID,
		    "the archive unpacks to more than %llu bytes, which is too "
		    "much for its size",
		    (unsigned long long)most);
	return TF_OK;
}

/* Read the rest of the entry: libarchive would do so without a limit. */
static enum tf_code
drain(struct unpacking *u, struct tf_error *err)
{
	char *block = malloc(BLOCK);
	size_t n = 1;
	enum tf_code rc = block == NULL ? tf_nomem(err) : TF_OK;

	while (rc == TF_OK && n > 0)
		rc = next_block(u, block, &n, err);
	free(block);
	return rc;
}

/* Copy the content of the entry to the spool. */
static enum tf_code
copy(struct unpacking *u, struct import_member *m, struct tf_error *err)
{
	struct tf_sha256 *sha = tf_sha256_new();
	char *block = malloc(BLOCK);
	size_t n = 1;
	enum tf_code rc = sha == NULL || block == NULL ? tf_nomem(err) : TF_OK;

	m->off = u->p->spooled;
	while (rc == TF_OK && n > 0) {
		rc = next_block(u, block, &n, err);
		if (rc != TF_OK || n == 0)
			break;
		tf_sha256_add(sha, block, n);
		rc = files_put(u->p->spool, "the spool in TMPDIR", block, n,
		    err);
		u->p->spooled += n;
	}
	if (rc == TF_OK)
		tf_sha256_peek(sha, &m->sha256);
	m->size = u->p->spooled - m->off;
	tf_sha256_free(sha);
	free(block);
	return rc;
}

/* The attestation of a directory.  What has no record needs a verdict from the
 * command line. */
static enum tf_code
attestation_of(struct unpacking *u, const char *name,
    struct import_attestation **out, struct tf_error *err)
{
	struct import_plan *p = u->p;
	size_t n = import_named(u->w, name, out);
	enum tf_code rc;

	if (n == 1)
		return TF_OK;
	if (n > 1)
		return tf_fail(err, TF_INVALID,
		    "there are %zu records of %.60s, and the archive does not "
		    "say of which its files are",
		    n, name);
	if (p->compliant == NULL)
		return tf_fail(err, TF_INVALID,
		    "nothing says whether %.60s is compliant: give Kosli's JSON "
		    "too, or --compliant=true or --compliant=false",
		    name);
	rc = import_attestation(p, u->w, name, out, err);
	if (rc != TF_OK)
		return rc;
	(*out)->file = u->file;
	return claims_add(&(*out)->claims, "compliant", p->compliant, err);
}

/* A directory makes its attestation, a file belongs to it. */
static enum tf_code
add_entry(struct unpacking *u, char *name, bool dir, struct tf_error *err)
{
	struct import_member m = { .file = u->file, .spooled = true };
	struct import_attestation *a;
	char *slash = strchr(name, '/');
	enum tf_code rc;

	if (slash == NULL && !dir) {
		if (u->skipped++ == 0)
			(void)snprintf(u->first_skipped,
			    sizeof(u->first_skipped), "%s", name);
		return TF_OK;
	}
	if (slash != NULL)
		*slash = '\0';
	u->any = true;
	rc = attestation_of(u, name, &a, err);
	if (rc != TF_OK || dir)
		return rc;
	if ((rc = copy(u, &m, err)) != TF_OK)
		return rc;
	m.name = slash + 1;
	return import_member(u->p, a, &m, err);
}

static enum tf_code
take_entry(struct unpacking *u, struct archive_entry *e, struct tf_error *err)
{
	bool dir = archive_entry_filetype(e) == AE_IFDIR;
	char *name = NULL;
	enum tf_code rc;

	if (++u->entries > IMPORT_MEMBERS)
		return tf_fail(err, TF_INVALID,
		    "the archive has more than %d names", IMPORT_MEMBERS);
	if ((rc = entry_name(e, dir, &name, err)) != TF_OK)
		return rc;
	if (*name != '\0') {
		rc = check_path(name, err);
		if (rc == TF_OK)
			rc = check_kind(e, name, err);
		if (rc == TF_OK)
			rc = add_entry(u, name, dir, err);
		if (rc == TF_OK)
			rc = drain(u, err);
	}
	free(name);
	return rc;
}

/* --- the whole ------------------------------------------------------------------ */

/* The formats that are documented for packages, and no others: libarchive has
 * many more, and each is a parser that hostile bytes could reach. */
static enum tf_code
open_archive(struct unpacking *u, struct tf_error *err)
{
	if ((u->a = archive_read_new()) == NULL)
		return tf_nomem(err);
	if (archive_read_support_filter_gzip(u->a) != ARCHIVE_OK ||
	    archive_read_support_format_tar(u->a) != ARCHIVE_OK ||
	    archive_read_support_format_zip(u->a) != ARCHIVE_OK)
		return refuse(u, err);
	if (archive_read_open_filename(u->a, path_of(u), BLOCK) != ARCHIVE_OK)
		return refuse(u, err);
	return TF_OK;
}

/* The workflow of the command line, or the only one of the plan. */
static enum tf_code
find_workflow(struct unpacking *u, struct tf_error *err)
{
	struct import_plan *p = u->p;

	if (p->flow != NULL && p->name != NULL)
		return import_workflow(p, p->flow, p->name, &u->w, err);
	if (p->n != 1)
		return tf_fail(err, TF_INVALID,
		    "the archive does not say of which trail it is: give "
		    "--flow and --trail, or the JSON of that trail only");
	u->w = p->wf;
	return TF_OK;
}

enum tf_code
import_archive(struct import_plan *p, size_t i, struct tf_error *err)
{
	struct unpacking u = { .p = p, .file = i };
	struct archive_entry *e;
	enum tf_code rc = find_workflow(&u, err);
	int is = ARCHIVE_OK;

	if (rc == TF_OK)
		rc = open_spool(p, err);
	if (rc == TF_OK)
		rc = open_archive(&u, err);
	while (rc == TF_OK &&
	    (is = archive_read_next_header(u.a, &e)) != ARCHIVE_EOF)
		rc = is == ARCHIVE_OK || is == ARCHIVE_WARN ?
		    take_entry(&u, e, err) :
		    refuse(&u, err);
	if (rc == TF_OK && !u.any)
		rc = tf_fail(err, TF_INVALID,
		    "the archive has no directory of an attestation, and no "
		    "record names its digest");
	if (rc == TF_OK && u.skipped > 0)
		report_note("%s: %zu file%s not imported, because %s in no "
			    "directory of an attestation: %s",
		    path_of(&u), u.skipped, u.skipped == 1 ? " is" : "s are",
		    u.skipped == 1 ? "it is" : "they are", u.first_skipped);
	if (u.a != NULL)
		(void)archive_read_free(u.a);
	return rc;
}
