/*
 * Witnesses: machines of others that remember the newest checkpoint of a log
 * and cosign it only if it continues the one before (C2SP tlog-witness and
 * tlog-cosignature).  A policy (C2SP tlog-policy) says which witnesses there are
 * and how many of them must have cosigned.  Here are the formats and decisions
 * of both sides; the functions do no I/O and are safe from many threads at once.
 */
#ifndef TF_WITNESS_H
#define TF_WITNESS_H

#include "error.h"
#include "json.h"
#include "types.h"

struct tf_key;

/* --- policies -------------------------------------------------------------- */

#define TF_WITNESS_POLICY_MAX 262144u /* bytes of a file */
#define TF_WITNESS_NODES_MAX 256      /* witnesses and groups together */
#define TF_WITNESS_LOGS_MAX 128

struct tf_witness_policy;
/*
 * Parse a policy file strictly.  On TF_OK free *out with tf_witness_policy_free.
 * Errors: TF_INVALID with the number of the line: an unknown word, a name that
 * is not defined before, defined twice or a member twice, a key twice, a key of
 * another type than Ed25519 (log 1, witness 4), a bad threshold, no quorum or
 * two, a control character, a last line without its end; TF_TOOBIG; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_witness_policy_parse(const char *text, size_t n,
    struct tf_witness_policy **out, struct tf_error *err);
/* Does nothing for NULL. */
void tf_witness_policy_free(struct tf_witness_policy *p);

/* A witness of a policy; the strings live as long as the policy. */
struct tf_policy_witness {
	const char *name;     /* in the policy */
	const char *key_name; /* that its cosignatures have */
	const char *url;      /* the submission prefix, or NULL */
};
size_t tf_witness_policy_count(const struct tf_witness_policy *p);
/* Set *out to witness i, from 0, in the order of the file. */
void tf_witness_policy_get(const struct tf_witness_policy *p, size_t i,
    struct tf_policy_witness *out);
/* Append the vkey of witness i to out. */
void tf_witness_policy_key(const struct tf_witness_policy *p, size_t i,
    struct tf_buf *out);
/* The name after "quorum": of a witness or a group, or "none". */
const char *tf_witness_policy_quorum(const struct tf_witness_policy *p);
/* True if the policy has this key of a log (a vkey, which may end in LF), or
 * has no log at all, because the log is known otherwise. */
bool tf_witness_policy_has_log(const struct tf_witness_policy *p,
    struct tf_str vkey);

/* What the cosignatures of one checkpoint are worth. */
struct tf_quorum {
	bool met;
	size_t cosigned;			 /* the number of witnesses */
	bool has_cosigned[TF_WITNESS_NODES_MAX]; /* by number of the witness */
	uint64_t time; /* of the oldest of their cosignatures, POSIX seconds */
};
/*
 * Judge the cosignatures of a note.  The signature of the log is not checked
 * here.  Errors: TF_TAMPER a cosignature by the key of a witness is wrong;
 * TF_INVALID the note is malformed; TF_NOMEM.
 */
TF_MUST_USE enum tf_code
tf_witness_policy_judge(const struct tf_witness_policy *p, struct tf_str note,
    struct tf_quorum *out, struct tf_error *err);

/* True if the quorum is met by these witnesses, by their numbers. */
bool tf_witness_policy_met(const struct tf_witness_policy *p,
    const bool *has_cosigned);

/* --- the request ----------------------------------------------------------- */

#define TF_WITNESS_REQUEST_MAX 131072u /* bytes */
#define TF_WITNESS_PROOF_MAX 63	       /* hashes */

/* What a checkpoint says, without a check of any signature. */
struct tf_witness_head {
	char origin[129];
	uint64_t size;
	struct tf_hash root;
};
/* TF_INVALID: note is no checkpoint. */
TF_MUST_USE enum tf_code tf_witness_head_of(struct tf_str note,
    struct tf_witness_head *out, struct tf_error *err);

/* Append the first width hashes of a tile to out, 32 bytes each.  path is its
 * place in a log: "tile/0/x001/000.p/5". */
typedef enum tf_code (*tf_witness_tile)(void *arg, const char *path,
    unsigned level, uint64_t n, unsigned width, struct tf_buf *out,
    struct tf_error *err);
/*
 * Append to out the body of a request to cosign note: the old size, a
 * consistency proof from there, made of tiles of the log, and note.  Errors:
 * TF_INVALID note is no checkpoint; TF_TAMPER note is smaller than old; those
 * of tile; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_witness_request_make(uint64_t old,
    struct tf_str note, tf_witness_tile tile, void *arg, struct tf_buf *out,
    struct tf_error *err);

struct tf_witness_request {
	uint64_t old;
	size_t hashes;
	struct tf_hash proof[TF_WITNESS_PROOF_MAX];
	struct tf_str note; /* within the parsed body */
	struct tf_witness_head head;
};
/* Parse a body, which must outlive *out.  TF_INVALID: malformed, or its old size
 * is larger than the checkpoint's. */
TF_MUST_USE enum tf_code tf_witness_request_parse(struct tf_str body,
    struct tf_witness_request *out, struct tf_error *err);

/* --- the answer ------------------------------------------------------------ */

/* The statuses of HTTP that answers have. */
enum tf_witness_status {
	TF_WITNESS_COSIGNED = 200,
	TF_WITNESS_MALFORMED = 400,
	TF_WITNESS_UNSIGNED = 403, /* no good signature of the log */
	TF_WITNESS_UNKNOWN = 404,  /* no log of this origin */
	TF_WITNESS_OTHER_SIZE = 409,
	TF_WITNESS_INCONSISTENT = 422,
};
/*
 * What a witness must answer to a request that parses and whose log it knows:
 * by the size and root that it cosigned last for this origin (size 0: none).
 * TF_WITNESS_COSIGNED, TF_WITNESS_OTHER_SIZE or TF_WITNESS_INCONSISTENT.
 */
enum tf_witness_status tf_witness_judge(const struct tf_witness_request *r,
    uint64_t last_size, const struct tf_hash *last_root);
/* True if the request proves that its checkpoint, which the log has signed, and
 * the one that was cosigned last are of different histories.  A request that is
 * not consistent proves this only if its proof is a proof of something. */
bool tf_witness_is_conflict(const struct tf_witness_request *r,
    uint64_t last_size, const struct tf_hash *last_root);
/* Check the signature of the log in a note; vkey may end in LF.  Errors:
 * TF_TAMPER it is wrong or missing; TF_FOREIGN the key is that of another
 * origin; TF_INVALID note or vkey is malformed; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_witness_check_log(struct tf_str note,
    struct tf_str vkey, struct tf_error *err);

/* Append the note to out with no other lines than those of the log's key. */
TF_MUST_USE enum tf_code tf_witness_keep(struct tf_str note, struct tf_str vkey,
    struct tf_buf *out, struct tf_error *err);
/* Append the cosignature line of the witness, with LF.  time is in POSIX
 * seconds.  Errors: TF_INVALID name is no key name; those of tf_key_sign. */
TF_MUST_USE enum tf_code tf_witness_cosign(const struct tf_key *key,
    const char *name, uint64_t time, struct tf_str note, struct tf_buf *out,
    struct tf_error *err);
/* Append the vkey of the witness to out.  TF_INVALID: name is no key name. */
TF_MUST_USE enum tf_code tf_witness_vkey(const struct tf_key *key,
    const char *name, struct tf_buf *out, struct tf_error *err);

/*
 * Take the lines that witness i of the policy answered: append note and lines
 * to out, a note that the witness has cosigned.  Lines of other keys are kept;
 * nothing is known about them.  Errors: TF_INVALID not signature lines;
 * TF_NOTFOUND none by the witness; TF_TAMPER one is wrong; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_witness_take(const struct tf_witness_policy *p,
    size_t i, struct tf_str note, struct tf_str lines, struct tf_buf *out,
    struct tf_error *err);
/* Read the size that a witness answered with TF_WITNESS_OTHER_SIZE. */
bool tf_witness_size(struct tf_str answer, uint64_t *size);

#endif
