/* What trailctl ls knows about the names in a directory of a vault. */
#ifndef TRAILCTL_LS_H
#define TRAILCTL_LS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/types.h"
#include "damage.h"
#include "where.h"

/* A name in the directory. */
struct ls_item {
	char name[256];
	uint64_t id; /* of a store's node */
	enum tf_kind kind;
	uint64_t size;	/* of a file; of an attestation: of all its files */
	uint64_t files; /* of an attestation */
	struct tf_time mtime;
	/* Attributes; may be empty.  clock: of the seal, else of the last
	 * change; only if the ledger has another time. */
	struct tf_buf state, when, clock, actor, sha256;
	char verdict[24]; /* "": none, or not known */
	bool damaged;	  /* a record about it cannot be read: */
	bool unsaid;	  /* nobody said why yet */
	uint64_t entry;	  /* the record; or DAMAGE_NO_ENTRY */
	/* Of a trail: workflows with each word.  Of a workflow: attestations,
	 * and how many are missing. */
	bool counted;
	uint64_t count[4];
};

struct ls {
	struct where w;
	struct tf_vault *v; /* of a store; NULL in a mount */
	enum tf_kind kind;  /* of the directory */
	struct ls_item *item;
	size_t n;
	struct damage damage; /* that was said */
};

/*
 * Fill l->item with the names in l->w, of a mount or a store, in any order.
 * l->w and l->kind are set by the caller, who calls ls_free() in any case. A
 * store is closed again. An item whose record cannot be read has what can be
 * read of it, and the damage is said.  On failure some items may be there.
 * TF_USAGE: it is a file.  Other errors: those of the system and the vault.
 */
TF_MUST_USE enum tf_code ls_read_names(struct ls *l, struct tf_error *err);
/*
 * Add verdicts and counts to the items, from status.json; those that the caller
 * may not read stay unknown (verdict "", counted false). Call it after
 * ls_read_names(). For a directory below a workflow it does nothing.
 */
TF_MUST_USE enum tf_code ls_read_verdicts(struct ls *l, struct tf_error *err);
/* Say what nobody has said yet about items that are damaged: status.json, which
 * names the cause, does not list every record. */
void ls_say_damage(struct ls *l);
/* "DIR/NAME", or "NAME" if dir is "."; the caller frees it. NULL: no memory. */
char *ls_join(const char *dir, const char *name);
void ls_free(struct ls *l);

#endif
