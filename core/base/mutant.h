/*
 * Broken on purpose, one way at a time: `make MUTANT=NAME BUILD=DIR` builds a
 * trailfs without one of the precautions that its promises rest on, and
 * `make torture` proves that the tests find out.  The normal build is
 * TF_SOUND, in which each of these conditions is false for the compiler.
 */
#ifndef TF_BASE_MUTANT_H
#define TF_BASE_MUTANT_H

enum tf_mutant {
	TF_SOUND,
	TF_NO_DATA_FSYNC,      /* content is not synced at flush */
	TF_NO_DIRECTORY_FSYNC, /* nor are names */
	TF_SYNC_NORMAL,	       /* the database syncs now and then */
	TF_SYNC_OFF,	       /* or never */
	TF_COMMIT_FIRST,       /* an entry before its object (not I2) */
	TF_UNLINK_FIRST,       /* staged bytes go before the entry is there */
	TF_SHOW_FIRST,	       /* a checkpoint before its commit (not I3) */
	TF_SEAL_AT_FLUSH,      /* any close of a descriptor freezes */
	TF_FORGET_EMPTY,       /* a file without bytes is in memory only */
	TF_IGNORE_WRITE,       /* what pwrite says is not looked at */
	TF_SKIP_PROOF_NODE, /* what a longer proof comes to is not compared */
};

#ifndef TF_MUTANT
#define TF_MUTANT TF_SOUND
#endif
#define TF_IS_MUTANT(which) (TF_MUTANT == (which))

#endif
