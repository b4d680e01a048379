/* Packages: the rule of names, and one changed byte anywhere in an archive. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/archive/format.h"
#include "../../core/archive/members.h"
#include "../../core/archive/names.h"
#include "../../core/archive/open.h"
#include "../../core/archive/reader.h"
#include "../../core/archive/safe_name.h"
#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/verify.h"
#include "vectors.h"

#define GOLDEN "../packages/golden/v1/"

/* --- names ------------------------------------------------------------------ */

static const struct {
	const char *name, *file, *directory; /* NULL: as the file */
} safe[] = {
	{ "report.txt", "report.txt", NULL },
	{ ".env", ".env", NULL },
	{ " x", " x", NULL },
	{ "\xc3\xbc", "\xc3\xbc", NULL },
	{ "a:b", "a=3Ab", NULL },
	{ "<>\"|?*\\%", "=3C=3E=22=7C=3F=2A=5C=25", NULL },
	{ "k=v", "k=v", NULL },
	/* Decomposed, a sign with a composed twin, and Hangul in parts. */
	{ "U\xcc\x88:", "U=CC=88=3A", NULL },
	{ "\xe2\x84\xab", "=E2=84=AB", NULL },
	{ "\xe1\x84\x80\xe1\x85\xa1", "=E1=84=80=E1=85=A1", NULL },
	{ "\xea\xb0\x80", "\xea\xb0\x80", NULL },
	{ "e\xcc\x81\xc3\xa9", "e=CC=81=C3=A9", NULL },
	{ "k=3Av", "k=3D3Av", NULL },
	{ "k=3av", "k=3av", NULL },
	{ "dot.", "dot=2E", NULL },
	{ "...", "..=2E", NULL },
	{ "space ", "space=20", NULL },
	{ "con", "=63on", NULL },
	{ "CON.tar.gz", "=43ON.tar.gz", NULL },
	{ "Aux .txt", "=41ux .txt", NULL },
	{ "com1", "=63om1", NULL },
	{ "lpt\xc2\xb2.x", "=6Cpt\xc2\xb2.x", NULL },
	{ "com10", "com10", NULL },
	{ "console", "console", NULL },
	{ "x.tlog-proof", "x.tlog-proof", "x.tlog-proo=66" },
	{ "x.TLOG-PROOF", "x.TLOG-PROOF", "x.TLOG-PROO=46" },
};

static void
is_safe(const char *name, bool directory, const char *want)
{
	struct tf_buf b = { 0 };

	tf_package_safe(&b, str_of(name), directory);
	assert_same(want, strlen(want), b.p, b.n);
	ck_assert(tf_package_is_safe((struct tf_str){ b.p, b.n }));
	tf_buf_free(&b);
}

START_TEST(names_that_some_system_cannot_hold_are_written_otherwise)
{
	is_safe(safe[_i].name, false, safe[_i].file);
	is_safe(safe[_i].name, true,
	    safe[_i].directory != NULL ? safe[_i].directory : safe[_i].file);
}
END_TEST

/* A proof's suffix must fit, whatever was cut or escaped. */
START_TEST(no_name_gets_too_long)
{
	static const char *const unit[] = { "n", ":", "\xc3\xbc",
		"\xf0\x9f\x93\x84", ".", " ", "u\xcc\x88" };
	char name[256] = "";
	struct tf_buf b = { 0 };

	for (size_t n = 0; n + strlen(unit[_i]) <= 255; n = strlen(name))
		strcat(name, unit[_i]);
	tf_package_safe(&b, str_of(name), false);
	ck_assert_uint_le(b.n, 255 - strlen(TF_PACKAGE_PROOF));
	ck_assert(tf_package_is_safe((struct tf_str){ b.p, b.n }));
	/* Nothing is cut within a character. */
	for (size_t i = 0, k; i < b.n; i += k) {
		uint32_t c;

		k = tf_utf8(b.p + i, b.n - i, &c);
		ck_assert_uint_gt(k, 0);
	}
	/* Nor within an escape. */
	ck_assert_int_ne('=', b.p[b.n - 1]);
	ck_assert_int_ne('=', b.p[b.n - 2]);
	tf_buf_free(&b);
}
END_TEST

static void
gives(struct tf_package_names *n, const char *path, const char *want)
{
	struct tf_buf b = { 0 };

	ck_assert_int_eq(TF_OK, tf_package_file(n, str_of(path), &b, NULL));
	assert_same(want, strlen(want), b.p, b.n);
	tf_buf_free(&b);
}

START_TEST(names_that_differ_in_case_only_are_told_apart)
{
	struct tf_package_names *n = tf_package_names_new(TF_PACKAGE_FORMAT);

	gives(n, "a/README", "a/README");
	gives(n, "a/readme", "a/2~readme");
	gives(n, "a/ReadMe", "a/3~ReadMe");
	gives(n, "a/2~readme", "a/2~2~readme");
	gives(n, "b/readme", "b/readme");
	gives(n, "A/readme", "2~A/readme");
	gives(n, "A/x", "2~A/x");
	gives(n, "a/\xc3\x84", "a/\xc3\x84");
	gives(n, "a/\xc3\xa4", "a/2~\xc3\xa4");
	gives(n, "a/\xce\xa3", "a/\xce\xa3");
	gives(n, "a/\xcf\x83", "a/2~\xcf\x83");
	gives(n, "a/\xd0\x96", "a/\xd0\x96");
	gives(n, "a/\xd0\xb6", "a/2~\xd0\xb6");
	gives(n, "a/\xc3\x97", "a/\xc3\x97"); /* multiplication and */
	gives(n, "a/\xc3\xb7", "a/\xc3\xb7"); /* division are no letters */
	/* A file and a directory are in each other's way, too. */
	gives(n, "c", "c");
	gives(n, "C/x", "2~C/x");
	tf_package_names_free(n);
}
END_TEST

/* Pairs that a list of a few alphabets misses. */
static const struct {
	const char *one, *other;
} clash[] = {
	{ "\xc7\x84", "\xc7\x86" },	/* Latin: DZ with caron */
	{ "\xc8\x80", "\xc8\x81" },	/* A with double grave */
	{ "\xc6\x81", "\xc9\x93" },	/* B with hook */
	{ "\xc5\xbf", "s" },		/* long s */
	{ "K", "\xe2\x84\xaa" },	/* Kelvin, which is not composed */
	{ "\xe1\xba\x9e", "\xc3\x9f" }, /* sharp s */
	{ "stra\xc3\x9f"
	  "e",
	    "STRASSE" },
	{ "\xef\xac\x81", "fi" },	    /* a ligature */
	{ "\xce\x86", "\xce\xac" },	    /* Greek: Alpha with tonos */
	{ "\xcf\x82", "\xcf\x83" },	    /* final sigma */
	{ "\xe1\xbc\x88", "\xe1\xbc\x80" }, /* Alpha with psili */
	{ "\xc2\xb5", "\xce\xbc" },	    /* micro and my */
	{ "\xd3\x80", "\xd3\x8f" },	    /* Cyrillic: palochka */
	{ "\xd4\x80", "\xd4\x81" },	    /* Komi De */
	{ "\xd3\x81", "\xd3\x82" },	    /* Zhe with breve */
	{ "\xe1\x82\xa0", "\xe2\xb4\x80" }, /* Georgian */
	{ "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8" }, /* Deseret */
	{ "a", "a\xc2\xad" }, /* a soft hyphen is not seen */
};

START_TEST(names_that_any_system_takes_for_one_are_told_apart)
{
	struct tf_package_names *n = tf_package_names_new(TF_PACKAGE_FORMAT);
	struct tf_buf b = { 0 };

	gives(n, clash[_i].one, clash[_i].one);
	ck_assert_int_eq(TF_OK,
	    tf_package_file(n, str_of(clash[_i].other), &b, NULL));
	/* Kelvin is spelled with escapes, which is enough. */
	ck_assert(b.n > 2 && (memcmp(b.p, "2~", 2) == 0 || b.p[0] == '='));
	tf_buf_free(&b);
	tf_package_names_free(n);
}
END_TEST

/* What was packaged before keeps its names. */
START_TEST(the_first_format_spells_as_it_did)
{
	struct tf_package_names *n = tf_package_names_new(1);

	gives(n, "U\xcc\x88", "U\xcc\x88");
	gives(n, "\xc3\x9c", "\xc3\x9c");
	gives(n, "\xc7\x84", "\xc7\x84");
	gives(n, "\xc7\x86", "\xc7\x86");
	gives(n, "\xd0\x96", "\xd0\x96");
	gives(n, "\xd0\xb6", "2~\xd0\xb6");
	tf_package_names_free(n);
}
END_TEST

/* Whatever is recorded, no two files get one name, in any case. */
START_TEST(many_names_stay_apart)
{
	static const char *const part[] = { "a", "A", "a:", "a=3A", "a=3D3A",
		"2~a", "2~A", "con", "=63on", "a.", "a=2E", "%" };
	struct tf_package_names *n = tf_package_names_new(TF_PACKAGE_FORMAT);
	const size_t parts = sizeof(part) / sizeof(*part);
	char *given[sizeof(part) / sizeof(*part) *
	    (sizeof(part) / sizeof(*part) + 1)];
	size_t all = 0;

	for (size_t i = 0; i < parts * parts; i++) {
		struct tf_buf b = { 0 };
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", part[i / parts],
		    part[i % parts]);
		must(tf_package_file(n, str_of(path), &b, NULL) == TF_OK);
		tf_buf_add(&b, "", 1);
		for (size_t k = 0; k < all; k++)
			must(strcasecmp(given[k], b.p) != 0);
		given[all++] = b.p;
	}
	while (all > 0)
		free(given[--all]);
	tf_package_names_free(n);
}
END_TEST

/* --- archives --------------------------------------------------------------- */

static char file[64];

static void
write_copy(const struct tf_buf *b)
{
	int fd;

	strcpy(file, "/tmp/test-package.XXXXXX");
	fd = mkstemp(file);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((ssize_t)b->n, write(fd, b->p, b->n));
	close(fd);
}

static void
put_byte(size_t at, char c)
{
	FILE *f = fopen(file, "r+");

	must(f != NULL && fseek(f, (long)at, SEEK_SET) == 0 &&
	    fputc(c, f) != EOF && fclose(f) == 0);
}

/* True when all is said to be right. */
static bool
verifies(const char *vkey)
{
	struct tf_verify v = { .vkey = vkey, .threads = 1 };
	struct tf_report r;

	return tf_verify_package(file, &v, &r, NULL) == TF_OK &&
	    r.findings == 0 && !r.foreign && r.newer == 0;
}

/* One changed byte is found, wherever it is. */
START_TEST(a_changed_byte_is_found)
{
	struct tf_buf zip = read_vector(GOLDEN "workflow.zip"),
		      vkey = read_vector(GOLDEN "vkey");
	uint64_t seed = (uint64_t)_i + 1;

	write_copy(&zip);
	must(verifies(vkey.p));
	for (size_t i = (size_t)(chance(&seed) % 53); i < zip.n; i += 53) {
		char bit = (char)(1 << (chance(&seed) % 8));

		put_byte(i, zip.p[i] ^ bit);
		ck_assert_msg(!verifies(vkey.p), "byte %zu, %#x", i,
		    (unsigned)bit);
		put_byte(i, zip.p[i]);
	}
	must(verifies(vkey.p));
	unlink(file);
	tf_buf_free(&zip);
	tf_buf_free(&vkey);
}
END_TEST

/* However short it was cut. */
START_TEST(a_cut_package_is_refused)
{
	struct tf_buf zip = read_vector(GOLDEN "no-workflow.zip"),
		      vkey = read_vector(GOLDEN "vkey");

	write_copy(&zip);
	must(verifies(vkey.p));
	for (size_t n = zip.n; n > 0; n -= n > 61 ? 61 : n) {
		must(truncate(file, (off_t)n - 1) == 0);
		must(!verifies(vkey.p));
	}
	unlink(file);
	tf_buf_free(&zip);
	tf_buf_free(&vkey);
}
END_TEST

Suite *
suite_package(void)
{
	Suite *s = suite_create("package");
	TCase *names = tcase_create("names"),
	      *archives = tcase_create("archives");

	tcase_add_loop_test(names,
	    names_that_some_system_cannot_hold_are_written_otherwise, 0,
	    sizeof(safe) / sizeof(*safe));
	tcase_add_loop_test(names, no_name_gets_too_long, 0, 7);
	tcase_add_test(names, names_that_differ_in_case_only_are_told_apart);
	tcase_add_loop_test(names,
	    names_that_any_system_takes_for_one_are_told_apart, 0,
	    (int)(sizeof(clash) / sizeof(*clash)));
	tcase_add_test(names, the_first_format_spells_as_it_did);
	tcase_add_test(names, many_names_stay_apart);
	suite_add_tcase(s, names);
	tcase_set_timeout(archives, 300);
	tcase_add_loop_test(archives, a_changed_byte_is_found, 0, 2);
	tcase_add_test(archives, a_cut_package_is_refused);
	suite_add_tcase(s, archives);
	return s;
}
