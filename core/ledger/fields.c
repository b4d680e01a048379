/*
 * The forms of values.  The rule of an object lists its known members.  Other
 * members are ignored, because later versions may add some (I1: a valid entry
 * stays valid).
 */
#include "fields.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "checkpoint.h"
#include "name.h"

enum shape { INT, BOOL, STRING, TEXT, OBJECT, MAP, UIDS };

struct member {
	const char *key;
	enum tf_form form;
	bool optional;
};

struct rule {
	enum shape shape;
	uint64_t min,
	    max;      /* value of an integer; number of members, elements */
	size_t bytes; /* of a string between the quotes, of the text
				   of other values; 0: any */
	bool (*ok)(const char *s, size_t n); /* string, or key of a map */
	const struct member *members; /* of an object, NULL key at the end */
	enum tf_form value;	      /* of a map */
};

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

static bool
time_ok(const char *s, size_t n)
{
	struct tf_time t;

	return tf_time_parse(s, n, &t);
}

static bool
digest_ok(const char *s, size_t n)
{
	struct tf_hash h;

	return tf_unhex(s, n, h.b, sizeof(h.b));
}

static bool
base64_ok(const char *s, size_t n)
{
	return tf_base64_bytes(s, n) > 0;
}

static bool
signature_ok(const char *s, size_t n)
{
	return tf_base64_bytes(s, n) == TF_SIG_LEN;
}

static bool
mode_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '7')
			return false;
	}
	return n == 4;
}

static bool
word_ok(const char *s, size_t n)
{
	return word_of(s, n, "._~:/@+-");
}

static bool
type_ok(const char *s, size_t n)
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
tf_form_unescape(const char *s, size_t n, char *out, size_t max)
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

static bool
path_ok(const char *s, size_t n)
{
	char path[TF_PATH_MAX];
	long len = tf_form_unescape(s, n, path, sizeof(path));

	return len > 0 && tf_path_depth(path, (size_t)len) >= 0;
}

static bool
name_ok(const char *s, size_t n)
{
	char name[TF_NAME_MAX];
	long len = tf_form_unescape(s, n, name, sizeof(name));

	return len > 0 &&
	    tf_name_check(TF_KIND_EVIDENCE, name, (size_t)len, NULL) == TF_OK;
}

static bool
boot_ok(const char *s, size_t n)
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

static bool
store_ok(const char *s, size_t n)
{
	uint8_t b[16];

	return tf_unhex(s, n, b, sizeof(b));
}

static bool
vkey_ok(const char *s, size_t n)
{
	struct tf_vkey k;

	return tf_vkey_parse(s, n, &k, NULL) == TF_OK;
}

static bool
spki_ok(const char *s, size_t n)
{
	struct tf_pubkey none = { { 0 } };
	uint8_t head[TF_SPKI_LEN], der[TF_SPKI_LEN];

	tf_pubkey_spki(&none, head);
	return tf_unbase64_exact(s, n, der, sizeof(der)) &&
	    memcmp(der, head, TF_SPKI_LEN - TF_PUBKEY_LEN) == 0;
}

static bool
keyid_ok(const char *s, size_t n)
{
	static const char head[] = "SHA256:";
	char padded[44];

	if (n != 7 + 43 || memcmp(s, head, 7) != 0)
		return false;
	memcpy(padded, s + 7, 43);
	padded[43] = '=';
	return tf_base64_bytes(padded, sizeof(padded)) == 32;
}

static bool
hold_ok(const char *s, size_t n)
{
	return word_of(s, n, "._-");
}

static bool
claim_type_ok(const char *s, size_t n)
{
	return word_of(s, n, "._~:-");
}

static bool
note_ok(const char *s, size_t n)
{
	char note[4096];

	return tf_form_unescape(s, n, note, sizeof(note)) > 0;
}

/* True if a hint must encode this byte as %XX. */
static bool
hint_escapes(uint8_t c)
{
	return c < 0x20 || c >= 0x7f || c == '%' || c == '"' || c == '\\';
}

static bool
hint_ok(const char *s, size_t n)
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

static bool
software_ok(const char *s, size_t n)
{
	(void)s;
	return n <= 24;
}

static bool
annotation_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(s[i]) && s[i] != '_')
			return false;
	}
	return n <= 64;
}

static bool
label_ok(const char *s, size_t n)
{
	return n <= 64 && !memchr(s, '.', n) && !memchr(s, '=', n);
}

static const struct member access_members[] = {
	{ "gid", TF_FORM_ID, false },
	{ "group", TF_FORM_HINT256, true },
	{ "mode", TF_FORM_MODE, false },
	{ "uid", TF_FORM_ID, false },
	{ "user", TF_FORM_HINT256, true },
	{ 0 },
};

static const struct member actor_members[] = {
	{ "gid", TF_FORM_ID, false },
	{ "group", TF_FORM_HINT256, true },
	{ "hints", TF_FORM_ACTOR_HINTS, true },
	{ "pid", TF_FORM_PID, true },
	{ "uid", TF_FORM_ID, false },
	{ "user", TF_FORM_HINT256, true },
	{ 0 },
};

static const struct member hint_members[] = {
	{ "cgroup", TF_FORM_HINT512, true },
	{ "comm", TF_FORM_HINT48, true },
	{ "exe", TF_FORM_HINT512, true },
	{ "loginuid", TF_FORM_ID, true },
	{ "session", TF_FORM_ID, true },
	{ 0 },
};

static const struct member batch_members[] = {
	{ "first", TF_FORM_UINT, false },
	{ "last", TF_FORM_UINT, false },
	{ 0 },
};

static const struct member content_members[] = {
	{ "sha256", TF_FORM_DIGEST, false },
	{ "size", TF_FORM_UINT, false },
	{ 0 },
};

static const struct member imported_members[] = {
	{ "at", TF_FORM_TIME, true },
	{ "by", TF_FORM_TEXT512, true },
	{ "id", TF_FORM_TEXT512, true },
	{ 0 },
};

static const struct member keys_members[] = {
	{ "attester", TF_FORM_SPKI, false },
	{ "log", TF_FORM_VKEY, false },
	{ 0 },
};

static const struct member options_members[] = {
	{ "durability", TF_FORM_WORD, false },
	{ "quiet", TF_FORM_UINT, false },
	{ "settle", TF_FORM_UINT, false },
	{ 0 },
};

static const struct member previous_members[] = {
	{ "head", TF_FORM_NOTE, false },
	{ "lost", TF_FORM_NOTE, true },
	{ 0 },
};

static const struct member evidence_members[] = {
	{ "bytes", TF_FORM_UINT, false },
	{ "count", TF_FORM_UINT, false },
	{ "sums", TF_FORM_DIGEST, false },
	{ 0 },
};

static const struct member statement_members[] = {
	{ "keyid", TF_FORM_KEYID, false },
	{ "pae", TF_FORM_DIGEST, false },
	{ "payload", TF_FORM_DIGEST, false },
	{ "sig", TF_FORM_SIGNATURE, false },
	{ "size", TF_FORM_UINT, false },
	{ 0 },
};

static const struct member claims_members[] = {
	{ "annotations", TF_FORM_ANNOTATIONS, true },
	{ "compliant", TF_FORM_BOOL, true },
	{ "description", TF_FORM_TEXT2048, true },
	{ "externalUrls", TF_FORM_URLS, true },
	{ "originUrl", TF_FORM_TEXT1024, true },
	{ "type", TF_FORM_CLAIM_TYPE, true },
	{ "userData", TF_FORM_USER_DATA, true },
	{ 0 },
};

static const struct member url_members[] = {
	{ "fingerprint", TF_FORM_DIGEST, true },
	{ "href", TF_FORM_TEXT1024, false },
	{ 0 },
};

static const struct member user_data_members[] = {
	{ "sha256", TF_FORM_DIGEST, false },
	{ "size", TF_FORM_MIB, false },
	{ 0 },
};

static const struct member evaluated_members[] = {
	{ "compliant", TF_FORM_BOOL, false },
	{ "counts", TF_FORM_COUNTS, false },
	{ "rule", TF_FORM_WORD, false },
	{ 0 },
};

static const struct member children_members[] = {
	{ "count", TF_FORM_UINT, false },
	{ "sums", TF_FORM_DIGEST, false },
	{ 0 },
};

static const struct member template_members[] = {
	{ "sha256", TF_FORM_DIGEST, false },
	{ "size", TF_FORM_UINT, false },
	{ "version", TF_FORM_POSITIVE, false },
	{ 0 },
};

static const struct member tree_members[] = {
	{ "root", TF_FORM_DIGEST, false },
	{ "size", TF_FORM_UINT, false },
	{ 0 },
};

static const struct member source_members[] = {
	{ "format", TF_FORM_WORD, false },
	{ "sha256", TF_FORM_DIGEST, false },
	{ "size", TF_FORM_UINT, false },
	{ 0 },
};

#define INT_RULE(lo, hi)                               \
	{                                              \
		.shape = INT, .min = (lo), .max = (hi) \
	}
#define STRING_RULE(limit, fn)                                \
	{                                                     \
		.shape = STRING, .bytes = (limit), .ok = (fn) \
	}
#define TEXT_RULE(limit)                        \
	{                                       \
		.shape = TEXT, .bytes = (limit) \
	}
#define OBJECT_RULE(list)                          \
	{                                          \
		.shape = OBJECT, .members = (list) \
	}

static const struct rule rules[TF_FORMS] = {
	[TF_FORM_UINT] = INT_RULE(0, TF_JSON_MAX),
	[TF_FORM_POSITIVE] = INT_RULE(1, TF_JSON_MAX),
	[TF_FORM_NODE] = INT_RULE(2, TF_JSON_MAX),
	[TF_FORM_ID] = INT_RULE(0, UINT32_MAX - 1),
	[TF_FORM_PID] = INT_RULE(1, UINT32_MAX),
	[TF_FORM_MIB] = INT_RULE(0, 1 << 20),
	[TF_FORM_BOOL] = { .shape = BOOL },
	[TF_FORM_TIME] = STRING_RULE(0, time_ok),
	[TF_FORM_DIGEST] = STRING_RULE(0, digest_ok),
	[TF_FORM_SIGNATURE] = STRING_RULE(0, signature_ok),
	[TF_FORM_BASE64] = STRING_RULE(0, base64_ok),
	[TF_FORM_MODE] = STRING_RULE(0, mode_ok),
	[TF_FORM_WORD] = STRING_RULE(64, word_ok),
	[TF_FORM_TYPE] = STRING_RULE(64, type_ok),
	[TF_FORM_ORIGIN] = STRING_RULE(0, tf_origin_ok),
	[TF_FORM_PATH] = STRING_RULE(0, path_ok),
	[TF_FORM_NAME] = STRING_RULE(0, name_ok),
	[TF_FORM_BOOT] = STRING_RULE(0, boot_ok),
	[TF_FORM_STORE] = STRING_RULE(0, store_ok),
	[TF_FORM_VKEY] = STRING_RULE(0, vkey_ok),
	[TF_FORM_SPKI] = STRING_RULE(0, spki_ok),
	[TF_FORM_KEY] = STRING_RULE(512, NULL),
	[TF_FORM_KEYID] = STRING_RULE(0, keyid_ok),
	[TF_FORM_HOLD] = STRING_RULE(64, hold_ok),
	[TF_FORM_CLAIM_TYPE] = STRING_RULE(128, claim_type_ok),
	[TF_FORM_NOTE] = STRING_RULE(0, note_ok),
	[TF_FORM_HINT48] = STRING_RULE(48, hint_ok),
	[TF_FORM_HINT256] = STRING_RULE(256, hint_ok),
	[TF_FORM_HINT512] = STRING_RULE(512, hint_ok),
	[TF_FORM_VERSION] = STRING_RULE(64, NULL),
	[TF_FORM_TEXT512] = TEXT_RULE(512),
	[TF_FORM_TEXT1024] = TEXT_RULE(1024),
	[TF_FORM_TEXT2048] = TEXT_RULE(2048),
	[TF_FORM_UIDS] = { .shape = UIDS, .max = 32 },
	[TF_FORM_ACCESS] = OBJECT_RULE(access_members),
	[TF_FORM_ACTOR] = OBJECT_RULE(actor_members),
	[TF_FORM_ACTOR_HINTS] = OBJECT_RULE(hint_members),
	[TF_FORM_BATCH] = OBJECT_RULE(batch_members),
	[TF_FORM_CONTENT] = OBJECT_RULE(content_members),
	[TF_FORM_IMPORTED] = OBJECT_RULE(imported_members),
	[TF_FORM_KEYS] = OBJECT_RULE(keys_members),
	[TF_FORM_SOFTWARE] = { .shape = MAP,
	    .max = 16,
	    .ok = software_ok,
	    .value = TF_FORM_VERSION },
	[TF_FORM_OPTIONS] = OBJECT_RULE(options_members),
	[TF_FORM_PREVIOUS] = OBJECT_RULE(previous_members),
	[TF_FORM_XATTRS] = { .shape = MAP,
	    .max = UINT32_MAX,
	    .bytes = 4096,
	    .value = TF_FORM_BASE64 },
	[TF_FORM_EVIDENCE] = OBJECT_RULE(evidence_members),
	[TF_FORM_STATEMENT] = OBJECT_RULE(statement_members),
	[TF_FORM_CLAIMS] = { .shape = OBJECT,
	    .bytes = 8192,
	    .members = claims_members },
	[TF_FORM_ANNOTATIONS] = { .shape = MAP,
	    .max = 64,
	    .ok = annotation_ok,
	    .value = TF_FORM_TEXT1024 },
	[TF_FORM_URLS] = { .shape = MAP,
	    .max = 16,
	    .ok = label_ok,
	    .value = TF_FORM_URL },
	[TF_FORM_URL] = OBJECT_RULE(url_members),
	[TF_FORM_USER_DATA] = OBJECT_RULE(user_data_members),
	[TF_FORM_EVALUATED] = { .shape = OBJECT,
	    .bytes = 512,
	    .members = evaluated_members },
	[TF_FORM_COUNTS] = { .shape = MAP,
	    .max = UINT32_MAX,
	    .value = TF_FORM_UINT },
	[TF_FORM_CHILDREN] = OBJECT_RULE(children_members),
	[TF_FORM_TEMPLATE] = OBJECT_RULE(template_members),
	[TF_FORM_TREE] = OBJECT_RULE(tree_members),
	[TF_FORM_SOURCE] = OBJECT_RULE(source_members),
};

static bool
string_ok(const struct tf_json_doc *d, int t, const struct rule *r)
{
	struct tf_str s = tf_json_text(d, t);

	if (d->tok[t].type != TF_JSON_STRING)
		return false;
	if (r->bytes > 0 && s.n - 2 > r->bytes)
		return false;
	return !r->ok || r->ok(s.p + 1, s.n - 2);
}

bool
tf_form_withheld(const struct tf_json_doc *d, int t)
{
	int digest = tf_json_get(d, t, "withheld");

	return digest >= 0 && d->tok[digest].next == d->tok[t].next &&
	    digest == t + 1 && tf_form_ok(d, digest, TF_FORM_DIGEST);
}

static bool
uids_ok(const struct tf_json_doc *d, int t, const struct rule *r)
{
	int64_t last = -1;
	uint32_t n = d->tok[t].next - (uint32_t)t - 1;

	if (d->tok[t].type != TF_JSON_ARRAY || n > r->max)
		return false;
	/* Integers are one token each; anything else fails. */
	for (int i = t + 1; i < (int)d->tok[t].next; i++) {
		if (!tf_form_ok(d, i, TF_FORM_ID) || d->tok[i].num <= last)
			return false;
		last = d->tok[i].num;
	}
	return true;
}

static bool
map_ok(const struct tf_json_doc *d, int t, const struct rule *r)
{
	uint32_t n = 0;

	if (d->tok[t].type != TF_JSON_OBJECT)
		return false;
	for (uint32_t i = (uint32_t)t + 1; i < d->tok[t].next;
	     i = d->tok[i].next) {
		const struct tf_json_token *v = &d->tok[i];

		if (++n > r->max ||
		    (r->ok && !r->ok(d->text + v->key_off, v->key_len)) ||
		    !tf_form_ok(d, (int)i, r->value))
			return false;
	}
	return true;
}

static bool
object_ok(const struct tf_json_doc *d, int t, const struct rule *r)
{
	if (d->tok[t].type != TF_JSON_OBJECT)
		return false;
	for (const struct member *m = r->members; m->key; m++) {
		int v = tf_json_get(d, t, m->key);

		if (v < 0 ? !m->optional : !tf_form_ok(d, v, m->form))
			return false;
	}
	return true;
}

bool
tf_form_ok(const struct tf_json_doc *d, int t, enum tf_form form)
{
	const struct rule *r = &rules[form];
	const struct tf_json_token *v = &d->tok[t];

	if (r->bytes > 0 && r->shape != STRING && r->shape != TEXT &&
	    v->len > r->bytes)
		return false;
	switch (r->shape) {
	case INT:
		return v->type == TF_JSON_INT && v->num >= 0 &&
		    (uint64_t)v->num >= r->min && (uint64_t)v->num <= r->max;
	case BOOL:
		return v->type == TF_JSON_BOOL;
	case TEXT:
		return tf_form_withheld(d, t) || string_ok(d, t, r);
	case STRING:
		return string_ok(d, t, r);
	case OBJECT:
		return object_ok(d, t, r);
	case MAP:
		return map_ok(d, t, r);
	case UIDS:
		return uids_ok(d, t, r);
	}
	return false;
}
