/*
 * Opens files in the age v1 format (https://age-encryption.org/v1, C2SP age),
 * and makes files that a passphrase opens, for trailctl.  The mount never
 * decrypts and does not link these functions.
 *
 * An identity is a secret key, AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1..., or
 * a passphrase.  Every copy of one in memory is wiped before it is freed, as is
 * every decrypted byte.  No message of an error repeats any of them.
 */
#ifndef TF_AGE_H
#define TF_AGE_H

#include "error.h"
#include "types.h"

#define TF_IDENTITIES_BYTES_MAX ((size_t)64 * 1024) /* of a file */
#define TF_AGE_HEADER_MAX ((size_t)256 * 1024)	    /* bytes */
/* The largest work factor of a passphrase, 2^22, as of age: it needs 4 GiB. */
#define TF_AGE_SCRYPT_LOG_N_MAX 22

/* Secret keys and passphrases, for reading by many threads at once. */
struct tf_identities;
struct tf_hash;
/* Begin an empty list.  Free *out with tf_identities_free.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_identities_new(struct tf_identities **out,
    struct tf_error *err);
/* Wipe and free it; does nothing for NULL. */
void tf_identities_free(struct tf_identities *ids);
/*
 * Add the identities of a file, from fd, which may be a pipe: one per line,
 * blank lines, and comments, which are lines that begin with "#".  After a
 * failure the list may have some of them.
 * Errors, with the number of the line: TF_INVALID a line is no identity, or
 * there is none; TF_UNSUPPORTED an identity of a plugin, a post-quantum one with
 * a libcrypto before 3.5, or a file that is itself encrypted; TF_TOOBIG;
 * TF_NOMEM; TF_IO.
 */
TF_MUST_USE enum tf_code tf_identities_add(struct tf_identities *ids, int fd,
    struct tf_error *err);
/* Add a passphrase of n bytes, which are copied.  TF_INVALID it is empty;
 * TF_NOMEM. */
TF_MUST_USE enum tf_code tf_identities_add_passphrase(struct tf_identities *ids,
    const char *p, size_t n, struct tf_error *err);

/* The next bytes of the encrypted file, from arg: n bytes to p.  *got is less
 * than n only at the end. */
typedef enum tf_code tf_age_get(void *arg, void *p, size_t n, size_t *got,
    struct tf_error *err);
/* A tf_age_get for a file: arg is an int *, the descriptor, which is read from
 * its offset and may be a pipe. */
enum tf_code tf_age_get_fd(void *arg, void *p, size_t n, size_t *got,
    struct tf_error *err);

/* Whether the n bytes at the beginning of a file, at least 21 if it has them,
 * are those of an age file. */
bool tf_age_looks(const void *p, size_t n);

/* One file that is being decrypted, for one thread at a time. */
struct tf_age_reader;
/*
 * Read the header and find the identity that opens it.  On TF_OK the header is
 * authentic, and the caller frees *out with tf_age_reader_free; ids and arg
 * must live until then.
 * Errors: TF_INVALID the header is malformed; TF_ACCESS none of the identities
 * opens the file; TF_TAMPER the header was altered; TF_UNSUPPORTED the file is
 * armored; TF_NOMEM; those of get.
 */
TF_MUST_USE enum tf_code tf_age_reader_new(const struct tf_identities *ids,
    tf_age_get *get, void *arg, struct tf_age_reader **out,
    struct tf_error *err);
/* Wipe and free r; does nothing for NULL. */
void tf_age_reader_free(struct tf_age_reader *r);
/*
 * The next bytes of the text: *p, valid until the next call, and their number
 * *n; *n is 0 at the end.  Every byte that is given is authentic, and stands in
 * its place.  Only the end shows that the text is whole: the file may have been
 * cut off behind the bytes given before.  A failure is final.
 * Errors: TF_TAMPER the file was altered, cut off, or has bytes after its end;
 * TF_NOMEM; those of get.
 */
TF_MUST_USE enum tf_code tf_age_reader_next(struct tf_age_reader *r,
    const uint8_t **p, size_t *n, struct tf_error *err);

/*
 * Encrypt the file `from`, from its first byte, to a passphrase of n bytes, and
 * write that to `to`, from its first byte.  *sha256 and *size become those of
 * what was written, which is not synced.  Needs 256 MiB of memory and a second.
 * Errors: TF_INVALID the passphrase is empty; TF_NOMEM; TF_IO.
 */
TF_MUST_USE enum tf_code tf_age_encrypt_file(const char *passphrase, size_t n,
    int from, int to, struct tf_hash *sha256, uint64_t *size,
    struct tf_error *err);

#endif
