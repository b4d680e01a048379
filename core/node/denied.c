/*
 * The last TF_DENIED_KEPT refused attempts, as lines of JSON.  When the list is
 * full, a new line replaces the oldest line of the user who has the most:
 * memory does not grow, and one user cannot displace the lines of others.
 * Attempts are not in the ledger and are lost when the process ends; only their
 * number is recorded, in ledger.closed.
 */
#include <pthread.h>
#include <string.h>

#include "../asker.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/show.h"
#include "../base/time_text.h"
#include "../ledger/actor_json.h"
#include "../ledger/entry.h"
#include "../vault.h"
#include "base.h"
#include "denied.h"
#include "paths.h"
#include "vault_i.h"

/* Append the path of node id, or of its child `name`, made safe to print. */
static void
put_path(struct tf_vault *v, struct tf_json *j, const char *key, uint64_t id,
    const char *name)
{
	struct tf_buf path = { 0 }, shown = { 0 };
	struct tf_db *db;
	enum tf_code rc;

	if (id == 0)
		return;
	if (tf_reader_db(v, &db, NULL) != TF_OK) {
		j->out->failed = true;
		return;
	}
	rc = tf_path_of(v, db, id, &path, NULL);
	j->out->failed = j->out->failed || tf_code_undecided(rc);
	if (rc == TF_OK) {
		if (name != NULL && id == TF_ROOT_ID)
			path.n = 0;
		else if (name != NULL)
			tf_buf_add(&path, "/", 1);
		if (name != NULL)
			tf_buf_str(&path, name);
		tf_name_show(&shown, path.p, path.n);
		tf_json_key(j, key);
		tf_json_buf(j, &shown);
	}
	tf_reader_done(v, db);
	tf_buf_free(&path);
	tf_buf_free(&shown);
}

static void
put_actor(struct tf_json *j, const struct tf_actor *a)
{
	char comm[257];
	size_t n = tf_hint(comm, sizeof(comm) - 1, a->comm,
	    strnlen(a->comm, sizeof(a->comm)));

	tf_json_object(j);
	if (n > 0) {
		tf_json_key(j, "comm");
		tf_json_str(j, comm, n);
	}
	tf_json_key(j, "gid");
	tf_json_int(j, a->gid);
	if (a->pid != 0) {
		tf_json_key(j, "pid");
		tf_json_int(j, a->pid);
	}
	tf_json_key(j, "uid");
	tf_json_int(j, a->uid);
	tf_json_object_end(j);
}

static void
put_reason(struct tf_json *j, const char *reason)
{
	struct tf_buf shown = { 0 };

	if (reason != NULL && reason[0] != '\0') {
		tf_name_show(&shown, reason, strlen(reason));
		tf_json_key(j, "reason");
		tf_json_buf(j, &shown);
	}
	tf_buf_free(&shown);
}

static void
put_line(struct tf_vault *v, const struct tf_attempt *a, struct tf_buf *out)
{
	char at[TF_TIME_LEN + 1];
	struct tf_json j;

	tf_time_text(tf_time_clamp(tf_clock_now()), at);
	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_json_key(&j, "actor");
	put_actor(&j, a->actor);
	tf_json_key(&j, "at");
	tf_json_cstr(&j, at);
	tf_json_key(&j, "errno");
	tf_json_cstr(&j, a->sys);
	tf_json_key(&j, "operation");
	tf_json_cstr(&j, a->operation);
	put_path(v, &j, "path", a->id, a->name);
	put_reason(&j, a->reason);
	tf_json_key(&j, "rule");
	tf_json_cstr(&j, tf_code_name(a->code));
	put_path(v, &j, "to", a->to, a->to_name);
	tf_json_object_end(&j);
	if (tf_json_end(&j, NULL) != TF_OK)
		out->n = 0; /* the attempt counts without a path */
	else
		tf_buf_add(out, "\n", 1);
}

/* The list is full: the index of the oldest line of the uid that would have the
 * most lines, the new line included. */
static size_t
line_to_drop(const struct tf_denials *d, const struct tf_denial *new)
{
	struct {
		uint32_t uid;
		uint32_t lines;
		size_t oldest;
	} user[TF_DENIED_KEPT];
	size_t users = 0, drop = 0, u;
	uint32_t most = 0;

	for (size_t i = 0; i < d->n; i++) {
		for (u = 0; u < users && user[u].uid != d->kept[i].uid; u++)
			;
		if (u == users) {
			user[u].uid = d->kept[i].uid;
			user[u].lines = d->kept[i].uid == new->uid;
			user[u].oldest = i;
			users++;
		}
		user[u].lines++;
		if (user[u].lines > most) {
			most = user[u].lines;
			drop = user[u].oldest;
		}
	}
	return drop;
}

static void
keep(struct tf_denials *d, const struct tf_denial *new)
{
	size_t out;

	if (d->n == TF_DENIED_KEPT) {
		out = line_to_drop(d, new);
		tf_buf_free(&d->kept[out].line);
		d->n--;
		memmove(&d->kept[out], &d->kept[out + 1],
		    (d->n - out) * sizeof(d->kept[0]));
	}
	d->kept[d->n++] = *new;
}

void
tf_vault_denied(struct tf_vault *v, const struct tf_attempt *a)
{
	struct tf_denials *d = &v->denials;
	struct tf_denial new = { .uid = a->actor->uid };

	put_line(v, a, &new.line);
	pthread_mutex_lock(&d->mu);
	d->count++;
	if ((unsigned)a->code < TF_CODES)
		d->by_code[a->code]++;
	keep(d, &new);
	pthread_mutex_unlock(&d->mu);
}

uint64_t
tf_denied_count(struct tf_vault *v)
{
	uint64_t n;

	pthread_mutex_lock(&v->denials.mu);
	n = v->denials.count;
	pthread_mutex_unlock(&v->denials.mu);
	return n;
}

void
tf_denied_counts(struct tf_vault *v, uint64_t by_code[TF_CODES])
{
	pthread_mutex_lock(&v->denials.mu);
	memcpy(by_code, v->denials.by_code, sizeof(v->denials.by_code));
	pthread_mutex_unlock(&v->denials.mu);
}

enum tf_code
tf_vault_denials(struct tf_vault *v, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_denials *d = &v->denials;
	bool all = tf_asker_may_all(who);

	pthread_mutex_lock(&d->mu);
	for (size_t i = 0; i < d->n; i++)
		if (all || d->kept[i].uid == who->uid)
			tf_buf_add(out, d->kept[i].line.p, d->kept[i].line.n);
	pthread_mutex_unlock(&d->mu);
	return tf_buf_end(out, err);
}

void
tf_denied_free(struct tf_denials *d)
{
	for (size_t i = 0; i < d->n; i++)
		tf_buf_free(&d->kept[i].line);
	(void)pthread_mutex_destroy(&d->mu);
}
