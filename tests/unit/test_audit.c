/* Verifying a proof with only the key and an earlier checkpoint (I6). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/audit/audit.h"
#include "../../core/audit/evaluation.h"
#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/evaluation.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/entry.h"
#include "../../core/ledger/proof.h"
#include "../../core/ledger/replay.h"
#include "../../core/ledger/sums.h"
#include "../../core/node/vault_i.h"
#include "../../core/vault.h"
#include "../../core/verify.h"
#include "vectors.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static char dir[256], said[1024];
static struct tf_buf vkey, proof, held, forked;

static void
sh(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* Opened and closed once more; a proof of entry 2 and the checkpoint. */
static void
go_on(const char *path, struct tf_buf *p, struct tf_buf *head)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = &root,
		.moved = true /* the fork is a copy */ };
	struct tf_vault *v;

	OK(tf_vault_open(path, &o, &v, NULL));
	OK(tf_vault_prove_entry(v, 2, p, NULL));
	OK(tf_vault_checkpoint(v, head, NULL));
	OK(tf_vault_close(v, "done", NULL));
}

static void
make_store(void)
{
	const char *tmp = getenv("TMPDIR");
	struct tf_buf other = { 0 };

	/* What a failed test leaves there, tests/run removes. */
	snprintf(dir, sizeof(dir), "%.200s/audit.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	OK(tf_vault_init("store", "example.org/audit", &root, &vkey, NULL));
	tf_buf_add(&vkey, "", 1);
	sh("cp -a store fork");
	go_on("store", &proof, &held);
	go_on("fork", &other, &forked);
	tf_buf_free(&other);
}

static void
remove_store(void)
{
	tf_buf_free(&vkey);
	tf_buf_free(&proof);
	tf_buf_free(&held);
	tf_buf_free(&forked);
	sh("rm -rf store fork");
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n",
	    f->text);
}

static enum tf_code
check(const struct tf_buf *p, const char *key, const char *file,
    struct tf_str earlier, struct tf_report *r)
{
	struct tf_verify v = { .vkey = key,
		.earlier = earlier,
		.found = found };

	said[0] = '\0';
	return tf_verify_proof(p->p, p->n, file, &v, r, NULL);
}

static struct tf_str
str(const struct tf_buf *b)
{
	return (struct tf_str){ b->p, b->n };
}

static const struct tf_str nothing;

START_TEST(a_proof_holds_with_the_key_and_not_without)
{
	struct tf_report r;

	OK(check(&proof, vkey.p, NULL, nothing, &r));
	ck_assert_uint_eq(0, r.findings);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_TREE]);
	ck_assert_int_eq(TF_USAGE, check(&proof, NULL, NULL, nothing, &r));
	ck_assert_int_eq(TF_INVALID, check(&proof, "x", NULL, nothing, &r));
}
END_TEST

/* Its entry left out, or its index another. */
START_TEST(an_altered_proof_does_not_hold)
{
	struct tf_tlog_proof p;
	struct tf_buf b = { 0 };
	struct tf_report r;

	OK(tf_tlog_proof_parse(proof.p, proof.n, &p, NULL));
	tf_tlog_proof_write(&b, p.index, &p.path, nothing, p.note);
	ck_assert_int_eq(TF_INVALID, check(&b, vkey.p, NULL, nothing, &r));
	b.n = 0;
	tf_tlog_proof_write(&b, 1, &p.path, str(&p.extra), p.note);
	OK(check(&b, vkey.p, NULL, nothing, &r));
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_TREE]);
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_ENTRIES]);
	b.n = 0;
	tf_tlog_proof_write(&b, p.index, &p.path, str_of("{}"), p.note);
	OK(check(&b, vkey.p, NULL, nothing, &r));
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_TREE]);
	ck_assert_ptr_nonnull(strstr(said, "malformed"));
	tf_tlog_proof_free(&p);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_proof_of_no_file_vouches_for_none)
{
	struct tf_report r;

	OK(check(&proof, vkey.p, "store/config", nothing, &r));
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_CONTENTS]);
	ck_assert_ptr_nonnull(strstr(said, "about no file"));
	ck_assert_int_eq(TF_NOTFOUND,
	    check(&proof, vkey.p, "gone", nothing, &r));
}
END_TEST

/* A proof alone can be compared with a checkpoint of its own size only. */
START_TEST(a_held_checkpoint_reveals_a_forked_log)
{
	struct tf_report r;

	OK(check(&proof, vkey.p, NULL, str(&held), &r));
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_EARLIER]);
	OK(check(&proof, vkey.p, NULL, str(&forked), &r));
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_EARLIER]);
	ck_assert_ptr_nonnull(strstr(said, "two stories"));
	forked.n = held.n = 0;
	go_on("store", &forked, &held);
	OK(check(&proof, vkey.p, NULL, str(&held), &r));
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_EARLIER]);
	ck_assert_int_eq(TF_INVALID,
	    check(&proof, vkey.p, NULL, str_of("x"), &r));
}
END_TEST

/* The same key under another name, of another length or the same. */
START_TEST(a_proof_of_another_log_vouches_for_nothing)
{
	static const char *const names[] = { "example.org/x",
		"example.org/AUDIT" };
	struct tf_buf other = { 0 };
	struct tf_report r;
	struct tf_pubkey pub;
	struct tf_vkey k;

	OK(tf_vkey_parse(vkey.p, vkey.n - 1, &k, NULL));
	pub = k.pub;
	tf_vkey_make(&k, names[_i], &pub);
	tf_vkey_text(&k, &other);
	tf_buf_add(&other, "", 1);
	OK(check(&proof, other.p, NULL, nothing, &r));
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_SIGNATURE]);
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_ENTRIES]);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_TREE]);
	ck_assert_ptr_nonnull(strstr(said, "another place or ledger"));
	tf_buf_free(&other);
}
END_TEST

Suite *suite_audit(void);

/* --- evidence that checks judged ------------------------------------------- */

#define PASSES "<testsuite><testcase name=\"a\"/></testsuite>"
#define FAILS \
	"<testsuite><testcase name=\"a\"><failure/></testcase></testsuite>"

/* An attestation with one JUnit report, whose evidence `is`. */
struct attested {
	const char *is;
	struct tf_subject_file file;
	struct tf_evaluation found;
	bool given;
};

static enum tf_code
read_it(void *arg, const struct tf_subject_file *f, const struct tf_sink *sink,
    struct tf_error *err)
{
	struct attested *x = arg;

	(void)f;
	return sink->put(sink->arg, x->is, strlen(x->is), err);
}

static enum tf_code
its_report(void *arg, struct tf_buf *out, struct tf_error *err)
{
	struct attested *x = arg;

	tf_buf_add(out, x->found.report.p, x->found.report.n);
	return tf_buf_end(out, err);
}

static enum tf_code
its_type(void *arg, struct tf_str name, uint64_t version, struct tf_buf *out,
    struct tf_error *err)
{
	(void)arg;
	(void)name;
	(void)version;
	(void)out;
	return tf_fail(err, TF_NOTFOUND, "there is none");
}

static enum tf_code
next_one(void *arg, struct tf_judged_file *f, bool *found, struct tf_error *err)
{
	struct attested *x = arg;

	(void)err;
	*found = !x->given;
	x->given = true;
	*f = (struct tf_judged_file){ x->file.name, x->file.size,
		&x->file.sha256 };
	return TF_OK;
}

static enum tf_code
read_one(void *arg, const struct tf_sink *sink, struct tf_error *err)
{
	return read_it(arg, NULL, sink, err);
}

static struct attested
attest(const char *text)
{
	struct attested x = { .is = text,
		.file = { .name = { "r.xml", 5 }, .size = strlen(text) } };
	const struct tf_judged_files files = { next_one, read_one, &x };

	tf_sha256(text, strlen(text), &x.file.sha256);
	OK(tf_evaluate(NULL, &files, &x.found, NULL));
	return x;
}

/* Judge x again, whose seal says what it found. */
static struct tf_report
again(struct attested *x, bool compliant)
{
	struct tf_verify v = { .threads = 1 };
	struct tf_report r = {
		.check = { [TF_CHECK_EVALUATION] = TF_VERDICT_ABSENT }
	};
	struct tf_audit a = { .v = &v, .r = &r };
	struct tf_replay_effect effect = { .has_statement = true,
		.statement = { .evidence.count = 1, .files = &x->file } };
	const struct tf_audit_judged from = { its_type, its_report, read_it,
		x };
	struct tf_entry e = { .path = { "t/w/a", 5 } };
	struct tf_buf field = { 0 };
	struct tf_hash h;
	char hex[65];

	tf_sha256(x->found.report.p, x->found.report.n, &h);
	tf_hex(h.b, sizeof(h.b), hex);
	tf_buf_printf(&field,
	    "{\"compliant\":%s,\"counts\":%.*s,\"report\":{\"sha256\":\"%s\","
	    "\"size\":%zu},\"rule\":\"junit\"}",
	    compliant ? "true" : "false", (int)x->found.counts.n,
	    x->found.counts.p, hex, x->found.report.n);
	e.evaluated = (struct tf_str){ field.p, field.n };
	OK(tf_audit_evaluate(&a, &e, &effect, &from, NULL));
	tf_buf_free(&field);
	tf_buf_free(&a.shown);
	return r;
}

#define IS(report, verdict, n)                                            \
	do {                                                              \
		struct tf_report r_ = (report);                           \
		ck_assert_int_eq(verdict, r_.check[TF_CHECK_EVALUATION]); \
		ck_assert_uint_eq(n, r_.judged);                          \
		ck_assert_uint_eq((verdict) == TF_VERDICT_FAILED,         \
		    r_.findings);                                         \
	} while (0)

START_TEST(a_report_must_follow_from_its_evidence)
{
	struct attested good = attest(PASSES), bad = attest(FAILS), x;
	struct tf_evaluation refused = { 0 };

	IS(again(&good, true), TF_VERDICT_OK, 1);
	IS(again(&bad, false), TF_VERDICT_OK, 1);
	IS(again(&bad, true), TF_VERDICT_FAILED, 1);
	/* The report of other evidence. */
	x = bad;
	x.found = good.found;
	IS(again(&x, true), TF_VERDICT_FAILED, 1);
	/* Another text with the same verdict and counts. */
	good.found.report.p[good.found.report.n / 2] ^= 1;
	IS(again(&good, true), TF_VERDICT_FAILED, 1);
	good.found.report.p[good.found.report.n / 2] ^= 1;
	/* Altered evidence is another finding. */
	x = good;
	x.is = FAILS;
	IS(again(&x, true), TF_VERDICT_ABSENT, 0);
	/* The seal could not judge, and nobody can tell why. */
	OK(tf_evaluate_refused(true, "the evidence cannot be read", &refused,
	    NULL));
	x = good;
	x.found = refused;
	IS(again(&x, false), TF_VERDICT_ABSENT, 0);
	tf_evaluation_free(&refused);
	tf_evaluation_free(&good.found);
	tf_evaluation_free(&bad.found);
}
END_TEST

Suite *
suite_audit(void)
{
	Suite *s = suite_create("audit");
	TCase *t = tcase_create("proofs");

	tcase_add_checked_fixture(t, make_store, remove_store);
	tcase_add_test(t, a_proof_holds_with_the_key_and_not_without);
	tcase_add_test(t, an_altered_proof_does_not_hold);
	tcase_add_test(t, a_proof_of_no_file_vouches_for_none);
	tcase_add_test(t, a_held_checkpoint_reveals_a_forked_log);
	tcase_add_loop_test(t, a_proof_of_another_log_vouches_for_nothing, 0,
	    2);
	tcase_add_test(t, a_report_must_follow_from_its_evidence);
	suite_add_tcase(s, t);
	return s;
}
