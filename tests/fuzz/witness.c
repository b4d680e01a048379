/*
 * Policies of witnesses, requests to them and their answers: what is accepted
 * is consistent in itself, and no input is read beyond its end.
 */
#include <string.h>

#include "../../core/ledger/checkpoint.h"
#include "../../core/witness.h"
#include "fuzz.h"

static void
check_policy(const char *text, size_t n)
{
	bool all[TF_WITNESS_NODES_MAX], none[TF_WITNESS_NODES_MAX] = { false };
	struct tf_witness_policy *p;
	struct tf_policy_witness w;
	struct tf_buf key = { 0 };
	size_t count;

	if (tf_witness_policy_parse(text, n, &p, NULL) != TF_OK)
		return;
	memset(all, true, sizeof(all));
	count = tf_witness_policy_count(p);
	MUST(count <= TF_WITNESS_NODES_MAX);
	for (size_t i = 0; i < count; i++) {
		tf_witness_policy_get(p, i, &w);
		key.n = 0;
		tf_witness_policy_key(p, i, &key);
		/* Key and name stand in the text as they are. */
		MUST(memmem(text, n, key.p, key.n) != NULL);
		MUST(memmem(text, n, w.name, strlen(w.name)) != NULL);
	}
	/* All are always enough; nobody only for "none". */
	MUST(tf_witness_policy_met(p, all));
	MUST(tf_witness_policy_met(p, none) ==
	    (strcmp(tf_witness_policy_quorum(p), "none") == 0));
	tf_buf_free(&key);
	tf_witness_policy_free(p);
}

static void
check_request(const char *text, size_t n)
{
	struct tf_hash root = { .b = { 0 } };
	struct tf_witness_request r;

	if (tf_witness_request_parse((struct tf_str){ text, n }, &r, NULL) !=
	    TF_OK)
		return;
	MUST(r.hashes <= TF_WITNESS_PROOF_MAX && r.old <= r.head.size);
	MUST(r.note.p + r.note.n == text + n);
	MUST(tf_witness_judge(&r, r.old + 1, &root) == TF_WITNESS_OTHER_SIZE);
	/* No proof leads to a root that chance made. */
	if (r.old > 0 && memcmp(&r.head.root, &root, sizeof(root)) != 0)
		MUST(tf_witness_judge(&r, r.old, &root) ==
		    TF_WITNESS_INCONSISTENT);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	uint64_t size;

	check_policy((const char *)data, n);
	check_request((const char *)data, n);
	(void)tf_witness_size((struct tf_str){ (const char *)data, n }, &size);
	return 0;
}
