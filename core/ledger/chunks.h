/*
 * The field `chunks` of evidence.grown: the digests of pieces of a file, one
 * after the other; and how to make them from the bytes.  No function locks;
 * those without state are safe from many threads at once.
 */
#ifndef TF_LEDGER_CHUNKS_H
#define TF_LEDGER_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../json.h"

struct tf_sha256;

/* Digests in one entry: 8,192 hex digits.  So the longest entry of this type has
 * about 14,000 bytes. */
#define TF_CHUNKS_MAX 128

/* A part of a file: all bytes of [from, to), in chunks of `bytes`.  The last
 * chunk is shorter if the file ends in it. */
struct tf_chunks {
	uint64_t from, to, bytes;
	bool has_before;
	uint64_t before; /* seq of the entry about the bytes before `from` */
	struct tf_str digests; /* 64 hex digits per chunk */
};

/*
 * The size of the chunk that begins at off.  64 KiB in the first GiB; 1 MiB in
 * the first 64 GiB; 16 MiB after that: so 1 GiB takes 128 entries, and 1 TiB
 * takes 1,112.
 */
uint64_t tf_chunk_bytes(uint64_t off);
/* The end of the last whole chunk of a file of this size. */
uint64_t tf_chunks_whole(uint64_t size);
/* The end of the first entry of a list that begins at from and ends at to. */
uint64_t tf_chunks_entry_end(uint64_t from, uint64_t to);

/* The number of entries that a list from from to to takes. */
uint64_t tf_chunks_entries(uint64_t from, uint64_t to);

/* The digests of all chunks of [from, to) of a file, in order; {0} is one of
 * nothing. */
struct tf_chunk_list {
	uint64_t from, to;
	struct tf_hash *digest;
	size_t n, cap;
};
void tf_chunk_list_free(struct tf_chunk_list *l);

/*
 * Makes a list from the bytes of the file.  begin empties *list; from is where a
 * chunk begins.  add takes the bytes that follow, and end the last chunk, which
 * may be short; list->to is then the end of the bytes.  Before end, list->to is
 * the end of the last whole chunk.  The list belongs to the caller, also after
 * free, which takes {0}, too.  TF_NOMEM.
 */
struct tf_chunker {
	struct tf_chunk_list *list;
	struct tf_sha256 *sha;
	uint64_t at, end; /* offset of the next byte; end of its chunk */
};
TF_MUST_USE enum tf_code tf_chunker_begin(struct tf_chunker *c,
    struct tf_chunk_list *list, uint64_t from, struct tf_error *err);
TF_MUST_USE enum tf_code tf_chunker_add(struct tf_chunker *c, const void *p,
    size_t n, struct tf_error *err);
TF_MUST_USE enum tf_code tf_chunker_end(struct tf_chunker *c,
    struct tf_error *err);
void tf_chunker_free(struct tf_chunker *c);

/* The number of chunks. */
size_t tf_chunks_count(const struct tf_chunks *c);
/* The digest of chunk i, which is less than that. */
void tf_chunks_digest(const struct tf_chunks *c, size_t i, struct tf_hash *out);

/* Write the canonical JSON of c, with these digests instead of c->digests. */
TF_MUST_USE enum tf_code tf_chunks_write(const struct tf_chunks *c,
    const struct tf_hash *digests, struct tf_buf *out, struct tf_error *err);
/* Parse the value.  False: its members do not fit each other.  The digests are a
 * part of raw. */
bool tf_chunks_read(struct tf_str raw, struct tf_chunks *out);

#endif
