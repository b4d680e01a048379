/*
 * What an argument names, by its name and by what is in it. The order matters: a
 * directory that only may be a store counts as one, because damage to it must
 * be found and not be called a wrong argument.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/control.h"
#include "files.h"
#include "report.h"
#include "target.h"
#include "where.h"

#define PROOF_SUFFIX ".tlog-proof"
#define PACKAGE_SUFFIX ".zip"
#define PROOF_MAX ((size_t)1 << 20) /* bytes; an entry has 64 KiB at most */
#define VKEY_MAX ((size_t)1 << 20)  /* with entries of rotations */

/* --- the key ---------------------------------------------------------- */

bool
target_is_key(const char *s)
{
	const char *plus = strchr(s, '+');

	return plus != NULL && strlen(plus) > 9 && plus[9] == '+';
}

/* Is a line behind the first one no JSON? */
static bool
has_other_lines(const char *p, size_t n)
{
	const char *end = p + n;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL)
		if (++p == end || *p != '{')
			return true;
	return false;
}

enum tf_code
target_key_text(const char *text, size_t n, const char *from,
    struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc;

	while (n > 0 && strchr("\r\n", text[n - 1]) != NULL)
		n--;
	/* With several keys nobody knows which one is meant.  Entries of rotations
	 * may follow. */
	if (n == 0 || has_other_lines(text, n) || memchr(text, '\0', n) != NULL)
		return tf_fail(err, TF_INVALID, "%s does not hold one key",
		    from);
	tf_buf_add(out, text, n);
	tf_buf_add(out, "", 1);
	if ((rc = tf_buf_end(out, err)) == TF_OK && !target_is_key(out->p))
		rc = tf_fail(err, TF_INVALID,
		    "%s: not a key of the form NAME+ID+KEY", from);
	return rc;
}

enum tf_code
target_key(const char *arg, struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = TF_OK;

	if (target_is_key(arg))
		tf_buf_str(&text, arg);
	else
		rc = files_read(arg, VKEY_MAX, &text, err);
	if (rc == TF_OK && (rc = tf_buf_end(&text, err)) == TF_OK)
		rc = target_key_text(tf_buf_bytes(&text).p, text.n, arg, out,
		    err);
	tf_buf_free(&text);
	return rc;
}

/* --- what is to be checked -------------------------------------------- */

/* Is there something of this type? It follows links, as the user does. */
static bool
is_there(const char *dir, const char *name, mode_t type)
{
	char *path = NULL;
	struct stat st;
	bool yes;

	if (asprintf(&path, "%s%s%s", dir, *name != '\0' ? "/" : "", name) < 0)
		return false;
	yes = stat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
	free(path);
	return yes;
}

/* By name: a proof has no mark at its beginning. */
static bool
is_proof(const char *path)
{
	size_t n = strlen(path), suffix = strlen(PROOF_SUFFIX);

	return n >= suffix && strcmp(path + n - suffix, PROOF_SUFFIX) == 0 &&
	    is_there(path, "", S_IFREG);
}

/* By name or by content: a damaged package may have lost its mark. */
static bool
is_package(const char *path)
{
	size_t n = strlen(path), suffix = strlen(PACKAGE_SUFFIX);

	return is_there(path, "", S_IFREG) &&
	    ((n >= suffix && strcmp(path + n - suffix, PACKAGE_SUFFIX) == 0) ||
		tf_package_is(path));
}

/* A store has tiles and a checkpoint too, and is more than a log. */
static bool
is_log(const char *dir)
{
	return is_there(dir, "checkpoint", S_IFREG) &&
	    is_there(dir, "tile", S_IFDIR) &&
	    !is_there(dir, "ledger.db", S_IFREG);
}

/* Is dir an unpacked package, even if a file is missing? */
static bool
is_unpacked(const char *dir)
{
	return is_there(dir, "package.json", S_IFREG) ||
	    (is_there(dir, "bagit.txt", S_IFREG) &&
		is_there(dir, "checkpoint", S_IFREG));
}

/* Is dir a store, even without its database? */
static bool
is_like_store(const char *dir)
{
	return is_there(dir, "ledger.db", S_IFREG) ||
	    is_there(dir, "keys", S_IFDIR) || is_there(dir, "objects", S_IFDIR);
}

/* A directory that nothing can be read from. */
static enum tf_code
no_subject(const char *dir, struct tf_error *err)
{
	errno = 0;
	return tf_fail(err, TF_NOTFOUND,
	    "%.40s is no store (it has no ledger.db, keys or objects), no log "
	    "(no checkpoint) and no package (no package.json)",
	    dir);
}

/* May this user verify the store itself? */
static bool
readable(const char *store)
{
	char *db = NULL;
	bool yes;

	if (asprintf(&db, "%s/ledger.db", store) < 0)
		return false;
	yes = access(db, R_OK) == 0;
	free(db);
	return yes;
}

/* On failure the caller frees what is there. */
static enum tf_code
set(struct target *t, enum check_form form, const char *dir,
    const char *evidence, struct tf_error *err)
{
	t->form = form;
	t->dir = strdup(dir);
	t->evidence = evidence == NULL ? NULL : strdup(evidence);
	if (t->dir == NULL || (evidence != NULL && t->evidence == NULL))
		return tf_nomem(err);
	return TF_OK;
}

/* May this user verify the log as the mount shows it? */
static bool
log_is_readable(const struct where *w)
{
	char *events = NULL;
	bool yes;

	if (asprintf(&events, "%s/%s/%s", w->mount, TF_CONTROL_DIR,
		TF_CONTROL_EVENTS) < 0)
		return false;
	yes = access(events, R_OK) == 0;
	free(events);
	return yes;
}

/* Verify the packages of what the caller may read at or below the path.  Below
 * an attestation nothing has a package. */
static enum tf_code
choose_packages(const struct where *w, struct target *t, struct tf_error *err)
{
	size_t n = 0;
	enum tf_code rc = set(t, CHECK_PACKAGES, w->mount, NULL, err);

	for (int level = 0; w->path[n] != '\0'; n++)
		if (w->path[n] == '/' && ++level == TF_KIND_ATTESTATION)
			break;
	if (rc == TF_OK && (t->path = strndup(w->path, n)) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK && strcmp(t->path, ".") == 0)
		report_note("this verifies the packages of what you may read, "
			    "as you may not read the whole ledger");
	else if (rc == TF_OK)
		report_note("this verifies the package of %s, as you may not "
			    "read the whole ledger",
		    t->path);
	return rc;
}

/* Verify the store of the mount, or the log as the mount shows it, or what is at
 * the path. */
static enum tf_code
choose_mount(const struct where *w, const struct target_wish *ask,
    struct target *t, struct tf_error *err)
{
	bool whole = ask->rebuild ||
	    (ask->vkey == NULL && ask->evidence == NULL);
	char *store = NULL, *log = NULL;
	enum tf_code rc;

	rc = where_store(w, &store, err);
	if (rc == TF_OK && whole && (ask->rebuild || readable(store))) {
		rc = set(t, CHECK_STORE, store, NULL, err);
	} else if (ask->rebuild) {
		; /* err has the reason from where_store() */
	} else if (ask->evidence == NULL && !log_is_readable(w)) {
		rc = choose_packages(w, t, err);
	} else if (asprintf(&log, "%s/%s", w->mount, TF_CONTROL_DIR) < 0) {
		rc = tf_nomem(err);
	} else {
		rc = set(t, CHECK_LOG, log,
		    ask->evidence != NULL ? ask->evidence : w->mount, err);
		free(log);
	}
	free(store);
	return rc;
}

/* Find the store, also of a mount, and the path in it. */
static enum tf_code
choose_against(const char *what, const struct target_wish *ask,
    struct target *t, struct tf_error *err)
{
	struct where w = { 0 };
	char *store = NULL;
	enum tf_code rc = where_find(what, &w, err);

	if (rc == TF_OK && w.mount != NULL)
		rc = where_store(&w, &store, err);
	if (rc == TF_OK)
		rc = set(t, CHECK_AGAINST, store != NULL ? store : w.store,
		    ask->against, err);
	if (rc == TF_OK && (t->path = strdup(w.path)) == NULL)
		rc = tf_nomem(err);
	free(store);
	where_free(&w);
	return rc;
}

/* The order matters: what is certain from its name comes first. */
enum tf_code
target_choose(const char *what, const char *file, const struct target_wish *ask,
    struct target *t, struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc;

	if (ask->against != NULL)
		return choose_against(what, ask, t, err);
	if (file == NULL && is_package(what))
		return set(t, CHECK_PACKAGE, what, NULL, err);
	if (file != NULL || is_proof(what))
		return set(t, CHECK_PROOF, what, file, err);
	if (is_log(what))
		return set(t, CHECK_LOG, what, ask->evidence, err);
	rc = where_find(what, &w, err);
	if (rc == TF_OK && w.mount != NULL)
		rc = choose_mount(&w, ask, t, err);
	else if (rc == TF_OK && (rc = where_ends(&w, what, err)) == TF_OK)
		rc = set(t, CHECK_STORE, w.store, NULL, err);
	else if (rc == TF_NOTFOUND && is_there(what, "", S_IFREG))
		rc = set(t, CHECK_PROOF, what, NULL, err);
	else if (rc == TF_NOTFOUND && is_unpacked(what))
		rc = set(t, CHECK_PACKAGE, what, NULL, err);
	else if (rc == TF_NOTFOUND && is_there(what, "tile", S_IFDIR) &&
	    ask->vkey)
		rc = set(t, CHECK_LOG, what, ask->evidence, err);
	else if (rc == TF_NOTFOUND && is_there(what, "tile", S_IFDIR))
		rc = tf_fail(err, rc, "%s has tiles but no checkpoint", what);
	else if (rc == TF_NOTFOUND && is_there(what, "", S_IFDIR) &&
	    !is_like_store(what))
		rc = where_is_bare(what) || where_is_of_many(what) ?
		    rc :
		    no_subject(what, err);
	/* A broken store may not look like one: verify the directory. */
	else if (rc == TF_NOTFOUND && access(what, F_OK) == 0)
		rc = set(t, CHECK_STORE, what, NULL, err);
	where_free(&w);
	return rc;
}

/* --- verification ------------------------------------------------------- */

/* A proof is small, and core takes it from memory. */
static enum tf_code
check_proof(const struct target *t, const struct tf_verify *v, struct check *c,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc;

	rc = files_read(t->dir, PROOF_MAX, &text, err);
	if (rc == TF_OK)
		rc = tf_verify_proof(text.n > 0 ? text.p : "", text.n,
		    t->evidence, v, &c->report, err);
	tf_buf_free(&text);
	return rc;
}

/* --- packages of a mount ------------------------------------------------- */

struct walk {
	const struct target *t;
	const struct tf_verify *v;
	struct check *c;
};

static enum tf_code verify_below(const struct walk *w, const char *path,
    int level, struct tf_error *err);

/* Verify the package of the path, which is made for who may read all evidence in
 * it; for others those of what is in it. */
static enum tf_code
verify_path(const struct walk *w, const char *path, int level,
    struct tf_error *err)
{
	struct tf_report r = { 0 };
	struct tf_error why = { 0 };
	char *file = NULL;
	enum tf_code rc;

	if (asprintf(&file, "%s/%s/%s/%s", w->t->dir, path, TF_CONTROL_DIR,
		TF_CONTROL_PACKAGE) < 0)
		return tf_nomem(err);
	w->c->package = path;
	rc = tf_verify_package(file, w->v, &r, &why);
	w->c->package = NULL;
	free(file);
	if (rc == TF_OK) {
		check_add(w->c, &r);
		return TF_OK;
	}
	if (rc != TF_ACCESS) {
		*err = why;
		return rc;
	}
	if (level < TF_KIND_ATTESTATION)
		return verify_below(w, path, level, err);
	check_leave(w->c, path);
	return TF_OK;
}

/* Verify what is in the directory; path "." is the whole vault. */
static enum tf_code
verify_below(const struct walk *w, const char *path, int level,
    struct tf_error *err)
{
	const bool root = level == TF_KIND_ROOT;
	char *dir = NULL, *below;
	const struct dirent *d;
	enum tf_code rc = TF_OK;
	DIR *names;

	if (asprintf(&dir, "%s/%s", w->t->dir, path) < 0)
		return tf_nomem(err);
	names = opendir(dir);
	free(dir);
	if (names == NULL && errno != EACCES)
		return report_system(err, "%s", path);
	if (names == NULL) {
		check_leave(w->c, path);
		return TF_OK;
	}
	while (rc == TF_OK && (d = readdir(names)) != NULL) {
		if (d->d_name[0] == '.')
			continue; /* unpublished, or the directory itself */
		if (asprintf(&below, "%s%s%s", root ? "" : path,
			root ? "" : "/", d->d_name) < 0) {
			rc = tf_nomem(err);
			break;
		}
		rc = verify_path(w, below, level + 1, err);
		free(below);
	}
	(void)closedir(names);
	return rc;
}

static enum tf_code
check_packages(const struct target *t, const struct tf_verify *v,
    struct check *c, struct tf_error *err)
{
	const struct walk w = { t, v, c };
	int level = TF_KIND_ROOT;
	enum tf_code rc;

	if (strcmp(t->path, ".") == 0) {
		c->left_ledger = true;
		rc = verify_below(&w, ".", level, err);
	} else {
		level = TF_KIND_TRAIL;
		for (const char *s = t->path; *s != '\0'; s++)
			level += *s == '/';
		rc = verify_path(&w, t->path, level, err);
	}
	if (rc == TF_OK && c->packages == 0)
		rc = tf_fail(err, TF_ACCESS,
		    "you may read the package of nothing at or below %.200s",
		    t->path);
	return rc;
}

enum tf_code
target_verify(const struct target *t, const struct tf_verify *v,
    struct check *c, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	c->form = t->form;
	c->compared = t->path;
	c->contents = t->form == CHECK_STORE || check_is_package(c) ||
	    t->evidence != NULL;
	switch (t->form) {
	case CHECK_STORE:
		rc = tf_verify_store(t->dir, v, &c->report, err);
		break;
	case CHECK_LOG:
		rc = tf_verify_log(t->dir, t->evidence, v, &c->report, err);
		break;
	case CHECK_PACKAGE:
		rc = tf_verify_package(t->dir, v, &c->report, err);
		break;
	case CHECK_PACKAGES:
		rc = check_packages(t, v, c, err);
		break;
	case CHECK_AGAINST:
		rc = tf_verify_against(t->dir, t->path, t->evidence, v,
		    &c->report, err);
		break;
	case CHECK_PROOF:
		rc = check_proof(t, v, c, err);
		break;
	}
	check_end(c);
	return rc == TF_OK && c->no_memory ? tf_nomem(err) : rc;
}

void
target_free(struct target *t)
{
	free(t->dir);
	free(t->evidence);
	free(t->path);
}
