/* The table of the engine `s3:`. */
#ifndef TF_S3_BLOBS_H
#define TF_S3_BLOBS_H

#include "../org/engine.h"

extern const struct tf_blob_ops tf_s3_blob_ops;

#endif
