/*
 * The rule of names against a second one, written as patterns; drafts; and
 * that what is shown is harmless and says which bytes it was.
 */
#include <fnmatch.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/show.h"
#include "../../core/json.h"
#include "../../core/ledger/name.h"
#include "fuzz.h"

#define UPPER "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* [A-Za-z0-9][A-Za-z0-9._~-]* */
static bool
upper(const char *s)
{
	return *s != '\0' && strchr(UPPER, *s) != NULL &&
	    s[strspn(s, UPPER "._~-")] == '\0';
}

/* "NAME" or "NAME@N", N from 2. */
static bool
attestation(const char *s)
{
	char base[TF_NAME_MAX + 1];
	const char *at = strchr(s, '@');

	if (at == NULL)
		return upper(s);
	(void)snprintf(base, sizeof(base), "%.*s", (int)(at - s), s);
	return upper(base) && at[1] >= '1' && at[1] <= '9' &&
	    at[1 + strspn(at + 1, "0123456789")] == '\0' &&
	    strlen(at + 1) <= 6 && atoi(at + 1) >= 2;
}

/* What stands in no name: as UTF-8, each one. */
static bool
clean(const char *s)
{
	static const char *const bad[] = { "/", "\x7f", "\u2028", "\u2029",
		"\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c",
		"\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069" };
	uint32_t c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strstr(s, bad[i]) != NULL)
			return false;
	for (const char *p = s; *p != '\0'; p++) {
		if ((uint8_t)*p < 0x20)
			return false;
		if (*p == '\xc2' && (uint8_t)p[1] >= 0x80 &&
		    (uint8_t)p[1] <= 0x9f)
			return false; /* C1 */
	}
	for (size_t i = 0, n = strlen(s), len; i < n; i += len)
		if ((len = tf_utf8(s + i, n - i, &c)) == 0)
			return false;
	return true;
}

static bool
evidence(const char *s)
{
	return clean(s) && strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

static bool
rule(enum tf_kind kind, const char *s, size_t n)
{
	if (n == 0 || n > TF_NAME_MAX || strcmp(s, ".trailfs") == 0)
		return false;
	switch (kind) {
	case TF_KIND_TRAIL:
	case TF_KIND_WORKFLOW:
		return upper(s);
	case TF_KIND_ATTESTATION:
		return attestation(s);
	case TF_KIND_DIRECTORY:
	case TF_KIND_EVIDENCE:
		return evidence(s);
	default:
		return false;
	}
}

static bool
draft_rule(const char *s)
{
	static const char *const patterns[] = { ".*.sw?", ".*.sw?x", ".sw?",
		".sw?x", ".#*", ".goutputstream-*", "*~", "*.tmp", "*.part",
		"*.partial", "*.crdownload", "*.filepart", "*.aria2", "#*#",
		".~lock.*#", "~$*", ".*.kate-swp", ".fuse_hidden*", ".nfs*" };
	size_t n = strlen(s);

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (fnmatch(patterns[i], s, 0) == 0)
			return true;
	return n >= 9 && s[0] == '.' && s[n - 7] == '.' &&
	    strspn(s + n - 6, UPPER) == 6 &&
	    strspn(s + n - 6, "abcdefghijklmnopqrstuvwxyz") < 6;
}

static void
check_show(const char *s, size_t n)
{
	struct tf_buf b = { 0 };
	char back[8192];
	size_t k = 0;

	tf_name_show(&b, s, n);
	tf_buf_add(&b, "", 1);
	MUST(!b.failed && strlen(b.p) == b.n - 1);
	/* A path is shown, so a slash is no fault. */
	for (char *p = b.p; (p = strchr(p, '/')) != NULL;)
		*p++ = '\x01';
	for (char *p = b.p; *p != '\0'; p++)
		if (*p == '\x01')
			*p = '_';
	MUST(clean(b.p));
	b.n = 0;
	tf_name_show(&b, s, n);
	for (size_t i = 0; i < b.n && k < sizeof(back); k++) {
		if (b.p[i] != '\\') {
			back[k] = b.p[i++];
			continue;
		}
		MUST(b.n - i >= 4 && b.p[i + 1] == 'x');
		back[k] = (char)strtol((char[]){ b.p[i + 2], b.p[i + 3], 0 },
		    NULL, 16);
		i += 4;
	}
	if (n < sizeof(back))
		MUST(k == n && memcmp(back, s, n) == 0);
	tf_buf_free(&b);
}

static void
check_interrupted(const char *s, size_t n)
{
	char out[TF_NAME_MAX + 1];
	struct tf_time at = { 1795420800 + (int64_t)n, 0 };

	tf_name_interrupted(s, n, at, out);
	MUST(evidence(out) && strlen(out) <= TF_NAME_MAX);
	MUST(tf_name_draft(out, strlen(out)));
	MUST(n > 200 || strncmp(out, s, n) == 0);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	enum tf_kind kind = n > 0 ? data[0] % 7 : 0;
	const char *raw = (const char *)data + (n > 0);
	char s[2048];
	unsigned version;
	bool ok;

	n -= n > 0;
	check_show(raw, n);
	if (n >= sizeof(s))
		n = sizeof(s) - 1;
	memcpy(s, raw, n);
	s[n] = '\0';
	ok = tf_name_check(kind, raw, n, NULL) == TF_OK;
	if (strlen(s) < n) { /* NUL: never in a name */
		MUST(!ok);
		return 0;
	}
	MUST(ok == rule(kind, s, n));
	MUST(tf_name_draft(raw, n) == draft_rule(s));
	MUST(tf_name_draft_attestation(raw, n) ==
	    (s[0] == '.' && n <= TF_NAME_MAX && upper(s + 1) &&
		strcmp(s, ".trailfs") != 0));
	MUST(tf_name_version(raw, n, &version) <= n && version >= 1);
	if (ok && kind == TF_KIND_EVIDENCE)
		check_interrupted(s, n);
	MUST(tf_origin_ok(raw, n) ==
	    (n >= 1 && n <= 128 && s[strspn(s, UPPER "._~:/-")] == '\0' &&
		strcmp(s, "cosignature/v1") != 0));
	return 0;
}
