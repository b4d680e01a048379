/* The ledger and the store of a test: read, damaged, verified. */
#include <limits.h>
#include <sqlite3.h>
#include <stdarg.h>

#include "harness.h"
#include "harness_i.h"

/* Root may read it, whichever user the test runs as. */
const char *
events(void)
{
	uid_t who = geteuid();
	const char *text;

	as(0);
	text = vault_pid() > 0 ? content("mnt/.trailfs/events.jsonl", NULL) :
				 run(0, "trailctl log --json store");
	as(who);
	return text;
}

/* True if the line has that type and path; NULL stands for any. */
static bool
is_about(const char *line, const char *type, const char *path)
{
	char want[PATH_MAX];

	snprintf(want, sizeof want, "\"type\":\"%s\"", type);
	if (type != NULL && strstr(line, want) == NULL)
		return false;
	snprintf(want, sizeof want, "\"path\":\"%s\"", path);
	return path == NULL || strstr(line, want) != NULL;
}

static unsigned
find_entries(const char *type, const char *path, const char **last)
{
	char *text = keep_text("%s", ""), *line;
	const char *from = events();
	unsigned n = 0;

	text = strcpy(keep_bytes(strlen(from)), from);
	while ((line = strsep(&text, "\n")) != NULL) {
		if (!is_about(line, type, path))
			continue;
		*last = line;
		n++;
	}
	return n;
}

unsigned
entries(const char *type, const char *path)
{
	const char *last;

	return find_entries(type, path, &last);
}

const char *
entry(const char *type, const char *path)
{
	const char *last = NULL;

	ck_assert_msg(find_entries(type, path, &last) > 0,
	    "no entry %s about %s", type != NULL ? type : "",
	    path != NULL ? path : "anything");
	return last;
}

unsigned long
entry_seq(const char *line)
{
	const char *at = strstr(line, "\"seq\":");

	ck_assert_ptr_nonnull(at);
	return strtoul(at + 6, NULL, 10);
}

void
tamper(const char *fmt, ...)
{
	char *sql = NULL, *why = NULL;
	sqlite3 *db;
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&sql, fmt, ap), 0);
	va_end(ap);
	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK,
	    "%s: %s", sql, why);
	ck_assert_msg(sqlite3_total_changes(db) > 0 ||
		strncmp(sql, "PRAGMA", 6) == 0 || strncmp(sql, "DROP", 4) == 0,
	    "%s: changed nothing", sql);
	sqlite3_close(db);
	free(sql);
}

void
flip_bit(const char *file, const char *bytes)
{
	size_t n;
	char *all = content(file, &n), *at, c;
	int fd;

	at = memmem(all, n, bytes, strlen(bytes));
	ck_assert_msg(at != NULL, "'%s' is not in %s", bytes, file);
	c = (char)(*at ^ 1);
	ck_assert_int_eq(0, chmod(file, 0600));
	fd = open(file, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(1, pwrite(fd, &c, 1, at - all));
	close(fd);
}

const char *
verify(int status)
{
	return run(status, "trailctl verify store");
}
