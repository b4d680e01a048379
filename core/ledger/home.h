/*
 * The home of a store: the machine and the directory in which a process opens
 * it for appending.  ledger.opened records the home, and the next start
 * compares it, because two copies of a store must not both continue one log
 * (I3).  Private to core.  All functions are pure.
 */
#ifndef TF_LEDGER_HOME_H
#define TF_LEDGER_HOME_H

#include <stdbool.h>
#include <stdint.h>

#include "../json.h"
#include "../types.h"

#define TF_HOME_PATH_MAX 512 /* bytes of the path as a hint */

/* Inode number and, where its file system keeps it, the time of creation. */
struct tf_home_file {
	bool has_inode;
	uint64_t inode;
	bool has_born;
	struct tf_time born;
};

struct tf_home {
	/* Digest of the machine's id and the store's id, which links no two
	 * stores of one machine. */
	bool has_machine;
	struct tf_hash machine;
	struct tf_home_file directory; /* of the store */
	/* ledger.db in it.  Nothing replaces that file while the store is used,
	 * but whoever puts a backup back into the directory does. */
	struct tf_home_file database;
	/* For people: these may change with a restart or a rename. */
	struct tf_str device; /* "8:1" */
	struct tf_str path;   /* encoded by tf_hint */
	bool moved;	      /* a person said that the store was moved */
};

enum tf_home_answer {
	TF_HOME_SAME, /* or too little is known to say otherwise */
	TF_HOME_OTHER_MACHINE,
	TF_HOME_OTHER_DIRECTORY, /* of the same machine, or of an unknown one */
	TF_HOME_OTHER_FILE,	 /* another ledger.db in the same directory */
};

/* Append the field `home` of ledger.opened to out, canonical JSON; nothing if
 * not even the inode of the directory is known. */
TF_MUST_USE enum tf_code tf_home_text(const struct tf_home *h,
    struct tf_buf *out, struct tf_error *err);

/* Read that field; d is the parsed text and owns the strings of *out. */
void tf_home_read(const struct tf_json_doc *d, struct tf_home *out);

/* Compare only what both have.  The device and the path do not count: a device
 * number changes with a restart, and a directory may be renamed. */
enum tf_home_answer tf_home_compare(const struct tf_home *a,
    const struct tf_home *b);

#define TF_GUARD_PATH_MAX 512 /* bytes of the path in ledger.opened */

/* Append the path of the guard that the field `options` of ledger.opened names,
 * as tf_hint encodes it; nothing if it names none.  TF_INVALID; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_home_guard(struct tf_str options,
    struct tf_buf *path, struct tf_error *err);
/* Is that the recorded path of this one?  path may be NULL: no guard. */
bool tf_home_guard_same(const char *path, const struct tf_buf *recorded);

#endif
