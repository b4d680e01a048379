/* Writing the files that describe a package to a reader. */
#ifndef TF_PACKAGE_PAGES_H
#define TF_PACKAGE_PAGES_H

#include "../archive/select.h"

struct tf_package_dir;
struct tf_package_names;
struct tf_sink;
struct tf_view;

typedef enum tf_code (*tf_package_writer)(void *self, const struct tf_sink *out,
    struct tf_error *err);

/* --- writing those files --------------------------------------------------------- */
struct tf_package_pages {
	struct tf_view *w;
	const struct tf_package_place *p;
	struct tf_package_names *names; /* all are given */
	/* Make a file of that name of what write gives. */
	enum tf_code (*text)(void *arg, const char *name,
	    tf_package_writer write, void *self, struct tf_error *err);
	void *arg;
};

/* The files that describe d. */
TF_MUST_USE enum tf_code tf_package_pages_add(struct tf_package_pages *g,
    const struct tf_package_dir *d, struct tf_error *err);

#endif
