/* Who is served first by the threads that hash. */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/base/crypto.h"
#include "../../core/commit/hasher.h"
#include "../../core/node/base.h"
#include "../../core/types.h"

#define LONG ((off_t)8 << 30) /* a hole; seconds of work */
#define ROUNDS 300
#define THREADS 6

static struct tf_hasher *h;

static void
start(void)
{
	ck_assert_int_eq(TF_OK, tf_hasher_start(&h, NULL));
}

static void
stop(void)
{
	tf_hasher_stop(h);
}

static int
file_of(const char *text, size_t n, off_t size)
{
	FILE *f = tmpfile();
	int fd;

	ck_assert_ptr_nonnull(f);
	fd = dup(fileno(f));
	fclose(f);
	ck_assert_int_eq((ssize_t)n, pwrite(fd, text, n, 0));
	ck_assert_int_eq(0, ftruncate(fd, size));
	return fd;
}

static enum tf_code
hash(int fd, uint32_t uid, const struct tf_patience *p, struct tf_hash *out)
{
	uint64_t size;

	return tf_hash_whole(h, uid, fd, p, out, &size, NULL);
}

struct background {
	atomic_bool asked, over;
	enum tf_code rc;
};

static bool
is_over(void *arg)
{
	struct background *b = arg;

	atomic_store(&b->asked, true);
	return atomic_load(&b->over);
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

static void *
hash_long_file(void *arg)
{
	struct background *b = arg;
	const struct tf_patience p = { .is_over = is_over, .arg = b };
	struct tf_hash out;
	int fd = file_of("", 0, LONG);

	b->rc = hash(fd, 1, &p, &out);
	close(fd);
	return NULL;
}

/* A long file that nobody waits for does not delay a close, of the same user
 * either. */
START_TEST(what_a_program_waits_for_is_hashed_beside_the_rest)
{
	static const struct tf_patience waits = { .is_over = never,
		.waits = true };
	struct background b = { .rc = TF_OK };
	struct tf_hash out, right;
	pthread_t t;
	int fd = file_of("text", 4, 4);

	ck_assert_int_eq(0, pthread_create(&t, NULL, hash_long_file, &b));
	while (!atomic_load(&b.asked))
		sched_yield();
	ck_assert_int_eq(TF_OK, hash(fd, 1, &waits, &out));
	atomic_store(&b.over, true);
	pthread_join(t, NULL);
	ck_assert_int_eq(TF_INTERRUPTED, b.rc);
	tf_sha256("text", 4, &right);
	ck_assert_mem_eq(&right, &out, sizeof out);
	close(fd);
}
END_TEST

static void *
hash_many(void *arg)
{
	const unsigned seed = (unsigned)(size_t)arg;
	bool *right = calloc(1, sizeof *right);
	char text[32];

	*right = true;
	for (unsigned i = 0; i < ROUNDS && *right; i++) {
		struct tf_patience p = { .is_over = never,
			.waits = (i * 7 + seed) % 3 == 0 };
		int n = snprintf(text, sizeof text, "%u %u", seed, i);
		int fd = file_of(text, (size_t)n, n);
		struct tf_hash want, got;

		tf_sha256(text, (size_t)n, &want);
		*right = hash(fd, seed % 3, &p, &got) == TF_OK &&
		    memcmp(&want, &got, sizeof got) == 0;
		close(fd);
	}
	return right;
}

/* No task is forgotten, whoever waits for it. */
START_TEST(each_of_many_files_gets_its_digest)
{
	pthread_t t[THREADS];
	void *right;

	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(0,
		    pthread_create(&t[i], NULL, hash_many, (void *)i));
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(t[i], &right);
		ck_assert(*(bool *)right);
		free(right);
	}
}
END_TEST

Suite *suite_hasher(void);

Suite *
suite_hasher(void)
{
	Suite *s = suite_create("hasher");
	TCase *t = tcase_create("turns");

	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, start, stop);
	tcase_add_test(t, what_a_program_waits_for_is_hashed_beside_the_rest);
	tcase_add_test(t, each_of_many_files_gets_its_digest);
	suite_add_tcase(s, t);
	return s;
}
