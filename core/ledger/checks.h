/*
 * Judges a JSON file by a type of attestations and writes the report.
 *
 * The report is JSON without white space, with sorted keys:
 *
 *	{"compliant":false,
 *	 "evidence":{"name":"review.json","sha256":"...","size":312},
 *	 "requirements":[{"checks":[...],"id":"reviewed","min_subjects":1,
 *	  "require":"every","satisfied":false,
 *	  "subjects":{"matching":2,"total":3}}],
 *	 "results":[{"cause":"absent","check":"approver",
 *	  "inputs":[{"name":"approver","value":null}],"passed":false,
 *	  "requirement":"reviewed","subject":{"id":7,"type":"pull_request"}}],
 *	 "version":1}
 *
 * Requirements and their checks stand in the order of the definition, which
 * they repeat; results in the order of requirements, subjects and checks.  A
 * value of the evidence keeps its numbers and the order of its members.  One
 * that is longer than 256 bytes is a text with the first 256 bytes of its JSON,
 * and "cut":true stands beside it.
 *
 * Rows whose check begins with $ are not in the definition:
 *
 *	$well_formed	the evidence is there and is JSON
 *	$schema		it is as the schema says; one row per violation
 *	$applies	the subject is not dropped by applies_to; a row that did
 *			not pass is no fault
 *	$min_subjects	enough subjects remain
 *	$cut		how many rows were left out.  The report has the first
 *			500 rows that passed and the first 500 that did not, less
 *			if they are long.
 *
 * $well_formed, $schema and $cut belong to the requirement $evidence.
 */
#ifndef TF_LEDGER_CHECKS_H
#define TF_LEDGER_CHECKS_H

#include "../evaluation.h"
#include "type.h"

/*
 * Judge evidence, or, if problem is not NULL, say in the report that there is
 * none for this reason; absent: because there is no such file.  The caller
 * frees *out with tf_evaluation_free, also on failure.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_checks_evaluate(const struct tf_type *t,
    struct tf_str evidence, const char *problem, bool absent,
    struct tf_evaluation *out, struct tf_error *err);

#endif
