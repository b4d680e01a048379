/* Recipients and recipients files: see recipient.h. */
#include "recipient.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "bech32.h"
#include "line.h"

#define PREFIX "age"
#define HYBRID_PREFIX "age1pq"
#define IDENTITY_PREFIX "AGE-SECRET-KEY-"
#define TEXT_MAX 1959 /* of a post-quantum recipient */

/* --- one recipient ---------------------------------------------------------- */

/* Whether s has an identity in it, in any case of letters. */
static bool
holds_identity(struct tf_str s)
{
	size_t len = strlen(IDENTITY_PREFIX);

	for (size_t i = 0; i + len <= s.n; i++)
		if (strncasecmp(s.p + i, IDENTITY_PREFIX, len) == 0)
			return true;
	return false;
}

static bool
has_upper(struct tf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return true;
	return false;
}

/* Why a text that is no recipient is refused. */
static enum tf_code
refuse(struct tf_str text, struct tf_error *err)
{
	if (holds_identity(text))
		return tf_fail(err, TF_INVALID,
		    "this is an identity, a secret key; age-keygen -y prints "
		    "its recipient");
	if (tf_line_begins(text, "ssh-"))
		return tf_fail(err, TF_UNSUPPORTED,
		    "an SSH key: only age1... recipients are supported");
	if (text.n >= 4 && strncasecmp(text.p, "age1", 4) == 0 &&
	    has_upper(text))
		return tf_fail(err, TF_INVALID,
		    "a recipient is written in lower case");
	if (tf_line_begins(text, "age1") &&
	    !tf_line_begins(text, HYBRID_PREFIX "1") &&
	    memchr(text.p + 4, '1', text.n - 4) != NULL)
		return tf_fail(err, TF_UNSUPPORTED,
		    "a recipient of a plugin, which is not supported");
	if (tf_line_begins(text, "age1"))
		return tf_fail(err, TF_INVALID,
		    "a recipient with a missing or wrong character");
	return tf_fail(err, TF_INVALID, "not an age recipient (age1...)");
}

/*
 * A point of low order gives the same secret with every key: the file would be
 * encrypted to everybody.  Any secret shows that, as secrets are multiples of
 * eight (RFC 7748 section 5).
 */
static enum tf_code
check_point(const uint8_t key[TF_X25519_LEN], struct tf_error *err)
{
	static const uint8_t secret[TF_X25519_LEN] = { 9 };
	uint8_t shared[TF_X25519_LEN];
	enum tf_code rc = tf_x25519(secret, key, shared, err);

	if (rc == TF_INVALID)
		rc = tf_fail(err, rc, "a recipient that protects nothing");
	return rc;
}

/* Whether a secret can be made for it shows whether it is a key. */
static enum tf_code
check_hybrid(const uint8_t key[TF_HYBRID_KEY_LEN], struct tf_error *err)
{
	uint8_t enc[TF_HYBRID_ENC_LEN], secret[TF_HYBRID_SECRET_LEN];
	enum tf_code rc = tf_hybrid_encaps(key, enc, secret, err);

	tf_wipe(secret, sizeof(secret));
	if (rc == TF_UNSUPPORTED)
		rc = tf_fail(err, rc,
		    "a post-quantum recipient needs libcrypto 3.5");
	if (rc == TF_INVALID)
		rc = tf_fail(err, rc, "a recipient that protects nothing");
	return rc;
}

enum tf_code
tf_recipient_parse(struct tf_str text, struct tf_recipient *out,
    struct tf_error *err)
{
	struct tf_str prefix;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (text.n > TEXT_MAX || has_upper(text) ||
	    !tf_bech32_decode(text, &prefix, out->key, sizeof(out->key), &n))
		return refuse(text, err);
	if (n == TF_X25519_LEN && tf_str_same(prefix, tf_str_of(PREFIX)))
		return check_point(out->key, err);
	out->hybrid = n == TF_HYBRID_KEY_LEN &&
	    tf_str_same(prefix, tf_str_of(HYBRID_PREFIX));
	return out->hybrid ? check_hybrid(out->key, err) : refuse(text, err);
}

/* Write the text and a NUL to out. */
static void
write_text(const struct tf_recipient *r, char out[TEXT_MAX + 1])
{
	if (r->hybrid)
		tf_bech32_encode(HYBRID_PREFIX, r->key, TF_HYBRID_KEY_LEN, out);
	else
		tf_bech32_encode(PREFIX, r->key, TF_X25519_LEN, out);
}

void
tf_recipient_text(const struct tf_recipient *r, struct tf_buf *out)
{
	char text[TEXT_MAX + 1];

	write_text(r, text);
	tf_buf_str(out, text);
}

/* --- files ------------------------------------------------------------------ */

static enum tf_code
add(struct tf_recipients *r, struct tf_str line, struct tf_error *err)
{
	struct tf_recipient *v, one;
	enum tf_code rc;

	if (line.p[0] == ' ' || line.p[0] == '\t' ||
	    line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t')
		return tf_fail(err, TF_INVALID, "white space at an end");
	if (r->n == TF_RECIPIENTS_MAX)
		return tf_fail(err, TF_TOOBIG, "more than %d recipients",
		    TF_RECIPIENTS_MAX);
	if ((rc = tf_recipient_parse(line, &one, err)) != TF_OK)
		return rc;
	if (r->n > 0 && r->v[0].hybrid != one.hybrid)
		return tf_fail(err, TF_INVALID,
		    "post-quantum and other recipients in one file");
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->v[i].key, one.key, sizeof(one.key)) == 0)
			return tf_fail(err, TF_INVALID,
			    "this recipient is listed twice");
	if ((v = reallocarray(r->v, r->n + 1, sizeof(*v))) == NULL)
		return tf_nomem(err);
	r->v = v;
	r->v[r->n++] = one;
	return TF_OK;
}

static int
by_text(const void *a, const void *b)
{
	char x[TEXT_MAX + 1], y[TEXT_MAX + 1];

	write_text(a, x);
	write_text(b, y);
	return strcmp(x, y);
}

enum tf_code
tf_recipients_parse(const char *text, size_t n, struct tf_recipients *out,
    struct tf_error *err)
{
	struct tf_str rest = { text, n };
	struct tf_error why = { 0 };
	enum tf_code rc = TF_OK;
	size_t number = 0;

	*out = (struct tf_recipients){ 0 };
	if (n > TF_RECIPIENTS_BYTES_MAX)
		return tf_fail(err, TF_TOOBIG, "more than %zu bytes",
		    TF_RECIPIENTS_BYTES_MAX);
	while (rest.n > 0 && rc == TF_OK) {
		struct tf_str line = tf_line_next(&rest);

		number++;
		if (memchr(line.p, '\0', line.n) != NULL) {
			(void)tf_fail(&why, TF_INVALID, "a NUL byte");
			rc = tf_line_fail(err, number, &why);
			break;
		}
		if (line.n == 0 || (line.p[0] == '#' && !holds_identity(line)))
			continue;
		if ((rc = add(out, line, &why)) != TF_OK)
			rc = tf_line_fail(err, number, &why);
	}
	if (rc == TF_OK && out->n == 0)
		rc = tf_fail(err, TF_INVALID, "no recipient");
	if (rc == TF_OK)
		qsort(out->v, out->n, sizeof(*out->v), by_text);
	else
		tf_recipients_free(out);
	return rc;
}

void
tf_recipients_free(struct tf_recipients *r)
{
	free(r->v);
	*r = (struct tf_recipients){ 0 };
}

void
tf_recipients_text(const struct tf_recipients *r, struct tf_buf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		tf_recipient_text(&r->v[i], out);
		tf_buf_str(out, "\n");
	}
}
