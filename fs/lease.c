/* Names that the kernel remembers for a moment: see lease.h. */
#include <errno.h>
#include <time.h>

#include "core/base/clock.h"
#include "lease.h"
#include "loop.h"

#define LEASE_S 0.02
/* The same, and two ticks of a kernel that counts 100 per second. */
#define EXPIRED_MS 50

static int64_t
now_ms(void)
{
	return (int64_t)(tf_clock_boot_ns() / 1000000);
}

unsigned
fs_lease_begin(const struct fs_lease *l)
{
	return atomic_load(&l->changes);
}

/* Either this call sees the change, or fs_lease_expire sees this grant. */
double
fs_lease_grant(struct fs_lease *l, unsigned begun)
{
	atomic_store(&l->granted, now_ms());
	return atomic_load(&l->changes) == begun ? LEASE_S : 0;
}

void
fs_lease_expire(struct fs_lease *l)
{
	struct timespec t = { 0 };
	int64_t granted, left;

	atomic_fetch_add(&l->changes, 1);
	granted = atomic_load(&l->granted);
	left = granted + EXPIRED_MS - now_ms();
	if (granted == 0 || left <= 0)
		return;
	fs_loop_away();
	/* At most EXPIRED_MS: what is granted from now on has the new owner. */
	t.tv_nsec = (long)left * 1000000;
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}
