/* What templates ask of the vault: see wishes.h. */
#include "wishes.h"

#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../definition.h"
#include "../ledger/template_parse.h"
#include "../store/definitions.h"
#include "../store/objects.h"
#include "../vault.h"
#include "base.h"
#include "vault_i.h"

void
tf_wishes_init(struct tf_wishes *w)
{
	(void)pthread_mutex_init(&w->mu, NULL);
	(void)pthread_mutex_init(&w->reading, NULL);
}

void
tf_wishes_free(struct tf_wishes *w)
{
	free(w->trails);
	(void)pthread_mutex_destroy(&w->reading);
	(void)pthread_mutex_destroy(&w->mu);
}

/* What the settings ask for, for all trails. */
static unsigned
settings_ask(const struct tf_vault *v)
{
	return (v->settings.value[TF_READS] != 0 ? TF_WISH_READS : 0) |
	    (v->settings.value[TF_TEXTS] != 0 ? TF_WISH_TEXTS : 0);
}

static int
by_trail(const void *key, const void *item)
{
	uint64_t a = *(const uint64_t *)key;
	uint64_t b = ((const struct tf_trail_wishes *)item)->trail;

	return (a > b) - (a < b);
}

/* The place of trail, or where it belongs.  mu is held. */
static size_t
place_of(const struct tf_wishes *w, uint64_t trail, bool *there)
{
	size_t i = tf_array_place(w->trails, w->n, sizeof(*w->trails), &trail,
	    by_trail);

	*there = i < w->n && w->trails[i].trail == trail;
	return i;
}

/* Without memory for the note, the wish of a trail is not known: the caller
 * reports that. */
static bool
set_trail(struct tf_vault *v, uint64_t trail, unsigned wishes)
{
	struct tf_wishes *w = &v->wishes;
	unsigned any = settings_ask(v);
	bool there, ok = true;
	size_t i;

	pthread_mutex_lock(&w->mu);
	i = place_of(w, trail, &there);
	if (wishes != 0 && !there &&
	    (ok = tf_array_room(&w->trails, w->n, &w->cap,
		 sizeof(*w->trails)))) {
		memmove(w->trails + i + 1, w->trails + i,
		    (w->n - i) * sizeof(*w->trails));
		w->trails[i].trail = trail;
		w->n++;
	} else if (wishes == 0 && there) {
		memmove(w->trails + i, w->trails + i + 1,
		    (w->n - i - 1) * sizeof(*w->trails));
		w->n--;
	}
	if (wishes != 0 && ok)
		w->trails[i].wishes = wishes;
	for (i = 0; i < w->n; i++)
		any |= w->trails[i].wishes;
	atomic_store(&w->any, any);
	pthread_mutex_unlock(&w->mu);
	return ok;
}

/* Most templates lack the words, and parsing each at the start takes time. */
static unsigned
wishes_of(const void *bytes, size_t n)
{
	struct tf_template t;
	unsigned wishes = 0;

	if ((memmem(bytes, n, "reads", 5) != NULL ||
		memmem(bytes, n, "texts", 5) != NULL) &&
	    tf_template_parse(&t, bytes, n, NULL) == TF_OK) {
		wishes = (t.logs_reads ? TF_WISH_READS : 0) |
		    (t.redactable_texts ? TF_WISH_TEXTS : 0);
		tf_template_free(&t);
	}
	return wishes;
}

struct start {
	struct tf_vault *v;
	struct tf_db *db;
};

/* A template that cannot be read is a finding of trailctl verify, and does not
 * keep the vault from opening. */
static enum tf_code
one_template(void *arg, const struct tf_definition_row *row,
    struct tf_error *err)
{
	struct start *s = arg;
	struct tf_object_row o;
	struct tf_buf text = { 0 };
	unsigned wishes;
	enum tf_code rc = tf_object_get(s->db, row->object, &o, &text, err);

	wishes = rc == TF_OK ? wishes_of(tf_buf_bytes(&text).p, text.n) : 0;
	if (wishes != 0 && !set_trail(s->v, row->node, wishes))
		rc = tf_nomem(err);
	tf_buf_free(&text);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_wishes_start(struct tf_vault *v, struct tf_db *db, struct tf_error *err)
{
	struct start s = { v, db };

	atomic_store(&v->wishes.any, settings_ask(v));
	return tf_definitions_of_kind(db, TF_DEFINITION_TEMPLATE, one_template,
	    &s, err);
}

/* With two templates at once, the newest must win. */
void
tf_wishes_template(struct tf_vault *v, uint64_t trail)
{
	struct tf_definition_row row = { .node = trail,
		.kind = TF_DEFINITION_TEMPLATE,
		.name = { "", 0 } };
	struct tf_object_row o;
	struct tf_buf text = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_db *db;
	enum tf_code rc;

	pthread_mutex_lock(&v->wishes.reading);
	if ((rc = tf_reader_db(v, &db, &e)) == TF_OK) {
		rc = tf_definitions_get(db, &row, &e);
		if (rc == TF_OK)
			rc = tf_object_get(db, row.object, &o, &text, &e);
		tf_reader_done(v, db);
	}
	if (rc == TF_OK &&
	    !set_trail(v, trail, wishes_of(tf_buf_bytes(&text).p, text.n)))
		rc = tf_nomem(&e);
	pthread_mutex_unlock(&v->wishes.reading);
	tf_buf_free(&text);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		tf_vault_say(v, rc,
		    "it is not known whether a template wants readers to be "
		    "recorded or texts to be redactable; the next start looks "
		    "again: %s",
		    e.text);
}

bool
tf_wishes_any(struct tf_vault *v, enum tf_wish wish)
{
	return (atomic_load(&v->wishes.any) & wish) != 0;
}

bool
tf_wished(struct tf_vault *v, uint64_t trail, enum tf_wish wish)
{
	struct tf_wishes *w = &v->wishes;
	bool there;
	size_t i;

	if ((settings_ask(v) & wish) != 0)
		return true;
	if (!tf_wishes_any(v, wish))
		return false;
	pthread_mutex_lock(&w->mu);
	i = place_of(w, trail, &there);
	there = there && (w->trails[i].wishes & wish) != 0;
	pthread_mutex_unlock(&w->mu);
	return there;
}
