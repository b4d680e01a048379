/*
 * The digests of the pieces of evidence, from its entries evidence.grown; and
 * the comparison with the bytes that are there, which says where they differ.
 */
#ifndef TF_AUDIT_PIECES_H
#define TF_AUDIT_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../buffer.h"
#include "../error.h"
#include "../types.h"

struct tf_entry;
struct tf_sha256;

/* All pieces of a file, without gaps from its first byte. */
struct tf_pieces {
	struct tf_entered_piece {
		uint64_t to; /* where it ends, and the next one begins */
		struct tf_hash sha256;
	} * p;
	size_t n, cap;
};
void tf_pieces_free(struct tf_pieces *p); /* NULL is nothing */
/* The memory that it takes, in bytes; 0 for NULL. */
size_t tf_pieces_bytes(const struct tf_pieces *p);

/* The files of which parts were entered and that are not sealed yet.  {0} is
 * empty. */
struct tf_growing {
	struct tf_growing_file *f; /* by number of the node */
	size_t n, cap;
};
void tf_growing_free(struct tf_growing *g);
/* e is evidence.grown: add its pieces to those of its node.  If they do not
 * follow each other, which replay reports, the file has none.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_growing_add(struct tf_growing *g,
    const struct tf_entry *e, struct tf_error *err);
/* e is evidence.sealed: the pieces of the file, which the caller frees; NULL: there
 * are none of all its bytes. */
struct tf_pieces *tf_growing_take(struct tf_growing *g,
    const struct tf_entry *e);
/*
 * Does e, after tf_growing_take, show that entered bytes are gone?  That is so when a
 * file is interrupted, another one is sealed under its name, or its attestation is
 * sealed without it.  Then *path becomes its path, which the caller frees, *bytes
 * their number, and the file is forgotten: call again for the next one.
 */
bool tf_growing_gone(struct tf_growing *g, const struct tf_entry *e,
    char **path, uint64_t *bytes);

/* A comparison of a file with its pieces. */
struct tf_differ {
	const struct tf_pieces *want;
	struct tf_sha256 *sha;
	size_t i;	   /* the piece of the next byte */
	uint64_t at, from; /* the next byte; where its piece begins */
	uint64_t wrong;	   /* bytes of pieces that differ */
	size_t ranges;
	uint64_t range_from, range_to; /* the last range that differs */
	struct tf_buf text;	       /* the ranges before it */
};
/* TF_NOMEM.  Free w in any case. */
TF_MUST_USE enum tf_code tf_differ_begin(struct tf_differ *w,
    const struct tf_pieces *want, struct tf_error *err);
void tf_differ_free(struct tf_differ *w);
/* The next n bytes of the file; what is beyond the last piece is not compared.
 * w NULL: does nothing. */
void tf_differ_add(struct tf_differ *w, const void *p, size_t n);
/* Were all pieces compared? */
bool tf_differ_is_full(const struct tf_differ *w);
/*
 * Append what differs to out, after all bytes of the file or all of its pieces
 * were added; size is that of the file that is there.  Nothing is appended if no
 * byte was added or nothing differs.  Each offset counts from 0, and a range is
 * from its first to its last byte.
 */
void tf_differ_text(struct tf_differ *w, uint64_t size, struct tf_buf *out);

#endif
