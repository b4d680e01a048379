/*
 * The only decoder of ledger entries: bytes to struct.  The bytes may come from
 * anybody.  All functions are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_ENTRY_READ_H
#define TF_LEDGER_ENTRY_READ_H

#include "entry.h"

struct tf_entry_decoded {
	struct tf_entry e;
	struct tf_json_doc doc;
	struct tf_buf text; /* unescaped strings */
};

/*
 * Parse n bytes strictly.  The JSON must be canonical and the common fields
 * must be present and well-formed.  An entry of a known type at v 1 must also
 * have its mandatory fields, and each known field must be well-formed.  Unknown
 * fields are ignored.  An unknown type or a higher v gives TF_OK with the type
 * TF_TYPE_UNKNOWN; e.v tells the two apart.  Errors: TF_INVALID with the
 * reason, TF_NOMEM.  bytes must outlive d.  Free d with tf_entry_decoded_free
 * on success and on failure.
 */
TF_MUST_USE enum tf_code tf_entry_decode(struct tf_entry_decoded *d,
    const char *bytes, size_t n, struct tf_error *err);
void tf_entry_decoded_free(struct tf_entry_decoded *d);

#endif
