/*
 * Files that are to be sealed, and all that can be done for them before the
 * transaction.  None of these functions runs in the committer's thread, and no
 * lock is held.  Errors: TF_TAMPER, TF_NOSPACE, TF_NOMEM, TF_IO and its
 * sharper forms.
 */
#ifndef TF_SEAL_SEAL_PREPARE_H
#define TF_SEAL_SEAL_PREPARE_H

#include <stddef.h>
#include <stdint.h>

#include "../ledger/entry.h"
#include "../ledger/entry_write.h"

struct tf_chunk_list;
struct tf_db;
struct tf_encrypted;
struct tf_pending;
struct tf_vault;

/* A file to be sealed: its content is on disk.  The caller sets l, cause
 * and imported; tf_seal_prepare() fills in the rest. */
struct tf_seal_file {
	struct tf_pending *l; /* claimed */
	const char *cause;    /* or NULL */
	const char *imported; /* raw, or NULL */
	struct tf_content content;
	const struct tf_encrypted *encrypted; /* of l; or NULL */
	uint64_t recipients; /* the count of changes of recipients before it */
	struct tf_buf path;
	const struct tf_chunk_list *chunks; /* of l, to be entered; or NULL */
	struct tf_prepared_entry entry;
	uint64_t same; /* an object that was hashed and has these bytes; or 0 */
};

/*
 * Do all that can be done before the transaction: long content becomes an
 * object file (I2), entries get their text, and existing objects with the same
 * bytes are hashed.  db is a read connection.  No lock is held; not in the
 * committer's thread.  The caller calls tf_seal_prepared_free() in any case.
 */
TF_MUST_USE enum tf_code tf_seal_prepare(struct tf_vault *v, struct tf_db *db,
    struct tf_seal_file *f, size_t n, struct tf_error *err);

/* The number of entries of the n files of f, which are prepared. */
uint64_t tf_seal_entries(const struct tf_seal_file *f, size_t n);

/* Free what tf_seal_prepare() filled in, also after its failure; f itself and the
 * claims stay the caller's. */
void tf_seal_prepared_free(struct tf_seal_file *f, size_t n);

/* Make the staged file of s, whose node is claimed, an object file under the
 * digest of its content: durable on TF_OK.  Does nothing for content that has no
 * file of its own.  tf_seal_prepare() calls this. */
TF_MUST_USE enum tf_code tf_seal_link(const struct tf_seal_file *s,
    struct tf_error *err);

/* The mode of l with the bits of tf_mode_floor(). */
uint32_t tf_sealed_mode(const struct tf_pending *l);

#endif
