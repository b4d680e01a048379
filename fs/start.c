/* Signals while the daemon opens the vault: see start.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "report.h"
#include "start.h"

static void
give_up(const struct fs_start *s)
{
	static const char line[] = "stopped by a signal while starting; the "
				   "next start goes on";
	unsigned char failed = EXIT_FAILURE;

	fs_report_line(LOG_NOTICE, "%s", line);
	if (s->parent >= 0) {
		fprintf(stderr, "trailfs: %s\n", line);
		(void)!write(s->parent, &failed, 1);
	}
	_exit(EXIT_FAILURE);
}

static void *
watch(void *arg)
{
	const struct fs_start *s = arg;
	struct pollfd p[2] = { { .fd = s->end, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN } };

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if ((p[0].revents & POLLIN) == 0 && (p[1].revents & POLLIN) != 0)
		give_up(s);
	return NULL;
}

void
fs_start_watch(struct fs_start *s, int signals, int parent)
{
	s->signals = signals;
	s->parent = parent;
	s->end = eventfd(0, EFD_CLOEXEC);
	s->runs = s->end >= 0 &&
	    pthread_create(&s->thread, NULL, watch, s) == 0;
}

void
fs_start_end(struct fs_start *s)
{
	if (s->runs) {
		(void)eventfd_write(s->end, 1);
		pthread_join(s->thread, NULL);
	}
	if (s->end >= 0)
		close(s->end);
}
