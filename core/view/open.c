/*
 * Opens and closes a view: see view.h and core/page.h.
 *
 * A view is one read transaction on a reader connection of the vault.  All
 * reads of one control file see the same ledger while the sealer goes on to
 * append: a page that counts N attestations lists N, and a digest belongs to
 * the list beside it.  The clock is read once for the same reason: all
 * deadlines of one view are judged at one moment.  The price is that SQLite
 * cannot shrink its WAL file while a view is open.
 */
#include <stdlib.h>

#include "../asker.h"
#include "../base/clock.h"
#include "../node/base.h"
#include "../node/past.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/transaction.h"
#include "compliance.h"
#include "template.h"
#include "view.h"

enum tf_code
tf_view_open(struct tf_vault *v, const struct tf_asker *who,
    struct tf_view **out, struct tf_error *err)
{
	struct tf_view *w = calloc(1, sizeof(*w));
	uint64_t bytes;
	enum tf_code rc;

	if (w == NULL)
		return tf_nomem(err);
	w->v = v;
	w->now = tf_clock_now();
	w->all = tf_asker_may_all(who);
	if (!w->all)
		w->who = *who;
	if ((rc = tf_reader_db(v, &w->db, err)) != TF_OK) {
		free(w);
		return rc;
	}
	if ((rc = tf_db_snapshot(w->db, err)) == TF_OK)
		rc = tf_entries_size(w->db, &w->entries, &bytes, err);
	if (rc != TF_OK) {
		tf_view_close(w);
		return rc;
	}
	*out = w;
	return TF_OK;
}

/* As in a package, what no entry records is not there. */
enum tf_code
tf_view_open_at(struct tf_vault *v, const struct tf_asker *who, uint64_t size,
    struct tf_view **out, struct tf_error *err)
{
	struct tf_view *w = NULL;
	enum tf_code rc = tf_view_open(v, who, &w, err);

	if (rc != TF_OK)
		return rc;
	if ((rc = tf_past_begin(v, w->db, size, &w->now, err)) != TF_OK) {
		tf_view_close(w);
		return rc;
	}
	w->entries = size;
	w->past = w->ledger_only = w->raised = true;
	*out = w;
	return TF_OK;
}

/* The transaction ends before the connection goes back, or its next user would
 * see an old ledger. */
void
tf_view_close(struct tf_view *w)
{
	if (w == NULL)
		return;
	tf_db_rollback(w->db);
	tf_db_end_now(w->db);
	tf_reader_done(w->v, w->db);
	tf_view_templates_free(w->templates);
	tf_judged_free(w->judged);
	free(w);
}

uint64_t
tf_view_entries(const struct tf_view *w)
{
	return w->entries;
}

struct tf_vault *
tf_view_vault(const struct tf_view *w)
{
	return w->v;
}
