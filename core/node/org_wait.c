/*
 * The list of those who wait for the organisation, and its thread: see org_wait.h.
 *
 * The thread connects to the forwarder when somebody waits, says for how many
 * entries, and answers those whose entries are there.  What the forwarder has said
 * counts as long as the connection lasts: another one may forward to another
 * organisation.
 */
#include "org_wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/mutant.h"
#include "../store/forward_link.h"
#include "../vault.h"
#include "base.h"
#include "vault_i.h"

#define LOOK_NS (TF_SECOND / 5) /* between two looks whether one gave up */

struct waiter {
	struct waiter *next;
	uint64_t target; /* entries */
	uint64_t begun_ns, until_ns;
	bool (*gives_up)(void *arg);
	tf_done done;
	void *arg;
	enum tf_code rc;
};

struct tf_org_wait {
	pthread_mutex_t mu;	      /* stands alone */
	struct waiter *first, **last; /* guarded by mu, as all up to thread */
	bool quit;
	struct tf_org_state state;
	struct tf_histogram answered; /* how long they waited */
	pthread_t thread;
	bool runs;
	int event; /* something changed for the thread */
	/* Of the thread. */
	int fd;		       /* the connection, or -1 */
	uint64_t have, wanted; /* entries, on this connection */
	char why[160];	       /* what the forwarder said last */
	bool said;	       /* that somebody waited in vain */
};

static void
wake(struct tf_org_wait *o)
{
	const uint64_t one = 1;

	(void)!write(o->event, &one, sizeof(one)); /* full: it is awake */
}

static void
disconnect(struct tf_org_wait *o, const char *why)
{
	if (o->fd >= 0)
		(void)close(o->fd);
	o->fd = -1;
	o->have = o->wanted = 0;
	(void)snprintf(o->why, sizeof(o->why), "%s", why);
}

static void
connect_to(struct tf_vault *v, struct tf_org_wait *o)
{
	struct tf_error e;

	if (tf_forward_connect(v->dirfd, &o->fd, &e) == TF_OK) {
		o->have = o->wanted = 0;
		(void)snprintf(o->why, sizeof(o->why),
		    "the forwarder has not answered");
	} else {
		o->fd = -1;
		(void)snprintf(o->why, sizeof(o->why), "%.150s", e.text);
	}
}

/* Hear what the forwarder says, and say for how many entries somebody waits. */
static void
talk(struct tf_vault *v, struct tf_org_wait *o, uint64_t target)
{
	struct tf_forward_word w = { 0 };
	bool got = false;

	if (!tf_forward_told(o->fd, &w, &got)) {
		disconnect(o, "the forwarder has ended");
		return;
	}
	if (got && strcmp(w.origin, v->origin) != 0) {
		disconnect(o, "the forwarder forwards another log");
		return;
	}
	if (got) {
		o->have = w.entries;
		if (w.why[0] != '\0')
			(void)snprintf(o->why, sizeof(o->why), "%s", w.why);
	}
	if (target > o->have && target > o->wanted) {
		if (tf_forward_want(o->fd, target))
			o->wanted = target;
		else
			disconnect(o, "the forwarder has ended");
	}
}

/* Take those out of the list that are to be answered.  *target: the number for
 * which the others wait; *next_ns: when the first of them gives up. */
static struct waiter *
take_over(struct tf_vault *v, struct tf_org_wait *o, uint64_t *target)
{
	const uint64_t now = tf_clock_boot_ns();
	struct waiter *over = NULL, **end = &over, **at, *w;
	bool ends;

	*target = 0;
	pthread_mutex_lock(&o->mu);
	ends = o->quit || atomic_load(&v->stopping);
	for (at = &o->first; (w = *at) != NULL;) {
		w->rc = w->target <= o->have ? TF_OK :
		    ends		     ? TF_INTERRUPTED :
		    w->gives_up(w->arg)	     ? TF_INTERRUPTED :
		    now >= w->until_ns	     ? TF_TIMEDOUT :
					       TF_BUSY;
		if (w->rc == TF_BUSY) {
			*target = w->target > *target ? w->target : *target;
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = NULL;
		*end = w;
		end = &w->next;
		o->state.waiting--;
		if (w->rc == TF_TIMEDOUT) {
			o->state.timeouts++;
			(void)snprintf(o->state.why, sizeof(o->state.why), "%s",
			    o->why);
		} else if (w->rc == TF_OK) {
			o->state.why[0] = '\0';
			tf_histogram_add(&o->answered, w->begun_ns);
		}
	}
	o->last = at;
	o->state.connected = o->fd >= 0;
	pthread_mutex_unlock(&o->mu);
	return over;
}

/* Say once that the organisation does not answer, and once that it does again. */
static void
say(struct tf_vault *v, struct tf_org_wait *o, enum tf_code rc)
{
	if (rc == TF_TIMEDOUT && !o->said)
		tf_vault_say(v, rc,
		    "durability=org: what was closed is recorded here, and the "
		    "organisation did not get it within %llu seconds: %s",
		    (unsigned long long)v->settings.value[TF_ORG_TIMEOUT],
		    o->why);
	else if (rc == TF_OK && o->said)
		tf_vault_say(v, rc, "durability=org: the organisation answers");
	if (rc == TF_TIMEDOUT || rc == TF_OK)
		o->said = rc == TF_TIMEDOUT;
}

static void
answer(struct tf_vault *v, struct tf_org_wait *o, struct waiter *over)
{
	struct tf_error e = { .code = TF_OK };
	struct waiter *w;

	while ((w = over) != NULL) {
		over = w->next;
		say(v, o, w->rc);
		if (w->rc == TF_TIMEDOUT)
			(void)tf_fail(&e, w->rc,
			    "recorded here; the organisation does not have it "
			    "yet: %s",
			    o->why);
		else if (w->rc != TF_OK)
			(void)tf_fail(&e, w->rc,
			    "recorded here; nobody waits for the organisation "
			    "any more");
		e.sys = 0;
		w->done(w->arg, w->rc, &e);
		free(w);
	}
}

static void *
run(void *vault)
{
	struct tf_vault *v = vault;
	struct tf_org_wait *o = v->org_wait;
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	uint64_t target = 0, count;
	bool quit = false;

	while (!quit) {
		p[0].fd = o->event;
		p[1].fd = o->fd; /* -1: not looked at */
		(void)poll(p, 2, target > 0 ? (int)(LOOK_NS / 1000000) : -1);
		(void)!read(o->event, &count, sizeof(count));
		pthread_mutex_lock(&o->mu);
		quit = o->quit;
		for (struct waiter *w = o->first; w != NULL; w = w->next)
			target = w->target > target ? w->target : target;
		pthread_mutex_unlock(&o->mu);
		if (target > 0 && o->fd < 0)
			connect_to(v, o);
		if (o->fd >= 0)
			talk(v, o, target);
		answer(v, o, take_over(v, o, &target));
	}
	disconnect(o, "");
	return NULL;
}

enum tf_code
tf_org_wait_start(struct tf_vault *v, struct tf_error *err)
{
	struct tf_org_wait *o;

	if (v->durability != TF_DURABLE_ORG)
		return TF_OK;
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return tf_nomem(err);
	o->fd = -1;
	o->last = &o->first;
	(void)pthread_mutex_init(&o->mu, NULL);
	o->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	v->org_wait = o;
	if (o->event < 0)
		return tf_fail(err, TF_IO, "make an eventfd");
	if (pthread_create(&o->thread, NULL, run, v) != 0)
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	o->runs = true;
	return TF_OK;
}

void
tf_org_wait_end(struct tf_vault *v)
{
	struct tf_org_wait *o = v->org_wait;

	if (o == NULL || !o->runs)
		return;
	pthread_mutex_lock(&o->mu);
	o->quit = true;
	pthread_mutex_unlock(&o->mu);
	wake(o);
	(void)pthread_join(o->thread, NULL);
	o->runs = false;
}

void
tf_org_wait_free(struct tf_vault *v)
{
	struct tf_org_wait *o = v->org_wait;

	if (o == NULL)
		return;
	if (o->event >= 0)
		(void)close(o->event);
	(void)pthread_mutex_destroy(&o->mu);
	free(o);
	v->org_wait = NULL;
}

bool
tf_org_wait_state(struct tf_vault *v, struct tf_org_state *out)
{
	struct tf_org_wait *o = v->org_wait;

	if (o == NULL)
		return false;
	pthread_mutex_lock(&o->mu);
	*out = o->state;
	out->oldest_ns = 0;
	if (o->first != NULL) /* they are in the order of their arrival */
		out->oldest_ns = tf_clock_boot_ns() - o->first->begun_ns;
	out->answered = &o->answered;
	pthread_mutex_unlock(&o->mu);
	return true;
}

/* --- for callers of the vault --------------------------------------------------- */

void
tf_vault_end_waits(struct tf_vault *v)
{
	tf_org_wait_end(v);
}

uint64_t
tf_vault_entries(struct tf_vault *v)
{
	uint64_t n;

	pthread_mutex_lock(&v->mu);
	n = v->head.size;
	pthread_mutex_unlock(&v->mu);
	return n;
}

bool
tf_vault_awaits_organisation(const struct tf_vault *v)
{
	return v->durability == TF_DURABLE_ORG;
}

void
tf_vault_await_organisation(struct tf_vault *v, bool (*gives_up)(void *arg),
    tf_done done, void *arg)
{
	struct tf_org_wait *o = v->org_wait;
	struct tf_error e = { .code = TF_OK };
	const uint64_t now = tf_clock_boot_ns();
	struct waiter *w;
	bool quit;

	if (o == NULL || TF_IS_MUTANT(TF_ACKNOWLEDGE_FIRST)) {
		done(arg, TF_OK, &e);
		return;
	}
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		(void)tf_nomem(&e);
		done(arg, e.code, &e);
		return;
	}
	*w = (struct waiter){ .target = tf_vault_entries(v),
		.begun_ns = now,
		.until_ns = now + v->settings.value[TF_ORG_TIMEOUT] * TF_SECOND,
		.gives_up = gives_up,
		.done = done,
		.arg = arg };
	pthread_mutex_lock(&o->mu);
	if (!(quit = o->quit)) {
		*o->last = w;
		o->last = &w->next;
		o->state.waiting++;
	}
	pthread_mutex_unlock(&o->mu);
	if (!quit) {
		wake(o);
		/* The queue has it. */
		/* cppcheck-suppress memleak */
		return;
	}
	free(w);
	(void)tf_fail(&e, TF_INTERRUPTED, "the mount ends");
	done(arg, e.code, &e);
}
