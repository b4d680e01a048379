/*
 * Text that is safe on a terminal.
 *
 * Names and messages may come from a vault that somebody else has filled, so
 * they could move the cursor, hide characters, or turn the direction of writing
 * and so show another name. add() is the only filter. It writes what it refuses
 * as \xHH, one per byte, and a backslash too, so that the shown text has one
 * meaning and nothing is lost.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* May this character be shown as it is? */
static bool
harmless(uint32_t cp)
{
	/* The byte order mark is invisible, too. */
	return !tf_hidden_char(cp) && cp != 0xfeff;
}

/* backslash: a backslash stays, for text that was made safe before. */
static void
add(struct tf_buf *out, const char *s, size_t n, bool backslash)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		len = tf_utf8(s + i, n - i, &cp);
		if (len > 0 && harmless(cp) && (backslash || cp != '\\')) {
			tf_buf_add(out, p + i, len);
			continue;
		}
		len = len > 0 ? len : 1;
		for (size_t k = 0; k < len; k++)
			tf_buf_printf(out, "\\x%02x", p[i + k]);
	}
}

void
text_add(struct tf_buf *out, const char *s, size_t n)
{
	add(out, s, n, false);
}

void
text_add_shown(struct tf_buf *out, const char *s, size_t n)
{
	add(out, s, n, true);
}

/* Without memory nothing is printed: never the raw text. */
void
text_put(FILE *f, const char *p, size_t n)
{
	struct tf_buf b = { 0 };

	text_add(&b, p, n);
	if (!b.failed && b.n > 0)
		fwrite(b.p, 1, b.n, f);
	tf_buf_free(&b);
}

/* A token has quotes and escapes: decode it first, then make it safe. */
void
text_add_token(struct tf_buf *out, const struct tf_json_doc *d, int token)
{
	struct tf_str raw = tf_json_text(d, token);
	struct tf_buf b = { 0 };

	if (d->tok[token].type == TF_JSON_STRING &&
	    tf_json_string(d, token, &b, NULL) == TF_OK)
		text_add(out, b.p, b.n);
	else
		text_add(out, raw.p, raw.n);
	tf_buf_free(&b);
}

/* Who logged in, if the caller became another user since. */
static void
add_login(struct tf_buf *out, const struct tf_json_doc *d, int uid, int login)
{
	if (login < 0 || (uid >= 0 && d->tok[login].num == d->tok[uid].num))
		return;
	tf_buf_str(out, ", login uid ");
	text_add_token(out, d, login);
}

/* The program's name is a hint only, and stands in parentheses. */
void
text_add_actor(struct tf_buf *out, const struct tf_json_doc *d, int actor)
{
	int user = tf_json_get(d, actor, "user");
	int uid = tf_json_get(d, actor, "uid");
	int hints = tf_json_get(d, actor, "hints");
	int comm = hints < 0 ? -1 : tf_json_get(d, hints, "comm");

	if (user >= 0) {
		text_add_token(out, d, user);
	} else if (uid >= 0) {
		tf_buf_str(out, "uid ");
		text_add_token(out, d, uid);
	} else {
		tf_buf_str(out, "?");
	}
	add_login(out, d, uid,
	    hints < 0 ? -1 : tf_json_get(d, hints, "loginuid"));
	if (comm >= 0) {
		tf_buf_str(out, " (");
		text_add_token(out, d, comm);
		tf_buf_str(out, ")");
	}
}

const char *
text_of(struct tf_buf *b)
{
	tf_buf_add(b, "", 1);
	return b->failed ? "" : b->p;
}

/* The time of an entry; "" when it is malformed. */
static void
take_time(const struct tf_json_doc *d, int object, const char *key,
    char out[TF_TIME_LEN + 1])
{
	int t = tf_json_get(d, object, key);
	struct tf_str s = { NULL, 0 };

	out[0] = '\0';
	if (t >= 0)
		s = tf_json_text(d, t); /* with quotes */
	if (s.n == TF_TIME_LEN + 2) {
		memcpy(out, s.p + 1, TF_TIME_LEN);
		out[TF_TIME_LEN] = '\0';
	}
}

bool
text_when(const struct tf_json_doc *d, int object, char out[TF_TIME_LEN + 1])
{
	struct tf_time at, clock;
	char text[TF_TIME_LEN + 1];

	take_time(d, object, "at", text);
	take_time(d, object, "clock", out);
	if (out[0] == '\0') {
		memcpy(out, text, sizeof(text));
		return false;
	}
	if (!tf_time_parse(text, TF_TIME_LEN, &at) ||
	    !tf_time_parse(out, TF_TIME_LEN, &clock))
		return true;
	return tf_time_moved(at, clock);
}

void
text_add_when(struct tf_buf *out, const struct tf_json_doc *d, int object)
{
	char when[TF_TIME_LEN + 1];
	bool moved = text_when(d, object, when);

	tf_buf_printf(out, "%.19sZ%c", when, moved ? '!' : ' ');
}

bool
text_time(const char *s, char out[TF_TIME_LEN + 1])
{
	return tf_time_complete(s, out);
}

void
text_add_xml(struct tf_buf *out, const char *p, size_t n)
{
	static const char last[] = "\xef\xbf"; /* U+FFC0 to U+FFFF */

	for (size_t i = 0; i < n; i++) {
		if (n - i >= 3 && memcmp(p + i, last, 2) == 0 &&
		    (p[i + 2] & 0xfe) == 0xbe) {
			tf_buf_printf(out, "\\xef\\xbf\\x%02x",
			    (unsigned char)p[i + 2]);
			i += 2;
			continue;
		}
		switch (p[i]) {
		case '&':
			tf_buf_str(out, "&amp;");
			break;
		case '<':
			tf_buf_str(out, "&lt;");
			break;
		case '>':
			tf_buf_str(out, "&gt;");
			break;
		case '"':
			tf_buf_str(out, "&quot;");
			break;
		default:
			tf_buf_add(out, p + i, 1);
		}
	}
}
