/*
 * Receipts of a mirror: see mirror_receipt.h.
 *
 * The mirror signs what it has, and nothing else: the receiver calls
 * tf_mirror_sign only for its own durable head.  The key is made by the receiver
 * and never leaves it.
 */
#include "mirror_receipt.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/file.h"
#include "../ledger/cosign.h"
#include "../ledger/entry_read.h"
#include "../ledger/name.h"
#include "../node/load_entry.h"
#include "../node/receipt.h"
#include "../store/anchors.h"
#include "../store/entries.h"
#include "../store/store_files.h"

#define VKEY_MAX 1024

/* --- at the receiver -------------------------------------------------------- */

void
tf_mirror_default_name(const char *dir, char out[TF_ORIGIN_MAX + 1])
{
	char full[PATH_MAX];
	struct utsname u;
	const char *base;

	if (realpath(dir, full) == NULL)
		(void)snprintf(full, sizeof(full), "%s", dir);
	base = strrchr(full, '/');
	(void)snprintf(out, TF_ORIGIN_MAX + 1, "%.60s/%.60s",
	    uname(&u) == 0 && u.nodename[0] != '\0' ? u.nodename : "localhost",
	    base == NULL || base[1] == '\0' ? "mirror" : base + 1);
	for (size_t n = 0; out[n] != '\0'; n++)
		if (!isalnum((unsigned char)out[n]) &&
		    strchr("._~:/-", out[n]) == NULL)
			out[n] = '-';
}

/* Read the name that the key got when it was made.  TF_NOTFOUND: none. */
static enum tf_code
read_name(int dirfd, struct tf_vkey *vkey, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_file_read(dirfd, TF_MIRROR_VKEY, VKEY_MAX, &text,
	    err);

	if (rc == TF_OK)
		rc = tf_cosign_vkey_parse(tf_buf_bytes(&text).p,
		    strcspn(tf_buf_bytes(&text).p, "\n"), vkey, err);
	tf_buf_free(&text);
	return rc;
}

static enum tf_code
write_name(int dirfd, const char *name, const struct tf_key *key,
    struct tf_vkey *vkey, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_pubkey pub;
	enum tf_code rc;

	if (!tf_origin_ok(name, strlen(name)))
		return tf_fail(err, TF_USAGE,
		    "a name is 1 to 128 of A-Z a-z 0-9 . _ ~ : / -");
	tf_key_public(key, &pub);
	tf_cosign_vkey_make(vkey, name, &pub);
	tf_vkey_text(vkey, &text);
	tf_buf_str(&text, "\n");
	if ((rc = tf_buf_end(&text, err)) == TF_OK)
		rc = tf_file_write(dirfd, TF_MIRROR_VKEY, text.p, text.n, 0400,
		    false, err);
	tf_buf_free(&text);
	return rc;
}

static enum tf_code
make_key(int dirfd, struct tf_key **key, struct tf_error *err)
{
	enum tf_code rc = tf_key_generate(key, err);

	return rc == TF_OK ? tf_key_save(*key, dirfd, TF_MIRROR_KEY, err) : rc;
}

/* The key is made first: a vkey without its key would be a name that nobody can
 * sign for. */
enum tf_code
tf_mirror_key(int dirfd, const char *name, struct tf_key **key,
    struct tf_vkey *vkey, struct tf_error *err)
{
	struct tf_pubkey pub;
	enum tf_code rc = tf_key_load(dirfd, TF_MIRROR_KEY, key, err);

	if (rc == TF_NOTFOUND)
		rc = make_key(dirfd, key, err);
	if (rc != TF_OK)
		return rc;
	rc = read_name(dirfd, vkey, err);
	if (rc == TF_NOTFOUND)
		return write_name(dirfd, name, *key, vkey, err);
	if (rc != TF_OK)
		return rc;
	tf_key_public(*key, &pub);
	if (memcmp(&pub, &vkey->pub, sizeof(pub)) != 0)
		return tf_fail(err, TF_TAMPER,
		    TF_MIRROR_VKEY " is not that of " TF_MIRROR_KEY);
	return TF_OK;
}

enum tf_code
tf_mirror_sign(const struct tf_key *key, const struct tf_vkey *vkey,
    struct tf_str note, struct tf_buf *out, struct tf_error *err)
{
	struct tf_time now = tf_clock_now();
	struct tf_note parts;
	enum tf_code rc;

	if (!tf_note_split(note.p, note.n, &parts))
		return tf_fail(err, TF_INVALID, "the head is malformed");
	tf_buf_add(out, note.p, note.n);
	rc = tf_cosign_line(key, vkey->name, now.s > 0 ? (uint64_t)now.s : 0,
	    parts.body, out, err);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* --- at the source ------------------------------------------------------------ */

enum tf_code
tf_mirror_check_receipt(const struct tf_mirror_msg *m,
    const struct tf_vkey *log, const struct tf_checkpoint *offer,
    struct tf_mirrored *out, struct tf_error *err)
{
	struct tf_vkey key;
	struct tf_checkpoint c;
	uint64_t time;
	enum tf_code rc = tf_cosign_vkey_parse(m->key.p, m->key.n, &key, err);

	if (rc == TF_OK && !tf_str_same(m->key, tf_buf_bytes(&out->key)))
		return tf_fail(err, TF_TAMPER,
		    "the receipt is by another key: %s", key.name);
	if (rc == TF_OK)
		rc = tf_checkpoint_check(m->note.p, m->note.n, log, &c, err);
	if (rc == TF_OK)
		rc = tf_cosign_check(&key, m->note.p, m->note.n, &time, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER,
		    "the receipt has no cosignature of the mirror");
	if (rc == TF_OK &&
	    (c.size != offer->size ||
		memcmp(&c.root, &offer->root, sizeof(c.root)) != 0))
		rc = tf_fail(err, TF_TAMPER,
		    "the receipt is about another head than the offered one");
	if (rc != TF_OK)
		return rc;
	out->entries = c.size;
	tf_buf_add(&out->note, m->note.p, m->note.n);
	return tf_buf_end(&out->note, err);
}

/* --- was it recorded? --------------------------------------------------------- */

struct newest {
	const char *name;
	uint64_t seq; /* of the entry; 0: none */
};

static enum tf_code
take_newest(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct newest *n = arg;

	(void)err;
	if (strcmp(r->kind, TF_ANCHOR_MIRROR) == 0 &&
	    strcmp(r->name, n->name) == 0)
		n->seq = r->seq;
	return TF_OK;
}

enum tf_code
tf_mirror_is_recorded(struct tf_db *db, struct tf_mirrored *m,
    struct tf_error *err)
{
	struct newest n = { .name = m->name };
	struct tf_entry_decoded d = { 0 };
	struct tf_buf entry = { 0 };
	enum tf_code rc = tf_anchors_newest(db, take_newest, &n, err);

	m->recorded = false;
	if (rc == TF_OK && n.seq > 0)
		rc = tf_load_entry(db, n.seq, &entry, &d, err);
	if (rc == TF_OK && n.seq > 0 &&
	    tf_str_same(d.e.anchor_key, tf_buf_bytes(&m->key)))
		rc = tf_receipt_is_current(db, &d.e, &m->recorded, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&entry);
	return rc;
}
