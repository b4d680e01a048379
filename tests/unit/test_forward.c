/* When a forwarder sends: core/forward.h and forward.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/buffer.h"
#include "../../core/base/clock.h"
#include "../../core/definition.h"
#include "../../core/forward.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/org.h"
#include "../../core/vault.h"
#include "clocks.h"

#define FEW 64	   /* entries that are sent at once */
#define LOOKS 5	   /* at the store, in which nothing may be sent */
#define BATCHES 16 /* of a test, at most */

static const struct tf_actor root = { .loginuid = -1, .session = -1 };

/* A store that grows while it is forwarded.  The forwarder asks whether to stop
 * before each look at the store: that is when the test does its next step. */
struct rig {
	struct tf_vault *v;
	uint64_t trail;
	uint64_t entries; /* of the store */
	uint64_t sent[BATCHES];
	size_t batches;
	unsigned looks; /* since the last step */
	int step;
	bool (*next)(struct rig *r);
	void (*arrived)(struct rig *r);
};

static uint64_t
entries_of(struct tf_vault *v)
{
	struct tf_buf note = { 0 };
	struct tf_checkpoint c;
	struct tf_note parts;

	ck_assert_int_eq(TF_OK, tf_vault_checkpoint(v, &note, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_checkpoint_parse(note.p, note.n, &parts, &c, NULL));
	tf_buf_free(&note);
	return c.size;
}

/* Append n entries, which the checkpoint has then. */
static void
append(struct rig *r, unsigned n)
{
	char value[32];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(value, sizeof(value), "%llu",
		    (unsigned long long)r->entries);
		ck_assert_int_eq(TF_OK,
		    tf_vault_user_data(r->v, r->trail, value, strlen(value),
			&root, NULL));
		ck_assert_uint_eq(++r->entries, entries_of(r->v));
	}
}

/* The organisation has all, and the forwarder waits. */
static bool
waits(const struct rig *r)
{
	return r->batches > 0 && r->sent[r->batches - 1] == r->entries;
}

static bool
stop(void *arg)
{
	struct rig *r = arg;

	r->looks++;
	return r->next(r);
}

static void
report(void *arg, const struct tf_forwarded *now, const struct tf_error *why)
{
	struct rig *r = arg;

	ck_assert_msg(why == NULL, "%s", why != NULL ? why->text : "");
	ck_assert_uint_lt(r->batches, BATCHES);
	r->sent[r->batches++] = now->entries;
	if (r->arrived != NULL)
		r->arrived(r);
}

static void
forward(struct rig *r)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	const struct tf_org_new organisation = { .ledger = "dir:org",
		.blobs = "dir:org",
		.origin = "example.org/all",
		.keys = "keys",
		.who = &root };
	struct tf_forward f = { .store = "store",
		.ledger = "dir:org",
		.blobs = "dir:org",
		.report = report,
		.stop = stop,
		.arg = r };
	struct tf_forwarded out;
	struct tf_buf vkey = { 0 };
	struct tf_error err = { 0 };
	const char *tmp = getenv("TMPDIR");
	struct tf_attr a;
	char dir[256];
	bool worm;

	(void)snprintf(dir, sizeof(dir), "%.200s/forward.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	ck_assert_int_eq(TF_OK,
	    tf_vault_init("store", "example.org/a", &root, &vkey, NULL));
	tf_buf_add(&vkey, "", 1);
	ck_assert_int_eq(TF_OK, tf_org_init(&organisation, &worm, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_org_enrol("dir:org", vkey.p, "", &root, NULL));
	ck_assert_int_eq(TF_OK, tf_vault_open("store", &o, &r->v, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_vault_mkdir(r->v, TF_ROOT_ID, "t", 0755, &root, &a, NULL));
	ck_assert_int_eq(TF_OK, tf_vault_sync(r->v, TF_ROOT_ID, &root, NULL));
	r->trail = a.id;
	r->entries = entries_of(r->v);
	atomic_store(&boot_stopped_ns, tf_clock_boot_ns());
	ck_assert_msg(tf_forward(&f, &out, &err) == TF_OK, "%s", err.text);
	atomic_store(&boot_stopped_ns, 0);
	ck_assert_int_eq(TF_OK, tf_vault_close(r->v, "done", NULL));
	tf_buf_free(&vkey);
}

/* --- few and many ----------------------------------------------------------------- */

/* The step of now is over. */
static void
step(struct rig *r)
{
	r->step++;
	r->looks = 0;
}

/* Nothing was sent, however often the forwarder has looked.  False: it shall look
 * again. */
static bool
stays(struct rig *r)
{
	ck_assert_uint_lt(r->sent[r->batches - 1], r->entries);
	return r->looks >= LOOKS;
}

/* It was sent.  False: the forwarder shall look again, but not for ever. */
static bool
arrives(struct rig *r)
{
	ck_assert_uint_le(r->looks, LOOKS);
	return waits(r);
}

/* One more comes while 64 are on their way. */
static void
add_one(struct rig *r)
{
	if (r->step != 2)
		return;
	append(r, 1);
	step(r);
}

static bool
few_then_many(struct rig *r)
{
	const uint64_t first = r->sent[0];

	switch (r->step) {
	case 0:
		if (!arrives(r))
			return false;
		append(r, FEW - 1);
		step(r);
		return false;
	case 1: /* the clock stands still */
		if (!stays(r))
			return false;
		append(r, 1);
		step(r);
		return false;
	case 2: /* add_one() ends it */
		ck_assert_uint_le(r->looks, LOOKS);
		return false;
	case 3:
		ck_assert_uint_eq(2, r->batches);
		ck_assert_uint_eq(first + FEW, r->sent[1]);
		if (!stays(r))
			return false;
		append(r, FEW - 1);
		step(r);
		return false;
	default:
		if (!arrives(r))
			return false;
		ck_assert_uint_eq(3, r->batches);
		ck_assert_uint_eq(first + 2 * FEW, r->sent[2]);
		return true;
	}
}

/* 64 entries are one append at once, fewer wait for more; and what comes meanwhile goes
 * with the next. */
START_TEST(sixty_four_entries_are_sent_at_once)
{
	struct rig r = { .next = few_then_many, .arrived = add_one };

	forward(&r);
}
END_TEST

static bool
one_alone(struct rig *r)
{
	switch (r->step) {
	case 0:
		if (!arrives(r))
			return false;
		append(r, 1);
		step(r);
		return false;
	case 1:
		if (!stays(r))
			return false;
		atomic_fetch_add(&boot_stopped_ns, TF_SECOND - 1);
		step(r);
		return false;
	case 2:
		if (!stays(r))
			return false;
		atomic_fetch_add(&boot_stopped_ns, 1);
		step(r);
		return false;
	default:
		if (!arrives(r))
			return false;
		ck_assert_uint_eq(2, r->batches);
		return true;
	}
}

/* One entry waits for a second, and not for the next entry. */
START_TEST(one_entry_is_sent_after_a_second)
{
	struct rig r = { .next = one_alone };

	forward(&r);
}
END_TEST

Suite *suite_forward(void);
Suite *
suite_forward(void)
{
	Suite *s = suite_create("forward");
	TCase *t = tcase_create("forward");

	tcase_add_test(t, sixty_four_entries_are_sent_at_once);
	tcase_add_test(t, one_entry_is_sent_after_a_second);
	suite_add_tcase(s, t);
	return s;
}
