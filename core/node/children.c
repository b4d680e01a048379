/* The rows below a directory, and the versions of a name: see children.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ledger/name.h"
#include "../store/nodes.h"
#include "children.h"

#define CHUNK 32 /* rows at a time */

enum tf_code
tf_version_before(struct tf_db *db, uint64_t workflow, const char *name,
    struct tf_node_row *before, struct tf_error *err)
{
	unsigned version;
	char earlier[300];
	size_t base = tf_name_version(name, strlen(name), &version);
	enum tf_code rc;

	memset(before, 0, sizeof(*before));
	if (version < 2)
		return TF_OK;
	if (version == 2)
		(void)snprintf(earlier, sizeof(earlier), "%.*s", (int)base,
		    name);
	else
		(void)snprintf(earlier, sizeof(earlier), "%.*s@%u", (int)base,
		    name, version - 1);
	rc = tf_nodes_find(db, workflow, earlier, strlen(earlier), before, err);
	if (rc == TF_NOTFOUND || (rc == TF_OK && before->seal == TF_NO_SEQ))
		return tf_fail(err, TF_DENIED,
		    "%.60s can be begun once %.60s "
		    "is sealed",
		    name, earlier);
	return rc;
}

enum tf_code
tf_each_child(struct tf_db *db, uint64_t dir,
    enum tf_code (*fn)(void *arg, const struct tf_node_row *r,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	return tf_each_child_after(db, dir, 0, fn, arg, err);
}

enum tf_code
tf_each_child_after(struct tf_db *db, uint64_t dir, uint64_t after,
    enum tf_code (*fn)(void *arg, const struct tf_node_row *r,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	struct tf_node_row *rows = calloc(CHUNK, sizeof(*rows));
	enum tf_code rc = TF_OK;
	size_t n = CHUNK;

	if (rows == NULL)
		return tf_nomem(err);
	while (rc == TF_OK && n == CHUNK) {
		rc = tf_nodes_list(db, dir, after, rows, CHUNK, &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			after = rows[i].attr.id;
			rc = fn(arg, &rows[i], err);
		}
	}
	free(rows);
	return rc;
}

enum tf_code
tf_each_child_by_name(struct tf_db *db, uint64_t dir,
    enum tf_code (*fn)(void *arg, const struct tf_node_row *r,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	struct tf_node_row *rows = calloc(CHUNK + 1, sizeof(*rows));
	struct tf_node_row *last;
	enum tf_code rc = TF_OK;
	size_t n = CHUNK;

	if (rows == NULL)
		return tf_nomem(err);
	last = &rows[CHUNK]; /* at first without a name */
	while (rc == TF_OK && n == CHUNK) {
		rc = tf_nodes_by_name(db, dir, last->name, last->name_len, rows,
		    CHUNK, &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++)
			rc = fn(arg, &rows[i], err);
		if (rc == TF_OK && n > 0)
			*last = rows[n - 1];
	}
	free(rows);
	return rc;
}
