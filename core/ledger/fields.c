/*
 * The forms of values.  The rule of an object lists its known members.  Other
 * members are ignored, because later versions may add some (I1: a valid entry
 * stays valid).
 *
 * One table, rules, has a rule for each form, and tf_form_ok() applies it to a
 * token.  Strings are checked as they stand in the JSON, still escaped: most
 * forms allow no character that needs an escape.  The forms are the schema of
 * the log, so a form may later allow more, and never less.
 */
#include "fields.h"

#include "../anchor.h"
#include "../base/bytes.h"
#include "chunks.h"
#include "field_text.h"
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

static const struct member chunks_members[] = {
	{ "before", TF_FORM_UINT, true },
	{ "bytes", TF_FORM_POSITIVE, false },
	{ "from", TF_FORM_UINT, false },
	{ "sha256", TF_FORM_CHUNK_DIGESTS, false },
	{ "to", TF_FORM_POSITIVE, false },
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
	{ "admins", TF_FORM_HINT256, true },
	{ "approvers", TF_FORM_HINT256, true },
	{ "auditors", TF_FORM_HINT256, true },
	{ "durability", TF_FORM_WORD, false },
	{ "guard", TF_FORM_HINT512, true },
	{ "loginuid", TF_FORM_WORD, true },
	{ "quiet", TF_FORM_UINT, false },
	{ "reads", TF_FORM_WORD, true },
	{ "settle", TF_FORM_UINT, false },
	{ "texts", TF_FORM_WORD, true },
	{ "trail_group", TF_FORM_HINT256, true },
	{ 0 },
};

static const struct member home_members[] = {
	{ "born", TF_FORM_TIME, true },
	{ "databaseBorn", TF_FORM_TIME, true },
	{ "databaseInode", TF_FORM_WORD, true },
	{ "device", TF_FORM_WORD, true },
	{ "inode", TF_FORM_WORD, false },
	{ "machine", TF_FORM_DIGEST, true },
	{ "moved", TF_FORM_BOOL, true },
	{ "path", TF_FORM_HINT512, true },
	{ 0 },
};

static const struct member host_clock_members[] = {
	{ "estimatedErrorUs", TF_FORM_UINT, true },
	{ "maximumErrorUs", TF_FORM_UINT, true },
	{ "source", TF_FORM_WORD, true },
	{ "synchronised", TF_FORM_BOOL, false },
	{ 0 },
};

static const struct member verify_run_members[] = {
	{ "entries", TF_FORM_UINT, true },
	{ "findings", TF_FORM_UINT, true },
	{ "from", TF_FORM_UINT, true },
	{ "full", TF_FORM_UINT, true },
	{ "part", TF_FORM_UINT, true },
	{ "parts", TF_FORM_POSITIVE, true },
	{ "seconds", TF_FORM_UINT, false },
	{ "verdict", TF_FORM_WORD, false },
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
	{ "control", TF_FORM_CONTROL, true },
	{ "description", TF_FORM_TEXT2048, true },
	{ "externalUrls", TF_FORM_URLS, true },
	{ "onBehalfOf", TF_FORM_TEXT256, true },
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
	{ "definition", TF_FORM_EVALUATED_BY, true },
	{ "report", TF_FORM_CONTENT, true },
	{ "rule", TF_FORM_WORD, false },
	{ 0 },
};

static const struct member evaluated_by_members[] = {
	{ "name", TF_FORM_DEFINITION_NAME, false },
	{ "version", TF_FORM_POSITIVE, false },
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

static const struct member definition_members[] = {
	{ "name", TF_FORM_DEFINITION_NAME, false },
	{ "sha256", TF_FORM_DIGEST, false },
	{ "size", TF_FORM_UINT, false },
	{ "version", TF_FORM_POSITIVE, false },
	{ 0 },
};

static const struct member retention_members[] = {
	{ "for", TF_FORM_PERIOD, true },
	{ "mode", TF_FORM_WORD, false },
	{ "rule", TF_FORM_RULE, true },
	{ "until", TF_FORM_TIME, true },
	{ 0 },
};

static const struct member rule_members[] = {
	{ "id", TF_FORM_CONTROL, false },
	{ "sha256", TF_FORM_DIGEST, true },
	{ 0 },
};

static const struct member reads_members[] = {
	{ "count", TF_FORM_POSITIVE, false },
	{ "lost", TF_FORM_POSITIVE, true },
	{ "sha256", TF_FORM_DIGEST, false },
	{ "size", TF_FORM_UINT, false },
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

static const struct member encryption_members[] = {
	{ "format", TF_FORM_WORD, false },
	{ "recipients", TF_FORM_POSITIVE, false },
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
	[TF_FORM_TIME] = STRING_RULE(0, tf_text_time_ok),
	[TF_FORM_DIGEST] = STRING_RULE(0, tf_text_digest_ok),
	[TF_FORM_SIGNATURE] = STRING_RULE(0, tf_text_signature_ok),
	[TF_FORM_BASE64] = STRING_RULE(0, tf_text_base64_ok),
	[TF_FORM_MODE] = STRING_RULE(0, tf_text_mode_ok),
	[TF_FORM_WORD] = STRING_RULE(64, tf_text_word_ok),
	[TF_FORM_TYPE] = STRING_RULE(64, tf_text_type_ok),
	[TF_FORM_ORIGIN] = STRING_RULE(0, tf_origin_ok),
	[TF_FORM_PATH] = STRING_RULE(0, tf_text_path_ok),
	[TF_FORM_NAME] = STRING_RULE(0, tf_text_name_ok),
	[TF_FORM_BOOT] = STRING_RULE(0, tf_text_boot_ok),
	[TF_FORM_STORE] = STRING_RULE(0, tf_text_store_ok),
	[TF_FORM_VKEY] = STRING_RULE(0, tf_text_vkey_ok),
	[TF_FORM_SPKI] = STRING_RULE(0, tf_text_spki_ok),
	[TF_FORM_KEY] = STRING_RULE(512, NULL),
	[TF_FORM_KEYID] = STRING_RULE(0, tf_text_keyid_ok),
	[TF_FORM_ANCHOR_NAME] = STRING_RULE(TF_ANCHOR_NAME_MAX,
	    tf_text_anchor_name_ok),
	[TF_FORM_HOLD] = STRING_RULE(64, tf_text_hold_ok),
	[TF_FORM_HOME] = OBJECT_RULE(home_members),
	[TF_FORM_HOST_CLOCK] = OBJECT_RULE(host_clock_members),
	[TF_FORM_PERIOD] = STRING_RULE(0, tf_text_period_ok),
	[TF_FORM_CHUNKS] = OBJECT_RULE(chunks_members),
	[TF_FORM_CHUNK_DIGESTS] = STRING_RULE(64 * TF_CHUNKS_MAX,
	    tf_text_digests_ok),
	[TF_FORM_CLAIM_TYPE] = STRING_RULE(128, tf_text_claim_type_ok),
	[TF_FORM_CONTROL] = STRING_RULE(64, tf_text_hold_ok),
	[TF_FORM_DEFINITION_NAME] = STRING_RULE(64, tf_text_definition_ok),
	[TF_FORM_NOTE] = STRING_RULE(0, tf_text_note_ok),
	[TF_FORM_HINT48] = STRING_RULE(48, tf_text_hint_ok),
	[TF_FORM_HINT256] = STRING_RULE(256, tf_text_hint_ok),
	[TF_FORM_HINT512] = STRING_RULE(512, tf_text_hint_ok),
	[TF_FORM_VERSION] = STRING_RULE(64, NULL),
	[TF_FORM_TEXT256] = TEXT_RULE(256),
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
	    .ok = tf_text_software_ok,
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
	    .ok = tf_text_annotation_ok,
	    .value = TF_FORM_TEXT1024 },
	[TF_FORM_URLS] = { .shape = MAP,
	    .max = 16,
	    .ok = tf_text_label_ok,
	    .value = TF_FORM_URL },
	[TF_FORM_URL] = OBJECT_RULE(url_members),
	[TF_FORM_USER_DATA] = OBJECT_RULE(user_data_members),
	[TF_FORM_EVALUATED] = { .shape = OBJECT,
	    .bytes = 512,
	    .members = evaluated_members },
	[TF_FORM_EVALUATED_BY] = OBJECT_RULE(evaluated_by_members),
	[TF_FORM_COUNTS] = { .shape = MAP,
	    .max = UINT32_MAX,
	    .value = TF_FORM_UINT },
	[TF_FORM_CHILDREN] = OBJECT_RULE(children_members),
	[TF_FORM_TEMPLATE] = OBJECT_RULE(template_members),
	[TF_FORM_DEFINITION] = OBJECT_RULE(definition_members),
	[TF_FORM_RETENTION] = OBJECT_RULE(retention_members),
	[TF_FORM_RULE] = OBJECT_RULE(rule_members),
	[TF_FORM_READS] = OBJECT_RULE(reads_members),
	[TF_FORM_TREE] = OBJECT_RULE(tree_members),
	[TF_FORM_SOURCE] = OBJECT_RULE(source_members),
	[TF_FORM_VERIFY_RUN] = OBJECT_RULE(verify_run_members),
	[TF_FORM_ENCRYPTION] = OBJECT_RULE(encryption_members),
};

/* The two quotes are no part of the value. */
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

/* Rising order, so that one set of writers has one text. */
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

/* A map has keys that are not known before; its values have one form. */
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

/* Only the known members are looked at; see the head of this file. */
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

/* The form of the member at token t; TF_FORMS: it is not known. */
static enum tf_form
member_form(const struct tf_json_doc *d, uint32_t t, const struct rule *r)
{
	const struct tf_str key = { d->text + d->tok[t].key_off,
		d->tok[t].key_len };

	if (r->shape == MAP)
		return r->value;
	for (const struct member *m = r->members; m->key; m++)
		if (tf_str_same(key, tf_str_of(m->key)))
			return m->form;
	return TF_FORMS;
}

enum tf_code
tf_form_texts(const struct tf_json_doc *d, int t, enum tf_form form,
    tf_form_text_fn fn, void *arg, struct tf_error *err)
{
	const struct rule *r = &rules[form];
	enum tf_code rc = TF_OK;

	if (r->shape == TEXT)
		return fn(arg, d, t, r->bytes, err);
	if (r->shape != OBJECT && r->shape != MAP)
		return TF_OK;
	for (uint32_t i = (uint32_t)t + 1; rc == TF_OK && i < d->tok[t].next;
	     i = d->tok[i].next) {
		const enum tf_form of = member_form(d, i, r);

		if (of != TF_FORMS)
			rc = tf_form_texts(d, (int)i, of, fn, arg, err);
	}
	return rc;
}
