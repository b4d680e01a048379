/*
 * What passes between a log and a witness (C2SP tlog-witness), and what the
 * witness decides: see witness.h.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../witness.h"
#include "checkpoint.h"
#include "cosign.h"
#include "merkle.h"
#include "name.h"
#include "tilepath.h"

#define OLD "old "

enum tf_code
tf_witness_head_of(struct tf_str note, struct tf_witness_head *out,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_note parts;
	enum tf_code rc = tf_checkpoint_parse(note.p, note.n, &parts, &c, err);

	if (rc != TF_OK)
		return rc;
	memcpy(out->origin, c.origin, sizeof(out->origin));
	out->size = c.size;
	out->root = c.root;
	return TF_OK;
}

/* --- made by the log ------------------------------------------------------- */

struct tiles {
	tf_witness_tile tile;
	void *arg;
};

static enum tf_code
get(void *arg, unsigned level, uint64_t n, unsigned width, struct tf_hash *out,
    struct tf_error *err)
{
	struct tiles *t = arg;
	struct tf_buf b = { 0 };
	char path[TF_TILE_PATH_MAX];
	enum tf_code rc;

	tf_tile_path(level, n, width, path);
	rc = t->tile(t->arg, path, level, n, width, &b, err);
	if (rc == TF_OK && b.n < width * sizeof(*out))
		rc = tf_fail(err, TF_TAMPER, "%s is too short", path);
	if (rc == TF_OK)
		memcpy(out, b.p, width * sizeof(*out));
	tf_buf_free(&b);
	return rc;
}

enum tf_code
tf_witness_request_make(uint64_t old, struct tf_str note, tf_witness_tile tile,
    void *arg, struct tf_buf *out, struct tf_error *err)
{
	struct tiles tiles = { tile, arg };
	struct tf_proof proof = { .n = 0 };
	struct tf_witness_head head;
	enum tf_code rc;

	if ((rc = tf_witness_head_of(note, &head, err)) != TF_OK)
		return rc;
	if (old > head.size)
		return tf_fail(err, TF_TAMPER,
		    "the log has %llu entries and had %llu before",
		    (unsigned long long)head.size, (unsigned long long)old);
	if (old > 0 && old < head.size)
		rc = tf_merkle_consistency(old, head.size, get, &tiles, &proof,
		    err);
	if (rc != TF_OK)
		return rc;
	tf_buf_printf(out, OLD "%llu\n", (unsigned long long)old);
	for (unsigned i = 0; i < proof.n; i++) {
		tf_base64(out, proof.h[i].b, sizeof(proof.h[i].b));
		tf_buf_str(out, "\n");
	}
	tf_buf_str(out, "\n");
	tf_buf_add(out, note.p, note.n);
	return tf_buf_end(out, err);
}

/* --- read by the witness --------------------------------------------------- */

/* Read "old SIZE", the hashes and the empty line; what is left is the note. */
static bool
parse_lines(struct tf_str *rest, struct tf_witness_request *r)
{
	struct tf_str line;
	size_t old = strlen(OLD);

	if (!tf_note_take(rest, &line) || line.n < old ||
	    memcmp(line.p, OLD, old) != 0 ||
	    !tf_decimal(line.p + old, line.n - old, INT64_MAX, &r->old))
		return false;
	for (r->hashes = 0; tf_note_take(rest, &line); r->hashes++) {
		if (line.n == 0)
			return true;
		if (r->hashes == TF_WITNESS_PROOF_MAX ||
		    !tf_unbase64_exact(line.p, line.n, r->proof[r->hashes].b,
			sizeof(r->proof[r->hashes].b)))
			return false;
	}
	return false;
}

enum tf_code
tf_witness_request_parse(struct tf_str body, struct tf_witness_request *out,
    struct tf_error *err)
{
	enum tf_code rc;

	out->note = body;
	if (body.n > TF_WITNESS_REQUEST_MAX || !parse_lines(&out->note, out))
		return tf_fail(err, TF_INVALID, "malformed request");
	if ((rc = tf_witness_head_of(out->note, &out->head, err)) != TF_OK)
		return rc;
	if (out->old > out->head.size)
		return tf_fail(err, TF_INVALID,
		    "the old size is larger than the checkpoint's");
	return TF_OK;
}

/* The root of the log as the proof makes it follow from the old one. */
static bool
is_consistent(const struct tf_witness_request *r,
    const struct tf_hash *last_root)
{
	struct tf_hash empty;

	if (r->old == 0 && r->head.size > 0)
		return r->hashes == 0;
	if (r->old == 0) {
		tf_sha256("", 0, &empty);
		last_root = &empty;
	}
	if (r->old == r->head.size)
		return r->hashes == 0 &&
		    memcmp(last_root, &r->head.root, sizeof(*last_root)) == 0;
	return tf_merkle_check_consistency(r->old, r->head.size, last_root,
		   &r->head.root, r->proof, r->hashes) == TF_OK;
}

enum tf_witness_status
tf_witness_judge(const struct tf_witness_request *r, uint64_t last_size,
    const struct tf_hash *last_root)
{
	if (r->old != last_size)
		return TF_WITNESS_OTHER_SIZE;
	return is_consistent(r, last_root) ? TF_WITNESS_COSIGNED :
					     TF_WITNESS_INCONSISTENT;
}

bool
tf_witness_is_conflict(const struct tf_witness_request *r, uint64_t last_size,
    const struct tf_hash *last_root)
{
	return last_size > 0 &&
	    (r->old == last_size || r->head.size == last_size) &&
	    tf_merkle_proves_other(last_size, r->head.size, last_root,
		&r->head.root, r->proof, r->hashes);
}

static enum tf_code
parse_key(struct tf_str vkey, struct tf_vkey *k, struct tf_error *err)
{
	if (vkey.n > 0 && vkey.p[vkey.n - 1] == '\n')
		vkey.n--;
	return tf_vkey_parse(vkey.n > 0 ? vkey.p : "", vkey.n, k, err);
}

enum tf_code
tf_witness_check_log(struct tf_str note, struct tf_str vkey,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_vkey k;
	enum tf_code rc = parse_key(vkey, &k, err);

	return rc != TF_OK ? rc :
			     tf_checkpoint_check(note.p, note.n, &k, &c, err);
}

enum tf_code
tf_witness_keep(struct tf_str note, struct tf_str vkey, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_note_line line;
	struct tf_note parts;
	struct tf_vkey k;
	enum tf_code rc = parse_key(vkey, &k, err);

	if (rc != TF_OK)
		return rc;
	if (!tf_note_split(note.p, note.n, &parts))
		return tf_fail(err, TF_INVALID, "checkpoint: malformed");
	tf_buf_add(out, parts.body.p, parts.body.n);
	tf_buf_str(out, "\n");
	while (tf_note_next(&parts.lines, &line))
		if (tf_note_by(&line, &k)) {
			tf_buf_add(out, line.whole.p, line.whole.n);
			tf_buf_str(out, "\n");
		}
	return tf_buf_end(out, err);
}

enum tf_code
tf_witness_cosign(const struct tf_key *key, const char *name, uint64_t time,
    struct tf_str note, struct tf_buf *out, struct tf_error *err)
{
	struct tf_note parts;

	if (!tf_note_split(note.p, note.n, &parts))
		return tf_fail(err, TF_INVALID, "checkpoint: malformed");
	return tf_cosign_line(key, name, time, parts.body, out, err);
}

enum tf_code
tf_witness_vkey(const struct tf_key *key, const char *name, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_pubkey pub;
	struct tf_vkey k;

	if (strlen(name) > TF_ORIGIN_MAX || !tf_origin_ok(name, strlen(name)))
		return tf_fail(err, TF_INVALID,
		    "the name of a witness has only A-Za-z0-9._~:/- (1 to %d)",
		    TF_ORIGIN_MAX);
	tf_key_public(key, &pub);
	tf_cosign_vkey_make(&k, name, &pub);
	tf_vkey_text(&k, out);
	return tf_buf_end(out, err);
}

/* --- read by the log ------------------------------------------------------- */

enum tf_code
tf_witness_take(const struct tf_witness_policy *p, size_t i, struct tf_str note,
    struct tf_str lines, struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf key = { 0 };
	size_t start = out->n;
	struct tf_vkey k;
	uint64_t time;
	enum tf_code rc;

	if (lines.n > TF_NOTE_MAX || !tf_note_lines_ok(lines))
		return tf_fail(err, TF_INVALID,
		    "the answer is not signature lines");
	tf_witness_policy_key(p, i, &key);
	tf_buf_add(out, note.p, note.n);
	tf_buf_add(out, lines.p, lines.n);
	if ((rc = tf_buf_end(&key, err)) == TF_OK &&
	    (rc = tf_buf_end(out, err)) == TF_OK &&
	    (rc = tf_cosign_vkey_parse(key.p, key.n, &k, err)) == TF_OK)
		rc = tf_cosign_check(&k, out->p + start, out->n - start, &time,
		    err);
	tf_buf_free(&key);
	return rc;
}

bool
tf_witness_size(struct tf_str answer, uint64_t *size)
{
	struct tf_str line;

	return tf_note_take(&answer, &line) && answer.n == 0 &&
	    tf_decimal(line.p, line.n, INT64_MAX, size);
}
