/*
 * Making a store: ledger.db objects/ stage/ keys/ checkpoint config lock.
 * Opening it once appends the first entry.
 *
 * The keys and config come first and ledger.db after them: a directory with a
 * ledger.db is a store for tf_new_store_check(), and a database is never without
 * its keys.  Then the store and its parent directory are synced, before success is
 * answered (I4).  A failed init removes what it made.  A crash leaves a
 * directory that is not empty, which the next init refuses: the operator
 * removes it.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/file.h"
#include "../ledger/name.h"
#include "../node/vault_i.h"
#include "../vault.h"
#include "new_store.h"

/* The default origin "HOST/NAME", without characters that an origin may not
 * have. */
static void
default_origin(const char *path, char out[TF_ORIGIN_MAX + 1])
{
	char full[PATH_MAX];
	struct utsname u;
	const char *base;
	size_t n;

	if (realpath(path, full) == NULL)
		(void)snprintf(full, sizeof(full), "%s", path);
	base = strrchr(full, '/');
	base = base == NULL || base[1] == '\0' ? "/vault" : base;
	(void)snprintf(out, TF_ORIGIN_MAX + 1, "%.60s%.60s",
	    uname(&u) == 0 && u.nodename[0] != '\0' ? u.nodename : "localhost",
	    base);
	for (n = 0; out[n] != '\0'; n++)
		if (!isalnum((unsigned char)out[n]) &&
		    strchr("._~:/-", out[n]) == NULL)
			out[n] = '-';
}

enum tf_code
tf_vault_init(const char *path, const char *origin,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = actor };
	char fallback[TF_ORIGIN_MAX + 1];
	struct tf_vault *v = NULL;
	bool made = false;
	int dirfd = -1;
	enum tf_code rc;

	if ((rc = tf_new_store_check(path, err)) != TF_OK)
		return rc;
	if (origin == NULL) {
		default_origin(path, fallback);
		origin = fallback;
	}
	if (!tf_origin_ok(origin, strlen(origin)))
		return tf_fail(err, TF_USAGE,
		    "an origin is 1 to 128 of "
		    "A-Za-z0-9._~:/-");
	if ((rc = tf_new_store_dirs(path, &dirfd, &made, err)) == TF_OK &&
	    (rc = tf_new_store_keys(dirfd, origin, vkey, err)) == TF_OK &&
	    (rc = tf_new_store_config(dirfd, err)) == TF_OK &&
	    (rc = tf_new_store_database(path, origin, NULL, err)) == TF_OK &&
	    (rc = tf_vault_open(path, &o, &v, err)) == TF_OK)
		rc = tf_vault_close(v, "done", err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(dirfd, ".", err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(dirfd, "..", err);
	if (rc != TF_OK && dirfd >= 0)
		tf_new_store_unmake(dirfd, path, made);
	if (dirfd >= 0)
		(void)close(dirfd);
	return rc;
}
