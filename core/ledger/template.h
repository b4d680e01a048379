/*
 * Templates: which attestations a workflow needs.  The text is Kosli's flow
 * template, version 1, with the extensions of trailfs under `x-trailfs`:
 *
 *	version: 1
 *	trail:
 *	  x-trailfs:
 *	    strict: true
 *	  attestations:
 *	    - name: approval
 *	      type: generic
 *	      x-trailfs:
 *	        optional: false
 *	        count: 2
 *	        different_users: true
 *	        deadline: 24h
 *	        users: [alice, 1001]
 *	        groups: [release]
 *	        after: [tests]
 *	        control: CC8.1
 *	  artifacts:
 *	    - name: backend
 *	      attestations:
 *	        - name: unit-tests
 *	          type: junit
 *
 * An attestation of an artifact is the slot ARTIFACT.ATTESTATION.  `trail` may
 * be null or absent: then nothing is required.  Unknown keys, names that an
 * attestation cannot have, and names of slots or artifacts that are there twice
 * are refused.  The meaning of each extension is that of status.h.
 */
#ifndef TF_LEDGER_TEMPLATE_H
#define TF_LEDGER_TEMPLATE_H

#include "../json.h"

#define TF_SLOT_COUNT_MAX 1000

/* A list of texts that may be absent: then p is NULL, and n is 0. */
struct tf_strs {
	const struct tf_str *p;
	size_t n;
};

/* One attestation that a template asks for.  All fields but name and type may
 * be zero. */
struct tf_slot {
	struct tf_str name; /* of the attestation, without "@N" */
	struct tf_str type; /* "generic", "junit", "custom:NAME", "*", ... */
	bool optional;
	uint32_t count;	      /* reports that must count; 0 is 1 */
	bool different_users; /* these reports must have different users */
	uint64_t deadline_s;  /* since the workflow began; 0: none */
	/* Who may report it: a user of users or of a group of groups.  Anybody
	 * if both are absent. */
	struct tf_strs users, groups; /* names, or numbers in decimal */
	struct tf_strs after;	/* slots that must count before it begins */
	struct tf_str control;	/* id of a control, or absent */
	struct tf_str artifact; /* its artifact, or absent */
	unsigned line;		/* in the text, from 1 */
};

/* Why the workflows of a template can never be COMPLIANT. */
struct tf_template_warning {
	unsigned line;
	char text[160];
};

struct tf_template {
	const struct tf_slot *slots; /* of the trail, then of artifacts */
	size_t n;
	bool strict; /* mkdir of a name without a slot is refused */
	struct tf_strs artifacts;
	const struct tf_template_warning *warnings; /* in the order of slots */
	size_t n_warnings;
	struct tf_template_memory *memory; /* of everything above */
};

/*
 * Parse n bytes at text, which may be freed afterwards.  On TF_OK free t with
 * tf_template_free; on failure t holds nothing.  Errors: TF_INVALID with "line
 * L, column C: reason" in err; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_template_parse(struct tf_template *t,
    const char *text, size_t n, struct tf_error *err);
void tf_template_free(struct tf_template *t);

/* The slot of an attestation of this name (NAME or NAME@N), or NULL. */
const struct tf_slot *tf_template_slot(const struct tf_template *t,
    const char *name, size_t n);

/*
 * Append the text of a template to out that asks for one generic attestation
 * per name, in this order.  Errors: TF_BADNAME or TF_NAMETOOLONG (not the name
 * of an attestation, or with "@N"), TF_EXISTS (a name twice), TF_TOOBIG, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_template_make(const struct tf_str *names, size_t n,
    struct tf_buf *out, struct tf_error *err);

/* A user as entries name one: user and group may be absent. */
struct tf_reporter {
	uint32_t uid, gid; /* gid: the primary group */
	struct tf_str user, group;
};

/* True if the slot lets this user report it.  A name of digits only matches no
 * entry of users and groups, as these are numbers. */
bool tf_slot_allows(const struct tf_slot *slot, const struct tf_reporter *who);

/*
 * True if a report of the claimed type (absent: generic) fits the type of a
 * slot.  "*" fits any type, and "custom:NAME" fits "custom:NAME" and, unless
 * NAME is a type that is built in, NAME.
 */
bool tf_slot_type_fits(struct tf_str slot, struct tf_str claimed);

/* True for the types that templates know without a definition: generic, junit,
 * snyk, pull_request, jira, sonar, decision. */
bool tf_type_built_in(struct tf_str type);

/* True if s is the id of a control, as in claims: [A-Za-z0-9][A-Za-z0-9._-]*, at
 * most 64. */
bool tf_control_ok(const char *s, size_t n);

#endif
