/*
 * The ledger's tables: entry, tile (C2SP tlog-tiles) and checkpoint (C2SP
 * tlog-checkpoint).  Rows of entry and checkpoint never change (I1); a partial
 * tile grows until it holds 256 hashes.  A connection belongs to one thread at
 * a time.
 */
#ifndef TF_STORE_ENTRIES_H
#define TF_STORE_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;
struct tf_db;
struct tf_hash;

/* Append entry idx, which must be the next one; off is its offset in
 * events.jsonl. */
TF_MUST_USE enum tf_code tf_entries_put(struct tf_db *db, uint64_t idx,
    uint64_t off, const void *body, size_t n, struct tf_error *err);
/* Find the last entry that is there at or before idx, and its offset.
 * TF_NOTFOUND if there is none. */
TF_MUST_USE enum tf_code tf_entries_before(struct tf_db *db, uint64_t idx,
    uint64_t *found, uint64_t *off, struct tf_error *err);
/* Append the bytes of entry idx to out and set *off to its offset in
 * events.jsonl; either may be NULL.  TF_NOTFOUND if there is no such entry. */
TF_MUST_USE enum tf_code tf_entries_get(struct tf_db *db, uint64_t idx,
    struct tf_buf *out, uint64_t *off, struct tf_error *err);
/* The number of entries, and the length of events.jsonl in bytes. */
TF_MUST_USE enum tf_code tf_entries_size(struct tf_db *db, uint64_t *count,
    uint64_t *bytes, struct tf_error *err);
/* Call fn for every row with an index of `from` or more, in order.  A code of
 * fn other than TF_OK ends the walk and is returned. */
typedef enum tf_code (*tf_entry_fn)(void *arg, uint64_t idx, uint64_t off,
    const void *body, size_t n, struct tf_error *err);
TF_MUST_USE enum tf_code tf_entries_each(struct tf_db *db, uint64_t from,
    tf_entry_fn fn, void *arg, struct tf_error *err);

/* The same for the entries whose bytes have text anywhere. */
TF_MUST_USE enum tf_code tf_entries_with(struct tf_db *db, uint64_t from,
    const char *text, tf_entry_fn fn, void *arg, struct tf_error *err);

/* The number of rows.  In a damaged database it may differ from the highest
 * index plus 1, which tf_entries_size returns. */
TF_MUST_USE enum tf_code tf_entries_rows(struct tf_db *db, uint64_t *rows,
    struct tf_error *err);

/* Call fn for every tile row with its level, its number in the level, and the
 * number of whole hashes in it. */
typedef enum tf_code (*tf_tile_fn)(void *arg, int64_t level, int64_t n,
    uint64_t width, struct tf_error *err);
TF_MUST_USE enum tf_code tf_tiles_each(struct tf_db *db, tf_tile_fn fn,
    void *arg, struct tf_error *err);
/* Write the first width hashes of a tile.  A tile that exists may only grow. */
TF_MUST_USE enum tf_code tf_tiles_put(struct tf_db *db, unsigned level,
    uint64_t n, const struct tf_hash *h, unsigned width, struct tf_error *err);
/* Read the first width hashes of a tile.  TF_TAMPER if it has fewer. */
TF_MUST_USE enum tf_code tf_tiles_get(struct tf_db *db, unsigned level,
    uint64_t n, unsigned width, struct tf_hash *out, struct tf_error *err);
/* tf_tiles_get as a callback of core/ledger: db is a struct tf_db *. */
TF_MUST_USE enum tf_code tf_tiles_read(void *db, unsigned level, uint64_t n,
    unsigned width, struct tf_hash *out, struct tf_error *err);

/* Insert the checkpoint of a tree of `size` entries, in the transaction of the
 * last of them; note is signed.  TF_TAMPER if there is one of that size. */
TF_MUST_USE enum tf_code tf_checkpoints_put(struct tf_db *db, uint64_t size,
    const struct tf_hash *root, const void *note, size_t n,
    struct tf_error *err);
/* The same for one that may have fewer entries than the newest: a copy of a store
 * gets what it lacks.  If there is one of that size it stays. */
TF_MUST_USE enum tf_code tf_checkpoints_add(struct tf_db *db, uint64_t size,
    const struct tf_hash *root, const void *note, size_t n,
    struct tf_error *err);
/* The checkpoint of a tree of `size` entries, its note appended to note.
 * TF_NOTFOUND if none was signed at that size. */
TF_MUST_USE enum tf_code tf_checkpoints_get(struct tf_db *db, uint64_t size,
    struct tf_hash *root, struct tf_buf *note, struct tf_error *err);
/*
 * Call fn for each checkpoint from the newest one back, until it returns another
 * code than TF_OK, which is then returned.  The note is valid during the call.
 */
typedef enum tf_code (*tf_checkpoint_fn)(void *arg, uint64_t size,
    struct tf_str note, struct tf_error *err);
TF_MUST_USE enum tf_code tf_checkpoints_back(struct tf_db *db,
    tf_checkpoint_fn fn, void *arg, struct tf_error *err);
/* The newest checkpoint, its note appended to note (may be NULL).  TF_NOTFOUND
 * before the first commit. */
TF_MUST_USE enum tf_code tf_checkpoints_newest(struct tf_db *db, uint64_t *size,
    struct tf_hash *root, struct tf_buf *note, struct tf_error *err);
/* The same of those with more than `after` and at most `most` entries. */
TF_MUST_USE enum tf_code tf_checkpoints_between(struct tf_db *db,
    uint64_t after, uint64_t most, uint64_t *size, struct tf_hash *root,
    struct tf_buf *note, struct tf_error *err);

#endif
