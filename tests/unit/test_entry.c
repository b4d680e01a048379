/* Entries: read, and written back as they were. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/time_text.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/entry_write.h"
#include "entry_lines.h"
#include "vectors.h"

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

/* The entries of an organisation have version 2, and the common fields. */
START_TEST(entries_of_an_organisation_are_taken_without_effect)
{
	struct tf_buf file = read_vector("organisation.jsonl");
	struct tf_str rest = { file.p, file.n }, line;
	struct tf_entry_decoded d;
	uint64_t n = 0;

	while (take_line(&rest, &line)) {
		ck_assert_int_eq(TF_OK,
		    tf_entry_decode(&d, line.p, line.n, NULL));
		ck_assert_int_eq(TF_TYPE_UNKNOWN, d.e.type);
		ck_assert_uint_eq(2, d.e.v);
		ck_assert_uint_eq(n++, d.e.seq);
		ck_assert_str_eq("example.org/organisation", d.e.origin.p);
		ck_assert(d.e.path.p == NULL && d.e.actor.p != NULL);
		tf_entry_decoded_free(&d);
	}
	ck_assert_uint_gt(n, 2);
	tf_buf_free(&file);
}
END_TEST

/* An unknown type, an unknown field, a higher version. */
START_TEST(what_comes_later_is_taken_without_effect)
{
	static const enum tf_entry_kind types[] = { TF_TYPE_UNKNOWN,
		TF_ATTESTATION_BEGUN, TF_TYPE_UNKNOWN };
	static const unsigned versions[] = { 1, 1, 2 };
	static const char *const names[] = { "review.done", "attestation.begun",
		"attestation.begun" };
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
	ck_assert_int_eq(104, n);
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
	static const char *const always[] = { "batch", "chain", "claimants",
		"claims", "clock", "denied", "encryption", "evaluated", "home",
		"imported", "newSig", "oldSig", "options", "previous", "proven",
		"report", "to", "until", "writers", "xattrs" };

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (strcmp(key, always[i]) == 0)
			return true;
	}
	if (strcmp(key, "actor") == 0)
		return find(line, "\"cause\":") ||
		    is_type(line, "evidence.grown") ||
		    is_type(line, "ledger.opened");
	if (strcmp(key, "grown") == 0)
		return find(line, "\"proven\":") == NULL;
	if (strcmp(key, "hostClock") == 0)
		return is_type(line, "ledger.opened");
	if (strcmp(key, "cause") == 0)
		return find(line, "\"actor\":") ||
		    is_type(line, "evidence.grown");
	if (strcmp(key, "node") == 0)
		return is_type(line, "access.changed");
	if (strcmp(key, "run") == 0)
		return is_type(line, "verify.done");
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
	bool text = strcmp(key, "reason") == 0 || strcmp(key, "to") == 0;
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

Suite *suite_entry(void);

Suite *
suite_entry(void)
{
	Suite *s = suite_create("entry");
	TCase *t = tcase_create("read");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_line_of_a_known_type_comes_back);
	tcase_add_test(t, the_worked_example_has_its_leaves);
	tcase_add_test(t, what_comes_later_is_taken_without_effect);
	tcase_add_test(t, entries_of_an_organisation_are_taken_without_effect);
	tcase_add_test(t, every_bad_line_is_refused);
	tcase_add_test(t, an_entry_is_read_field_by_field);
	tcase_add_test(t, strings_come_out_unescaped);
	tcase_add_test(t, mandatory_fields_must_be_there_and_no_others);
	tcase_add_test(t, a_field_of_another_kind_is_refused);
	tcase_add_loop_test(t, changed_bytes_do_no_harm, 0, 4);
	tcase_add_test(t, sizes_beyond_the_limits_are_refused);
	tcase_add_test(t, an_entry_has_16384_bytes_at_most);
	tcase_add_test(t, an_entry_is_shown_by_the_clock);
	suite_add_tcase(s, t);
	return s;
}
