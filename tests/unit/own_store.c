/* A store of a test's own. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../core/buffer.h"
#include "../../core/vault.h"
#include "own_store.h"

static char dir[256];

void
own_store_make(const char *name, const struct tf_actor *by)
{
	const char *tmp = getenv("TMPDIR");
	struct tf_buf vkey = { 0 };
	char origin[64];

	snprintf(dir, sizeof(dir), "%.200s/%.30s.XXXXXX",
	    tmp != NULL ? tmp : "/tmp", name);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	snprintf(origin, sizeof(origin), "example.org/%.40s", name);
	ck_assert_int_eq(TF_OK,
	    tf_vault_init("store", origin, by, &vkey, NULL));
	tf_buf_free(&vkey);
}

void
own_store_remove(void)
{
	ck_assert_int_eq(0, system("rm -rf store"));
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}
