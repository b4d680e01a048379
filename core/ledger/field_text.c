/*
 * Which strings the fields of entries may have: one function per form.  The
 * strings are still escaped; bytes may be anything that canonical JSON allows.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/time_text.h"
#include "checkpoint.h"
#include "field_text.h"
#include "name.h"
#include "retention.h"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* True for [A-Za-z0-9], then the same and the characters in more. */
static bool
word_of(const char *s, size_t n, const char *more)
{
	if (n == 0 || !is_alnum(s[0]))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (!is_alnum(s[i]) && (s[i] == '\0' || !strchr(more, s[i])))
			return false;
	}
	return true;
}

bool
tf_text_time_ok(const char *s, size_t n)
{
	struct tf_time t;

	return tf_time_parse(s, n, &t);
}

/* Lower case only: one digest has one text. */
bool
tf_text_digest_ok(const char *s, size_t n)
{
	struct tf_hash h;

	return tf_unhex(s, n, h.b, sizeof(h.b));
}

bool
tf_text_digests_ok(const char *s, size_t n)
{
	size_t at = 0;

	while (at + 64 <= n && tf_text_digest_ok(s + at, 64))
		at += 64;
	return n > 0 && at == n;
}

bool
tf_text_base64_ok(const char *s, size_t n)
{
	return tf_base64_bytes(s, n) > 0;
}

bool
tf_text_signature_ok(const char *s, size_t n)
{
	return tf_base64_bytes(s, n) == TF_SIG_LEN;
}

bool
tf_text_mode_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '7')
			return false;
	}
	return n == 4;
}

bool
tf_text_word_ok(const char *s, size_t n)
{
	return word_of(s, n, "._~:/@+-");
}

bool
tf_text_type_ok(const char *s, size_t n)
{
	bool dot = false;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.') {
			if (i == 0 || i + 1 == n || s[i - 1] == '.')
				return false;
			dot = true;
		} else if (s[i] < 'a' || s[i] > 'z') {
			return false;
		}
	}
	return dot;
}

long
tf_text_unescape(const char *s, size_t n, char *out, size_t max)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '\\') {
			c = s[++i];
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		if (used == max)
			return -1;
		out[used++] = c;
	}
	return (long)used;
}

int
tf_path_depth(const char *path, size_t n)
{
	size_t start = 0, upper = 0;
	int depth = 0;

	if (n == 1 && path[0] == '.')
		return 0;
	for (size_t i = 0; i <= n; i++) {
		enum tf_kind kind = depth < 3 ? TF_KIND_TRAIL + depth :
						TF_KIND_EVIDENCE;

		if (i < n && path[i] != '/')
			continue;
		if (tf_name_check(kind, path + start, i - start, NULL) != TF_OK)
			return -1;
		start = i + 1;
		if (++depth == 3)
			upper = start;
	}
	return depth > 3 && n - upper > TF_PATH_BELOW_MAX ? -1 : depth;
}

bool
tf_text_path_ok(const char *s, size_t n)
{
	char path[TF_PATH_MAX];
	long len = tf_text_unescape(s, n, path, sizeof(path));

	return len > 0 && tf_path_depth(path, (size_t)len) >= 0;
}

bool
tf_text_name_ok(const char *s, size_t n)
{
	char name[TF_NAME_MAX];
	long len = tf_text_unescape(s, n, name, sizeof(name));

	return len > 0 &&
	    tf_name_check(TF_KIND_EVIDENCE, name, (size_t)len, NULL) == TF_OK;
}

bool
tf_text_boot_ok(const char *s, size_t n)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (n != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool hex = (s[i] >= '0' && s[i] <= '9') ||
		    (s[i] >= 'a' && s[i] <= 'f');

		if (form[i] == '-' ? s[i] != '-' : !hex)
			return false;
	}
	return true;
}

bool
tf_text_store_ok(const char *s, size_t n)
{
	uint8_t b[16];

	return tf_unhex(s, n, b, sizeof(b));
}

bool
tf_text_vkey_ok(const char *s, size_t n)
{
	struct tf_vkey k;

	return tf_vkey_parse(s, n, &k, NULL) == TF_OK;
}

bool
tf_text_spki_ok(const char *s, size_t n)
{
	struct tf_pubkey none = { { 0 } };
	uint8_t head[TF_SPKI_LEN], der[TF_SPKI_LEN];

	tf_pubkey_spki(&none, head);
	return tf_unbase64_exact(s, n, der, sizeof(der)) &&
	    memcmp(der, head, TF_SPKI_LEN - TF_PUBKEY_LEN) == 0;
}

bool
tf_text_keyid_ok(const char *s, size_t n)
{
	static const char head[] = "SHA256:";
	char padded[44];

	if (n != 7 + 43 || memcmp(s, head, 7) != 0)
		return false;
	memcpy(padded, s + 7, 43);
	padded[43] = '=';
	return tf_base64_bytes(padded, sizeof(padded)) == 32;
}

/* Keys of the signed-note format never have '+' in their name; a name of the
 * operator's own may. */
bool
tf_text_anchor_name_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) &&
		    (s[i] == '\0' || strchr("._~:/+-", s[i]) == NULL))
			return false;
	return n > 0;
}

bool
tf_text_hold_ok(const char *s, size_t n)
{
	return word_of(s, n, "._-");
}

bool
tf_text_period_ok(const char *s, size_t n)
{
	struct tf_retention r;

	return tf_period_parse(s, n, &r);
}

bool
tf_text_claim_type_ok(const char *s, size_t n)
{
	return word_of(s, n, "._~:-");
}

bool
tf_text_definition_ok(const char *s, size_t n)
{
	return word_of(s, n, "._~-");
}

bool
tf_text_note_ok(const char *s, size_t n)
{
	char note[4096];

	return tf_text_unescape(s, n, note, sizeof(note)) > 0;
}

/* True if a hint must encode this byte as %XX. */
static bool
hint_escapes(uint8_t c)
{
	return c < 0x20 || c >= 0x7f || c == '%' || c == '"' || c == '\\';
}

bool
tf_text_hint_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char pair[2];
		uint8_t c;

		if (s[i] == '\\')
			return false;
		if (s[i] != '%')
			continue;
		if (n - i < 3)
			return false;
		for (unsigned k = 0; k < 2; k++) {
			pair[k] = s[i + 1 + k];
			if (pair[k] >= 'a')
				return false;
			if (pair[k] >= 'A')
				pair[k] = (char)(pair[k] - 'A' + 'a');
		}
		if (!tf_unhex(pair, 2, &c, 1) || !hint_escapes(c))
			return false;
		i += 2;
	}
	return true;
}

bool
tf_text_software_ok(const char *s, size_t n)
{
	(void)s;
	return n <= 24;
}

bool
tf_text_annotation_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(s[i]) && s[i] != '_')
			return false;
	}
	return n <= 64;
}

bool
tf_text_label_ok(const char *s, size_t n)
{
	return n <= 64 && !memchr(s, '.', n) && !memchr(s, '=', n);
}
