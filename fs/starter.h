/*
 * The starter: the process of a router's mount (router.h) that starts the daemons of
 * its origins, because the router itself may run no program and is an ordinary user.
 * Each daemon becomes the owner of its copy, as that of any store.
 *
 * A message can choose the origin, by its name in the directory of the command line,
 * and nothing else.  The starter ends when the router does; the daemons end with their
 * connections, and the starter kills those that do not.
 */
#ifndef FS_STARTER_H
#define FS_STARTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "helper.h"
#include "options.h"

enum fs_starter_verb {
	FS_STARTER_START, /* a daemon for the origin name, with its connection */
	FS_STARTER_KILL,  /* the daemon of that key */
};
struct fs_starter_request {
	uint64_t key; /* the router's, for one daemon */
	uint32_t verb;
	char name[256];
};
struct fs_starter_event {
	uint64_t key;
	int32_t pid;	/* > 0: it has started */
	int32_t status; /* with pid 0: it has ended; as waitpid(2) says */
};

/* Start the starter.  The options stay in place.  No thread runs yet.  TF_IO. */
TF_MUST_USE enum tf_code fs_starter_start(struct fs_helper *h,
    const struct fs_options *o, struct tf_error *err);

#endif
