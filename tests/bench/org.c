/*
 * What the ledger of an organisation does, through its engine and without a vault,
 * beside a local store of the same run.
 *
 * usage: org rate DIR LEDGER [SECONDS [HOSTS...]]
 *		entries per second of a local store in the new directory DIR, then of
 *		LEDGER with 1, 10, 100 and 1,000 hosts: each in turn gives a batch of
 *		64 entries, over up to 64 connections that are kept; and with a
 *		connection for each batch
 *	  org fill LEDGER ENTRIES ORIGINS
 *		append so many entries, in batches of 1,024
 *	  org read LEDGER
 *		how long it takes to list, read, find, and to read one origin's news
 *	  org hold LEDGER CONNECTIONS
 *		append one entry over each and keep them, until stdin ends
 * LEDGER is made if it is not there.  An entry has about 500 bytes.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/org/append.h"
#include "core/org/uri.h"
#include "core/vault.h"

#define ORIGIN_MAX 48
#define BATCH 64
#define CONNECTIONS 64
#define ENTRY_MAX 600
#define READ_AT_ONCE 1000

static struct tf_error err;

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(enum tf_code rc)
{
	if (rc == TF_OK)
		return;
	fprintf(stderr, "bench-org: %s: %s\n", tf_code_name(rc), err.text);
	exit(1);
}

static struct tf_ledger *
open_ledger(const char *uri, enum tf_org_how how)
{
	struct tf_ledger *l;

	must(tf_ledger_open(uri, how, &l, &err));
	return l;
}

static void
name_origin(char out[ORIGIN_MAX], unsigned long i)
{
	(void)snprintf(out, ORIGIN_MAX, "example.org/host%lu", i);
}

/* Make the ledger and enrol the origins [from, to). */
static void
prepare(const char *uri, unsigned long from, unsigned long to)
{
	enum tf_code rc = tf_ledger_create(uri, &err);
	struct tf_ledger *l;
	char origin[ORIGIN_MAX];

	if (rc != TF_EXISTS)
		must(rc);
	l = open_ledger(uri, TF_ORG_ORGANISER);
	for (unsigned long i = from; i < to; i++) {
		name_origin(origin, i);
		must(l->ops->enrol(l, origin, "key", "", &err));
	}
	tf_ledger_close(l);
}

/* --- appending ------------------------------------------------------------------ */

static bool
wait_ms(void *arg, unsigned ms, const struct tf_error *why)
{
	const struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)arg;
	(void)why;
	(void)nanosleep(&t, NULL);
	return true;
}

/* n entries of the origin from number on; returns the number that follows. */
static uint64_t
send_batch(struct tf_ledger *l, const char *origin, uint64_t number, size_t n)
{
	static char texts[TF_BATCH_MAX][ENTRY_MAX];
	static struct tf_str entries[TF_BATCH_MAX];
	const struct tf_patience p = { wait_ms, NULL };
	struct tf_appended a;
	struct tf_batch b = { .origin = origin,
		.number = number,
		.entries = entries,
		.n = n };

	for (size_t i = 0; i < n; i++) {
		int len = snprintf(texts[i], ENTRY_MAX,
		    "{\"origin\":\"%s\",\"pad\":\"", origin);
		uint64_t z = (number + i) * 0x9e3779b97f4a7c15u;

		for (int k = 0; k < 440; k++, z = z * 6364136223846793005u + 1)
			texts[i][len++] = (char)('a' + (z >> 33) % 26);
		len += snprintf(texts[i] + len, (size_t)(ENTRY_MAX - len),
		    "\",\"seq\":%llu,\"v\":1}",
		    (unsigned long long)(number + i));
		entries[i] = (struct tf_str){ texts[i], (size_t)len };
	}
	must(tf_org_append(l, &b, &p, &a, &err));
	return a.next;
}

struct worker {
	const char *uri;
	unsigned long first, step, hosts; /* those that it serves */
	double seconds;
	bool keeps; /* its connection */
};
/* In memory that the workers share. */
struct counts {
	atomic_ullong done, batches;
	atomic_ulong ready;
};

static void
work(const struct worker *w, struct counts *c)
{
	unsigned long n = (w->hosts - w->first + w->step - 1) / w->step;
	uint64_t *next = calloc(n, sizeof(*next));
	struct tf_ledger *l = open_ledger(w->uri, TF_ORG_MEMBER);
	char origin[ORIGIN_MAX];
	double until;

	if (next == NULL)
		_exit(1);
	for (unsigned long i = 0; i < n; i++) {
		name_origin(origin, w->first + i * w->step);
		must(l->ops->member(l, origin, &next[i], NULL, &err));
	}
	/* Time counts when all know where they are. */
	atomic_fetch_add(&c->ready, 1);
	while (atomic_load(&c->ready) < w->step)
		(void)wait_ms(NULL, 1, NULL);
	until = now() + w->seconds;
	while (now() < until) {
		for (unsigned long i = 0; i < n && now() < until; i++) {
			name_origin(origin, w->first + i * w->step);
			if (!w->keeps) {
				tf_ledger_close(l);
				l = open_ledger(w->uri, TF_ORG_MEMBER);
				must(l->ops->member(l, origin, &next[i], NULL,
				    &err));
			}
			next[i] = send_batch(l, origin, next[i], BATCH);
			atomic_fetch_add(&c->done, BATCH);
			atomic_fetch_add(&c->batches, 1);
		}
	}
	tf_ledger_close(l);
	free(next);
}

static double
rate(const char *uri, unsigned long hosts, double seconds, bool keeps)
{
	struct counts *c = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long workers = hosts < CONNECTIONS ? hosts : CONNECTIONS;
	double begin, s;
	int status;

	if (c == MAP_FAILED)
		exit(1);
	for (unsigned long i = 0; i < workers; i++) {
		const struct worker w = { uri, i, workers, hosts, seconds,
			keeps };

		if (fork() == 0) {
			work(&w, c);
			_exit(0);
		}
	}
	while (atomic_load(&c->ready) < workers)
		(void)wait_ms(NULL, 1, NULL);
	begin = now();
	for (unsigned long i = 0; i < workers; i++)
		if (wait(&status) < 0 || status != 0)
			exit(1);
	s = now() - begin;
	printf("%5lu hosts, %2lu connections %-10s %9.0f entries/s  %7.1f "
	       "appends/s",
	    hosts, workers, keeps ? "kept" : "for each", (double)c->done / s,
	    (double)c->batches / s);
	s = (double)c->done / s;
	(void)munmap(c, 4096);
	return s;
}

/* --- the local store ------------------------------------------------------------- */

struct caller {
	struct tf_vault *v;
	uint64_t workflow;
	unsigned number;
	double until;
	uint64_t done;
};

static void *
record(void *arg)
{
	static const struct tf_actor who = { .loginuid = -1,
		.session = -1,
		.comm = "bench" };
	struct caller *c = arg;
	struct tf_error e;
	struct tf_attr a;
	char name[64];

	while (now() < c->until) {
		(void)snprintf(name, sizeof(name), "a%u-%llu", c->number,
		    (unsigned long long)c->done++);
		if (tf_vault_mkdir(c->v, c->workflow, name, 0755, &who, &a,
			&e) != TF_OK)
			exit(1);
	}
	return NULL;
}

/* One entry per call: group commit makes more of them one commit. */
static double
local(struct tf_vault *v, uint64_t trail, unsigned callers, double seconds)
{
	static const struct tf_actor who = { .loginuid = -1,
		.session = -1,
		.comm = "bench" };
	struct caller *c = calloc(callers, sizeof(*c));
	pthread_t *t = calloc(callers, sizeof(*t));
	double begin, s;
	uint64_t done = 0;
	struct tf_attr wf;
	char name[64];

	if (c == NULL || t == NULL)
		exit(1);
	(void)snprintf(name, sizeof(name), "w%u-%.0f", callers, now() * 1e6);
	must(tf_vault_mkdir(v, trail, name, 0755, &who, &wf, &err));
	begin = now();
	for (unsigned i = 0; i < callers; i++) {
		c[i] = (struct caller){ v, wf.id, i, begin + seconds, 0 };
		if (pthread_create(&t[i], NULL, record, &c[i]) != 0)
			exit(1);
	}
	for (unsigned i = 0; i < callers; i++) {
		(void)pthread_join(t[i], NULL);
		done += c[i].done;
	}
	s = now() - begin;
	printf("local store, %3u callers        %9.0f entries/s\n", callers,
	    (double)done / s);
	free(c);
	free(t);
	return (double)done / s;
}

static double
local_store(const char *dir, double seconds)
{
	/* Attestations that are begun count as unsealed names. */
	const struct tf_vault_options o = { .program = "bench",
		.settings = { .given = { [TF_MAX_UNSEALED] = true } } };
	static const struct tf_actor who = { .loginuid = -1,
		.session = -1,
		.comm = "bench" };
	struct tf_vault *v;
	struct tf_buf vkey = { 0 };
	struct tf_attr trail;
	char name[64];
	double most;

	must(tf_vault_init(dir, NULL, &who, &vkey, &err));
	tf_buf_free(&vkey);
	must(tf_vault_open(dir, &o, &v, &err));
	(void)snprintf(name, sizeof(name), "t%.0f", now() * 1e6);
	must(tf_vault_mkdir(v, TF_ROOT_ID, name, 0755, &who, &trail, &err));
	(void)local(v, trail.id, 1, seconds);
	most = local(v, trail.id, BATCH, seconds);
	must(tf_vault_close(v, "done", &err));
	return most;
}

static void
rates(int argc, char **argv)
{
	static const unsigned long counts[] = { 1, 10, 100, 1000 };
	double seconds = argc > 4 ? atof(argv[4]) : 3, base, r;
	size_t n = argc > 5 ? (size_t)(argc - 5) : 4;
	unsigned long most = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned long h = argc > 5 ? strtoul(argv[5 + i], NULL, 10) :
					     counts[i];

		most = h > most ? h : most;
	}
	base = local_store(argv[2], seconds);
	prepare(argv[3], 0, most);
	for (int keeps = 1; keeps >= 0; keeps--)
		for (size_t i = 0; i < n; i++) {
			fflush(stdout);
			r = rate(argv[3],
			    argc > 5 ? strtoul(argv[5 + i], NULL, 10) :
				       counts[i],
			    seconds, keeps != 0);
			printf("  %6.3f of local\n", r / base);
		}
}

/* --- a large ledger ---------------------------------------------------------------- */

static void
fill(const char *uri, uint64_t entries, unsigned long origins)
{
	uint64_t *next = calloc(origins, sizeof(*next)), done = 0;
	struct tf_ledger *l;
	char origin[ORIGIN_MAX];
	double t = now();

	prepare(uri, 0, origins);
	l = open_ledger(uri, TF_ORG_MEMBER);
	if (next == NULL)
		exit(1);
	for (unsigned long i = 0; done < entries; i = (i + 1) % origins) {
		name_origin(origin, i);
		next[i] = send_batch(l, origin, next[i], TF_BATCH_MAX);
		done += TF_BATCH_MAX;
	}
	tf_ledger_close(l);
	free(next);
	printf("filled: %llu entries of %lu origins in %.0f s\n",
	    (unsigned long long)done, origins, now() - t);
}

struct count {
	uint64_t n, bytes, most;
	char largest[TF_ORG_NAME_MAX + 1];
};

static enum tf_code
count_leaf(void *arg, const struct tf_leaf *leaf, struct tf_error *e)
{
	struct count *c = arg;

	(void)e;
	c->n++;
	c->bytes += leaf->bytes.n;
	return TF_OK;
}

static enum tf_code
count_member(void *arg, const struct tf_member *m, struct tf_error *e)
{
	struct count *c = arg;

	(void)e;
	c->n++;
	if (m->next <= c->most)
		return TF_OK;
	c->most = m->next;
	(void)snprintf(c->largest, sizeof(c->largest), "%.*s", (int)m->origin.n,
	    m->origin.p);
	return TF_OK;
}

static void
show(const char *what, double began, int times, uint64_t n)
{
	printf("%-44s %9.3f ms, %llu\n", what, (now() - began) * 1e3 / times,
	    (unsigned long long)n);
}

static void
read_ledger(const char *uri)
{
	static const char *const from[] = { "first", "middle", "last" };
	double t = now();
	struct tf_ledger *l = open_ledger(uri, TF_ORG_READER);
	struct count c = { 0 };
	struct rusage u;
	uint64_t size, index = 0, next;
	int i;

	show("open", t, 1, 1);
	t = now();
	must(l->ops->size(l, &size, &err));
	show("size", t, 1, size);
	t = now();
	must(l->ops->members(l, count_member, &c, &err));
	show("members", t, 1, c.n);
	for (i = 0; i < 3; i++) {
		uint64_t at = i == 0 ? 0 :
		    i == 1	     ? size / 2 :
				       size - READ_AT_ONCE;
		char what[64];

		for (int again = 0; again < 2; again++) {
			struct count r = { 0 };

			(void)snprintf(what, sizeof(what),
			    "read %d entries, %s%s", READ_AT_ONCE, from[i],
			    again ? ", again" : "");
			t = now();
			must(l->ops->read(l, at, READ_AT_ONCE, count_leaf, &r,
			    &err));
			show(what, t, 1, r.bytes);
		}
	}
	must(l->ops->member(l, c.largest, &next, NULL, &err));
	srandom(1);
	t = now();
	for (i = 0; i < 1000; i++)
		must(l->ops->find(l, c.largest, (uint64_t)random() % next,
		    &index, &err));
	show("find, each of 1,000 at random", t, 1000, index);
	t = now();
	for (i = 0; i < 100; i++) {
		must(l->ops->member(l, c.largest, &next, NULL, &err));
		c.n = 0;
		must(l->ops->read_of(l, c.largest, next - BATCH, BATCH,
		    count_leaf, &c, &err));
	}
	show("cursor and the newest 64 of one origin", t, 100, c.n);
	t = now();
	for (i = 0; i < 100; i++) {
		c.n = 0;
		must(l->ops->read_of(l, c.largest, (uint64_t)random() % next, 1,
		    count_leaf, &c, &err));
	}
	show("one entry of one origin, at random", t, 100, c.n);
	tf_ledger_close(l);
	(void)getrusage(RUSAGE_SELF, &u);
	printf("peak memory of the reader %ld KiB\n", u.ru_maxrss);
}

static void
hold(const char *uri, unsigned long connections)
{
	struct tf_ledger **l = calloc(connections, sizeof(struct tf_ledger *));
	uint64_t next;
	char origin[ORIGIN_MAX];

	prepare(uri, 0, connections);
	if (l == NULL)
		exit(1);
	for (unsigned long i = 0; i < connections; i++) {
		name_origin(origin, i);
		l[i] = open_ledger(uri, TF_ORG_MEMBER);
		must(l[i]->ops->member(l[i], origin, &next, NULL, &err));
		(void)send_batch(l[i], origin, next, BATCH);
	}
	puts("held");
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (unsigned long i = 0; i < connections; i++)
		tf_ledger_close(l[i]);
	free(l);
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (strcmp(verb, "rate") == 0 && argc > 3)
		rates(argc, argv);
	else if (strcmp(verb, "fill") == 0 && argc == 5)
		fill(argv[2], strtoull(argv[3], NULL, 10),
		    strtoul(argv[4], NULL, 10));
	else if (strcmp(verb, "read") == 0)
		read_ledger(argv[2]);
	else if (strcmp(verb, "hold") == 0 && argc == 4)
		hold(argv[2], strtoul(argv[3], NULL, 10));
	else {
		fprintf(stderr, "usage: bench-org rate|fill|read|hold ...\n");
		return 2;
	}
	return 0;
}
