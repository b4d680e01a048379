/* Kinds of nodes: the depth of a path in a vault gives the kind. */
#ifndef TRAILCTL_NODE_H
#define TRAILCTL_NODE_H

#include "core/types.h"

/* "root", "trail", "workflow", ...: the words of --json. Not freed; "?" for a
 * kind that this version does not know. */
const char *node_kind_name(enum tf_kind kind);

/*
 * The kind of the directory at path ("." is the root), by its depth alone:
 * nothing is read. Deeper than an attestation everything is TF_KIND_DIRECTORY.
 */
enum tf_kind node_kind_of_directory(const char *path);

/*
 * One sentence that says what may be done to a node of that kind in that
 * state: a word of user.trailfs.state, or "" for a name that does not exist.
 */
const char *node_rule(enum tf_kind kind, const char *state);

#endif
