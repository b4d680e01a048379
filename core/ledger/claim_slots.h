/*
 * Claims as slots: the JSON object of claims, parsed so that one value can be
 * changed.  claims.h has the rules.  The functions are pure.
 */
#ifndef TF_LEDGER_CLAIM_SLOTS_H
#define TF_LEDGER_CLAIM_SLOTS_H

#include "../json.h"
#include "fields.h"

#define TF_ANNOTATIONS_MAX 64
#define TF_URLS_MAX 16
#define TF_CLAIM_NAME_MAX 64 /* bytes of a name behind a dot */

/* The claims with one value, in the order of their JSON keys. */
enum {
	TF_CLAIM_COMPLIANT,
	TF_CLAIM_CONTROL,
	TF_CLAIM_DESCRIPTION,
	TF_CLAIM_ON_BEHALF_OF,
	TF_CLAIM_ORIGIN_URL,
	TF_CLAIM_TYPE,
	TF_CLAIM_USER_DATA_CONTENT,
	TF_CLAIM_SINGLES
};

struct tf_single_claim {
	const char *key, *json;
	enum tf_form form;
	size_t max; /* bytes of the value between its quotes */
	bool everywhere;
};
extern const struct tf_single_claim tf_single_claims[TF_CLAIM_SINGLES];

/* Values are the text of canonical JSON; p NULL: absent. */
struct tf_named_claim {
	struct tf_str name, value, fingerprint;
};

struct tf_claim_slots {
	struct tf_json_doc doc;
	struct tf_str single[TF_CLAIM_SINGLES];
	/* One more than allowed: the form of the result refuses it. */
	struct tf_named_claim annotation[TF_ANNOTATIONS_MAX + 1],
	    url[TF_URLS_MAX + 1];
	size_t n_annotations, n_urls;
};

/* Parse claims (n 0: none), which *c points into.  The caller frees *c with
 * tf_claim_slots_free, also on failure.  Errors: TF_INVALID, TF_TAMPER (not the
 * form of claims), TF_NOMEM. */
TF_MUST_USE enum tf_code tf_claim_slots_parse(struct tf_claim_slots *c,
    struct tf_str json, struct tf_error *err);
/* Free what the parse made; the JSON stays the caller's. */
void tf_claim_slots_free(struct tf_claim_slots *c);
/* Append the claims to out; nothing if there are none.  Errors: TF_NOSPACE (too
 * many), TF_INVALID (a name that is no key of JSON), TF_NOMEM. */
TF_MUST_USE enum tf_code tf_claim_slots_put(const struct tf_claim_slots *c,
    struct tf_buf *out, struct tf_error *err);

#endif
