/*
 * Kinds of nodes, and the rule for each kind in each state.
 *
 * A vault has a fixed depth, so the kind of a directory follows from its path
 * alone. The rules are sentences for people; the vault itself decides, and none
 * of them is a check.
 */
#include <stddef.h>
#include <string.h>

#include "node.h"

const char *
node_kind_name(enum tf_kind kind)
{
	switch (kind) {
	case TF_KIND_ROOT:
		return "root";
	case TF_KIND_TRAIL:
		return "trail";
	case TF_KIND_WORKFLOW:
		return "workflow";
	case TF_KIND_ATTESTATION:
		return "attestation";
	case TF_KIND_DIRECTORY:
		return "directory";
	case TF_KIND_EVIDENCE:
		return "evidence";
	}
	return "?";
}

enum tf_kind
node_kind_of_directory(const char *path)
{
	unsigned depth = strcmp(path, ".") != 0;

	for (; *path != '\0'; path++)
		depth += *path == '/';
	if (depth > TF_KIND_DIRECTORY)
		depth = TF_KIND_DIRECTORY;
	return (enum tf_kind)depth;
}

static const struct {
	enum tf_kind kind;
	const char *state, *rule;
} rules[] = {
	{ TF_KIND_ROOT, "open",
	    "holds trails (mkdir TRAIL) and no files; it is never sealed" },
	{ TF_KIND_TRAIL, "", "mkdir makes a trail here; files cannot be here" },
	{ TF_KIND_TRAIL, "open",
	    "holds workflows and no files; its name is in the ledger, so it is "
	    "never renamed or removed" },
	{ TF_KIND_TRAIL, "sealed",
	    "sealed: no workflow can be added; begin another trail" },
	{ TF_KIND_WORKFLOW, "",
	    "mkdir makes a workflow here; files cannot be here" },
	{ TF_KIND_WORKFLOW, "open",
	    "holds attestations and no files; its name is in the ledger, so it "
	    "is never renamed or removed" },
	{ TF_KIND_WORKFLOW, "sealed",
	    "sealed: no attestation can be added; begin another workflow" },
	{ TF_KIND_ATTESTATION, "",
	    "mkdir makes an attestation here, with a leading dot a draft; "
	    "files cannot be here; NAME@2 comes after NAME is sealed" },
	{ TF_KIND_ATTESTATION, "open",
	    "takes evidence until it is sealed; its name is in the ledger, so "
	    "it is never renamed or removed" },
	{ TF_KIND_ATTESTATION, "draft",
	    "everything in it can be changed until it is renamed to a name "
	    "without the dot, which records all of it at once" },
	{ TF_KIND_ATTESTATION, "sealed",
	    "sealed: nothing can be added; report again with mkdir NAME@2" },
	{ TF_KIND_DIRECTORY, "draft",
	    "not in the ledger yet: its owner may rename or remove it" },
	{ TF_KIND_DIRECTORY, "open",
	    "holds recorded evidence, so it is never renamed or removed" },
	{ TF_KIND_DIRECTORY, "sealed",
	    "its attestation is sealed: nothing can be added" },
	{ TF_KIND_EVIDENCE, "",
	    "a file or directory can be made here while the attestation is "
	    "open" },
	{ TF_KIND_EVIDENCE, "placeholder",
	    "never written: it may still be opened, written, removed or "
	    "replaced by its owner and root" },
	{ TF_KIND_EVIDENCE, "draft attestation",
	    "in a draft attestation: it can be changed, renamed and removed "
	    "until that is renamed to a name without the dot" },
	{ TF_KIND_EVIDENCE, "interrupted",
	    "what is left of a file that was being written when the machine or "
	    "the daemon ended: its owner may remove it, or rename it to an "
	    "ordinary name, which makes it evidence" },
	{ TF_KIND_EVIDENCE, "redacted",
	    "in the ledger, but two people have had its bytes deleted; its "
	    "name, digest and entry stay for ever" },
	{ TF_KIND_EVIDENCE, "open",
	    "being written: other users wait (EBUSY), and the last close makes "
	    "its bytes final" },
	{ TF_KIND_EVIDENCE, "draft",
	    "a temporary name: its owner may change, rename or remove it; an "
	    "ordinary name makes it evidence" },
	{ TF_KIND_EVIDENCE, "frozen",
	    "closed, so its bytes are final; name, mode and times may change "
	    "until it is sealed, in a moment" },
	{ TF_KIND_EVIDENCE, "sealed",
	    "in the ledger: its bytes and its name never change; write a new "
	    "file, or report again with mkdir NAME@2" },
};

const char *
node_rule(enum tf_kind kind, const char *state)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].kind == kind && strcmp(rules[i].state, state) == 0)
			return rules[i].rule;
	if (strcmp(state, "reserved") == 0)
		return "reserved for control files: programs read them, and "
		       "write only those that are settable (trailfs-control(5))";
	if (strcmp(state, "closing") == 0)
		return "closed with chmod a-w: nothing can be added; it is "
		       "sealed in a moment, and chmod u+w opens it again "
		       "until then";
	return "this version knows no rule for it";
}
