/* The rigs: each injects one kind of fault, again and again. */
#ifndef TESTS_FAULTS_RIGS_H
#define TESTS_FAULTS_RIGS_H

#include "faults.h"

struct rig {
	const char *name;
	/* Run so many cycles (0: as many as there are) or until the first
	 * broken promise; returns the number of cycles run. */
	unsigned (*run)(const struct rig *rig, unsigned cycles, uint64_t seed);
	unsigned cycles; /* in the short version */
	enum disks disks;
	enum fault_kind kind; /* for ordered rigs */
	unsigned calls;
	int sys;
	bool stays; /* every call fails from then on */
	/* Only calls on files whose path holds this fail, or NULL: all.  Then no
	 * writer may see an error. */
	const char *only;
	bool encrypts; /* the trail has recipients */
	const char *does;
};

unsigned rig_kill(const struct rig *rig, unsigned cycles, uint64_t seed);
unsigned rig_power(const struct rig *rig, unsigned cycles, uint64_t seed);
unsigned rig_each_call(const struct rig *rig, unsigned cycles, uint64_t seed);
unsigned rig_index(const struct rig *rig, unsigned cycles, uint64_t seed);
unsigned rig_recovery(const struct rig *rig, unsigned cycles, uint64_t seed);

#endif
