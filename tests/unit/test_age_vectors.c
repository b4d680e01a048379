/*
 * The published vectors of the age format (https://c2sp.org/CCTV/age), which
 * .ci/setup fetches as the package cctv-age of npm.  Each is a text header, an
 * empty line, and an encrypted file.  Armored files are of a kind that we do not
 * support, as are files to post-quantum recipients with a libcrypto before 3.5:
 * the test says how many.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../core/age.h"
#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/buffer.h"
#include "age.h"

struct vector {
	char name[80];
	char expect[20];
	struct tf_identities *ids;
	bool compressed, unsupported, has_payload;
	struct tf_hash payload; /* SHA-256 of all text that is given out */
	struct tf_buf file;
};

/* --- reading them ----------------------------------------------------------- */

/* The value of a line of the header that begins with the key. */
static bool
value(struct tf_str line, const char *key, struct tf_str *out)
{
	size_t n = strlen(key);

	if (line.n < n || memcmp(line.p, key, n) != 0)
		return false;
	*out = (struct tf_str){ line.p + n, line.n - n };
	return true;
}

static void
read_line(struct tf_str line, struct vector *v)
{
	struct tf_str s;
	char text[200];

	if (value(line, "expect: ", &s))
		snprintf(v->expect, sizeof(v->expect), "%.*s", (int)s.n, s.p);
	else if (value(line, "payload: ", &s))
		v->has_payload = tf_unhex(s.p, s.n, v->payload.b, 32);
	else if (!tf_hybrid_there() &&
	    value(line, "identity: AGE-SECRET-KEY-PQ-", &s))
		v->unsupported = true;
	else if (value(line, "identity: ", &s)) {
		snprintf(text, sizeof(text), "%.*s\n", (int)s.n, s.p);
		ck_assert_int_eq(TF_OK, age_add(v->ids, text, NULL));
	} else if (value(line, "passphrase: ", &s))
		ck_assert_int_eq(TF_OK,
		    tf_identities_add_passphrase(v->ids, s.p, s.n, NULL));
	else if (value(line, "armored: ", &s))
		v->unsupported = true;
	else if (value(line, "compressed: ", &s)) {
		ck_assert_int_eq(0, memcmp(s.p, "zlib", 4));
		v->compressed = true;
	} else
		ck_assert(value(line, "file key: ", &s) ||
		    value(line, "comment: ", &s));
}

static void
inflate_to(struct tf_str in, struct tf_buf *out)
{
	uLongf n = 64 << 20;

	ck_assert(tf_buf_room(out, n));
	ck_assert_int_eq(Z_OK,
	    uncompress((Bytef *)out->p, &n, (const Bytef *)in.p, in.n));
	out->n = n;
}

static void
parse(const char *name, struct tf_str raw, struct vector *v)
{
	struct tf_str line;
	const char *end;

	*v = (struct vector){ 0 };
	snprintf(v->name, sizeof(v->name), "%s", name);
	ck_assert_int_eq(TF_OK, tf_identities_new(&v->ids, NULL));
	while ((end = memchr(raw.p, '\n', raw.n)) != NULL) {
		line = (struct tf_str){ raw.p, (size_t)(end - raw.p) };
		raw.p = end + 1;
		raw.n -= line.n + 1;
		if (line.n == 0)
			break;
		read_line(line, v);
	}
	if (v->compressed)
		inflate_to(raw, &v->file);
	else
		tf_buf_add(&v->file, raw.p, raw.n);
}

static void
vector_free(struct vector *v)
{
	tf_identities_free(v->ids);
	tf_buf_free(&v->file);
}

/* --- opening them ----------------------------------------------------------- */

static enum tf_code
take(void *arg, void *p, size_t n, size_t *got, struct tf_error *err)
{
	struct tf_str *rest = arg;

	(void)err;
	*got = n < rest->n ? n : rest->n;
	memcpy(p, rest->p, *got);
	rest->p += *got;
	rest->n -= *got;
	return TF_OK;
}

/* What happened, in the words of the vectors. */
static const char *
open_file(const struct vector *v, struct tf_hash *payload)
{
	struct tf_str rest = tf_buf_bytes(&v->file);
	struct tf_sha256 *h = tf_sha256_new();
	struct tf_age_reader *r;
	const uint8_t *p;
	enum tf_code rc;
	size_t n;

	ck_assert_ptr_nonnull(h);
	rc = tf_age_reader_new(v->ids, take, &rest, &r, NULL);
	if (rc == TF_OK) {
		while ((rc = tf_age_reader_next(r, &p, &n, NULL)) == TF_OK &&
		    n > 0)
			tf_sha256_add(h, p, n);
		tf_age_reader_free(r);
		tf_sha256_peek(h, payload);
		tf_sha256_free(h);
		return rc == TF_OK  ? "success" :
		    rc == TF_TAMPER ? "payload failure" :
				      tf_code_name(rc);
	}
	tf_sha256_free(h);
	return rc == TF_INVALID ? "header failure" :
	    rc == TF_TAMPER	? "HMAC failure" :
	    rc == TF_ACCESS	? "no match" :
				  tf_code_name(rc);
}

static void
check_vector(const struct vector *v)
{
	struct tf_hash payload;
	const char *got = open_file(v, &payload);

	ck_assert_msg(strcmp(got, v->expect) == 0, "%s: %s, not %s", v->name,
	    got, v->expect);
	if (strcmp(got, "success") != 0 && strcmp(got, "payload failure") != 0)
		return;
	ck_assert_msg(v->has_payload &&
		memcmp(payload.b, v->payload.b, sizeof(payload.b)) == 0,
	    "%s: another text was given out", v->name);
}

/* The vectors are lines of JavaScript: var NAME_default = __toBinary("..."). */
START_TEST(every_vector_ends_as_it_says)
{
	FILE *f = fopen(TF_CCTV_AGE, "r");
	unsigned checked = 0, skipped = 0;
	char *line = NULL, name[80];
	size_t room = 0;

	if (f == NULL) {
		printf("SKIP every_vector_ends_as_it_says: no " TF_CCTV_AGE
		       "; .ci/setup test fetches it\n");
		return;
	}
	while (getline(&line, &room, f) > 0) {
		char *text = strstr(line, "_default = __toBinary(\""), *end;
		struct tf_buf raw = { 0 };
		struct vector v;

		if (text == NULL || sscanf(line, "var %79[a-z0-9_]", name) != 1)
			continue;
		text = strchr(text, '"') + 1;
		ck_assert_ptr_nonnull(end = strchr(text, '"'));
		name[strlen(name) - strlen("_default")] = '\0';
		ck_assert(tf_unbase64(text, (size_t)(end - text), &raw));
		parse(name, tf_buf_bytes(&raw), &v);
		if (v.unsupported)
			skipped++;
		else
			check_vector(&v);
		checked += !v.unsupported;
		vector_free(&v);
		tf_buf_free(&raw);
	}
	free(line);
	fclose(f);
	printf("age vectors: %u checked, %u of other kinds\n", checked,
	    skipped);
	ck_assert_uint_eq(tf_hybrid_there() ? 110 : 92, checked);
	ck_assert_uint_eq(143, checked + skipped);
}
END_TEST

Suite *
suite_age_vectors(void)
{
	Suite *s = suite_create("age_vectors");
	TCase *t = tcase_create("age_vectors");

	tcase_set_timeout(t, 600);
	tcase_add_test(t, every_vector_ends_as_it_says);
	suite_add_tcase(s, t);
	return s;
}
