/* A package under audit, and its members.  The files package*.c share it. */
#ifndef TF_AUDIT_PACKAGE_MEMBERS_H
#define TF_AUDIT_PACKAGE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "../archive/completeness.h"
#include "../archive/description.h"
#include "../archive/health.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../base/bytes.h"
#include "../package.h"
#include "../verify.h"

struct tf_archive;
struct tf_archive_reader;
struct tf_audit;
struct tf_package_names;

/* The maximum of bytes of descriptions and keys. */
#define TF_AUDIT_TEXT_MAX ((size_t)1 << 20)

/* What the clock said at an entry. */
struct tf_audit_clock {
	uint64_t seq;
	struct tf_time clock;
};

struct tf_audit_package {
	struct tf_archive *z;
	struct tf_archive_reader *r;
	struct tf_package_request q;
	struct tf_package_place p;
	struct tf_package_facts f;
	struct tf_completeness complete;
	struct tf_health health;
	struct tf_package_names *names;
	struct tf_buf text; /* strings of package.json */
	struct tf_buf note; /* checkpoint */
	struct tf_buf vkey; /* keys/log.vkey */
	/* What is done with a line of events.jsonl. */
	enum tf_code (*one_line)(struct tf_audit *a, const char *p, size_t n,
	    struct tf_error *err);
	struct tf_buf line;    /* incomplete last line of events.jsonl */
	struct tf_buf missing; /* of evidence without bytes: path, NUL, number
				* of the entry (8 bytes), struct tf_content */
	struct tf_buf lost;   /* reports and user data that are missing: path of
				* the attestation, digest of user data or
				* "", name of the member, each with a NUL */
	struct tf_buf apart;  /* digests of texts that are not there */
	struct tf_buf there;  /* evidence with bytes: the number of its entry
			       * (8 bytes) each */
	struct tf_buf stored; /* name of the current evidence, below data/ */
	struct tf_buf renamed; /* expected names.jsonl */
	char attester[128];    /* the key in force: SPKI in base64 */
	struct tf_buf clocks;  /* of the entries: struct tf_audit_clock each */
	uint64_t own; /* the last entry about the package's subject, and 1 */
	bool *seen;   /* members that were expected */
	struct tf_package_dirs dirs; /* that have pages */
};

/* Report a fault of the member called name: check l has failed. */
void tf_audit_member_wrong(struct tf_audit *a, enum tf_check l,
    const char *name, const char *text);

/* The same with a grade, for TF_CHECK_PACKAGE; see tf_audit_remark. */
void tf_audit_member_remark(struct tf_audit *a, enum tf_grade grade,
    const char *name, const char *text);

/* Find a member and mark it as expected.  A missing member is a finding, and
 * false. */
bool tf_audit_member_expect(struct tf_audit *a, enum tf_check l,
    const char *name, size_t *i);

/* Expect a member and append its bytes, at most max, to out.  False: a finding
 * or an error of the audit was recorded. */
bool tf_audit_member_load(struct tf_audit *a, enum tf_check l, const char *name,
    size_t max, struct tf_buf *out);

/* Check that a member has exactly these bytes. */
void tf_audit_member_must_be(struct tf_audit *a, const char *name,
    const struct tf_buf *want);

#endif
