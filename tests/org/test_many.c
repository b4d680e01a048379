/* Several processes at one ledger, processes that are killed, and answers that are
 * lost. */
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pair.h"

#define PROCESSES 8
#define KILLS 40

static struct pair p;

/* Append entries [0, n) of origin, in batches of changing lengths. */
static void
write_all(const char *uri, const char *origin, uint64_t n, unsigned seed)
{
	struct tf_ledger *l;
	uint64_t next;
	size_t some;

	ok(tf_ledger_open(uri, TF_ORG_MEMBER, &l, err));
	while ((next = next_of(l, origin)) < n) {
		seed = seed * 1103515245 + 12345;
		some = 1 + seed / 65536 % 40;
		some = some < n - next ? some : (size_t)(n - next);
		(void)added(l, origin, next, some, 0, TF_OK);
	}
	tf_ledger_close(l);
}

static pid_t
start_writer(const char *origin, uint64_t n, unsigned seed)
{
	pid_t pid = check_fork();

	if (pid == 0) {
		write_all(p.ledger_uri, origin, n, seed);
		_exit(0);
	}
	return pid;
}

static void
wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(pid, waitpid(pid, &status, 0));
	ck_assert_int_eq(0, status);
}

/* Do not let a child use the connections of its parent. */
static void
close_pair(void)
{
	tf_ledger_close(p.l);
	p.l = NULL;
}

static void
open_pair(void)
{
	ok(tf_ledger_open(p.ledger_uri, TF_ORG_ORGANISER, &p.l, err));
}

/* Pair i with one member, a, for processes that come. */
static void
pair_of_a(int i)
{
	pair_make(&p, i);
	enrol(&p, "a");
	close_pair();
}

/* A process with a handle of its own. */
static pid_t
fork_with_pair(void)
{
	pid_t pid = check_fork();

	if (pid == 0)
		open_pair();
	return pid;
}

START_TEST(eight_processes_lose_and_double_nothing)
{
	char origin[PROCESSES][16];
	pid_t pid[PROCESSES];

	pair_make(&p, _i);
	for (int i = 0; i < PROCESSES; i++) {
		(void)snprintf(origin[i], sizeof(origin[i]), "host%d", i);
		enrol(&p, origin[i]);
	}
	close_pair();
	for (int i = 0; i < PROCESSES; i++)
		pid[i] = start_writer(origin[i], 300, (unsigned)i);
	for (int i = 0; i < PROCESSES; i++)
		wait_for(pid[i]);
	open_pair();
	ck_assert_uint_eq(PROCESSES * 300, check_dense(p.l));
	ck_assert_uint_eq(0, refusals(p.l, NULL));
	pair_end(&p);
}
END_TEST

/* Two forwarders of one host, by mistake: both give the same bytes. */
START_TEST(two_processes_of_one_origin_double_nothing)
{
	pid_t pid[3];

	pair_of_a(_i);
	for (int i = 0; i < 3; i++)
		pid[i] = start_writer("a", 400, (unsigned)i * 77);
	for (int i = 0; i < 3; i++)
		wait_for(pid[i]);
	open_pair();
	ck_assert_uint_eq(400, check_dense(p.l));
	ck_assert_uint_eq(0, refusals(p.l, NULL));
	pair_end(&p);
}
END_TEST

/* Of two heads for one state one wins, with many who try. */
START_TEST(one_checkpoint_wins)
{
	int *won = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[PROCESSES];

	ck_assert(won != MAP_FAILED);
	pair_make(&p, _i);
	enrol(&p, "a");
	(void)added(p.l, "a", 0, 9, 0, TF_OK);
	close_pair();
	for (int i = 0; i < PROCESSES; i++) {
		if ((pid[i] = fork_with_pair()) != 0)
			continue;
		for (uint64_t n = 0; n < 9; n++) {
			struct tf_error err;
			enum tf_code rc = p.l->ops->checkpoint_put(p.l,
			    n == 0 ? UINT64_MAX : n, n + 1,
			    (struct tf_str){ "x", 1 }, &err);

			if (rc == TF_OK)
				(void)__atomic_add_fetch(&won[n], 1,
				    __ATOMIC_SEQ_CST);
			else if (rc == TF_INDOUBT || rc == TF_IO)
				n--;
			else
				ck_assert_int_eq(TF_BUSY, rc);
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++)
		wait_for(pid[i]);
	for (int n = 0; n < 9; n++)
		ck_assert_int_le(won[n], 1);
	ck_assert_int_eq(1, won[0]);
	open_pair();
	pair_end(&p);
}
END_TEST

/*
 * A writer is killed again and again at any moment, and each follower goes on from
 * what the ledger says.  What one was told is durable is there.
 */
START_TEST(a_killed_writer_goes_on)
{
	uint64_t *told = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned seed = 1;
	int status;

	ck_assert(told != MAP_FAILED);
	pair_of_a(_i);
	for (int i = 0; i < KILLS; i++) {
		pid_t pid = check_fork();

		if (pid == 0) {
			struct tf_ledger *l;
			uint64_t next;

			ok(tf_ledger_open(p.ledger_uri, TF_ORG_MEMBER, &l,
			    err));
			ck_assert_uint_ge(next_of(l, "a"), *told);
			for (;;) {
				next = next_of(l, "a");
				*told = added(l, "a", next,
				    1 + (size_t)(next % 17), 0, TF_OK)
					    .next;
			}
		}
		seed = seed * 1103515245 + 12345;
		(void)poll(NULL, 0, (int)(seed / 65536 % (_i == 0 ? 40 : 200)));
		/* A slow machine may have killed all of them too early. */
		while (i == KILLS - 1 &&
		    __atomic_load_n(told, __ATOMIC_SEQ_CST) == 0)
			(void)poll(NULL, 0, 10);
		(void)kill(pid, SIGKILL);
		ck_assert_int_eq(pid, waitpid(pid, &status, 0));
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	open_pair();
	ck_assert_uint_ge(check_dense(p.l), *told);
	ck_assert_uint_gt(*told, 0);
	ck_assert_uint_eq(0, refusals(p.l, NULL));
	pair_end(&p);
}
END_TEST

/* Killed between the commit and the answer: the next one asks with the same batch
 * and another border. */
START_TEST(killed_between_commit_and_answer)
{
	int status;
	pid_t pid;

	pair_of_a(_i);
	if ((pid = fork_with_pair()) == 0) {
		(void)added(p.l, "a", 0, 5, 0, TF_OK);
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(pid, waitpid(pid, &status, 0));
	ck_assert_int_eq(SIGKILL, WTERMSIG(status));
	open_pair();
	ck_assert_uint_eq(7, added(p.l, "a", 0, 7, 0, TF_OK).next);
	ck_assert_uint_eq(7, check_dense(p.l));
	pair_end(&p);
}
END_TEST

START_TEST(a_wait_hears_of_another_process)
{
	uint64_t size;
	pid_t pid;

	pair_of_a(_i);
	if ((pid = fork_with_pair()) == 0) {
		(void)poll(NULL, 0, 100);
		(void)added(p.l, "a", 0, 3, 0, TF_OK);
		_exit(0);
	}
	open_pair();
	ok(p.l->ops->wait(p.l, 2, 100000000, &size, err));
	ck_assert_uint_eq(3, size);
	wait_for(pid);
	pair_end(&p);
}
END_TEST

/* --- lost answers ---------------------------------------------------------------- */

/* A ledger that loses some answers, and some questions. */
struct lossy {
	struct tf_ledger base;
	struct tf_ledger *l;
	unsigned calls, lost, pauses;
};

static enum tf_code
lossy_append(struct tf_ledger *l, const struct tf_batch *b,
    struct tf_appended *out, struct tf_error *err)
{
	struct lossy *x = (struct lossy *)l;
	struct tf_appended unseen;

	switch (x->calls++ % 5) {
	case 0: /* the answer is lost */
		ok(x->l->ops->append(x->l, b, &unseen, err));
		x->lost++;
		return tf_fail(err, TF_INDOUBT, "lost");
	case 1: /* the question is lost */
		return tf_fail(err, TF_INDOUBT, "lost");
	case 2:
		return tf_fail(err, TF_BUSY, "later");
	case 3:
		return tf_fail(err, TF_IO, "no connection");
	}
	return x->l->ops->append(x->l, b, out, err);
}

static bool
count_pause(void *arg, unsigned ms, const struct tf_error *why)
{
	(void)ms;
	(void)why;
	((struct lossy *)arg)->pauses++;
	return true;
}

static bool
no_pause(void *arg, unsigned ms, const struct tf_error *why)
{
	(void)arg;
	(void)ms;
	(void)why;
	return false;
}

START_TEST(lost_answers_are_asked_again)
{
	static const struct tf_ledger_ops ops = { .append = lossy_append };
	struct lossy x = { .base = { &ops } };
	struct tf_patience patient = { count_pause, &x },
			   impatient = { no_pause, NULL };
	struct tf_appended a;
	struct some_batch *b;

	pair_make(&p, _i);
	enrol(&p, "a");
	x.l = p.l;
	for (uint64_t n = 0; n < 100; n += 7) {
		b = batch_of("a", n, 7, 0);
		ok(tf_org_append(&x.base, &b->b, &patient, &a, err));
		ck_assert_uint_eq(n + 7, a.next);
		batch_free(b);
	}
	ck_assert_uint_eq(15, x.lost);
	ck_assert_uint_eq(15 * 4, x.pauses);
	ck_assert_uint_eq(105, check_dense(p.l));
	/* Who gives up in doubt is in doubt. */
	b = batch_of("a", 105, 1, 0);
	fails(TF_INDOUBT, tf_org_append(&x.base, &b->b, &impatient, &a, err));
	batch_free(b);
	ck_assert_uint_eq(106, check_dense(p.l));
	pair_end(&p);
}
END_TEST

/* --- many hosts -------------------------------------------------------------------- */

#define HOSTS 100
#define HOST_ENTRIES 30 /* of each */
#define LOSE 5		/* of 100 answers are thrown away */
#define CONNECTIONS 32	/* of all hosts at once */

static uint64_t
number_from(const char *variable, uint64_t otherwise)
{
	const char *s = getenv(variable);

	return s == NULL ? otherwise : strtoull(s, NULL, 10);
}

/* A generator for choices: SplitMix64. */
static uint64_t
choose(uint64_t *state, uint64_t of)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % of;
}

/* What the hosts did, in memory that they share. */
struct done {
	uint64_t opened, appends, lost, again;
	sem_t connections; /* that may be opened */
};

/* A ledger whose answers are lost on the way. */
struct thrower {
	struct tf_ledger base;
	struct tf_ledger *l;
	uint64_t *seed;
	struct done *done;
};

static enum tf_code
throwing_append(struct tf_ledger *l, const struct tf_batch *b,
    struct tf_appended *out, struct tf_error *err)
{
	struct thrower *t = (struct thrower *)l;
	enum tf_code rc = t->l->ops->append(t->l, b, out, err);

	(void)__atomic_add_fetch(&t->done->appends, 1, __ATOMIC_SEQ_CST);
	if (rc != TF_OK || choose(t->seed, 100) >= LOSE)
		return rc;
	(void)__atomic_add_fetch(&t->done->lost, 1, __ATOMIC_SEQ_CST);
	*out = (struct tf_appended){ 0 };
	return tf_fail(err, TF_INDOUBT, "thrown away");
}

static bool
wait_and_count(void *arg, unsigned ms, const struct tf_error *why)
{
	(void)why;
	(void)__atomic_add_fetch(&((struct done *)arg)->again, 1,
	    __ATOMIC_SEQ_CST);
	(void)poll(NULL, 0, (int)ms);
	return true;
}

static void
close_host(struct thrower *t)
{
	if (t->l != NULL)
		ck_assert_int_eq(0, sem_post(&t->done->connections));
	tf_ledger_close(t->l);
	t->l = NULL;
}

/* Connect; *next becomes what the ledger says. */
static void
open_host(struct thrower *t, const char *origin, uint64_t *next)
{
	unsigned pause = 0;

	for (;;) {
		struct tf_error err;
		enum tf_code rc;

		while (sem_wait(&t->done->connections) != 0)
			;
		(void)__atomic_add_fetch(&t->done->opened, 1, __ATOMIC_SEQ_CST);
		rc = tf_ledger_open(p.ledger_uri, TF_ORG_MEMBER, &t->l, &err);
		if (rc == TF_OK)
			rc = t->l->ops->member(t->l, origin, next, NULL, &err);
		if (rc == TF_OK)
			return;
		/* No primary is there, or it is busy. */
		ck_assert_msg(rc == TF_IO || rc == TF_BUSY || rc == TF_INDOUBT,
		    "%s: %s", tf_code_name(rc), err.text);
		tf_ledger_close(t->l);
		t->l = NULL;
		ck_assert_int_eq(0, sem_post(&t->done->connections));
		/* A busy machine may answer none of them in time: come apart. */
		pause = tf_pause_after(pause);
		(void)wait_and_count(t->done,
		    (unsigned)choose(t->seed, pause + 1), &err);
	}
}

/*
 * A host: it goes on from what it knows, or from what the ledger says, or gives
 * once more what is there already; and now and then it gives up after a lost answer
 * as if it had been killed.  It comes for some batches, goes, and connects again.
 */
static void
be_host(const char *origin, uint64_t entries, uint64_t seed, struct done *done)
{
	static const struct tf_ledger_ops ops = { .append = throwing_append };
	struct thrower t = { { &ops }, NULL, &seed, done };
	struct tf_patience patience = { wait_and_count, done };
	struct tf_appended a;
	uint64_t next = 0, known = 0;

	while (next < entries) {
		uint64_t n = 1 + choose(&seed, 8),
			 back = choose(&seed, 8) == 0 ? choose(&seed, 4) : 0;
		struct some_batch *b;
		struct tf_error err;
		enum tf_code rc;

		if (t.l == NULL) {
			open_host(&t, origin, &next);
			/* All that was acknowledged, whatever has failed. */
			ck_assert_uint_ge(next, known);
			continue;
		}
		back = back < next ? back : next;
		n = n < entries - next ? n : entries - next;
		b = batch_of(origin, next - back, (size_t)(n + back), 0);
		if (choose(&seed, 4) == 0) {
			rc = throwing_append(&t.base, &b->b, &a, &err);
			ck_assert(rc == TF_OK || rc == TF_INDOUBT ||
			    rc == TF_BUSY || rc == TF_IO);
		} else {
			ok(tf_org_append(&t.base, &b->b, &patience, &a, err));
			rc = TF_OK;
		}
		batch_free(b);
		if (rc == TF_OK) {
			/* More, if an append of this host that was in doubt
			 * was still on its way when it asked for next. */
			ck_assert_uint_ge(a.next, next + n);
			known = next = a.next;
		}
		if (rc != TF_OK || choose(&seed, 4) == 0)
			close_host(&t);
	}
	close_host(&t);
}

static void
name_host(char origin[32], uint64_t i)
{
	(void)snprintf(origin, 32, "host%llu", (unsigned long long)i);
}

/* The program TRAILFS_ORG_THEN gets the URI of the ledger, when all hosts have
 * ended. */
static void
then(void)
{
	const char *program = getenv("TRAILFS_ORG_THEN");
	pid_t pid;

	if (program == NULL)
		return;
	if ((pid = fork()) == 0) {
		(void)execl(program, program, p.ledger_uri, (char *)NULL);
		_exit(127);
	}
	wait_for(pid);
}

/*
 * TRAILFS_ORG_HOSTS, _ENTRIES, _SEED and _CONNECTIONS: how many, which choices,
 * and how many of them may be connected at once.
 */
START_TEST(many_hosts_with_lost_answers)
{
	uint64_t hosts = number_from("TRAILFS_ORG_HOSTS", HOSTS),
		 seed = number_from("TRAILFS_ORG_SEED", (uint64_t)getpid()),
		 entries = number_from("TRAILFS_ORG_ENTRIES", HOST_ENTRIES);
	struct done *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char origin[32];
	int status;

	printf("many_hosts_with_lost_answers: TRAILFS_ORG_HOSTS=%llu "
	       "TRAILFS_ORG_SEED=%llu\n",
	    (unsigned long long)hosts, (unsigned long long)seed);
	(void)fflush(stdout);
	ck_assert(done != MAP_FAILED);
	ck_assert_int_eq(0,
	    sem_init(&done->connections, 1,
		(unsigned)number_from("TRAILFS_ORG_CONNECTIONS", CONNECTIONS)));
	pair_make(&p, _i);
	for (uint64_t i = 0; i < hosts; i++) {
		name_host(origin, i);
		enrol(&p, origin);
	}
	close_pair();
	for (uint64_t i = 0; i < hosts; i++) {
		name_host(origin, i);
		if (check_fork() == 0) {
			be_host(origin, entries, seed * 1000003 + i, done);
			_exit(0);
		}
	}
	for (uint64_t i = 0; i < hosts; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(0, status);
	}
	then();
	open_pair();
	/* Each origin has all of its own, in order, once; and nothing else is
	 * there. */
	ck_assert_uint_eq(hosts * entries, check_dense(p.l));
	for (uint64_t i = 0; i < hosts; i++) {
		name_host(origin, i);
		ck_assert_uint_eq(entries, next_of(p.l, origin));
	}
	ck_assert_uint_eq(0, refusals(p.l, NULL));
	ck_assert_uint_gt(done->lost, 0);
	printf("pair %d: seed %llu, %llu entries of %llu hosts: 0 lost, 0 "
	       "doubled, 0 out of order, no gap; %llu appends, %llu answers "
	       "thrown away, %llu pauses, %llu connections\n",
	    _i, (unsigned long long)seed, (unsigned long long)(hosts * entries),
	    (unsigned long long)hosts, (unsigned long long)done->appends,
	    (unsigned long long)done->lost, (unsigned long long)done->again,
	    (unsigned long long)done->opened);
	pair_end(&p);
}
END_TEST

Suite *
suite_many(void)
{
	Suite *s = suite_create("many");
	TCase *t = tcase_create("many");
	int n = pair_count();

	tcase_add_loop_test(t, eight_processes_lose_and_double_nothing, 0, n);
	tcase_add_loop_test(t, two_processes_of_one_origin_double_nothing, 0,
	    n);
	tcase_add_loop_test(t, one_checkpoint_wins, 0, n);
	tcase_add_loop_test(t, a_killed_writer_goes_on, 0, n);
	tcase_add_loop_test(t, killed_between_commit_and_answer, 0, n);
	tcase_add_loop_test(t, a_wait_hears_of_another_process, 0, n);
	tcase_add_loop_test(t, lost_answers_are_asked_again, 0, n);
	suite_add_tcase(s, t);
	t = tcase_create("hosts");
	tcase_add_loop_test(t, many_hosts_with_lost_answers, 0, n);
	suite_add_tcase(s, t);
	return s;
}
