/*
 * A letter has one meaning in all verbs of trailctl but kosli, which has the
 * letters of that program:
 *
 *	-C --compliant	-i --identity	-o --output	-t --type
 *	-D --dry-run	-j --json	-q --quiet	-U --until
 *	-f --follow	-k --vkey	-r --reason	-u --user-data
 *	-g --group	-n --limit	-S --since	-V --version
 *	-h --help
 *
 * Options that people seldom type have no letter.
 *
 * The options of a verb: a table that says what each option is called, where
 * its value is stored, and what `trailctl help VERB` prints about it.
 */
#ifndef TRAILCTL_ARGS_H
#define TRAILCTL_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/time_text.h"
#include "core/error.h"

/* All values of an option that may be given several times, in that order.
 * They point into argv. */
struct args_list {
	const char **v;
	size_t n;
};

enum args_truth { ARGS_NOT_GIVEN, ARGS_FALSE, ARGS_TRUE };

#define ARGS_WORD 64 /* bytes of a word of an option, with its NUL */

/*
 * One option; a table has at most 64, as the parser keeps a bit for each.
 * Exactly one of the pointers is set.  It says of which kind the option is and
 * where its value is stored.  An option that is not given leaves that place as
 * it was.
 */
struct args_option {
	const char *name;  /* after "--"; NULL ends a table */
	char letter;	   /* after "-"; 0: none */
	const char *value; /* what the help calls the value, as "FILE" */
	/* The value is one of these words: those in value, as "vkey|pem", or
	 * those that word returns for 0, 1, ... until it returns NULL. */
	bool closed;
	const char *(*word)(size_t i);
	const char *help;	/* half a line */
	bool *flag;		/* it has no value */
	enum args_truth *truth; /* "--name", "--name=true" or "--name=false" */
	const char **text;
	uint64_t *number;    /* decimal, at most TF_JSON_MAX */
	char *time;	     /* TF_TIME_LEN + 1 bytes, as in the ledger */
	const char **moment; /* as core/past.h says */
	struct args_list *list;
	/* Instead of a pointer: why it is an error to give this option. */
	const char *refused;
};

#define ARGS_JSON(to)                                                \
	{                                                            \
		.name = "json", .letter = 'j', .help = "print JSON", \
		.flag = to,                                          \
	}

/* The exit status is the answer; output is for what a person must know. */
#define ARGS_QUIET(to)                                                       \
	{                                                                    \
		.name = "quiet", .letter = 'q',                              \
		.help = "print nothing if the exit status is 0", .flag = to, \
	}

/*
 * Store the options of argv[1..*argc-1] by the table (NULL: no options). The
 * operands, which may stand between options and after "--", move to the front:
 * argv[0..*argc-1], followed by NULL. A value is never empty, and an option
 * that is no list is given at most once. A word of a closed list is one of them. "-o VALUE", "-oVALUE" and "-o=VALUE"
 * are the same. Abbreviations are not accepted. A single "-" is an operand.
 *
 * --help and -h set *help, and the arguments after them are not read. Values
 * are not copied: they point into argv.
 *
 * TF_USAGE: err names the wrong option, as the user wrote it; options before it
 * are stored. The caller calls args_free() in any case, which frees the lists
 * and empties them.
 */
TF_MUST_USE enum tf_code args_parse(const struct args_option *options,
    int *argc, char **argv, bool *help, struct tf_error *err);
void args_free(const struct args_option *options);

/* Write the word i of all that the value of the option can be. False: there are
 * no more, or there is no such list. */
bool args_word(const struct args_option *o, size_t i, char out[ARGS_WORD]);

/* Print one line per option, with --help as the last. Options that are refused
 * are left out. */
void args_print(const struct args_option *options, FILE *to);

#endif
