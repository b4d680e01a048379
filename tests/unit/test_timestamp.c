/* Time stamps of RFC 3161, made by openssl(1): tests/tsa. */
#include <check.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/base/bytes.h"
#include "../../core/base/file.h"
#include "../../core/base/timestamp.h"
#include "../../core/buffer.h"
#include "../../core/store/config_file.h"

#define NOTE                                             \
	"example.org/vault\n7\n"                         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" \
	"\n\xe2\x80\x94 example.org/vault AAAA\n"

static char dir[] = "/tmp/trailfs-tsa-XXXXXX";
static struct tf_str note = { NOTE, sizeof(NOTE) - 1 };
static struct tf_error err;

/* Run a command of the shell with $T, the script, and $D, the authority. */
static void
shell(const char *command)
{
	ck_assert_int_eq(0, setenv("T", TF_TSA, 1));
	ck_assert_int_eq(0, setenv("D", dir, 1));
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
write_file(const char *name, const void *p, size_t n)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	ck_assert_uint_eq(n, fwrite(p, 1, n, f));
	ck_assert_int_eq(0, fclose(f));
}

/* The file, for the caller to free. */
static struct tf_buf
read_file(const char *name)
{
	struct tf_buf b = { 0 };
	char path[128], part[4096];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "r"));
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		tf_buf_add(&b, part, n);
	ck_assert_int_eq(0, fclose(f));
	return b;
}

static void
set_up(void)
{
	struct tf_buf q = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(dir));
	shell("rmdir $D && $T make $D");
	write_file("note", note.p, note.n);
	ck_assert_int_eq(TF_OK, tf_stamp_request(note, &q, &err));
	write_file("request", q.p, q.n);
	tf_buf_free(&q);
}

static void
tear_down(void)
{
	shell("rm -r $D");
}

/* Check the response in the file name. */
static enum tf_code
check(const char *name, const char *chain, const char *trusted, bool answer,
    struct tf_stamp *s, struct tf_buf *pem)
{
	struct tf_buf token = read_file(name), c = { 0 }, t = { 0 };
	struct tf_stamp_check k = { .note = note, .answer = answer };
	enum tf_code rc;

	if (chain != NULL)
		c = read_file(chain);
	if (trusted != NULL)
		t = read_file(trusted);
	k.token = tf_buf_bytes(&token);
	k.chain = tf_buf_bytes(&c);
	if (trusted != NULL)
		k.trusted = tf_buf_bytes(&t);
	memset(&err, 0, sizeof(err));
	rc = tf_stamp_check(&k, s, pem, &err);
	tf_buf_free(&token);
	tf_buf_free(&c);
	tf_buf_free(&t);
	return rc;
}

/* The response is refused in itself, and also with trusted certificates. */
static void
refused(const char *name, const char *chain, enum tf_code code, const char *why)
{
	struct tf_stamp s;

	ck_assert_int_eq(code, check(name, chain, "root.pem", false, &s, NULL));
	ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
	ck_assert_int_eq(code, check(name, chain, NULL, false, &s, NULL));
	ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

START_TEST(an_answer_is_accepted_with_the_certificate_of_the_verifier)
{
	struct tf_stamp s;
	struct tf_buf pem = { 0 };

	shell("$T answer $D good <$D/request >$D/answer");
	ck_assert_int_eq(TF_OK,
	    check("answer", "chain.pem", "root.pem", true, &s, &pem));
	ck_assert_str_eq("CN=good,O=Test", s.authority);
	ck_assert(s.whole_chain);
	ck_assert_uint_eq(1500100000, s.accuracy_ns);
	ck_assert_int_gt(s.at.s, 1600000000);
	ck_assert_int_eq(2524608000, s.ends.s);
	/* The chain that is kept is enough, and openssl says so too. */
	write_file("kept.pem", pem.p, pem.n);
	tf_buf_free(&pem);
	ck_assert_int_eq(TF_OK,
	    check("answer", "kept.pem", "root.pem", true, &s, NULL));
	shell("openssl ts -verify -data $D/note -in $D/answer "
	      "-untrusted $D/kept.pem -CAfile $D/root.pem >$D/said 2>&1");
	/* Without the middle of the chain nobody trusted is above it. */
	ck_assert_int_eq(TF_FOREIGN,
	    check("answer", NULL, "root.pem", true, &s, NULL));
	ck_assert_int_eq(TF_FOREIGN,
	    check("answer", "chain.pem", "foreign-root.pem", true, &s, NULL));
}
END_TEST

START_TEST(a_stamp_without_trusted_certificates_is_only_sound)
{
	struct tf_stamp s;

	shell("$T answer $D foreign <$D/request >$D/answer");
	ck_assert_int_eq(TF_OK, check("answer", NULL, NULL, true, &s, NULL));
	ck_assert(!s.whole_chain);
	ck_assert_int_eq(TF_OK,
	    check("answer", "foreign-root.pem", NULL, true, &s, NULL));
	ck_assert(s.whole_chain);
	/* Certificates that have nothing to do with it change nothing. */
	ck_assert_int_eq(TF_OK,
	    check("answer", "chain.pem", NULL, true, &s, NULL));
	ck_assert_int_eq(TF_FOREIGN,
	    check("answer", "foreign-root.pem", "root.pem", true, &s, NULL));
	ck_assert_int_eq(TF_INVALID,
	    check("answer", NULL, "note", true, &s, NULL));
}
END_TEST

START_TEST(an_authority_that_has_expired_since_is_accepted)
{
	struct tf_stamp s;

	shell("$T forge $D old $D/note >$D/answer 2>$D/said");
	ck_assert_int_eq(TF_OK,
	    check("answer", "chain.pem", "root.pem", false, &s, NULL));
	ck_assert_int_eq(1622505600, s.at.s);
	ck_assert_int_eq(TF_OK,
	    check("answer", "chain.pem", NULL, false, &s, NULL));
	shell("$T forge $D late $D/note >$D/answer 2>$D/said");
	ck_assert_int_eq(TF_OK,
	    check("answer", "oldchain.pem", "root.pem", false, &s, NULL));
}
END_TEST

START_TEST(certificates_that_were_expired_at_the_stamp_are_refused)
{
	shell("$T forge $D old $D/note 20230101000000Z >$D/answer 2>$D/said");
	refused("answer", "chain.pem", TF_TAMPER, "expired");
	shell("$T forge $D old $D/note 20190101000000Z >$D/answer 2>$D/said");
	refused("answer", "chain.pem", TF_TAMPER, "not yet valid");
	shell("$T forge $D late $D/note 20230101000000Z >$D/answer 2>$D/said");
	refused("answer", "oldchain.pem", TF_TAMPER, "expired");
}
END_TEST

START_TEST(a_certificate_of_another_purpose_is_refused)
{
	shell("$T forge $D wrong $D/note >$D/answer 2>$D/said");
	refused("answer", "chain.pem", TF_TAMPER,
	    "not for time stamping alone");
	shell("$T forge $D two $D/note >$D/answer 2>$D/said");
	refused("answer", "chain.pem", TF_TAMPER,
	    "not for time stamping alone");
	shell("$T forge $D soft $D/note >$D/answer 2>$D/said");
	refused("answer", "chain.pem", TF_TAMPER, "not critical");
	shell("$T forge $D ca $D/note >$D/answer 2>$D/said");
	refused("answer", "chain.pem", TF_TAMPER,
	    "not for time stamping alone");
}
END_TEST

START_TEST(a_stamp_over_other_bytes_is_refused)
{
	shell("printf x | cat $D/note - >$D/other; "
	      "$T forge $D good $D/other >$D/answer 2>$D/said");
	refused("answer", "chain.pem", TF_TAMPER, "other bytes");
	shell("$T forge $D good $D/note 20210601000000Z - sha1 >$D/answer "
	      "2>$D/said");
	refused("answer", "chain.pem", TF_TAMPER, "SHA-256");
}
END_TEST

START_TEST(only_the_nonce_of_the_request_is_an_answer)
{
	struct tf_stamp s;

	shell("$T forge $D good $D/note 20210601000000Z 0x1234 >$D/answer "
	      "2>$D/said");
	ck_assert_int_eq(TF_TAMPER,
	    check("answer", "chain.pem", "root.pem", true, &s, NULL));
	ck_assert_msg(strstr(err.text, "nonce") != NULL, "%s", err.text);
	ck_assert_int_eq(TF_OK,
	    check("answer", "chain.pem", "root.pem", false, &s, NULL));
	shell("$T forge $D good $D/note >$D/answer 2>$D/said");
	ck_assert_int_eq(TF_TAMPER,
	    check("answer", "chain.pem", "root.pem", true, &s, NULL));
}
END_TEST

START_TEST(a_request_that_was_not_granted_is_no_stamp)
{
	/* An algorithm that the authority does not know. */
	shell("openssl ts -query -data $D/note -sha224 -out $D/bad 2>$D/said; "
	      "$T answer $D good <$D/bad >$D/answer");
	refused("answer", "chain.pem", TF_DENIED, "did not grant");
	/* The token of a good answer under the status of a rejection. */
	shell("$T answer $D good <$D/request >$D/good.tsr; "
	      "{ head -c 8 $D/good.tsr; printf '\\002'; "
	      "tail -c +10 $D/good.tsr; } >$D/answer");
	refused("answer", "chain.pem", TF_INVALID, "not a time stamp");
}
END_TEST

START_TEST(bytes_behind_a_response_are_refused)
{
	shell("$T answer $D good <$D/request >$D/good.tsr; "
	      "{ cat $D/good.tsr; printf x; } >$D/answer");
	refused("answer", "chain.pem", TF_INVALID, "1 bytes follow");
	shell("head -c -1 $D/good.tsr >$D/answer");
	refused("answer", "chain.pem", TF_INVALID, "not a time stamp");
	shell(": >$D/answer");
	refused("answer", "chain.pem", TF_INVALID, "not a time stamp");
	shell("head -c 70000 /dev/zero | cat $D/good.tsr - >$D/answer");
	refused("answer", "chain.pem", TF_INVALID, "too long");
}
END_TEST

/* No byte of a response can be changed without being noticed, except those that
 * nothing signs and that say nothing: the certificates that come with it. */
START_TEST(a_changed_byte_is_refused_or_changes_nothing)
{
	struct tf_buf good, trusted, chain;
	struct tf_stamp_check k = { .note = note };
	struct tf_stamp s, first;
	unsigned refusals = 0, passed = 0;

	shell("$T answer $D good <$D/request >$D/answer");
	good = read_file("answer");
	trusted = read_file("root.pem");
	chain = read_file("chain.pem");
	k.token = tf_buf_bytes(&good);
	k.trusted = tf_buf_bytes(&trusted);
	k.chain = tf_buf_bytes(&chain);
	ck_assert_int_eq(TF_OK, tf_stamp_check(&k, &first, NULL, &err));
	for (size_t i = 0; i < good.n; i++) {
		good.p[i] ^= 1;
		if (tf_stamp_check(&k, &s, NULL, &err) == TF_OK) {
			passed++;
			ck_assert_int_eq(0, tf_time_cmp(first.at, s.at));
			ck_assert_str_eq(first.authority, s.authority);
		} else {
			refusals++;
		}
		good.p[i] ^= 1;
	}
	ck_assert_uint_gt(refusals, good.n * 9 / 10);
	ck_assert_uint_lt(passed, 40);
	tf_buf_free(&good);
	tf_buf_free(&trusted);
	tf_buf_free(&chain);
}
END_TEST

START_TEST(a_request_is_the_same_for_the_same_note_only)
{
	struct tf_buf a = { 0 }, b = { 0 }, c = { 0 };
	struct tf_str other = { NOTE, sizeof(NOTE) - 2 };

	ck_assert_int_eq(TF_OK, tf_stamp_request(note, &a, &err));
	ck_assert_int_eq(TF_OK, tf_stamp_request(note, &b, &err));
	ck_assert_int_eq(TF_OK, tf_stamp_request(other, &c, &err));
	ck_assert(tf_str_same(tf_buf_bytes(&a), tf_buf_bytes(&b)));
	ck_assert_uint_eq(a.n, c.n);
	ck_assert(!tf_str_same(tf_buf_bytes(&a), tf_buf_bytes(&c)));
	tf_buf_free(&a);
	tf_buf_free(&b);
	tf_buf_free(&c);
	/* openssl reads it: the digest, a nonce, and that a certificate is
	 * asked for. */
	shell("openssl ts -query -in $D/request -text >$D/said 2>&1; "
	      "grep -q 'Hash Algorithm: sha256' $D/said && "
	      "grep -q 'Nonce: 0x[4-7]' $D/said && "
	      "grep -q 'Certificate required: yes' $D/said");
}
END_TEST

START_TEST(a_time_may_differ_by_a_minute_and_its_accuracy)
{
	const struct tf_time from = { .s = 2000000000 },
			     to = { .s = 2000001000 };
	struct tf_stamp s = { .at = from };

	ck_assert_int_eq(0, tf_stamp_differs(&s, &from, &to));
	s.at.s = from.s - 60;
	ck_assert_int_eq(0, tf_stamp_differs(&s, &from, &to));
	s.at.s = from.s - 61;
	ck_assert_int_eq(-61, tf_stamp_differs(&s, &from, &to));
	ck_assert_int_eq(0, tf_stamp_differs(&s, NULL, &to));
	s.accuracy_ns = 1000000000;
	ck_assert_int_eq(0, tf_stamp_differs(&s, &from, &to));
	s.at = (struct tf_time){ to.s + 61, 1 };
	ck_assert_int_eq(62, tf_stamp_differs(&s, &from, &to));
	ck_assert_int_eq(0, tf_stamp_differs(&s, &from, NULL));
	/* An accuracy of years excuses an hour. */
	s.accuracy_ns = UINT64_MAX;
	ck_assert_int_eq(0, tf_stamp_differs(&s, &from, &to));
	s.at.s = to.s + 3661;
	ck_assert_int_eq(3662, tf_stamp_differs(&s, &from, &to));
	s.at.s = INT64_MIN;
	ck_assert_int_gt(0, tf_stamp_differs(&s, &from, &to));
	s.at.s = INT64_MAX;
	ck_assert_int_lt(0, tf_stamp_differs(&s, &from, &to));
}
END_TEST

START_TEST(stamps_are_late_after_seven_days)
{
	const struct tf_time now = { .s = 2000000000 };
	struct tf_time received = { .s = now.s - 7 * 86400 };

	ck_assert(!tf_stamps_late(&received, now));
	received.s--;
	ck_assert(tf_stamps_late(&received, now));
	ck_assert(tf_stamps_late(NULL, now));
	/* The earliest of the three times counts. */
	for (int i = 0; i < 3; i++) {
		struct tf_time t[3] = { now, now, now };

		t[i] = received;
		ck_assert(tf_time_cmp(received,
			      tf_stamps_time(t[0], t[1], t[2])) == 0);
	}
	ck_assert(tf_config_is_stamp("stamp", "required"));
	ck_assert(!tf_config_is_stamp("stamp", "Required"));
	ck_assert(!tf_config_is_stamp("stamps", "off"));
	ck_assert(tf_config_is_stamp("stamp_ca", "/ca"));
	ck_assert(!tf_config_is_stamp("stamp_ca", "ca"));
}
END_TEST

Suite *
suite_timestamp(void)
{
	Suite *s = suite_create("timestamp");
	TCase *t = tcase_create("timestamp");

	tcase_add_unchecked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_test(t,
	    an_answer_is_accepted_with_the_certificate_of_the_verifier);
	tcase_add_test(t, a_stamp_without_trusted_certificates_is_only_sound);
	tcase_add_test(t, an_authority_that_has_expired_since_is_accepted);
	tcase_add_test(t,
	    certificates_that_were_expired_at_the_stamp_are_refused);
	tcase_add_test(t, a_certificate_of_another_purpose_is_refused);
	tcase_add_test(t, a_stamp_over_other_bytes_is_refused);
	tcase_add_test(t, only_the_nonce_of_the_request_is_an_answer);
	tcase_add_test(t, a_request_that_was_not_granted_is_no_stamp);
	tcase_add_test(t, bytes_behind_a_response_are_refused);
	tcase_add_test(t, a_changed_byte_is_refused_or_changes_nothing);
	tcase_add_test(t, a_request_is_the_same_for_the_same_note_only);
	tcase_add_test(t, a_time_may_differ_by_a_minute_and_its_accuracy);
	tcase_add_test(t, stamps_are_late_after_seven_days);
	suite_add_tcase(s, t);
	return s;
}
