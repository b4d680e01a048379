/*
 * A command of the caller that carries a request to another machine and brings
 * the answer back, such as curl(1).  trailctl itself has no network code.
 */
#ifndef TRAILCTL_TRANSPORT_H
#define TRAILCTL_TRANSPORT_H

#include "core/json.h"

/*
 * Run `sh -c command` with the request as its standard input, wait until it has
 * ended, and append its standard output, at most max bytes, to answer.  Its
 * standard error, environment and limits are those of the caller.  The request
 * must fit into a pipe, which holds 65,536 bytes unless its user has very many
 * of them.
 * Errors: TF_IO the command could not be run, or did not end with status 0;
 * TF_TOOBIG the request or the answer is too long; TF_NOMEM.
 */
TF_MUST_USE enum tf_code transport_run(const char *command,
    struct tf_str request, size_t max, struct tf_buf *answer,
    struct tf_error *err);

#endif
