/*
 * A package open for reading: as we write it, packed again by another program,
 * or unpacked below a directory.
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

/* A member's name below the topmost directory, and what the manifests say. */
struct tf_archive_member {
	const char *name;
	struct tf_hash sha256; /* void for what is not listed */
	uint64_t size;
	/* listed: or tagmanifest-sha256.txt.  missing: only listed.  Of other
	 * forms than ours. */
	bool executable, listed, missing;
	bool plain; /* false: a link, a device: it has no bytes */
};

/* All bytes of member i, part by part; stops at the first byte that is more
 * than its size.  Digest of what there was; TF_TAMPER when it cannot be
 * unpacked or has another length. */
typedef enum tf_code (*tf_archive_part)(void *arg, const void *p, size_t n,
    struct tf_error *err);

/* A package open for reading: its members by name and number. */
struct tf_archive;

/* One thread's way to the bytes. */
struct tf_archive_reader;

/* Scans it too, and checks that its manifests list all of it and nothing else:
 * TF_TAMPER.  TF_NOTFOUND, TF_ACCESS. */
TF_MUST_USE enum tf_code tf_archive_open(const char *file,
    struct tf_archive **out, struct tf_error *err);

/*
 * The same of a package in another form: unpacked below a directory, or packed
 * again by another program (tf_archive_form).  Then its manifests must be whole,
 * but there may be files that they do not list, and some may not be there.
 */
TF_MUST_USE enum tf_code tf_archive_open_any(const char *path,
    struct tf_archive **out, struct tf_error *err);

void tf_archive_close(struct tf_archive *a);

/* *why: of a repacked one, where it differs from ours. */
enum tf_archive_form tf_archive_form(const struct tf_archive *a,
    const char **why);

size_t tf_archive_count(const struct tf_archive *a);

void tf_archive_member(const struct tf_archive *a, size_t i,
    struct tf_archive_member *out);

/* Of files in a directory: "". */
const char *tf_archive_top(const struct tf_archive *a);

/* Its number by that name; false: there is none. */
bool tf_archive_find(const struct tf_archive *a, const char *name, size_t *i);

TF_MUST_USE enum tf_code tf_archive_reader_new(const struct tf_archive *a,
    struct tf_archive_reader **out, struct tf_error *err);

void tf_archive_reader_free(struct tf_archive_reader *r);

TF_MUST_USE enum tf_code tf_archive_read(struct tf_archive_reader *r, size_t i,
    tf_archive_part fn, void *arg, struct tf_hash *sha256,
    struct tf_error *err);

/* The same into memory, where its digest is that of the manifest and it has at
 * most max bytes: TF_TAMPER otherwise. */
TF_MUST_USE enum tf_code tf_archive_load(struct tf_archive_reader *r, size_t i,
    size_t max, struct tf_buf *out, struct tf_error *err);

#endif
