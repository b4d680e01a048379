/*
 * JSON that options of Kosli name: read and checked before anything is recorded.
 *
 * Malformed JSON is a wrong option and not a report. A file may be a pipe, which
 * can be read only once, while the verbs read the file that they are given: so
 * what was checked is what they get, as a file in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/json_any.h"
#include "core/definition.h"
#include "files.h"
#include "kosli.h"
#include "report.h"

enum tf_code
kosli_check_json(const char *option, const char *file, const struct tf_buf *b,
    struct tf_error *err)
{
	struct tf_any_doc d = { 0 };
	struct tf_error why = { 0 };
	enum tf_code rc = tf_any_parse(&d, b->n > 0 ? b->p : "", b->n, &why);

	tf_any_free(&d);
	if (rc == TF_OK || rc == TF_NOMEM)
		return rc == TF_OK ? rc : tf_fail_as(err, &why);
	return tf_fail(err, TF_USAGE, "--%s: %.80s: %s", option, file,
	    why.text);
}

enum tf_code
kosli_read_json(const char *option, const char *file, size_t max,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = files_read(file, max, out, &why);

	if (rc == TF_INVALID)
		return tf_fail(err, TF_USAGE, "--%s: %s", option, why.text);
	return rc == TF_OK ? kosli_check_json(option, file, out, err) :
			     tf_fail_as(err, &why);
}

enum tf_code
kosli_user_data(struct tf_error *err)
{
	static char path[40];
	struct tf_buf data = { 0 };
	const char *file = kosli_ask.claims.user_data;
	enum tf_code rc;
	int fd;

	if (file == NULL)
		return TF_OK;
	rc = kosli_read_json("user-data", file, TF_USER_DATA_MAX, &data, err);
	if (rc == TF_OK) {
		/* Open until the program ends, since the verb opens it. */
		fd = memfd_create("user-data", MFD_CLOEXEC);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		rc = fd < 0 ? report_system(err, "%s", file) :
			      files_put(fd, file, data.p, data.n, err);
		kosli_ask.claims.user_data = path;
	}
	tf_buf_free(&data);
	return rc;
}
