/* Claims, and JSON that people gave, with Kosli's keys.  trailfs-json(5)
 * defines them. */
#ifndef TF_VIEW_CLAIMED_JSON_H
#define TF_VIEW_CLAIMED_JSON_H

#include <stdint.h>

#include "../error.h"

struct tf_attested;
struct tf_claimed;
struct tf_json;
struct tf_view;

#define TF_SHOWN_JSON_MAX 65536 /* bytes of JSON that is shown as a member */

/* Write artifact_fingerprint and git_commit_info, from the annotations of
 * that meaning; nothing if there is none, or if it is no digest. */
void tf_put_fingerprint(struct tf_json *j, const struct tf_claimed *c);
void tf_put_commit(struct tf_json *j, const struct tf_claimed *c);
/* Write repo_ids, a list of the annotation repo_id; nothing without it. */
void tf_put_repository(struct tf_json *j, const struct tf_claimed *c);

/*
 * Write user_data, the user data of node id as JSON, and user_data_file, their
 * digest and size; nothing if there are none.  user_data has the digest, too,
 * if they are no JSON, too long, damaged, or not for this asker.  Errors: those
 * of the database, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_put_user_data(struct tf_view *w, struct tf_json *j,
    uint64_t id, const struct tf_claimed *c, struct tf_error *err);

/* Write attestation_data of a sealed attestation: the counts of JUnit reports,
 * the verdict of a decision, or the JSON that its type judged; nothing if there
 * is no such thing, or if it is too long, damaged, or not for this asker.
 * Errors: as above. */
TF_MUST_USE enum tf_code tf_put_attestation_data(struct tf_view *w,
    struct tf_json *j, const struct tf_attested *a, struct tf_error *err);

#endif
