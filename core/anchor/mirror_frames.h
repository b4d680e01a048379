/*
 * The messages between the two sides of a mirror, as bytes.  The source has the
 * ledger, the receiver keeps the copy.  One message is one frame:
 *
 *   4 bytes   length of the payload, big-endian, at most TF_MIRROR_PAYLOAD_MAX
 *   1 byte    type
 *   3 bytes   the first of the SHA-256 of the five before
 *   payload
 *   8 bytes   the first of the SHA-256 of everything before
 *
 * The sum at the end tells a damaged connection, which is tried again, from a
 * source whose bytes are not those of its ledger, which is refused.  It proves
 * nothing else.  That of the header keeps a reader from waiting for bytes that
 * nobody sends, because the length was damaged.
 *
 * The conversation (S source, R receiver):
 *
 *   S HELLO     version, origin, key and store ID of the log, a challenge
 *   R HEAD      version, the newest head that the receiver has; size 0: none;
 *               the receiver's key, and its signature over the challenge and all
 *               that (mirror_identity.h)
 *   S OFFER     the newest head of the source; consistency proof R's head -> it
 *   R ACCEPT
 *   repeated until the receiver has all entries of the offer:
 *     S ENTRIES the next entries
 *     R WANT    digests that these entries name and that the receiver lacks,
 *               each with the number of bytes that it has already
 *     S OBJECT  for each of them, in that order: its size, or that it is absent;
 *       DATA    then its bytes from there
 *     S STAMPED for each time stamp that these entries record, in their order:
 *               the checkpoint that was stamped; empty if the source lacks it
 *     S END     at entries up to a signed head: the head, and a consistency
 *               proof to the offer
 *     R DONE    how many entries are durable at the receiver
 *   S FINISH
 *   R RECEIPT   the offer with the receiver's cosignature; the receiver's key
 *
 * HELLO and HEAD of another version have other fields after their version.
 * Version 1 had no challenge, no signature and no STAMPED.
 *
 * Instead of any message R may send REFUSED and end.  All functions are pure and
 * safe from many threads at once.  The bytes may come from anybody.
 */
#ifndef TF_ANCHOR_MIRROR_FRAMES_H
#define TF_ANCHOR_MIRROR_FRAMES_H

#include "../base/crypto.h"
#include "../json.h"
#include "../ledger/merkle.h"

#define TF_MIRROR_VERSION 2
#define TF_MIRROR_PAYLOAD_MAX ((size_t)1 << 20)
#define TF_MIRROR_ENTRIES_BYTES ((size_t)1 << 18) /* of one ENTRIES */
#define TF_MIRROR_DATA_BYTES ((size_t)1 << 18)	  /* of one DATA */
#define TF_MIRROR_HEADER 8			  /* bytes before the payload */
#define TF_MIRROR_SUM 8				  /* bytes after the payload */

/* These numbers are on the wire: never change one. */
enum tf_mirror_type {
	TF_MIRROR_HELLO = 1,
	TF_MIRROR_HEAD = 2,
	TF_MIRROR_OFFER = 3,
	TF_MIRROR_ACCEPT = 4,
	TF_MIRROR_ENTRIES = 5,
	TF_MIRROR_WANT = 6,
	TF_MIRROR_OBJECT = 7,
	TF_MIRROR_DATA = 8,
	TF_MIRROR_END = 9,
	TF_MIRROR_DONE = 10,
	TF_MIRROR_FINISH = 11,
	TF_MIRROR_RECEIPT = 12,
	TF_MIRROR_REFUSED = 13,
	TF_MIRROR_STAMPED = 14,
	TF_MIRROR_TYPES
};

/* One message, with the fields of all types; which type has which is in the
 * table of mirror_frames.c.  Strings of a decoded message point into the
 * payload. */
struct tf_mirror_msg {
	enum tf_mirror_type type;
	uint64_t version;
	struct tf_str origin, store;
	/* vkey text: HELLO of the log, HEAD and RECEIPT of the mirror */
	struct tf_str key;
	struct tf_str note;
	struct tf_proof proof;
	/* HELLO: challenge; HEAD: root; OBJECT: digest */
	struct tf_hash hash;
	uint8_t signature[TF_SIG_LEN]; /* HEAD */
	uint64_t size;		       /* HEAD, DONE: entries; OBJECT: bytes */
	uint64_t first;	    /* ENTRIES: seq of the first; OBJECT: first byte */
	bool present;	    /* OBJECT; false: the source does not have it */
	struct tf_str list; /* ENTRIES, WANT: see below; DATA: the bytes */
	enum tf_code code;  /* REFUSED */
	struct tf_str text; /* REFUSED: one line */
};

/* Append the frame of m to out.  Without memory out fails. */
void tf_mirror_put(struct tf_buf *out, const struct tf_mirror_msg *m);

/*
 * The length of the payload from the first TF_MIRROR_HEADER bytes of a frame.
 * TF_INVALID: damaged, too long, or no such type.
 */
TF_MUST_USE enum tf_code tf_mirror_length(const uint8_t *header, size_t *out,
    struct tf_error *err);
/*
 * Parse a whole frame of n bytes, which must outlive out.  What is accepted is
 * what tf_mirror_put would have written.  TF_INVALID with the reason.
 */
TF_MUST_USE enum tf_code tf_mirror_parse(const void *frame, size_t n,
    struct tf_mirror_msg *out, struct tf_error *err);
/* Fill the TF_MIRROR_HEADER bytes of a header. */
void tf_mirror_header(uint8_t *out, size_t length, unsigned type);
/* The name of a type in error messages. */
const char *tf_mirror_name(enum tf_mirror_type type);

/*
 * Lists: append one element; take the first element off *list, or return false
 * at the end.  An entry is its length as a big-endian uint16 and its bytes, at
 * most TF_ENTRY_MAX.  tf_mirror_parse has checked the form of the list.
 */
void tf_mirror_add_entry(struct tf_buf *list, struct tf_str entry);
bool tf_mirror_next_entry(struct tf_str *list, struct tf_str *entry);

struct tf_mirror_want {
	struct tf_hash sha256;
	uint64_t have; /* bytes that the receiver has from an earlier attempt */
};
void tf_mirror_add_want(struct tf_buf *list, const struct tf_mirror_want *w);
bool tf_mirror_next_want(struct tf_str *list, struct tf_mirror_want *w);

#endif
