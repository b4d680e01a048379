/*
 * Patterns of checks: POSIX extended regular expressions that cannot run away.
 *
 * A pattern is matched against bytes, in the C locale, anywhere in the text
 * unless it has ^ or $.  Refused is what regcomp(3) of different systems reads
 * differently, and what needs memory or time out of proportion: characters that
 * are not printable ASCII, a backslash before anything but one of
 * . [ ] { } ( ) * + ? ^ $ | \ and anywhere inside brackets, equivalence classes
 * and collating symbols, ^ and $ other than at the start and the end of the
 * pattern or of a branch that is not in parentheses, empty branches, repeats of
 * repeats, more than 255 repeats, and patterns that would be longer than
 * TF_PATTERN_SIZE atoms if each repeat were written out.
 */
#ifndef TF_LEDGER_PATTERN_H
#define TF_LEDGER_PATTERN_H

#include <regex.h>

#include "../json.h"

#define TF_PATTERN_BYTES 256
#define TF_PATTERN_SIZE 256	 /* atoms, repeats written out */
#define TF_PATTERN_SUBJECT 4096u /* bytes of a text that is matched */

/* Set *size to the atoms of the pattern.  Errors: TF_INVALID, with the reason in
 * err, if the pattern is not allowed; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_pattern_check(struct tf_str pattern, unsigned *size,
    struct tf_error *err);

/* A compiled pattern; {0} is valid.  It belongs to one thread. */
struct tf_pattern {
	bool compiled;
	regex_t re;
	size_t used; /* bytes matched since it was compiled */
};

/*
 * Match an allowed pattern, which is the same in every call with this p.
 * A text with more than TF_PATTERN_SUBJECT bytes or with a NUL is not matched:
 * *readable becomes false then.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_pattern_match(struct tf_pattern *p,
    struct tf_str pattern, struct tf_str text, bool *readable, bool *matches,
    struct tf_error *err);
void tf_pattern_free(struct tf_pattern *p);

#endif
