/*
 * The key of the stage: see secrets.h.
 *
 * It gets another name before it is overwritten, so that a crash in between
 * never leaves half a key under the name that the next start reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/file.h"
#include "../store/store_files.h"
#include "base.h"
#include "secrets.h"
#include "vault_i.h"

/* Where the key is.  Earlier versions had it among the keys of the signer: one that
 * they left is used there, and destroyed there. */
static const struct place {
	const char *key, *old, *dir;
} places[] = {
	{ TF_STAGE_KEY, TF_STAGE_KEY ".old", "." },
	{ TF_STAGE_KEY_EARLIER, TF_STAGE_KEY_EARLIER ".old", "keys" },
};
#define PLACES (sizeof(places) / sizeof(places[0]))

#define RENEW_NS (60 * TF_SECOND)

struct tf_secrets {
	pthread_mutex_t mu;	  /* taken last */
	struct tf_stage_key *key; /* NULL: not read */
	_Atomic uint64_t users;	  /* files that need it */
	uint64_t renewed_ns; /* boot clock; of the one thread that renews */
};

enum tf_code
tf_secrets_start(struct tf_vault *v, struct tf_error *err)
{
	if ((v->secrets = calloc(1, sizeof(*v->secrets))) == NULL)
		return tf_nomem(err);
	(void)pthread_mutex_init(&v->secrets->mu, NULL);
	return TF_OK;
}

void
tf_secrets_end(struct tf_vault *v)
{
	if (v->secrets == NULL)
		return;
	tf_stage_key_free(v->secrets->key);
	(void)pthread_mutex_destroy(&v->secrets->mu);
	free(v->secrets);
	v->secrets = NULL;
}

static enum tf_code
read_key(struct tf_vault *v, struct tf_error *err)
{
	enum tf_code rc = v->secrets->key != NULL ? TF_OK : TF_NOTFOUND;

	for (size_t i = 0; i < PLACES && rc == TF_NOTFOUND; i++) {
		rc = tf_stage_key_load(v->dirfd, places[i].key,
		    &v->secrets->key, err);
		/* keys/ may belong to root, and then holds no such key. */
		if (rc == TF_ACCESS && i > 0 &&
		    faccessat(v->dirfd, places[i].dir, X_OK, AT_EACCESS) < 0)
			rc = TF_NOTFOUND;
	}
	return rc;
}

enum tf_code
tf_secrets_wrap(struct tf_vault *v, const struct tf_staged_key *key,
    uint8_t out[TF_WRAPPED_KEY_LEN], struct tf_error *err)
{
	struct tf_secrets *s = v->secrets;
	enum tf_code rc;

	pthread_mutex_lock(&s->mu);
	rc = read_key(v, err);
	if (rc == TF_NOTFOUND)
		rc = tf_stage_key_create(v->dirfd, TF_STAGE_KEY, &s->key, err);
	if (rc == TF_OK)
		rc = tf_staged_key_wrap(key, s->key, out, err);
	pthread_mutex_unlock(&s->mu);
	return rc;
}

enum tf_code
tf_secrets_unwrap(struct tf_vault *v, const uint8_t wrapped[TF_WRAPPED_KEY_LEN],
    uint64_t file, struct tf_staged_key **out, struct tf_error *err)
{
	struct tf_secrets *s = v->secrets;
	enum tf_code rc;

	pthread_mutex_lock(&s->mu);
	rc = read_key(v, err);
	if (rc == TF_OK)
		rc = tf_staged_key_unwrap(wrapped, file, s->key, out, err);
	pthread_mutex_unlock(&s->mu);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc,
		    TF_STAGE_KEY " is missing: what is not sealed yet cannot "
				 "be read without it");
	return rc;
}

void
tf_secrets_take(struct tf_vault *v)
{
	atomic_fetch_add(&v->secrets->users, 1);
}

void
tf_secrets_give(struct tf_vault *v)
{
	atomic_fetch_sub(&v->secrets->users, 1);
}

/* What errno says about a file that could not be changed: whose directory is not
 * ours has no key of ours. */
static bool
is_absent(const struct place *p)
{
	return errno == ENOENT || (errno == EACCES && p != &places[0]);
}

/* In place: a file system that writes in place keeps nothing of it. */
static enum tf_code
destroy_old(struct tf_vault *v, const struct place *p, struct tf_error *err)
{
	static const uint8_t zeros[TF_STAGE_KEY_LEN];
	int fd;
	enum tf_code rc;

	if (fchmodat(v->dirfd, p->old, 0600, 0) < 0)
		return is_absent(p) ? TF_OK :
				      tf_fail(err, TF_IO, "chmod %s", p->old);
	if ((rc = tf_file_open(v->dirfd, p->old, O_RDWR, &fd, err)) != TF_OK)
		return rc;
	rc = tf_file_pwrite(fd, zeros, sizeof(zeros), 0, err);
	if (rc == TF_OK)
		rc = tf_file_sync(fd, err);
	(void)close(fd); /* synced */
	if (rc == TF_OK && unlinkat(v->dirfd, p->old, 0) < 0)
		rc = tf_fail(err, TF_IO, "remove %s", p->old);
	return rc == TF_OK ? tf_file_sync_dir(v->dirfd, p->dir, err) : rc;
}

/* First what an earlier try has left, which the rename would only unlink. */
static enum tf_code
destroy(struct tf_vault *v, const struct place *p, struct tf_error *err)
{
	enum tf_code rc = destroy_old(v, p, err);

	if (rc != TF_OK)
		return rc;
	if (renameat(v->dirfd, p->key, v->dirfd, p->old) < 0)
		return is_absent(p) ? TF_OK :
				      tf_fail(err, TF_IO, "rename %s", p->key);
	return destroy_old(v, p, err);
}

void
tf_secrets_renew(struct tf_vault *v, bool now)
{
	struct tf_secrets *s = v->secrets;
	struct tf_error e = { .code = TF_OK };
	uint64_t at = tf_clock_boot_ns();
	enum tf_code rc = TF_OK;

	/* Rows that have no place may be of secret files. */
	if (v->n_unplaced > 0 || (!now && at < s->renewed_ns + RENEW_NS))
		return;
	pthread_mutex_lock(&s->mu);
	/* Who takes it from now on waits for mu, and makes a new one. */
	if (atomic_load(&s->users) == 0 && (now || s->key != NULL)) {
		for (size_t i = 0; i < PLACES && rc == TF_OK; i++)
			rc = destroy(v, &places[i], &e);
		tf_stage_key_free(s->key);
		s->key = NULL;
		s->renewed_ns = at;
	}
	pthread_mutex_unlock(&s->mu);
	if (rc != TF_OK)
		tf_vault_say(v, rc,
		    "the key of secret files is kept longer than needed: %s",
		    e.text);
}
