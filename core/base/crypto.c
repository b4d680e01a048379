/*
 * The calls of OpenSSL: see crypto.h.  A verification has three results, and
 * only one of them says that a signature is wrong: TF_NOMEM must never look
 * like TF_TAMPER, or a busy machine would report altered evidence.  Secret
 * bytes are wiped before their memory is freed or the function returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "cipher.h"
#include "file.h"
#include "token.h"

#define SECRET_HEAP 32768 /* bytes; a power of two, as the next one */
#define SECRET_MIN 32	  /* bytes of the smallest secret */

struct tf_key {
	EVP_PKEY *pkey;
	OSSL_LIB_CTX *ctx; /* of a key in a token; or NULL */
	struct tf_pubkey pub;
};

/* --- memory ----------------------------------------------------------------- */

/*
 * A function of libcrypto that runs out of memory may report a wrong signature.
 * So libcrypto allocates through these hooks, and out_of_memory records that an
 * allocation of this thread has failed.
 */
static _Thread_local bool out_of_memory;

/* n is 0 for a request that may answer NULL without a lack of memory. */
static void *
check_alloc(void *p, size_t n)
{
	if (p == NULL && n > 0)
		out_of_memory = true;
	return p;
}

static void *
crypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return check_alloc(n == 0 ? NULL : malloc(n), n);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static void *
crypto_realloc(void *p, size_t n, const char *file, int line)
{
	if (n > 0)
		return check_alloc(realloc(p, n), n);
	crypto_free(p, file, line);
	return NULL;
}

/* libcrypto accepts the hooks only before its first allocation. */
__attribute__((constructor)) static void
use_alloc_hooks(void)
{
	(void)CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
	    crypto_free);
	/* A configuration file could load modules into the process that holds
	 * the keys.  The algorithms that we use need none. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

bool
tf_crypto_lock_secrets(void)
{
	/* 2: it is there, and not locked. */
	return CRYPTO_secure_malloc_init(SECRET_HEAP, SECRET_MIN) == 1;
}

void
tf_crypto_note_memory(void)
{
	out_of_memory = false;
}

bool
tf_crypto_lacks_memory(void)
{
	return out_of_memory;
}

/* --- digests ---------------------------------------------------------------- */

/*
 * The deprecated SHA256_* functions allocate nothing, so a digest cannot fail.
 * They also avoid the provider's set-up, which costs more than hashing a leaf.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
struct tf_sha256 {
	SHA256_CTX c;
};

void
tf_sha256_prefixed(uint8_t prefix, const void *a, size_t an, const void *b,
    size_t bn, struct tf_hash *out)
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, &prefix, 1);
	SHA256_Update(&c, a, an);
	if (bn > 0)
		SHA256_Update(&c, b, bn);
	SHA256_Final(out->b, &c);
}

void
tf_sha256(const void *p, size_t n, struct tf_hash *out)
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, p, n);
	SHA256_Final(out->b, &c);
}

struct tf_sha256 *
tf_sha256_new(void)
{
	struct tf_sha256 *h = malloc(sizeof(*h));

	if (h != NULL)
		SHA256_Init(&h->c);
	return h;
}

void
tf_sha256_free(struct tf_sha256 *h)
{
	free(h);
}

void
tf_sha256_reset(struct tf_sha256 *h)
{
	SHA256_Init(&h->c);
}

void
tf_sha256_add(struct tf_sha256 *h, const void *p, size_t n)
{
	SHA256_Update(&h->c, p, n);
}

/*
 * A copy is finished, so that h can go on: files are hashed while they grow.
 */
void
tf_sha256_peek(const struct tf_sha256 *h, struct tf_hash *out)
{
	SHA256_CTX copy = h->c;

	SHA256_Final(out->b, &copy);
}

void
tf_sha256_peek_with(const struct tf_sha256 *h, const void *p, size_t n,
    struct tf_hash *out)
{
	SHA256_CTX copy = h->c;

	SHA256_Update(&copy, p, n);
	SHA256_Final(out->b, &copy);
}
#pragma GCC diagnostic pop

/* --- keys ------------------------------------------------------------------- */

void
tf_key_free(struct tf_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

/* Takes ownership of pkey, also on failure. */
static enum tf_code
wrap(EVP_PKEY *pkey, OSSL_LIB_CTX *ctx, struct tf_key **out,
    struct tf_error *err)
{
	struct tf_key *k = calloc(1, sizeof(*k));
	size_t n = TF_PUBKEY_LEN;

	if (k == NULL || pkey == NULL) {
		EVP_PKEY_free(pkey);
		free(k);
		return tf_fail(err, TF_NOMEM, "cannot make a key");
	}
	k->pkey = pkey;
	k->ctx = ctx;
	out_of_memory = false;
	if (EVP_PKEY_is_a(pkey, "ED25519") != 1 ||
	    EVP_PKEY_get_raw_public_key(pkey, k->pub.b, &n) != 1 ||
	    n != TF_PUBKEY_LEN) {
		tf_key_free(k);
		return tf_fail(err, out_of_memory ? TF_NOMEM : TF_INVALID,
		    out_of_memory ? "no memory" : "not an Ed25519 key");
	}
	*out = k;
	return TF_OK;
}

enum tf_code
tf_key_generate(struct tf_key **out, struct tf_error *err)
{
	return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, out, err);
}

enum tf_code
tf_key_from_seed(const uint8_t seed[32], struct tf_key **out,
    struct tf_error *err)
{
	return wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
			32),
	    NULL, out, err);
}

#define PLACE_MAX 100 /* bytes of a path in a message */

/* The path of a file below dirfd, for messages; its name if that is unknown. */
static const char *
name_in_message(int dirfd, const char *name, char out[PLACE_MAX])
{
	char fd[32], dir[PLACE_MAX];
	ssize_t n;
	int len;

	(void)snprintf(fd, sizeof(fd), "/proc/self/fd/%d", dirfd);
	n = dirfd < 0 ? -1 : readlink(fd, dir, sizeof(dir));
	if (n <= 0 || n >= (ssize_t)sizeof(dir))
		return name;
	len = snprintf(out, PLACE_MAX, "%.*s/%s", (int)n, dir, name);
	return len < PLACE_MAX ? out : name;
}

/*
 * Check that owner, mode and link count of a file protect a secret.  Whom its
 * directory belongs to may have it, too: a caller has checked that one.
 */
static enum tf_code
fit(const struct stat *st, int dirfd, const char *name, struct tf_error *err)
{
	char path[PLACE_MAX];
	struct stat dir;
	uid_t owner = geteuid();

	if (dirfd >= 0 && fstat(dirfd, &dir) == 0)
		owner = dir.st_uid;
	errno = 0;
	if (!S_ISREG(st->st_mode))
		return tf_fail(err, TF_FOREIGN, "key %s is not a plain file",
		    name_in_message(dirfd, name, path));
	if (st->st_nlink != 1)
		return tf_fail(err, TF_FOREIGN,
		    "key %s has %u names (hard links): remove the others",
		    name_in_message(dirfd, name, path), (unsigned)st->st_nlink);
	if (st->st_uid != geteuid() && st->st_uid != 0 && st->st_uid != owner)
		return tf_fail(err, TF_FOREIGN,
		    "key %s belongs to uid %u: chown %u it",
		    name_in_message(dirfd, name, path), (unsigned)st->st_uid,
		    (unsigned)owner);
	if ((st->st_mode & 077) != 0)
		return tf_fail(err, TF_FOREIGN,
		    "key %s is open to others: chmod 0400 it",
		    name_in_message(dirfd, name, path));
	return TF_OK;
}

/* A key that cannot be opened, and what to do about it. */
static enum tf_code
not_opened(int dirfd, const char *name, struct tf_error *err)
{
	char path[PLACE_MAX];
	int sys = errno;
	struct stat st;
	enum tf_code rc;

	/* A daemon without capabilities cannot open what root could. */
	if (sys == EACCES &&
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (rc = fit(&st, dirfd, name, err)) != TF_OK)
		return rc;
	errno = 0;
	if (sys == ELOOP)
		return tf_fail(err, TF_FOREIGN,
		    "key %s is a symbolic link: put the file itself there",
		    name_in_message(dirfd, name, path));
	if (sys == ENOENT)
		return tf_fail(err, TF_NOTFOUND,
		    "key %s is missing: restore it from its backup",
		    name_in_message(dirfd, name, path));
	return tf_fail(err, sys == EACCES ? TF_ACCESS : TF_IO, "key %s: %s",
	    name_in_message(dirfd, name, path), strerror(sys));
}

enum tf_code
tf_secret_read(int dirfd, const char *name, void *p, size_t max, size_t *got,
    struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;
	int fd;

	/* O_NONBLOCK: opening a FIFO under this name must not block. */
	fd = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return not_opened(dirfd, name, err);
	rc = fstat(fd, &st) < 0 ? tf_fail(err, TF_IO, "stat %s", name) :
				  fit(&st, dirfd, name, err);
	if (rc == TF_OK)
		rc = tf_file_pread(fd, p, max, 0, got, err);
	(void)close(fd);
	return rc;
}

/*
 * An empty passphrase, so that an encrypted key fails and never asks a
 * terminal.
 */
static enum tf_code
parse(const char *pem, size_t n, const char *name, struct tf_key **out,
    struct tf_error *err)
{
	OSSL_LIB_CTX *ctx = NULL;
	EVP_PKEY *p = NULL;
	enum tf_code rc;
	BIO *bio;

	if (tf_token_names_key(pem, n)) {
		if ((rc = tf_token_load(pem, n, name, &p, &ctx, err)) != TF_OK)
			return rc;
		/* Not TF_INVALID, by which a rotation knows half of a file. */
		if ((rc = wrap(p, ctx, out, err)) == TF_INVALID)
			rc = tf_fail(err, TF_ACCESS,
			    "key %s is not an Ed25519 key", name);
		return rc;
	}
	out_of_memory = false;
	if ((bio = BIO_new_mem_buf(pem, (int)n)) != NULL)
		p = PEM_read_bio_PrivateKey(bio, NULL, NULL, "");
	BIO_free(bio);
	errno = 0;
	if (p == NULL && out_of_memory)
		return tf_nomem(err);
	if (p == NULL)
		return tf_fail(err, TF_INVALID,
		    "key %s is not a PEM private key", name);
	if ((rc = wrap(p, NULL, out, err)) == TF_INVALID)
		rc = tf_fail(err, rc, "key %s is not an Ed25519 key", name);
	return rc;
}

enum tf_code
tf_key_load(int dirfd, const char *name, struct tf_key **out,
    struct tf_error *err)
{
	enum tf_code rc;
	char pem[4096];
	size_t got = 0;

	rc = tf_secret_read(dirfd, name, pem, sizeof(pem), &got, err);
	if (rc == TF_OK)
		rc = parse(pem, got, name, out, err);
	OPENSSL_cleanse(pem, sizeof(pem));
	return rc;
}

enum tf_code
tf_key_save(const struct tf_key *k, int dirfd, const char *name,
    struct tf_error *err)
{
	enum tf_code rc;
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p;
	long n;

	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL,
		NULL) != 1) {
		BIO_free(bio);
		return tf_fail(err, TF_NOMEM, "cannot write a key");
	}
	n = BIO_get_mem_data(bio, &p);
	rc = tf_file_write(dirfd, name, p, (size_t)n, 0400, true, err);
	OPENSSL_cleanse(p, (size_t)n);
	BIO_free(bio);
	return rc;
}

void
tf_key_public(const struct tf_key *k, struct tf_pubkey *out)
{
	*out = k->pub;
}

enum tf_code
tf_key_sign(const struct tf_key *k, const void *msg, size_t n,
    uint8_t sig[TF_SIG_LEN], struct tf_error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = TF_SIG_LEN;
	bool ok;

	ok = ctx != NULL &&
	    EVP_DigestSignInit_ex(ctx, NULL, NULL, k->ctx, NULL, k->pkey,
		NULL) == 1 &&
	    EVP_DigestSign(ctx, sig, &len, msg, n) == 1 && len == TF_SIG_LEN;
	EVP_MD_CTX_free(ctx);
	return ok ? TF_OK : tf_fail(err, TF_IO, "signing failed");
}

bool
tf_key_in_token(const struct tf_key *k)
{
	return k->ctx != NULL;
}

/* A token does not give the bytes of its key, so the secret follows from a
 * signature of the words, which is made for nothing else. */
static enum tf_code
derive_in_token(const struct tf_key *k, const char *info, uint8_t out[32],
    struct tf_error *err)
{
	uint8_t sig[TF_SIG_LEN], again[TF_SIG_LEN];
	enum tf_code rc;

	if ((rc = tf_key_sign(k, info, strlen(info), sig, err)) == TF_OK &&
	    (rc = tf_key_sign(k, info, strlen(info), again, err)) == TF_OK) {
		errno = 0;
		rc = memcmp(sig, again, sizeof(sig)) == 0 ?
		    tf_hkdf(sig, sizeof(sig), "", 0, info, out, err) :
		    tf_fail(err, TF_UNSUPPORTED,
			"the token signs the same bytes differently each "
			"time, unlike RFC 8032");
	}
	OPENSSL_cleanse(sig, sizeof(sig));
	OPENSSL_cleanse(again, sizeof(again));
	return rc;
}

enum tf_code
tf_key_derive(const struct tf_key *k, const char *info, uint8_t out[32],
    struct tf_error *err)
{
	uint8_t seed[32];
	size_t n = sizeof(seed);
	enum tf_code rc;

	if (k->ctx != NULL)
		return derive_in_token(k, info, out, err);
	if (EVP_PKEY_get_raw_private_key(k->pkey, seed, &n) != 1 ||
	    n != sizeof(seed))
		rc = tf_nomem(err);
	else
		rc = tf_hkdf(seed, sizeof(seed), "", 0, info, out, err);
	OPENSSL_cleanse(seed, sizeof(seed));
	return rc;
}

enum tf_code
tf_key_verify(const struct tf_pubkey *pub, const void *msg, size_t n,
    const uint8_t sig[TF_SIG_LEN])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    pub->b, TF_PUBKEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int yes = -1;

	/* Any 32 bytes are a key: a failure to load one is a lack of memory. */
	out_of_memory = false;
	if (k != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k) == 1)
		yes = EVP_DigestVerify(ctx, sig, TF_SIG_LEN, msg, n);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
	if (yes == 1)
		return TF_OK;
	return yes < 0 || out_of_memory ? TF_NOMEM : TF_TAMPER;
}

void
tf_pubkey_spki(const struct tf_pubkey *pub, uint8_t out[TF_SPKI_LEN])
{
	/* RFC 8410: SEQUENCE { SEQUENCE { 1.3.101.112 } BIT STRING }. */
	static const uint8_t head[12] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
		0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), pub->b, TF_PUBKEY_LEN);
}

void
tf_pubkey_pem(const struct tf_pubkey *pub, struct tf_buf *out)
{
	uint8_t der[TF_SPKI_LEN];
	char text[4 * ((TF_SPKI_LEN + 2) / 3) + 1];

	tf_pubkey_spki(pub, der);
	(void)EVP_EncodeBlock((unsigned char *)text, der, TF_SPKI_LEN);
	tf_buf_printf(out,
	    "-----BEGIN PUBLIC KEY-----\n%s\n"
	    "-----END PUBLIC KEY-----\n",
	    text);
}

enum tf_code
tf_random(void *p, size_t n, struct tf_error *err)
{
	uint8_t *s = p;
	ssize_t got;

	while (n > 0) {
		got = getrandom(s, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return tf_fail(err, TF_IO, "getrandom");
		s += got;
		n -= (size_t)got;
	}
	return TF_OK;
}

const char *
tf_crypto_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

/* pread(2), so that the offset of a descriptor that others use stays. */
enum tf_code
tf_hash_fd(int fd, struct tf_hash *out, uint64_t *size, struct tf_error *err)
{
	size_t chunk = 1 << 20, got = 0;
	struct tf_sha256 *h = tf_sha256_new();
	char *buf = malloc(chunk);
	uint64_t off = 0;
	enum tf_code rc = TF_OK;

	if (h == NULL || buf == NULL)
		rc = tf_nomem(err);
	while (rc == TF_OK) {
		rc = tf_file_pread(fd, buf, chunk, off, &got, err);
		if (rc != TF_OK || got == 0)
			break;
		tf_sha256_add(h, buf, got);
		off += got;
	}
	if (rc == TF_OK) {
		tf_sha256_peek(h, out);
		*size = off;
	}
	tf_sha256_free(h);
	free(buf);
	return rc;
}
