/* JSON members about an entry, and times in them, that several files share.
 * trailfs-json(5) defines them. */
#ifndef TF_VIEW_ENTRY_JSON_H
#define TF_VIEW_ENTRY_JSON_H

#include <stdint.h>

#include "../types.h"

struct tf_entry;
struct tf_json;
struct tf_loaded_entry;

/* Write the member "begun", "overridden" or "sealed", named by key: {at, by,
 * cause?, clock?, index, ...} of entry t.  Writes nothing if t is empty. */
void tf_put_event(struct tf_json *j, const char *key,
    const struct tf_loaded_entry *t);

/* Write the clock's reading, if it differs from the entry's time. */
void tf_put_clock(struct tf_json *j, const char *key, const struct tf_entry *e);

/* The time of the event: the clock's reading if it differs from the entry's
 * time. */
struct tf_time tf_event_time(const struct tf_loaded_entry *t);

/* Write the actor of an entry as text, for people; nothing if t is empty. */
void tf_put_user(struct tf_json *j, const char *key,
    const struct tf_loaded_entry *t);

#endif
