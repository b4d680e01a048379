/*
 * How nodes look to the kernel, and how long it may remember that.
 *
 * What is sealed never changes, so the kernel may remember it; a file that is
 * not is asked for each time, or the kernel would answer stat(2) itself and
 * never meet the release barrier.
 */
#include <string.h>

#include "attr.h"
#include "control.h"
#include "fs.h"

#define SEALED_TIMEOUT_S 86400.0
#define TILE_TIMEOUT_S 60.0
#define WALK_TIMEOUT_S 0.005
#define BLOCK_SIZE (128 * 1024)

void
fs_attr_stat(const struct tf_attr *a, struct stat *st)
{
	bool dir = a->kind != TF_KIND_EVIDENCE;

	memset(st, 0, sizeof *st);
	st->st_ino = a->id;
	st->st_mode = (dir ? S_IFDIR : S_IFREG) | (a->mode & 07777);
	st->st_nlink = a->unlinked ? 0 : dir ? 2 : 1;
	st->st_uid = a->uid;
	st->st_gid = a->gid;
	st->st_size = dir ? 0 : (off_t)a->size;
	st->st_blocks = dir ? 0 : (blkcnt_t)((a->size + 511) / 512);
	st->st_blksize = BLOCK_SIZE;
	st->st_mtim.tv_sec = a->mtime.s;
	st->st_mtim.tv_nsec = a->mtime.ns;
	st->st_atim = st->st_mtim;
	st->st_ctim.tv_sec = a->ctime.s;
	st->st_ctim.tv_nsec = a->ctime.ns;
}

double
fs_attr_timeout(const struct tf_attr *a)
{
	if (a->state == TF_STATE_SEALED)
		return SEALED_TIMEOUT_S;
	/* Every name that is walked asks for the directory it stands in.  These
	 * change by requests of this kernel, or it is told (notify.h). */
	return a->kind == TF_KIND_EVIDENCE ? 0 : FS_ATTR_TIMEOUT_S;
}

/* May the kernel remember which node the name of a means? */
static double
entry_timeout(const struct tf_attr *a)
{
	/* What is in the ledger never goes away. */
	if (a->state == TF_STATE_SEALED)
		return SEALED_TIMEOUT_S;
	/* Until its attestation is sealed the owner of a directory moves with
	 * that, and who may chmod(2) it the kernel decides by what the last
	 * LOOKUP told. */
	if (a->kind == TF_KIND_DIRECTORY)
		return 0;
	if (a->state == TF_STATE_OPEN && a->kind != TF_KIND_EVIDENCE)
		return SEALED_TIMEOUT_S;
	/* Drafts are renamed and removed through this kernel; of others, what
	 * failed to be written gets a draft's name by itself. */
	return a->state == TF_STATE_DRAFT ? FS_ATTR_TIMEOUT_S : 0;
}

void
fs_attr_entry(const struct tf_attr *a, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof *e);
	e->ino = a->id;
	e->generation = 1;
	fs_attr_stat(a, &e->attr);
	e->attr_timeout = fs_attr_timeout(a);
	/* The kernel may not know the node yet, and be told of a change in
	 * vain while this is on its way: good for the walk that asks. */
	if (a->kind == TF_KIND_DIRECTORY && a->state != TF_STATE_SEALED)
		e->attr_timeout = WALK_TIMEOUT_S;
	e->entry_timeout = entry_timeout(a);
}

void
fs_attr_control_entry(const struct stat *st, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof *e);
	e->ino = st->st_ino;
	e->generation = 1;
	e->attr = *st;
	e->attr_timeout = fs_attr_control_timeout(st->st_ino);
	e->entry_timeout = fs_control_is_final(st->st_ino) ? SEALED_TIMEOUT_S :
							     0;
}

/* The bytes of a tile never change, but its owner and mode are the root's. */
double
fs_attr_control_timeout(uint64_t ino)
{
	return fs_control_is_final(ino) ? TILE_TIMEOUT_S : 0;
}
