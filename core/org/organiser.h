/*
 * The log of an organisation: a key, and entry 0 of its ledger.
 *
 * Entry 0 has version 2.  A reader of the version 1 of a vault's entries so says
 * "newer format", and does not judge the entries of many logs as one of a vault.
 *	{"actor":A,"at":T,"key":VKEY,"members":"entries","origin":O,"seq":0,
 *	 "type":"organisation.opened","v":2}
 * members: which logs may append is said by entries (own.h), since entry 0.
 */
#ifndef TF_ORG_ORGANISER_H
#define TF_ORG_ORGANISER_H

#include "../base/crypto.h"
#include "../ledger/note.h"

struct tf_actor;

/* Names in the directory of the organiser's keys. */
#define TF_ORGANISER_SECRET "log.pem"
#define TF_ORGANISER_VKEY "log.vkey" /* with the rotations, as lines */
#define TF_ORGANISER_NEW "log.new.pem"
#define TF_ORGANISER_OLD "log.old.pem"

/* The key of the log.  tf_organiser_free releases it.  The directory is locked: of
 * several processes of this machine one has it at a time, and the others wait. */
struct tf_organiser {
	int dir;
	struct tf_key *key;
	struct tf_vkey vkey;
	struct tf_vkey file; /* of log.vkey: another one after a crash */
	/* The key before it, while it signs too; else NULL. */
	struct tf_key *old_key;
	struct tf_vkey old_vkey;
};

/* Make the directory dir, if it is absent, and a key for origin in it.  A key that
 * is there already, of that origin, is taken.  TF_INVALID: no origin; TF_FOREIGN:
 * the key is of another one. */
TF_MUST_USE enum tf_code tf_organiser_make(const char *dir, const char *origin,
    struct tf_organiser *out, struct tf_error *err);
/* Without the old key.  log.vkey may be that of an earlier key (rotate.h).  Errors:
 * those of tf_key_load; TF_INVALID the vkey. */
TF_MUST_USE enum tf_code tf_organiser_load(const char *dir,
    struct tf_organiser *out, struct tf_error *err);
void tf_organiser_free(struct tf_organiser *o);

/* Append who as an entry names him to out. */
void tf_organiser_actor(const struct tf_actor *who, struct tf_buf *out);
/* Append the bytes of entry 0 to out. */
TF_MUST_USE enum tf_code tf_organiser_entry(const struct tf_organiser *o,
    const struct tf_actor *who, struct tf_buf *out, struct tf_error *err);

#endif
