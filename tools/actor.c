/* The actor of entries that trailctl appends itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"

/* The rest of the first line of /proc/self/name that begins with prefix. */
static void
read_line(const char *name, const char *prefix, char *out, size_t size)
{
	char path[64], line[4096];
	size_t skip = strlen(prefix), n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	if ((f = fopen(path, "re")) == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		n = strcspn(line, "\n");
		line[n] = '\0';
		if (strncmp(line, prefix, skip) != 0)
			continue;
		/* A hint that does not fit is left out, not cut. */
		if (n - skip < size)
			memcpy(out, line + skip, n - skip + 1);
		break;
	}
	fclose(f);
}

/* A number of the audit system; all ones means that there is none. */
static int64_t
read_id(const char *name)
{
	char text[32] = "", *end;
	unsigned long long v;

	read_line(name, "", text, sizeof(text));
	v = strtoull(text, &end, 10);
	if (text[0] == '\0' || *end != '\0' || v >= UINT32_MAX)
		return -1;
	return (int64_t)v;
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
