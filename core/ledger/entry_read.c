/*
 * The decoder of entries.  It follows the tables of entry_types.h and refuses
 * whatever is not exactly of the schema, so that two readers never see two
 * entries in the same leaf (I5).
 *
 * The bytes are parsed once; strings are unescaped into one block of memory
 * that is never moved, since fields point into it.  Form is checked before a
 * value is stored, so the functions that store need no errors.
 */
#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/time_text.h"
#include "chunks.h"
#include "entry_read.h"
#include "entry_types.h"
#include "field_text.h"
#include "note.h"

static bool
equals(struct tf_str s, const char *with)
{
	return s.n == strlen(with) && memcmp(s.p, with, s.n) == 0;
}

/* Unescape a string and add a NUL, in storage that is never reallocated. */
static struct tf_str
read_string(struct tf_entry_decoded *d, int t)
{
	struct tf_str s = tf_json_text(&d->doc, t);
	char *to = d->text.p + d->text.n;
	long n = tf_text_unescape(s.p + 1, s.n - 2, to,
	    d->text.cap - d->text.n - 1);

	if (n < 0) /* impossible: the storage has room for the whole text */
		return (struct tf_str){ NULL, 0 };
	to[n] = '\0';
	d->text.n += (size_t)n + 1;
	return (struct tf_str){ to, (size_t)n };
}

/* An absent member gives an absent string. */
static struct tf_str
read_member(struct tf_entry_decoded *d, int obj, const char *key)
{
	int t = tf_json_get(&d->doc, obj, key);

	return t < 0 ? (struct tf_str){ NULL, 0 } : read_string(d, t);
}

static uint64_t
read_uint(struct tf_entry_decoded *d, int obj, const char *key)
{
	int t = tf_json_get(&d->doc, obj, key);

	return t < 0 ? 0 : (uint64_t)d->doc.tok[t].num;
}

static void
read_hash(struct tf_entry_decoded *d, int obj, const char *key,
    struct tf_hash *out)
{
	struct tf_str s = tf_json_text(&d->doc, tf_json_get(&d->doc, obj, key));

	if (s.p)
		(void)tf_unhex(s.p + 1, s.n - 2, out->b, sizeof(out->b));
}

static void
read_time(struct tf_entry_decoded *d, int t, struct tf_time *out)
{
	struct tf_str s = tf_json_text(&d->doc, t);

	(void)tf_time_parse(s.p + 1, s.n - 2, out);
}

static void
read_content(struct tf_entry_decoded *d, int t, struct tf_content *out)
{
	read_hash(d, t, "sha256", &out->sha256);
	out->size = read_uint(d, t, "size");
}

/* The form allowed octal digits only. */
static void
read_access(struct tf_entry_decoded *d, int t, struct tf_access *out)
{
	struct tf_str mode = tf_json_text(&d->doc,
	    tf_json_get(&d->doc, t, "mode"));

	out->uid = (uint32_t)read_uint(d, t, "uid");
	out->gid = (uint32_t)read_uint(d, t, "gid");
	out->mode = 0;
	for (size_t i = 1; i + 1 < mode.n; i++)
		out->mode = out->mode << 3 | (uint32_t)(mode.p[i] - '0');
	out->user = read_member(d, t, "user");
	out->group = read_member(d, t, "group");
}

static void
read_statement(struct tf_entry_decoded *d, int t, struct tf_statement_ref *out)
{
	read_hash(d, t, "payload", &out->payload);
	read_hash(d, t, "pae", &out->pae);
	out->size = read_uint(d, t, "size");
	out->keyid = read_member(d, t, "keyid");
	out->sig = read_member(d, t, "sig");
}

static void
read_retention(struct tf_entry_decoded *d, int t, struct tf_retention_ref *out)
{
	int rule = tf_json_get(&d->doc, t, "rule");
	int until = tf_json_get(&d->doc, t, "until");

	out->period = read_member(d, t, "for");
	out->mode = read_member(d, t, "mode");
	out->has_until = until >= 0;
	if (until >= 0)
		read_time(d, until, &out->until);
	if (rule < 0)
		return;
	out->rule = read_member(d, rule, "id");
	out->has_rule_text = tf_json_get(&d->doc, rule, "sha256") >= 0;
	read_hash(d, rule, "sha256", &out->rule_text);
}

static void
read_object(struct tf_entry_decoded *d, int t, const struct tf_entry_field *f)
{
	struct tf_entry *e = &d->e;

	switch (f->as) {
	case TF_AS_BATCH:
		e->batch_first = read_uint(d, t, "first");
		e->batch_last = read_uint(d, t, "last");
		break;
	case TF_AS_KEYS:
		e->key_attester = read_member(d, t, "attester");
		e->key_log = read_member(d, t, "log");
		break;
	case TF_AS_EVIDENCE:
		e->evidence_bytes = read_uint(d, t, "bytes");
		e->evidence_count = read_uint(d, t, "count");
		read_hash(d, t, "sums", &e->evidence_sums);
		break;
	case TF_AS_CHILDREN:
		e->children_count = read_uint(d, t, "count");
		read_hash(d, t, "sums", &e->children_sums);
		break;
	case TF_AS_TEMPLATE:
		read_content(d, t, &e->template_content);
		e->template_version = read_uint(d, t, "version");
		break;
	case TF_AS_DEFINITION:
		read_content(d, t, &e->definition_content);
		e->definition_name = read_member(d, t, "name");
		e->definition_version = read_uint(d, t, "version");
		break;
	case TF_AS_READS:
		read_content(d, t, &e->reads);
		e->reads_count = read_uint(d, t, "count");
		e->reads_lost = read_uint(d, t, "lost");
		break;
	case TF_AS_RETENTION:
		read_retention(d, t, &e->retention);
		break;
	case TF_AS_RECIPIENTS:
		read_content(d, t, &e->definition_content);
		e->definition_version = read_uint(d, t, "version");
		break;
	case TF_AS_ENCRYPTION:
		e->encryption_format = read_member(d, t, "format");
		e->encryption_recipients = read_uint(d, t, "recipients");
		break;
	default: /* TF_AS_TREE */
		read_hash(d, t, "root", &e->tree_root);
		e->tree_size = read_uint(d, t, "size");
		break;
	}
}

/* Store a value whose form was checked. */
static void
read_field(struct tf_entry_decoded *d, int t, const struct tf_entry_field *f)
{
	struct tf_entry *e = &d->e;

	if (f->has != 0)
		*(bool *)((char *)e + f->has) = true;
	switch (f->as) {
	case TF_AS_STRING:
	case TF_AS_TYPE:
		/* A text that stands apart is absent. */
		e->is_apart = e->is_apart ||
		    d->doc.tok[t].type != TF_JSON_STRING;
		if (d->doc.tok[t].type == TF_JSON_STRING)
			*TF_FIELD_VALUE(e, f, struct tf_str) = read_string(d,
			    t);
		else
			read_hash(d, t, "withheld", &e->apart);
		break;
	case TF_AS_RAW:
		*TF_FIELD_VALUE(e, f, struct tf_str) = tf_json_text(&d->doc, t);
		break;
	case TF_AS_NUMBER:
	case TF_AS_VERSION:
		*TF_FIELD_VALUE(e, f, uint64_t) = (uint64_t)d->doc.tok[t].num;
		break;
	case TF_AS_FLAG:
		*TF_FIELD_VALUE(e, f, bool) = d->doc.tok[t].num != 0;
		break;
	case TF_AS_TIME:
		read_time(d, t, TF_FIELD_VALUE(e, f, struct tf_time));
		break;
	case TF_AS_CONTENT:
		read_content(d, t, TF_FIELD_VALUE(e, f, struct tf_content));
		break;
	case TF_AS_ACCESS:
		read_access(d, t, &e->access);
		break;
	case TF_AS_STATEMENT:
		read_statement(d, t, &e->statement);
		break;
	default:
		read_object(d, t, f);
		break;
	}
}

static bool
key_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool small = s[i] >= 'a' && s[i] <= 'z';
		bool more = (s[i] >= 'A' && s[i] <= 'Z') ||
		    (s[i] >= '0' && s[i] <= '9');

		if (!small && (i == 0 || !more))
			return false;
	}
	return true;
}

/* Find the type first: it decides which fields are known. */
static enum tf_entry_kind
read_type(const struct tf_json_doc *doc)
{
	int v = tf_json_get(doc, 0, "v");
	int t = tf_json_get(doc, 0, "type");
	struct tf_str s = tf_json_text(doc, t);

	if (v < 0 || doc->tok[v].num != TF_ENTRY_VERSION || !s.p || s.n < 2)
		return TF_TYPE_UNKNOWN;
	return tf_entry_type_of((struct tf_str){ s.p + 1, s.n - 2 });
}

/*
 * Unknown members are ignored, and their keys must still look like keys: a
 * later version adds members, not other text.
 */
static enum tf_code
read_fields(struct tf_entry_decoded *d, const struct tf_entry_type *type,
    struct tf_error *err)
{
	const struct tf_json_doc *doc = &d->doc;
	tf_field_set must = type->must | TF_FIELDS_ALWAYS, seen = 0;
	tf_field_set may = must | type->may | TF_FIELDS_COMMON;

	for (int t = 1; t < (int)doc->n; t = (int)doc->tok[t].next) {
		struct tf_str key = { doc->text + doc->tok[t].key_off,
			doc->tok[t].key_len };
		const struct tf_entry_field *f = tf_entry_find_field(key, may);

		if (!key_ok(key.p, key.n))
			return tf_fail(err, TF_INVALID,
			    "entry: a key with characters that keys never have");
		if (!f)
			continue;
		if (!tf_form_ok(doc, t, f->form))
			return tf_fail(err, TF_INVALID,
			    "entry: %s is not of its kind", f->key);
		read_field(d, t, f);
		seen |= TF_BIT_AT(f - tf_entry_fields);
	}
	for (unsigned i = 0; i < TF_FIELDS; i++) {
		if ((must & ~seen) >> i & 1)
			return tf_fail(err, TF_INVALID, "entry: %s lacks %s",
			    *type->name ? type->name : "it",
			    tf_entry_fields[i].key);
	}
	return TF_OK;
}

/* Keys for a use that a later version adds may have any form. */
static enum tf_form
key_form(struct tf_str use)
{
	if (equals(use, "log"))
		return TF_FORM_VKEY;
	return equals(use, "attester") ? TF_FORM_SPKI : TF_FORM_KEY;
}

/* A mirror and a witness have a key; kinds of later versions may have any. */
static bool
anchor_key_ok(const struct tf_entry *e)
{
	struct tf_vkey k;

	if (!equals(e->anchor_kind, TF_ANCHOR_MIRROR) &&
	    !equals(e->anchor_kind, TF_ANCHOR_WITNESS))
		return true;
	return e->anchor_key.p != NULL &&
	    tf_cosign_vkey_parse(e->anchor_key.p, e->anchor_key.n, &k, NULL) ==
	    TF_OK;
}

/* Check the rules over more than one field; the broken rule or NULL. */
static const char *
check_rules(const struct tf_entry_decoded *d, const struct tf_entry_type *type)
{
	const struct tf_entry *e = &d->e;
	struct tf_chunks chunks;

	if (e->has_clock && tf_time_cmp(e->at, e->clock) == 0)
		return "clock equals at";
	if (e->has_batch && (e->batch_first > e->seq || e->seq > e->batch_last))
		return "not in its batch";
	if (!e->actor.p && !e->cause.p && !type->daemon)
		return "neither an actor nor a cause";
	if (e->path.p) {
		int depth = tf_path_depth(e->path.p, e->path.n);

		if (depth < type->least || depth > type->most)
			return "a path of another level";
	}
	if (e->type == TF_ANCHOR_ADDED && !anchor_key_ok(e))
		return "an anchor without the key of its cosigner";
	if (e->type == TF_EVIDENCE_GROWN && !tf_chunks_read(e->chunks, &chunks))
		return "chunks that do not fit each other";
	if (e->has_proven && (e->proven > e->content.size || e->has_encryption))
		return "more proven than there is";
	if (e->has_proven && !e->has_grown)
		return "proven bytes that no entry is about";
	if (e->type == TF_LEDGER_OPENED && e->has_access && e->seq != 0)
		return "access of the root after the first entry";
	if (e->type == TF_KEY_ROTATED) {
		enum tf_form form = key_form(e->use);
		int new = tf_json_get(&d->doc, 0, "new");
		int old = tf_json_get(&d->doc, 0, "old");

		if (!tf_form_ok(&d->doc, new, form) ||
		    !tf_form_ok(&d->doc, old, form))
			return "keys of another use";
	}
	return NULL;
}

/* Ignore a well-formed common field that its type does not have. */
static void
clear_unused(struct tf_entry *e, const struct tf_entry_type *type)
{
	if (!((type->must | type->may) & TF_BIT(PATH)))
		e->path = (struct tf_str){ NULL, 0 };
	if (!((type->must | type->may) & TF_BIT(NODE))) {
		e->has_node = false;
		e->node = 0;
	}
}

enum tf_code
tf_entry_decode(struct tf_entry_decoded *d, const char *bytes, size_t n,
    struct tf_error *err)
{
	const struct tf_entry_type *type;
	const char *why;
	enum tf_code rc;

	memset(d, 0, sizeof(*d));
	if (n < 2 || n > TF_ENTRY_MAX)
		return tf_fail(err, TF_INVALID, "entry: %zu bytes", n);
	if ((rc = tf_json_parse(&d->doc, bytes, n, err)) != TF_OK)
		return rc;
	if (d->doc.tok[0].type != TF_JSON_OBJECT)
		return tf_fail(err, TF_INVALID, "entry: not an object");
	/* Room for all strings: each loses its quotes and gets a NUL. */
	tf_buf_add(&d->text, bytes, n);
	d->text.n = 0;
	if (d->text.failed)
		return tf_nomem(err);
	d->e.type = read_type(&d->doc);
	type = &tf_entry_types[d->e.type];
	if ((rc = read_fields(d, type, err)) != TF_OK)
		return rc;
	clear_unused(&d->e, type);
	if ((why = check_rules(d, type)))
		return tf_fail(err, TF_INVALID, "entry: %s", why);
	return TF_OK;
}

void
tf_entry_decoded_free(struct tf_entry_decoded *d)
{
	if (!d)
		return;
	tf_json_doc_free(&d->doc);
	tf_buf_free(&d->text);
	memset(d, 0, sizeof(*d));
}
