/* Files below stage/: see stage_files.h. */
#include <stdio.h>
#include <unistd.h>

#include "encrypted.h"
#include "pending.h"
#include "stage_files.h"
#include "vault_i.h"

static void
name_of(uint64_t id, const char *end, char out[TF_STAGE_NAME])
{
	(void)snprintf(out, TF_STAGE_NAME, "%llu%s", (unsigned long long)id,
	    end);
}

void
tf_stage_name(uint64_t id, char out[TF_STAGE_NAME])
{
	name_of(id, "", out);
}

void
tf_stage_spare_name(uint64_t id, char out[TF_STAGE_NAME])
{
	name_of(id, ".spare", out);
}

void
tf_stage_age_name(uint64_t id, char out[TF_STAGE_NAME])
{
	name_of(id, ".age", out);
}

void
tf_stage_remove_age(const struct tf_vault *v, uint64_t id)
{
	char name[TF_STAGE_NAME];

	tf_stage_age_name(id, name);
	(void)unlinkat(v->stagefd, name, 0);
}

void
tf_stage_remove(const struct tf_pending *l)
{
	char name[TF_STAGE_NAME];

	if (l->in_file) {
		tf_stage_name(l->attr.id, name);
		(void)unlinkat(l->v->stagefd, name, 0);
	}
	if (l->in_file && l->secret) {
		tf_stage_spare_name(l->attr.id, name);
		(void)unlinkat(l->v->stagefd, name, 0);
	}
	if (l->encrypted != NULL && l->encrypted->in_file)
		tf_stage_remove_age(l->v, l->attr.id);
}
