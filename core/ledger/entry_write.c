/*
 * The encoder of entries.  It follows the tables of entry_types.h, and decodes
 * what it wrote: no entry enters the ledger that a reader would refuse (I1,
 * I5).
 *
 * An entry is often encoded before its transaction (tf_entry_prepare()), when
 * number, time and batch are not known.  These members, the stamps, are then
 * cut out by their offsets, and tf_entry_complete() puts the real ones in; so
 * the committer copies text and parses nothing.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "entry_read.h"
#include "entry_types.h"
#include "entry_write.h"
#include "retention.h"

/* Write the member, unless the string is absent. */
static void
put_text(struct tf_json *j, const char *key, struct tf_str s)
{
	if (s.p != NULL)
		tf_put_str(j, key, s);
}

/* Does the text of the field stand apart?  No type has both. */
static bool
is_apart(const struct tf_entry *e, const struct tf_entry_field *f)
{
	return e->is_apart &&
	    f ==
	    &tf_entry_fields[e->type == TF_PACKAGE_MADE ? TF_F_TO :
							  TF_F_REASON] &&
	    TF_FIELD_CONST_VALUE(e, f, struct tf_str)->p == NULL;
}

static void
put_apart(struct tf_json *j, const char *key, const struct tf_hash *h)
{
	tf_json_key(j, key);
	tf_json_object(j);
	tf_put_hash(j, "withheld", h);
	tf_json_object_end(j);
}

/* The mode has four octal digits, as the form asks. */
static void
put_access(struct tf_json *j, const struct tf_access *a)
{
	char mode[16];

	(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)a->mode);
	tf_json_object(j);
	tf_put_uint(j, "gid", a->gid);
	put_text(j, "group", a->group);
	tf_json_key(j, "mode");
	tf_json_cstr(j, mode);
	tf_put_uint(j, "uid", a->uid);
	put_text(j, "user", a->user);
	tf_json_object_end(j);
}

static void
put_content(struct tf_json *j, const struct tf_content *c)
{
	tf_json_object(j);
	tf_put_hash(j, "sha256", &c->sha256);
	tf_put_uint(j, "size", c->size);
	tf_json_object_end(j);
}

static void
put_statement(struct tf_json *j, const struct tf_statement_ref *s)
{
	tf_json_object(j);
	put_text(j, "keyid", s->keyid);
	tf_put_hash(j, "pae", &s->pae);
	tf_put_hash(j, "payload", &s->payload);
	put_text(j, "sig", s->sig);
	tf_put_uint(j, "size", s->size);
	tf_json_object_end(j);
}

/* The members of a retention. */
static void
put_retention(struct tf_json *j, const struct tf_retention_ref *r)
{
	put_text(j, "for", r->period);
	put_text(j, "mode", r->mode);
	tf_retention_put_rule(j, r);
	if (r->has_until)
		tf_put_time(j, "until", r->until);
}

/* Write a field that is an object with several members. */
static void
put_object(struct tf_json *j, const struct tf_entry *e,
    const struct tf_entry_field *f)
{
	tf_json_object(j);
	switch (f->as) {
	case TF_AS_BATCH:
		tf_put_uint(j, "first", e->batch_first);
		tf_put_uint(j, "last", e->batch_last);
		break;
	case TF_AS_KEYS:
		put_text(j, "attester", e->key_attester);
		put_text(j, "log", e->key_log);
		break;
	case TF_AS_EVIDENCE:
		tf_put_uint(j, "bytes", e->evidence_bytes);
		tf_put_uint(j, "count", e->evidence_count);
		tf_put_hash(j, "sums", &e->evidence_sums);
		break;
	case TF_AS_CHILDREN:
		tf_put_uint(j, "count", e->children_count);
		tf_put_hash(j, "sums", &e->children_sums);
		break;
	case TF_AS_TEMPLATE:
		tf_put_hash(j, "sha256", &e->template_content.sha256);
		tf_put_uint(j, "size", e->template_content.size);
		tf_put_uint(j, "version", e->template_version);
		break;
	case TF_AS_ENCRYPTION:
		put_text(j, "format", e->encryption_format);
		tf_put_uint(j, "recipients", e->encryption_recipients);
		break;
	case TF_AS_DEFINITION:
		tf_put_str(j, "name", e->definition_name);
		/* FALLTHROUGH */
	case TF_AS_RECIPIENTS:
		tf_put_hash(j, "sha256", &e->definition_content.sha256);
		tf_put_uint(j, "size", e->definition_content.size);
		tf_put_uint(j, "version", e->definition_version);
		break;
	case TF_AS_READS:
		tf_put_uint(j, "count", e->reads_count);
		if (e->reads_lost > 0)
			tf_put_uint(j, "lost", e->reads_lost);
		tf_put_hash(j, "sha256", &e->reads.sha256);
		tf_put_uint(j, "size", e->reads.size);
		break;
	case TF_AS_RETENTION:
		put_retention(j, &e->retention);
		break;
	default: /* TF_AS_TREE */
		tf_put_hash(j, "root", &e->tree_root);
		tf_put_uint(j, "size", e->tree_size);
		break;
	}
	tf_json_object_end(j);
}

/* Members that write their own key come first; the others share one call. */
static void
put_field(struct tf_json *j, const struct tf_entry *e,
    const struct tf_entry_field *f)
{
	switch (f->as) {
	case TF_AS_STRING:
		if (is_apart(e, f))
			put_apart(j, f->key, &e->apart);
		else
			put_text(j, f->key,
			    *TF_FIELD_CONST_VALUE(e, f, struct tf_str));
		return;
	case TF_AS_NUMBER:
		tf_put_uint(j, f->key, *TF_FIELD_CONST_VALUE(e, f, uint64_t));
		return;
	case TF_AS_VERSION:
		tf_put_uint(j, f->key, TF_ENTRY_VERSION);
		return;
	case TF_AS_TIME:
		tf_put_time(j, f->key,
		    *TF_FIELD_CONST_VALUE(e, f, struct tf_time));
		return;
	default:
		break;
	}
	tf_json_key(j, f->key);
	switch (f->as) {
	case TF_AS_RAW:
		tf_json_raw(j, *TF_FIELD_CONST_VALUE(e, f, struct tf_str));
		break;
	case TF_AS_FLAG:
		tf_json_bool(j, *TF_FIELD_CONST_VALUE(e, f, bool));
		break;
	case TF_AS_TYPE:
		tf_json_cstr(j, tf_type_name(e->type));
		break;
	case TF_AS_ACCESS:
		put_access(j, &e->access);
		break;
	case TF_AS_CONTENT:
		put_content(j, TF_FIELD_CONST_VALUE(e, f, struct tf_content));
		break;
	case TF_AS_STATEMENT:
		put_statement(j, &e->statement);
		break;
	default:
		put_object(j, e, f);
		break;
	}
}

/* True if the caller set the field; one without a flag follows its type. */
static bool
present(const struct tf_entry *e, const struct tf_entry_field *f,
    bool mandatory)
{
	if (f->as == TF_AS_STRING || f->as == TF_AS_RAW)
		return is_apart(e, f) ||
		    TF_FIELD_CONST_VALUE(e, f, struct tf_str)->p != NULL;
	if (f->as == TF_AS_KEYS)
		return e->key_log.p != NULL && e->key_attester.p != NULL;
	if (f->has != 0)
		return *(const bool *)((const char *)e + f->has);
	return mandatory;
}

/* The stamp that a field is, or TF_STAMPS if it is none. */
static unsigned
stamp_of(unsigned field)
{
	static const unsigned fields_of[TF_STAMPS] = {
		[TF_STAMP_AT] = TF_F_AT,
		[TF_STAMP_BATCH] = TF_F_BATCH,
		[TF_STAMP_CLOCK] = TF_F_CLOCK,
		[TF_STAMP_GROWN] = TF_F_GROWN,
		[TF_STAMP_SEQ] = TF_F_SEQ,
	};
	unsigned s = 0;

	while (s < TF_STAMPS && fields_of[s] != field)
		s++;
	return s;
}

/* Encode the fields and note the offsets of the stamps in p, unless NULL. */
static enum tf_code
put_entry(struct tf_json *j, const struct tf_entry *e,
    struct tf_prepared_entry *p, struct tf_error *err)
{
	const struct tf_entry_type *type = &tf_entry_types[e->type];
	tf_field_set must = type->must | TF_FIELDS_ALWAYS;
	tf_field_set may = must | type->may | TF_FIELDS_SOMETIMES;

	tf_json_object(j);
	for (unsigned i = 0; i < TF_FIELDS; i++) {
		tf_field_set bit = TF_BIT_AT(i);
		size_t start = j->out->n;
		unsigned stamp = stamp_of(i);

		if (present(e, &tf_entry_fields[i], (must & bit) != 0)) {
			if (may & bit)
				put_field(j, e, &tf_entry_fields[i]);
			else if (!(bit & TF_FIELDS_SHARED))
				return tf_fail(err, TF_INVALID,
				    "entry: %s has no %s", type->name,
				    tf_entry_fields[i].key);
		} else if (must & bit) {
			return tf_fail(err, TF_INVALID, "entry: %s lacks %s",
			    type->name, tf_entry_fields[i].key);
		}
		if (p != NULL && stamp < TF_STAMPS) {
			p->stamp[stamp].start = start;
			p->stamp[stamp].end = j->out->n;
		}
	}
	tf_json_object_end(j);
	return tf_json_end(j, err);
}

/* The limit of the schema and of table entry in the database. */
static enum tf_code
check_length(size_t n, struct tf_error *err)
{
	if (n > TF_ENTRY_MAX)
		return tf_fail(err, TF_TOOBIG, "entry: of %zu bytes", n);
	return TF_OK;
}

enum tf_code
tf_entry_check(const char *bytes, size_t n, struct tf_error *err)
{
	struct tf_entry_decoded d;
	enum tf_code rc = check_length(n, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_entry_decode(&d, bytes, n, err);
	tf_entry_decoded_free(&d);
	return rc;
}

/*
 * Both ways to make an entry come here, so both are decoded before they count.
 */
static enum tf_code
encode(const struct tf_entry *e, struct tf_buf *out,
    struct tf_prepared_entry *p, struct tf_error *err)
{
	struct tf_json j;
	size_t start = out->n;
	enum tf_code rc;

	if ((unsigned)e->type <= TF_TYPE_UNKNOWN ||
	    (unsigned)e->type >= TF_TYPES || e->v > TF_ENTRY_VERSION)
		return tf_fail(err, TF_INVALID, "entry: no type to write");
	tf_json_begin(&j, out);
	if ((rc = put_entry(&j, e, p, err)) != TF_OK)
		return rc;
	return tf_entry_check(out->p + start, out->n - start, err);
}

enum tf_code
tf_entry_encode(const struct tf_entry *e, struct tf_buf *out,
    struct tf_error *err)
{
	return encode(e, out, NULL, err);
}

enum tf_code
tf_entry_prepare(const struct tf_entry *e, struct tf_prepared_entry *out,
    struct tf_error *err)
{
	struct tf_entry all = *e;

	/* Encode every stamp, so that each one gets an offset. */
	all.seq = 0;
	all.has_batch = all.has_clock = true;
	all.has_grown = e->type == TF_EVIDENCE_SEALED;
	all.grown = 0;
	all.batch_first = all.batch_last = 0;
	all.at = (struct tf_time){ 0, 0 };
	all.clock = (struct tf_time){ 0, 1 };
	return encode(&all, &out->text, out, err);
}

/* Each stamp but the first brings the comma before it. */
static void
add_stamp(struct tf_buf *out, const struct tf_entry *e, unsigned stamp)
{
	char text[TF_TIME_LEN + 1];

	switch (stamp) {
	case TF_STAMP_AT:
		tf_time_text(e->at, text);
		tf_buf_str(out, "\"at\":\"");
		tf_buf_str(out, text);
		tf_buf_str(out, "\"");
		break;
	case TF_STAMP_BATCH:
		if (e->has_batch)
			tf_buf_printf(out,
			    ",\"batch\":{\"first\":%llu,\"last\":%llu}",
			    (unsigned long long)e->batch_first,
			    (unsigned long long)e->batch_last);
		break;
	case TF_STAMP_CLOCK:
		if (!e->has_clock)
			break;
		tf_time_text(e->clock, text);
		tf_buf_str(out, ",\"clock\":\"");
		tf_buf_str(out, text);
		tf_buf_str(out, "\"");
		break;
	case TF_STAMP_GROWN:
		if (e->has_grown)
			tf_buf_printf(out, ",\"grown\":%llu",
			    (unsigned long long)e->grown);
		break;
	default: /* TF_STAMP_SEQ */
		tf_buf_printf(out, ",\"seq\":%llu", (unsigned long long)e->seq);
	}
}

/* The decoder does not run on a completed entry: check its stamps here. */
static enum tf_code
check_stamps(const struct tf_entry *e, struct tf_error *err)
{
	if (e->seq > (uint64_t)TF_JSON_MAX ||
	    (e->has_grown && e->grown >= e->seq) ||
	    (e->has_clock && tf_time_cmp(e->at, e->clock) == 0) ||
	    (e->has_batch &&
		(e->batch_first > e->seq || e->seq > e->batch_last ||
		    e->batch_last > (uint64_t)TF_JSON_MAX)))
		return tf_fail(err, TF_INVALID, "entry: stamps of no entry");
	return TF_OK;
}

enum tf_code
tf_entry_complete(const struct tf_prepared_entry *p,
    const struct tf_entry *stamps, struct tf_buf *out, struct tf_error *err)
{
	size_t start = out->n, from = 0;
	enum tf_code rc = check_stamps(stamps, err);

	if (rc != TF_OK)
		return rc;
	for (unsigned s = 0; s < TF_STAMPS; s++) {
		tf_buf_add(out, p->text.p + from, p->stamp[s].start - from);
		/* The first member has no comma; only at can be first. */
		if (s == TF_STAMP_AT && p->stamp[s].start > 1)
			tf_buf_str(out, ",");
		add_stamp(out, stamps, s);
		from = p->stamp[s].end;
	}
	tf_buf_add(out, p->text.p + from, p->text.n - from);
	if ((rc = tf_buf_end(out, err)) != TF_OK)
		return rc;
	return check_length(out->n - start, err);
}

void
tf_prepared_entry_free(struct tf_prepared_entry *p)
{
	tf_buf_free(&p->text);
	memset(p, 0, sizeof(*p));
}
