/*
 * HTML: the one place where text becomes markup.  Whoever writes a page gives
 * markup as a literal and everything else as an argument, and arguments are
 * always escaped.
 */
#ifndef TF_BASE_HTML_H
#define TF_BASE_HTML_H

#include "../json.h"

/*
 * Append fmt, which is markup, to out.  In it %s and %.*s are text, fit for
 * elements and for quoted attributes; %u, %zu and %llu are numbers (%llu with a
 * comma after each three digits); %% is a per cent sign.  Nothing else.
 * Text that is not UTF-8 and characters that would turn the text around them
 * (bidi controls) come out visibly.
 */
void tf_html(struct tf_buf *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A relative path, percent-encoded but for its slashes, onto out: then text
 * for an attribute. */
void tf_html_path(struct tf_buf *out, const char *path, size_t n);

#endif
