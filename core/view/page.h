/* What the pages of vault, trail and workflow have in common. */
#ifndef TF_VIEW_PAGE_H
#define TF_VIEW_PAGE_H

#include <stddef.h>

#include "../page.h"
#include "../store/nodes.h"
#include "view.h"

struct tf_seqs;

/* No page shows more, so that any browser can; it says so and leads on. */
#define TF_PAGE_ROWS 500

#define TF_PAGE_FILES 2000 /* evidence files of one page */

struct tf_page {
	struct tf_view *w;
	struct tf_node_row row; /* of the directory */
	struct tf_buf path;	/* of it; "." is the root */
	struct tf_buf b;	/* what is not in the sink yet */
	const struct tf_sink *out;
	const struct tf_page_links *links;
	struct tf_loaded_entry loaded; /* the entry that is being shown */
};

/* Give b to the sink when it is long enough. */
TF_MUST_USE enum tf_code tf_page_flush(struct tf_page *p, struct tf_error *err);

/* From the first byte to the heading: title is text, status a word or NULL. */
void tf_page_head(struct tf_page *p, const char *title, const char *status);

void tf_page_foot(struct tf_page *p);

/* A status as it is shown everywhere. */
void tf_page_badge(struct tf_page *p, const char *word);

/* text, and where there is such a file a link to it.  name, path: as in struct
 * tf_page_target, or absent. */
void tf_page_link(struct tf_page *p, enum tf_page_link link, struct tf_str name,
    struct tf_str path, struct tf_str text);

/* The same with words of ours. */
void tf_page_word(struct tf_page *p, enum tf_page_link link, struct tf_str name,
    struct tf_str path, const char *text);

/* ", package.zip" with its link, for who may open it; nothing where there is
 * none. */
void tf_page_package(struct tf_page *p);

/* When what an entry tells of happened: by the clock, and marked where that is
 * not its time in the ledger. */
void tf_page_time(struct tf_page *p, const struct tf_loaded_entry *t);

/* Who is behind the told entry. */
void tf_page_who(struct tf_page *p);

/* A line of the list of facts. */
void tf_page_event(struct tf_page *p, const char *what,
    const struct tf_loaded_entry *t);

/* Begin and end a table, which scrolls where it is too wide; label and `of` say
 * what it is.  columns are headings with '|' between, '#' before one of
 * numbers. */
void tf_page_table(struct tf_page *p, const char *label, struct tf_str of,
    const char *columns);

void tf_page_table_end(struct tf_page *p);

/* A line that says how many rows are left out because the asker may not read
 * them; nothing for none. */
void tf_page_withheld(struct tf_page *p, size_t n, const char *what);

/* A section of events: of seqs the last ones that are about the directory.
 * note goes before a link to all of them; NULL: none, unless some are left
 * out. */
TF_MUST_USE enum tf_code tf_page_events(struct tf_page *p, const char *title,
    const char *note, const struct tf_seqs *seqs, struct tf_error *err);

#endif
