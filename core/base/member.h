/*
 * Members of JSON objects: each function writes a key and its value.  Keys come
 * in the order that json.h demands.  An error, such as a key out of order or a
 * value that the canonical form forbids, sets j->failed; tf_json_end reports
 * it.  A writer belongs to one thread.
 */
#ifndef TF_BASE_MEMBER_H
#define TF_BASE_MEMBER_H

#include "../json.h"

/* v above TF_JSON_MAX, 2^53-1, sets failed. */
void tf_put_uint(struct tf_json *j, const char *key, uint64_t v);
void tf_put_bool(struct tf_json *j, const char *key, bool v);
/* An empty or absent string sets failed: the form has no "". */
void tf_put_cstr(struct tf_json *j, const char *key, const char *s);
void tf_put_str(struct tf_json *j, const char *key, struct tf_str s);
/* value is canonical JSON, written unchanged; p NULL: write no member. */
void tf_put_raw(struct tf_json *j, const char *key, struct tf_str value);
/* 64 lower-case hex digits. */
void tf_put_hash(struct tf_json *j, const char *key, const struct tf_hash *h);
/* Seconds since 1970 with up to six digits of fraction, as Kosli has times; the
 * rest is cut off.  A time before 1970 is 0.  Only status files may hold it. */
void tf_put_seconds(struct tf_json *j, const char *key, struct tf_time t);
/* The same, rounded up, so that no time that t follows is later, and to one of
 * six digits, so that the length of a text does not change with the clock. */
void tf_put_seconds_after(struct tf_json *j, const char *key, struct tf_time t);
/* A value of any form: see tf_json_any; p NULL: write no member. */
void tf_put_any(struct tf_json *j, const char *key, struct tf_str value);
/* The form of time_text.h, UTC. */
void tf_put_time(struct tf_json *j, const char *key, struct tf_time t);

#endif
