/*
 * What the source of a mirror reads from its store: heads, entries, proofs and
 * objects.  Only for reading; the store may be mounted.  One thread at a time.
 */
#ifndef TF_ANCHOR_MIRROR_SOURCE_H
#define TF_ANCHOR_MIRROR_SOURCE_H

#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../ledger/rotation.h"

struct tf_db;

struct tf_mirror_source {
	struct tf_db *db;
	int dirfd, objectsfd;
	char origin[TF_ORIGIN_MAX + 1], store[64];
	struct tf_vkey vkey;
	struct tf_log_keys keys;
	struct tf_buf
	    vkey_text; /* the key, and its rotations in lines behind */
};

/* Open the store at path.  The caller calls tf_mirror_source_close in any case.
 * Errors: TF_NOTFOUND, TF_ACCESS, TF_FOREIGN no store; TF_NEWER. */
TF_MUST_USE enum tf_code tf_mirror_source_open(struct tf_mirror_source *s,
    const char *path, struct tf_error *err);
void tf_mirror_source_close(struct tf_mirror_source *s);

/* The newest head, whose signature is right; note is appended.  TF_TAMPER. */
TF_MUST_USE enum tf_code tf_mirror_source_head(struct tf_mirror_source *s,
    struct tf_checkpoint *head, struct tf_buf *note, struct tf_error *err);
/*
 * A head of more than `after` entries that ends a piece of the log: if there is
 * one, of at most TF_MIRROR_PIECE entries; at last the head with `last` entries,
 * whose note is given.  note is set.
 */
#define TF_MIRROR_PIECE 1024 /* entries */
TF_MUST_USE enum tf_code tf_mirror_source_piece(struct tf_mirror_source *s,
    uint64_t after, uint64_t last, const struct tf_buf *last_note,
    uint64_t *size, struct tf_buf *note, struct tf_error *err);

/* The consistency proof from m to n entries; empty if m is 0 or not below n. */
TF_MUST_USE enum tf_code tf_mirror_source_proof(struct tf_mirror_source *s,
    uint64_t m, uint64_t n, struct tf_proof *out, struct tf_error *err);

/* An object that is open for reading: its bytes are in body, or in file fd. */
struct tf_mirror_object {
	bool present; /* false: the store does not have it */
	uint64_t size;
	int fd; /* -1: in body */
	struct tf_buf body;
};
/* The caller calls tf_mirror_object_close in any case. */
TF_MUST_USE enum tf_code tf_mirror_object_open(struct tf_mirror_source *s,
    const struct tf_hash *sha256, struct tf_mirror_object *o,
    struct tf_error *err);
void tf_mirror_object_close(struct tf_mirror_object *o);
/* Read up to n bytes at off; *got is 0 at the end. */
TF_MUST_USE enum tf_code tf_mirror_object_read(const struct tf_mirror_object *o,
    uint64_t off, void *p, size_t n, size_t *got, struct tf_error *err);

#endif
