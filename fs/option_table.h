/* The options of trailfs as a table: for its help, its messages and shells. */
#ifndef FS_OPTION_TABLE_H
#define FS_OPTION_TABLE_H

#include <getopt.h>
#include <stdio.h>

/* For getopt_long(3); the letter of each is its val. */
extern const struct option fs_option_words[];
#define FS_OPTION_LETTERS ":o:fdhVnsv"

/* Print what -h prints. */
void fs_option_help(FILE *to);

/* Say on stderr what is wrong with the word of -o, and what was meant. */
void fs_option_wrong_word(const char *word);
/* The same for an option of the command line. */
void fs_option_wrong(const char *option);

/* trailfs --complete WORD...: print how the last word can go on (trailctl has
 * the same request).  There is at least one word. */
void fs_option_complete(int n, char **word);

#endif
