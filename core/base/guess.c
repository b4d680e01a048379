/*
 * Similar words: see guess.h.
 *
 * Three rows of the matrix are kept: a swap of two letters refers to the row
 * before the last.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../guess.h"

static char
plain(char c)
{
	return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The number of changes that make b of a; both have at most TF_GUESS_MAX
 * bytes. */
static unsigned
distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned row[3][TF_GUESS_MAX + 1];

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *now = row[i % 3];
		const unsigned *last = row[(i + 2) % 3];
		const unsigned *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			const bool same = plain(a[i - 1]) == plain(b[j - 1]);

			now[j] = least(last[j], now[j - 1]) + 1;
			now[j] = least(now[j], last[j - 1] + !same);
			if (i > 1 && j > 1 &&
			    plain(a[i - 1]) == plain(b[j - 2]) &&
			    plain(a[i - 2]) == plain(b[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return row[na % 3][nb];
}

static bool
begins(const char *word, const char *typed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (plain(word[i]) != plain(typed[i]))
			return false;
	return true;
}

void
tf_guess_add(struct tf_guess *g, const char *word)
{
	const size_t n = strlen(g->typed), of = strlen(word);
	unsigned d;

	if (n == 0 || n > TF_GUESS_MAX || of > TF_GUESS_MAX)
		return;
	d = distance(g->typed, n, word, of);
	if (n >= 2 && n < of && begins(word, g->typed, n))
		d = 1;
	if (d > 1 && d > of / 3)
		return;
	/* "x" is no misspelled "y". */
	if (d >= of || d >= n)
		return;
	if (g->best == NULL || d < g->distance) {
		g->best = word;
		g->distance = d;
	}
}

const char *
tf_guess_text(const struct tf_guess *g, const char *before,
    char out[TF_GUESS_TEXT])
{
	out[0] = '\0';
	if (g->best != NULL)
		(void)snprintf(out, TF_GUESS_TEXT, ": did you mean %s%s?",
		    before, g->best);
	return out;
}
