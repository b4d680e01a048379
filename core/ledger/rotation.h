/*
 * Rotations of the log's key.  An entry key.rotated of use "log" has signatures
 * of both keys over its number and the two keys, so whoever trusts one of them can
 * follow to the other without the log, and knows up to which size the old one is
 * good.  Both signatures are needed: that of the old key, so that nobody names
 * himself its successor; that of the new one, so that nobody who has stolen the old
 * key names a later end for it.
 *
 * An organisation's key.rotated has version 2: `seq` is its number in the origin of
 * the organisation, which says nothing of the size of the log, so a field `size` is
 * the number of entries up to which the old key is good, and the text has size - 1.
 *
 * Not safe from many threads at once, but for tf_rotation_text().
 */
#ifndef TF_LEDGER_ROTATION_H
#define TF_LEDGER_ROTATION_H

#include "checkpoint.h"

struct tf_entry;

/* Bytes of the entries of all rotations of a log.  Mirrors and verifiers read a key
 * with them, up to 1 MiB. */
#define TF_ROTATIONS_MAX ((size_t)960 * 1024)

/* Append the text that both keys sign, of entry seq; the keys are vkeys. */
void tf_rotation_text(uint64_t seq, struct tf_str old_key,
    struct tf_str new_key, struct tf_buf *out);

/* Check both signatures of a key.rotated of use "log", and that its keys have one
 * name.  TF_TAMPER, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_rotation_check(const struct tf_entry *e);

/* What is known of the rotations of a log. */
struct tf_log_keys {
	struct tf_rotation {
		uint64_t seq;
		struct tf_vkey old_key, new_key;
	} * rotation; /* in the order in which they were added */
	size_t n, cap;
	struct tf_buf text; /* their entries, each with a LF */
};

void tf_log_keys_free(struct tf_log_keys *k);

/*
 * Learn from the bytes of an entry; anything but a key.rotated of use "log" with
 * right signatures is ignored, and so is one that is known.  It may come from
 * anybody.  TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_log_keys_learn(struct tf_log_keys *k,
    const void *entry, size_t n, struct tf_error *err);

/*
 * Parse a key that somebody trusts: a vkey, and in the lines behind it the entries
 * of rotations, which are learned.  TF_INVALID it is no key, or another line is no
 * such entry; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_log_keys_parse(struct tf_log_keys *k,
    struct tf_str text, struct tf_vkey *key, struct tf_error *err);

/* The key before or after from that is in force in a tree of that size; from itself
 * if nothing else is known. */
const struct tf_vkey *tf_log_keys_at(const struct tf_log_keys *k,
    const struct tf_vkey *from, uint64_t size);

/* Is key from itself, or one before or after it? */
bool tf_log_keys_has(const struct tf_log_keys *k, const struct tf_vkey *from,
    const struct tf_vkey *key);

/*
 * tf_checkpoint_check() for whoever trusts from: a signature of that key counts, or
 * of one before or after it, up to the size at which the next one took over.  *by,
 * unless NULL, becomes the key that signed.
 * TF_TAMPER is also the code for a key that was replaced before that size.
 */
TF_MUST_USE enum tf_code tf_log_keys_check(const struct tf_log_keys *k,
    const struct tf_vkey *from, const char *note, size_t n,
    struct tf_checkpoint *out, struct tf_vkey *by, struct tf_error *err);

#endif
