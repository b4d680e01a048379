/* Names. */
#include <sys/xattr.h>

#include "attack.h"

/* --- C19: parts of paths ---------------------------------------------------------------- */

static void
climb(void)
{
	static const char *const values[] = { "../x", "a/b", "/etc/passwd",
		"..", ".", "", "x\ny", "x\033[31m" };
	static const char *const paths[] = { "", ".", "..", "a/../..",
		".trailfs/proof/../x", ".trailfs/proof/..%2f..",
		"../.trailfs/types/../x", ".trailfs/types/..",
		"../../../.trailfs/find/../x" };
	char name[64];

	for (size_t i = 0; i < LEN(paths); i++) {
		tried(paths[i],
		    try_open(paths[i], O_WRONLY | O_CREAT | O_EXCL));
		tried(paths[i], mkdir(paths[i], 0777));
	}
	for (size_t i = 0; i < LEN(values); i++) {
		/* The names of slots and of types are names. */
		REFUSED(setxattr(".", "user.trailfs.type", values[i],
		    strlen(values[i]), 0));
		REFUSED(setxattr("..", "user.trailfs.state", values[i],
		    strlen(values[i]), 0));
	}
	REFUSED(try_open(fresh(name, "a/b"), O_WRONLY | O_CREAT));
}

/* --- C20, C21: characters ------------------------------------------------------------------ */

/* Nothing of the name may reach a terminal or break a line.  A name that is
 * refused is in denied.jsonl. */
static void
try_name(const char *name)
{
	char dir[300], draft[300];

	REFUSED(try_open(name, O_WRONLY | O_CREAT | O_EXCL));
	REFUSED(mkdir(name, 0777));
	snprintf(dir, sizeof dir, "../%s", name);
	REFUSED(mkdir(dir, 0777));
	snprintf(draft, sizeof draft, "%s.tmp", name);
	REFUSED(try_open(draft, O_WRONLY | O_CREAT | O_EXCL));
}

static void
control_characters(void)
{
	static const char *const parts[] = { "\xc2\x80", "\xc2\x85", "\xc2\x9b",
		"\xe2\x80\xa8", "\xe2\x80\xa9", "\xd8\x9c", "\xe2\x80\x8e",
		"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9" };
	char name[64];

	for (int c = 1; c < 32; c++) {
		snprintf(name, sizeof name, "a%cb", c);
		try_name(name);
	}
	try_name("a\177b");
	for (size_t i = 0; i < LEN(parts); i++) {
		snprintf(name, sizeof name, "a%sb", parts[i]);
		try_name(name);
	}
}

static void
other_encodings(void)
{
	static const char *const names[] = { "\xff\xfe", "a\x80", "\xc0\xaf",
		"\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80", "abc\xc3", "\xc3(" };
	char nfc[80], nfd[80], base[64], upper[80], lower[80];

	for (size_t i = 0; i < LEN(names); i++)
		try_name(names[i]);
	/* Trails, workflows and attestations have names of ASCII letters that
	 * every system can have. */
	REFUSED(mkdir("../caf\xc3\xa9", 0777));
	REFUSED(mkdir("../a b", 0777));
	REFUSED(mkdir("../-rf", 0777));
	REFUSED(mkdir("../a:b", 0777));
	REFUSED(mkdir("../a\\b", 0777));
	/* Files may look alike; each is a file of its own, with its bytes. */
	fresh(base, "alike");
	snprintf(nfc, sizeof nfc, "%s-\xc3\xa9", base);
	snprintf(nfd, sizeof nfd, "%s-e\xcc\x81", base);
	snprintf(upper, sizeof upper, "%s-A", base);
	snprintf(lower, sizeof lower, "%s-a", base);
	if (put(nfc, 10, 1) < 0 || put(upper, 10, 3) < 0)
		fault("%s: %s", base, strerror(errno));
	if (put(nfd, 10, 2) == 0 && access(nfc, F_OK) < 0)
		gained("one name replaced another that looks alike");
	if (put(lower, 10, 4) == 0 && access(upper, F_OK) < 0)
		gained("a case clash replaced a file");
}

/* --- C22, C23: lengths and reserved names ------------------------------------------------------- */

static void
lengths(void)
{
	char name[2048], path[8192];

	memset(name, 'n', sizeof name);
	name[256] = '\0';
	REFUSED(try_open(name, O_WRONLY | O_CREAT | O_EXCL));
	REFUSED(mkdir(name, 0777));
	name[256] = 'n';
	name[1024] = '\0';
	REFUSED(try_open(name, O_WRONLY | O_CREAT | O_EXCL));
	memset(path, 'p', sizeof path);
	for (size_t i = 0; i < sizeof path; i += 100)
		path[i] = '/';
	path[0] = '.';
	path[sizeof path - 1] = '\0';
	REFUSED(try_open(path, O_WRONLY | O_CREAT | O_EXCL));
	REFUSED(mkdir(path, 0777));
	/* 1,024 bytes below the attestation, and not one more. */
	fresh(name, "deep");
	WORKS(mkdir(name, 0777));
	for (int i = 0; i < 30; i++) {
		strcat(name, "/a-directory-with-a-name-of-forty-characters");
		if (mkdir(name, 0777) == 0)
			continue;
		tried("a directory that is too deep", -1);
		break;
	}
	if (strlen(name) > 1024 && access(name, F_OK) == 0)
		gained("a path of %zu bytes", strlen(name));
}

static void
reserved(void)
{
	static const char *const names[] = { ".trailfs", ".trailfs/x",
		".trailfs/proof/x", ".trailfs/types/../x",
		".trailfs/SHA256SUMS", ".trailfs/attestation.json",
		"../.trailfs", "../.trailfs/x", "../../.trailfs/types/x/y",
		"../../../.trailfs/x", "../../../.trailfs/tile/0/000",
		"../../../.trailfs/checkpoint" };

	for (size_t i = 0; i < LEN(names); i++) {
		REFUSED(try_open(names[i], O_WRONLY | O_CREAT | O_EXCL));
		REFUSED(mkdir(names[i], 0777));
		REFUSED(rename(DRAFT, names[i]));
		REFUSED(rmdir(names[i]));
		REFUSED(unlink(names[i]));
	}
	REFUSED(mkdir("../ev@1", 0777));
	REFUSED(mkdir("../ev@0", 0777));
	REFUSED(mkdir("../ev@02", 0777));
	REFUSED(mkdir("../ev@2x", 0777));
	REFUSED(mkdir("../ev@1000000", 0777));
}

const struct row name_rows[] = {
	{ "C19", "parts of paths in names and attributes", climb, EVERYBODY,
	    NULL },
	{ "C20", "control and bidi characters in names", control_characters,
	    EVERYBODY, NULL },
	{ "C21", "names of other encodings, and names that look alike",
	    other_encodings, STRANGERS | ROOT, NULL },
	{ "C22", "lengths of names and paths", lengths, STRANGERS | ROOT,
	    NULL },
	{ "C23", "reserved names", reserved, EVERYBODY, NULL },
	{ 0 },
};
