/*
 * The files that describe a package: bag-info.txt, package.json, lines of
 * names.jsonl, DSSE envelopes.  trailfs-package(5) has the formats.  All
 * functions are pure and safe from many threads at once.
 */
#ifndef TF_ARCHIVE_DESCRIPTION_H
#define TF_ARCHIVE_DESCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "../json.h"
#include "../ledger/checkpoint.h"
#include "select.h"

struct tf_entry;
struct tf_package_request;

/* The facts in the descriptions of a package; p stays the caller's. */
struct tf_package_facts {
	const struct tf_package_place *p;
	struct tf_checkpoint head;
	struct tf_time last; /* time of the last entry in the package */
	uint64_t entries, files, bytes;
	unsigned format;
};

/* The texts of VERIFY.txt, verify.sh and verify.ps1. */
extern const char tf_package_readme[], tf_package_script[];
extern const char tf_package_powershell[];

/* Append bag-info.txt (RFC 8493 2.2.2) to out. */
void tf_package_bag_info(const struct tf_package_facts *f, struct tf_buf *out);

/* Append package.json to out. */
TF_MUST_USE enum tf_code tf_package_json(const struct tf_package_facts *f,
    struct tf_buf *out, struct tf_error *err);

/* The texts of the files in keys/. */
struct tf_package_keys {
	struct tf_buf vkey, pem, attester;
};

/*
 * Append the texts of the files in keys/ to *out: the key of the log, and the
 * key of the attester, an SPKI in base64. False: the key of the attester is
 * malformed, and its text stays empty. The caller frees *out with
 * tf_package_keys_free.
 */
bool tf_package_keys(const struct tf_vkey *log, struct tf_str attester,
    struct tf_package_keys *out);

void tf_package_keys_free(struct tf_package_keys *k);

/*
 * Parse package.json: set path and the selection in *r, and *format to 1 or
 * higher.
 * The strings of *r point into text, which the caller frees.  Errors: TF_NEWER
 * (a later version made the package), TF_TAMPER (malformed), TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_package_json_read(const struct tf_buf *json,
    struct tf_package_request *r, unsigned *format, struct tf_buf *text,
    struct tf_error *err);

/* The text of bagit.txt (RFC 8493 2.1.1). */
extern const char tf_package_bagit[];

/* Append a line of names.jsonl to out: the package has path as stored. */
TF_MUST_USE enum tf_code tf_package_name_line(struct tf_str path,
    struct tf_str stored, struct tf_buf *out, struct tf_error *err);

/*
 * Append the DSSE envelope of the attestation.sealed entry e to out, with the
 * payload of its statement.  TF_TAMPER: the signature in e is malformed.
 */
TF_MUST_USE enum tf_code tf_package_envelope(const struct tf_entry *e,
    const struct tf_buf *payload, struct tf_buf *out, struct tf_error *err);

#endif
