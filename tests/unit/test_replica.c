/* A replica is the store that it was made from, for all that is in the ledger,
 * and refuses what does not fit. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/verify.h"
#include "../bitflip/bitflip.h"
#include "replicate.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static char dir[256];
static struct tf_buf vkey;
static struct tf_error err;

static void
sh(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
set_up(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.200s/replica.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	vkey = (struct tf_buf){ 0 };
	make_rich("store", &vkey);
}

static void
tear_down(void)
{
	tf_buf_free(&vkey);
	sh("rm -rf ./*");
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

static char said[4096];

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s|%s|%s\n",
	    tf_check_name(f->check), f->path, f->text);
}

static void
is_whole(const char *path)
{
	struct tf_verify v = { .vkey = vkey.p, .threads = 1, .found = found };
	struct tf_report r;

	said[0] = '\0';
	OK(tf_verify_store(path, &v, &r, &err));
	ck_assert_str_eq("", said);
	for (int i = 0; i < TF_CHECKS; i++)
		ck_assert_int_ne(TF_VERDICT_FAILED, r.check[i]);
}

/* Both show the same: entries, proofs, names, attributes and bytes. */
static void
shows_the_same(const char *a, const char *b)
{
	struct tf_buf x = { 0 }, y = { 0 };
	size_t at = 0;

	ck_assert(show_store(a, &x));
	ck_assert(show_store(b, &y));
	while (at < x.n && at < y.n && x.p[at] == y.p[at])
		at++;
	ck_assert_msg(at == x.n && at == y.n, "%s shows %.200s, %s %.200s", a,
	    x.p + at, b, y.p + at);
	tf_buf_free(&x);
	tf_buf_free(&y);
}

static const uint64_t batches[] = { 0, 1, 7 };

START_TEST(a_replica_shows_what_its_source_shows)
{
	enum tf_code rc = replicate("store", "mirror", batches[_i], &err);

	ck_assert_msg(rc == TF_OK, "%s", err.text);
	is_whole("store");
	is_whole("mirror");
	shows_the_same("store", "mirror");
}
END_TEST

Suite *
suite_replica(void)
{
	Suite *s = suite_create("replica");
	TCase *t = tcase_create("replica");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, a_replica_shows_what_its_source_shows, 0, 3);
	suite_add_tcase(s, t);
	return s;
}
