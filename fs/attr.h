/*
 * The attributes of a node for the kernel, and how long the kernel keeps them.
 * These functions only convert: they cannot fail, and any thread may call them.
 */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include <fuse_lowlevel.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/vault.h"

struct fs;

/* *st as stat(2) shows a, but for the mark of fs_roles_mark. */
void fs_attr_stat(const struct tf_attr *a, struct stat *st);
/* How long the kernel may remember the attributes a, in seconds. */
double fs_attr_timeout(const struct fs *fs, const struct tf_attr *a);
/* The answer to a LOOKUP: of a node of the vault, of a control file. */
void fs_attr_entry(const struct fs *fs, const struct tf_attr *a,
    struct fuse_entry_param *e);
void fs_attr_control_entry(const struct fs *fs, const struct stat *st,
    struct fuse_entry_param *e);
/* How long the kernel may remember the attributes of control node ino, in
 * seconds. */
double fs_attr_control_timeout(uint64_t ino);

#endif
