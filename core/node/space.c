/*
 * The numbers of statfs(2).
 *
 * Equal bytes are stored once.  A user who records a file and sees that the
 * free space does not shrink would learn that those bytes are in the vault
 * already.  So only root sees the true numbers.  Other users see the free space
 * at the start of the mount minus everything recorded since, each file with its
 * full size, but never more than the true number rounded up to a 64th of the
 * disk: they do see that a disk is nearly full.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "../base/mutant.h"
#include "../vault.h"
#include "base.h"
#include "space.h"
#include "vault_i.h"

#define STEPS 64

static enum tf_code
real_space(const struct tf_vault *v, struct tf_space *out, struct tf_error *err)
{
	struct statvfs s;

	if (fstatvfs(v->dirfd, &s) < 0)
		return tf_fail(err, TF_IO, "statvfs");
	*out = (struct tf_space){ .block_size = s.f_frsize,
		.blocks = s.f_blocks,
		.free = s.f_bfree,
		.available = s.f_bavail,
		.files = s.f_files,
		.files_free = s.f_ffree };
	return TF_OK;
}

enum tf_code
tf_space_start(struct tf_vault *v, struct tf_error *err)
{
	v->space.content_bytes = v->head.content_bytes;
	v->space.files = v->head.files;
	return real_space(v, &v->space.free, err);
}

/* Each file counts with its full size, although equal bytes are stored once:
 * otherwise max_store would reveal which bytes are in the vault. */
uint64_t
tf_store_used(const struct tf_vault *v)
{
	return v->head.content_bytes + v->head.bytes + v->staged +
	    v->pending.owed + v->said;
}

enum tf_code
tf_store_check(const struct tf_vault *v, uint64_t n, struct tf_error *err)
{
	uint64_t max = v->settings.value[TF_MAX_STORE];

	if (max == 0 || tf_store_used(v) + n <= max)
		return TF_OK;
	errno = ENOSPC;
	return tf_fail(err, TF_NOSPACE,
	    "the store may hold %llu bytes (max_store)",
	    (unsigned long long)max);
}

/* Reduce *out to the limits of max_store. */
static void
limit(struct tf_vault *v, struct tf_space *s)
{
	uint64_t max = v->settings.value[TF_MAX_STORE], used, left;

	if (max == 0 || v->read_only)
		return;
	pthread_mutex_lock(&v->mu);
	used = tf_store_used(v);
	pthread_mutex_unlock(&v->mu);
	left = (max > used ? max - used : 0) / s->block_size;
	if (s->blocks > max / s->block_size)
		s->blocks = max / s->block_size;
	if (s->free > left)
		s->free = left;
	if (s->available > left)
		s->available = left;
}

/* The free blocks that users see: start minus used, at most now rounded up. */
static uint64_t
shown(uint64_t start, uint64_t used, uint64_t now, uint64_t total)
{
	uint64_t left = start > used ? start - used : 0;
	uint64_t step = total / STEPS + 1;
	uint64_t most = (now + step - 1) / step * step;

	if (most > total)
		most = total;
	return left < most ? left : most;
}

enum tf_code
tf_vault_space(struct tf_vault *v, uint32_t uid, struct tf_space *out,
    struct tf_error *err)
{
	const struct tf_space *start = &v->space.free;
	uint64_t bytes, files, blocks;
	enum tf_code rc = real_space(v, out, err);

	if (TF_IS_MUTANT(TF_TRUE_SPACE))
		uid = 0;
	if (rc == TF_OK && (uid == 0 || v->read_only))
		limit(v, out);
	if (rc != TF_OK || uid == 0 || v->read_only)
		return rc;
	pthread_mutex_lock(&v->mu);
	bytes = v->head.content_bytes - v->space.content_bytes;
	files = v->head.files - v->space.files;
	pthread_mutex_unlock(&v->mu);
	blocks = bytes / start->block_size + files;
	out->free = shown(start->free, blocks, out->free, out->blocks);
	out->available = shown(start->available, blocks, out->available,
	    out->blocks);
	out->files_free = shown(start->files_free, files, out->files_free,
	    out->files);
	limit(v, out);
	return TF_OK;
}
