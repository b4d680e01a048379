/*
 * The subset of JSON Schema that types of attestations may use: type, required,
 * properties, items, enum, pattern, minimum, maximum.
 *
 * The keywords mean what JSON Schema says.  Other keywords are refused, as are
 * those that would have no effect: pattern needs the type string, minimum and
 * maximum number or integer, required and properties object, items array.
 */
#ifndef TF_LEDGER_SCHEMA_H
#define TF_LEDGER_SCHEMA_H

#include "operators.h"
#include "type_parts.h"

struct tf_schema;

/* Parse the schema at node i into d's memory. */
TF_MUST_USE enum tf_code tf_schema_parse(struct tf_defining *d, int i,
    const struct tf_schema **out, struct tf_error *err);

/* A place where the evidence is not as the schema says. */
struct tf_violation {
	struct tf_str place; /* a.b[3].c; empty: the whole text */
	const char *keyword; /* of the schema */
	uint32_t value;	     /* the value there; TF_ANY_NONE: missing */
};

/*
 * Check the whole text of x against the schema, and call found for each
 * violation, in an order that depends on nothing else.  The place is valid
 * during the call.
 * Errors: TF_NOMEM; TF_TOOBIG: more work than a judgement may need.
 */
TF_MUST_USE enum tf_code tf_schema_check(const struct tf_schema *s,
    struct tf_judging *x, void (*found)(void *arg, const struct tf_violation *),
    void *arg, struct tf_error *err);

#endif
