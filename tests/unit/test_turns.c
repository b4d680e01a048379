/*
 * Nobody waits for the seals of others: seals of directories that are not in
 * each other go on at the same time, background threads serve the users in
 * turn, and no evidence is judged while every other writer waits.  The tests
 * hold a judgement and look at what else ends meanwhile.
 */
#include <check.h>
#include <ftw.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../core/base/clock.h"
#include "../../core/commit/queue.h"
#include "../../core/asker.h"
#include "../../core/definition.h"
#include "../../core/node/background.h"
#include "../../core/node/base.h"
#include "../../core/node/claim.h"
#include "../../core/node/pending.h"
#include "../../core/node/pending_table.h"
#include "../../core/node/vault_i.h"
#include "../../core/seal/closing_txn.h"
#include "../../core/seal/seal_one.h"
#include "../../core/page.h"
#include "../../core/seal/seal_prepare.h"
#include "../../core/store/sql.h"
#include "../../core/vault.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define PASSES "<testsuite><testcase name=\"a\"/></testsuite>"
#define MUCH ((size_t)3 << 20) /* bytes: the seal of so much evidence is long */
#define LONG_AT_ONCE 3	       /* threads that may do long work */

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static struct tf_vault *v;
static uint64_t trail, wf;

/* Whose calls of slow() wait until they are released. */
static _Thread_local bool is_free;
static atomic_int to_hold, calls;
static sem_t held, released;

static void
hold(void)
{
	if (is_free)
		return;
	(void)atomic_fetch_add(&calls, 1);
	if (atomic_fetch_sub(&to_hold, 1) <= 0)
		return;
	(void)sem_post(&held);
	(void)sem_wait(&released);
}

static uint64_t
make_dir_of(uint64_t parent, const char *name, uint32_t uid)
{
	struct tf_actor who = root;
	struct tf_attr a;

	who.uid = who.gid = uid;
	OK(tf_vault_mkdir(v, parent, name, 0777, &who, &a, NULL));
	return a.id;
}

static void
make_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = &root,
		.slow = hold };
	struct tf_attr open = { .mode = 0777 }, a;

	is_free = true;
	(void)sem_init(&held, 0, 0);
	(void)sem_init(&released, 0, 0);
	own_store_make("turns", &root);
	ck_assert(tf_settings_take(&o.settings, "settle", "0"));
	OK(tf_vault_open("store", &o, &v, NULL));
	trail = make_dir_of(TF_ROOT_ID, "t", 0);
	wf = make_dir_of(trail, "w", 0);
	OK(tf_vault_setattr(v, trail, NULL, TF_SET_MODE, &open, &root, &a,
	    NULL));
	OK(tf_vault_setattr(v, wf, NULL, TF_SET_MODE, &open, &root, &a, NULL));
}

static void
remove_vault(void)
{
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}

/* A sealed file with this text and n line ends. */
static void
put(uint64_t att, const char *name, const char *text, size_t n)
{
	char *blank = malloc(n + 1);
	struct tf_attr a;
	struct tf_file *f;

	memset(blank, '\n', n + 1);
	OK(tf_vault_create(v, att, name, 0644, &root, &a, &f, NULL));
	OK(tf_file_write_at(f, text, strlen(text), 0, true, NULL));
	OK(tf_file_write_at(f, blank, n + 1, 0, true, NULL));
	OK(tf_file_close(v, f, NULL));
	OK(tf_vault_sync(v, att, &root, NULL));
	free(blank);
}

static uint64_t
make_attestation(uint64_t up, const char *name, uint32_t uid, const char *type,
    size_t n)
{
	uint64_t id = make_dir_of(up, name, uid);

	put(id, "r.xml", PASSES, n);
	put(id, "r.json", "{\"state\":\"new\"}", n);
	OK(tf_vault_claim(v, id, "type", type, strlen(type), 0, &root, NULL));
	return id;
}

static void
close_dir(uint64_t id)
{
	struct tf_attr a = { .mode = 0555 };

	OK(tf_vault_setattr(v, id, NULL, TF_SET_MODE, &a, &root, &a, NULL));
}

static bool
is_sealed(uint64_t id)
{
	struct tf_attr a;

	OK(tf_vault_getattr(v, id, &a, NULL));
	return a.state == TF_STATE_SEALED;
}

static void
becomes_sealed(uint64_t id)
{
	for (int i = 0; i < 600 && !is_sealed(id); i++)
		(void)usleep(100000); /* a guard against hanging, no more */
	ck_assert(is_sealed(id));
}

/* A thread that seals a directory, held where it judges or not. */
struct sealer {
	uint64_t id;
	bool is_free;
	enum tf_code rc;
	pthread_t thread;
};

static void *
seal(void *arg)
{
	struct sealer *s = arg;

	is_free = s->is_free;
	s->rc = tf_vault_seal(v, s->id, &root, NULL);
	return NULL;
}

static void
start(struct sealer *s)
{
	ck_assert_int_eq(0, pthread_create(&s->thread, NULL, seal, s));
}

static void
ends(struct sealer *s)
{
	ck_assert_int_eq(0, pthread_join(s->thread, NULL));
	OK(s->rc);
}

/* --- turns ----------------------------------------------------------------- */

/* Only what is above or below waits for a judgement: the seal of the workflow
 * comes after it, and nothing can be made in the attestation meanwhile. */
START_TEST(a_judgement_delays_no_other_directory)
{
	struct sealer a = { .id = make_attestation(wf, "a", 0, "junit", 0) };
	struct sealer w = { .id = wf, .is_free = true };
	uint64_t b = make_attestation(wf, "b", 0, "junit", 0), c, other;

	atomic_store(&to_hold, 1);
	start(&a);
	(void)sem_wait(&held);
	OK(tf_vault_seal(v, b, &root, NULL));
	c = make_attestation(wf, "c", 0, "generic", 0);
	close_dir(c); /* for the sealer */
	becomes_sealed(c);
	other = make_dir_of(trail, "w2", 0);
	(void)make_attestation(other, "a", 0, "junit", 0);
	OK(tf_vault_seal(v, other, &root, NULL));
	start(&w);
	ck_assert(!is_sealed(a.id));
	(void)sem_post(&released);
	ends(&a);
	ends(&w);
	ck_assert(is_sealed(a.id) && is_sealed(wf));
}
END_TEST

/* The values of long JSON take much memory: one such file at a time. */
START_TEST(long_json_is_judged_one_file_at_a_time)
{
	static const char type[] =
	    "version: 1\nevidence: r.json\n"
	    "requirements:\n- id: x\n  checks:\n  - {id: c, operator: "
	    "equals, path: state, value: new}\n";
	struct sealer s[2] = { { .id = 0 }, { .id = 0 } };
	uint64_t version, small;
	int before;

	OK(tf_vault_define(v, trail, TF_DEFINITION_TYPE, "ready", type,
	    sizeof(type) - 1, &root, &version, NULL));
	s[0].id = make_attestation(wf, "a", 0, "ready", MUCH);
	s[1].id = make_attestation(wf, "b", 0, "ready", MUCH);
	small = make_attestation(wf, "c", 0, "ready", 0);
	atomic_store(&to_hold, 1);
	pthread_mutex_lock(&v->mu);
	v->judging_long = true; /* as if a third one were judged */
	pthread_mutex_unlock(&v->mu);
	s[0].is_free = true;
	start(&s[0]);
	start(&s[1]);
	(void)sem_wait(&held);
	before = atomic_load(&calls);
	(void)sem_post(&released);
	while (atomic_load(&calls) == before)
		(void)usleep(1000); /* it waits, and says that this is slow */
	OK(tf_vault_seal(v, small, &root, NULL));
	ck_assert(!is_sealed(s[0].id) && !is_sealed(s[1].id));
	pthread_mutex_lock(&v->mu);
	v->judging_long = false;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
	ends(&s[0]);
	ends(&s[1]);
	ck_assert(!v->judging_long);
}
END_TEST

/* --- the background threads ------------------------------------------------- */

#define DUTIES 12

struct work {
	struct tf_duty duty;
	bool holds;
};

static pthread_mutex_t order_mu = PTHREAD_MUTEX_INITIALIZER;
static char order[DUTIES + 1];
static size_t n_order;

static void
work_on(struct tf_duty *d)
{
	struct work *w = (struct work *)d;

	pthread_mutex_lock(&order_mu);
	order[n_order++] = (char)('0' + d->uid);
	pthread_mutex_unlock(&order_mu);
	if (w->holds) {
		(void)sem_post(&held);
		(void)sem_wait(&released);
	}
}

static void
add(struct tf_background *b, struct work *w, uint32_t uid, bool is_long,
    bool holds)
{
	*w = (struct work){ { .uid = uid, .is_long = is_long, .run = work_on },
		holds };
	tf_background_add(b, &w->duty);
}

START_TEST(long_work_of_many_users_leaves_a_thread_for_short_work)
{
	struct tf_background *b;
	struct work w[DUTIES];

	OK(tf_background_new(&b, NULL));
	for (unsigned i = 0; i < LONG_AT_ONCE; i++)
		add(b, &w[i], 1 + i, true, true);
	for (unsigned i = 0; i < LONG_AT_ONCE; i++)
		(void)sem_wait(&held);
	add(b, &w[3], 4, true, true);
	add(b, &w[4], 5, false, true);
	(void)sem_wait(&held);
	ck_assert_uint_eq(4, n_order);
	ck_assert_int_eq('5', order[3]);
	for (unsigned i = 0; i <= LONG_AT_ONCE; i++)
		(void)sem_post(&released);
	(void)sem_wait(&held);
	ck_assert_int_eq('4', order[4]);
	(void)sem_post(&released);
	tf_background_stop(b);
}
END_TEST

/* All threads but one are held, so that the rest runs one after the other. */
START_TEST(users_take_turns_in_the_background)
{
	struct tf_background *b;
	struct work w[DUTIES];
	unsigned n = 0;

	OK(tf_background_new(&b, NULL));
	for (; n < 4; n++)
		add(b, &w[n], 6 + n, false, true);
	for (unsigned i = 0; i < 4; i++)
		(void)sem_wait(&held);
	for (unsigned i = 0; i < 3; i++)
		add(b, &w[n++], 1, false, false);
	add(b, &w[n++], 2, false, false);
	add(b, &w[n++], 3, false, false);
	add(b, &w[n++], 2, false, false);
	add(b, &w[n++], 4, false, true);
	(void)sem_post(&released);
	(void)sem_wait(&held); /* user 4 had its turn */
	order[n_order] = '\0';
	ck_assert_ptr_eq(order + n_order - 4, strstr(order, "1234"));
	for (unsigned i = 0; i < 4; i++)
		(void)sem_post(&released);
	tf_background_stop(b);
	order[n_order] = '\0';
	ck_assert_uint_eq(n, n_order);
}
END_TEST

/* The same from end to end: four users close attestations with long reports,
 * and a fifth one's short seal ends while these are judged. */
START_TEST(a_short_seal_passes_the_long_ones_of_four_users)
{
	uint64_t a[4], fifth;
	char name[16];

	for (uint32_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "long%u", (unsigned)i);
		a[i] = make_attestation(wf, name, 1001 + i, "junit", MUCH);
	}
	fifth = make_attestation(wf, "short", 1005, "junit", 0);
	atomic_store(&to_hold, LONG_AT_ONCE);
	for (uint32_t i = 0; i < 4; i++)
		close_dir(a[i]);
	for (uint32_t i = 0; i < LONG_AT_ONCE; i++)
		(void)sem_wait(&held);
	close_dir(fifth);
	becomes_sealed(fifth);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(!is_sealed(a[i]));
	for (uint32_t i = 0; i < LONG_AT_ONCE; i++)
		(void)sem_post(&released);
	for (uint32_t i = 0; i < 4; i++)
		becomes_sealed(a[i]);
}
END_TEST

/* --- waiting for a comparison ------------------------------------------------ */

#define FEW 100 /* visits of one node while a second passes */

/* A draft of 100,000 bytes in an attestation, whose bytes are to be compared
 * with its row before they are sealed, as after a crash. */
static struct tf_pending *
make_unchecked(uint64_t att)
{
	static char bytes[100000];
	struct tf_pending *l;
	struct tf_attr a;
	struct tf_file *f;

	OK(tf_vault_create(v, att, "r.tmp", 0644, &root, &a, &f, NULL));
	OK(tf_file_write_at(f, bytes, sizeof(bytes), 0, true, NULL));
	OK(tf_file_close(v, f, NULL));
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, a.id);
	l->unchecked = true;
	pthread_mutex_unlock(&v->mu);
	return l;
}

static bool
is_pending(uint64_t id)
{
	bool yes;

	pthread_mutex_lock(&v->mu);
	yes = tf_pending_get(&v->pending, id) != NULL;
	pthread_mutex_unlock(&v->mu);
	return yes;
}

static uint64_t
visits(void)
{
	uint64_t n;

	pthread_mutex_lock(&v->mu);
	n = v->pending.visited;
	pthread_mutex_unlock(&v->mu);
	return n;
}

/* Without descriptors the bytes cannot be compared.  Who waits for that does
 * not ask again and again, and goes on once there are some. */
START_TEST(a_comparison_that_failed_is_not_repeated_at_once)
{
	struct sealer s = { .id = make_dir_of(wf, "a", 0), .is_free = true };
	struct rlimit none, before;
	uint64_t file, first, began, n;

	file = make_unchecked(s.id)->attr.id;
	OK(tf_vault_seal(v, make_attestation(wf, "b", 0, "generic", 0), &root,
	    NULL));
	ck_assert_int_eq(0, getrlimit(RLIMIT_NOFILE, &before));
	none = before;
	none.rlim_cur = (rlim_t)dup(0); /* the lowest one that is free */
	(void)close((int)none.rlim_cur);
	ck_assert_int_eq(0, setrlimit(RLIMIT_NOFILE, &none));
	first = visits();
	start(&s);
	while (visits() == first)
		(void)usleep(1000);
	began = tf_clock_boot_ns();
	(void)usleep(500000); /* time to turn round and round */
	n = visits() - first;
	/* On a busy machine more time has passed. */
	ck_assert_uint_le(n,
	    FEW * (1 + (tf_clock_boot_ns() - began) / TF_SECOND));
	/* The database cannot be asked: that takes a descriptor, too. */
	ck_assert(is_pending(file));
	ck_assert_int_eq(0, setrlimit(RLIMIT_NOFILE, &before));
	ends(&s);
	ck_assert(is_sealed(s.id));
}
END_TEST

/* The end of the vault does not wait for it: a closed directory stays closed,
 * and is sealed after the next start. */
START_TEST(the_end_leaves_a_comparison_to_the_next_start)
{
	uint64_t a = make_dir_of(wf, "a", 0);
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_pending *l;

	v->settings.value[TF_SETTLE] = 60;
	l = make_unchecked(a);
	l->unchecked = false;
	close_dir(a);
	pthread_mutex_lock(&v->mu);
	l->unchecked = true;
	pthread_mutex_unlock(&v->mu);
	OK(tf_vault_close(v, "done", NULL));
	OK(tf_vault_open("store", &o, &v, NULL));
	becomes_sealed(a);
}
END_TEST

/* --- the transaction -------------------------------------------------------- */

/* Without a statement that was made before, the transaction of a judged
 * attestation fails and changes nothing; one that is not judged goes on. */
START_TEST(no_evidence_is_judged_in_a_transaction)
{
	static const char *const types[] = { "junit", "generic" };
	uint64_t before, after, bytes;
	struct tf_error err;

	for (int i = 0; i < 2; i++) {
		struct tf_seal_request r = { .who = &root };
		struct tf_closing c = { .v = v, .r = &r };
		enum tf_code rc;

		r.id = make_attestation(wf, types[i], 0, types[i], 0);
		OK(tf_vault_getattr(v, r.id, &c.dir, NULL));
		c.s = (struct tf_seal_by){ .r = &r,
			.actor = "{\"gid\":0,\"pid\":1,\"uid\":0}" };
		OK(tf_vault_size(v, &before, &bytes, NULL));
		rc = tf_commit_wait(v->commit, tf_closing_run, &c, &err);
		OK(tf_vault_size(v, &after, &bytes, NULL));
		ck_assert_int_eq(i == 0 ? TF_BUSY : TF_OK, rc);
		ck_assert_int_eq(i == 0, c.judged);
		ck_assert_uint_eq(before + (i == 0 ? 0 : 1), after);
	}
}
END_TEST

static enum tf_code
seal_prepared(struct tf_txn *t, void *arg, struct tf_error *err)
{
	return tf_seal_one(t, arg, err);
}

/* A file that is prepared for a seal when its trail gets recipients is prepared
 * again: its bytes never become evidence that everybody reads. */
START_TEST(no_evidence_is_sealed_without_its_new_recipients)
{
	static const char to[] = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu"
				 "9d9dl0jq3yqqvfafg\n";
	static const char says[] =
	    "\"encryption\":{\"format\":\"age\",\"recipients\":1}";
	uint64_t a = make_dir_of(wf, "a", 0), version, size, bytes;
	struct tf_seal_file s = { .l = NULL };
	struct tf_buf entry = { 0 };
	struct tf_attr at;
	struct tf_file *f;
	struct tf_db *db;

	v->settings.value[TF_SETTLE] = 60;
	OK(tf_vault_create(v, a, "f", 0644, &root, &at, &f, NULL));
	OK(tf_file_write_at(f, "secret", 6, 0, true, NULL));
	OK(tf_file_close(v, f, NULL));
	pthread_mutex_lock(&v->mu);
	s.l = tf_pending_get(&v->pending, at.id);
	ck_assert(tf_pending_claim(v, s.l));
	pthread_mutex_unlock(&v->mu);
	OK(tf_reader_db(v, &db, NULL));
	OK(tf_seal_prepare(v, db, &s, 1, NULL));
	tf_reader_done(v, db);
	OK(tf_vault_define(v, trail, TF_DEFINITION_RECIPIENTS, NULL, to,
	    sizeof(to) - 1, &root, &version, NULL));
	ck_assert_int_eq(TF_BUSY,
	    tf_commit_wait(v->commit, seal_prepared, &s, NULL));
	tf_seal_prepared_free(&s, 1);
	pthread_mutex_lock(&v->mu);
	tf_pending_unclaim(v, s.l);
	pthread_mutex_unlock(&v->mu);
	OK(tf_vault_sync(v, a, &root, NULL));
	OK(tf_vault_size(v, &size, &bytes, NULL));
	OK(tf_vault_entry(v, size - 1, &entry, NULL));
	ck_assert_ptr_nonnull(memmem(entry.p, entry.n, says, sizeof(says) - 1));
	tf_buf_free(&entry);
}
END_TEST

/* --- requests of others ------------------------------------------------------ */

static unsigned objects;

static int
count_object(const char *name, const struct stat *st, int type)
{
	(void)name;
	(void)st;
	objects += type == FTW_F;
	return 0;
}

static void *
publish(void *arg)
{
	struct sealer *s = arg;

	is_free = s->is_free;
	s->rc = tf_vault_rename(v, wf, ".d", wf, "d", true, &root, NULL);
	return NULL;
}

/* The thread that publishes a draft also reads requests, until it says that it
 * takes long.  It does before it hashes, links and syncs files. */
START_TEST(a_seal_says_that_it_is_long_before_it_prepares)
{
	static char bytes[100000];
	uint64_t draft = make_dir_of(wf, ".d", 0);
	struct sealer s = { .id = draft };
	struct tf_attr a;
	struct tf_file *f;

	OK(tf_vault_create(v, draft, "f", 0644, &root, &a, &f, NULL));
	OK(tf_file_write_at(f, bytes, sizeof(bytes), 0, true, NULL));
	OK(tf_file_close(v, f, NULL));
	atomic_store(&to_hold, 1);
	ck_assert_int_eq(0, pthread_create(&s.thread, NULL, publish, &s));
	(void)sem_wait(&held);
	ck_assert_int_eq(0, ftw("store/objects", count_object, 16));
	ck_assert_uint_eq(0, objects);
	(void)sem_post(&released);
	ends(&s);
	ck_assert_int_eq(0, ftw("store/objects", count_object, 16));
	ck_assert_uint_eq(1, objects);
}
END_TEST

static unsigned steps, held_steps;

/* SQLite calls this before each step of a statement.  Another thread may have
 * mu for a moment. */
static int
look_at_lock(void *arg)
{
	bool is_held = true;

	(void)arg;
	steps++;
	for (int i = 0; is_held && held_steps == 0 && i < 100; i++) {
		if (i > 0)
			(void)usleep(10000);
		is_held = pthread_mutex_trylock(&v->mu) != 0;
	}
	if (is_held)
		held_steps++;
	else
		pthread_mutex_unlock(&v->mu);
	return 0;
}

/* Every request needs mu, and a read may wait for the disk, or for its turn on
 * a core if a thread with a lower priority reads for a control file. */
START_TEST(nobody_reads_the_database_while_all_others_wait)
{
	struct tf_asker other = { .uid = 1001, .gid = 1001 };
	uint64_t att = make_attestation(wf, "a", 0, "junit", 0), sub;
	struct tf_buf text = { 0 };
	struct tf_sink sink = tf_buf_sink(&text);
	struct tf_dirent names[8];
	struct tf_view *w;
	struct tf_attr a;
	struct tf_db *db;
	size_t n;

	sub = make_dir_of(att, "s", 0);
	put(sub, "f", "text", 0);
	/* The next readers use the same connection. */
	OK(tf_reader_db(v, &db, NULL));
	sqlite3_progress_handler(db->sq, 1, look_at_lock, NULL);
	tf_reader_done(v, db);
	OK(tf_vault_lookup(v, wf, "a", &a, NULL));
	OK(tf_vault_lookup(v, sub, "f", &a, NULL));
	OK(tf_vault_getattr(v, sub, &a, NULL));
	OK(tf_vault_getattr(v, a.id, &a, NULL));
	OK(tf_vault_opendir(v, sub, &a, NULL));
	tf_vault_closedir(v, sub);
	OK(tf_vault_list(v, att, 0, names, 8, &n, NULL));
	ck_assert_uint_eq(3, n);
	OK(tf_view_open(v, &other, &w, NULL));
	OK(tf_view_status(w, trail, &sink, NULL));
	OK(tf_view_status(w, wf, &sink, NULL));
	tf_view_close(w);
	tf_buf_free(&text);
	OK(tf_reader_db(v, &db, NULL));
	sqlite3_progress_handler(db->sq, 0, NULL, NULL);
	tf_reader_done(v, db);
	ck_assert_uint_gt(steps, 100);
	ck_assert_uint_eq(0, held_steps);
}
END_TEST

Suite *
suite_turns(void)
{
	Suite *s = suite_create("turns");
	TCase *t = tcase_create("turns");

	tcase_set_timeout(t, 120); /* a guard against waiting for ever */
	tcase_add_checked_fixture(t, make_vault, remove_vault);
	tcase_add_test(t, a_judgement_delays_no_other_directory);
	tcase_add_test(t, long_json_is_judged_one_file_at_a_time);
	tcase_add_test(t,
	    long_work_of_many_users_leaves_a_thread_for_short_work);
	tcase_add_test(t, users_take_turns_in_the_background);
	tcase_add_test(t, a_short_seal_passes_the_long_ones_of_four_users);
	tcase_add_test(t, a_comparison_that_failed_is_not_repeated_at_once);
	tcase_add_test(t, the_end_leaves_a_comparison_to_the_next_start);
	tcase_add_test(t, no_evidence_is_judged_in_a_transaction);
	tcase_add_test(t, no_evidence_is_sealed_without_its_new_recipients);
	tcase_add_test(t, a_seal_says_that_it_is_long_before_it_prepares);
	tcase_add_test(t, nobody_reads_the_database_while_all_others_wait);
	suite_add_tcase(s, t);
	return s;
}
