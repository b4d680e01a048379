/*
 * Texts that many unsealed nodes share: who writes them.  Each is kept once,
 * however many files a process makes.  All of this is guarded by vault.mu.
 */
#ifndef TF_NODE_TEXT_H
#define TF_NODE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_text {
	struct tf_text *next; /* of the same slot */
	struct tf_texts *in;
	uint64_t hash;
	unsigned refs;
	size_t n;
	char s[]; /* n bytes and a zero */
};

/* All zero is empty. */
struct tf_texts {
	struct tf_text **slot;
	size_t slots, count;
};

/* These n bytes, with a reference; NULL: no memory. */
struct tf_text *tf_text_get(struct tf_texts *t, const char *s, size_t n);
/* One reference more; NULL stays NULL. */
struct tf_text *tf_text_ref(struct tf_text *x);
/* One less: the last frees it.  NULL is nothing. */
void tf_text_unref(struct tf_text *x);
/* When no text is left. */
void tf_texts_free(struct tf_texts *t);

#endif
