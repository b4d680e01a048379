/* The rule of names: no other file examines the characters of names. */
#include <stdio.h>
#include <string.h>

#include "../base/mutant.h"
#include "../base/bytes.h"
#include "../base/time_text.h"
#include "name.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || is_capital(c) || (c >= 'a' && c <= 'z');
}

static bool
begins(const char *s, size_t n, const char *with)
{
	size_t len = strlen(with);

	return n >= len && memcmp(s, with, len) == 0;
}

static bool
ends(const char *s, size_t n, const char *with)
{
	size_t len = strlen(with);

	return n >= len && memcmp(s + n - len, with, len) == 0;
}

static bool
equals(const char *s, size_t n, const char *with)
{
	return n == strlen(with) && memcmp(s, with, n) == 0;
}

/* True for [A-Za-z0-9][A-Za-z0-9._~-]*. */
static bool
upper_name(const char *s, size_t n)
{
	if (n == 0 || !is_alnum(s[0]))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (!is_alnum(s[i]) && s[i] != '.' && s[i] != '_' &&
		    s[i] != '~' && s[i] != '-')
			return false;
	}
	return true;
}

/* NAME@1 and NAME@02 are no versions: each version has one spelling. */
size_t
tf_name_version(const char *name, size_t n, unsigned *version)
{
	const char *at = n > 0 ? memchr(name, '@', n) : NULL;
	size_t base = at ? (size_t)(at - name) : n;
	uint64_t v;

	*version = 1;
	if (!at || n - base - 1 > 6 ||
	    !tf_decimal(at + 1, n - base - 1, 999999, &v) || v < 2)
		return n;
	*version = (unsigned)v;
	return base;
}

/*
 * Any UTF-8 that shows as what it is: evidence keeps the names that programs
 * gave it.
 */
static enum tf_code
check_evidence(const char *name, size_t n, struct tf_error *err)
{
	if (equals(name, n, ".") || equals(name, n, ".."))
		return tf_fail(err, TF_BADNAME, "a name of dots only");
	for (size_t i = 0; i < n;) {
		uint32_t c;
		unsigned len = tf_utf8(name + i, n - i, &c);

		if (len == 0)
			return tf_fail(err, TF_BADUTF8,
			    "a name that is not UTF-8");
		if (tf_hidden_char(c) || c == '/')
			return tf_fail(err, TF_BADNAME,
			    "U+%04X cannot stand in a name", (unsigned)c);
		i += len;
	}
	return TF_OK;
}

enum tf_code
tf_name_check(enum tf_kind kind, const char *name, size_t n,
    struct tf_error *err)
{
	unsigned version;

	if (n == 0)
		return tf_fail(err, TF_BADNAME, "an empty name");
	if (TF_IS_MUTANT(TF_ANY_NAME))
		return TF_OK;
	if (n > TF_NAME_MAX)
		return tf_fail(err, TF_NAMETOOLONG,
		    "a name has at most %d bytes", TF_NAME_MAX);
	if (equals(name, n, TF_NAME_CONTROL))
		return tf_fail(err, TF_DENIED, "%s is reserved",
		    TF_NAME_CONTROL);
	switch (kind) {
	case TF_KIND_EVIDENCE:
	case TF_KIND_DIRECTORY:
		return check_evidence(name, n, err);
	case TF_KIND_ATTESTATION:
		n = tf_name_version(name, n, &version);
		break;
	case TF_KIND_TRAIL:
	case TF_KIND_WORKFLOW:
		break;
	default:
		return tf_fail(err, TF_DENIED, "the root has no name");
	}
	if (!upper_name(name, n))
		return tf_fail(err, TF_BADNAME,
		    "a name at this level is "
		    "[A-Za-z0-9][A-Za-z0-9._~-]*");
	return TF_OK;
}

bool
tf_name_draft_attestation(const char *name, size_t n)
{
	return n > 1 && n <= TF_NAME_MAX && name[0] == '.' &&
	    upper_name(name + 1, n - 1) && !equals(name, n, TF_NAME_CONTROL);
}

/* True for ".NAME.XXXXXX" of rsync and mktemp, and for ".env.sample".  *random:
 * the suffix is no word. */
static bool
has_suffix(const char *name, size_t n, bool *random)
{
	*random = false;
	if (n < 9 || name[0] != '.' || name[n - 7] != '.')
		return false;
	for (size_t i = n - 6; i < n; i++) {
		if (!is_alnum(name[i]))
			return false;
		if (is_digit(name[i]) || is_capital(name[i]))
			*random = true;
	}
	return true;
}

static bool
random_suffix(const char *name, size_t n)
{
	bool random;

	return has_suffix(name, n, &random) && random;
}

bool
tf_name_may_be_draft(const char *name, size_t n)
{
	bool random;

	return has_suffix(name, n, &random) && !random;
}

/* True for ".*.sw?" and ".*.sw?x" of vim; ".swp" is a buffer without name. */
static bool
vim_swap(const char *name, size_t n)
{
	if (n < 4 || name[0] != '.')
		return false;
	if (memcmp(name + n - 4, ".sw", 3) == 0)
		return true;
	return n >= 5 && name[n - 1] == 'x' &&
	    memcmp(name + n - 5, ".sw", 3) == 0;
}

bool
tf_name_draft(const char *name, size_t n)
{
	/* Any characters may be between begin and end. */
	static const struct {
		const char *begin, *end;
	} drafts[] = {
		{ "", "~" }, { "", ".tmp" }, { "", ".part" },
		{ "", ".partial" }, { "", ".crdownload" }, { "", ".filepart" },
		{ "", ".aria2" }, { ".~lock.", "#" }, /* LibreOffice */
		{ "~$", "" },			      /* Office */
		{ ".#", "" },			      /* emacs: lock */
		{ "#", "#" },			      /* emacs: autosave */
		{ ".", ".kate-swp" },		      /* Kate */
		{ ".goutputstream-", "" },	      /* GLib */
		{ ".fuse_hidden", "" }, /* libfuse: deleted while open */
		{ ".nfs", "" },		/* NFS: the same */
	};

	for (size_t i = 0; i < sizeof(drafts) / sizeof(drafts[0]); i++) {
		if (n >= strlen(drafts[i].begin) + strlen(drafts[i].end) &&
		    begins(name, n, drafts[i].begin) &&
		    ends(name, n, drafts[i].end))
			return true;
	}
	return random_suffix(name, n) || vim_swap(name, n);
}

bool
tf_name_draft_dir(const char *name, size_t n)
{
	return equals(name, n, ".~tmp~") || equals(name, n, ".rsync-partial");
}

bool
tf_name_of_desktop(const char *path, size_t n)
{
	static const char *const names[] = { ".DS_Store", "Thumbs.db",
		"desktop.ini" };
	const char *slash = memrchr(path, '/', n);

	if (begins(path, n, "__MACOSX/"))
		return true;
	if (slash != NULL) {
		n -= (size_t)(slash + 1 - path);
		path = slash + 1;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (equals(path, n, names[i]))
			return true;
	return n > 2 && begins(path, n, "._");
}

bool
tf_name_draft_path(const char *path, size_t n, unsigned levels)
{
	const char *end = path + n, *slash;

	for (; (slash = memchr(path, '/', (size_t)(end - path))) != NULL;
	     path = slash + 1) {
		if (tf_name_draft_dir(path, (size_t)(slash - path)) ||
		    (levels == 1 &&
			tf_name_draft_attestation(path,
			    (size_t)(slash - path))))
			return true;
		levels -= levels > 0;
	}
	return tf_name_draft(path, (size_t)(end - path));
}

void
tf_name_interrupted(const char *name, size_t n, struct tf_time at,
    char out[TF_NAME_MAX + 1])
{
	char t[TF_TIME_LEN + 1], suffix[64];
	size_t len;

	tf_time_text(at, t);
	len = (size_t)snprintf(suffix, sizeof(suffix),
	    ".%.4s%.2s%.2sT%.2s%.2s%.2sZ.interrupted.part", t, t + 5, t + 8,
	    t + 11, t + 14, t + 17);
	if (n > TF_NAME_MAX - len) {
		n = TF_NAME_MAX - len;
		while (n > 0 && ((uint8_t)name[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, name, n);
	memcpy(out + n, suffix, len + 1);
}

bool
tf_origin_ok(const char *s, size_t n)
{
	if (n < 1 || n > 128 || equals(s, n, "cosignature/v1"))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(s[i]) &&
		    (s[i] == '\0' || !strchr("._~:/-", s[i])))
			return false;
	}
	return true;
}
