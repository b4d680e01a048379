/* What files about an attestation have in common. */
#ifndef TF_VIEW_ATTESTATION_H
#define TF_VIEW_ATTESTATION_H

#include <stdint.h>

struct tf_entry;
struct tf_json;
struct tf_loaded_entry;

/* Members "begun", "overridden", "sealed": {at, by, cause?, clock?, index, ...}
 * of the entry; nothing when there is none. */
void tf_put_event(struct tf_json *j, const char *key,
    const struct tf_loaded_entry *t);

/* The reading of the clock, where the entry's time is another; else nothing. */
void tf_put_clock(struct tf_json *j, const char *key, const struct tf_entry *e);

/* When it happened, in seconds since 1970: by the clock where it differs. */
uint64_t tf_seconds_of(const struct tf_loaded_entry *t);

#endif
