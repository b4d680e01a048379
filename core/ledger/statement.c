/* The in-toto Statement v1 of an attestation, in a DSSE envelope. */
#include "statement.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"

static void
put_evidence(struct tf_json *j, const struct tf_sums *e)
{
	tf_json_key(j, "evidence");
	tf_json_object(j);
	tf_put_uint(j, "bytes", e->bytes);
	tf_put_uint(j, "count", e->count);
	tf_put_hash(j, "sums", &e->sums);
	tf_json_object_end(j);
}

static void
put_predicate(struct tf_json *j, const struct tf_statement *s)
{
	tf_json_key(j, "predicate");
	tf_json_object(j);
	tf_put_raw(j, "actor", s->actor);
	tf_put_str(j, "attestation", s->attestation);
	if (s->cause.p)
		tf_put_str(j, "cause", s->cause);
	tf_put_raw(j, "claimants", s->claimants);
	tf_put_raw(j, "claims", s->claims);
	tf_put_raw(j, "evaluated", s->evaluated);
	put_evidence(j, &s->evidence);
	if (s->has_written)
		tf_put_time(j, "firstWrittenAt", s->first_written);
	tf_put_str(j, "host", s->host);
	tf_put_raw(j, "imported", s->imported);
	if (s->has_written)
		tf_put_time(j, "lastWrittenAt", s->last_written);
	tf_json_key(j, "ledger");
	tf_json_object(j);
	tf_put_str(j, "origin", s->origin);
	tf_json_object_end(j);
	if (s->has_previous) {
		tf_json_key(j, "previous");
		tf_json_object(j);
		tf_put_hash(j, "sha256", &s->previous);
		tf_json_object_end(j);
	}
	tf_put_time(j, "sealedAt", s->sealed_at);
	if (s->has_template)
		tf_put_uint(j, "template", s->template_version);
	tf_put_str(j, "trail", s->trail);
	tf_put_uint(j, "version", s->version);
	tf_put_str(j, "workflow", s->workflow);
	tf_json_object_end(j);
}

static void
put_subject(struct tf_json *j, struct tf_str name, const struct tf_hash *h)
{
	tf_json_object(j);
	tf_json_key(j, "digest");
	tf_json_object(j);
	tf_put_hash(j, "sha256", h);
	tf_json_object_end(j);
	tf_put_str(j, "name", name);
	tf_json_object_end(j);
}

static void
put_subjects(struct tf_json *j, const struct tf_statement *s)
{
	uint64_t n = s->evidence.count;

	tf_json_key(j, "subject");
	tf_json_array(j);
	/* sigstore refuses more subjects, and in-toto wants at least one. */
	if (n == 0 || n > TF_STATEMENT_SUBJECTS)
		put_subject(j, (struct tf_str){ "SHA256SUMS", 10 },
		    &s->evidence.sums);
	else
		for (size_t i = 0; i < n; i++)
			put_subject(j, s->files[i].name, &s->files[i].sha256);
	tf_json_array_end(j);
}

enum tf_code
tf_statement_encode(const struct tf_statement *s, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_json_key(&j, "_type");
	tf_json_cstr(&j, "https://in-toto.io/Statement/v1");
	put_predicate(&j, s);
	tf_json_key(&j, "predicateType");
	tf_json_cstr(&j, TF_PREDICATE_TYPE);
	put_subjects(&j, s);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

void
tf_dsse_pae(const void *payload, size_t n, struct tf_buf *out)
{
	tf_buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(TF_STATEMENT_TYPE),
	    TF_STATEMENT_TYPE, n);
	tf_buf_add(out, payload, n);
}

void
tf_dsse_keyid(const struct tf_pubkey *pub, char out[TF_KEYID_LEN + 1])
{
	static const char type[] = "ssh-ed25519";
	uint8_t blob[4 + sizeof(type) - 1 + 4 + TF_PUBKEY_LEN];
	char text[45];
	struct tf_hash h;

	tf_put_be32(blob, sizeof(type) - 1);
	memcpy(blob + 4, type, sizeof(type) - 1);
	tf_put_be32(blob + 4 + sizeof(type) - 1, TF_PUBKEY_LEN);
	memcpy(blob + sizeof(blob) - TF_PUBKEY_LEN, pub->b, TF_PUBKEY_LEN);
	tf_sha256(blob, sizeof(blob), &h);
	tf_base64_text(h.b, sizeof(h.b), text);
	(void)snprintf(out, TF_KEYID_LEN + 1, "SHA256:%.43s",
	    text); /* OpenSSH does not pad */
}

static void
put_envelope(const void *payload, size_t n, const char *keyid,
    const uint8_t sig[TF_SIG_LEN], struct tf_buf *out)
{
	tf_buf_str(out, "{\"payload\":\"");
	tf_base64(out, payload, n);
	tf_buf_printf(out,
	    "\",\"payloadType\":\"%s\",\"signatures\":[{"
	    "\"keyid\":\"%s\",\"sig\":\"",
	    TF_STATEMENT_TYPE, keyid);
	tf_base64(out, sig, TF_SIG_LEN);
	tf_buf_str(out, "\"}]}");
}

void
tf_dsse_envelope(const void *payload, size_t n, const char *keyid,
    const uint8_t sig[TF_SIG_LEN], struct tf_buf *out)
{
	put_envelope(payload, n, keyid, sig, out);
	tf_buf_str(out, "\n");
}

void
tf_dsse_bundle(const void *payload, size_t n, const char *keyid,
    const uint8_t sig[TF_SIG_LEN], struct tf_buf *out)
{
	/* The bundle has no entry of a public log and no time stamp. */
	tf_buf_str(out, "{\"dsseEnvelope\":");
	put_envelope(payload, n, keyid, sig, out);
	tf_buf_printf(out,
	    ",\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\","
	    "\"verificationMaterial\":{\"publicKey\":{\"hint\":\"%s\"},"
	    "\"timestampVerificationData\":{},\"tlogEntries\":[]}}\n",
	    keyid);
}
