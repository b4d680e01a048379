/*
 * Identities: see core/age.h.
 *
 * realloc(3) would leave copies of secrets in freed memory, so lists that grow
 * are copied and wiped here.
 */
#include "identity.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "bech32.h"
#include "line.h"

#define PREFIX "AGE-SECRET-KEY-"
#define HYBRID_PREFIX "AGE-SECRET-KEY-PQ-"

enum tf_code
tf_identities_new(struct tf_identities **out, struct tf_error *err)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return tf_nomem(err);
	return TF_OK;
}

void
tf_identities_free(struct tf_identities *ids)
{
	if (ids == NULL)
		return;
	tf_wipe(ids->key, ids->keys * sizeof(*ids->key));
	free(ids->key);
	for (size_t i = 0; i < ids->phrases; i++) {
		tf_wipe(ids->phrase[i].p, ids->phrase[i].n);
		free(ids->phrase[i].p);
	}
	free(ids->phrase);
	free(ids);
}

static enum tf_code
add_key(struct tf_identities *ids, const struct tf_identity *one,
    struct tf_error *err)
{
	struct tf_identity *v = calloc(ids->keys + 1, sizeof(*v));

	if (v == NULL)
		return tf_nomem(err);
	if (ids->keys > 0)
		memcpy(v, ids->key, ids->keys * sizeof(*v));
	tf_wipe(ids->key, ids->keys * sizeof(*v));
	free(ids->key);
	ids->key = v;
	v[ids->keys++] = *one;
	return TF_OK;
}

/* Why a line that is no identity is refused. */
static enum tf_code
refuse(struct tf_str line, struct tf_error *err)
{
	if (tf_line_begins(line, "AGE-PLUGIN-"))
		return tf_fail(err, TF_UNSUPPORTED,
		    "an identity of a plugin, which is not supported");
	if (tf_line_begins(line, "age-encryption.org/") ||
	    tf_line_begins(line, "-----BEGIN AGE"))
		return tf_fail(err, TF_UNSUPPORTED,
		    "an encrypted file of identities; decrypt it with age -d");
	if (tf_line_begins(line, "-----BEGIN "))
		return tf_fail(err, TF_UNSUPPORTED,
		    "an SSH key, which is not supported");
	if (tf_line_begins(line, "age1"))
		return tf_fail(err, TF_INVALID,
		    "this is a recipient; an identity begins with " PREFIX "1");
	if (tf_line_begins(line, PREFIX))
		return tf_fail(err, TF_INVALID,
		    "an identity with a missing or wrong character");
	return tf_fail(err, TF_INVALID, "not an identity (" PREFIX "1...)");
}

static enum tf_code
add_line(struct tf_identities *ids, struct tf_str line, struct tf_error *err)
{
	struct tf_identity one = { 0 };
	struct tf_str prefix = { 0 };
	bool key, x25519;
	enum tf_code rc = TF_OK;
	size_t n;

	key = tf_bech32_decode(line, &prefix, one.secret, sizeof(one.secret),
		  &n) &&
	    n == sizeof(one.secret);
	x25519 = tf_str_same(prefix, tf_str_of(PREFIX));
	one.hybrid = tf_str_same(prefix, tf_str_of(HYBRID_PREFIX));
	if (!key || (!x25519 && !one.hybrid))
		rc = refuse(line, err);
	else if (x25519)
		rc = tf_x25519_public(one.secret, one.recipient, err);
	else if (!tf_hybrid_there())
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "a post-quantum identity needs libcrypto 3.5");
	if (rc == TF_OK)
		rc = add_key(ids, &one, err);
	tf_wipe(&one, sizeof(one));
	return rc;
}

static enum tf_code
parse(struct tf_identities *ids, struct tf_str rest, struct tf_error *err)
{
	struct tf_error why = { 0 };
	size_t number = 0, before = ids->keys;
	enum tf_code rc;

	while (rest.n > 0) {
		struct tf_str line = tf_line_next(&rest);

		number++;
		if (line.n > 0 && line.p[0] != '#' &&
		    (rc = add_line(ids, line, &why)) != TF_OK)
			return tf_line_fail(err, number, &why);
	}
	return ids->keys > before ? TF_OK :
				    tf_fail(err, TF_INVALID, "no identity");
}

enum tf_code
tf_identities_add(struct tf_identities *ids, int fd, struct tf_error *err)
{
	char *text = malloc(TF_IDENTITIES_BYTES_MAX + 1);
	size_t n = 0;
	enum tf_code rc;

	if (text == NULL)
		return tf_nomem(err);
	rc = tf_age_get_fd(&fd, text, TF_IDENTITIES_BYTES_MAX + 1, &n, err);
	if (rc == TF_OK && n > TF_IDENTITIES_BYTES_MAX)
		rc = tf_fail(err, TF_TOOBIG, "more than %zu bytes",
		    TF_IDENTITIES_BYTES_MAX);
	if (rc == TF_OK)
		rc = parse(ids, (struct tf_str){ text, n }, err);
	tf_wipe(text, TF_IDENTITIES_BYTES_MAX + 1);
	free(text);
	return rc;
}

enum tf_code
tf_identities_add_passphrase(struct tf_identities *ids, const char *p, size_t n,
    struct tf_error *err)
{
	struct tf_passphrase *v;

	if (n == 0)
		return tf_fail(err, TF_INVALID, "an empty passphrase");
	v = reallocarray(ids->phrase, ids->phrases + 1, sizeof(*v));
	if (v == NULL)
		return tf_nomem(err);
	ids->phrase = v;
	v += ids->phrases;
	if ((v->p = malloc(n)) == NULL)
		return tf_nomem(err);
	memcpy(v->p, p, n);
	v->n = n;
	ids->phrases++;
	return TF_OK;
}
