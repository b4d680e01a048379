/*
 * The tables of entry_types.h.  A field or type that is added here is written,
 * read and checked at once.  Both tables must keep every earlier entry valid
 * (I1).
 */
#include <string.h>

#include "../base/bytes.h"
#include "entry_types.h"

#define AT(member) offsetof(struct tf_entry, member)

const struct tf_entry_field tf_entry_fields[TF_FIELDS] = {
	[TF_F_ACCESS] = { "access", TF_FORM_ACCESS, TF_AS_ACCESS, AT(access),
	    AT(has_access) },
	[TF_F_ACTOR] = { "actor", TF_FORM_ACTOR, TF_AS_RAW, AT(actor), 0 },
	[TF_F_AT] = { "at", TF_FORM_TIME, TF_AS_TIME, AT(at), 0 },
	[TF_F_ATTESTATIONS] = { "attestations", TF_FORM_CHILDREN,
	    TF_AS_CHILDREN, AT(children_count), AT(has_children) },
	[TF_F_BATCH] = { "batch", TF_FORM_BATCH, TF_AS_BATCH, AT(batch_first),
	    AT(has_batch) },
	[TF_F_BOOT] = { "boot", TF_FORM_BOOT, TF_AS_STRING, AT(boot), 0 },
	[TF_F_CAUSE] = { "cause", TF_FORM_WORD, TF_AS_STRING, AT(cause), 0 },
	[TF_F_CHAIN] = { "chain", TF_FORM_CONTENT, TF_AS_CONTENT, AT(chain),
	    AT(has_chain) },
	[TF_F_CHUNKS] = { "chunks", TF_FORM_CHUNKS, TF_AS_RAW, AT(chunks), 0 },
	[TF_F_CLAIMANTS] = { "claimants", TF_FORM_UIDS, TF_AS_RAW,
	    AT(claimants), 0 },
	[TF_F_CLAIMS] = { "claims", TF_FORM_CLAIMS, TF_AS_RAW, AT(claims), 0 },
	[TF_F_CLOCK] = { "clock", TF_FORM_TIME, TF_AS_TIME, AT(clock),
	    AT(has_clock) },
	[TF_F_COMPLIANT] = { "compliant", TF_FORM_BOOL, TF_AS_FLAG,
	    AT(compliant), AT(has_compliant) },
	[TF_F_CONTENT] = { "content", TF_FORM_CONTENT, TF_AS_CONTENT,
	    AT(content), AT(has_content) },
	[TF_F_COUNT] = { "count", TF_FORM_UINT, TF_AS_NUMBER, AT(count),
	    AT(has_count) },
	[TF_F_CREATED] = { "created", TF_FORM_TIME, TF_AS_TIME, AT(created),
	    0 },
	[TF_F_CTIME] = { "ctime", TF_FORM_TIME, TF_AS_TIME, AT(ctime), 0 },
	[TF_F_DEFINITION] = { "definition", TF_FORM_DEFINITION,
	    TF_AS_DEFINITION, AT(definition_content), AT(has_definition) },
	[TF_F_DENIED] = { "denied", TF_FORM_UINT, TF_AS_NUMBER, AT(denied),
	    AT(has_denied) },
	[TF_F_DRAFT] = { "draft", TF_FORM_NAME, TF_AS_STRING, AT(draft), 0 },
	[TF_F_ENCRYPTION] = { "encryption", TF_FORM_ENCRYPTION,
	    TF_AS_ENCRYPTION, AT(encryption_format), AT(has_encryption) },
	[TF_F_EVALUATED] = { "evaluated", TF_FORM_EVALUATED, TF_AS_RAW,
	    AT(evaluated), 0 },
	[TF_F_EVIDENCE] = { "evidence", TF_FORM_EVIDENCE, TF_AS_EVIDENCE,
	    AT(evidence_bytes), AT(has_evidence) },
	[TF_F_EXPECTED] = { "expected", TF_FORM_TIME, TF_AS_TIME, AT(expected),
	    0 },
	[TF_F_FLUSHED] = { "flushed", TF_FORM_CONTENT, TF_AS_CONTENT,
	    AT(flushed), AT(has_flushed) },
	[TF_F_GROWN] = { "grown", TF_FORM_UINT, TF_AS_NUMBER, AT(grown),
	    AT(has_grown) },
	[TF_F_HOLD] = { "hold", TF_FORM_HOLD, TF_AS_STRING, AT(hold), 0 },
	[TF_F_HOME] = { "home", TF_FORM_HOME, TF_AS_RAW, AT(home), 0 },
	[TF_F_HOST] = { "host", TF_FORM_HINT256, TF_AS_STRING, AT(host), 0 },
	[TF_F_HOST_CLOCK] = { "hostClock", TF_FORM_HOST_CLOCK, TF_AS_RAW,
	    AT(host_clock), 0 },
	[TF_F_IMPORTED] = { "imported", TF_FORM_IMPORTED, TF_AS_RAW,
	    AT(imported), 0 },
	[TF_F_KEY] = { "key", TF_FORM_KEY, TF_AS_STRING, AT(anchor_key), 0 },
	[TF_F_KEYS] = { "keys", TF_FORM_KEYS, TF_AS_KEYS, AT(key_log), 0 },
	[TF_F_KIND] = { "kind", TF_FORM_WORD, TF_AS_STRING, AT(anchor_kind),
	    0 },
	[TF_F_MTIME] = { "mtime", TF_FORM_TIME, TF_AS_TIME, AT(mtime), 0 },
	[TF_F_NAME] = { "name", TF_FORM_ANCHOR_NAME, TF_AS_STRING,
	    AT(anchor_name), 0 },
	[TF_F_NEW] = { "new", TF_FORM_KEY, TF_AS_STRING, AT(key_new), 0 },
	[TF_F_NEW_SIG] = { "newSig", TF_FORM_SIGNATURE, TF_AS_STRING,
	    AT(new_sig), 0 },
	[TF_F_NODE] = { "node", TF_FORM_NODE, TF_AS_NUMBER, AT(node),
	    AT(has_node) },
	[TF_F_OLD] = { "old", TF_FORM_KEY, TF_AS_STRING, AT(key_old), 0 },
	[TF_F_OLD_SIG] = { "oldSig", TF_FORM_SIGNATURE, TF_AS_STRING,
	    AT(old_sig), 0 },
	[TF_F_OPTIONS] = { "options", TF_FORM_OPTIONS, TF_AS_RAW, AT(options),
	    0 },
	[TF_F_ORIGIN] = { "origin", TF_FORM_ORIGIN, TF_AS_STRING, AT(origin),
	    0 },
	[TF_F_PACKAGE] = { "package", TF_FORM_CONTENT, TF_AS_CONTENT,
	    AT(package), 0 },
	[TF_F_PATH] = { "path", TF_FORM_PATH, TF_AS_STRING, AT(path), 0 },
	[TF_F_PREVIOUS] = { "previous", TF_FORM_PREVIOUS, TF_AS_RAW,
	    AT(previous), 0 },
	[TF_F_PROGRAM] = { "program", TF_FORM_WORD, TF_AS_STRING, AT(program),
	    0 },
	[TF_F_PROPOSAL] = { "proposal", TF_FORM_UINT, TF_AS_NUMBER,
	    AT(proposal), AT(has_proposal) },
	[TF_F_PROVEN] = { "proven", TF_FORM_POSITIVE, TF_AS_NUMBER, AT(proven),
	    AT(has_proven) },
	[TF_F_READS] = { "reads", TF_FORM_READS, TF_AS_READS, AT(reads), 0 },
	[TF_F_REASON] = { "reason", TF_FORM_TEXT2048, TF_AS_STRING, AT(reason),
	    0 },
	[TF_F_RECIPIENTS] = { "recipients", TF_FORM_TEMPLATE, TF_AS_RECIPIENTS,
	    AT(definition_content), AT(has_definition) },
	[TF_F_REPORT] = { "report", TF_FORM_CONTENT, TF_AS_CONTENT, AT(report),
	    AT(has_report) },
	[TF_F_RETENTION] = { "retention", TF_FORM_RETENTION, TF_AS_RETENTION,
	    AT(retention), AT(has_retention) },
	[TF_F_RUN] = { "run", TF_FORM_VERIFY_RUN, TF_AS_RAW, AT(run), 0 },
	[TF_F_SEQ] = { "seq", TF_FORM_UINT, TF_AS_NUMBER, AT(seq), 0 },
	[TF_F_SOFTWARE] = { "software", TF_FORM_SOFTWARE, TF_AS_RAW,
	    AT(software), 0 },
	[TF_F_SOURCE] = { "source", TF_FORM_SOURCE, TF_AS_RAW, AT(source), 0 },
	[TF_F_STATEMENT] = { "statement", TF_FORM_STATEMENT, TF_AS_STATEMENT,
	    AT(statement), AT(has_evidence) },
	[TF_F_STORE] = { "store", TF_FORM_STORE, TF_AS_STRING, AT(store), 0 },
	[TF_F_TARGET] = { "target", TF_FORM_UINT, TF_AS_NUMBER, AT(target),
	    AT(has_target) },
	[TF_F_TEMPLATE_VERSION] = { "template", TF_FORM_POSITIVE, TF_AS_NUMBER,
	    AT(template_version), AT(has_template) },
	[TF_F_TEMPLATE] = { "template", TF_FORM_TEMPLATE, TF_AS_TEMPLATE,
	    AT(template_content), AT(has_template) },
	[TF_F_TO] = { "to", TF_FORM_TEXT512, TF_AS_STRING, AT(to), 0 },
	[TF_F_TREE] = { "tree", TF_FORM_TREE, TF_AS_TREE, AT(tree_root), 0 },
	[TF_F_TYPE] = { "type", TF_FORM_TYPE, TF_AS_TYPE, AT(type_name), 0 },
	[TF_F_UNTIL] = { "until", TF_FORM_TIME, TF_AS_TIME, AT(until),
	    AT(has_until) },
	[TF_F_USE] = { "use", TF_FORM_WORD, TF_AS_STRING, AT(use), 0 },
	[TF_F_V] = { "v", TF_FORM_POSITIVE, TF_AS_VERSION, AT(v), 0 },
	[TF_F_WHAT] = { "what", TF_FORM_WORD, TF_AS_STRING, AT(what), 0 },
	[TF_F_WORKFLOWS] = { "workflows", TF_FORM_CHILDREN, TF_AS_CHILDREN,
	    AT(children_count), AT(has_children) },
	[TF_F_WRITERS] = { "writers", TF_FORM_UIDS, TF_AS_RAW, AT(writers), 0 },
	[TF_F_XATTRS] = { "xattrs", TF_FORM_XATTRS, TF_AS_RAW, AT(xattrs), 0 },
};

#define DEEP 1024 /* names; no path has more */

const struct tf_entry_type tf_entry_types[TF_TYPES] = {
	[TF_TYPE_UNKNOWN] = { "", 0, TF_BIT(NODE) | TF_BIT(PATH), 0, DEEP,
	    true },
	[TF_LEDGER_OPENED] = { "ledger.opened",
	    TF_BIT(BOOT) | TF_BIT(HOST) | TF_BIT(KEYS) | TF_BIT(PROGRAM) |
		TF_BIT(SOFTWARE) | TF_BIT(STORE),
	    TF_BIT(ACCESS) | TF_BIT(HOME) | TF_BIT(HOST_CLOCK) |
		TF_BIT(OPTIONS) | TF_BIT(PREVIOUS),
	    0, 0, true },
	[TF_LEDGER_CLOSED] = { "ledger.closed", TF_BIT(REASON), TF_BIT(DENIED),
	    0, 0, true },
	[TF_TRAIL_CREATED] = { "trail.created",
	    TF_BIT(ACCESS) | TF_BIT(NODE) | TF_BIT(PATH), 0, 1, 1, false },
	[TF_WORKFLOW_BEGUN] = { "workflow.begun",
	    TF_BIT(ACCESS) | TF_BIT(NODE) | TF_BIT(PATH),
	    TF_BIT(TEMPLATE_VERSION), 2, 2, false },
	[TF_ATTESTATION_BEGUN] = { "attestation.begun",
	    TF_BIT(ACCESS) | TF_BIT(NODE) | TF_BIT(PATH), 0, 3, 3, false },
	[TF_DIRECTORY_CREATED] = { "directory.created",
	    TF_BIT(NODE) | TF_BIT(PATH), TF_BIT(ACCESS), 4, DEEP, false },
	[TF_EVIDENCE_SEALED] = { "evidence.sealed",
	    TF_BIT(ACCESS) | TF_BIT(CONTENT) | TF_BIT(CREATED) | TF_BIT(CTIME) |
		TF_BIT(MTIME) | TF_BIT(NODE) | TF_BIT(PATH),
	    TF_BIT(ENCRYPTION) | TF_BIT(GROWN) | TF_BIT(PROVEN) |
		TF_BIT(WRITERS) | TF_BIT(XATTRS),
	    4, DEEP, false },
	[TF_EVIDENCE_FLUSHED] = { "evidence.flushed",
	    TF_BIT(FLUSHED) | TF_BIT(NODE) | TF_BIT(PATH), TF_BIT(ENCRYPTION),
	    4, DEEP, false },
	[TF_EVIDENCE_GROWN] = { "evidence.grown",
	    TF_BIT(CHUNKS) | TF_BIT(NODE) | TF_BIT(PATH), 0, 4, DEEP, true },
	[TF_EVIDENCE_INTERRUPTED] = { "evidence.interrupted",
	    TF_BIT(CONTENT) | TF_BIT(DRAFT) | TF_BIT(PATH), 0, 4, DEEP, false },
	[TF_EVIDENCE_READ] = { "evidence.read", TF_BIT(PATH) | TF_BIT(READS), 0,
	    1, 1, true },
	[TF_ATTESTATION_SEALED] = { "attestation.sealed",
	    TF_BIT(EVIDENCE) | TF_BIT(PATH) | TF_BIT(STATEMENT),
	    TF_BIT(ACCESS) | TF_BIT(CLAIMANTS) | TF_BIT(CLAIMS) |
		TF_BIT(EVALUATED),
	    3, 3, false },
	[TF_WORKFLOW_SEALED] = { "workflow.sealed",
	    TF_BIT(ATTESTATIONS) | TF_BIT(PATH), TF_BIT(ACCESS), 2, 2, false },
	[TF_TRAIL_SEALED] = { "trail.sealed", TF_BIT(PATH) | TF_BIT(WORKFLOWS),
	    TF_BIT(ACCESS), 1, 1, false },
	[TF_TEMPLATE_SET] = { "template.set", TF_BIT(PATH) | TF_BIT(TEMPLATE),
	    0, 1, 1, false },
	[TF_TYPE_SET] = { "type.set", TF_BIT(DEFINITION) | TF_BIT(PATH), 0, 1,
	    1, false },
	[TF_RECIPIENTS_SET] = { "recipients.set",
	    TF_BIT(PATH) | TF_BIT(RECIPIENTS), 0, 1, 1, false },
	[TF_CLAIMS_SET] = { "claims.set", TF_BIT(PATH), TF_BIT(CLAIMS), 1, 2,
	    false },
	[TF_ATTESTATION_OVERRIDDEN] = { "attestation.overridden",
	    TF_BIT(COMPLIANT) | TF_BIT(PATH) | TF_BIT(REASON) | TF_BIT(TARGET),
	    0, 3, 3, false },
	[TF_ACCESS_CHANGED] = { "access.changed", TF_BIT(ACCESS) | TF_BIT(PATH),
	    TF_BIT(NODE), 0, DEEP, false },
	[TF_PACKAGE_MADE] = { "package.made",
	    TF_BIT(PACKAGE) | TF_BIT(PATH) | TF_BIT(TREE), TF_BIT(TO), 0, DEEP,
	    false },
	[TF_REDACTION_PROPOSED] = { "redaction.proposed",
	    TF_BIT(CONTENT) | TF_BIT(PATH) | TF_BIT(REASON) | TF_BIT(TARGET) |
		TF_BIT(WHAT),
	    0, 0, DEEP, false },
	[TF_REDACTION_DONE] = { "redaction.done",
	    TF_BIT(CONTENT) | TF_BIT(PATH) | TF_BIT(REASON) | TF_BIT(TARGET) |
		TF_BIT(WHAT),
	    TF_BIT(COUNT) | TF_BIT(PROPOSAL) | TF_BIT(REPORT), 0, DEEP, false },
	[TF_HOLD_PLACED] = { "hold.placed",
	    TF_BIT(HOLD) | TF_BIT(PATH) | TF_BIT(REASON), TF_BIT(UNTIL), 0,
	    DEEP, false },
	[TF_HOLD_RELEASED] = { "hold.released",
	    TF_BIT(HOLD) | TF_BIT(PATH) | TF_BIT(REASON), 0, 0, DEEP, false },
	[TF_RETENTION_SET] = { "retention.set",
	    TF_BIT(PATH) | TF_BIT(RETENTION), 0, 1, 3, false },
	[TF_KEY_ROTATED] = { "key.rotated",
	    TF_BIT(NEW) | TF_BIT(OLD) | TF_BIT(USE),
	    TF_BIT(NEW_SIG) | TF_BIT(OLD_SIG), 0, 0, false },
	[TF_CLOCK_JUMPED] = { "clock.jumped", TF_BIT(EXPECTED), 0, 0, 0, true },
	[TF_CLOCK_OBSERVED] = { "clock.observed", TF_BIT(HOST_CLOCK), 0, 0, 0,
	    true },
	[TF_IMPORT_DONE] = { "import.done",
	    TF_BIT(COUNT) | TF_BIT(PATH) | TF_BIT(SOURCE), 0, 1, 1, false },
	[TF_ANCHOR_ADDED] = { "anchor.added",
	    TF_BIT(CONTENT) | TF_BIT(KIND) | TF_BIT(NAME) | TF_BIT(TREE),
	    TF_BIT(CHAIN) | TF_BIT(KEY), 0, 0, false },
	[TF_VERIFY_DONE] = { "verify.done", TF_BIT(PATH) | TF_BIT(TREE),
	    TF_BIT(RUN), 0, 0, false },
	[TF_VERIFY_FAILED] = { "verify.failed", TF_BIT(PATH) | TF_BIT(RUN), 0,
	    0, 0, false },
};

enum tf_entry_kind
tf_entry_type_of(struct tf_str name)
{
	for (unsigned t = TF_TYPE_UNKNOWN + 1; t < TF_TYPES; t++) {
		if (tf_str_same(name, tf_str_of(tf_entry_types[t].name)))
			return t;
	}
	return TF_TYPE_UNKNOWN;
}

const struct tf_entry_field *
tf_entry_find_field(struct tf_str key, tf_field_set may)
{
	unsigned lo = 0, hi = TF_FIELDS;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		const char *k = tf_entry_fields[mid].key;
		size_t n = strlen(k);
		int c = memcmp(k, key.p, n < key.n ? n : key.n);

		if (c == 0 && n == key.n) {
			/* The search may find either line of template. */
			if (mid == TF_F_TEMPLATE_VERSION &&
			    may & TF_BIT(TEMPLATE))
				mid = TF_F_TEMPLATE;
			else if (mid == TF_F_TEMPLATE &&
			    !(may & TF_BIT(TEMPLATE)))
				mid = TF_F_TEMPLATE_VERSION;
			return may >> mid & 1 ? &tf_entry_fields[mid] : NULL;
		}
		if (c < 0 || (c == 0 && n < key.n))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
