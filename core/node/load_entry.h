/* Reads one entry of the ledger. */
#ifndef TF_NODE_LOAD_ENTRY_H
#define TF_NODE_LOAD_ENTRY_H

#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_db;
struct tf_entry_decoded;

/*
 * Append entry seq to text and decode it to *d, which is {0} before the call.
 * The caller frees both, also on failure.  TF_TAMPER: the entry is missing,
 * malformed or another one, and err names seq.  Other errors: those of the
 * database and TF_NEWER.
 */
TF_MUST_USE enum tf_code tf_load_entry(struct tf_db *db, uint64_t seq,
    struct tf_buf *text, struct tf_entry_decoded *d, struct tf_error *err);

#endif
