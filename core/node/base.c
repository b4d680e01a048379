/* Connections, messages and waiting: see base.h. */
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/clock.h"
#include "../store/connection.h"
#include "base.h"
#include "vault_i.h"

#define ASK_NS 100000000 /* between two checks for cancellation in a wait */

#define IDLE_MAX 16 /* unused connections that stay open */

void
tf_vault_say(struct tf_vault *v, enum tf_code code, const char *fmt, ...)
{
	char line[400];
	va_list ap;

	if (v->say == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	v->say(v->arg, code, line);
}

void
tf_vault_say_key(struct tf_vault *v, enum tf_code code, const char *fmt, ...)
{
	char line[400];
	va_list ap;

	if (v->say_key == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	v->say_key(v->arg, code, line);
}

enum tf_code
tf_vault_writable_locked(struct tf_vault *v, struct tf_error *err)
{
	if (v->read_only)
		return tf_fail(err, TF_READONLY,
		    "the store is open for "
		    "reading only");
	if (v->broken != TF_OK)
		return tf_fail(err, TF_READONLY, "the ledger failed: %.120s",
		    v->broken_why.text);
	return TF_OK;
}

enum tf_code
tf_vault_writable(struct tf_vault *v, struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = tf_vault_writable_locked(v, err);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_reader_db(struct tf_vault *v, struct tf_db **out, struct tf_error *err)
{
	char path[PATH_MAX];
	enum tf_code rc;

	*out = NULL;
	pthread_mutex_lock(&v->mu);
	if (v->n_free_dbs > 0)
		*out = v->free_dbs[--v->n_free_dbs];
	pthread_mutex_unlock(&v->mu);
	if (*out != NULL)
		return TF_OK;
	(void)snprintf(path, sizeof(path), "%s/%s", v->path, TF_DB_NAME);
	rc = tf_db_open(path, v->read_mode, out, err);
	if (rc == TF_OK && !v->read_only)
		tf_db_keep_locks(*out);
	return rc;
}

void
tf_reader_done(struct tf_vault *v, struct tf_db *db)
{
	void *p;

	pthread_mutex_lock(&v->mu);
	if (v->n_free_dbs == v->cap_free_dbs && v->n_free_dbs < IDLE_MAX) {
		p = realloc(v->free_dbs,
		    (v->cap_free_dbs + 8) * sizeof(*v->free_dbs));
		if (p != NULL) {
			v->free_dbs = p;
			v->cap_free_dbs += 8;
		}
	}
	if (v->n_free_dbs < v->cap_free_dbs) {
		v->free_dbs[v->n_free_dbs++] = db;
		db = NULL;
	}
	pthread_mutex_unlock(&v->mu);
	tf_db_close(db);
}

static bool
must_stop(void *arg)
{
	return tf_vault_must_stop(arg);
}

struct tf_patience
tf_vault_patience(struct tf_vault *v)
{
	return (struct tf_patience){ .is_over = must_stop, .arg = v };
}

enum tf_code
tf_vault_wait_long(struct tf_vault *v, struct tf_error *err)
{
	struct timespec until;

	tf_vault_slow(v);
	tf_clock_after(ASK_NS, &until);
	(void)pthread_cond_timedwait(&v->changed, &v->mu, &until);
	return tf_vault_must_stop(v) ?
	    tf_fail(err, TF_INTERRUPTED, "given up while it waited") :
	    TF_OK;
}
