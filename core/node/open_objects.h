/*
 * The cache of object files that are open for reading.  All readers of an
 * object share one descriptor.  A limited number of objects is open: opening
 * another closes the least recently used one, which is opened again at its next
 * read. So the number of files that users have open does not limit the daemon.
 */
#ifndef TF_NODE_OPEN_OBJECTS_H
#define TF_NODE_OPEN_OBJECTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_open_object;
struct tf_vault;

#define TF_OPEN_OBJECTS 64

struct tf_open_objects {
	pthread_mutex_t mu; /* no other is taken while it is held */
	struct tf_vault *v; /* never changes */
	unsigned max;	    /* never changes */
	uint64_t now;	    /* counts uses; guarded by mu, as all below */
	unsigned asides;    /* counts calls of tf_object_is_aside */
	struct {
		struct tf_hash sha256;
		int fd;	       /* -1: free */
		unsigned held; /* by so many readers now */
		bool aside;    /* damaged: given to no further reader */
		uint64_t used; /* value of now at the last use */
	} object[TF_OPEN_OBJECTS];
};

/* At most max objects are open at once; max is 1 to TF_OPEN_OBJECTS.  v opens them,
 * and must outlive o. */
void tf_open_objects_start(struct tf_open_objects *o, struct tf_vault *v,
    unsigned max);
void tf_open_objects_end(struct tf_open_objects *o);

/* Get a descriptor of the object h, valid until tf_object_let_go.  Its file
 * offset is shared, so use pread(2).  Errors: those of tf_vault_object_open, which
 * may take long. */
TF_MUST_USE enum tf_code tf_object_hold(struct tf_open_objects *o,
    const struct tf_hash *h, struct tf_open_object *out, struct tf_error *err);
void tf_object_let_go(struct tf_open_objects *o,
    const struct tf_open_object *held);
/* Call this after the damaged file of h was renamed (tf_object_put_aside): the
 * next tf_object_hold opens the file anew. */
void tf_object_is_aside(struct tf_open_objects *o, const struct tf_hash *h);

#endif
