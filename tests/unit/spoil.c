/* Leftovers in a database: see spoil.h. */
#include "spoil.h"

#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "../../core/base/file.h"

unsigned
spoil_pages(const char *name, const char *word)
{
	size_t n = strlen(word);
	struct tf_buf b = { 0 };
	unsigned spoilt = 0;

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
	ck_assert_int_eq(TF_OK,
	    tf_file_write(AT_FDCWD, name, b.p, b.n, 0600, false, NULL));
	tf_buf_free(&b);
	return spoilt;
}
