/*
 * File access: syncs, complete reads and writes (EINTR and short counts are
 * handled), safe opens.  No other file calls fsync.  An error from a sync is
 * final for that file: the kernel may have dropped the dirty pages, so a second
 * sync could succeed without the data being on disk.
 */
#ifndef TF_BASE_FILE_H
#define TF_BASE_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "../json.h"

struct stat;

/* fdatasync(2) and fsync(2).  On TF_OK the data (sync: and the metadata) of fd
 * survive power loss.  Errors: TF_IO and its more precise forms. */
TF_MUST_USE enum tf_code tf_file_datasync(int fd, struct tf_error *err);
TF_MUST_USE enum tf_code tf_file_sync(int fd, struct tf_error *err);
/* Begin to write the n bytes at off to the disk, and do not wait: a later sync
 * has less to do. */
void tf_file_start_writing(int fd, uint64_t off, uint64_t n);
/* Write the pages of fd and wait for that.  The disk may still have them in its
 * cache.  Errors are reported to those who wrote. */
void tf_file_await_writing(int fd);
/* fsync(2) the directory name below dirfd: the names in it then survive power
 * loss. */
TF_MUST_USE enum tf_code tf_file_sync_dir(int dirfd, const char *name,
    struct tf_error *err);

/* Write all n bytes at off, or fail. */
TF_MUST_USE enum tf_code tf_file_pwrite(int fd, const void *p, size_t n,
    uint64_t off, struct tf_error *err);
/* Read up to n bytes at off; *got is less than n only at end of file. */
TF_MUST_USE enum tf_code tf_file_pread(int fd, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err);

/*
 * Open the regular file name below dirfd.  flags is O_RDONLY or O_RDWR; O_CREAT
 * creates an absent file, empty and with mode 0600.  The call never blocks and
 * never follows a symbolic link.  On failure *fd is -1.
 * Errors: TF_INVALID the name is a FIFO, a device or a symbolic link; TF_ISDIR
 * a directory; TF_NOTFOUND; TF_ACCESS; TF_IO.
 */
TF_MUST_USE enum tf_code tf_file_open(int dirfd, const char *name, int flags,
    int *fd, struct tf_error *err);

/*
 * Create path below dirfd: a directory with mode 0700, and a file with mode
 * 0600, open with flags (with O_EXCL it must be absent).  What root makes, here
 * and in tf_file_open and tf_file_write, belongs to the owner of its directory.
 * On failure *fd is -1.  Errors: TF_EXISTS, also of tf_file_mkdir; TF_IO.
 */
TF_MUST_USE enum tf_code tf_file_mkdir(int dirfd, const char *path,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_file_new(int dirfd, const char *path, int flags,
    int *fd, struct tf_error *err);

/* Append the whole regular file to out.  Errors: TF_TOOBIG it has more than max
 * bytes; those of tf_file_open, but TF_IO for a directory. */
TF_MUST_USE enum tf_code tf_file_read(int dirfd, const char *name, size_t max,
    struct tf_buf *out, struct tf_error *err);
/*
 * Replace or create the file name with exactly n bytes and exactly mode: write
 * a temporary file, fsync it, rename it, fsync the directory.  With exclusive
 * an existing name fails with TF_EXISTS.  On TF_OK the file survives power
 * loss.  After any failure or crash the name has either its old or its new
 * content.
 */
TF_MUST_USE enum tf_code tf_file_write(int dirfd, const char *name,
    const void *p, size_t n, unsigned mode, bool exclusive,
    struct tf_error *err);

/* Overwrite the plain file name below dirfd with zeros, durably, and remove it: the
 * blocks of a deleted file keep their bytes.  A file with another name besides is
 * only removed.  No such file: TF_OK. */
TF_MUST_USE enum tf_code tf_file_wipe(int dirfd, const char *name,
    struct tf_error *err);

/* Open a file without a name for reading and writing: in the directory dirfd,
 * or below /tmp if dirfd is -1. */
TF_MUST_USE enum tf_code tf_file_scratch(int dirfd, int *fd,
    struct tf_error *err);
/* The same below /tmp, as a stream. */
TF_MUST_USE enum tf_code tf_file_scratch_stream(FILE **out,
    struct tf_error *err);

/* Open the file at path below dirfd for reading.  No symbolic link is followed
 * and no file outside dirfd is reached (TF_NOTFOUND). */
TF_MUST_USE enum tf_code tf_file_open_beneath(int dirfd, const char *path,
    int *fd, struct tf_error *err);

/* Create, under the same rules, a file opened for writing (TF_EXISTS if the
 * path exists), or a directory, which may exist.  The directories above path
 * must exist. */
TF_MUST_USE enum tf_code tf_file_create_beneath(int dirfd, const char *path,
    unsigned mode, int *fd, struct tf_error *err);
TF_MUST_USE enum tf_code tf_file_mkdir_beneath(int dirfd, const char *path,
    struct tf_error *err);

/* The free space for unprivileged users on the file system of dirfd: bytes, and
 * number of inodes (UINT64_MAX if the file system does not count them). */
TF_MUST_USE enum tf_code tf_file_free(int dirfd, uint64_t *bytes,
    uint64_t *files, struct tf_error *err);

/* True if the directory dirfd, which is closed, is the one of st or below it. */
bool tf_dir_is_below(int dirfd, const struct stat *st);

#endif
