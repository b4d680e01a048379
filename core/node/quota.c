/* Free disk space and the users' limits: see quota.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

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
	return TF_OK;
}

void
tf_space_look(struct tf_vault *v)
{
	if (tf_clock_boot_ns() > v->space_until_ns)
		(void)look_at_space(v, NULL);
}

/* mu is held. */
static enum tf_code
take_of_disks(struct tf_vault *v, uint64_t n, unsigned files,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (tf_clock_boot_ns() > v->space_until_ns || v->space_left < n ||
	    v->files_left < files)
		rc = look_at_space(v, err);
	errno = ENOSPC;
	if (rc == TF_OK && v->space_left < n)
		rc = tf_fail(err, TF_NOSPACE,
		    "the store's disk is full (%llu "
		    "MiB are kept for sealing): free some space",
		    (unsigned long long)(TF_FLOOR_BYTES >> 20));
	else if (rc == TF_OK && v->files_left < files)
		rc = tf_fail(err, TF_NOSPACE,
		    "the store's disk has no inodes (%d are kept for sealing)",
		    TF_FLOOR_FILES);
	if (rc == TF_OK) {
		v->space_left -= n;
		v->files_left -= files;
	}
	return rc;
}

/* Check max_store for `counted` bytes, and take n of the disks. */
static enum tf_code
take(struct tf_vault *v, uint64_t counted, uint64_t n, unsigned files,
    struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = tf_store_check(v, counted, err);
	if (rc == TF_OK)
		rc = take_of_disks(v, n, files, err);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_space_take(struct tf_vault *v, uint64_t n, unsigned files,
    struct tf_error *err)
{
	/* All content is charged already.  TF_FILE_COST covers the entry. */
	return take(v, TF_FILE_COST, n, files, err);
}

enum tf_code
tf_space_say(struct tf_vault *v, uint64_t n, struct tf_error *err)
{
	return take(v, TF_FILE_COST + n, TF_FILE_COST + n, 0, err);
}

enum tf_code
tf_space_spool(struct tf_vault *v, uint64_t n, struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = take_of_disks(v, n, 0, err);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_quota_names(struct tf_vault *v, uint32_t uid, uint64_t n,
    struct tf_error *err)
{
	uint64_t max = v->settings.value[TF_MAX_UNSEALED];
	const struct tf_user *u;

	if (max == 0 || n == 0 || (u = tf_user_of(v, uid)) == NULL ||
	    (u->names < max && n <= max - u->names))
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

	if (l->counted == 0 || (u = tf_user_of(l->v, l->counted_uid)) == NULL)
		return;
	u->names -= l->counted;
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
	uint64_t before = l->to_encrypt, more;

	l->to_encrypt = l->encrypted == NULL ? age_bytes(l, content) : 0;
	v->to_encrypt += l->to_encrypt - before;
	if (l->to_encrypt <= before)
		return;
	more = l->to_encrypt - before;
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
