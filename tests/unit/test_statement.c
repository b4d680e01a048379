#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/time_text.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/statement.h"
#include "../../core/ledger/sums.h"
#include "vectors.h"

#define KEYID "SHA256:s3Z2A+mldeflHo5TMMEUA7MlkMg96xvtqH9DGLHHZmE"

static struct tf_time
time_of(const char *s)
{
	struct tf_time t;

	ck_assert(tf_time_parse(s, strlen(s), &t));
	return t;
}

/* The evidence of the worked example. */
static void
example_files(struct tf_subject_file f[2])
{
	f[0] = (struct tf_subject_file){ .name = str_of("event.json"),
		.size = 17 };
	tf_sha256("{\"user\":\"alice\"}\n", 17, &f[0].sha256);
	f[1] = (struct tf_subject_file){ .name = str_of("\xc3\x9c"
							"bergabe \"7\".txt"),
		.size = 6 };
	tf_sha256("alice\n", 6, &f[1].sha256);
}

/* Line `seq` of the worked example. */
static void
example_entry(struct tf_entry_decoded *d, struct tf_buf *file, int seq)
{
	struct tf_str rest, line;

	*file = read_vector("entries-example.jsonl");
	rest = (struct tf_str){ file->p, file->n };
	do
		ck_assert(take_line(&rest, &line));
	while (seq-- > 0);
	ck_assert_int_eq(TF_OK, tf_entry_decode(d, line.p, line.n, NULL));
}

static struct tf_statement
example_statement(const struct tf_entry *e, const struct tf_subject_file *f)
{
	return (struct tf_statement){
		.origin = e->origin,
		.host = str_of("bastion-1"),
		.trail = str_of("prod-server-access"),
		.workflow = str_of("ecs-execute-command-0199bb27be8f354b7"),
		.attestation = str_of("user-identity"),
		.version = 1,
		.has_template = true,
		.template_version = 1,
		.actor = e->actor,
		.claims = e->claims,
		.has_written = true,
		.first_written = time_of("2026-11-23T07:51:01.001000000Z"),
		.last_written = time_of("2026-11-23T07:51:01.009000000Z"),
		.sealed_at = time_of("2026-11-23T07:51:20.699000000Z"),
		.files = f,
	};
}

START_TEST(the_sums_of_the_worked_example_are_those_of_sha256sum)
{
	struct tf_buf want = read_vector("entries-example.SHA256SUMS");
	struct tf_subject_file f[2];
	struct tf_buf b = { 0 };
	struct tf_hash of_file;
	struct tf_sums sums;

	example_files(f);
	for (int i = 0; i < 2; i++)
		tf_sums_line(&b, &f[i].sha256, f[i].name.p, f[i].name.n);
	assert_same(want.p, want.n, b.p, b.n);
	ck_assert_int_eq(TF_OK, tf_sums(f, 2, &sums, NULL));
	ck_assert_uint_eq(2, sums.count);
	ck_assert_uint_eq(23, sums.bytes);
	tf_sha256(want.p, want.n, &of_file);
	ck_assert_mem_eq(&of_file, &sums.sums, sizeof(of_file));
	tf_buf_free(&b);
	tf_buf_free(&want);
}
END_TEST

START_TEST(sums_of_nothing_are_the_digest_of_no_bytes)
{
	struct tf_hash empty;
	struct tf_sums sums;

	tf_sha256("", 0, &empty);
	ck_assert_int_eq(TF_OK, tf_sums(NULL, 0, &sums, NULL));
	ck_assert_uint_eq(0, sums.bytes);
	ck_assert_mem_eq(&empty, &sums.sums, sizeof(empty));
}
END_TEST

START_TEST(a_backslash_in_a_name_is_escaped_as_sha256sum_does)
{
	struct tf_hash h = hash_of("e3b0c44298fc1c149afbf4c8996fb92427ae41e464"
				   "9b934ca495991b7852b855");
	struct tf_buf b = { 0 };

	tf_sums_line(&b, &h, "a\\b\\", 4);
	ck_assert_str_eq("\\e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca4"
			 "95991b7852b855  a\\\\b\\\\\n",
	    b.p);
	tf_buf_free(&b);
}
END_TEST

START_TEST(sums_want_sorted_names_and_sizes_that_add_up)
{
	struct tf_subject_file f[2];
	struct tf_sums sums;

	example_files(f);
	f[1].name = f[0].name;
	ck_assert_int_eq(TF_INVALID, tf_sums(f, 2, &sums, NULL));
	f[1].name.n--;
	ck_assert_int_eq(TF_INVALID, tf_sums(f, 2, &sums, NULL));
	f[1].name = str_of("event.json2");
	f[1].size = TF_JSON_MAX - 17;
	ck_assert_int_eq(TF_OK, tf_sums(f, 2, &sums, NULL));
	f[1].size++;
	ck_assert_int_eq(TF_TOOBIG, tf_sums(f, 2, &sums, NULL));
	f[1].size = UINT64_MAX;
	ck_assert_int_eq(TF_TOOBIG, tf_sums(f, 2, &sums, NULL));
}
END_TEST

/* Statement, PAE, signature and envelope, and what entry 7 says of them. */
START_TEST(the_worked_example_is_written_byte_for_byte)
{
	struct tf_buf payload = read_vector("entries-example.statement.json");
	struct tf_buf envelope = read_vector("entries-example.intoto.json");
	struct tf_buf b = { 0 }, pae = { 0 }, env = { 0 };
	char keyid[TF_KEYID_LEN + 1];
	struct tf_buf file, sig_text = { 0 };
	struct tf_key *key = key_of(SEED_ATTESTER);
	struct tf_subject_file f[2];
	struct tf_entry_decoded d;
	struct tf_statement s;
	struct tf_pubkey pub;
	struct tf_hash h;
	uint8_t sig[TF_SIG_LEN];
	const struct tf_statement_ref *ref;

	example_entry(&d, &file, 7);
	ref = &d.e.statement;
	example_files(f);
	s = example_statement(&d.e, f);
	ck_assert_int_eq(TF_OK, tf_sums(f, 2, &s.evidence, NULL));
	ck_assert_int_eq(TF_OK, tf_statement_encode(&s, &b, NULL));
	assert_same(payload.p, payload.n, b.p, b.n);
	ck_assert_uint_eq(ref->size, b.n);
	tf_sha256(b.p, b.n, &h);
	ck_assert_mem_eq(&ref->payload, &h, sizeof(h));

	tf_dsse_pae(b.p, b.n, &pae);
	tf_sha256(pae.p, pae.n, &h);
	ck_assert_mem_eq(&ref->pae, &h, sizeof(h));

	tf_key_public(key, &pub);
	tf_dsse_keyid(&pub, keyid);
	ck_assert_str_eq(KEYID, keyid);
	ck_assert_str_eq(ref->keyid.p, keyid);

	ck_assert_int_eq(TF_OK, tf_key_sign(key, pae.p, pae.n, sig, NULL));
	tf_base64(&sig_text, sig, sizeof(sig));
	ck_assert_str_eq(ref->sig.p, sig_text.p);
	tf_dsse_envelope(b.p, b.n, keyid, sig, &env);
	assert_same(envelope.p, envelope.n, env.p, env.n);

	tf_entry_decoded_free(&d);
	tf_key_free(key);
	tf_buf_free(&file);
	tf_buf_free(&payload);
	tf_buf_free(&envelope);
	tf_buf_free(&b);
	tf_buf_free(&pae);
	tf_buf_free(&env);
	tf_buf_free(&sig_text);
}
END_TEST

START_TEST(the_key_of_the_formats_page_has_its_id)
{
	struct tf_key *key = key_of(SEED_LOG);
	char keyid[TF_KEYID_LEN + 1];
	struct tf_pubkey pub;

	tf_key_public(key, &pub);
	tf_dsse_keyid(&pub, keyid);
	ck_assert_str_eq("SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8",
	    keyid);
	tf_key_free(key);
}
END_TEST

/* Parse what was written and hand out the number of its subjects. */
static uint32_t
subjects(const struct tf_buf *b, char first[64])
{
	struct tf_json_doc d;
	struct tf_buf name = { 0 };
	uint32_t n = 0;
	int t;

	ck_assert_int_eq(TF_OK, tf_json_parse(&d, b->p, b->n, NULL));
	t = tf_json_get(&d, 0, "subject");
	ck_assert_int_gt(t, 0);
	for (uint32_t i = (uint32_t)t + 1; i < d.tok[t].next; i = d.tok[i].next)
		n++;
	ck_assert_int_eq(TF_OK,
	    tf_json_string(&d, tf_json_get(&d, t + 1, "name"), &name, NULL));
	(void)snprintf(first, 64, "%s", name.p);
	tf_buf_free(&name);
	tf_json_doc_free(&d);
	return n;
}

START_TEST(none_or_too_many_files_make_one_subject)
{
	static const size_t sizes[] = { 0, 1, 1024, 1025, 5000 };
	struct tf_subject_file *f = calloc(5000, sizeof(*f));
	char(*names)[16] = calloc(5000, sizeof(*names));
	struct tf_statement s = { .origin = str_of("o"),
		.host = str_of("h"),
		.trail = str_of("t"),
		.workflow = str_of("w"),
		.attestation = str_of("a"),
		.version = 1,
		.files = f };

	for (int i = 0; i < 5000; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "f%04d", i);
		f[i].name = str_of(names[i]);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool own = sizes[i] > 0 && sizes[i] <= 1024;
		struct tf_buf b = { 0 };
		char first[64];

		ck_assert_int_eq(TF_OK,
		    tf_sums(f, sizes[i], &s.evidence, NULL));
		ck_assert_int_eq(TF_OK, tf_statement_encode(&s, &b, NULL));
		ck_assert_uint_eq(own ? sizes[i] : 1, subjects(&b, first));
		ck_assert_str_eq(own ? "f0000" : "SHA256SUMS", first);
		tf_buf_free(&b);
	}
	free(f);
	free(names);
}
END_TEST

START_TEST(every_field_has_its_place)
{
	struct tf_buf b = { 0 };
	struct tf_statement s = { .origin = str_of("o"),
		.host = str_of("h"),
		.trail = str_of("t"),
		.workflow = str_of("w"),
		.attestation = str_of("a"),
		.version = 2,
		.cause = str_of("recovery"),
		.claimants = str_of("[0,1000]"),
		.evaluated = str_of("{\"compliant\":true,\"counts\":{\"n\":1},"
				    "\"rule\":\"junit\"}"),
		.imported = str_of("{\"id\":\"1\"}"),
		.has_previous = true };

	ck_assert_int_eq(TF_OK, tf_sums(NULL, 0, &s.evidence, NULL));
	ck_assert_int_eq(TF_OK, tf_statement_encode(&s, &b, NULL));
	ck_assert_str_eq(
	    "{\"_type\":\"https://in-toto.io/Statement/v1\","
	    "\"predicate\":{\"attestation\":\"a\",\"cause\":\"recovery\","
	    "\"claimants\":[0,1000],\"evaluated\":{\"compliant\":true,"
	    "\"counts\":{\"n\":1},\"rule\":\"junit\"},\"evidence\":{"
	    "\"bytes\":0,\"count\":0,\"sums\":\"e3b0c44298fc1c149afbf4c8996fb"
	    "92427ae41e4649b934ca495991b7852b855\"},\"host\":\"h\","
	    "\"imported\":{\"id\":\"1\"},\"ledger\":{\"origin\":\"o\"},\"previous\":{\"sha256\":\"0000000"
	    "000000000000000000000000000000000000000000000000000000000\"},"
	    "\"sealedAt\":\"1970-01-01T00:00:00.000000000Z\",\"trail\":\"t\","
	    "\"version\":2,\"workflow\":\"w\"},\"predicateType\":"
	    "\"https://trailfs.example/attestation/v1\",\"subject\":[{"
	    "\"digest\":{\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
	    "649b934ca495991b7852b855\"},\"name\":\"SHA256SUMS\"}]}",
	    b.p);
	s.actor = str_of("{\"uid\": 0}");
	b.n = 0;
	ck_assert_int_eq(TF_INVALID, tf_statement_encode(&s, &b, NULL));
	s.actor.p = NULL;
	s.host.n = 0;
	b.n = 0;
	ck_assert_int_eq(TF_INVALID, tf_statement_encode(&s, &b, NULL));
	tf_buf_free(&b);
}
END_TEST

Suite *
suite_statement(void)
{
	Suite *s = suite_create("statement");
	TCase *t = tcase_create("statement");

	tcase_add_test(t,
	    the_sums_of_the_worked_example_are_those_of_sha256sum);
	tcase_add_test(t, sums_of_nothing_are_the_digest_of_no_bytes);
	tcase_add_test(t, a_backslash_in_a_name_is_escaped_as_sha256sum_does);
	tcase_add_test(t, sums_want_sorted_names_and_sizes_that_add_up);
	tcase_add_test(t, the_worked_example_is_written_byte_for_byte);
	tcase_add_test(t, the_key_of_the_formats_page_has_its_id);
	tcase_add_test(t, none_or_too_many_files_make_one_subject);
	tcase_add_test(t, every_field_has_its_place);
	suite_add_tcase(s, t);
	return s;
}
