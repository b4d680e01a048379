/*
 * What the shim does to the daemon it is loaded into.  The rig and the shim
 * share this in a file that the environment names: the rig may say what is to
 * happen at any time, and sees how far it came.
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
	CALL_DISK = 15,	  /* where what is on disk may change */
};

enum fault_kind {
	FAULT_KILL,  /* SIGKILL instead of the call */
	FAULT_CUT,   /* power off instead of the call */
	FAULT_ERROR, /* the call fails with sys */
	FAULT_SHORT, /* a write takes half, if it is more than one byte */
};

struct fault {
	atomic_uint calls;  /* bits of CALL_; 0: nothing is counted */
	atomic_ulong count; /* calls so far */
	unsigned long at;   /* the first that is hit, from 1; 0: none is */
	unsigned long last; /* the last */
	enum fault_kind kind;
	int sys;	       /* errno */
	char only[32];	       /* files whose path holds this; "": all */
	atomic_ulong hits;     /* how often it struck */
	atomic_uint dark;      /* the power is off: nothing is seen any more */
	atomic_uint busy;      /* calls under way */
	char disk[2][128];     /* FAULT_CUT: mount points */
	unsigned cut_flags[2]; /* as the ioctl takes them */
};

/* A sanitizer wants to be loaded first: with one, nothing is struck. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAULTS_WORK 0
#else
#define FAULTS_WORK 1
#endif

/* Shut a file system down; the same number on ext4 and xfs.  Flags: 0 writes
 * all out, 1 the journal only, 2 nothing. */
#define CUT_POWER _IOR('X', 125, unsigned)

#endif
