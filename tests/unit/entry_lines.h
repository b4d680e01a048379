/* Lines of the published entries, and copies of them with other bytes. */
#ifndef TESTS_UNIT_ENTRY_LINES_H
#define TESTS_UNIT_ENTRY_LINES_H

#include "../../core/json.h"

/* The vectors with entries of known types. */
extern const char *const known_files[2];

/* The decoder's answer to n bytes. */
enum tf_code judge(const char *bytes, size_t n);
/* Position of a text in a line, or NULL. */
const char *find(struct tf_str line, const char *text);
/* True if the line has this type. */
bool is_type(struct tf_str line, const char *type);
/* The first line of the vectors that has this type and holds text. */
struct tf_buf line_of(const char *type, const char *text);
/* That line with the first `from` replaced. */
struct tf_buf variant(const char *type, const char *from, const char *to);

#endif
