/*
 * The parts of struct tf_secret, for the three files that work on it: secret.c,
 * secret_spare.c and salvage.c.
 */
#ifndef TF_NODE_SECRET_I_H
#define TF_NODE_SECRET_I_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../crypt/stage_key.h"
#include "../error.h"
#include "secret.h"

#define CHUNK TF_CHUNK_LEN
#define SLOT TF_STAGED_CHUNK_MAX
#define NONE UINT64_MAX
#define NUMBER 12 /* bytes before the slot of the spare: chunk, length */

struct tf_secret {
	struct tf_vault *v;
	uint64_t id;
	struct tf_staged_key *key;
	unsigned char head[TF_SECRET_HEAD];
	unsigned char *text; /* of chunk `at`: CHUNK bytes, zeros behind used */
	unsigned char *slot; /* room for the spare's number and a slot */
	uint64_t at;	     /* or NONE */
	size_t used;
	bool dirty;	  /* text is newer than its slot */
	uint64_t durable; /* so many chunks were synced */
	uint64_t settled; /* so many chunks are in the file */
	bool spare_busy;  /* the slot in the spare is not synced in its place */
};

/* Where the slot of a chunk begins. */
static inline uint64_t
slot_at(uint64_t chunk)
{
	return TF_SECRET_HEAD + chunk * SLOT;
}

/*
 * Read the chunk of fd that has used bytes into text, with slot as room.  What
 * is behind them, and a hole, are zeros.  TF_TAMPER: it is torn.
 */
TF_MUST_USE enum tf_code tf_secret_read_chunk(const struct tf_secret *s, int fd,
    uint64_t chunk, size_t used, unsigned char *slot, unsigned char *text,
    struct tf_error *err);

/* Write the slot of the chunk in memory, n bytes at s->slot + NUMBER, to the
 * spare, durably.  What the spare holds is first made durable in its place, in
 * file. */
TF_MUST_USE enum tf_code tf_spare_write(struct tf_secret *s, int file, size_t n,
    struct tf_error *err);
/* Read the spare: *chunk becomes NONE if there is none.  slot has room for its
 * number and a slot; *n is the length of the slot. */
TF_MUST_USE enum tf_code tf_spare_read(const struct tf_secret *s,
    unsigned char *slot, uint64_t *chunk, size_t *n, struct tf_error *err);

#endif
