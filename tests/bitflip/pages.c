/* A map of an SQLite database file, as its file format page describes it. */
#include <sqlite3.h>
#include <string.h>

#include "bitflip.h"

#define NAMES 128

struct pages {
	uint8_t *map; /* number of a name for each byte */
	char names[NAMES][64];
	unsigned n_names;
	const uint8_t *f;
	size_t n;
	unsigned size, usable; /* bytes a page */
	/* What tells rows apart: the newest checkpoint, ids in stage. */
	uint64_t newest, staged[16];
	unsigned n_staged;
};

static unsigned
be(const uint8_t *p, unsigned n)
{
	unsigned v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* Mark a run of bytes, whatever it was before. */
static void
mark(struct pages *p, size_t from, size_t n, const char *kind, const char *of)
{
	char name[64];
	unsigned i;

	(void)snprintf(name, sizeof(name), "%s%s", kind, of);
	for (i = 0; i < p->n_names && strcmp(p->names[i], name) != 0; i++)
		;
	MUST(i < NAMES && from + n <= p->n);
	if (i == p->n_names)
		strcpy(p->names[p->n_names++], name);
	memset(p->map + from, (int)i, n);
}

static const uint8_t *
varint(const uint8_t *p, uint64_t *v)
{
	*v = 0;
	for (int i = 0; i < 8; i++) {
		*v = *v << 7 | (*p & 0x7f);
		if ((*p++ & 0x80) == 0)
			return p;
	}
	*v = *v << 8 | *p++;
	return p;
}

/* What a row of that table is called. */
static const char *
kind_of(const struct pages *p, const char *of, uint64_t rowid)
{
	if (strcmp(of, "checkpoint") == 0 && rowid < p->newest)
		return "older row of ";
	for (unsigned i = 0; i < p->n_staged; i++)
		if (strcmp(of, "object") == 0 && rowid == p->staged[i])
			return "unsealed row of ";
	return "row of ";
}

static void
overflow(struct pages *p, unsigned page, const char *kind, const char *of)
{
	while (page != 0) {
		size_t at = (size_t)(page - 1) * p->size;

		mark(p, at, p->size, kind, of);
		page = be(p->f + at, 4);
	}
}

static void tree(struct pages *p, unsigned page, const char *of);

/* What the header says of columns can be said in more than one way; of a
 * directory the attestation's access counts. */
static void
record(struct pages *p, const uint8_t *c, size_t n, const char *of)
{
	enum { KIND = 3, ACCESS_FIRST = 4, ACCESS_LAST = 6 };
	static const uint8_t bytes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };
	uint64_t head, type, kind = 0;
	const uint8_t *h = varint(c, &head), *value = c + head;

	if (head > n)
		return;
	mark(p, (size_t)(c - p->f), head, "head of a row of ", of);
	for (unsigned i = 0; strcmp(of, "node") == 0 && h < c + head; i++) {
		h = varint(h, &type);
		n = type < 10 ? bytes[type] : (type - 12) / 2;
		if (i == KIND)
			kind = n == 1 ? *value : type - 8;
		if (kind == TF_KIND_DIRECTORY && i >= ACCESS_FIRST &&
		    i <= ACCESS_LAST)
			mark(p, (size_t)(value - p->f), n,
			    "access of a directory", "");
		value += n;
	}
}

static void
cell(struct pages *p, size_t at, unsigned type, const char *of)
{
	unsigned max = type == 13 ? p->usable - 35 :
				    (p->usable - 12) * 64 / 255 - 23;
	unsigned min = (p->usable - 12) * 32 / 255 - 23;
	const uint8_t *c = p->f + at;
	uint64_t payload = 0, rowid = 0, local;
	const char *kind;
	size_t n;

	if (type == 2 || type == 5) {
		tree(p, be(c, 4), of);
		c += 4;
	}
	if (type != 5)
		c = varint(c, &payload);
	if (type == 5 || type == 13)
		c = varint(c, &rowid);
	kind = kind_of(p, type == 13 ? of : "", rowid);
	local = payload;
	if (payload > max) {
		local = min + (payload - min) % (p->usable - 4);
		if (local > max)
			local = min;
		overflow(p, be(c + local, 4), kind, of);
		c += 4;
	}
	n = (size_t)(c - (p->f + at)) + local;
	mark(p, at, n < 4 ? 4 : n, kind, of);
	if (type == 13)
		record(p, c - (payload > max ? 4 : 0), local, of);
}

static void
tree(struct pages *p, unsigned page, const char *of)
{
	size_t base = (size_t)(page - 1) * p->size;
	size_t at = base + (page == 1 ? 100 : 0);
	const uint8_t *h = p->f + at;
	unsigned type = h[0], cells = be(h + 3, 2), head = type < 8 ? 12 : 8;
	unsigned start = be(h + 5, 2);

	MUST(page >= 1 && base + p->size <= p->n);
	MUST(type == 2 || type == 5 || type == 10 || type == 13);
	mark(p, at, head, "page header of ", of);
	mark(p, at + 7, 1, "number of fragmented bytes", "");
	mark(p, at + head, 2 * cells, "cell pointers of ", of);
	mark(p, at + head + 2 * cells,
	    (start == 0 ? 65536 : start) - (at - base) - head - 2 * cells,
	    "unallocated space", "");
	mark(p, base + start, p->usable - start, "fragments", "");
	for (unsigned b = be(h + 1, 2); b != 0; b = be(p->f + base + b, 2)) {
		mark(p, base + b, be(p->f + base + b + 2, 2), "free blocks",
		    "");
		mark(p, base + b, 4, "links of free blocks", "");
	}
	if (type < 8)
		tree(p, be(h + 8, 4), of);
	for (unsigned i = 0; i < cells; i++)
		cell(p, base + be(h + head + 2 * i, 2), type, of);
}

static void
freelist(struct pages *p)
{
	unsigned trunk = be(p->f + 32, 4);

	while (trunk != 0) {
		size_t at = (size_t)(trunk - 1) * p->size;
		unsigned n = be(p->f + at + 4, 4);

		mark(p, at, p->size, "free pages", "");
		mark(p, at, 8 + 4 * n, "list of free pages", "");
		for (unsigned i = 0; i < n; i++)
			mark(p,
			    (size_t)(be(p->f + at + 8 + 4 * i, 4) - 1) *
				p->size,
			    p->size, "free pages", "");
		trunk = be(p->f + at, 4);
	}
}

static void
header(struct pages *p)
{
	static const struct {
		unsigned at;
		const char *name;
	} fields[] = { { 0, "magic" }, { 16, "page size" },
		{ 18, "write version" }, { 19, "read version" },
		{ 20, "reserved space" }, { 21, "payload fractions" },
		{ 24, "change counter" }, { 28, "size" }, { 32, "free pages" },
		{ 40, "schema cookie" }, { 44, "schema format" },
		{ 48, "cache size" }, { 52, "vacuum root" },
		{ 56, "text encoding" }, { 60, "user version" },
		{ 64, "incremental vacuum" }, { 68, "application id" },
		{ 72, "reserved bytes" }, { 92, "valid-for counter" },
		{ 96, "SQLite version" }, { 100, NULL } };

	for (unsigned i = 0; fields[i].name != NULL; i++)
		mark(p, fields[i].at, fields[i + 1].at - fields[i].at,
		    "header: ", fields[i].name);
}

static void
trees(struct pages *p, const char *path)
{
	sqlite3_stmt *st;
	sqlite3 *db;

	MUST(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == 0);
	MUST(sqlite3_prepare_v2(db, "SELECT max(size) FROM checkpoint", -1, &st,
		 NULL) == 0 &&
	    sqlite3_step(st) == SQLITE_ROW);
	p->newest = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	MUST(sqlite3_prepare_v2(db, "SELECT id FROM stage", -1, &st, NULL) ==
	    0);
	while (sqlite3_step(st) == SQLITE_ROW && p->n_staged < 16)
		p->staged[p->n_staged++] = (uint64_t)sqlite3_column_int64(st,
		    0);
	sqlite3_finalize(st);
	tree(p, 1, "sqlite_schema");
	MUST(sqlite3_prepare_v2(db,
		 "SELECT rootpage, CASE type WHEN 'index' THEN 'index '"
		 " ELSE '' END || name FROM sqlite_schema WHERE rootpage > 0",
		 -1, &st, NULL) == 0);
	while (sqlite3_step(st) == SQLITE_ROW)
		tree(p, (unsigned)sqlite3_column_int(st, 0),
		    (const char *)sqlite3_column_text(st, 1));
	sqlite3_finalize(st);
	sqlite3_close(db);
}

struct pages *
pages_of(const char *path, const uint8_t *file, size_t n)
{
	struct pages *p = calloc(1, sizeof(*p));

	MUST(p != NULL && (p->map = calloc(1, n)) != NULL);
	p->f = file;
	p->n = n;
	p->size = be(file + 16, 2);
	p->usable = p->size - file[20];
	MUST(p->size >= 512 && n % p->size == 0);
	mark(p, 0, n, "pages of nobody", "");
	freelist(p);
	trees(p, path);
	header(p);
	return p;
}

void
pages_free(struct pages *p)
{
	free(p->map);
	free(p);
}

const char *
pages_what(const struct pages *p, size_t off)
{
	return p->names[p->map[off]];
}
