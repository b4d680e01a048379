/*
 * org-blobs URI WHO COMMAND: the functions of a store of blobs, for tests.  WHO is
 * reader, member or organiser.
 *   create                       make the store
 *   put FILE [SHA256 [UNTIL]]    prints the digest
 *   run NUMBER BYTES SEED        put random objects; prints each digest when its
 *                                put has succeeded, and goes on after failures
 *   get SHA256 FILE
 *   check                        get each digest of stdin
 *   range SHA256 OFF N           to stdout
 *   stat SHA256                  prints size, lock, until
 *   publish NAME FILE [keep]
 *   fetch NAME MAX               to stdout
 *   probe                        prints held, not held or unlocked
 * A failure prints the name of its code and its text, and exits 1.  run and check
 * print on stderr how many succeeded, and how long each took on average.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../core/base/bytes.h"
#include "../../../core/base/clock.h"
#include "../../../core/base/crypto.h"
#include "../../../core/base/file.h"
#include "../../../core/org/uri.h"

static struct tf_error err;
static struct tf_blobs *blobs;

static int
report(enum tf_code code)
{
	if (code == TF_OK)
		return 0;
	(void)fprintf(stderr, "%s: %s\n", tf_code_name(code), err.text);
	return 1;
}

static int
usage(void)
{
	(void)fputs("usage: org-blobs URI WHO COMMAND ARGUMENT...\n", stderr);
	return 2;
}

static struct tf_hash
hash_of(const char *hex)
{
	struct tf_hash h;

	if (!tf_unhex(hex, strlen(hex), h.b, sizeof(h.b)))
		exit(usage());
	return h;
}

static int
put(char **argv, int n)
{
	struct tf_hash sha256;
	char hex[65];
	uint64_t size;
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0 || tf_hash_fd(fd, &sha256, &size, &err) != TF_OK)
		return 2;
	if (n > 1)
		sha256 = hash_of(argv[1]);
	if (report(blobs->ops->put(blobs, &sha256, size, fd,
		n > 2 ? strtoll(argv[2], NULL, 10) : 0, &err)) != 0)
		return 1;
	tf_hex(sha256.b, sizeof(sha256.b), hex);
	return puts(hex) < 0;
}

static void
print_result(const char *what, unsigned done, unsigned of, uint64_t begin)
{
	const uint64_t ns = tf_clock_boot_ns() - begin;

	(void)fprintf(stderr, "%s %u of %u, %llu us each\n", what, done, of,
	    (unsigned long long)(ns / 1000 / (of > 0 ? of : 1)));
}

/* Bytes that follow from seed and number. */
static void
fill(char *p, size_t n, unsigned seed, unsigned number)
{
	uint64_t x = (uint64_t)seed << 32 | (number + 1);

	for (size_t i = 0; i < n; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
		p[i] = (char)(x >> 56);
	}
}

static int
run(char **argv)
{
	const unsigned number = (unsigned)atoi(argv[0]);
	const size_t size = (size_t)atoll(argv[1]);
	char *p = malloc(size + 1), hex[65];
	unsigned done = 0;
	uint64_t begin;
	int fd;

	if (p == NULL || tf_file_scratch(-1, &fd, &err) != TF_OK)
		return 2;
	begin = tf_clock_boot_ns();
	for (unsigned i = 0; i < number; i++) {
		struct tf_hash sha256;

		fill(p, size, (unsigned)atoi(argv[2]), i);
		tf_sha256(p, size, &sha256);
		if (tf_file_pwrite(fd, p, size, 0, &err) != TF_OK)
			return 2;
		if (report(blobs->ops->put(blobs, &sha256, size, fd, 0,
			&err)) != 0)
			continue;
		done++;
		tf_hex(sha256.b, sizeof(sha256.b), hex);
		(void)puts(hex);
		(void)fflush(stdout);
	}
	print_result("put", done, number, begin);
	free(p);
	return 0;
}

static int
check(void)
{
	unsigned done = 0, of = 0;
	char hex[80];
	uint64_t begin, size;
	int fd;

	if (tf_file_scratch(-1, &fd, &err) != TF_OK)
		return 2;
	begin = tf_clock_boot_ns();
	while (fgets(hex, sizeof(hex), stdin) != NULL) {
		struct tf_hash sha256;

		hex[strcspn(hex, "\n")] = '\0';
		sha256 = hash_of(hex);
		of++;
		if (ftruncate(fd, 0) == 0 &&
		    report(blobs->ops->get(blobs, &sha256, fd, &size, &err)) ==
			0)
			done++;
	}
	print_result("got", done, of, begin);
	return done != of;
}

static int
stat_blob(const char *hex)
{
	static const char *const locks[] = { "unlocked", "governance",
		"compliance" };
	const struct tf_hash sha256 = hash_of(hex);
	struct tf_blob_info info;

	if (report(blobs->ops->stat(blobs, &sha256, &info, &err)) != 0)
		return 1;
	return printf("%llu %s %lld\n", (unsigned long long)info.size,
		   locks[info.lock], (long long)info.until) < 0;
}

static int
get(char **argv)
{
	const struct tf_hash sha256 = hash_of(argv[0]);
	uint64_t size;
	int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd < 0 ?
	    2 :
	    report(blobs->ops->get(blobs, &sha256, fd, &size, &err));
}

static int
print(enum tf_code rc, struct tf_buf *b)
{
	int status = report(rc);

	if (status == 0 && fwrite(b->p, 1, b->n, stdout) != b->n)
		status = 2;
	tf_buf_free(b);
	return status;
}

static int
probe(void)
{
	static const char *const words[] = { "unlocked", "held", "not held" };
	enum tf_worm verdict;

	if (report(blobs->ops->probe_worm(blobs, &verdict, &err)) != 0)
		return 1;
	return puts(words[verdict]) < 0;
}

static int
command(const char *what, char **argv, int n)
{
	struct tf_buf b = { 0 };
	struct tf_hash h;
	int status;

	if (strcmp(what, "put") == 0 && n >= 1)
		return put(argv, n);
	if (strcmp(what, "run") == 0 && n == 3)
		return run(argv);
	if (strcmp(what, "get") == 0 && n == 2)
		return get(argv);
	if (strcmp(what, "check") == 0)
		return check();
	if (strcmp(what, "stat") == 0 && n == 1)
		return stat_blob(argv[0]);
	if (strcmp(what, "probe") == 0)
		return probe();
	if (strcmp(what, "range") == 0 && n == 3) {
		h = hash_of(argv[0]);
		return print(blobs->ops->get_range(blobs, &h,
				 strtoull(argv[1], NULL, 10),
				 strtoull(argv[2], NULL, 10), &b, &err),
		    &b);
	}
	if (strcmp(what, "fetch") == 0 && n == 2)
		return print(blobs->ops->fetch(blobs, argv[0],
				 strtoull(argv[1], NULL, 10), &b, &err),
		    &b);
	if (strcmp(what, "publish") == 0 && n >= 2) {
		if (tf_file_read(AT_FDCWD, argv[1], 1 << 20, &b, &err) != TF_OK)
			return 2;
		status = report(blobs->ops->publish(blobs, argv[0], b.p, b.n,
		    n > 2, &err));
		tf_buf_free(&b);
		return status;
	}
	return usage();
}

int
main(int argc, char **argv)
{
	enum tf_org_how how;
	int status;

	if (argc < 4)
		return usage();
	how = strcmp(argv[2], "reader") == 0 ? TF_ORG_READER :
	    strcmp(argv[2], "member") == 0   ? TF_ORG_MEMBER :
					       TF_ORG_ORGANISER;
	if (strcmp(argv[3], "create") == 0)
		return report(tf_blobs_create(argv[1], &err));
	if (report(tf_blobs_open(argv[1], how, &blobs, &err)) != 0)
		return 1;
	status = command(argv[3], argv + 4, argc - 4);
	tf_blobs_close(blobs);
	return status;
}
