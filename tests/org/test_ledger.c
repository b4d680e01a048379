/* One process and one ledger: what append takes and refuses, and what is read. */
#include <stdio.h>
#include <string.h>

#include "../../core/base/crypto.h"
#include "../../core/org/bundle.h"
#include "pair.h"

static struct pair p;

static void
digest_of(const char *origin, uint64_t number, int salt, struct tf_hash *out)
{
	struct some_batch *b = batch_of(origin, number, 1, salt);

	tf_sha256(b->entries[0].p, b->entries[0].n, out);
	batch_free(b);
}

START_TEST(what_is_appended_is_read_again)
{
	struct tf_appended a;
	uint64_t index;

	pair_make(&p, _i);
	ck_assert_uint_eq(0, check_dense(p.l));
	enrol(&p, "a");
	enrol(&p, "b");
	a = added(p.l, "a", 0, 3, 0, TF_OK);
	ck_assert_uint_eq(3, a.next);
	ck_assert_uint_eq(3, a.size);
	a = added(p.l, "b", 0, TF_BATCH_MAX, 0, TF_OK);
	ck_assert_uint_eq(TF_BATCH_MAX, a.next);
	a = added(p.l, "a", 3, 1, 0, TF_OK);
	ck_assert_uint_eq(4 + TF_BATCH_MAX, a.size);
	ck_assert_uint_eq(4 + TF_BATCH_MAX, check_dense(p.l));
	ok(p.l->ops->find(p.l, "a", 3, &index, err));
	ck_assert_uint_eq(3 + TF_BATCH_MAX, index);
	fails(TF_NOTFOUND, p.l->ops->find(p.l, "a", 4, &index, err));
	fails(TF_NOTFOUND, p.l->ops->find(p.l, "c", 0, &index, err));
	pair_end(&p);
}
END_TEST

/* E4: whatever the borders of the batches are. */
START_TEST(a_repetition_changes_nothing)
{
	struct tf_appended a;

	pair_make(&p, _i);
	enrol(&p, "a");
	(void)added(p.l, "a", 0, 10, 0, TF_OK);
	a = added(p.l, "a", 0, 10, 0, TF_OK);
	ck_assert_uint_eq(10, a.next);
	ck_assert_uint_eq(10, a.size);
	a = added(p.l, "a", 3, 4, 0, TF_OK);
	ck_assert_uint_eq(10, a.next);
	a = added(p.l, "a", 7, 5, 0, TF_OK);
	ck_assert_uint_eq(12, a.next);
	a = added(p.l, "a", 0, 13, 0, TF_OK);
	ck_assert_uint_eq(13, a.next);
	ck_assert_uint_eq(13, check_dense(p.l));
	ck_assert_uint_eq(0, refusals(p.l, NULL));
	pair_end(&p);
}
END_TEST

START_TEST(a_gap_is_refused_and_recorded)
{
	struct tf_appended a;
	struct tf_refused r;
	struct tf_hash given;

	pair_make(&p, _i);
	enrol(&p, "a");
	(void)added(p.l, "a", 0, 2, 0, TF_OK);
	a = added(p.l, "a", 3, 2, 0, TF_INVALID);
	ck_assert_uint_eq(2, a.next);
	(void)added(p.l, "a", 3, 2, 0, TF_INVALID);
	ck_assert_uint_eq(1, refusals(p.l, &r));
	digest_of("a", 3, 0, &given);
	ck_assert(!r.is_fork && r.number == 3);
	ck_assert_mem_eq(given.b, r.given.b, sizeof(given.b));
	ck_assert_int_gt(r.at.s, 1500000000);
	(void)added(p.l, "a", 2, 2, 0, TF_OK);
	ck_assert_uint_eq(4, check_dense(p.l));
	pair_end(&p);
}
END_TEST

/* Nothing of such a batch is appended, also of what comes after the entry that
 * differs. */
START_TEST(a_fork_is_refused_and_recorded)
{
	struct tf_refused r;
	struct tf_hash given, there;
	struct some_batch *b;
	struct tf_appended a;

	pair_make(&p, _i);
	enrol(&p, "a");
	(void)added(p.l, "a", 0, 5, 0, TF_OK);
	(void)added(p.l, "a", 4, 3, 1, TF_TAMPER);
	ck_assert_uint_eq(1, refusals(p.l, &r));
	digest_of("a", 4, 1, &given);
	digest_of("a", 4, 0, &there);
	ck_assert(r.is_fork && r.number == 4);
	ck_assert_mem_eq(given.b, r.given.b, sizeof(given.b));
	ck_assert_mem_eq(there.b, r.there.b, sizeof(there.b));
	/* One entry in the middle, shorter by a byte. */
	b = batch_of("a", 0, 8, 0);
	b->entries[2].n--;
	ck_assert_int_eq(TF_TAMPER, append(p.l, &b->b, &a));
	batch_free(b);
	ck_assert_uint_eq(2, refusals(p.l, &r));
	ck_assert_uint_eq(2, r.number);
	(void)added(p.l, "a", 4, 3, 1, TF_TAMPER);
	ck_assert_uint_eq(2, refusals(p.l, NULL));
	ck_assert_uint_eq(5, check_dense(p.l));
	pair_end(&p);
}
END_TEST

START_TEST(only_members_append)
{
	struct tf_ledger *reader, *member;
	struct some_batch *b;
	struct tf_appended a;
	uint64_t next;

	pair_make(&p, _i);
	(void)added(p.l, "a", 0, 1, 0, TF_DENIED);
	fails(TF_NOTFOUND, p.l->ops->member(p.l, "a", &next, NULL, err));
	enrol(&p, "a");
	(void)added(p.l, "a", 0, 1, 0, TF_OK);
	ok(p.l->ops->revoke(p.l, "a", err));
	(void)added(p.l, "a", 1, 1, 0, TF_DENIED);
	next = 77;
	fails(TF_DENIED, p.l->ops->member(p.l, "a", &next, NULL, err));
	ck_assert_uint_eq(1, next);
	fails(TF_NOTFOUND, p.l->ops->revoke(p.l, "b", err));
	fails(TF_EXISTS, p.l->ops->enrol(p.l, "a", "another+key", "", err));
	enrol(&p, "a");
	(void)added(p.l, "a", 1, 1, 0, TF_OK);
	ok(tf_ledger_open(p.ledger_uri, TF_ORG_READER, &reader, err));
	b = batch_of("a", 2, 1, 0);
	fails(TF_DENIED, reader->ops->append(reader, &b->b, &a, err));
	batch_free(b);
	ck_assert_uint_eq(2, check_dense(reader));
	tf_ledger_close(reader);
	ok(tf_ledger_open(p.ledger_uri, TF_ORG_MEMBER, &member, err));
	fails(TF_DENIED, member->ops->enrol(member, "c", "k", "", err));
	fails(TF_DENIED, member->ops->revoke(member, "a", err));
	fails(TF_DENIED,
	    member->ops->checkpoint_put(member, UINT64_MAX, 0,
		(struct tf_str){ "x", 1 }, err));
	(void)added(member, "a", 2, 1, 0, TF_OK);
	tf_ledger_close(member);
	pair_end(&p);
}
END_TEST

/* What the organisation says of itself comes from an organiser.  Who the caller is
 * says the handle, or what he is for the engine: cases-postgresql.sh has only one. */
START_TEST(only_an_organiser_appends_as_the_organisation)
{
	struct tf_ledger *member;

	pair_make(&p, _i);
	ok(p.l->ops->enrol(p.l, "own", "a+key", TF_ORG_OWN, err));
	(void)added(p.l, "own", 0, 2, 0, TF_OK);
	if (strncmp(p.ledger_uri, "dir:", 4) == 0) {
		ok(tf_ledger_open(p.ledger_uri, TF_ORG_MEMBER, &member, err));
		(void)added(member, "own", 2, 1, 0, TF_DENIED);
		tf_ledger_close(member);
	}
	ok(p.l->ops->revoke(p.l, "own", err));
	(void)added(p.l, "own", 2, 1, 0, TF_DENIED);
	ok(p.l->ops->enrol(p.l, "own", "a+key", TF_ORG_OWN, err));
	(void)added(p.l, "own", 2, 1, 0, TF_OK);
	ck_assert_uint_eq(3, check_dense(p.l));
	pair_end(&p);
}
END_TEST

/* A member and the entry about it come together, or neither does. */
START_TEST(members_and_their_entries_come_together)
{
	struct tf_governed g = { .origin = "a",
		.vkey = "a+key",
		.role = "",
		.own = "own",
		.number = 1,
		.entry = { "text", 4 } };
	struct tf_refused last;
	struct tf_ledger *member;
	uint64_t size, next;

	pair_make(&p, _i);
	fails(TF_BUSY, p.l->ops->govern(p.l, &g, err));
	ok(p.l->ops->enrol(p.l, "own", "a+key", TF_ORG_OWN, err));
	(void)added(p.l, "own", 0, 1, 0, TF_OK);
	ok(p.l->ops->revoke(p.l, "own", err));
	/* Another number than the next one: another organiser was faster. */
	g.number = 0;
	fails(TF_BUSY, p.l->ops->govern(p.l, &g, err));
	g.number = 2;
	fails(TF_BUSY, p.l->ops->govern(p.l, &g, err));
	(void)added(p.l, "a", 0, 1, 0, TF_DENIED);
	g.number = 1;
	ok(p.l->ops->govern(p.l, &g, err));
	ck_assert_uint_eq(0, next_of(p.l, "a"));
	ok(p.l->ops->size(p.l, &size, err));
	ck_assert_uint_eq(2, size);
	/* What cannot be has no entry. */
	g.number = 2;
	g.vkey = "another+key";
	fails(TF_EXISTS, p.l->ops->govern(p.l, &g, err));
	g.vkey = "a+key";
	g.role = "a_role_that_is_nowhere";
	fails(TF_INVALID, p.l->ops->govern(p.l, &g, err));
	g.role = "";
	g.revokes = true;
	g.origin = "nobody";
	fails(TF_NOTFOUND, p.l->ops->govern(p.l, &g, err));
	/* Entries of who is no organisation are in nobody's name. */
	g.origin = "own";
	g.own = "a";
	g.number = 0;
	fails(TF_BUSY, p.l->ops->govern(p.l, &g, err));
	g.origin = "a";
	g.own = "own";
	g.number = 2;
	ok(tf_ledger_open(p.ledger_uri, TF_ORG_MEMBER, &member, err));
	fails(TF_DENIED, member->ops->govern(member, &g, err));
	tf_ledger_close(member);
	ok(p.l->ops->size(p.l, &size, err));
	ck_assert_uint_eq(2, size);
	(void)added(p.l, "a", 0, 3, 0, TF_OK);
	ok(p.l->ops->govern(p.l, &g, err));
	/* The first new entry that it gives then is recorded, once; what is there
	 * already is not new. */
	(void)added(p.l, "a", 0, 3, 0, TF_DENIED);
	ck_assert_uint_eq(0, refusals(p.l, &last));
	(void)added(p.l, "a", 1, 4, 0, TF_DENIED);
	ck_assert_uint_eq(1, refusals(p.l, &last));
	ck_assert(last.is_revoked && !last.is_fork);
	ck_assert_uint_eq(3, last.number);
	(void)added(p.l, "a", 3, 1, 5, TF_DENIED);
	(void)added(p.l, "a", 9, 1, 0, TF_DENIED);
	ck_assert_uint_eq(1, refusals(p.l, &last));
	/* Enrolled and revoked again: one more. */
	g.revokes = false;
	g.number = 3;
	ok(p.l->ops->govern(p.l, &g, err));
	g.revokes = true;
	g.number = 4;
	ok(p.l->ops->govern(p.l, &g, err));
	(void)added(p.l, "a", 9, 1, 0, TF_DENIED);
	ck_assert_uint_eq(2, refusals(p.l, &last));
	ck_assert(last.is_revoked);
	ck_assert_uint_eq(9, last.number);
	/* The organisation's own origin is always revoked between two moments. */
	(void)added(p.l, "own", 5, 1, 0, TF_DENIED);
	ck_assert_uint_eq(2, refusals(p.l, &last));
	fails(TF_DENIED, p.l->ops->member(p.l, "own", &next, NULL, err));
	ck_assert_uint_eq(5, next);
	pair_end(&p);
}
END_TEST

static enum tf_code
collect(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct tf_buf *out = arg;

	(void)err;
	tf_buf_add(out, m->origin.p, m->origin.n);
	tf_buf_printf(out, "=%llu%s ", (unsigned long long)m->next,
	    m->revoked ? "r" : "");
	ck_assert_mem_eq("a+key", m->vkey.p, 5);
	return TF_OK;
}

/* Names are bytes: none is folded, cut or taken for a part of a command. */
START_TEST(an_origin_is_any_name)
{
	static const char *const odd[] = { "A", "a", "a ", "\xc3\xa4/\xc3\xb8",
		"x'; DROP TABLE leaf; --", "{\"1\",\\2}", "%s%n$1?1", "\\x61",
		"NULL" };
	char longest[TF_ORG_NAME_MAX + 1];
	struct tf_buf all = { 0 };

	pair_make(&p, _i);
	memset(longest, 'z', TF_ORG_NAME_MAX);
	longest[TF_ORG_NAME_MAX] = '\0';
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		enrol(&p, odd[i]);
	enrol(&p, longest);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		(void)added(p.l, odd[i], 0, i + 1, 0, TF_OK);
	(void)added(p.l, longest, 0, 2, 0, TF_OK);
	ck_assert_uint_eq(47, check_dense(p.l));
	ok(p.l->ops->members(p.l, collect, &all, err));
	tf_buf_add(&all, "", 1);
	ck_assert_ptr_nonnull(strstr(all.p,
	    "%s%n$1?1=7 A=1 NULL=9 \\x61=8 "
	    "a=2 a =3 x'; DROP TABLE leaf; "
	    "--=5 zzz"));
	tf_buf_free(&all);
	pair_end(&p);
}
END_TEST

/* Any bytes, of any legal length, come back. */
START_TEST(an_entry_is_any_bytes)
{
	static char bytes[TF_ORG_ENTRY_MAX];
	struct tf_str e[2] = { { bytes, sizeof(bytes) }, { "\0", 1 } };
	struct tf_batch b = { .origin = "a", .entries = e, .n = 2 };
	struct tf_appended a;

	pair_make(&p, _i);
	enrol(&p, "a");
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	ck_assert_int_eq(TF_OK, append(p.l, &b, &a));
	ck_assert_uint_eq(2, a.next);
	/* The repetition compares the bytes. */
	ck_assert_int_eq(TF_OK, append(p.l, &b, &a));
	ck_assert_uint_eq(2, a.size);
	bytes[sizeof(bytes) - 1] ^= 1;
	ck_assert_int_eq(TF_TAMPER, append(p.l, &b, &a));
	pair_end(&p);
}
END_TEST

struct noted {
	uint64_t n, dense;
	char notes[200];
};
static enum tf_code
collect_notes(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct noted *n = arg;
	size_t at = strlen(n->notes);

	(void)err;
	if (leaf->note.p != NULL)
		(void)snprintf(n->notes + at, sizeof(n->notes) - at,
		    "%llu=%.*s ", (unsigned long long)leaf->number,
		    (int)leaf->note.n, leaf->note.p);
	n->n++;
	return TF_OK;
}

static enum tf_code
collect_of_a(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct noted *n = arg;
	struct tf_hash got, want;

	ck_assert_uint_eq(1, leaf->origin.n);
	ck_assert_int_eq('a', leaf->origin.p[0]);
	ck_assert_uint_eq(n->dense++, leaf->number);
	ck_assert_uint_eq(leaf->number < 3 ? leaf->number + 2 :
					     leaf->number + 702,
	    leaf->index);
	digest_of("a", leaf->number, 0, &want);
	tf_sha256(leaf->bytes.p, leaf->bytes.n, &got);
	ck_assert_mem_eq(want.b, got.b, sizeof(want.b));
	return collect_notes(arg, leaf, err);
}

static enum tf_code
stop_at_once(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	(void)arg;
	(void)leaf;
	return tf_fail(err, TF_INTERRUPTED, "stop");
}

START_TEST(a_checkpoint_of_a_member_stays_with_its_entry)
{
	struct some_batch *b;
	struct tf_buf note = { 0 };
	struct tf_appended a;
	struct noted n = { 0 };
	uint64_t next;

	pair_make(&p, _i);
	enrol(&p, "a");
	b = batch_of("a", 0, 3, 0);
	b->b.note = (struct tf_str){ "three", 5 };
	ck_assert_int_eq(TF_OK, append(p.l, &b->b, &a));
	b->b.note = (struct tf_str){ "other", 5 }; /* the first is kept */
	ck_assert_int_eq(TF_OK, append(p.l, &b->b, &a));
	/* A repetition may bring the note of a size in the middle. */
	b->b.n = 2;
	b->b.note = (struct tf_str){ "two", 3 };
	ck_assert_int_eq(TF_OK, append(p.l, &b->b, &a));
	batch_free(b);
	ok(p.l->ops->read(p.l, 0, 100, collect_notes, &n, err));
	ck_assert_str_eq("1=two 2=three ", n.notes);
	ok(p.l->ops->member(p.l, "a", &next, &note, err));
	ck_assert_uint_eq(5, note.n);
	ck_assert_mem_eq("three", note.p, 5);
	tf_buf_free(&note);
	pair_end(&p);
}
END_TEST

/* Whatever lies between its entries. */
START_TEST(the_entries_of_one_origin_are_read)
{
	struct some_batch *b;
	struct tf_appended a;
	struct noted n = { 0 };
	struct {
		uint64_t from, max, n;
		const char *notes;
	} of[] = { { 0, 1000, 601, "2=three " }, { 0, 2, 2, "" },
		{ 1, 3, 3, "2=three " }, { 3, 1000, 598, "" },
		{ 600, 9, 1, "" }, { 601, 9, 0, "" }, { 0, 0, 0, "" } };

	pair_make(&p, _i);
	enrol(&p, "a");
	enrol(&p, "b");
	(void)added(p.l, "b", 0, 2, 0, TF_OK);
	b = batch_of("a", 0, 3, 0);
	b->b.note = (struct tf_str){ "three", 5 };
	ck_assert_int_eq(TF_OK, append(p.l, &b->b, &a));
	batch_free(b);
	(void)added(p.l, "b", 2, 700, 0, TF_OK);
	(void)added(p.l, "a", 3, 598, 0, TF_OK);
	(void)added(p.l, "b", 702, 1, 0, TF_OK);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		n = (struct noted){ .dense = of[i].from };
		ok(p.l->ops->read_of(p.l, "a", of[i].from, of[i].max,
		    collect_of_a, &n, err));
		ck_assert_uint_eq(of[i].n, n.n);
		ck_assert_str_eq(of[i].notes, n.notes);
	}
	n = (struct noted){ 0 };
	ok(p.l->ops->read_of(p.l, "c", 0, 10, collect_of_a, &n, err));
	ok(p.l->ops->read_of(p.l, "", 0, 10, collect_of_a, &n, err));
	ck_assert_uint_eq(0, n.n);
	fails(TF_INTERRUPTED,
	    p.l->ops->read_of(p.l, "a", 0, 10, stop_at_once, NULL, err));
	pair_end(&p);
}
END_TEST

START_TEST(checkpoints_are_compared_and_set)
{
	struct tf_ledger *other;
	struct tf_buf note = { 0 };
	struct tf_str x = { "x", 1 }, y = { "y\0z", 3 };
	uint64_t size;

	pair_make(&p, _i);
	enrol(&p, "a");
	(void)added(p.l, "a", 0, 9, 0, TF_OK);
	fails(TF_NOTFOUND, p.l->ops->checkpoint_get(p.l, &size, &note, err));
	ok(tf_ledger_open(p.ledger_uri, TF_ORG_ORGANISER, &other, err));
	fails(TF_BUSY, p.l->ops->checkpoint_put(p.l, 0, 3, x, err));
	ok(p.l->ops->checkpoint_put(p.l, UINT64_MAX, 3, x, err));
	fails(TF_BUSY,
	    other->ops->checkpoint_put(other, UINT64_MAX, 5, y, err));
	ok(other->ops->checkpoint_put(other, 3, 5, y, err));
	fails(TF_BUSY, p.l->ops->checkpoint_put(p.l, 3, 6, x, err));
	fails(TF_INVALID, p.l->ops->checkpoint_put(p.l, 5, 4, x, err));
	fails(TF_INVALID, p.l->ops->checkpoint_put(p.l, 5, 10, x, err));
	ok(p.l->ops->checkpoint_get(p.l, &size, &note, err));
	ck_assert_uint_eq(5, size);
	ck_assert_uint_eq(3, note.n);
	ck_assert_mem_eq("y\0z", note.p, 3);
	tf_buf_free(&note);
	tf_ledger_close(other);
	pair_end(&p);
}
END_TEST

START_TEST(objects_are_located_for_their_member_only)
{
	struct tf_located at[2] = { { .off = 5, .len = 0 },
		{ .off = TF_BUNDLE_MAX - 9, .len = 9 } },
			  out, lie;
	struct some_batch *b;
	struct tf_appended a;

	pair_make(&p, _i);
	enrol(&p, "a");
	enrol(&p, "b");
	memset(at[0].object.b, 0xff, 32);
	memset(at[1].object.b, 1, 32);
	memset(at[0].bundle.b, 2, 32);
	memset(at[1].bundle.b, 2, 32);
	fails(TF_NOTFOUND, tf_org_locate(p.l, "a", &at[0].object, &out, err));
	b = batch_of("a", 0, 3, 0);
	b->b.located = at;
	b->b.nlocated = 2;
	ck_assert_int_eq(TF_OK, append(p.l, &b->b, &a));
	ok(tf_org_locate(p.l, "a", &at[1].object, &out, err));
	ck_assert_mem_eq(&out, &at[1], sizeof(out));
	ok(tf_org_locate(p.l, "a", &at[0].object, &out, err));
	ck_assert_mem_eq(&out, &at[0], sizeof(out));
	fails(TF_NOTFOUND, tf_org_locate(p.l, "b", &at[1].object, &out, err));
	/* Again elsewhere: the first is kept. */
	lie = at[1];
	lie.off = 3;
	b->b.located = &lie;
	b->b.nlocated = 1;
	ck_assert_int_eq(TF_OK, append(p.l, &b->b, &a));
	ok(tf_org_locate(p.l, "a", &at[1].object, &out, err));
	ck_assert_mem_eq(&out, &at[1], sizeof(out));
	batch_free(b);
	pair_end(&p);
}
END_TEST

/* Object i, which is in a bundle unless i is a multiple of 3. */
static struct tf_located
located(size_t i)
{
	struct tf_located at = { .off = i * 7, .len = i };

	tf_sha256(&i, sizeof(i), &at.object);
	memset(at.bundle.b, (int)(i % 5), sizeof(at.bundle.b));
	return at;
}

/* One question for as many objects as a batch may locate, in any order. */
START_TEST(many_objects_are_located_at_once)
{
	static struct tf_located all[TF_LOCATED_MAX], out[TF_LOCATED_MAX];
	static struct tf_hash asked[TF_LOCATED_MAX];
	struct some_batch *b;
	struct tf_appended a;
	struct tf_located want;
	size_t n = 0;

	pair_make(&p, _i);
	enrol(&p, "a");
	enrol(&p, "b");
	ok(p.l->ops->locate(p.l, "a", NULL, 0, out, err));
	for (size_t i = 0; i < TF_LOCATED_MAX; i++)
		if (i % 3 != 0)
			all[n++] = located(i);
	b = batch_of("a", 0, 2, 0);
	b->b.located = all;
	b->b.nlocated = n;
	ck_assert_int_eq(TF_OK, append(p.l, &b->b, &a));
	batch_free(b);
	/* From the last one to the first, and one of them twice. */
	for (size_t i = 0; i < TF_LOCATED_MAX; i++)
		asked[i] = located(TF_LOCATED_MAX - 1 - i).object;
	asked[0] = asked[7];
	ok(p.l->ops->locate(p.l, "a", asked, TF_LOCATED_MAX, out, err));
	for (size_t i = 0; i < TF_LOCATED_MAX; i++) {
		want = located(TF_LOCATED_MAX - 1 - (i == 0 ? 7 : i));
		ck_assert_mem_eq(&want.object, &out[i].object, 32);
		if ((TF_LOCATED_MAX - 1 - (i == 0 ? 7 : i)) % 3 == 0)
			ck_assert_uint_eq(TF_IN_NO_BUNDLE, out[i].len);
		else
			ck_assert_mem_eq(&want, &out[i], sizeof(want));
	}
	/* Those of another member, and of nobody, are not there. */
	for (int i = 0; i < 2; i++) {
		ok(p.l->ops->locate(p.l, i == 0 ? "b" : "c", asked,
		    TF_LOCATED_MAX, out, err));
		for (size_t k = 0; k < TF_LOCATED_MAX; k++)
			ck_assert_uint_eq(TF_IN_NO_BUNDLE, out[k].len);
	}
	pair_end(&p);
}
END_TEST

/* What is refused locates nothing and keeps no checkpoint. */
START_TEST(a_refused_batch_leaves_only_its_refusal)
{
	struct tf_located at = { .len = 1 }, out;
	struct some_batch *b;
	struct tf_buf note = { 0 };
	struct tf_appended a;
	uint64_t next;

	pair_make(&p, _i);
	enrol(&p, "a");
	b = batch_of("a", 1, 3, 0);
	b->b.located = &at;
	b->b.nlocated = 1;
	b->b.note = (struct tf_str){ "note", 4 };
	ck_assert_int_eq(TF_INVALID, append(p.l, &b->b, &a));
	fails(TF_NOTFOUND, tf_org_locate(p.l, "a", &at.object, &out, err));
	ok(p.l->ops->member(p.l, "a", &next, &note, err));
	ck_assert_uint_eq(0, next);
	ck_assert_uint_eq(0, note.n);
	batch_free(b);
	pair_end(&p);
}
END_TEST

START_TEST(a_ledger_is_made_once)
{
	struct tf_ledger *l;

	pair_make(&p, _i);
	enrol(&p, "a");
	(void)added(p.l, "a", 0, 1, 0, TF_OK);
	fails(TF_EXISTS, tf_ledger_create(p.ledger_uri, err));
	ok(tf_blobs_create(p.blobs_uri, err));
	ck_assert_uint_eq(1, check_dense(p.l));
	ok(tf_ledger_open(p.ledger_uri, TF_ORG_READER, &l, err));
	ck_assert_uint_eq(1, check_dense(l));
	tf_ledger_close(l);
	pair_end(&p);
}
END_TEST

/* The answer of a wait is the size, also when nothing comes. */
START_TEST(a_wait_ends)
{
	uint64_t size = 99;

	pair_make(&p, _i);
	enrol(&p, "a");
	ok(p.l->ops->wait(p.l, 0, 50, &size, err));
	ck_assert_uint_eq(0, size);
	(void)added(p.l, "a", 0, 2, 0, TF_OK);
	ok(p.l->ops->wait(p.l, 1, 100000000, &size, err));
	ck_assert_uint_eq(2, size);
	pair_end(&p);
}
END_TEST

static enum tf_code
stop(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	(void)leaf;
	return ++*(int *)arg == 2 ? tf_fail(err, TF_INTERRUPTED, "enough") :
				    TF_OK;
}

START_TEST(a_callback_ends_the_call)
{
	int calls = 0;

	pair_make(&p, _i);
	enrol(&p, "a");
	(void)added(p.l, "a", 0, 9, 0, TF_OK);
	fails(TF_INTERRUPTED, p.l->ops->read(p.l, 3, 5, stop, &calls, err));
	ck_assert_int_eq(2, calls);
	(void)added(p.l, "a", 9, 1, 0, TF_OK);
	ck_assert_uint_eq(10, check_dense(p.l));
	pair_end(&p);
}
END_TEST

Suite *
suite_ledger(void)
{
	Suite *s = suite_create("ledger");
	TCase *t = tcase_create("ledger");
	int n = pair_count();

	tcase_add_loop_test(t, what_is_appended_is_read_again, 0, n);
	tcase_add_loop_test(t, a_repetition_changes_nothing, 0, n);
	tcase_add_loop_test(t, a_gap_is_refused_and_recorded, 0, n);
	tcase_add_loop_test(t, a_fork_is_refused_and_recorded, 0, n);
	tcase_add_loop_test(t, only_members_append, 0, n);
	tcase_add_loop_test(t, only_an_organiser_appends_as_the_organisation, 0,
	    n);
	tcase_add_loop_test(t, members_and_their_entries_come_together, 0, n);
	tcase_add_loop_test(t, an_origin_is_any_name, 0, n);
	tcase_add_loop_test(t, an_entry_is_any_bytes, 0, n);
	tcase_add_loop_test(t, a_checkpoint_of_a_member_stays_with_its_entry, 0,
	    n);
	tcase_add_loop_test(t, the_entries_of_one_origin_are_read, 0, n);
	tcase_add_loop_test(t, checkpoints_are_compared_and_set, 0, n);
	tcase_add_loop_test(t, objects_are_located_for_their_member_only, 0, n);
	tcase_add_loop_test(t, many_objects_are_located_at_once, 0, n);
	tcase_add_loop_test(t, a_refused_batch_leaves_only_its_refusal, 0, n);
	tcase_add_loop_test(t, a_ledger_is_made_once, 0, n);
	tcase_add_loop_test(t, a_wait_ends, 0, n);
	tcase_add_loop_test(t, a_callback_ends_the_call, 0, n);
	suite_add_tcase(s, t);
	return s;
}
