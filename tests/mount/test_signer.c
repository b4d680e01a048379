/*
 * The signer as a process of its own: it alone has the keys, it may end or stop at
 * any time, and it ends with the daemon.
 */
#include <sys/wait.h>

#include "harness.h"

/* Shell: the daemon d with its helpers.  The supervisor is the child of the daemon, the signer its
 * child, k. */
#define FAMILY                                       \
	"d=%d; s=$(pgrep -P $d -x trailfs-sigsup); " \
	"k=$(pgrep -P $s -x trailfs-signer); "       \
	"[ -n \"$s\" ] && [ -n \"$k\" ] || exit 1; "

/* What holds the keys has no rights and shows nothing of its memory. */
START_TEST(only_the_signer_has_the_keys)
{
	static const char search[] =
	    "import re, sys, base64\n"
	    "pem = open('store/keys/log.pem').read().split('\\n')[1]\n"
	    "seed = base64.b64decode(pem)[-32:]\n"
	    "def has(pid):\n"
	    "    mem = open('/proc/%s/mem' % pid, 'rb', 0)\n"
	    "    for line in open('/proc/%s/maps' % pid):\n"
	    "        m = re.match('([0-9a-f]+)-([0-9a-f]+) r', line)\n"
	    "        if not m or 'vvar' in line or 'vsyscall' in line: continue\n"
	    "        a, b = int(m[1], 16), int(m[2], 16)\n"
	    "        try:\n"
	    "            mem.seek(a)\n"
	    "            if seed in mem.read(b - a): return True\n"
	    "        except OSError: pass\n"
	    "    return False\n"
	    "print(has(sys.argv[1]), has(sys.argv[2]), has(sys.argv[3]))\n";

	skip_unless(have("python3"), "no python3");
	put("search.py", search);
	make_attestation();
	put_sealed(A "/f", "text");
	says(run(0, FAMILY "python3 search.py $d $s $k", vault_pid()),
	    "False False True");
	run(0,
	    FAMILY
	    "grep -Ex 'CapPrm:.0+' /proc/$k/status || exit 1\n"
	    "grep -Ex 'CapEff:.0+' /proc/$k/status || exit 1\n"
	    "grep -Ex 'NoNewPrivs:.1' /proc/$k/status || exit 1\n"
	    "grep -Ex 'Max core file size +0 +0 .*' /proc/$k/limits || exit 1\n"
	    "grep -E 'VmLck:.* [1-9][0-9]* kB' /proc/$k/status",
	    vault_pid());
	/* The secret key is open in no process, nor is the store in this. */
	run(1, FAMILY "ls -l /proc/$d/fd /proc/$k/fd | grep -F .pem",
	    vault_pid());
	run(1, FAMILY "ls -l /proc/$k/fd | grep -F ledger.db", vault_pid());
}
END_TEST

static int
write_many(void)
{
	char path[64];

	for (int i = 0; i < 60; i++) {
		(void)snprintf(path, sizeof(path), "%s/d%d", A, i);
		if (mkdir(path, 0755) < 0)
			return errno;
		(void)snprintf(path, sizeof(path), "%s/d%d/f", A, i);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

		if (fd < 0 || write(fd, path, strlen(path)) < 0 ||
		    close(fd) < 0)
			return errno;
	}
	return 0;
}

START_TEST(a_signer_that_is_killed_costs_nothing)
{
	pid_t writer;

	make_attestation();
	writer = in_child(write_many);
	for (int i = 0; i < 8; i++)
		run(0,
		    FAMILY "kill -9 $k; for n in $(seq 300); do"
			   " kill -0 $k 2>&- || break; sleep 0.02;"
			   " [ \"$(sed 's/.*) //; s/ .*//' /proc/$k/stat)\""
			   " = Z ] && break; done; mkdir %s/kill%d",
		    vault_pid(), A, i);
	ck_assert_int_eq(0, child_ended(writer));
	sync_dir("mnt");
	ck_assert_uint_eq(60, entries("evidence.sealed", NULL));
	/* Each acknowledged entry has a signed checkpoint. */
	run(0,
	    "[ $(sed -n 2p mnt/.trailfs/checkpoint) = "
	    "$(wc -l <mnt/.trailfs/events.jsonl) ]");
}
END_TEST

static int
make_one(void)
{
	return mkdir("mnt/t/w/waits", 0755) < 0 ? errno : 0;
}

/* Until the status says that the signer is away. */
#define UNTIL_AWAY                                             \
	"for i in $(seq 600); do grep -q signer_away "         \
	"mnt/.trailfs/status.json && break; sleep 0.1; done; " \
	"grep -q signer_away mnt/.trailfs/status.json || exit 1; "

START_TEST(while_the_signer_is_away_readers_go_on_and_writers_wait)
{
	pid_t writer;
	int status;

	make_attestation();
	put_sealed(A "/f", "text");
	run(0, FAMILY "kill -STOP $k", vault_pid());
	writer = in_child(make_one);
	says(run(0,
		 UNTIL_AWAY "cat mnt/.trailfs/status.json "
			    "mnt/.trailfs/metrics log"),
	    "the signer is away since ");
	run(0, "grep -x 'trailfs_signer_away{.*} 1' mnt/.trailfs/metrics");
	run(0, "grep -x 'trailfs_ledger_failed{.*} 0' mnt/.trailfs/metrics");
	says(content("log", NULL), "the signer is away (it does not answer)");
	holds(A "/f", "text");
	run(0, "ls " A " && trailctl log mnt >out");
	ck_assert_int_eq(0, waitpid(writer, &status, WNOHANG));
	/* It waits in its transaction, so nothing is without a signature. */
	verify(0);
	run(0, FAMILY "kill -CONT $k", vault_pid());
	ck_assert_int_eq(0, child_ended(writer));
	ck_assert(exists("mnt/t/w/waits"));
	says_not(run(0, "cat mnt/.trailfs/status.json"), "signer_away");
	says(content("log", NULL), "the signer answers again");
	verify(0);
}
END_TEST

/* Until no process of these is there. */
#define UNTIL_GONE                                                      \
	"for i in $(seq 600); do [ -d /proc/$s ] || [ -d /proc/$k ] ||" \
	" exit 0; sleep 0.1; done; exit 1"

START_TEST(they_end_with_the_daemon)
{
	const char *ids;
	char line[100];

	ids = run(0, FAMILY "echo s=$s k=$k", vault_pid());
	(void)snprintf(line, sizeof(line), "%.80s", ids);
	line[strcspn(line, "\n")] = '\0';
	crash_vault();
	run(0, "%s; " UNTIL_GONE, line);
}
END_TEST

/* The end of a daemon whose signer is away is bounded, and loses nothing that was
 * acknowledged. */
START_TEST(an_end_does_not_wait_for_a_signer_that_is_away)
{
	pid_t writer;
	char line[100];

	make_attestation();
	put_sealed(A "/f", "text");
	(void)snprintf(line, sizeof(line), "%.80s",
	    run(0, FAMILY "kill -STOP $k; echo s=$s k=$k", vault_pid()));
	line[strcspn(line, "\n")] = '\0';
	writer = in_child(make_one);
	run(0, UNTIL_AWAY);
	kill(writer, SIGKILL); /* it is in the kernel until it is answered */
	kill(vault_pid(), SIGTERM);
	(void)vault_ended();
	(void)waitpid(writer, NULL, 0);
	run(0, "%s; " UNTIL_GONE, line);
	verify(0);
	mount_vault("settle=0");
	holds(A "/f", "text");
	verify(0);
}
END_TEST

/* A vault whose keys are with another program has none of them. */
START_TEST(a_command_signs_for_the_store)
{
	run(0,
	    "cp -a store/keys far && rm store/keys/*.pem && "
	    "cp far/*.pub.pem store/keys && "
	    "echo \"signer = exec trailfs-signer '$PWD/far'\" >>store/config");
	mount_vault("settle=0");
	make_attestation();
	put_sealed(A "/f", "text");
	run(0, "kill -9 $(pgrep -f -x \"trailfs-signer $PWD/far\")");
	put_sealed(A "/g", "text");
	unmount_vault();
	run(0, "trailctl trail create store/u && ! ls store/keys/log.pem");
	verify(0);
	run(0,
	    "trailfs-signer --make new && trailctl init --signer"
	    " \"exec trailfs-signer '$PWD/new'\" made && "
	    "! ls made/keys/*r.pem made/keys/log.pem && "
	    "trailctl trail create made/t && trailctl verify made");
	run(0, "chmod 0644 far/log.pem");
	start_vault("");
	ck_assert_int_eq(1, vault_ended());
	says(content("log", NULL), "is open to others");
}
END_TEST

/* The program, started by a user and by root: it says what is in force, belongs to
 * the owner of the keys, and shows its memory to nobody of that user. */
START_TEST(the_program_gives_up_all_but_its_keys)
{
	run(0,
	    "d=$PWD; while [ $d != /tmp ] && [ $d != / ]; do "
	    "chmod a+x $d; d=$(dirname $d); done; "
	    "trailfs-signer --make far && chown -R 1001:1001 far && "
	    "mkfifo in && chmod a+rw in");
	for (int root = 0; root < 2; root++) {
		run(0,
		    "rm -f err; %s trailfs-signer far <>in >/dev/null 2>err & p=$!\n"
		    "until grep -q '^trailfs-signer: no capabilities' err; do "
		    "kill -0 $p || { cat err; exit 1; }; sleep 0.05; done\n"
		    "for w in 'Uid:.1001.1001.1001.1001' 'NoNewPrivs:.1' "
		    "'CapPrm:.0+' 'CapEff:.0+' 'Threads:.1'; do "
		    "grep -Ex \"$w\" /proc/$p/status || r=1; done\n"
		    "grep -Ex 'Max core file size +0 +0 .*' /proc/$p/limits || "
		    "r=1\n"
		    "! setpriv --reuid 1001 --regid 1001 --clear-groups "
		    "cat /proc/$p/maps 2>&1 || r=1\n"
		    "kill $p; wait $p; cat err; exit ${r-0}",
		    root ? "exec 3>&-;" :
			   "setpriv --reuid 1001 --regid 1001 --clear-groups");
		says(content("err", NULL), "seccomp");
	}
}
END_TEST

/* All that a program in the place of the daemon can say. */
START_TEST(a_malicious_daemon_gets_no_second_history)
{
	skip_unless(have("python3"), "no python3");
	run(0, "trailfs-signer --make far");
	says(run(0,
		 "python3 '%s/../mount/malicious_daemon.py' "
		 "trailfs-signer far",
		 TF_VECTORS),
	    "all refused");
}
END_TEST

Suite *
suite_signer(void)
{
	Suite *s = suite_create("signer");
	TCase *t = mounted_case(s, "signer"), *u = stored_case(s, "stored");

	tcase_add_test(t, only_the_signer_has_the_keys);
	tcase_add_test(t, a_signer_that_is_killed_costs_nothing);
	tcase_add_test(t,
	    while_the_signer_is_away_readers_go_on_and_writers_wait);
	tcase_add_test(t, they_end_with_the_daemon);
	tcase_add_test(t, an_end_does_not_wait_for_a_signer_that_is_away);
	tcase_add_test(u, a_command_signs_for_the_store);
	tcase_add_test(u, the_program_gives_up_all_but_its_keys);
	tcase_add_test(u, a_malicious_daemon_gets_no_second_history);
	return s;
}
