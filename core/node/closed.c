/* The list of closed directories: see closed.h. */
#include <stdlib.h>
#include <string.h>

#include "closed.h"
#include "vault_i.h"

bool
tf_is_closed(const struct tf_vault *v, uint64_t id)
{
	return tf_closed_find(v, id) != NULL;
}

enum tf_code
tf_closed_refuses(const struct tf_vault *v, uint64_t id, struct tf_error *err)
{
	return !tf_is_closed(v, id) ?
	    TF_OK :
	    tf_fail(err, TF_READONLY,
		"chmod closed this directory: until it is sealed, chmod u+w "
		"opens it");
}

enum tf_code
tf_closed_actor(const struct tf_vault *v, uint64_t id, char **out,
    struct tf_error *err)
{
	const struct tf_closed *c = tf_closed_find(v, id);

	if (c == NULL)
		return tf_fail(err, TF_NOTFOUND, "it is not closed");
	*out = strdup(c->actor);
	return *out != NULL ? TF_OK : tf_nomem(err);
}

void
tf_closed_forget(struct tf_vault *v, uint64_t id)
{
	for (size_t i = v->n_closed; i-- > 0;)
		if (v->closed[i].id == id || v->closed[i].wf == id)
			tf_closed_drop(v, &v->closed[i]);
}

void
tf_closed_free(struct tf_vault *v)
{
	while (v->n_closed > 0)
		tf_closed_drop(v, &v->closed[v->n_closed - 1]);
	free(v->closed);
}

struct tf_closed *
tf_closed_find(const struct tf_vault *v, uint64_t id)
{
	for (size_t i = 0; i < v->n_closed; i++)
		if (v->closed[i].id == id)
			return &v->closed[i];
	return NULL;
}

void
tf_closed_drop(struct tf_vault *v, struct tf_closed *c)
{
	free(c->actor);
	*c = v->closed[--v->n_closed];
}
