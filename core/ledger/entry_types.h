/*
 * The schema of entries as data: a table of fields and a table of types, which
 * trailfs-entries(5) states in words.  The encoder (entry_write.c) and the
 * decoder (entry_read.c) both follow these tables, so that neither knows a
 * field that the other does not.  Private to core/ledger.  The tables are
 * constant and the functions pure: safe from many threads at once.
 */
#ifndef TF_LEDGER_ENTRY_TYPES_H
#define TF_LEDGER_ENTRY_TYPES_H

#include "entry.h"
#include "fields.h"

/* How struct tf_entry stores a value. */
enum tf_entry_storage {
	TF_AS_STRING,
	TF_AS_RAW,
	TF_AS_NUMBER,
	TF_AS_FLAG,
	TF_AS_TIME,
	TF_AS_CONTENT,
	/* the kinds above have one member each */
	TF_AS_VERSION,
	TF_AS_TYPE,
	TF_AS_BATCH,
	TF_AS_ACCESS,
	TF_AS_KEYS,
	TF_AS_EVIDENCE,
	TF_AS_STATEMENT,
	TF_AS_CHILDREN,
	TF_AS_TEMPLATE,
	TF_AS_DEFINITION,
	TF_AS_RECIPIENTS,
	TF_AS_ENCRYPTION,
	TF_AS_RETENTION,
	TF_AS_READS,
	TF_AS_TREE,
};

struct tf_entry_field {
	const char *key;
	enum tf_form form;
	enum tf_entry_storage as;
	size_t at;  /* offset of the value in struct tf_entry */
	size_t has; /* offset of its has_* flag; 0: no flag */
};

/* The value of a field that is stored in one member. */
#define TF_FIELD_VALUE(e, f, as) ((as *)((char *)(e) + (f)->at))
#define TF_FIELD_CONST_VALUE(e, f, as) \
	((const as *)((const char *)(e) + (f)->at))

/* The fields in the order of their keys; template has a line for each form. */
enum tf_entry_field_id {
	TF_F_ACCESS,
	TF_F_ACTOR,
	TF_F_AT,
	TF_F_ATTESTATIONS,
	TF_F_BATCH,
	TF_F_BOOT,
	TF_F_CAUSE,
	TF_F_CHAIN,
	TF_F_CHUNKS,
	TF_F_CLAIMANTS,
	TF_F_CLAIMS,
	TF_F_CLOCK,
	TF_F_COMPLIANT,
	TF_F_CONTENT,
	TF_F_COUNT,
	TF_F_CREATED,
	TF_F_CTIME,
	TF_F_DEFINITION,
	TF_F_DENIED,
	TF_F_DRAFT,
	TF_F_ENCRYPTION,
	TF_F_EVALUATED,
	TF_F_EVIDENCE,
	TF_F_EXPECTED,
	TF_F_FLUSHED,
	TF_F_GROWN,
	TF_F_HOLD,
	TF_F_HOME,
	TF_F_HOST,
	TF_F_HOST_CLOCK,
	TF_F_IMPORTED,
	TF_F_KEY,
	TF_F_KEYS,
	TF_F_KIND,
	TF_F_MTIME,
	TF_F_NAME,
	TF_F_NEW,
	TF_F_NEW_SIG,
	TF_F_NODE,
	TF_F_OLD,
	TF_F_OLD_SIG,
	TF_F_OPTIONS,
	TF_F_ORIGIN,
	TF_F_PACKAGE,
	TF_F_PATH,
	TF_F_PREVIOUS,
	TF_F_PROGRAM,
	TF_F_PROPOSAL,
	TF_F_PROVEN,
	TF_F_READS,
	TF_F_REASON,
	TF_F_RECIPIENTS,
	TF_F_REPORT,
	TF_F_RETENTION,
	TF_F_RUN,
	TF_F_SEQ,
	TF_F_SOFTWARE,
	TF_F_SOURCE,
	TF_F_STATEMENT,
	TF_F_STORE,
	TF_F_TARGET,
	TF_F_TEMPLATE_VERSION,
	TF_F_TEMPLATE,
	TF_F_TO,
	TF_F_TREE,
	TF_F_TYPE,
	TF_F_UNTIL,
	TF_F_USE,
	TF_F_V,
	TF_F_WHAT,
	TF_F_WORKFLOWS,
	TF_F_WRITERS,
	TF_F_XATTRS,
	TF_FIELDS
};

extern const struct tf_entry_field tf_entry_fields[TF_FIELDS];

/* Sets of fields, as bits. */
__extension__ typedef unsigned __int128 tf_field_set;
_Static_assert(TF_FIELDS <= 128, "a set has 128 bits");
#define TF_BIT_AT(i) ((tf_field_set)1 << (i))
#define TF_BIT(id) TF_BIT_AT(TF_F_##id)

#define TF_FIELDS_ALWAYS \
	(TF_BIT(AT) | TF_BIT(ORIGIN) | TF_BIT(SEQ) | TF_BIT(TYPE) | TF_BIT(V))
#define TF_FIELDS_SOMETIMES                                              \
	(TF_BIT(ACTOR) | TF_BIT(BATCH) | TF_BIT(CAUSE) | TF_BIT(CLOCK) | \
	    TF_BIT(IMPORTED))
#define TF_FIELDS_COMMON \
	(TF_FIELDS_ALWAYS | TF_FIELDS_SOMETIMES | TF_BIT(NODE) | TF_BIT(PATH))
/* Fields that share one member of the struct. */
#define TF_FIELDS_SHARED                                               \
	(TF_BIT(ATTESTATIONS) | TF_BIT(WORKFLOWS) | TF_BIT(TEMPLATE) | \
	    TF_BIT(TEMPLATE_VERSION) | TF_BIT(DEFINITION) |            \
	    TF_BIT(RECIPIENTS))

struct tf_entry_type {
	const char *name;
	/* fields besides TF_FIELDS_ALWAYS and TF_FIELDS_SOMETIMES */
	tf_field_set must, may;
	int least, most; /* names in its path */
	bool daemon;	 /* the actor may be absent with any cause */
};

extern const struct tf_entry_type tf_entry_types[TF_TYPES];

/* Return the type with this name, or TF_TYPE_UNKNOWN. */
enum tf_entry_kind tf_entry_type_of(struct tf_str name);

/* Find the field with this key among those in may, or NULL. */
const struct tf_entry_field *tf_entry_find_field(struct tf_str key,
    tf_field_set may);

#endif
