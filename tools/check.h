/*
 * Collects what a verification by core/verify.h finds: in order, safe to show,
 * and at most CHECK_KEPT findings per check.
 */
#ifndef TRAILCTL_CHECK_H
#define TRAILCTL_CHECK_H

#include "core/verify.h"

#define CHECK_KEPT 1000 /* findings per check; all are counted */

enum check_form {
	CHECK_STORE,
	CHECK_LOG,
	CHECK_PROOF,
	CHECK_PACKAGE,
	CHECK_AGAINST, /* a directory, compared with a store */
};

struct check_finding {
	enum tf_grade grade;
	uint64_t seq;		 /* of the entry; UINT64_MAX: of none */
	char *path, *text;	 /* safe to show; path may be "" */
	bool has_want, has_have; /* see struct tf_finding */
	struct tf_content want, have;
};

struct check {
	/* Set by the caller. */
	enum check_form form;
	bool contents;	    /* the caller wants them verified */
	bool earlier;	    /* the caller gave an earlier checkpoint */
	bool stamps;	    /* the caller gave certificates for time stamps */
	const char *quorum; /* the name in the caller's policy, or NULL */
	bool progress;	    /* show progress: stderr is a terminal */
	/* Filled by the check. */
	struct tf_report report;
	struct check_result {
		struct check_finding *kept; /* the first, in order */
		size_t n;
		uint64_t all;	 /* findings of all grades */
		uint64_t found;	 /* those of grade TF_GRADE_WRONG and _BESIDE */
		uint64_t beside; /* those of grade TF_GRADE_BESIDE */
	} check[TF_CHECKS];
	/* What a proof or a package is about: canonical JSON, and lines for
	 * people.  Empty when that is not known. */
	struct tf_buf subject, subject_lines;
	bool no_memory;
	int percent; /* shown last; -1: none */
};

/*
 * Callbacks for struct tf_verify; arg is a struct check. They copy what they
 * keep. A failed allocation sets no_memory, and the verification goes on: the
 * caller then has no complete list and must not print a verdict.
 */
void check_found(void *arg, const struct tf_finding *f);
void check_about(void *arg, const struct tf_about *s);
void check_progress(void *arg, uint64_t done, uint64_t total);

/* The verification is over, with any result: sort the findings, keep the first
 * CHECK_KEPT per check, and clear the progress line on stderr. */
void check_end(struct check *c);
void check_free(struct check *c);

#endif
