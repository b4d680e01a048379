/*
 * Removing what stage/ has of a node: see stage_remove.h.
 *
 * A long file is linked as an object before the transaction of its seal.  If that
 * fails and the file goes as a draft, or is encrypted for its next seal, nothing
 * names the object.  It must not stay: nobody would find the bytes in it any
 * more, and no redaction could reach them.
 *
 * Other evidence may have the same bytes, and then the object is its own from the
 * moment at which its digest is known.  So mu is held from the look at pending
 * files until the object is gone: a file whose digest comes later does not find
 * it.  What was sealed meanwhile shows in the size of the ledger.
 *
 * Until the object has gone the staged file stays, by which orphans.c finds the
 * object after a crash.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/objects.h"
#include "background.h"
#include "base.h"
#include "encrypted.h"
#include "pending.h"
#include "pending_index.h"
#include "stage_files.h"
#include "stage_remove.h"
#include "vault_i.h"

#define TRIES 10 /* while other evidence is being sealed */

struct search {
	uint64_t id; /* of the node that does not need it any more */
	const struct tf_hash *h;
	bool found;
};

static bool
needs_object(void *arg, struct tf_pending *l)
{
	struct search *s = arg;
	const struct tf_hash *h = l->encrypted != NULL ?
	    &l->encrypted->content.sha256 :
	    &l->digest;

	s->found = l->attr.id != s->id && l->in_file &&
	    memcmp(h, s->h, sizeof(*h)) == 0;
	return !s->found;
}

/* Unlink the object if it is file ino and no pending file has its digest; *size
 * becomes that of the ledger.  If that is not `size`, nothing is done. */
static enum tf_code
unlink_unneeded(struct tf_vault *v, struct search *s, uint64_t ino, bool really,
    uint64_t *size, struct tf_error *err)
{
	uint64_t now = 0;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	s->found = false;
	tf_pending_range(&v->pending, TF_PENDING_BY_PLACE, NULL, 0,
	    needs_object, s);
	really = really && v->head.size == *size && !s->found;
	*size = v->head.size;
	if (really)
		rc = tf_object_inode(v->objectsfd, s->h, &now, err);
	if (rc == TF_OK && really && now == ino)
		rc = tf_object_unlink(v->objectsfd, s->h, err);
	pthread_mutex_unlock(&v->mu);
	s->found = s->found || really; /* there is no more to do */
	return rc;
}

enum tf_code
tf_object_unneeded(struct tf_vault *v, uint64_t id, const struct tf_hash *h,
    uint64_t ino, struct tf_error *err)
{
	struct search s = { .id = id, .h = h };
	struct tf_db *db;
	uint64_t size = 0, object;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = unlink_unneeded(v, &s, ino, false, &size, err);
	for (int i = 0; rc == TF_OK && !s.found && i < TRIES; i++) {
		rc = tf_object_find(db, h, &object, err);
		if (rc == TF_OK)
			break; /* an entry names it */
		rc = rc == TF_NOTFOUND ?
		    unlink_unneeded(v, &s, ino, true, &size, err) :
		    rc;
	}
	tf_reader_done(v, db);
	return rc;
}

/* --- later ------------------------------------------------------------------ */

struct removal {
	struct tf_duty duty;
	struct tf_vault *v;
	uint64_t id;
	struct tf_hash sha256;
};

static void
remove_object(struct tf_duty *d)
{
	struct removal *r = (struct removal *)d;
	char name[TF_STAGE_NAME];
	struct tf_error e;
	struct stat st;
	enum tf_code rc = TF_OK;

	tf_stage_name(r->id, name);
	if (fstatat(r->v->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_nlink > 1)
		rc = tf_object_unneeded(r->v, r->id, &r->sha256,
		    (uint64_t)st.st_ino, &e);
	if (rc == TF_OK)
		(void)unlinkat(r->v->stagefd, name, 0);
	else
		tf_vault_say(r->v, rc,
		    "a file that was removed leaves its bytes until the next "
		    "start: %s",
		    e.text);
	free(r);
}

/* Without memory, or when the vault is being closed, the next start does it. */
static void
remove_later(const struct tf_pending *l)
{
	struct removal *r = l->v->background == NULL ? NULL :
						       calloc(1, sizeof(*r));

	if (r == NULL)
		return;
	r->duty.uid = l->attr.uid;
	r->duty.run = remove_object;
	r->v = l->v;
	r->id = l->attr.id;
	r->sha256 = l->digest;
	tf_background_add(l->v->background, &r->duty);
}

void
tf_stage_remove(const struct tf_pending *l)
{
	bool sealed = l->attr.state == TF_STATE_SEALED && l->encrypted == NULL;
	char name[TF_STAGE_NAME];

	if (l->in_file && l->linked && !sealed) {
		remove_later(l);
	} else if (l->in_file) {
		tf_stage_name(l->attr.id, name);
		(void)unlinkat(l->v->stagefd, name, 0);
	}
	if (l->in_file && l->secret) {
		tf_stage_spare_name(l->attr.id, name);
		(void)unlinkat(l->v->stagefd, name, 0);
	}
	tf_stage_remove_age(l, l->encrypted);
}
