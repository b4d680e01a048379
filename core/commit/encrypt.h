/*
 * Encrypting the content of a pending file to the recipients of its trail: see
 * encrypt.c.  No lock is held.
 */
#ifndef TF_COMMIT_ENCRYPT_H
#define TF_COMMIT_ENCRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_encrypted;
struct tf_patience;
struct tf_pending;

/*
 * Make l->encrypted of the present content of l, if its trail has recipients;
 * else it stays NULL.  Nobody has l open for writing, or the caller has claimed
 * it.  What was made of the same content before is kept; with newest, which only
 * the caller who has claimed l may ask for, only if it was made for the newest
 * recipients.  Takes as long as reading and writing the content.
 * Errors: TF_INTERRUPTED p (NULL: nobody) has ended it; TF_TAMPER; TF_NOSPACE;
 * TF_NOMEM; TF_IO.
 */
TF_MUST_USE enum tf_code tf_encrypt(struct tf_pending *l, bool newest,
    const struct tf_patience *p, struct tf_error *err);
/*
 * The same for a flush that enters what l holds (durability=org), which has claimed
 * l and holds io: made for the newest recipients, and the forwarder finds it in
 * stage/ until l is encrypted anew or sealed.  *out becomes l->encrypted, or NULL if
 * the trail has no recipients.
 */
TF_MUST_USE enum tf_code tf_encrypt_flushed(struct tf_pending *l,
    const struct tf_patience *p, const struct tf_encrypted **out,
    struct tf_error *err);
/* Would that take long, because l is frozen and long and what is there is not of
 * its content or not for the newest recipients?  mu is held. */
bool tf_encrypt_takes_long(const struct tf_pending *l);
/* Read up to n bytes of l->encrypted.  io is held. */
TF_MUST_USE enum tf_code tf_encrypted_read(struct tf_pending *l, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err);

#endif
