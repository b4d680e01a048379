/* Replay (I5): the tree that entries make, and each rule broken. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/time_text.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/entry_write.h"
#include "../../core/ledger/replay.h"
#include "../../core/ledger/sums.h"
#include "../../core/store/temp_table.h"
#include "rotations.h"
#include "vectors.h"

#define LINES 9

/* The rules that the entries broke: their number, and the first one. */
struct broken {
	unsigned n;
	uint64_t seq;
	char first[200];
};

static void
rule_broken(void *arg, const struct tf_entry *e, const char *text)
{
	struct broken *b = arg;

	if (b->n++ == 0) {
		b->seq = e->seq;
		snprintf(b->first, sizeof(b->first), "%s", text);
	}
}

static const struct tf_temp_table_ops table_ops = {
	.add = tf_temp_table_add,
	.put = tf_temp_table_put,
	.get = tf_temp_table_get,
	.each = tf_temp_table_each,
	.cut = tf_temp_table_cut,
};

/* The worked example, one entry changed by hand before it is replayed. */
struct play {
	struct broken broken;
	struct tf_temp_table *table;
	struct tf_replay *r;
	struct tf_replay_effect last;
	struct tf_entry_decoded d[LINES];
	struct tf_buf text;
};

static void
begin(struct play *p)
{
	struct tf_str rest, line;

	memset(p, 0, sizeof(*p));
	ck_assert_int_eq(TF_OK, tf_temp_table_open(&p->table, NULL));
	p->r = tf_replay_new(&table_ops, p->table, rule_broken, &p->broken);
	p->text = read_vector("entries-example.jsonl");
	rest = (struct tf_str){ p->text.p, p->text.n };
	for (int i = 0; i < LINES; i++) {
		ck_assert(take_line(&rest, &line));
		ck_assert_int_eq(TF_OK,
		    tf_entry_decode(&p->d[i], line.p, line.n, NULL));
	}
}

static void
play_entry(struct play *p, const struct tf_entry *e)
{
	struct tf_buf b = { 0 };
	struct tf_hash leaf = { { 0 } };

	if (tf_entry_encode(e, &b, NULL) == TF_OK)
		tf_entry_leaf(b.p, b.n, &leaf);
	tf_buf_free(&b);
	ck_assert_int_eq(TF_OK,
	    tf_replay_entry(p->r, e, &leaf, &p->last, NULL));
}

static void
play(struct play *p, int i)
{
	play_entry(p, &p->d[i].e);
}

static void
end(struct play *p)
{
	tf_replay_free(p->r);
	tf_temp_table_close(p->table);
	for (int i = 0; i < LINES; i++)
		tf_entry_decoded_free(&p->d[i]);
	tf_buf_free(&p->text);
}

START_TEST(the_worked_example_obeys_every_rule)
{
	struct play p;

	begin(&p);
	for (int i = 0; i < LINES; i++)
		play(&p, i);
	tf_replay_end(p.r);
	ck_assert_msg(p.broken.n == 0, "entry %d: %s", (int)p.broken.seq,
	    p.broken.first);
	ck_assert_str_eq("example.org/vault", tf_replay_origin(p.r));
	ck_assert_uint_eq(6, tf_replay_names(p.r));
	end(&p);
}
END_TEST

START_TEST(the_expected_statement_is_the_signed_one)
{
	struct tf_buf want = read_vector("entries-example.statement.json");
	struct tf_buf made = { 0 };
	struct play p;

	begin(&p);
	for (int i = 0; i < 8; i++)
		play(&p, i);
	ck_assert(p.last.has_statement);
	ck_assert(tf_time_parse("2026-11-23T07:51:20.699000000Z", 30,
	    &p.last.statement.sealed_at));
	ck_assert_int_eq(TF_OK,
	    tf_statement_encode(&p.last.statement, &made, NULL));
	assert_same(want.p, want.n, made.p, made.n);
	tf_buf_free(&want);
	tf_buf_free(&made);
	end(&p);
}
END_TEST

/* Each breaks one rule; the replay names it at that entry. */
struct fault {
	const char *name;
	int at;
	void (*make)(struct tf_entry *e);
	const char *says;
};

static void
wrong_seq(struct tf_entry *e)
{
	e->seq = 4;
}

static void
wrong_origin(struct tf_entry *e)
{
	e->origin = str_of("example.org/other");
}

static void
not_later(struct tf_entry *e)
{
	e->at = (struct tf_time){ 0, 0 };
}

static void
node_again(struct tf_entry *e)
{
	e->node = 2;
}

static void
name_again(struct tf_entry *e)
{
	e->path = str_of("prod-server-access/ecs-execute-command-0199bb27be8f3"
			 "54b7/user-identity/Übergabe \"7\".txt");
}

static void
no_parent(struct tf_entry *e)
{
	e->path = str_of("prod-server-access/nowhere/user-identity");
}

static void
other_template(struct tf_entry *e)
{
	e->template_version = 2;
}

static void
other_count(struct tf_entry *e)
{
	e->evidence_count = 3;
}

static void
other_sums(struct tf_entry *e)
{
	e->evidence_sums.b[0] ^= 1;
}

static void
other_children(struct tf_entry *e)
{
	e->children_sums.b[31] ^= 1;
}

static void
cut_batch(struct tf_entry *e)
{
	e->has_batch = true;
	e->batch_first = e->seq;
	e->batch_last = e->seq + 1;
}

static void
writable_seal(struct tf_entry *e)
{
	e->access.mode = 0750;
}

static const struct fault faults[] = {
	{ "number", 3, wrong_seq, "number" },
	{ "origin", 5, wrong_origin, "another ledger" },
	{ "time", 6, not_later, "not later" },
	{ "node twice", 6, node_again, "node number was used" },
	{ "name twice", 6, name_again, "name was used" },
	{ "no parent", 4, no_parent, "does not exist" },
	{ "template", 3, other_template, "template" },
	{ "count", 7, other_count, "sums" },
	{ "sums", 7, other_sums, "sums" },
	{ "workflow sums", 8, other_children, "sums" },
	{ "batch cut", 5, cut_batch, "batch" },
	{ "seal with write bits", 7, writable_seal, "write permission" },
};

START_TEST(a_broken_rule_is_named_at_its_entry)
{
	const struct fault *f = &faults[_i];
	struct play p;

	begin(&p);
	f->make(&p.d[f->at].e);
	for (int i = 0; i < LINES; i++)
		play(&p, i);
	ck_assert_msg(p.broken.n > 0, "%s passed", f->name);
	ck_assert_msg(strstr(p.broken.first, f->says) != NULL, "%s: %s",
	    f->name, p.broken.first);
	end(&p);
}
END_TEST

/* Evidence after its attestation was sealed; a second seal. */
START_TEST(nothing_is_born_below_a_seal)
{
	struct play p;

	begin(&p);
	for (int i = 0; i < 5; i++)
		play(&p, i);
	p.d[7].e.seq = 5;
	p.d[7].e.evidence_count = 0;
	p.d[7].e.evidence_bytes = 0;
	tf_sha256("", 0, &p.d[7].e.evidence_sums);
	p.d[7].e.at = p.d[4].e.at;
	p.d[7].e.at.ns++;
	play(&p, 7);
	ck_assert_msg(p.broken.n == 0, "%s", p.broken.first);
	p.d[5].e.seq = 6;
	play(&p, 5);
	ck_assert_str_eq("is created in a directory that was sealed",
	    p.broken.first);
	end(&p);
}
END_TEST

/* --- logs that go on after the worked example ------------------------------- */

#define S(text)                        \
	{                              \
		text, sizeof(text) - 1 \
	}
#define TRAIL "prod-server-access"
#define FLOW TRAIL "/ecs-execute-command-0199bb27be8f354b7"
#define ATT FLOW "/user-identity"
#define FILE_6 ATT "/Übergabe \"7\".txt"
#define STORE "6d2f5b0e9a414c0d8f7e3b1a2c4d5e6f"
#define LOG_KEY \
	"example.org/vault+2b4a15b0+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define NEW_KEY \
	"example.org/vault+ee4b4f87+AT1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"
#define SPKI "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU="
#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
/* SHA-256 of nothing: what no file and no child come to. */
#define NOTHING                                                               \
	{                                                                     \
		{                                                             \
			0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, \
			    0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,   \
			    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4,   \
			    0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55          \
		}                                                             \
	}

#define OPENED(log, spki)                                            \
	.type = TF_LEDGER_OPENED, .store = S(STORE), .host = S("h"), \
	.key_log = S(log), .key_attester = S(spki)
#define PREVIOUS(origin_, text) \
	OPENED(LOG_KEY, SPKI), .origin = S(origin_), .previous = S(text)
#define BORN(type_, node_, path_) \
	.type = TF_##type_, .has_node = true, .node = (node_), .path = S(path_)
#define FLOW_BORN(node_, path_, version)                                   \
	BORN(WORKFLOW_BEGUN, node_, path_), .has_template = (version) > 0, \
					    .template_version = (version)
#define SEALED(type_, path_)                           \
	.type = TF_##type_##_SEALED, .path = S(path_), \
	.evidence_sums = NOTHING, .children_sums = NOTHING
#define SIZE(bytes) .has_content = true, .content.size = (bytes)
#define BATCH(first, last) \
	.has_batch = true, .batch_first = (first), .batch_last = (last)
#define ACCESS(path_, mode_)                                             \
	.type = TF_ACCESS_CHANGED, .path = S(path_), .has_access = true, \
	.access.mode = (mode_)
#define TEMPLATE(path_, version) \
	.type = TF_TEMPLATE_SET, .path = S(path_), .template_version = (version)
#define TYPE(path_, name_, version)                                    \
	.type = TF_TYPE_SET, .path = S(path_), .has_definition = true, \
	.definition_name = S(name_), .definition_version = (version)
#define RECIPIENTS(path_, version)                                           \
	.type = TF_RECIPIENTS_SET, .path = S(path_), .has_definition = true, \
	.definition_version = (version)
#define TO_AGE(version)                                        \
	.has_encryption = true, .encryption_format = S("age"), \
	.encryption_recipients = (version)
#define ENCRYPTED(node_, path_, version) \
	BORN(EVIDENCE_SEALED, node_, path_), TO_AGE(version)
/* D digests, which replay does not compare with anything. */
#define D1 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GROWN(node_, path_, members, digests, to_)                           \
	BORN(EVIDENCE_GROWN, node_, path_),                                  \
	    .chunks = S("{" members "\"sha256\":\"" digests "\",\"to\":" to_ \
			"}")
#define FIRST_PART "\"bytes\":65536,\"from\":0,"
#define NEXT_PART(before) \
	"\"before\":" before ",\"bytes\":65536,\"from\":65536,"
#define PROVEN(bytes) .has_proven = true, .proven = (bytes)
#define LAST_PART(seq_) .has_grown = true, .grown = (seq_)
#define INTERRUPTED(path_) .type = TF_EVIDENCE_INTERRUPTED, .path = S(path_)
#define FLUSHED(node_, path_)                                            \
	.type = TF_EVIDENCE_FLUSHED, .path = S(path_), .has_node = true, \
	.node = (node_), .has_flushed = true
#define IMPORT_DONE(path_) .type = TF_IMPORT_DONE, .path = S(path_)
#define IMPORTED .imported = S("{\"id\":\"1\"}")
#define CLAIMS(path_) .type = TF_CLAIMS_SET, .path = S(path_)
#define OVERRIDE(path_, target_)                             \
	.type = TF_ATTESTATION_OVERRIDDEN, .path = S(path_), \
	.has_target = true, .target = (target_)
#define VERIFIED(size) \
	.type = TF_VERIFY_DONE, .path = S("."), .tree_size = (size)
#define FAILED(members)                           \
	.type = TF_VERIFY_FAILED, .path = S("."), \
	.run = S("{" members "\"seconds\":1,\"verdict\":\"failed\"}")
#define VERIFIED_PART(size, run_) VERIFIED(size), .run = S(run_)
#define ROTATED(use_, old, new)                                    \
	.type = TF_KEY_ROTATED, .use = S(use_), .key_old = S(old), \
	.key_new = S(new)

#define ANCHORED(size_)                                                     \
	.type = TF_ANCHOR_ADDED, .has_content = true, .tree_size = (size_), \
	.anchor_kind = S("stamp"), .anchor_name = S("tsa.example")

#define HOLD(path_, name_) \
	.type = TF_HOLD_PLACED, .path = S(path_), .hold = S(name_)
#define RELEASE(path_, name_) \
	.type = TF_HOLD_RELEASED, .path = S(path_), .hold = S(name_)
#define RETAIN(path_, for_)                                                \
	.type = TF_RETENTION_SET, .path = S(path_), .has_retention = true, \
	.retention.period = S(for_), .retention.mode = S("governance")
#define RETAIN_UNTIL(path_, mode_, seconds)                                \
	.type = TF_RETENTION_SET, .path = S(path_), .has_retention = true, \
	.retention.mode = S(mode_), .retention.has_until = (seconds) > 0,  \
	.retention.until = { (seconds), 0 }
/* FILE_6 is the evidence of entry 5. */
#define SHA_5                                                                 \
	{                                                                     \
		{                                                             \
			0xf8, 0x71, 0x65, 0xe3, 0x05, 0xb0, 0xf7, 0xc4, 0x82, \
			    0x4d, 0x38, 0x06, 0x43, 0x4f, 0x9d, 0x09, 0x09,   \
			    0x61, 0x0a, 0x25, 0x64, 0x1a, 0xb8, 0x77, 0x3c,   \
			    0xf9, 0x2a, 0x48, 0xc9, 0xd7, 0x76, 0x70          \
		}                                                             \
	}
#define REMOVE(type_, who_, path_, target_, size_, what_)                  \
	.type = (type_), .path = S(path_), .has_target = true,             \
	.target = (target_), .has_content = true,                          \
	.content = { SHA_5, (size_) }, .reason = S("r"), .what = S(what_), \
	.actor = S(who_)
#define ALICE "{\"gid\":1,\"hints\":{\"loginuid\":1000},\"uid\":1000}"
#define ALICE_AS_ROOT "{\"gid\":0,\"hints\":{\"loginuid\":1000},\"uid\":0}"
#define ROOT "{\"gid\":0,\"uid\":0}"
#define NOBODY "{\"gid\":1,\"uid\":65534}"
#define BOB "{\"gid\":1,\"hints\":{\"loginuid\":1001},\"uid\":1001}"
#define BOB_AS_ROOT "{\"gid\":0,\"hints\":{\"loginuid\":1001},\"uid\":0}"
#define PROPOSE(who_) \
	REMOVE(TF_REDACTION_PROPOSED, who_, FILE_6, 5, 6, "content")
#define REDACT(who_, proposal_)                                   \
	REMOVE(TF_REDACTION_DONE, who_, FILE_6, 5, 6, "content"), \
	    .has_proposal = true, .proposal = (proposal_)
/* The seal of ATT, whose evidence was judged: its report has 7 bytes. */
#define JUDGED                                                                \
	.type = TF_ATTESTATION_SEALED, .path = S(ATT), .has_evidence = true,  \
	.evidence_bytes = 23, .evidence_count = 2,                            \
	.evidence_sums = { { 0xee, 0x5f, 0x33, 0xc6, 0xe3, 0x78, 0x19, 0xf7,  \
	    0xfc, 0xdf, 0x38, 0x45, 0x1c, 0x60, 0xd6, 0x37, 0x55, 0xc6, 0xb1, \
	    0xae, 0x03, 0xf7, 0x37, 0x0a, 0x7c, 0xa8, 0x74, 0x5a, 0xf7, 0xbc, \
	    0x41, 0x40 } },                                                   \
	.evaluated =                                                          \
	    S("{\"compliant\":true,\"counts\":{\"tests\":1},\"report\":"      \
	      "{\"sha256\":\"00000000000000000000000000000000"                \
	      "00000000000000000000000000000000\",\"size\":7},"               \
	      "\"rule\":\"junit\"}")
#define REPORT(bytes) .has_report = true, .report.size = (bytes)

/* Entry 9 names a text that stands apart. */
#define APART OVERRIDE(ATT, 7), .is_apart = true, .apart = SHA_5
#define PROPOSE_TEXT(who_) \
	REMOVE(TF_REDACTION_PROPOSED, who_, ATT, 9, 30, "reason")
#define REDACT_TEXT(who_, proposal_)                           \
	REMOVE(TF_REDACTION_DONE, who_, ATT, 9, 30, "reason"), \
	    .has_proposal = true, .proposal = (proposal_)

/*
 * The first lines of the worked example, then these entries.  Only the last one
 * breaks a rule; says NULL: none does.
 */
struct story {
	int lines;
	struct tf_entry e[4]; /* until a type that is not set */
	const char *says;
};

static const char not_first[] = "the first entry is not ledger.opened";
static const char middle[] = "its batch did not begin where it says";
static const char not_whole[] = "the batch before it is not whole";
static const char cut[] = "the log ends within a batch";
static const char hidden[] = "the login uid of one of the two is not known";
static const char foreign[] = "belongs to another ledger";
static const char malformed[] = "previous is malformed";
static const char elsewhere[] = "previous does not continue this ledger";
static const char no_root[] = "does not say whose the root is";
static const char other_store[] = "was written by another store";
static const char other_keys[] = "names keys that are not in force";
static const char depth[] = "is created at the wrong depth";
static const char nowhere[] = "is created in a directory that does not exist";
static const char too_late[] = "is created in a directory that was sealed";
static const char number_again[] = "its node number was used before";
static const char used[] = "its name was used before";
static const char too_early[] = "repeats what is not sealed yet";
static const char no_template[] = "names a template that is not in force";
static const char never_begun[] = "seals what was never begun";
static const char second[] = "seals a second time";
static const char writable[] = "seals and leaves write permission";
static const char no_attestation[] = "seals what is no attestation";
static const char wrong_files[] =
    "its sums are not those of the evidence that was sealed";
static const char open_child[] = "seals a workflow with an open attestation";
static const char other_kind[] = "seals what is of another kind";
static const char wrong_flows[] = "its sums are not those of its workflows";
static const char wrong_atts[] = "its sums are not those of its attestations";
static const char no_access[] = "changes access of what does not exist";
static const char more[] = "changes more of evidence than who reads it";
static const char other_node[] = "its node is not the evidence's";
static const char write_back[] = "gives a sealed directory write permission";
static const char no_trail[] = "sets a template of no trail";
static const char not_next[] = "its template has not the next version";
static const char no_type[] = "defines a type of no trail";
static const char type_not_next[] = "its type has not the next version";
static const char no_recipients[] = "sets recipients of no trail";
static const char recipients_not_next[] =
    "its recipients have not the next version";
static const char plain[] =
    "is not encrypted, although its trail has recipients";
static const char to_nobody[] =
    "is encrypted to recipients that its trail has not";
static const char other_file[] = "is not the file of which parts were entered";
static const char other_name[] =
    "has another path than its parts that were entered";
static const char other_path[] = "has another path than the part before it";
static const char no_successor[] = "does not follow the part before it";
static const char not_entered[] = "names an entry that is not about its parts";
static const char grown_nowhere[] = "is in an attestation that does not exist";
static const char grown_too_late[] = "is in an attestation that was sealed";
static const char of_sealed[] = "defines something of a sealed trail";
static const char about_nothing[] =
    "claims something about what does not exist";
static const char about_sealed[] = "claims something about a sealed directory";
static const char no_seal[] = "overrides what is not the seal of its path";
static const char no_import[] = "ends an import into what is no trail";
static const char not_marked[] = "is not imported, and its attestation is";
static const char marked[] = "is imported, and its attestation is not";
static const char no_such_tree[] =
    "a verification of a tree that this ledger did not have then";
static const char no_such_scope[] = "a verification whose scope does not fit";
#define RUN(members) "{" members "\"seconds\":1,\"verdict\":\"ok\"}"
#define PARTS(from, full, part, parts)                          \
	"\"from\":" #from ",\"full\":" #full ",\"part\":" #part \
	",\"parts\":" #parts ","
static const char old_key[] = "replaces a key that is not in force";
static const char not_signed[] =
    "replaces the log's key without the signatures of both";
static const char not_anchored[] =
    "an anchor of a tree that this ledger did not have then";

static const char protects_nothing[] = "protects what does not exist";
static const char stands[] = "places a hold that stands already";
static const char stands_not[] = "releases a hold that does not stand";
static const char keeps_nothing[] = "sets the retention of what does not exist";
static const char endless[] = "its retention has no end";
static const char shorter[] = "shortens a retention";
static const char held[] = "removes what a hold protects";
static const char kept[] = "removes what a retention keeps";
static const char not_proposed[] = "redacts what nobody proposed";
static const char same_person[] = "who proposed a redaction cannot approve it";
static const char other_proposal[] =
    "approves another proposal than the newest one";
static const char other_removal[] =
    "approves something else than what was proposed";
static const char other_content[] =
    "redacts other content than that of its path";
static const char no_text[] = "redacts a text that its target does not have";
static const char no_evidence[] = "redacts what is no evidence";
static const char redacted_before[] = "redacts what was redacted before";
static const char other_report[] =
    "removes a report that is not that of its attestation";
static const char too_old[] = "the proposal is older than 7 days";
static const char set_back[] = "the clock is behind the time of the proposal";

/* clang-format off */
static const struct story stories[] = {
	{ 0, { { BORN(TRAIL_CREATED, 2, "t") } }, not_first },
	{ 0, { { .type = TF_TYPE_UNKNOWN, .v = 2 } }, not_first },
	{ 1, { { .type = TF_TYPE_UNKNOWN, .v = 2 } }, NULL },
	{ 0, { { OPENED(LOG_KEY, SPKI) } }, no_root },
	{ 0, { { PREVIOUS("a/2", "{\"head\":\"a\\n0\\n\"}"),
		 .has_access = true } }, NULL },

	/* batches */
	{ 1, { { BORN(TRAIL_CREATED, 2, "t"), BATCH(0, 3) } }, middle },
	{ 1, { { BORN(TRAIL_CREATED, 2, "t"), BATCH(1, 2) },
	       { BORN(TRAIL_CREATED, 3, "u"), BATCH(2, 2) } }, not_whole },
	{ 1, { { BORN(TRAIL_CREATED, 2, "t"), BATCH(1, 2) },
	       { BORN(TRAIL_CREATED, 3, "u"), BATCH(1, 3) } }, not_whole },
	{ 1, { { BORN(TRAIL_CREATED, 2, "t"), BATCH(1, 2) },
	       { BORN(TRAIL_CREATED, 3, "u") } }, not_whole },
	{ 1, { { BORN(TRAIL_CREATED, 2, "t"), BATCH(1, 2) } }, cut },
	{ 1, { { BORN(TRAIL_CREATED, 2, "t"), BATCH(1, 2) },
	       { BORN(TRAIL_CREATED, 3, "u"), BATCH(1, 2) },
	       { BORN(TRAIL_CREATED, 4, "v") } }, NULL },

	/* a ledger opened again */
	{ 9, { { OPENED(LOG_KEY, SPKI) } }, NULL },
	{ 9, { { OPENED(LOG_KEY, SPKI), .origin = S("a") } }, foreign },
	{ 9, { { .type = TF_LEDGER_OPENED, .store = S("other") } },
	  other_store },
	{ 9, { { OPENED("other", SPKI) } }, other_keys },
	{ 9, { { OPENED(LOG_KEY, "other") } }, other_keys },
	{ 9, { { PREVIOUS("a", "{") } }, malformed },
	{ 9, { { PREVIOUS("a", "{\"lost\":\"a\"}") } }, elsewhere },
	{ 9, { { PREVIOUS("a", "{\"head\":9}") } }, elsewhere },
	{ 9, { { PREVIOUS("a", "{\"head\":\"a\"}") } }, elsewhere },
	{ 9, { { PREVIOUS("a", "{\"head\":\"a\\n9\"}") } }, elsewhere },
	{ 9, { { PREVIOUS("a", "{\"head\":\"a\\nix\\n\"}") } }, elsewhere },
	{ 9, { { PREVIOUS("a", "{\"head\":\"a\\n8\\n\"}") } }, elsewhere },
	{ 9, { { PREVIOUS("example.org/vault", "{\"head\":\"a\\n9\\n\"}") } },
	  elsewhere },
	{ 9, { { PREVIOUS("a", "{\"head\":\"a\\n9\\n\"}") },
	       { BORN(TRAIL_CREATED, 9, "t"), .origin = S("a") } }, NULL },
	{ 9, { { PREVIOUS("a", "{\"head\":\"a\\n9\\n\"}") },
	       { BORN(TRAIL_CREATED, 9, "t") } }, foreign },

	/* births */
	{ 4, { { BORN(TRAIL_CREATED, 9, FLOW) } }, depth },
	{ 4, { { BORN(ATTESTATION_BEGUN, 9, TRAIL "/x") } }, depth },
	{ 4, { { BORN(DIRECTORY_CREATED, 9, FLOW "/x") } }, depth },
	{ 4, { { BORN(EVIDENCE_SEALED, 9, FLOW "/x") } }, depth },
	{ 5, { { BORN(ATTESTATION_BEGUN, 9, ATT "/x") } }, depth },
	{ 5, { { BORN(EVIDENCE_SEALED, 9, ATT "/" X256) } }, depth },
	{ 6, { { BORN(EVIDENCE_SEALED, 9, FILE_6 "/x") } }, nowhere },
	{ 6, { { BORN(EVIDENCE_SEALED, 5, ATT "/x") } }, number_again },
	{ 1, { { BORN(TRAIL_CREATED, 1, "t") } }, number_again },
	{ 1, { { BORN(TRAIL_CREATED, 5000, "t") },
	       { BORN(TRAIL_CREATED, 9, "u") },
	       { BORN(TRAIL_CREATED, 5000, "v") } }, number_again },
	{ 2, { { BORN(TRAIL_CREATED, 9, TRAIL) } }, used },
	{ 6, { { BORN(DIRECTORY_CREATED, 9, FILE_6) } }, used },
	{ 5, { { BORN(DIRECTORY_CREATED, 9, ATT "/x") },
	       { BORN(EVIDENCE_SEALED, 10, ATT "/x") } }, used },
	{ 1, { { BORN(TRAIL_CREATED, 2, "t") }, { SEALED(TRAIL, "t") },
	       { FLOW_BORN(3, "t/w", 0) } }, too_late },
	{ 5, { { BORN(DIRECTORY_CREATED, 9, ATT "/x") },
	       { SEALED(ATTESTATION, ATT) },
	       { BORN(EVIDENCE_SEALED, 10, ATT "/x/y") } }, too_late },
	{ 2, { { FLOW_BORN(9, TRAIL "/w", 1) } }, no_template },
	{ 3, { { FLOW_BORN(9, TRAIL "/w", 0) } }, no_template },
	{ 4, { { BORN(ATTESTATION_BEGUN, 9, FLOW "/x@2") } }, too_early },
	{ 5, { { BORN(ATTESTATION_BEGUN, 9, ATT "@2") } }, too_early },
	{ 8, { { BORN(ATTESTATION_BEGUN, 9, ATT "@3") } }, too_early },
	{ 8, { { BORN(ATTESTATION_BEGUN, 9, ATT "@2") },
	       { BORN(ATTESTATION_BEGUN, 10, ATT "@3") } }, too_early },
	{ 8, { { BORN(ATTESTATION_BEGUN, 9, ATT "@2") },
	       { SEALED(ATTESTATION, ATT "@2") },
	       { BORN(ATTESTATION_BEGUN, 10, ATT "@3") },
	       { SEALED(ATTESTATION, ATT "@3") } }, NULL },

	/* seals */
	{ 4, { { SEALED(ATTESTATION, FLOW "/x") } }, never_begun },
	{ 4, { { SEALED(WORKFLOW, TRAIL "/x") } }, never_begun },
	{ 4, { { SEALED(TRAIL, "x") } }, never_begun },
	{ 8, { { SEALED(ATTESTATION, ATT) } }, second },
	{ 9, { { SEALED(WORKFLOW, FLOW) } }, second },
	{ 5, { { SEALED(ATTESTATION, ATT), .has_access = true,
		 .access.mode = 0020 } }, writable },
	{ 4, { { SEALED(ATTESTATION, FLOW) } }, no_attestation },
	{ 5, { { BORN(DIRECTORY_CREATED, 9, ATT "/x") },
	       { SEALED(ATTESTATION, ATT "/x") } }, no_attestation },
	{ 5, { { SEALED(ATTESTATION, ATT), .evidence_count = 1 } },
	  wrong_files },
	{ 5, { { SEALED(ATTESTATION, ATT), .evidence_bytes = 1 } },
	  wrong_files },
	{ 6, { { SEALED(ATTESTATION, ATT) } }, wrong_files },
	/* More bytes than an entry can tell of. */
	{ 5, { { BORN(EVIDENCE_SEALED, 9, ATT "/x"), SIZE(TF_JSON_MAX) },
	       { BORN(EVIDENCE_SEALED, 10, ATT "/y"), SIZE(1) },
	       { SEALED(ATTESTATION, ATT) } }, wrong_files },
	{ 4, { { SEALED(WORKFLOW, TRAIL) } }, other_kind },
	{ 4, { { SEALED(TRAIL, FLOW) } }, other_kind },
	{ 5, { { SEALED(WORKFLOW, FLOW) } }, open_child },
	{ 4, { { SEALED(WORKFLOW, FLOW), .children_count = 1 } }, wrong_atts },
	{ 8, { { SEALED(WORKFLOW, FLOW) } }, wrong_atts },
	{ 2, { { SEALED(TRAIL, TRAIL), .children_count = 1 } }, wrong_flows },
	{ 9, { { SEALED(TRAIL, TRAIL) } }, wrong_flows },

	/* access */
	{ 4, { { ACCESS("x", 0700) } }, no_access },
	/* of evidence: who reads it, before the seal and after */
	{ 6, { { ACCESS(FILE_6, 0604), .has_node = true, .node = 5,
		 .access.uid = 1000 } }, NULL },
	{ 9, { { ACCESS(FILE_6, 0604), .has_node = true, .node = 5,
		 .access.uid = 1000, .access.gid = 7 } }, NULL },
	{ 9, { { ACCESS(FILE_6, 0604), .has_node = true, .node = 5 } }, more },
	{ 9, { { ACCESS(FILE_6, 0660), .has_node = true, .node = 5,
		 .access.uid = 1000 } }, more },
	{ 9, { { ACCESS(FILE_6, 0650), .has_node = true, .node = 5,
		 .access.uid = 1000 } }, more },
	{ 9, { { ACCESS(FILE_6, 04640), .has_node = true, .node = 5,
		 .access.uid = 1000 } }, more },
	{ 9, { { ACCESS(FILE_6, 0600), .has_node = true, .node = 9,
		 .access.uid = 1000 } }, other_node },
	{ 9, { { ACCESS(FILE_6, 0600), .access.uid = 1000 } }, other_node },
	{ 4, { { ACCESS(ATT "/x", 0700) } }, no_access },
	{ 5, { { BORN(DIRECTORY_CREATED, 9, ATT "/x") },
	       { ACCESS(ATT "/x", 0700) } }, NULL },
	{ 5, { { BORN(DIRECTORY_CREATED, 9, ATT "/x"), .has_access = true,
		 .access.mode = 0500 },
	       { ACCESS(ATT "/x", 0700) } }, NULL },
	{ 5, { { BORN(DIRECTORY_CREATED, 9, ATT "/x"), .has_access = true,
		 .access.mode = 0500 },
	       { SEALED(ATTESTATION, ATT) }, { ACCESS(ATT "/x", 0700) } },
	  write_back },
	{ 5, { { BORN(DIRECTORY_CREATED, 9, ATT "/x") },
	       { SEALED(ATTESTATION, ATT) }, { ACCESS(ATT "/x", 0500) },
	       { ACCESS(ATT "/x", 0555) } }, NULL },
	{ 8, { { ACCESS(ATT, 0570) } }, write_back },
	{ 8, { { ACCESS(ATT, 0500) }, { ACCESS(ATT, 0555) } }, NULL },
	{ 5, { { ACCESS(ATT, 0777) } }, NULL },
	/* Its seal says nothing of access: write permission stays. */
	{ 9, { { ACCESS(FLOW, 0700) }, { ACCESS(FLOW, 0500) },
	       { ACCESS(FLOW, 0700) } }, write_back },

	/* templates */
	{ 4, { { TEMPLATE("x", 1) } }, no_trail },
	{ 4, { { TEMPLATE(FLOW, 1) } }, no_trail },
	{ 2, { { TEMPLATE(TRAIL, 2) } }, not_next },
	{ 3, { { TEMPLATE(TRAIL, 1) } }, not_next },
	{ 3, { { TEMPLATE(TRAIL, 2) }, { FLOW_BORN(9, TRAIL "/w", 2) } },
	  NULL },

	{ 1, { { BORN(TRAIL_CREATED, 2, "t") }, { SEALED(TRAIL, "t") },
	       { TEMPLATE("t", 1) } }, of_sealed },

	/* types */
	{ 4, { { TYPE("x", "a", 1) } }, no_type },
	{ 4, { { TYPE(FLOW, "a", 1) } }, no_type },
	{ 2, { { TYPE(TRAIL, "a", 2) } }, type_not_next },
	{ 2, { { TYPE(TRAIL, "a", 1) }, { TYPE(TRAIL, "a", 1) } },
	  type_not_next },
	{ 2, { { TYPE(TRAIL, "a", 1) }, { TYPE(TRAIL, "a", 2) },
	       { TYPE(TRAIL, "b", 1) } }, NULL },
	{ 2, { { TYPE(TRAIL, "a", 1) }, { BORN(TRAIL_CREATED, 9, "t") },
	       { TYPE("t", "a", 1) } }, NULL },
	{ 1, { { BORN(TRAIL_CREATED, 2, "t") }, { SEALED(TRAIL, "t") },
	       { TYPE("t", "a", 1) } }, of_sealed },

	/* recipients */
	{ 4, { { RECIPIENTS("x", 1) } }, no_recipients },
	{ 4, { { RECIPIENTS(FLOW, 1) } }, no_recipients },
	{ 4, { { RECIPIENTS(TRAIL, 2) } }, recipients_not_next },
	{ 4, { { RECIPIENTS(TRAIL, 1) }, { RECIPIENTS(TRAIL, 1) } },
	  recipients_not_next },
	{ 1, { { BORN(TRAIL_CREATED, 2, "t") }, { SEALED(TRAIL, "t") },
	       { RECIPIENTS("t", 1) } }, of_sealed },
	{ 5, { { BORN(EVIDENCE_SEALED, 9, ATT "/x") },
	       { RECIPIENTS(TRAIL, 1) },
	       { ENCRYPTED(10, ATT "/y", 1) } }, NULL },
	{ 5, { { RECIPIENTS(TRAIL, 1) }, { RECIPIENTS(TRAIL, 2) },
	       { ENCRYPTED(9, ATT "/x", 2) },
	       { ENCRYPTED(10, ATT "/y", 1) } }, NULL },
	{ 5, { { RECIPIENTS(TRAIL, 1) },
	       { BORN(EVIDENCE_SEALED, 9, ATT "/x") } }, plain },
	{ 5, { { BORN(EVIDENCE_SEALED, 9, ATT "/x") },
	       { RECIPIENTS(TRAIL, 1) },
	       { BORN(EVIDENCE_SEALED, 10, ATT "/y") } }, plain },
	{ 5, { { ENCRYPTED(9, ATT "/x", 1) } }, to_nobody },
	{ 5, { { RECIPIENTS(TRAIL, 1) }, { ENCRYPTED(9, ATT "/x", 1) },
	       { ENCRYPTED(10, ATT "/y", 2) } }, to_nobody },
	{ 5, { { BORN(TRAIL_CREATED, 9, "t") }, { RECIPIENTS("t", 1) },
	       { BORN(EVIDENCE_SEALED, 10, ATT "/x") } }, NULL },

	/* claims */
	{ 4, { { CLAIMS("x") } }, about_nothing },
	{ 5, { { CLAIMS(ATT) } }, about_nothing },
	{ 4, { { CLAIMS(TRAIL) }, { CLAIMS(FLOW) }, { CLAIMS(FLOW) } }, NULL },
	{ 9, { { CLAIMS(FLOW) } }, about_sealed },
	{ 9, { { CLAIMS(TRAIL) } }, NULL },

	/* imports */
	{ 9, { { IMPORT_DONE(TRAIL) } }, NULL },
	{ 9, { { IMPORT_DONE(FLOW) } }, no_import },
	{ 9, { { IMPORT_DONE("x") } }, no_import },
	{ 4, { { BORN(ATTESTATION_BEGUN, 20, FLOW "/i"), IMPORTED },
	       { SEALED(ATTESTATION, FLOW "/i"), IMPORTED } }, NULL },
	{ 4, { { BORN(ATTESTATION_BEGUN, 20, FLOW "/i"), IMPORTED },
	       { SEALED(ATTESTATION, FLOW "/i") } }, not_marked },
	{ 4, { { BORN(ATTESTATION_BEGUN, 20, FLOW "/i") },
	       { SEALED(ATTESTATION, FLOW "/i"), IMPORTED } }, marked },
	{ 4, { { BORN(ATTESTATION_BEGUN, 20, FLOW "/i"), IMPORTED },
	       { BORN(EVIDENCE_SEALED, 21, FLOW "/i/f"), IMPORTED } }, NULL },
	{ 4, { { BORN(ATTESTATION_BEGUN, 20, FLOW "/i"), IMPORTED },
	       { BORN(EVIDENCE_SEALED, 21, FLOW "/i/f") } }, not_marked },
	{ 4, { { BORN(ATTESTATION_BEGUN, 20, FLOW "/i") },
	       { BORN(DIRECTORY_CREATED, 21, FLOW "/i/d") },
	       { BORN(EVIDENCE_SEALED, 22, FLOW "/i/d/f"), IMPORTED } },
	  marked },

	/* overrides */
	{ 8, { { OVERRIDE(FLOW "/x", 7) } }, no_seal },
	{ 9, { { OVERRIDE(FLOW, 8) } }, no_seal },
	{ 5, { { OVERRIDE(ATT, UINT64_MAX) } }, no_seal },
	{ 8, { { OVERRIDE(ATT, 6) } }, no_seal },
	{ 8, { { OVERRIDE(ATT, 7) } }, NULL },

	/* holds: on the root, on directories, on evidence */
	{ 4, { { HOLD("x", "h") } }, protects_nothing },
	{ 4, { { HOLD(ATT "/x", "h") } }, protects_nothing },
	{ 9, { { HOLD(".", "h") }, { HOLD(ATT, "h") }, { HOLD(FILE_6, "h") },
	       { RELEASE(ATT, "h") } }, NULL },
	{ 4, { { HOLD(TRAIL, "h") }, { HOLD(TRAIL, "i") },
	       { HOLD(TRAIL, "h") } }, stands },
	{ 4, { { RELEASE(TRAIL, "h") } }, stands_not },
	{ 4, { { HOLD(TRAIL, "h") }, { RELEASE(FLOW, "h") } }, stands_not },
	{ 4, { { HOLD(TRAIL, "h") }, { RELEASE(TRAIL, "h") },
	       { RELEASE(TRAIL, "h") } }, stands_not },
	{ 4, { { HOLD(TRAIL, "h") }, { RELEASE(TRAIL, "h") },
	       { HOLD(TRAIL, "h") } }, NULL },
	{ 9, { { HOLD(".", "h") }, { PROPOSE(ALICE) } }, held },
	{ 9, { { HOLD(ATT, "h") }, { PROPOSE(ALICE) } }, held },
	{ 9, { { HOLD(ATT, "h") }, { HOLD(ATT, "i") }, { RELEASE(ATT, "h") },
	       { PROPOSE(ALICE) } }, held },
	{ 9, { { PROPOSE(ALICE) }, { HOLD(ATT, "h") },
	       { REDACT(BOB, 9) } }, held },
	{ 9, { { PROPOSE(ALICE) }, { HOLD(ATT, "h") }, { RELEASE(ATT, "h") },
	       { REDACT(BOB, 9) } }, NULL },

	/* two people redact */
	{ 9, { { REDACT(BOB, 9) } }, not_proposed },
	{ 9, { { PROPOSE(ALICE) }, { REDACT(ALICE, 9) } }, same_person },
	{ 9, { { PROPOSE(ALICE) }, { REDACT(ALICE_AS_ROOT, 9) } },
	  same_person },
	{ 9, { { PROPOSE(ALICE_AS_ROOT) }, { REDACT(ALICE, 9) } },
	  same_person },
	{ 9, { { PROPOSE(ALICE_AS_ROOT) }, { REDACT(BOB_AS_ROOT, 9) } },
	  same_person },
	{ 9, { { PROPOSE(ROOT) }, { REDACT(ROOT, 9) } }, same_person },
	{ 9, { { PROPOSE(ALICE) }, { REDACT(BOB_AS_ROOT, 9) } }, NULL },
	{ 9, { { PROPOSE(ALICE) }, { REDACT(ROOT, 9) } }, hidden },
	{ 9, { { PROPOSE(ROOT) }, { REDACT(BOB, 9) } }, hidden },
	{ 9, { { PROPOSE(NOBODY) }, { REDACT(ROOT, 9) } }, NULL },
	{ 9, { { PROPOSE(ALICE) }, { REDACT(BOB, 8) } }, other_proposal },
	{ 9, { { PROPOSE(ALICE) }, { PROPOSE(BOB) }, { REDACT(BOB, 9) } },
	  other_proposal },
	{ 9, { { PROPOSE(ALICE) }, { PROPOSE(BOB) }, { REDACT(ALICE, 10) } },
	  NULL },
	{ 9, { { PROPOSE(ALICE) }, { REDACT(BOB, 9) }, { PROPOSE(ALICE) } },
	  redacted_before },
	{ 9, { { PROPOSE(ALICE) }, { REMOVE(TF_REDACTION_DONE, BOB, FILE_6, 5, 6, "expired"),
		   .has_proposal = true, .proposal = 9 } },
	  other_removal },
	{ 9, { { REMOVE(TF_REDACTION_PROPOSED, ALICE, FILE_6, 6, 6, "content") } }, other_content },
	{ 9, { { REMOVE(TF_REDACTION_PROPOSED, ALICE, FILE_6, 5, 7, "content") } }, other_content },
	{ 9, { { REMOVE(TF_REDACTION_PROPOSED, ALICE, ATT, 5, 6, "content") } }, no_evidence },
	/* the report goes with the first file, once, and no other report */
	{ 9, { { PROPOSE(ALICE) }, { REDACT(BOB, 9), REPORT(7) } },
	  other_report },
	{ 7, { { JUDGED }, { PROPOSE(ALICE) },
	       { REDACT(BOB, 8), REPORT(7) } }, NULL },
	{ 7, { { JUDGED }, { PROPOSE(ALICE) },
	       { REDACT(BOB, 8), REPORT(8) } }, other_report },
	{ 7, { { JUDGED }, { PROPOSE(ALICE) },
	       { REDACT(BOB, 8) } }, NULL },
	/* texts that stand apart */
	{ 9, { { APART }, { PROPOSE_TEXT(ALICE) }, { REDACT_TEXT(BOB, 10) } },
	  NULL },
	{ 9, { { APART }, { REDACT_TEXT(BOB, 10) } }, not_proposed },
	{ 9, { { APART }, { PROPOSE_TEXT(ALICE) }, { REDACT_TEXT(ALICE, 10) } },
	  same_person },
	{ 9, { { APART }, { PROPOSE_TEXT(ALICE) }, { REDACT_TEXT(BOB, 9) } },
	  other_proposal },
	{ 9, { { APART }, { PROPOSE_TEXT(ALICE) }, { REDACT_TEXT(BOB, 10) },
	       { PROPOSE_TEXT(ALICE) } }, redacted_before },
	{ 9, { { APART }, { HOLD(FLOW, "h") }, { PROPOSE_TEXT(ALICE) } },
	  held },
	{ 9, { { APART }, { PROPOSE_TEXT(ALICE) }, { HOLD(ATT, "h") },
	       { REDACT_TEXT(BOB, 10) } }, held },
	{ 9, { { OVERRIDE(ATT, 7) }, { PROPOSE_TEXT(ALICE) } }, no_text },
	{ 9, { { APART }, { REMOVE(TF_REDACTION_PROPOSED, ALICE, FLOW, 9, 30, "reason") } }, no_text },
	{ 9, { { APART }, { REMOVE(TF_REDACTION_PROPOSED, ALICE, ATT, 8, 30, "reason") } }, no_text },
	{ 9, { { APART }, { REMOVE(TF_REDACTION_PROPOSED, ALICE, ATT, 9, 30, "claims") } }, no_text },
	{ 9, { { APART }, { REMOVE(TF_REDACTION_PROPOSED, ALICE, ATT, 9, 16, "reason") } }, no_text },
	{ 9, { { APART }, { REMOVE(TF_REDACTION_PROPOSED, ALICE, ATT, 9, 2065, "reason") } }, no_text },
	{ 9, { { APART }, { REMOVE(TF_REDACTION_PROPOSED, ALICE, ATT, 9, 30, "content") } }, no_evidence },
	{ 9, { { APART }, { PROPOSE_TEXT(ALICE) },
	       { REDACT_TEXT(BOB, 10), REPORT(7) } }, other_report },
	/* the time of the ledger and the clock */
	{ 9, { { PROPOSE(ALICE), .has_clock = true, .clock.s = 1000 },
	       { REDACT(BOB, 9), .has_clock = true, .clock.s = 605801 } },
	  too_old },
	{ 9, { { PROPOSE(ALICE), .has_clock = true, .clock.s = 1000 },
	       { REDACT(BOB, 9), .has_clock = true, .clock.s = 605800 } },
	  NULL },
	{ 9, { { PROPOSE(ALICE), .has_clock = true, .clock.s = 1000 },
	       { REDACT(BOB, 9), .has_clock = true, .clock.s = 999 } },
	  set_back },
	{ 9, { { RETAIN_UNTIL(FLOW, "never", 0) }, { PROPOSE(ALICE) } },
	  kept },
	{ 9, { { RETAIN_UNTIL(FLOW, "governance", 4102444800) },
	       { PROPOSE(ALICE) } }, kept },

	/* retention only grows */
	{ 4, { { RETAIN(TRAIL "/x", "7y") } }, keeps_nothing },
	{ 9, { { RETAIN(TRAIL, "7y") }, { RETAIN(FLOW, "1d") },
	       { RETAIN(ATT, "2w") }, { RETAIN(TRAIL, "84m") } }, NULL },
	{ 9, { { RETAIN(TRAIL, "7y") }, { RETAIN(TRAIL, "83m") } }, shorter },
	{ 9, { { RETAIN(TRAIL, "90d") }, { RETAIN(TRAIL, "12w") } }, shorter },
	{ 9, { { RETAIN_UNTIL(TRAIL, "governance", 0) } }, endless },
	{ 9, { { RETAIN_UNTIL(TRAIL, "governance", 9) },
	       { RETAIN_UNTIL(TRAIL, "governance", 8) } }, shorter },
	{ 9, { { RETAIN_UNTIL(TRAIL, "never", 0) },
	       { RETAIN(TRAIL, "7y") } }, shorter },
	/* A mode of a later version keeps for ever. */
	{ 9, { { RETAIN_UNTIL(TRAIL, "of-later", 0) },
	       { RETAIN(TRAIL, "7y") } }, shorter },
	{ 9, { { RETAIN(TRAIL, "7y") },
	       { RETAIN_UNTIL(TRAIL, "never", 0) } }, NULL },

	/* trees */
	{ 9, { { VERIFIED(9) }, { VERIFIED(9) } }, NULL },
	{ 9, { { VERIFIED(10) } }, no_such_tree },
	{ 9, { { VERIFIED(0) } }, no_such_tree },
	{ 9, { { FAILED("") }, { FAILED("\"entries\":9,") } }, NULL },
	{ 9, { { FAILED("\"entries\":10,") } }, no_such_tree },
	{ 9, { { FAILED(PARTS(9, 8, 0, 1)) } }, NULL },
	{ 9, { { FAILED(PARTS(9, 9, 0, 1)) } }, no_such_scope },
	{ 9, { { FAILED(PARTS(10, 8, 0, 1)) } }, no_such_scope },
	{ 9,
	    { { .type = TF_VERIFY_FAILED,
		.path = S("."),
		.run = S("{\"seconds\":1,\"verdict\":\"ok\"}") } },
	    "a failed verification with a good verdict" },
	{ 9, { { VERIFIED_PART(9, RUN("")) } }, NULL },
	{ 9, { { VERIFIED_PART(9, RUN(PARTS(9, 8, 0, 1))) } }, NULL },
	{ 9, { { VERIFIED_PART(9, RUN(PARTS(10, 8, 0, 1))) } }, no_such_scope },
	{ 9, { { VERIFIED_PART(9, RUN(PARTS(9, 9, 0, 1))) } }, no_such_scope },
	{ 9, { { VERIFIED_PART(9, RUN(PARTS(9, 8, 7, 7))) } }, no_such_scope },
	{ 9, { { VERIFIED_PART(9, RUN("\"from\":9,")) } }, no_such_scope },

	/* evidence that grows */
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { GROWN(20, ATT "/x", NEXT_PART("5"), D1, "65636") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/x"), SIZE(65636), LAST_PART(6),
		 PROVEN(65536) } }, NULL },
	/* Other entries may come between. */
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { BORN(DIRECTORY_CREATED, 21, ATT "/d") },
	       { GROWN(20, ATT "/x", NEXT_PART("5"), D1, "65636") } }, NULL },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { BORN(DIRECTORY_CREATED, 21, ATT "/d") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/x"), SIZE(65536),
		 LAST_PART(5) } }, NULL },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { GROWN(20, ATT "/x", NEXT_PART("4"), D1, "65636") } },
	  no_successor },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") } },
	  no_successor },
	{ 5, { { GROWN(20, ATT "/x", NEXT_PART("4"), D1, "65636") } },
	  no_successor },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { GROWN(20, ATT "/y", NEXT_PART("5"), D1, "65636") } },
	  other_path },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { GROWN(21, ATT "/y", NEXT_PART("5"), D1, "65636") } },
	  no_successor },
	/* The seal is of all that was entered, and of nothing else. */
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/x"), SIZE(65535),
		 LAST_PART(5) } }, other_file },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/x"), SIZE(65537),
		 LAST_PART(5) } }, other_file },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/x"), SIZE(65536) } },
	  other_file },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/x"), SIZE(65536),
		 LAST_PART(4) } }, other_file },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/y"), SIZE(65536),
		 LAST_PART(5) } }, other_name },
	{ 5, { { BORN(EVIDENCE_SEALED, 20, ATT "/x"), SIZE(65536),
		 LAST_PART(4) } }, not_entered },
	/* Its name is free then, and the draft is another file. */
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { INTERRUPTED(ATT "/x") },
	       { GROWN(21, ATT "/x", FIRST_PART, D1, "65536") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/y"), SIZE(7) } }, NULL },
	{ 5, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") },
	       { INTERRUPTED(ATT "/y") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/z"), SIZE(7) } }, other_name },
	{ 5, { { GROWN(20, FLOW "/nobody/x", FIRST_PART, D1, "65536") } },
	  grown_nowhere },
	{ 8, { { GROWN(20, ATT "/x", FIRST_PART, D1, "65536") } },
	  grown_too_late },
	{ 6, { { GROWN(20, FILE_6, FIRST_PART, D1, "65536") } }, used },
	{ 5, { { GROWN(2, ATT "/x", FIRST_PART, D1, "65536") } },
	  number_again },

	/* evidence that was flushed, which binds nothing */
	{ 5, { { FLUSHED(20, ATT "/x") },
	       { FLUSHED(20, ATT "/x") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/x"), SIZE(7) } }, NULL },
	{ 5, { { FLUSHED(20, ATT "/x") },
	       { BORN(EVIDENCE_SEALED, 20, ATT "/y"), SIZE(7) } }, NULL },
	{ 5, { { FLUSHED(20, ATT "/x") }, { INTERRUPTED(ATT "/x") } }, NULL },
	{ 5, { { FLUSHED(20, FLOW "/nobody/x") } }, grown_nowhere },
	{ 5, { { RECIPIENTS(TRAIL, 1) }, { FLUSHED(20, ATT "/x") } }, plain },
	{ 5, { { RECIPIENTS(TRAIL, 1) },
	       { FLUSHED(20, ATT "/x"), TO_AGE(2) } }, to_nobody },
	{ 5, { { RECIPIENTS(TRAIL, 1) },
	       { FLUSHED(20, ATT "/x"), TO_AGE(1) } }, NULL },
	{ 8, { { FLUSHED(20, ATT "/x") } }, grown_too_late },
	{ 6, { { FLUSHED(20, FILE_6) } }, used },
	{ 5, { { FLUSHED(2, ATT "/x") } }, number_again },

	/* keys */
	{ 9, { { ROTATED("log", "x", "new") } }, old_key },
	{ 9, { { ROTATED("attester", "x", "new") } }, old_key },
	{ 9, { { ROTATED("log", LOG_KEY, NEW_KEY) },
	       { ROTATED("log", LOG_KEY, NEW_KEY) } }, old_key },
	{ 9, { { ROTATED("log", LOG_KEY, NEW_KEY) },
	       { ROTATED("attester", SPKI, "also") },
	       { ROTATED("witness", "x", "y") },
	       { OPENED(NEW_KEY, "also") } }, NULL },
	{ 9, { { ROTATED("log", LOG_KEY, NEW_KEY) },
	       { OPENED(LOG_KEY, SPKI) } }, other_keys },
	{ 9, { { ROTATED("log", LOG_KEY, NEW_KEY), .old_sig = S("x"),
		 .new_sig = S("x") } }, not_signed },
	/* anchors */
	{ 9, { { ANCHORED(9) }, { ANCHORED(1) } }, NULL },
	{ 9, { { ANCHORED(10) } }, not_anchored },
	{ 9, { { ANCHORED(0) } }, not_anchored },
};
/* clang-format on */

/* Entry i of the story, with what all entries have. */
static struct tf_entry
next_of(const struct play *p, const struct story *y, int i)
{
	static struct rotation_sigs sigs[4]; /* of the entries of a story */
	struct tf_entry e = y->e[i];

	e.seq = (uint64_t)(y->lines + i);
	e.at = p->d[LINES - 1].e.at;
	e.at.s += 1 + i;
	if (e.origin.p == NULL)
		e.origin = p->d[0].e.origin;
	if (e.type == TF_KEY_ROTATED && tf_str_same(e.use, str_of("log")) &&
	    e.old_sig.p == NULL)
		sign_rotation(&e, SEED_LOG, SEED_SECOND, &sigs[i]);
	return e;
}

START_TEST(only_the_last_entry_breaks_its_rule)
{
	const struct story *y = &stories[_i];
	struct play p;
	int n = 0;

	while (n < 4 && (n == 0 || y->e[n].type != TF_TYPE_UNKNOWN))
		n++;
	begin(&p);
	for (int i = 0; i < y->lines; i++)
		play(&p, i);
	for (int i = 0; i < n; i++) {
		struct tf_entry e = next_of(&p, y, i);

		ck_assert_msg(p.broken.n == 0, "before %d: %s", i,
		    p.broken.first);
		play_entry(&p, &e);
	}
	if (y->says == cut)
		ck_assert_uint_eq(0, p.broken.n);
	tf_replay_end(p.r);
	if (y->says == NULL)
		ck_assert_msg(p.broken.n == 0, "%s", p.broken.first);
	else
		ck_assert_str_eq(y->says, p.broken.first);
	end(&p);
}
END_TEST

/* Of more files than a statement can list, all still count. */
START_TEST(a_seal_is_held_against_all_its_files)
{
	const int files = TF_STATEMENT_SUBJECTS + 1;
	struct tf_summer *sums = tf_summer_new();
	struct tf_entry e;
	struct tf_sums sum;
	struct play p;
	char path[200];

	begin(&p);
	for (int i = 0; i < 5; i++)
		play(&p, i);
	for (int i = 0; i < files; i++) {
		struct tf_subject_file f = { .size = 1 };
		struct story y = { 5, { { BORN(EVIDENCE_SEALED, 0, ATT) } },
			NULL };

		snprintf(path, sizeof(path), ATT "/%04d", i);
		f.name = str_of(path + sizeof(ATT));
		ck_assert_int_eq(TF_OK, tf_summer_add(sums, &f, NULL));
		e = next_of(&p, &y, 0);
		e.seq += (uint64_t)i;
		e.at.s += i;
		e.node = (uint64_t)(100 + i);
		e.path = str_of(path);
		e.content.size = 1;
		play_entry(&p, &e);
	}
	ck_assert_int_eq(TF_OK, tf_summer_end(sums, &sum, NULL));
	e = p.d[7].e;
	e.seq = (uint64_t)(5 + files);
	e.at.s += 86400;
	e.evidence_count = sum.count;
	e.evidence_bytes = sum.bytes;
	e.evidence_sums = sum.sums;
	play_entry(&p, &e);
	ck_assert_msg(p.broken.n == 0, "entry %d: %s", (int)p.broken.seq,
	    p.broken.first);
	ck_assert(p.last.has_statement);
	ck_assert_uint_eq(files, p.last.statement.evidence.count);
	end(&p);
}
END_TEST

START_TEST(evidence_in_directories_tells_when_it_was_written)
{
	static const struct story y = { 5,
		{ { BORN(DIRECTORY_CREATED, 9, ATT "/x") },
		    { BORN(EVIDENCE_SEALED, 10, ATT "/x/y"), .created.s = 1000,
			.ctime.s = 3000 },
		    { BORN(EVIDENCE_SEALED, 11, ATT "/z"), .created.s = 2000,
			.ctime.s = 2500 },
		    { SEALED(ATTESTATION, ATT), .evidence_count = 2 } },
		wrong_files };
	struct play p;

	begin(&p);
	for (int i = 0; i < y.lines; i++)
		play(&p, i);
	for (int i = 0; i < 4; i++) {
		struct tf_entry e = next_of(&p, &y, i);

		ck_assert_uint_eq(0, p.broken.n);
		play_entry(&p, &e);
	}
	ck_assert_str_eq(y.says, p.broken.first);
	ck_assert(p.last.has_statement && p.last.statement.has_written);
	ck_assert_int_eq(1000, p.last.statement.first_written.s);
	ck_assert_int_eq(3000, p.last.statement.last_written.s);
	end(&p);
}
END_TEST

/* What stands where an entry is missing cannot be held against the next. */
START_TEST(after_a_gap_number_time_and_batch_begin_anew)
{
	struct story y = { 1,
		{ { BORN(TRAIL_CREATED, 2, "t"), BATCH(1, 9) },
		    { BORN(TRAIL_CREATED, 3, "u"), BATCH(1, 9) },
		    { BORN(TRAIL_CREATED, 4, "v"), BATCH(1, 9) } },
		NULL };
	struct tf_entry e;
	struct play p;

	begin(&p);
	play(&p, 0);
	e = next_of(&p, &y, 0);
	play_entry(&p, &e);
	tf_replay_gap(p.r, 8);
	e = next_of(&p, &y, 1);
	e.seq = 8;
	e.at.s -= 3600;
	play_entry(&p, &e);
	e = next_of(&p, &y, 2);
	e.seq = 9;
	play_entry(&p, &e);
	tf_replay_end(p.r);
	ck_assert_msg(p.broken.n == 0, "%s", p.broken.first);
	tf_replay_gap(p.r, 11);
	play_entry(&p, &e);
	ck_assert_str_eq("says that it is number 9", p.broken.first);
	end(&p);
}
END_TEST

/* Where the opening is missing no key is in force. */
START_TEST(a_key_that_nobody_named_is_not_replaced)
{
	struct play p;
	struct tf_entry e;

	begin(&p);
	play(&p, 1);
	ck_assert_str_eq("says that it is number 1", p.broken.first);
	p.broken.n = 0;
	e = p.d[1].e;
	e.type = TF_KEY_ROTATED;
	e.seq = 1;
	e.at.s++;
	e.use = str_of("log");
	e.key_old = e.key_new = str_of("");
	play_entry(&p, &e);
	ck_assert_str_eq("replaces a key that is not in force", p.broken.first);
	ck_assert_str_eq("", tf_replay_vkey(p.r));
	end(&p);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_not_kept)
{
	static char text[TF_PATH_MAX + 1];
	struct tf_replay_tree k = { .ops = &table_ops };
	struct tf_replay_tree_dir d = { .files = 7 }, have;

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(TF_OK, tf_temp_table_open(&k.table, NULL));
	ck_assert_int_eq(TF_NAMETOOLONG,
	    tf_replay_tree_put(&k, (struct tf_str){ text, sizeof(text) }, &d,
		NULL));
	ck_assert_int_eq(TF_OK,
	    tf_replay_tree_put(&k, (struct tf_str){ text, TF_PATH_MAX }, &d,
		NULL));
	ck_assert_int_eq(TF_OK,
	    tf_replay_tree_get(&k, (struct tf_str){ text, TF_PATH_MAX }, &have,
		NULL));
	ck_assert_uint_eq(7, have.files);
	tf_temp_table_close(k.table);
}
END_TEST

Suite *suite_replay(void);

Suite *
suite_replay(void)
{
	Suite *s = suite_create("replay");
	TCase *t = tcase_create("rules");

	tcase_add_test(t, the_worked_example_obeys_every_rule);
	tcase_add_test(t, the_expected_statement_is_the_signed_one);
	tcase_add_loop_test(t, a_broken_rule_is_named_at_its_entry, 0,
	    (int)(sizeof(faults) / sizeof(faults[0])));
	tcase_add_test(t, nothing_is_born_below_a_seal);
	tcase_add_loop_test(t, only_the_last_entry_breaks_its_rule, 0,
	    (int)(sizeof(stories) / sizeof(stories[0])));
	tcase_add_test(t, a_seal_is_held_against_all_its_files);
	tcase_add_test(t, evidence_in_directories_tells_when_it_was_written);
	tcase_add_test(t, after_a_gap_number_time_and_batch_begin_anew);
	tcase_add_test(t, a_key_that_nobody_named_is_not_replaced);
	tcase_add_test(t, a_path_that_is_too_long_is_not_kept);
	suite_add_tcase(s, t);
	return s;
}
