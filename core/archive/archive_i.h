/* A package that is open for reading, and the list of its members. */
#ifndef TF_ARCHIVE_ARCHIVE_I_H
#define TF_ARCHIVE_ARCHIVE_I_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "members.h"

struct tf_member {
	struct tf_archive_member m; /* first: bsearch by name */
	uint64_t at, packed;	    /* offset and bytes in the archive */
	uint32_t crc;
	bool deflate;
};

struct tf_archive {
	enum tf_archive_form form;
	struct tf_error why; /* why the form is not TF_ARCHIVE_OURS */
	int fd;		     /* of the archive or the directory */
	char *top;
	struct tf_member *m; /* sorted by name */
	size_t n, cap;
	size_t names; /* bytes of all names */
};

/* Add a member with a copy of name, after all others.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_members_add(struct tf_archive *a, const char *name,
    const struct tf_member *m, struct tf_error *err);

/* Free all members and the name of the topmost directory. */
void tf_members_forget(struct tf_archive *a);

void tf_members_sort(struct tf_archive *a);

/* Sort, and check that no name is there twice: TF_TAMPER. */
TF_MUST_USE enum tf_code tf_members_check_names(struct tf_archive *a,
    struct tf_error *err);

/* Set *i to the number of the member with this name among the first n, which
 * are sorted. */
bool tf_members_find(const struct tf_archive *a, const char *name, size_t n,
    size_t *i);

#endif
