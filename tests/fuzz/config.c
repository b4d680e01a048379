/* STORE/config: accepted values are within their limits. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../core/node/vault_i.h"
#include "../../core/vault/config.h"
#include "fuzz.h"

static char dir[] = "/dev/shm/trailfs-fuzz.XXXXXX";
static int dirfd_ = -1;

static void
tidy(void)
{
	(void)unlinkat(dirfd_, "config", 0);
	(void)rmdir(dir);
}

static void
set_up(void)
{
	MUST(mkdtemp(dir) != NULL);
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(dirfd_ >= 0);
	atexit(tidy);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_vault v = { 0 };
	enum tf_code rc;
	int fd;

	if (dirfd_ < 0)
		set_up();
	fd = openat(dirfd_, "config", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	MUST(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
	v.dirfd = dirfd_;
	rc = tf_config_read(&v, NULL);
	MUST(rc == TF_OK || rc == TF_USAGE || rc == TF_TOOBIG);
	MUST(v.settings.value[TF_SETTLE] <= 60);
	MUST(v.guard == NULL || v.guard[0] == '/');
	free(v.guard);
	return 0;
}
