/*
 * Login uids: who logged in stays visible when he becomes another user, and
 * decides with the uid whether two people are two.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "harness.h"

#define F "t/w/a/f"
#define ASK A "/.trailfs/redactions"
#define PROPOSE "{\"propose\":\"f\",\"reason\":\"request 7\"}"
#define CAN_LOG_IN (system("echo 7 2>&- >/proc/self/loginuid") == 0)
#define NO_LOG_IN "the kernel has no login uids that can be set"

/* A trail of Alice with a sealed file. */
static void
make_evidence(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	put_sealed("mnt/" F, "x");
	seal(A, 0555);
}

static unsigned long
newest_proposal(void)
{
	return entry_seq(entry("redaction.proposed", F));
}

/* Somebody who logged in as login and became uid writes a request. */
static void
person_asks(int status, uid_t login, uid_t uid, const char *text)
{
	run(status,
	    "echo %u >/proc/self/loginuid && printf %%s '%s' | "
	    "setpriv --reuid %u --regid %u --clear-groups "
	    "dd of=" ASK " status=none",
	    login, text, uid, uid);
}

static void
person_approves(int status, uid_t login, uid_t uid)
{
	char text[64];

	snprintf(text, sizeof text, "{\"approve\":%lu}", newest_proposal());
	person_asks(status, login, uid, text);
}

static const char *
why(void)
{
	return run(0, "cat " A "/.trailfs/last-error");
}

/* --- it is shown --------------------------------------------------------- */

/* How somebody who logged in as 4711 becomes another user and writes a file. */
static const struct way {
	const char *program, *command, *user;
} ways[] = {
	{ "setpriv",
	    "setpriv --reuid nobody --clear-groups sh -c 'echo x >mnt/" F "'",
	    "nobody" },
	{ "su", "su -s /bin/sh -c 'echo x >mnt/" F "' nobody", "nobody" },
	{ "sudo", "sudo -u nobody sh -c 'echo x >mnt/" F "'", "nobody" },
	{ "sh", "sh -c 'echo x >mnt/" F "'", "root" },
};

START_TEST(who_logged_in_is_shown_beside_the_user)
{
	const struct way *w = &ways[_i];
	char shown[64], in_html[64];

	skip_unless(have(w->program), "the program is not installed");
	skip_unless(CAN_LOG_IN, NO_LOG_IN);
	make_attestation();
	run(0, "chmod 0755 mnt/t mnt/t/w && chmod 0777 " A);
	run(0, "echo 4711 >/proc/self/loginuid && %s", w->command);
	sync_dir("mnt");
	says(entry("evidence.sealed", F), "\"loginuid\":4711");
	says(entry("evidence.sealed", F),
	    _i < 3 ? "\"uid\":65534" : "\"uid\":0");
	snprintf(shown, sizeof shown, "%s, login uid 4711 (sh)", w->user);
	snprintf(in_html, sizeof in_html, "%s (%s), login uid 4711", w->user,
	    _i < 3 ? "65534" : "0");
	says(run(0, "trailctl log --type evidence.sealed mnt"), shown);
	says(run(0, "trailctl show mnt/" F), shown);
	says(content("mnt/t/w/.trailfs/index.html", NULL), in_html);
	/* The entry does not say who root is here: so nothing is repeated. */
	run(0, "echo 0 >/proc/self/loginuid && echo y >mnt/t/w/a/own");
	sync_dir("mnt");
	says(entry("evidence.sealed", "t/w/a/own"), "\"loginuid\":0");
	says_not(run(0, "trailctl show mnt/t/w/a/own"), "login uid");
}
END_TEST

/* --- it is never missing for lack of time ------------------------------------ */

static int go[2]; /* a pipe that lets the writer begin */

static int
write_when_told(void)
{
	char c;

	if (read(go[0], &c, 1) != 1)
		return 1;
	put(W "/b/blocked", "x");
	return 0;
}

/* A file of /proc that is a FIFO keeps its reader waiting. */
static bool
cover_with_fifo(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return mkfifo("fifo", 0600) == 0 &&
	    mount("fifo", path, NULL, MS_BIND, NULL) == 0;
}

START_TEST(a_proc_that_does_not_answer_hides_nobody)
{
	pid_t child;
	bool blocked;
	int fd;

	skip_unless(CAN_LOG_IN, NO_LOG_IN);
	skip_unless(unshare(CLONE_NEWNS) == 0 &&
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	    "no mount namespace of our own");
	mount_vault("settle=60");
	make_evidence();
	allowed(mkdir(W "/b", 0755));
	allowed(pipe2(go, O_CLOEXEC));
	child = in_child(write_when_told);
	blocked = cover_with_fifo(child, "cgroup");
	allowed(write(go[1], "x", 1));
	ck_assert_int_eq(0, child_ended(child));
	skip_unless(blocked, "nothing can be mounted in /proc/PID");

	/* Alice is one person, though the reader of /proc still waits. */
	person_asks(0, ALICE, ALICE, PROPOSE);
	says(entry("redaction.proposed", F), "\"loginuid\":1001");
	says_not(entry("redaction.proposed", F), "\"cgroup\"");
	person_approves(1, ALICE, 0);
	says(why(), "who proposed a redaction cannot approve it");
	ck_assert_uint_eq(0, entries("redaction.done", F));
	person_approves(0, BOB, 0);
	says(entry("redaction.done", F), "\"loginuid\":1002");

	/* Let the reader go on. */
	ck_assert_int_ge(fd = open("fifo", O_WRONLY), 0);
	close(fd);
	unmount_vault();
	verify(0);
}
END_TEST

/* --- who hides it decides nothing ------------------------------------------- */

/* Run a daemon in a pid namespace, with options for unshare(1), and then
 * commands there, until they end. */
#define IN_NAMESPACE                                                         \
	"trailfs store mnt -f -o settle=0,allow_other >log 2>&1 & "          \
	"for i in $(seq 600); do [ -e mnt/.trailfs/status.json ] && break; " \
	"sleep 0.1; done; "

/* Alice proposes as herself from inside.  Root outside, whose process the daemon
 * cannot see, may be Alice; root inside has no login uid, as the kernel says. */
static const char hidden[] =
    "cat >inside <<'EOF'\n" IN_NAMESPACE "mkdir -p mnt/t/w/a && echo x >mnt/" F
    " && chown 1001 mnt/t &&\n"
    "chmod 0755 mnt/t && trailctl seal " A " &&\n"
    "printf '" PROPOSE "' | setpriv --reuid 1001 --clear-groups "
    "dd of=" ASK " status=none || echo failed >proposed\n"
    "grep -o '\"seq\":[0-9]*,[^{]*redaction.proposed' "
    "mnt/.trailfs/events.jsonl | grep -o '[0-9]*' | head -n 1 >proposal\n"
    "touch proposed; until [ -e tried ]; do sleep 0.1; done\n"
    "printf '{\"approve\":%s}' \"$(cat proposal)\" | "
    "dd of=" ASK " status=none; echo $? >inner\n"
    "umount mnt; wait\n"
    "EOF\n"
    "unshare --pid --fork --kill-child --mount-proc sh inside & outer=$!\n"
    "until [ -e proposed ]; do sleep 0.1; done\n"
    "init=$(cat /proc/$outer/task/$outer/children)\n"
    "there=/proc/${init% }/root$PWD\n"
    "printf '{\"approve\":%s}' \"$(cat proposal)\" | "
    "dd of=$there/" ASK " status=none; echo $? >outside\n"
    "cat $there/" A "/.trailfs/last-error >why\n"
    "mkdir $there/" W "/out\n"
    "touch tried; wait";

START_TEST(a_process_that_cannot_be_seen_approves_nothing)
{
	run(0, "%s", hidden);
	ck_assert_str_eq("", content("proposed", NULL));
	holds("outside", "1\n");
	says(content("why", NULL),
	    "the login uid of the process that asks cannot be read");
	holds("inner", "0\n");
	ck_assert_uint_eq(1, entries("redaction.done", F));
	says_not(entry("ledger.opened", NULL), "\"loginuid\"");
	says(entry("attestation.begun", "t/w/out"),
	    "\"actor\":{\"gid\":0,\"group\":\"root\",\"uid\":0,"
	    "\"user\":\"root\"}");
	verify(0);
}
END_TEST

/* Where nobody's can be read, the uids decide, and the vault says so. */
START_TEST(without_login_uids_the_vault_says_so)
{
	run(0,
	    "cat >inside <<'EOF'\n" IN_NAMESPACE
	    "mkdir -p mnt/t/w/a && echo x >mnt/" F " && chown 1001 mnt/t &&\n"
	    "chmod 0755 mnt/t && trailctl seal " A "\n"
	    "trailctl status mnt >status\n"
	    "cp mnt/.trailfs/status.json mnt/.trailfs/index.html .\n"
	    "trailctl redact --reason r mnt/" F " >redacted 2>&1\n"
	    "grep -o '\"seq\":[0-9]*,[^{]*redaction.proposed' "
	    "mnt/.trailfs/events.jsonl | grep -o '[0-9]*' | head -n 1 "
	    ">proposal\n"
	    "printf '{\"approve\":%%s}' \"$(cat proposal)\" >ask\n"
	    "dd if=ask of=" ASK " status=none; echo $? >one\n"
	    "setpriv --reuid 1001 --clear-groups "
	    "dd if=ask of=" ASK " status=none; echo $? >two\n"
	    "umount mnt; wait\n"
	    "EOF\n"
	    "unshare --pid --fork --kill-child sh inside");
	holds("one", "1\n");
	holds("two", "0\n");
	says(content("log", NULL), "login uids are not known here");
	says(content("status", NULL), "login_uids  unknown");
	says(content("status.json", NULL), "\"login_uids\":\"unknown\"");
	says(content("index.html", NULL), "<dt>Login uids</dt>");
	says(entry("ledger.opened", NULL), "\"loginuid\":\"unknown\"");
	says_not(entry("redaction.done", F), "\"hints\"");
	verify(0);
}
END_TEST

/* There the kernel says "unset" of users who have no number inside. */
START_TEST(in_a_user_namespace_no_login_uid_is_known)
{
	skip_unless(system("unshare --user --map-root-user --mount true "
			   "2>&-") == 0,
	    "the kernel makes no user namespace for us");
	run(0,
	    "echo 4711 2>&- >/proc/self/loginuid\n"
	    "cat >inside <<'EOF'\n" IN_NAMESPACE
	    "cp mnt/.trailfs/status.json . && mkdir mnt/t && umount mnt\n"
	    "wait\n"
	    "EOF\n"
	    "unshare --user --map-root-user --mount sh inside");
	says(content("status.json", NULL), "\"login_uids\":\"unknown\"");
	says(entry("ledger.opened", NULL), "\"loginuid\":\"unknown\"");
	says_not(entry("trail.created", "t"), "\"loginuid\"");
	verify(0);
}
END_TEST

Suite *
suite_login(void)
{
	Suite *s = suite_create("login");
	TCase *t = mounted_case(s, "login");

	tcase_add_loop_test(t, who_logged_in_is_shown_beside_the_user, 0,
	    (int)LEN(ways));
	t = stored_case(s, "hidden");
	tcase_add_test(t, a_proc_that_does_not_answer_hides_nobody);
	tcase_add_test(t, a_process_that_cannot_be_seen_approves_nothing);
	tcase_add_test(t, without_login_uids_the_vault_says_so);
	tcase_add_test(t, in_a_user_namespace_no_login_uid_is_known);
	return s;
}
