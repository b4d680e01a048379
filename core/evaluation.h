/*
 * The judgement of evidence by its content: one entry point for sealing and for
 * `trailctl evaluate`.
 *
 * A judgement never fails because of content: evidence that is missing,
 * malformed or too large is not compliant, and the report says why.  The same
 * evidence and definition give the same bytes on every machine.
 */
#ifndef TF_EVALUATION_H
#define TF_EVALUATION_H

#include "error.h"
#include "json.h"
#include "types.h"

#define TF_REPORT_BYTES ((size_t)2 << 20) /* no report is longer */

/* {0} is empty; tf_evaluation_free makes it so. */
struct tf_evaluation {
	bool compliant;
	const char *rule;     /* "junit" or "checks" */
	struct tf_buf counts; /* canonical JSON: `counts` of `evaluated` */
	struct tf_buf report; /* JSON, see trailfs-type(5) */
};
void tf_evaluation_free(struct tf_evaluation *e);

/* By what an attestation is judged when it is sealed. */
enum tf_rule {
	TF_RULE_NONE,  /* its content is not judged */
	TF_RULE_JUNIT, /* as JUnit reports */
	TF_RULE_TYPE,  /* by a type that its trail defines */
};

/* A type of attestations, parsed: see trailfs-type(5).  It never changes, so that
 * many threads may use it. */
struct tf_type;

/*
 * Parse a definition of n bytes, which may be freed afterwards.  On TF_OK the
 * caller frees *out with tf_type_free.  Errors: TF_INVALID with "line L, column
 * C: ..." in err; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_type_parse(const char *p, size_t n,
    struct tf_type **out, struct tf_error *err);
void tf_type_free(struct tf_type *t);
/* The path, below the attestation, of the file that t judges; part of t. */
struct tf_str tf_type_evidence(const struct tf_type *t);

/* A file below the attestation. */
struct tf_judged_file {
	struct tf_str path;
	uint64_t size;		      /* bytes */
	const struct tf_hash *sha256; /* or NULL: not known */
};

/* The files of an attestation, as their owner offers them. */
struct tf_judged_files {
	/* Set *f to the next file; *found becomes false after the last one.
	 * The order is that of the paths as bytes.  f->path and f->sha256 are
	 * valid until the next call.  A file that is too long to be judged is
	 * not read if its digest is known. */
	enum tf_code (*next)(void *arg, struct tf_judged_file *f, bool *found,
	    struct tf_error *err);
	/* Pass the bytes of the last file that next gave to sink, whose error
	 * ends the reading and is returned. */
	enum tf_code (*read)(void *arg, const struct tf_sink *sink,
	    struct tf_error *err);
	void *arg;
};

/*
 * Judge the files by type t, or as JUnit reports if t is NULL.  JUnit reports
 * are the files whose names end in .xml, in any case of letters.
 * The caller frees *out with tf_evaluation_free, also on failure.
 * Errors: TF_NOMEM, and those of next and read: then nothing is judged.
 */
TF_MUST_USE enum tf_code tf_evaluate(const struct tf_type *t,
    const struct tf_judged_files *files, struct tf_evaluation *out,
    struct tf_error *err);

/*
 * Append to out the field `evaluated` that the entry of a seal has for this
 * judgement, and set *sha256 to the digest of the report.  definition and
 * version: those of the type, or NULL and 0.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_evaluation_field(const struct tf_evaluation *e,
    const char *definition, uint64_t version, struct tf_buf *out,
    struct tf_hash *sha256, struct tf_error *err);

/*
 * The judgement of evidence that cannot be judged: its type is not defined, a
 * file cannot be read.  It is not compliant, and the report is
 * {"causes":[why],"compliant":false,"version":1}.  why is UTF-8.  junit: the
 * rule would have been junit.  Frees and errors as above.
 */
#define TF_TYPE_UNDEFINED "the trail does not define this type"
TF_MUST_USE enum tf_code tf_evaluate_refused(bool junit, const char *why,
    struct tf_evaluation *out, struct tf_error *err);

#endif
