/*
 * A whole store as the source of an audit: entries and tiles from the database,
 * contents from the database and objects/.  The node table must agree with the
 * entries (I5).  The audit reads one snapshot of the database, so a mount of
 * the store may write during the audit.
 *
 * Someone with access to the disk can change every file of a store, the key and
 * the checkpoint too.  A store audited with its own key shows accidents only;
 * with the key and a checkpoint that the caller kept elsewhere it also shows
 * that history was not rewritten.  The checkpoint file beside the database is
 * compared as well, since a restored older database often leaves the newer file
 * in place.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../anchor.h"
#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/home.h"
#include "../ledger/policy.h"
#include "../store/config_file.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/guard_file.h"
#include "../store/meta.h"
#include "../store/objects.h"
#include "../store/refusals.h"
#include "../store/store_files.h"
#include "../store/ticket.h"
#include "../store/transaction.h"
#include "../store/unplaced.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "pool.h"
#include "store_contents.h"
#include "store_i.h"
#include "store_nodes.h"
#include "store_said.h"
#include "store_stamps.h"

/* --- ledger --------------------------------------------------------------- */

static enum tf_code
tile(struct tf_audit *a, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;

	return tf_tiles_get(s->db, level, n, width, out, err);
}

/* Read the bytes of a statement from the database.  Bytes of another length
 * than the row says are dropped, so that the caller reports them as altered. */
static enum tf_code
payload(struct tf_audit *a, const struct tf_entry *e, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_object_row o = { .size = 0 };
	uint64_t id;
	enum tf_code rc = tf_object_find(s->db, &e->statement.payload, &id,
	    err);

	if (rc == TF_OK)
		rc = tf_object_get(s->db, id, &o, out, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "the database has no object for it");
	if (rc == TF_OK && o.size != out->n)
		out->n = 0; /* reported as altered */
	return rc;
}

/* Check one entry, and that its offset in events.jsonl follows from the entries
 * before it. */
static enum tf_code
one_row(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct tf_audit_store *s = a->self;

	if (idx >= a->head.size)
		return TF_NODATA; /* after the newest checkpoint */
	if (idx == a->next && off != s->off)
		tf_audit_finding(a, TF_CHECK_ENTRIES, idx, tf_nowhere,
		    "its place in events.jsonl is wrong");
	s->off = off + n + 1;
	return tf_audit_entry(a, idx, body, n, err);
}

/* Entries after the newest checkpoint, without a ticket, are a finding: nothing
 * but damage or forgery leaves them. */
static enum tf_code
entries(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	uint64_t count, bytes;
	enum tf_code rc = tf_entries_size(s->db, &count, &bytes, err);

	if (rc == TF_OK && count > a->head.size)
		tf_audit_finding(a, TF_CHECK_ENTRIES, a->head.size, tf_nowhere,
		    "there are entries after the newest checkpoint");
	if (rc == TF_OK)
		rc = tf_entries_each(s->db, 0, one_row, a, err);
	return rc == TF_NODATA ? TF_OK : rc;
}

/* Check what an entry says beyond names. */
static enum tf_code
said(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	enum tf_code rc = tf_audit_store_said(a, e, x, err);

	return rc == TF_OK && e->type == TF_ANCHOR_ADDED ?
	    tf_audit_store_stamp(a, e, err) :
	    rc;
}

/* What was not there was not checked. */
static void
say_absent(struct tf_audit *a)
{
	struct tf_audit_store *s = a->self;
	char text[256], blobs[160] = "the blobs of the organisation";

	if (a->r->absent == 0)
		return;
	(void)!tf_meta_get_text(s->db, TF_META_BLOBS, blobs, sizeof(blobs),
	    NULL);
	(void)snprintf(text, sizeof(text),
	    "the bytes of %llu files are not in this copy, they are in %s",
	    (unsigned long long)a->r->absent, blobs);
	tf_audit_unread(a, TF_CHECK_CONTENTS, UINT64_MAX, tf_nowhere, text);
}

static enum tf_code
end_of_entries(struct tf_audit *a, struct tf_error *err)
{
	enum tf_code rc = tf_audit_store_end(a, err);

	say_absent(a);
	tf_audit_store_stamps_end(a);
	return rc;
}

static const struct tf_source source = {
	.entries = entries,
	.tile = tile,
	.created = tf_audit_store_created,
	.access = tf_audit_store_access,
	.said = said,
	.texts = tf_audit_store_texts,
	.payload = payload,
	.end = end_of_entries,
};

/* --- around it ------------------------------------------------------------ */

/* Open what the audit reads.  The store's lock is not taken, so a store that is
 * mounted can be audited. */
static enum tf_code
open_store(struct tf_audit_store *s, const char *path, struct tf_error *err)
{
	char name[PATH_MAX];
	enum tf_code rc;

	s->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
		    strerror(errno));
	(void)snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME);
	if ((s->db_path = strdup(name)) == NULL)
		return tf_nomem(err);
	if ((rc = tf_db_open(name, TF_DB_READ, &s->db, err)) != TF_OK ||
	    (rc = tf_meta_get_text(s->db, "origin", s->origin,
		 sizeof(s->origin), err)) != TF_OK ||
	    (rc = tf_meta_get_text(s->db, "store", s->id, sizeof(s->id),
		 err)) != TF_OK ||
	    (rc = tf_file_read(s->dirfd, TF_LOG_VKEY, 4096, &s->vkey, err)) !=
		TF_OK)
		return rc;
	s->objectsfd = openat(s->dirfd, "objects",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->objectsfd < 0)
		return tf_fail(err,
		    tf_code_of_open(errno) == TF_NOTFOUND ?
			TF_FOREIGN :
			tf_code_of_open(errno),
		    "%.100s/objects: %s", path, strerror(errno));
	return TF_OK;
}

static void
close_store(struct tf_audit_store *s)
{
	if (s->db != NULL)
		tf_db_rollback(s->db);
	tf_db_close(s->db);
	if (s->objectsfd >= 0)
		(void)close(s->objectsfd);
	if (s->dirfd >= 0)
		(void)close(s->dirfd);
	tf_buf_free(&s->vkey);
	tf_buf_free(&s->beside);
	tf_buf_free(&s->changed);
	tf_buf_free(&s->stamps.ca);
	tf_bits_free(&s->queued);
	free(s->db_path);
}

/* Read the newest checkpoint and compare its row with its note.  If the note is
 * bad, the row gives the size, so that the entries are still checked; no
 * verdict can then become OK for the tree. */
static enum tf_code
take_head(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_buf note = { 0 };
	struct tf_hash root;
	struct tf_ticket_row row = { .size = 0 };
	uint64_t size = 0;
	bool waits = false;
	enum tf_code rc = tf_checkpoints_newest(s->db, &size, &root, &note,
	    err);

	if (rc == TF_OK || rc == TF_NOTFOUND) {
		struct tf_error e;
		enum tf_code asked = tf_ticket_awaits(s->db, size, &row, &waits,
		    &e);

		if (asked != TF_OK)
			rc = tf_fail_as(err, &e);
	}
	if (rc == TF_NOTFOUND && !waits) {
		tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    "there is no checkpoint");
		rc = TF_OK;
	} else if (rc == TF_OK) {
		tf_audit_head(a, tf_buf_bytes(&note));
		if (!a->head_good) { /* use the row instead of the note */
			a->head.size = a->r->size = size;
			a->head.root = a->r->root = root;
		} else if (a->head.size != size ||
		    memcmp(&root, &a->head.root, sizeof(root)) != 0) {
			tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX,
			    tf_nowhere,
			    "the checkpoint's row is not its "
			    "note");
		}
	}
	if ((rc == TF_OK || rc == TF_NOTFOUND) && waits) {
		tf_audit_unsigned(a, row.size, &row.root);
		rc = TF_OK;
	}
	tf_buf_free(&note);
	return rc;
}

/* Report a file that does not belong in the store: no entry records it.  An
 * object that was put aside shows that the store was damaged. */
static void
one_stray(void *arg, const char *path, bool aside)
{
	struct tf_str where = { path, strlen(path) };

	tf_audit_remark(arg, TF_CHECK_NAMES, TF_GRADE_BESIDE, UINT64_MAX, where,
	    aside ? "was damaged or unreadable and put aside: the same bytes "
		    "of new evidence took its place" :
		    "does not belong in a store and is not recorded");
}

/* Report a pending row that cannot be sealed: see unplaced.h. */
static void
one_unplaced(void *arg, uint64_t id, const char *name, const char *why)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "node %llu is not sealed and not shown, as %s",
	    (unsigned long long)id, why);
	tf_audit_remark(arg, TF_CHECK_NAMES, TF_GRADE_BESIDE, UINT64_MAX,
	    (struct tf_str){ name, strlen(name) }, text);
}

/* Keep the last guard that the config names. */
static enum tf_code
take_guard(void *arg, const char *key, const char *value, struct tf_error *err)
{
	char **path = arg;

	if (!tf_config_is_guard(key, value))
		return TF_OK;
	free(*path);
	*path = strdup(value);
	return *path == NULL ? tf_nomem(err) : TF_OK;
}

/* Read the guard at path, before the snapshot; last: see tf_audit_guard().  One
 * that cannot be reached, as on a verifier's machine, or that is not there yet
 * leaves a check that was not made. */
static enum tf_code
read_guard(struct tf_audit *a, const char *path, bool last,
    struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_error e;
	enum tf_code rc = tf_guard_read(path, TF_NOTE_MAX, &note, &e);

	if (rc == TF_OK || rc == TF_TOOBIG || rc == TF_INVALID)
		tf_audit_guard(a, tf_buf_bytes(&note), last);
	else if (rc == TF_NOTFOUND)
		tf_audit_unread(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    last ? "the guard of the last start is not there" :
			   "the guard is not there");
	else if (rc != TF_NOMEM)
		tf_audit_unread(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    e.text);
	tf_buf_free(&note);
	return rc == TF_NOMEM ? tf_fail_as(err, &e) : TF_OK;
}

/* Append the path of the guard that the last start recorded, as tf_hint encodes
 * it.  An entry that cannot be read has none: other checks report it. */
static enum tf_code
recorded_guard(struct tf_audit_store *s, struct tf_buf *path,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	struct tf_error e = { .code = TF_OK };
	uint64_t seq;
	enum tf_code rc = tf_meta_get_int(s->db, TF_META_OPENED, &seq, &e);

	if (rc == TF_OK)
		rc = tf_entries_get(s->db, seq, &body, NULL, &e);
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, &e);
	if (rc == TF_OK)
		rc = tf_home_guard(d.e.options, path, &e);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return tf_code_undecided(rc) ? tf_fail_as(err, &e) : TF_OK;
}

/* A mirror and a backup may be older than the guard of the store. */
static bool
is_copy(const struct tf_audit_store *s)
{
	return faccessat(s->dirfd, TF_MIRROR_MARK, F_OK, 0) == 0 ||
	    faccessat(s->dirfd, TF_BACKUP_MARK, F_OK, 0) == 0;
}

/* The config can be changed together with the store, so the guard that the last
 * start recorded is compared as well. */
static enum tf_code
read_guards(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_buf last = { 0 };
	struct tf_error e;
	char *path = NULL;
	enum tf_code rc = TF_OK;

	if (is_copy(s))
		return TF_OK;
	rc = tf_config_each(s->dirfd, take_guard, &path, &e);
	if (rc == TF_NOMEM)
		return tf_fail_as(err, &e);
	rc = path == NULL ? TF_OK : read_guard(a, path, false, err);
	if (rc == TF_OK)
		rc = recorded_guard(s, &last, err);
	if (rc == TF_OK && last.n > 0 && !tf_home_guard_same(path, &last))
		rc = read_guard(a, last.p, true, err);
	tf_buf_free(&last);
	free(path);
	return rc;
}

/* Mirrors and witnesses that do not accept this log: each is a finding, and a
 * head that one of them has is a checkpoint to compare with. */
static enum tf_code
one_refusal(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct tf_buf text = { 0 };
	enum tf_code rc;

	tf_refusal_words(r->kind, r->name, r->text, &text);
	if ((rc = tf_buf_end(&text, err)) == TF_OK) {
		tf_buf_add(&text, "", 1);
		rc = tf_buf_end(&text, err);
	}
	if (rc == TF_OK)
		tf_audit_remark(a, TF_CHECK_WITNESS, TF_GRADE_BESIDE,
		    UINT64_MAX, tf_nowhere, text.p);
	if (rc == TF_OK && r->head.n > 0)
		tf_audit_refused(a, r->head);
	tf_buf_free(&text);
	return rc;
}

static enum tf_code
learn_row(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct tf_audit_store *s = a->self;

	(void)off;
	s->learned = idx + 1;
	return tf_audit_learn(a, body, n, err);
}

/* Learn the rotations of the log's key from the entries that are new. */
static enum tf_code
learn(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = tf_entries_each(s->db, s->learned, learn_row, a, &e);

	/* The pass reports what is wrong with the table. */
	return tf_code_undecided(rc) || rc == TF_NOMEM ? tf_fail_as(err, &e) :
							 TF_OK;
}

/* Checks that need no entries come first, then the pass. */
static enum tf_code
run(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_pool_work w = { .begin = tf_audit_store_begin_thread,
		.end = tf_audit_store_end_thread,
		.hash = tf_audit_store_hash,
		.arg = s };
	struct tf_error e;
	enum tf_code rc;

	a->source = &source;
	if ((rc = learn(a, err)) != TF_OK ||
	    (rc = tf_audit_earlier(a, err)) != TF_OK)
		return rc;
	/* Read the file before the snapshot: the database is then at least as
	 * new as the file. */
	rc = tf_file_read(s->dirfd, "checkpoint", TF_NOTE_MAX, &s->beside, err);
	if (tf_code_undecided(rc))
		return rc;
	if (rc == TF_OK)
		tf_audit_beside(a, tf_buf_bytes(&s->beside));
	else if (a->r->pinned)
		tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    "the checkpoint beside the database is missing");
	if ((rc = read_guards(a, err)) != TF_OK ||
	    (rc = tf_refusals_each(s->dirfd, one_refusal, a, err)) != TF_OK ||
	    (rc = tf_audit_store_stamps_begin(s, err)) != TF_OK)
		return rc;
	if (tf_db_check(s->db, &e) != TF_OK)
		tf_audit_trouble(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "", &e);
	if ((rc = tf_ticket_snapshot(s->db, err)) != TF_OK ||
	    (rc = learn(a, err)) != TF_OK ||
	    (rc = tf_pool_new(&w, a->v->threads, &a->pool, err)) != TF_OK ||
	    (rc = take_head(a, err)) != TF_OK)
		return rc;
	if (strcmp(s->origin, a->vkey.name) != 0)
		tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    "the store's origin is not the key's");
	tf_store_check_strays(s->dirfd, true, one_stray, a);
	if ((rc = tf_unplaced_each(s->db, TF_STAGE_RULE, one_unplaced, a,
		 &e)) == TF_NOMEM)
		return tf_fail_as(err, &e);
	if (rc != TF_OK)
		tf_audit_trouble(a, TF_CHECK_NAMES, UINT64_MAX, tf_nowhere,
		    "what is not sealed", &e);
	return tf_audit_run(a, err);
}

/* Put the origin of the database into s->vkey.  If a recovery stopped before it
 * wrote keys/log.vkey, that file has the old origin until the next start. */
static enum tf_code
name_own_key(struct tf_audit_store *s, struct tf_error *err)
{
	struct tf_str text = tf_buf_bytes(&s->vkey);
	struct tf_pubkey pub;
	struct tf_vkey k;

	if (tf_vkey_parse(text.p, strcspn(text.p, "\n"), &k, NULL) != TF_OK ||
	    strcmp(k.name, s->origin) == 0)
		return TF_OK; /* tf_audit_new reports a malformed key */
	pub = k.pub;
	tf_vkey_make(&k, s->origin, &pub);
	s->vkey.n = 0;
	tf_vkey_text(&k, &s->vkey);
	return tf_buf_end(&s->vkey, err);
}

enum tf_code
tf_verify_store(const char *path, const struct tf_verify *v,
    struct tf_report *report, struct tf_error *err)
{
	struct tf_audit_store s = { .dirfd = -1,
		.objectsfd = -1,
		.sizes = v->sizes };
	struct tf_audit *a = NULL;
	enum tf_code rc = open_store(&s, path, err);

	if (rc == TF_OK)
		rc = name_own_key(&s, err);
	if (rc == TF_OK)
		rc = tf_audit_new(v, tf_buf_bytes(&s.vkey).p, report, &a, err);
	if (rc == TF_OK) {
		a->self = &s;
		rc = run(a, err);
	}
	tf_audit_free(a); /* first: its threads use the store */
	close_store(&s);
	return rc;
}
