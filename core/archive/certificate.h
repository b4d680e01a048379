/*
 * certificate.html: the form by which a person certifies a package, filled with what
 * is known of it.  Writer and verifier of packages write the same text.
 */
#ifndef TF_ARCHIVE_CERTIFICATE_H
#define TF_ARCHIVE_CERTIFICATE_H

#include "../error.h"
#include "../types.h"

struct tf_buf;
struct tf_completeness;
struct tf_health;
struct tf_package_facts;

struct tf_certificate {
	const struct tf_package_facts *facts;
	const struct tf_completeness *complete;
	const struct tf_health *health; /* after tf_health_end */
	struct tf_str vkey;		/* keys/log.vkey, with its line feed */
	/* Of checkpoint, events.jsonl and manifest-sha256.txt. */
	struct tf_hash checkpoint, events, manifest;
};

/* Append certificate.html to out.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_certificate_write(const struct tf_certificate *c,
    struct tf_buf *out, struct tf_error *err);

#endif
