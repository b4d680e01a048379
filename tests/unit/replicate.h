/* A store with entries of all kinds, and the transport of a mirror within one
 * process: reads a store and fills a replica. */
#ifndef TESTS_UNIT_REPLICATE_H
#define TESTS_UNIT_REPLICATE_H

#include "../../core/anchor/replica.h"

struct tf_db;
struct tf_vault;

/* Make the store at path, with all that the ledger can say. */
void make_rich(const char *path, struct tf_buf *vkey);

/* Have two people redact the evidence at path, in an open vault. */
void redact_path(struct tf_vault *v, const char *path);

/* A store that is read. */
struct from {
	char path[128];
	struct tf_db *db;
	int objectsfd;
	struct tf_key *key; /* signs checkpoints of any size */
	char origin[129], store[33];
	uint64_t size;
};
void from_open(struct from *f, const char *path);
void from_close(struct from *f);
/* The bytes of entry seq, and a note of the first size entries. */
void from_entry(struct from *f, uint64_t seq, struct tf_buf *out);
void from_note(struct from *f, uint64_t size, struct tf_buf *out);
/* The files in objects/ of the source are missing, and it goes on. */
extern bool from_gives_nothing;
/* Send the replica the objects of an entry that it lacks and the source has. */
enum tf_code send_objects(struct from *f, struct tf_replica *r,
    const struct tf_buf *entry, struct tf_error *err);

/* Make a replica of the store at `from`, or bring it up to date, in batches of
 * `every` entries (0: all); a batch of entries that stand together is not cut. */
enum tf_code replicate(const char *from, const char *to, uint64_t every,
    struct tf_error *err);

#endif
