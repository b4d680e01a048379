/*
 * The canonical form of JSON, as the reader checks it, for the writer.  All
 * functions are pure and safe from many threads at once.
 */
#ifndef TF_BASE_JSON_READ_H
#define TF_BASE_JSON_READ_H

#include "../json.h"

/*
 * The length in bytes of the character or escape at p inside a string of n > 0
 * remaining bytes; 0 if the canonical form forbids it.
 */
unsigned tf_json_char(const char *p, size_t n);
/* True for the characters of keys. */
bool tf_json_key_char(char c);
/* True for one canonical value without null, of at most max_depth levels. */
bool tf_json_value_ok(struct tf_str value, int max_depth);

#endif
