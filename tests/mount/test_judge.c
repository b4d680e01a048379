/*
 * Templates and types in the course of a run: which version judges, what a
 * template refuses, and that every way of sealing judges.
 */
#include <sys/xattr.h>

#include "harness.h"

#define T "mnt/t/.trailfs/"
#define SAY(path, key, value) \
	setxattr((path), "user.trailfs." key, (value), strlen(value), 0)
#define FAILS \
	"<testsuite><testcase name=\"a\"><failure/></testcase></testsuite>"

static void
define(const char *names, const char *more)
{
	run(0,
	    "{ printf 'version: 1\\ntrail:\\n%s  attestations:\\n'; "
	    "for n in %s; do echo \"  - {name: $n, type: generic}\"; done; } "
	    ">template && cp template " T "template.yml",
	    more, names);
}

START_TEST(a_workflow_keeps_the_template_it_began_with)
{
	make_attestation();
	define("one", "");
	run(0, "mkdir mnt/t/w1");
	define("one two", "");
	run(0, "mkdir mnt/t/w2 mnt/t/w1/one mnt/t/w2/one");
	says_not(entry("workflow.begun", "t/w"), "\"template\"");
	says(entry("workflow.begun", "t/w1"), "\"template\":1");
	says(entry("workflow.begun", "t/w2"), "\"template\":2");
	put("mnt/t/w1/one/f", "x");
	put("mnt/t/w2/one/f", "x");
	run(0, "trailctl seal mnt/t/w1 && trailctl seal mnt/t/w2");
	run(0,
	    "grep -q '\"template\":1' mnt/t/w1/one/.trailfs/"
	    "attestation.json || base64 -d <<E | grep -q '\"template\":1'\n"
	    "$(sed 's/.*\"payload\":\"\\([^\"]*\\)\".*/\\1/' "
	    "mnt/t/w1/one/.trailfs/attestation.intoto.json)\nE");
	remount_vault();
	run(0, "mkdir mnt/t/w3");
	says(entry("workflow.begun", "t/w3"), "\"template\":2");
}
END_TEST

START_TEST(a_strict_template_refuses_other_names)
{
	make_attestation();
	define("one", "  x-trailfs: {strict: true}\\n");
	run(0, "mkdir mnt/t/s && chmod 0777 mnt/t mnt/t/s mnt");
	refused(EPERM, mkdir("mnt/t/s/two", 0755));
	as(ALICE);
	refused(EPERM, mkdir("mnt/t/s/two", 0755));
	allowed(mkdir("mnt/t/s/.two", 0755));
	put("mnt/t/s/.two/f", "x");
	refused(EPERM, rename("mnt/t/s/.two", "mnt/t/s/two"));
	allowed(rename("mnt/t/s/.two", "mnt/t/s/one"));
	allowed(mkdir("mnt/t/s/one@2", 0755));
	refused(EEXIST, mkdir("mnt/t/s/one", 0755));
	as(0);
	/* The others have begun before there was a template. */
	allowed(mkdir("mnt/t/w/two", 0755));
	says(run(0, "cat mnt/.trailfs/denied.jsonl"), "template");
}
END_TEST

/* Each of them is a version, in the order of the entries. */
START_TEST(two_definers_at_once_get_two_versions)
{
	make_attestation();
	define("zero", "");
	run(0,
	    "for i in 1 2 3 4 5 6 7 8; do { cat template; echo \"# $i\"; } "
	    ">t$i; done; for i in 1 2 3 4 5 6 7 8; do "
	    "cp t$i " T "template.yml & done; wait");
	ck_assert_uint_eq(9, entries("template.set", "t"));
	for (int i = 1; i <= 9; i++)
		run(0, "test -s " T "template@%d.yml", i);
	run(0, "cmp " T "template.yml " T "template@9.yml");
	/* The same bytes again are no version. */
	run(0, "cp " T "template.yml same && cp same " T "template.yml");
	ck_assert_uint_eq(9, entries("template.set", "t"));
}
END_TEST

static void
is_judged(const char *path, const char *more)
{
	const char *line = entry("attestation.sealed", path);

	says(line, "\"evaluated\":{\"compliant\":false,");
	says(line, "\"rule\":\"junit\"");
	says(line, more);
}

START_TEST(every_way_of_sealing_judges)
{
	unmount_vault();
	mount_vault("settle=60");
	make_attestation();
	run(0, "mkdir mnt/t/w/b mnt/t/w/.d mnt/t/w/e");
	put(A "/r.xml", FAILS);
	put(W "/b/r.xml", FAILS);
	put(W "/.d/r.xml", FAILS);
	put(W "/e/r.xml", FAILS);
	for (const char *const *p =
		 (const char *const[]){ A, W "/b", W "/.d", W "/e", NULL };
	     *p != NULL; p++)
		allowed(SAY(*p, "type", "junit"));
	seal(W "/b", 0555);
	is_judged("t/w/b", "seq");
	run(0, "mv " W "/.d " W "/d");
	is_judged("t/w/d", "batch");
	unmount_vault();
	mount_vault("quiet=2");
	becomes(A, "sealed");
	is_judged("t/w/a", "\"cause\":\"quiet\"");
	becomes(W "/e", "sealed");
	run(0, "trailctl seal mnt/t/w");
}
END_TEST

/* A closed attestation is sealed by the next start. */
START_TEST(recovery_judges)
{
	unmount_vault();
	mount_vault("settle=60");
	make_attestation();
	put(A "/r.xml", FAILS);
	allowed(SAY(A, "type", "junit"));
	allowed(chmod(A, 0555));
	crash_vault();
	run(0, "umount mnt");
	mount_vault("settle=0");
	becomes(A, "sealed");
	is_judged("t/w/a", "seq");
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/r.xml"));
}
END_TEST

/* Attestations 1 to 4 of workflow slow: each is closed, and judged for a second or so. */
static void
make_slow(void)
{
	char path[32];

	run(0,
	    "mkdir mnt/t/slow; { printf 'version: 1\nevidence: r.json\n"
	    "requirements:\n- id: a\n  checks:\n'; for i in $(seq 60); do "
	    "echo \"  - {id: c$i, operator: all, path: x, check: "
	    "{operator: matches_any, patterns: "
	    "['(a|b|ab|aa)*(a|aa|aaa)*(b|bb|a){0,20}$']}}\"; done; } >slow.yml "
	    "&& cp slow.yml " T "types/slow.yml && "
	    "{ printf '{\"x\":[\"a\"'; yes ',\"aaaaaaaaaaaa\"' | "
	    "head -n 800000 | tr -d '\\n'; echo ']}'; } >r.json && "
	    "for i in 1 2 3 4; do mkdir mnt/t/slow/$i && "
	    "cp r.json mnt/t/slow/$i/r.json || exit; done");
	for (int i = 1; i <= 4; i++) {
		(void)snprintf(path, sizeof(path), "mnt/t/slow/%d", i);
		allowed(SAY(path, "type", "slow"));
		allowed(chmod(path, 0555));
	}
}

/* Others neither wait for the mount nor for the entries of their files. */
START_TEST(nobody_waits_for_the_judgement_of_others)
{
	unmount_vault();
	mount_vault("settle=60");
	make_attestation();
	make_slow();
	unmount_vault();
	mount_vault("settle=0");
	has_state("mnt/t/slow/4", "closing");
	put(A "/f", "x");
	becomes(A "/f", "sealed");
	has_state("mnt/t/slow/4", "closing");
	becomes("mnt/t/slow/4", "sealed");
	says(entry("attestation.sealed", "t/slow/4"), "\"cause\":\"recovery\"");
	says(entry("attestation.sealed", "t/slow/4"), "\"rule\":\"checks\"");
}
END_TEST

Suite *
suite_judge(void)
{
	Suite *s = suite_create("judge");
	TCase *t = mounted_case(s, "judge");

	tcase_add_test(t, a_workflow_keeps_the_template_it_began_with);
	tcase_add_test(t, a_strict_template_refuses_other_names);
	tcase_add_test(t, two_definers_at_once_get_two_versions);
	tcase_add_test(t, every_way_of_sealing_judges);
	tcase_add_test(t, recovery_judges);
	tcase_add_test(t, nobody_waits_for_the_judgement_of_others);
	return s;
}
