/*
 * Checks the entries of a package: their proofs, the bytes of their evidence
 * and their statements.
 *
 * events.jsonl is read once, from its first to its last line, and each line is
 * checked before the next one is read.  Names in the package depend on the
 * order of the entries (names.h), so this file assigns them in the same order
 * as the writer did.  A size is compared before a member is unpacked, and each
 * text has a limit: a small archive must not fill the auditor's memory or time.
 */
#include <stdio.h>
#include <string.h>

#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/members.h"
#include "../archive/names.h"
#include "../archive/person.h"
#include "../archive/reader.h"
#include "../archive/said.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/entry.h"
#include "../ledger/withheld.h"
#include "../ledger/entry_read.h"
#include "../ledger/merkle.h"
#include "../ledger/proof.h"
#include "../ledger/replay.h"
#include "../ledger/sums.h"
#include "../verify.h"
#include "audit.h"
#include "evaluation.h"
#include "findings.h"
#include "package_anchors.h"
#include "package_entries.h"
#include "package_members.h"

#define PROOF_MAX ((size_t)1 << 20)
#define SAID_MAX ((size_t)4 << 20)
#define STATEMENT_MAX ((size_t)64 << 20)

/* --- proofs --------------------------------------------------------------- */

/* Return what is wrong with the proof, or NULL.  The proof must be about this
 * entry, under the checkpoint whose signature was verified, and lead to its
 * root (RFC 6962, section 2.1.1). */
static const char *
wrong_proof(struct tf_audit *a, const struct tf_tlog_proof *p, uint64_t idx,
    const struct tf_hash *leaf)
{
	struct tf_audit_package *k = a->self;
	struct tf_hash extra;

	tf_entry_leaf(p->extra.p, p->extra.n, &extra);
	if (p->index != idx || memcmp(&extra, leaf, sizeof(extra)) != 0)
		return "is the proof of another entry";
	if (!tf_str_same(p->note, tf_buf_bytes(&k->note)))
		return "is under another checkpoint than the package";
	if (tf_merkle_check_inclusion(idx, a->head.size, leaf, p->path.h,
		p->path.n, &a->head.root) != TF_OK)
		return "does not lead to the root of the checkpoint";
	return NULL;
}

enum tf_code
tf_audit_package_prove(struct tf_audit *a, uint64_t idx, struct tf_str path,
    const struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_buf name = { 0 }, text = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_tlog_proof p;
	const char *wrong;

	(void)path;
	if (k->stored.n > 0)
		tf_buf_printf(&name, TF_PACKAGE_FILE_PROOFS "%.*s",
		    (int)k->stored.n, k->stored.p);
	else
		tf_buf_printf(&name, TF_PACKAGE_EVENT_PROOFS "%llu",
		    (unsigned long long)idx);
	tf_buf_add(&name, TF_PACKAGE_PROOF, sizeof(TF_PACKAGE_PROOF));
	if (name.failed)
		return tf_nomem(err);
	if (tf_audit_member_load(a, TF_CHECK_TREE, name.p, PROOF_MAX, &text)) {
		if (tf_tlog_proof_parse(tf_buf_bytes(&text).p, text.n, &p,
			&e) != TF_OK)
			tf_audit_trouble(a, TF_CHECK_TREE, UINT64_MAX,
			    (struct tf_str){ name.p, strlen(name.p) },
			    "is malformed", &e);
		else if ((wrong = wrong_proof(a, &p, idx, leaf)) != NULL)
			tf_audit_member_wrong(a, TF_CHECK_TREE, name.p, wrong);
		tf_tlog_proof_free(&p);
	}
	tf_buf_free(&name);
	tf_buf_free(&text);
	return TF_OK;
}

/* --- evidence ------------------------------------------------------------- */

/* Entry e sealed a file: check that the package has its bytes. */
enum tf_code
tf_audit_package_created(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_archive_member m;
	struct tf_buf name = { 0 };
	size_t i;
	bool there;

	if (x->kind != TF_KIND_EVIDENCE || k->stored.n == 0)
		return TF_OK;
	tf_buf_printf(&name, TF_PACKAGE_DATA "%.*s", (int)k->stored.n,
	    k->stored.p);
	tf_buf_add(&name, "", 1);
	if (name.failed)
		return tf_nomem(err);
	there = tf_archive_find(k->z, name.p, &i);
	tf_buf_free(&name);
	if (!there) { /* a later entry may say why */
		tf_buf_add(&k->missing, e->path.p, e->path.n);
		tf_buf_add(&k->missing, "", 1);
		tf_buf_add(&k->missing, &e->seq, sizeof(e->seq));
		tf_buf_add(&k->missing, &e->content, sizeof(e->content));
		return TF_OK;
	}
	k->seen[i] = true;
	tf_buf_add(&k->there, &e->seq, sizeof(e->seq));
	if (k->there.failed)
		return tf_nomem(err);
	k->f.files++;
	k->f.bytes += e->content.size;
	tf_archive_member(k->z, i, &m);
	if (m.size != e->content.size && a->pieces == NULL) {
		/* Do not unpack it. */
		tf_audit_bytes(a, TF_GRADE_WRONG, e->seq, e->path, &e->content,
		    &(struct tf_content){ .size = m.size },
		    "altered: its size is not that of the entry");
		return TF_OK;
	}
	if (memcmp(&m.sha256, &e->content.sha256, sizeof(m.sha256)) != 0)
		tf_audit_finding(a, TF_CHECK_PACKAGE, e->seq, e->path,
		    "the manifest has another digest than the entry");
	return tf_audit_content(a, e->seq, e->path, i, &e->content, err);
}

/* Report the reports and user data that are missing and did not go with redacted
 * evidence. */
static enum tf_code
report_lost(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_hash h;
	bool redacted;
	enum tf_code rc = tf_buf_end(&k->lost, err);

	for (size_t at = 0; rc == TF_OK && at < k->lost.n;) {
		struct tf_str path = tf_str_of(k->lost.p + at);
		const char *hex = path.p + path.n + 1;
		const char *name = hex + strlen(hex) + 1;

		at = (size_t)(name + strlen(name) + 1 - k->lost.p);
		if (tf_unhex(hex, strlen(hex), h.b, sizeof(h.b)))
			rc = tf_replay_redacted_in(a->replay, path, &h,
			    &redacted, err);
		else
			rc = tf_replay_redacted(a->replay, path, &redacted,
			    err);
		if (rc == TF_OK && !redacted)
			tf_audit_member_wrong(a, TF_CHECK_CONTENTS, name,
			    "is missing from the package");
	}
	return rc;
}

/* --- texts ---------------------------------------------------------------- */

static enum tf_code
check_text(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct tf_audit_package *k = a->self;
	struct tf_buf name = { 0 }, body = { 0 }, text = { 0 };
	struct tf_hash h;
	char hex[65];
	size_t i;
	enum tf_code rc;

	tf_hex(x->sha256.b, sizeof(x->sha256.b), hex);
	tf_buf_printf(&name, TF_PACKAGE_APART "%s", hex);
	if ((rc = tf_buf_end(&name, err)) != TF_OK)
		return rc;
	if (!tf_archive_find(k->z, name.p, &i)) {
		tf_buf_add(&k->apart, &x->sha256, sizeof(x->sha256));
		rc = tf_buf_end(&k->apart, err);
	} else if (tf_audit_member_load(a, TF_CHECK_CONTENTS, name.p,
		       TF_WITHHELD_MAX, &body)) {
		tf_sha256(tf_buf_bytes(&body).p, body.n, &h);
		if (memcmp(&h, &x->sha256, sizeof(h)) != 0 ||
		    !tf_withheld_text(tf_buf_bytes(&body).p, body.n, x->max,
			&text))
			tf_audit_member_wrong(a, TF_CHECK_CONTENTS, name.p,
			    "altered: it is not the text of its entry");
		else
			a->r->texts++;
	}
	tf_buf_free(&name);
	tf_buf_free(&body);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_audit_package_texts(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	return tf_withheld_named(e, check_text, a, err);
}

/* Nobody can say anything of a text that is neither there nor redacted. */
static enum tf_code
count_absent(struct tf_audit *a, struct tf_error *err)
{
	const struct tf_audit_package *k = a->self;
	struct tf_hash h;
	bool gone;
	enum tf_code rc = TF_OK;

	for (size_t at = 0; rc == TF_OK && at < k->apart.n; at += sizeof(h)) {
		memcpy(&h, k->apart.p + at, sizeof(h));
		rc = tf_replay_text_redacted(a->replay, &h, &gone, err);
		a->r->absent_texts += rc == TF_OK && !gone;
	}
	return rc;
}

enum tf_code
tf_audit_package_missing(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_content want;
	uint64_t seq;
	bool redacted;
	enum tf_code rc = report_lost(a, err);

	if (rc == TF_OK)
		rc = tf_buf_end(&k->missing, err);

	for (size_t at = 0; rc == TF_OK && at < k->missing.n;) {
		struct tf_str path = tf_str_of(k->missing.p + at);

		at += path.n + 1;
		memcpy(&seq, k->missing.p + at, sizeof(seq));
		at += sizeof(seq);
		memcpy(&want, k->missing.p + at, sizeof(want));
		at += sizeof(want);
		rc = tf_replay_redacted(a->replay, path, &redacted, err);
		if (rc == TF_OK && !redacted)
			tf_audit_bytes(a, TF_GRADE_WRONG, seq, path, &want,
			    NULL, "missing from the package");
	}
	return rc == TF_OK ? count_absent(a, err) : rc;
}

/* --- statements ----------------------------------------------------------- */

/* Decode the text between "payload":" and the next quote.  The caller compares
 * the whole envelope, so it finds a wrong end. */
static bool
payload_of(const struct tf_buf *envelope, struct tf_buf *out)
{
	static const char head[] = "{\"payload\":\"";
	const size_t n = sizeof(head) - 1;
	const char *end;

	if (envelope->n <= n || memcmp(envelope->p, head, n) != 0 ||
	    (end = memchr(envelope->p + n, '"', envelope->n - n)) == NULL)
		return false;
	return tf_unbase64(envelope->p + n, (size_t)(end - envelope->p) - n,
	    out);
}

/* Check the list of digests whose own digest is in the seal. */
static void
check_sums(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_buf *dir)
{
	struct tf_audit_package *k = a->self;
	struct tf_archive_member m;
	struct tf_buf name = { 0 }, b = { 0 };
	size_t i;

	tf_buf_add(&name, dir->p, dir->n);
	tf_buf_add(&name, TF_PACKAGE_SUMS, sizeof(TF_PACKAGE_SUMS));
	if (name.failed)
		tf_audit_no_memory(a);
	else if (tf_archive_find(k->z, name.p, &i) &&
	    tf_audit_member_load(a, TF_CHECK_PACKAGE, name.p, STATEMENT_MAX,
		&b)) {
		tf_archive_member(k->z, i, &m);
		if (memcmp(&m.sha256, &e->evidence_sums, sizeof(m.sha256)) != 0)
			tf_audit_member_wrong(a, TF_CHECK_CONTENTS, name.p,
			    "is not the list that was sealed");
	}
	tf_buf_free(&name);
	tf_buf_free(&b);
}

enum tf_code
tf_audit_package_payload(struct tf_audit *a, const struct tf_entry *e,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_str rel = tf_package_below(&k->p, e->path);
	struct tf_buf name = { 0 }, have = { 0 }, want = { 0 };
	enum tf_code rc;
	bool same;
	size_t i;

	if (rel.p == NULL)
		return tf_fail(err, TF_NOTFOUND, "it is not of this package");
	tf_buf_str(&name, TF_PACKAGE_ATTESTATIONS);
	rc = tf_package_directory(k->names, rel, &name, err);
	if (rc == TF_OK)
		check_sums(a, e, &name);
	tf_buf_add(&name, TF_PACKAGE_ENVELOPE, sizeof(TF_PACKAGE_ENVELOPE));
	if (rc == TF_OK && name.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && !tf_archive_find(k->z, name.p, &i))
		rc = tf_fail(err, TF_NOTFOUND, "it is not in the package");
	if (rc == TF_OK) {
		k->seen[i] = true;
		rc = tf_archive_load(k->r, i, STATEMENT_MAX, &have, err);
	}
	/* Payload and entry determine every byte of the envelope. */
	if (rc == TF_OK) {
		same = payload_of(&have, out) &&
		    tf_package_envelope(e, out, &want, NULL) == TF_OK &&
		    tf_str_same(tf_buf_bytes(&want), tf_buf_bytes(&have));
		if (out->failed || want.failed)
			rc = tf_nomem(err);
		else if (!same)
			rc = tf_fail(err, TF_TAMPER, "its envelope is altered");
	}
	tf_buf_free(&name);
	tf_buf_free(&have);
	tf_buf_free(&want);
	return rc;
}

/* --- definitions, reports, user data --------------------------------------- */

struct again {
	struct tf_audit *a;
	const struct tf_entry *e;
};

/* A later entry may say why it is not there. */
static void
note_lost(struct tf_audit_package *k, struct tf_str path, const char *name,
    const struct tf_hash *sha256)
{
	const char *file = strrchr(name, '/');
	char hex[65] = "";

	if (file == NULL || strcmp(file, TF_PACKAGE_REPORT) != 0)
		tf_hex(sha256->b, sizeof(sha256->b), hex);
	tf_buf_add(&k->lost, path.p, path.n);
	tf_buf_add(&k->lost, "", 1);
	tf_buf_add(&k->lost, hex, strlen(hex) + 1);
	tf_buf_add(&k->lost, name, strlen(name) + 1);
}

/* Check a file that an entry names by its digest. */
static enum tf_code
check_said(void *arg, const char *name, const struct tf_content *want,
    struct tf_error *err)
{
	struct again *g = arg;
	struct tf_audit *a = g->a;
	struct tf_audit_package *k = a->self;
	struct tf_buf have = { 0 };
	struct tf_hash h;
	size_t i;

	(void)err;
	if (g->e->type == TF_ATTESTATION_SEALED &&
	    !tf_archive_find(k->z, name, &i)) {
		note_lost(k, g->e->path, name, &want->sha256);
		return TF_OK;
	}
	if (tf_audit_member_load(a, TF_CHECK_CONTENTS, name, SAID_MAX, &have)) {
		tf_sha256(have.n == 0 ? "" : have.p, have.n, &h);
		if (have.n != want->size ||
		    memcmp(&h, &want->sha256, sizeof(h)) != 0)
			tf_audit_member_wrong(a, TF_CHECK_CONTENTS, name,
			    "altered: its bytes are not those of the entry");
	}
	tf_buf_free(&have);
	return TF_OK;
}

/* --- judged again ----------------------------------------------------------- */

/* Append the bytes of a member to out, without a finding. */
static enum tf_code
load_quietly(struct tf_audit *a, struct tf_buf *name, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	enum tf_code rc;
	size_t i;

	tf_buf_add(name, "", 1);
	rc = tf_buf_end(name, err);
	if (rc == TF_OK && !tf_archive_find(k->z, name->p, &i))
		rc = tf_fail(err, TF_NOTFOUND, "it is not in the package");
	return rc == TF_OK ? tf_archive_load(k->r, i, SAID_MAX, out, err) : rc;
}

/* The text of an attestation type; its digest was compared when its entry was
 * read. */
static enum tf_code
type_text(void *arg, struct tf_str type, uint64_t version, struct tf_buf *out,
    struct tf_error *err)
{
	struct again *g = arg;
	struct tf_audit_package *k = g->a->self;
	struct tf_buf name = { 0 };
	enum tf_code rc;

	rc = tf_package_definitions(&k->p, k->names, g->e->path, &name, err);
	tf_buf_printf(&name, TF_PACKAGE_TYPES "%.*s@%llu.yml", (int)type.n,
	    type.p, (unsigned long long)version);
	if (rc == TF_OK)
		rc = load_quietly(g->a, &name, out, err);
	tf_buf_free(&name);
	return rc;
}

/* The report of the seal, from the directory of the attestation. */
static enum tf_code
report_text(void *arg, struct tf_buf *out, struct tf_error *err)
{
	struct again *g = arg;
	struct tf_audit_package *k = g->a->self;
	struct tf_str rel = tf_package_below(&k->p, g->e->path);
	struct tf_buf name = { 0 };
	enum tf_code rc;

	tf_buf_str(&name, TF_PACKAGE_ATTESTATIONS);
	rc = tf_package_directory(k->names, rel, &name, err);
	tf_buf_str(&name, TF_PACKAGE_REPORT);
	if (rc == TF_OK)
		rc = load_quietly(g->a, &name, out, err);
	tf_buf_free(&name);
	return rc;
}

/*
 * Pass on the bytes of a file of evidence; evaluation.c compares their digest.
 */
static enum tf_code
read_file(void *arg, const struct tf_subject_file *f,
    const struct tf_sink *sink, struct tf_error *err)
{
	struct again *g = arg;
	struct tf_audit_package *k = g->a->self;
	struct tf_str rel = tf_package_below(&k->p, g->e->path);
	struct tf_buf path = { 0 }, name = { 0 };
	struct tf_hash h;
	enum tf_code rc;
	size_t i;

	tf_buf_printf(&path, "%.*s/%.*s", (int)rel.n, rel.p, (int)f->name.n,
	    f->name.p);
	tf_buf_str(&name, TF_PACKAGE_DATA);
	rc = tf_buf_end(&path, err);
	if (rc == TF_OK)
		tf_package_stored(k->names, tf_buf_bytes(&path), &name);
	tf_buf_add(&name, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&name, err);
	if (rc == TF_OK && !tf_archive_find(k->z, name.p, &i))
		rc = tf_fail(err, TF_NOTFOUND, "it is not in the package");
	if (rc == TF_OK)
		rc = tf_archive_read(k->r, i, sink->put, sink->arg, &h, err);
	tf_buf_free(&path);
	tf_buf_free(&name);
	return rc;
}

enum tf_code
tf_audit_package_said(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct again g = { a, e };
	const struct tf_audit_judged from = { type_text, report_text, read_file,
		&g };
	enum tf_code rc;

	if (k->f.format < TF_PACKAGE_FORMAT_SAID)
		return TF_OK;
	rc = tf_package_said(&k->p, k->names, e, check_said, &g, err);
	if (rc == TF_OK && e->type == TF_ANCHOR_ADDED)
		return tf_audit_package_anchor(a, e, err);
	if (rc != TF_OK || e->type != TF_ATTESTATION_SEALED ||
	    tf_package_below(&k->p, e->path).p == NULL)
		return rc;
	return tf_audit_evaluate(a, e, x, &from, err);
}

/* --- entries -------------------------------------------------------------- */

/* Set k->stored to the name of the evidence of e in the package. */
static enum tf_code
name_evidence(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_str rel = tf_package_below(&k->p, e->path);
	enum tf_code rc;

	if (rel.p == NULL) {
		tf_audit_finding(a, TF_CHECK_ENTRIES, e->seq, e->path,
		    "is not of what the package is about");
		return TF_OK;
	}
	rc = tf_package_file(k->names, rel, &k->stored, err);
	if (rc == TF_OK && !tf_str_same(tf_buf_bytes(&k->stored), rel))
		rc = tf_package_name_line(rel,
		    (struct tf_str){ k->stored.p, k->stored.n }, &k->renamed,
		    err);
	return rc;
}

/* Must a time stamp of the package be about e?  That somebody has read it or
 * made a package of it is not what a package shows. */
static bool
is_own(const struct tf_audit_package *k, const struct tf_entry *e)
{
	return e->type != TF_PACKAGE_MADE && e->type != TF_EVIDENCE_READ &&
	    (tf_str_same(e->path, k->p.path) ||
		tf_package_below(&k->p, e->path).p != NULL);
}

/* The key in force, from the entries that name it. */
static void
take_attester(struct tf_audit_package *k, const struct tf_entry *e)
{
	struct tf_str key = { NULL, 0 };

	if (e->type == TF_LEDGER_OPENED)
		key = e->key_attester;
	else if (e->type == TF_KEY_ROTATED &&
	    tf_str_same(e->use, tf_str_of("attester")))
		key = e->key_new;
	if (key.p != NULL)
		(void)snprintf(k->attester, sizeof(k->attester), "%.*s",
		    (int)key.n, key.p);
}

/* Note the person by whom the workflows were selected. */
static enum tf_code
note_person(struct tf_audit_package *k, const struct tf_entry *e,
    struct tf_error *err)
{
	bool yes = false;
	enum tf_code rc = k->p.person.p == NULL ?
	    TF_OK :
	    tf_package_acted(e, k->p.person, &yes, err);

	/* The workflow of an entry is mostly one of the newest. */
	for (size_t i = k->dirs.n; yes && i-- > 0;) {
		struct tf_package_dir *d = &k->dirs.d[i];

		if (d->kind != TF_KIND_WORKFLOW || e->path.n < d->path.n ||
		    memcmp(e->path.p, d->path.p, d->path.n) != 0 ||
		    (e->path.n > d->path.n && e->path.p[d->path.n] != '/'))
			continue;
		d->acted = true;
		break;
	}
	return rc == TF_NOMEM ? rc : TF_OK; /* the entry is reported */
}

/* Check one line as an entry.  A line out of its place is a finding and is not
 * replayed, since each entry has one place only. */
static enum tf_code
one_line(struct tf_audit *a, const char *p, size_t n, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_entry_decoded d = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_package_dir dir;
	enum tf_code rc = TF_OK;
	char what[64];
	uint64_t seq;

	k->stored.n = 0;
	if (tf_entry_decode(&d, p, n, &e) != TF_OK) {
		(void)snprintf(what, sizeof(what),
		    "line %llu of " TF_PACKAGE_EVENTS " is malformed",
		    (unsigned long long)a->r->entries + 1);
		tf_audit_trouble(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    what, &e);
		a->r->entries++;
		tf_entry_decoded_free(&d);
		return TF_OK;
	}
	seq = d.e.seq;
	k->f.entries++;
	k->f.last = d.e.at;
	if (seq < a->next || seq >= a->head.size) {
		tf_audit_finding(a, TF_CHECK_ENTRIES, seq, d.e.path,
		    "is not in its place");
	} else {
		if (is_own(k, &d.e))
			k->own = seq + 1;
		rc = tf_completeness_add(&k->complete, &k->p, &d.e, err);
		if (rc == TF_OK)
			rc = tf_health_add(&k->health, &k->p, &d.e, err);
		tf_buf_add(&k->clocks,
		    &(struct tf_audit_clock){ .seq = seq,
			.clock = d.e.has_clock ? d.e.clock : d.e.at },
		    sizeof(struct tf_audit_clock));
		if (rc == TF_OK && k->clocks.failed)
			rc = tf_nomem(err);
		if (rc == TF_OK && d.e.type == TF_EVIDENCE_SEALED)
			rc = name_evidence(a, &d.e, err);
		else if (rc == TF_OK)
			rc = tf_package_name_dirs(&k->p, k->names, &d.e, err);
		if (rc == TF_OK && tf_package_dir_of(&k->p, &d.e, &dir))
			rc = tf_package_dirs_add(&k->dirs, &dir, err);
		if (rc == TF_OK)
			rc = note_person(k, &d.e, err);
		take_attester(k, &d.e);
		if (rc == TF_OK)
			rc = tf_audit_entry(a, seq, p, n, err);
	}
	tf_entry_decoded_free(&d);
	return rc;
}

/* Check the complete lines, and keep the rest for the next call. */
static enum tf_code
part(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct tf_audit_package *k = a->self;
	const char *at, *end;
	size_t left;
	enum tf_code rc = TF_OK;

	tf_buf_add(&k->line, p, n);
	if (k->line.failed)
		return tf_nomem(err);
	at = k->line.p;
	left = k->line.n;
	while (rc == TF_OK && (end = memchr(at, '\n', left)) != NULL) {
		rc = k->one_line(a, at, (size_t)(end - at), err);
		left -= (size_t)(end + 1 - at);
		at = end + 1;
	}
	memmove(k->line.p, at, left);
	k->line.n = left;
	if (rc == TF_OK && left > TF_ENTRY_MAX)
		return tf_fail(err, TF_TAMPER,
		    "a line is longer than entries "
		    "are");
	return rc;
}

static enum tf_code
learn_line(struct tf_audit *a, const char *p, size_t n, struct tf_error *err)
{
	return tf_audit_learn(a, p, n, err);
}

enum tf_code
tf_audit_package_learn(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = TF_OK;
	struct tf_hash h;
	size_t i;

	k->one_line = learn_line;
	if (tf_archive_find(k->z, TF_PACKAGE_EVENTS, &i))
		rc = tf_archive_read(k->r, i, part, a, &h, &e);
	k->line.n = 0;
	k->one_line = one_line;
	/* The pass reports what is wrong with the file. */
	return tf_code_undecided(rc) || rc == TF_NOMEM ? tf_fail_as(err, &e) :
							 TF_OK;
}

enum tf_code
tf_audit_package_entries(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_error e = { .code = TF_OK };
	struct tf_archive_reader *r;
	struct tf_archive_member m;
	struct tf_hash h;
	enum tf_code rc;
	size_t i;

	if (!tf_audit_member_expect(a, TF_CHECK_ENTRIES, TF_PACKAGE_EVENTS, &i))
		return TF_OK;
	/* A reader of its own, because k->r reads proofs between the lines. */
	if ((rc = tf_archive_reader_new(k->z, &r, err)) != TF_OK)
		return rc;
	tf_archive_member(k->z, i, &m);
	rc = tf_archive_read(r, i, part, a, &h, &e);
	tf_archive_reader_free(r);
	if (rc != TF_OK) {
		tf_audit_trouble(a, TF_CHECK_ENTRIES, UINT64_MAX,
		    (struct tf_str){ TF_PACKAGE_EVENTS,
			strlen(TF_PACKAGE_EVENTS) },
		    "", &e);
		return TF_OK;
	}
	if (k->line.n > 0)
		tf_audit_member_wrong(a, TF_CHECK_ENTRIES, TF_PACKAGE_EVENTS,
		    "its last line is cut");
	if (memcmp(&h, &m.sha256, sizeof(h)) != 0)
		tf_audit_member_wrong(a, TF_CHECK_PACKAGE, TF_PACKAGE_EVENTS,
		    "altered: its bytes are not those of the manifest");
	return TF_OK;
}
