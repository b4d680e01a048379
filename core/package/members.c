/*
 * The list of the members of a package, its texts, proofs and manifests.
 *
 * The list is complete, with the digest of each member, before the first byte
 * of the archive is written: the manifests are members themselves.  Texts wait
 * in a scratch file and not in memory, as a trail has one proof per entry.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../archive/format.h"
#include "../base/array.h"
#include "../base/crypto.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../ledger/proof.h"
#include "../ledger/sums.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "members.h"
#include "scratch.h"

/* Only a package that is read through a mount can be told to stop; trailctl
 * ends with its process. */
enum tf_code
tf_package_check_stop(const struct tf_package_maker *k, struct tf_error *err)
{
	return k->stop != NULL && atomic_load(k->stop) ?
	    tf_fail(err, TF_BUSY, "trailfs is stopping") :
	    TF_OK;
}

enum tf_code
tf_package_new_member(struct tf_package_maker *k, const char *const *parts,
    struct tf_package_member **out, struct tf_error *err)
{
	struct tf_buf b = { 0 };

	if (!tf_array_room(&k->m, k->n, &k->cap, sizeof(*k->m)))
		return tf_nomem(err);
	tf_buf_add(&b, k->top.p, k->top.n);
	for (; *parts != NULL; parts++)
		tf_buf_str(&b, *parts);
	tf_buf_add(&b, "", 1);
	if (b.failed) {
		tf_buf_free(&b);
		return tf_nomem(err);
	}
	*out = &k->m[k->n++];
	memset(*out, 0, sizeof(**out));
	(*out)->zip.name = b.p;
	return TF_OK;
}

enum tf_code
tf_package_add_text(struct tf_package_maker *k, const char *const *parts,
    const void *p, size_t n, struct tf_error *err)
{
	struct tf_package_member *m;
	enum tf_code rc = tf_package_new_member(k, parts, &m, err);

	if (rc != TF_OK)
		return rc;
	m->from = TF_FROM_TEXTS;
	m->at = k->texts.end;
	m->zip.size = n;
	m->zip.deflate = n >= TF_DEFLATE_MIN;
	tf_sha256(n == 0 ? "" : p, n, &m->sha256);
	return tf_scratch_add(&k->texts, p, n, err);
}

enum tf_code
tf_package_add_buf(struct tf_package_maker *k, const char *const *parts,
    struct tf_buf *b, struct tf_error *err)
{
	enum tf_code rc = b->failed ?
	    tf_nomem(err) :
	    tf_package_add_text(k, parts, b->p, b->n, err);

	tf_buf_free(b);
	return rc;
}

/* Proofs are for the tree of the checkpoint in the package, and each repeats
 * its note, so that a single proof can be verified without the package. */
enum tf_code
tf_package_add_proof(struct tf_package_maker *k, uint64_t seq,
    struct tf_str body, const char *where, const char *name,
    struct tf_error *err)
{
	struct tf_proof path;
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_merkle_inclusion(seq, k->f.head.size,
	    tf_tiles_read, k->db, &path, err);

	if (rc != TF_OK)
		return rc;
	tf_tlog_proof_write(&b, seq, &path, body,
	    (struct tf_str){ k->note.p, k->note.n });
	return tf_package_add_buf(k,
	    TF_PACKAGE_NAME(where, name, TF_PACKAGE_PROOF), &b, err);
}

/* Byte order of names, which the strict profile requires. */
static int
by_member(const void *a, const void *b)
{
	const struct tf_package_member *x = a, *y = b;

	return strcmp(x->zip.name, y->zip.name);
}

void
tf_package_sort_members(struct tf_package_maker *k)
{
	qsort(k->m, k->n, sizeof(*k->m), by_member);
}

/* Lines are in the order of the archive; the verifier compares both in one
 * walk. */
enum tf_code
tf_package_add_manifest(struct tf_package_maker *k, const char *name,
    bool payload, struct tf_error *err)
{
	const size_t data = strlen(TF_PACKAGE_DATA);
	struct tf_buf b = { 0 };
	const char *rel;

	tf_package_sort_members(k);
	for (size_t i = 0; i < k->n; i++) {
		rel = k->m[i].zip.name + k->top.n;
		if ((strncmp(rel, TF_PACKAGE_DATA, data) == 0) == payload)
			tf_sums_line(&b, &k->m[i].sha256, rel, strlen(rel));
	}
	return tf_package_add_buf(k, TF_PACKAGE_NAME(name), &b, err);
}
