/*
 * Which parts of a command line and of an environment are secret: see
 * secrets.h.
 *
 * Three tables decide: words in names, beginnings of well-known tokens, and
 * programs with options of one letter for a password. The text is read once
 * from left to right; what is masked ends at the end of the value, where quotes,
 * blanks or separators show it, and else at the end of the text.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "secrets.h"

/* --- names ---------------------------------------------------------------- */

/* Where in a name a word must be to count. */
enum place {
	ANYWHERE,
	AT_END, /* of a part of the name: HTTPAUTH, not AUTHOR */
	ALONE,	/* a whole part: GITHUB_PAT, not PATH */
};

static const struct {
	const char *word;
	enum place place;
} words[] = {
	{ "TOKEN", ANYWHERE },
	{ "SECRET", ANYWHERE },
	{ "PASS", ANYWHERE }, /* PASSWORD, PASSPHRASE, PASSWD, DBPASS */
	{ "KEY", ANYWHERE },
	{ "CRED", ANYWHERE }, /* CREDENTIALS, CREDS */
	{ "PRIVATE", ANYWHERE },
	{ "COOKIE", ANYWHERE },
	{ "SESSION", ANYWHERE },
	{ "BEARER", ANYWHERE },
	{ "JWT", ANYWHERE },
	{ "OAUTH", ANYWHERE },
	{ "AUTHORI", ANYWHERE },  /* AUTHORIZATION, AUTHORISATION */
	{ "AUTHENTI", ANYWHERE }, /* AUTHENTICATION */
	{ "SIGNATURE", ANYWHERE },
	{ "WEBHOOK", ANYWHERE }, /* its URL is all that a sender needs */
	{ "CONNECTION_STR", ANYWHERE },
	{ "CONNECTION-STR", ANYWHERE },
	{ "CONNECTIONSTR", ANYWHERE },
	{ "CONN_STR", ANYWHERE },
	{ "CONNSTR", ANYWHERE },
	{ "AUTH", AT_END },
	{ "PWD", AT_END },
	{ "DSN", AT_END },
	{ "HMAC", AT_END },
	{ "SALT", AT_END },
	{ "CSRF", ALONE },
	{ "XSRF", ALONE },
	{ "MFA", ALONE },
	{ "OTP", ALONE },
	{ "PAT", ALONE },
	{ "PIN", ALONE },
	{ "PSK", ALONE },
	{ "PW", ALONE },
	{ "SAS", ALONE },
	{ "SIG", ALONE },
};

static bool
is_letter(char c)
{
	return isalpha((unsigned char)c) != 0;
}

/* Characters of names of variables, options, headers and members. */
static bool
is_name_char(char c)
{
	return isalnum((unsigned char)c) != 0 || c == '_' || c == '-' ||
	    c == '.';
}

/* The directories of a shell are no passwords. */
static bool
is_directory_name(const char *name, size_t n)
{
	return (n == 3 && strncasecmp(name, "PWD", 3) == 0) ||
	    (n == 6 && strncasecmp(name, "OLDPWD", 6) == 0);
}

bool
secrets_name(const char *name, size_t n)
{
	if (is_directory_name(name, n))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *word = words[i].word;
		const enum place place = words[i].place;
		const size_t len = strlen(word);

		for (size_t at = 0; at + len <= n; at++)
			if (strncasecmp(name + at, word, len) == 0 &&
			    (place == ANYWHERE || at + len == n ||
				!is_letter(name[at + len])) &&
			    (place != ALONE || at == 0 ||
				!is_letter(name[at - 1])))
				return true;
	}
	return false;
}

/* --- texts ---------------------------------------------------------------- */

/* What begins a token of a well-known service. */
static const char *const beginnings[] = { "ghp_", "gho_", "ghu_", "ghs_",
	"ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "xoxa-", "xoxb-",
	"xoxe-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "AKIA", "ASIA", "AIza",
	"ya29.", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_",
	"sk-", "npm_", "pypi-", "dop_v1_", "hvs.", "hvb.", "SG.", "shpat_",
	"dapi", "eyJ", "AGE-SECRET-KEY-" };

#define TOKEN_MIN 16 /* characters of a token, at least */

/* The length of the token that s begins with; 0: it is none. */
static size_t
token_length(const char *s)
{
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]);
	     i++) {
		size_t n = strlen(beginnings[i]), start = n;

		if (strncmp(s, beginnings[i], n) != 0)
			continue;
		while (isalnum((unsigned char)s[n]) ||
		    (s[n] != '\0' && strchr("_-.+/=~", s[n]) != NULL))
			n++;
		if (n - start >= TOKEN_MIN)
			return n;
	}
	return 0;
}

/*
 * The part of a URL before its host, of which s has what follows "://": the
 * secret begins at *from and ends before the '@' that is returned. NULL: there
 * is none. A password may have a '/' that was not encoded; a port is digits.
 */
static const char *
userinfo(const char *s, bool web, size_t *from)
{
	const size_t end = strcspn(s, "/?# \t\r\n\"'<>");
	const size_t far = strcspn(s, " \t\r\n\"'<>");
	const char *colon = memchr(s, ':', end), *at = memrchr(s, '@', end);
	size_t digits;

	if (at == NULL && colon != NULL) {
		digits = strspn(colon + 1, "0123456789");
		if (colon + 1 + digits < s + end || digits == 0)
			at = memrchr(s, '@', far);
	}
	if (at == NULL)
		return NULL;
	*from = 0;
	if (colon != NULL && colon < at)
		*from = (size_t)(colon - s) + 1;
	else if (!web) /* ssh://git@host has a name and no password */
		return NULL;
	return at;
}

/* The end of the value that begins at s: at its closing quote, else at the end
 * of the line (of a header) or of the word. */
static const char *
value_end(const char *s, bool line)
{
	if (*s == '"' || *s == '\'') {
		const char *close = strchr(s + 1, *s);

		return close != NULL ? close : s + strlen(s);
	}
	return s + strcspn(s, line ? "\r\n\"'" : " \t\r\n&;");
}

/*
 * The text at s begins with a name of n characters. Return where its value
 * begins, or NULL if it has none; *line: the value goes on to the end of the
 * line.
 */
static const char *
value_of(const char *s, size_t n, bool *line)
{
	const char *p = s + n;
	const bool quoted = *p == '"' || *p == '\'';

	p += quoted;
	*line = *p == ':';
	if (*p == '=' && !quoted)
		return p + 1;
	if (*p == ':' && (quoted || isblank((unsigned char)p[1]))) {
		p++;
		return p + strspn(p, " \t");
	}
	/* --password VALUE within the text of a shell */
	if (isblank((unsigned char)*p) && s[0] == '-' && s[1] == '-')
		return p + strspn(p, " \t");
	return NULL;
}

/* Append a value that is secret. */
static const char *
mask_value(struct tf_buf *out, const char *value, bool line)
{
	const char *end = value_end(value, line);

	if (*value == '"' || *value == '\'')
		tf_buf_add(out, value, 1);
	if (end > value)
		tf_buf_str(out, SECRETS_MASK);
	return end;
}

/* Append a name and, if it looks secret, the mask of its value. Returns what
 * follows. */
static const char *
take_name(struct tf_buf *out, const char *s)
{
	const char *value;
	size_t n = 0;
	bool line;

	while (is_name_char(s[n]))
		n++;
	value = secrets_name(s, n) ? value_of(s, n, &line) : NULL;
	if (value == NULL) {
		tf_buf_add(out, s, n);
		return s + n;
	}
	tf_buf_add(out, s, (size_t)(value - s));
	return mask_value(out, value, line);
}

/* Append "://" and the part before the host of a URL, its password masked;
 * before: where the text begins. Returns what follows. */
static const char *
take_url(struct tf_buf *out, const char *before, const char *s)
{
	const bool web = (s - before >= 4 && memcmp(s - 4, "http", 4) == 0) ||
	    (s - before >= 5 && memcmp(s - 5, "https", 5) == 0);
	const char *at;
	size_t from;

	tf_buf_str(out, "://");
	s += 3;
	if ((at = userinfo(s, web, &from)) == NULL)
		return s;
	tf_buf_add(out, s, from);
	tf_buf_str(out, SECRETS_MASK);
	return at;
}

/* The end of a private key in the PEM form that begins at s, or NULL. */
static const char *
private_key_end(const char *s)
{
	const char *line_end = s + strcspn(s, "\r\n"), *end;

	if (strncmp(s, "-----BEGIN ", 11) != 0 ||
	    memmem(s, (size_t)(line_end - s), "PRIVATE KEY", 11) == NULL)
		return NULL;
	end = strstr(s, "-----END ");
	return end != NULL ? end : s + strlen(s);
}

void
secrets_text(struct tf_buf *out, const char *text)
{
	const char *s = text, *end;
	size_t n;

	while (*s != '\0') {
		const bool begins = s == text || !isalnum((unsigned char)s[-1]);

		if ((end = private_key_end(s)) != NULL) {
			tf_buf_str(out, SECRETS_MASK);
			s = end;
		} else if (begins && (n = token_length(s)) > 0) {
			tf_buf_str(out, SECRETS_MASK);
			s += n;
		} else if (strncmp(s, "://", 3) == 0) {
			s = take_url(out, text, s);
		} else if (is_name_char(*s)) {
			s = take_name(out, s);
		} else {
			tf_buf_add(out, s++, 1);
		}
	}
}

/* --- arguments ------------------------------------------------------------ */

/* Options of one letter that take a password. */
enum form {
	EITHER,	  /* -p X and -pX */
	ATTACHED, /* -pX only: -p alone asks for it */
	PAIR,	  /* USER:X, of which the name is shown */
};

static const struct {
	const char *program, *letters;
	enum form form;
	const char *action; /* only with this argument, or NULL */
} programs[] = {
	{ "mysql", "p", ATTACHED, NULL },
	{ "mysqladmin", "p", ATTACHED, NULL },
	{ "mysqldump", "p", ATTACHED, NULL },
	{ "mysqlimport", "p", ATTACHED, NULL },
	{ "mariadb", "p", ATTACHED, NULL },
	{ "mariadb-admin", "p", ATTACHED, NULL },
	{ "mariadb-dump", "p", ATTACHED, NULL },
	{ "mongo", "p", EITHER, NULL },
	{ "mongosh", "p", EITHER, NULL },
	{ "mongodump", "p", EITHER, NULL },
	{ "mongorestore", "p", EITHER, NULL },
	{ "redis-cli", "a", EITHER, NULL },
	{ "sshpass", "p", EITHER, NULL },
	{ "docker", "p", EITHER, "login" },
	{ "podman", "p", EITHER, "login" },
	{ "buildah", "p", EITHER, "login" },
	{ "skopeo", "p", EITHER, "login" },
	{ "az", "p", EITHER, "login" },
	{ "oc", "p", EITHER, "login" },
	{ "ldapadd", "w", EITHER, NULL },
	{ "ldapdelete", "w", EITHER, NULL },
	{ "ldapmodify", "w", EITHER, NULL },
	{ "ldappasswd", "wsa", EITHER, NULL },
	{ "ldapsearch", "w", EITHER, NULL },
	{ "ldapwhoami", "w", EITHER, NULL },
	{ "zip", "P", EITHER, NULL },
	{ "unzip", "P", EITHER, NULL },
	{ "7z", "p", ATTACHED, NULL },
	{ "7za", "p", ATTACHED, NULL },
	{ "7zr", "p", ATTACHED, NULL },
	{ "snmpget", "aAX", EITHER, NULL },
	{ "snmpwalk", "aAX", EITHER, NULL },
	{ "ipmitool", "P", EITHER, NULL },
	{ "curl", "uU", PAIR, NULL },
	{ "smbclient", "U", PAIR, NULL },
	{ "rpcclient", "U", PAIR, NULL },
};

static bool
has_argument(char **argv, size_t n, const char *word)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

/* Append "USER:***" or "USER%***"; a name alone stays. */
static void
put_pair(struct tf_buf *out, const char *pair)
{
	size_t name = strcspn(pair, ":%");

	tf_buf_add(out, pair, name + (pair[name] != '\0'));
	if (pair[name] != '\0')
		tf_buf_str(out, SECRETS_MASK);
}

/* Is argument i a password for program k, which is an argument before it?
 * Then append it masked. */
static bool
put_of_program(struct tf_buf *out, char **argv, size_t i, size_t k)
{
	const char *word = argv[i], *before = argv[i - 1];
	const char *letters = programs[k].letters;
	const bool pair = programs[k].form == PAIR;

	if (programs[k].action != NULL &&
	    !has_argument(argv, i, programs[k].action))
		return false;
	if (word[0] == '-' && word[1] != '\0' && word[2] != '\0' &&
	    strchr(letters, word[1]) != NULL) {
		tf_buf_add(out, word, 2);
		if (pair)
			put_pair(out, word + 2);
		else
			tf_buf_str(out, SECRETS_MASK);
		return true;
	}
	if (programs[k].form != ATTACHED && before[0] == '-' &&
	    before[1] != '\0' && before[2] == '\0' &&
	    strchr(letters, before[1]) != NULL) {
		if (pair)
			put_pair(out, word);
		else
			tf_buf_str(out, SECRETS_MASK);
		return true;
	}
	if (pair &&
	    (strcmp(before, "--user") == 0 ||
		strcmp(before, "--proxy-user") == 0)) {
		put_pair(out, word);
		return true;
	}
	return false;
}

/* The programs are looked for in all arguments before i, so that sudo, env and
 * timeout hide none. */
static bool
put_by_programs(struct tf_buf *out, char **argv, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		const char *slash = strrchr(argv[j], '/');
		const char *name = slash != NULL ? slash + 1 : argv[j];

		for (size_t k = 0; k < sizeof(programs) / sizeof(programs[0]);
		     k++)
			if (strcmp(name, programs[k].program) == 0 &&
			    put_of_program(out, argv, i, k))
				return true;
	}
	return false;
}

/* Is the argument an option without its value, whose name looks secret? */
static bool
is_secret_option(const char *arg)
{
	size_t n = 0;

	while (is_name_char(arg[n]))
		n++;
	return arg[0] == '-' && arg[n] == '\0' && secrets_name(arg, n);
}

void
secrets_argument(struct tf_buf *out, char **argv, size_t i)
{
	const char *arg = argv[i];
	size_t name = 0;

	if (i > 1 && is_secret_option(argv[i - 1])) {
		tf_buf_str(out, SECRETS_MASK);
		return;
	}
	if (i > 0 && put_by_programs(out, argv, i))
		return;
	/* The whole value, blanks too: quotes of the shell are gone. */
	while (is_name_char(arg[name]))
		name++;
	if (i > 0 && arg[name] == '=' && secrets_name(arg, name)) {
		tf_buf_add(out, arg, name + 1);
		tf_buf_str(out, SECRETS_MASK);
		return;
	}
	secrets_text(out, arg);
}
