/*
 * Ledger entry <-> canonical bytes <-> leaf.  The schema is trailfs-format(5):
 * version 1, canonical JSON, 2..16384 bytes.  The only encoder and the only
 * decoder of entries.
 */
#ifndef TF_LEDGER_ENTRY_H
#define TF_LEDGER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"

#define TF_ENTRY_MAX 16384 /* bytes */
#define TF_ENTRY_VERSION 1

enum tf_type {
	TF_TYPE_UNKNOWN, /* well-formed, of a type that came later */
	TF_LEDGER_OPENED,
	TF_LEDGER_CLOSED,
	TF_TRAIL_CREATED,
	TF_WORKFLOW_BEGUN,
	TF_ATTESTATION_BEGUN,
	TF_DIRECTORY_CREATED,
	TF_EVIDENCE_SEALED,
	TF_EVIDENCE_INTERRUPTED,
	TF_ATTESTATION_SEALED,
	TF_WORKFLOW_SEALED,
	TF_TRAIL_SEALED,
	TF_TEMPLATE_SET,
	TF_ATTESTATION_OVERRIDDEN,
	TF_ACCESS_CHANGED,
	TF_PACKAGE_MADE,
	TF_REDACTION_DONE,
	TF_HOLD_PLACED,
	TF_HOLD_RELEASED,
	TF_KEY_ROTATED,
	TF_CLOCK_JUMPED,
	TF_IMPORT_DONE,
	TF_TYPES
};

/* "evidence.sealed"; "" for unknown. */
const char *tf_type_name(enum tf_type t);

struct tf_content {
	struct tf_hash sha256;
	uint64_t size; /* bytes */
};

struct tf_access {
	uint32_t uid, gid, mode;   /* mode: 07777 */
	struct tf_str user, group; /* as hints, already encoded; or absent */
};

/* Field of attestation.sealed that names the signed statement. */
struct tf_statement_ref {
	struct tf_hash payload, pae;
	uint64_t size;		  /* bytes of the payload */
	struct tf_str keyid, sig; /* "SHA256:..."; base64 of 64 bytes */
};

/*
 * One entry, flat: the fields of all types.  Absent is p == NULL for strings,
 * false for has_*.  Fields marked raw are canonical JSON values as text.
 * Strings are unescaped.  When decoded, strings point into storage that
 * tf_entry_decoded owns.
 */
struct tf_entry {
	/* common */
	uint64_t v, seq;
	struct tf_str origin, type_name;
	enum tf_type type;
	struct tf_time at, clock;
	bool has_clock;
	struct tf_str actor; /* raw, see tf_actor_json */
	struct tf_str path;
	bool has_node;
	uint64_t node;
	bool has_batch;
	uint64_t batch_first, batch_last;
	struct tf_str cause;
	struct tf_str imported; /* raw */
	/* access: ledger.opened, births, seals, access.changed */
	bool has_access;
	struct tf_access access;
	/* ledger.opened */
	struct tf_str boot, host, program, store;
	struct tf_str key_log, key_attester;	   /* vkey; SPKI in base64 */
	struct tf_str software, options, previous; /* raw */
	/* ledger.closed; redaction, override, holds */
	struct tf_str reason;
	bool has_denied;
	uint64_t denied;
	/* evidence.sealed, evidence.interrupted, redaction.done */
	bool has_content;
	struct tf_content content;
	struct tf_time created, ctime, mtime; /* evidence.sealed only */
	struct tf_str writers, xattrs; /* raw: array of uids; name -> base64 */
	struct tf_str draft;
	/* attestation.sealed */
	bool has_evidence;
	uint64_t evidence_bytes, evidence_count;
	struct tf_hash evidence_sums;
	struct tf_statement_ref statement;	    /* with has_evidence */
	struct tf_str claims, claimants, evaluated; /* raw */
	/* workflow.sealed: attestations; trail.sealed: workflows */
	bool has_children;
	uint64_t children_count;
	struct tf_hash children_sums;
	/* template: workflow.begun the version; template.set all three */
	bool has_template;
	uint64_t template_version;
	struct tf_content template_content;
	/* the others */
	bool has_target;
	uint64_t target;
	bool has_compliant;
	bool compliant;
	struct tf_content package; /* package.made */
	struct tf_hash tree_root;
	uint64_t tree_size;
	struct tf_str what, hold;
	bool has_until;
	struct tf_time until;
	struct tf_str key_new, key_old, use;
	struct tf_time expected; /* clock.jumped */
	bool has_count;
	uint64_t count;	      /* import.done */
	struct tf_str source; /* raw */
};

/*
 * Append the bytes of e to out.  v 0 means 1; the caller sets type, not
 * type_name.  TF_INVALID when a mandatory field is absent or a value is not of
 * its kind, TF_TOOBIG over TF_ENTRY_MAX: both are bugs of the caller, and out
 * is void then.
 */
TF_MUST_USE enum tf_code tf_entry_encode(const struct tf_entry *e,
    struct tf_buf *out, struct tf_error *err);

/*
 * An entry in two steps: all but its stamps (at, batch, clock, seq) is encoded
 * and checked before its place in the ledger is known, and they are put in when
 * it is.  {0} is empty; free it with tf_prepared_entry_free.
 */
enum { TF_STAMP_AT, TF_STAMP_BATCH, TF_STAMP_CLOCK, TF_STAMP_SEQ, TF_STAMPS };
struct tf_prepared_entry {
	struct tf_buf text;
	struct {
		size_t start, end; /* of the member, with its comma */
	} stamp[TF_STAMPS];
};
/* As tf_entry_encode; the stamps of e do not count. */
TF_MUST_USE enum tf_code tf_entry_prepare(const struct tf_entry *e,
    struct tf_prepared_entry *out, struct tf_error *err);
/* Append to out what tf_entry_encode would with these stamps. */
TF_MUST_USE enum tf_code tf_entry_complete(const struct tf_prepared_entry *p,
    const struct tf_entry *stamps, struct tf_buf *out, struct tf_error *err);
void tf_prepared_entry_free(struct tf_prepared_entry *p);

struct tf_entry_decoded {
	struct tf_entry e;
	struct tf_json_doc doc;
	struct tf_buf text; /* unescaped strings */
};

/*
 * Parse n bytes strictly: canonical, common fields present and of their kind,
 * for a known type at v 1 the mandatory fields present and every known field
 * of its kind.  Unknown fields are ignored; an unknown type or a higher v is
 * TF_OK with type TF_TYPE_UNKNOWN (v says which).  TF_INVALID with the reason
 * otherwise.  bytes must outlive d; free with tf_entry_decoded_free in either
 * case.
 */
TF_MUST_USE enum tf_code tf_entry_decode(struct tf_entry_decoded *d,
    const char *bytes, size_t n, struct tf_error *err);
void tf_entry_decoded_free(struct tf_entry_decoded *d);

/*
 * The time to show of an entry: the reading of the host's clock.  That is at,
 * which orders the ledger, unless the clock was behind the entry before, or was
 * read before its batch.  *moved: the two differ by a second or more, so say
 * so, for at is not when it happened.
 */
struct tf_time tf_entry_when(const struct tf_entry *e, bool *moved);

/* RFC 6962 leaf hash of the entry's bytes. */
void tf_entry_leaf(const void *bytes, size_t n, struct tf_hash *out);

/*
 * A hint: bytes of the system made safe ('%', '"', '\', controls and what is
 * not UTF-8 become %XX), and a NUL.  out has room for max + 1.  Returns the
 * length; 0 and "" when the result would be longer than max bytes.
 */
size_t tf_hint(char *out, size_t max, const char *bytes, size_t n);

/*
 * Append the actor as canonical JSON.  user and group are raw names, "" for
 * none.  Unset hints are left out.
 */
void tf_actor_json(struct tf_buf *out, const struct tf_actor *a,
    const char *user, const char *group);

/*
 * One line of SHA256SUMS for name ("HEX  NAME" LF, as sha256sum prints it, a
 * '\' in name escaped), onto out.
 */
void tf_sums_line(struct tf_buf *out, const struct tf_hash *h, const char *name,
    size_t n);

#endif
