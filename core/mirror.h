/*
 * Mirrors: a copy of a store on another disk or machine, which the receiver
 * checks before it takes it.  One side reads a store, the other writes a mirror;
 * they talk over two descriptors, such as those of ssh(1).
 *
 * Promises:
 *  M1  The receiver acknowledges only what it has hashed itself and what is
 *      durable there.
 *  M2  A mirror only grows.  Nothing that the source sends can delete or change
 *      what the mirror has.
 *  M3  A source whose history does not continue that of the mirror is refused,
 *      and the heads of both are kept in DIR/refused/.
 *  M4  The source needs no secret of the mirror, and the receiver none of the
 *      source.
 *  M5  Nothing leaves the source before the receiver has shown that it has the key
 *      that the source expects.
 *
 * Errors beside those named: TF_TAMPER a check of the receiver failed; TF_IO the
 * connection or the other side ended or broke the protocol (what is durable at
 * the mirror counts in the next attempt); TF_NEWER it speaks a later version.
 */
#ifndef TF_MIRROR_H
#define TF_MIRROR_H

#include "error.h"
#include "json.h"
#include "types.h"

struct tf_mirror_send {
	const char *store; /* directory of the store */
	int in, out;	   /* from and to the receiver */
	/* The mirror's vkey that is expected.  NULL: that of the last receipt of
	 * its name in the ledger, or any if there is none. */
	const char *key;
	/* Called from time to time with the number of entries that are durable
	 * at the mirror, that of the source, and the bytes of objects that were
	 * sent.  NULL: not called. */
	void (*progress)(void *arg, uint64_t entries, uint64_t of,
	    uint64_t bytes);
	void *arg;
};

/* What a receipt proves, and what it took to get it. */
struct tf_mirrored {
	uint64_t before; /* entries at the mirror when this began */
	/* Not 0: the last receipt of the mirror was for so many entries, and it
	 * had fewer when this began: it lost them. */
	uint64_t promised;
	uint64_t entries; /* entries at the mirror now */
	uint64_t objects; /* sent now; and their bytes */
	uint64_t bytes;
	char name[129];	    /* of the mirror's key */
	struct tf_buf key;  /* the mirror's vkey */
	struct tf_buf head; /* the note of its head when this began */
	struct tf_buf note; /* the head, signed by log and mirror */
	/* The newest recorded receipt of this mirror is less than an hour old,
	 * and after it only trailctl opened the store or recorded receipts. */
	bool recorded;
};

/*
 * The source side.  Reads the store, which may be mounted at the same time, and
 * changes nothing in it.  SIGPIPE must be ignored.  On TF_OK the mirror has all
 * entries up to the newest head of the store at the beginning, and out has the
 * receipt, which was checked.  The caller calls tf_mirrored_free in any case.
 * After a failure name, key and head are set if the mirror had said them.
 * TF_TAMPER: also if the mirror has not the expected key; then nothing was sent.
 */
TF_MUST_USE enum tf_code tf_mirror_send(const struct tf_mirror_send *s,
    struct tf_mirrored *out, struct tf_error *err);
void tf_mirrored_free(struct tf_mirrored *m);

struct tf_mirror_receive {
	const char *dir; /* the mirror; made if it is absent or empty */
	int in, out;	 /* from and to the source */
	/* The log's vkey that is expected of a new mirror.  NULL: any.  A mirror
	 * that exists knows its log. */
	const char *vkey;
	/* The name of the key of a new mirror.  NULL: HOST/DIR. */
	const char *name;
};

/*
 * The receiver side.  SIGPIPE must be ignored.  Any error was also sent to the
 * source, if it still listened: *answered.  Errors: TF_LOCKED another process writes
 * this mirror; TF_TAMPER: refused (M3).
 */
TF_MUST_USE enum tf_code tf_mirror_receive(const struct tf_mirror_receive *r,
    bool *answered, struct tf_error *err);

/*
 * Evidence that was redacted at the source and whose bytes the mirror at dir still
 * has: nothing that the source sends deletes them (M2).  fn is called with the
 * path, the size and the entry of each redaction.  With erase the bytes are then
 * deleted, as a vault deletes them.  Errors: TF_FOREIGN no mirror; TF_LOCKED it
 * is in use; then the bytes are gone but for old pages of the database.
 */
typedef void (*tf_mirror_held_fn)(void *arg, const char *path, uint64_t size,
    uint64_t entry);
TF_MUST_USE enum tf_code tf_mirror_held(const char *dir, bool erase,
    tf_mirror_held_fn fn, void *arg, struct tf_error *err);

#endif
