/* Find type and path of an entry without decoding it; name it in a message. */
#ifndef TF_LEDGER_ENTRY_SCAN_H
#define TF_LEDGER_ENTRY_SCAN_H

#include <stddef.h>
#include <stdint.h>

struct tf_str;

/*
 * Set *type and *path to the text between their quotes, still escaped; an
 * absent one gets p NULL.  Both point into bytes, which must be a canonical
 * entry.  This is a fast filter for walks over many entries; it checks nothing.
 */
void tf_entry_scan(const char *bytes, size_t n, struct tf_str *type,
    struct tf_str *path);

#define TF_ENTRY_ABOUT_MAX 108 /* bytes with the NUL: a message has one line */

/* Write "entry 5, .../path" to out, with the end of a long path, or the type of an
 * entry without one.  The entry is canonical; nothing else of it is checked. */
void tf_entry_about(uint64_t number, const struct tf_str *entry,
    char out[TF_ENTRY_ABOUT_MAX]);

#endif
