/* Settable control files while they are written: see control_save.h. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_save.h"
#include "core/control.h"

/* Per user. */
#define SAVES_MAX 256
#define SAVES_BYTES (4u << 20)
#define REFUSALS_OF_USER 16
/* Of all users. */
#define REFUSALS_MAX 512

struct fs_save {
	struct fs_save *next, *prev;
	uint64_t ino; /* this and the next two never change */
	struct fs_target target;
	struct tf_actor who;
	/* The fields below are guarded by fs_saves.mu. */
	struct tf_buf bytes;
	uint64_t turn; /* of its last change */
	bool changed;  /* since the last flush */
	bool recorded; /* a flush has checked the bytes */
	bool emptied;  /* the open asked for no bytes */
	bool cut;      /* a write failed */
	bool flushing;
	enum tf_code rc; /* of the last flush */
	struct tf_error err;
};

/* Why a user's bytes were refused the last time, or warnings about them. */
struct refusal {
	uint64_t dir, turn; /* turn 0: not used */
	uint32_t uid;
	char text[1024];
};

struct fs_saves {
	struct tf_vault *vault;
	pthread_mutex_t mu;
	pthread_cond_t flushed;
	uint64_t turns;			       /* guarded by mu */
	struct fs_save *first;		       /* guarded by mu */
	struct refusal refusals[REFUSALS_MAX]; /* guarded by mu */
};

struct fs_saves *
fs_saves_new(struct tf_vault *v)
{
	struct fs_saves *ss = calloc(1, sizeof *ss);

	if (ss == NULL)
		return NULL;
	ss->vault = v;
	pthread_mutex_init(&ss->mu, NULL);
	pthread_cond_init(&ss->flushed, NULL);
	return ss;
}

void
fs_saves_free(struct fs_saves *ss)
{
	if (ss == NULL)
		return;
	pthread_cond_destroy(&ss->flushed);
	pthread_mutex_destroy(&ss->mu);
	free(ss);
}

/* --- last-error ---------------------------------------------------------- */

static struct refusal *
find_refusal(struct fs_saves *ss, uint64_t dir, uint32_t uid)
{
	for (struct refusal *r = ss->refusals; r < ss->refusals + REFUSALS_MAX;
	     r++)
		if (r->turn != 0 && r->dir == dir && r->uid == uid)
			return r;
	return NULL;
}

/* The place for one more refusal of that user: an unused one; if the user has
 * many, the user's oldest; else the oldest. */
static struct refusal *
place_of_refusal(struct fs_saves *ss, uint32_t uid)
{
	struct refusal *oldest = ss->refusals, *own = NULL;
	unsigned n = 0;

	for (struct refusal *r = ss->refusals; r < ss->refusals + REFUSALS_MAX;
	     r++) {
		if (r->turn < oldest->turn)
			oldest = r;
		if (r->turn == 0 || r->uid != uid)
			continue;
		n++;
		if (own == NULL || r->turn < own->turn)
			own = r;
	}
	return n >= REFUSALS_OF_USER ? own : oldest;
}

/* Where the text for last-error of this save goes.  mu is held. */
static struct refusal *
new_refusal(struct fs_saves *ss, const struct fs_save *s)
{
	struct refusal *r = find_refusal(ss, s->target.dir, s->who.uid);

	if (r == NULL)
		r = place_of_refusal(ss, s->who.uid);
	r->dir = s->target.dir;
	r->uid = s->who.uid;
	r->turn = ++ss->turns;
	return r;
}

/* Keep why the save was refused; after a success forget it.  mu is held. */
static void
note(struct fs_saves *ss, const struct fs_save *s, enum tf_code rc,
    const char *text)
{
	struct refusal *r;

	if (rc == TF_OK) {
		r = find_refusal(ss, s->target.dir, s->who.uid);
		if (r != NULL)
			r->turn = 0;
		return;
	}
	r = new_refusal(ss, s);
	snprintf(r->text, sizeof r->text, "%s: %s\n", s->target.label,
	    text[0] != '\0' ? text : tf_code_name(rc));
}

/* Keep the lines of warnings that fit, and how many do not.  mu is held. */
static void
note_warnings(struct fs_saves *ss, const struct fs_save *s,
    const struct tf_buf *warnings)
{
	const char *label = s->target.label, *line = warnings->p, *end;
	struct refusal *r = new_refusal(ss, s);
	size_t n = 0, more = 0, size = sizeof r->text;

	for (; (end = memchr(line, '\n',
		    warnings->n - (size_t)(line - warnings->p))) != NULL;
	     line = end + 1) {
		/* Room for the last line stays. */
		if (more == 0 &&
		    strlen(label) * 2 + (size_t)(end - line) + 128 < size - n)
			n += (size_t)snprintf(r->text + n, size - n,
			    "warning: %s: %.*s\n", label, (int)(end - line),
			    line);
		else
			more++;
	}
	if (more > 0)
		snprintf(r->text + n, size - n,
		    "warning: %s: %zu more; trailctl template check prints all "
		    "of them\n",
		    label, more);
}

void
fs_saves_last_error(struct fs_saves *ss, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out)
{
	const struct refusal *found = NULL;

	pthread_mutex_lock(&ss->mu);
	for (const struct refusal *r = ss->refusals;
	     r < ss->refusals + REFUSALS_MAX; r++)
		if (r->turn != 0 && r->dir == dir &&
		    (tf_asker_may_all(asker) || r->uid == asker->uid) &&
		    (found == NULL || r->turn > found->turn))
			found = r;
	if (found != NULL)
		tf_buf_str(out, found->text);
	pthread_mutex_unlock(&ss->mu);
}

/* --- open and close ------------------------------------------------------ */

/* May the user of s have it, with this many bytes?  mu is held. */
static enum tf_code
check_limits(const struct fs_saves *ss, const struct fs_save *s, uint64_t size,
    struct tf_error *err)
{
	unsigned n = 0;
	uint64_t bytes = size;

	for (const struct fs_save *o = ss->first; o != NULL; o = o->next) {
		if (o == s || o->who.uid != s->who.uid)
			continue;
		n++;
		bytes += o->bytes.n;
	}
	if (n >= SAVES_MAX)
		return tf_fail(err, TF_TOOMANY,
		    "this user writes too many control files");
	if (bytes > SAVES_BYTES)
		return tf_fail(err, TF_QUOTA,
		    "this user writes too large control files");
	return TF_OK;
}

enum tf_code
fs_settable_above(struct tf_vault *v, const struct fs_settable *set,
    const struct tf_attr *dir, struct tf_attr *out, struct tf_error *err)
{
	enum tf_kind least = set->by == FS_SET_BY_WRITERS ? dir->kind :
	    set->by == FS_SET_BY_WORKFLOW		  ? TF_KIND_WORKFLOW :
							    TF_KIND_TRAIL;
	enum tf_code rc = TF_OK;

	*out = *dir;
	while (rc == TF_OK && out->kind > least)
		rc = tf_vault_getattr(v, out->parent, out, err);
	return rc;
}

static bool
may_set(const struct fs_settable *set, const struct tf_actor *who,
    uint32_t owner)
{
	return set->administers ? tf_may_administer(who, owner) :
				  who->uid == 0 || who->uid == owner;
}

static enum tf_code
check_directory(struct tf_vault *v, const struct fs_target *t,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_attr dir, above;
	enum tf_code rc = tf_vault_getattr(v, t->dir, &dir, err);

	if (rc == TF_OK && t->set->by != FS_SET_BY_WRITERS &&
	    t->set->by != FS_SET_BY_ANYONE) {
		rc = fs_settable_above(v, t->set, &dir, &above, err);
		if (rc == TF_OK && !may_set(t->set, who, above.uid))
			rc = tf_fail(err, TF_ACCESS,
			    "only the owner of the %s%s and root may",
			    above.kind == TF_KIND_WORKFLOW  ? "workflow" :
				above.kind == TF_KIND_TRAIL ? "trail" :
							      "vault's root",
			    t->set->administers ? ", members of admins=" : "");
	}
	if (rc == TF_OK && !t->set->when_sealed && dir.state == TF_STATE_SEALED)
		rc = tf_fail(err, TF_SEALED, "it is sealed");
	return rc;
}

enum tf_code
fs_save_open(struct fs_saves *ss, uint64_t ino, const struct fs_target *t,
    bool empty, const struct tf_actor *who, struct fs_save **out,
    struct tf_error *err)
{
	struct fs_save *s = calloc(1, sizeof *s);
	enum tf_code rc;

	if (s == NULL)
		return tf_nomem(err);
	s->ino = ino;
	s->target = *t;
	s->who = *who;
	s->emptied = empty;
	rc = check_directory(ss->vault, t, who, err);
	if (rc == TF_OK && !empty)
		rc = t->set->load(ss->vault, t->dir, t->name, &s->bytes, err);
	if (rc == TF_NOTFOUND)
		rc = TF_OK;
	pthread_mutex_lock(&ss->mu);
	if (rc == TF_OK)
		rc = check_limits(ss, s, s->bytes.n, err);
	if (rc == TF_OK) {
		s->turn = ++ss->turns;
		s->next = ss->first;
		if (s->next != NULL)
			s->next->prev = s;
		ss->first = s;
	} else {
		note(ss, s, rc, err->text);
	}
	pthread_mutex_unlock(&ss->mu);
	if (rc != TF_OK) {
		tf_buf_free(&s->bytes);
		free(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

void
fs_save_close(struct fs_saves *ss, struct fs_save *s)
{
	pthread_mutex_lock(&ss->mu);
	/* "cp empty FILE": only now is it known that there will be no byte. */
	if (s->emptied && !s->recorded && !s->changed)
		note(ss, s, TF_INVALID,
		    s->target.set->empty_why != NULL ?
			s->target.set->empty_why :
			"nothing was written, so nothing was changed");
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		ss->first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	pthread_mutex_unlock(&ss->mu);
	tf_buf_free(&s->bytes);
	free(s);
}

bool
fs_saves_find(struct fs_saves *ss, uint64_t ino, struct fs_target *t,
    uint64_t *size)
{
	const struct fs_save *found = NULL;

	pthread_mutex_lock(&ss->mu);
	for (const struct fs_save *s = ss->first; s != NULL; s = s->next)
		if (s->ino == ino && (found == NULL || s->turn > found->turn))
			found = s;
	if (found != NULL) {
		*t = found->target;
		*size = found->bytes.n;
	}
	pthread_mutex_unlock(&ss->mu);
	return found != NULL;
}

/* --- bytes --------------------------------------------------------------- */

size_t
fs_save_read(struct fs_saves *ss, struct fs_save *s, void *p, size_t n,
    uint64_t off)
{
	pthread_mutex_lock(&ss->mu);
	if (off >= s->bytes.n)
		n = 0;
	else if (n > s->bytes.n - off)
		n = (size_t)(s->bytes.n - off);
	if (n > 0)
		memcpy(p, s->bytes.p + off, n);
	pthread_mutex_unlock(&ss->mu);
	return n;
}

/* Give memory back that s no longer needs: the limits count bytes.  Without
 * memory for a copy it is kept.  mu is held. */
static void
give_back(struct fs_save *s)
{
	struct tf_buf less = { 0 };

	if (s->bytes.n >= s->bytes.cap / 4)
		return;
	tf_buf_add(&less, s->bytes.p, s->bytes.n);
	if (less.failed) {
		tf_buf_free(&less);
		return;
	}
	tf_buf_free(&s->bytes);
	s->bytes = less;
}

/* Give s this many bytes; new ones are zero.  mu is held. */
static enum tf_code
resize(struct fs_saves *ss, struct fs_save *s, uint64_t size,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (size > s->target.set->max)
		return tf_fail(err, TF_TOOBIG, "it may have at most %zu bytes",
		    s->target.set->max);
	if (size > s->bytes.n) {
		if ((rc = check_limits(ss, s, size, err)) != TF_OK)
			return rc;
		if (!tf_buf_room(&s->bytes, (size_t)size - s->bytes.n)) {
			tf_buf_free(&s->bytes);
			return tf_nomem(err);
		}
		memset(s->bytes.p + s->bytes.n, 0, (size_t)size - s->bytes.n);
	}
	s->bytes.n = (size_t)size;
	give_back(s);
	return TF_OK;
}

/* Bytes of s changed, or would have: e says why not.  mu is held. */
static void
changed(struct fs_saves *ss, struct fs_save *s, enum tf_code rc,
    const struct tf_error *e)
{
	s->changed = true;
	s->turn = ++ss->turns;
	if (rc == TF_OK)
		return;
	s->cut = true;
	s->rc = rc;
	s->err = *e;
	note(ss, s, rc, e->text);
}

enum tf_code
fs_save_write(struct fs_saves *ss, struct fs_save *s, const void *p, size_t n,
    uint64_t off, bool append, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (n == 0)
		return TF_OK;
	pthread_mutex_lock(&ss->mu);
	if (append)
		off = s->bytes.n;
	if (off > SIZE_MAX - n)
		rc = tf_fail(err, TF_TOOBIG, "it would be too long");
	else if (off + n > s->bytes.n)
		rc = resize(ss, s, off + n, err);
	if (rc == TF_OK)
		memcpy(s->bytes.p + off, p, n);
	changed(ss, s, rc, err);
	pthread_mutex_unlock(&ss->mu);
	return rc;
}

enum tf_code
fs_save_resize(struct fs_saves *ss, struct fs_save *s, uint64_t size,
    struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&ss->mu);
	if (size == 0)
		s->cut = false;
	rc = resize(ss, s, size, err);
	changed(ss, s, rc, err);
	pthread_mutex_unlock(&ss->mu);
	return rc;
}

/* --- flush --------------------------------------------------------------- */

/* Copy the bytes for a flush.  mu is held. */
static enum tf_code
take_bytes(struct fs_save *s, struct tf_buf *out, struct tf_error *err)
{
	s->changed = false;
	s->recorded = true;
	if (s->cut) {
		*err = s->err; /* of the write that failed */
		return s->rc;
	}
	tf_buf_add(out, s->bytes.p, s->bytes.n);
	return tf_buf_end(out, err);
}

/* A rule about who may do it has refused the save: keep the attempt. */
static void
keep_attempt(struct fs_saves *ss, const struct fs_save *s,
    const struct tf_error *e)
{
	char name[sizeof s->target.label + sizeof TF_CONTROL_DIR + 1];
	const struct tf_attempt a = { .operation = "write",
		.id = s->target.dir,
		.name = name,
		.sys = "EPERM",
		.reason = e->text,
		.actor = &s->who };

	snprintf(name, sizeof name, TF_CONTROL_DIR "/%s", s->target.label);
	tf_vault_denied(ss->vault, &a);
}

enum tf_code
fs_save_flush(struct fs_saves *ss, struct fs_save *s, struct tf_error *err)
{
	const struct fs_target *t = &s->target;
	struct tf_buf bytes = { 0 }, warnings = { 0 };
	struct tf_error e = { 0 };
	enum tf_code rc;

	pthread_mutex_lock(&ss->mu);
	/* The close of a dup waits for a flush that is under way. */
	while (s->flushing)
		pthread_cond_wait(&ss->flushed, &ss->mu);
	if (s->changed) {
		s->flushing = true;
		rc = take_bytes(s, &bytes, &e);
		pthread_mutex_unlock(&ss->mu);
		if (rc == TF_OK)
			rc = t->set->save(ss->vault, t->dir, t->name, bytes.p,
			    bytes.n, &s->who, &warnings, &e);
		if (rc == TF_DENIED)
			keep_attempt(ss, s, &e);
		tf_buf_free(&bytes);
		pthread_mutex_lock(&ss->mu);
		s->rc = rc;
		s->err = e;
		note(ss, s, rc, e.text);
		if (rc == TF_OK && warnings.n > 0)
			note_warnings(ss, s, &warnings);
		tf_buf_free(&warnings);
		s->flushing = false;
		pthread_cond_broadcast(&ss->flushed);
	}
	rc = s->rc;
	if (err != NULL)
		*err = s->err;
	/* A shell closes a copy of its descriptor before it writes, and does not
	 * look at the result.  So this is no result of the save. */
	if (s->emptied && !s->recorded && !s->changed && t->set->empty_why)
		rc = tf_fail(err, TF_INVALID, "%s", t->set->empty_why);
	pthread_mutex_unlock(&ss->mu);
	return rc;
}
