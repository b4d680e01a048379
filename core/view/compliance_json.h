/* The member compliance_status of status.json of a workflow: the state of its
 * artifacts and of each attestation, and the words.  trailfs-json(5) defines
 * it. */
#ifndef TF_VIEW_COMPLIANCE_JSON_H
#define TF_VIEW_COMPLIANCE_JSON_H

#include "../error.h"

struct tf_json;
struct tf_judgement;
struct tf_sink;
struct tf_view;

/* Write the member.  The list of attestations may be long, so the text that j
 * has so far may go to out in pieces.  On failure the text is void. */
TF_MUST_USE enum tf_code tf_put_compliance(struct tf_view *w, struct tf_json *j,
    const struct tf_judgement *f, const struct tf_sink *out,
    struct tf_error *err);

#endif
