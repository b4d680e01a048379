/*
 * The only parser of ZIP archives; it checks the profiles byte by byte.  An
 * archive of either profile can be read in one way only: its parts follow one
 * another without gap or overlap, no bytes follow the end, and each record of
 * the directory agrees with the local header before the bytes.
 *
 * The ZIP format states the same facts twice and allows bytes between the
 * files, so two programs may see two different sets of files in one archive.
 * An auditor's program and trailfs must see the same, hence the strictness.
 * All numbers come from outside: each is compared with what is left of the file
 * before it is added or used as a length.
 *
 * Longer than 500 lines because the records check each other: apart, nobody
 * could see that each field is compared with something.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "safe_name.h"
#include "zip_scan.h"

#define LOCAL 30   /* bytes of a local header before the name */
#define CENTRAL 46 /* bytes of a directory record before the name */
#define END 22
#define END64 56
#define LOCATOR 20
#define NAME_MAX_BYTES 8192
#define EXTRA_MAX 32
#define EXTRA_MAX_ANY 4096
#define MEMBERS_MAX ((uint64_t)8 << 20)
#define SIZE_MAX_BYTES ((uint64_t)1 << 53)
#define RATIO 1032 /* deflate unpacks a byte to at most this many */
#define DOS_DATE (1 << 5 | 1)
#define FLAGS 0x0806 /* UTF-8, and the level of deflate */
#define UTF8 0x0800
#define BEHIND 0x0008 /* sizes and checksum follow the bytes */
#define FULL32 0xffffffffu
/* The versions of the ZIP format that headers name, as libzip writes them. */
#define MADE (3 << 8 | 63) /* by Unix */
#define NEEDED_STORE 10
#define NEEDED_DEFLATE 20
#define NEEDED_64 45

struct scan {
	int fd;
	bool any;	   /* the profile TF_ZIP_ANY */
	uint64_t size;	   /* of the file */
	uint64_t at, stop; /* current offset in the directory; its end */
	uint64_t members;
	uint64_t next; /* required offset of the next local header */
	char name[NAME_MAX_BYTES + 1], last[NAME_MAX_BYTES + 1];
	size_t top; /* bytes of the topmost directory and its slash */
};

/* The fields that local header and directory record share. */
struct head {
	unsigned flags, method, time, date, name_len, extra_len;
	uint32_t crc;
	uint64_t packed, size, offset;
};

static unsigned
get16(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t
get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t
get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static enum tf_code
bad(struct tf_error *err, const char *what)
{
	return tf_fail(err, TF_TAMPER, "the archive is malformed: %s", what);
}

/* Read n bytes at an offset; a range that is not in the file is a fault of the
 * archive and not an I/O error. */
static enum tf_code
get(const struct scan *s, uint64_t at, void *p, size_t n, struct tf_error *err)
{
	size_t got;
	enum tf_code rc;

	if (at > s->size || n > s->size - at)
		return bad(err, "it is cut");
	rc = tf_file_pread(s->fd, p, n, at, &got, err);
	return rc == TF_OK && got < n ? bad(err, "it is cut") : rc;
}

/* --- end of the archive --------------------------------------------------- */

/* True if a field of the short end record agrees with the 64-bit record: it has
 * the same number, or its highest value, which stands for the other field. */
static bool
is_short(const struct scan *s, uint64_t field, uint64_t number, uint64_t full)
{
	return field == (number < full ? number : full) ||
	    (s->any && field == full);
}

/* Read the 64-bit end record, which must precede the short one.  Without one, the
 * numbers of the short one are meant as they are: 65535 files need no more. */
static enum tf_code
find_directory64(struct scan *s, uint64_t end, uint64_t *size, uint64_t *from,
    struct tf_error *err)
{
	uint8_t l[LOCATOR], e[END64];
	enum tf_code rc;

	if (end < LOCATOR + END64)
		return bad(err, "it is cut");
	if ((rc = get(s, end - LOCATOR, l, sizeof(l), err)) != TF_OK ||
	    (rc = get(s, end - LOCATOR - END64, e, sizeof(e), err)) != TF_OK)
		return rc;
	if (get32(l) != 0x07064b50)
		return TF_OK;
	if (get32(l + 4) != 0 || get32(l + 16) != 1 ||
	    get64(l + 8) != end - LOCATOR - END64 || get32(e) != 0x06064b50 ||
	    get64(e + 4) != END64 - 12 || get32(e + 16) != 0 ||
	    get32(e + 20) != 0 || get64(e + 24) != get64(e + 32) ||
	    !is_short(s, s->members, get64(e + 32), 0xffff) ||
	    !is_short(s, *size, get64(e + 40), FULL32) ||
	    !is_short(s, *from, get64(e + 48), FULL32) ||
	    (!s->any &&
		(get16(e + 12) != NEEDED_64 || get16(e + 14) != NEEDED_64)))
		return bad(err, "its 64-bit end");
	s->members = get64(e + 32);
	*size = get64(e + 40);
	*from = get64(e + 48);
	s->stop = end - LOCATOR - END64;
	return TF_OK;
}

/* Find the directory from the end record, which must be the last 22 bytes: an
 * archive comment could hold a second end record. */
static enum tf_code
find_directory(struct scan *s, struct tf_error *err)
{
	uint64_t size, from;
	uint8_t e[END];
	enum tf_code rc;

	if (s->size < END)
		return bad(err, "it is cut");
	if ((rc = get(s, s->size - END, e, sizeof(e), err)) != TF_OK)
		return rc;
	if (get32(e) != 0x06054b50 || get16(e + 20) != 0)
		return bad(err, "it does not end as an archive does");
	if (get16(e + 4) != 0 || get16(e + 6) != 0 ||
	    get16(e + 8) != get16(e + 10))
		return bad(err, "it has several parts");
	s->members = get16(e + 10);
	size = get32(e + 12);
	from = get32(e + 16);
	s->stop = s->size - END;
	if (s->members == 0xffff || size == FULL32 || from == FULL32)
		rc = find_directory64(s, s->size - END, &size, &from, err);
	if (rc != TF_OK)
		return rc;
	if (from > s->stop || size != s->stop - from)
		return bad(err, "its directory is not where it should be");
	if (s->members == 0 || s->members > MEMBERS_MAX ||
	    s->members > size / CENTRAL)
		return bad(err, "its number of files");
	s->at = from;
	return TF_OK;
}

/* --- one member ----------------------------------------------------------- */

/* Read the numbers over 32 bits from an extra field of n bytes. */
static bool
take_extra64(struct head *h, const uint8_t *p, size_t n, bool central)
{
	size_t at = 0;

	if (h->size == FULL32 && at + 8 <= n) {
		h->size = get64(p + at);
		at += 8;
	}
	if (h->packed == FULL32 && at + 8 <= n) {
		h->packed = get64(p + at);
		at += 8;
	}
	if (central && h->offset == FULL32 && at + 8 <= n) {
		h->offset = get64(p + at);
		at += 8;
	}
	return at > 0 && at == n;
}

/*
 * Read the extra fields: each is an ID, a length and that many bytes.  The
 * strict profile allows only the field with the 64-bit numbers; the other
 * profile skips all other fields.
 */
static bool
take_extra(const struct scan *s, struct head *h, const uint8_t *p, size_t n,
    bool central)
{
	bool need = h->size == FULL32 || h->packed == FULL32 ||
	    (central && h->offset == FULL32);
	size_t at = 0, len;

	if (!s->any && n > 0 && (!need || n < 12 || get16(p + 2) != n - 4))
		return false;
	for (; n - at >= 4; at += 4 + len) {
		len = get16(p + at + 2);
		if (len > n - at - 4)
			return false;
		if (get16(p + at) != 1) {
			if (!s->any)
				return false;
			continue;
		}
		if (!need || !take_extra64(h, p + at + 4, len, central))
			return false;
		need = false;
	}
	return at == n && !need;
}

/* True if libzip could not know that the deflated bytes need no 64-bit size:
 * deflate adds at most 5 bytes per block of 16 KiB, and 6.  Then it names version
 * 4.5, and the local header has the sizes in an extra field too. */
static bool
may_be_wide(const struct head *h)
{
	return h->method == 8 && h->size < FULL32 &&
	    h->size + (h->size / 16384 + 1) * 5 + 6 > FULL32;
}

/* Read the extra fields of a local header; those of c are read already. */
static bool
take_extra_local(const struct scan *s, struct head *h, const struct head *c,
    const uint8_t *p)
{
	const size_t n = h->extra_len;

	if (!s->any && n == 20 && may_be_wide(c))
		return get16(p) == 1 && get16(p + 2) == 16 &&
		    get64(p + 4) == h->size && get64(p + 12) == h->packed;
	return take_extra(s, h, p, n, false);
}

/* True if a header of the strict profile names the version of the ZIP format that
 * its fields need. */
static bool
is_needed(const struct head *h, unsigned version, bool central)
{
	const bool sizes = h->size >= FULL32 || h->packed >= FULL32;

	if (version == NEEDED_64)
		return sizes || h->offset >= FULL32 || may_be_wide(h);
	return !sizes && (!central || h->offset < FULL32) &&
	    version == (h->method == 8 ? NEEDED_DEFLATE : NEEDED_STORE);
}

/* True if each part of the name is safe on every system (safe_name.h) and the
 * name has no control character: the name is shown in findings and used as a
 * path. */
static bool
is_legal(const struct scan *s, size_t n)
{
	const char *p = s->name, *slash;
	size_t k, parts = 0;
	uint32_t c;

	for (size_t i = 0; i < n; i += k)
		if ((k = tf_utf8(p + i, n - i, &c)) == 0 || c < 0x20 ||
		    (c >= 0x7f && c < 0xa0))
			return false;
	if (s->any && strncmp(p, "./", 2) == 0)
		p += 2; /* the caller cuts it off */
	for (;; p = slash + 1, parts++) {
		slash = strchr(p, '/');
		k = slash == NULL ? strlen(p) : (size_t)(slash - p);
		if (!tf_package_is_safe((struct tf_str){ p, k }))
			return false;
		if (slash == NULL)
			return parts > 0 || s->any;
	}
}

/* The strict profile has one topmost directory and sorted names. */
static enum tf_code
check_place(struct scan *s, size_t n, uint64_t i, struct tf_error *err)
{
	if (i == 0)
		s->top = (size_t)(strchr(s->name, '/') + 1 - s->name);
	else if (strncmp(s->name, s->last, s->top) != 0)
		return bad(err, "more than one topmost directory");
	else if (strcmp(s->last, s->name) >= 0)
		return tf_fail(err, TF_TAMPER,
		    "the archive is malformed: a name twice or out of order: "
		    "%.80s",
		    s->name);
	memcpy(s->last, s->name, n + 1);
	return TF_OK;
}

/* Sets *directory if the name ends with a slash; only TF_ZIP_ANY allows it. */
static enum tf_code
check_name(struct scan *s, size_t n, unsigned flags, uint64_t i,
    bool *directory, struct tf_error *err)
{
	bool ascii = true;

	for (size_t k = 0; k < n; k++)
		ascii = ascii && (s->name[k] & 0x80) == 0;
	*directory = s->any && n > 1 && s->name[n - 1] == '/';
	if (*directory)
		s->name[n - 1] = '\0';
	if (!s->any && flags != (ascii ? 0 : UTF8))
		return bad(err, "flags that no package has");
	if (*directory && s->any && strcmp(s->name, ".") == 0)
		; /* the directory that was packed again */
	else if (strlen(s->name) != n - *directory ||
	    !is_legal(s, n - *directory))
		return tf_fail(err, TF_TAMPER,
		    "the archive is malformed: a name that no package has: "
		    "%.80s",
		    s->name);
	if (*directory)
		s->name[n - 1] = '/';
	return s->any ? TF_OK : check_place(s, n, i, err);
}

/* Decode the fields that local header and directory record have in the same
 * order. */
static void
take_head(const uint8_t *p, struct head *h)
{
	h->flags = get16(p);
	h->method = get16(p + 2);
	h->time = get16(p + 4);
	h->date = get16(p + 6);
	h->crc = get32(p + 8);
	h->packed = get32(p + 12);
	h->size = get32(p + 16);
	h->name_len = get16(p + 20);
	h->extra_len = get16(p + 22);
}

/* With BEHIND, checksum and sizes in the local header may be 0. */
static bool
agree(const struct head *local, const struct head *c)
{
	const bool behind = (c->flags & BEHIND) != 0;

	return local->flags == c->flags && local->method == c->method &&
	    local->time == c->time && local->date == c->date &&
	    (local->crc == c->crc || (behind && local->crc == 0)) &&
	    (local->packed == c->packed || (behind && local->packed == 0)) &&
	    (local->size == c->size || (behind && local->size == 0));
}

/* Compare the local header with the record of the directory; some programs
 * believe the one, some the other. */
static enum tf_code
read_local(struct scan *s, const struct head *c, uint64_t *data,
    struct tf_error *err)
{
	const size_t extra_max = s->any ? EXTRA_MAX_ANY : EXTRA_MAX;
	uint8_t b[LOCAL + NAME_MAX_BYTES + EXTRA_MAX_ANY];
	struct head h = { .offset = 0 };
	size_t n = LOCAL + c->name_len;
	unsigned needed;
	enum tf_code rc = get(s, c->offset, b, n, err);

	if (rc != TF_OK)
		return rc;
	needed = get16(b + 4);
	take_head(b + 6, &h);
	if (get32(b) != 0x04034b50 || h.name_len != c->name_len ||
	    memcmp(b + LOCAL, s->name, c->name_len) != 0 ||
	    h.extra_len > extra_max)
		return bad(err, "a header is not what the directory says");
	if ((rc = get(s, c->offset + n, b, h.extra_len, err)) != TF_OK)
		return rc;
	if (!take_extra_local(s, &h, c, b) || !agree(&h, c) ||
	    (!s->any && !is_needed(c, needed, false)))
		return bad(err, "a header is not what the directory says");
	*data = c->offset + n + h.extra_len;
	return TF_OK;
}

/* Skip checksum and sizes after the bytes; four forms of them are in use. */
static enum tf_code
skip_sizes(struct scan *s, const struct head *h, struct tf_error *err)
{
	uint8_t b[24];
	size_t n, mark;
	bool same;

	for (int form = 0; form < 4; form++) {
		mark = form < 2 ? 4 : 0;
		n = mark + (form % 2 == 0 ? 12 : 20);
		if (n > s->size - s->next ||
		    get(s, s->next, b, n, NULL) != TF_OK)
			continue;
		same = get32(b + mark) == h->crc &&
		    (form % 2 == 0 ? get32(b + mark + 4) == h->packed &&
				get32(b + mark + 8) == h->size :
				     get64(b + mark + 4) == h->packed &&
				get64(b + mark + 12) == h->size);
		if (same && (mark == 0 || get32(b) == 0x08074b50)) {
			s->next += n;
			return TF_OK;
		}
	}
	return bad(err, "the sizes behind a file");
}

/* True for a plain file or a directory without set-uid and set-gid bits. */
static bool
is_usual(const uint8_t *p, bool directory)
{
	uint32_t mode = get32(p + 38) >> 16, type = mode & S_IFMT;

	if (p[5] == 3 || p[5] == 19) /* Unix, macOS */
		return (mode & (S_ISUID | S_ISGID)) == 0 &&
		    (type == 0 || type == (directory ? S_IFDIR : S_IFREG));
	return p[5] == 0 || p[5] == 10 || p[5] == 11; /* Windows */
}

/* The checks of the strict profile: each field has the one value that zip_write.c
 * gives it.  check_name() knows the flags. */
static enum tf_code
check_ours(const struct head *h, const uint8_t *p, struct tf_error *err)
{
	uint32_t mode = get32(p + 38) >> 16;

	if ((h->flags & ~(unsigned)FLAGS) != 0)
		return bad(err,
		    "a file is encrypted or has its size behind it");
	if (h->time != 0 || h->date != DOS_DATE)
		return bad(err, "a time that no package has");
	if ((get32(p + 38) & 0xffff) != 0 ||
	    (mode != (S_IFREG | 0644) && mode != (S_IFREG | 0755)))
		return bad(err,
		    "a link, a device, or a mode that no package has");
	if (get16(p + 4) != MADE || !is_needed(h, get16(p + 6), true) ||
	    get16(p + 36) != 0)
		return bad(err,
		    "a version, or an attribute, that no package has");
	return TF_OK;
}

/* Check what both profiles forbid.  RATIO refuses a size that deflate cannot
 * reach, before anything is unpacked. */
static enum tf_code
check_head(const struct scan *s, const struct head *h, const uint8_t *p,
    bool directory, struct tf_error *err)
{
	enum tf_code rc = s->any ? TF_OK : check_ours(h, p, err);

	if (rc != TF_OK)
		return rc;
	if ((h->flags & ~(unsigned)(FLAGS | BEHIND)) != 0)
		return bad(err,
		    "a file is encrypted; unpack it and verify the directory");
	if (h->method != 0 && h->method != 8)
		return bad(err,
		    "a compression that no package uses; unpack it and verify "
		    "the directory");
	if (s->any && !is_usual(p, directory))
		return bad(err, "a link, a device, or a mode to fear");
	if (get16(p + 32) != 0 || get16(p + 34) != 0)
		return bad(err, "a comment, or another part");
	if (h->size > SIZE_MAX_BYTES ||
	    (h->method == 0 && h->packed != h->size) ||
	    h->size / RATIO > h->packed || (directory && h->size != 0))
		return bad(err, "a size that cannot be");
	return TF_OK;
}

/* Read the current record of the directory, and its name. */
static enum tf_code
read_record(struct scan *s, uint8_t *p, struct head *h, struct tf_error *err)
{
	const size_t extra_max = s->any ? EXTRA_MAX_ANY : EXTRA_MAX;
	uint8_t extra[EXTRA_MAX_ANY];
	enum tf_code rc = get(s, s->at, p, CENTRAL, err);

	if (rc != TF_OK)
		return rc;
	take_head(p + 8, h);
	h->offset = get32(p + 42);
	if (get32(p) != 0x02014b50 || h->name_len == 0 ||
	    h->name_len > NAME_MAX_BYTES || h->extra_len > extra_max ||
	    CENTRAL + h->name_len + h->extra_len > s->stop - s->at)
		return bad(err, "its directory");
	if ((rc = get(s, s->at + CENTRAL, s->name, h->name_len, err)) !=
		TF_OK ||
	    (rc = get(s, s->at + CENTRAL + h->name_len, extra, h->extra_len,
		 err)) != TF_OK)
		return rc;
	s->name[h->name_len] = '\0';
	return take_extra(s, h, extra, h->extra_len, true) ?
	    TF_OK :
	    bad(err, "a field that no package has");
}

/* Read one record of the directory and its local header.  s->next is the only
 * place where the local header may be, so files can neither overlap nor have a
 * gap between them. */
static enum tf_code
one_member(struct scan *s, uint64_t i, struct tf_zip_entry *e, bool *directory,
    struct tf_error *err)
{
	uint8_t p[CENTRAL];
	struct head h;
	enum tf_code rc = read_record(s, p, &h, err);

	if (rc != TF_OK)
		return rc;
	*directory = s->any && s->name[h.name_len - 1] == '/';
	if ((rc = check_head(s, &h, p, *directory, err)) != TF_OK ||
	    (rc = check_name(s, h.name_len, h.flags, i, directory, err)) !=
		TF_OK)
		return rc;
	if (h.offset != s->next)
		return bad(err,
		    "there are bytes between files, or they overlap");
	if ((rc = read_local(s, &h, &e->at, err)) != TF_OK)
		return rc;
	if (h.packed > s->size - e->at)
		return bad(err, "it is cut");
	s->next = e->at + h.packed;
	if ((h.flags & BEHIND) != 0 && (rc = skip_sizes(s, &h, err)) != TF_OK)
		return rc;
	s->at += CENTRAL + h.name_len + h.extra_len;
	e->name = s->name;
	e->name_len = h.name_len;
	e->packed = h.packed;
	e->size = h.size;
	e->crc = h.crc;
	e->deflate = h.method == 8;
	e->executable = get32(p + 38) >> 16 == (S_IFREG | 0755);
	return TF_OK;
}

enum tf_code
tf_zip_scan(int fd, enum tf_zip_profile profile, tf_zip_found fn, void *arg,
    struct tf_error *err)
{
	struct scan *s = calloc(1, sizeof(*s));
	struct tf_zip_entry e;
	struct stat st;
	uint64_t from = 0;
	bool directory;
	enum tf_code rc;

	if (s == NULL)
		return tf_nomem(err);
	s->fd = fd;
	s->any = profile == TF_ZIP_ANY;
	if (fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rc = tf_fail(err, TF_INVALID, "a package is a plain file");
	else {
		s->size = (uint64_t)st.st_size;
		rc = find_directory(s, err);
		from = s->at;
	}
	for (uint64_t i = 0; rc == TF_OK && i < s->members; i++)
		if ((rc = one_member(s, i, &e, &directory, err)) == TF_OK &&
		    !directory)
			rc = fn(arg, &e, err);
	if (rc == TF_OK && (s->at != s->stop || s->next != from))
		rc = bad(err, "there are bytes that belong to no file");
	free(s);
	return rc;
}
