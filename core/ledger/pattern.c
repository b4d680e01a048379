/*
 * Patterns: what is allowed, and matching: see pattern.h.  The patterns come
 * from users and are matched by regexec(3) of the C library, so everything is
 * refused before that could make it slow, large or different on another host:
 * back references, equivalence classes, escapes with a meaning of their own,
 * and repeats that would be too large when they are written out.
 */
#include "pattern.h"

#include <string.h>

#define REPEATS 255
#define KEPT 256 /* bytes matched before it is compiled again */

struct scan {
	const char *s;
	size_t n, i;
	const char *why;
	size_t branch[TF_PATTERN_BYTES]; /* where each begins that is in no
					  * parentheses */
	size_t branches;
};

/* An atom of no size cannot be repeated. */
struct atom {
	unsigned size;
	bool repeats; /* a repeat may follow */
};

/* The first reason stays: later ones follow from it. */
static bool
complain(struct scan *sc, const char *why)
{
	if (sc->why == NULL)
		sc->why = why;
	return false;
}

/* NUL at the end; a pattern has none, as scan_pattern() has checked. */
static char
next_char(const struct scan *sc)
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

	if (next_char(sc) == '^')
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
		if (next_char(sc) == '.' || next_char(sc) == '=')
			return complain(sc, "[. and [= are not allowed");
		if (next_char(sc) == ':' && !scan_class(sc))
			return false;
	}
	return complain(sc, "bracket not closed");
}

/* Stops behind the first digit too many, so the number cannot overflow. */
static bool
scan_count(struct scan *sc, unsigned *out)
{
	size_t start = sc->i;

	*out = 0;
	while (next_char(sc) >= '0' && next_char(sc) <= '9' && *out <= REPEATS)
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
	if (next_char(sc) == ',') {
		sc->i++;
		high = low + 1;
		if (next_char(sc) != '}' && !scan_count(sc, &high))
			return false;
		if (high < low)
			return complain(sc, "repeats from high to low");
	}
	if (next_char(sc) != '}')
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
	*a = (struct atom){ .size = 1, .repeats = true };
	switch (c) {
	case '(':
		if (!scan_branches(sc, depth + 1, &a->size))
			return false;
		if (next_char(sc) != ')')
			return complain(sc, "parenthesis not closed");
		sc->i++;
		return true;
	case '[':
		return scan_bracket(sc);
	case '\\':
		c = next_char(sc);
		if (c == '\0' || strchr(".[]{}()*+?^$|\\", c) == NULL)
			return complain(sc, "this escape is not allowed");
		sc->i++;
		return true;
	default:
		return true;
	}
}

/*
 * Scan an anchor c; i is behind it.  glibc lets ^ hold behind a line feed that a
 * part of the pattern has matched: so it must be first in its branch, as $ must
 * be last.
 */
static bool
scan_anchor(struct scan *sc, char c, unsigned depth)
{
	bool first = sc->i - 1 == sc->branch[sc->branches - 1];

	if (depth == 0 &&
	    (c == '^' ? first : sc->i == sc->n || next_char(sc) == '|'))
		return true;
	return complain(sc, "^ or $ inside a branch");
}

/* Scan a branch, up to its end.  *size grows by its atoms. */
static bool
scan_branch(struct scan *sc, unsigned depth, unsigned *size)
{
	struct atom a = { 0 };
	unsigned times, anchors = 0, atoms = 0;

	while (sc->i < sc->n && next_char(sc) != '|' &&
	    !(next_char(sc) == ')' && depth > 0)) {
		char c = sc->s[sc->i++];

		if (c == ')')
			return complain(sc, "parenthesis not opened");
		if (c == '^' || c == '$') {
			if (!scan_anchor(sc, c, depth))
				return false;
			anchors++;
			a.repeats = false;
		} else if (strchr("*+?{", c) != NULL) {
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
			atoms++;
		}
		if (*size > TF_PATTERN_SIZE)
			return complain(sc,
			    "too large with repeats written out");
	}
	return atoms > 0 || anchors == 2 || complain(sc, "empty branch");
}

/* Scan what is between parentheses, or the whole pattern. */
static bool
scan_branches(struct scan *sc, unsigned depth, unsigned *size)
{
	*size = 1;
	for (;;) {
		if (depth == 0)
			sc->branch[sc->branches++] = sc->i;
		if (!scan_branch(sc, depth, size))
			return false;
		if (next_char(sc) != '|')
			return true;
		sc->i++;
	}
}

/* Scan the pattern and set *size to its atoms. */
static enum tf_code
scan_pattern(struct scan *sc, struct tf_str pattern, unsigned *size,
    struct tf_error *err)
{
	*sc = (struct scan){ .s = pattern.p, .n = pattern.n };
	*size = 0;
	if (pattern.n == 0 || pattern.n > TF_PATTERN_BYTES)
		return tf_fail(err, TF_INVALID, "a pattern has 1 to %d bytes",
		    TF_PATTERN_BYTES);
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] < 0x20 || pattern.p[i] > 0x7e)
			return tf_fail(err, TF_INVALID,
			    "a pattern is printable ASCII");
	}
	if (scan_branches(sc, 0, size))
		return TF_OK;
	return tf_fail(err, TF_INVALID, "pattern: %s, at byte %zu", sc->why,
	    sc->i);
}

/*
 * Compile a pattern.  regexec tries each start of a match one after the other,
 * which takes the square of the length.  So each branch that does not begin
 * with ^ gets .* in front, and the whole a ^: the time is linear.
 */
static enum tf_code
compile(struct tf_pattern *p, struct tf_str pattern, unsigned *size,
    struct tf_error *err)
{
	char text[3 * TF_PATTERN_BYTES + 8] = "^(", *to = text + 2;
	struct scan sc;
	enum tf_code rc = scan_pattern(&sc, pattern, size, err);

	if (rc != TF_OK)
		return rc;
	for (size_t k = 0; k < sc.branches; k++) {
		size_t from = sc.branch[k];
		size_t end = k + 1 < sc.branches ? sc.branch[k + 1] : pattern.n;

		if (pattern.p[from] == '^')
			from++;
		else
			to = mempcpy(to, ".*", 2);
		to = mempcpy(to, pattern.p + from, end - from);
	}
	memcpy(to, ")", 2);
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
	/* regcomp refuses what is left, such as [b-a]. */
	struct tf_pattern p = { 0 };
	enum tf_code rc = compile(&p, pattern, size, err);

	tf_pattern_free(&p);
	return rc;
}

enum tf_code
tf_pattern_match(struct tf_pattern *p, struct tf_str pattern,
    struct tf_str text, bool *readable, bool *matches, struct tf_error *err)
{
	char s[TF_PATTERN_SUBJECT + 1];
	enum tf_code rc;
	unsigned size;
	int found;

	*matches = false;
	*readable = text.n <= TF_PATTERN_SUBJECT &&
	    (text.n == 0 || memchr(text.p, '\0', text.n) == NULL);
	if (!*readable)
		return TF_OK;
	if (!p->compiled && (rc = compile(p, pattern, &size, err)) != TF_OK)
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
