/*
 * The fault that the shim injects into the daemon.  Rig and shim share this
 * struct in a mapped file that the environment names.  The rig may change the
 * fault at any time and can read how many calls were made and struck.
 */
#ifndef TESTS_FAULTS_FAULT_H
#define TESTS_FAULTS_FAULT_H

#include <stdatomic.h>

#define FAULT_ENV "TRAILFS_FAULT"

/* The calls that are counted. */
enum {
	CALL_SYNC = 1,	  /* fsync fdatasync sync_file_range */
	CALL_WRITE = 2,	  /* pwrite */
	CALL_NAME = 4,	  /* link rename unlink, and their -at */
	CALL_SIZE = 8,	  /* ftruncate */
	CALL_CREATE = 16, /* open and openat with O_CREAT, mkdirat */
	CALL_MEMORY = 32, /* malloc calloc realloc */
	CALL_BUFFER = 64, /* malloc of 1 MiB or more: a buffer of requests */
	CALL_READ = 128,  /* read */
	CALL_AT = 256,	  /* pread, and splice from a file */
	CALL_DISK = 15,	  /* calls that may change the disk */
};

enum fault_kind {
	FAULT_KILL,  /* SIGKILL for the daemon instead of the call */
	FAULT_CUT,   /* power off instead of the call */
	FAULT_ERROR, /* the call fails with sys */
	FAULT_SHORT, /* a write takes half, if it is more than one byte */
	FAULT_HOLD,  /* the call is made when held is 0 */
};

struct fault {
	atomic_uint calls;  /* bits of CALL_; 0: nothing is counted */
	atomic_ulong count; /* calls so far */
	unsigned long at;   /* the first call to strike, from 1; 0: none */
	unsigned long last; /* the last call to strike */
	enum fault_kind kind;
	int sys;	       /* errno */
	char only[32];	       /* files whose path holds this; "": all */
	atomic_long ahead_s;   /* how far the clock is ahead, seconds */
	atomic_long passed_s;  /* so many seconds have passed on all clocks */
	atomic_ulong hits;     /* calls that were struck */
	atomic_uint attended;  /* the rig kills the daemon when asked to ... */
	atomic_uint dying;     /* ... by this; else helpers are not struck */
	atomic_uint dark;      /* power off: calls never return; the rig cuts */
	atomic_uint busy;      /* calls under way */
	atomic_uint held;      /* calls with FAULT_HOLD wait */
	unsigned cut_flags[2]; /* as the ioctl takes them */
	atomic_uint cut;       /* disks that were cut for the shim */
};

/* A sanitizer must be loaded before the shim: with one, inject no faults. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAULTS_WORK 0
#else
#define FAULTS_WORK 1
#endif

/* The ioctl that shuts a file system down, the same on ext4 and xfs.  Flags: 0
 * writes everything to disk first, 1 only the journal, 2 nothing. */
#define CUT_POWER _IOR('X', 125, unsigned)

#endif
