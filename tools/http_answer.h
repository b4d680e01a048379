/* The answer to a request over HTTP, as a command such as curl(1) printed it. */
#ifndef TRAILCTL_HTTP_ANSWER_H
#define TRAILCTL_HTTP_ANSWER_H

#include <stdbool.h>

#include "core/types.h"

struct http_answer {
	int status; /* 100..599; 0: the text has no header, body is all of it */
	struct tf_str body; /* within the text */
};

/*
 * Read an answer with its header ("HTTP/1.1 200 OK", as `curl -i` prints it), or
 * one of a CGI program ("Status: 200 OK").  A line Status in a header of HTTP
 * counts more than its first line, for servers that only pass it on.  Headers of
 * proxies and of "100 Continue" before it are skipped.  False: the header has no
 * end or no status.
 */
bool http_answer_read(struct tf_str text, struct http_answer *out);

#endif
