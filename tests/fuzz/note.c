/*
 * Signed notes with a checkpoint, and key strings.  What is accepted is
 * exactly what this code would have signed, but for lines of other keys.
 */
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/cosign.h"
#include "fuzz.h"

static struct tf_key *key;
static struct tf_vkey vkey;

static void
set_up(void)
{
	uint8_t seed[32];

	MUST(tf_unhex(FUZZ_SEED_LOG, 64, seed, sizeof(seed)));
	MUST(tf_key_from_seed(seed, &key, NULL) == TF_OK);
	MUST(tf_vkey_parse(FUZZ_VKEY, strlen(FUZZ_VKEY), &vkey, NULL) == TF_OK);
}

/* The text of an accepted note is that of its own checkpoint. */
static void
check(const char *note, size_t n, const struct tf_vkey *k)
{
	struct tf_checkpoint c;
	struct tf_buf b = { 0 };
	const char *end;

	if (tf_checkpoint_check(note, n, k, &c, NULL) != TF_OK)
		return;
	MUST(strcmp(c.origin, k->name) == 0);
	MUST(tf_checkpoint_sign(&c, key, &b, NULL) == TF_OK);
	end = strstr(b.p, "\n\n");
	MUST(end != NULL && n >= (size_t)(end + 2 - b.p));
	MUST(memcmp(note, b.p, (size_t)(end + 2 - b.p)) == 0);
	tf_buf_free(&b);
}

/* Chance never signs: sign what it made, so that the rest is reached. */
static void
check_signed(const char *text, size_t n)
{
	uint8_t line[4 + TF_SIG_LEN];
	const char *end = n > 0 ? memmem(text, n, "\n\n", 2) : NULL;
	size_t len = end != NULL ? (size_t)(end + 1 - text) : n;
	struct tf_buf b = { 0 };

	memcpy(line, vkey.id, 4);
	MUST(tf_key_sign(key, text, len, line + 4, NULL) == TF_OK);
	tf_buf_add(&b, text, n);
	if (end == NULL)
		tf_buf_str(&b, "\n");
	tf_buf_str(&b, "\xe2\x80\x94 " FUZZ_ORIGIN " ");
	tf_base64(&b, line, sizeof(line));
	tf_buf_str(&b, "\n");
	check(b.p, b.n, &vkey);
	tf_buf_free(&b);
}

static void
check_vkey(const char *s, size_t n)
{
	struct tf_vkey k;
	struct tf_buf b = { 0 };

	if (tf_vkey_parse(s, n, &k, NULL) != TF_OK &&
	    tf_cosign_vkey_parse(s, n, &k, NULL) != TF_OK)
		return;
	tf_vkey_text(&k, &b);
	MUST(b.n == n && memcmp(b.p, s, n) == 0);
	tf_buf_free(&b);
}

/* A line of the cosigner makes every checkpoint one that it has signed. */
static void
check_cosigned(const char *note, size_t n)
{
	struct tf_checkpoint c;
	struct tf_note parts;
	struct tf_buf b = { 0 };
	struct tf_vkey k;
	struct tf_pubkey pub;
	uint64_t time;

	if (tf_checkpoint_parse(note, n, &parts, &c, NULL) != TF_OK)
		return;
	tf_key_public(key, &pub);
	tf_cosign_vkey_make(&k, "w", &pub);
	tf_buf_add(&b, parts.body.p, parts.body.n);
	tf_buf_str(&b, "\n");
	MUST(tf_cosign_line(key, "w", 7, parts.body, &b, NULL) == TF_OK);
	MUST(tf_cosign_check(&k, b.p, b.n, &time, NULL) == TF_OK && time == 7);
	tf_buf_free(&b);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	if (key == NULL)
		set_up();
	check((const char *)data, n, &vkey);
	check_signed((const char *)data, n);
	check_vkey((const char *)data, n);
	check_cosigned((const char *)data, n);
	return 0;
}
