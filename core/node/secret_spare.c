/*
 * The spare of a secret file: the newest text of one durable chunk, while it is
 * written in its place.  secret.c says when.
 */
#include <fcntl.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "secret_i.h"
#include "stage_files.h"
#include "vault_i.h"

enum tf_code
tf_spare_write(struct tf_secret *s, int file, size_t n, struct tf_error *err)
{
	char name[TF_STAGE_NAME];
	int fd;
	enum tf_code rc = s->spare_busy ? tf_file_datasync(file, err) : TF_OK;

	if (rc != TF_OK)
		return rc;
	tf_stage_spare_name(s->id, name);
	rc = tf_file_open(s->v->stagefd, name, O_RDWR | O_CREAT, &fd, err);
	if (rc != TF_OK)
		return rc;
	tf_put_be64(s->slot, s->at);
	tf_put_be32(s->slot + 8, (uint32_t)n);
	rc = tf_file_pwrite(fd, s->slot, NUMBER + n, 0, err);
	if (rc == TF_OK)
		rc = tf_file_datasync(fd, err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(s->v->stagefd, ".", err);
	(void)close(fd); /* synced */
	s->spare_busy = rc == TF_OK;
	return rc;
}

enum tf_code
tf_spare_read(const struct tf_secret *s, unsigned char *slot, uint64_t *chunk,
    size_t *n, struct tf_error *err)
{
	char name[TF_STAGE_NAME];
	size_t got = 0;
	int fd;
	enum tf_code rc;

	*chunk = NONE;
	tf_stage_spare_name(s->id, name);
	rc = tf_file_open(s->v->stagefd, name, O_RDONLY, &fd, err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	rc = tf_file_pread(fd, slot, NUMBER + SLOT, 0, &got, err);
	(void)close(fd); /* read-only */
	if (rc != TF_OK || got < NUMBER)
		return rc;
	*n = tf_get_be32(slot + 8);
	if (*n <= got - NUMBER)
		*chunk = (uint64_t)tf_get_be32(slot) << 32 |
		    tf_get_be32(slot + 4);
	return TF_OK;
}
