/* Parses queries: see query.h and core/find.h. */
#include <fnmatch.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/time_text.h"
#include "../ledger/field_text.h"
#include "../protection.h"
#include "query.h"
#include "terms.h"

#define ANNOTATIONS_MAX 8

void
tf_find_query_free(struct tf_find_query *q)
{
	tf_buf_free(&q->text);
	tf_buf_free(&q->part_text);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode n bytes of a value to out, which has room for them and a NUL. */
static bool
decode(const char *p, size_t n, char *out)
{
	int high, low;

	for (size_t i = 0; i < n; i++) {
		if (p[i] != '%') {
			*out++ = p[i];
			continue;
		}
		if (i + 2 >= n || (high = hex_digit(p[i + 1])) < 0 ||
		    (low = hex_digit(p[i + 2])) < 0 || (high | low) == 0)
			return false;
		*out++ = (char)(high << 4 | low);
		i += 2;
	}
	*out = '\0';
	return true;
}

void
tf_find_quote(struct tf_buf *query, const char *value)
{
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '%' || c == '&' || c == '/' || c < ' ' || c == 0x7f)
			tf_buf_printf(query, "%%%02X", c);
		else
			tf_buf_add(query, value, 1);
	}
}

/* --- filters ------------------------------------------------------------------- */

static bool
add_fact(struct tf_find_query *q, enum tf_find_kind kind, const char *value,
    size_t n)
{
	if (q->n_facts == TF_FIND_FACTS)
		return false;
	q->fact[q->n_facts++] = (struct tf_find_fact){ kind, { value, n } };
	return true;
}

static bool
take_sha256(struct tf_find_query *q, char *value)
{
	char *bytes = value; /* in place: 32 bytes from 64 digits */

	for (char *c = value; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'F')
			*c += 'a' - 'A';
	return tf_unhex(value, strlen(value), bytes, 32) &&
	    add_fact(q, TF_FIND_SHA256, bytes, 32);
}

static bool
take_prefix(struct tf_find_query *q, char *value)
{
	size_t n = strlen(value);

	for (size_t i = 0; i < n; i++)
		if (value[i] >= 'A' && value[i] <= 'F')
			value[i] += 'a' - 'A';
	q->prefix = (struct tf_str){ value, n };
	return n >= TF_FIND_PREFIX_MIN && n <= 64 &&
	    strspn(value, "0123456789abcdef") == n;
}

static bool
take_uid(struct tf_find_query *q, char *value)
{
	uint64_t uid;

	return tf_decimal(value, strlen(value), UINT32_MAX, &uid) &&
	    add_fact(q, TF_FIND_UID, value, strlen(value));
}

static bool
take_user(struct tf_find_query *q, char *value)
{
	return add_fact(q, TF_FIND_USER, value, strlen(value));
}

static bool
take_type(struct tf_find_query *q, char *value)
{
	const struct tf_str type = tf_find_type(tf_str_of(value));

	return add_fact(q, TF_FIND_TYPE, type.p, type.n);
}

static bool
take_control(struct tf_find_query *q, char *value)
{
	return add_fact(q, TF_FIND_CONTROL, value, strlen(value));
}

static bool
take_behalf(struct tf_find_query *q, char *value)
{
	return add_fact(q, TF_FIND_BEHALF, value, strlen(value));
}

static bool
take_annotation(struct tf_find_query *q, char *value)
{
	const char *is = strchr(value, '=');

	return is != NULL && is != value && is[1] != '\0' &&
	    add_fact(q, TF_FIND_ANNOTATION, value, strlen(value));
}

static bool
take_name(struct tf_find_query *q, char *value)
{
	q->glob = value[0] == '/' ? value + 1 : value;
	return *q->glob != '\0';
}

static bool
take_below(struct tf_find_query *q, char *value)
{
	q->below = tf_str_of(value);
	return true;
}

const char *
tf_find_status(size_t i)
{
	static const char *const words[] = { "compliant", "non-compliant",
		"open", "COMPLIANT", "NON-COMPLIANT", "INCOMPLETE", "DAMAGED" };

	return i < sizeof(words) / sizeof(words[0]) ? words[i] : NULL;
}

static bool
take_status(struct tf_find_query *q, char *value)
{
	const char *word;

	q->status = value;
	for (size_t i = 0; (word = tf_find_status(i)) != NULL; i++)
		if (strcmp(value, word) == 0)
			return true;
	return false;
}

static bool
take_hold(struct tf_find_query *q, char *value)
{
	q->hold = tf_str_of(value);
	return q->hold.n <= TF_HOLD_NAME_MAX &&
	    tf_text_hold_ok(q->hold.p, q->hold.n);
}

static bool
take_expired(struct tf_find_query *q, char *value)
{
	q->expired = true;
	return strcmp(value, "true") == 0;
}

static bool
take_at(struct tf_find_query *q, char *value)
{
	q->at = value;
	return true;
}

static bool
take_since(struct tf_find_query *q, char *value)
{
	q->has_since = true;
	return tf_time_parse(value, strlen(value), &q->since);
}

static bool
take_until(struct tf_find_query *q, char *value)
{
	q->has_until = true;
	return tf_time_parse(value, strlen(value), &q->until);
}

static bool
take_limit(struct tf_find_query *q, char *value)
{
	return tf_decimal(value, strlen(value), TF_FIND_LIMIT_MAX, &q->limit) &&
	    q->limit > 0;
}

static bool
take_before(struct tf_find_query *q, char *value)
{
	return tf_decimal(value, strlen(value), INT64_MAX, &q->before);
}

static const struct filter {
	const char *key;
	bool (*take)(struct tf_find_query *q, char *value);
	unsigned most; /* so often in a query */
} filters[] = {
	{ "annotation", take_annotation, ANNOTATIONS_MAX },
	{ "at", take_at, 1 },
	{ "before", take_before, 1 },
	{ "below", take_below, 1 },
	{ "control", take_control, 1 },
	{ "expired", take_expired, 1 },
	{ "hold", take_hold, 1 },
	{ "limit", take_limit, 1 },
	{ "name", take_name, 1 },
	{ "on_behalf_of", take_behalf, 1 },
	{ "prefix", take_prefix, 1 },
	{ "sha256", take_sha256, 1 },
	{ "since", take_since, 1 },
	{ "status", take_status, 1 },
	{ "type", take_type, 1 },
	{ "uid", take_uid, 1 },
	{ "until", take_until, 1 },
	{ "user", take_user, 1 },
};
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

static enum tf_code
take_filter(struct tf_find_query *q, const char *p, size_t n, char *memory,
    unsigned given[FILTERS], struct tf_error *err)
{
	const char *is = memchr(p, '=', n);
	size_t key = is == NULL ? n : (size_t)(is - p);
	size_t i = 0;

	while (i < FILTERS &&
	    (strlen(filters[i].key) != key ||
		memcmp(filters[i].key, p, key) != 0))
		i++;
	if (i == FILTERS)
		return tf_fail(err, TF_INVALID, "there is no filter %.*s",
		    (int)(key < 40 ? key : 40), p);
	if (is == NULL || key + 1 == n)
		return tf_fail(err, TF_INVALID, "filter %s has no value",
		    filters[i].key);
	if (++given[i] > filters[i].most)
		return tf_fail(err, TF_INVALID, "filter %s is given too often",
		    filters[i].key);
	if (!decode(is + 1, n - key - 1, memory) || !filters[i].take(q, memory))
		return tf_fail(err, TF_INVALID, "the value of %s is malformed",
		    filters[i].key);
	return TF_OK;
}

/* --- prefixes ------------------------------------------------------------------ */

/* The annotations whose values are digests. */
static const char *const digests[TF_FIND_PREFIXES - 1] = { "git_commit=",
	"artifact_fingerprint=" };

struct tf_find_span
tf_find_span(const struct tf_find_query *q, int key)
{
	const struct tf_str p = q->prefix;
	struct tf_find_span s = { .kind = TF_FIND_ANNOTATION };
	char low[64], high[64];

	if (key < TF_FIND_PREFIXES - 1) {
		s.n_low = strlen(digests[key]);
		memcpy(s.low, digests[key], s.n_low);
		memcpy(s.low + s.n_low, p.p, p.n);
		s.n_low += p.n;
		memcpy(s.high, s.low, s.n_low);
		s.high[s.n_low] = 'g'; /* behind every digit */
		s.n_high = s.n_low + 1;
		return s;
	}
	s.kind = TF_FIND_SHA256;
	memset(low, '0', sizeof(low));
	memset(high, 'f', sizeof(high));
	memcpy(low, p.p, p.n);
	memcpy(high, p.p, p.n);
	(void)tf_unhex(low, sizeof(low), s.low, 32);
	(void)tf_unhex(high, sizeof(high), s.high, 32);
	s.n_low = s.n_high = 32;
	return s;
}

bool
tf_find_begins(const struct tf_find_query *q, enum tf_find_kind kind,
    struct tf_str value)
{
	struct tf_find_span s;

	for (int i = 0; q->prefix.p != NULL && i < TF_FIND_PREFIXES; i++) {
		s = tf_find_span(q, i);
		if (s.kind == kind &&
		    tf_str_cmp(value, (struct tf_str){ s.low, s.n_low }) >= 0 &&
		    tf_str_cmp(value, (struct tf_str){ s.high, s.n_high }) <= 0)
			return true;
	}
	return false;
}

struct tf_str
tf_find_key(struct tf_str annotation)
{
	const char *is = memchr(annotation.p, '=', annotation.n);

	if (is != NULL)
		annotation.n = (size_t)(is - annotation.p);
	return annotation;
}

/* --- globs --------------------------------------------------------------------- */

static void
end_part(struct tf_find_query *q, size_t start)
{
	size_t n = q->part_text.n - start;

	/* Shorter ones have no trigram. */
	if (n >= 3 && q->n_parts < TF_FIND_PARTS)
		q->part[q->n_parts++] = (struct tf_str){ (char *)start, n };
	tf_buf_add(&q->part_text, "", 1);
}

/* Skip a bracket expression of fnmatch(3).  NULL: p begins none. */
static const char *
skip_bracket(const char *p)
{
	const char *q = p + 1;

	q += *q == '!' || *q == '^';
	q += *q == ']';
	while (*q != '\0' && *q != ']')
		q++;
	return *q == ']' ? q : NULL;
}

static void
find_parts(struct tf_find_query *q)
{
	size_t start = 0;
	const char *end;

	/* A name begins behind a '/', and so does a whole path. */
	tf_buf_str(&q->part_text, "/");
	for (const char *p = q->glob; *p != '\0'; p++) {
		end = p;
		if (*p == '*' || *p == '?' ||
		    (*p == '[' && (end = skip_bracket(p)) != NULL)) {
			end_part(q, start);
			start = q->part_text.n;
			p = end;
			continue;
		}
		if (*p == '[') { /* what fnmatch makes of it is not clear */
			q->n_parts = 0;
			return;
		}
		p += *p == '\\' && p[1] != '\0';
		tf_buf_add(&q->part_text, p, 1);
	}
	tf_buf_str(&q->part_text, "/");
	end_part(q, start);
	/* Until now p was an offset: the memory moved. */
	for (size_t i = 0; i < q->n_parts && !q->part_text.failed; i++)
		q->part[i].p = q->part_text.p + (size_t)q->part[i].p;
	if (q->part_text.failed)
		return;
	q->head = tf_str_of(q->part_text.p + 1);
	/* Of a glob without wildcards it is all, with the '/' behind it. */
	if (q->head.n > 0 && q->head.p[q->head.n - 1] == '/')
		q->head.n--;
	if (q->head.n == 0)
		q->head.p = NULL;
}

bool
tf_find_glob_matches(const struct tf_find_query *q, const char *path)
{
	const char *last;

	if (q->glob == NULL)
		return true;
	if (strchr(q->glob, '/') != NULL)
		return fnmatch(q->glob, path, FNM_PATHNAME) == 0;
	last = strrchr(path, '/');
	return fnmatch(q->glob, last != NULL ? last + 1 : path, 0) == 0;
}

/* Are the facts such that very many names may have them?  Others are faster than
 * a look at all names. */
static bool
is_broad(const struct tf_find_query *q)
{
	for (size_t i = 0; i < q->n_facts; i++)
		if (q->fact[i].kind != TF_FIND_UID &&
		    q->fact[i].kind != TF_FIND_USER)
			return false;
	return true;
}

/* --- the whole ----------------------------------------------------------------- */

enum tf_code
tf_find_query_parse(const char *text, struct tf_find_query *out,
    struct tf_error *err)
{
	unsigned given[FILTERS] = { 0 };
	size_t n, used = 0;
	enum tf_code rc = TF_OK;

	*out = (struct tf_find_query){ .limit = TF_FIND_LIMIT,
		.before = UINT64_MAX };
	if (*text == '\0')
		return tf_fail(err, TF_INVALID, "the query is empty");
	if (strlen(text) > TF_FIND_QUERY_MAX)
		return tf_fail(err, TF_INVALID,
		    "the query is longer than %d bytes", TF_FIND_QUERY_MAX);
	/* Values with their NULs take less room than the text. */
	if (!tf_buf_room(&out->text, strlen(text) + 1))
		return tf_nomem(err);
	for (; rc == TF_OK; text += n + 1) {
		n = strcspn(text, "&");
		rc = take_filter(out, text, n, out->text.p + used, given, err);
		used += n;
		if (text[n] == '\0')
			break;
	}
	if (rc == TF_OK && out->glob != NULL) {
		if (strpbrk(out->glob, "*?[\\/") == NULL)
			out->exact = tf_str_of(out->glob);
		else
			find_parts(out);
	}
	if (out->glob == NULL || strchr(out->glob, '/') != NULL ||
	    out->exact.p != NULL || !is_broad(out))
		out->head.p = NULL;
	out->scan = out->glob != NULL && strchr(out->glob, '/') == NULL &&
	    out->exact.p == NULL && out->n_parts == 0 && is_broad(out);
	if (rc == TF_OK && out->part_text.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && out->at != NULL &&
	    (out->hold.p != NULL || out->expired))
		rc = tf_fail(err, TF_INVALID,
		    "hold and expired are about the present, and not at a "
		    "moment");
	return rc;
}

enum tf_code
tf_find_check(const char *text, struct tf_error *err)
{
	struct tf_find_query q;
	enum tf_code rc = tf_find_query_parse(text, &q, err);

	tf_find_query_free(&q);
	return rc;
}
