/*
 * Entries: a table of fields in the order of their keys, a table of types, and
 * the only encoder and decoder, which both follow these tables (I1, I5).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "entry.h"
#include "fields.h"
#include "merkle.h"

/* How struct tf_entry stores a value. */
enum keep {
	STRING,
	RAW,
	NUMBER,
	FLAG,
	TIME,
	CONTENT, /* one member each */
	VERSION,
	TYPE,
	BATCH,
	ACCESS,
	KEYS,
	EVIDENCE,
	STATEMENT,
	CHILDREN,
	TEMPLATE,
	TREE,
};

struct field {
	const char *key;
	enum tf_form form;
	enum keep keep;
	size_t at;  /* offset of the value */
	size_t has; /* offset of the has_* flag; 0: none, see present */
};

#define AT(member) offsetof(struct tf_entry, member)

/* The fields in the order of their keys; template has a line for each form. */
enum field_id {
	F_ACCESS,
	F_ACTOR,
	F_AT,
	F_ATTESTATIONS,
	F_BATCH,
	F_BOOT,
	F_CAUSE,
	F_CLAIMANTS,
	F_CLAIMS,
	F_CLOCK,
	F_COMPLIANT,
	F_CONTENT,
	F_COUNT,
	F_CREATED,
	F_CTIME,
	F_DENIED,
	F_DRAFT,
	F_EVALUATED,
	F_EVIDENCE,
	F_EXPECTED,
	F_HOLD,
	F_HOST,
	F_IMPORTED,
	F_KEYS,
	F_MTIME,
	F_NEW,
	F_NODE,
	F_OLD,
	F_OPTIONS,
	F_ORIGIN,
	F_PACKAGE,
	F_PATH,
	F_PREVIOUS,
	F_PROGRAM,
	F_REASON,
	F_SEQ,
	F_SOFTWARE,
	F_SOURCE,
	F_STATEMENT,
	F_STORE,
	F_TARGET,
	F_TEMPLATE_VERSION,
	F_TEMPLATE,
	F_TREE,
	F_TYPE,
	F_UNTIL,
	F_USE,
	F_V,
	F_WHAT,
	F_WORKFLOWS,
	F_WRITERS,
	F_XATTRS,
	FIELDS
};

static const struct field fields[FIELDS] = {
	[F_ACCESS] = { "access", TF_FORM_ACCESS, ACCESS, AT(access),
	    AT(has_access) },
	[F_ACTOR] = { "actor", TF_FORM_ACTOR, RAW, AT(actor), 0 },
	[F_AT] = { "at", TF_FORM_TIME, TIME, AT(at), 0 },
	[F_ATTESTATIONS] = { "attestations", TF_FORM_CHILDREN, CHILDREN,
	    AT(children_count), AT(has_children) },
	[F_BATCH] = { "batch", TF_FORM_BATCH, BATCH, AT(batch_first),
	    AT(has_batch) },
	[F_BOOT] = { "boot", TF_FORM_BOOT, STRING, AT(boot), 0 },
	[F_CAUSE] = { "cause", TF_FORM_WORD, STRING, AT(cause), 0 },
	[F_CLAIMANTS] = { "claimants", TF_FORM_UIDS, RAW, AT(claimants), 0 },
	[F_CLAIMS] = { "claims", TF_FORM_CLAIMS, RAW, AT(claims), 0 },
	[F_CLOCK] = { "clock", TF_FORM_TIME, TIME, AT(clock), AT(has_clock) },
	[F_COMPLIANT] = { "compliant", TF_FORM_BOOL, FLAG, AT(compliant),
	    AT(has_compliant) },
	[F_CONTENT] = { "content", TF_FORM_CONTENT, CONTENT, AT(content),
	    AT(has_content) },
	[F_COUNT] = { "count", TF_FORM_UINT, NUMBER, AT(count), AT(has_count) },
	[F_CREATED] = { "created", TF_FORM_TIME, TIME, AT(created), 0 },
	[F_CTIME] = { "ctime", TF_FORM_TIME, TIME, AT(ctime), 0 },
	[F_DENIED] = { "denied", TF_FORM_UINT, NUMBER, AT(denied),
	    AT(has_denied) },
	[F_DRAFT] = { "draft", TF_FORM_NAME, STRING, AT(draft), 0 },
	[F_EVALUATED] = { "evaluated", TF_FORM_EVALUATED, RAW, AT(evaluated),
	    0 },
	[F_EVIDENCE] = { "evidence", TF_FORM_EVIDENCE, EVIDENCE,
	    AT(evidence_bytes), AT(has_evidence) },
	[F_EXPECTED] = { "expected", TF_FORM_TIME, TIME, AT(expected), 0 },
	[F_HOLD] = { "hold", TF_FORM_HOLD, STRING, AT(hold), 0 },
	[F_HOST] = { "host", TF_FORM_HINT256, STRING, AT(host), 0 },
	[F_IMPORTED] = { "imported", TF_FORM_IMPORTED, RAW, AT(imported), 0 },
	[F_KEYS] = { "keys", TF_FORM_KEYS, KEYS, AT(key_log), 0 },
	[F_MTIME] = { "mtime", TF_FORM_TIME, TIME, AT(mtime), 0 },
	[F_NEW] = { "new", TF_FORM_KEY, STRING, AT(key_new), 0 },
	[F_NODE] = { "node", TF_FORM_NODE, NUMBER, AT(node), AT(has_node) },
	[F_OLD] = { "old", TF_FORM_KEY, STRING, AT(key_old), 0 },
	[F_OPTIONS] = { "options", TF_FORM_OPTIONS, RAW, AT(options), 0 },
	[F_ORIGIN] = { "origin", TF_FORM_ORIGIN, STRING, AT(origin), 0 },
	[F_PACKAGE] = { "package", TF_FORM_CONTENT, CONTENT, AT(package), 0 },
	[F_PATH] = { "path", TF_FORM_PATH, STRING, AT(path), 0 },
	[F_PREVIOUS] = { "previous", TF_FORM_PREVIOUS, RAW, AT(previous), 0 },
	[F_PROGRAM] = { "program", TF_FORM_WORD, STRING, AT(program), 0 },
	[F_REASON] = { "reason", TF_FORM_TEXT2048, STRING, AT(reason), 0 },
	[F_SEQ] = { "seq", TF_FORM_UINT, NUMBER, AT(seq), 0 },
	[F_SOFTWARE] = { "software", TF_FORM_SOFTWARE, RAW, AT(software), 0 },
	[F_SOURCE] = { "source", TF_FORM_SOURCE, RAW, AT(source), 0 },
	[F_STATEMENT] = { "statement", TF_FORM_STATEMENT, STATEMENT,
	    AT(statement), AT(has_evidence) },
	[F_STORE] = { "store", TF_FORM_STORE, STRING, AT(store), 0 },
	[F_TARGET] = { "target", TF_FORM_UINT, NUMBER, AT(target),
	    AT(has_target) },
	[F_TEMPLATE_VERSION] = { "template", TF_FORM_POSITIVE, NUMBER,
	    AT(template_version), AT(has_template) },
	[F_TEMPLATE] = { "template", TF_FORM_TEMPLATE, TEMPLATE,
	    AT(template_content), AT(has_template) },
	[F_TREE] = { "tree", TF_FORM_TREE, TREE, AT(tree_root), 0 },
	[F_TYPE] = { "type", TF_FORM_TYPE, TYPE, AT(type_name), 0 },
	[F_UNTIL] = { "until", TF_FORM_TIME, TIME, AT(until), AT(has_until) },
	[F_USE] = { "use", TF_FORM_WORD, STRING, AT(use), 0 },
	[F_V] = { "v", TF_FORM_POSITIVE, VERSION, AT(v), 0 },
	[F_WHAT] = { "what", TF_FORM_WORD, STRING, AT(what), 0 },
	[F_WORKFLOWS] = { "workflows", TF_FORM_CHILDREN, CHILDREN,
	    AT(children_count), AT(has_children) },
	[F_WRITERS] = { "writers", TF_FORM_UIDS, RAW, AT(writers), 0 },
	[F_XATTRS] = { "xattrs", TF_FORM_XATTRS, RAW, AT(xattrs), 0 },
};

#define B(id) ((uint64_t)1 << (F_##id))

#define ALWAYS (B(AT) | B(ORIGIN) | B(SEQ) | B(TYPE) | B(V))
#define SOMETIMES (B(ACTOR) | B(BATCH) | B(CAUSE) | B(CLOCK) | B(IMPORTED))
#define COMMON (ALWAYS | SOMETIMES | B(NODE) | B(PATH))
/* Fields that share one member of the struct. */
#define SHARED \
	(B(ATTESTATIONS) | B(WORKFLOWS) | B(TEMPLATE) | B(TEMPLATE_VERSION))

#define DEEP 1024 /* names; no path has more */

struct type {
	const char *name;
	uint64_t must, may; /* fields besides ALWAYS and SOMETIMES */
	int least, most;    /* names in its path */
	bool daemon;	    /* the actor may be absent with any cause */
};

static const struct type types[TF_TYPES] = {
	[TF_TYPE_UNKNOWN] = { "", 0, B(NODE) | B(PATH), 0, DEEP, true },
	[TF_LEDGER_OPENED] = { "ledger.opened",
	    B(BOOT) | B(HOST) | B(KEYS) | B(PROGRAM) | B(SOFTWARE) | B(STORE),
	    B(ACCESS) | B(OPTIONS) | B(PREVIOUS), 0, 0, true },
	[TF_LEDGER_CLOSED] = { "ledger.closed", B(REASON), B(DENIED), 0, 0,
	    true },
	[TF_TRAIL_CREATED] = { "trail.created", B(ACCESS) | B(NODE) | B(PATH),
	    0, 1, 1, false },
	[TF_WORKFLOW_BEGUN] = { "workflow.begun", B(ACCESS) | B(NODE) | B(PATH),
	    B(TEMPLATE_VERSION), 2, 2, false },
	[TF_ATTESTATION_BEGUN] = { "attestation.begun",
	    B(ACCESS) | B(NODE) | B(PATH), 0, 3, 3, false },
	[TF_DIRECTORY_CREATED] = { "directory.created", B(NODE) | B(PATH),
	    B(ACCESS), 4, DEEP, false },
	[TF_EVIDENCE_SEALED] = { "evidence.sealed",
	    B(ACCESS) | B(CONTENT) | B(CREATED) | B(CTIME) | B(MTIME) |
		B(NODE) | B(PATH),
	    B(WRITERS) | B(XATTRS), 4, DEEP, false },
	[TF_EVIDENCE_INTERRUPTED] = { "evidence.interrupted",
	    B(CONTENT) | B(DRAFT) | B(PATH), 0, 4, DEEP, false },
	[TF_ATTESTATION_SEALED] = { "attestation.sealed",
	    B(EVIDENCE) | B(PATH) | B(STATEMENT),
	    B(ACCESS) | B(CLAIMANTS) | B(CLAIMS) | B(EVALUATED), 3, 3, false },
	[TF_WORKFLOW_SEALED] = { "workflow.sealed", B(ATTESTATIONS) | B(PATH),
	    B(ACCESS), 2, 2, false },
	[TF_TRAIL_SEALED] = { "trail.sealed", B(PATH) | B(WORKFLOWS), B(ACCESS),
	    1, 1, false },
	[TF_TEMPLATE_SET] = { "template.set", B(PATH) | B(TEMPLATE), 0, 1, 1,
	    false },
	[TF_ATTESTATION_OVERRIDDEN] = { "attestation.overridden",
	    B(COMPLIANT) | B(PATH) | B(REASON) | B(TARGET), 0, 3, 3, false },
	[TF_ACCESS_CHANGED] = { "access.changed", B(ACCESS) | B(PATH), B(NODE),
	    0, DEEP, false },
	[TF_PACKAGE_MADE] = { "package.made", B(PACKAGE) | B(PATH) | B(TREE), 0,
	    0, DEEP, false },
	[TF_REDACTION_DONE] = { "redaction.done",
	    B(CONTENT) | B(PATH) | B(REASON) | B(TARGET) | B(WHAT), 0, 1, DEEP,
	    false },
	[TF_HOLD_PLACED] = { "hold.placed", B(HOLD) | B(PATH) | B(REASON),
	    B(UNTIL), 0, DEEP, false },
	[TF_HOLD_RELEASED] = { "hold.released", B(HOLD) | B(PATH) | B(REASON),
	    0, 0, DEEP, false },
	[TF_KEY_ROTATED] = { "key.rotated", B(NEW) | B(OLD) | B(USE), 0, 0, 0,
	    false },
	[TF_CLOCK_JUMPED] = { "clock.jumped", B(EXPECTED), 0, 0, 0, true },
	[TF_IMPORT_DONE] = { "import.done", B(COUNT) | B(PATH) | B(SOURCE), 0,
	    1, 1, false },
};

const char *
tf_type_name(enum tf_type t)
{
	return (unsigned)t < TF_TYPES ? types[t].name : "";
}

static bool
equals(struct tf_str s, const char *with)
{
	return s.n == strlen(with) && memcmp(s.p, with, s.n) == 0;
}

static enum tf_type
type_of(struct tf_str name)
{
	for (unsigned t = TF_TYPE_UNKNOWN + 1; t < TF_TYPES; t++) {
		if (equals(name, types[t].name))
			return t;
	}
	return TF_TYPE_UNKNOWN;
}

/* The value of a field that is stored in one member. */
#define VALUE(e, f, as) ((as *)((char *)(e) + (f)->at))
#define CONST_VALUE(e, f, as) ((const as *)((const char *)(e) + (f)->at))

/* --- encoding ----------------------------------------------------------- */

/* Write the member, unless the string is absent. */
static void
put_text(struct tf_json *j, const char *key, struct tf_str s)
{
	if (s.p != NULL)
		tf_put_str(j, key, s);
}

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

/* Write a field that is an object with several members. */
static void
put_object(struct tf_json *j, const struct tf_entry *e, const struct field *f)
{
	tf_json_object(j);
	switch (f->keep) {
	case BATCH:
		tf_put_uint(j, "first", e->batch_first);
		tf_put_uint(j, "last", e->batch_last);
		break;
	case KEYS:
		put_text(j, "attester", e->key_attester);
		put_text(j, "log", e->key_log);
		break;
	case EVIDENCE:
		tf_put_uint(j, "bytes", e->evidence_bytes);
		tf_put_uint(j, "count", e->evidence_count);
		tf_put_hash(j, "sums", &e->evidence_sums);
		break;
	case CHILDREN:
		tf_put_uint(j, "count", e->children_count);
		tf_put_hash(j, "sums", &e->children_sums);
		break;
	case TEMPLATE:
		tf_put_hash(j, "sha256", &e->template_content.sha256);
		tf_put_uint(j, "size", e->template_content.size);
		tf_put_uint(j, "version", e->template_version);
		break;
	default: /* TREE */
		tf_put_hash(j, "root", &e->tree_root);
		tf_put_uint(j, "size", e->tree_size);
		break;
	}
	tf_json_object_end(j);
}

static void
put_field(struct tf_json *j, const struct tf_entry *e, const struct field *f)
{
	switch (f->keep) {
	case STRING:
		put_text(j, f->key, *CONST_VALUE(e, f, struct tf_str));
		return;
	case NUMBER:
		tf_put_uint(j, f->key, *CONST_VALUE(e, f, uint64_t));
		return;
	case VERSION:
		tf_put_uint(j, f->key, TF_ENTRY_VERSION);
		return;
	case TIME:
		tf_put_time(j, f->key, *CONST_VALUE(e, f, struct tf_time));
		return;
	default:
		break;
	}
	tf_json_key(j, f->key);
	switch (f->keep) {
	case RAW:
		tf_json_raw(j, *CONST_VALUE(e, f, struct tf_str));
		break;
	case FLAG:
		tf_json_bool(j, *CONST_VALUE(e, f, bool));
		break;
	case TYPE:
		tf_json_cstr(j, tf_type_name(e->type));
		break;
	case ACCESS:
		put_access(j, &e->access);
		break;
	case CONTENT:
		put_content(j, CONST_VALUE(e, f, struct tf_content));
		break;
	case STATEMENT:
		put_statement(j, &e->statement);
		break;
	default:
		put_object(j, e, f);
		break;
	}
}

/* True if the caller set the field; one without a flag follows its type. */
static bool
present(const struct tf_entry *e, const struct field *f, bool wanted)
{
	if (f->keep == STRING || f->keep == RAW)
		return CONST_VALUE(e, f, struct tf_str)->p != NULL;
	if (f->keep == KEYS)
		return e->key_log.p != NULL && e->key_attester.p != NULL;
	if (f->has != 0)
		return *(const bool *)((const char *)e + f->has);
	return wanted;
}

/* The stamp that a field is, or TF_STAMPS if it is none. */
static unsigned
stamp_of(unsigned field)
{
	static const unsigned fields_of[TF_STAMPS] = {
		[TF_STAMP_AT] = F_AT,
		[TF_STAMP_BATCH] = F_BATCH,
		[TF_STAMP_CLOCK] = F_CLOCK,
		[TF_STAMP_SEQ] = F_SEQ,
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
	const struct type *type = &types[e->type];
	uint64_t must = type->must | ALWAYS;
	uint64_t may = must | type->may | SOMETIMES;

	tf_json_object(j);
	for (unsigned i = 0; i < FIELDS; i++) {
		uint64_t bit = (uint64_t)1 << i;
		size_t start = j->out->n;
		unsigned stamp = stamp_of(i);

		if (present(e, &fields[i], (must & bit) != 0)) {
			if (may & bit)
				put_field(j, e, &fields[i]);
			else if (!(bit & SHARED))
				return tf_fail(err, TF_INVALID,
				    "entry: %s has no %s", type->name,
				    fields[i].key);
		} else if (must & bit) {
			return tf_fail(err, TF_INVALID, "entry: %s lacks %s",
			    type->name, fields[i].key);
		}
		if (p != NULL && stamp < TF_STAMPS) {
			p->stamp[stamp].start = start;
			p->stamp[stamp].end = j->out->n;
		}
	}
	tf_json_object_end(j);
	return tf_json_end(j, err);
}

static enum tf_code
check_length(size_t n, struct tf_error *err)
{
	if (n > TF_ENTRY_MAX)
		return tf_fail(err, TF_TOOBIG, "entry: of %zu bytes", n);
	return TF_OK;
}

static enum tf_code
encode(const struct tf_entry *e, struct tf_buf *out,
    struct tf_prepared_entry *p, struct tf_error *err)
{
	struct tf_entry_decoded d;
	struct tf_json j;
	size_t start = out->n;
	enum tf_code rc;

	if ((unsigned)e->type <= TF_TYPE_UNKNOWN ||
	    (unsigned)e->type >= TF_TYPES || e->v > TF_ENTRY_VERSION)
		return tf_fail(err, TF_INVALID, "entry: no type to write");
	tf_json_begin(&j, out);
	if ((rc = put_entry(&j, e, p, err)) != TF_OK ||
	    (rc = check_length(out->n - start, err)) != TF_OK)
		return rc;
	/* Decode the result: no entry is written that a reader would refuse. */
	rc = tf_entry_decode(&d, out->p + start, out->n - start, err);
	tf_entry_decoded_free(&d);
	return rc;
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
	all.batch_first = all.batch_last = 0;
	all.at = (struct tf_time){ 0, 0 };
	all.clock = (struct tf_time){ 0, 1 };
	return encode(&all, &out->text, out, err);
}

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
	default: /* TF_STAMP_SEQ */
		tf_buf_printf(out, ",\"seq\":%llu", (unsigned long long)e->seq);
	}
}

/* The decoder does not run on a completed entry: check its stamps here. */
static enum tf_code
check_stamps(const struct tf_entry *e, struct tf_error *err)
{
	if (e->seq > (uint64_t)TF_JSON_MAX ||
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

/* --- decoding ----------------------------------------------------------- */

/* Unescape a string and add a NUL, in storage that is never reallocated. */
static struct tf_str
take_string(struct tf_entry_decoded *d, int t)
{
	struct tf_str s = tf_json_text(&d->doc, t);
	char *to = d->text.p + d->text.n;
	long n = tf_form_unescape(s.p + 1, s.n - 2, to,
	    d->text.cap - d->text.n - 1);

	if (n < 0) /* impossible: the storage has room for the whole text */
		return (struct tf_str){ NULL, 0 };
	to[n] = '\0';
	d->text.n += (size_t)n + 1;
	return (struct tf_str){ to, (size_t)n };
}

static struct tf_str
take_member(struct tf_entry_decoded *d, int obj, const char *key)
{
	int t = tf_json_get(&d->doc, obj, key);

	return t < 0 ? (struct tf_str){ NULL, 0 } : take_string(d, t);
}

static uint64_t
take_uint(struct tf_entry_decoded *d, int obj, const char *key)
{
	int t = tf_json_get(&d->doc, obj, key);

	return t < 0 ? 0 : (uint64_t)d->doc.tok[t].num;
}

static void
take_hash(struct tf_entry_decoded *d, int obj, const char *key,
    struct tf_hash *out)
{
	struct tf_str s = tf_json_text(&d->doc, tf_json_get(&d->doc, obj, key));

	if (s.p)
		(void)tf_unhex(s.p + 1, s.n - 2, out->b, sizeof(out->b));
}

static void
take_time(struct tf_entry_decoded *d, int t, struct tf_time *out)
{
	struct tf_str s = tf_json_text(&d->doc, t);

	(void)tf_time_parse(s.p + 1, s.n - 2, out);
}

static void
take_content(struct tf_entry_decoded *d, int t, struct tf_content *out)
{
	take_hash(d, t, "sha256", &out->sha256);
	out->size = take_uint(d, t, "size");
}

static void
take_access(struct tf_entry_decoded *d, int t, struct tf_access *out)
{
	struct tf_str mode = tf_json_text(&d->doc,
	    tf_json_get(&d->doc, t, "mode"));

	out->uid = (uint32_t)take_uint(d, t, "uid");
	out->gid = (uint32_t)take_uint(d, t, "gid");
	out->mode = 0;
	for (size_t i = 1; i + 1 < mode.n; i++)
		out->mode = out->mode << 3 | (uint32_t)(mode.p[i] - '0');
	out->user = take_member(d, t, "user");
	out->group = take_member(d, t, "group");
}

static void
take_statement(struct tf_entry_decoded *d, int t, struct tf_statement_ref *out)
{
	take_hash(d, t, "payload", &out->payload);
	take_hash(d, t, "pae", &out->pae);
	out->size = take_uint(d, t, "size");
	out->keyid = take_member(d, t, "keyid");
	out->sig = take_member(d, t, "sig");
}

static void
take_object(struct tf_entry_decoded *d, int t, const struct field *f)
{
	struct tf_entry *e = &d->e;

	switch (f->keep) {
	case BATCH:
		e->batch_first = take_uint(d, t, "first");
		e->batch_last = take_uint(d, t, "last");
		break;
	case KEYS:
		e->key_attester = take_member(d, t, "attester");
		e->key_log = take_member(d, t, "log");
		break;
	case EVIDENCE:
		e->evidence_bytes = take_uint(d, t, "bytes");
		e->evidence_count = take_uint(d, t, "count");
		take_hash(d, t, "sums", &e->evidence_sums);
		break;
	case CHILDREN:
		e->children_count = take_uint(d, t, "count");
		take_hash(d, t, "sums", &e->children_sums);
		break;
	case TEMPLATE:
		take_content(d, t, &e->template_content);
		e->template_version = take_uint(d, t, "version");
		break;
	default: /* TREE */
		take_hash(d, t, "root", &e->tree_root);
		e->tree_size = take_uint(d, t, "size");
		break;
	}
}

/* Store a value whose form was checked. */
static void
take_field(struct tf_entry_decoded *d, int t, const struct field *f)
{
	struct tf_entry *e = &d->e;

	if (f->has != 0)
		*(bool *)((char *)e + f->has) = true;
	switch (f->keep) {
	case STRING:
	case TYPE:
		/* A withheld text stays absent. */
		if (d->doc.tok[t].type == TF_JSON_STRING)
			*VALUE(e, f, struct tf_str) = take_string(d, t);
		break;
	case RAW:
		*VALUE(e, f, struct tf_str) = tf_json_text(&d->doc, t);
		break;
	case NUMBER:
	case VERSION:
		*VALUE(e, f, uint64_t) = (uint64_t)d->doc.tok[t].num;
		break;
	case FLAG:
		*VALUE(e, f, bool) = d->doc.tok[t].num != 0;
		break;
	case TIME:
		take_time(d, t, VALUE(e, f, struct tf_time));
		break;
	case CONTENT:
		take_content(d, t, VALUE(e, f, struct tf_content));
		break;
	case ACCESS:
		take_access(d, t, &e->access);
		break;
	case STATEMENT:
		take_statement(d, t, &e->statement);
		break;
	default:
		take_object(d, t, f);
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

/* Find the field with this key among those in may, or NULL. */
static const struct field *
find_field(struct tf_str key, uint64_t may)
{
	unsigned lo = 0, hi = FIELDS;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		const char *k = fields[mid].key;
		size_t n = strlen(k);
		int c = memcmp(k, key.p, n < key.n ? n : key.n);

		if (c == 0 && n == key.n) {
			/* The search may find either line of template. */
			if (mid == F_TEMPLATE_VERSION && may & B(TEMPLATE))
				mid = F_TEMPLATE;
			else if (mid == F_TEMPLATE && !(may & B(TEMPLATE)))
				mid = F_TEMPLATE_VERSION;
			return may >> mid & 1 ? &fields[mid] : NULL;
		}
		if (c < 0 || (c == 0 && n < key.n))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Find the type first: it decides which fields are known. */
static enum tf_type
look_ahead(const struct tf_json_doc *doc)
{
	int v = tf_json_get(doc, 0, "v");
	int t = tf_json_get(doc, 0, "type");
	struct tf_str s = tf_json_text(doc, t);

	if (v < 0 || doc->tok[v].num != TF_ENTRY_VERSION || !s.p || s.n < 2)
		return TF_TYPE_UNKNOWN;
	return type_of((struct tf_str){ s.p + 1, s.n - 2 });
}

static enum tf_code
take_fields(struct tf_entry_decoded *d, const struct type *type,
    struct tf_error *err)
{
	const struct tf_json_doc *doc = &d->doc;
	uint64_t must = type->must | ALWAYS, seen = 0;
	uint64_t may = must | type->may | COMMON;

	for (int t = 1; t < (int)doc->n; t = (int)doc->tok[t].next) {
		struct tf_str key = { doc->text + doc->tok[t].key_off,
			doc->tok[t].key_len };
		const struct field *f = find_field(key, may);

		if (!key_ok(key.p, key.n))
			return tf_fail(err, TF_INVALID,
			    "entry: a key that is no key");
		if (!f)
			continue;
		if (!tf_form_ok(doc, t, f->form))
			return tf_fail(err, TF_INVALID,
			    "entry: %s is not of its kind", f->key);
		take_field(d, t, f);
		seen |= (uint64_t)1 << (f - fields);
	}
	for (unsigned i = 0; i < FIELDS; i++) {
		if ((must & ~seen) >> i & 1)
			return tf_fail(err, TF_INVALID, "entry: %s lacks %s",
			    *type->name ? type->name : "it", fields[i].key);
	}
	return TF_OK;
}

static enum tf_form
key_form(struct tf_str use)
{
	if (equals(use, "log"))
		return TF_FORM_VKEY;
	return equals(use, "attester") ? TF_FORM_SPKI : TF_FORM_KEY;
}

/* Check the rules over more than one field; the broken rule or NULL. */
static const char *
common_sense(const struct tf_entry_decoded *d, const struct type *type)
{
	const struct tf_entry *e = &d->e;

	if (e->has_clock && tf_time_cmp(e->at, e->clock) == 0)
		return "clock equals at";
	if (e->has_batch && (e->batch_first > e->seq || e->seq > e->batch_last))
		return "not in its batch";
	if (!e->actor.p && !e->cause.p && !type->daemon)
		return "nobody did it";
	if (e->path.p) {
		int depth = tf_path_depth(e->path.p, e->path.n);

		if (depth < type->least || depth > type->most)
			return "a path of another level";
	}
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
forget_stray(struct tf_entry *e, const struct type *type)
{
	if (!((type->must | type->may) & B(PATH)))
		e->path = (struct tf_str){ NULL, 0 };
	if (!((type->must | type->may) & B(NODE))) {
		e->has_node = false;
		e->node = 0;
	}
}

enum tf_code
tf_entry_decode(struct tf_entry_decoded *d, const char *bytes, size_t n,
    struct tf_error *err)
{
	const struct type *type;
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
	d->e.type = look_ahead(&d->doc);
	type = &types[d->e.type];
	if ((rc = take_fields(d, type, err)) != TF_OK)
		return rc;
	forget_stray(&d->e, type);
	if ((why = common_sense(d, type)))
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

/* --- parts of entries ---------------------------------------------------- */

struct tf_time
tf_entry_when(const struct tf_entry *e, bool *moved)
{
	const struct tf_time when = e->has_clock ? e->clock : e->at;

	*moved = tf_time_cmp(tf_time_add_ns(when, 1000000000), e->at) <= 0 ||
	    tf_time_cmp(tf_time_add_ns(e->at, 1000000000), when) <= 0;
	return when;
}

void
tf_entry_leaf(const void *bytes, size_t n, struct tf_hash *out)
{
	tf_merkle_leaf(bytes, n, out);
}

size_t
tf_hint(char *out, size_t max, const char *bytes, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n;) {
		uint32_t c = 0;
		unsigned len = tf_utf8(bytes + i, n - i, &c);
		bool plain = len > 0 && c >= 0x20 && c != '%' && c != '"' &&
		    c != '\\' && !(c >= 0x7f && c < 0xa0);

		if (len == 0)
			len = 1;
		if (max - at < (plain ? len : 3 * len)) {
			at = 0;
			break;
		}
		for (unsigned k = 0; k < len; k++) {
			if (plain) {
				out[at++] = bytes[i + k];
				continue;
			}
			(void)snprintf(out + at, 4, "%%%02X",
			    (uint8_t)bytes[i + k]);
			at += 3;
		}
		i += len;
	}
	out[at] = '\0';
	return at;
}

#define HINT_MAX 512 /* of an actor */

static void
put_hint(struct tf_json *j, const char *key, const char *bytes, size_t size,
    size_t max)
{
	char hint[HINT_MAX + 1];
	size_t n = tf_hint(hint, max, bytes, strnlen(bytes, size));

	if (n > 0)
		tf_put_str(j, key, (struct tf_str){ hint, n });
}

/* The kernel's audit uses the largest number for "unset". */
static bool
audit_id_set(int64_t id)
{
	return id >= 0 && id < UINT32_MAX;
}

static void
put_actor_hints(struct tf_json *j, const struct tf_actor *a)
{
	struct tf_buf b = { 0 };
	struct tf_json h;

	tf_json_begin(&h, &b);
	tf_json_object(&h);
	put_hint(&h, "cgroup", a->cgroup, sizeof(a->cgroup), 512);
	put_hint(&h, "comm", a->comm, sizeof(a->comm), 48);
	put_hint(&h, "exe", a->exe, sizeof(a->exe), 512);
	if (audit_id_set(a->loginuid))
		tf_put_uint(&h, "loginuid", (uint64_t)a->loginuid);
	if (audit_id_set(a->session))
		tf_put_uint(&h, "session", (uint64_t)a->session);
	tf_json_object_end(&h);
	/* tf_json_end refuses an object without members: leave hints out. */
	if (tf_json_end(&h, NULL) == TF_OK) {
		tf_json_key(j, "hints");
		tf_json_raw(j, (struct tf_str){ b.p, b.n });
	}
	if (b.failed)
		j->out->failed = true;
	tf_buf_free(&b);
}

void
tf_actor_json(struct tf_buf *out, const struct tf_actor *a, const char *user,
    const char *group)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_uint(&j, "gid", a->gid);
	put_hint(&j, "group", group, strlen(group), 256);
	put_actor_hints(&j, a);
	if (a->pid != 0)
		tf_put_uint(&j, "pid", a->pid);
	tf_put_uint(&j, "uid", a->uid);
	put_hint(&j, "user", user, strlen(user), 256);
	tf_json_object_end(&j);
	if (tf_json_end(&j, NULL) != TF_OK)
		out->failed = true;
}

void
tf_sums_line(struct tf_buf *out, const struct tf_hash *h, const char *name,
    size_t n)
{
	bool escape = n > 0 && memchr(name, '\\', n) != NULL;
	char hex[2 * sizeof(h->b) + 1];

	tf_hex(h->b, sizeof(h->b), hex);
	tf_buf_str(out, escape ? "\\" : "");
	tf_buf_str(out, hex);
	tf_buf_str(out, "  ");
	for (size_t i = 0; i < n; i++)
		tf_buf_add(out, name[i] == '\\' ? "\\\\" : &name[i],
		    name[i] == '\\' ? 2 : 1);
	tf_buf_str(out, "\n");
}
