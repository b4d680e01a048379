/* Numbers as text, compared as decimals: see number.h. */
#include "number.h"

#include <string.h>

#include "bytes.h"

#define EXPONENT_DIGITS 15

static size_t
digits(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= '0' && p[i] <= '9')
		i++;
	return i;
}

size_t
tf_number_length(struct tf_str s)
{
	size_t i = s.n > 0 && s.p[0] == '-', n = digits(s.p + i, s.n - i);

	if (n == 0 || (n > 1 && s.p[i] == '0'))
		return 0;
	i += n;
	if (i < s.n && s.p[i] == '.') {
		i++;
		n = digits(s.p + i, s.n - i);
		if (n == 0)
			return 0;
		i += n;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
		n = digits(s.p + i, s.n - i);
		if (n == 0)
			return 0;
		i += n;
	}
	return i;
}

bool
tf_number_ok(struct tf_str s)
{
	return s.n > 0 && s.n <= TF_NUMBER_MAX && tf_number_length(s) == s.n;
}

/* The value of a number is 0.DIGITS * 10^power: DIGITS are the n digits of p
 * from the first one that is not 0 on, without the zeros at the end. */
struct decimal {
	bool minus;
	size_t n; /* 0: the number is 0 */
	int64_t power;
	char p[TF_NUMBER_MAX];
};

/* Append the digits at the start of s to those of d; their number. */
static size_t
append_digits(struct decimal *d, struct tf_str s)
{
	size_t n = digits(s.p, s.n);

	memcpy(d->p + d->n, s.p, n);
	d->n += n;
	return n;
}

/* The exponent at s, from behind the "e" on. */
static bool
read_exponent(struct tf_str s, int64_t *out)
{
	bool minus = s.p[0] == '-';
	size_t i = minus || s.p[0] == '+';

	while (i < s.n && s.p[i] == '0')
		i++;
	if (s.n - i > EXPONENT_DIGITS)
		return false;
	*out = 0;
	for (; i < s.n; i++)
		*out = *out * 10 + (s.p[i] - '0');
	if (minus)
		*out = -*out;
	return true;
}

static bool
decimal_of(struct tf_str s, struct decimal *d)
{
	size_t i = 0, zeros = 0;
	int64_t exponent = 0;
	bool ok = true;

	d->minus = s.p[0] == '-';
	d->n = 0;
	i += d->minus;
	i += append_digits(d, (struct tf_str){ s.p + i, s.n - i });
	d->power = (int64_t)d->n;
	if (i < s.n && s.p[i] == '.') {
		i++;
		i += append_digits(d, (struct tf_str){ s.p + i, s.n - i });
	}
	if (i < s.n)
		ok = read_exponent((struct tf_str){ s.p + i + 1, s.n - i - 1 },
		    &exponent);
	while (d->n > 0 && d->p[d->n - 1] == '0')
		d->n--;
	while (zeros < d->n && d->p[zeros] == '0')
		zeros++;
	d->n -= zeros;
	memmove(d->p, d->p + zeros, d->n);
	d->power += exponent - (int64_t)zeros;
	if (d->n == 0) {
		/* 0, whatever its sign and its exponent are. */
		d->minus = false;
		return true;
	}
	return ok;
}

/*
 * Compare without sign.  Digits have no zeros at the ends, so equal powers
 * compare as bytes.
 */
static int
compare_sizes(const struct decimal *a, const struct decimal *b)
{
	if (a->n == 0 || b->n == 0)
		return (a->n > 0) - (b->n > 0);
	if (a->power != b->power)
		return a->power < b->power ? -1 : 1;
	return tf_str_cmp((struct tf_str){ a->p, a->n },
	    (struct tf_str){ b->p, b->n });
}

/* No conversion to double: 2^53 and 2^53+1 differ here. */
bool
tf_number_cmp(struct tf_str a, struct tf_str b, int *order)
{
	struct decimal x, y;

	*order = 0;
	if (!decimal_of(a, &x) || !decimal_of(b, &y))
		return false;
	if (x.minus != y.minus)
		*order = x.minus ? -1 : 1;
	else
		*order = x.minus ? compare_sizes(&y, &x) :
				   compare_sizes(&x, &y);
	return true;
}

bool
tf_number_is_integer(struct tf_str s)
{
	struct decimal d;

	return decimal_of(s, &d) && (d.n == 0 || d.power >= (int64_t)d.n);
}
