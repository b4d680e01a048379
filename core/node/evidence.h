/* The list of an attestation's sealed evidence, in the order of SHA256SUMS: by
 * the bytes of the relative path. */
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
	struct tf_buf names;	    /* memory of all f[i].name */
	struct tf_time first, last; /* lowest btime, highest ctime */
	/* Sets *wanted if the file belongs to the list.  NULL: every file. */
	enum tf_code (*wants)(void *arg, const struct tf_node_row *row,
	    bool *wanted, struct tf_error *err);
	void *arg;
	size_t left_out; /* files that wants has refused */
	/* The list goes on without files whose object is missing. */
	bool skips_damaged;
	size_t damaged; /* such files */
};
void tf_evidence_free(struct tf_evidence *e);
/* Fill *e with the sealed evidence of attestation id.  Before the call *e is
 * {0} except for wants, arg and skips_damaged.  The caller frees *e, also on
 * failure. */
TF_MUST_USE enum tf_code tf_evidence_list(struct tf_db *db, uint64_t id,
    struct tf_evidence *e, struct tf_error *err);
/* Compares two struct tf_subject_file by the bytes of their names, for
 * qsort(3). */
int tf_evidence_by_name(const void *a, const void *b);

/* Add one file, whose name the caller has appended to e->names at offset at. */
enum tf_code tf_evidence_add(struct tf_evidence *e, const struct tf_hash *h,
    const struct tf_attr *a, uint64_t seq, size_t at, struct tf_error *err);

/* Complete a list after the last tf_evidence_add: set the names and sort. */
void tf_evidence_sort(struct tf_evidence *e);

#endif
