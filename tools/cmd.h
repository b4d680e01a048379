/*
 * The verbs of trailctl.
 *
 * A verb is one file, cmd_VERB.c, that defines a struct verb of that name.
 * To add one:
 *  1. tools/cmd_VERB.c: a static struct for the values of the options, a table
 *     of options that points into it (args.h), a static function run, and
 *     `const struct verb cmd_VERB`.
 *  2. Declare cmd_VERB below, and add it to the table in trailctl.c.
 *  3. A line in core/README.md, a line in CHANGELOG.md, tests in
 *     tests/shell/tools-*.sh, the verb in the page of its group
 *     (man/trailctl-GROUP.1: NAME, SYNOPSIS, DESCRIPTION), and its summary in
 *     man/trailctl.1.
 *
 * The program parses the command line before it calls run: options are stored
 * as the table says, wrong ones end the program with REPORT_USAGE and a
 * reason, and `trailctl help VERB` prints the struct.  So run only checks what
 * a table cannot say (two options that exclude each other, a required option).
 */
#ifndef TRAILCTL_CMD_H
#define TRAILCTL_CMD_H

#include "args.h"

#define VERB_ANY_NUMBER (-1)

struct verb {
	const char *name;
	const char *summary; /* one sentence without its full stop */
	/* The arguments after the name; a line end separates alternatives. */
	const char *usage;
	const struct args_option *options; /* NULL: none */
	/* What the first operand is, as "set|show", or NULL: anything. */
	const char *actions;
	int min, max; /* number of operands; max may be VERB_ANY_NUMBER */
	bool raw;     /* run gets all arguments, options too, as they are */
	/*
	 * Do it.  arg has the n operands and then NULL.  Print the answer to
	 * stdout and all else through report.h.  Returns an exit status of
	 * report.h.
	 */
	int (*run)(int n, char **arg);
};

extern const struct verb cmd_assert;
extern const struct verb cmd_attest;
extern const struct verb cmd_backup;
extern const struct verb cmd_cat;
extern const struct verb cmd_compare;
extern const struct verb cmd_custody;
extern const struct verb cmd_dispose;
extern const struct verb cmd_doctor;
extern const struct verb cmd_evaluate;
extern const struct verb cmd_export_log;
extern const struct verb cmd_find;
extern const struct verb cmd_forward;
extern const struct verb cmd_grant;
extern const struct verb cmd_revoke;
extern const struct verb cmd_access;
extern const struct verb cmd_hold;
extern const struct verb cmd_import;
extern const struct verb cmd_init;
extern const struct verb cmd_key;
extern const struct verb cmd_kosli;
extern const struct verb cmd_log;
extern const struct verb cmd_metrics;
extern const struct verb cmd_mirror;
extern const struct verb cmd_org;
extern const struct verb cmd_override;
extern const struct verb cmd_ls;
extern const struct verb cmd_package;
extern const struct verb cmd_prove;
extern const struct verb cmd_push;
extern const struct verb cmd_recipients;
extern const struct verb cmd_redact;
extern const struct verb cmd_restore;
extern const struct verb cmd_retain;
extern const struct verb cmd_run;
extern const struct verb cmd_seal;
extern const struct verb cmd_show;
extern const struct verb cmd_stamp;
extern const struct verb cmd_status;
extern const struct verb cmd_stream;
extern const struct verb cmd_sync;
extern const struct verb cmd_template;
extern const struct verb cmd_trail;
extern const struct verb cmd_type;
extern const struct verb cmd_unpack;
extern const struct verb cmd_upgrade;
extern const struct verb cmd_verify;
extern const struct verb cmd_watch;
extern const struct verb cmd_why;
extern const struct verb cmd_witness;
extern const struct verb cmd_witness_serve;

/* Print the reason and the usage of the verb to stderr.  Returns
 * REPORT_USAGE. */
int cmd_usage(const struct verb *v, const char *reason);

/* The same: no blobs are given, and ledger, a URI or none, does not have them. */
int cmd_no_blobs(const struct verb *v, const char *ledger);

/* The i-th verb in the order of the help, or NULL. */
const struct verb *cmd_verb(size_t i);

/*
 * Do what `trailctl VERB ARGUMENT...` does: arg[0] is the name of the verb,
 * arg[n] is NULL.  A verb that maps its words to those of another verb calls
 * this.  Returns the exit status.
 */
int cmd_do(const struct verb *v, int n, char **arg);

#endif
