/*
 * A package as the source of an audit.  Each entry has an inclusion proof; the
 * replay knows the gaps between the entries.  The files of the package must be
 * those that the entries name, under the names that follow from the entries,
 * and no others.  The audit writes nothing to disk.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../archive/description.h"
#include "../archive/format.h"
#include "../archive/names.h"
#include "../archive/reader.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/merkle.h"
#include "../ledger/proof.h"
#include "../ledger/replay.h"
#include "../package.h"
#include "../verify.h"
#include "audit.h"
#include "pool.h"

#define PROOF_MAX ((size_t)1 << 20)
#define TEXT_MAX ((size_t)1 << 20) /* descriptions, keys */
#define ABOUT_A_FILE_MAX 4096	   /* bytes per file that one describes */
#define STATEMENT_MAX ((size_t)64 << 20)

struct package {
	struct tf_archive *z;
	struct tf_archive_reader *r;
	struct tf_package_request q;
	struct tf_package_place p;
	struct tf_package_facts f;
	struct tf_package_names *names;
	struct tf_buf text;    /* strings of package.json */
	struct tf_buf note;    /* checkpoint */
	struct tf_buf vkey;    /* keys/log.vkey */
	struct tf_buf line;    /* incomplete last line of events.jsonl */
	struct tf_buf stored;  /* name of the current evidence, below data/ */
	struct tf_buf renamed; /* expected names.jsonl */
	char attester[128];    /* the key in force: SPKI in base64 */
	bool *seen;	       /* members that were expected */
	struct tf_package_dir *dirs; /* directories that have pages */
	size_t n_dirs, cap_dirs;
};

/* --- members -------------------------------------------------------------------- */

static void
about_member(struct tf_audit *a, enum tf_check l, const char *name,
    const char *text)
{
	tf_audit_finding(a, l, UINT64_MAX,
	    (struct tf_str){ name, strlen(name) }, "%s", text);
}

static void
remark(struct tf_audit *a, enum tf_grade grade, const char *name,
    const char *text)
{
	tf_audit_remark(a, TF_CHECK_PACKAGE, grade,
	    (struct tf_str){ name, strlen(name) }, text);
}

/* Find a member and mark it as expected.  A missing member is a finding, and
 * false. */
static bool
expect(struct tf_audit *a, enum tf_check l, const char *name, size_t *i)
{
	struct package *k = a->self;

	if (tf_archive_find(k->z, name, i)) {
		k->seen[*i] = true;
		return true;
	}
	about_member(a, l, name, "is missing from the package");
	return false;
}

static bool
load(struct tf_audit *a, enum tf_check l, const char *name, size_t max,
    struct tf_buf *out)
{
	struct package *k = a->self;
	struct tf_error e = { .code = TF_OK };
	size_t i;

	if (!expect(a, l, name, &i))
		return false;
	if (tf_archive_load(k->r, i, max, out, &e) == TF_OK)
		return true;
	tf_audit_trouble(a, l, UINT64_MAX,
	    (struct tf_str){ name, strlen(name) }, "", &e);
	return false;
}

/* Check that a member has exactly these bytes. */
static void
must_be(struct tf_audit *a, const char *name, const struct tf_buf *want)
{
	struct tf_buf have = { 0 };

	if (want->failed)
		tf_audit_no_memory(a);
	else if (load(a, TF_CHECK_PACKAGE, name, TEXT_MAX + want->n, &have) &&
	    !tf_str_same(tf_buf_bytes(&have), tf_buf_bytes(want)))
		about_member(a, TF_CHECK_PACKAGE, name,
		    "says something else than the entries");
	tf_buf_free(&have);
}

/* --- proofs ----------------------------------------------------------------------- */

static const char *
wrong_proof(struct tf_audit *a, const struct tf_tlog_proof *p, uint64_t idx,
    const struct tf_hash *leaf)
{
	struct package *k = a->self;
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

static enum tf_code
prove(struct tf_audit *a, uint64_t idx, struct tf_str path,
    const struct tf_hash *leaf, struct tf_error *err)
{
	struct package *k = a->self;
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
	if (load(a, TF_CHECK_TREE, name.p, PROOF_MAX, &text)) {
		if (tf_tlog_proof_parse(tf_buf_bytes(&text).p, text.n, &p,
			&e) != TF_OK)
			tf_audit_trouble(a, TF_CHECK_TREE, UINT64_MAX,
			    (struct tf_str){ name.p, strlen(name.p) },
			    "is malformed", &e);
		else if ((wrong = wrong_proof(a, &p, idx, leaf)) != NULL)
			about_member(a, TF_CHECK_TREE, name.p, wrong);
		tf_tlog_proof_free(&p);
	}
	tf_buf_free(&name);
	tf_buf_free(&text);
	return TF_OK;
}

/* --- evidence --------------------------------------------------------------------- */

static enum tf_code
begin(void *arg, void **self, struct tf_error *err)
{
	struct package *k = arg;
	struct tf_archive_reader *r;
	enum tf_code rc = tf_archive_reader_new(k->z, &r, err);

	*self = r;
	return rc;
}

static void
end_thread(void *self)
{
	tf_archive_reader_free(self);
}

static enum tf_code
hash(void *arg, void *self, const struct tf_task *t, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	struct package *k = arg;
	struct tf_archive_member m;
	enum tf_code rc = tf_archive_read(self, t->object, NULL, NULL, h, err);

	tf_archive_member(k->z, t->object, &m);
	*size = m.size;
	if (rc != TF_TAMPER)
		return rc;
	memset(h, 0, sizeof(*h)); /* no file has this digest */
	return TF_OK;
}

/* Entry e sealed a file: check that the package has its bytes. */
static enum tf_code
created(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct package *k = a->self;
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
	if (!there) {
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "missing from the package");
		return TF_OK;
	}
	k->seen[i] = true;
	k->f.files++;
	k->f.bytes += e->content.size;
	tf_archive_member(k->z, i, &m);
	if (m.size != e->content.size) { /* do not unpack it */
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "altered: its size is not that of the entry");
		return TF_OK;
	}
	if (memcmp(&m.sha256, &e->content.sha256, sizeof(m.sha256)) != 0)
		tf_audit_finding(a, TF_CHECK_PACKAGE, e->seq, e->path,
		    "the manifest has another digest than the entry");
	return tf_audit_content(a, e->seq, e->path, i, &e->content, err);
}

/* --- statements -------------------------------------------------------------------- */

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
	struct package *k = a->self;
	struct tf_archive_member m;
	struct tf_buf name = { 0 }, b = { 0 };
	size_t i;

	tf_buf_add(&name, dir->p, dir->n);
	tf_buf_add(&name, TF_PACKAGE_SUMS, sizeof(TF_PACKAGE_SUMS));
	if (name.failed)
		tf_audit_no_memory(a);
	else if (tf_archive_find(k->z, name.p, &i) &&
	    load(a, TF_CHECK_PACKAGE, name.p, STATEMENT_MAX, &b)) {
		tf_archive_member(k->z, i, &m);
		if (memcmp(&m.sha256, &e->evidence_sums, sizeof(m.sha256)) != 0)
			about_member(a, TF_CHECK_CONTENTS, name.p,
			    "is not the list that was sealed");
	}
	tf_buf_free(&name);
	tf_buf_free(&b);
}

static enum tf_code
payload(struct tf_audit *a, const struct tf_entry *e, struct tf_buf *out,
    struct tf_error *err)
{
	struct package *k = a->self;
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

/* --- entries ------------------------------------------------------------------------- */

/* Set k->stored to the name of the evidence of e in the package. */
static enum tf_code
name_evidence(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct package *k = a->self;
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

/* Keep d until all names are assigned, as core/package/package.c does. */
static enum tf_code
add_dir(struct package *k, const struct tf_package_dir *d, struct tf_error *err)
{
	size_t cap = k->cap_dirs == 0 ? 16 : k->cap_dirs * 2;
	char *path;
	void *p;

	if (k->n_dirs == k->cap_dirs) {
		if ((p = realloc(k->dirs, cap * sizeof(*k->dirs))) == NULL)
			return tf_nomem(err);
		k->dirs = p;
		k->cap_dirs = cap;
	}
	if ((path = strndup(d->path.p, d->path.n)) == NULL)
		return tf_nomem(err);
	k->dirs[k->n_dirs] = *d;
	k->dirs[k->n_dirs++].path.p = path;
	return TF_OK;
}

static enum tf_code
one_line(struct tf_audit *a, const char *p, size_t n, struct tf_error *err)
{
	struct package *k = a->self;
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
		if (d.e.type == TF_EVIDENCE_SEALED)
			rc = name_evidence(a, &d.e, err);
		if (rc == TF_OK && tf_package_dir_of(&k->p, &d.e, &dir))
			rc = add_dir(k, &dir, err);
		if (d.e.type == TF_LEDGER_OPENED)
			(void)snprintf(k->attester, sizeof(k->attester), "%.*s",
			    (int)d.e.key_attester.n, d.e.key_attester.p);
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
	struct package *k = a->self;
	const char *at, *end;
	size_t left;
	enum tf_code rc = TF_OK;

	tf_buf_add(&k->line, p, n);
	if (k->line.failed)
		return tf_nomem(err);
	at = k->line.p;
	left = k->line.n;
	while (rc == TF_OK && (end = memchr(at, '\n', left)) != NULL) {
		rc = one_line(a, at, (size_t)(end - at), err);
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
entries(struct tf_audit *a, struct tf_error *err)
{
	struct package *k = a->self;
	struct tf_error e = { .code = TF_OK };
	struct tf_archive_reader *r;
	struct tf_archive_member m;
	struct tf_hash h;
	enum tf_code rc;
	size_t i;

	if (!expect(a, TF_CHECK_ENTRIES, TF_PACKAGE_EVENTS, &i))
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
		about_member(a, TF_CHECK_ENTRIES, TF_PACKAGE_EVENTS,
		    "its last line is cut");
	if (memcmp(&h, &m.sha256, sizeof(h)) != 0)
		about_member(a, TF_CHECK_PACKAGE, TF_PACKAGE_EVENTS,
		    "altered: its bytes are not those of the manifest");
	return TF_OK;
}

/* --- descriptions ------------------------------------------------------------------- */

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

/* Check a page against the manifest.  The limit on its size grows with the
 * number of members: a larger page only serves to fill an auditor's disk. */
static bool
check_digest(struct tf_audit *a, const struct tf_archive_member *m, size_t i)
{
	struct package *k = a->self;
	struct tf_error e = { .code = TF_OK };
	struct tf_hash h;

	if (m->size > TEXT_MAX + tf_archive_count(k->z) * ABOUT_A_FILE_MAX)
		about_member(a, TF_CHECK_PACKAGE, m->name,
		    "is longer than it can be");
	else if (tf_archive_read(k->r, i, pass_over, NULL, &h, &e) != TF_OK)
		tf_audit_trouble(a, TF_CHECK_PACKAGE, UINT64_MAX,
		    (struct tf_str){ m->name, strlen(m->name) }, "", &e);
	else if (memcmp(&h, &m->sha256, sizeof(h)) != 0)
		about_member(a, TF_CHECK_PACKAGE, m->name,
		    "altered: its bytes are not those of the manifest");
	else
		return true;
	return false;
}

/* Check the page called name, if the package has it.  text is what this version
 * of trailfs writes there, NULL if that is unknown. */
static void
check_reading(struct tf_audit *a, const char *name, const char *text)
{
	struct package *k = a->self;
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
	if (check_digest(a, &m, i) &&
	    (text == NULL || memcmp(&h, &m.sha256, sizeof(h)) != 0))
		remark(a, TF_GRADE_UNPROVEN, name,
		    text == NULL ?
			"unproven: no signature covers what it says" :
			"unproven: not the text of this version");
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
	struct package *k = a->self;
	enum tf_code rc = TF_OK;

	check_reading(a, TF_PACKAGE_README, tf_package_readme);
	check_reading(a, TF_PACKAGE_SCRIPT, tf_package_script);
	for (size_t i = 0; rc == TF_OK && i < k->n_dirs; i++)
		rc = tf_package_texts(&k->p, k->names, &k->dirs[i], one_text, a,
		    err);
	return rc;
}

static void
check_rest(struct tf_audit *a)
{
	struct package *k = a->self;
	struct tf_archive_member m;

	for (size_t i = 0; i < tf_archive_count(k->z); i++) {
		tf_archive_member(k->z, i, &m);
		if (k->seen[i] || is_manifest(m.name))
			continue;
		if (m.missing)
			remark(a, TF_GRADE_BESIDE, m.name,
			    "is listed in a manifest, and not there");
		else if (!m.listed)
			remark(a, TF_GRADE_BESIDE, m.name,
			    "is not of the package: no manifest lists it");
		else if (strncmp(m.name, TF_PACKAGE_DATA,
			     strlen(TF_PACKAGE_DATA)) == 0)
			about_member(a, TF_CHECK_NAMES, m.name,
			    "no entry speaks of it");
		else
			about_member(a, TF_CHECK_PACKAGE, m.name,
			    "does not belong into a package: no entry speaks "
			    "of it");
	}
}

static void
check_keys(struct tf_audit *a)
{
	struct package *k = a->self;
	struct tf_buf vkey = { 0 }, pem = { 0 }, attester = { 0 };
	uint8_t der[TF_SPKI_LEN];
	struct tf_pubkey pub;

	tf_vkey_text(&a->vkey, &vkey);
	tf_buf_str(&vkey, "\n");
	must_be(a, TF_PACKAGE_VKEY, &vkey);
	tf_pubkey_pem(&a->vkey.pub, &pem);
	must_be(a, TF_PACKAGE_PEM, &pem);
	if (tf_unbase64_exact(k->attester, strlen(k->attester), der,
		sizeof(der))) {
		memcpy(pub.b, der + TF_SPKI_LEN - TF_PUBKEY_LEN, sizeof(pub.b));
		tf_pubkey_pem(&pub, &attester);
	}
	must_be(a, TF_PACKAGE_ATTESTER, &attester);
	tf_buf_free(&vkey);
	tf_buf_free(&pem);
	tf_buf_free(&attester);
}

static void
check_top(struct tf_audit *a)
{
	struct package *k = a->self;
	struct tf_buf top = { 0 };
	const char *why;
	enum tf_archive_form form = tf_archive_form(k->z, &why);

	if (form == TF_ARCHIVE_REPACKED)
		remark(a, TF_GRADE_BESIDE, "",
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
		about_member(a, TF_CHECK_PACKAGE, tf_archive_top(k->z),
		    "the package is called otherwise than what it is about");
	tf_buf_free(&top);
}

static enum tf_code
count_open(void *arg, const struct tf_replay_dir *d, struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct package *k = a->self;

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

static enum tf_code
end(struct tf_audit *a, struct tf_error *err)
{
	struct package *k = a->self;
	struct tf_buf b = { 0 };
	enum tf_code rc;

	a->r->cut = k->p.has_since || k->p.has_until;
	a->r->may_be_repeated = k->p.kind == TF_KIND_ATTESTATION;
	rc = tf_replay_each(a->replay, count_open, a, err);
	if (rc != TF_OK)
		return rc;
	k->f.p = &k->p;
	k->f.head = a->head;
	tf_package_bag_info(&k->f, &b);
	must_be(a, TF_PACKAGE_INFO, &b);
	b.n = 0;
	rc = tf_package_json(&k->f, &b, err);
	if (rc == TF_OK)
		must_be(a, TF_PACKAGE_JSON, &b);
	b.n = 0;
	tf_buf_str(&b, tf_package_bagit);
	must_be(a, TF_PACKAGE_BAGIT, &b);
	if (k->renamed.n > 0)
		must_be(a, TF_PACKAGE_NAMES, &k->renamed);
	check_keys(a);
	check_top(a);
	if (rc == TF_OK)
		rc = check_pages(a, err);
	/* After an error some expected members are not marked as seen. */
	if (rc == TF_OK && tf_audit_able(a, NULL) == TF_OK)
		check_rest(a);
	tf_buf_free(&b);
	return rc;
}

static const struct tf_source source = {
	.entries = entries,
	.prove = prove,
	.created = created,
	.payload = payload,
	.end = end,
};

/* --- around it -------------------------------------------------------------------------- */

/* Read the members that the rest of the audit depends on. */
static enum tf_code
read_first(struct package *k, struct tf_error *err)
{
	static const struct {
		const char *name;
		size_t buf;
	} files[] = {
		{ TF_PACKAGE_CHECKPOINT, offsetof(struct package, note) },
		{ TF_PACKAGE_VKEY, offsetof(struct package, vkey) },
		{ TF_PACKAGE_JSON, offsetof(struct package, line) },
	};
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = TF_OK;
	size_t i;

	for (size_t f = 0; f < sizeof(files) / sizeof(*files); f++) {
		if (!tf_archive_find(k->z, files[f].name, &i))
			return tf_fail(err, TF_TAMPER, "it has no %s",
			    files[f].name);
		k->seen[i] = true;
		rc = tf_archive_load(k->r, i, TEXT_MAX,
		    (struct tf_buf *)((char *)k + files[f].buf), &e);
		if (rc != TF_OK)
			return tf_fail(err, rc, "%s %.100s", files[f].name,
			    e.text);
	}
	rc = tf_package_json_read(&k->line, &k->q, &k->f.format, &k->text, err);
	k->line.n = 0;
	if (rc == TF_OK && tf_package_place(&k->q, &k->p, err) != TF_OK)
		rc = tf_fail(err, TF_TAMPER,
		    TF_PACKAGE_JSON " names no trail, workflow or attestation");
	return rc;
}

static enum tf_code
open_package(struct package *k, const char *file, struct tf_error *err)
{
	enum tf_code rc = tf_archive_open_any(file, &k->z, err);

	if (rc == TF_OK)
		rc = tf_archive_reader_new(k->z, &k->r, err);
	if (rc != TF_OK)
		return rc;
	k->seen = calloc(tf_archive_count(k->z), sizeof(*k->seen));
	if (k->seen == NULL)
		return tf_nomem(err);
	if ((rc = read_first(k, err)) != TF_OK)
		return rc;
	k->names = tf_package_names_new(k->f.format);
	return k->names != NULL ? TF_OK : tf_nomem(err);
}

/* Set *yes if the package has another origin than the given key.  k->vkey then
 * holds the key of the package as a string.  A package with the same origin and
 * another key is a forgery: it is checked with the given key and fails. */
static enum tf_code
is_foreign(struct package *k, const char *given, bool *yes,
    struct tf_error *err)
{
	struct tf_vkey mine, its;
	enum tf_code rc = tf_vkey_parse(given, strcspn(given, "\n"), &mine,
	    err);

	if (rc != TF_OK)
		return rc;
	if (k->vkey.n == 0 || k->vkey.p[k->vkey.n - 1] != '\n' ||
	    tf_vkey_parse(k->vkey.p, k->vkey.n - 1, &its, NULL) != TF_OK)
		return tf_fail(err, TF_TAMPER, TF_PACKAGE_VKEY " is malformed");
	k->vkey.p[k->vkey.n - 1] = '\0';
	*yes = strcmp(mine.name, its.name) != 0;
	return TF_OK;
}

/* Report a package that cannot be opened as one finding. */
static void
refused(const struct tf_verify *v, struct tf_report *r,
    const struct tf_error *why)
{
	struct tf_finding f = { .check = TF_CHECK_PACKAGE,
		.seq = UINT64_MAX,
		.path = "",
		.text = why->text };

	memset(r, 0, sizeof(*r));
	for (int l = 0; l < TF_CHECKS; l++)
		r->check[l] = TF_VERDICT_ABSENT;
	r->check[TF_CHECK_PACKAGE] = TF_VERDICT_FAILED;
	r->pinned = true;
	r->findings = 1;
	if (v->found != NULL)
		v->found(v->arg, &f);
}

static enum tf_code
run(struct tf_audit *a, struct tf_error *err)
{
	struct package *k = a->self;
	struct tf_pool_work w = { .begin = begin,
		.end = end_thread,
		.hash = hash,
		.arg = k };
	enum tf_code rc = tf_pool_new(&w, a->v->threads, &a->pool, err);

	if (rc != TF_OK)
		return rc;
	a->source = &source;
	a->r->check[TF_CHECK_PACKAGE] = TF_VERDICT_OK;
	a->r->check[TF_CHECK_TILES] = TF_VERDICT_ABSENT;
	tf_audit_head(a, tf_buf_bytes(&k->note));
	if (a->head_good)
		tf_audit_held_alone(a);
	return tf_audit_run(a, err);
}

static struct tf_str
text(const char *s)
{
	return s == NULL ? (struct tf_str){ NULL, 0 } :
			   (struct tf_str){ s, strlen(s) };
}

static void
tell_about(const struct package *k, const struct tf_verify *v)
{
	const struct tf_about s = { .seq = UINT64_MAX,
		.path = k->p.path,
		.since = text(k->q.since),
		.until = text(k->q.until) };

	if (v->about != NULL)
		v->about(v->arg, &s);
}

static enum tf_code
check(struct package *k, const struct tf_verify *v, struct tf_report *report,
    struct tf_error *err)
{
	struct tf_verify own = *v;
	struct tf_audit *a = NULL;
	bool foreign = false;
	enum tf_code rc = is_foreign(k, v->vkey, &foreign, err);

	if (rc != TF_OK)
		return rc;
	if (foreign) { /* the earlier checkpoint is of the other log */
		own.vkey = k->vkey.p;
		own.earlier.p = NULL;
	}
	rc = tf_audit_new(&own, NULL, report, &a, err);
	if (rc == TF_OK) {
		a->self = k;
		report->foreign = foreign;
		report->pinned = !foreign;
		tell_about(k, v);
		rc = run(a, err);
	}
	tf_audit_free(a); /* first: its threads use the package */
	return rc;
}

enum tf_code
tf_verify_package(const char *file, const struct tf_verify *v,
    struct tf_report *report, struct tf_error *err)
{
	struct package k = { .z = NULL };
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc;

	if (v->vkey == NULL)
		return tf_fail(err, TF_USAGE,
		    "the log's key is needed: it is "
		    "never learned from what is "
		    "being checked");
	if ((rc = open_package(&k, file, &e)) == TF_OK)
		rc = check(&k, v, report, &e);
	if (rc == TF_TAMPER) {
		refused(v, report, &e);
		rc = TF_OK;
	} else if (rc != TF_OK) {
		rc = tf_fail_as(err, &e);
	}
	tf_archive_reader_free(k.r);
	tf_archive_close(k.z);
	tf_package_names_free(k.names);
	tf_buf_free(&k.text);
	tf_buf_free(&k.note);
	tf_buf_free(&k.vkey);
	tf_buf_free(&k.line);
	tf_buf_free(&k.stored);
	tf_buf_free(&k.renamed);
	for (size_t i = 0; i < k.n_dirs; i++)
		free((char *)k.dirs[i].path.p);
	free(k.dirs);
	free(k.seen);
	return rc;
}

bool
tf_package_is(const char *file)
{
	char magic[4] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool yes = fd >= 0 && pread(fd, magic, 4, 0) == 4 &&
	    memcmp(magic, "PK\3\4", 4) == 0;

	if (fd >= 0)
		(void)close(fd);
	return yes;
}
