/*
 * Checking.  Needs no mount and no private key; changes nothing; may run
 * beside a live mount.
 */
#ifndef TF_VERIFY_H
#define TF_VERIFY_H

#include "error.h"
#include "types.h"

enum tf_verdict { TF_VERDICT_OK, TF_VERDICT_FAILED, TF_VERDICT_ABSENT };

enum tf_link {
	TF_LINK_CONTENTS,	/* every object hashes to what its entry says */
	TF_LINK_ENTRIES,	/* canonical, dense, in order, of this ledger */
	TF_LINK_NAMES,		/* the tree of names is what the entries say */
	TF_LINK_TREE,		/* leaves, tiles and root agree */
	TF_LINK_SIGNATURE,	/* the newest checkpoint, by the store's key */
	TF_LINKS
};

struct tf_report {
	enum tf_verdict link[TF_LINKS];
	uint64_t entries, files, bytes;	/* looked at */
	uint64_t findings;
	char origin[129];
	struct tf_hash root;
};

/* One thing that is wrong.  seq UINT64_MAX: no entry; path and text are ready
 * to show. */
struct tf_finding {
	enum tf_link link;
	uint64_t seq;
	const char *path;	/* of the vault, or of the store; may be "" */
	const char *text;
};
typedef void (*tf_finding_fn)(void *arg, const struct tf_finding *f);
typedef void (*tf_progress_fn)(void *arg, uint64_t done, uint64_t total);

/* "contents", "entries", ... */
const char *tf_link_name(enum tf_link l);

/*
 * Re-read everything in the store: each object, entry, tile, name and the
 * newest checkpoint.  TF_OK whether or not something is wrong (see report:
 * findings); an error only when the check itself could not be made.
 */
TF_MUST_USE enum tf_code tf_verify_store(const char *path,
    struct tf_report *report, tf_finding_fn found, tf_progress_fn progress,
    void *arg, struct tf_error *err);

#endif
