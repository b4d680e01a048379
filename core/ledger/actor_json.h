/*
 * The actor of an entry, and hints: bytes that the system gave, made safe for
 * JSON and terminals.  All functions are pure and safe from many threads at
 * once.
 */
#ifndef TF_LEDGER_ACTOR_JSON_H
#define TF_LEDGER_ACTOR_JSON_H

#include <stddef.h>

#include "../json.h"

/*
 * Encode bytes from the system (such as a user name) as a hint: '%', '"', '\',
 * control characters and invalid UTF-8 become %XX.  out has room for max + 1
 * bytes and ends with a NUL.  Returns the length; 0 and "" when the result
 * would be longer than max bytes.
 */
size_t tf_hint(char *out, size_t max, const char *bytes, size_t n);

/*
 * Write the hint of bytes, which end at a NUL or after size bytes, as a member of
 * a JSON object.  Write no member if it is empty or longer than max bytes; max is
 * at most TF_HINT_MAX.  bytes may be NULL.
 */
#define TF_HINT_MAX 4096
void tf_put_hint(struct tf_json *j, const char *key, const char *bytes,
    size_t size, size_t max);

/*
 * Append the actor as canonical JSON.  user and group are names as the system
 * has them, "" for none.  Hints that are not set are left out.
 */
void tf_actor_json(struct tf_buf *out, const struct tf_actor *a,
    const char *user, const char *group);

#endif
