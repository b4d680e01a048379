/*
 * The command line: options, and the paths made absolute.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/mutant.h"
#include "core/org.h"
#include "follower.h"
#include "loop.h"
#include "mount.h"
#include "option_table.h"
#include "options.h"

#define THREADS_DEFAULT 4

static bool
parse_number(const char *s, unsigned min, unsigned max, unsigned *out)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno != 0 || *end != '\0' || v < min || v > max)
		return false;
	*out = (unsigned)v;
	return true;
}

/* Words for mount(8) and fstab, and words that are always in effect. */
static bool
is_ignored(const char *name)
{
	static const char *const words[] = { "dev", "suid", "nodev", "nosuid",
		"noexec", "exec", "auto", "noauto", "nofail", "_netdev",
		"defaults", "default_permissions", "noatime", "user", "users",
		"nouser", "owner", "group" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(name, words[i]) == 0)
			return true;
	return strncmp(name, "x-", 2) == 0;
}

/* Parse one word of -o.  False: it is unknown, or its value is out of range. */
static bool
parse_option(struct fs_options *o, char *word)
{
	char *value = strchr(word, '=');
	bool ours;

	if (value != NULL) {
		*value = '\0';
		ours = tf_settings_take(&o->settings, word, value + 1);
		*value = '=';
		if (ours)
			return true;
	}
	if (strncmp(word, "objects=", 8) == 0) {
		o->objects = word + 8;
		return word[8] != '\0';
	}
	if (strncmp(word, "blobs=", 6) == 0) {
		o->blobs = word + 6;
		return tf_org_is_uri(o->blobs);
	}
	if (strncmp(word, "cache=", 6) == 0) {
		o->cache = word + 6;
		return word[6] != '\0';
	}
	if (strncmp(word, "cache_size=", 11) == 0)
		return tf_decimal_bytes(word + 11, strlen(word + 11), INT64_MAX,
			   &o->cache_size) &&
		    o->cache_size > 0;
	if (strncmp(word, "signer=", 7) == 0) {
		o->signer = word + 7;
		return word[7] != '\0';
	}
	if (strncmp(word, "threads=", 8) == 0)
		return parse_number(word + 8, 1, FS_LOOP_THREADS, &o->threads);
	if (strcmp(word, "durability=close") == 0 ||
	    strcmp(word, "durability=batch") == 0 ||
	    strcmp(word, "durability=org") == 0) {
		o->durability = word[11] == 'c' ? TF_DURABLE_CLOSE :
		    word[11] == 'b'		? TF_DURABLE_BATCH :
						  TF_DURABLE_ORG;
		return true;
	}
	if (strcmp(word, "verify=open") == 0 ||
	    strcmp(word, "verify=none") == 0) {
		o->verify_open = strcmp(word, "verify=open") == 0;
		return true;
	}
	if (strcmp(word, "streams=on") == 0 ||
	    strcmp(word, "streams=off") == 0) {
		o->streams = strcmp(word, "streams=on") == 0;
		return true;
	}
	if (strcmp(word, "ro") == 0 || strcmp(word, "rw") == 0) {
		o->read_only = word[1] == 'o';
		return true;
	}
	/* fstab(5) knows both; mount(8) adds the first for an ordinary user. */
	if (strncmp(word, "user=", 5) == 0 ||
	    strncmp(word, "setuid=", 7) == 0) {
		o->user = strchr(word, '=') + 1;
		return *o->user != '\0';
	}
	if (strcmp(word, "moved") == 0) {
		o->moved = true;
		return true;
	}
	if (strcmp(word, "allow_other") == 0) {
		o->allow_other = true;
		return true;
	}
	return *word == '\0' || is_ignored(word);
}

static bool
parse_options(struct fs_options *o, char *list)
{
	char *word;

	while ((word = strsep(&list, ",")) != NULL) {
		if (parse_option(o, word) || TF_IS_MUTANT(TF_ANY_OPTION))
			continue;
		fs_option_wrong_word(word);
		return false;
	}
	return true;
}

static unsigned
default_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_DEFAULT ? THREADS_DEFAULT : (unsigned)n;
}

static int
connection_of(const char *mnt)
{
	static const char before[] = "/dev/fd/";
	const size_t n = sizeof before - 1;
	unsigned fd;

	return strncmp(mnt, before, n) == 0 &&
		parse_number(mnt + n, STDERR_FILENO + 1, INT_MAX, &fd) ?
	    (int)fd :
	    -1;
}

/* It stands after the store, and a path may stand after it. */
int
fs_options_connection(int argc, char **argv)
{
	int fd = argc > 2 ? connection_of(argv[argc - 1]) : -1;

	return fd < 0 && argc > 3 ? connection_of(argv[argc - 2]) : fd;
}

/* Two lines, and how the program is called. */
static int
wrong_usage(const char *why)
{
	fprintf(stderr,
	    "trailfs: %s\n"
	    "usage: trailfs [-df] [-o OPTION[,OPTION...]] STORE MOUNTPOINT\n"
	    "trailfs --help lists the options\n",
	    why);
	return FS_EXIT_USAGE;
}

/* mount(8) may add -n, -s and -v, which change nothing. */
int
fs_options_parse(struct fs_options *o, int argc, char **argv)
{
	char letter[] = "-?";
	int c;

	*o = (struct fs_options){
		.threads = default_threads(),
		.verify_open = true,
		.allow_other = geteuid() == 0,
		.connection = -1,
	};
	if (argc > 2 && strcmp(argv[1], "--complete") == 0) {
		fs_option_complete(argc - 2, argv + 2);
		return 0;
	}
	opterr = 0;
	while ((c = getopt_long(argc, argv, FS_OPTION_LETTERS, fs_option_words,
		    NULL)) != -1) {
		switch (c) {
		case 'o':
			if (!parse_options(o, optarg))
				return FS_EXIT_USAGE;
			break;
		case 'd':
			o->debug = true;
			/* FALLTHROUGH */
		case 'f':
			o->foreground = true;
			break;
		case 'h':
			fs_option_help(stdout);
			return 0;
		case 'V':
			printf("trailfs %s\nlibfuse %s\n", TF_VERSION,
			    fuse_pkgversion());
			return 0;
		case 'n':
		case 's':
		case 'v':
			break;
		case ':':
			return wrong_usage("-o needs a value");
		default:
			letter[1] = (char)optopt;
			fs_option_wrong(optopt != 0 &&
				    strncmp(argv[optind - 1], "--", 2) != 0 ?
				letter :
				argv[optind - 1]);
			return FS_EXIT_USAGE;
		}
	}
	if (argc - optind == 2 || argc - optind == 3)
		o->connection = connection_of(argv[optind + 1]);
	if (argc - optind != 2 && (argc - optind != 3 || o->connection < 0))
		return wrong_usage(argc - optind < 2 ?
			"a store and a mount point are needed" :
			"there are too many arguments");
	o->store_arg = argv[optind];
	o->mnt_arg = argv[argc - 1];
	if (o->connection >= 0 && !o->read_only)
		return wrong_usage("a connection is for -o ro");
	return -1;
}

enum tf_code
fs_options_resolve(struct fs_options *o, struct tf_error *err)
{
	const char *store = fs_follower_is_for(o) ? o->cache : o->store_arg;

	o->store = realpath(store, NULL);
	if (o->store == NULL)
		return tf_fail(err, errno == ENOENT ? TF_NOTFOUND : TF_IO,
		    "store %s", store);
	if (o->connection >= 0) {
		o->mnt = strdup(o->mnt_arg);
		return o->mnt == NULL ? tf_nomem(err) : TF_OK;
	}
	return fs_mount_check(o->store, o->mnt_arg, &o->mnt, err);
}

void
fs_options_free(struct fs_options *o)
{
	free(o->store);
	free(o->mnt);
	o->store = o->mnt = NULL;
}
