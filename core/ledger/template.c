/* A parsed template: its memory and its slots.  See template.h. */
#include "template.h"

#include <stdlib.h>

#include "../base/bytes.h"
#include "name.h"
#include "template_i.h"

/* One allocation, freed with the template. */
struct tf_template_block {
	struct tf_template_block *next;
	max_align_t data[];
};

void *
tf_template_alloc(struct tf_template *t, size_t n, size_t size)
{
	struct tf_template_block *b = calloc(1, sizeof(*b) + n * size);

	if (b == NULL)
		return NULL;
	b->next = t->memory->blocks;
	t->memory->blocks = b;
	return b->data;
}

void
tf_template_free(struct tf_template *t)
{
	struct tf_template_block *b = t->memory != NULL ? t->memory->blocks :
							  NULL;

	while (b != NULL) {
		struct tf_template_block *next = b->next;

		free(b);
		b = next;
	}
	if (t->memory != NULL)
		tf_yaml_free(&t->memory->yaml);
	free(t->memory);
	*t = (struct tf_template){ 0 };
}

const struct tf_slot *
tf_template_slot(const struct tf_template *t, const char *name, size_t n)
{
	unsigned version;
	struct tf_str base = { name, tf_name_version(name, n, &version) };

	for (size_t i = 0; i < t->n; i++)
		if (tf_str_same(t->slots[i].name, base))
			return &t->slots[i];
	return NULL;
}
