/*
 * How a vault reaches its signer: the fork of a daemon, the command that the config
 * or an option names, or, for a program that opens a store for a moment, its own
 * process.
 */
#include "signer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../sign/fence.h"
#include "../sign/remote.h"
#include "../sign/serve.h"
#include "../sign/sign.h"
#include "../sign/state.h"
#include "../sign/supervise.h"
#include "../signer.h"
#include "../store/config_file.h"
#include "../store/key_dir.h"
#include "../vault.h"

#define START_NS (30 * TF_SECOND) /* until a start without a signer fails */
#define STOP_NS (5 * TF_SECOND)	  /* likewise the rest of a vault that ends */
#define COMMAND_MAX 4096	  /* bytes */

/* --- starting it ------------------------------------------------------------ */

bool
tf_config_is_signer(const char *key, const char *value)
{
	return strcmp(key, "signer") == 0 && value[0] != '\0' &&
	    strlen(value) < COMMAND_MAX;
}

static enum tf_code
take_command(void *arg, const char *key, const char *value,
    struct tf_error *err)
{
	char **command = arg;

	if (!tf_config_is_signer(key, value))
		return TF_OK;
	free(*command);
	*command = strdup(value);
	return *command == NULL ? tf_nomem(err) : TF_OK;
}

/* The owner of the open directory fd is whom the signer runs as. */
static enum tf_code
run_as_owner(struct tf_signer_start *how, int fd, struct tf_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return tf_fail(err, TF_IO, "stat the owner of the keys");
	how->uid = st.st_uid;
	how->gid = st.st_gid;
	return TF_OK;
}

static enum tf_code
start_for(int dirfd, const char *command, bool quiet, int *fd,
    struct tf_error *err)
{
	struct tf_signer_start how = { .command = command,
		.keysfd = -1,
		.quiet = quiet };
	enum tf_code rc = TF_OK;

	if (command == NULL)
		rc = tf_key_dir_open(dirfd, &how.keysfd, err);
	if (rc == TF_OK)
		rc = run_as_owner(&how, command == NULL ? how.keysfd : dirfd,
		    err);
	if (rc == TF_OK)
		rc = tf_signer_supervise(&how, fd, err);
	if (how.keysfd >= 0)
		(void)close(how.keysfd);
	return rc;
}

/* A directory without a database is no store, as its opening will say. */
enum tf_code
tf_signer_start(const char *path, const char *command, bool quiet, int *fd,
    struct tf_error *err)
{
	char *configured = NULL;
	enum tf_code rc = TF_OK;
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*fd = 0;
	if (dirfd < 0)
		return TF_OK;
	if (faccessat(dirfd, TF_DB_NAME, F_OK, 0) < 0)
		goto out;
	if (command == NULL)
		rc = tf_config_each(dirfd, take_command, &configured, err);
	if (rc == TF_OK)
		rc = start_for(dirfd, command != NULL ? command : configured,
		    quiet, fd, err);
out:
	free(configured);
	(void)close(dirfd);
	return rc;
}

/* --- the link of a vault ---------------------------------------------------- */

struct link {
	struct tf_vault *v;
	int control;
	bool asked;
};

static int
connect_signer(void *arg, int wait_ms)
{
	struct link *l = arg;

	return tf_signer_ask(l->control, &l->asked, wait_ms);
}

static bool
gives_up(void *arg)
{
	const struct link *l = arg;
	uint64_t at = atomic_load(&l->v->signer_until_ns);

	return at != 0 && tf_clock_boot_ns() >= at;
}

static void
note_away(void *arg, const char *why)
{
	struct tf_vault *v = ((struct link *)arg)->v;
	int64_t since = atomic_load(&v->signer_away);

	atomic_store(&v->signer_away, why == NULL ? 0 : tf_clock_now().s);
	if (why != NULL)
		tf_vault_say(v, TF_BUSY,
		    "the signer is away (%s): writers wait, readers do not",
		    why);
	else
		tf_vault_say(v, TF_OK, "the signer answers again, after %lld s",
		    (long long)(tf_clock_now().s - since));
}

static void
note_fence(void *arg, unsigned state)
{
	atomic_store(&((struct link *)arg)->v->signer_fence, state);
}

static void
close_link(void *arg)
{
	struct link *l = arg;

	tf_signer_end(l->control);
	free(l);
}

static enum tf_code
open_link(struct tf_vault *v, int control, bool is_foreign,
    struct tf_error *err)
{
	struct link *l = calloc(1, sizeof(*l));
	struct tf_signer_link link = { .connect = connect_signer,
		.gives_up = gives_up,
		.away = note_away,
		.fenced = note_fence,
		.close = close_link,
		.arg = l,
		.is_foreign = is_foreign };
	enum tf_code rc;

	if (l == NULL) {
		(void)close(control);
		return tf_nomem(err);
	}
	l->v = v;
	l->control = control;
	atomic_store(&v->signer_until_ns, tf_clock_boot_ns() + START_NS);
	rc = tf_signer_remote(&link, &v->signer, err);
	if (rc == TF_INTERRUPTED && !atomic_load(&v->stopping))
		rc = tf_fail(err, TF_BUSY,
		    "the signer does not answer: is its command right?");
	return rc;
}

/* --- of a vault ------------------------------------------------------------- */

static enum tf_code
open_own(struct tf_vault *v, struct tf_error *err)
{
	int fd;
	enum tf_code rc = tf_key_dir_open(v->dirfd, &fd, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_signer_local(fd, &v->signer, err);
	(void)close(fd);
	return rc;
}

enum tf_code
tf_vault_open_signer(struct tf_vault *v, int control, struct tf_error *err)
{
	char *command = NULL;
	enum tf_code rc = tf_config_each(v->dirfd, take_command, &command, err);

	if (rc == TF_OK && control <= 0 && command != NULL)
		rc = start_for(v->dirfd, command, false, &control, err);
	if (rc == TF_OK)
		rc = control > 0 ?
		    open_link(v, control, command != NULL || !v->signer_is_ours,
			err) :
		    open_own(v, err);
	free(command);
	return rc;
}

void
tf_vault_signer_started(struct tf_vault *v)
{
	atomic_store(&v->signer_until_ns, 0);
}

void
tf_vault_signer_ends(struct tf_vault *v)
{
	uint64_t none = 0;

	(void)atomic_compare_exchange_strong(&v->signer_until_ns, &none,
	    tf_clock_boot_ns() + STOP_NS);
}

/* --- of a store that is being made ------------------------------------------ */

struct first {
	int control;
	bool asked;
	uint64_t until_ns;
};

static int
connect_first(void *arg, int wait_ms)
{
	struct first *f = arg;

	return tf_signer_ask(f->control, &f->asked, wait_ms);
}

static bool
first_gives_up(void *arg)
{
	return tf_clock_boot_ns() >= ((struct first *)arg)->until_ns;
}

static void
first_away(void *arg, const char *why)
{
	(void)arg;
	(void)why;
}

static void
first_fenced(void *arg, unsigned state)
{
	(void)arg;
	(void)state;
}

static void
close_first(void *arg)
{
	(void)close(((struct first *)arg)->control);
}

enum tf_code
tf_signer_first_keys(int dirfd, const char *command, struct tf_pubkey *log,
    struct tf_pubkey *attester, struct tf_error *err)
{
	struct first f = { .until_ns = tf_clock_boot_ns() + START_NS };
	const struct tf_signer_link link = { .connect = connect_first,
		.gives_up = first_gives_up,
		.away = first_away,
		.fenced = first_fenced,
		.close = close_first,
		.arg = &f,
		.is_foreign = true };
	struct tf_signer *s;
	enum tf_code rc;

	if (!tf_config_is_signer("signer", command) ||
	    strchr(command, '\n') != NULL)
		return tf_fail(err, TF_USAGE,
		    "a signer is a command of one line");
	if ((rc = start_for(dirfd, command, false, &f.control, err)) != TF_OK)
		return rc;
	rc = tf_signer_remote(&link, &s, err);
	if (rc == TF_INTERRUPTED)
		return tf_fail(err, TF_BUSY,
		    "the signer does not answer: is its command right?");
	if (rc != TF_OK)
		return rc;
	*log = tf_signer_keys(s)->log;
	*attester = tf_signer_keys(s)->attester;
	tf_signer_close(s);
	return TF_OK;
}

/* --- a signer without a vault ----------------------------------------------- */

enum tf_code
tf_signer_run(const char *keys, const char *tokens, int in, int out,
    void (*fenced)(unsigned state), struct tf_error *err)
{
	int fd = open(keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc = TF_OK;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = tf_fail(err, tf_code_of_open(errno), "%.100s: %s", keys,
		    strerror(errno));
	else if (!tf_signer_drop_rights(st.st_uid, st.st_gid))
		rc = tf_fail(err, TF_IO, "become the owner of %.100s", keys);
	if (rc != TF_OK) {
		if (fd >= 0)
			(void)close(fd);
		tf_signer_serve(NULL, err, in, out);
		return rc;
	}
	rc = tf_signer_serve_keys(fd, tokens, in, out, fenced, err);
	(void)close(fd);
	return rc;
}

static enum tf_code
make_key(int fd, const char *name, struct tf_error *err)
{
	struct tf_key *k = NULL;
	enum tf_code rc = tf_key_generate(&k, err);

	if (rc == TF_OK)
		rc = tf_key_save(k, fd, name, err);
	tf_key_free(k);
	return rc;
}

enum tf_code
tf_signer_make(const char *keys, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	if (mkdir(keys, 0700) < 0 && errno != EEXIST)
		return tf_fail(err, TF_IO, "make %.100s: %s", keys,
		    strerror(errno));
	fd = open(keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", keys,
		    strerror(errno));
	rc = make_key(fd, TF_LOG_SECRET, err);
	if (rc == TF_OK)
		rc = make_key(fd, TF_ATTESTER_SECRET, err);
	(void)close(fd);
	return rc;
}
