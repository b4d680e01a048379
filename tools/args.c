/*
 * Options of verbs: see args.h.
 *
 * getopt_long(3) is not used: it accepts abbreviations, which break when an
 * option is added, and it does not notice an option that is given twice. A
 * script that records evidence should hear about both. Operands are moved to
 * the front in argv itself, so nothing has to be allocated but lists.
 */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "core/base/bytes.h"
#include "core/guess.h"
#include "core/json.h"
#include "core/past.h"
#include "text.h"

struct parser {
	const struct args_option *options;
	uint64_t given; /* bit i: options[i] */
	char **next;	/* the next argument; *next is NULL at the end */
};

/* The value stays in argv; only the array is allocated. */
static enum tf_code
append(struct args_list *l, const char *value, struct tf_error *err)
{
	const char **v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (v == NULL)
		return tf_nomem(err);
	l->v = v;
	l->v[l->n++] = value;
	return TF_OK;
}

bool
args_word(const struct args_option *o, size_t i, char out[ARGS_WORD])
{
	const char *word = o->closed ? o->value : NULL;
	size_t n;

	if (o->word != NULL) {
		if ((word = o->word(i)) != NULL)
			(void)snprintf(out, ARGS_WORD, "%s", word);
		return word != NULL;
	}
	for (; word != NULL; word += n + 1) {
		n = strcspn(word, "|");
		if (i-- == 0) {
			(void)snprintf(out, ARGS_WORD, "%.*s", (int)n, word);
			return true;
		}
		if (word[n] == '\0')
			break;
	}
	return false;
}

/* Is it one of the words, if the option has a list of them? */
static enum tf_code
check_word(const struct args_option *o, const char *value, const char *shown,
    struct tf_error *err)
{
	struct tf_guess g = { .typed = value };
	char word[ARGS_WORD], best[ARGS_WORD] = "", text[TF_GUESS_TEXT];
	struct tf_buf all = { 0 };
	size_t i;

	for (i = 0; args_word(o, i, word); i++) {
		if (strcmp(word, value) == 0)
			break;
		tf_buf_printf(&all, "%s%s", i > 0 ? ", " : "", word);
		tf_guess_add(&g, word);
		if (g.best == word) /* the buffer: keep the word */
			g.best = strcpy(best, word);
	}
	if (i == 0 || args_word(o, i, word)) {
		tf_buf_free(&all);
		return TF_OK;
	}
	(void)tf_fail(err, TF_USAGE, "%s: there is no %s \"%.40s\"%s", shown,
	    o->closed ? "value" : o->value, value, tf_guess_text(&g, "", text));
	if (g.best == NULL && all.n < 80)
		(void)tf_fail(err, TF_USAGE, "%s is one of %s, not \"%.30s\"",
		    shown, text_of(&all), value);
	tf_buf_free(&all);
	return TF_USAGE;
}

/* shown: the option as the user wrote it, for messages. */
static enum tf_code
store(const struct args_option *o, const char *value, const char *shown,
    struct tf_error *err)
{
	enum tf_code rc;

	if (*value == '\0')
		return tf_fail(err, TF_USAGE, "the value of %s is empty",
		    shown);
	if ((rc = check_word(o, value, shown, err)) != TF_OK)
		return rc;
	if (o->list != NULL)
		return append(o->list, value, err);
	if (o->text != NULL)
		*o->text = value;
	else if (o->number != NULL &&
	    !tf_decimal(value, strlen(value), TF_JSON_MAX, o->number))
		return tf_fail(err, TF_USAGE, "%s takes a number", shown);
	else if (o->time != NULL && !text_time(value, o->time))
		return tf_fail(err, TF_USAGE,
		    "%s takes a time in UTC like 2026-11-23T07:50:00Z", shown);
	else if (o->moment != NULL && !tf_past_is_moment(value))
		return tf_fail(err, TF_USAGE,
		    "%s takes a time in UTC like 2026-11-23T07:50:00Z, or a "
		    "number of entries",
		    shown);
	if (o->moment != NULL)
		*o->moment = value;
	return TF_OK;
}

/* The words that other programs take for true and false, too. */
static bool
read_truth(const char *s, enum args_truth *out)
{
	static const char *const words[] = { "false", "False", "FALSE", "f",
		"F", "0", "true", "True", "TRUE", "t", "T", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(s, words[i]) == 0) {
			*out = i < 6 ? ARGS_FALSE : ARGS_TRUE;
			return true;
		}
	return false;
}

/* next: the argument after the option, or NULL. */
static enum tf_code
take_truth(const struct args_option *o, const char *value, const char *next,
    const char *shown, struct tf_error *err)
{
	enum args_truth ignored;

	/* "--name false" would be true, and false an operand. */
	if (value == NULL && next != NULL && read_truth(next, &ignored))
		return tf_fail(err, TF_USAGE, "write %s=%s, with '='", shown,
		    next);
	if (value == NULL)
		*o->truth = ARGS_TRUE;
	else if (!read_truth(value, o->truth))
		return tf_fail(err, TF_USAGE,
		    "%s is true or false, not \"%.60s\"", shown, value);
	return TF_OK;
}

/* value: the text after "=" or after the letter; NULL: none stands there. */
static enum tf_code
take_option(struct parser *p, const struct args_option *o, const char *value,
    const char *shown, struct tf_error *err)
{
	uint64_t bit = (uint64_t)1 << (o - p->options);

	if (o->refused != NULL)
		return tf_fail(err, TF_USAGE, "%s has no meaning here: %s",
		    shown, o->refused);
	if ((p->given & bit) != 0 && o->list == NULL)
		return tf_fail(err, TF_USAGE, "%s is given twice", shown);
	p->given |= bit;
	if (o->flag != NULL) {
		*o->flag = true;
		return value == NULL ?
		    TF_OK :
		    tf_fail(err, TF_USAGE, "%s takes no value", shown);
	}
	if (o->truth != NULL)
		return take_truth(o, value, *p->next, shown, err);
	if (value == NULL && (value = *p->next) == NULL)
		return tf_fail(err, TF_USAGE, "%s needs a value: %s", shown,
		    o->value);
	if (value == *p->next)
		p->next++;
	return store(o, value, shown, err);
}

/* shown: the option, as it was written; word: all after its dashes, since a long
 * option may have only one of them. */
static enum tf_code
no_such_option(const struct parser *p, const char *shown, const char *word,
    struct tf_error *err)
{
	struct tf_guess g;
	char text[TF_GUESS_TEXT], name[64];

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="),
	    word);
	g = (struct tf_guess){ .typed = name };

	for (const struct args_option *o = p->options;
	     o != NULL && o->name != NULL; o++)
		if (o->refused == NULL)
			tf_guess_add(&g, o->name);
	tf_guess_add(&g, "help");
	return tf_fail(err, TF_USAGE, "there is no option %s%s", shown,
	    tf_guess_text(&g, "--", text));
}

/* word: the argument after its "--". */
static enum tf_code
take_long(struct parser *p, const char *word, struct tf_error *err)
{
	const size_t n = strcspn(word, "=");
	char shown[64];

	(void)snprintf(shown, sizeof(shown), "--%.*s", (int)n, word);
	for (const struct args_option *o = p->options;
	     o != NULL && o->name != NULL; o++)
		if (strlen(o->name) == n && memcmp(o->name, word, n) == 0)
			return take_option(p, o,
			    word[n] == '=' ? word + n + 1 : NULL, shown, err);
	return no_such_option(p, shown, word, err);
}

/* word: the argument after its "-". */
static enum tf_code
take_letter(struct parser *p, const char *word, struct tf_error *err)
{
	const char shown[] = { '-', word[0], '\0' };
	const char *value = word + 1 + (word[1] == '=');

	for (const struct args_option *o = p->options;
	     o != NULL && o->name != NULL; o++)
		if (o->letter == word[0] &&
		    (o->flag == NULL || word[1] == '\0'))
			return take_option(p, o, word[1] != '\0' ? value : NULL,
			    shown, err);
	return no_such_option(p, shown, word, err);
}

enum tf_code
args_parse(const struct args_option *options, int *argc, char **argv,
    bool *help, struct tf_error *err)
{
	struct parser p = { .options = options, .next = argv + 1 };
	enum tf_code rc = TF_OK;
	bool only_operands = false;
	int n = 0;

	while (rc == TF_OK && !*help && *p.next != NULL) {
		char *word = *p.next++;

		if (only_operands || word[0] != '-' || word[1] == '\0')
			argv[n++] = word;
		else if (strcmp(word, "--") == 0)
			only_operands = true;
		else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
			*help = true;
		else if (word[1] == '-')
			rc = take_long(&p, word + 2, err);
		else
			rc = take_letter(&p, word + 1, err);
	}
	argv[n] = NULL;
	*argc = n;
	return rc;
}

/* A list that was never given is empty and is freed as well. */
void
args_free(const struct args_option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		if (options->list == NULL)
			continue;
		free(options->list->v);
		*options->list = (struct args_list){ 0 };
	}
}

/* One line; refused options are not in the help. */
static void
print_option(const struct args_option *o, FILE *to)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%s%.1s%s--%s %s",
	    o->letter != '\0' ? "-" : "", &o->letter,
	    o->letter != '\0' ? ", " : "", o->name,
	    o->value != NULL ? o->value : "");
	fprintf(to, "  %-24s  %s\n", left, o->help);
}

void
args_print(const struct args_option *options, FILE *to)
{
	static const struct args_option last = { .name = "help",
		.letter = 'h',
		.help = "print this text" };

	for (; options != NULL && options->name != NULL; options++)
		if (options->refused == NULL)
			print_option(options, to);
	print_option(&last, to);
}
