/*
 * Mutants for testing the tests: `make MUTANT=NAME BUILD=DIR` builds a trailfs
 * that lacks one precaution, and `make torture` shows that the tests detect it.
 * The normal build is TF_SOUND, where each TF_IS_MUTANT is a constant false
 * and the compiler drops the code.
 */
#ifndef TF_BASE_MUTANT_H
#define TF_BASE_MUTANT_H

enum tf_mutant {
	TF_SOUND,
	TF_NO_DATA_FSYNC,      /* flush does not sync the content */
	TF_NO_DIRECTORY_FSYNC, /* directories are not synced */
	TF_SYNC_NORMAL,	       /* the database has synchronous=NORMAL */
	TF_SYNC_OFF,	       /* the database has synchronous=OFF */
	TF_LOG_LATE,	       /* the frames of a commit are written later */
	TF_LOCKS_STAY,	       /* kept locks hold up a checkpoint */
	TF_COMMIT_FIRST,       /* commit an entry before its object (I2) */
	TF_UNLINK_FIRST,       /* remove staged bytes before the commit */
	TF_SHOW_FIRST,	       /* show a checkpoint before its commit (I3) */
	TF_SEAL_AT_FLUSH,      /* any close of a descriptor freezes */
	TF_FORGET_EMPTY,       /* a file without bytes is in memory only */
	TF_IGNORE_WRITE,       /* the result of pwrite is ignored */
	TF_RECEIPT_FIRST,      /* a mirror signs what it has not committed */
	TF_ALLOW_SEALED,       /* the append-only rule refuses nothing */
	TF_ANY_NAME,	       /* names may have any bytes */
	TF_SHOW_ALL,	       /* the control files show everybody everything */
	TF_TRUE_SPACE,	       /* everybody sees the true free space */
	TF_NO_QUOTA,	       /* no limit of names, no head-room */
	TF_KEEP_REFUSED,       /* each refused request leaves memory */
	TF_DROP_ALONE,	       /* the daemon drops pages without its helper */
	TF_STALL,	       /* some requests keep everybody waiting */
	TF_ROUTER_IDS_COLLIDE, /* control files of two origins have one id */
	TF_ROUTER_INO,	       /* nodes of two origins have one inode number */
	TF_ROUTER_ENOSYS,      /* what one origin lacks, all lack */
	TF_ROUTER_WAITS,       /* a router waits for an origin that hangs */
	TF_ROUTER_KEEPS,       /* the kernel may remember a copy for long */
	TF_SIGN_WITHOUT_TICKET,	 /* a signer does not check the ticket */
	TF_SIGNER_WITHOUT_FENCE, /* nor gives up files and system calls */
	TF_DAEMON_WITHOUT_FENCE, /* a daemon does not, and says that it does */
	TF_FOLLOWER_WITHOUT_FENCE, /* a follower does not */
	TF_FORGET_SIGNED,     /* a signer does not remember what it signed */
	TF_OLD_ATTESTER,      /* a seal keeps a signature of a replaced key */
	TF_KEYS_WITHOUT_LOCK, /* two signers change their keys at once */
	TF_PAST_IS_PRESENT,   /* .trailfs/at shows the present tree */
	TF_PAST_VERDICT_NOW,  /* the verdicts in it are those of now */
	TF_PAST_MODES_THEN,   /* evidence in it is readable by everybody */
	TF_CERTIFIES_OTHER, /* the certificate has the digest of another file */
	TF_TRUST_CERTIFICATE, /* verification does not fill it in again */
	TF_COLLECT_BLINDLY,   /* writes are collected without a lease */
	TF_REWRITE_ENTERED,   /* entered bytes of a growing file may change */
	TF_ENTER_UNSYNCED,  /* its chunks are entered before they are synced */
	TF_SKIP_PROOF_NODE, /* the root of a consistency proof is ignored */
	TF_TRUST_WARNED_COMMIT, /* a commit that no standby has counts as safe */
	TF_BELIEVE_STORE,	/* what a store says it has counts as there */
	TF_NEWEST_VERSION,	/* get looks at the newest version only */
	TF_BELIEVE_LOCK,	/* a lock that was accepted counts as held */
	TF_ACKNOWLEDGE_FIRST,	/* durability=org waits for nobody */
	TF_AGE_UNCOUNTED, /* it does not count that an age file was replaced */
	TF_ENTER_STAGED,  /* it enters the staged form, and not the age file */
	TF_BELIEVE_200,	  /* an upload in parts ends with any 200 */
	TF_BELIEVE_STATE, /* a publication takes an unsigned state of the last */
	TF_CONTINUE_BLINDLY, /* it does not compare the tree with what was signed */
	TF_RECORD_AGAIN,     /* nor looks which refusals have entries already */
	TF_FOLLOWER_STAYS, /* it does not end with the process that started it */
	TF_ABSENT_WAITS,   /* a read waits for a follower that is gone */
	TF_BELIEVE_BYTES, /* bytes of an organisation are not hashed on the way */
	TF_BELIEVE_INDEX,   /* the index of a copy is used when it is old */
	TF_JUDGE_NO_MEMBER, /* verify judges nothing of an organisation's log */
	TF_ANY_MEMBER,	    /* entries of a log that is no member are right */
	TF_ANY_OPTION,	    /* a mount ignores options that it does not know */
	TF_BUNDLE_LESS,	    /* an object of 64 KiB is a blob of its own */
	TF_FEW_LINGER,	    /* 64 entries wait for one more */
	TF_ONE_STAYS,	    /* an entry waits for the next 63 */
};

#ifndef TF_MUTANT
#define TF_MUTANT TF_SOUND
#endif
#define TF_IS_MUTANT(which) (TF_MUTANT == (which))

#endif
