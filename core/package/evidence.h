/* The evidence of a package that is being made. */
#ifndef TF_PACKAGE_EVIDENCE_H
#define TF_PACKAGE_EVIDENCE_H

#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;
struct tf_content;
struct tf_entry;
struct tf_package_maker;

/* Add the evidence that entry e sealed, and the proof of the entry.  body is
 * the exact text of e; both are needed during the call only.  Call it in the
 * order of the entries, because names are assigned here.  Errors: TF_TAMPER the
 * store has no object for the entry; TF_NOMEM; TF_IO; those of the database. */
TF_MUST_USE enum tf_code tf_package_add_evidence(struct tf_package_maker *k,
    uint64_t seq, struct tf_str body, const struct tf_entry *e,
    struct tf_error *err);

/* Find the attestation that e seals, if it does: the next calls of
 * tf_package_add_said() are about it. */
TF_MUST_USE enum tf_code tf_package_begin_said(struct tf_package_maker *k,
    const struct tf_entry *e, struct tf_error *err);
/* Add the object of that content as a member of that name: a
 * tf_package_said_found for the maker arg.  A report or user data that went with
 * redacted evidence is left out. */
TF_MUST_USE enum tf_code tf_package_add_said(void *arg, const char *name,
    const struct tf_content *content, struct tf_error *err);

/* Add the texts of e that stand apart from it, and that nobody has redacted;
 * each once.  Errors: as above. */
TF_MUST_USE enum tf_code tf_package_add_apart(struct tf_package_maker *k,
    const struct tf_entry *e, struct tf_error *err);

/* Open the object with digest h.  *fd is -1 if its bytes are in the database:
 * then body has them.  The caller closes *fd, and compares the bytes with h. */
TF_MUST_USE enum tf_code tf_package_open_object(struct tf_package_maker *k,
    uint64_t object, const struct tf_hash *h, struct tf_buf *body, int *fd,
    struct tf_error *err);

#endif
