/* Find type and path of an entry without decoding it. */
#ifndef TF_LEDGER_ENTRY_SCAN_H
#define TF_LEDGER_ENTRY_SCAN_H

#include <stddef.h>

struct tf_str;

/*
 * Set *type and *path to the text between their quotes, still escaped; an
 * absent one gets p NULL.  Both point into bytes, which must be a canonical
 * entry.  This is a fast filter for walks over many entries; it checks nothing.
 */
void tf_entry_scan(const char *bytes, size_t n, struct tf_str *type,
    struct tf_str *path);

#endif
