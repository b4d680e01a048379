/* The plain text of a session: see plain.h. */
#include "plain.h"

#include <string.h>

#include "../base/bytes.h"

#define TAB 8
#define NUMBER_MAX 10000

/* --- lines ---------------------------------------------------------------- */

static unsigned
encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void
end_line(struct tf_plain *p, uint64_t at, bool feed)
{
	char text[TF_PLAIN_CELLS * 4];
	struct tf_plain_line l = { .text = { text, 0 }, .feed = feed };

	while (p->n > 0 && p->cell[p->n - 1] == ' ')
		p->n--;
	for (unsigned i = 0; i < p->n; i++)
		l.text.n += encode(p->cell[i], text + l.text.n);
	l.begun = p->n > 0 ? p->begun : at;
	l.last = p->n > 0 ? p->last : at;
	l.ended = at;
	p->n = p->x = 0;
	if (feed || l.text.n > 0)
		p->line(p->arg, &l);
}

static void
fill(struct tf_plain *p, unsigned to)
{
	while (p->n < to)
		p->cell[p->n++] = ' ';
}

static void
put(struct tf_plain *p, uint64_t at, uint32_t c)
{
	if (p->x >= TF_PLAIN_CELLS)
		end_line(p, at, false);
	if (p->n == 0)
		p->begun = at;
	p->last = at;
	fill(p, p->x);
	p->cell[p->x++] = c;
	if (p->x > p->n)
		p->n = p->x;
}

static void
go(struct tf_plain *p, unsigned x)
{
	p->x = x < TF_PLAIN_CELLS ? x : TF_PLAIN_CELLS - 1;
}

/* --- control sequences ----------------------------------------------------- */

static void
erase(struct tf_plain *p, unsigned which)
{
	if (which == 0 && p->x < p->n)
		p->n = p->x;
	else if (which == 1)
		for (unsigned i = 0; i <= p->x && i < p->n; i++)
			p->cell[i] = ' ';
	else if (which == 2)
		p->n = 0;
}

/* Delete k characters at the cursor, or insert as many spaces. */
static void
shift(struct tf_plain *p, unsigned k, bool insert)
{
	if (p->x >= p->n)
		return;
	if (insert) {
		if (k > TF_PLAIN_CELLS - p->n)
			k = TF_PLAIN_CELLS - p->n;
		memmove(p->cell + p->x + k, p->cell + p->x,
		    (p->n - p->x) * sizeof(p->cell[0]));
		for (unsigned i = 0; i < k; i++)
			p->cell[p->x + i] = ' ';
		p->n += k;
		return;
	}
	if (k > p->n - p->x)
		k = p->n - p->x;
	memmove(p->cell + p->x, p->cell + p->x + k,
	    (p->n - p->x - k) * sizeof(p->cell[0]));
	p->n -= k;
}

static void
sequence(struct tf_plain *p, uint64_t at, uint32_t c)
{
	unsigned one = p->number > 0 ? p->number : 1;

	switch (c) {
	case 'C':
	case 'a':
		go(p, p->x + one);
		break;
	case 'D':
		go(p, p->x > one ? p->x - one : 0);
		break;
	case 'G':
	case '`':
		go(p, one - 1);
		break;
	case 'K':
		erase(p, p->number);
		break;
	case 'J': /* of shells: what is behind the cursor */
		if (p->number == 0)
			erase(p, 0);
		else
			end_line(p, at, false);
		break;
	case 'X':
		for (unsigned i = p->x; i < p->n && i < p->x + one; i++)
			p->cell[i] = ' ';
		break;
	case 'P':
	case '@':
		shift(p, one, c == '@');
		break;
	case 'H':
	case 'f':
	case 'A':
	case 'B':
	case 'E':
	case 'F':
	case 'd':
	case 'e':
	case 'L':
	case 'M':
	case 'S':
	case 'T':
		end_line(p, at, false);
		break;
	default:
		break;
	}
}

/* --- characters ------------------------------------------------------------- */

static void
text(struct tf_plain *p, uint64_t at, uint32_t c)
{
	switch (c) {
	case '\b':
		p->x -= p->x > 0;
		break;
	case '\t':
		go(p, (p->x / TAB + 1) * TAB);
		break;
	case '\n':
	case '\v':
	case '\f':
		end_line(p, at, true);
		break;
	case '\r':
		p->x = 0;
		break;
	default:
		if (c >= 0x20 && c != 0x7f && (c < 0x80 || c >= 0xa0))
			put(p, at, c);
	}
}

static void
escape(struct tf_plain *p, uint64_t at, uint32_t c)
{
	p->state = TF_PLAIN_TEXT;
	if (c == '[') {
		p->state = TF_PLAIN_CSI;
		p->number = 0;
		p->later = false;
	} else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_' ||
	    c == 'k') {
		p->state = TF_PLAIN_STRING;
	} else if (c >= 0x20 && c < 0x30) {
		p->state = TF_PLAIN_CHARSET;
	} else if (c == 'D' || c == 'E' || c == 'M' || c == 'c') {
		end_line(p, at, false);
	} else if (c == 0x1b) {
		p->state = TF_PLAIN_ESCAPE;
	}
}

static void
control_sequence(struct tf_plain *p, uint64_t at, uint32_t c)
{
	if (c >= '0' && c <= '9' && !p->later) {
		if (p->number < NUMBER_MAX)
			p->number = p->number * 10 + (c - '0');
	} else if (c >= 0x20 && c < 0x40) {
		p->later = p->later || c == ';' || c == ':';
	} else if (c < 0x20) {
		text(p, at, c);
	} else {
		p->state = TF_PLAIN_TEXT;
		if (c < 0x7f)
			sequence(p, at, c);
	}
}

static void
add(struct tf_plain *p, uint64_t at, uint32_t c)
{
	if (c == 0x18 || c == 0x1a) { /* these end any sequence */
		p->state = TF_PLAIN_TEXT;
		return;
	}
	switch (p->state) {
	case TF_PLAIN_TEXT:
		if (c == 0x1b)
			p->state = TF_PLAIN_ESCAPE;
		else
			text(p, at, c);
		break;
	case TF_PLAIN_ESCAPE:
		escape(p, at, c);
		break;
	case TF_PLAIN_CHARSET:
		if (c < 0x20 || c >= 0x30)
			p->state = c == 0x1b ? TF_PLAIN_ESCAPE : TF_PLAIN_TEXT;
		break;
	case TF_PLAIN_CSI:
		if (c == 0x1b)
			p->state = TF_PLAIN_ESCAPE;
		else
			control_sequence(p, at, c);
		break;
	case TF_PLAIN_STRING:
	case TF_PLAIN_STRING_ESCAPE:
		if (c == '\a' ||
		    (c == '\\' && p->state == TF_PLAIN_STRING_ESCAPE))
			p->state = TF_PLAIN_TEXT;
		else if (p->state == TF_PLAIN_STRING_ESCAPE && c != 0x1b)
			escape(p, at, c);
		else
			p->state = c == 0x1b ? TF_PLAIN_STRING_ESCAPE :
					       TF_PLAIN_STRING;
		break;
	}
}

/* Could the bytes be the beginning of a character? */
static bool
is_begun(const char *s, unsigned n)
{
	static const char *const ends[] = { "\x80", "\x80\x80", "\x80\x80\x80",
		"\x90\x80\x80", "\xa0\x80" };
	char whole[8];
	uint32_t c;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t more = strlen(ends[i]);

		if (n + more > 4)
			continue;
		memcpy(whole, s, n);
		memcpy(whole + n, ends[i], more);
		if (tf_utf8(whole, n + more, &c) == n + more)
			return true;
	}
	return false;
}

void
tf_plain_add(struct tf_plain *p, uint64_t at, const char *s, size_t n)
{
	uint32_t c;

	for (size_t i = 0; i < n; i++) {
		p->part[p->parts++] = s[i];
		if (tf_utf8(p->part, p->parts, &c) == p->parts) {
			p->parts = 0;
			add(p, at, c);
		} else if (!is_begun(p->part, p->parts)) {
			/* One mark for what is malformed; the byte that shows it
			 * may begin a character. */
			i -= p->parts > 1;
			p->parts = 0;
			add(p, at, 0xfffd);
		}
	}
}

void
tf_plain_end(struct tf_plain *p, uint64_t at)
{
	if (p->parts > 0)
		add(p, at, 0xfffd);
	p->parts = 0;
	end_line(p, at, false);
}
