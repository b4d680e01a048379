/*
 * Completion: see complete.h.
 *
 * All candidates come from the tables of verbs and options and from the usage of
 * the verb, so that the shells have no list of their own. Nothing is opened or
 * looked up: a key press must neither wait for a vault nor change one.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "complete.h"
#include "kosli.h"

enum { FILES = 1, DIRECTORIES = 2 };

struct state {
	const struct args_option *options;
	const char *typed; /* the last word */
	unsigned kinds;	   /* of names that can stand there */
};

/* Print before, n bytes, and text, if the last word is the beginning. */
static void
offer(const struct state *s, const char *before, size_t n, const char *text,
    const char *help)
{
	const size_t typed = strlen(s->typed);

	if (typed < n || strncmp(text, s->typed + n, typed - n) == 0)
		printf("%.*s%s\t%s\n", (int)n, before, text, help);
}

/* --- values ----------------------------------------------------------------- */

/* What the names in capitals of a usage stand for. */
static unsigned
kind_of(const char *name, size_t n)
{
	static const struct {
		const char *name;
		unsigned kind;
	} names[] = { { "FILE", FILES }, { "PATH", FILES },
		{ "PACKAGE", FILES }, { "PROOF", FILES }, { "LOG", FILES },
		{ "TOKEN", FILES }, { "PEM", FILES }, { "KEY", FILES },
		{ "A", FILES }, { "B", FILES }, { "COMMAND", FILES },
		{ "PROGRAM", FILES }, { "TYPE.yml", FILES },
		{ "STORE", DIRECTORIES }, { "DIRECTORY", DIRECTORIES },
		{ "DIR", DIRECTORIES }, { "TRAIL", DIRECTORIES },
		{ "WORKFLOW", DIRECTORIES }, { "ATTESTATION", DIRECTORIES },
		{ "BACKUP", DIRECTORIES }, { "MIRROR", DIRECTORIES },
		{ "STATE", DIRECTORIES } };

	if (n > 3 && memcmp(name + n - 3, "...", 3) == 0)
		n -= 3;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == n &&
		    memcmp(names[i].name, name, n) == 0)
			return names[i].kind;
	return 0;
}

/* Offer "FILE|json": words are in small letters, and names in capitals. */
static void
offer_alternatives(struct state *s, const char *before, size_t skip,
    const char *text, size_t n)
{
	char word[ARGS_WORD];

	for (size_t len; n > 0; text += len, n -= len) {
		if (*text == '|') {
			len = 1;
			continue;
		}
		for (len = 0; len < n && text[len] != '|'; len++)
			;
		if (islower((unsigned char)*text)) {
			(void)snprintf(word, sizeof(word), "%.*s", (int)len,
			    text);
			offer(s, before, skip, word, "");
		} else {
			s->kinds |= kind_of(text, len);
		}
	}
}

/* skip: so many bytes of the last word, up to "=", are before the value. */
static void
complete_value(struct state *s, const struct args_option *o, size_t skip)
{
	char word[ARGS_WORD];

	if (o->truth != NULL) {
		offer_alternatives(s, s->typed, skip, "true|false", 10);
		return;
	}
	for (size_t i = 0; args_word(o, i, word); i++)
		offer(s, s->typed, skip, word, "");
	if (o->word == NULL && !o->closed && o->value != NULL)
		offer_alternatives(s, s->typed, skip, o->value,
		    strlen(o->value));
}

/* --- options ---------------------------------------------------------------- */

/* The option that a word names, or NULL. */
static const struct args_option *
option_of(const struct args_option *options, const char *word, size_t n)
{
	for (const struct args_option *o = options;
	     o != NULL && o->name != NULL; o++) {
		if (n > 2 && memcmp(word, "--", 2) == 0 &&
		    strlen(o->name) == n - 2 &&
		    memcmp(word + 2, o->name, n - 2) == 0)
			return o;
		if (n == 2 && word[0] == '-' && o->letter != '\0' &&
		    word[1] == o->letter)
			return o;
	}
	return NULL;
}

/* Is a value the word after the option? */
static bool
has_value(const struct args_option *o)
{
	return o != NULL && o->flag == NULL && o->truth == NULL &&
	    o->refused == NULL;
}

static void
complete_option(const struct state *s)
{
	static const struct args_option help[] = {
		{ .name = "help", .letter = 'h', .help = "print this text" },
		{ 0 },
	};
	const struct args_option *table[] = { s->options, help };
	char word[80];

	for (size_t i = 0; i < 2; i++)
		for (const struct args_option *o = table[i];
		     o != NULL && o->name != NULL; o++) {
			if (o->refused != NULL)
				continue;
			(void)snprintf(word, sizeof(word), "--%s", o->name);
			offer(s, "", 0, word, o->help);
			(void)snprintf(word, sizeof(word), "-%c", o->letter);
			if (o->letter != '\0' && strcmp(s->typed, "-") == 0)
				offer(s, "", 0, word, o->help);
		}
}

/* --- operands --------------------------------------------------------------- */

/* Find the operand number k in a line of a usage, without options and brackets.
 * The last one may repeat.  NULL: there are fewer. */
static const char *
operand(const struct args_option *options, const char *line, size_t end, int k,
    size_t *len)
{
	const char *p = line, *last = NULL, *dash;
	size_t n, last_n = 0;

	for (; p < line + end; p += n) {
		n = strcspn(p, " \n");
		if (*p == '[' &&
		    (p[1] == '-' || p[1] == '.' ||
			strncmp(p, "[OPTION", 7) == 0)) {
			n = strcspn(p, "]");
		} else if (n == 0 || *p == '[' || *p == ']') {
			n = 1;
		} else if (n == 2 && memcmp(p, "--", 2) == 0) {
			break; /* the words of a command follow */
		} else if (*p == '-' && n > 1) {
			for (dash = p + n; dash[-1] != '|' && dash > p; dash--)
				;
			if (has_value(option_of(options, dash,
				(size_t)(p + n - dash))))
				n += 1 + strcspn(p + n + 1, " |\n");
			/* Another option may follow the value: "TIME|--x". */
			if (p[n] == '|' && p[n + 1] == '-')
				n++;
			else
				n += strcspn(p + n, " \n");
		} else {
			n = strcspn(p, " ]\n");
			last = p;
			last_n = n;
			if (k-- == 0)
				break;
		}
	}
	*len = last_n;
	if (k < 0)
		return last;
	return last_n > 3 && memcmp(last + last_n - 3, "...", 3) == 0 ? last :
									NULL;
}

/* Is the word one of those in "place|release"? */
static bool
is_among(const char *word, const char *list, size_t n)
{
	const size_t len = strlen(word);

	for (const char *p = list; p + len <= list + n; p++)
		if (memcmp(p, word, len) == 0 && (p == list || p[-1] == '|') &&
		    (p + len == list + n || p[len] == '|'))
			return true;
	return false;
}

/* first: the first operand, NULL: the last word is it; k: its number. */
static void
complete_operand(struct state *s, const struct verb *v, const char *first,
    int k)
{
	const char *line = v->usage, *what;
	size_t end, n;

	for (;; line += end + 1) {
		end = strcspn(line, "\n");
		what = operand(s->options, line, end, 0, &n);
		if (v->actions == NULL || first == NULL ||
		    (what != NULL && is_among(first, what, n))) {
			what = operand(s->options, line, end, k, &n);
			if (what != NULL)
				offer_alternatives(s, "", 0, what, n);
		}
		if (line[end] == '\0')
			return;
	}
}

/* --- the line --------------------------------------------------------------- */

static void
end(const struct state *s)
{
	if ((s->kinds & FILES) != 0)
		puts(":files");
	else if ((s->kinds & DIRECTORIES) != 0)
		puts(":directories");
}

/* Read what stands before the last word. */
void
complete_verb(const struct verb *v, int n, char **word)
{
	struct state s = { .options = v->options, .typed = word[n - 1] };
	const struct args_option *o = NULL;
	const char *first = NULL;
	int operands = 0;
	size_t eq;

	for (int i = 0; i < n - 1; i++) {
		if (o != NULL) {
			o = NULL; /* this is its value */
		} else if (strcmp(word[i], "--") == 0) {
			puts(":files");
			return;
		} else if (word[i][0] == '-' && word[i][1] != '\0') {
			o = option_of(s.options, word[i], strlen(word[i]));
			o = has_value(o) ? o : NULL;
		} else {
			first = operands++ == 0 ? word[i] : first;
		}
	}
	eq = strcspn(s.typed, "=");
	if (o != NULL)
		complete_value(&s, o, 0);
	else if (strncmp(s.typed, "--", 2) == 0 && s.typed[eq] == '=' &&
	    (o = option_of(s.options, s.typed, eq)) != NULL)
		complete_value(&s, o, eq + 1);
	else if (s.typed[0] == '-')
		complete_option(&s);
	else if (v->usage != NULL)
		complete_operand(&s, v, first, operands);
	end(&s);
}

/* The words of Kosli: two of them name a table of options. */
static void
complete_kosli(int n, char **word)
{
	struct state s = { .typed = word[n - 1] };
	const struct kosli_word *w, *before = NULL;
	struct verb v = { 0 };

	for (size_t i = 0; (w = kosli_word(i)) != NULL; before = w, i++) {
		if (n == 1 &&
		    (before == NULL || strcmp(before->verb, w->verb) != 0)) {
			offer(&s, "", 0, w->verb,
			    w->object == NULL ? w->is : "");
		} else if (n > 1 && strcmp(w->verb, word[0]) == 0) {
			if (w->object == NULL ||
			    (n > 2 && strcmp(w->object, word[1]) == 0))
				v.options = w->options;
			else if (n == 2)
				offer(&s, "", 0, w->object, w->is);
		}
	}
	if (v.options != NULL) {
		v.usage = "FILE...";
		complete_verb(&v, n - 1, word + 1);
	}
}

void
complete_line(int n, char **word)
{
	static const struct args_option own[] = {
		{ .name = "version",
		    .letter = 'V',
		    .help = "print the version" },
		{ 0 },
	};
	struct state s = { .typed = word[n - 1], .options = own };
	const bool help = n == 2 && strcmp(word[0], "help") == 0;
	const struct verb *v;

	if (n == 1 && *s.typed == '-')
		complete_option(&s);
	for (size_t i = 0; (v = cmd_verb(i)) != NULL; i++) {
		if (n == 1 || help)
			offer(&s, "", 0, v->name, v->summary);
		else if (strcmp(v->name, word[0]) != 0)
			continue;
		else if (v->raw)
			complete_kosli(n - 1, word + 1);
		else
			complete_verb(v, n - 1, word + 1);
	}
	if (n == 1)
		offer(&s, "", 0, "help", "print the options of a verb");
}
