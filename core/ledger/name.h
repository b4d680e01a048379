/*
 * The rule of names: which names are legal at each level, which are reserved,
 * and which are drafts.  No other file examines the characters of a name.  All
 * functions are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_NAME_H
#define TF_LEDGER_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "../error.h"
#include "../types.h"

#define TF_NAME_MAX 255	       /* bytes per name */
#define TF_PATH_BELOW_MAX 1024 /* bytes of the path below an attestation */
/* Levels of directories from the root to the deepest evidence. */
#define TF_DEPTH_MAX (TF_PATH_BELOW_MAX / 2 + 4)
#define TF_PATH_MAX (767 + 1 + TF_PATH_BELOW_MAX)
#define TF_NAME_CONTROL ".trailfs"

/*
 * Check that name (n bytes) is legal for a node of this kind.  Trails,
 * workflows and attestations: [A-Za-z0-9][A-Za-z0-9._~-]*; an attestation may
 * also be "NAME@N" with N from 2, decimal, at most 6 digits, no leading zero.
 * Evidence and directories below an attestation: valid UTF-8 without control
 * characters (C0, DEL, C1, U+2028, U+2029) and bidi controls (U+061C, U+200E,
 * U+200F, U+202A-202E, U+2066-2069).
 * Errors: TF_NAMETOOLONG, TF_BADUTF8, TF_BADNAME, TF_DENIED (reserved).
 * The name of a draft attestation is not legal here: see
 * tf_name_draft_attestation.
 */
TF_MUST_USE enum tf_code tf_name_check(enum tf_kind kind, const char *name,
    size_t n, struct tf_error *err);

/*
 * True if name, in a workflow, is the name of a draft attestation: '.' and a
 * legal attestation name without "@N".  ".trailfs" is reserved and is not one.
 */
bool tf_name_draft_attestation(const char *name, size_t n);

/*
 * True if a file of this name is a draft: ".NAME.XXXXXX" (six letters or
 * digits, at least one of them a digit or capital; NAME not empty), ".*.sw?",
 * ".*.sw?x", ".sw?", ".sw?x", ".#*", "#*#", ".~lock.*#", "~$*", ".*.kate-swp",
 * ".goutputstream-*", ".fuse_hidden*", ".nfs*", and every name that ends in
 * "~ .tmp .part .partial .crdownload .filepart .aria2".
 */
bool tf_name_draft(const char *name, size_t n);
/*
 * True if a file of this name is evidence, but a program may have made the name
 * up as that of a temporary file: ".NAME.xxxxxx" with six small letters.  One in
 * 185 of rsync's names is such, and ".env.sample" too.
 */
bool tf_name_may_be_draft(const char *name, size_t n);
/*
 * True if every file below a directory of this name is a draft: ".~tmp~",
 * ".rsync-partial".
 */
bool tf_name_draft_dir(const char *name, size_t n);

/*
 * True if a desktop leaves a file of this path beside the files of its user:
 * ".DS_Store", "._*", "Thumbs.db", "desktop.ini", and all below a topmost
 * "__MACOSX".  Such files may be evidence, too: ask only about files that nothing
 * names.
 */
bool tf_name_of_desktop(const char *path, size_t n);

/*
 * True if a file of this path in a copy of a vault is no evidence, but a draft,
 * or of a draft attestation.  levels: how many of the first names of the path
 * are those of a trail, a workflow or an attestation, 0 to 3.
 */
bool tf_name_draft_path(const char *path, size_t n, unsigned levels);

/*
 * Return the length of the part before "@N" and set *version to N.  Without
 * "@", return n and set *version to 1.
 */
size_t tf_name_version(const char *name, size_t n, unsigned *version);

/*
 * Make the name of the draft that holds an interrupted write:
 * NAME.<YYYYMMDDTHHMMSSZ>.interrupted.part.  NAME is cut at a character
 * boundary so that the result has at most 255 bytes.
 */
void tf_name_interrupted(const char *name, size_t n, struct tf_time at,
    char out[TF_NAME_MAX + 1]);

/*
 * True if s is a legal ledger origin: 1..128 characters of A-Za-z0-9._~:/- and
 * not "cosignature/v1".
 */
bool tf_origin_ok(const char *s, size_t n);

#endif
