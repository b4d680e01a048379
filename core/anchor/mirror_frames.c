/*
 * Messages of a mirror as bytes: see mirror_frames.h.
 *
 * One table says which fields a type has, in their order; the writer and the
 * parser walk over the same table, so they cannot differ.
 */
#include "mirror_frames.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/entry.h"

#define PLAIN 5 /* bytes of the header before its sum */
#define WANT_BYTES (sizeof(struct tf_hash) + 8)

enum field {
	NO_FIELD,
	VERSION, /* 4 bytes */
	ORIGIN,	 /* strings: 4 bytes of length and the bytes */
	STORE,
	KEY,
	NOTE,
	PROOF,	   /* 1 byte: how many; 32 bytes each */
	HASH,	   /* 32 bytes */
	SIGNATURE, /* 64 bytes */
	SIZE,	   /* 8 bytes */
	FIRST,	   /* 8 bytes */
	PRESENT,   /* 1 byte: 0 or 1 */
	CODE,	   /* 1 byte */
	LIST,	   /* the rest of the payload */
	TEXT,
};

static const struct {
	const char *name;
	enum field fields[6];
} types[TF_MIRROR_TYPES] = {
	[TF_MIRROR_HELLO] = { "HELLO", { VERSION, ORIGIN, KEY, STORE, HASH } },
	[TF_MIRROR_HEAD] = { "HEAD",
	    { VERSION, SIZE, HASH, NOTE, KEY, SIGNATURE } },
	[TF_MIRROR_OFFER] = { "OFFER", { NOTE, PROOF } },
	[TF_MIRROR_ACCEPT] = { "ACCEPT", { NO_FIELD } },
	[TF_MIRROR_ENTRIES] = { "ENTRIES", { FIRST, LIST } },
	[TF_MIRROR_WANT] = { "WANT", { LIST } },
	[TF_MIRROR_OBJECT] = { "OBJECT", { HASH, PRESENT, SIZE, FIRST } },
	[TF_MIRROR_DATA] = { "DATA", { LIST } },
	[TF_MIRROR_END] = { "END", { NOTE, PROOF } },
	[TF_MIRROR_DONE] = { "DONE", { SIZE } },
	[TF_MIRROR_FINISH] = { "FINISH", { NO_FIELD } },
	[TF_MIRROR_RECEIPT] = { "RECEIPT", { NOTE, KEY } },
	[TF_MIRROR_REFUSED] = { "REFUSED", { CODE, TEXT } },
	[TF_MIRROR_STAMPED] = { "STAMPED", { NOTE } },
};

/* The codes of REFUSED on the wire: the place in this table.  Only append. */
static const enum tf_code codes[] = { TF_IO, TF_TAMPER, TF_FOREIGN, TF_NEWER,
	TF_INVALID, TF_NOSPACE, TF_QUOTA, TF_TOOBIG, TF_NOMEM, TF_LOCKED,
	TF_ACCESS, TF_READONLY, TF_USAGE, TF_NOTFOUND };
#define CODES (sizeof(codes) / sizeof(*codes))

const char *
tf_mirror_name(enum tf_mirror_type type)
{
	return (unsigned)type < TF_MIRROR_TYPES && types[type].name != NULL ?
	    types[type].name :
	    "an unknown message";
}

/* --- writing ------------------------------------------------------------- */

static void
put_number(struct tf_buf *out, uint64_t v, unsigned bytes)
{
	uint8_t p[8];

	tf_put_be64(p, v);
	tf_buf_add(out, p + sizeof(p) - bytes, bytes);
}

static void
put_string(struct tf_buf *out, struct tf_str s)
{
	put_number(out, s.n, 4);
	tf_buf_add(out, s.p, s.n);
}

static uint8_t
number_of(enum tf_code code)
{
	for (size_t i = 0; i < CODES; i++)
		if (codes[i] == code)
			return (uint8_t)i;
	return 0;
}

static void
put_field(struct tf_buf *out, const struct tf_mirror_msg *m, enum field f)
{
	switch (f) {
	case NO_FIELD:
		return;
	case VERSION:
		put_number(out, m->version, 4);
		return;
	case ORIGIN:
		put_string(out, m->origin);
		return;
	case STORE:
		put_string(out, m->store);
		return;
	case KEY:
		put_string(out, m->key);
		return;
	case NOTE:
		put_string(out, m->note);
		return;
	case PROOF:
		put_number(out, m->proof.n, 1);
		tf_buf_add(out, m->proof.h, m->proof.n * sizeof(m->proof.h[0]));
		return;
	case HASH:
		tf_buf_add(out, m->hash.b, sizeof(m->hash.b));
		return;
	case SIGNATURE:
		tf_buf_add(out, m->signature, sizeof(m->signature));
		return;
	case SIZE:
		put_number(out, m->size, 8);
		return;
	case FIRST:
		put_number(out, m->first, 8);
		return;
	case PRESENT:
		put_number(out, m->present, 1);
		return;
	case CODE:
		put_number(out, number_of(m->code), 1);
		return;
	case LIST:
		tf_buf_add(out, m->list.p, m->list.n);
		return;
	case TEXT:
		tf_buf_add(out, m->text.p, m->text.n);
		return;
	}
}

void
tf_mirror_header(uint8_t *out, size_t length, unsigned type)
{
	struct tf_hash sum;

	tf_put_be32(out, (uint32_t)length);
	out[4] = (uint8_t)type;
	tf_sha256(out, PLAIN, &sum);
	memcpy(out + PLAIN, sum.b, TF_MIRROR_HEADER - PLAIN);
}

void
tf_mirror_put(struct tf_buf *out, const struct tf_mirror_msg *m)
{
	const size_t n_fields = sizeof(types[0].fields) /
	    sizeof(types[0].fields[0]);
	size_t start = out->n;
	struct tf_hash sum;

	put_number(out, 0, TF_MIRROR_HEADER); /* known later */
	for (size_t i = 0; i < n_fields; i++)
		put_field(out, m, types[m->type].fields[i]);
	if (out->failed)
		return;
	tf_mirror_header((uint8_t *)out->p + start,
	    out->n - start - TF_MIRROR_HEADER, m->type);
	tf_sha256(out->p + start, out->n - start, &sum);
	tf_buf_add(out, sum.b, TF_MIRROR_SUM);
}

void
tf_mirror_add_entry(struct tf_buf *list, struct tf_str entry)
{
	put_number(list, entry.n, 2);
	tf_buf_add(list, entry.p, entry.n);
}

void
tf_mirror_add_want(struct tf_buf *list, const struct tf_mirror_want *w)
{
	tf_buf_add(list, w->sha256.b, sizeof(w->sha256.b));
	put_number(list, w->have, 8);
}

/* --- parsing ------------------------------------------------------------- */

/* Take n bytes off s; NULL: there are fewer. */
static const uint8_t *
take(struct tf_str *s, size_t n)
{
	const char *p = s->p;

	if (s->n < n)
		return NULL;
	s->p += n;
	s->n -= n;
	return (const uint8_t *)p;
}

static bool
take_number(struct tf_str *s, unsigned bytes, uint64_t *out)
{
	const uint8_t *p = take(s, bytes);

	*out = 0;
	for (unsigned i = 0; p != NULL && i < bytes; i++)
		*out = *out << 8 | p[i];
	return p != NULL;
}

static bool
take_string(struct tf_str *s, struct tf_str *out)
{
	uint64_t n;
	const uint8_t *p = take_number(s, 4, &n) ? take(s, n) : NULL;

	*out = (struct tf_str){ (const char *)p, p != NULL ? n : 0 };
	return p != NULL;
}

static bool
take_bytes(struct tf_str *s, uint8_t *out, size_t n)
{
	const uint8_t *p = take(s, n);

	if (p != NULL)
		memcpy(out, p, n);
	return p != NULL;
}

static bool
take_hash(struct tf_str *s, struct tf_hash *out)
{
	return take_bytes(s, out->b, sizeof(out->b));
}

static bool
take_proof(struct tf_str *s, struct tf_proof *out)
{
	uint64_t n;
	const uint8_t *p;

	if (!take_number(s, 1, &n) || n > TF_PROOF_MAX ||
	    (p = take(s, n * sizeof(out->h[0]))) == NULL)
		return false;
	out->n = (unsigned)n;
	memcpy(out->h, p, n * sizeof(out->h[0]));
	return true;
}

/* Lists are checked here, so that the functions that walk over them need no
 * error. */
static bool
take_list(struct tf_str *s, struct tf_mirror_msg *out)
{
	struct tf_str one, rest = *s;
	struct tf_mirror_want w;

	out->list = *s;
	*s = (struct tf_str){ s->p + s->n, 0 };
	if (out->type == TF_MIRROR_ENTRIES)
		while (tf_mirror_next_entry(&rest, &one))
			;
	else if (out->type == TF_MIRROR_WANT)
		while (tf_mirror_next_want(&rest, &w))
			;
	else
		rest.n = 0;
	return rest.n == 0;
}

static bool
take_field(struct tf_str *s, enum field f, struct tf_mirror_msg *out)
{
	uint64_t n;

	switch (f) {
	case NO_FIELD:
		return true;
	case VERSION:
		return take_number(s, 4, &out->version) && out->version > 0;
	case ORIGIN:
		return take_string(s, &out->origin);
	case STORE:
		return take_string(s, &out->store);
	case KEY:
		return take_string(s, &out->key);
	case NOTE:
		return take_string(s, &out->note);
	case PROOF:
		return take_proof(s, &out->proof);
	case HASH:
		return take_hash(s, &out->hash);
	case SIGNATURE:
		return take_bytes(s, out->signature, sizeof(out->signature));
	case SIZE:
		return take_number(s, 8, &out->size);
	case FIRST:
		return take_number(s, 8, &out->first);
	case PRESENT:
		if (!take_number(s, 1, &n) || n > 1)
			return false;
		out->present = n == 1;
		return true;
	case CODE:
		if (!take_number(s, 1, &n) || n >= CODES)
			return false;
		out->code = codes[n];
		return true;
	case LIST:
		return take_list(s, out);
	case TEXT:
		out->text = *s;
		*s = (struct tf_str){ s->p + s->n, 0 };
		return true;
	}
	return false;
}

enum tf_code
tf_mirror_length(const uint8_t *header, size_t *out, struct tf_error *err)
{
	unsigned type = header[4];
	uint8_t right[TF_MIRROR_HEADER];

	*out = tf_get_be32(header);
	tf_mirror_header(right, *out, type);
	if (memcmp(right, header, sizeof(right)) != 0)
		return tf_fail(err, TF_INVALID,
		    "the other side does not speak the protocol of a mirror, "
		    "or the connection alters bytes");
	if (type >= TF_MIRROR_TYPES || types[type].name == NULL)
		return tf_fail(err, TF_INVALID,
		    "the other side sent an unknown message");
	if (*out > TF_MIRROR_PAYLOAD_MAX)
		return tf_fail(err, TF_INVALID, "%s is too long",
		    types[type].name);
	return TF_OK;
}

/* Another version has other fields: only its number is taken. */
static bool
is_other(const struct tf_mirror_msg *m, enum field f)
{
	return f == VERSION && m->version != TF_MIRROR_VERSION;
}

enum tf_code
tf_mirror_parse(const void *frame, size_t n, struct tf_mirror_msg *out,
    struct tf_error *err)
{
	const size_t n_fields = sizeof(types[0].fields) /
	    sizeof(types[0].fields[0]);
	const uint8_t *p = frame;
	struct tf_str s;
	struct tf_hash sum;
	size_t length;
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	if (n < TF_MIRROR_HEADER + TF_MIRROR_SUM)
		return tf_fail(err, TF_INVALID, "a message is cut");
	if ((rc = tf_mirror_length(p, &length, err)) != TF_OK)
		return rc;
	if (n != TF_MIRROR_HEADER + length + TF_MIRROR_SUM)
		return tf_fail(err, TF_INVALID, "a message is cut");
	tf_sha256(p, TF_MIRROR_HEADER + length, &sum);
	if (memcmp(sum.b, p + TF_MIRROR_HEADER + length, TF_MIRROR_SUM) != 0)
		return tf_fail(err, TF_INVALID,
		    "the connection has altered bytes: try again");
	out->type = (enum tf_mirror_type)p[4];
	s = (struct tf_str){ (const char *)p + TF_MIRROR_HEADER, length };
	for (size_t i = 0; i < n_fields; i++) {
		enum field f = types[out->type].fields[i];

		if (!take_field(&s, f, out))
			return tf_fail(err, TF_INVALID, "%s is malformed",
			    types[out->type].name);
		if (is_other(out, f))
			return TF_OK;
	}
	if (s.n > 0)
		return tf_fail(err, TF_INVALID, "%s is malformed",
		    types[out->type].name);
	return TF_OK;
}

bool
tf_mirror_next_entry(struct tf_str *list, struct tf_str *entry)
{
	struct tf_str s = *list;
	uint64_t n;
	const uint8_t *p = take_number(&s, 2, &n) && n <= TF_ENTRY_MAX ?
	    take(&s, n) :
	    NULL;

	if (p == NULL)
		return false;
	*entry = (struct tf_str){ (const char *)p, n };
	*list = s;
	return true;
}

bool
tf_mirror_next_want(struct tf_str *list, struct tf_mirror_want *w)
{
	struct tf_str s = *list;

	if (s.n < WANT_BYTES || !take_hash(&s, &w->sha256) ||
	    !take_number(&s, 8, &w->have))
		return false;
	*list = s;
	return true;
}
