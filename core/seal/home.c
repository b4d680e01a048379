/*
 * Is the store where it was?  See home.h.
 *
 * The home stands in the last ledger.opened, whose number is in the table meta.
 * A store of an earlier version has no such number, or an entry without a home:
 * the next opening records the first one.
 */
#include <stdio.h>

#include "../base/bytes.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/home.h"
#include "../node/base.h"
#include "../node/home.h"
#include "../node/vault_i.h"
#include "home.h"
#include "session.h"

static const char *const where[] = {
	[TF_HOME_OTHER_MACHINE] = "on another machine",
	[TF_HOME_OTHER_DIRECTORY] = "in another directory",
	[TF_HOME_OTHER_FILE] = "to another ledger.db",
};

/* What a file is, for people: "inode 7 of 2026-11-29T08:00:00.0Z". */
static void
show_file(const struct tf_home_file *f, char *out, size_t room)
{
	char born[TF_TIME_LEN + 1] = "an unknown time";

	if (f->has_born)
		tf_time_text(f->born, born);
	(void)snprintf(out, room, "inode %llu of %s",
	    (unsigned long long)f->inode, born);
}

/* Say what differs, with both sides. */
static void
say_away(struct tf_vault *v, const struct tf_entry *e,
    const struct tf_home *last, const struct tf_home_now *now,
    enum tf_home_answer answer)
{
	const bool file = answer == TF_HOME_OTHER_FILE;
	char then[80], here[80];

	show_file(file ? &last->database : &last->directory, then,
	    sizeof(then));
	show_file(file ? &now->home.database : &now->home.directory, here,
	    sizeof(here));
	if (file)
		tf_vault_say(v, TF_FOREIGN,
		    "the directory is the same, but its ledger.db is another "
		    "file than the last one written (now %s, then %s): was a "
		    "backup put back?",
		    here, then);
	else
		tf_vault_say(v, TF_FOREIGN,
		    "the store was last written on host %.*s, as %.*s (%s); "
		    "this is host %s, %s (%s)",
		    (int)e->host.n, e->host.p, (int)last->path.n,
		    last->path.n > 0 ? last->path.p : "?", then, v->host,
		    now->path, here);
}

/* Compare with the home that the entry has. */
static enum tf_code
compare(struct tf_vault *v, const struct tf_entry *e,
    const struct tf_home_now *now, bool *away, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_home_answer answer;
	struct tf_home last;
	enum tf_code rc;

	if ((rc = tf_json_parse(&d, e->home.p, e->home.n, err)) != TF_OK)
		goto out;
	tf_home_read(&d, &last);
	answer = tf_home_compare(&last, &now->home);
	*away = answer != TF_HOME_SAME;
	if (!*away)
		goto out;
	say_away(v, e, &last, now, answer);
	(void)tf_fail(err, TF_FOREIGN,
	    "last written %s: for a moved store, -o moved or trailctl init "
	    "--moved; for a copy, trailctl restore: see trailfs-backup(8)",
	    where[answer]);
out:
	tf_json_doc_free(&d);
	return rc;
}

enum tf_code
tf_home_check(struct tf_vault *v, const struct tf_home_now *now, bool *away,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_session_last(v, &text, &d, err);

	*away = false;
	if (rc == TF_OK && d.e.type == TF_LEDGER_OPENED && d.e.home.p != NULL)
		rc = compare(v, &d.e, now, away, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc;
}
