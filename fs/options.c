/*
 * The command line: options, and the paths made absolute.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop.h"
#include "mount.h"
#include "options.h"

#define THREADS_DEFAULT 4

static void
usage(FILE *to)
{
	fputs(
	    "usage: trailfs STORE MOUNTPOINT [-o OPTION[,OPTION...]] [-f] "
	    "[-d]\n"
	    "       trailfs -h | --help | -V | --version\n"
	    "  -f  stay in the foreground and log to stderr\n"
	    "  -d  as -f, and print every request\n"
	    "options (defaults in parentheses; BYTES may end in K, M, G or "
	    "T):\n"
	    "  settle=S          seconds from the close of a file to its seal, "
	    "0 to 60 (2)\n"
	    "  quiet=S           seal an attestation that nobody has changed "
	    "for S seconds\n"
	    "                    (never)\n"
	    "  placeholder=S     seal a file that was created and never written "
	    "after S\n"
	    "                    seconds (600)\n"
	    "  max_file=BYTES    maximum size of a file (no limit)\n"
	    "  max_staged=BYTES  maximum size of one user's files that are not "
	    "sealed yet\n"
	    "                    (no limit)\n"
	    "  max_unsealed=N    maximum number of one user's names that are "
	    "not sealed\n"
	    "                    yet (100000)\n"
	    "  max_open=N        maximum number of files that one user has open "
	    "for\n"
	    "                    writing (10000)\n"
	    "  max_draft=N       maximum number of names in a draft attestation "
	    "(10000)\n"
	    "  max_store=BYTES   maximum size of evidence, entries and files "
	    "that are not\n"
	    "                    sealed yet (no limit)\n"
	    "  mode_floor=MODE   read bits to add to evidence when it is "
	    "sealed, as 0440\n"
	    "  trail_group=GROUP the group of new trails and of what is made in "
	    "them\n"
	    "  auditors=GROUP    its members read everything\n"
	    "  admins=GROUP      its members also create trails and set "
	    "templates,\n"
	    "                    types, recipients, retention and holds\n"
	    "  reads=off|log     record who opens sealed evidence (off)\n"
	    "  texts=clear|redactable  keep texts of entries in the entries, or "
	    "apart so that\n"
	    "                    they can be redacted (clear)\n"
	    "  signer=CMD        the command that is the signer (a process of "
	    "trailfs)\n"
	    "  threads=N         number of workers, 1 to 64 (cores, at most "
	    "4)\n"
	    "  verify=open|none  hash a file when it is first opened, or never "
	    "(open)\n"
	    "  durability=close|batch  close(2) waits for the disk, or for "
	    "nothing (close)\n"
	    "  ro                show sealed files only and write nothing to "
	    "the store\n"
	    "  moved             write a store that was moved from another "
	    "place, not copied\n"
	    "  user=NAME         refuse a store that does not belong to NAME, "
	    "as whom the daemon\n"
	    "                    runs; also setuid=NAME\n"
	    "  allow_other       let other users use the mount (always, as "
	    "root)\n",
	    to);
}

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
	if (strncmp(word, "signer=", 7) == 0) {
		o->signer = word + 7;
		return word[7] != '\0';
	}
	if (strncmp(word, "threads=", 8) == 0)
		return parse_number(word + 8, 1, FS_LOOP_THREADS, &o->threads);
	if (strcmp(word, "durability=close") == 0 ||
	    strcmp(word, "durability=batch") == 0) {
		o->durability = strcmp(word, "durability=close") == 0 ?
		    TF_DURABLE_CLOSE :
		    TF_DURABLE_BATCH;
		return true;
	}
	if (strcmp(word, "verify=open") == 0 ||
	    strcmp(word, "verify=none") == 0) {
		o->verify_open = strcmp(word, "verify=open") == 0;
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
		if (parse_option(o, word))
			continue;
		fprintf(stderr,
		    "trailfs: option '%s' is unknown, or its value is out "
		    "of range (trailfs -h lists the options)\n",
		    word);
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

/* mount(8) may add -n, -s and -v, which change nothing. */
int
fs_options_parse(struct fs_options *o, int argc, char **argv)
{
	static const struct option words[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct fs_options){
		.threads = default_threads(),
		.verify_open = true,
		.allow_other = geteuid() == 0,
	};
	while ((c = getopt_long(argc, argv, "o:fdhVnsv", words, NULL)) != -1) {
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
			usage(stdout);
			return 0;
		case 'V':
			printf("trailfs %s\nlibfuse %s\n", TF_VERSION,
			    fuse_pkgversion());
			return 0;
		case 'n':
		case 's':
		case 'v':
			break;
		default:
			usage(stderr);
			return FS_EXIT_USAGE;
		}
	}
	if (argc - optind != 2) {
		usage(stderr);
		return FS_EXIT_USAGE;
	}
	o->store_arg = argv[optind];
	o->mnt_arg = argv[optind + 1];
	return -1;
}

enum tf_code
fs_options_resolve(struct fs_options *o, struct tf_error *err)
{
	o->store = realpath(o->store_arg, NULL);
	if (o->store == NULL)
		return tf_fail(err, errno == ENOENT ? TF_NOTFOUND : TF_IO,
		    "store %s", o->store_arg);
	return fs_mount_check(o->store, o->mnt_arg, &o->mnt, err);
}

void
fs_options_free(struct fs_options *o)
{
	free(o->store);
	free(o->mnt);
	o->store = o->mnt = NULL;
}
