/*
 * Copies of the newest checkpoint: a database that is behind one of them is not
 * gone on with under the same origin (I3).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/ledger/entry.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/node/vault_i.h"
#include "../../core/vault.h"
#include "../../core/verify.h"
#include "vectors.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static char dir[256];

static void
sh(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
make_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	/* What a failed test leaves there, tests/run removes. */
	snprintf(dir, sizeof(dir), "%.200s/head.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
}

static void
remove_dir(void)
{
	sh("rm -rf store old fork guard config");
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

static void
init(const char *origin)
{
	struct tf_buf vkey = { 0 };

	OK(tf_vault_init("store", origin, &root, &vkey, NULL));
	tf_buf_free(&vkey);
}

static enum tf_code
open_store(const char *path, struct tf_vault **v, struct tf_error *err)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };

	return tf_vault_open(path, &o, v, err);
}

/* Two entries and a checkpoint more, also of a copy. */
static void
go_on(const char *path)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = &root,
		.moved = true };
	struct tf_vault *v;

	OK(tf_vault_open(path, &o, &v, NULL));
	OK(tf_vault_close(v, "done", NULL));
}

/* What --guard-lost does. */
static enum tf_code
open_without_guard(struct tf_error *err)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = &root,
		.guard_lost = true };
	struct tf_vault *v;
	enum tf_code rc = tf_vault_open("store", &o, &v, err);

	return rc == TF_OK ? tf_vault_close(v, "done", err) : rc;
}

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	(void)f;
}

static void
refused(const char *path, enum tf_code code, const char *says)
{
	struct tf_error err = { .code = TF_OK };
	struct tf_vault *v;

	ck_assert_int_eq(code, open_store(path, &v, &err));
	ck_assert_msg(strstr(err.text, says) != NULL, "%s", err.text);
}

/* What verifying says of the copies. */
static enum tf_verdict
earlier(const char *path)
{
	struct tf_verify how = { .threads = 1, .found = found };
	struct tf_report r;

	OK(tf_verify_store(path, &how, &r, NULL));
	return r.check[TF_CHECK_EARLIER];
}

static enum tf_code
recover(const char *origin, struct tf_buf *vkey)
{
	return tf_vault_recover("old", origin, &root, vkey, NULL);
}

/* old/ is store/ as it was before, beside the checkpoint of today. */
static void
put_back(const char *origin)
{
	init(origin);
	sh("cp -a store old");
	go_on("store");
	sh("cp -f store/checkpoint old/checkpoint");
}

/* --- copies ----------------------------------------------------------------- */

START_TEST(the_guard_is_a_copy_on_another_path)
{
	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh("cmp store/checkpoint guard");
	go_on("store");
	sh("cmp store/checkpoint guard");
}
END_TEST

START_TEST(a_guard_that_cannot_be_reached_lets_nobody_write)
{
	init("example.org/head");
	sh("echo \"guard = $PWD/gone/guard\" >>store/config");
	refused("store", TF_IO, "guard");
}
END_TEST

/* Each copy alone tells; the other one was put back with the database. */
START_TEST(an_older_copy_is_found_by_either)
{
	static const char *const where[] = { "STORE/checkpoint", "the guard" };

	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh("cp -a store old");
	go_on("store");
	sh(_i == 0 ? "cp -f store/checkpoint old/; rm -f guard" : ":");
	refused("old", TF_TAMPER, where[_i]);
	refused("old", TF_TAMPER, "an older copy was put back");
}
END_TEST

START_TEST(another_history_of_the_same_length_is_found)
{
	init("example.org/head");
	sh("cp -a store fork");
	go_on("store");
	go_on("fork");
	sh("cp -f fork/checkpoint store/");
	refused("store", TF_TAMPER, "history differs");
}
END_TEST

START_TEST(an_earlier_checkpoint_of_the_same_history_is_none_against_it)
{
	init("example.org/head");
	sh("cp store/checkpoint fork");
	go_on("store");
	sh("cp -f fork store/checkpoint");
	go_on("store");
	sh("! cmp -s fork store/checkpoint");
}
END_TEST

START_TEST(without_a_copy_it_is_written_again)
{
	init("example.org/head");
	sh("rm -f store/checkpoint");
	go_on("store");
	sh("test -s store/checkpoint");
}
END_TEST

/* Empty, signed by nobody, no text, longer than any. */
static const char *const damages[] = {
	": >fork",
	"sed '5s/ [^ ]*$/ AAAAAAA=/' store/checkpoint >fork",
	"printf 'example.org/head\\n\\377\\001\\n' >fork",
	"head -c 70000 /dev/zero >fork",
};
#define DAMAGES (int)(sizeof(damages) / sizeof(*damages))

/* The message names the file; without it, or under another origin, it goes on. */
START_TEST(a_damaged_copy_lets_nobody_write)
{
	struct tf_buf vkey = { 0 };

	init("example.org/head");
	sh(damages[_i]);
	sh("mv -f fork store/checkpoint && cp -a store old");
	refused("store", TF_TAMPER, "STORE/checkpoint is damaged");
	refused("store", TF_TAMPER, "Remove that file");
	refused("store", TF_TAMPER, "init STORE --recover");
	sh("rm -f store/checkpoint");
	go_on("store");
	go_on("store");
	OK(recover(NULL, &vkey));
	tf_buf_add(&vkey, "", 1);
	ck_assert_int_eq(0, strncmp(vkey.p, "example.org/head/2+", 19));
	go_on("old");
	tf_buf_free(&vkey);
}
END_TEST

START_TEST(a_damaged_guard_lets_nobody_write)
{
	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh(damages[_i]);
	sh("mv -f fork guard");
	refused("store", TF_TAMPER, "the guard is damaged");
	refused("store", TF_TAMPER, "init --guard-lost STORE");
	ck_assert_int_eq(TF_TAMPER, open_without_guard(NULL));
	sh("rm -f guard");
	OK(open_without_guard(NULL));
	sh("cmp store/checkpoint guard");
}
END_TEST

/* A guard that was there does not come back in silence: whoever puts back an older
 * copy of the store can remove it too. */
START_TEST(a_guard_that_is_missing_lets_nobody_write)
{
	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh("cp -a store/. old");
	go_on("store");
	sh("cp -a guard fork && cp -af old/. store && rm -f guard");
	refused("store", TF_TAMPER, "the guard is missing, and the last start");
	sh("test ! -e guard");
	sh("cp fork guard");
	refused("store", TF_TAMPER, "an older copy was put back");
	/* A guard that is there was not lost. */
	ck_assert_int_eq(TF_TAMPER, open_without_guard(NULL));
	sh("rm -f guard");
	OK(open_without_guard(NULL));
	sh("cmp store/checkpoint guard");
	ck_assert_int_eq(TF_USAGE, open_without_guard(NULL));
	go_on("store");
}
END_TEST

/* Nor does it help to take its line out of the config, or to name another file. */
START_TEST(the_guard_of_the_last_start_counts)
{
	init("example.org/head");
	sh("cp store/config config");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh("cp -a store/. old");
	go_on("store");
	sh("cp -af old/. store && cp config store/config");
	sh(_i == 0 ? ":" : "echo \"guard = $PWD/fork\" >>store/config");
	refused("store", TF_TAMPER, "an older copy was put back");
	sh("mv guard config");
	refused("store", TF_TAMPER, "the guard is missing, and the last start");
	sh("test ! -e fork");
	/* Moved while the old file is there and fits. */
	sh("cp -f old/checkpoint guard");
	go_on("store");
	sh(_i == 0 ? "test ! -e fork" : "cmp fork store/checkpoint");
	sh("rm -f guard");
	go_on("store");
}
END_TEST

START_TEST(a_guard_in_the_store_is_refused)
{
	static const char *const where[] = { "store/guard", "store/objects/g",
		"fork/guard" };
	char line[128];

	init("example.org/head");
	sh("ln -s store/keys fork");
	snprintf(line, sizeof(line), "echo \"guard = $PWD/%s\" >>store/config",
	    where[_i]);
	sh(line);
	refused("store", TF_USAGE, "the guard is inside the store");
	snprintf(line, sizeof(line), "test ! -e %s", where[_i]);
	sh(line);
}
END_TEST

/* A copy that goes on under a new origin has the key of the original, and with
 * its config the guard. */
START_TEST(a_copy_does_not_take_the_guard_of_the_original)
{
	struct tf_buf vkey = { 0 };

	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh("cp -a store old && cp guard fork");
	ck_assert_int_eq(TF_USAGE, recover(NULL, &vkey));
	sh("cmp guard fork && rm -f fork");
	sh("sed -i \"s|^guard = .*|guard = $PWD/fork|\" old/config");
	OK(recover(NULL, &vkey));
	go_on("old");
	sh("cmp fork old/checkpoint");
	go_on("store");
	/* Each refuses that of the other. */
	sh("cp guard config && cp -f fork guard");
	refused("store", TF_TAMPER, "the guard is of another log");
	sh("cp -f config guard && cp -f fork config && cp -f guard fork");
	refused("old", TF_TAMPER, "the guard is of another log");
	sh("cp -f config fork");
	go_on("old");
	go_on("store");
	tf_buf_free(&vkey);
}
END_TEST

/* The first start after a new origin may find what the guard had before it, if the
 * guard could not be written; no later start. */
START_TEST(a_guard_from_before_the_new_origin_is_accepted_once)
{
	struct tf_buf vkey = { 0 };

	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh("cp -a store/. fork && cp guard config");
	go_on("store");
	sh(_i == 0 ? ":" : "cp -f guard config"); /* what was lost */
	sh("cp store/checkpoint old && cp -af fork/. store && "
	   "mv -f old store/checkpoint");
	OK(tf_vault_recover("store", NULL, &root, &vkey, NULL));
	sh("cmp guard store/checkpoint && cp -f config guard");
	go_on("store");
	sh("cmp guard store/checkpoint && cp -f config guard");
	refused("store", TF_TAMPER, "the guard is of another log");
	tf_buf_free(&vkey);
}
END_TEST

/* Of a log with another name, and of one with the same name and another key. */
START_TEST(a_guard_of_another_store_lets_nobody_write)
{
	static const char *const names[] = { "example.org/other",
		"example.org/head" };
	static const char *const why[] = { "the guard is of another log",
		"the guard is damaged, or of another key" };

	init(names[_i]);
	sh("mv store old && echo \"guard = $PWD/guard\" >>old/config");
	go_on("old");
	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config && cp guard fork");
	refused("store", TF_TAMPER, why[_i]);
	sh("cmp guard fork");
	ck_assert_int_eq(TF_VERDICT_FAILED, earlier("store"));
	sh("rm -f guard");
	go_on("store"); /* it never had one */
	ck_assert_int_ne(TF_VERDICT_FAILED, earlier("store"));
}
END_TEST

/* Verifying finds the guard, and does not need it. */
START_TEST(verify_compares_the_guard)
{
	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh("cp -a store old");
	go_on("store");
	ck_assert_int_ne(TF_VERDICT_FAILED, earlier("store"));
	ck_assert_int_eq(TF_VERDICT_FAILED, earlier("old"));
	sh("mv guard fork");
	ck_assert_int_eq(TF_VERDICT_ABSENT, earlier("old"));
	sh("head -c 300 /dev/urandom >guard");
	ck_assert_int_eq(TF_VERDICT_FAILED, earlier("store"));
	/* The guard of the last start is compared, too, and a file that the config
	 * names and that fits does not replace it. */
	sh("cp old/checkpoint guard");
	sh("cp -a old other && sed -i '/^guard/d' other/config");
	sh("mv guard elsewhere && mv fork guard");
	ck_assert_int_eq(TF_VERDICT_FAILED, earlier("other"));
	sh("echo \"guard = $PWD/elsewhere\" >>other/config");
	ck_assert_int_eq(TF_VERDICT_FAILED, earlier("other"));
	sh("rm guard");
	ck_assert_int_ne(TF_VERDICT_FAILED, earlier("other"));
	sh("rm -rf other elsewhere");
}
END_TEST

/* What status.json says of the guard, once it has this part or after a minute. */
static void
status_says(struct tf_vault *v, const char *part)
{
	struct tf_buf b = { 0 };

	for (int i = 0; i < 1200; i++) {
		b.n = 0;
		OK(tf_vault_status(v, NULL, &b, NULL));
		tf_buf_add(&b, "", 1);
		if (strstr(b.p, part) != NULL)
			break;
		usleep(50000);
	}
	ck_assert_msg(strstr(b.p, part) != NULL, "no %s in %s", part, b.p);
	tf_buf_free(&b);
}

static void
make_trail(struct tf_vault *v, const char *name)
{
	struct tf_attr a;

	OK(tf_vault_mkdir(v, TF_ROOT_ID, name, 0755, &root, &a, NULL));
}

/* Nobody waits for the disk of the guard; the status says that it fails, and when
 * it is well again. */
START_TEST(a_guard_that_cannot_be_written_is_loud_and_stops_nobody)
{
	struct tf_vault *v;

	init("example.org/head");
	sh("mkdir fork && echo \"guard = $PWD/fork/guard\" >>store/config");
	OK(open_store("store", &v, NULL));
	status_says(v, "\"guard\":{\"age\":");
	sh("mv fork old");
	make_trail(v, "a");
	status_says(v, "\"trouble\":\"guard ");
	make_trail(v, "b");
	sh("mv old fork");
	status_says(v, "\"entries\":5,\"path\":");
	make_trail(v, "c");
	OK(tf_vault_close(v, "done", NULL));
	sh("cmp store/checkpoint fork/guard");
	/* It is not lost at the end either. */
	OK(open_store("store", &v, NULL));
	sh("mv fork old");
	make_trail(v, "d");
	OK(tf_vault_close(v, "done", NULL));
	sh("mv old fork");
	go_on("store");
}
END_TEST

/* A clone of a virtual machine: nothing differs but the head in the guard. */
START_TEST(a_guard_finds_a_clone_that_runs)
{
	struct tf_vault *a, *b;

	init("example.org/head");
	sh("echo \"guard = $PWD/guard\" >>store/config");
	go_on("store");
	sh("cp -a store old && cp guard fork");
	OK(open_store("store", &a, NULL));
	status_says(a, "\"entries\":5,\"path\":");
	sh("cp -f fork guard"); /* both have started */
	{
		struct tf_vault_options o = { .program = "trailctl",
			.actor = &root,
			.moved = true };

		OK(tf_vault_open("old", &o, &b, NULL));
	}
	status_says(b, "\"entries\":5,\"path\":");
	make_trail(a, "a");
	status_says(a, "\"trouble\":\"the database is not the ledger of the ");
	sh("cmp guard old/checkpoint");
	OK(tf_vault_close(a, "done", NULL));
	OK(tf_vault_close(b, "done", NULL));
	sh("cmp guard old/checkpoint");
	refused("store", TF_TAMPER, "history differs");
	go_on("old");
}
END_TEST

START_TEST(a_copy_that_cannot_be_read_lets_nobody_write)
{
	init("example.org/head");
	sh("rm -f store/checkpoint && mkdir store/checkpoint");
	refused("store", TF_IO, "read checkpoint");
}
END_TEST

/* --- going on under another origin ------------------------------------------ */

START_TEST(a_new_origin_continues_and_tells_of_both_heads)
{
	struct tf_buf vkey = { 0 }, entry = { 0 };
	struct tf_entry_decoded d;
	uint64_t n, bytes;
	struct tf_vault *v;

	put_back("example.org/head");
	OK(recover(NULL, &vkey));
	tf_buf_add(&vkey, "", 1);
	ck_assert_int_eq(0, strncmp(vkey.p, "example.org/head/2+", 19));
	OK(open_store("old", &v, NULL));
	OK(tf_vault_size(v, &n, &bytes, NULL));
	/* opened closed | opened closed | opened */
	ck_assert_uint_eq(5, n);
	OK(tf_vault_entry(v, 2, &entry, NULL));
	OK(tf_entry_decode(&d, entry.p, entry.n, NULL));
	ck_assert_ptr_nonnull(memmem(d.e.previous.p, d.e.previous.n,
	    "\"head\":\"example.org/head\\n2\\n", 28));
	ck_assert_ptr_nonnull(memmem(d.e.previous.p, d.e.previous.n,
	    "\"lost\":\"example.org/head\\n4\\n", 28));
	tf_entry_decoded_free(&d);
	OK(tf_vault_close(v, "done", NULL));
	/* What another origin signed says nothing of this one. */
	sh("cp -f store/checkpoint old/checkpoint");
	go_on("old");
	tf_buf_free(&vkey);
	tf_buf_free(&entry);
}
END_TEST

/* With signatures of others, of names as long as they like. */
START_TEST(a_lost_head_that_fits_no_entry_is_left_out)
{
	struct tf_buf vkey = { 0 }, entry = { 0 };
	struct tf_entry_decoded d;
	struct tf_vault *v;

	put_back("example.org/head");
	sh("printf '\\342\\200\\224 %04000d AAAAAAA=\\n' 1 >>old/checkpoint");
	OK(recover(NULL, &vkey));
	OK(open_store("old", &v, NULL));
	OK(tf_vault_entry(v, 2, &entry, NULL));
	OK(tf_entry_decode(&d, entry.p, entry.n, NULL));
	ck_assert_ptr_nonnull(memmem(d.e.previous.p, d.e.previous.n,
	    "\"head\":\"example.org/head\\n2\\n", 28));
	ck_assert_ptr_null(memmem(d.e.previous.p, d.e.previous.n, "\"lost\"",
	    6));
	tf_entry_decoded_free(&d);
	OK(tf_vault_close(v, "done", NULL));
	tf_buf_free(&vkey);
	tf_buf_free(&entry);
}
END_TEST

#define X16 "xxxxxxxxxxxxxxxx"
#define X128 X16 X16 X16 X16 X16 X16 X16 X16

static const struct {
	const char *old, *given, *want; /* want NULL: refused */
} origins[] = {
	{ "a", NULL, "a/2" },
	{ "a/b", NULL, "a/b/2" },
	{ "a/2", NULL, "a/3" },
	{ "a/9", NULL, "a/10" },
	{ "a/1", NULL, "a/1/2" },
	{ "a/02", NULL, "a/02/2" },
	{ "a/1000001", NULL, "a/1000001/2" },
	{ X128, NULL, NULL },
	{ X128, "b", "b" },
	{ "a", "b", "b" },
	{ "a", X128, X128 },
	{ "a", "a", NULL },
	{ "a", "", NULL },
	{ "a", "b c", NULL },
	{ "a", X128 "x", NULL },
};

START_TEST(the_new_origin_is_another_one_or_refused)
{
	struct tf_buf vkey = { 0 };

	put_back(origins[_i].old);
	if (origins[_i].want == NULL) {
		ck_assert_int_eq(TF_USAGE, recover(origins[_i].given, &vkey));
		refused("old", TF_TAMPER, "older copy");
	} else {
		size_t n = strlen(origins[_i].want);

		OK(recover(origins[_i].given, &vkey));
		ck_assert_uint_gt(vkey.n, n);
		ck_assert(vkey.p[n] == '+');
		ck_assert_mem_eq(origins[_i].want, vkey.p, n);
		go_on("old");
	}
	tf_buf_free(&vkey);
}
END_TEST

START_TEST(a_store_that_is_whole_keeps_its_origin)
{
	struct tf_buf vkey = { 0 };

	init("example.org/head");
	sh("cp store/checkpoint fork && mv store old");
	ck_assert_int_eq(TF_USAGE, recover(NULL, &vkey));
	sh("echo \"guard = $PWD/gone/guard\" >>old/config");
	ck_assert_int_eq(TF_IO, recover(NULL, &vkey));
	ck_assert_uint_eq(0, vkey.n);
	sh("cmp fork old/checkpoint");
}
END_TEST

Suite *suite_head(void);

Suite *
suite_head(void)
{
	Suite *s = suite_create("head");
	TCase *t = tcase_create("checkpoints");

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, the_guard_is_a_copy_on_another_path);
	tcase_add_test(t, a_guard_that_cannot_be_reached_lets_nobody_write);
	tcase_add_loop_test(t, an_older_copy_is_found_by_either, 0, 2);
	tcase_add_test(t, another_history_of_the_same_length_is_found);
	tcase_add_test(t,
	    an_earlier_checkpoint_of_the_same_history_is_none_against_it);
	tcase_add_test(t, without_a_copy_it_is_written_again);
	tcase_add_loop_test(t, a_damaged_copy_lets_nobody_write, 0, DAMAGES);
	tcase_add_loop_test(t, a_damaged_guard_lets_nobody_write, 0, DAMAGES);
	tcase_add_loop_test(t, a_guard_of_another_store_lets_nobody_write, 0,
	    2);
	tcase_add_test(t, a_guard_that_is_missing_lets_nobody_write);
	tcase_add_loop_test(t, the_guard_of_the_last_start_counts, 0, 2);
	tcase_add_loop_test(t, a_guard_in_the_store_is_refused, 0, 3);
	tcase_add_test(t, a_copy_does_not_take_the_guard_of_the_original);
	tcase_add_loop_test(t,
	    a_guard_from_before_the_new_origin_is_accepted_once, 0, 2);
	tcase_add_test(t, verify_compares_the_guard);
	tcase_add_test(t,
	    a_guard_that_cannot_be_written_is_loud_and_stops_nobody);
	tcase_add_test(t, a_guard_finds_a_clone_that_runs);
	tcase_set_timeout(t, 120); /* a guard against hanging, no more */
	tcase_add_test(t, a_copy_that_cannot_be_read_lets_nobody_write);
	tcase_add_test(t, a_new_origin_continues_and_tells_of_both_heads);
	tcase_add_test(t, a_lost_head_that_fits_no_entry_is_left_out);
	tcase_add_loop_test(t, the_new_origin_is_another_one_or_refused, 0,
	    (int)(sizeof(origins) / sizeof(origins[0])));
	tcase_add_test(t, a_store_that_is_whole_keeps_its_origin);
	suite_add_tcase(s, t);
	return s;
}
