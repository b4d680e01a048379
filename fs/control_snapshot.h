/*
 * Snapshots: the content of control files, as it was when they were opened.
 *
 * Each state of a file is an edition, a node of its own.  LOOKUP promises an
 * edition, GETATTR or OPEN makes it.  Tools look a file up, ask for its size
 * and then open it, so a snapshot stays after its last close while the ledger
 * has not grown and there is room.  Every function may be called from any
 * thread.
 */
#ifndef FS_CONTROL_SNAPSHOT_H
#define FS_CONTROL_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "control_rows.h"
#include "core/vault.h"

struct fs_snapshots; /* all of one mount */
struct fs_snapshot;  /* one edition */

/* What makes the content of a file: exactly one of row and tree is not NULL. */
struct fs_source {
	const struct fs_row *row;
	const struct fs_tree *tree;
	/* The asker, whose groups the caller or the snapshot owns; all zero
	 * where every asker sees the same. */
	struct tf_asker asker;
};

/* When *stop becomes true, making a package is given up.  v, saves and stop
 * stay the caller's and must outlive the snapshots.  NULL: no memory. */
struct fs_snapshots *fs_snapshots_new(struct tf_vault *v,
    struct fs_saves *saves, const atomic_bool *stop);
/* No snapshot is open and no other thread uses them. */
void fs_snapshots_free(struct fs_snapshots *ss);

/*
 * Promise an edition of file base as it is now.  *ino is its node; *size is its
 * size if it is made already, else 0.  The errors of tf_vault_size, TF_NOMEM.
 */
TF_MUST_USE enum tf_code fs_snapshot_promise(struct fs_snapshots *ss,
    uint64_t base, const struct fs_source *from, uint64_t *ino, uint64_t *size,
    struct tf_error *err);
/* Edition ino shows the present state no more: promise another one next. */
void fs_snapshots_retire(struct fs_snapshots *ss, uint64_t ino,
    const struct fs_source *from);
/* The same for any asker. */
void fs_snapshots_retire_all(struct fs_snapshots *ss, uint64_t ino);
/*
 * Open edition ino; make it first where nobody has.  fs_snapshot_close lets go
 * of *out.  The errors of what makes it, TF_NOMEM; TF_INTERRUPTED when the
 * request was given up.
 */
TF_MUST_USE enum tf_code fs_snapshot_get(struct fs_snapshots *ss, uint64_t ino,
    const struct fs_source *from, struct fs_snapshot **out,
    struct tf_error *err);
/* Somebody was told its size without opening it: keep it for the open. */
void fs_snapshot_tell(struct fs_snapshots *ss, struct fs_snapshot *s);
void fs_snapshot_close(struct fs_snapshots *ss, struct fs_snapshot *s);
/* Is edition ino, as the asker sees it, made? */
bool fs_snapshot_is_ready(struct fs_snapshots *ss, uint64_t ino,
    const struct tf_asker *asker);

/* Of an open snapshot: its size in bytes, and what render made. */
uint64_t fs_snapshot_size(const struct fs_snapshot *s);
const struct tf_buf *fs_snapshot_text(const struct fs_snapshot *s);
/* Read up to n bytes at off; *got is 0 at the end.  TF_IO and the errors of
 * reading the ledger. */
TF_MUST_USE enum tf_code fs_snapshot_read(struct fs_snapshots *ss,
    const struct fs_snapshot *s, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err);

/* Free the packages that nobody has open and that the ledger has outgrown.
 * True: there are other packages. */
bool fs_snapshots_drop_packages(struct fs_snapshots *ss);

#endif
