/*
 * Time stamp responses, and certificates in PEM.  A response that is accepted
 * states a time and gives its certificates as PEM, with which it is accepted
 * again.
 */
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/timestamp.h"
#include "../../core/buffer.h"
#include "fuzz.h"

static const char note[] = "what is stamped\n";

static void
check(struct tf_str token, struct tf_str chain)
{
	struct tf_stamp_check c = { .note = tf_str_of(note),
		.token = token,
		.chain = chain };
	struct tf_stamp first, again;
	struct tf_buf pem = { 0 };

	if (tf_stamp_check(&c, &first, &pem, NULL) == TF_OK) {
		MUST(first.at.ns < 1000000000 && first.authority[0] != '\0');
		MUST(pem.n > 0 && pem.n < TF_STAMP_CHAIN_MAX);
		c.chain = tf_buf_bytes(&pem);
		MUST(tf_stamp_check(&c, &again, NULL, NULL) == TF_OK);
		MUST(tf_time_cmp(first.at, again.at) == 0);
		MUST(strcmp(first.authority, again.authority) == 0);
	}
	tf_buf_free(&pem);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_str all = { (const char *)data, n };
	const char *pem = n > 0 ? memmem(data, n, "-----BEGIN", 10) : NULL;
	size_t at = pem == NULL ? n : (size_t)(pem - all.p);

	check((struct tf_str){ all.p, at },
	    (struct tf_str){ all.p + at, n - at });
	return 0;
}
