#include <check.h>
#include <string.h>

#include "../../core/ledger/policy.h"

#define OWNER 1000
#define OTHER 1001
#define ROOT 0

/*
 * The whole table for files, a letter for each request in the order of enum
 * tf_request (write-open, truncate-open, truncate(2), set-meta, unlink,
 * rename, rename to a draft's name, replace, rmdir, add):
 *   o  allowed        w  allowed, TF_BUSY while another uid writes
 *   u  for owner and root, others TF_DENIED
 *   e  as w while empty, TF_DENIED when it holds bytes
 *   d  TF_DENIED      s  TF_SEALED      n  TF_NOTDIR
 */
static const char *const file_table[TF_STATES] = {
	[TF_STATE_PLACEHOLDER] = "wwduuuuunn",
	[TF_STATE_OPEN] = "wedududdnn",
	[TF_STATE_DRAFT] = "wwouuuuunn",
	[TF_STATE_FROZEN] = "sssusussnn",
	[TF_STATE_SEALED] = "ssssssssnn",
};

static enum tf_code
expected(char letter, const struct tf_subject *s, uint32_t uid)
{
	switch (letter) {
	case 'o':
		return TF_OK;
	case 'w':
		return s->open_by_other ? TF_BUSY : TF_OK;
	case 'u':
		return uid == ROOT || uid == OWNER ? TF_OK : TF_DENIED;
	case 'e':
		return s->size > 0   ? TF_DENIED :
		    s->open_by_other ? TF_BUSY :
				       TF_OK;
	case 'd':
		return TF_DENIED;
	case 's':
		return TF_SEALED;
	case 'n':
		return TF_NOTDIR;
	default:
		return TF_CODES;
	}
}

START_TEST(files_obey_the_table)
{
	static const uint32_t uids[] = { OWNER, OTHER, ROOT };
	enum tf_state state = (enum tf_state)_i;

	ck_assert_uint_eq(TF_REQUESTS, strlen(file_table[state]));
	for (int req = 0; req < TF_REQUESTS; req++) {
		for (int k = 0; k < 3 * 2 * 2 * 2; k++) {
			struct tf_subject s = {
				.kind = TF_KIND_EVIDENCE,
				.state = state,
				.uid = OWNER,
				.size = k & 1 ? 7 : 0,
				.open_by_other = k & 2,
				.has_entry = k & 4,
			};
			uint32_t uid = uids[k / 8];

			ck_assert_msg(tf_policy(&s, req, uid) ==
				expected(file_table[state][req], &s, uid),
			    "state %d request %d uid %u case %d gives %d",
			    state, req, uid, k, tf_policy(&s, req, uid));
			ck_assert(*tf_policy_advice(&s, req) != '\0');
		}
	}
}
END_TEST

/* What a directory answers by kind, state, owner and whether an entry names
 * it. */
static enum tf_code
expected_directory(const struct tf_subject *s, enum tf_request req,
    uint32_t caller)
{
	switch (req) {
	case TF_REQ_ADD:
		return s->state == TF_STATE_SEALED ? TF_READONLY : TF_OK;
	case TF_REQ_SETMETA:
		return TF_OK;
	case TF_REQ_RMDIR:
	case TF_REQ_RENAME:
	case TF_REQ_RENAME_DRAFT:
	case TF_REQ_REPLACE:
		if (s->kind == TF_KIND_ROOT)
			return TF_DENIED;
		if (!s->has_entry && s->state != TF_STATE_SEALED)
			return caller == OTHER ? TF_DENIED : TF_OK;
		return s->kind == TF_KIND_DIRECTORY ? TF_SEALED : TF_DENIED;
	default:
		return TF_ISDIR;
	}
}

START_TEST(directories_obey_the_table)
{
	static const enum tf_state states[] = { TF_STATE_OPEN, TF_STATE_DRAFT,
		TF_STATE_SEALED };
	static const uint32_t callers[] = { ROOT, OWNER, OTHER };

	for (int kind = TF_KIND_ROOT; kind <= TF_KIND_DIRECTORY; kind++) {
		for (int k = 0; k < 3 * 2; k++) {
			struct tf_subject s = {
				.kind = (enum tf_kind)kind,
				.state = states[k / 2],
				.has_entry = k & 1,
				.uid = OWNER,
			};

			for (size_t c = 0; c < 3; c++)
				ck_assert_int_eq(expected_directory(&s, _i,
						     callers[c]),
				    tf_policy(&s, _i, callers[c]));
			ck_assert(*tf_policy_advice(&s, _i) != '\0');
		}
	}
}
END_TEST

START_TEST(nobody_not_even_root_changes_sealed_evidence)
{
	struct tf_subject s = { .kind = TF_KIND_EVIDENCE,
		.state = TF_STATE_SEALED,
		.uid = ROOT,
		.size = 1 };

	for (int req = 0; req < TF_REQ_RMDIR; req++)
		ck_assert_int_eq(TF_SEALED, tf_policy(&s, req, ROOT));
}
END_TEST

START_TEST(each_level_holds_its_own_kind)
{
	static const int directories[] = { TF_KIND_TRAIL, TF_KIND_WORKFLOW,
		TF_KIND_ATTESTATION, TF_KIND_DIRECTORY, TF_KIND_DIRECTORY, -1 };
	static const int files[] = { -1, -1, -1, TF_KIND_EVIDENCE,
		TF_KIND_EVIDENCE, -1 };

	for (int parent = TF_KIND_ROOT; parent <= TF_KIND_EVIDENCE; parent++) {
		for (int dir = 0; dir < 2; dir++) {
			int want = dir ? directories[parent] : files[parent];
			enum tf_kind kind = TF_KIND_ROOT;
			enum tf_code rc = tf_policy_child((enum tf_kind)parent,
			    dir, &kind);

			ck_assert_int_eq(want < 0 ? TF_DENIED : TF_OK, rc);
			if (want >= 0)
				ck_assert_int_eq(want, (int)kind);
		}
	}
}
END_TEST

Suite *
suite_policy(void)
{
	Suite *s = suite_create("policy");
	TCase *t = tcase_create("policy");

	tcase_add_loop_test(t, files_obey_the_table, 0, TF_STATES);
	tcase_add_loop_test(t, directories_obey_the_table, 0, TF_REQUESTS);
	tcase_add_test(t, nobody_not_even_root_changes_sealed_evidence);
	tcase_add_test(t, each_level_holds_its_own_kind);
	suite_add_tcase(s, t);
	return s;
}
