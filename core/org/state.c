/*
 * What a publication has read: see state.h.
 *
 * Nothing is parsed before its signature was checked, so a file that cannot be
 * parsed is of another version, and none.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../base/mutant.h"

#define TITLE "trailfs-organiser-state/2\n"
#define FILE_MAX ((size_t)1 << 30)
/* With the finding: no entry of the member has its own origin yet.  An earlier version
 * takes such a file for damaged, and reads everything. */
#define NOT_BEGUN 0x80u

void
tf_org_state_free(struct tf_org_state *s)
{
	free(s->tree);
	tf_org_members_free(&s->members);
	*s = (struct tf_org_state){ 0 };
}

/* The text that the key signs.  No checkpoint is like it: the second line of one is
 * a number. */
static void
signed_text(const void *p, size_t n, char out[128])
{
	struct tf_hash h;

	tf_sha256(p, n, &h);
	memcpy(out, TITLE "sha256 ", sizeof(TITLE "sha256 ") - 1);
	tf_hex(h.b, sizeof(h.b), out + sizeof(TITLE "sha256 ") - 1);
	(void)strcat(out, "\n");
}

/* Hashes of the partial tile of a level, in a tree of that size. */
static unsigned
width(uint64_t size, unsigned level)
{
	return (unsigned)((size >> (8 * level)) % TF_TILE_WIDTH);
}

/* --- writing ------------------------------------------------------------------ */

static void
put8(struct tf_buf *b, unsigned v)
{
	uint8_t p = (uint8_t)v;

	tf_buf_add(b, &p, 1);
}

static void
put16(struct tf_buf *b, size_t v)
{
	uint8_t p[2];

	tf_put_be16(p, (uint16_t)v);
	tf_buf_add(b, p, sizeof(p));
}

static void
put32(struct tf_buf *b, size_t v)
{
	uint8_t p[4];

	tf_put_be32(p, (uint32_t)v);
	tf_buf_add(b, p, sizeof(p));
}

static void
put64(struct tf_buf *b, uint64_t v)
{
	uint8_t p[8];

	tf_put_be64(p, v);
	tf_buf_add(b, p, sizeof(p));
}

static void
put_peaks(struct tf_buf *b, uint64_t size, const struct tf_hash *peak)
{
	for (unsigned i = 0; i < 64; i++)
		if (size >> i & 1)
			tf_buf_add(b, peak[i].b, sizeof(peak[i].b));
}

static enum tf_code
put_member(struct tf_buf *b, const struct tf_org_member *m,
    struct tf_error *err)
{
	struct tf_buf keys = { 0 };
	struct tf_str text;
	enum tf_code rc;

	tf_vkey_text(&m->vkey, &keys);
	tf_buf_str(&keys, "\n");
	text = tf_buf_bytes(&m->keys.text);
	tf_buf_add(&keys, text.p, text.n);
	rc = tf_buf_end(&keys, err);
	put16(b, m->n);
	tf_buf_add(b, m->origin, m->n);
	put32(b, keys.n);
	tf_buf_add(b, keys.p, keys.n);
	put64(b, m->tree.size);
	put64(b, m->verified);
	put64(b, m->at);
	put8(b, (unsigned)m->finding | (m->begun ? 0 : NOT_BEGUN));
	put8(b, m->standing.is);
	put8(b, m->standing.was_revoked);
	put64(b, m->standing.early);
	tf_peaks_put(&m->tree, b);
	tf_buf_free(&keys);
	return rc;
}

static enum tf_code
put_said(struct tf_buf *b, const struct tf_org_said *said, struct tf_error *err)
{
	struct tf_buf key = { 0 };
	enum tf_code rc;

	tf_vkey_text(&said->key, &key);
	rc = tf_buf_end(&key, err);
	put64(b, said->next);
	put64(b, said->rotated);
	put64(b, (uint64_t)said->at.s);
	put32(b, said->at.ns);
	put8(b, said->by_entries);
	put16(b, key.n);
	tf_buf_add(b, key.p, key.n);
	tf_buf_free(&key);
	return rc;
}

enum tf_code
tf_org_state_save(const struct tf_organiser *o, const struct tf_org_state *s,
    struct tf_error *err)
{
	uint8_t sig[TF_SIG_LEN];
	struct tf_buf b = { 0 };
	char text[128];
	enum tf_code rc = TF_OK;

	tf_buf_printf(&b, TITLE "%s\n", o->vkey.name);
	put64(&b, s->refused);
	rc = put_said(&b, &s->members.said, err);
	put64(&b, s->tree->size);
	for (unsigned l = 0; l < TF_TILE_LEVELS; l++)
		tf_buf_add(&b, s->tree->edge[l],
		    width(s->tree->size, l) * sizeof(struct tf_hash));
	put_peaks(&b, s->tree->size, s->tree->peak);
	put32(&b, s->members.n);
	for (size_t i = 0; rc == TF_OK && i < s->members.n; i++)
		rc = put_member(&b, &s->members.member[i], err);
	if (rc == TF_OK && (rc = tf_buf_end(&b, err)) == TF_OK) {
		signed_text(b.p, b.n, text);
		rc = tf_key_sign(o->key, text, strlen(text), sig, err);
	}
	tf_buf_add(&b, sig, sizeof(sig));
	if (rc == TF_OK && (rc = tf_buf_end(&b, err)) == TF_OK)
		rc = tf_file_write(o->dir, TF_ORGANISER_STATE, b.p, b.n, 0600,
		    false, err);
	tf_buf_free(&b);
	return rc;
}

/* --- reading ------------------------------------------------------------------ */

struct cursor {
	const char *p;
	size_t left;
	bool bad;
};

static const char *
take(struct cursor *c, size_t n)
{
	const char *p = c->p;

	if (c->bad || n > c->left) {
		c->bad = true;
		return NULL;
	}
	c->p += n;
	c->left -= n;
	return p;
}

static uint32_t
get(struct cursor *c, size_t n)
{
	const uint8_t *p = (const uint8_t *)take(c, n);

	if (p == NULL)
		return 0;
	return n == 4 ? tf_get_be32(p) : n == 2 ? tf_get_be16(p) : *p;
}

static uint64_t
get64(struct cursor *c)
{
	uint64_t high = get(c, 4);

	return high << 32 | get(c, 4);
}

static void
get_hashes(struct cursor *c, size_t n, struct tf_hash *out)
{
	const char *p = take(c, n * sizeof(*out));

	if (p != NULL && n > 0)
		memcpy(out, p, n * sizeof(*out));
}

static void
get_peaks(struct cursor *c, uint64_t size, struct tf_hash *peak)
{
	for (unsigned i = 0; i < 64; i++)
		if (size >> i & 1)
			get_hashes(c, 1, &peak[i]);
}

static enum tf_code
get_member(struct cursor *c, struct tf_org_members *all, struct tf_error *err)
{
	struct tf_str origin = { .n = get(c, 2) }, keys;
	struct tf_org_member *m;
	struct tf_vkey vkey;
	uint32_t finding;
	const char *lf, *peaks;
	size_t line, n;
	uint64_t size;
	unsigned is;
	enum tf_code rc;

	origin.p = take(c, origin.n);
	keys.n = get(c, 4);
	keys.p = take(c, keys.n);
	if (c->bad)
		return TF_OK;
	lf = memchr(keys.p, '\n', keys.n);
	line = lf == NULL ? 0 : (size_t)(lf - keys.p);
	rc = tf_org_members_add(all, origin, (struct tf_str){ keys.p, line },
	    err);
	if (rc != TF_OK)
		return rc;
	m = &all->member[all->n - 1];
	rc = tf_log_keys_parse(&m->keys, keys, &vkey, err);
	size = get64(c);
	m->verified = get64(c);
	m->at = get64(c);
	finding = get(c, 1);
	m->begun = (finding & NOT_BEGUN) == 0;
	m->finding = (enum tf_finding)(finding & ~NOT_BEGUN);
	is = get(c, 1);
	m->standing = (struct tf_standing){
		.is = (enum tf_standing_is)is,
		.was_revoked = get(c, 1) != 0,
		.key = m->vkey,
		.begun = m->begun,
		.entries = size,
		.early = get64(c),
	};
	n = (size_t)__builtin_popcountll(size) * sizeof(struct tf_hash);
	peaks = take(c, n);
	c->bad = c->bad || m->finding >= TF_FINDINGS || is > TF_REVOKED ||
	    !tf_peaks_get(&m->tree, size, peaks, n);
	return rc;
}

static void
get_said(struct cursor *c, uint64_t refusals, struct tf_org_said *said)
{
	struct tf_str key;

	*said = (struct tf_org_said){ .refusals = refusals };
	said->next = get64(c);
	said->rotated = get64(c);
	said->at.s = (int64_t)get64(c);
	said->at.ns = get(c, 4);
	said->by_entries = get(c, 1) != 0;
	key.n = get(c, 2);
	key.p = take(c, key.n);
	c->bad = c->bad ||
	    tf_vkey_parse(key.p, key.n, &said->key, NULL) != TF_OK;
}

static enum tf_code
parse(struct cursor *c, const struct tf_organiser *o, struct tf_org_state *s,
    struct tf_error *err)
{
	size_t n = sizeof(TITLE) - 1, name = strlen(o->vkey.name);
	const char *head = take(c, n + name + 1);
	enum tf_code rc = TF_OK;

	if (head == NULL || memcmp(head, TITLE, n) != 0 ||
	    memcmp(head + n, o->vkey.name, name) != 0 || head[n + name] != '\n')
		return tf_fail(err, TF_TAMPER, "%s is of another log",
		    TF_ORGANISER_STATE);
	if ((s->tree = calloc(1, sizeof(*s->tree))) == NULL)
		return tf_nomem(err);
	s->refused = get64(c);
	get_said(c, s->refused, &s->members.said);
	s->tree->size = get64(c);
	for (unsigned l = 0; l < TF_TILE_LEVELS; l++)
		get_hashes(c, width(s->tree->size, l), s->tree->edge[l]);
	get_peaks(c, s->tree->size, s->tree->peak);
	n = get(c, 4);
	for (size_t i = 0; rc == TF_OK && !c->bad && i < n; i++)
		rc = get_member(c, &s->members, err);
	if (rc == TF_OK && (c->bad || c->left > 0))
		rc = tf_fail(err, TF_TAMPER, "%s has another length",
		    TF_ORGANISER_STATE);
	return rc;
}

enum tf_code
tf_org_state_load(const struct tf_organiser *o, struct tf_org_state *out,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	char text[128];
	struct cursor c;
	enum tf_code rc = tf_file_read(o->dir, TF_ORGANISER_STATE, FILE_MAX, &b,
	    err);

	*out = (struct tf_org_state){ 0 };
	if (rc == TF_OK && b.n < TF_SIG_LEN)
		rc = tf_fail(err, TF_TAMPER, "%s is cut", TF_ORGANISER_STATE);
	if (rc == TF_OK) {
		c = (struct cursor){ b.p, b.n - TF_SIG_LEN, false };
		signed_text(b.p, c.left, text);
		rc = tf_key_verify(&o->vkey.pub, text, strlen(text),
		    (const uint8_t *)b.p + c.left);
		if (TF_IS_MUTANT(TF_BELIEVE_STATE))
			rc = TF_OK;
		if (rc == TF_TAMPER)
			rc = tf_fail(err, rc,
			    "%s is not signed by the key of the log",
			    TF_ORGANISER_STATE);
	}
	if (rc == TF_OK)
		rc = parse(&c, o, out, err);
	if (rc != TF_OK)
		tf_org_state_free(out);
	tf_buf_free(&b);
	return rc;
}
