/*
 * The staged file of secret content after a crash: see tf_secret_salvage().
 * A chunk that was durable is in its place or in the spare; what nobody was
 * promised may be torn, and becomes zeros.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cipher.h"
#include "../base/file.h"
#include "secret.h"
#include "secret_i.h"
#include "stage_files.h"
#include "vault_i.h"

struct salvage {
	struct tf_secret *s;
	int fd;
	unsigned char *slot, *text, *spare;
	uint64_t spare_chunk; /* or NONE */
	size_t spare_n;
};

/* Chunk i has n stored bytes, which cannot be opened: take those of the spare,
 * or make a hole.  *used is what the chunk has then.  *last: what is behind it
 * was about to be cut off. */
static enum tf_code
repair_chunk(struct salvage *g, uint64_t i, size_t n, size_t *used, bool *last,
    uint64_t *torn, struct tf_error *err)
{
	if (g->spare_chunk == i &&
	    tf_staged_open(g->s->key, i, g->spare + NUMBER, g->spare_n, g->text,
		NULL) == TF_OK) {
		*used = g->spare_n - TF_STAGE_ADDED;
		*last = *used < CHUNK;
		return tf_file_pwrite(g->fd, g->spare + NUMBER, g->spare_n,
		    slot_at(i), err);
	}
	++*torn;
	*used = 0;
	memset(g->slot, 0, n);
	return tf_file_pwrite(g->fd, g->slot, n, slot_at(i), err);
}

static enum tf_code
salvage(struct salvage *g, uint64_t stored, uint64_t *size, uint64_t *torn,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	bool last = false;

	for (uint64_t i = 0; rc == TF_OK && !last && slot_at(i) < stored; i++) {
		uint64_t left = stored - slot_at(i);
		size_t n = left < SLOT ? (size_t)left : SLOT;
		size_t used = n > TF_STAGE_ADDED ? n - TF_STAGE_ADDED : 0;

		rc = used == 0 ? TF_TAMPER :
				 tf_secret_read_chunk(g->s, g->fd, i, used,
				     g->slot, g->text, err);
		if (rc == TF_TAMPER)
			rc = repair_chunk(g, i, n, &used, &last, torn, err);
		if (rc == TF_OK && used > 0)
			*size = i * CHUNK + used;
	}
	if (rc == TF_OK &&
	    ftruncate(g->fd, (off_t)tf_secret_file_size(*size)) < 0)
		rc = tf_fail(err, TF_IO, "truncate failed");
	return rc;
}

enum tf_code
tf_secret_salvage(struct tf_secret *s, int fd, uint64_t *size, uint64_t *torn,
    struct tf_error *err)
{
	unsigned char *room = malloc(SLOT + CHUNK + NUMBER + SLOT);
	struct salvage g = { .s = s, .fd = fd, .slot = room };
	struct stat st;
	enum tf_code rc = TF_OK;

	*size = *torn = 0;
	if (room == NULL)
		return tf_nomem(err);
	g.text = room + SLOT;
	g.spare = g.text + CHUNK;
	tf_secret_forget(s);
	if (fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat");
	if (rc == TF_OK)
		rc = tf_spare_read(s, g.spare, &g.spare_chunk, &g.spare_n, err);
	if (rc == TF_OK)
		rc = salvage(&g, (uint64_t)st.st_size, size, torn, err);
	tf_wipe(g.text, CHUNK);
	free(room);
	return rc;
}

enum tf_code
tf_secret_found(struct tf_vault *v, uint64_t id, bool *yes,
    struct tf_error *err)
{
	unsigned char head[TF_SECRET_HEAD];
	struct tf_secret *s = NULL;
	char name[TF_STAGE_NAME];
	size_t got = 0;
	enum tf_code rc;
	int fd;

	*yes = false;
	tf_stage_name(id, name);
	rc = tf_file_open(v->stagefd, name, O_RDONLY, &fd, err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	rc = tf_file_pread(fd, head, sizeof(head), 0, &got, err);
	(void)close(fd); /* read-only */
	if (rc == TF_OK && got == sizeof(head))
		rc = tf_secret_open(v, id, head, 0, &s, err);
	*yes = s != NULL;
	tf_secret_free(s);
	return rc == TF_TAMPER || rc == TF_NOTFOUND ? TF_OK : rc;
}
