/* How a command line that is not finished can go on, for the shells. */
#ifndef TRAILCTL_COMPLETE_H
#define TRAILCTL_COMPLETE_H

#include "cmd.h"

/*
 * Print one candidate per line for the last of n words, n > 0: the whole word, a
 * tab, and what it means.  The last line may be ":files" or ":directories":
 * names of these can stand there, too, after the "=" of "--option=".  The words
 * follow the name of the program; with a verb, that of the verb.
 */
void complete_line(int n, char **word);
void complete_verb(const struct verb *v, int n, char **word);

#endif
