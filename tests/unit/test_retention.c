/* Retention and holds: periods, who may set them, and what they protect. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../../core/base/time_text.h"
#include "../../core/commit/committer_i.h"
#include "../../core/ledger/retention.h"
#include "../../core/node/base.h"
#include "../../core/node/protection.h"
#include "../../core/node/vault_i.h"
#include "../../core/protection.h"
#include "../../core/base/file.h"
#include "../../core/store/clean_pages.h"
#include "../../core/store/meta.h"
#include "../../core/store/nodes.h"
#include "../../core/store/objects.h"
#include "../../core/store/sql.h"
#include "../../core/vault.h"
#include "../../core/verify.h"
#include "own_store.h"
#include "spoil.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* --- periods ---------------------------------------------------------------- */

static struct tf_time
at(const char *text)
{
	struct tf_time t;

	ck_assert_msg(tf_protection_time(text, &t), "%s", text);
	return t;
}

static const struct {
	const char *period;
	const char *start, *end; /* NULL: no period */
} periods[] = {
	{ "7y", "2026-11-29T10:00:00Z", "2033-11-29T10:00:00Z" },
	{ "1y", "2024-02-29", "2025-02-28" },
	{ "4y", "2024-02-29", "2028-02-29" },
	{ "1m", "2026-01-31", "2026-02-28" },
	{ "1m", "2026-12-31", "2027-01-31" },
	{ "13m", "2026-12-15", "2028-01-15" },
	{ "18m", "2026-08-31", "2028-02-29" },
	{ "1d", "2026-12-31T23:59:59Z", "2027-01-01T23:59:59Z" },
	{ "2w", "2028-02-20", "2028-03-05" },
	{ "1000y", "2026-11-29", "3026-11-29" },
	{ "1000y", "9026-11-29", "9999-12-31T23:59:59.999999999Z" },
	{ "366000d", "9500-01-01", "9999-12-31T23:59:59.999999999Z" },
	{ "0d", NULL, NULL },
	{ "0y", NULL, NULL },
	{ "07y", NULL, NULL },
	{ "-7y", NULL, NULL },
	{ "+7y", NULL, NULL },
	{ " 7y", NULL, NULL },
	{ "7 y", NULL, NULL },
	{ "7", NULL, NULL },
	{ "y", NULL, NULL },
	{ "", NULL, NULL },
	{ "7Y", NULL, NULL },
	{ "7h", NULL, NULL },
	{ "7y6m", NULL, NULL },
	{ "1001y", NULL, NULL },
	{ "99999y", NULL, NULL },
	{ "12001m", NULL, NULL },
	{ "366001d", NULL, NULL },
	{ "18446744073709551623d", NULL, NULL },
	{ "1.5y", NULL, NULL },
};

START_TEST(a_period_ends_by_the_calendar)
{
	struct tf_retention r = { 0 };
	struct tf_time end, want;
	bool is = tf_period_parse(periods[_i].period,
	    strlen(periods[_i].period), &r);

	ck_assert_msg(is == (periods[_i].end != NULL), "%s",
	    periods[_i].period);
	if (!is) {
		ck_assert(tf_retention_is_none(&r));
		return;
	}
	want = at(periods[_i].end);
	ck_assert(tf_retention_end(&r, at(periods[_i].start), &end));
	ck_assert_int_eq(want.s, end.s);
	ck_assert_uint_eq(want.ns, end.ns);
}
END_TEST

START_TEST(the_latest_end_of_all_counts)
{
	struct tf_retention sum = { 0 }, r = { 0 };
	struct tf_time start = at("2026-01-01"), end;

	ck_assert(tf_retention_is_none(&sum));
	ck_assert(tf_period_parse("1y", 2, &r));
	tf_retention_add(&sum, &r);
	r = (struct tf_retention){ .has_until = true,
		.until = at("2026-06-01") };
	tf_retention_add(&sum, &r);
	ck_assert(tf_retention_end(&sum, start, &end));
	ck_assert_int_eq(at("2027-01-01").s, end.s);
	r = (struct tf_retention){ 0 };
	ck_assert(tf_period_parse("400d", 4, &r));
	tf_retention_add(&sum, &r);
	ck_assert(tf_retention_end(&sum, start, &end));
	ck_assert_int_eq(at("2027-02-05").s, end.s);
	r = (struct tf_retention){ .never = true };
	tf_retention_add(&sum, &r);
	ck_assert(!tf_retention_end(&sum, start, &end));
	ck_assert_uint_eq(12, sum.months);
}
END_TEST

/* --- a vault ----------------------------------------------------------------- */

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static const struct tf_actor alice = { .uid = 71000,
	.gid = 1000,
	.loginuid = -1,
	.session = -1 };
static const struct tf_actor bob = { .uid = 71001,
	.gid = 1001,
	.loginuid = -1,
	.session = -1 };
static struct tf_vault *v;

static void
open_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };

	OK(tf_vault_open("store", &o, &v, NULL));
}

static uint64_t
id_of(const char *path)
{
	struct tf_attr a;

	OK(tf_vault_walk(v, path, &a, NULL));
	return a.id;
}

static void
make_dir(const char *parent, const char *name, const struct tf_actor *who)
{
	struct tf_attr a;

	OK(tf_vault_mkdir(v, id_of(parent), name, 0755, who, &a, NULL));
}

static void
make_file(const char *parent, const char *name)
{
	struct tf_file *f;
	struct tf_attr a;

	OK(tf_vault_create(v, id_of(parent), name, 0644, &alice, &a, &f, NULL));
	OK(tf_file_write_at(f, name, strlen(name), 0, false, NULL));
	OK(tf_file_close(v, f, NULL));
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, NULL));
}

/* Trails t and u, which alice owns; in t the workflows w with a and b, and x. */
static void
make_vault(void)
{
	own_store_make("kept", &root);
	open_vault();
	make_dir(".", "t", &alice);
	make_dir(".", "u", &alice);
	make_dir("t", "w", &alice);
	make_dir("t", "x", &alice);
	make_dir("t/w", "a", &bob);
	make_dir("t/w", "b", &bob);
	make_file("t/w/a", "f");
	make_dir("t/w/a", "d", &bob);
	make_file("t/w/a/d", "g");
}

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	ck_abort_msg("%s: %s", f->path, f->text);
}

static void
remove_vault(void)
{
	struct tf_verify how = { .found = found, .threads = 1 };
	struct tf_report r = { .entries = 0 };

	OK(tf_vault_close(v, "done", NULL));
	OK(tf_verify_store("store", &how, &r, NULL));
	ck_assert_uint_eq(0, r.findings + r.unknown);
	own_store_remove();
}

static uint64_t
entries(void)
{
	uint64_t n, bytes;

	OK(tf_vault_size(v, &n, &bytes, NULL));
	return n;
}

static enum tf_code
retain(const char *path, const char *json, const struct tf_actor *who)
{
	return tf_vault_retain_json(v, id_of(path), json, strlen(json), who,
	    NULL);
}

static enum tf_code
hold(const char *path, const char *json, const struct tf_actor *who)
{
	return tf_vault_hold_json(v, id_of(path), json, strlen(json), who,
	    NULL);
}

static void
place_hold(const char *path, const char *name)
{
	OK(tf_vault_hold(v, id_of(path), true, name, "why", 3, &root, NULL));
}

static void
release_hold(const char *path, const char *name)
{
	OK(tf_vault_hold(v, id_of(path), false, name, "why", 3, &root, NULL));
}

static struct tf_protection
protection(const char *path)
{
	struct tf_protection p;

	OK(tf_vault_protection(v, path, &p, NULL));
	return p;
}

/* Of the node at path, at another time than now. */
static struct tf_protection
protection_at(const char *path, struct tf_time now)
{
	struct tf_protection p;
	struct tf_db *db;

	OK(tf_reader_db(v, &db, NULL));
	OK(tf_protected(db, id_of(path), now, &p, NULL));
	tf_reader_done(v, db);
	return p;
}

static struct tf_time
years_from_now(int years)
{
	struct tf_time t = tf_protection_now();

	t.s += (int64_t)years * 366 * 86400;
	return t;
}

/* Which holds reach which paths: what is set there, above and below. */
static const struct {
	const char *set[3], *path, *newest;
	unsigned holds;
} reaches[] = {
	{ { NULL }, "t/w/a/f", "", 0 },
	{ { "." }, "t/w/a/d/g", "h0", 1 },
	{ { "." }, "u", "h0", 1 },
	{ { "t" }, "t/w/a/d/g", "h0", 1 },
	{ { "t" }, "t/x", "h0", 1 },
	{ { "t" }, ".", "h0", 1 },
	{ { "t" }, "u", "", 0 },
	{ { "t/w" }, "t/w/a/d", "h0", 1 },
	{ { "t/w" }, "t", "h0", 1 },
	{ { "t/w" }, "t/x", "", 0 },
	{ { "t/w/a" }, "t/w/a/f", "h0", 1 },
	{ { "t/w/a" }, "t/w/b", "", 0 },
	{ { "t/w/a" }, "t/w", "h0", 1 },
	{ { "t", "t/w", "t/w/a" }, "t/w/a/f", "h2", 3 },
	{ { "t", "t/w", "t/w/a" }, "t/w/b", "h1", 2 },
	{ { "t", "t/w", "t/w/a" }, "t/x", "h0", 1 },
	{ { "t/w/a", "t", "t/w/b" }, "t/w", "h2", 3 },
	{ { "t", "t", "t" }, "t/w", "h2", 3 },
};

START_TEST(a_hold_protects_all_below_until_the_last_is_released)
{
	struct tf_protection p;
	char name[8];
	unsigned n = 0;

	for (; n < LEN(reaches[_i].set) && reaches[_i].set[n] != NULL; n++) {
		(void)snprintf(name, sizeof(name), "h%u", n);
		place_hold(reaches[_i].set[n], name);
	}
	p = protection(reaches[_i].path);
	ck_assert_uint_eq(reaches[_i].holds, p.holds);
	ck_assert_str_eq(reaches[_i].newest, p.hold);
	ck_assert_int_eq(reaches[_i].holds > 0, p.is_protected);
	ck_assert_int_eq(TF_KEPT_NOT, p.kept);
	if (p.holds > 0)
		ck_assert_uint_lt(p.hold_entry, entries());
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "h%u", i);
		release_hold(reaches[_i].set[i], name);
	}
	p = protection(reaches[_i].path);
	ck_assert_uint_eq(0, p.holds);
	ck_assert(!p.is_protected);
}
END_TEST

/* Requests: retention on that path, what is sealed, and the answer for a path,
 * now and in years. */
static const struct {
	const char *on, *json, *on_2, *json_2, *sealed, *path;
	enum tf_kept now;
	int years;
	enum tf_kept then;
} keeps[] = {
	{ "t", "{\"for\":\"7y\"}", NULL, NULL, NULL, "t/w/a/f", TF_KEPT_OPEN,
	    20, TF_KEPT_OPEN },
	{ "t", "{\"for\":\"7y\"}", NULL, NULL, "t/w/a", "t/w/a/f",
	    TF_KEPT_UNTIL, 8, TF_KEPT_OVER },
	{ "t", "{\"for\":\"7y\"}", NULL, NULL, "t/w/a", "t/w/a/d/g",
	    TF_KEPT_UNTIL, 6, TF_KEPT_UNTIL },
	/* The workflow is open, so something in it may come. */
	{ "t", "{\"for\":\"7y\"}", NULL, NULL, "t/w/a", "t/w", TF_KEPT_OPEN, 8,
	    TF_KEPT_OPEN },
	{ "t", "{\"for\":\"7y\"}", NULL, NULL, "t/w", "t/w", TF_KEPT_UNTIL, 8,
	    TF_KEPT_OVER },
	{ "t", "{\"for\":\"7y\"}", NULL, NULL, "t/w", "t", TF_KEPT_OPEN, 8,
	    TF_KEPT_OPEN },
	/* A sealed trail with an open workflow is not whole. */
	{ "t", "{\"for\":\"7y\"}", NULL, NULL, "t", "t", TF_KEPT_OPEN, 8,
	    TF_KEPT_OPEN },
	{ "u", "{\"for\":\"7y\"}", NULL, NULL, "u", "u", TF_KEPT_UNTIL, 8,
	    TF_KEPT_OVER },
	{ "u", "{\"for\":\"7y\"}", NULL, NULL, "u", "t/w", TF_KEPT_NOT, 8,
	    TF_KEPT_NOT },
	/* A time needs no seal. */
	{ "t/w", "{\"until\":\"2200-01-01\"}", NULL, NULL, NULL, "t/w/a/f",
	    TF_KEPT_UNTIL, 200, TF_KEPT_OVER },
	{ "t/w/a", "{\"mode\":\"never\"}", NULL, NULL, "t/w/a", "t/w/a/f",
	    TF_KEPT_FOREVER, 900, TF_KEPT_FOREVER },
	{ "t/w/a", "{\"for\":\"1y\",\"mode\":\"never\"}", NULL, NULL, "t/w/a",
	    "t/w/a", TF_KEPT_FOREVER, 900, TF_KEPT_FOREVER },
	/* Of two the later end counts, wherever each is set. */
	{ "t", "{\"for\":\"1y\"}", "t/w/a", "{\"for\":\"5y\"}", "t/w/a",
	    "t/w/a/f", TF_KEPT_UNTIL, 3, TF_KEPT_UNTIL },
	{ "t/w/a", "{\"for\":\"1y\"}", "t", "{\"for\":\"5y\"}", "t/w/a",
	    "t/w/a/f", TF_KEPT_UNTIL, 3, TF_KEPT_UNTIL },
	{ "t/w/a", "{\"for\":\"1y\"}", "t", "{\"for\":\"5y\"}", "t/w/a",
	    "t/w/a/f", TF_KEPT_UNTIL, 6, TF_KEPT_OVER },
	/* What is kept below protects the whole. */
	{ "t/w/a", "{\"for\":\"9y\"}", NULL, NULL, "t/w", "t/w", TF_KEPT_UNTIL,
	    8, TF_KEPT_UNTIL },
	/* It counts from the seal of what it is set on. */
	{ "t/w/a", "{\"for\":\"9y\"}", NULL, NULL, "t/w/a", "t/w",
	    TF_KEPT_UNTIL, 10, TF_KEPT_OVER },
	{ "t/w/a", "{\"for\":\"9y\"}", NULL, NULL, NULL, ".", TF_KEPT_OPEN, 8,
	    TF_KEPT_OPEN },
	{ "t/w/a", "{\"for\":\"9y\"}", NULL, NULL, "t/w", "t/w/b", TF_KEPT_NOT,
	    8, TF_KEPT_NOT },
};

START_TEST(a_retention_keeps_all_below_from_its_seal)
{
	struct tf_protection p;

	OK(retain(keeps[_i].on, keeps[_i].json, &root));
	if (keeps[_i].on_2 != NULL)
		OK(retain(keeps[_i].on_2, keeps[_i].json_2, &root));
	if (keeps[_i].sealed != NULL)
		OK(tf_vault_seal(v, id_of(keeps[_i].sealed), &root, NULL));
	p = protection(keeps[_i].path);
	ck_assert_int_eq(keeps[_i].now, p.kept);
	ck_assert_int_eq(p.kept > TF_KEPT_OVER, p.is_protected);
	p = protection_at(keeps[_i].path, years_from_now(keeps[_i].years));
	ck_assert_int_eq(keeps[_i].then, p.kept);
	ck_assert_int_eq(p.kept > TF_KEPT_OVER, p.is_protected);
	/* A clock that was set back ends nothing. */
	p = protection_at(keeps[_i].path, (struct tf_time){ 0, 0 });
	ck_assert_int_eq(keeps[_i].now, p.kept);
	if (p.kept != TF_KEPT_NOT)
		ck_assert_uint_lt(p.kept_entry, entries());
}
END_TEST

/* Requests that are refused, after {"for":"7y"} on the trail. */
static const struct {
	const char *path, *json;
	const struct tf_actor *who;
	enum tf_code rc;
} refused[] = {
	{ "t", "{\"for\":\"0d\"}", &root, TF_INVALID },
	{ "t", "{\"for\":\"99999y\"}", &root, TF_INVALID },
	{ "t", "{\"for\":\"6y\"}", &root, TF_DENIED },
	{ "t", "{\"for\":\"83m\"}", &root, TF_DENIED },
	{ "t", "{\"for\":\"30d\"}", &root, TF_DENIED },
	{ "t", "{\"until\":\"2001-01-01\"}", &root, TF_INVALID },
	{ "t", "{\"until\":\"2030-01-01\"}", &root, TF_DENIED },
	{ "t", "{\"until\":\"tomorrow\"}", &root, TF_INVALID },
	{ "t", "{\"until\":\"2200-02-30\"}", &root, TF_INVALID },
	{ "t", "{}", &root, TF_INVALID },
	{ "t", "", &root, TF_INVALID },
	{ "t", "[]", &root, TF_INVALID },
	{ "t", "7y", &root, TF_INVALID },
	{ "t", "{\"for\":7}", &root, TF_INVALID },
	{ "t", "{\"for\":\"8y\",\"fro\":\"9y\"}", &root, TF_INVALID },
	{ "t", "{\"mode\":\"governance\"}", &root, TF_INVALID },
	{ "t", "{\"for\":\"8y\",\"mode\":\"none\"}", &root, TF_INVALID },
	{ "t", "{\"for\":\"8y\",\"rule\":\"r\"}", &root, TF_INVALID },
	{ "t", "{\"for\":\"8y\",\"rule\":{}}", &root, TF_INVALID },
	{ "t", "{\"for\":\"8y\",\"rule\":{\"id\":\"a/b\"}}", &root,
	    TF_INVALID },
	{ "t", "{\"for\":\"8y\",\"rule\":{\"id\":\"r\",\"sha256\":\"00\"}}",
	    &root, TF_INVALID },
	{ "t", "{\"for\":\"8y\",\"rule\":{\"sha256\":\"00\"}}", &root,
	    TF_INVALID },
	{ "t", "{\"for\":\"8y\"}", &bob, TF_DENIED },
	/* Bob owns the attestation, and alice the trail. */
	{ "t/w/a", "{\"for\":\"8y\"}", &bob, TF_DENIED },
	{ ".", "{\"for\":\"8y\"}", &root, TF_UNSUPPORTED },
	{ "t/w/a/d", "{\"for\":\"8y\"}", &root, TF_UNSUPPORTED },
	{ "t/w/a/f", "{\"for\":\"8y\"}", &root, TF_UNSUPPORTED },
	{ "t/w/.draft", "{\"for\":\"8y\"}", &root, TF_BUSY },
};

START_TEST(a_wrong_retention_is_refused)
{
	uint64_t before;

	make_dir("t/w", ".draft", &bob);
	OK(retain("t", "{\"for\":\"7y\"}", &alice));
	before = entries();
	ck_assert_msg(refused[_i].rc ==
		retain(refused[_i].path, refused[_i].json, refused[_i].who),
	    "%s", refused[_i].json);
	ck_assert_uint_eq(before, entries());
}
END_TEST

START_TEST(a_retention_grows_and_is_said_once)
{
	uint64_t before;

	OK(retain("t", "{\"for\":\"7y\",\"rule\":{\"id\":\"r\"}}", &alice));
	before = entries();
	OK(retain("t", "{\"for\":\"7y\",\"rule\":{\"id\":\"r\"}}", &alice));
	ck_assert_uint_eq(before, entries());
	OK(retain("t", "{\"for\":\"7y\",\"rule\":{\"id\":\"s\"}}", &alice));
	OK(retain("t", "{\"for\":\"84m\"}", &alice));
	OK(retain("t", "{\"for\":\"8y\"}", &alice));
	OK(retain("t", "{\"until\":\"2300-01-01\"}", &alice));
	OK(retain("t", "{\"mode\":\"never\"}", &root));
	ck_assert_uint_eq(before + 5, entries());
	ck_assert_int_eq(TF_DENIED, retain("t", "{\"for\":\"900y\"}", &root));
	/* After a restart, and on what is sealed. */
	OK(tf_vault_close(v, "done", NULL));
	open_vault();
	ck_assert_int_eq(TF_KEPT_FOREVER, protection("t/w/a/f").kept);
	OK(tf_vault_seal(v, id_of("t/w"), &root, NULL));
	OK(retain("t/w", "{\"for\":\"1d\"}", &alice));
	ck_assert_int_eq(TF_DENIED, retain("t", "{\"for\":\"901y\"}", &root));
}
END_TEST

/* Requests that are refused while the hold "case" stands on t. */
static const struct {
	const char *path, *json;
	const struct tf_actor *who;
	enum tf_code rc;
} no_holds[] = {
	{ "t", "{\"place\":\"case\",\"reason\":\"r\"}", &root, TF_EXISTS },
	{ "t", "{\"release\":\"other\",\"reason\":\"r\"}", &root, TF_NODATA },
	{ "t/w", "{\"release\":\"case\",\"reason\":\"r\"}", &root, TF_NODATA },
	{ "t", "{\"place\":\"a/b\",\"reason\":\"r\"}", &root, TF_INVALID },
	{ "t", "{\"place\":\"../x\",\"reason\":\"r\"}", &root, TF_INVALID },
	{ "t", "{\"place\":\"-x\",\"reason\":\"r\"}", &root, TF_INVALID },
	{ "t", "{\"place\":\"a b\",\"reason\":\"r\"}", &root, TF_INVALID },
	{ "t", "{\"place\":\"\",\"reason\":\"r\"}", &root, TF_INVALID },
	{ "t", "{\"place\":\"x\\u0000y\",\"reason\":\"r\"}", &root,
	    TF_INVALID },
	{ "t", "{\"place\":\"x\"}", &root, TF_INVALID },
	{ "t", "{\"place\":\"x\",\"reason\":\"\"}", &root, TF_INVALID },
	{ "t", "{\"place\":\"x\",\"reason\":7}", &root, TF_INVALID },
	{ "t", "{\"place\":\"x\",\"reason\":\"\\u0007\"}", &root, TF_INVALID },
	{ "t", "{\"place\":\"x\",\"release\":\"x\",\"reason\":\"r\"}", &root,
	    TF_INVALID },
	{ "t", "{\"place\":\"x\",\"reason\":\"r\",\"for\":\"7y\"}", &root,
	    TF_INVALID },
	{ "t", "{\"reason\":\"r\"}", &root, TF_INVALID },
	{ "t", "place x", &root, TF_INVALID },
	{ "t", "{\"place\":\"x\",\"reason\":\"r\"}", &bob, TF_DENIED },
	{ "t", "{\"release\":\"case\",\"reason\":\"r\"}", &bob, TF_DENIED },
	{ "t/w/a", "{\"place\":\"x\",\"reason\":\"r\"}", &bob, TF_DENIED },
	{ ".", "{\"place\":\"x\",\"reason\":\"r\"}", &alice, TF_DENIED },
	{ "t/w/a/f", "{\"place\":\"x\",\"reason\":\"r\"}", &root,
	    TF_UNSUPPORTED },
	{ "t/w/.draft", "{\"place\":\"x\",\"reason\":\"r\"}", &root, TF_BUSY },
};

START_TEST(a_wrong_hold_is_refused)
{
	uint64_t before;

	make_dir("t/w", ".draft", &bob);
	place_hold("t", "case");
	before = entries();
	ck_assert_msg(no_holds[_i].rc ==
		hold(no_holds[_i].path, no_holds[_i].json, no_holds[_i].who),
	    "%s", no_holds[_i].json);
	ck_assert_uint_eq(before, entries());
	ck_assert_uint_eq(1, protection("t/w/a/f").holds);
}
END_TEST

START_TEST(a_reason_has_its_limit)
{
	char name[TF_HOLD_NAME_MAX + 2], reason[2050];

	memset(reason, 'r', sizeof(reason));
	memset(name, 'n', sizeof(name));
	name[TF_HOLD_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(TF_INVALID,
	    tf_vault_hold(v, id_of("t"), true, name, "r", 1, &root, NULL));
	name[TF_HOLD_NAME_MAX] = '\0';
	ck_assert_int_eq(TF_TOOBIG,
	    tf_vault_hold(v, id_of("t"), true, name, reason, 2049, &root,
		NULL));
	OK(tf_vault_hold(v, id_of("t"), true, name, reason, 2048, &alice,
	    NULL));
	ck_assert_str_eq(name, protection("t").hold);
	OK(tf_vault_hold(v, id_of("t"), false, name, reason, 2048, &alice,
	    NULL));
	/* It may be placed again. */
	OK(tf_vault_hold(v, id_of("t"), true, name, "r", 1, &alice, NULL));
	ck_assert_uint_eq(1, protection("t").holds);
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_vault_protection(v, "t/nowhere", &(struct tf_protection){ 0 },
		NULL));
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_vault_hold(v, 999999, true, "x", "r", 1, &root, NULL));
}
END_TEST

/* What is in no ledger yet is as protected as its directory. */
START_TEST(a_draft_is_protected_as_its_directory)
{
	make_dir("t/w", ".draft", &bob);
	place_hold("t/w", "case");
	ck_assert_uint_eq(1, protection("t/w/.draft").holds);
}
END_TEST

/* A refusal names what protects, a hold before a retention. */
START_TEST(a_refusal_says_what_protects)
{
	struct tf_error err = { 0 };
	struct tf_db *db;
	uint64_t id = id_of("t/w/a/f");

	OK(tf_reader_db(v, &db, NULL));
	OK(tf_refuse_protected(db, id, tf_protection_now(), &err));
	OK(retain("t", "{\"for\":\"7y\"}", &root));
	ck_assert_int_eq(TF_DENIED,
	    tf_refuse_protected(db, id, tf_protection_now(), &err));
	ck_assert_ptr_nonnull(strstr(err.text, "begins with its seal"));
	OK(tf_vault_seal(v, id_of("t/w/a"), &root, NULL));
	ck_assert_int_eq(TF_DENIED,
	    tf_refuse_protected(db, id, tf_protection_now(), &err));
	ck_assert_ptr_nonnull(strstr(err.text, "it is kept until 20"));
	OK(tf_refuse_protected(db, id, years_from_now(8), &err));
	OK(retain("t/w/a", "{\"mode\":\"never\"}", &root));
	ck_assert_int_eq(TF_DENIED,
	    tf_refuse_protected(db, id, years_from_now(8), &err));
	ck_assert_ptr_nonnull(strstr(err.text, "it is kept for ever"));
	place_hold("t", "case-17");
	ck_assert_int_eq(TF_DENIED,
	    tf_refuse_protected(db, id, years_from_now(8), &err));
	ck_assert_ptr_nonnull(strstr(err.text, "the hold case-17 protects it"));
	tf_reader_done(v, db);
}
END_TEST

/* --- redactions -------------------------------------------------------------- */

static uint64_t
propose(const char *path)
{
	uint64_t seq;

	OK(tf_vault_redact(v, id_of(path), false, "why", 3, &root, &seq, NULL));
	return seq;
}

static enum tf_code
approve(const char *path, uint64_t seq, uint64_t *others)
{
	return tf_vault_redact_approve(v, id_of(path), seq, &alice, others,
	    NULL);
}

static int
count_step(void *arg)
{
	++*(long *)arg;
	return 0;
}

/* Approve a redaction; returns the steps of SQL that other writers wait for. */
static long
steps_of_approval(const char *path)
{
	uint64_t seq = propose(path), others;
	long steps = 0;

	sqlite3_progress_handler(v->commit->db->sq, 1, count_step, &steps);
	OK(approve(path, seq, &others));
	sqlite3_progress_handler(v->commit->db->sq, 0, NULL, NULL);
	ck_assert_uint_eq(0, others);
	return steps;
}

START_TEST(writers_wait_for_no_search_through_the_ledger)
{
	long few, many;
	char name[16];

	OK(tf_vault_seal(v, id_of("t/w/a"), &root, NULL));
	few = steps_of_approval("t/w/a/f");
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		make_dir("u", name, &alice);
	}
	many = steps_of_approval("t/w/a/d/g");
	ck_assert_int_gt(few, 50);
	ck_assert_int_lt(many, few + 300);
}
END_TEST

/* A store that a program without clean pages made. */
START_TEST(the_first_redaction_cleans_the_pages_of_a_store)
{
	struct tf_buf b = { 0 };
	uint64_t others;

	OK(tf_vault_seal(v, id_of("t/w/a"), &root, NULL));
	OK(tf_meta_set_int(v->commit->db, TF_META_CLEAN, 0, NULL));
	OK(tf_vault_close(v, "done", NULL));
	ck_assert_uint_gt(spoil_pages("store/" TF_DB_NAME, "left over"), 5);
	open_vault();
	OK(approve("t/w/a/f", propose("t/w/a/f"), &others));
	OK(tf_vault_close(v, "done", NULL));
	OK(tf_file_read(AT_FDCWD, "store/" TF_DB_NAME, SIZE_MAX, &b, NULL));
	ck_assert_ptr_null(memmem(b.p, b.n, "left over", 9));
	tf_buf_free(&b);
	open_vault();
}
END_TEST

struct approval {
	const char *path;
	uint64_t seq, others;
	pthread_t thread;
};

static void *
run_approval(void *arg)
{
	struct approval *a = arg;

	OK(approve(a->path, a->seq, &a->others));
	return NULL;
}

/* Each finds the other before it is approved; the second must see the first. */
START_TEST(two_approvals_at_once_leave_no_bytes_between_them)
{
	struct approval a[2] = { { .path = "t/w/a/same" },
		{ .path = "t/w/a/d/same" } };
	struct tf_object_row o;
	struct tf_node_row row;
	struct tf_db *db;

	make_file("t/w/a", "same");
	make_file("t/w/a/d", "same");
	OK(tf_vault_seal(v, id_of("t/w/a"), &root, NULL));
	for (int i = 0; i < 2; i++)
		a[i].seq = propose(a[i].path);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(0,
		    pthread_create(&a[i].thread, NULL, run_approval, &a[i]));
	for (int i = 0; i < 2; i++)
		pthread_join(a[i].thread, NULL);
	ck_assert_uint_eq(1, a[0].others + a[1].others);
	OK(tf_reader_db(v, &db, NULL));
	for (int i = 0; i < 2; i++) {
		OK(tf_nodes_get(db, id_of(a[i].path), &row, NULL));
		OK(tf_object_get(db, row.object, &o, NULL, NULL));
		ck_assert(!o.is_inline);
	}
	tf_reader_done(v, db);
}
END_TEST

Suite *
suite_retention(void)
{
	Suite *s = suite_create("retention");
	TCase *t = tcase_create("periods");

	tcase_add_loop_test(t, a_period_ends_by_the_calendar, 0,
	    (int)LEN(periods));
	tcase_add_test(t, the_latest_end_of_all_counts);
	suite_add_tcase(s, t);
	t = tcase_create("protection");
	tcase_add_checked_fixture(t, make_vault, remove_vault);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t,
	    a_hold_protects_all_below_until_the_last_is_released, 0,
	    (int)LEN(reaches));
	tcase_add_loop_test(t, a_retention_keeps_all_below_from_its_seal, 0,
	    (int)LEN(keeps));
	tcase_add_loop_test(t, a_wrong_retention_is_refused, 0,
	    (int)LEN(refused));
	tcase_add_loop_test(t, a_wrong_hold_is_refused, 0, (int)LEN(no_holds));
	tcase_add_test(t, a_retention_grows_and_is_said_once);
	tcase_add_test(t, a_reason_has_its_limit);
	tcase_add_test(t, a_refusal_says_what_protects);
	tcase_add_test(t, a_draft_is_protected_as_its_directory);
	tcase_add_test(t, writers_wait_for_no_search_through_the_ledger);
	tcase_add_test(t, the_first_redaction_cleans_the_pages_of_a_store);
	tcase_add_test(t, two_approvals_at_once_leave_no_bytes_between_them);
	suite_add_tcase(s, t);
	return s;
}
