/* What the implementations of a signer share.  See sign.h. */
#ifndef TF_SIGN_SIGNER_I_H
#define TF_SIGN_SIGNER_I_H

#include "sign.h"

/* One implementation; the contracts are those of sign.h. */
struct tf_signer_ops {
	void (*close)(struct tf_signer *s);
	enum tf_code (*checkpoint)(struct tf_signer *s,
	    const struct tf_checkpoint *c, struct tf_buf *note,
	    struct tf_error *err);
	enum tf_code (*statement)(struct tf_signer *s, const void *pae,
	    size_t n, uint8_t sig[TF_SIG_LEN], struct tf_error *err);
};

/* The first member of each implementation. */
struct tf_signer {
	const struct tf_signer_ops *ops;
	struct tf_signer_keys keys;
};

#endif
