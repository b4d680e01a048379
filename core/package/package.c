/*
 * Making a package.  The selected entries determine names, proofs, statements
 * and manifests; scratch files hold these texts.  The bytes of evidence come
 * from the objects during the write of the archive, which compares their
 * digests with the entries.
 *
 * A verifier makes every description again from the entries, so the same ledger
 * must give the same bytes: order, names and times follow from the entries
 * alone, and nothing comes from the clock or from nodes that are still pending.
 * All entries and proofs are of one snapshot and of its newest checkpoint.
 *
 * Steps: setup() opens the snapshot and checks the checkpoint; gather() decides
 * in check_there() whether the asker may have the package, and makes all
 * members except the bytes of evidence; tf_zip_write() writes the archive.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/names.h"
#include "../archive/safe_name.h"
#include "../archive/said.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../archive/zip_write.h"
#include "../asker.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../json.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/slot.h"
#include "../ledger/status_words.h"
#include "../node/children.h"
#include "../node/spool.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../package.h"
#include "../page.h"
#include "../past.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/transaction.h"
#include "../vault.h"
#include "../view/compliance.h"
#include "../view/view.h"
#include "anchors.h"
#include "descriptions.h"
#include "evidence.h"
#include "members.h"
#include "output.h"
#include "pages.h"
#include "scratch.h"

/* --- pages ---------------------------------------------------------------- */

struct text {
	struct tf_package_maker *k;
	struct tf_sha256 *sha;
};

/* Hash and keep the next bytes of a page. */
static enum tf_code
put_text(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct text *t = arg;

	tf_sha256_add(t->sha, p, n);
	return tf_scratch_add(&t->k->texts, p, n, err);
}

/* Write one page to the scratch file and take its digest on the way. */
static enum tf_code
make_text(void *arg, const char *name, tf_package_writer write, void *self,
    struct tf_error *err)
{
	struct text t = { .k = arg, .sha = tf_sha256_new() };
	const struct tf_sink sink = { put_text, &t };
	struct tf_package_member *m;
	enum tf_code rc = TF_NOMEM;

	if (t.sha == NULL)
		return tf_fail(err, rc, "no memory");
	if ((rc = tf_package_new_member(t.k, TF_PACKAGE_NAME(name), &m, err)) ==
	    TF_OK) {
		m->from = TF_FROM_TEXTS;
		m->at = t.k->texts.end;
		rc = write(self, &sink, err);
		m->zip.size = t.k->texts.end - m->at;
		m->zip.deflate = m->zip.size >= TF_DEFLATE_MIN;
		tf_sha256_peek(t.sha, &m->sha256);
	}
	tf_sha256_free(t.sha);
	return rc;
}

/* Set d->sealed from the database: the entry that began d does not say it. */
static enum tf_code
complete_dir(struct tf_package_maker *k, struct tf_package_dir *d,
    struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(k->db, d->id, &row, err);

	if (rc != TF_OK)
		return rc;
	d->sealed = row.seal != TF_NO_SEQ;
	return TF_OK;
}

/* Add the pages after all entries: their links need all names. */
static enum tf_code
add_pages(struct tf_package_maker *k, struct tf_error *err)
{
	struct tf_package_pages g = { .w = k->w,
		.p = &k->p,
		.names = k->names,
		.text = make_text,
		.arg = k };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < k->dirs.n; i++)
		if ((rc = complete_dir(k, &k->dirs.d[i], err)) == TF_OK)
			rc = tf_package_pages_add(&g, &k->dirs.d[i], err);
	for (size_t i = 0; rc == TF_OK && i < k->n_recordings; i++)
		if ((rc = tf_package_check_stop(k, err)) == TF_OK)
			rc = tf_package_replay_add(&g, k->recordings[i].node,
			    k->recordings[i].entry, k->recordings[i].data, err);
	return rc;
}

/* --- entries -------------------------------------------------------------- */

/* Add the exact bytes of an entry; a verifier hashes them to the leaf. */
static enum tf_code
add_event(struct tf_package_maker *k, struct tf_str body, struct tf_error *err)
{
	enum tf_code rc = tf_scratch_add(&k->events, body.p, body.n, err);

	if (rc == TF_OK)
		rc = tf_scratch_add(&k->events, "\n", 1, err);
	tf_sha256_add(k->events_sha, body.p, body.n);
	tf_sha256_add(k->events_sha, "\n", 1);
	k->f.entries++;
	return rc;
}

/* The last opening of the ledger, or a rotation after it, has the attester's key in
 * force. */
static enum tf_code
take_attester(struct tf_package_maker *k, struct tf_str spki,
    struct tf_error *err)
{
	k->attester.n = 0;
	tf_buf_add(&k->attester, spki.p, spki.n);
	return tf_buf_end(&k->attester, err);
}

/* Add what follows from one entry: its line, its file or its texts, and its
 * proof. */
static enum tf_code
one_entry(void *arg, uint64_t seq, struct tf_str body, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_package_maker *k = arg;
	struct tf_package_dir d;
	char name[24];
	enum tf_code rc = tf_package_check_stop(k, err);

	if (rc == TF_OK)
		rc = add_event(k, body, err);
	k->f.last = e->at;
	if (rc == TF_OK)
		rc = tf_completeness_add(&k->complete, &k->p, e, err);
	if (rc == TF_OK)
		rc = tf_health_add(&k->health, &k->p, e, err);
	if (rc == TF_OK)
		rc = tf_package_add_apart(k, e, err);
	if (rc != TF_OK)
		return rc;
	if (e->type == TF_LEDGER_OPENED)
		rc = take_attester(k, e->key_attester, err);
	else if (e->type == TF_KEY_ROTATED &&
	    tf_str_same(e->use, tf_str_of("attester")))
		rc = take_attester(k, e->key_new, err);
	if (rc != TF_OK)
		return rc;
	if (e->type == TF_EVIDENCE_SEALED)
		return tf_package_add_evidence(k, seq, body, e, err);
	if (tf_package_dir_of(&k->p, e, &d))
		rc = tf_package_dirs_add(&k->dirs, &d, err);
	if (rc == TF_OK)
		rc = tf_package_name_dirs(&k->p, k->names, e, err);
	if (rc == TF_OK)
		rc = tf_package_begin_said(k, e, err);
	if (rc == TF_OK)
		rc = tf_package_said(&k->p, k->names, e, tf_package_add_said, k,
		    err);
	if (rc == TF_OK && e->type == TF_ANCHOR_ADDED)
		rc = tf_package_add_anchor(k, e, err);
	if (rc != TF_OK)
		return rc;
	(void)snprintf(name, sizeof(name), "%llu", (unsigned long long)seq);
	return tf_package_add_proof(k, seq, body, TF_PACKAGE_EVENT_PROOFS, name,
	    err);
}

/* --- writing it out ------------------------------------------------------- */

#define SIGNER_PAUSES 200 /* for a signature that is on its way */
#define SIGNER_PAUSE_MS 10

#define NOTHING(vault)                                                       \
	{                                                                    \
		.v = (vault), .texts.fd = -1, .events.fd = -1, .open_fd = -1 \
	}

/* --- the whole ------------------------------------------------------------ */

/*
 * Open a view whose newest entry is signed: a package shows names as all of its
 * entries made them.  Entries are committed a moment before their checkpoint, or
 * longer if the signer is away.
 */
static enum tf_code
open_signed(struct tf_package_maker *k, struct tf_checkpoint *c,
    struct tf_error *err)
{
	const struct timespec pause = { .tv_nsec = SIGNER_PAUSE_MS * 1000000 };
	enum tf_code rc;

	for (int i = 0; i < SIGNER_PAUSES; i++) {
		k->note.n = 0;
		if ((rc = tf_view_open(k->v, k->who, &k->w, err)) != TF_OK)
			return rc;
		k->db = k->w->db;
		rc = tf_checkpoints_newest(k->db, &c->size, &c->root, &k->note,
		    err);
		if (rc != TF_OK || c->size >= tf_view_entries(k->w))
			return rc;
		tf_view_close(k->w);
		k->w = NULL;
		k->db = NULL;
		(void)nanosleep(&pause, NULL);
	}
	return tf_fail(err, TF_BUSY,
	    "the newest entries are not signed yet: a package can be made once "
	    "they are");
}

/*
 * Open a view of the newest checkpoint at that moment or before it.  Its entries
 * alone are in the package, so that its proofs are about all it says: what a
 * package made then has.
 */
static enum tf_code
open_past(struct tf_package_maker *k, const char *moment,
    struct tf_checkpoint *c, struct tf_error *err)
{
	uint64_t size = 0;
	enum tf_code rc = tf_past_size(k->v, moment, &size, err);

	while (rc == TF_OK) {
		k->note.n = 0;
		if ((rc = tf_view_open_at(k->v, k->who, size, &k->w, err)) !=
		    TF_OK)
			return rc;
		k->db = k->w->db;
		k->w->past = false; /* the pages are those made then */
		rc = tf_checkpoints_newest(k->db, &c->size, &c->root, &k->note,
		    err);
		if (rc == TF_NOTFOUND)
			rc = tf_fail(err, rc,
			    "nothing was signed until that moment");
		if (rc != TF_OK || c->size == size)
			return rc;
		tf_view_close(k->w);
		k->w = NULL;
		k->db = NULL;
		size = c->size;
	}
	return rc;
}

/* Open scratch files and the view.  ledger_only: a package shows nothing that
 * no entry records. */
static enum tf_code
setup(struct tf_package_maker *k, const struct tf_package_request *r,
    struct tf_error *err)
{
	enum tf_code rc = tf_package_place(r, &k->p, err);
	struct tf_checkpoint *c = &k->f.head;

	if (rc != TF_OK)
		return rc;
	k->f.p = &k->p;
	k->f.format = TF_PACKAGE_FORMAT;
	tf_package_safe(&k->top, k->p.name, true);
	tf_buf_str(&k->top, "/");
	k->names = tf_package_names_new(k->f.format);
	k->events_sha = tf_sha256_new();
	k->open_sha = tf_sha256_new();
	if (k->names == NULL || k->events_sha == NULL || k->open_sha == NULL ||
	    k->top.failed)
		return tf_nomem(err);
	if ((rc = tf_scratch_open(&k->texts, k->v, r->tmp, err)) != TF_OK ||
	    (rc = tf_scratch_open(&k->events, k->v, r->tmp, err)) != TF_OK ||
	    (rc = r->at != NULL ? open_past(k, r->at, c, err) :
				  open_signed(k, c, err)) != TF_OK)
		return rc;
	k->w->ledger_only = true;
	return tf_vault_check_note_in(k->v, k->db, tf_buf_bytes(&k->note), c,
	    &k->log_key, err);
}

/* Deadlines in a package are judged at the time of the newest entry: the same
 * ledger gives the same bytes on any day. */
static enum tf_code
set_time(struct tf_package_maker *k, struct tf_error *err)
{
	struct tf_loaded_entry newest = { 0 };
	enum tf_code rc = tf_loaded_entry_read(k->w, k->f.head.size - 1,
	    &newest, err);

	if (rc == TF_OK)
		k->w->now = newest.d.e.at;
	tf_loaded_entry_free(&newest);
	return rc;
}

/* A package has digests of everything in it, so an asker needs read access to
 * the whole of it and not only to some of its files. */
static enum tf_code
check_there(struct tf_package_maker *k, struct tf_error *err)
{
	struct tf_node_row row;
	uint64_t id = TF_ROOT_ID;
	enum tf_code rc = TF_OK;

	k->parent = TF_ROOT_ID;
	for (int i = 0; rc == TF_OK && i < (int)k->p.kind; i++) {
		rc = tf_nodes_find(k->db, id, k->p.part[i].p, k->p.part[i].n,
		    &row, err);
		id = row.attr.id;
		if (i == 0)
			k->parent = id;
	}
	errno = 0; /* of a call long ago */
	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc, "the ledger has no %.*s",
		    (int)k->p.path.n, k->p.path.p);
	if (rc == TF_OK)
		rc = tf_view_check_whole(k->w, id, err);
	/* who may read the whole directory: no more checks are needed. */
	k->w->all = true;
	return rc;
}

/* The row of a workflow, by its path below the vault or its name in the trail. */
static enum tf_code
find_workflow(struct tf_package_maker *k, struct tf_str path,
    struct tf_node_row *row, struct tf_error *err)
{
	const char *slash = memchr(path.p, '/', path.n);
	uint64_t dir = k->parent;
	size_t n;
	enum tf_code rc = TF_OK;

	if (slash != NULL) {
		n = (size_t)(slash - path.p);
		rc = tf_nodes_find(k->db, dir, path.p, n, row, err);
		dir = row->attr.id;
		path.p += n + 1;
		path.n -= n + 1;
	}
	return rc == TF_OK ?
	    tf_nodes_find(k->db, dir, path.p, path.n, row, err) :
	    rc;
}

/* Has the workflow the status and the control of the request?  Its judgement says
 * both, at the time of the newest entry. */
static enum tf_code
fits(void *arg, struct tf_str workflow, bool claimed, bool *yes,
    struct tf_error *err)
{
	struct tf_package_maker *k = arg;
	const struct tf_package_place *p = &k->p;
	const struct tf_judgement *f;
	struct tf_node_row row;
	enum tf_code rc = tf_package_check_stop(k, err);

	*yes = p->control.p == NULL || claimed;
	if (rc != TF_OK || (*yes && p->status.p == NULL))
		return rc;
	rc = find_workflow(k, workflow, &row, err);
	if (rc == TF_OK)
		rc = tf_judgement_of(k->w, row.attr.id, &f, err);
	if (rc != TF_OK)
		return rc;
	for (size_t i = 0; !*yes && i < f->status.n; i++)
		*yes = f->status.items[i].slot != NULL &&
		    tf_str_same(f->status.items[i].slot->control, p->control);
	*yes = *yes &&
	    (p->status.p == NULL ||
		tf_str_same(p->status,
		    tf_str_of(tf_compliance_word(f->status.word))));
	return TF_OK;
}

static enum tf_code
count_child(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct tf_package_maker *k = arg;

	if (row->attr.kind == TF_KIND_TRAIL)
		return tf_each_child(k->db, row->attr.id, count_child, k, err);
	k->complete.said.of++;
	return tf_package_check_stop(k, err);
}

/* What no entry of the package says: who made it, and of how many workflows. */
static enum tf_code
complete(struct tf_package_maker *k, struct tf_error *err)
{
	(void)snprintf(k->complete.said.tool, sizeof(k->complete.said.tool),
	    "trailfs " TF_VERSION);
	k->complete.said.has_of = tf_package_is_cut(&k->p);
	return k->complete.said.has_of ?
	    tf_each_child(k->db, k->parent, count_child, k, err) :
	    TF_OK;
}

/* The order is fixed by what depends on what: names before pages, everything
 * before the manifests, the payload's manifest before the one that lists it. */
static enum tf_code
gather(struct tf_package_maker *k, struct tf_error *err)
{
	enum tf_code rc = check_there(k, err);

	if (rc == TF_OK)
		rc = set_time(k, err);
	if (rc == TF_OK)
		rc = tf_package_select(k->db, k->f.head.size, &k->p, one_entry,
		    fits, k, err);
	if (rc == TF_OK)
		rc = add_pages(k, err);
	if (rc == TF_OK)
		rc = tf_package_add_keys(k, err);
	if (rc == TF_OK)
		rc = complete(k, err);
	if (rc == TF_OK)
		rc = tf_package_add_descriptions(k, err);
	if (rc == TF_OK)
		rc = tf_package_add_manifest(k, TF_PACKAGE_MANIFEST, true, err);
	if (rc == TF_OK)
		rc = tf_package_add_certificate(k, err);
	if (rc == TF_OK)
		rc = tf_package_add_manifest(k, TF_PACKAGE_TAGMANIFEST, false,
		    err);
	if (rc == TF_OK)
		rc = tf_scratch_flush(&k->texts, err);
	if (rc == TF_OK)
		rc = tf_scratch_flush(&k->events, err);
	if (rc == TF_OK)
		tf_package_sort_members(k);
	return rc;
}

/* Free everything; also after setup() stopped half-way, so each field starts as
 * NULL or -1. */
static void
dispose(struct tf_package_maker *k)
{
	tf_view_close(k->w);
	tf_package_dirs_free(&k->dirs);
	tf_completeness_free(&k->complete);
	tf_health_free(&k->health);
	for (size_t i = 0; i < k->n; i++)
		free(k->m[i].zip.name);
	for (size_t i = 0; i < k->n_recordings; i++)
		free(k->recordings[i].data);
	free(k->recordings);
	free(k->apart);
	free(k->m);
	if (k->open_fd >= 0)
		(void)close(k->open_fd);
	tf_scratch_close(&k->texts);
	tf_scratch_close(&k->events);
	tf_package_names_free(k->names);
	tf_sha256_free(k->events_sha);
	tf_sha256_free(k->open_sha);
	tf_buf_free(&k->note);
	tf_buf_free(&k->renamed);
	tf_buf_free(&k->attester);
	tf_buf_free(&k->top);
	tf_buf_free(&k->open_body);
}

/* Make the whole package.  Space on the disk of the store is asked for before
 * the archive is written, so that a full disk ends the call early. */
static enum tf_code
make(struct tf_package_maker *k, const struct tf_package_request *r, int fd,
    struct tf_error *err)
{
	enum tf_code rc = setup(k, r, err);

	if (rc == TF_OK)
		rc = gather(k, err);
	/* End the snapshot: it keeps the database from shortening its log, and
	 * the objects never change. */
	if (k->db != NULL)
		tf_db_rollback(k->db);
	for (size_t i = 0; i < k->n; i++)
		k->of += k->m[i].zip.size;
	if (rc == TF_OK && r->tmp == NULL)
		rc = tf_scratch_space(k->v, k->of, err);
	if (rc == TF_OK)
		rc = tf_zip_write(fd, tf_package_zip_member, k->n,
		    tf_package_zip_read, k, err);
	return rc;
}

/* The digest is taken from the file after it was synced: it is about the bytes
 * on disk and not about those that were meant to be there. */
enum tf_code
tf_package_write(struct tf_vault *v, const struct tf_package_request *r, int fd,
    struct tf_package_made *made, struct tf_error *err)
{
	struct tf_package_maker k = NOTHING(v);
	enum tf_code rc = make(&k, r, fd, err);

	memset(made, 0, sizeof(*made));
	if (rc == TF_OK)
		rc = tf_file_datasync(fd, err);
	if (rc == TF_OK)
		rc = tf_hash_fd(fd, &made->sha256, &made->size, err);
	made->tree_root = k.f.head.root;
	made->tree_size = k.f.head.size;
	made->files = k.f.files;
	made->bytes = k.f.bytes;
	dispose(&k);
	return rc;
}

/* Append the path of id and a NUL.  Errors: TF_NOTFOUND id is not in the ledger
 * yet. */
static enum tf_code
path_of(struct tf_vault *v, uint64_t id, struct tf_buf *path,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_getattr(v, id, &a, err);

	if (rc == TF_OK && a.state == TF_STATE_DRAFT)
		return tf_fail(err, TF_NOTFOUND, "it is not in the ledger yet");
	if (rc == TF_OK)
		rc = tf_vault_path(v, id, path, err);
	if (path->n == 0)
		tf_buf_str(path, ".");
	tf_buf_add(path, "", 1);
	return rc == TF_OK && path->failed ? tf_nomem(err) : rc;
}

/* A package that is read through a mount waits in the spool and is not synced:
 * after a crash it is made again. */
enum tf_code
tf_package_spool(struct tf_vault *v, uint64_t id, const struct tf_asker *who,
    const atomic_bool *stop, struct tf_spool **out, struct tf_error *err)
{
	struct tf_package_request r = { .path = NULL };
	struct tf_package_maker k = NOTHING(v);
	struct tf_spool *s = NULL;
	struct tf_buf path = { 0 };
	enum tf_code rc = path_of(v, id, &path, err);
	int fd = -1;

	k.who = who;
	k.stop = stop;
	r.path = path.p;
	if (rc == TF_OK)
		rc = tf_spool_file(v, &s, &fd, err);
	if (rc == TF_OK)
		rc = make(&k, &r, fd, err);
	if (rc == TF_OK)
		rc = tf_spool_filled(s, err);
	dispose(&k);
	tf_buf_free(&path);
	if (rc == TF_OK)
		*out = s;
	else
		tf_spool_free(s);
	return rc;
}
