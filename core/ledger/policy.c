/*
 * The append-only rule.  Pure: the arguments alone decide.  This is the one
 * place that says which request a file of each state takes (F1 of
 * core/node/pending.h): the vault asks before it changes anything, and
 * recovery asks which places a node may have.  Requests that the kernel has
 * checked by mode and owner are not checked for that again; what needs more
 * than one node, such as the length of paths, is decided by the caller.
 */
#include "../base/mutant.h"
#include "name.h"
#include "policy.h"

static bool
owner_or_root(const struct tf_subject *s, uint32_t caller_uid)
{
	return caller_uid == 0 || caller_uid == s->uid;
}

/*
 * Another user of the same directory may add files, and not touch those of
 * others.
 */
static enum tf_code
only_owner(const struct tf_subject *s, uint32_t caller_uid)
{
	return owner_or_root(s, caller_uid) ? TF_OK : TF_DENIED;
}

/* Only one uid at a time may write a file, in every state. */
static enum tf_code
one_writer(const struct tf_subject *s)
{
	return s->open_by_other ? TF_BUSY : TF_OK;
}

/*
 * Nothing was written, so nothing is lost when the file is replaced or
 * removed.
 */
static enum tf_code
placeholder(const struct tf_subject *s, enum tf_request req, uint32_t uid)
{
	switch (req) {
	case TF_REQ_WRITE_OPEN:
	case TF_REQ_TRUNCATE_OPEN:
		return one_writer(s);
	case TF_REQ_SETMETA:
	case TF_REQ_UNLINK:
	case TF_REQ_RENAME:
	case TF_REQ_RENAME_DRAFT:
	case TF_REQ_REPLACE:
		return only_owner(s, uid);
	default:
		/* truncate(2) has no RELEASE that would freeze the result. */
		return TF_DENIED;
	}
}

/*
 * Bytes were written: from now on no byte may be taken back by cutting the
 * file or removing its name.
 */
static enum tf_code
open_file(const struct tf_subject *s, enum tf_request req, uint32_t uid)
{
	switch (req) {
	case TF_REQ_WRITE_OPEN:
		return one_writer(s);
	case TF_REQ_TRUNCATE_OPEN:
		return s->size > 0 ? TF_DENIED : one_writer(s);
	case TF_REQ_SETMETA:
	case TF_REQ_RENAME:
		return only_owner(s, uid);
	default:
		/* RENAME_DRAFT too: as a draft the file could be unlinked. */
		return TF_DENIED;
	}
}

/* A draft is the writer's own until it gets its final name. */
static enum tf_code
draft(const struct tf_subject *s, enum tf_request req, uint32_t uid)
{
	switch (req) {
	case TF_REQ_WRITE_OPEN:
	case TF_REQ_TRUNCATE_OPEN:
		return one_writer(s);
	case TF_REQ_TRUNCATE_PATH:
		return TF_OK;
	default:
		return only_owner(s, uid);
	}
}

static enum tf_code
file(const struct tf_subject *s, enum tf_request req, uint32_t uid)
{
	if (req == TF_REQ_RMDIR || req == TF_REQ_ADD)
		return TF_NOTDIR;
	switch (s->state) {
	case TF_STATE_PLACEHOLDER:
		return placeholder(s, req, uid);
	case TF_STATE_OPEN:
		return open_file(s, req, uid);
	case TF_STATE_DRAFT:
		return draft(s, req, uid);
	case TF_STATE_FROZEN:
		if (req == TF_REQ_SETMETA || req == TF_REQ_RENAME)
			return only_owner(s, uid);
		return TF_SEALED;
	default:
		return TF_SEALED;
	}
}

/* Decide whether a directory may be renamed, replaced or removed. */
static enum tf_code
leave(const struct tf_subject *s, uint32_t caller_uid)
{
	if (s->kind == TF_KIND_ROOT)
		return TF_DENIED;
	if (!s->has_entry && s->state != TF_STATE_SEALED)
		return only_owner(s, caller_uid);
	return s->kind == TF_KIND_DIRECTORY ? TF_SEALED : TF_DENIED;
}

static enum tf_code
directory(const struct tf_subject *s, enum tf_request req, uint32_t caller_uid)
{
	switch (req) {
	case TF_REQ_ADD:
		return s->state == TF_STATE_SEALED ? TF_READONLY : TF_OK;
	case TF_REQ_SETMETA:
		/* setattr.c and dir_mode.c refuse a new write bit on a sealed
		 * directory, because they know the old and the new mode. */
		return TF_OK;
	case TF_REQ_RMDIR:
	case TF_REQ_RENAME:
	case TF_REQ_RENAME_DRAFT:
	case TF_REQ_REPLACE:
		return leave(s, caller_uid);
	default:
		return TF_ISDIR;
	}
}

enum tf_code
tf_policy(const struct tf_subject *s, enum tf_request req, uint32_t caller_uid)
{
	if (TF_IS_MUTANT(TF_ALLOW_SEALED))
		return TF_OK;
	if (s->kind == TF_KIND_EVIDENCE)
		return file(s, req, caller_uid);
	return directory(s, req, caller_uid);
}

enum tf_code
tf_policy_child(enum tf_kind parent, bool directory, enum tf_kind *child)
{
	switch (parent) {
	case TF_KIND_ROOT:
	case TF_KIND_TRAIL:
	case TF_KIND_WORKFLOW:
		if (!directory)
			return TF_DENIED;
		*child = parent + 1;
		return TF_OK;
	case TF_KIND_ATTESTATION:
	case TF_KIND_DIRECTORY:
		*child = directory ? TF_KIND_DIRECTORY : TF_KIND_EVIDENCE;
		return TF_OK;
	default:
		return TF_DENIED;
	}
}

bool
tf_policy_may_wait(enum tf_kind kind, const char *name, size_t n)
{
	if (kind < TF_KIND_ATTESTATION)
		return false; /* their entry is written when they are created */
	return kind == TF_KIND_ATTESTATION ?
	    tf_name_draft_attestation(name, n) :
	    tf_name_check(kind, name, n, NULL) == TF_OK;
}

/* The rule of tf_policy_child(), asked the other way round. */
bool
tf_policy_may_hold(enum tf_kind parent, enum tf_kind kind)
{
	enum tf_kind child;

	return tf_policy_child(parent, kind != TF_KIND_EVIDENCE, &child) ==
	    TF_OK &&
	    child == kind;
}

/*
 * Advice says what the user can do instead; one sentence without a full stop.
 */
static const char *
advice_directory(const struct tf_subject *s, enum tf_request req)
{
	switch (req) {
	case TF_REQ_ADD:
		if (s->state != TF_STATE_SEALED)
			return "only directories may stand here";
		if (s->kind == TF_KIND_ATTESTATION ||
		    s->kind == TF_KIND_DIRECTORY)
			return "report again with mkdir NAME@2";
		return "begin a new one beside it";
	case TF_REQ_RMDIR:
	case TF_REQ_RENAME:
	case TF_REQ_RENAME_DRAFT:
	case TF_REQ_REPLACE:
		if (!s->has_entry && s->state != TF_STATE_SEALED)
			return "only its owner or root may do that";
		return "its name is in the ledger and stays";
	default:
		return "it is a directory";
	}
}

const char *
tf_policy_advice(const struct tf_subject *s, enum tf_request req)
{
	if (s->kind != TF_KIND_EVIDENCE)
		return advice_directory(s, req);
	if (req == TF_REQ_RMDIR || req == TF_REQ_ADD)
		return "it is not a directory";
	switch (s->state) {
	case TF_STATE_SEALED:
		if (req == TF_REQ_SETMETA)
			return "it is sealed; only the reading bits of its "
			       "mode and its group may change";
		return "it is sealed; write a new file, or report again with "
		       "mkdir NAME@2";
	case TF_STATE_FROZEN:
		if (req == TF_REQ_SETMETA || req == TF_REQ_RENAME)
			return "only its owner or root may settle it";
		return "it was closed, which froze its bytes; write a new file";
	case TF_STATE_OPEN:
		if (s->open_by_other &&
		    (req == TF_REQ_WRITE_OPEN || req == TF_REQ_TRUNCATE_OPEN))
			return "another user writes it; write another name";
		return "write to a draft name (NAME.tmp) and rename it";
	default:
		if (req == TF_REQ_TRUNCATE_PATH)
			return "open it and truncate through the handle";
		if (s->open_by_other)
			return "another user writes it; write another name";
		return "only its owner or root may do that";
	}
}
