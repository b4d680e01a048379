/*
 * A change of a node waits for the claim on it, and the holder of the claim may
 * wait for the content.  Neither may wait for the other for ever.
 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../../core/vault.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define ROUNDS 50

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static struct tf_vault *v;
static uint64_t att;

static void
make_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_attr a;

	own_store_make("claims", &root);
	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_mkdir(v, TF_ROOT_ID, "t", 0755, &root, &a, NULL));
	OK(tf_vault_mkdir(v, a.id, "w", 0755, &root, &a, NULL));
	OK(tf_vault_mkdir(v, a.id, "a", 0755, &root, &a, NULL));
	att = a.id;
}

static void
remove_vault(void)
{
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}

struct writer {
	struct tf_file *file;
	atomic_uint writes;
	atomic_bool enough;
	enum tf_code rc;
};

static void *
write_on(void *arg)
{
	struct writer *w = arg;

	while (w->rc == TF_OK && !atomic_load(&w->enough)) {
		w->rc = tf_file_write_at(w->file, "x", 1, 0, true, NULL);
		atomic_fetch_add(&w->writes, 1);
	}
	return NULL;
}

/* A draft that is on disk and is written by another thread. */
static void
begin(const char *name, struct writer *w, pthread_t *thread)
{
	struct tf_attr a;
	struct tf_file *f;

	OK(tf_vault_create(v, att, name, 0644, &root, &a, &f, NULL));
	OK(tf_file_write_at(f, "x", 1, 0, false, NULL));
	OK(tf_file_close(v, f, NULL));
	OK(tf_vault_open_write(v, a.id, false, &root, &w->file, NULL));
	ck_assert_int_eq(0, pthread_create(thread, NULL, write_on, w));
	while (atomic_load(&w->writes) == 0)
		(void)usleep(100);
}

static void
end(struct writer *w, pthread_t thread)
{
	atomic_store(&w->enough, true);
	ck_assert_int_eq(0, pthread_join(thread, NULL));
	OK(w->rc);
	tf_file_release(w->file);
}

START_TEST(a_draft_is_unlinked_while_it_is_written)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct writer w = { .rc = TF_OK };
		pthread_t thread;

		begin("d.tmp", &w, &thread);
		OK(tf_vault_unlink(v, att, "d.tmp", &root, NULL));
		end(&w, thread);
	}
}
END_TEST

START_TEST(a_draft_is_replaced_while_it_is_written)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct writer w = { .rc = TF_OK };
		struct tf_attr a;
		struct tf_file *f;
		pthread_t thread;

		begin("d.tmp", &w, &thread);
		OK(tf_vault_create(v, att, "e.tmp", 0644, &root, &a, &f, NULL));
		OK(tf_file_close(v, f, NULL));
		OK(tf_vault_rename(v, att, "e.tmp", att, "d.tmp", false, &root,
		    NULL));
		end(&w, thread);
		OK(tf_vault_unlink(v, att, "d.tmp", &root, NULL));
	}
}
END_TEST

Suite *
suite_claims(void)
{
	Suite *s = suite_create("claims");
	TCase *tc = tcase_create("claims");

	tcase_set_timeout(tc, 120); /* a guard against waiting for ever */
	tcase_add_checked_fixture(tc, make_vault, remove_vault);
	tcase_add_test(tc, a_draft_is_unlinked_while_it_is_written);
	tcase_add_test(tc, a_draft_is_replaced_while_it_is_written);
	suite_add_tcase(s, tc);
	return s;
}
