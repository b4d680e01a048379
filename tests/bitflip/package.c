/*
 * Flip bits of a small package, one at a time: the verifier finds each one that
 * changes a file in it.  A few bits of compressed bytes change none: they are the
 * distance to an earlier copy of the same text.  Unused bits of the last byte are not
 * among them: the verifier finds those.
 *
 * It flips one bit of each byte of the zip headers and of each eighth byte of the
 * files; with COUNT=bytes, each bit of the headers and one of each byte of the files;
 * with COUNT=all, each bit.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "../../core/package.h"
#include "bitflip.h"

struct package {
	const char *vkey;
	char path[128];
	int fd;
	uint8_t *bytes;
	bool *header; /* of each byte: not one of a file's */
	size_t n;
	unsigned flips, bad, same;
};

static unsigned
get(const struct package *p, size_t at, unsigned bytes)
{
	unsigned v = 0;

	MUST(at + bytes <= p->n);
	while (bytes-- > 0)
		v = v << 8 | p->bytes[at + bytes];
	return v;
}

/* Mark what is not the bytes of a file, by the directory of the archive. */
static void
mark_headers(struct package *p)
{
	size_t record = get(p, p->n - 6, 4), at;

	MUST((p->header = malloc(p->n)) != NULL);
	memset(p->header, true, p->n);
	while (get(p, record, 4) == 0x02014b50) {
		at = get(p, record + 42, 4);
		at += 30 + get(p, at + 26, 2) + get(p, at + 28, 2);
		memset(p->header + at, false, get(p, record + 20, 4));
		record += 46 + get(p, record + 28, 2) + get(p, record + 30, 2);
	}
	MUST(get(p, record, 4) == 0x06054b50);
}

static void
make(struct package *p, const char *store, const char *what)
{
	const struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	const struct tf_package_request r = { .path = what };
	struct tf_package_made made;
	struct tf_vault *v;

	p->fd = open(p->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(p->fd >= 0 && tf_vault_open(store, &o, &v, NULL) == TF_OK);
	MUST(tf_package_write(v, &r, p->fd, &made, NULL) == TF_OK);
	MUST(tf_vault_close(v, "done", NULL) == TF_OK);
	p->n = made.size;
	MUST((p->bytes = malloc(p->n)) != NULL);
	MUST(pread(p->fd, p->bytes, p->n, 0) == (ssize_t)p->n);
	mark_headers(p);
}

static bool
verifies(const struct package *p)
{
	const struct tf_verify v = { .vkey = p->vkey, .threads = 1 };
	struct tf_report r;

	if (tf_verify_package(p->path, &v, &r, NULL) != TF_OK)
		return false;
	for (int l = 0; l < TF_CHECKS; l++)
		if (r.check[l] == TF_VERDICT_FAILED)
			return false;
	return r.findings == 0 && !r.foreign;
}

/* The bytes of a file of the package, which has n compressed ones; NULL: none. */
static uint8_t *
inflated(const uint8_t *from, size_t n, size_t size)
{
	uint8_t *to = malloc(size + 1);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)from,
		.avail_in = (uInt)n,
		.next_out = to,
		.avail_out = (uInt)size + 1 };
	bool ok;

	MUST(to != NULL && inflateInit2(&z, -15) == Z_OK);
	ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0 &&
	    z.total_out == size;
	(void)inflateEnd(&z);
	if (!ok) {
		free(to);
		return NULL;
	}
	return to;
}

/* Is the file that has this bit the same with another one there?  Never for the last
 * byte, which has unused bits. */
static bool
is_same(const struct package *p, size_t at, unsigned bit)
{
	size_t record = get(p, p->n - 6, 4), start, n, size;
	uint8_t *before, *after, *flipped;
	bool same = false;

	for (; get(p, record, 4) == 0x02014b50;
	     record += 46 + get(p, record + 28, 2) + get(p, record + 30, 2)) {
		start = get(p, record + 42, 4);
		start += 30 + get(p, start + 26, 2) + get(p, start + 28, 2);
		n = get(p, record + 20, 4);
		size = get(p, record + 24, 4);
		if (get(p, record + 10, 2) != Z_DEFLATED || at < start ||
		    at + 1 >= start + n)
			continue;
		MUST((flipped = malloc(n)) != NULL);
		memcpy(flipped, p->bytes + start, n);
		flipped[at - start] ^= (uint8_t)(1u << bit);
		before = inflated(p->bytes + start, n, size);
		after = inflated(flipped, n, size);
		MUST(before != NULL);
		same = after != NULL && memcmp(before, after, size) == 0;
		free(before);
		free(after);
		free(flipped);
	}
	return same;
}

static void
put(const struct package *p, size_t at, uint8_t byte)
{
	MUST(pwrite(p->fd, &byte, 1, (off_t)at) == 1);
}

static void
flip(struct package *p, size_t at, unsigned bit)
{
	put(p, at, p->bytes[at] ^ (uint8_t)(1u << bit));
	p->flips++;
	if (!verifies(p)) {
		put(p, at, p->bytes[at]);
		return;
	}
	if (!p->header[at] && is_same(p, at, bit)) {
		p->same++;
	} else {
		printf("package, byte %zu of %zu, bit %u (%s): not noticed\n",
		    at, p->n, bit, p->header[at] ? "header" : "file");
		p->bad++;
	}
	put(p, at, p->bytes[at]);
}

/* Whether this run flips that bit; `one` is the bit that was chosen for the byte. */
static bool
is_due(const struct package *p, const char *count, size_t at, unsigned bit,
    unsigned one)
{
	if (strcmp(count, "all") == 0)
		return true;
	if (strcmp(count, "bytes") == 0)
		return p->header[at] || bit == one;
	return bit == one && (p->header[at] || at % 8 == 0);
}

void
flip_package(const char *store, const char *dir, const char *vkey,
    const char *count, unsigned *flips, unsigned *bad)
{
	struct package p = { .vkey = vkey };
	unsigned one;

	(void)snprintf(p.path, sizeof(p.path), "%s/package.zip", dir);
	make(&p, store, "t/w/a");
	MUST(verifies(&p));
	for (size_t at = 0; at < p.n; at++) {
		one = (unsigned)(any_number() % 8);
		for (unsigned bit = 0; bit < 8; bit++)
			if (is_due(&p, count, at, bit, one))
				flip(&p, at, bit);
	}
	printf("test-bitflip: %u bits of a package of %zu bytes, %u not "
	       "noticed, %u that change no file\n",
	    p.flips, p.n, p.bad, p.same);
	*flips += p.flips;
	*bad += p.bad;
	(void)close(p.fd);
	free(p.header);
	free(p.bytes);
}
