/* Variables that choose files: see environment.h.  crypto.c keeps OpenSSL from
 * reading any configuration file, because the host's own may load modules. */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "../environment.h"

/*
 * Variables by which a caller could make a privileged process read or load a
 * file of the caller's choice.
 */
static bool
chooses_files(const char *variable, size_t n)
{
	static const char *const names[] = { "GCONV_PATH", "GETCONF_DIR",
		"HOSTALIASES", "LANG", "LANGUAGE", "LOCALDOMAIN", "LOCPATH",
		"MALLOC_TRACE", "NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF",
		"RES_OPTIONS", "SQLITE_TMPDIR", "TMPDIR", "TZ", "TZDIR" };
	static const char *const beginnings[] = { "LC_", "LD_", "LDAP",
		"OPENSSL_", "SSL_" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n && memcmp(variable, names[i], n) == 0)
			return true;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (strncmp(variable, beginnings[i], strlen(beginnings[i])) ==
		    0)
			return true;
	return false;
}

void
tf_environment_clean(void)
{
	extern char **environ;
	char **to = environ;

	/* The strings are not freed: the C library owns some of them. */
	for (char **from = environ; from != NULL && *from != NULL; from++)
		if (!chooses_files(*from, strcspn(*from, "=")))
			*to++ = *from;
	if (to != NULL)
		*to = NULL;
}

void
tf_environment_hide_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void
tf_environment_raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r); /* failure: the old limit */
}

unsigned
tf_environment_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return 256; /* a cautious guess; every Linux allows more */
	return r.rlim_cur > INT_MAX ? INT_MAX : (unsigned)r.rlim_cur;
}
