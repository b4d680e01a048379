/* Replay (I5): the tree that entries make, and each rule broken. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/replay.h"
#include "../../core/store/book.h"
#include "vectors.h"

#define LINES 9

struct told {
	unsigned n;
	uint64_t seq;
	char first[200];
};

static void
rule_broken(void *arg, const struct tf_entry *e, const char *text)
{
	struct told *t = arg;

	if (t->n++ == 0) {
		t->seq = e->seq;
		snprintf(t->first, sizeof(t->first), "%s", text);
	}
}

static const struct tf_book_ops book_ops = {
	.add = tf_book_add,
	.put = tf_book_put,
	.get = tf_book_get,
	.each = tf_book_each,
	.cut = tf_book_cut,
};

/* The worked example, one entry changed by hand before it is replayed. */
struct play {
	struct told told;
	struct tf_book *book;
	struct tf_replay *r;
	struct tf_replay_effect last;
	struct tf_entry_decoded d[LINES];
	struct tf_buf text;
};

static void
begin(struct play *p)
{
	struct tf_str rest, line;

	memset(p, 0, sizeof(*p));
	ck_assert_int_eq(TF_OK, tf_book_open(&p->book, NULL));
	p->r = tf_replay_new(&book_ops, p->book, rule_broken, &p->told);
	p->text = read_vector("entries-example.jsonl");
	rest = (struct tf_str){ p->text.p, p->text.n };
	for (int i = 0; i < LINES; i++) {
		ck_assert(take_line(&rest, &line));
		ck_assert_int_eq(TF_OK,
		    tf_entry_decode(&p->d[i], line.p, line.n, NULL));
	}
}

static void
play(struct play *p, int i)
{
	struct tf_buf b = { 0 };
	struct tf_hash leaf = { { 0 } };

	if (tf_entry_encode(&p->d[i].e, &b, NULL) == TF_OK)
		tf_entry_leaf(b.p, b.n, &leaf);
	tf_buf_free(&b);
	ck_assert_int_eq(TF_OK,
	    tf_replay_entry(p->r, &p->d[i].e, &leaf, &p->last, NULL));
}

static void
end(struct play *p)
{
	tf_replay_free(p->r);
	tf_book_close(p->book);
	for (int i = 0; i < LINES; i++)
		tf_entry_decoded_free(&p->d[i]);
	tf_buf_free(&p->text);
}

START_TEST(the_worked_example_obeys_every_rule)
{
	struct play p;

	begin(&p);
	for (int i = 0; i < LINES; i++)
		play(&p, i);
	tf_replay_end(p.r);
	ck_assert_msg(p.told.n == 0, "entry %d: %s", (int)p.told.seq,
	    p.told.first);
	ck_assert_str_eq("example.org/vault", tf_replay_origin(p.r));
	ck_assert_uint_eq(6, tf_replay_names(p.r));
	end(&p);
}
END_TEST

START_TEST(the_expected_statement_is_the_signed_one)
{
	struct tf_buf want = read_vector("entries-example.statement.json");
	struct tf_buf made = { 0 };
	struct play p;

	begin(&p);
	for (int i = 0; i < 8; i++)
		play(&p, i);
	ck_assert(p.last.has_statement);
	ck_assert(tf_time_parse("2026-11-23T07:51:20.699000000Z", 30,
	    &p.last.statement.sealed_at));
	ck_assert_int_eq(TF_OK,
	    tf_statement_encode(&p.last.statement, &made, NULL));
	assert_same(want.p, want.n, made.p, made.n);
	tf_buf_free(&want);
	tf_buf_free(&made);
	end(&p);
}
END_TEST

/* Each breaks one rule; the replay names it at that entry. */
struct fault {
	const char *name;
	int at;
	void (*make)(struct tf_entry *e);
	const char *says;
};

static void
wrong_seq(struct tf_entry *e)
{
	e->seq = 4;
}

static void
wrong_origin(struct tf_entry *e)
{
	e->origin = str_of("example.org/other");
}

static void
not_later(struct tf_entry *e)
{
	e->at = (struct tf_time){ 0, 0 };
}

static void
node_again(struct tf_entry *e)
{
	e->node = 2;
}

static void
name_again(struct tf_entry *e)
{
	e->path = str_of("prod-server-access/ecs-execute-command-0199bb27be8f3"
			 "54b7/user-identity/Übergabe \"7\".txt");
}

static void
no_parent(struct tf_entry *e)
{
	e->path = str_of("prod-server-access/nowhere/user-identity");
}

static void
other_template(struct tf_entry *e)
{
	e->template_version = 2;
}

static void
other_count(struct tf_entry *e)
{
	e->evidence_count = 3;
}

static void
other_sums(struct tf_entry *e)
{
	e->evidence_sums.b[0] ^= 1;
}

static void
other_children(struct tf_entry *e)
{
	e->children_sums.b[31] ^= 1;
}

static void
cut_batch(struct tf_entry *e)
{
	e->has_batch = true;
	e->batch_first = e->seq;
	e->batch_last = e->seq + 1;
}

static void
writable_seal(struct tf_entry *e)
{
	e->access.mode = 0750;
}

static const struct fault faults[] = {
	{ "number", 3, wrong_seq, "number" },
	{ "origin", 5, wrong_origin, "another ledger" },
	{ "time", 6, not_later, "not later" },
	{ "node twice", 6, node_again, "node number was used" },
	{ "name twice", 6, name_again, "name was used" },
	{ "no parent", 4, no_parent, "does not exist" },
	{ "template", 3, other_template, "template" },
	{ "count", 7, other_count, "sums" },
	{ "sums", 7, other_sums, "sums" },
	{ "workflow sums", 8, other_children, "sums" },
	{ "batch cut", 5, cut_batch, "batch" },
	{ "seal with write bits", 7, writable_seal, "write permission" },
};

START_TEST(a_broken_rule_is_named_at_its_entry)
{
	const struct fault *f = &faults[_i];
	struct play p;

	begin(&p);
	f->make(&p.d[f->at].e);
	for (int i = 0; i < LINES; i++)
		play(&p, i);
	ck_assert_msg(p.told.n > 0, "%s passed", f->name);
	ck_assert_msg(strstr(p.told.first, f->says) != NULL, "%s: %s", f->name,
	    p.told.first);
	end(&p);
}
END_TEST

/* Evidence after its attestation was sealed; a second seal. */
START_TEST(nothing_is_born_below_a_seal)
{
	struct play p;

	begin(&p);
	for (int i = 0; i < 5; i++)
		play(&p, i);
	p.d[7].e.seq = 5;
	p.d[7].e.evidence_count = 0;
	p.d[7].e.evidence_bytes = 0;
	tf_sha256("", 0, &p.d[7].e.evidence_sums);
	p.d[7].e.at = p.d[4].e.at;
	p.d[7].e.at.ns++;
	play(&p, 7);
	ck_assert_msg(p.told.n == 0, "%s", p.told.first);
	p.d[5].e.seq = 6;
	play(&p, 5);
	ck_assert_str_eq("is born in a directory that was sealed",
	    p.told.first);
	end(&p);
}
END_TEST

Suite *suite_replay(void);

Suite *
suite_replay(void)
{
	Suite *s = suite_create("replay");
	TCase *t = tcase_create("rules");

	tcase_add_test(t, the_worked_example_obeys_every_rule);
	tcase_add_test(t, the_expected_statement_is_the_signed_one);
	tcase_add_loop_test(t, a_broken_rule_is_named_at_its_entry, 0,
	    (int)(sizeof(faults) / sizeof(faults[0])));
	tcase_add_test(t, nothing_is_born_below_a_seal);
	suite_add_tcase(s, t);
	return s;
}
