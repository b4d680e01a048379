/* Leftovers in a database: see spoil.h. */
#include "spoil.h"

#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../../core/base/file.h"

unsigned
spoil_pages(const char *name, const char *word)
{
	size_t n = strlen(word);
	struct tf_buf b = { 0 };
	unsigned spoilt = 0;
	FILE *f;

	ck_assert_int_eq(TF_OK,
	    tf_file_read(AT_FDCWD, name, SIZE_MAX, &b, NULL));
	for (size_t off = 0; off < b.n; off += 4096) {
		uint8_t *p = (uint8_t *)b.p + off, *h = p + (off ? 0 : 100);
		size_t used = (size_t)(h - p) + 12 +
		    2 * (size_t)(h[3] << 8 | h[4]);

		if ((h[0] == 13 || h[0] == 10) &&
		    used + n <= (size_t)(h[5] << 8 | h[6])) {
			memcpy(p + used, word, n);
			spoilt++;
		}
	}
	/* The same file: another one would not be at home. */
	ck_assert_ptr_nonnull(f = fopen(name, "r+"));
	ck_assert_uint_eq(b.n, fwrite(b.p, 1, b.n, f));
	ck_assert_int_eq(0, fclose(f));
	tf_buf_free(&b);
	return spoilt;
}
