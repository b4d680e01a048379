/*
 * What must hold after each operation, wherever it was struck:
 *  - TF_OK only when the thing was done, and done right: the entries that it
 *    made replay, which compares the sums, and what was shown is what is shown
 *    at other times;
 *  - an error, and then the same again, now undisturbed, is done or was done;
 *  - the store verifies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/definition.h"
#include "../../core/find.h"
#include "../../core/page.h"
#include "../../core/verify.h"
#include "../bitflip/bitflip.h"
#include "work.h"

static const struct tf_actor root = { .loginuid = -1,
	.session = -1,
	.comm = "work" };

static struct {
	char store[128], copy[128];
	unsigned checks, failures;
	const char *what;
	enum strike kind;
	long n;
	struct tf_error err;
} sw;

static void
check(bool ok, const char *wrong)
{
	static const char *const struck[] = { "without memory", "with an error",
		"with a failing database", "without memory in libcrypto" };

	sw.checks++;
	if (ok)
		return;
	sw.failures++;
	printf("test-nomem: %s: %s, %s at call %ld; said: %s\n", sw.what, wrong,
	    struck[sw.kind], sw.n, sw.err.text);
}

/* --- the store ---------------------------------------------------------- */

static void
fill_dir(struct tf_vault *v, uint64_t dir, const char *bytes)
{
	uint64_t sub = make_dir(v, dir, "sub");

	tf_file_release(make_file(v, dir, "one", bytes, strlen(bytes)));
	tf_file_release(make_file(v, dir, "two", "same\n", 5));
	tf_file_release(make_file(v, sub, "three", "same\n", 5));
}

#define RECIPIENT \
	"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n"

/* x/w: a sealed, b open; x/v: three begun attestations; x/d: a draft; what is
 * in y is encrypted. */
static void
make_work_store(const char *from)
{
	struct tf_vault_options o = { .program = "trailctl",
		.moved = true /* a copy */,
		.actor = &root };
	uint64_t x, w, u, d, version;
	struct tf_vault *v;
	char line[400];

	(void)snprintf(line, sizeof(line), "rm -rf %s && cp -a %s %s", sw.store,
	    from, sw.store);
	MUST(system(line) == 0);
	MUST(tf_settings_take(&o.settings, "settle", "60"));
	MUST(tf_vault_open(sw.store, &o, &v, NULL) == TF_OK);
	x = make_dir(v, TF_ROOT_ID, "x");
	w = make_dir(v, x, "w");
	fill_dir(v, u = make_dir(v, w, "a"), "alpha\n");
	MUST(tf_vault_seal(v, u, &root, NULL) == TF_OK);
	fill_dir(v, make_dir(v, w, "b"), "beta\n");
	u = make_dir(v, x, "v");
	fill_dir(v, make_dir(v, u, "p"), "p\n");
	fill_dir(v, make_dir(v, u, "q"), "q\n");
	(void)make_dir(v, u, "r");
	d = make_dir(v, make_dir(v, x, "d"), ".draft");
	fill_dir(v, d, "draft\n");
	x = make_dir(v, TF_ROOT_ID, "y");
	MUST(tf_vault_define(v, x, TF_DEFINITION_RECIPIENTS, NULL, RECIPIENT,
		 strlen(RECIPIENT), &root, &version, NULL) == TF_OK);
	(void)make_dir(v, make_dir(v, x, "w"), "a");
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
}

/* to_show: opened for reading, for a vault that is written grows by itself. */
static struct tf_vault *
open_copy(bool to_show)
{
	struct tf_vault_options o = { .program = "trailctl",
		.moved = true /* a copy */,
		.actor = &root,
		.verify_open = true,
		.read_only = to_show };
	struct tf_vault *v = NULL;
	char line[400];

	(void)snprintf(line, sizeof(line), "rm -rf %s && cp -a %s %s", sw.copy,
	    sw.store, sw.copy);
	MUST(system(line) == 0);
	MUST(tf_settings_take(&o.settings, "settle", "60"));
	MUST(tf_vault_open(sw.copy, &o, &v, NULL) == TF_OK);
	return v;
}

/* Not a part of the operation that is struck. */
static uint64_t
id_of(struct tf_vault *v, const char *path)
{
	long paused = strike_pause();
	struct tf_attr a;

	MUST(tf_vault_walk(v, path, &a, NULL) == TF_OK);
	strike_resume(paused);
	return a.id;
}

static bool
is_sealed(struct tf_vault *v, const char *path)
{
	struct tf_attr a;

	return tf_vault_walk(v, path, &a, NULL) == TF_OK &&
	    a.state == TF_STATE_SEALED;
}

/* --- the operations ----------------------------------------------------- */

/*
 * One operation: prepare is undisturbed, run is struck, done says afterwards
 * whether it was done.  shows: instead of done, what it appends to out must be
 * what an undisturbed run appends.
 */
struct operation {
	const char *name;
	void (*prepare)(struct tf_vault *v);
	enum tf_code (*run)(struct tf_vault *v, struct tf_buf *out,
	    struct tf_error *err);
	bool (*done)(struct tf_vault *v);
	bool shows, writes;
};

static enum tf_code
seal_attestation(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	(void)out;
	return tf_vault_seal(v, id_of(v, "x/w/b"), &root, err);
}

static bool
attestation_is_sealed(struct tf_vault *v)
{
	return is_sealed(v, "x/w/b") && is_sealed(v, "x/w/b/sub/three");
}

static enum tf_code
seal_workflow(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	(void)out;
	return tf_vault_seal(v, id_of(v, "x/v"), &root, err);
}

static bool
workflow_is_sealed(struct tf_vault *v)
{
	return is_sealed(v, "x/v") && is_sealed(v, "x/v/q") &&
	    is_sealed(v, "x/v/r");
}

static void
remove_draft(struct tf_vault *v)
{
	MUST(tf_vault_rename(v, id_of(v, "x/d"), ".draft", id_of(v, "x/d"),
		 "plain", false, &root, NULL) == TF_OK);
}

static enum tf_code
seal_trail(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	(void)out;
	return tf_vault_seal(v, id_of(v, "x"), &root, err);
}

static bool
trail_is_sealed(struct tf_vault *v)
{
	return is_sealed(v, "x");
}

static enum tf_code
publish(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	uint64_t d = id_of(v, "x/d");

	(void)out;
	return tf_vault_rename(v, d, ".draft", d, "login", false, &root, err);
}

static bool
is_published(struct tf_vault *v)
{
	return is_sealed(v, "x/d/login") && is_sealed(v, "x/d/login/sub/three");
}

static void
write_draft(struct tf_vault *v)
{
	tf_file_release(make_file(v, id_of(v, "x/v/r"), "f.tmp", "text\n", 5));
	tf_file_release(make_file(v, id_of(v, "x/v/r"), "g.tmp", "old\n", 4));
}

static enum tf_code
name_draft(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	uint64_t r = id_of(v, "x/v/r");

	(void)out;
	return tf_vault_rename(v, r, "f.tmp", r, "f", false, &root, err);
}

static bool
draft_is_named(struct tf_vault *v)
{
	return is_sealed(v, "x/v/r/f");
}

static enum tf_code
replace_draft(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	uint64_t r = id_of(v, "x/v/r");

	(void)out;
	return tf_vault_rename(v, r, "f.tmp", r, "g.tmp", false, &root, err);
}

static bool
draft_is_replaced(struct tf_vault *v)
{
	struct tf_attr a;

	return tf_vault_walk(v, "x/v/r/f.tmp", &a, NULL) == TF_NOTFOUND &&
	    tf_vault_walk(v, "x/v/r/g.tmp", &a, NULL) == TF_OK && a.size == 5;
}

static void
write_file(struct tf_vault *v)
{
	tf_file_release(make_file(v, id_of(v, "x/v/r"), "f", "text\n", 5));
	MUST(tf_vault_xattr_set(v, id_of(v, "x/v/r/f"), "user.first", "1", 1, 0,
		 &root, NULL) == TF_OK);
}

static enum tf_code
sync_all(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	(void)out;
	return tf_vault_sync(v, id_of(v, "x"), &root, err);
}

static bool
all_is_synced(struct tf_vault *v)
{
	return is_sealed(v, "x/v/r/f");
}

static enum tf_code
set_attribute(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	(void)out;
	return tf_vault_xattr_set(v, id_of(v, "x/v/r/f"), "user.second", "2", 1,
	    0, &root, err);
}

static bool
attributes_are_set(struct tf_vault *v)
{
	struct tf_buf b = { 0 };
	uint64_t f = id_of(v, "x/v/r/f");
	bool both = tf_vault_xattr_get(v, f, "user.first", &b, NULL) == TF_OK &&
	    tf_vault_xattr_get(v, f, "user.second", &b, NULL) == TF_OK &&
	    b.n == 2 && memcmp(b.p, "12", 2) == 0;

	tf_buf_free(&b);
	return both;
}

/* Alice's file, created and not written, is written by root. */
static void
create_foreign(struct tf_vault *v)
{
	struct tf_actor alice = root;
	struct tf_file *f;
	struct tf_attr a;

	alice.uid = alice.gid = 1000;
	MUST(tf_vault_create(v, id_of(v, "x/v/r"), "h", 0644, &alice, &a, &f,
		 NULL) == TF_OK);
	MUST(tf_file_close(v, f, NULL) == TF_OK);
}

/* Only the opening is struck: a file whose flush failed is lost for good. */
static enum tf_code
write_foreign(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	struct tf_file *f = NULL;
	enum tf_code rc = tf_vault_open_write(v, id_of(v, "x/v/r/h"), false,
	    &root, &f, err);
	long paused;

	(void)out;
	if (rc != TF_OK)
		return rc;
	paused = strike_pause();
	MUST(tf_file_write_at(f, "text\n", 5, 0, false, NULL) == TF_OK);
	MUST(tf_file_close(v, f, NULL) == TF_OK);
	strike_resume(paused);
	return TF_OK;
}

/* Is it sealed, with the user who wrote it as the actor? */
static bool
writer_is_root(struct tf_vault *v)
{
	struct tf_buf b = { 0 };
	bool is = tf_vault_sync(v, id_of(v, "x"), &root, NULL) == TF_OK &&
	    tf_vault_xattr_get(v, id_of(v, "x/v/r/h"), "user.trailfs.actor", &b,
		NULL) == TF_OK;

	tf_buf_add(&b, "", 1);
	is = is && strstr(b.p, "\"uid\":0") != NULL;
	tf_buf_free(&b);
	return is;
}

/* --- encrypted files --------------------------------------------------------- */

#define SECRET_DIR "y/w/a"
#define SECRET_LONG 150000 /* its staged form and its age file are files */

static char secret[SECRET_LONG];
static unsigned secrets; /* counts names: a file whose flush failed is lost */

static enum tf_code
write_secret(struct tf_vault *v, const char *name, size_t n,
    struct tf_error *err)
{
	struct tf_file *f;
	struct tf_attr a;
	enum tf_code rc = tf_vault_create(v, id_of(v, SECRET_DIR), name, 0644,
			 &root, &a, &f, err),
		     ended;

	if (rc != TF_OK)
		return rc;
	memset(secret, 's', sizeof(secret));
	/* In the middle first, so that a chunk is written twice. */
	rc = tf_file_write_at(f, secret, n / 2, n / 4, false, err);
	if (rc == TF_OK)
		rc = tf_file_write_at(f, secret, n, 0, false, err);
	ended = tf_file_close(v, f, rc == TF_OK ? err : NULL);
	return rc == TF_OK ? ended : rc;
}

static const char *
secret_name(bool is_long)
{
	static char name[2][16];

	(void)snprintf(name[is_long], sizeof(name[0]), "%s%u",
	    is_long ? "long" : "short", secrets);
	return name[is_long];
}

static enum tf_code
create_secrets(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc;

	(void)out;
	secrets++;
	rc = write_secret(v, secret_name(false), 100, err);
	return rc == TF_OK ?
	    write_secret(v, secret_name(true), SECRET_LONG, err) :
	    rc;
}

static void
prepare_secrets(struct tf_vault *v)
{
	MUST(create_secrets(v, NULL, NULL) == TF_OK);
}

static enum tf_code
seal_secrets(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	(void)out;
	return tf_vault_sync(v, id_of(v, SECRET_DIR), &root, err);
}

/* Sealed, as an age file that is longer than n bytes? */
static bool
is_age_file(struct tf_vault *v, const char *name, uint64_t n)
{
	static const char line[] = "age-encryption.org/v1\n";
	char path[64], begins[sizeof(line) - 1] = "";
	struct tf_reader *r;
	struct tf_attr a;
	size_t got = 0;
	bool fresh;

	(void)snprintf(path, sizeof(path), SECRET_DIR "/%s", name);
	if (tf_vault_walk(v, path, &a, NULL) != TF_OK ||
	    a.state != TF_STATE_SEALED || a.size <= n ||
	    tf_vault_open_read(v, a.id, 0, &r, &fresh, NULL) != TF_OK)
		return false;
	MUST(tf_reader_read(r, begins, sizeof(begins), 0, &got, NULL) == TF_OK);
	tf_reader_close(r);
	return got == sizeof(begins) && memcmp(begins, line, got) == 0;
}

static bool
secrets_are_sealed(struct tf_vault *v)
{
	return is_age_file(v, secret_name(false), 100) &&
	    is_age_file(v, secret_name(true), SECRET_LONG);
}

static bool
secrets_are_accepted(struct tf_vault *v)
{
	return tf_vault_sync(v, id_of(v, SECRET_DIR), &root, NULL) == TF_OK &&
	    secrets_are_sealed(v);
}

static void
prepare_secret_draft(struct tf_vault *v)
{
	MUST(write_secret(v, "long.tmp", SECRET_LONG, NULL) == TF_OK);
}

static enum tf_code
name_secret_draft(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	uint64_t a = id_of(v, SECRET_DIR);

	(void)out;
	return tf_vault_rename(v, a, "long.tmp", a, "named", false, &root, err);
}

static bool
secret_draft_is_named(struct tf_vault *v)
{
	return is_age_file(v, "named", SECRET_LONG);
}

/* --- definitions, claims, judgements ---------------------------------------- */

#define STRICT                                              \
	"version: 1\ntrail:\n  x-trailfs: {strict: true}\n" \
	"  attestations:\n  - {name: one, type: junit}\n"

static enum tf_code
define(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	uint64_t version;

	(void)out;
	return tf_vault_define(v, id_of(v, "x"), TF_DEFINITION_TEMPLATE, NULL,
	    STRICT, strlen(STRICT), &root, &version, err);
}

static bool
is_defined(struct tf_vault *v)
{
	struct tf_definition d;
	struct tf_buf b = { 0 };
	bool yes = tf_vault_definition(v, id_of(v, "x"), TF_DEFINITION_TEMPLATE,
		       NULL, 0, &b, &d, NULL) == TF_OK &&
	    d.version == 1 && b.n == strlen(STRICT);

	tf_buf_free(&b);
	return yes;
}

static enum tf_code
claim(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	uint64_t r = id_of(v, "x/v/r"), draft = id_of(v, "x/d/.draft");
	enum tf_code rc;

	(void)out;
	rc = tf_vault_claim(v, r, "type", "snyk", 4, 0, &root, err);
	if (rc == TF_OK)
		rc = tf_vault_user_data(v, draft, "data", 4, &root, err);
	if (rc == TF_OK)
		rc = tf_vault_claim(v, id_of(v, "x"), "annotation.a", "b", 1, 0,
		    &root, err);
	return rc;
}

static bool
is_claimed(struct tf_vault *v)
{
	struct tf_buf b = { 0 };
	bool yes = tf_vault_claimed(v, id_of(v, "x/v/r"), "type", &b, NULL) ==
		TF_OK &&
	    tf_vault_claimed(v, id_of(v, "x/d/.draft"), "user-data", &b,
		NULL) == TF_OK &&
	    tf_vault_claimed(v, id_of(v, "x"), "annotation.a", &b, NULL) ==
		TF_OK &&
	    strcmp(b.p, "snykdatab") == 0;

	tf_buf_free(&b);
	return yes;
}

/* A workflow whose template asks for a JUnit report, and user data. */
static void
begin_judged(struct tf_vault *v)
{
	static const char report[] =
	    "<testsuite><testcase><failure/></testcase></testsuite>";
	struct tf_error err;
	uint64_t one;

	MUST(define(v, NULL, &err) == TF_OK);
	one = make_dir(v, make_dir(v, id_of(v, "x"), "judged"), "one");
	tf_file_release(make_file(v, one, "r.xml", report, strlen(report)));
	MUST(tf_vault_user_data(v, one, "data", 4, &root, &err) == TF_OK);
}

static enum tf_code
seal_judged(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	(void)out;
	return tf_vault_seal(v, id_of(v, "x/judged/one"), &root, err);
}

static bool
is_judged(struct tf_vault *v)
{
	struct tf_buf b = { 0 };
	bool yes = is_sealed(v, "x/judged/one") &&
	    tf_vault_evaluation(v, id_of(v, "x/judged/one"), &b, NULL) ==
		TF_OK &&
	    strstr(b.p, "\"compliant\":false") != NULL &&
	    strstr(b.p, "cannot be read") == NULL;

	tf_buf_free(&b);
	return yes;
}

/* --- what is shown ------------------------------------------------------ */

static enum tf_code
read_file(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	char part[65536];
	struct tf_reader *r;
	size_t got = 1;
	bool fresh;
	enum tf_code rc = tf_vault_open_read(v, id_of(v, "t/w/a/sub/large"), 0,
	    &r, &fresh, err);

	if (rc != TF_OK)
		return rc;
	while (rc == TF_OK && got > 0 && !out->failed) {
		rc = tf_reader_read(r, part, sizeof(part), out->n, &got, err);
		tf_buf_add(out, part, rc == TF_OK ? got : 0);
	}
	tf_reader_close(r);
	return rc;
}

static enum tf_code
put(void *arg, const void *p, size_t n, struct tf_error *err)
{
	(void)err;
	tf_buf_add(arg, p, n);
	return TF_OK;
}

typedef enum tf_code (*view)(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

static enum tf_code
show_node(struct tf_vault *v, uint64_t id, view make, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_sink sink = { put, out };
	struct tf_view *w = NULL;
	enum tf_code rc = tf_view_open(v, NULL, &w, err);

	if (rc == TF_OK)
		rc = make(w, id, &sink, err);
	tf_view_close(w);
	return rc;
}

static enum tf_code
show(struct tf_vault *v, const char *path, view make, struct tf_buf *out,
    struct tf_error *err)
{
	return show_node(v, id_of(v, path), make, out, err);
}

static enum tf_code
page(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	return tf_view_page(w, id, NULL, out, err);
}

#define SHOW(name, path, make)                                           \
	static enum tf_code name(struct tf_vault *v, struct tf_buf *out, \
	    struct tf_error *err)                                        \
	{                                                                \
		return show(v, path, make, out, err);                    \
	}
SHOW(show_events, "x", tf_view_events)
SHOW(show_sums, "x/w/a", tf_view_sums)
SHOW(show_attestation, "x/w/a", tf_view_attestation)
SHOW(show_statement, "x/w/a", tf_view_intoto)
SHOW(judge_workflow, "x/w", tf_view_status)
SHOW(show_trail, "x", tf_view_status)
SHOW(show_page_of_now, "x/w", page)

/* Take what stands between two texts out of b. */
static void
cut(struct tf_buf *b, const char *from, const char *to)
{
	char *at = b->n > 0 ? memmem(b->p, b->n, from, strlen(from)) : NULL;
	char *end = at == NULL ?
	    NULL :
	    memmem(at, (size_t)(b->p + b->n - at), to, strlen(to));

	if (end == NULL)
		return;
	memmove(at, end, (size_t)(b->p + b->n - end));
	b->n -= (size_t)(end - at);
}

/* The page without the time at which it was made, until which the picture shows
 * what is open. */
static enum tf_code
show_page(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc = show_page_of_now(v, out, err);

	cut(out, ">As of ", "</time>");
	cut(out, "<figure", "</figure>");
	return rc;
}

/* Blank the digits that follow key in b. */
static void
blank_time(struct tf_buf *b, const char *key)
{
	char *at = b->n > 0 ? memmem(b->p, b->n, key, strlen(key)) : NULL;

	if (at == NULL)
		return;
	for (at += strlen(key); at < b->p + b->n && strchr("\",}", *at) == NULL;
	     at++)
		*at = '0';
}

/* An open workflow is judged at the time of reading; that time is blanked. */
static enum tf_code
show_workflow(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc = judge_workflow(v, out, err);

	blank_time(out, "\"evaluated\":\"");
	blank_time(out, "\"evaluated_at\":");
	return rc;
}

static enum tf_code
show_proof(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	return tf_vault_prove(v, id_of(v, "x/w/a/one"), out, err);
}

static enum tf_code
show_facts(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	static const char *const names[] = { "state", "sha256", "index",
		"sealed-at", "actor" };
	uint64_t id = id_of(v, "x/w/a/one");
	enum tf_code rc = TF_OK;
	char name[64];

	for (size_t i = 0; rc == TF_OK && i < 5; i++) {
		(void)snprintf(name, sizeof(name), "user.trailfs.%s", names[i]);
		rc = tf_vault_xattr_get(v, id, name, out, err);
	}
	return rc;
}

/* From the last `from` in b up to the first `to` behind it, onto out. */
static enum tf_code
extract(const struct tf_buf *b, const char *from, const char *to,
    struct tf_buf *out)
{
	const char *at = NULL, *end;

	for (const char *p = b->p; p != NULL && (p = strstr(p, from)) != NULL;
	     p++)
		at = p;
	if (at == NULL || (end = strstr(at, to)) == NULL)
		return TF_OK;
	tf_buf_add(out, at, (size_t)(end - at));
	return TF_OK;
}

/* A new directory's entry names its owner, or there is none. */
static enum tf_code
make_directory(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf events = { 0 };
	struct tf_attr a = { .mode = 0750 };
	enum tf_code rc = tf_vault_mkdir(v, id_of(v, "x/v"), "s", 0750, &root,
	    &a, err);

	if (rc == TF_OK)
		rc = show(v, "x/v", tf_view_events, &events, err);
	if (rc == TF_OK)
		rc = events.failed ? TF_NOMEM :
				     extract(&events, "\"access\"", "}", out);
	tf_buf_free(&events);
	return rc;
}

/* What was refused has its path and its program, or is only counted. */
static enum tf_code
refuse(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	struct tf_attempt a = { .id = id_of(v, "x/w/a"),
		.name = "one",
		.actor = &root,
		.operation = "unlink",
		.sys = "EPERM",
		.reason = "sealed" };
	struct tf_buf lines = { 0 };
	enum tf_code rc;

	tf_vault_denied(v, &a);
	rc = tf_vault_denials(v, NULL, &lines, err);
	if (rc == TF_OK && lines.n == 0)
		rc = TF_NOMEM;
	if (rc == TF_OK)
		rc = extract(&lines, "\"actor\"", ",\"at\"", out);
	if (rc == TF_OK)
		rc = extract(&lines, "\"operation\"", "}", out);
	tf_buf_free(&lines);
	return rc;
}

static uint64_t waits_in;

static void
let_wait(struct tf_vault *v)
{
	write_file(v);
	waits_in = id_of(v, "x/v/r");
}

/* Every file that is not sealed is listed. */
static enum tf_code
show_waiting(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = show_node(v, waits_in, tf_view_attestation, &b, err);

	if (rc == TF_OK)
		rc = b.failed ? TF_NOMEM : extract(&b, "\"waiting\"", "]", out);
	b.n = 0;
	if (rc == TF_OK && (rc = tf_vault_status(v, NULL, &b, err)) == TF_OK)
		rc = extract(&b, "\"waiting\"", "]", out);
	tf_buf_free(&b);
	return rc;
}

static size_t
lines_in(const struct tf_buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

/* All names of a store.  After a failure, a search without one finds them, in
 * the same process. */
static enum tf_code
search(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	static const char query[] = "uid=0&status=open";
	static size_t names; /* found by the first search, without a failure */
	struct tf_buf again = { 0 };
	enum tf_code rc = tf_find_start(v, err);
	long paused;

	if (rc != TF_OK)
		return rc;
	if ((rc = tf_find(v, query, NULL, out, err)) == TF_OK && names == 0)
		names = lines_in(out);
	paused = strike_pause();
	if (rc != TF_OK)
		check(tf_find(v, query, NULL, &again, NULL) == TF_OK &&
			lines_in(&again) == names,
		    "not found when searched again");
	strike_resume(paused);
	tf_find_stop(v);
	tf_buf_free(&again);
	return rc;
}

static const struct operation operations[] = {
	{ "sealing an attestation", NULL, seal_attestation,
	    attestation_is_sealed, false, false },
	{ "sealing a workflow", NULL, seal_workflow, workflow_is_sealed, false,
	    false },
	{ "sealing a trail", remove_draft, seal_trail, trail_is_sealed, false,
	    false },
	{ "publishing a draft", NULL, publish, is_published, false, false },
	{ "naming a draft", write_draft, name_draft, draft_is_named, false,
	    false },
	{ "replacing a draft", write_draft, replace_draft, draft_is_replaced,
	    false, false },
	{ "sync", write_file, sync_all, all_is_synced, false, false },
	{ "opening another's file", create_foreign, write_foreign,
	    writer_is_root, false, false },
	{ "setting an attribute", write_file, set_attribute, attributes_are_set,
	    false, false },
	{ "creating encrypted files", NULL, create_secrets,
	    secrets_are_accepted, false, false },
	{ "sealing encrypted files", prepare_secrets, seal_secrets,
	    secrets_are_sealed, false, false },
	{ "naming an encrypted draft", prepare_secret_draft, name_secret_draft,
	    secret_draft_is_named, false, false },
	{ "defining a template", NULL, define, is_defined, false, false },
	{ "claiming", NULL, claim, is_claimed, false, false },
	{ "judging at a seal", begin_judged, seal_judged, is_judged, false,
	    false },
	{ "reading a file", NULL, read_file, NULL, true, false },
	{ "events.jsonl", NULL, show_events, NULL, true, false },
	{ "SHA256SUMS", NULL, show_sums, NULL, true, false },
	{ "attestation.json", NULL, show_attestation, NULL, true, false },
	{ "attestation.intoto.json", NULL, show_statement, NULL, true, false },
	{ "status.json of a workflow", NULL, show_workflow, NULL, true, false },
	{ "status.json of a trail", NULL, show_trail, NULL, true, false },
	{ "index.html", NULL, show_page, NULL, true, false },
	{ "a proof", NULL, show_proof, NULL, true, false },
	{ "xattrs", NULL, show_facts, NULL, true, false },
	{ "a search", NULL, search, NULL, true, false },
	{ "a search that makes the index", NULL, search, NULL, true, true },
	{ "a new directory", NULL, make_directory, NULL, true, true },
	{ "denied.jsonl", NULL, refuse, NULL, true, true },
	{ "what waits to be sealed", let_wait, show_waiting, NULL, true, true },
};

/* --- one place ---------------------------------------------------------- */

static void
verify_copy(void)
{
	struct tf_verify o = { .threads = 1 };
	struct tf_report r;
	enum tf_code rc = tf_verify_store(sw.copy, &o, &r, &sw.err);

	check(rc == TF_OK && r.findings == 0, "not whole afterwards");
}

/* A vault whose disk failed cannot write its last entry. */
static void
close_vault(struct tf_vault *v)
{
	struct tf_error err;

	if (tf_vault_close(v, "done", &err) != TF_OK)
		check(sw.kind != STRIKE_MEMORY, "not closed");
}

/* Undisturbed now: it is done, or was done already. */
static void
try_again(const struct operation *op, struct tf_vault **v)
{
	struct tf_vault_options o = { .program = "trailctl",
		.moved = true /* a copy */,
		.actor = &root };
	struct tf_buf out = { 0 };
	enum tf_code rc = op->run(*v, &out, &sw.err);

	if (rc == TF_READONLY) { /* the ledger's disk failed: open it again */
		check(sw.kind != STRIKE_MEMORY, "read-only for want of memory");
		close_vault(*v);
		MUST(tf_settings_take(&o.settings, "settle", "60"));
		MUST(tf_vault_open(sw.copy, &o, v, NULL) == TF_OK);
		if (!op->done(*v))
			rc = op->run(*v, &out, &sw.err);
	}
	check(op->done(*v), "not done when tried again");
	tf_buf_free(&out);
}

/* False: the place is beyond the end. */
static bool
strike_once(const struct operation *op, const struct tf_buf *want)
{
	struct tf_vault *v = open_copy(op->shows && !op->writes);
	struct tf_buf out = { 0 };
	enum tf_code rc;
	bool reached;

	if (op->prepare != NULL)
		op->prepare(v);
	sw.err = (struct tf_error){ .code = TF_OK };
	strike_after(sw.kind, sw.n);
	rc = op->run(v, &out, &sw.err);
	reached = strike_end();
	check(rc == TF_OK || reached, "refused");
	if (op->shows) {
		if (rc == TF_OK && !out.failed)
			check(out.n == want->n &&
				memcmp(out.p, want->p, out.n) == 0,
			    "something else is shown");
		else
			check(rc != TF_NOTFOUND && rc != TF_NODATA &&
				rc != TF_TAMPER,
			    "a failure is an answer");
	} else if (rc == TF_OK) {
		check(op->done(v), "not done, and said to be");
	} else {
		try_again(op, &v);
	}
	tf_buf_free(&out);
	close_vault(v);
	if (!op->shows)
		verify_copy();
	return reached;
}

static void
strike_each(const struct operation *op, long step)
{
	struct tf_buf want = { 0 };
	struct tf_vault *v = open_copy(op->shows && !op->writes);
	struct tf_error err;

	if (op->shows && op->prepare != NULL)
		op->prepare(v);
	if (op->shows)
		MUST(op->run(v, &want, &err) == TF_OK && want.n > 0);
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
	sw.what = op->name;
	sw.n = 0;
	while (strike_once(op, &want))
		sw.n += step;
	printf("test-nomem: %s %d: %ld places\n", op->name, (int)sw.kind,
	    sw.n / step);
	tf_buf_free(&want);
}

struct work_result
work_strike(const char *dir, enum strike kind, long step)
{
	char from[128];

	(void)snprintf(from, sizeof(from), "%s/store", dir);
	(void)snprintf(sw.store, sizeof(sw.store), "%s/work-store", dir);
	(void)snprintf(sw.copy, sizeof(sw.copy), "%s/work-copy", dir);
	sw.kind = kind;
	sw.checks = sw.failures = 0;
	make_work_store(from);
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		strike_each(&operations[i], step);
	return (struct work_result){ sw.checks, sw.failures };
}
