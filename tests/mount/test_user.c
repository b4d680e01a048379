/*
 * A vault of an ordinary user, mounted with fusermount3.  Neither root nor
 * others can enter it, so what is tried in it, a shell tries as that user.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "../faults/fault.h"
#include "harness.h"

/* Wait until no daemon has the store any more. */
#define LET_GO "timeout 20 flock store/lock true"
#define MOUNT "timeout -k 1 20 trailfs store mnt -o settle=0"

static bool
share_dev_fuse(void)
{
	/* Most systems let everybody open it; here, this test does. */
	if ((stat_of("/dev/fuse").st_mode & 0006) == 0006)
		return true;
	umask(0);
	if (mknod("fuse", S_IFCHR | 0666, makedev(10, 229)) < 0)
		return false;
	umask(022);
	return mount("fuse", "/dev/fuse", NULL, MS_BIND, NULL) == 0 &&
	    try_open("/dev/fuse", O_RDWR) == 0;
}

/* fusermount3 wants to know her name; and so does the ledger. */
static bool
name_alice(void)
{
	run(0,
	    "grep -v '^[^:]*:[^:]*:1001:' /etc/passwd >passwd; "
	    "echo alice:x:1001:1001::/nonexistent:/bin/sh >>passwd");
	return mount("passwd", "/etc/passwd", NULL, MS_BIND, NULL) == 0;
}

/*
 * Others cannot reach the directory of this run, so it is shown to Alice at
 * /srv, in a mount namespace that ends with this test, whatever becomes of it.
 */
static bool
be_alice_at_home(void)
{
	if (!have("fusermount3") || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !share_dev_fuse() || !name_alice() ||
	    mount(".", "/srv", NULL, MS_BIND, NULL) < 0)
		return false;
	allowed(chdir("/srv"));
	run(0, "rm -rf store && chown -R 1001:1001 .");
	as(ALICE);
	run(0, "trailctl init --origin example.org/alice store");
	return true;
}

#define AT_HOME                         \
	skip_unless(be_alice_at_home(), \
	    "no fusermount3, or no mount namespace of our own")

START_TEST(a_user_records_without_root)
{
	AT_HOME;
	run(0, MOUNT);
	run(0,
	    "mkdir -p " A " && seq 30000 >src && cp -p src " A "/f && "
	    "echo draft >" A "/x.tmp && trailctl sync mnt && cmp src " A
	    "/f && trailctl show " A "/f | grep '^state *sealed'");
	says(run(1, "rm -f " A "/f"), "Operation not permitted");
	says(run(2, "echo more >>" A "/f"), "Operation not permitted");
	run(0, "rm " A "/x.tmp && chmod a-w " A);
	says(run(0, "trailctl log --json mnt"),
	    "\"uid\":1001,\"user\":\"alice\"}");
	says(run(0, "grep ' /srv/mnt ' /proc/self/mountinfo"),
	    "user_id=1001,group_id=1001,default_permissions");
	as(0);
	refused(EACCES, try_open("mnt", O_RDONLY | O_DIRECTORY));
	as(ALICE);
	run(0, "fusermount3 -u mnt && " LET_GO);
	run(0, "trailctl verify store");
	says(run(0, "trailctl log store | head -n 1"), "ledger.closed");
}
END_TEST

/* The daemon's pid is in status.json. */
#define KILL(sig)                                                \
	"kill -" sig " $(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' " \
	"mnt/.trailfs/status.json)"

/* With user_allow_other in fuse.conf others may enter, and owner and mode decide.
 * Her daemon is in the sandbox, too. */
START_TEST(a_user_lets_others_in)
{
	AT_HOME;
	as(0);
	run(0, "echo user_allow_other >fuse.conf");
	allowed(mount("fuse.conf", "/etc/fuse.conf", NULL, MS_BIND, NULL));
	as(ALICE);
	run(0, MOUNT ",allow_other");
	run(0,
	    "mkdir -p " A " && chmod 755 mnt/t " W " " A " && "
	    "echo x >" A "/f && trailctl sync mnt");
	as(BOB);
	run(0, "grep -x x " A "/f");
	says(run(2, "echo y >" A "/g"), "ermission denied");
	as(0);
	run(0, "trailctl show " A "/f | grep '^state *sealed'");
	if (FAULTS_WORK)
		run(0,
		    "pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' "
		    "mnt/.trailfs/status.json)\n"
		    "for line in 'Uid:.1001.*' 'CapEff:.0+' 'CapPrm:.0+' "
		    "'NoNewPrivs:.1' 'Seccomp:.2'; do\n"
		    "	grep -Ex \"$line\" /proc/$pid/status || exit 1\n"
		    "done");
	as(ALICE);
	run(0, "fusermount3 -u mnt && " LET_GO);
	run(0, "trailctl verify store");
}
END_TEST

/* Her kernel reads nothing for her: only root may ask it to. */
START_TEST(a_long_file_of_a_user_is_read_through_us)
{
	AT_HOME;
	run(0, MOUNT);
	run(0,
	    "mkdir -p " A " && head -c 9M /dev/urandom >src && cp src " A
	    "/f && trailctl sync mnt && cmp src " A "/f && cmp src " A "/f");
	run(0, "fusermount3 -u mnt && " LET_GO);
	run(0, "trailctl verify store");
}
END_TEST

/* Another program of hers reads neither its memory nor its environment, and gets
 * no core of it: there are keys in it. */
START_TEST(the_memory_of_the_daemon_is_closed_to_its_user)
{
	skip_unless(FAULTS_WORK, "a sanitizer looks at the memory");
	AT_HOME;
	run(0, MOUNT);
	run(0,
	    "pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' "
	    "mnt/.trailfs/status.json)\n"
	    "grep -E '^Uid:.1001.1001' /proc/$pid/status || exit 1\n"
	    "[ $(stat -c %%u /proc/$pid/environ) = 0 ] || exit 1\n"
	    "for f in environ mem maps auxv; do\n"
	    "	! head -c 1 /proc/$pid/$f >read 2>&1 || exit 1\n"
	    "	grep -q 'ermission denied' read || exit 1\n"
	    "done\n"
	    "grep -E '^Max core file size +0 +0 ' /proc/$pid/limits || exit 1\n"
	    "grep -x 'Umask:.0077' /proc/$pid/status");
	run(0, "fusermount3 -u mnt && " LET_GO);
}
END_TEST

/* Nor of a trailctl that has read the keys of a store.  What it runs is as it was,
 * and in a mount it is an ordinary program. */
START_TEST(the_memory_of_trailctl_is_closed_to_its_user)
{
	skip_unless(FAULTS_WORK, "a sanitizer looks at the memory");
	AT_HOME;
	run(0, MOUNT);
	run(0,
	    "mkdir -p mnt/t/w && trailctl run mnt/t/w/a -- "
	    "sh -c 'head -c 1 /proc/$PPID/environ' && fusermount3 -u mnt && " LET_GO);
	says(run(1,
		 "trailctl run store/t/w/b -- sh -c "
		 "'head -c 1 /proc/self/environ && head -c 1 "
		 "/proc/$PPID/environ'"),
	    "ermission denied");
	/* It can still name its own files by /proc/self. */
	run(0,
	    "trailctl package -o p.zip store/t/w && [ -s p.zip ] && "
	    "trailctl verify store");
}
END_TEST

START_TEST(a_signal_unmounts_through_fusermount)
{
	AT_HOME;
	run(0, MOUNT);
	run(0, "mkdir -p " A " && echo x >" A "/f");
	run(0, KILL("TERM") " && " LET_GO);
	run(1, "grep ' /srv/mnt ' /proc/self/mountinfo");
	says(run(0, "trailctl log --json store | tail -n 1"),
	    "\"reason\":\"signal\"");
	run(0, "trailctl verify store");
}
END_TEST

START_TEST(a_dead_mount_of_a_user_is_taken_off_at_the_next_start)
{
	AT_HOME;
	run(0, MOUNT);
	run(0, "mkdir -p " A " && echo x >" A "/f");
	run(0, KILL("KILL") " && " LET_GO);
	says(run(1, "cat " A "/f"), "not connected");
	run(0, MOUNT);
	run(0, "trailctl sync mnt && grep -x x " A "/f");
	run(0, "fusermount3 -u mnt && " LET_GO);
	run(0, "trailctl verify store");
}
END_TEST

START_TEST(refusals_for_a_user_are_clear)
{
	AT_HOME;
	as(0);
	run(0, "mkdir roots && chmod 755 roots");
	as(ALICE);
	says(run(1, "timeout -k 1 20 trailfs store roots"), "roots");
	if (strcmp(run_any("grep -q ^user_allow_other /etc/fuse.conf"), "0") !=
	    0)
		says(run(1, MOUNT ",allow_other"), "allow_other");
	run(0, "chmod 000 store/keys/log.pem");
	says(run(1, MOUNT), "log.pem");
	run(0, "chmod 400 store/keys/log.pem && chmod 000 store");
	says(run(1, MOUNT), "ermission denied");
	as(0);
	run(0, "chmod 700 store && chown -R 0:0 store");
	as(ALICE);
	says(run(1, MOUNT), "ermission denied");
}
END_TEST

Suite *
suite_user(void)
{
	Suite *s = suite_create("user");
	TCase *t = stored_case(s, "user");

	tcase_add_test(t, a_user_records_without_root);
	tcase_add_test(t, a_user_lets_others_in);
	tcase_add_test(t, a_long_file_of_a_user_is_read_through_us);
	tcase_add_test(t, the_memory_of_the_daemon_is_closed_to_its_user);
	tcase_add_test(t, the_memory_of_trailctl_is_closed_to_its_user);
	tcase_add_test(t, a_signal_unmounts_through_fusermount);
	tcase_add_test(t,
	    a_dead_mount_of_a_user_is_taken_off_at_the_next_start);
	tcase_add_test(t, refusals_for_a_user_are_clear);
	return s;
}
