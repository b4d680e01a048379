/*
 * trailctl witness: ask the witnesses of a policy to cosign the newest
 * checkpoint (C2SP tlog-witness), and record what they answer.
 *
 * trailctl has no network code: a command of the caller carries request and
 * answer (--via), or the caller does (--print, --accept).  Nothing that comes
 * back is believed: a cosignature counts after it was checked with the key in
 * the policy, and it is checked again when it is recorded.
 *
 * All witnesses are asked about the same checkpoint, because a quorum is one of
 * a checkpoint; recording the first cosignature already makes the log longer.  A
 * log that has only grown by receipts is asked about as it was before them
 * (node/receipt.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchors.h"
#include "cmd.h"
#include "core/control.h"
#include "core/witness.h"
#include "files.h"
#include "http_answer.h"
#include "program.h"
#include "report.h"
#include "text.h"
#include "transport.h"
#include "where.h"

#define CALL "/add-checkpoint"
#define URL "TRAILFS_URL"
#define NOTE_MAX ((size_t)1 << 16)
#define ANSWER_MAX ((size_t)1 << 17)
#define TILE_MAX ((size_t)8192)
#define NOT_GIVEN UINT64_MAX

static struct {
	const char *policy, *print, *accept, *via, *request;
	uint64_t old;
	bool quiet;
} ask = { .old = NOT_GIVEN };

static const struct args_option options[] = {
	{ .name = "accept",
	    .value = "NAME",
	    .help = "take the answer of this witness from standard input",
	    .text = &ask.accept },
	{ .name = "old",
	    .value = "SIZE",
	    .help = "with --print: the size that the witness has",
	    .number = &ask.old },
	{ .name = "policy",
	    .value = "FILE",
	    .help = "the witnesses and their quorum (C2SP tlog-policy)",
	    .text = &ask.policy },
	{ .name = "print",
	    .value = "NAME",
	    .help = "print the request for this witness",
	    .text = &ask.print },
	ARGS_QUIET(&ask.quiet),
	{ .name = "request",
	    .value = "FILE",
	    .help = "with --accept: what --print had printed",
	    .text = &ask.request },
	{ .name = "via",
	    .value = "COMMAND",
	    .help = "ask all witnesses; COMMAND carries request and answer",
	    .text = &ask.via },
	{ 0 },
};

/* --- the log ------------------------------------------------------------------- */

/* A vault that is read: a mount, or a store, which is open only meanwhile. */
struct source {
	struct where w;
	struct tf_vault *v; /* of a store */
};

static enum tf_code
read_control(struct source *s, const char *name, size_t max, struct tf_buf *out,
    struct tf_error *err)
{
	int fd;
	enum tf_code rc = where_control(&s->w, name, &fd, err);

	if (rc != TF_OK)
		return rc;
	rc = files_read_fd(fd, name, max, out, err);
	(void)close(fd);
	return rc;
}

static enum tf_code
tile(void *arg, const char *path, unsigned level, uint64_t n, unsigned width,
    struct tf_buf *out, struct tf_error *err)
{
	struct source *s = arg;

	return s->v != NULL ? tf_vault_tile(s->v, level, n, width, out, err) :
			      read_control(s, path, TILE_MAX, out, err);
}

/* Everything that asking takes. */
struct asking {
	const char *target;
	struct tf_witness_policy *policy;
	struct tf_buf note, vkey, anchors;
	struct tf_witness_head head;
	struct tf_buf cosigned; /* note, and the lines that came */
	bool contradicted;	/* a witness has seen another history */
	bool doubtful;		/* a witness is not what it was */
	bool reused;		/* the checkpoint is not the newest */
	bool outrun;		/* a witness has cosigned a newer one */
};

/* What the receipts in the ledger say of a witness. */
struct receipts {
	uint64_t size;	    /* the largest with its key; 0: none */
	uint64_t other_key; /* size of the newest with its name, if that has a
			     * key that is not in the policy; or 0 */
};

static enum tf_code
open_source(struct source *s, const char *target, struct tf_error *err)
{
	enum tf_code rc;

	*s = (struct source){ .v = NULL };
	rc = where_find(target, &s->w, err);
	if (rc == TF_OK && s->w.mount == NULL)
		rc = where_open(&s->w, false, &s->v, err);
	return rc;
}

static void
close_source(struct source *s)
{
	where_close(s->v);
	where_free(&s->w);
}

/*
 * If the log has only grown by receipts since others cosigned a checkpoint, ask
 * about that one again: the answers need no entry, and those who have not cosigned
 * it yet can complete its quorum.
 */
static enum tf_code
reuse(struct asking *a, struct source *s, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_witness_head head;
	uint64_t size;
	enum tf_code rc = tf_anchors_current(tf_buf_bytes(&a->anchors), NULL,
	    &size, err);

	if (rc != TF_OK || size == 0)
		return rc;
	rc = s->v != NULL ?
	    tf_vault_cosigned(s->v, &note, err) :
	    read_control(s, TF_CONTROL_COSIGNED, NOTE_MAX, &note, err);
	if (rc == TF_OK)
		rc = tf_witness_head_of(tf_buf_bytes(&note), &head, err);
	if (rc == TF_OK && head.size == size) {
		a->note.n = 0;
		a->reused = true;
		rc = tf_witness_keep(tf_buf_bytes(&note),
		    tf_buf_bytes(&a->vkey), &a->note, err);
	}
	tf_buf_free(&note);
	return rc;
}

/* Read the newest checkpoint, the log's key and the anchors. */
static enum tf_code
load(struct asking *a, struct tf_error *err)
{
	struct source s;
	enum tf_code rc = open_source(&s, a->target, err);

	a->note.n = a->vkey.n = a->anchors.n = a->cosigned.n = 0;
	a->reused = false;

	if (rc == TF_OK && s.v != NULL) {
		if ((rc = tf_vault_checkpoint(s.v, &a->note, err)) == TF_OK)
			rc = tf_vault_vkey(s.v, &a->vkey, err);
	} else if (rc == TF_OK) {
		rc = read_control(&s, TF_CONTROL_CHECKPOINT, NOTE_MAX, &a->note,
		    err);
		if (rc == TF_OK)
			rc = read_control(&s, TF_CONTROL_VKEY, NOTE_MAX,
			    &a->vkey, err);
	}
	if (rc == TF_OK)
		rc = tf_anchors_read(&s.w, s.v, &a->anchors, err);
	if (rc == TF_OK && ask.via != NULL && !a->outrun)
		rc = reuse(a, &s, err);
	close_source(&s);
	if (rc == TF_OK)
		rc = tf_witness_head_of(tf_buf_bytes(&a->note), &a->head, err);
	if (rc == TF_OK &&
	    !tf_witness_policy_has_log(a->policy, tf_buf_bytes(&a->vkey)))
		rc = tf_fail(err, TF_FOREIGN,
		    "the policy does not name the log %s with this key",
		    a->head.origin);
	tf_buf_add(&a->cosigned, a->note.p, a->note.n);
	return rc == TF_OK ? tf_buf_end(&a->cosigned, err) : rc;
}

static bool
is_key_of(const struct asking *a, size_t i, struct tf_str key)
{
	struct tf_buf own = { 0 };
	bool is;

	tf_witness_policy_key(a->policy, i, &own);
	is = tf_str_same(tf_buf_bytes(&own), key);
	tf_buf_free(&own);
	return is;
}

static bool
is_in_policy(const struct asking *a, struct tf_str key)
{
	for (size_t i = 0; i < tf_witness_policy_count(a->policy); i++)
		if (is_key_of(a, i, key))
			return true;
	return false;
}

/* Take the receipt t, an object of the list, which has the newest first. */
static enum tf_code
take_receipt(const struct asking *a, size_t i, const struct tf_json_doc *d,
    int t, bool *named, struct receipts *r, struct tf_error *err)
{
	const int size = tf_json_get(d, t, "size"),
		  key = tf_json_get(d, t, "key");
	struct tf_buf text = { 0 }, name = { 0 }, kind = { 0 };
	struct tf_policy_witness w;
	enum tf_code rc;

	if (size < 0 || d->tok[size].num <= 0 || key < 0)
		return TF_OK;
	tf_witness_policy_get(a->policy, i, &w);
	rc = tf_json_string(d, key, &text, err);
	if (rc == TF_OK)
		rc = tf_json_string(d, tf_json_get(d, t, "name"), &name, err);
	if (rc == TF_OK)
		rc = tf_json_string(d, tf_json_get(d, t, "kind"), &kind, err);
	if (rc == TF_OK && is_key_of(a, i, tf_buf_bytes(&text))) {
		*named = true;
		if ((uint64_t)d->tok[size].num > r->size)
			r->size = (uint64_t)d->tok[size].num;
	} else if (rc == TF_OK && !*named &&
	    tf_str_same(tf_buf_bytes(&kind), tf_str_of(TF_ANCHOR_WITNESS)) &&
	    tf_str_same(tf_buf_bytes(&name), tf_str_of(w.key_name))) {
		*named = true;
		if (!is_in_policy(a, tf_buf_bytes(&text)))
			r->other_key = (uint64_t)d->tok[size].num;
	}
	tf_buf_free(&text);
	tf_buf_free(&name);
	tf_buf_free(&kind);
	return rc;
}

/* Find what the anchors say of witness i. */
static enum tf_code
find_receipts(const struct asking *a, size_t i, struct receipts *r,
    struct tf_error *err)
{
	struct tf_str text = tf_buf_bytes(&a->anchors);
	struct tf_json_doc d = { 0 };
	bool named = false;
	enum tf_code rc;
	int list;

	*r = (struct receipts){ 0 };
	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	rc = tf_json_parse(&d, text.p, text.n, err);
	list = rc == TF_OK ? tf_json_get(&d, 0, "anchors") : -1;
	for (int t = list + 1;
	     rc == TF_OK && list >= 0 && t < (int)d.tok[list].next;
	     t = (int)d.tok[t].next)
		rc = take_receipt(a, i, &d, t, &named, r, err);
	tf_json_doc_free(&d);
	return rc;
}

static enum tf_code
make_request(const struct asking *a, uint64_t old, struct tf_buf *out,
    struct tf_error *err)
{
	struct source s;
	enum tf_code rc = open_source(&s, a->target, err);

	if (rc == TF_OK)
		rc = tf_witness_request_make(old, tf_buf_bytes(&a->note), tile,
		    &s, out, err);
	close_source(&s);
	return rc;
}

/* --- the answer ---------------------------------------------------------------- */

/* The ledger has the receipt already: only forget what the witness refused. */
static enum tf_code
accept_again(const struct asking *a, const char *name, struct tf_error *err)
{
	const struct tf_refusal none = { .kind = TF_ANCHOR_WITNESS,
		.name = name };

	return tf_anchor_refused(a->target, &none, err);
}

/* Check the lines, record them as an anchor, and add them to those that came. */
static enum tf_code
take(struct asking *a, size_t i, struct tf_str lines, const struct receipts *r,
    struct tf_error *err)
{
	struct tf_buf note = { 0 }, key = { 0 };
	struct tf_policy_witness w;
	struct tf_anchor anchor = { .kind = TF_ANCHOR_WITNESS };
	enum tf_code rc = tf_witness_take(a->policy, i, tf_buf_bytes(&a->note),
	    lines, &note, err);

	tf_witness_policy_get(a->policy, i, &w);
	tf_witness_policy_key(a->policy, i, &key);
	anchor.name = w.key_name;
	anchor.key = text_of(&key);
	anchor.bytes = note.p;
	anchor.n = note.n;
	if (rc == TF_OK)
		rc = tf_buf_end(&key, err);
	if (rc == TF_OK && a->reused && r->size == a->head.size)
		rc = accept_again(a, anchor.name, err);
	else if (rc == TF_OK)
		rc = tf_anchor_record(a->target, &anchor, err);
	if (rc == TF_OK) {
		tf_buf_add(&a->cosigned, lines.p, lines.n);
		rc = tf_buf_end(&a->cosigned, err);
	}
	tf_buf_free(&note);
	tf_buf_free(&key);
	return rc;
}

static const char *
explain_status(int status)
{
	switch (status) {
	case TF_WITNESS_MALFORMED:
		return "it could not read the request";
	case TF_WITNESS_UNSIGNED:
		return "it has another key of this log";
	case TF_WITNESS_UNKNOWN:
		return "it does not know this log: its operator must add the "
		       "log's vkey";
	case TF_WITNESS_INCONSISTENT:
		return "it has cosigned another history of this log: keep this "
		       "checkpoint and ask its operator for the other";
	default:
		return "it did not cosign";
	}
}

/* A failure with the status, its meaning and what the witness said. */
static enum tf_code
refused(int status, struct tf_str body, const struct receipts *r,
    struct tf_error *err)
{
	struct tf_buf said = { 0 };
	size_t n = 0;

	if (status == TF_WITNESS_UNKNOWN && r->size > 0)
		tf_buf_printf(&said, "; it has cosigned %" PRIu64 " entries",
		    r->size);
	while (n < body.n && n < 60 && body.p[n] != '\n')
		n++;
	if (n > 0) {
		tf_buf_str(&said, " (it said: ");
		text_add(&said, body.p, n);
		tf_buf_str(&said, ")");
	}
	(void)tf_fail(err,
	    status == TF_WITNESS_INCONSISTENT		    ? TF_TAMPER :
		status == TF_WITNESS_UNKNOWN && r->size > 0 ? TF_FOREIGN :
							      TF_DENIED,
	    "%d: %s%s", status, explain_status(status), text_of(&said));
	tf_buf_free(&said);
	return err->code;
}

/* The size of a 409.  A witness that has more than this log remembers what the
 * log has lost. */
static enum tf_code
other_size(struct asking *a, uint64_t old, struct tf_str body, uint64_t *size,
    struct tf_error *err)
{
	if (!tf_witness_size(body, size))
		return tf_fail(err, TF_INVALID, "409: the answer has no size");
	if (*size > a->head.size && a->reused) {
		a->outrun = true;
		return TF_BUSY;
	}
	if (*size > a->head.size)
		return tf_fail(err, TF_TAMPER,
		    "409: it has cosigned %" PRIu64
		    " entries, and this log has %" PRIu64
		    ": the log lost its end, or it was forked",
		    *size, a->head.size);
	if (*size == old)
		return tf_fail(err, TF_INVALID,
		    "409: it asks for the size that it was given");
	return TF_BUSY;
}

/* A witness was put back to an earlier state, or emptied: what it had seen after
 * that, it would cosign again in another history. */
static void
say_forgot(struct asking *a, const char *name, uint64_t size,
    const struct receipts *r)
{
	if (size >= r->size)
		return;
	a->doubtful = true;
	report_note("%s: it remembers %" PRIu64 " entries, and the ledger has "
		    "its receipt for %" PRIu64
		    ": the witness was put back or emptied, so "
		    "it is no memory of what came between; tell its operator",
	    name, size, r->size);
}

static void
say_other_key(struct asking *a, const struct tf_policy_witness *w,
    const struct receipts *r)
{
	if (r->other_key == 0)
		return;
	a->doubtful = true;
	report_note("%s: the policy has another key of %s than its newest "
		    "receipt in the ledger, for %" PRIu64
		    " entries: ask its operator whether the key was changed",
	    w->name, w->key_name, r->other_key);
}

/*
 * Take what witness i answered to a request from old.  TF_OK: it is recorded.
 * TF_BUSY: ask again from *size.
 */
static enum tf_code
take_answer(struct asking *a, size_t i, uint64_t old, struct tf_str text,
    const struct receipts *r, uint64_t *size, struct tf_error *err)
{
	struct http_answer h;

	if (!http_answer_read(text, &h))
		return tf_fail(err, TF_INVALID,
		    "the answer has no status of HTTP");
	/* Without a header it is what only one answer can be. */
	if (h.status == 0)
		h.status = tf_witness_size(h.body, size) ?
		    TF_WITNESS_OTHER_SIZE :
		    TF_WITNESS_COSIGNED;
	if (h.status == TF_WITNESS_COSIGNED)
		return take(a, i, h.body, r, err);
	if (h.status == TF_WITNESS_OTHER_SIZE)
		return other_size(a, old, h.body, size, err);
	return refused(h.status, h.body, r, err);
}

/* --- the command ---------------------------------------------------------------- */

/* The environment points at it, so it is kept until there is another. */
static enum tf_code
set_url(const char *url, struct tf_error *err)
{
	static char *variable;
	size_t n = strlen(url);
	char *next;

	while (n > 0 && url[n - 1] == '/')
		n--;
	if (asprintf(&next, URL "=%.*s" CALL, (int)n, url) < 0)
		return tf_nomem(err);
	if (!program_set_variable(next)) {
		free(next);
		return tf_nomem(err);
	}
	free(variable);
	variable = next;
	return TF_OK;
}

/* The command gets the URL as its last argument.  A variable carries it, so that
 * no shell reads it. */
static enum tf_code
carry(const struct tf_policy_witness *w, struct tf_str request,
    struct tf_buf *answer, struct tf_error *err)
{
	char *command;
	enum tf_code rc = set_url(w->url, err);

	if (rc != TF_OK)
		return rc;
	if (asprintf(&command, "%s \"$" URL "\"", ask.via) < 0)
		return tf_nomem(err);
	rc = transport_run(command, request, ANSWER_MAX, answer, err);
	free(command);
	return rc;
}

/* Ask once, and after a 409 once more from the size that it has. */
static enum tf_code
ask_one(struct asking *a, size_t i, const struct tf_policy_witness *w,
    struct tf_error *err)
{
	struct receipts r;
	uint64_t old, size = 0;
	enum tf_code rc = find_receipts(a, i, &r, err);

	old = r.size;
	if (rc == TF_OK && w->url == NULL)
		rc = tf_fail(err, TF_USAGE, "the policy has no URL of it");
	if (rc == TF_OK)
		say_other_key(a, w, &r);
	for (int try = 0; rc == TF_OK; try++) {
		struct tf_buf request = { 0 }, answer = { 0 };

		rc = make_request(a, old, &request, err);
		if (rc == TF_OK)
			rc = carry(w, tf_buf_bytes(&request), &answer, err);
		if (rc == TF_OK)
			rc = take_answer(a, i, old, tf_buf_bytes(&answer), &r,
			    &size, err);
		tf_buf_free(&request);
		tf_buf_free(&answer);
		if (rc == TF_OK)
			return TF_OK;
		if (a->outrun && a->reused)
			return TF_BUSY;
		if (rc == TF_BUSY && try == 0) {
			say_forgot(a, w->name, size, &r);
			old = size;
			rc = TF_OK;
		} else if (rc == TF_BUSY) {
			rc = tf_fail(err, TF_BUSY,
			    "409: its size changed meanwhile; ask later");
		}
	}
	return rc;
}

/* The status shows it until the witness cosigns again, so that others than the
 * caller hear of it. */
static void
keep_refusal(const struct asking *a, size_t i, const struct tf_error *why)
{
	struct tf_buf text = { 0 };
	struct tf_policy_witness w;
	struct tf_refusal r = { .kind = TF_ANCHOR_WITNESS };
	struct tf_error err = { .code = TF_OK };

	tf_witness_policy_get(a->policy, i, &w);
	tf_buf_printf(&text, "refused: %s", why->text);
	r.name = w.key_name;
	r.text = text_of(&text);
	if (tf_anchor_refused(a->target, &r, &err) != TF_OK)
		report_note("%s: the status does not show this: %s", w.name,
		    err.text);
	tf_buf_free(&text);
}

/* Print what became of the request to witness i, and keep what speaks against the
 * log or the witness. */
static void
say(struct asking *a, size_t i, const char *name, enum tf_code rc,
    const struct tf_error *err)
{
	struct tf_buf shown = { 0 };

	text_add(&shown, name, strlen(name));
	if (rc == TF_OK && !ask.quiet)
		printf("%s: cosigned %" PRIu64 " entries\n", text_of(&shown),
		    a->head.size);
	else if (rc != TF_OK)
		report_note("%s: %s", text_of(&shown), err->text);
	tf_buf_free(&shown);
	a->contradicted |= rc == TF_TAMPER;
	if (rc == TF_TAMPER || rc == TF_FOREIGN)
		keep_refusal(a, i, err);
}

static int
ask_all(struct asking *a)
{
	struct tf_error err = { 0 };
	struct tf_policy_witness w;
	struct tf_quorum q;
	const size_t n = tf_witness_policy_count(a->policy);

	for (size_t i = 0; i < n; i++) {
		enum tf_code rc;

		tf_witness_policy_get(a->policy, i, &w);
		err = (struct tf_error){ 0 };
		rc = ask_one(a, i, &w, &err);
		if (a->outrun && a->reused) {
			/* All again, about the newest one. */
			if (load(a, &err) != TF_OK)
				return report(&err);
			i = SIZE_MAX;
			continue;
		}
		say(a, i, w.name, rc, &err);
	}
	if (tf_witness_policy_judge(a->policy, tf_buf_bytes(&a->cosigned), &q,
		&err) != TF_OK)
		return report(&err);
	if (!q.met)
		report_note("the quorum %s is not met: %zu of %zu witnesses "
			    "have cosigned",
		    tf_witness_policy_quorum(a->policy), q.cosigned, n);
	else if (!ask.quiet)
		printf("quorum %s: met, %zu of %zu witnesses have cosigned\n",
		    tf_witness_policy_quorum(a->policy), q.cosigned, n);
	if (a->contradicted)
		return REPORT_TAMPERED;
	return q.met && !a->doubtful ? REPORT_OK : REPORT_FINDING;
}

/* --- by hand --------------------------------------------------------------------- */

static enum tf_code
find_witness(const struct asking *a, const char *name, size_t *i,
    struct tf_error *err)
{
	struct tf_policy_witness w;

	for (*i = 0; *i < tf_witness_policy_count(a->policy); ++*i) {
		tf_witness_policy_get(a->policy, *i, &w);
		if (strcmp(w.name, name) == 0)
			return TF_OK;
	}
	return tf_fail(err, TF_USAGE, "the policy has no witness %.80s", name);
}

static enum tf_code
print(struct asking *a, size_t i, struct tf_error *err)
{
	struct tf_buf request = { 0 };
	struct receipts r;
	uint64_t old = ask.old;
	enum tf_code rc = TF_OK;

	if (old == NOT_GIVEN) {
		rc = find_receipts(a, i, &r, err);
		old = r.size;
	}
	if (rc == TF_OK)
		rc = make_request(a, old, &request, err);
	if (rc == TF_OK)
		fwrite(request.p, 1, request.n, stdout);
	tf_buf_free(&request);
	return rc;
}

/* The answer is about the checkpoint of the request, which may have another
 * after it by now. */
static enum tf_code
use_request(struct asking *a, uint64_t *old, struct tf_error *err)
{
	struct tf_buf body = { 0 };
	struct tf_witness_request r;
	enum tf_code rc = files_read(ask.request, TF_WITNESS_REQUEST_MAX, &body,
	    err);

	if (rc == TF_OK)
		rc = tf_witness_request_parse(tf_buf_bytes(&body), &r, err);
	if (rc == TF_OK) {
		a->note.n = 0;
		tf_buf_add(&a->note, r.note.p, r.note.n);
		a->head = r.head;
		*old = r.old;
		rc = tf_buf_end(&a->note, err);
	}
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
accept_answer(struct asking *a, size_t i, struct tf_error *err)
{
	struct tf_buf answer = { 0 };
	uint64_t old = NOT_GIVEN, size;
	struct tf_policy_witness w;
	struct receipts r;
	enum tf_code rc = files_read_fd(STDIN_FILENO, "the answer", ANSWER_MAX,
	    &answer, err);

	tf_witness_policy_get(a->policy, i, &w);
	if (rc == TF_OK && ask.request != NULL)
		rc = use_request(a, &old, err);
	if (rc == TF_OK)
		rc = find_receipts(a, i, &r, err);
	if (rc == TF_OK) {
		say_other_key(a, &w, &r);
		rc = take_answer(a, i, old, tf_buf_bytes(&answer), &r, &size,
		    err);
	}
	if (rc == TF_BUSY)
		say_forgot(a, w.name, size, &r);
	if (rc == TF_BUSY)
		rc = tf_fail(err, TF_DENIED,
		    "409: ask again with --print %.60s --old %" PRIu64,
		    ask.accept, size);
	tf_buf_free(&answer);
	return rc;
}

static int
by_hand(struct asking *a)
{
	const char *name = ask.print != NULL ? ask.print : ask.accept;
	struct tf_error err = { 0 };
	size_t i;
	enum tf_code rc = find_witness(a, name, &i, &err);

	if (rc == TF_OK && ask.print != NULL)
		rc = print(a, i, &err);
	if (rc != TF_OK)
		return report(&err);
	if (ask.accept == NULL)
		return REPORT_OK;
	rc = accept_answer(a, i, &err);
	say(a, i, name, rc, &err);
	if (rc == TF_TAMPER)
		return REPORT_TAMPERED;
	return rc == TF_OK && !a->doubtful ? REPORT_OK : REPORT_FINDING;
}

/* --- the verb ---------------------------------------------------------------------- */

/* Why the options do not go together, or NULL. */
static const char *
misfit(void)
{
	if (ask.policy == NULL)
		return "--policy is missing";
	if ((ask.print != NULL) + (ask.accept != NULL) + (ask.via != NULL) != 1)
		return "one of --print, --accept and --via is needed";
	if (ask.old != NOT_GIVEN && ask.print == NULL)
		return "--old goes with --print";
	if (ask.request != NULL && ask.accept == NULL)
		return "--request goes with --accept";
	return NULL;
}

static enum tf_code
read_policy(struct asking *a, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = files_read(ask.policy, TF_WITNESS_POLICY_MAX, &text,
	    err);

	if (rc == TF_OK)
		rc = tf_witness_policy_parse(tf_buf_bytes(&text).p, text.n,
		    &a->policy, err);
	tf_buf_free(&text);
	return rc;
}

static int
run(int n, char **arg)
{
	struct asking a = { .target = n > 0 ? arg[0] : "." };
	struct tf_error err = { 0 };
	int status;

	if (misfit() != NULL)
		return cmd_usage(&cmd_witness, misfit());
	if (read_policy(&a, &err) != TF_OK || load(&a, &err) != TF_OK)
		status = report(&err);
	else
		status = ask.via != NULL ? ask_all(&a) : by_hand(&a);
	tf_witness_policy_free(a.policy);
	tf_buf_free(&a.note);
	tf_buf_free(&a.vkey);
	tf_buf_free(&a.anchors);
	tf_buf_free(&a.cosigned);
	return status;
}

const struct verb cmd_witness = {
	.name = "witness",
	.summary = "ask witnesses to cosign the newest checkpoint",
	.usage = "--policy FILE --via COMMAND [OPTION...] [STORE|PATH]\n"
		 "--policy FILE --print NAME [--old SIZE] [STORE|PATH]\n"
		 "--policy FILE --accept NAME [--request FILE] [STORE|PATH]",
	.options = options,
	.min = 0,
	.max = 1,
	.run = run,
};
