/*
 * Find the members of a ZIP archive.  The scan accepts only archives that every
 * ZIP reader reads in the same way.
 */
#ifndef TF_ARCHIVE_ZIP_SCAN_H
#define TF_ARCHIVE_ZIP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

/* One member; local header and central directory agree on it. */
struct tf_zip_entry {
	const char *name; /* NUL-terminated */
	size_t name_len;
	uint64_t at;	       /* offset of its bytes in the file */
	uint64_t packed, size; /* bytes in the archive, bytes unpacked */
	uint32_t crc;
	bool deflate, executable;
};

/*
 * The accepted forms of archives.  In both, members follow one another without
 * gap or overlap, no bytes follow the end, and headers and directory agree.  So
 * an archive can be read in one way only.
 */
enum tf_zip_profile {
	TF_ZIP_STRICT, /* as trailfs writes archives: trailfs-package(5) */
	/* As other programs pack the same files: with times, modes, other
	 * extra fields, sizes after the bytes, directories, in any order, with
	 * "./" before the names, which stays there.  The
	 * scan does not check for duplicate names or for more than one topmost
	 * directory; the caller must. */
	TF_ZIP_ANY
};

/*
 * Receive one member; e is valid only during the call.  A code other than TF_OK
 * stops the scan and is returned.
 */
typedef enum tf_code (*tf_zip_found)(void *arg, const struct tf_zip_entry *e,
    struct tf_error *err);

/*
 * Call fn for each file of the archive fd, in order.  TF_OK: the whole archive
 * fits the profile.  On failure the caller must discard all members that fn
 * received.  fd stays the caller's.  Errors: TF_TAMPER with the reason, TF_IO,
 * those of fn.
 */
TF_MUST_USE enum tf_code tf_zip_scan(int fd, enum tf_zip_profile profile,
    tf_zip_found fn, void *arg, struct tf_error *err);

#endif
