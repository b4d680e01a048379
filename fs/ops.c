/*
 * The table of operations, what INIT agrees on, and how a node looks.
 *
 * What is sealed never changes, so the kernel may remember it; a file that is
 * not is asked for each time, or the kernel would answer stat(2) itself and
 * never meet the release barrier.
 */
#include <string.h>

#include "control.h"
#include "core/control.h"
#include "ops.h"
#include "report.h"

#define FOR_EVER 86400.0 /* seconds */
#define A_WHILE 60.0
#define STEP 0.005
#define BLOCK_SIZE (128 * 1024)
#define MAX_WRITE (1024 * 1024)
/* RELEASE keeps its place in the kernel's queue only while fewer background
 * requests than this are under way. */
#define MAX_BACKGROUND 4096

/* ThreadSanitizer sees in write(2), not in splice(2), that an answer comes
 * before the request that follows it. */
#ifdef __SANITIZE_THREAD__
#define SPLICE_OUT 0u
#else
#define SPLICE_OUT FUSE_CAP_SPLICE_WRITE
#endif

/* libfuse before 3.17 knows PARALLEL_DIROPS and does not pass it on. */
static void
init(void *userdata, struct fuse_conn_info *conn)
{
	const unsigned want = FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
	    FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_ASYNC_READ | SPLICE_OUT |
	    FUSE_CAP_IOCTL_DIR | FUSE_CAP_EXPORT_SUPPORT;
	/* Splicing a write in gains nothing, for it is hashed; moving pages
	 * out would take them from the cache of the object; who lists by and
	 * by, as find(1), would ask for each name by itself; the rest would
	 * have the kernel decide what only the vault can. */
	const unsigned avoid = FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_MOVE |
	    FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_HANDLE_KILLPRIV |
	    FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_DONT_MASK | FUSE_CAP_POSIX_ACL;

	(void)userdata;
	conn->want = (conn->want | want) & conn->capable & ~avoid;
	conn->max_write = MAX_WRITE;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND / 4 * 3;
	conn->time_gran = 1;
}

void
fs_ops_stat(const struct tf_attr *a, struct stat *st)
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
fs_ops_attr_timeout(const struct tf_attr *a)
{
	if (a->state == TF_STATE_SEALED)
		return FOR_EVER;
	/* Every name that is walked asks for the directory it stands in.  These
	 * change by requests of this kernel, or it is told (notify.h). */
	return a->kind == TF_KIND_EVIDENCE ? 0 : FS_MOMENT;
}

/* May the kernel remember which node the name of a means? */
static double
entry_timeout(const struct tf_attr *a)
{
	/* What is in the ledger never goes away. */
	if (a->state == TF_STATE_SEALED)
		return FOR_EVER;
	/* Until its attestation is sealed the owner of a directory moves with
	 * that, and who may chmod(2) it the kernel decides by what the last
	 * LOOKUP told. */
	if (a->kind == TF_KIND_DIRECTORY)
		return 0;
	if (a->state == TF_STATE_OPEN && a->kind != TF_KIND_EVIDENCE)
		return FOR_EVER;
	/* Drafts are renamed and removed through this kernel; of others, what
	 * failed to be written gets a draft's name by itself. */
	return a->state == TF_STATE_DRAFT ? FS_MOMENT : 0;
}

void
fs_ops_entry(const struct tf_attr *a, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof *e);
	e->ino = a->id;
	e->generation = 1;
	fs_ops_stat(a, &e->attr);
	e->attr_timeout = fs_ops_attr_timeout(a);
	/* The kernel may not know the node yet, and be told of a change in
	 * vain while this is on its way: good for the walk that asks. */
	if (a->kind == TF_KIND_DIRECTORY && a->state != TF_STATE_SEALED)
		e->attr_timeout = STEP;
	e->entry_timeout = entry_timeout(a);
}

void
fs_ops_control_entry(const struct stat *st, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof *e);
	e->ino = st->st_ino;
	e->generation = 1;
	e->attr = *st;
	e->attr_timeout = fs_ops_control_timeout(st->st_ino);
	e->entry_timeout = fs_control_is_final(st->st_ino) ? FOR_EVER : 0;
}

/* The bytes of a tile never change, but its owner and mode are the root's. */
double
fs_ops_control_timeout(uint64_t ino)
{
	return fs_control_is_final(ino) ? A_WHILE : 0;
}

uint64_t
fs_ops_caller(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (uint64_t)ctx->uid << 32 | (uint32_t)ctx->pid;
}

/* Is it a .trailfs, or in one?  Then make it that one's name in the vault. */
static bool
is_reserved(struct fs *fs, uint64_t *id, const char **name)
{
	while (fs_control_is(*id)) {
		*name = TF_CONTROL_DIR;
		if (fs_control_parent(fs->control, *id, id, NULL) != TF_OK)
			*id = TF_ROOT_ID;
	}
	return *name != NULL && strcmp(*name, TF_CONTROL_DIR) == 0;
}

bool
fs_ops_reserved(fuse_req_t req, const struct tf_attempt *a)
{
	struct tf_attempt shown = *a;
	bool old = is_reserved(fs_of(req), &shown.id, &shown.name);
	bool new = is_reserved(fs_of(req), &shown.to, &shown.to_name);

	if (!old && !new)
		return false;
	fs_report_refuse(req, &shown, TF_DENIED,
	    TF_CONTROL_DIR " is not changed by hand");
	return true;
}

bool
fs_ops_stopping(fuse_req_t req, const struct tf_attempt *a)
{
	if (!atomic_load(&fs_of(req)->stopping))
		return false;
	fs_report_refuse(req, a, TF_READONLY, "trailfs is stopping");
	return true;
}

/*
 * Left out: forget (a node id is a vault id, nothing is counted), access
 * (default_permissions), locks (the kernel's own), lseek and copy_file_range
 * (the kernel falls back), tmpfile.
 */
const struct fuse_lowlevel_ops fs_ops = {
	.init = init,
	.lookup = fs_name_lookup,
	.mkdir = fs_name_mkdir,
	.mknod = fs_name_mknod,
	.symlink = fs_name_symlink,
	.link = fs_name_link,
	.unlink = fs_name_unlink,
	.rmdir = fs_name_rmdir,
	.rename = fs_name_rename,
	.opendir = fs_name_opendir,
	.releasedir = fs_name_releasedir,
	.readdir = fs_name_readdir,
	.readdirplus = fs_name_readdirplus,
	.create = fs_data_create,
	.open = fs_data_open,
	.read = fs_data_read,
	.write = fs_data_write,
	.fallocate = fs_data_fallocate,
	.flush = fs_data_flush,
	.fsync = fs_data_fsync,
	.release = fs_data_release,
	.getattr = fs_meta_getattr,
	.setattr = fs_meta_setattr,
	.getxattr = fs_meta_getxattr,
	.listxattr = fs_meta_listxattr,
	.setxattr = fs_meta_setxattr,
	.removexattr = fs_meta_removexattr,
	.statfs = fs_meta_statfs,
	.fsyncdir = fs_meta_fsyncdir,
	.ioctl = fs_meta_ioctl,
};
