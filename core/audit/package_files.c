/*
 * Checks the files of a package besides evidence, entries and proofs: they must
 * follow from the entries, and there must be no others.
 *
 * Descriptions and keys are made again with the functions of the writer
 * (archive/description.h) and compared byte by byte, so none of them can say
 * anything that the signed entries do not.  A file that nothing expects is a
 * finding too: a reader who unpacks the package would take it for evidence.
 */
#include <stdio.h>
#include <string.h>

#include "../archive/certificate.h"
#include "../archive/completeness.h"
#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/health.h"
#include "../archive/members.h"
#include "../archive/names.h"
#include "../archive/reader.h"
#include "../archive/safe_name.h"
#include "../archive/texts.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/mutant.h"
#include "../ledger/name.h"
#include "../ledger/replay.h"
#include "../page.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "package_files.h"
#include "package_members.h"

#define ABOUT_A_FILE_MAX 4096 /* bytes per file that one describes */

/* tf_archive_open_any compares the manifests with the archive. */
static bool
is_manifest(const char *name)
{
	return strcmp(name, TF_PACKAGE_MANIFEST) == 0 ||
	    strcmp(name, TF_PACKAGE_TAGMANIFEST) == 0;
}

static enum tf_code
pass_over(void *arg, const void *p, size_t n, struct tf_error *err)
{
	(void)arg;
	(void)p;
	(void)n;
	(void)err;
	return TF_OK;
}

/* Check a page of at most max bytes against the manifest: a larger page only
 * serves to fill an auditor's disk. */
static bool
check_digest(struct tf_audit *a, const struct tf_archive_member *m, size_t i,
    uint64_t max)
{
	struct tf_audit_package *k = a->self;
	struct tf_error e = { .code = TF_OK };
	struct tf_hash h;

	if (m->size > max)
		tf_audit_member_wrong(a, TF_CHECK_PACKAGE, m->name,
		    "is longer than it can be");
	else if (tf_archive_read(k->r, i, pass_over, NULL, &h, &e) != TF_OK)
		tf_audit_trouble(a, TF_CHECK_PACKAGE, UINT64_MAX,
		    (struct tf_str){ m->name, strlen(m->name) }, "", &e);
	else if (memcmp(&h, &m->sha256, sizeof(h)) != 0)
		tf_audit_member_wrong(a, TF_CHECK_PACKAGE, m->name,
		    "altered: its bytes are not those of the manifest");
	else
		return true;
	return false;
}

/* Check the page called name, if the package has it.  text is what this version
 * of trailfs writes there, NULL if that is unknown. */
static void
check_text(struct tf_audit *a, const char *name, const char *text, uint64_t max)
{
	struct tf_audit_package *k = a->self;
	struct tf_archive_member m;
	struct tf_hash h;
	size_t i;

	if (!tf_archive_find(k->z, name, &i) || k->seen[i])
		return;
	tf_archive_member(k->z, i, &m);
	if (!m.listed)
		return;
	k->seen[i] = true;
	if (text != NULL)
		tf_sha256(text, strlen(text), &h);
	if (check_digest(a, &m, i, max) &&
	    (text == NULL || memcmp(&h, &m.sha256, sizeof(h)) != 0))
		tf_audit_member_remark(a, TF_GRADE_UNPROVEN, name,
		    text == NULL ?
			"unproven: no signature covers what it says" :
			"unproven: not the text of this version");
}

/* The same of a page whose size grows with the number of members. */
static void
check_reading(struct tf_audit *a, const char *name, const char *text)
{
	const struct tf_audit_package *k = a->self;

	check_text(a, name, text,
	    TF_AUDIT_TEXT_MAX + tf_archive_count(k->z) * ABOUT_A_FILE_MAX);
}

/* Check the pages that replay evidence whose bytes are in the package. */
static void
check_replays(struct tf_audit *a)
{
	const struct tf_audit_package *k = a->self;
	char name[64];
	uint64_t seq;

	for (size_t at = 0; at < k->there.n; at += sizeof(seq)) {
		memcpy(&seq, k->there.p + at, sizeof(seq));
		(void)snprintf(name, sizeof(name),
		    TF_PACKAGE_REPLAYS "%llu" TF_PACKAGE_REPLAY_PAGE,
		    (unsigned long long)seq);
		check_text(a, name, NULL, TF_REPLAY_PAGE_MAX);
	}
}

static enum tf_code
one_text(void *arg, enum tf_package_text text, const char *name,
    struct tf_error *err)
{
	(void)text;
	(void)err;
	check_reading(arg, name, NULL);
	return TF_OK;
}

/* Check the pages of the directories that the entries create; check_rest
 * reports any other page. */
static enum tf_code
check_pages(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	enum tf_code rc = TF_OK;

	check_reading(a, TF_PACKAGE_README, tf_package_readme);
	check_reading(a, TF_PACKAGE_SCRIPT, tf_package_script);
	check_reading(a, TF_PACKAGE_POWERSHELL, tf_package_powershell);
	check_replays(a);
	for (size_t i = 0; rc == TF_OK && i < k->dirs.n; i++)
		rc = tf_package_texts(&k->p, k->names, &k->dirs.d[i], one_text,
		    a, err);
	return rc;
}

/* Report each member that nothing expected.  Whether a manifest lists it
 * decides the grade: a file beside the package is not the work of whoever made
 * the manifest, and one that a file manager left does not even need an answer. */
static void
check_rest(struct tf_audit *a)
{
	struct tf_audit_package *k = a->self;
	struct tf_archive_member m;

	for (size_t i = 0; i < tf_archive_count(k->z); i++) {
		tf_archive_member(k->z, i, &m);
		if (k->seen[i] || is_manifest(m.name))
			continue;
		if (m.missing)
			tf_audit_member_remark(a, TF_GRADE_BESIDE, m.name,
			    "is listed in a manifest, and not there");
		else if (!m.listed && m.plain &&
		    tf_name_of_desktop(m.name, strlen(m.name)))
			tf_audit_member_remark(a, TF_GRADE_HARMLESS, m.name,
			    "is not of the package: desktops leave such files");
		else if (!m.listed)
			tf_audit_member_remark(a, TF_GRADE_BESIDE, m.name,
			    "is not of the package: no manifest lists it");
		else if (strncmp(m.name, TF_PACKAGE_DATA,
			     strlen(TF_PACKAGE_DATA)) == 0)
			tf_audit_member_wrong(a, TF_CHECK_NAMES, m.name,
			    "no entry speaks of it");
		else
			tf_audit_member_wrong(a, TF_CHECK_PACKAGE, m.name,
			    "does not belong into a package: no entry speaks "
			    "of it");
	}
}

/* Count again what the package says of its entries.  Two facts no entry says: the
 * program that made the package, and how many workflows the trail has.  The first
 * proves nothing to anybody, so it is not reported. */
static enum tf_code
check_completeness(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_completeness_said *said = &k->complete.said;
	struct tf_buf have = { 0 }, want = { 0 };
	enum tf_code rc = TF_OK;

	if (k->f.format >= TF_PACKAGE_FORMAT_HEALTH &&
	    tf_audit_member_load(a, TF_CHECK_PACKAGE, TF_PACKAGE_COMPLETENESS,
		TF_AUDIT_TEXT_MAX, &have)) {
		rc = tf_completeness_read(&have, &k->p, said, err);
		if (rc == TF_TAMPER ||
		    (rc == TF_OK && said->has_of != tf_package_is_cut(&k->p))) {
			tf_audit_member_wrong(a, TF_CHECK_PACKAGE,
			    TF_PACKAGE_COMPLETENESS, "is malformed");
			rc = TF_OK;
		} else if (rc == TF_OK) {
			rc = tf_completeness_json(&k->complete, &k->f, &want,
			    err);
			if (rc == TF_OK)
				tf_audit_member_must_be(a,
				    TF_PACKAGE_COMPLETENESS, &want);
			if (rc == TF_OK && said->has_of)
				tf_audit_member_remark(a, TF_GRADE_UNPROVEN,
				    TF_PACKAGE_COMPLETENESS,
				    k->p.kind == TF_KIND_ROOT ?
					"unproven: how many workflows the "
					"vault has" :
					"unproven: how many workflows the "
					"trail has");
		}
	}
	tf_buf_free(&have);
	tf_buf_free(&want);
	return rc;
}

/* Make again what the package says of the vault.  An entry that the package lacks
 * cannot be missed, as with all entries. */
static enum tf_code
check_health(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_buf want = { 0 };
	enum tf_code rc;

	if (k->f.format < TF_PACKAGE_FORMAT_HEALTH)
		return TF_OK;
	rc = tf_health_end(&k->health, err);
	if (rc == TF_OK)
		rc = tf_health_json(&k->health, &k->p, &want, err);
	if (rc == TF_OK)
		tf_audit_member_must_be(a, TF_PACKAGE_HEALTH, &want);
	tf_buf_free(&want);
	return rc;
}

/* Take the digest that the manifests have of a member: its bytes are compared with
 * that elsewhere. */
static void
digest_of(const struct tf_audit_package *k, const char *name,
    struct tf_hash *out)
{
	struct tf_archive_member m;
	size_t i;

	memset(out, 0, sizeof(*out));
	if (!tf_archive_find(k->z, name, &i))
		return;
	tf_archive_member(k->z, i, &m);
	if (m.listed)
		*out = m.sha256;
}

/* Fill in the certificate again. */
static enum tf_code
check_certificate(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_certificate c = { .facts = &k->f,
		.complete = &k->complete,
		.health = &k->health };
	struct tf_package_keys keys = { 0 };
	struct tf_buf want = { 0 };
	enum tf_code rc;

	if (k->f.format < TF_PACKAGE_FORMAT_HEALTH)
		return TF_OK;
	if (TF_IS_MUTANT(TF_TRUST_CERTIFICATE)) {
		check_text(a, TF_PACKAGE_CERTIFICATE, NULL, TF_AUDIT_TEXT_MAX);
		return TF_OK;
	}
	tf_sha256(k->note.p, k->note.n, &c.checkpoint);
	digest_of(k, TF_PACKAGE_EVENTS, &c.events);
	digest_of(k, TF_PACKAGE_MANIFEST, &c.manifest);
	(void)tf_package_keys(tf_audit_key(a), tf_str_of(k->attester), &keys);
	c.vkey = tf_buf_bytes(&keys.vkey);
	rc = keys.vkey.failed ? tf_nomem(err) :
				tf_certificate_write(&c, &want, err);
	if (rc == TF_OK)
		tf_audit_member_must_be(a, TF_PACKAGE_CERTIFICATE, &want);
	tf_buf_free(&want);
	tf_package_keys_free(&keys);
	return rc;
}

/* Must the package have every entry? */
static bool
is_whole_log(const struct tf_audit_package *k)
{
	return k->p.kind == TF_KIND_ROOT && !tf_package_is_cut(&k->p);
}

/* Are the workflows those that were asked for?  Whether there are others only the
 * whole log can show, which the package of the whole vault has. */
static void
check_selection(struct tf_audit *a)
{
	struct tf_audit_package *k = a->self;

	if (is_whole_log(k) && k->f.entries < a->head.size)
		tf_audit_member_wrong(a, TF_CHECK_ENTRIES, TF_PACKAGE_EVENTS,
		    "lacks entries: the package of a vault has all of them");
	for (size_t i = 0; k->p.person.p != NULL && i < k->dirs.n; i++)
		if (k->dirs.d[i].kind == TF_KIND_WORKFLOW &&
		    !k->dirs.d[i].acted)
			tf_audit_finding(a, TF_CHECK_PACKAGE, UINT64_MAX,
			    k->dirs.d[i].path,
			    "has no entry of the person by whom it was "
			    "selected");
	if (k->p.control.p != NULL || k->p.status.p != NULL)
		tf_audit_member_remark(a, TF_GRADE_UNPROVEN, TF_PACKAGE_JSON,
		    "unproven: whether the workflows have the control and the "
		    "status by which they were selected");
}

/* The keys in a package are for other tools.  They must be the ones that this
 * audit used, or such a tool would verify with a stranger's key. */
static void
check_keys(struct tf_audit *a)
{
	struct tf_audit_package *k = a->self;
	struct tf_package_keys keys = { 0 };

	/* The key was decoded with its entry, so it can only be absent.  Then
	 * the replay has reported that the ledger was never opened. */
	(void)tf_package_keys(tf_audit_key(a), tf_str_of(k->attester), &keys);
	tf_audit_member_must_be(a, TF_PACKAGE_VKEY, &keys.vkey);
	tf_audit_member_must_be(a, TF_PACKAGE_PEM, &keys.pem);
	tf_audit_member_must_be(a, TF_PACKAGE_ATTESTER, &keys.attester);
	tf_package_keys_free(&keys);
}

/* Check the name of the topmost directory; it is part of the strict profile. */
static void
check_top(struct tf_audit *a)
{
	struct tf_audit_package *k = a->self;
	struct tf_buf top = { 0 };
	const char *why;
	enum tf_archive_form form = tf_archive_form(k->z, &why);

	if (form == TF_ARCHIVE_REPACKED)
		tf_audit_member_remark(a, TF_GRADE_BESIDE, "",
		    "another program packed it again, "
		    "and what that one says of its files is not checked");
	a->r->unpacked = form == TF_ARCHIVE_FILES;
	/* Unpacked or repacked files may have another top directory. */
	if (form != TF_ARCHIVE_OURS)
		return;
	tf_package_safe(&top, k->p.name, true);
	tf_buf_add(&top, "", 1);
	if (top.failed)
		tf_audit_no_memory(a);
	else if (strcmp(top.p, tf_archive_top(k->z)) != 0)
		tf_audit_member_wrong(a, TF_CHECK_PACKAGE, tf_archive_top(k->z),
		    "the package is called otherwise than what it is about");
	tf_buf_free(&top);
}

/* Count directories that were not sealed when the package was made: later
 * evidence may belong to them. */
static enum tf_code
count_open(void *arg, const struct tf_replay_dir *d, struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct tf_audit_package *k = a->self;

	(void)err;
	if (d->seal != UINT64_MAX || d->attr.kind < TF_KIND_TRAIL ||
	    d->attr.kind > TF_KIND_ATTESTATION)
		return TF_OK;
	/* Do not count directories above the packaged one, nor a trail of
	 * which the package holds only some workflows. */
	a->r->unsealed += d->attr.kind >= k->p.kind &&
	    (d->attr.kind > TF_KIND_TRAIL || !a->r->cut);
	return TF_OK;
}

enum tf_code
tf_audit_package_end(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_buf b = { 0 };
	enum tf_code rc;

	a->r->cut = tf_package_is_cut(&k->p);
	a->r->selected = k->p.control.p != NULL || k->p.status.p != NULL ||
	    k->p.person.p != NULL;
	a->r->may_be_repeated = k->p.kind == TF_KIND_ATTESTATION;
	/* With every entry of the log, what is open lacks nothing. */
	rc = is_whole_log(k) ? TF_OK :
			       tf_replay_each(a->replay, count_open, a, err);
	if (rc != TF_OK)
		return rc;
	k->f.p = &k->p;
	k->f.head = a->head;
	tf_package_bag_info(&k->f, &b);
	tf_audit_member_must_be(a, TF_PACKAGE_INFO, &b);
	b.n = 0;
	rc = tf_package_json(&k->f, &b, err);
	if (rc == TF_OK)
		tf_audit_member_must_be(a, TF_PACKAGE_JSON, &b);
	b.n = 0;
	tf_buf_str(&b, tf_package_bagit);
	tf_audit_member_must_be(a, TF_PACKAGE_BAGIT, &b);
	if (k->renamed.n > 0)
		tf_audit_member_must_be(a, TF_PACKAGE_NAMES, &k->renamed);
	check_keys(a);
	if (rc == TF_OK)
		rc = check_completeness(a, err);
	if (rc == TF_OK)
		rc = check_health(a, err);
	if (rc == TF_OK)
		rc = check_certificate(a, err);
	check_selection(a);
	check_top(a);
	if (rc == TF_OK)
		rc = check_pages(a, err);
	/* After an error some expected members are not marked as seen. */
	if (rc == TF_OK && tf_audit_able(a, NULL) == TF_OK)
		check_rest(a);
	tf_buf_free(&b);
	return rc;
}
