/*
 * The search index: a database of its own beside the ledger.  Everything in it
 * follows from the ledger, so it may be lost or wrong: its users read each
 * answer again from the ledger.
 *
 * An item is a name in the ledger; its number is the index of the entry that
 * created it.  The index keeps facts about items (kind, value), their paths,
 * one word per item (its status), and the items whose word must be computed
 * again.  A connection belongs to one thread at a time.  Errors: those of
 * SQLite; TF_TAMPER means that the index is damaged and must be made anew.
 */
#ifndef TF_STORE_SEARCH_ROWS_H
#define TF_STORE_SEARCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../buffer.h"
#include "../error.h"
#include "../types.h"

#define TF_SEARCH_NAME "index.db"
#define TF_SEARCH_NEXT_NAME TF_SEARCH_NAME ".next"

struct tf_search_db;

enum tf_search_mode {
	TF_SEARCH_WRITE, /* the only user; makes the file if it is missing */
	/* A temporary copy of the file, or an empty index if it is in use. */
	TF_SEARCH_COPY,
	/* The file itself, to read; it is only ever replaced. */
	TF_SEARCH_STILL,
	/* A file beside it that begins as its copy, for tf_search_replace. */
	TF_SEARCH_NEXT,
};

/*
 * Open the index at path.  On TF_OK close *out with tf_search_close.  An index
 * that is damaged, of another form or with another mark counts as missing.
 * Errors: TF_SEARCH_STILL: it is missing; TF_SEARCH_NEXT: TF_LOCKED another process
 * makes one, those of making a file.
 */
TF_MUST_USE enum tf_code tf_search_open(const char *path,
    enum tf_search_mode mode, const char *mark, struct tf_search_db **out,
    struct tf_error *err);
void tf_search_close(struct tf_search_db *s); /* NULL: does nothing */
/* Close s, which was opened with TF_SEARCH_NEXT, and put it at path, durable.  Who
 * has the file of before open keeps that. */
TF_MUST_USE enum tf_code tf_search_replace(struct tf_search_db *s,
    const char *path, struct tf_error *err);
/* Remove the files of the index at path.  Nothing has it open. */
void tf_search_remove(const char *path);
TF_MUST_USE enum tf_code tf_search_begin(struct tf_search_db *s,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_search_commit(struct tf_search_db *s,
    struct tf_error *err);
void tf_search_rollback(struct tf_search_db *s);

/* The number of entries that the index covers, and the leaf hash of the last of
 * them.  All zero in an empty index. */
TF_MUST_USE enum tf_code tf_search_cursor(struct tf_search_db *s,
    uint64_t *entries, struct tf_hash *last, struct tf_error *err);
TF_MUST_USE enum tf_code tf_search_set_cursor(struct tf_search_db *s,
    uint64_t entries, const struct tf_hash *last, struct tf_error *err);

/* Add a fact; one that is there already stays. */
TF_MUST_USE enum tf_code tf_search_add(struct tf_search_db *s, unsigned kind,
    const void *value, size_t n, uint64_t item, struct tf_error *err);
/* Add the path of an item, which must be newer than all others. */
TF_MUST_USE enum tf_code tf_search_add_path(struct tf_search_db *s,
    struct tf_str path, uint64_t item, struct tf_error *err);
TF_MUST_USE enum tf_code tf_search_set_word(struct tf_search_db *s,
    uint64_t item, const char *word, struct tf_error *err);

/* Remember that the word of an item, which is node id, must be computed; list
 * up to max of these; forget one. */
struct tf_search_due {
	uint64_t item, id;
};
TF_MUST_USE enum tf_code tf_search_set_due(struct tf_search_db *s,
    uint64_t item, uint64_t id, struct tf_error *err);
TF_MUST_USE enum tf_code tf_search_due(struct tf_search_db *s,
    struct tf_search_due *out, size_t max, size_t *n, struct tf_error *err);
TF_MUST_USE enum tf_code tf_search_done(struct tf_search_db *s, uint64_t item,
    struct tf_error *err);

/* *item becomes the newest item that has the fact, or the word, and is not
 * newer than `most`.  TF_NOTFOUND (err unchanged). */
TF_MUST_USE enum tf_code tf_search_fact(struct tf_search_db *s, unsigned kind,
    struct tf_str value, uint64_t most, uint64_t *item, struct tf_error *err);
/* The same for any value from low to high. */
TF_MUST_USE enum tf_code tf_search_span(struct tf_search_db *s, unsigned kind,
    struct tf_str low, struct tf_str high, uint64_t most, uint64_t *item,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_search_word(struct tf_search_db *s,
    const char *word, uint64_t most, uint64_t *item, struct tf_error *err);

/*
 * Call fn for the next facts of a kind, sorted by value and item, at most max of
 * them: those behind *value and *item, which begin empty and become those of the
 * last one.  *n is their number.  fn returns false if it has no memory, which
 * ends the list with TF_NOMEM; it does not use s.
 */
typedef bool (*tf_search_fact_fn)(void *arg, struct tf_str value,
    uint64_t item);
TF_MUST_USE enum tf_code tf_search_facts(struct tf_search_db *s, unsigned kind,
    struct tf_buf *value, uint64_t *item, size_t max, size_t *n,
    tf_search_fact_fn fn, void *arg, struct tf_error *err);

/*
 * The newest items, not newer than most, whose path may match a glob: up to max
 * of them, from the newest on.  parts are the literal parts of the glob, each
 * of three bytes or more; '/' stands before and behind every name of a path.
 */
TF_MUST_USE enum tf_code tf_search_paths(struct tf_search_db *s,
    const struct tf_str *parts, size_t n, uint64_t most, uint64_t *items,
    size_t max, size_t *found, struct tf_error *err);

/* Is the file that TF_SEARCH_WRITE opened still at path? */
bool tf_search_is_at(const struct tf_search_db *s, const char *path);

#endif
