/*
 * What an examination finds by the ledger: whether this is the newest copy of
 * the store, and in its place; how old the memories of others are; what the clock
 * says.  The files beside the database are read before the snapshot of the
 * database, which is then at least as new as they.
 */
#include "doctor_ledger.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../anchor.h"
#include "../base/clock.h"
#include "../base/file.h"
#include "../base/time_text.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/home.h"
#include "../node/load_entry.h"
#include "../node/vault_i.h"
#include "../store/anchors.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/forward_link.h"
#include "../store/forwarded.h"
#include "../store/guard_file.h"
#include "../store/meta.h"
#include "../store/results.h"
#include "../store/transaction.h"

#define DAY_S ((int64_t)86400)
/* As the alert rules in tools/monitoring have it. */
#define MIRROR_LATE_S (2 * DAY_S)
#define VERIFY_LATE_S (3 * DAY_S)
#define FORWARD_LATE_S ((int64_t)3600)
#define YOUNG_S DAY_S /* a store that is no older was perhaps just made */
#define STAMP_LATE_S (7 * DAY_S)

/* A copy of the head that was read; n 0: there is none. */
struct copy {
	struct tf_buf note;
	enum tf_code rc;
	struct tf_error e;
};

struct look {
	const struct tf_doctor *d;
	struct tf_vault *v;
	struct tf_db *db;
	const char *word;
	struct copy beside, guard;
	uint64_t size;		 /* of the ledger */
	struct tf_time now;	 /* by the clock */
	struct tf_time last_at;	 /* of the last entry */
	struct tf_time first_at; /* of the first entry */
};

/* --- times ---------------------------------------------------------------- */

/* The time at which entry seq was made; in the ledger: its place in the order. */
static enum tf_code
time_of(struct look *k, uint64_t seq, bool in_ledger, struct tf_time *at,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	bool moved;
	enum tf_code rc = tf_load_entry(k->db, seq, &text, &d, err);

	if (rc == TF_OK)
		*at = in_ledger ? d.e.at : tf_entry_when(&d.e, &moved);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc;
}

static int64_t
age_of(const struct look *k, struct tf_time at)
{
	return k->now.s > at.s ? k->now.s - at.s : 0;
}

static void
look_at_clock(struct look *k)
{
	const struct tf_time last = k->last_at;
	char text[TF_TIME_LEN + 1];

	if (last.s <= k->now.s || !tf_time_moved(last, k->now))
		return;
	tf_time_text(last, text);
	tf_doctor_say(k->d, "clock", TF_DOCTOR_WRONG,
	    "set the clock; new entries would be dated just after the last one",
	    "the clock is %lld s behind the last entry, which is of %s",
	    (long long)(last.s - k->now.s), text);
}

/* --- the newest copy, in its place ---------------------------------------- */

/* Compare a copy of the head with the database. */
static void
compare_head(struct look *k, const struct copy *c, const char *what,
    const char *cure)
{
	struct tf_note parts;
	struct tf_checkpoint head;
	struct tf_hash root;
	struct tf_error e;
	bool same;

	if (tf_checkpoint_parse(tf_buf_bytes(&c->note).p, c->note.n, &parts,
		&head, &e) != TF_OK) {
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_WRONG, cure,
		    "%s is no checkpoint: %s", what, e.text);
		return;
	}
	if (strcmp(head.origin, k->v->origin) != 0)
		return; /* of before the origin changed; the start judges it */
	if (head.size > k->size) {
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_WRONG, cure,
		    "the store was rolled back: %s has %llu entries, the "
		    "database %llu",
		    what, (unsigned long long)head.size,
		    (unsigned long long)k->size);
		return;
	}
	same = tf_checkpoints_get(k->db, head.size, &root, NULL, NULL) ==
		TF_OK &&
	    memcmp(&root, &head.root, sizeof(root)) == 0;
	if (!same)
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_WRONG, cure,
		    "%s is of another history than the database", what);
}

static void
look_at_heads(struct look *k)
{
	char cure[TF_DOCTOR_CURE];
	bool inside = false, same_disk = false;

	(void)snprintf(cure, sizeof(cure),
	    "find the newer store, or: trailctl init --recover %s", k->word);
	if (k->beside.rc == TF_OK)
		compare_head(k, &k->beside, "STORE/checkpoint", cure);
	else if (k->beside.rc == TF_NOTFOUND)
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_NOTE, NULL,
		    "STORE/checkpoint is missing; the next start writes it");
	else
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_UNSEEN, NULL,
		    "STORE/checkpoint: %s", k->beside.e.text);
	if (k->v->guard == NULL)
		return;
	if (k->guard.rc == TF_OK)
		compare_head(k, &k->guard, "the guard", cure);
	else if (k->guard.rc == TF_NOTFOUND)
		tf_doctor_say(k->d, "guard", TF_DOCTOR_WRONG,
		    "put it back; if it is lost: trailctl init --guard-lost",
		    "the guard %s is not there", k->v->guard);
	else
		tf_doctor_say(k->d, "guard", TF_DOCTOR_WRONG,
		    "mount the disk of the guard", "the guard %s: %s",
		    k->v->guard, k->guard.e.text);
	if (tf_guard_place(k->v->guard, k->v->dirfd, &inside, &same_disk,
		NULL) == TF_OK &&
	    (inside || same_disk))
		tf_doctor_say(k->d, "guard", TF_DOCTOR_WRONG,
		    "move it to another disk: see trailfs-backup(8)",
		    "the guard %s is %s", k->v->guard,
		    inside ? "in the store" : "on the disk of the store");
}

/* Compare the place of the store with the last ledger.opened. */
static enum tf_code
look_at_home(struct look *k, struct tf_error *err)
{
	static const char *const away[] = {
		[TF_HOME_OTHER_MACHINE] = "on another machine",
		[TF_HOME_OTHER_DIRECTORY] = "in another directory",
		[TF_HOME_OTHER_FILE] = "as another ledger.db",
	};
	struct tf_entry_decoded d = { 0 };
	struct tf_json_doc j = { 0 };
	struct tf_buf text = { 0 };
	struct tf_home_now now;
	struct tf_home last;
	enum tf_home_answer is = TF_HOME_SAME;
	char cure[TF_DOCTOR_CURE];
	uint64_t seq;
	enum tf_code rc = tf_meta_get_int(k->db, TF_META_OPENED, &seq, err);

	if (rc == TF_NOTFOUND)
		return TF_OK; /* of a version that did not know homes */
	if (rc == TF_OK)
		rc = tf_load_entry(k->db, seq, &text, &d, err);
	if (rc == TF_OK && d.e.home.p != NULL &&
	    (rc = tf_json_parse(&j, d.e.home.p, d.e.home.n, err)) == TF_OK) {
		tf_home_read(&j, &last);
		tf_home_find(k->v, &now);
		is = tf_home_compare(&last, &now.home);
		if (is != TF_HOME_SAME) {
			(void)snprintf(cure, sizeof(cure),
			    "moved: trailctl init --moved %s; a copy of a store "
			    "that goes on elsewhere: leave it; restored from a "
			    "backup: trailctl init --recover %s",
			    k->word, k->word);
			tf_doctor_say(k->d, "home", TF_DOCTOR_WRONG, cure,
			    "the store was last written %s: host %.*s, %.*s",
			    away[is], (int)d.e.host.n, d.e.host.p,
			    (int)last.path.n,
			    last.path.n > 0 ? last.path.p : "?");
		} else {
			tf_doctor_say(k->d, "home", TF_DOCTOR_OK, NULL,
			    "the store is where it was last written");
		}
	}
	tf_json_doc_free(&j);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc;
}

/* --- the memories of others ----------------------------------------------- */

struct kinds {
	struct look *k;
	/* Of the kinds: the anchor with the most entries. */
	struct best {
		const char *kind, *cure;
		int64_t late_s;
		uint64_t size, seq;
		char name[TF_ANCHOR_NAME_MAX + 1];
	} best[3];
	bool any;
};

static enum tf_code
one_anchor(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct kinds *s = arg;

	(void)err;
	s->any = true;
	for (size_t i = 0; i < 3; i++) {
		struct best *b = &s->best[i];

		if (strcmp(b->kind, r->kind) != 0 || r->size < b->size)
			continue;
		b->size = r->size;
		b->seq = r->seq;
		(void)snprintf(b->name, sizeof(b->name), "%s", r->name);
	}
	return TF_OK;
}

/* An anchor is late by the first entry that it lacks. */
static enum tf_code
judge_anchor(struct look *k, const struct best *b, struct tf_error *err)
{
	char span[TF_SPAN_LEN + 1], cure[TF_DOCTOR_CURE];
	struct tf_time at, lacks = k->now;
	enum tf_code rc = time_of(k, b->seq, false, &at, err);

	if (rc == TF_OK && b->size < k->size)
		rc = time_of(k, b->size, false, &lacks, err);
	if (rc != TF_OK)
		return rc;
	tf_span_text(age_of(k, at), span);
	(void)snprintf(cure, sizeof(cure), "%s %s; is its timer running?",
	    b->cure, k->word);
	if (age_of(k, lacks) > b->late_s)
		tf_doctor_say(k->d, "anchors", TF_DOCTOR_WRONG, cure,
		    "the last %s (%s) is %s old and lacks %llu entries",
		    b->kind, b->name, span,
		    (unsigned long long)(k->size - b->size));
	else
		tf_doctor_say(k->d, "anchors", TF_DOCTOR_OK, NULL,
		    "%s (%s): %llu of %llu entries, %s ago", b->kind, b->name,
		    (unsigned long long)b->size, (unsigned long long)k->size,
		    span);
	return TF_OK;
}

/* A copy of the bytes is more than a signature about them.  A backup is late by the
 * first entry that it lacks. */
static enum tf_code
judge_backup(struct look *k, const struct tf_result *b, bool mirrored,
    struct tf_error *err)
{
	char span[TF_SPAN_LEN + 1];
	struct tf_time lacks = k->now;
	enum tf_code rc = TF_OK;

	if (b->entries < k->size)
		rc = time_of(k, b->entries, false, &lacks, err);
	if (rc != TF_OK)
		return rc;
	tf_span_text(age_of(k, b->at), span);
	if (age_of(k, lacks) > MIRROR_LATE_S)
		tf_doctor_say(k->d, "backup",
		    mirrored ? TF_DOCTOR_NOTE : TF_DOCTOR_WRONG,
		    "trailctl backup brings it up to date",
		    "the last backup is %s old and lacks %llu entries", span,
		    (unsigned long long)(k->size - b->entries));
	else
		tf_doctor_say(k->d, "backup", TF_DOCTOR_OK, NULL,
		    "the last backup has %llu of %llu entries, %s ago",
		    (unsigned long long)b->entries, (unsigned long long)k->size,
		    span);
	return TF_OK;
}

static enum tf_code
look_at_backup(struct look *k, bool mirrored, struct tf_error *err)
{
	struct tf_result b;
	enum tf_code rc = tf_result_get(k->v->dirfd, TF_RESULT_BACKUP, &b, err);

	if (rc == TF_OK)
		return judge_backup(k, &b, mirrored, err);
	if (rc == TF_NOTFOUND && !mirrored)
		tf_doctor_say(k->d, "backup",
		    age_of(k, k->first_at) > YOUNG_S ? TF_DOCTOR_WRONG :
						       TF_DOCTOR_NOTE,
		    "trailctl backup and trailctl mirror make one that checks "
		    "what it copies",
		    "the store knows of no backup and no mirror");
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
look_at_anchors(struct look *k, struct tf_error *err)
{
	struct kinds s = { .k = k,
		.best = { { .kind = TF_ANCHOR_MIRROR,
			      .cure = "trailctl mirror",
			      .late_s = MIRROR_LATE_S },
		    { .kind = TF_ANCHOR_WITNESS,
			.cure = "trailctl witness",
			.late_s = MIRROR_LATE_S },
		    { .kind = TF_ANCHOR_STAMP,
			.cure = "trailctl stamp",
			.late_s = STAMP_LATE_S } } };
	enum tf_code rc = tf_anchors_newest(k->db, one_anchor, &s, err);

	for (size_t i = 0; i < 3 && rc == TF_OK; i++)
		if (s.best[i].size > 0)
			rc = judge_anchor(k, &s.best[i], err);
	if (rc != TF_OK)
		return rc;
	if (!s.any && k->v->guard == NULL)
		tf_doctor_say(k->d, "anchors",
		    age_of(k, k->first_at) > YOUNG_S ? TF_DOCTOR_WRONG :
						       TF_DOCTOR_NOTE,
		    "set up trailctl mirror, witness or stamp: see "
		    "trailfs-recipes-operation(7)",
		    "never anchored: nobody else could show that history was "
		    "rewritten");
	return look_at_backup(k, s.best[0].size > 0, err);
}

static void
say_forward_failed(struct look *k, const struct tf_forward_state *s)
{
	char span[TF_SPAN_LEN + 1];

	tf_span_text(age_of(k, s->failed_at), span);
	tf_doctor_say(k->d, "forward",
	    s->final ? TF_DOCTOR_WRONG : TF_DOCTOR_NOTE,
	    s->final ? "see trailctl-forward(1), then start the forwarder "
		       "again" :
		       "the forwarder tries again by itself",
	    "the forwarder %s %s ago: %s",
	    s->final ? "was refused" : "met a failure", span, s->why);
}

/* Was the store last mounted with durability=org? */
static bool
waits_for_organisation(struct look *k)
{
	static const char org[] = "\"durability\":\"org\"";
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	uint64_t seq;
	bool yes = tf_meta_get_int(k->db, TF_META_OPENED, &seq, NULL) ==
		TF_OK &&
	    tf_load_entry(k->db, seq, &text, &d, NULL) == TF_OK &&
	    d.e.options.p != NULL &&
	    memmem(d.e.options.p, d.e.options.n, org, sizeof(org) - 1) != NULL;

	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return yes;
}

/* Such a mount keeps each close waiting when no forwarder listens. */
static void
look_at_link(struct look *k)
{
	struct tf_error why;
	int fd;

	if (!waits_for_organisation(k))
		return;
	if (tf_forward_connect(k->v->dirfd, &fd, &why) == TF_OK)
		(void)close(fd);
	else
		tf_doctor_say(k->d, "forward", TF_DOCTOR_WRONG,
		    "run trailctl forward as root or as the owner of the store; "
		    "does its service run?",
		    "the store was mounted with durability=org: each close "
		    "waits for the organisation and then fails: %s",
		    why.text);
}

/* Only of a store that has a forwarder. */
static enum tf_code
look_at_forwarder(struct look *k, struct tf_error *err)
{
	char since[TF_TIME_LEN + 1], span[TF_SPAN_LEN + 1];
	struct tf_time lacks = k->now;
	struct tf_forward_state s;
	enum tf_code rc = tf_forwarded_get(k->v->dirfd, &s, err);

	look_at_link(k);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	if (s.entries < k->size)
		rc = time_of(k, s.entries, false, &lacks, err);
	if (rc != TF_OK)
		return rc;
	if (s.failed_at.s != 0)
		say_forward_failed(k, &s);
	tf_span_text(age_of(k, lacks), span);
	tf_time_text(s.at, since);
	if (age_of(k, lacks) > FORWARD_LATE_S)
		tf_doctor_say(k->d, "forward", TF_DOCTOR_WRONG,
		    "run trailctl forward; does its service run?",
		    "nothing was forwarded since %s: %llu entries wait, the "
		    "oldest for %s",
		    s.at.s == 0 ? "the beginning" : since,
		    (unsigned long long)(k->size - s.entries), span);
	else if (s.failed_at.s == 0)
		tf_doctor_say(k->d, "forward", TF_DOCTOR_OK, NULL,
		    "the organisation has %llu of %llu entries",
		    (unsigned long long)s.entries, (unsigned long long)k->size);
	return TF_OK;
}

static enum tf_code
look_at_verified(struct look *k, struct tf_error *err)
{
	char span[TF_SPAN_LEN + 1], cure[TF_DOCTOR_CURE];
	struct tf_time at = k->first_at;
	uint64_t seq;
	enum tf_code rc = tf_meta_get_int(k->db, TF_META_VERIFIED, &seq, err);
	const bool never = rc == TF_NOTFOUND;

	if (rc == TF_OK)
		rc = time_of(k, seq, false, &at, err);
	if (rc != TF_OK && !never)
		return rc;
	(void)snprintf(cure, sizeof(cure),
	    "trailctl verify --rebuild --record %s; is its timer running?",
	    k->word);
	tf_span_text(age_of(k, at), span);
	if (never)
		tf_doctor_say(k->d, "verify",
		    age_of(k, at) > VERIFY_LATE_S ? TF_DOCTOR_WRONG :
						    TF_DOCTOR_NOTE,
		    cure, "no verification is recorded");
	else
		tf_doctor_say(k->d, "verify",
		    age_of(k, at) > VERIFY_LATE_S ? TF_DOCTOR_WRONG :
						    TF_DOCTOR_OK,
		    age_of(k, at) > VERIFY_LATE_S ? cure : NULL,
		    "the last recorded verification is %s old", span);
	return TF_OK;
}

/* A failure stays until a verification that read everything is good. */
static enum tf_code
look_at_failure(struct look *k, struct tf_error *err)
{
	char span[TF_SPAN_LEN + 1], cure[TF_DOCTOR_CURE];
	struct tf_result f;
	enum tf_code rc = tf_result_get(k->v->dirfd, TF_RESULT_VERIFY, &f, err);

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	(void)snprintf(cure, sizeof(cure),
	    "trailctl verify %s shows what; once it is whole: trailctl verify "
	    "--rebuild --record %s",
	    k->word, k->word);
	tf_span_text(age_of(k, f.at), span);
	tf_doctor_say(k->d, "verify", TF_DOCTOR_WRONG, cure,
	    "a verification ended %s ago with the verdict %s and %llu "
	    "finding%s",
	    span, f.verdict, (unsigned long long)f.findings,
	    f.findings == 1 ? "" : "s");
	return TF_OK;
}

/* --- the whole ------------------------------------------------------------ */

static void
read_copies(struct look *k)
{
	k->beside.rc = tf_file_read(k->v->dirfd, "checkpoint", TF_NOTE_MAX,
	    &k->beside.note, &k->beside.e);
	if (k->v->guard != NULL)
		k->guard.rc = tf_guard_read(k->v->guard, TF_NOTE_MAX,
		    &k->guard.note, &k->guard.e);
}

static enum tf_code
look_at_all(struct look *k, struct tf_error *err)
{
	struct tf_vault *v = k->v;
	struct tf_hash root;
	enum tf_code rc;

	if ((rc = tf_db_snapshot(k->db, err)) != TF_OK ||
	    (rc = tf_meta_get_text(k->db, "origin", v->origin,
		 sizeof(v->origin), err)) != TF_OK ||
	    (rc = tf_meta_get_text(k->db, "store", v->store, sizeof(v->store),
		 err)) != TF_OK ||
	    (rc = tf_checkpoints_newest(k->db, &k->size, &root, NULL, err)) !=
		TF_OK)
		return rc;
	k->now = tf_clock_now();
	if ((rc = time_of(k, 0, false, &k->first_at, err)) != TF_OK ||
	    (rc = time_of(k, k->size - 1, true, &k->last_at, err)) != TF_OK)
		return rc;
	look_at_clock(k);
	look_at_heads(k);
	if ((rc = look_at_home(k, err)) != TF_OK ||
	    (rc = look_at_anchors(k, err)) != TF_OK ||
	    (rc = look_at_forwarder(k, err)) != TF_OK)
		return rc;
	rc = look_at_verified(k, err);
	return rc == TF_OK ? look_at_failure(k, err) : rc;
}

enum tf_code
tf_doctor_ledger(struct tf_vault *v, struct tf_db *db, const char *word,
    const struct tf_doctor *d, struct tf_error *err)
{
	struct look k = { .d = d, .v = v, .db = db, .word = word };
	enum tf_code rc;

	read_copies(&k);
	rc = look_at_all(&k, err);
	tf_db_rollback(db);
	tf_buf_free(&k.beside.note);
	tf_buf_free(&k.guard.note);
	return rc;
}
