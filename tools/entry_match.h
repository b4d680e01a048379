/* Questions about entries that were parsed, for the filters of verbs. */
#ifndef TRAILCTL_ENTRY_MATCH_H
#define TRAILCTL_ENTRY_MATCH_H

#include "args.h"
#include "core/json.h"

/* Is token t (-1: none) this string? */
bool match_string(const struct tf_json_doc *d, int t, const char *want);
/* Is the path of the entry at or below top? An entry without a path is not. */
bool match_below(const struct tf_json_doc *d, const char *top);
/* Has the entry one of the types, or are there none? */
bool match_type(const struct tf_json_doc *d, const struct args_list *types);
/* Has the entry the claim KEY=VALUE as an annotation? */
bool match_annotation(const struct tf_json_doc *d, const char *want);
/* Has the entry an annotation KEY whose text stands apart from the entry? */
bool match_annotation_apart(const struct tf_json_doc *d, const char *want);
/* Does the entry name the user as its actor, or as the one for whom it was
 * made? */
bool match_user(const struct tf_json_doc *d, const char *user);
/* Does the last name of its path match the glob, or with a slash in the glob the
 * whole path? */
bool match_name(const struct tf_json_doc *d, const char *glob);

#endif
