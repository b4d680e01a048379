/* Texts that stay until the test ends, and the content of files. */
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>

#include "harness.h"
#include "harness_i.h"

/* A list, so that the leak checker finds every text. */
static struct saved {
	struct saved *next;
	char text[];
} * all_saved;

char *
keep_bytes(size_t n)
{
	struct saved *k = malloc(sizeof *k + n + 1);

	ck_assert_ptr_nonnull(k);
	k->next = all_saved;
	all_saved = k;
	k->text[n] = '\0';
	return k->text;
}

char *
keep_text(const char *fmt, ...)
{
	char text[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return strcpy(keep_bytes(strlen(text)), text);
}

/* pread leaves the offset alone: programs in the background may still write
 * at it. */
char *
read_fd(int fd, size_t *n, bool whole)
{
	struct stat st;
	char *text;
	size_t cap, got = 0;
	ssize_t r = 1;

	ck_assert_int_eq(0, fstat(fd, &st));
	cap = (size_t)st.st_size + 1; /* one more, to meet the end */
	text = keep_bytes(cap);
	while (r > 0 && got < cap) {
		r = pread(fd, text + got, cap - got, (off_t)got);
		ck_assert_msg(r >= 0, "read: %s", errno_name(errno));
		got += (size_t)r;
	}
	ck_assert_msg(!whole || r == 0, "more than its st_size can be read");
	text[got] = '\0';
	if (n != NULL)
		*n = got;
	return text;
}

char *
content(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	ck_assert_msg(fd >= 0, "open %s: %s", path, errno_name(errno));
	text = read_fd(fd, n, true);
	close(fd);
	return text;
}

char *
noise(size_t n, unsigned seed)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	char *p = keep_bytes(n);

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (char)(x >> 32);
	}
	return p;
}
