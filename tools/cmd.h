/*
 * The verbs of trailctl.  Each parses its own arguments, argv[0] being what
 * messages begin with, and returns an exit status.
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

/* Say on stderr how the verb at work is used; an exit status. */
int cmd_usage(void);

/*
 * Parse the arguments of a verb whose only option is --json and that takes at
 * most one argument (*arg, NULL when there is none).  False when they are not
 * that; it has been said then.
 */
bool cmd_parse(int argc, char **argv, bool *json, const char **arg);

#endif
