/* The parts of trailctl doctor that are not about the files of a store. */
#ifndef TRAILCTL_DOCTOR_H
#define TRAILCTL_DOCTOR_H

#include "core/doctor.h"
#include "where.h"

/* The kernel, /dev/fuse, what ordinary users need to mount, the clock. */
void doctor_host(const struct tf_doctor *d);
/* The limit of descriptors of process pid; 0: of this process. */
void doctor_limits(const struct tf_doctor *d, int32_t pid);

/* The root of a mount of many origins.  TF_NOTFOUND: path is something else. */
enum tf_code doctor_many(const struct tf_doctor *d, const char *path,
    struct tf_error *err);
/* What the mount at w says of itself. */
void doctor_mount(const struct tf_doctor *d, const struct where *w);
/* The mount point of the last process that had the store open, or the one that
 * /etc/fstab has for the store. */
void doctor_mount_point(const struct tf_doctor *d, const char *store,
    const struct tf_doctor_user *last);
/* A path that is neither in a mount nor a store, for the reason why.  False:
 * there is nothing to examine. */
bool doctor_bare(const struct tf_doctor *d, const char *path,
    const struct tf_error *why);

#endif
