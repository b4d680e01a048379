/*
 * A hostile package: verify it and unpack it.  Both calls must return.
 *
 * Input that begins as an archive is the package.  Other input describes
 * changes to a published package; the target then makes new manifests and a new
 * archive, so that only entries, proofs and signatures can reveal the changes.
 * If the verifier finds nothing, the evidence must be that of the published
 * package.
 */
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/package.h"
#include "../../core/verify.h"
#include "fuzz.h"

#define MEMBERS 80
#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define GOLDEN TF_PACKAGES "/golden/v1/"

struct member {
	struct tf_buf name, body;
	bool executable;
};

struct bag {
	struct member m[MEMBERS];
	size_t n;
	char top[64]; /* with its slash */
};

static const char *const published[] = { GOLDEN "no-workflow.zip",
	GOLDEN "workflow.zip", GOLDEN "attestation.zip",
	GOLDEN "odd-names.zip" };
static struct bag base[LEN(published)], bag;
static char dir[] = "/dev/shm/trailfs-fuzz.XXXXXX";
static char file[64], out[64];
static const char vkey[] =
    "example.org/golden+581ec23a+AQYSjMdXtSnh++C+V3uBtCPG"
    "jRU/03Yr8Rr/Unu0QB3N";

/* --- members -------------------------------------------------------------- */

static void
set(struct tf_buf *b, const void *p, size_t n)
{
	b->n = 0;
	tf_buf_add(b, p, n);
}

static struct member *
add(struct bag *b, const char *name, size_t n)
{
	struct member *m = &b->m[b->n++];

	set(&m->name, name, n);
	m->body.n = 0;
	m->executable = false;
	return m;
}

static void
drop(struct bag *b, size_t i)
{
	struct member gone = b->m[i];

	memmove(&b->m[i], &b->m[i + 1], (b->n - i - 1) * sizeof(gone));
	b->m[--b->n] = gone; /* its memory is used again */
}

static int
by_name(const void *a, const void *b)
{
	const struct tf_buf *x = &((const struct member *)a)->name;
	const struct tf_buf *y = &((const struct member *)b)->name;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static bool
is_named(const struct bag *b, const struct member *m, const char *name)
{
	size_t top = strlen(b->top), n = strlen(name);

	return m->name.n == top + n && memcmp(m->name.p, b->top, top) == 0 &&
	    memcmp(m->name.p + top, name, n) == 0;
}

static bool
is_evidence(const struct bag *b, const struct member *m)
{
	size_t top = strlen(b->top);

	return m->name.n > top + 5 && memcmp(m->name.p, b->top, top) == 0 &&
	    memcmp(m->name.p + top, "data/", 5) == 0;
}

static void
fill_manifest(struct bag *b, const char *name, bool evidence)
{
	size_t top = strlen(b->top), i = 0;
	char hex[2 * sizeof(struct tf_hash) + 1];
	struct tf_hash h;
	struct tf_buf *to;

	while (i < b->n && !is_named(b, &b->m[i], name))
		i++;
	if (i == b->n)
		return;
	to = &b->m[i].body;
	to->n = 0;
	for (i = 0; i < b->n; i++) {
		const struct member *m = &b->m[i];

		if (is_evidence(b, m) != evidence || m->name.n < top ||
		    is_named(b, m, "tagmanifest-sha256.txt"))
			continue;
		tf_sha256(m->body.n > 0 ? m->body.p : "", m->body.n, &h);
		tf_hex(h.b, sizeof(h.b), hex);
		tf_buf_printf(to, "%s  ", hex);
		tf_buf_add(to, m->name.p + top, m->name.n - top);
		tf_buf_add(to, "\n", 1);
	}
}

/* --- an archive of them --------------------------------------------------- */

static uint32_t
crc32_of(const struct tf_buf *b)
{
	static uint32_t table[256];
	uint32_t c;

	for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
		c = i;
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ ((c & 1) != 0 ? 0xedb88320u : 0);
		table[i] = c;
	}
	c = 0xffffffffu;
	for (size_t i = 0; i < b->n; i++)
		c = c >> 8 ^ table[(c ^ (uint8_t)b->p[i]) & 0xff];
	return ~c;
}

static void
put16(struct tf_buf *z, size_t v)
{
	tf_buf_add(z, (char[]){ (char)v, (char)(v >> 8) }, 2);
}

static void
put32(struct tf_buf *z, size_t v)
{
	put16(z, v);
	put16(z, v >> 16);
}

/* What stands before the bytes and in the directory. */
static void
put_head(struct tf_buf *z, const struct member *m)
{
	bool ascii = true;

	for (size_t i = 0; i < m->name.n; i++)
		ascii = ascii && (m->name.p[i] & 0x80) == 0;
	put16(z, 10);
	put16(z, ascii ? 0 : 0x0800); /* UTF-8 */
	put16(z, 0);		      /* stored */
	put32(z, 0x210000);
	put32(z, crc32_of(&m->body));
	put32(z, m->body.n);
	put32(z, m->body.n);
	put16(z, m->name.n);
	put16(z, 0);
}

static void
pack(const struct bag *b, struct tf_buf *z)
{
	struct tf_buf central = { 0 };
	size_t at;

	z->n = 0;
	for (size_t i = 0; i < b->n; i++) {
		const struct member *m = &b->m[i];

		at = z->n;
		put32(z, 0x04034b50);
		put_head(z, m);
		tf_buf_add(z, m->name.p, m->name.n);
		tf_buf_add(z, m->body.p, m->body.n);
		put32(&central, 0x02014b50);
		put16(&central, 63 | 3 << 8);
		put_head(&central, m);
		put32(&central, 0); /* no comment; the first part */
		put16(&central, 0);
		put32(&central,
		    (size_t)(S_IFREG | (m->executable ? 0755 : 0644)) << 16);
		put32(&central, at);
		tf_buf_add(&central, m->name.p, m->name.n);
	}
	at = z->n;
	tf_buf_add(z, central.p, central.n);
	put32(z, 0x06054b50);
	put32(z, 0);
	put16(z, b->n);
	put16(z, b->n);
	put32(z, central.n);
	put32(z, at);
	put16(z, 0);
	MUST(!z->failed && !central.failed);
	tf_buf_free(&central);
}

/* --- the published ones --------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static void
tidy(void)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
take_in(const char *path, const struct stat *st, int type, struct FTW *f)
{
	const char *name = path + strlen(out) + 1;
	struct bag *b = &bag;
	struct member *m;
	char part[4096];
	ssize_t n;
	int fd;

	(void)f;
	if (type != FTW_F)
		return 0;
	if (b->n == 0)
		snprintf(b->top, sizeof(b->top), "%.*s/",
		    (int)strcspn(name, "/"), name);
	MUST(b->n < MEMBERS);
	m = add(b, name, strlen(name));
	m->executable = (st->st_mode & 0100) != 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while ((n = read(fd, part, sizeof(part))) > 0)
		tf_buf_add(&m->body, part, (size_t)n);
	MUST(n == 0 && close(fd) == 0);
	return 0;
}

static void
copy(struct bag *to, const struct bag *from)
{
	memcpy(to->top, from->top, sizeof(to->top));
	to->n = 0;
	for (size_t i = 0; i < from->n; i++) {
		const struct member *m = &from->m[i];
		struct member *c = add(to, m->name.p, m->name.n);

		set(&c->body, m->body.p, m->body.n);
		c->executable = m->executable;
	}
}

static void
set_up(void)
{
	uint64_t files;

	MUST(mkdtemp(dir) != NULL);
	snprintf(file, sizeof(file), "%s/p.zip", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	atexit(tidy);
	for (size_t i = 0; i < LEN(published); i++) {
		bag.n = 0;
		MUST(tf_package_unpack(published[i], out, &files, NULL) ==
		    TF_OK);
		MUST(nftw(out, take_in, 16, FTW_PHYS) == 0);
		MUST(nftw(out, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
		qsort(bag.m, bag.n, sizeof(bag.m[0]), by_name);
		copy(&base[i], &bag);
	}
}

/* --- changes -------------------------------------------------------------- */

struct input {
	const uint8_t *p;
	size_t n;
};

static size_t
number(struct input *in, size_t bytes)
{
	size_t v = 0;

	for (; bytes > 0; bytes--) {
		v = v << 8 | (in->n > 0 ? *in->p : 0);
		if (in->n > 0) {
			in->p++;
			in->n--;
		}
	}
	return v;
}

static const char *
text(struct input *in, size_t *n)
{
	const char *p;

	*n = number(in, 1);
	if (*n > in->n)
		*n = in->n;
	p = (const char *)in->p;
	in->p += *n;
	in->n -= *n;
	return p;
}

/* Put n bytes in the place of those from..to. */
static void
put_between(struct tf_buf *b, size_t from, size_t to, const char *p, size_t n)
{
	struct tf_buf all = { 0 };

	tf_buf_add(&all, b->p, from);
	tf_buf_add(&all, p, n);
	tf_buf_add(&all, b->p + to, b->n - to);
	tf_buf_free(b);
	*b = all;
}

static size_t
offset_in(struct input *in, const struct tf_buf *b)
{
	return number(in, 2) % (b->n + 1);
}

/* Bytes of another member come here, or of this one. */
static void
copy_part(struct input *in, struct tf_buf *to)
{
	const struct tf_buf *from = &bag.m[number(in, 1) % bag.n].body;
	size_t at = offset_in(in, from), n = number(in, 2), to_at;
	char *part;

	if (n > from->n - at)
		n = from->n - at;
	part = malloc(n + 1);
	MUST(part != NULL);
	if (n > 0)
		memcpy(part, from->p + at, n);
	to_at = offset_in(in, to);
	put_between(to, to_at, to_at, part, n);
	free(part);
}

static void
change(struct input *in)
{
	size_t what = number(in, 1) % 9, i = number(in, 1) % bag.n, at, to, n;
	struct member *m = &bag.m[i];
	const char *p;

	switch (what) {
	case 0: /* over, into, out of */
	case 1:
	case 2:
		at = offset_in(in, &m->body);
		p = text(in, &n);
		to = what == 0 ? at + n : what == 1 ? at : at + number(in, 2);
		put_between(&m->body, at, to < m->body.n ? to : m->body.n, p,
		    n);
		break;
	case 3:
		at = offset_in(in, &m->name);
		p = text(in, &n);
		put_between(&m->name, at, m->name.n, p, n);
		break;
	case 4:
		if (bag.n > 1)
			drop(&bag, i);
		break;
	case 5:
		p = text(in, &n);
		if (bag.n == MEMBERS)
			break;
		m = add(&bag, bag.top, strlen(bag.top));
		tf_buf_add(&m->name, p, n);
		p = text(in, &n);
		tf_buf_add(&m->body, p, n);
		break;
	case 6:
		copy_part(in, &m->body);
		break;
	case 7:
		m->executable = !m->executable;
		break;
	default: /* a line out */
		at = offset_in(in, &m->body);
		p = at < m->body.n ?
		    memchr(m->body.p + at, '\n', m->body.n - at) :
		    NULL;
		to = p != NULL ? (size_t)(p - m->body.p) + 1 : m->body.n;
		put_between(&m->body, at, to, "", 0);
		break;
	}
}

/* Into z; which of the published ones it was made of. */
static const struct bag *
make(const uint8_t *data, size_t n, struct tf_buf *z)
{
	struct input in = { data, n };
	size_t how = number(&in, 1);
	const struct bag *b = &base[how % LEN(published)];

	copy(&bag, b);
	while (in.n > 0)
		change(&in);
	if ((how & 0x40) == 0)
		qsort(bag.m, bag.n, sizeof(bag.m[0]), by_name);
	if ((how & 0x80) == 0) {
		fill_manifest(&bag, "manifest-sha256.txt", true);
		fill_manifest(&bag, "tagmanifest-sha256.txt", false);
	}
	pack(&bag, z);
	return b;
}

/* --- what must hold ------------------------------------------------------- */

static bool
has(const struct bag *b, const struct member *m)
{
	for (size_t i = 0; i < b->n; i++)
		if (by_name(&b->m[i], m) == 0)
			return b->m[i].body.n == m->body.n &&
			    (m->body.n == 0 ||
				memcmp(b->m[i].body.p, m->body.p, m->body.n) ==
				    0);
	return false;
}

/* Nothing was found in the bag that was made of b. */
static void
must_be_genuine(const struct bag *b)
{
	for (size_t i = 0; i < bag.n; i++)
		MUST(!is_evidence(b, &bag.m[i]) || has(b, &bag.m[i]));
	for (size_t i = 0; i < b->n; i++)
		MUST(!is_evidence(b, &b->m[i]) || has(&bag, &b->m[i]));
}

static void
write_file(const void *p, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static void
unpack(bool made)
{
	uint64_t files = 0;
	enum tf_code rc = tf_package_unpack(file, out, &files, NULL);

	MUST(rc != TF_OK || access(out, F_OK) == 0);
	MUST(rc != TF_OK || !made || files == bag.n);
	if (access(out, F_OK) == 0)
		MUST(nftw(out, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_verify v = { .vkey = vkey, .threads = 1 };
	struct tf_report r = { 0 };
	const struct bag *made_of = NULL;
	struct tf_buf z = { 0 };
	enum tf_code rc;

	if (file[0] == '\0')
		set_up();
	if (n >= 2 && memcmp(data, "PK", 2) == 0)
		tf_buf_add(&z, data, n);
	else
		made_of = make(data, n, &z);
	write_file(z.p, z.n);
	rc = tf_verify_package(file, &v, &r, NULL);
	MUST(rc != TF_OK || r.findings > 0 || r.files <= z.n);
	MUST(made_of == NULL || n > 1 || (rc == TF_OK && r.findings == 0));
	if (made_of != NULL && rc == TF_OK && r.findings == 0 && !r.foreign)
		must_be_genuine(made_of);
	/* Unpacking takes longer than all else, and sees the same. */
	if (made_of == NULL || (n > 0 && (data[0] & 0x20) != 0))
		unpack(made_of != NULL);
	tf_buf_free(&z);
	return 0;
}
