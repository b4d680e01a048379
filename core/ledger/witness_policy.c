/*
 * Policies of witnesses (C2SP tlog-policy): see witness.h.
 *
 * Witnesses and groups share one name space and stand in one array, in the order
 * of the file.  A group only names what stands before it, so a policy has no
 * circles and one pass over the array decides all groups.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../witness.h"
#include "cosign.h"

#define WORDS_MAX (TF_WITNESS_NODES_MAX + 4)
#define NONE "none"

struct node {
	const char *name;
	bool is_group, is_member;
	/* Of a witness. */
	struct tf_vkey key;
	const char *url;
	/* Of a group: its members by number in the array. */
	size_t first, n; /* within members */
	uint64_t k;	 /* how many of them it takes */
};

struct log {
	struct tf_vkey key;
	const char *url;
};

struct tf_witness_policy {
	char *text; /* the words of the file, each with a NUL */
	struct node node[TF_WITNESS_NODES_MAX];
	size_t nodes;
	/* Each name is a member at most once, so that many are enough. */
	size_t members[TF_WITNESS_NODES_MAX], n_members;
	struct log log[TF_WITNESS_LOGS_MAX];
	size_t logs;
	bool has_quorum;
	const struct node *quorum; /* NULL: none */
};

/* One line: its words and its number. */
struct line {
	char *word[WORDS_MAX];
	size_t n;
	unsigned number;
};

static enum tf_code wrong(const struct line *l, struct tf_error *err,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static enum tf_code
wrong(const struct line *l, struct tf_error *err, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return tf_fail(err, TF_INVALID, "policy, line %u: %s", l->number, text);
}

static struct node *
find(struct tf_witness_policy *p, const char *name)
{
	for (size_t i = 0; i < p->nodes; i++)
		if (strcmp(p->node[i].name, name) == 0)
			return &p->node[i];
	return NULL;
}

static bool
same_key(const struct tf_vkey *a, const struct tf_vkey *b)
{
	return memcmp(&a->pub, &b->pub, sizeof(a->pub)) == 0;
}

/* Make the next node, with a name that is new. */
static enum tf_code
define(struct tf_witness_policy *p, const struct line *l, struct node **out,
    struct tf_error *err)
{
	const char *name = l->word[1];

	if (strcmp(name, NONE) == 0 || find(p, name) != NULL)
		return wrong(l, err, "the name %.60s is taken", name);
	if (p->nodes == TF_WITNESS_NODES_MAX)
		return wrong(l, err, "more than %d witnesses and groups",
		    TF_WITNESS_NODES_MAX);
	*out = &p->node[p->nodes];
	(*out)->name = name;
	return TF_OK;
}

static enum tf_code
take_log(struct tf_witness_policy *p, const struct line *l,
    struct tf_error *err)
{
	struct log *log = &p->log[p->logs];
	struct tf_error why = { .code = TF_OK };

	if (l->n < 2 || l->n > 3)
		return wrong(l, err, "not of the form log VKEY [URL]");
	if (p->logs == TF_WITNESS_LOGS_MAX)
		return wrong(l, err, "more than %d logs", TF_WITNESS_LOGS_MAX);
	if (tf_vkey_parse(l->word[1], strlen(l->word[1]), &log->key, &why) !=
	    TF_OK)
		return wrong(l, err, "%.100s", why.text);
	for (size_t i = 0; i < p->logs; i++)
		if (same_key(&p->log[i].key, &log->key))
			return wrong(l, err, "this key was a log before");
	log->url = l->n > 2 ? l->word[2] : NULL;
	p->logs++;
	return TF_OK;
}

static enum tf_code
take_witness(struct tf_witness_policy *p, const struct line *l,
    struct tf_error *err)
{
	struct tf_error why = { .code = TF_OK };
	struct node *node;
	enum tf_code rc;

	if (l->n < 3 || l->n > 4)
		return wrong(l, err, "not of the form witness NAME VKEY [URL]");
	if ((rc = define(p, l, &node, err)) != TF_OK)
		return rc;
	if (tf_cosign_vkey_parse(l->word[2], strlen(l->word[2]), &node->key,
		&why) != TF_OK)
		return wrong(l, err, "%.100s", why.text);
	for (size_t i = 0; i < p->nodes; i++)
		if (!p->node[i].is_group &&
		    same_key(&p->node[i].key, &node->key))
			return wrong(l, err,
			    "this key is that of witness %.60s",
			    p->node[i].name);
	node->url = l->n > 3 ? l->word[3] : NULL;
	p->nodes++;
	return TF_OK;
}

static enum tf_code
take_group(struct tf_witness_policy *p, const struct line *l,
    struct tf_error *err)
{
	struct node *node, *member;
	enum tf_code rc;

	if (l->n < 4)
		return wrong(l, err,
		    "not of the form group NAME all|any|NUMBER NAME...");
	if ((rc = define(p, l, &node, err)) != TF_OK)
		return rc;
	node->is_group = true;
	node->first = p->n_members;
	node->n = l->n - 3;
	if (strcmp(l->word[2], "all") == 0)
		node->k = node->n;
	else if (strcmp(l->word[2], "any") == 0)
		node->k = 1;
	else if (!tf_decimal(l->word[2], strlen(l->word[2]), node->n,
		     &node->k) ||
	    node->k == 0)
		return wrong(l, err,
		    "the threshold is all, any, or from 1 to %zu", node->n);
	for (size_t i = 3; i < l->n; i++) {
		if ((member = find(p, l->word[i])) == NULL)
			return wrong(l, err,
			    "%.60s is no witness and no group of a line before",
			    l->word[i]);
		if (member->is_member)
			return wrong(l, err, "%.60s is a member twice",
			    l->word[i]);
		member->is_member = true;
		p->members[p->n_members++] = (size_t)(member - p->node);
	}
	p->nodes++;
	return TF_OK;
}

static enum tf_code
take_quorum(struct tf_witness_policy *p, const struct line *l,
    struct tf_error *err)
{
	if (l->n != 2)
		return wrong(l, err, "not of the form quorum NAME");
	if (p->has_quorum)
		return wrong(l, err, "there is a quorum before");
	p->quorum = find(p, l->word[1]);
	if (p->quorum == NULL && strcmp(l->word[1], NONE) != 0)
		return wrong(l, err,
		    "%.60s is no witness and no group of a line before",
		    l->word[1]);
	p->has_quorum = true;
	return TF_OK;
}

static enum tf_code
take_line(struct tf_witness_policy *p, const struct line *l,
    struct tf_error *err)
{
	static const struct {
		const char *word;
		enum tf_code (*take)(struct tf_witness_policy *p,
		    const struct line *l, struct tf_error *err);
	} kinds[] = {
		{ "log", take_log },
		{ "witness", take_witness },
		{ "group", take_group },
		{ "quorum", take_quorum },
	};

	if (l->n == 0 || l->word[0][0] == '#')
		return TF_OK;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(l->word[0], kinds[i].word) == 0)
			return kinds[i].take(p, l, err);
	return wrong(l, err, "%.60s is no log, witness, group or quorum",
	    l->word[0]);
}

/* Cut the line at s, of n bytes, into words.  A comment is one word. */
static enum tf_code
split(char *s, size_t n, struct line *l, struct tf_error *err)
{
	char *end = s + n;

	l->n = 0;
	for (const char *c = s; c < end; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return wrong(l, err, "a control character");
	for (;;) {
		while (s < end && (*s == ' ' || *s == '\t'))
			*s++ = '\0';
		if (s == end)
			return TF_OK;
		if (l->n == WORDS_MAX)
			return wrong(l, err, "too many words");
		l->word[l->n++] = s;
		if (l->word[0][0] == '#')
			return TF_OK;
		while (s < end && *s != ' ' && *s != '\t')
			s++;
	}
}

/* The text ends in a NUL, which also ends the last word. */
static enum tf_code
parse(struct tf_witness_policy *p, size_t n, struct tf_error *err)
{
	char *s = p->text, *end;
	struct line l = { .number = 0 };
	enum tf_code rc;

	while (s < p->text + n) {
		l.number++;
		end = memchr(s, '\n', (size_t)(p->text + n - s));
		if (end == NULL)
			return wrong(&l, err, "the last line has no end");
		*end = '\0';
		if ((rc = split(s, (size_t)(end - s), &l, err)) != TF_OK ||
		    (rc = take_line(p, &l, err)) != TF_OK)
			return rc;
		s = end + 1;
	}
	if (!p->has_quorum)
		return tf_fail(err, TF_INVALID, "policy: it has no quorum");
	return TF_OK;
}

enum tf_code
tf_witness_policy_parse(const char *text, size_t n,
    struct tf_witness_policy **out, struct tf_error *err)
{
	struct tf_witness_policy *p;
	enum tf_code rc;

	*out = NULL;
	if (n > TF_WITNESS_POLICY_MAX)
		return tf_fail(err, TF_TOOBIG, "policy: more than %u bytes",
		    TF_WITNESS_POLICY_MAX);
	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->text = malloc(n + 1)) == NULL) {
		tf_witness_policy_free(p);
		return tf_nomem(err);
	}
	if (n > 0)
		memcpy(p->text, text, n);
	p->text[n] = '\0';
	if ((rc = parse(p, n, err)) != TF_OK)
		tf_witness_policy_free(p);
	else
		*out = p;
	return rc;
}

void
tf_witness_policy_free(struct tf_witness_policy *p)
{
	if (p != NULL)
		free(p->text);
	free(p);
}

/* --- what it says ---------------------------------------------------------- */

size_t
tf_witness_policy_count(const struct tf_witness_policy *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nodes; i++)
		n += !p->node[i].is_group;
	return n;
}

/* Witness i, which exists. */
static const struct node *
witness(const struct tf_witness_policy *p, size_t i)
{
	const struct node *node = p->node;

	for (;; node++)
		if (!node->is_group && i-- == 0)
			return node;
}

void
tf_witness_policy_get(const struct tf_witness_policy *p, size_t i,
    struct tf_policy_witness *out)
{
	const struct node *w = witness(p, i);

	*out = (struct tf_policy_witness){ .name = w->name,
		.key_name = w->key.name,
		.url = w->url };
}

void
tf_witness_policy_key(const struct tf_witness_policy *p, size_t i,
    struct tf_buf *out)
{
	tf_vkey_text(&witness(p, i)->key, out);
}

const char *
tf_witness_policy_quorum(const struct tf_witness_policy *p)
{
	return p->quorum != NULL ? p->quorum->name : NONE;
}

bool
tf_witness_policy_has_log(const struct tf_witness_policy *p, struct tf_str vkey)
{
	struct tf_vkey k;

	if (p->logs == 0)
		return true;
	if (vkey.n > 0 && vkey.p[vkey.n - 1] == '\n')
		vkey.n--;
	if (tf_vkey_parse(vkey.n > 0 ? vkey.p : "", vkey.n, &k, NULL) != TF_OK)
		return false;
	for (size_t i = 0; i < p->logs; i++)
		if (same_key(&p->log[i].key, &k) &&
		    strcmp(p->log[i].key.name, k.name) == 0)
			return true;
	return false;
}

/* --- the quorum ------------------------------------------------------------ */

/* Has the group what it takes?  Its members were decided before. */
static bool
is_met(const struct tf_witness_policy *p, const struct node *group,
    const bool *yes)
{
	uint64_t n = 0;

	for (size_t i = 0; i < group->n; i++)
		n += yes[p->members[group->first + i]];
	return n >= group->k;
}

bool
tf_witness_policy_met(const struct tf_witness_policy *p,
    const bool *has_cosigned)
{
	bool yes[TF_WITNESS_NODES_MAX] = { false };
	size_t number = 0;

	for (size_t i = 0; i < p->nodes; i++)
		yes[i] = p->node[i].is_group ? is_met(p, &p->node[i], yes) :
					       has_cosigned[number++];
	return p->quorum == NULL || yes[p->quorum - p->node];
}

enum tf_code
tf_witness_policy_judge(const struct tf_witness_policy *p, struct tf_str note,
    struct tf_quorum *out, struct tf_error *err)
{
	size_t number = 0;
	enum tf_code rc;
	uint64_t time;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < p->nodes; i++) {
		if (p->node[i].is_group)
			continue;
		rc = tf_cosign_check(&p->node[i].key, note.p, note.n, &time,
		    err);
		if (rc != TF_OK && rc != TF_NOTFOUND)
			return rc;
		out->has_cosigned[number++] = rc == TF_OK;
		if (rc != TF_OK)
			continue;
		if (out->cosigned++ == 0 || time < out->time)
			out->time = time;
	}
	out->met = tf_witness_policy_met(p, out->has_cosigned);
	return TF_OK;
}
