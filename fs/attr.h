/* How nodes look to the kernel, and how long it may remember that. */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include <fuse_lowlevel.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/vault.h"

/* What stat(2) shows of a. */
void fs_attr_stat(const struct tf_attr *a, struct stat *st);
/* How long the kernel may remember a, in seconds. */
double fs_attr_timeout(const struct tf_attr *a);
/* An entry of the vault, of a control file. */
void fs_attr_entry(const struct tf_attr *a, struct fuse_entry_param *e);
void fs_attr_control_entry(const struct stat *st, struct fuse_entry_param *e);
/* How long the kernel may remember attributes of control node ino. */
double fs_attr_control_timeout(uint64_t ino);

#endif
