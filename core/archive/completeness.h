/*
 * completeness.json: what a package was asked for, and what of the log it holds.
 * Writer and verifier of packages count the entries of the package with it, and
 * write the same text.  trailfs-package(5) has the format.
 */
#ifndef TF_ARCHIVE_COMPLETENESS_H
#define TF_ARCHIVE_COMPLETENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;
struct tf_entry;
struct tf_package_facts;
struct tf_package_place;

/* Begin with zeros; free with tf_completeness_free. */
struct tf_completeness {
	struct tf_type_count {
		char *name; /* of the type */
		uint64_t n;
	} * types; /* sorted by name */
	size_t n, cap;
	uint64_t entries, first, last; /* valid if there are entries */
	uint64_t gaps;		       /* between them, and before the first */
	uint64_t workflows;	       /* that begin in the package */
	bool begun;		       /* the period */
	struct tf_time from, newest;   /* of the period; of the last entry */
	/* What the entries of the package do not say; the verifier takes it from
	 * the package and calls it unproven. */
	struct tf_completeness_said {
		char tool[65]; /* program and version */
		bool has_of;   /* of a part of a trail or of the vault */
		uint64_t of;   /* workflows of that trail or vault */
	} said;
};

/* Count the next entry of the package.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_completeness_add(struct tf_completeness *c,
    const struct tf_package_place *p, const struct tf_entry *e,
    struct tf_error *err);

/* Append completeness.json to out. */
TF_MUST_USE enum tf_code tf_completeness_json(const struct tf_completeness *c,
    const struct tf_package_facts *f, struct tf_buf *out, struct tf_error *err);

/* Take *said from completeness.json of a package of p.  TF_TAMPER: it is malformed; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_completeness_read(const struct tf_buf *json,
    const struct tf_package_place *p, struct tf_completeness_said *said,
    struct tf_error *err);

void tf_completeness_free(struct tf_completeness *c);

#endif
