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
#define LOCKED_S ((int64_t)86400)
#define LEFT_S ((int64_t)600) /* a lock that is over sooner is not tried */

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

/* The canary of an earlier probe, if its lock is such a one and lasts: nobody can
 * delete what is left of a probe, and each start of a forwarder has one. */
static enum tf_code
find_earlier(struct canary *c, bool *yes, struct tf_error *err)
{
	struct tf_s3_request r = { .method = "HEAD", .key = c->key };
	struct tf_s3_answer a;
	enum tf_code rc = tf_s3_look(c->s, &r, NULL, &a, err);

	*yes = rc == TF_OK && a.status == 200 && a.version[0] != '\0' &&
	    a.lock == tf_s3_target(c->s)->mode &&
	    a.until >= tf_clock_now().s + LEFT_S;
	if (*yes)
		strcpy(c->version, a.version);
	tf_s3_answer_free(&a);
	return *yes ? is_whole(c, yes, err) : rc;
}

/* *held: it is there after all attempts to delete it. */
static enum tf_code
attack(struct canary *c, bool *held, struct tf_error *err)
{
	static const char bypass[] = "x-amz-bypass-governance-retention: true";
	enum tf_code rc = delete (c, NULL, err);

	*held = false;
	if (rc == TF_OK && tf_s3_target(c->s)->mode == TF_BLOB_GOVERNANCE)
		rc = delete (c, bypass, err);
	return rc == TF_OK ? is_whole(c, held, err) : rc;
}

/* Lock a canary of our own, and attack it. */
static enum tf_code
probe_new(struct canary *c, bool *held, struct tf_error *err)
{
	struct tf_s3_upload u = { .p = CANARY,
		.n = strlen(CANARY),
		.sha256 = c->sha256,
		.key = c->key,
		.until = c->until };
	enum tf_code rc = tf_s3_upload(c->s, &u, c->version, err);

	*held = rc == TF_OK && TF_IS_MUTANT(TF_BELIEVE_LOCK);
	/* A bucket without versions replaces what it has. */
	if (rc != TF_OK || *held || c->version[0] == '\0')
		return rc;
	rc = is_locked(c, held, err);
	return rc == TF_OK && *held ? attack(c, held, err) : rc;
}

enum tf_code
tf_s3_probe(struct tf_s3 *s, enum tf_worm *verdict, struct tf_error *err)
{
	struct canary c = { .s = s, .until = tf_clock_now().s + LOCKED_S };
	enum tf_code rc;
	bool held = false;

	*verdict = TF_WORM_UNLOCKED;
	if (tf_s3_target(s)->retention_days == 0)
		return TF_OK;
	tf_sha256(CANARY, strlen(CANARY), &c.sha256);
	strcpy(c.key, "sha256/");
	tf_hex(c.sha256.b, sizeof(c.sha256.b), c.key + 7);
	rc = find_earlier(&c, &held, err);
	if (rc == TF_OK && held)
		rc = attack(&c, &held, err);
	/* Somebody who may bypass locks can have deleted that one just now. */
	if (rc == TF_OK && !held)
		rc = probe_new(&c, &held, err);
	*verdict = rc == TF_OK && held ? TF_WORM_HELD : TF_WORM_NOT_HELD;
	return rc;
}
