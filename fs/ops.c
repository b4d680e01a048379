/* The table of operations, and what INIT agrees on. */
#include "fs.h"
#include "ops.h"
#include "report.h"

#define MAX_WRITE (1024 * 1024)
/* RELEASE keeps its place in the kernel's queue only while there are fewer
 * background requests than this. */
#define MAX_BACKGROUND 4096

/* ThreadSanitizer does not see with splice(2), only with write(2), that an
 * answer comes before the request that follows it. */
#ifdef __SANITIZE_THREAD__
#define SPLICE_OUT 0u
#else
#define SPLICE_OUT FUSE_CAP_SPLICE_WRITE
#endif

/* libfuse before 3.17 knows PARALLEL_DIROPS and does not request it. */
static void
init(void *userdata, struct fuse_conn_info *conn)
{
	const unsigned want = FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
	    FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_ASYNC_READ | SPLICE_OUT |
	    FUSE_CAP_IOCTL_DIR | FUSE_CAP_EXPORT_SUPPORT;
	/* SPLICE_READ: a write is hashed, so splicing it gains nothing.
	 * SPLICE_MOVE would take pages from the cache of the object.
	 * READDIRPLUS_AUTO: programs that list slowly, as find(1), would send
	 * a LOOKUP per name.  With the others the kernel would decide what only
	 * the vault can decide. */
	const unsigned avoid = FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_MOVE |
	    FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_HANDLE_KILLPRIV |
	    FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_DONT_MASK | FUSE_CAP_POSIX_ACL;
	const struct fs *fs = userdata;

	conn->want = (conn->want | want) & conn->capable & ~avoid;
	/* It costs a request for each node that others than its owner use. */
	if (fs_roles_any(&fs->roles))
		conn->want |= FUSE_CAP_POSIX_ACL & conn->capable;
	if (fs_roles_any(&fs->roles) &&
	    (conn->capable & FUSE_CAP_POSIX_ACL) == 0)
		fs_report_line(LOG_WARNING,
		    "this kernel checks no access control lists: auditors= and "
		    "admins= have no effect");
	conn->max_write = MAX_WRITE;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND / 4 * 3;
	conn->time_gran = 1;
}

/*
 * Not implemented: forget (a node id is an id of the vault, and no lookups are
 * counted), access (default_permissions), locks (the kernel has them), lseek
 * and copy_file_range (the kernel falls back), tmpfile.
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
	.opendir = fs_list_opendir,
	.releasedir = fs_list_releasedir,
	.readdir = fs_list_readdir,
	.readdirplus = fs_list_readdirplus,
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
