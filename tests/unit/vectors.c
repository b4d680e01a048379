#include "vectors.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"

struct tf_buf
read_vector(const char *name)
{
	struct tf_buf b = { 0 };
	char path[4096], part[4096];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", TF_VECTORS, name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "no %s", path);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		tf_buf_add(&b, part, n);
	fclose(f);
	ck_assert(!b.failed && b.n > 0);
	return b;
}

bool
take_line(struct tf_str *rest, struct tf_str *line)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;

	if (!end)
		return false;
	*line = (struct tf_str){ rest->p, (size_t)(end - rest->p) };
	rest->n -= line->n + 1;
	rest->p = end + 1;
	return true;
}

struct tf_str
str_of(const char *s)
{
	return (struct tf_str){ s, strlen(s) };
}

struct tf_hash
hash_of(const char *hex)
{
	struct tf_hash h;

	ck_assert(tf_unhex(hex, strlen(hex), h.b, sizeof(h.b)));
	return h;
}

struct tf_key *
key_of(const char *seed_hex)
{
	struct tf_hash seed = hash_of(seed_hex);
	struct tf_key *key = NULL;

	ck_assert_int_eq(TF_OK, tf_key_from_seed(seed.b, &key, NULL));
	return key;
}

uint64_t
chance(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
