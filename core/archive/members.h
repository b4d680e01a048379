/*
 * The members of a package that is open for reading, by name and number.  Many
 * threads may call these functions at once.
 */
#ifndef TF_ARCHIVE_MEMBERS_H
#define TF_ARCHIVE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_archive;

enum tf_archive_form { TF_ARCHIVE_OURS, TF_ARCHIVE_REPACKED, TF_ARCHIVE_FILES };

/* A member: its name below the topmost directory, and its manifest line. */
struct tf_archive_member {
	const char *name;
	struct tf_hash sha256; /* undefined if not listed */
	uint64_t size;	       /* bytes */
	/* listed: a manifest lists the member, or it is the tagmanifest.
	 * missing: a manifest lists it, but the package does not have it.
	 * In the form TF_ARCHIVE_OURS every member is listed, none missing. */
	bool executable, listed, missing;
	bool plain; /* false: a link or a device, without bytes */
};

/*
 * Return the form.  For TF_ARCHIVE_REPACKED, *why is the first difference from
 * the form that trailfs writes; it belongs to a.
 */
enum tf_archive_form tf_archive_form(const struct tf_archive *a,
    const char **why);

/* Number of members, the missing ones included. */
size_t tf_archive_count(const struct tf_archive *a);

/* Copy member i to *out; its name belongs to a. */
void tf_archive_member(const struct tf_archive *a, size_t i,
    struct tf_archive_member *out);

/* Name of the topmost directory; "" for files in a directory.  Belongs to a. */
const char *tf_archive_top(const struct tf_archive *a);

/* Set *i to the number of the member with this name; false if there is none. */
bool tf_archive_find(const struct tf_archive *a, const char *name, size_t *i);

#endif
