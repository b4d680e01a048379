#include "pair.h"

#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/base/clock.h"
#include "../../core/base/crypto.h"

static const char *
pairs(void)
{
	const char *p = getenv("TRAILFS_ORG_PAIRS");

	return p == NULL ? "" : p;
}

int
pair_count(void)
{
	int n = 1;

	for (const char *p = pairs(); *p != '\0'; p += strspn(p, "\n")) {
		n += *p != '\n';
		p += strcspn(p, "\n");
	}
	return n;
}

static void
fill(char out[1024], const char *uri, size_t n, const char *name)
{
	const char *hole = memmem(uri, n, "{}", 2);
	size_t before = hole == NULL ? n : (size_t)(hole - uri);
	int r = hole == NULL ? snprintf(out, 1024, "%.*s", (int)n, uri) :
			       snprintf(out, 1024, "%.*s%s%.*s", (int)before,
				   uri, name, (int)(n - before - 2), hole + 2);

	ck_assert_int_lt(r, 1024);
}

static void
prepare(const char *name)
{
	const char *program = getenv("TRAILFS_ORG_PREPARE");
	int status;
	pid_t pid;

	if (program == NULL)
		return;
	if ((pid = fork()) == 0) {
		(void)execl("/bin/sh", "sh", "-c", "$0 \"$1\"", program, name,
		    (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(pid, waitpid(pid, &status, 0));
	ck_assert_int_eq(0, status);
}

/* Pair i > 0 is line i. */
static void
from_line(struct pair *p, int i, const char *name)
{
	const char *line = pairs();
	size_t n, space;

	for (line += strspn(line, "\n"); i > 1; i--) {
		line += strcspn(line, "\n");
		line += strspn(line, "\n");
	}
	n = strcspn(line, "\n");
	space = strcspn(line, " ");
	ck_assert_uint_lt(space, n);
	fill(p->ledger_uri, line, space, name);
	fill(p->blobs_uri, line + space + 1, n - space - 1, name);
	prepare(name);
}

void
pair_make(struct pair *p, int i)
{
	const char *tmp = getenv("TMPDIR");
	char name[64];

	memset(p, 0, sizeof(*p));
	(void)snprintf(name, sizeof(name), "t%d_%llu", (int)getpid(),
	    (unsigned long long)tf_clock_boot_ns());
	if (i == 0) {
		(void)snprintf(p->dir, sizeof(p->dir), "%s/%s",
		    tmp == NULL ? "/tmp" : tmp, name);
		(void)snprintf(p->ledger_uri, sizeof(p->ledger_uri), "dir:%s",
		    p->dir);
		(void)snprintf(p->blobs_uri, sizeof(p->blobs_uri), "dir:%s",
		    p->dir);
	} else
		from_line(p, i, name);
	ok(tf_ledger_create(p->ledger_uri, err));
	ok(tf_blobs_create(p->blobs_uri, err));
	ok(tf_ledger_open(p->ledger_uri, TF_ORG_ORGANISER, &p->l, err));
	ok(tf_blobs_open(p->blobs_uri, TF_ORG_ORGANISER, &p->b, err));
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

void
pair_end(struct pair *p)
{
	tf_ledger_close(p->l);
	tf_blobs_close(p->b);
	if (p->dir[0] != '\0')
		(void)nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
write_entry(char *to, size_t n, const char *origin, uint64_t number, int salt)
{
	/* Of different lengths, and with bytes that a text would not take. */
	return snprintf(to, n,
	    "{\"o\":\"%s\",\"n\":%llu,\"s\":%d,\"x\":\"%.*s\"}", origin,
	    (unsigned long long)number, salt, (int)(number % 40),
	    "\xff\x80''\\\"$1;--\x01\x02\t%s%n'''''''''''''''''''''''''''''");
}

struct some_batch *
batch_of(const char *origin, uint64_t number, size_t n, int salt)
{
	size_t room = strlen(origin) + 160;
	struct some_batch *b = calloc(1, sizeof(*b));

	ck_assert(b != NULL && n <= TF_BATCH_MAX);
	b->text = calloc(n, room);
	ck_assert_ptr_nonnull(b->text);
	for (size_t i = 0; i < n; i++) {
		b->entries[i].p = b->text + i * room;
		b->entries[i].n = (size_t)write_entry(b->text + i * room, room,
		    origin, number + i, salt);
	}
	b->b = (struct tf_batch){ .origin = origin,
		.number = number,
		.entries = b->entries,
		.n = n };
	return b;
}

void
batch_free(struct some_batch *b)
{
	free(b->text);
	free(b);
}

/* An engine that does not come back ends the test by its time limit. */
static bool
again(void *arg, unsigned ms, const struct tf_error *why)
{
	(void)arg;
	(void)why;
	(void)poll(NULL, 0, ms < 1000 ? (int)ms : 1000);
	return true;
}

enum tf_code
append(struct tf_ledger *l, const struct tf_batch *b, struct tf_appended *out)
{
	struct tf_patience p = { again, NULL };
	struct tf_error err = { 0 };

	return tf_org_append(l, b, &p, out, &err);
}

struct tf_appended
added(struct tf_ledger *l, const char *origin, uint64_t number, size_t n,
    int salt, enum tf_code code)
{
	struct some_batch *b = batch_of(origin, number, n, salt);
	struct tf_appended out = { 0 };
	enum tf_code rc = append(l, &b->b, &out);

	ck_assert_msg(rc == code, "%llu+%zu of %s: %s, not %s",
	    (unsigned long long)number, n, origin, tf_code_name(rc),
	    tf_code_name(code));
	batch_free(b);
	return out;
}

void
enrol(struct pair *p, const char *origin)
{
	ok(p->l->ops->enrol(p->l, origin, "a+key", "", err));
}

uint64_t
next_of(struct tf_ledger *l, const char *origin)
{
	uint64_t n;

	ok(l->ops->member(l, origin, &n, NULL, err));
	return n;
}

/* --- the whole ledger ---------------------------------------------------------- */

#define ORIGINS_MAX 4096

struct dense {
	struct {
		char origin[TF_ORG_NAME_MAX + 1];
		uint64_t next;
	} of[ORIGINS_MAX];
	size_t n;
	uint64_t index;
};

static enum tf_code
check_leaf(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct dense *d = arg;
	char text[512];
	size_t i;
	int n;

	(void)err;
	ck_assert_uint_eq(d->index, leaf->index);
	d->index++;
	ck_assert_uint_le(leaf->origin.n, TF_ORG_NAME_MAX);
	for (i = 0; i < d->n; i++)
		if (strlen(d->of[i].origin) == leaf->origin.n &&
		    memcmp(d->of[i].origin, leaf->origin.p, leaf->origin.n) ==
			0)
			break;
	if (i == d->n) {
		ck_assert_uint_lt(d->n++, ORIGINS_MAX);
		memcpy(d->of[i].origin, leaf->origin.p, leaf->origin.n);
	}
	ck_assert_uint_eq(d->of[i].next, leaf->number);
	d->of[i].next++;
	n = write_entry(text, sizeof(text), d->of[i].origin, leaf->number, 0);
	ck_assert_uint_eq((size_t)n, leaf->bytes.n);
	ck_assert_mem_eq(text, leaf->bytes.p, leaf->bytes.n);
	return TF_OK;
}

uint64_t
check_dense(struct tf_ledger *l)
{
	struct dense *d = calloc(1, sizeof(*d));
	uint64_t before, size;

	ck_assert_ptr_nonnull(d);
	/* In pieces, as a reader does. */
	do {
		before = d->index;
		ok(l->ops->read(l, d->index, 300, check_leaf, d, err));
	} while (d->index > before);
	ok(l->ops->size(l, &size, err));
	ck_assert_uint_eq(size, d->index);
	for (size_t i = 0; i < d->n; i++)
		ck_assert_uint_eq(d->of[i].next, next_of(l, d->of[i].origin));
	free(d);
	return size;
}

struct last_refused {
	uint64_t n;
	struct tf_refused *last;
};

static enum tf_code
count_refused(void *arg, const struct tf_refused *r, struct tf_error *err)
{
	struct last_refused *l = arg;

	(void)err;
	ck_assert_uint_eq(l->n, r->index);
	l->n++;
	if (l->last != NULL)
		*l->last = *r;
	return TF_OK;
}

uint64_t
refusals(struct tf_ledger *l, struct tf_refused *last)
{
	struct last_refused r = { 0, last };

	ok(l->ops->refusals(l, 0, count_refused, &r, err));
	return r.n;
}

int
file_of(const void *p, size_t n)
{
	char name[] = "/tmp/org.XXXXXX";
	int fd = mkstemp(name);

	ck_assert_int_ge(fd, 0);
	(void)unlink(name);
	ck_assert_int_eq((ssize_t)n, pwrite(fd, p, n, 0));
	return fd;
}
