/*
 * Collects what a verification by core/verify.h finds: in order, safe to show,
 * and at most CHECK_KEPT findings per check.
 */
#ifndef TRAILCTL_CHECK_H
#define TRAILCTL_CHECK_H

#include "core/verify.h"
#include "progress.h"

#define CHECK_KEPT 1000 /* findings per check; all are counted */

enum check_form {
	CHECK_STORE,
	CHECK_LOG,
	CHECK_PROOF,
	CHECK_PACKAGE,
	CHECK_AGAINST, /* a directory, compared with a store */
	/* The packages of what the caller may read, for who may not read the
	 * ledger of the mount. */
	CHECK_PACKAGES,
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
	bool timed;	    /* --since or --until was given */
	bool stamps;	    /* the caller gave certificates for time stamps */
	const char *quorum; /* the name in the caller's policy, or NULL */
	struct progress progress; /* what and silent */
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
	struct tf_buf about; /* its path, safe to show, and its entry */
	uint64_t about_seq;
	const char *compared; /* of CHECK_AGAINST: the path in the store */
	/* Of CHECK_PACKAGES: how many there are, the path of the present one;
	 * the paths that were left out (the first CHECK_KEPT are kept), and
	 * whether the ledger of the vault was. */
	uint64_t packages;
	const char *package;
	char **left; /* safe to show */
	size_t n_left;
	uint64_t left_paths;
	bool left_ledger;
	bool no_memory;
};

/*
 * Callbacks for struct tf_verify; arg is a struct check. They copy what they
 * keep. A failed allocation sets no_memory, and the verification goes on: the
 * caller then has no complete list and must not print a verdict.
 */
void check_found(void *arg, const struct tf_finding *f);
void check_about(void *arg, const struct tf_about *s);
void check_progress(void *arg, uint64_t done, uint64_t total);

/* Does the finding only tell something, without failing its check? */
bool check_is_note(const struct check_finding *f);
/* Is it about packages?  Each is one by itself. */
bool check_is_package(const struct check *c);
/* Was something left out, of what the caller asked for? */
bool check_left_any(const struct check *c);
/* The caller may not read all of the path: it was left out. */
void check_leave(struct check *c, const char *path);
/* Another package was verified: add its report to that of all. */
void check_add(struct check *c, const struct tf_report *r);

/* The verification is over, with any result: sort the findings, keep the first
 * CHECK_KEPT per check, and clear the progress line on stderr. */
void check_end(struct check *c);
void check_free(struct check *c);

#endif
