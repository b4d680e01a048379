/*
 * Kept locks of readers: see lock_cache.h.
 *
 * The index of the log has eight places to lock.  A reader holds a shared lock of one
 * of the last five while it reads.  The last four have a mark each, the number of
 * frames that readers with that lock may need; a reader that finds no mark as new as
 * the log takes one of these four for itself, for a moment, to move its mark.  It
 * does without where other readers are, and uses an older mark.  A kept lock counts
 * as such a reader: so marks stay as they are until a checkpoint, which takes kept
 * locks away, moves them.
 * The format: https://www.sqlite.org/walformat.html#locks
 */
#include <pthread.h>
#include <sys/stat.h>

#include "../base/mutant.h"
#include "lock_cache.h"

#define CHECKPOINT 1 /* places */
#define RECOVER 2
#define FIRST_READER 3
#define FIRST_MARK 4

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct tf_lock_cache *all; /* guarded by mu, as are its members */

void
tf_lock_cache_begin(struct tf_lock_cache *c, sqlite3_file *f,
    const sqlite3_io_methods *plain, const char *name)
{
	struct stat st;

	*c = (struct tf_lock_cache){ .f = f, .plain = plain };
	if (name != NULL && stat(name, &st) == 0) {
		c->dev = st.st_dev;
		c->ino = st.st_ino;
	}
	pthread_mutex_lock(&mu);
	c->next = all;
	c->at = &all;
	if (all != NULL)
		all->at = &c->next;
	all = c;
	pthread_mutex_unlock(&mu);
}

/* Give the kept locks of c among places back to the system.  mu is held. */
static void
give_back(struct tf_lock_cache *c, unsigned places)
{
	for (int i = FIRST_READER; i < SQLITE_SHM_NLOCK; i++)
		if ((c->kept & places & 1u << i) != 0)
			(void)c->plain->xShmLock(c->f, i, 1,
			    SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
	c->kept &= ~places;
}

void
tf_lock_cache_end(struct tf_lock_cache *c)
{
	pthread_mutex_lock(&mu);
	give_back(c, ~0u);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	pthread_mutex_unlock(&mu);
}

void
tf_lock_cache_keep(struct tf_lock_cache *c)
{
	pthread_mutex_lock(&mu);
	c->keeps = c->ino != 0;
	pthread_mutex_unlock(&mu);
}

static bool
same_database(const struct tf_lock_cache *a, const struct tf_lock_cache *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* Does c want to move a mark that the readers of kept locks rely on? */
static bool
must_stay(const struct tf_lock_cache *c, int place, int n)
{
	const unsigned moves_all = 1u << CHECKPOINT | 1u << RECOVER;

	if (n != 1 || place < FIRST_MARK || (c->alone & moves_all) != 0)
		return false;
	for (const struct tf_lock_cache *o = all; o != NULL; o = o->next)
		if (same_database(o, c) && (o->kept & 1u << place) != 0)
			return true;
	return false;
}

/* Lock places for c alone.  mu is held. */
static int
lock_alone(struct tf_lock_cache *c, int place, int n, int flags,
    unsigned places)
{
	int rc;

	if (must_stay(c, place, n))
		return SQLITE_BUSY;
	for (struct tf_lock_cache *o = all; o != NULL; o = o->next)
		if (same_database(o, c) && !TF_IS_MUTANT(TF_LOCKS_STAY))
			give_back(o, places);
	rc = c->plain->xShmLock(c->f, place, n, flags);
	if (rc == SQLITE_OK)
		c->alone |= places;
	return rc;
}

int
tf_lock_cache_lock(struct tf_lock_cache *c, int place, int n, int flags)
{
	const unsigned places = ((1u << n) - 1) << place;
	const bool unlocks = (flags & SQLITE_SHM_UNLOCK) != 0;
	int rc = SQLITE_OK;

	pthread_mutex_lock(&mu);
	if ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && !unlocks) {
		rc = lock_alone(c, place, n, flags, places);
	} else if ((flags & SQLITE_SHM_EXCLUSIVE) != 0) {
		c->alone &= ~places;
		rc = c->plain->xShmLock(c->f, place, n, flags);
	} else if (unlocks && c->keeps && place >= FIRST_READER && n == 1) {
		c->kept |= places;
	} else if (!unlocks && (c->kept & places) == places) {
		c->kept &= ~places;
	} else {
		rc = c->plain->xShmLock(c->f, place, n, flags);
	}
	pthread_mutex_unlock(&mu);
	return rc;
}

int
tf_lock_cache_unmap(struct tf_lock_cache *c, int deletes)
{
	pthread_mutex_lock(&mu);
	give_back(c, ~0u);
	pthread_mutex_unlock(&mu);
	return c->plain->xShmUnmap(c->f, deletes);
}
