/*
 * Placeholders: files that were created and never written.  A close makes a
 * placeholder durable and does not freeze it, because programs create a file
 * and open it again to write it.  It is sealed as an empty file on request, or
 * some time after its last close.
 */
#include "../base/clock.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/vault_i.h"
#include "../vault.h"
#include "placeholder.h"

void
tf_placeholder_rest(struct tf_pending *l)
{
	struct tf_vault *v = l->v;

	l->deadline_ns = tf_clock_boot_ns() +
	    v->settings.value[TF_PLACEHOLDER] * TF_SECOND;
	tf_pending_index(l);
}
