/* What trailctl says of a workflow, to gates and to people: through the mount,
 * and from the store. */
#include <sys/xattr.h>

#include "../faults/fault.h"
#include "harness.h"

/* A gate never passes a run that recorded nothing. */
START_TEST(an_assertion_exits_as_the_workflow_is)
{
	allowed(mkdir("mnt/t", 0755));
	allowed(mkdir(W, 0755));
	says(run(5, "trailctl assert " W), "t/w  INCOMPLETE\n");
	says(run(5, "trailctl assert " W), "nothing was recorded");
	allowed(mkdir(A, 0755));
	says(run(5, "trailctl assert " W), "MISSING");
	put_sealed(A "/f", "x");
	says(run(0, "trailctl assert " W), "t/w  COMPLIANT\n");
	says(run(0, "trailctl assert " W), "  open\n");
	says(run(5, "trailctl assert --sealed " W), "t/w  INCOMPLETE\n");
	ck_assert_str_eq("{\"is_compliant\":false,\"path\":\"t/w\","
			 "\"status\":\"INCOMPLETE\"}\n",
	    run(5, "trailctl assert --sealed --json " W));
	run(0, "chmod a-w " A);
	ck_assert_str_eq("{\"is_compliant\":true,\"path\":\"t/w\","
			 "\"status\":\"COMPLIANT\"}\n",
	    run(0, "trailctl assert --sealed --json " W));
	allowed(mkdir(A "@2", 0755));
	says(run(0, "trailctl assert " W), "version 2 is open\n");
}
END_TEST

START_TEST(status_of_a_trail_or_workflow_is_its_compliance)
{
	make_attestation();
	put_sealed(A "/f", "x");
	allowed(mkdir("mnt/t/empty", 0755));
	says(run(0, "trailctl status " W), "t/w  COMPLIANT\n");
	says(run(0, "trailctl status --json " W), "\"compliance_status\":{");
	says(run(0, "trailctl status mnt/t"), "INCOMPLETE");
	says(run(0, "trailctl status --json mnt/t"), "\"name\":\"empty\"");
	/* Of anything else, it is that of the vault. */
	says(run(0, "trailctl status " A), "origin");
	says(run(0, "trailctl status " W "/.trailfs"), "origin");
}
END_TEST

START_TEST(the_store_says_the_same)
{
	make_attestation();
	put_sealed(A "/f", "x");
	unmount_vault();
	says(run(0, "trailctl assert store/t/w"), "t/w  COMPLIANT\n");
	says(run(5, "trailctl assert --sealed store/t/w"), "INCOMPLETE");
	says(run(0, "trailctl status store/t"), "w ");
	run(3, "trailctl assert store/t/none");
}
END_TEST

START_TEST(only_a_workflow_can_be_asserted)
{
	make_attestation();
	run(2, "trailctl assert");
	run(2, "trailctl assert mnt");
	run(2, "trailctl assert mnt/t");
	run(2, "trailctl assert " A);
	run(3, "trailctl assert mnt/t/none");
}
END_TEST

/* --- by a template ------------------------------------------------------- */

#define T "mnt/t/.trailfs/"
#define SAY(path, key, value)                                                 \
	allowed(setxattr((path), "user.trailfs." key, (value), strlen(value), \
	    0))

/* Make the trail, and a template of these attestations, one in a line. */
static void
make_template(const char *attestations)
{
	FILE *f = fopen("template.yml", "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "version: 1\ntrail:\n  attestations:\n%s", attestations);
	allowed(fclose(f));
	(void)mkdir("mnt/t", 0777);
	allowed(chmod("mnt/t", 0777));
	run(0, "cp template.yml " T);
}

static void
begin_workflow(void)
{
	allowed(mkdir(W, 0777));
	allowed(chmod(W, 0777));
}

static void
report(const char *name)
{
	char path[300];

	snprintf(path, sizeof path, W "/%s", name);
	allowed(mkdir(path, 0755));
	snprintf(path, sizeof path, W "/%s/f", name);
	put(path, name);
	run(0, "trailctl seal " W "/%s", name);
}

#define is(word) holds(W "/.trailfs/status", word "\n")
#define status() content(W "/.trailfs/status.json", NULL)
#define page() content(W "/.trailfs/index.html", NULL)
#define markdown() content(W "/.trailfs/status.md", NULL)

/* The state of that name in status.json: its members after the name. */
static const char *
slot(const char *name)
{
	static char row[4096];
	char key[300];
	const char *at, *end;

	snprintf(key, sizeof key, "\"attestation_name\":\"%s\",", name);
	at = strstr(status(), key);
	ck_assert_msg(at != NULL, "no %s in %s", name, status());
	end = strchr(at, '}');
	ck_assert_ptr_nonnull(end);
	snprintf(row, sizeof row, "%.*s", (int)(end - at), at);
	return row;
}

START_TEST(what_a_template_asks_for_is_missing)
{
	make_template("  - {name: login, type: generic}\n"
		      "  - {name: log, type: generic}\n"
		      "  - {name: maybe, type: generic, "
		      "x-trailfs: {optional: true}}\n");
	begin_workflow();
	is("INCOMPLETE");
	says(slot("login"), "\"is_compliant\":null");
	says(slot("login"), "\"status\":\"MISSING\"");
	says(slot("login"), "\"cause\":\"missing\"");
	says(slot("maybe"), "\"optional\":true");
	says_not(slot("maybe"), "\"cause\"");
	ck_assert_str_eq("log\nlogin\n", run(0, "ls " W "/.trailfs/missing"));
	report("login");
	is("INCOMPLETE");
	says(slot("login"), "\"status\":\"COMPLETE\"");
	says(slot("login"), "\"is_compliant\":true");
	says(content(T "status.json", NULL), "\"missing\":1,");
	says(content(T "status.json", NULL), "\"template\":1}");
	says(run(5, "trailctl assert " W), "MISSING");
	says(page(), "nothing was reported");
	says(markdown(), "nothing was reported");
	report("log");
	is("COMPLIANT");
	report("more");
	is("COMPLIANT");
	says(slot("more"), "\"unexpected\":true");
	says(slot("log"), "\"unexpected\":false");
	says(markdown(), "more (+)");
	says(page(), "unexpected");
}
END_TEST

/* Kosli's names, with what is ours beside them. */
START_TEST(the_status_has_the_keys_of_kosli)
{
	static const char check[] =
	    "import json, sys\n"
	    "s = json.load(open(sys.argv[1]))\n"
	    "for k in ('name description flow origin_url external_urls "
	    "created_at created_by last_modified_at is_compliant "
	    "compliance_state compliance_status template events user_data "
	    "user_data_file annotations git_commit_info begun state trail')"
	    ".split(): assert k in s, k\n"
	    "c = s['compliance_status']\n"
	    "for k in ('status is_compliant evaluated_at flow_template_id "
	    "attestations_statuses artifacts_statuses status_of_sealed')"
	    ".split(): assert k in c, k\n"
	    "row = {r['attestation_name']: r for r in "
	    "c['attestations_statuses']}\n"
	    "for k in ('attestation_name attestation_type attestation_id "
	    "status is_compliant unexpected').split(): "
	    "assert k in row['login'], k\n"
	    "assert row['app.tests']['is_compliant'] is None\n"
	    "assert row['app.tests']['attestation_id'] is None\n"
	    "assert row['login']['override_reason'] == 'seen'\n"
	    "assert s['user_data'] == {'a': [1.5, None, '']}, s\n"
	    "assert s['git_commit_info'] == {'sha1': 'abc' * 5}\n"
	    "u = [e for e in s['events'] if e['type'] == 'trail_updated']\n"
	    "assert u[0]['changes'] == {'description': 'What'}, u\n"
	    "assert u[1]['changes'] == {'description': 'Why'}, u\n"
	    "assert u[5]['changes'] == {'user_data': s['user_data_file']}, u\n"
	    "assert u[6]['changes'] == {'origin_url': None}, u\n"
	    "assert all(e['user'] == s['created_by'] for e in u)\n"
	    "assert any(isinstance(x, float) for x in (s['created_at'], "
	    "s['last_modified_at'], c['evaluated_at']))\n"
	    "assert row['login']['overridden_attestation_id'] != "
	    "row['login']['attestation_id']\n"
	    "app = dict(row['app.tests'], attestation_name='tests')\n"
	    "assert c['artifacts_statuses'] == {'app': {'is_compliant': None,"
	    " 'status': 'MISSING', 'unexpected': False, "
	    "'evaluated_at': c['evaluated_at'], "
	    "'flow_template_id': c['flow_template_id'], "
	    "'attestations_statuses': [app]}}, c\n"
	    "assert s['template']['trail'] == {'artifacts': [{'name': 'app', "
	    "'attestations': [{'name': 'tests', 'type': 'generic'}]}], "
	    "'attestations': [{'name': 'login', 'type': 'generic'}]}\n"
	    "assert s['template']['content'] == open('template.yml').read()\n"
	    "assert s['template']['version'] == 1\n"
	    "assert [e['type'] for e in s['events']] == ['trail_reported', "
	    "'trail_updated', 'trail_updated', 'trail_updated', "
	    "'trail_updated', 'trail_updated', 'trail_updated', "
	    "'trail_updated', 'trail_updated', 'trail_attestation_reported', "
	    "'trail_attestation_reported'], s['events']\n"
	    "assert all(e['timestamp'] <= c['evaluated_at'] "
	    "for e in s['events'])\n"
	    "assert s['description'] == 'Why' and s['flow'] == 't'\n";

	skip_unless(have("python3"), "no python3");
	make_template("  - {name: login, type: generic}\n"
		      "  artifacts:\n  - name: app\n    attestations:\n"
		      "    - {name: tests, type: generic}\n");
	begin_workflow();
	SAY(W, "description", "What");
	SAY(W, "description", "Why");
	SAY(W, "origin-url", "https://ci.example.org/1");
	SAY(W, "external-url.wiki", "https://wiki.example.org");
	SAY(W, "annotation.git_commit", "abcabcabcabcabc");
	SAY(W, "user-data", "{\"a\": [1.5, null, \"\"]}");
	allowed(removexattr(W, "user.trailfs.origin-url"));
	SAY(W, "origin-url", "https://ci.example.org/2");
	report("login");
	run(0,
	    "printf '{\"compliant\":true,\"reason\":\"seen\"}' >" W
	    "/login/.trailfs/override");
	put("check.py", check);
	run(0, "python3 check.py " W "/.trailfs/status.json");
}
END_TEST

START_TEST(a_slot_may_ask_for_more_than_one_report)
{
	make_template("  - name: approval\n    type: generic\n"
		      "    x-trailfs: {count: 2, different_users: true}\n");
	begin_workflow();
	report("approval");
	is("INCOMPLETE");
	says(slot("approval"), "\"cause\":\"users\"");
	says(slot("approval"), "\"count\":2");
	says(slot("approval"), "\"sufficient\":1");
	report("approval@2");
	is("INCOMPLETE");
	says(page(), "reports of 1 of 2 different users");
	as(ALICE);
	allowed(mkdir(W "/approval@3", 0755));
	put(W "/approval@3/f", "yes");
	as(0);
	run(0, "trailctl seal " W "/approval@3");
	is("COMPLIANT");
	says(slot("approval"), "\"sufficient\":2");
}
END_TEST

START_TEST(only_some_users_may_report)
{
	make_template("  - name: approval\n    type: generic\n"
		      "    x-trailfs: {users: [1001], groups: [4711]}\n");
	begin_workflow();
	refused(EPERM, mkdir(W "/approval", 0755));
	as(ALICE);
	allowed(mkdir(W "/approval", 0755));
	put(W "/approval/f", "yes");
	as(0);
	run(0, "trailctl seal " W "/approval");
	is("COMPLIANT");
}
END_TEST

START_TEST(order_matters_where_a_template_says_so)
{
	make_template("  - {name: tests, type: generic}\n"
		      "  - name: deploy\n    type: generic\n"
		      "    x-trailfs: {after: [tests]}\n");
	begin_workflow();
	report("deploy");
	report("tests");
	is("NON-COMPLIANT");
	says(slot("deploy"), "\"cause\":\"order\"");
	says(page(), "it began before tests counted");
	says(content(W "/deploy/.trailfs/attestation.json", NULL),
	    "\"cause\":\"order\"");
	says(content(W "/deploy/.trailfs/attestation.json", NULL),
	    "\"is_compliant\":false");
	/* Once more, in order: the latest decides. */
	report("deploy@2");
	is("COMPLIANT");
}
END_TEST

/* A repeat that has begun decides nothing until it counts. */
START_TEST(the_older_report_decides_until_the_repeat_counts)
{
	make_template("  - {name: a, type: generic}\n");
	begin_workflow();
	report("a");
	allowed(mkdir(W "/a@2", 0755));
	is("COMPLIANT");
	says(slot("a"), "\"open\":2");
	says(slot("a"), "\"version\":1");
	SAY(W "/a@2", "compliant", "false");
	is("COMPLIANT");
	put_sealed(W "/a@2/f", "x");
	is("NON-COMPLIANT");
	says(slot("a"), "\"cause\":\"denied\"");
	says(slot("a"), "\"version\":2");
	run(0, "trailctl seal " W "/a@2");
	run(0,
	    "printf '{\"compliant\":true,\"reason\":\"a known fault\"}' >" W
	    "/a@2/.trailfs/override");
	is("COMPLIANT");
	says(slot("a"), "\"overridden\":");
	says(slot("a"), "\"override_reason\":\"a known fault\"");
	says(markdown(), "yes, overridden | a known fault |");
	says(page(), "<td>yes, overridden</td><td><bdi>a known fault</bdi>");
	says(run(0, "trailctl assert " W), "overridden: a known fault");
	says(run(0, "trailctl status " W), "overridden: a known fault");
	run(0,
	    "printf '{\"compliant\":false,\"reason\":\"no\\\\nmore\"}' >" W
	    "/a@2/.trailfs/override");
	says(markdown(),
	    "no, overridden | an override says that it is not compliant: "
	    "no more |");
	says(page(), "not compliant: <bdi>no\nmore</bdi>");
	says(run(1, "trailctl assert --junit - " W),
	    "message=\"an override says that it is not compliant: no");
	run(0,
	    "printf '{\"compliant\":true,\"reason\":\"a known fault\"}' >" W
	    "/a@2/.trailfs/override");
	says(content(W "/a@2/.trailfs/attestation.json", NULL),
	    "\"is_compliant\":true");
}
END_TEST

/* What is judged at its seal does not count before. */
START_TEST(an_open_report_whose_type_is_judged_does_not_count)
{
	allowed(mkdir("mnt/t", 0777));
	begin_workflow();
	allowed(mkdir(A, 0755));
	put_sealed(A "/r.xml", "<testsuite><testcase name=\"a\"/></testsuite>");
	is("COMPLIANT");
	SAY(A, "type", "junit");
	is("INCOMPLETE");
	says(slot("a"), "\"cause\":\"open\"");
	says(slot("a"), "\"attestation_type\":\"junit\"");
	says(content(A "/.trailfs/attestation.json", NULL),
	    "\"attestation_type\":\"junit\"");
	run(0, "trailctl seal " A);
	is("COMPLIANT");
	says(content(A "/.trailfs/attestation.json", NULL),
	    "\"junit_results\":[{\"errors\":0,\"failures\":0,\"name\":\"a\","
	    "\"skipped\":0,\"total\":1}]");
	says(page(),
	    "passed by junit: errors 0, failures 0, skipped 0, tests 1");
	says(page(), "href=\"../a/.trailfs/evaluation.json\"");
	says_not(page(), "user-data");
}
END_TEST

START_TEST(a_workflow_is_judged_by_the_template_of_its_beginning)
{
	make_template("  - {name: a, type: generic}\n");
	begin_workflow();
	report("a");
	make_template("  - {name: a, type: generic}\n"
		      "  - {name: b, type: generic}\n");
	is("COMPLIANT");
	says(page(), "version 1");
	says(content(A "/.trailfs/attestation.json", NULL),
	    "\"is_compliant\":true");
	allowed(mkdir("mnt/t/later", 0755));
	holds("mnt/t/later/.trailfs/status", "INCOMPLETE\n");
	says(content("mnt/t/later/.trailfs/status.json", NULL),
	    "\"attestation_name\":\"b\"");
	remount_vault();
	is("COMPLIANT");
}
END_TEST

/* The value of the first text member of that name in status.json. */
static const char *
text_of(const char *key)
{
	static char value[2][64];
	static unsigned n;
	char start[64];
	const char *at;

	snprintf(start, sizeof start, "\"%s\":\"", key);
	at = strstr(status(), start);
	ck_assert_msg(at != NULL, "no %s", key);
	at += strlen(start);
	n = !n;
	snprintf(value[n], sizeof value[n], "%.*s", (int)strcspn(at, "\""), at);
	return value[n];
}

/* The clock shows what is overdue; nothing need be recorded for that. */
START_TEST(a_missing_report_is_overdue_after_its_deadline)
{
	static const char ahead[] = "LD_PRELOAD=" FAULTS_SHIM
				    " SHIM_CLOCK_AHEAD_S=172800 ";

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	make_template("  - name: a\n    type: generic\n"
		      "    x-trailfs: {deadline: 24h}\n");
	begin_workflow();
	says(slot("a"), "\"overdue\":false");
	says(slot("a"), "\"deadline\":\"20");
	unmount_vault();
	says(run(0, "%strailctl status --json store/t/w", ahead),
	    "\"overdue\":true");
	says(run(0, "%strailctl status --json store/t", ahead),
	    "\"overdue\":1");
	says(run(0, "trailctl status --json store/t"), "\"overdue\":0");
	/* From now on the ledger is two days ahead. */
	run(0, "%strailctl sync store", ahead);
	mount_vault("settle=0");
	says(slot("a"), "\"overdue\":true");
	says(page(), "its deadline has passed");
	says(markdown(), "its deadline has passed");
	says(content(T "index.html", NULL), "<dt>Overdue</dt><dd>1</dd>");
	is("INCOMPLETE");
	report("a");
	is("NON-COMPLIANT");
	says(slot("a"), "\"late\":true");
	/* The clock is behind, and still nothing is judged before it was. */
	ck_assert_str_ge(text_of("evaluated"), text_of("reported_at"));
	says(slot("a"), "\"cause\":\"late\"");
	says(content(A "/.trailfs/attestation.json", NULL),
	    "\"cause\":\"late\"");
}
END_TEST

Suite *
suite_compliance(void)
{
	Suite *s = suite_create("compliance");
	TCase *t = mounted_case(s, "compliance");

	tcase_add_test(t, an_assertion_exits_as_the_workflow_is);
	tcase_add_test(t, status_of_a_trail_or_workflow_is_its_compliance);
	tcase_add_test(t, the_store_says_the_same);
	tcase_add_test(t, only_a_workflow_can_be_asserted);
	tcase_add_test(t, what_a_template_asks_for_is_missing);
	tcase_add_test(t, the_status_has_the_keys_of_kosli);
	tcase_add_test(t, a_slot_may_ask_for_more_than_one_report);
	tcase_add_test(t, only_some_users_may_report);
	tcase_add_test(t, order_matters_where_a_template_says_so);
	tcase_add_test(t, the_older_report_decides_until_the_repeat_counts);
	tcase_add_test(t, an_open_report_whose_type_is_judged_does_not_count);
	tcase_add_test(t,
	    a_workflow_is_judged_by_the_template_of_its_beginning);
	tcase_add_test(t, a_missing_report_is_overdue_after_its_deadline);
	return s;
}
