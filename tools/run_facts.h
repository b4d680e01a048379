/* run.json: what trailctl run records about a command. */
#ifndef TRAILCTL_RUN_FACTS_H
#define TRAILCTL_RUN_FACTS_H

#include "args.h"
#include "child.h"
#include "core/json.h"

/*
 * Append run.json to out: command, directory, host, times (UTC), the variables
 * env of the environment, and how the command ended (end NULL: it runs, and
 * there is no end). A variable that is not set is null. Bytes that are not
 * UTF-8 become U+FFFD.
 *
 * Secrets in variables and arguments are "***": see secrets.h. Sorts env in
 * place. Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code run_facts(char **argv, const struct args_list *env,
    struct tf_time began, const struct child_end *end, struct tf_buf *out,
    struct tf_error *err);

#endif
