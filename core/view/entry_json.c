/*
 * JSON members about an entry: see entry_json.h.
 *
 * An entry has a time that only orders the ledger, and sometimes the reading of
 * the clock beside it.  Exact members give both under different names; members
 * in seconds, which Kosli's clients read, give the time of the event.
 */
#include "entry_json.h"

#include "../base/member.h"
#include "../json.h"
#include "../ledger/entry.h"
#include "view.h"

void
tf_put_clock(struct tf_json *j, const char *key, const struct tf_entry *e)
{
	bool moved;
	struct tf_time when = tf_entry_when(e, &moved);

	if (moved)
		tf_put_time(j, key, when);
}

struct tf_time
tf_event_time(const struct tf_loaded_entry *t)
{
	bool moved;
	struct tf_time when = tf_entry_when(&t->d.e, &moved);

	return moved ? when : t->d.e.at;
}

void
tf_put_user(struct tf_json *j, const char *key, const struct tf_loaded_entry *t)
{
	struct tf_buf who = { 0 };

	if (!t->is)
		return;
	tf_who(&t->d.e, &who);
	tf_json_key(j, key);
	tf_json_buf(j, &who);
	tf_buf_free(&who);
}

void
tf_put_event(struct tf_json *j, const char *key,
    const struct tf_loaded_entry *t)
{
	const struct tf_entry *e = &t->d.e;

	if (!t->is)
		return; /* not yet, or damaged: see "damaged" */
	tf_json_key(j, key);
	tf_json_object(j);
	tf_put_time(j, "at", e->at);
	tf_put_raw(j, "by", e->actor);
	if (e->cause.p != NULL)
		tf_put_str(j, "cause", e->cause);
	tf_put_clock(j, "clock", e);
	tf_put_uint(j, "index", e->seq);
	if (e->type == TF_ATTESTATION_OVERRIDDEN) {
		tf_put_bool(j, "is_compliant", e->compliant);
		tf_put_raw(j, "reason",
		    tf_json_text(&t->d.doc,
			tf_json_get(&t->d.doc, 0, "reason")));
	}
	tf_json_object_end(j);
}
