/* What an auditor reads of an attestation, and checks with other programs. */
#include <sys/stat.h>

#include "harness.h"

#define C A "/.trailfs/"

/* Names that shells, sha256sum and JSON have to quote. */
static const char *const names[] = { "back\\slash", "\"quoted\"", "a b", "%41",
	"-n", "<b>", "\xc3\xbc", "'" };

static void
make_hostile(void)
{
	char path[128];

	make_attestation();
	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, A "/%s", names[i]);
		put(path, names[i]);
	}
	allowed(mkdir(A "/d", 0755));
	put(A "/d/f", "deep");
	put(A "/empty", "");
}

/* The entry of the seal has the digest that this command prints. */
static void
seal_names(const char *command)
{
	char digest[65];

	snprintf(digest, sizeof digest, "%s", run(0, "%s", command));
	says(entry("attestation.sealed", "t/w/a"), digest);
}

START_TEST(sha256sum_accepts_the_sums_of_any_name)
{
	make_hostile();
	sync_dir(A);
	run(0, "cd " A " && sha256sum --strict --quiet -c .trailfs/SHA256SUMS");
	run(0, "chmod a-w " A);
	run(0, "cd " A " && sha256sum --strict --quiet -c .trailfs/SHA256SUMS");
	run(0, "test $(wc -l <" C "SHA256SUMS) = %zu", LEN(names) + 2);
	/* Sorted by name as bytes, and what the seal digests. */
	run(0,
	    "cut -c 67- " C "SHA256SUMS | sed 's/^ //' >names && "
	    "LC_ALL=C sort -c names");
	seal_names("sha256sum <" C "SHA256SUMS");
}
END_TEST

START_TEST(unsealed_files_are_not_signed)
{
	make_attestation();
	put(A "/frozen", "x");
	put(A "/draft.tmp", "x");
	refused(ENOENT, try_open(C "attestation.intoto.json", O_RDONLY));
	refused(ENOENT, try_open(C "attestation.sigstore.json", O_RDONLY));
	ck_assert_str_eq("", content(C "SHA256SUMS", NULL));
	says(content(C "attestation.json", NULL),
	    "\"state\":\"open\",\"trail\":\"t\",\"trail_name\":\"w\","
	    "\"version\":1,\"waiting\":["
	    "{\"path\":\"frozen\",\"state\":\"frozen\"},"
	    "{\"path\":\"draft.tmp\",\"state\":\"draft\"}],"
	    "\"workflow\":\"w\"}");
	/* A draft attestation is in no ledger at all. */
	allowed(mkdir(W "/.b", 0755));
	put(W "/.b/f", "x");
	says(content(W "/.b/.trailfs/attestation.json", NULL),
	    "\"state\":\"draft\",\"trail\":\"t\",\"trail_name\":\"w\","
	    "\"version\":1,\"waiting\":["
	    "{\"path\":\"f\",");
	ck_assert_str_eq("", content(W "/.b/.trailfs/events.jsonl", NULL));
	ck_assert_str_eq("", content(W "/.b/.trailfs/SHA256SUMS", NULL));
}
END_TEST

START_TEST(attestation_json_names_actor_time_and_evidence)
{
	const char *is = "jq -e '%s' " C "attestation.json";

	skip_unless(have("jq"), "no jq");
	make_attestation();
	allowed(mkdir(A "@2", 0755) == -1 && errno == EPERM ? 0 : -1);
	put(A "/f", "hello");
	run(0, "chmod a-w " A);
	allowed(mkdir(A "@2", 0755));
	run(0, "jq -cS . " C "attestation.json | cmp - " C "attestation.json");
	run(0, is,
	    ".attestation_name == \"a\" and .version == 1 and "
	    ".state == \"sealed\" and .is_compliant and "
	    ".attestation_type == \"generic\" and .trail == \"t\" and "
	    ".workflow == \"w\" and .origin == \"example.org/test\"");
	run(0, is,
	    ".evidence == [.evidence[0]] and .evidence[0].path == \"f\" and "
	    ".evidence[0].size == 5 and .evidence_bytes == 5 and "
	    ".evidence_count == 1 and .evidence[0].by.uid == 0");
	run(0, is, ".sealed.at > .begun.at and .sealed.by.uid == 0");
	run(0, "jq -e .waiting " C "attestation.json | grep -q null");
	/* The same as the entries say. */
	run(0,
	    "jq -r '\"t/w/a \\(.sealed.index) \\(.sealed.at)\"' " C
	    "attestation.json >one && jq -r 'select(.type == "
	    "\"attestation.sealed\") | \"\\(.path) \\(.seq) \\(.at)\"' "
	    "mnt/.trailfs/events.jsonl | cmp - one");
	run(0,
	    "jq -r .evidence_sums " C "attestation.json >sums && "
	    "sha256sum <" C "SHA256SUMS | cut -c -64 | cmp - sums");
	run(0,
	    "jq -r .keyid " C "attestation.json >keyid && "
	    "jq -r '.signatures[0].keyid' " C
	    "attestation.intoto.json | cmp - keyid");
	says(content(A "@2/.trailfs/attestation.json", NULL),
	    "\"attestation_name\":\"a\"");
	says(content(A "@2/.trailfs/attestation.json", NULL), "\"version\":2,");
}
END_TEST

/* With what every distribution has. */
static const char check_statement[] =
    "jq -r .payload att.json | base64 -d >body && "
    "T=$(jq -r .payloadType att.json) && "
    "{ printf 'DSSEv1 %d %s %d ' ${#T} \"$T\" \"$(stat -c %s body)\"; "
    "cat body; } >pae && "
    "jq -r '.signatures[0].sig' att.json | base64 -d >sig && "
    "openssl pkeyutl -verify -pubin -inkey store/keys/attester.pub.pem "
    "-rawin -in pae -sigfile sig";

START_TEST(openssl_and_jq_verify_the_statement)
{
	skip_unless(have("jq"), "no jq");
	skip_unless(have("openssl"), "no openssl program");
	make_hostile();
	run(0, "chmod a-w " A);
	run(0, "cp " C "attestation.intoto.json att.json");
	says(run(0, "%s", check_statement), "Signature Verified Successfully");
	run(0,
	    "jq -r '.subject[] | .digest.sha256 + \"  \" + .name' body "
	    ">list && grep -v '^.....*\\\\' list >plain && cd " A
	    " && sha256sum --strict --quiet -c ../../../../plain");
	/* It is the one that the entry speaks of. */
	seal_names("sha256sum <body");
	seal_names("sha256sum <pae");
	/* Its key is named as OpenSSH does. */
	if (have("ssh-keygen")) {
		run(0,
		    "ssh-keygen -i -m PKCS8 -f store/keys/attester.pub.pem "
		    ">key.pub 2>/dev/null || exit 0; "
		    "ssh-keygen -l -f key.pub | grep -qF "
		    "\"$(jq -r '.signatures[0].keyid' att.json)\"");
	}
	/* The bundle holds the same envelope, and claims no log. */
	run(0,
	    "jq -e .dsseEnvelope " C "attestation.sigstore.json >env && "
	    "jq . att.json | cmp - env && "
	    "jq -e '.verificationMaterial.tlogEntries == [] and "
	    ".mediaType == \"application/vnd.dev.sigstore.bundle.v0.3+json\" "
	    "and .verificationMaterial.publicKey.hint == "
	    ".dsseEnvelope.signatures[0].keyid' " C
	    "attestation.sigstore.json");
	/* One changed byte of the payload. */
	run(0,
	    "jq -c '.payload |= (@base64d | sub(\"deep\"; \"Deep\") | "
	    "sub(\"\\\"t\\\"\"; \"\\\"T\\\"\") | @base64)' att.json >bad && "
	    "! cmp -s bad att.json && mv bad att.json");
	run(1, "%s", check_statement);
}
END_TEST

START_TEST(securesystemslib_verifies_the_statement)
{
	static const char script[] =
	    "import json, base64, sys\n"
	    "from securesystemslib.signer import SSlibKey, Signature\n"
	    "e = json.load(open('att.json'))\n"
	    "body = base64.b64decode(e['payload'])\n"
	    "t = e['payloadType'].encode()\n"
	    "pae = b'DSSEv1 %d %s %d %s' % (len(t), t, len(body), body)\n"
	    "s = e['signatures'][0]\n"
	    "raw = open('raw', 'rb').read()\n"
	    "# Old versions take hexadecimal names of keys only.\n"
	    "key = SSlibKey('ab', 'ed25519', 'ed25519',\n"
	    "    {'public': raw.hex()})\n"
	    "sig = Signature('ab', base64.b64decode(s['sig']).hex())\n"
	    "key.verify_signature(sig, pae)\n"
	    "try:\n"
	    "    key.verify_signature(sig, pae + b' ')\n"
	    "except Exception:\n"
	    "    sys.exit(0)\n"
	    "sys.exit(3)\n";

	skip_unless(strcmp(run_any("/usr/bin/python3 -c 'import "
				   "securesystemslib.signer, nacl'"),
			"0") == 0,
	    "no python3-securesystemslib");
	make_hostile();
	run(0, "chmod a-w " A);
	run(0, "cp " C "attestation.intoto.json att.json");
	run(0,
	    "openssl pkey -pubin -in store/keys/attester.pub.pem -outform DER "
	    "| tail -c 32 >raw");
	put("check.py", script);
	run(0, "/usr/bin/python3 check.py");
}
END_TEST

/* Lines of the whole ledger about dir or below it. */
static void
same_events(const char *dir)
{
	run(0,
	    "jq -c --arg p %s 'select(.path == $p or "
	    "((.path // \"\") | startswith($p + \"/\")))' "
	    "mnt/.trailfs/events.jsonl >want && "
	    "cmp want mnt/%s/.trailfs/events.jsonl && test -s want",
	    dir, dir);
}

START_TEST(events_are_those_of_the_directory)
{
	static const char *const dirs[] = { "t", "t/w", "t/w/a", "t/w/ab",
		"t/ww", "tt" };

	skip_unless(have("jq"), "no jq");
	make_hostile();
	/* Names that begin alike, and entries that make no name. */
	run(0, "mkdir -p mnt/t/w/ab mnt/t/ww/a mnt/tt/w/a");
	put_sealed("mnt/t/w/ab/f", "x");
	put_sealed("mnt/t/ww/a/f", "x");
	put_sealed("mnt/tt/w/a/t", "x");
	for (size_t i = 0; i < LEN(dirs); i++)
		same_events(dirs[i]); /* before and after there are some */
	run(0,
	    "chmod g+w mnt/t mnt/tt/w && chown :1 mnt/t/w/ab && "
	    "chmod a-w mnt/t/w/a && chmod o+x mnt/t/w");
	ck_assert_uint_eq(1, entries("access.changed", "t/w/ab"));
	for (size_t i = LEN(dirs); i-- > 0;)
		same_events(dirs[i]);
	remount_vault();
	/* Youngest first, so that older ones have to be looked for. */
	run(0, "chmod g+w mnt/t/ww");
	for (size_t i = LEN(dirs); i-- > 0;)
		same_events(dirs[i]);
}
END_TEST

START_TEST(the_size_of_a_control_file_is_its_readable_length)
{
	static const char *const files[] = { C "attestation.json",
		C "attestation.intoto.json", C "attestation.sigstore.json",
		C "SHA256SUMS", C "events.jsonl", "mnt/t/.trailfs/events.jsonl",
		W "/.trailfs/events.jsonl" };
	char dir[128];
	mode_t mode;
	size_t n;

	make_attestation();
	/* More than the daemon holds in memory. */
	for (int i = 0; i < 600; i++) {
		char path[300];

		snprintf(path, sizeof path, A "/%0*d", 200, i);
		put(path, path);
	}
	run(0, "chmod a-w " A);
	for (size_t i = 0; i < LEN(files); i++) {
		struct stat st = stat_of(files[i]);

		content(files[i], &n);
		ck_assert_uint_eq((size_t)st.st_size, n);
		ck_assert_uint_gt(n, 65536);
		/* events.jsonl is for whoever may read the directory. */
		snprintf(dir, sizeof dir, "%.*s",
		    (int)(strstr(files[i], "/.trailfs") - files[i]), files[i]);
		mode = strstr(files[i], "events") != NULL ? 0444 : 0440;
		ck_assert_uint_eq(mode & stat_of(dir).st_mode,
		    st.st_mode & 07777);
		refused(EPERM, try_open(files[i], O_WRONLY));
	}
	run(0, "cd " A " && sha256sum --strict --quiet -c .trailfs/SHA256SUMS");
	if (have("jq"))
		run(0,
		    "jq -cS . " C "attestation.json | cmp - " C
		    "attestation.json");
}
END_TEST

/* A file that nobody has open is made anew when the ledger has grown. */
START_TEST(control_files_are_never_older_than_the_ledger)
{
	make_attestation();
	put_sealed(A "/f", "x");
	says(content(C "SHA256SUMS", NULL), "  f\n");
	content(C "SHA256SUMS", NULL);
	put_sealed(A "/g", "y");
	says(content(C "SHA256SUMS", NULL), "  g\n");
	says(content(C "attestation.json", NULL), "\"path\":\"g\"");
	put(A "/h", "z");
	says(content(C "attestation.json", NULL), "\"path\":\"h\"");
	says(content(C "proof/g.tlog-proof", NULL), "index ");
}
END_TEST

/* A name that leaves no room for the suffix is cut, between two characters. */
START_TEST(a_file_with_a_long_name_has_a_proof)
{
	static const char *const unit[] = { "n", "\xc3\xbc",
		"\xf0\x9f\x93\x84" };
	char name[256] = "", twin[300], other[300];
	struct stat st;

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	while (strlen(name) + strlen(unit[_i]) <= 254)
		strcat(name, unit[_i]);
	strcat(name, "x");
	snprintf(twin, sizeof(twin), A "/d/%s", name);
	put_sealed(twin, "twin");
	ck_assert_int_eq(0, stat(twin, &st));
	snprintf(other, sizeof(other), C "proof/d/%.*s~%llu.tlog-proof",
	    220 / (int)strlen(unit[_i]) * (int)strlen(unit[_i]), name,
	    (unsigned long long)st.st_ino);
	says(content(other, NULL), "index ");
	run(0, "[ \"$(ls " C "proof/d)\" = '%s' ]", strrchr(other, '/') + 1);
	run(0, "trailctl prove '%s' >p && cmp p '%s'", twin, other);
	run(0, "trailctl verify --vkey store/keys/log.vkey p '%s'", twin);
	/* Another number, or the same file's in another directory: no. */
	other[strlen(other) - strlen(".tlog-proof")] = '\0';
	strcat(other, "0.tlog-proof");
	refused(ENOENT, access(other, F_OK));
	snprintf(other, sizeof(other), C "proof/%.*s~%llu.tlog-proof",
	    220 / (int)strlen(unit[_i]) * (int)strlen(unit[_i]), name,
	    (unsigned long long)st.st_ino);
	refused(ENOENT, access(other, F_OK));
	refused(ENOENT, access(C "proof/d/x~3.tlog-proof", F_OK));
	refused(ENOENT, access(C "proof/d/~.tlog-proof", F_OK));
	refused(ENOENT,
	    access(C "proof/d/x~99999999999999999999.tlog-proof", F_OK));
}
END_TEST

/* The longest name that has room keeps it, and its name is its own. */
START_TEST(a_proof_of_its_own_name_comes_first)
{
	char name[300], proof[300];

	make_attestation();
	snprintf(name, sizeof(name), A "/%0*d", 244, 0);
	put_sealed(name, "x");
	snprintf(proof, sizeof(proof), C "proof/%0*d.tlog-proof", 244, 0);
	says(content(proof, NULL), "index ");
	run(0, "trailctl prove '%s' | cmp - '%s'", name, proof);
}
END_TEST

/* --- how a workflow is ------------------------------------------------- */

#define WC W "/.trailfs/"

static void
has_status(const char *word)
{
	ck_assert_str_eq(word, run(0, "cat " WC "status"));
	if (!have("jq"))
		return;
	/* Each opening is judged anew, at a later time: compare one of them. */
	run(0, "cp " WC "status.json one && jq -cS . one | cmp - one");
	ck_assert_str_eq(word,
	    run(0, "jq -r .compliance_status.status " WC "status.json"));
	ck_assert_str_eq(word,
	    run(0,
		"jq -r 'select(.name == \"w\").status' "
		"mnt/t/.trailfs/status.json"));
}

START_TEST(a_workflow_shows_its_status)
{
	allowed(mkdir("mnt/t", 0755));
	allowed(mkdir(W, 0755));
	has_status("INCOMPLETE\n"); /* nothing was recorded */
	allowed(mkdir(A, 0755));
	has_status("INCOMPLETE\n");
	says(content(WC "status.json", NULL),
	    "\"cause\":\"open\",\"is_compliant\":null,\"late\":false,"
	    "\"open\":1,\"overdue\":false,"
	    "\"overridden_attestation_id\":null,"
	    "\"status\":\"MISSING\"");
	put(A "/d.tmp", "x");
	has_status("INCOMPLETE\n"); /* a draft is no evidence */
	allowed(unlink(A "/d.tmp"));
	allowed(mkdir(A "/sub", 0755));
	put_sealed(A "/sub/f", "x");
	has_status("COMPLIANT\n");
	says(content(WC "status.json", NULL),
	    "\"is_compliant\":true,\"late\":false,\"open\":1,"
	    "\"overdue\":false,\"overridden_attestation_id\":null,"
	    "\"status\":\"COMPLETE\","
	    "\"unexpected\":false,\"version\":1}]");
	says(content(WC "status.json", NULL),
	    "\"status_of_sealed\":\"INCOMPLETE\"");
	says(content(WC "status.md", NULL),
	    "| a | COMPLETE, open: a | yes |  | | | |\n");
	run(0, "chmod a-w " A);
	has_status("COMPLIANT\n");
	says(content(WC "status.json", NULL),
	    "\"status_of_sealed\":\"COMPLIANT\"");
	/* Another version is named at once, and decides with its first file. */
	allowed(mkdir(A "@2", 0755));
	has_status("COMPLIANT\n");
	says(content(WC "status.json", NULL), "\"open\":2");
	says(content(WC "status.json", NULL), "\"version\":1}]");
	says(content(WC "status.md", NULL), "| a | COMPLETE, open: a@2 | yes ");
	says(content(WC "index.html", NULL),
	    "<td>yes</td><td></td><td><a href=\"#a1\"><bdi>a@2</bdi></a></td>");
	says(content("mnt/t/.trailfs/status.json", NULL), "\"open\":1,");
	put_sealed(A "@2/f", "x");
	says(content(WC "status.json", NULL), "\"open\":2");
	says(content(WC "status.json", NULL), "\"version\":2}]");
	run(0, "chmod a-w " A "@2");
	has_status("COMPLIANT\n");
	says_not(content(WC "status.json", NULL), "\"open\":");
	says(content(WC "status.json", NULL), "\"version\":2}]");
	says(content(WC "status.md", NULL), "| a@2 | COMPLETE | yes |  | 2");
	says(content(WC "status.md", NULL), "# t/w\n\n**COMPLIANT**, open\n");
	allowed(mkdir(W "/b", 0755));
	has_status("INCOMPLETE\n");
	says(content(WC "status.json", NULL), "\"status\":\"MISSING\"");
	run(0, "trailctl seal " W);
	has_status("COMPLIANT\n");
	says(content(WC "status.json", NULL), "\"state\":\"sealed\"");
	refused(ENOENT, try_open("mnt/t/.trailfs/status", O_RDONLY));
	refused(ENOENT, try_open(A "/.trailfs/status", O_RDONLY));
}
END_TEST

START_TEST(a_trail_has_a_line_for_each_workflow)
{
	make_attestation();
	run(0,
	    "mkdir -p mnt/t/x/one mnt/t/x/two mnt/t/y && trailctl seal mnt/t/y");
	ck_assert_str_eq("",
	    run(0, "mkdir mnt/u && cat mnt/u/.trailfs/status.json"));
	says(content("mnt/t/.trailfs/status.json", NULL),
	    "\"missing\":2,\"name\":\"x\",\"non_compliant\":0,"
	    "\"open\":2,\"overdue\":0,\"state\":\"open\","
	    "\"status\":\"INCOMPLETE\"}\n");
	says(content("mnt/t/.trailfs/status.json", NULL),
	    "\"name\":\"y\",\"non_compliant\":0,\"open\":0,"
	    "\"overdue\":0,\"state\":\"sealed\"");
	run(0, "test $(wc -l <mnt/t/.trailfs/status.json) = 3");
}
END_TEST

Suite *
suite_auditor(void)
{
	Suite *s = suite_create("auditor");
	TCase *t = mounted_case(s, "auditor");

	tcase_add_test(t, sha256sum_accepts_the_sums_of_any_name);
	tcase_add_test(t, unsealed_files_are_not_signed);
	tcase_add_test(t, attestation_json_names_actor_time_and_evidence);
	tcase_add_test(t, openssl_and_jq_verify_the_statement);
	tcase_add_test(t, securesystemslib_verifies_the_statement);
	tcase_add_test(t, events_are_those_of_the_directory);
	tcase_add_test(t, the_size_of_a_control_file_is_its_readable_length);
	tcase_add_test(t, control_files_are_never_older_than_the_ledger);
	tcase_add_loop_test(t, a_file_with_a_long_name_has_a_proof, 0, 3);
	tcase_add_test(t, a_proof_of_its_own_name_comes_first);
	tcase_add_test(t, a_workflow_shows_its_status);
	tcase_add_test(t, a_trail_has_a_line_for_each_workflow);
	return s;
}
