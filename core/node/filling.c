/* Directories that are being filled: see filling.h. */
#include "filling.h"
#include "paths.h"
#include "vault_i.h"

void
tf_dir_filled(struct tf_vault *v, uint64_t id)
{
	for (size_t i = v->n_filling; i-- > 0;)
		if (v->filling[i] == id)
			v->filling[i] = v->filling[--v->n_filling];
}

uint64_t
tf_dir_filling(struct tf_vault *v, struct tf_db *db, uint64_t att)
{
	struct tf_attr a;

	for (size_t i = 0; i < v->n_filling; i++) {
		if (tf_attr_of(v, db, v->filling[i], &a, NULL) != TF_OK)
			continue;
		while (a.kind == TF_KIND_DIRECTORY)
			if (tf_attr_of(v, db, a.parent, &a, NULL) != TF_OK)
				break;
		if (a.id == att)
			return v->filling[i];
	}
	return 0;
}
