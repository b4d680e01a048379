/*
 * The state of a witness: see witness_state.h.
 *
 * All that a request needs to be refused without state is checked before the
 * lock is taken.  From there to the rename of the new head no other process
 * decides a request (W2), and the answer is made of what was written (W1).  A
 * process that is killed leaves the old head or the new one; a log that did not
 * get its answer asks again from the size of the new one.
 */
#include "witness_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/crypto.h"
#include "core/base/file.h"
#include "report.h"

#define KEY "key"
#define VKEY "vkey"
#define LOGS "logs"
#define HEADS "heads"
#define REFUSED "refused"
#define LOCK "lock"
#define LOGS_MAX ((size_t)1 << 20) /* bytes */
#define NOTE_MAX ((size_t)1 << 16)
#define HEX_LEN (2 * sizeof(struct tf_hash))
#define REFUSED_LEN 64 /* bytes of a path below REFUSED, and its NUL */

/* --- making it -------------------------------------------------------------- */

static bool
is_empty(int fd)
{
	DIR *d = fdopendir(dup(fd));
	struct dirent *e;
	bool empty = d != NULL;

	while (empty && (e = readdir(d)) != NULL)
		empty = strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0;
	if (d != NULL)
		(void)closedir(d);
	return empty;
}

static enum tf_code
open_dir(const char *dir, int *fd, struct tf_error *err)
{
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 ? TF_OK : report_system(err, "%s", dir);
}

/* The vkey comes last: without it the directory is not used. */
static enum tf_code
fill(int fd, const char *name, struct tf_buf *vkey, struct tf_error *err)
{
	static const char logs[] = "# One log per line: its vkey, as "
				   "`trailctl init` printed it.\n";
	struct tf_key *key = NULL;
	enum tf_code rc = tf_key_generate(&key, err);

	if (rc == TF_OK)
		rc = tf_witness_vkey(key, name, vkey, err);
	if (rc == TF_OK &&
	    (mkdirat(fd, HEADS, 0755) < 0 || mkdirat(fd, REFUSED, 0755) < 0))
		rc = report_system(err, HEADS);
	if (rc == TF_OK)
		rc = tf_file_write(fd, LOGS, logs, sizeof(logs) - 1, 0644, true,
		    err);
	if (rc == TF_OK)
		rc = tf_key_save(key, fd, KEY, err);
	if (rc == TF_OK) {
		tf_buf_str(vkey, "\n");
		rc = tf_buf_end(vkey, err);
	}
	if (rc == TF_OK)
		rc = tf_file_write(fd, VKEY, vkey->p, vkey->n, 0644, true, err);
	tf_key_free(key);
	return rc;
}

enum tf_code
witness_state_make(const char *dir, const char *name, struct tf_buf *vkey,
    struct tf_error *err)
{
	int fd = -1;
	enum tf_code rc;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return report_system(err, "%s", dir);
	if ((rc = open_dir(dir, &fd, err)) != TF_OK)
		return rc;
	rc = is_empty(fd) ? fill(fd, name, vkey, err) :
			    tf_fail(err, TF_EXISTS, "%s is not empty", dir);
	(void)close(fd);
	return rc;
}

/* --- reading it --------------------------------------------------------------- */

struct witness {
	int fd, lock;
	struct tf_key *key;
	struct tf_buf vkey, logs;
	char *name;
	struct tf_str log;  /* the key that signed the request, in logs */
	struct tf_buf head; /* empty: none */
	struct tf_witness_head last;
};

/* The name in the vkey must be the one that this key gives. */
static enum tf_code
open_key(struct witness *w, const char *dir, struct tf_error *err)
{
	struct tf_buf own = { 0 };
	const char *plus;
	enum tf_code rc = tf_file_read(w->fd, VKEY, 4096, &w->vkey, err);

	if (rc == TF_NOTFOUND) {
		errno = 0;
		return tf_fail(err, rc,
		    "%s is no state of a witness: make one with --init", dir);
	}
	if (rc != TF_OK ||
	    (rc = tf_key_load(w->fd, KEY, &w->key, err)) != TF_OK)
		return rc;
	plus = w->vkey.n > 0 ? memchr(w->vkey.p, '+', w->vkey.n) : NULL;
	if (plus == NULL)
		return tf_fail(err, TF_INVALID, VKEY " is not a key");
	w->name = strndup(w->vkey.p, (size_t)(plus - w->vkey.p));
	if (w->name == NULL)
		return tf_nomem(err);
	rc = tf_witness_vkey(w->key, w->name, &own, err);
	tf_buf_str(&own, "\n");
	if (rc == TF_OK && (rc = tf_buf_end(&own, err)) == TF_OK &&
	    !tf_str_same(tf_buf_bytes(&own), tf_buf_bytes(&w->vkey)))
		rc = tf_fail(err, TF_INVALID, VKEY " is not that of " KEY);
	tf_buf_free(&own);
	return rc;
}

static void
close_witness(struct witness *w)
{
	tf_key_free(w->key);
	tf_buf_free(&w->vkey);
	tf_buf_free(&w->logs);
	tf_buf_free(&w->head);
	free(w->name);
	if (w->lock >= 0)
		(void)close(w->lock);
	if (w->fd >= 0)
		(void)close(w->fd);
}

static enum tf_code
open_witness(struct witness *w, const char *dir, struct tf_error *err)
{
	enum tf_code rc;

	*w = (struct witness){ .fd = -1, .lock = -1 };
	if ((rc = open_dir(dir, &w->fd, err)) != TF_OK ||
	    (rc = open_key(w, dir, err)) != TF_OK)
		return rc;
	return tf_file_read(w->fd, LOGS, LOGS_MAX, &w->logs, err);
}

/* The next key of a log; false at the end. */
static bool
next_log(struct tf_str *rest, struct tf_str *key)
{
	while (rest->n > 0) {
		const char *end = memchr(rest->p, '\n', rest->n);
		size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;

		*key = (struct tf_str){ rest->p, n };
		n += end != NULL;
		rest->p += n;
		rest->n -= n;
		if (key->n > 0 && key->p[0] != '#')
			return true;
	}
	return false;
}

/*
 * Is there a log of the note's origin, and has one of its keys signed the note?
 * Then *key is that key.  The note is well-formed.  A line of logs that is no
 * key is reported to the operator, whose log would be unknown otherwise.
 * TF_NOMEM.
 */
static enum tf_code
find_log(const struct witness *w, struct tf_str note, bool *known,
    struct tf_str *key, struct tf_error *err)
{
	struct tf_str rest = tf_buf_bytes(&w->logs), one;
	struct tf_error why = { 0 };

	*known = false;
	*key = (struct tf_str){ NULL, 0 };
	while (key->n == 0 && next_log(&rest, &one)) {
		switch (tf_witness_check_log(note, one, &why)) {
		case TF_OK:
			*key = one;
			*known = true;
			break;
		case TF_TAMPER:
			*known = true;
			break;
		case TF_FOREIGN:
			break; /* another log */
		case TF_NOMEM:
			return tf_nomem(err);
		default:
			report_note(LOGS ": %.*s: %s",
			    one.n < 40 ? (int)one.n : 40, one.p, why.text);
		}
	}
	return TF_OK;
}

static void
name_head(const char *origin, char out[sizeof(HEADS) + 1 + HEX_LEN])
{
	struct tf_hash id;

	tf_sha256(origin, strlen(origin), &id);
	(void)snprintf(out, sizeof(HEADS) + 1, "%s/", HEADS);
	tf_hex(id.b, sizeof(id.b), out + sizeof(HEADS));
}

/* Read the head of the origin.  One that the log has not signed was damaged or
 * put there: better no answer than a cosignature on top of it. */
static enum tf_code
read_head(struct witness *w, const char *origin, struct tf_error *err)
{
	char name[sizeof(HEADS) + 1 + HEX_LEN];
	struct tf_str key, note;
	bool known;
	enum tf_code rc;

	name_head(origin, name);
	rc = tf_file_read(w->fd, name, NOTE_MAX, &w->head, err);
	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc != TF_OK)
		return rc;
	note = tf_buf_bytes(&w->head);
	if ((rc = tf_witness_head_of(note, &w->last, err)) != TF_OK ||
	    (rc = find_log(w, note, &known, &key, err)) != TF_OK)
		return rc == TF_NOMEM ?
		    rc :
		    tf_fail(err, TF_TAMPER, "%s is damaged", name);
	return key.n > 0 ? TF_OK :
			   tf_fail(err, TF_TAMPER,
			       "%s has no signature of a key in " LOGS, name);
}

/* Files that killed processes left; their numbers may come again. */
static void
remove_orphans(int fd, const char *name)
{
	int heads = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = heads >= 0 ? fdopendir(heads) : NULL;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *dot = strrchr(e->d_name, '.');

		if (dot != NULL && strcmp(dot, ".tmp") == 0)
			(void)unlinkat(heads, e->d_name, 0);
	}
	if (d != NULL)
		(void)closedir(d);
	else if (heads >= 0)
		(void)close(heads);
}

static enum tf_code
lock(struct witness *w, struct tf_error *err)
{
	enum tf_code rc = tf_file_open(w->fd, LOCK, O_RDWR | O_CREAT, &w->lock,
	    err);

	if (rc != TF_OK)
		return rc;
	while (flock(w->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return report_system(err, LOCK);
	remove_orphans(w->fd, HEADS);
	remove_orphans(w->fd, REFUSED);
	return TF_OK;
}

/* --- the decision ------------------------------------------------------------- */

/* Make the cosignature, keep the checkpoint with it, and only then answer. */
static enum tf_code
cosign(struct witness *w, const struct tf_witness_request *r,
    struct tf_buf *answer, struct tf_error *err)
{
	char name[sizeof(HEADS) + 1 + HEX_LEN];
	struct tf_buf head = { 0 }, line = { 0 };
	enum tf_code rc = tf_witness_keep(r->note, w->log, &head, err);

	if (rc == TF_OK)
		rc = tf_witness_cosign(w->key, w->name,
		    (uint64_t)tf_clock_now().s, r->note, &line, err);
	tf_buf_add(&head, line.p, line.n);
	if (rc == TF_OK)
		rc = tf_buf_end(&head, err);
	name_head(r->head.origin, name);
	if (rc == TF_OK)
		rc = tf_file_write(w->fd, name, head.p, head.n, 0644, false,
		    err);
	if (rc == TF_OK)
		tf_buf_add(answer, line.p, line.n);
	tf_buf_free(&head);
	tf_buf_free(&line);
	return rc == TF_OK ? tf_buf_end(answer, err) : rc;
}

/* --- what it refused ---------------------------------------------------------- */

/* REFUSED/ID-suffix. */
static void
name_refused(const char *origin, const char *suffix, char out[REFUSED_LEN])
{
	char head[sizeof(HEADS) + 1 + HEX_LEN];

	name_head(origin, head);
	(void)snprintf(out, REFUSED_LEN, REFUSED "/%.16s-%s",
	    head + sizeof(HEADS), suffix);
}

/* The request without lines of others, and the checkpoint cosigned before it,
 * after an empty line. */
static enum tf_code
write_evidence(const struct witness *w, const struct tf_witness_request *r,
    struct tf_str body, struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc;

	tf_buf_add(out, body.p, (size_t)(r->note.p - body.p));
	if ((rc = tf_witness_keep(r->note, w->log, out, err)) != TF_OK)
		return rc;
	tf_buf_str(out, "\n");
	tf_buf_add(out, w->head.p, w->head.n);
	return tf_buf_end(out, err);
}

/* One more than the number in the file. */
static enum tf_code
count_one(const struct witness *w, const char *name, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	char number[24];
	uint64_t n = 0;
	enum tf_code rc = tf_file_read(w->fd, name, sizeof(number), &text, err);

	if (rc == TF_OK && text.n > 0)
		(void)!tf_decimal(text.p, text.n - 1, TF_JSON_MAX, &n);
	tf_buf_free(&text);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	(void)snprintf(number, sizeof(number), "%llu\n",
	    (unsigned long long)n + 1);
	return tf_file_write(w->fd, name, number, strlen(number), 0644, false,
	    err);
}

/*
 * Keep the first and the last of those that are of this sort, "conflict" or
 * "unproven", and the number of all: a log, or whoever has its key, cannot fill
 * the disk.  The same as the last one is not counted again.
 */
static enum tf_code
keep_sort(const struct witness *w, const char *origin, const char *sort,
    const struct tf_buf *evidence, struct tf_error *err)
{
	char first[REFUSED_LEN], last[REFUSED_LEN], count[REFUSED_LEN];
	struct tf_buf before = { 0 };
	char suffix[32];
	enum tf_code rc;

	(void)snprintf(suffix, sizeof(suffix), "%s-first", sort);
	name_refused(origin, suffix, first);
	(void)snprintf(suffix, sizeof(suffix), "%s-last", sort);
	name_refused(origin, suffix, last);
	(void)snprintf(suffix, sizeof(suffix), "%s-count", sort);
	name_refused(origin, suffix, count);
	rc = tf_file_read(w->fd, last, 2 * TF_WITNESS_REQUEST_MAX, &before,
	    err);
	if (rc == TF_OK &&
	    tf_str_same(tf_buf_bytes(&before), tf_buf_bytes(evidence))) {
		tf_buf_free(&before);
		return TF_OK;
	}
	tf_buf_free(&before);
	rc = tf_file_write(w->fd, first, evidence->p, evidence->n, 0644, true,
	    err);
	if (rc == TF_OK || rc == TF_EXISTS)
		rc = tf_file_write(w->fd, last, evidence->p, evidence->n, 0644,
		    false, err);
	return rc == TF_OK ? count_one(w, count, err) : rc;
}

/*
 * Keep what the log has signed and what is refused.  Only a conflict is evidence
 * against the log; what is not consistent and proves nothing, such as a wrong
 * proof of an honest log, is kept apart from it.  What cannot be kept changes no
 * answer.
 */
static void
keep_refused(const struct witness *w, const struct tf_witness_request *r,
    struct tf_str body)
{
	const char *sort = tf_witness_is_conflict(r, w->last.size,
			       &w->last.root) ?
	    "conflict" :
	    "unproven";
	struct tf_buf evidence = { 0 };
	struct tf_error why = { 0 };

	if (write_evidence(w, r, body, &evidence, &why) != TF_OK ||
	    keep_sort(w, r->head.origin, sort, &evidence, &why) != TF_OK)
		(void)report(&why);
	tf_buf_free(&evidence);
}

static enum tf_code
decide(struct witness *w, const struct tf_witness_request *r,
    struct tf_str body, enum tf_witness_status *status, struct tf_buf *answer,
    struct tf_error *err)
{
	enum tf_code rc;

	if ((rc = lock(w, err)) != TF_OK ||
	    (rc = read_head(w, r->head.origin, err)) != TF_OK)
		return rc;
	*status = tf_witness_judge(r, w->last.size, &w->last.root);
	if (*status == TF_WITNESS_COSIGNED)
		return cosign(w, r, answer, err);
	if (*status == TF_WITNESS_INCONSISTENT ||
	    tf_witness_is_conflict(r, w->last.size, &w->last.root))
		keep_refused(w, r, body);
	if (*status == TF_WITNESS_OTHER_SIZE)
		tf_buf_printf(answer, "%llu\n",
		    (unsigned long long)w->last.size);
	else
		tf_buf_str(answer,
		    "not consistent with the checkpoint cosigned before\n");
	return tf_buf_end(answer, err);
}

static enum tf_code
refuse(enum tf_witness_status with, const char *reason,
    enum tf_witness_status *status, struct tf_buf *answer, struct tf_error *err)
{
	*status = with;
	tf_buf_printf(answer, "%s\n", reason);
	return tf_buf_end(answer, err);
}

enum tf_code
witness_state_answer(const char *dir, struct tf_str body,
    enum tf_witness_status *status, struct tf_buf *answer, struct tf_error *err)
{
	struct tf_witness_request r;
	struct tf_error why = { 0 };
	struct witness w;
	bool known = false;
	enum tf_code rc = open_witness(&w, dir, err);

	if (rc == TF_OK && tf_witness_request_parse(body, &r, &why) != TF_OK)
		rc = refuse(TF_WITNESS_MALFORMED, why.text, status, answer,
		    err);
	else if (rc == TF_OK &&
	    (rc = find_log(&w, r.note, &known, &w.log, err)) == TF_OK) {
		if (!known)
			rc = refuse(TF_WITNESS_UNKNOWN,
			    "this witness does not know the log", status,
			    answer, err);
		else if (w.log.n == 0)
			rc = refuse(TF_WITNESS_UNSIGNED,
			    "no good signature of the log", status, answer,
			    err);
		else
			rc = decide(&w, &r, body, status, answer, err);
	}
	close_witness(&w);
	return rc;
}
