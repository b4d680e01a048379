/* Operations as text; see ops.h. */
#include <stdlib.h>
#include <string.h>

#include "ops.h"

static const char *const verbs[OP_COUNT] = {
	[OP_MKDIR] = "mkdir",
	[OP_OPEN] = "open",
	[OP_WRITE] = "write",
	[OP_READ_FD] = "pread",
	[OP_FTRUNCATE] = "ftruncate",
	[OP_FALLOCATE] = "fallocate",
	[OP_FSYNC] = "fsync",
	[OP_DUP] = "dup",
	[OP_MMAP] = "mmap",
	[OP_CLOSE] = "close",
	[OP_REOPEN] = "reopen",
	[OP_READ] = "read",
	[OP_LIST] = "list",
	[OP_TRUNCATE] = "truncate",
	[OP_RENAME] = "rename",
	[OP_UNLINK] = "unlink",
	[OP_RMDIR] = "rmdir",
	[OP_LINK] = "link",
	[OP_SYMLINK] = "symlink",
	[OP_MKNOD] = "mknod",
	[OP_CHMOD] = "chmod",
	[OP_CHOWN] = "chown",
	[OP_UTIMENS] = "utimens",
	[OP_SETXATTR] = "setxattr",
	[OP_REMOVEXATTR] = "removexattr",
	[OP_GETXATTR] = "getxattr",
	[OP_SYNCDIR] = "syncdir",
	[OP_KEEP] = "keep",
	[OP_CRASH] = "crash",
	[OP_REMOUNT] = "remount",
};

/* In the order of the bits of flags. */
static const char *const words[] = { "read", "write", "append", "trunc",
	"create", "excl", "noreplace", "exchange", "whiteout", "fifo", "device",
	"now", "keepsize", "replace" };

static void
print_path(FILE *f, const char *key, const char *path)
{
	fprintf(f, " %s=", key);
	for (; *path != '\0'; path++) {
		if (*path > ' ' && *path < 0x7f && *path != '%')
			fputc(*path, f);
		else
			fprintf(f, "%%%02x", (unsigned char)*path);
	}
}

void
op_print(FILE *f, const struct op *o)
{
	const char *between = " flags=";

	fprintf(f, "%s", verbs[o->verb]);
	if (o->verb < OP_KEEP)
		fprintf(f, " %u", o->who);
	if (o->p != NULL)
		print_path(f, "p", o->p);
	if (o->q != NULL)
		print_path(f, "q", o->q);
	for (size_t i = 0; i < LEN(words); i++)
		if ((o->flags >> i & 1) != 0) {
			fprintf(f, "%s%s", between, words[i]);
			between = ",";
		}
	if (o->mode != 0)
		fprintf(f, " mode=%o", o->mode);
	if (o->n != 0)
		fprintf(f, " n=%ld", o->n);
	if (o->at != 0)
		fprintf(f, " at=%ld", o->at);
	if (o->seed != 0)
		fprintf(f, " seed=%u", o->seed);
	if (o->p == NULL && o->verb < OP_KEEP)
		fprintf(f, " h=%d", o->h);
	else if (o->h != 0)
		fprintf(f, " h=%d", o->h);
	if (o->h2 != 0)
		fprintf(f, " h2=%d", o->h2);
	fputc('\n', f);
}

static char *
read_path(const char *text)
{
	char *path = malloc(strlen(text) + 1), *o = path;
	unsigned c;

	for (; *text != '\0'; o++) {
		if (*text == '%' && sscanf(text + 1, "%2x", &c) == 1) {
			*o = (char)c;
			text += 3;
		} else {
			*o = *text++;
		}
	}
	*o = '\0';
	return path;
}

static bool
read_flags(char *text, unsigned *flags)
{
	char *word;
	size_t i;

	while ((word = strsep(&text, ",")) != NULL) {
		for (i = 0; i < LEN(words); i++)
			if (strcmp(word, words[i]) == 0)
				break;
		if (i == LEN(words))
			return false;
		*flags |= 1u << i;
	}
	return true;
}

static bool
read_field(struct op *o, char *field)
{
	char *value = strchr(field, '=');

	if (value == NULL) {
		o->who = (uid_t)strtoul(field, NULL, 10);
		return true;
	}
	*value++ = '\0';
	if (strcmp(field, "p") == 0 && o->p == NULL)
		o->p = read_path(value);
	else if (strcmp(field, "q") == 0 && o->q == NULL)
		o->q = read_path(value);
	else if (strcmp(field, "flags") == 0)
		return read_flags(value, &o->flags);
	else if (strcmp(field, "mode") == 0)
		o->mode = (unsigned)strtoul(value, NULL, 8);
	else if (strcmp(field, "n") == 0)
		o->n = strtol(value, NULL, 10);
	else if (strcmp(field, "at") == 0)
		o->at = strtol(value, NULL, 10);
	else if (strcmp(field, "seed") == 0)
		o->seed = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(field, "h") == 0)
		o->h = atoi(value) % SLOTS;
	else if (strcmp(field, "h2") == 0)
		o->h2 = atoi(value) % SLOTS;
	else
		return false;
	return true;
}

static bool
read_op(char *line, struct op *o)
{
	char *word = strsep(&line, " "), *field;
	int verb = 0;

	memset(o, 0, sizeof *o);
	while (verb < OP_COUNT && strcmp(word, verbs[verb]) != 0)
		verb++;
	if (verb == OP_COUNT)
		return false;
	o->verb = (enum verb)verb;
	while ((field = strsep(&line, " ")) != NULL)
		if (*field != '\0' && !read_field(o, field))
			return false;
	return true;
}

void
trace_add(struct trace *t, struct op o)
{
	if (t->n == t->cap) {
		t->cap = t->cap * 2 + 64;
		t->ops = realloc(t->ops, t->cap * sizeof t->ops[0]);
	}
	t->ops[t->n++] = o;
}

void
trace_free(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->ops[i].p);
		free(t->ops[i].q);
	}
	free(t->ops);
	memset(t, 0, sizeof *t);
}

void
trace_print(FILE *f, const struct trace *t)
{
	fprintf(f, "settle=%d\n", t->settles ? 60 : 0);
	for (size_t i = 0; i < t->n; i++)
		op_print(f, &t->ops[i]);
}

bool
trace_read(FILE *f, struct trace *t)
{
	char *line = NULL;
	size_t cap = 0;
	bool good = true;
	struct op o;

	memset(t, 0, sizeof *t);
	t->settles = true;
	while (good && getline(&line, &cap, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (strncmp(line, "settle=", 7) == 0) {
			t->settles = line[7] != '0';
			continue;
		}
		if ((good = read_op(line, &o)))
			trace_add(t, o);
	}
	free(line);
	return good;
}
