/* What trees share whose nodes stand for nodes of the vault. */
#include <string.h>

#include "attr.h"
#include "control_tree.h"

#define BATCH 64 /* names asked of the vault at a time */

void
fs_tree_stat(const struct tf_attr *a, uint64_t ino, bool dir, struct stat *st)
{
	fs_attr_stat(a, st);
	st->st_ino = ino;
	st->st_mode = dir ? S_IFDIR | (0555 & a->mode) :
			    S_IFREG | (0444 & a->mode);
	st->st_size = dir ? 0 : -1;
}

enum tf_code
fs_tree_list(struct tf_vault *v, uint64_t dir, const struct fs_names *names,
    fs_tree_add add, struct tf_error *err)
{
	uint64_t after = names->at > 0 ? names->at - 1 : 0;
	struct tf_dirent batch[BATCH];
	size_t n;
	enum tf_code rc;

	do {
		rc = tf_vault_list(v, dir, after, batch, BATCH, &n, err);
		if (rc != TF_OK)
			return rc;
		for (size_t i = 0; i < n; i++) {
			after = batch[i].attr.id;
			if (!add(v, dir, &batch[i], names))
				return TF_OK;
		}
	} while (n > 0);
	return TF_OK;
}

enum tf_code
fs_tree_parent(struct tf_vault *v, uint64_t ino, enum fs_control_kind dirs,
    uint64_t *out, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_getattr(v, ino & FS_NODE_MASK, &a, err);

	if (rc != TF_OK)
		return rc;
	if (a.kind == TF_KIND_ATTESTATION)
		*out = fs_control_id(FS_KIND_DIR, a.id);
	else
		*out = fs_control_id(dirs, a.parent);
	return TF_OK;
}

bool
fs_tree_cut(const char *name, const char *suffix,
    char out[TF_CONTROL_NAME_MAX + 1])
{
	const size_t n = strlen(name), end = strlen(suffix);

	if (n <= end || n > TF_CONTROL_NAME_MAX ||
	    strcmp(name + n - end, suffix) != 0)
		return false;
	memcpy(out, name, n - end);
	out[n - end] = '\0';
	return true;
}
