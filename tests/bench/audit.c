/*
 * An organisation of real vaults, for figures of an auditor's mount of it:
 * tests/bench/audit.sh uses it.
 *
 * usage: audit fill DIR LEDGER VAULTS ENTRIES KEEP WORKERS
 *		make so many vaults of about ENTRIES entries, each with its own origin
 *		and key, and forward each to LEDGER.  They are made below DIR; the first
 *		KEEP stay there.  What LEDGER has already is not made again, so a run
 *		that was killed can be repeated.
 *	  audit grow DIR LEDGER ENTRIES VAULTS
 *		add about so many entries to each of the first vaults, and forward them
 *
 * An attestation has 29 small files.  It is made as a draft and published, which makes
 * 31 entries in one commit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/forward.h"
#include "core/org.h"
#include "core/vault.h"

#define TRAILS 2
#define WORKFLOWS 10 /* of a trail */
#define FILES 7
#define MODULES 4 /* of an attestation: each has the same files */
#define PER_ATTESTATION (2 + FILES * MODULES + 1) /* entries */

static struct tf_error err;
static struct tf_actor who = { .loginuid = -1, .session = -1, .comm = "bench" };

static void
must(enum tf_code rc)
{
	if (rc == TF_OK)
		return;
	fprintf(stderr, "bench-audit: %s\n", err.text);
	exit(1);
}

/* --- a vault ------------------------------------------------------------------- */

static void
put_file(struct tf_vault *v, uint64_t in, const char *name, const char *text)
{
	struct tf_file *f;
	struct tf_attr a;

	must(tf_vault_create(v, in, name, 0644, &who, &a, &f, &err));
	must(tf_file_write_at(f, text, strlen(text), 0, false, &err));
	must(tf_file_close(v, f, &err));
}

/* Attestation NAME of the workflow, as the host says it. */
static void
attest(struct tf_vault *v, uint64_t workflow, const char *name,
    const char *host)
{
	static const char *const files[FILES] = { "report.xml", "build.log",
		"sbom.json", "coverage.xml", "scan.json", "approval.txt",
		"deploy.log" };
	struct tf_attr a;
	char text[400], file[80];

	must(tf_vault_mkdir(v, workflow, ".draft", 0755, &who, &a, &err));
	for (size_t i = 0; i < FILES * MODULES; i++) {
		const char *kind = files[i % FILES];

		(void)snprintf(text, sizeof(text),
		    "%s of %s, recorded by %s\nresult: passed\nduration: "
		    "%zu.%03zu s\ncommit: %08zx%08lx\n",
		    kind, name, host, i, 7 * i, i * 2654435761u,
		    (unsigned long)strtoul(name + 1, NULL, 10) * 40503u);
		(void)snprintf(file, sizeof(file), "module-%zu-%s", i / FILES,
		    kind);
		put_file(v, a.id, file, text);
	}
	(void)snprintf(file, sizeof(file), "only-%s-%s.txt", host, name);
	put_file(v, a.id, file, file);
	must(tf_vault_rename(v, workflow, ".draft", workflow, name, true, &who,
	    &err));
}

/* The directory `name` of parent, made if it is absent. */
static uint64_t
directory(struct tf_vault *v, uint64_t parent, const char *name)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_lookup(v, parent, name, &a, &err);

	if (rc == TF_NOTFOUND)
		rc = tf_vault_mkdir(v, parent, name, 0755, &who, &a, &err);
	must(rc);
	return a.id;
}

/* About so many entries, in turn in all workflows, from attestation number on. */
static void
add(const char *path, const char *host, uint64_t entries, uint64_t number)
{
	/* Only that of the organisation is measured, so no wait for a disk. */
	const struct tf_vault_options o = { .program = "bench",
		.durability = TF_DURABLE_BATCH,
		.moved = true };
	uint64_t workflow[TRAILS * WORKFLOWS];
	struct tf_vault *v;
	char name[40];

	must(tf_vault_open(path, &o, &v, &err));
	for (uint64_t i = 0; i < TRAILS * WORKFLOWS; i++) {
		uint64_t trail = directory(v, TF_ROOT_ID,
		    i < WORKFLOWS ? "payments" : "website");

		(void)snprintf(name, sizeof(name), "release-%llu",
		    (unsigned long long)(i % WORKFLOWS));
		workflow[i] = directory(v, trail, name);
	}
	for (uint64_t i = 0; i < entries / PER_ATTESTATION; i++) {
		(void)snprintf(name, sizeof(name), "b%llu",
		    (unsigned long long)(number + i));
		attest(v, workflow[i % (TRAILS * WORKFLOWS)], name, host);
	}
	must(tf_vault_close(v, "done", &err));
}

static void
forward(const char *store, const char *ledger)
{
	const struct tf_forward o = { .store = store,
		.ledger = ledger,
		.blobs = ledger,
		.once = true };
	struct tf_forwarded done;

	must(tf_forward(&o, &done, &err));
}

static void
remove_tree(const char *path)
{
	char command[4300];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", path);
	if (system(command) != 0) /* NOLINT(cert-env33-c) */
		exit(1);
}

/* --- all of them ----------------------------------------------------------------- */

struct filling {
	const char *dir, *ledger;
	unsigned long vaults, keep, workers;
	uint64_t entries;
	bool *there; /* of each vault: the ledger has it */
};

static enum tf_code
take_member(void *arg, const struct tf_member *m, struct tf_error *e)
{
	static const char head[] = "example.org/host-";
	const struct filling *f = arg;
	unsigned long i;

	(void)e;
	if (m->next == 0 || m->origin.n < sizeof(head) ||
	    memcmp(m->origin.p, head, sizeof(head) - 1) != 0)
		return TF_OK;
	i = strtoul(m->origin.p + sizeof(head) - 1, NULL, 10);
	if (i < f->vaults)
		f->there[i] = true;
	return TF_OK;
}

/* Another worker may enrol at the same moment. */
static void
enrol(const char *ledger, const char *vkey)
{
	enum tf_code rc;

	while ((rc = tf_org_enrol(ledger, vkey, "", &who, &err)) == TF_BUSY)
		(void)usleep(10000);
	must(rc);
}

/* A directory without ".new" has a whole vault. */
static void
fill_one(const struct filling *f, unsigned long i)
{
	char path[4100], made[4110], origin[64], host[32];
	struct tf_buf vkey = { 0 };
	struct stat st;

	(void)snprintf(host, sizeof(host), "host-%04lu", i);
	(void)snprintf(origin, sizeof(origin), "example.org/%s", host);
	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, host);
	(void)snprintf(made, sizeof(made), "%s.new", path);
	if (f->there[i] && i >= f->keep && stat(path, &st) < 0)
		return;
	if (stat(path, &st) < 0) {
		remove_tree(made);
		must(tf_vault_init(made, origin, &who, &vkey, &err));
		tf_buf_add(&vkey, "", 1);
		add(made, host, f->entries, 0);
		enrol(f->ledger, strtok(vkey.p, "\n"));
		tf_buf_free(&vkey);
		if (rename(made, path) < 0)
			exit(1);
	}
	forward(path, f->ledger);
	if (i >= f->keep)
		remove_tree(path);
}

static void
fill(struct filling *f)
{
	int status, failed = 0;

	if ((f->there = calloc(f->vaults, sizeof(*f->there))) == NULL)
		exit(1);
	must(tf_org_members(f->ledger, take_member, f, &err));
	for (unsigned long w = 0; w < f->workers; w++) {
		if (fork() != 0)
			continue;
		for (unsigned long i = w; i < f->vaults; i += f->workers)
			fill_one(f, i);
		_exit(0);
	}
	for (unsigned long w = 0; w < f->workers; w++)
		failed |= wait(&status) < 0 || status != 0;
	free(f->there);
	if (failed)
		exit(1);
}

static void
add_more(const char *dir, const char *ledger, uint64_t entries,
    unsigned long vaults)
{
	char path[4100], host[32];

	for (unsigned long i = 0; i < vaults; i++) {
		(void)snprintf(host, sizeof(host), "host-%04lu", i);
		(void)snprintf(path, sizeof(path), "%s/%s", dir, host);
		add(path, host, entries, (uint64_t)time(NULL));
		forward(path, ledger);
	}
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	who.uid = getuid();
	who.gid = getgid();
	if (strcmp(verb, "fill") == 0 && argc == 8) {
		struct filling f = { .dir = argv[2],
			.ledger = argv[3],
			.vaults = strtoul(argv[4], NULL, 10),
			.entries = strtoull(argv[5], NULL, 10),
			.keep = strtoul(argv[6], NULL, 10),
			.workers = strtoul(argv[7], NULL, 10) };

		fill(&f);
	} else if (strcmp(verb, "grow") == 0 && argc == 6) {
		add_more(argv[2], argv[3], strtoull(argv[4], NULL, 10),
		    strtoul(argv[5], NULL, 10));
	} else {
		fprintf(stderr, "usage: bench-audit fill|grow ...\n");
		return 2;
	}
	return 0;
}
