/* The probe of the lock: see probe.h. */
#include "probe.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/mutant.h"
#include "object.h"

#define CANARY "trailfs tries to delete this\n"
#define LOCKED_S 3600

struct canary {
	struct tf_s3 *s;
	char key[80];
	char version[TF_S3_VERSION_MAX + 1];
	int64_t until;
	struct tf_hash sha256;
};

/* Is the lock on it that was asked for? */
static enum tf_code
is_locked(struct canary *c, bool *yes, struct tf_error *err)
{
	struct tf_s3_request r = { .method = "HEAD", .key = c->key };
	struct tf_s3_answer a;
	enum tf_code rc;

	rc = tf_s3_look(c->s, &r, c->version, &a, err);
	*yes = rc == TF_OK && a.status == 200 &&
	    a.lock >= tf_s3_target(c->s)->mode && a.until >= c->until;
	tf_s3_answer_free(&a);
	return rc;
}

static enum tf_code
is_whole(struct canary *c, bool *yes, struct tf_error *err)
{
	struct tf_s3_request r = { .method = "GET",
		.key = c->key,
		.to_file = true,
		.into = -1 };
	struct tf_s3_answer a;
	enum tf_code rc;

	rc = tf_s3_look(c->s, &r, c->version, &a, err);
	*yes = rc == TF_OK && a.status == 200 &&
	    memcmp(a.sha256.b, c->sha256.b, sizeof(a.sha256.b)) == 0;
	tf_s3_answer_free(&a);
	return rc;
}

/* Whatever the store answers, only what is there afterwards counts. */
static enum tf_code delete (struct canary *c, const char *header,
    struct tf_error *err) {
	char query[TF_S3_VERSION_MAX + 16];
	struct tf_s3_request r = { .method = "DELETE",
	    .key = c->key,
	    .query = query,
	    .headers = { header } };
	struct tf_s3_answer a;
	enum tf_code rc;

	(void)snprintf(query, sizeof(query), "versionId=%s", c->version);
	rc = tf_s3_send(c->s, &r, &a, err);
	if (rc == TF_OK && a.try_again) rc = tf_s3_refused(c->s, &r, &a, err);
	tf_s3_answer_free(&a);
	return rc;
}

enum tf_code
tf_s3_probe(struct tf_s3 *s, enum tf_worm *verdict, struct tf_error *err)
{
	static const char bypass[] = "x-amz-bypass-governance-retention: true";
	struct canary c = { .s = s, .until = tf_clock_now().s + LOCKED_S };
	struct tf_s3_upload u = { .p = CANARY,
		.n = strlen(CANARY),
		.key = c.key,
		.until = c.until };
	enum tf_code rc;
	bool yes = false;

	if (tf_s3_target(s)->retention_days == 0) {
		*verdict = TF_WORM_UNLOCKED;
		return TF_OK;
	}
	tf_sha256(CANARY, strlen(CANARY), &u.sha256);
	c.sha256 = u.sha256;
	strcpy(c.key, "sha256/");
	tf_hex(u.sha256.b, sizeof(u.sha256.b), c.key + 7);
	*verdict = TF_WORM_NOT_HELD;
	if ((rc = tf_s3_upload(s, &u, c.version, err)) != TF_OK)
		return rc;
	if (TF_IS_MUTANT(TF_BELIEVE_LOCK)) {
		*verdict = TF_WORM_HELD;
		return TF_OK;
	}
	/* A bucket without versions replaces what it has. */
	if (c.version[0] == '\0')
		return TF_OK;
	if ((rc = is_locked(&c, &yes, err)) != TF_OK || !yes)
		return rc;
	rc = delete (&c, NULL, err);
	if (rc == TF_OK && tf_s3_target(s)->mode == TF_BLOB_GOVERNANCE)
		rc = delete (&c, bypass, err);
	if (rc == TF_OK)
		rc = is_whole(&c, &yes, err);
	if (rc == TF_OK && yes)
		*verdict = TF_WORM_HELD;
	return rc;
}
