/* The sealed evidence of an attestation, sorted as SHA256SUMS is. */
#ifndef TF_NODE_EVIDENCE_H
#define TF_NODE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"

struct tf_db;
struct tf_node_row;
struct tf_subject_file;

struct tf_evidence {
	struct tf_subject_file *f; /* names relative to the attestation */
	size_t n, cap;
	struct tf_buf names;	    /* what f[i].name points into */
	struct tf_time first, last; /* least btime, greatest ctime */
	/* Is this file to be in the list?  NULL: all are. */
	enum tf_code (*wants)(void *arg, const struct tf_node_row *row,
	    bool *wanted, struct tf_error *err);
	void *arg;
	size_t left_out;
};
void tf_evidence_free(struct tf_evidence *e);
/* Of attestation id.  *e is {0} before, or has wants and arg; free it in either
 * case. */
TF_MUST_USE enum tf_code tf_evidence_list(struct tf_db *db, uint64_t id,
    struct tf_evidence *e, struct tf_error *err);
/* For qsort(3): by name as bytes. */
int tf_evidence_by_name(const void *a, const void *b);

/* One more; its name is what was put into e->names since at. */
enum tf_code tf_evidence_add(struct tf_evidence *e, const struct tf_hash *h,
    const struct tf_attr *a, uint64_t seq, size_t at, struct tf_error *err);

/* All names are there: point to them, and sort. */
void tf_evidence_sort(struct tf_evidence *e);

#endif
