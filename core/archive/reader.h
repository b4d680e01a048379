/*
 * A package that is open for reading: an archive from trailfs, an archive that
 * another program packed again, or files unpacked below a directory.
 *
 * After it is opened, many threads may use one tf_archive at once, each with
 * its own tf_archive_reader.
 */
#ifndef TF_ARCHIVE_READER_H
#define TF_ARCHIVE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;

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
 * Receive the next n bytes of a member.  A code other than TF_OK stops the read
 * and is returned.
 */
typedef enum tf_code (*tf_archive_part)(void *arg, const void *p, size_t n,
    struct tf_error *err);

/* A package that is open for reading: its members by name and number. */
struct tf_archive;

/* The buffers with which one thread reads members. */
struct tf_archive_reader;

/*
 * Open an archive in the form that trailfs writes.  Scans the archive and
 * checks that the manifests list every member and nothing else.  Close *out
 * with tf_archive_close.  Errors: TF_TAMPER (form or manifests are wrong),
 * TF_NOTFOUND, TF_ACCESS, TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_archive_open(const char *file,
    struct tf_archive **out, struct tf_error *err);

/*
 * Open a package in any form; tf_archive_form returns the form.  In the other
 * forms the manifests must be well-formed, but the package may have files that
 * no manifest lists, and listed files may be missing.  Errors: tf_archive_open.
 */
TF_MUST_USE enum tf_code tf_archive_open_any(const char *path,
    struct tf_archive **out, struct tf_error *err);

void tf_archive_close(struct tf_archive *a);

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

/* Make a reader for one thread; a must outlive it.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_archive_reader_new(const struct tf_archive *a,
    struct tf_archive_reader **out, struct tf_error *err);

void tf_archive_reader_free(struct tf_archive_reader *r);

/*
 * Read member i, call fn (unless NULL) for each part, and set *sha256 to the
 * digest of the bytes.  The caller compares it with the manifest.  TF_TAMPER:
 * the member cannot be unpacked or does not have its size; the read stops at
 * the first byte beyond the size.
 */
TF_MUST_USE enum tf_code tf_archive_read(struct tf_archive_reader *r, size_t i,
    tf_archive_part fn, void *arg, struct tf_hash *sha256,
    struct tf_error *err);

/*
 * Append the bytes of member i to out.  TF_TAMPER: as tf_archive_read, or the
 * digest is not that of the manifest, or no manifest lists the member, or it
 * has more than max bytes.  On failure the bytes in out must not be used.
 */
TF_MUST_USE enum tf_code tf_archive_load(struct tf_archive_reader *r, size_t i,
    size_t max, struct tf_buf *out, struct tf_error *err);

#endif
