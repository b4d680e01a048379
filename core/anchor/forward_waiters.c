/* The mounts that wait for the organisation, and the forwarder: see forward_i.h. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "../base/clock.h"
#include "forward_i.h"

static void
hang_up(int *peer)
{
	if (*peer >= 0)
		(void)close(*peer);
	*peer = -1;
}

static void
say_to(const struct tf_forwarder *f, int *peer, const char *why)
{
	struct tf_forward_word w = { .entries = f->compared ? f->out->entries :
							      0 };

	(void)snprintf(w.origin, sizeof(w.origin), "%s", f->src.origin);
	(void)snprintf(w.why, sizeof(w.why), "%s", why);
	/* The origin is known when the store was opened. */
	if (*peer >= 0 && w.origin[0] != '\0' && !tf_forward_tell(*peer, &w))
		hang_up(peer);
}

void
tf_forward_tell_waiters(struct tf_forwarder *f, const char *why)
{
	for (size_t i = 0; i < TF_FORWARD_PEERS; i++)
		say_to(f, &f->peer[i], why);
}

bool
tf_forward_is_awaited(const struct tf_forwarder *f)
{
	return f->wanted > f->out->entries || (f->wanted > 0 && !f->compared);
}

void
tf_forward_listen_to_mounts(struct tf_forwarder *f)
{
	struct tf_error why;

	if (f->o->once || f->listening >= 0)
		return;
	if (f->dirfd < 0)
		f->dirfd = open(f->o->store,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dirfd >= 0 &&
	    tf_forward_listen(f->dirfd, &f->listening, &why) != TF_OK) {
		f->listening = -1;
		(void)snprintf(f->out->unwritten, sizeof(f->out->unwritten),
		    "%s", why.text);
	}
}

static void
take_peer(struct tf_forwarder *f)
{
	int fd = tf_forward_accept(f->dirfd, f->listening);
	size_t i = 0;

	if (fd < 0)
		return;
	while (i < TF_FORWARD_PEERS - 1 && f->peer[i] >= 0)
		i++;
	hang_up(&f->peer[i]);
	f->peer[i] = fd;
	say_to(f, &f->peer[i], "");
}

void
tf_forward_hear(struct tf_forwarder *f, unsigned ms)
{
	struct pollfd p[TF_FORWARD_PEERS + 1] = { { .fd = f->listening,
	    .events = POLLIN } };
	uint64_t n;
	bool got;

	for (size_t i = 0; i < TF_FORWARD_PEERS; i++)
		p[i + 1] = (struct pollfd){ .fd = f->peer[i],
			.events = POLLIN };
	if (poll(p, TF_FORWARD_PEERS + 1, (int)ms) <= 0)
		return;
	for (size_t i = 0; i < TF_FORWARD_PEERS; i++) {
		if (p[i + 1].revents == 0)
			continue;
		if (!tf_forward_wanted(f->peer[i], &n, &got))
			hang_up(&f->peer[i]);
		else if (got && n > f->wanted)
			f->wanted = n;
		if (got && f->compared && n <= f->out->entries)
			say_to(f, &f->peer[i], "");
	}
	if (p[0].revents != 0)
		take_peer(f);
	got = false;
	for (size_t i = 0; i < TF_FORWARD_PEERS; i++)
		got = got || f->peer[i] >= 0;
	if (!got)
		f->wanted = 0;
}

void
tf_forward_hang_up(struct tf_forwarder *f)
{
	for (size_t i = 0; i < TF_FORWARD_PEERS; i++)
		hang_up(&f->peer[i]);
	if (f->listening >= 0) {
		(void)unlinkat(f->dirfd, TF_FORWARD_SOCKET, 0);
		(void)close(f->listening);
	}
	if (f->dirfd >= 0)
		(void)close(f->dirfd);
}

void
tf_forward_pause(struct tf_forwarder *f, unsigned ms)
{
	const uint64_t until = tf_clock_boot_ns() + (uint64_t)ms * 1000000;
	uint64_t now;

	while ((now = tf_clock_boot_ns()) < until)
		tf_forward_hear(f, (unsigned)((until - now) / 1000000) + 1);
}
