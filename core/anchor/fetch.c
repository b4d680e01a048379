/*
 * A copy of an organisation: see fetch.h above.
 *
 *	begin:   open the engines, lock the directory, ask for the members
 *	origin:  compare the newest checkpoint with that of the copy (judge), and
 *		 fetch what is new (fetch_origin.c), and bring its search index up to
 *		 date
 *	end:     name the copies whose origin the organisation has no more, and
 *		 compare all with what it has signed (fetch_signed.c)
 *
 * The work goes by origin: a copy is opened, and its entries are replayed, at most
 * once in a run (and once more after a failure).
 */
#include "../fetch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../find.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry_scan.h"
#include "../org/uri.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/search_rows.h"
#include "../store/store_files.h"
#include "../vault.h"
#include "fetch_i.h"
#include "fetch_signed.h"
#include "replica.h"

#define IO_FAILURES 3 /* one after the other: the engines are not there */

struct origin {
	char *name, *vkey;
	char dir[TF_FETCH_NAME];
	uint64_t next;
};

struct all {
	struct tf_fetch_run run;
	struct origin *origin; /* in the order of their directories */
	size_t n, cap;
	unsigned io_failures;
	int dirfd;
};

/* --- names ------------------------------------------------------------------------ */

/*
 * The directory of an origin: letters, digits and "-_." stand for themselves, all
 * else is %XX; a long one is cut and ends in %- and a part of its digest.
 */
static void
dir_of(const char *origin, char out[TF_FETCH_NAME])
{
	const size_t most = TF_FETCH_NAME - 1 - 34;
	struct tf_hash h;
	size_t n = 0;

	for (const char *p = origin; *p != '\0'; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		    *p == '-' || *p == '_' || (*p == '.' && n > 0);

		if (n + 3 > most) {
			tf_sha256(origin, strlen(origin), &h);
			n += (size_t)snprintf(out + n, 3, "%%-");
			tf_hex(h.b, 16, out + n);
			return;
		}
		if (plain)
			out[n++] = *p;
		else
			n += (size_t)snprintf(out + n, 4, "%%%02X",
			    (unsigned char)*p);
	}
	out[n] = '\0';
}

static enum tf_code
add_member(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct all *a = arg;
	struct origin *o;

	if (!tf_array_room(&a->origin, a->n, &a->cap, sizeof(*o)))
		return tf_nomem(err);
	o = &a->origin[a->n++];
	*o = (struct origin){ .name = strndup(m->origin.p, m->origin.n),
		.vkey = strndup(m->vkey.p, m->vkey.n),
		.next = m->next };
	if (o->name == NULL || o->vkey == NULL)
		return tf_nomem(err);
	dir_of(o->name, o->dir);
	a->run.of += o->next;
	return TF_OK;
}

/*
 * Entry 0 of a ledger may be the organisation's own, with its key.  Its origin has no
 * vault, and no copy.
 */
static enum tf_code
leave_out(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct all *a = arg;
	struct tf_json_doc d;
	struct tf_str type, path;
	int t;

	tf_entry_scan(leaf->bytes.p, leaf->bytes.n, &type, &path);
	if (!tf_str_same(type, tf_str_of("organisation.opened")) ||
	    tf_json_parse(&d, leaf->bytes.p, leaf->bytes.n, NULL) != TF_OK)
		return TF_OK;
	if ((t = tf_json_get(&d, 0, "key")) >= 0 &&
	    tf_json_string(&d, t, &a->run.organisation, NULL) != TF_OK)
		a->run.organisation.n = 0;
	tf_json_doc_free(&d);
	for (size_t i = 0; i < a->n; i++) {
		struct origin *o = &a->origin[i];

		if (!tf_str_same(leaf->origin, tf_str_of(o->name)))
			continue;
		a->run.of -= o->next;
		free(o->name);
		free(o->vkey);
		*o = a->origin[--a->n];
		break;
	}
	return a->run.organisation.failed ? tf_nomem(err) : TF_OK;
}

static int
by_dir(const void *x, const void *y)
{
	return strcmp(((const struct origin *)x)->dir,
	    ((const struct origin *)y)->dir);
}

static const struct origin *
find_dir(const struct all *a, const char *dir)
{
	struct origin key = { .name = NULL };

	if (strlen(dir) >= sizeof(key.dir))
		return NULL;
	(void)snprintf(key.dir, sizeof(key.dir), "%s", dir);
	return a->n == 0 ? NULL :
			   bsearch(&key, a->origin, a->n, sizeof(key), by_dir);
}

/* --- an origin -------------------------------------------------------------------- */

/* The newest commit of the copy; size 0: none, or no copy yet.  What is wrong with
 * a copy is found when it is opened. */
static void
head_of(const char *path, uint64_t *size, struct tf_hash *root, bool *sparse)
{
	char name[PATH_MAX + sizeof(TF_DB_NAME) + 1];
	struct tf_db *db = NULL;

	*size = 0;
	(void)snprintf(name, sizeof(name), "%s/" TF_DB_NAME, path);
	if (tf_db_open(name, TF_DB_READ, &db, NULL) != TF_OK ||
	    tf_checkpoints_newest(db, size, root, NULL, NULL) != TF_OK)
		*size = 0;
	*sparse = db != NULL && tf_db_is_sparse(db);
	tf_db_close(db);
}

/* The checkpoint of the most entries that the ledger has of an origin. */
static enum tf_code
newest(struct all *a, struct origin *o, struct tf_checkpoint *c,
    struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_note parts;
	enum tf_code rc = a->run.ledger->ops->member(a->run.ledger, o->name,
	    &o->next, &note, err);

	*c = (struct tf_checkpoint){ .size = 0 };
	if (rc == TF_DENIED) /* it was revoked: what it has sent stays */
		rc = TF_OK;
	if (rc == TF_OK && note.n > 0 &&
	    tf_checkpoint_parse(note.p, note.n, &parts, c, NULL) != TF_OK)
		rc = tf_fail(err, TF_TAMPER,
		    "its newest checkpoint is malformed");
	tf_buf_free(&note);
	return rc;
}

/* F3: the organisation shows all that it has shown before, or more. */
static enum tf_code
judge(const struct origin *o, const struct tf_checkpoint *c, uint64_t have,
    const struct tf_hash *root, struct tf_error *err)
{
	if (c->size > o->next)
		return tf_fail(err, TF_TAMPER,
		    "the ledger lacks entry %llu, and has a checkpoint of %llu "
		    "entries",
		    (unsigned long long)o->next, (unsigned long long)c->size);
	if (c->size < have)
		return tf_fail(err, TF_TAMPER,
		    "the ledger has a checkpoint of %llu entries, and this "
		    "copy has %llu: it shows less than before",
		    (unsigned long long)c->size, (unsigned long long)have);
	if (c->size == have && have > 0 &&
	    memcmp(&c->root, root, sizeof(*root)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "forked: the checkpoint of %llu entries in the ledger is "
		    "of other entries than those of this copy",
		    (unsigned long long)have);
	return TF_OK;
}

/* The fetch of this thread, for a vault that asks whether to go on. */
static _Thread_local const struct tf_fetch *current;

static bool
must_stop(void)
{
	return current != NULL && current->stop != NULL &&
	    current->stop(current->arg);
}

/* Searches of all copies are to be quick.  Without an index they are only slow. */
static void
index_copy(const struct tf_fetch *o, const char *path, bool grown)
{
	const struct tf_vault_options how = { .read_only = true,
		.program = "trailctl",
		.interrupted = must_stop };
	char name[PATH_MAX + sizeof(TF_SEARCH_NAME) + 1];
	struct tf_vault *v = NULL;

	(void)snprintf(name, sizeof(name), "%s/" TF_SEARCH_NAME, path);
	if (!grown && access(name, F_OK) == 0)
		return;
	current = o;
	if (tf_vault_open(path, &how, &v, NULL) == TF_OK &&
	    tf_find_start(v, NULL) == TF_OK)
		(void)!tf_find_keep(v, NULL);
	tf_find_stop(v);
	if (v != NULL)
		(void)!tf_vault_close(v, "done", NULL);
}

static enum tf_code
fetch_one(struct all *a, struct origin *o, struct tf_fetched *f,
    struct tf_error *err)
{
	char path[PATH_MAX];
	struct tf_checkpoint c;
	struct tf_hash root;
	bool sparse;
	enum tf_code rc = newest(a, o, &c, err);

	if (snprintf(path, sizeof(path), "%s/%s", a->run.o->dir, o->dir) >=
	    (int)sizeof(path) - 64)
		return tf_fail(err, TF_NAMETOOLONG, "%s: too long",
		    a->run.o->dir);
	head_of(path, &f->before, &root, &sparse);
	f->entries = f->before;
	a->run.names = a->run.o->names ||
	    (a->run.o->as_is && (sparse || tf_replica_is_free(path)));
	if (rc == TF_OK)
		rc = judge(o, &c, f->before, &root, err);
	if (rc == TF_OK && (c.size > f->before || (sparse && !a->run.names)))
		rc = tf_fetch_origin(&a->run, path, c.size, f, err);
	if (rc == TF_OK)
		f->waiting = o->next - c.size;
	if (f->entries > 0)
		index_copy(a->run.o, path, f->entries > f->before);
	return rc;
}

/* Does this end the run, and not only this origin? */
static bool
is_end(struct all *a, enum tf_code rc)
{
	if (rc != TF_IO)
		a->io_failures = 0;
	switch (rc) {
	case TF_IO:
		return ++a->io_failures >= IO_FAILURES;
	case TF_INTERRUPTED:
	case TF_NOMEM:
	case TF_NOSPACE:
	case TF_QUOTA:
	case TF_ACCESS:
	case TF_READONLY:
	case TF_TOOMANY:
		return true;
	default:
		return false;
	}
}

static enum tf_code
fetch_all(struct all *a, struct tf_error *err)
{
	const struct tf_fetch *o = a->run.o;
	bool any = o->only == NULL;

	for (size_t i = 0; i < a->n; i++) {
		struct origin *of = &a->origin[i];
		struct tf_fetched f = { .origin = of->name,
			.vkey = of->vkey,
			.dir = of->dir };
		struct tf_error why = { 0 };
		enum tf_code rc;

		if (o->stop != NULL && o->stop(o->arg))
			return tf_fail(err, TF_INTERRUPTED, "interrupted");
		if (o->only != NULL && strcmp(of->name, o->only) != 0) {
			a->run.done += of->next;
			continue;
		}
		any = true;
		rc = fetch_one(a, of, &f, &why);
		if (rc == TF_INTERRUPTED)
			return tf_fail_as(err, &why);
		o->done(o->arg, &f, rc == TF_OK ? NULL : &why);
		if (is_end(a, rc))
			return tf_fail_as(err, &why);
		a->run.done += of->next;
	}
	return any ? TF_OK :
		     tf_fail(err, TF_NOTFOUND,
			 "the organisation has no origin %.100s", o->only);
}

/* --- the directory ----------------------------------------------------------------- */

enum tf_code
tf_fetch_open_dir(const char *dir, int *fd, struct tf_error *err)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return tf_fail(err, TF_IO, "make %.100s: %s", dir,
		    strerror(errno));
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", dir,
		    strerror(errno));
	if (faccessat(*fd, TF_DB_NAME, F_OK, 0) == 0)
		return tf_fail(err, TF_FOREIGN,
		    "%.100s is a store: give a directory for many", dir);
	return TF_OK;
}

static enum tf_code
open_dir(struct all *a, struct tf_error *err)
{
	const char *dir = a->run.o->dir;
	enum tf_code rc = tf_fetch_open_dir(dir, &a->dirfd, err);

	if (rc != TF_OK)
		return rc;
	if (flock(a->dirfd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ?
		    tf_fail(err, TF_LOCKED,
			"another process fetches into %.100s", dir) :
		    tf_fail(err, TF_IO, "lock %.100s: %s", dir,
			strerror(errno));
	return TF_OK;
}

/* A copy whose origin the organisation does not list. */
static void
name_lost(struct all *a)
{
	int fd = dup(a->dirfd);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	char mark[NAME_MAX + sizeof(TF_MIRROR_MARK) + 2];
	struct tf_error why;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	rewinddir(d);
	while ((e = readdir(d)) != NULL) {
		struct tf_fetched f = { .origin = e->d_name, .dir = e->d_name };

		(void)snprintf(mark, sizeof(mark), "%s/" TF_MIRROR_MARK,
		    e->d_name);
		if (e->d_name[0] == '.' || find_dir(a, e->d_name) != NULL ||
		    faccessat(a->dirfd, mark, F_OK, 0) < 0)
			continue;
		(void)tf_fail(&why, TF_TAMPER,
		    "the organisation has no such origin any more");
		a->run.o->done(a->run.o->arg, &f, &why);
	}
	(void)closedir(d);
}

static void
end(struct all *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->origin[i].name);
		free(a->origin[i].vkey);
	}
	free(a->origin);
	tf_buf_free(&a->run.bundle_bytes);
	tf_buf_free(&a->run.organisation);
	tf_ledger_close(a->run.ledger);
	tf_blobs_close(a->run.blobs);
	if (a->run.scratch >= 0)
		(void)close(a->run.scratch); /* it has no name */
	if (a->dirfd >= 0)
		(void)close(a->dirfd);
}

enum tf_code
tf_fetch(const struct tf_fetch *o, struct tf_error *err)
{
	struct all a = { .run = { .o = o, .scratch = -1 }, .dirfd = -1 };
	enum tf_code rc = tf_ledger_open(o->ledger, TF_ORG_READER,
	    &a.run.ledger, err);

	if (rc == TF_OK)
		rc = tf_blobs_open(o->blobs, TF_ORG_READER, &a.run.blobs, err);
	if (rc == TF_OK)
		rc = open_dir(&a, err);
	if (rc == TF_OK)
		rc = tf_file_scratch(a.dirfd, &a.run.scratch, err);
	if (rc == TF_OK)
		rc = a.run.ledger->ops->members(a.run.ledger, add_member, &a,
		    err);
	if (rc == TF_OK)
		rc = a.run.ledger->ops->read(a.run.ledger, 0, 1, leave_out, &a,
		    err);
	if (rc == TF_OK && a.n > 0)
		qsort(a.origin, a.n, sizeof(*a.origin), by_dir);
	if (rc == TF_OK)
		rc = fetch_all(&a, err);
	if (rc == TF_OK && o->only == NULL)
		name_lost(&a);
	if (rc == TF_OK && o->only == NULL)
		rc = tf_fetch_signed(&a.run, a.dirfd, dir_of, err);
	end(&a);
	return rc;
}
