/* What the implementations of a signer share.  See sign.h. */
#ifndef TF_SIGN_SIGNER_I_H
#define TF_SIGN_SIGNER_I_H

#include "../ledger/note.h"
#include "sign.h"
#include "state.h"

/* A checkpoint that is to be signed, and all that a signer wants to see. */
struct tf_sign_request {
	const struct tf_checkpoint *c;
	struct tf_ticket ticket;
	uint64_t from; /* the proof begins at the tree of this size */
	struct tf_proof proof;
};

/* One implementation; the contracts are those of sign.h. */
struct tf_signer_ops {
	void (*close)(struct tf_signer *s);
	/* What s signed last for origin: size 0 for nothing. */
	enum tf_code (*last)(struct tf_signer *s, const char *origin,
	    struct tf_signed *out, struct tf_error *err);
	enum tf_code (*newest)(struct tf_signer *s, const char *origin,
	    struct tf_buf *note, struct tf_error *err);
	enum tf_code (*prepare)(struct tf_signer *s,
	    const struct tf_checkpoint *c, struct tf_ticket *ticket,
	    struct tf_error *err);
	/* TF_BUSY: the last tree is not that of r->from. */
	enum tf_code (*checkpoint)(struct tf_signer *s,
	    const struct tf_sign_request *r, struct tf_buf *note,
	    struct tf_error *err);
	enum tf_code (*statement)(struct tf_signer *s, const void *pae,
	    size_t n, uint8_t sig[TF_SIG_LEN], struct tf_error *err);
	enum tf_code (*rotate)(struct tf_signer *s, struct tf_signer_new_key *k,
	    struct tf_error *err);
	enum tf_code (*adopt)(struct tf_signer *s,
	    const struct tf_signer_keys *keys, bool retire,
	    struct tf_error *err);
};

/* The first member of each implementation. */
struct tf_signer {
	const struct tf_signer_ops *ops;
	struct tf_signer_keys keys;
	unsigned fence; /* of this process: see core/signer.h; 0: none */
	/* The tree of the newest note of tf_signer_checkpoint(); size 0: none. */
	char origin[TF_ORIGIN_MAX + 1];
	uint64_t size;
};

#endif
