/*
 * The table of what is in a .trailfs.  A new file is a function and a row; a
 * directory is a tree (control_tree.h).
 */
#include <string.h>

#include "control.h"
#include "control_anchor.h"
#include "control_claims.h"
#include "control_definition.h"
#include "control_past.h"
#include "control_rows.h"
#include "core/control.h"
#include "core/package.h"
#include "core/page.h"
#include "core/protection.h"

#define BELOW_ROOT                                                \
	(FS_ROW_AT(TF_KIND_TRAIL) | FS_ROW_AT(TF_KIND_WORKFLOW) | \
	    FS_ROW_AT(TF_KIND_ATTESTATION))

static enum tf_code
checkpoint(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)asker;
	(void)dir;
	return tf_vault_checkpoint(v, out, err);
}

static enum tf_code
vkey(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)asker;
	(void)dir;
	return tf_vault_vkey(v, out, err);
}

static enum tf_code
pem(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)asker;
	(void)dir;
	return tf_vault_pem(v, out, err);
}

static enum tf_code
status(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	return tf_vault_status(v, asker, out, err);
}

static enum tf_code
metrics(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	return tf_vault_metrics(v, asker, out, err);
}

static enum tf_code
denied(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	return tf_vault_denials(v, asker, out, err);
}

static enum tf_code
events_size(struct tf_vault *v, uint64_t dir, uint64_t *mark, uint64_t *size,
    struct tf_error *err)
{
	(void)dir;
	return tf_vault_size(v, mark, size, err);
}

static enum tf_code
events_read(struct tf_vault *v, uint64_t dir, uint64_t mark, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err)
{
	(void)dir;
	return tf_vault_events(v, mark, off, p, n, got, err);
}

static enum tf_code
attestation_proof(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err)
{
	struct tf_view *w = NULL;
	enum tf_code rc = tf_view_open(v, asker, &w, err);

	/* The entry of a seal contains digests of all the evidence. */
	if (rc == TF_OK)
		rc = tf_view_check_whole(w, dir, err);
	tf_view_close(w);
	return rc == TF_OK ? tf_vault_prove(v, dir, out, err) : rc;
}

static enum tf_code
page(struct tf_view *w, uint64_t dir, const struct tf_sink *out,
    struct tf_error *err)
{
	return tf_view_page(w, dir, NULL, out, err);
}

static const struct fs_row rows[] = {
	{ TF_CONTROL_CHECKPOINT, FS_ROW_AT(TF_KIND_ROOT), 0444,
	    .render = checkpoint, .same = true, .walk = true },
	{ TF_CONTROL_VKEY, FS_ROW_AT(TF_KIND_ROOT), 0444, .render = vkey,
	    .same = true },
	{ TF_CONTROL_PEM, FS_ROW_AT(TF_KIND_ROOT), 0444, .render = pem,
	    .same = true },
	{ TF_CONTROL_STATUS, FS_ROW_AT(TF_KIND_ROOT), 0440, .render = status },
	{ TF_CONTROL_EVENTS, FS_ROW_AT(TF_KIND_ROOT), 0440, .size = events_size,
	    .read = events_read, .write = tf_view_events, .past = true },
	/* Each user sees his own attempts. */
	{ TF_CONTROL_DENIED, FS_ROW_AT(TF_KIND_ROOT), 0444, .render = denied },
	{ TF_CONTROL_TILE, FS_ROW_AT(TF_KIND_ROOT), .tree = &fs_tile_tree },
	{ TF_CONTROL_PROOF, FS_ROW_AT(TF_KIND_ATTESTATION),
	    .tree = &fs_proof_tree, .seals = true },
	{ TF_CONTROL_SEAL_PROOF, FS_ROW_AT(TF_KIND_ATTESTATION), 0440,
	    .render = attestation_proof, .slow = true, .sealed = true,
	    .seals = true, .ledger = true },
	/* These show each reader only what that reader may read. */
	{ TF_CONTROL_EVENTS, BELOW_ROOT, 0444, .write = tf_view_events,
	    .past = true, .ledger = true },
	{ TF_CONTROL_CUSTODY, BELOW_ROOT, 0444, .write = tf_view_custody,
	    .past = true, .ledger = true },
	{ TF_CONTROL_ATTESTATION, FS_ROW_AT(TF_KIND_ATTESTATION), 0440,
	    .write = tf_view_attestation, .seals = true, .past = true },
	{ TF_CONTROL_SUMS, FS_ROW_AT(TF_KIND_ATTESTATION), 0440,
	    .write = tf_view_sums, .seals = true, .past = true,
	    .ledger = true },
	{ TF_CONTROL_INTOTO, FS_ROW_AT(TF_KIND_ATTESTATION), 0440,
	    .write = tf_view_intoto, .sealed = true, .seals = true,
	    .past = true, .ledger = true },
	{ TF_CONTROL_SIGSTORE, FS_ROW_AT(TF_KIND_ATTESTATION), 0440,
	    .write = tf_view_sigstore, .sealed = true, .seals = true,
	    .past = true, .ledger = true },
	{ TF_CONTROL_WORD, FS_ROW_AT(TF_KIND_WORKFLOW), 0444,
	    .write = tf_view_status_word, .same = true, .seals = true,
	    .past = true },
	{ TF_CONTROL_STATUS,
	    FS_ROW_AT(TF_KIND_TRAIL) | FS_ROW_AT(TF_KIND_WORKFLOW), 0444,
	    .write = tf_view_status, .seals = true, .past = true },
	{ TF_CONTROL_STATUS_MD, FS_ROW_AT(TF_KIND_WORKFLOW), 0444,
	    .write = tf_view_status_md, .seals = true, .past = true },
	{ TF_CONTROL_PAGE,
	    FS_ROW_AT(TF_KIND_ROOT) | FS_ROW_AT(TF_KIND_TRAIL) |
		FS_ROW_AT(TF_KIND_WORKFLOW),
	    0440, .write = page, .past = true },
	{ TF_CONTROL_TRAIL_PAGE,
	    FS_ROW_AT(TF_KIND_TRAIL) | FS_ROW_AT(TF_KIND_WORKFLOW), 0440,
	    .write = tf_view_trail_page },
	/* It holds all the evidence: it is made for who may read all of that. */
	{ TF_CONTROL_PACKAGE, BELOW_ROOT, 0444, .package = true, .seals = true,
	    .ledger = true },
	{ TF_CONTROL_TEMPLATE, FS_ROW_AT(TF_KIND_TRAIL), 0440,
	    .render = fs_definition_template, .set = &fs_definition_settable,
	    .exists = fs_definition_has_template, .same = true,
	    .ledger = true },
	{ TF_CONTROL_TYPES, FS_ROW_AT(TF_KIND_TRAIL),
	    .tree = &fs_definition_tree },
	{ TF_CONTROL_RECIPIENTS, FS_ROW_AT(TF_KIND_TRAIL), 0440,
	    .render = fs_definition_recipients, .set = &fs_recipients_settable,
	    .exists = fs_definition_has_recipients, .same = true,
	    .ledger = true },
	{ TF_CONTROL_LAST_ERROR, BELOW_ROOT | FS_ROW_AT(TF_KIND_ROOT), 0444,
	    .last_error = true },
	{ TF_CONTROL_MISSING, FS_ROW_AT(TF_KIND_WORKFLOW),
	    .tree = &fs_missing_tree, .seals = true },
	{ TF_CONTROL_USER_DATA, BELOW_ROOT, 0440, .write = tf_view_user_data,
	    .set = &fs_user_data, .exists = fs_has_user_data, .same = true,
	    .past = true, .some = true },
	{ TF_CONTROL_EVALUATION, FS_ROW_AT(TF_KIND_ATTESTATION), 0440,
	    .write = tf_view_report, .exists = fs_has_report, .sealed = true,
	    .seals = true, .past = true, .some = true, .ledger = true },
	{ TF_CONTROL_OVERRIDE, FS_ROW_AT(TF_KIND_ATTESTATION), 0600,
	    .render = fs_override, .set = &fs_override_settable, .same = true,
	    .sealed = true, .seals = true, .ledger = true },
	{ TF_CONTROL_BY_SHA256, FS_ROW_AT(TF_KIND_ROOT),
	    .tree = &fs_by_sha256_tree },
	{ TF_CONTROL_FIND, FS_ROW_AT(TF_KIND_ROOT), .tree = &fs_find_tree },
	{ TF_CONTROL_RETENTION, BELOW_ROOT, 0440, .write = tf_view_retention,
	    .set = &fs_retention_settable },
	{ TF_CONTROL_HOLDS, BELOW_ROOT | FS_ROW_AT(TF_KIND_ROOT), 0440,
	    .write = tf_view_holds, .set = &fs_holds_settable },
	{ TF_CONTROL_REDACTIONS, BELOW_ROOT | FS_ROW_AT(TF_KIND_ROOT), 0440,
	    .write = tf_view_redactions, .set = &fs_redactions_settable },
	{ TF_CONTROL_ANCHOR, FS_ROW_AT(TF_KIND_ROOT), 0600,
	    .render = fs_anchor_empty, .set = &fs_anchor_settable, .same = true,
	    .ledger = true },
	/* These are about the log and not about evidence. */
	{ TF_CONTROL_ANCHORS, FS_ROW_AT(TF_KIND_ROOT), 0444,
	    .render = fs_anchors, .same = true },
	{ TF_CONTROL_COSIGNED, FS_ROW_AT(TF_KIND_ROOT), 0444,
	    .render = fs_cosigned, .exists = fs_has_cosigned, .same = true,
	    .ledger = true },
	{ TF_CONTROL_COSIGNED_DIR, FS_ROW_AT(TF_KIND_ROOT),
	    .tree = &fs_cosigned_tree },
	{ TF_CONTROL_STAMPS, FS_ROW_AT(TF_KIND_ROOT), .tree = &fs_stamps_tree },
	{ TF_CONTROL_METRICS, FS_ROW_AT(TF_KIND_ROOT), 0440,
	    .render = metrics },
	{ TF_CONTROL_REPLAY, FS_ROW_AT(TF_KIND_ATTESTATION),
	    .tree = &fs_replay_tree, .seals = true },
	{ TF_CONTROL_AT, BELOW_ROOT | FS_ROW_AT(TF_KIND_ROOT),
	    .tree = &fs_past_tree },
	/* It has all entries, as events.jsonl.  ls -l in .trailfs must not make it. */
	{ TF_CONTROL_PACKAGE, FS_ROW_AT(TF_KIND_ROOT), 0440, .package = true,
	    .ledger = true, .unlisted = true },
};
#define ROWS (sizeof rows / sizeof rows[0])
_Static_assert(FS_KIND_ROW + ROWS - 1 <= FS_KIND_ROW_LAST, "kinds of rows");

const struct fs_tree *
fs_row_tree(uint64_t ino)
{
	unsigned kind = fs_control_kind(ino);
	const struct fs_tree *t;

	for (unsigned r = 0; r < ROWS; r++) {
		t = rows[r].tree;
		if (t != NULL && kind >= t->first && kind <= t->last)
			return t;
	}
	return NULL;
}

bool
fs_control_is_final(uint64_t ino)
{
	const struct fs_tree *t = fs_row_tree(ino);

	return t != NULL && t->final && !t->is_dir(ino);
}

bool
fs_control_has_evidence(uint64_t ino)
{
	const struct fs_tree *t = fs_row_tree(ino);

	return t != NULL && t->evidence != NULL && !t->is_dir(ino);
}

bool
fs_control_is_package(uint64_t ino, uint64_t *dir)
{
	unsigned r = fs_control_kind(ino) - FS_KIND_ROW;

	*dir = fs_row_owner(ino);
	return r < ROWS && rows[r].package;
}

bool
fs_row_is_dir(uint64_t ino)
{
	const struct fs_tree *t = fs_row_tree(ino);

	return t != NULL ? t->is_dir(ino) : fs_control_kind(ino) == FS_KIND_DIR;
}

uint64_t
fs_row_owner(uint64_t ino)
{
	return ino & FS_NODE_MASK;
}

bool
fs_row_has_editions(uint64_t ino)
{
	return !fs_row_is_dir(ino) && !fs_control_is_final(ino) &&
	    !fs_past_is_node(ino);
}

uint64_t
fs_row_base(uint64_t ino)
{
	return fs_row_has_editions(ino) ? ino & ~FS_EDITION_MASK : ino;
}

static bool
has_row(const struct tf_attr *dir, const struct fs_row *row)
{
	return (row->levels & FS_ROW_AT(dir->kind)) != 0 &&
	    (!row->sealed || dir->state == TF_STATE_SEALED);
}

static uint64_t
row_id(unsigned r, uint64_t dir)
{
	return rows[r].tree != NULL ? rows[r].tree->top(dir) :
				      fs_control_id(FS_KIND_ROW + r, dir);
}

enum tf_code
fs_row_of(uint64_t ino, const struct tf_attr *dir, const struct fs_row **out,
    struct tf_error *err)
{
	unsigned r = fs_control_kind(ino) - FS_KIND_ROW;

	if (r >= ROWS || rows[r].tree != NULL || !has_row(dir, &rows[r]))
		return tf_fail(err, TF_NOTFOUND, "no such control file");
	*out = &rows[r];
	return TF_OK;
}

enum tf_code
fs_row_find(const struct tf_attr *dir, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	for (unsigned r = 0; r < ROWS; r++) {
		if (strcmp(rows[r].name, name) != 0 || !has_row(dir, &rows[r]))
			continue;
		*ino = row_id(r, dir->id);
		return TF_OK;
	}
	return tf_fail(err, TF_NOTFOUND, "no such control file");
}

enum tf_code
fs_row_past(const struct tf_attr *dir, unsigned r, const struct fs_row **out,
    struct tf_error *err)
{
	if (r >= ROWS || !rows[r].past || !has_row(dir, &rows[r]))
		return tf_fail(err, TF_NOTFOUND, "no such control file");
	*out = &rows[r];
	return TF_OK;
}

enum tf_code
fs_row_find_past(const struct tf_attr *dir, const char *name, unsigned *number,
    struct tf_error *err)
{
	for (*number = 0; *number < ROWS; ++*number)
		if (rows[*number].past && has_row(dir, &rows[*number]) &&
		    strcmp(rows[*number].name, name) == 0)
			return TF_OK;
	return tf_fail(err, TF_NOTFOUND, "no such control file");
}

bool
fs_row_next_past(const struct tf_attr *dir, uint64_t *at, const char **name)
{
	while (*at < ROWS && !(rows[*at].past && has_row(dir, &rows[*at])))
		++*at;
	if (*at >= ROWS)
		return false;
	*name = rows[*at].name;
	return true;
}

bool
fs_row_any_settable(const struct tf_attr *dir)
{
	for (unsigned r = 0; r < ROWS; r++)
		if (rows[r].set != NULL && has_row(dir, &rows[r]))
			return true;
	return false;
}

bool
fs_row_asks_for_seal(const struct tf_attr *dir, const char *name)
{
	for (unsigned r = 0; r < ROWS; r++)
		if (rows[r].seals &&
		    (rows[r].levels & FS_ROW_AT(dir->kind)) != 0 &&
		    strcmp(rows[r].name, name) == 0)
			return true;
	return false;
}

bool
fs_row_next(const struct tf_attr *dir, uint64_t *at, const char **name,
    uint64_t *ino)
{
	while (*at < ROWS && (!has_row(dir, &rows[*at]) || rows[*at].unlisted))
		++*at;
	if (*at >= ROWS)
		return false;
	*name = rows[*at].name;
	*ino = row_id((unsigned)*at, dir->id);
	return true;
}
