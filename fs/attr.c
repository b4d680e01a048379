/*
 * The attributes of a node for the kernel, and how long the kernel keeps them.
 *
 * A sealed node never changes, so the kernel may remember it.  For an open file
 * the kernel must ask each time: otherwise it would answer stat(2) itself, without
 * waiting for the release barrier, and the release changes the time of the file.
 * A file that is closed, and a draft, change by requests that make the kernel ask
 * again; what else the seal changes is notified.  Of a file that will be encrypted
 * the kernel must ask, too: with a size from before the freeze it would cut off
 * what it reads after it.
 */
#include <string.h>

#include "attr.h"
#include "control.h"
#include "fs.h"
#include "stream.h"

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
fs_attr_timeout(const struct fs *fs, const struct tf_attr *a)
{
	if (a->state == TF_STATE_SEALED)
		return SEALED_TIMEOUT_S;
	/* Each step along a path asks for the attributes of a directory.  They
	 * change by requests of this kernel, or it is notified (notify.h). */
	if (a->kind != TF_KIND_EVIDENCE)
		return FS_ATTR_TIMEOUT_S;
	/* Valid attributes would be a lease (stream.h). */
	return !a->secret &&
		(a->state == TF_STATE_FROZEN ||
		    (a->state == TF_STATE_DRAFT && !fs->streams)) ?
	    FS_ATTR_TIMEOUT_S :
	    0;
}

/* How long may the kernel remember which node the name of a means, in s? */
static double
entry_timeout(const struct tf_attr *a)
{
	/* A directory changes its owner with its attestation.  The kernel
	 * decides who may chmod(2) it by the attributes of the last LOOKUP; see
	 * lease.h. */
	if (a->kind == TF_KIND_DIRECTORY)
		return 0;
	/* A node in the ledger keeps its name for ever. */
	if (a->state == TF_STATE_SEALED)
		return SEALED_TIMEOUT_S;
	if (a->state == TF_STATE_OPEN && a->kind != TF_KIND_EVIDENCE)
		return SEALED_TIMEOUT_S;
	/* Drafts are renamed and removed by requests of this kernel only.  Any
	 * other file that failed to be written gets the name of a draft without
	 * a request. */
	return a->state == TF_STATE_DRAFT ? FS_ATTR_TIMEOUT_S : 0;
}

void
fs_attr_entry(const struct fs *fs, const struct tf_attr *a,
    struct fuse_entry_param *e)
{
	memset(e, 0, sizeof *e);
	e->ino = fs_stream_node(fs, a);
	e->generation = 1;
	fs_attr_stat(a, &e->attr);
	fs_roles_mark(&fs->roles, &e->attr);
	e->attr_timeout = fs_attr_timeout(fs, a);
	/* The kernel may not know the node yet, and then ignores a notification
	 * that overtakes this answer.  So the answer is valid only for the path
	 * walk that asks. */
	if (a->kind == TF_KIND_DIRECTORY)
		e->attr_timeout = WALK_TIMEOUT_S;
	if (a->kind == TF_KIND_EVIDENCE && a->state != TF_STATE_SEALED)
		e->attr_timeout = 0;
	e->entry_timeout = entry_timeout(a);
	/* When its draft is published, it becomes another node. */
	if (fs->streams && a->kind == TF_KIND_EVIDENCE &&
	    a->state != TF_STATE_SEALED)
		e->entry_timeout = 0;
}

void
fs_attr_control_entry(const struct fs *fs, const struct stat *st,
    struct fuse_entry_param *e)
{
	memset(e, 0, sizeof *e);
	e->ino = st->st_ino;
	e->generation = 1;
	e->attr = *st;
	fs_roles_mark(&fs->roles, &e->attr);
	e->attr_timeout = fs_attr_control_timeout(st->st_ino);
	e->entry_timeout = fs_control_is_final(st->st_ino) ? SEALED_TIMEOUT_S :
							     0;
}

/* The bytes of a tile never change, but its owner and mode are those of the
 * root directory. */
double
fs_attr_control_timeout(uint64_t ino)
{
	return fs_control_is_final(ino) ? TILE_TIMEOUT_S : 0;
}
