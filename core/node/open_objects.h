/*
 * Objects that are open for reading.  All readers of an object share one
 * descriptor, and only so many objects are open: the one that was read longest
 * ago is closed for another, and opened again when it is read.  So it does not
 * matter how many files a user has open.
 */
#ifndef TF_NODE_OPEN_OBJECTS_H
#define TF_NODE_OPEN_OBJECTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_open_object;

#define TF_OPEN_OBJECTS 64

struct tf_open_objects {
	pthread_mutex_t mu; /* no other is taken while it is held */
	int dirfd;	    /* of objects/; never changes */
	unsigned max;	    /* never changes */
	uint64_t now;	 /* counts what follows; guarded by mu, as all below */
	unsigned asides; /* counts tf_object_is_aside */
	struct {
		struct tf_hash sha256;
		int fd; /* -1: free */
		unsigned held;
		bool aside; /* held by its last readers only */
		uint64_t used;
	} object[TF_OPEN_OBJECTS];
};

/* max: how many may be open, at least one. */
void tf_open_objects_start(struct tf_open_objects *o, int dirfd, unsigned max);
void tf_open_objects_end(struct tf_open_objects *o);

/* A descriptor of the object, at its beginning or anywhere: use pread(2).
 * TF_TAMPER when it is missing. */
TF_MUST_USE enum tf_code tf_object_hold(struct tf_open_objects *o,
    const struct tf_hash *h, struct tf_open_object *out, struct tf_error *err);
void tf_object_let_go(struct tf_open_objects *o,
    const struct tf_open_object *held);
/* What h names is damaged, or not there any more: who holds it next opens it
 * anew.  After the file was moved away. */
void tf_object_is_aside(struct tf_open_objects *o, const struct tf_hash *h);

#endif
