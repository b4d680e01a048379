/*
 * The text of templates, and its parser.  The text is Kosli's flow
 * template, version 1, with the extensions of trailfs under `x-trailfs`:
 *
 *	version: 1
 *	trail:
 *	  x-trailfs:
 *	    strict: true
 *	  attestations:
 *	    - name: approval
 *	      type: generic
 *	      x-trailfs:
 *	        optional: false
 *	        count: 2
 *	        different_users: true
 *	        deadline: 24h
 *	        users: [alice, 1001]
 *	        groups: [release]
 *	        after: [tests]
 *	        control: CC8.1
 *	  artifacts:
 *	    - name: backend
 *	      attestations:
 *	        - name: unit-tests
 *	          type: junit
 *
 * An attestation of an artifact is the slot ARTIFACT.ATTESTATION.  `trail` may
 * be null or absent: then nothing is required.  Unknown keys, names that an
 * attestation cannot have, and names of slots or artifacts that are there twice
 * are refused.  The meaning of each extension is that of status.h.
 */
#ifndef TF_LEDGER_TEMPLATE_PARSE_H
#define TF_LEDGER_TEMPLATE_PARSE_H

#include "template.h"

/*
 * Parse n bytes at text, which may be freed afterwards.  On TF_OK free t with
 * tf_template_free; on failure t holds nothing.  Errors: TF_INVALID with "line
 * L, column C: reason" in err; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_template_parse(struct tf_template *t,
    const char *text, size_t n, struct tf_error *err);

#endif
