/* Attributes of pending nodes, and how the policy sees a node: see attr.h. */
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/time_text.h"
#include "../crypt/age_write.h"
#include "../ledger/policy.h"
#include "../vault.h"
#include "attr.h"
#include "encrypted.h"
#include "pending.h"
#include "pending_index.h"
#include "vault_i.h"
#include "recipients.h"

struct tf_subject
tf_pending_subject(const struct tf_pending *l, uint32_t caller)
{
	struct tf_subject s = { .kind = l->attr.kind,
		.state = l->attr.state,
		.size = l->attr.size,
		.uid = l->attr.uid };

	s.open_by_other = l->writers > 0 && l->writer != caller;
	return s;
}

enum tf_code
tf_pending_opened(struct tf_pending *l, uint32_t uid, struct tf_error *err)
{
	enum tf_code rc = tf_pending_note_writer(l, uid, err);

	if (rc != TF_OK)
		return rc;
	if (l->writers++ == 0)
		l->writer = uid;
	tf_pending_index(l);
	return TF_OK;
}

bool
tf_pending_shows_encrypted(const struct tf_pending *l)
{
	return l->secret && l->attr.state == TF_STATE_FROZEN &&
	    l->failed == TF_OK;
}

struct tf_attr
tf_pending_shown(const struct tf_pending *l)
{
	struct tf_attr a = l->attr;

	a.secret = l->secret;
	if (!tf_pending_shows_encrypted(l))
		return a;
	if (l->encrypted != NULL)
		a.size = l->encrypted->content.size;
	else if (l->to != NULL)
		a.size = tf_age_size(&l->to->list, a.size);
	return a;
}

enum tf_code
tf_pending_may_read(const struct tf_pending *l, uint32_t uid, bool encrypts,
    struct tf_error *err)
{
	unsigned i = 0;

	/* Frozen content that is not secret is older than the recipients. */
	if (l->secret ? tf_pending_shows_encrypted(l) :
			!encrypts || l->attr.state == TF_STATE_FROZEN)
		return TF_OK;
	if (uid == l->attr.uid)
		return TF_OK;
	while (i < l->n_uids && l->uids[i] != uid)
		i++;
	return i < l->n_uids ?
	    TF_OK :
	    tf_fail(err, TF_ACCESS,
		"only its writers read it before it is encrypted");
}

void
tf_attr_apply(struct tf_attr *a, unsigned mask, const struct tf_attr *want)
{
	struct tf_time now = tf_clock_now();

	if ((mask & TF_SET_MODE) != 0)
		a->mode = want->mode & 07777;
	else if ((mask & (TF_SET_UID | TF_SET_GID)) != 0 &&
	    a->kind == TF_KIND_EVIDENCE)
		a->mode = tf_mode_without_ids(a->mode);
	if ((mask & TF_SET_UID) != 0)
		a->uid = want->uid;
	if ((mask & TF_SET_GID) != 0)
		a->gid = want->gid;
	if ((mask & TF_SET_MTIME) != 0)
		a->mtime = tf_time_is_now(want->mtime) ?
		    now :
		    tf_time_clamp(want->mtime);
	a->ctime = now;
}

uint32_t
tf_mode_floor(const struct tf_vault *v, enum tf_kind kind)
{
	uint32_t floor = (uint32_t)v->settings.value[TF_MODE_FLOOR];

	if (kind == TF_KIND_EVIDENCE)
		return floor;
	floor |= floor >> 2;
	return kind == TF_KIND_TRAIL ? floor & ~07u : floor;
}

static const char *const state_names[TF_STATES] = {
	[TF_STATE_PLACEHOLDER] = "placeholder",
	[TF_STATE_OPEN] = "open",
	[TF_STATE_DRAFT] = "draft",
	[TF_STATE_FROZEN] = "frozen",
	[TF_STATE_SEALED] = "sealed",
};

const char *
tf_state_name(enum tf_state s)
{
	return state_names[s];
}

bool
tf_time_is_now(struct tf_time t)
{
	return t.s == INT64_MIN;
}
