/*
 * test-nomem: fail each allocation, read, write or step of SQLite once, during
 * the verification of a store, a log, a proof, a package and a directory, and
 * during the recovery of a store, and during encryption.  The process must not
 * end.  The verifier must not pass altered input, and must report intact input
 * as not checked, never as altered.  A store that could not be opened must open
 * afterwards without loss.
 */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "../../core/age.h"
#include "../../core/base/crypto.h"
#include "../../core/crypt/age_write.h"
#include "../../core/crypt/stage_key.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/checks.h"
#include "../../core/ledger/junit.h"
#include "../../core/ledger/status.h"
#include "../../core/ledger/template_make.h"
#include "../../core/ledger/template_parse.h"
#include "../../core/node/vault_i.h"
#include "../../core/package.h"
#include "../../core/vault.h"
#include "../../core/verify.h"
#include "../bitflip/bitflip.h"
#include "price.h"
#include "strike.h"
#include "work.h"

#define DONE "t/w/a" /* what make_store sealed */

/* --- the rig ------------------------------------------------------------ */

static struct rig {
	char dir[64], copy[96];
	struct tf_buf vkey, early, proof, bad_proof;
	unsigned checks, failures;
	char said[256]; /* the last finding, or the error */
	/* for strike_call() */
	struct tf_key *key;
	enum strike kind;
	long n;
	bool reached;
} rig;

static const struct tf_actor nobody = { .loginuid = -1, .session = -1 };

/* A file or directory of the rig; four at a time. */
static const char *
in_rig(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", rig.dir, name);
	return path;
}

static void
sh(const char *fmt, const char *a, const char *b)
{
	char line[512];

	(void)snprintf(line, sizeof(line), fmt, a, b);
	MUST(system(line) == 0);
}

static const char *const struck[] = {
	[STRIKE_MEMORY] = "without memory",
	[STRIKE_CALL] = "with an error",
	[STRIKE_STEP] = "with a failing database",
	[STRIKE_CRYPTO] = "without memory in libcrypto",
};

static void
check(bool ok, const char *what, const char *wrong, enum strike kind, long n)
{
	rig.checks++;
	if (ok)
		return;
	rig.failures++;
	printf("test-nomem: %s: %s, %s at call %ld; said: %s\n", what, wrong,
	    struck[kind], n, rig.said);
}

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	(void)snprintf(rig.said, sizeof(rig.said), "%s: %.180s",
	    tf_check_name(f->check), f->text);
}

static void
progress(void *arg, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)done;
	(void)total;
}

/* --- verifying ---------------------------------------------------------- */

/* What trailctl(1) would end with: 0, 4, or 3 and 5, where it did not come to
 * an answer. */
enum answer { WHOLE, ALTERED, UNDECIDED, NONSENSE };

static enum answer
answer(enum tf_code rc, const struct tf_report *r, unsigned needed)
{
	enum answer a = WHOLE;

	if (rc == TF_NOMEM || rc == TF_IO || rc == TF_ACCESS ||
	    rc == TF_NOSPACE)
		return UNDECIDED;
	if (rc == TF_TAMPER || (rc == TF_OK && r->findings > 0))
		return ALTERED;
	if (rc != TF_OK)
		return NONSENSE;
	for (int l = 0; l < TF_CHECKS; l++) {
		if (r->check[l] == TF_VERDICT_FAILED)
			return ALTERED;
		if (r->check[l] == TF_VERDICT_ABSENT && (needed >> l & 1) != 0)
			a = UNDECIDED;
	}
	return a;
}

typedef enum tf_code (*verifier)(const struct tf_verify *v, bool good,
    struct tf_report *r, struct tf_error *err);

static enum tf_code
verify_store(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	return tf_verify_store(in_rig(good ? "store" : "bad-store"), v, r, err);
}

static enum tf_code
verify_extended(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	return tf_verify_store(in_rig(good ? "grown" : "bad-grown"), v, r, err);
}

/* By its own key, which is new. */
static enum tf_code
verify_recovered(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	struct tf_verify own = *v;

	own.vkey = NULL;
	return tf_verify_store(in_rig(good ? "recovered" : "bad-recovered"),
	    &own, r, err);
}

static enum tf_code
verify_log(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	return tf_verify_log(in_rig(good ? "log" : "bad-log"),
	    in_rig("evidence"), v, r, err);
}

static enum tf_code
verify_proof(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	const struct tf_buf *p = good ? &rig.proof : &rig.bad_proof;

	return tf_verify_proof(p->p, p->n,
	    in_rig("evidence/" DONE "/short.txt"), v, r, err);
}

static enum tf_code
verify_package(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	return tf_verify_package(in_rig(good ? "a.zip" : "bad.zip"), v, r, err);
}

static enum tf_code
verify_empty(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	return tf_verify_package(in_rig(good ? "none.zip" : "bad-none.zip"), v,
	    r, err);
}

static enum tf_code
verify_unpacked(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	return tf_verify_against(in_rig("store"), DONE,
	    in_rig(good ? "a" : "bad-a"), v, r, err);
}

static enum tf_code
verify_copy(const struct tf_verify *v, bool good, struct tf_report *r,
    struct tf_error *err)
{
	return tf_verify_against(in_rig("store"), ".",
	    in_rig(good ? "evidence" : "bad-evidence"), v, r, err);
}

#define LINK(l) (1u << TF_CHECK_##l)

static const struct subject {
	verifier verify;
	const char *what;
	unsigned needed; /* links that must not be ABSENT */
} subjects[] = {
	{ verify_store, "store",
	    LINK(CONTENTS) | LINK(ENTRIES) | LINK(NAMES) | LINK(TREE) |
		LINK(TILES) | LINK(SIGNATURE) | LINK(EARLIER) },
	{ verify_extended, "store that grew",
	    LINK(CONTENTS) | LINK(ENTRIES) | LINK(NAMES) | LINK(TREE) |
		LINK(TILES) | LINK(SIGNATURE) | LINK(EARLIER) },
	{ verify_recovered, "store under a new origin",
	    LINK(CONTENTS) | LINK(ENTRIES) | LINK(NAMES) | LINK(TREE) |
		LINK(TILES) | LINK(SIGNATURE) | LINK(EARLIER) },
	{ verify_log, "log",
	    LINK(CONTENTS) | LINK(ENTRIES) | LINK(TREE) | LINK(TILES) |
		LINK(SIGNATURE) | LINK(EARLIER) },
	{ verify_proof, "proof",
	    LINK(CONTENTS) | LINK(ENTRIES) | LINK(TREE) | LINK(SIGNATURE) },
	{ verify_package, "package",
	    LINK(PACKAGE) | LINK(CONTENTS) | LINK(ENTRIES) | LINK(NAMES) |
		LINK(TREE) | LINK(SIGNATURE) },
	{ verify_empty, "package of no evidence",
	    LINK(PACKAGE) | LINK(CONTENTS) | LINK(ENTRIES) | LINK(NAMES) |
		LINK(TREE) | LINK(SIGNATURE) },
	{ verify_unpacked, "unpacked package", LINK(CONTENTS) | LINK(NAMES) },
	{ verify_copy, "copy", LINK(CONTENTS) | LINK(NAMES) },
};

/* One try; true: the call that fails was reached. */
static bool
strike(const struct subject *s, bool good, enum strike kind, long n)
{
	struct tf_verify v = { .vkey = rig.vkey.p,
		.threads = 1,
		.found = found,
		.progress = progress,
		.earlier = { rig.early.p, rig.early.n } };
	struct tf_error err;
	struct tf_report r;
	enum answer a;
	enum tf_code rc;
	bool reached;

	rig.said[0] = '\0';
	strike_after(kind, n);
	rc = s->verify(&v, good, &r, &err);
	reached = strike_end();
	if (rc != TF_OK)
		(void)snprintf(rig.said, sizeof(rig.said), "%s: %s",
		    tf_code_name(rc), err.text);
	a = answer(rc, &r, s->needed);
	if (good)
		check(a == WHOLE || (a == UNDECIDED && reached), s->what,
		    a == ALTERED ? "whole, and accused" : "whole, and not so",
		    kind, n);
	else
		check(a == ALTERED || (a == UNDECIDED && reached), s->what,
		    "altered, and passed", kind, n);
	return reached;
}

static void
strike_each(const struct subject *s, enum strike kind)
{
	long n = 0;
	bool more = true;

	for (; more; n++) {
		more = strike(s, true, kind, n);
		more = strike(s, false, kind, n) || more;
	}
	printf("test-nomem: %s verified %s: %ld places\n", s->what,
	    struck[kind], n - 1);
}

/* --- recovering --------------------------------------------------------- */

/* Under its name, with the bytes that verifying compares. */
static bool
is_sealed(const char *path)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct tf_vault *v;
	struct tf_attr a;
	bool yes;

	MUST(tf_vault_open(rig.copy, &o, &v, NULL) == TF_OK);
	yes = tf_vault_walk(v, path, &a, NULL) == TF_OK &&
	    a.state == TF_STATE_SEALED &&
	    a.size ==
		(strcmp(path, FLUSHED) == 0 ? sizeof(FLUSHED_BYTES) - 1 :
					      FLUSHED_LONG_SIZE);
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
	return yes;
}

static void
copy_store(const char *store)
{
	sh("rm -rf %s %s.guard", rig.copy, rig.copy);
	sh("cp -a %s %s", in_rig(store), rig.copy);
}

#define AFTER_KEYS 250 /* calls for memory of libcrypto */

/* Opening for writing recovers what was flushed, which is sealed; or, where
 * more was written than that, becomes drafts. */
static void
strike_recovery(enum strike kind, const char *store, bool sealed)
{
	struct tf_verify v = { .vkey = rig.vkey.p,
		.threads = 1,
		.found = found };
	struct tf_report r;
	bool reached = true, wrong;
	enum tf_code rc;
	long n = 0, first = 0;

	/* Reading a key takes libcrypto thousands of calls; what comes after
	 * that is ours. */
	if (kind == STRIKE_CRYPTO) {
		copy_store(store);
		strike_after(kind, LONG_MAX);
		MUST(write_store(rig.copy, &wrong));
		first = strike_used() - AFTER_KEYS;
		(void)strike_end();
	}
	for (n = first; reached; n++) {
		copy_store(store);
		rig.said[0] = '\0';
		strike_after(kind, n);
		(void)write_store(rig.copy, &wrong);
		reached = strike_end();
		check(write_store(rig.copy, &wrong), "recovery",
		    "not opened afterwards", kind, n);
		check(!wrong && is_sealed(FLUSHED) == sealed &&
			is_sealed(FLUSHED_LONG) == sealed,
		    "recovery", "what was acknowledged is not sealed", kind, n);
		rc = tf_verify_store(rig.copy, &v, &r, NULL);
		/* An object that could not be read was put aside. */
		check(answer(rc, &r, subjects[0].needed & ~LINK(EARLIER)) ==
			    WHOLE ||
			(kind == STRIKE_CALL && rc == TF_OK && r.beside > 0 &&
			    r.findings == r.beside),
		    "recovery", "not whole afterwards", kind, n);
	}
	printf("test-nomem: recovery of %s %s: %ld places\n", store,
	    struck[kind], n - 1 - first);
}

/* --- going on, signing, judging ----------------------------------------- */

/* An older copy of the store goes on under another origin, or does not. */
static enum tf_code
renew(void)
{
	struct tf_buf vkey = { 0 }, other = { 0 };
	enum tf_code rc, again;
	bool wrong;

	copy_store("older");
	strike_after(rig.kind, rig.n);
	rc = tf_vault_recover(rig.copy, NULL, &nobody, &vkey, NULL);
	rig.reached = strike_end();
	if (rc == TF_OK)
		check(!vkey.failed && vkey.n > 0, "renewing", "no key",
		    rig.kind, rig.n);
	/* Whatever was done, it can be done again, or is done. */
	again = tf_vault_recover(rig.copy, NULL, &nobody, &other, NULL);
	check(again == TF_OK || again == TF_USAGE, "renewing",
	    "neither done nor undone", rig.kind, rig.n);
	check(write_store(rig.copy, &wrong) && !wrong, "renewing",
	    "not opened afterwards", rig.kind, rig.n);
	tf_buf_free(&other);
	tf_buf_free(&vkey);
	return rc;
}

static enum tf_code
sign(void)
{
	struct tf_checkpoint c = { .origin = "example.org/bits", .size = 7 },
			     signed_one;
	struct tf_buf note = { 0 };
	struct tf_pubkey pub;
	struct tf_vkey k;
	enum tf_code rc;

	strike_after(rig.kind, rig.n);
	rc = tf_checkpoint_sign(&c, rig.key, &note, NULL);
	rig.reached = strike_end();
	tf_key_public(rig.key, &pub);
	tf_vkey_make(&k, c.origin, &pub);
	if (rc == TF_OK)
		check(tf_checkpoint_check(note.p, note.n, &k, &signed_one,
			  NULL) == TF_OK,
		    "signing", "not signed", rig.kind, rig.n);
	tf_buf_free(&note);
	return rc;
}

static enum tf_code
judge(void)
{
	static const struct tf_slot slot = { .name = { "a", 1 },
		.type = { "b", 1 } };
	const struct tf_template t = { .slots = &slot, .n = 1 };
	const struct tf_case c = { .template = &t };
	struct tf_status s = { 0 };
	enum tf_code rc;

	strike_after(rig.kind, rig.n);
	rc = tf_status_judge(&c, &s, NULL);
	rig.reached = strike_end();
	if (rc == TF_OK)
		check(s.n == 1 && s.word == TF_INCOMPLETE, "judging",
		    "another status", rig.kind, rig.n);
	tf_status_free(&s);
	return rc;
}

static enum tf_code
parse(const char *text, bool good)
{
	struct tf_error err = { .code = TF_OK };
	struct tf_template t;
	enum tf_code rc;

	strike_after(rig.kind, rig.n);
	rc = tf_template_parse(&t, text, strlen(text), &err);
	rig.reached = strike_end();
	(void)snprintf(rig.said, sizeof(rig.said), "%s", err.text);
	check(rc == (good ? TF_OK : TF_INVALID) ||
		(rig.reached && rc == TF_NOMEM),
	    "parsing a template", good ? "refused" : "another answer", rig.kind,
	    rig.n);
	check(rc != TF_OK ||
		(t.n == 2 && t.slots[0].after.n == 2 && t.n_warnings == 2),
	    "parsing a template", "another template", rig.kind, rig.n);
	tf_template_free(&t);
	return rc;
}

#define TEMPLATE                                                          \
	"version: 1\ntrail:\n  attestations:\n    - name: a\n"            \
	"      type: \"custom:x\"\n      x-trailfs: {after: [x.b, no]}\n" \
	"  artifacts:\n    - name: x\n      attestations:\n"              \
	"        - {name: b, type: junit, x-trailfs: {users: []}}\n"

static enum tf_code
parse_template(void)
{
	return parse(TEMPLATE, true);
}

/* Without memory a mistake may be overlooked, but nothing is accepted. */
static enum tf_code
parse_bad_template(void)
{
	enum tf_code rc = parse(TEMPLATE "        - *a\n", false);

	return rc == TF_INVALID ? TF_OK : rc;
}

static enum tf_code
make_template(void)
{
	static const struct tf_str names[] = { { "a", 1 }, { "b", 1 } };
	struct tf_buf out = { 0 };
	enum tf_code rc;

	strike_after(rig.kind, rig.n);
	rc = tf_template_make(names, 2, &out, NULL);
	rig.reached = strike_end();
	check(rc == TF_OK || rc == TF_NOMEM, "making a template", "refused",
	    rig.kind, rig.n);
	tf_buf_free(&out);
	return rc;
}

/* --- judging evidence --------------------------------------------------- */

static const char definition[] =
    "version: 1\nevidence: e.json\n"
    "schema: {type: object, required: [l], properties: {l: {type: array,"
    " items: {type: object, properties: {n: {type: integer}, s: {type:"
    " string, pattern: '^a'}}}}}}\n"
    "requirements:\n- id: r\n  from: l\n  subject_id: n\n  applies_to:\n"
    "  - {operator: present, path: n}\n  checks:\n"
    "  - {operator: matches_any, path: s, patterns: ['b$', 'c$']}\n"
    "  - {operator: any, path: a, check: {operator: equals, value: 1},"
    " substitute: {operator: present, path: [l, {where: {x: 1}}]}}\n";
static const char evidence[] =
    "{\"l\":[{\"n\":1,\"s\":\"ab\",\"a\":[1]},{\"n\":2,\"s\":\"b\",\"a\":[]}]}";
static const char junit[] =
    "<testsuites><testsuite name='a'><testcase name='b'><failure/></testcase>"
    "</testsuite></testsuites>";

static enum tf_code
judge_checks(struct tf_evaluation *e)
{
	struct tf_type *t;
	enum tf_code rc = tf_type_parse(definition, sizeof(definition) - 1, &t,
	    NULL);

	if (rc == TF_OK)
		rc = tf_checks_evaluate(t,
		    (struct tf_str){ evidence, sizeof(evidence) - 1 }, NULL,
		    false, e, NULL);
	tf_type_free(t);
	return rc;
}

static enum tf_code
judge_junit(struct tf_evaluation *e)
{
	const struct tf_judged_file f = { { "r.xml", 5 }, 0, NULL };
	struct tf_junit *j;
	bool read;
	enum tf_code rc = tf_junit_new(&j, NULL);

	if (rc == TF_OK)
		rc = tf_junit_begin(j, &f, &read, NULL);
	if (rc == TF_OK)
		rc = tf_junit_feed(j, junit, sizeof(junit) - 1, NULL);
	if (rc == TF_OK)
		rc = tf_junit_end(j, NULL);
	if (rc == TF_OK)
		rc = tf_junit_report(j, e, NULL);
	tf_junit_free(j);
	return rc;
}

/* Without memory there is no report, or the same one. */
static enum tf_code
    same_report(enum tf_code (*judge_one)(struct tf_evaluation *e))
{
	struct tf_evaluation e = { 0 }, want = { 0 };
	enum tf_code rc;

	MUST(judge_one(&want) == TF_OK);
	strike_after(rig.kind, rig.n);
	rc = judge_one(&e);
	rig.reached = strike_end();
	if (rc == TF_OK)
		check(e.compliant == want.compliant &&
			e.report.n == want.report.n &&
			memcmp(e.report.p, want.report.p, e.report.n) == 0 &&
			e.counts.n == want.counts.n,
		    "judging evidence", "another report", rig.kind, rig.n);
	tf_evaluation_free(&e);
	tf_evaluation_free(&want);
	return rc;
}

static enum tf_code
evaluate_checks(void)
{
	return same_report(judge_checks);
}

static enum tf_code
evaluate_junit(void)
{
	return same_report(judge_junit);
}

/* Without memory it is unknown whether the file is a key. */
static enum tf_code
load(const char *name, bool good)
{
	int fd = open(rig.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct tf_error err = { .code = TF_OK };
	struct tf_key *k = NULL;
	enum tf_code rc;

	MUST(fd >= 0);
	strike_after(rig.kind, rig.n);
	rc = tf_key_load(fd, name, &k, &err);
	rig.reached = strike_end();
	(void)snprintf(rig.said, sizeof(rig.said), "%s", err.text);
	check(rc == (good ? TF_OK : TF_INVALID) ||
		(rig.reached && (rc == TF_NOMEM || rc == TF_IO)),
	    "reading a key", good ? "a key, and accused" : "none, and passed",
	    rig.kind, rig.n);
	tf_key_free(k);
	(void)close(fd);
	return rc;
}

static enum tf_code
load_key(void)
{
	return load("key", true);
}

/* A file that is no key must be refused. */
static enum tf_code
load_other(void)
{
	enum tf_code rc = load("no-key", false);

	return rc == TF_INVALID ? TF_OK : rc;
}

/* What is not done is said. */
static void
strike_call(const char *what, enum tf_code (*call)(void), enum strike kind)
{
	enum tf_code rc;

	rig.kind = kind;
	rig.n = 0;
	do {
		rc = call();
		check(rc == TF_OK || rig.reached, what, "refused", kind, rig.n);
	} while (rig.n++, rig.reached);
	printf("test-nomem: %s %s: %ld places\n", what, struck[kind],
	    rig.n - 1);
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
pack(struct tf_vault *v, const char *path, const char *file)
{
	struct tf_package_request q = { .path = path };
	struct tf_package_made made;
	int fd;

	fd = open(in_rig(file), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	MUST(fd >= 0 && tf_package_write(v, &q, fd, &made, NULL) == TF_OK);
	(void)close(fd);
}

/* A proof of a file, the package that it is in, and one without files. */
static void
make_proof_and_packages(void)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl",
		.moved = true /* a copy */ };
	struct tf_vault *v;
	struct tf_attr a;
	uint64_t files;

	MUST(tf_vault_open(in_rig("store"), &o, &v, NULL) == TF_OK);
	MUST(tf_vault_walk(v, DONE "/short.txt", &a, NULL) == TF_OK);
	MUST(tf_vault_prove(v, a.id, &rig.proof, NULL) == TF_OK);
	pack(v, DONE, "a.zip");
	pack(v, "sealed", "none.zip");
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
	MUST(tf_package_unpack(in_rig("a.zip"), in_rig("out"), &files, NULL) ==
	    TF_OK);
}

static void
change(const char *store, const char *statements)
{
	char path[256];
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/ledger.db", in_rig(store));
	MUST(sqlite3_open(path, &db) == SQLITE_OK);
	MUST(sqlite3_exec(db, statements, NULL, NULL, NULL) == SQLITE_OK);
	MUST(sqlite3_close(db) == SQLITE_OK);
}

/* A store that was written again later: node numbers far apart, attestations
 * repeated, a workflow and a trail of nothing.  older: before that, beside the
 * checkpoint of today. */
static void
make_extended(void)
{
	struct tf_vault_options o = { .program = "trailctl",
		.moved = true /* a copy */,
		.actor = &nobody };
	struct tf_vault *v;
	struct tf_attr a;
	uint64_t t;

	sh("cp -a %s %s", in_rig("store"), in_rig("grown"));
	change("grown", "UPDATE meta SET value = 100000 WHERE key = 'next_id'");
	MUST(tf_vault_open(in_rig("grown"), &o, &v, NULL) == TF_OK);
	t = make_dir(v, TF_ROOT_ID, "empty");
	MUST(tf_vault_seal(v, make_dir(v, t, "w"), &nobody, NULL) == TF_OK);
	MUST(tf_vault_walk(v, "t/w", &a, NULL) == TF_OK);
	(void)make_dir(v, a.id, "other");
	t = make_dir(v, a.id, "a@2");
	(void)make_dir(v, TF_ROOT_ID, "last");
	MUST(tf_vault_seal(v, t, &nobody, NULL) == TF_OK);
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
	sh("cp -a %s %s", in_rig("store"), in_rig("older"));
	sh("cp -f %s/checkpoint %s/", in_rig("grown"), in_rig("older"));
}

/* A store that goes on under a new origin, which an entry hangs on the old. */
static void
make_recovered(void)
{
	struct tf_buf key = { 0 };

	sh("cp -a %s %s", in_rig("older"), in_rig("recovered"));
	MUST(tf_vault_recover(in_rig("recovered"), NULL, &nobody, &key, NULL) ==
	    TF_OK);
	tf_buf_free(&key);
	sh("cp -a %s %s", in_rig("recovered"), in_rig("bad-recovered"));
	change("bad-recovered",
	    "UPDATE node SET mode = 511 WHERE name = x'74'");
}

/* Stores to be recovered: nothing beside them tells of their head; the digests
 * beside the bytes that were flushed are damaged. */
static void
make_lost(void)
{
	sh("cp -a %s %s", in_rig("store"), in_rig("lost-store"));
	sh("rm -f %s/checkpoint", in_rig("lost-store"), NULL);
	change("lost-store",
	    "UPDATE object SET sha256 = zeroblob(32) WHERE id IN"
	    " (SELECT id FROM stage);"
	    "UPDATE stage SET writers = CAST('[0]' AS BLOB)");
}

/* A crash while both files were being written on; this store has a guard. */
static void
make_dirty(void)
{
	sh("cp -a %s %s", in_rig("store"), in_rig("dirty-store"));
	sh("echo guard = %s.guard >>%s/config", rig.copy,
	    in_rig("dirty-store"));
	change("dirty-store", "UPDATE stage SET dirty = 1");
}

/* In the data of the last member.  (Some bits of zip's headers say nothing.) */
static void
flip_last_member(const char *path, struct tf_buf *b)
{
	const char *directory;

	b->n = 0;
	read_file(path, b);
	directory = memmem(b->p, b->n, "PK\001\002", 4);
	MUST(directory != NULL);
	flip(path, directory - b->p - 8);
}

/* The same, altered. */
static void
spoil(void)
{
	struct tf_buf db = { 0 };
	const char *at;
	glob_t g;

	tf_buf_add(&rig.bad_proof, rig.proof.p, rig.proof.n);
	/* In the entry, which the leaf hash covers. */
	rig.bad_proof.p[200] = rig.bad_proof.p[200] == 'A' ? 'B' : 'A';
	sh("cd %s && cp -a store bad-store && cp -a log bad-log &&"
	   " cp -a grown bad-grown &&"
	   " cp -a evidence bad-evidence && cp -a a bad-a &&"
	   " cp a.zip bad.zip && cp none.zip bad-none.zip &&"
	   " chmod -R u+w bad-a && chmod u+w bad.zip bad-none.zip",
	    rig.dir, NULL);
	read_file(in_rig("bad-store/ledger.db"), &db);
	at = memmem(db.p, db.n, "attestation.begun", 17);
	MUST(at != NULL);
	flip(in_rig("bad-store/ledger.db"), at - db.p - 40);
	change("bad-grown",
	    "UPDATE node SET seal = 1 WHERE name = x'6c617374'");
	flip_last_member(in_rig("bad.zip"), &db);
	flip_last_member(in_rig("bad-none.zip"), &db);
	tf_buf_free(&db);
	flip(in_rig("bad-evidence/" DONE "/short.txt"), 0);
	flip(in_rig("bad-a/data/a/short.txt"), 0);
	MUST(glob(in_rig("bad-log/tile/0/000.p/*"), 0, NULL, &g) == 0 &&
	    g.gl_pathc == 1);
	flip(g.gl_pathv[0], 70);
	globfree(&g);
}

static void
set_up(void)
{
	uint64_t tiles;

	strcpy(rig.dir, "/dev/shm/trailfs-nomem.XXXXXX");
	MUST(mkdtemp(rig.dir) != NULL);
	atexit(clean);
	(void)snprintf(rig.copy, sizeof(rig.copy), "%s/copy", rig.dir);
	make_store(in_rig("store"), &rig.vkey);
	read_file(in_rig("store/checkpoint"), &rig.early);
	MUST(export_log(in_rig("store"), in_rig("log"), &tiles, NULL) == TF_OK);
	make_proof_and_packages();
	sh("cd %s && mv out/* a && mkdir -p evidence/t/w &&"
	   " cp -a a/data/a evidence/" DONE,
	    rig.dir, NULL);
	make_extended();
	make_recovered();
	spoil();
	make_dirty();
	make_lost();
	MUST(tf_key_from_seed((const uint8_t[32]){ 7 }, &rig.key, NULL) ==
	    TF_OK);
	MUST(tf_key_save(rig.key, AT_FDCWD, in_rig("key"), NULL) == TF_OK);
	/* The decoders look at it, too. */
	sh("sed 2s/MC/MA/ %s >%s", in_rig("key"), in_rig("no-key"));
	sh("chmod 0400 %s", in_rig("no-key"), NULL);
}

/* Every place without memory, and in a short run some of the others. */
static void
strike_work(enum strike kind)
{
	struct work_result r = work_strike(rig.dir, kind,
	    kind == STRIKE_MEMORY || getenv("TRAILFS_LONG") != NULL ? 1 : 7);

	rig.checks += r.checks;
	rig.failures += r.failures;
}

/* --- encryption --------------------------------------------------------- */

#define AGE_RECIPIENT \
	"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
#define AGE_IDENTITY                                                             \
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4E" \
	"GAEX\n"

static char age_text[100000];

static enum tf_code
put_bytes(void *arg, const void *p, size_t n, struct tf_error *err)
{
	tf_buf_add(arg, p, n);
	return tf_buf_end(arg, err);
}

static enum tf_code
get_bytes(void *arg, void *p, size_t n, size_t *got, struct tf_error *err)
{
	struct tf_str *rest = arg;

	(void)err;
	*got = n < rest->n ? n : rest->n;
	memcpy(p, rest->p, *got);
	rest->p += *got;
	rest->n -= *got;
	return TF_OK;
}

static enum tf_code
encrypt(struct tf_buf *out, struct tf_error *err)
{
	struct tf_age_writer *w = NULL;
	struct tf_recipients r;
	enum tf_code rc;

	if ((rc = tf_recipients_parse(AGE_RECIPIENT, strlen(AGE_RECIPIENT), &r,
		 err)) != TF_OK)
		return rc;
	if ((rc = tf_age_writer_new(&r, put_bytes, out, &w, err)) == TF_OK &&
	    (rc = tf_age_writer_add(w, age_text, sizeof(age_text), err)) ==
		TF_OK)
		rc = tf_age_writer_end(w, err);
	tf_age_writer_free(w);
	tf_recipients_free(&r);
	return rc;
}

/* A lack of memory is never reported as anything else. */
static enum tf_code
encrypt_file(void)
{
	struct tf_error err = { 0 };
	struct tf_buf b = { 0 };
	enum tf_code rc;

	strike_after(rig.kind, rig.n);
	rc = encrypt(&b, &err);
	rig.reached = strike_end();
	check(rc == TF_OK || rc == TF_NOMEM, "encrypting",
	    "another error than no memory", rig.kind, rig.n);
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
decrypt(const struct tf_identities *ids, struct tf_str file, size_t *got,
    struct tf_error *err)
{
	struct tf_age_reader *r = NULL;
	const uint8_t *p;
	enum tf_code rc;
	size_t n = 1;

	rc = tf_age_reader_new(ids, get_bytes, &file, &r, err);
	for (*got = 0; rc == TF_OK && n > 0; *got += n)
		rc = tf_age_reader_next(r, &p, &n, err);
	tf_age_reader_free(r);
	return rc;
}

/* Whole, it is opened or memory is missing; altered, it is never opened. */
static enum tf_code
decrypt_file(void)
{
	struct tf_identities *ids;
	struct tf_error err = { 0 };
	struct tf_buf b = { 0 };
	enum tf_code rc, bad;
	size_t got;
	int fd[2];

	MUST(pipe(fd) == 0);
	MUST(write(fd[1], AGE_IDENTITY, strlen(AGE_IDENTITY)) ==
	    (ssize_t)strlen(AGE_IDENTITY));
	MUST(close(fd[1]) == 0);
	MUST(tf_identities_new(&ids, NULL) == TF_OK);
	MUST(tf_identities_add(ids, fd[0], NULL) == TF_OK);
	MUST(close(fd[0]) == 0);
	MUST(encrypt(&b, NULL) == TF_OK);
	strike_after(rig.kind, rig.n);
	rc = decrypt(ids, tf_buf_bytes(&b), &got, &err);
	rig.reached = strike_end();
	check((rc == TF_OK && got == sizeof(age_text)) || rc == TF_NOMEM,
	    "decrypting", "another error than no memory", rig.kind, rig.n);
	b.p[b.n - 1] ^= 1;
	strike_after(rig.kind, rig.n);
	bad = decrypt(ids, tf_buf_bytes(&b), &got, &err);
	(void)strike_end();
	check((bad == TF_TAMPER || bad == TF_NOMEM) && got <= 65536,
	    "decrypting", "altered, and opened", rig.kind, rig.n);
	tf_identities_free(ids);
	tf_buf_free(&b);
	return rc;
}

/* The key of a chunk is derived for each. */
static enum tf_code
stage_chunk(void)
{
	uint8_t sealed[100 + TF_STAGE_ADDED], wrapped[TF_WRAPPED_KEY_LEN];
	struct tf_staged_key *k = NULL, *again = NULL;
	static struct tf_stage_key *stage;
	struct tf_error err = { 0 };
	enum tf_code rc;
	int dir;

	if (stage == NULL) {
		MUST((dir = open(rig.dir, O_RDONLY | O_DIRECTORY)) >= 0);
		MUST(tf_stage_key_create(dir, "stage.key", &stage, NULL) ==
		    TF_OK);
		MUST(close(dir) == 0);
	}
	strike_after(rig.kind, rig.n);
	if ((rc = tf_staged_key_new(7, &k, &err)) == TF_OK &&
	    (rc = tf_staged_key_wrap(k, stage, wrapped, &err)) == TF_OK &&
	    (rc = tf_staged_key_unwrap(wrapped, 7, stage, &again, &err)) ==
		TF_OK &&
	    (rc = tf_staged_seal(k, 1, age_text, 100, sealed, &err)) == TF_OK)
		rc = tf_staged_open(again, 1, sealed, sizeof(sealed), age_text,
		    &err);
	rig.reached = strike_end();
	check(rc == TF_OK || rc == TF_NOMEM, "staging",
	    "another error than no memory", rig.kind, rig.n);
	tf_staged_key_free(k);
	tf_staged_key_free(again);
	return rc;
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	strike_begin();
	set_up();
	for (enum strike k = STRIKE_MEMORY; k < STRIKES; k++) {
		for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects);
		     i++)
			strike_each(&subjects[i], k);
		strike_call("signing", sign, k);
		strike_call("judging", judge, k);
		strike_call("parsing a template", parse_template, k);
		strike_call("parsing no template", parse_bad_template, k);
		strike_call("making a template", make_template, k);
		strike_call("judging by a type", evaluate_checks, k);
		strike_call("judging JUnit reports", evaluate_junit, k);
		strike_call("reading a key", load_key, k);
		strike_call("reading what is no key", load_other, k);
		strike_call("encrypting", encrypt_file, k);
		strike_call("decrypting", decrypt_file, k);
		strike_call("sealing a chunk", stage_chunk, k);
		strike_recovery(k, "store", true);
		if (k == STRIKE_CRYPTO)
			break;
		strike_call("renewing", renew, k);
		strike_recovery(k, "dirty-store", false);
		strike_recovery(k, "lost-store", true);
		strike_work(k);
	}
	rig.checks += PRICES;
	rig.failures += price(in_rig("store"));
	tf_key_free(rig.key);
	tf_buf_free(&rig.vkey);
	tf_buf_free(&rig.early);
	tf_buf_free(&rig.proof);
	tf_buf_free(&rig.bad_proof);
	printf("%u%%: Checks: %u, Failures: %u, Errors: 0\n",
	    rig.failures == 0 ? 100 : 99, rig.checks, rig.failures);
	return rig.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
