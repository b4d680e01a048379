/* Fills the index from the ledger. */
#ifndef TF_FIND_FOLLOW_H
#define TF_FIND_FOLLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../store/search_rows.h"
#include "terms.h"

struct tf_vault;

/*
 * Index the next batch of entries, in one transaction of the index and one
 * short view of the ledger; *entries becomes the number of entries that are
 * indexed now, *more tells whether the ledger has others.
 * TF_TAMPER: the index does not belong to this ledger and must be made anew.
 */
TF_MUST_USE enum tf_code tf_find_follow(struct tf_vault *v,
    struct tf_search_db *s, uint64_t *entries, bool *more,
    struct tf_error *err);
/* Does the index cover the ledger, and is no status due?  Errors as above. */
TF_MUST_USE enum tf_code tf_find_covers(struct tf_vault *v,
    struct tf_search_db *s, bool *covers, struct tf_error *err);
#define TF_FIND_JUDGED 100 /* workflows at a time */
/* The statuses of workflows and of their attestations.  {0} is empty. */
struct tf_find_words {
	struct tf_search_due due[TF_FIND_JUDGED]; /* workflows */
	size_t n;
	struct tf_find_word {
		uint64_t item;
		const char *word; /* static */
	} * word;
	size_t n_words, cap;
};
void tf_find_words_free(struct tf_find_words *x);
/* Judge the n workflows of x->due, which may take long, until *quit or until
 * there are very many words; x->n becomes the number of those that are judged.
 * No index is used. */
TF_MUST_USE enum tf_code tf_find_judge(struct tf_vault *v,
    struct tf_find_words *x, const atomic_bool *quit, struct tf_error *err);
/* Put the words into the index; these workflows are not due any more. */
TF_MUST_USE enum tf_code tf_find_put_words(struct tf_search_db *s,
    const struct tf_find_words *x, struct tf_error *err);

#endif
