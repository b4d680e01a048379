/*
 * Where a vault is: see home.h.  The machine id is a secret of the machine
 * (machine-id(5)), so only a digest of it is recorded.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/time_text.h"
#include "../ledger/actor_json.h"
#include "../store/connection.h"
#include "home.h"
#include "host.h"
#include "vault_i.h"

#define MACHINE_ID "/etc/machine-id"
#define MACHINE_ID_MAX 64 /* bytes */

bool
tf_home_machine(const char *id, const char *store, struct tf_hash *out)
{
	const size_t n = strcspn(id, "\n");
	char text[128];
	uint8_t raw[16];
	int len;

	if (!tf_unhex(id, n, raw, sizeof(raw)))
		return false;
	len = snprintf(text, sizeof(text), "trailfs home\n%.32s\n%.32s\n", id,
	    store);
	tf_sha256(text, (size_t)len, out);
	return true;
}

static void
find_machine(const struct tf_vault *v, struct tf_home *h)
{
	char id[MACHINE_ID_MAX];

	tf_host_word(MACHINE_ID, id, sizeof(id));
	h->has_machine = tf_home_machine(id, v->store, &h->machine);
}

/* False if the file cannot be seen. */
static bool
find_file(int dirfd, const char *name, int flags, struct statx *st,
    struct tf_home_file *out)
{
	if (statx(dirfd, name, flags | AT_SYMLINK_NOFOLLOW,
		STATX_INO | STATX_BTIME, st) < 0)
		return false;
	out->has_inode = (st->stx_mask & STATX_INO) != 0;
	out->inode = st->stx_ino;
	out->has_born = (st->stx_mask & STATX_BTIME) != 0;
	out->born = tf_time_clamp((struct tf_time){ st->stx_btime.tv_sec,
	    st->stx_btime.tv_nsec });
	return true;
}

static void
find_files(const struct tf_vault *v, struct tf_home_now *out)
{
	struct tf_home *h = &out->home;
	struct statx st;
	int n;

	(void)find_file(v->dirfd, TF_DB_NAME, 0, &st, &h->database);
	if (!find_file(v->dirfd, "", AT_EMPTY_PATH, &st, &h->directory))
		return;
	n = snprintf(out->device, sizeof(out->device), "%u:%u",
	    st.stx_dev_major, st.stx_dev_minor);
	h->device = (struct tf_str){ out->device, (size_t)n };
}

void
tf_home_find(const struct tf_vault *v, struct tf_home_now *out)
{
	char *path = realpath(v->path, NULL);

	memset(out, 0, sizeof(*out));
	find_machine(v, &out->home);
	find_files(v, out);
	if (path != NULL) {
		out->home.path.n = tf_hint(out->path, TF_HOME_PATH_MAX, path,
		    strlen(path));
		out->home.path.p = out->path;
	}
	free(path);
}
