/*
 * Witnesses of the log of an organisation: see org_witness.h.  Nothing that comes back
 * is believed: a cosignature is checked with the key in the policy.
 */
#include "org_witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/org.h"
#include "core/witness.h"
#include "files.h"
#include "http_answer.h"
#include "program.h"
#include "report.h"
#include "text.h"
#include "transport.h"

#define CALL "/add-checkpoint"
#define URL "TRAILFS_URL"
#define VKEY_MAX ((size_t)1 << 20)
#define ANSWER_MAX ((size_t)1 << 17)

struct asking {
	const char *blobs, *via;
	struct tf_witness_policy *policy;
	struct tf_buf note; /* with the cosignatures that it has */
	struct tf_witness_head head;
};

static enum tf_code
tile(void *arg, const char *path, unsigned level, uint64_t n, unsigned width,
    struct tf_buf *out, struct tf_error *err)
{
	struct asking *a = arg;
	size_t before = out->n;
	enum tf_code rc = tf_org_published(a->blobs, path, 8192, out, err);

	(void)level;
	(void)n;
	if (rc == TF_OK && out->n - before < width * sizeof(struct tf_hash))
		rc = tf_fail(err, TF_TAMPER, "%s is too short", path);
	if (rc == TF_OK)
		out->n = before + width * sizeof(struct tf_hash);
	return rc;
}

/* The command gets the URL as its last argument, by a variable: no shell reads it. */
static enum tf_code
carry(const struct asking *a, const char *url, struct tf_str request,
    struct tf_buf *answer, struct tf_error *err)
{
	static char *variable; /* the environment points at it */
	char *command = NULL, *next;
	size_t n = strlen(url);
	enum tf_code rc;

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
	if (asprintf(&command, "%s \"$" URL "\"", a->via) < 0)
		return tf_nomem(err);
	rc = transport_run(command, request, ANSWER_MAX, answer, err);
	free(command);
	return rc;
}

static enum tf_code
take_answer(struct asking *a, size_t i, uint64_t old, struct tf_str text,
    uint64_t *size, struct tf_error *err)
{
	struct tf_buf cosigned = { 0 };
	struct http_answer h;
	enum tf_code rc;

	if (!http_answer_read(text, &h))
		return tf_fail(err, TF_INVALID,
		    "the answer has no status of HTTP");
	if (h.status == 0)
		h.status = tf_witness_size(h.body, size) ?
		    TF_WITNESS_OTHER_SIZE :
		    TF_WITNESS_COSIGNED;
	if (h.status == TF_WITNESS_INCONSISTENT)
		return tf_fail(err, TF_TAMPER,
		    "422: it has cosigned another history of this log");
	if (h.status == TF_WITNESS_OTHER_SIZE) {
		if (!tf_witness_size(h.body, size) || *size == old)
			return tf_fail(err, TF_INVALID,
			    "409: the answer has no other size");
		if (*size > a->head.size)
			return tf_fail(err, TF_TAMPER,
			    "409: it has cosigned %llu entries, and this log "
			    "has %llu: it was set back or forked",
			    (unsigned long long)*size,
			    (unsigned long long)a->head.size);
		return TF_BUSY;
	}
	if (h.status != TF_WITNESS_COSIGNED)
		return tf_fail(err, TF_DENIED, "%d: it did not cosign",
		    h.status);
	rc = tf_witness_take(a->policy, i, tf_buf_bytes(&a->note), h.body,
	    &cosigned, err);
	if (rc == TF_OK) {
		tf_buf_free(&a->note);
		a->note = cosigned;
	} else
		tf_buf_free(&cosigned);
	return rc;
}

/* Ask with the size 0, and after a 409 once more from the size that it has. */
static enum tf_code
ask_one(struct asking *a, size_t i, const char *url, struct tf_error *err)
{
	uint64_t old = 0, size = 0;
	enum tf_code rc = TF_BUSY;

	if (url == NULL)
		return tf_fail(err, TF_USAGE, "the policy has no URL of it");
	for (int try = 0; rc == TF_BUSY && try < 2; try++, old = size) {
		struct tf_buf request = { 0 }, answer = { 0 };

		rc = tf_witness_request_make(old, tf_buf_bytes(&a->note), tile,
		    a, &request, err);
		if (rc == TF_OK)
			rc = carry(a, url, tf_buf_bytes(&request), &answer,
			    err);
		if (rc == TF_OK)
			rc = take_answer(a, i, old, tf_buf_bytes(&answer),
			    &size, err);
		tf_buf_free(&request);
		tf_buf_free(&answer);
	}
	return rc == TF_BUSY ?
	    tf_fail(err, rc, "409: its size changed meanwhile; ask later") :
	    rc;
}

static bool
ask_all(struct asking *a, const struct tf_quorum *have)
{
	bool contradicted = false;

	for (size_t i = 0; i < tf_witness_policy_count(a->policy); i++) {
		struct tf_error err = { 0 };
		struct tf_policy_witness w;
		enum tf_code rc;

		if (have->has_cosigned[i])
			continue;
		tf_witness_policy_get(a->policy, i, &w);
		rc = ask_one(a, i, w.url, &err);
		if (rc == TF_OK)
			printf("%s: cosigned %llu entries\n", w.name,
			    (unsigned long long)a->head.size);
		else
			report_note("%s: %s", w.name, err.text);
		contradicted |= rc == TF_TAMPER;
	}
	return contradicted;
}

/* The policy names the log with the key of now. */
static enum tf_code
check_log(const struct asking *a, const char *keys, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	char *path;
	enum tf_code rc;

	if (asprintf(&path, "%s/log.vkey", keys) < 0)
		return tf_nomem(err);
	rc = files_read(path, VKEY_MAX, &text, err);
	free(path);
	if (rc == TF_OK &&
	    !tf_witness_policy_has_log(a->policy,
		(struct tf_str){ text.p, strcspn(text.p, "\n") }))
		rc = tf_fail(err, TF_FOREIGN,
		    "the policy does not name the log %s with this key",
		    a->head.origin);
	tf_buf_free(&text);
	return rc;
}

static enum tf_code
load(struct asking *a, const char *ledger, const char *keys, const char *file,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = files_read(file, TF_WITNESS_POLICY_MAX, &text, err);

	if (rc == TF_OK)
		rc = tf_witness_policy_parse(text.p, text.n, &a->policy, err);
	tf_buf_free(&text);
	if (rc == TF_OK)
		rc = tf_org_checkpoint(ledger, &a->note, err);
	if (rc == TF_OK)
		rc = tf_witness_head_of(tf_buf_bytes(&a->note), &a->head, err);
	if (rc == TF_OK)
		rc = check_log(a, keys, err);
	return rc;
}

int
org_witness(const char *ledger, const char *blobs, const char *keys,
    const char *policy, const char *via)
{
	struct asking a = { .blobs = blobs, .via = via };
	struct tf_error err = { 0 };
	struct tf_quorum q = { 0 };
	bool contradicted = false;
	enum tf_code rc = load(&a, ledger, keys, policy, &err);
	size_t before = a.note.n;

	if (rc == TF_OK)
		rc = tf_witness_policy_judge(a.policy, tf_buf_bytes(&a.note),
		    &q, &err);
	if (rc == TF_OK)
		contradicted = ask_all(&a, &q);
	if (rc == TF_OK && a.note.n > before)
		rc = tf_org_cosigned(ledger, blobs, keys, tf_buf_bytes(&a.note),
		    &err);
	if (rc == TF_OK)
		rc = tf_witness_policy_judge(a.policy, tf_buf_bytes(&a.note),
		    &q, &err);
	if (rc == TF_OK && q.met)
		printf("quorum %s: met, %zu of %zu witnesses have cosigned\n",
		    tf_witness_policy_quorum(a.policy), q.cosigned,
		    tf_witness_policy_count(a.policy));
	else if (rc == TF_OK)
		report_note("the quorum %s is not met: %zu of %zu witnesses "
			    "have cosigned",
		    tf_witness_policy_quorum(a.policy), q.cosigned,
		    tf_witness_policy_count(a.policy));
	tf_witness_policy_free(a.policy);
	tf_buf_free(&a.note);
	if (rc != TF_OK)
		return report(&err);
	if (contradicted)
		return REPORT_TAMPERED;
	return q.met ? REPORT_OK : REPORT_FINDING;
}
