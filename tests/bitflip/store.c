/* A small store with an example of each kind; reading and writing it. */
#include <string.h>
#include <unistd.h>

#include "../../core/verify.h"
#include "bitflip.h"

static const struct tf_actor root = { .loginuid = -1,
	.session = -1,
	.comm = "bitflip" };

/* --- making one --------------------------------------------------------- */

uint64_t
make_dir(struct tf_vault *v, uint64_t up, const char *name)
{
	struct tf_attr a;

	MUST(tf_vault_mkdir(v, up, name, 0755, &root, &a, NULL) == TF_OK);
	return a.id;
}

static void
flushed(void *arg, enum tf_code code, const struct tf_error *err)
{
	(void)err;
	MUST(code == TF_OK);
	MUST(write(*(int *)arg, "", 1) == 1);
}

struct tf_file *
make_file(struct tf_vault *v, uint64_t dir, const char *name, const char *bytes,
    size_t n)
{
	struct tf_file *f;
	struct tf_attr a;
	int fds[2];
	char c;

	MUST(pipe(fds) == 0);
	MUST(tf_vault_create(v, dir, name, 0644, &root, &a, &f, NULL) == TF_OK);
	if (n > 0)
		MUST(tf_file_write_at(f, bytes, n, 0, false, NULL) == TF_OK);
	tf_file_flush(f, true, flushed, &fds[1]);
	MUST(read(fds[0], &c, 1) == 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return f;
}

/* A trail that is sealed, with an attestation of nothing. */
static void
fill_sealed(struct tf_vault *v)
{
	uint64_t t = make_dir(v, TF_ROOT_ID, "sealed"), w = make_dir(v, t, "w");
	uint64_t a = make_dir(v, w, "a");

	MUST(tf_vault_seal(v, a, &root, NULL) == TF_OK);
	MUST(tf_vault_seal(v, w, &root, NULL) == TF_OK);
	MUST(tf_vault_seal(v, t, &root, NULL) == TF_OK);
}

static void
fill(struct tf_vault *v)
{
	uint64_t t = make_dir(v, TF_ROOT_ID, "t"), w = make_dir(v, t, "w");
	uint64_t a = make_dir(v, w, "a"), b = make_dir(v, w, "open");
	uint64_t sub = make_dir(v, a, "sub");
	static char large[FLUSHED_LONG_SIZE];
	struct tf_attr at;

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)('a' + i % 23);
	tf_file_release(make_file(v, a, "short.txt", "alice\n", 6));
	tf_file_release(make_file(v, sub, "large", large, sizeof(large)));
	tf_file_release(make_file(v, a, "same", "alice\n", 6));
	tf_file_release(make_file(v, a, "none", "", 0));
	MUST(tf_vault_lookup(v, a, "short.txt", &at, NULL) == TF_OK);
	MUST(tf_vault_xattr_set(v, at.id, "user.note", "kept", 4, 0, &root,
		 NULL) == TF_OK);
	MUST(tf_vault_sync(v, TF_ROOT_ID, &root, NULL) == TF_OK);
	MUST(tf_vault_seal(v, a, &root, NULL) == TF_OK);
	/* Accepted, and neither sealed nor given up. */
	tf_file_abandon(make_file(v, b, "flushed", FLUSHED_BYTES,
	    sizeof(FLUSHED_BYTES) - 1));
	tf_file_abandon(make_file(v, b, "long", large, sizeof(large)));
}

static bool
open_store(const char *path, bool read_only, struct tf_vault **v)
{
	struct tf_vault_options o = { .read_only = read_only,
		.program = "trailctl",
		.moved = true /* a copy */,
		.actor = &root,
		.verify_open = true };

	MUST(tf_settings_take(&o.settings, "settle", "60"));
	return tf_vault_open(path, &o, v, NULL) == TF_OK;
}

void
make_store(const char *path, struct tf_buf *vkey)
{
	struct tf_vault *v;

	MUST(tf_vault_init(path, "example.org/bits", &root, vkey, NULL) ==
	    TF_OK);
	tf_buf_add(vkey, "", 1);
	MUST(open_store(path, false, &v));
	fill(v);
	fill_sealed(v);
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
}

/* --- what it shows ------------------------------------------------------ */

/* Each thing with its code and length, so that nothing runs together. */
static void
say(struct tf_buf *out, const char *what, enum tf_code rc, struct tf_buf *b)
{
	tf_buf_printf(out, "%s %d %zu\n", what, (int)rc, b->n);
	tf_buf_add(out, b->p == NULL ? "" : b->p, b->n);
	tf_buf_free(b);
}

static void
show_file(struct tf_vault *v, uint64_t id, struct tf_buf *out)
{
	struct tf_buf b = { 0 };
	struct tf_reader *r;
	char part[8192];
	size_t got = 1;
	bool fresh;
	enum tf_code rc = tf_vault_open_read(v, id, 0, &r, &fresh, NULL);

	if (rc == TF_OK) {
		while (rc == TF_OK && got > 0 && !b.failed) {
			rc = tf_reader_read(r, part, sizeof(part), b.n, &got,
			    NULL);
			tf_buf_add(&b, part, rc == TF_OK ? got : 0);
		}
		tf_reader_close(r);
	}
	say(out, "bytes", rc, &b);
}

static void
show_xattrs(struct tf_vault *v, uint64_t id, struct tf_buf *out)
{
	static const char *const own[] = { "user.trailfs.state",
		"user.trailfs.sha256", "user.trailfs.index",
		"user.trailfs.sealed-at", "user.trailfs.actor" };
	struct tf_buf list = { 0 }, b = { 0 };
	enum tf_code rc = tf_vault_xattr_list(v, id, &list, NULL);

	for (size_t i = 0; i < list.n; i += strlen(list.p + i) + 1) {
		tf_buf_add(&b, list.p + i, strlen(list.p + i) + 1);
		rc = tf_vault_xattr_get(v, id, list.p + i, &b, NULL);
		say(out, "xattr", rc, &b);
	}
	say(out, "xattrs", rc, &list);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		rc = tf_vault_xattr_get(v, id, own[i], &b, NULL);
		say(out, own[i], rc, &b);
	}
}

static void
show_node(struct tf_vault *v, const char *name, const struct tf_attr *a,
    struct tf_buf *out)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_vault_path(v, a->id, &b, NULL);

	say(out, "path", rc, &b);
	tf_buf_printf(out,
	    "%s %llu in %llu kind %d state %d %o %u %u %llu bytes "
	    "%lld.%u %lld.%u %lld.%u\n",
	    name, (unsigned long long)a->id, (unsigned long long)a->parent,
	    (int)a->kind, (int)a->state, a->mode, a->uid, a->gid,
	    (unsigned long long)a->size, (long long)a->mtime.s, a->mtime.ns,
	    (long long)a->ctime.s, a->ctime.ns, (long long)a->btime.s,
	    a->btime.ns);
	show_xattrs(v, a->id, out);
	rc = tf_vault_prove(v, a->id, &b, NULL);
	say(out, "proof", rc, &b);
	if (a->kind == TF_KIND_EVIDENCE)
		show_file(v, a->id, out);
}

static void
show_dir(struct tf_vault *v, uint64_t id, unsigned depth, struct tf_buf *out)
{
	struct tf_dirent e[16];
	uint64_t after = 0;
	size_t n = 1;
	enum tf_code rc = TF_OK;

	/* A damaged tree may bite its tail. */
	while (rc == TF_OK && n > 0 && depth < 16) {
		rc = tf_vault_list(v, id, after, e, 16, &n, NULL);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			show_node(v, e[i].name, &e[i].attr, out);
			if (e[i].attr.kind != TF_KIND_EVIDENCE)
				show_dir(v, e[i].attr.id, depth + 1, out);
			after = e[i].attr.id;
		}
	}
	tf_buf_printf(out, "end %d\n", (int)rc);
}

static void
show_log(struct tf_vault *v, struct tf_buf *out)
{
	struct tf_buf b = { 0 };
	uint64_t entries = 0, bytes = 0;
	enum tf_code rc = tf_vault_size(v, &entries, &bytes, NULL);

	tf_buf_printf(out, "%d: %llu entries, %llu bytes\n", (int)rc,
	    (unsigned long long)entries, (unsigned long long)bytes);
	if (entries > 1000)
		entries = 1000; /* nonsense, and different already */
	for (uint64_t i = 0; i < entries; i++) {
		rc = tf_vault_entry(v, i, &b, NULL);
		say(out, "entry", rc, &b);
		rc = tf_vault_prove_entry(v, i, &b, NULL);
		say(out, "proof", rc, &b);
	}
	rc = tf_vault_checkpoint(v, &b, NULL);
	say(out, "checkpoint", rc, &b);
	rc = tf_vault_vkey(v, &b, NULL);
	say(out, "vkey", rc, &b);
	rc = tf_vault_pem(v, &b, NULL);
	say(out, "pem", rc, &b);
	rc = tf_vault_status(v, NULL, &b, NULL);
	say(out, "status", rc, &b);
	rc = tf_vault_tile(v, 0, 0, tf_log_width(entries, 0, 0), &b, NULL);
	say(out, "tile", rc, &b);
}

bool
show_store(const char *path, struct tf_buf *out)
{
	struct tf_vault *v;

	if (!open_store(path, true, &v))
		return false;
	show_log(v, out);
	show_dir(v, TF_ROOT_ID, 0, out);
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
	MUST(!out->failed);
	return true;
}

/* --- writing on --------------------------------------------------------- */

bool
write_store(const char *path, bool *wrong)
{
	struct tf_buf b = { 0 };
	struct tf_vault *v;
	struct tf_attr a;

	*wrong = false;
	if (!open_store(path, false, &v))
		return false;
	if (tf_vault_walk(v, FLUSHED, &a, NULL) == TF_OK) {
		show_file(v, a.id, &b);
		tf_buf_add(&b, "", 1);
		if (!b.failed && strstr(b.p, "\n" FLUSHED_BYTES) == NULL)
			*wrong = true;
		tf_buf_free(&b);
	}
	(void)!tf_vault_close(v, "done", NULL);
	return true;
}

enum tf_code
export_log(const char *path, const char *dir, uint64_t *tiles,
    struct tf_error *err)
{
	const struct tf_vault_options o = { .read_only = true,
		.program = "bitflip" };
	struct tf_vault *v = NULL;
	enum tf_code rc = tf_vault_open(path, &o, &v, err);

	if (rc == TF_OK)
		rc = tf_export_log(v, dir, tiles, err);
	(void)!tf_vault_close(v, "done", NULL); /* nothing was written */
	return rc;
}
