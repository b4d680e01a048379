/* Links from a page to other pages and files. */
#ifndef TF_VIEW_PAGE_LINKS_H
#define TF_VIEW_PAGE_LINKS_H

#include "../page.h"
#include "../types.h"

struct tf_page;

/* Write text, as a link if the file exists.  name and path: as in struct
 * tf_page_target, or absent.  text is escaped and the target is percent-encoded
 * here. */
void tf_page_link(struct tf_page *p, enum tf_page_link link, struct tf_str name,
    struct tf_str path, struct tf_str text);

/* The same for a fixed text. */
void tf_page_word(struct tf_page *p, enum tf_page_link link, struct tf_str name,
    struct tf_str path, const char *text);

/* Write the last item of a list of facts, the files of the directory that are
 * for programs, and end the list.  package.zip is among them if it exists and
 * the asker may open it. */
void tf_page_programs(struct tf_page *p);

#endif
