/* See altered.h. */
#include "altered.h"

#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/base/crypto.h"
#include "../../core/node/vault_i.h"
#include "../../core/package.h"
#include "../../core/vault.h"
#include "../bitflip/bitflip.h"

static char dir[256];

char said[4096];
struct tf_buf vkey;
struct tf_report r;
struct tf_error err;

void
sh(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
sha256_of(sqlite3_context *c, int n, sqlite3_value **arg)
{
	struct tf_hash h;

	(void)n;
	tf_sha256(sqlite3_value_blob(arg[0]),
	    (size_t)sqlite3_value_bytes(arg[0]), &h);
	sqlite3_result_blob(c, h.b, sizeof(h.b), SQLITE_TRANSIENT);
}

void
sql(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	/* The schema stays as it is; its triggers hinder nobody. */
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL));
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_create_function(db, "sha256_of", 1, SQLITE_UTF8, NULL,
		sha256_of, NULL, NULL));
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK,
	    "%s: %s", text, sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

void
set_up(void)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct tf_package_request q = { .path = DONE };
	struct tf_package_made made;
	const char *tmp = getenv("TMPDIR");
	struct tf_vault *v;
	uint64_t n;
	int fd;

	/* What a failed test leaves there, tests/run removes. */
	snprintf(dir, sizeof(dir), "%.200s/altered.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	make_store("store", &vkey);
	OK(export_log("store", "log", &n, NULL));
	OK(tf_vault_open("store", &o, &v, NULL));
	fd = open("a.zip", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	OK(tf_package_write(v, &q, fd, &made, NULL));
	(void)close(fd);
	OK(tf_vault_close(v, "done", NULL));
	OK(tf_package_unpack("a.zip", "out", &n, NULL));
	sh("mv out/* a && chmod -R u+w a && mkdir -p copy/t/w &&"
	   " cp -a a/data/a copy/" DONE);
}

void
tear_down(void)
{
	tf_buf_free(&vkey);
	sh("rm -rf store log a a.zip out copy");
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s|%s|%s\n",
	    tf_check_name(f->check), f->path, f->text);
}

struct tf_verify
with_key(void)
{
	said[0] = '\0';
	err = (struct tf_error){ .code = TF_OK };
	return (struct tf_verify){ .vkey = vkey.p,
		.threads = 1,
		.found = found };
}

enum tf_code
store(void)
{
	struct tf_verify v = with_key();

	return tf_verify_store("store", &v, &r, &err);
}

enum tf_code
against(const char *path, const char *copy)
{
	struct tf_verify v = with_key();

	return tf_verify_against("store", path, copy, &v, &r, &err);
}

enum tf_code
a_log(void)
{
	struct tf_verify v = with_key();

	return tf_verify_log("log", "copy", &v, &r, &err);
}

void
says(const char *line)
{
	ck_assert_msg(strstr(said, line) != NULL, "no '%s' in:\n%s", line,
	    said);
}

void
is_whole(void)
{
	ck_assert_msg(r.findings == 0, "%s", said);
	for (int l = 0; l < TF_CHECKS; l++)
		ck_assert_int_ne(TF_VERDICT_FAILED, r.check[l]);
}

void
be_a_stranger(const char *command)
{
	sh("chmod 755 . && chmod -R a+rwX store log a copy a.zip");
	sh(command);
	ck_assert(geteuid() != 0 || seteuid(NOBODY) == 0);
}

void
be_oneself(void)
{
	ck_assert_int_eq(0, seteuid(getuid()));
}

void
prove(struct tf_buf *out)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct tf_vault *v;
	struct tf_attr a;

	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_walk(v, DONE "/short.txt", &a, NULL));
	OK(tf_vault_prove(v, a.id, out, NULL));
	OK(tf_vault_close(v, "done", NULL));
}
