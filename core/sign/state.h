/*
 * What a signer remembers: for each origin the last tree that it signed.  The
 * file KEYS/signer.state is text in records of 512 bytes; trailfs-format(5)
 * describes it.
 *
 * The file is written in place, without a sync, at each signature, and synced at
 * most once per second.  A power cut may so put back the memory of a signer,
 * but never before a tree that is durable in its ledger: see core/commit.
 */
#ifndef TF_SIGN_STATE_H
#define TF_SIGN_STATE_H

#include <stdint.h>

#include "../error.h"
#include "../json.h"
#include "../types.h"

#define TF_SIGNER_STATE "signer.state"
#define TF_SIGNER_ORIGINS 256 /* that one key may have signed for */

struct tf_signer_state {
	int fd;
	uint64_t synced_ns; /* when it was last synced */
};

/* The last tree of an origin. */
struct tf_signed {
	uint64_t size; /* 0: none was signed */
	struct tf_hash root;
	unsigned at;	/* the number of its record */
	unsigned slot;	/* where the next one of this origin goes */
	bool is_closed; /* a later origin was signed */
};

/*
 * Open the file at path below dirfd, or make an empty one that survives power
 * loss.  On TF_OK close it with tf_signer_state_close().
 * Errors: TF_TAMPER it is not such a file; those of tf_file_open and
 * tf_file_write.
 */
TF_MUST_USE enum tf_code tf_signer_state_open(struct tf_signer_state *s,
    int dirfd, const char *path, struct tf_error *err);
void tf_signer_state_close(struct tf_signer_state *s);

/* Append the file signer.state of the directory dirfd to out, at a moment at which
 * no signer writes it.  Errors: those of tf_file_open and tf_file_read. */
TF_MUST_USE enum tf_code tf_signer_state_copy(int dirfd, struct tf_buf *out,
    struct tf_error *err);

/* Several processes may use one file: nobody else changes it until
 * tf_signer_state_unlock().  TF_IO. */
TF_MUST_USE enum tf_code tf_signer_state_lock(struct tf_signer_state *s,
    struct tf_error *err);
void tf_signer_state_unlock(struct tf_signer_state *s);

/* Find origin.  Errors: TF_TAMPER a record is damaged, or there are too many;
 * TF_IO. */
TF_MUST_USE enum tf_code tf_signer_state_find(struct tf_signer_state *s,
    const char *origin, struct tf_signed *out, struct tf_error *err);
/* Find origin, and let it be remembered with at least that tree: a copy of the file
 * may be older than its ledger.  A larger one stays.  Errors: as above. */
TF_MUST_USE enum tf_code tf_signer_state_raise(struct tf_signer_state *s,
    const char *origin, uint64_t size, const struct tf_hash *root,
    struct tf_error *err);
/* Remember size and root of origin, of which `now` was found. */
TF_MUST_USE enum tf_code tf_signer_state_set(struct tf_signer_state *s,
    const char *origin, const struct tf_signed *now, uint64_t size,
    const struct tf_hash *root, struct tf_error *err);

#endif
