/* The actor of entries that trailctl appends itself. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "core/base/bytes.h"
#include "core/base/file.h"

#define LINES_MAX 65536 /* bytes of one file in /proc */

/* The rest of the first line of /proc/self/name that begins with prefix. */
static void
read_line(const char *name, const char *prefix, char *out, size_t size)
{
	const size_t skip = strlen(prefix);
	struct tf_buf text = { 0 };
	char path[64], *line, *rest;

	(void)snprintf(path, sizeof(path), "/proc/self/%s", name);
	if (tf_file_read(AT_FDCWD, path, LINES_MAX, &text, NULL) == TF_OK) {
		tf_buf_add(&text, "", 1);
		rest = text.failed ? NULL : text.p;
		while ((line = strsep(&rest, "\n")) != NULL) {
			if (strncmp(line, prefix, skip) != 0)
				continue;
			/* A hint that does not fit is left out, not cut. */
			if (strlen(line + skip) < size)
				strcpy(out, line + skip);
			break;
		}
	}
	tf_buf_free(&text);
}

/* A number of the audit system; all ones means that there is none. */
static int64_t
read_id(const char *name)
{
	char text[32] = "";
	uint64_t v;

	read_line(name, "", text, sizeof(text));
	return tf_decimal(text, strlen(text), UINT32_MAX - 1, &v) ? (int64_t)v :
								    -1;
}

void
actor_self(struct tf_actor *out)
{
	ssize_t n;

	*out = (struct tf_actor){
		.uid = getuid(),
		.gid = getgid(),
		.pid = (uint32_t)getpid(),
		.loginuid = read_id("loginuid"),
		.session = read_id("sessionid"),
	};
	read_line("comm", "", out->comm, sizeof(out->comm));
	read_line("cgroup", "0::", out->cgroup, sizeof(out->cgroup));
	n = readlink("/proc/self/exe", out->exe, sizeof(out->exe));
	out->exe[n > 0 && (size_t)n < sizeof(out->exe) ? n : 0] = '\0';
}
