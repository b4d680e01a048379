/*
 * trailctl kosli: the words of Kosli's command line, mapped to the verbs of
 * trailctl.  trailctl-kosli(1) has the whole table.
 *
 * A word, such as "attest generic", has its own table of options, with exactly
 * the names and letters that it has at Kosli: -t is the trail in one word and
 * the type of the artifact in another.  Each option is also the environment
 * variable KOSLI_<NAME>.  A flow is a trail here, and a trail is a workflow.
 */
#ifndef TRAILCTL_KOSLI_H
#define TRAILCTL_KOSLI_H

#include "args.h"
#include "claims.h"
#include "cmd.h"
#include "where.h"

/* The values of the options of all words; a word has some of them. */
struct kosli_ask {
	const char *mount;
	const char *flow, *trail, *name, *output;
	const char *template_file, *schema;
	const char *commit, *repo_root;
	const char *repo_id, *repo_url, *repo_provider, *repository;
	const char *artifact_type, *fingerprint, *attestation_id;
	const char *attestation_data, *results_dir, *reason, *original_type;
	const char *input_file, *policy, *params;
	enum args_truth dry_run, compliant, new_status, empty_template;
	enum args_truth must_allow, may_deny; /* --assert, --no-assert */
	enum args_truth show_input;
	uint64_t page, page_limit;
	struct args_list attachments, exclude, redact, attestations;
	/* Options that trailctl has, too.  compliant is above. */
	struct claims_options claims;
};
extern struct kosli_ask kosli_ask;

/* Rows of tables. */
#define KOSLI_NO(option, key, why)                                  \
	{                                                           \
		.name = (option), .letter = (key), .refused = (why) \
	}
#define KOSLI_TEXT(option, key, what, text_, to)                    \
	{                                                           \
		.name = (option), .letter = (key), .value = (what), \
		.help = (text_), .text = (to)                       \
	}
#define KOSLI_LIST(option, key, what, text_, to)                    \
	{                                                           \
		.name = (option), .letter = (key), .value = (what), \
		.help = (text_), .list = (to)                       \
	}
#define KOSLI_TRUTH(option, key, text_, to)                         \
	{                                                           \
		.name = (option), .letter = (key), .help = (text_), \
		.truth = (to)                                       \
	}

#define KOSLI_NO_SERVER "no server is asked"
#define KOSLI_NO_REGISTRY "no registry is asked; give --fingerprint"

/* What every word has. */
#define KOSLI_GLOBAL                                                          \
	KOSLI_TEXT("mount", 0, "DIR", "the vault: its mount or its store",    \
	    &kosli_ask.mount),                                                \
	    KOSLI_NO("api-token", 'a', KOSLI_NO_SERVER),                      \
	    KOSLI_NO("host", 'H', KOSLI_NO_SERVER),                           \
	    KOSLI_NO("org", 0, "a vault has no organizations"),               \
	    KOSLI_NO("http-proxy", 0, KOSLI_NO_SERVER),                       \
	    KOSLI_NO("max-api-retries", 'r', KOSLI_NO_SERVER),                \
	    KOSLI_NO("config-file", 'c', "give options or KOSLI_ variables"), \
	    KOSLI_NO("debug", 0, "see trailctl why"),                         \
	    KOSLI_NO("quiet", 'q', "redirect standard output"),               \
	{                                                                     \
		0                                                             \
	}
#define KOSLI_DRY_RUN                                             \
	KOSLI_TRUTH("dry-run", 'D', "say what would be recorded", \
	    &kosli_ask.dry_run)
#define KOSLI_OUTPUT(forms)                                        \
	{                                                          \
		.name = "output", .letter = 'o', .value = (forms), \
		.closed = true, .help = "the form of the answer",  \
		.text = &kosli_ask.output                          \
	}
#define KOSLI_DESCRIPTION(key)                               \
	KOSLI_TEXT("description", key, "TEXT", "what it is", \
	    &kosli_ask.claims.description)

/* What `begin trail` and `attest` have. */
#define KOSLI_CONTEXT                                                        \
	KOSLI_TEXT("commit", 'g', "COMMIT",                                  \
	    "becomes the annotation git_commit", &kosli_ask.commit),         \
	    KOSLI_LIST("external-url", 0, "LABEL=URL",                       \
		"where more is; may be repeated", &kosli_ask.claims.url),    \
	    KOSLI_LIST("external-fingerprint", 0, "LABEL=SHA256",            \
		"of what is at that URL; may be repeated",                   \
		&kosli_ask.claims.fingerprint),                              \
	    KOSLI_TEXT("origin-url", 'o', "URL", "where it comes from",      \
		&kosli_ask.claims.origin_url),                               \
	    KOSLI_LIST("redact-commit-info", 0, "author,message,branch",     \
		"nothing of these is ever recorded", &kosli_ask.redact),     \
	    KOSLI_TEXT("repo-id", 0, "ID", "becomes the annotation repo_id", \
		&kosli_ask.repo_id),                                         \
	    KOSLI_TEXT("repo-provider", 0, "NAME",                           \
		"becomes the annotation repo_provider",                      \
		&kosli_ask.repo_provider),                                   \
	    KOSLI_TEXT("repo-root", 0, "DIR",                                \
		"the repository of --commit (.)", &kosli_ask.repo_root),     \
	    KOSLI_TEXT("repo-url", 0, "URL",                                 \
		"becomes the annotation repo_url", &kosli_ask.repo_url),     \
	    KOSLI_TEXT("repository", 0, "NAME",                              \
		"becomes the annotation repository", &kosli_ask.repository), \
	    KOSLI_TEXT("user-data", 'u', "FILE", "JSON, up to 1 MiB",        \
		&kosli_ask.claims.user_data),                                \
	    KOSLI_DRY_RUN

/* One word. */
struct kosli_word {
	const char *verb, *object; /* object NULL: the verb stands alone */
	const char *operand;	   /* "" : none */
	const char *is;		   /* what it is in words of trailctl */
	const struct args_option *options;
	int min, max;
	int (*run)(int n, char **arg);
};
extern const struct kosli_word kosli_begin_trail, kosli_create_flow,
    kosli_create_type, kosli_attest_generic, kosli_attest_junit,
    kosli_attest_custom, kosli_attest_decision, kosli_attest_override,
    kosli_get_trail, kosli_get_attestation, kosli_list_trails, kosli_list_flows,
    kosli_evaluate_input, kosli_evaluate_trail, kosli_evaluate_trails,
    kosli_search, kosli_fingerprint, kosli_log_trail;

/* The i-th word in the order of the help, those of one verb together, or NULL. */
const struct kosli_word *kosli_word(size_t i);

/* The exit status of err, which is printed to stderr; a wrong option also prints
 * the usage of the word. */
int kosli_failed(const struct kosli_word *w, const struct tf_error *err);
/* A dry run: would a directory be accepted in the directory path?  The rules
 * about names are those of kosli_path(). */
TF_MUST_USE enum tf_code kosli_check_writable(const char *path,
    struct tf_error *err);
/* Print the reason and the usage of the word to stderr. Returns REPORT_USAGE,
 * so that a word may return this call. */
int kosli_usage(const struct kosli_word *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Is s a name of a flow, a trail or a type, as at Kosli: ASCII letters, digits
 * and ".-_~", a letter or digit first, at most 255 bytes? A vault allows more
 * names; these words do not make them.
 */
bool kosli_is_name(const char *s);
bool kosli_is_fingerprint(const char *s); /* 64 lower-case hex digits */

/*
 * The vault, "PLACE/FLOW/TRAIL/NAME" in it (a NULL ends it), for the caller to
 * free.  TF_USAGE: neither --mount nor TRAILFS_MOUNT is given, and the current
 * directory is in no vault; or a name is none.
 */
TF_MUST_USE enum tf_code kosli_path(char **out, struct tf_error *err,
    const char *flow, const char *trail, const char *name);

/*
 * The pattern of a temporary name for mkstemp(3), in the caller's TMPDIR if
 * that is an absolute path, else in /tmp; NULL: no memory. The caller frees it.
 */
char *kosli_temporary(void);

/* The command line of a verb of trailctl. Strings are copied. A failure to add
 * is kept in `failed` and reported once, by kosli_call_do(). */
struct kosli_call {
	char *v[256];
	int n;
	bool failed; /* no memory, or too many */
};
void kosli_call(struct kosli_call *c, const char *verb);
/* Add "--NAME=VALUE" unless value is NULL; name NULL: an operand. */
void kosli_call_add(struct kosli_call *c, const char *name, const char *value);
void kosli_call_list(struct kosli_call *c, const char *name,
    const struct args_list *l);
/*
 * Do what `trailctl` would do with this line, and free c. Returns the exit
 * status of the verb, which prints its own answer and errors; REPORT_USAGE if
 * the line was too long, printed to stderr.
 */
int kosli_call_do(struct kosli_call *c, const struct verb *v);

/*
 * Split the lists that Kosli splits: at commas, and pairs only where there are
 * several "=". Changes the arguments in place, so call this once. TF_USAGE: a
 * value is empty or quoted, or a word of --redact-commit-info is unknown.
 */
TF_MUST_USE enum tf_code kosli_lists(struct tf_error *err);
/*
 * Replace --commit by the digest of the commit that git(1) finds in --repo-root
 * or the current directory; one that is a digest stays if there is no
 * --repo-root. TF_USAGE: there is no such commit, no repository or no git.
 */
TF_MUST_USE enum tf_code kosli_commit(struct tf_error *err);
/*
 * After kosli_lists(), add commit, repository and fingerprint to the
 * annotations. The strings live until the next call. Errors: those of
 * kosli_commit().
 */
TF_MUST_USE enum tf_code kosli_context(struct tf_error *err);

/* Append the file that --OPTION names to out: JSON of up to max bytes. TF_USAGE:
 * it is not JSON or too long, and err names both. Errors of reading it. */
TF_MUST_USE enum tf_code kosli_read_json(const char *option, const char *file,
    size_t max, struct tf_buf *out, struct tf_error *err);
/* TF_USAGE unless b is JSON; file is what a message calls it. */
TF_MUST_USE enum tf_code kosli_check_json(const char *option, const char *file,
    const struct tf_buf *b, struct tf_error *err);
/*
 * Read the file of --user-data, which must be JSON, and let the option name a
 * copy in memory, so that a pipe can be read once more; nothing to do without
 * the option. TF_USAGE: it is not JSON or too long. Errors of reading it.
 */
TF_MUST_USE enum tf_code kosli_user_data(struct tf_error *err);

/*
 * Write Kosli's fingerprint of the file or directory to hex: 64 hex digits and
 * a NUL. type is "file" or "dir"; exclude has patterns of paths to leave out,
 * for directories only. Nothing is asked over a network. TF_USAGE: another
 * type, not a regular file, or deeper than 200 directories.
 */
TF_MUST_USE enum tf_code kosli_digest(const char *type, const char *path,
    const struct args_list *exclude, char hex[65], struct tf_error *err);

#endif
