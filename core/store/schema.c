/*
 * The schema: tables and triggers, and their versions.
 *
 * I1: triggers refuse to change or delete committed rows.  They stop mistakes
 * of our own code; changes made with other programs are detected by the Merkle
 * tree.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "schema.h"
#include "sql.h"
#include "transaction.h"

#define APPLICATION_ID 0x54726673 /* "Trfs" */

/*
 * Version 1, which must not change: SQLite stores the text of every CREATE, and
 * check_schema() compares the stored text with that of the store's version.
 */
static const char tables[] =
    /* Single values: store, origin, next id. */
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    /* The ledger.  off: bytes of events.jsonl before this entry. */
    "CREATE TABLE entry(idx INTEGER PRIMARY KEY, off INTEGER NOT NULL,"
    " body BLOB NOT NULL CHECK(length(body) BETWEEN 2 AND 16384)) STRICT;"
    "CREATE TABLE tile(level INTEGER NOT NULL, n INTEGER NOT NULL,"
    " data BLOB NOT NULL CHECK(length(data) % 32 = 0"
    " AND length(data) BETWEEN 32 AND 8192),"
    " PRIMARY KEY(level, n)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY,"
    " root BLOB NOT NULL CHECK(length(root) = 32), note BLOB NOT NULL) STRICT;"
    /* The tree of names, which follows from the entries (I5). */
    "CREATE TABLE node(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL,"
    " name BLOB NOT NULL, kind INTEGER NOT NULL, mode INTEGER NOT NULL,"
    " uid INTEGER NOT NULL, gid INTEGER NOT NULL, size INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
    " ctime INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,"
    " btime INTEGER NOT NULL, btime_ns INTEGER NOT NULL,"
    " entry INTEGER NOT NULL, seal INTEGER, object INTEGER, xattrs BLOB,"
    " UNIQUE(parent, name)) STRICT;"
    "CREATE INDEX node_parent ON node(parent);"
    /* Objects; body NULL: the bytes are in a file named by the digest. */
    "CREATE TABLE object(id INTEGER PRIMARY KEY, size INTEGER NOT NULL,"
    " sha256 BLOB NOT NULL CHECK(length(sha256) = 32), body BLOB) STRICT;"
    /* The sealed object of each digest. */
    "CREATE TABLE digest(sha256 BLOB PRIMARY KEY, object INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    /* Pending nodes: flushed files, drafts, directories. */
    "CREATE TABLE stage(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL,"
    " name BLOB NOT NULL, kind INTEGER NOT NULL, dirty INTEGER NOT NULL,"
    " mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,"
    " size INTEGER NOT NULL, sha256 BLOB,"
    " mtime INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
    " ctime INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,"
    " btime INTEGER NOT NULL, btime_ns INTEGER NOT NULL,"
    " actor BLOB, writers BLOB, xattrs BLOB) STRICT;";

static const char log_triggers[] =
    /* Append-only. */
    "CREATE TRIGGER entry_next BEFORE INSERT ON entry"
    " WHEN NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM entry)"
    " BEGIN SELECT raise(ABORT, 'entries only append'); END;"
    "CREATE TRIGGER entry_update BEFORE UPDATE ON entry"
    " BEGIN SELECT raise(ABORT, 'entries never change'); END;"
    "CREATE TRIGGER entry_delete BEFORE DELETE ON entry"
    " BEGIN SELECT raise(ABORT, 'entries never go'); END;"
    "CREATE TRIGGER tile_update BEFORE UPDATE ON tile"
    " WHEN NEW.level <> OLD.level OR NEW.n <> OLD.n OR"
    " substr(NEW.data, 1, length(OLD.data)) IS NOT OLD.data"
    " BEGIN SELECT raise(ABORT, 'tiles only grow'); END;"
    "CREATE TRIGGER tile_delete BEFORE DELETE ON tile"
    " BEGIN SELECT raise(ABORT, 'tiles never go'); END;"
    "CREATE TRIGGER checkpoint_next BEFORE INSERT ON checkpoint"
    " WHEN NEW.size <= (SELECT max(size) FROM checkpoint)"
    " BEGIN SELECT raise(ABORT, 'checkpoints only grow'); END;"
    "CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint"
    " BEGIN SELECT raise(ABORT, 'checkpoints never change'); END;"
    "CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint"
    " BEGIN SELECT raise(ABORT, 'checkpoints never go'); END;";

static const char node_update_1[] =
    "CREATE TRIGGER node_update BEFORE UPDATE ON node"
    " WHEN NEW.id <> OLD.id OR NEW.parent <> OLD.parent OR"
    " NEW.name <> OLD.name OR NEW.kind <> OLD.kind OR OLD.kind = 5 OR"
    " NEW.entry <> OLD.entry OR"
    " (OLD.seal IS NOT NULL AND NEW.seal IS NOT OLD.seal)"
    " BEGIN SELECT raise(ABORT, 'sealed names never change'); END;";

static const char node_delete[] =
    "CREATE TRIGGER node_delete BEFORE DELETE ON node"
    " BEGIN SELECT raise(ABORT, 'names never go'); END;";

static const char object_update_1[] =
    "CREATE TRIGGER object_update BEFORE UPDATE ON object"
    " WHEN EXISTS(SELECT 1 FROM digest"
    "  WHERE sha256 = OLD.sha256 AND object = OLD.id)"
    " BEGIN SELECT raise(ABORT, 'sealed bytes never change'); END;";

static const char content_triggers[] =
    "CREATE TRIGGER object_delete BEFORE DELETE ON object"
    " WHEN EXISTS(SELECT 1 FROM digest"
    "  WHERE sha256 = OLD.sha256 AND object = OLD.id)"
    " BEGIN SELECT raise(ABORT, 'sealed bytes never go'); END;"
    "CREATE TRIGGER digest_update BEFORE UPDATE ON digest"
    " BEGIN SELECT raise(ABORT, 'digests never change'); END;";

static const char digest_delete_1[] =
    "CREATE TRIGGER digest_delete BEFORE DELETE ON digest"
    " BEGIN SELECT raise(ABORT, 'digests never go'); END;";

/*
 * Version 2: closed directories, and evidence whose read bits and group may
 * change after the seal.
 */
static const char closing[] =
    /* Directories that chmod(2) has closed and that are not sealed yet. */
    "CREATE TABLE closing(id INTEGER PRIMARY KEY, actor BLOB NOT NULL) STRICT;";

static const char node_update_2[] =
    "CREATE TRIGGER node_update BEFORE UPDATE ON node"
    " WHEN NEW.id <> OLD.id OR NEW.parent <> OLD.parent OR"
    " NEW.name <> OLD.name OR NEW.kind <> OLD.kind OR"
    " NEW.entry <> OLD.entry OR"
    " (OLD.seal IS NOT NULL AND NEW.seal IS NOT OLD.seal) OR"
    " (OLD.kind = 5 AND ((NEW.mode | 292) <> (OLD.mode | 292) OR"
    " NEW.uid <> OLD.uid OR NEW.size <> OLD.size OR"
    " NEW.mtime <> OLD.mtime OR NEW.mtime_ns <> OLD.mtime_ns OR"
    " NEW.btime <> OLD.btime OR NEW.btime_ns <> OLD.btime_ns OR"
    " NEW.seal IS NOT OLD.seal OR NEW.object IS NOT OLD.object OR"
    " NEW.xattrs IS NOT OLD.xattrs))"
    " BEGIN SELECT raise(ABORT, 'sealed names never change'); END;";

/* Version 3: the texts that people write for a trail, and claims. */
static const char definitions[] =
    "CREATE TABLE definition(node INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " name BLOB NOT NULL, version INTEGER NOT NULL, entry INTEGER NOT NULL,"
    " object INTEGER NOT NULL, PRIMARY KEY(node, kind, name, version))"
    " STRICT, WITHOUT ROWID;"
    /* entry: of claims.set; 0 while a seal is still to name the claims. */
    "CREATE TABLE claim(id INTEGER PRIMARY KEY, claims BLOB NOT NULL,"
    " uids BLOB NOT NULL, object INTEGER NOT NULL, entry INTEGER NOT NULL)"
    " STRICT;";

static const char definition_triggers[] =
    "CREATE TRIGGER definition_next BEFORE INSERT ON definition"
    " WHEN NEW.version IS NOT (SELECT coalesce(max(version), 0) + 1"
    " FROM definition WHERE node = NEW.node AND kind = NEW.kind"
    " AND name = NEW.name)"
    " BEGIN SELECT raise(ABORT, 'versions only append'); END;"
    "CREATE TRIGGER definition_update BEFORE UPDATE ON definition"
    " BEGIN SELECT raise(ABORT, 'definitions never change'); END;"
    "CREATE TRIGGER definition_delete BEFORE DELETE ON definition"
    " BEGIN SELECT raise(ABORT, 'definitions never go'); END;";

/*
 * Version 4: the bytes of an object go, and its digest is forgotten, if the
 * entries say that evidence with this object was redacted and that nothing else
 * has it (19 is TF_ROW_REDACTED).  Its size and its digest stay in its row.
 */
static const char redaction_triggers_4[] =
    "CREATE TRIGGER object_update BEFORE UPDATE ON object"
    " WHEN EXISTS(SELECT 1 FROM digest"
    "  WHERE sha256 = OLD.sha256 AND object = OLD.id) AND"
    " (NEW.id <> OLD.id OR NEW.size <> OLD.size OR"
    "  NEW.sha256 <> OLD.sha256 OR NEW.body IS NOT NULL OR"
    "  NOT EXISTS(SELECT 1 FROM definition d JOIN node n ON n.id = d.node"
    "  WHERE d.kind = 19 AND d.object = 1 AND n.object = OLD.id))"
    " BEGIN SELECT raise(ABORT, 'sealed bytes never change'); END;"
    "CREATE TRIGGER digest_delete BEFORE DELETE ON digest"
    " WHEN NOT EXISTS(SELECT 1 FROM definition d JOIN node n ON n.id = d.node"
    "  WHERE d.kind = 19 AND d.object = 1 AND n.object = OLD.object)"
    " BEGIN SELECT raise(ABORT, 'digests never go'); END;";

/* Version 5: what mirrors, witnesses and time authorities said of a checkpoint
 * of `size` entries.  chain: 0 if there is none. */
static const char anchors[] =
    "CREATE TABLE anchor(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " name TEXT NOT NULL, size INTEGER NOT NULL, object INTEGER NOT NULL,"
    " chain INTEGER NOT NULL) STRICT;"
    "CREATE INDEX anchor_name ON anchor(kind, name, size);"
    "CREATE INDEX anchor_size ON anchor(kind, size);";

static const char anchor_triggers[] =
    "CREATE TRIGGER anchor_next BEFORE INSERT ON anchor"
    " WHEN NEW.seq <= (SELECT max(seq) FROM anchor)"
    " BEGIN SELECT raise(ABORT, 'anchors only append'); END;"
    "CREATE TRIGGER anchor_update BEFORE UPDATE ON anchor"
    " BEGIN SELECT raise(ABORT, 'anchors never change'); END;"
    "CREATE TRIGGER anchor_delete BEFORE DELETE ON anchor"
    " BEGIN SELECT raise(ABORT, 'anchors never go'); END;";

/*
 * Version 6: also the bytes of a text go, if an entry says that it was redacted
 * (20 is TF_ROW_TEXT_REDACTED; its name is the digest).
 */
static const char redaction_triggers_6[] =
    "CREATE TRIGGER object_update BEFORE UPDATE ON object"
    " WHEN EXISTS(SELECT 1 FROM digest"
    "  WHERE sha256 = OLD.sha256 AND object = OLD.id) AND"
    " (NEW.id <> OLD.id OR NEW.size <> OLD.size OR"
    "  NEW.sha256 <> OLD.sha256 OR NEW.body IS NOT NULL OR"
    "  (NOT EXISTS(SELECT 1 FROM definition d JOIN node n ON n.id = d.node"
    "  WHERE d.kind = 19 AND d.object = 1 AND n.object = OLD.id) AND"
    "  NOT EXISTS(SELECT 1 FROM definition WHERE node = 1 AND kind = 20"
    "  AND name = OLD.sha256 AND object = OLD.id)))"
    " BEGIN SELECT raise(ABORT, 'sealed bytes never change'); END;"
    "CREATE TRIGGER digest_delete BEFORE DELETE ON digest"
    " WHEN NOT EXISTS(SELECT 1 FROM definition d JOIN node n ON n.id = d.node"
    "  WHERE d.kind = 19 AND d.object = 1 AND n.object = OLD.object) AND"
    "  NOT EXISTS(SELECT 1 FROM definition WHERE node = 1 AND kind = 20"
    "  AND name = OLD.sha256 AND object = OLD.object)"
    " BEGIN SELECT raise(ABORT, 'digests never go'); END;";

enum tf_code
tf_schema_create(struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc;
	char sql[128];

	db->version = TF_DB_VERSION;
	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA application_id=%d; PRAGMA user_version=%d;", APPLICATION_ID,
	    TF_DB_VERSION);
	if ((rc = tf_sql_exec(db, "BEGIN IMMEDIATE", "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, sql, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, tables, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, closing, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, definitions, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, anchors, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, log_triggers, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, node_delete, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, content_triggers, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, node_update_2, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, definition_triggers, "create", err)) !=
		TF_OK ||
	    (rc = tf_sql_exec(db, anchor_triggers, "create", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, redaction_triggers_6, "create", err)) !=
		TF_OK)
		return rc;
	return tf_sql_exec(db, "COMMIT", "create", err);
}

/*
 * From version 1 to 2.  Version 1 ignored the mode in the row of a directory
 * below an attestation, but version 2 enforces it: it is set so that it
 * restricts nothing.
 */
static enum tf_code
upgrade_to_2(struct tf_db *db, struct tf_error *err)
{
	static const char own_modes[] =
	    "UPDATE node SET mode = 4095 WHERE kind = 4;"
	    "UPDATE stage SET mode = 4095 WHERE kind = 4;"
	    "DROP TRIGGER node_update;";
	enum tf_code rc;

	if ((rc = tf_sql_exec(db, own_modes, "upgrade", err)) != TF_OK ||
	    (rc = tf_sql_exec(db, closing, "upgrade", err)) != TF_OK)
		return rc;
	return tf_sql_exec(db, node_update_2, "upgrade", err);
}

static enum tf_code
upgrade_to_3(struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc = tf_sql_exec(db, definitions, "upgrade", err);

	return rc == TF_OK ?
	    tf_sql_exec(db, definition_triggers, "upgrade", err) :
	    rc;
}

static enum tf_code
upgrade_to_4(struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc = tf_sql_exec(db,
	    "DROP TRIGGER object_update; DROP TRIGGER digest_delete;",
	    "upgrade", err);

	return rc == TF_OK ?
	    tf_sql_exec(db, redaction_triggers_4, "upgrade", err) :
	    rc;
}

static enum tf_code
upgrade_to_5(struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc = tf_sql_exec(db, anchors, "upgrade", err);

	return rc == TF_OK ? tf_sql_exec(db, anchor_triggers, "upgrade", err) :
			     rc;
}

static enum tf_code
upgrade_to_6(struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc = tf_sql_exec(db,
	    "DROP TRIGGER object_update; DROP TRIGGER digest_delete;",
	    "upgrade", err);

	return rc == TF_OK ?
	    tf_sql_exec(db, redaction_triggers_6, "upgrade", err) :
	    rc;
}

enum tf_code
tf_schema_upgrade(struct tf_db *db, tf_schema_check unchanged, void *arg,
    struct tf_error *err)
{
	enum tf_code rc;
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%d",
	    TF_DB_VERSION);
	if ((rc = tf_sql_exec(db, "BEGIN IMMEDIATE", "upgrade", err)) != TF_OK)
		return rc;
	if ((rc = unchanged(arg, db, err)) != TF_OK ||
	    (db->version < 2 && (rc = upgrade_to_2(db, err)) != TF_OK) ||
	    (db->version < 3 && (rc = upgrade_to_3(db, err)) != TF_OK) ||
	    (db->version < 4 && (rc = upgrade_to_4(db, err)) != TF_OK) ||
	    (db->version < 5 && (rc = upgrade_to_5(db, err)) != TF_OK) ||
	    (db->version < 6 && (rc = upgrade_to_6(db, err)) != TF_OK) ||
	    (rc = tf_sql_exec(db, sql, "upgrade", err)) != TF_OK ||
	    (rc = unchanged(arg, db, err)) != TF_OK ||
	    (rc = tf_sql_exec(db, "COMMIT", "upgrade", err)) != TF_OK) {
		tf_db_rollback(db);
		return rc;
	}
	db->version = TF_DB_VERSION;
	return TF_OK;
}

/* True if text is the concatenation of parts; the last part is NULL. */
static bool
is_made_of(const char *text, const char *const *part)
{
	size_t n;

	for (; *part != NULL; part++, text += n) {
		n = strlen(*part);
		if (strncmp(text, *part, n) != 0)
			return false;
	}
	return *text == '\0';
}

static const char *const *
parts_of(int version)
{
	static const char *const version_1[] = { tables, log_triggers,
		node_update_1, node_delete, object_update_1, content_triggers,
		digest_delete_1, NULL };
	static const char *const version_2[] = { tables, closing, log_triggers,
		node_delete, object_update_1, content_triggers, digest_delete_1,
		node_update_2, NULL };
	static const char *const version_3[] = { tables, closing, definitions,
		log_triggers, node_delete, object_update_1, content_triggers,
		digest_delete_1, node_update_2, definition_triggers, NULL };
	static const char *const version_4[] = { tables, closing, definitions,
		log_triggers, node_delete, content_triggers, node_update_2,
		definition_triggers, redaction_triggers_4, NULL };
	static const char *const version_5[] = { tables, closing, definitions,
		anchors, log_triggers, node_delete, content_triggers,
		node_update_2, definition_triggers, redaction_triggers_4,
		anchor_triggers, NULL };
	static const char *const version_6[] = { tables, closing, definitions,
		anchors, log_triggers, node_delete, content_triggers,
		node_update_2, definition_triggers, anchor_triggers,
		redaction_triggers_6, NULL };
	static const char *const *const versions[TF_DB_VERSION + 1] = {
		[1] = version_1,
		[2] = version_2,
		[3] = version_3,
		[4] = version_4,
		[5] = version_5,
		[6] = version_6
	};

	return version < 1 || version > TF_DB_VERSION ? NULL :
							versions[version];
}

static enum tf_code
not_ours(struct tf_error *err)
{
	return tf_fail(err, TF_TAMPER,
	    "the database's tables or triggers are not as trailfs makes them");
}

/* Check that tables, indexes and triggers are exactly those of the version. */
static enum tf_code
check_schema(struct tf_db *db, struct tf_error *err)
{
	static const char list[] =
	    "SELECT group_concat(sql, ';') || ';' FROM"
	    " (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
	    " ORDER BY type = 'trigger', rowid)";
	const char *const *parts = parts_of(db->version);
	sqlite3_stmt *st;
	enum tf_code rc = TF_OK;
	const char *text;

	if (sqlite3_prepare_v2(db->sq, list, -1, &st, NULL) != SQLITE_OK)
		return tf_sql_fail(db, "read schema", err);
	if (sqlite3_step(st) != SQLITE_ROW)
		rc = tf_sql_fail(db, "read schema", err);
	else {
		text = (const char *)sqlite3_column_text(st, 0);
		if (text == NULL || parts == NULL || !is_made_of(text, parts))
			rc = not_ours(err);
	}
	(void)sqlite3_finalize(st);
	return rc;
}

/* True if one of the parts has the statement text, which is followed by ';'. */
static bool
is_part(const char *const *part, const char *text)
{
	const size_t n = strlen(text);

	for (; *part != NULL; part++)
		for (const char *p = *part; (p = strstr(p, text)) != NULL; p++)
			if (p[n] == ';' && (p == *part || p[-1] == ';'))
				return true;
	return false;
}

/* Check that all of ours is there, beside what a later version has added: more
 * tables and indexes, and for readers anything that nobody calls. */
static enum tf_code
check_part(struct tf_db *db, struct tf_error *err)
{
	static const char list[] = "SELECT type, sql FROM sqlite_schema"
				   " WHERE sql IS NOT NULL";
	const char *const *parts = parts_of(db->version);
	const bool writes = db->mode == TF_DB_WRITE && db->unknown_ro == 0;
	size_t wanted = 0, found = 0;
	sqlite3_stmt *st;
	const char *type, *sql;
	bool ours = parts != NULL;

	for (size_t i = 0; ours && parts[i] != NULL; i++)
		wanted += strlen(parts[i]);
	if (sqlite3_prepare_v2(db->sq, list, -1, &st, NULL) != SQLITE_OK)
		return tf_sql_fail(db, "read schema", err);
	while (ours && sqlite3_step(st) == SQLITE_ROW) {
		type = (const char *)sqlite3_column_text(st, 0);
		sql = (const char *)sqlite3_column_text(st, 1);
		if (type == NULL || sql == NULL)
			ours = false;
		else if (is_part(parts, sql))
			found += strlen(sql) + 1;
		else
			ours = !writes || strcmp(type, "table") == 0 ||
			    strcmp(type, "index") == 0;
	}
	(void)sqlite3_finalize(st);
	return ours && found == wanted ? TF_OK : not_ours(err);
}

enum tf_code
tf_schema_recognise(struct tf_db *db, struct tf_error *err)
{
	int64_t app = 0, version = 0;
	enum tf_code rc;

	rc = tf_sql_one_int(db, "PRAGMA application_id", &app, err);
	if (rc == TF_OK)
		rc = tf_sql_one_int(db, "PRAGMA user_version", &version, err);
	if (rc != TF_OK)
		return rc;
	if (app != APPLICATION_ID)
		return tf_fail(err, TF_FOREIGN, "%s is not a trailfs database",
		    TF_DB_NAME);
	db->version = (int)(version & TF_DB_VERSION_BITS);
	db->is_sparse = db->version == TF_DB_SPARSE;
	if (db->is_sparse)
		db->version = TF_DB_VERSION;
	db->unknown_ro = (unsigned)(version >> TF_DB_RO_SHIFT) &
	    TF_DB_FEATURE_BITS & ~TF_DB_RO_KNOWN;
	db->unknown_compatible = (unsigned)(version >> TF_DB_COMPATIBLE_SHIFT) &
	    TF_DB_FEATURE_BITS & ~TF_DB_COMPATIBLE_KNOWN;
	if (db->version > TF_DB_VERSION || version < 0 ||
	    version >> (TF_DB_COMPATIBLE_SHIFT + 8) != 0)
		return tf_fail(err, TF_NEWER,
		    "the store has format %d, this "
		    "trailfs knows %d: use a newer trailfs",
		    version < 0 || db->version <= TF_DB_VERSION ? (int)version :
								  db->version,
		    TF_DB_VERSION);
	return db->unknown_ro == 0 && db->unknown_compatible == 0 ?
	    check_schema(db, err) :
	    check_part(db, err);
}

bool
tf_db_is_sparse(const struct tf_db *db)
{
	return db->is_sparse;
}

enum tf_code
tf_db_set_sparse(struct tf_db *db, bool sparse, struct tf_error *err)
{
	int64_t version;
	char sql[64];
	enum tf_code rc = tf_sql_one_int(db, "PRAGMA user_version", &version,
	    err);

	if (rc != TF_OK)
		return rc;
	/* The features of a later version stay. */
	version &= ~(int64_t)TF_DB_VERSION_BITS;
	version |= sparse ? TF_DB_SPARSE : TF_DB_VERSION;
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%lld",
	    (long long)version);
	if ((rc = tf_sql_exec(db, sql, "mark the store", err)) == TF_OK)
		db->is_sparse = sparse;
	return rc;
}

enum tf_code
tf_db_refuse_sparse(const struct tf_db *db, struct tf_error *err)
{
	return db->is_sparse ?
	    tf_fail(err, TF_UNSUPPORTED,
		"this copy has names only, and not the bytes of evidence: "
		"bring them with trailctl org fetch without --names") :
	    TF_OK;
}

enum tf_code
tf_schema_writable(const struct tf_db *db, struct tf_error *err)
{
	if (db->version < TF_DB_VERSION)
		return tf_fail(err, TF_OLDER,
		    "the store has format %d, and this trailfs writes %d: "
		    "trailctl upgrade converts it; -o ro mounts it as it is",
		    db->version, TF_DB_VERSION);
	if (db->unknown_ro != 0)
		return tf_fail(err, TF_NEWER,
		    "a newer trailfs has written the store, and this one may "
		    "only read it (features 0x%x): use a newer one, or -o ro",
		    db->unknown_ro);
	return TF_OK;
}
