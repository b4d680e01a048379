/*
 * What the ledger does in a second, through the engine and without a mount:
 * durable entries for some numbers of concurrent callers, then proofs, export
 * and verification of a log of a given size.
 *
 * usage: ledger DIR [ENTRIES]      where there is a store, nothing is appended
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/find.h"
#include "core/vault.h"
#include "core/verify.h"

#define SECONDS 2.0
#define PROOFS 2000
#define SEALED 200 /* attestations of the largest workflow */

static const struct tf_actor who = { .loginuid = -1,
	.session = -1,
	.comm = "bench" };

struct caller {
	struct tf_vault *v;
	uint64_t workflow;
	unsigned number;
	double until;
	uint64_t limit, done;
};

/* Calls by how long they took, in steps of 10 us; the last: longer. */
#define STEPS 20000
static atomic_uint took[STEPS];

static double
percentile(uint64_t calls, unsigned percent)
{
	uint64_t below = 0;
	unsigned i;

	for (i = 0; i < STEPS - 1; i++)
		if ((below += took[i]) * 100 >= calls * percent)
			break;
	return (i + 1) / 100.0; /* ms */
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(enum tf_code rc, const struct tf_error *err)
{
	if (rc == TF_OK)
		return;
	fprintf(stderr, "bench: %s\n", err->text);
	exit(1);
}

/* One entry a call: an attestation begins. */
static void *
append(void *arg)
{
	struct caller *c = arg;
	struct tf_error err;
	struct tf_attr a;
	char name[64];
	double t;

	while (now() < c->until && c->done < c->limit) {
		(void)snprintf(name, sizeof(name), "a%u-%llu", c->number,
		    (unsigned long long)c->done);
		t = now();
		must(tf_vault_mkdir(c->v, c->workflow, name, 0755, &who, &a,
			 &err),
		    &err);
		t = (now() - t) * 1e5;
		atomic_fetch_add(&took[t < STEPS ? (unsigned)t : STEPS - 1], 1);
		c->done++;
	}
	return NULL;
}

/* Seal the first attestations of a caller. */
static void
seal(struct tf_vault *v, uint64_t workflow)
{
	struct tf_error err;
	struct tf_attr a;
	char name[64];

	for (int i = 0; i < SEALED; i++) {
		(void)snprintf(name, sizeof(name), "a0-%d", i);
		must(tf_vault_lookup(v, workflow, name, &a, &err), &err);
		must(tf_vault_seal(v, a.id, &who, &err), &err);
	}
}

/* So many callers for so long, or for so many entries.  Returns the workflow. */
static uint64_t
run(struct tf_vault *v, uint64_t trail, unsigned callers, double seconds,
    uint64_t limit, bool print)
{
	struct caller *c = calloc(callers, sizeof(*c));
	pthread_t *t = calloc(callers, sizeof(*t));
	struct tf_error err;
	struct tf_attr wf;
	char name[64];
	double begin, s;
	uint64_t done = 0;

	if (c == NULL || t == NULL)
		exit(1);
	(void)snprintf(name, sizeof(name), "w%u-%.0f", callers, now() * 1e6);
	must(tf_vault_mkdir(v, trail, name, 0755, &who, &wf, &err), &err);
	begin = now();
	for (unsigned i = 0; i < callers; i++) {
		c[i] = (struct caller){ .v = v,
			.workflow = wf.id,
			.number = i,
			.until = begin + seconds,
			.limit = limit / callers + 1 };
		if (pthread_create(&t[i], NULL, append, &c[i]) != 0)
			exit(1);
	}
	for (unsigned i = 0; i < callers; i++) {
		(void)pthread_join(t[i], NULL);
		done += c[i].done;
	}
	s = now() - begin;
	if (print)
		printf("append   %4u callers  %9.0f entries/s  p50 %7.2f ms  "
		       "p99 %7.2f ms\n",
		    callers, (double)done / s, percentile(done, 50),
		    percentile(done, 99));
	for (unsigned i = 0; i < STEPS; i++)
		took[i] = 0;
	fflush(stdout);
	free(c);
	free(t);
	return wf.id;
}

/* The same entries each time: first their pages are read from the disk. */
static void
prove(struct tf_vault *v, uint64_t size, const char *when)
{
	struct tf_buf b = { 0 };
	struct tf_error err;
	double t = now();

	srandom(1);
	for (int i = 0; i < PROOFS; i++) {
		b.n = 0;
		must(tf_vault_prove_entry(v, (uint64_t)random() % size, &b,
			 &err),
		    &err);
	}
	printf("prove    %llu entries   %.3f ms a proof (%s), %zu bytes\n",
	    (unsigned long long)size, (now() - t) / PROOFS * 1e3, when, b.n);
	tf_buf_free(&b);
}

/* In a process of its own, so that its peak memory is its own. */
static void
alone(const char *what, void (*fn)(const char *store), const char *store)
{
	struct rusage u;
	double t = now();
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		fn(store);
		_exit(0);
	}
	if (wait4(pid, &status, 0, &u) < 0 || status != 0)
		exit(1);
	printf("%-8s %.2f s, peak %ld MiB\n", what, now() - t,
	    u.ru_maxrss / 1024);
}

static void
verify(const char *store)
{
	struct tf_verify v = { 0 };
	struct tf_report r;
	struct tf_error err;

	must(tf_verify_store(store, &v, &r, &err), &err);
	if (r.findings > 0)
		_exit(1);
}

/* Each filter of a search, on a complete index.  Names are found that are
 * common, and none.  The first query is the first about a workflow, a small one:
 * it walks over the ledger.  The second judges the largest workflow. */
static void
find(const char *store)
{
	static const char *const queries[] = { "name=w1-*", "name=w*",
		"status=compliant", "status=INCOMPLETE", "uid=0", "user=root",
		"status=open", "name=a255-*", "name=*5-31", "name=a7-77",
		"name=*-none-*",
		"sha256=00000000000000000000000000000000"
		"00000000000000000000000000000000",
		"annotation=a=b", "type=junit", "control=c",
		"since=2000-01-01T00:00:00.000000000Z", "name=?z*" };
	struct tf_vault_options o = { .read_only = true, .program = "bench" };
	struct tf_buf out = { 0 };
	struct tf_vault *v;
	struct tf_error err;
	double t = now(), first;

	must(tf_vault_open(store, &o, &v, &err), &err);
	must(tf_find_start(v, &err), &err);
	must(tf_find(v, "uid=4294967295", NULL, &out, &err), &err);
	printf("index    %.1f s to make it\n", now() - t);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		t = now();
		out.n = 0;
		must(tf_find(v, queries[i], NULL, &out, &err), &err);
		first = now() - t;
		t = now();
		out.n = 0;
		must(tf_find(v, queries[i], NULL, &out, &err), &err);
		printf("find     %-16.16s %8.2f ms first, %8.2f ms again, "
		       "%zu bytes\n",
		    queries[i], first * 1e3, (now() - t) * 1e3, out.n);
	}
	tf_find_stop(v);
	must(tf_vault_close(v, "done", &err), &err);
	tf_buf_free(&out);
	fflush(stdout);
}

static void export(const char *store)
{
	char dir[4200];
	struct tf_error err;
	const struct tf_vault_options o = { .read_only = true,
		.program = "bench" };
	struct tf_vault *v;
	uint64_t tiles;

	(void)snprintf(dir, sizeof(dir), "%s.log", store);
	must(tf_vault_open(store, &o, &v, &err), &err);
	must(tf_export_log(v, dir, &tiles, &err), &err);
	must(tf_vault_close(v, "done", &err), &err);
}

/* A store of so many entries, more callers each time. */
static void
fill(const char *store, uint64_t want)
{
	static const unsigned callers[] = { 1, 8, 64, 256 };
	/* Attestations that are begun count as unsealed names. */
	struct tf_vault_options o = { .program = "bench",
		.settings = { .given = { [TF_MAX_UNSEALED] = true } } };
	struct tf_buf vkey = { 0 };
	struct tf_vault *v;
	struct tf_error err;
	struct tf_attr trail;
	uint64_t size, bytes;

	must(tf_vault_init(store, NULL, &who, &vkey, &err), &err);
	must(tf_vault_open(store, &o, &v, &err), &err);
	must(tf_vault_mkdir(v, TF_ROOT_ID, "bench", 0755, &who, &trail, &err),
	    &err);
	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
		(void)run(v, trail.id, callers[i], SECONDS, UINT64_MAX / 2,
		    true);
	must(tf_vault_size(v, &size, &bytes, &err), &err);
	if (size < want)
		seal(v, run(v, trail.id, 256, 1e9, want - size, false));
	must(tf_vault_close(v, "done", &err), &err);
	tf_buf_free(&vkey);
}

int
main(int argc, char **argv)
{
	uint64_t want = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
	struct tf_vault_options o = { .program = "bench" };
	struct tf_vault *v;
	struct tf_error err;
	uint64_t size, bytes;
	double t;

	if (argc < 2) {
		fprintf(stderr, "usage: ledger DIR [ENTRIES]\n");
		return 2;
	}
	if (access(argv[1], F_OK) != 0)
		fill(argv[1], want);
	t = now();
	must(tf_vault_open(argv[1], &o, &v, &err), &err);
	t = now() - t;
	must(tf_vault_size(v, &size, &bytes, &err), &err);
	printf("open     %llu entries   %.3f s\n", (unsigned long long)size, t);
	prove(v, size, "first");
	prove(v, size, "again");
	must(tf_vault_close(v, "done", &err), &err);
	alone("find", find, argv[1]);
	alone("export", export, argv[1]);
	alone("verify", verify, argv[1]);
	return 0;
}
