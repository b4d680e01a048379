/*
 * trailctl witness-serve: the witness of other logs (witness_state.h), as a CGI
 * program of a web server, or over standard input and output, as for ssh(1).
 * One request in, one answer out, in the form of CGI in both cases.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "cmd.h"
#include "core/base/bytes.h"
#include "files.h"
#include "program.h"
#include "refusals.h"
#include "report.h"
#include "witness_state.h"

#define CALL "add-checkpoint"

static const char *name; /* of a new witness, or NULL */

static const struct args_option options[] = {
	{ .name = "init",
	    .value = "NAME",
	    .help = "make the directory STATE with a new key of this name",
	    .text = &name },
	{ 0 },
};

static int
make(const char *dir)
{
	struct tf_buf vkey = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = apart_ordinary(dir, "witness", &err);

	if (rc == TF_OK)
		rc = witness_state_make(dir, name, &vkey, &err);
	if (rc != TF_OK) {
		tf_error_at(&err, dir);
		rc = refusals_explain_below(dir, &err);
	} else {
		fwrite(vkey.p, 1, vkey.n, stdout);
		report_note("Add the keys of the logs to %s/logs.  Give the "
			    "key above to those who verify them.",
		    dir);
	}
	tf_buf_free(&vkey);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

/* --- the request -------------------------------------------------------------- */

/* The body of a request of CGI has so many bytes and no end. */
static enum tf_code
read_bytes(uint64_t n, struct tf_buf *body, struct tf_error *err)
{
	char part[4096];

	while (n > 0) {
		ssize_t got = read(STDIN_FILENO, part,
		    n < sizeof(part) ? (size_t)n : sizeof(part));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return report_system(err, "the request");
		if (got == 0)
			break; /* too short: it will not parse */
		tf_buf_add(body, part, (size_t)got);
		n -= (uint64_t)got;
	}
	return tf_buf_end(body, err);
}

/* *refused: the status of HTTP, before any body was read; or 0. */
static enum tf_code
read_request(const char *url, int *refused, struct tf_buf *body,
    struct tf_error *err)
{
	const char *method = program_variable("REQUEST_METHOD");
	const char *length = program_variable("CONTENT_LENGTH");
	const char *path = method != NULL ? program_variable("PATH_INFO") : url;
	size_t n = path != NULL ? strlen(path) : 0;
	uint64_t bytes;
	enum tf_code rc;

	*refused = 0;
	if (n > 0 &&
	    (n < strlen("/" CALL) ||
		strcmp(path + n - strlen("/" CALL), "/" CALL) != 0))
		*refused = 404;
	else if (method != NULL && strcmp(method, "POST") != 0)
		*refused = 405;
	if (*refused != 0)
		return TF_OK;
	if (method == NULL) {
		rc = files_read_fd(STDIN_FILENO, "the request",
		    TF_WITNESS_REQUEST_MAX, body, err);
	} else if (length == NULL ||
	    !tf_decimal(length, strlen(length), UINT32_MAX, &bytes)) {
		*refused = 411;
		rc = TF_OK;
	} else if (bytes > TF_WITNESS_REQUEST_MAX) {
		rc = TF_TOOBIG;
	} else {
		rc = read_bytes(bytes, body, err);
	}
	if (rc == TF_TOOBIG) {
		*refused = 413;
		rc = TF_OK;
	}
	return rc;
}

/* --- the answer --------------------------------------------------------------- */

static const char *
phrase(int status)
{
	switch (status) {
	case TF_WITNESS_COSIGNED:
		return "OK";
	case TF_WITNESS_MALFORMED:
		return "Bad Request";
	case TF_WITNESS_UNSIGNED:
		return "Forbidden";
	case TF_WITNESS_UNKNOWN:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case TF_WITNESS_OTHER_SIZE:
		return "Conflict";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	case TF_WITNESS_INCONSISTENT:
		return "Unprocessable Entity";
	default:
		return "Internal Server Error";
	}
}

static void
answer(int status, struct tf_str body)
{
	printf("Status: %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	       "\r\n",
	    status, phrase(status),
	    status == TF_WITNESS_OTHER_SIZE ? "text/x.tlog.size" :
					      "text/plain; charset=utf-8",
	    body.n);
	fwrite(body.p, 1, body.n, stdout);
}

static int
serve(const char *dir, const char *url)
{
	struct tf_buf body = { 0 }, out = { 0 };
	enum tf_witness_status status = TF_WITNESS_MALFORMED;
	struct tf_error err = { 0 };
	int refused;
	enum tf_code rc = read_request(url, &refused, &body, &err);

	if (rc == TF_OK && refused == 0)
		rc = witness_state_answer(dir, tf_buf_bytes(&body), &status,
		    &out, &err);
	/* What is wrong here is for the operator, not for the log. */
	if (rc != TF_OK)
		answer(500, tf_str_of("the witness cannot answer\n"));
	else if (refused != 0)
		answer(refused, tf_str_of("no such request\n"));
	else
		answer((int)status, tf_buf_bytes(&out));
	tf_buf_free(&body);
	tf_buf_free(&out);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

static int
run(int n, char **arg)
{
	if (name != NULL && n > 1)
		return cmd_usage(&cmd_witness_serve,
		    "--init has one argument, STATE");
	return name != NULL ? make(arg[0]) :
			      serve(arg[0], n > 1 ? arg[1] : NULL);
}

const struct verb cmd_witness_serve = {
	.name = "witness-serve",
	.summary = "cosign the checkpoint of another log, as its witness",
	.usage = "STATE [URL]\n--init NAME STATE",
	.options = options,
	.min = 1,
	.max = 2,
	.run = run,
};
