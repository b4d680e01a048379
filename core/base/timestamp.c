/*
 * The calls of OpenSSL for time stamps: see timestamp.h.
 *
 * All bytes come from outside: a token from an authority or from the sender of a
 * package.  read_token() accepts a response only as a whole, so that two readers
 * cannot see two answers in it.  check_chain() judges the certificates at the
 * time that the token states; that time is believed only because
 * TS_RESP_verify_signature() then checks the signature over it.
 *
 * A stamp without trusted certificates is judged with the topmost certificates
 * at hand, so that faults below them are found when the stamp arrives.
 */
#include "timestamp.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../buffer.h"
#include "bytes.h"
#include "crypto.h"
#include "time_text.h"

#define ACCURACY_MAX_S ((uint64_t)1 << 31)
#define ACCURACY_COUNTS_NS (UINT64_C(3600) * 1000000000)
#define AUTH_LEVEL 2 /* of X509_VERIFY_PARAM: RSA 2048, P-256, SHA-256 */

/* The answer for a function of libcrypto that gave nothing. */
static enum tf_code
fail(struct tf_error *err, enum tf_code code, const char *why)
{
	if (tf_crypto_lacks_memory())
		return tf_nomem(err);
	return tf_fail(err, code, "%s", why);
}

/* --- the request ---------------------------------------------------------- */

void
tf_stamp_nonce(struct tf_str note, uint8_t out[TF_STAMP_NONCE_LEN])
{
	static const char label[] = "trailfs-stamp-nonce/v1\n";
	struct tf_hash h, imprint;

	tf_sha256(note.p, note.n, &imprint);
	tf_sha256_prefixed(label[0], label + 1, sizeof(label) - 2, imprint.b,
	    sizeof(imprint.b), &h);
	/* The highest bit stays clear and the next one is set: the number then
	 * has the same length in every encoding. */
	h.b[0] = (uint8_t)((h.b[0] & 0x3f) | 0x40);
	memcpy(out, h.b, TF_STAMP_NONCE_LEN);
}

/* SHA-256 of the note, as a TS_MSG_IMPRINT; NULL: no memory. */
static TS_MSG_IMPRINT *
make_imprint(struct tf_str note)
{
	TS_MSG_IMPRINT *m = TS_MSG_IMPRINT_new();
	X509_ALGOR *alg = X509_ALGOR_new();
	struct tf_hash h;

	tf_sha256(note.p, note.n, &h);
	if (m == NULL || alg == NULL ||
	    X509_ALGOR_set0(alg, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) !=
		1 ||
	    TS_MSG_IMPRINT_set_algo(m, alg) != 1 ||
	    TS_MSG_IMPRINT_set_msg(m, h.b, sizeof(h.b)) != 1) {
		TS_MSG_IMPRINT_free(m);
		m = NULL;
	}
	X509_ALGOR_free(alg);
	return m;
}

/* The nonce of a note, as a number of ASN.1; NULL: no memory. */
static ASN1_INTEGER *
make_nonce(struct tf_str note)
{
	uint8_t b[TF_STAMP_NONCE_LEN];
	BIGNUM *n;
	ASN1_INTEGER *i;

	tf_stamp_nonce(note, b);
	n = BN_bin2bn(b, sizeof(b), NULL);
	i = n == NULL ? NULL : BN_to_ASN1_INTEGER(n, NULL);
	BN_free(n);
	return i;
}

enum tf_code
tf_stamp_request(struct tf_str note, struct tf_buf *out, struct tf_error *err)
{
	TS_REQ *q = TS_REQ_new();
	TS_MSG_IMPRINT *m = make_imprint(note);
	ASN1_INTEGER *nonce = make_nonce(note);
	unsigned char *der = NULL;
	int n = -1;

	if (q != NULL && m != NULL && nonce != NULL &&
	    TS_REQ_set_version(q, 1) == 1 &&
	    TS_REQ_set_msg_imprint(q, m) == 1 &&
	    TS_REQ_set_nonce(q, nonce) == 1 && TS_REQ_set_cert_req(q, 1) == 1)
		n = i2d_TS_REQ(q, &der);
	if (n > 0)
		tf_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	ASN1_INTEGER_free(nonce);
	TS_MSG_IMPRINT_free(m);
	TS_REQ_free(q);
	ERR_clear_error();
	return n > 0 ? tf_buf_end(out, err) : tf_nomem(err);
}

/* --- what a check has at hand --------------------------------------------- */

struct work {
	const struct tf_stamp_check *c;
	TS_RESP *resp;
	PKCS7 *p7;	       /* of resp */
	TS_TST_INFO *info;     /* of resp */
	STACK_OF(X509) * pool; /* all certificates at hand; owned */
	STACK_OF(X509) * ours; /* the trusted ones; owned */
	X509 *signer;	       /* of pool or of p7 */
	STACK_OF(X509) * path; /* from the signer upwards; owned */
	struct tf_time at;
};

static void
free_certs(STACK_OF(X509) * s)
{
	sk_X509_pop_free(s, X509_free);
}

/* --- the token ------------------------------------------------------------ */

/* Append the first text of a status to b, safe to print. */
static void
status_text(TS_STATUS_INFO *s, char *out, size_t room)
{
	const STACK_OF(ASN1_UTF8STRING) *texts = TS_STATUS_INFO_get0_text(s);
	const ASN1_UTF8STRING *t = sk_ASN1_UTF8STRING_num(texts) > 0 ?
	    sk_ASN1_UTF8STRING_value(texts, 0) :
	    NULL;
	size_t n = 0;

	if (t != NULL) {
		n = (size_t)ASN1_STRING_length(t);
		n = n < room ? n : room - 1;
		memcpy(out, ASN1_STRING_get0_data(t), n);
	}
	for (size_t i = 0; i < n; i++)
		if (out[i] < ' ' || out[i] > '~')
			out[i] = '?';
	out[n] = '\0';
}

static enum tf_code
check_status(TS_RESP *r, struct tf_error *err)
{
	TS_STATUS_INFO *s = TS_RESP_get_status_info(r);
	long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(s));
	char text[80];

	if (status == TS_STATUS_GRANTED ||
	    status == TS_STATUS_GRANTED_WITH_MODS)
		return TF_OK;
	status_text(s, text, sizeof(text));
	return tf_fail(err, TF_DENIED,
	    "the authority did not grant the time stamp (status %ld%s%s)",
	    status, text[0] != '\0' ? ": " : "", text);
}

/* True if the signed bytes are exactly one TSTInfo: d2i stops at its end. */
static bool
is_whole(PKCS7 *p7, const TS_TST_INFO *info)
{
	const PKCS7 *in = PKCS7_type_is_signed(p7) && p7->d.sign != NULL ?
	    p7->d.sign->contents :
	    NULL;
	const ASN1_TYPE *t = in == NULL ? NULL : in->d.other;

	return t != NULL && t->type == V_ASN1_OCTET_STRING &&
	    ASN1_STRING_length(t->value.octet_string) ==
	    i2d_TS_TST_INFO(info, NULL);
}

/* Parse the response; anything behind it makes it another file. */
static enum tf_code
read_token(struct work *w, struct tf_error *err)
{
	const unsigned char *p = (const unsigned char *)w->c->token.p;
	const unsigned char *end = p + w->c->token.n;
	enum tf_code rc;

	if (w->c->token.n > TF_STAMP_TOKEN_MAX)
		return tf_fail(err, TF_INVALID, "the time stamp is too long");
	w->resp = d2i_TS_RESP(NULL, &p, (long)w->c->token.n);
	if (w->resp == NULL)
		return fail(err, TF_INVALID,
		    "not a time stamp response (RFC 3161)");
	if (p != end)
		return tf_fail(err, TF_INVALID,
		    "%zu bytes follow the time stamp", (size_t)(end - p));
	if ((rc = check_status(w->resp, err)) != TF_OK)
		return rc;
	w->p7 = TS_RESP_get_token(w->resp);
	w->info = TS_RESP_get_tst_info(w->resp);
	if (w->p7 == NULL || w->info == NULL || !is_whole(w->p7, w->info))
		return fail(err, TF_INVALID,
		    "the response holds no time stamp token");
	return TF_OK;
}

/* "20261129083000Z", also with a fraction of a second. */
static bool
read_time(const ASN1_GENERALIZEDTIME *g, struct tf_time *out)
{
	const char *p = g == NULL ? "" : (const char *)ASN1_STRING_get0_data(g);
	size_t n = g == NULL ? 0 : (size_t)ASN1_STRING_length(g), i = 14;
	struct tm tm = { 0 };
	uint32_t unit = 100000000, ns = 0;

	if (n < 15 || n > 25 || p[n - 1] != 'Z' || ASN1_TIME_to_tm(g, &tm) != 1)
		return false;
	if (p[i] == '.')
		for (i++; i < n - 1 && p[i] >= '0' && p[i] <= '9'; i++) {
			ns += (uint32_t)(p[i] - '0') * unit;
			unit /= 10;
		}
	out->s = timegm(&tm);
	out->ns = ns;
	return i == n - 1;
}

/* The digest that the token stamps. */
static enum tf_code
read_imprint(const struct work *w, struct tf_hash *out, struct tf_error *err)
{
	TS_MSG_IMPRINT *m = TS_TST_INFO_get_msg_imprint(w->info);
	const ASN1_OCTET_STRING *have = TS_MSG_IMPRINT_get_msg(m);
	const ASN1_OBJECT *alg;

	X509_ALGOR_get0(&alg, NULL, NULL, TS_MSG_IMPRINT_get_algo(m));
	if (OBJ_obj2nid(alg) != NID_sha256 ||
	    ASN1_STRING_length(have) != (int)sizeof(out->b))
		return tf_fail(err, TF_TAMPER,
		    "the time stamp is not over a SHA-256 digest");
	memcpy(out->b, ASN1_STRING_get0_data(have), sizeof(out->b));
	return TF_OK;
}

/* Does the token answer the request for the note? */
static enum tf_code
check_nonce(const struct work *w, struct tf_error *err)
{
	const ASN1_INTEGER *nonce = TS_TST_INFO_get_nonce(w->info);
	ASN1_INTEGER *own = make_nonce(w->c->note);
	bool same = own != NULL && nonce != NULL &&
	    ASN1_INTEGER_cmp(own, nonce) == 0;

	if (own == NULL)
		return tf_nomem(err);
	ASN1_INTEGER_free(own);
	return same ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER,
		"the time stamp answers another request: its nonce differs");
}

/* Does the token stamp SHA-256 of the note? */
static enum tf_code
check_info(struct work *w, struct tf_error *err)
{
	struct tf_hash have, note;
	enum tf_code rc;

	if (TS_TST_INFO_get_version(w->info) != 1)
		return tf_fail(err, TF_INVALID,
		    "the time stamp is of an unknown version");
	if ((rc = read_imprint(w, &have, err)) != TF_OK)
		return rc;
	tf_sha256(w->c->note.p, w->c->note.n, &note);
	if (memcmp(&have, &note, sizeof(have)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the time stamp is over other bytes than the checkpoint");
	if (!read_time(TS_TST_INFO_get_time(w->info), &w->at))
		return tf_fail(err, TF_INVALID,
		    "the time of the time stamp is malformed");
	return w->c->answer ? check_nonce(w, err) : TF_OK;
}

enum tf_code
tf_stamp_imprint(struct tf_str token, struct tf_hash *out, struct tf_error *err)
{
	const struct tf_stamp_check c = { .token = token };
	struct work w = { .c = &c };
	enum tf_code rc;

	tf_crypto_note_memory();
	if ((rc = read_token(&w, err)) == TF_OK)
		rc = read_imprint(&w, out, err);
	TS_RESP_free(w.resp);
	ERR_clear_error();
	return rc;
}

/* --- certificates --------------------------------------------------------- */

/* Append x to s unless it is there; s keeps a reference. */
static enum tf_code
add_cert(STACK_OF(X509) * s, X509 *x, struct tf_error *err)
{
	for (int i = 0; i < sk_X509_num(s); i++)
		if (X509_cmp(sk_X509_value(s, i), x) == 0)
			return TF_OK;
	if (sk_X509_num(s) >= TF_STAMP_CERTS_MAX)
		return tf_fail(err, TF_INVALID, "too many certificates");
	if (X509_up_ref(x) != 1)
		return tf_nomem(err);
	if (sk_X509_push(s, x) <= 0) {
		X509_free(x);
		return tf_nomem(err);
	}
	return TF_OK;
}

/* Append all certificates of a PEM text to s.  Text around them is allowed. */
static enum tf_code
read_pem(struct tf_str pem, STACK_OF(X509) * s, struct tf_error *err)
{
	BIO *b;
	X509 *x;
	unsigned long why;
	enum tf_code rc = TF_OK;

	if (pem.n > TF_STAMP_CHAIN_MAX)
		return tf_fail(err, TF_INVALID,
		    "the certificates are too long");
	if ((b = BIO_new_mem_buf(pem.n > 0 ? pem.p : "", (int)pem.n)) == NULL)
		return tf_nomem(err);
	ERR_clear_error();
	while (rc == TF_OK &&
	    (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		rc = add_cert(s, x, err);
		X509_free(x);
	}
	why = ERR_peek_last_error();
	BIO_free(b);
	if (rc == TF_OK &&
	    (ERR_GET_LIB(why) != ERR_LIB_PEM ||
		ERR_GET_REASON(why) != PEM_R_NO_START_LINE))
		rc = fail(err, TF_INVALID, "a certificate is malformed");
	ERR_clear_error();
	return rc;
}

/* The same; there must be at least one. */
static enum tf_code
read_trusted(struct tf_str pem, STACK_OF(X509) * s, struct tf_error *err)
{
	enum tf_code rc = read_pem(pem, s, err);

	return rc == TF_OK && sk_X509_num(s) == 0 ?
	    tf_fail(err, TF_INVALID, "there is no trusted certificate (PEM)") :
	    rc;
}

/* Collect all certificates: those of the token, and those of the chain. */
static enum tf_code
read_certs(struct work *w, struct tf_error *err)
{
	const STACK_OF(X509) *in = w->p7->d.sign->cert;
	enum tf_code rc = TF_OK;

	w->pool = sk_X509_new_null();
	w->ours = sk_X509_new_null();
	if (w->pool == NULL || w->ours == NULL)
		return tf_nomem(err);
	for (int i = 0; rc == TF_OK && i < sk_X509_num(in); i++)
		rc = add_cert(w->pool, sk_X509_value(in, i), err);
	if (rc == TF_OK && w->c->chain.n > 0)
		rc = read_pem(w->c->chain, w->pool, err);
	if (rc == TF_OK && w->c->trusted.p != NULL)
		rc = read_trusted(w->c->trusted, w->ours, err);
	return rc;
}

enum tf_code
tf_stamp_check_trusted(struct tf_str pem, struct tf_error *err)
{
	STACK_OF(X509) *s = sk_X509_new_null();
	enum tf_code rc;

	tf_crypto_note_memory();
	rc = s == NULL ? tf_nomem(err) : read_trusted(pem, s, err);
	free_certs(s);
	return rc;
}

/* The subject of x in the form of RFC 2253: bytes that are not printable ASCII
 * are escaped. */
static void
name_of(X509 *x, char *out, size_t room)
{
	BIO *b = BIO_new(BIO_s_mem());
	int n = 0;

	if (b != NULL &&
	    X509_NAME_print_ex(b, X509_get_subject_name(x), 0,
		XN_FLAG_RFC2253) >= 0)
		n = BIO_read(b, out, (int)room - 1);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(b);
}

/* Was each certificate valid at the time of the stamp?  check_chain() judges only
 * those that lead from the signer to the topmost one: an expired issuer that does
 * not fit in another way would go unnoticed. */
static enum tf_code
check_times(const struct work *w, struct tf_error *err)
{
	time_t at = (time_t)w->at.s;
	char subject[80];

	for (int i = 0; i < sk_X509_num(w->pool); i++) {
		X509 *x = sk_X509_value(w->pool, i);
		const int from = X509_cmp_time(X509_get0_notBefore(x), &at);
		const int to = X509_cmp_time(X509_get0_notAfter(x), &at);

		if (from < 0 && to > 0)
			continue;
		name_of(x, subject, sizeof(subject));
		return tf_fail(err, TF_TAMPER,
		    "at the time of the stamp, the certificate of %s %s",
		    subject, from < 0 ? "had expired" : "was not yet valid");
	}
	return TF_OK;
}

/* Set w->signer: the certificate of the one signature. */
static enum tf_code
find_signer(struct work *w, struct tf_error *err)
{
	STACK_OF(PKCS7_SIGNER_INFO) *infos = PKCS7_get_signer_info(w->p7);
	STACK_OF(X509) * signers;
	int digest;

	if (sk_PKCS7_SIGNER_INFO_num(infos) != 1)
		return tf_fail(err, TF_TAMPER,
		    "the time stamp must have exactly one signature");
	digest = OBJ_obj2nid(
	    sk_PKCS7_SIGNER_INFO_value(infos, 0)->digest_alg->algorithm);
	if (digest != NID_sha256 && digest != NID_sha384 &&
	    digest != NID_sha512)
		return tf_fail(err, TF_TAMPER,
		    "the time stamp is signed with a weak digest");
	signers = PKCS7_get0_signers(w->p7, w->pool, 0);
	if (signers != NULL && sk_X509_num(signers) == 1)
		w->signer = sk_X509_value(signers, 0);
	sk_X509_free(signers);
	return w->signer != NULL ?
	    TF_OK :
	    fail(err, TF_TAMPER, "the certificate of the authority is missing");
}

/* RFC 3161 2.3: the extended key usage is critical and has this value alone. */
static enum tf_code
check_purpose(X509 *x, struct tf_error *err)
{
	int at = X509_get_ext_by_NID(x, NID_ext_key_usage, -1);

	if (at < 0 || X509_get_extended_key_usage(x) != XKU_TIMESTAMP)
		return fail(err, TF_TAMPER,
		    "the certificate of the authority is not for time "
		    "stamping alone");
	if (!X509_EXTENSION_get_critical(X509_get_ext(x, at)))
		return tf_fail(err, TF_TAMPER,
		    "the purpose of the certificate of the authority is not "
		    "critical");
	return TF_OK;
}

/* Is no other certificate of the pool the issuer of x? */
static bool
is_topmost(const STACK_OF(X509) * pool, X509 *x)
{
	X509 *other;

	for (int i = 0; i < sk_X509_num(pool); i++) {
		other = sk_X509_value(pool, i);
		if (X509_cmp(other, x) != 0 &&
		    X509_check_issued(other, x) == X509_V_OK)
			return false;
	}
	return true;
}

/* The store of a check, with the certificates at which a chain may end.  NULL:
 * no memory. */
static X509_STORE *
make_store(const struct work *w)
{
	X509_STORE *s = X509_STORE_new();
	const STACK_OF(X509) *from = w->c->trusted.p != NULL ? w->ours :
							       w->pool;
	X509_VERIFY_PARAM *p = s == NULL ? NULL : X509_STORE_get0_param(s);
	bool ok = p != NULL;

	if (ok) {
		X509_VERIFY_PARAM_set_time(p, w->at.s);
		X509_VERIFY_PARAM_set_auth_level(p, AUTH_LEVEL);
		if (w->c->trusted.p == NULL)
			(void)X509_VERIFY_PARAM_set_flags(p,
			    X509_V_FLAG_PARTIAL_CHAIN);
	}
	for (int i = 0; ok && i < sk_X509_num(from); i++)
		if (w->c->trusted.p != NULL ||
		    is_topmost(w->pool, sk_X509_value(from, i)))
			ok = X509_STORE_add_cert(s, sk_X509_value(from, i)) ==
			    1;
	if (ok)
		return s;
	X509_STORE_free(s);
	return NULL;
}

/* Does this fault of a chain only say that nobody trusted is above it? */
static bool
is_unknown(int fault)
{
	switch (fault) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		return true;
	default:
		return false;
	}
}

static enum tf_code
fail_chain(const struct work *w, X509_STORE_CTX *ctx, struct tf_error *err)
{
	int fault = X509_STORE_CTX_get_error(ctx);

	if (tf_crypto_lacks_memory() || fault == X509_V_ERR_OUT_OF_MEM)
		return tf_nomem(err);
	if (is_unknown(fault))
		return tf_fail(err,
		    w->c->trusted.p != NULL ? TF_FOREIGN : TF_TAMPER,
		    w->c->trusted.p != NULL ?
			"the authority is not one that you trust" :
			"the certificates do not belong together");
	return tf_fail(err, TF_TAMPER,
	    "the certificates of the authority at the time of the stamp: %s "
	    "(certificate %d)",
	    X509_verify_cert_error_string(fault),
	    X509_STORE_CTX_get_error_depth(ctx) + 1);
}

/* Judge the certificates at the time of the stamp, and set w->path. */
static enum tf_code
check_chain(struct work *w, X509_STORE *s, struct tf_error *err)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum tf_code rc = TF_OK;

	if (ctx != NULL &&
	    X509_STORE_CTX_init(ctx, s, w->signer, w->pool) == 1 &&
	    X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_TIMESTAMP_SIGN) == 1) {
		if (X509_verify_cert(ctx) != 1)
			rc = fail_chain(w, ctx, err);
		else
			w->path = X509_STORE_CTX_get1_chain(ctx);
	}
	if (rc == TF_OK && w->path == NULL)
		rc = tf_nomem(err);
	X509_STORE_CTX_free(ctx);
	return rc;
}

static enum tf_code
check_signature(struct work *w, X509_STORE *s, struct tf_error *err)
{
	X509 *signer = NULL;
	bool good = TS_RESP_verify_signature(w->p7, w->pool, s, &signer) == 1;

	X509_free(signer);
	return good ?
	    TF_OK :
	    fail(err, TF_TAMPER, "the signature of the time stamp is wrong");
}

/* --- the answer ----------------------------------------------------------- */

/* The part n of an accuracy in its unit; a missing or senseless one is 0. */
static uint64_t
part_of(const ASN1_INTEGER *n, uint64_t max, uint64_t unit_ns)
{
	uint64_t v = 0;

	if (n == NULL || ASN1_INTEGER_get_uint64(&v, n) != 1)
		return 0;
	return (v < max ? v : max) * unit_ns;
}

static uint64_t
accuracy_of(TS_TST_INFO *info)
{
	TS_ACCURACY *a = TS_TST_INFO_get_accuracy(info);

	if (a == NULL)
		return 0;
	return part_of(TS_ACCURACY_get_seconds(a), ACCURACY_MAX_S, 1000000000) +
	    part_of(TS_ACCURACY_get_millis(a), 999, 1000000) +
	    part_of(TS_ACCURACY_get_micros(a), 999, 1000);
}

static void
describe(const struct work *w, struct tf_stamp *out)
{
	X509 *top = sk_X509_value(w->path, sk_X509_num(w->path) - 1);
	struct tm tm = { 0 };

	memset(out, 0, sizeof(*out));
	out->at = w->at;
	out->accuracy_ns = accuracy_of(w->info);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(w->signer), &tm) == 1)
		out->ends.s = timegm(&tm);
	out->whole_chain = X509_self_signed(top, 0) == 1;
	name_of(w->signer, out->authority, sizeof(out->authority));
}

static bool
write_cert(struct tf_buf *pem, X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;
	bool ok = b != NULL && PEM_write_bio_X509(b, x) == 1;

	if (ok && (n = BIO_get_mem_data(b, &p)) > 0)
		tf_buf_add(pem, p, (size_t)n);
	BIO_free(b);
	return ok;
}

/* First the certificates of the path, then the others. */
static enum tf_code
write_chain(const struct work *w, struct tf_buf *pem, struct tf_error *err)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	enum tf_code rc = all == NULL ? tf_nomem(err) : TF_OK;
	bool ok = true;

	for (int i = 0; rc == TF_OK && i < sk_X509_num(w->path); i++)
		rc = add_cert(all, sk_X509_value(w->path, i), err);
	for (int i = 0; rc == TF_OK && i < sk_X509_num(w->pool); i++)
		rc = add_cert(all, sk_X509_value(w->pool, i), err);
	for (int i = 0; rc == TF_OK && ok && i < sk_X509_num(all); i++)
		ok = write_cert(pem, sk_X509_value(all, i));
	free_certs(all);
	if (rc != TF_OK)
		return rc;
	return ok ? tf_buf_end(pem, err) : tf_nomem(err);
}

static enum tf_code
check_signer(struct work *w, struct tf_error *err)
{
	X509_STORE *s;
	enum tf_code rc = find_signer(w, err);

	if (rc == TF_OK)
		rc = check_purpose(w->signer, err);
	if (rc != TF_OK)
		return rc;
	if ((s = make_store(w)) == NULL)
		return tf_nomem(err);
	rc = check_chain(w, s, err);
	if (rc == TF_OK)
		rc = check_signature(w, s, err);
	X509_STORE_free(s);
	return rc;
}

enum tf_code
tf_stamp_check(const struct tf_stamp_check *c, struct tf_stamp *out,
    struct tf_buf *pem, struct tf_error *err)
{
	struct work w = { .c = c };
	enum tf_code rc;

	tf_crypto_note_memory();
	rc = read_token(&w, err);
	if (rc == TF_OK)
		rc = check_info(&w, err);
	if (rc == TF_OK)
		rc = read_certs(&w, err);
	if (rc == TF_OK)
		rc = check_signer(&w, err);
	if (rc == TF_OK && c->recording)
		rc = check_times(&w, err);
	if (rc == TF_OK)
		describe(&w, out);
	if (rc == TF_OK && pem != NULL)
		rc = write_chain(&w, pem, err);
	free_certs(w.path);
	free_certs(w.pool);
	free_certs(w.ours);
	TS_RESP_free(w.resp);
	ERR_clear_error();
	return rc;
}

/* --- its time ------------------------------------------------------------- */

/* Seconds from a to b, up; beyond the tolerance, else 0. */
static int64_t
beyond(const struct tf_stamp *s, struct tf_time a, struct tf_time b)
{
	const uint64_t more = s->accuracy_ns < ACCURACY_COUNTS_NS ?
	    s->accuracy_ns :
	    ACCURACY_COUNTS_NS;
	const struct tf_time last = tf_time_add_ns(tf_time_clamp(a),
	    more + (uint64_t)TF_STAMP_TOLERANCE_S * 1000000000);

	a = tf_time_clamp(a);
	b = tf_time_clamp(b);
	return tf_time_cmp(b, last) > 0 ? b.s - a.s + (b.ns > a.ns) : 0;
}

int64_t
tf_stamp_differs(const struct tf_stamp *s, const struct tf_time *from,
    const struct tf_time *to)
{
	const int64_t early = from == NULL ? 0 : beyond(s, s->at, *from);

	if (early > 0)
		return -early;
	return to == NULL ? 0 : beyond(s, *to, s->at);
}
