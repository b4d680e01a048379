/*
 * The only encoder of ledger entries: struct to canonical bytes.  All functions
 * are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_ENTRY_WRITE_H
#define TF_LEDGER_ENTRY_WRITE_H

#include "entry.h"

/*
 * Append the bytes of e to out.  v 0 means 1; the caller sets type, not
 * type_name.  On failure the contents of out are undefined; the caller still
 * frees out.  TF_INVALID (a mandatory field is absent or a value is malformed)
 * and TF_TOOBIG (over TF_ENTRY_MAX) are bugs of the caller.  TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_entry_encode(const struct tf_entry *e,
    struct tf_buf *out, struct tf_error *err);

/* Is this an entry that readers accept?  TF_TOOBIG, TF_INVALID, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_entry_check(const char *bytes, size_t n,
    struct tf_error *err);

/*
 * An entry that is encoded in two steps.  tf_entry_prepare encodes and checks
 * all fields except the stamps (at, batch, clock, grown, seq), before the entry has a
 * place in the ledger.  tf_entry_complete inserts the stamps.  {0} is empty;
 * free with tf_prepared_entry_free.
 */
enum {
	TF_STAMP_AT,
	TF_STAMP_BATCH,
	TF_STAMP_CLOCK,
	TF_STAMP_GROWN,
	TF_STAMP_SEQ,
	TF_STAMPS
};
struct tf_prepared_entry {
	struct tf_buf text;
	struct {
		size_t start, end; /* of the member, with its comma */
	} stamp[TF_STAMPS];
};
/* Fill out from e; the stamps of e are ignored.  Errors: tf_entry_encode. */
TF_MUST_USE enum tf_code tf_entry_prepare(const struct tf_entry *e,
    struct tf_prepared_entry *out, struct tf_error *err);
/*
 * Append the entry with these stamps to out: the same bytes that
 * tf_entry_encode would append.  p is unchanged and can be completed again.
 */
TF_MUST_USE enum tf_code tf_entry_complete(const struct tf_prepared_entry *p,
    const struct tf_entry *stamps, struct tf_buf *out, struct tf_error *err);
void tf_prepared_entry_free(struct tf_prepared_entry *p);

#endif
