/*
 * What the newest template of each trail asks of the vault: that the readers of
 * its evidence are recorded (reads: log), and that the texts of its entries can
 * be redacted (texts: redactable).  A setting of the vault asks for all trails.
 */
#ifndef TF_NODE_WISHES_H
#define TF_NODE_WISHES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_vault;

/* Bits of a set. */
enum tf_wish { TF_WISH_READS = 1, TF_WISH_TEXTS = 2 };

struct tf_trail_wishes {
	uint64_t trail;
	unsigned wishes;
};

struct tf_wishes {
	pthread_mutex_t mu;
	/* Trails whose template asks for something, sorted; guarded by mu. */
	struct tf_trail_wishes *trails;
	size_t n, cap;
	/* What the settings or some trail ask for. */
	atomic_uint any;
	/* Held while the newest template is looked up; taken before all other
	 * locks. */
	pthread_mutex_t reading;
};

void tf_wishes_init(struct tf_wishes *w);
void tf_wishes_free(struct tf_wishes *w);
/* Read the newest templates, when the vault opens; the settings are known. */
TF_MUST_USE enum tf_code tf_wishes_start(struct tf_vault *v, struct tf_db *db,
    struct tf_error *err);
/* The trail has a new template.  A failure is reported to the operator. */
void tf_wishes_template(struct tf_vault *v, uint64_t trail);
/* Does any trail want that, or this one? */
bool tf_wishes_any(struct tf_vault *v, enum tf_wish wish);
bool tf_wished(struct tf_vault *v, uint64_t trail, enum tf_wish wish);

#endif
