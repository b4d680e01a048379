/*
 * Ledger entries: what is decoded and encoded again is the same bytes, less
 * members that this version does not know and texts that were withheld.
 */
#include <string.h>

#include "../../core/ledger/entry.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/entry_write.h"
#include "fuzz.h"

static struct tf_str
key_of(const struct tf_json_doc *d, uint32_t t)
{
	return (struct tf_str){ d->text + d->tok[t].key_off,
		d->tok[t].key_len };
}

/* Token m of less is token t of d, but for members that only d has. */
static void
part_of(const struct tf_json_doc *less, uint32_t m, const struct tf_json_doc *d,
    uint32_t t)
{
	struct tf_str x = tf_json_text(less, (int)m);
	struct tf_str y = tf_json_text(d, (int)t);
	uint32_t i, k;

	if (x.n == y.n && memcmp(x.p, y.p, x.n) == 0)
		return;
	MUST(less->tok[m].type == TF_JSON_OBJECT &&
	    d->tok[t].type == TF_JSON_OBJECT && x.n < y.n);
	for (i = m + 1, k = t + 1; i < less->tok[m].next;
	     i = less->tok[i].next) {
		struct tf_str key = key_of(less, i);

		for (; k < d->tok[t].next; k = d->tok[k].next) {
			struct tf_str other = key_of(d, k);

			if (key.n == other.n &&
			    memcmp(key.p, other.p, key.n) == 0)
				break;
		}
		MUST(k < d->tok[t].next);
		part_of(less, i, d, k);
	}
}

static bool
says(const uint8_t *data, size_t n, const char *word)
{
	return memmem(data, n, word, strlen(word)) != NULL;
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_entry_decoded d, again;
	struct tf_buf b = { 0 }, c = { 0 };
	struct tf_error e;
	enum tf_code rc = tf_entry_decode(&d, (const char *)data, n, &e);

	if (rc == TF_OK && d.e.type != TF_TYPE_UNKNOWN) {
		rc = tf_entry_encode(&d.e, &b, &e);
		/* A mandatory text that was withheld is not there to write. */
		MUST(rc == TF_OK || says(data, n, "{\"withheld\":"));
	}
	if (rc == TF_OK && b.n > 0) {
		MUST(b.n <= n);
		MUST(tf_entry_decode(&again, b.p, b.n, NULL) == TF_OK);
		part_of(&again.doc, 0, &d.doc, 0);
		MUST(tf_entry_encode(&again.e, &c, NULL) == TF_OK);
		MUST(c.n == b.n && memcmp(c.p, b.p, c.n) == 0);
		tf_entry_decoded_free(&again);
	}
	tf_buf_free(&b);
	tf_buf_free(&c);
	tf_entry_decoded_free(&d);
	return 0;
}
