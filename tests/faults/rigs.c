/*
 * Random rigs: writers work, then a kill -9 or a power cut comes at any moment.
 * Ordered rigs: the daemon is struck at the first call, in the next run at the
 * second, and so on, until a run ends without having been struck.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rigs.h"

#define ROUND 20      /* cycles of one store */
#define WORK_US 60000 /* writers work so long, at most */
#define RECOVER_US 25000

/* The errors that writers may get. */
static const int after_kill[] = { ENOTCONN, ECONNABORTED, EIO, 0 };
static const int never[] = { 0 };
static const int after_cut[] = { ENOTCONN, ECONNABORTED, EIO, EROFS, 0 };

/* Each cycle has its own random numbers, so that it can be repeated alone. */
static struct chance
chance_of(uint64_t seed, unsigned cycle)
{
	struct chance c = { seed };

	c.s = draw(&c) + cycle;
	return (struct chance){ draw(&c) };
}

static bool in_round;

static void
round_begin(const struct rig *rig, unsigned cycle)
{
	if (cycle % ROUND != 0)
		return;
	in_round = true;
	/* Use ext4 and xfs in turn. */
	world_begin(rig->disks == DISKS_NONE ? DISKS_NONE :
		rig->disks != DISKS_EXT4     ? rig->disks :
		cycle / ROUND % 2 == 0	     ? DISKS_EXT4 :
					       DISKS_XFS);
}

static void
round_end(const struct rig *rig, unsigned cycle, bool last)
{
	if (reds > 0 || !in_round || (!last && (cycle + 1) % ROUND != 0))
		return;
	in_round = false;
	/* The kernel answers EIO when a daemon dies during a request.  An EIO
	 * of the daemon itself would be in its log. */
	if (rig->calls == 0 && rig->disks == DISKS_NONE &&
	    shell("! grep '^trailfs: failed' log") != 0) {
		red("a daemon without a fault printed:");
		show_daemon_log();
	}
	if (!vault_runs())
		vault_mount("settle=60");
	check_mounted();
	check_sealed();
	if (reds == 0 && acks > 0)
		world_search();
}

/* Half of the cuts write nothing to disk.  The two disks may differ, as if one
 * lost power later. */
static unsigned
flags_of(struct chance *c)
{
	static const unsigned flags[] = { 2, 2, 1, 0 };

	return flags[below(c, LEN(flags))];
}

/* --- at random -------------------------------------------------------- */

static void
strike(const struct rig *rig, struct chance *c)
{
	unsigned a = flags_of(c), b = flags_of(c);

	if (rig->disks == DISKS_NONE)
		vault_kill();
	else
		world_cut(a, b);
}

/* Strike the recovery too. */
static void
strike_again(const struct rig *rig, struct chance *c)
{
	unsigned n = below(c, 6);

	for (unsigned i = 3; i <= n; i++) {
		vault_start("settle=2");
		wait_us(below(c, RECOVER_US));
		strike(rig, c);
	}
}

static unsigned
at_random(const struct rig *rig, unsigned cycles, uint64_t seed)
{
	unsigned i;

	for (i = 0; i < cycles && reds == 0; i++) {
		struct chance c = chance_of(seed, i);

		round_begin(rig, i);
		vault_mount(below(&c, 2) == 0 ? "settle=0" : "settle=2");
		check_mounted();
		if (reds > 0)
			break;
		writers_start(i, draw(&c));
		/* Disks are slower than memory. */
		wait_us(1000 +
		    below(&c,
			rig->disks == DISKS_NONE ? WORK_US : 3 * WORK_US));
		strike(rig, &c);
		check_read(i,
		    rig->disks == DISKS_NONE ? after_kill : after_cut);
		strike_again(rig, &c);
		round_end(rig, i, i + 1 == cycles);
	}
	return i;
}

unsigned
rig_kill(const struct rig *rig, unsigned cycles, uint64_t seed)
{
	return at_random(rig, cycles, seed);
}

unsigned
rig_power(const struct rig *rig, unsigned cycles, uint64_t seed)
{
	return at_random(rig, cycles, seed);
}

/* --- in order --------------------------------------------------------- */

/* Prepare a fault at call number at of the next daemon; 0: only count. */
static void
arm(const struct rig *rig, unsigned long at, struct chance *c)
{
	fault_none();
	fault->kind = rig->kind;
	fault->sys = rig->sys;
	fault->at = at;
	fault->last = rig->stays ? ULONG_MAX : at;
	fault->cut_flags[0] = flags_of(c);
	fault->cut_flags[1] = flags_of(c);
	if (rig->only != NULL)
		strcpy(fault->only, rig->only);
	fault->calls = rig->calls;
}

/* Run one daemon with a fault, then check the vault.  Returns how many calls
 * were struck; *count is the number of calls. */
static unsigned long
run_daemon(const struct rig *rig, unsigned cycle, unsigned long at,
    struct chance *c, void (*work)(unsigned n, uint64_t seed),
    unsigned long *count)
{
	uint64_t seed = draw(c);
	unsigned long hits;
	int status;

	arm(rig, at, c);
	vault_start("settle=60");
	if (vault_serves(&status)) {
		if (work != NULL)
			work(cycle, seed);
		status = vault_unmount();
	}
	hits = fault->hits;
	if (hits > 0 && rig->kind == FAULT_CUT && fault->cut == 0)
		red("the power was not cut");
	*count = fault->count;
	if (rig->kind == FAULT_CUT)
		world_cut(0, 0);
	fault_none();
	if (hits == 0 && status != 0)
		red("a daemon without a fault exited with %d", status);
	if (status < 0 && status != -SIGKILL) {
		red("the daemon died of signal %d", -status);
		show_daemon_log();
	}
	if (work != NULL)
		check_read(cycle,
		    hits > 0 && rig->calls == CALL_READ ? NULL :
			rig->only != NULL		? never :
			hits == 0			? after_kill :
							  NULL);
	vault_mount("settle=60");
	check_mounted();
	return hits;
}

/* Strike calls in order: all of them, or as many as there are cycles. */
static unsigned
in_order(const struct rig *rig, unsigned cycles, uint64_t seed,
    void (*before)(unsigned n, struct chance *c),
    void (*work)(unsigned n, uint64_t seed))
{
	unsigned long count = 0, at = 0, step = 1, hits = 1;
	unsigned i;

	for (i = 0; reds == 0 && (hits > 0 || i <= 1); i++) {
		struct chance c = chance_of(seed, i);

		round_begin(rig, i);
		if (before != NULL)
			before(i, &c);
		hits = run_daemon(rig, i, at, &c, work, &count);
		/* The first run only counted the calls. */
		if (i == 0 && cycles > 1)
			step = 1 + count / (cycles - 1);
		if (i == 0 && step > 1)
			at = below(&c, (unsigned)step);
		at += i == 0 && step > 1 ? 1 : step;
		round_end(rig, i, false);
		if (reds == 0 && vault_runs() && vault_unmount() != 0)
			red("the daemon did not end well");
	}
	round_end(rig, i, true);
	return i;
}

unsigned
rig_each_call(const struct rig *rig, unsigned cycles, uint64_t seed)
{
	return in_order(rig, cycles, seed, NULL, writers_script);
}

/* Leave a store that needs recovery. */
static void
leave_unrecovered(unsigned n, struct chance *c)
{
	static const struct rig kill_it = { .disks = DISKS_NONE };

	vault_mount("settle=60");
	writers_start(n, draw(c));
	wait_us(15000);
	strike(&kill_it, c);
	check_read(n, after_kill);
}

unsigned
rig_recovery(const struct rig *rig, unsigned cycles, uint64_t seed)
{
	return in_order(rig, cycles, seed, leave_unrecovered, NULL);
}

/* --- the search index --------------------------------------------------- */

/* Search for all names.  0: found, and they are those of the ledger; 1: they are
 * not; 2: the search failed. */
static int
search(void)
{
	static const char path[] =
	    "sed 's/.*\"path\":\"\\([^\"]*\\)\".*/\\1/' | sort";

	return shell("trailctl sync mnt && trailctl log --json mnt |"
		     " grep -E '\"type\":\"(trail.created|workflow.begun|"
		     "attestation.begun|directory.created|evidence.sealed)\"' |"
		     " %s >there; [ -s there ] || exit 1;"
		     " trailctl find --json --limit 0 --uid 0 mnt >answer ||"
		     " exit 2; cat answer | %s >found; cmp found there",
	    path, path);
}

static void
search_must(int most, const char *when)
{
	int was = search();

	if (was <= most && was != 1)
		return;
	red("a search %s %s", when,
	    was == 1 ? "finds other names than the ledger has" : "fails");
	(void)shell("diff found there; tail -n 5 log");
	show_daemon_log();
}

/* While the index cannot be written, everything is recorded, and a search is
 * right or fails.  Afterwards it is right. */
static void
write_and_search(unsigned n, uint64_t seed)
{
	search_must(2, "with a failing index");
	writers_script(n, seed);
	search_must(2, "with a failing index");
	fault->at = 0;
	search_must(0, "with an index that can be written again");
}

/* Each second daemon makes the index, the others have one. */
static void
forget_index(unsigned n, struct chance *c)
{
	(void)c;
	if (n % 2 == 0 && shell("rm -f store/index.db*") != 0)
		die("rm index.db");
}

unsigned
rig_index(const struct rig *rig, unsigned cycles, uint64_t seed)
{
	return in_order(rig, cycles, seed, forget_index, write_and_search);
}
