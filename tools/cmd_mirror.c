/*
 * trailctl mirror: keep a copy of a store elsewhere, and a receipt for it.
 *
 * The source reads the store, also behind a mount, and talks to a receiver over
 * two pipes (core/mirror.h).  The receiver is a child: this program itself for a
 * directory, or a command such as ssh(1), which runs `trailctl mirror --receive`
 * on another machine.
 *
 * The receipt is recorded in the ledger of the source (anchors.h), so that the
 * vault knows what exists outside of it.  A receipt is an entry too, and the next
 * run mirrors it; a run that has nothing else to mirror records no further
 * receipt within the hour, or the ledger would grow by its own receipts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchors.h"
#include "apart.h"
#include "cmd.h"
#include "core/base/member.h"
#include "core/mirror.h"
#include "mirror_peer.h"
#include "progress.h"
#include "report.h"
#include "target.h"
#include "text.h"
#include "where.h"

static struct {
	bool json, quiet;
	bool yes;
	const char *via, *receive, *name, *vkey, *mirror_key, *erase;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	ARGS_QUIET(&ask.quiet),
	{ .name = "via",
	    .value = "COMMAND",
	    .help = "talk to COMMAND, which runs mirror --receive elsewhere",
	    .text = &ask.via },
	{ .name = "mirror-key",
	    .value = "KEY",
	    .help = "send to the mirror with this key only",
	    .text = &ask.mirror_key },
	{ .name = "receive",
	    .value = "DIRECTORY",
	    .help = "be the other side: stdin and stdout, into DIRECTORY",
	    .text = &ask.receive },
	{ .name = "erase-redacted",
	    .value = "DIRECTORY",
	    .help = "list what the mirror has of redacted evidence",
	    .text = &ask.erase },
	{ .name = "yes", .help = "and erase it", .flag = &ask.yes },
	{ .name = "name",
	    .value = "NAME",
	    .help = "name of a new mirror in its receipts",
	    .text = &ask.name },
	{ .name = "vkey",
	    .letter = 'k',
	    .value = "KEY",
	    .help = "a new mirror takes the log with this key only",
	    .text = &ask.vkey },
	{ 0 },
};

/* --- progress ------------------------------------------------------------- */

static void
draw(void *arg, uint64_t entries, uint64_t of, uint64_t bytes)
{
	progress_draw_bytes(arg, entries, of, bytes);
}

/* --- the answer ----------------------------------------------------------- */

static enum tf_code
print_json(const struct tf_mirrored *m, bool recorded, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_uint(&j, "bytes", m->bytes);
	tf_put_uint(&j, "entries", m->entries);
	tf_put_str(&j, "key", tf_buf_bytes(&m->key));
	tf_put_uint(&j, "new", m->entries - m->before);
	tf_put_uint(&j, "objects", m->objects);
	if (m->promised > 0)
		tf_put_uint(&j, "promised", m->promised);
	tf_put_bool(&j, "recorded", recorded);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
print(const struct tf_mirrored *m, bool recorded, struct tf_error *err)
{
	if (ask.json)
		return print_json(m, recorded, err);
	if (!ask.quiet)
		printf("mirrored up to %llu entries (%s): %llu new, %llu "
		       "objects, %llu bytes\n",
		    (unsigned long long)m->entries, m->name,
		    (unsigned long long)(m->entries - m->before),
		    (unsigned long long)m->objects,
		    (unsigned long long)m->bytes);
	return TF_OK;
}

/* --- the source ----------------------------------------------------------- */

static enum tf_code
send_to(struct mirror_peer *peer, const char *store, const char *key,
    struct tf_mirrored *out, struct tf_error *err)
{
	struct progress progress = { .what = "mirror",
		.silent = ask.quiet || ask.json };
	const struct tf_mirror_send o = { .store = store,
		.in = peer->in,
		.out = peer->out,
		.key = key,
		.progress = draw,
		.arg = &progress };
	enum tf_code rc = tf_mirror_send(&o, out, err);

	progress_end(&progress);
	return rc;
}

/* Record the receipt in the ledger of arg, unless that would be all that there
 * is to record. */
static enum tf_code
record(const char *arg, const struct tf_mirrored *m, bool *recorded,
    struct tf_error *err)
{
	const struct tf_anchor a = { .kind = TF_ANCHOR_MIRROR,
		.name = m->name,
		.key = tf_buf_bytes(&m->key).p,
		.bytes = m->note.p,
		.n = m->note.n };

	enum tf_code rc;

	*recorded = !m->recorded;
	if (m->recorded || (rc = tf_anchor_record(arg, &a, err)) == TF_OK)
		return TF_OK;
	report_note("the mirror has all %llu entries, but its receipt could "
		    "not be recorded",
	    (unsigned long long)m->entries);
	return rc;
}

/* Keep in the vault that the mirror does not take its log or has no room for it,
 * or is not what it was;
 * text NULL: that all is well.  That this failed must not hide why. */
static void
keep_refusal(const char *arg, const struct tf_mirrored *m, const char *text)
{
	const struct tf_refusal r = { .kind = TF_ANCHOR_MIRROR,
		.name = m->name,
		.text = text,
		.head = m->head.n > 0 ? m->head.p : NULL,
		.head_n = m->head.n };
	struct tf_error err = { 0 };

	if (tf_anchor_refused(arg, &r, &err) != TF_OK && text != NULL)
		report_note("the status of the vault does not show this: %s",
		    err.text);
}

/* What the receiver refused begins with that word. */
static void
keep_failure(const char *arg, const struct tf_mirrored *m,
    const struct tf_error *why)
{
	static const char word[] = "refused: ";
	struct tf_buf text = { 0 };
	const bool refused = strncmp(why->text, word, strlen(word)) == 0;

	tf_buf_printf(&text, "%s%s", refused ? "" : "stopped: ", why->text);
	keep_refusal(arg, m, text_of(&text));
	tf_buf_free(&text);
}

/* A mirror with fewer entries than it has signed for was put back or emptied. */
static void
keep_loss(const char *arg, const struct tf_mirrored *m)
{
	struct tf_buf text = { 0 };

	tf_buf_printf(&text,
	    "had lost entries: it showed %llu, its last receipt is for %llu",
	    (unsigned long long)m->before, (unsigned long long)m->promised);
	report_note("the mirror %s %s; now it has %llu again", m->name,
	    text_of(&text), (unsigned long long)m->entries);
	keep_refusal(arg, m, text_of(&text));
	tf_buf_free(&text);
}

/* The source is only read, so without a receipt it was the disk of the mirror. */
static bool
is_full(const struct tf_mirrored *m, enum tf_code rc)
{
	return m->note.n == 0 &&
	    (rc == TF_NOSPACE || rc == TF_QUOTA || rc == TF_TOOBIG ||
		rc == TF_READONLY);
}

/* The vault must know how it ended. */
static void
keep_result(const char *arg, const struct tf_mirrored *m, enum tf_code rc,
    const struct tf_error *why)
{
	if ((rc == TF_TAMPER || is_full(m, rc)) && m->name[0] != '\0')
		keep_failure(arg, m, why);
	else if (rc == TF_OK && m->promised > 0)
		keep_loss(arg, m);
	else if (rc == TF_OK && m->recorded)
		keep_refusal(arg, m, NULL);
}

/* *lost: the mirror had lost entries. */
static enum tf_code
mirror(const char *arg, const char *store, const char *dir, const char *log_key,
    const char *mirror_key, bool *lost, struct tf_error *err)
{
	const struct tf_mirror_receive receiver = { .dir = dir,
		.name = ask.name,
		.vkey = log_key };
	struct mirror_peer peer;
	struct tf_mirrored m = { 0 };
	bool recorded = false;
	enum tf_code rc = ask.via != NULL ?
	    mirror_peer_command(&peer, ask.via, err) :
	    mirror_peer_receiver(&peer, &receiver, err);

	if (rc == TF_OK)
		rc = send_to(&peer, store, mirror_key, &m, err);
	rc = mirror_peer_end(&peer, rc, err);
	if (rc == TF_OK)
		rc = record(arg, &m, &recorded, err);
	keep_result(arg, &m, rc, err);
	*lost = m.promised > 0;
	if (rc == TF_OK)
		rc = print(&m, recorded, err);
	tf_mirrored_free(&m);
	return rc;
}

static int
run_source(char **arg, const char *log_key, const char *mirror_key)
{
	struct tf_error err = { 0 };
	char *store = NULL;
	bool lost = false;
	enum tf_code rc = apart_find(arg[0], ask.via == NULL ? arg[1] : NULL,
	    "mirror", &store, &err);

	if (rc == TF_OK && ask.via == NULL && where_not_mounted(arg[1], &err))
		rc = err.code;
	if (rc == TF_OK)
		rc = mirror(arg[0], store, arg[1], log_key, mirror_key, &lost,
		    &err);
	free(store);
	if (rc != TF_OK && ask.via == NULL)
		tf_error_at(&err, arg[1]);
	if (rc != TF_OK)
		return report(&err);
	return lost ? REPORT_FINDING : REPORT_OK;
}

/* --- redacted evidence ------------------------------------------------------ */

static void
print_held(void *arg, const char *path, uint64_t size, uint64_t entry)
{
	bool *any = arg;
	struct tf_buf shown = { 0 };

	*any = true;
	text_add(&shown, path, strlen(path));
	printf("%s: %llu bytes, redacted by entry %llu%s\n", text_of(&shown),
	    (unsigned long long)size, (unsigned long long)entry,
	    ask.yes ? "" : ": still here");
	tf_buf_free(&shown);
}

static int
run_erase(void)
{
	struct tf_error err = { 0 };
	bool any = false;
	enum tf_code rc = tf_mirror_held(ask.erase, ask.yes, print_held, &any,
	    &err);

	if (rc != TF_OK)
		return report(&err);
	if (any && !ask.yes)
		report_note("with --yes these bytes are erased, for ever");
	return any && !ask.yes ? REPORT_FINDING : REPORT_OK;
}

/* --- the command line ----------------------------------------------------- */

/* What a table of options cannot say; NULL: nothing is wrong. */
static const char *
wrong_arguments(int n)
{
	const bool other_side = ask.via != NULL;

	if (ask.yes && ask.erase == NULL)
		return "--yes belongs to --erase-redacted";
	if (ask.erase != NULL)
		return n > 0 || other_side || ask.receive != NULL ||
			ask.mirror_key != NULL || ask.vkey != NULL ||
			ask.name != NULL || ask.json ?
		    "--erase-redacted has only a mirror, and --yes" :
		    NULL;
	if (ask.receive != NULL)
		return n > 0 || other_side || ask.mirror_key != NULL ?
		    "--receive is the other side: it has no source" :
		    NULL;
	if (n < 1)
		return "an argument is missing";
	if (other_side && n > 1)
		return "either a directory or --via";
	if (!other_side && n < 2)
		return "the directory of the mirror, or --via, is missing";
	if (other_side && (ask.name != NULL || ask.vkey != NULL))
		return "--name and --vkey belong to the other side";
	return NULL;
}

static int
run(int n, char **arg)
{
	const char *wrong = wrong_arguments(n);
	struct tf_error err = { 0 };
	struct tf_buf log_key = { 0 }, mirror_key = { 0 };
	struct tf_mirror_receive receiver = { .dir = ask.receive,
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.name = ask.name };
	enum tf_code rc = TF_OK;
	int status;

	if (wrong != NULL)
		return cmd_usage(&cmd_mirror, wrong);
	if (ask.erase != NULL)
		return run_erase();
	if (ask.vkey != NULL)
		rc = target_key(ask.vkey, &log_key, &err);
	if (rc == TF_OK && ask.mirror_key != NULL)
		rc = target_key(ask.mirror_key, &mirror_key, &err);
	receiver.vkey = ask.vkey != NULL ? log_key.p : NULL;
	if (rc != TF_OK)
		status = report(&err);
	else if (ask.receive != NULL)
		status = mirror_receive(&receiver);
	else
		status = run_source(arg, receiver.vkey,
		    ask.mirror_key != NULL ? mirror_key.p : NULL);
	tf_buf_free(&log_key);
	tf_buf_free(&mirror_key);
	return status;
}

const struct verb cmd_mirror = {
	.name = "mirror",
	.summary = "keep a copy on another disk or machine that checks what it "
		   "takes",
	.usage = "[OPTION...] STORE|PATH DIRECTORY\n"
		 "[OPTION...] --via COMMAND STORE|PATH\n"
		 "[OPTION...] --receive DIRECTORY\n"
		 "--erase-redacted DIRECTORY [--yes]",
	.options = options,
	.min = 0,
	.max = 2,
	.run = run,
};
