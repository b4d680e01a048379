/*
 * Rotations of the log's key: see rotation.h.
 *
 * The signed text is that of a signed note (C2SP), so that other programs can
 * check it.  It can be no checkpoint: the third line of those is a digest.
 */
#include "rotation.h"

#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "entry.h"
#include "entry_read.h"

#define TITLE "trailfs-key-rotation/v1"

void
tf_rotation_text(uint64_t seq, struct tf_str old_key, struct tf_str new_key,
    struct tf_buf *out)
{
	tf_buf_printf(out, TITLE "\n%llu\n", (unsigned long long)seq);
	tf_buf_add(out, old_key.p, old_key.n);
	tf_buf_str(out, "\n");
	tf_buf_add(out, new_key.p, new_key.n);
	tf_buf_str(out, "\n");
}

static enum tf_code
signed_by(const struct tf_vkey *k, const struct tf_buf *text,
    struct tf_str base64)
{
	uint8_t sig[TF_SIG_LEN];

	if (base64.p == NULL ||
	    !tf_unbase64_exact(base64.p, base64.n, sig, sizeof(sig)))
		return TF_TAMPER;
	return tf_key_verify(&k->pub, text->p, text->n, sig);
}

/* The rotation in an entry, if its signatures are right. */
static enum tf_code
read_rotation(const struct tf_entry *e, struct tf_rotation *out)
{
	struct tf_buf text = { 0 };
	enum tf_code rc;

	out->seq = e->seq;
	if (tf_vkey_parse(e->key_old.p, e->key_old.n, &out->old_key, NULL) !=
		TF_OK ||
	    tf_vkey_parse(e->key_new.p, e->key_new.n, &out->new_key, NULL) !=
		TF_OK ||
	    strcmp(out->old_key.name, out->new_key.name) != 0)
		return TF_TAMPER;
	tf_rotation_text(e->seq, e->key_old, e->key_new, &text);
	rc = text.failed ? TF_NOMEM :
			   signed_by(&out->old_key, &text, e->old_sig);
	if (rc == TF_OK)
		rc = signed_by(&out->new_key, &text, e->new_sig);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_rotation_check(const struct tf_entry *e)
{
	struct tf_rotation r;

	return read_rotation(e, &r);
}

/* --- what is known ---------------------------------------------------------- */

static bool
same(const struct tf_vkey *a, const struct tf_vkey *b)
{
	return strcmp(a->name, b->name) == 0 && a->type == b->type &&
	    memcmp(&a->pub, &b->pub, sizeof(a->pub)) == 0;
}

void
tf_log_keys_free(struct tf_log_keys *k)
{
	free(k->rotation);
	tf_buf_free(&k->text);
	memset(k, 0, sizeof(*k));
}

static enum tf_code
add(struct tf_log_keys *k, const struct tf_rotation *r, struct tf_str entry)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->rotation[i].seq == r->seq &&
		    same(&k->rotation[i].old_key, &r->old_key) &&
		    same(&k->rotation[i].new_key, &r->new_key))
			return TF_OK;
	if (!tf_array_room(&k->rotation, k->n, &k->cap, sizeof(*k->rotation)))
		return TF_NOMEM;
	tf_buf_add(&k->text, entry.p, entry.n);
	tf_buf_str(&k->text, "\n");
	if (k->text.failed)
		return TF_NOMEM;
	k->rotation[k->n++] = *r;
	return TF_OK;
}

static struct tf_str
member(const struct tf_entry_decoded *d, const char *key)
{
	int t = tf_json_get(&d->doc, 0, key);
	struct tf_str s = { 0 };

	if (t >= 0 && d->doc.tok[t].type == TF_JSON_STRING) {
		s = tf_json_text(&d->doc, t);
		s = (struct tf_str){ s.p + 1, s.n - 2 };
	}
	return s;
}

/* The entry of an organisation: `size` says what the number says in a vault. */
static bool
of_organisation(const struct tf_entry_decoded *d, struct tf_entry *out)
{
	int size = tf_json_get(&d->doc, 0, "size");

	if (d->e.v != 2 ||
	    !tf_str_same(d->e.type_name, tf_str_of("key.rotated")) ||
	    size < 0 || d->doc.tok[size].type != TF_JSON_INT ||
	    d->doc.tok[size].num < 1)
		return false;
	*out = (struct tf_entry){
		.type = TF_KEY_ROTATED,
		.seq = (uint64_t)d->doc.tok[size].num - 1,
		.use = member(d, "use"),
		.key_old = member(d, "old"),
		.key_new = member(d, "new"),
		.old_sig = member(d, "oldSig"),
		.new_sig = member(d, "newSig"),
	};
	return out->key_old.p != NULL && out->key_new.p != NULL;
}

/* *is: these bytes are an entry of a rotation, and it is known now. */
static enum tf_code
learn(struct tf_log_keys *k, const void *entry, size_t n, bool *is,
    struct tf_error *err)
{
	static const char type[] = "\"type\":\"key.rotated\"";
	struct tf_entry_decoded d = { 0 };
	struct tf_entry later, *e = &d.e;
	struct tf_rotation r;
	enum tf_code rc = TF_INVALID;

	*is = false;
	/* Most entries have another type, and are not parsed. */
	if (memmem(entry, n, type, sizeof(type) - 1) == NULL)
		return TF_OK;
	rc = tf_entry_decode(&d, entry, n, NULL);
	if (rc == TF_OK && of_organisation(&d, &later))
		e = &later;
	if (rc == TF_OK && e->type == TF_KEY_ROTATED &&
	    tf_str_same(e->use, tf_str_of("log")) &&
	    (rc = read_rotation(e, &r)) == TF_OK) {
		rc = add(k, &r, (struct tf_str){ entry, n });
		*is = rc == TF_OK;
	}
	tf_entry_decoded_free(&d);
	return rc == TF_NOMEM ? tf_nomem(err) : TF_OK;
}

enum tf_code
tf_log_keys_learn(struct tf_log_keys *k, const void *entry, size_t n,
    struct tf_error *err)
{
	bool is;

	return learn(k, entry, n, &is, err);
}

enum tf_code
tf_log_keys_parse(struct tf_log_keys *k, struct tf_str text,
    struct tf_vkey *key, struct tf_error *err)
{
	const char *p = text.p, *end = text.p + text.n, *lf;
	enum tf_code rc = TF_OK;
	bool is;

	for (bool first = true; rc == TF_OK && (p < end || first); p = lf) {
		size_t n;

		lf = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)((lf == NULL ? end : lf) - p);
		if (first)
			rc = tf_vkey_parse(p, n, key, err);
		else if ((rc = learn(k, p, n, &is, err)) == TF_OK && !is)
			rc = tf_fail(err, TF_INVALID,
			    "a line behind the key is no entry of a rotation");
		lf = lf == NULL ? end : lf + 1;
		first = false;
	}
	return rc;
}

/* Rotations are added in the order of the log, but those of the caller come
 * first: so the way forward may begin anew with each key. */
static const struct tf_rotation *
after(const struct tf_log_keys *k, const struct tf_vkey *key, uint64_t seq)
{
	const struct tf_rotation *r = NULL;

	for (size_t i = 0; i < k->n; i++)
		if (same(&k->rotation[i].old_key, key) &&
		    k->rotation[i].seq >= seq &&
		    (r == NULL || k->rotation[i].seq < r->seq))
			r = &k->rotation[i];
	return r;
}

/* The last rotation before seq to that key. */
static const struct tf_rotation *
before(const struct tf_log_keys *k, const struct tf_vkey *key, uint64_t seq)
{
	const struct tf_rotation *r = NULL;

	for (size_t i = 0; i < k->n; i++)
		if (same(&k->rotation[i].new_key, key) &&
		    k->rotation[i].seq < seq &&
		    (r == NULL || k->rotation[i].seq > r->seq))
			r = &k->rotation[i];
	return r;
}

const struct tf_vkey *
tf_log_keys_at(const struct tf_log_keys *k, const struct tf_vkey *from,
    uint64_t size)
{
	const struct tf_rotation *r = after(k, from, 0);
	uint64_t seq = r == NULL ? UINT64_MAX : r->seq;
	const struct tf_vkey *key = from;

	while (r != NULL && r->seq < size) {
		key = &r->new_key;
		r = after(k, key, r->seq + 1);
	}
	if (key != from)
		return key;
	while ((r = before(k, key, seq)) != NULL && r->seq >= size) {
		key = &r->old_key;
		seq = r->seq;
	}
	return key;
}

/* Call one for each key before, at and after from, with the size up to which it is
 * good, until one answers true. */
static bool
each(const struct tf_log_keys *k, const struct tf_vkey *from,
    bool (*one)(void *arg, const struct tf_vkey *key, uint64_t until),
    void *arg)
{
	const struct tf_rotation *r, *next = after(k, from, 0);
	const struct tf_vkey *key = from;
	uint64_t seq = next == NULL ? UINT64_MAX : next->seq;

	if (one(arg, key, next == NULL ? UINT64_MAX : next->seq + 1))
		return true;
	while ((r = before(k, key, seq)) != NULL) {
		if (one(arg, &r->old_key, r->seq + 1))
			return true;
		key = &r->old_key;
		seq = r->seq;
	}
	while (next != NULL) {
		r = after(k, &next->new_key, next->seq + 1);
		if (one(arg, &next->new_key,
			r == NULL ? UINT64_MAX : r->seq + 1))
			return true;
		next = r;
	}
	return false;
}

static bool
is_key(void *arg, const struct tf_vkey *key, uint64_t until)
{
	(void)until;
	return same(arg, key);
}

bool
tf_log_keys_has(const struct tf_log_keys *k, const struct tf_vkey *from,
    const struct tf_vkey *key)
{
	struct tf_vkey copy = *key;

	return each(k, from, is_key, &copy);
}

struct check {
	const char *note;
	size_t n;
	struct tf_checkpoint *out;
	struct tf_vkey *by;
	enum tf_code rc;
	struct tf_error why;
	bool late; /* signed by a key that was replaced */
};

/* Ends at the key that signed, and at what no key makes right. */
static bool
check_key(void *arg, const struct tf_vkey *key, uint64_t until)
{
	struct check *c = arg;
	struct tf_checkpoint cp;
	struct tf_error why = { .code = TF_OK };
	enum tf_code rc = tf_checkpoint_check(c->note, c->n, key, &cp, &why);

	if (rc == TF_OK && cp.size > until) {
		rc = tf_fail(&why, TF_TAMPER,
		    "checkpoint: of %llu entries, but its key was replaced "
		    "after %llu",
		    (unsigned long long)cp.size, (unsigned long long)until);
		c->late = true;
	} else if (rc == TF_TAMPER && c->rc != TF_OK &&
	    (c->late || c->why.code == TF_TAMPER)) {
		return false; /* the first reason is that of the caller's key */
	}
	c->rc = rc;
	c->why = why;
	if (rc != TF_OK)
		return rc != TF_TAMPER;
	*c->out = cp;
	if (c->by != NULL)
		*c->by = *key;
	return true;
}

enum tf_code
tf_log_keys_check(const struct tf_log_keys *k, const struct tf_vkey *from,
    const char *note, size_t n, struct tf_checkpoint *out, struct tf_vkey *by,
    struct tf_error *err)
{
	struct check c = { .note = note, .n = n, .out = out, .by = by };

	(void)each(k, from, check_key, &c);
	return c.rc == TF_OK ? TF_OK : tf_fail_as(err, &c.why);
}
