/* Signatures of entries that rotate the log's key. */
#include "rotations.h"

#include <check.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/rotation.h"
#include "vectors.h"

static void
sign(const char *seed, const struct tf_buf *text, char out[ROTATION_SIG])
{
	struct tf_key *k = key_of(seed);
	struct tf_buf b = { 0 };
	uint8_t sig[TF_SIG_LEN];

	ck_assert_int_eq(TF_OK, tf_key_sign(k, text->p, text->n, sig, NULL));
	tf_base64(&b, sig, sizeof(sig));
	ck_assert_uint_eq(ROTATION_SIG - 1, b.n);
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	tf_buf_free(&b);
	tf_key_free(k);
}

void
sign_rotation(struct tf_entry *e, const char *old_seed, const char *new_seed,
    struct rotation_sigs *s)
{
	struct tf_buf text = { 0 };

	tf_rotation_text(e->seq, e->key_old, e->key_new, &text);
	sign(old_seed, &text, s->old_sig);
	sign(new_seed, &text, s->new_sig);
	tf_buf_free(&text);
	e->old_sig = str_of(s->old_sig);
	e->new_sig = str_of(s->new_sig);
}
