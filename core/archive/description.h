/* What a package says about itself: bag-info.txt, package.json, envelopes. */
#ifndef TF_ARCHIVE_DESCRIPTION_H
#define TF_ARCHIVE_DESCRIPTION_H

#include <stdint.h>

#include "../ledger/checkpoint.h"
#include "select.h"

struct tf_entry;
struct tf_package_request;

/* All that the descriptions of a package say; p's strings are the caller's. */
struct tf_package_facts {
	const struct tf_package_place *p;
	struct tf_checkpoint head;
	struct tf_time last; /* of the last entry in it */
	uint64_t entries, files, bytes;
	unsigned format;
};

extern const char tf_package_readme[], tf_package_script[];

/* --- what stands in the files ------------------------------------------------ */
void tf_package_bag_info(const struct tf_package_facts *f, struct tf_buf *out);

/* package.json */
TF_MUST_USE enum tf_code tf_package_json(const struct tf_package_facts *f,
    struct tf_buf *out, struct tf_error *err);

/* What package.json asks for, and its format, which is 1 or 2; the strings are
 * kept in text.  TF_NEWER, TF_TAMPER. */
TF_MUST_USE enum tf_code tf_package_json_read(const struct tf_buf *json,
    struct tf_package_request *r, unsigned *format, struct tf_buf *text,
    struct tf_error *err);

extern const char tf_package_bagit[];

/* A line of names.jsonl: that path stands as stored, onto out. */
TF_MUST_USE enum tf_code tf_package_name_line(struct tf_str path,
    struct tf_str stored, struct tf_buf *out, struct tf_error *err);

/* The envelope of an attestation.sealed entry, from its payload. */
TF_MUST_USE enum tf_code tf_package_envelope(const struct tf_entry *e,
    const struct tf_buf *payload, struct tf_buf *out, struct tf_error *err);

#endif
