/* Pending files whose content is secret: see staged_secret.h. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "../base/file.h"
#include "../node/base.h"
#include "../node/pending.h"
#include "../node/recipients.h"
#include "../node/secret.h"
#include "../node/secrets.h"
#include "../node/stage_files.h"
#include "../node/vault_i.h"
#include "staged_fd.h"
#include "staged_secret.h"
#include "staging.h"

/* Has l content, or is it known to be secret? */
static bool
has_begun(const struct tf_pending *l)
{
	return l->secret || l->size > 0 || l->in_file;
}

enum tf_code
tf_secret_address(struct tf_pending *l, struct tf_error *err)
{
	struct tf_kept_recipients *to;
	enum tf_code rc;

	if ((rc = tf_recipients_hold(l->v, l->wf, &to, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&l->v->mu);
	tf_recipients_unref(l->to);
	l->to = to;
	pthread_mutex_unlock(&l->v->mu);
	return TF_OK;
}

enum tf_code
tf_secret_expect(struct tf_pending *l, struct tf_error *err)
{
	return has_begun(l) ? TF_OK : tf_secret_address(l, err);
}

enum tf_code
tf_secret_start(struct tf_pending *l, struct tf_error *err)
{
	enum tf_code rc;

	if (has_begun(l))
		return TF_OK;
	if ((rc = tf_secret_expect(l, err)) != TF_OK || l->to == NULL)
		return rc;
	tf_secrets_take(l->v);
	if ((rc = tf_secret_new(l->v, l->attr.id, &l->key, err)) != TF_OK) {
		tf_secrets_give(l->v);
		return rc;
	}
	pthread_mutex_lock(&l->v->mu);
	l->secret = true;
	pthread_mutex_unlock(&l->v->mu);
	return TF_OK;
}

enum tf_code
tf_secret_need(struct tf_pending *l, int fd, struct tf_error *err)
{
	unsigned char head[TF_SECRET_HEAD];
	size_t got;
	enum tf_code rc;

	if (l->key != NULL)
		return TF_OK;
	rc = tf_file_pread(fd, head, sizeof(head), 0, &got, err);
	if (rc == TF_OK && got < sizeof(head))
		rc = tf_fail(err, TF_TAMPER, "a staged file is cut short");
	return rc == TF_OK ?
	    tf_secret_open(l->v, l->attr.id, head, l->size, &l->key, err) :
	    rc;
}

enum tf_code
tf_secret_of_row(struct tf_pending *l, const char *p, size_t n,
    struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (l->key == NULL)
		rc = tf_secret_open(l->v, l->attr.id, p, l->size, &l->key, err);
	return rc == TF_OK ? tf_secret_unpack(l->key, p, n, out, err) : rc;
}

enum tf_code
tf_content_salvage(struct tf_pending *l, uint64_t *size, uint64_t *torn,
    struct tf_error *err)
{
	char name[TF_STAGE_NAME];
	int fd;
	enum tf_code rc;

	tf_stage_name(l->attr.id, name);
	tf_pending_lock(l);
	rc = tf_content_settle(l, err);
	tf_content_close(l);
	if (rc == TF_OK)
		rc = tf_file_open(l->v->stagefd, name, O_RDWR, &fd, err);
	if (rc == TF_OK) {
		rc = tf_secret_need(l, fd, err);
		if (rc == TF_OK)
			rc = tf_secret_salvage(l->key, fd, size, torn, err);
		(void)close(fd); /* the caller syncs it */
	}
	pthread_mutex_unlock(&l->io);
	return rc;
}
