/* The ledger's rows: entries, tiles, checkpoints. */
#ifndef TF_STORE_ENTRIES_H
#define TF_STORE_ENTRIES_H

#include "../json.h"
#include "schema.h"

/* Append entry idx; off: bytes of events.jsonl before it. */
TF_MUST_USE enum tf_code tf_entries_put(struct tf_db *db, uint64_t idx,
    uint64_t off, const void *body, size_t n, struct tf_error *err);
/* Body onto out (may be NULL), *off (may be NULL).  TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_entries_get(struct tf_db *db, uint64_t idx,
    struct tf_buf *out, uint64_t *off, struct tf_error *err);
/* How many, and the bytes of events.jsonl. */
TF_MUST_USE enum tf_code tf_entries_size(struct tf_db *db, uint64_t *count,
    uint64_t *bytes, struct tf_error *err);
/* Call fn for each row from idx on, in order, until it returns another code
 * than TF_OK, which is returned. */
typedef enum tf_code (*tf_entry_fn)(void *arg, uint64_t idx, uint64_t off,
    const void *body, size_t n, struct tf_error *err);
TF_MUST_USE enum tf_code tf_entries_each(struct tf_db *db, uint64_t from,
    tf_entry_fn fn, void *arg, struct tf_error *err);

/* How many rows there are, whatever their numbers. */
TF_MUST_USE enum tf_code tf_entries_rows(struct tf_db *db, uint64_t *rows,
    struct tf_error *err);

/* Every tile row: its place, and how many whole hashes it holds. */
typedef enum tf_code (*tf_tile_fn)(void *arg, int64_t level, int64_t n,
    uint64_t width, struct tf_error *err);
TF_MUST_USE enum tf_code tf_tiles_each(struct tf_db *db, tf_tile_fn fn,
    void *arg, struct tf_error *err);
/* Write a tile, or let one grow. */
TF_MUST_USE enum tf_code tf_tiles_put(struct tf_db *db, unsigned level,
    uint64_t n, const struct tf_hash *h, unsigned width, struct tf_error *err);
/* First width hashes; TF_TAMPER when there are fewer, or none. */
TF_MUST_USE enum tf_code tf_tiles_get(struct tf_db *db, unsigned level,
    uint64_t n, unsigned width, struct tf_hash *out, struct tf_error *err);
/* tf_tiles_get for those who read the tree: db is a struct tf_db. */
TF_MUST_USE enum tf_code tf_tiles_read(void *db, unsigned level, uint64_t n,
    unsigned width, struct tf_hash *out, struct tf_error *err);

TF_MUST_USE enum tf_code tf_checkpoints_put(struct tf_db *db, uint64_t size,
    const struct tf_hash *root, const void *note, size_t n,
    struct tf_error *err);
/* The newest; TF_NOTFOUND before the first commit.  note may be NULL. */
TF_MUST_USE enum tf_code tf_checkpoints_newest(struct tf_db *db, uint64_t *size,
    struct tf_hash *root, struct tf_buf *note, struct tf_error *err);

#endif
