/* The state of the vault for status.json and metrics: see status_facts.h. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/time_text.h"
#include "../node/closed.h"
#include "../node/denied.h"
#include "../node/holder.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "status_facts.h"

/* Add a file to the list; false ends the walk when the list is full. */
static bool
list_one(void *arg, struct tf_pending *l)
{
	struct tf_status_facts *f = arg;

	if (f->listed == TF_STATUS_LISTED)
		return false;
	f->id[f->listed] = l->attr.id;
	f->proven[f->listed] = l->entered;
	f->state[f->listed++] = l->attr.state;
	return true;
}

/* Skip the asker's own files, which are in the list already. */
static bool
list_others(void *arg, struct tf_pending *l)
{
	struct tf_status_facts *f = arg;

	return l->attr.uid == f->asker || list_one(f, l);
}

/* Collect unsealed files, the asker's own first: another user may have very
 * many.  mu is held. */
static void
list_waiting(struct tf_vault *v, struct tf_status_facts *f)
{
	uint64_t part[] = { TF_PENDING_TO_SEAL, f->asker };

	for (; part[0] <= TF_PENDING_FILE; part[0]++)
		tf_pending_range(&v->pending, TF_PENDING_BY_OWNER, part, 2,
		    list_one, f);
	for (part[0] = 0; part[0] <= TF_PENDING_FILE; part[0]++)
		tf_pending_range(&v->pending, TF_PENDING_BY_OWNER, part, 1,
		    list_others, f);
	for (size_t i = 0; i < v->n_closed && i < TF_STATUS_LISTED; i++)
		f->closed_id[f->closed++] = v->closed[i].id;
}

/* How long the oldest frozen file waits for its seal.  A file that was frozen
 * before the start of the vault waits since that start.  mu is held. */
static uint64_t
oldest_ns(struct tf_vault *v)
{
	const struct tf_pending *l = tf_pending_first(&v->pending,
	    TF_PENDING_BY_AGE);
	uint64_t since;

	if (l == NULL)
		return 0;
	since = l->frozen_ns < v->start.boot_ns ? v->start.boot_ns :
						  l->frozen_ns;
	return tf_clock_boot_ns() - since;
}

/* mu is held. */
static void
read_damaged(const struct tf_vault *v, struct tf_status_facts *f)
{
	f->damaged = v->damaged.n;
	while (f->damaged_listed < f->damaged &&
	    f->damaged_listed < TF_STATUS_LISTED) {
		f->damaged_id[f->damaged_listed] =
		    v->damaged.id[f->damaged_listed];
		f->damaged_listed++;
	}
}

/* What waits is signed when the signer is back. */
static void
read_signer(struct tf_vault *v, struct tf_status_facts *f)
{
	char at[TF_TIME_LEN + 1];

	f->signer_away = atomic_load(&v->signer_away);
	if (f->signer_away == 0 || f->trouble[0] != '\0')
		return;
	tf_time_text((struct tf_time){ f->signer_away, 0 }, at);
	(void)snprintf(f->trouble, sizeof(f->trouble),
	    "the signer is away since %.19sZ: writers wait", at);
}

/* mu is held. */
static void
read_memory(struct tf_vault *v, struct tf_status_facts *f)
{
	f->head = v->head;
	f->head.note = (struct tf_buf){ 0 };
	f->broken = v->broken != TF_OK;
	if (f->broken)
		memcpy(f->trouble, v->broken_why.text, sizeof(f->trouble));
	read_signer(v, f);
	for (unsigned i = 0; i < TF_STATES; i++)
		f->n[i] = v->pending.files[i];
	f->failed = v->pending.failed;
	f->all_closed = v->n_closed;
	f->frozen_ns = oldest_ns(v);
	f->staged = v->staged;
	f->used = tf_store_used(v);
	tf_space_look(v);
	f->room = v->space_left;
	f->room_for = v->files_left;
	f->guard = v->guard_state;
}

enum tf_code
tf_status_read(struct tf_vault *v, struct tf_db *db, const uint32_t *asker,
    struct tf_status_facts *f, struct tf_error *err)
{
	struct tf_head *h = &f->head;
	enum tf_code rc;

	memset(f, 0, sizeof(*f));
	f->denied = tf_denied_count(v);
	pthread_mutex_lock(&v->mu);
	read_damaged(v, f);
	if (!v->read_only)
		read_memory(v, f);
	if (!v->read_only && asker != NULL) {
		f->asker = *asker;
		list_waiting(v, f);
	}
	pthread_mutex_unlock(&v->mu);
	if (!v->read_only)
		return TF_OK;
	rc = tf_checkpoints_newest(db, &h->size, &h->root, NULL, err);
	if (rc == TF_NOTFOUND) { /* a mirror that has nothing yet */
		tf_sha256("", 0, &h->root);
		return TF_OK;
	}
	if (rc == TF_OK)
		rc = tf_meta_get_int(db, "files", &h->files, err);
	if (rc == TF_OK)
		rc = tf_meta_get_int(db, "content_bytes", &h->content_bytes,
		    err);
	return rc;
}

void
tf_status_writer(struct tf_vault *v, struct tf_holder *who)
{
	memset(who, 0, sizeof(*who));
	if (!v->read_only)
		who->pid = getpid();
	else if (v->mount != NULL || !tf_holder_find(v->dirfd, who))
		memset(who, 0, sizeof(*who));
}
