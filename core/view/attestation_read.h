/* What attestation.json is made of. */
#ifndef TF_VIEW_ATTESTATION_READ_H
#define TF_VIEW_ATTESTATION_READ_H

#include <stddef.h>
#include <stdint.h>

#include "../buffer.h"
#include "../ledger/evaluated.h"
#include "../node/attr.h"
#include "../node/evidence.h"
#include "claimed.h"
#include "compliance.h"
#include "view.h"

/* The sources of attestation.json. */
struct tf_attested {
	struct tf_attr attr;
	struct tf_buf path;
	struct tf_loaded_entry begun, seal, override;
	struct tf_claimed claimed;
	struct tf_evaluated_field evaluated;
	/* Its judgement, or NULL: a draft.  See tf_judgement_of_attestation. */
	const struct tf_judgement *f;
	size_t at; /* its index there */
	struct tf_evidence ev;
	struct tf_damage damage; /* what cannot be read of all this */
};

/* Read all of attestation id, the evidence that the asker may read included.
 * *a is zeroed before; free it with tf_attested_free, also on failure.  What
 * cannot be read is in a->damage, except in a view for a package.
 * TF_NOTFOUND: it is no attestation. */
TF_MUST_USE enum tf_code tf_attested_read(struct tf_view *w, uint64_t id,
    struct tf_attested *a, struct tf_error *err);
/* Read its entries and its judgement only.  A draft has none: TF_OK, and all
 * stays empty.  a->f belongs to the view. */
TF_MUST_USE enum tf_code tf_attested_entries(struct tf_view *w, uint64_t id,
    struct tf_attested *a, struct tf_error *err);
void tf_attested_free(struct tf_attested *a);

#endif
