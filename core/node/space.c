/*
 * What statfs(2) tells.  Equal bytes are kept once, so the true free space
 * would tell every user, by how it shrinks when he records some content,
 * whether that content is in the vault already.  Root sees the true numbers. 
 * Others see the free space of the start of the mount less what was recorded
 * since, every file with its full size; of the true numbers they see so much
 * only as that the disk is nearly full, in steps of a 64th of it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "../vault.h"
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

/* Equal bytes are kept once, but each file counts: else this would tell, too,
 * what is in the vault already. */
uint64_t
tf_store_used(const struct tf_vault *v)
{
	return v->head.content_bytes + v->head.bytes + v->staged +
	    v->pending.owed;
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

/* No more than max_store is there, and no more is free than is left of it. */
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

/* start less what was used since, and not more than now, rounded up. */
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
