/*
 * The options of trailfs: see option_table.h.
 *
 * The table says what each option means; options.c and tf_settings_take() say
 * which values are possible.
 */
#include <stdbool.h>
#include <string.h>

#include "core/guess.h"
#include "option_table.h"

const struct option fs_option_words[] = {
	{ "options", required_argument, NULL, 'o' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "debug", no_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	char letter;
	const char *help;
} own[] = {
	{ 'o', "options of the mount, with commas between them" },
	{ 'f', "stay in the foreground and log to stderr" },
	{ 'd', "as -f, and print every request" },
	{ 'h', "print this text" },
	{ 'V', "print the version" },
};
#define OWN (sizeof own / sizeof own[0])

/* In the order of the help.  A value with small letters is all of its words. */
static const struct word {
	const char *name, *value, *help;
} words[] = {
	{ "settle", "S",
	    "seconds from the close of a file to its seal, 0 to 60 (2)" },
	{ "quiet", "S",
	    "seal an attestation that nobody has changed for S seconds "
	    "(never)" },
	{ "placeholder", "S",
	    "seal a file that was created and never written after S seconds "
	    "(600)" },
	{ "max_file", "BYTES", "maximum size of a file (no limit)" },
	{ "max_staged", "BYTES",
	    "maximum size of one user's files that are not sealed yet (no "
	    "limit)" },
	{ "max_unsealed", "N",
	    "maximum number of one user's names that are not sealed yet "
	    "(100000)" },
	{ "max_open", "N",
	    "maximum number of files that one user has open for writing "
	    "(10000)" },
	{ "max_draft", "N",
	    "maximum number of names in a draft attestation (10000)" },
	{ "max_store", "BYTES",
	    "maximum size of evidence, entries and files that are not sealed "
	    "yet (no limit)" },
	{ "mode_floor", "MODE",
	    "read bits to add to evidence when it is sealed, as 0440" },
	{ "trail_group", "GROUP",
	    "the group of new trails and of what is made in them" },
	{ "auditors", "GROUP", "its members read everything" },
	{ "admins", "GROUP",
	    "its members also create trails and set templates, types, "
	    "recipients, retention and holds" },
	{ "reads", "off|log", "record who opens sealed evidence (off)" },
	{ "texts", "clear|redactable",
	    "keep texts of entries in the entries, or apart so that they can "
	    "be redacted (clear)" },
	{ "signer", "CMD",
	    "the command that is the signer (a process of trailfs)" },
	{ "threads", "N", "number of workers, 1 to 64 (cores, at most 4)" },
	{ "verify", "open|none",
	    "hash a file when it is first opened, or never (open)" },
	{ "durability", "close|batch|org",
	    "close(2) waits for the disk, for nothing, or for the organisation "
	    "(close)" },
	{ "org_timeout", "S",
	    "seconds that close(2) waits for the organisation (60)" },
	{ "streams", "on|off",
	    "let the kernel collect the small writes of a file (off)" },
	{ "objects", "SOCKET",
	    "with ro, of a copy with names only: who gives contents (.follow "
	    "beside the copy)" },
	{ "cache", "DIRECTORY",
	    "of an organisation: where the copies of its origins are kept" },
	{ "cache_size", "BYTES",
	    "of an organisation: evidence to keep there (1 GiB)" },
	{ "blobs", "URI",
	    "of an organisation whose ledger has no blobs: where they are" },
	{ "ro", NULL, "show sealed files only and write nothing to the store" },
	{ "moved", NULL,
	    "write a store that was moved from another directory, not "
	    "copied" },
	{ "user", "NAME",
	    "refuse a store that does not belong to NAME, as whom the daemon "
	    "runs; also setuid=NAME" },
	{ "allow_other", NULL,
	    "let other users use the mount (always, as "
	    "root)" },
};
#define WORDS (sizeof words / sizeof words[0])

/* Is the value one of the words in it, and does it not stand for another? */
static bool
is_closed(const struct word *w)
{
	return w->value != NULL && *w->value >= 'a';
}

static const struct word *
find(const char *name, size_t n)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strlen(words[i].name) == n &&
		    memcmp(words[i].name, name, n) == 0)
			return &words[i];
	return NULL;
}

/* --- help ----------------------------------------------------------------- */

#define LEFT 19	 /* the column of the help, less two */
#define RIGHT 79 /* columns of a line */

/* Print the help beside its option, in as many lines as it needs. */
static void
print_line(FILE *to, const char *left, const char *text)
{
	size_t at = LEFT, n = strlen(left);

	fprintf(to, "  %-*s", LEFT - 2, left);
	if (n > LEFT - 2)
		fprintf(to, "\n%*s", LEFT, "");
	for (; *text != '\0'; text += n + (text[n] == ' ')) {
		n = strcspn(text, " ");
		if (at + 1 + n > RIGHT) {
			fprintf(to, "\n%*s", LEFT, "");
			at = LEFT;
		}
		fprintf(to, " %.*s", (int)n, text);
		at += 1 + n;
	}
	fputs("\n", to);
}

void
fs_option_help(FILE *to)
{
	char left[64];

	fputs("usage: trailfs [-df] [-o OPTION[,OPTION...]] STORE MOUNTPOINT\n"
	      "       trailfs -h | --help | -V | --version\n",
	    to);
	for (size_t i = 0; i < OWN; i++) {
		snprintf(left, sizeof left, "-%c, --%s", own[i].letter,
		    fs_option_words[i].name);
		print_line(to, left, own[i].help);
	}
	fputs("options of the mount (defaults in parentheses; BYTES may end in "
	      "K, M, G or T):\n",
	    to);
	for (size_t i = 0; i < WORDS; i++) {
		snprintf(left, sizeof left, "%s%s%s", words[i].name,
		    words[i].value != NULL ? "=" : "",
		    words[i].value != NULL ? words[i].value : "");
		print_line(to, left, words[i].help);
	}
}

/* --- mistakes ------------------------------------------------------------- */

static void
refer(void)
{
	fputs("trailfs: trailfs --help lists the options\n", stderr);
}

void
fs_option_wrong_word(const char *word)
{
	const size_t n = strcspn(word, "=");
	const struct word *w = find(word, n);
	char name[64], text[TF_GUESS_TEXT];
	struct tf_guess g = { .typed = name };

	if (w != NULL && w->value == NULL) {
		fprintf(stderr, "trailfs: the option %s takes no value\n",
		    w->name);
	} else if (w != NULL && is_closed(w)) {
		fprintf(stderr, "trailfs: %s: the value is one of %s\n", word,
		    w->value);
	} else if (w != NULL) {
		fprintf(stderr, "trailfs: %s: %s=%s: %s\n", word, w->name,
		    w->value, w->help);
	} else {
		snprintf(name, sizeof name, "%.*s", (int)(n < 60 ? n : 60),
		    word);
		for (size_t i = 0; i < WORDS; i++)
			tf_guess_add(&g, words[i].name);
		fprintf(stderr, "trailfs: there is no option %s%s\n", name,
		    tf_guess_text(&g, "", text));
	}
	refer();
}

void
fs_option_wrong(const char *option)
{
	const char *word = option + strspn(option, "-");
	struct tf_guess g = { .typed = word };
	char text[TF_GUESS_TEXT];

	for (size_t i = 0; i < OWN; i++)
		tf_guess_add(&g, fs_option_words[i].name);
	tf_guess_text(&g, "--", text);
	if (g.best == NULL) {
		for (size_t i = 0; i < WORDS; i++)
			tf_guess_add(&g, words[i].name);
		tf_guess_text(&g, "-o ", text);
	}
	fprintf(stderr, "trailfs: there is no option %s%s\n", option, text);
	refer();
}

/* --- completion ----------------------------------------------------------- */

/* Print before, text and after as one candidate if it goes on from there. */
static void
offer(const char *typed, const char *before, int n, const char *text,
    const char *after, const char *help)
{
	if (strncmp(text, typed, strlen(typed)) == 0)
		printf("%.*s%s%s\t%s\n", n, before, text, after, help);
}

/* list: the end of the word, which stands after -o.  What follows its last comma
 * goes on. */
static void
complete_list(const char *word, const char *list)
{
	const char *comma = strrchr(list, ',');
	const char *typed = comma != NULL ? comma + 1 : list, *value;
	const struct word *w = find(typed, strcspn(typed, "="));
	char one[64];
	size_t n;

	value = strchr(typed, '=');
	if (value == NULL)
		for (size_t i = 0; i < WORDS; i++)
			offer(typed, word, (int)(typed - word), words[i].name,
			    words[i].value != NULL ? "=" : "", words[i].help);
	if (value == NULL || w == NULL || !is_closed(w))
		return;
	value++;
	for (const char *p = w->value; *p != '\0'; p += n + (p[n] == '|')) {
		n = strcspn(p, "|");
		snprintf(one, sizeof one, "%.*s", (int)n, p);
		offer(value, word, (int)(value - word), one, "", "");
	}
}

void
fs_option_complete(int n, char **word)
{
	static const char longer[] = "--options=";
	const char *typed = word[n - 1];
	const char *before = n > 1 ? word[n - 2] : "";
	char name[32];

	if (strcmp(before, "-o") == 0 || strcmp(before, "--options") == 0) {
		complete_list(typed, typed);
	} else if (strncmp(typed, longer, sizeof longer - 1) == 0) {
		complete_list(typed, typed + sizeof longer - 1);
	} else if (*typed == '-') {
		for (size_t i = 0; i < OWN; i++) {
			snprintf(name, sizeof name, "--%s",
			    fs_option_words[i].name);
			offer(typed, "", 0, name, "", own[i].help);
			snprintf(name, sizeof name, "-%c", own[i].letter);
			if (typed[1] == '\0')
				offer(typed, "", 0, name, "", own[i].help);
		}
	} else {
		puts(":directories");
	}
}
