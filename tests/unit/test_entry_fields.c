/* Each field of an entry: the values that it may have, and those beyond. */
#include <check.h>
#include <string.h>

#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/field_text.h"
#include "entry_lines.h"
#include "vectors.h"

struct change {
	const char *type, *from, *to;
};

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define VK                                                                  \
	"example.org/vault+2b4a15b0+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGm" \
	"j3B1Ea"
#define SPKI "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU="
#define WF "prod-server-access/ecs-execute-command-0199bb27be8f354b7"
#define AT WF "/user-identity"

static const struct change refused[] = {
	/* common fields */
	{ "trail.created", "\"v\":1", "\"v\":0" },
	{ "trail.created", "\"seq\":1", "\"seq\":9007199254740992" },
	{ "trail.created", "\"type\":\"trail.created\"",
	    "\"type\":\"trail..created\"" },
	{ "trail.created", "\"type\":\"trail.created\"",
	    "\"type\":\".trail.created\"" },
	{ "trail.created", "\"type\":\"trail.created\"",
	    "\"type\":\"trail.created.\"" },
	{ "trail.created", "\"type\":\"trail.created\"",
	    "\"type\":\"aaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaa\"" },
	{ "trail.created", "\"origin\":\"example.org/vault\"",
	    "\"origin\":\"cosignature/v1\"" },
	{ "trail.created", "\"node\":2", "\"node\":1" },
	{ "trail.created", "\"node\":2", "\"node\":-2" },
	{ "clock.jumped", "\"v\":1", "\"v\":1,\"x_y\":1" },
	{ "clock.jumped", "\"at\":", "\"A\":1,\"at\":" },
	{ "clock.jumped", "\"at\":", "\"0a\":1,\"at\":" },
	{ "evidence.sealed", "\"cause\":\"recovery\"", "\"cause\":\"a b\"" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}",
	    "{\"first\":13,\"last\":14}" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}",
	    "{\"first\":1,\"last\":11}" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}",
	    "{\"first\":14,\"last\":12}" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}", "{\"first\":12}" },
	{ "workflow.begun", "\"at\":\"2025-03-01T10:00:00.000000000Z\"",
	    "\"at\":\"2025-03-01\"" },
	{ "workflow.begun", "\"by\":\"bob@example.org\"", "\"by\":7" },
	/* access and actor */
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":\"750\"" },
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":\"0780\"" },
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":\"00750\"" },
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":488" },
	{ "trail.created", "\"mode\":\"0750\",", "" },
	{ "trail.created", "{\"gid\":1000", "{\"gid\":4294967295" },
	{ "trail.created", "{\"gid\":1000", "{\"gid\":-1" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%ice\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%41\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%0a\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%0\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al%\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al\\\"\"" },
	{ "trail.created", "\"group\":\"alice\"", "\"group\":\"al\\n\"" },
	{ "trail.created", "\"pid\":4711", "\"pid\":0" },
	{ "trail.created", "\"pid\":4711", "\"pid\":\"4711\"" },
	{ "trail.created", "\"loginuid\":1000", "\"loginuid\":4294967295" },
	{ "trail.created", "\"comm\":\"mkdir\"",
	    "\"comm\":\"a12345678901234567"
	    "89012345678901234567890123456789\"" },
	/* paths */
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"/prod\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"prod/\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\".\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"a/b\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"a b\"" },
	{ "trail.created", "\"path\":\"prod-server-access\"",
	    "\"path\":\"a@2\"" },
	{ "workflow.begun", "\"path\":\"" WF "\"", "\"path\":\"a\"" },
	{ "workflow.begun", "\"path\":\"" WF "\"", "\"path\":\"a//b\"" },
	{ "attestation.begun", "\"path\":\"" AT "\"", "\"path\":\"a/b\"" },
	{ "attestation.begun", "\"path\":\"" AT "\"", "\"path\":\"a/b/.c\"" },
	{ "attestation.begun", "\"path\":\"" AT "\"", "\"path\":\"a/b/c@1\"" },
	{ "attestation.begun", "\"path\":\"" AT "\"", "\"path\":\"a/b/c/d\"" },
	{ "evidence.sealed", AT "/event.json", AT },
	{ "evidence.sealed", AT "/event.json", AT "/.." },
	{ "evidence.sealed", AT "/event.json", AT "/./a" },
	{ "evidence.sealed", AT "/event.json", AT "/a/.trailfs" },
	{ "evidence.sealed", AT "/event.json", AT "/a\\n" },
	{ "evidence.sealed", AT "/event.json", AT "/a\xe2\x80\xae" },
	{ "trail.sealed", "\"path\":\"prod-server-access\"", "\"path\":\".\"" },
	/* ledger.opened */
	{ "ledger.opened", "\"boot\":\"0b9f3c1e-", "\"boot\":\"0B9F3C1E-" },
	{ "ledger.opened", "\"boot\":\"0b9f3c1e-", "\"boot\":\"0b9f3c1e" },
	{ "ledger.opened", "\"store\":\"6d", "\"store\":\"" },
	{ "ledger.opened", "\"store\":\"6d", "\"store\":\"6D" },
	{ "ledger.opened", "\"attester\":\"MCow", "\"attester\":\"MCox" },
	{ "ledger.opened", "\"attester\":\"" SPKI "\",", "" },
	{ "ledger.opened", "+2b4a15b0+", "+2b4a15b1+" },
	{ "ledger.opened", "\"quiet\":0", "\"quiet\":-1" },
	{ "ledger.opened", "\"libfuse\":\"3.14.0\"", "\"libfuse\":3" },
	{ "ledger.opened", "\"libfuse\":\"3.14.0\"",
	    "\"libfuse4567890123456789012\":\"3.14.0\"" },
	{ "ledger.opened", "\"libfuse\":\"3.14.0\"",
	    "\"libfuse\":\"0123456789"
	    "0123456789012345678901234567890123456789012345678901234\"" },
	{ "ledger.opened", "\"libfuse\":\"3.14.0\"",
	    "\"a\":\"1\",\"b\":\"1\","
	    "\"c\":\"1\",\"d\":\"1\",\"e\":\"1\",\"f\":\"1\",\"g\":\"1\",\"h\":"
	    "\"1\",\"i\":\"1\",\"j\":\"1\",\"k\":\"1\",\"kk\":\"1\",\"l\":\"1\"" },
	{ "ledger.opened",
	    "\"previous\":{\"head\":", "\"previous\":{\"foot\":" },
	{ "ledger.opened", "{\"at\":",
	    "{\"access\":{\"gid\":0,\"mode\":\"0755"
	    "\",\"uid\":0},\"at\":" },
	/* evidence */
	{ "evidence.sealed", "\"writers\":[0,1000]", "\"writers\":[1000,0]" },
	{ "evidence.sealed", "\"writers\":[0,1000]", "\"writers\":[0,0]" },
	{ "evidence.sealed", "\"writers\":[0,1000]", "\"writers\":[\"0\"]" },
	{ "evidence.sealed", "\"writers\":[0,1000]",
	    "\"writers\":[4294967295]" },
	{ "evidence.sealed", "\"writers\":[0,1000]", "\"writers\":[0,[1]]" },
	{ "evidence.sealed", "\"writers\":[0,1000]",
	    "\"writers\":[1,2,3,4,5,6"
	    ",7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
	    "29,30,31,32,33]" },
	{ "evidence.sealed",
	    "YXBwbGljYXRpb24vanNvbg==", "YXBwbGljYXRpb24vanNvbg" },
	{ "evidence.sealed",
	    "YXBwbGljYXRpb24vanNvbg==", "YXBwbGljYXRpb24vanNvbh==" },
	{ "evidence.sealed", "\"size\":17", "\"size\":-17" },
	{ "evidence.sealed", "\"sha256\":\"e04756ec", "\"sha256\":\"E04756EC" },
	{ "evidence.sealed", "\"sha256\":\"e04756ec", "\"sha256\":\"e04756e" },
	{ "evidence.sealed", "\"sha256\":", "\"sha512\":" },
	{ "evidence.interrupted", "\"draft\":\"typescript.",
	    "\"draft\":\"a/typescript." },
	{ "evidence.interrupted", "\"draft\":\"typescript.",
	    "\"draft\":\"\\ttypescript." },
	{ "evidence.flushed", "\"flushed\":{", "\"flush\":{" },
	{ "evidence.flushed", "\"size\":17", "\"size\":-17" },
	{ "evidence.flushed", "\"node\":61,", "" },
	{ "evidence.flushed", "command-logs/flushed.log", "command-logs" },
	{ "evidence.flushed", "\"recipients\":1}", "\"recipients\":0}" },
	{ "evidence.flushed", "\"format\":\"age\",", "" },
	{ "evidence.grown", "\"bytes\":65536", "\"bytes\":\"65536\"" },
	{ "evidence.grown", "\"bytes\":65536,", "" },
	{ "evidence.grown", "\"from\":0", "\"from\":-65536" },
	{ "evidence.grown", "\"from\":0,", "" },
	{ "evidence.grown", "\"to\":131072", "\"to\":131073" },
	{ "evidence.grown", "\"chunks\":{", "\"chunks\":{\"a\":{}," },
	{ "evidence.read", "\"count\":1", "\"count\":\"1\"" },
	{ "evidence.read", "\"count\":1", "\"count\":-1" },
	{ "evidence.read", "\"reads\":{\"count\":1,", "\"reads\":{" },
	{ "evidence.read", "\"path\":\"prod", "\"path\":\"a/b/prod" },
	/* attestation.sealed */
	{ "attestation.sealed", "\"count\":2", "\"count\":-2" },
	{ "attestation.sealed", "\"sums\":\"ee5f", "\"sums\":\"ee5" },
	{ "attestation.sealed", "\"keyid\":\"SHA256:s3",
	    "\"keyid\":\"SHA512:s3" },
	{ "attestation.sealed", "HHZmE\"", "HHZmE=\"" },
	{ "attestation.sealed", "HHZmE\"", "HHZmF\"" },
	{ "attestation.sealed", "\"sig\":\"Qs/u", "\"sig\":\"" },
	{ "attestation.sealed", "kCA==\"", "kCB==\"" },
	{ "attestation.sealed", "\"size\":1241", "\"size\":\"1241\"" },
	{ "attestation.sealed", "\"claimants\":[0,1000]",
	    "\"claimants\":[1000,0]" },
	{ "attestation.sealed", "\"compliant\":true", "\"compliant\":1" },
	{ "attestation.sealed", "\"ticket\":\"OPS-1234\"",
	    "\"a b\":\"OPS-1234\"" },
	{ "attestation.sealed", "\"ticket\":\"OPS-1234\"", "\"ticket\":1234" },
	{ "attestation.sealed", "\"runbook\":{", "\"run.book\":{" },
	{ "attestation.sealed", "\"runbook\":{", "\"run=book\":{" },
	{ "attestation.sealed", "{\"href\":", "{\"ref\":" },
	{ "attestation.sealed",
	    "{\"href\":", "{\"fingerprint\":\"e3b0\",\"href\":" },
	{ "attestation.sealed", "\"type\":\"generic\"",
	    "\"type\":\"-generic\"" },
	{ "attestation.sealed", "\"type\":\"generic\"",
	    "\"type\":\"gen eric\"" },
	{ "attestation.sealed", "\"size\":40}", "\"size\":1048577}" },
	{ "attestation.sealed",
	    "\"originUrl\":\"https://ci.example.org/"
	    "runs/42\"",
	    "\"originUrl\":{\"withheld\":\"x\"}" },
	{ "attestation.sealed", "\"onBehalfOf\":\"alice\"",
	    "\"onBehalfOf\":[\"alice\"]" },
	{ "attestation.sealed", "\"onBehalfOf\":\"alice\"",
	    "\"onBehalfOf\":{\"withheld\":\"x\"}" },
	{ "attestation.sealed", "\"errors\":0", "\"errors\":false" },
	{ "attestation.sealed", ",\"rule\":\"junit\"", "" },
	/* the others */
	{ "workflow.sealed", "\"count\":1", "\"counts\":1" },
	{ "workflow.begun", "\"template\":1", "\"template\":0" },
	{ "workflow.begun", "\"template\":1",
	    "\"template\":{\"sha256\":\"" HEX "\",\"size\":1,\"version\":1}" },
	{ "template.set", "\"version\":1", "\"version\":0" },
	{ "template.set", "\"size\":125,", "" },
	{ "type.set", "\"version\":1}", "\"version\":0}" },
	{ "type.set", "\"name\":\"user-identity\"", "\"name\":\"a:b\"" },
	{ "recipients.set", "\"version\":1}", "\"version\":0}" },
	{ "recipients.set", "\"size\":63,", "" },
	{ "evidence.sealed",
	    "\"mtime\":", "\"encryption\":{\"format\":\"age\"},\"mtime\":" },
	{ "evidence.sealed", "\"mtime\":",
	    "\"encryption\":{\"format\":\"age\",\"recipients\":0},"
	    "\"mtime\":" },
	{ "evidence.sealed", "\"mtime\":",
	    "\"encryption\":{\"format\":\"\",\"recipients\":1},"
	    "\"mtime\":" },
	{ "claims.set", "\"owner\":", "\"own-er\":" },
	{ "attestation.overridden", "\"target\":14", "\"target\":-14" },
	{ "attestation.overridden", "\"compliant\":true",
	    "\"compliant\":\"true\"" },
	{ "attestation.overridden",
	    "\"reason\":\"The failing test is known"
	    "\\nand was waived in OPS-1240\"",
	    "\"reason\":{\"withheld\":\"" HEX "\",\"x\":1}" },
	{ "attestation.overridden",
	    "\"reason\":\"The failing test is known"
	    "\\nand was waived in OPS-1240\"",
	    "\"reason\":{\"withhold\":\"" HEX "\"}" },
	{ "package.made", "\"root\":\"4543", "\"root\":\"543" },
	{ "redaction.done", "\"what\":\"content\"", "\"what\":\"a b\"" },
	{ "hold.placed", "\"hold\":\"case-2026-17\"", "\"hold\":\"-case\"" },
	{ "hold.placed", "\"hold\":\"case-2026-17\"", "\"hold\":\"a b\"" },
	{ "hold.placed", "\"until\":\"2033-01-01", "\"until\":\"2033-02-30" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":\"0y\"" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":\"07y\"" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":\"7\"" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":\"y\"" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":\"7Y\"" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":\"1001y\"" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":7" },
	{ "retention.set", "\"mode\":\"governance\",", "" },
	{ "retention.set", "\"mode\":\"governance\"", "\"mode\":\"a b\"" },
	{ "retention.set", "\"id\":\"SOX-802\",", "" },
	{ "retention.set", "\"id\":\"SOX-802\"", "\"id\":\"a/b\"" },
	{ "retention.set", "\"sha256\":\"8254", "\"sha256\":\"254" },
	{ "retention.set", "\"until\":\"2033-01", "\"until\":\"2033-13" },
	{ "retention.set", "\"path\":\"prod-server-access\"",
	    "\"path\":\".\"" },
	{ "retention.set", "\"path\":\"prod-server-access\"",
	    "\"path\":\"" AT "/f\"" },
	{ "key.rotated", "\"use\":\"log\"", "\"use\":\"attester\"" },
	{ "key.rotated", "\"old\":\"" VK "\"", "\"old\":\"" SPKI "\"" },
	{ "key.rotated", "+ee4b4f87+", "+ee4b4f88+" },
	{ "import.done", "\"count\":31", "\"count\":\"31\"" },
	{ "import.done", "\"format\":\"kosli\",", "" },
	{ "anchor.added", "\"kind\":\"witness\"", "\"kind\":\"a b\"" },
	{ "anchor.added", "\"name\":\"witness.example/w1\"",
	    "\"name\":\"witness example\"" },
	{ "anchor.added", "\"name\":\"witness.example/w1\"",
	    "\"name\":\"w\xc3\xbctness\"" },
	{ "anchor.added", "\"name\":\"witness.example/w1\"",
	    "\"name\":\"" HEX HEX "x\"" },
	{ "anchor.added", "+04d2d833+", "+04d2d834+" },
	{ "anchor.added", "\"key\":\"witness.example/w1+04d2d833+",
	    "\"key\":\"" VK "\",\"kez\":\"" },
	{ "anchor.added", "\"key\":\"witness", "\"kez\":\"witness" },
	{ "anchor.added", "\"root\":\"4543", "\"root\":\"543" },
	{ "verify.done", "\"root\":\"4543", "\"root\":\"543" },
	{ "verify.done", "\"path\":\".\"", "\"path\":\"t\"" },
	{ "verify.done", "\"tree\":{", "\"true\":{" },
	{ "verify.done", "\"tree\":", "\"run\":{},\"tree\":" },
	{ "verify.done", "\"tree\":", "\"run\":{\"seconds\":1},\"tree\":" },
	{ "verify.done", "\"tree\":",
	    "\"run\":{\"seconds\":-1,\"verdict\":\"ok\"},\"tree\":" },
	{ "verify.done", "\"tree\":",
	    "\"run\":{\"parts\":0,\"seconds\":1,\"verdict\":\"ok\"},"
	    "\"tree\":" },
	{ "verify.failed", "\"path\":\".\"", "\"path\":\"t\"" },
	{ "verify.failed", "\"run\":", "\"rum\":" },
	{ "verify.failed", "\"findings\":2", "\"findings\":-2" },
	{ "verify.failed", "\"entries\":55", "\"entries\":\"55\"" },
	{ "verify.failed", "\"verdict\":\"failed\"", "\"verdict\":4" },
	{ "verify.failed", ",\"verdict\":\"failed\"", "" },
	{ "package.made", "\"tree\":", "\"to\":\"\",\"tree\":" },
	{ "package.made", "\"tree\":", "\"to\":7,\"tree\":" },
};

#define REFUSED (int)(sizeof(refused) / sizeof(refused[0]))

START_TEST(a_value_beyond_its_form_is_refused)
{
	const struct change *c = &refused[_i];
	struct tf_buf b = variant(c->type, c->from, c->to);

	ck_assert_msg(judge(b.p, b.n) == TF_INVALID, "taken: %s", b.p);
	tf_buf_free(&b);
}
END_TEST

static const struct change taken[] = {
	/* texts that were redacted */
	{ "attestation.overridden",
	    "\"reason\":\"The failing test is known"
	    "\\nand was waived in OPS-1240\"",
	    "\"reason\":{\"withheld\":\"" HEX "\"}" },
	{ "attestation.sealed", "\"description\":\"Who opened the shell\"",
	    "\"description\":{\"withheld\":\"" HEX "\"}" },
	{ "attestation.sealed", "\"ticket\":\"OPS-1234\"",
	    "\"ticket\":{\"withheld\":\"" HEX "\"}" },
	{ "attestation.sealed",
	    "\"href\":\"https://wiki.example.org/"
	    "prod-access\"",
	    "\"href\":{\"withheld\":\"" HEX "\"}" },
	{ "workflow.begun", "\"by\":\"bob@example.org\"",
	    "\"by\":{\"withheld\":\"" HEX "\"}" },
	{ "ledger.closed", "\"reason\":\"unmounted\"",
	    "\"reason\":{\"withheld\":\"" HEX "\"}" },
	/* values and fields to come */
	{ "evidence.sealed", "\"cause\":\"recovery\"", "\"cause\":\"later\"" },
	{ "key.rotated", "\"use\":\"log\"", "\"use\":\"witness\"" },
	{ "redaction.done", "\"what\":\"content\"", "\"what\":\"reason\"" },
	{ "import.done", "\"format\":\"kosli\"", "\"format\":\"csv\"" },
	{ "ledger.opened", "\"program\":\"trailfs\"",
	    "\"program\":\"trailfsd\"" },
	{ "trail.created", "\"uid\":1000,\"user\":\"alice\"},\"actor\"",
	    "\"uid\":1000,\"user\":\"alice\",\"zz\":[1]},\"actor\"" },
	{ "evidence.sealed", "\"created\":",
	    "\"created\":\"2026-11-23T07:51:01.001000000Z\",\"createdBy\":" },
	{ "evidence.sealed",
	    "\"mtime\":", "\"encrypted\":{\"format\":\"age\"},\"mtime\":" },
	{ "package.made", "\"tree\":", "\"target\":\"x\",\"tree\":" },
	{ "package.made",
	    "\"tree\":", "\"to\":{\"withheld\":\"" HEX "\"},\"tree\":" },
	{ "anchor.added", "\"kind\":\"witness\"", "\"kind\":\"moon\"" },
	{ "anchor.added", "\"name\":\"witness.example/w1\"",
	    "\"name\":\"" HEX HEX "\"" },
	{ "package.made", "\"type\":\"package.made\"",
	    "\"type\":\"package.gone\"" },
	{ "clock.jumped", "\"type\":\"clock.jumped\",\"v\":1",
	    "\"type\":\"clock.jumped\",\"v\":9007199254740991" },
	/* at the limits */
	{ "trail.created", "{\"gid\":1000", "{\"gid\":4294967294" },
	{ "trail.created", "\"mode\":\"0750\"", "\"mode\":\"7777\"" },
	{ "trail.created", "\"group\":\"alice\"",
	    "\"group\":\"al%0A%25%22%FF"
	    "\xc3\xbc\"" },
	{ "trail.created", "\"seq\":1", "\"seq\":9007199254740991" },
	{ "trail.created", "\"at\":\"2026-11-23T07:50:12.104000001Z\"",
	    "\"at\":\"0001-01-01T00:00:00.000000000Z\"" },
	{ "attestation.begun", "{\"first\":12,\"last\":14}",
	    "{\"first\":12,\"last\":12}" },
	{ "access.changed", "\"path\":\"prod-server-access\"",
	    "\"path\":\".\"" },
	{ "hold.placed", "\"path\":\"prod-server-access\"", "\"path\":\".\"" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":\"1000y\"" },
	{ "retention.set", "\"for\":\"7y\"", "\"for\":\"366000d\"" },
	{ "retention.set", "\"mode\":\"governance\"", "\"mode\":\"of-later\"" },
	{ "attestation.sealed", "\"size\":40}", "\"size\":1048576}" },
	{ "evidence.sealed", "\"writers\":[0,1000]",
	    "\"writers\":[1,2,3,4,5,6"
	    ",7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
	    "29,30,31,32]" },
	{ "key.rotated", "\"old\":", "\"node\":7,\"old\":" },
};

#define TAKEN (int)(sizeof(taken) / sizeof(taken[0]))

START_TEST(a_value_within_its_form_is_taken)
{
	const struct change *c = &taken[_i];
	struct tf_buf b = variant(c->type, c->from, c->to);
	struct tf_entry_decoded d;
	struct tf_error err = { 0 };

	ck_assert_msg(tf_entry_decode(&d, b.p, b.n, &err) == TF_OK, "%s: %s",
	    err.text, b.p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_withheld_text_is_absent)
{
	struct tf_buf b = variant("hold.released", "\"Case closed\"",
	    "{\"withheld\":\"" HEX "\"}");
	struct tf_entry_decoded d;

	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, b.p, b.n, NULL));
	ck_assert_ptr_null(d.e.reason.p);
	ck_assert_ptr_nonnull(d.e.hold.p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_path_has_its_limits)
{
	char path[3000];
	int n = 0;

	ck_assert_int_eq(0, tf_path_depth(".", 1));
	ck_assert_int_eq(1, tf_path_depth("a", 1));
	ck_assert_int_eq(5, tf_path_depth("a/b/c@2/d e/f", 13));
	ck_assert_int_eq(-1, tf_path_depth("", 0));
	ck_assert_int_eq(-1, tf_path_depth("a@2", 3));
	ck_assert_int_eq(-1, tf_path_depth("/", 1));
	/* 767 bytes above, 1,024 below: 4 names of 255 and one of 4 chars. */
	memset(path, 'a', sizeof(path));
	for (int i = 0; i < 7; i++) {
		path[n + 255] = '/';
		n += 256;
	}
	ck_assert_int_eq(3, tf_path_depth(path, 767));
	ck_assert_int_eq(7, tf_path_depth(path, 767 + 1 + 1023));
	n = 768 + 1024;
	path[768 + 767] = '/';
	path[768 + 1023] = 'a';
	ck_assert_int_eq(-1, tf_path_depth(path, (size_t)n));
	path[768 + 600] = '/';
	path[768 + 900] = '/';
	ck_assert_int_eq(-1, tf_path_depth(path, (size_t)n + 1));
}
END_TEST

Suite *suite_entry_fields(void);

Suite *
suite_entry_fields(void)
{
	Suite *s = suite_create("entry_fields");
	TCase *t = tcase_create("values");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_value_beyond_its_form_is_refused, 0, REFUSED);
	tcase_add_loop_test(t, a_value_within_its_form_is_taken, 0, TAKEN);
	tcase_add_test(t, a_withheld_text_is_absent);
	tcase_add_test(t, a_path_has_its_limits);
	suite_add_tcase(s, t);
	return s;
}
