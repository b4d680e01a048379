/* Finds, loads and compares the members of a package under audit.  A member
 * that was asked for is marked as seen, even if it turns out to be wrong, so
 * that the search for unexpected members does not report it again. */
#include <string.h>

#include "../archive/members.h"
#include "../archive/reader.h"
#include "../base/bytes.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "package_members.h"

void
tf_audit_member_wrong(struct tf_audit *a, enum tf_check l, const char *name,
    const char *text)
{
	tf_audit_finding(a, l, UINT64_MAX,
	    (struct tf_str){ name, strlen(name) }, "%s", text);
}

void
tf_audit_member_remark(struct tf_audit *a, enum tf_grade grade,
    const char *name, const char *text)
{
	tf_audit_remark(a, TF_CHECK_PACKAGE, grade, UINT64_MAX,
	    (struct tf_str){ name, strlen(name) }, text);
}

bool
tf_audit_member_expect(struct tf_audit *a, enum tf_check l, const char *name,
    size_t *i)
{
	struct tf_audit_package *k = a->self;

	if (tf_archive_find(k->z, name, i)) {
		k->seen[*i] = true;
		return true;
	}
	tf_audit_member_wrong(a, l, name, "is missing from the package");
	return false;
}

bool
tf_audit_member_load(struct tf_audit *a, enum tf_check l, const char *name,
    size_t max, struct tf_buf *out)
{
	struct tf_audit_package *k = a->self;
	struct tf_error e = { .code = TF_OK };
	size_t i;

	if (!tf_audit_member_expect(a, l, name, &i))
		return false;
	if (tf_archive_load(k->r, i, max, out, &e) == TF_OK)
		return true;
	tf_audit_trouble(a, l, UINT64_MAX,
	    (struct tf_str){ name, strlen(name) }, "", &e);
	return false;
}

void
tf_audit_member_must_be(struct tf_audit *a, const char *name,
    const struct tf_buf *want)
{
	struct tf_buf have = { 0 };

	if (want->failed)
		tf_audit_no_memory(a);
	else if (tf_audit_member_load(a, TF_CHECK_PACKAGE, name,
		     TF_AUDIT_TEXT_MAX + want->n, &have) &&
	    !tf_str_same(tf_buf_bytes(&have), tf_buf_bytes(want)))
		tf_audit_member_wrong(a, TF_CHECK_PACKAGE, name,
		    "says something else than the entries");
	tf_buf_free(&have);
}
