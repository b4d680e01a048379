/*
 * The daemon as a process: what it takes from who starts it, and what others of
 * its user may do to it.
 */
#include "harness.h"

/* Prints the pid of the daemon behind mnt. */
#define PID                                            \
	"pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' " \
	"mnt/.trailfs/status.json)\n"

/* Fails, and prints it, if a line of file of the process is not there. */
#define HAS(file, line) "grep -Ex '" line "' /proc/$pid/" file " || exit 1\n"

/* As careless a start as it can be. */
#define CARELESS                                                           \
	"echo secret >secret\n"                                            \
	"(umask 0; ulimit -c unlimited; ulimit -n 512; ulimit -S -n 256\n" \
	"exec 7<secret 9>>secret; exec timeout -k 1 60 trailfs "

#define TIDY                                                  \
	HAS("status", "Umask:.0077")                          \
	HAS("limits", "Max open files +512 +512 .*")          \
	"! ls -l /proc/$pid/fd | grep secret || exit 1\n"     \
	"for fd in /proc/$pid/fd/*; do\n"                     \
	"	n=${fd##*/}; flags=$(sed -n 's/^flags:.//p' "       \
	"/proc/$pid/fdinfo/$n) || continue\n"                 \
	"	[ $n -le 2 ] || [ $((flags & 02000000)) != 0 ] || " \
	"{ ls -l $fd; exit 1; }\n"                            \
	"done\n"

START_TEST(a_daemon_takes_nothing_from_who_starts_it)
{
	run(0, "%s",
	    CARELESS "store mnt -o settle=0) &&\n" PID TIDY
		     "[ \"$(readlink /proc/$pid/cwd)\" = / ] || exit 1\n"
		     "for n in 0 1 2; do [ \"$(readlink /proc/$pid/fd/$n)\" = "
		     "/dev/null ] || exit 1; done");
	/* Root mounts by itself, so no program can give it more. */
	run(0, PID HAS("status", "NoNewPrivs:.1"));
	run(0, PID HAS("limits", "Max core file size +0 +0 .*"));
	run(0, "umount mnt && timeout 20 flock store/lock true");
	/* What it created is its own. */
	run(1, "find store -perm /077 | grep .");
	verify(0);
}
END_TEST

Suite *
suite_process(void)
{
	Suite *s = suite_create("process");
	TCase *t = stored_case(s, "process");

	tcase_add_test(t, a_daemon_takes_nothing_from_who_starts_it);
	return s;
}
