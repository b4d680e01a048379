/* The encoder: what it writes, what it refuses, and the longest entry. */
#include <check.h>
#include <string.h>

#include "../../core/ledger/actor_json.h"
#include "../../core/ledger/entry_write.h"
#include "entry_lines.h"
#include "vectors.h"

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

Suite *suite_entry_write(void);

Suite *
suite_entry_write(void)
{
	Suite *s = suite_create("entry_write");
	TCase *t = tcase_create("write");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_small_entry_is_written);
	tcase_add_test(t, what_the_reader_would_refuse_is_not_written);
	tcase_add_test(t, the_longest_entry_fits);
	suite_add_tcase(s, t);
	return s;
}
