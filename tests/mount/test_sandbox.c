/*
 * What the daemon gives up.  The sandbox is the daemon's own (fs/sandbox.h): a
 * process of the test enters it in the same way and then tries what an attacker
 * would try who has taken over the daemon.  And the real daemon and its helpers
 * are looked at from outside.
 */
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "attempts.h"
#include "core/base/file.h"
#include "core/sign/fence.h"
#include "core/signer.h"
#include "fs/sandbox.h"
#include "harness.h"

#define NO_SANDBOX 100 /* an exit status of a child; or DONE, or errno */

/* --- processes in the sandbox ------------------------------------------------- */

static struct tf_sandbox got;

/* In a child: become what a daemon on this store is. */
static bool
enter(void)
{
	struct tf_error err = { 0 };
	struct fs_user user;

	if (fs_sandbox_user(targets.store, NULL, &user, &err) == TF_OK &&
	    fs_sandbox_become(&user, &err) == TF_OK &&
	    fs_sandbox_enter(targets.store, false, &got, &err) == TF_OK)
		return got.landlock >= 6 && got.seccomp;
	fprintf(stderr, "no sandbox: %s\n", err.text);
	return false;
}

/* In a child: become what the signer of this store is. */
static bool
enter_signer(void)
{
	struct tf_error err = { 0 };
	unsigned state = 0;
	struct stat st;

	targets.keysfd = open("keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fstat(targets.keysfd, &st) == 0 &&
	    tf_signer_drop_rights(st.st_uid, st.st_gid) &&
	    tf_signer_fence(targets.keysfd, &state, &err) == TF_OK)
		return (state & TF_FENCE_LANDLOCK) >= 6 &&
		    (state & TF_FENCE_SECCOMP) != 0;
	fprintf(stderr, "no fence: %s\n", err.text);
	return false;
}

/* In a child: become what the follower is whose copies are in the store's directory. */
static bool
enter_follower(void)
{
	static const char *const uri[2] = { "postgresql://localhost/x?"
					    "sslrootcert=%2Fnowhere%2Fx.pem",
		"s3://bucket/prefix?credentials=/nowhere/file" };
	struct tf_error err = { 0 };
	struct fs_user user;

	if (fs_sandbox_user(targets.store, NULL, &user, &err) == TF_OK &&
	    fs_sandbox_become(&user, &err) == TF_OK &&
	    fs_sandbox_follower(targets.store, uri, &got, &err) == TF_OK)
		return got.landlock >= 6 && got.seccomp;
	fprintf(stderr, "no sandbox: %s\n", err.text);
	return false;
}

static const struct attempt *now;
static bool (*enter_now)(void) = enter;

static int
attempt(void)
{
	return enter_now() ? now->try() : NO_SANDBOX;
}

/* The kernel of this machine can do all of it, and so can this build. */
static bool
can_enter(void)
{
	now = needs_of_daemon.all;
	return child_ended(in_child(attempt)) == DONE;
}

/* Let other users reach the directory of this test. */
static void
let_through(void)
{
	run(0,
	    "d=$PWD; while [ $d != /tmp ] && [ $d != / ]; do "
	    "chmod a+x $d; d=$(dirname $d); done");
}

static void
give_store(uid_t uid)
{
	ck_assert_ptr_nonnull(realpath("store", targets.store));
	run(0,
	    "cp -a store/keys keys && "
	    "echo \"keys = $PWD/keys\" >>store/config && "
	    "chown -R %u:%u store keys && echo secret >beside && "
	    "chmod 0666 beside",
	    (unsigned)uid, (unsigned)uid);
	ck_assert_ptr_nonnull(realpath("keys/log.pem", targets.key));
	ck_assert_ptr_nonnull(realpath("beside", targets.beside));
	let_through();
}

/* An abstract socket that answers, if it is let. */
static void
open_abstract_socket(void)
{
	static const char name[] = "\0trailfs-sandbox-test";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, name, sizeof name - 1);
	allowed(bind(fd, (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof name -
		1)));
}

static void
try_all(const struct attempts *these, bool root)
{
	char wrong[4096] = "";
	int is;

	for (now = these->all; now < these->all + these->n; now++) {
		if (root && now->not_root)
			continue;
		is = child_ended(in_child(attempt));
		if (is != now->want)
			snprintf(wrong + strlen(wrong),
			    sizeof wrong - strlen(wrong), "%s: %s, not %s\n",
			    now->name, errno_name(is), errno_name(now->want));
	}
	ck_assert_str_eq("", wrong);
}

#define OWNERS 2
static const uid_t owners[OWNERS] = { 0, ALICE };

/* Loop test: stores of root and of another user. */
START_TEST(who_takes_over_the_daemon_can_do_nothing_else)
{
	give_store(owners[_i]);
	skip_unless(can_enter(), "no Landlock 6, no seccomp, or a sanitizer");
	open_abstract_socket();
	try_all(&attempts_of_daemon, owners[_i] == 0);
}
END_TEST

START_TEST(the_sandbox_leaves_what_the_daemon_needs)
{
	give_store(owners[_i]);
	skip_unless(can_enter(), "no Landlock 6, no seccomp, or a sanitizer");
	try_all(&needs_of_daemon, owners[_i] == 0);
}
END_TEST

/* Loop test: who sends the signer what takes it over gets no more than signatures
 * and the keys. */
START_TEST(who_takes_over_the_signer_can_do_nothing_else)
{
	give_store(owners[_i]);
	skip_unless(can_enter(), "no Landlock 6, no seccomp, or a sanitizer");
	enter_now = enter_signer;
	try_all(&attempts_of_signer, owners[_i] == 0);
	try_all(&needs_of_signer, owners[_i] == 0);
}
END_TEST

/* Loop test: what members of an organisation have written is read by a process that can
 * do nothing but fetch. */
START_TEST(who_takes_over_the_follower_can_do_nothing_else)
{
	give_store(owners[_i]);
	skip_unless(can_enter(), "no Landlock 6, no seccomp, or a sanitizer");
	open_abstract_socket();
	enter_now = enter_follower;
	try_all(&attempts_of_follower, owners[_i] == 0);
	try_all(&needs_of_follower, owners[_i] == 0);
}
END_TEST

/* The daemon cannot use /tmp.  So where a file system has no files without names,
 * as trailfs, its temporary files are in the given directory all the same. */
START_TEST(temporary_files_stay_in_their_directory)
{
	char link[64], path[4200] = "";
	int dirfd, fd;

	mount_vault("settle=60");
	make_attestation();
	dirfd = open(A, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	refused(EOPNOTSUPP, openat(dirfd, ".", O_TMPFILE | O_RDWR, 0600));
	ck_assert_int_eq(TF_OK, tf_file_scratch(dirfd, &fd, NULL));
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ck_assert_int_gt(readlink(link, path, sizeof path - 1), 0);
	says(path, "/mnt/t/w/a/");
	allowed(pwrite(fd, "text", 4, 0));
	close(fd);
	close(dirfd);
	ck_assert_str_eq("", run(0, "ls -A " A));
	unmount_vault();
}
END_TEST

/* --- the real daemon ---------------------------------------------------------- */

/* Fails, and prints it, if a line of /proc/$1/status is not there. */
#define STATUS                                                     \
	"has() { grep -Eqx \"$2\" /proc/$1/status || "             \
	"{ cat /proc/$1/status; echo \"no $2\"; exit 1; }; }\n"    \
	"child() { for c in $(cat /proc/$1/task/$1/children); do " \
	"[ \"$(cat /proc/$c/comm)\" != $2 ] || echo $c; done; }\n"

/* Loop test. */
START_TEST(daemon_and_helpers_have_what_they_need_and_no_more)
{
	const unsigned uid = owners[_i];

	give_store(uid);
	skip_unless(can_enter(), "no Landlock 6, no seccomp, or a sanitizer");
	mount_vault("settle=0");
	run(0,
	    STATUS
	    "p=%d; for f in Prm Eff Bnd Inh Amb; do "
	    "has $p \"Cap$f:.0+\"; done\n"
	    "has $p 'Uid:.%u.%u.%u.%u'; has $p 'NoNewPrivs:.1'\n"
	    "has $p 'Seccomp:.2'; has $p 'Groups:[[:space:]]*'\n"
	    "m=$(child $p trailfs-mounter) k=$(child $p trailfs-broker)\n"
	    "d=$(child $p trailfs-pages)\n"
	    "for h in $m $k $d; do has $h 'Seccomp:.2'; "
	    "has $h 'NoNewPrivs:.1'; done\n"
	    /* CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_ADMIN. */
	    "for f in Prm Eff Bnd; do has $m \"Cap$f:.0+200004\"; "
	    "has $k \"Cap$f:.0+280000\"; "
	    "for h in $d; do has $h \"Cap$f:.0+4\"; done; done",
	    (int)vault_pid(), uid, uid, uid, uid);
	/* The signer has less, and nobody of its user sees its memory. */
	run(0,
	    STATUS
	    "s=$(child %d trailfs-sigsup); k=$(child $s trailfs-signer)\n"
	    /* CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP, and where root has it,
	    * CAP_SYS_RESOURCE. */
	    "for f in Prm Eff Bnd; do has $s \"Cap$f:.0+(1000)?1e0\"; done\n"
	    "has $s 'NoNewPrivs:.1'\n"
	    "for f in Prm Eff Bnd Inh Amb; do has $k \"Cap$f:.0+\"; done\n"
	    "has $k 'Uid:.%u.%u.%u.%u'; has $k 'NoNewPrivs:.1'\n"
	    "has $k 'Seccomp:.2'; has $k 'Groups:[[:space:]]*'\n"
	    "has $k 'Threads:.1'\n"
	    "grep -Ex 'Max core file size +0 +0 .*' /proc/$k/limits || "
	    "exit 1\n"
	    "grep -E '^VmLck:.* [1-9][0-9]* kB' /proc/$k/status || exit 1\n"
	    "as=\"setpriv --reuid %u --regid %u --clear-groups "
	    "--bounding-set=-all --inh-caps=-all\"\n"
	    "$as cat /proc/self/maps >maps && ! $as cat /proc/$k/maps",
	    (int)vault_pid(), uid, uid, uid, uid, uid, uid);
	says(content("mnt/.trailfs/status.json", NULL), "\"seccomp\":true");
	run(0,
	    "jq -e '.sandbox.signer | .landlock >= 6 and .seccomp and .memory'"
	    " mnt/.trailfs/status.json && "
	    "grep -x 'trailfs_sandbox_signer_seccomp{.*} 1' "
	    "mnt/.trailfs/metrics && trailctl status mnt | "
	    "grep -E '^sandbox .*signer'");
	unmount_vault();
}
END_TEST

/* Loop test: the capabilities that the unit of systemd leaves are enough to give up
 * all of them. */
START_TEST(the_unit_lets_everything_be_given_up)
{
	const unsigned uid = owners[_i];

	give_store(uid);
	skip_unless(can_enter(), "no Landlock 6, no seccomp, or a sanitizer");
	run(0,
	    STATUS
	    "u='%s/../../tools/systemd/trailfs@.service' b=-all\n"
	    "for c in $(sed -n '/^CapabilityBoundingSet=/,/[^\\]$/{"
	    "s/.*=//; s/\\\\//; p}' \"$u\" | tr A-Z a-z); do "
	    "case $c in cap_*) b=$b,+${c#cap_} ;; *) exit 9 ;; esac; done\n"
	    "echo $b; grep -qx NoNewPrivileges=yes \"$u\" || exit 8\n"
	    "setpriv --no-new-privs --bounding-set $b "
	    "trailfs -f -o settle=0 store mnt >log 2>&1 & p=$!\n"
	    "until mountpoint -q mnt; do kill -0 $p || { cat log; exit 7; }; "
	    "sleep 0.05; done\n"
	    "s=$(child $p trailfs-sigsup) k=$(child $s trailfs-signer)\n"
	    "m=$(child $p trailfs-mounter) o=$(child $p trailfs-broker)\n"
	    "( for d in $p $k; do for f in Prm Eff Bnd Inh Amb; do "
	    "has $d \"Cap$f:.0+\"; done; has $d 'NoNewPrivs:.1'; "
	    "has $d 'Seccomp:.2'; has $d 'Groups:[[:space:]]*'; "
	    "has $d 'Uid:.%u.%u.%u.%u'; done\n"
	    "for f in Prm Eff Bnd; do has $m \"Cap$f:.0+200004\"; "
	    "has $o \"Cap$f:.0+280000\"; done )\n"
	    "r=$?; mkdir mnt/t && umount mnt && wait $p && exit $r",
	    TF_VECTORS, uid, uid, uid, uid);
	verify(0);
}
END_TEST

/* --- keys in the store, of root ------------------------------------------------ */

/* Loop test: keys/ of root in a store of another user, with public halves that the
 * daemon can read, and without. */
START_TEST(keys_of_root_in_a_store_of_a_user_are_of_the_signer_alone)
{
	static const char *const modes[] = { "0711", "0700" };

	give_store(ALICE);
	run(0,
	    "sed -i '/^keys/d' store/config && chown -R 0:0 store/keys && "
	    "chmod %s store/keys && "
	    "chmod 0444 store/keys/*.pub.pem store/keys/log.vkey",
	    modes[_i]);
	mount_vault("settle=0");
	make_attestation();
	put_sealed(A "/f", "text");
	says_not(content("log", NULL), "open to others");
	skip_unless(can_enter(), "no Landlock 6, no seccomp, or a sanitizer");
	try_all(&attempts_on_keys, false);
	unmount_vault();
	verify(0);
	run(0,
	    "trailctl key rotate log store >new.vkey && "
	    "cmp new.vkey store/keys/log.vkey && "
	    "test $(stat -c %%u%%a store/keys) = 0%s",
	    modes[_i] + 1);
	mount_vault("settle=0");
	allowed(mkdir("mnt/t/w/b", 0755));
	put_sealed("mnt/t/w/b/f", "text");
	unmount_vault();
	verify(0);
}
END_TEST

/* Loop test.  What needs privileges goes on working, and what root makes beside
 * the daemon belongs to the owner of the store. */
START_TEST(a_store_of_another_user_is_served)
{
	const struct passwd *pw;
	const char *e;

	give_store(ALICE);
	run(0,
	    "printf x >one && trailctl trail create store/t && "
	    "trailctl attest --begin store/t/w/before one");
	ck_assert_str_eq("", run(0, "find store ! -user 1001"));
	mount_vault("settle=0");
	run(0, "mkdir " A);
	put_sealed(A "/f", "text");
	e = entry("evidence.sealed", "t/w/a/f");
	says(e, "\"exe\":\"");
	says(e, "\"uid\":0");
	pw = getpwuid(ALICE); /* a machine may have such a user */
	says(run(0, "trailctl status mnt"), pw != NULL ? pw->pw_name : "1001");
	unmount_vault();
	ck_assert_str_eq("", run(0, "find store ! -user 1001"));
	verify(0);
	run(0,
	    "umount mnt 2>/dev/null; trailctl attest --begin store/t/v/after one");
	ck_assert_str_eq("", run(0, "find store ! -user 1001"));
}
END_TEST

START_TEST(another_owner_than_expected_is_refused)
{
	static const char *const forms[] = { "user=daemon", "setuid=daemon" };

	for (size_t i = 0; i < LEN(forms); i++) {
		start_vault(forms[i]);
		ck_assert_int_eq(1, vault_ended());
		says(content("log", NULL),
		    "the store belongs to root, not to daemon: chown -R "
		    "daemon: STORE");
	}
	start_vault("user=nobody-of-this-name");
	ck_assert_int_eq(1, vault_ended());
	says(content("log", NULL), "there is no user nobody-of-this-name");
	/* What fstab says of who may mount is no user of ours. */
	mount_vault("user,user=root,setuid=root,settle=0");
	unmount_vault();
	give_store(ALICE);
	/* A user without a name has no other group. */
	run(0, "chown -R 64017 keys && chown -R 64017:0 store");
	start_vault("settle=0");
	ck_assert_int_eq(1, vault_ended());
	says(content("log", NULL), "the group of root");
}
END_TEST

/* Lines of fstab that name the user, by mount(8) itself. */
START_TEST(a_line_of_fstab_names_the_user)
{
	static const char *const lines[] = { "user=root", "setuid=root",
		"user,noauto,nofail", "defaults" };

	/* mount(8) looks for its helpers in /sbin only. */
	run(0,
	    "touch fstab && mkdir -p over/up over/work && "
	    "ln -s $(command -v trailfs) over/up/mount.fuse.trailfs");
	skip_unless(unshare(CLONE_NEWNS) == 0 &&
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("sbin", "/sbin", "overlay", 0,
		    "lowerdir=/sbin,upperdir=over/up,workdir=over/work") == 0,
	    "no mount namespace of our own, or no overlay");
	allowed(mount("fstab", "/etc/fstab", NULL, MS_BIND, NULL));
	for (size_t i = 0; i < LEN(lines); i++) {
		run(0,
		    "echo $PWD/store $PWD/mnt fuse.trailfs %s 0 0 >fstab && "
		    "timeout 60 mount $PWD/mnt && "
		    "trailctl status mnt | grep -E '^sandbox .*root' && "
		    "umount $PWD/mnt && timeout 20 flock store/lock true",
		    lines[i]);
	}
	says(run_any("echo $PWD/store $PWD/mnt fuse.trailfs setuid=daemon 0 0 "
		     ">fstab; timeout 60 mount $PWD/mnt >said 2>&1"),
	    "1");
	says(content("said", NULL), "chown -R daemon: STORE");
}
END_TEST

/* The broker may be killed; evidence is recorded without the hint. */
START_TEST(the_daemon_goes_on_without_its_broker)
{
	mount_vault("settle=0");
	make_attestation();
	run(0, STATUS "kill -9 $(child %d trailfs-broker)", (int)vault_pid());
	put_sealed(A "/f", "text");
	says_not(entry("evidence.sealed", "t/w/a/f"), "\"exe\"");
	says(content("log", NULL), "the broker does not answer");
	unmount_vault();
	verify(0);
}
END_TEST

/* Without its mounter the daemon ends all the same, and the next start cleans
 * up. */
START_TEST(the_daemon_ends_without_its_mounter)
{
	mount_vault("settle=0");
	run(0, STATUS "kill -9 $(child %d trailfs-mounter)", (int)vault_pid());
	allowed(kill(vault_pid(), SIGTERM));
	ck_assert_int_eq(0, vault_ended());
	refused(ENOTCONN, access("mnt", F_OK));
	mount_vault("settle=0");
	unmount_vault();
	verify(0);
}
END_TEST

Suite *
suite_sandbox(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = stored_case(s, "sandbox");

	tcase_add_loop_test(t, who_takes_over_the_daemon_can_do_nothing_else, 0,
	    OWNERS);
	tcase_add_loop_test(t, the_sandbox_leaves_what_the_daemon_needs, 0,
	    OWNERS);
	tcase_add_loop_test(t, who_takes_over_the_signer_can_do_nothing_else, 0,
	    OWNERS);
	tcase_add_loop_test(t, who_takes_over_the_follower_can_do_nothing_else,
	    0, OWNERS);
	tcase_add_test(t, temporary_files_stay_in_their_directory);
	tcase_add_loop_test(t,
	    daemon_and_helpers_have_what_they_need_and_no_more, 0, OWNERS);
	tcase_add_loop_test(t, the_unit_lets_everything_be_given_up, 0, OWNERS);
	tcase_add_loop_test(t,
	    keys_of_root_in_a_store_of_a_user_are_of_the_signer_alone, 0, 2);
	tcase_add_test(t, a_store_of_another_user_is_served);
	tcase_add_test(t, another_owner_than_expected_is_refused);
	tcase_add_test(t, a_line_of_fstab_names_the_user);
	tcase_add_test(t, the_daemon_goes_on_without_its_broker);
	tcase_add_test(t, the_daemon_ends_without_its_mounter);
	return s;
}
