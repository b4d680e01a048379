/*
 * Types of attestations, as data that people write: which JSON file of an
 * attestation is judged, what form it must have, and which checks must hold.
 *
 *	version: 1
 *	description: Every merged pull request was reviewed
 *	evidence: review.json
 *	schema: {type: object, required: [pulls]}
 *	requirements:
 *	- id: reviewed
 *	  subject_type: pull_request
 *	  from: pulls
 *	  subject_id: number
 *	  require: every
 *	  min_subjects: 1
 *	  applies_to:
 *	  - {operator: equals, path: state, value: merged}
 *	  checks:
 *	  - {id: approver, operator: non_empty_string, path: approver}
 *	  - id: signed
 *	    operator: all
 *	    path: commits
 *	    check: {operator: equals, path: verified, value: true}
 *
 * A type has a schema, requirements, or both.  A requirement is about subjects:
 * the elements of the array at from, or the one object there; without from,
 * the whole text.  applies_to drops subjects of which one of its checks does
 * not hold.  The requirement is satisfied if at least min_subjects remain and
 * all checks hold for every one of them (some: for one of them, or none remain
 * and min_subjects is 0).  id defaults to check-N, N being the place in its
 * list.  substitute is a check that may hold in place of another.
 */
#ifndef TF_LEDGER_TYPE_H
#define TF_LEDGER_TYPE_H

#include "../evaluation.h"
#include "operators.h"
#include "schema.h"

#define TF_TYPE_REQUIREMENTS 64
#define TF_TYPE_CHECKS 64 /* per list */

struct tf_type_checks {
	const struct tf_type_check *check;
	size_t n;
};

struct tf_requirement {
	struct tf_str id, description, subject_type;
	struct tf_path from, subject_id;
	bool has_subject_id;
	bool some; /* require: some */
	uint64_t min_subjects;
	struct tf_type_checks applies_to, checks;
};

struct tf_type {
	struct tf_str description;	/* p NULL: none */
	struct tf_str evidence;		/* path below the attestation */
	const struct tf_schema *schema; /* or NULL */
	const struct tf_requirement *requirements;
	size_t n;
	unsigned patterns; /* regular expressions in it */
	struct tf_yaml text;
	struct tf_arena arena;
};

#endif
