/* Files below stage/: see stage_files.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
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

#define AGE ".age"
#define HEX 64 /* digits of a digest */

void
tf_stage_age_name(uint64_t id, const struct tf_hash *h, char out[TF_STAGE_NAME])
{
	char end[1 + HEX + sizeof(AGE)] = ".";

	if (h == NULL) {
		name_of(id, AGE, out);
		return;
	}
	tf_hex(h->b, sizeof(h->b), end + 1);
	memcpy(end + 1 + HEX, AGE, sizeof(AGE));
	name_of(id, end, out);
}

bool
tf_stage_is_age(const char *name, size_t n, uint64_t *id, bool *whole,
    struct tf_hash *h)
{
	size_t digits = strcspn(name, "."), rest = n - digits;

	*whole = rest == 1 + HEX + strlen(AGE);
	return (*whole || rest == strlen(AGE)) &&
	    tf_decimal(name, digits, INT64_MAX, id) &&
	    strcmp(name + n - strlen(AGE), AGE) == 0 &&
	    (!*whole || tf_unhex(name + digits + 1, HEX, h->b, sizeof(h->b)));
}

void
tf_stage_remove_age(const struct tf_pending *l, const struct tf_encrypted *e)
{
	char name[TF_STAGE_NAME];

	if (e == NULL || !tf_encrypted_has_file(e) ||
	    (e->linked && l->attr.state != TF_STATE_SEALED))
		return;
	tf_stage_age_name(l->attr.id, &e->content.sha256, name);
	(void)unlinkat(l->v->stagefd, name, 0);
}
