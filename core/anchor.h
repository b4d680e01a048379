/*
 * Anchors: what a memory outside the machine has said of a checkpoint of this
 * log.  A mirror or a witness cosigns a checkpoint (C2SP tlog-cosignature), and
 * an authority stamps it with the time (RFC 3161).  Whoever holds an anchor can
 * show later that the history is not the one that it was made about.
 *
 * The entry anchor.added records that an anchor was received, the table anchor
 * finds it, and its bytes are objects (trailfs-entries-vault(5)).  The functions are
 * safe from many threads at once.  vault.h has the errors that any call may
 * give.
 */
#ifndef TF_ANCHOR_H
#define TF_ANCHOR_H

#include "error.h"
#include "json.h"
#include "types.h"

struct tf_actor;
struct tf_buf;
struct tf_vault;

#define TF_ANCHOR_MIRROR "mirror"   /* has all entries and all objects */
#define TF_ANCHOR_WITNESS "witness" /* has seen no other history */
#define TF_ANCHOR_STAMP "stamp"	    /* knows the time */

#define TF_ANCHOR_NAME_MAX 128	      /* bytes of A-Za-z0-9._~:/+- */
#define TF_ANCHOR_NOTE_MAX 65536      /* bytes of a cosigned note */
#define TF_ANCHOR_TOKEN_MAX 65536     /* bytes of a time stamp, DER */
#define TF_ANCHOR_CHAIN_MAX 65536     /* bytes of its certificates, PEM */
#define TF_ANCHOR_REQUEST_MAX 262144u /* bytes of the request as JSON */

struct tf_anchor {
	const char *kind; /* TF_ANCHOR_MIRROR, ... */
	const char *name; /* of who made it, for people */
	/* Mirror, witness: the vkey of the cosigner (type 0x04).  bytes is a
	 * note signed by this log that has a cosignature of that key; lines of
	 * other keys are allowed and are not kept. */
	const char *key;
	/* Stamp: bytes is the token, in DER, over the whole note of the
	 * checkpoint of this size, as .trailfs/checkpoint had it. */
	uint64_t size;
	const void *bytes;
	size_t n;
	/* Stamp: certificates beside those in the token, as PEM; or NULL. */
	const void *chain;
	size_t chain_n;
};

/*
 * Record that the anchor was received.  On TF_OK its bytes, its row and the
 * entry anchor.added are durable, or one of the same kind, name, size and key
 * was recorded before: then nothing changes.
 * Errors: TF_INVALID a malformed name, key, note or token, an unknown kind;
 * TF_TOOBIG; TF_FOREIGN the note is not one of this log; TF_TAMPER the log's
 * signature or the cosignature is wrong, or the note has another tree than this
 * log had at that size, or more entries than this log has: keep the note, for
 * one of the two was altered; TF_DENIED who is neither the owner of the root
 * nor root.
 */
TF_MUST_USE enum tf_code tf_vault_anchor_add(struct tf_vault *v,
    const struct tf_actor *who, const struct tf_anchor *a,
    struct tf_error *err);
/*
 * The same for the control file `anchor` of the root, n bytes of JSON:
 *	{"kind":"mirror","name":"...","key":"...","note":"..."}, or "witness"
 *	{"kind":"stamp","name":"...","size":N,"token":"BASE64","chain":"PEM"}
 * or a refusal (below).  chain is optional.  TF_INVALID: other JSON.
 */
TF_MUST_USE enum tf_code tf_vault_anchor_json(struct tf_vault *v, const void *p,
    size_t n, const struct tf_actor *who, struct tf_error *err);
/* Append the request for the anchor to out, which is empty: as the call above
 * takes it. */
TF_MUST_USE enum tf_code tf_anchor_request(const struct tf_anchor *a,
    struct tf_buf *out, struct tf_error *err);

/* --- refusals ----------------------------------------------------------- */

/*
 * A mirror or a witness does not accept this log, or is not what it was: it keeps
 * another history, has another key, or lost what it had.  Until a later success
 * status, page, start and verify say "KIND NAME TEXT".  The file STORE/refusals
 * keeps it, not the ledger: a store that is refused may be an old copy, and an
 * entry would continue that (store/refusals.h).
 *
 * Recording an anchor of that kind and name ends the refusal by itself.
 */
struct tf_refusal {
	const char *kind, *name; /* as of an anchor */
	/* What people read after kind and name, "refused: forked: ...", one
	 * line.  NULL or "": all is well, forget the refusal. */
	const char *text;
	/* A note signed by this log that the other side showed, if it did: a
	 * verifier then proves by it that this store lacks entries or has
	 * others.  NULL: none. */
	const void *head;
	size_t head_n;
};

/*
 * Record r, or forget what was recorded of its kind and name.  Durable on TF_OK.
 * Appends nothing.  Errors: TF_INVALID kind, name or head; TF_DENIED;
 * TF_READONLY.
 */
TF_MUST_USE enum tf_code tf_vault_anchor_refused(struct tf_vault *v,
    const struct tf_actor *who, const struct tf_refusal *r,
    struct tf_error *err);
/* The same for the store at path, which no process has open for writing: it may
 * be one that no process could open.  TF_NOTFOUND, TF_ACCESS. */
TF_MUST_USE enum tf_code tf_store_anchor_refused(const char *path,
    const struct tf_refusal *r, struct tf_error *err);
/* Append the request for r to out, which is empty, as tf_vault_anchor_json takes
 * it: {"kind":"mirror","name":"...","refused":"...","head":"..."}.  head is
 * optional. */
TF_MUST_USE enum tf_code tf_refusal_request(const struct tf_refusal *r,
    struct tf_buf *out, struct tf_error *err);

/* --- what was recorded ------------------------------------------------- */

/*
 * Append anchors.json to out: the newest 1,000 anchors, newest first, and the
 * newest of each kind and name that is not among them, as one line of canonical
 * JSON (trailfs-control(5)).
 */
TF_MUST_USE enum tf_code tf_vault_anchors(struct tf_vault *v,
    struct tf_buf *out, struct tf_error *err);
/* Append the newest checkpoint that has cosignatures to out, with those of all
 * mirrors and witnesses.  TF_NOTFOUND: there is none. */
TF_MUST_USE enum tf_code tf_vault_cosigned(struct tf_vault *v,
    struct tf_buf *out, struct tf_error *err);

/*
 * The bytes of anchors as files in two directories of .trailfs:
 *	cosigned/SIZE-NAME.mirror  the note of a mirror
 *	cosigned/SIZE-NAME.witness the note of a witness
 *	stamps/SIZE-NAME.tsr	   a time stamp
 *	stamps/SIZE-NAME.pem	   its certificates, that of the authority first
 *	stamps/SIZE-NAME.note	   the bytes that were stamped: the checkpoint
 * NAME is that of the anchor, with '=' for each '/'.
 */
#define TF_ANCHOR_FILE_MAX 168 /* bytes of a name and its NUL */
enum tf_anchor_part { TF_ANCHOR_BYTES, TF_ANCHOR_CHAIN, TF_ANCHOR_STAMPED };
/* *seq becomes the entry that the name in cosigned/ or, with stamps, in stamps/
 * stands for, and *part what of it.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_vault_anchor_find(struct tf_vault *v, bool stamps,
    const char *name, uint64_t *seq, enum tf_anchor_part *part,
    struct tf_error *err);
/* Append that part to out, compared with its digest in the entry. */
TF_MUST_USE enum tf_code tf_vault_anchor_read(struct tf_vault *v, uint64_t seq,
    enum tf_anchor_part part, struct tf_buf *out, struct tf_error *err);
/* Call fn for each file of one of the two directories whose entry is `from` or
 * later, in the order of the entries, until it returns false. */
typedef bool (*tf_anchor_file_fn)(void *arg, uint64_t seq,
    enum tf_anchor_part part, const char *name);
TF_MUST_USE enum tf_code tf_vault_anchor_list(struct tf_vault *v, bool stamps,
    uint64_t from, tf_anchor_file_fn fn, void *arg, struct tf_error *err);
/* Write the name of the file of an anchor to out. */
void tf_anchor_file(struct tf_str kind, uint64_t size, struct tf_str name,
    enum tf_anchor_part part, char out[TF_ANCHOR_FILE_MAX]);

#define TF_ANCHOR_GUARD "guard" /* a file; only in words, never recorded */
/* Append to out what people read of an anchor: "mirrored up to 41,233 entries
 * (backup.example), 12 s ago".  An empty name is left out.  age in seconds;
 * negative: unknown. */
void tf_anchor_words(struct tf_str kind, struct tf_str name, uint64_t size,
    int64_t age, struct tf_buf *out);
/* The same of a refusal: "mirror backup.example refused: forked". */
void tf_refusal_words(struct tf_str kind, struct tf_str name,
    struct tf_str text, struct tf_buf *out);
#define TF_ANCHOR_NONE "never anchored" /* what they read if there is none */

#endif
