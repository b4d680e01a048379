/* The log of an organisation: see organiser.h. */
#include "organiser.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/file.h"
#include "../base/member.h"
#include "../base/users.h"
#include "../ledger/actor_json.h"
#include "../ledger/entry_write.h"
#include "../ledger/name.h"
#include "../ledger/rotation.h"

#define VKEY_MAX (1 << 20)

/* Wait for those who publish or rotate: none of them sees half of another's work. */
static enum tf_code
open_dir(const char *dir, int *fd, struct tf_error *err)
{
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", dir,
		    strerror(errno));
	while (flock(*fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return tf_fail(err, TF_IO, "lock %.100s: %s", dir,
			    strerror(errno));
	return TF_OK;
}

/* The key, and the name that stands beside it. */
static enum tf_code
load(int fd, struct tf_organiser *out, struct tf_error *err)
{
	struct tf_log_keys keys = { 0 };
	struct tf_buf text = { 0 };
	struct tf_pubkey pub;
	enum tf_code rc = tf_key_load(fd, TF_ORGANISER_SECRET, &out->key, err);

	if (rc == TF_OK)
		rc = tf_file_read(fd, TF_ORGANISER_VKEY, VKEY_MAX, &text, err);
	if (rc == TF_OK)
		rc = tf_log_keys_parse(&keys, tf_buf_bytes(&text), &out->file,
		    err);
	tf_log_keys_free(&keys);
	tf_buf_free(&text);
	if (rc != TF_OK)
		return rc;
	tf_key_public(out->key, &pub);
	tf_vkey_make(&out->vkey, out->file.name, &pub);
	return TF_OK;
}

static enum tf_code
save_vkey(int fd, const char *origin, const struct tf_key *key,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_pubkey pub;
	struct tf_vkey vkey;
	enum tf_code rc;

	tf_key_public(key, &pub);
	tf_vkey_make(&vkey, origin, &pub);
	tf_vkey_text(&vkey, &text);
	tf_buf_str(&text, "\n");
	if ((rc = tf_buf_end(&text, err)) == TF_OK)
		rc = tf_file_write(fd, TF_ORGANISER_VKEY, text.p, text.n, 0444,
		    false, err);
	tf_buf_free(&text);
	return rc;
}

/* A key whose vkey a crash has left out gets it now. */
static enum tf_code
make(int fd, const char *origin, struct tf_error *err)
{
	struct tf_key *key = NULL;
	enum tf_code rc = tf_key_load(fd, TF_ORGANISER_SECRET, &key, err);

	if (rc == TF_NOTFOUND) {
		rc = tf_key_generate(&key, err);
		if (rc == TF_OK)
			rc = tf_key_save(key, fd, TF_ORGANISER_SECRET, err);
	}
	if (rc == TF_OK && faccessat(fd, TF_ORGANISER_VKEY, F_OK, 0) != 0)
		rc = save_vkey(fd, origin, key, err);
	tf_key_free(key);
	return rc;
}

enum tf_code
tf_organiser_make(const char *dir, const char *origin, struct tf_organiser *out,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	*out = (struct tf_organiser){ .dir = -1 };
	if (strlen(origin) > TF_ORIGIN_MAX ||
	    !tf_origin_ok(origin, strlen(origin)))
		return tf_fail(err, TF_INVALID, "%.100s is no name of a log",
		    origin);
	rc = tf_file_mkdir(AT_FDCWD, dir, err);
	if (rc == TF_OK || rc == TF_EXISTS)
		rc = open_dir(dir, &out->dir, err);
	if (rc == TF_OK)
		rc = make(out->dir, origin, err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(out->dir, "..", err);
	if (rc == TF_OK)
		rc = load(out->dir, out, err);
	if (rc == TF_OK && strcmp(out->vkey.name, origin) != 0)
		rc = tf_fail(err, TF_FOREIGN, "%.60s has the key of %s", dir,
		    out->vkey.name);
	if (rc == TF_OK &&
	    memcmp(&out->vkey.pub, &out->file.pub, sizeof(out->file.pub)) != 0)
		rc = tf_fail(err, TF_FOREIGN, "%s is not the public half of %s",
		    TF_ORGANISER_VKEY, TF_ORGANISER_SECRET);
	return rc;
}

enum tf_code
tf_organiser_load(const char *dir, struct tf_organiser *out,
    struct tf_error *err)
{
	enum tf_code rc;

	*out = (struct tf_organiser){ .dir = -1 };
	rc = open_dir(dir, &out->dir, err);
	return rc == TF_OK ? load(out->dir, out, err) : rc;
}

void
tf_organiser_free(struct tf_organiser *o)
{
	tf_key_free(o->key);
	tf_key_free(o->old_key);
	if (o->dir >= 0)
		(void)close(o->dir); /* only read */
	*o = (struct tf_organiser){ .dir = -1 };
}

void
tf_organiser_actor(const struct tf_actor *who, struct tf_buf *out)
{
	char user[256], group[256];

	tf_users_learn(who->uid, who->gid);
	tf_user_name(who->uid, user, sizeof(user));
	tf_group_name(who->gid, group, sizeof(group));
	tf_actor_json(out, who, user, group);
}

enum tf_code
tf_organiser_entry(const struct tf_organiser *o, const struct tf_actor *who,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf actor = { 0 }, vkey = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_organiser_actor(who, &actor);
	tf_vkey_text(&o->vkey, &vkey);
	if ((rc = tf_buf_end(&actor, err)) == TF_OK &&
	    (rc = tf_buf_end(&vkey, err)) == TF_OK) {
		tf_json_begin(&j, out);
		tf_json_object(&j);
		tf_json_key(&j, "actor");
		tf_json_raw(&j, tf_buf_bytes(&actor));
		tf_put_time(&j, "at", tf_clock_now());
		tf_put_str(&j, "key", tf_buf_bytes(&vkey));
		tf_put_cstr(&j, "members", "entries");
		tf_put_str(&j, "origin", tf_str_of(o->vkey.name));
		tf_put_uint(&j, "seq", 0);
		tf_put_str(&j, "type", tf_str_of("organisation.opened"));
		tf_put_uint(&j, "v", 2);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	}
	if (rc == TF_OK)
		rc = tf_entry_check(out->p, out->n, err);
	tf_buf_free(&actor);
	tf_buf_free(&vkey);
	return rc;
}
