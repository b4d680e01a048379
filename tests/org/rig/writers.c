/*
 * Writers for the faults of a ledger engine: each appends entries of one origin,
 * asks again when the outcome is in doubt, and notes what was acknowledged; then
 * the ledger is compared with that.
 *
 *   org-writers make URI [ORIGIN ROLE]...
 *       create the ledger and enrol the origins
 *   org-writers write URI ORIGIN SEED ENTRIES BATCH LOSE ACKED
 *       append until the origin has so many entries, in batches of 1 to BATCH
 *       (BATCH each time if LOSE is -1).  LOSE of 100 answers are thrown away, as
 *       if they were lost on the way, and the entries are given again in another
 *       batch.  The file ACKED has the number of the acknowledged entries.  Prints
 *       how often an outcome was in doubt and how often the engine was not there.
 *   org-writers check URI SEED [ORIGIN ACKED]...
 *       read the whole ledger: every acknowledged entry must be there with its
 *       bytes, each once, in order and without a gap, and nothing else
 *   org-writers once URI ORIGIN SEED NUMBER N
 *       one append, not repeated; prints the name of the code
 *
 * The bytes of an entry follow from seed, origin and number.  Exit status 1: a
 * promise is broken; 2: the rig failed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/org/uri.h"

static struct tf_error err;

static _Noreturn void
die(int status, const char *what)
{
	fprintf(stderr, "org-writers: %s: %s\n", what, err.text);
	exit(status);
}

static unsigned long long
number_of(const char *s)
{
	return strtoull(s, NULL, 10);
}

/* A generator for choices: SplitMix64. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

#define ENTRY_MAX 700
static size_t
entry(char *out, const char *origin, uint64_t seed, uint64_t number)
{
	uint64_t state = seed * 1000003 + number;
	size_t pad;
	int n;

	for (const char *p = origin; *p != '\0'; p++)
		state = state * 31 + (unsigned char)*p;
	n = snprintf(out, ENTRY_MAX, "{\"origin\":\"%s\",\"pad\":\"", origin);
	pad = 300 + next_random(&state) % 200;
	for (size_t i = 0; i < pad; i++)
		out[n++] = (char)('a' + next_random(&state) % 26);
	n += snprintf(out + n, (size_t)(ENTRY_MAX - n),
	    "\",\"seq\":%llu,\"v\":1}", (unsigned long long)number);
	return (size_t)n;
}

static struct tf_ledger *
open_ledger(const char *uri, enum tf_org_how how)
{
	struct tf_ledger *l;

	if (tf_ledger_open(uri, how, &l, &err) != TF_OK)
		die(2, "open");
	return l;
}

static int
make(int argc, char **argv)
{
	struct tf_ledger *l;
	enum tf_code rc = tf_ledger_create(argv[2], &err);

	if (rc != TF_OK && rc != TF_EXISTS)
		die(2, "create");
	l = open_ledger(argv[2], TF_ORG_ORGANISER);
	for (int i = 3; i + 1 < argc; i += 2)
		if (l->ops->enrol(l, argv[i], "key", argv[i + 1], &err) !=
		    TF_OK)
			die(2, argv[i]);
	tf_ledger_close(l);
	return 0;
}

/* Entries first..first+n of origin as a batch, in the caller's memory. */
static char (*texts)[ENTRY_MAX];
static struct tf_str *strs;
static struct tf_batch
batch_of(const char *origin, uint64_t seed, uint64_t first, size_t n)
{
	if (texts == NULL) {
		texts = calloc(TF_BATCH_MAX, sizeof(*texts));
		strs = calloc(TF_BATCH_MAX, sizeof(*strs));
		if (texts == NULL || strs == NULL)
			exit(2);
	}
	for (size_t i = 0; i < n; i++)
		strs[i] = (struct tf_str){ texts[i],
			entry(texts[i], origin, seed, first + i) };
	return (struct tf_batch){ .origin = origin,
		.number = first,
		.entries = strs,
		.n = n };
}

static void
note_acked(FILE *f, uint64_t n)
{
	rewind(f);
	if (fprintf(f, "%020llu\n", (unsigned long long)n) < 0 ||
	    fflush(f) != 0)
		exit(2);
}

static void
pause_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

static int
write_entries(char **argv)
{
	const char *origin = argv[3];
	uint64_t seed = number_of(argv[4]), end = number_of(argv[5]);
	uint64_t most = number_of(argv[6]), acked = 0, random = seed + 1;
	int lose = atoi(argv[7]);
	unsigned long long doubts = 0, absent = 0, lost = 0, batches = 0;
	struct tf_ledger *l = NULL;
	FILE *f = fopen(argv[8], "w");
	uint64_t began = tf_clock_boot_ns();
	unsigned wait = 20;

	if (f == NULL)
		die(2, argv[8]);
	for (const char *p = origin; *p != '\0'; p++)
		random = random * 31 + (unsigned char)*p;
	while (acked < end) {
		size_t n = lose < 0 ? most :
				      1 + (size_t)(next_random(&random) % most);
		struct tf_appended did;
		struct tf_batch b;
		enum tf_code rc = TF_OK;

		if (n > end - acked)
			n = end - acked;
		b = batch_of(origin, seed, acked, n);
		if (l == NULL)
			rc = tf_ledger_open(argv[2], TF_ORG_MEMBER, &l, &err);
		/* The same batch as long as its outcome is in doubt. */
		while (l != NULL) {
			rc = l->ops->append(l, &b, &did, &err);
			if (rc != TF_INDOUBT)
				break;
			doubts++;
			pause_ms(wait);
		}
		if (rc == TF_OK && did.next < acked + n)
			die(1, "next is below what was appended");
		if (rc == TF_OK) {
			wait = 20;
			batches++;
			if ((int)(next_random(&random) % 100) < lose) {
				lost++;
				continue;
			}
			acked += n;
			note_acked(f, acked);
		} else if (rc == TF_TAMPER || rc == TF_INVALID ||
		    rc == TF_DENIED || rc == TF_NOTFOUND) {
			die(1, "append");
		} else {
			absent++;
			fprintf(stderr, "%s: %s\n", origin, err.text);
			pause_ms(wait);
			wait = wait < 500 ? wait * 2 : 1000;
		}
	}
	tf_ledger_close(l);
	printf("%s: %llu entries in %llu batches, %llu ms, in doubt %llu, "
	       "not there %llu, answers thrown away %llu\n",
	    origin, (unsigned long long)acked, batches,
	    (unsigned long long)((tf_clock_boot_ns() - began) / 1000000),
	    doubts, absent, lost);
	return fclose(f) == 0 ? 0 : 2;
}

struct seen {
	const char *origin;
	uint64_t acked, next;
};
struct check {
	uint64_t seed, next;
	struct seen *origins;
	int n;
};

static enum tf_code
check_leaf(void *arg, const struct tf_leaf *leaf, struct tf_error *e)
{
	struct check *c = arg;
	char want[ENTRY_MAX];
	size_t n;

	if (leaf->index != c->next++)
		return tf_fail(e, TF_TAMPER, "index %llu is not next",
		    (unsigned long long)leaf->index);
	for (int i = 0; i < c->n; i++) {
		struct seen *s = &c->origins[i];

		if (strlen(s->origin) != leaf->origin.n ||
		    memcmp(s->origin, leaf->origin.p, leaf->origin.n) != 0)
			continue;
		if (leaf->number != s->next)
			return tf_fail(e, TF_TAMPER, "%s: %llu after %llu",
			    s->origin, (unsigned long long)leaf->number,
			    (unsigned long long)s->next);
		n = entry(want, s->origin, c->seed, s->next++);
		if (n != leaf->bytes.n || memcmp(want, leaf->bytes.p, n) != 0)
			return tf_fail(e, TF_TAMPER, "%s: other bytes at %llu",
			    s->origin, (unsigned long long)leaf->number);
		return TF_OK;
	}
	return tf_fail(e, TF_TAMPER, "an origin that nobody wrote");
}

static int
check_ledger(int argc, char **argv)
{
	struct tf_ledger *l = open_ledger(argv[2], TF_ORG_READER);
	struct check c = { .seed = number_of(argv[3]) };
	uint64_t size;
	int bad = 0;

	c.n = (argc - 4) / 2;
	c.origins = calloc((size_t)c.n + 1, sizeof(*c.origins));
	if (c.origins == NULL)
		return 2;
	for (int i = 0; i < c.n; i++) {
		FILE *f = fopen(argv[5 + 2 * i], "r");
		char line[32] = "0";

		if (f == NULL)
			die(2, argv[5 + 2 * i]);
		if (fgets(line, sizeof(line), f) == NULL)
			line[0] = '\0';
		(void)fclose(f);
		c.origins[i].origin = argv[4 + 2 * i];
		c.origins[i].acked = number_of(line);
	}
	if (l->ops->size(l, &size, &err) != TF_OK)
		die(2, "size");
	if (l->ops->read(l, 0, UINT64_MAX, check_leaf, &c, &err) != TF_OK)
		die(1, "read");
	if (c.next < size) {
		printf("%llu entries, and the size is %llu\n",
		    (unsigned long long)c.next, (unsigned long long)size);
		bad = 1;
	}
	for (int i = 0; i < c.n; i++)
		if (c.origins[i].next < c.origins[i].acked) {
			printf("%s: LOST: %llu acknowledged, %llu there\n",
			    c.origins[i].origin,
			    (unsigned long long)c.origins[i].acked,
			    (unsigned long long)c.origins[i].next);
			bad = 1;
		}
	if (!bad)
		printf("%llu entries of %d origins: none lost, twice or out of "
		       "order\n",
		    (unsigned long long)c.next, c.n);
	tf_ledger_close(l);
	free(c.origins);
	return bad;
}

static int
append_once(char **argv)
{
	struct tf_ledger *l;
	struct tf_batch b = batch_of(argv[3], number_of(argv[4]),
	    number_of(argv[5]), (size_t)number_of(argv[6]));
	struct tf_appended did;
	enum tf_code rc = tf_ledger_open(argv[2], TF_ORG_MEMBER, &l, &err);

	if (rc == TF_OK) {
		rc = l->ops->append(l, &b, &did, &err);
		tf_ledger_close(l);
	}
	puts(rc == TF_OK ? "ok" : tf_code_name(rc));
	if (rc != TF_OK)
		fprintf(stderr, "%s\n", err.text);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (strcmp(verb, "make") == 0)
		return make(argc, argv);
	if (strcmp(verb, "write") == 0 && argc == 9)
		return write_entries(argv);
	if (strcmp(verb, "check") == 0 && argc > 3)
		return check_ledger(argc, argv);
	if (strcmp(verb, "once") == 0 && argc == 7)
		return append_once(argv);
	fprintf(stderr, "usage: org-writers make|write|check|once URI ...\n");
	return 2;
}
