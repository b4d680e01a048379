/*
 * trailctl stamp: have a time stamp authority (RFC 3161) stamp the newest
 * checkpoint.
 *
 * The request is either printed, and its answer given later (--print-request,
 * --accept), or a command of the caller carries both (--via). A request needs no
 * memory: its nonce follows from the checkpoint, and the answer names the
 * checkpoint by its digest. So the answer is checked in the same way on both
 * ways, before anything is recorded.
 *
 * Whether the authority can be trusted is not decided here, unless the caller
 * gives --tsa-ca: a verifier decides it, with certificates of his own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchors.h"
#include "cmd.h"
#include "core/anchor.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/time_text.h"
#include "core/base/timestamp.h"
#include "core/control.h"
#include "core/stamp.h"
#include "core/vault.h"
#include "files.h"
#include "report.h"
#include "text.h"
#include "transport.h"
#include "where.h"

#define NOTE_MAX ((size_t)1 << 16)

static struct {
	bool print;
	const char *output, *accept, *checkpoint, *ca;
	struct args_list via, name, chain; /* of each authority */
} ask;

static const struct args_option options[] = {
	{ .name = "accept",
	    .value = "TOKEN",
	    .help = "record the answer of the authority in the file TOKEN",
	    .text = &ask.accept },
	{ .name = "chain",
	    .value = "PEM",
	    .help = "certificates of the authority that its answer lacks",
	    .list = &ask.chain },
	{ .name = "checkpoint",
	    .value = "FILE",
	    .help =
		"write the stamped bytes to FILE, or accept a stamp of them",
	    .text = &ask.checkpoint },
	{ .name = "name",
	    .value = "NAME",
	    .help = "the name of the authority in this vault",
	    .list = &ask.name },
	{ .name = "output",
	    .letter = 'o',
	    .value = "FILE",
	    .help = "write the request to FILE",
	    .text = &ask.output },
	{ .name = "print-request",
	    .help = "print the request for a time stamp (DER)",
	    .flag = &ask.print },
	{ .name = "tsa-ca",
	    .value = "FILE",
	    .help = "record only a stamp that these certificates vouch for",
	    .text = &ask.ca },
	{ .name = "via",
	    .value = "COMMAND",
	    .help = "send the request to COMMAND and record its answer",
	    .list = &ask.via },
	{ 0 },
};

/* A checkpoint as it is stamped, the answer, and what came of it. */
struct stamping {
	const char *target, *name;
	struct where w;
	struct tf_buf note, token, given, ca, chain;
	uint64_t size; /* entries of the checkpoint */
	/* The clock when these entries existed at the latest; s 0: unknown. */
	struct tf_time made;
	struct tf_stamp stamp;
};

/* --- the checkpoint --------------------------------------------------- */

/* The size of a checkpoint stands in its second line.  The note stays as it is:
 * its bytes are stamped. */
static enum tf_code
read_size(struct stamping *s, struct tf_error *err)
{
	struct tf_str note = tf_buf_bytes(&s->note), rest = note;
	const char *line = memchr(note.p, '\n', note.n), *end = NULL;

	if (line != NULL) {
		rest.p = line + 1;
		rest.n = note.n - (size_t)(rest.p - note.p);
		end = memchr(rest.p, '\n', rest.n);
	}
	if (end == NULL ||
	    !tf_decimal(rest.p, (size_t)(end - rest.p), INT64_MAX, &s->size))
		return tf_fail(err, TF_INVALID, "this is no checkpoint");
	return TF_OK;
}

/* The newest checkpoint of the mount or the store. */
static enum tf_code
read_newest(struct stamping *s, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	enum tf_code rc;
	int fd = -1;

	if (s->w.mount != NULL) {
		rc = where_control(&s->w, TF_CONTROL_CHECKPOINT, &fd, err);
		if (rc == TF_OK)
			rc = files_read_fd(fd, TF_CONTROL_CHECKPOINT, NOTE_MAX,
			    &s->note, err);
		if (fd >= 0)
			(void)close(fd);
	} else {
		rc = where_open(&s->w, false, &v, err);
		if (rc == TF_OK)
			rc = tf_vault_checkpoint(v, &s->note, err);
		where_close(v);
	}
	return rc == TF_OK ? read_size(s, err) : rc;
}

/* The checkpoint that the token says it stamps, from the store, which is also
 * read behind a mount. */
static enum tf_code
find_stamped(struct stamping *s, struct tf_error *err)
{
	struct where behind = { .path = s->w.path, .store = s->w.store };
	struct tf_vault *v = NULL;
	struct tf_hash imprint;
	char *store = NULL;
	struct tf_error is;
	enum tf_code rc = tf_stamp_imprint(tf_buf_bytes(&s->token), &imprint,
	    err);

	if (rc == TF_INVALID && ask.accept != NULL) {
		is = *err;
		(void)tf_fail(err, rc, "%s: %s", ask.accept, is.text);
	}
	if (rc == TF_OK && s->w.mount != NULL) {
		rc = where_store(&s->w, &store, err);
		behind.store = store;
	}
	if (rc == TF_OK)
		rc = where_open(&behind, false, &v, err);
	if (rc == TF_ACCESS || rc == TF_UNSUPPORTED)
		report_note("with --checkpoint FILE the store is not needed");
	if (rc == TF_OK)
		rc = tf_vault_stamped(v, &imprint, &s->size, &s->made, &s->note,
		    err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER,
		    "the time stamp is not over a checkpoint of this log");
	where_close(v);
	free(store);
	return rc;
}

/* --- the answer ------------------------------------------------------- */

/* Begin with authority k: its name, and the certificates that its answer lacks. */
static enum tf_code
begin(struct stamping *s, size_t k, struct tf_error *err)
{
	s->name = ask.name.v[k];
	s->token.n = s->given.n = s->chain.n = 0;
	return ask.chain.n == 0 ?
	    TF_OK :
	    files_read(ask.chain.v[k], TF_STAMP_CHAIN_MAX, &s->given, err);
}

static enum tf_code
read_trusted(struct stamping *s, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (ask.ca != NULL)
		rc = files_read(ask.ca, TF_STAMP_CHAIN_MAX, &s->ca, err);
	if (rc == TF_OK && ask.ca != NULL)
		rc = tf_stamp_check_trusted(tf_buf_bytes(&s->ca), err);
	return rc;
}

/* Check the answer; s->chain becomes all certificates, in order. */
static enum tf_code
check(struct stamping *s, struct tf_error *err)
{
	struct tf_stamp_check c = { .note = tf_buf_bytes(&s->note),
		.token = tf_buf_bytes(&s->token),
		.chain = tf_buf_bytes(&s->given),
		.answer = true,
		.recording = true };
	enum tf_code rc;

	if (ask.ca != NULL)
		c.trusted = tf_buf_bytes(&s->ca);
	rc = tf_stamp_check(&c, &s->stamp, &s->chain, err);
	return rc == TF_FOREIGN ? tf_fail(err, TF_DENIED,
				      "the authority is not one that --tsa-ca "
				      "vouches for") :
				  rc;
}

/* The clock of this host and the stamp cannot both be right: say so. */
static void
doubt_time(const struct stamping *s)
{
	const struct tf_time now = tf_clock_now();
	const int64_t by = tf_stamp_differs(&s->stamp,
	    s->made.s != 0 ? &s->made : NULL, &now);
	char stamped[TF_TIME_LEN + 1], clock[TF_TIME_LEN + 1];
	char span[TF_SPAN_LEN + 1];

	if (by == 0)
		return;
	tf_time_text(s->stamp.at, stamped);
	tf_time_text(by < 0 ? s->made : now, clock);
	tf_span_text(by < 0 ? -by : by, span);
	report_note("warning: the authority says %s, %s %s the clock of this "
		    "host, which %s %s: one of them is wrong",
	    stamped, span, by < 0 ? "before" : "after",
	    by < 0 ? "said before" : "says", clock);
}

static enum tf_code
record(struct stamping *s, struct tf_error *err)
{
	const struct tf_anchor a = { .kind = TF_ANCHOR_STAMP,
		.name = s->name,
		.size = s->size,
		.bytes = s->token.p,
		.n = s->token.n,
		.chain = s->chain.p,
		.chain_n = s->chain.n };
	char at[TF_TIME_LEN + 1];
	enum tf_code rc = tf_anchor_record(s->target, &a, err);

	if (rc != TF_OK)
		return rc;
	tf_time_text(s->stamp.at, at);
	printf("%s: the first %llu entries existed at %s, says %s\n", s->name,
	    (unsigned long long)s->size, at, s->stamp.authority);
	doubt_time(s);
	if (!s->stamp.whole_chain)
		report_note("the certificates do not reach a root: give the "
			    "others with --chain, a verifier may need them");
	return TF_OK;
}

/* --- the three ways --------------------------------------------------- */

static enum tf_code
make_request(struct stamping *s, struct tf_buf *request, struct tf_error *err)
{
	enum tf_code rc = read_newest(s, err);

	if (rc == TF_OK && ask.checkpoint != NULL)
		rc = files_write(ask.checkpoint, &s->note, err);
	if (rc == TF_OK)
		rc = tf_stamp_request(tf_buf_bytes(&s->note), request, err);
	return rc;
}

static enum tf_code
print_request(struct stamping *s, struct tf_error *err)
{
	struct tf_buf request = { 0 };
	enum tf_code rc = make_request(s, &request, err);

	if (rc == TF_OK && ask.output != NULL)
		rc = files_write(ask.output, &request, err);
	else if (rc == TF_OK)
		fwrite(request.p, 1, request.n, stdout);
	tf_buf_free(&request);
	return rc;
}

static enum tf_code
accept_answer(struct stamping *s, struct tf_error *err)
{
	enum tf_code rc = begin(s, 0, err);

	if (rc == TF_OK)
		rc = files_read(ask.accept, TF_STAMP_TOKEN_MAX, &s->token, err);
	if (rc == TF_OK && ask.checkpoint != NULL) {
		rc = files_read(ask.checkpoint, NOTE_MAX, &s->note, err);
		if (rc == TF_OK)
			rc = read_size(s, err);
	} else if (rc == TF_OK) {
		rc = find_stamped(s, err);
	}
	if (rc == TF_OK)
		rc = check(s, err);
	return rc == TF_OK ? record(s, err) : rc;
}

/* Has this authority stamped all but receipts within the hour? */
static enum tf_code
is_stamped(struct stamping *s, bool *yes, struct tf_error *err)
{
	struct tf_buf json = { 0 };
	struct tf_vault *v = NULL;
	uint64_t size = 0;
	enum tf_code rc = TF_OK;

	if (s->w.mount == NULL)
		rc = where_open(&s->w, false, &v, err);
	if (rc == TF_OK)
		rc = tf_anchors_read(&s->w, v, &json, err);
	if (rc == TF_OK)
		rc = tf_anchors_current(tf_buf_bytes(&json), s->name, &size,
		    err);
	where_close(v);
	tf_buf_free(&json);
	*yes = size > 0;
	if (rc == TF_OK && *yes)
		printf("%s: stamped %" PRIu64
		       " entries within the hour, and nothing but receipts is "
		       "new\n",
		    s->name, size);
	return rc;
}

static enum tf_code
ask_authority(struct stamping *s, size_t k, struct tf_str request,
    struct tf_error *err)
{
	bool stamped = false;
	enum tf_code rc = begin(s, k, err);

	if (rc == TF_OK)
		rc = is_stamped(s, &stamped, err);
	if (rc != TF_OK || stamped)
		return rc;
	s->made = tf_clock_now();
	if (rc == TF_OK)
		rc = transport_run(ask.via.v[k], request, TF_STAMP_TOKEN_MAX,
		    &s->token, err);
	if (rc == TF_OK)
		rc = check(s, err);
	return rc == TF_OK ? record(s, err) : rc;
}

/* Report why there is no stamp of authority k; the exit status is that of the
 * first such failure. */
static int
failed(size_t k, const struct tf_error *why, int status)
{
	struct tf_error e = *why;
	int own;

	if (ask.via.n > 1)
		(void)snprintf(e.text, sizeof(e.text), "%.60s: %.90s",
		    ask.name.v[k], why->text);
	own = report(&e);
	return status == REPORT_OK ? own : status;
}

/* All authorities stamp the same checkpoint: recording the first stamp makes the
 * log longer.  One that is down keeps no other one from it. */
static int
ask_all(struct stamping *s)
{
	struct tf_buf request = { 0 };
	struct tf_error err = { 0 };
	int status = REPORT_OK;

	if (make_request(s, &request, &err) != TF_OK)
		status = report(&err);
	for (size_t k = 0; request.n > 0 && k < ask.via.n; k++)
		if (ask_authority(s, k, tf_buf_bytes(&request), &err) != TF_OK)
			status = failed(k, &err, status);
	tf_buf_free(&request);
	return status;
}

/* --- the verb --------------------------------------------------------- */

/* Why the options do not go together, or NULL. */
static const char *
misfit(void)
{
	const size_t n = ask.via.n > 0 ? ask.via.n : 1;

	if (ask.print + (ask.accept != NULL) + (ask.via.n > 0) != 1)
		return "one of --print-request, --accept and --via is needed";
	if (ask.print && (ask.name.n > 0 || ask.chain.n > 0 || ask.ca != NULL))
		return "--name, --chain and --tsa-ca go with an answer";
	if (!ask.print && ask.name.n != n)
		return n > 1 || ask.name.n > 1 ?
		    "each --via needs a --name of its own" :
		    "--name NAME is needed: which authority this is";
	if (ask.chain.n > 0 && ask.chain.n != n)
		return "give --chain for each authority, or for none";
	if (!ask.print && ask.output != NULL)
		return "--output goes with --print-request";
	return NULL;
}

static int
run(int n, char **arg)
{
	struct stamping s = { .target = arg[0] };
	struct tf_error err = { 0 };
	const char *why = misfit();
	enum tf_code rc;
	int status = REPORT_OK;

	(void)n;
	if (why != NULL)
		return cmd_usage(&cmd_stamp, why);
	rc = where_find(arg[0], &s.w, &err);
	if (rc == TF_OK)
		rc = read_trusted(&s, &err);
	if (rc == TF_OK && ask.via.n > 0)
		status = ask_all(&s);
	else if (rc == TF_OK)
		rc = ask.print ? print_request(&s, &err) :
				 accept_answer(&s, &err);
	where_free(&s.w);
	tf_buf_free(&s.note);
	tf_buf_free(&s.token);
	tf_buf_free(&s.given);
	tf_buf_free(&s.ca);
	tf_buf_free(&s.chain);
	return rc == TF_OK ? status : report(&err);
}

const struct verb cmd_stamp = {
	.name = "stamp",
	.summary =
	    "have an authority stamp the newest checkpoint with the time",
	.usage = "--print-request [OPTION...] STORE|PATH\n"
		 "--accept TOKEN --name NAME [OPTION...] STORE|PATH\n"
		 "--via COMMAND --name NAME [...] [OPTION...] STORE|PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
