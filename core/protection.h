/*
 * Retention and holds: how long evidence must be kept, and why it must not be
 * removed now.
 *
 * A retention is set on a trail, a workflow or an attestation.  It is never
 * shortened: each one is added to those before, and the latest end counts.  A
 * period begins when the node in question is sealed: evidence with its
 * attestation, a workflow or a trail when everything in it is sealed, too.
 * What can still grow has no end yet.
 *
 * A hold has a name, for example that of a case, and stands until it is
 * released.  Holds of several names may stand at once, on the root, trails,
 * workflows and attestations.
 *
 * Both protect everything at and below their node from redaction and disposal.
 * The functions are safe from many threads at once.  vault.h has the errors
 * that any call may give.
 */
#ifndef TF_PROTECTION_H
#define TF_PROTECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "json.h"
#include "types.h"

struct tf_asker;
struct tf_sink;
struct tf_vault;
struct tf_view;

#define TF_HOLD_NAME_MAX 64 /* bytes of the name of a hold or of a rule */

/* How long a node is kept.  A later one of these outweighs an earlier one. */
enum tf_kept {
	TF_KEPT_NOT,	/* no retention is set */
	TF_KEPT_OVER,	/* until a time that has passed */
	TF_KEPT_UNTIL,	/* until a time */
	TF_KEPT_OPEN,	/* its period has not begun: it is not sealed */
	TF_KEPT_FOREVER /* its mode is "never" */
};
/* The word of it in JSON: "over", "until", "open", "forever"; "" for NOT. */
const char *tf_kept_word(enum tf_kept kept);

/* What protects a node, and until when. */
struct tf_protection {
	bool is_protected; /* by a hold, or by a retention that is not over */
	/* A hold that stands, the newest one: its name, or "" if there is none;
	 * the seq of its hold.placed; its node. */
	char hold[TF_HOLD_NAME_MAX + 1];
	uint64_t hold_entry, hold_node;
	uint64_t holds; /* the number of holds that stand */
	/* The retention that keeps it longest. */
	enum tf_kept kept;
	struct tf_time until; /* of OVER and UNTIL */
	uint64_t kept_entry,
	    kept_node;	    /* the seq of its retention.set; its node */
	struct tf_time now; /* the time of this answer */
};

/*
 * Set *out to what protects the node at path ("." is the root) and anything
 * below it: what is set on the node, above it and below it.  A file that is not
 * in the ledger is as protected as the directory that it is in.
 *
 * Retentions end by the host's clock, even if the time of the ledger is ahead of
 * it: an entry that was made while the clock was wrong ends nothing early.
 * TF_NOTFOUND.
 */
TF_MUST_USE enum tf_code tf_vault_protection(struct tf_vault *v,
    const char *path, struct tf_protection *out, struct tf_error *err);

/* What retention.set is to say.  Strings may be NULL. */
struct tf_retain {
	const char *period; /* "7y", "18m", "2w", "90d" */
	bool has_until;
	struct tf_time until;
	const char *mode; /* "governance" or "never"; NULL: governance */
	/* The id of the rule that demands it, and the digest of its text. */
	const char *rule;
	bool has_rule_text;
	struct tf_hash rule_text;
};
/*
 * Set the retention of trail, workflow or attestation id, with an entry.  The
 * mode "never" needs neither period nor time.  The retention that is in force
 * already, by the same rule: TF_OK without an entry.
 * Errors: TF_INVALID a malformed period, mode or rule, a time that has passed,
 * or nothing; TF_DENIED it would be shorter than the one in force, or who is
 * neither the owner of the trail nor root; TF_UNSUPPORTED id is something else;
 * TF_BUSY a draft.
 */
TF_MUST_USE enum tf_code tf_vault_retain(struct tf_vault *v, uint64_t id,
    const struct tf_retain *ask, const struct tf_actor *who,
    struct tf_error *err);

/*
 * Place a hold on the root, trail, workflow or attestation id, or release it.
 * reason: n bytes of text.
 * Errors: TF_INVALID a malformed name or reason; TF_TOOBIG the reason is too
 * long; TF_EXISTS it stands already; TF_NODATA it does not stand; TF_DENIED who
 * is neither the owner of the trail (of the root, for the root) nor root;
 * TF_UNSUPPORTED; TF_BUSY as above.
 */
TF_MUST_USE enum tf_code tf_vault_hold(struct tf_vault *v, uint64_t id,
    bool place, const char *hold, const char *reason, size_t n,
    const struct tf_actor *who, struct tf_error *err);

/*
 * Redaction: two people have the bytes of sealed evidence deleted.  Entry, name,
 * size, digest and proofs stay.  One proposes it, another approves it within
 * seven days; core/ledger/redaction.h has the rules for these two.  With
 * "approvers = GROUP" in STORE/config only members of that group approve, and
 * they, the owner of the trail and root propose; without it the owner of the
 * trail and root do both.
 *
 * tf_vault_redact appends redaction.proposed about evidence id, and sets *entry
 * to its seq.  expired: because its retention is over, else because it should
 * not have been recorded.
 *
 * tf_vault_redact_approve appends redaction.done; proposal is the seq of the
 * newest proposal.  If *others is 0 the bytes are deleted from objects, database
 * and write-ahead log; otherwise they stay, because that many other entries name
 * the same bytes.  If deleting fails, the next start does the rest, and
 * options.say reports it.
 *
 * Errors: TF_DENIED a hold or a retention protects it, the caller may not, or is
 * the one who proposed it, the proposal is too old or another one is newer, the
 * clock was set; TF_BUSY it or its attestation is not sealed; TF_ISDIR;
 * TF_SEALED it was redacted before; TF_NODATA there is no proposal; TF_INVALID,
 * TF_TOOBIG the reason.
 */
TF_MUST_USE enum tf_code tf_vault_redact(struct tf_vault *v, uint64_t id,
    bool expired, const char *reason, size_t n, const struct tf_actor *who,
    uint64_t *entry, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_redact_approve(struct tf_vault *v,
    uint64_t id, uint64_t proposal, const struct tf_actor *who,
    uint64_t *others, struct tf_error *err);
/*
 * The same for a text that stands apart from entry target, which is about node
 * id, and that has this digest there.  tf_vault_find_text finds entry and digest
 * of the text that people call name ("reason", "annotation.KEY"): in entry
 * *target, or in the newest one that has such a text if that is TF_TEXT_NEWEST.
 * TF_NODATA: there is none.
 */
#define TF_TEXT_NEWEST UINT64_MAX
TF_MUST_USE enum tf_code tf_vault_find_text(struct tf_vault *v, uint64_t id,
    struct tf_str name, uint64_t *target, struct tf_hash *text,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_redact_text(struct tf_vault *v, uint64_t id,
    uint64_t target, const struct tf_hash *text, const char *reason, size_t n,
    const struct tf_actor *who, uint64_t *entry, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_redact_text_approve(struct tf_vault *v,
    uint64_t id, uint64_t target, const struct tf_hash *text, uint64_t proposal,
    const struct tf_actor *who, uint64_t *others, struct tf_error *err);
/*
 * All of this for the control file `redactions` of directory id:
 *	{"propose":"PATH","reason":"...","what":"expired"}, what is optional
 *	{"approve":SEQ,"file":"PATH","what":"content"}, only SEQ is needed
 *	{"text":"NAME","reason":"...","entry":SEQ}, entry is optional
 *	{"text":"NAME","approve":SEQ}
 * PATH is relative to the attestation, SEQ the number of the proposal as a
 * string or as a number.  An approval with file or what is refused (TF_NODATA)
 * if the proposal is about another file or proposes something else.
 */
TF_MUST_USE enum tf_code tf_vault_redact_json(struct tf_vault *v, uint64_t id,
    const void *p, size_t n, const struct tf_actor *who, struct tf_error *err);

/*
 * Retention and holds as JSON, as the control files of a directory take them:
 *	retention	{"for":"7y","mode":"governance","rule":{"id":"R",
 *			"sha256":"..."},"until":"2033-01-01T..."}
 *	holds		{"place":"NAME","reason":"..."}, or "release"
 * TF_INVALID: other JSON.
 */
#define TF_PROTECTION_TEXT_MAX 8192 /* bytes */
TF_MUST_USE enum tf_code tf_vault_retain_json(struct tf_vault *v, uint64_t id,
    const void *p, size_t n, const struct tf_actor *who, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_hold_json(struct tf_vault *v, uint64_t id,
    const void *p, size_t n, const struct tf_actor *who, struct tf_error *err);

/* Parse a time of such a request, in UTC: "2033-01-01", "2033-01-01T00:00:00Z"
 * or with nine digits of the second.  False: it is none. */
bool tf_protection_time(const char *s, struct tf_time *out);

/*
 * Write what protects directory id as the control files show it: one line of
 * canonical JSON; trailfs-control(5) has the keys.  Holds and retentions below id are
 * left out unless the asker of the view may read their node.
 */
TF_MUST_USE enum tf_code tf_view_holds(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_view_retention(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* The same for the redactions, proposed and done, of evidence at or below id,
 * as far as the asker of the view may read it. */
TF_MUST_USE enum tf_code tf_view_redactions(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

#endif
