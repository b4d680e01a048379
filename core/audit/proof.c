/*
 * The audit of one C2SP tlog-proof, with the file of its entry.
 *
 * A proof carries its entry, an inclusion path (RFC 6962, section 2.1.1) and a
 * signed checkpoint, so one entry can be checked without the rest of the log.
 * It cannot show that the log has no other entry about the same file, nor that
 * names and attestations follow the rules: those checks are ABSENT.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/merkle.h"
#include "../ledger/proof.h"
#include "../verify.h"
#include "audit.h"
#include "file.h"
#include "findings.h"
#include "quorum.h"

/* A proof says nothing about these. */
static void
others_absent(struct tf_report *r)
{
	r->check[TF_CHECK_CONTENTS] = TF_VERDICT_ABSENT;
	r->check[TF_CHECK_NAMES] = TF_VERDICT_ABSENT;
	r->check[TF_CHECK_TILES] = TF_VERDICT_ABSENT;
}

/* Compare the bytes of the file with the digest in the entry. */
static enum tf_code
check_file(struct tf_audit *a, const struct tf_entry *e, const char *file,
    struct tf_error *err)
{
	struct tf_hash h;
	uint64_t size;
	enum tf_code rc;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", file,
		    strerror(errno));
	rc = tf_audit_hash(fd, &e->content, NULL, &h, &size, err);
	(void)close(fd);
	if (rc != TF_OK)
		return rc;
	a->r->check[TF_CHECK_CONTENTS] = TF_VERDICT_OK;
	a->r->files = 1;
	a->r->bytes = size == e->content.size ? size : 0;
	if (e->type != TF_EVIDENCE_SEALED)
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "the proof is of an entry about no file");
	else if (size != e->content.size ||
	    memcmp(&h, &e->content.sha256, sizeof(h)) != 0)
		tf_audit_bytes(a, TF_GRADE_WRONG, e->seq, e->path, &e->content,
		    &(struct tf_content){ h, size },
		    "altered: the file is not the one that was sealed");
	return TF_OK;
}

static void
tell_about(const struct tf_audit *a, const struct tf_entry *e)
{
	char at[TF_TIME_LEN + 1], when[TF_TIME_LEN + 1];
	struct tf_about s = { .path = e->path,
		.seq = e->seq,
		.type = e->type_name,
		.actor = e->actor,
		.at = at,
		.when = when,
		.origin = e->origin,
		.has_content = e->has_content,
		.sha256 = e->content.sha256,
		.size = e->content.size };

	tf_time_text(e->at, at);
	tf_time_text(tf_entry_when(e, &s.moved), when);
	if (a->v->about != NULL)
		a->v->about(a->v->arg, &s);
}

/*
 * True if the entry states the index of the proof and belongs to this log.  A
 * recovered log continues under a new origin, and its older entries keep the
 * old origin.  They belong to this log if its key signs a tree that holds them
 * at this index: included.
 */
static bool
in_its_place(const struct tf_audit *a, const struct tf_tlog_proof *p,
    const struct tf_entry *e, bool included)
{
	return e->seq == p->index &&
	    (included ||
		(e->origin.n == strlen(a->vkey.name) &&
		    memcmp(e->origin.p, a->vkey.name, e->origin.n) == 0));
}

/* Decode the entry and compare its file, but only if the entry is in its place:
 * otherwise the file would be measured with the entry of another log. */
static enum tf_code
check_entry(struct tf_audit *a, const struct tf_tlog_proof *p, const char *file,
    bool included, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_error why = { .code = TF_OK };
	enum tf_code rc = TF_OK;

	if (tf_entry_decode(&d, p->extra.p, p->extra.n, &why) != TF_OK) {
		tf_audit_trouble(a, TF_CHECK_ENTRIES, p->index, tf_nowhere,
		    "malformed", &why);
	} else {
		tell_about(a, &d.e);
		if (!in_its_place(a, p, &d.e, included))
			tf_audit_finding(a, TF_CHECK_ENTRIES, p->index,
			    d.e.path,
			    "the entry belongs to another place or ledger");
		else if (file != NULL)
			rc = check_file(a, &d.e, file, err);
	}
	a->r->newer = d.e.v > TF_ENTRY_VERSION;
	a->r->unknown = d.e.v == TF_ENTRY_VERSION &&
	    d.e.type == TF_TYPE_UNKNOWN;
	tf_entry_decoded_free(&d);
	a->r->entries = 1;
	return rc;
}

/* True if the entry is in the tree whose root the key signed. */
static bool
check_inclusion(struct tf_audit *a, const struct tf_tlog_proof *p)
{
	struct tf_hash leaf;
	bool included;

	if (!a->head_good) {
		a->r->check[TF_CHECK_TREE] = TF_VERDICT_ABSENT;
		return false;
	}
	tf_entry_leaf(p->extra.p, p->extra.n, &leaf);
	included = tf_merkle_check_inclusion(p->index, a->head.size, &leaf,
		       p->path.h, p->path.n, &a->head.root) == TF_OK;
	if (!included)
		tf_audit_finding(a, TF_CHECK_TREE, p->index, tf_nowhere,
		    "the entry is not in the tree of the checkpoint");
	tf_audit_held_alone(a);
	return included;
}

enum tf_code
tf_verify_proof(const char *text, size_t n, const char *file,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err)
{
	struct tf_tlog_proof p;
	struct tf_audit *a = NULL;
	enum tf_code rc;

	rc = tf_tlog_proof_parse(text, n, &p, err);
	if (rc == TF_OK && p.extra.n == 0)
		rc = tf_fail(err, TF_INVALID,
		    "the proof does not carry its entry");
	if (rc == TF_OK)
		rc = tf_audit_new(v, NULL, report, &a, err);
	if (rc == TF_OK) {
		others_absent(report);
		rc = tf_audit_learn(a, p.extra.p, p.extra.n, err);
	}
	if (rc == TF_OK)
		rc = tf_audit_earlier(a, err);
	if (rc == TF_OK) {
		tf_audit_head(a, p.note);
		rc = check_entry(a, &p, file, check_inclusion(a, &p), err);
		tf_quorum_count_end(a);
		if (rc == TF_OK)
			rc = tf_audit_able(a, err);
	}
	tf_audit_free(a);
	tf_tlog_proof_free(&p);
	return rc;
}
