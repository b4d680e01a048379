/*
 * Values of a YAML document that yaml.h has read.
 *
 * A scalar has no type of its own: the function that asks decides.  So `1001`
 * is a number for tf_yaml_uint and text for tf_yaml_str.  The functions change
 * nothing and may be called from any thread.
 */
#ifndef TF_LEDGER_YAML_VALUE_H
#define TF_LEDGER_YAML_VALUE_H

#include "yaml.h"

/* The value of key in map i, or -1. */
int tf_yaml_get(const struct tf_yaml *y, int i, const char *key);
/* True for a plain scalar that is empty, `~` or `null`. */
bool tf_yaml_null(const struct tf_yaml *y, int i);
/* The number of values in list i, or of pairs in map i. */
size_t tf_yaml_count(const struct tf_yaml *y, int i);

/*
 * The functions below read value i, which is called what in errors.  They fail
 * with TF_INVALID if the value has another form.
 */

/* A map with no other keys than those of known, which ends with NULL. */
TF_MUST_USE enum tf_code tf_yaml_map(const struct tf_yaml *y, int i,
    const char *what, const char *const *known, struct tf_error *err);
TF_MUST_USE enum tf_code tf_yaml_list(const struct tf_yaml *y, int i,
    const char *what, struct tf_error *err);
/* Text that is not empty and not null.  *out lives as long as y. */
TF_MUST_USE enum tf_code tf_yaml_str(const struct tf_yaml *y, int i,
    const char *what, struct tf_str *out, struct tf_error *err);
/* A list of at most TF_YAML_STRS such texts, each once.  out has room for them,
 * or for tf_yaml_count of them. */
TF_MUST_USE enum tf_code tf_yaml_strs(const struct tf_yaml *y, int i,
    const char *what, struct tf_str *out, struct tf_error *err);
/* `true` or `false`, without quotes. */
TF_MUST_USE enum tf_code tf_yaml_bool(const struct tf_yaml *y, int i,
    const char *what, bool *out, struct tf_error *err);
/* A decimal number from min to max, without quotes and leading zeros. */
TF_MUST_USE enum tf_code tf_yaml_uint(const struct tf_yaml *y, int i,
    const char *what, uint64_t min, uint64_t max, uint64_t *out,
    struct tf_error *err);
/* A number from 1 with s, m, h or d behind it, as seconds; 100 years at most. */
TF_MUST_USE enum tf_code tf_yaml_seconds(const struct tf_yaml *y, int i,
    const char *what, uint64_t *out, struct tf_error *err);

#endif
