/* Shared strings in a hash table: see text.h. */
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define SLOTS 64 /* initially; always a power of two */

static uint64_t
hash_of(const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)s[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* Create or enlarge the table.  If that fails, an existing table stays in use,
 * with longer chains. */
static bool
grow_table(struct tf_texts *t)
{
	size_t slots = t->slots == 0 ? SLOTS : t->slots * 2;
	struct tf_text **to = calloc(slots, sizeof(struct tf_text *));
	struct tf_text *x, *next;

	if (to == NULL)
		return t->slots > 0;
	for (size_t i = 0; i < t->slots; i++)
		for (x = t->slot[i]; x != NULL; x = next) {
			next = x->next;
			x->next = to[x->hash & (slots - 1)];
			to[x->hash & (slots - 1)] = x;
		}
	free(t->slot);
	t->slot = to;
	t->slots = slots;
	return true;
}

struct tf_text *
tf_text_get(struct tf_texts *t, const char *s, size_t n)
{
	uint64_t h = hash_of(s, n);
	struct tf_text *x;

	if (t->count >= t->slots && !grow_table(t))
		return NULL;
	for (x = t->slot[h & (t->slots - 1)]; x != NULL; x = x->next)
		if (x->hash == h && x->n == n && memcmp(x->s, s, n) == 0)
			return tf_text_ref(x);
	if ((x = malloc(sizeof(*x) + n + 1)) == NULL)
		return NULL;
	*x = (struct tf_text){ .in = t, .hash = h, .refs = 1, .n = n };
	memcpy(x->s, s, n);
	x->s[n] = '\0';
	x->next = t->slot[h & (t->slots - 1)];
	t->slot[h & (t->slots - 1)] = x;
	t->count++;
	return x;
}

struct tf_text *
tf_text_ref(struct tf_text *x)
{
	if (x != NULL)
		x->refs++;
	return x;
}

void
tf_text_unref(struct tf_text *x)
{
	struct tf_text **at;

	if (x == NULL || --x->refs > 0)
		return;
	at = &x->in->slot[x->hash & (x->in->slots - 1)];
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->in->count--;
	free(x);
}

void
tf_texts_free(struct tf_texts *t)
{
	free(t->slot);
	*t = (struct tf_texts){ 0 };
}
