/*
 * The verbs of trailctl, one per file.  Each parses its own arguments and
 * returns an exit status (report.h).  argv[0] is the word that messages begin
 * with.
 */
#ifndef TRAILCTL_CMD_H
#define TRAILCTL_CMD_H

#include <stdbool.h>

int cmd_init(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_seal(int argc, char **argv);
int cmd_sync(int argc, char **argv);
int cmd_prove(int argc, char **argv);
int cmd_export_log(int argc, char **argv);
int cmd_package(int argc, char **argv);
int cmd_unpack(int argc, char **argv);
int cmd_assert(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_why(int argc, char **argv);

/* Print the usage of the current verb to stderr.  Returns REPORT_USAGE. */
int cmd_usage(void);

/*
 * Parse the arguments of a verb that has no option but --json and takes at most
 * one argument (*arg, or NULL).  False: they are something else, and the usage
 * was printed.
 */
bool cmd_parse(int argc, char **argv, bool *json, const char **arg);

#endif
