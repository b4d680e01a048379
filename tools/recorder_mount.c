/*
 * Recording an attestation in a mount, with system calls: see recorder.h.
 *
 * Nothing here is a privilege of trailctl: mkdir(2) of a name with a dot makes
 * a draft, files and attributes fill it, and renameat2(2) with RENAME_NOREPLACE
 * publishes it. An errno of the mount becomes a code and a message here, and
 * the mount's own reason is read from denied.jsonl.
 *
 * The guard: SIGKILL cannot be caught, so a second process waits at a pipe. If
 * the recorder ends in order it writes a byte, and the guard exits. If the
 * recorder dies the pipe only closes, and the guard removes the draft. A draft
 * whose rename was already sent is not removed: the pipe closes after the
 * kernel has finished that call.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/control.h"
#include "define.h"
#include "evidence.h"
#include "files.h"
#include "interrupt.h"
#include "recorder.h"
#include "refusals.h"
#include "report.h"

#define GUARD_TRIES 50
#define GUARD_PAUSE_US 100000
#define JSON_MAX ((size_t)256 << 20)

/* --- errors ------------------------------------------------------------------- */

/* Put the reason of the caller's last refused attempt into err, if that attempt
 * was about the draft. */
static void
add_reason(const struct recorder *r, const char *what, struct tf_error *err)
{
	struct where w = { .mount = r->w.mount,
		.file = r->wf_file,
		.path = r->wf };
	struct refusals refused = { 0 };
	struct tf_json_doc d = { 0 };
	struct tf_buf text = { 0 };

	if (refusals_read(&w, &refused, NULL) == TF_OK && refused.n > 0 &&
	    tf_json_parse(&d, refused.line[refused.n - 1].p,
		refused.line[refused.n - 1].n, NULL) == TF_OK &&
	    tf_json_string(&d, tf_json_get(&d, 0, "path"), &text, NULL) ==
		TF_OK &&
	    strstr(text.p, r->draft) != NULL &&
	    tf_json_string(&d, tf_json_get(&d, 0, "reason"), &text, NULL) ==
		TF_OK)
		(void)tf_fail(err, err->code, "%s: %s", what, text.p);
	tf_json_doc_free(&d);
	tf_buf_free(&text);
	refusals_free(&refused);
}

/* A call on the draft failed with errno. */
static enum tf_code
failed(const struct recorder *r, const char *what, struct tf_error *err)
{
	int sys = errno;
	char *draft = NULL;

	switch (sys) {
	case EEXIST:
	case ENOTEMPTY:
		return tf_fail(err, TF_EXISTS, "%s exists already", what);
	case EDQUOT:
		return tf_fail(err, TF_QUOTA,
		    "%s: too many files for one draft (max_draft), or a quota "
		    "is used up",
		    what);
	default:
		break;
	}
	/* A read-only mount has the same errno. */
	if (sys == EROFS && where_is_sealed(r->wf_file))
		return tf_fail(err, TF_SEALED,
		    "%s is sealed: nothing can be added", r->wf);
	errno = sys;
	(void)report_name(err, what);
	if (sys == EPERM || sys == EBUSY || sys == EROFS)
		add_reason(r, what, err);
	/* What was refused is the draft in the workflow, or the workflow. */
	else if (sys == EACCES &&
	    asprintf(&draft, "%s%s", r->wf_file,
		access(r->wf_file, F_OK) == 0 ? "/x" : "") >= 0)
		(void)refusals_explain_path(draft, err);
	free(draft);
	return err->code;
}

/* "WF/NAME/BELOW", or NULL; free it. */
static char *
path_of(const struct recorder *r, const char *name, const char *below)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s%s%s", r->wf_file, name,
		   *below != '\0' ? "/" : "", below) < 0 ?
	    NULL :
	    path;
}

/* --- what is there ---------------------------------------------------------------- */

/* ENOENT has two meanings; a second stat(2) tells a missing trail from a
 * missing workflow. */
static enum tf_code
find(struct recorder *r, bool begin, bool *no_trail, struct tf_error *err)
{
	const char *slash = strrchr(r->wf_file, '/');
	char *trail;
	struct stat st;

	if (stat(r->wf_file, &st) == 0)
		return TF_OK;
	if (errno != ENOENT)
		return report_system(err, "%s", r->wf);
	if ((trail = strndup(r->wf_file, (size_t)(slash - r->wf_file))) == NULL)
		return tf_nomem(err);
	*no_trail = stat(trail, &st) < 0 && errno == ENOENT;
	free(trail);
	if (*no_trail || !begin)
		return tf_fail(err, TF_NOTFOUND, "%s", r->wf);
	/* Another caller may begin it at the same time. */
	if (mkdir(r->wf_file, 0777) < 0 && errno != EEXIST)
		return failed(r, r->wf, err);
	return TF_OK;
}

/* ENOENT: there is no such attestation, which is an answer. */
static enum tf_code
state(struct recorder *r, const char *name, char *out, struct tf_error *err)
{
	char *path = path_of(r, name, "");
	enum tf_code rc = TF_OK;
	ssize_t n;

	if (path == NULL)
		return tf_nomem(err);
	n = getxattr(path, TF_XATTR_STATE, out, 15);
	if (n < 0 && errno != ENOENT)
		rc = report_system(err, "%s/%s", r->wf, name);
	out[n < 0 ? 0 : n] = '\0';
	free(path);
	return rc;
}

/* The buffer is as large as an attribute can be. */
static enum tf_code
claimed(struct recorder *r, const char *name, const char *key,
    struct tf_buf *out, struct tf_error *err)
{
	char *path = path_of(r, name, ""), *attr = NULL;
	static char value[65536];
	enum tf_code rc = TF_OK;
	ssize_t n;

	if (path == NULL || asprintf(&attr, TF_XATTR_PREFIX "%s", key) < 0) {
		free(path);
		return tf_nomem(err);
	}
	n = getxattr(path, attr, value, sizeof(value));
	if (n < 0)
		rc = report_system(err, "%s/%s", r->wf, name);
	else
		tf_buf_add(out, value, (size_t)n);
	free(path);
	free(attr);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* A control file of attestation `name`, whole. */
static enum tf_code
read_control(struct recorder *r, const char *name, const char *file,
    struct tf_buf *out, struct tf_error *err)
{
	char *path = NULL;
	enum tf_code rc;

	if (asprintf(&path, "%s/%s/%s/%s", r->wf_file, name, TF_CONTROL_DIR,
		file) < 0)
		return tf_nomem(err);
	rc = files_read(path, JSON_MAX, out, err);
	free(path);
	return rc;
}

static enum tf_code
recorded(struct recorder *r, const char *name, struct tf_buf *sums,
    struct tf_buf *json, struct tf_error *err)
{
	enum tf_code rc = read_control(r, name, TF_CONTROL_SUMS, sums, err);

	return rc == TF_OK ?
	    read_control(r, name, TF_CONTROL_ATTESTATION, json, err) :
	    rc;
}

/* --- the draft ------------------------------------------------------------------- */

/* The name is random, so EEXIST is not expected, and not retried. */
static enum tf_code
begin(struct recorder *r, struct tf_error *err)
{
	char *path = path_of(r, r->draft, "");
	enum tf_code rc = TF_OK;

	if (path == NULL)
		return tf_nomem(err);
	if (mkdir(path, 0777) < 0)
		rc = failed(r, r->wf, err);
	free(path);
	return rc;
}

/* One that exists is fine: several files may be in it. */
static enum tf_code
make_dir(struct recorder *r, const char *name, struct tf_error *err)
{
	char *path = path_of(r, r->draft, name);
	enum tf_code rc = TF_OK;

	if (path == NULL)
		return tf_nomem(err);
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		rc = failed(r, name, err);
	free(path);
	return rc;
}

/* O_EXCL: two sources with one name would otherwise become one file. */
static enum tf_code
create(struct recorder *r, const char *name, unsigned mode,
    struct tf_error *err)
{
	char *path = path_of(r, r->draft, name);
	enum tf_code rc = TF_OK;

	if (path == NULL)
		return tf_nomem(err);
	r->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    mode & 0777);
	if (r->fd < 0)
		rc = failed(r, name, err);
	free(path);
	return rc;
}

static enum tf_code
put(struct recorder *r, const void *p, size_t n, struct tf_error *err)
{
	return files_put(r->fd, r->draft, p, n, err);
}

/* r->fd is cleared first: also a failed close(2) has closed it. */
static enum tf_code
end(struct recorder *r, struct tf_error *err)
{
	int fd = r->fd;

	r->fd = -1;
	/* The mount reports here what it could not store. */
	return close(fd) == 0 ? TF_OK : failed(r, r->draft, err);
}

static enum tf_code
read_back(struct recorder *r, const char *name, const struct tf_sink *sink,
    struct tf_error *err)
{
	char *path = path_of(r, r->draft, name);
	struct source s = { .name = (char *)name,
		.path = path,
		.nested = true };
	struct evidence ignored = { 0 };
	enum tf_code rc = path == NULL ? tf_nomem(err) :
					 evidence_read(&s, sink, &ignored, err);

	evidence_free(&ignored);
	free(path);
	return rc;
}

/* User data that is too long for an attribute. */
static enum tf_code
save_user_data(struct recorder *r, const void *p, size_t n,
    struct tf_error *err)
{
	char *path = path_of(r, r->draft,
	    TF_CONTROL_DIR "/" TF_CONTROL_USER_DATA);
	enum tf_code rc;
	int fd;

	if (path == NULL)
		return tf_nomem(err);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	rc = fd < 0 ? report_system(err, "user-data") :
		      files_put(fd, "user-data", p, n, err);
	if (fd >= 0 && close(fd) < 0 && rc == TF_OK)
		rc = report_system(err, "user-data");
	free(path);
	return rc;
}

/* The mount's errnos about values become TF_INVALID, each with its reason. */
static enum tf_code
claim(struct recorder *r, const char *key, const void *value, size_t n,
    struct tf_error *err)
{
	char *path = path_of(r, r->draft, ""), *attr = NULL;
	enum tf_code rc = TF_OK;

	if (path == NULL || asprintf(&attr, TF_XATTR_PREFIX "%s", key) < 0) {
		free(path);
		return tf_nomem(err);
	}
	if (n > XATTR_SIZE_MAX) {
		rc = save_user_data(r, value, n, err);
	} else if (setxattr(path, attr, value, n, 0) < 0) {
		switch (errno) {
		case EINVAL:
			rc = tf_fail(err, TF_INVALID,
			    "the value of %s is malformed", key);
			break;
		case E2BIG:
			rc = tf_fail(err, TF_INVALID,
			    "the value of %s is too long", key);
			break;
		case ENOSPC:
			rc = tf_fail(err, TF_INVALID,
			    "%s: there are too many claims, or they are too "
			    "long together",
			    key);
			break;
		default:
			rc = failed(r, key, err);
		}
	}
	free(path);
	free(attr);
	return rc;
}

/*
 * NOREPLACE, as two recorders may race for the name: the loser gets TF_EXISTS.
 */
static enum tf_code
publish(struct recorder *r, const char *name, struct tf_error *err)
{
	char *from = path_of(r, r->draft, ""), *to = path_of(r, name, "");
	enum tf_code rc = TF_OK;

	if (from == NULL || to == NULL)
		rc = tf_nomem(err);
	else if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		rc = failed(r, name, err);
	free(from);
	free(to);
	return rc;
}

/* --- dropping it -------------------------------------------------------------------- */

/* Unlink first and ask later: this needs no stat(2), and does not follow links.
 * The mount may answer EPERM for a directory, as POSIX allows. */
static enum tf_code
remove_tree(const char *path, struct tf_error *err)
{
	struct dirent *e;
	enum tf_code rc = TF_OK;
	DIR *d = opendir(path);

	if (d == NULL)
		return report_system(err, "%s", path);
	while (rc == TF_OK && (e = readdir(d)) != NULL) {
		char *below = NULL;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&below, "%s/%s", path, e->d_name) < 0)
			rc = tf_nomem(err);
		else if (unlink(below) < 0)
			rc = errno == EISDIR || errno == EPERM ?
			    remove_tree(below, err) :
			    report_system(err, "%s", below);
		free(below);
	}
	(void)closedir(d);
	if (rc == TF_OK && rmdir(path) < 0)
		rc = report_system(err, "%s", path);
	return rc;
}

static enum tf_code
drop(struct recorder *r, struct tf_error *err)
{
	char *path = path_of(r, r->draft, "");
	enum tf_code rc;

	if (path == NULL)
		return tf_nomem(err);
	rc = remove_tree(path, err);
	free(path);
	return rc;
}

/* --- the guard ------------------------------------------------------------------------ */

/*
 * In the child: wait until the recorder writes or ends.  A killed process waits
 * for the answer to a rename that it has sent, so that a draft is never both
 * removed and published.
 */
static void
watch(const char *path, int fd)
{
	struct tf_error err;
	char word;
	ssize_t n;

	/* Its own session: what ends the recorder shall not end the guard. */
	(void)setsid();
	(void)dup2(fd, STDIN_FILENO);
	(void)close_range(1, ~0u, 0);
	(void)!chdir("/");
	interrupt_hold();
	while ((n = read(STDIN_FILENO, &word, 1)) < 0 && errno == EINTR)
		;
	/* A file may still be open for a moment. */
	for (int i = 0; n == 0 && i < GUARD_TRIES; i++) {
		if (remove_tree(path, &err) == TF_OK || access(path, F_OK) < 0)
			break;
		(void)usleep(GUARD_PAUSE_US);
	}
	_exit(0);
}

/* Without a guard the draft stays if this process is killed: no error. */
static void
guard(struct recorder *r)
{
	char *path = path_of(r, r->draft, "");
	int fd[2];

	if (path == NULL || pipe2(fd, O_CLOEXEC) < 0) {
		free(path);
		return;
	}
	r->guard = fork();
	if (r->guard == 0)
		watch(path, fd[0]);
	(void)close(fd[0]);
	if (r->guard > 0) {
		r->guard_fd = fd[1];
	} else {
		r->guard = 0;
		(void)close(fd[1]);
	}
	free(path);
}

/* SIGPIPE is ignored for the write only: the guard may have been killed. */
static void
unguard(struct recorder *r)
{
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	(void)!write(r->guard_fd, "", 1);
	(void)signal(SIGPIPE, before);
	(void)close(r->guard_fd);
	while (waitpid(r->guard, NULL, 0) < 0 && errno == EINTR)
		;
	r->guard = 0;
}

const struct recorder_ops recorder_mount = {
	.find = find,
	.state = state,
	.claimed = claimed,
	.recorded = recorded,
	.begin = begin,
	.mkdir = make_dir,
	.create = create,
	.write = put,
	.end = end,
	.read = read_back,
	.claim = claim,
	.publish = publish,
	.drop = drop,
	.guard = guard,
	.unguard = unguard,
};
