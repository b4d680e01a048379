/*
 * HTML output.  No other file turns text into markup.  A caller passes markup
 * as a literal format and all text as arguments, which are always escaped: a
 * name in the vault cannot inject markup.
 */
#ifndef TF_BASE_HTML_H
#define TF_BASE_HTML_H

#include "../json.h"

/*
 * Append the markup fmt to out.  %s and %.*s insert escaped text, inside an
 * element or a quoted attribute; %u, %zu and %llu insert a number (%llu with a
 * comma after every three digits); %% inserts a percent sign.  Any other
 * conversion aborts.  Bytes that are not UTF-8 and bidi controls, which would
 * reorder the text around them, are replaced by visible escapes.
 */
void tf_html(struct tf_buf *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Append the digest of text, a style or a script, as a Content-Security-Policy in an
 * attribute has it. */
void tf_html_digest(struct tf_buf *out, const char *text);

/* Append a relative path to out, percent-encoded except for its slashes.  The
 * result is text: pass it to tf_html for an attribute. */
void tf_html_path(struct tf_buf *out, const char *path, size_t n);

#endif
