/* Lines of files of recipients and of identities.  Pure, safe from many threads
 * at once. */
#ifndef TF_CRYPT_LINE_H
#define TF_CRYPT_LINE_H

#include "../error.h"
#include "../types.h"

/* Take the next line from *text, which is not empty.  Its end, LF or CR LF, is
 * not part of the result. */
struct tf_str tf_line_next(struct tf_str *text);
bool tf_line_begins(struct tf_str line, const char *with);
/* Fail as why says, with the number of the line before its text. */
enum tf_code tf_line_fail(struct tf_error *err, size_t line,
    const struct tf_error *why);

#endif
