/*
 * The payload of a sealed attestation, as an audit reads it.  The target makes
 * an entry that names and signs the fuzzed payload, so that only the text of
 * the payload can be wrong.  The audit must accept only the statement that the
 * entries give.
 */
#include <string.h>

#include "../../core/audit/audit.h"
#include "../../core/base/bytes.h"
#include "../../core/base/time_text.h"
#include "../../core/ledger/entry.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/entry_write.h"
#include "../../core/ledger/statement.h"
#include "fuzz.h"

#define SEAL 7 /* line of attestation.sealed in the example */

static struct tf_buf example, right; /* entries; the payload they give */
static struct tf_key *attester;

struct look {
	struct tf_str payload;
	bool refused;
};

static void
read_vector(const char *name, struct tf_buf *out)
{
	char path[4096], part[4096];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", TF_VECTORS, name);
	MUST((f = fopen(path, "rb")) != NULL);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		tf_buf_add(out, part, n);
	fclose(f);
	MUST(out->n > 0 && !out->failed);
}

static void
set_up(void)
{
	uint8_t seed[32];

	read_vector("entries-example.jsonl", &example);
	read_vector("entries-example.statement.json", &right);
	MUST(tf_unhex(FUZZ_SEED_ATTESTER, 64, seed, sizeof(seed)));
	MUST(tf_key_from_seed(seed, &attester, NULL) == TF_OK);
}

/* The entry of the seal, speaking of this payload. */
static void
seal_entry(struct tf_str line, struct tf_str payload, struct tf_buf *out)
{
	struct tf_buf pae = { 0 }, text = { 0 };
	struct tf_entry_decoded d;
	uint8_t sig[TF_SIG_LEN];

	MUST(tf_entry_decode(&d, line.p, line.n, NULL) == TF_OK);
	tf_dsse_pae(payload.p, payload.n, &pae);
	MUST(tf_key_sign(attester, pae.p, pae.n, sig, NULL) == TF_OK);
	tf_base64(&text, sig, sizeof(sig));
	tf_sha256(payload.p, payload.n, &d.e.statement.payload);
	tf_sha256(pae.p, pae.n, &d.e.statement.pae);
	d.e.statement.size = payload.n;
	d.e.statement.sig = (struct tf_str){ text.p, text.n };
	MUST(tf_entry_encode(&d.e, out, NULL) == TF_OK);
	tf_entry_decoded_free(&d);
	tf_buf_free(&pae);
	tf_buf_free(&text);
}

static enum tf_code
entries(struct tf_audit *a, struct tf_error *err)
{
	struct look *l = a->self;
	const char *p = example.p, *lf;
	enum tf_code rc = TF_OK;

	for (uint64_t i = 0; rc == TF_OK && i <= SEAL; i++, p = lf + 1) {
		struct tf_str line = { p, 0 };
		struct tf_buf b = { 0 };

		lf = memchr(p, '\n', example.n - (size_t)(p - example.p));
		MUST(lf != NULL);
		line.n = (size_t)(lf - p);
		if (i == SEAL)
			seal_entry(line, l->payload, &b);
		else
			tf_buf_add(&b, line.p, line.n);
		rc = tf_audit_entry(a, i, b.p, b.n, err);
		tf_buf_free(&b);
	}
	return rc;
}

static enum tf_code
tile(struct tf_audit *a, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	(void)a, (void)level, (void)n, (void)width, (void)out;
	return tf_fail(err, TF_TAMPER, "there are no tiles here");
}

static enum tf_code
payload(struct tf_audit *a, const struct tf_entry *e, struct tf_buf *out,
    struct tf_error *err)
{
	struct look *l = a->self;

	(void)e, (void)err;
	tf_buf_add(out, l->payload.p, l->payload.n);
	return TF_OK;
}

/* Names are none of its business. */
static enum tf_code
created(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	(void)a, (void)e, (void)x, (void)err;
	return TF_OK;
}

static void
found(void *arg, const struct tf_finding *f)
{
	struct look *l = arg;

	MUST(strstr(f->text, "not signed") == NULL);
	MUST(strstr(f->text, "altered") == NULL);
	if (strstr(f->text, "something else") != NULL)
		l->refused = true;
}

/* Right but for its time: 30 characters behind the word. */
static bool
differs_in_time_only(struct tf_str p)
{
	const char *at = memmem(right.p, right.n, "\"sealedAt\":\"", 12);
	size_t from = (size_t)(at - right.p) + 12;

	MUST(at != NULL);
	return p.n == right.n && memcmp(p.p, right.p, from) == 0 &&
	    memcmp(p.p + from + TF_TIME_LEN, right.p + from + TF_TIME_LEN,
		p.n - from - TF_TIME_LEN) == 0;
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	static const struct tf_source source = { .entries = entries,
		.tile = tile,
		.created = created,
		.payload = payload };
	struct look l = { .payload = { (const char *)data, n } };
	struct tf_verify v = { .vkey = FUZZ_VKEY, .found = found, .arg = &l };
	struct tf_report r;
	struct tf_audit *a;

	if (n == 0)
		return 0;
	if (attester == NULL)
		set_up();
	MUST(tf_audit_new(&v, NULL, &r, &a, NULL) == TF_OK);
	a->self = &l;
	a->source = &source;
	a->head.size = SEAL + 1;
	MUST(tf_audit_run(a, NULL) == TF_OK);
	tf_audit_free(a);
	MUST(r.entries == SEAL + 1);
	MUST(l.refused || differs_in_time_only(l.payload));
	if (l.payload.n == right.n && memcmp(data, right.p, n) == 0)
		MUST(!l.refused);
	return 0;
}
