/* What trailctl says of a workflow, to gates and to people: through the mount,
 * and from the store. */
#include <check.h>
#include <sys/stat.h>
#include <unistd.h>

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

Suite *
suite_compliance(void)
{
	Suite *s = suite_create("compliance");
	TCase *t = mounted_case(s, "compliance");

	tcase_add_test(t, an_assertion_exits_as_the_workflow_is);
	tcase_add_test(t, status_of_a_trail_or_workflow_is_its_compliance);
	tcase_add_test(t, the_store_says_the_same);
	tcase_add_test(t, only_a_workflow_can_be_asserted);
	return s;
}
