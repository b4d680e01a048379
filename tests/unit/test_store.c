/*
 * The store: no SQL statement changes a committed row (I1), transactions are
 * whole, and object files are never replaced (I2).
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/base/crypto.h"
#include "../../core/json.h"
#include "../../core/ledger/rotation.h"
#include "../../core/node/log_keys.h"
#include "../../core/store/claims.h"
#include "../../core/store/definitions.h"
#include "../../core/store/entries.h"
#include "../../core/store/meta.h"
#include "../../core/store/nodes.h"
#include "../../core/store/objects.h"
#include "../../core/store/sql.h"
#include "core/store/schema.h"
#include "core/store/transaction.h"
#include "vectors.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static char dir[256];
static struct tf_db *db;

static void
make_db(void)
{
	const char *tmp = getenv("TMPDIR");

	/* What a failed test leaves there, tests/run removes. */
	snprintf(dir, sizeof(dir), "%.200s/store.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	OK(tf_db_open(TF_DB_NAME, TF_DB_CREATE, &db, NULL));
}

static void
remove_db(void)
{
	static const char *const files[] = { TF_DB_NAME, TF_DB_NAME "-wal",
		TF_DB_NAME "-shm", "tmp", "copy.db" };

	tf_db_close(db);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(files[i]);
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

/* SQL on the store's own connection: SQLITE_OK or what it answered. */
static int
sql(const char *text)
{
	return sqlite3_exec(db->sq, text, NULL, NULL, NULL);
}

static int64_t
number(struct tf_db *d, const char *text)
{
	sqlite3_stmt *st;
	int64_t n;

	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_prepare_v2(d->sq, text, -1, &st, NULL));
	ck_assert_int_eq(SQLITE_ROW, sqlite3_step(st));
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static struct tf_hash
hash_of_text(const char *s)
{
	struct tf_hash h;

	tf_sha256(s, strlen(s), &h);
	return h;
}

static void
put_entries(unsigned n)
{
	char body[32];
	uint64_t off = 0;

	for (unsigned i = 0; i < n; i++) {
		size_t len = (size_t)sprintf(body, "entry %u", i);

		OK(tf_entries_put(db, i, off, body, len, NULL));
		off += len + 1;
	}
}

static struct tf_node_row
node_row(uint64_t id, uint64_t parent, enum tf_kind kind, const char *name)
{
	struct tf_node_row r = { .attr = { .id = id,
				     .parent = parent,
				     .kind = kind,
				     .mode = 0644,
				     .uid = 1000,
				     .gid = 1000,
				     .size = 5,
				     .mtime = { -5, 999999999 },
				     .ctime = { 7, 1 },
				     .btime = { 6, 2 } },
		.name_len = strlen(name),
		.entry = id };

	strcpy(r.name, name);
	return r;
}

/* Not by memcmp: there is padding. */
static void
same_attr(const struct tf_attr *a, const struct tf_attr *b)
{
	ck_assert_uint_eq(a->id, b->id);
	ck_assert_uint_eq(a->parent, b->parent);
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert_uint_eq(a->mode, b->mode);
	ck_assert_uint_eq(a->uid, b->uid);
	ck_assert_uint_eq(a->gid, b->gid);
	ck_assert_uint_eq(a->size, b->size);
	ck_assert_int_eq(0, tf_time_cmp(a->mtime, b->mtime));
	ck_assert_int_eq(0, tf_time_cmp(a->ctime, b->ctime));
	ck_assert_int_eq(0, tf_time_cmp(a->btime, b->btime));
}

/* --- opening ---------------------------------------------------------- */

START_TEST(a_connection_is_set_up_so_that_nothing_is_lost)
{
	struct tf_db *r;

	ck_assert_int_eq(2, number(db, "PRAGMA synchronous"));
	ck_assert_int_eq(1, number(db, "PRAGMA recursive_triggers"));
	ck_assert_int_eq(0, number(db, "PRAGMA trusted_schema"));
	ck_assert_int_eq(1,
	    number(db,
		"SELECT count(*) FROM pragma_journal_mode "
		"WHERE journal_mode = 'wal'"));
	ck_assert_int_eq(TF_DB_VERSION, number(db, "PRAGMA user_version"));
	ck_assert_int_eq(0,
	    number(db,
		"SELECT count(*) FROM pragma_table_list WHERE "
		"type = 'table' AND schema = 'main' AND name NOT LIKE "
		"'sqlite%' AND strict = 0"));
	OK(tf_db_check(db, NULL));
	OK(tf_db_open(TF_DB_NAME, TF_DB_READ, &r, NULL));
	ck_assert_int_ne(SQLITE_OK,
	    sqlite3_exec(r->sq, "INSERT INTO meta VALUES('x', 1)", NULL, NULL,
		NULL));
	tf_db_close(r);
}
END_TEST

/* SQLite would count its memory under one mutex, which each allocation of any
 * connection takes: a thread would wait there for one of lower priority. */
START_TEST(connections_share_no_count_of_memory)
{
	ck_assert_int_eq(1, number(db, "PRAGMA recursive_triggers"));
	ck_assert_int_eq(0, sqlite3_memory_used());
}
END_TEST

START_TEST(what_is_not_a_database_of_ours_is_not_opened)
{
	struct tf_error err;
	struct tf_db *d = NULL;
	FILE *f;

	ck_assert_int_eq(TF_NOTFOUND,
	    tf_db_open("none.db", TF_DB_WRITE, &d, &err));
	ck_assert_int_ne(0, access("none.db", F_OK));
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_db_open("none.db", TF_DB_READ, &d, &err));
	ck_assert_int_eq(TF_EXISTS,
	    tf_db_open(TF_DB_NAME, TF_DB_CREATE, &d, &err));
	f = fopen("copy.db", "w");
	fclose(f);
	ck_assert_int_eq(TF_FOREIGN,
	    tf_db_open("copy.db", TF_DB_WRITE, &d, &err));
	f = fopen("copy.db", "w");
	fprintf(f, "%04096d", 7);
	fclose(f);
	ck_assert_int_eq(TF_FOREIGN,
	    tf_db_open("copy.db", TF_DB_WRITE, &d, &err));
	ck_assert_int_eq(SQLITE_OK, sql("PRAGMA user_version=8"));
	ck_assert_int_eq(TF_NEWER,
	    tf_db_open(TF_DB_NAME, TF_DB_READ, &d, &err));
	ck_assert_int_eq(TF_NEWER,
	    tf_db_open(TF_DB_NAME, TF_DB_WRITE, &d, &err));
	ck_assert_int_eq(SQLITE_OK, sql("PRAGMA user_version=6"));
	OK(tf_db_open(TF_DB_NAME, TF_DB_WRITE, &d, &err));
	tf_db_close(d);
	ck_assert_ptr_null(strchr(err.text, '\n'));
}
END_TEST

/* Features of a later version, in the bits of user_version. */
START_TEST(a_later_version_says_what_earlier_ones_may_do)
{
	static const struct {
		const char *sql;
		enum tf_code read, write;
	} later[] = {
		{ "PRAGMA user_version=6", TF_OK, TF_OK },
		/* That all may ignore: tables and indexes, and no triggers. */
		{ "PRAGMA user_version=65542", TF_OK, TF_OK },
		{ "CREATE TABLE later(x)", TF_OK, TF_OK },
		{ "CREATE INDEX later_x ON later(x)", TF_OK, TF_OK },
		{ "CREATE TRIGGER t AFTER INSERT ON entry BEGIN"
		  " INSERT INTO later VALUES(1); END",
		    TF_OK, TF_TAMPER },
		/* That readers may ignore. */
		{ "PRAGMA user_version=262", TF_OK, TF_NEWER },
		{ "PRAGMA user_version=65798", TF_OK, TF_NEWER },
		/* The same of a sparse store. */
		{ "PRAGMA user_version=65543", TF_OK, TF_TAMPER },
		{ "PRAGMA user_version=263", TF_OK, TF_NEWER },
		/* That nobody may ignore. */
		{ "PRAGMA user_version=264", TF_NEWER, TF_NEWER },
		{ "PRAGMA user_version=16777222", TF_NEWER, TF_NEWER },
		{ "PRAGMA user_version=-1", TF_NEWER, TF_NEWER },
		/* Without the bits it is another schema. */
		{ "PRAGMA user_version=6", TF_TAMPER, TF_TAMPER },
		/* The bits are no excuse for what is missing. */
		{ "PRAGMA user_version=262; DROP TRIGGER node_delete",
		    TF_TAMPER, TF_TAMPER },
	};
	struct tf_db *d;

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		ck_assert_int_eq(SQLITE_OK, sql(later[i].sql));
		d = NULL;
		ck_assert_msg(later[i].read ==
			tf_db_open(TF_DB_NAME, TF_DB_READ, &d, NULL),
		    "read: %s", later[i].sql);
		tf_db_close(d);
		d = NULL;
		ck_assert_msg(later[i].write ==
			tf_db_open(TF_DB_NAME, TF_DB_WRITE, &d, NULL),
		    "write: %s", later[i].sql);
		tf_db_close(d);
	}
}
END_TEST

/* They stay when a store becomes sparse, and whole again. */
START_TEST(the_mark_of_a_sparse_store_keeps_later_features)
{
	struct tf_db *d;

	ck_assert_int_eq(SQLITE_OK, sql("PRAGMA user_version=65542"));
	ck_assert_int_eq(SQLITE_OK, sql("CREATE TABLE later(x)"));
	OK(tf_db_open(TF_DB_NAME, TF_DB_WRITE, &d, NULL));
	OK(tf_db_set_sparse(d, true, NULL));
	ck_assert_int_eq(65543, number(d, "PRAGMA user_version"));
	tf_db_close(d);
	OK(tf_db_open(TF_DB_NAME, TF_DB_WRITE, &d, NULL));
	ck_assert(tf_db_is_sparse(d));
	OK(tf_db_set_sparse(d, false, NULL));
	ck_assert_int_eq(65542, number(d, "PRAGMA user_version"));
	tf_db_close(d);
	OK(tf_db_open(TF_DB_NAME, TF_DB_WRITE, &d, NULL));
	ck_assert(!tf_db_is_sparse(d));
	tf_db_close(d);
}
END_TEST

/* Loop test: one statement each. */
static const char *const other_schemas[] = { "DROP TRIGGER entry_next",
	"DROP TRIGGER node_update", "DROP INDEX node_parent",
	"CREATE TABLE extra(x)",
	"CREATE TRIGGER t AFTER INSERT ON entry BEGIN "
	"SELECT 1; END",
	"ALTER TABLE stage ADD COLUMN x INT", "CREATE VIEW v AS SELECT 1" };

START_TEST(another_schema_is_not_trusted)
{
	struct tf_db *d = NULL;

	ck_assert_int_eq(SQLITE_OK, sql(other_schemas[_i]));
	ck_assert_int_eq(TF_TAMPER,
	    tf_db_open(TF_DB_NAME, TF_DB_WRITE, &d, NULL));
	ck_assert_int_eq(TF_TAMPER,
	    tf_db_open(TF_DB_NAME, TF_DB_READ, &d, NULL));
}
END_TEST

START_TEST(a_transaction_is_whole)
{
	struct tf_buf b = { 0 };
	struct tf_db *r;
	uint64_t n, bytes;

	OK(tf_db_open(TF_DB_NAME, TF_DB_READ, &r, NULL));
	OK(tf_db_begin(db, NULL));
	put_entries(3);
	OK(tf_entries_size(r, &n, &bytes, NULL));
	ck_assert_uint_eq(0, n); /* nobody sees it before */
	tf_db_rollback(db);
	OK(tf_entries_size(db, &n, &bytes, NULL));
	ck_assert_uint_eq(0, n);
	OK(tf_db_begin(db, NULL));
	put_entries(3);
	OK(tf_db_commit(db, NULL));
	OK(tf_db_snapshot(r, NULL));
	OK(tf_db_begin(db, NULL));
	OK(tf_entries_put(db, 3, 24, "later", 5, NULL));
	OK(tf_db_commit(db, NULL));
	OK(tf_entries_size(r, &n, &bytes, NULL));
	ck_assert_uint_eq(3, n); /* what a reader sees stands still */
	ck_assert_int_eq(TF_NOTFOUND, tf_entries_get(r, 3, &b, NULL, NULL));
	tf_db_rollback(r);
	OK(tf_entries_size(r, &n, &bytes, NULL));
	ck_assert_uint_eq(4, n);
	ck_assert_uint_eq(30, bytes);
	tf_db_close(r);
	tf_buf_free(&b);
}
END_TEST

START_TEST(single_values_are_stored)
{
	char text[32];
	uint64_t n;

	ck_assert_int_eq(TF_NOTFOUND, tf_meta_get_int(db, "k", &n, NULL));
	OK(tf_meta_set_int(db, "k", 5, NULL));
	OK(tf_meta_set_int(db, "k", UINT64_C(1) << 53, NULL));
	OK(tf_meta_get_int(db, "k", &n, NULL));
	ck_assert_uint_eq(UINT64_C(1) << 53, n);
	OK(tf_meta_set_text(db, "t", "a text", NULL));
	OK(tf_meta_get_text(db, "t", text, sizeof(text), NULL));
	ck_assert_str_eq("a text", text);
}
END_TEST

/* --- the ledger's rows ------------------------------------------------ */

START_TEST(entries_only_append)
{
	struct tf_buf b = { 0 };
	uint64_t off;

	put_entries(5);
	ck_assert_int_ne(TF_OK, tf_entries_put(db, 4, 40, "again", 5, NULL));
	ck_assert_int_ne(TF_OK, tf_entries_put(db, 6, 40, "gap", 3, NULL));
	ck_assert_int_ne(TF_OK, tf_entries_put(db, 5, 40, "x", 1, NULL));
	OK(tf_entries_put(db, 5, 40, "next", 4, NULL));
	OK(tf_entries_get(db, 3, &b, &off, NULL));
	ck_assert_str_eq("entry 3", (tf_buf_add(&b, "", 1), b.p));
	ck_assert_uint_eq(24, off);
	tf_buf_free(&b);
}
END_TEST

/* Rotations of the log's key behind very many others are known, too. */
START_TEST(the_number_of_rotations_is_not_limited)
{
	enum { MANY = 3000 };
	struct tf_log_keys k = { .n = 0 };
	struct tf_buf lines = read_vector("rotations.jsonl");
	struct tf_str rest = { lines.p, lines.n }, line;
	struct tf_buf numbers = { 0 };
	uint64_t idx = MANY, off;

	put_entries(MANY);
	OK(tf_entries_size(db, &idx, &off, NULL));
	for (unsigned i = 0; i < MANY; i++)
		OK(tf_log_keys_record(db, i, NULL));
	for (; take_line(&rest, &line); idx++, off += line.n + 1) {
		OK(tf_entries_put(db, idx, off, line.p, line.n, NULL));
		OK(tf_log_keys_record(db, idx, NULL));
	}
	OK(tf_meta_get_long(db, TF_META_ROTATED, &numbers, NULL));
	ck_assert_uint_gt(numbers.n, 3 * MANY);
	OK(tf_log_keys_load(db, &k, NULL));
	ck_assert_uint_eq(2, k.n);
	tf_log_keys_free(&k);
	tf_buf_free(&numbers);
	tf_buf_free(&lines);
}
END_TEST

/* Every way that SQL knows to change a row.  Loop test. */
static const char *const attacks[] = {
	"UPDATE entry SET body = x'7b7d' WHERE idx = 1",
	"UPDATE entry SET body = body WHERE idx = 1",
	"UPDATE OR REPLACE entry SET idx = 1 WHERE idx = 2",
	"UPDATE OR IGNORE entry SET off = 0 WHERE idx = 2",
	"DELETE FROM entry WHERE idx = 1",
	"DELETE FROM entry",
	"INSERT OR REPLACE INTO entry VALUES(1, 0, x'7b7d')",
	"REPLACE INTO entry SELECT idx, off, x'7b7d' FROM entry",
	"INSERT INTO entry VALUES(1, 0, x'7b7d') ON CONFLICT(idx) DO UPDATE "
	"SET body = x'7b7d'",
	"INSERT INTO entry VALUES(-1, 0, x'7b7d')",
	"INSERT INTO entry VALUES(NULL, 0, x'7b7d')",
	"INSERT INTO entry(off, body) VALUES(0, x'7b7d')",
	"UPDATE tile SET data = zeroblob(64)",
	"UPDATE tile SET data = substr(data, 1, 32)",
	"UPDATE tile SET n = 7",
	"UPDATE tile SET level = 1",
	"DELETE FROM tile",
	"REPLACE INTO tile VALUES(0, 0, zeroblob(64))",
	"UPDATE checkpoint SET note = x'00'",
	"UPDATE checkpoint SET size = 9",
	"DELETE FROM checkpoint",
	"REPLACE INTO checkpoint VALUES(2, zeroblob(32), x'00')",
	"INSERT INTO checkpoint VALUES(1, zeroblob(32), x'00')",
	"INSERT INTO checkpoint VALUES(2, zeroblob(32), x'00')",
	"UPDATE node SET mode = 511 WHERE id = 10",
	"UPDATE node SET size = 0 WHERE id = 10",
	"UPDATE node SET object = 99 WHERE id = 10",
	"UPDATE node SET name = x'61' WHERE id = 9",
	"UPDATE node SET parent = 1 WHERE id = 10",
	"UPDATE node SET id = 99 WHERE id = 9",
	"UPDATE node SET kind = 4 WHERE id = 10",
	"UPDATE node SET entry = 0 WHERE id = 9",
	"UPDATE node SET seal = 8 WHERE id = 8",
	"UPDATE node SET seal = NULL WHERE id = 8",
	"DELETE FROM node WHERE id = 10",
	"DELETE FROM node",
	"REPLACE INTO node SELECT id, parent, name, kind, 511, uid, gid, size, "
	"mtime, mtime_ns, ctime, ctime_ns, btime, btime_ns, entry, seal, "
	"object, xattrs FROM node WHERE id = 10",
	"REPLACE INTO node SELECT 99, parent, name, kind, 511, uid, gid, size, "
	"mtime, mtime_ns, ctime, ctime_ns, btime, btime_ns, entry, seal, "
	"object, xattrs FROM node WHERE id = 10",
	"UPDATE object SET body = x'00' WHERE id = 10",
	"UPDATE object SET body = NULL WHERE id = 10",
	"UPDATE object SET size = 0 WHERE id = 10",
	"DELETE FROM object WHERE id = 10",
	"REPLACE INTO object VALUES(10, 1, zeroblob(32), x'00')",
	"UPDATE digest SET object = 11",
	"DELETE FROM digest",
	"REPLACE INTO digest SELECT sha256, 11 FROM digest",
	"UPDATE definition SET object = 11",
	"UPDATE definition SET version = 2",
	"DELETE FROM definition",
	"REPLACE INTO definition VALUES(5, 1, x'', 1, 2, 11)",
	"INSERT INTO definition VALUES(5, 1, x'', 1, 2, 11)",
	"INSERT INTO definition VALUES(5, 1, x'', 3, 2, 11)",
	"INSERT INTO definition VALUES(5, 2, x'61', 2, 2, 11)",
	"PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = '' WHERE "
	"name = 'entry_update'",
	"PRAGMA writable_schema=ON; DELETE FROM sqlite_schema",
};

static int64_t
state_of_rows(void)
{
	return number(db,
	    "SELECT sum(idx * 7 + off + length(body)) + "
	    "(SELECT sum(length(data)) FROM tile) * 1000 + "
	    "(SELECT sum(size) FROM checkpoint) * 100000 + "
	    "(SELECT sum(id * 3 + mode + size) FROM node) * 3 + "
	    "(SELECT sum(id + size) FROM object) + "
	    "(SELECT sum(version * 5 + object) FROM definition) * 11 + "
	    "(SELECT sum(object) FROM digest) FROM entry");
}

START_TEST(no_sql_changes_what_was_committed)
{
	struct tf_hash h[2] = { hash_of_text("a"), hash_of_text("b") }, o;
	struct tf_node_row att = node_row(8, 1, TF_KIND_ATTESTATION, "att");
	struct tf_node_row open = node_row(9, 1, TF_KIND_ATTESTATION, "open");
	struct tf_node_row f = node_row(10, 8, TF_KIND_EVIDENCE, "f");
	struct tf_definition_row template = { .node = 5,
		.kind = 1,
		.name = { "", 0 },
		.version = 1,
		.entry = 1,
		.object = 10 };
	int64_t before;

	put_entries(3);
	OK(tf_tiles_put(db, 0, 0, h, 2, NULL));
	OK(tf_checkpoints_put(db, 2, &h[0], "note", 4, NULL));
	OK(tf_nodes_put(db, &att, NULL));
	OK(tf_nodes_put(db, &open, NULL));
	OK(tf_nodes_set_seal(db, 8, 2, (struct tf_time){ 9, 0 }, NULL));
	o = hash_of_text("bytes");
	OK(tf_object_put(db, 10, &o, "bytes", 5, NULL));
	OK(tf_object_seal(db, &o, 10, NULL));
	OK(tf_definitions_put(db, &template, NULL));
	f.object = 10;
	OK(tf_nodes_put(db, &f, NULL));
	before = state_of_rows();
	ck_assert_msg(sql(attacks[_i]) != SQLITE_OK, "%s: allowed",
	    attacks[_i]);
	tf_db_rollback(db);
	ck_assert_int_eq(before, state_of_rows());
	OK(tf_db_check(db, NULL));
}
END_TEST

static enum tf_code
note_definition(void *arg, const struct tf_definition_row *r,
    struct tf_error *err)
{
	char *text = arg;

	(void)err;
	sprintf(text + strlen(text), "%.*s%u@%u ", (int)r->name.n, r->name.p,
	    (unsigned)r->version, (unsigned)r->entry);
	return TF_OK;
}

START_TEST(definitions_are_found_by_version_and_by_entry)
{
	static const struct {
		const char *name;
		uint64_t node, version, entry;
	} rows[] = { { "b", 5, 1, 10 }, { "a", 5, 1, 11 }, { "a", 5, 2, 20 },
		{ "c", 6, 1, 21 } };
	struct tf_definition_row r;
	char text[200] = "";

	for (size_t i = 0; i < 4; i++) {
		r = (struct tf_definition_row){ rows[i].node, 2,
			{ rows[i].name, 1 }, rows[i].version, rows[i].entry,
			rows[i].entry + 100 };
		OK(tf_definitions_put(db, &r, NULL));
	}
	r = (struct tf_definition_row){ .node = 5,
		.kind = 2,
		.name = { "a", 1 } };
	OK(tf_definitions_get(db, &r, NULL));
	ck_assert_uint_eq(2, r.version);
	ck_assert_uint_eq(120, r.object);
	r.version = 1;
	OK(tf_definitions_get(db, &r, NULL));
	ck_assert_uint_eq(11, r.entry);
	r.version = 3;
	ck_assert_int_eq(TF_NOTFOUND, tf_definitions_get(db, &r, NULL));
	OK(tf_definitions_before(db, &r, 20, NULL));
	ck_assert_uint_eq(1, r.version);
	OK(tf_definitions_before(db, &r, 21, NULL));
	ck_assert_uint_eq(2, r.version);
	ck_assert_int_eq(TF_NOTFOUND, tf_definitions_before(db, &r, 11, NULL));
	OK(tf_definitions_names(db, 5, 2, (struct tf_str){ NULL, 0 },
	    note_definition, text, NULL));
	ck_assert_str_eq("a2@20 b1@10 ", text);
	OK(tf_definitions_names(db, 5, 2, (struct tf_str){ "a", 1 },
	    note_definition, text, NULL));
	ck_assert_str_eq("a2@20 b1@10 b1@10 ", text);
}
END_TEST

START_TEST(removed_claims_take_their_user_data_along)
{
	struct tf_claim_row r = { .id = 7, .object = 30 }, got = { 0 };
	struct tf_hash h = hash_of_text("data");
	struct tf_object_row o;

	OK(tf_claims_get(db, 7, &got, NULL));
	ck_assert_uint_eq(0, got.claims.n);
	tf_buf_str(&r.claims, "{\"type\":\"snyk\"}");
	tf_buf_str(&r.uids, "[0]");
	OK(tf_claims_put(db, &r, NULL));
	OK(tf_object_put(db, 30, &h, "data", 4, NULL));
	OK(tf_object_put(db, 31, &h, "data", 4, NULL));
	OK(tf_claims_get(db, 7, &got, NULL));
	ck_assert_str_eq(r.claims.p, got.claims.p);
	ck_assert_str_eq(r.uids.p, got.uids.p);
	ck_assert_uint_eq(30, got.object);
	tf_claim_row_free(&got);
	OK(tf_claims_remove(db, 7, NULL));
	OK(tf_claims_get(db, 7, &got, NULL));
	ck_assert_uint_eq(0, got.claims.n + got.uids.n + got.object);
	ck_assert_int_eq(TF_NOTFOUND, tf_object_get(db, 30, &o, NULL, NULL));
	OK(tf_object_get(db, 31, &o, NULL, NULL));
	tf_claim_row_free(&got);
	tf_claim_row_free(&r);
}
END_TEST

START_TEST(tiles_are_extended)
{
	struct tf_hash h[TF_INLINE_MAX / 256] = { 0 }, got[256];

	for (unsigned i = 0; i < 256; i++)
		h[i].b[0] = (uint8_t)i;
	for (unsigned w = 1; w <= 256; w += 51)
		OK(tf_tiles_put(db, 0, 3, h, w, NULL));
	OK(tf_tiles_get(db, 0, 3, 200, got, NULL));
	ck_assert_mem_eq(h, got, 200 * sizeof(h[0]));
	ck_assert_int_eq(TF_TAMPER, tf_tiles_get(db, 0, 4, 1, got, NULL));
	ck_assert_int_eq(TF_OK, tf_tiles_get(db, 0, 3, 256, got, NULL));
	h[0].b[0] = 9;
	ck_assert_int_ne(TF_OK, tf_tiles_put(db, 0, 3, h, 256, NULL));
	/* Fewer than are asked for is not an answer. */
	OK(tf_tiles_put(db, 1, 0, h, 2, NULL));
	ck_assert_int_eq(TF_TAMPER, tf_tiles_get(db, 1, 0, 3, got, NULL));
}
END_TEST

static enum tf_code
count_up(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	uint64_t *next = arg;
	char want[32];

	(void)off;
	(void)err;
	ck_assert_uint_eq(*next, idx);
	ck_assert_uint_eq((size_t)sprintf(want, "entry %u", (unsigned)idx), n);
	ck_assert_mem_eq(want, body, n);
	return ++*next == 7 ? TF_NODATA : TF_OK;
}

START_TEST(entries_are_read_in_order_until_the_reader_has_enough)
{
	uint64_t next = 4;

	put_entries(20);
	ck_assert_int_eq(TF_NODATA,
	    tf_entries_each(db, 4, count_up, &next, NULL));
	ck_assert_uint_eq(7, next);
	next = 18;
	OK(tf_entries_each(db, 18, count_up, &next, NULL));
	ck_assert_uint_eq(20, next);
}
END_TEST

/* --- names ------------------------------------------------------------ */

START_TEST(a_name_is_read_back_unchanged)
{
	struct tf_node_row r = node_row(5, 1, TF_KIND_EVIDENCE, "f"), got;

	r.attr.mode = 07777;
	r.attr.uid = r.attr.gid = 4294967294u;
	r.attr.size = (UINT64_C(1) << 53) - 1;
	r.object = 5;
	OK(tf_nodes_put(db, &r, NULL));
	OK(tf_nodes_find(db, 1, "f", 1, &got, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, got.attr.state);
	same_attr(&r.attr, &got.attr);
	ck_assert_str_eq("f", got.name);
	ck_assert_uint_eq(5, got.object);
	ck_assert_uint_eq(TF_NO_SEQ, got.seal);
	ck_assert_int_eq(TF_NOTFOUND, tf_nodes_find(db, 1, "g", 1, &got, NULL));
	ck_assert_int_eq(TF_NOTFOUND, tf_nodes_find(db, 2, "f", 1, &got, NULL));
	ck_assert_int_eq(TF_NOTFOUND, tf_nodes_get(db, 6, &got, NULL));
	/* A name is created once. */
	r.attr.id = 6;
	ck_assert_int_ne(TF_OK, tf_nodes_put(db, &r, NULL));
	r.attr.id = 5;
	strcpy(r.name, "g");
	ck_assert_int_ne(TF_OK, tf_nodes_put(db, &r, NULL));
}
END_TEST

START_TEST(names_are_listed_by_number)
{
	static const uint64_t ids[] = { 9, 3, 200, 7, 50 };
	static const uint64_t sorted[] = { 3, 7, 9, 50, 200 };
	struct tf_node_row out[8];
	char name[8];
	size_t n;

	for (size_t i = 0; i < 5; i++) {
		struct tf_node_row r;

		sprintf(name, "n%zu", 9 - i);
		r = node_row(ids[i], 2, TF_KIND_DIRECTORY, name);
		OK(tf_nodes_put(db, &r, NULL));
	}
	OK(tf_nodes_list(db, 2, 0, out, 8, &n, NULL));
	ck_assert_uint_eq(5, n);
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(sorted[i], out[i].attr.id);
	OK(tf_nodes_list(db, 2, 7, out, 2, &n, NULL));
	ck_assert_uint_eq(2, n);
	ck_assert_uint_eq(9, out[0].attr.id);
	OK(tf_nodes_list(db, 2, 200, out, 8, &n, NULL));
	ck_assert_uint_eq(0, n);
}
END_TEST

START_TEST(only_the_access_and_times_of_a_directory_change)
{
	struct tf_node_row d = node_row(5, 1, TF_KIND_TRAIL, "t"), got;

	OK(tf_nodes_put(db, &d, NULL));
	OK(tf_nodes_set_access(db, 5, 0700, 1, 2, (struct tf_time){ 20, 5 },
	    NULL));
	OK(tf_nodes_touch(db, 5, (struct tf_time){ 10, 9 }, NULL));
	OK(tf_nodes_get(db, 5, &got, NULL));
	ck_assert_uint_eq(0700, got.attr.mode);
	ck_assert_uint_eq(1, got.attr.uid);
	ck_assert_int_eq(10, got.attr.mtime.s);
	/* ctime does not go back. */
	ck_assert_int_eq(20, got.attr.ctime.s);
	ck_assert_uint_eq(5, got.attr.ctime.ns);
	OK(tf_nodes_touch(db, 5, (struct tf_time){ 20, 6 }, NULL));
	OK(tf_nodes_get(db, 5, &got, NULL));
	ck_assert_uint_eq(6, got.attr.ctime.ns);
	ck_assert_int_eq(TF_STATE_OPEN, got.attr.state);
	OK(tf_nodes_set_seal(db, 5, 77, (struct tf_time){ 30, 0 }, NULL));
	OK(tf_nodes_get(db, 5, &got, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, got.attr.state);
	ck_assert_uint_eq(77, got.seal);
	ck_assert_int_ne(TF_OK,
	    tf_nodes_set_seal(db, 5, 78, (struct tf_time){ 31, 0 }, NULL));
}
END_TEST

static enum tf_code
check_staged(void *arg, const struct tf_stage_row *r, struct tf_error *err)
{
	struct tf_stage_row *want = arg;

	(void)err;
	same_attr(&want->attr, &r->attr);
	ck_assert_str_eq(want->name, r->name);
	ck_assert_int_eq(want->dirty, r->dirty);
	ck_assert_int_eq(want->unwritten, r->unwritten);
	ck_assert_int_eq(want->has_digest, r->has_digest);
	ck_assert_uint_eq(want->actor.n, r->actor.n);
	ck_assert_mem_eq(want->actor.p, r->actor.p, r->actor.n);
	ck_assert_uint_eq(0, r->writers.n);
	want->name_len = 0; /* seen */
	return TF_OK;
}

static void
see_staged(struct tf_stage_row *want)
{
	OK(tf_stage_each(db, check_staged, want, NULL));
	ck_assert_uint_eq(0, want->name_len);
	want->name_len = 1;
}

START_TEST(a_staged_row_is_replaced_and_goes)
{
	struct tf_stage_row s = {
		.attr = node_row(5, 2, TF_KIND_EVIDENCE, "f").attr,
		.name = "f",
		.name_len = 1,
		.has_digest = true,
		.actor = { "{}", 2 }
	};

	s.sha256 = hash_of_text("x");
	OK(tf_stage_put(db, &s, NULL));
	strcpy(s.name, "g");
	s.attr.size = 9;
	OK(tf_stage_put(db, &s, NULL));
	see_staged(&s);
	s.unwritten = true;
	OK(tf_stage_put(db, &s, NULL));
	see_staged(&s);
	OK(tf_stage_set_dirty(db, 5, false, NULL));
	s.dirty = true;
	see_staged(&s);
	OK(tf_stage_set_dirty(db, 5, true, NULL));
	s.unwritten = false;
	see_staged(&s);
	OK(tf_stage_delete(db, 5, NULL));
	OK(tf_stage_delete(db, 5, NULL)); /* already */
	ck_assert_int_eq(0, number(db, "SELECT count(*) FROM stage"));
}
END_TEST

/* --- objects ---------------------------------------------------------- */

START_TEST(inline_bytes_change_until_they_are_sealed)
{
	struct tf_hash a = hash_of_text("one"), b = hash_of_text("other");
	struct tf_object_row row;
	struct tf_buf body = { 0 };
	uint64_t id = 0;

	OK(tf_object_put(db, 5, &a, "one", 3, NULL));
	OK(tf_object_put(db, 5, &b, "other", 5, NULL));
	ck_assert_int_eq(TF_NOTFOUND, tf_object_find(db, &b, &id, NULL));
	OK(tf_object_seal(db, &b, 5, NULL));
	OK(tf_object_find(db, &b, &id, NULL));
	ck_assert_uint_eq(5, id);
	ck_assert_int_ne(TF_OK, tf_object_put(db, 5, &a, "one", 3, NULL));
	ck_assert_int_ne(TF_OK, tf_object_put_file(db, 5, &a, 3, NULL));
	ck_assert_int_ne(TF_OK, tf_object_drop(db, 5, NULL));
	ck_assert_int_ne(TF_OK, tf_object_seal(db, &b, 6, NULL));
	OK(tf_object_get(db, 5, &row, &body, NULL));
	ck_assert(row.is_inline && row.size == 5);
	ck_assert_mem_eq("other", body.p, 5);
	ck_assert_mem_eq(&b, &row.sha256, sizeof(b));
	tf_buf_free(&body);
	OK(tf_object_put(db, 6, &a, "one", 3, NULL));
	OK(tf_object_drop(db, 6, NULL));
	ck_assert_int_eq(TF_NOTFOUND, tf_object_get(db, 6, &row, NULL, NULL));
}
END_TEST

START_TEST(no_bytes_are_bytes_too)
{
	struct tf_hash h = hash_of_text("");
	struct tf_object_row row;
	struct tf_buf body = { 0 };

	OK(tf_object_put(db, 5, &h, NULL, 0, NULL));
	OK(tf_object_get(db, 5, &row, &body, NULL));
	ck_assert(row.is_inline && row.size == 0 && body.n == 0);
	tf_buf_free(&body);
}
END_TEST

static void
make_tmp(const char *text)
{
	int fd = open("tmp", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq((int)strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

START_TEST(an_object_file_is_never_replaced)
{
	struct tf_object_dirs dirs = { 0 };
	struct tf_hash h = hash_of_text("first bytes");
	char text[32] = "", command[300];
	struct stat st;
	int objects, here, fd = -1;

	ck_assert_int_eq(0, mkdir("objects", 0700));
	objects = open("objects", O_RDONLY | O_DIRECTORY);
	here = open(".", O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(TF_TAMPER, tf_object_open(objects, &h, &fd, NULL));
	make_tmp("first bytes");
	OK(tf_object_link(objects, &dirs, here, "tmp", &h, 11, NULL));
	OK(tf_object_link(objects, &dirs, here, "tmp", &h, 11,
	    NULL)); /* again */
	ck_assert_int_eq(0, unlink("tmp"));
	make_tmp("other bytes!");
	ck_assert_int_eq(TF_TAMPER,
	    tf_object_link(objects, &dirs, here, "tmp", &h, 12, NULL));
	OK(tf_object_open(objects, &h, &fd, NULL));
	ck_assert_int_eq(11, read(fd, text, sizeof(text)));
	ck_assert_str_eq("first bytes", text);
	ck_assert_int_eq(0, fstat(fd, &st));
	ck_assert_uint_eq(S_IFREG | 0400, st.st_mode);
	close(fd);
	close(objects);
	close(here);
	snprintf(command, sizeof(command), "rm -rf %s/objects", dir);
	ck_assert_int_eq(0, system(command));
}
END_TEST

Suite *
suite_store(void)
{
	Suite *s = suite_create("store");
	TCase *t = tcase_create("store");

	tcase_add_checked_fixture(t, make_db, remove_db);
	tcase_add_test(t, a_connection_is_set_up_so_that_nothing_is_lost);
	tcase_add_test(t, a_later_version_says_what_earlier_ones_may_do);
	tcase_add_test(t, the_mark_of_a_sparse_store_keeps_later_features);
	tcase_add_test(t, connections_share_no_count_of_memory);
	tcase_add_test(t, what_is_not_a_database_of_ours_is_not_opened);
	tcase_add_loop_test(t, another_schema_is_not_trusted, 0,
	    (int)(sizeof(other_schemas) / sizeof(other_schemas[0])));
	tcase_add_test(t, a_transaction_is_whole);
	tcase_add_test(t, single_values_are_stored);
	tcase_add_test(t, entries_only_append);
	tcase_add_loop_test(t, no_sql_changes_what_was_committed, 0,
	    (int)(sizeof(attacks) / sizeof(attacks[0])));
	tcase_add_test(t, tiles_are_extended);
	tcase_add_test(t,
	    entries_are_read_in_order_until_the_reader_has_enough);
	tcase_add_test(t, a_name_is_read_back_unchanged);
	tcase_add_test(t, names_are_listed_by_number);
	tcase_add_test(t, only_the_access_and_times_of_a_directory_change);
	tcase_add_test(t, a_staged_row_is_replaced_and_goes);
	tcase_add_test(t, inline_bytes_change_until_they_are_sealed);
	tcase_add_test(t, no_bytes_are_bytes_too);
	tcase_add_test(t, the_number_of_rotations_is_not_limited);
	tcase_add_test(t, definitions_are_found_by_version_and_by_entry);
	tcase_add_test(t, removed_claims_take_their_user_data_along);
	tcase_add_test(t, an_object_file_is_never_replaced);
	suite_add_tcase(s, t);
	return s;
}
