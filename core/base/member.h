/* Members of JSON objects: each function writes a key and its value. */
#ifndef TF_BASE_MEMBER_H
#define TF_BASE_MEMBER_H

#include "../json.h"

void tf_put_uint(struct tf_json *j, const char *key, uint64_t v);
void tf_put_bool(struct tf_json *j, const char *key, bool v);
void tf_put_cstr(struct tf_json *j, const char *key, const char *s);
void tf_put_str(struct tf_json *j, const char *key, struct tf_str s);
/* value is canonical JSON, written unchanged; p NULL: write no member. */
void tf_put_raw(struct tf_json *j, const char *key, struct tf_str value);
void tf_put_hash(struct tf_json *j, const char *key, const struct tf_hash *h);
void tf_put_time(struct tf_json *j, const char *key, struct tf_time t);

#endif
