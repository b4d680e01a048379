/*
 * A package from a stranger: verified and unpacked.  Whatever it is, there is
 * an answer, and no more evidence in it than bytes.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../core/package.h"
#include "../../core/verify.h"
#include "fuzz.h"

static char dir[] = "/dev/shm/trailfs-fuzz.XXXXXX";
static char file[64], out[64];
static const char vkey[] =
    "example.org/golden+581ec23a+AQYSjMdXtSnh++C+V3uBtCPG"
    "jRU/03Yr8Rr/Unu0QB3N";

static void
tidy(void)
{
	(void)unlink(file);
	(void)rmdir(dir);
}

static void
set_up(void)
{
	MUST(mkdtemp(dir) != NULL);
	snprintf(file, sizeof(file), "%s/p.zip", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	atexit(tidy);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_verify v = { .vkey = vkey, .threads = 1 };
	struct tf_report r = { 0 };
	char command[160];
	uint64_t files = 0;
	enum tf_code rc;
	int fd;

	if (file[0] == '\0')
		set_up();
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
	rc = tf_verify_package(file, &v, &r, NULL);
	MUST(rc != TF_OK || r.findings > 0 || r.files <= n);
	rc = tf_package_unpack(file, out, &files, NULL);
	MUST(rc != TF_OK || access(out, F_OK) == 0);
	if (access(out, F_OK) == 0) {
		snprintf(command, sizeof(command), "rm -rf '%s'", out);
		MUST(system(command) == 0);
	}
	return 0;
}
