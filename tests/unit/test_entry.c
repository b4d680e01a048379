#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/time_text.h"
#include "../../core/ledger/actor_json.h"
#include "../../core/ledger/entry.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/entry_write.h"
#include "../../core/ledger/field_text.h"
#include "../../core/ledger/fields.h"
#include "vectors.h"

static const char *const known_files[] = { "entries-example.jsonl",
	"entries-types.jsonl" };

static enum tf_code
judge(const char *bytes, size_t n)
{
	struct tf_entry_decoded d;
	/* Exactly n bytes: a sanitizer sees one read too many. */
	char *exact = calloc(1, n ? n : 1);
	enum tf_code rc;

	memcpy(exact, bytes, n);
	rc = tf_entry_decode(&d, exact, n, NULL);
	tf_entry_decoded_free(&d);
	free(exact);
	return rc;
}

/* Position of a text in a line, or NULL. */
static const char *
find(struct tf_str line, const char *text)
{
	return memmem(line.p, line.n, text, strlen(text));
}

/* Does the line have this type? */
static bool
is_type(struct tf_str line, const char *type)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "\"type\":\"%s\"", type);
	return find(line, text) != NULL;
}

/* The first line of the vectors of this type that holds text. */
static struct tf_buf
line_of(const char *type, const char *text)
{
	struct tf_buf out = { 0 };

	for (int i = 0; i < 2 && out.n == 0; i++) {
		struct tf_buf file = read_vector(known_files[i]);
		struct tf_str rest = { file.p, file.n }, line;

		while (out.n == 0 && take_line(&rest, &line)) {
			if (is_type(line, type) && find(line, text))
				tf_buf_add(&out, line.p, line.n);
		}
		tf_buf_free(&file);
	}
	ck_assert_msg(out.n > 0, "no %s with %s", type, text);
	return out;
}

/* That line with the first `from` replaced. */
static struct tf_buf
variant(const char *type, const char *from, const char *to)
{
	struct tf_buf line = line_of(type, from), out = { 0 };
	const char *at = find((struct tf_str){ line.p, line.n }, from);

	tf_buf_add(&out, line.p, (size_t)(at - line.p));
	tf_buf_str(&out, to);
	tf_buf_str(&out, at + strlen(from));
	tf_buf_free(&line);
	return out;
}

static void
comes_back(struct tf_str line)
{
	struct tf_entry_decoded d;
	struct tf_buf out = { 0 };
	struct tf_error err = { 0 };

	tf_buf_str(&out, "before");
	ck_assert_msg(tf_entry_decode(&d, line.p, line.n, &err) == TF_OK,
	    "%s: %.*s", err.text, (int)line.n, line.p);
	ck_assert_int_ne(TF_TYPE_UNKNOWN, d.e.type);
	ck_assert_str_eq(tf_type_name(d.e.type), d.e.type_name.p);
	ck_assert_msg(tf_entry_encode(&d.e, &out, &err) == TF_OK, "%s",
	    err.text);
	assert_same(line.p, line.n, out.p + 6, out.n - 6);
	tf_entry_decoded_free(&d);
	tf_buf_free(&out);
}

/* The same bytes, in two steps. */
static void
is_completed(struct tf_str line)
{
	struct tf_prepared_entry p = { 0 };
	struct tf_entry_decoded d;
	struct tf_entry bare;
	struct tf_buf out = { 0 };

	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, line.p, line.n, NULL));
	bare = d.e;
	bare.seq = 7;
	bare.at = bare.clock = (struct tf_time){ 5, 5 };
	bare.has_batch = bare.has_clock = false;
	ck_assert_int_eq(TF_OK, tf_entry_prepare(&bare, &p, NULL));
	tf_buf_str(&out, "before");
	ck_assert_int_eq(TF_OK, tf_entry_complete(&p, &d.e, &out, NULL));
	assert_same(line.p, line.n, out.p + 6, out.n - 6);
	d.e.clock = d.e.at;
	d.e.has_clock = true;
	ck_assert_int_eq(TF_INVALID, tf_entry_complete(&p, &d.e, &out, NULL));
	d.e.has_clock = false;
	d.e.has_batch = true;
	d.e.batch_first = d.e.seq + 1;
	d.e.batch_last = d.e.seq + 2;
	ck_assert_int_eq(TF_INVALID, tf_entry_complete(&p, &d.e, &out, NULL));
	tf_prepared_entry_free(&p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&out);
}

START_TEST(every_line_of_a_known_type_comes_back)
{
	bool seen[TF_TYPES] = { false };

	for (int i = 0; i < 2; i++) {
		struct tf_buf file = read_vector(known_files[i]);
		struct tf_str rest = { file.p, file.n }, line;

		while (take_line(&rest, &line)) {
			comes_back(line);
			is_completed(line);
			for (int t = 1; t < TF_TYPES; t++)
				seen[t] = seen[t] ||
				    is_type(line, tf_type_name(t));
		}
		ck_assert_uint_eq(0, rest.n);
		tf_buf_free(&file);
	}
	for (int t = 1; t < TF_TYPES; t++)
		ck_assert_msg(seen[t], "no line of %s", tf_type_name(t));
}
END_TEST

START_TEST(the_worked_example_has_its_leaves)
{
	struct tf_buf file = read_vector("entries-example.jsonl");
	struct tf_buf leaves = read_vector("entries-example.leaves");
	struct tf_str rest = { file.p, file.n }, line;
	struct tf_str hexes = { leaves.p, leaves.n }, hex;

	while (take_line(&rest, &line)) {
		struct tf_hash h;
		char text[65];

		ck_assert(take_line(&hexes, &hex));
		tf_entry_leaf(line.p, line.n, &h);
		tf_hex(h.b, sizeof(h.b), text);
		assert_same(hex.p, hex.n, text, strlen(text));
	}
	ck_assert_uint_eq(0, hexes.n);
	tf_buf_free(&file);
	tf_buf_free(&leaves);
}
END_TEST

/* An unknown type, an unknown field, a higher version. */
START_TEST(what_comes_later_is_taken_without_effect)
{
	static const enum tf_type types[] = { TF_TYPE_UNKNOWN,
		TF_ATTESTATION_BEGUN, TF_TYPE_UNKNOWN };
	static const unsigned versions[] = { 1, 1, 2 };
	static const char *const names[] = { "evidence.read",
		"attestation.begun", "attestation.begun" };
	struct tf_buf file = read_vector("entries-later.jsonl");
	struct tf_str rest = { file.p, file.n }, line;

	for (int i = 0; i < 3; i++) {
		struct tf_entry_decoded d;
		struct tf_buf out = { 0 };

		ck_assert(take_line(&rest, &line));
		ck_assert_int_eq(TF_OK,
		    tf_entry_decode(&d, line.p, line.n, NULL));
		ck_assert_int_eq(types[i], d.e.type);
		ck_assert_uint_eq(versions[i], d.e.v);
		ck_assert_str_eq(names[i], d.e.type_name.p);
		ck_assert_uint_eq(27 + i, d.e.seq);
		ck_assert_str_eq("example.org/vault", d.e.origin.p);
		ck_assert(d.e.path.p != NULL && d.e.actor.p != NULL);
		if (types[i] == TF_TYPE_UNKNOWN)
			ck_assert_int_eq(TF_INVALID,
			    tf_entry_encode(&d.e, &out, NULL));
		tf_buf_free(&out);
		tf_entry_decoded_free(&d);
	}
	ck_assert_uint_eq(0, rest.n);
	tf_buf_free(&file);
}
END_TEST

START_TEST(every_bad_line_is_refused)
{
	struct tf_buf file = read_vector("entries-bad.txt");
	struct tf_str rest = { file.p, file.n }, line;
	int n = 0;

	for (; take_line(&rest, &line); n++) {
		const char *tab = memchr(line.p, '\t', line.n);
		size_t skip = (size_t)(tab + 1 - line.p);

		ck_assert_ptr_nonnull(tab);
		ck_assert_msg(judge(tab + 1, line.n - skip) == TF_INVALID,
		    "taken: %.*s", (int)(tab - line.p), line.p);
	}
	ck_assert_int_eq(57, n);
	tf_buf_free(&file);
}
END_TEST

START_TEST(an_entry_is_read_field_by_field)
{
	struct tf_buf line = line_of("evidence.sealed", "xattrs");
	struct tf_entry_decoded d;
	const struct tf_entry *e = &d.e;
	char text[TF_TIME_LEN + 1];

	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, line.p, line.n, NULL));
	ck_assert_uint_eq(1, e->v);
	ck_assert_uint_eq(6, e->seq);
	ck_assert_str_eq("example.org/vault", e->origin.p);
	ck_assert_int_eq(TF_EVIDENCE_SEALED, e->type);
	tf_time_text(e->at, text);
	ck_assert_str_eq("2026-11-23T07:51:04.010000001Z", text);
	ck_assert(e->has_clock && e->has_node && !e->has_batch);
	tf_time_text(e->clock, text);
	ck_assert_str_eq("2026-11-23T07:51:04.010000000Z", text);
	ck_assert_uint_eq(6, e->node);
	ck_assert_str_eq("prod-server-access/ecs-execute-command-"
			 "0199bb27be8f354b7/user-identity/event.json",
	    e->path.p);
	ck_assert(e->has_access);
	ck_assert_uint_eq(0640, e->access.mode);
	ck_assert_uint_eq(1000, e->access.uid);
	ck_assert_uint_eq(1000, e->access.gid);
	ck_assert_str_eq("alice", e->access.user.p);
	ck_assert_str_eq("alice", e->access.group.p);
	ck_assert(e->has_content && e->content.size == 17);
	tf_time_text(e->mtime, text);
	ck_assert_str_eq("2026-11-22T23:59:59.000000000Z", text);
	assert_same("{\"mime_type\":\"YXBwbGljYXRpb24vanNvbg==\"}", (size_t)40,
	    e->xattrs.p, e->xattrs.n);
	ck_assert(!e->cause.p && !e->writers.p && !e->claims.p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&line);
}
END_TEST

START_TEST(strings_come_out_unescaped)
{
	struct tf_buf a = line_of("evidence.sealed", "bergabe");
	struct tf_buf b = line_of("attestation.overridden", "reason");
	struct tf_entry_decoded d;

	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, a.p, a.n, NULL));
	ck_assert_ptr_nonnull(strstr(d.e.path.p,
	    "/\xc3\x9c"
	    "bergabe \"7\".txt"));
	tf_entry_decoded_free(&d);
	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, b.p, b.n, NULL));
	ck_assert_str_eq("The failing test is known\nand was waived in "
			 "OPS-1240",
	    d.e.reason.p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&a);
	tf_buf_free(&b);
}
END_TEST

/* May the field be missing in this line? */
static bool
optional(struct tf_str line, const char *key)
{
	static const char *const always[] = { "batch", "claimants", "claims",
		"clock", "denied", "evaluated", "imported", "options",
		"previous", "until", "writers", "xattrs" };

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (strcmp(key, always[i]) == 0)
			return true;
	}
	if (strcmp(key, "actor") == 0)
		return find(line, "\"cause\":") ||
		    is_type(line, "ledger.opened");
	if (strcmp(key, "cause") == 0)
		return find(line, "\"actor\":");
	if (strcmp(key, "node") == 0)
		return is_type(line, "access.changed");
	if (strcmp(key, "template") == 0)
		return is_type(line, "workflow.begun");
	if (strcmp(key, "access") == 0)
		return is_type(line, "ledger.opened") ||
		    is_type(line, "directory.created") ||
		    (find(line, ".sealed\"") &&
			!is_type(line, "evidence.sealed"));
	return false;
}

/* The line without the member at token t, or with another value. */
static struct tf_buf
changed(const struct tf_json_doc *d, int t, const char *value)
{
	const struct tf_json_token *v = &d->tok[t];
	size_t from = value ? v->off : v->key_off - 1;
	size_t to = v->off + v->len;
	struct tf_buf out = { 0 };

	if (!value && d->text[to] == ',')
		to++;
	else if (!value)
		from--;
	tf_buf_add(&out, d->text, from);
	tf_buf_str(&out, value ? value : "");
	tf_buf_add(&out, d->text + to, d->tok[0].len - to);
	return out;
}

/* Call try for each top-level member of each line of the known types. */
static void
each_member(void (*try)(struct tf_str, const struct tf_json_doc *, int,
    const char *))
{
	for (int i = 0; i < 2; i++) {
		struct tf_buf file = read_vector(known_files[i]);
		struct tf_str rest = { file.p, file.n }, line;

		while (take_line(&rest, &line)) {
			struct tf_json_doc d;

			ck_assert_int_eq(TF_OK,
			    tf_json_parse(&d, line.p, line.n, NULL));
			for (int t = 1; t < (int)d.n; t = (int)d.tok[t].next) {
				char key[32];

				(void)snprintf(key, sizeof(key), "%.*s",
				    (int)d.tok[t].key_len,
				    d.text + d.tok[t].key_off);
				try(line, &d, t, key);
			}
			tf_json_doc_free(&d);
		}
		tf_buf_free(&file);
	}
}

static void
try_without(struct tf_str line, const struct tf_json_doc *d, int t,
    const char *key)
{
	struct tf_buf cut = changed(d, t, NULL);

	ck_assert_msg(judge(cut.p, cut.n) ==
		(optional(line, key) ? TF_OK : TF_INVALID),
	    "without %s: %s", key, cut.p);
	tf_buf_free(&cut);
}

START_TEST(mandatory_fields_must_be_there_and_no_others)
{
	each_member(try_without);
}
END_TEST

static void
try_other_kinds(struct tf_str line, const struct tf_json_doc *d, int t,
    const char *key)
{
	static const char *const values[] = { "-1", "[[1]]", "\"\\t\"",
		"{\"x\":1}", "9007199254740992", "\"\xc3\xbc\"" };
	bool text = strcmp(key, "reason") == 0;
	bool name = strcmp(key, "host") == 0 || strcmp(key, "draft") == 0;
	bool open = strcmp(key, "imported") == 0 || strcmp(key, "claims") == 0;

	(void)line;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct tf_buf bad = changed(d, t, values[i]);

		/* A text may be any, objects may have members to come. */
		if (!(text && values[i][0] == '"') &&
		    !(open && values[i][0] == '{') &&
		    !(name && values[i][0] == '"' && values[i][1] != '\\'))
			ck_assert_msg(judge(bad.p, bad.n) == TF_INVALID,
			    "taken: %s", bad.p);
		tf_buf_free(&bad);
	}
}

START_TEST(a_field_of_another_kind_is_refused)
{
	each_member(try_other_kinds);
}
END_TEST

struct change {
	const char *type, *from, *to;
};

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define VK                                                                  \
	"example.org/vault+2b4a15b0+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGm" \
	"j3B1Ea"
#define SPKI "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU="
#define WF "prod-server-access/ecs-execute-command-0199bb27be8f354b7"
#define AT WF "/user-identity"

static const struct change refused[] = {
	/* common fields */
	{ "trail.created", "\"v\":1", "\"v\":0" },
	{ "trail.created", "\"seq\":1", "\"seq\":9007199254740992" },
	{ "trail.created", "\"type\":\"trail.created\"",
	    "\"type\":\"trail..created\"" },
	{ "trail.created", "\"type\":\"trail.created\"",
	    "\"type\":\".trail.created\"" },
	{ "trail.created", "\"type\":\"trail.created\"",
	    "\"type\":\"trail.created.\"" },
	{ "trail.created", "\"type\":\"trail.created\"",
	    "\"type\":\"aaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaa\"" },
	{ "trail.created", "\"origin\":\"example.org/vault\"",
	    "\"origin\":\"cosignature/v1\"" },
	{ "trail.created", "\"node\":2", "\"node\":1" },
	{ "trail.created", "\"node\":2", "\"node\":-2" },
	{ "clock.jumped", "\"v\":1", "\"v\":1,\"x_y\":1" },
	{ "clock.jumped", "\"at\":", "\"A\":1,\"at\":" },
	{ "clock.jumped", "\"at\":", "\"0a\":1,\"at\":" },
	{ "evidence.sealed", "\"cause\":\"recovery\"", "\"cause\":\"a b\"" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}",
	    "{\"first\":13,\"last\":14}" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}",
	    "{\"first\":1,\"last\":11}" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}",
	    "{\"first\":14,\"last\":12}" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}", "{\"first\":12}" },
	{ "workflow.begun", "\"at\":\"2025-03-01T10:00:00.000000000Z\"",
	    "\"at\":\"2025-03-01\"" },
	{ "workflow.begun", "\"by\":\"bob@example.org\"", "\"by\":7" },
	/* access and actor */
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":\"750\"" },
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":\"0780\"" },
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":\"00750\"" },
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":488" },
	{ "trail.created", "\"mode\":\"0750\",", "" },
	{ "trail.created", "{\"gid\":1000", "{\"gid\":4294967295" },
	{ "trail.created", "{\"gid\":1000", "{\"gid\":-1" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%ice\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%41\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%0a\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%0\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al\\\"\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al\\n\"" },
	{ "trail.created", "\"pid\":4711", "\"pid\":0" },
	{ "trail.created", "\"pid\":4711", "\"pid\":\"4711\"" },
	{ "trail.created", "\"loginuid\":1000", "\"loginuid\":4294967295" },
	{ "trail.created", "\"comm\":\"mkdir\"",
	    "\"comm\":\"a12345678901234567"
	    "89012345678901234567890123456789\"" },
	/* paths */
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"/prod\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"prod/\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\".\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"a/b\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"a b\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"a@2\"" },
	{ "workflow.begun", "\"path\":\"" WF "\"", "\"path\":\"a\"" },
	{ "workflow.begun", "\"path\":\"" WF "\"", "\"path\":\"a//b\"" },
	{ "attestation.begun", "\"path\":\"" AT "\"", "\"path\":\"a/b\"" },
	{ "attestation.begun", "\"path\":\"" AT "\"", "\"path\":\"a/b/.c\"" },
	{ "attestation.begun", "\"path\":\"" AT "\"", "\"path\":\"a/b/c@1\"" },
	{ "attestation.begun", "\"path\":\"" AT "\"", "\"path\":\"a/b/c/d\"" },
	{ "evidence.sealed", AT "/event.json", AT },
	{ "evidence.sealed", AT "/event.json", AT "/.." },
	{ "evidence.sealed", AT "/event.json", AT "/./a" },
	{ "evidence.sealed", AT "/event.json", AT "/a/.trailfs" },
	{ "evidence.sealed", AT "/event.json", AT "/a\\n" },
	{ "evidence.sealed", AT "/event.json", AT "/a\xe2\x80\xae" },
	{ "trail.sealed", "\"path\":\"prod-server-access\"", "\"path\":\".\"" },
	/* ledger.opened */
	{ "ledger.opened", "\"boot\":\"0b9f3c1e-", "\"boot\":\"0B9F3C1E-" },
	{ "ledger.opened", "\"boot\":\"0b9f3c1e-", "\"boot\":\"0b9f3c1e" },
	{ "ledger.opened", "\"store\":\"6d", "\"store\":\"" },
	{ "ledger.opened", "\"store\":\"6d", "\"store\":\"6D" },
	{ "ledger.opened", "\"attester\":\"MCow", "\"attester\":\"MCox" },
	{ "ledger.opened", "\"attester\":\"" SPKI "\",", "" },
	{ "ledger.opened", "+2b4a15b0+", "+2b4a15b1+" },
	{ "ledger.opened", "\"quiet\":0", "\"quiet\":-1" },
	{ "ledger.opened", "\"libfuse\":\"3.14.0\"", "\"libfuse\":3" },
	{ "ledger.opened", "\"libfuse\":\"3.14.0\"",
	    "\"libfuse4567890123456789012\":\"3.14.0\"" },
	{ "ledger.opened", "\"libfuse\":\"3.14.0\"",
	    "\"libfuse\":\"0123456789"
	    "0123456789012345678901234567890123456789012345678901234\"" },
	{ "ledger.opened", "\"libfuse\":\"3.14.0\"",
	    "\"a\":\"1\",\"b\":\"1\","
	    "\"c\":\"1\",\"d\":\"1\",\"e\":\"1\",\"f\":\"1\",\"g\":\"1\",\"h\":"
	    "\"1\",\"i\":\"1\",\"j\":\"1\",\"k\":\"1\",\"kk\":\"1\",\"l\":\"1\"" },
	{ "ledger.opened",
	    "\"previous\":{\"head\":", "\"previous\":{\"foot\":" },
	{ "ledger.opened", "{\"at\":",
	    "{\"access\":{\"gid\":0,\"mode\":\"0755"
	    "\",\"uid\":0},\"at\":" },
	/* evidence */
	{ "evidence.sealed", "\"writers\":[0,1000]", "\"writers\":[1000,0]" },
	{ "evidence.sealed", "\"writers\":[0,1000]", "\"writers\":[0,0]" },
	{ "evidence.sealed", "\"writers\":[0,1000]", "\"writers\":[\"0\"]" },
	{ "evidence.sealed", "\"writers\":[0,1000]",
	    "\"writers\":[4294967295]" },
	{ "evidence.sealed", "\"writers\":[0,1000]", "\"writers\":[0,[1]]" },
	{ "evidence.sealed", "\"writers\":[0,1000]",
	    "\"writers\":[1,2,3,4,5,6"
	    ",7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
	    "29,30,31,32,33]" },
	{ "evidence.sealed",
	    "YXBwbGljYXRpb24vanNvbg==", "YXBwbGljYXRpb24vanNvbg" },
	{ "evidence.sealed",
	    "YXBwbGljYXRpb24vanNvbg==", "YXBwbGljYXRpb24vanNvbh==" },
	{ "evidence.sealed", "\"size\":17", "\"size\":-17" },
	{ "evidence.sealed", "\"sha256\":\"e04756ec", "\"sha256\":\"E04756EC" },
	{ "evidence.sealed", "\"sha256\":\"e04756ec", "\"sha256\":\"e04756e" },
	{ "evidence.sealed", "\"sha256\":", "\"sha512\":" },
	{ "evidence.interrupted", "\"draft\":\"typescript.",
	    "\"draft\":\"a/typescript." },
	{ "evidence.interrupted", "\"draft\":\"typescript.",
	    "\"draft\":\"\\ttypescript." },
	/* attestation.sealed */
	{ "attestation.sealed", "\"count\":2", "\"count\":-2" },
	{ "attestation.sealed", "\"sums\":\"ee5f", "\"sums\":\"ee5" },
	{ "attestation.sealed", "\"keyid\":\"SHA256:s3",
	    "\"keyid\":\"SHA512:s3" },
	{ "attestation.sealed", "HHZmE\"", "HHZmE=\"" },
	{ "attestation.sealed", "HHZmE\"", "HHZmF\"" },
	{ "attestation.sealed", "\"sig\":\"Qs/u", "\"sig\":\"" },
	{ "attestation.sealed", "kCA==\"", "kCB==\"" },
	{ "attestation.sealed", "\"size\":1241", "\"size\":\"1241\"" },
	{ "attestation.sealed", "\"claimants\":[0,1000]",
	    "\"claimants\":[1000,0]" },
	{ "attestation.sealed", "\"compliant\":true", "\"compliant\":1" },
	{ "attestation.sealed", "\"ticket\":\"OPS-1234\"",
	    "\"a b\":\"OPS-1234\"" },
	{ "attestation.sealed", "\"ticket\":\"OPS-1234\"", "\"ticket\":1234" },
	{ "attestation.sealed", "\"runbook\":{", "\"run.book\":{" },
	{ "attestation.sealed", "\"runbook\":{", "\"run=book\":{" },
	{ "attestation.sealed", "{\"href\":", "{\"ref\":" },
	{ "attestation.sealed",
	    "{\"href\":", "{\"fingerprint\":\"e3b0\",\"href\":" },
	{ "attestation.sealed", "\"type\":\"generic\"",
	    "\"type\":\"-generic\"" },
	{ "attestation.sealed", "\"type\":\"generic\"",
	    "\"type\":\"gen eric\"" },
	{ "attestation.sealed", "\"size\":40}", "\"size\":1048577}" },
	{ "attestation.sealed",
	    "\"originUrl\":\"https://ci.example.org/"
	    "runs/42\"",
	    "\"originUrl\":{\"withheld\":\"x\"}" },
	{ "attestation.sealed", "\"errors\":0", "\"errors\":false" },
	{ "attestation.sealed", ",\"rule\":\"junit\"", "" },
	/* the others */
	{ "workflow.sealed", "\"count\":1", "\"counts\":1" },
	{ "workflow.begun", "\"template\":1", "\"template\":0" },
	{ "workflow.begun", "\"template\":1",
	    "\"template\":{\"sha256\":\"" HEX "\",\"size\":1,\"version\":1}" },
	{ "template.set", "\"version\":1", "\"version\":0" },
	{ "template.set", "\"size\":125,", "" },
	{ "attestation.overridden", "\"target\":14", "\"target\":-14" },
	{ "attestation.overridden", "\"compliant\":true",
	    "\"compliant\":\"true\"" },
	{ "attestation.overridden",
	    "\"reason\":\"The failing test is known"
	    "\\nand was waived in OPS-1240\"",
	    "\"reason\":{\"withheld\":\"" HEX "\",\"x\":1}" },
	{ "attestation.overridden",
	    "\"reason\":\"The failing test is known"
	    "\\nand was waived in OPS-1240\"",
	    "\"reason\":{\"withhold\":\"" HEX "\"}" },
	{ "package.made", "\"root\":\"4543", "\"root\":\"543" },
	{ "redaction.done", "\"what\":\"content\"", "\"what\":\"a b\"" },
	{ "hold.placed", "\"hold\":\"case-2026-17\"", "\"hold\":\"-case\"" },
	{ "hold.placed", "\"hold\":\"case-2026-17\"", "\"hold\":\"a b\"" },
	{ "hold.placed", "\"until\":\"2033-01-01", "\"until\":\"2033-02-30" },
	{ "key.rotated", "\"use\":\"log\"", "\"use\":\"attester\"" },
	{ "key.rotated", "\"old\":\"" VK "\"", "\"old\":\"" SPKI "\"" },
	{ "key.rotated", "+ee4b4f87+", "+ee4b4f88+" },
	{ "import.done", "\"count\":31", "\"count\":\"31\"" },
	{ "import.done", "\"format\":\"kosli\",", "" },
};

#define REFUSED (int)(sizeof(refused) / sizeof(refused[0]))

START_TEST(a_value_beyond_its_form_is_refused)
{
	const struct change *c = &refused[_i];
	struct tf_buf b = variant(c->type, c->from, c->to);

	ck_assert_msg(judge(b.p, b.n) == TF_INVALID, "taken: %s", b.p);
	tf_buf_free(&b);
}
END_TEST

static const struct change taken[] = {
	/* texts that were redacted */
	{ "attestation.overridden",
	    "\"reason\":\"The failing test is known"
	    "\\nand was waived in OPS-1240\"",
	    "\"reason\":{\"withheld\":\"" HEX "\"}" },
	{ "attestation.sealed", "\"description\":\"Who opened the shell\"",
	    "\"description\":{\"withheld\":\"" HEX "\"}" },
	{ "attestation.sealed", "\"ticket\":\"OPS-1234\"",
	    "\"ticket\":{\"withheld\":\"" HEX "\"}" },
	{ "attestation.sealed",
	    "\"href\":\"https://wiki.example.org/"
	    "prod-access\"",
	    "\"href\":{\"withheld\":\"" HEX "\"}" },
	{ "workflow.begun", "\"by\":\"bob@example.org\"",
	    "\"by\":{\"withheld\":\"" HEX "\"}" },
	{ "ledger.closed", "\"reason\":\"unmounted\"",
	    "\"reason\":{\"withheld\":\"" HEX "\"}" },
	/* values and fields to come */
	{ "evidence.sealed", "\"cause\":\"recovery\"", "\"cause\":\"later\"" },
	{ "key.rotated", "\"use\":\"log\"", "\"use\":\"witness\"" },
	{ "redaction.done", "\"what\":\"content\"", "\"what\":\"reason\"" },
	{ "import.done", "\"format\":\"kosli\"", "\"format\":\"csv\"" },
	{ "ledger.opened", "\"program\":\"trailfs\"",
	    "\"program\":\"trailfsd\"" },
	{ "trail.created", "\"uid\":1000,\"user\":\"alice\"},\"actor\"",
	    "\"uid\":1000,\"user\":\"alice\",\"zz\":[1]},\"actor\"" },
	{ "evidence.sealed", "\"created\":",
	    "\"created\":\"2026-11-23T07:51:01.001000000Z\",\"createdBy\":" },
	{ "evidence.sealed",
	    "\"mtime\":", "\"encryption\":{\"format\":\"age\"},\"mtime\":" },
	{ "package.made", "\"tree\":", "\"target\":\"x\",\"tree\":" },
	{ "package.made", "\"type\":\"package.made\"",
	    "\"type\":\"package.gone\"" },
	{ "clock.jumped", "\"type\":\"clock.jumped\",\"v\":1",
	    "\"type\":\"clock.jumped\",\"v\":9007199254740991" },
	/* at the limits */
	{ "trail.created", "{\"gid\":1000", "{\"gid\":4294967294" },
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":\"7777\"" },
	{ "trail.created", "\"group\":\"alice\"",
	    "\"group\":\"al%0A%25%22%FF"
	    "\xc3\xbc\"" },
	{ "trail.created", "\"seq\":1", "\"seq\":9007199254740991" },
	{ "trail.created", "\"at\":\"2026-11-23T07:50:12.104000001Z\"",
	    "\"at\":\"0001-01-01T00:00:00.000000000Z\"" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}",
	    "{\"first\":12,\"last\":12}" },
	{ "access.changed", "\"path\":\"prod-server-access\"",
	    "\"path\":\".\"" },
	{ "hold.placed", "\"path\":\"prod-server-access\"", "\"path\":\".\"" },
	{ "attestation.sealed", "\"size\":40}", "\"size\":1048576}" },
	{ "evidence.sealed", "\"writers\":[0,1000]",
	    "\"writers\":[1,2,3,4,5,6"
	    ",7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
	    "29,30,31,32]" },
	{ "key.rotated", "\"old\":", "\"node\":7,\"old\":" },
};

#define TAKEN (int)(sizeof(taken) / sizeof(taken[0]))

START_TEST(a_value_within_its_form_is_taken)
{
	const struct change *c = &taken[_i];
	struct tf_buf b = variant(c->type, c->from, c->to);
	struct tf_entry_decoded d;
	struct tf_error err = { 0 };

	ck_assert_msg(tf_entry_decode(&d, b.p, b.n, &err) == TF_OK, "%s: %s",
	    err.text, b.p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_withheld_text_is_absent)
{
	struct tf_buf b = variant("hold.released", "\"Case closed\"",
	    "{\"withheld\":\"" HEX "\"}");
	struct tf_entry_decoded d;

	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, b.p, b.n, NULL));
	ck_assert_ptr_null(d.e.reason.p);
	ck_assert_ptr_nonnull(d.e.hold.p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_path_has_its_limits)
{
	char path[3000];
	int n = 0;

	ck_assert_int_eq(0, tf_path_depth(".", 1));
	ck_assert_int_eq(1, tf_path_depth("a", 1));
	ck_assert_int_eq(5, tf_path_depth("a/b/c@2/d e/f", 13));
	ck_assert_int_eq(-1, tf_path_depth("", 0));
	ck_assert_int_eq(-1, tf_path_depth("a@2", 3));
	ck_assert_int_eq(-1, tf_path_depth("/", 1));
	/* 767 bytes above, 1,024 below: 4 names of 255 and one of 4 chars. */
	memset(path, 'a', sizeof(path));
	for (int i = 0; i < 7; i++) {
		path[n + 255] = '/';
		n += 256;
	}
	ck_assert_int_eq(3, tf_path_depth(path, 767));
	ck_assert_int_eq(7, tf_path_depth(path, 767 + 1 + 1023));
	n = 768 + 1024;
	path[768 + 767] = '/';
	path[768 + 1023] = 'a';
	ck_assert_int_eq(-1, tf_path_depth(path, (size_t)n));
	path[768 + 600] = '/';
	path[768 + 900] = '/';
	ck_assert_int_eq(-1, tf_path_depth(path, (size_t)n + 1));
}
END_TEST

/* --- encoding ----------------------------------------------------------- */

static struct tf_entry
small_entry(void)
{
	return (struct tf_entry){
		.type = TF_HOLD_RELEASED,
		.origin = str_of("o"),
		.actor = str_of("{\"gid\":0,\"uid\":0}"),
		.path = str_of("a"),
		.hold = str_of("h"),
		.reason = str_of("r"),
	};
}

static enum tf_code
encode(const struct tf_entry *e)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_entry_encode(e, &b, NULL);

	tf_buf_free(&b);
	return rc;
}

START_TEST(a_small_entry_is_written)
{
	struct tf_entry e = small_entry();
	struct tf_buf b = { 0 };

	ck_assert_int_eq(TF_OK, tf_entry_encode(&e, &b, NULL));
	ck_assert_str_eq(
	    "{\"actor\":{\"gid\":0,\"uid\":0},"
	    "\"at\":\"1970-01-01T00:00:00.000000000Z\",\"hold\":\"h\","
	    "\"origin\":\"o\",\"path\":\"a\",\"reason\":\"r\",\"seq\":0,"
	    "\"type\":\"hold.released\",\"v\":1}",
	    b.p);
	tf_buf_free(&b);
}
END_TEST

START_TEST(what_the_reader_would_refuse_is_not_written)
{
	struct tf_entry good = small_entry(), e = good;
	static char text[20000];

	ck_assert_int_eq(TF_OK, encode(&e));
	e.type = TF_TYPE_UNKNOWN;
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e.type = TF_TYPES;
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	e.v = 2;
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e.v = 1;
	ck_assert_int_eq(TF_OK, encode(&e));
	e.hold.p = NULL; /* absent */
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	e.reason.n = 0; /* empty */
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	e.draft = str_of("d"); /* of another type */
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	e.has_access = true;
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	e.seq = UINT64_MAX;
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	e.has_clock = true; /* equal to at */
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	e.actor.p = NULL;
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e.cause = str_of("quiet");
	ck_assert_int_eq(TF_OK, encode(&e));
	e = good;
	e.actor = str_of("{\"gid\":0,\"uid\":0} ");
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e.actor = str_of("{\"gid\":0}");
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	e.path = str_of("a//b");
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e = good;
	memset(text, 'x', sizeof(text));
	e.reason = (struct tf_str){ text, 2048 };
	ck_assert_int_eq(TF_OK, encode(&e));
	e.reason.n++;
	ck_assert_int_eq(TF_INVALID, encode(&e));
	e.reason.n = sizeof(text);
	ck_assert_int_eq(TF_TOOBIG, encode(&e));
}
END_TEST

/* n times c into a static area that grows from call to call. */
static struct tf_str
long_str(char c, size_t n)
{
	static char area[40000];
	static size_t used;
	char *p = area + used;

	ck_assert_uint_lt(used + n, sizeof(area));
	memset(p, c, n);
	used += n + 1;
	return (struct tf_str){ p, n };
}

/* Sealing never fails for size: section 5 adds up. */
START_TEST(the_longest_entry_fits)
{
	struct tf_buf claims = { 0 }, uids = { 0 }, evaluated = { 0 };
	struct tf_buf actor = { 0 }, imported = { 0 }, b = { 0 };
	struct tf_str path = long_str('p', 767), name = long_str('n', 256);
	struct tf_actor a = { .uid = 4294967294,
		.gid = 4294967294,
		.pid = UINT32_MAX,
		.loginuid = 4294967294,
		.session = 4294967294 };
	struct tf_entry e = { .type = TF_ATTESTATION_SEALED,
		.seq = TF_JSON_MAX,
		.origin = long_str('o', 128),
		.cause = str_of("recovery"),
		.has_evidence = true,
		.evidence_bytes = TF_JSON_MAX,
		.evidence_count = TF_JSON_MAX,
		.has_clock = true,
		.clock = { 1, 0 },
		.has_batch = true,
		.batch_last = TF_JSON_MAX,
		.has_access = true };

	((char *)path.p)[255] = ((char *)path.p)[511] = '/';
	memset(a.exe, 'e', 512);
	memset(a.cgroup, 'c', 512);
	memset(a.comm, 'm', 48);
	tf_actor_json(&actor, &a, name.p, name.p);
	ck_assert(!actor.failed);
	tf_buf_str(&claims, "{\"annotations\":{");
	for (int i = 0; i < 7; i++)
		tf_buf_printf(&claims, "%s\"%c\":\"%1024d\"", i ? "," : "",
		    'a' + i, 1);
	tf_buf_printf(&claims, "},\"description\":\"%*d\"}",
	    (int)(8192 - claims.n - 19), 1);
	ck_assert_uint_eq(8192, claims.n);
	tf_buf_str(&uids, "[4294967200");
	for (int i = 1; i < 32; i++)
		tf_buf_printf(&uids, ",%u", 4294967200u + (unsigned)i);
	tf_buf_str(&uids, "]");
	tf_buf_str(&evaluated, "{\"compliant\":true,\"counts\":{\"");
	for (int i = 0; i < 450; i++)
		tf_buf_str(&evaluated, "k");
	tf_buf_str(&evaluated, "\":1},\"rule\":\"r\"}");
	tf_buf_printf(&imported,
	    "{\"at\":\"2025-03-01T10:00:00.000000000Z\","
	    "\"by\":\"%512d\",\"id\":\"%512d\"}",
	    1, 2);
	e.path = path;
	e.actor = (struct tf_str){ actor.p, actor.n };
	e.claims = (struct tf_str){ claims.p, claims.n };
	e.claimants = (struct tf_str){ uids.p, uids.n };
	e.evaluated = (struct tf_str){ evaluated.p, evaluated.n };
	e.imported = (struct tf_str){ imported.p, imported.n };
	e.access = (struct tf_access){ 4294967294, 4294967294, 07777, name,
		name };
	e.statement.size = TF_JSON_MAX;
	e.statement.keyid =
	    str_of("SHA256:s3Z2A+mldeflHo5TMMEUA7MlkMg96xvtqH9DGLHHZmE");
	e.statement.sig = str_of("Qs/uh+IgYyR4sT7IsaUto4HYbBSOLvNk/GZOasDYVaGYD"
				 "9KgToY7rHJWS0jhIVx673oovmHj8ykcd3tSMjCkCA==");
	ck_assert_int_eq(TF_OK, tf_entry_encode(&e, &b, NULL));
	ck_assert_uint_lt(b.n, 14800);
	tf_buf_free(&claims);
	tf_buf_free(&uids);
	tf_buf_free(&evaluated);
	tf_buf_free(&actor);
	tf_buf_free(&imported);
	tf_buf_free(&b);
}
END_TEST

/* Changed bytes are refused or make another entry, never harm. */
START_TEST(changed_bytes_do_no_harm)
{
	static const char bytes[] = "{}[],:\"\\ntabz09-./ %\x01\xc3\xbc";
	struct tf_buf file = read_vector(known_files[_i % 2]);
	struct tf_str rest = { file.p, file.n }, line;
	uint64_t seed = 17 + (uint64_t)_i;

	while (take_line(&rest, &line)) {
		char *copy = malloc(line.n);

		for (int k = 0; k < 500; k++) {
			struct tf_entry_decoded d;
			struct tf_buf out = { 0 };
			size_t n = chance(&seed) % 8 ? line.n :
						       chance(&seed) % line.n;

			memcpy(copy, line.p, line.n);
			for (uint64_t c = chance(&seed) % 3 + 1; c > 0; c--)
				copy[chance(&seed) % line.n] =
				    bytes[chance(&seed) % (sizeof(bytes) - 1)];
			if (tf_entry_decode(&d, copy, n, NULL) == TF_OK &&
			    d.e.type != TF_TYPE_UNKNOWN && d.e.v == 1)
				/* Unknown members are lost, withheld texts
				 * missing: it may fail, but not fall. */
				(void)!tf_entry_encode(&d.e, &out, NULL);
			tf_entry_decoded_free(&d);
			tf_buf_free(&out);
		}
		free(copy);
	}
	tf_buf_free(&file);
}
END_TEST

START_TEST(sizes_beyond_the_limits_are_refused)
{
	static char big[TF_ENTRY_MAX + 2];
	struct tf_entry_decoded d;

	memset(big, '{', sizeof(big));
	ck_assert_int_eq(TF_INVALID, judge("", 0));
	ck_assert_int_eq(TF_INVALID, judge("{", 1));
	ck_assert_int_eq(TF_INVALID, judge("{}", 2));
	ck_assert_int_eq(TF_INVALID, judge(big, sizeof(big)));
	ck_assert_int_eq(TF_INVALID, tf_entry_decode(&d, NULL, 0, NULL));
	tf_entry_decoded_free(&d);
	tf_entry_decoded_free(NULL);
}
END_TEST

/* Of 16,384 bytes an entry is good, of one more not. */
START_TEST(an_entry_has_16384_bytes_at_most)
{
	struct tf_buf b = variant("clock.jumped", "\"v\":1}",
	    "\"v\":1,\"w\":\"");

	while (b.n < TF_ENTRY_MAX - 2)
		tf_buf_str(&b, "a");
	tf_buf_str(&b, "\"}");
	ck_assert_uint_eq(TF_ENTRY_MAX, b.n);
	ck_assert_int_eq(TF_OK, judge(b.p, b.n));
	b.n -= 2;
	tf_buf_str(&b, "a\"}");
	ck_assert_int_eq(TF_INVALID, judge(b.p, b.n));
	tf_buf_free(&b);
}
END_TEST

/* --- hints and actors --------------------------------------------------- */

START_TEST(a_hint_is_harmless_and_whole_or_absent)
{
	static const char raw[] = "a%\"\\\n\x7f\xc2\x9b\xff\xc3\xbc/b c";
	static const char safe[] = "a%25%22%5C%0A%7F%C2%9B%FF\xc3\xbc/b c";
	char out[257];

	ck_assert_uint_eq(strlen(safe),
	    tf_hint(out, 256, raw, sizeof(raw) - 1));
	ck_assert_str_eq(safe, out);
	ck_assert_uint_eq(strlen(safe),
	    tf_hint(out, strlen(safe), raw, sizeof(raw) - 1));
	ck_assert_uint_eq(0,
	    tf_hint(out, strlen(safe) - 1, raw, sizeof(raw) - 1));
	ck_assert_str_eq("", out);
	ck_assert_uint_eq(3, tf_hint(out, 3, "abc", 3));
	ck_assert_uint_eq(0, tf_hint(out, 3, "abcd", 4));
	ck_assert_uint_eq(0, tf_hint(out, 3, "a\n", 2));
	ck_assert_uint_eq(0, tf_hint(out, 3, "", 0));
}
END_TEST

START_TEST(an_actor_is_written_as_in_the_vectors)
{
	struct tf_actor a = { .uid = 1000,
		.gid = 1000,
		.pid = 4711,
		.loginuid = 1000,
		.session = 3,
		.comm = "mkdir",
		.exe = "/usr/bin/mkdir",
		.cgroup = "/user.slice/user-1000.slice/session-3.scope" };
	struct tf_buf line = line_of("trail.created", "4711"), b = { 0 };
	struct tf_entry_decoded d;

	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, line.p, line.n, NULL));
	tf_actor_json(&b, &a, "alice", "alice");
	assert_same(d.e.actor.p, d.e.actor.n, b.p, b.n);
	tf_entry_decoded_free(&d);
	tf_buf_free(&line);
	tf_buf_free(&b);
}
END_TEST

START_TEST(what_is_not_known_of_an_actor_is_left_out)
{
	struct tf_actor a = { .uid = 0,
		.gid = 5,
		.loginuid = -1,
		.session = UINT32_MAX };
	struct tf_buf b = { 0 };

	tf_actor_json(&b, &a, "", "");
	ck_assert_str_eq("{\"gid\":5,\"uid\":0}", b.p);
	ck_assert(!b.failed);
	/* A hint that is too long takes the empty object with it. */
	memset(a.exe, '%', sizeof(a.exe));
	b.n = 0;
	tf_actor_json(&b, &a, "root", "");
	ck_assert_str_eq("{\"gid\":5,\"uid\":0,\"user\":\"root\"}", b.p);
	a.session = 0;
	b.n = 0;
	tf_actor_json(&b, &a, "root", "");
	ck_assert_str_eq("{\"gid\":5,\"hints\":{\"session\":0},\"uid\":0,"
			 "\"user\":\"root\"}",
	    b.p);
	tf_buf_free(&b);
}
END_TEST

/* By the clock; a mark only where the order of the ledger is elsewhere. */
START_TEST(an_entry_is_shown_by_the_clock)
{
	static const struct {
		struct tf_time at, clock, when;
		bool has_clock, moved;
	} t[] = {
		{ { 100, 5 }, { 0, 0 }, { 100, 5 }, false, false },
		{ { 100, 5 }, { 100, 4 }, { 100, 4 }, true, false },
		{ { 101, 4 }, { 100, 5 }, { 100, 5 }, true, false },
		{ { 101, 5 }, { 100, 5 }, { 100, 5 }, true, true },
		{ { 900, 0 }, { 100, 5 }, { 100, 5 }, true, true },
		{ { 100, 5 }, { 900, 0 }, { 900, 0 }, true, true },
		{ { 100, 5 }, { 100, 9 }, { 100, 9 }, true, false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct tf_entry e = { .at = t[i].at,
			.clock = t[i].clock,
			.has_clock = t[i].has_clock };
		bool moved;
		struct tf_time when = tf_entry_when(&e, &moved);

		ck_assert_int_eq(0, tf_time_cmp(when, t[i].when));
		ck_assert_int_eq(t[i].moved, moved);
	}
}
END_TEST

Suite *
suite_entry(void)
{
	Suite *s = suite_create("entry");
	TCase *t = tcase_create("entry");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_line_of_a_known_type_comes_back);
	tcase_add_test(t, the_worked_example_has_its_leaves);
	tcase_add_test(t, what_comes_later_is_taken_without_effect);
	tcase_add_test(t, every_bad_line_is_refused);
	tcase_add_test(t, an_entry_is_shown_by_the_clock);
	tcase_add_test(t, an_entry_is_read_field_by_field);
	tcase_add_test(t, strings_come_out_unescaped);
	tcase_add_test(t, mandatory_fields_must_be_there_and_no_others);
	tcase_add_test(t, a_field_of_another_kind_is_refused);
	tcase_add_loop_test(t, a_value_beyond_its_form_is_refused, 0, REFUSED);
	tcase_add_loop_test(t, a_value_within_its_form_is_taken, 0, TAKEN);
	tcase_add_test(t, a_withheld_text_is_absent);
	tcase_add_test(t, a_path_has_its_limits);
	tcase_add_test(t, a_small_entry_is_written);
	tcase_add_test(t, what_the_reader_would_refuse_is_not_written);
	tcase_add_test(t, the_longest_entry_fits);
	tcase_add_loop_test(t, changed_bytes_do_no_harm, 0, 4);
	tcase_add_test(t, sizes_beyond_the_limits_are_refused);
	tcase_add_test(t, an_entry_has_16384_bytes_at_most);
	tcase_add_test(t, a_hint_is_harmless_and_whole_or_absent);
	tcase_add_test(t, an_actor_is_written_as_in_the_vectors);
	tcase_add_test(t, what_is_not_known_of_an_actor_is_left_out);
	suite_add_tcase(s, t);
	return s;
}
