/*
 * The entries of a package with their proofs, evidence and statements. The
 * functions are callbacks of struct tf_source; the source is a
 * tf_audit_package.
 */
#ifndef TF_AUDIT_PACKAGE_ENTRIES_H
#define TF_AUDIT_PACKAGE_ENTRIES_H

#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_audit;
struct tf_buf;
struct tf_entry;
struct tf_replay_effect;

/* Learn the rotations of the log's key in events.jsonl: see tf_audit_learn().
 * TF_NOMEM, TF_IO. */
TF_MUST_USE enum tf_code tf_audit_package_learn(struct tf_audit *a,
    struct tf_error *err);

/* Check each line of events.jsonl.  Faults, also an unreadable member, are
 * findings.  Errors: TF_NOMEM, and those of the replay. */
TF_MUST_USE enum tf_code tf_audit_package_entries(struct tf_audit *a,
    struct tf_error *err);

/* Check the proof of entry idx.  The name of its file follows from the entry
 * that is being checked, so call it only from the pass. */
TF_MUST_USE enum tf_code tf_audit_package_prove(struct tf_audit *a,
    uint64_t idx, struct tf_str path, const struct tf_hash *leaf,
    struct tf_error *err);

/* Entry e sealed a file: check that the package has it, and queue its bytes. */
TF_MUST_USE enum tf_code tf_audit_package_created(struct tf_audit *a,
    const struct tf_entry *e, const struct tf_replay_effect *x,
    struct tf_error *err);

/* The callback texts of struct tf_source: the texts of an entry must be those of
 * the members in texts/.  One that is not there was redacted, which a later
 * entry says, or is absent. */
TF_MUST_USE enum tf_code tf_audit_package_texts(struct tf_audit *a,
    const struct tf_entry *e, struct tf_error *err);
/* After the last entry: report evidence without bytes that was not redacted. */
TF_MUST_USE enum tf_code tf_audit_package_missing(struct tf_audit *a,
    struct tf_error *err);

/* Check the definitions, reports and user data that e names, and judge the
 * evidence of an attestation again. */
TF_MUST_USE enum tf_code tf_audit_package_said(struct tf_audit *a,
    const struct tf_entry *e, const struct tf_replay_effect *x,
    struct tf_error *err);

/* Append the payload of the statement to out.  TF_TAMPER: its envelope is not
 * the one that follows from payload and entry; TF_NOTFOUND: the package has
 * none. */
TF_MUST_USE enum tf_code tf_audit_package_payload(struct tf_audit *a,
    const struct tf_entry *e, struct tf_buf *out, struct tf_error *err);

#endif
