/*
 * A log as files: the bundle of entries is what chance made of the example's.
 * Only the right one is whole.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/entry.h"
#include "../../core/ledger/merkle.h"
#include "../../core/ledger/tilepath.h"
#include "../../core/verify.h"
#include "fuzz.h"

#define ENTRIES 9 /* of the example */

static char dir[] = "/dev/shm/trailfs-fuzz.XXXXXX";
static char bundle_path[TF_TILE_PATH_MAX];
static struct tf_buf right; /* the bundle */
static int at = -1;

static void
put(const char *path, const void *p, size_t n)
{
	int fd = openat(at, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);

	MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static void
tidy(void)
{
	char tile_path[TF_TILE_PATH_MAX];

	tf_tile_path(0, 0, ENTRIES, tile_path);
	(void)unlinkat(at, tile_path, 0);
	(void)unlinkat(at, bundle_path, 0);
	(void)unlinkat(at, "checkpoint", 0);
	(void)unlinkat(at, "tile/entries/000.p", AT_REMOVEDIR);
	(void)unlinkat(at, "tile/entries", AT_REMOVEDIR);
	(void)unlinkat(at, "tile/0/000.p", AT_REMOVEDIR);
	(void)unlinkat(at, "tile/0", AT_REMOVEDIR);
	(void)unlinkat(at, "tile", AT_REMOVEDIR);
	(void)rmdir(dir);
}

static enum tf_code
edge(void *arg, unsigned level, uint64_t n, const struct tf_hash *h,
    unsigned width, struct tf_error *err)
{
	char path[TF_TILE_PATH_MAX];

	(void)arg, (void)err;
	MUST(level == 0 && n == 0 && width == ENTRIES);
	tf_tile_path(level, n, width, path);
	put(path, h, width * sizeof(*h));
	return TF_OK;
}

/* Checkpoint and tile of the example's entries, and its bundle in memory. */
static void
build(FILE *f)
{
	struct tf_tree *t = calloc(1, sizeof(*t));
	struct tf_checkpoint c = { .origin = FUZZ_ORIGIN, .size = ENTRIES };
	struct tf_buf note = { 0 };
	struct tf_key *key;
	struct tf_hash leaf;
	uint8_t seed[32], be[2];
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, f)) > 0) {
		tf_put_be16(be, (uint16_t)(n - 1));
		tf_buf_add(&right, be, sizeof(be));
		tf_buf_add(&right, line, (size_t)n - 1);
		tf_entry_leaf(line, (size_t)n - 1, &leaf);
		MUST(tf_tree_append(t, &leaf, NULL, NULL, NULL) == TF_OK);
	}
	MUST(t->size == ENTRIES);
	MUST(tf_tree_edge(t, 0, edge, NULL, NULL) == TF_OK);
	tf_tree_root(t, &c.root);
	MUST(tf_unhex(FUZZ_SEED_LOG, 64, seed, sizeof(seed)));
	MUST(tf_key_from_seed(seed, &key, NULL) == TF_OK);
	MUST(tf_checkpoint_sign(&c, key, &note, NULL) == TF_OK);
	put("checkpoint", note.p, note.n);
	tf_buf_free(&note);
	tf_key_free(key);
	free(line);
	free(t);
}

static void
set_up(void)
{
	FILE *f = fopen(TF_VECTORS "/entries-example.jsonl", "r");

	MUST(f != NULL && mkdtemp(dir) != NULL);
	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(at >= 0);
	MUST(mkdirat(at, "tile", 0700) == 0 &&
	    mkdirat(at, "tile/0", 0700) == 0 &&
	    mkdirat(at, "tile/0/000.p", 0700) == 0 &&
	    mkdirat(at, "tile/entries", 0700) == 0 &&
	    mkdirat(at, "tile/entries/000.p", 0700) == 0);
	tf_tile_path(TF_TILE_ENTRIES, 0, ENTRIES, bundle_path);
	atexit(tidy);
	build(f);
	fclose(f);
}

static bool
whole(const struct tf_report *r)
{
	for (int l = 0; l < TF_CHECKS; l++)
		if (r->check[l] == TF_VERDICT_FAILED)
			return false;
	return true;
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_verify v = { .vkey = FUZZ_VKEY };
	struct tf_report r;
	bool same;

	if (at < 0)
		set_up();
	put(bundle_path, data, n);
	MUST(tf_verify_log(dir, NULL, &v, &r, NULL) == TF_OK);
	same = n == right.n && memcmp(data, right.p, right.n) == 0;
	MUST(whole(&r) == same);
	return 0;
}
