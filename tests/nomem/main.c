/*
 * test-nomem: memory runs out at each place once.  The linker hands our calls
 * of malloc and its kin to this file, which fails the n-th, for every n, while
 * a store, a log and a proof are verified and while a store recovers.  Nothing
 * ends the process; what is not whole is never called so; and a store that
 * could not be opened for want of memory is opened afterwards and has lost
 * nothing.  Of the places of recovery each STEPth (13) is tried.
 */
#include <glob.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "../../core/verify.h"
#include "../../core/vault.h"
#include "../bitflip/bitflip.h"

/* --- memory ------------------------------------------------------------- */

static atomic_long left = -1; /* calls that still succeed; negative: all */

static bool
runs_out(void)
{
	long now = atomic_load(&left);

	while (now >= 0 && !atomic_compare_exchange_weak(&left, &now, now - 1))
		;
	return now == 0;
}

/* NOLINTBEGIN: the names are the linker's. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

void *
__wrap_malloc(size_t n)
{
	return runs_out() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return runs_out() ? NULL : __real_realloc(p, n);
}

char *
__wrap_strdup(const char *s)
{
	return runs_out() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	return runs_out() ? NULL : __real_strndup(s, n);
}
/* NOLINTEND */

/* --- the rig ------------------------------------------------------------ */

static struct rig {
	char dir[64], store[96], bad[96], copy[96], log[96], bad_log[96];
	struct tf_buf vkey, early, proof, bad_proof;
	unsigned checks, failures;
} rig;

static void
sh(const char *fmt, const char *a, const char *b)
{
	char line[512];

	(void)snprintf(line, sizeof(line), fmt, a, b);
	MUST(system(line) == 0);
}

static void
check(bool ok, const char *what, long n)
{
	rig.checks++;
	if (ok)
		return;
	rig.failures++;
	printf("test-nomem: %s, without memory at call %ld\n", what, n);
}

static bool
whole(enum tf_code rc, const struct tf_report *r)
{
	if (rc != TF_OK || r->findings > 0)
		return false;
	for (int l = 0; l <= TF_LINK_SIGNATURE; l++)
		if (r->link[l] == TF_VERDICT_FAILED)
			return false;
	return true;
}

typedef enum tf_code (*verifier)(const struct tf_verify *v, bool good,
    struct tf_report *r);

static enum tf_code
verify_store(const struct tf_verify *v, bool good, struct tf_report *r)
{
	return tf_verify_store(good ? rig.store : rig.bad, v, r, NULL);
}

static enum tf_code
verify_log(const struct tf_verify *v, bool good, struct tf_report *r)
{
	return tf_verify_log(good ? rig.log : rig.bad_log, NULL, v, r, NULL);
}

static enum tf_code
verify_proof(const struct tf_verify *v, bool good, struct tf_report *r)
{
	const struct tf_buf *p = good ? &rig.proof : &rig.bad_proof;

	return tf_verify_proof(p->p, p->n, NULL, v, r, NULL);
}

/* With memory the good is whole and the bad is not; without some, the bad still
 * is not, and the good is only called bad when that is said. */
static void
sweep(verifier verify, const char *what)
{
	struct tf_verify v = { .vkey = rig.vkey.p,
		.threads = 1,
		.earlier = { rig.early.p, rig.early.n } };
	struct tf_report r;
	enum tf_code rc;
	long n = 0;
	bool reached = true;

	rc = verify(&v, true, &r);
	check(whole(rc, &r), "a good one is not whole", -1);
	rc = verify(&v, false, &r);
	check(!whole(rc, &r), what, -1);
	for (; reached; n++) {
		atomic_store(&left, n);
		rc = verify(&v, false, &r);
		reached = atomic_exchange(&left, -1) < 0;
		check(!whole(rc, &r), what, n);
		atomic_store(&left, n);
		rc = verify(&v, true, &r);
		reached = atomic_exchange(&left, -1) < 0 || reached;
		check(rc == TF_OK || rc == TF_NOMEM || rc == TF_INVALID,
		    "a good one ended otherwise", n);
	}
	printf("test-nomem: %s: %ld places\n", what, n - 1);
}

/* Opening for writing recovers what was flushed. */
static void
sweep_recovery(void)
{
	struct tf_verify v = { .vkey = rig.vkey.p, .threads = 1 };
	struct tf_report r;
	bool reached = true, wrong;
	enum tf_code rc;
	const char *each = getenv("STEP");
	long n = 0, step = each != NULL ? atol(each) : 13;

	for (; reached; n += step) {
		sh("rm -rf %s", rig.copy, NULL);
		sh("cp -a %s %s", rig.store, rig.copy);
		atomic_store(&left, n);
		(void)write_store(rig.copy, &wrong);
		reached = atomic_exchange(&left, -1) < 0;
		check(write_store(rig.copy, &wrong), "not opened afterwards",
		    n);
		check(!wrong, "acknowledged bytes are others", n);
		rc = tf_verify_store(rig.copy, &v, &r, NULL);
		check(whole(rc, &r), "recovered, and not whole", n);
	}
	printf("test-nomem: recovery: each %ldth of %ld places\n", step, n);
}

/* --- what is looked at -------------------------------------------------- */

static void
read_file(const char *path, struct tf_buf *out)
{
	char part[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	MUST(f != NULL);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		tf_buf_add(out, part, n);
	fclose(f);
}

/* One bit of the file. */
static void
flip(const char *path, long off)
{
	FILE *f = fopen(path, "r+b");
	int c;

	MUST(f != NULL && fseek(f, off, SEEK_SET) == 0);
	c = fgetc(f);
	MUST(fseek(f, off, SEEK_SET) == 0 && fputc(c ^ 1, f) != EOF);
	fclose(f);
}

static void
clean(void)
{
	sh("rm -rf %s", rig.dir, NULL);
}

static void
take_proof(void)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct tf_vault *v;

	MUST(tf_vault_open(rig.store, &o, &v, NULL) == TF_OK);
	MUST(tf_vault_prove_entry(v, 3, &rig.proof, NULL) == TF_OK);
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
	tf_buf_add(&rig.bad_proof, rig.proof.p, rig.proof.n);
	/* In the entry, which the leaf hash covers. */
	rig.bad_proof.p[200] = rig.bad_proof.p[200] == 'A' ? 'B' : 'A';
}

static void
set_up(void)
{
	char path[256];
	uint64_t tiles;
	struct tf_buf db = { 0 };
	const char *at;
	glob_t g;

	strcpy(rig.dir, "/dev/shm/trailfs-nomem.XXXXXX");
	MUST(mkdtemp(rig.dir) != NULL);
	atexit(clean);
	(void)snprintf(rig.store, sizeof(rig.store), "%s/store", rig.dir);
	(void)snprintf(rig.bad, sizeof(rig.bad), "%s/bad", rig.dir);
	(void)snprintf(rig.copy, sizeof(rig.copy), "%s/copy", rig.dir);
	(void)snprintf(rig.log, sizeof(rig.log), "%s/log", rig.dir);
	(void)snprintf(rig.bad_log, sizeof(rig.bad_log), "%s/bad-log", rig.dir);
	make_store(rig.store, &rig.vkey);
	(void)snprintf(path, sizeof(path), "%s/checkpoint", rig.store);
	read_file(path, &rig.early);
	MUST(tf_export_log(rig.store, rig.log, &tiles, NULL) == TF_OK);
	take_proof();
	sh("cp -a %s %s", rig.store, rig.bad);
	sh("cp -a %s %s", rig.log, rig.bad_log);
	(void)snprintf(path, sizeof(path), "%s/ledger.db", rig.bad);
	read_file(path, &db);
	at = memmem(db.p, db.n, "attestation.begun", 17);
	MUST(at != NULL);
	flip(path, at - db.p - 40);
	tf_buf_free(&db);
	(void)snprintf(path, sizeof(path), "%s/tile/0/000.p/*", rig.bad_log);
	MUST(glob(path, 0, NULL, &g) == 0 && g.gl_pathc == 1);
	flip(g.gl_pathv[0], 70);
	globfree(&g);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up();
	sweep(verify_store, "a store is verified");
	sweep(verify_log, "a log is verified");
	sweep(verify_proof, "a proof is verified");
	sweep_recovery();
	tf_buf_free(&rig.vkey);
	tf_buf_free(&rig.early);
	tf_buf_free(&rig.proof);
	tf_buf_free(&rig.bad_proof);
	printf("%u%%: Checks: %u, Failures: %u, Errors: 0\n",
	    rig.failures == 0 ? 100 : 99, rig.checks, rig.failures);
	return rig.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
