/*
 * A ledger entry as a struct, with the fields of all types.  trailfs-entries(5)
 * has the schema: version 1, canonical JSON, 2..16384 bytes.  entry_write.h has
 * the only encoder and entry_read.h the only decoder.
 */
#ifndef TF_LEDGER_ENTRY_H
#define TF_LEDGER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"

#define TF_ENTRY_MAX 16384 /* bytes */
#define TF_ENTRY_VERSION 1

enum tf_entry_kind {
	TF_TYPE_UNKNOWN, /* well-formed, of a newer type or version */
	TF_LEDGER_OPENED,
	TF_LEDGER_CLOSED,
	TF_TRAIL_CREATED,
	TF_WORKFLOW_BEGUN,
	TF_ATTESTATION_BEGUN,
	TF_DIRECTORY_CREATED,
	TF_EVIDENCE_SEALED,
	TF_EVIDENCE_FLUSHED,
	TF_EVIDENCE_GROWN,
	TF_EVIDENCE_INTERRUPTED,
	TF_EVIDENCE_READ,
	TF_ATTESTATION_SEALED,
	TF_WORKFLOW_SEALED,
	TF_TRAIL_SEALED,
	TF_TEMPLATE_SET,
	TF_TYPE_SET,
	TF_RECIPIENTS_SET,
	TF_CLAIMS_SET,
	TF_ATTESTATION_OVERRIDDEN,
	TF_ACCESS_CHANGED,
	TF_PACKAGE_MADE,
	TF_REDACTION_PROPOSED,
	TF_REDACTION_DONE,
	TF_HOLD_PLACED,
	TF_HOLD_RELEASED,
	TF_RETENTION_SET,
	TF_KEY_ROTATED,
	TF_CLOCK_JUMPED,
	TF_CLOCK_OBSERVED,
	TF_IMPORT_DONE,
	TF_ANCHOR_ADDED,
	TF_VERIFY_DONE,
	TF_VERIFY_FAILED,
	TF_TYPES
};

/* The name of t in entries, such as "evidence.sealed"; "" for unknown. */
const char *tf_type_name(enum tf_entry_kind t);

/* Who may use a node, with the names that the ids had at that time. */
struct tf_access {
	uint32_t uid, gid, mode;   /* mode: 07777 */
	struct tf_str user, group; /* encoded by tf_hint; or absent */
};

/* The field of attestation.sealed that names the signed statement. */
struct tf_statement_ref {
	struct tf_hash payload, pae;
	uint64_t size;		  /* bytes of the payload */
	struct tf_str keyid, sig; /* "SHA256:..."; base64 of 64 bytes */
};

/* What retention.set asks for; retention.h has the meaning. */
struct tf_retention_ref {
	struct tf_str period; /* "7y", or absent */
	struct tf_str mode;
	bool has_until;
	struct tf_time until;
	/* The rule that demands it: its id, or absent, and digest of its text. */
	struct tf_str rule;
	bool has_rule_text;
	struct tf_hash rule_text;
};

/*
 * One entry, with the fields of all types.  An absent string has p == NULL; an
 * absent value of another kind has its has_* flag false.  A field marked raw is
 * the text of a canonical JSON value.  All other strings are unescaped.  The
 * strings of a decoded entry belong to its struct tf_entry_decoded.
 */
struct tf_entry {
	/* common */
	uint64_t v, seq;
	struct tf_str origin, type_name;
	enum tf_entry_kind type;
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
	/* access: ledger.opened, *.created, *.begun, seals, access.changed */
	bool has_access;
	struct tf_access access;
	/* ledger.opened */
	struct tf_str boot, host, program, store;
	struct tf_str key_log, key_attester;	   /* vkey; SPKI in base64 */
	struct tf_str software, options, previous; /* raw */
	struct tf_str home;			   /* raw: see home.h */
	/* ledger.opened, clock.observed: raw, see host_clock.h */
	struct tf_str host_clock;
	/* ledger.closed; redaction, override, holds */
	struct tf_str reason;
	/* reason or to is absent, and stands apart with this digest */
	bool is_apart;
	struct tf_hash apart;
	bool has_denied;
	uint64_t denied;
	/* evidence.sealed, evidence.interrupted, redactions, anchor.added */
	bool has_content;
	struct tf_content content;
	struct tf_time created, ctime, mtime; /* evidence.sealed only */
	struct tf_str writers, xattrs; /* raw: array of uids; name -> base64 */
	struct tf_str draft;
	/* evidence.sealed: content is the ciphertext for that version of the
	 * recipients */
	bool has_encryption;
	struct tf_str encryption_format; /* "age" */
	uint64_t encryption_recipients;
	/* evidence.sealed: of what follows this offset no flush said that it is
	 * what was written */
	bool has_proven;
	uint64_t proven;
	bool has_grown;
	uint64_t grown;	      /* the last evidence.grown about it */
	struct tf_str chunks; /* evidence.grown; raw: see chunks.h */
	/* evidence.flushed: what the file held then; no object of the store must
	 * have these bytes */
	bool has_flushed;
	struct tf_content flushed;
	/* evidence.read: the object that lists who read what (node/reads.h) */
	struct tf_content reads;
	uint64_t reads_count; /* lines about a node */
	uint64_t reads_lost;  /* openings that could not be counted */
	/* attestation.sealed; claims also in claims.set */
	bool has_evidence;
	uint64_t evidence_bytes, evidence_count;
	struct tf_hash evidence_sums;
	struct tf_statement_ref statement;	    /* with has_evidence */
	struct tf_str claims, claimants, evaluated; /* raw */
	/* workflow.sealed: attestations; trail.sealed: workflows */
	bool has_children;
	uint64_t children_count;
	struct tf_hash children_sums;
	/* template: workflow.begun has the version, template.set all three */
	bool has_template;
	uint64_t template_version;
	struct tf_content template_content;
	/* type.set; recipients.set, without the name */
	bool has_definition;
	struct tf_str definition_name;
	uint64_t definition_version;
	struct tf_content definition_content;
	/* the other types */
	bool has_target;
	uint64_t target;
	bool has_proposal;
	uint64_t proposal; /* redaction.done */
	/* The same: the report of the attestation, whose bytes go, too. */
	bool has_report;
	struct tf_content report;
	bool has_compliant;
	bool compliant;
	struct tf_content package; /* package.made */
	struct tf_str to;	   /* the same: who gets it, or absent */
	/* package.made, anchor.added, verify.done */
	struct tf_hash tree_root;
	uint64_t tree_size;
	struct tf_str what, hold;
	bool has_until;
	struct tf_time until;
	bool has_retention;
	struct tf_retention_ref retention; /* retention.set */
	struct tf_str key_new, key_old, use;
	struct tf_str new_sig, old_sig; /* key.rotated; see rotation.h */
	struct tf_time expected;	/* clock.jumped */
	bool has_count;
	uint64_t count;	      /* import.done, redaction.done */
	struct tf_str source; /* raw */
	struct tf_str
	    run; /* verify.done, verify.failed; raw: see verify_run.h */
	/* anchor.added: content is what an anchor of tree gave; see anchor.h */
	struct tf_str anchor_kind, anchor_name;
	struct tf_str anchor_key; /* vkey of a cosigner, or absent */
	bool has_chain;
	struct tf_content chain; /* certificates of a time stamp */
};

/*
 * Return the time of an entry for display: the host's clock when the event
 * happened.  This is e->clock if present, else e->at.  The two differ when the
 * clock was behind the previous entry, or was read before the batch began; at
 * only orders the ledger.  *moved is true when they differ by one second or
 * more: then the display must say that at is not the time of the event.
 */
struct tf_time tf_entry_when(const struct tf_entry *e, bool *moved);

/* Compute the leaf hash (RFC 6962 2.1) of the entry's bytes. */
void tf_entry_leaf(const void *bytes, size_t n, struct tf_hash *out);

#endif
