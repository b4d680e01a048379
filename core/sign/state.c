/*
 * The file in which a signer remembers what it signed: see state.h.
 *
 * Each origin has two slots that are written in turn, so that a write that a
 * power cut tears leaves the one before it.  A slot ends with a digest of its
 * text; of two good ones the larger tree counts.
 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../ledger/note.h"

#define SLOT 512 /* bytes: what a disk writes whole */
#define HEAD "trailfs signer state 1"

/* Text of n bytes to a slot of blanks and a line feed. */
static void
fill(char slot[SLOT], const char *text)
{
	(void)snprintf(slot, SLOT, "%-*s", SLOT - 1, text);
	slot[SLOT - 1] = '\n';
}

/* What root makes among the keys of a user is the user's. */
static void
give_to_owner(int dirfd, int fd)
{
	struct stat st;

	if (geteuid() == 0 && fstat(dirfd, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

enum tf_code
tf_signer_state_open(struct tf_signer_state *s, int dirfd, const char *path,
    struct tf_error *err)
{
	char want[SLOT], have[SLOT];
	size_t got = 0;
	enum tf_code rc;

	fill(want, HEAD);
	s->synced_ns = tf_clock_boot_ns();
	rc = tf_file_open(dirfd, path, O_RDWR, &s->fd, err);
	if (rc == TF_NOTFOUND) {
		/* Another process may be first. */
		rc = tf_file_write(dirfd, path, want, SLOT, 0600, true, err);
		if (rc == TF_OK || rc == TF_EXISTS)
			rc = tf_file_open(dirfd, path, O_RDWR, &s->fd, err);
		if (rc == TF_OK)
			give_to_owner(dirfd, s->fd);
	}
	if (rc == TF_OK)
		rc = tf_file_pread(s->fd, have, SLOT, 0, &got, err);
	if (rc == TF_OK && (got != SLOT || memcmp(have, want, SLOT) != 0))
		rc = tf_fail(err, TF_TAMPER, "%.100s is no state of a signer",
		    path);
	if (rc != TF_OK)
		tf_signer_state_close(s);
	return rc;
}

void
tf_signer_state_close(struct tf_signer_state *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

enum tf_code
tf_signer_state_lock(struct tf_signer_state *s, struct tf_error *err)
{
	while (flock(s->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return tf_fail(err, TF_IO, "lock " TF_SIGNER_STATE);
	return TF_OK;
}

void
tf_signer_state_unlock(struct tf_signer_state *s)
{
	(void)flock(s->fd, LOCK_UN);
}

struct slot {
	bool empty, good;
	char origin[TF_ORIGIN_MAX + 1];
	uint64_t size;
	struct tf_hash root;
};

/* The digest that ends the text of a slot. */
static void
sum_text(const char *text, size_t n, char hex[65])
{
	struct tf_hash h;

	tf_sha256(text, n, &h);
	tf_hex(h.b, sizeof(h.b), hex);
}

/* ORIGIN SIZE ROOT SHA256, where the digest is of all before it. */
static void
parse(const char *p, struct slot *out)
{
	static const char zeros[SLOT];
	const char *size, *root, *sum, *end;
	char want[65];

	memset(out, 0, sizeof(*out));
	out->empty = memcmp(p, zeros, SLOT) == 0;
	if (out->empty || p[SLOT - 1] != '\n' ||
	    (size = memchr(p, ' ', SLOT)) == NULL ||
	    (root = memchr(size + 1, ' ', SLOT - (size_t)(size + 1 - p))) ==
		NULL ||
	    (sum = memchr(root + 1, ' ', SLOT - (size_t)(root + 1 - p))) ==
		NULL ||
	    (end = memchr(sum + 1, ' ', SLOT - (size_t)(sum + 1 - p))) ==
		NULL ||
	    size - p > TF_ORIGIN_MAX || end - sum - 1 != 64)
		return;
	sum_text(p, (size_t)(sum + 1 - p), want);
	if (memcmp(want, sum + 1, 64) != 0 ||
	    !tf_decimal(size + 1, (size_t)(root - size - 1), INT64_MAX,
		&out->size) ||
	    !tf_unhex(root + 1, (size_t)(sum - root - 1), out->root.b,
		sizeof(out->root.b)))
		return;
	memcpy(out->origin, p, (size_t)(size - p));
	out->good = true;
}

/* Take record i, two slots, into out, if it is of origin.  False: it is
 * damaged. */
static bool
take_record(const char *p, unsigned i, const char *origin,
    struct tf_signed *out, bool *used)
{
	struct slot a, b;
	const struct slot *best;

	parse(p, &a);
	parse(p + SLOT, &b);
	*used = a.good || b.good;
	if (!*used)
		return a.empty && b.empty;
	if (a.good && b.good && strcmp(a.origin, b.origin) != 0)
		return false;
	best = !b.good || (a.good && a.size > b.size) ? &a : &b;
	/* Whatever comes after the record of origin closes it. */
	out->is_closed = out->size > 0;
	if (strcmp(best->origin, origin) == 0) {
		out->size = best->size;
		out->root = best->root;
		out->at = i;
		out->slot = best == &a;
		out->is_closed = false;
	}
	return true;
}

enum tf_code
tf_signer_state_find(struct tf_signer_state *s, const char *origin,
    struct tf_signed *out, struct tf_error *err)
{
	char record[2 * SLOT];
	size_t got = 0;
	unsigned i;
	bool used = true;
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < TF_SIGNER_ORIGINS; i++) {
		rc = tf_file_pread(s->fd, record, sizeof(record),
		    (uint64_t)(2 * i + 1) * SLOT, &got, err);
		if (rc != TF_OK)
			return rc;
		/* A power cut may have left a part of the last record. */
		if (got < sizeof(record))
			break;
		if (!take_record(record, i, origin, out, &used))
			return tf_fail(err, TF_TAMPER,
			    TF_SIGNER_STATE " is damaged: verify the store, "
					    "and then remove that file");
		if (!used)
			break;
	}
	if (out->size == 0 && i == TF_SIGNER_ORIGINS)
		return tf_fail(err, TF_TAMPER,
		    "this key has signed for %u origins: make a new one", i);
	if (out->size == 0)
		out->at = i;
	return TF_OK;
}

enum tf_code
tf_signer_state_set(struct tf_signer_state *s, const char *origin,
    const struct tf_signed *now, uint64_t size, const struct tf_hash *root,
    struct tf_error *err)
{
	char text[SLOT], slot[SLOT], hex[65];
	uint64_t off = (uint64_t)(2 * now->at + 1 + now->slot) * SLOT, ns;
	enum tf_code rc;
	int n;

	if (TF_IS_MUTANT(TF_FORGET_SIGNED))
		return TF_OK;
	tf_hex(root->b, sizeof(root->b), hex);
	n = snprintf(text, sizeof(text), "%s %llu %s ", origin,
	    (unsigned long long)size, hex);
	sum_text(text, (size_t)n, hex);
	memcpy(text + n, hex, sizeof(hex));
	fill(slot, text);
	/* A new record has its other slot, too, or it would not be read. */
	if (now->size == 0) {
		static const char zeros[SLOT];

		rc = tf_file_pwrite(s->fd, zeros, SLOT, off + SLOT, err);
		if (rc != TF_OK)
			return rc;
	}
	rc = tf_file_pwrite(s->fd, slot, SLOT, off, err);
	ns = tf_clock_boot_ns();
	if (rc == TF_OK && ns - s->synced_ns >= TF_SECOND) {
		s->synced_ns = ns;
		rc = tf_file_datasync(s->fd, err);
	}
	return rc;
}

enum tf_code
tf_signer_state_raise(struct tf_signer_state *s, const char *origin,
    uint64_t size, const struct tf_hash *root, struct tf_error *err)
{
	struct tf_signed last;
	enum tf_code rc = tf_signer_state_lock(s, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_signer_state_find(s, origin, &last, err);
	if (rc == TF_OK && last.size < size && !last.is_closed)
		rc = tf_signer_state_set(s, origin, &last, size, root, err);
	if (rc == TF_OK)
		rc = tf_file_datasync(s->fd, err);
	tf_signer_state_unlock(s);
	return rc;
}

enum tf_code
tf_signer_state_copy(int dirfd, struct tf_buf *out, struct tf_error *err)
{
	struct tf_signer_state s = { .fd = -1 };
	enum tf_code rc = tf_file_open(dirfd, TF_SIGNER_STATE, O_RDONLY, &s.fd,
	    err);

	if (rc == TF_OK)
		rc = tf_signer_state_lock(&s, err);
	if (rc == TF_OK)
		rc = tf_file_read(dirfd, TF_SIGNER_STATE,
		    (size_t)(2 * TF_SIGNER_ORIGINS + 1) * SLOT, out, err);
	tf_signer_state_close(&s); /* the lock goes with it */
	return rc;
}
