/* Patterns: what is allowed, and matching: see pattern.h. */
#include "pattern.h"

#include <string.h>

#define REPEATS 255
#define KEPT 256 /* bytes matched before it is compiled again */

struct scan {
	const char *s;
	size_t n, i;
	const char *why;
};

/* An atom of no size cannot be repeated. */
struct atom {
	unsigned size;
	bool repeats; /* a repeat may follow */
};

static bool
complain(struct scan *sc, const char *why)
{
	if (sc->why == NULL)
		sc->why = why;
	return false;
}

static char
peek(const struct scan *sc)
{
	return sc->i < sc->n ? sc->s[sc->i] : '\0';
}

/* Scan "[:alpha:]"; i is behind the first bracket. */
static bool
scan_class(struct scan *sc)
{
	static const char *const names[] = { "alnum", "alpha", "blank", "cntrl",
		"digit", "graph", "lower", "print", "punct", "space", "upper",
		"xdigit" };

	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		size_t n = strlen(names[k]);

		if (sc->n - sc->i >= n + 3 &&
		    memcmp(sc->s + sc->i + 1, names[k], n) == 0 &&
		    memcmp(sc->s + sc->i + 1 + n, ":]", 2) == 0) {
			sc->i += n + 3;
			return true;
		}
	}
	return complain(sc, "unknown class of characters");
}

/* Scan a bracket expression; i is behind its first bracket. */
static bool
scan_bracket(struct scan *sc)
{
	size_t first;

	if (peek(sc) == '^')
		sc->i++;
	first = sc->i;
	while (sc->i < sc->n) {
		char c = sc->s[sc->i++];

		if (c == ']' && sc->i - 1 > first)
			return true;
		if (c == '\\')
			return complain(sc,
			    "backslash in brackets, where it escapes nothing");
		if (c != '[')
			continue;
		if (peek(sc) == '.' || peek(sc) == '=')
			return complain(sc, "[. and [= are not allowed");
		if (peek(sc) == ':' && !scan_class(sc))
			return false;
	}
	return complain(sc, "bracket not closed");
}

static bool
scan_count(struct scan *sc, unsigned *out)
{
	size_t start = sc->i;

	*out = 0;
	while (peek(sc) >= '0' && peek(sc) <= '9' && *out <= REPEATS)
		*out = *out * 10 + (unsigned)(sc->s[sc->i++] - '0');
	if (sc->i == start)
		return complain(sc, "count expected after {");
	return *out <= REPEATS || complain(sc, "more than 255 repeats");
}

/* Scan a repeat; i is behind its first character c.  *times becomes how often
 * the atom is written out. */
static bool
scan_repeat(struct scan *sc, char c, unsigned *times)
{
	unsigned low, high;

	*times = 2;
	if (c != '{')
		return true;
	if (!scan_count(sc, &low))
		return false;
	high = low;
	if (peek(sc) == ',') {
		sc->i++;
		high = low + 1;
		if (peek(sc) != '}' && !scan_count(sc, &high))
			return false;
		if (high < low)
			return complain(sc, "repeats from high to low");
	}
	if (peek(sc) != '}')
		return complain(sc, "repeat not closed");
	sc->i++;
	*times = high > 0 ? high : 1;
	return true;
}

static bool scan_branches(struct scan *sc, unsigned depth, unsigned *size);

/* Scan one atom other than a repeat; i is behind its first character c. */
static bool
scan_atom(struct scan *sc, char c, unsigned depth, struct atom *a)
{
	*a = (struct atom){ .size = 1, .repeats = c != '^' && c != '$' };
	switch (c) {
	case '(':
		if (!scan_branches(sc, depth + 1, &a->size))
			return false;
		if (peek(sc) != ')')
			return complain(sc, "parenthesis not closed");
		sc->i++;
		return true;
	case '[':
		return scan_bracket(sc);
	case '\\':
		c = peek(sc);
		if (c == '\0' || strchr(".[]{}()*+?^$|\\", c) == NULL)
			return complain(sc, "this escape is not allowed");
		sc->i++;
		return true;
	default:
		return true;
	}
}

/* Scan what is between parentheses, or the whole pattern. */
static bool
scan_branches(struct scan *sc, unsigned depth, unsigned *size)
{
	struct atom a = { 0 };
	bool empty = true;
	unsigned times;

	*size = 1;
	while (sc->i < sc->n && !(peek(sc) == ')' && depth > 0)) {
		char c = sc->s[sc->i++];

		if (c == '|') {
			if (empty)
				break;
			empty = true;
			a = (struct atom){ 0 };
			continue;
		}
		if (c == ')')
			return complain(sc, "parenthesis not opened");
		if (strchr("*+?{", c) != NULL) {
			if (!a.repeats)
				return complain(sc, "nothing to repeat");
			if (!scan_repeat(sc, c, &times))
				return false;
			*size += a.size * (times - 1);
			a.repeats = false;
		} else {
			if (!scan_atom(sc, c, depth, &a))
				return false;
			*size += a.size;
			empty = false;
		}
		if (*size > TF_PATTERN_SIZE)
			return complain(sc,
			    "too large with repeats written out");
	}
	return !empty || complain(sc, "empty branch");
}

/*
 * regexec tries each start of a match one after the other, which takes the
 * square of the length.  After "^.*" it tries only one, so the time is linear.
 */
static enum tf_code
compile(struct tf_pattern *p, struct tf_str pattern, struct tf_error *err)
{
	char text[TF_PATTERN_BYTES + 8] = "^.*(";

	memcpy(text + 4, pattern.p, pattern.n);
	memcpy(text + 4 + pattern.n, ")", 2);
	switch (regcomp(&p->re, text, REG_EXTENDED | REG_NOSUB)) {
	case 0:
		p->compiled = true;
		p->used = 0;
		return TF_OK;
	case REG_ESPACE:
		return tf_nomem(err);
	default:
		return tf_fail(err, TF_INVALID,
		    "pattern: not a regular expression");
	}
}

enum tf_code
tf_pattern_check(struct tf_str pattern, unsigned *size, struct tf_error *err)
{
	struct scan sc = { .s = pattern.p, .n = pattern.n };
	struct tf_pattern compiled = { 0 };
	enum tf_code rc;

	*size = 0;
	if (pattern.n == 0 || pattern.n > TF_PATTERN_BYTES)
		return tf_fail(err, TF_INVALID, "a pattern has 1 to %d bytes",
		    TF_PATTERN_BYTES);
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] < 0x20 || pattern.p[i] > 0x7e)
			return tf_fail(err, TF_INVALID,
			    "a pattern is printable ASCII");
	}
	if (!scan_branches(&sc, 0, size))
		return tf_fail(err, TF_INVALID, "pattern: %s, at byte %zu",
		    sc.why, sc.i);
	/* What is left is for regcomp to refuse, as [b-a]. */
	rc = compile(&compiled, pattern, err);
	tf_pattern_free(&compiled);
	return rc;
}

enum tf_code
tf_pattern_match(struct tf_pattern *p, struct tf_str pattern,
    struct tf_str text, bool *readable, bool *matches, struct tf_error *err)
{
	char s[TF_PATTERN_SUBJECT + 1];
	enum tf_code rc;
	int found;

	*matches = false;
	*readable = text.n <= TF_PATTERN_SUBJECT &&
	    (text.n == 0 || memchr(text.p, '\0', text.n) == NULL);
	if (!*readable)
		return TF_OK;
	if (!p->compiled && (rc = compile(p, pattern, err)) != TF_OK)
		return rc;
	p->used += text.n;
	if (text.n > 0)
		memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	found = regexec(&p->re, s, 0, NULL, 0);
	/* regexec may keep a state for each byte, and frees none. */
	if (p->used > KEPT)
		tf_pattern_free(p);
	if (found != 0 && found != REG_NOMATCH)
		return tf_nomem(err);
	*matches = found == 0;
	return TF_OK;
}

void
tf_pattern_free(struct tf_pattern *p)
{
	if (p->compiled)
		regfree(&p->re);
	*p = (struct tf_pattern){ 0 };
}
