#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/cosign.h"
#include "../../core/ledger/merkle.h"
#include "../../core/witness.h"
#include "vectors.h"

#define DASH "\xe2\x80\x94 "
#define ORIGIN "trailfs.example/ledger1"
#define LOG_KEY             \
	ORIGIN "+2f731159+" \
	       "AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define W1                             \
	"witness.example/w1+04d2d833+" \
	"BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"
#define REMORA \
	"remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
#define STAGEMOLE                        \
	"witness.stagemole.eu+67f7aea0+" \
	"BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"

static enum tf_code
parse(const char *text, struct tf_witness_policy **p, struct tf_error *err)
{
	/* Exactly n bytes: a sanitizer sees one read too many. */
	size_t n = strlen(text);
	char *exact = malloc(n > 0 ? n : 1);
	enum tf_code rc;

	memcpy(exact, text, n);
	rc = tf_witness_policy_parse(exact, n, p, err);
	free(exact);
	return rc;
}

static struct tf_witness_policy *
policy_of(const char *text)
{
	struct tf_witness_policy *p;
	struct tf_error err = { .code = TF_OK };

	ck_assert_msg(parse(text, &p, &err) == TF_OK, "%s", err.text);
	return p;
}

START_TEST(a_policy_says_its_witnesses)
{
	struct tf_witness_policy *p = policy_of("# ours\n"
						"\t log " LOG_KEY
						" https://log.example/\n"
						"\n \t\n"
						"witness a " W1
						"\thttps://w.example/x\n"
						"witness \xc3\xbc " REMORA "\n"
						"group g any a \xc3\xbc\n"
						"  # \xff any octet\n"
						"quorum g \n");
	struct tf_policy_witness w;
	struct tf_buf b = { 0 };

	ck_assert_uint_eq(2, tf_witness_policy_count(p));
	ck_assert_str_eq("g", tf_witness_policy_quorum(p));
	tf_witness_policy_get(p, 0, &w);
	ck_assert_str_eq("a", w.name);
	ck_assert_str_eq("witness.example/w1", w.key_name);
	ck_assert_str_eq("https://w.example/x", w.url);
	tf_witness_policy_get(p, 1, &w);
	ck_assert_str_eq("\xc3\xbc", w.name);
	ck_assert_ptr_null(w.url);
	tf_witness_policy_key(p, 1, &b);
	ck_assert_str_eq(REMORA, b.p);
	ck_assert(tf_witness_policy_has_log(p, str_of(LOG_KEY)));
	ck_assert(tf_witness_policy_has_log(p, str_of(LOG_KEY "\n")));
	ck_assert(!tf_witness_policy_has_log(p, str_of(W1)));
	ck_assert(!tf_witness_policy_has_log(p, str_of("")));
	tf_buf_free(&b);
	tf_witness_policy_free(p);
}
END_TEST

#define TWO "witness a " W1 "\nwitness b " REMORA "\n"

/* The line that the error must name; 0: none. */
static const struct {
	const char *text;
	unsigned line;
} hostile[] = {
	{ "", 0 },
	{ "\n", 0 },
	{ TWO, 0 },
	{ "quorum none", 1 },
	{ "quorum none\nquorum none\n", 2 },
	{ "quorum\n", 1 },
	{ "quorum a\n", 1 },
	{ "quorum a b\n", 1 },
	{ "quorum a\n" TWO, 1 },
	{ "Quorum none\n", 1 },
	{ "quorum none\r\n", 1 },
	{ "quorum none\x01\n", 1 },
	{ "quorum none\x7f\n", 1 },
	{ "quorum none #x\n", 1 },
	{ "quorum\x0bnone\n", 1 },
	{ "\xef\xbb\xbfquorum none\n", 1 },
	{ "quorum\xc2\xa0none\n", 1 },
	{ "witnesses a " W1 "\nquorum none\n", 1 },
	{ "witness a\nquorum none\n", 1 },
	{ "witness a " W1 " u v\nquorum none\n", 1 },
	{ "witness none " W1 "\nquorum none\n", 1 },
	{ "witness a " LOG_KEY "\nquorum a\n", 1 },
	{ "witness a x\nquorum a\n", 1 },
	{ "witness a " W1 "x\nquorum a\n", 1 },
	{ "log " W1 "\nquorum none\n", 1 },
	{ "log\nquorum none\n", 1 },
	{ "log " LOG_KEY " u v\nquorum none\n", 1 },
	{ "log " LOG_KEY "\nlog " LOG_KEY "\nquorum none\n", 2 },
	{ "witness a " W1 "\nwitness a " REMORA "\nquorum a\n", 2 },
	{ "witness a " W1 "\nwitness b " W1 "\nquorum a\n", 2 },
	/* The same key under another name. */
	{ "witness a " W1 "\nwitness b "
	  "witness.example/w2+e0774043+"
	  "BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM\nquorum a\n",
	    2 },
	{ TWO "group g 0 a b\nquorum g\n", 3 },
	{ TWO "group g 3 a b\nquorum g\n", 3 },
	{ TWO "group g 01 a b\nquorum g\n", 3 },
	{ TWO "group g -1 a b\nquorum g\n", 3 },
	{ TWO "group g 18446744073709551617 a b\nquorum g\n", 3 },
	{ TWO "group g most a b\nquorum g\n", 3 },
	{ TWO "group g all\nquorum g\n", 3 },
	{ TWO "group g\nquorum g\n", 3 },
	{ TWO "group a all b\nquorum a\n", 3 },
	{ TWO "group none all b\nquorum none\n", 3 },
	{ TWO "group g all g\nquorum g\n", 3 },
	{ TWO "group g all none\nquorum g\n", 3 },
	{ TWO "group g all a h\ngroup h all b\nquorum g\n", 3 },
	{ TWO "group g 2 a a\nquorum g\n", 3 },
	{ TWO "group g all a\ngroup h all a b\nquorum h\n", 4 },
	{ TWO "quorum a\nquorum b\n", 4 },
	{ TWO "quorum a\nx\n", 4 },
};

START_TEST(a_hostile_policy_is_refused_with_its_line)
{
	struct tf_witness_policy *p = NULL;
	struct tf_error err = { .code = TF_OK };
	char want[32] = "policy: it has no quorum";

	if (hostile[_i].line > 0)
		(void)snprintf(want, sizeof(want),
		    "policy, line %u: ", hostile[_i].line);
	ck_assert_msg(parse(hostile[_i].text, &p, &err) == TF_INVALID,
	    "taken: %s", hostile[_i].text);
	ck_assert_ptr_null(p);
	ck_assert_msg(strncmp(err.text, want, strlen(want)) == 0, "%s: %s",
	    hostile[_i].text, err.text);
}
END_TEST

/* A key of a kind that libcrypto may not know: ML-DSA-44 of a cosigner (type 6,
 * 1,312 bytes), and one of the future. */
START_TEST(a_key_of_another_type_is_named)
{
	static const char *const want[] = {
		"policy, line 1: key: type 6 (ML-DSA-44 of a cosigner) is not "
		"supported here, only Ed25519 of a cosigner (type 4)",
		"policy, line 1: key: type 255 is not supported here, only "
		"Ed25519 of a cosigner (type 4)",
	};
	uint8_t key[1313] = { _i == 0 ? 6 : 255 };
	struct tf_error err = { .code = TF_OK };
	struct tf_witness_policy *p = NULL;
	struct tf_buf text = { 0 };

	tf_buf_str(&text, "witness a witness.example/new+01020304+");
	tf_base64(&text, key, sizeof(key));
	tf_buf_str(&text, "\nquorum a\n");
	tf_buf_add(&text, "", 1);
	ck_assert_int_eq(TF_INVALID, parse(text.p, &p, &err));
	ck_assert_ptr_null(p);
	ck_assert_str_eq(want[_i], err.text);
	tf_buf_free(&text);
}
END_TEST

START_TEST(a_nul_and_a_huge_policy_are_refused)
{
	static const char nul[] = "quorum none\n#\0\n";
	struct tf_witness_policy *p;
	char *big = malloc(TF_WITNESS_POLICY_MAX + 1);

	ck_assert_int_eq(TF_INVALID,
	    tf_witness_policy_parse(nul, sizeof(nul) - 1, &p, NULL));
	memset(big, '\n', TF_WITNESS_POLICY_MAX + 1);
	memcpy(big, "quorum none", strlen("quorum none"));
	ck_assert_int_eq(TF_TOOBIG,
	    tf_witness_policy_parse(big, TF_WITNESS_POLICY_MAX + 1, &p, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_witness_policy_parse(big, TF_WITNESS_POLICY_MAX, &p, NULL));
	tf_witness_policy_free(p);
	free(big);
}
END_TEST

/* As many as there may be, and one more; words without end in one line. */
START_TEST(a_policy_has_its_bounds)
{
	struct tf_buf b = { 0 };
	struct tf_error err = { .code = TF_OK };
	struct tf_witness_policy *p;
	struct tf_pubkey pub = { .b = { 0 } };

	for (unsigned i = 0; i <= TF_WITNESS_NODES_MAX; i++) {
		struct tf_vkey k;

		pub.b[0] = (uint8_t)i;
		pub.b[1] = (uint8_t)(i >> 8);
		tf_cosign_vkey_make(&k, "w", &pub);
		if (i == TF_WITNESS_NODES_MAX) {
			size_t n = b.n;

			tf_buf_str(&b, "quorum w7\n");
			p = policy_of(b.p);
			ck_assert_uint_eq(TF_WITNESS_NODES_MAX,
			    tf_witness_policy_count(p));
			tf_witness_policy_free(p);
			b.n = n;
		}
		tf_buf_printf(&b, "witness w%u ", i);
		tf_vkey_text(&k, &b);
		tf_buf_str(&b, "\n");
	}
	tf_buf_str(&b, "quorum w7\n");
	ck_assert_int_eq(TF_INVALID, parse(b.p, &p, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "line 257: "));
	b.n = 0;
	tf_buf_str(&b, "group g any");
	for (unsigned i = 0; i < 2000; i++)
		tf_buf_str(&b, " a");
	tf_buf_str(&b, "\nquorum none\n");
	ck_assert_int_eq(TF_INVALID, parse(b.p, &p, &err));
	tf_buf_free(&b);
}
END_TEST

/* --- the quorum ------------------------------------------------------------- */

#define WITNESSES 5

/* A log of ours with entries "0", "1", ..., and five witnesses. */
struct world {
	struct tf_key *log, *w[WITNESSES];
	struct tf_vkey log_key, key[WITNESSES];
	struct tf_buf log_text;
	struct tf_tree *tree;
	struct tf_hash leaf[600];
};

static struct tf_hash
root_of(uint64_t n, const struct tf_hash *leaf)
{
	uint64_t k = 1;
	struct tf_hash l, r;

	if (n == 0)
		tf_sha256("", 0, &l);
	if (n <= 1)
		return n == 0 ? l : leaf[0];
	while (k * 2 < n)
		k *= 2;
	l = root_of(k, leaf);
	r = root_of(n - k, leaf + k);
	tf_merkle_node(&l, &r, &l);
	return l;
}

static void
make_world(struct world *w)
{
	uint8_t seed[32] = { 7 };

	memset(w, 0, sizeof(*w));
	w->log = key_of(SEED_LOG);
	ck_assert_int_eq(TF_OK,
	    tf_vkey_parse(LOG_KEY, strlen(LOG_KEY), &w->log_key, NULL));
	tf_buf_str(&w->log_text, LOG_KEY);
	for (uint8_t i = 0; i < WITNESSES; i++) {
		char name[16];
		struct tf_pubkey pub;

		seed[1] = i;
		(void)snprintf(name, sizeof(name), "key%u", i);
		ck_assert_int_eq(TF_OK, tf_key_from_seed(seed, &w->w[i], NULL));
		tf_key_public(w->w[i], &pub);
		tf_cosign_vkey_make(&w->key[i], name, &pub);
	}
	for (size_t i = 0; i < 600; i++)
		tf_merkle_leaf(&i, sizeof(i), &w->leaf[i]);
}

static void
free_world(struct world *w)
{
	tf_key_free(w->log);
	for (int i = 0; i < WITNESSES; i++)
		tf_key_free(w->w[i]);
	tf_buf_free(&w->log_text);
}

static void
note_of(struct world *w, uint64_t size, struct tf_buf *out)
{
	struct tf_checkpoint c = { .origin = ORIGIN, .size = size };

	c.root = root_of(size, w->leaf);
	ck_assert_int_eq(TF_OK, tf_checkpoint_sign(&c, w->log, out, NULL));
}

static void
cosign(struct world *w, int i, uint64_t time, struct tf_buf *note)
{
	struct tf_buf line = { 0 };

	ck_assert_int_eq(TF_OK,
	    tf_witness_cosign(w->w[i], w->key[i].name, time, tf_buf_bytes(note),
		&line, NULL));
	tf_buf_add(note, line.p, line.n);
	tf_buf_free(&line);
}

/* A policy with the five witnesses w0, ... and these lines. */
static struct tf_witness_policy *
policy_with(struct world *w, const char *lines)
{
	struct tf_buf b = { 0 };
	struct tf_witness_policy *p;

	for (int i = 0; i < WITNESSES; i++) {
		tf_buf_printf(&b, "witness w%d ", i);
		tf_vkey_text(&w->key[i], &b);
		tf_buf_str(&b, "\n");
	}
	tf_buf_str(&b, lines);
	p = policy_of(b.p);
	tf_buf_free(&b);
	return p;
}

/* The example of the specification: two of three and one of two; and others.
 * Each is compared for all 32 sets of witnesses. */
START_TEST(the_quorum_is_counted_for_every_set)
{
	static const char *const lines[] = {
		"quorum none\n",
		"quorum w3\n",
		"group g all w0 w1 w2 w3 w4\nquorum g\n",
		"group g any w1 w4\nquorum g\n",
		"group X 2 w0 w1 w2\ngroup Y any w3 w4\ngroup Z all X Y\n"
		"quorum Z\n",
		"group X 2 w0 w1 w2\ngroup Z 2 X w3 w4\nquorum Z\n",
	};
	struct world w;
	struct tf_quorum q;

	make_world(&w);
	for (unsigned l = 0; l < sizeof(lines) / sizeof(lines[0]); l++) {
		struct tf_witness_policy *p = policy_with(&w, lines[l]);

		for (unsigned set = 0; set < 32; set++) {
			bool y[WITNESSES], x2;
			struct tf_buf note = { 0 };

			note_of(&w, 5, &note);
			for (int i = 0; i < WITNESSES; i++)
				if ((y[i] = set >> i & 1))
					cosign(&w, i, 100 + (uint64_t)i, &note);
			x2 = y[0] + y[1] + y[2] >= 2;
			ck_assert_int_eq(TF_OK,
			    tf_witness_policy_judge(p, tf_buf_bytes(&note), &q,
				NULL));
			const bool want[] = { true, y[3], set == 31,
				y[1] || y[4], x2 && (y[3] || y[4]),
				x2 + y[3] + y[4] >= 2 };
			must(q.met == want[l]);
			must(q.cosigned == (size_t)__builtin_popcount(set));
			for (int i = 0; i < WITNESSES; i++)
				must(q.has_cosigned[i] == y[i]);
			must(set == 0 ?
				q.time == 0 :
				q.time == 100 + (uint64_t)__builtin_ctz(set));
			tf_buf_free(&note);
		}
		tf_witness_policy_free(p);
	}
	free_world(&w);
}
END_TEST

START_TEST(a_wrong_cosignature_makes_the_note_bad)
{
	struct world w;
	struct tf_quorum q;
	struct tf_buf note = { 0 };

	make_world(&w);
	struct tf_witness_policy *p = policy_with(&w, "quorum none\n");

	note_of(&w, 5, &note);
	cosign(&w, 0, 9, &note);
	note.p[note.n - 10] = note.p[note.n - 10] == 'A' ? 'B' : 'A';
	ck_assert_int_eq(TF_TAMPER,
	    tf_witness_policy_judge(p, tf_buf_bytes(&note), &q, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_witness_policy_judge(p, str_of("x"), &q, NULL));
	/* The same line, but of a witness that the policy does not name. */
	tf_witness_policy_free(p);
	p = policy_of("witness b " REMORA "\nquorum none\n");
	ck_assert_int_eq(TF_OK,
	    tf_witness_policy_judge(p, tf_buf_bytes(&note), &q, NULL));
	ck_assert_uint_eq(0, q.cosigned);
	tf_witness_policy_free(p);
	tf_buf_free(&note);
	free_world(&w);
}
END_TEST

/* --- requests ---------------------------------------------------------------- */

static enum tf_code
tile(void *arg, const char *path, unsigned level, uint64_t n, unsigned width,
    struct tf_buf *out, struct tf_error *err)
{
	struct world *w = arg;

	(void)path;
	(void)err;
	for (uint64_t i = n * 256; i < n * 256 + width; i++) {
		struct tf_hash h = level == 0 ? w->leaf[i] :
						root_of(256, w->leaf + i * 256);
		tf_buf_add(out, h.b, sizeof(h.b));
	}
	return TF_OK;
}

START_TEST(a_request_proves_what_it_says)
{
	static const uint64_t sizes[] = { 0, 1, 2, 3, 7, 8, 255, 256, 257, 511,
		512, 600 };
	const size_t n = sizeof(sizes) / sizeof(sizes[0]);
	struct world w;
	struct tf_witness_request r;

	make_world(&w);
	for (size_t a = 0; a < n; a++)
		for (size_t b = a; b < n; b++) {
			struct tf_buf note = { 0 }, body = { 0 };
			struct tf_hash old = root_of(sizes[a], w.leaf);

			note_of(&w, sizes[b], &note);
			ck_assert_int_eq(TF_OK,
			    tf_witness_request_make(sizes[a],
				tf_buf_bytes(&note), tile, &w, &body, NULL));
			ck_assert_int_eq(TF_OK,
			    tf_witness_request_parse(tf_buf_bytes(&body), &r,
				NULL));
			must(r.old == sizes[a] && r.head.size == sizes[b]);
			must(strcmp(r.head.origin, ORIGIN) == 0);
			assert_same(note.p, note.n, r.note.p, r.note.n);
			ck_assert_int_eq(TF_WITNESS_COSIGNED,
			    tf_witness_judge(&r, sizes[a], &old));
			ck_assert_int_eq(TF_WITNESS_OTHER_SIZE,
			    tf_witness_judge(&r, sizes[a] + 1, &old));
			ck_assert(!tf_witness_is_conflict(&r, sizes[a], &old));
			/* Another history.  A proof from a power of two does
			 * not have the root that would show it. */
			old.b[3] ^= 1;
			if (sizes[a] > 0)
				ck_assert_int_eq(TF_WITNESS_INCONSISTENT,
				    tf_witness_judge(&r, sizes[a], &old));
			must(tf_witness_is_conflict(&r, sizes[a], &old) ==
			    (sizes[a] > 0 &&
				(a == b || (sizes[a] & (sizes[a] - 1)) != 0)));
			old.b[3] ^= 1;
			/* A proof that proves nothing. */
			if (r.hashes > 0) {
				r.proof[0].b[3] ^= 1;
				ck_assert(!tf_witness_is_conflict(&r, sizes[a],
				    &old));
				r.proof[0].b[3] ^= 1;
			}
			r.head.root.b[3] ^= 1;
			if (sizes[a] > 0 || sizes[b] == 0)
				ck_assert_int_eq(TF_WITNESS_INCONSISTENT,
				    tf_witness_judge(&r, sizes[a], &old));
			r.head.root.b[3] ^= 1;
			/* A hash too many. */
			r.hashes++;
			ck_assert_int_eq(TF_WITNESS_INCONSISTENT,
			    tf_witness_judge(&r, sizes[a], &old));
			tf_buf_free(&note);
			tf_buf_free(&body);
		}
	free_world(&w);
}
END_TEST

START_TEST(no_request_goes_back)
{
	struct world w;
	struct tf_buf note = { 0 }, body = { 0 };

	make_world(&w);
	note_of(&w, 5, &note);
	ck_assert_int_eq(TF_TAMPER,
	    tf_witness_request_make(6, tf_buf_bytes(&note), tile, &w, &body,
		NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_witness_request_make(0, str_of("x"), tile, &w, &body, NULL));
	tf_buf_free(&note);
	tf_buf_free(&body);
	free_world(&w);
}
END_TEST

/* The example of C2SP tlog-witness, but for its second signature. */
#define SPEC_NOTE                                                            \
	"example.com/behind-the-sofa\n20852163\n"                            \
	"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" DASH              \
	"example.com/behind-the-sofa "                                       \
	"Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1g" \
	"GzGku9nTo+zyWE+xeMcTOAYQ8=\n"
#define HASH "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
#define SPEC                                                                   \
	"old 20852014\n" HASH "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n" \
	"5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"                       \
	"/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"                       \
	"\n" SPEC_NOTE

START_TEST(the_published_request_is_read)
{
	struct tf_witness_request r;

	ck_assert_int_eq(TF_OK,
	    tf_witness_request_parse(str_of(SPEC), &r, NULL));
	ck_assert_uint_eq(20852014, r.old);
	ck_assert_uint_eq(4, r.hashes);
	ck_assert_uint_eq(20852163, r.head.size);
	ck_assert_str_eq("example.com/behind-the-sofa", r.head.origin);
	assert_same(SPEC_NOTE, strlen(SPEC_NOTE), r.note.p, r.note.n);
}
END_TEST

/* A request of the tests of litewitness, with its log's signature. */
#define SIGSUM                \
	"sigsum.org/v1/tree/" \
	"985ea163f5af026723561354f51f2ebcdcf2af809ce254ccfb64aa9aadd80f90"

START_TEST(the_request_of_another_log_is_checked)
{
	static const char body[] = "old 0\n\n" SIGSUM "\n1\n"
				   "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
				   "AA=\n\n" DASH SIGSUM " "
				   "7BKT0gOfNZ1J0So9unY3BZtm2YkPIoNYM/dce0Z2"
				   "avJDs8dxN6ts9bOSwwrVrbjm6P9K3ZxpK6jJngOG"
				   "6YvGGzV/lwo=\n";
	struct tf_hash hash = hash_of("52c05edad1bf5feffa81354faae59a655d9a9a1"
				      "a793ed2f62c39c26c0be2aecd");
	struct tf_witness_request r;
	struct tf_buf text = { 0 };
	struct tf_pubkey pub;
	struct tf_vkey k;

	memcpy(pub.b, hash.b, sizeof(pub.b));
	tf_vkey_make(&k, SIGSUM, &pub);
	tf_vkey_text(&k, &text);
	ck_assert_int_eq(TF_OK,
	    tf_witness_request_parse(str_of(body), &r, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_witness_check_log(r.note, tf_buf_bytes(&text), NULL));
	ck_assert_int_eq(TF_FOREIGN,
	    tf_witness_check_log(r.note, str_of(LOG_KEY), NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_witness_check_log(r.note, str_of(W1), NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_witness_check_log(r.note, str_of(""), NULL));
	ck_assert_int_eq(TF_WITNESS_COSIGNED, tf_witness_judge(&r, 0, NULL));
	tf_buf_free(&text);
}
END_TEST

static const char *const malformed[] = {
	"",
	"\n",
	"old",
	"old \n",
	"old 0",
	"old 0\n",
	"old 0\n\n",
	"old 0\n\nx\n",
	"old 0\n" SPEC_NOTE,
	"old 00\n\n" SPEC_NOTE,
	"old -1\n\n" SPEC_NOTE,
	"old +1\n\n" SPEC_NOTE,
	"old 1 \n\n" SPEC_NOTE,
	"old  1\n\n" SPEC_NOTE,
	"Old 1\n\n" SPEC_NOTE,
	"old 1\r\n\r\n" SPEC_NOTE,
	"old 9223372036854775808\n\n" SPEC_NOTE,
	"old 20852164\n\n" SPEC_NOTE,
	"\nold 1\n\n" SPEC_NOTE,
	"old 1\nAAAA\n\n" SPEC_NOTE,
	"old 1\n" HASH " \n" SPEC_NOTE,
	"old 1\n" HASH "x\n\n" SPEC_NOTE,
	"old 1\n" HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH
	    HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH
		HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH
		    HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH
			HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH HASH
			    HASH HASH HASH "\n" SPEC_NOTE,
	SPEC "x",
	SPEC "\n",
};

START_TEST(a_malformed_request_is_refused)
{
	struct tf_witness_request r;
	size_t n = strlen(malformed[_i]);
	char *exact = malloc(n > 0 ? n : 1);

	memcpy(exact, malformed[_i], n);
	ck_assert_msg(tf_witness_request_parse((struct tf_str){ exact, n }, &r,
			  NULL) == TF_INVALID,
	    "taken: %s", malformed[_i]);
	free(exact);
}
END_TEST

/* --- answers ------------------------------------------------------------------ */

START_TEST(an_answer_is_checked_before_it_is_taken)
{
	struct world w;
	struct tf_buf note = { 0 }, more = { 0 }, other = { 0 }, out = { 0 };
	struct tf_str n;

	make_world(&w);
	struct tf_witness_policy *p = policy_with(&w, "quorum w1\n");

	note_of(&w, 5, &note);
	note_of(&w, 6, &other);
	n = tf_buf_bytes(&note);
#define TAKE(lines, i) \
	(out.n = 0, tf_witness_take(p, i, n, str_of(lines), &out, NULL))
	ck_assert_int_eq(TF_OK,
	    tf_witness_cosign(w.w[1], "key1", 9, n, &more, NULL));
	ck_assert_int_eq(TF_OK, TAKE(more.p, 1));
	assert_same(note.p, note.n, out.p, note.n);
	assert_same(more.p, more.n, out.p + note.n, more.n);
	ck_assert_int_eq(TF_NOTFOUND, TAKE(more.p, 2));
	ck_assert_int_eq(TF_INVALID, TAKE("", 1));
	ck_assert_int_eq(TF_INVALID, TAKE("5\n", 1));
	ck_assert_int_eq(TF_INVALID, TAKE("<html>\n", 1));
	/* Without its end, with an empty line, with a whole note. */
	more.p[more.n - 1] = '\0';
	ck_assert_int_eq(TF_INVALID, TAKE(more.p, 1));
	more.p[more.n - 1] = '\n';
	tf_buf_str(&more, "\n");
	ck_assert_int_eq(TF_INVALID, TAKE(more.p, 1));
	/* Over another checkpoint, and by another key under the name. */
	more.n = 0;
	ck_assert_int_eq(TF_OK,
	    tf_witness_cosign(w.w[1], "key1", 9, tf_buf_bytes(&other), &more,
		NULL));
	ck_assert_int_eq(TF_TAMPER, TAKE(more.p, 1));
	more.n = 0;
	ck_assert_int_eq(TF_OK,
	    tf_witness_cosign(w.w[2], "key1", 9, n, &more, NULL));
	ck_assert_int_eq(TF_NOTFOUND, TAKE(more.p, 1));
	tf_witness_policy_free(p);
	tf_buf_free(&note);
	tf_buf_free(&more);
	tf_buf_free(&other);
	tf_buf_free(&out);
	free_world(&w);
}
END_TEST

START_TEST(the_size_of_an_answer_is_one_line)
{
	static const char *const bad[] = { "", "\n", "5", "5\n\n", "05\n",
		"-5\n", "5 \n", "5\r\n", "9223372036854775808\n", "x\n" };
	uint64_t size;

	ck_assert(tf_witness_size(str_of("20852014\n"), &size));
	ck_assert_uint_eq(20852014, size);
	ck_assert(tf_witness_size(str_of("0\n"), &size));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert(!tf_witness_size(str_of(bad[i]), &size));
}
END_TEST

#define LOOP(a) (int)(sizeof(a) / sizeof((a)[0]))

Suite *
suite_witness(void)
{
	Suite *s = suite_create("witness");
	TCase *t = tcase_create("witness");

	tcase_add_test(t, a_policy_says_its_witnesses);
	tcase_add_loop_test(t, a_hostile_policy_is_refused_with_its_line, 0,
	    LOOP(hostile));
	tcase_add_loop_test(t, a_key_of_another_type_is_named, 0, 2);
	tcase_add_test(t, a_nul_and_a_huge_policy_are_refused);
	tcase_add_test(t, a_policy_has_its_bounds);
	tcase_add_test(t, the_quorum_is_counted_for_every_set);
	tcase_add_test(t, a_wrong_cosignature_makes_the_note_bad);
	tcase_add_test(t, a_request_proves_what_it_says);
	tcase_add_test(t, no_request_goes_back);
	tcase_add_test(t, the_published_request_is_read);
	tcase_add_test(t, the_request_of_another_log_is_checked);
	tcase_add_loop_test(t, a_malformed_request_is_refused, 0,
	    LOOP(malformed));
	tcase_add_test(t, an_answer_is_checked_before_it_is_taken);
	tcase_add_test(t, the_size_of_an_answer_is_one_line);
	suite_add_tcase(s, t);
	return s;
}
