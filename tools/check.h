/*
 * What a check by core/verify.h finds, as it comes: kept in order, safe to
 * show, and not more of it than memory should hold.
 */
#ifndef TRAILCTL_CHECK_H
#define TRAILCTL_CHECK_H

#include "core/verify.h"

#define CHECK_KEPT 1000 /* findings of a link that are told; all are counted */

enum check_form {
	CHECK_STORE,
	CHECK_LOG,
	CHECK_PROOF,
	CHECK_PACKAGE,
	CHECK_AGAINST, /* a directory with a store */
};

struct check_finding {
	enum tf_grade grade;
	uint64_t seq;	   /* UINT64_MAX: of no entry */
	char *path, *text; /* safe to show; path may be "" */
};

struct check {
	/* Set by the caller. */
	enum check_form form;
	bool contents; /* they were asked for */
	bool earlier;  /* a checkpoint from earlier was given */
	bool progress; /* a terminal watches */
	/* Filled by the check. */
	struct tf_report report;
	struct check_link {
		struct check_finding *kept; /* the first ones; by entry */
		size_t n;
		uint64_t told;	 /* in all */
		uint64_t found;	 /* in all */
		uint64_t beside; /* of grade TF_GRADE_BESIDE */
	} check[TF_CHECKS];
	/* What a proof or a package speaks of: canonical JSON, and lines for
	 * people.  Empty: of nothing, or not known. */
	struct tf_buf subject, subject_lines;
	bool no_memory;
	int percent; /* shown last; -1: nothing is shown */
};

/* For struct tf_verify; arg is a struct check. */
void check_found(void *arg, const struct tf_finding *f);
void check_about(void *arg, const struct tf_about *s);
void check_progress(void *arg, uint64_t done, uint64_t total);

/* The check is over: bring what was found in order, hide the progress. */
void check_end(struct check *c);
void check_free(struct check *c);

#endif
