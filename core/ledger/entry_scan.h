/* Type and path of an entry without decoding it. */
#ifndef TF_LEDGER_ENTRY_SCAN_H
#define TF_LEDGER_ENTRY_SCAN_H

#include <stddef.h>

struct tf_str;

/*
 * For going through many: type and path of an entry whose bytes are canonical,
 * as they stand between their quotes; absent: p NULL.
 */
void tf_entry_scan(const char *bytes, size_t n, struct tf_str *type,
    struct tf_str *path);

#endif
