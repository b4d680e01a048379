/* A store under audit; the files store*.c share it. */
#ifndef TF_AUDIT_STORE_I_H
#define TF_AUDIT_STORE_I_H

#include <stdint.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../ledger/checkpoint.h"
#include "../store/config_file.h"

struct tf_db;

struct tf_audit_store {
	char *db_path;
	struct tf_db *db;
	int dirfd, objectsfd;
	struct tf_buf vkey, beside; /* keys/log.vkey, STORE/checkpoint */
	char origin[TF_ORIGIN_MAX + 1], id[33];
	struct tf_stamps_config stamps;
	bool sizes;	       /* tf_verify.sizes */
	uint64_t off;	       /* of events.jsonl */
	uint64_t learned;      /* entries that were searched for rotations */
	struct tf_bits queued; /* objects given to the pool */
	uint64_t names;	       /* rows of the node table */
	uint64_t definitions;  /* entries that have a row */
	uint64_t anchors;      /* the same of anchors */
	uint64_t files, content_bytes; /* of evidence, as in status */
	/* Paths of evidence, a NUL after each.  Their access is compared at
	 * the end, because an entry after the seal changed it. */
	struct tf_buf changed;
};

#endif
