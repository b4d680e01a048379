/*
 * Reads the bytes of the members while the archive is written, and compares
 * their digests with the manifest.
 *
 * libzip reads one member at a time, from its first byte to its last, so one
 * open file and one digest are enough.
 */
#include <string.h>
#include <unistd.h>

#include "../archive/zip_write.h"
#include "../base/crypto.h"
#include "../progress.h"
#include "../base/file.h"
#include "../node/damaged.h"
#include "evidence.h"
#include "members.h"
#include "output.h"

const struct tf_zip_member *
tf_package_zip_member(void *arg, size_t i)
{
	struct tf_package_maker *k = arg;

	return &k->m[i].zip;
}

/* Close the member before and open the next one. */
static enum tf_code
begin(struct tf_package_maker *k, size_t i, struct tf_error *err)
{
	struct tf_package_member *m = &k->m[i];

	if (k->open_fd >= 0)
		(void)close(k->open_fd);
	k->open_fd = -1;
	k->open_body.n = 0;
	k->open = i;
	tf_sha256_reset(k->open_sha);
	return m->from != TF_FROM_OBJECT ?
	    TF_OK :
	    tf_package_open_object(k, m->at, &m->sha256, &k->open_body,
		&k->open_fd, err);
}

/* Read a part of the open member, never more than its size: an object that grew
 * fails by its digest and not by a longer archive. */
static enum tf_code
read_bytes(struct tf_package_maker *k, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err)
{
	const struct tf_package_member *m = &k->m[k->open];

	if (off >= m->zip.size)
		n = 0;
	else if (n > m->zip.size - off)
		n = (size_t)(m->zip.size - off);
	if (m->from == TF_FROM_TEXTS)
		return tf_file_pread(k->texts.fd, p, n, m->at + off, got, err);
	if (m->from == TF_FROM_EVENTS)
		return tf_file_pread(k->events.fd, p, n, off, got, err);
	if (k->open_fd >= 0)
		return tf_file_pread(k->open_fd, p, n, off, got, err);
	*got = off + n > k->open_body.n ? 0 : n;
	if (*got > 0)
		memcpy(p, k->open_body.p + off, n);
	return TF_OK;
}

/* A read from offset 0 begins the member; the last read compares its digest. */
static enum tf_code
read_member(struct tf_package_maker *k, size_t i, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err)
{
	const struct tf_package_member *m = &k->m[i];
	struct tf_hash h;
	enum tf_code rc = tf_package_check_stop(k, err);

	if (rc == TF_OK && off == 0)
		rc = begin(k, i, err);
	if (rc == TF_OK)
		rc = read_bytes(k, p, n, off, got, err);
	if (rc != TF_OK)
		return rc;
	tf_sha256_add(k->open_sha, p, *got);
	tf_progress(k->done += *got, k->of);
	if (off + *got<m->zip.size && * got> 0)
		return TF_OK;
	/* A package with bytes that differ from its manifest must not be
	 * finished. */
	tf_sha256_peek(k->open_sha, &h);
	if (off + *got != m->zip.size || memcmp(&h, &m->sha256, sizeof(h)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the bytes of %.80s are not what its entry says: run "
		    "trailctl verify",
		    m->zip.name + k->top.n);
	return TF_OK;
}

enum tf_code
tf_package_zip_read(void *arg, size_t i, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err)
{
	struct tf_package_maker *k = arg;
	enum tf_code rc = read_member(k, i, p, n, off, got, err);

	if (rc == TF_TAMPER && k->m[i].node != 0)
		tf_damaged_file_add(k->v, k->m[i].node);
	return rc;
}
