/* Read YAML strictly: see yaml.h. */
#include "yaml.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "../base/array.h"
#include "../base/bytes.h"

/* A place in the text, counted from 1. */
struct place {
	size_t line, column;
};

static enum tf_code
fail_at(struct place at, struct tf_error *err, const char *reason)
{
	return tf_fail(err, TF_INVALID, "line %zu, column %zu: %s", at.line,
	    at.column, reason);
}

static struct place
place_of(yaml_mark_t m)
{
	return (struct place){ m.line + 1, m.column + 1 };
}

enum tf_code
tf_yaml_fail(const struct tf_yaml *y, int i, struct tf_error *err,
    const char *fmt, ...)
{
	char reason[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return fail_at((struct place){ y->node[i].line, y->node[i].column },
	    err, reason);
}

/* At most 40 bytes, and no half of a character. */
int
tf_yaml_shown(struct tf_str s)
{
	size_t n = s.n < 40 ? s.n : 40;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (int)n;
}

/* --- characters ----------------------------------------------------------- */

/* The byte order mark, and characters that libyaml refuses. */
static bool
is_foreign(uint32_t c)
{
	return c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static bool
is_white(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r';
}

/* Move *at behind character c, of which next is the following byte. */
static void
step(struct place *at, uint32_t c, char next)
{
	if (c == '\n' || (c == '\r' && next != '\n')) {
		at->line++;
		at->column = 1;
	} else if (c != '\r') {
		at->column++;
	}
}

/* Check the characters of the whole text, comments included, and its size. */
static enum tf_code
check_text(const char *p, size_t n, struct tf_error *err)
{
	struct place at = { 1, 1 };
	char reason[64];

	for (size_t i = 0; i < n;) {
		uint32_t c;
		unsigned len = tf_utf8(p + i, n - i, &c);

		if (i + len > TF_YAML_BYTES) {
			(void)snprintf(reason, sizeof(reason),
			    "the text has more than %d bytes", TF_YAML_BYTES);
			return fail_at(at, err, reason);
		}
		if (len == 0)
			return fail_at(at, err, "not valid UTF-8");
		if (is_foreign(c) || (tf_hidden_char(c) && !is_white(c))) {
			(void)snprintf(reason, sizeof(reason),
			    "the character U+%04X is not allowed", (unsigned)c);
			return fail_at(at, err, reason);
		}
		i += len;
		step(&at, c, i < n ? p[i] : '\0');
	}
	return TF_OK;
}

/* The characters of a scalar; escapes can make any. */
static enum tf_code
check_scalar(struct place at, const char *p, size_t n, struct tf_error *err)
{
	char reason[64];

	for (size_t i = 0; i < n;) {
		uint32_t c;
		unsigned len = tf_utf8(p + i, n - i, &c);

		if (len == 0)
			return fail_at(at, err, "a text that is not UTF-8");
		if (tf_hidden_char(c) || is_foreign(c)) {
			(void)snprintf(reason, sizeof(reason),
			    "a text with the character U+%04X", (unsigned)c);
			return fail_at(at, err, reason);
		}
		i += len;
	}
	return TF_OK;
}

/* --- events to nodes ------------------------------------------------------ */

struct reading {
	struct tf_yaml *y;
	yaml_parser_t parser;
	size_t cap;
	uint32_t open[TF_YAML_DEPTH]; /* lists and maps that have not ended */
	bool is_key[TF_YAML_DEPTH];   /* the next node of this map is a key */
	int depth;
};

/* Why libyaml could not go on. */
static enum tf_code
fail_scan(const yaml_parser_t *p, struct tf_error *err)
{
	if (p->error == YAML_MEMORY_ERROR || p->problem == NULL)
		return tf_nomem(err);
	/* `type: *` is the usual reason. */
	if (p->context != NULL &&
	    strcmp(p->context, "while scanning an alias") == 0)
		return fail_at(place_of(p->context_mark), err,
		    "aliases are not allowed; write \"*\" in quotes");
	return fail_at(place_of(p->problem_mark), err, p->problem);
}

static enum tf_code
next_event(struct reading *x, yaml_event_t *e, struct tf_error *err)
{
	return yaml_parser_parse(&x->parser, e) ? TF_OK :
						  fail_scan(&x->parser, err);
}

static enum tf_code
make_room(struct reading *x, struct place at, struct tf_error *err)
{
	if (x->y->n == TF_YAML_NODES)
		return fail_at(at, err, "too many values");
	return tf_array_room(&x->y->node, x->y->n, &x->cap,
		   sizeof(*x->y->node)) ?
	    TF_OK :
	    tf_nomem(err);
}

/* Append a node, without its text.  In a map, keys and values alternate. */
static enum tf_code
add_node(struct reading *x, enum tf_yaml_type type, yaml_mark_t mark,
    struct tf_error *err)
{
	struct place at = place_of(mark);
	enum tf_code rc = make_room(x, at, err);

	if (rc != TF_OK)
		return rc;
	if (x->depth > 0) {
		bool *is_key = &x->is_key[x->depth - 1];
		bool map = x->y->node[x->open[x->depth - 1]].type ==
		    TF_YAML_MAP;

		if (map && *is_key && type != TF_YAML_SCALAR)
			return fail_at(at, err, "a key must be a text");
		*is_key = map && !*is_key;
	}
	x->y->node[x->y->n] = (struct tf_yaml_node){ .type = type,
		.line = (uint32_t)at.line,
		.column = (uint32_t)at.column,
		.next = x->y->n + 1 };
	x->y->n++;
	return TF_OK;
}

static enum tf_code
open_node(struct reading *x, enum tf_yaml_type type, yaml_mark_t mark,
    struct tf_error *err)
{
	enum tf_code rc;

	if (x->depth == TF_YAML_DEPTH)
		return fail_at(place_of(mark), err, "too many levels");
	if ((rc = add_node(x, type, mark, err)) != TF_OK)
		return rc;
	x->open[x->depth] = x->y->n - 1;
	x->is_key[x->depth++] = type == TF_YAML_MAP;
	return TF_OK;
}

/* The text's p is an offset until all texts are there, as the buffer moves. */
static enum tf_code
add_scalar(struct reading *x, const yaml_event_t *e, struct tf_error *err)
{
	const char *p = (const char *)e->data.scalar.value;
	size_t n = e->data.scalar.length;
	bool is_key = x->depth > 0 && x->is_key[x->depth - 1];
	struct place at = place_of(e->start_mark);
	struct tf_yaml_node *node;
	enum tf_code rc = check_scalar(at, p, n, err);

	if (rc == TF_OK && is_key && n == 0)
		rc = fail_at(at, err, "an empty key");
	if (rc == TF_OK)
		rc = add_node(x, TF_YAML_SCALAR, e->start_mark, err);
	if (rc != TF_OK)
		return rc;
	node = &x->y->node[x->y->n - 1];
	node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = (struct tf_str){ (const char *)x->y->strings.n, n };
	tf_buf_add(&x->y->strings, p, n);
	return tf_buf_end(&x->y->strings, err);
}

static enum tf_code
refuse_extras(const yaml_event_t *e, const void *anchor, const void *tag,
    struct tf_error *err)
{
	if (anchor != NULL)
		return fail_at(place_of(e->start_mark), err,
		    "anchors are not allowed");
	if (tag != NULL)
		return fail_at(place_of(e->start_mark), err,
		    "tags are not allowed");
	return TF_OK;
}

/* Take one event inside the document. */
static enum tf_code
take_event(struct reading *x, const yaml_event_t *e, struct tf_error *err)
{
	enum tf_code rc;

	switch (e->type) {
	case YAML_SCALAR_EVENT:
		rc = refuse_extras(e, e->data.scalar.anchor, e->data.scalar.tag,
		    err);
		return rc != TF_OK ? rc : add_scalar(x, e, err);
	case YAML_SEQUENCE_START_EVENT:
		rc = refuse_extras(e, e->data.sequence_start.anchor,
		    e->data.sequence_start.tag, err);
		return rc != TF_OK ?
		    rc :
		    open_node(x, TF_YAML_LIST, e->start_mark, err);
	case YAML_MAPPING_START_EVENT:
		rc = refuse_extras(e, e->data.mapping_start.anchor,
		    e->data.mapping_start.tag, err);
		return rc != TF_OK ?
		    rc :
		    open_node(x, TF_YAML_MAP, e->start_mark, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		x->y->node[x->open[--x->depth]].next = x->y->n;
		return TF_OK;
	default: /* YAML_ALIAS_EVENT: libyaml sends no other one here */
		return fail_at(place_of(e->start_mark), err,
		    "aliases are not allowed; write \"*\" in quotes");
	}
}

static enum tf_code
check_directives(const yaml_event_t *e, struct tf_error *err)
{
	const yaml_version_directive_t *v =
	    e->data.document_start.version_directive;

	if (e->data.document_start.tag_directives.start !=
	    e->data.document_start.tag_directives.end)
		return fail_at(place_of(e->start_mark), err,
		    "%TAG is not allowed");
	if (v != NULL && (v->major != 1 || (v->minor != 1 && v->minor != 2)))
		return fail_at(place_of(e->start_mark), err,
		    "only YAML 1.1 and 1.2 are known");
	return TF_OK;
}

/* Take the events from the start of the stream to its end. */
static enum tf_code
read_stream(struct reading *x, struct tf_error *err)
{
	bool begun = false, done = false;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && !done) {
		yaml_event_t e;

		if ((rc = next_event(x, &e, err)) != TF_OK)
			break;
		switch (e.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_STREAM_END_EVENT:
			done = true;
			break;
		case YAML_DOCUMENT_START_EVENT:
			rc = begun ? fail_at(place_of(e.start_mark), err,
					 "a second document") :
				     check_directives(&e, err);
			begun = true;
			break;
		default:
			rc = take_event(x, &e, err);
		}
		yaml_event_delete(&e);
	}
	if (rc == TF_OK && !begun)
		rc = fail_at((struct place){ 1, 1 }, err, "the text is empty");
	return rc;
}

static void
find_texts(struct tf_yaml *y)
{
	struct tf_str all = tf_buf_bytes(&y->strings);

	for (uint32_t i = 0; i < y->n; i++)
		if (y->node[i].type == TF_YAML_SCALAR)
			y->node[i].text.p = all.p + (size_t)y->node[i].text.p;
}

/* --- keys that are there twice -------------------------------------------- */

static int
by_text_and_place(const void *a, const void *b)
{
	const struct tf_yaml_node *x = *(const struct tf_yaml_node *const *)a;
	const struct tf_yaml_node *y = *(const struct tf_yaml_node *const *)b;
	int d = tf_str_cmp(x->text, y->text);

	return d != 0 ? d : (x > y) - (x < y);
}

/* Of the n keys of one map, the first one that repeats an earlier one. */
static const struct tf_yaml_node *
find_repeated(const struct tf_yaml_node **keys, size_t n)
{
	const struct tf_yaml_node *first = NULL;

	qsort(keys, n, sizeof(keys[0]), by_text_and_place);
	for (size_t i = 1; i < n; i++)
		if (tf_str_same(keys[i - 1]->text, keys[i]->text) &&
		    (first == NULL || keys[i] < first))
			first = keys[i];
	return first;
}

static enum tf_code
check_keys(const struct tf_yaml *y, struct tf_error *err)
{
	const struct tf_yaml_node **keys = calloc(y->n, sizeof(*keys));
	enum tf_code rc = keys == NULL ? tf_nomem(err) : TF_OK;

	for (uint32_t i = 0; rc == TF_OK && i < y->n; i++) {
		const struct tf_yaml_node *twice;
		size_t n = 0;

		if (y->node[i].type != TF_YAML_MAP)
			continue;
		for (uint32_t k = i + 1; k < y->node[i].next;
		     k = y->node[k + 1].next)
			keys[n++] = &y->node[k];
		if ((twice = find_repeated(keys, n)) != NULL)
			rc = tf_yaml_fail(y, (int)(twice - y->node), err,
			    "the key %.*s is there twice",
			    TF_SHOWN(twice->text));
	}
	free(keys);
	return rc;
}

enum tf_code
tf_yaml_parse(struct tf_yaml *y, const char *text, size_t n,
    struct tf_error *err)
{
	struct reading x = { .y = y };
	enum tf_code rc;

	*y = (struct tf_yaml){ 0 };
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	if ((rc = check_text(text, n, err)) != TF_OK)
		return rc;
	if (!yaml_parser_initialize(&x.parser))
		return tf_nomem(err);
	yaml_parser_set_encoding(&x.parser, YAML_UTF8_ENCODING);
	/* libyaml wants a text even where it has no bytes. */
	yaml_parser_set_input_string(&x.parser,
	    (const unsigned char *)(n > 0 ? text : ""), n);
	rc = read_stream(&x, err);
	yaml_parser_delete(&x.parser);
	if (rc == TF_OK) {
		find_texts(y);
		rc = check_keys(y, err);
	}
	if (rc != TF_OK)
		tf_yaml_free(y);
	return rc;
}

void
tf_yaml_free(struct tf_yaml *y)
{
	free(y->node);
	tf_buf_free(&y->strings);
	*y = (struct tf_yaml){ 0 };
}
