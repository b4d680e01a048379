/* The findings of trailctl compare for programs. */
#ifndef TRAILCTL_COMPARE_FINDINGS_H
#define TRAILCTL_COMPARE_FINDINGS_H

#include "check.h"
#include "core/compare.h"

struct compared {
	const struct check *check;
	struct tf_leaf_list *leaves; /* NULL: none */
	struct tf_str entry; /* at the fork, any JSON; p NULL: none to show */
};

struct compared_fork {
	bool is;
	uint64_t at; /* the entry; UINT64_MAX: not known */
	/* Of the entries before this number those that both sides have are
	 * equal. */
	uint64_t common;
};

/*
 * Write the member "findings", unless there are none: the fork first, then the
 * findings of side a and of side b that were kept, as the text lists them.
 * *left_out becomes the number of the others.  An error in the form of a value
 * sets j->failed.  Errors: TF_IO.
 */
TF_MUST_USE enum tf_code compare_findings(struct tf_json *j,
    const struct compared s[2], const struct compared_fork *fork,
    uint64_t *left_out, struct tf_error *err);

/* Write a member with digest and size of bytes.  A zero digest and the size
 * UINT64_MAX are not known and left out; c NULL: write none. */
void compare_put_content(struct tf_json *j, const char *key,
    const struct tf_content *c);

#endif
