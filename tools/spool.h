/*
 * Copies of the output of a command, in a directory: a draft attestation, or
 * one of our own below TMPDIR. If a write to the draft fails, the copies
 * continue in a directory of our own, with what was written before.
 *
 * The mount may die with bytes that it has accepted. So each byte of a draft is
 * in memory until fsync(2) has stored it, which is asked for after SPOOL_BYTES
 * or SPOOL_SECONDS.
 */
#ifndef TRAILCTL_SPOOL_H
#define TRAILCTL_SPOOL_H

#include "child.h"
#include "core/json.h"

#define SPOOL_LOGS 2
#define SPOOL_BYTES ((size_t)1 << 20)
#define SPOOL_SECONDS 5

struct spool_log {
	struct spool *spool;
	const char *name;
	int fd;	  /* -1: nothing is kept any more */
	bool own; /* the file is in a directory of our own */
	/* Of a draft: how much is stored, since when, and what came later. */
	uint64_t synced;    /* bytes */
	uint64_t synced_at; /* seconds since boot */
	struct tf_buf after;
};

struct spool {
	char *dir;    /* NULL: it could not be made */
	bool own;     /* dir is ours, and not a draft */
	bool rescued; /* dir was a draft before */
	bool partly;  /* and not all that it had could be copied */
	struct spool_log log[SPOOL_LOGS]; /* stdout.log and stderr.log */
	struct child_copy copy[SPOOL_LOGS];
};

/*
 * Begin in directory dir (NULL: make one below TMPDIR, or /tmp, that only the
 * caller can read). Creates stdout.log and stderr.log and fills s->copy for
 * child_run(). The caller calls spool_free() in any case; s must not move until
 * then, because the copies point into it.
 *
 * Never fails: at worst nothing is kept, and stderr says so. If files cannot be
 * made in a draft, a directory of our own is used, and s->rescued is true.
 */
void spool_open(struct spool *s, const char *dir);
/*
 * Replace the file name in s->dir by these bytes. If that fails in a draft, the
 * spool moves to a directory of its own and the file is written there. A
 * failure there is silent.
 */
void spool_put(struct spool *s, const char *name, const struct tf_buf *text);
/*
 * End both copies: fsync, and close. On return everything kept is in s->dir,
 * and s->own says whether that is a directory of our own. If either log could
 * not be stored in the draft, both were moved. s->partly: not all could be
 * copied out of the draft, so the draft must stay.
 */
void spool_close(struct spool *s);
/*
 * Remove a directory of our own with the three files that a run makes. A draft
 * is not touched. Failures are ignored: what stays is only a copy of what was
 * recorded.
 */
void spool_remove(struct spool *s);
void spool_free(struct spool *s);

#endif
