/* The rigs: each does one terrible thing, again and again. */
#ifndef TESTS_FAULTS_RIGS_H
#define TESTS_FAULTS_RIGS_H

#include "faults.h"

struct rig {
	const char *name;
	/* cycles 0: all there are.  Ends at the first red; how many it did. */
	unsigned (*run)(const struct rig *rig, unsigned cycles, uint64_t seed);
	unsigned cycles; /* in the short version */
	enum disks disks;
	enum fault_kind kind; /* for sweeps */
	unsigned calls;
	int sys;
	bool stays; /* every call fails from then on */
	const char *does;
};

unsigned rig_kill(const struct rig *rig, unsigned cycles, uint64_t seed);
unsigned rig_power(const struct rig *rig, unsigned cycles, uint64_t seed);
unsigned rig_sweep(const struct rig *rig, unsigned cycles, uint64_t seed);
unsigned rig_recovery(const struct rig *rig, unsigned cycles, uint64_t seed);

#endif
