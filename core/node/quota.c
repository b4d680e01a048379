/* Free disk space and the users' limits: see quota.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/mutant.h"
#include "../base/clock.h"
#include "../base/file.h"
#include "../crypt/age_write.h"
#include "../vault.h"
#include "encrypted.h"
#include "pending.h"
#include "quota.h"
#include "recipients.h"
#include "secret.h"
#include "space.h"
#include "user.h"
#include "vault_i.h"

#define LOOK_NS 200000000 /* a reading of the free space is valid so long */

static uint64_t
beyond(uint64_t free, uint64_t floor)
{
	return free > floor ? free - floor : 0;
}

/* What is kept for users who have not taken a share of the last space yet. */
static uint64_t
headroom(const struct tf_vault *v)
{
	const struct tf_space *disk = &v->space.free;
	uint64_t max = v->settings.value[TF_MAX_STORE];
	uint64_t room = disk->blocks * disk->block_size / TF_HEADROOM_PART;

	if (max != 0 && max / TF_HEADROOM_PART < room)
		room = max / TF_HEADROOM_PART;
	return room < TF_HEADROOM_BYTES ? room : TF_HEADROOM_BYTES;
}

static uint64_t
headroom_files(const struct tf_vault *v)
{
	uint64_t room = v->space.free.files / TF_HEADROOM_PART;

	return room < TF_HEADROOM_FILES ? room : TF_HEADROOM_FILES;
}

/* What a request takes. */
struct wish {
	uint32_t uid;
	uint64_t n;	  /* bytes of the disks */
	uint64_t counted; /* bytes that max_store does not count yet */
	uint64_t files;	  /* inodes */
};

/* The bytes that the disks and max_store leave after w. */
static uint64_t
bytes_after(const struct tf_vault *v, const struct wish *w)
{
	uint64_t max = v->settings.value[TF_MAX_STORE];
	uint64_t left = beyond(v->space_left, w->n);

	if (max != 0 && beyond(max, tf_store_used(v) + w->counted) < left)
		left = beyond(max, tf_store_used(v) + w->counted);
	return left;
}

/* More than the head-room is free: nobody has taken a share of it. */
static void
forget_shares(struct tf_vault *v)
{
	bool bytes = bytes_after(v, &(struct wish){ 0 }) >= headroom(v);
	bool files = v->files_left >= headroom_files(v);

	for (size_t i = 0; i < v->n_users && (bytes || files); i++) {
		v->users[i].last_bytes *= !bytes;
		v->users[i].last_files *= !files;
	}
}

/* Read the free space.  Objects and ledger may be on two disks: the smaller one
 * counts.  mu held. */
static enum tf_code
look_at_space(struct tf_vault *v, struct tf_error *err)
{
	uint64_t bytes = 0, files = 0, ledger_bytes = 0, ledger_files = 0;
	enum tf_code rc;

	if ((rc = tf_file_free(v->stagefd, &bytes, &files, err)) != TF_OK ||
	    (rc = tf_file_free(v->dirfd, &ledger_bytes, &ledger_files, err)) !=
		TF_OK)
		return rc;
	if (ledger_bytes < bytes)
		bytes = ledger_bytes;
	if (ledger_files < files)
		files = ledger_files;
	v->space_left = beyond(bytes,
	    TF_FLOOR_BYTES + 2 * v->unsaved + v->pending.owed + v->to_encrypt);
	v->files_left = beyond(files, TF_FLOOR_FILES);
	v->space_until_ns = tf_clock_boot_ns() + LOOK_NS;
	forget_shares(v);
	return TF_OK;
}

void
tf_space_look(struct tf_vault *v)
{
	if (tf_clock_boot_ns() > v->space_until_ns)
		(void)look_at_space(v, NULL);
}

/* The part of n that comes from the last `room`, if `after` is left then. */
static uint64_t
part_of_last(uint64_t n, uint64_t after, uint64_t room)
{
	return after >= room ? 0 : room - after < n ? room - after : n;
}

/* What w takes of the head-room; false: nothing. */
static bool
takes_last(const struct tf_vault *v, const struct wish *w, uint64_t *bytes,
    uint64_t *files)
{
	*bytes = part_of_last(w->n, bytes_after(v, w), headroom(v));
	*files = part_of_last(w->files, beyond(v->files_left, w->files),
	    headroom_files(v));
	return w->uid != 0 && *bytes + *files > 0;
}

/* May the user take w, if it is there?  mu is held. */
static bool
has_share(struct tf_vault *v, const struct wish *w)
{
	uint64_t bytes, files;
	const struct tf_user *u;

	return TF_IS_MUTANT(TF_NO_QUOTA) || !takes_last(v, w, &bytes, &files) ||
	    (u = tf_user_of(v, w->uid)) == NULL ||
	    (u->last_bytes + bytes <= headroom(v) / TF_HEADROOM_USERS &&
		u->last_files + files <= headroom_files(v) / TF_HEADROOM_USERS);
}

static void
note_share(struct tf_vault *v, const struct wish *w)
{
	uint64_t bytes, files;
	struct tf_user *u;

	if (!takes_last(v, w, &bytes, &files) ||
	    (u = tf_user_of(v, w->uid)) == NULL)
		return;
	u->last_bytes += bytes;
	u->last_files += files;
}

/* The mutant that keeps everybody waiting. */
static void
stall(void)
{
	static unsigned n;

	if (++n % 500 == 0)
		sleep(6);
}

/* mu is held. */
static enum tf_code
take_of_disks(struct tf_vault *v, const struct wish *w, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (TF_IS_MUTANT(TF_STALL))
		stall();
	if (tf_clock_boot_ns() > v->space_until_ns || v->space_left < w->n ||
	    v->files_left < w->files || !has_share(v, w))
		rc = look_at_space(v, err);
	errno = ENOSPC;
	if (rc == TF_OK && v->space_left < w->n)
		rc = tf_fail(err, TF_NOSPACE,
		    "the store's disk is full (%llu "
		    "MiB are kept for sealing): free some space",
		    (unsigned long long)(TF_FLOOR_BYTES >> 20));
	else if (rc == TF_OK && v->files_left < w->files)
		rc = tf_fail(err, TF_NOSPACE,
		    "the store's disk has no inodes (%d are kept for sealing)",
		    TF_FLOOR_FILES);
	else if (rc == TF_OK && !has_share(v, w))
		rc = tf_fail(err, TF_QUOTA,
		    "the store is nearly full, and uid %u has had its share "
		    "of the last %llu MiB: the rest is for others",
		    w->uid, (unsigned long long)(headroom(v) >> 20));
	if (rc == TF_OK) {
		note_share(v, w);
		v->space_left -= w->n;
		v->files_left -= w->files;
	}
	return rc;
}

static enum tf_code
take(struct tf_vault *v, const struct wish *w, struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = tf_store_check(v, w->counted, err);
	if (rc == TF_OK)
		rc = take_of_disks(v, w, err);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_space_take(struct tf_vault *v, uint32_t uid, uint64_t n, unsigned files,
    struct tf_error *err)
{
	/* All content is charged already.  TF_FILE_COST covers the entry. */
	const struct wish w = { uid, n, TF_FILE_COST, files };

	return take(v, &w, err);
}

enum tf_code
tf_space_say(struct tf_vault *v, uint32_t uid, uint64_t n, struct tf_error *err)
{
	const struct wish w = { uid, TF_FILE_COST + n, TF_FILE_COST + n, 0 };

	return take(v, &w, err);
}

enum tf_code
tf_space_spool(struct tf_vault *v, uint64_t n, struct tf_error *err)
{
	uint64_t kept = headroom(v) / 2;
	const struct wish w = { 0, n + kept, 0, 0 };
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = take_of_disks(v, &w, err);
	if (rc == TF_OK)
		v->space_left += kept;
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* n more of what counts as unsealed names. */
static bool
has_names(const struct tf_user *u, uint64_t n, uint64_t max)
{
	uint64_t has = u->names + u->empty;

	return TF_IS_MUTANT(TF_NO_QUOTA) || (has < max && n <= max - has);
}

enum tf_code
tf_quota_names(struct tf_vault *v, uint32_t uid, uint64_t n,
    struct tf_error *err)
{
	uint64_t max = v->settings.value[TF_MAX_UNSEALED];
	const struct tf_user *u;

	if (max == 0 || n == 0 || (u = tf_user_of(v, uid)) == NULL ||
	    has_names(u, n, max))
		return TF_OK;
	tf_empties_expire(v);
	if (has_names(u, n, max))
		return TF_OK;
	return tf_fail(err, TF_QUOTA,
	    "uid %u may have %llu names that are not sealed yet "
	    "(max_unsealed)",
	    uid, (unsigned long long)max);
}

enum tf_code
tf_quota_open(struct tf_vault *v, uint32_t uid, struct tf_error *err)
{
	uint64_t max = v->settings.value[TF_MAX_OPEN];
	const struct tf_user *u;

	if (max == 0 || (u = tf_user_of(v, uid)) == NULL || u->open < max)
		return TF_OK;
	return tf_fail(err, TF_QUOTA,
	    "uid %u may have %llu files open for writing (max_open)", uid,
	    (unsigned long long)max);
}

void
tf_quota_recount(struct tf_pending *l)
{
	struct tf_user *u;

	if (l->counted == 0)
		return;
	if ((u = tf_user_of(l->v, l->counted_uid)) != NULL)
		u->names -= l->counted;
	l->counted = 0;
	if ((u = tf_user_of(l->v, l->attr.uid)) == NULL)
		return;
	l->counted_uid = u->uid;
	l->counted = tf_pending_names(l);
	u->names += l->counted;
}

/* The bytes of the age file that will be made of so much content. */
static uint64_t
age_bytes(const struct tf_pending *l, uint64_t content)
{
	return l->to == NULL || content == 0 ?
	    0 :
	    tf_age_size(&l->to->list, content);
}

uint64_t
tf_quota_staged(const struct tf_pending *l, uint64_t content)
{
	return l->to == NULL || content == 0 ? content :
					       tf_secret_file_size(content);
}

/* Reserve the disk's space for the age file of l, until that is made. */
static void
reserve_age(struct tf_pending *l, uint64_t content)
{
	struct tf_vault *v = l->v;
	uint64_t before = l->to_encrypt, more, have;

	/* One that was made at a flush makes room for that of more content. */
	have = l->encrypted == NULL ? 0 : l->encrypted->content.size;
	more = age_bytes(l, content);
	l->to_encrypt = more > have ? more - have : 0;
	v->to_encrypt += l->to_encrypt - before;
	if (l->to_encrypt <= before)
		return;
	more = l->to_encrypt - before;
	note_share(v, &(struct wish){ l->attr.uid, more, 0, 0 });
	v->space_left -= more < v->space_left ? more : v->space_left;
}

void
tf_quota_charge(struct tf_pending *l, uint64_t content)
{
	uint64_t bytes = tf_quota_staged(l, content) + age_bytes(l, content);
	struct tf_vault *v = l->v;
	struct tf_user *u;

	if (l->charged > 0 && (u = tf_user_of(v, l->charged_uid)) != NULL)
		u->bytes -= l->charged;
	v->staged -= l->charged;
	l->charged = 0;
	reserve_age(l, content);
	l->charged_for = content;
	if (bytes == 0 || (u = tf_user_of(v, l->attr.uid)) == NULL)
		return;
	u->bytes += bytes;
	v->staged += bytes;
	l->charged = bytes;
	l->charged_uid = l->attr.uid;
}

enum tf_code
tf_quota_take(struct tf_pending *l, uint64_t content, struct tf_error *err)
{
	uint64_t max = l->v->settings.value[TF_MAX_STAGED];
	uint64_t before = l->charged_for;
	struct tf_user *u;
	enum tf_code rc;

	tf_quota_charge(l, content);
	if ((rc = tf_store_check(l->v, 0, err)) != TF_OK) {
		tf_quota_charge(l, before);
		return rc;
	}
	if (max == 0 || (u = tf_user_of(l->v, l->attr.uid)) == NULL ||
	    u->bytes <= max)
		return TF_OK;
	tf_quota_charge(l, before);
	return tf_fail(err, TF_QUOTA,
	    "uid %u may have %llu bytes that are not sealed yet (max_staged)",
	    l->attr.uid, (unsigned long long)max);
}

uint64_t
tf_quota_room(struct tf_pending *l)
{
	struct tf_vault *v = l->v;
	const uint64_t *max = v->settings.value;
	struct tf_user *u = tf_user_of(v, l->attr.uid);
	uint64_t room;

	tf_space_look(v);
	room = beyond(bytes_after(v, &(struct wish){ 0 }), headroom(v));
	if (u == NULL)
		return 0;
	if (max[TF_MAX_STAGED] != 0 &&
	    beyond(max[TF_MAX_STAGED], u->bytes) < room)
		room = beyond(max[TF_MAX_STAGED], u->bytes);
	if (max[TF_MAX_FILE] != 0 && beyond(max[TF_MAX_FILE], l->size) < room)
		room = beyond(max[TF_MAX_FILE], l->size);
	return room;
}
