/*
 * The engines of an organisation: a ledger that puts the entries of many hosts
 * into one order, and a store of blobs that keeps bytes by their digest.  Each is
 * a table of functions, which the URI chooses (uri.h).  An engine sees bytes; it
 * knows nothing of vaults, and neither SQL nor a connection crosses this line.
 *
 * Promises of every engine:
 *  E1  TF_OK is answered only for what is durable: on a majority of the nodes, if
 *      the ledger is TF_LEDGER_REPLICATED.
 *  E2  An append happens as a whole or not at all.
 *  E3  The entries of an origin are dense: number k is there before k + 1, each
 *      once.  The indexes of the ledger are dense too, and never change.
 *  E4  A repeated append of the same bytes changes nothing and succeeds, with
 *      another border between the batches too.
 *  E5  An engine never repeats an append whose outcome it does not know: the code
 *      is TF_INDOUBT.  append.h, above this line, asks again.
 *  E6  Bytes that an engine calls those of a digest were hashed by it.
 *  E7  There is no way to delete, rename or overwrite anything but a named text
 *      (publish without keep).
 *
 * Each function may give, beside the errors that it names:
 *   TF_IO           the engine cannot be reached, or failed; it may pass
 *   TF_ACCESS       the credentials are refused
 *   TF_UNSUPPORTED  the engine lacks what is asked for
 *   TF_NEWER        a later version made this ledger
 *   TF_TAMPER       what the engine has is damaged
 *   TF_NOMEM, and TF_NOSPACE
 * The text of an error names the host or the path, and never a secret.
 *
 * A connection that is lost does not end a handle: the next call connects again.
 * A handle belongs to one thread at a time; two handles may be used at once, by
 * other processes too.  Strings given to a function stay the caller's; strings
 * given to a callback are valid until it returns.  A callback must not use the
 * handle; one that fails ends the call, which returns its code.
 */
#ifndef TF_ORG_ENGINE_H
#define TF_ORG_ENGINE_H

#include "../buffer.h"
#include "../org.h"

#define TF_ORG_NAME_MAX 128	       /* bytes of an origin */
#define TF_ORG_ENTRY_MAX 16384	       /* bytes of an entry */
#define TF_ORG_OWN "trailfs_organiser" /* a role, see enrol */
#define TF_BATCH_MAX 1024	       /* entries of a batch */
#define TF_LOCATED_MAX 4096	       /* located objects of a batch */
#define TF_BUNDLED_MAX 65536  /* bytes of an object that goes into a bundle */
#define TF_BUNDLE_MAX 1048576 /* bytes of a bundle */

/* Who opens an engine.  A reader changes nothing; a member appends and puts; an
 * organiser also enrols, revokes and publishes. */
enum tf_org_how { TF_ORG_READER, TF_ORG_MEMBER, TF_ORG_ORGANISER };

/* Where the bytes of a small object are: a part of a bundle, which is a blob.  len
 * is at most TF_BUNDLED_MAX, off + len at most TF_BUNDLE_MAX. */
struct tf_located {
	struct tf_hash object, bundle;
	uint64_t off, len;
};
#define TF_IN_NO_BUNDLE UINT64_MAX /* a len, see locate */

/* Entries of one origin, with consecutive numbers. */
struct tf_batch {
	const char *origin;
	uint64_t number; /* of the first entry */
	/* 1..TF_BATCH_MAX, each of 1..TF_ORG_ENTRY_MAX bytes. */
	const struct tf_str *entries;
	size_t n;
	const struct tf_located *located; /* objects that the entries name */
	size_t nlocated;
	/* A checkpoint of the origin of exactly number + n entries; p NULL: none.
	 * Of several for one size the first is kept. */
	struct tf_str note;
};

struct tf_appended {
	uint64_t next; /* number of the origin's next entry */
	uint64_t size; /* of the ledger; all entries of the batch are below */
};

/* An entry of the ledger. */
struct tf_leaf {
	uint64_t index; /* in the ledger */
	struct tf_str origin;
	uint64_t number; /* in its origin */
	struct tf_str bytes;
	/* A checkpoint of the origin of number + 1 entries; p NULL: none. */
	struct tf_str note;
};
typedef enum tf_code (*tf_leaf_fn)(void *arg, const struct tf_leaf *leaf,
    struct tf_error *err);

/* Of caps. */
#define TF_LEDGER_SHARED 1u	/* other processes may append at once */
#define TF_LEDGER_REPLICATED 2u /* TF_OK survives the loss of one node */

/* The engine's own struct begins with this one. */
struct tf_ledger {
	const struct tf_ledger_ops *ops;
};
struct tf_blobs {
	const struct tf_blob_ops *ops;
};

/* See govern. */
struct tf_governed {
	bool revokes;
	const char *origin;
	const char *vkey, *role; /* ignored if it revokes, and not NULL */
	const char *own;	 /* the organisation's origin */
	uint64_t number;	 /* of the entry in it */
	struct tf_str entry;
};

struct tf_ledger_ops {
	/* Make an empty ledger at uri.  An organiser's call.  TF_EXISTS: there is
	 * one; it is not changed. */
	enum tf_code (*create)(const char *uri, struct tf_error *err);
	/* Open the ledger at uri.  On TF_OK close *out with close.  TF_NOTFOUND:
	 * there is none. */
	enum tf_code (*open)(const char *uri, enum tf_org_how how,
	    struct tf_ledger **out, struct tf_error *err);
	void (*close)(struct tf_ledger *l);
	unsigned (*caps)(struct tf_ledger *l);
	/*
	 * Append a batch.  Entries that are there already with the same bytes
	 * count as appended; the rest is appended (E4).  Out is set with TF_OK, and
	 * out->next also with TF_INVALID.
	 *   TF_INDOUBT  the connection was lost, or a wait for a standby was
	 *               cut, after the batch was sent: give the same batch again
	 *   TF_BUSY     try later: another process has the ledger for too long,
	 *               or the replicas that it must have are not configured
	 *   TF_TAMPER   a fork: other bytes are there for a number of the batch.
	 *               Nothing is appended.  The first such number is recorded
	 *               as refused
	 *   TF_INVALID  a gap: number is above the origin's next one.  Recorded
	 *               as refused, with number and digest of the first entry
	 *   TF_DENIED   the origin is not enrolled, is revoked, or is not the
	 *               caller's; or the handle is a reader's.  The first new
	 *               entry that comes after a revocation is recorded as
	 *               refused
	 *   TF_ACCESS   the engine does not let the caller in, for example because
	 *               its certificate has expired since
	 * A refusal is durable before it is answered.  The same one (origin,
	 * number, given) is recorded once.
	 */
	enum tf_code (*append)(struct tf_ledger *l, const struct tf_batch *b,
	    struct tf_appended *out, struct tf_error *err);
	/* The number of the next entry of origin: the cursor of a forwarder.
	 * Append to note (unless NULL) the checkpoint of the most entries that
	 * came with it; nothing if there is none.  TF_NOTFOUND: not enrolled;
	 * TF_DENIED: revoked, *next and note are set. */
	enum tf_code (*member)(struct tf_ledger *l, const char *origin,
	    uint64_t *next, struct tf_buf *note, struct tf_error *err);
	/* The number of entries. */
	enum tf_code (*size)(struct tf_ledger *l, uint64_t *n,
	    struct tf_error *err);
	/* Call fn for up to max entries from index `from`, in order. */
	enum tf_code (*read)(struct tf_ledger *l, uint64_t from, uint64_t max,
	    tf_leaf_fn fn, void *arg, struct tf_error *err);
	/* The same for the entries of one origin, from its number `from`: in the
	 * order of their numbers, without a hole.  No such origin: no call. */
	enum tf_code (*read_of)(struct tf_ledger *l, const char *origin,
	    uint64_t from, uint64_t max, tf_leaf_fn fn, void *arg,
	    struct tf_error *err);
	/*
	 * Where the n objects are, up to TF_LOCATED_MAX, of which origin has said
	 * that they are in bundles: one member cannot hide the objects of another
	 * one.  out[i].object becomes objects[i], whose bundle is out[i]; its len
	 * is TF_IN_NO_BUNDLE if there is none.  On failure out is void.  This is
	 * one question, whatever n is: a round trip for each object would cost
	 * more than the objects.
	 */
	enum tf_code (*locate)(struct tf_ledger *l, const char *origin,
	    const struct tf_hash *objects, size_t n, struct tf_located *out,
	    struct tf_error *err);
	/* The index of an entry.  TF_NOTFOUND. */
	enum tf_code (*find)(struct tf_ledger *l, const char *origin,
	    uint64_t number, uint64_t *index, struct tf_error *err);
	/* Append the newest checkpoint of the ledger to note, and its size.
	 * TF_NOTFOUND: none was put yet. */
	enum tf_code (*checkpoint_get)(struct tf_ledger *l, uint64_t *size,
	    struct tf_buf *note, struct tf_error *err);
	/*
	 * Make note, of size entries, the newest one if that of now has expect
	 * entries (UINT64_MAX: if there is none).  Organiser only.
	 * TF_BUSY: another one is there.  TF_INVALID: size is below expect, or
	 * above the number of entries.  TF_INDOUBT: get it again.
	 */
	enum tf_code (*checkpoint_put)(struct tf_ledger *l, uint64_t expect,
	    uint64_t size, struct tf_str note, struct tf_error *err);
	/* Wait until the ledger has more than `beyond` entries, or for timeout_ms:
	 * TF_OK both times.  *size becomes the number of entries. */
	enum tf_code (*wait)(struct tf_ledger *l, uint64_t beyond,
	    int timeout_ms, uint64_t *size, struct tf_error *err);
	/*
	 * Let role (in the words of the engine; "" for any; TF_ORG_OWN for
	 * organisers only, with every engine) append for origin, whose log key is
	 * vkey.  Organiser only.  Again with the same vkey: the
	 * role is replaced, a revoked origin may append again.  TF_EXISTS: enrolled
	 * with another vkey.  TF_INVALID: no such role, or a bad name.
	 */
	enum tf_code (*enrol)(struct tf_ledger *l, const char *origin,
	    const char *vkey, const char *role, struct tf_error *err);
	/* From now on origin may not append.  Its entries stay.  TF_NOTFOUND. */
	enum tf_code (*revoke)(struct tf_ledger *l, const char *origin,
	    struct tf_error *err);
	/*
	 * Enrol or revoke, and append the organisation's own entry about it: both
	 * or neither.  Organiser only.  Errors are those of enrol and revoke, and
	 * TF_BUSY: g->number is not the next one of g->own, or g->own is not
	 * enrolled with TF_ORG_OWN; TF_INDOUBT: read what is there;
	 * TF_UNSUPPORTED: an earlier version made this ledger.
	 */
	enum tf_code (*govern)(struct tf_ledger *l, const struct tf_governed *g,
	    struct tf_error *err);
	/* Call fn for every member, sorted by the bytes of its origin. */
	enum tf_code (*members)(struct tf_ledger *l, tf_member_fn fn, void *arg,
	    struct tf_error *err);
	/* Call fn for every refusal from index `from`, in order. */
	enum tf_code (*refusals)(struct tf_ledger *l, uint64_t from,
	    tf_refused_fn fn, void *arg, struct tf_error *err);
};

enum tf_blob_lock { TF_BLOB_UNLOCKED, TF_BLOB_GOVERNANCE, TF_BLOB_COMPLIANCE };
struct tf_blob_info {
	uint64_t size; /* bytes */
	enum tf_blob_lock lock;
	int64_t until; /* UTC, seconds since 1970; 0 without a lock */
};

enum tf_worm {
	TF_WORM_UNLOCKED, /* the URI asks for no lock: anybody may delete */
	TF_WORM_HELD,	  /* a locked canary could not be deleted */
	TF_WORM_NOT_HELD, /* it could: the store ignores locks */
};

struct tf_blob_ops {
	/* As for a ledger.  Create succeeds if there are blobs already. */
	enum tf_code (*create)(const char *uri, struct tf_error *err);
	enum tf_code (*open)(const char *uri, enum tf_org_how how,
	    struct tf_blobs **out, struct tf_error *err);
	void (*close)(struct tf_blobs *b);
	/*
	 * Keep the bytes of fd, from offset 0 to size, under their digest, which
	 * the caller has computed; the store locks them until retain_until (UTC,
	 * seconds; 0: as long as the URI says).  Bytes that are there already are
	 * success.  On TF_OK they are durable.  TF_TAMPER: their digest is not
	 * sha256, or fd has another size; nothing is kept.  TF_DENIED: the handle
	 * is a reader's.
	 */
	enum tf_code (*put)(struct tf_blobs *b, const struct tf_hash *sha256,
	    uint64_t size, int fd, int64_t retain_until, struct tf_error *err);
	/*
	 * Write the bytes to fd, an empty file, and their number to *size.  TF_OK
	 * only if they have this digest: a store with versions is searched for a
	 * right one, behind delete markers too.  TF_NOTFOUND: nothing is there;
	 * TF_TAMPER: no version is right.  On failure the content of fd is void.
	 */
	enum tf_code (*get)(struct tf_blobs *b, const struct tf_hash *sha256,
	    int fd, uint64_t *size, struct tf_error *err);
	/* Append the n bytes at off of a blob, which are NOT checked: they are
	 * a part of a bundle, and the caller checks their digest.  TF_NOTFOUND;
	 * TF_TAMPER: the blob is shorter. */
	enum tf_code (*get_range)(struct tf_blobs *b,
	    const struct tf_hash *sha256, uint64_t off, size_t n,
	    struct tf_buf *out, struct tf_error *err);
	/* What is known without reading the bytes.  TF_NOTFOUND. */
	enum tf_code (*stat)(struct tf_blobs *b, const struct tf_hash *sha256,
	    struct tf_blob_info *out, struct tf_error *err);
	/*
	 * Keep a text under a name (tf_blob_name_ok).  With keep it is locked and
	 * never changes: TF_EXISTS if other bytes are there, TF_OK if the same
	 * are.  Without keep it replaces what is there.  Organiser only.
	 */
	enum tf_code (*publish)(struct tf_blobs *b, const char *name,
	    const void *p, size_t n, bool keep, struct tf_error *err);
	/* Append the text of a name.  TF_NOTFOUND; TF_TOOBIG: above max. */
	enum tf_code (*fetch)(struct tf_blobs *b, const char *name, size_t max,
	    struct tf_buf *out, struct tf_error *err);
	/* Try to delete a locked blob that was put for this. */
	enum tf_code (*probe_worm)(struct tf_blobs *b, enum tf_worm *verdict,
	    struct tf_error *err);
};

/* What a plug-in exports:
 *	TF_ENGINE_EXPORT const struct tf_engine tf_engine = { ... };
 * All other symbols of it are hidden.  Either table may be NULL. */
#define TF_ENGINE_EXPORT __attribute__((visibility("default")))
#define TF_ENGINE_ABI 4
struct tf_engine {
	unsigned abi; /* TF_ENGINE_ABI; read before anything else */
	const struct tf_ledger_ops *ledger;
	const struct tf_blob_ops *blobs;
};

/* A name of publish: parts of [a-z0-9._-] with a slash between them, none of them
 * beginning with a dot; up to 200 bytes. */
static inline bool
tf_blob_name_ok(const char *name)
{
	bool begin = true;
	size_t n = 0;

	for (; name[n] != '\0'; n++) {
		char c = name[n];

		if (c == '/' ?
			begin :
			!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '-' || (c == '.' && !begin)))
			return false;
		begin = c == '/';
	}
	return n > 0 && n <= 200 && !begin;
}

#endif
