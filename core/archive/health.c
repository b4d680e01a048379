/*
 * How the vault was in the period of a package, from the entries about it:
 * ledger.opened and ledger.closed, clock.jumped and clock.observed, verify.done and
 * verify.failed, and evidence.interrupted of the packaged directory.
 *
 * A daemon is a session of the program trailfs; other programs open the vault only
 * while nothing has it mounted.  A session that a crash ended has no ledger.closed:
 * the vault was open until the last entry of the package before at least, and the
 * window begins there, so that it is never shorter than it was.
 *
 * Before the period a package has only some openings, so they only say how the
 * period began.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/member.h"
#include "../json.h"
#include "../ledger/entry.h"
#include "../ledger/verify_run.h"
#include "health.h"
#include "select.h"

#define DAEMON "trailfs" /* the program of ledger.opened */

/* --- events --------------------------------------------------------------- */

static enum tf_code
add(struct tf_health *h, const struct tf_health_event *e, struct tf_str text,
    struct tf_str actor, struct tf_error *err)
{
	struct tf_health_event *to;

	if (!tf_array_room(&h->e, h->n, &h->cap, sizeof(*h->e)))
		return tf_nomem(err);
	to = &h->e[h->n++];
	*to = *e;
	if ((text.p != NULL && (to->text = strndup(text.p, text.n)) == NULL) ||
	    (actor.p != NULL &&
		(to->actor = strndup(actor.p, actor.n)) == NULL))
		return tf_nomem(err);
	return TF_OK;
}

/* The window in which no daemon was there, which ends now or has no end. */
static enum tf_code
add_window(struct tf_health *h, const struct tf_entry *opened,
    struct tf_error *err)
{
	static const struct tf_str none;
	struct tf_health_event e = { .kind = TF_HEALTH_DOWN,
		.when = h->since,
		.clean = h->down_clean,
		.ended = opened != NULL };

	if (tf_time_cmp(e.when, h->from) < 0)
		e.when = h->from;
	if (opened != NULL) {
		e.other = opened->at;
		e.seq = opened->seq;
	}
	return add(h, &e, none, none, err);
}

/* --- entries -------------------------------------------------------------- */

static void
note_clock(struct tf_health *h, struct tf_str state)
{
	static const char no[] = "\"synchronised\":false";

	if (state.p == NULL)
		return;
	h->observed++;
	h->unsynchronised += memmem(state.p, state.n, no, sizeof(no) - 1) !=
	    NULL;
}

static enum tf_code
opened(struct tf_health *h, const struct tf_entry *e, struct tf_error *err)
{
	const bool daemon = tf_str_same(e->program, tf_str_of(DAEMON));
	enum tf_code rc = TF_OK;

	if (h->up || h->other)
		h->cut += h->begun;
	if (h->up) {
		h->down = true;
		h->down_clean = false;
		h->since = h->last;
	}
	h->up = daemon;
	h->other = !daemon;
	if (!daemon && !h->down) { /* before the period */
		h->down = h->down_clean = true;
		h->since = e->at;
	}
	if (h->begun) {
		h->daemons += daemon;
		h->others += !daemon;
		note_clock(h, e->host_clock);
	}
	if (daemon && h->down && h->begun)
		rc = add_window(h, e, err);
	h->down = h->down && !daemon;
	return rc;
}

static void
closed(struct tf_health *h, const struct tf_entry *e)
{
	if (h->begun) {
		h->closed++;
		h->denied += e->has_denied ? e->denied : 0;
	}
	if (h->up) {
		h->down = h->down_clean = true;
		h->since = e->at;
	}
	h->up = h->other = false;
}

static enum tf_code
verified(struct tf_health *h, const struct tf_entry *e, struct tf_error *err)
{
	bool moved;
	struct tf_health_event x = { .kind = TF_HEALTH_VERIFIED,
		.seq = e->seq,
		.when = tf_entry_when(e, &moved) };
	struct tf_verify_run run;
	enum tf_code rc = tf_verify_run_read(e->run, &run, err);

	if (rc == TF_NOMEM)
		return rc;
	if (rc != TF_OK) /* the replay reports it */
		memset(&run, 0, sizeof(run));
	x.whole = run.scope.parts == 0;
	x.entries = e->type == TF_VERIFY_DONE ? e->tree_size : run.entries;
	x.findings = run.findings;
	return add(h, &x,
	    tf_str_of(run.verdict[0] == '\0' ? TF_VERIFY_OK : run.verdict),
	    e->actor, err);
}

static enum tf_code
other_entry(struct tf_health *h, const struct tf_entry *e, struct tf_error *err)
{
	static const struct tf_str none;
	struct tf_health_event x = { .seq = e->seq };
	bool moved;

	x.when = tf_entry_when(e, &moved);
	h->moved += moved;
	switch (e->type) {
	case TF_CLOCK_JUMPED:
		x.kind = TF_HEALTH_JUMP;
		x.other = e->expected;
		return add(h, &x, none, none, err);
	case TF_CLOCK_OBSERVED:
		note_clock(h, e->host_clock);
		return TF_OK;
	case TF_EVIDENCE_INTERRUPTED:
		x.kind = TF_HEALTH_INTERRUPTED;
		return add(h, &x, e->path, none, err);
	case TF_VERIFY_DONE:
	case TF_VERIFY_FAILED:
		return verified(h, e, err);
	default:
		return TF_OK;
	}
}

enum tf_code
tf_health_add(struct tf_health *h, const struct tf_package_place *p,
    const struct tf_entry *e, struct tf_error *err)
{
	const bool before = h->begun;
	enum tf_code rc = TF_OK;

	if (h->ended)
		return TF_OK;
	if (!tf_package_in_period(p, &h->begun, e) && h->begun) {
		h->ended = true; /* an entry of a workflow, after until */
		return TF_OK;
	}
	if (h->begun && !before)
		h->from = p->has_since ? p->since : e->at;
	if (e->type == TF_LEDGER_OPENED)
		rc = opened(h, e, err);
	else if (e->type == TF_LEDGER_CLOSED)
		closed(h, e);
	else if (h->begun)
		rc = other_entry(h, e, err);
	h->last = e->at;
	return rc;
}

enum tf_code
tf_health_end(struct tf_health *h, struct tf_error *err)
{
	return h->begun && h->down ? add_window(h, NULL, err) : TF_OK;
}

/* --- health.json ---------------------------------------------------------- */

static void
put_event(struct tf_json *j, const struct tf_health_event *e)
{
	tf_json_object(j);
	switch (e->kind) {
	case TF_HEALTH_DOWN:
		tf_put_bool(j, "clean", e->clean);
		tf_put_time(j, "from", e->when);
		if (e->ended) {
			tf_put_uint(j, "index", e->seq);
			tf_put_time(j, "until", e->other);
		}
		break;
	case TF_HEALTH_JUMP:
		tf_put_time(j, "clock", e->when);
		tf_put_time(j, "expected", e->other);
		tf_put_uint(j, "index", e->seq);
		break;
	case TF_HEALTH_INTERRUPTED:
		tf_put_time(j, "at", e->when);
		tf_put_uint(j, "index", e->seq);
		tf_put_cstr(j, "path", e->text);
		break;
	case TF_HEALTH_VERIFIED:
		if (e->actor != NULL)
			tf_put_raw(j, "actor", tf_str_of(e->actor));
		tf_put_bool(j, "all", e->whole);
		tf_put_time(j, "at", e->when);
		tf_put_uint(j, "entries", e->entries);
		tf_put_uint(j, "findings", e->findings);
		tf_put_uint(j, "index", e->seq);
		tf_put_cstr(j, "verdict", e->text);
		break;
	}
	tf_json_object_end(j);
}

static void
put_events(struct tf_json *j, const char *key, const struct tf_health *h,
    enum tf_health_kind kind)
{
	bool any = false; /* an empty list is absent */

	for (size_t i = 0; i < h->n; i++) {
		if (h->e[i].kind != kind)
			continue;
		if (!any) {
			tf_json_key(j, key);
			tf_json_array(j);
		}
		any = true;
		put_event(j, &h->e[i]);
	}
	if (any)
		tf_json_array_end(j);
}

enum tf_code
tf_health_json(const struct tf_health *h, const struct tf_package_place *p,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_json_key(&j, "clock");
	tf_json_object(&j);
	put_events(&j, "jumps", h, TF_HEALTH_JUMP);
	tf_put_uint(&j, "moved", h->moved);
	tf_put_uint(&j, "observed", h->observed);
	tf_put_uint(&j, "unsynchronised", h->unsynchronised);
	tf_json_object_end(&j);
	tf_json_key(&j, "denied");
	tf_json_object(&j);
	tf_put_uint(&j, "count", h->denied);
	tf_put_uint(&j, "sessions", h->closed);
	tf_json_object_end(&j);
	put_events(&j, "down", h, TF_HEALTH_DOWN);
	put_events(&j, "interrupted", h, TF_HEALTH_INTERRUPTED);
	tf_json_key(&j, "period");
	tf_json_object(&j);
	if (p->has_since || h->begun)
		tf_put_time(&j, "from", p->has_since ? p->since : h->from);
	tf_put_time(&j, "until", p->has_until ? p->until : h->last);
	tf_json_object_end(&j);
	tf_json_key(&j, "sessions");
	tf_json_object(&j);
	tf_put_uint(&j, "cut", h->cut);
	tf_put_uint(&j, "daemon", h->daemons);
	tf_put_uint(&j, "other", h->others);
	tf_json_object_end(&j);
	put_events(&j, "verifications", h, TF_HEALTH_VERIFIED);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_str(out, "\n");
	return rc;
}

void
tf_health_free(struct tf_health *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->e[i].text);
		free(h->e[i].actor);
	}
	free(h->e);
}
