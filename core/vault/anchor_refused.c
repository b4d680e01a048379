/*
 * Recording refusals of mirrors and witnesses: see core/anchor.h.  Nothing is
 * appended, so that this works in a store that may not continue its log.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/file.h"
#include "../ledger/field_text.h"
#include "../ledger/note.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../store/refusals.h"
#include "../vault.h"
#include "anchor.h"

static enum tf_code
check(const struct tf_refusal *r, struct tf_error *err)
{
	struct tf_note note;

	if (strcmp(r->kind, TF_ANCHOR_MIRROR) != 0 &&
	    strcmp(r->kind, TF_ANCHOR_WITNESS) != 0)
		return tf_fail(err, TF_INVALID,
		    "a mirror or a witness refuses a log, no other kind");
	if (strlen(r->name) > TF_ANCHOR_NAME_MAX ||
	    !tf_text_anchor_name_ok(r->name, strlen(r->name)))
		return tf_fail(err, TF_INVALID,
		    "the name of an anchor has only A-Za-z0-9._~:/+- (1 to %d)",
		    TF_ANCHOR_NAME_MAX);
	if (r->head != NULL &&
	    (r->head_n > TF_ANCHOR_NOTE_MAX ||
		!tf_note_split(r->head, r->head_n, &note)))
		return tf_fail(err, TF_INVALID, "the head is no signed note");
	return TF_OK;
}

static enum tf_code
put(int dirfd, const struct tf_refusal *r, struct tf_error *err)
{
	const struct tf_refusal_row row = { .at = tf_clock_now(),
		.kind = tf_str_of(r->kind),
		.name = tf_str_of(r->name),
		.text = tf_str_of(r->text == NULL ? "" : r->text),
		.head = { r->head, r->head_n } };
	enum tf_code rc = check(r, err);

	if (rc != TF_OK)
		return rc;
	return row.text.n > 0 ?
	    tf_refusals_put(dirfd, &row, err) :
	    tf_refusals_remove(dirfd, row.kind, row.name, err);
}

enum tf_code
tf_anchor_may(struct tf_vault *v, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_attr root;
	enum tf_code rc = tf_vault_writable(v, err);

	if (rc == TF_OK)
		rc = tf_vault_getattr(v, TF_ROOT_ID, &root, err);
	if (rc == TF_OK && who->uid != 0 && who->uid != root.uid)
		rc = tf_fail(err, TF_DENIED,
		    "only the owner of the vault's root directory and root may "
		    "record an anchor");
	return rc;
}

enum tf_code
tf_vault_anchor_refused(struct tf_vault *v, const struct tf_actor *who,
    const struct tf_refusal *r, struct tf_error *err)
{
	enum tf_code rc = tf_anchor_may(v, who, err);

	return rc == TF_OK ? put(v->dirfd, r, err) : rc;
}

enum tf_code
tf_store_anchor_refused(const char *path, const struct tf_refusal *r,
    struct tf_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
		    strerror(errno));
	rc = put(fd, r, err);
	(void)close(fd); /* only read */
	return rc;
}

enum tf_code
tf_anchor_accepted(struct tf_vault *v, const struct tf_anchor *a,
    struct tf_error *err)
{
	return tf_refusals_remove(v->dirfd, tf_str_of(a->kind),
	    tf_str_of(a->name), err);
}
