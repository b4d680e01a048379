/*
 * One slot of a template: what it asks for, which types fit it, and who may
 * report it.  The functions are pure.
 */
#ifndef TF_LEDGER_SLOT_H
#define TF_LEDGER_SLOT_H

#include "../evaluation.h"
#include "../types.h"

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

/* By what an attestation of this type is judged.  For TF_RULE_TYPE *name, part
 * of type, becomes the name of the definition, which may not exist: a misspelt
 * type must not pass unjudged. */
enum tf_rule tf_type_rule(struct tf_str type, struct tf_str *name);

/* True if s is the id of a control, as in claims: [A-Za-z0-9][A-Za-z0-9._-]*, at
 * most 64. */
bool tf_control_ok(const char *s, size_t n);

/* True for "*", the type of a slot that every report fits. */
bool tf_type_is_any(struct tf_str type);
/* The NAME of "custom:NAME"; absent for other types. */
struct tf_str tf_type_custom(struct tf_str type);
/* True if an entry of users or groups is an id, not a name: digits only. */
bool tf_slot_lists_id(struct tf_str s);

#endif
