/*
 * Importing: what the files of another system say, before anything is written.
 *
 * All files are read and compared first, and only a whole and consistent plan
 * is written to a store.  The plan is in the words of Kosli where they differ: a
 * flow is a trail here, and a trail is a workflow.
 *
 * For one thread.  The functions that fill a plan may leave a part of it on
 * failure; import_free() frees it in any case.
 */
#ifndef TRAILCTL_IMPORT_H
#define TRAILCTL_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "claims.h"
#include "core/base/time_text.h"
#include "core/json.h"

#define IMPORT_RECORD "kosli.json" /* evidence: the record at Kosli */
#define IMPORT_MEMBERS 100000	   /* names in one archive, or in all */
#define IMPORT_WORKFLOWS 10000	   /* in one import */
#define IMPORT_ATTESTATIONS 10000  /* in one workflow */

/* A file on the command line. */
struct import_file {
	const char *path;
	struct tf_hash sha256;
	uint64_t size; /* bytes */
	bool used;     /* it is a part of the plan */
	bool reported; /* its error was kept, in why */
	struct tf_error why;
};

/* A file of evidence: bytes of a file on the command line or of the spool. */
struct import_member {
	char *name;  /* below the attestation */
	size_t file; /* index in the plan: where it comes from */
	bool spooled;
	uint64_t off, size; /* bytes; off is in the spool */
	struct tf_hash sha256;
};

/* Who, when and which, as the other system says: "" is unknown. */
struct import_origin {
	char at[TF_TIME_LEN + 1];
	char *by, *id; /* or NULL */
};

struct import_attestation {
	char *name;
	struct import_origin from;
	struct claims claims;
	struct tf_buf record; /* the bytes of IMPORT_RECORD; may be empty */
	/* A row or an event of a trail, which says less than a record. */
	bool row;
	size_t file;
	bool has_fingerprint;
	struct tf_hash fingerprint; /* of its file of evidence */
	char *evidence_name;	    /* of that file; or NULL */
	struct import_member *member;
	size_t n, cap;
	size_t order; /* in which it was read */
};

struct import_workflow {
	char *flow, *name;
	bool described; /* it has a record of its own, from file */
	size_t file;
	struct import_origin from;
	struct claims claims;
	struct tf_buf template; /* its text; may be empty */
	struct import_attestation *att;
	size_t n, cap;
};

struct import_plan {
	struct import_file *file;
	size_t n_files;
	struct import_workflow *wf;
	size_t n, cap;
	size_t members;		 /* of all attestations */
	size_t attestations;	 /* of all workflows */
	int spool;		 /* a file without a name, or -1 */
	uint64_t spooled;	 /* bytes in it */
	const char *flow, *name; /* of what does not say it; or NULL */
	/* The verdict of what does not say it: "true", "false" or NULL. */
	const char *compliant;
	bool without_evidence; /* missing evidence is no error */
};

/* --- import_plan.c ---------------------------------------------------------- */

void import_free(struct import_plan *p);
/* Free what a points to. */
void import_attestation_free(struct import_attestation *a);
/* Find a workflow, or add it.  *out is valid until the next one is added.
 * Errors: those of names; TF_NOMEM. */
TF_MUST_USE enum tf_code import_workflow(struct import_plan *p,
    const char *flow, const char *name, struct import_workflow **out,
    struct tf_error *err);
/* Add an attestation that has only a name.  *out is valid until the next one is
 * added to w. */
TF_MUST_USE enum tf_code import_attestation(struct import_plan *p,
    struct import_workflow *w, const char *name,
    struct import_attestation **out, struct tf_error *err);
/* Add a file of evidence; m->name is copied.  TF_EXISTS: there is one of this
 * name.  TF_INVALID: too many, or the name is none of evidence. */
TF_MUST_USE enum tf_code import_member(struct import_plan *p,
    struct import_attestation *a, const struct import_member *m,
    struct tf_error *err);
/* The attestations of this name in w: their number, and the first. */
size_t import_named(struct import_workflow *w, const char *name,
    struct import_attestation **first);

/* --- import_kosli.c --------------------------------------------------------- */

/* Add the records of Kosli's JSON in file i, n bytes at text.  TF_INVALID: the
 * JSON is malformed, or is none of trails or attestations. */
TF_MUST_USE enum tf_code import_kosli(struct import_plan *p, size_t i,
    const char *text, size_t n, struct tf_error *err);

/* --- import_archive.c ------------------------------------------------------- */

/*
 * Add the files of an archive, file i: of each directory to the attestation of
 * its name in the workflow p->flow, p->name, or in the only one of the plan.
 * The bytes are in the spool then.  TF_INVALID: the archive is malformed or too
 * large, or has names or kinds of files that are no evidence.
 */
TF_MUST_USE enum tf_code import_archive(struct import_plan *p, size_t i,
    struct tf_error *err);

/* --- import_match.c --------------------------------------------------------- */

/* Read all files, and make a plan of them that can be written: complete, with
 * evidence whose digests are those of the records, and in order.  TF_DENIED:
 * evidence is missing or another; TF_INVALID as above. */
TF_MUST_USE enum tf_code import_read(struct import_plan *p,
    struct tf_error *err);

/* --- import_store.c --------------------------------------------------------- */

struct import_result {
	uint64_t workflows, attestations, files; /* imported now */
	uint64_t found; /* attestations that were imported before */
	bool completed; /* import.done was recorded now */
};
/*
 * Write the plan to the store.  What was imported before is left as it is, so a
 * second call after a failure does the rest.  TF_EXISTS: a name of the plan has
 * something else.
 */
TF_MUST_USE enum tf_code import_write(struct import_plan *p, const char *store,
    struct import_result *out, struct tf_error *err);

#endif
