/*
 * The handlers of requests, one per operation of libfuse's low-level API.
 *
 * A handler translates a request, calls core once or twice and answers; the
 * rules are in core.  What all handlers do before and after is in request.h.
 * libfuse calls handlers from the workers (loop.h), several at a time.
 */
#ifndef FS_OPS_H
#define FS_OPS_H

#include <fuse_lowlevel.h>

extern const struct fuse_lowlevel_ops fs_ops;
/* ops_name.c */
void fs_name_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_name_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode);
void fs_name_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, dev_t rdev);
void fs_name_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
    const char *name);
void fs_name_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
    const char *name);
void fs_name_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_name_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_name_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t new_parent, const char *new_name, unsigned flags);

/* ops_list.c */
void fs_list_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_list_releasedir(fuse_req_t req, fuse_ino_t ino,
    struct fuse_file_info *fi);
void fs_list_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi);
void fs_list_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi);

/* ops_data.c */
void fs_data_create(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, struct fuse_file_info *fi);
void fs_data_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_data_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi);
void fs_data_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n,
    off_t off, struct fuse_file_info *fi);
void fs_data_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
    off_t len, struct fuse_file_info *fi);
void fs_data_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_data_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi);
void fs_data_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* ops_set.c: the handlers above and below call these for control files. */
void fs_set_create(fuse_req_t req, fuse_ino_t parent, const char *name,
    struct fuse_file_info *fi);
void fs_set_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_set_read(fuse_req_t req, size_t size, off_t off,
    struct fuse_file_info *fi);
void fs_set_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n,
    off_t off, struct fuse_file_info *fi);
void fs_set_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
/* size: -1 for a change of mode, owner or times, which changes nothing. */
void fs_set_attr(fuse_req_t req, fuse_ino_t ino, off_t size,
    struct fuse_file_info *fi);

/* ops_meta.c */
void fs_meta_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_meta_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st,
    int to_set, struct fuse_file_info *fi);
void fs_meta_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    size_t size);
void fs_meta_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void fs_meta_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    const char *value, size_t size, int flags);
void fs_meta_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);
void fs_meta_statfs(fuse_req_t req, fuse_ino_t ino);
void fs_meta_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi);
void fs_meta_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg,
    struct fuse_file_info *fi, unsigned flags, const void *in, size_t in_size,
    size_t out_size);

#endif
