/*
 * The file .trailfs/metrics in the root of the mount of many origins.  It is made when it
 * is opened, so that a reader gets one state; nothing of it needs a daemon of an origin.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/vfs.h>

#include "core/base/clock.h"
#include "core/base/metric.h"
#include "follower.h"
#include "router_i.h"

/* An open file; the kernel's descriptor is its address. */
struct fs_text {
	struct fs_text *next, *prev;
	struct tf_buf text;
};

/* --- the text ------------------------------------------------------------------ */

static struct tf_time
seconds(int64_t s)
{
	return (struct tf_time){ .s = s };
}

static void
put_mount(struct fs_router *r, const struct tf_metrics *m)
{
	static const char *const reads[] = { "mode", "read", NULL };
	uint64_t waiting = 0;
	struct statfs s;

	for (const struct fs_child *c = r->children; c != NULL; c = c->next)
		waiting += c->n_routed;
	tf_gauge(m, "trailfs_mounted", "1 if the store is mounted, else 0.", 1);
	tf_gauge_seconds(m, "trailfs_metrics_timestamp_seconds",
	    "When these metrics were made. An old time means that nobody could "
	    "make new ones.",
	    tf_clock_now());
	tf_gauge_seconds(m, "trailfs_start_timestamp_seconds",
	    "When the vault was opened; counters begin then.",
	    seconds(r->started_at));
	tf_metric(m, "trailfs_open_handles", "gauge",
	    "Files that programs have open.");
	tf_sample(m, "trailfs_open_handles", reads, atomic_load(&r->n_opened));
	tf_gauge(m, "trailfs_requests_waiting",
	    "Requests of the kernel that wait for a disk or a thread.",
	    waiting);
	if (fstatfs(fs_origins_fd(r->origins), &s) == 0)
		tf_gauge(m, "trailfs_disk_free_bytes",
		    "Free space of the disk of the store.",
		    (uint64_t)s.f_bavail * (uint64_t)s.f_bsize);
}

static void
put_origins(struct fs_router *r, const struct tf_metrics *m)
{
	tf_gauge(m, "trailfs_origins", "Origins that the mount shows.",
	    fs_origins_present(r->origins));
	tf_gauge(m, "trailfs_origin_daemons",
	    "Daemons of origins that run now.", r->n_children);
	tf_counter(m, "trailfs_origin_daemon_failures_total",
	    "Daemons of origins that could not start or ended by themselves.",
	    r->n_failed);
}

static bool
is_running(const struct fs_router *r)
{
	struct pollfd p = { .fd = r->follower.fd, .events = POLLIN };

	return r->follower.fd >= 0 && atomic_load(&r->follow->runs) &&
	    (poll(&p, 1, 0) == 0 || (p.revents & (POLLIN | POLLHUP)) == 0);
}

static void
put_cache(struct fs_router *r, const struct tf_metrics *m)
{
	struct tf_follow_counts *c = &r->follow->counts;

	tf_gauge(m, "trailfs_cache_bytes", "Bytes of evidence in the cache.",
	    atomic_load(&c->cached));
	tf_gauge(m, "trailfs_cache_limit_bytes", "The option cache_size.",
	    r->o->cache_size);
	tf_counter(m, "trailfs_cache_hits_total",
	    "Files of evidence that the cache had when they were opened.",
	    atomic_load(&c->hits));
	tf_counter(m, "trailfs_cache_misses_total",
	    "Files of evidence that were fetched when they were opened.",
	    atomic_load(&c->misses));
	tf_counter(m, "trailfs_cache_failures_total",
	    "Of these, the ones that could not be given.",
	    atomic_load(&c->failures));
}

/* A mount of a directory of copies follows nobody. */
static void
put_follower(struct fs_router *r, const struct tf_metrics *m)
{
	struct fs_follow_state *f = r->follow;
	const int64_t at = f != NULL ? atomic_load(&f->done_at) : 0;

	if (f == NULL)
		return;
	tf_gauge(m, "trailfs_follow_running",
	    "1 if the process that follows the organisation runs; 0: it has "
	    "ended, and is started again after a pause.",
	    is_running(r));
	tf_counter(m, "trailfs_follow_restarts_total",
	    "How often it was started again.", atomic_load(&f->restarts));
	tf_gauge(m, "trailfs_follow_failing",
	    "1 if the organisation cannot be read now; it is tried again.",
	    atomic_load(&f->failing));
	if (at != 0)
		tf_gauge_seconds(m, "trailfs_follow_timestamp_seconds",
		    "When all origins were last compared with the organisation.",
		    seconds(at));
	tf_gauge(m, "trailfs_follow_entries",
	    "Entries of the ledger of the organisation then.",
	    atomic_load(&f->entries));
	tf_gauge(m, "trailfs_follow_refused_origins",
	    "Origins that could not be brought up to date then, for example "
	    "because something of them is altered.",
	    atomic_load(&f->refused));
	tf_gauge(m, "trailfs_follow_disordered",
	    "1 if the ledger does not fit what the organisation has signed.",
	    atomic_load(&f->disordered));
	put_cache(r, m);
}

/* --- the file ------------------------------------------------------------------ */

static void
close_text(struct fs_router *r, struct fs_text *t)
{
	if (t->prev == NULL)
		r->texts = t->next;
	else
		t->prev->next = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	tf_buf_free(&t->text);
	free(t);
	atomic_fetch_sub(&r->n_opened, 1);
}

static struct fs_text *
open_text(struct fs_router *r)
{
	struct fs_text *t = calloc(1, sizeof *t);
	const struct tf_metrics m = {
		.out = t != NULL ? &t->text : NULL,
		.origin = fs_follower_mounted(r->o),
	};

	if (t == NULL)
		return NULL;
	put_mount(r, &m);
	put_origins(r, &m);
	put_follower(r, &m);
	t->next = r->texts;
	if (t->next != NULL)
		t->next->prev = t;
	r->texts = t;
	atomic_fetch_add(&r->n_opened, 1);
	if (!t->text.failed)
		return t;
	close_text(r, t);
	return NULL;
}

void
fs_router_metrics_open(struct fs_router *r, const struct fuse_in_header *in)
{
	struct fs_text *t = open_text(r);
	const struct fuse_open_out out = { .fh = (uintptr_t)t,
		.open_flags = FOPEN_DIRECT_IO };

	if (t == NULL)
		(void)fs_router_answer(r, in->unique, -ENOMEM, NULL, 0);
	else if (!fs_router_answer(r, in->unique, 0, &out, sizeof out))
		close_text(r, t);
}

void
fs_router_metrics_read(struct fs_router *r, const struct fuse_in_header *in)
{
	const struct fuse_read_in *arg = (const void *)(in + 1);
	const struct fs_text *t = (const void *)(uintptr_t)arg->fh;
	const size_t left = arg->offset < t->text.n ?
	    t->text.n - (size_t)arg->offset :
	    0;

	(void)fs_router_answer(r, in->unique, 0, t->text.p + t->text.n - left,
	    arg->size < left ? arg->size : left);
}

void
fs_router_metrics_release(struct fs_router *r, const struct fuse_in_header *in)
{
	const struct fuse_release_in *arg = (const void *)(in + 1);

	close_text(r, (void *)(uintptr_t)arg->fh);
	(void)fs_router_answer(r, in->unique, 0, NULL, 0);
}

void
fs_router_control_end(struct fs_router *r)
{
	while (r->texts != NULL)
		close_text(r, r->texts);
}
