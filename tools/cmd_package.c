/*
 * trailctl package: make a package of a vault, a trail, a workflow or an
 * attestation.
 * The entry that records the package is committed before the file gets its
 * name, so no package exists without its entry (unless --no-entry).
 *
 * With --passphrase the package is written to a file without a name and from
 * there, encrypted, to the one that gets the name. The entry names the package
 * itself, so that whoever opens it can find it in the ledger.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actor.h"
#include "cmd.h"
#include "copies.h"
#include "core/age.h"
#include "core/base/bytes.h"
#include "core/base/cipher.h"
#include "core/base/crypto.h"
#include "core/base/file.h"
#include "core/base/member.h"
#include "core/control.h"
#include "core/package.h"
#include "files.h"
#include "interrupt.h"
#include "passphrase.h"
#include "progress.h"
#include "report.h"
#include "text.h"
#include "verdict.h"
#include "where.h"

static struct {
	bool json, no_entry, passphrase;
	char since[TF_TIME_LEN + 1], until[TF_TIME_LEN + 1]; /* or "" */
	const char *file, *to, *at;	       /* to, at: or NULL */
	const char *control, *status, *person; /* or NULL */
	struct copies_wish copies;
} ask;

static const struct args_option options[] = {
	{ .name = "at",
	    .value = "TIME|SIZE",
	    .help = "as the vault was then, by its newest checkpoint then",
	    .moment = &ask.at },
	COPIES_OPTIONS(ask.copies),
	{ .name = "control",
	    .value = "ID",
	    .help = "only workflows with that control",
	    .text = &ask.control },
	ARGS_JSON(&ask.json),
	{ .name = "no-entry",
	    .help = "append no entry that records the package",
	    .flag = &ask.no_entry },
	{ .name = "output",
	    .letter = 'o',
	    .value = "FILE",
	    .help = "write the package to FILE (required); of many origins "
		    "to a directory",
	    .text = &ask.file },
	{ .name = "passphrase",
	    .help = "encrypt the package with a passphrase, asked for on the "
		    "terminal",
	    .flag = &ask.passphrase },
	{ .name = "person",
	    .value = "WHO",
	    .help = "only workflows in which WHO acted: a user name, uid or "
		    "login uid, or for whom a service acted",
	    .text = &ask.person },
	{ .name = "since",
	    .letter = 'S',
	    .value = "TIME",
	    .help = "only workflows begun at TIME or later (UTC)",
	    .time = ask.since },
	{ .name = "status",
	    .value = "COMPLIANT|NON-COMPLIANT|INCOMPLETE",
	    .help = "only workflows with that status",
	    .text = &ask.status },
	{ .name = "to",
	    .value = "TEXT",
	    .help = "record to whom the package is handed over",
	    .text = &ask.to },
	{ .name = "until",
	    .letter = 'U',
	    .value = "TIME",
	    .help = "only workflows begun before TIME (UTC)",
	    .time = ask.until },
	{ 0 },
};

/* The file that was made, and the package in it. */
struct made {
	struct tf_package_made package;
	struct tf_hash sha256;
	uint64_t size;
	bool copied; /* from the mount: there is no entry about it */
};

struct secret {
	char text[PASSPHRASE_MAX];
	size_t n;
};

/* --- its entry -------------------------------------------------------- */

/* The mount has the lock of the store, so it appends the entry. */
static enum tf_code
record_in_mount(const struct where *w, const struct tf_package_made *made,
    struct tf_error *err)
{
	struct tf_ioc_package p = { .size = made->size,
		.tree_size = made->tree_size };
	enum tf_code rc = TF_OK;
	int fd = open(w->file, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memcpy(p.sha256, made->sha256.b, sizeof(p.sha256));
	memcpy(p.root, made->tree_root.b, sizeof(p.root));
	if (made->to != NULL)
		(void)snprintf(p.to, sizeof(p.to), "%s", made->to);
	if (fd < 0)
		return report_system(err, "%s", w->path);
	if (ioctl(fd, TF_IOC_PACKAGED, &p) < 0)
		rc = report_system(err, "record the package of %s", w->path);
	close(fd);
	return rc;
}

static enum tf_code
record_in_store(const struct where *w, const struct tf_package_made *made,
    struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	struct tf_attr attr;
	enum tf_code rc;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_walk(v, w->path, &attr, err);
	if (rc == TF_OK)
		rc = tf_vault_packaged(v, attr.id, made, &self, err);
	return where_done(v, rc, err);
}

/* If the entry fails, the file never gets its name. */
static enum tf_code
record(const struct where *w, const struct tf_package_made *made,
    struct tf_error *err)
{
	enum tf_code rc = w->mount != NULL ? record_in_mount(w, made, err) :
					     record_in_store(w, made, err);

	if (rc != TF_OK)
		report_note("no package was made, because its entry could not "
			    "be appended; --no-entry makes one without");
	return rc;
}

/* --- the file --------------------------------------------------------- */

/* Copy the package that the mount makes for the caller, to fd.  Of what is in it
 * only the digest and the size of the package become known. */
static enum tf_code
copy_package(const struct where *w, int fd, struct tf_package_made *made,
    struct tf_error *err)
{
	static char buf[128 * 1024];
	struct progress progress = { .what = "package", .silent = ask.json };
	struct tf_sha256 *sha = tf_sha256_new();
	struct stat st = { .st_size = 0 };
	int from = -1;
	ssize_t n;
	enum tf_code rc = TF_OK;

	if (ask.since[0] != '\0' || ask.until[0] != '\0' || ask.to != NULL ||
	    ask.control != NULL || ask.status != NULL || ask.person != NULL ||
	    ask.at != NULL)
		rc = tf_fail(err, TF_ACCESS,
		    "--at, --control, --person, --since, --status, --to and "
		    "--until need the store, which is its owner's alone");
	if (rc == TF_OK)
		rc = where_control_of(w, w->path, TF_CONTROL_PACKAGE, &from,
		    err);
	if (rc == TF_OK && sha == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		(void)fstat(from, &st); /* for the progress alone */
	while (rc == TF_OK && (n = read(from, buf, sizeof(buf))) != 0) {
		if (n < 0) {
			rc = report_system(err, "package of %s", w->path);
			break;
		}
		tf_sha256_add(sha, buf, (size_t)n);
		rc = tf_file_pwrite(fd, buf, (size_t)n, made->size, err);
		made->size += (uint64_t)n;
		progress_draw(&progress, made->size, (uint64_t)st.st_size);
	}
	progress_end(&progress);
	if (rc == TF_OK) {
		tf_sha256_peek(sha, &made->sha256);
		rc = tf_file_sync(fd, err);
	}
	if (from >= 0)
		(void)close(from); /* only read */
	tf_sha256_free(sha);
	return rc;
}

/* Read the store, also of a mount: both have the same ledger.  A user who cannot
 * read the store of a mount gets the package from the mount. */
static enum tf_code
write_package(const struct where *w, const char *dir, int fd, struct made *m,
    struct tf_error *err)
{
	struct tf_package_made *made = &m->package;
	struct tf_package_request r = { .path = w->path,
		.since = ask.since[0] != '\0' ? ask.since : NULL,
		.until = ask.until[0] != '\0' ? ask.until : NULL,
		.control = ask.control,
		.status = ask.status,
		.person = ask.person,
		.at = ask.at,
		.tmp = dir };
	struct progress progress = { .what = "package", .silent = ask.json };
	struct where at = { .store = w->store };
	struct tf_vault *v = NULL;
	char *store = NULL;
	enum tf_code rc = TF_OK;

	if (w->mount != NULL && (rc = where_store(w, &store, err)) == TF_OK)
		at.store = store;
	if (rc == TF_OK && (rc = where_open(&at, false, &v, err)) == TF_OK) {
		progress_listen(&progress);
		rc = tf_package_write(v, &r, fd, made, err);
		progress_end(&progress);
		where_close(v);
	} else if (w->mount != NULL) {
		m->copied = rc == TF_UNSUPPORTED || rc == TF_ACCESS;
	}
	free(store);
	return m->copied ? copy_package(w, fd, made, err) : rc;
}

/* Nobody can open the package in between by a name. */
static enum tf_code
write_encrypted(const struct where *w, const struct files_new *f,
    const struct secret *s, struct made *m, struct tf_error *err)
{
	int fd = -1;
	int dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc = dirfd < 0 ? report_system(err, "%s", f->dir) :
				      tf_file_scratch(dirfd, &fd, err);

	if (rc == TF_OK)
		rc = write_package(w, f->dir, fd, m, err);
	if (rc == TF_OK)
		rc = tf_age_encrypt_file(s->text, s->n, fd, f->fd, &m->sha256,
		    &m->size, err);
	if (fd >= 0)
		(void)close(fd); /* and gone */
	if (dirfd >= 0)
		(void)close(dirfd);
	return rc;
}

/*
 * Write the whole package to a file without a name, append the entry, and only
 * then give the name. A crash in between leaves an entry about a package that
 * nobody has, which is harmless; a package without its entry would not be.
 */
static enum tf_code
make(const struct where *w, const struct secret *s, struct made *m,
    struct tf_error *err)
{
	struct files_new f;
	enum tf_code rc = files_begin(&f, ask.file, err);

	if (rc != TF_OK)
		return rc;
	rc = ask.passphrase ? write_encrypted(w, &f, s, m, err) :
			      write_package(w, f.dir, f.fd, m, err);
	if (rc == TF_OK && !ask.passphrase) {
		m->sha256 = m->package.sha256;
		m->size = m->package.size;
	}
	m->package.to = ask.to;
	if (rc == TF_OK && m->copied && !ask.no_entry)
		report_note("you may not read the store, so the package is "
			    "one that the mount made: it is whole, but no "
			    "entry says that you have it");
	if (rc == TF_OK && !m->copied && !ask.no_entry)
		rc = record(w, &m->package, err);
	return files_end(&f, rc, err);
}

/* --- the answer ------------------------------------------------------- */

/* The form of sha256sum(1), so that it can be checked with that. */
static enum tf_code
answer(const struct made *m, struct tf_error *err)
{
	const struct tf_package_made *p = &m->package;
	char hex[2 * sizeof(m->sha256.b) + 1];
	struct tf_buf out = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	tf_hex(m->sha256.b, sizeof(m->sha256.b), hex);
	if (!ask.json) {
		printf("%s  ", hex);
		text_put(stdout, ask.file, strlen(ask.file));
		printf("\n");
		return TF_OK;
	}
	tf_json_begin(&j, &out);
	tf_json_object(&j);
	if (!m->copied)
		tf_put_uint(&j, "bytes", p->bytes);
	if (ask.passphrase)
		tf_put_bool(&j, "encrypted", true);
	if (!m->copied)
		tf_put_uint(&j, "files", p->files);
	if (ask.passphrase)
		tf_put_hash(&j, "package", &p->sha256);
	tf_put_bool(&j, "recorded", !ask.no_entry && !m->copied);
	tf_put_cstr(&j, "sha256", hex);
	tf_put_uint(&j, "size", m->size);
	if (!m->copied)
		tf_put_uint(&j, "tree", p->tree_size);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&out));
	tf_buf_free(&out);
	return rc;
}

/* Nobody has a package of what is below an attestation, whatever he may read. */
static enum tf_code
check_path(const struct where *w, struct tf_error *err)
{
	int level = strcmp(w->path, ".") == 0 ? TF_KIND_ROOT : TF_KIND_TRAIL;

	for (const char *s = w->path; *s != '\0'; s++)
		level += *s == '/';
	return level <= TF_KIND_ATTESTATION ?
	    TF_OK :
	    tf_fail(err, TF_UNSUPPORTED,
		"%.200s is no trail, workflow or attestation", w->path);
}

static enum tf_code
make_of(const char *arg, const struct secret *s, struct tf_error *err)
{
	struct made made = { .size = 0 };
	struct where w = { 0 };
	enum tf_code rc = where_find(arg, &w, err);

	if (rc == TF_OK)
		rc = check_path(&w, err);
	if (rc == TF_OK)
		rc = make(&w, s, &made, err);
	if (rc == TF_OK)
		rc = answer(&made, err);
	where_free(&w);
	return rc;
}

/* --- copies of an organisation -------------------------------------------- */

/* A package for each origin, in the directory of -o, with the name of its copy.  That
 * one of them has nothing that fits is said, and is no failure. */
static int
make_each(const struct copies *c, const struct secret *s, struct tf_error *err)
{
	const char *dir = ask.file;
	int status = copies_status(c);
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct copies_one *o = &c->v[i];
		char *file = NULL;
		enum tf_code rc;
		int is;

		if (o->path == NULL)
			continue;
		if (asprintf(&file, "%s/%s.zip", dir, o->name) < 0)
			return report_status(tf_nomem(err));
		ask.file = file;
		rc = make_of(o->path, s, err);
		n += rc == TF_OK;
		if (rc != TF_OK) {
			is = copies_problem(o->origin, err);
			if (rc != TF_NODATA)
				status = verdict_graver(status, is);
		}
		free(file);
		ask.file = dir;
	}
	return n == 0 ? verdict_graver(status, REPORT_FINDING) : status;
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A copy records nothing, so that no entry is asked for by mistake. */
static int
make_of_copies(const char *what, const struct secret *s, struct tf_error *err)
{
	struct copies c = { 0 };
	int status = REPORT_OK;
	enum tf_code rc = TF_OK;

	ask.copies.quiet = ask.json;
	if (!ask.no_entry)
		rc = tf_fail(err, TF_USAGE,
		    "a copy records no package: give --no-entry");
	else if (ask.copies.origin == NULL && !is_directory(ask.file))
		rc = tf_fail(err, TF_USAGE,
		    "%.60s has many origins: give one with --origin, or a "
		    "directory that exists with -o, for a package of each",
		    what);
	if (rc == TF_OK)
		rc = copies_open(&c, what, &ask.copies, err);
	if (rc == TF_OK && ask.copies.origin == NULL) {
		status = make_each(&c, s, err);
	} else if (rc == TF_OK && c.v[0].path == NULL) {
		rc = tf_fail(err, TF_NOTFOUND,
		    "there is no copy of %.80s: no checkpoint of it has come",
		    ask.copies.origin);
	} else if (rc == TF_OK) {
		rc = make_of(c.v[0].path, s, err);
		status = copies_status(&c);
	}
	copies_free(&c);
	return rc == TF_OK ? status : report(err);
}

static int
run(int n, char **arg)
{
	struct secret s = { .n = 0 };
	struct where w = { 0 };
	struct tf_error err = { 0 };
	bool many = copies_named(arg[0]);
	int status = REPORT_OK;
	enum tf_code rc = TF_OK;

	(void)n;
	if (ask.file == NULL)
		return cmd_usage(&cmd_package, "-o FILE is missing");
	if (ask.to != NULL && ask.no_entry)
		return cmd_usage(&cmd_package,
		    "--to needs the entry that --no-entry leaves out");
	if (ask.to != NULL)
		rc = tf_package_to_check(ask.to, &err);
	if (rc == TF_OK && !many)
		rc = copies_unwanted(&ask.copies, arg[0], &err);
	/* A wrong path is named before a passphrase is asked for. */
	if (rc == TF_OK && !many)
		rc = where_find(arg[0], &w, &err);
	if (rc == TF_OK && !many)
		rc = check_path(&w, &err);
	where_free(&w);
	if (rc == TF_OK && ask.passphrase) {
		rc = passphrase_ask("Passphrase: ", true, s.text, &s.n, &err);
		interrupt_release();
	}
	if (rc == TF_OK && many)
		status = make_of_copies(arg[0], &s, &err);
	else if (rc == TF_OK)
		rc = make_of(arg[0], &s, &err);
	tf_wipe(&s, sizeof(s));
	return rc == TF_OK ? status : report(&err);
}

const struct verb cmd_package = {
	.name = "package",
	.summary =
	    "write the evidence of a path and its proofs to one zip file",
	.usage = "[OPTION...] -o FILE PATH\n"
		 "[OPTION...] --no-entry --origin NAME -o FILE COPIES|LEDGER\n"
		 "[OPTION...] --no-entry -o DIRECTORY COPIES|LEDGER",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
