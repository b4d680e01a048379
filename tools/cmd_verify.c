/*
 * trailctl verify: find out what to verify and with which key, verify it, and
 * print the verdict. The key never comes from the thing that is verified; only
 * a whole store, which belongs to the caller, is verified with its own key.
 *
 * Order: choose what the argument is, by its name and by what is in it; check
 * that the options fit, since an option that does nothing would make a caller
 * believe in a check that was not made; verify; print. A directory that only
 * may be a store is verified as one: damage to it must be found and not be
 * called a wrong argument.
 *
 * A verification that could not be made has the exit status of its error, and
 * the JUnit file is replaced in that case too. The statuses of verdicts are in
 * verdict.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "cmd.h"
#include "core/control.h"
#include "files.h"
#include "report.h"
#include "text.h"
#include "verdict.h"
#include "where.h"

#define PROOF_SUFFIX ".tlog-proof"
#define PACKAGE_SUFFIX ".zip"
#define PROOF_MAX ((size_t)1 << 20) /* bytes; an entry has 64 KiB at most */
#define NOTE_MAX ((size_t)1 << 16)
#define VKEY_MAX ((size_t)4096)

static struct {
	bool json, quiet, rebuild;
	const char *vkey, *checkpoint, *evidence, *junit; /* or NULL */
	const char *against;				  /* or NULL */
	/* For a comparison with a directory; "" for all. */
	char since[TF_TIME_LEN + 1], until[TF_TIME_LEN + 1];
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	ARGS_QUIET(&ask.quiet),
	{ .name = "against",
	    .value = "DIRECTORY",
	    .help = "compare this backup or unpacked package",
	    .text = &ask.against },
	{ .name = "checkpoint",
	    .value = "FILE",
	    .help = "the log must continue this checkpoint",
	    .text = &ask.checkpoint },
	{ .name = "evidence",
	    .value = "DIRECTORY",
	    .help = "for a log: check the evidence in DIRECTORY too",
	    .text = &ask.evidence },
	{ .name = "junit",
	    .value = "FILE",
	    .help = "write JUnit XML to FILE; - is standard output",
	    .text = &ask.junit },
	{ .name = "rebuild",
	    .help = "verify the store, also behind a mount",
	    .flag = &ask.rebuild },
	{ .name = "since",
	    .value = "TIME",
	    .help = "only workflows begun at TIME or later (UTC)",
	    .time = ask.since },
	{ .name = "until",
	    .value = "TIME",
	    .help = "only workflows begun before TIME (UTC)",
	    .time = ask.until },
	{ .name = "vkey",
	    .value = "KEY",
	    .help = "the public key of the log, or a file with it",
	    .text = &ask.vkey },
	{ 0 },
};

/* What to verify.  dir: the store, the directory of the log, the proof or the
 * package; path: of the part of the store. */
struct target {
	enum check_form form;
	char *dir, *evidence, *path;
};

/* --- the key ---------------------------------------------------------- */

/* Does s look like NAME+HASH+KEY?  No file should have such a name. */
static bool
looks_like_key(const char *s)
{
	const char *plus = strchr(s, '+');

	return plus != NULL && strlen(plus) > 9 && plus[9] == '+';
}

/* Append the key to out as a string: from the argument, or from that file. */
static enum tf_code
take_key(const char *arg, struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (looks_like_key(arg))
		tf_buf_str(out, arg);
	else if ((rc = files_read(arg, VKEY_MAX, out, err)) != TF_OK)
		return rc;
	while (out->n > 0 && strchr("\r\n", out->p[out->n - 1]) != NULL)
		out->n--;
	/* With several keys nobody knows which one is meant. */
	if (out->n == 0 || memchr(out->p, '\n', out->n) != NULL ||
	    memchr(out->p, '\0', out->n) != NULL)
		return tf_fail(err, TF_INVALID, "%s does not hold one key",
		    arg);
	tf_buf_add(out, "", 1);
	return tf_buf_end(out, err);
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

/* Verify the store of the mount, or the log as the mount shows it. */
static enum tf_code
choose_mount(const struct where *w, struct target *t, struct tf_error *err)
{
	bool whole = ask.rebuild || (ask.vkey == NULL && ask.evidence == NULL);
	char *store = NULL, *log = NULL;
	enum tf_code rc;

	rc = where_store(w, &store, err);
	if (rc == TF_OK && whole && (ask.rebuild || readable(store))) {
		rc = set(t, CHECK_STORE, store, NULL, err);
	} else if (ask.rebuild) {
		; /* err has the reason from where_store() */
	} else if (asprintf(&log, "%s/%s", w->mount, TF_CONTROL_DIR) < 0) {
		rc = tf_nomem(err);
	} else {
		rc = set(t, CHECK_LOG, log,
		    ask.evidence != NULL ? ask.evidence : w->mount, err);
		free(log);
	}
	free(store);
	return rc;
}

/* Find the store, also of a mount, and the path in it. */
static enum tf_code
choose_against(const char *what, struct target *t, struct tf_error *err)
{
	struct where w = { 0 };
	char *store = NULL;
	enum tf_code rc = where_find(what, &w, err);

	if (rc == TF_OK && w.mount != NULL)
		rc = where_store(&w, &store, err);
	if (rc == TF_OK)
		rc = set(t, CHECK_AGAINST, store != NULL ? store : w.store,
		    ask.against, err);
	if (rc == TF_OK && (t->path = strdup(w.path)) == NULL)
		rc = tf_nomem(err);
	free(store);
	where_free(&w);
	return rc;
}

/* The order matters: what is certain from its name comes first. */
static enum tf_code
choose(const char *what, const char *file, struct target *t,
    struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc;

	if (ask.against != NULL)
		return choose_against(what, t, err);
	if (file == NULL && is_package(what))
		return set(t, CHECK_PACKAGE, what, NULL, err);
	if (file != NULL || is_proof(what))
		return set(t, CHECK_PROOF, what, file, err);
	if (is_log(what))
		return set(t, CHECK_LOG, what, ask.evidence, err);
	rc = where_find(what, &w, err);
	if (rc == TF_OK && w.mount != NULL)
		rc = choose_mount(&w, t, err);
	else if (rc == TF_OK)
		rc = set(t, CHECK_STORE, w.store, NULL, err);
	else if (rc == TF_NOTFOUND && is_there(what, "", S_IFREG))
		rc = set(t, CHECK_PROOF, what, NULL, err);
	else if (rc == TF_NOTFOUND && is_unpacked(what))
		rc = set(t, CHECK_PACKAGE, what, NULL, err);
	else if (rc == TF_NOTFOUND && is_there(what, "tile", S_IFDIR))
		rc = tf_fail(err, rc, "%s has tiles but no checkpoint", what);
	else if (rc == TF_NOTFOUND && is_there(what, "", S_IFDIR) &&
	    !is_like_store(what))
		rc = tf_fail(err, rc,
		    "%.40s is no store (it has no ledger.db, keys or objects), "
		    "no log (no checkpoint) and no package (no package.json)",
		    what);
	/* A broken store may not look like one: verify the directory. */
	else if (rc == TF_NOTFOUND && access(what, F_OK) == 0)
		rc = set(t, CHECK_STORE, what, NULL, err);
	where_free(&w);
	return rc;
}

/* Do the options fit what is verified? */
static enum tf_code
fits(const char *file, const struct target *t, struct tf_error *err)
{
	static const char *const names[] = {
		[CHECK_STORE] = "a store",
		[CHECK_LOG] = "a log",
		[CHECK_PROOF] = "a proof",
		[CHECK_PACKAGE] = "a package",
		[CHECK_AGAINST] = "a comparison",
	};

	if (ask.against != NULL &&
	    (ask.vkey != NULL || ask.checkpoint != NULL || file != NULL))
		return tf_fail(err, TF_USAGE,
		    "--against compares with the store; verify the store "
		    "itself with key and checkpoint");
	if (ask.against == NULL &&
	    (ask.since[0] != '\0' || ask.until[0] != '\0'))
		return tf_fail(err, TF_USAGE,
		    "--since and --until go with --against");
	if (ask.vkey == NULL && t->form != CHECK_STORE &&
	    t->form != CHECK_AGAINST)
		return tf_fail(err, TF_USAGE,
		    "give the log's key with --vkey: %s cannot prove its own "
		    "key",
		    names[t->form]);
	if (ask.evidence != NULL && t->form != CHECK_LOG)
		return tf_fail(err, TF_USAGE, "--evidence does not go with %s",
		    names[t->form]);
	if (ask.rebuild && t->form != CHECK_STORE)
		return tf_fail(err, TF_USAGE, "--rebuild needs a store");
	return TF_OK;
}

/* --- the check -------------------------------------------------------- */

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

/* Run the verification of the chosen form, and collect its findings in c. */
static enum tf_code
check(const struct target *t, struct check *c, struct tf_error *err)
{
	struct tf_buf vkey = { 0 }, earlier = { 0 };
	struct tf_verify v = { .found = check_found,
		.about = check_about,
		.progress = check_progress,
		.arg = c };
	enum tf_code rc = TF_OK;

	if (ask.vkey != NULL)
		rc = take_key(ask.vkey, &vkey, err);
	if (rc == TF_OK && ask.checkpoint != NULL)
		rc = files_read(ask.checkpoint, NOTE_MAX, &earlier, err);
	if (rc != TF_OK)
		goto out;
	v.vkey = vkey.p;
	v.since = ask.since[0] != '\0' ? ask.since : NULL;
	v.until = ask.until[0] != '\0' ? ask.until : NULL;
	/* An empty file is a bad checkpoint, not a missing one. */
	if (ask.checkpoint != NULL)
		v.earlier = (struct tf_str){ earlier.n > 0 ? earlier.p : "",
			earlier.n };
	c->form = t->form;
	c->contents = t->form == CHECK_STORE || t->form == CHECK_PACKAGE ||
	    t->evidence != NULL;
	c->earlier = ask.checkpoint != NULL;
	if (t->form == CHECK_STORE)
		rc = tf_verify_store(t->dir, &v, &c->report, err);
	else if (t->form == CHECK_LOG)
		rc = tf_verify_log(t->dir, t->evidence, &v, &c->report, err);
	else if (t->form == CHECK_PACKAGE)
		rc = tf_verify_package(t->dir, &v, &c->report, err);
	else if (t->form == CHECK_AGAINST)
		rc = tf_verify_against(t->dir, t->path, t->evidence, &v,
		    &c->report, err);
	else
		rc = check_proof(t, &v, c, err);
	check_end(c);
	if (rc == TF_OK && c->no_memory)
		rc = tf_nomem(err);
out:
	tf_buf_free(&vkey);
	tf_buf_free(&earlier);
	return rc;
}

/* --- the answer ------------------------------------------------------- */

/* Remove an old report: it must not remain after a verification that failed. */
static enum tf_code
write_junit(const struct check *c, const struct tf_error *failed,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	verdict_junit(c, failed, &b);
	if (b.failed)
		rc = tf_nomem(err);
	else if (strcmp(ask.junit, "-") == 0)
		fwrite(b.p, 1, b.n, stdout);
	else
		rc = files_write(ask.junit, &b, err);
	tf_buf_free(&b);
	return rc;
}

/* With --junit - the standard output belongs to the XML. */
static enum tf_code
answer(const struct check *c, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	if (ask.quiet && verdict_status(c) == REPORT_OK)
		return TF_OK;
	if (ask.json)
		rc = verdict_json(c, &b, err);
	else if (ask.junit == NULL || strcmp(ask.junit, "-") != 0)
		verdict_table(c, &b);
	if (rc == TF_OK && b.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && b.n > 0)
		fwrite(b.p, 1, b.n, stdout);
	tf_buf_free(&b);
	return rc;
}

static int
run(int n, char **arg)
{
	struct check c = { .percent = -1,
		.progress = isatty(STDERR_FILENO) && !ask.quiet };
	const char *what = arg[0], *file = n > 1 ? arg[1] : NULL;
	struct target t = { 0 };
	struct tf_error err = { 0 }, second = { 0 };
	int status = REPORT_OK, other;
	enum tf_code rc;

	if (ask.json && ask.junit != NULL && strcmp(ask.junit, "-") == 0)
		return cmd_usage(&cmd_verify,
		    "--json and --junit - both want standard output");
	if ((rc = choose(what, file, &t, &err)) == TF_OK &&
	    (rc = fits(file, &t, &err)) == TF_OK &&
	    (rc = check(&t, &c, &err)) == TF_OK) {
		status = verdict_status(&c);
		rc = answer(&c, &err);
	}
	if (rc != TF_OK)
		status = report(&err);
	if (ask.junit != NULL &&
	    write_junit(&c, rc == TF_OK ? NULL : &err, &second) != TF_OK) {
		/* A finding is graver than an unwritable report. */
		other = report(&second);
		status = status == REPORT_OK ? other : status;
	}
	check_free(&c);
	free(t.dir);
	free(t.evidence);
	free(t.path);
	return status;
}

const struct verb cmd_verify = {
	.name = "verify",
	.summary = "read everything again and print whether it is whole",
	.usage = "[OPTION...] STORE|PATH\n"
		 "[OPTION...] --vkey KEY LOG|PATH\n"
		 "[OPTION...] --vkey KEY PROOF [FILE]\n"
		 "[OPTION...] --vkey KEY PACKAGE\n"
		 "[OPTION...] --against DIRECTORY STORE|PATH",
	.options = options,
	.min = 1,
	.max = 2,
	.run = run,
};
