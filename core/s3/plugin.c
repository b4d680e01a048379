/* What trailfs-s3.so exports: a store of blobs, and no ledger. */
#include "blobs.h"

TF_ENGINE_EXPORT const struct tf_engine tf_engine = {
	.abi = TF_ENGINE_ABI,
	.blobs = &tf_s3_blob_ops,
};
