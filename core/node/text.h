/*
 * Shared strings of pending nodes, such as the JSON of an actor.  Equal strings
 * are stored once and counted, so that a process that creates many files does
 * not multiply them.  All of this is guarded by vault.mu.
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
	char s[]; /* n bytes and a NUL */
};

/* A hash table of strings.  {0} is empty. */
struct tf_texts {
	struct tf_text **slot;
	size_t slots, count;
};

/* The shared string of these n bytes, with one reference for the caller.  NULL
 * if memory runs out. */
struct tf_text *tf_text_get(struct tf_texts *t, const char *s, size_t n);
/* Add a reference and return x.  NULL: returns NULL. */
struct tf_text *tf_text_ref(struct tf_text *x);
/* Drop a reference; the last one frees x.  NULL: does nothing. */
void tf_text_unref(struct tf_text *x);
/* Free the table.  All strings must be freed already. */
void tf_texts_free(struct tf_texts *t);

#endif
