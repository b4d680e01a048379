/* The common parts of the pages of vault, trail and workflow. */
#ifndef TF_VIEW_PAGE_H
#define TF_VIEW_PAGE_H

#include <stddef.h>

#include "../page.h"
#include "../store/nodes.h"
#include "view.h"

struct tf_damage;
struct tf_entry;
struct tf_view_template;

/* The maximum of rows per table, so that every browser can show the page.  A
 * cut table says so and links to the full list. */
#define TF_PAGE_ROWS 500

#define TF_PAGE_FILES 2000 /* evidence files per page at most */

/*
 * A page while it is written.  The functions below append to b and return
 * nothing: a failed append sets b.failed, and the next tf_page_flush or the end
 * of the page returns TF_NOMEM.  The bytes that the sink has then got are void.
 */
struct tf_page {
	struct tf_view *w;
	struct tf_node_row row; /* of the directory */
	struct tf_buf path;	/* of the directory; "." is the root */
	struct tf_buf b;	/* text that is not in the sink yet */
	const struct tf_sink *out;
	const struct tf_page_links *links;
	struct tf_loaded_entry loaded; /* the entry being shown */
};

/*
 * Begin the page of directory id: set row and path of *p, of which the caller sets
 * the view, the sink and the links.  Errors: TF_NOTFOUND the directory is not in the
 * ledger yet; TF_NOMEM; those of the database.
 */
TF_MUST_USE enum tf_code tf_page_begin(struct tf_page *p, uint64_t id,
    struct tf_error *err);
/* End it: pass the rest of b to the sink, if rc is TF_OK, and free all; the result is
 * rc or the failure of the sink. */
TF_MUST_USE enum tf_code tf_page_end(struct tf_page *p, enum tf_code rc,
    struct tf_error *err);

/* Pass b to the sink if it is long enough; call it after each row, so that a
 * page needs little memory.  Errors: TF_NOMEM an append failed; those of the
 * sink. */
TF_MUST_USE enum tf_code tf_page_flush(struct tf_page *p, struct tf_error *err);

/* The style and the script of each page: page.css and page.js. */
extern const char tf_page_style[], tf_page_script[];

/* Is the page one of the present, in a mount?  A page of a package or of an
 * earlier state has no "now": it shows no ages and is never read again. */
bool tf_page_is_live(const struct tf_page *p);

/* Write the page's start up to its heading: title as text, status as a badge
 * unless NULL. */
void tf_page_head(struct tf_page *p, const char *title, const char *status);

/* Write holds and retention of the directory as an item of a list of facts;
 * nothing if nothing protects it.  Errors: as tf_protection_words(). */
TF_MUST_USE enum tf_code tf_page_protection(struct tf_page *p,
    struct tf_error *err);

/* Write the end of the page: that it proves nothing, and how to verify. */
void tf_page_foot(struct tf_page *p);

/* Write a status word as a badge. */
void tf_page_badge(struct tf_page *p, const char *word);

/* Write a time, always in UTC and whole seconds: two people in two countries must
 * read the same words. */
void tf_page_moment(struct tf_page *p, struct tf_time t);

/* Write the time of an entry's event.  If the clock's reading differs from the
 * entry's time, both are shown.  If the entry cannot be read, that is written. */
void tf_page_time(struct tf_page *p, const struct tf_loaded_entry *t);

/* Write the actor of entry e. */
void tf_page_actor(struct tf_page *p, const struct tf_entry *e);

/* Write the actor of p->loaded. */
void tf_page_who(struct tf_page *p);

/* Write time, actor and number of entry t as the item `what` of a list of
 * facts, or that it cannot be read; nothing if there is no such entry. */
void tf_page_event(struct tf_page *p, const char *what,
    const struct tf_loaded_entry *t);

/* Write the version of a template and the reasons why no workflow can satisfy
 * it, as an item of a list of facts; more follows the version. */
void tf_page_template(struct tf_page *p, const struct tf_view_template *t,
    const char *more);

/* Write what cannot be read as items of a list of facts. */
void tf_page_damage(struct tf_page *p, const struct tf_damage *d);

/* Begin and end a table, which scrolls if it is too wide.  label and `of` name
 * it for screen readers.  columns: the headings, separated by '|', with '#'
 * before a heading of numbers. */
void tf_page_table(struct tf_page *p, const char *label, struct tf_str of,
    const char *columns);

/* The same for a table of things that the script of the page lets the reader
 * search and sort.  css: a class, or "".  '=' before a heading: the reader can
 * choose one of the words of this column. */
void tf_page_list(struct tf_page *p, const char *label, const char *css,
    const char *columns);

/* End the table that tf_page_table began. */
void tf_page_table_end(struct tf_page *p);

/* Write how many rows are omitted because the asker may not read them; nothing
 * if n is 0. */
void tf_page_withheld(struct tf_page *p, size_t n, const char *what);

#endif
