/*
 * The age file of a pending file that is to be sealed: what its entry names, and
 * what is read of it once it is frozen.
 */
#ifndef TF_NODE_ENCRYPTED_H
#define TF_NODE_ENCRYPTED_H

#include "../json.h"
#include "../ledger/entry.h"

struct tf_encrypted {
	struct tf_content content; /* of the age file */
	uint64_t recipients;	   /* their version */
	uint64_t gen;		   /* of the content that was encrypted */
	uint64_t changes;	   /* of recipients, when it was made (mu) */
	bool in_file; /* stage/<id>.<digest>.age, synced; else in body */
	bool shown;   /* in body, and also in that file, for the forwarder */
	bool linked;  /* it may be an object file (mu) */
	struct tf_buf body;
};

/* Has it a file in stage/? */
static inline bool
tf_encrypted_has_file(const struct tf_encrypted *e)
{
	return e->in_file || e->shown;
}

/* NULL: does nothing.  The file in stage/ stays. */
void tf_encrypted_free(struct tf_encrypted *e);

#endif
