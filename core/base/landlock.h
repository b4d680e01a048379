/*
 * Landlock: which files and which network this process may use from now on.  The
 * rules themselves are those of the callers: fs/landlock.c and core/sign/fence.c.
 */
#ifndef TF_BASE_LANDLOCK_H
#define TF_BASE_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

/* Rights, as in <linux/landlock.h>, which may be older than the kernel. */
#define TF_LL_WRITE_FILE (UINT64_C(1) << 1)
#define TF_LL_READ_FILE (UINT64_C(1) << 2)
#define TF_LL_READ_DIR (UINT64_C(1) << 3)
#define TF_LL_REMOVE_DIR (UINT64_C(1) << 4)
#define TF_LL_REMOVE_FILE (UINT64_C(1) << 5)
#define TF_LL_MAKE_DIR (UINT64_C(1) << 7)
#define TF_LL_MAKE_REG (UINT64_C(1) << 8)
/* Making of anything but regular files and directories. */
#define TF_LL_MAKE_OTHERS (UINT64_C(0x1e40))
#define TF_LL_REFER (UINT64_C(1) << 13)	   /* to move between directories */
#define TF_LL_TRUNCATE (UINT64_C(1) << 14) /* since version 3 */

#define TF_LL_READ (TF_LL_READ_FILE | TF_LL_READ_DIR)
#define TF_LL_WRITE                                                           \
	(TF_LL_READ | TF_LL_WRITE_FILE | TF_LL_REMOVE_FILE | TF_LL_MAKE_REG | \
	    TF_LL_TRUNCATE)

/* Rules that are being made: what is not allowed will be forbidden. */
struct tf_landlock {
	int version;	  /* 0: the kernel has none; each call does nothing */
	int fd;		  /* -1: none */
	uint64_t handled; /* rights to files that the kernel knows */
	enum tf_code rc;  /* of the first rule that failed */
	struct tf_error *err;
};

/*
 * Begin rules, which tf_landlock_enforce() ends.  err stays in place until then.
 * version becomes 0 where the kernel lacks Landlock or cannot yet let files move
 * between directories.  connects: it may go on to connect TCP sockets.
 */
void tf_landlock_begin(struct tf_landlock *r, bool connects,
    struct tf_error *err);
/* Allow these rights to path, or to the open file fd, and to all below it; a path
 * that is not there is left out. */
void tf_landlock_allow(struct tf_landlock *r, const char *path,
    uint64_t rights);
void tf_landlock_allow_fd(struct tf_landlock *r, int fd, const char *name,
    uint64_t rights);
/*
 * From now on this thread, and all that it starts, has these rights only; can bind
 * no TCP socket and, unless that was allowed, connect none, signal no process that was there before, and use no
 * abstract socket of others, as far as the kernel can forbid that.  *version is what
 * is in force.  TF_IO: a rule could not be made or enforced.
 */
TF_MUST_USE enum tf_code tf_landlock_enforce(struct tf_landlock *r,
    int *version);

#endif
