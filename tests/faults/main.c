/*
 * test-faults                     run the short version of all rigs
 * test-faults RIG [CYCLES [SEED]] run one rig; 0 cycles: as many as there are
 *
 * The seed is printed first; with it the same cycles can be run again.  A rig
 * ends at the first broken promise, or after its cycles, and prints one line.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <unistd.h>

#include "rigs.h"
#include "tests/mount/harness.h"

/* clang-format off */
static const struct rig rigs[] = {
	{ "kill", rig_kill, 90, .does = "kill -9 at any time" },
	{ "power", rig_power, 60, .disks = DISKS_EXT4,
	  .does = "power cuts at any time, ext4 and xfs, two disks" },
	{ "points", rig_each_call, 40, .kind = FAULT_KILL, .calls = CALL_DISK,
	  .does = "kill -9 at each call in order" },
	{ "recovery", rig_recovery, 25, .kind = FAULT_KILL,
	  .calls = CALL_DISK,
	  .does = "kill -9 at each call of a recovery" },
	{ "cuts", rig_each_call, 40, .disks = DISKS_EXT4, .kind = FAULT_CUT,
	  .calls = CALL_SYNC | CALL_NAME,
	  .does = "a power cut at each fsync and rename, ext4 and xfs" },
	{ "eio", rig_each_call, 25, .kind = FAULT_ERROR, .sys = EIO,
	  .calls = CALL_DISK | CALL_CREATE, .does = "EIO once" },
	{ "eio-stays", rig_each_call, 15, .kind = FAULT_ERROR, .sys = EIO,
	  .calls = CALL_DISK | CALL_CREATE, .stays = true,
	  .does = "EIO from then on" },
	{ "full", rig_each_call, 15, .kind = FAULT_ERROR, .sys = ENOSPC,
	  .calls = CALL_DISK | CALL_CREATE, .does = "ENOSPC once" },
	{ "full-stays", rig_each_call, 15, .kind = FAULT_ERROR, .sys = ENOSPC,
	  .calls = CALL_DISK | CALL_CREATE, .stays = true,
	  .does = "ENOSPC from then on" },
	{ "eintr", rig_each_call, 10, .kind = FAULT_ERROR, .sys = EINTR,
	  .calls = CALL_DISK | CALL_CREATE, .does = "EINTR once" },
	{ "short", rig_each_call, 10, .kind = FAULT_SHORT, .calls = CALL_WRITE,
	  .does = "a write that takes half" },
	{ "index", rig_index, 10, .kind = FAULT_ERROR, .sys = EIO,
	  .calls = CALL_DISK | CALL_CREATE, .only = "index.db",
	  .does = "EIO once for the search index" },
	{ "index-stays", rig_index, 10, .kind = FAULT_ERROR, .sys = EIO,
	  .calls = CALL_DISK | CALL_CREATE, .stays = true, .only = "index.db",
	  .does = "EIO from then on for the search index" },
	{ "index-full", rig_index, 10, .kind = FAULT_ERROR, .sys = ENOSPC,
	  .calls = CALL_DISK | CALL_CREATE, .stays = true, .only = "index.db",
	  .does = "ENOSPC from then on for the search index" },
	{ "kill-age", rig_kill, 20, .encrypts = true,
	  .does = "kill -9 at any time, encrypted" },
	{ "points-age", rig_each_call, 15, .kind = FAULT_KILL,
	  .calls = CALL_DISK, .encrypts = true,
	  .does = "kill -9 at each call in order, encrypted" },
	{ "recovery-age", rig_recovery, 10, .kind = FAULT_KILL,
	  .calls = CALL_DISK, .encrypts = true,
	  .does = "kill -9 at each call of a recovery, encrypted" },
	{ "power-age", rig_power, 10, .disks = DISKS_EXT4, .encrypts = true,
	  .does = "power cuts at any time, encrypted, and no text on disk" },
	{ "eio-age", rig_each_call, 10, .kind = FAULT_ERROR, .sys = EIO,
	  .calls = CALL_DISK | CALL_CREATE, .encrypts = true,
	  .does = "EIO once, encrypted" },
	{ "full-age", rig_each_call, 10, .kind = FAULT_ERROR, .sys = ENOSPC,
	  .calls = CALL_DISK | CALL_CREATE, .encrypts = true,
	  .does = "ENOSPC once, encrypted" },
	{ "memory", rig_each_call, 25, .kind = FAULT_ERROR, .sys = ENOMEM,
	  .calls = CALL_MEMORY, .does = "malloc fails once" },
	{ "buffer", rig_each_call, 10, .kind = FAULT_ERROR, .sys = ENOMEM,
	  .calls = CALL_BUFFER, .does = "malloc of a request's buffer fails" },
	{ "device", rig_each_call, 10, .kind = FAULT_ERROR, .sys = EIO,
	  .calls = CALL_READ, .only = "/dev/fuse",
	  .does = "EIO once for a read of requests" },
};
/* clang-format on */

static int n_args;
static char **args;

static const char *
cannot(const struct rig *rig)
{
	if (geteuid() != 0)
		return "only root may mount";
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		return "no /dev/fuse";
	if (!have("sqlite3"))
		return "no sqlite3";
	if (rig->encrypts && !have("age"))
		return "no age";
	if (!FAULTS_WORK && rig->calls != 0)
		return "a sanitizer wants to be loaded before the shim";
	if (rig->disks == DISKS_NONE)
		return NULL;
	if (access("/dev/loop-control", R_OK | W_OK) < 0)
		return "no loop devices";
	return have("mkfs.ext4") && have("mkfs.xfs") ?
	    NULL :
	    "no mkfs.ext4 or mkfs.xfs";
}

static bool
run_rig(const struct rig *rig, unsigned cycles, uint64_t seed)
{
	int64_t begin = now_us();
	unsigned n;

	if (cannot(rig) != NULL) {
		printf("SKIP %s: %s\n", rig->name, cannot(rig));
		return true;
	}
	reds = 0;
	acks = grown = doubts = 0;
	world_encrypts = rig->encrypts;
	n = rig->run(rig, cycles, seed);
	printf("%s %s: %s: %u cycles, %lu acknowledgements, %lu of growing "
	       "files, %lu in doubt, %lld s, SEED=%llu\n",
	    reds == 0 ? "GREEN" : "RED", rig->name, rig->does, n, acks, grown,
	    doubts, (long long)(now_us() - begin) / 1000000,
	    (unsigned long long)seed);
	fflush(stdout);
	if (reds > 0 && getenv("FAULTS_KEEP") != NULL)
		(void)shell("vault=$(mktemp -d \"$FAULTS_KEEP/XXXXXX\") &&"
			    " cp -rL store acks seen vkey log said \"$vault\"");
	world_end();
	return reds == 0;
}

static uint64_t
random_seed(void)
{
	uint32_t seed = 0;

	(void)!getrandom(&seed, sizeof seed, 0);
	return seed;
}

static int
run_short(void)
{
	uint64_t seed = random_seed();
	unsigned failed = 0, n = LEN(rigs);

	printf("SEED=%llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < n; i++)
		failed += !run_rig(&rigs[i], rigs[i].cycles, seed);
	printf("%u%%: Checks: %u, Failures: %u, Errors: 0\n",
	    (n - failed) * 100 / n, n, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run_one(void)
{
	unsigned cycles;
	uint64_t seed;

	for (size_t i = 0; i < LEN(rigs); i++) {
		if (strcmp(args[1], rigs[i].name) != 0)
			continue;
		cycles = n_args > 2 ? (unsigned)strtoul(args[2], NULL, 10) :
				      rigs[i].cycles;
		seed = n_args > 3 ? strtoull(args[3], NULL, 10) : random_seed();
		printf("SEED=%llu\n", (unsigned long long)seed);
		fflush(stdout);
		return run_rig(&rigs[i], cycles, seed) ? EXIT_SUCCESS :
							 EXIT_FAILURE;
	}
	fprintf(stderr, "usage: test-faults [RIG [CYCLES [SEED]]], RIG:\n");
	for (size_t i = 0; i < LEN(rigs); i++)
		fprintf(stderr, "  %-10s %s\n", rigs[i].name, rigs[i].does);
	return 2;
}

/* Unmount our copies of other FUSE mounts, which would keep them alive. */
static void
leave_other_mounts(void)
{
	FILE *f = setmntent("/proc/self/mounts", "r");
	struct mntent *m;

	if (f == NULL)
		die("/proc/self/mounts");
	while ((m = getmntent(f)) != NULL)
		if (strncmp(m->mnt_type, "fuse", 4) == 0)
			(void)umount2(m->mnt_dir, MNT_DETACH);
	(void)endmntent(f);
}

static int
run_all(void)
{
	/*
	 * Work in memory: no rig needs a real disk to lose data, and other
	 * programs cannot slow memory down.  Work in a mount namespace of our
	 * own: a copy of a mount in another namespace would keep a file system
	 * alive that we have unmounted.
	 */
	if (geteuid() == 0 &&
	    (unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", run_directory(), "tmpfs", 0, "mode=755") < 0))
		die("tmpfs");
	if (geteuid() == 0)
		leave_other_mounts();
	if (chdir(run_directory()) < 0)
		die("chdir");
	return n_args > 1 ? run_one() : run_short();
}

int
main(int argc, char **argv)
{
	n_args = argc;
	args = argv;
	return run_guarded(run_all);
}
