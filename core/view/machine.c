/* The clock and the guard in the status and on the page: see machine.h. */
#include <pthread.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/html.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "../ledger/actor_json.h"
#include "../node/vault_i.h"
#include "../signer.h"
#include "anchors.h"
#include "machine.h"
#include "page.h"
#include "view.h"

uint64_t
tf_clock_behind(struct tf_time last)
{
	const struct tf_time now = tf_clock_now();

	return last.s > now.s && tf_time_moved(last, now) ?
	    (uint64_t)(last.s - now.s) :
	    0;
}

void
tf_put_machine_clock(const struct tf_vault *v, struct tf_json *j,
    struct tf_time last)
{
	const char *source = tf_clock_source("/run");
	struct tf_clock_state c;

	tf_clock_state(&c);
	if (v->read_only || !c.known)
		return;
	tf_json_key(j, "clock");
	tf_json_object(j);
	if (tf_clock_behind(last) > 0)
		tf_put_uint(j, "behind", tf_clock_behind(last));
	if (*source != '\0')
		tf_put_cstr(j, "source", source);
	tf_put_bool(j, "synchronised", c.synchronised);
	tf_json_object_end(j);
}

void
tf_put_guard(const struct tf_vault *v, struct tf_json *j,
    const struct tf_guard_state *g)
{
	if (v->guard == NULL)
		return;
	tf_json_key(j, "guard");
	tf_json_object(j);
	if (g->size > 0) {
		tf_put_uint(j, "age", (uint64_t)tf_guard_age(g));
		tf_put_time(j, "at", g->at);
	}
	tf_put_uint(j, "entries", g->size);
	tf_put_hint(j, "path", v->guard, SIZE_MAX, TF_HINT_MAX);
	tf_put_hint(j, "trouble", g->trouble, SIZE_MAX, TF_HINT_MAX);
	tf_json_object_end(j);
}

static void
put_signer(unsigned state, struct tf_json *j)
{
	if ((state & TF_FENCE_KNOWN) == 0)
		return;
	tf_json_key(j, "signer");
	tf_json_object(j);
	tf_put_uint(j, "landlock", state & TF_FENCE_LANDLOCK);
	tf_put_bool(j, "memory", (state & TF_FENCE_MEMORY) != 0);
	tf_put_bool(j, "seccomp", (state & TF_FENCE_SECCOMP) != 0);
	tf_json_object_end(j);
}

void
tf_put_sandbox(const struct tf_vault *v, struct tf_json *j)
{
	const struct tf_sandbox *s = v->sandbox;

	if (s == NULL)
		return;
	tf_json_key(j, "sandbox");
	tf_json_object(j);
	tf_put_uint(j, "landlock", (uint64_t)s->landlock);
	tf_put_bool(j, "seccomp", s->seccomp);
	put_signer(atomic_load(&v->signer_fence), j);
	tf_put_hint(j, "user", s->user, SIZE_MAX, TF_HINT_MAX);
	tf_json_object_end(j);
}

/* The status lists the paths, for those who may read them. */
static void
page_damaged(struct tf_page *p)
{
	struct tf_vault *v = p->w->v;
	size_t n;

	pthread_mutex_lock(&v->mu);
	n = v->damaged.n;
	pthread_mutex_unlock(&v->mu);
	if (n > 0)
		tf_html(&p->b,
		    "<dt>Damaged</dt><dd class=\"bad\">reads found %zu "
		    "file%s whose bytes are not those of %s: run trailctl "
		    "verify</dd>\n",
		    n, n == 1 ? "" : "s",
		    n == 1 ? "its entry" : "their entries");
}

void
tf_page_machine(struct tf_page *p)
{
	struct tf_vault *v = p->w->v;
	struct tf_guard_state g;
	struct tf_time last;

	page_damaged(p);
	if (v->read_only)
		return;
	pthread_mutex_lock(&v->mu);
	g = v->guard_state;
	last = v->head.at;
	pthread_mutex_unlock(&v->mu);
	if (v->guard != NULL && g.trouble[0] != '\0')
		tf_html(&p->b,
		    "<dt>Guard</dt><dd class=\"bad\">not written: %s</dd>\n",
		    g.trouble);
	if (v->mount != NULL && !v->login_uids)
		tf_html(&p->b,
		    "<dt>Login uids</dt><dd class=\"bad\">not known: nothing "
		    "shows that two users are one person</dd>\n");
	if (tf_clock_behind(last) > 0)
		tf_html(&p->b,
		    "<dt>Clock</dt><dd class=\"bad\">%llu seconds behind the "
		    "last entry: the times of one of them are wrong</dd>\n",
		    (unsigned long long)tf_clock_behind(last));
}
