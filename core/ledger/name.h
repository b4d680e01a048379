/*
 * The rule of names: what may stand at each level, what is reserved, what is a
 * draft.  One place; nobody else looks at the characters of a name.
 */
#ifndef TF_LEDGER_NAME_H
#define TF_LEDGER_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "../error.h"
#include "../types.h"

#define TF_NAME_MAX 255	       /* bytes a name */
#define TF_PATH_BELOW_MAX 1024 /* bytes of the path below an attestation */
/* Directories above one another, from the root to the deepest evidence. */
#define TF_DEPTH_MAX (TF_PATH_BELOW_MAX / 2 + 4)
#define TF_PATH_MAX (767 + 1 + TF_PATH_BELOW_MAX)
#define TF_NAME_CONTROL ".trailfs"

/*
 * May a node of this kind be called name (n bytes)?  Trails, workflows and
 * attestations: [A-Za-z0-9][A-Za-z0-9._~-]*, an attestation also "NAME@N" with
 * N from 2, decimal, at most 6 digits, no leading zero.  Evidence and the
 * directories below an attestation: valid UTF-8 without control characters
 * (C0, DEL, C1, U+2028, U+2029) and bidi controls (U+061C, U+200E, U+200F,
 * U+202A-202E, U+2066-2069).
 * Errors: TF_NAMETOOLONG, TF_BADUTF8, TF_BADNAME, TF_DENIED (reserved).
 * A draft attestation ("." and a legal attestation name without "@N") is not
 * legal here: see tf_name_draft_attestation.
 */
TF_MUST_USE enum tf_code tf_name_check(enum tf_kind kind, const char *name,
    size_t n, struct tf_error *err);

/* Is name, in a workflow, that of a draft attestation?  '.' and then the rule
 * of names of the upper levels; ".trailfs" is not. */
bool tf_name_draft_attestation(const char *name, size_t n);

/*
 * Is a file of this name a draft?  ".NAME.XXXXXX" (six letters or digits, at
 * least one of them a digit or capital; NAME not empty), ".*.sw?",
 * ".*.sw?x", ".sw?", ".sw?x", ".#*", "#*#", ".~lock.*#", "~$*", ".*.kate-swp",
 * ".goutputstream-*", ".fuse_hidden*", ".nfs*", and what ends in
 * "~ .tmp .part .partial .crdownload .filepart .aria2".
 */
bool tf_name_draft(const char *name, size_t n);
/* Is all below a directory of this name draft?  ".~tmp~", ".rsync-partial". */
bool tf_name_draft_dir(const char *name, size_t n);

/* Length of the part before "@N" and N (1 when there is no "@"). */
size_t tf_name_version(const char *name, size_t n, unsigned *version);

/*
 * Name of the draft that an interrupted write leaves:
 * NAME.<YYYYMMDDTHHMMSSZ>.interrupted.part, NAME cut at a character boundary
 * where 255 bytes would be passed.
 */
void tf_name_interrupted(const char *name, size_t n, struct tf_time at,
    char out[TF_NAME_MAX + 1]);

/* A ledger's origin: 1..128 of A-Za-z0-9._~:/- and not "cosignature/v1". */
bool tf_origin_ok(const char *s, size_t n);

#endif
