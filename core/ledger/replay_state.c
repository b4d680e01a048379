/* The state of a replay: broken rules, and paths of the entries. */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "replay_state.h"

/*
 * The caller returns this code, which ends the work on the entry, or ignores
 * it and goes on.
 */
enum tf_code
tf_replay_broken(struct tf_replay *r, const char *text)
{
	r->fail(r->arg, r->e, text);
	return TF_REPLAY_REPORTED;
}

bool
tf_replay_same(struct tf_str s, const char *text)
{
	return text != NULL &&
	    tf_str_same(s, (struct tf_str){ text, strlen(text) });
}

/* Offset of the last name: of "c" in "a/b/c". */
size_t
tf_replay_last_part(struct tf_str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	return slash == NULL ? 0 : (size_t)(slash + 1 - path.p);
}

/* "." is the root, above every trail. */
struct tf_str
tf_replay_parent_path(struct tf_str path)
{
	size_t at = tf_replay_last_part(path);

	return at == 0 ? (struct tf_str){ ".", 1 } :
			 (struct tf_str){ path.p, at - 1 };
}

/* The attestation at or above path: at most the first three names. */
struct tf_str
tf_replay_attestation_path(struct tf_str path)
{
	unsigned parts = 0;
	size_t n = 0;

	for (; n < path.n; n++)
		if (path.p[n] == '/' && ++parts == 3)
			break;
	return (struct tf_str){ path.p, n };
}

struct tf_str
tf_replay_trail_path(struct tf_str path)
{
	const char *end = memchr(path.p, '/', path.n);

	return (struct tf_str){ path.p,
		end == NULL ? path.n : (size_t)(end - path.p) };
}

/* Write the name of the version before "NAME@N" to text; false: it is first. */
bool
tf_replay_version_before(struct tf_str path, char text[TF_PATH_MAX + 16],
    struct tf_str *out)
{
	size_t name_at = tf_replay_last_part(path), base;
	unsigned version;
	int n;

	base = tf_name_version(path.p + name_at, path.n - name_at, &version);
	if (version < 2)
		return false;
	n = version == 2 ? snprintf(text, TF_PATH_MAX + 16, "%.*s",
			       (int)(name_at + base), path.p) :
			   snprintf(text, TF_PATH_MAX + 16, "%.*s@%u",
			       (int)(name_at + base), path.p, version - 1);
	*out = (struct tf_str){ text, (size_t)n };
	return true;
}

bool
tf_replay_is_sealed(const struct tf_replay_tree_dir *d)
{
	return d->seal != TF_REPLAY_OPEN;
}

/* Get the directory of the entry; what is the rule to report if none exists. */
enum tf_code
tf_replay_subject(struct tf_replay *r, struct tf_replay_tree_dir *d,
    const char *what, struct tf_error *err)
{
	enum tf_code rc = tf_replay_tree_get(&r->tree, r->e->path, d, err);

	return rc == TF_NOTFOUND ? tf_replay_broken(r, what) : rc;
}

/* Imported evidence must not look as if it had been witnessed. */
void
tf_replay_check_imported(struct tf_replay *r,
    const struct tf_replay_tree_dir *d)
{
	if ((r->e->imported.p != NULL) != d->imported)
		(void)tf_replay_broken(r,
		    d->imported ? "is not imported, and its attestation is" :
				  "is imported, and its attestation is not");
}

void
tf_replay_set_access(struct tf_replay_tree_dir *d, const struct tf_entry *e)
{
	d->attr.mode = e->access.mode;
	d->attr.uid = e->access.uid;
	d->attr.gid = e->access.gid;
}
