/*
 * Settable control files while they are written.
 *
 * Each open for writing has its own bytes in memory, a save.  A FLUSH (close)
 * or FSYNC checks and records the bytes if they changed since the last one.  So
 * of two writers the last one to close decides, and both versions are recorded.
 * Nothing is recorded of a save whose write failed: it would be cut off.
 *
 * The reason why bytes were refused, or the warnings about bytes that were
 * recorded, are kept for last-error, per directory and user. err is never NULL
 * here.  Every function may be called from any thread.
 */
#ifndef FS_CONTROL_SAVE_H
#define FS_CONTROL_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/asker.h"
#include "core/buffer.h"
#include "core/definition.h"
#include "core/vault.h"

#define FS_SETTABLE_NAME_MAX TF_DEFINITION_NAME_MAX /* bytes */

/* Who, besides root, may set a file: whoever may write its directory; or only the
 * owner of the workflow, or of the trail, that its directory is in (of the root
 * directory, for a file of the root). */
enum fs_setter {
	FS_SET_BY_WRITERS,
	FS_SET_BY_WORKFLOW,
	FS_SET_BY_TRAIL,
	FS_SET_BY_ANYONE
};

/* A kind of settable file. */
struct fs_settable {
	size_t max;    /* bytes */
	unsigned mode; /* see fs_target_stat */
	enum fs_setter by;
	bool when_sealed; /* set also when its directory is sealed */
	bool administers; /* members of admins= may set it, too */
	/* Append the present content.  TF_NOTFOUND: there is none. */
	enum tf_code (*load)(struct tf_vault *v, uint64_t dir, const char *name,
	    struct tf_buf *out, struct tf_error *err);
	/* Check n bytes and record them.  Append to warnings a line for each
	 * warning about bytes that are recorded nevertheless. */
	enum tf_code (*save)(struct tf_vault *v, uint64_t dir, const char *name,
	    const void *p, size_t n, const struct tf_actor *who,
	    struct tf_buf *warnings, struct tf_error *err);
	/* Or NULL: why no content is refused, also when it was opened empty and
	 * then closed. */
	const char *empty_why;
};

/* One settable file. */
struct fs_target {
	const struct fs_settable *set;
	uint64_t dir; /* the directory of the vault that it is about */
	char name[FS_SETTABLE_NAME_MAX + 1];   /* "" where its kind has one */
	char label[FS_SETTABLE_NAME_MAX + 16]; /* its path below .trailfs */
};

/* *out becomes the directory whose owner may set such a file of dir: the workflow
 * or the trail.  For FS_SET_BY_WRITERS it is dir itself. */
TF_MUST_USE enum tf_code fs_settable_above(struct tf_vault *v,
    const struct fs_settable *set, const struct tf_attr *dir,
    struct tf_attr *out, struct tf_error *err);

struct fs_saves; /* all saves and refusals of one mount */
struct fs_save;	 /* one open for writing */

/* v stays the caller's and must outlive the result.  NULL: no memory. */
struct fs_saves *fs_saves_new(struct tf_vault *v);
void fs_saves_free(struct fs_saves *ss); /* no save is open */

/*
 * Open a save of node ino, which is t.  With empty it begins without bytes,
 * else with the present content, if there is any.  The save is the caller's
 * until fs_save_close.
 * TF_SEALED, TF_READONLY: the directory takes no changes.  TF_TOOMANY, TF_QUOTA:
 * the user has too many, or too large ones.
 */
TF_MUST_USE enum tf_code fs_save_open(struct fs_saves *ss, uint64_t ino,
    const struct fs_target *t, bool empty, const struct tf_actor *who,
    struct fs_save **out, struct tf_error *err);
/* The last handle is released.  Changes after the last flush are lost. */
void fs_save_close(struct fs_saves *ss, struct fs_save *s);

/* Like pread(2), pwrite(2) and ftruncate(2); append: at the end.  TF_TOOBIG: it
 * would have more bytes than allowed; TF_QUOTA. */
size_t fs_save_read(struct fs_saves *ss, struct fs_save *s, void *p, size_t n,
    uint64_t off);
TF_MUST_USE enum tf_code fs_save_write(struct fs_saves *ss, struct fs_save *s,
    const void *p, size_t n, uint64_t off, bool append, struct tf_error *err);
TF_MUST_USE enum tf_code fs_save_resize(struct fs_saves *ss, struct fs_save *s,
    uint64_t size, struct tf_error *err);

/*
 * Check and record the bytes if they changed since the last call, else return
 * what the last call returned.  Returns when the entry is durable.
 */
TF_MUST_USE enum tf_code fs_save_flush(struct fs_saves *ss, struct fs_save *s,
    struct tf_error *err);

/* Is node ino being written?  Then *t is the file and *size its size, for the
 * writer that changed it last. */
bool fs_saves_find(struct fs_saves *ss, uint64_t ino, struct fs_target *t,
    uint64_t *size);

/*
 * Append last-error of directory dir, as the asker sees it: the last refusal of
 * that user, of root the last of any user.  After a success it has the warnings
 * about what was recorded, each a line that begins with "warning: "; without
 * warnings nothing.
 */
void fs_saves_last_error(struct fs_saves *ss, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out);

#endif
