/* The command line of trailfs. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <stdbool.h>

#include "core/vault.h"

#define FS_EXIT_USAGE 2

struct fs_options {
	const char *store_arg, *mnt_arg;
	char *store, *mnt;   /* absolute; owned */
	const char *signer;  /* a command, or NULL */
	const char *objects; /* path of a socket, or NULL */
	/* Of an organisation (follower.h): where its blobs are and its copies go, or
	 * NULL; and bytes of evidence to keep, 0 by default. */
	const char *blobs, *cache;
	uint64_t cache_size;
	struct tf_settings settings;
	unsigned threads;
	bool verify_open;
	enum tf_durability durability;
	bool streams;
	bool allow_other;
	bool read_only;
	const char *user; /* as whom it is expected to serve; NULL: anybody */
	bool moved;	  /* the store was moved, not copied */
	bool foreground, debug;
	int signer_fd; /* see fs_signer_start; 0: there is none */
	/* Who started this process has the mount, and this is its connection, not
	 * that to the kernel: see router.h.  -1: this process mounts. */
	int connection;
};

/* The connection that the command line names, as libfuse does: the mount point
 * /dev/fd/N.  -1: none. */
int fs_options_connection(int argc, char **argv);

/*
 * Set *o to the defaults and to what the command line says.
 *
 * Returns -1 when the program shall go on, and the exit status when it shall
 * end: after -h and -V, and after a mistake, which is reported on stderr.
 * The strings of *o point into argv until fs_options_resolve.
 */
int fs_options_parse(struct fs_options *o, int argc, char **argv);

/*
 * Set o->store and o->mnt to absolute paths, which stay true when the working
 * directory changes.  fs_options_free frees them.
 * TF_NOTFOUND, TF_IO, and the errors of fs_mount_check.
 */
TF_MUST_USE enum tf_code fs_options_resolve(struct fs_options *o,
    struct tf_error *err);
void fs_options_free(struct fs_options *o);

#endif
