/*
 * test-bitflip: flip single bits in every file of a small store.
 *
 * It flips COUNT bits (400), chosen by SEED (1).  COUNT=all flips each bit,
 * COUNT=bytes one bit of each byte; for these two, ONLY='unsealed row' limits
 * the run to places with that text in their name.  For each bit, the verifier
 * refuses the store or reports a finding, or the bit is in a listed place that
 * no reader uses, and then the store shows the same as before.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/verify.h"
#include "bitflip.h"

#define FILES 64
#define PLACES 128

struct file {
	char path[128]; /* in the store */
	uint8_t *bytes;
	size_t n;
};

static struct rig {
	char dir[64], store[96], second[96]; /* scratch; the store; a copy */
	struct file f[FILES];
	size_t n_files;
	struct tf_buf vkey, shown;
	struct pages *pages;
	unsigned flips, refused, found, outside, unwritable, bad;
	struct place {
		char what[160];
		unsigned n;
	} places[PLACES];
	unsigned n_places;
} rig;

/*
 * Places that no check reads, because nothing that the store shows comes from
 * them.  A bit in another place that passes the verifier fails the test.
 */
static const char *const may_pass[] = {
	/* SQLite: space without content, and numbers that it only keeps. */
	"ledger.db: unallocated space",
	"ledger.db: fragments",
	"ledger.db: free blocks",
	"ledger.db: free pages",
	"ledger.db: header: reserved bytes",
	"ledger.db: header: change counter",
	"ledger.db: header: valid-for counter",
	"ledger.db: header: SQLite version",
	"ledger.db: header: schema cookie",
	"ledger.db: header: cache size",
	/* One value has more than one form. */
	"ledger.db: head of a row of *",
	/* It follows its attestation's. */
	"ledger.db: access of a directory",
	/* Names of tables; their SQL is compared. */
	"ledger.db: row of sqlite_schema",
	/* Numbers for writers, who look at them when they open the store. */
	"ledger.db: row of meta",
	/* Shown nowhere: only the newest is, and that is checked. */
	"ledger.db: older row of checkpoint",
	/* Not in the ledger yet, so no entry speaks of it. */
	"ledger.db: unsealed row of object",
	"ledger.db: row of stage",
	"stage/*",
	/* For writers, who check them when they open the store. */
	"checkpoint",
	"keys/*",
	"config",
	"lock",
};

uint64_t
any_number(void)
{
	static uint64_t state;
	const char *seed = getenv("SEED");

	if (state == 0)
		state = 0x9e3779b97f4a7c15u *
		    (seed != NULL ? strtoull(seed, NULL, 10) | 1 : 1);
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* --- files -------------------------------------------------------------- */

static void
command(const char *fmt, const char *a, const char *b)
{
	char line[512];

	(void)snprintf(line, sizeof(line), fmt, a, b);
	MUST(system(line) == 0);
}

static void
read_one(const char *name)
{
	struct file *f = &rig.f[rig.n_files++];
	char path[512];
	struct stat st;
	FILE *in;

	MUST(rig.n_files <= FILES);
	(void)snprintf(f->path, sizeof(f->path), "%.127s", name);
	(void)snprintf(path, sizeof(path), "%s/%s", rig.store, name);
	MUST((in = fopen(path, "rb")) != NULL && fstat(fileno(in), &st) == 0);
	f->n = (size_t)st.st_size;
	MUST((f->bytes = malloc(f->n + 1)) != NULL);
	MUST(fread(f->bytes, 1, f->n, in) == f->n);
	fclose(in);
}

static void
read_all(const char *below)
{
	char path[512], name[128];
	struct dirent *e;
	struct stat st;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%s", rig.store, below);
	MUST((d = opendir(path)) != NULL);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.60s%s%.62s", below,
		    *below == '\0' ? "" : "/", e->d_name);
		MUST(fstatat(dirfd(d), e->d_name, &st, 0) == 0);
		if (S_ISDIR(st.st_mode))
			read_all(name);
		else
			read_one(name);
	}
	closedir(d);
}

static void
put_byte(const struct file *f, size_t off, uint8_t byte)
{
	struct stat st;
	char path[512];
	int fd;

	/* Objects are read-only, also for their owner unless that is root. */
	(void)snprintf(path, sizeof(path), "%s/%s", rig.store, f->path);
	MUST(stat(path, &st) == 0 && chmod(path, 0600) == 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	MUST(fd >= 0 && pwrite(fd, &byte, 1, (off_t)off) == 1);
	MUST(fchmod(fd, st.st_mode) == 0);
	close(fd);
}

/* What SQLite leaves beside a database that it read. */
static void
tidy(void)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/ledger.db-wal", rig.store);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/ledger.db-shm", rig.store);
	(void)unlink(path);
}

/* --- judging ------------------------------------------------------------ */

enum verdict { REFUSED, FOUND, PASSED };

static enum verdict
verify(const char *path)
{
	struct tf_verify v = { .vkey = rig.vkey.p, .threads = 1 };
	struct tf_report r;

	if (tf_verify_store(path, &v, &r, NULL) != TF_OK)
		return REFUSED;
	if (r.findings > 0)
		return FOUND;
	for (int l = 0; l < TF_CHECKS; l++)
		if (r.check[l] == TF_VERDICT_FAILED)
			return FOUND;
	return PASSED;
}

static void
place_of(const struct file *f, size_t off, char out[160])
{
	const char *slash = strchr(f->path, '/');

	if (strcmp(f->path, "ledger.db") == 0)
		(void)snprintf(out, 160, "ledger.db: %s",
		    pages_what(rig.pages, off));
	else if (slash != NULL && strncmp(f->path, "keys/", 5) != 0)
		(void)snprintf(out, 160, "%.*s/*", (int)(slash - f->path),
		    f->path);
	else
		(void)snprintf(out, 160, "%s", f->path);
}

static bool
is_allowed(const char *what)
{
	for (size_t i = 0; i < sizeof(may_pass) / sizeof(may_pass[0]); i++) {
		size_t n = strlen(may_pass[i]);

		if (strcmp(what, may_pass[i]) == 0 ||
		    (may_pass[i][n - 1] == '*' &&
			strncmp(what, may_pass[i], n - 1) == 0))
			return true;
	}
	return false;
}

static void
count_place(const char *what)
{
	unsigned i;

	for (i = 0; i < rig.n_places; i++)
		if (strcmp(rig.places[i].what, what) == 0)
			break;
	MUST(i < PLACES);
	if (i == rig.n_places)
		(void)snprintf(rig.places[rig.n_places++].what,
		    sizeof(rig.places[0].what), "%s", what);
	rig.places[i].n++;
}

static void
complain(const struct file *f, size_t off, unsigned bit, const char *text)
{
	char what[160];

	place_of(f, off, what);
	printf("%s, byte %zu, bit %u (%s): %s\n", f->path, off, bit, what,
	    text);
	rig.bad++;
}

/* A writer must refuse the store, or leave a store that verifies. */
static void
write_on(const struct file *f, size_t off, unsigned bit)
{
	bool wrong;

	command("rm -rf %s", rig.second, NULL);
	command("cp -a %s %s", rig.store, rig.second);
	if (!write_store(rig.second, &wrong))
		rig.unwritable++;
	else if (wrong)
		complain(f, off, bit, "recovery took other bytes");
	else if (verify(rig.second) != PASSED)
		complain(f, off, bit, "taken by a writer, and not whole then");
}

/* The verifier passed: the store must show the same as before. */
static void
passed(const struct file *f, size_t off, unsigned bit)
{
	struct tf_buf now = { 0 };
	char what[160];

	place_of(f, off, what);
	count_place(what);
	rig.outside++;
	if (!is_allowed(what))
		complain(f, off, bit, "passed, and should not");
	if (show_store(rig.store, &now) &&
	    (now.n != rig.shown.n || memcmp(now.p, rig.shown.p, now.n) != 0))
		complain(f, off, bit, "passed, and the store shows otherwise");
	tf_buf_free(&now);
	tidy();
	write_on(f, off, bit);
}

static void
flip(const struct file *f, size_t off, unsigned bit)
{
	put_byte(f, off, f->bytes[off] ^ (uint8_t)(1u << bit));
	rig.flips++;
	switch (verify(rig.store)) {
	case REFUSED:
		rig.refused++;
		break;
	case FOUND:
		rig.found++;
		break;
	case PASSED:
		passed(f, off, bit);
		break;
	}
	put_byte(f, off, f->bytes[off]);
	tidy();
}

/* --- which bits --------------------------------------------------------- */

/* Each second one in the database, and half of those where there is content:
 * most of a small database is empty. */
static void
flip_some(unsigned count)
{
	size_t db = 0;

	while (strcmp(rig.f[db].path, "ledger.db") != 0)
		db++;
	for (unsigned i = 0; i < count; i++) {
		const struct file *f =
		    &rig.f[i % 2 == 0 ? db : i / 2 % rig.n_files];
		size_t off;

		if (f->n == 0)
			continue;
		do
			off = any_number() % f->n;
		while (i % 4 == 0 && f->bytes[off] == 0);
		flip(f, off, any_number() % 8);
	}
}

static void
flip_byte(const struct file *f, size_t off, bool bits)
{
	const char *only = getenv("ONLY");
	char what[160];

	place_of(f, off, what);
	if (only != NULL && strstr(what, only) == NULL)
		return;
	for (unsigned bit = 0; bit < 8; bit++)
		if (bits || bit == off % 8)
			flip(f, off, bit);
}

static void
flip_each(bool bits)
{
	for (size_t i = 0; i < rig.n_files; i++)
		for (size_t off = 0; off < rig.f[i].n; off++)
			flip_byte(&rig.f[i], off, bits);
}

static void
clean(void)
{
	command("rm -rf %s", rig.dir, NULL);
}

static void
set_up(void)
{
	char db[128];

	strcpy(rig.dir, "/dev/shm/trailfs-bits.XXXXXX");
	MUST(mkdtemp(rig.dir) != NULL);
	atexit(clean);
	(void)snprintf(rig.store, sizeof(rig.store), "%s/store", rig.dir);
	(void)snprintf(rig.second, sizeof(rig.second), "%s/second", rig.dir);
	make_store(rig.store, &rig.vkey);
	MUST(verify(rig.store) == PASSED);
	MUST(show_store(rig.store, &rig.shown));
	tidy();
	read_all("");
	(void)snprintf(db, sizeof(db), "%s/ledger.db", rig.store);
	for (size_t i = 0; i < rig.n_files; i++)
		if (strcmp(rig.f[i].path, "ledger.db") == 0)
			rig.pages = pages_of(db, rig.f[i].bytes, rig.f[i].n);
	tidy();
}

static void
report(void)
{
	printf("test-bitflip: %u bits of %zu files: %u refused, %u found, %u "
	       "outside of what is read:\n",
	    rig.flips, rig.n_files, rig.refused, rig.found, rig.outside);
	for (unsigned i = 0; i < rig.n_places; i++)
		printf("  %6u  %s\n", rig.places[i].n, rig.places[i].what);
	printf("  of the latter, %u keep writers from opening the store\n",
	    rig.unwritable);
	printf("%u%%: Checks: %u, Failures: %u, Errors: 0\n",
	    100 - (rig.bad * 100 + rig.flips - 1) / rig.flips, rig.flips,
	    rig.bad);
}

int
main(void)
{
	const char *count = getenv("COUNT");

	set_up();
	if (count != NULL && strcmp(count, "all") == 0)
		flip_each(true);
	else if (count != NULL && strcmp(count, "bytes") == 0)
		flip_each(false);
	else
		flip_some(count != NULL ? (unsigned)atoi(count) : 400);
	if (getenv("ONLY") == NULL)
		flip_package(rig.store, rig.dir, rig.vkey.p,
		    count != NULL ? count : "", &rig.flips, &rig.bad);
	report();
	return rig.bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
