/*
 * tlog-proof files: what is accepted is what this code would have written;
 * then the verifier, which must not say OK of what it cannot know.
 */
#include <string.h>

#include "../../core/ledger/proof.h"
#include "../../core/verify.h"
#include "fuzz.h"

#define HEAD "c2sp.org/tlog-proof@v1\n"

static void
check_form(const char *text, size_t n)
{
	struct tf_tlog_proof p;
	struct tf_buf b = { 0 };

	if (tf_tlog_proof_parse(text, n, &p, NULL) == TF_OK) {
		struct tf_str extra = { p.extra.p, p.extra.n };

		/* Only the text shows whether an extra line is empty or
		 * absent. */
		if (memcmp(text + strlen(HEAD), "extra \n", 7) == 0)
			extra.p = "";
		tf_tlog_proof_write(&b, p.index, &p.path, extra, p.note);
		MUST(!b.failed && b.n == n && memcmp(b.p, text, n) == 0);
	}
	tf_buf_free(&b);
	tf_tlog_proof_free(&p);
}

/* Roots of trees that nobody built are not met by chance. */
static void
check_paths(const char *data, size_t n)
{
	struct tf_hash h[TF_PROOF_MAX + 2] = { 0 };
	uint64_t a, b;
	size_t hashes;

	if (n < 16 + sizeof(h[0]))
		return;
	memcpy(&a, data, 8);
	memcpy(&b, data + 8, 8);
	hashes = (n - 16) / sizeof(h[0]);
	if (hashes > TF_PROOF_MAX + 2)
		hashes = TF_PROOF_MAX + 2;
	memcpy(h, data + 16, hashes * sizeof(h[0]));
	if (tf_merkle_check_inclusion(a, b, &h[0], h + 1, hashes - 1, &h[0]) ==
	    TF_OK)
		MUST(a == 0 && b == 1 && hashes == 1);
	if (hashes >= 2 &&
	    tf_merkle_check_consistency(a, b, &h[0], &h[1], h + 2,
		hashes - 2) == TF_OK)
		MUST(a == b && hashes == 2 && memcmp(&h[0], &h[1], 32) == 0);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_verify v = { .vkey = FUZZ_VKEY };
	struct tf_report r;
	enum tf_code rc;

	check_form((const char *)data, n);
	check_paths((const char *)data, n);
	rc = tf_verify_proof((const char *)data, n, NULL, &v, &r, NULL);
	if (rc == TF_OK) {
		MUST(r.check[TF_CHECK_CONTENTS] == TF_VERDICT_ABSENT);
		MUST(r.check[TF_CHECK_NAMES] == TF_VERDICT_ABSENT);
		if (r.check[TF_CHECK_SIGNATURE] != TF_VERDICT_OK)
			MUST(r.check[TF_CHECK_TREE] != TF_VERDICT_OK);
	}
	return 0;
}
