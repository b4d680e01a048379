/* Writing the pages of a package: the files that describe it to a person. */
#ifndef TF_PACKAGE_PAGES_H
#define TF_PACKAGE_PAGES_H

#include "../archive/select.h"

struct tf_package_dir;
struct tf_package_names;
struct tf_sink;
struct tf_view;

/* Write the bytes of one page to out; self is passed through. */
typedef enum tf_code (*tf_package_writer)(void *self, const struct tf_sink *out,
    struct tf_error *err);

struct tf_package_pages {
	struct tf_view *w;
	const struct tf_package_place *p;
	struct tf_package_names *names; /* all names are assigned */
	/* Add a file of this name; write(self) produces its bytes. */
	enum tf_code (*text)(void *arg, const char *name,
	    tf_package_writer write, void *self, struct tf_error *err);
	void *arg;
};

/* Add all pages of directory d, through g->text.  Call it once all entries were
 * seen, because links need all names.  Errors: those of g->text and of the
 * view. */
TF_MUST_USE enum tf_code tf_package_pages_add(struct tf_package_pages *g,
    const struct tf_package_dir *d, struct tf_error *err);

/* Add the page that replays evidence `node`, which `entry` sealed, if it is a
 * recording.  data is the name of its bytes in the package.  Errors: as above. */
TF_MUST_USE enum tf_code tf_package_replay_add(struct tf_package_pages *g,
    uint64_t node, uint64_t entry, const char *data, struct tf_error *err);

#endif
