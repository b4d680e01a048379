/* What goes with redacted evidence: see redacted.h. */
#include "redacted.h"

#include <string.h>

#include "../json.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "../store/objects.h"

struct search {
	struct tf_db *db;
	uint64_t att, before;
	const struct tf_hash *sha256;
	bool found;
};

/* Is evidence in attestation att? */
static enum tf_code
is_in(struct tf_db *db, const struct tf_node_row *evidence, uint64_t att,
    bool *is, struct tf_error *err)
{
	struct tf_node_row up = *evidence;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && up.attr.kind > TF_KIND_ATTESTATION)
		rc = tf_nodes_get(db, up.attr.parent, &up, err);
	*is = rc == TF_OK && up.attr.id == att;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
compare(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	struct search *s = arg;
	struct tf_node_row row;
	struct tf_object_row o;
	bool is = false;
	enum tf_code rc;

	if (s->found || r->entry >= s->before)
		return TF_OK;
	rc = tf_nodes_get(s->db, r->node, &row, err);
	if (rc == TF_OK && row.attr.kind == TF_KIND_EVIDENCE)
		rc = is_in(s->db, &row, s->att, &is, err);
	if (rc == TF_OK && is && s->sha256 != NULL) {
		rc = tf_object_get(s->db, row.object, &o, NULL, err);
		is = rc == TF_OK &&
		    memcmp(&o.sha256, s->sha256, sizeof(o.sha256)) == 0;
	}
	s->found = is;
	return rc == TF_NOTFOUND ? TF_OK : rc; /* verify reports it */
}

enum tf_code
tf_redacted_in(struct tf_db *db, uint64_t att, const struct tf_hash *sha256,
    uint64_t before, bool *yes, struct tf_error *err)
{
	struct search s = { db, att, before, sha256, false };
	enum tf_code rc = tf_definitions_of_kind(db, TF_ROW_REDACTED, compare,
	    &s, err);

	*yes = rc == TF_OK && s.found;
	return rc;
}

enum tf_code
tf_report_redacted(struct tf_db *db, uint64_t att, uint64_t seq,
    uint64_t object, struct tf_error *err)
{
	const struct tf_definition_row row = { .node = att,
		.kind = TF_ROW_REDACTED,
		.name = { "", 0 },
		.version = 1,
		.entry = seq,
		.object = 1 };
	enum tf_code rc = tf_definitions_put(db, &row, err);

	return rc == TF_OK ? tf_nodes_set_object(db, att, object, err) : rc;
}
