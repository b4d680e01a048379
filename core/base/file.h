/*
 * Files: the only callers of fsync, and whole reads and writes that survive
 * EINTR and short counts.  An error from a sync is final for that file: the
 * kernel may have dropped the pages, so nobody asks twice.
 */
#ifndef TF_BASE_FILE_H
#define TF_BASE_FILE_H

#include <sys/types.h>

#include "../json.h"

/* fdatasync and fsync; TF_IO (or sharper). */
TF_MUST_USE enum tf_code tf_file_datasync(int fd, struct tf_error *err);
TF_MUST_USE enum tf_code tf_file_sync(int fd, struct tf_error *err);
/* fsync of the directory name below dirfd. */
TF_MUST_USE enum tf_code tf_file_sync_dir(int dirfd, const char *name,
    struct tf_error *err);

/* All n bytes at off, or an error. */
TF_MUST_USE enum tf_code tf_file_pwrite(int fd, const void *p, size_t n,
    uint64_t off, struct tf_error *err);
/* Up to n bytes at off; *got is less only at end of file. */
TF_MUST_USE enum tf_code tf_file_pread(int fd, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err);

/*
 * Open the plain file name below dirfd.  flags is O_RDONLY or O_RDWR, with
 * O_CREAT for an empty file of mode 0600 where there is none.  Nothing that
 * somebody put in its place makes us wait or leads elsewhere: TF_INVALID for a
 * FIFO, a device or a symbolic link, TF_ISDIR for a directory.  TF_NOTFOUND,
 * TF_ACCESS, TF_IO; *fd is -1 then.
 */
TF_MUST_USE enum tf_code tf_file_open(int dirfd, const char *name, int flags,
    int *fd, struct tf_error *err);

/* Append the whole plain file to out; TF_TOOBIG beyond max bytes, and the
 * errors of tf_file_open, but TF_IO for a directory. */
TF_MUST_USE enum tf_code tf_file_read(int dirfd, const char *name, size_t max,
    struct tf_buf *out, struct tf_error *err);
/*
 * Write name as a whole: temporary file, fsync, rename (or, with exclusive,
 * link, TF_EXISTS when it is there), fsync of the directory.  On TF_OK the
 * file survives power loss.
 */
TF_MUST_USE enum tf_code tf_file_write(int dirfd, const char *name,
    const void *p, size_t n, unsigned mode, bool exclusive,
    struct tf_error *err);

/* A file without a name, for reading and writing: in directory dirfd, or below
 * /tmp where that cannot be (dirfd -1: at once). */
TF_MUST_USE enum tf_code tf_file_scratch(int dirfd, int *fd,
    struct tf_error *err);

/* Open the file at path below dirfd for reading; no symlink, nothing outside.
 * TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_file_open_beneath(int dirfd, const char *path,
    int *fd, struct tf_error *err);

/* The same for what is new: a file for writing (TF_EXISTS), a directory, which
 * may be there; the directories above it are. */
TF_MUST_USE enum tf_code tf_file_create_beneath(int dirfd, const char *path,
    unsigned mode, int *fd, struct tf_error *err);
TF_MUST_USE enum tf_code tf_file_mkdir_beneath(int dirfd, const char *path,
    struct tf_error *err);

/* What the device at dirfd has for ordinary use: bytes, and files that can be
 * made (UINT64_MAX where they are not counted). */
TF_MUST_USE enum tf_code tf_file_free(int dirfd, uint64_t *bytes,
    uint64_t *files, struct tf_error *err);

#endif
