/*
 * The signer of this process: it holds the secret keys itself, and all rules of
 * a signer are here.  A signer in a process of its own uses it, too (serve.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/cipher.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../ledger/checkpoint.h"
#include "../ledger/name.h"
#include "../ledger/rotation.h"
#include "signer_i.h"

#define TICKET_KEY "trailfs signer ticket v1"
#define DSSE "DSSEv1 "
#define LOG_NAME "log.pem"
#define LOG_NEXT "log.next.pem"
#define LOG_OLD "log.old.pem"
#define WIPED "wiped.pem"
#define ATTESTER_NAME "attester.pem"
#define ATTESTER_NEXT "attester.next.pem"
#define LOG_PUBLIC "log.pub.pem"
#define LOG_VKEY "log.vkey"
#define ATTESTER_PUBLIC "attester.pub.pem"
#define PUBLIC_MAX 65536 /* bytes */

struct local {
	struct tf_signer s;
	int dirfd; /* of the keys */
	struct tf_key *log, *attester;
	struct tf_key *old; /* of the log, which signs, too; or NULL */
	uint8_t ticket_key[TF_HKDF_LEN], old_ticket_key[TF_HKDF_LEN];
	struct tf_signer_state state;
};

static void
close_local(struct tf_signer *s)
{
	struct local *l = (struct local *)s;

	tf_key_free(l->log);
	tf_key_free(l->attester);
	tf_key_free(l->old);
	tf_wipe(l->ticket_key, sizeof(l->ticket_key));
	tf_wipe(l->old_ticket_key, sizeof(l->old_ticket_key));
	if (l->dirfd >= 0)
		(void)close(l->dirfd);
	tf_signer_state_close(&l->state);
	free(l);
}

/* --- the rules -------------------------------------------------------------- */

static enum tf_code
well_formed(const struct tf_checkpoint *c, struct tf_error *err)
{
	if (!tf_origin_ok(c->origin, strnlen(c->origin, sizeof(c->origin))) ||
	    c->size == 0 || c->size > INT64_MAX)
		return tf_fail(err, TF_INVALID,
		    "checkpoint: bad origin or size");
	return TF_OK;
}

/* May a tree of this size and root follow what was signed? */
static enum tf_code
may_follow(const struct tf_checkpoint *c, const struct tf_signed *last,
    struct tf_error *err)
{
	if (last->is_closed)
		return tf_fail(err, TF_TAMPER,
		    "the signer does not sign for %.60s any more, since it "
		    "signed for a later origin",
		    c->origin);
	if (c->size < last->size)
		return tf_fail(err, TF_TAMPER,
		    "the signer signed %llu entries, and refuses to go back to "
		    "%llu",
		    (unsigned long long)last->size,
		    (unsigned long long)c->size);
	if (c->size == last->size &&
	    memcmp(&c->root, &last->root, sizeof(c->root)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the signer refuses to sign two trees of %llu entries",
		    (unsigned long long)c->size);
	return TF_OK;
}

static enum tf_code
make_ticket(const uint8_t key[TF_HKDF_LEN], const struct tf_checkpoint *c,
    struct tf_ticket *out, struct tf_error *err)
{
	char text[TF_ORIGIN_MAX + 100], hex[65];
	struct tf_hash h;
	enum tf_code rc;
	int n;

	tf_hex(c->root.b, sizeof(c->root.b), hex);
	n = snprintf(text, sizeof(text), "%s\n%llu\n%s\n", c->origin,
	    (unsigned long long)c->size, hex);
	rc = tf_hmac(key, TF_HKDF_LEN, text, (size_t)n, &h, err);
	if (rc == TF_OK)
		memcpy(out->b, h.b, sizeof(out->b));
	return rc;
}

static enum tf_code
check_ticket(struct local *l, const struct tf_sign_request *r,
    struct tf_error *err)
{
	struct tf_ticket want;
	enum tf_code rc = make_ticket(l->ticket_key, r->c, &want, err);

	if (rc != TF_OK || TF_IS_MUTANT(TF_SIGN_WITHOUT_TICKET) ||
	    tf_same_secret(want.b, r->ticket.b, sizeof(want.b)))
		return rc;
	/* That of a rotation, or of a transaction before it, is of the old key. */
	if (l->old != NULL &&
	    ((rc = make_ticket(l->old_ticket_key, r->c, &want, err)) != TF_OK ||
		tf_same_secret(want.b, r->ticket.b, sizeof(want.b))))
		return rc;
	return tf_fail(err, TF_TAMPER,
	    "the ticket of %llu entries is not one of this signer",
	    (unsigned long long)r->c->size);
}

static enum tf_code
check_proof(const struct tf_sign_request *r, const struct tf_signed *last,
    struct tf_error *err)
{
	if (last->size == 0 || r->c->size == last->size ||
	    tf_merkle_check_consistency(last->size, r->c->size, &last->root,
		&r->c->root, r->proof.h, r->proof.n) == TF_OK)
		return TF_OK;
	return tf_fail(err, TF_TAMPER,
	    "%llu entries are not proven to continue the %llu that the signer "
	    "signed",
	    (unsigned long long)r->c->size, (unsigned long long)last->size);
}

/* The note of c; while the old key signs, too, with a second line. */
static enum tf_code
sign_note(struct local *l, const struct tf_checkpoint *c, struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_buf other = { 0 };
	struct tf_note parts;
	enum tf_code rc = tf_checkpoint_sign(c, l->log, note, err);

	if (rc != TF_OK || l->old == NULL)
		return rc;
	rc = tf_checkpoint_sign(c, l->old, &other, err);
	if (rc == TF_OK && tf_note_split(other.p, other.n, &parts)) {
		tf_buf_add(note, parts.lines.p, parts.lines.n);
		rc = tf_buf_end(note, err);
	}
	tf_buf_free(&other);
	return rc;
}

/* --- the calls -------------------------------------------------------------- */

static enum tf_code
last_signed(struct tf_signer *s, const char *origin, struct tf_signed *out,
    struct tf_error *err)
{
	struct local *l = (struct local *)s;
	enum tf_code rc = tf_signer_state_lock(&l->state, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_signer_state_find(&l->state, origin, out, err);
	tf_signer_state_unlock(&l->state);
	return rc;
}

static enum tf_code
newest(struct tf_signer *s, const char *origin, struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_checkpoint c = { .size = 0 };
	struct tf_signed last;
	enum tf_code rc = last_signed(s, origin, &last, err);

	if (rc != TF_OK)
		return rc;
	if (last.size == 0)
		return tf_fail(err, TF_NOTFOUND,
		    "the signer signed nothing for %.60s", origin);
	(void)snprintf(c.origin, sizeof(c.origin), "%s", origin);
	c.size = last.size;
	c.root = last.root;
	return sign_note((struct local *)s, &c, note, err);
}

static enum tf_code
prepare(struct tf_signer *s, const struct tf_checkpoint *c,
    struct tf_ticket *ticket, struct tf_error *err)
{
	struct tf_signed last;
	enum tf_code rc;

	if ((rc = well_formed(c, err)) != TF_OK ||
	    (rc = last_signed(s, c->origin, &last, err)) != TF_OK ||
	    (rc = may_follow(c, &last, err)) != TF_OK)
		return rc;
	return make_ticket(((struct local *)s)->ticket_key, c, ticket, err);
}

/* Remember first: a signature that is given out is never forgotten. */
static enum tf_code
remember_and_sign(struct local *l, const struct tf_sign_request *r,
    const struct tf_signed *last, struct tf_buf *note, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (r->c->size != last->size)
		rc = tf_signer_state_set(&l->state, r->c->origin, last,
		    r->c->size, &r->c->root, err);
	return rc == TF_OK ? sign_note(l, r->c, note, err) : rc;
}

static enum tf_code
sign_checkpoint(struct tf_signer *s, const struct tf_sign_request *r,
    struct tf_buf *note, struct tf_error *err)
{
	struct local *l = (struct local *)s;
	struct tf_signed last;
	enum tf_code rc;

	if ((rc = well_formed(r->c, err)) != TF_OK ||
	    (rc = check_ticket(l, r, err)) != TF_OK ||
	    (rc = tf_signer_state_lock(&l->state, err)) != TF_OK)
		return rc;
	rc = tf_signer_state_find(&l->state, r->c->origin, &last, err);
	if (rc == TF_OK)
		rc = may_follow(r->c, &last, err);
	if (rc == TF_OK && r->from != last.size)
		rc = tf_fail(err, TF_BUSY, "the proof begins elsewhere");
	if (rc == TF_OK)
		rc = check_proof(r, &last, err);
	if (rc == TF_OK)
		rc = remember_and_sign(l, r, &last, note, err);
	tf_signer_state_unlock(&l->state);
	return rc;
}

static enum tf_code
sign_statement(struct tf_signer *s, const void *pae, size_t n,
    uint8_t sig[TF_SIG_LEN], struct tf_error *err)
{
	if (n < strlen(DSSE) || memcmp(pae, DSSE, strlen(DSSE)) != 0)
		return tf_fail(err, TF_INVALID,
		    "the attester's key signs statements only");
	return tf_key_sign(((struct local *)s)->attester, pae, n, sig, err);
}

/* --- rotation --------------------------------------------------------------- */

/*
 * Files: NAME.pem signs; NAME.next.pem is made by a rotation that the ledger has
 * or will have; log.old.pem signs beside log.pem.  A key is adopted by renames, the
 * last of which takes away NAME.next.pem: until then the adoption can be repeated.
 */
static void
vkey_of(const struct tf_key *k, const char *origin, struct tf_buf *out)
{
	struct tf_pubkey pub;
	struct tf_vkey vkey;

	tf_key_public(k, &pub);
	tf_vkey_make(&vkey, origin, &pub);
	tf_vkey_text(&vkey, out);
}

static enum tf_code
sign_rotation(struct local *l, const struct tf_key *next,
    struct tf_signer_new_key *k, struct tf_error *err)
{
	struct tf_buf from = { 0 }, to = { 0 }, text = { 0 };
	enum tf_code rc;

	vkey_of(l->log, k->origin, &from);
	vkey_of(next, k->origin, &to);
	tf_rotation_text(k->seq, tf_buf_bytes(&from), tf_buf_bytes(&to), &text);
	rc = from.failed || to.failed || text.failed ? tf_nomem(err) : TF_OK;
	if (rc == TF_OK)
		rc = tf_key_sign(l->log, text.p, text.n, k->old_sig, err);
	if (rc == TF_OK)
		rc = tf_key_sign(next, text.p, text.n, k->new_sig, err);
	tf_buf_free(&from);
	tf_buf_free(&to);
	tf_buf_free(&text);
	return rc;
}

/* Overwrite the file before its name goes.  A disk may keep earlier blocks. */
static enum tf_code
wipe_file(int dirfd, const char *name, struct tf_error *err)
{
	static const char zeros[4096];
	struct stat st;
	enum tf_code rc = TF_OK;
	int fd;

	/* A name of its own: a crash leaves no half of a key under the other. */
	if (strcmp(name, WIPED) != 0)
		(void)renameat(dirfd, name, dirfd, WIPED);
	fd = openat(dirfd, WIPED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return TF_OK;
	if (fd < 0 || fstat(fd, &st) < 0 || fchmod(fd, 0600) < 0)
		rc = tf_fail(err, TF_IO, "open %s to wipe it", WIPED);
	if (fd >= 0)
		(void)close(fd);
	fd = -1;
	if (rc == TF_OK &&
	    ((fd = openat(dirfd, WIPED, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)) <
		    0 ||
		st.st_size > (off_t)sizeof(zeros)))
		rc = tf_fail(err, TF_IO, "wipe %s", WIPED);
	if (rc == TF_OK)
		rc = tf_file_pwrite(fd, zeros, (size_t)st.st_size, 0, err);
	if (rc == TF_OK)
		rc = tf_file_sync(fd, err);
	if (fd >= 0)
		(void)close(fd);
	if (unlinkat(dirfd, WIPED, 0) < 0 && rc == TF_OK)
		rc = tf_fail(err, TF_IO, "remove %s", WIPED);
	return rc;
}

static enum tf_code
next_key(struct local *l, const struct tf_key *now, const char *name,
    struct tf_key **out, struct tf_error *err)
{
	enum tf_code rc = tf_key_load(l->dirfd, name, out, err);

	/* A crash left half of it, and no entry names it.  The name of a key in a
	 * token is never that. */
	if (rc == TF_FOREIGN || rc == TF_INVALID) {
		(void)!wipe_file(l->dirfd, name, NULL);
		rc = TF_NOTFOUND;
	}
	if (rc != TF_NOTFOUND)
		return rc;
	errno = 0;
	if (tf_key_in_token(now))
		return tf_fail(err, TF_ACCESS,
		    "the key is in a token: make the next one there, and write "
		    "its URI to the file %s beside it",
		    name);
	if ((rc = tf_key_generate(out, err)) == TF_OK)
		rc = tf_key_save(*out, l->dirfd, name, err);
	return rc;
}

static enum tf_code
move(struct local *l, const char *from, const char *to, struct tf_error *err)
{
	if (renameat(l->dirfd, from, l->dirfd, to) < 0)
		return tf_fail(err, TF_IO, "rename key %s", from);
	return tf_file_sync_dir(l->dirfd, ".", err);
}

/* Is the key in the file name this one? */
static enum tf_code
is_in(struct local *l, const char *name, const struct tf_pubkey *pub,
    struct tf_error *err)
{
	struct tf_key *k = NULL;
	struct tf_pubkey have;
	enum tf_code rc = tf_key_load(l->dirfd, name, &k, err);

	if (rc == TF_OK) {
		tf_key_public(k, &have);
		if (memcmp(&have, pub, sizeof(have)) != 0)
			rc = tf_fail(err, TF_NOTFOUND,
			    "the signer has no such key");
	}
	tf_key_free(k);
	return rc;
}

static enum tf_code
load_old(struct local *l, struct tf_error *err)
{
	enum tf_code rc;

	tf_key_free(l->old);
	l->old = NULL;
	rc = tf_key_load(l->dirfd, LOG_OLD, &l->old, err);
	if (rc == TF_OK)
		rc = tf_key_derive(l->old, TICKET_KEY, l->old_ticket_key, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Read the keys that sign. */
static enum tf_code
load(struct local *l, struct tf_error *err)
{
	enum tf_code rc;

	tf_key_free(l->log);
	tf_key_free(l->attester);
	l->log = l->attester = NULL;
	if ((rc = tf_key_load(l->dirfd, LOG_NAME, &l->log, err)) != TF_OK ||
	    (rc = tf_key_load(l->dirfd, ATTESTER_NAME, &l->attester, err)) !=
		TF_OK ||
	    (rc = tf_key_derive(l->log, TICKET_KEY, l->ticket_key, err)) !=
		TF_OK ||
	    (rc = load_old(l, err)) != TF_OK)
		return rc;
	tf_key_public(l->log, &l->s.keys.log);
	tf_key_public(l->attester, &l->s.keys.attester);
	return TF_OK;
}

/*
 * Several processes may have these keys: one that was cut off from its vault is
 * perhaps in the middle of an adoption when the next one starts.  So one changes
 * them at a time, and each reads first what the others left.
 */
static enum tf_code
lock_keys(struct local *l, struct tf_error *err)
{
	return TF_IS_MUTANT(TF_KEYS_WITHOUT_LOCK) ?
	    TF_OK :
	    tf_signer_state_lock(&l->state, err);
}

static void
unlock_keys(struct local *l)
{
	tf_signer_state_unlock(&l->state);
}

static enum tf_code
rotate(struct tf_signer *s, struct tf_signer_new_key *k, struct tf_error *err)
{
	struct local *l = (struct local *)s;
	struct tf_key *next = NULL;
	enum tf_code rc = lock_keys(l, err);

	if (rc != TF_OK)
		return rc;
	if ((rc = load(l, err)) == TF_OK)
		rc = next_key(l, k->log ? l->log : l->attester,
		    k->log ? LOG_NEXT : ATTESTER_NEXT, &next, err);
	if (rc == TF_OK) {
		tf_key_public(next, &k->pub);
		if (k->log)
			rc = sign_rotation(l, next, k, err);
	}
	tf_key_free(next);
	unlock_keys(l);
	return rc;
}

/* Put the keys in place; *changed: some were not.  An old key that cannot be wiped
 * now is wiped by the next adoption or start. */
static enum tf_code
switch_keys(struct local *l, const struct tf_signer_keys *keys, bool *changed,
    struct tf_error *err)
{
	const bool log = memcmp(&keys->log, &l->s.keys.log,
			     sizeof(keys->log)) != 0;
	const bool attester = memcmp(&keys->attester, &l->s.keys.attester,
				  sizeof(keys->attester)) != 0;
	enum tf_code rc = TF_OK;

	*changed = log || attester;
	if (log)
		rc = is_in(l, LOG_NEXT, &keys->log, err);
	if (rc == TF_OK && attester)
		rc = is_in(l, ATTESTER_NEXT, &keys->attester, err);
	if (rc == TF_OK && log) {
		(void)!wipe_file(l->dirfd, LOG_OLD, NULL);
		rc = move(l, LOG_NAME, LOG_OLD, err);
		if (rc == TF_OK)
			rc = move(l, LOG_NEXT, LOG_NAME, err);
	}
	if (rc == TF_OK && attester &&
	    (rc = move(l, ATTESTER_NAME, WIPED, err)) == TF_OK)
		rc = move(l, ATTESTER_NEXT, ATTESTER_NAME, err);
	return rc;
}

/* Write the file if it is there and has something else. */
static void
keep_file(struct local *l, const char *name, const struct tf_buf *want)
{
	struct tf_buf have = { 0 };
	struct stat st;

	if (!want->failed &&
	    fstatat(l->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    tf_file_read(l->dirfd, name, PUBLIC_MAX, &have, NULL) == TF_OK &&
	    !tf_str_same(tf_buf_bytes(&have), tf_buf_bytes(want)))
		(void)!tf_file_write(l->dirfd, name, want->p, want->n,
		    st.st_mode & 0444, false, NULL);
	tf_buf_free(&have);
}

/* The vkey that is there says for which origin. */
static void
keep_vkey(struct local *l)
{
	struct tf_buf text = { 0 };
	struct tf_vkey k;

	if (tf_file_read(l->dirfd, LOG_VKEY, PUBLIC_MAX, &text, NULL) ==
		TF_OK &&
	    text.n > 0 &&
	    tf_vkey_parse(text.p,
		text.p[text.n - 1] == '\n' ? text.n - 1 : text.n, &k,
		NULL) == TF_OK) {
		text.n = 0;
		vkey_of(l->log, k.name, &text);
		tf_buf_add(&text, "\n", 1);
		keep_file(l, LOG_VKEY, &text);
	}
	tf_buf_free(&text);
}

/*
 * The public keys that stand beside the secret ones.  The vault writes them, too
 * (tf_vault_keep_vkey), but may be unable to where the directory is not of its user.
 */
static void
keep_public(struct local *l)
{
	struct tf_buf pem = { 0 };

	keep_vkey(l);
	tf_pubkey_pem(&l->s.keys.log, &pem);
	keep_file(l, LOG_PUBLIC, &pem);
	pem.n = 0;
	tf_pubkey_pem(&l->s.keys.attester, &pem);
	keep_file(l, ATTESTER_PUBLIC, &pem);
	tf_buf_free(&pem);
}

static enum tf_code
adopt(struct tf_signer *s, const struct tf_signer_keys *keys, bool retire,
    struct tf_error *err)
{
	struct local *l = (struct local *)s;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = lock_keys(l, err), wiped;
	bool changed = false;

	if (rc != TF_OK)
		return rc;
	if (!TF_IS_MUTANT(TF_KEYS_WITHOUT_LOCK))
		rc = load(l, err);
	if (rc == TF_OK)
		rc = switch_keys(l, keys, &changed, err);
	if (rc == TF_OK) {
		wiped = wipe_file(l->dirfd, WIPED, &e);
		if (wiped == TF_OK && retire)
			wiped = wipe_file(l->dirfd, LOG_OLD, &e);
		rc = load(l, err);
		if (rc == TF_OK)
			keep_public(l);
		if (rc == TF_OK && !changed && wiped != TF_OK)
			rc = tf_fail_as(err, &e);
	}
	unlock_keys(l);
	return rc;
}

/* A crash between the renames of an adoption left a name without its file. */
static enum tf_code
finish_adoption(struct local *l, const char *name, const char *next,
    struct tf_error *err)
{
	if (faccessat(l->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT ||
	    faccessat(l->dirfd, next, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return TF_OK;
	return move(l, next, name, err);
}

static const struct tf_signer_ops local_ops = {
	.close = close_local,
	.last = last_signed,
	.newest = newest,
	.prepare = prepare,
	.checkpoint = sign_checkpoint,
	.statement = sign_statement,
	.rotate = rotate,
	.adopt = adopt,
};

/* --- opening ---------------------------------------------------------------- */

static enum tf_code
open_keys(struct local *l, struct tf_error *err)
{
	enum tf_code rc = lock_keys(l, err);

	if (rc != TF_OK)
		return rc;
	if ((rc = finish_adoption(l, LOG_NAME, LOG_NEXT, err)) == TF_OK &&
	    (rc = finish_adoption(l, ATTESTER_NAME, ATTESTER_NEXT, err)) ==
		TF_OK &&
	    (rc = load(l, err)) == TF_OK) {
		(void)!wipe_file(l->dirfd, WIPED, NULL);
		keep_public(l);
	}
	unlock_keys(l);
	return rc;
}

enum tf_code
tf_signer_local(int keysfd, struct tf_signer **out, struct tf_error *err)
{
	struct local *l = calloc(1, sizeof(*l));
	enum tf_code rc;

	if (l == NULL)
		return tf_nomem(err);
	l->s.ops = &local_ops;
	l->state.fd = -1;
	l->dirfd = openat(keysfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dirfd < 0)
		rc = tf_fail(err, TF_IO, "the directory of the keys");
	else if ((rc = tf_signer_state_open(&l->state, keysfd, TF_SIGNER_STATE,
		      err)) == TF_OK)
		rc = open_keys(l, err);
	if (rc != TF_OK) {
		close_local(&l->s);
		return rc;
	}
	*out = &l->s;
	return TF_OK;
}
