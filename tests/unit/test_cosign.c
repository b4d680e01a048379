#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/cosign.h"
#include "vectors.h"

#define DASH "\xe2\x80\x94 "

/* The worked example: log and witness are RFC 8032 7.1, 1 and 2. */
#define SEED_WITNESS \
	"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define WITNESS_KEY                    \
	"witness.example/w1+04d2d833+" \
	"BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"
#define LOG_KEY                             \
	"trailfs.example/ledger1+2f731159+" \
	"AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define BODY                           \
	"trailfs.example/ledger1\n2\n" \
	"DUZlytocdXytsRHHJeLp/+7qTUayfpqFlkq438Pft0c=\n"
#define LOG_LINE                                                   \
	DASH "trailfs.example/ledger1 "                            \
	     "L3MRWS52KDZlYt0Yx4IC4fXkIUHld/5lfOTb6rJq3AhptY/B2BZ" \
	     "cb2TTd5rQZI3Cr4NYCQ9oE/IMdwlVGi2FUQnLIAk=\n"
#define LINE                                                                      \
	DASH                                                                      \
	    "witness.example/w1 BNLYMwAAAABrA/KAFALW6Kbvwhc2xhBz4Gx"              \
	    "QmLFgYvWgUmsd751Fw91m5xfDDK9ZGs64xOZX7l63yzDWqRyENz3MsUR6PaLlQh+eAA" \
	    "==\n"
#define TIME 1795420800

/* A published checkpoint: a log of certificates with four public witnesses. */
#define REAL_BODY                                    \
	"arche2025h1.staging.ct.transparency.dev\n"  \
	"1432088532\n"                               \
	"U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4R" \
	"o=\n"
#define REAL_TIME 1779573024 /* 0x6a122120 */
#define REAL                                                                   \
	REAL_BODY                                                              \
	"\n" DASH "arche2025h1.staging.ct.transparency.dev "                   \
	"zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkp" \
	"tQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n" DASH              \
	"arche2025h1.staging.ct.transparency.dev "                             \
	"ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g" \
	"8Ei59RA23oHP7Ry1k3ZFWwQ=\n" DASH                                      \
	"transparency.dev/DEV:witness-little-garden "                          \
	"2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4Ascy" \
	"lP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n" DASH                          \
	"witness1.smartit.nu/witness1 "                                        \
	"pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5" \
	"hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n" DASH "remora.n621.de "        \
	"2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVC" \
	"IobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n" DASH "witness.stagemole.eu "  \
	"Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJ" \
	"mIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n"
#define REAL_LOG                                            \
	"arche2025h1.staging.ct.transparency.dev+ba2f06c0+" \
	"AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
static const char *const real_witnesses[] = {
	"transparency.dev/DEV:witness-little-garden+d8042a87+"
	"BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
	"witness1.smartit.nu/witness1+a48c820f+"
	"BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
	"remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
	"witness.stagemole.eu+67f7aea0+"
	"BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
};

static struct tf_vkey
cosigner(const char *text)
{
	struct tf_vkey k;

	ck_assert_int_eq(TF_OK,
	    tf_cosign_vkey_parse(text, strlen(text), &k, NULL));
	return k;
}

static enum tf_code
check_by(const char *key, const char *note, size_t n, uint64_t *time)
{
	struct tf_vkey k = cosigner(key);
	/* Exactly n bytes: a sanitizer sees one read too many. */
	char *exact = calloc(1, n ? n : 1);
	enum tf_code rc;

	memcpy(exact, note, n);
	rc = tf_cosign_check(&k, exact, n, time, NULL);
	free(exact);
	return rc;
}

static enum tf_code
check(const char *note)
{
	uint64_t time;

	return check_by(WITNESS_KEY, note, strlen(note), &time);
}

START_TEST(the_key_of_a_cosigner_is_written_and_read)
{
	struct tf_key *key = key_of(SEED_WITNESS);
	struct tf_buf b = { 0 };
	struct tf_pubkey pub;
	struct tf_vkey k;

	tf_key_public(key, &pub);
	tf_cosign_vkey_make(&k, "witness.example/w1", &pub);
	tf_vkey_text(&k, &b);
	ck_assert_str_eq(WITNESS_KEY, b.p);
	k = cosigner(WITNESS_KEY);
	ck_assert_int_eq(TF_VKEY_COSIGNER, k.type);
	ck_assert_str_eq("witness.example/w1", k.name);
	ck_assert_mem_eq(pub.b, k.pub.b, TF_PUBKEY_LEN);
	tf_buf_free(&b);
	tf_key_free(key);
}
END_TEST

/* The keys of transparency-dev/formats: one native, the others refused. */
START_TEST(only_keys_of_cosigners_are_read)
{
	static const char *const bad[] = { "", "+", "a+b+c", LOG_KEY,
		"TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
		"bananas.sigstore.dev+12344556",
		"rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!",
		"rekor.sigstore.dev+12345678+AwEB", WITNESS_KEY " ",
		WITNESS_KEY "\n",
		"witness.example/w1+04d2d834+"
		"BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM",
		"witness.example/w2+04d2d833+"
		"BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM",
		"witness example/w1+04d2d833+"
		"BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM" };
	struct tf_vkey k;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(tf_cosign_vkey_parse(bad[i], strlen(bad[i]), &k,
				  NULL) == TF_INVALID,
		    "%s was taken", bad[i]);
	ck_assert_int_eq(TF_INVALID,
	    tf_vkey_parse(WITNESS_KEY, strlen(WITNESS_KEY), &k, NULL));
}
END_TEST

START_TEST(the_worked_example_is_cosigned_byte_for_byte)
{
	struct tf_key *key = key_of(SEED_WITNESS);
	struct tf_buf b = { 0 };

	tf_buf_str(&b, BODY "\n" LOG_LINE);
	ck_assert_int_eq(TF_OK,
	    tf_cosign_line(key, "witness.example/w1", TIME, str_of(BODY), &b,
		NULL));
	ck_assert_str_eq(BODY "\n" LOG_LINE LINE, b.p);
	tf_buf_free(&b);
	tf_key_free(key);
}
END_TEST

START_TEST(no_cosignature_has_a_wrong_name_or_time)
{
	static const char *const bad[] = { "", "a b", "a+b", "cosignature/v1",
		"a\nb" };
	struct tf_key *key = key_of(SEED_WITNESS);
	struct tf_buf b = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(TF_INVALID,
		    tf_cosign_line(key, bad[i], TIME, str_of(BODY), &b, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_cosign_line(key, "w", (uint64_t)1 << 63, str_of(BODY), &b,
		NULL));
	ck_assert_int_eq(TF_OK,
	    tf_cosign_line(key, "w", INT64_MAX, str_of(BODY), &b, NULL));
	tf_buf_free(&b);
	tf_key_free(key);
}
END_TEST

START_TEST(the_cosignatures_of_public_witnesses_are_right)
{
	struct tf_vkey log;
	struct tf_checkpoint c;

	ck_assert_int_eq(TF_OK,
	    tf_vkey_parse(REAL_LOG, strlen(REAL_LOG), &log, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_checkpoint_check(REAL, strlen(REAL), &log, &c, NULL));
	ck_assert_uint_eq(1432088532, c.size);
	for (size_t i = 0; i < sizeof(real_witnesses) / sizeof(char *); i++) {
		uint64_t time = 0;

		ck_assert_int_eq(TF_OK,
		    check_by(real_witnesses[i], REAL, strlen(REAL), &time));
		ck_assert_uint_eq(REAL_TIME, time);
	}
}
END_TEST

START_TEST(a_cosignature_is_of_its_body_key_and_time)
{
	ck_assert_int_eq(TF_OK, check(BODY "\n" LOG_LINE LINE));
	ck_assert_int_eq(TF_OK, check(BODY "\n" LINE LOG_LINE));
	/* The log's signature is checked elsewhere. */
	ck_assert_int_eq(TF_OK, check(BODY "\n" LINE));
	ck_assert_int_eq(TF_NOTFOUND, check(BODY "\n" LOG_LINE));
	ck_assert_int_eq(TF_NOTFOUND, check(REAL));
	ck_assert_int_eq(TF_TAMPER, check(REAL_BODY "\n" LINE));
	/* One second later, and a time that no clock has. */
	ck_assert_int_eq(TF_TAMPER,
	    check(BODY "\n" DASH
		       "witness.example/w1 BNLYMwAAAABrA/KBFALW6Kbvwhc2xhBz4Gx"
		       "QmLFgYvWgUmsd751Fw91m5xfDDK9ZGs64xOZX7l63yzDWqRyENz3M"
		       "sUR6PaLlQh+eAA==\n"));
	ck_assert_int_eq(TF_TAMPER,
	    check(BODY "\n" DASH
		       "witness.example/w1 BNLYM4AAAABrA/KAFALW6Kbvwhc2xhBz4Gx"
		       "QmLFgYvWgUmsd751Fw91m5xfDDK9ZGs64xOZX7l63yzDWqRyENz3M"
		       "sUR6PaLlQh+eAA==\n"));
	/* Of another length; and wrong beside a right one. */
	ck_assert_int_eq(TF_TAMPER,
	    check(BODY "\n" DASH "witness.example/w1 BNLYMwAA\n"));
	ck_assert_int_eq(TF_TAMPER,
	    check(BODY "\n" LINE DASH "witness.example/w1 BNLYMwAA\n"));
	ck_assert_int_eq(TF_TAMPER,
	    check(BODY "\n" DASH "witness.example/w1 BNLYMwAA\n" LINE));
}
END_TEST

START_TEST(the_newest_of_several_times_counts)
{
	static const uint64_t times[] = { 7, 11, 9 };
	struct tf_key *key = key_of(SEED_WITNESS);
	struct tf_buf b = { 0 };
	uint64_t time;

	tf_buf_str(&b, BODY "\n");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		ck_assert_int_eq(TF_OK,
		    tf_cosign_line(key, "witness.example/w1", times[i],
			str_of(BODY), &b, NULL));
	ck_assert_int_eq(TF_OK, check_by(WITNESS_KEY, b.p, b.n, &time));
	ck_assert_uint_eq(11, time);
	tf_buf_free(&b);
	tf_key_free(key);
}
END_TEST

/* A key of a log has signed the text alone: it must not count as a witness,
 * nor a witness as the log. */
START_TEST(keys_of_the_other_type_are_refused)
{
	struct tf_vkey w = cosigner(WITNESS_KEY), log;
	struct tf_checkpoint c;
	uint64_t time;

	ck_assert_int_eq(TF_OK,
	    tf_vkey_parse(LOG_KEY, strlen(LOG_KEY), &log, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_cosign_check(&log, BODY "\n" LOG_LINE LINE,
		strlen(BODY "\n" LOG_LINE LINE), &time, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_checkpoint_check(BODY "\n" LOG_LINE LINE,
		strlen(BODY "\n" LOG_LINE LINE), &w, &c, NULL));
}
END_TEST

static const char *const malformed[] = { "", "\n", "\n\n", BODY, BODY "\n",
	BODY LINE, "\n" LINE, BODY "\n" LINE "\n", BODY "\n" LINE "x",
	BODY "\n\n" LINE, BODY "ext\n\n" LINE, "a\n02\nAAAA\n\n" LINE,
	BODY "\n" DASH "witness.example/w1\n",
	BODY "\n" DASH "witness.example/w1 BNLYMw==\n",
	BODY "\n" DASH "witness.example/w1 !\n", BODY "\n" LINE "\x01",
	BODY "\n" LINE DASH "\xff AAAAAAAA\n" };

START_TEST(a_malformed_note_has_no_cosignature)
{
	ck_assert_msg(check(malformed[_i]) == TF_INVALID, "taken: %s",
	    malformed[_i]);
}
END_TEST

START_TEST(every_bit_of_a_cosigned_note_counts)
{
	char note[] = BODY "\n" LINE;
	size_t n = sizeof(note) - 1;
	uint64_t time;

	for (size_t bit = 0; bit < n * 8; bit++) {
		note[bit / 8] ^= (char)(1 << bit % 8);
		must(check_by(WITNESS_KEY, note, n, &time) != TF_OK);
		note[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t k = 0; k < n; k++)
		must(check_by(WITNESS_KEY, note, k, &time) != TF_OK);
	ck_assert_int_eq(TF_OK, check_by(WITNESS_KEY, note, n, &time));
}
END_TEST

static enum tf_code
verify_text(void *arg, struct tf_str body, const struct tf_note_line *line,
    const struct tf_vkey *k)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_TAMPER;

	(void)arg;
	if (tf_unbase64(line->b64.p, line->b64.n, &b) && b.n == 4 + TF_SIG_LEN)
		rc = tf_key_verify(&k->pub, body.p, body.n,
		    (const uint8_t *)b.p + 4);
	tf_buf_free(&b);
	return rc;
}

/* The notes that c2sp.org/signed-note and Go's x/mod publish: no checkpoints. */
START_TEST(published_notes_are_split_and_verified)
{
	static const struct {
		const char *key, *body, *lines;
	} notes[] = {
		{ "example.com/foo+530d903a+"
		  "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		    "This is an example message.\n",
		    DASH "example.com/foo "
			 "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Z"
			 "tg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n" },
		{ "PeterNeumann+c74f20a3+"
		  "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		    "If you think cryptography is the answer to your "
		    "problem,\nthen you don't know what your problem is.\n",
		    DASH "PeterNeumann "
			 "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN"
			 "1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n" },
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		struct tf_buf b = { 0 };
		struct tf_note note;
		struct tf_vkey k;

		ck_assert_int_eq(TF_OK,
		    tf_vkey_parse(notes[i].key, strlen(notes[i].key), &k,
			NULL));
		tf_buf_printf(&b, "%s\n%s", notes[i].body, notes[i].lines);
		ck_assert(tf_note_split(b.p, b.n, &note));
		assert_same(notes[i].body, strlen(notes[i].body), note.body.p,
		    note.body.n);
		ck_assert_int_eq(TF_OK,
		    tf_note_verify(&note, &k, verify_text, NULL));
		b.p[0] ^= 1;
		ck_assert_int_eq(TF_TAMPER,
		    tf_note_verify(&note, &k, verify_text, NULL));
		tf_buf_free(&b);
	}
}
END_TEST

/* The text of a note may hold empty lines: it ends at the last one. */
START_TEST(a_note_is_split_at_its_last_empty_line)
{
	const char *text = "a\n\nb\n\n" LINE;
	struct tf_note note;

	ck_assert(tf_note_split(text, strlen(text), &note));
	assert_same("a\n\nb\n", 5, note.body.p, note.body.n);
	assert_same(LINE, strlen(LINE), note.lines.p, note.lines.n);
}
END_TEST

Suite *
suite_cosign(void)
{
	Suite *s = suite_create("cosign");
	TCase *t = tcase_create("cosign");

	tcase_add_test(t, the_key_of_a_cosigner_is_written_and_read);
	tcase_add_test(t, only_keys_of_cosigners_are_read);
	tcase_add_test(t, the_worked_example_is_cosigned_byte_for_byte);
	tcase_add_test(t, no_cosignature_has_a_wrong_name_or_time);
	tcase_add_test(t, the_cosignatures_of_public_witnesses_are_right);
	tcase_add_test(t, a_cosignature_is_of_its_body_key_and_time);
	tcase_add_test(t, the_newest_of_several_times_counts);
	tcase_add_test(t, keys_of_the_other_type_are_refused);
	tcase_add_loop_test(t, a_malformed_note_has_no_cosignature, 0,
	    (int)(sizeof(malformed) / sizeof(malformed[0])));
	tcase_add_test(t, every_bit_of_a_cosigned_note_counts);
	tcase_add_test(t, published_notes_are_split_and_verified);
	tcase_add_test(t, a_note_is_split_at_its_last_empty_line);
	suite_add_tcase(s, t);
	return s;
}
